"""Makes sample archives, pools and exports from the format pages alone: an independent writer, for tests of verifiers.

Nothing here is shared with the product. Media are real fragmented MP4 boxes around random bytes.
"""
import base64
import copy
import datetime
import hashlib
import json
import os
import pathlib
import secrets
import struct

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

RAW = serialization.Encoding.Raw, serialization.PublicFormat.Raw
ARCHIVE = "archive.test.example"
START_MS = 1_790_000_000_000
HASH_BOX_TYPE = b"greffe-hash-box1"


def canonical(value):
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def sha(data):
    return hashlib.sha256(data).hexdigest()


def utc(ms):
    return datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03}Z"


def leaf(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def root_of(leaves):
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node(root_of(leaves[:k]), root_of(leaves[k:]))


def inclusion(index, leaves):
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if index < k:
        return inclusion(index, leaves[:k]) + [root_of(leaves[k:])]
    return inclusion(index - k, leaves[k:]) + [root_of(leaves[:k])]


class Key:
    def __init__(self, name, kind):
        self.name, self.kind = name, kind
        self.private = ed25519.Ed25519PrivateKey.generate()
        self.public = self.private.public_key().public_bytes(*RAW)

    def key_id(self, name=None):
        return hashlib.sha256((name or self.name).encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def vkey(self):
        return f"{self.name}+{self.key_id().hex()}+{base64.b64encode(bytes([self.kind]) + self.public).decode()}"

    def line(self, text, name=None, at=None):
        name = name or self.name
        if self.kind == 1:
            signature = self.private.sign(text.encode())
        else:
            at = at or START_MS // 1000 + 7200
            signature = struct.pack(">Q", at) + self.private.sign(f"cosignature/v1\ntime {at}\n{text}".encode())
        return f"\u2014 {name} {base64.b64encode(self.key_id(name) + signature).decode()}\n"


def checkpoint_text(origin, leaves):
    return f"{origin}\n{len(leaves)}\n{base64.b64encode(root_of(leaves)).decode()}\n"


# ---- media ----

def box(kind, *parts):
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + kind + body


def init_segment(scale):
    mdhd = box(b"mdhd", bytes(4), bytes(8), struct.pack(">II", scale, 0), bytes(4))
    trex = box(b"trex", bytes(4), struct.pack(">IIIII", 1, 1, 0, 0, 0))
    moov = box(b"moov", box(b"trak", box(b"mdia", mdhd)), box(b"mvex", trex))
    return box(b"ftyp", b"iso6\0\0\0\0iso6mp41") + moov


def fragment(decode_time, duration, payload):
    tfhd = box(b"tfhd", struct.pack(">II", 0x020000, 1))
    tfdt = box(b"tfdt", struct.pack(">IQ", 0x01000000, decode_time))
    trun = box(b"trun", struct.pack(">III", 0x000301, 1, 0), struct.pack(">II", duration, len(payload)))
    return box(b"moof", box(b"mfhd", struct.pack(">II", 0, 1)), box(b"traf", tfhd, tfdt, trun)) + box(b"mdat", payload)


def segment(start_90k, seconds, scale=90_000, payload_bytes=900):
    """(bytes, init_bytes, duration_90k) of a segment with one fragment a second."""
    data = init_segment(scale)
    init_bytes = len(data)
    for i in range(seconds):
        data += fragment(start_90k * scale // 90_000 + i * scale, scale, os.urandom(payload_bytes))
        data += struct.pack(">I", 56) + b"uuid" + HASH_BOX_TYPE + hashlib.sha256(data).digest()
    return data, init_bytes, seconds * 90_000


# ---- hearings ----

def hearing_id(ms):
    value = (ms << 80) | (7 << 76) | (secrets.randbits(12) << 64) | (2 << 62) | secrets.randbits(62)
    text = f"{value:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


class Hearing:
    """Streams of ten-second segments; commits says after how many entries a checkpoint goes into the main log."""

    def __init__(self, station, name="s1", start_ms=START_MS, streams=("cam-bench", "mic-judge")):
        self.station, self.station_name, self.start_ms = station, name, start_ms
        self.id = hearing_id(start_ms)
        self.origin = f"{ARCHIVE}/hearing/{self.id}"
        self.entries, self.objects, self.commits = [], {}, []
        self.names = {}  # digest -> suffix in an export
        self.streams = {s: {"seq": 0, "run": 0, "at": 90_000, "now": start_ms, "bytes": 0, "ticks": 0} for s in streams}
        self.archive = ARCHIVE
        # The station's clocks at true time `now`: monotonic now - mono_zero_ms, wall now + wall_ms.
        self.boot, self.mono_zero_ms, self.wall_ms, self.error_ms = "b1", start_ms, 0, 2

    def document(self, kind, **more):
        return self.keep(canonical({"kind": kind, "salt": secrets.token_hex(32), "v": 1, **more}), ".json")

    def keep(self, data, suffix):
        digest = sha(data)
        self.objects[digest] = data
        self.names[digest] = suffix
        return digest

    def add(self, **entry):
        self.entries.append(canonical({"v": 1, **entry}))

    def mono(self, ms):
        return ms - self.mono_zero_ms

    def wall(self, ms):
        return utc(ms + self.wall_ms)

    def open(self, expected=None, **changes):
        names = expected or list(self.streams)
        details = self.document("details", cases=["RG 26/00001"], clerk="", judges=[], language="fr", parties=[], parts=[],
                                public=True, title="t")
        entry = {"kind": "open", "archive": self.archive, "boot": self.boot, "court": "court-a", "details_sha256": details,
                 "hearing": self.id, "main_root": sha(b""), "main_size": 0, "mono_ms": self.mono(self.start_ms), "room": "room-1",
                 "station": self.station_name, "station_key": self.station.public.hex(),
                 "streams": [{"medium": "video" if n.startswith("cam") else "audio", "name": n, "source": "room"} for n in names],
                 "utc": self.wall(self.start_ms)}
        self.add(**{**entry, **changes})
        return self

    def record(self, stream, seconds=10, **changes):
        s = self.streams[stream]
        data, init_bytes, ticks = segment(s["at"], seconds)
        digest = self.keep(data, ".mp4")
        entry = {"kind": "segment", "boot": self.boot, "bytes": len(data), "clock": {"error_ms": self.error_ms, "state": "locked"},
                 "codecs": "avc1.64001f", "duration_90k": ticks, "flags": [], "init_bytes": init_bytes,
                 "mono_ms": self.mono(s["now"]), "run": s["run"], "seq": s["seq"], "sha256": digest, "start_90k": s["at"],
                 "stream": stream, "utc": self.wall(s["now"])}
        self.add(**{**entry, **changes})
        s["seq"] += 1
        s["at"] += ticks
        s["now"] += seconds * 1000
        s["bytes"] += len(data)
        s["ticks"] += ticks
        return digest

    def new_run(self, stream, now):
        s = self.streams[stream]
        s["now"] = now
        if s["seq"]:
            s["run"] += 1
            s["at"] += 90_000

    def now(self):
        return max(s["now"] for s in self.streams.values())

    def gap(self, begin, end, reason, streams=("*",), **more):
        entry = {"kind": "gap", "boot": self.boot, "mono_ms": [self.mono(begin), self.mono(end)], "reason": reason,
                 "streams": list(streams), "from": self.wall(begin), "to": self.wall(end)}
        self.add(**{**entry, **more})
        return len(self.entries) - 1

    def pause(self, seconds=300, reason="recess", declare=True):
        begin = self.now()
        for name in self.streams:
            self.new_run(name, begin + seconds * 1000)
        return self.gap(begin, begin + seconds * 1000, reason, person="u-17") if declare else None

    def set_clock(self, step_ms):
        """The wall clock is set: a new run of every stream, nothing else."""
        self.wall_ms += step_ms
        for name in self.streams:
            self.new_run(name, self.now())

    def restart(self, down_ms, mono_ms, names_boot=True):
        """The power fails now; after down_ms the station is there again, with its monotonic clock at mono_ms."""
        begin, old_boot, old_mono, old_wall = self.now(), self.boot, self.mono(self.now()), self.wall(self.now())
        self.boot, self.mono_zero_ms = f"b{int(self.boot[1:]) + 1}", begin + down_ms - mono_ms
        for name in self.streams:
            self.new_run(name, begin + down_ms)
        more = {"to_boot": self.boot} if names_boot else {}
        self.add(kind="gap", boot=old_boot, mono_ms=[old_mono, mono_ms], reason="power", streams=["*"], to=self.wall(begin + down_ms),
                 **{"from": old_wall}, **more)
        return len(self.entries) - 1

    def explain(self, gap, **more):
        self.add(kind="explanation", gap=gap, note_sha256=self.document("explanation", text="The plug was pulled."), **more)
        return self

    def correct(self, ms=5000, case="RG 26/00002"):
        """The wrong case was opened: another document from here on. Its digest."""
        digest = self.document("details", cases=[case], clerk="", judges=[], language="fr", parties=[], parts=[], public=False, title="t")
        self.add(kind="details", details_sha256=digest, person="g-07", utc=self.wall(self.start_ms + ms))
        return digest

    def commit(self):
        self.commits.append(len(self.entries))

    def close(self, **changes):
        end = self.now()
        totals = [{"bytes": s["bytes"], "duration_90k": s["ticks"], "segments": s["seq"], "stream": n}
                  for n, s in self.streams.items()]
        self.add(**{"kind": "close", "boot": self.boot, "mono_ms": self.mono(end), "totals": totals, "utc": self.wall(end), **changes})
        self.commit()
        return self

    def usual(self, segments=6, pause=False):
        self.open()
        self.commit()
        for i in range(segments):
            if pause and i == segments // 2:
                self.pause()
            for stream in self.streams:
                self.record(stream)
            if i == segments // 2:
                self.commit()
        return self.close()

    def state(self):
        """As a graft names it."""
        return {"hearing": self.id, "root": root_of([leaf(e) for e in self.entries]).hex(), "size": len(self.entries)}

    def note(self, size=None, cosigners=()):
        leaves = [leaf(e) for e in self.entries[:size]]
        text = checkpoint_text(self.origin, leaves)
        return text + "\n" + self.station.line(text, self.origin) + "".join(c.line(text) for c in cosigners)


class Epoch:
    """One main log: who signs it, who gives receipts meanwhile. `pin`: how many of its entries the next one goes on from; None: it is the newest.
    `back`: how many have come back since. `cosigned`: by whom else than Archive.dr, and how many of its entries (None: all)."""

    def __init__(self, origin):
        self.origin, self.log, self.holder = origin, Key(origin, 1), Key(origin + "/holder", 4)
        self.entries, self.pin, self.back, self.cosigned = [], None, 0, []

    def note(self, size=None, cosigners=()):
        text = checkpoint_text(self.origin, [leaf(e) for e in self.entries[:size]])
        return text + "\n" + self.log.line(text) + "".join(c.line(text) for c in cosigners)


class Archive:
    """The main log of a sample, and how it lies in a pool or in an export."""

    def __init__(self):
        self.epochs = [Epoch(ARCHIVE)]
        self.dr = Key("dr.test.example/holder", 4)
        self.station = Key("s1", 1)
        self.objects, self.hearings, self.exported_kinds = {}, [], ("key",)
        self.now = START_MS - 3_600_000
        self.add(kind="genesis", archive=ARCHIVE, holder=self.holder.vkey(), log_key=self.log.public.hex(), role="primary")
        self.add_key("station", "s1", self.station, court="court-a", room="room-1")
        self.add_key("cosigner", self.dr.name, self.dr, cosigner=self.dr.vkey())

    # Of the newest epoch.
    log = property(lambda self: self.epochs[-1].log)
    holder = property(lambda self: self.epochs[-1].holder)
    entries = property(lambda self: self.epochs[-1].entries)

    @entries.setter
    def entries(self, entries):
        epoch = copy.copy(self.epochs[-1])
        epoch.entries = entries
        self.epochs = self.epochs[:-1] + [epoch]

    def promote(self, officers, pin=None, change=lambda certificate: None, signers=None):
        """Goes on in a log of its own behind the first `pin` entries; `change` falsifies the certificate before it is signed."""
        before, number = self.epochs[-1], len(self.epochs) + 1
        before.pin = before.back = len(before.entries) if pin is None else pin
        epoch = Epoch(f"{ARCHIVE}/epoch/{number}")
        root = root_of([leaf(e) for e in before.entries[:before.pin]]).hex()
        entry = {"archive": ARCHIVE, "epoch": number, "holder": epoch.holder.vkey(), "kind": "promotion", "log_key": epoch.log.public.hex(),
                 "machine_key": Key("m", 1).public.hex(), "machine_url": "https://second.test.example:8444", "officers": [o.name for o in officers],
                 "previous": {"origin": before.origin, "root": root, "size": before.pin}}
        change(entry)
        previous, log = entry["previous"], Key(epoch.origin, 1)
        log.public = bytes.fromhex(entry["log_key"])
        lines = ["greffe promotes v1", entry["archive"], entry["epoch"], previous["origin"], previous["size"], previous["root"], log.vkey(), entry["holder"],
                 entry["machine_url"], entry["machine_key"]]
        text = "".join(f"{line}\n" for line in lines).encode()
        self.epochs.append(epoch)
        self.add(**entry, signatures=[base64.b64encode(o.private.sign(text)).decode() for o in signers or officers])
        return epoch

    def number(self):
        """Of the newest entry, through all epochs."""
        return sum(epoch.pin for epoch in self.epochs[:-1]) + len(self.entries) - 1

    def take_back(self, epoch, hearings=(), size=None, say=lambda entries: entries, **changes):
        """What this epoch has behind its pin comes back, up to `size`, with these hearings; `say`: changes what is said again. The number of the graft."""
        size = len(epoch.entries) if size is None else size
        entry = {"hearings": [h if isinstance(h, dict) else h.state() for h in hearings], "kind": "graft", "origin": epoch.origin,
                 "root": root_of([leaf(e) for e in epoch.entries[:size]]).hex(), "size": size}
        self.add(**{**entry, **changes})
        number = self.number()
        again = say([e for e in epoch.entries[epoch.back:size] if is_said_again(json.loads(e))])
        self.entries.extend(again)
        epoch.back = max(epoch.back, size)
        return number

    def add(self, **entry):
        self.now += 1000
        self.entries.append(canonical({"utc": utc(self.now), "v": 1, **entry}))

    def add_key(self, role, name, key, action="added", **more):
        self.add(kind="key", action=action, key=key.public.hex(), name=name, role=role, since=utc(self.now), **more)

    def file(self, hearing, commits=None):
        """Puts a hearing's checkpoints, or these of them, into the main log. Receipts are given by who holds it now."""
        if hearing not in self.hearings:
            self.hearings.append(hearing)
        hearing.holder = self.holder
        for size in hearing.commits if commits is None else commits:
            closed = json.loads(hearing.entries[size - 1])["kind"] == "close"
            self.add(kind="hearing-checkpoint", closed=closed, hearing=hearing.id, note=hearing.note(size))
        return hearing

    def correct(self, hearing):
        documents = [canonical({"kind": k, "salt": secrets.token_hex(32), "v": 1, **m})
                     for k, m in (("details", {"cases": ["RG 2"], "clerk": "", "judges": [], "language": "fr", "parties": [],
                                               "parts": [], "public": True, "title": "t"}), ("reason", {"text": "x"}))]
        for data in documents:
            self.objects[sha(data)] = data
        self.add(kind="details", account="u-1", details_sha256=sha(documents[0]), hearing=hearing.id, reason_sha256=sha(documents[1]))

    def policy(self, quorum=True):
        lines = [f"log {self.epochs[0].log.vkey()}", f"witness dr {self.dr.vkey()}", "quorum " + ("dr" if quorum else "none")]
        return "\n".join(lines) + "\n"

    def note(self, size=None, cosigned=True):
        return self.epochs[-1].note(size, (self.dr,) if cosigned else ())

    # -- a pool --

    def write_pool(self, folder, volumes=3, as_copy=False, pinned=False):
        """`as_copy`: of a second site, where the first epoch's log is one of others as well. `pinned`: of one that has nothing behind the pins."""
        folder = pathlib.Path(folder)
        pool = secrets.token_hex(16)
        paths = [folder / "abcdef"[i] for i in range(volumes)]
        for path in paths:
            path.mkdir(parents=True)
            (path / "greffe-volume.json").write_bytes(canonical({"domain": path.name, "pool": pool, "v": 1,
                                                                 "volume": secrets.token_hex(16)}))
            for epoch in self.epochs:
                log = path / ("log/main" if epoch is self.epochs[0] and not as_copy else "log/from/" + sha(epoch.origin.encode()))
                size = epoch.pin if pinned else None
                write_log(log, epoch.entries[:size], epoch.note(size), final=False)
                for key, end in epoch.cosigned + [(self.dr, size)] * (epoch is self.epochs[0]):
                    put(log / "cosigned" / key.key_id().hex(), epoch.note(end, (key,)).encode())
            for hearing in self.hearings:
                write_log(path / hearing_path(hearing.id), hearing.entries, hearing.note(None, (hearing.holder,)), final=True)
            for objects in [self.objects] + [h.objects for h in self.hearings]:
                for digest, data in objects.items():
                    put(path / "sha256" / digest[:2] / digest[2:4] / digest, data)
        return paths

    # -- an export --

    def write_export(self, folder, hearing):
        folder = pathlib.Path(folder)
        put(folder / "README.txt", b"sample\n")
        put(folder / "policy.txt", self.policy().encode())
        objects = dict(hearing.objects)
        for number, epoch in enumerate(self.epochs, 1):
            objects.update(self.write_main(folder / ("main" if number == 1 else f"main/epoch/{number}"), epoch, hearing))
        write_log(folder / "hearing", hearing.entries, hearing.note(None, (hearing.holder, self.dr)), final=True)
        for digest, data in objects.items():
            put(folder / "objects" / (digest + hearing.names.get(digest, ".json")), data)
        for stream in hearing.streams:
            put(folder / f"play/{stream}.m3u8", playlist(hearing, stream).encode())
        write_manifest(folder)
        return folder

    def write_main(self, folder, epoch, hearing):
        """What an export has of one epoch's log; the documents that those entries name."""
        entries, objects = epoch.entries[:epoch.pin], {}
        cosigners = [key for key, end in epoch.cosigned if end in (None, epoch.pin)] + [self.dr] * (epoch is self.epochs[0])
        note = epoch.note(epoch.pin, cosigners)
        put(folder / "checkpoint", note.encode())
        leaves = [leaf(e) for e in entries]
        for index, entry in enumerate(entries):
            value = json.loads(entry)
            if index and value.get("hearing") != hearing.id and value["kind"] not in self.exported_kinds:
                continue
            put(folder / f"entries/{index}.json", entry)
            proof = "".join(base64.b64encode(h).decode() + "\n" for h in inclusion(index, leaves))
            put(folder / f"proofs/{index}.tlog-proof", f"c2sp.org/tlog-proof@v1\nindex {index}\n{proof}\n{note}".encode())
            for key, digest in value.items():
                if key.endswith("_sha256"):
                    objects[digest] = self.objects[digest]
        return objects


def is_said_again(entry):
    """Whether an entry that came back stands again behind the graft."""
    return entry["kind"] in ("details", "mark", "place", "access", "export", "share", "lost") or entry.get("role") == "station"


def hearing_path(hearing):
    day = datetime.datetime.fromtimestamp(int(hearing.replace("-", "")[:12], 16) / 1000, datetime.timezone.utc)
    return f"log/hearing/{day:%Y/%m/%d}/{hearing}"


def put(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def write_manifest(folder):
    lines = [f"{sha(p.read_bytes())}  {p.relative_to(folder).as_posix()}\n" for p in folder.rglob("*")
             if p.is_file() and p.name != "manifest-sha256.txt"]
    (folder / "manifest-sha256.txt").write_text("".join(sorted(lines, key=lambda line: line[66:])))


def playlist(hearing, stream):
    out, run = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:31\n", None
    for e in map(json.loads, hearing.entries):
        if e["kind"] == "segment" and e["stream"] == stream:
            uri = f"../objects/{e['sha256']}.mp4"
            start = e["init_bytes"]
            if e["run"] != run:
                out += f"#EXT-X-MAP:URI=\"{uri}\",BYTERANGE=\"{start}@0\"\n"
                run, start = e["run"], 0
            out += f"#EXTINF:10.0,\n#EXT-X-BYTERANGE:{e['bytes'] - start}@{start}\n{uri}\n"
    return out + "#EXT-X-ENDLIST\n"


def tile_path(kind, index, width):
    text = f"{index % 1000:03}"
    index //= 1000
    while index:
        text = f"x{index % 1000:03}/" + text
        index //= 1000
    return f"tile/{kind}/{text}" + (f".p/{width}" if width else "")


def write_log(folder, entries, note, final):
    """Full tiles and bundles; then the final partial ones, or the stage of the head."""
    put(folder / "checkpoint", note.encode())
    row, level = [leaf(e) for e in entries], 0
    while row:
        for first in range(0, len(row), 256):
            width = min(256, len(row) - first) % 256
            if width == 0 or final:
                put(folder / tile_path(level, first // 256, width), b"".join(row[first:first + 256]))
        row = [root_of(row[i * 256:(i + 1) * 256]) for i in range(len(row) // 256)]
        level += 1
    bundle = lambda part: b"".join(struct.pack(">H", len(e)) + e for e in part)  # noqa: E731
    for first in range(0, len(entries), 256):
        part = entries[first:first + 256]
        if len(part) == 256 or final:
            put(folder / tile_path("entries", first // 256, len(part) % 256), bundle(part))
    tail = len(entries) // 256 * 256
    if not final and tail < len(entries):
        root = root_of([leaf(e) for e in entries]).hex()
        put(folder / f"stage/{tail}-{len(entries)}-{root}", bundle(entries[tail:]))
