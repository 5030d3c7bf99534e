#!/usr/bin/python3
"""From the command that promotes a second site to the first receipt that it gives, as the archive, to a station that begins a hearing.

  [HEARINGS=1000000] [OPEN=3000] tests/bench/promotion.py

The copy is made by bench_copied_archive: main log, catalogue, and the logs of OPEN hearings that were in progress, each newer than the main log says.
The second site runs until then. Counted: its service stops, `promote` with two officers' signatures, its service starts, a station that it
knows from the old main log files a document and its `open` entry and has the receipt. Not counted: how long officers take to sign.
"""
import hashlib
import json
import os
import subprocess
import time

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from common import BUILD, row
from machine_client import Hearing, MachineClient, details_document
from test_epochs import raw, verifier_key
from world import World

HEARINGS, OPEN = int(os.environ.get("HEARINGS", "1000000")), int(os.environ.get("OPEN", "3000"))
ARCHIVE = "archive.bench.example"
TARGET_SECONDS = 30
PEM = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()


def key_file(path):
    key = ed25519.Ed25519PrivateKey.generate()
    path.write_bytes(key.private_bytes(*PEM))
    return key


def filled(site):
    """(station's key, code of the site) once it holds the copy and knows its origin."""
    log, station = key_file(site.folder / "log.pem"), key_file(site.folder / "station.pem")
    officers = [site.archive("officer", "key", "--out", site.folder / f"officer-{n}").stdout.split()[-1] for n in (1, 2)]
    code = site.folder / "code"
    site.start()
    site.archive("origin", "add", "--name", ARCHIVE, "--log-vkey", verifier_key(ARCHIVE, 1, raw(log)), "--code-file", code)
    site.stop()
    begun = time.monotonic()
    subprocess.run([BUILD / "tests" / "bench_copied_archive", site.home, ARCHIVE, site.folder / "log.pem", site.folder / "station.pem", *officers,
                    str(HEARINGS), str(OPEN)], check=True)
    print(f"{HEARINGS} hearings and {OPEN} in progress: filled in {time.monotonic() - begun:.0f} s", flush=True)
    return station, code.read_text()


def signatures(site):
    words, statement = [], site.folder / "statement"
    begun = time.monotonic()
    plan = json.loads(site.archive("promote", ARCHIVE, "--statement", statement, "--json").stdout)
    print(f"statement over {plan['size']} entries, {plan.get('open_hearings')} hearings not finished: {time.monotonic() - begun:.1f} s", flush=True)
    for n in (1, 2):
        words += ["--signature", site.folder / f"signed-{n}"]
        site.archive("officer", "sign", "--name", f"officer-{n}", "--key-file", site.folder / f"officer-{n}", "--statement", statement, "--out", words[-1])
    return plan, words


def first_receipt(code, key):
    client = MachineClient(code, key=key, timeout=120)
    client.archive, client.epoch = ARCHIVE, 2
    client.code |= {"court": "court-1", "room": "room-1", "name": "station-1"}
    hearing = Hearing(client, start_ms=int(time.time() * 1000))
    details = details_document()
    hearing.put(details)
    hearing.open(hashlib.sha256(details).hexdigest(), {"cam-bench": "video"})
    note = hearing.post()
    if f"{ARCHIVE}/epoch/2/holder" not in note:
        raise RuntimeError(f"this is no receipt of the new epoch: {note}")
    client.close()


def measure():
    with World("dr.bench.example", role="replica") as site:
        station, code = filled(site)
        site.start()
        plan, words = signatures(site)
        times = [time.monotonic()]

        def step(name, work):
            work()
            times.append(time.monotonic())
            print(f"{name}: {times[-1] - times[-2]:.1f} s", flush=True)
        step("service stops", site.stop)
        step("promote", lambda: site.archive("promote", ARCHIVE, *words))
        # World.start allows a minute, which is twice what is to be reached.
        step("service starts", site.start)
        step("first receipt", lambda: first_receipt(code, station))
        status = json.loads(site.archive("status", "--json", check=False).stdout)
        if status["archive"]["name"] != ARCHIVE or status["archive"]["epoch"] != 2 or plan["open_hearings"] != OPEN:
            raise RuntimeError(f"the site is not what it should be: {status['archive']}, {plan}")
        seconds = times[-1] - times[0]
        row(f"promotion, {HEARINGS} hearings, {OPEN} of them in progress: from the command to the first receipt", "", f"<= {TARGET_SECONDS} s", f"{seconds:.1f} s",
            seconds <= TARGET_SECONDS)


if __name__ == "__main__":
    measure()
