#!/usr/bin/python3
"""The power goes while a hearing is recorded. Of every stream at most two seconds are lost, and what is kept verifies.

    tests/system/test_power_cut.py [--cuts N]      three cuts unless given; as root, else it says that it cannot
"""
import os
import shutil
import signal
import sys
import tempfile
import time

import live_room as r
import power_cut
import world as w

CUTS = int(sys.argv[sys.argv.index("--cuts") + 1]) if "--cuts" in sys.argv else 3
MOST_LOST_MS = 2000


def lost_ms(home, hearing, cut_mono_ms):
    """{stream: milliseconds} between the end of what the next start keeps and the cut."""
    config = home / "station.toml"
    done = w.run(w.INGEST, "--config", config, "close", "--hearing", hearing, "--no-upload", "--json", check=False)
    assert done.returncode == 0, done.stderr
    entries = [e for e in read_entries(home / "spool" / hearing / "entries") if e["kind"] == "segment"]
    ends = {}
    for entry in entries:
        ends[entry["stream"]] = max(ends.get(entry["stream"], 0), entry["mono_ms"] + entry["duration_90k"] / 90)
    assert any("recovered" in e["flags"] for e in entries), "nothing was recovered"
    return {stream: cut_mono_ms - end for stream, end in ends.items()}


def read_entries(path):
    import json

    import crash_station
    return [json.loads(e) for e in crash_station.entries_in(path)]


def test_power_cuts():
    films = tempfile.mkdtemp(prefix="greffe-films.")
    film = r.make_film(os.path.join(films, "film.mp4"), seconds=60 + 4 * CUTS)
    camera = r.Camera(film)
    worst = {}
    try:
        with power_cut.Disk(megabytes=256 + 8 * CUTS) as disk:
            streams = [("cam", "video", camera.address()), ("mic", "audio", "test:tone")]
            with r.LiveRoom(disk.path, streams) as station:
                station.start()
                hearing = station.open()
                station.records("cam", "mic")
                for number in range(CUTS):
                    r.running_for(1.7 + 0.37 * (number % 5))
                    cut = time.clock_gettime(time.CLOCK_BOOTTIME) * 1000
                    # Nothing of ours is written any more; what the kernel still holds back is what a power cut takes.
                    r.stop_all(station.service.pid, signal.SIGSTOP)
                    copy = disk.after_power_cut()
                    r.stop_all(station.service.pid, signal.SIGCONT)
                    with copy as path:
                        found = lost_ms(path / "station", hearing, cut)
                    assert set(found) == {"cam", "mic"}, found
                    for stream, ms in found.items():
                        worst[stream] = max(worst.get(stream, 0), ms)
                        assert ms <= MOST_LOST_MS, f"cut {number}: {ms:.0f} ms of {stream} are lost"
                station.end()
    finally:
        camera.end()
        shutil.rmtree(films, ignore_errors=True)
    print("  " + ", ".join(f"{stream}: at most {ms:.0f} ms lost" for stream, ms in sorted(worst.items())) + f", {CUTS} cuts", flush=True)


if __name__ == "__main__":
    if not power_cut.possible():
        print("  skipped: a power cut needs root and a loop device")
        sys.exit(0)
    w.main([test_power_cuts], ignore=("--cuts", str(CUTS)))
