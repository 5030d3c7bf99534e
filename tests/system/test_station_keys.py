#!/usr/bin/python3
"""The keys of a station over the years: renewed, retired, stolen; and hearings that were recorded before, delivered after.

    tests/system/test_station_keys.py [TEST...]
"""
import datetime
import json
import subprocess
import time

import crash_station
import world as w


def minutes_ago(minutes):
    moment = datetime.datetime.fromtimestamp(time.time() - 60 * minutes, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


class Room:
    """An archive and an enrolled station that files short recordings."""

    def __enter__(self):
        self.world = w.World()
        self.world.start()
        self.home = self.world.folder / "station"
        self.details = self.world.folder / "details.json"
        self.details.write_text(json.dumps({"cases": ["RG 26/00001"]}))
        self.tone = self.world.folder / "tone.wav"
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", "sine=330:r=8000:d=3", self.tone], check=True)
        self.station("enrol", "--code-file", self.world.station_code())
        return self

    def __exit__(self, *_):
        self.world.__exit__()

    def station(self, verb, *words, status=0):
        done = w.run(w.INGEST, verb, "--station-dir", self.home, "--json", *words, check=False)
        assert done.returncode == status, (verb, done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout) if done.stdout else {}, done.stderr

    def record(self, minutes, *more, status=0):
        """A hearing that began so many minutes ago, not delivered."""
        done, _ = self.station("import", "--stream", f"mic-judge={self.tone}", "--start", minutes_ago(minutes), "--details", self.details,
                               "--no-upload", *more, status=status)
        return done["hearing"]

    def key_of(self, hearing):
        return json.loads(crash_station.entries_in(self.home / "spool" / hearing / "entries")[0])["station_key"]

    def renewal_code(self):
        path = self.world.folder / "renewal"
        path.unlink(missing_ok=True)
        self.world.archive("station", "renew", "--name", "s1", "--code-file", path)
        return path

    def verified(self, *hearings):
        code, verdict = self.world.verify()
        found = {h["hearing"]: h["verdict"] for h in verdict["hearings"]}
        assert code == 0 and set(hearings) == set(found), (code, json.dumps(verdict)[:2000])
        return json.dumps(verdict)

    def twin_agrees(self):
        policy = self.world.policy()
        done = w.run("python3", w.ROOT / "tests" / "twin" / "greffe_twin.py", "--policy", policy, "--json", *self.world.volumes, check=False)
        assert done.returncode == 0, done.stdout[-800:] + done.stderr[-800:]


def test_a_renewed_key_is_for_later_hearings():
    with Room() as room:
        open_one = room.record(50)
        before = room.record(40, "--close")
        code = room.renewal_code()
        _, words = room.station("enrol", "--renew", "--code-file", code, status=2)
        assert "is not finished" in words and open_one in words, words
        room.station("close", "--hearing", open_one, "--no-upload")
        room.station("enrol", "--renew", "--code-file", code)
        assert (room.home / "station-1.key").exists() and not (room.home / "station.key.new").exists()
        assert (room.home / "station-1.key").stat().st_mode & 0o777 == 0o600
        time.sleep(1.1)  # the wall clock of the test's recordings has whole seconds
        after = room.record(0, "--close")
        assert room.key_of(before) == room.key_of(open_one) != room.key_of(after)
        answer, words = room.station("drain")
        assert answer["delivered"] == 3 and answer["not_safe"] == 0, (answer, words)
        verdict = room.verified(open_one, before, after)
        assert "retired" in verdict and "filed after" in verdict, verdict
        room.twin_agrees()
        # Once more: the first key is still known.
        room.station("enrol", "--renew", "--code-file", room.renewal_code())
        assert (room.home / "station-2.key").exists()
        assert room.station("status")[0]["not_safe"] == 0
        stations = json.loads(room.world.archive("station", "list", "--json").stdout)["stations"]
        assert [s["state"] for s in stations if s["name"] == "s1"].count("enrolled") == 1, stations


def test_what_a_retired_station_recorded_before():
    with Room() as room:
        before = room.record(30, "--close")
        room.world.archive("station", "revoke", "--name", "s1", "--why", "retired")
        time.sleep(1.1)
        after = room.record(0, "--close")
        answer, words = room.station("drain", status=1)
        assert answer["delivered"] == 1 and answer["not_safe"] == 1 and after in words, (answer, words)
        for word in ("was revoked", "retired", "not begin another", "enrol the station again"):
            assert word in words, words
        assert "filed after" in room.verified(before)
        room.twin_agrees()
        # The page is given the entry that says so.
        clerk = w.Browser(room.world).log_in("c", room.world.add_user("c", "clerk"))
        status, answer, _ = clerk.call("GET", f"/v1/hearings/{before}/proof")
        assert status == 200 and "revocation_entry" in json.dumps(answer), answer


def test_what_a_stolen_station_offers():
    with Room() as room:
        room.record(30, "--close")
        room.world.archive("station", "revoke", "--name", "s1", "--why", "stolen")
        answer, words = room.station("drain", status=1)
        assert answer["delivered"] == 0 and "nothing more is taken" in words, (answer, words)
        room.verified()


if __name__ == "__main__":
    w.main([value for name, value in list(globals().items()) if name.startswith("test_")])
