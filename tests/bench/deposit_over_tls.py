#!/usr/bin/python3
"""Filing over mutual TLS: CPU seconds of `greffe-archive serve` while eight stations file hearings, beside a server that only
stores files and the least that hash and copies can cost.

  tests/bench/deposit_over_tls.py [OBJECTS [ROUNDS]]      OBJECTS of 2.5 MB for each station and round

The stations enrol, ask `have`, PUT, send the entries and check the receipt; all of it is in the archive's figure. The peer is
nginx DAV (one copy, no hash, no sync) fed by the same client, plus deposit_floor's hash and three copies, unsynced. The
stricter ratio counts nginx's copy as one of the three.
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from common import BUILD, Nginx, cpu_seconds, forget_pages, median, row
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from machine_client import sha256
from world import World

CLIENT = BUILD / "tests" / "bench_deposit_client"
STATIONS = 8
OBJECT_BYTES = 2_500_000
DAV = """client_max_body_size 20m; ssl_verify_client optional_no_ca;
         location /v1/ { dav_methods PUT; create_full_put_path on; add_header Greffe-Epoch 1 always; }"""


class Clients:
    """bench_deposit_client; a round is begin() and what it says."""

    def __init__(self, *words):
        self.process = subprocess.Popen([str(w) for w in (CLIENT, *words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(30)

    def line(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("bench_deposit_client ended early; its message is above")
        return line.strip()

    def round(self, pids=None):
        """(CPU seconds of the processes, or without any of the client itself; wall seconds)"""
        if self.line() != "ready":
            raise RuntimeError("bench_deposit_client is not ready")
        cpu, begun = cpu_seconds(pids or []), time.monotonic()
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        said = json.loads(self.line())
        wall = time.monotonic() - begun
        return (cpu_seconds(pids) - cpu if pids else said["cpu_us"] / 1e6), wall


def key_digest(certificate):
    key = x509.load_pem_x509_certificate(pathlib.Path(certificate).read_bytes()).public_key()
    return sha256(key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))


def count_objects(folder):
    return sum(1 for path in pathlib.Path(folder).rglob("*") if path.is_file() and path.stat().st_size == OBJECT_BYTES)


def expect(what, folders, wanted):
    found = sum(count_objects(folder) for folder in folders)
    for folder in folders:
        forget_pages(folder)
    if found != wanted:
        raise RuntimeError(f"{what} holds {found} objects after the round, not {wanted}")


def main():
    objects = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    each = objects * STATIONS
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="greffe-bench-"))
    floors = [scratch / f"floor-{letter}" for letter in "abc"]
    for folder in floors:
        for i in range(256):
            (folder / "sha256" / f"{i:02x}").mkdir(parents=True)
    dav = scratch / "dav"
    dav.mkdir()
    try:
        with World() as world, Nginx(scratch / "nginx", dav, workers=2, more=DAV) as nginx:
            world.start()
            codes = [world.station_code(f"s{i}", room=f"room-{i}") for i in range(STATIONS)]
            address = f"https://127.0.0.1:{nginx.port}"
            with Clients("archive", objects, *codes) as stations, \
                 Clients("peer", objects, STATIONS, address, key_digest(nginx.folder / "cert.pem")) as peer, \
                 Clients("floor", objects, STATIONS, *floors) as three, Clients("floor", objects, STATIONS, *floors[:2]) as two:
                figures = {"archive": [], "nginx": [], "three": [], "two": []}

                # Nothing is deleted between rounds: ext4 steps over the inodes of files deleted in the last seconds one by one,
                # and whoever comes next would pay for it.
                def file_hearings(number):
                    figures["archive"].append(stations.round([world.server.pid]))
                    expect("the archive", world.volumes, 3 * each * number)

                def file_at_peer(number):
                    figures["nginx"].append(peer.round(nginx.pids()))
                    expect("nginx", [dav], each * number)

                def copy(number):
                    figures["three"].append(three.round())
                    figures["two"].append(two.round())
                    expect("the floor", floors, 5 * each * number)

                work = [file_hearings, file_at_peer, copy]
                for number in range(1, rounds + 2):
                    for one in work if number % 2 == 1 else reversed(work):
                        one(number)
                    print(f"round {number}: " + ", ".join(
                        f"{name} {1000 * f[-1][0] / each:.2f} ms CPU {1000 * f[-1][1] / each:.2f} ms wall" for name, f in figures.items())
                        + " for each object", flush=True)
        report({name: rounds[1:] for name, rounds in figures.items()}, each)  # the first one made the directories
        return 0
    finally:
        shutil.rmtree(scratch)


def report(figures, each):
    ms = {name: 1000 * median([cpu for cpu, _ in rounds]) / each for name, rounds in figures.items()}
    sets = list(zip(*(figures[name] for name in ("archive", "nginx", "three", "two"))))
    ratio = median([a[0] / (n[0] + three[0]) for a, n, three, _ in sets])
    strict = median([a[0] / (n[0] + two[0]) for a, n, _, two in sets])
    wall = median([a[1] / n[1] for a, n, _, _ in sets])
    print(json.dumps({"deposit_over_tls": {"ratio_cpu": round(ratio, 3), "ratio_cpu_strict": round(strict, 3),
                                           "wall_to_nginx": round(wall, 2),
                                           **{f"{name}_cpu_ms": round(value, 2) for name, value in ms.items()}}}))
    row("deposit over TLS, 8 stations, server CPU", "nginx DAV over TLS + hash and three copies", "<= 1.2 x CPU",
        f"{ratio:.2f} x CPU ({strict:.2f} x if nginx's copy is one of the three), {wall:.2f} x nginx's wall", ratio <= 1.2)


if __name__ == "__main__":
    sys.exit(main())
