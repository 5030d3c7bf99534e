#!/usr/bin/python3
"""A recorded hour: how long the station works to file it, and how long an auditor's machine works to verify it.

  tests/bench/recorded_hour.py [ROUNDS [SECONDS]]      3 rounds of 3600 s

import: `greffe-ingest import` (hash, fdatasync each second, signatures) beside `ffmpeg -c copy -f hls` into fMP4 pieces of 10 s
(no hash, no sync), from the same file: a test picture of 1080p H.264 with about 2 Mbit/s. verify: the hearing is then filed in
an archive and exported, and one thread of `greffe-verify` works beside `openssl dgst -sha256` over the same objects.
"""
import json
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

from common import forget_pages, median, row
from world import INGEST, VERIFY, World, run

LOOP_SECONDS = 30
SEGMENT_SECONDS = 10
START = "2026-11-23T09:00:00Z"


def measured(*words):
    """(CPU seconds of the program and those it waited for, wall seconds, what it printed)"""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    said = run(*words, timeout=1800).stdout
    wall, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall, said


def ffmpeg(*words):
    return ("ffmpeg", "-nostdin", "-v", "error", "-y", *words)


def make_recording(folder, seconds):
    """A key frame every two seconds, as court cameras send; one minute's work, repeated."""
    piece, whole = folder / "piece.mp4", folder / "hour.mp4"
    run(*ffmpeg("-f", "lavfi", "-i", f"testsrc2=size=1920x1080:rate=25:duration={LOOP_SECONDS}", "-c:v", "libx264", "-preset", "ultrafast",
                "-pix_fmt", "yuv420p", "-g", 50, "-b:v", "2M", "-minrate", "2M", "-maxrate", "2M", "-bufsize", "2M",
                "-x264-params", "nal-hrd=cbr", piece), timeout=600)
    run(*ffmpeg("-stream_loop", seconds // LOOP_SECONDS - 1, "-i", piece, "-c", "copy", whole), timeout=600)
    piece.unlink()
    return whole


def import_once(folder, recording, code, seconds):
    """(CPU, wall, hearing); the station's folder stays."""
    shutil.rmtree(folder, ignore_errors=True)
    run(INGEST, "enrol", "--station-dir", folder, "--code-file", code)
    cpu, wall, said = measured(INGEST, "import", "--station-dir", folder, "--stream", f"cam-bench={recording}", "--start", START,
                               "--details", folder.parent / "details.json", "--close", "--no-upload", "--json")
    done = json.loads(said)
    if done["segments"] != seconds // SEGMENT_SECONDS or done["bytes"] < 0.98 * recording.stat().st_size or not done["closed"]:
        raise RuntimeError(f"the recording is not whole: {said}")
    return cpu, wall, done["hearing"]


def segment_by_peer(folder, recording):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    cpu, wall, _ = measured(*ffmpeg("-i", recording, "-c", "copy", "-f", "hls", "-hls_segment_type", "fmp4", "-hls_time", SEGMENT_SECONDS,
                                    "-hls_list_size", 0, "-hls_playlist_type", "vod", folder / "list.m3u8"))
    written = sum(path.stat().st_size for path in folder.iterdir())
    if written < 0.98 * recording.stat().st_size:
        raise RuntimeError(f"ffmpeg wrote {written} bytes of {recording.stat().st_size}")
    return cpu, wall


def import_row(world, folder, recording, seconds, rounds):
    """The station's folder and the hearing of the last round in it."""
    station, hls = folder / "station", folder / "hls"
    ours, theirs = [], []

    def import_one(number):
        code = world.station_code(f"s{number}", room=f"room-{number}")
        ours.append(import_once(station, recording, code, seconds))
        forget_pages(station)

    def segment_one(_):
        theirs.append(segment_by_peer(hls, recording))
        forget_pages(hls)

    segment_one(0)  # so that the first round finds memory that is in use
    theirs.clear()
    for number in range(rounds):
        for step in (import_one, segment_one) if number % 2 == 0 else (segment_one, import_one):
            step(number)
        print(f"round {number}: greffe-ingest {ours[-1][0]:.2f} s CPU {ours[-1][1]:.1f} s wall, "
              f"ffmpeg {theirs[-1][0]:.2f} s CPU {theirs[-1][1]:.1f} s wall", flush=True)
    shutil.rmtree(folder / "hls")
    cpu = median([a[0] / b[0] for a, b in zip(ours, theirs)])
    wall = median([a[1] / b[1] for a, b in zip(ours, theirs)])
    print(json.dumps({"import": {"ratio_cpu": round(cpu, 3), "ratio_wall": round(wall, 2), "cpu_s": round(median([a[0] for a in ours]), 2)}}))
    row("a recorded hour to segments, hash, sync, signatures", "ffmpeg -c copy -f hls", "<= 1.2 x CPU",
        f"{cpu:.2f} x CPU, {wall:.1f} x wall", cpu <= 1.2)
    return station, ours[-1][2]


def verify_once(policy, folder, size):
    cpu, wall, said = measured(VERIFY, "--policy", policy, "--threads", 1, "--json", folder)
    report = json.loads(said)
    if report["verdict"] != "VERIFIED" or report["checked"]["bytes"] < size:
        raise RuntimeError(f"the hearing's {size} bytes are not verified: {said}")
    return cpu, wall


def verify_row(world, folder, station, hearing, rounds):
    run(INGEST, "drain", "--station-dir", station, timeout=600)
    export = folder / "export"
    world.archive("export", hearing, export)
    files = sorted((export / "objects").iterdir())
    size = sum(path.stat().st_size for path in files)
    ours, theirs, policy = [], [], world.policy()
    for _ in range(2 * rounds):
        ours.append(verify_once(policy, export, size))
        theirs.append(measured("openssl", "dgst", "-sha256", *files)[:2])
    cpu = median([b[0] / a[0] for a, b in zip(ours, theirs)])
    wall = median([b[1] / a[1] for a, b in zip(ours, theirs)])
    rates = [size / 1e6 / median([one[0] for one in side]) for side in (ours, theirs)]
    print(json.dumps({"verify": {"bytes": size, "objects": len(files), "rate_cpu": round(cpu, 3), "rate_wall": round(wall, 3),
                                 "greffe_mb_per_cpu_s": round(rates[0]), "openssl_mb_per_cpu_s": round(rates[1])}}))
    row("verify, one thread", "openssl dgst -sha256", ">= 0.9 of its rate",
        f"{cpu:.2f} of its rate per CPU second ({rates[0]:.0f} to {rates[1]:.0f} MB/s), {wall:.2f} by wall", cpu >= 0.9)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 3600
    folder = pathlib.Path(tempfile.mkdtemp(prefix="greffe-bench-"))
    try:
        (folder / "details.json").write_text(json.dumps({"cases": ["RG 26/00001"]}))
        recording = make_recording(folder, seconds)
        print(f"recording: {seconds} s, {recording.stat().st_size / 1e6:.0f} MB", flush=True)
        with World() as world:
            world.start()
            station, hearing = import_row(world, folder, recording, seconds, rounds)
            verify_row(world, folder, station, hearing, rounds)
        return 0
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
