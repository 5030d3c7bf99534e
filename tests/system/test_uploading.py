#!/usr/bin/python3
"""A station that was without a network for days, and archives that are slow, die, answer nonsense or forget.

    tests/system/test_uploading.py [TEST...]

Whatever happens on the way, in the end the archive holds the same bytes as after an undisturbed delivery, and until then the
station frees nothing.
"""
import json
import random
import shutil
import signal
import subprocess
import time

import bad_line
import crash_station
import world as w

SEED = 20261126
HEARINGS = 3


def expect_words(text, *words):
    for word in words:
        if word not in text:
            raise AssertionError(f"the user reads {text!r}; {word!r} should be in it")


class Offline:
    """A station with some hearings in its spool and an archive that has seen none of them; both can be put back to that moment."""

    def __enter__(self):
        self.world = w.World()
        self.world.start()
        self.home = self.world.folder / "station"
        self.home.mkdir()
        self.config = self.home / "station.toml"
        self.config.write_text("keep_days = 0\n")
        self.station("enrol", "--code-file", self.world.station_code())
        self.world.stop()
        details = self.world.folder / "details.json"
        details.write_text(json.dumps({"cases": ["RG 26/00001"], "title": "Test"}))
        noise = self.world.folder / "noise.wav"
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", "anoisesrc=r=8000:d=70:seed=7", noise], check=True)
        self.hearings = []
        for number in range(HEARINGS):
            done, _ = self.station("import", "--stream", f"mic-judge={noise}", "--start", f"2026-11-2{number}T09:00:00.000Z", "--details", details,
                                   "--close", "--no-upload")
            self.hearings.append(done["hearing"])
        for folder in (self.home, self.world.home):
            shutil.copytree(folder, folder.with_name(folder.name + ".kept"))
        return self

    def __exit__(self, *_):
        self.world.__exit__()

    def back(self):
        self.world.stop()
        for folder in (self.home, self.world.home):
            shutil.rmtree(folder)
            shutil.copytree(folder.with_name(folder.name + ".kept"), folder)

    def station(self, verb, *words, status=0, timeout=120):
        done = w.run(w.INGEST, "--config", self.config, verb, "--json", *words, check=False, timeout=timeout)
        assert done.returncode == status, (verb, done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout) if done.stdout else {}, done.stderr

    def ask_at(self, port):
        """The station's archive is at this port now, as when something stands between them."""
        path = self.home / "enrolment.json"
        value = json.loads(path.read_text())
        value["address"] = f"https://127.0.0.1:{port}"
        path.write_text(json.dumps(value))

    def nothing_freed(self):
        for hearing in self.hearings:
            named = [json.loads(e)["sha256"] for e in crash_station.entries_in(self.home / "spool" / hearing / "entries") if b'"segment"' in e]
            assert len(named) == 3, named
            for digest in named:
                assert (self.home / "spool" / hearing / "objects" / digest).exists(), f"{digest} was freed without a receipt"

    def what_the_archive_holds(self):
        """Per hearing: its log and its objects, byte for byte, of each volume; not what was signed at another moment."""
        out = {}
        for volume in self.world.volumes:
            for hearing in self.hearings:
                (folder,) = volume.glob(f"log/hearing/*/*/*/{hearing}")
                for path in sorted(p for p in (folder / "tile").rglob("*") if p.is_file()):
                    out[f"{volume.name} {hearing} {path.relative_to(folder)}"] = path.read_bytes()
                out[f"{volume.name} {hearing} checkpoint"] = (folder / "checkpoint").read_text().split("\n\n")[0]
            for path in sorted(p for p in (volume / "sha256").rglob("*") if p.is_file()):
                out[f"{volume.name} {path.name}"] = path.read_bytes()
        return out

    def all_is_well(self):
        answer, _ = self.station("status")
        assert answer["not_safe"] == 0 and len(answer["hearings"]) == HEARINGS, answer
        status, verdict = self.world.verify()
        assert status == 0 and len(verdict["hearings"]) == HEARINGS, verdict
        self.world.invariants(f"{self.world.name}/hearing/{h['hearing']} {h['receipt']['archive_size']}" for h in answer["hearings"])


def test_days_without_a_network():
    """Delivered at once; over a line that breaks; by a station and an archive that are killed again and again: the same bytes."""
    random.seed(SEED)
    with Offline() as case:
        case.world.start()
        case.station("drain")
        case.all_is_well()
        wanted = case.what_the_archive_holds()
        assert len([name for name in wanted if "tile/entries" in name]) >= HEARINGS * 3, list(wanted)[:10]

        case.back()
        case.world.start()
        line = bad_line.Line(case.world.machine, 2_000_000)
        case.ask_at(line.port)
        draining = subprocess.Popen([w.INGEST, "--config", case.config, "drain", "--retry-for", "60"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(8):
            time.sleep(random.uniform(0.05, 0.6))
            line.cut()
        out, err = draining.communicate(timeout=90)
        assert draining.returncode == 0, (out, err)
        line.close()
        case.all_is_well()
        assert case.what_the_archive_holds() == wanted, "a broken line has left other bytes"

        case.back()
        line = bad_line.Line(case.world.machine, 2_000_000)
        case.ask_at(line.port)
        for _ in range(6):
            case.world.start()
            draining = subprocess.Popen([w.INGEST, "--config", case.config, "drain", "--retry-for", "60"], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
            time.sleep(random.uniform(0.1, 0.8))
            case.world.stop(signal.SIGKILL)
            draining.kill()
            draining.wait()
        case.world.start()
        case.station("drain")
        line.close()
        case.all_is_well()
        assert case.what_the_archive_holds() == wanted, "killed programs have left other bytes"


def test_an_archive_that_answers_nonsense():
    with Offline() as case:
        kinds = {bad_line.garbage_json: "JSON", bad_line.wrong_shape: "", bad_line.too_short: "", bad_line.endless: "larger than",
                 bad_line.failing: "500", bad_line.not_http: "", bad_line.another_epoch: "Epoch", bad_line.everything_is_here: "does not count"}
        for kind, word in kinds.items():
            server = bad_line.Nonsense(case.world, kind)
            case.ask_at(server.port)
            answer, words = case.station("drain", status=1, timeout=60)
            assert answer["problems"] and answer["not_safe"] == HEARINGS, (kind.__name__, answer)
            assert word in words and len(words) > 40, (kind.__name__, words)
            assert answer["freed_bytes"] == 0, answer
            case.nothing_freed()
            server.close()
        case.world.start()
        case.ask_at(case.world.machine)
        answer, _ = case.station("drain")
        assert answer["delivered"] == HEARINGS and answer["freed_bytes"] > 0, answer
        case.all_is_well()


def test_the_cap_is_kept():
    """A cap of 8 Mbit/s over four connections; the log is exempt, and 0 lets nothing but the log go."""
    with Offline() as case:
        case.world.start()
        size = sum(h["bytes"] for h in case.station("status")[0]["hearings"])
        case.config.write_text("[upload]\nlimit_kbit_s = 0\n")
        answer, words = case.station("drain", status=1)
        expect_words(words, "only the log may go", "station.toml")
        assert {h["receipt"]["archive_size"] for h in answer["hearings"]} == {1}, answer
        case.nothing_freed()
        case.config.write_text("[upload]\nlimit_kbit_s = 8000\n")
        begun = time.monotonic()
        case.station("drain")
        took = time.monotonic() - begun
        assert took > 0.85 * size * 8 / 8_000_000, f"{size} bytes took {took:.1f} s"
        case.all_is_well()
        case.config.write_text('[upload]\ntimetable = ["mon-fri 08:00-18:00 fast"]\n')
        refused = w.run(w.INGEST, "--config", case.config, "status", check=False)
        assert refused.returncode == 2, refused
        expect_words(refused.stderr, "upload.timetable", "mon-fri 08:00-18:00 fast", "kbit/s")


if __name__ == "__main__":
    w.main([value for name, value in list(globals().items()) if name.startswith("test_")])
