#!/usr/bin/python3
"""A court shares a hearing with another court: of its own archive, of the one whose site holds the copy, and of another city whose copy the same
province holds. Both logs say so, and no byte moves.

    tests/system/test_share.py [TEST...]
"""
import json

import world as w
from test_replicate import Sites
from test_scrub import await_that, main_entries


def place(world, court):
    world.archive("place", "set", "--court", court, "--en", f"Court {court}", "--fr", f"Cour {court}", "--zh", f"{court} 法院")


def person(world, name, court):
    return w.Browser(world).log_in(name, world.add_user(name, "clerk", court=court))


def shares(world):
    return [e for e in main_entries(world) if e["kind"] == "share"]


def sees(who, hearing):
    """Whether this person finds and opens it: both or neither, unless that changes just between the two questions."""
    for _ in range(2):
        status, answer, _ = who.call("GET", f"/v1/hearings/{hearing}")
        found = [row["id"] for row in who.find("")]
        if (status == 200) == (hearing in found):
            return status == 200
    raise AssertionError((status, answer, found))


def test_both_sides_see_it_log_it_and_see_its_end():
    with Sites() as sites:
        first, second = sites.primary, sites.second
        hearing = sites.file(0)
        for world, courts in ((first, ("court-a", "court-b")), (second, ("appeal",))):
            for court in courts:
                place(world, court)
        bob, zoe = person(first, "bob", "court-b"), person(second, "zoe", "appeal")
        objects = sum(1 for path in first.volumes[0].glob("sha256/*/*/*"))
        order = [hearing.id, "court-b", "--reason", "the same parties"]
        assert not sees(bob, hearing.id)
        assert "may see the hearing from now on" in first.archive("share", *order).stdout
        assert sees(bob, hearing.id)
        told = first.archive("share", hearing.id, f"{second.name}/appeal", "--reason", "the appeal", "--until", "2099-12-31").stdout
        assert "Not seen from here" in told and "until 2099-12-31T23:59:59.999Z" in told, told
        # Only two reasons were stored.
        assert sum(1 for path in first.volumes[0].glob("sha256/*/*/*")) == objects + 2

        assert sites.once()[0] == 0
        await_that("the other court sees it", lambda: sees(zoe, hearing.id))
        await_that("its own log says so", lambda: len(shares(second)) == 1)
        row = zoe.find("")[0]
        assert row["shared"] == {"until": "2099-12-31T23:59:59.999Z"} and row["archive"] == first.name, row
        status, data, _ = zoe.call("GET", f"/v1/hearings/{hearing.id}/objects/{sites.digests(hearing)[0]}.mp4")
        assert status == 200 and data, (status, data)
        assert [e for e in main_entries(second) if e["kind"] == "access" and e["hearing"] == hearing.id]
        assert zoe.call("GET", f"/v1/hearings/{hearing.id}/shares")[0] == 403

        listed = json.loads(first.archive("share", "--list", hearing.id, "--json").stdout)["shares"]
        assert [(s["court"], s["state"], s["counterpart"]) for s in listed] == [(f"{second.name}/appeal", "active", "unknown"), ("court-b", "active", "same-log")], listed
        for court in ("court-b", f"{second.name}/appeal"):
            first.archive("share", hearing.id, court, "--revoke", "--reason", "decided")
        assert not sees(bob, hearing.id)
        assert w.run(w.ARCHIVE, "--config", first.config, "share", *order[:2], "--revoke", "--reason", "again", check=False).returncode == 2
        assert sites.once()[0] == 0
        await_that("it is ended there", lambda: not sees(zoe, hearing.id))
        await_that("and logged", lambda: len(shares(second)) == 2)
        here = [e for e in shares(first) if e["court"] == f"{second.name}/appeal"]
        assert shares(second) == here and [e["action"] for e in here] == ["granted", "revoked"], (shares(second), here)

        # Nobody who checks finds anything wrong, and the catalogue is derived.
        for world in (first, second):
            status, verdict = world.verify()
            assert status == 0, verdict
        first.stop()
        first.archive("rebuild-catalogue")
        first.start()
        again = w.Browser(first).log_in("bob", "correct horse battery staple")
        assert not sees(again, hearing.id)


def counterparts(who, hearing):
    status, answer, _ = who.call("GET", f"/v1/hearings/{hearing}/shares")
    assert status == 200, (status, answer)
    return [share["counterpart"] for share in answer["shares"]]


class OtherCity(Sites):
    """One more archive whose copies the second site of `sites` holds, and that may read there. Ended by whoever made it."""

    def __init__(self, sites):
        super().__init__(sites.names)
        self.targets = sites.targets

    def __enter__(self):
        self.primary = w.World("city.test.example", settings={"commit_interval_s": 1}).__enter__()
        self.connect()
        code = self.folder / "reader"
        self.second.archive("origin", "reader-code", "--name", self.primary.name, "--code-file", code)
        self.primary.archive("site", "add", "--code-file", code)
        return self

    def __exit__(self, *_):
        self.client.close()
        self.primary.__exit__()


def test_two_cities_under_one_province_log_what_they_share():
    with Sites() as sites, OtherCity(sites) as other:
        city, province, receiving = sites.primary, sites.second, other.primary
        hearing = sites.file(0)
        court = f"{receiving.name}/civil"
        place(city, "court-a")
        place(receiving, "civil")
        assert other.once()[0] == 0
        told = city.archive("share", hearing.id, court, "--reason", "the same parties").stdout
        assert "Not seen from here" in told, told
        assert shares(receiving) == []
        assert sites.once()[0] == 0
        await_that("the other city's log says so", lambda: len(shares(receiving)) == 1)
        zoe = person(province, "zoe", court)
        await_that("that court's people see it in the province", lambda: sees(zoe, hearing.id))
        # Both logs in the province: it sees that both say so.
        assert other.once()[0] == 0
        anne = person(province, "anne", f"{city.name}/court-a")
        await_that("the province sees both logs", lambda: counterparts(anne, hearing.id) == ["logged"])
        city.archive("share", hearing.id, court, "--revoke", "--reason", "decided")
        assert sites.once()[0] == 0
        await_that("its end is logged there", lambda: len(shares(receiving)) == 2)
        assert shares(receiving) == shares(city) and not sees(zoe, hearing.id), (shares(receiving), shares(city))
        # Killed, it files nothing twice; nobody who checks finds anything wrong, and its own copy follows.
        receiving.stop(w.signal.SIGKILL)
        receiving.start()
        city.archive("share", hearing.id, court, "--reason", "again")
        assert sites.once()[0] == 0
        await_that("what came after a kill is logged, and nothing twice", lambda: len(shares(receiving)) == 3)
        assert shares(receiving) == shares(city)
        assert other.once()[0] == 0
        for world in (city, receiving, province):
            status, verdict = world.verify()
            assert status == 0, verdict
        receiving.invariants([])


if __name__ == "__main__":
    w.main([test_both_sides_see_it_log_it_and_see_its_end, test_two_cities_under_one_province_log_what_they_share])
