#!/usr/bin/python3
"""The site of tests/system/sittings_site.py, and the hearing of five_faults.py, for the browser's tests; laid out as world.mjs reads a demo.

    small_site.py DIR     makes it, says "ready", and takes it away when its standard input ends
"""
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "system"))

import five_faults  # noqa: E402
import live_room  # noqa: E402
import world as w  # noqa: E402
from sittings_site import Site, explained_hearing  # noqa: E402


def main():
    folder = pathlib.Path(sys.argv[1])
    with w.World(settings={"ui_directory": str(ROOT / "web" / "ui" / "dist")}) as world:
        world.start()
        site = Site(world)
        filed = dict(zip(("first", "second", "third"), site.chain()))
        films = [live_room.make_film(world.folder / name, size) for name, size in (("large.mp4", "640x360"), ("small.mp4", "320x240"))]
        filed["faulty"], _ = five_faults.record(world, *films)
        filed["long"] = filed["explained"] = explained_hearing(world).id
        (folder / "run").mkdir()
        (folder / "logins").mkdir()
        (folder / "run" / "ports").write_text(f"primary_browser={world.browser}\n")
        (folder / "filed.json").write_text(json.dumps({name: {"hearing": hearing} for name, hearing in filed.items()}))
        for name, password in site.passwords.items():
            (folder / "logins" / name).write_text(password)
        print("ready", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
