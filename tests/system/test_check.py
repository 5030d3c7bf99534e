#!/usr/bin/python3
"""greffe-archive check: finds what is wrong beside a running archive, and mends it on a stopped one when asked to.

    tests/system/test_check.py [TEST...]
"""
import contextlib
import json
import sqlite3

from test_continues import Room
from test_read_back import await_read_back, enrolled, flip_byte
import world as w


def check(world, *words, status=1):
    done = world.archive("check", "--json", *words, check=False)
    assert done.returncode == status, (words, done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout) if done.stdout else done.stderr


def test_damage_is_found_beside_a_running_archive_and_mended_on_a_stopped_one():
    with Room() as room:
        world = room.world
        hearing = room.begin(0, "--close")[0]["hearing"]
        await_read_back(enrolled(world), hearing, len(room.entries(hearing)))  # it repairs too
        assert check(world, status=0)["findings"] == []
        flipped = world.copies(room.digests(hearing)[0])[0]
        gone = next(world.volumes[1].glob("log/hearing/**/tile/entries/**/*"), None)
        gone = gone if gone.is_file() else next(path for path in gone.rglob("*") if path.is_file())
        flip_byte(flipped)
        gone.unlink()
        told = check(world)
        assert len(told["findings"]) == 2 and told["repaired"] == 0, told
        assert any(flipped.name in finding for finding in told["findings"]), told
        refused = check(world, "--repair", status=2)
        assert "another" in refused, refused
        world.stop()
        with contextlib.closing(sqlite3.connect(world.home / "state" / "catalogue.sqlite")) as catalogue, catalogue:
            catalogue.execute("UPDATE hearing SET court = 'elsewhere'")
        told = check(world)
        assert len(told["findings"]) == 3 and "check --repair" in told["findings"][2], told
        mended = check(world, "--repair")
        assert len(mended["findings"]) == 3 and mended["repaired"] >= 3, mended
        assert check(world, status=0)["findings"] == [] and gone.exists()
        world.start()
        room.verified(hearing)


if __name__ == "__main__":
    w.main([test_damage_is_found_beside_a_running_archive_and_mended_on_a_stopped_one])
