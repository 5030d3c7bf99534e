#!/usr/bin/python3
"""What the signal watch costs beside demuxing alone: CPU of one stream of 2 Mbit/s H.264 with the noise of a sensor, or of 48 kHz sound.

  tests/bench/signal_watch.py [ROUNDS]      5 rounds

Files are read as fast as possible, so the figures are CPU seconds for so many seconds of recording: "of a core" is what a live
stream takes all the time. Memory is the largest of the whole process, with libav's own 15 to 20 MB.
"""
import json
import pathlib
import sys
import tempfile

from common import BUILD, median, row
from world import run

PICTURE = "/usr/share/forensics-samples/original-files/movie2/movie-hello.mp4"
SPEECH = "/usr/share/asterisk/sounds/fr_CA_f_June/demo-instruct.wav"
PIECE_SECONDS = 20
LOOPS = 15


def make(folder, name, *words):
    piece, whole = folder / f"piece-{name}", folder / name
    run("ffmpeg", "-nostdin", "-v", "error", "-y", *words, "-t", PIECE_SECONDS, piece, timeout=600)
    run("ffmpeg", "-nostdin", "-v", "error", "-y", "-stream_loop", LOOPS - 1, "-i", piece, "-c", "copy", whole, timeout=600)
    piece.unlink()
    return whole


def video(folder, name, size, group, codec="libx264"):
    rate = ("-b:v", "2M", "-minrate", "2M", "-maxrate", "2M", "-bufsize", "2M")
    scene = f"select=eq(n\\,0),scale={size},loop=-1:1,setpts=N/25/TB,noise=alls=6:allf=t,format=yuv420p"
    return make(folder, name, "-ss", "1", "-i", PICTURE, "-an", "-vf", scene, "-r", "25", "-c:v", codec, "-preset", "superfast", "-bf", "0",
                "-g", group, *rate)


def measure(rounds, path, mode):
    """The median of the CPU seconds, and the last round's whole answer."""
    answers = [json.loads(run(BUILD / "tests" / "bench_signal_watch", path, mode, timeout=600).stdout) for _ in range(rounds)]
    return median([a["cpu"] for a in answers]), answers[-1]


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    seconds = PIECE_SECONDS * LOOPS
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        for words, path in (("H.264 1280x720, key frame every 2 s", video(folder, "720.mp4", "1280:720", 50)),
                            ("H.264 1920x1080, key frame every 2 s", video(folder, "1080.mp4", "1920:1080", 50)),
                            ("H.264 1920x1080, key frame every 10 s", video(folder, "1080-long.mp4", "1920:1080", 250))):
            alone, _ = measure(rounds, path, "demux")
            watched, answer = measure(rounds, path, "watch")
            if answer["media"] < seconds - 1 or answer["thumbnails"] < seconds // 10:
                raise RuntimeError(f"the stream was not watched to its end: {answer}")
            row(f"signal watch, {words}", "demuxing alone", "to be known",
                f"{watched / alone:.1f} x CPU, {100 * watched / seconds:.2f} % of a core (demuxing {100 * alone / seconds:.2f}), "
                f"{answer['rss_kb'] // 1024} MB", True)
            path.unlink()
        path = make(folder, "speech.mp4", "-i", SPEECH, "-ar", "48000", "-c:a", "aac", "-b:a", "64k")
        alone, _ = measure(rounds, path, "demux")
        levels, _ = measure(rounds, path, "levels")
        watched, answer = measure(rounds, path, "watch")
        if answer["levels"] < 2 * seconds - 4:
            raise RuntimeError(f"the stream was not heard to its end: {answer}")
        row("signal watch, AAC 48 kHz mono", "demuxing alone", "to be known",
            f"{watched / alone:.1f} x CPU, {100 * watched / seconds:.2f} % of a core (level peaks without the watch "
            f"{100 * levels / seconds:.2f}), {answer['rss_kb'] // 1024} MB", True)


if __name__ == "__main__":
    main()
