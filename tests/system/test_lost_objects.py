#!/usr/bin/python3
"""A station's disk that loses objects before they were delivered: said in the log, never a blockage.

    tests/system/test_lost_objects.py [TEST...]
"""
import json
import os

import world as w
from test_continues import Room


class FailingRoom(Room):
    def object(self, hearing, digest):
        return self.home / "spool" / hearing / "objects" / digest

    def flip(self, hearing, digest):
        path = self.object(hearing, digest)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        os.chmod(path, 0o640)
        path.write_bytes(data)
        return bytes(data)

    def noticed(self, hearing, *words):
        """drain says one thing that the user must know, and nothing is left to do."""
        answer, said = self.station("drain", status=1)
        assert len(answer["notices"]) == 1, answer
        notice = answer["notices"][0]
        for word in (hearing, *words):
            assert word in notice and word in said, (word, notice)
        assert not answer["problems"], answer
        return notice

    def verdicts(self):
        code, verdict = self.world.verify()
        return code, {h["hearing"]: h for h in verdict["hearings"]}

    def quarantined(self, hearing):
        return [p.read_bytes() for p in (self.home / "spool" / hearing / "quarantine").iterdir()]


def test_a_flipped_byte_in_a_hearing_that_goes_on():
    with FailingRoom() as room:
        hearing = room.begin(0, "--no-upload")[0]["hearing"]
        room.record(1, "--hearing", hearing, "--no-upload")
        room.record(2, "--hearing", hearing, "--no-upload")
        digests = room.digests(hearing)
        bytes_there = room.flip(hearing, digests[1])
        other = room.begin(20, "--no-upload", "--close")[0]["hearing"]
        room.noticed(hearing, "mic-judge from 2026-11-22T09:01:00.000Z to 09:01:03", "quarantine")
        found = room.hearings()
        assert found[hearing]["lost"] == ["mic-judge from 2026-11-22T09:01:00.000Z to 09:01:03"], found
        assert found[hearing]["receipt"]["archive_size"] == found[hearing]["entries"] and found[other]["safe"], found
        assert room.quarantined(hearing) == [bytes_there]
        room.record(3, "--hearing", hearing, "--close")
        assert room.hearings()[hearing]["safe"]
        room.at_archive([d for d in room.digests(hearing) if d != digests[1]] + room.digests(other))
        code, found = room.verdicts()
        assert code == 0 and found[hearing]["lost"] == 1 and found[other]["lost"] == 0, found
        again, _ = room.station("drain")
        assert not again["notices"] and again["not_safe"] == 0, again


def test_an_unreadable_object_in_a_finished_hearing_of_which_a_part_was_delivered():
    with FailingRoom() as room:
        hearing = room.begin(0)[0]["hearing"]
        room.record(1, "--hearing", hearing, "--no-upload")
        room.record(2, "--hearing", hearing, "--no-upload", "--close")
        digests = room.digests(hearing)
        path = room.object(hearing, digests[1])
        path.unlink()
        path.mkdir()  # opening it works, reading does not
        other = room.begin(20, "--no-upload", "--close")[0]["hearing"]
        notice = room.noticed(hearing, "mic-judge from 2026-11-22T09:01:00.000Z to 09:01:03", "continues it")
        found = room.hearings()
        new = found[hearing]["continued_as"]
        assert new in notice and found[new]["safe"] and found[other]["safe"], found
        assert found[new]["lost"] == ["mic-judge from 2026-11-22T09:01:00.000Z to 09:01:03"], found
        assert room.entries(new)[0]["continues"] == hearing
        assert [e["kind"] for e in room.entries(new)][-2:] == ["lost", "close"], room.entries(new)
        room.at_archive([digests[0], digests[2]])
        _, found = room.verdicts()
        assert found[new]["verdict"].startswith("VERIFIED") and found[new]["lost"] == 1, found
        assert found[hearing]["verdict"] == "INCOMPLETE" and found[other]["verdict"].startswith("VERIFIED"), found


def test_lost_case_details_of_a_finished_hearing():
    """Nothing was delivered yet: the archive gets one whole hearing and never hears of the other."""
    with FailingRoom() as room:
        hearing = room.begin(0, "--no-upload", "--close")[0]["hearing"]
        room.object(hearing, room.entries(hearing)[0]["details_sha256"]).unlink()
        room.noticed(hearing, "the case details")
        new = room.hearings()[hearing]["continued_as"]
        room.at_archive(room.digests(hearing))
        code, found = room.verdicts()
        assert code == 0 and list(found) == [new] and found[new]["lost"] == 1, found


def test_the_same_import_goes_on_after_its_loss_was_logged():
    with FailingRoom() as room:
        hearing = room.begin(0, "--no-upload")[0]["hearing"]
        record = room.home / "spool" / hearing / "import-0.json"
        kept = json.loads(record.read_text())
        kept["done"] = False  # as if the power had gone just before
        record.write_text(json.dumps(kept, separators=(",", ":"), sort_keys=True) + "\n")
        room.flip(hearing, room.digests(hearing)[0])
        room.noticed(hearing)
        tone = room.world.folder / "tone-1.wav"
        done = room.station("import", "--stream", f"mic-judge={tone}", "--start", "2026-11-22T09:00:00.000Z", "--details", room.details,
                            "--close")[0]
        assert done["resumed"] and done["hearing"] == hearing and done["delivered"], done
        assert [e["kind"] for e in room.entries(hearing)].count("segment") == 1, room.entries(hearing)
        code, found = room.verdicts()
        assert code == 0 and found[hearing]["lost"] == 1, found


if __name__ == "__main__":
    w.main([value for name, value in list(globals().items()) if name.startswith("test_")])
