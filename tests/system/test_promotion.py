#!/usr/bin/python3
"""The first site is lost for good: two officers sign, the second one goes on as the archive, stations deliver there, people find what they had.

    tests/system/test_promotion.py [TEST...]
"""
import base64
import hashlib
import json
import pathlib
import shutil
import signal
import sys
import time

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from machine_client import RAW, Hearing, MachineClient, details_document, sha256, signed_checkpoint, tree_root
from test_epochs import certificate, officers, refused
from test_replicate import Sites
from world import VERIFY, Browser, main, run

TWIN = pathlib.Path(__file__).resolve().parents[1] / "twin"


class Disaster(Sites):
    def __enter__(self):
        super().__enter__()
        self.signers = officers(self.primary)
        return self

    def lose_the_first_site(self):
        self.client.close()
        self.primary.stop(signal.SIGKILL)
        shutil.rmtree(self.primary.home)

    def promote(self, *words, status=0):
        done = self.second.archive("promote", self.primary.name, *words, check=False)
        assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
        return done

    def signed(self, statement):
        """Files with the signatures of both officers."""
        out = []
        for name in self.signers:
            path = self.second.folder / f"signed-{name}"
            key = self.second.folder / f"key-{name}"
            shutil.copy(self.kept[name], key)
            self.second.archive("officer", "sign", "--name", name, "--key-file", key, "--statement", statement, "--out", path)
            out.append(path)
        return out

    def keep_officers_keys(self):
        self.kept = {name: self.folder / f"officer-{name}" for name in self.signers}
        for name, path in self.kept.items():
            shutil.copy(self.primary.folder / name, path)
        keys = self.primary.home / "state/keys"
        self.old_holder = serialization.load_pem_private_key((keys / "holder.key").read_bytes(), None)

    def go_on(self):
        """Statement, signatures, promotion, start."""
        statement = self.second.folder / "statement"
        plan = json.loads(self.promote("--statement", statement, "--json").stdout)
        assert plan["statement"] == statement.read_text() and plan["epoch"] == 2, plan
        files = self.signed(statement)
        assert "stop the service" in self.promote("--signature", files[0], "--signature", files[1], status=2).stderr
        self.second.stop()
        self.promote("--signature", files[0], "--signature", files[1])
        self.second.start()
        return plan

    def station_goes_there(self):
        """What a station does with the certificate: the same key, another place."""
        client = MachineClient(self.code_text, key=self.client.key)
        client.address = f"127.0.0.1:{self.second.machine}"
        client.code["server_key"] = json.loads(self.second_enrolment)["server_key"]
        client.epoch = 2
        return client


def prepared(sites):
    sites.keep_officers_keys()
    sites.code_text = sites.primary.station_code("s-copy").read_text()
    sites.second_enrolment = (sites.folder / "state" / "target.json").read_text()


def test_the_second_site_goes_on_as_the_archive():
    with Disaster() as sites:
        prepared(sites)
        sites.primary.add_user("clerk", "clerk")
        finished, going_on = sites.file(0), sites.begin(1)
        sites.record(going_on, 1)
        assert sites.once()[0] == 0
        late = sites.file(2)  # nobody else has it
        _, size, root = sites.client.request("GET", "/v1/log/main/checkpoint")[1]["detail"].split("\n")[:3]
        policy = sites.primary.policy()
        sites.wait(lambda: "open_hearings" in json.loads(sites.promote("--dry-run", "--json").stdout), 20)  # once the copy has a catalogue
        dry = json.loads(sites.promote("--dry-run", "--json").stdout)
        assert dry["epoch"] == 2 and dry["open_hearings"] == 1 and dry["size"] > 3 and "statement" not in dry, dry
        sites.lose_the_first_site()
        plan = sites.go_on()
        assert plan["size"] == dry["size"] and plan["root"] == dry["root"], (plan, dry)
        # The station goes on, and what nobody else had comes back from its spool.
        station = sites.station_goes_there()
        for hearing in (going_on, late, finished):
            hearing.client = station
        assert station.call("GET", finished.path + "/checkpoint")["size"] == len(finished.entries)
        sites.record(going_on, 1)
        going_on.finish()
        note = going_on.post()
        assert f"{sites.primary.name}/epoch/2/holder" in note, note
        assert refused(lambda: late.post(first=0)).status == 409
        details = json.loads(late.entries[0])["details_sha256"]
        assert set(late.have([details, *sites.digests(late)])) == {details, *sites.digests(late)}
        # People find what they had, with the accounts that they had.
        person = Browser(sites.second, "state-epoch-2").log_in("clerk", "correct horse battery staple")
        found = {row["id"] for row in person.find("")}
        assert found == {finished.id, going_on.id}, found
        for digest in sites.digests(going_on):
            status, data, _ = person.call("GET", f"/v1/hearings/{going_on.id}/objects/{digest}.mp4")
            assert status == 200 and hashlib.sha256(data).hexdigest() == digest, status
        # A hearing that began when the lost site had more of its log than anybody has now.
        begun_late = Hearing(station)
        document = details_document("RG 26/00009")
        begun_late.put(document)
        begun_late.open(sha256(document), {"cam-bench": "video"}, main_size=int(size), main_root=base64.b64decode(root).hex(), station=sites.client.code["name"],
                        court=sites.client.code["court"], room=sites.client.code["room"])
        sites.record(begun_late, 1)
        begun_late.finish()
        begun_late.post()
        assert int(size) > plan["size"]
        station.close()
        sites.second.stop()
        sites.second.start()
        assert station.call("POST", "/v1/echo", {"nonce": "n"})["epoch"] == 2
        # An auditor with the policy of before finds the way to the new epoch's keys by himself; the archive prints no other one.
        code, verdict = verdict_of(policy, sites.second.volumes)
        assert code == 0 and verdict["verdict"] == "VERIFIED" and len(verdict["hearings"]) == 3 and verdict["findings"] == [], verdict
        assert [note for note in verdict["notes"] if begun_late.id in note and "lost with a promotion" in note], verdict["notes"]
        assert [log["origin"] for log in verdict["logs"]] == [sites.primary.name, f"{sites.primary.name}/epoch/2"], verdict["logs"]
        now = sites.second.archive("policy").stdout
        assert [line for line in now.split("\n") if not line.startswith("#")] == [line for line in policy.read_text().split("\n") if not line.startswith("#")], now
        invariants = run(sys.executable, TWIN / "check_invariants.py", *sites.second.volumes, check=False)
        assert invariants.returncode == 0, invariants.stdout
        exports_lead_to_both_epochs(sites, policy, finished, going_on)
        pages_get_what_leads_to_the_new_keys(sites, policy, person, finished, going_on)
        findings = json.loads(sites.second.archive("check", "--json", check=False).stdout)["findings"]
        assert findings == [], findings
        status = json.loads(sites.second.archive("status", "--json", check=False).stdout)
        assert status["archive"]["name"] == sites.primary.name and status["archive"]["epoch"] == 2, status


def verdict_of(policy, paths):
    """Of greffe-verify; the independent verifier comes to the same."""
    done, twin = (run(*program, "--policy", policy, "--json", *paths, check=False) for program in ([VERIFY], [sys.executable, TWIN / "greffe_twin.py"]))
    answer, other = json.loads(done.stdout), json.loads(twin.stdout)
    codes = [{(one["code"], one.get("entry")) for one in one_answer["findings"]} for one_answer in (answer, other)]
    assert other["verdict"] == answer["verdict"] and codes[0] == codes[1], (codes, answer, other, twin.stderr)
    return done.returncode, answer


def exports_lead_to_both_epochs(sites, policy, before, after):
    """Each is judged with the policy of before the promotion; what was altered is named."""
    origins = [sites.primary.name, f"{sites.primary.name}/epoch/2"]
    for hearing in (before, after):
        folder = sites.second.folder / f"export-{hearing.id}"
        sites.second.archive("export", hearing.id, folder)
        code, verdict = verdict_of(policy, [folder])
        assert code == 0 and verdict["verdict"] == "VERIFIED" and not verdict["findings"], verdict
        assert [log["origin"] for log in verdict["logs"]] == origins and verdict["hearings"][0]["hearing"] == hearing.id, verdict
    good = sites.second.folder / f"export-{after.id}"
    thief = ed25519.Ed25519PrivateKey.generate()
    pinned = (good / "main/checkpoint").read_text()

    def log_of(text, key):
        """A second epoch that is this promotion alone."""
        entry = text.encode()
        note = signed_checkpoint(key, origins[1], [entry])
        return {"checkpoint": note, "entries/0.json": text, "proofs/0.tlog-proof": f"c2sp.org/tlog-proof@v1\nindex 0\n\n{note}"}

    def swapped(folder):
        one, two = sorted((folder / "main/epoch/2/entries").glob("*.json"), key=lambda path: int(path.stem))[:2]
        first = one.read_bytes()
        one.write_bytes(two.read_bytes())
        two.write_bytes(first)

    def replaced(files):
        def alter(folder):
            shutil.rmtree(folder / "main/epoch/2")
            for name, text in files.items():
                (folder / "main/epoch/2" / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / "main/epoch/2" / name).write_text(text)
        return alter

    def without_officers(folder):
        for path in (folder / "main/entries").glob("*.json"):
            if '"role":"officer"' in path.read_text():
                (folder / "main/proofs" / f"{path.stem}.tlog-proof").unlink()
                path.unlink()

    def signed_by_a_thief(folder):
        path = folder / "main/epoch/2/checkpoint"
        text = path.read_text().split("\n\n")[0] + "\n"
        path.write_text(signed_checkpoint(thief, origins[1], [], size=int(text.split("\n")[1]), root=base64.b64decode(text.split("\n")[2])))

    one = {"officer-1": sites.signers["officer-1"]}
    for name, alter, wrong in (("one-officer", replaced(log_of(certificate(sites.primary, pinned, one, log=thief), thief)), "two officers"),
                               ("another-key", signed_by_a_thief, ""),
                               ("another-log", replaced(log_of((good / "main/epoch/2/entries/0.json").read_text(), thief)), ""),
                               ("swapped", swapped, "first entry"),
                               ("no-officers", without_officers, "is not an officer")):
        folder = sites.second.folder / name
        shutil.copytree(good, folder)
        alter(folder)
        write_manifest(folder)
        code, verdict = verdict_of(policy, [folder])
        found = [one for one in verdict["findings"] if one["code"] == "promotion"]
        assert code == 1 and verdict["verdict"] == "TAMPERED" and len(found) == 1 and wrong in found[0]["what"], (name, verdict)


    # What the lost site confirmed is no receipt of the one that filed it.
    folder = sites.second.folder / "old-receipt"
    shutil.copytree(good, folder)
    shutil.rmtree(folder / "hearing/cosigned", ignore_errors=True)
    path = folder / "hearing/checkpoint"
    text, lines = path.read_text().split("\n\n")
    kept = [line for line in lines.splitlines() if "/epoch/2/holder" not in line]
    assert len(kept) < len(lines.splitlines()), lines
    path.write_text(text + "\n\n" + "".join(line + "\n" for line in kept + [cosignature(f"{sites.primary.name}/holder", sites.old_holder, text + "\n")]))
    write_manifest(folder)
    code, verdict = verdict_of(policy, [folder])
    assert code == 1 and verdict["verdict"] == "INCOMPLETE" and [one["code"] for one in verdict["findings"]] == ["receipt"], verdict
    assert f"{sites.primary.name}/holder" in verdict["hearings"][0]["cosigned_by"], verdict


def cosignature(name, key, text):
    at = int(time.time())
    public = key.public_key().public_bytes(*RAW)
    key_id = hashlib.sha256(name.encode() + b"\n\x04" + public).digest()[:4]
    signature = at.to_bytes(8, "big") + key.sign(f"cosignature/v1\ntime {at}\n{text}".encode())
    return f"\u2014 {name} {base64.b64encode(key_id + signature).decode()}"


def write_manifest(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "manifest-sha256.txt")
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder)}\n" for path in files]
    (folder / "manifest-sha256.txt").write_text("".join(lines))


def proved_root(size, proven):
    """RFC 9162, 2.1.3.2."""
    at, last, root = proven["index"], size - 1, hashlib.sha256(b"\0" + proven["entry"].encode()).digest()
    for text in proven["inclusion"]:
        other = bytes.fromhex(text)
        if at % 2 or at == last:
            root = hashlib.sha256(b"\1" + other + root).digest()
            while at % 2 == 0 and at:
                at, last = at // 2, last // 2
        else:
            root = hashlib.sha256(b"\1" + root + other).digest()
        at, last = at // 2, last // 2
    assert last == 0, proven
    return root


def pages_get_what_leads_to_the_new_keys(sites, policy, person, before, after):
    keys = person.call("GET", "/v1/keys")[1]
    assert f"log {keys['log_vkey']}\n" in policy.read_text() and keys["holder_vkey"].startswith(f"{sites.primary.name}/holder+"), keys
    answers = [person.call("GET", f"/v1/hearings/{hearing.id}/proof")[1] for hearing in (before, after)]
    assert [one["checkpoint_entry"].get("epoch") for one in answers] == [1, None], answers
    for answer in answers + [person.call("GET", "/v1/log/main/epochs")[1]]:
        first, second = answer["epochs"]
        notes = {1: first["checkpoint"], None: answer.get("main_checkpoint") or answer["checkpoint"]}
        promotion = json.loads(second["promotion"]["entry"])
        origin, size, root = first["checkpoint"].split("\n")[:3]
        assert promotion["previous"] == {"origin": origin, "root": base64.b64decode(root).hex(), "size": int(size)}, (promotion, first)
        assert {json.loads(one["entry"])["name"] for one in first["officer_entries"]} == {"officer-1", "officer-2"}, first
        for one in [*first["officer_entries"], second["promotion"], *(answer[name] for name in ("checkpoint_entry", "key_entry") if name in answer)]:
            _, size, root = notes[one.get("epoch")].split("\n")[:3]
            assert proved_root(int(size), one) == base64.b64decode(root), one
def put_epoch(volume, archive, key, certificate_entry, folder=None):
    """A log of epoch 2 with nothing but its first entry, in the folder of its name unless told otherwise."""
    origin = f"{archive}/epoch/2"
    folder = volume / "log/from" / (folder or hashlib.sha256(origin.encode()).hexdigest())
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "stage").mkdir(parents=True)
    (folder / "stage" / f"0-1-{tree_root([certificate_entry]).hex()}").write_bytes(len(certificate_entry).to_bytes(2, "big") + certificate_entry)
    (folder / "checkpoint").write_text(signed_checkpoint(key, origin, [certificate_entry]))


def test_two_logs_of_one_epoch_are_found_wherever_they_lie():
    with Disaster() as sites:
        prepared(sites)
        sites.file(0)
        assert sites.once()[0] == 0
        policy = sites.primary.policy()
        head = sites.client.request("GET", "/v1/log/main/checkpoint")[1]["detail"]
        one, two = ((key, certificate(sites.primary, head, sites.signers, log=key).encode()) for key in (ed25519.Ed25519PrivateKey.generate() for _ in range(2)))

        def judged():
            code, verdict = verdict_of(policy, sites.second.volumes)
            return code, verdict["verdict"], [found["what"] for found in verdict["findings"] if found["code"] in ("promotion", "main-signature")], verdict

        sites.second.stop()  # what is judged are disks that nobody mends
        # The officers signed two promotions, each of which alone is one.
        for certified in (one, two):
            for volume in sites.second.volumes:
                put_epoch(volume, sites.primary.name, *certified)
            code, _, found, verdict = judged()
            assert code == 0 and found == [], verdict
        # Beside one another.
        for volume in sites.second.volumes:
            put_epoch(volume, sites.primary.name, *one, folder="0" * 64)
        code, said, found, verdict = judged()
        assert code == 1 and said == "TAMPERED" and len(found) == 1 and "another epoch" in found[0], verdict
        # One on each disk, as the disks of two sites that both were promoted.
        for volume in sites.second.volumes:
            shutil.rmtree(volume / "log/from" / ("0" * 64))
        put_epoch(sites.second.volumes[-1], sites.primary.name, *one)
        code, said, found, verdict = judged()
        assert code == 1 and said == "TAMPERED" and len(found) == 1 and "not signed by the key that officers gave it" in found[0], verdict


def test_an_epoch_that_officers_did_not_begin_is_no_part_of_the_archive():
    with Disaster() as sites:
        prepared(sites)
        sites.file(0)
        assert sites.once()[0] == 0
        policy = sites.primary.policy()
        assert verdict_of(policy, sites.second.volumes)[0] == 0
        head = sites.client.request("GET", "/v1/log/main/checkpoint")[1]["detail"]
        sites.second.stop()
        strangers = {name: ed25519.Ed25519PrivateKey.generate() for name in sites.signers}
        for signers, wrong in ((strangers, "is not over this promotion"), ({"officer-1": sites.signers["officer-1"]}, "two officers")):
            key = ed25519.Ed25519PrivateKey.generate()
            entry = certificate(sites.primary, head, signers, log=key).encode()
            for volume in sites.second.volumes:
                put_epoch(volume, sites.primary.name, key, entry)
            code, verdict = verdict_of(policy, sites.second.volumes)
            found = [one for one in verdict["findings"] if one["code"] == "promotion"]
            assert code == 1 and verdict["verdict"] == "TAMPERED" and len(found) == 1 and wrong in found[0]["what"], verdict


def test_only_two_officers_of_the_archive_promote_and_only_what_is_held():
    with Disaster() as sites:
        prepared(sites)
        sites.file(0)
        assert sites.once()[0] == 0
        statement = sites.second.folder / "statement"
        sites.promote("--statement", statement)
        one, two = sites.signed(statement)
        sites.second.stop()
        assert "two officers" in sites.promote("--signature", one, status=2).stderr
        assert "officer" in sites.promote("--signature", one, "--signature", one, status=2).stderr
        changed = sites.second.folder / "changed"
        lines = statement.read_text().split("\n")
        lines[4] = str(int(lines[4]) - 1)  # behind another entry
        changed.write_text("\n".join(lines))
        three = sites.signed(changed)
        assert "is not over this promotion" in sites.promote("--signature", three[0], "--signature", three[1], status=2).stderr
        one, two = sites.signed(statement)
        changed.write_text("anything else\n")
        assert sites.second.archive("officer", "sign", "--name", "officer-1", "--key-file", sites.kept["officer-1"], "--statement", changed, "--out",
                                    sites.second.folder / "x", check=False).returncode == 2
        # What came since the statement would be lost with it.
        sites.second.start()
        sites.file(1)
        assert sites.once()[0] == 0
        sites.second.stop()
        assert "make a new one" in sites.promote("--signature", one, "--signature", two, status=2).stderr
        assert sites.second.archive("promote", "other.test.example", "--dry-run", check=False).returncode == 2
        assert sites.primary.archive("promote", sites.primary.name, "--dry-run", check=False).returncode == 2
        sites.second.start()  # it is a second site as before
        sites.file(2)
        assert sites.once()[0] == 0


def test_the_old_site_is_fenced_and_its_copies_are_not_taken_any_more():
    with Disaster() as sites:
        prepared(sites)
        sites.file(0)
        assert sites.once()[0] == 0
        sites.go_on()
        certificate = sites.station_goes_there().call("GET", f"/v1/epochs/{sites.primary.name}")
        # The old site still runs, and its replicator brings what came meanwhile.
        hearing = sites.begin(1)
        done = sites.replicate("once", check=False)
        assert done.returncode != 0, done.stdout
        # It hears of the promotion, from whomever.
        text = json.dumps(certificate, sort_keys=True, separators=(",", ":"))
        assert sites.client.request("POST", f"/v1/epochs/{sites.primary.name}", text)[1] == {"epoch": 2}
        problem = refused(lambda: sites.record(hearing, 1))
        assert problem.status == 403 and problem.problem["code"] == "fenced", problem.problem
        sites.client.close()


if __name__ == "__main__":
    main([value for name, value in list(globals().items()) if name.startswith("test_")])
