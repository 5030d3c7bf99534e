#!/usr/bin/python3
"""Archives that are slow, dead or talk nonsense while a hearing is recorded, and two recorders that believe in one hearing.

    tests/system/test_live_archive.py [TEST...]
"""
import shutil
import signal
import time

import bad_line
import live_room as r
import world as w

SEGMENTS = "[segments]\nvideo_seconds = 2\naudio_seconds = 5\n"
FAST = 200_000_000
MOST_LATE_MS = 4000  # from the end of a segment to its entry, on a machine that does much else


def segments(entries):
    return [e for e in entries if e["kind"] == "segment"]


def digests(entries):
    return [e["sha256"] for e in segments(entries)]


def receipt_size(station, hearing):
    path = station.home / "spool" / hearing / "receipt"
    return int(path.read_text().split("\n")[1]) if path.exists() else 0


def upload(station):
    return station.state()["upload"]


def said(station):
    return " ".join([upload(station).get("problem", ""), *upload(station)["notices"]])


def goes_on(station, hearing, count, names):
    """So many segments more of each stream, each in the log in time."""
    seen = len(station.entries(hearing))
    wanted = {name: count for name in names}
    late = 0

    def look():
        nonlocal seen, late
        now = time.clock_gettime(time.CLOCK_BOOTTIME) * 1000
        entries = station.entries(hearing)
        for entry in segments(entries[seen:]):
            late = max(late, now - entry["mono_ms"] - entry["duration_90k"] / 90)
            wanted[entry["stream"]] -= 1
        seen = len(entries)
        return all(left <= 0 for left in wanted.values())

    r.wait_for(f"{count} segments of each stream", look, 30)
    assert late < MOST_LATE_MS, f"a segment was logged {late:.0f} ms after its end"


def test_recording_does_not_wait_for_the_archive():
    """Slow, then answering nonsense of every kind, then dead: the recording is what it would have been, the lag is shown, and in the end all is there."""
    with w.World() as world:
        world.start()
        line = bad_line.Line(world.machine, FAST)
        film = r.make_film(world.folder / "film.mp4", size="320x180", seconds=120)
        streams = [("cam", "video", f"file:{film}"), ("tone", "audio", "test:tone")]
        names = [name for name, _, _ in streams]
        with r.LiveRoom(world.folder, streams, SEGMENTS, enrol=world.station_code()) as station:
            station.ask_at(line.port)
            station.start()
            hearing = station.open()
            station.records(*names)
            r.wait_for("a first receipt", lambda: receipt_size(station, hearing) > 2)

            line.rate = 3000
            line.cut()
            goes_on(station, hearing, 2, names)
            assert upload(station)["waiting_bytes"] > 0 and receipt_size(station, hearing) < len(station.entries(hearing)), station.state()
            assert station.state()["lamp"]["colour"] == "amber", station.state()["lamp"]

            line.rate = FAST
            for kind in (bad_line.garbage_json, bad_line.too_short, bad_line.endless, bad_line.failing, bad_line.everything_is_here):
                server = bad_line.Nonsense(world, kind)
                line.to_port = server.port
                line.cut()
                r.wait_for(f"words about an archive that is {kind.__name__}", lambda: len(said(station)) > 40)
                held = receipt_size(station, hearing)
                goes_on(station, hearing, 1, names)
                # Fewer: an archive that knows nothing of the hearing may have been restored; all is offered again then.
                assert receipt_size(station, hearing) <= held, "a receipt was taken from who has no right to give one"
                server.close()
            line.to_port = world.machine
            world.stop(signal.SIGKILL)
            line.cut()
            r.wait_for("words about an archive that is away", lambda: upload(station).get("problem"))
            goes_on(station, hearing, 1, names)
            world.start()
            r.wait_for("all to be delivered", lambda: receipt_size(station, hearing) >= len(station.entries(hearing)) - 2 and not upload(station).get("problem"), 30)
            closed = station.ask("close")
            assert closed["closed"] and closed["delivered"], closed
            entries = station.entries(hearing)
        line.close()
        for name in names:
            assert {e["run"] for e in segments(entries) if e["stream"] == name} == {0}, "the archive has cost a run"
            assert len(r.gaps_of(entries, name)) <= 1, r.gaps_of(entries, name)  # its beginning
        for stream, (declared, recorded, gaps, rest) in r.account(entries).items():
            assert rest <= 500, f"{stream}: of {declared} ms {rest} ms are neither recorded ({recorded}) nor a gap ({gaps})"
        code, verdict = world.verify()
        assert code == 0, verdict
        world.invariants([f"{world.name}/hearing/{hearing} {len(entries)}"])


def all_at_archive(world, *logs):
    for entries in logs:
        for digest in digests(entries):
            assert len(world.copies(digest)) >= 2, f"{digest} is not at the archive"


def logs_at_archive(world, hearing):
    found = list(world.volumes[0].glob(f"log/hearing/*/*/*/{hearing}/checkpoint"))
    assert len(found) == 1, found
    return int(found[0].read_text().split("\n")[1])


def test_two_stations_on_one_hearing():
    """A second process in the same directory is refused. A copy of the directory that records as well has another log of the same
    hearing: the archive takes one of the two, the other station says so, goes on, and files the rest as a hearing that continues it."""
    with w.World() as world:
        world.start()
        streams = [("mic", "audio", "test:tone"), ("mic-2", "audio", "test:tone?frequency=880")]
        with r.LiveRoom(world.folder, streams, SEGMENTS, enrol=world.station_code()) as station:
            station.start()
            hearing = station.open()
            station.records("mic", "mic-2")
            r.wait_for("a first receipt", lambda: receipt_size(station, hearing) > 2)
            second = w.run(w.INGEST, "--config", station.config, "run", check=False)
            assert second.returncode == 2 and "records in" in second.stderr and "already" in second.stderr, second
            (world.folder / "copy").mkdir()
            with station.copy(world.folder / "copy") as twin:
                twin.start()
                twin.records("mic", "mic-2")
                assert twin.state()["hearing"]["id"] == hearing
                both = {"first": station, "second": twin}
                words = r.wait_for("one of the two to be refused", lambda: next((text for text in map(said, both.values()) if "another log" in text), None), 40)
                assert hearing in words and "Nothing is lost" in words and "continues" in words, words
                refused = next(name for name, one in both.items() if "another log" in said(one))
                for one in both.values():
                    goes_on(one, hearing, 2, ("mic", "mic-2"))
                closed = {name: one.ask("close") for name, one in both.items()}
                assert all(one["closed"] for one in closed.values()), closed
                # The service may be at it in this very moment: then `close` says that the hearing is in use, and `drain` finds it done.
                told = closed[refused]["notices"] + [closed[refused].get("problem", "")]
                assert any("continues it" in one or "in use here" in one for one in told), closed[refused]
                for one in both.values():
                    one.ask("drain")
                logs = {name: one.entries(hearing) for name, one in both.items()}
                hearings = {name: {h["hearing"]: h for h in one.ask("status")["hearings"]} for name, one in both.items()}
            assert logs["first"] != logs["second"] and logs["first"][0] == logs["second"][0]
            accepted = next(name for name in both if name != refused)
            assert logs_at_archive(world, hearing) == len(logs[accepted])
            new = hearings[refused][hearing]["continued_as"]
            assert list(hearings[accepted]) == [hearing] and hearings[refused][new]["safe"], hearings
            all_at_archive(world, *logs.values())
        code, verdict = world.verify()
        found = {h["hearing"]: h["verdict"] for h in verdict["hearings"]}
        assert code == 0 and set(found) == {hearing, new} and all(one.startswith("VERIFIED") for one in found.values()), verdict


def test_a_station_restored_from_an_old_backup():
    """It goes on by itself with the hearing of then. What it had delivered since is at the archive, what it records now comes there too, as a
    hearing that continues the other; nothing is lost, and no second tree of a size is accepted."""
    with w.World() as world:
        world.start()
        with r.LiveRoom(world.folder, [("mic", "audio", "test:tone")], SEGMENTS, enrol=world.station_code()) as station:
            station.start()
            hearing = station.open()
            station.records("mic")
            r.wait_for("a first receipt", lambda: receipt_size(station, hearing) > 1)
            (world.folder / "backup").mkdir()
            backup = station.copy(world.folder / "backup")
            at_backup = len(backup.entries(hearing))
            r.wait_for("more to be delivered", lambda: receipt_size(station, hearing) >= at_backup + 2)
            station.end(signal.SIGKILL)
            before = station.entries(hearing)
            held = logs_at_archive(world, hearing)
            shutil.rmtree(station.home)
            shutil.copytree(backup.home, station.home)

            station.start()
            station.records("mic")
            assert station.state()["hearing"]["id"] == hearing
            r.wait_for("the other log to be told", lambda: hearing in said(station) and ("older copy" in said(station) or "another log" in said(station)), 40)
            goes_on(station, hearing, 3, ("mic",))
            closed = station.ask("close")
            assert closed["closed"] and any("continues it" in notice for notice in closed["notices"]), closed
            answer = station.ask("drain")
            assert answer["not_safe"] == 0 and not answer["problems"], answer
            after = station.entries(hearing)
            found = {h["hearing"]: h for h in answer["hearings"]}
            new = found[hearing]["continued_as"]
            assert found[new]["safe"], found
        assert logs_at_archive(world, hearing) == held, "the archive has taken another tree"
        all_at_archive(world, before[:held], after)
        verdict = world.verify()[1]
        verdicts = {h["hearing"]: h["verdict"] for h in verdict["hearings"]}
        # Nobody can finish the log whose end the backup does not have.
        assert verdicts[new].startswith("VERIFIED") and verdicts[hearing] == "INCOMPLETE", verdict
        for account in world.accounts().values():
            assert account["recorded_ms"] > 0, account


if __name__ == "__main__":
    w.main([value for name, value in list(globals().items()) if name.startswith("test_")], at_once=5)
