#!/usr/bin/python3
"""Makes the golden vectors of this folder with nothing but Python's library and the openssl program: a second
implementation of the formats, against which the C++ one is checked. Without arguments it says whether the files here are
what it would make (exit 1 if not); with --write it adds files that are missing. It never changes a file: vectors are
only added to."""
import base64
import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ARCHIVE = "archive.court.example"
HEARING = "019d0a3c-7c00-7abc-8def-0123456789ab"
EARLIER = "019d0a3b-0000-7000-8000-000000000001"
BOOT = "6f1c2b8e-1111-4222-8333-444455556666"
NEXT_BOOT = "0b2d4f68-2222-4333-8444-555566667777"
UTC = "2026-11-22T09:00:00.000Z"


def sha(data):
    return hashlib.sha256(data).digest()


def digest(text):
    return sha(text.encode()).hex()


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def b64(data):
    return base64.b64encode(data).decode()


# ---- trees: RFC 6962 section 2.1 as written ----

def leaf(data):
    return sha(b"\x00" + data)


def node(left, right):
    return sha(b"\x01" + left + right)


def split(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(leaves):
    if not leaves:
        return sha(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return node(mth(leaves[:k]), mth(leaves[k:]))


def path(m, leaves):
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return path(m, leaves[:k]) + [mth(leaves[k:])]
    return path(m - k, leaves[k:]) + [mth(leaves[:k])]


def subproof(m, leaves, whole):
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = split(len(leaves))
    if m <= k:
        return subproof(m, leaves[:k], whole) + [mth(leaves[k:])]
    return subproof(m - k, leaves[k:], False) + [mth(leaves[:k])]


def tree():
    leaves = [leaf(b"entry %d" % i) for i in range(33)]
    out = {"about": "leaf i is the entry 'entry <i>'; hashes are hexadecimal", "inclusion": [], "consistency": []}
    out["roots"] = [mth(leaves[:n]).hex() for n in range(34)]
    for n in (1, 2, 3, 7, 8, 9, 31, 32, 33):
        for m in sorted({0, n // 2, n - 1}):
            hashes = [h.hex() for h in path(m, leaves[:n])]
            out["inclusion"].append({"index": m, "size": n, "leaf": leaves[m].hex(), "hashes": hashes})
        for m in sorted({1, n // 2, n - 1, n} - {0}):
            hashes = [h.hex() for h in subproof(m, leaves[:n], True)]
            out["consistency"].append({"old_size": m, "size": n, "hashes": hashes})
    return out


# ---- keys and notes ----

class Key:
    def __init__(self, label):
        self.label = label
        self.seed = sha(label.encode())
        der = bytes.fromhex("302e020100300506032b657004220420") + self.seed
        self.pem = "-----BEGIN PRIVATE KEY-----\n" + b64(der) + "\n-----END PRIVATE KEY-----\n"
        public = self.openssl(["pkey", "-pubout", "-outform", "DER"], "-in")
        self.public = public[-32:]

    def openssl(self, arguments, key_option, data=None):
        with tempfile.TemporaryDirectory() as folder:
            pem = os.path.join(folder, "key.pem")
            with open(pem, "w") as file:
                file.write(self.pem)
            command = ["openssl", arguments[0], key_option, pem] + arguments[1:]
            if data is not None:
                message = os.path.join(folder, "message")
                with open(message, "wb") as file:
                    file.write(data)
                command += ["-in", message]
            return subprocess.run(command, check=True, capture_output=True).stdout

    def sign(self, message):
        return self.openssl(["pkeyutl", "-sign", "-rawin"], "-inkey", message)

    def id(self, name, kind):
        return sha(name.encode() + b"\n" + bytes([kind]) + self.public)[:4]

    def vkey(self, name, kind):
        return "%s+%s+%s" % (name, self.id(name, kind).hex(), b64(bytes([kind]) + self.public))


def signature_line(name, key_id, signature):
    return "\u2014 %s %s\n" % (name, b64(key_id + signature))


def checkpoint_text(origin, size, root):
    return "%s\n%d\n%s\n" % (origin, size, b64(root))


def signed_by_log(key, text):
    origin = text.split("\n")[0]
    return signature_line(origin, key.id(origin, 1), key.sign(text.encode()))


def cosigned_by(key, name, seconds, text):
    message = "cosignature/v1\ntime %d\n%s" % (seconds, text)
    return signature_line(name, key.id(name, 4), struct.pack(">Q", seconds) + key.sign(message.encode()))


STATION = Key("greffe vector station")
LOG = Key("greffe vector log")
HOLDER = Key("greffe vector holder")
WITNESS = Key("greffe vector witness")


def hearing_note():
    text = checkpoint_text("%s/hearing/%s" % (ARCHIVE, HEARING), 17, sha(b"hearing root"))
    return text + "\n" + signed_by_log(STATION, text)


def notes():
    holder = ARCHIVE + "/holder"
    main = checkpoint_text(ARCHIVE, 70000, sha(b"main root"))
    hearing = hearing_note()
    hearing_text = hearing[:hearing.index("\n\n") + 1]
    return {"notes": [
        {"name": "main log with a witness", "note": main + "\n" + signed_by_log(LOG, main)
         + cosigned_by(WITNESS, "witness.example/w1", 1795338000, main), "origin": ARCHIVE, "size": 70000,
         "root": sha(b"main root").hex(), "signed_by": LOG.vkey(ARCHIVE, 1),
         "cosigned_by": WITNESS.vkey("witness.example/w1", 4), "cosigned_utc": "2026-11-22T09:00:00.000Z"},
        {"name": "receipt of a hearing", "note": hearing + cosigned_by(HOLDER, holder, 1795338001, hearing_text),
         "origin": ARCHIVE + "/hearing/" + HEARING, "size": 17, "root": sha(b"hearing root").hex(),
         "signed_by": STATION.vkey(ARCHIVE + "/hearing/" + HEARING, 1), "cosigned_by": HOLDER.vkey(holder, 4),
         "cosigned_utc": "2026-11-22T09:00:01.000Z"},
    ]}


# ---- entries ----

def entry(**members):
    return dict(members, v=1)


HEARING_ENTRIES = [
    ("open", entry(kind="open", archive=ARCHIVE, boot=BOOT, continues=EARLIER, court="lyon", details_sha256=digest("details"),
                   hearing=HEARING, main_root=digest("main"), main_size=1234, mono_ms=12345, room="salle-3",
                   station="lyon-3", station_key=STATION.public.hex(), utc=UTC,
                   streams=[{"medium": "video", "name": "cam-bench", "source": "room"},
                            {"medium": "audio", "name": "mic-judge", "source": "room"},
                            {"medium": "video", "name": "screen-1", "source": "screen"}])),
    ("open that has seen no main log", entry(kind="open", archive=ARCHIVE, boot=BOOT, court="lyon",
                                             details_sha256=digest("details"), hearing=HEARING, main_root="00" * 32, main_size=0,
                                             mono_ms=0, room="salle-3", station="lyon-3", station_key=STATION.public.hex(),
                                             streams=[], utc=UTC)),
    ("open of what was recovered from a broken station",
     entry(kind="open", archive=ARCHIVE, boot=BOOT, continues=EARLIER, court="lyon", details_sha256=digest("details"), hearing=HEARING,
           main_root=digest("main"), main_size=1234, mono_ms=12345, recovered_from="lyon-4", room="salle-3", station="lyon-3",
           station_key=STATION.public.hex(), streams=[{"medium": "audio", "name": "mic-judge", "source": "room"}], utc=UTC)),
    ("segment", entry(kind="segment", boot=BOOT, bytes=2512345, clock={"error_ms": 2, "state": "locked"},
                      codecs="avc1.64001f", duration_90k=900000, flags=[], init_bytes=1260, mono_ms=812345, run=0, seq=17,
                      sha256=digest("segment"), start_90k=15390000, stream="cam-bench", utc="2026-11-22T09:02:50.000Z")),
    ("segment with flags", entry(kind="segment", boot=BOOT, bytes=16777216, clock={"error_ms": 90000, "state": "import"},
                                 codecs="fLaC", duration_90k=1, flags=["recovered", "transcoded"], init_bytes=700,
                                 mono_ms=0, run=3, seq=9007199254740991, sha256=digest("flac"), start_90k=0,
                                 stream="mic-judge", utc="1970-01-01T00:00:00.000Z")),
    ("gap", entry(kind="gap", boot=BOOT, mono_ms=[1212345, 2122345], note_sha256=digest("note"), person="u-17",
                  reason="recess", streams=["*"], to="2026-11-22T09:45:10.000Z", **{"from": "2026-11-22T09:30:00.000Z"})),
    ("gap over a restart", entry(kind="gap", boot=BOOT, mono_ms=[1212345, 10], reason="power", streams=["cam-bench", "mic-judge"],
                                 to="2026-11-22T09:30:00.000Z", **{"from": "2026-11-22T09:30:00.000Z"})),
    ("gap that names both boots", entry(kind="gap", boot=BOOT, mono_ms=[1212345, 2122345], reason="power", streams=["*"],
                                        to="2026-11-22T09:31:00.000Z", to_boot=NEXT_BOOT, **{"from": "2026-11-22T09:30:00.000Z"})),
    ("explanation", entry(kind="explanation", gap=17, note_sha256=digest("explanation"), person="u-17", reason="power")),
    ("details", entry(kind="details", details_sha256=digest("details 2"), person="u-17", utc=UTC)),
    ("details without a name", entry(kind="details", details_sha256=digest("details 2"), utc=UTC)),
    ("explanation without a name", entry(kind="explanation", gap=9007199254740991, note_sha256=digest("explanation"))),
    ("mark", entry(kind="mark", at="2026-11-22T09:31:00.250Z", note_sha256=digest("mark"), person="u-17", stream="mic-judge")),
    ("mark of the whole hearing", entry(kind="mark", at="2026-11-22T09:31:00.250Z", note_sha256=digest("mark"))),
    ("stream", entry(kind="stream", medium="audio", name="remote-2", source="remote")),
    ("peaks", entry(kind="peaks", count=6000, sha256=digest("peaks"), stream="mic-judge", utc=UTC)),
    ("lost", entry(kind="lost", objects=[{"sha256": digest("lost 1")}, {"sha256": digest("lost 2")}], reason="disk-failure")),
    ("close", entry(kind="close", boot=BOOT, mono_ms=7200000, utc="2026-11-22T11:00:00.000Z",
                    totals=[{"bytes": 1000000, "duration_90k": 648000000, "segments": 720, "stream": "cam-bench"},
                            {"bytes": 0, "duration_90k": 0, "segments": 0, "stream": "mic-judge"}])),
    ("unknown kind", entry(kind="weather", anything=[1, True, "x"])),
    ("unknown version", {"kind": "segment", "v": 2}),
    ("member of the future", entry(kind="peaks", count=1, future={"a": 1}, sha256=digest("peaks"), stream="mic-judge", utc=UTC)),
]

def lost_by_officers(hearing, *objects):
    """Declared lost by officer-1 and officer-2, whose keys are those of the station and the log here."""
    statement = "greffe declares lost v1\n%s\n%s\n" % (ARCHIVE, hearing or "main") + "".join(d + "\n" for d in sorted(objects))
    about = {"hearing": hearing} if hearing else {}
    return entry(kind="lost", objects=[{"sha256": d} for d in objects], officers=["officer-1", "officer-2"],
                 signatures=[b64(key.sign(statement.encode())) for key in (STATION, LOG)], utc=UTC, **about)


MAIN_ENTRIES = [
    ("genesis", entry(kind="genesis", archive=ARCHIVE, holder=HOLDER.vkey(ARCHIVE + "/holder", 4), log_key=LOG.public.hex(),
                      role="primary", utc=UTC)),
    ("station added", entry(kind="key", action="added", court="lyon", key=STATION.public.hex(), name="lyon-3", role="station",
                            room="salle-3", since=UTC, utc=UTC)),
    ("station stolen", entry(kind="key", action="revoked", court="lyon", key=STATION.public.hex(), name="lyon-3", role="station",
                             room="salle-3", since="2026-11-20T00:00:00.000Z", utc=UTC, why="stolen")),
    ("cosigner added", entry(kind="key", action="added", cosigner=WITNESS.vkey("witness.example/w1", 4),
                             key=WITNESS.public.hex(), name="witness.example/w1", role="cosigner", since=UTC, utc=UTC)),
    ("officer renewed", entry(kind="key", action="renewed", key=LOG.public.hex(), name="officer-1", role="officer", since=UTC,
                              utc=UTC)),
    ("replicator added", entry(kind="key", action="added", key=LOG.public.hex(), name="dr.court.example", role="replicator",
                               since=UTC, utc=UTC)),
    ("origin added", entry(kind="key", action="added", key=LOG.public.hex(), name="other.court.example", role="origin",
                           since=UTC, utc=UTC)),
    ("court", entry(kind="place", court="lyon", names_sha256=digest("names"), utc=UTC, zone="Europe/Paris")),
    ("room", entry(kind="place", court="lyon", names_sha256=digest("names"), room="salle-3", utc=UTC)),
    ("hearing-checkpoint", entry(kind="hearing-checkpoint", closed=True, hearing=HEARING, note=hearing_note(), utc=UTC)),
    ("details", entry(kind="details", account="u-17", details_sha256=digest("details 2"), hearing=HEARING,
                      reason_sha256=digest("reason"), utc=UTC)),
    ("mark", entry(kind="mark", account="u-17", at="2026-11-22T09:31:00.250Z", hearing=HEARING, note_sha256=digest("mark"),
                   stream="mic-judge", utc=UTC)),
    ("access", entry(kind="access", account="u-17", hearing=HEARING, purpose="play", session="hV3_k-9Zq1", utc=UTC)),
    ("scrub pass", entry(kind="scrub", bytes=123456789, failures=0, finding="pass", objects=4711, utc=UTC, volume="disk-1")),
    ("scrub pass with its results", entry(kind="scrub", began="2026-09-11T07:30:00.250Z", bytes=123456789, failures=2, finding="pass", objects=4711,
                                          oldest_ms=6220800000, root=digest("results"), utc=UTC, volume="disk-1")),
    ("scrub finding", entry(kind="scrub", action="repaired", bytes=2512345, failures=1, finding="damaged",
                            key="sha256/ab/cd/" + "ab" * 1 + "cd" + "00" * 30, objects=1, utc=UTC, volume="disk-2")),
    ("export", entry(kind="export", account="u-17", hearing=HEARING, root=digest("root"), size=42, utc=UTC)),
    ("account", entry(kind="account", snapshot_sha256=digest("snapshot"), utc=UTC)),
    ("lost", entry(kind="lost", hearing=HEARING, objects=[{"sha256": digest("lost 1")}], officers=["officer-1", "officer-2"],
                   utc=UTC)),
    ("reserved kind", entry(kind="tombstone", hearing=HEARING, utc=UTC)),
    ("lost with signatures", lost_by_officers(HEARING, digest("lost 1"), digest("lost 2"))),
    ("lost documents of the main log", lost_by_officers(None, digest("snapshot"))),
    ("reader added", entry(kind="key", action="added", key=LOG.public.hex(), name="archive.court.example", role="reader", since=UTC, utc=UTC)),
    ("witness added", entry(kind="key", action="added", cosigner=WITNESS.vkey("witness.example/w1", 4), key=WITNESS.public.hex(),
                            name="witness.example/w1", role="witness", since=UTC, utc=UTC)),
    ("returning added", entry(kind="key", action="added", key=LOG.public.hex(), name="archive.court.example/epoch/2", role="returning", since=UTC, utc=UTC)),
    ("finished hearing", entry(kind="hearing-checkpoint", beside=[0, 118, 721], closed=True, hearing=HEARING, note=hearing_note(), utc=UTC)),
    ("graft", entry(kind="graft", hearings=[{"hearing": HEARING, "root": digest("root"), "size": 43}], origin="archive.court.example/epoch/2",
                    root=digest("old end"), size=5000, utc=UTC)),
    ("share granted", entry(kind="share", account="u-17", action="granted", archive="archive.court.example", court="paris.example/appeal",
                            hearing=HEARING, reason_sha256=digest("reason"), until="2027-11-22T00:00:00.000Z", utc=UTC)),
    ("share revoked", entry(kind="share", account="u-17", action="revoked", archive="archive.court.example", court="appeal", hearing=HEARING,
                            reason_sha256=digest("reason"), utc=UTC)),
]


def objects_of(value):
    if isinstance(value, list):
        return [d for one in value for d in objects_of(one)]
    if not isinstance(value, dict):
        return []
    out = []
    for key in sorted(value):
        out += [value[key]] if key == "sha256" or key.endswith("_sha256") else objects_of(value[key])
    return out


def entries(list_of_entries):
    out = []
    for name, value in list_of_entries:
        text = canonical(value)
        out.append({"name": name, "entry": text, "leaf": leaf(text.encode()).hex(), "objects": objects_of(value)})
    return {"entries": out}


# ---- canonical JSON, tiles, names ----

def canonical_json():
    pairs = [
        (' { "b" : 1 , "a" : [ true , false ] } ', '{"a":[true,false],"b":1}'),
        ('{"A":"\\u0041","Z":1,"a":2,"_":3}', '{"A":"A","Z":1,"_":3,"a":2}'),
        ('["\\u00e9\\u2028\\ud83d\\ude00\\/\\u007f"]', '["\u00e9\u2028\U0001f600/\x7f"]'),
        ('["\\u0000\\b\\t\\n\\f\\r\\u001F\\"\\\\"]', '["\\u0000\\b\\t\\n\\f\\r\\u001f\\"\\\\"]'),
        ("[0,-1,9007199254740991,-9007199254740991]", "[0,-1,9007199254740991,-9007199254740991]"),
        ("{}", "{}"), ("[]", "[]"), ('""', '""'), ("7", "7"), ("true", "true"),
        ('{"":1}', '{"":1}'),
        ("[" * 16 + "]" * 16, "[" * 16 + "]" * 16),
        ('{"nom":"Fran\u00e7oise","\\u0061":"\u738b\u4f1f"}', '{"a":"\u738b\u4f1f","nom":"Fran\u00e7oise"}'),
    ]
    refused = [
        ("duplicate key", b'{"a":1,"a":2}'), ("duplicate key behind an escape", b'{"a":1,"\\u0061":2}'),
        ("null", b"null"), ("fraction", b"1.0"), ("exponent", b"1e3"), ("negative zero", b"-0"), ("leading zero", b"01"),
        ("2^53", b"9007199254740992"), ("-2^53", b"-9007199254740992"), ("far too large", b"9" * 400), ("plus sign", b"+1"),
        ("minus alone", b"-"), ("17 levels of lists", b"[" * 17 + b"]" * 17), ("17 levels of objects", b'{"a":' * 17 + b"1" + b"}" * 17),
        ("unfinished depth", b"[" * 1000), ("key that is not ASCII", '{"\u00e9":1}'.encode()),
        ("escaped key that is not ASCII", b'{"\\u00e9":1}'), ("invalid UTF-8", b'["\xff"]'), ("overlong UTF-8", b'["\xc0\x80"]'),
        ("UTF-8 surrogate", b'["\xed\xa0\x80"]'), ("lone high surrogate", b'["\\ud800"]'), ("lone low surrogate", b'["\\udc00"]'),
        ("high surrogate and another escape", b'["\\ud800\\u0041"]'), ("two high surrogates", b'["\\ud800\\ud800"]'),
        ("raw line break in a text", b'["\n"]'), ("unknown escape", b'["\\x41"]'), ("short escape", b'["\\u00"]'), ("unfinished text", b'["a'),
        ("nothing", b""), ("white space alone", b"  "), ("two values", b"1 2"), ("trailing comma", b"[1,]"), ("trailing comma in an object", b'{"a":1,}'),
        ("missing colon", b'{"a" 1}'), ("key without quotes", b"{a:1}"), ("single quotes", b"{'a':1}"), ("comment", b"[1/*x*/]"),
        ("byte order mark", b"\xef\xbb\xbf{}"), ("vertical tab", b"[\x0b1]"), ("zero byte", b"{}\x00"), ("NaN", b"NaN"), ("True", b"True"),
    ]
    return {"canonical": [{"text": text, "canonical": wanted} for text, wanted in pairs],
            "refused": [{"why": why, "text_hex": text.hex()} for why, text in refused]}


def tile_path(level, index, width):
    groups = []
    rest = index
    while True:
        groups.insert(0, "%03d" % (rest % 1000))
        rest //= 1000
        if rest == 0:
            break
    name = "/".join(["x" + g for g in groups[:-1]] + groups[-1:])
    return "tile/%s/%s%s" % (level, name, ".p/%d" % width if width else "")


def tiles():
    paths = []
    for level in ("entries", "0", "7", "63"):
        for index in (0, 1, 999, 1000, 1234067, 999999, 1000000):
            for width in (0, 1, 255):
                paths.append({"path": tile_path(level, index, width), "level": level, "index": index, "width": width})
    partial = [{"size": size, "level": level, "width": (size // 256 ** level) % 256}
               for size in (0, 1, 255, 256, 257, 65535, 65536, 65537, 70000) for level in range(4)]
    refused = ["", "tile", "tile/", "tile/0", "tile/0/", "tile/0/0", "tile/0/0000", "tile/00/000", "tile/64/000", "tile/-1/000",
               "tile/0/x000/000", "tile/0/x001/x067", "tile/0/001/067", "tile/0/x001/067/", "tile/0/000.p/0", "tile/0/000.p/256",
               "tile/0/000.p/01", "tile/0/000.p/", "tile/0/000.p", "tile/0/000.p/1/2", "tile/0/x001.p/1/000", "/tile/0/000",
               "tile/0/000 ", "tile/0/../000", "tile/0//000", "tile/entry/000", "tile/entries/x1/000", "tile/0/" + "x999/" * 20 + "999"]
    return {"paths": paths, "partial": partial, "refused": refused}


# ---- segments: the boxes of a fragmented MP4 with nothing in them that a reader of boxes does not need ----

def box(kind, *content):
    body = b"".join(content)
    return struct.pack(">I", 8 + len(body)) + kind + body


def full_box(kind, version, flags, *content):
    return box(kind, struct.pack(">I", version << 24 | flags), *content)


def init(time_scale, default_duration, default_flags):
    mdhd = full_box(b"mdhd", 0, 0, struct.pack(">IIIIHH", 0, 0, time_scale, 0, 0, 0))
    trex = full_box(b"trex", 0, 0, struct.pack(">IIIII", 1, 1, default_duration, 0, default_flags))
    moov = box(b"moov", full_box(b"mvhd", 0, 0, bytes(96)), box(b"trak", box(b"mdia", mdhd)), box(b"mvex", trex))
    return box(b"ftyp", b"iso5", struct.pack(">I", 512), b"iso5iso6mp41") + moov


def fragment(number, decode_time, durations, first_flags, payload):
    tfhd = full_box(b"tfhd", 0, 0x020000, struct.pack(">I", 1))
    tfdt = full_box(b"tfdt", 1, 0, struct.pack(">Q", decode_time))
    samples = b"".join(struct.pack(">II", d, 1) for d in durations)
    trun = full_box(b"trun", 0, 0x000305, struct.pack(">III", len(durations), 0, first_flags), samples)
    moof = box(b"moof", full_box(b"mfhd", 0, 0, struct.pack(">I", number)), box(b"traf", tfhd, tfdt, trun))
    return moof + box(b"mdat", payload)


def segment():
    non_sync = 0x00010000
    data = init(90000, 3000, non_sync)
    init_bytes = len(data)
    fragments = []
    for i in range(3):
        offset = len(data)
        durations = [3000] * 29 + [3000 + i]
        data += fragment(i + 1, 90000 * (i + 1), durations, 0x02000000 if i == 0 else non_sync, bytes([i]) * (10 + i))
        data += box(b"uuid", b"greffe-hash-box1", sha(data))
        fragments.append({"offset": offset, "bytes": len(data) - offset, "decode_time": 90000 * (i + 1),
                          "duration": sum(durations), "key": i == 0})
    return {"segments": [{"name": "three fragments", "hex": data.hex(), "init_bytes": init_bytes, "time_scale": 90000,
                          "fragments": fragments, "sha256": sha(data).hex()}]}


def keys():
    out = []
    for name, key, kind in ((ARCHIVE, LOG, 1), (ARCHIVE + "/holder", HOLDER, 4), ("\u738b/\u00e9", WITNESS, 4)):
        out.append({"name": name, "type": kind, "seed_is_sha256_of": key.label, "public": key.public.hex(),
                    "vkey": key.vkey(name, kind), "signature_of_greffe": key.sign(b"greffe").hex()})
    return {"keys": out}


DRILL_REPORT = {"archive": ARCHIVE, "asked": True, "began": UTC, "catalogue": {"entries": 4711, "equal": True, "hearings": 40, "sum": digest("catalogue")},
                "day": {"bytes": 123456789, "date": "2026-11-20", "hearings": 3, "objects": 210}, "ended": "2026-11-22T09:01:05.250Z",
                "failure_count": 1, "failures": [{"code": "object", "what": "hearing " + HEARING + ", entry 4 (segment): it is not here"}],
                "head": {"heard": "2026-11-22T08:59:58.000Z", "newest": "2026-11-22T08:59:30.000Z", "root": digest("root"), "size": 4711},
                "kind": "drill-report", "level": 0, "media": {"frames": 2500, "hearing": HEARING, "media_ms": 100000, "segments": 10, "stream": "cam-bench"},
                "ms": {"catalogue": 900, "compare": 100, "day": 60000, "decode": 2500, "head": 10, "log": 50, "sample": 700}, "rpo_ms": 30000, "rto_ms": 1210,
                "salt": digest("salt"), "sample": {"bytes": 500000, "entries": 256, "objects": 200}, "site": "dr.court.example", "v": 1}


def drills():
    report = canonical(DRILL_REPORT)
    bare = {key: value for key, value in DRILL_REPORT.items() if key not in ("catalogue", "day", "media", "rto_ms")}
    bare["head"] = {key: value for key, value in DRILL_REPORT["head"].items() if key != "heard"}
    found = entries([("drill", entry(kind="drill", archive=ARCHIVE, failures=1, objects=410, report_sha256=digest(report), root=digest("root"), seconds=65,
                                     size=4711, utc="2026-11-22T09:01:05.300Z"))])
    return {**found, "report": report, "report_without_parts": canonical(bare)}


def documents():
    salt = digest("salt")
    details = {"cases": ["RG 24/01234", "\uff082026\uff09\u6caa01\u6c11\u521d123\u53f7"], "clerk": "M. Petit", "judges": ["Mme Lef\u00e8vre"],
               "kind": "details", "language": "fr",
               "parties": [{"name": "\u738b\u4f1f", "role": "\u539f\u544a", "spellings": ["Wang Wei"]}],
               "parts": [{"cases": ["RG 24/01234"], "from": UTC, "to": "2026-11-22T10:00:00.000Z"}],
               "public": False, "salt": salt, "scheduled": UTC, "title": "Audience du matin", "v": 1}
    return {"details": canonical(details), "note": canonical({"kind": "mark", "salt": salt, "text": "T\u00e9moin 2", "v": 1}),
            "place_names": canonical({"kind": "place-names", "names": {"en": "Room 3", "fr": "Salle 3", "zh": "\u7b2c\u4e09\u6cd5\u5ead"},
                                      "salt": salt, "v": 1})}


def closing_sheet():
    salt = digest("salt")
    origin = ARCHIVE + "/hearing/" + HEARING
    details = {"cases": ["RG 24/01234"], "clerk": "M. Petit", "judges": [], "kind": "details", "language": "fr", "parties": [], "parts": [],
               "public": True, "salt": salt, "title": "\u5ead\u5be9", "v": 1}
    sheet = {"archive": ARCHIVE, "checkpoint": hearing_note(), "court": "court-1", "court_names": {"zh": "\u6cd5\u9662"},
             "details": details, "end": "2026-11-22T09:00:20.000Z", "hearing": HEARING, "kind": "closing-sheet",
             "interruptions": [{"explanations": [{"note": {"kind": "explanation", "salt": salt, "text": "late", "v": 1}, "person": "u-18",
                                                  "reason": "fault"}], "from": UTC, "length_ms": 5000, "note": {"kind": "gap", "salt": salt, "text": "T\u00e9moin", "v": 1},
                                "person": "u-17", "reason": "recess", "streams": ["*"], "to": "2026-11-22T09:00:05.000Z"}],
             "log": {"root": sha(b"hearing root").hex(), "size": 17}, "room": "room-3", "start": UTC, "station": "station-1",
             "station_key": STATION.public.hex(),
             "streams": [{"bytes": 1000, "duration_90k": 1350000, "medium": "audio", "name": "mic-judge", "segments": 2, "source": "room",
                          "time": {"declared_ms": 20000, "excused_ms": 4000, "recorded_ms": 15000, "unexcused_ms": 1000,
                                   "unexplained_ms": 500}}],
             "v": 1, "zone": "Europe/Paris"}
    text = canonical(sheet)
    statement = "greffe closing sheet v1\n" + origin + "\nsha256 " + digest(text) + "\n"
    note = statement + "\n" + signature_line(origin, STATION.id(origin, 1), STATION.sign(statement.encode()))
    return {"file": '{"sheet":' + text + ',"signature":' + canonical(note) + "}"}


FILES = {"tree.json": tree, "notes.json": notes, "hearing-entries.json": lambda: entries(HEARING_ENTRIES),
         "main-entries.json": lambda: entries(MAIN_ENTRIES), "canonical-json.json": canonical_json, "tiles.json": tiles,
         "segment.json": segment, "keys.json": keys, "documents.json": documents,
         "closing-sheet.json": closing_sheet, "drill.json": drills}


def main():
    write = sys.argv[1:] == ["--write"]
    different = 0
    for name, make in sorted(FILES.items()):
        wanted = json.dumps(make(), sort_keys=True, indent=1, ensure_ascii=False) + "\n"
        file_name = os.path.join(HERE, name)
        if not os.path.exists(file_name) and write:
            with open(file_name, "w", encoding="utf-8") as file:
                file.write(wanted)
            print("added", name)
        elif not os.path.exists(file_name):
            different += 1
            print("missing", name)
        else:
            with open(file_name, encoding="utf-8") as file:
                if file.read() != wanted:
                    different += 1
                    print("not what this program makes:", name)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
