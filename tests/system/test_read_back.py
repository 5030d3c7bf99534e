#!/usr/bin/python3
"""The archive reads back from its disks what stations file, and says how far it is: `read_back_size` of the machine protocol.

    tests/system/test_read_back.py [TEST...]
"""
import contextlib
import fcntl
import json
import os
import pathlib
import re
import struct
import time

from machine_client import Hearing, MachineClient, details_document, random_object, sha256
from test_continues import Room
from test_replicate import Sites
from world import World, main, run

FIBMAP, FIGETBSZ = 1, 2  # linux/fs.h


def enrolled(world, name="asker"):
    client = MachineClient(world.station_code(name, room=name).read_text())
    client.enrol()
    return client


def await_read_back(client, hearing_id, size):
    """Polls as a courtroom's station does; returns every size that was told on the way."""
    told = []
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        held = client.call("GET", f"/v1/hearings/{hearing_id}/checkpoint")
        assert held["size"] == size and 0 <= held["read_back_size"] <= size, held
        assert not told or held["read_back_size"] >= told[-1], (told, held)
        told.append(held["read_back_size"])
        if told[-1] == size:
            return told
        time.sleep(0.02)
    raise AssertionError(f"hearing {hearing_id} has {size} entries and was read back to {told[-1]}")


def file_hearing(client, objects=4, size=100_000):
    """A hearing with its details and some peaks, which are objects of any bytes; (hearing, digests)"""
    hearing = Hearing(client)
    details = details_document()
    named = [details] + [random_object(size) for _ in range(objects)]
    for data in named:
        hearing.put(data)
    hearing.open(sha256(details), {"mic-judge": "audio"})
    for data in named[1:]:
        hearing.add(kind="peaks", count=6000, sha256=sha256(data), stream="mic-judge", utc="2026-11-22T09:00:00.000Z")
    hearing.post()
    return hearing, [sha256(data) for data in named]


def flip_byte(path, offset=1000):
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.chmod(0o640)
    path.write_bytes(data)


def assert_three_good_copies(world, digest):
    copies = world.copies(digest)
    assert len(copies) == 3 and all(sha256(path.read_bytes()) == digest for path in copies), (digest, copies)


def test_an_import_is_read_back_from_two_disks_past_the_page_cache():
    with Room() as room:
        room.world.stop()
        trace = room.world.folder / "trace"
        room.world.start("strace", "-D", "-f", "-qq", "-y", "-e", "trace=fcntl,fadvise64", "-o", trace)
        hearing = room.begin(0, "--close")[0]["hearing"]
        size = len(room.entries(hearing))
        await_read_back(enrolled(room.world), hearing, size)
        room.world.stop()
        # Which files were read past the cache: directly, or after their pages were dropped where that is not possible.
        past = re.compile(r"fcntl\(\d+<([^>]+)>, F_SETFL, O_RDONLY\|O_DIRECT|fadvise64\(\d+<([^>]+)>, .*POSIX_FADV_DONTNEED")
        read = [pathlib.Path(m[1] or m[2]) for m in past.finditer(trace.read_text())]
        named = room.digests(hearing) + [room.entries(hearing)[0]["details_sha256"]]
        assert len(named) >= 2
        for digest in named:
            volumes = {str(path.parents[3]) for path in read if path.name == digest}
            assert len(volumes) == 2 and volumes <= {str(v) for v in room.world.volumes}, (digest, volumes)


def test_after_a_restart_damage_is_found_and_repaired_on_the_way():
    with World() as world:
        world.start()
        client = enrolled(world)
        hearing, digests = file_hearing(client)
        await_read_back(client, hearing.id, len(hearing.entries))
        world.stop()
        for path in world.copies(digests[2])[:2]:  # whichever two are read, one of them is bad
            flip_byte(path)
        world.start()
        client.close()
        told = await_read_back(client, hearing.id, len(hearing.entries))
        assert told[0] < len(hearing.entries), told  # nothing is known after a start
        assert_three_good_copies(world, digests[2])
        assert f"{digests[2]} has the digest" in world.log.read_text()
        status = json.loads(world.archive("status", "--json").stdout)
        assert status["read_back"] == {"held_back": 0, "lagging": 0, "oldest_age_ms": 0}, status["read_back"]
        client.close()


def test_a_lost_object_is_excused_and_a_damaged_one_is_not():
    with World() as world:
        world.start()
        client = enrolled(world)
        hearing, digests = file_hearing(client)
        await_read_back(client, hearing.id, len(hearing.entries))
        world.stop()
        for path in world.copies(digests[-1]):
            flip_byte(path)
        world.start()
        client.close()
        size = len(hearing.entries)
        deadline = time.monotonic() + 60
        while json.loads(world.archive("status", "--json").stdout)["read_back"]["held_back"] == 0:
            client.call("GET", hearing.path + "/checkpoint")
            assert time.monotonic() < deadline, "nothing is held back"
        held = client.call("GET", hearing.path + "/checkpoint")
        assert held["read_back_size"] == size - 1 and held["size"] == size, held
        hearing.add(kind="lost", objects=[{"sha256": digests[-1]}], reason="unreadable")
        hearing.post()
        await_read_back(client, hearing.id, size + 1)
        client.close()


def test_the_second_site_reads_back_too():
    with Sites() as sites:
        hearing = sites.file()
        sites.once()
        asker = enrolled(sites.second)
        await_read_back(asker, hearing.id, len(hearing.entries))
        asker.close()


@contextlib.contextmanager
def volume_in_a_file(world):
    """The first volume on a file system of its own, in a file that can be written to behind its back. None: not possible here."""
    volume, image, kept = world.volumes[0], world.folder / "disk.img", world.folder / "kept"
    with open(image, "wb") as file:
        file.truncate(64 * 1024 * 1024)
    made = run("mkfs.ext4", "-q", image, check=False)
    volume.rename(kept)
    volume.mkdir()
    if os.geteuid() != 0 or made.returncode != 0 or run("mount", "-o", "loop", image, volume, check=False).returncode != 0:
        yield None
        return
    try:
        run("cp", "-a", f"{kept}/.", volume)
        yield image
    finally:
        world.stop()
        run("umount", volume)


def place_on_disk(path):
    """Where in the file system's image the file's first block lies."""
    with open(path, "rb") as file:
        block, size = bytearray(4), bytearray(4)
        fcntl.ioctl(file, FIBMAP, block)
        fcntl.ioctl(file, FIGETBSZ, size)
    return struct.unpack("I", block)[0] * struct.unpack("I", size)[0]


def test_bytes_that_only_the_page_cache_still_has_are_not_good():
    with World(settings={"write_quorum": 3, "min_free_bytes": 1_000_000}) as world, volume_in_a_file(world) as image:
        if image is None:
            print("       (skipped: needs root and a loop device)")
            return
        world.start()
        client = enrolled(world)
        hearing, digests = file_hearing(client)
        await_read_back(client, hearing.id, len(hearing.entries))
        world.stop()
        (path,) = [p for p in world.copies(digests[1]) if p.is_relative_to(world.volumes[0])]
        at = place_on_disk(path) + 1000
        with open(image, "r+b") as disk:
            disk.seek(at)
            old = disk.read(1)
            assert old == path.read_bytes()[1000:1001]
            disk.seek(at)
            disk.write(bytes([old[0] ^ 1]))
            disk.flush()
            os.fsync(disk.fileno())
        assert sha256(path.read_bytes()) == digests[1], "the page cache has forgotten it"  # any reader would still be content
        world.start()
        client.close()
        await_read_back(client, hearing.id, len(hearing.entries))
        assert re.search(rf"{re.escape(str(path))} has the digest .*\(repaired\)", world.log.read_text()), world.log.read_text()
        assert_three_good_copies(world, digests[1])
        client.close()


if __name__ == "__main__":
    main([value for name, value in list(globals().items()) if name.startswith("test_")])
