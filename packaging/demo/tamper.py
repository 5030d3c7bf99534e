#!/usr/bin/python3
"""Changes one byte of one copy of a recording on one volume, and shows who notices and who repairs it. The volume is the first
archive's, or the second site's where the first one stands on no volumes.

    tamper.py DIR BIN      writes DIR/run/tamper.json
"""
import hashlib
import json
import os
import pathlib
import subprocess
import sys


def digest_of(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def victim(volume):
    """The largest object on the volume: ten seconds of picture."""
    return max((path for path in (volume / "sha256").rglob("*") if path.is_file() and len(path.name) == 64),
               key=lambda path: (path.stat().st_size, path.name))


def flip(path):
    """As an intruder with access to the disk would: same length, same date, one bit."""
    before = path.stat()
    os.chmod(path, 0o600)
    with open(path, "r+b") as file:
        file.seek(before.st_size // 2)
        byte = file.read(1)[0]
        file.seek(before.st_size // 2)
        file.write(bytes([byte ^ 1]))
    os.chmod(path, before.st_mode & 0o7777)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def run(*words):
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return done.returncode, done.stdout, done.stderr


def verdict(programs, folder, volumes):
    status, out, err = run(programs / "greffe-verify", "--policy", folder / "policy.txt", "--json", *volumes)
    try:
        return status, json.loads(out)
    except ValueError:
        sys.exit(f"tamper: greffe-verify did not answer in JSON (exit status {status}): {out[-500:]}{err[-500:]}")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    folder, programs = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    site = next(one for one in (folder / "primary", folder / "dr") if (one / "volumes").is_dir())
    volumes = sorted((site / "volumes").iterdir())
    path = victim(volumes[1])
    flip(path)
    print(f"   one bit of {path.relative_to(folder)} is not what it was; length and date are")

    status, found = verdict(programs, folder, volumes)
    print(f"   greffe-verify: {found['verdict']} (exit status {status})")
    seen = status == 1 and path.name in json.dumps(found)

    status, out, err = run(programs / "greffe-archive", "--config", site / "archive.toml", "scrub", "--json")
    print("   greffe-archive scrub: " + " ".join((out or err).split())[:300])
    scrub_saw = json.loads(out or "{}").get("failures", 0) > 0
    healed = path.exists() and digest_of(path) == path.name

    status_after, after = verdict(programs, folder, volumes)
    print(f"   the copy on that volume is {'whole again' if healed else 'STILL DAMAGED'}; greffe-verify: {after['verdict']}")
    result = {"object": path.name, "verify_noticed": seen, "verify_said": found["verdict"], "scrub_noticed": scrub_saw,
              "healed": healed, "verify_after": after["verdict"]}
    (folder / "run" / "tamper.json").write_text(json.dumps(result))
    return 0 if seen and scrub_saw and healed and status_after == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
