#!/usr/bin/python3
"""Forms of co_await that g++ 12 compiles wrongly: it destroys closures and braced aggregates inside the expression twice.

Rule: name every closure and every braced aggregate on the line before the co_await, then move it in; coroutines are
functions with by-value parameters, never lambdas; no co_await inside a statement expression (GREFFE_TRY).
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FORBIDDEN = (
    (re.compile(r"co_(?:await|yield)(?:[^;{}]*?[(,=])?\s*\[(?!\[)"), "a closure inside the co_await expression"),
    (re.compile(r"co_(?:await|yield)[^;{}]*?[\w>(,=]\s*\{"), "braces inside the co_await expression"),
    (re.compile(r"GREFFE_TRY\s*\([^;]*co_await"), "co_await inside GREFFE_TRY"),
    (re.compile(r"\(\s*\{[^}]*co_await"), "co_await inside a statement expression"),
    (re.compile(r"\]\s*(?:\([^()]*\))?\s*(?:mutable\s*)?(?:->\s*[\w:<>, ]+)?\s*\{[^{}]*\bco_(?:await|return|yield)\b"),
     "a lambda that is a coroutine"),
)
KEYWORDS = re.compile(r"\bco_(?:await|return|yield)\b")


def without_comments_and_strings(text):
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    return re.sub(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", blank, text, flags=re.S)


def problems_in(text):
    code = without_comments_and_strings(text)
    for pattern, what in FORBIDDEN:
        for match in pattern.finditer(code):
            yield code.count("\n", 0, match.start()) + 1, what


# The lint is itself tested: a pattern that finds nothing would pass for ever.
BAD = (
    "co_await f([x] {});", "co_await f(a,\n  [x = std::move(x)]() mutable {});", "co_await f(A{.n = 3});",
    "co_await f({});", "co_await take({p, 3});", "int n = yes ? co_await take(A{}) : 0;", "co_await A{f};",
    "auto x = GREFFE_TRY(co_await f());", "auto x = ({ co_await f(); });",
    "auto g = [this]() -> Awaitable<void> { co_await f(); };", "auto g = [] { co_return 1; };",
)
GOOD = (
    "auto g = [x] {}; co_await f(std::move(g));", "A a{.n = 3};\nco_await take(std::move(a));",
    "if (x) {\n  co_await f();\n}", "co_await f(std::string(\"a{b\"));  // not f({})", "const int y = v[0]; co_return y;",
    "while (co_await_count > 0) { f([x] {}); }", "co_return co_await f(a[1]);",
)


def main():
    wrong = [f"the lint misses: {code!r}" for code in BAD if not list(problems_in(code))]
    wrong += [f"the lint refuses: {code!r}" for code in GOOD if list(problems_in(code))]
    files = 0
    for folder in ("archive", "ingest", "replicate", "web"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix not in (".h", ".cc") or "node_modules" in path.parts:
                continue
            text = path.read_text()
            code = without_comments_and_strings(text)
            if not KEYWORDS.search(code):
                continue
            files += 1
            name = path.relative_to(ROOT)
            if path.parent != ROOT / "web" / "http":
                wrong.append(f"{name}: coroutines live in web/http only")
            wrong += [f"{name}:{line}: {what}" for line, what in problems_in(text)]
    if files == 0:
        wrong.append("no coroutine was found: the lint looks at the wrong place")
    print("\n".join(wrong) if wrong else f"coroutines: {files} files keep to the rules")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
