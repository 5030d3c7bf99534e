"""An archive with its pool in Ceph whose second site, with a bucket, goes on as the archive: what only the first one had comes back, the archive is switched
back as planned, and then its pool is lost and rebuilt from the second site, through all three epochs. Run by test_archive.py, in its cluster."""
import json
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

from restored import another_pool, in_turn  # noqa: E402
from test_failback import Returning, mark, marks_of  # noqa: E402
from test_planned_switch import hand_over, promote, rejoin, replicate_to  # noqa: E402
import world as w  # noqa: E402

NOTE = "the witness hesitates"


class Services(Returning):
    """Both sites with a pool elsewhere, in the words of `init`."""

    def __init__(self, first, second):
        super().__init__()
        self.pool, self.replica_pool = first, second


def everything(policy, worlds, origins, hearings):
    """The pool of each is whole and proves these epochs and hearings; so does the archive's own check."""
    for world in worlds:
        done = w.run(w.VERIFY, "--policy", policy, "--pool", world.config, "--json", check=False)
        verdict = json.loads(done.stdout)
        assert done.returncode == 0 and verdict["verdict"] == "VERIFIED" and not verdict["findings"], verdict
        assert [log["origin"] for log in verdict["logs"]] == origins, verdict["logs"]
        assert {one["hearing"] for one in verdict["hearings"]} == {hearing.id for hearing in hearings}, verdict["hearings"]
        assert json.loads(world.archive("check", "--json", check=False).stdout)["findings"] == []


def epochs(first, second, new):
    """`new`: the service into which the first site's pool is rebuilt at the end."""
    with Services(first, second) as sites:
        policy = sites.remember()
        origins = [sites.primary.name, f"{sites.primary.name}/epoch/2", f"{sites.primary.name}/epoch/3"]
        before, going_on, only_there = sites.cut_off()
        mark(sites.primary, "state", only_there, NOTE)
        sites.client.close()
        sites.primary.stop(signal.SIGKILL)
        sites.go_on()
        after = sites.files_there(3)
        in_turn(sites.rejoin)
        sites.enrol_returning()
        done = sites.failback()
        assert done["whole"] and done["carried"]["caught_up"] and done["graft"]["hearings"] == 1, done
        again = sites.failback()
        assert again["graft"] == done["graft"] and again["carried"]["objects_sent"] == 0 and again["found"]["hearings"] == 0, again
        assert marks_of(sites.second, "state-epoch-2", only_there) == [NOTE]
        station = going_on.client = sites.station_goes_there()
        sites.record(going_on, 1)
        going_on.finish()
        going_on.post()
        station.close()
        hearings = [before, going_on, only_there, after]
        everything(policy, [sites.second], origins[:2], hearings)

        once = replicate_to(sites, sites.second, sites.old, sites.second.folder / "replicate")
        assert once()["caught_up"]
        end, size = hand_over(sites.second)
        assert once()["caught_up"]
        promote(sites, sites.old, end, 3, size)
        rejoin(sites, sites.second, "dr-2.test.example", sites.old, 3)
        hearings.append(sites.file_as(sites.back(sites.client), 4))
        hearings[-1].client.close()
        folder = sites.old.folder / "replicate-3"
        once = replicate_to(sites, sites.old, sites.second, folder)
        done = once()
        assert done["caught_up"] and done["undelivered"] == 0, done
        everything(policy, [sites.old, sites.second], origins, hearings)

        sites.old.stop(signal.SIGKILL)
        for path in (sites.old.home / "state-epoch-3").glob("catalogue*"):
            path.unlink()
        another_pool(new, sites.old.config, folder / "replicate.toml")
        report = json.loads(w.run(w.REPLICATE, "--config", folder / "replicate.toml", "restore", "--json", "--new-pool").stdout)
        assert report["complete"] and report["hearings"] == len(hearings), report
        sites.old.start(more=("--accept-head",))
        everything(policy, [sites.old], origins, hearings)
        assert marks_of(sites.old, "state-epoch-3", only_there) == [NOTE]
        hearings.append(sites.file_as(sites.back(sites.client), 5))
        hearings[-1].client.close()
        assert once()["caught_up"]
        everything(policy, [sites.old, sites.second], origins, hearings)
        return f"{report['objects']} objects of {report['hearings']} hearings came back through three epochs"
