#!/usr/bin/python3
"""How long it takes, live, with a real archive on this machine: from the end of a segment to the archive's receipt over it and to its
being read back from two disks, and from `close` to the signed closing sheet. Segments have their ordinary length."""
import json
import os
import time

import common as c
import live_room as r
import world as w

SECONDS = int(os.environ.get("SECONDS_EACH", "45"))


def main():
    with w.World() as world:
        world.start()
        film = r.make_film(world.folder / "film.mp4", size="1280x720", seconds=SECONDS + 40)
        camera = r.Camera(film, mounts=2)
        streams = [("cam-1", "video", camera.address(0)), ("cam-2", "video", camera.address(1)), ("mic", "audio", "test:tone")]
        try:
            with r.LiveRoom(world.folder, streams, enrol=world.station_code()) as station:
                station.start()
                hearing = station.open()
                lags, green = [], 0
                seen = 0
                log = station.home / "spool" / hearing
                until = time.monotonic() + SECONDS
                while time.monotonic() < until:
                    receipt = log / "receipt"
                    size = int(receipt.read_text().split("\n")[1]) if receipt.exists() else 0
                    now = time.clock_gettime(time.CLOCK_BOOTTIME) * 1000
                    for entry in station.entries(hearing)[seen:size]:
                        if entry["kind"] == "segment":
                            lags.append(now - entry["mono_ms"] - entry["duration_90k"] / 90)
                    seen = max(seen, size)
                    green += station.state().get("lamp", {}).get("colour") == "green"
                    time.sleep(0.05)
                assert len(lags) >= 4, f"only {len(lags)} segments were confirmed in {SECONDS} s"
                asked = time.monotonic()
                station.ask("close", "--no-upload")
                closing = time.monotonic() - asked
                sheet = json.loads((log / "sheet.json").read_text())
                assert sheet, "no closing sheet"
        finally:
            camera.end()
    lags.sort()
    print(f"  {len(lags)} segments: end of segment to verified receipt {lags[0]:.0f} to {lags[-1]:.0f} ms, median {c.median(lags):.0f}; "
          f"lamp green in {green} looks; close to signed sheet {closing:.2f} s")
    c.row("live: a frame to its receipt, beyond the segment's length", "-", "<= 2 s", f"{lags[0] / 1000:.2f} to {lags[-1] / 1000:.2f} s", lags[-1] <= 2000)
    c.row("live: close to the signed closing sheet", "-", "<= 5 s", f"{closing:.2f} s", closing <= 5)


main()
