#!/usr/bin/python3
"""The scripted disaster: two courtrooms record, the first site is destroyed in the middle of their hearings, the second one is promoted, the
stations carry on by themselves, and at the end it is counted what there is.

    disaster.py DIR BIN STARTED [--hurry]     DIR: two archives that know each other, stations enrolled, officers named (packaging/quickstart)

Nobody touches a station after the disaster. What must be there is what the stations' own spools said was confirmed, at any time; what is
there is found by tests/twin/check_invariants.py, which reads the second site's files itself. DIR/run/disaster.json and the last line: a summary.
"""
import argparse
import dataclasses
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

from check import Browser, Failed, expect
from receipts import Receipts, covered, held_at, objects_of, span, spools
from record_live import Courtroom, ms_of

DEMO = pathlib.Path(__file__).resolve().parent
CHECKER = DEMO.parents[1] / "tests" / "twin" / "check_invariants.py"
ARCHIVE, HOLDER = "archive.demo.example", "archive.demo.example/epoch/2/holder"
STREAMS = (("cam-bench", "video", "test:bars?size=320x240&rate=10"), ("mic-judge", "audio", "test:tone?frequency=330"))
PATIENCE_SECONDS = 180  # a loaded machine is slow, not broken


@dataclasses.dataclass
class Pace:
    """Seconds; a station asks the other sites after `ask` without an answer (its default is a minute)."""
    together: int = 25
    apart: int = 20
    after: int = 12
    ask: int | None = None
    video: int = 10
    audio: int = 10


HURRY = Pace(together=9, apart=7, after=6, ask=3, video=4, audio=5)


def say(text):
    print(f"\n\033[1m{text}\033[0m", flush=True)


def tell(text):
    print("   " + text, flush=True)


def until(what, holds):
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        expect(time.monotonic() < end, f"waited {PATIENCE_SECONDS} s in vain until {what}")
        time.sleep(0.2)


class Station(Courtroom):
    def __init__(self, folder, programs, name, pace, second_site):
        super().__init__(folder, programs, name)
        self.name = name
        ask = "" if pace.ask is None else f"[upload]\nask_successors_after_s = {pace.ask}\n"
        streams = "".join(f'[[stream]]\nname = "{name}"\nmedium = "{medium}"\naddress = "{address}"\n' for name, medium, address in STREAMS)
        (self.home / "station.toml").write_text(f'directory = "{self.home}/spool"\nsafe = "dr"\nsecond_site = "{second_site}"\n{ask}'
                                                f"[segments]\nvideo_seconds = {pace.video}\naudio_seconds = {pace.audio}\n{streams}")

    def open(self, details):
        return self.ask("open", "--details", details)["hearing"]

    def close(self):
        self.ask("close", "--no-upload")  # the service brings it

    def segments(self, hearing):
        """(index, entry)"""
        return [(index, entry) for index, entry in enumerate(self.log(hearing)) if entry["kind"] == "segment"]

    def knows_successors(self):
        path = self.home / "spool" / "successors.json"
        return path.exists() and all(f"officer-{n}" in path.read_text() for n in (1, 2))


class Disaster:
    def __init__(self, folder, programs, pace):
        self.folder, self.programs, self.pace = folder, programs, pace
        self.ports = dict(line.split("=") for line in (folder / "run" / "ports").read_text().split())
        second_site = json.loads((folder / "run" / "dr-keys.json").read_text())["holder_vkey"]
        self.names = [station["name"] for station in json.loads((folder / "plan.json").read_text())["stations"]]
        self.rooms = [Station(folder, programs, name, pace, second_site) for name in self.names]
        self.replicator, self.summary = None, {}

    # -- programs --

    def archive(self, site, *words):
        done = subprocess.run([self.programs / "greffe-archive", "--config", self.folder / site / "archive.toml", *map(str, words)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        expect(done.returncode == 0, f"greffe-archive {words[0]} ended with {done.returncode}: {done.stderr.strip()[-600:]}")
        return done.stdout

    def site(self, verb, which):
        subprocess.run([DEMO / "site", verb, self.folder, which], env={**os.environ, "GREFFE_PROGRAMS": str(self.programs)}, check=True)

    def replicate(self):
        with open(self.folder / "run" / "replicate.log", "a") as log:
            self.replicator = subprocess.Popen([self.programs / "greffe-replicate", "--config", self.folder / "replicate" / "replicate.toml", "run"],
                                               stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def end(self):
        for room in self.rooms:
            room.end(signal.SIGTERM)
        if self.replicator:
            self.replicator.kill()
            self.replicator.wait()

    # -- the story --

    def details(self, number):
        return self.folder / "details" / ["long.json", "short-01.json", "short-03.json"][number]

    def record(self):
        """Both sites have what is recorded, a few seconds later."""
        for room in self.rooms:
            room.start()
        self.hearings = [room.open(self.details(n)) for n, room in enumerate(self.rooms)]
        for room in self.rooms:
            room.records(0)
        time.sleep(self.pace.together)
        until("the second site has a segment of each hearing", lambda: all(self.segments_within(held_at(self.folder / "dr"))))
        until("both stations know who may promote which site", lambda: all(room.knows_successors() for room in self.rooms))
        self.policy = self.folder / "policy.txt"
        self.policy.write_text(self.archive("primary", "policy"))

    def segments_within(self, sizes):
        """How many segments of each hearing are among so many first entries."""
        return [sum(index < sizes.get(hearing, 0) for index, _ in room.segments(hearing)) for room, hearing, _ in spools(self.rooms)]

    def cut_the_line(self):
        """The first site confirms, the second one does not get it: a hearing's end, and a whole new one."""
        self.replicator.send_signal(signal.SIGSTOP)
        room = self.rooms[1]
        room.close()
        self.hearings.append(room.open(self.details(2)))
        room.records(self.pace.apart)

        def confirmed_here_alone():
            most, there = self.receipts.look(), held_at(self.folder / "dr")
            return all(more > before for more, before in zip(self.segments_within(most), self.segments_within(there)))
        until("the first site alone has confirmed more of every hearing", confirmed_here_alone)

    def destroy(self):
        """No process ends in order, and no file of the first site is left."""
        self.lost_at = time.time()
        os.kill(int((self.folder / "run" / "primary.pid").read_text()), signal.SIGKILL)
        self.replicator.kill()
        self.replicator.wait()
        self.replicator = None
        for name in ("primary", "replicate"):
            shutil.rmtree(self.folder / name)
        time.sleep(1)  # a receipt may just have come
        self.confirmed = self.receipts.look()
        self.there = held_at(self.folder / "dr")

    def promote(self):
        statement = self.folder / "run" / "statement"
        where = ("--machine-url", f"https://127.0.0.1:{self.ports['dr_machine']}")
        plan = json.loads(self.archive("dr", "promote", ARCHIVE, *where, "--statement", statement, "--json"))
        signatures = []
        for name in ("officer-1", "officer-2"):
            signatures += ["--signature", self.folder / "run" / f"signed-{name}"]
            self.archive("dr", "officer", "sign", "--name", name, "--key-file", self.folder / "officers" / name, "--statement", statement, "--out", signatures[-1])
        begun = time.monotonic()
        self.site("stop", "dr")
        self.archive("dr", "promote", ARCHIVE, *where, *signatures)
        self.site("start", "dr")
        self.summary["promotion_s"] = round(time.monotonic() - begun, 1)
        return plan

    def carry_on(self):
        """Nobody does anything: the stations find the second site, and bring everything that they still have."""
        until("both stations have a receipt of the second site", lambda: all(self.receipts.first.get((name, HOLDER)) for name in self.names))
        until("everything that was confirmed is confirmed again", lambda: all(
            covered(folder / "receipt")[0] >= self.confirmed.get(hearing, 0) and HOLDER in covered(folder / "receipt")[1]
            for _, hearing, folder in spools(self.rooms)))
        self.back_at = time.time()
        time.sleep(self.pace.after)
        for room in self.rooms:
            room.close()
        until("every hearing is finished and confirmed", lambda: all(
            room.log(hearing)[-1]["kind"] == "close" and covered(folder / "receipt")[0] == len(room.log(hearing)) for room, hearing, folder in spools(self.rooms)))

    # -- what there is --

    def acknowledged(self):
        """What the checker is told must be there: all that anybody ever confirmed to a station."""
        lines, segments = [], 0
        for room, hearing, _ in spools(self.rooms):
            size = max(self.confirmed.get(hearing, 0), self.receipts.look()[hearing])
            entries = room.log(hearing)[:size]
            segments += sum(entry["kind"] == "segment" for entry in entries)
            lines += [f"{ARCHIVE}/hearing/{hearing} {size}"] + [digest for entry in entries for digest in objects_of(entry)]
        path = self.folder / "run" / "acknowledged"
        path.write_text("".join(line + "\n" for line in lines))
        return path, segments

    def check(self):
        path, segments = self.acknowledged()
        volumes = sorted((self.folder / "dr" / "volumes").iterdir())
        done = subprocess.run([sys.executable, CHECKER, "--acknowledged", path, "--json", *volumes], stdout=subprocess.PIPE, text=True, check=False)
        answer = json.loads(done.stdout or "{}")
        expect(done.returncode == 0, f"the independent checker: {answer.get('broken')}")
        expect(answer["acknowledged"] == len(path.read_text().splitlines()), f"the checker looked for {answer['acknowledged']} of what was confirmed")
        verify = subprocess.run([self.programs / "greffe-verify", "--policy", self.policy, "--json", *volumes], stdout=subprocess.PIPE, text=True, check=False)
        verdict = json.loads(verify.stdout)
        expect(verify.returncode == 0, f"greffe-verify, with the policy of before: {verdict.get('verdict')} {verdict.get('findings')}")
        self.summary |= {"hearings": len(self.hearings), "segments_confirmed": segments, "segments_found": segments, "objects_read_by_checker": answer["objects"],
                         "verified": verdict["verdict"]}

    def count_seconds(self):
        """By stream; a segment that was being recorded when the site was lost counts as recorded by then."""
        lost_ms, back, alone, late, unrecorded, missing = self.lost_at * 1000, 0, 0, [], 0, [0]
        after = held_at(self.folder / "dr")
        for room, hearing, _ in spools(self.rooms):
            newest, gone = {}, {}
            for index, entry in room.segments(hearing):
                begin, end = span(entry)
                if begin >= lost_ms:
                    continue
                held = index < self.there.get(hearing, 0)
                newest[entry["stream"]] = max(newest.get(entry["stream"], 0), end if held else 0)
                if index >= after.get(hearing, 0):
                    gone[entry["stream"]] = gone.get(entry["stream"], 0) + end - begin
                    continue
                back += 0 if held else end - begin
                alone += end - begin if not held and index < self.confirmed.get(hearing, 0) else 0
            missing += gone.values()
            if hearing in (self.hearings[0], self.hearings[2]):  # those in progress
                begun = ms_of(room.log(hearing)[0]["utc"])
                late += [lost_ms - (end or begun) for end in newest.values()]
            log = room.log(hearing)  # a camera's first picture comes a moment after the beginning
            unrecorded += sum(ms_of(entry["to"]) - ms_of(entry["from"]) for entry in log if entry["kind"] == "gap" and entry["from"] != log[0]["utc"])
        first = [self.receipts.first[(name, HOLDER)] - self.lost_at for name in self.names]
        self.summary |= {"seconds_from_spools": round(back / 1000, 1), "seconds_confirmed_by_the_lost_site_alone": round(alone / 1000, 1), "rpo_s": round(max(missing) / 1000, 1),
                         "rpo_without_spools_s": round(max(late) / 1000, 1), "gaps_s": round(unrecorded / 1000, 1), "rto_s": round(max(first), 1),
                         "rto_first_station_s": round(min(first), 1), "all_back_s": round(self.back_at - self.lost_at, 1)}

    def look_as_a_clerk(self):
        """Who could log in before can now, finds the hearing that went on, and plays what was recorded before and after."""
        browser = Browser(self.folder, "claire", "dr", "state-epoch-2")
        status, _ = browser.log_in("claire", (self.folder / "logins" / "claire").read_text().strip())
        expect(status == 200, f"claire cannot log in at the second site: {status}")
        hearing = self.hearings[0]
        found = [row["id"] for row in browser.get("/v1/hearings?q=lefevre&limit=100")["hearings"]]
        expect(found == [hearing], f"claire found {found}, not {hearing}")
        segments = [entry for _, entry in self.rooms[0].segments(hearing)]
        before, after = (sum((ms_of(entry["utc"]) < self.lost_at * 1000) == early for entry in segments) for early in (True, False))
        expect(before and after, f"the hearing has {before} segments of before and {after} of after the disaster")
        status, _ = browser.call("POST", f"/v1/hearings/{hearing}/play", {})
        expect(status in (200, 201), f"claire cannot play it: {status}")
        for entry in segments:
            browser.fetch(f"/v1/hearings/{hearing}/objects/{entry['sha256']}.mp4", entry["sha256"])
        self.summary["played"] = len(segments)

    def run(self):
        with Receipts(self.rooms) as self.receipts:
            say("3. Two courtrooms record live; the second site has everything a few seconds later")
            self.replicate()
            self.record()
            tell(f"{len(self.names)} hearings, {sum(self.segments_within(held_at(self.folder / 'dr')))} segments at both sites")
            say("4. The line to the second site is cut (the replicator is stopped); the courtrooms record on, the first site confirms")
            self.cut_the_line()
            say("5. The first site is destroyed in the middle of two hearings: processes killed, folders removed")
            self.destroy()
            tell(f"left of it: {', '.join(name for name in ('primary', 'replicate') if (self.folder / name).exists()) or 'nothing'}")
            say("6. Two officers sign, the second site is promoted")
            plan = self.promote()
            tell(f"epoch {plan['epoch']} goes on behind entry {plan['size']} of the main log; {self.summary['promotion_s']} s from the command to an archive that takes recordings")
            say("7. The stations carry on by themselves; nobody touches them")
            self.carry_on()
            self.end()
            say("8. What there is, by a checker that shares no code with Greffe and reads the files itself")
            self.check()
            self.count_seconds()
            self.look_as_a_clerk()
        s = self.summary
        tell(f"every one of the {s['segments_confirmed']} segments that a station ever had a receipt for is there; greffe-verify, with the policy of before: {s['verified']}")
        tell(f"{s['seconds_from_spools']} s of recording (all streams together) came back from spools, {s['seconds_confirmed_by_the_lost_site_alone']} s of it had been confirmed by the lost site alone")
        tell(f"RPO {s['rpo_s']} s (without the spools: {s['rpo_without_spools_s']} s)")
        tell(f"RTO {s['promotion_s']} s for the site, {s['rto_s']} s from the disaster to the last station's first receipt; all that was confirmed before was back after {s['all_back_s']} s")
        tell(f"gaps in the recordings, from the first picture on: {s['gaps_s']} s; a clerk played {s['played']} segments of the hearing that went on")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("started", type=int)
    parser.add_argument("--hurry", action="store_true")
    words = parser.parse_args()
    story = Disaster(words.folder.resolve(), words.programs.resolve(), HURRY if words.hurry else Pace())
    try:
        story.run()
        story.summary = {"ok": True, **story.summary}
    except (Failed, RuntimeError) as problem:
        story.summary = {"ok": False, **story.summary, "problem": str(problem)}
    finally:
        story.end()
    story.summary["seconds"] = int(time.time()) - words.started
    text = json.dumps(story.summary, ensure_ascii=False)
    (words.folder / "run" / "disaster.json").write_text(text + "\n")
    print(text)
    return 0 if story.summary["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
