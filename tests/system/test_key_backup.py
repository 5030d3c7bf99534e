#!/usr/bin/python3
"""The machine with the keys is gone; the volumes, the encrypted backup and the paper with the code are left."""
import shutil

import world as w
from test_bad_input import add_segment, enrolled, expect_words, filed_hearing, nothing_lost


def moved(world):
    """Another state folder with nothing in it, and what the court kept elsewhere: (backup, recovery code)."""
    backup, code = world.folder / "safe" / "key-backup.json", world.folder / "safe" / "code"
    backup.parent.mkdir()
    shutil.copy(world.home / "key-backup.json", backup)
    shutil.copy(world.folder / "recovery", code)
    shutil.rmtree(world.home / "state")
    return backup, code


def restore(world, backup, code):
    return world.archive("restore-keys", "--backup", backup, "--recovery-code-file", code, "--state", world.home / "state", check=False)


def test_restore_elsewhere():
    with w.World() as world:
        world.start()
        client = enrolled(world)
        before = filed_hearing(client)
        begun = filed_hearing(client, finish=False)
        keys = world.archive("keys", "--json").stdout
        size = int(world.archive("status").stdout.split("Main log: ")[1].split()[0])
        world.stop()
        backup, code = moved(world)
        assert not world.start(expect=False), "an archive without keys must not start"
        done = restore(world, backup, code)
        assert done.returncode == 0, done.stderr
        assert world.archive("keys", "--json").stdout == keys
        for path in (world.home / "state" / "keys").iterdir():
            assert path.stat().st_mode & 0o077 == 0, f"{path} can be read by others"
        world.start()
        # The stations trust it as before, hearings go on, the log goes on from where it was.
        client.close()
        nothing_lost(world, before, begun)
        add_segment(begun)
        begun.finish()
        begun.post()
        after = filed_hearing(client)
        nothing_lost(world, before, begun, after)
        assert int(world.archive("status").stdout.split("Main log: ")[1].split()[0]) > size
        status, verdict = world.verify()
        assert status == 0, verdict


def test_wrong_code_and_damaged_backup():
    with w.World() as world:
        backup, code = moved(world)
        right = code.read_text()
        code.write_text(right.replace(right[0], "A" if right[0] != "A" else "B", 1))
        done = restore(world, backup, code)
        assert done.returncode == 2, done
        expect_words(done.stderr, "code")
        code.write_text(right)
        data = backup.read_bytes()
        backup.write_bytes(data[:-40])
        done = restore(world, backup, code)
        assert done.returncode == 2 and "Traceback" not in done.stderr, done
        expect_words(done.stderr, "backup")
        backup.write_bytes(data)
        assert restore(world, backup, code).returncode == 0
        again = restore(world, backup, code)
        assert again.returncode == 2, "keys that are there must not be overwritten"


def test_backup_is_encrypted():
    with w.World() as world:
        text = (world.home / "key-backup.json").read_text()
        for path in (world.home / "state" / "keys").iterdir():
            body = "".join(line for line in path.read_text().splitlines() if not line.startswith("-"))
            assert body not in text and "PRIVATE" not in text


def test_other_keys_are_refused():
    """A machine with another archive's keys must not take over this pool."""
    with w.World() as world, w.World() as other:
        world.start()
        filed_hearing(enrolled(world))
        world.stop()
        shutil.rmtree(world.home / "state")
        shutil.copytree(other.home / "state", world.home / "state")
        assert not world.start(expect=False)
        assert "ready" not in world.log.read_text()


if __name__ == "__main__":
    w.main([value for name, value in list(globals().items()) if name.startswith("test_") and value.__module__ == __name__])
