#!/usr/bin/python3
"""A station whose disk fills up: what it says, what it refuses, what it removes, and that nothing recorded is lost.

    tests/system/test_spool_space.py [TEST...]
"""
import json
import subprocess

import crash_station
import small_disk
import world as w


class Station:
    """An archive, and an enrolled station with a disk of its own."""

    def __init__(self, megabytes):
        self.megabytes = megabytes

    def __enter__(self):
        self.world = w.World()
        self.world.start()
        self.home = self.world.folder / "station"
        self.disk = small_disk.SmallDisk(self.home, self.megabytes)
        self.config = self.world.folder / "station.toml"
        self.configure("reserve_hours = 0")
        self.details = self.world.folder / "details.json"
        self.details.write_text(json.dumps({"cases": ["RG 26/00001"]}))
        self.station("enrol", "--code-file", self.world.station_code())
        return self

    def __exit__(self, *_):
        self.disk.__exit__()
        self.world.__exit__()

    def configure(self, *lines):
        self.config.write_text("\n".join([f'directory = "{self.home}"', "[spool]", *lines, ""]))

    def station(self, verb, *words, status=0):
        done = w.run(w.INGEST, "--config", self.config, verb, "--json", *words, check=False)
        assert done.returncode == status, (verb, done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout) if done.stdout else {}, done.stderr

    def noise(self, name, seconds):
        """FLAC makes nothing smaller of it: 96 kB for each second."""
        path = self.world.folder / f"{name}.wav"
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i",
                        f"anoisesrc=r=48000:d={seconds}:seed={sum(name.encode())}", "-c:a", "pcm_s16le", path], check=True)
        return path

    def record(self, sound, minute, *more, status=0):
        return self.station("import", "--stream", f"mic-judge={sound}", "--start", f"2026-11-22T09:{minute:02}:00.000Z", "--details",
                            self.details, *more, status=status)

    def seconds(self, hearing):
        entries = [json.loads(e) for e in crash_station.entries_in(self.home / "spool" / hearing / "entries")]
        return sum(e["duration_90k"] for e in entries if e["kind"] == "segment") / 90_000

    def status(self):
        return self.station("status")[0]

    def verified(self, count):
        code, verdict = self.world.verify()
        assert code == 0 and len(verdict["hearings"]) == count, (code, json.dumps(verdict)[:2000])


def test_a_disk_that_is_full_in_the_middle_of_an_import():
    """240 s of noise are 23 MB. What was recorded stays, status says what is wrong, and after making room it goes on."""
    with Station(16) as room:
        sound = room.noise("long", 240)
        words = room.record(sound, 0, "--no-upload", "--close", status=2)[1]
        assert "cannot" in words and "No space left" in words and "start the same import again" in words, words
        said = room.status()
        (hearing,) = said["hearings"]
        assert hearing["state"] == "importing" and said["space"]["level"] == "full", said
        assert "the disk is full" in said["space"]["words"], said
        # Again without room: the same words, and nothing is worse.
        room.record(sound, 0, "--no-upload", "--close", status=2)
        assert room.status()["hearings"][0]["entries"] >= hearing["entries"]
        room.disk.resize(64)
        done = room.record(sound, 0, "--close")[0]
        assert done["resumed"] and done["delivered"] and done["hearing"] == hearing["hearing"], done
        assert abs(room.seconds(done["hearing"]) - 240) < 0.2, room.seconds(done["hearing"])
        room.verified(1)


def test_a_full_disk_without_the_source_is_closed_with_what_it_holds():
    with Station(16) as room:
        room.record(room.noise("long", 240), 0, "--no-upload", status=2)
        (hearing,) = room.status()["hearings"]
        room.disk.resize(64)
        done = room.station("close", "--hearing", hearing["hearing"], status=0 if hearing["entries"] else 2)[0]
        assert done["delivered"] and room.seconds(done["hearing"]) > 30, done
        room.verified(1)


def test_a_full_disk_drains():
    """The receipts need room, and the archive's receipt is what lets room be made."""
    with Station(16) as room:
        first = room.record(room.noise("first", 60), 0, "--no-upload", "--close")[0]["hearing"]
        room.disk.fill(0)
        assert room.status()["space"]["level"] == "full"
        done = room.station("drain")[0]
        assert done["not_safe"] == 0 and done["freed_early"] == 1 and done["freed_bytes"] > 5_000_000, done
        (hearing,) = room.status()["hearings"]
        assert hearing["hearing"] == first and hearing["safe"] and hearing["freed"] and hearing["objects"] == 0, hearing
        room.verified(1)


def test_the_reserve():
    """A new hearing is refused in words; an import that had begun stops before it; the oldest safe hearing makes room."""
    with Station(40) as room:
        room.configure("reserve_hours = 0", "free_early = false")
        safe = room.record(room.noise("safe", 60), 0, "--close")[0]["hearing"]
        waits = room.record(room.noise("waits", 60), 5, "--close", "--no-upload")[0]["hearing"]
        said = room.status()["space"]
        assert said["level"] == "low" and 90_000 < said["bytes_per_s"] < 110_000 and said["hours_left"] == 0, said
        other = room.disk.fill(1_000_000)
        said = room.status()["space"]
        assert said["level"] == "reserve" and "no new hearing begins" in said["words"], said
        third = room.noise("third", 20)
        words = room.record(third, 10, "--close", status=2)[1]
        assert "no new hearing can begin" in words and "greffe-ingest drain" in words and "larger one" in words, words
        assert len(room.status()["hearings"]) == 2
        # Nothing may be removed before keep_days here: no room.
        assert room.station("drain")[0]["freed_bytes"] == 0
        room.record(third, 10, "--close", status=2)
        room.configure("reserve_hours = 0")
        done = room.record(third, 10, "--close")[0]
        assert done["delivered"], done
        found = {h["hearing"]: h for h in room.status()["hearings"]}
        assert found[safe]["freed"] and found[waits]["safe"] and found[waits]["freed"], found
        other.unlink()
        room.verified(3)


if __name__ == "__main__":
    small_disk.enter()
    w.main([value for name, value in list(globals().items()) if name.startswith("test_")])
