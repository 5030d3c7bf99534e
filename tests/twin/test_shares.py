#!/usr/bin/python3
"""Shares in a main log, judged by both verifiers: of a hearing that is here, as the counterpart of another archive's, and as they must not be.

    tests/twin/test_shares.py [CASE...]
"""
import sys

import sample
from threat_case import judge, run_cases


def add_share(into, hearing, with_reason=True, **changes):
    """The entry of a share; its index."""
    reason = sample.canonical({"kind": "reason", "salt": "cd" * 32, "text": "the appeal", "v": 1})
    if with_reason:
        into.objects[sample.sha(reason)] = reason
    into.add(**{"kind": "share", "account": "u-1", "action": "granted", "archive": sample.ARCHIVE, "court": "appeal", "hearing": hearing,
                "reason_sha256": sample.sha(reason), **changes})
    return len(into.entries) - 1


def of_a_hearing_here(case):
    case.usual()
    add_share(case.archive, case.first.id, until="2099-12-31T23:59:59.999Z")
    add_share(case.archive, case.first.id, action="revoked")
    case.pool()
    judge(case, case.volumes, "VERIFIED_WITH_DECLARED_GAPS")
    judge(case, [case.export()], "VERIFIED")


def the_counterpart(case):
    case.usual()
    add_share(case.archive, sample.hearing_id(7), archive="archive.lyon.example", court=f"{sample.ARCHIVE}/appeal")
    case.pool()
    judge(case, case.volumes, "VERIFIED_WITH_DECLARED_GAPS")


def without_its_reason(case):
    case.usual()
    index = add_share(case.archive, case.first.id, with_reason=False)
    case.pool()
    judge(case, case.volumes, "TAMPERED", "object-missing", entry=index)


def with_nobody(case):
    case.usual()
    index = add_share(case.archive, case.first.id, court="archive.lyon.example/*")
    case.pool()
    judge(case, case.volumes, "TAMPERED", "entry-format", log="main", entry=index)


def of_another_action(case):
    case.usual()
    index = add_share(case.archive, case.first.id, action="copied")
    case.pool()
    judge(case, case.volumes, "TAMPERED", "entry-format", log="main", entry=index)


CASES = [of_a_hearing_here, the_counterpart, without_its_reason, with_nobody, of_another_action]


if __name__ == "__main__":
    sys.exit(run_cases(CASES))
