#!/usr/bin/python3
"""The old site is back, and what nobody else had comes back with it; then the archive is switched back to it, planned, and nothing stays behind.

    tests/system/test_failback.py [TEST...]
"""
import json
import signal
import subprocess

from machine_client import MachineClient
from test_later_epochs import LaterSites
from test_planned_switch import everything, hand_over, promote, rejoin, replicate_to
from test_promotion import verdict_of
from world import REPLICATE, Browser, main

PASSWORD = "correct horse battery staple"
SLOW = '[[target]]\nname = "dr"\n[[target.limit]]\nclass = "picture"\nbytes_per_second = 12000\n'


class Returning(LaterSites):
    """A first site that has joined again, and its replicator, enrolled at the promoted one."""

    def cut_off(self):
        """Hearings: one that both sites have, one in progress, and one that the first site takes, as the other's next segment, after the line was cut."""
        self.primary.add_user("clerk", "clerk")
        before, going_on = self.file(0), self.begin(1)
        self.record(going_on, 1)
        assert self.once()[0] == 0
        self.record(going_on, 1)
        return before, going_on, self.file(2)

    def rejoin(self):
        self.old = self.primary
        rejoin(self, self.old, "old.test.example", self.second, 2)

    def enrol_returning(self):
        code = self.second.folder / "returning"
        self.second.archive("returning", "add", "--code-file", code)
        self.replicate("enrol-target", "--code-file", code)

    def failback(self, *words, status=0):
        done = self.replicate("failback", "--json", *words, check=False)
        assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout)

    def slow_line(self, slow):
        """Pictures of the old site take a second each; or not any more."""
        fast = self.config.read_text().replace(SLOW, "[target]\n")
        self.config.write_text(fast.replace("[target]\n", SLOW) if slow else fast)

    def another_station(self, name):
        client = MachineClient(self.primary.station_code(name, room="room-2").read_text())
        client.enrol()
        return client

    def file_as(self, client, number):
        ours, self.client = self.client, client
        hearing = self.file(number)
        self.client = ours
        return hearing

    def there(self, client):
        """The same key at the promoted site."""
        ours, self.client = self.client, client
        moved = self.station_goes_there()
        moved.code.update({key: client.code[key] for key in ("name", "court", "room")})
        self.client = ours
        return moved

    def back(self, client):
        """The same key at the old site, which is the archive again."""
        moved = MachineClient(self.code_text, key=client.key)
        moved.code.update({key: client.code[key] for key in ("name", "court", "room")})
        moved.epoch = 3
        return moved


def mark(world, state, hearing, text):
    person = Browser(world, state).log_in("clerk", PASSWORD)
    status, answer, _ = person.call("POST", f"/v1/hearings/{hearing.id}/marks", {"at": "2026-09-21T14:13:21.000Z", "text": text})
    assert status in (200, 201), (status, answer)


def marks_of(world, state, hearing):
    status, timeline, _ = Browser(world, state).log_in("clerk", PASSWORD).call("GET", f"/v1/hearings/{hearing.id}/timeline")
    assert status == 200, (status, timeline)
    return [one["text"] for one in timeline["marks"]]


def test_what_only_the_old_site_had_comes_back():
    with Returning() as sites:
        policy = sites.remember()
        before, going_on, only_there = sites.cut_off()
        late = sites.another_station("s2")
        by_late = sites.file_as(late, 3)
        mark(sites.primary, "state", only_there, "the witness hesitates")
        sites.primary.archive("officer", "add", "--name", "officer-9", "--key", "ab" * 32)
        sites.client.close()
        late.close()
        sites.primary.stop(signal.SIGKILL)
        sites.go_on()
        after = sites.files_there(4)
        sites.rejoin()
        # Enrolled as before the loss it is no site that may bring anything back.
        assert "returning add" in sites.replicate("failback", "--dry-run", check=False).stderr
        sites.enrol_returning()
        missing = [*sites.digests(going_on)[-1:], *sites.digests(only_there), *sites.digests(by_late)]
        lacked = {digest: sites.old.copies(digest)[0].stat().st_size for digest in missing}
        dry = sites.failback("--dry-run")
        assert dry["origin"] == sites.old.name and dry["held"] < dry["size"] and dry["apart"] == [], dry
        assert dry["hearings"] == 3 and dry["recorded_ms"] == 50_000 and dry["bytes"] == sum(lacked.values()), (dry, lacked)
        assert dry["objects"] == len(lacked) + 3, dry  # two documents of hearings, and that of the mark
        assert dry["entries_by_kind"]["mark"] == 1 and dry["entries_by_kind"]["key"] == 2 and sum(dry["entries_by_kind"].values()) == dry["entries"], dry
        assert dry["keys"] == [{"action": "added", "name": "officer-9", "role": "officer"}], dry
        assert "TO DECIDE: the officer officer-9" in sites.replicate("failback", "--dry-run").stdout
        assert not any(sites.second.copies(digest) for digest in lacked)
        # Killed in the middle; what came stays, and the next run brings the rest.
        sites.slow_line(True)
        killed = subprocess.Popen([REPLICATE, "--config", sites.config, "failback"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        sites.wait(lambda: any(len(sites.second.copies(digest)) == 3 for digest in lacked), 60)
        killed.kill()
        killed.wait()
        sites.slow_line(False)
        rest = sites.failback("--dry-run")
        assert 0 < rest["objects"] < dry["objects"], (rest, dry)
        done = sites.failback()
        assert done["whole"] and done["carried"]["caught_up"] and done["found"]["objects"] == rest["objects"], done
        assert done["graft"]["size"] == dry["size"] and done["graft"]["hearings"] >= 2 and done["graft"]["entries"] >= 2, done
        again = sites.failback()
        assert again["graft"] == done["graft"] and again["carried"]["objects_sent"] == 0 and again["found"]["hearings"] == 0, again
        for digest in lacked:
            assert len(sites.second.copies(digest)) == 3, digest
        # It is part of the archive: people see it, and stations go on with it.
        assert marks_of(sites.second, "state-epoch-2", only_there) == ["the witness hesitates"]
        station = going_on.client = sites.station_goes_there()
        sites.record(going_on, 1)
        going_on.finish()
        going_on.post()
        station.close()
        late_there = sites.there(late)  # nobody enrols it again
        by_late_after = sites.file_as(late_there, 5)
        late_there.close()
        hearings = [before, going_on, only_there, by_late, after, by_late_after]
        origins = [sites.old.name, f"{sites.old.name}/epoch/2"]
        names = [one["name"] for one in json.loads(sites.second.archive("officer", "list", "--json").stdout)["officers"]]
        assert "officer-9" not in names, names
        # The old site has all of it as a second site has; and is the archive again, planned.
        once = replicate_to(sites, sites.second, sites.old, sites.second.folder / "replicate")
        done = once()
        assert done["caught_up"] and done["undelivered"] == 0, done
        everything(policy, (sites.second,), origins, hearings)
        # But receipts of the new epoch for what it had itself, which nobody sends it.
        code, verdict = verdict_of(policy, sites.old.volumes)
        assert code == 1 and {(one["code"], one["hearing"]) for one in verdict["findings"]} == {("receipt", one.id) for one in (only_there, by_late)}, verdict
        end, size = hand_over(sites.second)
        assert once()["caught_up"]
        promote(sites, sites.old, end, 3, size)
        rejoin(sites, sites.second, "dr-2.test.example", sites.old, 3)
        for number, client in enumerate((sites.client, late)):
            hearings.append(sites.file_as(sites.back(client), 6 + number))
            hearings[-1].client.close()
        assert marks_of(sites.old, "state-epoch-3", only_there) == ["the witness hesitates"]
        done = replicate_to(sites, sites.old, sites.second, sites.old.folder / "replicate-3")()
        assert done["caught_up"] and done["undelivered"] == 0, done
        everything(policy, (sites.old, sites.second), [*origins, f"{sites.old.name}/epoch/3"], hearings)


if __name__ == "__main__":
    main([value for name, value in list(globals().items()) if name.startswith("test_")])
