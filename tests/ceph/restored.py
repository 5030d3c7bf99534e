"""An archive whose pool in Ceph or in a bucket is lost, with its machine: rebuilt from the second site into a new one, cut short on the way.
Run by test_archive.py, in its cluster."""
import pathlib
import re
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

from test_replicate import REPLICATE  # noqa: E402
from test_restore import LostPool  # noqa: E402
import world as w  # noqa: E402

TRY_S = 40  # the lease of one that was killed lapses first


def in_turn(step):
    """Tried again until the lease of one that was killed has lapsed."""
    deadline = time.monotonic() + TRY_S
    while True:
        try:
            return step()
        except AssertionError as refused:
            if "another archive is writing to" not in str(refused) or time.monotonic() > deadline:
                raise
        time.sleep(1)


def another_pool(new, *configs):
    """Nobody reads the old one any more."""
    for config in configs:
        text, count = re.subn(r'^pool = ".*"$', f'pool = "{new}"', config.read_text(), flags=re.MULTILINE)
        assert count == 1, text
        config.write_text(text)


class LostService(LostPool):
    """`pool`: in the words of `init`; `new`: the service that takes its place."""

    def __init__(self, pool, new):
        super().__init__()
        self.pool, self.new = pool, new

    def lose_pool(self):
        another_pool(self.new, self.primary.config, self.config)

    def verdict(self):
        done = w.run(w.VERIFY, "--policy", self.policy, "--pool", self.primary.config, "--json", check=False)
        assert done.returncode in (0, 1), done
        return done.returncode, done.stdout

    def restored(self):
        return w.json.loads(in_turn(lambda: self.replicate("restore", "--json", "--new-pool")).stdout)


def restored(pool, new):
    with LostService(pool, new) as sites:
        filed = [sites.file(0), sites.large(1)]
        running = sites.begin(2)
        sites.record(running, 2)
        assert sites.once()[0] == 0
        sites.policy = sites.primary.policy()
        size = sites.status()["main_held"]
        sites.lose_everything()
        sites.bring_keys()
        unasked = sites.restore(status=2)
        assert "--new-pool" in unasked or "NoSuchBucket" in unasked, f"a pool is not made unasked: {unasked}"
        for delay in (0.3, 0.6):
            process = subprocess.Popen([REPLICATE, "--config", sites.config, "restore", "--new-pool"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(delay)
            process.kill()
            process.wait()
        began = time.monotonic()
        report = sites.restored()
        took = time.monotonic() - began
        assert report["complete"] and report["hearings"] == 3 and report["main_size"] == size, report
        assert sites.restored()["objects"] == 0, "what is there was fetched again"
        sites.primary.start()
        assert sites.check() == []
        # The station goes on with its hearing, and the second site follows.
        held = sites.client.call("GET", running.path + "/checkpoint")
        assert held["size"] == running.acknowledged_size, held
        sites.record(running, 1)
        running.finish()
        running.post()
        status, report = sites.once()
        assert status == 0 and report["caught_up"], report
        status, words_of_it = sites.verdict()
        assert status == 0, words_of_it
        return f"{len(filed) + 1} hearings came back within {took:.1f} s of the last try, after two kills"
