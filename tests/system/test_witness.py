#!/usr/bin/python3
"""An archive and those who witness its main log: another archive, and one that was written from the text of C2SP alone. They cosign over the
network and by files; a liar stops nobody for good, and an archive that was put back to an older state is stopped by who knows better."""
import json
import pathlib
import shutil
import sys
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from machine_client import Hearing, MachineClient, Refused, details_document, sha256  # noqa: E402
from python_witness import PythonWitness  # noqa: E402
from test_replicate import Sites  # noqa: E402
from test_scrub import main_entries  # noqa: E402
from world import ROOT, VERIFY, Browser, World, free_ports, main, run  # noqa: E402

CITY = "city.test.example"


class Watched:
    """A primary, and a replica of another city that witnesses it. Both serve."""

    def __init__(self, **settings):
        self.settings = settings

    def __enter__(self):
        self.metrics, port = free_ports(2)
        self.primary = World(settings={"metrics_address": f"127.0.0.1:{self.metrics}", **self.settings}).__enter__()
        self.city = World(CITY, role="replica", settings={"witness_address": f"127.0.0.1:{port}"}).__enter__()
        self.url = f"https://127.0.0.1:{port}/v1/witness"
        self.primary.start()
        self.city.start()
        self.log_vkey = json.loads(self.primary.archive("keys", "--json").stdout)["log_vkey"]
        self.city_vkey = self.city.archive("witness", "key").stdout.strip()
        self.city.archive("witness", "add-log", "--vkey", self.log_vkey)
        return self

    def __exit__(self, *_):
        self.city.__exit__()
        self.primary.__exit__()

    def add_city(self, *words):
        self.primary.archive("witness", "add", "--vkey", self.city_vkey, *(words or ("--url", self.url, "--ca-file", self.city.home / "state/browser.crt")))

    def add(self, witness):
        witness.add_log(self.log_vkey)
        self.primary.archive("witness", "add", "--vkey", witness.vkey, "--url", witness.url, "--ca-file", witness.authority)

    def grow(self, check=True):
        """One more entry of the main log."""
        return self.primary.archive("place", "set", "--court", "court-a", "--en", f"Court {time.monotonic_ns()}", check=check)

    def status(self):
        return json.loads(self.primary.archive("status", "--json").stdout)

    def size(self):
        return self.status()["log"]["size"]

    def codes(self):
        return {reason["code"] for reason in self.status()["reasons"]}

    def wait(self, condition, seconds=20):
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"waited in vain\n{json.dumps(self.status()['log'])}\n{self.primary.log.read_text()}")
            time.sleep(0.1)

    def wait_for_all(self):
        def level():
            log = self.status()["log"]
            return log["witnesses"] and all(one["size"] == log["size"] for one in log["witnesses"])
        self.wait(level)

    def wait_for_signing(self):
        self.wait(lambda: self.status()["log"]["signed"])


def test_two_witnesses_cosign_what_is_published():
    with Watched() as w, PythonWitness() as audit:
        w.add_city()
        w.add(audit)
        w.wait_for_all()
        for _ in range(3):
            w.grow()
        w.wait_for_all()
        w.wait(lambda: audit.size_of(w.primary.name) == w.size())
        assert len(audit.requests) < 60, len(audit.requests)
        assert any("\n\n" in body and not body.startswith("old 0\n") and body.index("\n\n") > 20 for body in audit.requests), "no proof was ever sent"
        # The checkpoint carries both lines, for everybody.
        w.primary.add_user("auditor", "auditor")
        person = Browser(w.primary).log_in("auditor", "correct horse battery staple")

        def published():
            status, note, _ = person.call("GET", "/v1/log/main/checkpoint")
            assert status == 200, note
            return note.decode()
        w.wait(lambda: published().count("\u2014 ") == 3)
        assert audit.name in published() and CITY + "/witness" in published(), published()
        keys = person.call("GET", "/v1/keys")[1]
        assert {one["name"] for one in keys["cosigners"]} == {audit.name, CITY + "/witness"}, keys
        state = w.status()
        assert state["second_sites"] == [] and "no-second-site" in w.codes(), "a witness is no second site"
        metrics = urllib.request.urlopen(f"http://127.0.0.1:{w.metrics}/metrics", timeout=10).read().decode()
        for one in (audit.name, CITY + "/witness"):
            assert f'greffe_witness_entries_behind{{witness="{one}"}} 0' in metrics and f'greffe_witness_alarm{{witness="{one}"}} 0' in metrics, metrics
        assert "greffe_main_log_signed 1" in metrics, metrics
        # They count in a policy that asks for one of them, with both verifiers; and not with a witness that nobody knows.
        policy = w.primary.folder / "strict"
        policy.write_text(w.primary.archive("policy", "--with-witnesses").stdout)
        other = PythonWitness("stranger.example")
        unknown = w.primary.folder / "unknown"
        unknown.write_text("".join(line + "\n" for line in policy.read_text().splitlines() if not line.startswith(("quorum", "group")))
                           + f"witness stranger {other.vkey}\nquorum stranger\n")
        for file, good in ((policy, True), (unknown, False)):
            done = run(VERIFY, "--policy", file, "--json", *w.primary.volumes, check=False)
            twin = run(sys.executable, ROOT / "tests/twin/greffe_twin.py", "--policy", file, "--json", *w.primary.volumes, check=False)
            verdicts = {json.loads(one.stdout)["verdict"] for one in (done, twin)}
            assert verdicts == {"VERIFIED" if good else "INCOMPLETE"}, (file.read_text(), done.stdout, twin.stdout)
        # A witness that is lost is an alarm and nothing else.
        w.city.stop()
        w.primary.stop()
        w.primary.set("alarm_after_s", 2)
        w.primary.start()
        w.wait_for_signing()  # the other one agrees
        w.grow()
        w.wait(lambda: "witness-late" in w.codes())
        words = w.primary.archive("status").stdout
        assert f"Witness {CITY}/witness: has cosigned" in words and "cannot be reached" in words, words
        w.primary.archive("witness", "remove", "--name", CITY + "/witness")
        assert "witness-late" not in w.codes() and len(w.status()["log"]["witnesses"]) == 1


def test_by_hand():
    with Watched() as w:
        w.add_city("--json")
        name = CITY + "/witness"
        stick = w.primary.folder / "stick"
        stick.mkdir()
        request, back = stick / "request", stick / "cosigned"

        def carry(status=0):
            w.primary.archive("witness", "request", "--name", name, "--out", request)
            done = w.city.archive("witness", "sign", request, "--out", back, check=False)
            assert done.returncode == status, done.stdout + done.stderr
            return done.stdout

        carry()
        w.primary.archive("witness", "take", back)
        first = w.status()["log"]["witnesses"][0]
        assert first["size"] == w.size() and "url" not in first, first
        # What it signed the last time never came back: it says what it holds, and that is taken instead.
        w.grow()
        carry()
        w.grow()
        assert "NOT COSIGNED" in carry(status=1)
        w.primary.archive("witness", "take", back)
        assert w.status()["log"]["witnesses"][0]["size"] == w.size() - 1
        carry()
        w.primary.archive("witness", "take", back)
        assert w.status()["log"]["witnesses"][0]["size"] == w.size()
        logs = json.loads(w.city.archive("witness", "logs", "--json").stdout)["logs"]
        assert [(one["origin"], one["size"]) for one in logs] == [(w.primary.name, str(w.size()))], logs
        # A file that somebody changed on the way.
        text = back.read_text()
        back.write_text(text.replace("\n", "\n\n", 1))
        assert w.primary.archive("witness", "take", back, check=False).returncode == 2
        request.write_text(request.read_text().replace("old ", "old 9"))
        assert w.city.archive("witness", "sign", request, "--out", back, check=False).returncode == 1
        # The witness is killed and forgets nothing.
        w.city.stop()
        w.city.start()
        again = json.loads(w.city.archive("witness", "logs", "--json").stdout)["logs"]
        assert again == logs, again


def test_a_liar_stops_nobody_for_good():
    with Watched(witness_hold_s=8) as w, PythonWitness() as liar:
        w.add(liar)
        w.wait_for_all()
        liar.lie = (409, "4000000000000000000\n")
        w.grow()
        w.wait(lambda: "witness-ahead" in w.codes())
        assert w.status()["log"]["signed"] and w.status()["log"]["witnesses"][0]["claims"] == "4000000000000000000"
        # At a start it is waited for, and then gone on without it.
        w.primary.stop()
        w.primary.start()
        assert "not-signing" in w.codes()
        refused = w.grow(check=False)
        assert refused.returncode == 2 and "signs nothing at the moment" in refused.stderr, refused.stderr
        w.wait_for_signing()
        w.grow()
        assert "witness-ahead" in w.codes() and "the archive goes on although a witness contradicts it" in w.primary.log.read_text()
        # Where another one agrees, nobody waits.
        w.primary.set("witness_hold_s", 600)
        w.add_city()
        w.primary.stop()
        w.primary.start()
        w.wait_for_signing()
        w.grow()


def test_an_older_state_is_not_signed_until_an_operator_accepts_it():
    with Watched() as w, PythonWitness() as audit:
        w.add_city()
        w.add(audit)
        station = MachineClient(w.primary.station_code().read_text())
        station.enrol()
        w.primary.add_user("clerk", "clerk")
        filed = Hearing(station)
        document = details_document()
        filed.put(document)
        filed.open(sha256(document), {"cam-bench": "video"})
        Sites.record(filed, 1)
        filed.finish()
        filed.post()
        w.wait_for_all()
        w.primary.stop()
        older = w.primary.folder / "older"
        shutil.copytree(w.primary.home, older, ignore=shutil.ignore_patterns("*.sock"))
        w.primary.start()
        w.wait_for_signing()
        for _ in range(3):
            w.grow()
        w.wait_for_all()
        # The whole machine is put back: pool, guard file and everything that it remembers of its witnesses.
        station.close()
        w.primary.stop()
        known = audit.size_of(w.primary.name)
        shutil.rmtree(w.primary.home)
        shutil.copytree(older, w.primary.home)
        w.primary.start()
        w.wait(lambda: f"has cosigned {known}" in w.primary.log.read_text())
        state = w.status()
        assert not state["log"]["signed"] and state["log"]["size"] < known, state["log"]
        why = [reason["what"] for reason in state["reasons"] if reason["code"] == "not-signing"]
        assert len(why) == 1 and "--accept-head" in why[0], state["reasons"]
        assert w.grow(check=False).returncode == 2
        hearing = Hearing(station)
        details = details_document()
        hearing.open(sha256(details), {"cam-bench": "video"})
        hearing.put(details)
        try:
            hearing.post()
            raise AssertionError("a recording was confirmed by an archive that cannot sign")
        except Refused as refused:
            assert refused.status == 503 and "has cosigned" in str(refused), refused
        assert audit.size_of(w.primary.name) == known
        # People play meanwhile, and it will be in the log.
        clerk = Browser(w.primary).log_in("clerk", "correct horse battery staple")
        name = json.loads(filed.entries[1])["sha256"] + ".mp4"
        for _ in range(2):
            assert clerk.call("GET", f"/v1/hearings/{filed.id}/objects/{name}")[0] == 200
        waits = w.primary.home / "state/accesses"
        assert waits.read_text().count('"kind":"access"') == 1, waits.read_text()
        # Nor after a restart, without any witness.
        w.city.stop()
        audit.lie = (500, "")
        station.close()
        w.primary.stop()
        w.primary.start()
        time.sleep(1.5)
        assert not w.status()["log"]["signed"] and "nothing is signed: " in w.primary.log.read_text()
        w.primary.stop()
        w.city.start()
        audit.lie = None
        w.primary.start(more=["--accept-head"])
        assert "--accept-head was given" in w.primary.log.read_text()
        w.grow()
        w.wait(lambda: not waits.exists())
        assert [entry["hearing"] for entry in main_entries(w.primary) if entry["kind"] == "access"] == [filed.id]
        hearing.put(details)
        hearing.post()
        w.wait(lambda: "witness-late" in w.codes())  # both go on contradicting: they never saw this branch
        assert w.status()["log"]["signed"]
        station.close()
        w.primary.stop()
        w.primary.start()
        w.wait_for_signing()
        w.grow()
        assert audit.size_of(w.primary.name) == known


if __name__ == "__main__":
    main([value for name, value in list(globals().items()) if name.startswith("test_")])
