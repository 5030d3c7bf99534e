"""The wall clock of one station, to be set by a test while it records; the machine's own clock stays what it is."""
import mmap
import struct

import world as w

LIBRARY = w.PROGRAMS / "tests" / "libset_clock.so"  # tests/system/set_clock.cc


class WallClock:
    """`prefix()` stands in front of the program that shall live by it."""

    def __init__(self, folder, seconds_off=0, error_ms=None):
        self.path = folder / "wall-clock"
        self.path.write_bytes(bytes(24))
        with open(self.path, "r+b") as file:
            self.page = mmap.mmap(file.fileno(), 24)
        self.set(seconds_off, error_ms)

    def set(self, seconds_off, error_ms=None):
        """So far from the true time. `error_ms`: what the kernel says of it; None: that it is not synchronised."""
        self.page[8:24] = struct.pack("=qq", error_ms is not None, 1000 * (error_ms or 0))
        self.page[0:8] = struct.pack("=q", round(seconds_off * 1e6))

    def prefix(self):
        return ["env", f"LD_PRELOAD={LIBRARY}", f"GREFFE_TEST_CLOCK={self.path}"]
