"""What an old epoch had behind the state that the next one goes on from, and that came back (docs/formats/main-log.md), for the independent verifier."""
from twin_formats import ARCHIVE, HEX, UUID, Bad, canonical, ms_of
from twin_main_log import epoch_of, origin_of

MUST, MAY = {"mark", "access", "export"}, {"details", "place", "share", "lost", "graft"}  # what stands again behind a graft, and what may


def check_graft(e):
    """Bad unless it says how far which log came back, and which hearings with it."""
    hearings = e["hearings"]
    if not ARCHIVE.match(epoch_of(e["origin"])[0]) or ms_of(e["utc"]) < 0:
        raise Bad("origin or time")
    for one in [e] + hearings:
        if not isinstance(one["size"], int) or isinstance(one["size"], bool) or one["size"] < 1 or not HEX.match(one["root"]):
            raise Bad("size or root")
    if not all(UUID.match(one["hearing"]) for one in hearings) or len({one["hearing"] for one in hearings}) != len(hearings):
        raise Bad("hearings")


def old_epoch(chain, number, e):
    """The earlier epoch that the graft with this number gives back; None: it cannot be one."""
    earlier = [epoch for epoch, after in zip(chain, chain[1:]) if after.first <= number]
    return next((old for old in earlier if origin_of(old.archive, old.number) == e["origin"] and e["size"] > old.counted), None)


def kind_of(data):
    """"must" or "may" be said again; "filed": a hearing's checkpoint; else ""."""
    try:
        e = canonical(data)
        kind = e["kind"] if e["v"] == 1 else ""
        if kind == "key":
            return "must" if e["role"] == "station" else ""
        return "must" if kind in MUST else "may" if kind in MAY else "filed" if kind == "hearing-checkpoint" else ""
    except (Bad, KeyError, TypeError):
        return ""


def first_that_lacks(own, begin, old, behind, end):
    """The index in `own` where an entry lacks that came back with [behind, end) of the old log, and must follow from `begin` on; or None."""
    wanted = [(data, kind) for data, kind in ((old.entries[i], kind_of(old.entries[i])) for i in range(behind, end)) if kind in ("must", "may")]
    for index in range(begin, own.counted + 1):
        if all(kind == "may" for _, kind in wanted):
            return None
        data = own.entries[index] if index < own.counted else b""
        if kind_of(data) == "filed":
            continue
        while wanted and wanted[0][0] != data:
            if wanted[0][1] == "must":
                return index
            wanted = wanted[1:]
        wanted = wanted[1:]
    return None


def judge_grafts(chain, grafts, report):
    """`grafts`: (number, entry), in order. What is not shown of an old log is taken as stated."""
    back = {}  # origin -> how far its log came back
    for number, e in grafts:
        old = old_epoch(chain, number, e)
        root = old.root_at(e["size"]) if old else b""
        if root is not None and root.hex() != e["root"]:
            report.add("graft", log="main", entry=number)
            continue
        behind = back.get(e["origin"], old.counted)
        back[e["origin"]] = max(behind, e["size"])
        own = [epoch for epoch in chain if epoch.first <= number][-1]
        if root is None or len(own.entries) != own.note.size or len(old.entries) != old.note.size:
            continue  # not to be compared here
        lacks = first_that_lacks(own, number - own.first + 1, old, behind, e["size"])
        if lacks is not None:
            report.add("graft", log="main", entry=own.first + lacks)
