#!/usr/bin/python3
"""Looks at the demo from outside, as a clerk, an auditor and a stranger would; prints a JSON summary as its last line.

    check.py DIR BIN STARTED      STARTED: when quickstart began, seconds since 1970

Speaks to the archive with curl over real TLS and a cookie session; decodes what it plays with the ffmpeg program.
Exit status 0 only if everything holds.
"""
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from record_live import log_of


class Failed(Exception):
    pass


def expect(condition, sentence):
    if not condition:
        raise Failed(sentence)


class Browser:
    """curl with a cookie jar: one person at the browser listener."""

    def __init__(self, folder, name, site="primary", state="state"):
        ports = dict(line.split("=") for line in (folder / "run" / "ports").read_text().split())
        self.origin = f"https://127.0.0.1:{ports[site + '_browser']}"
        self.certificate = folder / site / state / "browser.crt"
        self.jar = folder / "run" / f"cookies-{name}"
        self.jar.unlink(missing_ok=True)

    def call(self, method, path, body=None):
        words = ["curl", "--silent", "--show-error", "--tlsv1.3", "--cacert", str(self.certificate), "--cookie", str(self.jar),
                 "--cookie-jar", str(self.jar), "--request", method, "--header", f"Origin: {self.origin}",
                 "--write-out", "\n%{http_code}", self.origin + path]
        if body is not None:
            words += ["--header", "Content-Type: application/json", "--data-binary", "@-"]
        done = subprocess.run(words, input=json.dumps(body) if body is not None else None, stdout=subprocess.PIPE, text=True,
                              check=False)
        expect(done.returncode == 0, f"curl {method} {path} ended with exit status {done.returncode}")
        text, status = done.stdout.rsplit("\n", 1)
        return int(status), json.loads(text) if text.strip() else {}

    def read(self, path):
        words = ["curl", "--silent", "--fail", "--cacert", str(self.certificate), "--cookie", str(self.jar), self.origin + path]
        return subprocess.run(words, stdout=subprocess.PIPE, check=False).stdout

    def fetch(self, path, digest):
        """An object's bytes, hashed as a page would."""
        data = self.read(path)
        expect(hashlib.sha256(data).hexdigest() == digest, f"{path} is not what its name says")
        return data

    def get(self, path):
        status, answer = self.call("GET", path)
        expect(status == 200, f"GET {path} was answered {status}: {answer}")
        return answer

    def log_in(self, name, password):
        return self.call("POST", "/v1/session", {"account": name, "password": password})


def search(browser, words):
    escaped = "".join(f"%{byte:02X}" for byte in words.encode())
    return [row["id"] for row in browser.get(f"/v1/hearings?q={escaped}&limit=100")["hearings"]]


def decoded(source, selector, data=None):
    """What the ffmpeg program decodes, in order: a digest per picture, or all samples as bytes."""
    kind = selector[0]
    output = ["-fps_mode", "passthrough", "-f", "framehash", "-hash", "md5", "-"] if kind == "v" else ["-f", "s16le", "-"]
    words = ["ffmpeg", "-nostdin" if data is None else "-y", "-v", "error", "-i", str(source), "-map", f"0:{selector}", *output]
    done = subprocess.run(words, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    expect(done.returncode == 0, f"ffmpeg could not decode {source}: {done.stderr[-400:]}")
    if kind == "a":
        return done.stdout
    return [line.rsplit(",", 1)[1].strip() for line in done.stdout.decode().splitlines() if not line.startswith("#")]


def check_search(folder, plan, filed):
    """Every number and name must find what a plain look at the plan finds, and no court but the clerk's own."""
    answers = {}
    details = {h["id"]: json.loads((folder / "details" / (h["id"] + ".json")).read_text()) for h in plan["hearings"]}
    court = {s["name"]: s["court"] for s in plan["stations"]}
    for clerk, home, queries in (
            ("claire", "montclair", ["RG 26/01233", "Lefèvre", "lefevre", "Bérenger", "RG 26/01234"]),
            ("meiling", "jiangcheng", ["王伟", "张秀英", "鄂01民初1243号", "(２０２６)鄂01民初1234号之一", "李方"])):
        browser = Browser(folder, clerk)
        status, _ = browser.log_in(clerk, (folder / "logins" / clerk).read_text().strip())
        expect(status == 200, f"{clerk} could not log in: {status}")
        mine = {filed[h["id"]]["hearing"] for h in plan["hearings"] if court[h["station"]] == home}
        for words in queries:
            found = search(browser, words)
            expect(found, f"{clerk} found nothing for {words}")
            expect(set(found) <= mine, f"{clerk} saw hearings of another court for {words}")
            answers[words] = len(found)
        everything = browser.get("/v1/hearings?limit=100")
        expect({row["id"] for row in everything["hearings"]} == mine, f"{clerk} does not see all the hearings of {home}")
    exact = {h["id"] for h in plan["hearings"] if "RG 26/01234" in details[h["id"]]["cases"]}
    expect(exact, "the plan has no RG 26/01234")
    return answers


def check_whole(name, kind, kept, recorded):
    """Nothing is missing; a file's edit list may hide a picture or two at its end, which are kept all the same."""
    whole = [picture for part in kept for picture in part] if kind == "v" else b"".join(kept)
    expect(whole[: len(recorded)] == recorded and len(whole) - len(recorded) <= (2 if kind == "v" else 0),
           f"stream {name}: what the archive keeps is not what was filed")


def place_in(kind, source, piece):
    """Where the piece lies in its source, in pictures or samples; None: nowhere."""
    if kind == "v":
        starts = (at for at, picture in enumerate(source) if picture == piece[0])
        return next((at for at in starts if source[at:at + len(piece)] == piece), None)
    at = source.find(piece)
    while at > 0 and at % 2:  # between two samples of 16 bits
        at = source.find(piece, at + 1)
    return at // 2 if at >= 0 else None


def check_live(name, kind, runs, source):
    """A run begins wherever its source was just then; from there on nothing is missing in it, and nothing is added."""
    expect(len(runs) >= 3, f"stream {name}: {len(runs)} live runs are kept; before and after the crash and after the recess there must be one")
    for number, piece in enumerate(runs):
        expect(piece and place_in(kind, source, piece) is not None,
               f"stream {name}: what the archive keeps of live run {number} is no piece of what its source sent")


def check_playback(browser, folder, hearing, identity):
    """What plays is, picture for picture and sample for sample, what was recorded; the playlists play to their end."""
    status, ticket = browser.call("POST", f"/v1/hearings/{identity}/play", {})
    expect(status in (200, 201), f"no play ticket: {status} {ticket}")
    master = browser.origin + ticket["master"]
    timeline = browser.get(f"/v1/hearings/{identity}/timeline")
    pictures = 0
    for stream in timeline["streams"]:
        name = stream["name"]
        source = hearing["streams"][name]
        path, _, track = source.partition("#")
        kind = "v" if stream["medium"] == "video" else "a"
        recorded = decoded(path if path.startswith("/") else folder / "media" / path, track or kind + ":0")
        runs = sorted({segment["run"] for segment in stream["segments"]})
        kept = []
        for run in runs:
            data = b"".join(browser.fetch(f"/v1/hearings/{identity}/objects/{s['sha256']}.mp4", s["sha256"])
                            for s in stream["segments"] if s["run"] == run)
            kept.append(decoded("-", kind + ":0", data))
        if "rest" in hearing:
            check_live(name, kind, kept[:-1], recorded)
            check_whole(name, kind, kept[-1:], decoded(folder / "media" / hearing["rest"][name], kind + ":0"))
        else:
            check_whole(name, kind, kept, recorded)
        whole = [picture for part in kept for picture in part] if kind == "v" else b"".join(kept)
        played = decoded(master.rsplit("/", 1)[0] + f"/streams/{name}/playlist.m3u8", kind + ":0")
        expect(len(played) == len(whole) and played[-50:] == whole[-50:],
               f"stream {name}: its playlist plays {len(played)} of the {len(whole)} that are kept")
        if kind == "v" and not pictures:  # the master playlist leads with the first camera
            pictures, borders = len(whole), len(runs)
    done = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", master, "-map", "0:v:0", "-t", "20", "-f", "null", "-"],
                          stderr=subprocess.PIPE, text=True, check=False)
    expect(done.returncode == 0, f"the master playlist does not play: {done.stderr[-400:]}")
    if pictures:
        # VLC 3.0 lets go of what its demuxer still holds where a run ends: at most one fragment of a second.
        seen = seen_by_vlc(browser, master)
        expect(seen >= pictures - 31 * borders, f"VLC shows {seen} of {pictures} pictures")
    return len(timeline["streams"])


def seen_by_vlc(browser, master):
    """How many pictures VLC takes from the master playlist, over TLS. It refuses to run as root, so it runs as nobody then."""
    with tempfile.TemporaryDirectory(prefix="greffe-vlc-") as name:
        folder = pathlib.Path(name)
        shutil.copy(browser.certificate, folder / "trusted.pem")
        words = ["cvlc", "--intf", "dummy", "--gnutls-dir-trust", name, "--sout",
                 f"#std{{access=file,mux=ts,dst={name}/seen.ts}}", master, "vlc://quit"]
        if os.geteuid() == 0:
            for path in (folder, folder / "trusted.pem"):
                os.chown(path, 65534, 65534)
            words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *words]
        player = subprocess.run(words, env={"HOME": name, "PATH": os.environ["PATH"]}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                text=True, errors="replace", timeout=300, check=False)
        probe = ["ffprobe", "-v", "error", "-count_packets", "-select_streams", "v:0", "-show_entries", "stream=nb_read_packets",
                 "-of", "json", str(folder / "seen.ts")]
        done = subprocess.run(probe, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        streams = json.loads(done.stdout or "{}").get("streams", [])
        expect(streams, f"VLC (exit status {player.returncode}) played nothing of {master}: {done.stderr[-200:]} {player.stdout[-1500:]}")
        return int(streams[0]["nb_read_packets"])


def check_timeline(browser, hearing, identity):
    timeline = browser.get(f"/v1/hearings/{identity}/timeline")
    expect({s["name"] for s in timeline["streams"]} == set(hearing["streams"]), "the timeline lacks a stream")
    recess = [gap for gap in timeline["gaps"] if gap["reason"] == "recess"]
    expect(len(recess) == len(hearing["gaps"]), f"{len(recess)} recesses on the timeline, {len(hearing['gaps'])} were made")
    order = {mark["text"]: number for number, mark in enumerate(hearing["marks"])}
    texts = [mark["text"] for mark in sorted(timeline["marks"], key=lambda mark: mark["at"]) if mark["text"] in order]
    expect(texts == list(order), f"the marks on the timeline are {texts}, not {list(order)}")
    return {"streams": len(timeline["streams"]), "gaps": len(timeline["gaps"]), "marks": len(timeline["marks"]),
            "segments": sum(len(s["segments"]) for s in timeline["streams"])}


def check_crash(browser, hearing, identity):
    """What the kill left half written was kept, and the hole behind it is a gap of every stream, with an explanation."""
    timeline = browser.get(f"/v1/hearings/{identity}/timeline")
    entries = list(log_of(browser.read(f"/v1/log/hearing/{identity}/tile/entries/000.p/{timeline['log_size']}")))
    explained = {entry["gap"] for entry in entries if entry["kind"] == "explanation"}
    for name in hearing["streams"]:
        own = [(index, entry) for index, entry in enumerate(entries) if name in (entry.get("stream"), *entry.get("streams", []))]
        faults = {index for index, entry in own if entry["kind"] == "gap" and entry["reason"] == "fault"}
        expect(faults & explained, f"stream {name}: the crash is no gap in it, or was never explained")
        segments = [entry for _, entry in own if entry["kind"] == "segment"]
        expect(any("recovered" in entry["flags"] for entry in segments), f"stream {name}: nothing was recovered after the crash")
        live, filed = (sum(entry["duration_90k"] for entry in segments if (entry["boot"] == "import") == imported) / 90_000
                       for imported in (False, True))
        expect(live > 45 and live + filed > 165, f"stream {name}: {live:.0f} s were recorded live and {filed:.0f} s filed")


def check_strangers(folder, identity):
    """Who has no business here hears so, and why."""
    stranger = Browser(folder, "stranger")
    status, _ = stranger.call("GET", f"/v1/hearings/{identity}")
    expect(status == 401, f"without logging in a hearing was answered {status}")
    status, _ = stranger.log_in("claire", "not the password")
    expect(status == 401, f"a wrong password was answered {status}")
    operator = Browser(folder, "operator")
    expect(operator.log_in("operator", (folder / "logins" / "operator").read_text().strip())[0] == 200, "the operator cannot log in")
    status, _ = operator.call("GET", f"/v1/hearings/{identity}")
    expect(status == 403, f"the operator, who sees no content, was answered {status}")
    return operator.get("/v1/status")


def verify(programs, folder, *paths):
    words = [str(programs / "greffe-verify"), "--policy", str(folder / "policy.txt"), "--json", *map(str, paths)]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False)
    answer = json.loads(done.stdout)
    expect(done.returncode == 0, f"greffe-verify says {answer.get('verdict')} of {paths[0]}")
    return answer["verdict"]


def separated(folder):
    """The second site's process, asked what it sees where the first one's files are."""
    pid = (folder / "run" / "dr.pid").read_text().strip()
    view = pathlib.Path(f"/proc/{pid}/root{folder}/primary")
    how = (folder / "run" / "separation").read_text().strip()
    if how != "none":
        expect(not any(view.iterdir()), "the second site can see the first one's files")
    return how


def export(programs, folder, identity):
    there = folder / "export" / identity
    if not there.exists():
        there.parent.mkdir(exist_ok=True)
        subprocess.run([programs / "greffe-archive", "--config", folder / "primary" / "archive.toml", "export", identity, there],
                       stdout=subprocess.DEVNULL, check=True)
    return there


def verify_primary(programs, folder, identities):
    """Its volumes; where it has none, an export of each hearing."""
    volumes = folder / "primary" / "volumes"
    if volumes.is_dir():
        return verify(programs, folder, *sorted(volumes.iterdir()))
    return max((verify(programs, folder, export(programs, folder, identity)) for identity in identities), key=len)


def check(folder, programs):
    plan = json.loads((folder / "plan.json").read_text())
    filed = json.loads((folder / "filed.json").read_text())
    hearing = plan["hearings"][0]
    identity = filed[hearing["id"]]["hearing"]
    browser = Browser(folder, "claire")
    status, who = browser.log_in("claire", (folder / "logins" / "claire").read_text().strip())
    expect(status == 200, f"claire could not log in: {status} {who}")
    summary = {"hearings": len(filed), "hearing": identity}
    summary["timeline"] = check_timeline(browser, hearing, identity)
    summary["streams_identical"] = check_playback(browser, folder, hearing, identity)
    if hearing["id"] == "long":
        check_crash(browser, hearing, identity)
        summary["station_crash_survived"] = True
        summary["found"] = check_search(folder, plan, filed)
    # Playing was logged; the second site gets that too before it is asked how far behind it is.
    subprocess.run([programs / "greffe-replicate", "--config", folder / "replicate" / "replicate.toml", "once"],
                   stdout=subprocess.DEVNULL, check=True)
    state = check_strangers(folder, identity)
    summary["state"] = state["state"]
    summary["second_site_behind"] = next((site["entries_behind"] for site in state["second_sites"]), None)
    summary["separation"] = separated(folder)
    summary["verified"] = {"primary": verify_primary(programs, folder, [one["hearing"] for one in filed.values()]),
                           "second_site": verify(programs, folder, *sorted((folder / "dr" / "volumes").iterdir())),
                           "export": verify(programs, folder, export(programs, folder, identity))}
    summary["tamper"] = json.loads((folder / "run" / "tamper.json").read_text())
    if hearing["id"] == "long":
        failure = folder / "run" / "failure.json"
        summary["failure"] = json.loads(failure.read_text()) if failure.exists() else None
    return summary


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    folder, programs = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    try:
        summary = {"ok": True, **check(folder, programs)}
    except Failed as problem:
        summary = {"ok": False, "problem": str(problem)}
    summary["seconds"] = int(time.time()) - int(sys.argv[3])
    print(json.dumps(summary, ensure_ascii=False))
    return 0 if summary["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
