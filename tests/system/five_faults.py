"""A hearing of two cameras and three microphones through five faults: a camera dies and comes back as another model, one freezes, a
reader is killed, the recorder is killed, a person pauses and mutes. What test_live.py judges and tests/browser looks at."""
import signal

import live_room as r

SEGMENTS = "[segments]\nvideo_seconds = 2\naudio_seconds = 5\n"


def record(world, large, small):
    """Of two films; filed in this world's archive, which runs. (id, entries)."""
    bench, room = r.Camera(large, mounts=3), r.Camera(small, mounts=2)
    streams = [("cam-bench", "video", bench.address(0)), ("cam-room", "video", room.address(0)), ("mic-judge", "audio", bench.address(1)),
               ("mic-bar", "audio", room.address(1)), ("mic-witness", "audio", "test:tone")]
    with r.LiveRoom(world.folder, streams, SEGMENTS, enrol=world.station_code()) as station:
        try:
            station.start()
            hearing = station.open()
            station.records("cam-bench", "cam-room", "mic-judge", "mic-bar", "mic-witness")
            names = [name for name, _, _ in streams]

            bench.end()  # unplugged, with its microphone
            r.wait_for("the loss to be noticed", lambda: "problem" in station.stream("cam-bench"))
            bench.start(small)  # replaced by a model with another resolution
            station.records(*names)

            room.signal(signal.SIGSTOP)  # frozen
            r.wait_for("the freeze to be noticed", lambda: "problem" in station.stream("cam-room"))
            room.signal(signal.SIGCONT)
            station.records(*names)

            assert station.ask("pause", "--reason", "recess", "--person", "u-17")["reason"] == "recess"
            r.wait_for("the pause", lambda: station.state()["state"] == "paused" and all(s["state"] == "ready" for s in station.state()["streams"]))
            assert not list(station.home.glob("spool/*/open/*")), "something is recorded in a pause"
            station.ask("resume")
            station.records(*names)

            station.ask("mark", "the witness is heard")
            station.ask("mute", "--stream", "mic-bar", "--note", "counsel speaks with the client")
            r.running_for(1.5)
            station.ask("unmute", "--stream", "mic-bar")
            station.records(*names)

            r.kill(r.children(station.service.pid)[0], signal.SIGKILL)  # the process that reads one of them
            r.wait_for("its loss to be noticed", lambda: any("problem" in s for s in station.state()["streams"]))
            station.records(*names)

            station.end(signal.SIGKILL)  # the recorder
            assert any(station.home.glob("spool/*/open/*"))
            station.start()
            station.records(*names)
            assert station.state()["hearing"]["id"] == hearing

            closed = station.ask("close")
            assert closed["closed"] and closed["delivered"], closed
            entries = station.entries(hearing)
        finally:
            bench.end()
            room.signal(signal.SIGCONT)
            room.end()
    return hearing, entries
