"""The account of time for the independent verifier, written from docs/formats/hearing-log.md. It sweeps over the moments at
which anything changes and asks at each what is so; nothing of it is shared with the product."""
from twin_formats import ms_of

EXCUSES = {"recess", "closed-evidence", "mediation"}
LARGEST_DRIFT_MS = 1000
UNSTATED_MS = 10_000


class Axis:
    """Where the moments of a log lie, in milliseconds since its `open`. `entries`: all of them, in order."""

    def __init__(self, entries):
        self.origin = next((e for e in entries if e["kind"] == "open"), None)
        self.boots, seen = [], {}
        for boot, mono, utc, length, error in (moment for e in entries for moment in moments(e)):
            if boot not in seen:
                self.boots.append(boot)
                seen[boot] = []
            seen[boot].append((UNSTATED_MS if error is None else error, error is None, mono, utc, length))
        self.shift, self.error, latest, before = {}, 0, None, None
        for boot in self.boots:
            stated = [x for x in seen[boot] if not x[1]] or seen[boot]
            best = [x for x in stated if x[0] == min(y[0] for y in stated)]
            here, first = min(best, key=lambda x: x[2]), min(x[2] for x in seen[boot])
            if before is None:
                if boot == self.origin["boot"]:
                    self.shift[boot] = -self.origin["mono_ms"]
                else:
                    self.shift[boot] = here[3] - ms_of(self.origin["utc"]) - here[2]
            else:
                joined = before[2] + (here[3] - before[3])  # on the axis
                self.shift[boot] = max(joined - here[2], latest - first)
                self.error += before[0] + here[0]
            # Of equal moments the one that was logged last: the wall clock may have been set in between.
            there = max(enumerate(best), key=lambda x: (x[1][2], x[0]))[1]
            before = (there[0], None, there[2] + self.shift[boot], there[3])
            latest = max(x[2] + x[4] for x in seen[boot]) + self.shift[boot]

    def at(self, boot, mono, utc):
        return mono + self.shift[boot] if boot in self.shift else ms_of(utc) - ms_of(self.origin["utc"])

    def of_gap(self, e):
        begin = self.at(e["boot"], e["mono_ms"][0], e["from"])
        boot = e.get("to_boot", e["boot"])
        if boot == e["boot"] and "to_boot" not in e and boot in self.shift and e["mono_ms"][1] < e["mono_ms"][0]:
            later = self.boots[self.boots.index(boot) + 1:]
            if not later:
                return begin, begin
            boot = later[0]
        return begin, self.at(boot, e["mono_ms"][1], e["to"])


def moments(e):
    """(boot, mono, utc, length, stated error or None) of every moment that an entry names in both clocks."""
    found = []
    if e["kind"] in ("open", "close"):
        found = [(e["boot"], e["mono_ms"], e["utc"], 0, None)]
    if e["kind"] == "segment":
        found = [(e["boot"], e["mono_ms"], e["utc"], e["duration_90k"] // 90, e["clock"]["error_ms"])]
    if e["kind"] == "gap":
        begin, end = e["mono_ms"]
        found = [(e["boot"], begin, e["from"], 0, None)]
        if "to_boot" in e or end >= begin:
            found.append((e.get("to_boot", e["boot"]), end, e["to"], 0, None))
    return [(boot, mono, ms_of(utc), length, error) for boot, mono, utc, length, error in found if boot != "import"]


def recorded_parts(segments, axis):
    parts, drift = [], 0
    for e, after in zip(segments, segments[1:] + [None]):
        begin = axis.at(e["boot"], e["mono_ms"], e["utc"])
        end = begin + e["duration_90k"] // 90
        if after and (after["run"], after["boot"]) == (e["run"], e["boot"]):
            next_begin = axis.at(after["boot"], after["mono_ms"], after["utc"])
            if abs(next_begin - end) <= LARGEST_DRIFT_MS:
                drift, end = drift + next_begin - end, next_begin
        parts.append((begin, end))
    return parts, drift


class Stream:
    def __init__(self, name, expected, segments, gaps, explained, axis, close):
        self.name, self.changes = name, []  # (moment, what, +1 or -1)
        recorded, self.drift = recorded_parts(segments, axis)
        mine = [(axis.of_gap(e), i, e) for i, e in gaps if name in e["streams"] or e["streams"] == ["*"]]
        own = [span for span, _, e in mine if e["streams"] != ["*"]]
        whole = [(a, b) for a, b in recorded + ([] if expected else own) if a < b]
        if expected or whole:
            begin = min([a for a, _ in whole] + [0] * expected)
            last = max([b for _, b in whole] + [begin])
            ends = [close] if close is not None else [b for (a, b), _, _ in mine if a < b]
            self.put("declared", begin, max([last] + ends))
        for a, b in recorded:
            self.put("recorded", a, b)
        for (a, b), index, e in mine:
            if e["reason"] in EXCUSES:
                self.put("excused", a, b)
            if index in explained:
                self.put("explained", a, b)

    def put(self, what, begin, end):
        if begin < end:
            self.changes += [(begin, what, 1), (end, what, -1)]


def judge(state):
    """What a moment of one stream is."""
    if not state.get("declared"):
        return None
    if state.get("recorded"):
        return "recorded"
    if state.get("excused"):
        return "excused"
    return "explained" if state.get("explained") else "unexplained"


def judge_all(kinds, in_hearing):
    kinds = [k for k in kinds if k]
    if not kinds and not in_hearing:
        return None
    for kind in ("recorded", "unexplained", "explained", "excused"):
        if kind in kinds:
            return kind
    return "unexplained"


def account(entries):
    """As `json_of(TimeAccount)` writes it."""
    axis = Axis(entries)
    gaps = [(i, e) for i, e in enumerate(entries) if e["kind"] == "gap"]
    explained = {i for i, e in gaps if "note_sha256" in e} | {e["gap"] for e in entries if e["kind"] == "explanation"}
    end = next((e for e in entries if e["kind"] == "close"), None)
    close = axis.at(end["boot"], end["mono_ms"], end["utc"]) if end else None
    names = {s["name"]: True for s in axis.origin["streams"]}
    for e in entries:
        if e["kind"] in ("stream", "segment"):
            names.setdefault(e["name"] if e["kind"] == "stream" else e["stream"], False)
    streams = [Stream(n, x, [e for e in entries if e["kind"] == "segment" and e["stream"] == n], gaps, explained, axis, close)
               for n, x in names.items()]
    changes = [(at, n, what, by) for n, s in enumerate(streams) for at, what, by in s.changes]
    changes += [(0, -1, "hearing", 1), (close, -1, "hearing", -1)] if close and close > 0 else []
    changes.sort(key=lambda c: c[0])
    states, sums = [{} for _ in range(len(streams) + 1)], [{} for _ in range(len(streams) + 1)]
    for (at, n, what, by), until in zip(changes, [c[0] for c in changes[1:]] + [None]):
        states[n][what] = states[n].get(what, 0) + by
        if until is None or until == at:
            continue
        kinds = [judge(state) for state in states[:-1]]
        for one, kind in zip(sums, kinds + [judge_all(kinds, states[-1].get("hearing"))]):
            one[kind] = one.get(kind, 0) + until - at
    told = [as_told(one) for one in sums]
    for stream, one in zip(streams, told):
        one.update(stream=stream.name, drift_ms=stream.drift)
    return {**told[-1], "streams": told[:-1], "joins": max(0, len(axis.boots) - 1), "join_error_ms": axis.error}


def as_told(one):
    recorded, excused = one.get("recorded", 0), one.get("excused", 0)
    unexplained = one.get("unexplained", 0)
    unexcused = unexplained + one.get("explained", 0)
    return {"declared_ms": recorded + excused + unexcused, "recorded_ms": recorded, "excused_ms": excused,
            "unexcused_ms": unexcused, "unexplained_ms": unexplained}
