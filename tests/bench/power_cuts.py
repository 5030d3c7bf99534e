#!/usr/bin/python3
"""Seconds lost when the power goes: greffe-ingest, `ffmpeg -f segment` and `ffmpeg -f hls` record the same camera onto one disk, whose
power is cut CUTS times (20). As root: the disk is ext4 on a loop device, and what was not written out is gone."""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
import common as c
import live_room as r
import power_cut
import test_power_cut as t

CUTS = int(os.environ.get("CUTS", "20"))


def start_peer(folder, kind, address):
    folder.mkdir()
    how = {"segment": ["-f", "segment", "-segment_format", "mp4", "-segment_time", "10", "-segment_format_options",
                       "movflags=frag_keyframe+empty_moov+default_base_moof", folder / "%03d.mp4"],
           "hls": ["-f", "hls", "-hls_segment_type", "fmp4", "-hls_time", "10", "-hls_list_size", "0", folder / "list.m3u8"]}[kind]
    return subprocess.Popen(["ffmpeg", "-nostdin", "-v", "error", "-rtsp_transport", "tcp", "-allowed_media_types", "video", "-i", address, "-c",
                             "copy", *how])


def recovered_s(folder):
    """Of a peer's files: how long what can be decoded of them is."""
    init = folder / "init.mp4"
    total = 0.0
    for path in sorted(p for p in folder.iterdir() if p.suffix in (".mp4", ".m4s") and p.name != "init.mp4"):
        data = (init.read_bytes() if path.suffix == ".m4s" and init.exists() else b"") + path.read_bytes()
        done = subprocess.run(["ffprobe", "-v", "quiet", "-count_packets", "-select_streams", "v:0", "-show_entries", "stream=nb_read_packets",
                               "-of", "csv=p=0", "-i", "-"], input=data, stdout=subprocess.PIPE, check=False).stdout.decode().strip().strip(",")
        total += (int(done) if done.isdigit() else 0) / 25
    return total


def main():
    if not power_cut.possible():
        sys.exit("power_cuts: needs root and a loop device")
    films = pathlib.Path(tempfile.mkdtemp(prefix="greffe-films."))
    film = r.make_film(films / "film.mp4", seconds=60 + 5 * CUTS)
    camera = r.Camera(film, mounts=3)
    lost = {"greffe-ingest": [], "segment": [], "hls": []}
    peers = {}
    try:
        with power_cut.Disk(megabytes=512 + 16 * CUTS) as disk:
            with r.LiveRoom(disk.path, [("cam", "video", camera.address(0))]) as station:
                station.start()
                hearing = station.open()
                for number, kind in enumerate(("segment", "hls")):
                    peers[kind] = start_peer(disk.path / kind, kind, camera.address(number + 1))
                station.records("cam")
                began = time.monotonic()
                for number in range(CUTS):
                    time.sleep(1.5 + 0.37 * (number % 5))
                    cut, since = time.clock_gettime(time.CLOCK_BOOTTIME) * 1000, time.monotonic() - began
                    t.stop_all(station.service.pid, signal.SIGSTOP)
                    for peer in peers.values():
                        peer.send_signal(signal.SIGSTOP)
                    copy = disk.after_power_cut()
                    t.stop_all(station.service.pid, signal.SIGCONT)
                    for peer in peers.values():
                        peer.send_signal(signal.SIGCONT)
                    with copy as path:
                        lost["greffe-ingest"].append(t.lost_ms(path / "station", hearing, cut)["cam"] / 1000)
                        for kind in peers:
                            lost[kind].append(max(0.0, since - recovered_s(path / kind)))
                station.end()
                for peer in peers.values():
                    peer.kill()
                    peer.wait()
    finally:
        camera.end()
        shutil.rmtree(films, ignore_errors=True)
    for name, seconds in lost.items():
        print(f"  {name}: {min(seconds):.2f} to {max(seconds):.2f} s lost, median {c.median(seconds):.2f}")
    c.row(f"seconds lost in a power cut, {CUTS} cuts", "ffmpeg -f segment, -f hls", "<= 2 s each",
          f"{min(lost['greffe-ingest']):.2f} to {max(lost['greffe-ingest']):.2f} s (segment up to {max(lost['segment']):.0f} s, hls {max(lost['hls']):.0f} s)",
          max(lost["greffe-ingest"]) <= 2)


main()
