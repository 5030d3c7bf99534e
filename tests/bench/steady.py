#!/usr/bin/python3
"""Whether `greffe-archive serve` stays as large as it is: memory, descriptors and threads under load, for an hour.

  tests/bench/steady.py [MINUTES]

Four courtrooms file hearing after hearing over TLS, each as fast as two hundred and fifty kilobytes a second allow (an hour of it is 11 GB on
three volumes); beside them two people play ranges of what was filed and one searches, all three without a pause, so that the machine's cores
have nothing left. Before that, small objects fill what the archive keeps about replicas and folders (archive/store/verified_copies.h: 200,000
replicas, some 30 MB), which would take the first hour else. The figure is the median of the last third over that of the first, of the
proportional set size (looked at every two seconds, from the second minute on).
"""
import collections
import http.client
import json
import multiprocessing
import os
import queue
import random
import ssl
import sys
import time
import urllib.parse

from common import cpu_seconds, median, proportional_mib, row
from machine_client import Hearing, MachineClient, details_document, random_object, sha256
from world import Browser, World

STATIONS, PLAYERS = 4, 2
FILLED_HEARINGS, SMALL_BYTES = 1_700, 600
OBJECT_BYTES, SEGMENTS = 50_000, 40
BYTES_PER_S = 250_000  # of each station
RANGE_BYTES = 8_000
WARM_S, LOOK_S = 60, 2
FLAT = 1.1

Look = collections.namedtuple("Look", "mib descriptors threads")


def file_hearing(client, object_bytes, posted):
    """`posted(number of objects, path of the newest)` is called with every fourth."""
    hearing = Hearing(client)
    details = details_document(case=f"RG 26/{random.randrange(100_000):05}")
    hearing.put(details)
    hearing.open(sha256(details), {"mic-judge": "audio"})
    for done in range(1, SEGMENTS + 1):
        data = random_object(object_bytes)
        hearing.put(data)
        hearing.segment("mic-judge", data, min(1260, object_bytes - 1), 900_000)
        if done % 4 == 0:
            hearing.post()
            posted(done, f"{hearing.path}/objects/{sha256(data)}.mp4")
    hearing.finish()
    hearing.post()


def fill(code, hearings):
    client = MachineClient(code, timeout=120)
    client.enrol()
    for _ in range(hearings):
        file_hearing(client, SMALL_BYTES, lambda done, path: None)
    client.close()


def file_hearings(code, filed, count, until):
    """One courtroom. What it has filed goes to `filed`, for those who play; `count` says how much it was."""
    client = MachineClient(code, timeout=120)
    client.enrol()
    while time.monotonic() < until:
        began = time.monotonic()

        def posted(done, path):
            filed.put(path)
            time.sleep(max(0.0, began + done * OBJECT_BYTES / BYTES_PER_S - time.monotonic()))

        file_hearing(client, OBJECT_BYTES, posted)
        with count.get_lock():
            count.value += 1
    client.close()


def connect(port):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=120)


def fetch(connection, path, headers, expected):
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    body = response.read()
    if response.status != expected:
        raise RuntimeError(f"{path} was answered {response.status}: {body[:200]}")
    return body


def play(port, cookie, filed, count, until):
    connection, paths = connect(port), collections.deque(maxlen=200)
    while time.monotonic() < until:
        try:
            while True:
                paths.append(filed.get_nowait())
        except queue.Empty:
            pass
        if not paths:
            time.sleep(0.1)
            continue
        first = random.randrange(OBJECT_BYTES - RANGE_BYTES)
        headers = {"Range": f"bytes={first}-{first + RANGE_BYTES - 1}", "Cookie": cookie}
        fetch(connection, random.choice(paths), headers, 206)
        with count.get_lock():
            count.value += 1


def search(port, cookie, count, until):
    connection = connect(port)
    while time.monotonic() < until:
        words = urllib.parse.quote(f"{random.randrange(1000):03}")
        json.loads(fetch(connection, f"/v1/hearings?q={words}", {"Cookie": cookie}, 200))
        with count.get_lock():
            count.value += 1


def look(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        threads = next(int(line.split()[1]) for line in status if line.startswith("Threads:"))
    return Look(proportional_mib([pid]), len(os.listdir(f"/proc/{pid}/fd")), threads)


def watch(world, running, until):
    looks = []
    warm = time.monotonic() + min(WARM_S, (until - time.monotonic()) / 4)
    while time.monotonic() < until:
        time.sleep(LOOK_S)
        if time.monotonic() > warm:
            looks.append(look(world.server.pid))
        if gone := [one.name for one in running if one.exitcode not in (None, 0)]:
            raise RuntimeError(f"{', '.join(gone)} came to an end")
    return looks


def main():
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    fork = multiprocessing.get_context("fork")
    with World() as world:
        world.start()
        codes = [world.station_code(f"s{number}", room=f"room-{number}").read_text() for number in range(2 * STATIONS)]
        filling = [fork.Process(target=fill, args=(code, FILLED_HEARINGS // STATIONS)) for code in codes[STATIONS:]]
        for one in filling:
            one.start()
        for one in filling:
            one.join()
        if any(one.exitcode for one in filling):
            raise RuntimeError("a station that was to fill the caches came to an end")
        cookie = Browser(world).log_in("clerk", world.add_user("clerk", "clerk")).cookie
        filed = fork.Queue()
        hearings, ranges, searches = (fork.Value("Q", 0) for _ in range(3))
        until = time.monotonic() + 60 * minutes
        running = [fork.Process(target=file_hearings, name=f"station {n}", args=(codes[n], filed, hearings, until)) for n in range(STATIONS)]
        running += [fork.Process(target=play, name=f"player {n}", args=(world.browser, cookie, filed, ranges, until)) for n in range(PLAYERS)]
        running.append(fork.Process(target=search, name="searcher", args=(world.browser, cookie, searches, until)))
        for one in running:
            one.start()
        try:
            looks = watch(world, running, until)
        finally:
            for one in running:
                one.join(120)
        used = cpu_seconds([world.server.pid])
        third = len(looks) // 3
        first, last = looks[:third], looks[-third:]
        of = lambda part, name: median([getattr(one, name) for one in part])  # noqa: E731
        ratio = of(last, "mib") / of(first, "mib")
        row(f"memory of the archive under load for {minutes:g} minutes, last third over first", "", f"<= {FLAT} x",
            f"{ratio:.2f} x ({of(first, 'mib'):.0f} and {of(last, 'mib'):.0f} MiB, at most {max(one.mib for one in looks):.0f}; descriptors "
            f"{of(first, 'descriptors'):.0f} and {of(last, 'descriptors'):.0f}, threads {of(first, 'threads'):.0f} and {of(last, 'threads'):.0f}; "
            f"{hearings.value} hearings filed, {ranges.value:,} ranges played, {searches.value:,} searches, {used:.0f} s of CPU)", ratio <= FLAT)


if __name__ == "__main__":
    main()
