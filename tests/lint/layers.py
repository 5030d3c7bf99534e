#!/usr/bin/python3
"""The layer table of docs/ARCHITECTURE.md as a test: who may include whom, and which library has which one home."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# folder -> folders whose headers it may include (besides its own)
BASE, FORMAT = "archive/base", "archive/format"
CORE = {BASE, FORMAT, "archive/store", "archive/tlog", "archive/catalogue", "archive/accounts", "archive/client"}
MAY_INCLUDE = {
    BASE: set(),
    FORMAT: {BASE},
    "archive/store": {BASE, FORMAT},
    "archive/tlog": {BASE, FORMAT, "archive/store/object_store.h"},
    "archive/catalogue": {BASE, FORMAT, "archive/tlog"},
    "archive/accounts": {BASE, FORMAT, "archive/catalogue/sqlite.h"},
    "archive/client": {BASE, FORMAT},
    "archive": CORE,
    "archive/verify": {BASE, FORMAT, "archive/store/open_pool.h"},
    "web/http": {BASE},
    "ingest": {BASE, FORMAT, "archive/client", "web/http"},
    "replicate": {BASE, FORMAT, "archive/store", "archive/tlog", "archive/client", "web/http"},
    "web": CORE | {"archive", "web/http"},
}
# header pattern -> the only folders that may include it
HOMES = {
    r"(fmt|spdlog)/.*": None,  # fmt is everywhere through base; spdlog below
    r"spdlog/.*": {BASE},
    r"toml\+\+/.*|CLI/.*|date/.*|prometheus/.*|curl/.*": {BASE},
    r"openssl/ssl\.h": {"web/http"},
    r"openssl/.*": {FORMAT, "web/http"},
    r"rados/.*|expat\.h": {"archive/store"},
    r"sqlite3\.h": {"archive/catalogue", "archive/accounts"},
    r"argon2\.h": {"archive/accounts"},
    r"boost/(asio|beast)/.*|boost/(asio|beast)\.hpp": {"web/http"},
    r"boost/.*": {"web/http", "web"},
    r"lib(av|sw)\w+/.*|qrencode\.h": {"ingest"},
}
TOP_LEVEL = {"CMakeLists.txt", "CMakePresets.json", "ingest", "archive", "replicate", "web", "tests", "packaging",
             "LICENSE", "README.md", "docs"}


def folder_of(path):
    parts = path.relative_to(ROOT).parent.parts
    return "/".join(parts[:2]) if parts[0] in ("archive", "web") else parts[0]


def problems_of(path):
    folder = folder_of(path)
    allowed = MAY_INCLUDE[folder]
    for number, line in enumerate(path.read_text().splitlines(), 1):
        where = f"{path.relative_to(ROOT)}:{number}"
        if re.match(r"\s*using namespace\b", line):
            yield f"{where}: using namespace"
        match = re.match(r'\s*#\s*include\s+(["<])([^">]+)[">]', line)
        if not match:
            continue
        quote, header = match.groups()
        if quote == '"':
            if not (ROOT / header).exists():
                yield f"{where}: {header} is not a path from the root"
                continue
            target = folder_of(ROOT / header)
            if target != folder and target not in allowed and header not in allowed:
                yield f"{where}: {folder} may not include {header}"
        else:
            for pattern, homes in HOMES.items():
                if homes is not None and re.fullmatch(pattern, header):
                    if folder not in homes:
                        yield f"{where}: <{header}> belongs into {', '.join(sorted(homes))} only"
                    break


def main():
    found = []
    files = 0
    for folder in ("archive", "ingest", "replicate", "web"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".h", ".cc") and "node_modules" not in path.parts:
                files += 1
                if folder_of(path) not in MAY_INCLUDE:
                    found.append(f"{path.relative_to(ROOT)}: a folder that is not in the layer table")
                    continue
                found += problems_of(path)
    tracked = {p.name for p in ROOT.iterdir() if not p.name.startswith(".") and not p.name.startswith("build")
               and p.name != "demo"}
    found += [f"{name}: the top level is fixed" for name in sorted(tracked - TOP_LEVEL)]
    print("\n".join(found) if found else f"layers: {files} files keep to the table")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
