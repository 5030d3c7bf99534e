#!/usr/bin/python3
"""The checker must notice each broken invariant (a checker that cannot fail proves nothing)."""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import sample

CHECKER = pathlib.Path(__file__).resolve().parent / "check_invariants.py"


def check(volumes, *more):
    done = subprocess.run([sys.executable, CHECKER, "--json", *map(str, more), "--", *map(str, volumes)], stdout=subprocess.PIPE,
                          text=True, check=False)
    answer = json.loads(done.stdout)
    assert done.returncode == (0 if answer["holds"] else 1)
    return {b["invariant"] for b in answer["broken"]}, answer


def object_path(volume, digest):
    return volume / "sha256" / digest[:2] / digest[2:4] / digest


def edge_of(leaves):
    """Full subtrees on the right edge of the tree, the largest first."""
    out, at = [], 0
    for bit in reversed(range(len(leaves).bit_length())):
        if len(leaves) >> bit & 1:
            out.append(sample.root_of(leaves[at:at + (1 << bit)]).hex())
            at += 1 << bit
    return out


def place_ahead(volume, hearing, first, size, spoil=lambda data: data):
    leaves = [sample.leaf(e) for e in hearing.entries]
    data = sample.canonical({"checkpoint": hearing.note(size), "edge": edge_of(leaves[:first]), "first": first, "v": 1,
                             "entries": [e.decode() for e in hearing.entries[first:size]]})
    path = volume / f"log/ahead/hearing/{hearing.id}/stage/{first}-{size}-{sample.root_of(leaves[:size]).hex()}"
    sample.put(path, spoil(data))
    return path


def run(folder):
    archive = sample.Archive()
    hearing = archive.file(sample.Hearing(archive.station).usual(2))
    volumes = archive.write_pool(folder / "pool")
    second = archive.write_pool(folder / "second")
    digest = json.loads(hearing.entries[1])["sha256"]
    acknowledged = folder / "acks"
    acknowledged.write_text(f"{digest}\n{hearing.origin} {len(hearing.entries)}\n")
    heads = folder / "heads"
    broken, clean = check(volumes, "--acknowledged", acknowledged, "--heads", heads, "--second", *second)
    assert not broken, clean
    assert check(volumes)[1]["inputs"] == clean["inputs"]

    object_path(volumes[0], digest).unlink()
    assert not check(volumes, "--acknowledged", acknowledged)[0], "two copies are enough"
    object_path(volumes[1], digest).unlink()
    assert check(volumes, "--acknowledged", acknowledged)[0] == {"I1"}
    object_path(volumes[2], digest).unlink()
    assert check(volumes)[0] == {"I2"}
    for volume in volumes:
        sample.put(object_path(volume, digest), hearing.objects[digest])
    object_path(volumes[1], digest).write_bytes(b"x")
    assert check(volumes)[0] == {"I3"}
    sample.put(object_path(volumes[1], digest), hearing.objects[digest])
    assert not check(volumes)[0]

    ahead = folder / "ahead"
    acknowledged.write_text(f"{hearing.origin} {len(hearing.entries) + 1}\n")
    assert check(volumes, "--acknowledged", acknowledged)[0] == {"I1"}

    # Entries that a replica knows ahead of their objects: beside what it holds, and of a hearing that it does not hold.
    another = sample.Hearing(archive.station).usual(3)
    for known, first, size in ((hearing, 1, len(hearing.entries)), (another, 0, 5), (another, 5, len(another.entries))):
        place_ahead(volumes[0], known, first, size)
    assert not check(volumes)[0], check(volumes)
    for spoil in (lambda data: data.replace(b"cam-bench", b"cam-bench2", 1), lambda data: data[:-1], lambda data: data.replace(b"\"first\":5", b"\"first\":4")):
        path = place_ahead(volumes[0], another, 5, len(another.entries), spoil)
        assert check(volumes)[0] == {"I5"}, spoil
        path.unlink()
    lying = sample.Hearing(archive.station).usual(2)
    lying.id, lying.origin = hearing.id, hearing.origin
    path = place_ahead(volumes[0], lying, 0, 4)
    assert check(volumes)[0] == {"I5"}
    path.unlink()
    assert not check(volumes)[0]

    # The second site is ahead of, then beside, the first.
    archive.correct(hearing)
    archive.write_pool(ahead)
    assert check(volumes, "--second", *[ahead / n for n in "abc"])[0] == {"I4"}
    assert not check([ahead / n for n in "abc"], "--second", *volumes)[0]

    # A head that goes back; a copy of a head that contradicts the others.
    assert not check([ahead / n for n in "abc"], "--heads", heads)[0]
    assert check(volumes, "--heads", heads)[0] == {"I5"}
    other = sample.Archive()
    for volume in volumes[:1]:
        shutil.rmtree(volume / "log/main")
        sample.write_log(volume / "log/main", other.entries, other.note(cosigned=False), final=False)
    assert "I5" in check(volumes)[0]


def run_promoted(folder):
    """The second site goes on: it may have more than the lost one, and nothing that contradicts it."""
    archive = sample.Archive()
    officers = [sample.Key(name, 1) for name in ("o-1", "o-2")]
    for key in officers:
        archive.add_key("officer", key.name, key)
    hearing = sample.Hearing(archive.station).usual(2)
    archive.file(hearing, hearing.commits[:1])
    whole, hearing.entries = hearing.entries, hearing.entries[:3]
    pinned = len(archive.entries)
    archive.add(kind="access", account="u-1", hearing=hearing.id, session="s-1")  # the first site's alone
    first = archive.write_pool(folder / "first")
    hearing.entries = whole
    archive.promote(officers, pin=pinned)
    archive.file(hearing, hearing.commits[1:])
    archive.file(sample.Hearing(archive.station, start_ms=sample.START_MS + 1000).usual(1))
    lost = archive.epochs[0].entries[pinned:]
    del archive.epochs[0].entries[pinned:]
    second = archive.write_pool(folder / "second", as_copy=True)
    broken, told = check(second)
    assert not broken, told
    broken, told = check(first, "--second", *second)
    assert not broken, told
    # The same, but its hearing goes on otherwise than the lost site had it.
    hearing.entries = [hearing.entries[0], *hearing.entries[2:]]
    assert check(first, "--second", *archive.write_pool(folder / "otherwise", as_copy=True))[0] == {"I4"}
    # Epochs that nobody may have begun, or whose beginning is gone.
    hearing.entries = whole
    certificate = json.loads(archive.entries[0])
    archive.entries[0] = sample.canonical({**certificate, "signatures": certificate["signatures"][::-1]})
    assert check(archive.write_pool(folder / "unsigned"))[0] == {"I5"}
    archive.entries[0] = sample.canonical(certificate)
    archive.epochs[0].entries += lost
    assert not check(archive.write_pool(folder / "returned"))[0]
    volumes = archive.write_pool(folder / "headless")
    for volume in volumes:
        shutil.rmtree(volume / "log/main")
    assert check(volumes)[0] == {"I5"}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="greffe.") as name:
        run(pathlib.Path(name))
        run_promoted(pathlib.Path(name) / "promoted")
    print("the invariant checker notices I1 to I5")
