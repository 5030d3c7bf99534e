#!/usr/bin/python3
"""A second site after three drills of its copy, the last one with a failure, and with a hearing that it knows of while its pictures wait, for
the browser's tests; laid out as world.mjs reads a demo.

    drilled_site.py DIR     makes it, says "ready", and takes it away when its standard input ends
"""
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "system"))

from test_drill import DrilledSites  # noqa: E402
from test_scrub import flip  # noqa: E402

USERS = {"rosa": "auditor", "olga": "operator", "claire": "clerk"}


def main():
    folder = pathlib.Path(sys.argv[1])
    with DrilledSites(ui_directory=str(ROOT / "web" / "ui" / "dist")) as sites:
        for _ in range(2):
            sites.drill(0)
        damaged = sites.segments(sites.hearings[1])[0]
        for path in sites.second.copies(damaged["sha256"]):
            flip(path)
        sites.drill(1)
        sites.config.write_text(sites.config.read_text().replace("[target]", '[[target]]\nname = "second-site"')
                                + '[[target.limit]]\nclass = "picture"\nbytes_per_second = 0\n')
        hearing = sites.begin()
        sites.record(hearing, 3)
        status, report = sites.once()
        assert status == 1 and report["waiting"] == ["picture"], report
        (folder / "run").mkdir(parents=True)
        (folder / "logins").mkdir()
        (folder / "run" / "ports").write_text(f"primary_browser={sites.second.browser}\n")
        (folder / "filed.json").write_text(json.dumps({"long": {"hearing": sites.hearings[0]}, "damaged": {"hearing": sites.hearings[1]}}))
        for name, role in USERS.items():
            (folder / "logins" / name).write_text(sites.second.add_user(name, role))
        print("ready", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
