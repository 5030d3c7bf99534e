#!/usr/bin/python3
"""An archive that was promoted, judged by both verifiers over all its epochs with the policy of the first: as a pool of either site, and as
exports of what was filed before, across and after. And each way of lying about it.

    tests/twin/test_promoted.py [CASE...]
"""
import json
import shutil
import sys

import sample
from threat_case import judge, run_cases

DAY_MS = 86_400_000


def named(case, *names):
    """Officers, each named in the main log as it is now."""
    keys = [sample.Key(name, 1) for name in names]
    for key in keys:
        case.archive.add_key("officer", key.name, key)
    return keys


def hearing(case, day):
    return sample.Hearing(case.archive.station, start_ms=sample.START_MS + day * DAY_MS, streams=("cam-bench",))


def before(case):
    """An archive with one finished hearing, one that goes on, and two officers."""
    case.officers = named(case, "o-1", "o-2")
    case.first = case.archive.file(hearing(case, 0).usual(2))
    case.across = hearing(case, 1).usual(2)
    case.archive.file(case.across, case.across.commits[:1])
    return case


def after(case):
    """The rest of it, and another one, in the newest epoch."""
    case.archive.file(case.across, case.across.commits[1:])
    case.late = case.archive.file(hearing(case, 2).usual(2))
    case.archive.correct(case.first)
    return case


def promoted(case, **how):
    before(case).archive.promote(case.officers, **how)
    return after(case)


def pools(case):
    for name, as_copy in (("first-site", False), ("second-site", True)):
        yield case.archive.write_pool(case.folder / name, 2, as_copy)


def exports(case):
    for name in ("first", "across", "late"):
        yield [case.archive.write_export(case.folder / f"export-{name}", getattr(case, name))]


def everywhere(case):
    yield from pools(case)
    yield from exports(case)


def refused(case, code="promotion", **place):
    for paths in everywhere(case):
        judge(case, paths, "TAMPERED", code, **place)


# ---- as it should be ----

def promoted_once(case):
    promoted(case)
    for paths in everywhere(case):
        judge(case, paths, "VERIFIED")


def promoted_twice_by_other_officers(case):
    before(case).archive.promote(case.officers)
    case.archive.add_key("officer", "o-1", case.officers[0], action="revoked", why="retired")
    third = named(case, "o-3")
    case.archive.file(case.across, case.across.commits[1:])
    case.archive.promote([case.officers[1], *third])
    case.late = case.archive.file(hearing(case, 2).usual(2))
    for paths in everywhere(case):
        judge(case, paths, "VERIFIED")


def what_the_lost_site_had_behind_it(case):
    """Entries that came behind the pinned size belong to nobody: what they say is not looked at."""
    before(case)
    size = len(case.archive.entries)
    stranger = sample.Key("o-9", 1)
    case.archive.add_key("officer", "o-9", stranger)
    case.archive.add(kind="from the future")
    case.archive.promote(case.officers, pin=size)
    after(case)
    for paths in everywhere(case):
        judge(case, paths, "VERIFIED")


def an_officer_of_the_lost_entries(case):
    before(case)
    size = len(case.archive.entries)
    late = named(case, "o-9")
    case.archive.promote([case.officers[0], *late], pin=size)
    after(case)
    refused(case)


def begun_on_what_was_lost(case):
    """The hearing saw more of the log than there is now: that it is not older is not provable, and nothing is wrong."""
    before(case)
    size = len(case.archive.entries)
    case.archive.add(kind="access", account="u-1", hearing=case.first.id, purpose="play", session="s-1")
    seen = sample.root_of([sample.leaf(e) for e in case.archive.entries]).hex()
    late = hearing(case, 2).open(main_size=len(case.archive.entries), main_root=seen)
    late.record("cam-bench")
    case.archive.promote(case.officers, pin=size)
    case.archive.file(case.across, case.across.commits[1:])
    case.late = case.archive.file(late.close())
    for paths in everywhere(case):
        judge(case, paths, "VERIFIED")


def quorum_of_the_first_epoch_missing(case):
    promoted(case)
    case.archive.dr = sample.Key(case.archive.dr.name, 4)  # the policy asks for another cosigner than the log names
    policy = case.archive.policy()
    case.archive.dr = sample.Key("other.test.example/holder", 4)
    paths = [case.archive.write_export(case.folder / "export", case.late)]
    judge(case, paths, "INCOMPLETE", "quorum", policy=policy)


# ---- lies ----

def one_officer(case):
    before(case).archive.promote(case.officers[:1])
    after(case)
    refused(case)


def one_person_under_two_names(case):
    before(case)
    again = sample.Key("o-3", 1)
    again.private, again.public = case.officers[0].private, case.officers[0].public
    case.archive.add_key("officer", "o-3", again)
    case.archive.promote([case.officers[0], again])
    after(case)
    refused(case)


def a_stranger_beside_an_officer(case):
    before(case).archive.promote(case.officers, signers=[case.officers[0], sample.Key("o-2", 1)])
    after(case)
    refused(case)


def revoked_officer(case):
    before(case)
    case.archive.add_key("officer", "o-2", case.officers[1], action="revoked", why="stolen")
    case.archive.promote(case.officers)
    after(case)
    refused(case)


def officers_that_only_the_new_epoch_names(case):
    before(case)
    strangers = [sample.Key(name, 1) for name in ("o-8", "o-9")]
    case.archive.promote(strangers)
    for key in strangers:
        case.archive.add_key("officer", key.name, key)
    after(case)
    refused(case)


def another_log_key(case):
    before(case).archive.promote(case.officers)
    case.archive.epochs[-1].log = sample.Key(case.archive.epochs[-1].origin, 1)
    after(case)
    refused(case)


def another_root(case):
    def change(certificate):
        certificate["previous"]["root"] = "ab" * 32
    promoted(case, change=change)
    refused(case)


def more_than_there_was(case):
    def change(certificate):
        certificate["previous"]["size"] += 1
    promoted(case, change=change)
    refused(case)


def of_another_archive(case):
    def change(certificate):
        certificate["archive"] = "other.test.example"
        certificate["previous"]["origin"] = "other.test.example"
    promoted(case, change=change)
    refused(case)


def an_address_that_nobody_signed(case):
    promoted(case)
    epoch = case.archive.epochs[-1]
    epoch.entries[0] = sample.canonical({**json.loads(epoch.entries[0]), "machine_url": "https://thief.test.example:8444"})
    refused(case)


def without_certificate(case):
    promoted(case)
    case.archive.epochs[-1].entries[0] = sample.canonical({"kind": "access", "v": 1})
    refused(case)


def the_second_epoch_left_out(case):
    before(case).archive.promote(case.officers)
    case.archive.file(case.across, case.across.commits[1:])
    case.archive.promote(case.officers)
    case.late = case.archive.file(hearing(case, 2).usual(2))
    name = case.archive.epochs[1].origin
    for volumes in pools(case):
        for volume in volumes:
            shutil.rmtree(volume / "log/from" / sample.sha(name.encode()))
        judge(case, volumes, "TAMPERED", "promotion")
    for paths in exports(case):
        shutil.rmtree(paths[0] / "main/epoch/2")
        sample.write_manifest(paths[0])
        judge(case, paths, "TAMPERED", "promotion")


def two_logs_of_one_epoch(case):
    """Two sites were promoted. Whoever has both in his pool sees that one of them lies."""
    promoted(case)
    twin = sample.Archive.__new__(sample.Archive)
    twin.__dict__.update(case.archive.__dict__)
    twin.epochs = case.archive.epochs[:1]
    twin.promote(case.officers)
    other = twin.epochs[-1]
    for volumes in pools(case):
        for volume in volumes:
            sample.write_log(volume / "log/from" / sample.sha(b"elsewhere"), other.entries, other.note(), final=False)
        judge(case, volumes, "TAMPERED", "promotion")
    for more in (0, 8):  # in one place, each on a volume: the longer one is taken, as officers signed both, and the other is named
        twin.now += 1000
        for _ in range(more):
            twin.add_key("officer", "o-7", sample.Key("o-7", 1))
        volumes = case.archive.write_pool(case.folder / f"beside-{more}", 2)
        place = volumes[1] / "log/from" / sample.sha(other.origin.encode())
        shutil.rmtree(place)
        sample.write_log(place, other.entries, other.note(), final=False)
        judge(case, volumes, "TAMPERED", "main-signature")


def a_promotion_in_the_middle(case):
    promoted(case)
    certificate = case.archive.epochs[-1].entries[0]
    case.archive.entries.append(certificate)
    index = case.archive.epochs[0].pin + len(case.archive.entries) - 1
    for volumes in pools(case):
        judge(case, volumes, "TAMPERED", "promotion", entry=index)


def a_promotion_as_the_first_entry_of_all(case):
    """Nobody begins an archive with a certificate."""
    promoted(case)
    case.archive.epochs[0].entries[0] = case.archive.epochs[-1].entries[0]
    for paths in everywhere(case):
        judge(case, paths, "TAMPERED", "promotion")


def receipt_of_the_lost_site(case):
    """For a hearing that was finished after it was lost."""
    promoted(case)
    case.late.holder = case.archive.epochs[0].holder
    *_, late = exports(case)
    judge(case, late, "INCOMPLETE", "receipt", hearing=case.late.id)
    for volumes in pools(case):
        judge(case, volumes, "INCOMPLETE", "receipt", hearing=case.late.id)


def receipt_of_the_new_site_for_an_old_hearing(case):
    promoted(case)
    case.first.holder = case.archive.holder
    for paths in everywhere(case):
        judge(case, paths, "VERIFIED")


def receipt_of_an_untrusted_epoch(case):
    before(case).archive.promote(case.officers[:1])
    after(case)
    case.first.holder = case.archive.holder
    judge(case, next(exports(case)), "TAMPERED", "receipt", hearing=case.first.id)


# ---- exports alone ----

def the_entries_of_two_epochs_swapped(case):
    promoted(case)
    folder = next(exports(case))[0]
    ours, theirs = folder / "main/entries/1.json", folder / f"main/epoch/2/entries/{len(case.archive.entries) - 1}.json"
    data = ours.read_bytes()
    ours.write_bytes(theirs.read_bytes())
    theirs.write_bytes(data)
    sample.write_manifest(folder)
    judge(case, [folder], "TAMPERED", "main-proof")


def a_state_that_the_next_epoch_does_not_go_on_from(case):
    """All that the lost site had, and not what was pinned."""
    before(case)
    size = len(case.archive.entries)
    case.archive.add(kind="access", account="u-1", hearing=case.first.id, purpose="play", session="s-1")
    case.archive.promote(case.officers, pin=size)
    after(case)
    case.archive.epochs[0].pin = None
    for paths in exports(case):
        judge(case, paths, "TAMPERED", "promotion")


def officers_left_out(case):
    promoted(case)
    for paths in exports(case):
        for path in list((paths[0] / "main/entries").glob("*.json")):
            if json.loads(path.read_bytes()).get("name") == "o-2":
                path.unlink()
                (paths[0] / f"main/proofs/{path.stem}.tlog-proof").unlink()
        sample.write_manifest(paths[0])
        judge(case, paths, "TAMPERED", "promotion")


def an_epoch_without_its_checkpoint(case):
    promoted(case)
    for paths in exports(case):
        (paths[0] / "main/epoch/2/checkpoint").unlink()
        sample.write_manifest(paths[0])
        judge(case, paths, "TAMPERED", "promotion")


def a_checkpoint_that_is_none(case):
    promoted(case)
    for paths in exports(case):
        (paths[0] / "main/epoch/2/checkpoint").write_text("nothing\n")
        sample.write_manifest(paths[0])
        judge(case, paths, "TAMPERED", "main-checkpoint")


def folders_that_are_no_epochs(case):
    promoted(case)
    folder = next(exports(case))[0]
    for name, code, file in (("1", "unlisted-file", "1"), ("02", "unlisted-file", "02"), ("x", "unlisted-file", "x"), ("1000001", "unlisted-file", "1000001"),
                             ("9" * 20, "unlisted-file", "9" * 20), ("4", "promotion", "3"), ("1000", "promotion", "3")):
        sample.put(folder / f"main/epoch/{name}/checkpoint", b"x")
        sample.write_manifest(folder)
        judge(case, [folder], "TAMPERED", code, file=f"main/epoch/{file}/checkpoint")
        shutil.rmtree(folder / f"main/epoch/{name}")


def a_checkpoint_that_somebody_holds(case):
    """Of either epoch; of a state that was lost; of an epoch that came since; and signed by somebody else."""
    before(case)
    size = len(case.archive.entries)
    case.archive.add(kind="access", account="u-1", hearing=case.first.id, purpose="play", session="s-1")
    first = case.archive.epochs[0]
    case.archive.promote(case.officers, pin=size)
    after(case)
    later = case.archive.epochs[1]
    good = [first.note(3), first.note(size), first.note(), later.note(1), later.note()]
    stranger = sample.Epoch(later.origin)
    stranger.entries = later.entries
    newest = sample.Epoch(f"{sample.ARCHIVE}/epoch/3")
    newest.entries = [b"x"]
    split = sample.Epoch(later.origin)
    split.log, split.entries = later.log, [b"x"] * len(later.entries)
    more = sample.Epoch(later.origin)
    more.log, more.entries = later.log, later.entries + [b"x"]
    *_, late = exports(case)
    for paths in [*pools(case)][1:] + [late]:
        is_pool = (paths[0] / "greffe-volume.json").exists()
        for case.known in good:
            judge(case, paths, "VERIFIED")
        case.known = stranger.note()
        judge(case, paths, "TAMPERED", "main-signature")
        case.known = newest.note()
        judge(case, paths, "INCOMPLETE", "stale")
        case.known = split.note()
        judge(case, paths, "TAMPERED", "main-inconsistent")
        case.known = more.note()
        judge(case, paths, *(("TAMPERED", "main-rolled-back") if is_pool else ("INCOMPLETE", "stale")))


# ---- the other kinds ----

def shared(case, **changes):
    reason = sample.canonical({"kind": "reason", "salt": "ab" * 32, "text": "appeal", "v": 1})
    case.archive.objects[sample.sha(reason)] = reason
    case.archive.add(**{"kind": "share", "account": "u-1", "action": "granted", "archive": sample.ARCHIVE, "court": "court-b", "hearing": case.first.id,
                        "reason_sha256": sample.sha(reason), **changes})
    return len(case.archive.entries) - 1


def shared_with_another_court(case):
    before(case)
    shared(case)
    shared(case, action="revoked")
    shared(case, court="archive.lyon.example/court-c", until="2027-01-01T00:00:00.000Z")
    case.archive.promote(case.officers)
    after(case)
    for paths in everywhere(case):
        judge(case, paths, "VERIFIED")


def malformed_shares(case):
    before(case)
    bad = ({"action": "lent"}, {"court": "Court B"}, {"court": "/court-b"}, {"court": "Lyon/court-b"}, {"archive": "Lyon"}, {"account": "u 1"}, {"hearing": "1"},
           {"until": "tomorrow"}, {"reason_sha256": "ab"})
    entries = [shared(case, **change) for change in bad]
    case.pool()
    for entry in entries:
        judge(case, case.volumes, "TAMPERED", "entry-format", log="main", entry=entry)


def shared_without_its_reason(case):
    before(case)
    gone = sample.sha(b"a reason that nobody has")
    index = shared(case, reason_sha256=gone)
    case.pool()
    judge(case, case.volumes, "TAMPERED", "object-missing", object=gone, entry=index)


CASES = [promoted_once, promoted_twice_by_other_officers, what_the_lost_site_had_behind_it,
         an_officer_of_the_lost_entries, begun_on_what_was_lost, quorum_of_the_first_epoch_missing, one_officer,
         one_person_under_two_names, a_stranger_beside_an_officer, revoked_officer,
         officers_that_only_the_new_epoch_names, another_log_key, another_root, more_than_there_was,
         of_another_archive, an_address_that_nobody_signed, without_certificate, the_second_epoch_left_out,
         two_logs_of_one_epoch, a_promotion_in_the_middle, a_promotion_as_the_first_entry_of_all,
         receipt_of_the_lost_site, receipt_of_the_new_site_for_an_old_hearing, receipt_of_an_untrusted_epoch,
         the_entries_of_two_epochs_swapped, a_state_that_the_next_epoch_does_not_go_on_from, officers_left_out,
         an_epoch_without_its_checkpoint, a_checkpoint_that_is_none, folders_that_are_no_epochs, a_checkpoint_that_somebody_holds,
         shared_with_another_court, malformed_shares,
         shared_without_its_reason]


if __name__ == "__main__":
    sys.exit(run_cases(CASES))
