#!/usr/bin/python3
"""The record of the time: whatever a station goes through, both verifiers account alike for every millisecond, and none of them
takes a wall clock that was set for a hole, or a hole for a wall clock that was set."""
import random
import shutil
import sys

import sample
from threat_case import judge, run_cases

HOUR_MS = 3_600_000


def begun(case, streams=("cam-bench", "mic-judge")):
    hearing = sample.Hearing(case.archive.station, streams=streams).open()
    for stream in streams:
        hearing.record(stream)
    return hearing


def finished(case, hearing, verdict="VERIFIED_WITH_DECLARED_GAPS"):
    for stream in hearing.streams:
        hearing.record(stream)
    case.one(hearing.close())
    shutil.rmtree(case.folder / "export", ignore_errors=True)
    return judge(case, [case.export()], verdict)[hearing.id]


def clock_set_by_three_hours(case):
    for step in (3 * HOUR_MS, -3 * HOUR_MS):
        hearing = begun(case)
        hearing.set_clock(step)
        for stream in hearing.streams:
            hearing.record(stream)
        account = finished(case, hearing, "VERIFIED")
        assert account["recorded_ms"] == account["declared_ms"] == 30_000, account


def hole_behind_a_clock_that_was_set(case):
    """The wall clock is set back by as much as was not recorded: by the wall clock nothing is missing."""
    hearing = begun(case, ("cam-bench",))
    index = len(hearing.entries)
    hearing.new_run("cam-bench", hearing.now() + 60_000)
    hearing.wall_ms -= 60_000
    hearing.record("cam-bench")
    case.one(hearing.close())
    account = judge(case, [case.export()], "TAMPERED", "gap-undeclared", stream="cam-bench", entry=index)[hearing.id]
    assert account["unexplained_ms"] == 60_000, account


def station_started_again(case):
    for mono_ms, names_boot in ((500, True), (500, False), (100_000_000, True)):
        hearing = begun(case)
        hearing.restart(45_000, mono_ms, names_boot)
        account = finished(case, hearing)
        assert (account["recorded_ms"], account["unexplained_ms"], account["joins"]) == (20_000, 45_000, 1), account
        assert account["join_error_ms"] == 4, account


def clock_set_before_a_restart(case):
    hearing = begun(case)
    hearing.set_clock(3 * HOUR_MS)
    for stream in hearing.streams:
        hearing.record(stream)
    hearing.restart(45_000, 500)
    account = finished(case, hearing)
    assert (account["recorded_ms"], account["unexcused_ms"]) == (30_000, 45_000), account


def restart_that_nobody_declared(case):
    hearing = begun(case, ("cam-bench",))
    index = hearing.restart(45_000, 500)
    hearing.entries.pop()
    hearing.record("cam-bench")
    case.one(hearing.close())
    judge(case, [case.export()], "TAMPERED", "gap-undeclared", stream="cam-bench", entry=index)


def gap_explained(case):
    hearing = begun(case)
    gap = hearing.restart(45_000, 500)
    hearing.explain(gap, person="u-17", reason="power").explain(gap)
    account = finished(case, hearing)
    assert (account["unexcused_ms"], account["unexplained_ms"], account["excused_ms"]) == (45_000, 0, 0), account


def explanation_of_no_gap(case):
    for gap in (1, 4, 99):  # a segment, itself, nothing
        hearing = begun(case)
        hearing.pause()
        hearing.explain(gap)
        for stream in hearing.streams:
            hearing.record(stream)
        case.one(hearing.close())
        shutil.rmtree(case.folder / "export", ignore_errors=True)
        judge(case, [case.export()], "TAMPERED", "explanation", entry=4, hearing=hearing.id)


def explanation_without_its_document(case):
    hearing = begun(case)
    hearing.explain(hearing.pause(reason="unknown"))
    for stream in hearing.streams:
        hearing.record(stream)
    case.one(hearing.close())
    folder = case.export()
    digest = next(d for d, data in hearing.objects.items() if b"The plug was pulled" in data)
    (folder / f"objects/{digest}.json").unlink()
    judge(case, [folder], "TAMPERED", "object-missing", object=digest, entry=4)


def muted_stream(case):
    hearing = begun(case)
    hearing.record("cam-bench")
    hearing.gap(hearing.now() - 10_000, hearing.now(), "operator", ["mic-judge"], person="u-17")
    hearing.new_run("mic-judge", hearing.now())
    account = finished(case, hearing)
    assert [s["unexplained_ms"] for s in account["streams"]] == [0, 10_000] and account["recorded_ms"] == 30_000, account


def random_hearing(case, rng):
    streams = rng.sample(["cam-bench", "cam-room", "mic-judge", "mic-witness", "screen"], rng.randint(1, 4))
    late = streams[1:] if rng.random() < 0.3 else []
    hearing = sample.Hearing(case.archive.station, start_ms=sample.START_MS + rng.randrange(10**9), streams=tuple(streams))
    hearing.mono_zero_ms -= rng.randrange(10**8)
    hearing.open(expected=[s for s in streams if s not in late])
    for name in late:
        hearing.add(kind="stream", medium="audio", name=name, source="remote")
    gaps = []
    for _ in range(rng.randint(3, 25)):
        reason = rng.choice(["recess", "closed-evidence", "mediation", "fault", "network", "no-signal", "unknown", "operator"])
        event = rng.choice(["record"] * 5 + ["pause", "mute", "clock", "restart", "explain", "gap", "crooked"])
        hearing.error_ms = rng.choice([1, 2, 2, 50, 20_000])
        if event == "record":
            for name in streams:
                if rng.random() < 0.8:
                    hearing.record(name, rng.randint(1, 3), mono_ms=hearing.mono(hearing.streams[name]["now"]) + rng.randint(0, 30))
        elif event == "pause":
            gaps.append(hearing.pause(rng.randint(1, 400), reason))
        elif event == "mute":
            name, end = rng.choice(streams), hearing.now()
            gaps.append(hearing.gap(hearing.streams[name]["now"], end, reason, [name]))
            hearing.new_run(name, end)
        elif event == "clock":
            hearing.set_clock(rng.randint(-4 * HOUR_MS, 4 * HOUR_MS))
        elif event == "restart":
            gaps.append(hearing.restart(rng.randint(0, 10**6), rng.randrange(10**6)))
        elif event == "explain" and gaps:
            hearing.explain(rng.choice(gaps))
        elif event == "gap":  # anywhere, over what was recorded and over other gaps
            begin = hearing.start_ms + rng.randint(0, 100_000) if hearing.boot == "b1" else hearing.now()
            gaps.append(hearing.gap(begin, begin + rng.randint(0, 50_000), reason, rng.sample(streams, rng.randint(1, len(streams)))))
        elif event == "crooked":
            hearing.record(rng.choice(streams), 2, mono_ms=hearing.mono(hearing.now()) + rng.randint(0, 5_000))
    return hearing


def random_hearings(case):
    """Whether their time is in order or not: both say so alike, and the sums add up."""
    rng = random.Random(20261126)
    for n in range(40):
        hearing = random_hearing(case, rng)
        if n % 4:
            hearing.close()
        else:  # in progress
            hearing.commit()
        case.one(hearing)
    case.pool()
    told = judge(case, case.volumes, None)
    assert len(told) == 40 and sum(a["excused_ms"] > 0 for a in told.values()) > 5, told
    assert sum(a["joins"] > 0 for a in told.values()) > 5 and sum(a["unexplained_ms"] > 0 for a in told.values()) > 5, told


CASES = [clock_set_by_three_hours, hole_behind_a_clock_that_was_set, station_started_again, clock_set_before_a_restart,
         restart_that_nobody_declared, gap_explained, explanation_of_no_gap, explanation_without_its_document, muted_stream,
         random_hearings]


if __name__ == "__main__":
    sys.exit(run_cases(CASES))
