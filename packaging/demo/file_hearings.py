#!/usr/bin/python3
"""Files the demo's hearings through greffe-ingest, as the station of a courtroom would.

    file_hearings.py DIR BIN      DIR as packaging/quickstart lays it out; BIN holds the programs

The station is killed (kill -9) in the middle of the long hearing and started again. What was filed before stays filed:
DIR/filed.json remembers which recording became which hearing. Prints what it does; ends with a sentence.
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

CRASH_AFTER_BYTES = 24_000_000  # of the long hearing's 100 MB in the station's spool


def save(path, value):
    part = path.with_suffix(".part")
    part.write_text(json.dumps(value, ensure_ascii=False, indent=1))
    part.rename(path)


def bytes_below(folder):
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            pass
    return total


def command(folder, programs, hearing):
    station = folder / "stations" / hearing["station"]
    words = [str(programs / "greffe-ingest"), "--config", str(station / "station.toml"), "import"]
    for name, source in hearing["streams"].items():
        words += ["--stream", f"{name}={source if source.startswith('/') else folder / 'media' / source}"]
    words += ["--start", hearing["start"], "--details", str(folder / "details" / (hearing["id"] + ".json"))]
    for gap in hearing["gaps"]:
        words += ["--gap", f"{gap['from']},{gap['to']},{gap['reason']}"]
    for mark in hearing["marks"]:
        words += ["--mark", f"{mark['at']},{mark['text']}"]
    return words + ["--close", "--json"]


def crash(words, spool):
    """Starts the import and kills it once enough of the recording is on the station's disk. True when it was killed."""
    before = bytes_below(spool)
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    while process.poll() is None and bytes_below(spool) - before < CRASH_AFTER_BYTES:
        time.sleep(0.02)
    if process.poll() is not None:
        return False
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return True


def file_one(words):
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"file_hearings: this failed with exit status {done.returncode}: {' '.join(words)}")
    return json.loads(done.stdout)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    folder, programs = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    plan = json.loads((folder / "plan.json").read_text())
    filed_path = folder / "filed.json"
    filed = json.loads(filed_path.read_text()) if filed_path.exists() else {}
    new = 0
    for hearing in plan["hearings"]:
        if hearing["id"] in filed and "hearing" in filed[hearing["id"]]:
            continue
        words = command(folder, programs, hearing)
        record = filed.setdefault(hearing["id"], {})
        if hearing["id"] == "long" and "crashed" not in record:
            print("   the station is killed in the middle of the long hearing (kill -9) ...", flush=True)
            record["crashed"] = crash(words, folder / "stations" / hearing["station"])
            record["on_disk_at_crash"] = bytes_below(folder / "stations" / hearing["station"])
            save(filed_path, filed)
            print("   ... and started again: it goes on where it was", flush=True)
        started = time.monotonic()
        answer = file_one(words)
        record["hearing"] = answer["hearing"]
        record["seconds"] = round(time.monotonic() - started, 2)
        save(filed_path, filed)
        new += 1
    print(f"   {len(plan['hearings'])} hearings are filed, {new} of them now")


if __name__ == "__main__":
    main()
