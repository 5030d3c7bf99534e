#!/usr/bin/python3
"""Disks that are full beside a new one: what moves, what a kill -9 in the midst of it leaves; and stations that send without
saying what it is.

    tests/system/test_room.py [--points N] [--seed N] [TEST...]
"""
import contextlib
import http.client
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import crash_points
import small_disk
import world as w
from machine_client import Hearing, Refused, sha256
from test_bad_input import enrolled, filed_hearing, nothing_lost, refusal

DISK_MEGABYTES = 24
FLOOR = 1_000_000
OBJECT = 500_000
GOAL = DISK_MEGABYTES * 1024 * 1024 // 8  # room that is made: an eighth of a small disk
ENOUGH = GOAL // 2  # with so much left nothing is moved: what was stored after the move may have taken the rest


def option(name, default):
    return int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default


class SmallDisks(contextlib.ExitStack):
    """An archive whose volumes are small file systems of their own, with a fourth disk that it does not know yet."""

    def __enter__(self):
        super().__enter__()
        self.world = self.enter_context(w.World(settings={"min_free_bytes": FLOOR}))
        self.new = self.world.home / "volumes" / "d"
        self.new.mkdir()
        for volume in [*self.world.volumes, self.new]:
            kept = volume.with_name(volume.name + ".kept")
            shutil.copytree(volume, kept)
            self.enter_context(small_disk.SmallDisk(volume, DISK_MEGABYTES))
            shutil.copytree(kept, volume, dirs_exist_ok=True)
            shutil.rmtree(kept)
        self.callback(self.world.stop, signal.SIGKILL)
        return self

    def fill(self, client):
        """A hearing that is whole, and objects until there is no room; what was acknowledged."""
        good = filed_hearing(client)
        pending = Hearing(client)
        for _ in range(200):
            try:
                pending.put(os.urandom(OBJECT))
            except Refused as refused:
                assert refused.status == 507, refused
                return good, pending
        raise AssertionError("the disks never became full")

    def add_disk(self):
        self.world.archive("volume", "add", f"{self.new}=shelf-d")
        self.world.volumes.append(self.new)

    def room(self):
        return json.loads(self.world.archive("status", "--json").stdout)["keeping"]["room"]

    def roomy(self):
        """How many volumes have so much room."""
        found = [os.statvfs(v) for v in self.world.volumes]
        return sum(f.f_bavail * f.f_frsize - FLOOR >= ENOUGH for f in found)

    def wait_for_room(self):
        """And until nothing moves any more."""
        for _ in range(600):
            if self.roomy() >= 3 and not self.room()["running"]:
                return
            time.sleep(0.1)
        raise AssertionError(f"only {self.roomy()} volumes have room: {self.room()}")

    def good_copies(self, digest):
        return sum(sha256(path.read_bytes()) == digest for path in self.world.copies(digest))


def put_in_time(hearing, data, seconds=60):
    """As a station does: again and again while there is no room."""
    for _ in range(seconds * 5):
        try:
            return hearing.put(data)
        except Refused as refused:
            assert refused.status == 507, refused
            time.sleep(0.2)
    raise AssertionError("there was no room in time")


def test_full_disks_and_a_new_one():
    with SmallDisks() as disks:
        world = disks.world
        world.start()
        client = enrolled(world)
        good, pending = disks.fill(client)
        before = {d: world.copies(d) for d in pending.acknowledged_objects}
        disks.add_disk()
        put_in_time(pending, os.urandom(OBJECT))
        disks.wait_for_room()
        for _ in range(100):
            room = disks.room()
            if not room["running"] and room["lacking_bytes"] == 0:
                break
            time.sleep(0.1)
        assert room["moved"] > 0 and room["lacking_bytes"] == 0, room
        # As much as two disks needed, and no more; a piece more on each, and what was stored meanwhile.
        assert room["moved_bytes"] <= 2 * (GOAL + 2 * OBJECT), room
        later = filed_hearing(client)
        for _ in range(4):
            pending.put(os.urandom(OBJECT))
        nothing_lost(world, good, pending, later)
        for digest in pending.acknowledged_objects:
            assert disks.good_copies(digest) >= 2, digest
        for digest in before:
            assert disks.good_copies(digest) == len(before[digest]), "a copy is missing, or too many"
        status = json.loads(world.archive("status", "--json").stdout)
        assert not [r for r in status["reasons"] if r["code"] in ("room-lacking", "replicas-lacking")], status["reasons"]
        assert "Making room" not in world.archive("volume", "list").stdout
        world.stop()
        assert world.verify()[0] == 0
        assert world.archive("check").returncode == 0
        world.invariants([*good.acknowledged_objects, *pending.acknowledged_objects])


def test_full_disks_without_a_new_one_are_said_in_words():
    with SmallDisks() as disks:
        disks.world.start()
        disks.fill(enrolled(disks.world))
        for _ in range(100):
            reasons = json.loads(disks.world.archive("status", "--json").stdout)["reasons"]
            words = [r["what"] for r in reasons if r["code"] == "room-lacking"]
            if words:
                break
            time.sleep(0.2)
        assert words and "no volume has so much to spare" in words[0], reasons


class MovingRun:
    """Full disks and a new one to which nothing has moved yet, killed and begun again from the same snapshot."""

    def __init__(self, disks):
        self.disks, self.world = disks, disks.world
        self.world.set("rebalance_bytes_per_second", 1)  # one piece moves, and the next one waits for ever
        self.world.start()
        self.client = enrolled(self.world)
        self.good, self.pending = disks.fill(self.client)
        disks.add_disk()
        for _ in range(100):
            if disks.room()["moved"]:
                break
            time.sleep(0.1)
        assert "Making room" in self.world.archive("volume", "list").stdout
        self.world.stop()
        self.world.set("rebalance_bytes_per_second", 0)
        self.acknowledged = self.good.acknowledged_objects | self.pending.acknowledged_objects
        self.whole = {d for d in self.acknowledged if disks.good_copies(d) >= 3}
        assert len(self.whole) > len(self.acknowledged) * 3 // 4
        self.snapshot = self.world.folder / "snapshot"
        for volume in self.world.volumes:
            shutil.copytree(volume, self.snapshot / volume.name)
        shutil.copytree(self.world.home / "state", self.snapshot / "state")

    def reset(self):
        self.client.close()
        for volume in self.world.volumes:
            for path in volume.iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            shutil.copytree(self.snapshot / volume.name, volume, dirs_exist_ok=True)
        shutil.rmtree(self.world.home / "state")
        shutil.copytree(self.snapshot / "state", self.world.home / "state")

    def watched(self, kill_at=None):
        words = [str(w.ARCHIVE), "--config", str(self.world.config), "serve"]
        with open(self.world.log, "w") as log:
            # The pool's list is written when it is opened: what comes before changes nothing.
            return crash_points.Watched(words, kill_at, after="greffe-pool.json", stdout=log, stderr=log)

    def until_moved(self, watched):
        for _ in range(300):
            if watched.process.poll() is not None:
                return
            if self.disks.roomy() >= 3:
                time.sleep(0.3)
                return
            time.sleep(0.05)

    def trace(self):
        self.reset()
        watched = self.watched()
        self.until_moved(watched)
        watched.kill()
        watched.end()
        assert self.disks.roomy() >= 3, self.world.log.read_text()
        return watched.calls

    def check_copies(self, where):
        for digest in self.whole:
            found = self.disks.good_copies(digest)
            if found < 3:
                raise AssertionError(f"killed at {where}: {digest} has {found} good copies")
        for digest in self.acknowledged:
            assert self.disks.good_copies(digest) >= 2, (where, digest)

    def one(self, kill_at, prove):
        self.reset()
        watched = self.watched(kill_at)
        self.until_moved(watched)
        watched.kill()
        watched.end()
        self.check_copies(watched.killed_at)
        self.world.start()
        self.disks.wait_for_room()
        self.check_copies(watched.killed_at)
        late = Hearing(self.client)
        put_in_time(late, os.urandom(OBJECT))
        assert self.disks.good_copies(next(iter(late.acknowledged_objects))) == 3
        nothing_lost(self.world, self.good, self.pending, late)
        self.world.stop()
        if prove:
            assert self.world.verify()[0] == 0, watched.killed_at
            self.world.invariants([*self.acknowledged, *late.acknowledged_objects, f"{self.good.origin} {self.good.acknowledged_size}"])
        return watched.killed_at


def test_killed_while_it_moves():
    seed = option("--seed", random.SystemRandom().randrange(1_000_000))
    with SmallDisks() as disks:
        run = MovingRun(disks)
        calls = run.trace()
        assert calls.count("unlink") + calls.count("unlinkat") >= 5, "hardly anything was moved"
        drawn = crash_points.draw(calls, option("--points", 12), random.Random(seed))
        kills = [run.one(point, number % 6 == 0) for number, point in enumerate(drawn)]
        hit = sum(1 for kill in kills if kill)
        print(f"     {len(calls)} moments traced, {len(drawn)} drawn (seed {seed}), killed at {hit}", flush=True)
        assert hit >= len(drawn) // 2, "most runs ended before they were killed"


# ---- what stations send without entries ----

def retry_after(client, hearing, data):
    connection = http.client.HTTPSConnection(client.address, context=client.context, timeout=30)
    connection.request("PUT", f"{hearing.path}/objects/{sha256(data)}", data, {"Greffe-Epoch": "1"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.headers.get("Retry-After")


def test_a_station_that_sends_without_entries_has_a_quota():
    with w.World(settings={"station_unfiled_bytes": 16 * 1024 * 1024}) as world:
        world.start()
        client, other = enrolled(world), enrolled(world, "s2", room="room-2")
        begun = filed_hearing(client, finish=False)
        pending = [Hearing(client) for _ in range(3)]  # one hearing or several is the same to it
        sent = 0
        for number in range(4):
            pending[number % 3].put(os.urandom(4_000_000))
            sent += 4_000_000
        extra = os.urandom(4_000_000)
        words = ("s1 has sent 16.0 MB that no entry", "file the entries")
        refusal(lambda: pending[0].put(extra), 507, *words)
        assert retry_after(client, pending[0], extra) == (507, "30")
        assert not world.copies(sha256(extra))
        Hearing(other).put(extra)  # another station is not held up
        status = json.loads(world.archive("status", "--json").stdout)
        assert [s["unfiled_bytes"] for s in status["stations"] if s["name"] == "s1"] == [sent], status["stations"]
        assert [r["facts"]["station"] for r in status["reasons"] if r["code"] == "station-unfiled"] == ["s1"], status["reasons"]
        # Neither a kill nor an orderly end makes it forget, and what is there already may be sent again.
        for how in (signal.SIGKILL, signal.SIGTERM):
            world.stop(how)
            world.start()
            client.close()
            other.close()
            refusal(lambda: pending[1].put(os.urandom(4_000_000)), 507, *words)
        again = world.copies(max(pending[0].acknowledged_objects))[0].read_bytes()
        pending[0].put(again)
        # What is filed makes room, here by a hearing that had begun before.
        for digest in sorted(pending[0].acknowledged_objects):
            data = world.copies(digest)[0].read_bytes()
            begun.put(data)
            begun.segment("mic-judge", data, 700, 900_000)
        begun.post()
        pending[2].put(os.urandom(4_000_000))
        nothing_lost(world, begun, *pending)
        world.invariants([d for h in (begun, *pending) for d in h.acknowledged_objects])


def test_a_station_waits_for_its_quota_and_loses_nothing():
    """Twelve minutes of sound are 70 MB: four times the quota. Each time it is used up the entries go first."""
    with w.World(settings={"station_unfiled_bytes": 16 * 1024 * 1024}) as world:
        world.start()
        config = world.folder / "station.toml"
        config.write_text(f'directory = "{world.folder / "station"}"\n')
        sound, details = world.folder / "sound.wav", world.folder / "details.json"
        details.write_text(json.dumps({"cases": ["RG 26/00001"]}))
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", "anoisesrc=r=48000:d=720:seed=7", "-c:a", "pcm_s16le", sound],
                       check=True)
        w.run(w.INGEST, "--config", config, "enrol", "--code-file", world.station_code())
        done = w.run(w.INGEST, "--config", config, "import", "--json", "--stream", f"mic-judge={sound}", "--start", "2026-11-22T09:00:00.000Z",
                     "--details", details, "--close", "--no-upload")
        hearing = json.loads(done.stdout)["hearing"]
        drained = json.loads(w.run(w.INGEST, "--config", config, "drain", "--json", timeout=300).stdout)
        assert drained["not_safe"] == 0, drained
        code, verdict = world.verify()
        assert code == 0 and [h["hearing"] for h in verdict["hearings"]] == [hearing], verdict
        status = json.loads(world.archive("status", "--json").stdout)
        assert not [s for s in status["stations"] if s.get("unfiled_bytes")], status["stations"]


if __name__ == "__main__":
    small_disk.enter()
    tests = [value for name, value in list(globals().items()) if name.startswith("test_")]
    w.main(tests, ignore=[word for word in sys.argv[1:] if word.isdigit()])
