"""Killing a program at a chosen one of its system calls, by watching it with strace.

Every call that changes something is made to wait a moment when it returns; the line that strace writes then tells the
watcher, which kills the program before the call's result reaches it. So a moment is "after the n-th changing call", counted
over all threads, and two runs of one filing have nearly the same moments.
"""
import os
import re
import signal
import subprocess
import threading

# What a crash can come before or after; reading and waiting change nothing.
CHANGING = ["openat", "write", "pwrite64", "writev", "fdatasync", "fsync", "linkat", "link", "rename", "renameat", "renameat2",
            "unlink", "unlinkat", "mkdir", "mkdirat", "ftruncate", "fallocate", "sendto", "sendmsg", "sync_file_range",
            "copy_file_range", "sendfile"]
WAIT_MICROSECONDS = 1500


class ChangingCalls:
    """Finds in strace's lines the calls that change something, as they return. To open a file is one where it makes the file: a process
    that starts opens hundreds of libraries."""

    def __init__(self):
        self.makes_a_file = {}  # by the thread whose openat has not returned yet

    def name_in(self, line):
        match = re.match(r"(\d+)\s+(?:<\.\.\. )?(\w+)", line)
        if not match or match[2] not in CHANGING:
            return None
        thread, name = match[1], match[2]
        makes = any(flag in line for flag in ("O_CREAT", "O_TRUNC", "O_TMPFILE"))
        if "<unfinished" in line:
            self.makes_a_file[thread] = makes
            return None
        if "resumed>" in line:
            makes = self.makes_a_file.pop(thread, False)
        return name if makes or name != "openat" else None


class Watched:
    """A program under strace. Kills it after its `kill_at`-th changing call (None: never) since a line with `after`."""

    def __init__(self, words, kill_at=None, after="", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        self.kill_at = kill_at
        self.after = after
        self.calls = []        # names, since `after`
        self.killed_at = None  # the line of the call at which it was killed
        names = ",".join(CHANGING)
        reading, writing = os.pipe()
        wait = ["-e", f"inject={names}:delay_exit={WAIT_MICROSECONDS}"] if kill_at else []
        self.process = subprocess.Popen(
            ["strace", "-f", "-qq", "--seccomp-bpf", "-s", "300", "-o", f"/proc/self/fd/{writing}", "-e", f"trace={names}", *wait, *words],
            stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, pass_fds=[writing])
        os.close(writing)
        self.lines = os.fdopen(reading, errors="replace")
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()

    def _watch(self):
        started = not self.after
        changes = ChangingCalls()
        for line in self.lines:
            call = changes.name_in(line)
            if call and started:
                self.calls.append(call)
                if len(self.calls) == self.kill_at:
                    self.killed_at = line.strip()
                    self.kill(self.children()[:1])
            started = started or self.after in line

    def kill(self, pids=None):
        """Ends the program and all processes it made, or only those given; strace ends with the last."""
        for pid in self.children() if pids is None else pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def children(self):
        """The program, and the processes it made."""
        found, queue = [], [self.process.pid]
        while queue:
            pid = queue.pop()
            try:
                with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
                    below = [int(word) for word in file.read().split()]
            except OSError:
                below = []
            found += below
            queue += below
        return found

    def end(self, timeout=30):
        """Waits for the end; kills what does not end by itself. Joins the watcher."""
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.thread.join(10)
        return self.process.returncode


def draw(calls, wanted, choose):
    """`wanted` moments out of a traced run: the rare calls each at least thrice, the others spread at random."""
    by_name = {}
    for number, name in enumerate(calls, 1):
        by_name.setdefault(name, []).append(number)
    drawn = set()
    for numbers in by_name.values():
        drawn.update(choose.sample(numbers, min(3, len(numbers))))
    rest = [number for number in range(1, len(calls) + 1) if number not in drawn]
    choose.shuffle(rest)
    drawn = list(drawn) + rest[: max(0, wanted - len(drawn))]
    choose.shuffle(drawn)
    return drawn[:wanted]
