"""A second site whose pool is in Ceph or a bucket rehearses the loss of the first one; a spoilt object is found, named, and mended from the first site.
Run by test_archive.py, in its cluster."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

from copies import spoil  # noqa: E402
from test_drill import DrilledSites, tells  # noqa: E402


class Services(DrilledSites):
    def __init__(self, pool):
        super().__init__()
        self.replica_pool = pool


def drilled(pool, cluster, ceph_pool):
    """`pool`: the second site's, in the words of `init`; `ceph_pool`: where its objects lie in the end."""
    with Services(pool) as sites:
        filed = sites.drill(0)
        report = filed["report"]
        assert filed["failures"] == 0 and report["catalogue"]["equal"] and report["catalogue"]["hearings"] == 3 and report["level"] == 5, filed
        assert report["media"]["frames"] > 0 and filed["objects"] > report["sample"]["objects"] >= 3 * 3, filed
        segment = sites.segments(sites.hearings[0])[0]["sha256"]
        spoil(cluster, ceph_pool, segment)
        damaged = sites.drill(1)
        assert damaged["report"]["level"] == 0 and tells(damaged, "object", sites.hearings[0], "stream mic-judge", segment), damaged
        assert sites.replicate("compare", "--repair", check=False).returncode == 0
        assert sites.drill(0)["failures"] == 0
        return f"{filed['objects']} objects read, back after {report['rto_ms'] / 1000:.1f} s"
