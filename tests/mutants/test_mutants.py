#!/usr/bin/python3
"""Each careless variant of the product in tests/mutants/mutants.py must be noticed by the test that is named there: its one source file is
changed and compiled aside, linked in front of the library of its layer, and that test must fail. Needs a build by `cmake --preset default`.

    tests/mutants/test_mutants.py [WORD...]     all, or those whose name contains one of the words
"""
import concurrent.futures
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
import time

from mutants import MUTANTS

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("GREFFE_PROGRAMS", ROOT / "build"))


def commands(program):
    """How ninja makes a test program: {source: words that compile it}, words that link it."""
    listing = subprocess.run(["ninja", "-C", BUILD, "-t", "commands", f"tests/test_{program}"], stdout=subprocess.PIPE, text=True, check=True)
    compiled, linked = {}, None
    for line in listing.stdout.splitlines():
        words = shlex.split(line)
        if "-c" in words:
            compiler = next(n for n, word in enumerate(words) if pathlib.PurePath(word).name.startswith(("g++", "c++", "clang++")))
            source = pathlib.Path(words[words.index("-c") + 1])
            if source.is_relative_to(ROOT):
                compiled[str(source.relative_to(ROOT))] = words[compiler:]
        elif f"tests/test_{program}" in words and "-o" in words:
            linked = [word for word in words if word not in (":", "&&")]
    return compiled, linked


def compile_words(words, source, out):
    words = list(words)
    words[words.index("-c") + 1] = str(source)
    words[words.index("-o") + 1] = str(out)
    for flag, count in (("-MD", 1), ("-MT", 2), ("-MF", 2)):
        if flag in words:
            at = words.index(flag)
            del words[at:at + count]
    return [*words, "-O0", "-g0", "-w"]


def link_words(words, extra, out):
    """The changed object comes first: the library's own one is not looked at any more."""
    words = list(words)
    at = words.index("-o")
    words[at + 1] = str(out)
    return [*words[:at], str(extra), *words[at:]]


def run_case(program, case):
    """Whether the test passes; its last words."""
    escaped = case.replace("\\", "\\\\").replace(",", "\\,").replace("[", "\\[")
    done = subprocess.run([program, escaped], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=300)
    if "No test cases matched" in done.stdout or "No tests ran" in done.stdout:
        raise AssertionError(f"{program} has no test \"{case}\"")
    return done.returncode == 0, done.stdout[-400:]


def is_noticed(mutant, made_by):
    text = (ROOT / mutant.source).read_text()
    assert text.count(mutant.before) == 1, f"{mutant.source} has {mutant.before!r} {text.count(mutant.before)} times"
    compiled, linked = made_by[mutant.program]
    with tempfile.TemporaryDirectory(prefix="greffe.") as name:
        folder = pathlib.Path(name)
        source = folder / pathlib.Path(mutant.source).name
        source.write_text(text.replace(mutant.before, mutant.after))
        subprocess.run(compile_words(compiled[mutant.source], source, folder / "changed.o"), cwd=BUILD, check=True)
        subprocess.run(link_words(linked, folder / "changed.o", folder / "program"), cwd=BUILD, check=True)
        passes, words = run_case(folder / "program", mutant.case)
    assert not passes, f"test_{mutant.program} \"{mutant.case}\" did not notice it: {words}"


def main():
    chosen = [m for m in MUTANTS if not sys.argv[1:] or any(word in m.name for word in sys.argv[1:])]
    made_by = {program: commands(program) for program in {m.program for m in chosen}}
    for program, case in sorted({(m.program, m.case) for m in chosen}):
        passes, words = run_case(BUILD / "tests" / f"test_{program}", case)
        assert passes, f"test_{program} \"{case}\" fails without any change: {words}"
    missed = 0

    def work(mutant):
        began = time.monotonic()
        try:
            is_noticed(mutant, made_by)
            print(f"  ok   {mutant.name}: noticed by \"{mutant.case}\" ({time.monotonic() - began:.1f} s)", flush=True)
            return 0
        except Exception as problem:  # noqa: BLE001: every one is shown, the others still run
            print(f"  FAIL {mutant.name}: {problem}", flush=True)
            return 1

    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        missed = sum(pool.map(work, chosen))
    if missed:
        print(f"{missed} careless variants were not noticed")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
