#!/usr/bin/python3
"""Drills in a main log, judged by both verifiers: with their report, without it, and as they must not be.

    tests/twin/test_drills.py [CASE...]
"""
import sys

import sample
from threat_case import judge, run_cases


def add_drill(into, **changes):
    """The entry of a drill, with its report; the index of the entry."""
    report = sample.canonical({"kind": "drill-report", "salt": "ab" * 32, "v": 1})
    into.objects[sample.sha(report)] = report
    into.add(**{"kind": "drill", "archive": "archive.lyon.example", "failures": 0, "objects": 3, "report_sha256": sample.sha(report),
                   "root": "ab" * 32, "seconds": 2, "size": 7, **changes})
    return len(into.entries) - 1


def filed(case, **changes):
    index = add_drill(case.archive, **changes)
    case.usual()
    case.pool()
    return index


def with_its_report(case):
    filed(case)
    judge(case, case.volumes, "VERIFIED_WITH_DECLARED_GAPS")
    judge(case, [case.export()], "VERIFIED")


def with_failures(case):
    filed(case, failures=3)
    judge(case, case.volumes, "VERIFIED_WITH_DECLARED_GAPS")


def without_its_report(case):
    gone = sample.sha(b"a report that nobody has")
    index = filed(case, report_sha256=gone)
    judge(case, case.volumes, "TAMPERED", "object-missing", object=gone, entry=index)


def of_an_empty_log(case):
    index = filed(case, size=0)
    judge(case, case.volumes, "TAMPERED", "entry-format", log="main", entry=index)


def of_nobody(case):
    index = filed(case, archive="Lyon")
    judge(case, case.volumes, "TAMPERED", "entry-format", log="main", entry=index)


def of_the_future(case):
    index = filed(case, v=2)
    judge(case, case.volumes, "UNKNOWN_FORMAT", "unknown-kind", log="main", entry=index)


CASES = [with_its_report, with_failures, without_its_report, of_an_empty_log, of_nobody, of_the_future]


if __name__ == "__main__":
    sys.exit(run_cases(CASES))
