#!/usr/bin/python3
"""Over a line that is far too thin for pictures the second site knows the log within seconds, can say what it lacks, and gets the rest later."""
import json
import os
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "twin"))
import check_invariants  # noqa: E402
from machine_client import sha256  # noqa: E402
from test_replicate import Sites  # noqa: E402
from thin_line import Lag, ThinLine, ahead_files, held_size, known_size, lead_through  # noqa: E402
from world import main  # noqa: E402

LINE = 12_500  # bytes a second: 100 kbit/s
MOST_LAG_S = 10
PICTURE = 150_000


def film(hearing, size=PICTURE):
    """Files a segment that takes the line for a while; its digest."""
    data = os.urandom(size)
    hearing.put(data)
    hearing.segment("cam-bench", data, 1000, 900_000)
    hearing.post()
    return sha256(data)


def status_of(world):
    return json.loads(world.archive("status", "--json", check=False).stdout)


def test_the_log_is_known_within_seconds_while_pictures_wait():
    with Sites() as sites:
        second = sites.second
        line = ThinLine(second.machine, LINE)
        lead_through(line, sites.folder / "state")
        hearing = sites.begin()
        films = [film(hearing) for _ in range(3)]
        with sites.running():
            with Lag(second.volumes, hearing.id) as lag:
                lag.filed(len(hearing.entries))
                for _ in range(4):
                    time.sleep(2)
                    films.append(film(hearing))
                    lag.filed(len(hearing.entries))
                sites.wait(lambda: not lag.waiting, MOST_LAG_S)
            assert lag.worst <= MOST_LAG_S, f"the second site knew the log {lag.worst:.1f} s later"
            print(f"       the log was known within {lag.worst:.1f} s", flush=True)
            # It knows, and it says no more than that.
            assert held_size(second.volumes, hearing.id) < len(hearing.entries)
            lacking = [digest for digest in films if not second.copies(digest)]
            assert len(lacking) > 3, "the line was not too thin"
            assert "dr.test.example/holder" not in sites.client.call("GET", hearing.path + "/checkpoint")["checkpoint"]
            assert check_invariants.check(second.volumes).broken == []
            # A kill of the second site does not make it forget.
            second.stop(signal.SIGKILL)
            assert known_size(second.volumes, hearing.id) == len(hearing.entries)
            second.start()
            origin = status_of(second)["origins"][0]
            assert origin["ahead"]["hearings"] == 1 and origin["ahead"]["objects"] >= len(lacking), origin
            told = json.loads(second.archive("ahead", "--hearing", hearing.id, "--json").stdout)
            (row,) = told["logs"]
            assert row["hearing"] == hearing.id and row["archive"] == sites.primary.name and row["known"] == len(hearing.entries), row
            lacking = {digest for digest in films if not second.copies(digest)}
            assert lacking <= {one["object"] for one in row["lacks"]} and row["bytes"] >= PICTURE * len(lacking), row
            sites.wait(lambda: sites.status()["log"]["unknown"] == 0)
            behind = sites.status()
            assert behind["log"]["known_ahead"] > 0, behind["log"]
            assert not behind["caught_up"] and {c["class"]: c for c in behind["classes"]}["picture"]["objects"] >= len(lacking), behind
            # The line gets wide: everything arrives, and nothing is left ahead.
            line.rate = 100_000_000
            sites.wait(lambda: sites.status()["caught_up"], 40)
        assert ahead_files(second.volumes) == [], ahead_files(second.volumes)
        assert all(len(second.copies(digest)) == 3 for digest in films)
        assert "ahead" not in status_of(second)["origins"][0]
        assert check_invariants.check(second.volumes).broken == []
        line.close()


def test_damage_of_what_is_known_ahead_is_noticed_and_mended():
    with Sites() as sites:
        second = sites.second
        sites.config.write_text(sites.config.read_text().replace("[target]", '[[target]]\nname = "second-site"')
                                + '[[target.limit]]\nclass = "picture"\nbytes_per_second = 0\n')
        hearing = sites.begin()
        sites.record(hearing, 1)
        status, report = sites.once()
        assert status == 1 and report["waiting"] == ["picture"] and report["entries_ahead"] >= len(hearing.entries), report
        pieces = [path for path in ahead_files(second.volumes) if hearing.id in str(path)]
        assert len(pieces) == 3, pieces
        pieces[0].chmod(0o600)
        data = bytearray(pieces[0].read_bytes())
        data[len(data) // 2] ^= 1
        pieces[0].write_bytes(bytes(data))
        assert any("log/ahead/" in one["what"] for one in check_invariants.check(second.volumes).broken)
        found = second.archive("check", "--json", check=False)
        assert found.returncode == 1 and any("log/ahead/" in one for one in json.loads(found.stdout)["findings"]), found.stdout
        second.archive("scrub", "--json", check=False)
        assert check_invariants.check(second.volumes).broken == []
        assert len({path.read_bytes() for path in pieces}) == 1
        # A hearing goes on where it is known; once pictures may go, nothing is left.
        hearing.finish()
        hearing.post()
        sites.config.write_text(sites.config.read_text().rsplit("[[target.limit]]", 1)[0])
        status, report = sites.once()
        assert status == 0 and report["caught_up"], report
        assert ahead_files(second.volumes) == []
        assert sites.primary.verify(*second.volumes)[0] == 0


if __name__ == "__main__":
    main([value for name, value in list(globals().items()) if name.startswith("test_") and callable(value)])
