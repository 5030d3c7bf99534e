#!/usr/bin/python3
"""One generator for each row of the threat table: both verifiers must give the verdict and name the place."""
import base64
import json
import random
import shutil
import sys

import sample
from threat_case import alter, judge, replace_in_log, run_cases, segment_of

# ---- clean ----

def clean_pool(case):
    case.usual()
    case.pool()
    judge(case, [case.folder / "pool"], "VERIFIED_WITH_DECLARED_GAPS")
    judge(case, case.volumes[:1], "VERIFIED_WITH_DECLARED_GAPS")


def clean_export(case):
    case.usual()
    judge(case, [case.export()], "VERIFIED")


def clean_large_log(case):
    a = case.archive
    for i in range(600):
        a.add(kind="access", account="u-1", hearing=sample.hearing_id(1), purpose="play", session=f"s{i}")
    hearing = sample.Hearing(a.station, streams=("mic-judge",)).open()
    for i in range(300):
        hearing.add(kind="mark", at=sample.utc(sample.START_MS + i), note_sha256=hearing.document("mark", text=str(i)))
    hearing.record("mic-judge")
    case.one(hearing.close())
    case.pool()
    judge(case, case.volumes, "VERIFIED")
    judge(case, [case.export()], "VERIFIED")


def clean_random(case):
    rng = random.Random(7)
    a = case.archive
    for n in range(12):
        streams = rng.sample(["cam-bench", "cam-room", "mic-judge", "mic-witness", "screen"], rng.randint(1, 4))
        a.file(sample.Hearing(a.station, start_ms=sample.START_MS + n * 7_200_000, streams=tuple(streams)).usual(rng.randint(1, 7), False))
    case.pool()
    judge(case, case.volumes, "VERIFIED")


# ---- rows 1, 4, 5, 6: objects ----

def flip_in_pool(case):
    case.usual()
    case.pool()
    index, e = segment_of(case.first, "cam-bench", 3)
    data = case.first.objects[e["sha256"]]
    per_fragment = (len(data) - e["init_bytes"]) // 10
    alter(case.volumes[1] / "sha256" / e["sha256"][:2] / e["sha256"][2:4] / e["sha256"], e["init_bytes"] + 4 * per_fragment + 300)
    begin = sample.START_MS + 30_000 + 4000
    judge(case, case.volumes, "TAMPERED", "object-altered", object=e["sha256"], stream="cam-bench", entry=index, hearing=case.first.id,
          offset=e["init_bytes"] + 4 * per_fragment, **{"from": sample.utc(begin), "to": sample.utc(begin + 1000)})


def flip_in_export(case):
    case.usual()
    folder = case.export()
    _, e = segment_of(case.first, "mic-judge", 0)
    alter(folder / f"objects/{e['sha256']}.mp4", e["init_bytes"] + 40)
    judge(case, [folder], "TAMPERED", "object-altered", object=e["sha256"], stream="mic-judge", offset=e["init_bytes"],
          **{"from": sample.utc(sample.START_MS), "to": sample.utc(sample.START_MS + 1000)})


def flip_in_document(case):
    case.usual()
    case.pool()
    digest = json.loads(case.first.entries[0])["details_sha256"]
    alter(case.volumes[0] / "sha256" / digest[:2] / digest[2:4] / digest, 30)
    judge(case, case.volumes, "TAMPERED", "object-altered", object=digest, entry=0)


def flip_in_unnamed_object(case):
    case.usual()
    case.pool()
    data = b"not named yet"
    path = case.volumes[2] / "sha256" / sample.sha(data)[:2] / sample.sha(data)[2:4] / sample.sha(data)
    sample.put(path, data)
    judge(case, case.volumes, "VERIFIED_WITH_DECLARED_GAPS")
    path.write_bytes(b"other")
    judge(case, case.volumes, "TAMPERED", "object-altered", object=sample.sha(data))


def segment_removed_from_export(case):
    case.usual()
    folder = case.export()
    index, e = segment_of(case.first, "cam-bench", 2)
    (folder / f"objects/{e['sha256']}.mp4").unlink()
    judge(case, [folder], "TAMPERED", "object-missing", object=e["sha256"], stream="cam-bench", entry=index,
          **{"from": sample.utc(sample.START_MS + 20_000), "to": sample.utc(sample.START_MS + 30_000)})
    sample.write_manifest(folder)
    judge(case, [folder], "TAMPERED", "object-missing", object=e["sha256"], entry=index)


def segment_removed_from_pool(case):
    case.usual()
    case.pool()
    index, e = segment_of(case.second, "mic-judge", 5)
    copies = [v / "sha256" / e["sha256"][:2] / e["sha256"][2:4] / e["sha256"] for v in case.volumes]
    copies[0].unlink()
    judge(case, case.volumes, "VERIFIED_WITH_DECLARED_GAPS")  # the others have it
    for copy in copies[1:]:
        copy.unlink()
    judge(case, case.volumes, "TAMPERED", "object-missing", object=e["sha256"], stream="mic-judge", entry=index, hearing=case.second.id)


def object_replaced(case):
    case.usual()
    folder = case.export()
    index, e = segment_of(case.first, "cam-bench", 1)
    other, _, _ = sample.segment(e["start_90k"], 10)
    (folder / f"objects/{e['sha256']}.mp4").write_bytes(other)
    judge(case, [folder], "TAMPERED", "object-replaced", object=e["sha256"], stream="cam-bench", entry=index, offset=0)
    longer, _, _ = sample.segment(e["start_90k"], 10, payload_bytes=1200)
    (folder / f"objects/{e['sha256']}.mp4").write_bytes(longer)
    judge(case, [folder], "TAMPERED", "object-replaced", object=e["sha256"], stream="cam-bench", entry=index, offset=0)


def object_cut(case):
    case.usual()
    folder = case.export()
    _, e = segment_of(case.first, "cam-bench", 1)
    path = folder / f"objects/{e['sha256']}.mp4"
    per_fragment = (e["bytes"] - e["init_bytes"]) // 10
    path.write_bytes(path.read_bytes()[:e["init_bytes"] + 6 * per_fragment])
    judge(case, [folder], "TAMPERED", "object-altered", object=e["sha256"], offset=e["init_bytes"] + 6 * per_fragment,
          **{"from": sample.utc(sample.START_MS + 16_000), "to": sample.utc(sample.START_MS + 20_000)})


def segments_spliced_by_the_station(case):
    """Row 6: the station's own log names segments in another order than they say themselves."""
    hearing = sample.Hearing(case.archive.station, streams=("cam-bench",)).open()
    hearing.record("cam-bench")
    digest = hearing.record("cam-bench")
    s = hearing.streams["cam-bench"]
    wrong = json.loads(hearing.entries[-1])
    first = json.loads(hearing.entries[-2])
    hearing.entries[-1] = sample.canonical({**wrong, "sha256": first["sha256"], "bytes": first["bytes"]})
    s["bytes"] += first["bytes"] - wrong["bytes"]
    del hearing.objects[digest]
    case.one(hearing.close())
    judge(case, [case.export()], "TAMPERED", "segment-time", entry=2, stream="cam-bench")


def seq_repeated(case):
    hearing = sample.Hearing(case.archive.station, streams=("cam-bench",)).open()
    hearing.record("cam-bench")
    hearing.record("cam-bench", seq=0)
    case.one(hearing.close())
    judge(case, [case.export()], "TAMPERED", "segment-seq", entry=2, stream="cam-bench")


# ---- rows 2, 3, 5, 8: logs ----

def edited_entry(case):
    case.usual()
    index, e = segment_of(case.first, "cam-bench", 2)
    new = sample.canonical({**e, "utc": sample.utc(sample.START_MS + 21_000)})
    folder = case.export()
    replace_in_log(folder / "hearing", case.first.entries[index], new)
    sample.write_manifest(folder)
    judge(case, [folder], "TAMPERED", "entry-altered", entry=index, stream="cam-bench", hearing=case.first.id,
          **{"from": sample.utc(sample.START_MS + 21_000), "to": sample.utc(sample.START_MS + 31_000)})
    case.pool()
    replace_in_log(case.hearing_folders(case.first)[1], case.first.entries[index], new)
    judge(case, case.volumes, "TAMPERED", "entry-altered", entry=index, file="tile/entries/000.p/14")
    judge(case, case.volumes[1:2], "TAMPERED", "entry-altered", entry=index)


def edited_entry_and_tile(case):
    """Object, entry and tile altered together: only the signed root tells; the commits say between which entries."""
    case.usual()
    index, e = segment_of(case.first, "cam-bench", 4)
    folder = case.export()
    other, init_bytes, _ = sample.segment(e["start_90k"], 10)
    new = {**e, "sha256": sample.sha(other), "bytes": len(other), "init_bytes": init_bytes}
    replace_in_log(folder / "hearing", case.first.entries[index], sample.canonical(new), tiles=True)
    (folder / f"objects/{e['sha256']}.mp4").unlink()
    (folder / f"objects/{new['sha256']}.mp4").write_bytes(other)
    text = (folder / "play/cam-bench.m3u8").read_text().replace(e["sha256"], new["sha256"])
    (folder / "play/cam-bench.m3u8").write_text(text)
    sample.write_manifest(folder)
    _, middle, end = case.first.commits
    assert middle <= index < end
    judge(case, [folder], "TAMPERED", "hearing-root", entry=middle, entry_end=end, hearing=case.first.id)


def rewritten_and_signed_again(case):
    """Row 5: the station's key itself signs a new history; the main log's commits contradict."""
    case.usual()
    index, e = segment_of(case.first, "mic-judge", 1)
    case.first.entries[index] = sample.canonical({**e, "flags": ["recovered"]})
    folder = case.export()
    _, middle, _ = case.first.commits
    assert case.first.commits[0] <= index < middle
    judge(case, [folder], "TAMPERED", "hearing-root", entry=1, entry_end=middle)


def tail_cut(case):
    """Row 8: an earlier, genuine checkpoint and the entries up to it."""
    case.usual()
    whole = list(case.first.entries)
    middle = case.first.commits[1]
    case.first.entries = whole[:middle]
    folder = case.export()
    judge(case, [folder], "TAMPERED", "tail-cut", entry=middle, entry_end=len(whole), hearing=case.first.id)


def tail_missing(case):
    case.usual()
    folder = case.export()
    for path in list((folder / "hearing/tile/entries").rglob("*")):
        if path.is_file():
            path.unlink()
    sample.write_manifest(folder)
    judge(case, [folder], "TAMPERED", "entries-missing", entry=0, entry_end=len(case.first.entries))


def fill_main_log(case):
    for i in range(300):
        case.archive.add(kind="scrub", finding="pass", volume="v", objects=i, bytes=0, failures=0)
    case.usual()
    case.pool()


def main_entry_flipped(case):
    fill_main_log(case)
    a = case.archive
    path = case.volumes[0] / "log/main/tile/entries/000"
    old = a.entries[100]
    path.write_bytes(path.read_bytes().replace(old, old.replace(b'"objects":', b'"objectz":')))
    judge(case, case.volumes, "TAMPERED", "entry-altered", log="main", entry=100, file="a/log/main/tile/entries/000")
    judge(case, case.volumes[:1], "TAMPERED", "entry-altered", log="main", entry=100)


SCRUB = {"kind": "scrub", "finding": "pass", "volume": "v", "objects": 3, "bytes": 9, "failures": 0}


def scrub_with_results(case):
    case.archive.add(**SCRUB, began=sample.utc(sample.START_MS), oldest_ms=1, root="ab" * 32)
    case.archive.add(**SCRUB, began=sample.utc(sample.START_MS), root="ab" * 32)
    case.usual()
    case.pool()
    judge(case, case.volumes, "VERIFIED_WITH_DECLARED_GAPS")


def scrub_without_its_root(case):
    index = len(case.archive.entries)
    case.archive.add(**SCRUB, began=sample.utc(sample.START_MS))
    case.usual()
    case.pool()
    judge(case, case.volumes, "TAMPERED", "entry-format", log="main", entry=index)


def scrub_finding_with_results(case):
    index = len(case.archive.entries)
    case.archive.add(**{**SCRUB, "finding": "damaged"}, action="repaired", began=sample.utc(sample.START_MS), key="sha256/x", root="ab" * 32)
    case.usual()
    case.pool()
    judge(case, case.volumes, "TAMPERED", "entry-format", log="main", entry=index)


def tile_flipped(case):
    fill_main_log(case)
    alter(case.volumes[2] / "log/main/tile/0/000", 32 * 7 + 3)
    judge(case, case.volumes, "TAMPERED", "tile-altered", log="main", file="c/log/main/tile/0/000")
    judge(case, case.volumes[2:], "TAMPERED", "tile-altered", log="main", file="c/log/main/tile/0/000")


def newest_entries_flipped(case):
    case.usual()
    case.pool()
    stage = next((case.volumes[1] / "log/main/stage").iterdir())
    stage.write_bytes(stage.read_bytes().replace(b'"closed":true', b'"closed":fals', 1))
    judge(case, case.volumes, "TAMPERED", "entry-altered", log="main", file="b/log/main/stage/" + stage.name)
    judge(case, case.volumes[1:2], "TAMPERED", "main-root", log="main")


def swapped_in_pool(case):
    case.usual()
    case.pool()
    for volume in case.volumes:
        one, two = (volume / sample.hearing_path(h.id) for h in (case.first, case.second))
        one.rename(volume / "swap")
        two.rename(one)
        (volume / "swap").rename(two)
    judge(case, case.volumes, "TAMPERED", "hearing-origin", hearing=case.first.id)


def swapped_in_export(case):
    case.usual()
    folder = case.export()
    other = case.archive.write_export(case.folder / "other", case.second)
    for part in ("hearing", "objects", "play"):
        shutil.rmtree(folder / part)
        shutil.copytree(other / part, folder / part)
    sample.write_manifest(folder)
    judge(case, [folder], "TAMPERED", "hearing-swapped", log="main")


def hearing_removed(case):
    case.usual()
    case.pool()
    for path in case.hearing_folders(case.second):
        shutil.rmtree(path)
    judge(case, case.volumes, "TAMPERED", "hearing-missing", hearing=case.second.id)


# ---- rows 7, 9, 10, 11: the record of the time ----

def stream_dropped(case):
    hearing = sample.Hearing(case.archive.station, streams=("cam-bench",)).open(expected=["cam-bench", "mic-judge"])
    hearing.record("cam-bench")
    case.one(hearing.close())
    judge(case, [case.export()], "TAMPERED", "stream-missing", stream="mic-judge", hearing=hearing.id)


def hidden_pause(case):
    hearing = sample.Hearing(case.archive.station, streams=("cam-bench",)).open()
    hearing.record("cam-bench")
    hearing.pause(declare=False)
    hearing.record("cam-bench")
    case.one(hearing.close())
    begin = sample.START_MS + 10_000
    judge(case, [case.export()], "TAMPERED", "gap-undeclared", stream="cam-bench",
          **{"from": sample.utc(begin), "to": sample.utc(begin + 300_000)})


def gap_at_the_end(case):
    hearing = sample.Hearing(case.archive.station, streams=("cam-bench", "mic-judge")).open()
    hearing.record("cam-bench")
    hearing.record("mic-judge")
    hearing.record("cam-bench")
    case.one(hearing.close())
    judge(case, [case.export()], "TAMPERED", "gap-undeclared", stream="mic-judge",
          **{"from": sample.utc(sample.START_MS + 10_000), "to": sample.utc(sample.START_MS + 20_000)})


def declared_gap(case):
    hearing = sample.Hearing(case.archive.station, streams=("cam-bench",)).open()
    hearing.record("cam-bench")
    hearing.pause(reason="power")
    hearing.record("cam-bench")
    case.one(hearing.close())
    judge(case, [case.export()], "VERIFIED_WITH_DECLARED_GAPS")


def totals_wrong(case):
    hearing = sample.Hearing(case.archive.station, streams=("cam-bench",)).open()
    hearing.record("cam-bench")
    case.one(hearing.close(totals=[{"bytes": 1, "duration_90k": 900_000, "segments": 2, "stream": "cam-bench"}]))
    judge(case, [case.export()], "TAMPERED", "totals", stream="cam-bench", entry=2)


def never_closed(case):
    hearing = sample.Hearing(case.archive.station).open()
    hearing.record("cam-bench")
    hearing.record("mic-judge")
    hearing.commit()
    case.one(hearing)
    case.pool()
    judge(case, case.volumes, "INCOMPLETE", "not-closed", hearing=hearing.id)


# ---- rows 12 to 16, 20, 28: keys and checkpoints ----

def rolled_back(case):
    case.usual()
    case.known = case.archive.note()
    a = case.archive
    older = sample.Archive.__new__(sample.Archive)
    older.__dict__.update(a.__dict__)
    older.entries, older.hearings = a.entries[:6], [case.first]
    older.write_pool(case.folder / "pool")
    judge(case, [case.folder / "pool"], "TAMPERED", "main-rolled-back")


def rolled_back_below_a_cosigner(case):
    case.usual()
    case.pool()
    for volume in case.volumes:
        older = case.archive.entries[:-1]
        shutil.rmtree(volume / "log/main/stage")
        sample.write_log(volume / "log/main", older, case.archive.note(len(older), cosigned=False), final=False)
    judge(case, case.volumes, "TAMPERED", "main-rolled-back")


def split_view(case):
    case.usual()
    a = case.archive
    entries = list(a.entries)
    a.entries = entries[:-1] + [sample.canonical({**json.loads(entries[-1]), "account": "u-2"})]
    case.known = a.note()
    a.entries = entries
    case.pool()
    judge(case, case.volumes, "TAMPERED", "main-inconsistent")
    judge(case, [case.export()], "TAMPERED", "main-inconsistent")


def stale_export(case):
    case.usual()
    folder = case.export()
    case.archive.correct(case.first)
    case.known = case.archive.note()
    judge(case, [folder], "INCOMPLETE", "stale")


def wrong_log_key(case):
    case.usual()
    folder = case.export()
    other = sample.Key(sample.ARCHIVE, 1)
    policy = case.archive.policy().replace(case.archive.log.vkey(), other.vkey())
    judge(case, [folder], "TAMPERED", "main-signature", policy=policy, file="main/checkpoint")
    case.pool()
    judge(case, case.volumes, "TAMPERED", "main-signature", policy=policy)


def another_archive(case):
    case.usual()
    case.pool()
    other = sample.Key("other.test.example", 1)
    policy = case.archive.policy().replace(case.archive.log.vkey(), other.vkey())
    judge(case, case.volumes, "TAMPERED", "main-origin", policy=policy)


def rogue_station(case):
    rogue = sample.Key("s1", 1)
    case.one(sample.Hearing(rogue).usual(1))
    judge(case, [case.export()], "TAMPERED", "station-key", hearing=case.first.id)


def revoked_station(case):
    a = case.archive
    a.add_key("station", "s1", a.station, action="revoked", court="court-a", room="room-1", why="stolen")
    case.one(sample.Hearing(a.station).usual(1))
    judge(case, [case.export()], "TAMPERED", "key-revoked", hearing=case.first.id)


def signed_by_another_station(case):
    case.usual()
    folder = case.export()
    other = sample.Key("s2", 1)
    text = sample.checkpoint_text(case.first.origin, [sample.leaf(e) for e in case.first.entries])
    note = text + "\n" + other.line(text, case.first.origin) + case.archive.holder.line(text)
    (folder / "hearing/checkpoint").write_text(note)
    sample.write_manifest(folder)
    judge(case, [folder], "TAMPERED", "hearing-signature", file="hearing/checkpoint")


def receipt_missing(case):
    case.usual()
    folder = case.export()
    (folder / "hearing/checkpoint").write_text(case.first.note(None, (case.archive.dr,)))
    sample.write_manifest(folder)
    judge(case, [folder], "INCOMPLETE", "receipt", hearing=case.first.id)


def receipt_forged(case):
    case.usual()
    folder = case.export()
    forged = sample.Key(case.archive.holder.name, 4)
    text = sample.checkpoint_text(case.first.origin, [sample.leaf(e) for e in case.first.entries])
    name, data = forged.line(text).split(" ")[1:]
    raw = case.archive.holder.key_id() + base64.b64decode(data)[4:]
    line = f"\u2014 {name} {base64.b64encode(raw).decode()}\n"
    (folder / "hearing/checkpoint").write_text(case.first.note() + line)
    sample.write_manifest(folder)
    judge(case, [folder], "TAMPERED", "receipt-bad", file="hearing/checkpoint")


def cosignature_missing(case):
    case.usual()
    folder = case.export()
    (folder / "main/checkpoint").write_text(case.archive.note(cosigned=False))
    sample.write_manifest(folder)
    judge(case, [folder], "INCOMPLETE", "quorum", hearing=case.first.id)
    judge(case, [folder], "VERIFIED", policy=case.archive.policy(quorum=False))
    case.pool()
    for volume in case.volumes:
        shutil.rmtree(volume / "log/main/cosigned")
    judge(case, case.volumes, "INCOMPLETE", "quorum")


def proof_of_another_entry(case):
    case.usual()
    folder = case.export()
    one, two = folder / "main/proofs/0.tlog-proof", folder / "main/proofs/1.tlog-proof"
    two.write_text(one.read_text())
    sample.write_manifest(folder)
    judge(case, [folder], "TAMPERED", "main-proof", entry=1)


def main_entry_altered_in_export(case):
    case.usual()
    folder = case.export()
    path = folder / "main/entries/3.json"
    path.write_bytes(path.read_bytes().replace(b"hearing-checkpoint", b"hearing-checkpoinT"))
    sample.write_manifest(folder)
    judge(case, [folder], "TAMPERED", "main-proof", entry=3, file="main/entries/3.json")


# ---- row 26: malicious packages ----

def unlisted_file(case):
    case.usual()
    folder = case.export()
    (folder / "objects/extra.txt").write_text("x")
    judge(case, [folder], "TAMPERED", "unlisted-file", file="objects/extra.txt")
    sample.write_manifest(folder)  # listed now, but no file of an export
    judge(case, [folder], "TAMPERED", "unlisted-file", file="objects/extra.txt")


def unnamed_object(case):
    case.usual()
    folder = case.export()
    sample.put(folder / f"objects/{sample.sha(b'x')}.mp4", b"x")
    sample.write_manifest(folder)
    judge(case, [folder], "TAMPERED", "object-unnamed", file=f"objects/{sample.sha(b'x')}.mp4")


def symlink(case):
    case.usual()
    folder = case.export()
    _, e = segment_of(case.first, "cam-bench", 0)
    path = folder / f"objects/{e['sha256']}.mp4"
    path.rename(case.folder / "elsewhere")
    path.symlink_to(case.folder / "elsewhere")
    judge(case, [folder], "TAMPERED", "symlink", file=f"objects/{e['sha256']}.mp4")


def symlink_in_pool(case):
    case.usual()
    case.pool()
    _, e = segment_of(case.first, "cam-bench", 0)
    path = case.volumes[0] / "sha256" / e["sha256"][:2] / e["sha256"][2:4] / e["sha256"]
    path.rename(case.folder / "elsewhere")
    path.symlink_to(case.folder / "elsewhere")
    judge(case, case.volumes, "TAMPERED", "object-altered", object=e["sha256"], entry=1)


def path_trick(case):
    case.usual()
    folder = case.export()
    with open(folder / "manifest-sha256.txt", "a") as file:
        file.write(f"{sample.sha(b'')}  ../../etc/passwd\n")
    judge(case, [folder], "TAMPERED", "manifest", file="manifest-sha256.txt")


def no_manifest(case):
    case.usual()
    folder = case.export()
    (folder / "manifest-sha256.txt").unlink()
    judge(case, [folder], "TAMPERED", "file-missing", file="manifest-sha256.txt")


def doctored_playlist(case):
    case.usual()
    folder = case.export()
    path = folder / "play/cam-bench.m3u8"
    lines = path.read_text().split("\n")
    path.write_text("\n".join(lines[:3] + lines[7:]))  # the first segment is not played
    sample.write_manifest(folder)
    judge(case, [folder], "TAMPERED", "playlist", file="play/cam-bench.m3u8", stream="cam-bench")


def duplicate_json_key(case):
    hearing = sample.Hearing(case.archive.station, streams=("cam-bench",)).open()
    hearing.record("cam-bench")
    hearing.entries.append(b'{"kind":"mark","kind":"gap","v":1}')
    case.one(hearing.close())
    judge(case, [case.export()], "TAMPERED", "entry-format", entry=2)


def unknown_kind(case):
    hearing = sample.Hearing(case.archive.station, streams=("cam-bench",)).open()
    hearing.record("cam-bench")
    hearing.add(kind="hologram", what="x")
    case.one(hearing.close())
    judge(case, [case.export()], "UNKNOWN_FORMAT", "unknown-kind", entry=2, hearing=hearing.id)


CASES = [value for name, value in list(globals().items())
         if callable(value) and getattr(value, "__code__", None) and value.__code__.co_varnames[:1] == ("case",)
         and value.__module__ == "__main__" and value.__name__ != "fill_main_log"]


if __name__ == "__main__":
    sys.exit(run_cases(CASES))
