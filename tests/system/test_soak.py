#!/usr/bin/python3
"""Eight streams recorded through one random fault after the other: every second is accounted for, everything arrives at the archive and is
freed here, and the recorder needs no more memory, descriptors or threads at the end than at the beginning.

    tests/system/test_soak.py [--minutes N] [--seed N]      1.2 minutes unless given; an hour: --minutes 60
"""
import argparse
import collections
import os
import pathlib
import random
import re
import signal
import statistics
import subprocess
import sys
import time

import bad_line
import live_room as r
import wall_clock
import world as w

SETTINGS = "keep_days = 0\n[spool]\nreserve_hours = 0\n[segments]\nvideo_seconds = 4\naudio_seconds = 6\n"
FAST, SLOW = 500_000_000, 60_000
HEARING_SECONDS = 300    # then the next one is opened
FILM_SECONDS = 600       # a camera that has played it ends the connection: one more fault
EACH_FAULT_MS = 250      # that its two edges may leave unsaid
WEIGHTS = {"camera_restarts": 3, "camera_freezes": 3, "reader_dies": 3, "recorder_dies": 1, "archive_dies": 2, "line_is_slow": 2,
           "line_breaks": 2, "clock_is_set": 2, "person_pauses": 2, "person_mutes": 2}


class Figures:
    """What the recorder and its readers hold while nothing is the matter."""

    def __init__(self):
        self.rows = []

    def take(self, pid):
        pids = [pid, *r.children(pid)]
        try:
            self.rows.append((
                sum(int(re.search(r"^Pss:\s+(\d+)", pathlib.Path(f"/proc/{p}/smaps_rollup").read_text(), re.M).group(1)) for p in pids) / 1024,
                int(re.search(r"^VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M).group(1)) / 1024,
                sum(len(os.listdir(f"/proc/{p}/fd")) for p in pids), sum(len(os.listdir(f"/proc/{p}/task")) for p in pids), len(pids)))
        except (OSError, AttributeError):
            pass  # a reader has just ended by itself

    def ends(self):
        """[(median of the first third, median of the last)] of each figure; what the start needs is not in it."""
        rows = self.rows[1:]
        part = max(1, len(rows) // 3)
        return [(statistics.median(first), statistics.median(last)) for first, last in zip(zip(*rows[:part]), zip(*rows[-part:]))]


class Soak:
    def __init__(self, world, seconds, seed):
        self.world, self.seconds, self.choose = world, seconds, random.Random(seed)
        self.line = bad_line.Line(world.machine, FAST)
        self.clock = wall_clock.WallClock(world.folder, error_ms=5)
        self.film = self.make_film()
        self.cameras = [r.Camera(self.film, mounts=3), r.Camera(self.film, mounts=3)]
        a, b = self.cameras
        self.of_camera = {a: ["cam-1", "cam-2", "mic-1"], b: ["cam-3", "cam-4", "mic-2"]}
        streams = [("cam-1", "video", a.address(0)), ("cam-2", "video", a.address(1)), ("mic-1", "audio", a.address(2)),
                   ("cam-3", "video", b.address(0)), ("cam-4", "video", b.address(1)), ("mic-2", "audio", b.address(2)),
                   ("mic-3", "audio", "test:tone"), ("mic-4", "audio", "test:tone?frequency=880")]
        self.names = [name for name, _, _ in streams]
        self.station = r.LiveRoom(world.folder, streams, SETTINGS, enrol=world.station_code())
        self.station.ask_at(self.line.port)
        self.figures, self.done, self.hearings = Figures(), collections.Counter(), {}

    def make_film(self):
        """Short, then repeated without coding it again."""
        once = r.make_film(self.world.folder / "once.mp4", size="320x180", seconds=20)
        film = self.world.folder / "film.mp4"
        times = round(min(self.seconds + 60, FILM_SECONDS) / 20)
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-stream_loop", str(times), "-i", once, "-c", "copy", film], check=True)
        return film

    def recording(self, seconds=40):
        self.station.records(*self.names, seconds=seconds)

    # -- the faults; each is over when it returns --

    def camera_restarts(self):
        camera = self.choose.choice(self.cameras)
        camera.end()
        self.lost(self.of_camera[camera])
        camera.start(self.film)

    def camera_freezes(self):
        camera = self.choose.choice(self.cameras)
        camera.signal(signal.SIGSTOP)
        self.lost(self.of_camera[camera])
        camera.signal(signal.SIGCONT)

    def reader_dies(self):
        pid = self.choose.choice(r.children(self.station.service.pid))
        r.kill(pid, signal.SIGKILL)
        r.wait_for("the reader to be buried", lambda: pid not in r.children(self.station.service.pid))

    def recorder_dies(self):
        self.station.end(signal.SIGKILL)
        self.begin()

    def archive_dies(self):
        self.world.stop(signal.SIGKILL)
        self.line.cut()
        r.running_for(self.choose.uniform(0.5, 2))
        self.world.start()

    def line_is_slow(self):
        self.line.rate = SLOW
        self.line.cut()
        r.running_for(self.choose.uniform(0.5, 2))
        self.line.rate = FAST
        self.line.cut()

    def line_breaks(self):
        self.line.cut()

    def clock_is_set(self):
        self.clock.set(self.choose.choice([-1, 1]) * self.choose.uniform(2, 5000), self.choose.choice([None, 5]))

    def person_pauses(self):
        self.station.ask("pause", "--reason", self.choose.choice(["recess", "mediation"]))
        r.wait_for("the pause", lambda: all(s["state"] == "ready" for s in self.station.state()["streams"]))
        self.station.ask("resume")

    def person_mutes(self):
        name = self.choose.choice(self.names)
        self.station.ask("mute", "--stream", name)
        r.wait_for("the stream to rest", lambda: self.station.stream(name)["state"] == "ready")
        self.station.ask("unmute", "--stream", name)

    def lost(self, names):
        r.wait_for(f"{names} to be missed", lambda: all("problem" in self.station.stream(name) for name in names), 40)

    # -- the hour --

    def begin(self):
        self.station.start(*self.clock.prefix())

    def open(self):
        self.hearing, self.opened = self.station.open(), time.monotonic()
        self.hearings[self.hearing] = 0
        self.recording()

    def close(self):
        closed = self.station.ask("close")
        assert closed["closed"], closed

    def run(self):
        until = time.monotonic() + self.seconds
        self.begin()
        self.open()
        half = time.monotonic() + self.seconds / 2
        names, weights = zip(*WEIGHTS.items())
        while time.monotonic() < until:
            fault = self.choose.choices(names, weights)[0]
            getattr(self, fault)()
            self.done[fault] += 1
            self.hearings[self.hearing] += 1
            self.recording()
            r.running_for(self.choose.uniform(0.5, 2.5))
            self.figures.take(self.station.service.pid)
            if time.monotonic() - self.opened > HEARING_SECONDS or (len(self.hearings) == 1 and time.monotonic() > half):
                self.close()
                self.open()
        self.close()

    def end(self):
        self.station.end(signal.SIGKILL)
        for camera in self.cameras:
            if camera.process:
                camera.signal(signal.SIGCONT)
            camera.end()
        self.line.close()

    # -- what must be so at the end --

    def check_delivered(self):
        answer = self.station.ask("drain", "--retry-for", "60")
        assert answer["not_safe"] == 0 and not answer["problems"], answer
        for hearing in answer["hearings"]:
            assert hearing["safe"] and hearing["freed"] and hearing["objects"] == 0, hearing
        assert {hearing["hearing"] for hearing in answer["hearings"]} == set(self.hearings), answer

    def check_time(self):
        worst = 0
        for hearing, faults in self.hearings.items():
            for stream, (declared, recorded, gaps, rest) in r.account(self.station.entries(hearing)).items():
                allowed = 500 + EACH_FAULT_MS * faults
                assert recorded > 0 and rest <= allowed, f"{stream}: of {declared:.0f} ms {rest:.0f} ms are neither recorded ({recorded:.0f}) nor a gap ({gaps:.0f})"
                worst = max(worst, rest)
        code, verdict = self.world.verify()
        verdicts = [h["verdict"] for h in verdict["hearings"]]
        assert code == 0 and len(verdicts) == len(self.hearings) and set(verdicts) <= {"VERIFIED", "VERIFIED_WITH_DECLARED_GAPS"}, verdict
        self.world.invariants(f"{self.world.name}/hearing/{hearing} {len(self.station.entries(hearing))}" for hearing in self.hearings)
        accounts = self.world.accounts()  # two verifiers agree on them, and every one adds up
        sums = {key: sum(one[key] for a in accounts.values() for one in a["streams"]) for key in ("declared_ms", "recorded_ms", "excused_ms", "unexcused_ms")}
        assert sums["declared_ms"] == sums["recorded_ms"] + sums["excused_ms"] + sums["unexcused_ms"], sums
        return sums, worst

    def check_figures(self):
        pss, rss, descriptors, threads, processes = self.figures.ends()
        assert pss[1] <= 1.15 * pss[0] + 6, f"memory has grown from {pss[0]:.0f} to {pss[1]:.0f} MiB"
        assert rss[1] <= 1.15 * rss[0] + 6, f"the recorder's memory has grown from {rss[0]:.0f} to {rss[1]:.0f} MiB"
        assert descriptors[1] <= descriptors[0] + 10, f"open descriptors have grown from {descriptors[0]:.0f} to {descriptors[1]:.0f}"
        assert threads[1] <= threads[0] + 4 and processes[1] <= processes[0] + 1, (threads, processes)

    def told(self, sums, worst):
        pss, rss, descriptors, threads, processes = self.figures.ends()
        reasons = collections.Counter(g["reason"] for h in self.hearings for g in self.station.entries(h) if g["kind"] == "gap")
        size = sum(e["bytes"] for h in self.hearings for e in self.station.entries(h) if e["kind"] == "segment")
        share = {key: 100 * value / sums["declared_ms"] for key, value in sums.items()}
        print(f"  {self.seconds / 60:.1f} minutes, {len(self.hearings)} hearings, {size / 1e6:.0f} MB; {sum(self.done.values())} faults: "
              + ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in sorted(self.done.items())))
        print(f"  of {sums['declared_ms'] / 1000:.0f} stream seconds {share['recorded_ms']:.1f} % recorded, {share['excused_ms']:.1f} % excused, "
              f"{share['unexcused_ms']:.1f} % not; at most {worst:.0f} ms of a stream without a word; gaps: "
              + ", ".join(f"{name} {count}" for name, count in sorted(reasons.items())))
        print(f"  first and last third: memory {pss[0]:.0f} and {pss[1]:.0f} MiB (PSS of {processes[0]:.0f} processes; the recorder's RSS {rss[0]:.0f} and "
              f"{rss[1]:.0f}), descriptors {descriptors[0]:.0f} and {descriptors[1]:.0f}, threads {threads[0]:.0f} and {threads[1]:.0f}", flush=True)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--minutes", type=float, default=1.2)
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    chosen = arguments.parse_args()
    print(f"  seed {chosen.seed}", flush=True)
    with w.World() as world:
        world.start()
        soak = Soak(world, chosen.minutes * 60, chosen.seed)
        try:
            soak.run()
            soak.check_delivered()
            sums, worst = soak.check_time()
            soak.told(sums, worst)
            soak.check_figures()
        except AssertionError as problem:
            print(f"  FAIL after {dict(soak.done)}: {problem}\n{soak.station.log.read_text()[-3000:]}", flush=True)
            sys.exit(1)
        finally:
            soak.end()


if __name__ == "__main__":
    main()
