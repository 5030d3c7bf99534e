"""The station's half of test_crash.py: greffe-ingest is killed while it files a recording."""
import base64
import json
import pathlib
import shutil
import signal
import struct
import subprocess
import time

import crash_points
import world as w
from machine_client import sha256, tree_root

VIDEO_SECONDS, AUDIO_SECONDS = 22, 35
VERIFY_EVERY = 10


def make_media(folder):
    """A camera of three segments and a microphone of two; every second looks and sounds different from the others."""
    camera, microphone = folder / "cam.mp4", folder / "mic.wav"
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", f"testsrc2=s=320x180:r=10:d={VIDEO_SECONDS}",
                    "-c:v", "libx264", "-preset", "veryfast", "-g", "10", camera], check=True)
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", f"sine=330:r=8000:d={AUDIO_SECONDS}", microphone],
                   check=True)
    return camera, microphone


def entries_in(path):
    """The whole entries of a hearing's log in the spool: two bytes of length, then the entry."""
    data, at, out = path.read_bytes() if path.exists() else b"", 0, []
    while at + 2 <= len(data):
        size = struct.unpack(">H", data[at : at + 2])[0]
        if at + 2 + size > len(data):
            break
        out.append(data[at + 2 : at + 2 + size])
        at += 2 + size
    return out


def begun_in(spool):
    """The folders of the hearings that have begun; one whose name ends in .new has not."""
    return [p for p in spool.iterdir() if (p / "entries").exists() and p.suffix != ".new"] if spool.exists() else []


class Record:
    """What the station's disk says was acknowledged, read by the test itself right after the kill."""

    def __init__(self, spool):
        self.hearings = {}
        for folder in sorted(begun_in(spool)):
            receipt = folder / "receipt"
            lines = receipt.read_text().split("\n") if receipt.exists() else []
            self.hearings[folder.name] = {
                "entries": entries_in(folder / "entries"), "folder": folder,
                "acknowledged": int(lines[1]) if len(lines) > 2 else 0, "root": lines[2] if len(lines) > 2 else None}

    def check(self, archive_volumes):
        for identity, hearing in self.hearings.items():
            size, entries = hearing["acknowledged"], hearing["entries"]
            if size > len(entries):
                raise AssertionError(f"a receipt for {size} entries, the station's own log has {len(entries)}")
            if size and base64.b64encode(tree_root(entries[:size])).decode() != hearing["root"]:
                raise AssertionError("the receipt is not for the station's log")
            for number, entry in enumerate(entries):
                digest = json.loads(entry).get("sha256")
                if not digest:
                    continue
                copies = [v / "sha256" / digest[:2] / digest[2:4] / digest for v in archive_volumes]
                held = sum(p.exists() and sha256(p.read_bytes()) == digest for p in copies)
                if number < size and held < 2:
                    raise AssertionError(f"entry {number} of {identity} was acknowledged; its object has {held} copies")
                own = hearing["folder"] / "objects" / digest
                if number >= size and not (own.exists() and sha256(own.read_bytes()) == digest):
                    raise AssertionError(f"entry {number} of {identity} is not acknowledged and the station has no object for it")


class StationRun:
    def __init__(self):
        self.world = w.World()
        self.world.start()
        self.camera, self.microphone = make_media(self.world.folder)
        self.details = self.world.folder / "details.json"
        self.details.write_text(json.dumps({"cases": ["RG 26/00001"], "title": "Test"}))
        self.home = self.world.folder / "station"
        self.home.mkdir()
        self.config = self.home / "station.toml"
        self.config.write_text(f'directory = "{self.home}"\n')
        w.run(w.INGEST, "--config", self.config, "enrol", "--code-file", self.world.station_code())
        self.snapshot = self.world.folder / "snapshot"
        shutil.copytree(self.home, self.snapshot)
        self.runs = 0
        self.wanted = None  # milliseconds per stream, of an undisturbed run

    def reset(self):
        shutil.rmtree(self.home)
        shutil.copytree(self.snapshot, self.home)

    def words(self):
        return [str(w.INGEST), "--config", str(self.config), "import", "--stream", f"cam-bench={self.camera}", "--stream",
                f"mic-judge={self.microphone}", "--start", "2026-11-22T09:00:00.000Z", "--details", str(self.details), "--mark",
                "2026-11-22T09:00:05.000Z,a mark", "--close", "--json"]

    def durations(self, identity):
        total = {}
        for entry in entries_in(self.home / "spool" / identity / "entries"):
            value = json.loads(entry)
            if value["kind"] == "segment":
                total[value["stream"]] = total.get(value["stream"], 0) + value["duration_90k"]
        return {stream: ticks // 90 for stream, ticks in total.items()}

    def closed(self, identity):
        return any(json.loads(e)["kind"] == "close" for e in entries_in(self.home / "spool" / identity / "entries"))

    def trace(self):
        self.reset()
        watched = crash_points.Watched(self.words(), stderr=subprocess.DEVNULL)
        if watched.end(120) != 0:
            raise AssertionError("the undisturbed import did not succeed under strace")
        return watched.calls

    def undisturbed(self):
        if self.wanted is None:
            self.reset()
            identity = json.loads(w.run(*self.words()).stdout)["hearing"]
            self.wanted = self.durations(identity)
            for stream, seconds in (("cam-bench", VIDEO_SECONDS), ("mic-judge", AUDIO_SECONDS)):
                if abs(self.wanted[stream] - seconds * 1000) > 200:
                    raise AssertionError(f"{stream}: {self.wanted[stream]} ms were filed of {seconds} s")
        return self.wanted

    def one(self, kill_at, _):
        """Where it was killed; None when the filing was over before."""
        wanted = self.undisturbed()
        self.reset()
        watched = crash_points.Watched(self.words(), kill_at)
        watched.end(120)
        self.leftovers()
        record = Record(self.home / "spool")
        record.check(self.world.volumes)
        answer = json.loads(w.run(*self.words()).stdout)
        identity = answer["hearing"]
        begun = [name for name in record.hearings]
        if begun and identity not in begun:
            raise AssertionError(f"{begun} had been begun, and the same import filed another hearing, {identity}")
        if not self.closed(identity):
            raise AssertionError("the hearing is not finished")
        filed = self.durations(identity)
        if any(abs(filed.get(stream, 0) - ms) > 1 for stream, ms in wanted.items()):
            raise AssertionError(f"an undisturbed import files {wanted} ms, this one {filed}")
        after = Record(self.home / "spool")
        after.check(self.world.volumes)
        for name, hearing in record.hearings.items():
            size = hearing["acknowledged"]
            if after.hearings[name]["entries"][:size] != hearing["entries"][:size]:
                raise AssertionError("what was acknowledged is not in the log any more")
        if after.hearings[identity]["acknowledged"] != len(after.hearings[identity]["entries"]):
            raise AssertionError("not all of the hearing is acknowledged at the end")
        self.runs += 1
        if self.runs % VERIFY_EVERY == 1:
            self.finish()
        return watched.killed_at

    def finish(self):
        status, verdict = self.world.verify()
        if status != 0:
            raise AssertionError(f"greffe-verify: {json.dumps(verdict)[:800]}")
        self.world.invariants(f"{self.world.name}/hearing/{identity} {hearing['acknowledged']}"
                              for identity, hearing in Record(self.home / "spool").hearings.items())

    def leftovers(self):
        """The child that reads foreign media must not outlive a killed station."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            alive = [p.parent.name for p in pathlib.Path("/proc").glob("[0-9]*/cmdline") if self.mine(p)]
            if not alive:
                return
            time.sleep(0.05)
        for pid in alive:
            subprocess.run(["kill", f"-{signal.SIGKILL.value}", pid], check=False)
        raise AssertionError(f"{len(alive)} processes of the killed station were still there after 5 s")

    def mine(self, path):
        try:
            words = path.read_bytes()
        except OSError:
            return False
        return str(self.home).encode() in words and b"greffe-ingest" in words
