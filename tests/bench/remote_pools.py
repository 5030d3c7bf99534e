#!/usr/bin/python3
"""Deposits into Ceph RADOS beside `rados bench write`, and beside PUTs of the same size through the cluster's own S3 gateway with curl and
with rclone; heads that are compared and swapped beside small synchronous writes. Everything on one throw-away cluster, in turns.

SECONDS_EACH=10 is the length of each window, ROUNDS=3."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import rados

import common as c

sys.path.insert(0, str(c.ROOT / "tests" / "ceph"))
from cluster import ACCESS, BUCKET, SECRET, Cluster  # noqa: E402

SECONDS = int(os.environ.get("SECONDS_EACH", "10"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
BYTES, IN_FLIGHT = 4 * 1024 * 1024, 16


def probe(cluster, *words):
    done = subprocess.run([c.BUILD / "tests" / "store_probe", *map(str, words)], env={**os.environ, **cluster.variables()}, stdout=subprocess.PIPE,
                          text=True, check=True)
    return float(done.stdout.split()[-1]) if done.stdout else 0.0


def rados_bench(cluster, size, in_flight):
    """Bytes and operations a second."""
    name = cluster.variables()["GREFFE_CEPH_POOL"]
    done = subprocess.run(["rados", "-c", cluster.conf, "-n", "client.greffe", "-p", name, "bench", str(SECONDS), "write", "-b", str(size), "-t",
                           str(in_flight), "--no-cleanup", "--format", "json"], stdout=subprocess.PIPE, text=True, check=True)
    found = re.search(r"\{.*\}", done.stdout, re.S)
    told = json.loads(found.group(0))  # its numbers are texts, and its "average_iops" is cut to a whole one
    rate = float(told["total_writes_made"]) / float(told["total_time_run"])
    return rate * size, rate


def make_room(cluster):
    """What one window left behind: the cluster's disks are small, and a full one measures nothing."""
    for name in (cluster.variables()["GREFFE_CEPH_POOL"], "default.rgw.buckets.data"):
        if not cluster.admin.pool_exists(name):
            continue  # the gateway makes its pool with the first object
        with cluster.admin.open_ioctx(name) as pool:
            pool.set_namespace(rados.LIBRADOS_ALL_NSPACES)
            left = [(one.nspace, one.locator_key, one.key) for one in pool.list_objects()
                    if name.startswith("default") or one.key.startswith(("sha256/", "benchmark_"))]
            for space, locator, key in left:
                pool.set_namespace(space or "")
                pool.set_locator_key(locator or "")
                pool.remove_object(key)


def puts(cluster, folder, write_words):
    """Bytes a second of a program that puts files through the gateway, IN_FLIGHT of them at a time."""
    files = max(IN_FLIGHT, 6 * SECONDS)
    source = pathlib.Path(folder) / "source"
    source.mkdir(exist_ok=True)
    for number in range(files):
        (source / f"{time.time_ns()}-{number}").write_bytes(os.urandom(BYTES))
    began = time.monotonic()
    # The gateway speaks plain HTTP on loopback; rclone 1.60 gives up over a bundle of authorities that it would not need.
    environment = {name: value for name, value in os.environ.items() if name != "AWS_CA_BUNDLE"}
    subprocess.run(write_words(source), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    took = time.monotonic() - began
    shutil.rmtree(source)
    return files * BYTES / took


def curl_words(cluster):
    def words(source):
        config = source.parent / "curl"
        lines = []
        for path in source.iterdir():
            lines += ["next"] * bool(lines) + [f'upload-file = "{path}"', f'url = "{cluster.variables()["GREFFE_S3_ENDPOINT"]}/{BUCKET}/{path.name}"',
                                               'aws-sigv4 = "aws:amz:us-east-1:s3"', f'user = "{ACCESS}:{SECRET}"', 'header = "x-amz-content-sha256: UNSIGNED-PAYLOAD"',
                       "fail", "silent"]  # curl 7.88 signs an upload as if it were empty unless it is told
        config.write_text("\n".join(lines) + "\n")
        config.chmod(0o600)
        return ["curl", "--parallel", "--parallel-max", str(IN_FLIGHT), "--config", config]
    return words


def rclone_words(cluster):
    def words(source):
        config = source.parent / "rclone.conf"
        config.write_text(f"[gateway]\ntype = s3\nprovider = Ceph\nendpoint = {cluster.variables()['GREFFE_S3_ENDPOINT']}\n"
                          f"access_key_id = {ACCESS}\nsecret_access_key = {SECRET}\n")
        config.chmod(0o600)
        return ["rclone", "--config", config, "copy", "--transfers", str(IN_FLIGHT), "--no-traverse", source, f"gateway:{BUCKET}"]
    return words


def main():
    found = {name: [] for name in ("ours", "bench", "curl", "rclone", "heads", "small")}
    with Cluster() as cluster, tempfile.TemporaryDirectory(prefix="greffe-bench.") as folder:
        probe(cluster, "rados", "init")
        probe(cluster, "s3", "init")  # makes the bucket
        steps = [("ours", lambda: probe(cluster, "rados", "fill", SECONDS, BYTES, IN_FLIGHT)),
                 ("bench", lambda: rados_bench(cluster, BYTES, IN_FLIGHT)[0]),
                 ("curl", lambda: puts(cluster, folder, curl_words(cluster))),
                 ("heads", lambda: probe(cluster, "rados", "swap", SECONDS)),
                 ("small", lambda: rados_bench(cluster, 512, 1)[1])]
        if shutil.which("rclone"):
            steps.insert(3, ("rclone", lambda: puts(cluster, folder, rclone_words(cluster))))
        else:
            print("  rclone is not installed (Debian package rclone): its row is left out", flush=True)
        for number in range(ROUNDS):
            for name, measure in steps if number % 2 == 0 else reversed(steps):
                found[name].append(measure())
                make_room(cluster)
                value = found[name][-1]
                print(f"  {name}: " + (f"{value:.0f} a second" if name in ("heads", "small") else f"{value / 1e6:.0f} MB/s"), flush=True)

    def compared(name, ours, peer, words, to_reach):
        ratios = [a / b for a, b in zip(found[ours], found[peer])]
        if ratios:
            c.row(name, words, f">= {to_reach} x", f"{min(ratios):.2f} to {max(ratios):.2f} x", c.median(ratios) >= to_reach)

    compared("deposit on RADOS, 4 MiB, 16 in flight", "ours", "bench", "rados bench write", 0.85)
    compared("the same", "ours", "curl", "S3 PUT through the gateway, curl", 1.5)
    compared("the same", "ours", "rclone", "S3 PUT through the gateway, rclone", 1.5)
    compared("head compare-and-swap on RADOS", "heads", "small", "rados bench write, 512 B, one at a time", 0.9)


main()
