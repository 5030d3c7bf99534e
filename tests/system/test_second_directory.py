#!/usr/bin/python3
"""A station with two directories on two disks records live. Each disk in turn fails in the middle of the hearing and is plugged in again;
everything is there, adds up and verifies, and either disk alone holds all of it. As root, else it says that it cannot.

    tests/system/test_second_directory.py [TEST...]
"""
import fcntl
import json
import os
import pathlib
import shutil
import struct
import sys
import tempfile

import crash_station
import live_room as r
import power_cut
import small_disk
import world as w

SEGMENTS = "[segments]\nvideo_seconds = 2\naudio_seconds = 5\n"
SHUTDOWN, FLUSH_NOTHING = 0x8004587D, 2  # FS_IOC_SHUTDOWN: from here on every access to the disk is an error


class Plug(power_cut.Disk):
    """A disk that can be pulled out while somebody writes to it, and plugged in again."""

    def pull(self):
        fd = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, SHUTDOWN, struct.pack("I", FLUSH_NOTHING))
        finally:
            os.close(fd)
        power_cut.run("umount", "--lazy", self.path)
        self.mounted = False

    def plug_in(self):
        power_cut.run("mount", "-o", "loop", self.image, self.path)
        self.mounted = True


class TwoDiskRoom(r.LiveRoom):
    """Its configuration is on neither of the two disks."""

    def __init__(self, folder, first, second, streams, settings="", enrol=None):
        first.mkdir()
        second.mkdir()
        super().__init__(folder, streams, f'directory = "{first}"\n{settings}[spool]\nsecond = "{second}"\n', enrol)
        self.first, self.second, self.home = first, second, first

    def use(self, home):
        self.home = home
        return self

    def copy_is(self, *words):
        second = self.state()["second"] if self.state() else {}
        return second.get("state") in words and second

    def log_says(self, words):
        return words in self.log.read_text()


def entries_of(home, hearing):
    return list(crash_station.entries_in(home / "spool" / hearing / "entries"))


def tree(home):
    """{path: bytes} of the spool, but for locks and what belongs to one disk only."""
    spool = home / "spool"
    return {str(p.relative_to(spool)): p.read_bytes() for p in spool.rglob("*")
            if p.is_file() and p.name not in ("lock", "ballast", "paired") and ".new" not in str(p)}


def differs(home, copy):
    """What is missing in the copy or is another, and what stands there in vain, but for what was put aside."""
    here, there = tree(home), tree(copy)
    missing = {path for path in here if here[path] != there.get(path)}
    return missing | {path for path in there if path not in here and "/quarantine/" not in path}


def whole(home, hearing):
    """Every object that the log names is there with the bytes of its name; how many."""
    import hashlib
    names = set()
    for entry in entries_of(home, hearing):
        parsed = json.loads(entry)
        names |= {value for key, value in parsed.items() if key == "sha256" or key.endswith("_sha256")}
    for name in names:
        assert hashlib.sha256((home / "spool" / hearing / "objects" / name).read_bytes()).hexdigest() == name
    return len(names)


def test_each_disk_fails_while_a_hearing_is_recorded():
    films = pathlib.Path(tempfile.mkdtemp(prefix="greffe-films."))
    camera = r.Camera(r.make_film(films / "film.mp4", seconds=120))
    try:
        with w.World() as world, Plug(megabytes=192) as one, Plug(megabytes=192) as two:
            world.start()
            streams = [("cam", "video", camera.address()), ("mic", "audio", "test:tone")]
            with TwoDiskRoom(world.folder, one.path / "greffe", two.path / "greffe", streams, SEGMENTS, enrol=world.station_code()) as station:
                play(station, one, two)
                hearing = close_and_compare(station, one)
                entries = [json.loads(e) for e in entries_of(station.second, hearing)]
            check_log(entries)
            code, verdict = world.verify()
            assert code == 0 and [h["verdict"] for h in verdict["hearings"]] == ["VERIFIED_WITH_DECLARED_GAPS"], verdict
            assert world.accounts()[hearing]["joins"] == 0
            world.invariants([])
            either_alone(one, two, hearing)
    finally:
        camera.end()
        shutil.rmtree(films, ignore_errors=True)


def play(station, one, two):
    station.start()
    station.hearing = station.open()
    station.records("cam", "mic")
    r.wait_for("the copy to follow", lambda: station.copy_is("following"))

    two.pull()
    r.wait_for("the loss of the second disk to be said", lambda: station.copy_is("absent", "behind"))
    station.records("cam", "mic")
    r.running_for(2.5)
    assert station.state()["state"] == "recording" and "problem" in station.state()["second"]
    two.plug_in()
    r.wait_for("the copy to be complete again", lambda: station.copy_is("following"), 30)
    assert (station.first / "spool" / "paired").exists()

    one.pull()
    station.use(station.second)
    r.wait_for("the second directory to count", lambda: station.state() and station.state()["second"]["directory"] == str(station.first), 30)
    assert station.state()["hearing"]["id"] == station.hearing, "the hearing did not go on"
    station.records("cam", "mic")
    assert station.log_says("failed; this station goes on in")
    station.ask("mark", "after the first disk failed")
    one.plug_in()
    r.wait_for("the first directory to follow", lambda: station.copy_is("following"), 30)


def close_and_compare(station, one):
    closed = station.ask("close")
    assert closed["closed"] and closed["delivered"], closed
    try:
        r.wait_for("the copy to have all of it", lambda: not differs(station.second, station.first), 30)
    except AssertionError as problem:
        raise AssertionError(f"{problem}: {differs(station.second, station.first)}\n{station.log.read_text()}")
    station.end()
    status = station.ask("status")
    assert status["second"]["behind"] == 0 and status["not_safe"] == 0, status
    return station.hearing


def check_log(entries):
    for name in ("cam", "mic"):
        assert "fault" in [g["reason"] for g in r.gaps_of(entries, name)], (name, r.gaps_of(entries, name))
    assert any("recovered" in e["flags"] for e in entries if e["kind"] == "segment"), "nothing was recovered"
    for stream, (declared, recorded, gaps, rest) in r.account(entries).items():
        assert recorded > declared / 2 and rest <= 500, f"{stream}: of {declared} ms {rest} ms are neither recorded ({recorded}) nor a gap ({gaps})"
        lost = max(g["mono_ms"][1] - g["mono_ms"][0] for g in r.gaps_of(entries, stream))
        assert lost < 20_000, f"{stream}: {lost} ms are missing"
        print(f"  {stream}: {lost} ms from the failure of the first disk to the first sample in the second", flush=True)


def either_alone(one, two, hearing):
    for disk in (one, two):
        home = disk.path / "greffe"
        assert whole(home, hearing) > 4
        assert entries_of(home, hearing) == entries_of(one.path / "greffe", hearing)


def test_one_disk_alone_at_a_start_leaves_the_hearing_and_the_other_settles_it():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="greffe."))
    try:
        with Plug(megabytes=128) as one, Plug(megabytes=128) as two:
            with TwoDiskRoom(folder, one.path / "greffe", two.path / "greffe", [("mic", "audio", "test:tone")], SEGMENTS) as station:
                station.start()
                hearing = station.open()
                station.records("mic")
                r.wait_for("the copy to follow", lambda: station.copy_is("following"))
                station.end(9)
                one.pull()
                station.use(station.second).start()
                other = r.wait_for("a new hearing", lambda: station.state().get("hearing", {}).get("id"))
                assert other != hearing, "a hearing went on that the other disk may hold more of"
                station.records("mic")
                assert entries_of(station.second, other) and json.loads(entries_of(station.second, other)[0])["continues"] == hearing
                assert [h["state"] for h in station.ask("status")["hearings"] if h["hearing"] == hearing] == ["waits"]
                station.end(9)
                one.plug_in()
                station.start()
                assert station.state()["hearing"]["id"] == other
                assert json.loads(entries_of(station.second, hearing)[-1])["kind"] == "close"
                r.wait_for("the copy to follow", lambda: station.copy_is("following"), 30)
                station.ask("close")
                assert entries_of(station.first, other) == entries_of(station.second, other)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_a_full_or_foreign_second_disk_is_said_and_recording_goes_on():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="greffe."))
    try:
        with Plug(megabytes=128) as one, small_disk.SmallDisk(folder / "small", 4) as two:
            with TwoDiskRoom(folder, one.path / "greffe", two.folder / "greffe", [("cam", "video", "test:bars"), ("mic", "audio", "test:tone")], SEGMENTS) as station:
                (station.second / "enrolment.json").write_text((station.first / "enrolment.json").read_text().replace('"s1"', '"s9"'))
                (station.second / "station.key").write_text((station.first / "station.key").read_text())
                station.start()
                station.open()
                assert "station s9" in r.wait_for("the reason", lambda: station.copy_is("foreign"))["problem"]
                assert not (station.second / "spool").exists()
                station.end()
                for name in ("enrolment.json", "station.key"):
                    (station.second / name).unlink()
                station.start()
                r.wait_for("the copy to follow", lambda: station.copy_is("following"), 30)
                two.fill(leave=64 * 1024)
                found = r.wait_for("the full disk to be said", lambda: station.copy_is("behind"))
                assert "No space left" in found["problem"], found
                station.records("cam", "mic")
                assert station.state()["state"] == "recording"
                assert station.ask("close")["closed"]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_imports_stand_in_both():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="greffe."))
    try:
        film = r.make_film(folder / "film.mp4", seconds=6)
        (folder / "one").mkdir()
        (folder / "two").mkdir()
        station = TwoDiskRoom(folder, folder / "one" / "greffe", folder / "two" / "greffe", [])
        done = station.ask("import", "--stream", f"cam={film}#v:0", "--start", "2026-11-22T09:00:00.000Z", "--details", station.details, "--close")
        assert done["closed"], done
        assert tree(station.first) == tree(station.second) and whole(station.second, done["hearing"]) > 1
        assert station.ask("status")["second"]["behind"] == 0
        (folder / "two" / "greffe").rename(folder / "two" / "away")  # unplugged
        again = station.ask("import", "--stream", f"cam={film}#v:0", "--start", "2026-11-23T09:00:00.000Z", "--details", station.details, "--close")
        assert again["closed"] and "problem" in station.ask("status")["second"]
        (folder / "two" / "away").rename(folder / "two" / "greffe")
        station.ask("close", "--hearing", again["hearing"], "--no-upload")  # any verb that writes brings it up
        assert tree(station.first) == tree(station.second)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    small_disk.enter()
    tests = [test_imports_stand_in_both]
    if power_cut.possible():
        tests = [test_each_disk_fails_while_a_hearing_is_recorded, test_one_disk_alone_at_a_start_leaves_the_hearing_and_the_other_settles_it,
                 test_a_full_or_foreign_second_disk_is_said_and_recording_goes_on, *tests]
    else:
        print("  only imports: a disk that fails needs root and a loop device")
    w.main(tests)
