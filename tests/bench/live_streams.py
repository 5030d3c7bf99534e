#!/usr/bin/python3
"""Eight live RTSP cameras of 2 Mbit/s: CPU time and memory of greffe-ingest, which hashes, seals and syncs every second, beside
eight `ffmpeg -c copy -f hls`, which do not; then with the signal watch on. SECONDS_EACH=30 is the length of each window; the order alternates by round (ROUNDS=2)."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import common as c
import live_room as r

STREAMS = 8
SECONDS = int(os.environ.get("SECONDS_EACH", "30"))
ROUNDS = int(os.environ.get("ROUNDS", "2"))


def window(pids, count_bytes):
    """(CPU seconds per stream and second, PSS in MiB, bytes) of a window in which everything runs."""
    cpu, size, began = c.cpu_seconds(pids), count_bytes(), time.monotonic()
    time.sleep(SECONDS)
    took = time.monotonic() - began
    memory = c.proportional_mib(pids)
    wrote = count_bytes() - size
    # Eight times 2 Mbit/s; a figure of a recorder that wrote nothing is no figure.
    assert wrote > 0.7 * STREAMS * 250_000 * took, f"only {wrote} bytes were recorded in {took:.0f} s"
    return (c.cpu_seconds(pids) - cpu) / took / STREAMS, memory, wrote


def folder_bytes(folder):
    return sum(p.stat().st_size for p in pathlib.Path(folder).rglob("*") if p.is_file())


def recorded_bytes(station):
    """What is logged and what is being written: cameras that show the same film share their objects on the disk."""
    return sum(s.get("bytes", 0) + station.bytes_open(s["name"]) for s in station.state()["streams"])


def ours(folder, camera, watch=False):
    streams = [(f"cam-{i}", "video", camera.address(i)) for i in range(STREAMS)]
    with r.LiveRoom(folder, streams, f"signal_watch = {str(watch).lower()}\n") as station:
        station.start()
        station.open()
        station.records(*[name for name, _, _ in streams])
        return window([station.service.pid, *r.children(station.service.pid)], lambda: recorded_bytes(station))


def peer(folder, camera):
    processes = []
    try:
        for i in range(STREAMS):
            out = pathlib.Path(folder) / f"peer-{i}"
            out.mkdir()
            processes.append(subprocess.Popen(
                ["ffmpeg", "-nostdin", "-v", "error", "-rtsp_transport", "tcp", "-allowed_media_types", "video", "-i", camera.address(i),
                 "-c", "copy", "-f", "hls", "-hls_segment_type", "fmp4", "-hls_time", "10", "-hls_list_size", "0", out / "list.m3u8"]))
        r.wait_for("all peers to record", lambda: all(folder_bytes(pathlib.Path(folder) / f"peer-{i}") > 0 for i in range(STREAMS)), 40)
        time.sleep(2)
        return window([p.pid for p in processes], lambda: sum(folder_bytes(pathlib.Path(folder) / f"peer-{i}") for i in range(STREAMS)))
    finally:
        for process in processes:
            process.terminate()
            process.wait()


def main():
    films = pathlib.Path(tempfile.mkdtemp(prefix="greffe-bench."))
    try:
        film = films / "film.mp4"
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", f"testsrc2=s=1280x720:r=25:d={SECONDS + 60}",
                        "-f", "lavfi", "-i", f"sine=440:r=48000:d={SECONDS + 60}", "-vf", "noise=alls=20:allf=t", "-c:v", "libx264",
                        "-preset", "ultrafast", "-g", "50", "-bf", "0", "-b:v", "2M", "-maxrate", "2200k", "-bufsize", "2M",
                        "-pix_fmt", "yuv420p", "-c:a", "aac", film], check=True)
        camera = r.Camera(film, mounts=STREAMS)
        found = {"ours": [], "peer": [], "watched": []}
        try:
            for number in range(ROUNDS):
                order = [("ours", ours), ("peer", peer), ("watched", lambda folder, camera: ours(folder, camera, watch=True))]
                for name, measure in order if number % 2 == 0 else reversed(order):
                    with tempfile.TemporaryDirectory(prefix="greffe-bench.") as folder:
                        cpu, memory, wrote = measure(folder, camera)
                    found[name].append((cpu, memory))
                    print(f"  {name}: {100 * cpu:.2f} % of a core per stream, {memory:.0f} MiB, {wrote / 1e6:.0f} MB in {SECONDS} s", flush=True)
        finally:
            camera.end()
    finally:
        shutil.rmtree(films, ignore_errors=True)
    cpu = [a[0] / b[0] for a, b in zip(found["ours"], found["peer"])]
    memory = [a[1] / b[1] for a, b in zip(found["ours"], found["peer"])]
    c.row("live, 8 cameras of 2 Mbit/s, CPU per stream", "ffmpeg -c copy -f hls, eight times", "<= 1.0 x",
          f"{min(cpu):.2f} to {max(cpu):.2f} x", c.median(cpu) <= 1.0)
    watched = [a[0] / b[0] for a, b in zip(found["watched"], found["peer"])]
    c.row("the same with the signal watch on", "the same", "to be known", f"{min(watched):.2f} to {max(watched):.2f} x", True)
    c.row("the same, memory (PSS)", "the same", "<= 1.0 x", f"{min(memory):.2f} to {max(memory):.2f} x", c.median(memory) <= 1.0)


main()
