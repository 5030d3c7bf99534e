#!/usr/bin/python3
"""What the lost site alone had, and that came back (`graft`), judged by both verifiers in pools and exports; and each way of lying about it.

    tests/twin/test_grafts.py [CASE...]
"""
import copy
import itertools
import json
import shutil
import sys

import sample
from test_promoted import before, everywhere, exports, hearing, named, pools
from threat_case import VERIFY, judge, run_cases, run_verifier


def lost(case):
    """Behind what the second site holds the first one enrols a station, files hearings, and notes what people do. Then it is lost."""
    before(case)
    archive, case.pin = case.archive, len(case.archive.entries)
    station = sample.Key("s2", 1)
    archive.add_key("station", "s2", station, court="court-a", room="room-1")
    case.alone = archive.file(sample.Hearing(station, "s2", start_ms=sample.START_MS + 3 * 86_400_000, streams=("cam-bench",)).usual(2))
    access(case)
    archive.file(case.across, case.across.commits[1:])
    archive.correct(case.first)
    named(case, "o-9")
    access(case, purpose="export")
    archive.add(kind="from the future")
    archive.promote(case.officers, pin=case.pin)
    case.old = archive.epochs[0]
    return case


def access(case, **more):
    case.archive.add(**{"kind": "access", "account": "u-1", "hearing": case.first.id, "purpose": "play", "session": "s-1", **more})


def came_back(case, **how):
    """It is found again, and what it alone had is in the archive as if it had never been away. The number of the graft."""
    case.late = case.archive.file(hearing(case, 2).usual(2))
    number = take_back(case, **how)
    access(case)
    return number


def take_back(case, **how):
    number = case.archive.take_back(case.old, **{"hearings": [case.alone, case.across], **how})
    case.archive.file(case.across, case.across.commits[1:])
    case.archive.file(case.alone)
    return number


FOLDERS = itertools.count()


def pool(case, **how):
    return case.archive.write_pool(case.folder / f"pool-{next(FOLDERS)}", 2, **how)


def export(case, one):
    return [case.archive.write_export(case.folder / f"export-{next(FOLDERS)}", one)]


def refused(case, number, **place):
    """Of the first and of the second site, which both have all of the old log."""
    for as_copy in (False, True):
        judge(case, pool(case, as_copy=as_copy), "TAMPERED", "graft", log="main", entry=number, **place)


def again(case):
    """What of the old log stands again behind a graft."""
    return [e for e in case.old.entries[case.pin:] if sample.is_said_again(json.loads(e))]


def notes(case, paths):
    policy = case.folder / "policy.txt"
    policy.write_text(case.archive.policy())
    return run_verifier([VERIFY], policy, paths, None)[1]["notes"]


def said(case, paths, *words):
    told = notes(case, paths)
    for word in words:
        assert any(word in note for note in told), f"{word!r} is not among {told}"


def unsaid(case, paths, word):
    told = notes(case, paths)
    assert not any(word in note for note in told), told


# ---- as it should be ----

def what_the_lost_site_alone_had_came_back(case):
    number = came_back(lost(case))
    behind = len(case.old.entries) - case.pin
    for paths in everywhere(case):
        judge(case, paths, "VERIFIED")
    judge(case, export(case, case.alone), "VERIFIED")
    for volumes in pool(case), pool(case, as_copy=True):
        said(case, volumes, f"{behind} entries of epoch 1, behind what epoch 2 goes on from, came back with main log entry {number}")
        unsaid(case, volumes, "not part of the archive")


def before_it_came_back_it_is_no_part_of_the_archive(case):
    lost(case).late = case.archive.file(hearing(case, 2).usual(2))
    for volumes in pools(case):
        said(case, volumes, f"{len(case.old.entries) - case.pin} entries of epoch 1 came behind what epoch 2 goes on from: they are not part of the archive")
        unsaid(case, volumes, "came back")


def a_site_that_holds_no_more_than_what_was_gone_on_from(case):
    """A third one: it takes the graft as the newer log states it."""
    number = came_back(lost(case))
    volumes = pool(case, as_copy=True, pinned=True)
    judge(case, volumes, "VERIFIED")
    said(case, volumes, f"main log entry {number} says that {len(case.old.entries) - case.pin} entries of epoch 1", "taken as stated")


def it_came_back_in_pieces(case):
    lost(case).late = case.archive.file(hearing(case, 2).usual(2))
    middle = case.pin + 4
    pieces = [case.archive.take_back(case.old, size=middle), take_back(case)]
    for volumes in pools(case):
        judge(case, volumes, "VERIFIED")
    volumes = pool(case)
    for number, count in zip(pieces, (4, len(case.old.entries) - middle)):
        said(case, volumes, f"{count} entries of epoch 1, behind what epoch 2 goes on from, came back with main log entry {number}")


def a_part_came_back(case):
    number = came_back(lost(case), size=case.pin + 5)
    left = len(case.old.entries) - case.pin - 5
    volumes = pool(case)
    judge(case, volumes, "VERIFIED")
    said(case, volumes, f"came back with main log entry {number}", f"{left} entries of epoch 1 came behind what epoch 2 goes on from and what came back since")


def what_the_newer_epoch_had_said_is_said_again_behind_it(case):
    lost(case)
    case.archive.correct(case.first)
    own = case.archive.entries[-1]
    came_back(case, say=lambda entries: entries + [own])
    for paths in everywhere(case):
        judge(case, paths, "VERIFIED")


def its_hearings_are_filed_before(case):
    """A station that only the old log had enrolled is enrolled first, by the old log's own entry."""
    lost(case)
    case.archive.entries.append(again(case)[0])
    case.archive.file(case.alone)
    came_back(case)
    for volumes in pools(case):
        judge(case, volumes, "VERIFIED")


def an_export_that_has_the_graft(case):
    number = came_back(lost(case))
    case.archive.exported_kinds = ("key", "graft")
    for paths in exports(case):
        judge(case, paths, "VERIFIED")
        said(case, paths, f"main log entry {number} says that", "taken as stated")


def three_epochs(case):
    """Lost, back, lost again and back again, with a site that copies the second epoch: everything of it, everywhere."""
    number = came_back(lost(case))
    archive, third = case.archive, sample.Key("third.test.example/holder", 4)
    second = archive.epochs[1]
    archive.add_key("cosigner", third.name, third, cosigner=third.vkey())
    access(case)
    pin = len(archive.entries)
    last = archive.file(sample.Hearing(archive.station, start_ms=sample.START_MS + 5 * 86_400_000, streams=("cam-bench", "mic-judge")).usual(3))
    access(case)
    archive.promote(case.officers, pin=pin)
    second.cosigned, case.old.cosigned = [(third, pin)], [(third, case.pin)]
    after = archive.take_back(second, [last])
    archive.file(last)
    archive.correct(case.late)
    newest = archive.file(hearing(case, 6).usual(2))
    policy = case.archive.policy().replace("quorum dr", f"witness third {third.vkey()}\ngroup both all dr third\nquorum both")
    for paths in [pool(case), pool(case, as_copy=True), pool(case, as_copy=True, pinned=True)] + [export(case, one) for one in archive.hearings]:
        judge(case, paths, "VERIFIED", policy=policy)
    assert len(archive.hearings) == 6
    said(case, pool(case), f"came back with main log entry {number}", f"came back with main log entry {after}")
    second.cosigned = [(third, pin - 1)]
    for paths in pool(case), export(case, newest):
        judge(case, paths, "INCOMPLETE", "quorum", policy=policy, hearing=newest.id)
    judge(case, export(case, case.first), "VERIFIED", policy=policy)


def lost_again_before_anybody_copied_it(case):
    """The second epoch is lost with the graft of the first one: what that had said again comes back with it, the graft does not."""
    lost(case)
    second, pin = case.archive.epochs[1], len(case.archive.entries)
    came_back(case)
    case.archive.promote(case.officers, pin=pin)
    number = case.archive.take_back(second, [case.late, case.alone, case.across])
    for one in (case.late, case.alone, case.across):
        case.archive.file(one)
    for volumes in pools(case):
        judge(case, volumes, "VERIFIED")
    said(case, pool(case), f"came back with main log entry {number}", "entries of epoch 1 came behind what epoch 2 goes on from: they are not part")
    for one in (case.alone, case.late):
        judge(case, export(case, one), "VERIFIED")


# ---- lies ----

def of_a_log_that_is_no_earlier_epoch(case):
    """Another archive's, its own, one that does not exist."""
    lost(case)
    numbers = [case.archive.take_back(case.old, [], origin=origin)
               for origin in ("other.test.example", f"{sample.ARCHIVE}/epoch/2", f"{sample.ARCHIVE}/epoch/3")]
    for number in numbers:
        refused(case, number)


def in_the_first_epoch(case):
    before(case)
    number = case.archive.take_back(case.archive.epochs[0])
    judge(case, case.pool(), "TAMPERED", "graft", log="main", entry=number)


def no_more_than_what_was_gone_on_from(case):
    lost(case)
    for size in (case.pin, case.pin - 1):
        refused(case, case.archive.take_back(case.old, [], size=size))


def what_came_back_before(case):
    came_back(lost(case))
    for size in (None, case.pin + 1):
        refused(case, case.archive.take_back(case.old, [], size=size))


def another_state(case):
    refused(case, came_back(lost(case), root="ab" * 32))


def signed_by_somebody_else(case):
    """What lies behind the pin, of the first epoch and of a later one, on one of two volumes."""
    came_back(lost(case))
    second, pin = case.archive.epochs[1], len(case.archive.entries)
    access(case)
    case.archive.promote(case.officers, pin=pin)
    case.archive.take_back(second)
    for epoch, place, code in ((case.old, "log/main", "main-signature"), (second, "log/from/" + sample.sha(second.origin.encode()), "promotion")):
        thief = copy.copy(epoch)
        thief.log = sample.Key(epoch.origin, 1)
        volumes = pool(case, pinned=True)
        judge(case, volumes, "VERIFIED")
        shutil.rmtree(volumes[1] / place)
        sample.write_log(volumes[1] / place, thief.entries, thief.note(), final=False)
        judge(case, volumes, "TAMPERED", code)


def hearings_that_are_not_there_so_far(case):
    lost(case)
    number = came_back(case, hearings=[case.across, {**case.alone.state(), "root": "ab" * 32}])
    refused(case, number, hearing=case.alone.id)


def a_hearing_that_is_shorter_than_it_came_back(case):
    lost(case)
    number = came_back(case)
    case.alone.entries = case.alone.entries[:-1]
    refused(case, number, hearing=case.alone.id)


def a_hearing_that_did_not_come(case):
    lost(case)
    gone = hearing(case, 4).usual(1)
    came_back(case, hearings=[case.alone, case.across, gone])
    judge(case, pool(case), "TAMPERED", "hearing-missing", hearing=gone.id)


def what_is_said_again_is_not_what_came_back(case):
    """Who watched and who exported, left out, altered, in another order, with an entry of somebody else's in between, or at the end of the log."""
    lost(case)
    assert [json.loads(e)["kind"] for e in again(case)] == ["key", "access", "details", "access"]
    watched = sample.canonical({"account": "u-9", "hearing": case.first.id, "kind": "access", "purpose": "play", "session": "s-9", "utc": sample.utc(0), "v": 1})
    begin = len(case.archive.entries)
    filed = next(e for e in case.old.entries[case.pin:] if b'"kind":"hearing-checkpoint"' in e)
    lies = ((lambda e: e[:1] + e[2:], 2), (lambda e: e[:2] + e[3:], 3), (lambda e: [e[0], filed, *e[1:]], 2), (lambda e: [e[0], e[1].replace(b"u-1", b"u-2"), *e[2:]], 2), (lambda e: [*e[:3], e[3].replace(b"export", b"play")], 4),
            (lambda e: e[::-1], 1), (lambda e: [], 1), (lambda e: [e[0], watched, *e[1:]], 2), (lambda e: e[:3], 4))
    for lie, at in lies:
        del case.archive.entries[begin:]
        case.old.back = case.pin
        number = case.archive.take_back(case.old, [], say=lie)
        judge(case, pool(case), "TAMPERED", "graft", log="main", entry=number + at)
    access(case, session="s-2")
    judge(case, pool(case), "TAMPERED", "graft", log="main", entry=number + at)


def more_than_fits_into_one_bundle(case):
    before(case)
    for i in range(300):
        access(case, session=f"a-{i}")
    case.pin = len(case.archive.entries)
    for i in range(600):
        access(case, session=f"b-{i}")
    case.archive.promote(case.officers, pin=case.pin)
    case.old = case.archive.epochs[0]
    case.archive.file(case.across, case.across.commits[1:])
    begin = len(case.archive.entries)
    number = case.archive.take_back(case.old)
    volumes = pool(case)
    judge(case, volumes, "VERIFIED")
    said(case, volumes, f"600 entries of epoch 1, behind what epoch 2 goes on from, came back with main log entry {number}")
    del case.archive.entries[begin:]
    case.old.back = case.pin
    number = case.archive.take_back(case.old, say=lambda e: e[:400] + e[401:])
    judge(case, pool(case), "TAMPERED", "graft", log="main", entry=number + 401)


def the_station_that_came_back_is_left_out(case):
    lost(case)
    number = came_back(case, say=lambda entries: entries[1:])
    refused(case, number + 1)
    judge(case, pool(case), "TAMPERED", "commit-signature", hearing=case.alone.id)


def an_order_that_nobody_gave_came_back(case):
    """What is said again is judged as if it were said for the first time; an order that would count for nothing is left out."""
    before(case)
    case.pin, gone = len(case.archive.entries), "ab" * 32
    case.archive.add(kind="lost", hearing=case.first.id, objects=[{"sha256": gone}], officers=["o-1", "o-2"], signatures=["AA" * 43 + "=="] * 2)
    case.archive.promote(case.officers, pin=case.pin)
    case.old = case.archive.epochs[0]
    case.archive.file(case.across, case.across.commits[1:])
    begin = len(case.archive.entries)
    number = case.archive.take_back(case.old)
    judge(case, pool(case), "TAMPERED", "lost-signature", log="main", entry=number + 1)
    del case.archive.entries[begin:]
    case.old.back = case.pin
    case.archive.take_back(case.old, say=lambda _: [])
    judge(case, pool(case), "VERIFIED")


def an_export_with_a_false_graft(case):
    lost(case)
    begin = len(case.archive.entries)
    case.late, case.archive.exported_kinds = hearing(case, 2).usual(2), ("key", "graft")
    for how in ({"origin": "other.test.example"}, {"size": case.pin}, {"hearings": [{**case.late.state(), "root": "ab" * 32}]}):
        del case.archive.entries[begin:]
        case.old.back = case.pin
        case.archive.file(case.late)
        number = case.archive.take_back(case.old, **how)
        judge(case, export(case, case.late), "TAMPERED", "graft", log="main", entry=number)


def malformed_grafts(case):
    before(case)
    one = {"hearing": case.first.id, "root": "cd" * 32, "size": 9}
    good = {"kind": "graft", "origin": sample.ARCHIVE, "size": 3, "root": "ab" * 32, "hearings": [one]}
    bad = ({"size": 0}, {"root": "xy"}, {"origin": "A"}, {"origin": sample.ARCHIVE + "/epoch/1"}, {"origin": sample.ARCHIVE + "/hearing"}, {"hearings": [one, one]},
           {"hearings": [{**one, "size": 0}]})
    entries = []
    for change in bad:
        case.archive.add(**{**good, **change})
        entries.append(len(case.archive.entries) - 1)
    case.pool()
    for entry in entries:
        judge(case, case.volumes, "TAMPERED", "entry-format", log="main", entry=entry)


CASES = [what_the_lost_site_alone_had_came_back, before_it_came_back_it_is_no_part_of_the_archive, a_site_that_holds_no_more_than_what_was_gone_on_from,
         it_came_back_in_pieces, a_part_came_back, what_the_newer_epoch_had_said_is_said_again_behind_it, its_hearings_are_filed_before,
         an_export_that_has_the_graft, three_epochs, lost_again_before_anybody_copied_it, of_a_log_that_is_no_earlier_epoch, in_the_first_epoch,
         no_more_than_what_was_gone_on_from, what_came_back_before, another_state, signed_by_somebody_else, hearings_that_are_not_there_so_far,
         a_hearing_that_is_shorter_than_it_came_back, a_hearing_that_did_not_come, what_is_said_again_is_not_what_came_back,
         more_than_fits_into_one_bundle, the_station_that_came_back_is_left_out, an_order_that_nobody_gave_came_back, an_export_with_a_false_graft, malformed_grafts]


if __name__ == "__main__":
    sys.exit(run_cases(CASES))
