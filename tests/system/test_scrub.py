#!/usr/bin/python3
"""The archive reads its volumes again and again by itself: repairs, goes on after a crash, says how far it is, and sums it up.

    tests/system/test_scrub.py [TEST...]
"""
import base64
import ctypes
import json
import os
import signal
import struct
import sys

import world as w
from live_room import wait_for
from machine_client import Hearing, details_document, random_object, sha256, tree_root
from test_bad_input import add_segment, enrolled, filed_hearing, nothing_lost
from test_replicate import Sites

TWIN = w.ROOT / "tests" / "twin" / "greffe_twin.py"


def await_that(what, condition):
    return wait_for(what, condition, 90)


def many_objects(client, count=60):
    """A hearing with so many objects, of any bytes."""
    hearing = Hearing(client)
    details = details_document()
    named = [details] + [random_object(3000) for _ in range(count)]
    for data in named:
        hearing.put(data)
    hearing.open(sha256(details), {"mic-judge": "audio"})
    for data in named[1:]:
        hearing.add(kind="peaks", count=6000, sha256=sha256(data), stream="mic-judge", utc="2026-11-22T09:00:00.000Z")
    add_segment(hearing)
    hearing.finish()
    hearing.post()
    return hearing


def await_read_back(world):
    """Until nothing but the scrub reads what was filed."""
    await_that("what was filed is read back", lambda: json.loads(world.archive("status", "--json").stdout)["read_back"]["lagging"] == 0)


def scrubbing(world):
    return json.loads(world.archive("status", "--json").stdout)["scrubbing"]


def names_on(volume):
    return sorted(path.name for path in (volume / "sha256").rglob("*") if path.is_file())


def bytes_on(volume):
    return sum(path.stat().st_size for path in (volume / "sha256").rglob("*") if path.is_file())


def position(name):
    return int(name[:6], 16) / 2 ** 24


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    os.chmod(path, 0o600)
    path.write_bytes(bytes(data))


def is_good(path):
    return path.exists() and sha256(path.read_bytes()) == path.name


def entries_of(bundle):
    at, out = 0, []
    while at < len(bundle):
        size, = struct.unpack_from(">H", bundle, at)
        out.append(bundle[at + 2:at + 2 + size])
        at += 2 + size
    return out


def main_entries(world):
    """The main log as the files have it."""
    for _ in range(100):
        try:
            return read_main_log(world)
        except FileNotFoundError:  # a stage that was superseded meanwhile
            continue
    raise AssertionError("the main log cannot be read")


def read_main_log(world):
    """Full bundles, and the stages with what came since."""
    log = world.volumes[0] / "log" / "main"
    out = {}
    for path in sorted((log / "tile" / "entries").rglob("*")) if (log / "tile" / "entries").exists() else []:
        if path.is_file():
            out.update(enumerate(entries_of(path.read_bytes()), int("".join(part.strip("x") for part in path.relative_to(log / "tile/entries").parts)) * 256))
    for path in (log / "stage").iterdir():
        out.update(enumerate(entries_of(path.read_bytes()), int(path.name.split("-")[0])))
    return [json.loads(out[index]) for index in sorted(out)]


def passes(world, volume=None):
    ids = {path: json.loads((path / "greffe-volume.json").read_text())["volume"] for path in world.volumes}
    found = [e for e in main_entries(world) if e["kind"] == "scrub" and e["finding"] == "pass"]
    return [e for e in found if volume is None or e["volume"] == ids[volume]]


def root_over(names, damaged=()):
    return tree_root([f"{name} {'damaged' if name in damaged else 'good'}".encode() for name in names]).hex()


def both_verifiers_agree(world):
    status, verdict = world.verify()
    twin = w.run(sys.executable, TWIN, "--policy", world.policy(), "--json", *world.volumes, check=False)
    assert status == 0 and twin.returncode == 0, (verdict, twin.stdout[-800:], twin.stderr[-800:])


class Opened:
    """Names of objects of a volume that anybody opens from now on (inotify)."""

    IN_OPEN, IN_ISDIR = 0x20, 0x40000000

    def __init__(self, volume):
        libc = ctypes.CDLL(None, use_errno=True)
        self.descriptor = libc.inotify_init1(os.O_NONBLOCK)
        assert self.descriptor >= 0, os.strerror(ctypes.get_errno())
        for folder in {path.parent for path in (volume / "sha256").rglob("*") if path.is_file()}:
            assert libc.inotify_add_watch(self.descriptor, str(folder).encode(), self.IN_OPEN) >= 0, os.strerror(ctypes.get_errno())

    def names(self):
        out, data = [], b""
        try:
            while True:
                data += os.read(self.descriptor, 65536)
        except BlockingIOError:
            pass
        at = 0
        while at < len(data):
            _, mask, _, size = struct.unpack_from("iIII", data, at)
            name = data[at + 16:at + 16 + size].rstrip(b"\0").decode()
            at += 16 + size
            if len(name) == 64 and not mask & self.IN_ISDIR:
                out.append(name)
        return out

    def close(self):
        os.close(self.descriptor)


def test_by_itself_it_finds_and_repairs_damage_and_sums_up():
    with w.World(settings={"scrub_period_s": 10}) as world:
        world.start()
        hearing = filed_hearing(enrolled(world))
        await_read_back(world)
        one, two, *_ = sorted(hearing.acknowledged_objects)
        flip(world.copies(one)[1])
        for path in world.copies(two)[:2]:
            flip(path)
        await_that("every copy is good again", lambda: all(is_good(p) for d in (one, two) for p in world.copies(d)))
        count = {volume: len(passes(world, volume)) for volume in world.volumes}
        await_that("two more passes over each volume", lambda: all(len(passes(world, v)) >= count[v] + 2 for v in world.volumes))
        names = names_on(world.volumes[0])
        for volume in world.volumes:
            *_, last = passes(world, volume)
            assert (last["objects"], last["bytes"], last["failures"]) == (len(names), bytes_on(volume), 0), last
            assert last["root"] == root_over(names), last
            # The period is 10 s, a pass takes 8; a busy machine may take longer, and the entry must not say less than it was.
            assert 0 < last["oldest_ms"] < 90_000 and last["began"] < last["utc"], last
        findings = [(e["key"][-64:], e["finding"], e["action"]) for e in main_entries(world) if e["kind"] == "scrub" and "key" in e]
        assert sorted(findings) == sorted([(one, "damaged", "repaired")] + [(two, "damaged", "repaired")] * 2), findings
        assert any(e["volume"] == "logs" and e["objects"] == 2 for e in passes(world)), passes(world)
        nothing_lost(world, hearing)
        both_verifiers_agree(world)


def test_killed_in_the_middle_it_goes_on_and_its_figures_are_true():
    with w.World(settings={"scrub_period_s": 40}) as world:  # a pass takes 32 s
        world.start()
        many_objects(enrolled(world))
        await_read_back(world)
        world.stop()
        (world.home / "state" / "scrub.json").unlink(missing_ok=True)  # as if it had just been installed
        names = names_on(world.volumes[0])
        world.start()

        def figures():
            shown = scrubbing(world)
            assert shown["period_s"] == 40 and not shown["by_service"] and len(shown["volumes"]) == 3, shown
            for one in shown["volumes"]:
                read = one["objects"]
                # The percentage is that of the next object, after the last one 100; of the last one that was read until the
                # next one is known.
                possible = {int(position(name) * 100) for name in names[max(read - 1, 0):read + 1]} | ({100} if read == len(names) else set())
                assert one["there"] and (one["passes"] > 0 or one["percent"] in possible), (one, names)
                assert one["passes"] > 0 or 0 <= one.get("left_ms", 0) <= 120_000, one
            return shown["volumes"]

        def saved_state():
            path = world.home / "state" / "scrub.json"
            return {one["volume"]: one for one in json.loads(path.read_text())["volumes"]} if path.exists() else {}

        await_that("a quarter is read and saved", lambda: len(saved_state()) == 3 and all(one["objects"] >= len(names) // 4 for one in saved_state().values()))
        before = figures()
        world.stop(signal.SIGKILL)
        saved = saved_state()
        assert all("after" in one and one["passes"] == 0 for one in saved.values()), saved
        volume = world.volumes[1]
        mine = saved[json.loads((volume / "greffe-volume.json").read_text())["volume"]]
        opened = Opened(volume)
        world.start()
        for was, now in zip(before, figures()):
            assert now["passes"] > was["passes"] or now["objects"] >= saved[now["volume"]]["objects"], (was, now)
        await_that("most is read", lambda: all(one["passes"] > 0 or one["percent"] >= 80 for one in figures()))
        seen = opened.names()
        if not passes(world, volume):  # else the next pass has begun, which opens everything
            assert not [name for name in seen if name <= mine["after"]], "it began anew"
            behind = {name for name in names if name > mine["after"] and position(name) < 0.75}
            assert behind <= set(seen), "it skipped something"
        opened.close()
        await_that("a pass over each volume", lambda: all(passes(world, v) for v in world.volumes))
        for each in world.volumes:
            first = passes(world, each)[0]
            assert first["objects"] == len(names) and first["root"] == root_over(names), first
            assert "oldest_ms" not in first and first["began"] == saved[first["volume"]]["began"], first
        both_verifiers_agree(world)


def test_what_no_volume_has_is_named_with_its_hearing_and_seconds():
    with w.World() as world:
        world.start()
        client = enrolled(world)
        hearing = Hearing(client)
        details = details_document()
        hearing.put(details)
        hearing.open(sha256(details), {"mic-judge": "audio"})
        media = [add_segment(hearing) for _ in range(3)]
        hearing.post()
        await_read_back(world)
        damaged, absent = sha256(media[1]), sha256(media[2])
        for path in world.copies(damaged):
            flip(path)
        for path in world.copies(absent):
            path.unlink()
        done = world.archive("scrub", "--json", check=False)
        assert done.returncode == 1, done
        unrepaired = {one["key"][-64:]: one for one in json.loads(done.stdout)["unrepaired"]}
        assert set(unrepaired) == {damaged, absent}, unrepaired
        wanted = {json.loads(e)["sha256"]: json.loads(e) for e in hearing.entries if b'"segment"' in e}
        for digest, one in unrepaired.items():
            entry = wanted[digest]
            assert (one["hearing"], one["stream"], one["utc"], one["ms"]) == (hearing.id, "mic-judge", entry["utc"], entry["duration_90k"] // 90), one
        shown = world.archive("status", check=False).stdout
        for digest in (damaged, absent):
            assert any("LOST" in line and hearing.id in line and wanted[digest]["utc"] in line for line in shown.splitlines()), shown
        assert scrubbing(world)["lost"] == 2
        assert f"hearing {hearing.id}, stream mic-judge" in world.log.read_text()
        await_that("the findings are in the main log", lambda: {(damaged, "damaged", "not-repaired"), (absent, "missing", "not-repaired")} <= {
            (e["key"][-64:], e["finding"], e["action"]) for e in main_entries(world) if e["kind"] == "scrub" and "key" in e})
        # The station still has them.
        hearing.put(media[1])
        hearing.put(media[2])
        again = world.archive("scrub", "--json")
        assert json.loads(again.stdout)["unrepaired"] == []
        await_that("nothing is lost any more", lambda: scrubbing(world)["lost"] == 0)
        await_that("the status has no finding left", lambda: not [
            r for r in json.loads(world.archive("status", "--json").stdout)["reasons"] if r["code"] == "scrub"])
        hearing.finish()
        hearing.post()
        both_verifiers_agree(world)


def test_what_one_site_lost_comes_back_from_the_other():
    with Sites() as sites:
        hearing = sites.file()
        sites.primary.add_user("clerk", "clerk")
        sites.second.add_user("operator", "operator")  # whose snapshot is nobody's but the second site's
        assert sites.once()[0] == 0
        await_read_back(sites.primary)
        await_read_back(sites.second)
        digests = sites.digests(hearing)
        # Only the main log names the snapshot of the accounts.
        snapshot = next(e["snapshot_sha256"] for e in main_entries(sites.primary) if e["kind"] == "account")
        for site, digest, spoil in ((sites.primary, digests[0], flip), (sites.primary, digests[1], os.unlink), (sites.second, digests[0], os.unlink),
                                    (sites.primary, snapshot, os.unlink), (sites.second, snapshot, flip)):
            for path in site.copies(digest):
                spoil(path)
            # What the first site lost as well the second one cannot take from it: one after the other.
            assert site.archive("scrub", "--json", check=False).returncode == 1 and scrubbing(site)["lost"] == 1
            status, report = sites.once()
            assert status == 0 and report["objects_returned"] == 1, report
            assert scrubbing(site)["lost"] == 0 and len(site.copies(digest)) == 3 and all(is_good(p) for p in site.copies(digest))
            done = json.loads(site.archive("scrub", "--json").stdout)
            assert done["failures"] == 0 and done["unrepaired"] == [], done
        both_verifiers_agree(sites.primary)
        own = next(e["snapshot_sha256"] for e in main_entries(sites.second) if e["kind"] == "account")
        for path in sites.second.copies(own):
            path.unlink()
        assert sites.second.archive("scrub", "--json", check=False).returncode == 1 and scrubbing(sites.second)["lost"] == 1
        status, report = sites.once()
        assert status == 0 and report["problems"] == [], report  # no other site can have it


def officer(world, name):
    """Named in the main log; his private key."""
    key = world.folder / f"{name}.key"
    public = world.archive("officer", "key", "--out", key).stdout.strip()
    world.archive("officer", "add", "--name", name, "--key", public)
    return key


def test_what_two_officers_declare_lost_lets_everything_go_on():
    with Sites() as sites:
        world = sites.primary
        hearing = sites.file()
        await_read_back(world)
        lost = sites.digests(hearing)[1]
        what = ["--hearing", hearing.id, "--object", lost]
        assert "good copy" in world.archive("declare-lost", *what, check=False).stderr
        for path in world.copies(lost):
            flip(path)
        assert world.archive("scrub", "--json", check=False).returncode == 1
        status, report = sites.once()
        assert status == 1 and [h["object"] for h in report["holes"]] == [lost], report
        assert world.verify()[0] == 1

        statement = world.folder / "statement"
        statement.write_text(world.archive("declare-lost", *what).stdout)
        assert lost in statement.read_text() and hearing.id in statement.read_text(), statement.read_text()
        one, two = officer(world, "officer-1"), officer(world, "officer-2")
        first, second = world.folder / "signature-1", world.folder / "signature-2"
        world.archive("officer", "sign", "--name", "officer-1", "--key-file", one, "--statement", statement, "--out", first)
        # The other one needs nothing of ours.
        signed = w.run("openssl", "pkeyutl", "-sign", "-rawin", "-inkey", two, "-in", statement, "-out", world.folder / "raw")
        assert signed.returncode == 0
        second.write_text("officer-2 " + base64.b64encode((world.folder / "raw").read_bytes()).decode() + "\n")
        assert "two officers" in world.archive("declare-lost", *what, "--signature", first, check=False).stderr
        swapped = world.folder / "swapped"
        swapped.write_text(first.read_text().replace("officer-1", "officer-2"))
        assert "signature of the officer officer-2" in world.archive("declare-lost", *what, "--signature", first, "--signature", swapped, check=False).stderr
        statement.write_text("something else\n")
        assert "not a statement" in world.archive("officer", "sign", "--name", "officer-1", "--key-file", one, "--statement", statement,
                                                  "--out", world.folder / "other", check=False).stderr
        world.archive("declare-lost", *what, "--signature", first, "--signature", second)

        assert world.copies(lost) == [] and scrubbing(world)["lost"] == 0
        await_that("no finding is open", lambda: not [r for r in json.loads(world.archive("status", "--json").stdout)["reasons"] if r["code"] == "scrub"])
        done = json.loads(world.archive("scrub", "--json").stdout)
        assert done["failures"] == 0 and done["unrepaired"] == [], done
        assert json.loads(world.archive("check", "--json").stdout)["findings"] == []
        status, report = sites.once()
        assert status == 0 and report["caught_up"] and report["holes"] == [] and report["problems"] == [], report
        done = json.loads(sites.second.archive("scrub", "--json").stdout)
        assert done["failures"] == 0 and done["unrepaired"] == [], done
        for volumes in (world.volumes, sites.second.volumes):
            status, verdict = world.verify(*volumes)
            assert status == 0 and verdict["verdict"] == "VERIFIED_WITH_DECLARED_GAPS", verdict
        both_verifiers_agree(world)
        world.archive("export", hearing.id, world.folder / "export")
        status, verdict = world.verify(world.folder / "export")
        assert status == 0 and verdict["hearings"][0]["lost"] == 1, verdict
        twin = w.run(sys.executable, TWIN, "--policy", world.policy(), "--json", world.folder / "export", check=False)
        assert json.loads(twin.stdout)["verdict"] == verdict["verdict"], twin.stdout + twin.stderr
        others = [json.loads(e)["sha256"] for e in hearing.entries if b'"segment"' in e and lost.encode() not in e]
        world.invariants(others)


def test_who_asks_gets_everything_at_once():
    with w.World() as world:  # by itself a pass would take 72 days
        world.start()
        hearing = filed_hearing(enrolled(world))
        await_read_back(world)
        digest = sorted(hearing.acknowledged_objects)[0]
        world.copies(digest)[0].unlink()
        flip(world.copies(digest)[0])
        done = json.loads(world.archive("scrub", "--json").stdout)
        names = names_on(world.volumes[0])
        # The copy that was missing may be back before or after that folder was looked at; whoever wrote it read it.
        assert done["objects"] in (3 * len(names) - 1, 3 * len(names)) and done["failures"] == 2 and done["repaired"] == 2, done
        assert len(world.copies(digest)) == 3 and all(is_good(p) for p in world.copies(digest))
        world.stop()
        world.start()
        assert all(one["passes"] == 1 and one["percent"] < 100 for one in scrubbing(world)["volumes"]), scrubbing(world)
        both_verifiers_agree(world)


def test_settings_out_of_bounds_are_refused():
    for key, value in (("scrub_period_s", 9), ("scrub_period_s", 40_000_000), ("scrub_bytes_per_second", 0)):
        with w.World(settings={key: value}) as world:
            assert not world.start(expect=False)
            assert key in world.log.read_text(), world.log.read_text()


if __name__ == "__main__":
    w.main([value for name, value in list(globals().items()) if name.startswith("test_")])
