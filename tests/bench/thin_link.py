#!/usr/bin/python3
"""How long a second site does not know what was filed, over a line of 100 kbit/s that is far too thin for the pictures.

  tests/bench/thin_link.py [SECONDS]

Four courtrooms file a picture segment of 150 KB every ten seconds each, one after the other: 60 KB/s beside a line of 12.5 KB/s. A piece of the
log is known when the name of a file in the second site's pool says so; looked at ten times a second.
"""
import contextlib
import os
import pathlib
import sys
import time

from common import ROOT, row

sys.path.insert(0, str(ROOT / "tests" / "twin"))
from machine_client import sha256  # noqa: E402
from test_replicate import Sites  # noqa: E402
from thin_line import Lag, ThinLine, held_size, lead_through  # noqa: E402

LINE = 12_500
ROOMS = 4
EVERY_S = 10
PICTURE = 150_000
TARGET_S = 10


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 120
    with Sites() as sites, contextlib.ExitStack() as lags:
        line = ThinLine(sites.second.machine, LINE)
        lead_through(line, pathlib.Path(sites.folder) / "state")
        hearings = [sites.begin(number) for number in range(ROOMS)]
        watched = [lags.enter_context(Lag(sites.second.volumes, hearing.id)) for hearing in hearings]
        filed = []
        with sites.running():
            until = time.monotonic() + seconds
            number = 0
            while time.monotonic() < until:
                hearing, lag = hearings[number % ROOMS], watched[number % ROOMS]
                data = os.urandom(PICTURE)
                hearing.put(data)
                hearing.segment("cam-bench", data, 1000, 900_000)
                hearing.post()
                lag.filed(len(hearing.entries))
                filed.append(sha256(data))
                number += 1
                time.sleep(EVERY_S / ROOMS)
            sites.wait(lambda: not any(lag.waiting for lag in watched), 60)
        lacking = [digest for digest in filed if not sites.second.copies(digest)]
        assert len(lacking) > len(filed) / 2, "the line was not too thin"
        assert any(held_size(sites.second.volumes, h.id) < len(h.entries) for h in hearings)
        worst = max(lag.worst for lag in watched)
        line.close()
    print(f"{len(filed)} segments of {ROOMS} hearings filed in {seconds:.0f} s; {len(lacking)} still wait; the log was known within {worst:.1f} s at worst")
    row("100 kbit/s line: log lag while media waits", "", f"<= {TARGET_S} s", f"{worst:.1f} s at worst", worst <= TARGET_S)


if __name__ == "__main__":
    main()
