"""An archive with a hearing in three sittings, in three courtrooms of two courts, and one that was opened as
the wrong case, with gaps that were explained later."""
import json
import subprocess

import media_segment
import world as w
from machine_client import Hearing, MachineClient, details_document, document, sha256, utc_text

ROOMS = {"lyon-1": ("lyon", "salle-1"), "lyon-4": ("lyon", "salle-4"), "nantes-2": ("nantes", "salle-2")}
PLACES = [("lyon", None, "Lyon Judicial Court", "Tribunal judiciaire de Lyon", "里昂法院"),
          ("lyon", "salle-1", "Courtroom 1", "Salle d’audience 1", "第一法庭"),
          ("lyon", "salle-4", "Courtroom 4", "Salle d’audience 4", "第四法庭"),
          ("nantes", None, "Nantes Judicial Court", "Tribunal judiciaire de Nantes", "南特法院"),
          ("nantes", "salle-2", "Courtroom 2", "Salle d’audience 2", "第二法庭")]
USERS = {"claire": "lyon", "nadia": "nantes", "paul": None}  # None: every court
STARTS = ("2026-11-02T09:00:00.000Z", "2026-11-16T13:30:00.000Z", "2026-11-30T08:15:00.000Z")


class Site:
    def __init__(self, world):
        self.world = world
        for court, room, en, fr, zh in PLACES:
            where = ["--room", room] if room else ["--zone", "Europe/Paris"]
            world.archive("place", "set", "--court", court, *where, "--en", en, "--fr", fr, "--zh", zh)
        self.passwords = {name: world.add_user(name, "clerk", court=court) for name, court in USERS.items()}
        for name, (court, room) in ROOMS.items():
            self.station(name, "enrol", "--code-file", world.station_code(name, court, room))
        self.details = world.folder / "details.json"
        self.details.write_text(json.dumps({"cases": ["RG 26/00417"], "title": "Lefèvre c. Bâtimont", "language": "fr", "public": True,
                                            "judges": ["Hélène Aubert"], "clerk": "Claire Morel"}))
        self.tone = world.folder / "tone.wav"
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", "sine=440:r=8000:d=12", self.tone], check=True)

    def station(self, name, verb, *words, status=0):
        done = w.run(w.INGEST, verb, "--station-dir", self.world.folder / f"station-{name}", "--json", *words, check=False)
        assert done.returncode == status, (verb, done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout) if done.stdout else {}, done.stderr

    def file(self, name, start, *more, status=0):
        words = ["--stream", f"mic-judge={self.tone}", "--start", start, "--details", self.details, "--close", *more]
        return self.station(name, "import", *words, status=status)

    def chain(self):
        """Begun in one courtroom, continued two weeks later in another, and then at another court. The ids."""
        ids = []
        for name, start in zip(ROOMS, STARTS):
            ids.append(self.file(name, start, *(["--continues", ids[-1]] if ids else []))[0]["hearing"])
        return ids

    def browser(self, name):
        return w.Browser(self.world).log_in(name, self.passwords[name])


def explained_hearing(world):
    """Recorded 20 s, recess 60 s, power cut 30 s (explained), unknown 4 s (not explained). A second client of the protocol files it."""
    code = world.station_code("lyon-7", "lyon", "salle-7")
    client = MachineClient(code.read_text())
    client.enrol()
    hearing = Hearing(client)
    details = details_document(case="RG 26/00999", title="Audience interrompue")
    chosen_first = details_document(case="RG 26/00998 <img src=x onerror=alert(1)>", title="Une autre affaire")
    hearing.put(details)
    hearing.put(chosen_first)
    hearing.open(sha256(chosen_first), {"mic-judge": "audio"})
    now = 0

    def record(run):
        nonlocal now
        data, init_bytes, duration = media_segment.segment(hearing.streams["mic-judge"]["at"], noise=False)
        hearing.put(data)
        hearing.segment("mic-judge", data, init_bytes, duration, codecs="fLaC", run=run, mono_ms=now, utc=utc_text(hearing.start_ms + now))
        hearing.streams["mic-judge"]["at"] += 90_000
        now += duration // 90

    def gap(length_ms, reason):
        nonlocal now
        hearing.add(kind="gap", boot="test", mono_ms=[now, now + length_ms], reason=reason, streams=["*"],
                    to=utc_text(hearing.start_ms + now + length_ms), **{"from": utc_text(hearing.start_ms + now)})
        now += length_ms
        return len(hearing.entries) - 1

    record(0)
    gap(60_000, "recess")
    power = gap(30_000, "power")
    record(1)
    gap(4_000, "unknown")
    note = document("explanation", text="La femme de ménage a débranché la prise du greffe.")
    hearing.put(note)
    hearing.add(kind="explanation", gap=power, note_sha256=sha256(note), person="claire", reason="power")
    hearing.add(kind="details", details_sha256=sha256(details), person="g-07", utc=utc_text(hearing.start_ms + now))
    s = hearing.streams["mic-judge"]
    hearing.add(kind="close", boot="test", mono_ms=now, utc=utc_text(hearing.start_ms + now),
                totals=[{"bytes": s["bytes"], "duration_90k": s["duration"], "segments": 2, "stream": "mic-judge"}])
    hearing.post()
    return hearing
