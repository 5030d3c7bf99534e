#!/usr/bin/python3
"""What no volume of the archive has any more is played from the second site's copy, verified, and whole again on all volumes.

    tests/system/test_read_from_second_site.py [TEST...]
"""
import json

import world as w
from machine_client import MachineClient, sha256
from test_replicate import Sites
from test_scrub import await_that, both_verifiers_agree, flip, is_good, main_entries, scrubbing


class ReadingSites(Sites):
    """A primary that may read what its second site holds. No replicator runs but when a test says `once`."""

    def reader_code(self):
        path = self.folder / "reader"
        path.unlink(missing_ok=True)
        self.second.archive("origin", "reader-code", "--name", self.primary.name, "--code-file", path)
        return path

    def add_site(self):
        self.primary.archive("site", "add", "--code-file", self.reader_code())

    def sites_known(self):
        return [site["name"] for site in json.loads(self.primary.archive("site", "list", "--json").stdout)["sites"]]

    def person(self):
        return w.Browser(self.primary).log_in("claire", self.primary.add_user("claire", "clerk"))

    def spoil(self, digest):
        for path in self.primary.copies(digest):
            flip(path)

    def remove(self, digest):
        for path in self.primary.copies(digest):
            path.unlink()

    def whole(self, digest):
        copies = self.primary.copies(digest)
        return len(copies) == 3 and all(is_good(path) for path in copies)


def play(person, hearing, digest):
    status, answer, _ = person.call("GET", f"/v1/hearings/{hearing.id}/objects/{digest}.mp4")
    return status, answer


def findings(world, digest):
    return [(e["finding"], e["action"]) for e in main_entries(world) if e["kind"] == "scrub" and e.get("key", "").endswith(digest)]


def test_who_plays_what_no_volume_has_gets_it_and_it_is_whole_again():
    with ReadingSites() as sites:
        hearing, other = sites.file(0), sites.file(1)
        assert sites.once()[0] == 0
        person = sites.person()
        sites.add_site()
        assert sites.sites_known() == ["dr.test.example"]
        damaged, absent = sites.digests(hearing)
        sites.spoil(damaged)
        sites.remove(absent)
        for digest in (damaged, absent):
            status, data = play(person, hearing, digest)
            assert status == 200 and sha256(data) == digest, (status, data[:200])
            assert sites.whole(digest), sites.primary.copies(digest)
        assert scrubbing(sites.primary)["lost"] == 0
        await_that("the repair is in the main log", lambda: ("missing", "repaired") in findings(sites.primary, absent)
                   and findings(sites.primary, damaged).count(("damaged", "repaired")) >= 3)
        kept = [path for volume in sites.primary.volumes for path in (volume / "quarantine").rglob("*") if path.is_file()]
        assert len(kept) == 3, kept  # damaged bytes are kept aside
        status, verdict = sites.primary.verify()
        assert status == 0, verdict
        both_verifiers_agree(sites.primary)
        done = json.loads(sites.primary.archive("scrub", "--json").stdout)
        assert done["failures"] == 0 and done["unrepaired"] == [], done
        # What was found and repaired flows to the second site as ever.
        status, report = sites.once()
        assert status == 0 and report["caught_up"], report
        # Until it may not read there any more.
        sites.second.archive("origin", "reader-revoke", "--name", sites.primary.name, "--why", "stolen")
        sites.remove(sites.digests(other)[0])
        status, answer = play(person, other, sites.digests(other)[0])
        assert status == 404 and sites.primary.copies(sites.digests(other)[0]) == [], answer


def test_a_scrub_fetches_what_no_volume_has_also_after_a_restart():
    with ReadingSites() as sites:
        hearing = sites.file()
        assert sites.once()[0] == 0
        sites.add_site()
        sites.client.close()
        sites.primary.stop()
        sites.primary.start()
        assert sites.sites_known() == ["dr.test.example"]
        damaged, absent = sites.digests(hearing)
        sites.spoil(damaged)
        sites.remove(absent)
        done = json.loads(sites.primary.archive("scrub", "--json").stdout)
        assert done["unrepaired"] == [] and done["failures"] >= 2, done
        assert sites.whole(damaged) and sites.whole(absent)
        assert scrubbing(sites.primary)["lost"] == 0
        assert sites.primary.verify()[0] == 0


def test_without_an_answer_from_there_it_is_as_without_a_second_site():
    with ReadingSites() as sites:
        hearing = sites.file()
        assert sites.once()[0] == 0
        person = sites.person()
        damaged, absent = sites.digests(hearing)
        sites.spoil(damaged)
        sites.remove(absent)
        alone = {digest: play(person, hearing, digest) for digest in (damaged, absent)}
        assert all(status >= 400 and digest in answer["detail"] for digest, (status, answer) in alone.items()), alone
        sites.add_site()
        sites.second.stop()
        for digest in (damaged, absent, damaged):
            assert play(person, hearing, digest) == alone[digest]
        done = sites.primary.archive("scrub", "--json", check=False)
        assert done.returncode == 1 and len(json.loads(done.stdout)["unrepaired"]) == 2, done
        sites.primary.archive("site", "remove", "--name", "dr.test.example")
        assert sites.sites_known() == []


def test_only_the_right_code_leads_to_a_site():
    with ReadingSites() as sites:
        refused = sites.primary.archive("site", "add", "--code-file", sites.primary.station_code("s2"), check=False)
        assert refused.returncode == 2 and "for a station" in refused.stderr, refused
        refused = sites.second.archive("origin", "reader-code", "--name", "third.test.example", check=False)
        assert refused.returncode == 2 and "does not hold copies" in refused.stderr, refused
        code = sites.reader_code()
        refused = sites.second.archive("site", "add", "--code-file", code, check=False)
        assert refused.returncode == 2 and "this archive is dr.test.example" in refused.stderr, refused
        thief = MachineClient(code.read_text())
        thief.enrol()
        thief.close()
        refused = sites.primary.archive("site", "add", "--code-file", code, check=False)
        assert refused.returncode == 2 and "used up" in refused.stderr, refused
        sites.add_site()  # a new code retires the stolen key
        assert sites.sites_known() == ["dr.test.example"]
        status, problem = thief.request("GET", f"/v1/log/from/{sha256(sites.primary.name.encode())}/objects/{sha256(b'')}")
        assert status == 403, problem


if __name__ == "__main__":
    w.main([value for name, value in list(globals().items()) if name.startswith("test_")], at_once=2)
