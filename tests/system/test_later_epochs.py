#!/usr/bin/python3
"""After a promotion the archive gets its second copy back: at a third site, and at the old one when it returns.

    tests/system/test_later_epochs.py [TEST...]
"""
import hashlib
import json
import shutil
import signal
import subprocess
import time

from machine_client import Hearing
from test_epochs import refused
from test_promotion import Disaster, prepared, verdict_of
from world import REPLICATE, Browser, World, main, run


class LaterSites(Disaster):
    """The promoted site has a replicator of its own, to targets of these worlds."""

    def replicate_from_second(self, targets):
        folder = self.second.folder / "replicate"
        folder.mkdir()
        self.later = folder / "replicate.toml"
        tables = "".join(f'[[target]]\nname = "{name}"\n' for name in targets)
        self.later.write_text(f'state_directory = "state"\narchive = "{self.primary_name}"\n[source]\n'
                              f"{self.second.place()}{tables}")
        for number, (name, target) in enumerate(targets.items()):
            code, source = folder / f"target-{name}", folder / f"source-{name}"
            there = json.loads(target.archive("keys", "--json").stdout)
            target.archive("origin", "add", "--name", self.primary_name, "--log-vkey", self.first_key, "--code-file", code)
            self.second.archive("cosigner", "add", "--vkey", there["holder_vkey"], "--code-file", source)
            if number == 0:
                self.carry("enrol-source", "--code-file", source)
            self.carry("enrol-target", "--target", name, "--code-file", code)

    def carry(self, *words, status=0):
        done = run(REPLICATE, "--config", self.later, *words, check=False)
        assert done.returncode == status, (words, done.returncode, done.stdout, done.stderr)
        return done

    def remember(self):
        prepared(self)
        self.primary_name = self.primary.name
        self.first_key = json.loads(self.primary.archive("keys", "--json").stdout)["log_vkey"]
        return self.primary.policy()

    def station_goes_there(self):
        client = super().station_goes_there()
        client.code.update({key: self.client.code[key] for key in ("name", "court", "room")})
        return client

    def files_there(self, number):
        """A hearing at the promoted site, by the station that went there."""
        client, self.client = self.client, self.station_goes_there()
        hearing = self.file(number)
        self.client.close()
        self.client = client
        return hearing


def held(target, hearings):
    found = {one["hearing"] for one in target}
    assert found >= {hearing.id for hearing in hearings}, (found, hearings)


def verified(policy, volumes, name, hearings):
    code, verdict = verdict_of(policy, volumes)
    assert code == 0 and verdict["verdict"] == "VERIFIED", verdict
    assert [log["origin"] for log in verdict["logs"]] == [name, f"{name}/epoch/2"], verdict["logs"]
    held(verdict["hearings"], hearings)
    return verdict


def test_a_third_site_gets_all_epochs_of_a_promoted_archive():
    with LaterSites() as sites, World("third.test.example", role="replica") as third:
        policy = sites.remember()
        before, going_on = sites.file(0), sites.begin(1)
        sites.record(going_on, 1)
        assert sites.once()[0] == 0
        sites.lose_the_first_site()
        sites.pinned = sites.go_on()["size"]
        third.start()
        sites.replicate_from_second({"third": third})
        status = json.loads(sites.carry("status", "--json").stdout)
        assert not status["caught_up"] and status["main_held"] == 0 and status["entries_behind"] > 3, status
        code, verdict = verdict_of(sites.second.policy(), sites.second.volumes)
        assert code == 1 and verdict["verdict"] == "INCOMPLETE", verdict
        assert {log["origin"]: log["covered"] for log in verdict["logs"]} == {sites.primary_name: 0, f"{sites.primary_name}/epoch/2": 0}, verdict["logs"]
        sites.carry("once")
        # What comes in the new epoch goes there as well, and the archive has the confirmations.
        station = going_on.client = sites.station_goes_there()
        sites.record(going_on, 1)
        going_on.finish()
        going_on.post()
        after = sites.files_there(2)
        done = json.loads(sites.carry("once", "--json").stdout)
        assert done["caught_up"] and done["undelivered"] == 0, done
        assert "third.test.example/holder" in station.call("GET", after.path + "/checkpoint")["checkpoint"]
        # Whoever slept through a promotion is told how the epoch before ended.
        ends = [end.split("\n") for end in station.call("GET", "/v1/successors")["ends"]]
        assert [(end[0], end[1]) for end in ends] == [(sites.primary_name, str(sites.pinned))], (ends, sites.pinned)
        station.close()
        verified(policy, third.volumes, sites.primary_name, [before, going_on, after])
        verified(policy, sites.second.volumes, sites.primary_name, [before, going_on, after])
        verified(sites.second.policy(), sites.second.volumes, sites.primary_name, [before, going_on, after])  # one of now asks for the third site, too
        verified(sites.second.policy(), third.volumes, sites.primary_name, [before, going_on, after])
        status = json.loads(sites.carry("status", "--json").stdout)
        assert status["caught_up"] and status["main_held"] == status["main_size"], status
        assert json.loads(third.archive("check", "--json", check=False).stdout)["findings"] == []
        compared = json.loads(sites.carry("compare", "--challenge", "4", "--json").stdout)
        assert compared["equal"] and not compared["problems"], compared
        # It knows the epoch from the log alone, also after a restart; and nothing is left to do.
        third.stop()
        third.start()
        done = json.loads(sites.carry("once", "--json").stdout)
        assert done["caught_up"] and done["objects_sent"] == 0, done


def test_the_old_site_comes_back_as_a_second_site():
    with LaterSites() as sites:
        policy = sites.remember()
        before = sites.file(0)
        assert sites.once()[0] == 0
        sites.primary.archive("officer", "add", "--name", "officer-9", "--key", "ab" * 32)  # nobody else has it
        sites.client.close()
        sites.primary.stop(signal.SIGKILL)
        sites.go_on()
        after = sites.files_there(1)
        old = sites.primary
        assert "no promotion" in old.archive("rejoin", old.name, "--name", "old.test.example", check=False).stderr
        certificate = next((sites.second.home / "state-epoch-2" / "epochs").glob("*.json"))
        altered = sites.folder / "altered"
        altered.write_text(certificate.read_text().replace('"epoch":2', '"epoch":3'))
        assert old.archive("rejoin", old.name, "--name", "old.test.example", "--certificate", altered, check=False).returncode == 2
        old.archive("rejoin", old.name, "--name", "old.test.example", "--certificate", certificate)
        old.start()
        sites.replicate_from_second({"old": old})
        sites.carry("once")
        verified(policy, old.volumes, sites.primary_name, [before, after])
        verified(policy, sites.second.volumes, sites.primary_name, [before, after])
        assert json.loads(old.archive("check", "--json", check=False).stdout)["findings"] == []
        assert json.loads(sites.carry("status", "--json").stdout)["caught_up"]
        # It is no archive any more, whatever comes.
        fresh = Hearing(sites.client)
        assert refused(lambda: fresh.put(b"x")).status == 403
        sites.client.close()
        old.stop()
        old.start()
        assert json.loads(sites.carry("once", "--json").stdout)["caught_up"]
        # What it holds is enough to rebuild the pool of the site that was promoted, though its log of the first epoch is longer.
        second = sites.second
        second.stop()
        shutil.rmtree(second.home / "volumes")
        report = json.loads(sites.carry("restore", "--json", *[word for v in second.volumes for word in ("--volume", f"{v}=shelf-{v.name}")]).stdout)
        assert report["complete"] and report["hearings"] == 2, report
        second.start(more=("--accept-head",))
        verified(policy, second.volumes, sites.primary_name, [before, after])
        folder = second.folder / "export"
        second.archive("export", before.id, folder)
        assert verdict_of(policy, [folder])[0] == 0


def test_the_pool_of_a_promoted_archive_is_lost_and_rebuilt_from_another_site():
    with LaterSites() as sites, World("third.test.example", role="replica") as third:
        policy = sites.remember()
        sites.primary.add_user("clerk", "clerk")
        before, going_on = sites.file(0), sites.begin(1)
        sites.record(going_on, 1)
        assert sites.once()[0] == 0
        sites.lose_the_first_site()
        sites.go_on()
        third.start()
        sites.replicate_from_second({"third": third})
        station = going_on.client = sites.station_goes_there()
        sites.record(going_on, 1)
        after = sites.files_there(2)
        assert json.loads(sites.carry("once", "--json").stdout)["caught_up"]
        there = verdict_of(policy, third.volumes)
        assert there[1]["verdict"] == "INCOMPLETE" and len(there[1]["hearings"]) == 3, there  # one goes on
        size = json.loads(sites.carry("status", "--json").stdout)["main_size"]

        station.close()
        second = sites.second
        second.stop(signal.SIGKILL)
        shutil.rmtree(second.home / "volumes")
        for path in (second.home / "state-epoch-2").glob("catalogue*"):
            path.unlink()
        volumes = [word for v in second.volumes for word in ("--volume", f"{v}=shelf-{v.name}")]
        newest = hashlib.sha256(f"{sites.primary_name}/epoch/2".encode()).hexdigest()
        for delay in (0.02, 0.05, 0.1, 0.15, 0.2, 0.3):
            process = subprocess.Popen([REPLICATE, "--config", sites.later, "restore", *volumes], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(delay)
            process.kill()
            process.wait()
            if not list(second.home.glob(f"volumes/*/log/from/{newest}/checkpoint")):
                assert not second.start(expect=False), "an archive must not begin another main log, nor go on in an epoch that has ended"
        report = json.loads(sites.carry("restore", "--json", *volumes).stdout)
        assert report["complete"] and report["main_size"] == size, report
        report = json.loads(sites.carry("restore", "--json").stdout)
        assert report["objects"] == 0 and report["entries"] == 0, report

        second.start(more=("--accept-head",))
        assert json.loads(second.archive("check", "--json", check=False).stdout)["findings"] == []
        here = verdict_of(policy, second.volumes)
        assert here[1]["verdict"] == there[1]["verdict"] and {one["hearing"] for one in here[1]["hearings"]} == {one["hearing"] for one in there[1]["hearings"]}, (here, there)
        for hearing in (before, going_on, after):
            for digest in hearing.acknowledged_objects:
                assert len(second.copies(digest)) == 3, digest
        assert {row["id"] for row in Browser(second, "state-epoch-2").log_in("clerk", "correct horse battery staple").find("")} >= {before.id, after.id}
        # The station goes on, the third site follows, and both epochs can be shown to an auditor.
        station = going_on.client = sites.station_goes_there()
        assert station.call("GET", going_on.path + "/checkpoint")["size"] == going_on.acknowledged_size
        sites.record(going_on, 1)
        going_on.finish()
        going_on.post()
        station.close()
        assert json.loads(sites.carry("once", "--json").stdout)["caught_up"]
        for world in (second, third):
            verified(policy, world.volumes, sites.primary_name, [before, going_on, after])
        folder = second.folder / "export"
        second.archive("export", before.id, folder)
        assert verdict_of(policy, [folder])[0] == 0
        # One hearing, into the pool that goes on.
        second.stop()
        for volume in second.volumes:
            shutil.rmtree(next(volume.glob(f"log/hearing/*/*/*/{after.id}")))
        report = json.loads(sites.carry("restore", "--json", "--hearing", after.id).stdout)
        assert report["complete"] and report["hearings"] == 1, report
        verified(policy, second.volumes, sites.primary_name, [before, going_on, after])


def test_what_only_the_old_site_has_stays_there_and_holds_nothing_up():
    with LaterSites() as sites:
        policy = sites.remember()
        going_on = sites.begin(0)
        sites.record(going_on, 1)
        assert sites.once()[0] == 0
        replicated = len(going_on.entries)
        sites.record(going_on, 1)
        only_there = sites.file(1)
        sites.client.close()
        sites.primary.stop()
        sites.go_on()
        old = sites.primary
        old.archive("rejoin", old.name, "--name", "old.test.example", "--certificate", next((sites.second.home / "state-epoch-2" / "epochs").glob("*.json")))
        old.start()
        sites.replicate_from_second({"old": old})
        after = sites.files_there(2)
        for _ in range(2):
            done = json.loads(sites.carry("once", "--json").stdout)
            assert done["caught_up"] and done["undelivered"] == 0, done
        assert json.loads(sites.carry("status", "--json").stdout)["caught_up"]
        for digest in [*sites.digests(going_on), *sites.digests(only_there)]:
            assert old.copies(digest), digest
        code, verdict = verdict_of(policy, old.volumes)
        assert code == 1 and verdict["verdict"] == "INCOMPLETE", verdict
        assert {one["code"] for one in verdict["findings"]} == {"not-closed", "not-committed", "receipt"}, verdict["findings"]
        held(verdict["hearings"], [going_on, after])
        # The station brings the promoted site what the old one has of the hearing that goes on, and then both have it.
        station = sites.station_goes_there()
        assert station.call("GET", going_on.path + "/checkpoint")["size"] == replicated
        going_on.client = station
        for digest in sites.digests(going_on)[-1:]:
            going_on.put(old.copies(digest)[0].read_bytes())
        going_on.post(first=replicated)
        station.close()
        assert json.loads(sites.carry("once", "--json").stdout)["caught_up"]


if __name__ == "__main__":
    main([value for name, value in list(globals().items()) if name.startswith("test_")])
