#!/usr/bin/python3
"""The closing sheet from `close` to paper and back: made, signed, printed, its code read from the print, checked years later.

    tests/system/test_closing_sheet.py [TEST...] [--keep DIR]     DIR: where the printed pages are left to be looked at
"""
import base64
import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

import world as w

START = "2026-11-22T09:00:00.000Z"
KEEP = pathlib.Path(sys.argv[sys.argv.index("--keep") + 1]) if "--keep" in sys.argv else None
STREAMS = ["cam-bench", "cam-witness", "cam-parties", "mic-judge", "mic-clerk", "mic-plaintiff", "mic-defendant", "mic-witness"]
PARTIES = [
    {"name": "Société coopérative d’intérêt collectif des producteurs et transformateurs de fruits rouges du Haut-Montclair", "role": "demanderesse"},
    {"name": "Anne-Sophie Guillemette de La Rochefoucauld-Bérenger", "role": "défenderesse"},
    {"name": "江城市第二建筑工程股份有限公司（法定代表人：欧阳建国）", "role": "第三人"},
    {"name": "Jean-Baptiste <b>\"O'Connor\"</b> & fils", "role": "intervenant volontaire"},
]
DETAILS = {"cases": ["RG 26/01234", "（2026）鄂01民初1234号之一"], "parties": PARTIES, "judges": ["Mme Marguerite Aubert-Lefèvre", "陈美玲"],
           "clerk": "M. Petit", "title": "Exécution d’un contrat de construction; 建设工程施工合同纠纷", "language": "fr"}
PLACE = """
[place]
zone = "Europe/Paris"
court = { fr = "Tribunal judiciaire de Montclair", zh = "蒙克莱尔法院", en = "Montclair Judicial Court" }
room = { fr = "Salle d’audience 2", zh = "第二法庭", en = "Courtroom 2" }
"""


def at(seconds):
    return f"2026-11-22T09:{seconds // 60:02}:{seconds % 60:02}.000Z"


class Room:
    """A station in a folder that goes away; with a world, enrolled in its archive."""

    def __init__(self, world=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="greffe."))
        self.home = self.folder / "station"
        self.config = self.folder / "station.toml"
        self.config.write_text(f'directory = "{self.home}"\n' + PLACE)
        (self.folder / "details.json").write_text(json.dumps(DETAILS))
        if world is None:
            self.station("prepare", "--archive", "archive.test.example", "--name", "s1", "--court", "court-a", "--room", "room-1")
        else:
            self.station("enrol", "--code-file", world.station_code())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def station(self, verb, *words, status=0):
        done = w.run(w.INGEST, "--config", self.config, verb, "--json", *words, check=False)
        assert done.returncode == status, (verb, done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout) if done.stdout else {}, done.stderr

    def tone(self, pitch, seconds):
        path = self.folder / f"tone-{pitch}-{seconds}.wav"
        if not path.exists():
            subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", f"sine={pitch}:r=8000:d={seconds}", path], check=True)
        return path

    def record(self, *more, streams=("mic-judge",), pitch=440, start=START):
        words = ["import", "--start", start, "--details", self.folder / "details.json", *more]
        for number, stream in enumerate(streams):
            words += ["--stream", f"{stream}={self.tone(pitch + 30 * number, 20)}"]
        answer, errors = self.station(*words)
        return answer, errors

    def spooled(self, hearing):
        return self.home / "spool" / hearing


def sheet_in(path):
    """The sheet, after its signature was checked with another library than the product's."""
    text = path.read_text()
    whole = json.loads(text)
    sheet = whole["sheet"]
    signed = text[len('{"sheet":') : text.rindex(',"signature":')]
    statement, lines = whole["signature"].split("\n\n")
    origin = f"{sheet['archive']}/hearing/{sheet['hearing']}"
    assert statement == f"greffe closing sheet v1\n{origin}\nsha256 {hashlib.sha256(signed.encode()).hexdigest()}", statement
    dash, name, blob = lines.rstrip("\n").split(" ")
    assert (dash, name) == ("—", origin), lines
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(sheet["station_key"])).verify(base64.b64decode(blob)[4:], (statement + "\n").encode())
    return sheet


def signed_again(room, sheet):
    """What a station that lies could hand out."""
    key = load_pem_private_key((room.home / "station.key").read_bytes(), None)
    origin = f"{sheet['archive']}/hearing/{sheet['hearing']}"
    text = json.dumps(sheet, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    statement = f"greffe closing sheet v1\n{origin}\nsha256 {hashlib.sha256(text.encode()).hexdigest()}\n"
    key_id = hashlib.sha256(origin.encode() + b"\n\x01" + bytes.fromhex(sheet["station_key"])).digest()[:4]
    note = f"{statement}\n— {origin} {base64.b64encode(key_id + key.sign(statement.encode())).decode()}\n"
    return '{"sheet":' + text + ',"signature":' + json.dumps(note, ensure_ascii=False) + "}"


def printed(page, name):
    """The page on A4, as pictures of 150 dots an inch."""
    folder = page.parent
    pdf = folder / f"{name}.pdf"
    subprocess.run(["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer", f"--user-data-dir={folder}/profile",
                    f"--print-to-pdf={pdf}", page.as_uri()], check=True, timeout=120, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    subprocess.run(["pdftoppm", "-r", "150", "-png", pdf, folder / name], check=True)
    pictures = sorted(folder.glob(f"{name}-*.png"))
    if KEEP:
        for picture in pictures:
            shutil.copy(picture, KEEP)
    return pictures


def code_on(pictures):
    """What is read from all the pages together."""
    words = ["zbarimg", "--quiet", "--nodbus", "--raw", "-Sdisable", "-Sqrcode.enable"]
    return "".join(subprocess.run([*words, picture], stdout=subprocess.PIPE, check=False).stdout.decode() for picture in pictures)


def test_close_makes_the_sheet():
    with Room() as room:
        answer, _ = room.record("--no-upload", "--gap", f"{at(5)},{at(65)},recess,déjeuner", streams=("mic-judge", "mic-clerk"))
        hearing = answer["hearing"]
        assert "sheet" not in answer and not (room.spooled(hearing) / "sheet.json").exists(), answer
        _, errors = room.station("sheet", "--hearing", hearing, status=2)
        assert "not finished" in errors and "greffe-ingest close" in errors, errors
        answer, _ = room.station("close", "--hearing", hearing, "--no-upload")
        sheet = sheet_in(pathlib.Path(answer["sheet"]))
        assert pathlib.Path(answer["sheet_page"]).name == "sheet-fr.html", answer
        assert sheet["checkpoint"] == (room.spooled(hearing) / "checkpoint").read_text()
        assert sheet["log"]["size"] == answer["entries"] and sheet["zone"] == "Europe/Paris", sheet
        assert [s["name"] for s in sheet["streams"]] == ["mic-judge", "mic-clerk"], sheet["streams"]
        for stream in sheet["streams"]:
            time = stream["time"]
            assert time["recorded_ms"] + time["excused_ms"] + time["unexcused_ms"] == time["declared_ms"] == 80_000, time
            assert time["excused_ms"] > 59_900 and time["unexcused_ms"] < 100, time  # files are cut at the end of a packet
            assert stream["duration_90k"] == 20 * 90_000 and stream["segments"] == 2, stream
        (gap,) = sheet["interruptions"]
        assert (gap["from"], gap["to"], gap["reason"], gap["note"]["text"]) == (at(5), at(65), "recess", "déjeuner"), gap
        again, _ = room.station("sheet", "--hearing", hearing, "--language", "zh", "--out", room.folder / "out.html")
        assert again["language"] == "zh" and "庭审录音录像情况单" in (room.folder / "out.html").read_text(), again
        _, errors = room.station("sheet", "--hearing", hearing, "--language", "de", status=2)
        assert "zh, fr or en" in errors, errors


def test_no_sheet_is_no_reason_not_to_close():
    with Room() as room:
        answer, _ = room.record("--no-upload")
        hearing = answer["hearing"]
        in_the_way = room.spooled(hearing) / "sheet.json"
        in_the_way.mkdir()
        answer, errors = room.station("close", "--hearing", hearing, "--no-upload")
        assert answer["closed"] and "sheet" not in answer and answer["sheet_problem"], answer
        assert "the hearing is finished, but its closing sheet could not be made" in errors and "greffe-ingest sheet" in errors, errors
        in_the_way.rmdir()
        room.station("sheet", "--hearing", hearing)
        assert sheet_in(in_the_way)["hearing"] == hearing


def test_the_code_on_paper_is_the_signed_note():
    """Long names, eight streams, three gaps, three languages: printed by a browser, read by a scanner of another maker."""
    gaps = [f"{at(4)},{at(304)},recess,Déjeuner de la juridiction", f"{at(308)},{at(368)},closed-evidence,申请不公开质证：涉及商业秘密",
            f"{at(372)},{at(402)},fault,The witness camera was unplugged by mistake and restarted; nobody spoke meanwhile"]
    with Room() as room:
        words = [word for gap in gaps for word in ("--gap", gap)]
        answer, _ = room.record("--no-upload", "--close", *words, streams=STREAMS)
        note = (room.spooled(answer["hearing"]) / "checkpoint").read_text()
        for language in ("zh", "fr", "en"):
            page = room.folder / f"page-{language}.html"
            room.station("sheet", "--hearing", answer["hearing"], "--language", language, "--out", page)
            pictures = printed(page, f"sheet-{language}")
            assert 1 <= len(pictures) <= 3, f"{language}: {len(pictures)} pages"
            read = code_on(pictures)
            assert read.rstrip("\n") == note.rstrip("\n"), (language, read, note)


def verified(world, *words):
    done = w.run(w.VERIFY, "--policy", world.policy(), "--json", *words, check=False)
    assert done.returncode in (0, 1), (done.returncode, done.stdout, done.stderr)
    report = json.loads(done.stdout)
    return done.returncode, report["verdict"], {f["code"] for f in report["findings"]}


def test_the_sheet_is_checked_against_the_recording():
    with w.World() as world:
        world.start()
        with Room(world) as room:
            gap = ["--gap", f"{at(5)},{at(65)},recess,déjeuner"]
            answer, _ = room.record("--close", *gap)
            other, _ = room.record("--close", pitch=900, start="2026-11-22T14:00:00.000Z")
            export, other_export = room.folder / "export", room.folder / "other"
            world.archive("export", answer["hearing"], export)
            world.archive("export", other["hearing"], other_export)
            sheet = pathlib.Path(answer["sheet"])
            code = room.folder / "code.txt"
            code.write_text((room.spooled(answer["hearing"]) / "checkpoint").read_text().rstrip("\n"))

            good = (0, "VERIFIED_WITH_DECLARED_GAPS", set())
            assert verified(world, "--sheet", sheet, export) == good
            assert verified(world, "--sheet", code, export) == good
            assert verified(world, "--sheet", sheet) == (1, "INCOMPLETE", {"sheet-alone"})
            assert verified(world, "--sheet", code, other_export) == (1, "TAMPERED", {"sheet-hearing"})

            changed = room.folder / "changed.json"
            changed.write_text(sheet.read_text().replace("RG 26/01234", "RG 26/01235"))
            assert verified(world, "--sheet", changed, export) == (1, "TAMPERED", {"sheet-signature"})
            refuse_lies(world, room, sheet, export)

            # The code of a log that goes on: an earlier checkpoint, and one that the archive never had.
            lines = code.read_text().split("\n")
            lines[1] = str(int(lines[1]) + 1)
            code.write_text("\n".join(lines))
            assert verified(world, "--sheet", code, export) == (1, "TAMPERED", {"sheet-root"})

            # The recording that was altered after the paper was handed out.
            segment = next((export / "objects").glob("*.mp4"))
            data = bytearray(segment.read_bytes())
            data[-100] ^= 1
            segment.chmod(0o640)
            segment.write_bytes(data)
            status, verdict, codes = verified(world, "--sheet", sheet, export)
            assert (status, verdict) == (1, "TAMPERED") and "object-altered" in codes, (verdict, codes)

            # The media are freed; the sheet stays, and can still be printed.
            room.config.write_text("keep_days = 0\n" + room.config.read_text())
            room.station("drain")
            assert not list((room.spooled(answer["hearing"]) / "objects").iterdir())
            room.station("sheet", "--hearing", answer["hearing"], "--language", "en")


def refuse_lies(world, room, sheet, export):
    """A station that signs another sheet than its log says is found out, whatever it changes."""
    lies = {
        "end": lambda s: s.update(end=at(200)),
        "details": lambda s: s["details"].update(title="another"),
        "room": lambda s: s.update(room="room-2"),
        "reason": lambda s: s["interruptions"][0].update(reason="mediation"),
        "note": lambda s: s["interruptions"][0]["note"].update(text="another"),
        "gap": lambda s: s.update(interruptions=[]),
        "bytes": lambda s: s["streams"][0].update(bytes=1),
        "time": lambda s: s["streams"][0]["time"].update(declared_ms=s["streams"][0]["time"]["declared_ms"] + 1,
                                                         recorded_ms=s["streams"][0]["time"]["recorded_ms"] + 1),
        "stream": lambda s: s.update(streams=[]),
    }
    path = room.folder / "lie.json"
    path.write_text(signed_again(room, sheet_in(sheet)))
    assert path.read_text() == sheet.read_text(), "the test signs otherwise than the station"
    for name, change in lies.items():
        lie = sheet_in(sheet)
        change(lie)
        path.write_text(signed_again(room, lie))
        assert verified(world, "--sheet", path, export) == (1, "TAMPERED", {"sheet-differs"}), name


def test_the_docket():
    header = "court,room,time,cases,parties,judge,clerk,public,title,language\n"
    with Room() as room:
        path = room.folder / "list.csv"
        path.write_text("\ufeff" + header +
                        'court-a,room-1,2026-11-26 14:00,RG 26/2,"Lefèvre, Camille:demandeur",Mme Aubert,M. Petit,oui,Après-midi,fr\r\n'
                        "court-a,room-1,2026-11-26 25:00,RG 26/3,,,,,,\r\n"
                        "Montclair Judicial Court,第二法庭,2026-11-26T08:00Z,RG 26/1,,,,non,Matin,\r\n"
                        "court-a,room-9,2026-11-26 09:00,RG 26/9,,,,,,\r\n")
        answer, errors = room.station("docket", "--file", path, status=1)
        assert [h["cases"] for h in answer["hearings"]] == [["RG 26/1"], ["RG 26/2"]] and answer["elsewhere"] == 1, answer
        assert answer["hearings"][0]["time"] == "2026-11-26 09:00" and not answer["hearings"][0]["public"], answer
        assert answer["hearings"][1]["scheduled"] == "2026-11-26T13:00:00.000Z", answer
        assert [(p["line"], p["column"]) for p in answer["problems"]] == [(3, "time")], answer
        assert "list.csv: line 3, column time: " in errors, errors
        done = w.run(w.INGEST, "--config", room.config, "docket", "--file", path, check=False)
        assert done.returncode == 1 and done.stdout.startswith("2026-11-26 09:00  RG 26/1  Matin\n"), done.stdout
        path.write_text("court;room;time;case\ncourt-a;room-1;2026-11-26 14:00;RG 26/2\n")
        answer, errors = room.station("docket", "--file", path, status=1)
        assert not answer["hearings"] and "column cases: this column is missing" in errors and "column case: this column is not known" in errors, errors
        _, errors = room.station("docket", "--file", room.folder / "none.csv", status=2)
        assert "none.csv" in errors, errors
        room.config.write_text(room.config.read_text().replace("Europe/Paris", "Europe/Montclair"))
        _, errors = room.station("docket", "--file", path, status=2)
        assert "zone in [place]" in errors and "names look like Europe/Paris" in errors, errors


if __name__ == "__main__":
    w.main([test_close_makes_the_sheet, test_no_sheet_is_no_reason_not_to_close, test_the_code_on_paper_is_the_signed_note,
            test_the_sheet_is_checked_against_the_recording, test_the_docket], ignore=(str(KEEP),))
