#!/usr/bin/python3
"""The disk of a station whose machine is gone is drained from another station.

    tests/system/test_broken_station.py [TEST...]

What counts: everything that the broken station would have recovered itself is at the archive, nothing on its disk has changed,
and it can be told who has signed what.
"""
import hashlib
import json
import shutil
import subprocess

import crash_points
import crash_station
import small_disk
import world as w

POINTS = 8


def picture_of(folder):
    """Names, sizes and bytes of everything below."""
    out = {}
    for path in sorted(folder.rglob("*")):
        out[str(path.relative_to(folder))] = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
    return out


class TwoRooms(crash_station.StationRun):
    """Station s1, which breaks, and station s2, where its disk is mounted read-only."""

    def __init__(self):
        super().__init__()
        self.second = self.world.folder / "second"
        self.ingest(self.second, "enrol", "--code-file", self.world.station_code("s2", room="room-2"))
        self.disk = self.world.folder / "disk"
        self.disk.mkdir()
        self.mounted = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.unmount()
        self.world.__exit__()

    @staticmethod
    def ingest(home, verb, *words, status=0):
        done = w.run(w.INGEST, verb, "--station-dir", home, "--json", *words, check=False)
        assert status is None or done.returncode == status, (verb, done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout) if done.stdout else {}, done.stderr

    def unmount(self):
        if self.mounted:
            subprocess.run(["umount", "--lazy", self.disk], check=True)
        self.mounted = False

    def mount(self):
        self.unmount()
        subprocess.run(["mount", "--bind", self.home, self.disk], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", self.disk], check=True)
        self.mounted = True

    def drain(self, status=0):
        """With the disk mounted read-only; nothing on it may change."""
        before = picture_of(self.home)
        self.mount()
        answer = self.ingest(self.second, "drain", "--from", self.disk, status=status)
        self.unmount()
        assert picture_of(self.home) == before, "the broken station's disk was changed"
        return answer

    def segments(self, home, hearing):
        path = home / "spool" / hearing / "entries"
        return [e for e in map(json.loads, crash_station.entries_in(path)) if e["kind"] == "segment"]

    def recoverable(self):
        """What s1 itself would file: digest -> duration, of its one hearing; None when it had not begun."""
        own = self.world.folder / "own"
        shutil.rmtree(own, ignore_errors=True)
        shutil.copytree(self.home, own)
        (hearing,) = [p.name for p in (own / "spool").iterdir() if len(p.name) == 36]
        done = w.run(w.INGEST, "close", "--station-dir", own, "--hearing", hearing, "--no-upload", check=False)
        if done.returncode != 0:
            assert "no entry yet" in done.stderr, done.stderr
            return hearing, None
        return hearing, {e["sha256"]: e["duration_90k"] for e in self.segments(own, hearing)}

    def at_archive(self, answer, hearing):
        """The same, of what the archive holds of that hearing and of the one that continues it."""
        out = {}
        (one,) = [r for r in answer["recovered"] if r["hearing"] == hearing]
        entries = crash_station.entries_in(self.home / "spool" / hearing / "entries")[: one["held"]]
        found = [e for e in map(json.loads, entries) if e["kind"] == "segment"]
        if "continued_as" in one:
            new = self.segments(self.second, one["continued_as"])
            assert all("recovered" in e["flags"] for e in new), new
            found += new
        for entry in found:
            assert len(self.world.copies(entry["sha256"])) >= 2, f"{entry['sha256']} is not at the archive"
            assert entry["sha256"] not in out, "filed twice"
            out[entry["sha256"]] = entry["duration_90k"]
        return one, out

    def verdicts(self):
        _, verdict = self.world.verify()
        return {h["hearing"]: h for h in verdict["hearings"]}, verdict

    def record(self, *more, upload=False):
        answer, _ = self.ingest(self.home, "import", "--stream", f"cam-bench={self.camera}", "--stream", f"mic-judge={self.microphone}",
                                *([] if upload else ["--no-upload"]), *more)
        return answer["hearing"]

    def begin(self, *more, upload=False):
        return self.record("--start", "2026-11-22T09:00:00.000Z", "--details", self.details, *more, upload=upload)


def test_killed_in_the_middle_of_an_import():
    with TwoRooms() as rooms:
        rooms.reset()
        watched = crash_points.Watched([*rooms.words(), "--no-upload"])
        assert watched.end(120) == 0
        calls = len(watched.calls)
        kinds = set()
        for point in range(POINTS):
            rooms.reset()
            crash_points.Watched([*rooms.words(), "--no-upload"], max(1, calls * (2 * point + 1) // (2 * POINTS))).end(120)
            rooms.leftovers()
            if not [p for p in (rooms.home / "spool").glob("*") if len(p.name) == 36]:
                continue  # it had not begun
            hearing, wanted = rooms.recoverable()
            if wanted is None:
                answer, words = rooms.drain(status=1)
                assert "had not begun" in words and hearing in words, words
                kinds.add("not begun")
                continue
            answer, _ = rooms.drain()
            one, found = rooms.at_archive(answer, hearing)
            assert found == wanted, (one, found, wanted)
            verdicts, whole = rooms.verdicts()
            assert one["held"] == one["signed_entries"], one
            if one["held"]:
                findings = {f["code"] for f in whole["findings"] if f.get("hearing") == hearing}
                assert findings <= {"not-closed"}, findings
            if "continued_as" in one:
                opened = json.loads(crash_station.entries_in(rooms.second / "spool" / one["continued_as"] / "entries")[0])
                assert opened["continues"] == hearing and opened["recovered_from"] == "s1" and opened["station"] == "s2", opened
                assert verdicts[one["continued_as"]]["verdict"].startswith("VERIFIED"), verdicts
                kinds.add("continued")
            elif one["held"]:
                kinds.add("handed over")
            again, _ = rooms.drain()
            assert not again["recovered"] and again["not_safe"] == 0, again
        assert "continued" in kinds, kinds


def test_a_disk_whose_key_is_not_there():
    """Nothing can be delivered in the old station's name: all of it is filed by this one."""
    with TwoRooms() as rooms:
        hearing = rooms.begin("--close")
        wanted = rooms.recoverable()[1]
        (rooms.home / "station.key").unlink()
        one, found = rooms.at_archive(rooms.drain()[0], hearing)
        assert found == wanted and one["held"] == 0, one
        verdicts, _ = rooms.verdicts()
        assert list(verdicts) == [one["continued_as"]] and verdicts[one["continued_as"]]["verdict"].startswith("VERIFIED"), verdicts


def test_a_stolen_key_and_a_hearing_of_which_a_part_was_delivered():
    with TwoRooms() as rooms:
        hearing = rooms.begin(upload=True)
        delivered = len(crash_station.entries_in(rooms.home / "spool" / hearing / "entries"))
        rooms.record("--start", "2026-11-22T10:00:00.000Z", "--hearing", hearing, "--close")
        rooms.world.archive("station", "revoke", "--name", "s1", "--why", "stolen")
        wanted = rooms.recoverable()[1]
        one, found = rooms.at_archive(rooms.drain()[0], hearing)
        assert found == wanted and one["held"] == delivered, one
        verdicts, _ = rooms.verdicts()
        assert verdicts[one["continued_as"]]["verdict"].startswith("VERIFIED"), verdicts


def test_the_archive_is_away_and_the_disk_is_damaged():
    with TwoRooms() as rooms:
        hearing = rooms.begin("--close")
        wanted = rooms.recoverable()[1]
        lost = rooms.segments(rooms.home, hearing)[1]
        path = rooms.home / "spool" / hearing / "objects" / lost["sha256"]
        data = bytearray(path.read_bytes())
        data[1000] ^= 1
        path.chmod(0o640)
        path.write_bytes(data)
        rooms.world.stop()
        words = rooms.drain(status=1)[1]
        assert hearing in words and "start the same command again later" in words, words
        rooms.world.start()
        answer, _ = rooms.drain()
        (one,) = answer["recovered"]
        assert len(one["lost"]) == 1 and one["lost"][0].startswith(lost["stream"] + " from "), one
        assert bytes(data) in [p.read_bytes() for p in (rooms.second / "from" / "s1" / "spool" / hearing / "quarantine").iterdir()]
        for digest in wanted:
            assert len(rooms.world.copies(digest)) >= (0 if digest == lost["sha256"] else 2)
        verdicts, _ = rooms.verdicts()
        new = verdicts[one["continued_as"]]
        assert new["verdict"].startswith("VERIFIED") and new["lost"] == 1, verdicts
        assert rooms.ingest(rooms.second, "status")[0]["unsettled"] == []


def test_what_is_refused():
    with TwoRooms() as rooms:
        words = rooms.ingest(rooms.second, "drain", "--from", rooms.second, status=2)[1]
        assert "itself" in words, words
        words = rooms.ingest(rooms.second, "drain", "--from", rooms.world.folder, status=2)[1]
        assert "there is no station" in words, words
        other = rooms.world.folder / "other"
        w.run(w.INGEST, "prepare", "--station-dir", other, "--archive", "elsewhere.example", "--name", "s9", "--court", "c", "--room", "r")
        words = rooms.ingest(rooms.second, "drain", "--from", other, status=2)[1]
        assert "elsewhere.example" in words and rooms.world.name in words, words


if __name__ == "__main__":
    small_disk.enter()
    w.main([value for name, value in list(globals().items()) if name.startswith("test_")])
