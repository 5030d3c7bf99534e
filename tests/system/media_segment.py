"""Media segments as docs/formats/segment.md describes them, made from ffmpeg's fragments without the product's code."""
import functools
import hashlib
import os
import struct
import subprocess

SECONDS = 10
HASH_BOX = b"greffe-hash-box1"


def boxes(data):
    at = 0
    while at < len(data):
        size = struct.unpack(">I", data[at : at + 4])[0]
        yield data[at + 4 : at + 8], data[at : at + size]
        at += size


@functools.lru_cache
def fragments():
    """(ftyp + moov, [(moof, mdat)]): ten seconds of a tone as FLAC, a fragment a second."""
    words = ["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", f"sine=440:r=8000:d={SECONDS}", "-c:a", "flac", "-strict", "-2",
             "-frame_size", "1000", "-f", "mp4", "-movflags", "empty_moov+default_base_moof", "-frag_duration", "1000000", "-"]
    data = subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout
    init, pairs = b"", []
    for kind, box in boxes(data):
        if kind in (b"ftyp", b"moov"):
            init += box
        elif kind == b"moof":
            pairs.append([box])
        elif kind == b"mdat":
            pairs[-1].append(box)
    return init, pairs


def duration_of(moof):
    """Ticks: the default sample duration times the number of samples, or the sum of those that are given."""
    default, total = 0, 0
    for kind, traf in boxes(moof[8:]):
        if kind != b"traf":
            continue
        for inner, box in boxes(traf[8:]):
            flags = int.from_bytes(box[9:12], "big")
            if inner == b"tfhd":
                at = 16 + (8 if flags & 1 else 0) + (4 if flags & 2 else 0)
                if flags & 8:
                    default = int.from_bytes(box[at : at + 4], "big")
            elif inner == b"trun":
                count = int.from_bytes(box[12:16], "big")
                at = 16 + (4 if flags & 1 else 0) + (4 if flags & 4 else 0)
                step = 4 * sum(bool(flags & bit) for bit in (0x100, 0x200, 0x400, 0x800))
                for i in range(count):
                    total += int.from_bytes(box[at + i * step : at + i * step + 4], "big") if flags & 0x100 else default
    return total


def with_decode_time(moof, ticks):
    at = moof.index(b"tfdt")
    version = moof[at + 4]
    size = 8 if version == 1 else 4
    return moof[: at + 8] + ticks.to_bytes(size, "big") + moof[at + 8 + size :]


def segment(start_90k=90_000, noise=True):
    """(bytes, init_bytes, duration_90k). With noise no two are alike: what is in the mdat is not sound any more."""
    init, pairs = fragments()
    out = bytearray(init)
    ticks = start_90k * 8000 // 90_000
    first = ticks
    for moof, mdat in pairs:
        out += with_decode_time(moof, ticks)
        out += mdat[:8] + os.urandom(len(mdat) - 8) if noise else mdat
        out += struct.pack(">I", 56) + b"uuid" + HASH_BOX + hashlib.sha256(out).digest()
        ticks += duration_of(moof)
    return bytes(out), len(init), (ticks - first) * 90_000 // 8000


if __name__ == "__main__":
    data, init_bytes, duration = segment()
    print(len(data), init_bytes, duration)
