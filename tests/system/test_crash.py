#!/usr/bin/python3
"""kill -9 of greffe-archive and greffe-ingest at moments drawn over the system calls of a filing.

    tests/system/test_crash.py [--long] [--points N] [--seed N] [archive|ingest]

The client keeps a record of what was acknowledged. After every kill: what was acknowledged is on the volumes, the program
starts again, goes on, and greffe-verify finds nothing wrong. In every third archive run it is killed once more while it
starts again, and in every fourth a whole volume is lost as well.
"""
import argparse
import base64
import concurrent.futures
import http.client
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

import crash_points
import crash_station
import world as w
from machine_client import Hearing, MachineClient, Refused, details_document, sha256, tree_root
from media_segment import segment

CUT = (OSError, http.client.HTTPException)
CALLS_OF_A_START = 110  # that may change something, since it read its configuration


class ArchiveRun:
    """One filing against an archive that may die; a folder of its own, reset from a snapshot before every run."""

    def __init__(self):
        self.world = w.World()
        self.world.start()
        self.code = self.world.station_code().read_text()
        self.client = MachineClient(self.code)
        self.client.enrol()
        self.world.add_user("clerk", "clerk")
        token = self.world.folder / "token"
        self.world.archive("user", "token", "--name", "clerk", "--label", "test", "--out", token)
        self.token = token.read_text().strip()
        self.world.stop()
        self.snapshot = self.world.folder / "snapshot"
        shutil.copytree(self.world.home, self.snapshot)
        self.marks = []

    def reset(self):
        self.client.close()
        shutil.rmtree(self.world.home)
        shutil.copytree(self.snapshot, self.world.home)
        self.marks = []

    def mark(self, hearing, text):
        """A clerk's note; its acknowledgement counts like a station's."""
        status, answer, _ = w.Browser(self.world).call(
            "POST", f"/v1/hearings/{hearing.id}/marks", {"at": "2026-09-21T14:13:21.000Z", "text": text},
            {"Authorization": "Bearer " + self.token})
        if status != 201:
            raise AssertionError(f"the mark was answered {status}: {answer}")
        self.marks.append(text)

    def file(self, hearing):
        """Everything that is not yet acknowledged, in the order in which a station does it."""
        if not hearing.entries:
            hearing.details = details_document()
            hearing.open(sha256(hearing.details), {"mic-judge": "audio"})
            hearing.objects = [hearing.details]
            hearing.steps = []
            for _ in range(3):
                data, init_bytes, duration = segment(hearing.streams["mic-judge"]["at"])
                hearing.segment("mic-judge", data, init_bytes, duration)
                hearing.objects.append(data)
                hearing.steps.append(len(hearing.entries))
            hearing.finish()
            hearing.steps.append(len(hearing.entries))
        all_entries = hearing.entries
        for step in hearing.steps:
            if step <= hearing.acknowledged_size:
                continue
            needed = hearing.objects[: min(step, len(hearing.objects))]
            missing = hearing.have([sha256(data) for data in needed])
            for data in needed:
                if sha256(data) in missing:
                    hearing.put(data)
            hearing.entries = all_entries[:step]
            try:
                self.post(hearing)
            finally:
                hearing.entries = all_entries
        if "first" not in self.marks:
            self.mark(hearing, "first")
        if "second" not in self.marks:
            self.mark(hearing, "second")

    def post(self, hearing):
        try:
            hearing.post()
        except Refused as refused:
            held = refused.problem.get("held_size")
            if refused.status != 409 or held is None:
                raise
            hearing.post(first=held)  # the answer to an earlier one was lost

    def check_disk(self, hearing, volumes):
        """I1, from the files alone: each acknowledged object on at least two volumes (less those that were lost)."""
        lost = 3 - len(volumes)
        for digest in hearing.acknowledged_objects:
            paths = [v / "sha256" / digest[:2] / digest[2:4] / digest for v in volumes]
            good = sum(p.exists() and sha256(p.read_bytes()) == digest for p in paths)
            if good < 2 - lost:
                raise AssertionError(f"object {digest} was acknowledged and has {good} good copies on {len(volumes)} volumes")

    def check_served(self, hearing):
        if hearing.acknowledged_size:
            held = self.client.call("GET", hearing.path + "/checkpoint")
            if held["size"] < hearing.acknowledged_size:
                raise AssertionError(f"{hearing.acknowledged_size} entries were acknowledged, {held['size']} are held")
            root = tree_root(hearing.entries[: held["size"]])
            if held["checkpoint"].split("\n")[2] != base64.b64encode(root).decode():
                raise AssertionError("the held tree is not the one that was sent")
        if self.marks:
            status, timeline, _ = w.Browser(self.world).call("GET", f"/v1/hearings/{hearing.id}/timeline",
                                                             headers={"Authorization": "Bearer " + self.token})
            texts = [mark["text"] for mark in timeline["marks"]] if status == 200 else [status]
            if not set(self.marks) <= set(texts):
                raise AssertionError(f"acknowledged marks {self.marks}, found {texts}")

    def finish(self):
        """Every run was verified by itself."""

    def start_watched(self, kill_at=None):
        """Starts the server under the eyes of the watcher; None when it died before it was ready."""
        words = [str(w.ARCHIVE), "--config", str(self.world.config), "serve"]
        self.world.log.write_text("")
        with open(self.world.log, "a") as log:
            watched = crash_points.Watched(words, kill_at, after="ready: ", stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while "ready: " not in self.world.log.read_text():
            if watched.process.poll() is not None or time.monotonic() > deadline:
                watched.end(1)
                raise AssertionError(f"the archive does not start: {self.world.log.read_text()}")
            time.sleep(0.01)
        return watched

    def kill_while_it_starts(self, number):
        """A second kill, in the recovery from the first."""
        words = [str(w.ARCHIVE), "--config", str(self.world.config), "serve"]
        self.world.log.write_text("")
        with open(self.world.log, "a") as log:
            watched = crash_points.Watched(words, 1 + number * 37 % CALLS_OF_A_START, after=self.world.config.name, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while watched.process.poll() is None and "ready: " not in self.world.log.read_text():
            if time.monotonic() > deadline:
                break
            time.sleep(0.01)
        watched.kill()
        watched.end()

    def trace(self):
        self.reset()
        watched = self.start_watched()
        self.file(Hearing(self.client))
        time.sleep(0.2)
        watched.kill()
        watched.end()
        return watched.calls

    def one(self, kill_at, lose_volume):
        """Where it was killed; None when the filing was over before."""
        self.reset()
        hearing = Hearing(self.client)
        watched = self.start_watched(kill_at)
        try:
            self.file(hearing)
        except CUT as cut:
            if watched.end(10) != -signal.SIGKILL and watched.killed_at is None:
                raise AssertionError(f"the connection was cut and nobody had killed the server: {cut}") from cut
        watched.kill()
        watched.end()
        self.client.close()
        volumes = list(self.world.volumes)
        gone = None
        if lose_volume is not None:
            gone = volumes.pop(lose_volume)
            gone.rename(self.world.folder / "gone")
        self.check_disk(hearing, volumes)
        if kill_at % 3 == 1:
            self.kill_while_it_starts(kill_at)
            self.check_disk(hearing, volumes)
        self.world.start()
        self.check_served(hearing)
        self.file(hearing)
        self.check_served(hearing)
        if gone is not None:
            self.world.stop()
            (self.world.folder / "gone").rename(gone)
            self.world.start()
            self.world.archive("scrub")
        self.check_disk(hearing, self.world.volumes)
        status, verdict = self.world.verify()
        if status != 0:
            raise AssertionError(f"greffe-verify: {json.dumps(verdict)[:800]}")
        self.world.stop()
        if kill_at % 3 == 0:  # the checker takes as long as all the rest
            self.world.invariants([*hearing.acknowledged_objects, f"{hearing.origin} {hearing.acknowledged_size}"])
        return watched.killed_at


def run_points(make, points, jobs):
    """Every point once, on `jobs` worlds side by side: (where it was killed, [(point, problem)])."""
    kills, problems = [], []

    def work(share):
        runner = make()
        try:
            for number, point in share:
                try:
                    where = runner.one(point, number // 4 % 3 if number % 4 == 3 else None)
                    if where:
                        kills.append(where)
                except Exception as problem:  # noqa: BLE001: all failures are shown
                    problems.append((point, f"{type(problem).__name__}: {problem}"))
                    print(f"     FAIL at {point}: {type(problem).__name__}: {problem}", flush=True)
                    if len(problems) > 5:
                        return
                    runner.world.__exit__()
                    runner = make()
            runner.finish()
        finally:
            runner.world.__exit__()

    numbered = list(enumerate(points))
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for done in [pool.submit(work, numbered[i::jobs]) for i in range(jobs)]:
            done.result()
    return kills, problems


def campaign(name, make, wanted, seed, jobs):
    started = time.monotonic()
    first = make()
    with first.world:
        calls = first.trace()
    drawn = crash_points.draw(calls, wanted, random.Random(seed))
    kills, problems = run_points(make, drawn, jobs)
    print(f"  {name}: {len(calls)} moments traced, {len(drawn)} drawn (seed {seed}), killed at {len(kills)}, "
          f"{len(problems)} losses or faults, {time.monotonic() - started:.0f} s", flush=True)
    return kills, problems


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("which", nargs="?", choices=["archive", "ingest"])
    arguments.add_argument("--long", action="store_true", help="2,000 moments each")
    arguments.add_argument("--points", type=int, default=0)
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    chosen = arguments.parse_args()
    wanted = chosen.points or (2000 if chosen.long else 110)
    jobs = max(2, len(os.sched_getaffinity(0)))
    failed = False
    for name, make in (("archive", ArchiveRun), ("ingest", crash_station.StationRun)):
        if chosen.which in (None, name):
            kills, problems = campaign(name, make, wanted, chosen.seed, jobs)
            failed |= bool(problems) or (not chosen.points and len(kills) < 100)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
