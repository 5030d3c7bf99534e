#!/usr/bin/python3
"""Files the demo's hearings through greffe-ingest, as the stations of two courtrooms would.

    file_hearings.py DIR BIN      DIR as packaging/quickstart lays it out; BIN holds the programs

The long hearing is recorded live (record_live.py) while the short ones are imported, those of the other courtroom first.
DIR/filed.json remembers which recording became which hearing. Prints what it does; ends with a sentence.
"""
import concurrent.futures
import json
import pathlib
import subprocess
import sys
import threading
import time

import record_live


class Filed:
    """DIR/filed.json, for both threads: each has its own hearing's record."""

    def __init__(self, path):
        self.path, self.lock = path, threading.Lock()
        self.records = json.loads(path.read_text()) if path.exists() else {}

    def record(self, hearing):
        with self.lock:
            return self.records.setdefault(hearing["id"], {})

    def save(self):
        with self.lock:
            part = self.path.with_suffix(".part")
            part.write_text(json.dumps(self.records, ensure_ascii=False, indent=1))
            part.rename(self.path)


def import_words(folder, programs, hearing, streams):
    station = folder / "stations" / hearing["station"]
    words = [str(programs / "greffe-ingest"), "--config", str(station / "station.toml"), "import", "--close", "--json"]
    for name, source in streams.items():
        words += ["--stream", f"{name}={source if source.startswith('/') else folder / 'media' / source}"]
    return words


def file_one(words):
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"this failed with exit status {done.returncode}: {' '.join(words)}")
    return json.loads(done.stdout)


def file_imported(folder, programs, hearing, filed):
    record = filed.record(hearing)
    started = time.monotonic()
    answer = file_one(import_words(folder, programs, hearing, hearing["streams"])
                      + ["--start", hearing["start"], "--details", str(folder / "details" / (hearing["id"] + ".json"))])
    record["hearing"] = answer["hearing"]
    record["seconds"] = round(time.monotonic() - started, 2)
    filed.save()


def file_live(folder, programs, hearing, filed):
    """Live first; then what remains, right behind it. The same import again, if it is broken off, goes on."""
    record = filed.record(hearing)
    identity = record_live.record_live(folder, programs, hearing, record, filed.save)
    words = import_words(folder, programs, hearing, hearing["rest"]) + ["--hearing", identity, "--start", record["rest_start"]]
    for mark in hearing["marks"]:
        if "after" in mark:
            at = record_live.utc(record_live.ms_of(record["rest_start"]) + mark["after"] * 1000)
            words += ["--mark", f"{at},{mark['text']}"]
    record["hearing"] = file_one(words)["hearing"]
    filed.save()


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    folder, programs = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    plan = json.loads((folder / "plan.json").read_text())
    filed = Filed(folder / "filed.json")
    new = [hearing for hearing in plan["hearings"] if "hearing" not in filed.record(hearing)]
    live = [hearing for hearing in new if "rest" in hearing]
    rooms = {hearing["station"] for hearing in live}
    with concurrent.futures.ThreadPoolExecutor(max_workers=1) as other:
        recordings = [other.submit(file_live, folder, programs, hearing, filed) for hearing in live]
        if live:
            print("   a hearing is recorded live; the station is killed in the middle (kill -9) and goes on where it was ...", flush=True)
        try:
            for hearing in sorted((h for h in new if h not in live), key=lambda h: h["station"] in rooms):
                file_imported(folder, programs, hearing, filed)
            for recording in recordings:
                recording.result()
        except RuntimeError as problem:
            sys.exit(f"file_hearings: {problem}")
    print(f"   {len(plan['hearings'])} hearings are filed, {len(new)} of them now")


if __name__ == "__main__":
    main()
