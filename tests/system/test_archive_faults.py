#!/usr/bin/python3
"""What happens to the machine of an archive while it works: disks that become read-only, vanish two at a time or come back old, a head that
rots, a wall clock that jumps by years, no descriptor left. What was acknowledged stays, and the words say what to do.

    tests/system/test_archive_faults.py [TEST...]
"""
import concurrent.futures
import os
import subprocess
import time

import small_disk
import wall_clock
import world as w
from live_room import wait_for
from machine_client import Hearing, Refused, random_object
from test_bad_input import enrolled, expect_words, filed_hearing, nothing_lost, refusal

DAY_S = 86_400


def put_one(client, size=2000):
    Hearing(client).put(random_object(size))


def start_again(world, client, *prefix):
    """With what the disks are like now; the station comes over a new connection."""
    world.stop()
    client.close()
    world.start(*prefix)


def goes_on(client):
    """A disk that is back is looked for now and then."""
    def try_it():
        try:
            put_one(client)
            return True
        except Refused:
            return False
    wait_for("deposits to go on", try_it, 60)


def whole(world, *hearings):
    """Everything on three volumes again, the logs agree with one another, and both verifiers find nothing."""
    world.archive("scrub", check=False)
    nothing_lost(world, *hearings)
    for hearing in hearings:
        for digest in hearing.acknowledged_objects:
            assert len(world.copies(digest)) == 3, digest
    assert world.verify()[0] == 0
    world.invariants([line for h in hearings for line in (*h.acknowledged_objects, f"{h.origin} {h.acknowledged_size}")])


def read_only(*volumes):
    for volume in volumes:
        subprocess.run(["mount", "--bind", volume, volume], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", volume], check=True)


def test_volumes_that_become_read_only():
    with w.World() as world:
        world.start()
        client = enrolled(world)
        before = filed_hearing(client)
        made = []
        try:
            read_only(world.volumes[2])
            made.append(world.volumes[2])
            during = filed_hearing(client)
            expect_words(world.archive("status", check=False).stdout, "Read-only file system")
            read_only(*world.volumes[:2])
            made += world.volumes[:2]
            refusal(lambda: put_one(client), 503, "Read-only file system")
            assert world.server.poll() is None, world.log.read_text()
            nothing_lost(world, before, during)
        finally:
            for volume in made:
                subprocess.run(["umount", "--lazy", volume], check=True)
        start_again(world, client)
        after = filed_hearing(client)
        whole(world, before, during, after)


def test_two_volumes_of_three_are_lost():
    with w.World() as world:
        world.start()
        client = enrolled(world)
        before = filed_hearing(client)
        away = [volume.with_name(volume.name + ".away") for volume in world.volumes]
        clerk = w.Browser(world).log_in("c", world.add_user("c", "clerk"))
        for n in (1, 2):
            world.volumes[n].rename(away[n])
        refusal(lambda: put_one(client), 503, "volumes/b", "volumes/c")
        # Whether the one log that is left is the newest nobody can say: nothing wrong is shown.
        assert clerk.call("GET", f"/v1/hearings/{before.id}/timeline")[0] == 503
        away[1].rename(world.volumes[1])
        goes_on(client)
        assert clerk.call("GET", f"/v1/hearings/{before.id}/timeline")[0] == 200
        during = filed_hearing(client)
        world.stop()
        world.volumes[1].rename(away[1])
        # With one of three nobody knows whether its head is the newest: the archive waits for another volume.
        assert not world.start(expect=False)
        expect_words(world.log.read_text(), "volumes/b", "volumes/c", "log/main/checkpoint")
        away[1].rename(world.volumes[1])
        world.start()
        nothing_lost(world, before, during)
        away[2].rename(world.volumes[2])
        start_again(world, client)
        whole(world, before, during)


def test_a_volume_is_back_after_a_week_with_an_old_head():
    with w.World() as world:
        world.start()
        client = enrolled(world)
        before = filed_hearing(client, finish=False)
        world.stop()
        a, _, c = world.volumes
        c.rename(c.with_name("c.away"))
        start_again(world, client)
        meanwhile = [filed_hearing(client) for _ in range(2)]
        before.finish()
        before.post()
        world.stop()
        # The one that was away is back and another one is not: of the two heads that are here the newer one counts.
        c.with_name("c.away").rename(c)
        a.rename(a.with_name("a.away"))
        clock = wall_clock.WallClock(world.folder, 7 * DAY_S, error_ms=5)
        start_again(world, client, *clock.prefix())
        for hearing in (before, *meanwhile):
            assert client.call("GET", hearing.path + "/checkpoint")["size"] == hearing.acknowledged_size
        after = filed_hearing(client)
        world.stop()
        a.with_name("a.away").rename(a)
        start_again(world, client, *clock.prefix())
        whole(world, before, *meanwhile, after)
        heads = {(v / "log/main/checkpoint").read_bytes() for v in world.volumes}
        assert len(heads) == 1, heads


def damage_signature(volume):
    path = volume / "log" / "main" / "checkpoint"
    good = path.read_text()
    head, line = good.rstrip("\n").rsplit("\n", 1)
    at = len(line) - 20
    path.write_text(head + "\n" + line[:at] + ("A" if line[at] != "A" else "B") + line[at + 1:] + "\n")
    return good


def test_the_newest_head_is_damaged_on_one_and_two_volumes():
    with w.World() as world:
        world.start()
        client = enrolled(world)
        hearing = filed_hearing(client)
        world.stop()
        a, b, _ = world.volumes
        good = damage_signature(a)
        world.start()
        world.stop()
        assert (a / "log/main/checkpoint").read_text() == good, "the copy that nobody signed was not replaced"
        damage_signature(a)
        damage_signature(b)
        assert not world.start(expect=False)
        expect_words(world.log.read_text(), str(a / "log/main/checkpoint"), str(b / "log/main/checkpoint"), "not a head that we signed")
        assert (world.volumes[2] / "log/main/checkpoint").read_text() == good, "the only good copy was spoilt"
        (a / "log/main/checkpoint").write_text(good)
        start_again(world, client)
        after = filed_hearing(client)
        whole(world, hearing, after)


def test_a_wall_clock_that_jumps_by_years():
    with w.World() as world:
        clock = wall_clock.WallClock(world.folder, 0, error_ms=5)
        world.start(*clock.prefix())
        client = enrolled(world)
        hearings = [filed_hearing(client)]
        for years in (10, -10, 0):
            clock.set(years * 365 * DAY_S, error_ms=5)
            hearings.append(filed_hearing(client))
            if years:
                start_again(world, client, *clock.prefix())
                hearings.append(filed_hearing(client))
        whole(world, *hearings)


def soft_limit(process, limit):
    subprocess.run(["prlimit", "--pid", str(process.pid), f"--nofile={limit}:"], check=True)


def lowest_free(process):
    """The number that the next file gets when no thread has one open for a moment only."""
    def now():
        used = {int(name) for name in os.listdir(f"/proc/{process.pid}/fd")}
        return next(n for n in range(len(used) + 1) if n not in used)
    found = []
    for _ in range(30):
        found.append(now())
        time.sleep(0.02)
    return min(found)


def test_no_descriptor_is_left():
    with w.World() as world:
        world.start()
        client = enrolled(world)
        before = filed_hearing(client)
        status = w.run("prlimit", "--pid", world.server.pid, "--nofile", "--raw", "--noheadings", "--output", "SOFT")
        enough = int(status.stdout)
        soft_limit(world.server, lowest_free(world.server) + 1)
        refusal(lambda: put_one(client), 503, "Too many open files")
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            # Two that come now: one takes the last descriptor and the other one waits at the door, or both do.
            waiting = [pool.submit(world.archive, "status") for _ in range(2)]
            wait_for("the log to say what to do", lambda: "LimitNOFILE" in world.log.read_text(), 60)
            soft_limit(world.server, enough)
            assert all(answer.result().stdout for answer in waiting)
        during = filed_hearing(client)
        assert "suspect" not in world.archive("status").stdout, "the disks were blamed"
        world.stop()
        world.start("prlimit", "--nofile=256:256")
        expect_words(world.log.read_text(), "256 files", "16 connections", "LimitNOFILE")
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            stations = [enrolled(world, f"s{n}", room=f"room-{n}") for n in range(2, 10)]
            after = list(pool.map(filed_hearing, stations))
        whole(world, before, during, *after)


if __name__ == "__main__":
    small_disk.enter()
    w.main([value for name, value in list(globals().items()) if name.startswith("test_") and value.__module__ == __name__])
