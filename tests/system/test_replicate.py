#!/usr/bin/python3
"""Two archives and a replicator between them: what is filed at the first is held, confirmed and provable at the second."""
import contextlib
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "twin"))
import sample  # noqa: E402
from machine_client import Hearing, MachineClient, details_document, sha256  # noqa: E402
from world import PROGRAMS, Browser, World, free_ports, main, run  # noqa: E402

REPLICATE = PROGRAMS / "greffe-replicate"


class Sites:
    """A primary, replicas of these names, and a replicator between them."""

    pool = replica_pool = ()  # in the words of `init`; volumes

    def __init__(self, targets=("dr",), replica=None):
        self.names = targets
        self.replica = replica or {}

    def __enter__(self):
        self.primary = World(settings={"commit_interval_s": 1}, pool=self.pool).__enter__()
        self.targets = {name: World(f"{name}.test.example", role="replica", settings=self.replica, pool=self.replica_pool).__enter__() for name in self.names}
        for target in self.targets.values():
            target.start()
        self.connect()
        return self

    def connect(self):
        """Starts the primary and makes a replicator from there to the targets, which run."""
        self.second = self.targets[self.names[0]]
        self.primary.start()
        self.folder = self.primary.folder / "replicate"
        self.folder.mkdir()
        self.config = self.folder / "replicate.toml"
        self.metrics = free_ports(1)[0]
        tables = "[target]\n" if len(self.names) == 1 else "".join(f'[[target]]\nname = "{name}"\n' for name in self.names)
        self.config.write_text(f'state_directory = "state"\narchive = "{self.primary.name}"\nmetrics_address = "127.0.0.1:{self.metrics}"\n[source]\n'
                               f"{self.primary.place()}{tables}")
        keys = json.loads(self.primary.archive("keys", "--json").stdout)
        for name, target in self.targets.items():
            there = json.loads(target.archive("keys", "--json").stdout)
            code, source = self.folder / f"target-{name}", self.folder / f"source-{name}"
            target.archive("origin", "add", "--name", self.primary.name, "--log-vkey", keys["log_vkey"], "--code-file", code)
            self.primary.archive("cosigner", "add", "--vkey", there["holder_vkey"], "--code-file", source)
            if target is self.second:
                self.replicate("enrol-source", "--code-file", source)
            self.replicate("enrol-target", "--code-file", code, *(["--target", name] if len(self.names) > 1 else []))
        self.client = MachineClient(self.primary.station_code().read_text())
        self.client.enrol()

    def __exit__(self, *_):
        self.client.close()
        for target in self.targets.values():
            target.__exit__()
        self.primary.__exit__()

    def replicate(self, *words, check=True):
        return run(REPLICATE, "--config", self.config, *words, check=check)

    def once(self):
        done = self.replicate("once", "--json", check=False)
        if done.returncode not in (0, 1):
            raise AssertionError(f"once ended with {done.returncode}: {done.stderr}")
        return done.returncode, json.loads(done.stdout)

    def status(self):
        return json.loads(self.replicate("status", "--json").stdout)

    @contextlib.contextmanager
    def running(self):
        """`run`, until the end of the block; its log is run.log."""
        with open(self.folder / "run.log", "a") as log:
            service = subprocess.Popen([REPLICATE, "--config", self.config, "run"], stdout=log, stderr=log)
            try:
                yield service
            finally:
                service.send_signal(signal.SIGTERM)
                status = service.wait(30)
        assert status == 0, status

    def log(self):
        return (self.folder / "run.log").read_text()

    def wait(self, condition, seconds=30):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.2)

    def begin(self, number=0):
        hearing = Hearing(self.client, start_ms=sample.START_MS + number * 100_000)
        details = details_document()
        hearing.put(details)
        hearing.open(sha256(details), {"cam-bench": "video"})
        hearing.post()
        return hearing

    @staticmethod
    def record(hearing, segments=2):
        for _ in range(segments):
            data, init_bytes, ticks = sample.segment(hearing.streams["cam-bench"]["at"], 10)
            hearing.put(data)
            hearing.segment("cam-bench", data, init_bytes, ticks)
        hearing.post()

    def file(self, number=0):
        hearing = self.begin(number)
        self.record(hearing)
        hearing.finish()
        hearing.post()
        return hearing

    def digests(self, hearing):
        return [json.loads(e)["sha256"] for e in hearing.entries if json.loads(e)["kind"] == "segment"]


def test_once_carries_everything_and_brings_the_confirmations():
    with Sites() as sites:
        hearings = [sites.file(i) for i in range(3)]
        behind = sites.status()
        assert behind["hearings_behind"] == 3 and behind["bytes_behind"] > 0 and not behind["caught_up"], behind
        status, report = sites.once()
        assert status == 0 and report["caught_up"] and report["undelivered"] == 0, report
        assert report["objects_sent"] == 9, report  # two segments and one document each
        after = sites.status()
        assert after["caught_up"] and after["entries_behind"] == 0 and after["hearings_behind"] == 0, after
        for hearing in hearings:
            held = sites.client.call("GET", hearing.path + "/checkpoint")["checkpoint"]
            assert "dr.test.example/holder" in held and "archive.test.example/holder" in held, held
            for digest in sites.digests(hearing):
                assert len(sites.second.copies(digest)) == 3
        # The first site's policy asks for the second site's confirmation; both pools satisfy it.
        for volumes in (sites.primary.volumes, sites.second.volumes):
            exit_status, verdict = sites.primary.verify(*volumes)
            assert exit_status == 0 and verdict["verdict"] == "VERIFIED", verdict
            assert len(verdict["hearings"]) == 3
        # Nothing left to do; nothing is sent twice.
        status, report = sites.once()
        assert status == 0 and report["objects_sent"] == 0 and report["entries_sent"] == 0, report


def test_people_find_and_play_a_copy_at_the_second_site():
    with Sites() as sites:
        hearing = sites.file()
        sites.once()
        court = f"{sites.primary.name}/{sites.client.code['court']}"
        users = {name: sites.second.add_user(name, "clerk", court=seen) for name, seen in
                 (("all", None), ("one", court), ("other", f"{sites.primary.name}/elsewhere"))}
        people = {name: Browser(sites.second).log_in(name, password) for name, password in users.items()}
        end = time.monotonic() + 20
        while not people["all"].find("") and time.monotonic() < end:
            time.sleep(0.2)
        for name, rows in (("all", 1), ("one", 1), ("other", 0)):
            assert len(people[name].find("")) == rows, name
        row = people["one"].find("")[0]
        assert row["id"] == hearing.id and row["archive"] == sites.primary.name and row["court"] == court, row
        address = f"/v1/hearings/{hearing.id}"
        for digest in sites.digests(hearing):
            status, data, _ = people["one"].call("GET", f"{address}/objects/{digest}.mp4")
            assert status == 200 and sha256(data) == digest, status
            assert people["other"].call("GET", f"{address}/objects/{digest}.mp4")[0] == 404
        status, opened, _ = people["one"].call("GET", address)
        assert status == 200 and opened["rights"] == {"correct": False, "export": False, "mark": False, "play": True, "share": False, "shares": True}, opened
        status, answer, _ = people["one"].call("POST", f"{address}/marks", {"at": row["start"], "text": "here"})
        assert status == 403 and sites.primary.name in answer["detail"], answer
        # What a page checks with: the keys of the archive that keeps it, and the proof from that archive's log.
        keys = people["one"].call("GET", f"/v1/keys?archive={sites.primary.name}")[1]
        ours = json.loads(sites.primary.archive("keys", "--json").stdout)
        assert keys["log_vkey"] == ours["log_vkey"] and keys["holder_vkey"] == ours["holder_vkey"], keys
        proof = people["one"].call("GET", f"{address}/proof")[1]
        assert proof["main_checkpoint"].startswith(sites.primary.name + "\n") and hearing.id in proof["checkpoint_entry"]["entry"], proof


def test_an_exported_hearing_verifies():
    with Sites() as sites:
        hearing = sites.file()
        sites.once()
        folder = sites.folder / "export"
        sites.primary.archive("export", hearing.id, folder)
        exit_status, verdict = sites.primary.verify(folder)
        assert exit_status == 0, verdict
        twin = run(sys.executable, pathlib.Path(sample.__file__).parent / "greffe_twin.py", "--policy", sites.primary.policy(),
                   "--json", folder, check=False)
        assert json.loads(twin.stdout)["verdict"] == verdict["verdict"], twin.stdout + twin.stderr


def test_a_recording_in_progress_is_followed():
    with Sites() as sites:
        hearing = sites.begin()
        with sites.running():
            for _ in range(3):
                sites.record(hearing, 1)
                wanted = len(hearing.entries)

                def confirmed():
                    note = sites.client.call("GET", hearing.path + "/checkpoint")["checkpoint"]
                    return int(note.split("\n")[1]) == wanted and "dr.test.example/holder" in note
                sites.wait(confirmed, 15)
            # The second site goes away and comes back: the service goes on by itself.
            sites.second.stop()
            hearing.finish()
            hearing.post()
            sites.wait(lambda: sites.status()["hearings_behind"] == 1 and "not_asked" in sites.status())
            sites.second.start()
            sites.wait(lambda: sites.status()["caught_up"], 60)


def test_two_targets_each_at_its_own_pace():
    with Sites(("dr", "province")) as sites:
        away = sites.targets["province"]
        with sites.running():
            first = sites.file(0)
            sites.wait(lambda: all(one["caught_up"] for one in sites.status()["targets"]))
            away.stop()
            second = sites.file(1)
            sites.wait(lambda: sites.status()["targets"][0]["caught_up"])
            dr, province = sites.status()["targets"]
            assert (dr["name"], province["name"]) == ("dr", "province") and not province["caught_up"], province
            assert province["hearings_behind"] == 1 and "not_asked" in province and province["service"], province
            picture = {one["class"]: one for one in province["classes"]}["picture"]
            assert picture["objects"] == 2 and picture["age_ms"] > 0, picture
            assert all(len(sites.second.copies(d)) == 3 for d in sites.digests(second))
            metrics = urllib.request.urlopen(f"http://127.0.0.1:{sites.metrics}/metrics", timeout=10).read().decode()
            assert 'greffe_replication_echo_age_seconds{target="province"}' in metrics, metrics
            away.start()
            sites.wait(lambda: all(one["caught_up"] for one in sites.status()["targets"]), 60)
            for hearing in (first, second):
                def signers():
                    note = sites.client.call("GET", hearing.path + "/checkpoint")["checkpoint"]
                    return {name for name in sites.names if f"{name}.test.example/holder" in note}
                sites.wait(lambda: signers() == set(sites.names))
            # The first site shows a line for each.
            state = json.loads(sites.primary.archive("status", "--json", check=False).stdout)
            assert [one["entries_behind"] for one in state["second_sites"]] == [0, 0], state["second_sites"]
        assert "target province" in sites.log() and "takes copies again" in sites.log(), sites.log()
        # One alone, by name; both, each with its own end.
        sites.file(2)
        only = json.loads(sites.replicate("once", "--target", "province", "--json").stdout)
        assert only["caught_up"] and only["name"] == "province", only
        away.stop()
        status, both = sites.once()
        assert status == 1 and [one["caught_up"] for one in both["targets"]] == [True, False], both
        assert "error" in both["targets"][1], both


def test_a_replica_raises_an_alarm_when_nothing_is_heard():
    with Sites(replica={"alarm_after_s": 3}) as sites:
        def origin():
            state = json.loads(sites.second.archive("status", "--json", check=False).stdout)
            return state["origins"][0], [one for one in state["reasons"] if one["code"] == "origin-silent"]
        sites.file()
        with sites.running():
            sites.wait(lambda: sites.status()["caught_up"])
            facts, reasons = origin()
            assert facts["name"] == sites.primary.name and not facts["alarm"] and not reasons, facts
        # The replicator is gone: the second site notices by itself.
        sites.wait(lambda: origin()[0]["alarm"], 15)
        facts, reasons = origin()
        assert len(reasons) == 1 and sites.primary.name in reasons[0]["what"] and "since" in reasons[0], reasons
        sites.wait(lambda: "nothing was heard of " + sites.primary.name in sites.second.log.read_text(), 5)
        sites.second.stop()  # after a restart it still knows
        sites.second.start()
        sites.wait(lambda: origin()[0]["alarm"], 15)
        with sites.running():
            sites.wait(lambda: not origin()[0]["alarm"], 15)
            sites.wait(lambda: "is heard of again" in sites.second.log.read_text(), 5)


def test_a_hole_is_named_and_holds_up_nothing_but_the_main_log():
    with Sites() as sites:
        damaged = sites.file(0)
        victim = sites.digests(damaged)[1]
        for copy in sites.primary.copies(victim):
            copy.chmod(0o600)
            copy.write_bytes(b"not it")
        good = sites.file(1)
        status, report = sites.once()
        assert status == 1 and [h["object"] for h in report["holes"]] == [victim], report
        assert report["hearings_behind"] == 1 and report["main_held"] < report["main_size"], report
        assert all(len(sites.second.copies(d)) == 3 for d in sites.digests(good)), "the later hearing did not flow"
        lag = sites.status()
        assert not lag["caught_up"] and lag["hearings_behind"] >= 1 and "oldest" in lag, lag
        assert len(sites.second.copies(victim)) == 0


def test_confirmations_are_delivered_when_the_archive_is_back():
    with Sites() as sites:
        hearing = sites.file()
        sites.client.close()
        sites.primary.stop()
        status, report = sites.once()  # the pool can be read without the service
        assert status == 1 and report["caught_up"] and report["undelivered"] >= 1, report
        sites.primary.start()
        status, report = sites.once()
        assert status == 0 and report["undelivered"] == 0, report
        assert "dr.test.example/holder" in sites.client.call("GET", hearing.path + "/checkpoint")["checkpoint"]


def test_an_older_state_of_the_first_site_is_noticed():
    with Sites() as sites:
        sites.file(0)
        assert sites.once()[0] == 0
        sites.primary.stop()
        for volume in sites.primary.volumes:
            shutil.copytree(volume / "log/main", sites.folder / volume.name)
        sites.primary.start()
        sites.client.close()
        sites.file(1)
        assert sites.once()[0] == 0
        sites.primary.stop()
        for volume in sites.primary.volumes:
            shutil.rmtree(volume / "log/main")
            shutil.copytree(sites.folder / volume.name, volume / "log/main")
        done = sites.replicate("once", check=False)
        assert done.returncode == 2 and "older state was put in place" in done.stderr, done.stderr
        # The machine's own memory is gone as well: the archive starts, until the replicator shows it what the second site holds.
        (sites.primary.home / "state/guard").unlink()
        sites.primary.start()
        assert json.loads(sites.primary.archive("status", "--json").stdout)["log"]["signed"]
        assert sites.replicate("once", check=False).returncode == 2
        state = json.loads(sites.primary.archive("status", "--json").stdout)
        assert not state["log"]["signed"] and "not-signing" in {reason["code"] for reason in state["reasons"]}, state["log"]
        sites.primary.stop()
        sites.primary.start(more=["--accept-head"])
        assert json.loads(sites.primary.archive("status", "--json").stdout)["log"]["signed"]


def test_killed_at_any_moment_it_goes_on():
    with Sites() as sites:
        for i in range(4):
            sites.file(i)
        for delay in (0.01, 0.03, 0.06, 0.1, 0.15, 0.25):
            process = subprocess.Popen([REPLICATE, "--config", sites.config, "once"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(delay)
            process.kill()
            process.wait()
        status, report = sites.once()
        assert status == 0 and report["caught_up"], report
        assert sites.primary.verify(*sites.second.volumes)[0] == 0


if __name__ == "__main__":
    main([value for name, value in list(globals().items()) if name.startswith("test_")])
