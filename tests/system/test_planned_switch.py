#!/usr/bin/python3
"""The archive is switched to its second site and back again, planned, while a courtroom records: nothing stays behind, and nobody touches the station.

    tests/system/test_planned_switch.py [TEST...]
"""
import json
import sys

import live_room as r
from machine_client import Hearing, MachineClient, details_document, sha256
from test_epochs import refused
from test_follow import Courtrooms, upload
from test_later_epochs import LaterSites, held
from test_promotion import TWIN, verdict_of
from world import REPLICATE, World, main, run


class Switching(LaterSites, Courtrooms):
    """Two sites that change places, and stations."""

    def remember(self):
        self.primary_name = self.primary.name
        self.first_key = json.loads(self.primary.archive("keys", "--json").stdout)["log_vkey"]
        return self.policy


def hand_over(world):
    """Where its log ends: the file, and the size."""
    end = world.folder / "end"
    return end, json.loads(world.archive("hand-over", "--end", end, "--json").stdout)["size"]


def takes_nothing(station):
    hearing, details = Hearing(station), details_document()
    hearing.put(details)
    hearing.open(sha256(details), {"cam-bench": "video"})
    problem = refused(hearing.post)
    assert problem.status == 503 and "hands over" in problem.problem["detail"], problem.problem


def promote_words(sites, world, end):
    return ["promote", sites.primary.name, "--end", end, "--machine-url", f"https://127.0.0.1:{world.machine}"]


def stays_behind(sites, world, end):
    """While there is less of the log than it ended with nothing is made."""
    statement = world.folder / "statement"
    done = world.archive(*promote_words(sites, world, end), "--statement", statement, check=False)
    assert done.returncode == 2 and "would stay behind" in done.stderr and not statement.exists(), (done.returncode, done.stdout, done.stderr)


def promote(sites, world, end, epoch, size):
    """Statement, signatures, promotion, start."""
    words, statement = promote_words(sites, world, end), world.folder / "statement"
    plan = json.loads(world.archive(*words, "--statement", statement, "--json").stdout)
    assert plan["epoch"] == epoch and plan["size"] == size, (plan, epoch, size)
    signed = []
    for name in sites.signers:
        signed += ["--signature", world.folder / f"signed-{name}"]
        world.archive("officer", "sign", "--name", name, "--key-file", sites.kept[name], "--statement", statement, "--out", signed[-1])
    world.stop()
    world.archive(*words, *signed)
    world.start()


def rejoin(sites, world, name, promoted, epoch):
    """What served is a second site from now on, under this name."""
    world.stop()
    certificate = next((promoted.home / f"state-epoch-{epoch}" / "epochs").glob("*.json"))
    world.archive("rejoin", sites.primary.name, "--name", name, "--certificate", certificate)
    world.start()


def replicate_to(sites, source, target, folder):
    """A replicator of the site that serves, enrolled at both; what `once` says."""
    folder.mkdir()
    config = folder / "replicate.toml"
    config.write_text(f'state_directory = "state"\narchive = "{sites.primary.name}"\n[source]\n{source.place()}[target]\n')
    there = json.loads(target.archive("keys", "--json").stdout)
    target.archive("origin", "add", "--name", sites.primary.name, "--log-vkey", sites.first_key, "--code-file", folder / "target")
    source.archive("cosigner", "add", "--vkey", there["holder_vkey"], "--code-file", folder / "source")
    for site in ("source", "target"):
        run(REPLICATE, "--config", config, f"enrol-{site}", "--code-file", folder / site)
    return lambda: json.loads(run(REPLICATE, "--config", config, "once", "--json").stdout)


def everything(policy, worlds, origins, hearings):
    """Both verifiers and the independent checker find the same at both sites, and nothing wrong."""
    for world in worlds:
        code, verdict = verdict_of(policy, world.volumes)
        assert code == 0 and verdict["verdict"] == "VERIFIED" and not verdict["findings"], verdict
        assert [log["origin"] for log in verdict["logs"]] == origins, verdict["logs"]
        assert not [note for note in verdict["notes"] if "lost with" in note], verdict["notes"]
        held(verdict["hearings"], hearings)
        invariants = run(sys.executable, TWIN / "check_invariants.py", *world.volumes, check=False)
        assert invariants.returncode == 0, invariants.stdout
        assert json.loads(world.archive("check", "--json", check=False).stdout)["findings"] == []


class Filed:
    """A hearing of a station, by its id."""

    def __init__(self, hearing):
        self.id = hearing


def test_there_and_back_nothing_stays_behind_and_the_station_follows():
    with Switching() as sites:
        policy = sites.remember()
        one, two, name = sites.primary, sites.second, sites.primary.name
        room = sites.room("live")
        room.start()
        trial = room.open()
        r.wait_for("the first segment of the trial", lambda: (room.home / "spool" / trial / "receipt").exists())
        before = sites.file(0)
        assert sites.once()[0] == 0
        late = sites.file(1)
        # The first site takes nothing any more, also after a restart; what it has goes on to the second one.
        end, size = hand_over(one)
        sites.client.close()
        one.stop()
        one.start()
        takes_nothing(sites.client)
        assert hand_over(one)[1] == size
        stays_behind(sites, two, end)
        assert sites.once()[1]["caught_up"]
        promote(sites, two, end, 2, size)
        sites.client.close()
        rejoin(sites, one, "old.test.example", two, 2)
        r.wait_for("the station to follow", lambda: upload(room)["epoch"] == 2, 60)
        once = replicate_to(sites, two, one, two.folder / "replicate")
        after = sites.files_there(2)
        assert once()["caught_up"]
        # And back. An end of before is not that of now.
        stale, _ = hand_over(two)
        two.archive("hand-over", "--undo")
        two.stop()
        two.start()
        last = sites.files_there(3)
        assert once()["caught_up"]
        done = one.archive(*promote_words(sites, one, stale), check=False)
        assert done.returncode == 2 and "has gone on since" in done.stderr, (done.stdout, done.stderr)
        end, size = hand_over(two)
        assert once()["caught_up"]
        promote(sites, one, end, 3, size)
        two.stop()
        certificate = next((one.home / "state-epoch-3" / "epochs").glob("*.json"))
        taken = two.archive("rejoin", name, "--name", "dr.test.example", "--certificate", certificate, check=False)
        assert taken.returncode == 2 and "another name" in taken.stderr, taken.stderr
        rejoin(sites, two, "dr-2.test.example", one, 3)
        r.wait_for("the station to come back", lambda: upload(room)["epoch"] == 3, 60)
        recorded = len(room.entries(trial))
        r.wait_for("more of the trial", lambda: len(room.entries(trial)) > recorded)
        room.ask("close")
        r.wait_for("everything to be confirmed", lambda: room.ask("status")["not_safe"] == 0, 60)
        done = replicate_to(sites, one, two, one.folder / "replicate-3")()
        assert done["caught_up"] and done["undelivered"] == 0, done
        everything(policy, (one, two), [name, f"{name}/epoch/2", f"{name}/epoch/3"], [before, late, after, last, Filed(trial)])
        # What is shown of it leads through all three.
        for hearing in (before.id, last.id, trial):
            folder = one.folder / f"export-{hearing}"
            one.archive("export", hearing, folder)
            code, verdict = verdict_of(policy, [folder])
            assert code == 0 and verdict["verdict"] == "VERIFIED" and verdict["hearings"][0]["hearing"] == hearing, verdict


def test_handing_over_is_taken_back():
    with World() as world:
        world.start()
        client = MachineClient(world.station_code().read_text())
        client.enrol()
        assert "not told" in world.archive("hand-over", "--undo", check=False).stderr
        end, _ = hand_over(world)
        assert end.read_text().startswith(world.name + "\n")
        takes_nothing(client)
        assert world.archive("officer", "add", "--name", "officer-1", "--key", "ab" * 32, check=False).returncode == 2
        assert "hands over" in json.dumps(json.loads(world.archive("status", "--json", check=False).stdout)["reasons"])
        world.archive("hand-over", "--undo")
        world.stop()
        world.start()
        world.archive("officer", "add", "--name", "officer-1", "--key", "ab" * 32)
        client.close()


if __name__ == "__main__":
    main([value for name, value in list(globals().items()) if name.startswith("test_")])
