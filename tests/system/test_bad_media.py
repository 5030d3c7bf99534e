#!/usr/bin/python3
"""Bad files at a station get a clear answer and lose nothing: each test holds the words that the user sees.

    tests/system/test_bad_media.py [TEST...] [--gigabytes N]      the large file has 2 GB; 20 with --gigabytes 20
"""
import json
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile

import world as w

CAMERA = pathlib.Path("/usr/share/forensics-samples/original-files/movie2/movie-hello.mp4")
START = "2026-11-22T09:00:00.000Z"
MEMORY_CAP = 256 * 1024 * 1024


def ffmpeg(*words):
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, words)], check=True)


class Station:
    """A station without a network in a folder that goes away."""

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="greffe."))
        w.run(w.INGEST, "prepare", "--station-dir", self.folder / "st", "--archive", "archive.test.example", "--name", "s1",
              "--court", "c1", "--room", "r1")
        self.details({"cases": ["RG 26/00001"]})
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def details(self, value):
        (self.folder / "details.json").write_text(json.dumps(value))

    def file(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        return path

    def tone(self, name="good.wav"):
        path = self.folder / name
        if not path.exists():
            ffmpeg("-f", "lavfi", "-i", "sine=440:r=8000:d=3", path)
        return path

    def picture(self, name, *more):
        path = self.folder / name
        ffmpeg("-f", "lavfi", "-i", "testsrc2=s=320x180:r=10:d=6", "-c:v", "libx264", "-g", "10", "-bf", "0", *more, path)
        return path

    def imports(self, *streams, more=(), **options):
        words = [w.INGEST, "import", "--station-dir", self.folder / "st", "--details", self.folder / "details.json", "--start", START,
                 "--no-upload", "--close", "--json", *more]
        for stream in streams:
            words += ["--stream", stream]
        return w.run(*words, check=False, **options)

    def hearings(self):
        spool = self.folder / "st" / "spool"
        return [p for p in spool.iterdir() if (p / "entries").exists()] if spool.exists() else []

    def refuses(self, path, status, *words):
        done = self.imports(f"cam-bench={path}")
        text = done.stdout + done.stderr
        assert done.returncode == status, (done.returncode, text)
        for word in words:
            assert word in text, f"the user reads {text!r}; {word!r} should be in it"
        assert path.name in text, f"{text!r} does not name the file"
        assert not self.hearings(), "a hearing was begun for a file that was refused"
        good = self.imports(f"mic-judge={self.tone()}")
        assert good.returncode == 0, f"after the refusal a good file was refused too: {good.stderr}"


def test_not_a_recording():
    with Station() as s:
        s.refuses(s.file("text.mp4", b"hello\n"), 2, "not a recording")
    with Station() as s:
        s.refuses(s.file("empty.mp4", b""), 2, "empty")
    with Station() as s:
        s.refuses(s.file("noise.mp4", bytes(range(256)) * 1000), 2, "not a recording")


def test_playlists_that_name_local_files():
    with Station() as s:
        text = b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
        s.refuses(s.file("list.m3u8", text), 2, "playlist", "Give the recordings themselves")
    with Station() as s:
        s.refuses(s.file("disguised.mp4", text), 2, "playlist")
    with Station() as s:
        s.refuses(s.file("concat.mp4", b"ffconcat version 1.0\nfile /etc/passwd\n"), 2, "playlist")


def test_no_streams():
    with Station() as s:
        subtitles = s.file("sub.srt", b"1\n00:00:01,000 --> 00:00:02,000\nhello\n")
        only = s.folder / "subtitles.mp4"
        ffmpeg("-i", subtitles, "-c:s", "mov_text", only)
        s.refuses(only, 2, "neither video nor audio")


def test_no_key_frame():
    with Station() as s:
        path = s.folder / "no-key.mp4"
        ffmpeg("-i", s.picture("full.mp4", "-g", "600"), "-c", "copy", "-bsf:v", "noise=drop=key", path)
        s.refuses(path, 2, "no key frame")


def test_index_is_missing():
    with Station() as s:
        data = s.picture("full.mp4").read_bytes()
        s.refuses(s.file("cut.mp4", data[: len(data) // 2]), 1, "cut short", "Copy it again")


def test_cut_in_the_middle():
    """What can be read is kept, and the log says what is missing."""
    with Station() as s:
        data = s.picture("full.mp4", "-movflags", "faststart").read_bytes()
        path = s.file("cut.mp4", data[: len(data) // 2])
        done = s.imports(f"cam-bench={path}")
        assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
        text = done.stdout + done.stderr
        assert "cut short or damaged" in text and "gap" in text, text
        (hearing,) = s.hearings()
        entries = (hearing / "entries").read_bytes()
        assert b'"kind":"segment"' in entries and b'"kind":"gap"' in entries and b'"kind":"close"' in entries


def test_cut_short_in_every_container():
    """The user reads the file's name and about how much is missing, wherever the file says how long it should be."""
    sound = ("-f", "lavfi", "-i", "aevalsrc=random(0)*0.5:s=16000:d=20")
    picture = ("-f", "lavfi", "-i", "testsrc2=s=320x180:r=10:d=20", "-c:v", "libx264", "-g", "10", "-bf", "0")
    both = (*sound, *picture, "-c:a", "libopus", "-map", "1:v", "-map", "0:a")
    for name, options in (("one.mkv", picture), ("two.mkv", both), ("a.mp4", (*picture, "-movflags", "faststart")), ("video.avi", picture),
                          ("sound.avi", (*sound, "-c:a", "pcm_s16le")), ("a.wav", sound), ("a.ogg", (*sound, "-c:a", "libopus"))):
        with Station() as s:
            whole = s.folder / name
            ffmpeg(*options, whole)
            done = s.imports(f"cam-bench={whole}")
            assert done.returncode == 0, f"{name} is whole: {done.stderr}"
        with Station() as s:
            whole = s.folder / "whole" / name
            whole.parent.mkdir()
            ffmpeg(*options, whole)
            data = whole.read_bytes()
            path = s.file(name, data[: len(data) * 6 // 10])
            done = s.imports(f"cam-bench={path}")
            assert done.returncode == 1, (name, done.returncode, done.stdout, done.stderr)
            assert f"{path}: the file is cut short or damaged at its end" in done.stderr, (name, done.stderr)
            (hearing,) = s.hearings()
            entries = (hearing / "entries").read_bytes()
            assert b'"kind":"segment"' in entries and b'"kind":"close"' in entries, name
            if name == "a.ogg":
                assert "does not say how long it should be; everything that could be read is kept" in done.stderr, done.stderr
                continue
            seconds = re.search(r": (\d+) s are missing. What could be read is kept; the rest of stream cam-bench is logged as a gap", done.stderr)
            assert seconds and 7 <= int(seconds[1]) <= 10, (name, done.stderr)
            assert b'"reason":"fault"' in entries, name


def test_a_track_that_is_shorter_than_its_file_is_no_damage():
    with Station() as s:
        path = s.folder / "short-sound.mkv"
        ffmpeg("-f", "lavfi", "-i", "testsrc2=s=320x180:r=10:d=20", "-f", "lavfi", "-i", "sine=440:d=5", "-c:v", "libx264", "-c:a", "aac", path)
        done = s.imports(f"mic-judge={path}#a:0")
        assert done.returncode == 0 and not done.stderr, done.stderr


def test_case_numbers():
    with Station() as s:
        for case, words in (("", "empty"), ("   ", "empty"), ("9" * 201, "at most 200"), ("RG\n26", "control character")):
            s.details({"cases": [case]})
            done = s.imports(f"mic-judge={s.tone()}")
            assert done.returncode == 2 and words in done.stderr, (case, done.stderr)
        s.details({"casse": ["RG 26/1"]})
        done = s.imports(f"mic-judge={s.tone()}")
        assert done.returncode == 2 and "casse" in done.stderr, done.stderr
        assert not s.hearings()


def test_stream_names_and_files():
    with Station() as s:
        for stream, word in ((f"Bad/Name={s.tone()}", "letters"), ("mic-judge=nowhere.wav", "nowhere.wav"), ("mic-judge", "NAME=FILE"),
                             (f"mic-judge={s.folder}", "not a file")):
            done = s.imports(stream)
            assert done.returncode == 2 and word in done.stderr, (stream, done.stderr)


def test_filed_later():
    """Without an archive the hearing is kept; when it is back, it is delivered and its receipt counts."""
    with w.World() as world, Station() as s:
        world.start()
        config = s.folder / "station.toml"
        config.write_text(f'directory = "{s.folder / "st2"}"\n')
        w.run(w.INGEST, "--config", config, "enrol", "--code-file", world.station_code())
        world.stop()
        words = [w.INGEST, "--config", config]
        done = w.run(*words, "import", "--stream", f"mic-judge={s.tone()}", "--start", START, "--details", s.folder / "details.json",
                     "--close", check=False)
        assert "Traceback" not in done.stderr and done.returncode in (0, 1), (done.returncode, done.stderr)
        status = w.run(*words, "status", check=False).stdout
        assert status, "the status says nothing"
        world.start()
        w.run(*words, "drain")
        code, verdict = world.verify()
        assert code == 0 and len(verdict["hearings"]) == 1, verdict


def cap_memory():
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_CAP, MEMORY_CAP))


def test_large_file_in_little_memory():
    gigabytes = int(sys.argv[sys.argv.index("--gigabytes") + 1]) if "--gigabytes" in sys.argv else 2
    with Station() as s:
        large = s.folder / "large.mp4"
        ffmpeg("-stream_loop", "-1", "-i", CAMERA, "-map", "0:v:0", "-c", "copy", "-fs", gigabytes * 1_000_000_000, large)
        done = s.imports(f"cam-bench={large}", preexec_fn=cap_memory, timeout=900 * gigabytes)
        assert done.returncode == 0, (done.returncode, done.stderr[-500:])
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        (hearing,) = s.hearings()
        kept = sum(p.stat().st_size for p in (hearing / "objects").iterdir())
        assert kept > 0.98 * large.stat().st_size, f"{kept} bytes were kept of {large.stat().st_size}"
        print(f"       {gigabytes} GB: at most {peak // 1_000_000} MB of memory were in use by any process of this test")


if __name__ == "__main__":
    if "--gigabytes" in sys.argv:
        at = sys.argv.index("--gigabytes")
        number = sys.argv[at + 1]
        w.main([test_large_file_in_little_memory], ignore={number})
    w.main([value for name, value in list(globals().items()) if name.startswith("test_")])
