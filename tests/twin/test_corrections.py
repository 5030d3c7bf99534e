#!/usr/bin/python3
"""A case that was chosen wrongly and corrected while it was recorded: both verifiers take it for what it is, and name what was done to it."""
import json
import shutil
import sys

import sample
from threat_case import alter, judge, run_cases


def corrected(case):
    """A hearing with `open`, a segment and a correction."""
    hearing = sample.Hearing(case.archive.station, streams=("cam-bench",)).open()
    hearing.record("cam-bench")
    return hearing, hearing.correct()


def clean_corrected_case(case):
    hearing, _ = corrected(case)
    hearing.correct(ms=6000, case="RG 26/00003")
    case.one(hearing.close())
    case.pool()
    judge(case, case.volumes, "VERIFIED")
    judge(case, [case.export()], "VERIFIED")


def flip_in_corrected_details(case):
    """Neither what the case was corrected to nor what had been chosen before can be altered."""
    hearing, right = corrected(case)
    case.one(hearing.close())
    for entry, digest in ((0, json.loads(hearing.entries[0])["details_sha256"]), (2, right)):
        shutil.rmtree(case.folder / "pool", ignore_errors=True)
        case.pool()
        alter(case.volumes[0] / "sha256" / digest[:2] / digest[2:4] / digest, 30)
        judge(case, case.volumes, "TAMPERED", "object-altered", object=digest, entry=entry)


def correction_altered(case):
    """Somebody else is said to have made it."""
    hearing, _ = corrected(case)
    case.one(hearing.close())
    folder = case.export()
    bundle = folder / "hearing" / sample.tile_path("entries", 0, len(hearing.entries))
    entry = hearing.entries[2]
    other = sample.canonical({**json.loads(entry), "person": "g-08"})
    bundle.write_bytes(bundle.read_bytes().replace(entry, other))
    sample.write_manifest(folder)
    judge(case, [folder], "TAMPERED", "entry-altered", entry=2, hearing=hearing.id)


def correction_without_document(case):
    hearing = sample.Hearing(case.archive.station, streams=("cam-bench",)).open()
    hearing.record("cam-bench")
    hearing.add(kind="details", person="g-07", utc=sample.utc(sample.START_MS))
    case.one(hearing.close())
    judge(case, [case.export()], "TAMPERED", "entry-format", entry=2)


def correction_after_the_end(case):
    hearing = sample.Hearing(case.archive.station, streams=("cam-bench",)).open()
    hearing.record("cam-bench")
    hearing.close()
    hearing.correct()
    hearing.commits[-1] = len(hearing.entries)
    case.one(hearing)
    judge(case, [case.export()], "TAMPERED", "entry-format", entry=len(hearing.entries) - 1)


if __name__ == "__main__":
    sys.exit(run_cases([clean_corrected_case, flip_in_corrected_details, correction_altered, correction_without_document, correction_after_the_end]))
