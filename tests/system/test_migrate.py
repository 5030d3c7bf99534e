#!/usr/bin/python3
"""Moving house: a pool is copied to other disks beside an archive that goes on writing, and the archive goes on from there.

    tests/system/test_migrate.py [TEST...]
"""
import json
import shutil

from test_continues import Room
from test_replicate import Sites
import world as w


def migrate(world, *words, status=0):
    done = world.archive("migrate", "--json", *words, check=False)
    assert done.returncode == status, (words, done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout) if done.stdout else done.stderr


def new_volumes(world):
    world.moved = [world.folder / "moved" / letter for letter in "xyz"]
    return [word for volume in world.moved for word in ("--volume", f"{volume}=rack-{volume.name}")]


def go_there(world):
    """What migrate tells the operator to do."""
    world.config.with_name("archive.toml.new").rename(world.config)
    world.volumes = world.moved


def heads(volumes):
    """{path of a log: text of its checkpoint} on the first of these volumes."""
    return {str(p.parent.relative_to(volumes[0])): p.read_text() for p in volumes[0].glob("log/**/checkpoint")}


def test_an_archive_moves_to_other_disks():
    with Room() as room:
        world = room.world
        first = room.begin(0, "--close")[0]["hearing"]
        going_on = room.begin(10)[0]["hearing"]
        bulk = migrate(world, *new_volumes(world))
        assert bulk["copied"] == bulk["objects"] >= 4 and "root" not in bulk, bulk
        assert not heads(world.moved), "a pool that is not whole has heads"
        assert "still runs" in migrate(world, "--finish", status=2)
        assert "says already" in migrate(world, *new_volumes(world), status=2)
        # The archive has gone on meanwhile.
        room.record(11, "--hearing", going_on, "--close")
        second = room.begin(20, "--close")[0]["hearing"]
        world.stop()
        done = migrate(world, "--finish")
        assert done["findings"] == [] and 0 < done["copied"] < done["objects"], done
        assert heads(world.moved) == heads(world.volumes)
        assert migrate(world, "--finish")["copied"] == 0
        old = world.volumes
        go_there(world)
        for volume in old:
            shutil.rmtree(volume)
        world.start()
        room.verified(first, going_on, second)
        third = room.begin(30, "--close")[0]["hearing"]
        room.verified(third)
        done = world.archive("check", "--json")
        assert json.loads(done.stdout)["findings"] == [], done.stdout
        world.invariants([])


def test_the_old_pool_is_not_taken_for_the_archive_any_more():
    with Room() as room:
        world = room.world
        room.begin(0, "--close")
        old = world.config.read_text()
        migrate(world, *new_volumes(world))
        world.stop()
        migrate(world, "--finish")
        go_there(world)
        world.start()
        room.begin(10, "--close")
        world.stop()
        world.config.write_text(old)
        assert not world.start(expect=False), "two pools go on as the same archive"
        assert "--accept-head" in world.log.read_text(), world.log.read_text()


def test_an_object_that_is_lost_is_named_and_keeps_nothing_else_back():
    with Room() as room:
        world = room.world
        hearing = room.begin(0, "--close")[0]["hearing"]
        victim = room.digests(hearing)[0]
        world.stop()
        for path in world.copies(victim):
            path.write_bytes(b"x" * path.stat().st_size)
        done = migrate(world, *new_volumes(world), "--finish", status=1)
        assert done["damaged"] == 1 and any(victim in finding for finding in done["findings"]), done
        assert heads(world.moved) == heads(world.volumes)
        assert not list(world.moved[0].glob(f"sha256/*/*/{victim}"))


def test_a_pool_without_room_and_one_that_belongs_to_somebody():
    with Room() as room:
        world = room.world
        room.begin(0, "--close")
        mine = [word for volume in world.volumes for word in ("--volume", f"{volume}=shelf-x")]
        assert str(world.volumes[0]) in migrate(world, *mine, status=2)
        assert "say where the pool is" in migrate(world, status=2)
        migrate(world, *new_volumes(world))  # the refused attempts are not in its way


def test_an_attempt_that_was_cut_off_goes_on_with_the_pool_that_it_made():
    with Room() as room:
        world = room.world
        room.begin(0, "--close")
        words = new_volumes(world)
        assert "named twice" in migrate(world, *words[:2], *words[:2], status=2)
        migrate(world, *words)
        # As a crash leaves it that came when the volumes were made and before the new configuration was in its place.
        label = json.loads((world.moved[0] / "greffe-volume.json").read_text())
        (world.moved[2] / "greffe-volume.json").unlink()
        new = world.config.with_name("archive.toml.new")
        draft = new.with_name("archive.toml.new.draft")
        draft.write_text(f"# pool {label['pool']}\n" + new.read_text())
        new.unlink()
        other = [word.replace("rack-x", "rack-w") for word in words]
        assert str(world.moved[0]) in migrate(world, *other, status=2), "a volume of another failure domain was taken"
        migrate(world, *words)
        assert {json.loads((volume / "greffe-volume.json").read_text())["pool"] for volume in world.moved} == {label["pool"]}
        assert new.exists() and not draft.exists() and "# pool" not in new.read_text()
        world.stop()
        migrate(world, "--finish")
        go_there(world)
        world.start()


def test_a_replicator_reads_the_new_place():
    with Sites() as sites:
        world = sites.primary
        migrate(world, *new_volumes(world))
        world.stop()
        migrate(world, "--finish")
        go_there(world)
        world.start()
        sites.config.write_text(sites.config.read_text().replace("/a/volumes/", "/nowhere/"))
        assert sites.replicate("once", check=False).returncode == 2
        lines = [line for line in world.config.read_text().splitlines() if line.startswith(("volumes", "replicas", "write_quorum"))]
        sites.config.write_text("\n".join([f'state_directory = "state"\narchive = "{world.name}"\n[source]', *lines]) + "\n")
        assert sites.once()[0] == 0


if __name__ == "__main__":
    w.main([test_an_archive_moves_to_other_disks, test_the_old_pool_is_not_taken_for_the_archive_any_more,
            test_an_object_that_is_lost_is_named_and_keeps_nothing_else_back, test_a_pool_without_room_and_one_that_belongs_to_somebody,
            test_an_attempt_that_was_cut_off_goes_on_with_the_pool_that_it_made,
            test_a_replicator_reads_the_new_place])
