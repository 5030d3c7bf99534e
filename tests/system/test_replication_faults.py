#!/usr/bin/python3
"""What may go wrong between two sites: lines that break anywhere, are silent or slow, requests twice and out of order, a second site without
room, without its disks, killed in the middle, away for a month, clocks that jump, a key that is revoked, and two archives of one name.

    tests/system/test_replication_faults.py [TEST...]

Whatever happens, in the end the second site holds and has confirmed everything, what it holds is whole, and until then the lag says so.
"""
import base64
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

from cryptography.hazmat.primitives import serialization

import bad_line
import crash_points
import small_disk
from machine_client import MachineClient, Refused, sha256, tree_root
from test_replicate import REPLICATE, Sites
from wall_clock import WallClock
from world import World, main

FAST = 100_000_000
DAY_S = 86_400


class LinedSites(Sites):
    """A line stands between the replicator and the second site."""

    def __enter__(self):
        super().__enter__()
        self.line = bad_line.FaultyLine(self.second.machine)
        self.lead_target_to(self.line.port)
        return self

    def __exit__(self, *words):
        self.line.close()
        super().__exit__(*words)

    def target_file(self):
        return self.folder / "state" / ("target.json" if len(self.names) == 1 else f"targets/{self.names[0]}.json")

    def behind(self, name="dr"):
        """What the first site knows that a second site has not confirmed, without a word over the line."""
        state = json.loads(self.primary.archive("status", "--json", check=False).stdout)
        return {one["name"].split("/")[0].split(".")[0]: one for one in state["second_sites"]}[name]["entries_behind"]

    def lead_target_to(self, port):
        value = json.loads(self.target_file().read_text())
        value["address"] = f"https://127.0.0.1:{port}"
        self.target_file().write_text(json.dumps(value))

    def attempt(self):
        done = self.replicate("once", check=False)
        assert done.returncode in (0, 1, 2), (done.returncode, done.stderr)
        return done

    def whole(self, *hearings):
        status, report = self.once()
        assert status == 0 and report["caught_up"] and not report["holes"], report
        for hearing in hearings:
            note = self.client.call("GET", hearing.path + "/checkpoint")["checkpoint"]
            assert "dr.test.example/holder" in note and int(note.split("\n")[1]) == len(hearing.entries), note
            for digest in self.digests(hearing):
                assert len(self.second.copies(digest)) == 3, digest
        exit_status, verdict = self.primary.verify(*self.second.volumes)
        assert exit_status == 0 and verdict["verdict"] == "VERIFIED", verdict


# What goes over a connection: some two thousand bytes of handshake each way; questions and answers of hundreds of bytes; objects of eleven
# thousand there. So these are in the handshake, within a head, within a body, between a body and its answer, within an answer.
THERE = [0, 3, 400, 1500, 2100, 2300, 2600, 3200, 4500, 9000, 14_000]
BACK = [0, 5, 300, 1000, 1400, 1700, 1900, 2200, 2600, 3500]


def test_a_line_that_breaks_at_any_byte():
    with LinedSites() as sites:
        hearings, happened = [], 0
        for number, (way, behind) in enumerate([("there", n) for n in THERE] + [("back", n) for n in BACK]):
            sites.client.close()
            hearings.append(sites.file(number))
            sites.line.next("cut", way, behind)
            done = sites.attempt()
            happened += sites.line.happened > 0
            if sites.line.happened and behind < 1000:
                assert done.returncode != 0, (way, behind, done.stdout)
                assert "second site" in done.stderr + done.stdout or "127.0.0.1" in done.stderr + done.stdout, done.stderr + done.stdout
            sites.line.calm()
        assert happened > 14, happened
        sites.whole(*hearings)


def test_a_bit_that_flips_on_the_way_is_never_taken_for_what_was_sent():
    with LinedSites() as sites:
        hearings, happened = [], 0
        for number, (way, behind) in enumerate([("there", n) for n in THERE[3:]] + [("back", n) for n in BACK[3:]]):
            hearings.append(sites.file(number))
            sites.line.next("flipped", way, behind)
            sites.attempt()
            happened += sites.line.happened > 0
            sites.line.calm()
        assert happened > 8, happened
        sites.whole(*hearings)


def test_a_line_that_is_silent_one_way_or_both_is_noticed_and_gone_on_with():
    with LinedSites(replica={"alarm_after_s": 3}) as sites:
        def alarm():
            state = json.loads(sites.second.archive("status", "--json", check=False).stdout)
            return state["origins"][0]["alarm"]
        first = sites.file(0)
        with sites.running():
            sites.wait(lambda: sites.status()["caught_up"])
            # Nothing comes back: the second site hears everything, the first one knows nothing of it.
            sites.line.next("silent", "back", 0)
            second = sites.file(1)
            sites.wait(lambda: sites.behind() > 0)
            time.sleep(4)
            assert sites.behind() > 0
            # Nothing goes there: the second site notices by itself.
            sites.line.next("silent", "there", 0)
            sites.wait(alarm, 40)
            sites.line.calm()
            sites.wait(lambda: sites.status()["caught_up"], 90)
            sites.wait(lambda: not alarm())
        sites.whole(first, second)


def test_one_byte_a_second_holds_up_nothing_else():
    with LinedSites(("dr", "province")) as sites:
        with sites.running():
            first = sites.file(0)
            sites.wait(lambda: all(one["caught_up"] for one in sites.status()["targets"]))
            sites.line.rate = 1
            sites.line.cut()
            second = sites.file(1)
            sites.wait(lambda: sites.behind("province") == 0 and all(len(sites.targets["province"].copies(d)) == 3 for d in sites.digests(second)), 60)
            assert sites.behind("dr") > 0
            sites.line.rate = FAST
            sites.line.cut()
            sites.wait(lambda: all(one["caught_up"] for one in sites.status()["targets"]), 90)
        for hearing in (first, second):
            assert all(len(sites.second.copies(d)) == 3 for d in sites.digests(hearing))


class RawSender:
    """The replicator's key in other hands: requests in any order, as often as one likes."""

    def __init__(self, sites):
        target = json.loads(sites.target_file().read_text())
        code = {"address": f"https://127.0.0.1:{sites.second.machine}", "log": target["log"], "name": target["name"], "role": "replicator", "secret": "",
                "server_key": target["server_key"]}
        pem = (sites.folder / "state" / "identity.key").read_bytes()
        self.client = MachineClient(base64.urlsafe_b64encode(json.dumps(code).encode()).decode().rstrip("="),
                                    key=serialization.load_pem_private_key(pem, None))

    def put(self, hearing, data):
        return self.client.request("PUT", f"{hearing.path}/objects/{sha256(data)}", data)[0]

    def entries(self, hearing, first, last):
        body = {"checkpoint": hearing.checkpoint(size=last, root=tree_root(hearing.entries[:last])), "first": first,
                "entries": [e.decode() for e in hearing.entries[first:last]]}
        return self.client.call("POST", hearing.path + "/entries", body)


def test_requests_twice_and_out_of_order():
    with LinedSites() as sites:
        hearing = sites.begin()
        sent = {}
        put = hearing.put

        def remember(data, digest=None):
            sent[sha256(data)] = data
            put(data, digest)
        hearing.put = remember
        sites.record(hearing, 3)
        details = json.loads(hearing.entries[0])["details_sha256"]
        sender = RawSender(sites)
        order = sites.digests(hearing)
        # Entries before what they name, later entries before earlier ones: refused with what is missing, nothing is kept of them.
        for first, last, member in ((0, 2, "missing"), (2, 4, "held_size")):
            try:
                sender.entries(hearing, first, last)
                raise AssertionError(f"entries {first} to {last} were taken")
            except Refused as refused:
                assert refused.status == 409 and member in refused.problem, refused.problem
        # Objects in the wrong order, each twice; the document comes with the replicator itself, from the first site's pool.
        document = sites.primary.copies(details)[0].read_bytes()
        for data in [sent[d] for d in reversed(order)] + [document]:
            assert [sender.put(hearing, data) for _ in range(2)] == [201, 201]
        # An object under another's name.
        status = sender.client.request("PUT", f"{hearing.path}/objects/{order[0]}", sent[order[1]])[0]
        assert status in (200, 422), status
        for digest in order:
            assert all(sha256(copy.read_bytes()) == digest for copy in sites.second.copies(digest))
        once = sender.entries(hearing, 0, 3)
        again = sender.entries(hearing, 0, 3)
        assert once["checkpoint"].split("\n")[:3] == again["checkpoint"].split("\n")[:3]
        try:
            sender.entries(hearing, 1, 4)  # some that are held and one that is not: it says where to go on
            raise AssertionError("entries that overlap were taken")
        except Refused as refused:
            assert refused.status == 409 and refused.problem["held_size"] == 3, refused.problem
        sender.entries(hearing, 3, 4)
        assert sender.client.call("GET", hearing.path + "/checkpoint")["size"] == 4
        # Another story about what is held is refused for good.
        hearing.entries[2] = hearing.entries[2].replace(b'"seq":1', b'"seq":7')
        try:
            sender.entries(hearing, 2, 4)
            raise AssertionError("two stories of one hearing were taken")
        except Refused as refused:
            assert refused.status in (400, 409), refused.problem
        hearing.entries[2] = hearing.entries[2].replace(b'"seq":7', b'"seq":1')
        hearing.finish()
        hearing.post()
        sites.whole(hearing)


def test_a_second_site_without_room():
    with LinedSites() as sites, contextlib.ExitStack() as disks:
        sites.second.stop()
        made = []
        for volume in sites.second.volumes:
            kept = volume.with_name(volume.name + ".kept")
            volume.rename(kept)
            disk = disks.enter_context(small_disk.SmallDisk(volume, 64))
            shutil.copytree(kept, volume, dirs_exist_ok=True)
            made.append(disk)
        sites.second.set("min_free_bytes", 8_000_000)
        sites.second.start()
        before = sites.file(0)
        sites.whole(before)
        fillers = [disk.fill(7_500_000) for disk in made]  # below the floor
        during = [sites.file(n) for n in (1, 2)]
        done = sites.attempt()
        assert done.returncode != 0 and "make room" in done.stdout + done.stderr, done.stdout + done.stderr
        lag = sites.status()
        assert not lag["caught_up"] and lag["hearings_behind"] >= 1, lag
        assert sites.second.server.poll() is None
        for filler in fillers:
            filler.unlink()
        sites.whole(before, *during)
        sites.second.stop()


def test_a_key_that_is_revoked_in_the_middle():
    with LinedSites() as sites:
        first = sites.file(0)
        sites.whole(first)
        second = sites.begin(1)
        sites.record(second, 8)
        second.finish()
        second.post()
        sites.line.rate = 5_000
        process = subprocess.Popen([REPLICATE, "--config", sites.config, "once"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        time.sleep(1.5)
        assert process.poll() is None, "it was done before the key was revoked"
        sites.second.archive("origin", "revoke", "--name", sites.primary.name, "--why", "stolen")
        told = process.communicate(timeout=60)[0]
        assert process.returncode in (1, 2), told
        sites.line.rate = FAST
        refused = sites.attempt()
        assert refused.returncode == 2 and "does not know your key" in refused.stderr, refused.stderr
        held = sites.primary.verify(*sites.second.volumes)
        assert held[0] in (0, 1) and all(len(sites.second.copies(d)) == 3 for d in sites.digests(first))
        # A new key leads to the same copies.
        keys = json.loads(sites.primary.archive("keys", "--json").stdout)
        code = sites.folder / "renewed"
        sites.second.archive("origin", "add", "--name", sites.primary.name, "--log-vkey", keys["log_vkey"], "--renew", "--code-file", code)
        (sites.folder / "state" / "identity.key").unlink()
        sites.replicate("enrol-target", "--code-file", code)
        source = sites.folder / "renewed-source"
        there = json.loads(sites.second.archive("keys", "--json").stdout)
        sites.primary.archive("cosigner", "add", "--vkey", there["holder_vkey"], "--renew", "--code-file", source)
        sites.replicate("enrol-source", "--code-file", source)
        sites.whole(first, second)


def test_the_second_site_is_lost_and_seeded_again():
    with LinedSites() as sites:
        hearings = [sites.file(n) for n in range(2)]
        sites.whole(*hearings)
        there = json.loads(sites.second.archive("keys", "--json").stdout)
        sites.second.__exit__()
        sites.primary.archive("cosigner", "revoke", "--name", there["holder_vkey"].split("+")[0], "--why", "retired")
        hearings.append(sites.file(2))
        assert sites.attempt().returncode == 2
        sites.second = sites.targets["dr"] = World("dr.test.example", role="replica").__enter__()
        sites.second.start()
        sites.line.to_port = sites.second.machine
        keys = json.loads(sites.primary.archive("keys", "--json").stdout)
        there = json.loads(sites.second.archive("keys", "--json").stdout)
        code, source = sites.folder / "again", sites.folder / "again-source"
        sites.second.archive("origin", "add", "--name", sites.primary.name, "--log-vkey", keys["log_vkey"], "--code-file", code)
        sites.primary.archive("cosigner", "add", "--vkey", there["holder_vkey"], "--code-file", source)
        shutil.rmtree(sites.folder / "state")
        sites.replicate("enrol-source", "--code-file", source)
        sites.replicate("enrol-target", "--code-file", code)
        sites.lead_target_to(sites.line.port)
        status = sites.status()
        assert status["hearings_behind"] == 3 and not status["caught_up"], status
        sites.whole(*hearings)


def test_away_for_a_month_and_clocks_that_jump():
    with LinedSites() as sites:
        first = sites.file(0)
        sites.whole(first)
        sites.second.stop()
        clock = WallClock(sites.folder, 31 * DAY_S, error_ms=5)
        during = [sites.file(n) for n in range(1, 4)]
        aged = subprocess.run([*clock.prefix(), REPLICATE, "--config", sites.config, "status", "--json"], stdout=subprocess.PIPE, text=True, check=False)
        lag = json.loads(aged.stdout)
        assert lag["age_ms"] > 30 * DAY_S * 1000 and lag["hearings_behind"] >= 3 and "not_asked" in lag, lag
        sites.second.start(*clock.prefix())
        with open(sites.folder / "run.log", "a") as log:
            service = subprocess.Popen([*clock.prefix(), REPLICATE, "--config", sites.config, "run"], stdout=log, stderr=log)
            try:
                sites.wait(lambda: sites.status()["caught_up"], 60)
                # Forwards by a day, back by two, to the true time: it goes on, and no lag is less than nothing.
                for number, days in enumerate((32, 30, 0)):
                    clock.set(days * DAY_S, error_ms=5)
                    hearing = sites.file(4 + number)
                    during.append(hearing)
                    sites.wait(lambda: sites.status()["caught_up"], 60)
                    assert all(one["age_ms"] >= 0 for one in sites.status()["classes"] if "age_ms" in one)
            finally:
                service.send_signal(signal.SIGTERM)
                assert service.wait(30) == 0
        sites.whole(first, *during)


def test_two_archives_of_one_name_are_not_mixed():
    with LinedSites() as sites:
        first = sites.file(0)
        sites.whole(first)
        sites.client.close()
        sites.primary.stop()
        # The machine is copied as it stands, and both go on: two archives with one key.
        twin = sites.folder / "twin"
        shutil.copytree(sites.primary.home, twin)
        state = sites.folder / "twin-replicate"
        shutil.copytree(sites.folder / "state", state)
        sites.primary.start()
        mine = sites.file(1)
        sites.whole(first, mine)
        sites.client.close()
        sites.primary.stop()
        ours = sites.primary.home.with_name("ours")
        sites.primary.home.rename(ours)
        twin.rename(sites.primary.home)
        sites.primary.start()
        other = sites.file(2)
        refused = sites.attempt()
        assert refused.returncode in (1, 2), refused.stdout
        assert "the two sites disagree" in refused.stderr + refused.stdout, refused.stderr + refused.stdout
        assert not any(sites.second.copies(d) for d in sites.digests(other)) or not sites.status()["caught_up"]
        exit_status, verdict = sites.primary.verify(*sites.second.volumes)
        assert exit_status in (0, 1), verdict
        sites.client.close()
        sites.primary.stop()
        sites.primary.home.rename(twin)
        ours.rename(sites.primary.home)
        sites.primary.start()
        sites.whole(first, mine)


def test_the_replicator_is_killed_at_its_steps():
    with LinedSites() as sites:
        hearing = sites.file(0)
        traced = crash_points.Watched([REPLICATE, "--config", sites.config, "once"])
        traced.end(60)
        assert traced.calls, "nothing was traced"
        steps = len(traced.calls)
        hearings, killed = [hearing], 0
        for number in range(10):
            hearings.append(sites.file(1 + number))
            one = crash_points.Watched([str(REPLICATE), "--config", str(sites.config), "once"], kill_at=1 + number * steps // 10)
            one.end(60)
            killed += one.killed_at is not None
        assert killed > 5, killed
        sites.whole(*hearings)


def end_traced(world):
    """Ends what strace runs: strace itself would leave it running."""
    if world.server.poll() is None:
        for pid in pathlib.Path(f"/proc/{world.server.pid}/task/{world.server.pid}/children").read_text().split():
            os.kill(int(pid), signal.SIGKILL)
        world.server.wait(30)
    world.server = None


def test_the_second_site_is_killed_at_its_steps():
    with LinedSites() as sites:
        hearings, killed = [], 0
        sites.second.stop()
        for number, (call, ordinal) in enumerate([(name, n) for name in ("fdatasync", "linkat", "fsync", "renameat2,rename", "sendmsg,sendto") for n in (1, 3)]):
            hearings.append(sites.file(number))
            sites.second.start("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={ordinal}",
                               expect=False)
            sites.attempt()
            killed += sites.second.server.poll() is not None
            end_traced(sites.second)
        assert killed > 3, killed
        sites.second.start()
        sites.whole(*hearings)


if __name__ == "__main__":
    small_disk.enter()
    main([value for name, value in list(globals().items()) if name.startswith("test_")])
