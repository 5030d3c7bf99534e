#!/usr/bin/python3
"""The first site is lost while courtrooms record. Its second site is promoted, and the stations carry on there by themselves; whom they do not follow.

    tests/system/test_follow.py [TEST...]
"""
import hashlib
import json
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import live_room as r
from test_epochs import certificate
from test_promotion import Disaster, prepared, verdict_of
from test_read_from_second_site import ReadingSites
from world import INGEST, main, run

SETTINGS = "[segments]\naudio_seconds = 5\n[upload]\nask_successors_after_s = {}\n"
TONE = [("mic-judge", "audio", "test:tone")]


class Courtrooms(Disaster, ReadingSites):
    """Two sites that know each other, and stations of the first one."""

    def __enter__(self):
        super().__enter__()
        prepared(self)
        self.add_site()
        self.rooms = []
        self.policy = self.primary.policy()
        self.noise = self.folder / "noise.wav"
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", "anoisesrc=r=8000:d=40:seed=7", self.noise], check=True)
        return self

    def __exit__(self, *_):
        for room in self.rooms:
            room.__exit__()
            shutil.rmtree(room.home.parent)
        super().__exit__()

    def room(self, name, patience_s=1):
        folder = Path(tempfile.mkdtemp(prefix="greffe."))
        self.rooms.append(r.LiveRoom(folder, TONE, SETTINGS.format(patience_s), enrol=self.primary.station_code(name, room=name)))
        return self.rooms[-1]

    def imported(self, room, hour, status=0):
        return room.ask("import", "--stream", f"mic-judge={self.noise}", "--start", f"2026-11-26T{hour:02}:00:00.000Z", "--details", room.details, "--close", status=status)

    def lose_everything(self):
        self.lose_the_first_site()
        assert not self.primary.home.exists()


def upload(room):
    return room.state()["upload"]


def covered(room, hearing):
    """Entries that the receipt in the spool covers."""
    path = room.home / "spool" / hearing / "receipt"
    return int(path.read_text().split("\n")[1]) if path.exists() else 0


def segments(room, hearing):
    return {e["sha256"] for e in room.entries(hearing) if e["kind"] == "segment"}


def delivers_to(room, world):
    words = run(INGEST, "--config", room.config, "status").stdout
    assert f"delivers to https://127.0.0.1:{world.machine}, epoch 2, since 20" in words, words
    told = room.ask("status")
    assert told["address"] == f"https://127.0.0.1:{world.machine}" and told["epoch"] == 2 and told["since"] > "2026", told
    return told


def test_courtrooms_carry_on_when_the_first_site_is_lost():
    with Courtrooms() as sites:
        live, filing = sites.room("live"), sites.room("filing")
        live.start()
        trial = live.open()
        both = sites.imported(filing, 9)
        assert both["delivered"], both
        r.wait_for("the first segment of the trial", lambda: covered(live, trial) >= 2)
        assert sites.once()[0] == 0
        # Confirmed by the first site and not replicated: a whole hearing, and a part of the one that goes on.
        alone = sites.imported(filing, 10)
        assert alone["delivered"], alone
        before = covered(live, trial)
        r.wait_for("another segment", lambda: covered(live, trial) > before)
        confirmed = segments(live, trial) | segments(filing, both["hearing"]) | segments(filing, alone["hearing"])
        sites.lose_everything()
        waits = sites.imported(filing, 11)
        assert not waits["delivered"] and waits["problem"], waits
        sites.go_on()
        # Nobody touches the courtroom.
        r.wait_for("the station to follow", lambda: upload(live)["epoch"] == 2, 30)
        assert any("goes on at" in notice for notice in upload(live)["notices"]), upload(live)
        now = len(segments(live, trial))
        r.wait_for("another segment at the new site", lambda: len(segments(live, trial)) > now and "epoch/2" in (live.home / "spool" / trial / "receipt").read_text())
        live.ask("close")
        r.wait_for("everything to be confirmed", lambda: live.ask("status")["not_safe"] == 0)
        assert "goes on at" in live.log.read_text()
        delivers_to(live, sites.second)
        # A station without a service follows with the next thing that it does; what was new there is said once.
        drained = filing.ask("drain", status=1)
        assert drained["delivered"] == 3 and not drained["problems"] and "goes on at" in drained["notices"][0], drained
        later = sites.imported(filing, 12)
        assert later["delivered"] and not later["notices"], later
        assert filing.ask("drain")["notices"] == []
        assert delivers_to(filing, sites.second)["not_safe"] == 0
        # It learns the officers again, over both epochs, for the next time.
        known = [(e["epoch"], json.loads(e["entry"])["kind"]) for e in json.loads((filing.home / "successors.json").read_text())["entries"]]
        assert known == [(1, "key"), (1, "key"), (2, "promotion")], known
        code, verdict = verdict_of(sites.policy, sites.second.volumes)
        assert code == 0 and verdict["verdict"] == "VERIFIED", verdict
        hearings = {trial, both["hearing"], alone["hearing"], waits["hearing"], later["hearing"]}
        assert {h["hearing"] for h in verdict["hearings"]} == hearings, verdict
        for digest in confirmed | segments(live, trial):
            assert len(sites.second.copies(digest)) == 3, digest


def test_one_officer_leads_nobody_astray_and_a_fenced_archive_sends_its_stations_away():
    with Courtrooms() as sites:
        room = sites.room("live")
        room.start()
        trial = room.open()
        r.wait_for("the first segment of the trial", lambda: covered(room, trial) >= 2)
        assert sites.once()[0] == 0
        head = sites.client.request("GET", "/v1/log/main/checkpoint")[1]["detail"]
        sites.client.close()
        forged = sites.second.home / "state" / "epochs" / f"{hashlib.sha256(sites.primary.name.encode()).hexdigest()[:32]}.json"
        sites.second.stop()
        forged.parent.mkdir(exist_ok=True)
        forged.write_bytes(certificate(sites.primary, head, {"officer-1": sites.signers["officer-1"]}, place=f"https://127.0.0.1:{sites.second.machine}").encode())
        sites.second.start()
        sites.primary.stop(signal.SIGKILL)
        r.wait_for("the refusal", lambda: any("does not count" in notice and "two officers" in notice for notice in upload(room)["notices"]))
        assert room.log.read_text().count("does not count") == 1, room.log.read_text()
        assert upload(room)["epoch"] == 1
        room.end()
        # The two officers do it while the courtroom is switched off; the old site comes back and hears of it.
        sites.second.stop()
        forged.unlink()
        sites.second.start()
        sites.go_on()
        text = json.dumps(sites.station_goes_there().call("GET", f"/v1/epochs/{sites.primary.name}"), sort_keys=True, separators=(",", ":"))
        sites.primary.start()
        assert sites.client.request("POST", f"/v1/epochs/{sites.primary.name}", text)[1] == {"epoch": 2}
        # Nobody but the old site itself can tell this station, and it does not wait for its minute.
        known = room.home / "successors.json"
        known.write_text(json.dumps({**json.loads(known.read_text()), "sites": []}))
        room.config.write_text(room.config.read_text().replace("after_s = 1", "after_s = 86400"))
        room.start()
        r.wait_for("the station to be sent away", lambda: upload(room)["epoch"] == 2)
        room.ask("close")
        r.wait_for("everything to be confirmed", lambda: room.ask("status")["not_safe"] == 0)
        delivers_to(room, sites.second)
        for digest in segments(room, trial):
            assert len(sites.second.copies(digest)) == 3, digest


if __name__ == "__main__":
    main([value for name, value in list(globals().items()) if name.startswith("test_")])
