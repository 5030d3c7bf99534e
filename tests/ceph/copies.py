"""Copies that nobody answers for, in a Ceph pool and in a bucket: filled, killed, verified, spoilt and mended, and an archive restored
from them. Run by test_archive.py, in its cluster."""
import json
import pathlib
import shutil
import subprocess
import sys
import time

import rados

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

from test_passive_target import REPLICATE, Copies  # noqa: E402
import world as w  # noqa: E402


class Services(Copies):
    """The same archive with two such targets; `places`: the keys of each pool."""

    def __init__(self, places):
        self.places = places

    def __enter__(self):
        super().__enter__()
        text = self.config.read_text()
        tables = "".join(f'[[target]]\nname = "{name}"\n{place}' for name, place in self.places.items())
        self.config.write_text(text[:text.index("[[target]]")] + tables)
        for name in self.places:
            self.replicate("init-target", "--target", name)
            self.replicate("init-target", "--target", name)  # again: it is this archive's copy already
        return self

    def verify_at(self, name):
        place = self.folder / f"{name}.toml"
        place.write_text(self.places[name])
        done = w.run(w.VERIFY, "--policy", self.primary.policy(), "--pool", place, "--json", check=False)
        assert done.returncode in (0, 1), done
        return done.returncode, json.loads(done.stdout)

    def caught_up(self):
        deadline = time.monotonic() + 40  # the lease of one that was killed lapses first
        while True:
            status, report = self.once()
            if status == 0 or time.monotonic() > deadline:
                break
            time.sleep(1)
        assert status == 0 and report["well"], report
        for one in self.status()["targets"]:
            assert one["passive"] and one["caught_up"] and one["grade"]["written"]["read"] == one["grade"]["written"]["objects"], one


def spoil(cluster, pool_name, digest):
    """The object of this name, which may be one of the gateway's."""
    with cluster.admin.open_ioctx(pool_name) as pool:
        pool.set_namespace(rados.LIBRADOS_ALL_NSPACES)
        one, = (one for one in pool.list_objects() if one.key.endswith(digest))
        pool.set_namespace(one.nspace)
        pool.write(one.key, bytes([pool.read(one.key, 1, 100)[0] ^ 1]), 100)


def copies(places, cluster, pool_name):
    with Services(places) as sites:
        filed = [sites.file(i) for i in range(2)]
        for delay in (0.1, 0.3, 0.6):
            process = subprocess.Popen([REPLICATE, "--config", sites.config, "once"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(delay)
            process.kill()
            process.wait()
        sites.caught_up()
        for name in places:
            code, verdict = sites.verify_at(name)
            assert code == 0 and verdict["verdict"] == "VERIFIED" and len(verdict["hearings"]) == 2, (name, verdict)
        victim = sites.digests(filed[0])[1]
        spoil(cluster, pool_name, victim)
        found = json.loads(sites.replicate("compare", "--target", "ceph", "--json", check=False).stdout)
        assert [(b["object"], b["found"]) for b in found["bad"]] == [(victim, "damaged")], found
        mended = json.loads(sites.replicate("compare", "--target", "ceph", "--repair", "--json").stdout)
        assert mended["equal"] and mended["objects_returned"] == 1, mended
        assert sites.verify_at("ceph")[0] == 0
        assert json.loads(sites.replicate("compare", "--target", "bucket", "--json").stdout)["equal"]
        filed.append(sites.file(2))
        sites.caught_up()
        size = sites.status()["targets"][0]["main_held"]

        policy = sites.primary.policy()
        sites.client.close()
        sites.primary.stop()
        words = [word for v in sites.primary.volumes for word in ("--volume", f"{v}=shelf-{v.name}")]
        for name in places:
            shutil.rmtree(sites.primary.home / "volumes")
            report = json.loads(sites.replicate("restore", "--from", name, "--json", *words).stdout)
            assert report["complete"] and report["hearings"] == 3 and report["main_size"] == size, (name, report)
            assert w.run(w.VERIFY, "--policy", policy, *sites.primary.volumes, check=False).returncode == 0
        return f"{report['objects']} objects in Ceph and in a bucket, mended and restored from"
