#!/usr/bin/python3
"""The engine between two sites on one machine: a backlog, nothing to do, and the way of a new segment.

  [OBJECTS=60] [ROUNDS=3] [FILES=1000000] tests/bench/replication.py drain|idle|fresh

drain: objects of 2.5 MB over loopback TLS to a second site with one volume, until they are synced and confirmed there; beside `rclone copy` of
the same files over TLS (WebDAV) to the same disk, and a sync of that disk. idle: a pass in which nothing is to be done; beside `rclone copy` of a
tree of 1,000,000 files that is there already (links of some files: it compares sizes and times). What a pass costs hangs on how many
hearings there were lately, not on their objects: the pool has as many finished ones as so many objects are hours of two cameras and three
microphones, and one in progress, each with a few objects. fresh: from the end of `entries` with a new segment to
the second site's confirmation at the first one, one each second.
"""
import concurrent.futures
import contextlib
import copy
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from common import ROOT, cpu_seconds, forget_pages, free_ports, median, row

sys.path.insert(0, str(ROOT / "tests" / "twin"))
import sample  # noqa: E402
from machine_client import Hearing, details_document, random_object, sha256  # noqa: E402
from test_replicate import REPLICATE, Sites  # noqa: E402

OBJECTS, OBJECT_BYTES, ROUNDS = int(os.environ.get("OBJECTS", "60")), 2_500_000, int(os.environ.get("ROUNDS", "3"))
FILES = int(os.environ.get("FILES", "1000000"))
LINKS_MOST = 50_000
LANES = 8
OBJECTS_OF_AN_HOUR = 2 * 360 + 3 * 120
FRESH = 60


def usage_of(words, pids=()):
    """(CPU seconds of the program and of those processes meanwhile, wall seconds)"""
    before, begun = cpu_seconds(pids), time.monotonic()
    process = subprocess.Popen([str(w) for w in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    told = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise RuntimeError(f"{words[0]} ended with {status}: {told}")
    return usage.ru_utime + usage.ru_stime + cpu_seconds(pids) - before, time.monotonic() - begun


@contextlib.contextmanager
def webdav(folder, scratch):
    """rclone's own server over TLS, without an account, on loopback."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", scratch / "key.pem", "-out", scratch / "cert.pem"], check=True, capture_output=True)
    (port,) = free_ports(1)
    server = subprocess.Popen(["rclone", "serve", "webdav", folder, "--addr", f"127.0.0.1:{port}", "--cert", scratch / "cert.pem", "--key", scratch / "key.pem"],
                              stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 30
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError("rclone serve webdav does not start")
            time.sleep(0.05)
        yield server, ["--ca-cert", scratch / "cert.pem", "--webdav-url", f"https://127.0.0.1:{port}"]
    finally:
        server.terminate()
        server.wait(10)


def file_objects(client, number, count, size=OBJECT_BYTES):
    hearing = Hearing(client, start_ms=sample.START_MS + number * 100_000)
    details = details_document()
    hearing.put(details)
    hearing.open(sha256(details), {"cam-bench": "video"})
    for _ in range(count):
        data = random_object(size)
        hearing.put(data)
        hearing.segment("cam-bench", data, 1260, 900_000)
    hearing.finish()
    hearing.post()
    return hearing


def file_hearings(sites, count):
    """Finished ones with two small objects each, several at a time."""
    def share(first):
        client = copy.copy(sites.client)
        client.connection = None  # one of its own
        for number in range(first, count, LANES):
            file_objects(client, number, 2, 2000)
        client.close()
    with concurrent.futures.ThreadPoolExecutor(LANES) as pool:
        list(pool.map(share, range(LANES)))


def drain():
    ours, theirs = [], []
    with Sites(replica={"replicas": 1, "write_quorum": 1}) as sites, tempfile.TemporaryDirectory(prefix="greffe-bench.") as scratch:
        scratch = pathlib.Path(scratch)
        there = scratch / "there"
        there.mkdir()
        with webdav(there, scratch) as (server, remote):
            for number in range(ROUNDS + 1):
                hearing = file_objects(sites.client, number, OBJECTS)
                source = scratch / f"source-{number}"
                source.mkdir()
                for digest in sites.digests(hearing):
                    os.link(sites.primary.copies(digest)[0], source / digest)
                os.sync()

                def replicate():
                    cost = usage_of([REPLICATE, "--config", sites.config, "once"], [sites.second.server.pid])
                    if any(len(sites.second.copies(d)) != 1 for d in sites.digests(hearing)):
                        raise RuntimeError("the second site does not hold one copy of each object")
                    return cost

                def copy_with_rclone():
                    cpu, wall = usage_of(["rclone", "copy", *remote, "--transfers", "4", source, f":webdav:{number}"], [server.pid])
                    begun = time.monotonic()
                    subprocess.run(["sync", "-f", there], check=True)
                    return cpu, wall + time.monotonic() - begun
                for who, work in ((ours, replicate), (theirs, copy_with_rclone)) if number % 2 else ((theirs, copy_with_rclone), (ours, replicate)):
                    who.append(work())
                    for volume in (there, *sites.second.volumes):
                        forget_pages(volume)
                print(f"round {number}: ours {ours[-1][0]:.2f} s of CPU, {ours[-1][1]:.2f} s; rclone {theirs[-1][0]:.2f} s of CPU, {theirs[-1][1]:.2f} s", flush=True)
    wall = median([b[1] / a[1] for a, b in zip(ours[1:], theirs[1:])])
    cpu = median([a[0] / b[0] for a, b in zip(ours[1:], theirs[1:])])
    rate = OBJECTS * OBJECT_BYTES / median([a[1] for a in ours[1:]]) / 1e6
    row("backlog over loopback TLS, 2.5 MB objects, one copy, synced and confirmed", "rclone copy over TLS and a sync", ">= 2 x its speed",
        f"{wall:.2f} x ({rate:.0f} MB/s), {cpu:.2f} x CPU, both ends", wall >= 2)


def tree_of_links(folder, files):
    source = None
    for number in range(files):
        below = folder / f"{number >> 10:04x}"
        if number % 1024 == 0:
            below.mkdir(parents=True)
        path = below / f"{number:08x}"
        if number % LINKS_MOST == 0:
            path.write_bytes(b"x" * 100)
            source = path
        else:
            os.link(source, path)


def idle():
    with Sites() as sites, tempfile.TemporaryDirectory(prefix="greffe-bench.") as scratch:
        scratch = pathlib.Path(scratch)
        hearings = max(20, FILES // OBJECTS_OF_AN_HOUR)
        file_hearings(sites, hearings)
        sites.begin(hearings)
        sites.once()
        tree_of_links(scratch / "a", FILES)
        tree_of_links(scratch / "b", FILES)
        for number in range(FILES // LINKS_MOST + 1):  # the same times
            for path in (scratch / "a").glob(f"{number * LINKS_MOST >> 10:04x}/{number * LINKS_MOST:08x}"):
                shutil.copystat(path, scratch / "b" / path.relative_to(scratch / "a"))
        ours = [usage_of([REPLICATE, "--config", sites.config, "once"], [sites.second.server.pid]) for _ in range(5)]
        theirs = usage_of(["rclone", "copy", scratch / "a", scratch / "b"])
        wall, cpu = median([a[1] for a in ours]), median([a[0] for a in ours])
        row(f"nothing to do, {hearings} hearings, beside a tree of {FILES} files", "rclone copy, local to local", ">= 100 x faster, <= 1 s",
            f"{theirs[1] / wall:.0f} x faster ({wall:.3f} s beside {theirs[1]:.1f} s), CPU {theirs[0] / cpu:.0f} x ({cpu:.3f} s at both ends beside {theirs[0]:.1f} s)",
            wall <= 1 and theirs[1] / wall >= 100)


def fresh():
    waits = []
    with Sites() as sites:
        hearing = sites.begin()
        with sites.running():
            sites.wait(lambda: sites.status()["caught_up"])
            for _ in range(FRESH):
                due = time.monotonic() + 1
                sites.record(hearing, 1)
                begun = time.monotonic()
                while True:
                    note = sites.client.call("GET", hearing.path + "/checkpoint")["checkpoint"]
                    if int(note.split("\n")[1]) == len(hearing.entries) and "dr.test.example/holder" in note:
                        break
                    if time.monotonic() - begun > 30:
                        raise RuntimeError("no confirmation in 30 s")
                    time.sleep(0.01)
                waits.append(time.monotonic() - begun)
                time.sleep(max(0, due - time.monotonic()))
    waits.sort()
    p99 = waits[len(waits) * 99 // 100]
    row("a new segment to the second site's confirmation, idle line", "", "p99 <= 2 s", f"p50 {waits[len(waits) // 2]:.2f} s, p99 {p99:.2f} s", p99 <= 2)


if __name__ == "__main__":
    {"drain": drain, "idle": idle, "fresh": fresh}[sys.argv[1]]()
