#!/usr/bin/python3
"""Ranged GETs over TLS 1.3 on loopback: CPU seconds of `greffe-archive serve` beside those of nginx, in one run.

  tests/bench/http_ranges.py [ROUNDS]

What users get: the archive's object route, with a session, rights and a checked replica; in between bench_http, which is its
HTTP layer alone (each request opens a file). All serve the same four files of 16 MiB. Rounds alternate; the figure is the CPU
of the server (user and system) per request, and the median of the ratios. nginx keeps its files open (open_file_cache).
"""
import http.client
import json
import multiprocessing
import pathlib
import random
import shutil
import ssl
import subprocess
import sys
import tempfile
import time

from common import BUILD, Nginx, cpu_seconds, median, row
from machine_client import Hearing, MachineClient, details_document, random_object, sha256
from world import Browser, World

FILES = 4
FILE_BYTES = 16 * 1024 * 1024
CONNECTIONS = 2
# name, bytes of a range, ranges for each connection and round
SIZES = (("4 MiB", 4 * 1024 * 1024, 40), ("256 KiB", 256 * 1024, 500), ("4 KiB", 4096, 4000))


class Target:
    def __init__(self, port, paths, pids):
        self.port, self.paths, self.pids = port, paths, pids


def fetch(port, paths, size, count, cookie, seed):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, blocksize=65536)
    places = random.Random(seed)
    buffer = bytearray(256 * 1024)
    for _ in range(count):
        first = places.randrange(FILE_BYTES - size)
        connection.request("GET", places.choice(paths), headers={"Range": f"bytes={first}-{first + size - 1}", "Cookie": cookie})
        response = connection.getresponse()
        got = 0
        while True:
            n = response.readinto(buffer)
            if n == 0:
                break
            got += n
        if response.status != 206 or got != size:
            raise RuntimeError(f"status {response.status}, {got} of {size} bytes")
    connection.close()


def measure(pool, target, size, count, cookie):
    begun, cpu = time.monotonic(), cpu_seconds(target.pids)
    pool.starmap(fetch, [(target.port, target.paths, size, count, cookie, seed) for seed in range(CONNECTIONS)])
    return cpu_seconds(target.pids) - cpu, time.monotonic() - begun


def file_hearing(world, objects):
    """The path below which a hearing has these objects."""
    client = MachineClient(world.station_code().read_text(), timeout=120)
    client.enrol()
    hearing = Hearing(client)
    details = details_document()
    hearing.put(details)
    hearing.open(sha256(details), {"cam-bench": "video"})
    for data in objects:
        hearing.put(data)
        hearing.segment("cam-bench", data, 1260, 900_000)
    hearing.post()
    client.close()
    return hearing.path


def signed_in(world):
    """The cookie of a clerk, as a header says it."""
    return Browser(world).log_in("clerk", world.add_user("clerk", "clerk")).cookie


def run_rounds(targets, cookie, rounds):
    """{size: {server: [(CPU, wall)]}}"""
    figures = {name: {server: [] for server in targets} for name, _, _ in SIZES}
    with multiprocessing.Pool(CONNECTIONS) as pool:
        for name, size, count in SIZES:
            for number in range(rounds + 1):
                for server, target in targets.items() if number % 2 == 0 else reversed(targets.items()):
                    one = measure(pool, target, size, count, cookie)
                    if number > 0:  # the first round hashes the archive's objects and fills caches
                        figures[name][server].append(one)
    return figures


def report(figures):
    for name, size, count in SIZES:
        sides = figures[name]
        requests = count * CONNECTIONS
        ratio = {server: median([a[0] / max(b[0], 0.01) for a, b in zip(rounds, sides["nginx"])]) for server, rounds in sides.items()}
        us = {server: 1e6 * median([cpu for cpu, _ in rounds]) / requests for server, rounds in sides.items()}
        wall = median([a[1] / b[1] for a, b in zip(sides["archive"], sides["nginx"])])
        print(json.dumps({"ranges": name, "ratio_cpu": round(ratio["archive"], 2), "ratio_cpu_layer_alone": round(ratio["layer"], 2),
                          "ratio_wall": round(wall, 2), **{f"{server}_cpu_us": round(value) for server, value in us.items()}}), flush=True)
        row(f"playback ranges over TLS, {name}", "nginx over TLS", "<= 1.2 x CPU",
            f"{ratio['archive']:.2f} x CPU ({us['archive']:.0f} to {us['nginx']:.0f} us each), {wall:.2f} x wall; "
            f"HTTP layer alone {ratio['layer']:.2f} x", ratio["archive"] <= 1.2)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    folder = pathlib.Path(tempfile.mkdtemp(prefix="greffe-bench-"))
    layer = None
    try:
        folder.chmod(0o755)
        objects = {f"{i}.mp4": random_object(FILE_BYTES) for i in range(FILES)}
        for name, data in objects.items():
            (folder / name).write_bytes(data)
        with World() as world, Nginx(folder, folder, workers=2) as nginx:
            layer = subprocess.Popen([BUILD / "tests" / "bench_http", folder, "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            layer_port = int(layer.stdout.readline().rsplit(":", 1)[1])
            world.start()
            base = file_hearing(world, objects.values())
            cookie = signed_in(world)
            plain = [f"/{name}" for name in objects]
            targets = {"archive": Target(world.browser, [f"{base}/objects/{sha256(data)}.mp4" for data in objects.values()], [world.server.pid]),
                       "nginx": Target(nginx.port, plain, nginx.pids()), "layer": Target(layer_port, plain, [layer.pid])}
            report(run_rounds(targets, cookie, rounds))
        return 0
    finally:
        if layer is not None:
            layer.stdin.close()
            layer.wait(10)
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
