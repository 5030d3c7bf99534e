#!/usr/bin/python3
"""Every test that docs/TESTING.md names is there, and every careless variant of tests/mutants/mutants.py still fits the source it changes."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = "docs/TESTING.md"
TOKEN = re.compile(r"`(tests/[^`]+)`|\*([^*]+)\*")

sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests" / "mutants"))
from mutants import MUTANTS  # noqa: E402


def problems_of_row(number, row):
    text = ""
    named = 0
    for path, case in TOKEN.findall(row):
        if path:
            file = ROOT / path
            if not file.exists():
                yield f"{PAGE}:{number}: names {path}, which is not there"
            text = file.read_text() if file.is_file() else ""
            named += 1
        elif case not in text:
            yield f"{PAGE}:{number}: names the test \"{case}\", which is not in the file before it"
    if not named:
        yield f"{PAGE}:{number}: a fault without a test"


def problems_of_page():
    rows = 0
    for number, line in enumerate((ROOT / PAGE).read_text().splitlines(), 1):
        cells = line.split("|")
        if len(cells) != 4 or cells[2].strip() in ("test", "noticed by", "---"):
            continue
        rows += cells[2].strip() != "---" and set(cells[2].strip()) != {"-"}
        if set(cells[2].strip()) != {"-"}:
            yield from problems_of_row(number, cells[2])
    if rows < 30:
        yield f"{PAGE}: {rows} rows were understood; there should be more"


def problems_of_mutants():
    page = (ROOT / PAGE).read_text()
    for mutant in MUTANTS:
        count = (ROOT / mutant.source).read_text().count(mutant.before)
        if count != 1:
            yield f"mutant \"{mutant.name}\": {mutant.source} has {mutant.before!r} {count} times"
        cases = [p for p in (ROOT / "tests/unit" / mutant.program).glob("*.cc") if f'"{mutant.case}"' in p.read_text()]
        if len(cases) != 1:
            yield f"mutant \"{mutant.name}\": {len(cases)} files of tests/unit/{mutant.program} have the test \"{mutant.case}\""
    for name in re.findall(r"mutants\.py`: \*([^*]+)\*", page):
        if name not in {mutant.name for mutant in MUTANTS}:
            yield f"{PAGE}: there is no mutant \"{name}\""


def main():
    found = [*problems_of_page(), *problems_of_mutants()]
    print("\n".join(found) if found else f"faults: every test that {PAGE} names is there; {len(MUTANTS)} careless variants fit the source")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
