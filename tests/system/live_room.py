"""A courtroom that records live: RTSP cameras, microphones and the station's service, each a process that can be hurt."""
import copy
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

import crash_station
import world as w

CAMERA = pathlib.Path(__file__).with_name("rtsp_camera.py")


def make_film(path, size="640x360", seconds=90, codec="libx264"):
    """A picture that moves, a key frame each second, and a tone."""
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", f"testsrc2=s={size}:r=25:d={seconds}",
                    "-f", "lavfi", "-i", f"sine=440:r=48000:d={seconds}", "-c:v", codec, "-preset", "ultrafast", "-g", "25", "-bf", "0",
                    "-pix_fmt", "yuv420p", *(["-tag:v", "hvc1", "-x265-params", "log-level=none"] if codec == "libx265" else []), "-c:a", "aac", path], check=True)
    return path


def wait_for(what, test, seconds=20):
    """What `test` returns once it is true."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = test()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s in vain for {what}")


class Camera:
    """rtsp_camera.py on a port that stays the same over restarts."""

    def __init__(self, film, mounts=1, login=()):
        """`login`: user and password, when it is not for everybody."""
        (self.port,), self.mounts, self.login, self.process = w.free_ports(1), mounts, login, None
        self.start(film)

    def start(self, film):
        self.process = subprocess.Popen(["/usr/bin/python3", CAMERA, str(self.port), film, str(self.mounts), *self.login], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("ready"):
            raise AssertionError("the test camera does not start")

    def signal(self, number):
        self.process.send_signal(number)

    def end(self):
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process = None

    def address(self, mount=0, login=""):
        return f"rtsp://{login}{'@' if login else ''}127.0.0.1:{self.port}/cam{mount}"


class LiveRoom:
    """A station's directory, its configuration and its service; a context manager that ends what it started."""

    def __init__(self, folder, streams, settings="", enrol=None, disk=None):
        """`disk`: where its directory is, and nothing else of it."""
        self.home = pathlib.Path(disk or folder) / "station"
        self.home.mkdir()
        self.log = pathlib.Path(folder) / "station.log"
        self.config = (pathlib.Path(folder) if disk else self.home) / "station.toml"
        self.config.write_text(f'directory = "{self.home}"\n' * bool(disk) + settings + "".join(
            f'[[stream]]\nname = "{name}"\nmedium = "{medium}"\naddress = "{address}"\n' for name, medium, address in streams))
        self.details = pathlib.Path(folder) / "details.json"
        self.details.write_text(json.dumps({"cases": ["RG 26/00001"]}))
        self.service = None
        if enrol:
            self.ask("enrol", "--code-file", enrol)
        else:
            self.ask("prepare", "--archive", "archive.test.example", "--name", "s1", "--court", "court-a", "--room", "room-1")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end(signal.SIGKILL)

    def start(self, *prefix):
        with open(self.log, "a") as log:
            self.service = subprocess.Popen([*prefix, w.INGEST, "--config", self.config, "run"], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        wait_for("the station's service", lambda: (self.home / "control.sock").exists() and self.state() is not None)
        return self

    def end(self, with_signal=signal.SIGTERM):
        if self.service is None:
            return
        self.service.send_signal(with_signal)
        self.service.wait(30)
        self.service = None

    def ask(self, verb, *words, status=0):
        done = w.run(w.INGEST, "--config", self.config, verb, "--json", *words, check=False)
        assert done.returncode == status, (verb, words, done.returncode, done.stdout, done.stderr, self.log.read_text() if self.log.exists() else "")
        return json.loads(done.stdout) if done.stdout.startswith("{") else done.stderr

    def state(self):
        done = w.run(w.INGEST, "--config", self.config, "state", "--json", check=False)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def stream(self, name):
        return next(s for s in self.state()["streams"] if s["name"] == name)

    def ask_at(self, port):
        """The archive is at this port from the next start on, as when something stands between them."""
        path = self.home / "enrolment.json"
        value = json.loads(path.read_text())
        value["address"] = f"https://127.0.0.1:{port}"
        path.write_text(json.dumps(value))

    def copy(self, folder):
        """The same station once more, as it is on the disk now; its service does not run."""
        twin = copy.copy(self)
        twin.home, twin.log, twin.service = folder / "station", folder / "station.log", None
        twin.config = twin.home / "station.toml"
        if self.service:
            stop_all(self.service.pid, signal.SIGSTOP)
        try:
            shutil.copytree(self.home, twin.home, ignore=shutil.ignore_patterns("control.sock"))
        finally:
            if self.service:
                stop_all(self.service.pid, signal.SIGCONT)
        return twin

    def open(self):
        hearing = self.ask("open", "--details", self.details)["hearing"]
        return hearing

    def correct(self, details, *more, status=0):
        path = self.details.with_name("right.json")
        path.write_text(json.dumps(details))
        return self.ask("correct", "--details", path, *more, status=status)

    def records(self, *names, seconds=20):
        """Until each of these streams has made something durable."""
        def all_do():
            found = {s["name"]: s for s in self.state()["streams"]}
            return all(found[n]["state"] == "recording" and found[n].get("silent_ms", 9999) < 2500 and self.bytes_open(n) for n in names)
        wait_for(f"streams {names} to record", all_do, seconds)

    def bytes_open(self, name):
        found = [p.stat().st_size for p in self.home.glob(f"spool/*/open/{name}-*")]
        return sum(found) if found else 0

    def entries(self, hearing):
        return [json.loads(e) for e in crash_station.entries_in(self.home / "spool" / hearing / "entries")]


def account(entries):
    """{stream: (declared, recorded, declared as gaps, unexplained)} in milliseconds of one boot's monotonic clock."""
    begin = entries[0]["mono_ms"]
    close = entries[-1]
    assert close["kind"] == "close", close
    out = {}
    for name in [s["name"] for s in entries[0]["streams"]]:
        recorded = [(e["mono_ms"], e["mono_ms"] + e["duration_90k"] / 90) for e in entries if e["kind"] == "segment" and e["stream"] == name]
        gaps = [tuple(e["mono_ms"]) for e in entries if e["kind"] == "gap" and (name in e["streams"] or "*" in e["streams"])]
        covered, at = 0, begin
        for first, last in sorted(recorded + gaps):
            covered += max(0, last - max(first, at))
            at = max(at, last)
        declared = close["mono_ms"] - begin
        out[name] = (declared, sum(b - a for a, b in recorded), sum(b - a for a, b in gaps), declared - covered)
    return out


def gaps_of(entries, stream):
    return [e for e in entries if e["kind"] == "gap" and stream in e["streams"]]


def running_for(seconds):
    """A real recording needs real time; nothing is judged by how long it took."""
    time.sleep(seconds)


def children(pid):
    """The processes that read the streams of this service."""
    out = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            out.append(int(entry.parent.name))
    return out


def kill(pid, number):
    os.kill(pid, number)


def stop_all(pid, number):
    """A signal to a service and to the processes that read for it."""
    for one in [pid, *children(pid)]:
        os.kill(one, number)
