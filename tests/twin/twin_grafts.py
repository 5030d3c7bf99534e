"""What an old epoch had behind the state that the next one goes on from, and that came back (docs/formats/main-log.md), for the independent verifier."""
from twin_formats import ARCHIVE, HEX, UUID, Bad, canonical, ms_of
from twin_main_log import epoch_of, origin_of

AGAIN = {"details", "mark", "place", "access", "export", "share", "lost"}  # kinds that stand again behind a graft; and the keys of stations


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


def old_epoch(chain, number, origin):
    """The earlier epoch that the graft with this number gives back; None: it cannot be one."""
    earlier = [epoch for epoch, after in zip(chain, chain[1:]) if after.first <= number]
    return next((old for old in earlier if origin_of(old.archive, old.number) == origin), None)


def kind_again(data):
    """Its kind, if it is said again; else ""."""
    try:
        e = canonical(data)
        again = e["v"] == 1 and (e["kind"] in AGAIN or e["kind"] == "key" and e["role"] == "station")
        return e["kind"] if again else ""
    except (Bad, KeyError, TypeError):
        return ""


def first_that_lacks(own, begin, old, behind, end):
    """The index in `own` where an entry lacks that came back with [behind, end) of the old log, and must follow from `begin` on; or None. An order
    to do without objects may be left out: officers of now may not have signed it."""
    wanted = [(data, kind) for data, kind in ((old.entries[i], kind_again(old.entries[i])) for i in range(behind, end)) if kind]
    index = begin
    for data, kind in wanted:
        if index < own.counted and own.entries[index] == data:
            index += 1
        elif kind != "lost":
            return index
    return None


def judge_grafts(chain, grafts, report):
    """`grafts`: (number, entry), in order. What is not shown of an old log is taken as stated."""
    back = {}  # origin -> how far its log came back
    for number, e in grafts:
        old = old_epoch(chain, number, e["origin"])
        behind = back.get(e["origin"], old.counted) if old else 0
        root = old.root_at(e["size"]) if old and e["size"] > behind else b""
        if root is not None and root.hex() != e["root"]:
            report.add("graft", log="main", entry=number)
            continue
        back[e["origin"]] = e["size"]
        own = [epoch for epoch in chain if epoch.first <= number][-1]
        if root is None or len(own.entries) != own.note.size or len(old.entries) != old.note.size:
            continue  # not to be compared here
        lacks = first_that_lacks(own, number - own.first + 1, old, behind, e["size"])
        if lacks is not None:
            report.add("graft", log="main", entry=own.first + lacks)
