#!/usr/bin/python3
"""An archive hears that it was promoted at another site: it takes nothing any more, also after a restart; and whom it does not believe.
The certificates are made here, from docs/formats/main-log.md alone.

    tests/system/test_epochs.py [TEST...]
"""
import base64
import hashlib
import json

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from machine_client import Hearing, MachineClient, RAW, Refused, canonical, details_document, sha256
from world import World, main


def raw(key):
    return key.public_key().public_bytes(*RAW)


def verifier_key(name, kind, public):
    key_id = hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).hexdigest()[:8]
    return f"{name}+{key_id}+{base64.b64encode(bytes([kind]) + public).decode()}"


def officers(world):
    """{name: private key} of two officers of this archive."""
    out = {}
    for name in ("officer-1", "officer-2"):
        path = world.folder / name
        public = world.archive("officer", "key", "--out", path).stdout.split()[-1]
        world.archive("officer", "add", "--name", name, "--key", public)
        out[name] = serialization.load_pem_private_key(path.read_bytes(), None)
        assert raw(out[name]).hex() == public, public
    return out


def certificate(world, head, signers, epoch=2, place="https://second.test.example:8444", log=None):
    """`head`: a checkpoint note of the epoch before; `log`: the key of the new one."""
    origin, size, root = head.split("\n")[:3]
    name = f"{world.name}/epoch/{epoch}"
    log = log or ed25519.Ed25519PrivateKey.generate()
    holder, server = (ed25519.Ed25519PrivateKey.generate() for _ in range(2))
    entry = {"archive": world.name, "epoch": epoch, "holder": verifier_key(name + "/holder", 4, raw(holder)), "kind": "promotion", "log_key": raw(log).hex(),
             "machine_key": raw(server).hex(), "machine_url": place, "officers": list(signers),
             "previous": {"origin": origin, "root": base64.b64decode(root).hex(), "size": int(size)}, "utc": "2026-11-27T09:00:00.000Z", "v": 1}
    lines = ["greffe promotes v1", world.name, str(epoch), origin, size, entry["previous"]["root"], verifier_key(name, 1, raw(log)), entry["holder"], place,
             entry["machine_key"]]
    statement = "".join(line + "\n" for line in lines).encode()
    entry["signatures"] = [base64.b64encode(key.sign(statement)).decode() for key in signers.values()]
    return canonical(entry)


def refused(call):
    try:
        call()
    except Refused as problem:
        return problem
    raise AssertionError("it was taken")


def enrolled(world):
    client = MachineClient(world.station_code().read_text())
    client.enrol()
    return client


def head_of(client):
    return client.request("GET", "/v1/log/main/checkpoint")[1]["detail"]  # a note, not JSON


def begun(client):
    hearing = Hearing(client)
    details = details_document()
    hearing.put(details)
    hearing.open(sha256(details), {"cam-bench": "video"})
    hearing.post()
    return hearing


def test_an_archive_that_was_promoted_elsewhere_takes_nothing_any_more():
    with World() as world:
        world.start()
        client = enrolled(world)
        hearing = begun(client)
        signers = officers(world)
        head = head_of(client)
        text = certificate(world, head, signers)
        address = f"/v1/epochs/{world.name}"
        assert refused(lambda: client.call("GET", address)).status == 404
        assert client.request("POST", address, text)[1] == {"epoch": 2}
        for _ in range(2):
            assert canonical(client.call("GET", address)) == text
            for attempt in (lambda: hearing.put(b"more"), lambda: hearing.have([sha256(b"more")]), hearing.post):
                problem = refused(attempt)
                assert problem.status == 403 and problem.problem["code"] == "fenced" and problem.problem["certificate"] == text, problem.problem
                assert "second.test.example" in problem.problem["detail"], problem.problem
            assert client.call("GET", hearing.path + "/checkpoint")["size"] == 1, "reading does not go on"
            told = world.archive("station", "add", "--name", "s2", "--court", "court-a", "--room", "room-2", "--code-file", world.folder / "c", check=False)
            if told.returncode == 0:  # a code is no entry; what it leads to would be one
                other = MachineClient((world.folder / "c").read_text())
                assert refused(other.enrol).status in (403, 503)
            client.close()
            world.stop()
            world.start()  # it still knows
            assert "second.test.example" in world.log.read_text(), world.log.read_text()
        # A request that is older than the epoch that is known is told of it.
        assert client.request("POST", "/v1/echo", b'{"nonce":"x"}')[1]["epoch"] == 2


def test_whom_an_archive_does_not_believe():
    with World() as world:
        world.start()
        client = enrolled(world)
        hearing = begun(client)
        signers = officers(world)
        head = head_of(client)
        good = json.loads(certificate(world, head, signers))
        stranger = ed25519.Ed25519PrivateKey.generate()
        address = f"/v1/epochs/{world.name}"
        forgeries = [certificate(world, head, {"officer-1": signers["officer-1"]}),
                     certificate(world, head, {**signers, "officer-2": stranger}),
                     certificate(world, head, {"officer-1": signers["officer-1"], "officer-9": stranger}),
                     canonical({**good, "machine_url": "https://thief.test.example:8444"}),
                     canonical({**good, "epoch": 3, "previous": {**good["previous"], "origin": f"{world.name}/epoch/2"}})]
        for text in forgeries:
            status, answer = client.request("POST", address, text)
            assert status == 403, (status, answer)
        for text in ("{}", canonical({**good, "archive": "other.test.example"}), canonical(good) + " ", canonical({**good, "epoch": 1})):
            status, answer = client.request("POST", address, text)
            assert status == 400, (status, answer)
        world.archive("officer", "revoke", "--name", "officer-2", "--why", "stolen")
        assert client.request("POST", address, canonical(good))[0] == 403
        hearing.put(b"more")  # it takes what comes, as before
        assert refused(lambda: client.call("GET", address)).status == 404


if __name__ == "__main__":
    main([value for name, value in list(globals().items()) if name.startswith("test_")])
