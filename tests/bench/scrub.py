#!/usr/bin/python3
"""A scrub of everything: CPU seconds of the thread that reads, beside `openssl dgst -sha256` over the same files, in one run.

  tests/bench/scrub.py [ROUNDS]

The archive reads past the page cache (O_DIRECT), looks which volumes have each name, and keeps its place; openssl reads warm
files. Both hash every byte of every replica once. The figure is bytes per CPU second, and the median of the ratios.
"""
import json
import os
import pathlib
import subprocess
import sys
import time

from common import cpu_seconds, median, row
from machine_client import Hearing, MachineClient, details_document, random_object, sha256
from world import World

OBJECTS = 80
OBJECT_BYTES = 2_500_000


def scrub_task(pid):
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().strip() == "gr-scrub":
            return f"{pid}/task/{task.name}"
    raise RuntimeError("the archive has no thread gr-scrub")


def floor(paths):
    begun = time.monotonic()
    process = subprocess.Popen(["openssl", "dgst", "-sha256", *map(str, paths)], stdout=subprocess.PIPE)
    process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise RuntimeError("openssl failed")
    return usage.ru_utime + usage.ru_stime, time.monotonic() - begun


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with World() as world:
        world.start()
        client = MachineClient(world.station_code().read_text(), timeout=120)
        client.enrol()
        hearing = Hearing(client)
        details = details_document()
        hearing.put(details)
        hearing.open(sha256(details), {"cam-bench": "video"})
        for _ in range(OBJECTS):
            data = random_object(OBJECT_BYTES)
            hearing.put(data)
            hearing.segment("cam-bench", data, 1260, 900_000)
        hearing.post()
        paths = [path for volume in world.volumes for path in (volume / "sha256").rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in paths)
        task = scrub_task(world.server.pid)
        floor(paths)  # warms the files
        ratios, ours, theirs, walls = [], [], [], []
        for number in range(rounds + 1):
            begun, cpu = time.monotonic(), cpu_seconds([task])
            done = json.loads(world.archive("scrub", "--json").stdout)
            cpu, wall = cpu_seconds([task]) - cpu, time.monotonic() - begun
            if done["failures"] or done["bytes"] != size or done["objects"] != len(paths):
                raise RuntimeError(f"not everything was read: {done}")
            peer_cpu, peer_wall = floor(paths)
            if number == 0:
                continue
            ours.append(size / cpu / 1e6)
            theirs.append(size / peer_cpu / 1e6)
            ratios.append(ours[-1] / theirs[-1])
            walls.append(wall / peer_wall)
    print(json.dumps({"scrub": f"{size / 1e6:.0f} MB", "ratio_rate": round(median(ratios), 2), "mb_per_cpu_s": round(median(ours)),
                      "peer_mb_per_cpu_s": round(median(theirs)), "ratio_wall": round(median(walls), 2)}), flush=True)
    row("scrub of all replicas, one thread", "openssl dgst -sha256, warm files", ">= 0.9 x its rate per core",
        f"{median(ratios):.2f} x ({median(ours):.0f} beside {median(theirs):.0f} MB per CPU second), {median(walls):.2f} x wall", median(ratios) >= 0.9)


if __name__ == "__main__":
    main()
