#!/usr/bin/python3
"""RADOS and S3 as stores, against a real cluster: the conformance suite, then what can happen to the cluster, to the gateway
and to a writer. After each fault, all that was acknowledged is read again.

    tests/ceph/test_store_faults.py [NAME…]    all, or those whose name contains one of the words

Needs build/tests/test_store and build/tests/store_probe; GREFFE_BUILD names another build folder.
"""
import subprocess
import sys
import os
import time

from cluster import OSDS, POOL, Cluster, wait_for
from fault_proxy import FAULTS, FaultProxy
from probe import PROGRAM, Probe, run, verify

LEASE_S = 3  # of store_probe


def suite(tag):
    def test(cluster):
        done = subprocess.run([PROGRAM.parent / "test_store", f"[{tag}]"], env={**os.environ, **cluster.variables()},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode == 0, done.stdout[-4000:]
        assert "skipped" not in done.stdout and "All tests passed" in done.stdout, done.stdout[-4000:]
        return done.stdout.strip().splitlines()[-1]
    test.__name__ = f"suite_{tag}"
    return test


def fresh(kind, cluster):
    assert run(kind, "init", variables=cluster.variables()).returncode == 0
    return Probe(kind, cluster.variables())


def finish(kind, cluster, *probes):
    for probe in probes:
        if probe.process.poll() is None:
            probe.finish()
    objects, heads = verify(kind, cluster.variables(), probes)
    return f"{objects} objects, {heads} heads"


def one_osd_killed(cluster):
    probe = fresh("rados", cluster)
    probe.wait_both(20, "before")
    cluster.kill("osd.0")
    stall = probe.wait_both(30, "with two OSDs of three")
    cluster.launch("osd.0")
    cluster.wait_clean()
    probe.wait_both(20, "after")
    assert not any(name.startswith("object") for name in probe.failures), probe.failures
    return finish("rados", cluster, probe) + f"; went on after {stall:.1f} s"


def two_osds_killed(cluster):
    """Writes wait, and go on when one is back; nothing was refused."""
    probe = fresh("rados", cluster)
    probe.wait_both(20, "before")
    cluster.kill("osd.1", "osd.2")
    time.sleep(1)
    moment = time.monotonic()
    time.sleep(3)
    late = [t for t, _ in probe.objects if t > moment]
    assert not late, f"{len(late)} objects were acknowledged with one OSD of three"
    cluster.launch("osd.1")
    stall = probe.wait_both(60, "with two OSDs again")
    cluster.launch("osd.2")
    cluster.wait_clean()
    assert not any(name.startswith("object") for name in probe.failures), probe.failures
    return finish("rados", cluster, probe) + f"; went on {stall:.1f} s after an OSD was back"


def outcome_unknown(cluster):
    """The same with a timeout that is too short: unknown outcomes are told as such, and nothing acknowledged is lost."""
    assert run("rados", "init", variables=cluster.variables()).returncode == 0
    probe = Probe("rados", cluster.variables(), timeout_s=2)
    probe.wait_both(20, "before")
    cluster.kill("osd.0", "osd.1")
    time.sleep(6)
    cluster.launch("osd.0")
    cluster.launch("osd.1")
    probe.wait_both(60, "after")
    cluster.wait_clean()
    assert probe.failures["object unavailable"] > 0 and probe.failures["head unavailable"] > 0, probe.failures
    assert set(probe.failures) == {"object unavailable", "head unavailable"}, probe.failures
    return finish("rados", cluster, probe) + f"; {dict(probe.failures)}"


def osd_hung(cluster):
    probe = fresh("rados", cluster)
    probe.wait_both(20, "before")
    cluster.hang("osd.2")
    stall = probe.wait_both(40, "with a hung OSD")
    cluster.go_on("osd.2")
    cluster.wait_clean()
    probe.wait_both(20, "after")
    return finish("rados", cluster, probe) + f"; went on after {stall:.1f} s"


def monitor_gone(cluster):
    probe = fresh("rados", cluster)
    probe.wait_both(20, "before")
    cluster.kill("mon.a")
    stall = probe.wait_both(20, "without the monitor")
    time.sleep(2)
    probe.wait_both(20, "still without it")
    cluster.launch("mon.a")
    cluster.wait_clean()
    return finish("rados", cluster, probe) + f"; went on after {stall:.1f} s"


def cluster_restarted(cluster):
    probe = fresh("rados", cluster)
    probe.wait_both(20, "before")
    names = ("mon.a", "mgr.x", "osd.0", "osd.1", "osd.2")
    cluster.kill(*names)
    time.sleep(1)
    for name in names:
        cluster.launch(name)
    stall = probe.wait_both(60, "after all of it was restarted")
    cluster.wait_clean()
    return finish("rados", cluster, probe) + f"; went on after {stall:.1f} s"


def cluster_full(cluster):
    """A pool at its quota: said as "no space" with what to do, never as something else; it goes on when there is room."""
    def quota(bytes_max):
        cluster.command(prefix="osd pool set-quota", pool=POOL, field="max_bytes", val=str(bytes_max))

    probe = fresh("rados", cluster)
    probe.wait_both(20, "before")
    quota(1)
    wait_for("the full pool to be noticed", 60, lambda: probe.failures["object no_space"] > 5)
    assert any("quota" in line for line in probe.complaints), list(probe.complaints)
    full_since = time.monotonic()
    time.sleep(LEASE_S + 2)  # the writer's lease is renewed all the same
    assert not [t for t, _ in probe.objects if t > full_since + 1], "something was stored in a full pool"
    quota(0)
    stall = probe.wait_both(60, "with room again")
    assert set(probe.failures) <= {"object no_space", "head no_space"}, probe.failures
    return finish("rados", cluster, probe) + f"; {dict(probe.failures)}; went on {stall:.1f} s after there was room"


def partition(cluster):
    """The writer reaches neither the monitor nor any OSD, for longer than it waits; nothing is closed and nobody answers."""
    assert run("rados", "init", variables=cluster.variables()).returncode == 0
    probe = Probe("rados", cluster.variables(), timeout_s=2)
    probe.wait_both(20, "before")
    names = ("mon.a", *(f"osd.{i}" for i in range(OSDS)))
    for name in names:
        cluster.hang(name)
    time.sleep(6)
    for name in names:
        cluster.go_on(name)
    stall = probe.wait_both(60, "after the partition")
    cluster.wait_clean()
    assert probe.failures["object unavailable"] > 0 and probe.failures["head unavailable"] > 0, probe.failures
    assert set(probe.failures) == {"object unavailable", "head unavailable"}, probe.failures
    return finish("rados", cluster, probe) + f"; {dict(probe.failures)}; went on after {stall:.1f} s"


def writer_killed(kind):
    def test(cluster):
        first = fresh(kind, cluster)
        first.wait_both(20, "before")
        began = time.monotonic()
        first.kill()
        second = None
        while second is None:  # the lock is there until it lapses
            try:
                second = Probe(kind, cluster.variables())
            except AssertionError:
                assert time.monotonic() - began < 30
        second.wait_both(20, "the next writer")
        took = time.monotonic() - began
        assert took < 30, took
        return finish(kind, cluster, first, second) + f"; the next one wrote after {took:.1f} s with a lease of {LEASE_S} s"
    test.__name__ = f"{kind}_writer_killed"
    return test


def writer_hung(kind):
    """A writer that slept through its lease has lost: whatever it had sent or thought moves no head any more."""
    def test(cluster):
        first = fresh(kind, cluster)
        first.wait_both(20, "before")
        first.hang()
        time.sleep(LEASE_S + 1)
        second = Probe(kind, cluster.variables())
        second.wait_both(20, "the next writer")
        taken_over = time.monotonic()
        first.go_on()
        time.sleep(LEASE_S + 1)
        second.wait_both(20, "the next writer beside the old one")
        assert not [n for t, n in first.heads if t > taken_over + 0.5], "the old writer moved a head"
        assert first.failures["head denied"] + first.failures["head unavailable"] > 0, first.failures
        return finish(kind, cluster, first, second) + f"; the old one was told {dict(first.failures)}"
    test.__name__ = f"{kind}_writer_hung"
    return test


def s3_answers(cluster):
    """A third of all requests meets one of the faults of fault_proxy.py."""
    proxy = FaultProxy(cluster.gateway_port, seed=5)
    try:
        variables = {**cluster.variables(), "GREFFE_S3_ENDPOINT": f"http://127.0.0.1:{proxy.port}"}
        assert run("s3", "init", variables=variables).returncode == 0
        probe = Probe("s3", variables, threads=3)
        probe.wait_both(20, "before")
        proxy.rate = 0.33
        # Each of them; and late writes that arrived, and such whose condition held no longer when they did.
        wanted = {**{fault: 20 for fault in FAULTS}, "late PUT 200": 1, "late PUT 412": 1}
        end = time.monotonic() + 60
        while any(proxy.counted[name] < count for name, count in wanted.items()):
            assert time.monotonic() < end, proxy.counted
            time.sleep(0.2)
        probe.wait_both(60, "with faults")
        proxy.rate = 0.0
        probe.wait_both(60, "after")
        assert set(probe.failures) <= {"object unavailable", "head unavailable"}, probe.failures
        done = finish("s3", cluster, probe)
        # Reading: what arrives short, broken or not at all is asked for again, and never taken for what was asked.
        digests = "".join(d + "\n" for _, d in probe.objects[:50])
        proxy.faults, proxy.rate = ["short", "dropped done", "500 not done", "page", "slow"], 0.15
        read = run("s3", "verify", variables=variables, text=digests)
        proxy.faults, proxy.rate = ["short"], 1.0
        never = run("s3", "verify", variables=variables, text=digests.splitlines()[0] + "\n")
        assert read.returncode == 0 or "corrupt" not in read.stdout, read.stdout
        assert never.returncode == 2 and "broke" in never.stderr, never.stderr
        return done + f"; {sum(proxy.counted[f] for f in FAULTS)} faults; {dict(probe.failures)}"
    finally:
        proxy.close()


def gateway_killed(cluster):
    probe = fresh("s3", cluster)
    probe.wait_both(20, "before")
    cluster.kill("rgw.a")
    time.sleep(1)
    cluster.launch("rgw.a")
    stall = probe.wait_both(60, "after the gateway was restarted")
    assert set(probe.failures) <= {"object unavailable", "head unavailable"}, probe.failures
    return finish("s3", cluster, probe) + f"; went on after {stall:.1f} s"


TESTS = [suite("rados"), suite("s3"), one_osd_killed, two_osds_killed, outcome_unknown, osd_hung, monitor_gone, cluster_restarted,
         cluster_full, partition,
         writer_killed("rados"), writer_hung("rados"), writer_killed("s3"), writer_hung("s3"), s3_answers, gateway_killed]


def main():
    wanted = [t for t in TESTS if not sys.argv[1:] or any(word in t.__name__ for word in sys.argv[1:])]
    if not wanted:
        sys.exit(f"no such test; there are: {', '.join(t.__name__ for t in TESTS)}")
    began = time.monotonic()
    with Cluster() as cluster:
        print(f"the cluster is up after {time.monotonic() - began:.1f} s", flush=True)
        for test in wanted:
            start = time.monotonic()
            found = test(cluster)
            print(f"ok {test.__name__} ({time.monotonic() - start:.1f} s): {found}", flush=True)
    print(f"{len(wanted)} tests passed in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
