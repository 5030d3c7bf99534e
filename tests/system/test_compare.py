#!/usr/bin/python3
"""Two sites compared: every object, every log and every byte that one of them has not is found, named, and brought back.

    tests/system/test_compare.py [TEST...]
"""
import json
import os
import shutil

import world as w
from test_replicate import Sites


class ComparedSites(Sites):
    """Three hearings at both sites."""

    def __enter__(self):
        super().__enter__()
        self.hearings = [self.file(i) for i in range(3)]
        status, report = self.once()
        assert status == 0, report
        return self

    def compare(self, *words):
        done = self.replicate("compare", "--json", *words, check=False)
        if done.returncode not in (0, 1):
            raise AssertionError(f"compare ended with {done.returncode}: {done.stderr}")
        report = json.loads(done.stdout)
        assert report["equal"] == (done.returncode == 0), (done.returncode, report)
        assert not report["problems"], report
        return done.returncode, report

    def details(self, hearing):
        return json.loads(hearing.entries[0])["details_sha256"]

    def verified(self):
        """Both pools, by the verifier, which has code of its own."""
        for volumes in (self.primary.volumes, self.second.volumes):
            status, verdict = self.primary.verify(*volumes)
            assert status == 0 and len(verdict["hearings"]) == 3, verdict


def remove(site, digest):
    copies = site.copies(digest)
    assert len(copies) == 3, copies
    for copy in copies:
        copy.unlink()


def alter(site, digest):
    """Other bytes, as many."""
    for copy in site.copies(digest):
        data = bytearray(copy.read_bytes())
        data[len(data) // 2] ^= 1
        os.chmod(copy, 0o640)
        copy.write_bytes(data)


def named(report, only):
    return {(d["kind"], d["id"], d.get("hearing")) for d in report["differences"] if d["only"] == only}


def test_equal_sites_say_so_with_the_date():
    with ComparedSites() as sites:
        assert "never compared" in sites.replicate("status").stdout
        assert "compared" not in sites.status()
        status, report = sites.compare()
        assert status == 0 and report["only_here"] == report["only_there"] == 0, report
        # Two segments and a document of each hearing, its log, and the main log; at least these.
        assert report["items"] == report["items_there"] >= 3 * 4 + 1, report
        assert report["challenged"] >= 9 and report["round_trips"] <= 10 and report["bytes"] < 20_000, report
        kept = sites.status()["compared"]
        assert kept["equal"] and kept["root"] == report["root"] and kept["utc"] == report["utc"], kept
        assert f"In sync: compared on {report['utc']}" in sites.replicate("status").stdout
        # What is recorded meanwhile and not carried yet is behind, not different.
        sites.file(3)
        status, again = sites.compare()
        assert status == 0 and again["root"] == report["root"], again
        assert not sites.status()["caught_up"]
        assert sites.once()[0] == 0
        status, more = sites.compare()
        assert status == 0 and more["items"] > again["items"], more


def test_what_either_site_lost_is_found_and_brought_back():
    with ComparedSites() as sites:
        one, two, three = sites.hearings
        here, there, document = sites.digests(one)[0], sites.digests(two)[1], sites.details(three)
        remove(sites.primary, here)
        remove(sites.second, there)
        remove(sites.second, document)
        status, report = sites.compare()
        assert status == 1 and report["only_here"] == 2 and report["only_there"] == 1, report
        assert named(report, "here") == {("object", there, two.id), ("object", document, three.id)}, report
        assert named(report, "there") == {("object", here, one.id)}, report
        assert report["missing_here_count"] == 1 and report["missing_there_count"] == 2, report
        said = sites.replicate("status").stdout
        assert "NOT IN SYNC: compared on" in said and "In sync" not in said, said
        status, report = sites.compare("--repair")
        assert status == 0 and report["objects_returned"] == 3, report
        for site, digest in ((sites.primary, here), (sites.second, there), (sites.second, document)):
            assert len(site.copies(digest)) >= 2, digest
        sites.verified()
        assert "In sync: compared on" in sites.replicate("status").stdout


def test_what_a_comparison_found_comes_back_with_the_next_pass_as_well():
    with ComparedSites() as sites:
        here, there = sites.digests(sites.hearings[0])[0], sites.digests(sites.hearings[1])[0]
        remove(sites.primary, here)
        remove(sites.second, there)
        assert sites.once()[1]["objects_returned"] == 0  # nobody has noticed
        assert sites.compare()[0] == 1
        assert sites.once()[1]["objects_returned"] == 2
        assert sites.compare()[0] == 0


def test_a_hearings_log_that_the_second_site_lost():
    with ComparedSites() as sites:
        hearing = sites.hearings[1]
        for volume in sites.second.volumes:
            for log in volume.glob(f"log/hearing/*/*/*/{hearing.id}"):
                shutil.rmtree(log)
        status, report = sites.compare()
        assert status == 1 and report["only_here"] == 1 + 3, report  # nothing there names its objects any more
        logs = {h for kind, _, h in named(report, "here") if kind == "hearing-log"}
        assert logs == {hearing.id}, report
        status, report = sites.compare("--repair")
        assert status == 0, report
        sites.verified()


def test_a_hearings_log_that_the_first_site_lost_is_named():
    with ComparedSites() as sites:
        hearing = sites.hearings[1]
        for volume in sites.primary.volumes:
            for log in volume.glob(f"log/hearing/*/*/*/{hearing.id}"):
                shutil.rmtree(log)
        status, report = sites.compare("--repair")
        assert status == 1 and report["only_there"] == 1 + 3, report
        assert ("hearing-log", hearing.id) in {(kind, h) for kind, _, h in named(report, "there")}, report


def test_bytes_that_are_not_what_their_name_says():
    """A site that has the names and not the bytes claims to hold what it does not."""
    with ComparedSites() as sites:
        there, here = sites.digests(sites.hearings[0])[0], sites.digests(sites.hearings[2])[1]
        alter(sites.second, there)
        for copy in sites.primary.copies(here):
            os.chmod(copy, 0o640)
            os.truncate(copy, 100)
        assert sites.compare("--challenge", "0")[0] == 0  # names do not tell
        status, report = sites.compare()
        assert status == 1, report
        unproved = {(u["id"], u["why"].split(" has ")[0]) for u in report["unproved"]}
        assert unproved == {(there, "the second site"), (here, "this site")}, report
        assert not sites.status()["compared"]["equal"]
        status, report = sites.compare("--repair")
        assert status == 0 and not report["unproved"] and report["challenged"] >= 9, report
        sites.verified()


def test_sites_that_cannot_be_compared():
    with ComparedSites() as sites:
        assert sites.compare()[0] == 0
        before = sites.status()["compared"]
        sites.second.stop()
        done = sites.replicate("compare", check=False)
        assert done.returncode == 2 and str(sites.second.machine) in done.stderr, done.stderr
        sites.second.start()
        assert sites.status()["compared"] == before  # what could not be done changes nothing
        sites.client.close()
        sites.primary.stop()
        # The pool can be read without the service; only what is missing could not be told.
        assert sites.compare()[0] == 0
        assert not [path for path in (sites.folder / "state" / "compared").rglob("*") if path.parent.name == "sorting"]


if __name__ == "__main__":
    w.main([value for name, value in list(globals().items()) if name.startswith("test_")])
