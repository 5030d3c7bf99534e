#!/usr/bin/python3
"""kill -9 of a station at any moment of recording live, closing and uploading: at most two seconds are lost, the hearing goes on by itself,
adds up, and what was acknowledged stays.

    tests/system/test_live_crash.py [--points N] [--seed N]      12 moments unless given; about three seconds each on two cores
"""
import argparse
import concurrent.futures
import json
import os
import random
import shutil
import subprocess
import sys
import time

import crash_points
import crash_station
import live_room as r
import world as w

RECORD_SECONDS, AGAIN_SECONDS = 4, 2
MOST_LOST_MS = 2000
SETTLED_MS = 1500  # a stream that has recorded for less has no fragment yet


def told(entries, stream):
    """What the log says of a stream's time, in milliseconds since the hearing was opened."""
    begin = entries[0]["mono_ms"]
    spans = [("recorded", e["mono_ms"], e["mono_ms"] + e["duration_90k"] // 90) for e in entries if e["kind"] == "segment" and e["stream"] == stream]
    spans += [(e["reason"], *e["mono_ms"]) for e in entries if e["kind"] == "gap" and (stream in e["streams"] or "*" in e["streams"])]
    return sorted((first - begin, last - begin, what) for what, first, last in [*spans, ("close", entries[-1]["mono_ms"], entries[-1]["mono_ms"])])


class LiveRun:
    def __init__(self):
        self.world = w.World()
        self.world.start()
        self.film = r.make_film(self.world.folder / "film.mp4", size="320x180", seconds=20)
        self.details = self.world.folder / "details.json"
        self.details.write_text(json.dumps({"cases": ["RG 26/00001"]}))
        self.home = self.world.folder / "station"
        self.home.mkdir()
        self.config = self.home / "station.toml"
        self.config.write_text("[segments]\nvideo_seconds = 2\naudio_seconds = 5\n"
                               f'[[stream]]\nname = "cam"\nmedium = "video"\naddress = "file:{self.film}"\n'
                               '[[stream]]\nname = "mic"\nmedium = "audio"\naddress = "test:tone"\n')
        w.run(w.INGEST, "--config", self.config, "enrol", "--code-file", self.world.station_code())
        self.snapshot = self.world.folder / "snapshot"
        shutil.copytree(self.home, self.snapshot)

    def reset(self):
        shutil.rmtree(self.home)
        shutil.copytree(self.snapshot, self.home)

    def words(self, seconds):
        return [str(w.INGEST), "--config", str(self.config), "record", "--details", str(self.details), "--for", str(seconds), "--close", "--json"]

    def trace(self):
        self.reset()
        watched = crash_points.Watched(self.words(RECORD_SECONDS), stderr=subprocess.DEVNULL)
        if watched.end(60) != 0:
            raise AssertionError("the undisturbed recording did not succeed under strace")
        return watched.calls

    def hearings(self):
        found = {p.name: [json.loads(e) for e in crash_station.entries_in(p / "entries")] for p in crash_station.begun_in(self.home / "spool")}
        return {name: entries for name, entries in found.items() if entries}

    def one(self, kill_at):
        self.reset()
        watched = crash_points.Watched(self.words(RECORD_SECONDS), kill_at)
        watched.end(60)
        if watched.killed_at is None:
            return None
        killed_ms = time.clock_gettime(time.CLOCK_BOOTTIME) * 1000
        before = self.hearings()
        record = crash_station.Record(self.home / "spool")
        record.check(self.world.volumes)
        finished = any(entries[-1]["kind"] == "close" for entries in before.values())
        w.run(*self.words(AGAIN_SECONDS))
        after = self.hearings()
        for name, entries in before.items():
            if after[name][: len(entries) - 1] != entries[:-1]:
                raise AssertionError("what was in the log is not there any more")
        if not finished and len(after) != 1:
            raise AssertionError(f"{list(before)} had been begun, and now there are {list(after)}")
        for name, entries in after.items():
            if entries[-1]["kind"] != "close":
                raise AssertionError(f"hearing {name} is not finished")
            for stream, (declared, recorded, gaps, rest) in r.account(entries).items():
                if rest > 500:
                    raise AssertionError(f"{stream}: of {declared} ms {rest} are neither recorded ({recorded}) nor a gap ({gaps}): {told(entries, stream)}")
            if name in before and not finished:
                self.check_loss(entries, killed_ms)
        crash_station.Record(self.home / "spool").check(self.world.volumes)
        return watched.killed_at

    def check_loss(self, entries, killed_ms):
        opened = entries[0]["mono_ms"]
        for stream in ("cam", "mic"):
            ends = [e["mono_ms"] + e["duration_90k"] / 90 for e in entries if e["kind"] == "segment" and e["stream"] == stream and e["mono_ms"] < killed_ms]
            until = max(ends, default=opened)
            # Under strace a stream takes longer to begin; only what it had recorded can be lost.
            if ends and killed_ms - until > MOST_LOST_MS and killed_ms - opened > SETTLED_MS:
                raise AssertionError(f"{stream}: {killed_ms - until:.0f} ms before the kill are lost")

    def finish(self):
        status, verdict = self.world.verify()
        if status != 0:
            raise AssertionError(f"greffe-verify: {json.dumps(verdict)[:800]}")


def share_of(points):
    kills, problems = [], []
    run = LiveRun()
    try:
        for point in points:
            try:
                where = run.one(point)
                if where:
                    kills.append(where)
            except Exception as problem:  # noqa: BLE001: all failures are shown
                problems.append(point)
                print(f"     FAIL at {point}: {type(problem).__name__}: {problem}", flush=True)
                run.world.__exit__()
                run = LiveRun()
        run.finish()
    finally:
        run.world.__exit__()
    return kills, problems


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--points", type=int, default=12)
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    chosen = arguments.parse_args()
    started = time.monotonic()
    first = LiveRun()
    with first.world:
        calls = first.trace()
    drawn = crash_points.draw(calls, chosen.points, random.Random(chosen.seed))
    jobs = max(2, len(os.sched_getaffinity(0)))
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        done = list(pool.map(share_of, [drawn[i::jobs] for i in range(jobs)]))
    kills = sum((k for k, _ in done), [])
    problems = sum((p for _, p in done), [])
    print(f"  {len(calls)} moments traced, {len(drawn)} drawn (seed {chosen.seed}), killed at {len(kills)}, {len(problems)} losses or faults, "
          f"{time.monotonic() - started:.0f} s", flush=True)
    sys.exit(1 if problems or len(kills) < len(drawn) // 2 else 0)


if __name__ == "__main__":
    main()
