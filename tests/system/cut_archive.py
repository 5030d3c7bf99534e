"""An archive on four disks whose writes are recorded while stations file and a clerk notes; and what must hold of it after a power cut
at any place of that record. tests/system/test_cut_states.py draws the places."""
import base64
import contextlib
import copy
import ctypes
import dataclasses
import functools
import hashlib
import json
import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

import world as w
from machine_client import Hearing, MachineClient, Refused, details_document, random_object, sha256, tree_root
from media_segment import segment
from power_cut import run
from write_log import DisksAfterCut, WriteLog
from write_recorder import Recorder

sys.path.insert(0, str(w.ROOT / "tests" / "twin"))
import check_invariants  # noqa: E402

WRITE_QUORUM = 2
DISK_MEGABYTES = 32
SPOKEN_AT = "2026-09-21T14:13:21.000Z"  # within every hearing of machine_client
# Nothing is written only because time has passed, and ext4 does not mend programs that rename before they sync.
MOUNT_RECORDED = "loop,commit=300,noauto_da_alloc"
CLONE_NEWNS = 0x00020000
PERSON, STATION = "person ", "station "  # acknowledgements that check_invariants.py knows nothing of: a name, an invitation
RAW = serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()
CARELESS = w.PROGRAMS / "tests" / "libcareless_disk.so"  # tests/system/careless_disk.cc


class Filing:
    """A hearing and the order in which it is brought: details, then segment after segment, then its end, then a clerk's note."""

    def __init__(self, client, segments, large=False):
        hearing = Hearing(client)
        details = details_document()
        hearing.open(sha256(details), {"mic-judge": "audio"})
        self.objects = [details]
        self.steps = []  # (entries, objects that they need)
        for _ in range(segments):
            data, init_bytes, duration = segment(hearing.streams["mic-judge"]["at"])
            hearing.segment("mic-judge", data, init_bytes, duration)
            self.objects.append(data)
            self.steps.append((len(hearing.entries), len(self.objects)))
        hearing.finish()
        self.steps.append((len(hearing.entries), len(self.objects)))
        self.id, self.origin, self.path, self.entries = hearing.id, hearing.origin, hearing.path, hearing.entries
        # Named by no entry, and so large that its writing begins before its sync.
        self.unnamed = random_object(1_300_000) if large else None

    def file(self, client, told):
        """Goes on from what the archive holds, to the end. `told` is called with each acknowledgement."""
        hearing = Hearing(client)
        hearing.id, hearing.origin, hearing.path = self.id, self.origin, self.path
        held = self.held(client)
        for size, needed in self.steps:
            if size <= held and size != len(self.entries):
                continue
            missing = hearing.have([sha256(data) for data in self.objects[:needed]])
            for data in self.objects[:needed]:
                if sha256(data) in missing:
                    hearing.put(data)
                    told(sha256(data))
            hearing.entries = self.entries[:size]
            hearing.post(first=min(held, size))
            told(f"{self.origin} {size}")
            if size == self.steps[0][0] and self.unnamed:
                hearing.put(self.unnamed)
                told(sha256(self.unnamed))
            held = max(held, size)

    def held(self, client):
        """Number of entries that the archive holds; they must be the first of ours."""
        try:
            held = client.call("GET", self.path + "/checkpoint")
        except Refused as refused:
            if refused.status != 404:
                raise
            return 0
        root = base64.b64encode(tree_root(self.entries[:held["size"]])).decode()
        if held["checkpoint"].split("\n")[2] != root:
            raise AssertionError(f"the archive holds another hearing {self.id} than was filed")
        return held["size"]


@dataclasses.dataclass
class Site:
    """An archive that was set up, with one station and one clerk, and is stopped; everything needed to start it elsewhere."""
    world: w.World
    code: str
    key: bytes
    token: str
    policy: pathlib.Path

    @staticmethod
    def make():
        world = w.World(settings={"min_free_bytes": 1_000_000, "commit_interval_s": 1})
        world.start()
        code = world.station_code().read_text()
        client = MachineClient(code)
        client.enrol()
        client.close()
        world.add_user("clerk", "clerk")
        token = world.folder / "token"
        world.archive("user", "token", "--name", "clerk", "--label", "test", "--out", token)
        policy = world.policy()
        world.stop()
        return Site(world, code, client.key.private_bytes(*RAW), token.read_text().strip(), policy)

    def beside(self):
        """The same archive, to run at the same time as others of it, each in a mount namespace of its own."""
        other = copy.copy(self.world)
        other.config = self.world.home / f"archive-{os.getpid()}.toml"
        other.config.write_text(self.world.config.read_text())
        other.log = self.world.folder / f"archive-{os.getpid()}.log"
        other.machine, other.browser = w.free_ports(2)
        other.set("machine_address", f"127.0.0.1:{other.machine}")
        other.set("browser_address", f"127.0.0.1:{other.browser}")
        return dataclasses.replace(self, world=other)

    def client(self):
        client = MachineClient(self.code, key=ed25519.Ed25519PrivateKey.from_private_bytes(self.key))
        client.address = f"127.0.0.1:{self.world.machine}"
        return client

    def guest(self, code):
        """The station that was invited with this code, always with the same key."""
        key = ed25519.Ed25519PrivateKey.from_private_bytes(hashlib.sha256(code.encode()).digest())
        client = MachineClient(code, key=key)
        client.address = f"127.0.0.1:{self.world.machine}"
        return client

    def mount_points(self):
        """{name of the disk: folder}; the last one holds what is not in the pool."""
        return {**{volume.name: volume for volume in self.world.volumes}, "state": self.world.home / "state"}

    def make_images(self, folder):
        """{name: path} of file systems that hold what is in these folders, which are empty afterwards: a disk that is not mounted is gone."""
        images = {}
        for name, source in self.mount_points().items():
            images[name] = folder / f"{name}.img"
            with open(images[name], "wb") as image:
                image.truncate(DISK_MEGABYTES << 20)
            run("/usr/sbin/mkfs.ext4", "-q", "-F", "-b", "4096", "-m", "0", "-N", "4096", "-J", "size=4", "-E",
                "nodiscard,lazy_itable_init=0,lazy_journal_init=0", "-d", source, images[name])
            shutil.rmtree(source)
            source.mkdir()
        return images

    def note(self, filing, told):
        """A clerk's note."""
        status, answer, _ = w.Browser(self.world).call("POST", f"/v1/hearings/{filing.id}/marks", {"at": SPOKEN_AT, "text": "heard"},
                                                       {"Authorization": "Bearer " + self.token})
        if status != 201:
            raise AssertionError(f"the note was answered {status}: {answer}")
        self.tell_main_log(told)

    def admit(self, told):
        """Two people and a station."""
        for _ in range(2):
            name = f"clerk-{secrets.token_hex(4)}"
            self.world.add_user(name, "clerk")
            told(PERSON + name)
        code = self.world.station_code(f"s-{secrets.token_hex(4)}").read_text().strip()
        told(STATION + code)
        guest = self.guest(code)
        guest.enrol()
        guest.close()
        self.tell_main_log(told)

    def tell_main_log(self, told):
        """How long it is with what was just answered."""
        client = self.client()
        _, answer = client.request("GET", "/v1/log/main/checkpoint")
        client.close()
        origin, size = answer["detail"].split("\n")[:2]
        told(f"{origin} {size}")

    def knows(self, admitted):
        """Those who were acknowledged are there still, and a station that had only been invited can still come."""
        people = {one["name"] for one in json.loads(self.world.archive("user", "list", "--json").stdout)["accounts"]}
        for line in admitted:
            if line.startswith(PERSON) and line.removeprefix(PERSON) not in people:
                raise AssertionError(f"the account {line.removeprefix(PERSON)} is gone")
            if line.startswith(STATION):
                guest = self.guest(line.removeprefix(STATION))
                guest.enrol()
                guest.close()


def mount(disk, point, options):
    try:
        run("mount", "-t", "ext4", "-o", options, disk, point)
    except subprocess.CalledProcessError as problem:
        kernel = subprocess.run(["dmesg"], stdout=subprocess.PIPE, text=True, check=False).stdout.splitlines()[-5:]
        raise AssertionError(f"{problem}; the kernel: {kernel}") from problem


@contextlib.contextmanager
def mounted(disks, points, options):
    """{name: device or image} at {name: folder}; gives what is mounted where, to be changed by who unmounts."""
    done = {}
    try:
        for name, disk in disks.items():
            mount(disk, points[name], options)
            done[name] = points[name]
        yield done
    finally:
        for point in reversed(done.values()):
            unmount(point)


def unmount(point):
    for attempt in range(100):  # a process that has just ended may still be letting go
        try:
            return run("umount", point)
        except subprocess.CalledProcessError:
            if attempt == 99:
                raise
            time.sleep(0.05)


# ---- recording ----

@dataclasses.dataclass
class Recording:
    """What was written and what was acknowledged, from these images on. All in one folder, to be looked at again."""
    site: Site
    folder: pathlib.Path
    images: dict
    filings: list  # those of before, which may be held in part, then new ones
    before: list = dataclasses.field(default_factory=list)  # acknowledgements of before
    told: list = dataclasses.field(default_factory=list)    # (place in the list of writes, what was acknowledged)
    begun: list = dataclasses.field(default_factory=list)   # (place, number of the filing)
    end: int = 0
    cuts: list = dataclasses.field(default_factory=list)    # that are looked at

    def log(self):
        return WriteLog(self.folder / "writes", self.end)

    def acknowledged(self, position):
        """As of this place: digests, "<origin> <size>" of each log's longest, people and stations."""
        lines, sizes = set(), {}
        for line in self.before + [line for at, line in self.told if at <= position]:
            origin, _, size = line.partition(" ")
            if size and not line.startswith((PERSON, STATION)):
                sizes[origin] = max(sizes.get(origin, 0), int(size))
            else:
                lines.add(line)
        return sorted(lines) + [f"{origin} {size}" for origin, size in sorted(sizes.items())]

    def unfinished(self, position):
        """What was begun by then and was not acknowledged to the end."""
        acknowledged = self.acknowledged(position)
        begun = [self.filings[number] for at, number in self.begun if at <= position]
        return [one for one in begun if f"{one.origin} {len(one.entries)}" not in acknowledged]


def record(recording, careless=None):
    """Runs the archive through the filings: one alone, then three at a time while people and a station are admitted.
    `careless`: a way of tests/system/careless_disk.cc."""
    site = recording.site
    lock = threading.Lock()
    with Recorder(recording.folder, recording.images) as recorder:
        def told(line):
            with lock:
                recording.told.append((recorder.position(), line))

        def file(numbers):
            client = site.client()
            for number in numbers:
                with lock:
                    recording.begun.append((recorder.position(), number))
                recording.filings[number].file(client, told)
                site.note(recording.filings[number], told)
            client.close()

        disks = {name: recorder.disk(name) for name in recording.images}
        with mounted(disks, site.mount_points(), MOUNT_RECORDED):
            prefix = ["env", f"LD_PRELOAD={CARELESS}", f"GREFFE_TEST_CARELESS={careless}"] if careless else []
            site.world.start(*prefix)
            try:
                file([0])
                shares = [range(1 + n, len(recording.filings), 3) for n in range(3)]
                in_threads([*(functools.partial(file, share) for share in shares), lambda: site.admit(told)])
                site.world.stop()
            finally:
                site.world.stop(signal.SIGKILL)
            recording.end = recorder.position()


def in_threads(jobs):
    problems = []

    def one(job):
        try:
            job()
        except Exception as problem:  # noqa: BLE001: raised below, in the thread that waits
            problems.append(problem)

    threads = [threading.Thread(target=one, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]


# ---- what must hold ----

@dataclasses.dataclass
class Cut:
    number: int
    after: int   # items of the list
    seed: str    # says what of the writes that no flush covers is there
    start: bool  # whether the archive is started on it
    gone: str | None = None  # a volume that is lost as well, before it is started


@dataclasses.dataclass
class Outcome:
    cut: Cut
    broken: list = dataclasses.field(default_factory=list)  # {"invariant", "what"}, as check_invariants.py gives them
    unsure: int = 0  # bytes that no flush covered
    lost: int = 0    # of these, not there
    acknowledged: int = 0


def own_mounts():
    """What this process mounts from now on nobody else sees: several archives of one site run side by side in the same folders."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "no mount namespace")


class Bench:
    """Looks at what cuts leave, in the order of the list; in a process with mounts of its own."""

    def __init__(self, recording):
        self.recording, self.site = recording, recording.site.beside()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="greffe-cuts."))
        run("mount", "-t", "tmpfs", "-o", "size=1g", "none", self.folder)
        self.log = recording.log()
        self.disks = DisksAfterCut(self.log, recording.images, self.folder)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.site.world.stop(signal.SIGKILL)
        unmount(self.folder)
        self.folder.rmdir()
        self.site.world.config.unlink()
        self.site.world.log.unlink(missing_ok=True)

    def position(self, cut):
        return self.log.ends[cut.after - 1] if cut.after else 0

    def look(self, cut):
        images, (unsure, lost) = self.disks.images(cut.after, cut.seed)
        acknowledged = self.recording.acknowledged(self.position(cut))
        outcome = Outcome(cut, unsure=unsure, lost=lost, acknowledged=len(acknowledged))
        try:
            with mounted(images, self.site.mount_points(), "loop") as points:
                outcome.broken = self.invariants(acknowledged)
                if cut.start and not outcome.broken:
                    if cut.gone:
                        unmount(points.pop(cut.gone))
                    outcome.broken = self.goes_on(cut, acknowledged)
        except Exception as problem:  # noqa: BLE001: whatever goes wrong here is what is looked for
            outcome.broken = [{"invariant": "start", "what": f"{type(problem).__name__}: {problem}"}]
        return outcome

    def invariants(self, acknowledged, gone=None):
        path = self.folder / "acknowledged"
        path.write_text("".join(line + "\n" for line in acknowledged if not line.startswith((PERSON, STATION))))
        return check_invariants.check(self.volumes(gone), WRITE_QUORUM - (gone is not None), path).broken

    def volumes(self, gone):
        return [volume for volume in self.site.world.volumes if volume.name != gone]

    def goes_on(self, cut, acknowledged):
        """The archive starts, takes the rest of what was begun and something new; then everything is looked at again."""
        world, new = self.site.world, []
        fresh = Filing(self.site.client(), segments=1)
        try:
            world.start()
            self.site.knows(acknowledged)
            client = self.site.client()
            for filing in [*self.recording.unfinished(self.position(cut)), fresh]:
                filing.file(client, new.append)
            client.close()
            self.site.note(fresh, new.append)
        finally:
            world.stop(signal.SIGKILL)
        broken = self.invariants(acknowledged + new, cut.gone)
        if not broken:
            done = w.run(w.VERIFY, "--policy", self.site.policy, "--json", *self.volumes(cut.gone), check=False)
            if done.returncode != 0:
                broken = [{"invariant": "verify", "what": (done.stdout + done.stderr)[:2000]}]
        return broken
