#!/usr/bin/python3
"""Runs packaging/quickstart --check into an empty folder, twice, and holds its summary to what the README says.

    test_quickstart.py [DIR]      DIR: the demo is made there and left, for tests that need one
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


def quickstart(folder, *more):
    done = subprocess.run([ROOT / "packaging" / "quickstart", "--dir", folder, "--check", *more], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=1500, check=False)
    lines = done.stdout.strip().splitlines()
    try:
        summary = json.loads(lines[-1])
    except (ValueError, IndexError):
        summary = {"ok": False, "problem": "no summary"}
    if done.returncode != 0 or not summary["ok"]:
        print("\n".join(lines[-60:]))
        raise SystemExit(f"quickstart --check ended with {done.returncode}: {summary.get('problem')}")
    return summary


def left_running(folder):
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes()
        except OSError:
            continue
        if str(folder).encode() in words and b"greffe-" in words:
            found.append(words)
    return found


def check(summary):
    assert summary["hearings"] == 41, summary
    assert summary["streams_identical"] == 5, summary
    assert summary["station_crash_survived"] is True, summary
    assert summary["timeline"]["streams"] == 5 and summary["timeline"]["gaps"] >= 6 and summary["timeline"]["marks"] >= 5, summary
    assert summary["second_site_behind"] == 0, summary
    # The long hearing has a recess and a hole in each stream where its station was killed, all of them declared; nothing else
    # may be said of any copy.
    assert set(summary["verified"].values()) == {"VERIFIED_WITH_DECLARED_GAPS"}, summary
    tamper = summary["tamper"]
    assert tamper["verify_noticed"] and tamper["scrub_noticed"] and tamper["healed"], tamper
    assert tamper["verify_said"] == "TAMPERED" and tamper["verify_after"] == "VERIFIED_WITH_DECLARED_GAPS", tamper
    assert summary["failure"]["filed_without"] >= 10, summary
    assert summary["found"]["RG 26/01233"] == 1 and summary["found"]["lefevre"] == summary["found"]["Lefèvre"] > 5, summary


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="greffe."))
    try:
        first = quickstart(folder)
        check(first)
        second = quickstart(folder)
        check(second)
        assert second["hearing"] == first["hearing"], "the second run filed the hearing again"
        assert not left_running(folder), f"still running: {left_running(folder)}"
        print(f"  ok   quickstart --check, twice: {first['seconds']} s and {second['seconds']} s, separation: {first['separation']}")
        print("  " + json.dumps(first, ensure_ascii=False))
    finally:
        subprocess.run([ROOT / "packaging" / "quickstart", "--dir", folder, "--stop"], check=False)
        if len(sys.argv) == 1:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
