#!/usr/bin/python3
"""Which streams somebody's own recordings have: one line NAME=FILE#kind:number per audio or video track.

    tracks.py FILE...
"""
import json
import subprocess
import sys

SELECTOR = {"video": ("cam", "v"), "audio": ("mic", "a")}


def main():
    counts = {"video": 0, "audio": 0}
    for path in sys.argv[1:]:
        words = ["ffprobe", "-v", "error", "-show_entries", "stream=codec_type:stream_disposition=attached_pic", "-of", "json", path]
        probe = subprocess.run(words, stdout=subprocess.PIPE, check=False)
        if probe.returncode != 0:
            sys.exit(f"tracks: {path} is not a recording that can be read")
        in_file = {"video": 0, "audio": 0}
        for stream in json.loads(probe.stdout).get("streams", []):
            kind = stream.get("codec_type")
            if kind not in SELECTOR or stream.get("disposition", {}).get("attached_pic"):
                continue
            name, letter = SELECTOR[kind]
            counts[kind] += 1
            print(f"{name}-{counts[kind]}={path}#{letter}:{in_file[kind]}")
            in_file[kind] += 1


if __name__ == "__main__":
    main()
