#!/usr/bin/python3
"""Power cuts of an archive in all the ways in which a disk may lose what was not flushed: its writes are recorded while it files, and the
disks are made as they would be after a cut somewhere in that record. Everything acknowledged before the cut must be there, all
invariants must hold, and the archive must start, take the rest and be verified; in every fourth state without one of its volumes.

    tests/system/test_cut_states.py                       200 states, then every careless archive below must be noticed
    tests/system/test_cut_states.py --states 10000 --seed 1
    tests/system/test_cut_states.py --careless            only the careless archives
    tests/system/test_cut_states.py --replay FOLDER --state N     one state of a recording that was left because it was broken

Each second recording begins on the disks of a cut of the one before, in the middle of its recovery. Needs root, loop devices and
/dev/fuse; says so where they are missing.
"""
import argparse
import concurrent.futures
import multiprocessing
import os
import pathlib
import pickle
import random
import shutil
import sys
import time

import cut_archive as c
import power_cut
import small_disk
from write_log import DisksAfterCut

# How a careless archive (tests/system/careless_disk.cc) goes wrong, and the invariant by which that must be noticed.
CARELESS = {
    "objects-unsynced": "I1",      # the bytes of objects are never synced
    "directories-unsynced": "I1",  # names of files are never synced
    "logs-unsynced": "I1",         # acknowledged before anything of the log was synced
    "log-files-unsynced": "I2",    # heads are synced, the entries that they sign are not
    "heads-unsynced": "I1",        # entries are synced, heads are renamed without
    "objects-named-first": "I3",   # named, then synced
    "heads-named-first": "I5",     # renamed, then synced
    "log-first": "I2",             # the log is synced, then the objects that it names
    "state-unsynced": "start",     # accounts and invitations are never synced: only the started archive knows who is gone
}
CARELESS_STATES = 250
CARELESS_STARTS = 20
FILINGS = 7
CARELESS_FILINGS = 4
RECORDING_STATES_MAX = 400


def possible():
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR))
    except OSError:
        return False
    return power_cut.possible()


def draw(recording, count, seed, start=True):
    """Cuts in order: a third where something was just acknowledged, a third before a flush, a third anywhere."""
    log = recording.log()
    acknowledged = sorted({log.count_at(at) for at, _ in recording.told})
    flushes = log.flushes()
    choose = random.Random(f"{seed} {recording.folder.name}")
    choose.shuffle(acknowledged)
    cuts = []
    for number in range(count):
        if number % 3 == 0:
            after = acknowledged[number // 3 % len(acknowledged)]
        elif number % 3 == 1:
            after = choose.choice(flushes)
        else:
            after = choose.randrange(len(log.items) + 1)
        gone = recording.site.world.volumes[number // 4 % 3].name if number % 4 == 3 else None
        cuts.append(c.Cut(number, after, f"{seed} {recording.folder.name} {number}", start, gone))
    return sorted(cuts, key=lambda cut: cut.after)


def processes(count):
    return concurrent.futures.ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("fork"))


# ---- the archive as it is ----

def new_recording(site, folder, images, filings=FILINGS, carried=(), before=()):
    folder.mkdir()
    client = site.client()
    new = [c.Filing(client, segments=2 + n % 2, large=n == 1) for n in range(filings)]
    return c.Recording(site, folder, images, [*carried, *new], before=list(before), begun=[(0, n) for n in range(len(carried))])


def recording_after(recording, folder, seed):
    """One that begins on the disks that some cut of this one left, with what was acknowledged and what was begun by then."""
    log = recording.log()
    choose = random.Random(f"{seed} {folder.name}")
    after = choose.randrange(len(log.items) // 4, len(log.items))
    left = images_of(folder)
    left.mkdir()
    images, _ = DisksAfterCut(log, recording.images, left).images(after, f"{seed} {folder.name}")
    position = log.ends[after - 1]
    return new_recording(recording.site, folder, images, carried=recording.unfinished(position), before=recording.acknowledged(position))


def images_of(folder):
    return folder.with_name(folder.name + ".images")


def look_at(recording, cuts):
    c.own_mounts()
    with c.Bench(recording) as bench:
        return [bench.look(cut) for cut in cuts]


def look_at_all(recording, jobs):
    with processes(jobs) as pool:
        shares = [pool.submit(look_at, recording, recording.cuts[n::jobs]) for n in range(jobs)]
        return [outcome for share in shares for outcome in share.result()]


def tell(recording, outcomes, seconds):
    log = recording.log()
    broken = sorted((one for one in outcomes if one.broken), key=lambda one: one.cut.number)
    print(f"  {'after a cut' if recording.before else 'from a clean start'}: {len(log.items)} writes, {len(log.flushes())} of them flushes, "
          f"{len(recording.told)} acknowledgements; {len(outcomes)} states at {len({one.cut.after for one in outcomes})} moments, "
          f"{sum(one.unsure for one in outcomes):,} bytes not flushed, {sum(one.lost for one in outcomes):,} of them lost; "
          f"{sum(one.cut.start for one in outcomes)} archives started; {len(broken)} broken; {seconds:.0f} s", flush=True)
    for one in broken[:5]:
        print(f"     FAIL --replay {recording.folder} --state {one.cut.number}: {one.broken[:3]}", flush=True)
    return broken


def campaign(site, images, states, seed, jobs):
    """Looks at so many states, fewer when some are broken; whether all of them hold."""
    each = min(RECORDING_STATES_MAX, -(-states // 2))
    recording, number, lost = None, 0, 0
    while states > 0:
        began = time.monotonic()
        folder = site.world.folder / f"recording-{number}"
        before = recording
        recording = recording_after(before, folder, seed) if number % 2 else new_recording(site, folder, images)
        c.record(recording)
        recording.cuts = draw(recording, min(each, states), seed)
        with open(folder / "recording", "wb") as file:
            pickle.dump(recording, file)
        outcomes = look_at_all(recording, jobs)
        if tell(recording, outcomes, time.monotonic() - began):
            return False
        lost += sum(one.lost for one in outcomes)
        states -= len(outcomes)
        if number % 2:
            for done in (before, recording):
                shutil.rmtree(done.folder)
                shutil.rmtree(images_of(done.folder), ignore_errors=True)
        number += 1
    if not lost:
        raise AssertionError("no write was ever lost: nothing was tested")
    return True


# ---- careless ones ----

def noticed(site, images, way, seed):
    """(number of states after which it was noticed by its invariant, or None; {invariant: what was broken})"""
    c.own_mounts()
    recording = new_recording(site.beside(), site.world.folder / way, images, CARELESS_FILINGS)
    c.record(recording, careless=way)
    seen = {}
    start = CARELESS[way] == "start"
    cuts = draw(recording, CARELESS_STATES, seed, start)[-CARELESS_STARTS if start else 0:]
    with c.Bench(recording) as bench:
        for number, cut in enumerate(cuts, 1):
            for one in bench.look(cut).broken:
                seen.setdefault(one["invariant"], one["what"])
            if CARELESS[way] in seen:
                return number, seen
    return None, seen


def careless_are_noticed(site, images, seed, jobs):
    missed = 0
    with processes(jobs) as pool:
        results = {way: pool.submit(noticed, site, images, way, seed) for way in CARELESS}
        for way, result in results.items():
            number, seen = result.result()
            missed += number is None
            if number is None:
                print(f"  FAIL {way} was not noticed in {CARELESS_STATES} states; broken was: {seen}", flush=True)
            else:
                print(f"  ok   {way} noticed at state {number}: {CARELESS[way]} {seen[CARELESS[way]][:110]}", flush=True)
    return missed == 0


# ---- the command line ----

def replay(folder, number):
    with open(folder / "recording", "rb") as file:
        recording = pickle.load(file)
    cuts = [cut for cut in recording.cuts if cut.number == number]
    (outcome,) = look_at(recording, cuts)
    print(outcome)
    return not outcome.broken


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--states", type=int, default=0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--careless", action="store_true")
    parser.add_argument("--replay", type=pathlib.Path)
    parser.add_argument("--state", type=int)
    words = parser.parse_args()
    if not possible():
        print("  skipped: cuts of a recorded list of writes need root, loop devices and /dev/fuse")
        return 0
    small_disk.enter()
    if words.replay:
        return 0 if replay(words.replay, words.state) else 1
    jobs = 1 + len(os.sched_getaffinity(0))  # they also wait
    site = c.Site.make()
    holds = noticed_all = True
    try:
        images = site.make_images(site.world.folder)
        if not words.careless:
            holds = campaign(site, images, words.states or 200, words.seed, jobs)
        if words.careless or not words.states:
            noticed_all = careless_are_noticed(site, images, words.seed, jobs)
    finally:
        if holds:
            site.world.__exit__()
    return 0 if holds and noticed_all else 1


if __name__ == "__main__":
    sys.exit(main())
