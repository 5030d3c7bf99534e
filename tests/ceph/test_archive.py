#!/usr/bin/python3
"""The main job with its pool in Ceph RADOS and in an S3 bucket: file, close, find it whole, export it and verify the export;
with an OSD that dies meanwhile and a kill of the archive. Then an archive that moves from volumes to Ceph, from there to S3, and back
to volumes; several machines of one archive, of which the one that writes is killed (machines.py); copies that nobody answers for (copies.py); a lost pool that
is rebuilt from the second site (restored.py); an archive that goes on at its second site, gets back what only the first one had, and returns (epochs.py); and a second site's drills
(drilled.py).

    tests/ceph/test_archive.py [rados|s3|moves|machines|copies|restored|epochs|drills]
"""
import json
import pathlib
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

from cluster import Cluster, wait_for  # noqa: E402
import copies  # noqa: E402
import drilled  # noqa: E402
import epochs  # noqa: E402
import machines  # noqa: E402
import restored  # noqa: E402
from machine_client import Hearing, Refused, random_object  # noqa: E402
from test_continues import Room  # noqa: E402
from test_read_back import await_read_back, enrolled  # noqa: E402
from test_migrate import migrate, new_volumes  # noqa: E402
import world as w  # noqa: E402

LEASE_S = 15  # of greffe-archive
GATEWAY_POOL = "default.rgw.buckets.data"


def services(cluster):
    """{service: the words of `init` that follow --pool}, for any pool of it."""
    return {"rados": ["--ceph-conf", cluster.conf, "--ceph-user", "client.admin"],
            "s3": ["--s3-endpoint", cluster.variables()["GREFFE_S3_ENDPOINT"], "--s3-credentials", cluster.credentials, "--s3-plain-etags"]}


def pool_words(kind, cluster):
    """The pool of the main job; in Ceph with a user that has no rights elsewhere."""
    if kind == "rados":
        return ["--pool", f"rados:{cluster.variables()['GREFFE_CEPH_POOL']}", "--ceph-conf", cluster.conf]
    return ["--pool", "s3:court", *services(cluster)["s3"]]


def new_pool(cluster, name):
    cluster.command(prefix="osd pool create", pool=name, pg_num=4, pgp_num=4)
    cluster.command(prefix="osd pool application enable", pool=name, app="greffe")


def check_finds_nothing(world):
    done = world.archive("check", "--json", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["findings"] == [] and found["logs"] >= 2 and found["objects"] > 3, found
    return found


def start_in_turn(world):
    """It waits until the lease of the one before has lapsed."""
    began = time.monotonic()
    world.start()
    took = time.monotonic() - began
    assert took < 30, "nobody took over within 30 s"
    return took


def judged(world):
    """greffe-verify on the pool that archive.toml names: exit status and report."""
    done = w.run(w.VERIFY, "--policy", world.policy(), "--pool", world.config, "--json", check=False)
    assert done.returncode in (0, 1), done
    return done.returncode, json.loads(done.stdout)


def verified_as_a_pool(kind, cluster, world, hearings):
    """In the words and with the exit status that volumes get."""
    code, verdict = judged(world)
    assert code == 0 and verdict["verdict"] == "VERIFIED_WITH_DECLARED_GAPS" and verdict["kind"] == "pool", verdict
    assert {h["hearing"] for h in verdict["hearings"]} == set(hearings) and verdict["checked"]["objects"] > 3, verdict
    if kind != "rados":
        return
    with cluster.admin.open_ioctx(cluster.variables()["GREFFE_CEPH_POOL"]) as pool:
        pool.set_namespace("objects")
        key = max((o.key for o in pool.list_objects() if o.key.startswith("sha256/")), key=lambda k: pool.stat(k)[0])
        good = pool.read(key, pool.stat(key)[0])
        for spoilt, wanted in ((good[:100] + b"!" + good[101:], "object-altered"), (None, "object-missing")):
            pool.write_full(key, spoilt) if spoilt else pool.remove_object(key)
            code, verdict = judged(world)
            assert code == 1 and verdict["verdict"] == "TAMPERED", verdict
            assert [(f["code"], f["object"]) for f in verdict["findings"]] == [(wanted, key[-64:])], verdict["findings"]
        pool.write_full(key, good)
    assert judged(world)[0] == 0


def no_room(world, cluster, hearing):
    """A pool at its quota: a deposit is refused with 507 and what to do, what is there can be looked at, and with room it goes on."""
    client = enrolled(world, "full")

    def answer():
        try:
            Hearing(client).put(random_object(2000))
            return 201, ""
        except Refused as refused:
            return refused.status, refused.problem["detail"]

    def quota(bytes_max):
        cluster.command(prefix="osd pool set-quota", pool=cluster.variables()["GREFFE_CEPH_POOL"], field="max_bytes", val=str(bytes_max))

    clerk = w.Browser(world).log_in("full", world.add_user("full", "clerk"))
    quota(1)
    wait_for("the pool to be full", 60, lambda: answer()[0] != 201)
    status, words = answer()
    assert status == 507 and "quota" in words, (status, words)
    assert clerk.call("GET", f"/v1/hearings/{hearing}/timeline")[0] == 200
    quota(0)
    wait_for("deposits to go on", 60, lambda: answer()[0] == 201)
    assert world.server.poll() is None


def main_job(kind, cluster):
    with Room(pool=pool_words(kind, cluster)) as room:
        world = room.world
        first = room.begin(0, "--close")[0]["hearing"]
        await_read_back(enrolled(world), first, len(room.entries(first)))
        if kind == "rados":
            no_room(world, cluster, first)
        # A disk of the cluster dies while the next hearing is filed.
        cluster.kill("osd.0")
        second = room.begin(10, "--close")[0]["hearing"]
        cluster.launch("osd.0")
        # The archive is killed with a hearing open, and goes on with it.
        third = room.begin(20)[0]["hearing"]
        status = json.loads(world.archive("status", "--json").stdout)
        assert len(status["volumes"]) == 1 and status["volumes"][0]["state"] == "active", status["volumes"]
        other = w.run(w.ARCHIVE, "--config", world.config, "serve", check=False)
        assert other.returncode == 2 and "the address is not free" in other.stderr, other  # the same machine twice
        world.stop(w.signal.SIGKILL)
        took = start_in_turn(world)
        room.record(21, "--hearing", third, "--close")
        scrubbed = json.loads(world.archive("scrub", "--json").stdout)
        assert scrubbed["failures"] == 0 and scrubbed["objects"] > 3, scrubbed
        found = check_finds_nothing(world)
        for hearing in (first, second, third):
            export = world.folder / f"export-{hearing}"
            world.archive("export", hearing, export)
            code, verdict = world.verify(export)
            # Between the two recordings of the third there is a minute that it declares.
            wanted = "VERIFIED_WITH_DECLARED_GAPS" if hearing == third else "VERIFIED"
            assert code == 0 and verdict["hearings"][0]["verdict"] == wanted, (code, verdict)
            shutil.rmtree(export)
        verified_as_a_pool(kind, cluster, world, (first, second, third))
        world.stop()
        began = time.monotonic()
        world.start()  # the lease was given up: at once
        assert time.monotonic() - began < LEASE_S - 5
        world.stop()
        world.archive("rebuild-catalogue")
        check_finds_nothing(world)
        return f"{found['objects']} objects, {found['logs']} logs; the next archive served {took:.1f} s after a kill"


def refused(kind, cluster):
    """A pool that is not fit, and one that holds an archive, are refused with the reason."""
    again = subprocess.run([w.ARCHIVE, "init", "--dir", cluster.folder / f"again-{kind}", "--name", "other.test.example",
                            *pool_words(kind, cluster)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert again.returncode == 2 and "holds an archive already" in again.stderr, again
    if kind != "rados":
        return "a second archive in the bucket"
    cluster.command(prefix="osd pool create", pool="thin", pg_num=1, pgp_num=1)
    cluster.command(prefix="osd pool set", pool="thin", var="size", val="2")
    cluster.command(prefix="osd pool set", pool="thin", var="min_size", val="1")
    thin = subprocess.run([w.ARCHIVE, "init", "--dir", cluster.folder / "thin", "--name", "thin.test.example", "--pool", "rados:thin",
                           "--ceph-conf", cluster.conf, "--ceph-user", "client.admin"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert thin.returncode == 2, thin
    assert "ceph osd pool set thin size 3" in thin.stderr and "ceph osd pool set thin min_size 2" in thin.stderr, thin.stderr
    return "a second archive in the pool, and two replicas"


def moves(_, cluster):
    new_pool(cluster, "moved")
    ceph, s3 = (["--pool", f"{service}:moved", *words] for service, words in services(cluster).items())
    with Room() as room:
        world, hearings, heads = room.world, [], set()
        for number, place in enumerate((ceph, s3, None)):
            hearings.append(room.begin(10 * number, "--close")[0]["hearing"])
            words = place or new_volumes(world)
            migrate(world, *words)  # beside the archive
            hearings.append(room.begin(10 * number + 5, "--close")[0]["hearing"])
            world.stop()
            done = migrate(world, "--finish")
            assert done["findings"] == [] and done["objects"] >= 4 * (number + 1), done
            heads.add((done["size"], done["root"]))
            world.config.with_name("archive.toml.new").rename(world.config)
            start_in_turn(world)
        world.volumes = world.moved
        room.verified(*hearings)
        assert check_finds_nothing(world)["objects"] == done["objects"] and len(heads) == 3
    return f"{done['objects']} objects from volumes to Ceph, to S3 and back; {len(hearings)} hearings verify"


def several_machines(_, cluster):
    new_pool(cluster, "several")
    return machines.machines(["--pool", "rados:several", *services(cluster)["rados"]])


def passive_copies(_, cluster):
    new_pool(cluster, "copies")
    return copies.copies({"ceph": f'pool = "rados:copies"\nceph_conf = "{cluster.conf}"\nceph_user = "client.admin"\n',
                          "bucket": f'pool = "s3:copies"\ns3_endpoint = "{cluster.variables()["GREFFE_S3_ENDPOINT"]}"\n'
                                    f's3_credentials = "{cluster.credentials}"\ns3_quoted_etags = false\n'}, cluster, "copies")


def lost_pools(_, cluster):
    found = []
    for name in ("lost", "rebuilt"):
        new_pool(cluster, name)
    for service, words in services(cluster).items():
        found.append(f"{service}: " + restored.restored(["--pool", f"{service}:lost", *words], f"{service}:rebuilt"))
    return "; ".join(found)


def three_epochs(_, cluster):
    found = []
    for name in ("one", "other", "again"):
        new_pool(cluster, name)
    for one, other in (("rados", "s3"), ("s3", "rados")):
        first, second = (["--pool", f"{service}:{name}", *services(cluster)[service]] for service, name in ((one, "one"), (other, "other")))
        found.append(f"first site in {one}: " + epochs.epochs(first, second, f"{one}:again"))
    return "; ".join(found)


def drills(_, cluster):
    new_pool(cluster, "drilled")
    places = {"rados": "drilled", "s3": GATEWAY_POOL}
    return "; ".join(f"{service}: " + drilled.drilled(["--pool", f"{service}:drilled", *words], cluster, places[service])
                     for service, words in services(cluster).items())


def main():
    kinds = sys.argv[1:] or ["rados", "s3", "moves", "machines", "copies", "restored", "epochs", "drills"]
    tests = {"moves": (moves,), "machines": (several_machines,), "copies": (passive_copies,), "restored": (lost_pools,), "epochs": (three_epochs,), "drills": (drills,)}
    began = time.monotonic()
    with Cluster() as cluster:
        for kind in kinds:
            for test in tests.get(kind, (main_job, refused)):
                start = time.monotonic()
                found = test(kind, cluster)
                print(f"ok {test.__name__} {kind} ({time.monotonic() - start:.1f} s): {found}", flush=True)
    print(f"passed in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
