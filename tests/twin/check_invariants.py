#!/usr/bin/python3
"""Proves the invariants of DESIGN section 9 from the files of a pool alone. Shares no code with the product.

    check_invariants.py [--write-quorum W] [--acknowledged FILE] [--heads FILE] [--second FOLDER…] [--json] VOLUME…

I1  what was acknowledged is on at least W volumes, with the right digest (--acknowledged: lines "<64 hex>" for an object,
    "<origin> <size>" for log entries; the file is written on the client's side)
I2  no log entry names an object that is nowhere, but those that a `lost` entry names
I3  every visible object has the digest that is its name
I4  within an epoch the second site's copy of a log is a prefix of the one here (--second: its volumes); where it was promoted, neither
    of both has a log that goes on otherwise than the other's
I5  each epoch of an archive goes on from a state of the one before, as two officers signed; the copies of a head never contradict each other, and no head went back (--heads: a file that keeps the heads seen;
    it is read, compared and written again); entries that a replica knows ahead of their objects lead to a signed tree, that of the log
I8  --json prints a digest over everything that the catalogue is derived from: it must not change over a rebuild

Exit status 0: they hold. 1: broken, with the place. 2: cannot run. Volumes may be those of a pool that is in use.
"""
import argparse
import hashlib
import json
import pathlib
import sys

from twin_formats import HEX, Bad, Note, Report, canonical, leaf_hash, named_objects, node_hash
from twin_logs import LogCopies
from twin_main_log import Epoch, entries_of, epoch_of, follow, origin_of

PIECE = ["checkpoint", "edge", "entries", "first", "v"]


def grown(size, edge, entries):
    """Size and root of a tree with these full subtrees on its right edge, the largest first, when the entries are added."""
    widths = [1 << bit for bit in reversed(range(size.bit_length())) if size >> bit & 1]
    if len(widths) != len(edge):
        raise Bad("an edge of another size")
    parts = list(zip(widths, edge))
    for entry in entries:
        parts.append((1, leaf_hash(entry)))
        while len(parts) > 1 and parts[-1][0] == parts[-2][0]:
            (width, right), (_, left) = parts.pop(), parts.pop()
            parts.append((2 * width, node_hash(left, right)))
    root = parts[-1][1] if parts else hashlib.sha256(b"").digest()
    for _, left in reversed(parts[:-1]):
        root = node_hash(left, root)
    return size + len(entries), root


class Pool:
    def __init__(self, volumes):
        self.volumes = [pathlib.Path(v) for v in volumes]
        self.objects = {}  # digest -> number of good copies
        self.broken = []
        self.logs = {}     # origin -> (relative path, note, entries)
        self.acknowledged = 0  # lines of what was acknowledged that were looked for

    def fail(self, invariant, what):
        self.broken.append({"invariant": invariant, "what": what})

    def read_objects(self):
        for volume in self.volumes:
            for path in sorted((volume / "sha256").glob("*/*/*")):
                digest = path.name
                if not HEX.match(digest) or path.parent.name != digest[2:4] or path.parent.parent.name != digest[:2]:
                    self.fail("I3", f"{path} is visible among the objects and is none")
                    continue
                good = hashlib.sha256(path.read_bytes()).hexdigest() == digest
                self.objects[digest] = self.objects.get(digest, 0) + good
                if not good:
                    self.fail("I3", f"{path} does not have the digest that is its name")

    def read_logs(self):
        found = {"log/main"}
        for volume in self.volumes:
            found |= {p.relative_to(volume).as_posix() for p in (volume / "log/from").glob("*")}
            found |= {p.relative_to(volume).as_posix() for p in (volume / "log/hearing").glob("*/*/*/*")}
        for path in sorted(found):
            report = Report()
            log = LogCopies(path, [v / path for v in self.volumes], report)
            notes = log.notes("checkpoint")
            for finding in report.findings:
                self.fail("I5", f"{finding['file']} is not a checkpoint")
            if not notes:
                continue  # begun, nothing published
            holds = log.load(notes[0])
            for finding in report.findings:
                self.fail("I2", f"{path}: {finding['code']} {finding.get('file', '')} entry {finding.get('entry')}")
            if not holds:
                self.fail("I5", f"{path}: the entries do not give the root of the head ({notes[0].size} entries)")
                continue
            for note in notes[1:]:
                if note.origin != notes[0].origin or log.tree.root(note.size) != note.root:
                    self.fail("I5", f"{note.file} contradicts {notes[0].file}")
            self.logs[notes[0].origin] = (path, notes[0], log)

    def newest_epochs(self):
        """archive -> the highest epoch whose log is here."""
        out = {}
        for origin in self.logs:
            if "/hearing/" not in origin:
                archive, epoch = epoch_of(origin)
                out[archive] = max(epoch, out.get(archive, 0))
        return out

    def check_epochs(self):
        for archive, newest in self.newest_epochs().items():
            chain = []
            for number in range(1, newest + 1):
                _, note, log = self.logs.get(origin_of(archive, number), (None, None, None))
                if log is None:
                    self.fail("I5", f"the log of epoch {number} of {archive} is not here, and a later one is")
                    break
                epoch = Epoch(note, entries_of(log), lambda size, note=note, log=log: log.tree.root(size) if size <= note.size else None)
                try:
                    follow(chain, epoch) if chain else chain.append(epoch)
                except Bad as problem:
                    self.fail("I5", f"the log of epoch {number} of {archive} does not go on from the one before: {problem}")
                    break

    def read_ahead(self):
        """What a replica knows of logs before it holds what their entries name: each piece leads to the tree that it states, and to what the
        log itself holds of it."""
        for volume in self.volumes:
            for path in sorted((volume / "log/ahead").glob("*/*/stage/*")):
                try:
                    wrong = self.wrong_with_piece(path, path.read_bytes())
                except FileNotFoundError:
                    continue  # the log holds it meanwhile
                except (Bad, ValueError, KeyError, TypeError, AttributeError) as problem:
                    wrong = f"is none ({problem})"
                if wrong:
                    self.fail("I5", f"{path}: a piece of entries ahead of their objects {wrong}")

    def wrong_with_piece(self, path, data):
        value = json.loads(data.decode("utf-8"))
        if json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() != data or sorted(value) != PIECE or value["v"] != 1:
            return "is not written as it should be"
        first, entries = value["first"], [e.encode() for e in value["entries"]]
        note = Note(value["checkpoint"].encode(), str(path))
        size, root = grown(first, [bytes.fromhex(h) for h in value["edge"]], entries)
        if (size, root) != (note.size, note.root) or not entries or path.name != f"{first}-{size}-{root.hex()}":
            return "does not lead to the tree that it states"
        kind, name = path.parts[-4:-2]
        if name != (note.origin.rsplit("/", 1)[-1] if kind == "hearing" else hashlib.sha256(note.origin.encode()).hexdigest()):
            return f"is of another log ({note.origin})"
        _, head, log = self.logs.get(note.origin, (None, None, None))
        if log and (log.entries[first:size] != entries[:max(0, head.size - first)] or (size <= head.size and log.tree.root(size) != root)):
            return "says something else than the log"
        return None

    def check_named(self):
        """I2; a hearing's objects may also be declared lost by the main log."""
        lost = set()
        values = {}
        for origin, (_, _, log) in self.logs.items():
            values[origin] = []
            for index, data in enumerate(log.entries):
                try:
                    value = canonical(data)
                except Bad as problem:
                    self.fail("I2", f"{origin} entry {index}: {problem}")
                    continue
                values[origin].append((index, value))
                if value["kind"] == "lost":
                    lost.update(named_objects(value))
        for origin, listed in values.items():
            for index, value in listed:
                for digest in named_objects(value) if value["kind"] != "lost" else []:
                    if not self.objects.get(digest) and digest not in lost:
                        self.fail("I2", f"{origin} entry {index} names {digest}, which is nowhere")

    def check_acknowledged(self, path, quorum):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            words = line.split()
            self.acknowledged += bool(words)
            if len(words) == 1 and HEX.match(words[0]):
                if self.objects.get(words[0], 0) < quorum:
                    self.fail("I1", f"line {number}: object {words[0]} was acknowledged and is on "
                                    f"{self.objects.get(words[0], 0)} volumes, not on {quorum}")
            elif len(words) == 2 and words[1].isdigit():
                held = self.logs[words[0]][1].size if words[0] in self.logs else 0
                if held < int(words[1]):
                    self.fail("I1", f"line {number}: {words[1]} entries of {words[0]} were acknowledged, {held} are there")
                copies = [n for n in self.copies_of(words[0]) if n.size >= int(words[1])]
                if len(copies) < quorum:
                    self.fail("I1", f"line {number}: only {len(copies)} volumes have a head of {words[0]} with {words[1]} entries")
            elif line.strip():
                raise SystemExit(f"{path}, line {number}: neither a digest nor an origin with a size")

    def copies_of(self, origin):
        if origin not in self.logs:
            return []
        path = self.logs[origin][0]
        return LogCopies(path, [v / path for v in self.volumes], Report()).notes("")

    def check_heads(self, path):
        before = json.loads(path.read_text()) if path.exists() else {}
        for origin, (size, root) in before.items():
            if origin not in self.logs:
                self.fail("I5", f"the log {origin} had {size} entries and is gone")
                continue
            _, note, log = self.logs[origin]
            if note.size < size:
                self.fail("I5", f"the head of {origin} went back from {size} to {note.size} entries")
            elif log.tree.root(size).hex() != root:
                self.fail("I5", f"the log {origin} had another root at {size} entries")
        path.write_text(json.dumps({o: (n.size, n.root.hex()) for o, (_, n, _) in self.logs.items()}, sort_keys=True))

    def check_prefix(self, second):
        """I4: every copy at the second site is a prefix of what is here, unless the archive goes on there."""
        here, there = self.newest_epochs(), second.newest_epochs()
        for origin, (path, note, log) in second.logs.items():
            archive = epoch_of(origin.partition("/hearing/")[0])[0]
            promoted = there.get(archive, 0) > here.get(archive, there.get(archive, 0))
            if origin not in self.logs:
                if not promoted and ("/hearing/" in origin or path != "log/main"):  # that is its own main log
                    self.fail("I4", f"the second site has the log {origin}, which is not here")
                continue
            _, mine, held = self.logs[origin]
            common = min(note.size, mine.size) if promoted else note.size
            if common > mine.size or held.tree.root(common) != log.tree.root(common):
                self.fail("I4", f"the second site's {origin} ({note.size} entries) is not a prefix of the one here ({mine.size})")
            if log.tree.leaves[:common] != held.tree.leaves[:common]:
                self.fail("I4", f"the second site's entries of {origin} are not those here")

    def inputs_digest(self):
        """I8: main log, hearing logs and the documents they name, in one order."""
        total = hashlib.sha256()
        for origin, (_, _, log) in sorted(self.logs.items()):
            total.update(origin.encode() + b"\n")
            for data in log.entries:
                total.update(leaf_hash(data))
        return total.hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write-quorum", type=int, default=2)
    parser.add_argument("--acknowledged", type=pathlib.Path)
    parser.add_argument("--heads", type=pathlib.Path)
    parser.add_argument("--second", nargs="*", default=[])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("volumes", nargs="+")
    words = parser.parse_args()
    for folder in words.volumes + words.second:
        if not (pathlib.Path(folder) / "greffe-volume.json").exists():
            print(f"check_invariants: {folder} is not a volume", file=sys.stderr)
            return 2
    pool = check(words.volumes, words.write_quorum, words.acknowledged, words.heads, words.second)
    if words.json:
        print(json.dumps({"holds": not pool.broken, "broken": pool.broken, "objects": len(pool.objects), "logs": len(pool.logs), "acknowledged": pool.acknowledged,
                          "inputs": pool.inputs_digest() if not pool.broken else ""}))
    else:
        for one in pool.broken:
            print(f"{one['invariant']} {one['what']}")
        print(f"{len(pool.objects)} objects, {len(pool.logs)} logs: " + ("broken" if pool.broken else "all hold"))
    return 1 if pool.broken else 0


def check(volumes, quorum=2, acknowledged=None, heads=None, second=()):
    """The pool with .broken filled; for tests that import this."""
    pool = Pool(volumes)
    pool.read_objects()
    pool.read_logs()
    pool.check_epochs()
    pool.read_ahead()
    pool.check_named()
    if acknowledged:
        pool.check_acknowledged(acknowledged, quorum)
    if heads:
        pool.check_heads(heads)
    if second:
        other = Pool(second)
        other.read_objects()
        other.read_logs()
        other.check_epochs()
        other.read_ahead()
        other.check_named()
        pool.broken += [{**b, "what": "second site: " + b["what"]} for b in other.broken]
        pool.check_prefix(other)
    return pool


if __name__ == "__main__":
    sys.exit(main())
