"""A disk whose power can be cut: ext4 on a loop device, whose backing file holds only what was really written out. A copy of
that file, mounted elsewhere, is what the station would find at its next boot. Needs root."""
import errno
import fcntl
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import time

SHUTDOWN, WITHOUT_FLUSH = 0x8004587D, 2  # EXT4_IOC_SHUTDOWN, EXT4_GOING_FLAGS_NOLOGFLUSH


def possible():
    if os.geteuid() != 0 or not pathlib.Path("/dev/loop-control").exists() or not shutil.which("mkfs.ext4", path="/usr/sbin:/sbin"):
        return False
    try:
        with Disk(megabytes=16):  # a container may have the device and not the right
            return True
    except subprocess.CalledProcessError:
        return False


class CommandFailed(subprocess.CalledProcessError):
    """Says what the command said."""

    def __str__(self):
        return f"{super().__str__()} {self.stderr.strip()}"


def run(*words):
    done = subprocess.run([str(w) for w in words], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise CommandFailed(done.returncode, [str(w) for w in words], None, done.stderr)


class Disk:
    """A mounted file system; a context manager."""

    def __init__(self, megabytes=256):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="greffe-disk."))
        self.image, self.path = self.folder / "image", self.folder / "mounted"
        self.path.mkdir()
        with open(self.image, "wb") as image:
            image.truncate(megabytes << 20)
        run("/usr/sbin/mkfs.ext4", "-q", "-F", self.image)
        self.mounted = False

    def __enter__(self):
        run("mount", "-o", "loop", self.image, self.path)
        self.mounted = True
        return self

    def __exit__(self, *_):
        if self.mounted:
            run("umount", self.path)
        shutil.rmtree(self.folder, ignore_errors=True)

    def fill(self):
        """A file of another program that leaves nothing."""
        path = self.path / "somebody-elses"
        with open(path, "wb", buffering=0) as file:
            try:
                while file.write(bytes(1 << 16)):
                    pass
                os.fsync(file.fileno())
            except OSError as problem:
                if problem.errno != errno.ENOSPC:
                    raise
        return path

    def give_up(self):
        """The kernel stops using it, as after an error of its journal: everything is answered with EIO until it is mounted again."""
        folder = os.open(self.path, os.O_RDONLY)
        fcntl.ioctl(folder, SHUTDOWN, struct.pack("=I", WITHOUT_FLUSH))
        os.close(folder)

    def mount_again(self):
        """Once nobody uses it any more."""
        for _ in range(100):
            try:
                run("umount", self.path)
                break
            except subprocess.CalledProcessError:
                time.sleep(0.05)
        self.mounted = False
        self.__enter__()

    def after_power_cut(self):
        """The disk as the next boot finds it, to be used as a context manager."""
        return CutDisk(self)


class CutDisk:
    def __init__(self, disk):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="greffe-cut."))
        self.path = self.folder / "mounted"
        self.path.mkdir()
        run("cp", "--sparse=always", disk.image, self.folder / "image")

    def __enter__(self):
        run("mount", "-o", "loop", self.folder / "image", self.path)
        return self.path

    def __exit__(self, *_):
        run("umount", self.path)
        shutil.rmtree(self.folder, ignore_errors=True)
