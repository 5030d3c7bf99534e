#!/usr/bin/python3
"""All disks of the archive are lost: its pool is rebuilt from the second site, however often the work is cut short.

    tests/system/test_restore.py [TEST...]
"""
import json
import os
import shutil
import subprocess
import time

import world as w
from machine_client import MachineClient
from test_replicate import REPLICATE, Sites, sample


class LostPool(Sites):
    def restore(self, *words, status=0):
        done = self.replicate("restore", "--json", *words, check=False)
        assert done.returncode == status, (words, done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout) if done.stdout else done.stderr

    def new_volumes(self):
        return [word for v in self.primary.volumes for word in ("--volume", f"{v}=shelf-{v.name}")]

    def lose_everything(self):
        """The machine with its disks; the court keeps the key backup elsewhere, and the replicator's state."""
        self.client.close()
        self.primary.stop()
        self.lose_pool()
        shutil.rmtree(self.primary.home / "state")

    def lose_pool(self):
        shutil.rmtree(self.primary.home / "volumes")

    def bring_keys(self):
        self.primary.archive("restore-keys", "--backup", self.primary.home / "key-backup.json", "--recovery-code-file", self.primary.folder / "recovery",
                             "--state", self.primary.home / "state")

    def check(self, status=0):
        done = self.primary.archive("check", "--json", check=False)
        assert done.returncode == status, done.stdout + done.stderr
        return json.loads(done.stdout)["findings"]

    def verdicts(self, world):
        """What greffe-verify says of a pool, as the first site's auditor."""
        done = w.run(w.VERIFY, "--policy", self.policy, "--json", *world.volumes, check=False)
        verdict = json.loads(done.stdout)
        return done.returncode, verdict["verdict"], {h["hearing"]: h for h in verdict["hearings"]}

    def large(self, number):
        """A hearing of forty objects."""
        hearing = self.begin(number)
        for _ in range(40):
            data, init_bytes, ticks = sample.segment(hearing.streams["cam-bench"]["at"], 10)
            hearing.put(data)
            hearing.segment("cam-bench", data, init_bytes, ticks)
        hearing.finish()
        hearing.post()
        return hearing


def test_all_disks_are_lost_and_the_work_is_cut_short_again_and_again():
    with LostPool() as sites:
        filed = [sites.file(0), sites.large(1), sites.file(2)]
        sites.primary.add_user("clerk", "clerk")
        sites.primary.archive("place", "set", "--court", "court-a", "--en", "Court A", "--fr", "Tribunal A", "--zh", "A", "--zone", "Europe/Paris")
        running = sites.begin(3)
        sites.record(running, 2)
        assert sites.once()[0] == 0
        sites.policy = sites.primary.policy()
        there = sites.verdicts(sites.second)
        assert there[:2] == (1, "INCOMPLETE") and len(there[2]) == 4, there  # one hearing goes on
        size = sites.status()["main_held"]

        sites.lose_everything()
        sites.bring_keys()
        assert "no volume" in sites.restore(status=2), "a pool is not made unasked"
        assert "cannot say" in sites.restore(*sites.new_volumes()[:2], status=2), "one volume of three is no pool, and the next try must get on with it"
        for delay in (0.02, 0.05, 0.1, 0.15, 0.2, 0.3):
            process = subprocess.Popen([REPLICATE, "--config", sites.config, "restore", *sites.new_volumes()], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(delay)
            process.kill()
            process.wait()
            if not list(sites.primary.home.glob("volumes/*/log/main/checkpoint")):
                assert not sites.primary.start(expect=False), "an archive must not begin another main log"
        report = sites.restore(*sites.new_volumes())
        assert report["complete"] and report["hearings"] == 4 and report["main_size"] == size, report
        assert sites.restore()["objects"] == 0, "what is there was fetched again"

        sites.primary.start()
        assert "another process" in sites.restore(status=2), "a pool that is written by the archive must be left alone"
        assert sites.check() == []
        here = sites.verdicts(sites.primary)
        assert here[:2] == there[:2] and here[2].keys() == there[2].keys(), (here, there)
        for hearing in (*filed, running):
            for digest in hearing.acknowledged_objects:
                assert len(sites.primary.copies(digest)) == 3, digest
        assert w.Browser(sites.primary).log_in("clerk", "correct horse battery staple").find("RG 26/00001"), "the accounts and the catalogue are back"
        # The station goes on with its hearing, and the second site follows.
        held = sites.client.call("GET", running.path + "/checkpoint")
        assert held["size"] == running.acknowledged_size and "dr.test.example/holder" in held["checkpoint"], held
        sites.record(running, 1)
        running.finish()
        running.post()
        status, report = sites.once()
        assert status == 0 and report["caught_up"], report
        assert sites.check() == []
        assert sites.verdicts(sites.primary)[:2] == (0, "VERIFIED")


def test_what_the_second_site_has_not_either_is_named():
    with LostPool() as sites:
        hearing = sites.file(0)
        assert sites.once()[0] == 0
        victim = sites.digests(hearing)[1]
        sites.second.stop()
        for copy in sites.second.copies(victim):
            os.chmod(copy, 0o600)
            data = bytearray(copy.read_bytes())
            data[len(data) // 2] ^= 1
            copy.write_bytes(data)
        sites.second.start()
        sites.lose_everything()
        report = sites.restore(*sites.new_volumes(), status=1)
        assert not report["complete"] and [(m["hearing"], m["object"]) for m in report["missing"]] == [(hearing.id, victim)], report
        assert sites.primary.copies(victim) == [] and report["hearings"] == 1, report
        sites.bring_keys()
        sites.primary.start()
        findings = sites.check(status=1)
        assert len(findings) == 1 and victim in findings[0], findings


def test_one_hearing_and_one_court_come_back_into_a_pool_that_lost_them():
    with LostPool() as sites:
        lost, kept, other = sites.file(0), sites.file(1), sites.file(2)
        assert sites.once()[0] == 0
        sites.client.close()
        sites.primary.stop()

        def lose(hearing):
            for volume in sites.primary.volumes:
                shutil.rmtree(next(volume.glob(f"log/hearing/*/*/*/{hearing.id}")))
            for digest in hearing.acknowledged_objects:
                for copy in sites.primary.copies(digest):
                    copy.unlink()

        lose(lost)
        lose(other)
        report = sites.restore("--hearing", lost.id)
        assert report["complete"] and report["hearings"] == 1 and report["objects"] == len(lost.acknowledged_objects), report
        findings = sites.check(status=1)
        assert findings and not any(lost.id in f or kept.id in f for f in findings), findings
        assert sites.restore("--court", "nowhere")["hearings"] == 0
        report = sites.restore("--court", "court-a")
        assert report["complete"] and report["hearings"] == 3, report
        assert sites.check() == []
        assert "not in the main log" in sites.restore("--hearing", "019d0a3c-7c00-7abc-8def-0123456789ab", status=2)
        sites.primary.start()
        assert sites.primary.verify()[0] == 0


def test_only_the_archive_itself_reads_what_is_held_of_it():
    with LostPool() as sites:
        hearing = sites.file(0)
        assert sites.once()[0] == 0
        # A replicator of another archive, enrolled at the same second site, asks for this one's.
        code = sites.second.folder / "code-other"
        stranger = "other.test.example"
        with w.World(stranger) as other:
            other.start()
            vkey = json.loads(other.archive("keys", "--json").stdout)["log_vkey"]
        sites.second.archive("origin", "add", "--name", stranger, "--log-vkey", vkey, "--code-file", code)
        client = MachineClient(code.read_text())
        client.enrol()
        origin = sample.sha(sites.primary.name.encode())
        for path in (f"{hearing.path}/entries?first=0", f"/v1/log/from/{origin}/entries?first=0", f"/v1/log/from/{origin}/hearings?day=2026-11-22",
                     f"{hearing.path}/objects/{sites.digests(hearing)[0]}"):
            status, answer = client.request("GET", path)
            assert status == 403 and answer["code"] == "denied", (path, status, answer)
        client.close()


def test_the_replicator_and_its_key_are_lost_with_the_archive():
    with LostPool() as sites:
        hearing = sites.file(0)
        assert sites.once()[0] == 0
        vkey = json.loads(sites.primary.archive("keys", "--json").stdout)["log_vkey"]
        there = json.loads(sites.second.archive("keys", "--json").stdout)["holder_vkey"]
        sites.lose_everything()
        shutil.rmtree(sites.folder / "state")
        code = sites.folder / "another"
        words = ["origin", "add", "--name", sites.primary.name, "--log-vkey", vkey, "--code-file", code]
        assert "renew" in sites.second.archive(*words, check=False).stderr
        sites.second.archive(*words, "--renew")
        sites.replicate("enrol-target", "--code-file", code)
        assert "--log-key" in sites.restore(*sites.new_volumes(), status=2)
        other = vkey.replace("archive.test", "brchive.test")
        assert sites.restore(*sites.new_volumes(), "--log-key", other, status=2)
        report = sites.restore(*sites.new_volumes(), "--log-key", vkey)
        assert report["complete"] and report["hearings"] == 1, report
        sites.bring_keys()
        sites.primary.start()
        code.unlink()
        sites.primary.archive("cosigner", "add", "--vkey", there, "--renew", "--code-file", code)
        sites.replicate("enrol-source", "--code-file", code)
        sites.record(again := sites.begin(1))
        again.finish()
        again.post()
        status, report = sites.once()
        assert status == 0 and report["undelivered"] == 0, report
        assert len(sites.primary.copies(sites.digests(hearing)[0])) == 3


if __name__ == "__main__":
    w.main([value for name, value in list(globals().items()) if name.startswith("test_")])
