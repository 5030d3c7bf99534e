#!/usr/bin/python3
"""What the demo files: one long hearing and forty short ones whose names and numbers are nearly the same.

    plan.py DIR     writes DIR/plan.json and the details of every hearing to DIR/details/; keeps a plan that is there

All courts, people and cases are invented. The long hearing is recorded now; the others' dates lie in the days before.
"""
import datetime
import json
import pathlib
import sys

PLACES = [
    {"court": "montclair", "en": "Montclair Judicial Court", "fr": "Tribunal judiciaire de Montclair", "zh": "蒙克莱尔法院",
     "zone": "Europe/Paris"},
    {"court": "montclair", "room": "salle-2", "en": "Courtroom 2", "fr": "Salle d’audience 2", "zh": "第二法庭"},
    {"court": "jiangcheng", "en": "Jiangcheng People’s Court", "fr": "Tribunal populaire de Jiangcheng", "zh": "江城市人民法院",
     "zone": "Asia/Shanghai"},
    {"court": "jiangcheng", "room": "fating-3", "en": "Courtroom 3", "fr": "Salle d’audience 3", "zh": "第三法庭"},
]
STATIONS = [
    {"name": "montclair-salle-2", "court": "montclair", "room": "salle-2"},
    {"name": "jiangcheng-fating-3", "court": "jiangcheng", "room": "fating-3"},
]
# The two clerks can each enter one court; the rest is as the roles say.
USERS = [
    {"name": "claire", "display": "Claire Morel", "roles": ["clerk"], "court": "montclair", "language": "fr"},
    {"name": "meiling", "display": "陈美玲", "roles": ["clerk"], "court": "jiangcheng", "language": "zh"},
    {"name": "judge", "display": "Judge Aubert", "roles": ["judge"], "court": "montclair", "language": "en"},
    {"name": "auditor", "display": "Auditor", "roles": ["auditor"], "court": None, "language": "en"},
    {"name": "operator", "display": "Operator", "roles": ["operator"], "court": None, "language": "en"},
]

FRENCH_NAMES = ["Camille Lefèvre", "Camille Lefebvre", "Camille Lefevre", "Camille Lefébure", "Gaëlle Lefèvre",
                "Gaelle Le Fèvre", "Émile Lefeuvre", "Emilie Lefèvre", "Noël Béranger", "Noëlle Bérenger"]
CHINESE_NAMES = ["王伟", "王玮", "王炜", "王卫", "汪伟", "张秀英", "张秀瑛", "章秀英", "张秀颖", "王秀英"]
FRENCH_NUMBERS = ["RG 26/01234", "RG 26/01243", "RG 26/01324", "RG 26/10234", "RG 25/01234", "RG 26/01235", "RG 26/01236",
                  "RG 26/12034", "RG 26/01237", "RG 26/12340"]
CHINESE_NUMBERS = ["（2026）鄂01民初1234号", "（2026）鄂01民初1243号", "（2026）鄂01民初1234号之一", "（2026）鄂01民初12340号",
                   "（2025）鄂01民初1234号", "（2026）鄂01民终1234号", "（2026）鄂01刑初1234号", "（2026）鄂0102民初1234号",
                   "（2026）鄂01民初1235号", "（2026）鄂01民初2134号"]


def utc(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def long_hearing(now):
    names = ("cam-bench", "cam-speaker", "mic-judge", "mic-party", "mic-witness")
    recordings = {name: f"{name}.{'mp4' if name.startswith('cam') else 'wav'}" for name in names}
    return {
        "id": "long", "station": "montclair-salle-2",
        # What the cameras and microphones send live, for a minute with a recess in it, and what is filed behind that.
        "streams": {name: f"hearing/{file}" for name, file in recordings.items()},
        "rest": {name: f"rest/{file}" for name, file in recordings.items()},
        "gaps": [{"reason": "recess"}],
        # In this order; the last one so many seconds into the rest, the others live.
        "marks": [{"text": "Ouverture de l’audience"}, {"text": "Témoin : Mme Noëlle Bérenger"}, {"text": "Suspension d’audience"},
                  {"text": "Reprise / 继续开庭"}, {"text": "Objection de la défense", "after": 30}],
        "details": {
            "cases": ["RG 26/01233", "RG 26/00871"],
            "parties": [{"name": "Camille Lefèvre", "role": "demanderesse", "spellings": ["Lefevre"]},
                        {"name": "Société Bâtimont SARL", "role": "défenderesse"}],
            "judges": ["Hélène Aubert", "Jean-Noël Çakır"], "clerk": "Claire Morel",
            "title": "Lefèvre c. Société Bâtimont — malfaçons", "scheduled": utc(now), "public": True, "language": "fr",
        },
    }


def short_hearing(number, day):
    french = number % 2 == 0
    k = number // 2
    names, numbers = (FRENCH_NAMES, FRENCH_NUMBERS) if french else (CHINESE_NAMES, CHINESE_NUMBERS)
    first, second = names[k % 10], names[(k + 3 + k // 10) % 10]
    case = numbers[k % 10] if k < 10 else numbers[k % 10].replace("234", "254").replace("243", "245")
    start = datetime.datetime.combine(day - datetime.timedelta(days=k // 4), datetime.time(1 if not french else 8, 0))
    start += datetime.timedelta(minutes=35 * (k % 4))
    return {
        "id": f"short-{number:02}", "station": "montclair-salle-2" if french else "jiangcheng-fating-3", "start": utc(start),
        "streams": {"cam-bench": f"short/cam-{number % 4}.mp4", "mic-judge": f"short/mic-{number % 8}.wav"},
        "gaps": [], "marks": [],
        "details": {
            "cases": [case],
            "parties": [{"name": first, "role": "demandeur" if french else "原告"},
                        {"name": second, "role": "défendeur" if french else "被告"}],
            "judges": ["Hélène Aubert" if french else ["李芳", "李方"][k % 2]], "clerk": "Claire Morel" if french else "陈美玲",
            "title": f"{first} c. {second}" if french else f"{first}诉{second}合同纠纷", "scheduled": utc(start),
            "public": number % 7 != 3, "language": "fr" if french else "zh",
        },
    }


def own_media_hearing(day, streams):
    start = datetime.datetime.combine(day, datetime.time(9, 0))
    return {"id": "own", "station": "montclair-salle-2", "start": utc(start), "streams": streams, "gaps": [], "marks": [],
            "details": {"cases": ["DEMO 1"], "parties": [], "judges": [], "clerk": "", "title": "My own recording",
                        "scheduled": utc(start), "public": True, "language": "en"}}


def filed(folder):
    path = folder / "filed.json"
    return json.loads(path.read_text()) if path.exists() else {}


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    path = folder / "plan.json"
    # Somebody's own files can be given anew until they are filed: the first try may have named one that is refused.
    if path.exists() and (len(sys.argv) == 2 or "hearing" in filed(folder).get("own", {}) or '"id": "own"' not in path.read_text()):
        return
    now = datetime.datetime.now(datetime.timezone.utc)
    yesterday = now.date() - datetime.timedelta(days=1)
    if len(sys.argv) > 2:
        streams = dict(pair.split("=", 1) for pair in sys.argv[2:])
        hearings = [own_media_hearing(yesterday, streams)]
    else:
        hearings = [long_hearing(now)] + [short_hearing(n, yesterday - datetime.timedelta(days=1)) for n in range(40)]
    (folder / "details").mkdir(parents=True, exist_ok=True)
    for hearing in hearings:
        text = json.dumps(hearing.pop("details"), ensure_ascii=False, indent=1)
        (folder / "details" / (hearing["id"] + ".json")).write_text(text)
    plan = {"places": PLACES, "stations": STATIONS, "users": USERS, "hearings": hearings}
    part = path.with_suffix(".part")
    part.write_text(json.dumps(plan, ensure_ascii=False, indent=1))
    part.rename(path)


if __name__ == "__main__":
    main()
