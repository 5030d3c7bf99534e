#!/usr/bin/python3
"""What two officers declared lost is absent by declaration; a declaration that they did not sign is named, and excuses nothing."""
import base64
import json
import sys

import sample
from threat_case import judge, run_cases, segment_of


def statement(hearing, objects):
    return "".join(line + "\n" for line in ["greffe declares lost v1", sample.ARCHIVE, hearing or "main"] + sorted(objects)).encode()


def officers(case, *names):
    keys = [sample.Key(name, 1) for name in names]
    for name, key in zip(names, keys):
        case.archive.add_key("officer", name, key)
    return keys


def declare(case, hearing, objects, keys, signed=None):
    about = {"hearing": hearing} if hearing else {}
    signatures = [base64.b64encode(k.private.sign(signed or statement(hearing, objects))).decode() for k in keys]
    case.archive.add(kind="lost", objects=[{"sha256": o} for o in objects], officers=[k.name for k in keys], signatures=signatures, **about)
    return len(case.archive.entries) - 1


def hearing_without_a_segment(case):
    """A finished hearing of which one segment is on no volume; its digest, and the entry that names it."""
    case.one(sample.Hearing(case.archive.station, streams=("cam-bench",)).usual(pause=False))
    index, e = segment_of(case.first, "cam-bench", 3)
    del case.first.objects[e["sha256"]]
    return e["sha256"], index


def declared_by_two_officers(case):
    lost, _ = hearing_without_a_segment(case)
    declare(case, case.first.id, [lost], officers(case, "o-1", "o-2"))
    case.pool()
    judge(case, case.volumes, "VERIFIED_WITH_DECLARED_GAPS")
    judge(case, [case.export()], "VERIFIED_WITH_DECLARED_GAPS")


def documents_of_the_main_log(case):
    """A snapshot of the accounts, which only the main log names."""
    case.usual()
    keys = officers(case, "o-1", "o-2")
    snapshot = sample.sha(b"a snapshot that nobody has")
    case.archive.add(kind="account", snapshot_sha256=snapshot)
    named = len(case.archive.entries) - 1
    case.pool()
    judge(case, case.volumes, "TAMPERED", "object-missing", object=snapshot, entry=named)
    declare(case, None, [snapshot], keys)
    case.volumes = case.archive.write_pool(case.folder / "again")
    judge(case, case.volumes, "VERIFIED_WITH_DECLARED_GAPS")


def refused(case, make):
    lost, index = hearing_without_a_segment(case)
    entry = make(lost)
    case.pool()
    for paths in (case.volumes, [case.export()]):
        judge(case, paths, "TAMPERED", "lost-signature", entry=entry, hearing=case.first.id)
        judge(case, paths, "TAMPERED", "object-missing", object=lost, entry=index)


def one_officer(case):
    refused(case, lambda lost: declare(case, case.first.id, [lost], officers(case, "o-1", "o-2")[:1]))


def one_person_under_two_names(case):
    def make(lost):
        key = officers(case, "o-1")[0]
        case.archive.add_key("officer", "o-2", key)
        again = sample.Key("o-2", 1)
        again.private = key.private
        return declare(case, case.first.id, [lost], [key, again])
    refused(case, make)


def no_officers(case):
    refused(case, lambda lost: declare(case, case.first.id, [lost], [sample.Key("o-1", 1), sample.Key("o-2", 1)]))


def revoked_before(case):
    def make(lost):
        keys = officers(case, "o-1", "o-2")
        case.archive.add_key("officer", "o-2", keys[1], action="revoked", why="stolen")
        return declare(case, case.first.id, [lost], keys)
    refused(case, make)


def other_objects_were_signed(case):
    refused(case, lambda lost: declare(case, case.first.id, [lost], officers(case, "o-1", "o-2"), signed=statement(case.first.id, ["00" * 32])))


def of_another_hearing(case):
    """A good order, which is not about this hearing: nothing is wrong with it, and it excuses nothing here."""
    lost, index = hearing_without_a_segment(case)
    declare(case, sample.hearing_id(sample.START_MS + 1), [lost], officers(case, "o-1", "o-2"))
    case.pool()
    judge(case, case.volumes, "TAMPERED", "object-missing", object=lost, entry=index)


def unsigned(case):
    def make(lost):
        case.archive.add(kind="lost", hearing=case.first.id, objects=[{"sha256": lost}], officers=["o-1", "o-2"])
        return len(case.archive.entries) - 1
    refused(case, make)


def a_spoilt_copy_is_still_named(case):
    """Declared lost or not: what is there must be what its name says."""
    lost, index = hearing_without_a_segment(case)
    declare(case, case.first.id, [lost], officers(case, "o-1", "o-2"))
    case.pool()
    sample.put(case.volumes[0] / "sha256" / lost[:2] / lost[2:4] / lost, b"something else")
    status = json.loads(case.first.entries[index])
    judge(case, case.volumes, "TAMPERED", "object-altered", object=status["sha256"], entry=index)


if __name__ == "__main__":
    sys.exit(run_cases([declared_by_two_officers, documents_of_the_main_log, one_officer, one_person_under_two_names, no_officers, revoked_before,
                        other_objects_were_signed, of_another_hearing, unsigned, a_spoilt_copy_is_still_named]))
