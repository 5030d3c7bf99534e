"""What a main log says, and the judgement of one hearing, for the independent verifier."""
import base64

from twin_formats import (ACCOUNT, ARCHIVE, GAP_REASONS, HEARING_KINDS, HEX, MAIN_KINDS, NAME, UUID, Bad, Note, VerifierKey, canonical, leaf_hash,
                          ms_of, named_objects, text_of)
from twin_grafts import check_graft
from twin_logs import LogCopies, check_object
from twin_main_log import Officers, Promotion
from twin_time import Axis, account


class Facts:
    """Of the main log of an archive, through all its epochs: `index` is an entry's number through them."""

    def __init__(self, origin, policy, report):
        self.origin, self.policy, self.report = origin, policy, report
        self.genesis, self.keys, self.commits, self.lost, self.documents, self.cosigners = None, {}, {}, {}, [], []
        self.officers = Officers()
        self.grafts, self.came_back = [], {}  # (number, entry); hearing -> [(number, size, root)]
        self.holders = []  # (number of its first entry, who gives receipts), of each epoch

    def add(self, index, data):
        try:
            e = canonical(data)
            if e["kind"] not in MAIN_KINDS or e["v"] != 1:
                return self.report.add("unknown-kind", "UNKNOWN_FORMAT", log="main", entry=index)
            if e["kind"] == "promotion":
                Promotion(data)
                return self.report.add("promotion", log="main", entry=index)  # it stands only where a later epoch begins
            self.take(index, e)
        except (Bad, KeyError, TypeError, ValueError):
            self.report.add("entry-format", log="main", entry=index)

    def begin_epoch(self, first, promotion):
        """Its first entry, which was judged where the epochs are followed."""
        self.holders.append((first, promotion.holder))

    def take(self, index, e):
        kind = e["kind"]
        if (kind == "genesis") != (index == 0):
            self.report.add("genesis", log="main", entry=index)
        if kind == "genesis":
            self.genesis = e
            self.holders.insert(0, (0, VerifierKey(e["holder"])))
            key = self.policy.logs.get(self.origin)
            if e["archive"] != self.origin or key is None or key.public.hex() != e["log_key"]:
                self.report.add("genesis", log="main", entry=index)
        if kind == "key" and e["role"] == "station":
            self.keys.setdefault(e["key"], []).append((index, e))
        if kind == "key" and e["role"] == "cosigner" and e["action"] != "revoked":
            self.cosigners.append(VerifierKey(e["cosigner"]))
        if kind == "key":
            self.officers.take(e)
        if kind == "hearing-checkpoint":
            note = Note(e["note"].encode())
            stations = [k for k in self.keys if note.signed_by(note.origin, bytes.fromhex(k))]
            if note.origin != f"{self.origin}/hearing/{e['hearing']}" or not stations:
                return self.report.add("commit-signature", log="main", entry=index, hearing=e["hearing"])
            self.commits.setdefault(e["hearing"], []).append((index, note, e["closed"]))
        if kind == "scrub":
            check_scrub(e)
        if kind == "drill":
            check_drill(e)
        if kind == "share":
            check_share(e)
        if kind == "graft":
            check_graft(e)
            self.grafts.append((index, e))
            for one in e["hearings"]:
                self.came_back.setdefault(one["hearing"], []).append((index, one["size"], one["root"]))
        if kind == "lost":
            if not self.ordered(e):
                return self.report.add("lost-signature", log="main", entry=index, hearing=e.get("hearing"))
            self.lost.setdefault(e.get("hearing", ""), set()).update(named_objects(e))
        else:
            self.documents += [(index, d, e.get("hearing", "")) for d in named_objects(e)]

    def ordered(self, e):
        """Whether two officers signed that these objects of this hearing are lost."""
        objects = [one["sha256"] for one in e["objects"]]
        about = e.get("hearing", "main")
        if not objects or len(set(objects)) != len(objects) or not all(HEX.match(o) for o in objects) or about != "main" and not UUID.match(about):
            raise Bad("objects or hearing")
        officers = e["officers"]
        if len(set(officers)) != len(officers) or not all(NAME.match(o) for o in officers):
            raise Bad("officers")
        if "signatures" in e and len(e["signatures"]) != len(officers):
            raise Bad("a signature for each officer")
        signatures = [base64.b64decode(s, validate=True) for s in e.get("signatures", [])]
        text = "".join(line + "\n" for line in ["greffe declares lost v1", self.origin, about] + sorted(objects)).encode()
        return self.officers.signed(text, officers, signatures)

    def known_cosigners(self):
        keys = [key for _, key in self.holders] + self.cosigners + list(self.policy.witnesses.values())
        return {k.text: k for k in keys}.values()

    def receipt_counts(self, key, committed, is_copy):
        """Whether a receipt by this key is one for what the main log has had since this entry (None: it has nothing of it). A holder is believed
        for its own epoch and the ones before: the lost site cannot hold what came after a promotion. At a second site every cosigner is."""
        epochs = [i for i, (_, holder) in enumerate(self.holders) if holder.text == key.text]
        if not epochs:
            return is_copy
        current = max([i for i, (first, _) in enumerate(self.holders) if committed is not None and first <= committed], default=0)
        return max(epochs) >= current


def check_scrub(e):
    """Bad unless a pass says of its results all or nothing, and a finding says what was found and done."""
    is_pass, results = e["finding"] == "pass", {"began", "root", "oldest_ms"} & set(e)
    if e["finding"] not in ("pass", "missing", "damaged") or is_pass == ("key" in e) or is_pass == ("action" in e):
        raise Bad("a pass has neither key nor action, a finding has both")
    if not is_pass and e["action"] not in ("repaired", "not-repaired"):
        raise Bad("unknown action")
    if any(not isinstance(e[k], int) or e[k] < 0 for k in ("objects", "bytes", "failures", *({"oldest_ms"} & results))):
        raise Bad("counts must be numbers")
    if results and (not is_pass or not HEX.match(e["root"]) or ms_of(e["began"]) < 0):
        raise Bad("the results of a pass are a root and when it began")


def check_drill(e):
    """Bad unless it says which state of which archive was read, what came of it, and where the report is."""
    if not ARCHIVE.match(e["archive"]) or not HEX.match(e["root"]) or not HEX.match(e["report_sha256"]) or ms_of(e["utc"]) < 0:
        raise Bad("archive, root, report or time")
    counts = [e[k] for k in ("failures", "objects", "seconds", "size")]
    if any(not isinstance(n, int) or isinstance(n, bool) or n < 0 for n in counts) or e["size"] == 0:
        raise Bad("counts must be numbers, and the log has entries")


def check_share(e):
    """Bad unless it says which hearing of which archive which court may see, or may no more; by whom, why, and until when."""
    archive, _, court = e["court"].rpartition("/")
    if e["action"] not in ("granted", "revoked") or not ARCHIVE.match(e["archive"]) or not UUID.match(e["hearing"]) or not HEX.match(e["reason_sha256"]):
        raise Bad("action, archive, hearing or reason")
    if not NAME.match(court) or "/" in e["court"] and not ARCHIVE.match(archive) or not ACCOUNT.match(e["account"]):
        raise Bad("court or account")
    if ms_of(e["utc"]) < 0 or "until" in e and ms_of(e["until"]) < 0:
        raise Bad("times")


# ---- one hearing ----

class HearingJudge:
    """`trees`: of the whole main log, one of each epoch; none in an export. `size`, `covered`: entries through all `epochs`."""

    def __init__(self, uuid, folders, facts, paths_of, report, *, trees=(), epochs=1, size=0, covered=0, is_copy=False):
        self.id, self.facts, self.paths_of, self.report = uuid, facts, paths_of, report
        self.trees, self.epochs, self.size, self.covered, self.is_copy = trees, epochs, size, covered, is_copy
        self.log = LogCopies("hearing", folders, report, uuid)
        self.place = {"hearing": uuid, "log": "hearing"}
        self.values, self.unknown, self.named = [], set(), []

    def add(self, code, verdict="TAMPERED", **place):
        self.report.add(code, verdict, **{**self.place, **place})

    def run(self):
        self.report.hearings.append(self.id)
        origin = f"{self.facts.origin}/hearing/{self.id}"
        notes = self.log.notes("hearing-checkpoint")
        for note in notes:
            if note.origin != origin:
                self.add("hearing-origin", file=note.file)
        good = [n for n in notes if n.origin == origin]
        if not notes:
            self.add("hearing-missing")
        if not good:
            return
        self.note = good[0]
        holds = self.log.load(self.note)
        for index, data in enumerate(self.log.entries):
            if data is not None and leaf_hash(data) == self.log.tree.leaves[index]:
                self.read_entry(index, data)
        commits = self.facts.commits.get(self.id, [])
        if holds:
            for other in good[1:]:
                if other.size > len(self.log.tree.leaves) or self.log.tree.root(other.size) != other.root:
                    self.add("hearing-checkpoint", file=other.file)
        self.station(commits)
        self.check_commits(commits, holds)
        self.check_came_back(holds)
        self.receipt(notes, commits)
        self.timeline()
        self.closed(commits)
        self.objects()

    def read_entry(self, index, data):
        try:
            e = canonical(data)
            if e["kind"] not in HEARING_KINDS or e["v"] != 1:
                self.unknown.add(index)
                return self.add("unknown-kind", "UNKNOWN_FORMAT", entry=index)
            if (e["kind"] == "open") != (index == 0):
                self.add("entry-format", entry=index)
            if e["kind"] in ("gap", "explanation") and e.get("reason", "unknown") not in GAP_REASONS:
                raise Bad("reason")
            if e["kind"] == "details" and not (named_objects({"sha256": e["details_sha256"]}) and ms_of(e["utc"])):
                raise Bad("details")
            self.values.append((index, e))
        except (Bad, KeyError):
            self.add("entry-format", entry=index)

    def first(self, kind):
        return next(((i, e) for i, e in self.values if e["kind"] == kind), (None, None))

    def station(self, commits):
        _, e = self.first("open")
        if e is None:
            return
        if e["hearing"] != self.id or e["archive"] != self.facts.origin:
            self.add("hearing-origin", entry=0)
        if not self.note.signed_by(self.note.origin, bytes.fromhex(e["station_key"])):
            self.add("hearing-signature", file=self.note.file)
        first, last = (commits[0][0], commits[-1][0]) if commits else (self.size, self.size)
        events = self.facts.keys.get(e["station_key"], [])
        added = [x for i, x in events if x["action"] != "revoked"]
        if any((x["name"], x["court"], x["room"]) != (e["station"], e["court"], e["room"]) for x in added):
            self.add("station-key", entry=0)
        if not any(i < first and x["action"] != "revoked" for i, x in events):
            self.add("station-key", entry=0)
        for i, x in events:
            late = x["action"] == "revoked" and (i < first or x["why"] == "stolen" and i < last)
            # What was begun under a key that was retired later may be filed late.
            if late and not (x["why"] == "retired" and e["utc"] < x["since"]):
                self.add("key-revoked", entry=0)
        # Over several epochs it may have seen what a promotion lost: then nothing can be said.
        if e["main_size"] > 0 and self.epochs == 1:
            beside = any(e["main_size"] > len(tree.leaves) or tree.root(e["main_size"]).hex() != e["main_root"] for tree in self.trees)
            if beside or commits and e["main_size"] > first:
                self.add("not-before", entry=0)

    def check_commits(self, commits, holds):
        good, told = 0, holds
        for index, note, _ in commits:
            if note.size > self.note.size:
                self.add("tail-cut", entry=self.note.size, entry_end=note.size)
                break
            if note.size > len(self.log.tree.leaves) or self.log.tree.root(note.size) != note.root:
                self.add("hearing-root", entry=good, entry_end=note.size)
                told = True
                break
            good = max(good, note.size)
        if not told:
            self.add("hearing-root", entry=good, entry_end=self.note.size)

    def check_came_back(self, holds):
        """What a graft says of it: it is held at least so far."""
        for number, size, root in self.facts.came_back.get(self.id, []) if holds else []:
            if size > len(self.log.tree.leaves) or self.log.tree.root(size).hex() != root:
                self.add("graft", log="main", entry=number)

    def receipt(self, notes, commits):
        committed = next((index for index, note, _ in commits if note.size >= self.note.size), commits[-1][0] if commits else None)
        by_holder = False
        for note in self.log.cosigned("receipt-bad") + notes:
            for key in self.facts.known_cosigners():
                answer = note.cosigned_by(key)
                if answer is False:
                    self.add("receipt-bad", file=note.file)
                if answer and note.text == self.note.text and self.facts.receipt_counts(key, committed, self.is_copy):
                    by_holder = True
        if not by_holder:
            self.add("receipt", "INCOMPLETE", file=self.note.file)

    def timeline(self):
        """Only of a log whose every entry is there: of another one everything would be missing."""
        gaps = [(i, e) for i, e in self.values if e["kind"] == "gap"]
        self.report.gaps |= bool(gaps)
        _, begin = self.first("open")
        if not self.log.whole or begin is None:
            return
        axis = Axis([e for _, e in self.values])
        if len(self.values) + len(self.unknown) == self.note.size:  # entries count by their place; an unknown one tells no time
            known = dict(self.values)
            self.report.accounts[self.id] = account([known.get(i, {"kind": "unknown"}) for i in range(self.note.size)])
        end_index, end = self.first("close")
        names = {s["name"]: True for s in begin["streams"]}
        names.update({e["name"]: False for _, e in self.values if e["kind"] == "stream"})
        segments = {name: [] for name in names}
        for index, e in self.values:
            if e["kind"] == "segment":
                if e["stream"] not in segments:
                    self.add("stream-unknown", entry=index, stream=e["stream"])
                else:
                    segments[e["stream"]].append((index, e))
            if e["kind"] == "explanation" and not any(i == e["gap"] and i < index for i, _ in gaps):
                self.add("explanation", entry=index)
            if end is not None and index > end_index:
                self.add("entry-format", entry=index)
        for name, listed in segments.items():
            mine = [(*axis.of_gap(e), e) for _, e in gaps if "*" in e["streams"] or name in e["streams"]]
            self.stream(name, listed, ms_of(begin["utc"]) if names[name] else None, sorted(mine, key=lambda g: g[:2]), axis)

    def stream(self, name, listed, begin, mine, axis):
        end_index, end = self.first("close")
        at, wall = (0, begin) if begin is not None else (None, None)
        run, ticks, error = None, 0, 0
        for n, (index, e) in enumerate(listed):
            starts, lasts = axis.at(e["boot"], e["mono_ms"], e["utc"]), e["duration_90k"] // 90
            if e["seq"] != n:
                self.add("segment-seq", entry=index, stream=name)
            if run is not None and e["run"] not in (run, run + 1) or run is None and e["run"] != 0:
                self.add("segment-seq", entry=index, stream=name)
            goes_on = n == 0 and "continues" in (self.first("open")[1] or {})  # its media time goes on
            if not goes_on and abs(e["start_90k"] - (ticks if e["run"] == run else ticks + 90_000)) > 9000:
                self.add("timeline", entry=index, stream=name)
            allowed = 2000 + min(10_000, max(error, e["clock"]["error_ms"]))
            if at is not None:
                self.hole(name, index, (at, wall), (starts, ms_of(e["utc"])), mine, allowed)
                if n and starts < at - allowed:
                    self.add("timeline", entry=index, stream=name)
            at, wall = starts + lasts, ms_of(e["utc"]) + lasts
            run, ticks, error = e["run"], e["start_90k"] + e["duration_90k"], e["clock"]["error_ms"]
        if end is None:
            return
        if listed:
            until = axis.at(end["boot"], end["mono_ms"], end["utc"]), ms_of(end["utc"])
            self.hole(name, end_index, (at, wall), until, mine, 2000 + min(10_000, error))
        elif not mine:
            self.add("stream-missing", entry=end_index, stream=name)
        total = next((t for t in end["totals"] if t["stream"] == name), None)
        sums = (len(listed), sum(e["bytes"] for _, e in listed), sum(e["duration_90k"] for _, e in listed))
        if total is None and listed or total and (total["segments"], total["bytes"], total["duration_90k"]) != sums:
            self.add("totals", entry=end_index, stream=name)

    def hole(self, name, index, begin, until, gaps, allowed):
        """`begin`, `until`: on the axis, and by the wall clock of the time."""
        (at, wall), (last, last_wall) = begin, until
        if last - at <= allowed:
            return
        for a, b, e in gaps:
            if b <= at or a >= last:
                continue
            if a - at > allowed:
                self.add("gap-undeclared", entry=index, stream=name, **{"from": text_of(wall), "to": e["from"]})
            at, wall = b, ms_of(e["to"])
        if last - at > allowed:
            self.add("gap-undeclared", entry=index, stream=name, **{"from": text_of(wall), "to": text_of(last_wall)})

    def closed(self, commits):
        _, end = self.first("close")
        closing = next((c for c in reversed(commits) if c[2]), None)
        if end is None:
            if closing and closing[1].size <= self.note.size:
                self.add("tail-cut", entry=closing[1].size - 1)
            self.add("not-closed", "INCOMPLETE")
        if not commits or end is not None and closing is None:
            self.add("not-committed", "INCOMPLETE")
        elif closing and closing[0] >= self.covered and self.facts.policy.quorum != "none":
            self.add("quorum", "INCOMPLETE")

    def objects(self):
        lost = set(self.facts.lost.get(self.id, ()))
        for _, e in self.values:
            if e["kind"] == "lost":
                lost.update(named_objects(e))
        for index, e in self.values:
            for digest in named_objects(e) if e["kind"] != "lost" else []:
                segment = e if e["kind"] == "segment" else None
                self.one_object(digest, {**self.place, "entry": index}, segment, lost)
        for index, digest, hearing in self.facts.documents:
            if hearing == self.id:
                self.one_object(digest, {"hearing": self.id, "log": "main", "entry": index}, None, lost)

    def one_object(self, digest, place, segment, lost):
        self.named.append(digest)
        if check_object(self.report, digest, self.paths_of(digest, segment), place, segment, digest in lost) and digest in lost:
            self.report.gaps = True
