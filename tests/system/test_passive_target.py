#!/usr/bin/python3
"""A copy with nobody behind it, a folder as of a mounted disk: filled, killed, spoilt, unplugged, verified, and an archive restored from it.

    tests/system/test_passive_target.py [TEST...]
"""
import hashlib
import json
import os
import shutil
import subprocess
import time
import urllib.request

import world as w
from machine_client import MachineClient
from test_later_epochs import LaterSites, verified
from test_promotion import verdict_of
from test_replicate import REPLICATE, Sites


class Copies(Sites):
    """A primary, and a replicator that keeps a folder; it is not enrolled anywhere."""

    def __enter__(self):
        self.primary = w.World(settings={"commit_interval_s": 1}).__enter__()
        self.primary.start()
        self.folder = self.primary.folder / "replicate"
        self.folder.mkdir()
        self.copy = self.folder / "nas"
        self.config = self.folder / "replicate.toml"
        self.metrics = w.free_ports(1)[0]
        vkey = json.loads(self.primary.archive("keys", "--json").stdout)["log_vkey"]
        self.config.write_text(f'state_directory = "state"\narchive = "{self.primary.name}"\nlog_vkey = "{vkey}"\nmetrics_address = "127.0.0.1:{self.metrics}"\n'
                               f"[source]\nvolumes = {json.dumps([str(v) for v in self.primary.volumes])}\n"
                               '[[target]]\nname = "nas"\nvolumes = ["nas"]\nmin_free_bytes = 1000000\n')
        self.client = MachineClient(self.primary.station_code().read_text())
        self.client.enrol()
        return self

    def __exit__(self, *_):
        self.client.close()
        self.primary.__exit__()

    def init(self, status=0):
        done = self.replicate("init-target", check=False)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    def compare(self, *words, status=0):
        done = self.replicate("compare", "--json", *words, check=False)
        assert done.returncode == status, (words, done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout)

    def there(self, digest):
        return self.copy / "sha256" / digest[:2] / digest[2:4] / digest

    def spoil(self, digest):
        path = self.there(digest)
        os.chmod(path, 0o600)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)

    def is_good(self, digest):
        return hashlib.sha256(self.there(digest).read_bytes()).hexdigest() == digest


def test_a_folder_becomes_a_copy_that_an_auditor_can_verify():
    with Copies() as sites:
        hearings = [sites.file(i) for i in range(2)]
        refused = sites.replicate("once", check=False)
        assert refused.returncode == 2 and "no volume" in refused.stderr, refused.stderr
        assert not sites.copy.exists(), "a copy is not made unasked"
        assert "nobody answers for it" in sites.init()
        sites.init()  # again changes nothing
        before = sites.status()
        assert before["passive"] and before["hearings_behind"] == 2 and not before["caught_up"], before
        status, report = sites.once()
        assert status == 0 and report["caught_up"] and report["objects_sent"] == 6, report
        after = sites.status()
        assert after["caught_up"] and "cosigned" not in after, after
        assert after["grade"]["grade"] == "copied-and-read-back" and after["grade"]["written"]["read"] == 6, after
        assert "not cosigned" in sites.replicate("status").stdout

        # With the programs of any system.
        objects = [p for p in (sites.copy / "sha256").rglob("*") if p.is_file()]
        assert len(objects) == 6 and all(hashlib.sha256(p.read_bytes()).hexdigest() == p.name for p in objects)
        label = json.loads((sites.copy / "log" / "copy" / "label.json").read_text())
        assert label["archive"] == sites.primary.name, label
        assert not (sites.copy / "log" / "main").exists()
        exit_status, verdict = sites.primary.verify(sites.copy)
        assert exit_status == 0 and verdict["verdict"] == "VERIFIED" and len(verdict["hearings"]) == 2, verdict

        # Nobody takes it for a confirmation, and no archive for its pool.
        for hearing in hearings:
            held = sites.client.call("GET", hearing.path + "/checkpoint")["checkpoint"]
            assert held.count("holder") == 1 and "nas" not in held, held
        assert json.loads(sites.primary.archive("status", "--json", check=False).stdout)["second_sites"] == []
        again = w.run(w.ARCHIVE, "init", "--dir", sites.folder / "other", "--name", "other.test.example", "--volume", f"{sites.copy}=a", check=False)
        assert again.returncode == 2, again

        status, report = sites.once()
        assert status == 0 and report["objects_sent"] == 0 and report["entries_sent"] == 0, report
        assert sites.compare()["equal"]


def test_a_flipped_bit_and_a_missing_object_are_noticed_and_mended():
    with Copies() as sites:
        hearing = sites.file()
        sites.init()
        assert sites.once()[0] == 0
        flipped, gone = sites.digests(hearing)
        sites.spoil(flipped)
        sites.there(gone).unlink()
        found = sites.compare(status=1)
        assert {(b["object"], b["found"]) for b in found["bad"]} == {(flipped, "damaged"), (gone, "missing")}, found
        assert sites.status()["caught_up"], "who only looks writes nothing"
        assert sites.primary.verify(sites.copy)[0] == 1
        mended = sites.compare("--repair")
        assert mended["equal"] and mended["objects_returned"] == 2 and mended["bad"] == [], mended
        assert sites.is_good(flipped) and sites.is_good(gone)
        assert len(list((sites.copy / "quarantine").iterdir())) == 1, "the bad bytes are kept"
        assert sites.primary.verify(sites.copy)[0] == 0
        # A log, too.
        (sites.copy / "log" / "hearing").rename(sites.copy / "log" / "away")
        found = sites.compare(status=1)
        assert found["problems"] and not found["equal"], found
        assert sites.compare("--repair")["logs_mended"] == 1
        shutil.rmtree(sites.copy / "log" / "away")
        assert sites.primary.verify(sites.copy)[0] == 0
        # What neither has stays named, with the hearing.
        sites.there(gone).unlink()
        for path in sites.primary.copies(gone):
            path.unlink()
        found = sites.compare("--repair", status=1)
        assert [(b["object"], b["hearing"]) for b in found["bad"]] == [(gone, hearing.id)], found
        after = sites.status()
        assert not after["caught_up"] and [b["object"] for b in after["grade"]["bad"]] == [gone], after


def test_killed_at_any_moment_it_goes_on_and_nothing_there_is_wrong():
    with Copies() as sites:
        for i in range(4):
            sites.file(i)
        sites.init()
        for delay in (0.01, 0.03, 0.06, 0.1, 0.15, 0.25):
            process = subprocess.Popen([REPLICATE, "--config", sites.config, "once"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(delay)
            process.kill()
            process.wait()
            if list(sites.copy.glob("log/from/*/checkpoint")):
                verdict = sites.primary.verify(sites.copy)[1]
                assert verdict["verdict"] in ("VERIFIED", "INCOMPLETE"), verdict
        status, report = sites.once()
        assert status == 0 and report["caught_up"], report
        assert sites.primary.verify(sites.copy)[0] == 0
        assert sites.compare()["round"]["looks"]["read"] == 12


def test_a_disk_that_is_unplugged_is_waited_for():
    with Copies() as sites:
        sites.init()
        first = sites.file(0)
        with sites.running():
            sites.wait(lambda: sites.status()["caught_up"])
            busy = sites.replicate("once", check=False)
            assert busy.returncode == 2 and "another process" in busy.stderr, busy.stderr
            assert sites.compare()["equal"], "looking goes beside the service"
            away = sites.folder / "away"
            sites.copy.rename(away)
            sites.copy.mkdir()  # the mount point
            second = sites.file(1)
            sites.wait(lambda: sites.status()["hearings_behind"] == 2)
            assert "not_asked" in sites.status()
            sites.wait(lambda: "target nas: the copy nas" in sites.log())
            assert list(sites.copy.iterdir()) == [], "the mount point was written to"
            sites.copy.rmdir()
            away.rename(sites.copy)
            sites.wait(lambda: sites.status()["caught_up"], 60)
            assert all(sites.is_good(d) for h in (first, second) for d in sites.digests(h))
            metrics = urllib.request.urlopen(f"http://127.0.0.1:{sites.metrics}/metrics", timeout=10).read().decode()
            assert 'greffe_replication_passive{target="nas"} 1' in metrics, metrics
            assert 'greffe_replication_bad{target="nas"} 0' in metrics, metrics
        assert "takes copies again" in sites.log(), sites.log()


def test_a_copy_that_is_wiped_and_made_again_is_filled_by_the_service_that_ran_meanwhile():
    with Copies() as sites:
        sites.init()
        hearings = [sites.file(i) for i in range(2)]
        with sites.running():
            sites.wait(lambda: sites.status()["caught_up"])
            sites.copy.rename(sites.folder / "wiped")
            sites.wait(lambda: "target nas: the copy nas" in sites.log())
            sites.init()
            sites.wait(lambda: sites.status()["caught_up"], 60)
            assert all(sites.is_good(d) for h in hearings for d in sites.digests(h))
            # Within one look of the service.
            sites.copy.rename(sites.folder / "wiped again")
            sites.init()
            sites.wait(lambda: list(sites.copy.glob("log/from/*/checkpoint")) and sites.status()["caught_up"], 60)
            assert all(sites.is_good(d) for h in hearings for d in sites.digests(h))
        assert sites.primary.verify(sites.copy)[0] == 0


def test_places_that_are_not_this_archives_copy_are_refused():
    with Copies() as sites:
        sites.file()
        text = sites.config.read_text()

        def at(folder):
            sites.config.write_text(text.replace('volumes = ["nas"]', f"volumes = {json.dumps([str(folder)])}"))

        # The archive's own volume.
        mine = sites.primary.volumes[0]
        at(mine)
        before = (mine / "greffe-pool.json").read_bytes()
        assert "holds an archive" in sites.init(status=2)
        done = sites.replicate("once", check=False)
        assert done.returncode == 2 and "holds an archive" in done.stderr, done.stderr
        assert (mine / "greffe-pool.json").read_bytes() == before
        # Another archive's copy.
        at(sites.copy)
        sites.init()
        with w.World("other.test.example") as other:
            other.start()
            theirs = json.loads(other.archive("keys", "--json").stdout)["log_vkey"]
            ours = json.loads(sites.primary.archive("keys", "--json").stdout)["log_vkey"]
            sites.config.write_text(sites.config.read_text().replace(ours, theirs).replace(f'archive = "{sites.primary.name}"', 'archive = "other.test.example"')
                                    .replace(json.dumps([str(v) for v in sites.primary.volumes]), json.dumps([str(v) for v in other.volumes])))
            done = sites.replicate("once", check=False)
            assert done.returncode == 2 and f"copy of {sites.primary.name}" in done.stderr, done.stderr
            assert f"copy of {sites.primary.name}" in sites.init(status=2)
        assert not list(sites.copy.glob("log/from/*")), "something was written there"


def test_an_archive_is_restored_from_its_copy():
    with Copies() as sites:
        filed = [sites.file(i) for i in range(2)]
        sites.primary.add_user("clerk", "clerk")
        running = sites.begin(2)
        sites.record(running, 1)
        sites.init()
        assert sites.once()[0] == 0
        size = sites.status()["main_held"]
        sites.client.close()
        sites.primary.stop()
        shutil.rmtree(sites.primary.home / "volumes")
        shutil.rmtree(sites.primary.home / "state")
        shutil.rmtree(sites.folder / "state", ignore_errors=True)
        # Its label is lost, too. Not into the copy itself.
        (sites.copy / "log" / "copy" / "label.json").unlink()
        text = sites.config.read_text()
        volumes = json.dumps([str(v) for v in sites.primary.volumes])
        sites.config.write_text(text.replace(volumes, json.dumps([str(sites.copy)]) + "\nreplicas = 1\nwrite_quorum = 1"))
        wrong = sites.replicate("restore", check=False)
        assert wrong.returncode == 2 and "pool of a copy" in wrong.stderr, wrong.stderr
        sites.config.write_text(text)
        words = [word for v in sites.primary.volumes for word in ("--volume", f"{v}=shelf-{v.name}")]
        report = json.loads(sites.replicate("restore", "--json", "--from", "nas", *words).stdout)
        assert report["complete"] and report["hearings"] == 3 and report["main_size"] == size, report
        sites.primary.archive("restore-keys", "--backup", sites.primary.home / "key-backup.json", "--recovery-code-file", sites.primary.folder / "recovery",
                              "--state", sites.primary.home / "state")
        sites.primary.start()
        done = sites.primary.archive("check", "--json", check=False)
        assert done.returncode == 0 and json.loads(done.stdout)["findings"] == [], done.stdout + done.stderr
        for hearing in (*filed, running):
            for digest in hearing.acknowledged_objects:
                assert len(sites.primary.copies(digest)) == 3, digest
        assert w.Browser(sites.primary).log_in("clerk", "correct horse battery staple").find("RG 26/00001"), "the accounts and the catalogue are back"
        # The station goes on, and so does the copy.
        sites.record(running, 1)
        running.finish()
        running.post()
        waits = sites.replicate("once", check=False)
        assert waits.returncode == 2 and "init-target --target nas" in waits.stderr, waits.stderr
        sites.init()
        status, report = sites.once()
        assert status == 0 and report["caught_up"], report
        assert sites.primary.verify(sites.copy)[0] == 0


def test_a_promoted_archive_goes_on_with_the_copy_of_before_and_is_restored_from_it():
    with LaterSites() as sites:
        policy = sites.remember()
        copy = sites.second.folder / "nas"
        target = f'[[target]]\nname = "nas"\nvolumes = ["{copy}"]\nmin_free_bytes = 1000000\n'

        def replicator(folder, world):
            """That keeps this copy alone, for the archive whose pool is this world's."""
            folder.mkdir()
            key = json.loads(world.archive("keys", "--json").stdout)["log_vkey"]
            config = folder / "replicate.toml"
            config.write_text(f'state_directory = "state"\narchive = "{sites.primary_name}"\nlog_vkey = "{key}"\n'
                              f"[source]\nvolumes = {json.dumps([str(v) for v in world.volumes])}\n{target}")
            return lambda *words, status=0: json.loads(answer(config, *words, status=status).stdout or "null")

        def answer(config, *words, status):
            done = w.run(REPLICATE, "--config", config, *words, check=False)
            assert done.returncode == status, (words, done.returncode, done.stdout, done.stderr)
            return done

        before, going_on = sites.file(0), sites.begin(1)
        sites.record(going_on, 1)
        at_first = sites.folder / "nas-keeper"
        config = at_first / "replicate.toml"
        keep = replicator(at_first, sites.primary)
        answer(config, "init-target", status=0)
        assert sites.once()[0] == 0
        only_there = sites.file(2)  # in the copy, and nowhere else when the first site is gone
        assert keep("once", "--json")["caught_up"]
        sites.lose_the_first_site()
        sites.go_on()
        after = sites.files_there(3)
        second = sites.second
        at_second = second.folder / "nas-keeper"
        config = at_second / "replicate.toml"
        keep = replicator(at_second, second)
        answer(config, "init-target", status=0)  # again changes nothing
        for _ in range(2):
            done = keep("once", "--json")
            assert done["caught_up"] and not done["problems"], done
        status = keep("status", "--json")
        assert status["caught_up"] and status["main_held"] == status["main_size"], status
        compared = keep("compare", "--json")
        assert compared["equal"] and not compared["problems"], compared
        code, verdict = verdict_of(policy, [copy])
        assert verdict["verdict"] == "INCOMPLETE" and not [one for one in verdict["findings"] if one["code"] == "promotion"], verdict
        assert [log["origin"] for log in verdict["logs"]] == [sites.primary_name, f"{sites.primary_name}/epoch/2"], verdict["logs"]

        # The pool of the promoted site is lost: the key of its newest log is all that is known.
        key = json.loads(second.archive("keys", "--json").stdout)["log_vkey"]
        second.stop()
        shutil.rmtree(second.home / "volumes")
        shutil.rmtree(at_second / "state", ignore_errors=True)
        words = [word for v in second.volumes for word in ("--volume", f"{v}=shelf-{v.name}")]
        report = json.loads(answer(config, "restore", "--json", "--log-key", key, *words, status=0).stdout)
        assert report["complete"], report
        second.start(more=("--accept-head",))
        station = going_on.client = sites.station_goes_there()
        assert station.call("GET", going_on.path + "/checkpoint")["size"] == going_on.acknowledged_size
        going_on.finish()
        going_on.post()
        # Its station asks for the receipt of what nobody but the copy had.
        assert f"{sites.primary_name}/epoch/2/holder" in station.call("GET", only_there.path + "/checkpoint")["checkpoint"]
        station.close()
        assert keep("once", "--json")["caught_up"]
        verified(policy, second.volumes, sites.primary_name, [before, going_on, after, only_there])
        verified(policy, [copy], sites.primary_name, [before, going_on, after, only_there])


if __name__ == "__main__":
    w.main([value for name, value in list(globals().items()) if name.startswith("test_")])
