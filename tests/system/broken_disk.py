"""System calls of a running program that fail as on a broken disk: strace gives the error in the kernel's place, and its record says
what the program did with the file afterwards. Needs the right to trace, which root has."""
import os
import re
import subprocess
import tempfile

TRACED = "trace=fdatasync,fsync,write,close"


def possible():
    return os.geteuid() == 0


class FailingCall:
    """The next `call` of this process fails, once (of each thread); only for what is open at `path`, if given. A context manager."""

    def __init__(self, pid, call, path=None, error="EIO"):
        # getpid: what strace puts in its place otherwise is no call at all, for which a sandbox ends the process.
        self.record = tempfile.NamedTemporaryFile(prefix="greffe-strace.")
        where = ["-P", str(path)] if path else []
        self.process = subprocess.Popen(["strace", "-f", "-qq", "-y", "-s", "0", "-o", self.record.name, *where, "-e", f"{TRACED},{call}", "-e",
                                         f"inject={call}:error={error}:syscall=getpid:when=1", "-p", str(pid)], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()  # lets the program go
        self.process.wait(10)
        self.process.stderr.close()
        self.record.close()

    def lines(self):
        with open(self.record.name, errors="replace") as file:
            return file.read().splitlines()

    def happened(self):
        return any("(INJECTED)" in line for line in self.lines())

    def never_synced_again(self):
        """A kernel calls a file durable after its failed sync was told once: nobody may ask it again through the same descriptor."""
        failed = set()
        for line in self.lines():
            found = re.match(r"(\d+)\s+(\w+)\((\d+)<", line)
            if not found:
                continue
            process, call, descriptor = found.groups()
            if "(INJECTED)" in line and call in ("fdatasync", "fsync"):
                failed.add(descriptor)
            elif descriptor in failed and call == "close":
                failed.discard(descriptor)
            elif descriptor in failed and call in ("fdatasync", "fsync"):
                raise AssertionError(f"synced again after it had failed: {line} (process {process})")
        return True

