"""One archive and what belongs to it in a folder that goes away: what the tests of whole programs stand on."""
import concurrent.futures
import http.client
import json
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "packaging" / "demo"))
from free_ports import free_ports  # noqa: E402

POOL_KEYS = ("volumes", "pool", "ceph_conf", "ceph_user", "s3_endpoint", "s3_credentials", "s3_quoted_etags")
PROGRAMS = pathlib.Path(os.environ.get("GREFFE_PROGRAMS", ROOT / "build"))
ARCHIVE, INGEST, REPLICATE, VERIFY = (PROGRAMS / f"greffe-{name}" for name in ("archive", "ingest", "replicate", "verify"))


def run(*words, check=True, timeout=120, **more):
    done = subprocess.run([str(w) for w in words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=timeout,
                          check=False, **more)
    if check and done.returncode != 0:
        raise AssertionError(f"exit status {done.returncode}: {' '.join(map(str, words))}\n{done.stdout}{done.stderr}")
    return done


class World:
    """greffe-archive with three volumes, or with the words of `init` that name another pool; a context manager that leaves
    nothing behind."""

    def __init__(self, name="archive.test.example", role="primary", settings=None, pool=()):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="greffe."))
        self.name = name
        self.home = self.folder / "a"
        self.config = self.home / "archive.toml"
        self.volumes = [self.home / "volumes" / letter for letter in "abc"]
        self.machine, self.browser = free_ports(2)
        self.server = None
        self.log = self.folder / "archive.log"
        words = [ARCHIVE, "init", "--dir", self.home, "--name", name, "--role", role]
        words += pool
        for volume in () if pool else self.volumes:
            words += ["--volume", f"{volume}=shelf-{volume.name}"]
        words += ["--machine", f"127.0.0.1:{self.machine}", "--browser", f"127.0.0.1:{self.browser}",
                  "--recovery-code-file", self.folder / "recovery"]
        run(*words)
        for key, value in (settings or {}).items():
            self.set(key, value)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def set(self, key, value):
        """Changes one line of archive.toml; JSON values are TOML values here."""
        lines = [line for line in self.config.read_text().splitlines() if not line.startswith(key + " ")]
        self.config.write_text("\n".join([f"{key} = {json.dumps(value)}"] + lines) + "\n")

    def place(self):
        """Its pool, in the lines of a replicator's configuration."""
        told = tomllib.loads(self.config.read_text())
        return "".join(f"{key} = {json.dumps(told[key])}\n" for key in POOL_KEYS if key in told)

    # -- the server --

    def start(self, *prefix, expect=True, more=(), until="ready: "):
        """Starts `serve`, behind prefix words such as strace's; returns once its log says that it is ready (or waits: `until`)."""
        self.log.write_text("")
        words = [*map(str, prefix), str(ARCHIVE), "--config", str(self.config), "serve", *more]
        with open(self.log, "a") as log:
            self.server = subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if until in self.log.read_text():
                return True
            if self.server.poll() is not None:
                break
            time.sleep(0.01)
        if expect:
            raise AssertionError(f"the archive does not start:\n{self.log.read_text()}")
        return False

    def stop(self, with_signal=signal.SIGTERM):
        if self.server is None:
            return
        if self.server.poll() is None:
            self.server.send_signal(with_signal)
            try:
                self.server.wait(30)
            except subprocess.TimeoutExpired:
                self.server.kill()
                self.server.wait()
                if with_signal == signal.SIGTERM:
                    raise AssertionError("the archive did not stop within 30 s of SIGTERM") from None
        self.server = None

    def archive(self, *words, check=True):
        return run(ARCHIVE, "--config", self.config, *words, check=check)

    # -- people and stations --

    def station_code(self, name="s1", court="court-a", room="room-1"):
        path = self.folder / f"code-{name}"
        path.unlink(missing_ok=True)
        self.archive("station", "add", "--name", name, "--court", court, "--room", room, "--code-file", path)
        return path

    def add_user(self, name, role, password="correct horse battery staple", court=None):
        path = self.folder / f"password-{name}"
        path.write_text(password + "\n")
        where = ["--court", court] if court else ["--all-courts"]
        self.archive("user", "add", "--name", name, "--display", name, "--role", role, *where, "--language", "en",
                     "--password-file", path)
        return password

    # -- what is on disk --

    def policy(self):
        path = self.folder / "policy.txt"
        path.write_text(self.archive("policy").stdout)
        return path

    def verify(self, *paths):
        """(exit status, JSON) of greffe-verify on the volumes or on the paths given."""
        done = run(VERIFY, "--policy", self.policy(), "--json", *(paths or self.volumes), check=False)
        if done.returncode not in (0, 1):
            raise AssertionError(f"greffe-verify ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.returncode, json.loads(done.stdout)

    def accounts(self):
        """{hearing: account of its time}, in which greffe-verify and the independent verifier agree to the millisecond."""
        _, verdict = self.verify()
        told = {h["hearing"]: h["account"] for h in verdict["hearings"] if "account" in h}
        twin = run(sys.executable, ROOT / "tests" / "twin" / "greffe_twin.py", "--policy", self.policy(), "--json", *self.volumes, check=False)
        again = json.loads(twin.stdout)["accounts"]
        if told != again:
            raise AssertionError(f"two accounts of the same time: {told} {again}")
        for one in told.values():
            for sums in [one] + one["streams"]:
                if sums["recorded_ms"] + sums["excused_ms"] + sums["unexcused_ms"] != sums["declared_ms"]:
                    raise AssertionError(f"the time does not add up: {one}")
        return told

    def invariants(self, acknowledged):
        """The independent checker over the volumes; `acknowledged`: lines as its --acknowledged wants them."""
        path = self.folder / "acknowledged"
        path.write_text("".join(line + "\n" for line in acknowledged))
        done = run(sys.executable, ROOT / "tests" / "twin" / "check_invariants.py", "--acknowledged", path, *self.volumes, check=False)
        if done.returncode != 0:
            raise AssertionError(f"check_invariants.py: {(done.stdout + done.stderr)[-800:]}")

    def copies(self, digest):
        """The files on the volumes that have this name."""
        return [p for p in (v / "sha256" / digest[:2] / digest[2:4] / digest for v in self.volumes) if p.exists()]


class Browser:
    """A person at the browser listener: TLS against the archive's own certificate, a cookie, JSON."""

    def __init__(self, world, state="state"):
        self.world = world
        self.host = f"127.0.0.1:{world.browser}"
        self.context = ssl.create_default_context(cafile=world.home / state / "browser.crt")
        self.cookie = None

    def call(self, method, path, value=None, headers=None):
        """(status, answer, headers)"""
        connection = http.client.HTTPSConnection(self.host, context=self.context, timeout=60)
        sent = {"Origin": f"https://{self.host}", **(headers or {})}
        if self.cookie:
            sent["Cookie"] = self.cookie
        body = None
        if value is not None:
            body = json.dumps(value).encode()
            sent["Content-Type"] = "application/json"
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        if answer.headers.get("Set-Cookie"):
            self.cookie = answer.headers["Set-Cookie"].split(";")[0]
        if "json" in answer.headers.get("Content-Type", ""):
            return answer.status, json.loads(data), answer.headers
        return answer.status, data, answer.headers

    def log_in(self, name, password):
        status, answer, _ = self.call("POST", "/v1/session", {"account": name, "password": password})
        if status != 200:
            raise AssertionError(f"{name} could not log in: {status} {answer}")
        return self

    def find(self, words, **more):
        status, answer, _ = self.call("GET", "/v1/hearings?" + urllib.parse.urlencode({"q": words, **more}))
        if status != 200:
            raise AssertionError(f"searching for {words!r} was answered {status}: {answer}")
        return answer["hearings"]


def succeeds(test):
    """Runs a test and prints a line for it."""
    started = time.monotonic()
    try:
        test()
        print(f"  ok   {test.__name__} ({time.monotonic() - started:.1f} s)", flush=True)
        return True
    except Exception as problem:  # noqa: BLE001: every failure is shown, the others still run
        print(f"  FAIL {test.__name__}: {type(problem).__name__}: {problem}", flush=True)
        return False


def main(tests, ignore=(), at_once=1):
    """Runs test functions, or those named on the command line; `at_once`: of tests that mostly wait. One that fails beside others is run
    again alone, and that counts: five recordings at once may starve one another on two processors, which no station has to stand."""
    wanted = [word for word in sys.argv[1:] if not word.startswith("-") and word not in ignore]
    chosen = [test for test in tests if not wanted or test.__name__ in wanted]
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        failed = [test for test, good in zip(chosen, pool.map(succeeds, chosen)) if not good]
    if failed and at_once > 1 and len(chosen) > 1:
        print(f"  {len(failed)} failed beside others; again, alone:", flush=True)
        failed = [test for test in failed if not succeeds(test)]
    if failed:
        print(f"{len(failed)} failed")
    sys.exit(1 if failed else 0)
