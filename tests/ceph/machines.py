"""Several machines of one archive before one pool: one writes, the others send stations on, hand on what people ask, and take
over when it dies. Run by test_archive.py, in its cluster."""
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

from test_continues import Room  # noqa: E402
import world as w  # noqa: E402

TAKEOVER_S = 30


class Machine(w.World):
    """A further machine of the archive of `first`, with the keys of its backup."""

    def __init__(self, first, words):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="greffe."))
        self.name = first.name
        self.home = self.folder / "a"
        self.config = self.home / "archive.toml"
        self.machine, self.browser = w.free_ports(2)
        self.server = None
        self.log = self.folder / "archive.log"
        w.run(w.ARCHIVE, "join", "--dir", self.home, *words, "--backup", first.home / "key-backup.json", "--recovery-code-file",
              first.folder / "recovery", "--machine", f"127.0.0.1:{self.machine}", "--browser", f"127.0.0.1:{self.browser}")


def url(machine):
    return f"https://127.0.0.1:{machine.machine}"


def send_to(room, machine):
    """The station knows this one machine of the archive and no other."""
    path = room.home / "enrolment.json"
    value = json.loads(path.read_text())
    value["address"] = url(machine)
    value.pop("nodes", None)
    path.write_text(json.dumps(value))


def play(browser, hearing):
    """Watches the hearing's sound in ranges; the digests of what was played."""
    status, timeline, _ = browser.call("GET", f"/v1/hearings/{hearing}/timeline")
    assert status == 200, (status, timeline)
    digests = [segment["sha256"] for stream in timeline["streams"] for segment in stream["segments"]]
    assert digests, timeline
    for digest in digests:
        address = f"/v1/hearings/{hearing}/objects/{digest}.mp4"
        status, whole, headers = browser.call("GET", address)
        assert status == 200 and headers["ETag"] == f'"{digest}"' and headers["Content-Type"] == "video/mp4", (status, headers)
        status, part, headers = browser.call("GET", address, headers={"Range": "bytes=4-7"})
        assert status == 206 and part == whole[4:8] == b"ftyp" and headers["Content-Range"] == f"bytes 4-7/{len(whole)}", (status, part, headers)
    return digests


def people(machine, hearing, password):
    """What a clerk can do at a machine that waits, and what nobody can."""
    stranger = w.Browser(machine)
    assert stranger.call("POST", "/v1/session", {"account": "zoe", "password": "wrong password"})[0] == 401
    assert stranger.call("POST", "/v1/session", {"account": "zoe", "password": password}, {"Origin": "https://other.example"})[0] == 403
    forged = {"Greffe-Forwarded": "10.9.9.9 1795600000000 AAAA"}  # ends at the first machine
    assert stranger.call("POST", "/v1/session", {"account": "zoe", "password": "wrong password"}, forged)[0] == 401
    clerk = w.Browser(machine).log_in("zoe", password)
    assert [h["id"] for h in clerk.find("RG 26/00001")] == [hearing]
    (digest,) = play(clerk, hearing)
    assert stranger.call("GET", f"/v1/hearings/{hearing}/objects/{digest}.mp4")[0] == 401
    status, ticket, _ = clerk.call("POST", f"/v1/hearings/{hearing}/play")
    assert status == 200, ticket
    status, data, _ = stranger.call("GET", f"/v1/play/{ticket['ticket']}/objects/{digest}.mp4")
    assert status == 200 and data[4:8] == b"ftyp", (status, data[:20])
    assert stranger.call("GET", f"/v1/play/{ticket['ticket'][::-1]}/objects/{digest}.mp4")[0] == 403
    return clerk


def kill_in_the_middle(room, hearings, writer):
    """Kills the writer when some of these hearings are delivered and others are not; the station that does it, which goes on."""
    station = subprocess.Popen([w.INGEST, "drain", "--station-dir", room.home, "--json", "--retry-for", "120"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)

    def confirmed():
        return [hearing for hearing in hearings if (room.home / "spool" / hearing / "receipt").exists()]
    deadline = time.monotonic() + 60
    while not confirmed():
        assert time.monotonic() < deadline and station.poll() is None, "no receipt came"
        time.sleep(0.005)
    station.send_signal(signal.SIGSTOP)
    assert len(confirmed()) < len(hearings), "all was delivered already"
    writer.stop(signal.SIGKILL)
    station.send_signal(signal.SIGCONT)
    return station


def await_takeover(machines):
    """(the machine that writes now, how long that took)"""
    began = time.monotonic()
    while True:
        for machine in machines:
            if "ready: " in machine.log.read_text():
                return machine, time.monotonic() - began
        assert time.monotonic() - began < TAKEOVER_S, [machine.log.read_text() for machine in machines]
        time.sleep(0.05)


def stands(machine):
    return json.loads(machine.archive("status", "--json").stdout)["node"]


def machines(words):
    with Room(pool=words) as room:
        first = room.world
        others = [Machine(first, words) for _ in range(2)]
        try:
            return several(room, first, others)
        finally:
            for machine in others:
                machine.__exit__()


def several(room, first, others):
    password = first.add_user("zoe", "clerk")
    first.stop()
    urls = [url(machine) for machine in (first, *others)]
    for machine in (first, *others):
        machine.set("nodes", urls)
    first.start()
    for machine in others:
        machine.start(until="waiting: ")
        assert stands(machine) == {"machine_url": url(machine), "writer": url(first), "writes": False}, stands(machine)
    refused = others[0].archive("user", "list", check=False)
    assert refused.returncode == 2 and url(first) in refused.stderr, refused

    send_to(room, others[0])
    played = room.begin(0, "--close")[0]
    assert played["delivered"], played
    assert json.loads((room.home / "enrolment.json").read_text())["nodes"] == urls
    clerk = people(others[1], played["hearing"], password)

    # The writer dies in the middle of a delivery.
    waiting = [room.begin(minute, "--close", "--no-upload")[0]["hearing"] for minute in (10, 15, 20, 25)]
    draining = kill_in_the_middle(room, waiting, first)
    writer, took = await_takeover(others)
    out, err = draining.communicate(timeout=120)
    done = json.loads(out)
    assert draining.returncode == 0 and done["not_safe"] == 0 and not done["notices"], (done, err)
    found = room.hearings()
    assert all(found[h]["safe"] for h in (played["hearing"], *waiting)), found

    (other,) = [machine for machine in others if machine is not writer]
    w.Browser(writer).log_in("zoe", password)
    late = w.Browser(other).log_in("zoe", password)
    assert clerk.call("GET", "/v1/session")[0] == 401, "a session is of one writer"
    play(late, waiting[-1])
    first.start(until="waiting: ")
    assert stands(first)["writer"] == url(writer) and stands(writer)["writes"], (stands(first), stands(writer))
    for hearing in (played["hearing"], *waiting):
        export = writer.folder / f"export-{hearing}"
        writer.archive("export", hearing, export)
        code, verdict = writer.verify(export)
        assert code == 0 and verdict["hearings"][0]["verdict"] == "VERIFIED", verdict
    check = json.loads(writer.archive("check", "--json").stdout)
    assert check["findings"] == [], check
    return f"another of three machines served {took:.1f} s after the writer was killed; {len(waiting) + 1} hearings whole"
