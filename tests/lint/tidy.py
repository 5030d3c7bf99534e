#!/usr/bin/python3
"""What every file owes its readers: short, finished, and what it points to exists."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAX_LINES = 600
CODE = {".h", ".cc", ".py", ".sh", ".ts", ".tsx", ".js", ".mjs", ".css", ".html", ".cmake", ".service"}
TEXT = CODE | {".md", ".yaml", ".txt", ".json", ""}
GENERATED = {"web/ui/package-lock.json", "LICENSE"}
# Data that another program wrote: length and words are not ours.
DATA = ("tests/vectors/", "tests/fuzz/corpus/")
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK|place" r"holder text)\b")
# Places that exist on one machine only.
ELSEWHERE = re.compile(r"(?<![\w.])/(?:wo" r"rk|ro" r"ot|ho" r"me/\w+)/[\w.-]+")
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)")
PATH = re.compile(r"(?<![\w/.$<-])((?:archive|ingest|replicate|web|tests|packaging|docs)/[\w./-]*[\w/])")
# Named in docs as what a build or a run makes.
MADE = ("web/ui/dist", "web/ui/node_modules")


def tracked():
    listing = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                             stdout=subprocess.PIPE, check=True).stdout.decode()
    return sorted(name for name in listing.split("\0") if name and (ROOT / name).is_file())


def candidates(name):
    """A path in a text may be meant from the root, or name a header without its ending."""
    path = ROOT / name
    return [path, path.with_name(path.name + ".h"), path.with_name(path.name + ".cc")]


def exists(name):
    if name.rsplit("/", 1)[-1].isupper():  # tests/fuzz/corpus/NAME: the reader fills in a name
        return True
    return name.startswith(MADE) or any(path.exists() for path in candidates(name.rstrip("/.")))


def comments(path, text):
    """The lines in which prose stands: all of a page, comment lines of code."""
    for number, line in enumerate(text.splitlines(), 1):
        if path.suffix == ".md" or re.match(r"\s*(//|#(?!include)|\*|\"\"\")", line):
            yield number, line


def problems_of(name):
    path = ROOT / name
    try:
        text = path.read_text()
    except UnicodeDecodeError:
        if path.suffix in TEXT and path.suffix:
            yield f"{name}: not UTF-8"
        return
    lines = text.count("\n")
    if path.suffix in CODE and lines > MAX_LINES:
        yield f"{name}: {lines} lines; at most {MAX_LINES}, split it by what it does"
    for number, line in enumerate(text.splitlines(), 1):
        if UNFINISHED.search(line):
            yield f"{name}:{number}: unfinished: {line.strip()[:80]}"
        if ELSEWHERE.search(line):
            yield f"{name}:{number}: a path of one machine: {line.strip()[:80]}"
    if path.suffix == ".md":
        for target in LINK.findall(text):
            if not (path.parent / target).exists():
                yield f"{name}: links to {target}, which is not there"
    for number, line in comments(path, text):
        for mentioned in PATH.findall(line):
            if "/" in mentioned.rstrip("/") and not exists(mentioned):
                yield f"{name}:{number}: names {mentioned}, which is not there"


def main():
    names = [n for n in tracked() if n not in GENERATED and not n.startswith(DATA)]
    found = [problem for name in names for problem in problems_of(name)]
    if (ROOT / "docs").is_dir() and not (ROOT / "README.md").exists():
        found.append("README.md is missing")
    print("\n".join(found) if found else f"tidy: {len(names)} files are short, finished and point to what exists")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
