#!/usr/bin/python3
"""An archive that was lost and goes on at its second site, for the browser's tests; laid out as world.mjs reads a demo.

    promoted_site.py DIR     makes it, says "ready", and takes it away when its standard input ends
"""
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "system"))

from test_promotion import Disaster, prepared  # noqa: E402
from world import Browser  # noqa: E402

USERS = {"rosa": "auditor", "claire": "clerk"}


def main():
    folder = pathlib.Path(sys.argv[1])
    with Disaster(replica={"ui_directory": str(ROOT / "web" / "ui" / "dist")}) as sites:
        prepared(sites)
        logins = {name: sites.primary.add_user(name, role) for name, role in USERS.items()}
        before, across = sites.file(0), sites.begin(1)
        sites.record(across, 1)
        assert sites.once()[0] == 0
        sites.wait(lambda: "open_hearings" in json.loads(sites.promote("--dry-run", "--json").stdout), 20)  # once the copy has a catalogue
        keys = Browser(sites.primary).log_in("claire", logins["claire"]).call("GET", "/v1/keys")[1]
        sites.lose_the_first_site()
        sites.go_on()
        sites.client = across.client = sites.station_goes_there()
        sites.client.code["name"] = "s1"  # of the station whose key it is
        sites.record(across, 1)
        across.finish()
        across.post()
        after = sites.file(2)
        (folder / "run").mkdir(parents=True)
        (folder / "logins").mkdir()
        (folder / "run" / "ports").write_text(f"primary_browser={sites.second.browser}\n")
        (folder / "keys.json").write_text(json.dumps(keys))
        filed = {"long": before, "before": before, "across": across, "after": after}
        (folder / "filed.json").write_text(json.dumps({name: {"hearing": hearing.id} for name, hearing in filed.items()}))
        for name, password in logins.items():
            (folder / "logins" / name).write_text(password)
        print("ready", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
