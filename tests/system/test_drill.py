#!/usr/bin/python3
"""The second site rehearses the loss of the first: what it finds is true, is in its log, and is shown; what is broken off leaves nothing.

    tests/system/test_drill.py [TEST...]
"""
import json
import pathlib
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request

import crash_station
import world as w
from machine_client import canonical, sha256
from test_replicate import Sites
from test_scrub import TWIN, await_that, flip, is_good, main_entries

DAY = "2026-11-{:02}T09:00:00.000Z"


class DrilledSites(Sites):
    """Three hearings on three days, with real sound and one with pictures, at both sites."""

    def __init__(self, **settings):
        super().__init__(replica={"drill_bytes_per_second": 0, "metrics_address": f"127.0.0.1:{w.free_ports(1)[0]}", **settings})

    def __enter__(self):
        super().__enter__()
        self.home = self.primary.folder / "station"
        details = self.primary.folder / "details.json"
        details.write_text(json.dumps({"cases": ["RG 26/00001"], "title": "Dupont c. Martin"}))
        self.station("enrol", "--code-file", self.primary.station_code("s2", room="room-2"))
        self.hearings = []
        for day in (20, 21, 22):
            streams = ["--stream", f"mic-judge={self.film(f'tone-{day}.wav', f'sine={10 * day}:r=8000:d=4')}"]
            if day == 21:
                streams += ["--stream", f"cam-bench={self.film('bars.mp4', 'testsrc2=s=160x90:r=25:d=4', '-c:v', 'libx264', '-preset', 'ultrafast')}"]
            filed = self.station("import", *streams, "--start", DAY.format(day), "--details", details, "--close")
            self.hearings.append(filed["hearing"])
        status, report = self.once()
        assert status == 0, report
        return self

    def film(self, name, source, *codec):
        path = self.primary.folder / name
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", source, *codec, path], check=True)
        return path

    def station(self, verb, *words):
        return json.loads(w.run(w.INGEST, verb, "--station-dir", self.home, "--json", *words).stdout)

    def segments(self, hearing):
        entries = [json.loads(e) for e in crash_station.entries_in(self.home / "spool" / hearing / "entries")]
        return [e for e in entries if e["kind"] == "segment"]

    def drill_words(self):
        return [w.REPLICATE, "drill", "--replica", self.second.config]

    def drill(self, status):
        done = w.run(*self.drill_words(), "--json", check=False)
        assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout)

    def filed(self):
        return [e for e in main_entries(self.second) if e["kind"] == "drill"]

    def reasons(self):
        return {r["code"]: r for r in self.facts()["reasons"]}

    def facts(self):
        return json.loads(self.second.archive("status", "--json").stdout)

    def metric(self, name):
        text = urllib.request.urlopen(f"http://{self.replica['metrics_address']}/metrics", timeout=10).read().decode()
        return float(next(line.split()[-1] for line in text.splitlines() if line.startswith(name + "{")))

    def temporary(self):
        folder = self.second.home / "state" / "drill"
        return sorted(p.name for p in folder.iterdir()) if folder.exists() else []


def tells(filed, code, *words):
    return [f["what"] for f in filed["report"]["failures"] if f["code"] == code and all(word in f["what"] for word in words)]


def verified_by_both(site):
    """Its own log, with what the drills left in it; of the copies another policy says more."""
    for program in ([w.VERIFY], [sys.executable, TWIN]):
        done = w.run(*program, "--policy", site.policy(), "--json", *site.volumes, check=False)
        found = [f for f in json.loads(done.stdout)["findings"] if f["code"] in ("unknown-kind", "entry-format", "object-missing", "object-altered")]
        assert not found, found


def test_a_copy_that_is_whole():
    with DrilledSites() as sites:
        filed = sites.drill(0)
        report = filed["report"]
        assert filed["archive"] == sites.primary.name and filed["failures"] == 0, filed
        assert report["catalogue"]["equal"] and report["catalogue"]["hearings"] == 3, report
        assert report["day"]["date"] in ("2026-11-20", "2026-11-21", "2026-11-22") and report["day"]["hearings"] == 1, report
        assert report["media"]["hearing"] in sites.hearings and report["media"]["frames"] > 0 and 3900 <= report["media"]["media_ms"] <= 4100, report
        # Every entry of three short logs is drawn: each segment, waveform and document was read.
        assert report["sample"]["objects"] >= 3 * 3 and filed["objects"] > report["sample"]["objects"], report
        assert report["rto_ms"] < 30_000 and report["rpo_ms"] < 120_000 and report["level"] == 5, report
        assert report["asked"] and report["site"] == sites.second.name and report["head"]["heard"] <= report["began"], report

        entry, = sites.filed()
        assert main_entries(sites.second)[filed["index"]] == entry, filed
        document = canonical(report).encode()
        assert entry["report_sha256"] == filed["report_sha256"] == sha256(document), entry
        assert [p.read_bytes() for p in sites.second.copies(entry["report_sha256"])] == [document] * 3
        head = json.loads(sites.primary.archive("status", "--json").stdout)["log"]
        assert (entry["size"], entry["root"]) == (head["size"], head["root"]), (entry, head)
        verified_by_both(sites.second)
        assert sites.temporary() == []

        words = w.run(*sites.drill_words()).stdout
        assert "all is as its logs say" in words and "the same as the one in use" in words and "RTO" in words, words
        for name, role in (("rosa", "auditor"), ("claire", "clerk")):
            person = w.Browser(sites.second).log_in(name, sites.second.add_user(name, role))
            status, answer, _ = person.call("GET", "/v1/drills?limit=1")
            if role == "clerk":
                assert status == 403, answer
                continue
            assert status == 200 and answer["drills"][0]["index"] > filed["index"], answer
            assert answer["archives"][0]["good"] == answer["drills"][0]["utc"] and not answer["archives"][0]["late"], answer
            status, more, _ = person.call("GET", f"/v1/drills?before={answer['next_before']}")
            assert status == 200 and more["drills"] == [filed], more
        assert sites.metric("greffe_drill_failures") == 0 and sites.metric("greffe_drill_age_seconds") < 60
        assert not {"drill-failed", "drill-late"} & set(sites.reasons())
        # The first site holds nothing of others.
        refused = w.run(w.REPLICATE, "drill", "--replica", sites.primary.config, check=False)
        assert refused.returncode == 2 and "holds no copies" in refused.stderr, refused


def test_damage_is_found_named_and_left_as_it_is():
    with DrilledSites() as sites:
        one, two = sites.segments(sites.hearings[0])[0], sites.segments(sites.hearings[2])[0]
        for path in sites.second.copies(one["sha256"]):
            flip(path)
        for path in sites.second.copies(two["sha256"]):
            path.unlink()
        filed = sites.drill(1)
        assert filed["failures"] >= 2 and filed["report"]["level"] == 0, filed
        assert tells(filed, "object", sites.hearings[0], "stream mic-judge", one["sha256"]), filed["report"]["failures"]
        assert tells(filed, "object", sites.hearings[2], "stream mic-judge", two["sha256"]), filed["report"]["failures"]
        assert filed["report"]["catalogue"]["equal"], filed
        assert not any(is_good(p) for p in sites.second.copies(one["sha256"])) and not sites.second.copies(two["sha256"])
        assert sites.filed()[-1]["failures"] == filed["failures"]
        assert sites.reasons()["drill-failed"]["facts"]["n"] == filed["failures"], sites.reasons()
        assert sites.metric("greffe_drill_failures") == filed["failures"]
        words = w.run(*sites.drill_words(), check=False)
        assert words.returncode == 1 and "FAILURE (object): hearing " + sites.hearings[0] in words.stdout, words
        # Until it is brought back.
        assert sites.replicate("compare", "--repair", check=False).returncode == 0
        assert sites.drill(0)["failures"] == 0
        assert "drill-failed" not in sites.reasons()


def test_a_catalogue_that_says_something_else():
    with DrilledSites() as sites:
        state = sites.second.home / "state"
        await_that("the copy's catalogue is made", lambda: list(state.glob("catalogue-*.sqlite")))
        sites.second.stop()
        path, = state.glob("catalogue-*.sqlite")
        with sqlite3.connect(path) as database:
            database.execute("UPDATE hearing SET room = 'room-9' WHERE id = ?", (sites.hearings[1],))
        database.close()
        sites.second.start()
        filed = sites.drill(1)
        assert not filed["report"]["catalogue"]["equal"] and filed["failures"] == 1, filed
        said, = tells(filed, "catalogue", "says something else than the logs", path.name)
        # As it says.
        sites.second.stop()
        path.unlink()
        sites.second.start()
        await_that("the catalogue is there again", path.exists)
        assert sites.drill(0)["report"]["catalogue"]["equal"], said


def test_what_is_broken_off_leaves_nothing():
    with DrilledSites(drill_bytes_per_second=500) as sites:
        objects = [p for v in sites.second.volumes for p in (v / "sha256").rglob("*")]
        verb = subprocess.Popen([str(word) for word in sites.drill_words()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        await_that("a drill is under way", lambda: sites.facts()["drills"][0]["running"])
        verb.send_signal(signal.SIGTERM)
        _, said = verb.communicate(timeout=20)
        assert verb.returncode == 2 and "broken off" in said, (verb.returncode, said)
        await_that("it is over", lambda: not sites.facts()["drills"][0]["running"])
        verb = subprocess.Popen([str(word) for word in sites.drill_words()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        await_that("another one is under way", lambda: sites.facts()["drills"][0]["running"])
        begun = time.monotonic()
        sites.second.stop()
        assert time.monotonic() - begun < 10, "the archive waits for the drill"
        assert verb.wait(20) == 2
        verb.communicate()
        sites.second.start()
        assert sites.filed() == []
        assert [p for v in sites.second.volumes for p in (v / "sha256").rglob("*")] == objects
        assert sites.temporary() == []


def test_by_itself_and_without_what_decodes():
    with DrilledSites(media_checker="/nowhere/greffe-ingest") as sites:
        sites.second.stop()
        sites.second.set("drill_every_s", 2)
        sites.second.start()
        await_that("a drill was made by itself", sites.filed)
        entry = sites.filed()[0]
        report = json.loads(pathlib.Path(sites.second.copies(entry["report_sha256"])[0]).read_bytes())
        assert not report["asked"] and "media" not in report, report
        assert [f["code"] for f in report["failures"]] == ["decode"] and "install it" in report["failures"][0]["what"], report
        await_that("it is late, because none goes well", lambda: "drill-late" in sites.reasons())
        assert sites.metric("greffe_drill_alarm") == 1


if __name__ == "__main__":
    w.main([value for name, value in list(globals().items()) if name.startswith("test_")], at_once=2)
