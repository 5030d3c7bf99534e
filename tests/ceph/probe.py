"""Runs store_probe and keeps what it says: which objects and heads were acknowledged, and when."""
import collections
import os
import pathlib
import signal
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("GREFFE_BUILD", ROOT / "build")) / "tests" / "store_probe"


class Probe:
    def __init__(self, kind, variables, size=16384, threads=3, timeout_s=20):
        self.objects = []  # (time, digest)
        self.heads = []    # (time, number)
        self.failures = collections.Counter()  # "object unavailable" -> how often
        self.slowest_ms = 0
        self.ready = threading.Event()
        self.process = subprocess.Popen([PROGRAM, kind, "write", str(size), str(threads), str(timeout_s)],
                                        env={**os.environ, **variables}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.complaints = collections.deque(maxlen=20)
        self.readers = [threading.Thread(target=self.read, daemon=True), threading.Thread(target=self.read_errors, daemon=True)]
        for reader in self.readers:
            reader.start()
        end = time.monotonic() + 40
        while not self.ready.wait(0.1) and self.process.poll() is None and time.monotonic() < end:
            pass
        if not self.ready.is_set():
            self.kill()
            raise AssertionError("the probe did not open its store: " + " ".join(self.complaints))

    def read(self):
        for line in self.process.stdout:
            words = line.split()
            now = time.monotonic()
            if words[0] == "ready":
                self.ready.set()
            elif words[0] == "object":
                self.objects.append((now, words[1]))
                self.slowest_ms = max(self.slowest_ms, int(words[2]))
            elif words[0] == "head":
                self.heads.append((now, int(words[1])))
            elif words[0] == "failed":
                self.failures[f"{words[1]} {words[2]}"] += 1

    def read_errors(self):
        for line in self.process.stderr:
            self.complaints.append(line.strip())

    def both_since(self, moment, count=5):
        """Objects and heads go through, and not only what was on its way before `moment`."""
        return (sum(t > moment for t, _ in self.objects[-100:]) >= count and sum(t > moment for t, _ in self.heads[-100:]) >= count)

    def wait_both(self, seconds, what):
        """How long until both go through again from now on."""
        start = time.monotonic()
        while not self.both_since(start):
            if self.process.poll() is not None or time.monotonic() - start > seconds:
                raise AssertionError(f"{what}: nothing goes through after {seconds} s; {dict(self.failures)} {list(self.complaints)}")
            time.sleep(0.05)
        return time.monotonic() - start

    def kill(self):
        self.process.kill()
        self.end()

    def hang(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def finish(self):
        self.process.stdin.close()
        self.end()
        assert self.process.returncode == 0, (self.process.returncode, list(self.complaints))

    def end(self):
        self.process.wait(60)
        for reader in self.readers:
            reader.join(10)


def run(*words, variables, text=""):
    return subprocess.run([PROGRAM, *words], env={**os.environ, **variables}, input=text, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)


def verify(kind, variables, probes):
    """Everything that was ever acknowledged is there, and the head is at or behind no acknowledged one."""
    digests = [digest for probe in probes for _, digest in probe.objects]
    numbers = [number for probe in probes for _, number in probe.heads]
    assert digests and numbers
    assert len(set(numbers)) == len(numbers), "a head was acknowledged twice"
    for probe in probes:
        own = [number for _, number in probe.heads]
        assert own == sorted(own), "acknowledged heads went back"
    done = run(kind, "verify", variables=variables, text="".join(d + "\n" for d in digests))
    assert done.returncode == 0, (done.stdout[-2000:], done.stderr[-2000:])
    head = int(done.stdout.split()[-2])
    assert head >= max(numbers), f"the head is {head}, {max(numbers)} was acknowledged"
    return len(digests), len(numbers)
