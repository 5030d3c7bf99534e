#!/usr/bin/python3
"""An independent verifier: the judge of greffe-verify. Written from docs/formats/; shares no code with the product.

    greffe_twin.py --policy FILE [--main-checkpoint FILE] [--json] PATH…

Same verdicts, codes and exit status as greffe-verify (docs/formats/verdicts.md); slower, and one thread.
"""
import argparse
import base64
import datetime
import hashlib
import json
import pathlib
import re
import sys

from twin_formats import (HEX, ORDER, TILE, UUID, Bad, CannotRun, Note, Policy, Report, canonical, leaf_hash, read, verify_inclusion)
from twin_hearing import Facts, HearingJudge
from twin_logs import LogCopies, check_object


# ---- exports ----

def is_export_path(path):
    if path in ("README.txt", "policy.txt", "manifest-sha256.txt", "main/checkpoint", "hearing/checkpoint"):
        return True
    tile = TILE.match(path[8:]) if path.startswith("hearing/tile/") else None
    if tile:
        groups = tile[2].split("/")
        return not (len(groups) > 1 and groups[0] == "x000") and (tile[4] is None or int(tile[4]) < 256)
    return bool(re.fullmatch(r"main/proofs/(0|[1-9]\d*)\.tlog-proof|main/entries/(0|[1-9]\d*)\.json|hearing/cosigned/[0-9a-f]{8}"
                             r"|play/[a-z0-9-]{1,32}\.m3u8|objects/[0-9a-f]{64}\.(mp4|json|bin)", path, re.A))


def check_files(folder, report):
    listed = {}
    data = read(folder / "manifest-sha256.txt", report)
    if data is None:
        report.add("file-missing", file="manifest-sha256.txt")
    for line in (data or b"").decode("utf-8", "replace").split("\n")[:-1]:
        digest, path = line[:64], line[66:]
        if not HEX.match(digest) or line[64:66] != "  " or not is_export_path(path) or path in listed:
            report.add("manifest", file="manifest-sha256.txt")
        else:
            listed[path] = digest
    found = set()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_dir() and not path.is_symlink():
            continue
        found.add(name)
        if path.is_symlink() or not path.is_file():
            report.add("symlink", file=name)
        elif name == "manifest-sha256.txt":
            continue
        elif not is_export_path(name) or name not in listed:
            report.add("unlisted-file", file=name)
        elif name.startswith("objects/"):
            if name[8:72] != listed[name]:
                report.add("manifest", file=name)
        elif hashlib.sha256(read(path, report) or b"").hexdigest() != listed[name]:
            report.add("file-altered", file=name)
    for name in listed:
        if name not in found and not name.startswith("objects/"):
            report.add("file-missing", file=name)
    return {name for name in listed if name in found and not (folder / name).is_symlink()}


def choose_main(notes, policy, report):
    chosen = None
    for note in notes:
        key = policy.logs.get(note.origin)
        if key is None or not note.signed_by(key.name, key.public):
            report.add("main-signature", log="main", file=note.file)
        elif chosen is None:
            chosen = note
    return chosen


def witness_sizes(notes, policy, report):
    sizes = {}
    for note in notes:
        for name, key in policy.witnesses.items():
            answer = note.cosigned_by(key)
            if answer is False:
                report.add("cosignature-bad", log="main", file=note.file)
            if answer:
                sizes[name] = max(sizes.get(name, 0), note.size)
    return sizes


def read_proof(path, report):
    lines = (read(path, report) or b"").decode("utf-8", "replace").split("\n")
    if lines[0] != "c2sp.org/tlog-proof@v1" or not lines[1].startswith("index ") or "" not in lines:
        raise Bad("not a proof")
    end = lines.index("")
    return int(lines[1][6:]), [base64.b64decode(x, validate=True) for x in lines[2:end]], Note("\n".join(lines[end + 1:]).encode())


def check_export(folder, policy, known, report):
    files = check_files(folder, report)
    try:
        uuid = Note(read(folder / "hearing/checkpoint", report) or b"").origin.rpartition("/")[2]
        if not UUID.match(uuid):
            raise Bad("origin")
    except (Bad, ValueError):
        return report.add("hearing-checkpoint", log="hearing", file="hearing/checkpoint")
    log = LogCopies("main", [folder / "main"], report)
    notes = log.notes("main-checkpoint")
    if not notes and not (folder / "main/checkpoint").exists():
        report.add("main-checkpoint", log="main", file="main/checkpoint")
    head = choose_main(notes, policy, report)
    if head is None:
        return None
    if known and known.origin == head.origin:
        if known.size == head.size and known.root != head.root:
            report.add("main-inconsistent", log="main")
        elif known.size > head.size:
            report.add("stale", "INCOMPLETE", log="main")
    facts = Facts(head.origin, policy, report)
    indices = sorted({int(re.sub(r"\D", "", p)) for p in files if re.match(r"main/(entries|proofs)/", p)})
    if 0 not in indices:
        report.add("genesis", log="main")
    for index in indices:
        data = read(folder / f"main/entries/{index}.json", report)
        try:
            stated, proof, note = read_proof(folder / f"main/proofs/{index}.tlog-proof", report)
            if data is None or stated != index or note.text != head.text or \
                    not verify_inclusion(index, head.size, leaf_hash(data), proof, head.root):
                raise Bad("proof")
        except (Bad, ValueError, IndexError):
            report.add("main-proof", log="main", entry=index, file=f"main/entries/{index}.json")
            continue
        try:
            other = canonical(data).get("hearing", uuid) != uuid
        except Bad:
            other = False
        if other:
            report.add("hearing-swapped", log="main", entry=index, hearing=uuid)
        else:
            facts.add(index, data)
    covered = policy.covered(witness_sizes([head], policy, report), head.size)

    def paths_of(digest, segment):
        suffixes = [".mp4"] if segment else [".json", ".bin", ".mp4"]
        name = next((f"objects/{digest}{s}" for s in suffixes if f"objects/{digest}{s}" in files), f"objects/{digest}{suffixes[0]}")
        return [folder / name]

    judge = HearingJudge(uuid, [folder / "hearing"], facts, paths_of, report, size=head.size, covered=covered)
    judge.run()
    for name in sorted(files):
        if name.startswith("objects/") and name[8:72] not in judge.named:
            report.add("object-unnamed", hearing=uuid, file=name)
        if name.startswith("play/"):
            stream, wanted, run = name[5:-5], [], None
            for e in (e for _, e in judge.values if e["kind"] == "segment" and e["stream"] == stream):
                uri = f"../objects/{e['sha256']}.mp4"
                start = e["init_bytes"]
                if e["run"] != run:
                    wanted.append(f"#EXT-X-MAP:URI=\"{uri}\",BYTERANGE=\"{start}@0\"")
                    run, start = e["run"], 0
                wanted += [f"#EXT-X-BYTERANGE:{e['bytes'] - start}@{start}", uri]
            harmless = ("#EXTM3U", "#EXTINF:", "#EXT-X-VERSION:", "#EXT-X-TARGETDURATION:", "#EXT-X-ENDLIST",
                        "#EXT-X-MEDIA-SEQUENCE:", "#EXT-X-PLAYLIST-TYPE:", "#EXT-X-PROGRAM-DATE-TIME:", "#EXT-X-DISCONTINUITY",
                        "#EXT-X-INDEPENDENT-SEGMENTS", "#EXT-X-DATERANGE:")
            text = (read(folder / name, report) or b"").decode("utf-8", "replace")
            if [line for line in text.split("\n") if line and not line.startswith(harmless)] != wanted:
                report.add("playlist", hearing=uuid, stream=stream, file=name)
    return None


# ---- pools ----

def check_pool(volumes, policy, known, report):
    pools = {json.loads((v / "greffe-volume.json").read_bytes())["pool"] for v in volumes}
    if len(pools) != 1:
        raise CannotRun("the volumes are of several pools")
    logs = ["log/main"] + sorted({f"log/from/{p.name}" for v in volumes for p in (v / "log/from").glob("*")})
    named, judged, trusted, strangers = set(), set(), False, set()
    folders = {}  # uuid -> relative path
    for volume in volumes:
        for path in sorted((volume / "log/hearing").glob("*/*/*/*")):
            uuid, day = path.name, path.parent.relative_to(volume / "log/hearing").as_posix()
            stamp = int(uuid.replace("-", "")[:12], 16) // 1000 if UUID.match(uuid) else -1
            if stamp < 0 or datetime.datetime.fromtimestamp(stamp, datetime.timezone.utc).strftime("%Y/%m/%d") != day:
                report.add("hearing-origin", file=str(path))
            else:
                folders[uuid] = f"log/hearing/{day}/{uuid}"
    origins = {}
    for uuid, folder in folders.items():
        for note in LogCopies("hearing", [v / folder for v in volumes], Report(), uuid).notes("")[:1]:
            origins[uuid] = note.origin

    def paths_of(digest, _segment):
        return [v / "sha256" / digest[:2] / digest[2:4] / digest for v in volumes]

    for path in logs:
        log = LogCopies("main", [v / path for v in volumes], report)
        notes = log.notes("main-checkpoint")
        if not notes:
            continue
        if notes[0].origin not in policy.logs:
            strangers.add(notes[0].origin)
            continue
        trusted, is_copy = True, path != "log/main"
        if is_copy and path != "log/from/" + hashlib.sha256(notes[0].origin.encode()).hexdigest():
            report.add("main-origin", log="main", file=path)
        head = choose_main(notes, policy, report)
        if head is None:
            continue
        holds = log.load(head)
        facts = Facts(head.origin, policy, report)
        for index, data in enumerate(log.entries):
            if data is not None and leaf_hash(data) == log.tree.leaves[index]:
                facts.add(index, data)
        good = []
        if holds:
            key = policy.logs[head.origin]
            for note in [n for n in log.cosigned("cosignature-bad") + notes if n.signed_by(key.name, key.public)] + [known] * bool(known):
                if note.origin != head.origin:
                    continue
                if note.size > head.size:
                    report.add("main-rolled-back", log="main")
                elif log.tree.root(note.size) != note.root:
                    report.add("main-inconsistent", log="main")
                elif note is not known:
                    good.append(note)
        else:
            report.add("main-root", log="main", entry=0, entry_end=head.size)
        covered = policy.covered(witness_sizes(good, policy, report), head.size)
        if covered == 0:
            report.add("quorum", "INCOMPLETE", log="main")
        mine = set(facts.commits) | {u for u, o in origins.items() if o == f"{head.origin}/hearing/{u}"}
        for uuid in sorted(mine):
            day = datetime.datetime.fromtimestamp(int(uuid.replace("-", "")[:12], 16) // 1000, datetime.timezone.utc)
            judge = HearingJudge(uuid, [v / f"log/hearing/{day:%Y/%m/%d}/{uuid}" for v in volumes], facts, paths_of, report,
                                 tree=log.tree if holds else None, size=head.size, covered=covered, is_copy=is_copy)
            judge.run()
            named.update(judge.named)
            judged.add(uuid)
        for index, digest, hearing in facts.documents:
            named.add(digest)
            if not hearing:
                lost = digest in facts.lost.get("", ())
                report.gaps |= bool(check_object(report, digest, paths_of(digest, None), {"log": "main", "entry": index}, absent_ok=lost)) and lost
    if not trusted:
        report.add("main-origin", log="main")
    for uuid, origin in origins.items():
        if uuid not in judged and not (origin.partition("/hearing/")[0] in strangers and origin.endswith(uuid)):
            report.add("hearing-origin", hearing=uuid)
    for volume in volumes:
        for path in sorted((volume / "sha256").glob("*/*/*")):
            if HEX.match(path.name) and path.name not in named:
                check_object(report, path.name, [path], {})


# ---- program ----

def verify(policy_file, paths, known_file=None):
    try:
        policy = Policy(pathlib.Path(policy_file).read_text())
        known = Note(pathlib.Path(known_file).read_bytes(), known_file) if known_file else None
        if known and not (known.origin in policy.logs and known.signed_by(known.origin, policy.logs[known.origin].public)):
            raise CannotRun("the checkpoint given is not signed by a log of the policy")
    except (OSError, Bad, ValueError, IndexError) as problem:
        raise CannotRun(str(problem)) from None
    report, volumes, exports = Report(), [], []
    for path in map(pathlib.Path, paths):
        if not path.is_dir():
            raise CannotRun(f"{path}: no such folder")
        children = [p for p in sorted(path.iterdir()) if p.is_dir() and (p / "greffe-volume.json").exists()]
        if (path / "greffe-volume.json").exists():
            volumes.append(path)
        elif (path / "hearing").exists() or (path / "manifest-sha256.txt").exists():
            exports.append(path)
        elif children:
            volumes += children
        else:
            raise CannotRun(f"{path} is neither an export nor a volume")
    if bool(volumes) == bool(exports):
        raise CannotRun("exports and volumes cannot be verified in one call")
    if volumes:
        check_pool(volumes, policy, known, report)
    for folder in exports:
        check_export(folder, policy, known, report)
    return report


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policy", required=True)
    parser.add_argument("--main-checkpoint")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("paths", nargs="+")
    words = parser.parse_args()
    try:
        report = verify(words.policy, words.paths, words.main_checkpoint)
    except CannotRun as problem:
        print(f"greffe_twin: {problem}", file=sys.stderr)
        return 2
    verdict = report.verdict()
    if words.json:
        print(json.dumps({"verdict": verdict, "findings": report.findings, "hearings": report.hearings,
                          "accounts": report.accounts}))
    else:
        print(verdict)
        for finding in report.findings:
            print(f"  {finding}")
    return 0 if ORDER.index(verdict) <= 1 else 1


if __name__ == "__main__":
    sys.exit(main())
