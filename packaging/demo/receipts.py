"""What stations recorded and what was confirmed to them, read from their spools (docs/formats/spool.md) while they work."""
import contextlib
import threading
import time

from record_live import ms_of

LOOK_EVERY_SECONDS = 0.2


def covered(path):
    """(entries, names of those who signed) of a checkpoint or receipt; (0, ()) where there is none."""
    try:
        lines = path.read_text().split("\n")
    except FileNotFoundError:
        return 0, ()
    return int(lines[1]), tuple(line.split(" ")[1] for line in lines if line.startswith("— "))


def spools(rooms):
    """(room, hearing, its folder) of every hearing that these stations have."""
    for room in rooms:
        for folder in sorted((room.home / "spool" / "spool").glob("*-*-*-*-*")):
            if (folder / "checkpoint").exists():
                yield room, folder.name, folder


class Receipts:
    """Looks at the receipts again and again until it is left: the next one takes the place of the one before."""

    def __init__(self, rooms):
        self.rooms, self.most, self.first = rooms, {}, {}
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.follow, name="receipts")

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def follow(self):
        while not self.over.wait(LOOK_EVERY_SECONDS):
            with contextlib.suppress(OSError):
                self.look()

    def look(self):
        """{hearing: entries} that anybody ever confirmed, as of now; `first`: when this signer first confirmed one of the station's hearings."""
        for room, hearing, folder in spools(self.rooms):
            size, signers = covered(folder / "receipt")
            self.most[hearing] = max(self.most.get(hearing, 0), size)
            for signer in signers:
                self.first.setdefault((room.name, signer), time.time())
        return dict(self.most)


def held_at(site):
    """{hearing: entries} in the logs on these volumes."""
    out = {}
    for path in site.glob("volumes/*/log/hearing/*/*/*/*/checkpoint"):
        out[path.parent.name] = max(out.get(path.parent.name, 0), covered(path)[0])
    return out


def span(entry):
    """Milliseconds since 1970 in which a segment begins and ends."""
    begin = ms_of(entry["utc"])
    return begin, begin + entry["duration_90k"] // 90


def objects_of(value):
    """All digests of objects that an entry names: fields called `sha256` or `…_sha256`."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, str) and (key == "sha256" or key.endswith("_sha256")):
                yield inner
            else:
                yield from objects_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from objects_of(inner)
