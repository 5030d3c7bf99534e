"""A disk of a few megabytes for a test: a file system in memory, in a mount namespace of this test alone."""
import os
import subprocess
import sys

INSIDE = "GREFFE_TEST_IN_NAMESPACE"


def enter():
    """Starts the test again where it may mount; returns there."""
    if os.environ.get(INSIDE):
        return
    words = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
    os.execvpe("unshare", [*words, sys.executable, *sys.argv], {**os.environ, INSIDE: "1"})


class SmallDisk:
    def __init__(self, folder, megabytes):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", folder], check=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "--lazy", self.folder], check=True)

    def resize(self, megabytes):
        subprocess.run(["mount", "-o", f"remount,size={megabytes}m", self.folder], check=True)

    def free(self):
        facts = os.statvfs(self.folder)
        return facts.f_bavail * facts.f_frsize

    def fill(self, leave):
        """A file of another program that leaves so many bytes."""
        path = self.folder / "somebody-elses"
        path.write_bytes(bytes(max(0, self.free() - leave)))
        return path
