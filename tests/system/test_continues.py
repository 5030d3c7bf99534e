#!/usr/bin/python3
"""A station and an archive that no longer agree about the past: a spool or an archive that was restored from an older copy.

    tests/system/test_continues.py [TEST...]

Nothing that was recorded is lost, every hearing verifies, and the user is told in words.
"""
import json
import shutil
import subprocess

import crash_station
import world as w


class Room:
    """An archive and an enrolled station that records tones."""

    def __init__(self, pool=()):
        self.pool = pool

    def __enter__(self):
        self.world = w.World(pool=self.pool)
        self.world.start()
        self.home = self.world.folder / "station"
        self.details = self.world.folder / "details.json"
        self.details.write_text(json.dumps({"cases": ["RG 26/00001"]}))
        self.station("enrol", "--code-file", self.world.station_code())
        self.tones = 0
        return self

    def __exit__(self, *_):
        self.world.__exit__()

    def station(self, verb, *words, status=0):
        done = w.run(w.INGEST, verb, "--station-dir", self.home, "--json", *words, check=False)
        assert done.returncode == status, (verb, done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout) if done.stdout else {}, done.stderr

    def record(self, minute, *more, status=0):
        """Three seconds that nobody has heard before, on the clock at this minute."""
        self.tones += 1
        tone = self.world.folder / f"tone-{self.tones}.wav"
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", f"sine={300 + 50 * self.tones}:r=8000:d=3", tone],
                       check=True)
        return self.station("import", "--stream", f"mic-judge={tone}", "--start", f"2026-11-22T09:{minute:02}:00.000Z", *more, status=status)

    def begin(self, minute, *more, status=0):
        return self.record(minute, "--details", self.details, *more, status=status)

    def entries(self, hearing):
        return [json.loads(e) for e in crash_station.entries_in(self.home / "spool" / hearing / "entries")]

    def digests(self, hearing):
        return [e["sha256"] for e in self.entries(hearing) if e["kind"] == "segment"]

    def hearings(self):
        return {h["hearing"]: h for h in self.station("status")[0]["hearings"]}

    def keep(self, what):
        shutil.copytree(what, what.with_name(what.name + ".kept"))

    def restore(self, what):
        shutil.rmtree(what)
        shutil.copytree(what.with_name(what.name + ".kept"), what)

    def verified(self, *hearings):
        code, verdict = self.world.verify()
        found = {h["hearing"]: h["verdict"] for h in verdict["hearings"]}
        assert code == 0 and set(hearings) <= set(found), (code, json.dumps(verdict)[:2000])

    def at_archive(self, digests):
        for digest in digests:
            assert len(self.world.copies(digest)) >= 2, f"{digest} is not at the archive"


def test_a_spool_that_was_replaced_by_an_older_copy():
    with Room() as room:
        hearing = room.begin(0, "--no-upload")[0]["hearing"]
        room.keep(room.home)
        room.record(1, "--hearing", hearing, "--close")
        at_archive = room.digests(hearing)
        room.restore(room.home)

        # As long as nothing is recorded, nothing is missing.
        problems = room.station("drain", status=1)[0]["problems"]
        assert len(problems) == 1 and "replaced by an older copy" in problems[0] and "The archive lacks nothing" in problems[0], problems

        room.record(2, "--hearing", hearing, "--no-upload")
        room.record(3, "--hearing", hearing, "--no-upload", "--close")
        here = room.digests(hearing)
        answer, words = room.station("drain", status=1)
        assert len(answer["notices"]) == 1, answer
        (notice,) = answer["notices"]
        assert "Nothing is lost" in notice and hearing in notice and notice in words, answer
        assert not answer["problems"] and answer["not_safe"] == 0, answer
        found = room.hearings()
        assert found[hearing]["state"] == "continued", found
        new = found[hearing]["continued_as"]
        assert found[new]["state"] == "closed" and found[new]["safe"], found
        opened = room.entries(new)[0]
        assert opened["continues"] == hearing and opened["utc"] == "2026-11-22T09:00:03.000Z", opened  # the hole before it is told too
        # Exactly what the archive did not have.
        assert room.digests(new) == here[1:] and here[0] == at_archive[0], (here, room.digests(new))
        room.at_archive(at_archive + here)
        room.verified(hearing, new)

        again, _ = room.station("drain")
        assert len(again["hearings"]) == 2 and again["not_safe"] == 0, again
        refused = room.record(4, "--hearing", hearing, status=2)[1]
        assert new in refused and "use that one" in refused, refused


def test_the_same_before_the_hearing_is_finished():
    """The user goes on in the new hearing; the archive's old one is closed by nobody, and the verifier says so."""
    with Room() as room:
        hearing = room.begin(0)[0]["hearing"]
        room.keep(room.home)
        room.record(1, "--hearing", hearing)
        room.restore(room.home)
        notices = room.record(2, "--hearing", hearing)[0]["notices"]
        assert len(notices) == 1 and "Record on with --hearing" in notices[0], notices
        new = room.hearings()[hearing]["continued_as"]
        assert room.hearings()[new]["state"] == "open"
        room.record(3, "--hearing", new, "--close")
        assert room.hearings()[new]["safe"]
        room.at_archive(room.digests(new))
        verdict = room.world.verify()[1]
        found = {h["hearing"]: h["verdict"] for h in verdict["hearings"]}
        assert found[new].startswith("VERIFIED") and found[hearing] == "INCOMPLETE", found


def test_an_archive_that_was_restored_from_an_older_state():
    with Room() as room:
        hearing = room.begin(0)[0]["hearing"]
        room.world.stop()
        room.keep(room.world.home)
        room.world.start()
        room.record(1, "--hearing", hearing)
        other = room.begin(5, "--close")[0]["hearing"]
        room.station("drain")  # sees how long the main log is now
        room.world.stop()
        room.restore(room.world.home)
        room.world.start()

        # A hearing that goes on: the archive asks for what it lost, and gets it.
        done, words = room.record(2, "--hearing", hearing, "--close")
        assert done["delivered"], done
        assert len(done["notices"]) == 2 and "not the one that this station knows" in words and "less of 1 hearing " in words, words
        room.at_archive(room.digests(hearing))
        # A hearing that names the main log which the archive lost is filed as one that does not.
        lost = room.begin(7, "--close")[0]
        assert len(lost["notices"]) == 2 and "Nothing is lost" in lost["notices"][-1], lost
        new = room.hearings()[lost["hearing"]]["continued_as"]
        assert room.entries(lost["hearing"])[0]["main_size"] > 0 and room.entries(new)[0]["main_size"] == 0
        assert room.hearings()[new]["safe"], room.hearings()
        room.verified(hearing, new)
        # What had its receipt is offered again by itself; it had named the main log that was lost.
        answer, _ = room.station("drain", status=1)
        problems = answer["problems"]
        assert len(problems) == 1 and "older state" in problems[0] and "greffe-ingest accept-archive" in problems[0], problems
        assert answer["freed_bytes"] == 0 and answer["not_safe"] == 0, answer
        again = room.hearings()[other]["continued_as"]
        room.at_archive(room.digests(other))
        room.verified(hearing, new, again)
        # Only when somebody says so is the main log believed that is there now.
        assert room.station("accept-archive")[0]["continues"] is False
        assert room.station("accept-archive")[0]["continues"] is True
        answer, _ = room.station("drain")
        assert not answer["problems"] and not answer["notices"], answer


def test_everything_that_an_archive_forgot():
    """A backup of the archive's folder, more hearings, the backup put back: whatever the station still holds is there again."""
    with Room() as room:
        first = room.begin(0, "--close")[0]["hearing"]
        growing = room.begin(5)[0]["hearing"]
        room.world.stop()
        room.keep(room.world.home)
        room.world.start()
        seen = room.home / "main-checkpoint"
        known = seen.read_bytes()
        room.record(6, "--hearing", growing, "--close")
        seen.write_bytes(known)  # the station has not looked at the main log since: what it is told of each hearing is enough
        later = [room.begin(minute, "--no-upload", "--close")[0]["hearing"] for minute in (10, 15)]
        room.station("drain")
        digests = [d for h in (first, growing, *later) for d in room.digests(h)]
        room.at_archive(digests)
        room.world.stop()
        room.restore(room.world.home)
        seen.write_bytes(known)
        room.world.start()
        lost = [d for d in digests if not room.world.copies(d)]
        assert len(lost) == 3, lost
        answer, words = room.station("drain", status=1)
        assert "less of 3 hearings" in words and "restored from an older state" in words, words
        assert answer["not_safe"] == 0 and answer["delivered"] == 3, answer
        room.at_archive(digests)
        code, verdict = room.world.verify()
        assert code == 0 and len(verdict["hearings"]) == 4, verdict
        answer, _ = room.station("drain")
        assert answer["delivered"] == 0 and not answer["notices"], answer


def test_not_before():
    """Every hearing names the main log as it was when the station last looked, and never an older one."""
    with Room() as room:
        first = room.entries(room.begin(0, "--close")[0]["hearing"])[0]
        second = room.entries(room.begin(5, "--close")[0]["hearing"])[0]
        assert 0 < first["main_size"] < second["main_size"], (first, second)
        code, verdict = room.world.verify()
        assert code == 0, verdict
        note = (room.home / "main-checkpoint").read_text()
        assert note.startswith(room.world.name + "\n"), note
        # A note that was edited is not believed; the recording begins all the same.
        (room.home / "main-checkpoint").write_text(note.replace("\n", "\n9", 1))
        third = room.entries(room.begin(7, "--close")[0]["hearing"])[0]
        assert third["main_size"] == 0, third


if __name__ == "__main__":
    w.main([value for name, value in list(globals().items()) if name.startswith("test_")])
