#!/usr/bin/python3
"""A throw-away Ceph cluster on loopback: one monitor, one manager, three OSDs (each a host of its own in CRUSH) on files in a
temporary folder, a RADOS gateway with one S3 user. It is up in about six seconds and gone with the process that made it.

    tests/ceph/cluster.py COMMAND…     runs a command beside a cluster, which it finds through the environment
    tests/ceph/cluster.py --hold FILE  keeps a cluster until SIGTERM, and starts again what was killed of it; FILE, there once it is up,
                                       says where it is, for a shell

Needs the packages of `packaging/install-deps --ceph`; runs as an ordinary user. The quick detection of failures is for tests
only: a real cluster keeps Ceph's own settings.
"""
import base64
import contextlib
import ctypes
import json
import os
import pathlib
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import uuid

import rados

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "packaging" / "demo"))
from free_ports import free_ports  # noqa: E402

POOL = "greffe"
BUCKET = "greffe"
OSDS = 3
REVIVED_AFTER_S = 10  # at most; by --hold
ACCESS, SECRET = "GREFFETESTACCESS0001", "greffe-test-secret-of-no-worth-00000001"
ENTITIES = {  # name -> what it may do
    "mon.": {"mon": "allow *"},
    "client.admin": {"mon": "allow *", "osd": "allow *", "mgr": "allow *"},
    "mgr.x": {"mon": "allow profile mgr", "osd": "allow *"},
    "client.rgw.a": {"mon": "allow rw", "osd": "allow rwx", "mgr": "allow rw"},
    "client.greffe": {"mon": "profile simple-rados-client-with-blocklist", "osd": f"allow rwx pool={POOL}"},
    **{f"osd.{i}": {"mon": "allow profile osd", "mgr": "allow profile osd", "osd": "allow *"} for i in range(OSDS)},
}
CONF = """
[global]
fsid = {fsid}
mon_host = v2:127.0.0.1:{mon_port}
ms_bind_msgr1 = false
ms_bind_ipv6 = false
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
keyring = {folder}/keyring
run_dir = {folder}/run
admin_socket = {folder}/run/$name.$pid.asok
log_file = {folder}/log/$name.log
crash_dir = {folder}/crash
auth_allow_insecure_global_id_reclaim = false
ms_async_op_threads = 2
osd_pool_default_size = 3
osd_pool_default_min_size = 2
osd_pool_default_pg_num = 8
osd_pool_default_pgp_num = 8
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 1
osd_heartbeat_interval = 1
osd_heartbeat_grace = 4
[mon]
mon_data = {folder}/mon
mon_data_avail_warn = 2
mon_data_avail_crit = 1
mon_cluster_log_file = {folder}/log/cluster.log
mon_max_pg_per_osd = 1000
mon_warn_on_pool_no_app = false
mon_warn_on_osd_down_out_interval_zero = false
mon_osd_min_down_reporters = 1
mon_osd_reporter_subtree_level = osd
mon_osd_adjust_heartbeat_grace = false
mon_osd_min_up_ratio = 0
mon_osd_min_in_ratio = 0
mon_osd_down_out_interval = 0
mon_tick_interval = 1
mon_memory_autotune = false
paxos_propose_interval = 0.05
paxos_min_wait = 0.01
[mgr]
mgr_data = {folder}/mgr
keyring = {folder}/mgr/keyring
mgr_module_path = {folder}/modules
mgr_stats_period = 1
mgr_tick_period = 1
[osd]
osd_data = {folder}/osd$id
pid_file = {folder}/run/$name.pid
keyring = {folder}/osd$id/keyring
osd_objectstore = bluestore
osd_class_update_on_start = false
osd_mon_heartbeat_interval = 2
osd_mon_report_interval = 1
osd_max_markdown_count = 1000
osd_op_num_shards = 2
osd_op_num_threads_per_shard = 1
osd_recovery_sleep_hdd = 0
osd_recovery_sleep_hybrid = 0
osd_delete_sleep_hdd = 0
osd_backfill_retry_interval = 1
osd_recovery_retry_interval = 1
osd_scrub_during_recovery = false
osd_mclock_skip_benchmark = true
bluestore_block_create = true
bluestore_block_size = 10737418240
bluestore_fsck_on_mkfs = false
bluestore_cache_autotune = false
bluestore_cache_size = 67108864
bdev_enable_discard = false
{hosts}
[client.rgw.a]
rgw_frontends = beast endpoint=127.0.0.1:{gateway_port} tcp_nodelay=1
rgw_data = {folder}/run
rgw_thread_pool_size = 16
rgw_enable_ops_log = false
rgw_enable_usage_log = false
rgw_run_sync_thread = false
rgw_dynamic_resharding = false
"""


def make_key():
    """A key as Ceph writes it: type 1 (AES), when it was made, 16 bytes."""
    return base64.b64encode(struct.pack("<HIIH", 1, int(time.time()), 0, 16) + os.urandom(16)).decode()


def wait_for(what, seconds, condition):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise RuntimeError(f"{what}: not within {seconds} s")
        time.sleep(0.1)


def dies_with_its_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Cluster:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gceph-"))  # short: paths of sockets are
        self.daemons = {}
        self.admin = None
        for name in ("run", "log", "mon", "mgr", "modules", *(f"osd{i}" for i in range(OSDS))):
            (self.folder / name).mkdir()
        # Settings of the caller are none of the daemons' business.
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("CEPH_")}

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    # ---- starting ----

    def start(self):
        self.write_configuration()
        self.make_monitor()
        self.launch("mon.a")
        self.connect()
        self.make_osds()
        for name in ("mgr.x", *(f"osd.{i}" for i in range(OSDS))):
            self.launch(name)
        self.command(prefix="health mute", code="MGR_MODULE_ERROR", sticky=True)  # there are no modules on purpose
        self.command(prefix="osd pool create", pool=POOL, pg_num=8, pgp_num=8)
        self.command(prefix="osd pool application enable", pool=POOL, app="greffe")
        self.launch("rgw.a")
        self.make_s3_user()
        self.wait_clean()

    def write_configuration(self):
        self.fsid = str(uuid.uuid4())
        self.mon_port, self.gateway_port = free_ports(2)
        hosts = "\n".join(f"[osd.{i}]\ncrush_location = root=default host=host{i}" for i in range(OSDS))
        self.conf = self.folder / "ceph.conf"
        self.conf.write_text(CONF.format(fsid=self.fsid, mon_port=self.mon_port, gateway_port=self.gateway_port,
                                         folder=self.folder, hosts=hosts))
        keys = {name: make_key() for name in ENTITIES}

        def keyring(path, names, rights=False):
            text = ""
            for name in names:
                text += f"[{name}]\n\tkey = {keys[name]}\n"
                if rights:
                    text += "".join(f'\tcaps {part} = "{right}"\n' for part, right in ENTITIES[name].items())
            (self.folder / path).write_text(text)
            (self.folder / path).chmod(0o600)
        keyring("first.keyring", ENTITIES, rights=True)  # the monitor takes all of them in when it is made
        keyring("keyring", ["client.admin", "client.greffe", "client.rgw.a"])
        keyring("mgr/keyring", ["mgr.x"])
        for i in range(OSDS):
            keyring(f"osd{i}/keyring", [f"osd.{i}"])
        self.credentials = self.folder / "s3-credentials"
        self.credentials.write_text(f"{ACCESS}\n{SECRET}\n")
        self.credentials.chmod(0o600)

    def run(self, *words):
        done = subprocess.run(words, cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, words))}: {done.stdout.decode(errors='replace')[-2000:]}")

    def make_monitor(self):
        self.run("monmaptool", "--create", "--addv", "a", f"[v2:127.0.0.1:{self.mon_port}]", "--fsid", self.fsid, "monmap")
        self.run("ceph-mon", "-c", self.conf, "--mkfs", "-i", "a", "--monmap", "monmap", "--keyring", "first.keyring",
                 "--no-mon-config")

    def make_osds(self):
        ids = [str(uuid.uuid4()) for _ in range(OSDS)]
        making = [subprocess.Popen(["ceph-osd", "-c", self.conf, "-i", str(i), "--mkfs", "--osd-uuid", ids[i], "--no-mon-config"],
                                   cwd=self.folder, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                  for i in range(OSDS)]
        for i in range(OSDS):
            self.command(prefix="osd new", uuid=ids[i], id=i)
        for one in making:
            _, errors = one.communicate()
            if one.returncode != 0:
                raise RuntimeError(f"ceph-osd --mkfs: {errors.decode(errors='replace')[-2000:]}")

    def make_s3_user(self):
        self.run("radosgw-admin", "-c", self.conf, "-n", "client.admin", "user", "create", "--uid=greffe",
                 "--display-name=greffe", f"--access-key={ACCESS}", f"--secret-key={SECRET}")
        wait_for("the gateway", 60, self.gateway_answers)

    def gateway_answers(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.gateway_port), 1):
            return True

    # ---- daemons ----

    def launch(self, name):
        kind, number = name.split(".")
        program = {"mon": "ceph-mon", "mgr": "ceph-mgr", "osd": "ceph-osd", "rgw": "radosgw"}[kind]
        who = ["-n", f"client.{name}"] if kind == "rgw" else ["-i", number]
        with open(self.folder / "log" / f"{name}.out", "ab") as out:
            self.daemons[name] = subprocess.Popen([program, "-f", "-c", self.conf, *who, "--no-mon-config"], cwd=self.folder,
                                                  env=self.environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                                  preexec_fn=dies_with_its_parent, start_new_session=True)

    def kill(self, *names):
        for name in names:
            self.daemons[name].kill()
        for name in names:
            self.daemons[name].wait()

    def revive(self):
        """Starts what has ended, as an init would."""
        for name, daemon in list(self.daemons.items()):
            if daemon.poll() is not None:
                self.launch(name)

    def hang(self, name):
        self.daemons[name].send_signal(signal.SIGSTOP)

    def go_on(self, name):
        self.daemons[name].send_signal(signal.SIGCONT)

    def stop(self):
        if self.admin is not None:
            self.admin.shutdown()
        for daemon in self.daemons.values():
            daemon.kill()
        for daemon in self.daemons.values():
            daemon.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- asking it ----

    def connect(self):
        def attempt():
            if self.daemons["mon.a"].poll() is not None:
                raise RuntimeError("the monitor ended: " + (self.folder / "log/mon.a.out").read_text()[-2000:])
            client = rados.Rados(conffile=str(self.conf), name="client.admin")
            try:
                client.connect(timeout=5)
                return client
            except rados.Error:
                client.shutdown()
        self.admin = wait_for("the monitor", 30, attempt)

    def command(self, **words):
        code, out, trouble = self.admin.mon_command(json.dumps({**words, "format": "json"}), b"", timeout=30)
        if code != 0:
            raise RuntimeError(f"{words}: {code} {trouble}")
        return json.loads(out) if out.strip() else None

    def is_clean(self):
        status = self.command(prefix="status")
        groups = status["pgmap"]
        clean = sum(s["count"] for s in groups.get("pgs_by_state", []) if s["state_name"] == "active+clean")
        return status["osdmap"]["num_up_osds"] == OSDS and clean == groups["num_pgs"] > 0

    def wait_clean(self):
        """Every replica is where it belongs again: seen twice, because the manager's figures are a second old."""
        wait_for("the cluster to be clean", 120, self.is_clean)
        time.sleep(1.2)
        wait_for("the cluster to stay clean", 120, self.is_clean)

    def variables(self):
        """What tests/unit/store/test_rados.cc, test_s3.cc and store_probe look for."""
        return {"GREFFE_CEPH_CONF": str(self.conf), "GREFFE_CEPH_POOL": POOL,
                "GREFFE_S3_ENDPOINT": f"http://127.0.0.1:{self.gateway_port}", "GREFFE_S3_BUCKET": BUCKET,
                "GREFFE_S3_CREDENTIALS": str(self.credentials), "GREFFE_S3_PLAIN_ETAGS": "1"}


def hold(path):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    with Cluster() as cluster:
        draft = pathlib.Path(f"{path}.draft")
        draft.write_text("".join(f"{name}={shlex.quote(value)}\n" for name, value in cluster.variables().items()))
        draft.rename(path)
        while signal.sigtimedwait({signal.SIGTERM, signal.SIGINT}, REVIVED_AFTER_S) is None:
            cluster.revive()


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: cluster.py COMMAND… | --hold FILE")
    if sys.argv[1] == "--hold":
        return hold(sys.argv[2])
    began = time.monotonic()
    with Cluster() as cluster:
        print(f"the cluster is up after {time.monotonic() - began:.1f} s", file=sys.stderr)
        sys.exit(subprocess.run(sys.argv[1:], env={**os.environ, **cluster.variables()}).returncode)


if __name__ == "__main__":
    main()
