#!/usr/bin/python3
"""An adjourned hearing goes on as a new one, elsewhere; gaps are explained later; the time adds up: as people see it.

    tests/system/test_sittings.py [TEST...]
"""
import json

import crash_station
import world as w
from sittings_site import STARTS, Site, explained_hearing


def test_a_hearing_that_goes_on_in_other_rooms():
    with w.World() as world:
        world.start()
        site = Site(world)
        ids = site.chain()

        def shown(name, hearing):
            status, answer, _ = site.browser(name).call("GET", f"/v1/hearings/{hearing}")
            return answer.get("sittings") if status == 200 else status

        everything = shown("paul", ids[0])
        assert [s["id"] for s in everything] == ids and [s["start"] for s in everything] == list(STARTS), everything
        assert [s["room"] for s in everything] == ["salle-1", "salle-4", "salle-2"], everything
        assert [s.get("continues") for s in everything] == [None, ids[0], ids[1]], everything
        assert all(s["duration_ms"] == 12_000 for s in everything), everything
        assert shown("paul", ids[1]) == shown("paul", ids[2]) == everything
        # Whoever may not see a sitting learns that there is one, and nothing else.
        assert shown("claire", ids[0]) == everything[:2] + [{"hidden": True}]
        assert shown("nadia", ids[2]) == [{"hidden": True}, {"hidden": True}] + everything[2:]
        assert shown("claire", ids[2]) == 404 and shown("nadia", ids[0]) == 404

        code, verdict = world.verify()
        assert code == 0 and {h["hearing"] for h in verdict["hearings"]} == set(ids), verdict
        for one in world.accounts().values():
            assert one["recorded_ms"] == one["declared_ms"] == 12_000, one
        # The catalogue is derived: rebuilt, it says the same.
        world.stop()
        world.archive("rebuild-catalogue")
        world.start()
        assert shown("paul", ids[0]) == everything


def test_what_is_asked_of_continues():
    with w.World() as world:
        world.start()
        site = Site(world)
        earlier = "019d0a3b-0000-7000-8000-000000000001"  # of another archive: named, not looked up
        for wrong in ("019d0a3b-0000-4000-8000-000000000001", earlier.upper(), "lyon", "../x"):
            _, words = site.file("lyon-1", STARTS[0], "--continues", wrong, status=2)
            assert "--continues" in words and "not the id of a hearing" in words, words
        done, _ = site.file("lyon-1", STARTS[0], "--continues", earlier)
        entries = [json.loads(e) for e in crash_station.entries_in(
            world.folder / "station-lyon-1" / "spool" / done["hearing"] / "entries")]
        assert entries[0]["continues"] == earlier, entries[0]
        # The same command is the same hearing; without the option, or with another id, it is another one.
        assert site.file("lyon-1", STARTS[0], "--continues", earlier)[0]["hearing"] == done["hearing"]
        other = site.file("lyon-1", STARTS[0])[0]["hearing"]
        assert other != done["hearing"]
        _, words = site.station("lyon-1", "import", "--stream", f"mic-judge={site.tone}", "--start", STARTS[1], "--hearing", other,
                                "--continues", earlier, status=2)
        assert "--continues belongs to a new hearing" in words, words


def test_gaps_explained_later():
    with w.World() as world:
        world.start()
        site = Site(world)
        hearing = explained_hearing(world)
        _, timeline, _ = site.browser("claire").call("GET", f"/v1/hearings/{hearing.id}/timeline")
        recess, power, unknown = timeline["gaps"]
        (explanation,) = power["explanations"]
        assert "débranché" in explanation["text"] and explanation["person"] == "claire", explanation
        assert not power["excused"] and recess["excused"] and "explanations" not in unknown, timeline["gaps"]
        account = timeline["account"]
        assert {k: account[k] for k in ("declared_ms", "recorded_ms", "excused_ms", "unexcused_ms", "unexplained_ms")} == {
            "declared_ms": 114_000, "recorded_ms": 20_000, "excused_ms": 60_000, "unexcused_ms": 34_000, "unexplained_ms": 4_000}, account
        code, verdict = world.verify()
        (told,) = verdict["hearings"]
        assert code == 0 and verdict["verdict"] == "VERIFIED_WITH_DECLARED_GAPS", verdict
        assert told["account"] == account == world.accounts()[hearing.id], (told["account"], account)
        assert told["gaps"][1]["explanations"] == [
            {"note_sha256": json.loads(hearing.entries[6])["note_sha256"], "person": "claire", "reason": "power"}], told
        words = w.run(w.VERIFY, "--policy", world.policy(), *world.volumes).stdout
        assert "explained later by claire as power" in words and "this excuses nothing" in words, words
        assert "0:01:54.000 declared = 0:00:20.000 recorded + 0:01:00.000 excused + 0:00:34.000 unexcused" in words, words


if __name__ == "__main__":
    w.main([test_a_hearing_that_goes_on_in_other_rooms, test_what_is_asked_of_continues, test_gaps_explained_later])
