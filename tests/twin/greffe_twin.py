#!/usr/bin/python3
"""An independent verifier: the judge of greffe-verify. Written from docs/formats/; shares no code with the product.

    greffe_twin.py --policy FILE [--main-checkpoint FILE] [--json] PATH…

Same verdicts, codes and exit status as greffe-verify (docs/formats/verdicts.md); slower, and one thread.
"""
import argparse
import base64
import hashlib
import json
import pathlib
import re
import sys

from twin_formats import HEX, ORDER, TILE, UUID, Bad, CannotRun, Note, Policy, Report, canonical, leaf_hash, read, verify_inclusion
from twin_grafts import judge_grafts
from twin_hearing import Facts, HearingJudge
from twin_logs import LogCopies
from twin_main_log import EPOCH_MAX, Epoch, check_known_epoch, choose_main, covered_of, epoch_of, follow, through, witness_sizes
from twin_pool import check_pool

MOST_EPOCHS = 1000  # of an export


# ---- exports ----

def is_export_path(path):
    if path in ("README.txt", "policy.txt", "manifest-sha256.txt", "main/checkpoint", "hearing/checkpoint"):
        return True
    tile = TILE.match(path[8:]) if path.startswith("hearing/tile/") else None
    if tile:
        groups = tile[2].split("/")
        return not (len(groups) > 1 and groups[0] == "x000") and (tile[4] is None or int(tile[4]) < 256)
    epoch = re.fullmatch(r"main/epoch/([1-9]\d{0,6})/(.*)", path, re.A)
    if epoch and 2 <= int(epoch[1]) <= EPOCH_MAX:
        path = "main/" + epoch[2]
    return bool(re.fullmatch(r"main/checkpoint|main/proofs/(0|[1-9]\d*)\.tlog-proof|main/entries/(0|[1-9]\d*)\.json|hearing/cosigned/[0-9a-f]{8}"
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


def read_proof(path, report):
    lines = (read(path, report) or b"").decode("utf-8", "replace").split("\n")
    if lines[0] != "c2sp.org/tlog-proof@v1" or not lines[1].startswith("index ") or "" not in lines:
        raise Bad("not a proof")
    end = lines.index("")
    return int(lines[1][6:]), [base64.b64decode(x, validate=True) for x in lines[2:end]], Note("\n".join(lines[end + 1:]).encode())


def epoch_folder(number):
    return "main" if number == 1 else f"main/epoch/{number}"


def exported_epoch(folder, number, first, files, note, report):
    """One epoch's log with those entries whose proof leads to this checkpoint; `first`: the number of its entry 0."""
    below, entries = epoch_folder(number), {}
    for index in sorted({int(found[1]) for found in (re.fullmatch(below + r"/(?:entries|proofs)/(\d+)\.[a-z-]+", p) for p in files) if found}):
        name = f"{below}/entries/{index}.json"
        data = read(folder / name, report)
        try:
            stated, proof, proved = read_proof(folder / f"{below}/proofs/{index}.tlog-proof", report)
            if data is None or stated != index or proved.text != note.text or \
                    not verify_inclusion(index, note.size, leaf_hash(data), proof, note.root):
                raise Bad("proof")
            entries[index] = data
        except (Bad, ValueError, IndexError):
            report.add("main-proof", log="main", entry=first + index, file=name)
    return Epoch(note, entries, lambda size: note.root if size == note.size else None)


def exported_chain(folder, files, policy, report):
    """The epochs of an export that are believed; none: the first is not one that the policy names."""
    notes = LogCopies("main", [folder / "main"], report).notes("main-checkpoint")
    if not notes and not (folder / "main/checkpoint").exists():
        report.add("main-checkpoint", log="main", file="main/checkpoint")
    head = choose_main(notes, policy, report)
    if head is None:
        return []
    if epoch_of(head.origin)[1] != 1:
        report.add("main-origin", log="main", file="main/checkpoint")
        return []
    chain = [exported_epoch(folder, 1, 0, files, head, report)]
    if not {"main/entries/0.json", "main/proofs/0.tlog-proof"} & files:
        report.add("genesis", log="main")
    last = max([int(found[1]) for found in (re.match(r"main/epoch/(\d+)/", p) for p in files) if found], default=1)
    for number in range(2, last + 1):
        notes = LogCopies("main", [folder / epoch_folder(number)], report).notes("main-checkpoint")
        try:
            if not notes or number > MOST_EPOCHS:
                raise Bad("no checkpoint, or too many epochs")
            follow(chain, exported_epoch(folder, number, chain[-1].first + chain[-1].note.size, files, notes[0], report))
        except Bad:
            report.add("promotion", log="main", file=f"{epoch_folder(number)}/checkpoint")
            break
    return chain


def facts_of(chain, uuid, policy, report):
    facts = Facts(chain[0].archive, policy, report)
    for epoch in chain:
        if epoch.promotion:
            facts.begin_epoch(epoch.first, epoch.promotion)
        for index, data in epoch.entries.items():
            if index == 0 and epoch.promotion:
                continue
            try:
                other = canonical(data).get("hearing", uuid) != uuid
            except Bad:
                other = False
            if other:
                report.add("hearing-swapped", log="main", entry=epoch.first + index, hearing=uuid)
            else:
                facts.add(epoch.first + index, data)
    return facts


def check_known(known, chain, policy, report):
    for epoch in chain:
        note = epoch.note
        if known and known.origin == note.origin:
            if known.size == note.size and known.root != note.root:
                report.add("main-inconsistent", log="main")
            elif known.size > note.size and epoch is chain[-1]:
                report.add("stale", "INCOMPLETE", log="main")
    check_known_epoch(known, chain, policy, report)


def check_export(folder, policy, known, report):
    files = check_files(folder, report)
    try:
        uuid = Note(read(folder / "hearing/checkpoint", report) or b"").origin.rpartition("/")[2]
        if not UUID.match(uuid):
            raise Bad("origin")
    except (Bad, ValueError):
        return report.add("hearing-checkpoint", log="hearing", file="hearing/checkpoint")
    chain = exported_chain(folder, files, policy, report)
    if not chain:
        return None
    facts = facts_of(chain, uuid, policy, report)
    judge_grafts(chain, facts.grafts, report)
    check_known(known, chain, policy, report)
    size = chain[-1].first + chain[-1].note.size
    covered = through(chain, covered_of(chain, [witness_sizes([epoch.note], policy, report) for epoch in chain], policy))

    def paths_of(digest, segment):
        suffixes = [".mp4"] if segment else [".json", ".bin", ".mp4"]
        name = next((f"objects/{digest}{s}" for s in suffixes if f"objects/{digest}{s}" in files), f"objects/{digest}{suffixes[0]}")
        return [folder / name]

    judge = HearingJudge(uuid, [folder / "hearing"], facts, paths_of, report, epochs=len(chain), size=size, covered=covered)
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


# ---- program ----

def may_be_compared(known, policy):
    """One of a later epoch is judged where the chain gives its key."""
    archive, epoch = epoch_of(known.origin)
    key = policy.logs.get(known.origin)
    return epoch > 1 and archive in policy.logs or key is not None and bool(known.signed_by(key.name, key.public))


def verify(policy_file, paths, known_file=None):
    try:
        policy = Policy(pathlib.Path(policy_file).read_text())
        known = Note(pathlib.Path(known_file).read_bytes(), known_file) if known_file else None
        if known and not may_be_compared(known, policy):
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
