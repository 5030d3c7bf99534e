#!/usr/bin/python3
"""A hearing recorded live through faults of cameras, of the recorder and of people; then filed, verified and added up.

    tests/system/test_live.py [TEST...]
"""
import atexit
import pathlib
import shutil
import signal
import tempfile

import five_faults
import live_room as r
import world as w
from five_faults import SEGMENTS


class Folder:
    """With two films, made once."""
    films = None

    def __enter__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="greffe."))
        if Folder.films is None:
            Folder.films = pathlib.Path(tempfile.mkdtemp(prefix="greffe-films."))
            atexit.register(shutil.rmtree, Folder.films, ignore_errors=True)
            r.make_film(Folder.films / "large.mp4")
            r.make_film(Folder.films / "small.mp4", size="320x240")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    def film(self, name):
        return Folder.films / name


def test_five_faults():
    """Everything is named, adds up, and verifies."""
    with Folder() as folder, w.World() as world:
        world.start()
        hearing, entries = five_faults.record(world, folder.film("large.mp4"), folder.film("small.mp4"))
        check_log(entries)
        code, verdict = world.verify()
        assert code == 0 and [h["verdict"] for h in verdict["hearings"]] == ["VERIFIED_WITH_DECLARED_GAPS"], verdict
        account = world.accounts()[hearing]
        assert account["joins"] == 0 and account["excused_ms"] > 0 and account["recorded_ms"] > account["declared_ms"] / 2, account
        for one in account["streams"]:
            assert one["declared_ms"] >= entries[-1]["mono_ms"] - entries[0]["mono_ms"] and one["recorded_ms"] > 0, one
        world.invariants([])


def check_log(entries):
    bench, room = r.gaps_of(entries, "cam-bench"), r.gaps_of(entries, "cam-room")
    assert "network" in [g["reason"] for g in bench], bench
    assert "no-signal" in [g["reason"] for g in room], room
    assert [g["reason"] for g in entries if g["kind"] == "gap" and g["streams"] == ["*"]] == ["recess"]
    muted = [g for g in r.gaps_of(entries, "mic-bar") if g["reason"] == "operator"]
    assert len(muted) == 1 and muted[0]["mono_ms"][1] - muted[0]["mono_ms"][0] >= 1400 and "note_sha256" in muted[0], muted
    for name in ("cam-bench", "cam-room", "mic-judge", "mic-bar", "mic-witness"):
        assert "fault" in [g["reason"] for g in r.gaps_of(entries, name)], (name, r.gaps_of(entries, name))
    assert any("recovered" in e["flags"] for e in entries if e["kind"] == "segment"), "nothing was recovered"
    assert all("transcoded" in e["flags"] for e in entries if e["kind"] == "segment" and e["stream"] == "mic-witness"), "a recovered segment hides that it was encoded here"
    assert len({e["codecs"] for e in entries if e["kind"] == "segment" and e["stream"] == "cam-bench"}) == 2, "the other model's pictures are described as the first one's"
    for stream, (declared, recorded, gaps, rest) in r.account(entries).items():
        assert recorded > 0 and rest <= 500, f"{stream}: of {declared} ms {rest} ms are neither recorded ({recorded}) nor a gap ({gaps})"


def test_the_wrong_case_is_corrected():
    """One that is not public was opened as another that is. The recorder is killed just after the correction; the hearing goes on as the
    right one, the archive knows at once that it is not public and finds it, it verifies, and its sheet says what became of it."""
    right = {"cases": ["RG 26/00002"], "parties": [{"name": "<b>Anne</b> Lefèvre", "role": "demanderesse"}], "public": False, "language": "fr"}
    with Folder() as _, w.World() as world:
        world.start()
        with r.LiveRoom(world.folder, [("mic", "audio", "test:tone")], SEGMENTS, enrol=world.station_code()) as station:
            clerk = w.Browser(world)
            password = world.add_user("claire", "clerk")
            assert "no hearing" in station.start().correct(right, status=2)
            hearing = station.open()
            station.records("mic")
            clerk.log_in("claire", password)
            row = r.wait_for("the archive to have it", lambda: clerk.find("RG 26/00001"))[0]
            assert row["public"] and row["state"] == "open", row
            assert "case number" in station.correct({"cases": [" "]}, status=2) and "nothing to correct" in station.correct({"cases": ["RG 26/00001"]}, status=2)
            assert "short code" in station.correct(right, "--person", "Anne Morel", status=2)
            assert station.correct(right, "--person", "g-07")["hearing"] == hearing
            station.end(signal.SIGKILL)
            station.start()
            station.records("mic")
            state = station.state()["hearing"]
            assert (state["id"], state["cases"], state["public"], state["corrected"]) == (hearing, ["RG 26/00002"], False, 1), state
            row = r.wait_for("the archive to know", lambda: clerk.find("RG 26/00002"))[0]
            assert not row["public"] and row["state"] == "open" and row["cases"] == ["RG 26/00002"], row
            closed = station.ask("close")
            assert closed["closed"] and closed["delivered"], closed
            assert "no hearing" in station.correct({"cases": ["RG 26/00003"]}, status=2)
            entries = station.entries(hearing)
            corrections = [(i, e) for i, e in enumerate(entries) if e["kind"] == "details"]
            assert [e["person"] for _, e in corrections] == ["g-07"], corrections
            _, whole, _ = clerk.call("GET", f"/v1/hearings/{hearing}")
            told = [(c["origin"], c["index"], c["before"]["cases"], c["account_name"]) for c in whole["corrections"]]
            assert told == [("room", corrections[0][0], ["RG 26/00001"], "g-07")] and whole["parties"][0]["name"] == "<b>Anne</b> Lefèvre", whole
            assert [h["cases"] for h in clerk.find("RG 26/00001")] == [["RG 26/00002"]]

            code, verdict = world.verify()
            assert code == 0 and [h["verdict"] for h in verdict["hearings"]] == ["VERIFIED_WITH_DECLARED_GAPS"], verdict  # the crash
            assert any("corrected while it was recorded" in note and "g-07" in note for note in verdict["notes"]), verdict
            export = world.folder / "export"
            world.archive("export", hearing, export)
            sheet = pathlib.Path(closed["sheet"])
            done = w.run(w.VERIFY, "--policy", world.policy(), "--sheet", sheet, export, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
            page = pathlib.Path(closed["sheet_page"]).read_text()
            assert "Affaire rectifiée" in page and "(g-07)" in page and "RG 26/00002" in page and "Huis clos" in page, page
            assert "RG 26/00001" not in page and "&lt;b&gt;Anne&lt;/b&gt;" in page, page
            world.accounts()
            world.invariants([])


def test_a_paused_hearing_stays_paused_over_a_crash():
    with Folder() as folder, r.LiveRoom(folder.path, [("mic", "audio", "test:tone")], SEGMENTS) as station:
        station.start()
        hearing = station.open()
        station.records("mic")
        station.ask("pause", "--reason", "closed-evidence")
        station.end(signal.SIGKILL)
        station.start()
        state = station.state()
        assert state["state"] == "paused" and state["hearing"]["pause"]["reason"] == "closed-evidence", state
        r.running_for(1)
        assert not list(station.home.glob("spool/*/open/*")), "a paused hearing was recorded after a crash"
        assert "paused already" in station.ask("pause", "--reason", "recess", status=2)
        station.ask("resume")
        station.records("mic")
        station.ask("close")
        entries = station.entries(hearing)
        pauses = [e for e in entries if e["kind"] == "gap" and e["streams"] == ["*"]]
        assert [p["reason"] for p in pauses] == ["closed-evidence"], pauses
        assert r.account(entries)["mic"][3] <= 500, r.account(entries)


def test_a_stop_in_order_loses_nothing_and_is_told_apart_from_a_crash():
    with Folder() as folder, r.LiveRoom(folder.path, [("mic", "audio", "test:tone")], SEGMENTS) as station:
        station.start()
        hearing = station.open()
        station.records("mic")
        station.end()
        assert not list(station.home.glob("spool/*/open/*"))
        r.running_for(0.5)  # a start within a tenth of a second leaves no gap
        station.start()
        station.records("mic")
        station.ask("close")
        reasons = [g["reason"] for g in r.gaps_of(station.entries(hearing), "mic")]
        assert "operator" in reasons and "fault" not in reasons, reasons


def test_a_hearing_whose_recorder_is_gone_is_finished_on_its_own_clock():
    with Folder() as folder, r.LiveRoom(folder.path, [("mic", "audio", "test:tone"), ("mic-2", "audio", "test:tone")], SEGMENTS) as station:
        station.start()
        hearing = station.open()
        station.records("mic", "mic-2")
        r.running_for(1.2)
        station.end(signal.SIGKILL)
        done = station.ask("close", "--hearing", hearing)
        assert done["closed"] and done["hearing"] == hearing, done
        entries = station.entries(hearing)
        assert {e["boot"] for e in entries if "boot" in e} == {entries[0]["boot"]}, "another clock than the recorder's"
        for stream, (declared, recorded, gaps, rest) in r.account(entries).items():
            assert 0 < recorded <= declared and rest <= 1500, f"{stream}: of {declared} ms {rest} ms are neither recorded ({recorded}) nor a gap ({gaps})"


def test_h265_is_recorded_with_its_h264_beside_it():
    with Folder() as folder:
        main_film = r.make_film(folder.path / "h265.mp4", size="320x240", seconds=30, codec="libx265")
        main, sub = r.Camera(main_film), r.Camera(folder.film("small.mp4"))
        more = f'sub_address = "{sub.address()}"\n'
        with r.LiveRoom(folder.path, [("cam", "video", main.address()), ("plain", "video", main.address())], SEGMENTS) as station:
            station.config.write_text(station.config.read_text().replace('name = "cam"\n', 'name = "cam"\n' + more))
            try:
                station.start()
                hearing = station.open()
                station.records("cam", "cam-sub", "plain")
                assert "browsers" in station.stream("plain")["warning"] and "warning" not in station.stream("cam"), station.state()
                station.ask("close")
            finally:
                main.end()
                sub.end()
        codecs = {e["stream"]: e["codecs"][:4] for e in station.entries(hearing) if e["kind"] == "segment"}
        assert codecs == {"cam": "hvc1", "plain": "hvc1", "cam-sub": "avc1"}, codecs


def test_a_camera_behind_a_password():
    with Folder() as folder:
        camera = r.Camera(folder.film("small.mp4"), login=("clerk", "s@cret: \"1\""))
        streams = [("cam", "video", camera.address(login="clerk:s%40cret%3A%20%221%22")), ("wrong", "video", camera.address(login="clerk:guess")),
                   ("none", "video", camera.address())]
        with r.LiveRoom(folder.path, streams, SEGMENTS) as station:
            try:
                station.start()
                hearing = station.open()
                station.records("cam")
                for name in ("wrong", "none"):
                    r.wait_for(f"the reason why {name} does not record", lambda n=name: "refuses the user or password" in station.stream(n).get("problem", ""))
                assert "s@cret" not in str(station.state()) and "guess" not in str(station.state()) + station.log.read_text(), station.state()
                station.ask("close")
            finally:
                camera.end()
        assert {e["stream"] for e in station.entries(hearing) if e["kind"] == "segment"} == {"cam"}


def test_wrong_questions_are_answered_in_words():
    with Folder() as folder, r.LiveRoom(folder.path, [("mic", "audio", "test:tone")], SEGMENTS) as station:
        assert "greffe-ingest run" in station.ask("pause", "--reason", "recess", status=2)
        station.start()
        assert "no hearing" in station.ask("resume", status=2)
        hearing = station.open()
        assert "already" in station.ask("open", "--details", station.details, status=2)
        assert "recess" in station.ask("pause", "--reason", "coffee", status=2)
        assert "there is no stream" in station.ask("mute", "--stream", "mic-9", status=2)
        assert "short code" in station.ask("mark", "x", "--person", "Jean Dupont", status=2)
        other = w.run(w.INGEST, "--config", station.config, "record", "--details", station.details, check=False)
        assert other.returncode == 2 and "already" in other.stderr, other
        secret = w.run(w.INGEST, "--config", station.config, "record", "--video", "cam=rtsp://u:secret@h/p", check=False)
        assert secret.returncode == 2 and "station.toml" in secret.stderr and "secret" not in secret.stderr, secret
        station.ask("close")
        assert station.entries(hearing)[-1]["kind"] == "close"


if __name__ == "__main__":
    w.main([test_five_faults, test_the_wrong_case_is_corrected, test_a_paused_hearing_stays_paused_over_a_crash,
            test_a_stop_in_order_loses_nothing_and_is_told_apart_from_a_crash,
            test_a_hearing_whose_recorder_is_gone_is_finished_on_its_own_clock, test_h265_is_recorded_with_its_h264_beside_it, test_a_camera_behind_a_password,
            test_wrong_questions_are_answered_in_words])
