#!/usr/bin/python3
"""Disks come, go and break under a running archive: added, emptied, replaced while hearings are filed; then it is all there.

    tests/system/test_volumes.py [TEST...]
"""
import json
import shutil
import time

import world as w
from test_bad_input import enrolled, filed_hearing, nothing_lost


def volumes(world):
    return {v["path"]: v for v in json.loads(world.archive("volume", "list", "--json").stdout)}


def wait_for_state(world, path, state):
    for _ in range(300):
        if volumes(world)[str(path)]["state"] == state:
            return
        time.sleep(0.2)
    raise AssertionError(f"{path} is {volumes(world)[str(path)]}, not {state}")


def test_a_disk_is_added_and_an_old_one_leaves():
    with w.World() as world:
        world.start()
        client = enrolled(world)
        before = filed_hearing(client)
        new = world.home / "volumes" / "d"
        world.archive("volume", "add", f"{new}=shelf-d")
        leaving = world.volumes[0]
        world.archive("volume", "drain", leaving)
        during = filed_hearing(client)
        wait_for_state(world, leaving, "retired")
        after = filed_hearing(client)
        world.stop()
        shutil.rmtree(leaving)  # the disk is taken out
        world.volumes[0] = new
        world.start()  # archive.toml still names the old one and not the new one
        nothing_lost(world, before, during, after)
        for hearing in (before, during, after):
            for digest in hearing.acknowledged_objects:
                assert len(world.copies(digest)) == 3, "an object is not on the three volumes that are left"
        assert world.verify()[0] == 0
        assert world.archive("check").returncode == 0
        world.invariants([])


def test_a_broken_disk_is_replaced():
    with w.World() as world:
        world.start()
        client = enrolled(world)
        before = filed_hearing(client)
        broken = world.volumes[1]
        shutil.rmtree(broken)
        during = filed_hearing(client)
        new = world.home / "volumes" / "d"
        world.archive("volume", "replace", broken, f"{new}=shelf-b")
        wait_for_state(world, broken, "retired")
        world.volumes[1] = new
        nothing_lost(world, before, during)
        for hearing in (before, during):
            for digest in hearing.acknowledged_objects:
                assert len(world.copies(digest)) == 3, "an object is not on the three volumes that are left"
        status = json.loads(world.archive("status", "--json").stdout)
        assert not [r for r in status["reasons"] if r["code"].startswith(("volume-", "replicas-"))], status["reasons"]
        assert world.verify()[0] == 0


def test_what_cannot_be_done_with_volumes_is_refused_in_words():
    with w.World() as world:
        world.start()
        assert "only 2 volumes would be left" in world.archive("volume", "drain", world.volumes[0], check=False).stderr
        assert "no volume" in world.archive("volume", "drain", "/nowhere", check=False).stderr
        assert "PATH=DOMAIN" in world.archive("volume", "add", "/srv/x", check=False).stderr
        assert "already" in world.archive("volume", "add", f"{world.volumes[1]}=shelf-b", check=False).stderr
        # A copy of a volume that was made before, in its place.
        world.stop()
        image = world.folder / "image"
        shutil.copytree(world.volumes[2], image)
        for _ in range(2):
            world.start()
            world.stop()
        shutil.rmtree(world.volumes[2])
        image.rename(world.volumes[2])
        world.start()
        shown = volumes(world)[str(world.volumes[2])]
        assert shown["state"] == "missing" and "from before" in shown["reason"], shown


if __name__ == "__main__":
    w.main([value for name, value in list(globals().items()) if name.startswith("test_")])
