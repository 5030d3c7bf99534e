"""The demo's long hearing: its first minute is recorded live by the courtroom's service, the rest is filed behind it.

The cameras and microphones are files that are played in real time. The service is killed (kill -9) while it records, and
goes on by itself; a person makes marks, a recess, and says afterwards why there is a hole. DIR/filed.json remembers every
step that was done, so that a quickstart that was stopped goes on.
"""
import datetime
import json
import signal
import subprocess
import time

DOWN_SECONDS = 4  # what a machine needs to notice and to start a service again; long enough to be asked about
PATIENCE_SECONDS = 90  # a loaded machine is slow, not broken


def utc(ms):
    moment = datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def ms_of(text):
    return round(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def log_of(bundle):
    """The entries of a log: each a big-endian length of 16 bits and a line of JSON (docs/formats/spool.md)."""
    at = 0
    while at < len(bundle):
        length = int.from_bytes(bundle[at:at + 2], "big")
        yield json.loads(bundle[at + 2:at + 2 + length])
        at += 2 + length


class Courtroom:
    """The service `greffe-ingest run` of one station, and the verbs that a person there uses."""

    def __init__(self, folder, programs, station):
        self.home = folder / "stations" / station  # its directory is below (site.sh)
        self.words = [str(programs / "greffe-ingest"), "--config", str(self.home / "station.toml")]
        self.service = None

    def ask(self, *words):
        done = subprocess.run([*self.words, *map(str, words), "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              check=False)
        if done.returncode != 0:
            raise RuntimeError(f"greffe-ingest {words[0]} failed with exit status {done.returncode}: {done.stderr.strip()[-400:]}")
        return json.loads(done.stdout)

    def start(self):
        with open(self.home / "service.log", "a") as log:
            self.service = subprocess.Popen([*self.words, "run"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.wait("it answers and has all its streams", lambda: all(s["state"] in ("ready", "recording") for s in self.state()["streams"]))

    def end(self, number):
        if self.service is None:
            return
        self.service.send_signal(number)
        self.service.wait(PATIENCE_SECONDS)
        self.service = None

    def state(self):
        return self.ask("state")

    def wait(self, what, holds):
        until = time.monotonic() + PATIENCE_SECONDS
        problem = ""
        while time.monotonic() < until:
            if self.service.poll() is not None:
                raise RuntimeError(f"the station's service ended; {self.home / 'service.log'} says why")
            try:
                if holds():
                    return
            except RuntimeError as refused:  # it has just started
                problem = f": {refused}"
            time.sleep(0.2)
        raise RuntimeError(f"waited {PATIENCE_SECONDS} s in vain until {what}{problem}")

    def records(self, seconds):
        """Every stream records; then so long."""
        self.wait("all streams record", lambda: all(s["state"] == "recording" for s in self.state()["streams"]))
        time.sleep(seconds)

    def log(self, hearing):
        return list(log_of((self.home / "spool" / "spool" / hearing / "entries").read_bytes()))


def open_hearing(room, folder, hearing, record):
    live = room.state().get("hearing")  # it is there when only its id was not written down
    details = folder / "details" / (hearing["id"] + ".json")
    record["live"] = live["id"] if live else room.ask("open", "--details", details)["hearing"]


def crash(room):
    room.end(signal.SIGKILL)
    time.sleep(DOWN_SECONDS)
    room.start()


def explain(room):
    """A hole that nobody declared asks for an explanation, which is filed. In a recess everything before it is in the log."""
    for gap in room.state()["hearing"]["unexplained"]:
        if gap["reason"] == "fault":
            room.ask("explain", "Le poste a été redémarré pendant l’audience.", "--gap", gap["gap"])


def live_steps(room, folder, hearing, record):
    mark = [lambda text=mark["text"]: room.ask("mark", text) for mark in hearing["marks"]]
    return [
        ("open", lambda: open_hearing(room, folder, hearing, record)), ("opening", mark[0]), ("first part", lambda: room.records(22)),
        ("crash", lambda: crash(room)), ("second part", lambda: room.records(10)), ("witness", mark[1]),
        ("third part", lambda: room.records(8)), ("suspension", mark[2]),
        ("pause", lambda: room.ask("pause", "--reason", hearing["gaps"][0]["reason"])), ("recess", lambda: time.sleep(8)),
        ("explanation", lambda: explain(room)), ("resume", lambda: room.ask("resume")), ("resumption", mark[3]), ("last part", lambda: room.records(18)),
    ]


def record_live(folder, programs, hearing, record, save):
    """Records what is still to be recorded; when it returns, the service has stopped and the hearing is open. Its id."""
    room = Courtroom(folder, programs, hearing["station"])
    done = record.setdefault("done", [])
    steps = [step for step in live_steps(room, folder, hearing, record) if step[0] not in done]
    if steps:
        room.start()
    try:
        for name, step in steps:
            step()
            done.append(name)
            save()
    finally:
        room.end(signal.SIGTERM)
    if "rest_start" not in record:
        ends = [ms_of(e["utc"]) + -(-e["duration_90k"] // 90) for e in room.log(record["live"]) if e["kind"] == "segment"]
        record["rest_start"] = utc(max(ends))
        save()
    return record["live"]
