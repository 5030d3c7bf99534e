"""Logs and objects as they lie in folders, for the independent verifier."""
import hashlib
import struct

from twin_formats import Bad, Note, Tree, canonical, leaf_hash, ms_of, read, text_of


def tile_path(kind, index, width):
    text = f"{index % 1000:03}"
    index //= 1000
    while index:
        text = f"x{index % 1000:03}/" + text
        index //= 1000
    return f"tile/{kind}/{text}" + (f".p/{width}" if width else "")


def split_bundle(data):
    out, at = [], 0
    while at < len(data):
        if at + 2 > len(data):
            return None
        size = data[at] << 8 | data[at + 1]
        if at + 2 + size > len(data):
            return None
        out.append(data[at + 2:at + 2 + size])
        at += 2 + size
    return out


class LogCopies:
    """One log in the folders where copies of it stand."""

    def __init__(self, name, folders, report, hearing=""):
        self.folders, self.report = folders, report
        self.place = {"log": name, "hearing": hearing}
        self.entries, self.tree, self.whole = [], Tree([]), False

    def notes(self, code):
        out = []
        for folder in self.folders:
            data = read(folder / "checkpoint", self.report)
            if data is None:
                continue
            try:
                out.append(Note(data, str(folder / "checkpoint")))
            except (Bad, ValueError):
                self.report.add(code, file=str(folder / "checkpoint"), **self.place)
        return sorted(out, key=lambda n: -n.size)

    def cosigned(self, code):
        out = []
        for folder in self.folders:
            for path in sorted((folder / "cosigned").glob("*")):
                try:
                    out.append(Note(read(path, self.report) or b"", str(path)))
                except (Bad, ValueError):
                    self.report.add(code, file=str(path), **self.place)
        return out

    def candidates(self, first, count, note):
        out = []  # (file, entries)
        for folder in self.folders:
            sources = [(folder / tile_path("entries", first // 256, 0), 256, 0)]
            if count < 256:
                sources.append((folder / tile_path("entries", first // 256, count), count, 0))
            for path in sorted((folder / "stage").glob("*")) if not sources[0][0].exists() else []:
                part = path.name.split("-")
                if len(part) == 3 and part[1] == str(note.size) and part[2] == note.root.hex() and int(part[0]) <= first:
                    sources.append((path, note.size - int(part[0]), first - int(part[0])))
            for path, total, skip in sources:
                data = read(path, self.report, **self.place)
                if data is None:
                    continue
                entries = split_bundle(data)
                if entries is None or len(entries) != total:
                    self.report.add("entry-altered", file=str(path), entry=first, entry_end=first + count, **self.place)
                else:
                    out.append((str(path), entries[skip:skip + count]))
        return out

    def stored_leaves(self, first, count):
        out = []
        for folder in self.folders:
            for width in (0, count % 256):
                data = read(folder / tile_path(0, first // 256, width), self.report)
                if data is not None:
                    if len(data) >= 32 * count:
                        out.append([data[i * 32:i * 32 + 32] for i in range(count)])
                    break
        return out

    def load(self, note):
        """True when the tree has the note's root; altered entries are then None, their stored hash stands in the tree."""
        leaves, doubts, entries = [], [], []
        for first in range(0, note.size, 256):
            count = min(256, note.size - first)
            copies, tiles = self.candidates(first, count, note), self.stored_leaves(first, count)
            hashes = [[leaf_hash(e) for e in copy] for _, copy in copies]
            scores = [1 + sum(a == b for tile in tiles for a, b in zip(tile, h)) for h in hashes]
            if first + count == note.size:
                for i, h in enumerate(hashes):
                    scores[i] += 100_000 * (Tree(leaves + h).root() == note.root)
            if not copies:
                self.report.add("entries-missing", entry=first, entry_end=first + count, **self.place)
                if not tiles:
                    return False
                leaves += tiles[0]
                entries += [None] * count
                continue
            best = max(range(len(copies)), key=lambda i: scores[i])
            for i, (file, copy) in enumerate(copies):
                different = [j for j in range(count) if hashes[i][j] != hashes[best][j]]
                if different:
                    self.altered(first + different[0], copy[different[0]], file)
            doubts += [(first + j, tile[j], copies[best][0]) for tile in tiles for j in range(count) if tile[j] != hashes[best][j]]
            leaves += hashes[best]
            entries += copies[best][1]
        self.tree, self.entries = Tree(leaves), entries
        holds = self.tree.root() == note.root
        self.whole = holds and None not in entries
        if not holds and doubts:
            for index, stored, file in doubts:
                self.altered(index, entries[index], file)
                leaves[index], entries[index] = stored, None
            self.tree = Tree(leaves)
            holds = self.tree.root() == note.root
        if holds:
            self.check_tiles()
        return holds

    def altered(self, index, data, file):
        seconds = {}
        try:
            value = canonical(data or b"")
            if value["kind"] == "segment":
                begin = ms_of(value["utc"])
                seconds = {"stream": value["stream"], "from": value["utc"], "to": text_of(begin + value["duration_90k"] // 90)}
        except (Bad, KeyError):
            pass
        self.report.add("entry-altered", entry=index, file=file, **self.place, **seconds)

    def check_tiles(self):
        row, level = self.tree.leaves, 0
        while row:
            for first in range(0, len(row), 256):
                wanted = b"".join(row[first:first + 256])
                for folder in self.folders:
                    path = folder / tile_path(level, first // 256, min(256, len(row) - first) % 256)
                    data = read(path, self.report)
                    if data is not None and data != wanted:
                        self.report.add("tile-altered", file=str(path), entry=first * 256 ** level, **self.place)
            row = [Tree(row[i:i + 256]).root() for i in range(0, len(row) - 255, 256)]
            level += 1


# ---- objects ----

def boxes(data, at):
    """The box at `at` as (type, begin of content, end), or None."""
    if at + 8 > len(data):
        return None
    size, kind = struct.unpack(">I4s", data[at:at + 8])
    header = 8
    if size == 1 and at + 16 <= len(data):
        size, header = struct.unpack(">Q", data[at + 8:at + 16])[0], 16
    return (kind, at + header, at + size) if size >= header and at + size <= len(data) else None


def inside(data, begin, end, *path):
    for wanted in path:
        at = begin
        while True:
            found = boxes(data[:end], at)
            if found is None:
                return None
            if found[0] == wanted:
                begin, end = found[1], found[2]
                break
            at = found[2]
    return begin, end


def walk_segment(data):
    """(init bytes, time scale, [(offset, end, decode time)]) of the good part; (0, 0, []) when there is no init."""
    ftyp = boxes(data, 0)
    moov = boxes(data, ftyp[2]) if ftyp and ftyp[0] == b"ftyp" else None
    mdhd = inside(data, moov[1], moov[2], b"trak", b"mdia", b"mdhd") if moov and moov[0] == b"moov" else None
    if mdhd is None:
        return 0, 0, []
    at = mdhd[0] + (20 if data[mdhd[0]] == 1 else 12)
    scale = struct.unpack(">I", data[at:at + 4])[0]
    out, at, running = [], moov[2], hashlib.sha256(data[:moov[2]])
    while True:
        moof = boxes(data, at)
        mdat = boxes(data, moof[2]) if moof and moof[0] == b"moof" else None
        uuid = boxes(data, mdat[2]) if mdat and mdat[0] == b"mdat" else None
        if not uuid or uuid[0] != b"uuid":
            return moov[2], scale, out
        running.update(data[at:mdat[2]])
        if data[mdat[2]:uuid[2]] != struct.pack(">I", 56) + b"uuidgreffe-hash-box1" + running.digest():
            return moov[2], scale, out
        running.update(data[mdat[2]:uuid[2]])
        tfdt = inside(data, moof[1], moof[2], b"traf", b"tfdt")[0]
        time = struct.unpack(">Q", data[tfdt + 4:tfdt + 12])[0] if data[tfdt] == 1 else struct.unpack(">I", data[tfdt + 4:tfdt + 8])[0]
        out.append((at, uuid[2], time))
        at = uuid[2]


def check_object(report, digest, paths, place, segment=None, absent_ok=False):
    """1 when it is absent and may be."""
    there = False
    for path in paths:
        data = read(path, report, object=digest, **place)
        if data is None:
            if path.is_symlink() or path.is_dir():
                stream = segment["stream"] if segment else None
                report.add("object-altered", object=digest, file=str(path), stream=stream, **place)
                there = True
            continue
        there = True
        good = hashlib.sha256(data).hexdigest() == digest
        where = {**place, "object": digest, "file": str(path)}
        if segment is None:
            if not good:
                report.add("object-altered", **where)
            continue
        begin, ticks = ms_of(segment["utc"]), segment["duration_90k"]
        init, scale, fragments = walk_segment(data)
        end = fragments[-1][1] if fragments else init
        where["stream"] = segment["stream"]
        if good:
            first = fragments[0][2] * 90_000 // scale if fragments else -1
            if end != len(data) or not fragments:
                report.add("segment-boxes", offset=end, **where)
            elif len(data) != segment["bytes"] or init != segment["init_bytes"]:
                report.add("object-size", **where)
            elif abs(first - segment["start_90k"]) > 90:
                report.add("segment-time", offset=fragments[0][0], **where)
            continue
        whole = fragments and end == len(data)
        cut = whole and len(data) < segment["bytes"] and init == segment["init_bytes"] and \
            abs(fragments[0][2] * 90_000 // scale - segment["start_90k"]) <= 90
        if whole and not cut:
            report.add("object-replaced", offset=0, **where)
            continue
        starts = begin + 1000 * len(fragments)  # a fragment lasts a second
        stops = begin + ticks // 90 if cut else min(starts + 1000, begin + ticks // 90)
        report.add("object-altered", offset=end, **{"from": text_of(starts), "to": text_of(stops)}, **where)
    if not there and not absent_ok:
        seconds = {}
        if segment is not None:
            begin = ms_of(segment["utc"])
            seconds = {"stream": segment["stream"], "from": segment["utc"], "to": text_of(begin + segment["duration_90k"] // 90)}
        report.add("object-missing", object=digest, **place, **seconds)
    return 0 if there else 1
