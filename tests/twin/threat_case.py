"""What the tests of the threat table stand on: a sample archive in a folder, both verifiers, ways to alter files."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import sample

HERE = pathlib.Path(__file__).resolve().parent
VERIFY = pathlib.Path(os.environ.get("GREFFE_PROGRAMS", HERE.parents[1] / "build")) / "greffe-verify"
TWIN = HERE / "greffe_twin.py"


class Case:
    """A sample archive with two hearings; the second has a declared gap."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.archive = sample.Archive()
        self.known = None

    def usual(self):
        a = self.archive
        self.first = a.file(sample.Hearing(a.station).usual())
        self.second = a.file(sample.Hearing(a.station, start_ms=sample.START_MS + 86_400_000).usual(pause=True))
        a.correct(self.first)
        return self

    def one(self, hearing):
        self.first = self.archive.file(hearing)
        return self

    def pool(self):
        self.volumes = self.archive.write_pool(self.folder / "pool")
        return self.volumes

    def export(self, hearing=None):
        return self.archive.write_export(self.folder / "export", hearing or self.first)

    def hearing_folders(self, hearing):
        return [v / sample.hearing_path(hearing.id) for v in self.volumes]

    def entry_of(self, hearing, digest):
        return next(i for i, e in enumerate(hearing.entries) if json.loads(e).get("sha256") == digest)


def run_verifier(program, policy, paths, known):
    words = [str(w) for w in program] + ["--policy", str(policy), "--json"]
    words += ["--main-checkpoint", str(known)] if known else []
    done = subprocess.run(words + [str(p) for p in paths], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    return done.returncode, json.loads(done.stdout) if done.returncode != 2 else {"verdict": None, "findings": []}, done.stderr


def judge(case, paths, verdict, code=None, *, policy=None, **place):
    """Both verifiers: the verdict, and (with a code) a finding that has the code and these members; the same places and the same
    account of the time of every hearing. Verdict None: whatever it is, the same. The accounts."""
    policy_file = case.folder / "policy.txt"
    policy_file.write_text(policy or case.archive.policy())
    known = None
    if case.known:
        known = case.folder / "known"
        known.write_text(case.known)
    places, accounts, verdicts = [], [], []
    for program in ([VERIFY], [sys.executable, TWIN]):
        status, answer, err = run_verifier(program, policy_file, paths, known)
        places.append({(f["code"], f.get("entry"), f.get("stream"), f.get("object")) for f in answer["findings"]})
        accounts.append(answer["accounts"] if "accounts" in answer else
                        {h["hearing"]: h["account"] for h in answer["hearings"] if "account" in h})
        told = json.dumps(answer["findings"], indent=1) + err
        verdicts.append(answer["verdict"])
        if verdict is None:
            continue
        wanted_status = 0 if verdict.startswith("VERIFIED") else 1
        assert status == wanted_status, f"{program[-1].name}: exit status {status}, {answer['verdict']}\n{told}"
        assert answer["verdict"] == verdict, f"{program[-1].name}: {answer['verdict']} instead of {verdict}\n{told}"
        if code is None:
            assert verdict.startswith("VERIFIED") and not answer["findings"], told
            continue
        matching = [f for f in answer["findings"] if f["code"] == code]
        assert matching, f"{program[-1].name}: no finding {code}\n{told}"
        assert any(all(f.get(k) == v or str(f.get(k)).endswith(str(v)) for k, v in place.items()) for f in matching), \
            f"{program[-1].name}: {code} does not name {place}\n{told}"
    assert places[0] == places[1], f"the two verifiers name different places:\n{places[0]}\n{places[1]}"
    assert verdicts[0] == verdicts[1] and verdicts[0], f"the two verifiers judge differently: {verdicts}"
    assert accounts[0] == accounts[1], f"the two verifiers account differently for the time:\n{accounts[0]}\n{accounts[1]}"
    for one in accounts[0].values():
        for sums in [one] + one["streams"]:
            assert sums["recorded_ms"] + sums["excused_ms"] + sums["unexcused_ms"] == sums["declared_ms"], one
    return accounts[0]


def alter(path, at, change=1):
    data = bytearray(path.read_bytes())
    data[at] ^= change
    path.write_bytes(bytes(data))


def replace_in_log(folder, old, new, tiles=False):
    """Puts `new` for `old` into the last bundle; with `tiles`, also its hash into the level-0 tile."""
    for path in list((folder / "tile/entries").rglob("*")):
        if path.is_file() and old in path.read_bytes():
            data = path.read_bytes()
            head = lambda e: len(e).to_bytes(2, "big") + e  # noqa: E731
            assert head(old) in data
            path.write_bytes(data.replace(head(old), head(new)))
    if tiles:
        for path in (folder / "tile/0").rglob("*"):
            if path.is_file():
                path.write_bytes(path.read_bytes().replace(sample.leaf(old), sample.leaf(new)))


def segment_of(hearing, stream, seq):
    return next((i, json.loads(e)) for i, e in enumerate(hearing.entries)
                if json.loads(e)["kind"] == "segment" and json.loads(e)["stream"] == stream and json.loads(e)["seq"] == seq)


def run_cases(cases):
    """All of them, or those named on the command line; a line for each. The exit status."""
    wanted = sys.argv[1:]
    failed = 0
    for test in cases:
        if wanted and test.__name__ not in wanted:
            continue
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="greffe.") as folder:
            try:
                test(Case(folder))
                print(f"  ok   {test.__name__} ({time.monotonic() - begun:.1f} s)", flush=True)
            except AssertionError as problem:
                failed += 1
                print(f"  FAIL {test.__name__}: {problem}", flush=True)
    print(f"{failed} of {len(cases)} failed" if failed else f"{len(cases)} cases: all named")
    return 1 if failed else 0
