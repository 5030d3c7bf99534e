#!/usr/bin/python3
"""While the demo's hearings are filed, storage fails under the first archive: one of its three disks is pulled out, or, where
its pool is in Ceph, an OSD is killed (kill -9). Later it is back. Nobody is told; nothing may be lost, and nothing may wait for long.

    fail_storage.py DIR [CEPH_CONF]      runs beside file_hearings.py, once; writes DIR/run/failure.json
"""
import json
import os
import pathlib
import signal
import sys
import time

FAILS_AFTER = 5       # hearings are filed
WITHOUT_IT = 10       # are filed before it is back
PATIENCE_S = 300


def wait_for(what, condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"fail_storage: {what}: not within {PATIENCE_S} s")
        time.sleep(0.1)


class Disk:
    """The folder of a volume, which is not there any more, as a disk that was pulled out."""

    def __init__(self, folder):
        self.volumes = folder / "primary" / "volumes"
        self.path, self.aside = self.volumes / "b", self.volumes.with_name("pulled-out")
        self.fails, self.is_back = "the disk of volumes/b is pulled out", "the disk is back in its place"
        self.healed = "all three volumes have every object"
        if self.aside.exists():  # a quickstart that was broken off
            self.come_back()

    def fail(self):
        self.path.rename(self.aside)

    def come_back(self):
        self.aside.rename(self.path)

    def names(self, volume):
        return {path.name for path in (volume / "sha256").rglob("*") if path.is_file() and len(path.name) == 64}

    def is_healed(self):
        """Every object that any volume has is on each of the three."""
        first, *others = [self.names(volume) for volume in sorted(self.volumes.iterdir())]
        return len(others) == 2 and all(names == first for names in others)


class Osd:
    """One of the three daemons that keep the cluster's bytes. Whoever holds the cluster starts it again, as an init would."""

    def __init__(self, conf):
        self.conf = conf
        self.pid_file = pathlib.Path(conf).parent / "run" / "osd.1.pid"
        self.killed = None
        self.fails, self.is_back = "osd.1 of the cluster is killed", "osd.1 runs again"
        self.healed = self.is_back

    def pid(self):
        """Of the process that runs with this cluster's configuration; None: of nothing of ours."""
        try:
            pid = int(self.pid_file.read_text())
            return pid if self.conf.encode() in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes() else None
        except (OSError, ValueError):
            return None

    def fail(self):
        self.killed = self.pid()
        if self.killed is None:
            sys.exit(f"fail_storage: {self.pid_file} names no OSD of this cluster")
        os.kill(self.killed, signal.SIGKILL)

    def come_back(self):
        wait_for("another osd.1", lambda: self.pid() not in (None, self.killed))

    def is_healed(self):
        return True


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1]).resolve()
    part = Disk(folder) if len(sys.argv) == 2 else Osd(sys.argv[2])

    def filed():
        path = folder / "filed.json"
        return sum("hearing" in record for record in json.loads(path.read_text()).values()) if path.exists() else 0

    planned = len(json.loads((folder / "plan.json").read_text())["hearings"])
    if planned - filed() < FAILS_AFTER + WITHOUT_IT:
        return  # it was filed before
    already = filed()
    wait_for(f"{FAILS_AFTER} hearings", lambda: filed() >= already + FAILS_AFTER)
    before = filed()
    part.fail()
    failed_at = time.monotonic()
    print(f"   {before} hearings are filed; {part.fails} ...", flush=True)
    wait_for(f"{WITHOUT_IT} more", lambda: filed() >= before + WITHOUT_IT)
    without = filed() - before
    part.come_back()
    back_at = time.monotonic()
    print(f"   {without} more are filed without it; {part.is_back} ...", flush=True)
    wait_for(part.healed, part.is_healed)
    print(f"   {part.healed}", flush=True)
    result = {"what": part.fails, "filed_before": before, "filed_without": without, "seconds_without": round(back_at - failed_at, 1),
              "seconds_to_heal": round(time.monotonic() - back_at, 1)}
    (folder / "run" / "failure.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main()
