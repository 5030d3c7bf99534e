#!/usr/bin/python3
"""What goes wrong in a courtroom's machine while it records: its disk, its clock, the clock of a camera, a microphone that is unplugged.

    tests/system/test_live_faults.py [TEST...]      what needs root says so and is left out without it
"""
import signal

import broken_disk
import live_room as r
import odd_camera
import power_cut
import sound_card
import wall_clock
import world as w

SEGMENTS = "[segments]\nvideo_seconds = 2\naudio_seconds = 5\n"
YEARS = 9 * 365 * 86_400


def segments(entries, stream):
    return [e for e in entries if e["kind"] == "segment" and e["stream"] == stream]


def runs(station, hearing, stream):
    return {e["run"] for e in segments(station.entries(hearing), stream)}


def new_run(station, hearing, *streams, after=None):
    """Until each of these has logged a segment of a run that was not there before `after` was done."""
    before = {stream: max(runs(station, hearing, stream)) for stream in streams}
    if after:
        after()
    r.wait_for(f"a new run of {streams}", lambda: all(max(runs(station, hearing, stream)) > before[stream] for stream in streams), 30)


def logs_a_segment(station, hearing, *streams):
    """Until each of these has logged one more."""
    count = {stream: len(segments(station.entries(hearing), stream)) for stream in streams}
    r.wait_for(f"a segment of {streams}", lambda: all(len(segments(station.entries(hearing), s)) > count[s] for s in streams), 30)


def adds_up(world, hearing, entries, allowed_ms=500):
    for stream, (declared, recorded, gaps, rest) in r.account(entries).items():
        assert recorded > 0 and rest <= allowed_ms, f"{stream}: of {declared} ms {rest} ms are neither recorded ({recorded}) nor a gap ({gaps})"
    code, verdict = world.verify()
    assert code == 0 and all(h["verdict"].startswith("VERIFIED") for h in verdict["hearings"]), verdict
    account = world.accounts()[hearing]
    assert account["joins"] == 0, account
    for one in account["streams"]:
        assert one["declared_ms"] >= entries[-1]["mono_ms"] - entries[0]["mono_ms"] and one["recorded_ms"] > 0, one
    return account


def signed(station, hearing):
    """What is in the log and signed now."""
    size = int((station.home / "spool" / hearing / "checkpoint").read_text().split("\n")[1])
    return station.entries(hearing)[:size]


def test_a_disk_that_fails_once():
    """EIO for a write and for a sync, in the recorder and in a process that reads a stream: said in words, the hearing goes on, what was
    signed stays, what is missing is a gap by fault, and no failed sync is asked again."""
    if not broken_disk.possible():
        return print("  skipped: failing system calls need root")
    with w.World() as world:
        world.start()
        film = r.make_film(world.folder / "film.mp4", size="320x180", seconds=120)
        streams = [("cam", "video", f"file:{film}"), ("mic", "audio", "test:tone")]
        with r.LiveRoom(world.folder, streams, SEGMENTS, enrol=world.station_code()) as station:
            station.start()
            hearing = station.open()
            folder = station.home / "spool" / hearing
            for of_reader, call, path in ((False, "fdatasync", folder / "entries"), (False, "write", folder / "entries"),
                                          (False, "fsync", folder), (True, "fdatasync", None), (True, "write", None)):
                station.records("cam", "mic")
                kept, told = signed(station, hearing), station.log.read_text()
                pid = r.children(station.service.pid)[0] if of_reader else station.service.pid
                with broken_disk.FailingCall(pid, call, path) as fault:
                    r.wait_for(f"{call} to fail", fault.happened)
                    if of_reader:
                        words = r.wait_for("the stream's problem", lambda: [s["problem"] for s in station.state()["streams"] if "problem" in s])[0]
                    else:
                        r.wait_for("the recorder to say it", lambda: "recording stopped" in station.log.read_text()[len(told):])
                        words = station.log.read_text()[len(told):]
                    assert "Input/output error" in words, (call, words)
                    station.records("cam", "mic")
                    assert fault.never_synced_again()
                state = station.state()
                assert "trouble" not in state and state["hearing"]["id"] == hearing, state
                assert station.entries(hearing)[: len(kept)] == kept, "what was signed is not there any more"
            logs_a_segment(station, hearing, "cam", "mic")
            closed = station.ask("close")
            assert closed["closed"] and closed["delivered"], closed
            entries = station.entries(hearing)
        for stream in ("cam", "mic"):
            reasons = [g["reason"] for g in r.gaps_of(entries, stream)]
            assert reasons.count("fault") >= 3 and set(reasons) <= {"fault", "no-signal"}, (stream, reasons)
        assert any("recovered" in e["flags"] for e in segments(entries, "cam")), "nothing was recovered"
        adds_up(world, hearing, entries)


def test_a_disk_that_fills_up_and_a_disk_that_dies():
    """On a real file system: no room, then room again; then the kernel gives it up (EIO for everything), and it comes back after a repair."""
    if not power_cut.possible():
        return print("  skipped: a disk of its own needs root and a loop device")
    with w.World() as world, power_cut.Disk(megabytes=96) as disk:
        world.start()
        film = r.make_film(world.folder / "film.mp4", size="320x180", seconds=120)
        with r.LiveRoom(world.folder, [("cam", "video", f"file:{film}"), ("mic", "audio", "test:tone")], "[spool]\nreserve_hours = 0\n" + SEGMENTS,
                        enrol=world.station_code(), disk=disk.path) as station:
            station.start()
            hearing = station.open()
            station.records("cam", "mic")
            logs_a_segment(station, hearing, "cam", "mic")

            kept = signed(station, hearing)
            other = disk.fill()
            words = r.wait_for("the full disk to be told", lambda: station.state().get("trouble"))
            assert "No space left" in words, words
            assert signed(station, hearing)[: len(kept)] == kept
            other.unlink()
            station.records("cam", "mic")
            logs_a_segment(station, hearing, "cam", "mic")

            kept = signed(station, hearing)
            disk.give_up()
            words = r.wait_for("the dead disk to be told", lambda: station.state().get("trouble"))
            assert "Input/output error" in words and station.state()["lamp"] == {"colour": "red", "why": "trouble"}, station.state()
            assert "Input/output error" in station.ask("mark", "is anybody there", status=2)
            assert station.service.poll() is None, "the service must stay and say so"
            station.end(signal.SIGKILL)
            disk.mount_again()
            station.start()
            station.records("cam", "mic")
            assert station.state()["hearing"]["id"] == hearing
            logs_a_segment(station, hearing, "cam", "mic")
            closed = station.ask("close")
            assert closed["closed"] and closed["delivered"], closed
            entries = station.entries(hearing)
            assert entries[: len(kept)] == kept, "what was signed is not there any more"
            assert "fault" in [g["reason"] for g in r.gaps_of(entries, "cam")], entries
            adds_up(world, hearing, entries)


def test_a_wall_clock_that_is_wrong_at_boot():
    """Nine years behind; set right while three streams are recorded; left alone; set back by an hour. The times of before stay what
    was said, with how good they were, every stream begins a new run, and nothing is missing."""
    with w.World() as world:
        world.start()
        clock = wall_clock.WallClock(world.folder, -YEARS)
        card = sound_card.SoundCard(world.folder)
        camera = r.Camera(r.make_film(world.folder / "film.mp4", size="320x180", seconds=90))
        streams = [("cam", "video", camera.address()), ("mic", "audio", card.address), ("tone", "audio", "test:tone")]
        names = [name for name, _, _ in streams]
        with r.LiveRoom(world.folder, streams, SEGMENTS, enrol=world.station_code()) as station:
            try:
                station.start(*clock.prefix(), *card.prefix())
                hearing = station.open()
                station.records(*names)
                logs_a_segment(station, hearing, *names)
                assert station.state()["clock"]["state"] == "free", station.state()["clock"]
                before = station.entries(hearing)

                new_run(station, hearing, *names, after=lambda: clock.set(0, error_ms=7))
                assert station.state()["clock"]["state"] == "locked" and station.state()["clock"]["error_ms"] == 7, station.state()["clock"]
                clock.set(0)  # nobody corrects it any more
                r.wait_for("the clock to be alone", lambda: station.state()["clock"]["state"] == "holdover")
                new_run(station, hearing, *names, after=lambda: clock.set(-3600))
                station.records(*names)
                closed = station.ask("close")
                assert closed["closed"] and closed["delivered"], closed
                entries = station.entries(hearing)
                assert entries[: len(before)] == before, "past times were rewritten"
                assert station.log.read_text().count("the wall clock jumped") == 2, station.log.read_text()
            finally:
                camera.end()
        for name in names:
            check_times(segments(entries, name))
            lost = sum(g["mono_ms"][1] - g["mono_ms"][0] for g in r.gaps_of(entries, name)[1:])  # the first is its beginning
            assert lost < (4000 if name == "mic" else 500), (name, r.gaps_of(entries, name))
        account = adds_up(world, hearing, entries)
        assert abs(account["declared_ms"] - entries[-1]["mono_ms"] + entries[0]["mono_ms"]) < 1000, ("a step of the wall clock is counted as time", account)


def check_times(told):
    """Segments of one stream, in three stretches by their wall clock."""
    year = [e["utc"][:4] for e in told]
    states = [e["clock"]["state"] for e in told]
    first = sum(1 for y in year if y == year[0])
    assert first < len(told) and states[:first] == ["free"] * first and {e["clock"]["error_ms"] for e in told[:first]} == {60_000}, told
    assert "free" not in states[first:] and states[first] == "locked" and states[-1] == "holdover", told
    # A segment that began in the half second in which the recorder had not looked yet is still of the old run.
    assert told[first + 1]["run"] > told[first - 1]["run"], told
    assert all(b["mono_ms"] >= a["mono_ms"] for a, b in zip(told, told[1:])), told
    assert told[-1]["utc"] < max(e["utc"] for e in told), "the hour by which it was set back is not told"


def test_a_camera_whose_timestamps_are_wrong():
    """Backwards, forward by a minute, by hours, back again, none at all, all the same: the stream goes on in a new run or says why not,
    nothing goes missing unsaid, and the stream beside it does not notice."""
    with w.World() as world:
        world.start()
        film = r.make_film(world.folder / "film.mp4", size="320x180", seconds=60)
        camera, microphone = odd_camera.OddCamera(film), odd_camera.OddCamera()
        odd = {"cam": camera, "mic": microphone}
        streams = [("cam", "video", camera.address), ("mic", "audio", microphone.address), ("tone", "audio", "test:tone")]
        with r.LiveRoom(world.folder, streams, SEGMENTS, enrol=world.station_code()) as station:
            station.start()
            hearing = station.open()
            station.records("cam", "mic", "tone")
            logs_a_segment(station, hearing, "cam", "mic")
            pids = set(r.children(station.service.pid))
            for seconds in (-10, 60, 5 * 3600, -4 * 3600):
                new_run(station, hearing, "cam", "mic", after=lambda: [one.shift(seconds) for one in odd.values()])
            right = {name: one.stamp for name, one in odd.items()}
            for one in odd.values():
                one.stamp = lambda _: odd_camera.NO_TIME
            logs_a_segment(station, hearing, "cam", "mic")
            assert set(r.children(station.service.pid)) == pids, "a wrong clock has cost a connection"

            for one in odd.values():
                one.stamp = lambda _: 77
            r.running_for(3)
            for name, one in odd.items():
                one.stamp = right[name]
            station.records("cam", "mic", "tone", seconds=40)
            logs_a_segment(station, hearing, "cam", "mic")
            closed = station.ask("close")
            assert closed["closed"] and closed["delivered"], closed
            entries = station.entries(hearing)
        camera.end()
        microphone.end()
        for name in ("cam", "mic"):
            declared, recorded, _, _ = r.account(entries)[name]
            assert recorded > 0.6 * declared, (name, r.account(entries))
        assert {e["run"] for e in segments(entries, "tone")} == {0} and len(r.gaps_of(entries, "tone")) <= 1, r.gaps_of(entries, "tone")
        adds_up(world, hearing, entries)


def test_a_microphone_that_is_unplugged():
    """Told in words that lead to the plug; the stream beside it does not notice; plugged in again, it is recorded again."""
    with w.World() as world:
        world.start()
        card = sound_card.SoundCard(world.folder)
        with r.LiveRoom(world.folder, [("mic", "audio", card.address), ("tone", "audio", "test:tone")], SEGMENTS, enrol=world.station_code()) as station:
            station.start(*card.prefix())
            hearing = station.open()
            station.records("mic", "tone")
            card.unplug()
            r.wait_for("its loss to be told", lambda: "is it plugged in" in station.stream("mic").get("problem", ""))
            assert station.state()["state"] == "fault" and station.stream("tone")["state"] == "recording", station.state()
            card.plug_in()
            station.records("mic", "tone")
            closed = station.ask("close")
            assert closed["closed"] and closed["delivered"], closed
            entries = station.entries(hearing)
        gaps = [g for g in r.gaps_of(entries, "mic") if g["reason"] == "fault"]
        assert len(gaps) == 1, r.gaps_of(entries, "mic")
        # Before its first sample and behind its last one a stream may lack a moment; not while the microphone was out.
        out_from, out_to = gaps[0]["mono_ms"]
        beside = [g for g in r.gaps_of(entries, "tone") if g["mono_ms"][0] < out_to and g["mono_ms"][1] > out_from]
        assert not beside, (gaps, beside)
        adds_up(world, hearing, entries)


if __name__ == "__main__":
    w.main([value for name, value in list(globals().items()) if name.startswith("test_")], at_once=5)
