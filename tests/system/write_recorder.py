"""Disks that write down in one list, in order, everything that they are told: files of a file system of our own (FUSE, spoken to the
kernel without a library), each of which a loop device makes a disk of. A place in the list is the same moment on all of them.

    write_recorder.py MOUNTPOINT LIST NAME=IMAGE…     the server; Recorder starts it

An item of the list: number of the disk (u32), length (u32), offset (u64), bytes. Length 0: a flush, answered after what this disk was
told before is in the list. tests/system/write_log.py reads it. Needs root and /dev/fuse.
"""
import ctypes
import errno
import os
import pathlib
import signal
import struct
import subprocess
import sys

ITEM = struct.Struct("=IIQ")

# linux/fuse.h
REQUEST = struct.Struct("=IIQQIIIHH")
ANSWER = struct.Struct("=IiQ")
INITIALISED = struct.Struct("=IIIIHHIIHHI28x")
ATTRIBUTES = struct.Struct("=6Q10I")
ENTRY = struct.Struct("=4QII")
ATTRIBUTES_TIME = struct.Struct("=QII")
TRANSFER = struct.Struct("=QQII")  # the beginning of both fuse_read_in and fuse_write_in
WRITE_HEAD_BYTES = 40
LOOKUP, FORGET, GETATTR, SETATTR, OPEN, READ, WRITE, RELEASE, FSYNC, FLUSH, INIT, INTERRUPT, DESTROY, BATCH_FORGET = (
    1, 2, 3, 4, 14, 15, 16, 18, 20, 25, 26, 36, 38, 42)
PROTOCOL, REVISION = 7, 31
ASYNC_READ, BIG_WRITES, MAX_PAGES = 1 << 0, 1 << 5, 1 << 22
KEEP_CACHE = 1 << 1
PAGE_BYTES = 4096
WRITE_BYTES_MAX = 1 << 20
ROOT_NODE = 1
VALID_S = 3600  # nobody else changes these files

MS_NOSUID, MS_NODEV, PR_SET_PDEATHSIG = 2, 4, 1


class Server:
    """Answers the kernel until the file system is unmounted."""

    def __init__(self, device, record, images):
        self.device, self.record = device, record
        self.names = list(images)
        self.disks = [bytearray(pathlib.Path(image).read_bytes()) for image in images.values()]
        self.answers = {INIT: self.initialise, LOOKUP: self.look_up, GETATTR: self.attributes, SETATTR: self.attributes,
                        OPEN: self.open, READ: self.read, WRITE: self.write, FSYNC: self.flush, FLUSH: self.nothing,
                        RELEASE: self.nothing, DESTROY: self.nothing}

    def serve(self):
        buffer = bytearray(WRITE_BYTES_MAX + PAGE_BYTES)
        whole = memoryview(buffer)
        while True:
            try:
                got = os.readv(self.device, [buffer])
            except OSError as problem:
                if problem.errno == errno.ENODEV:
                    return
                if problem.errno in (errno.ENOENT, errno.EAGAIN):  # the request was withdrawn meanwhile
                    continue
                raise
            _, what, unique, node, *_ = REQUEST.unpack_from(buffer)
            if what in (FORGET, BATCH_FORGET, INTERRUPT):
                continue  # these want no answer
            code, data = self.answer(what, node, whole[REQUEST.size:got])
            try:
                os.writev(self.device, [ANSWER.pack(ANSWER.size + len(data), -code, unique), data])
            except OSError as problem:
                if problem.errno not in (errno.ENOENT, errno.ENODEV):
                    raise

    def answer(self, what, node, body):
        """(errno, bytes)"""
        if what not in self.answers:
            return errno.ENOSYS, b""
        return self.answers[what](node, body)

    def initialise(self, _node, _body):
        return 0, INITIALISED.pack(PROTOCOL, REVISION, 1 << 17, ASYNC_READ | BIG_WRITES | MAX_PAGES, 16, 12, WRITE_BYTES_MAX, 1,
                                   WRITE_BYTES_MAX // PAGE_BYTES, 0, 0)

    def attributes_of(self, node):
        if node == ROOT_NODE:
            return ATTRIBUTES.pack(node, 0, 0, 0, 0, 0, 0, 0, 0, 0o40700, 2, 0, 0, 0, PAGE_BYTES, 0)
        size = len(self.disks[node - ROOT_NODE - 1])
        return ATTRIBUTES.pack(node, size, size // 512, 0, 0, 0, 0, 0, 0, 0o100600, 1, 0, 0, 0, PAGE_BYTES, 0)

    def look_up(self, _node, body):
        name = bytes(body).rstrip(b"\0").decode(errors="replace")
        if name not in self.names:
            return errno.ENOENT, b""
        node = ROOT_NODE + 1 + self.names.index(name)
        return 0, ENTRY.pack(node, 0, VALID_S, VALID_S, 0, 0) + self.attributes_of(node)

    def attributes(self, node, _body):
        return 0, ATTRIBUTES_TIME.pack(VALID_S, 0, 0) + self.attributes_of(node)

    def open(self, _node, _body):
        return 0, struct.pack("=QII", 0, KEEP_CACHE, 0)

    def nothing(self, _node, _body):
        return 0, b""

    def read(self, node, body):
        _, offset, size, _ = TRANSFER.unpack_from(body)
        return 0, memoryview(self.disks[node - ROOT_NODE - 1])[offset:offset + size]

    def write(self, node, body):
        _, offset, size, _ = TRANSFER.unpack_from(body)
        disk = node - ROOT_NODE - 1
        data = body[WRITE_HEAD_BYTES:WRITE_HEAD_BYTES + size]
        if len(data) != size or offset + size > len(self.disks[disk]):
            return errno.EIO, b""
        os.writev(self.record, [ITEM.pack(disk, size, offset), data])
        self.disks[disk][offset:offset + size] = data
        return 0, struct.pack("=II", size, 0)

    def flush(self, node, _body):
        os.write(self.record, ITEM.pack(node - ROOT_NODE - 1, 0, 0))
        return 0, b""


def main():
    mountpoint, record, *images = sys.argv[1:]
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # not to outlive the test
    device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0"
    if libc.mount(b"write-recorder", mountpoint.encode(), b"fuse", MS_NOSUID | MS_NODEV, options.encode()) != 0:
        raise OSError(ctypes.get_errno(), f"cannot mount {mountpoint}: {os.strerror(ctypes.get_errno())}")
    server = Server(device, os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600),
                    dict(word.split("=", 1) for word in images))
    print("ready", flush=True)
    server.serve()


class Recorder:
    """The recording disks that begin as these images {name: path}; a context manager. The images themselves stay as they are."""

    def __init__(self, folder, images):
        self.path, self.record = folder / "disks", folder / "writes"
        self.path.mkdir()
        words = [sys.executable, __file__, self.path, self.record, *(f"{name}={path}" for name, path in images.items())]
        self.server = subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        if self.server.stdout.readline() != "ready\n":
            self.server.wait()
            raise AssertionError("the recording disks did not come up")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", self.path], check=False)
        try:
            self.server.wait(10)
        except subprocess.TimeoutExpired:
            self.server.kill()
            self.server.wait()
        self.server.stdout.close()
        self.path.rmdir()

    def disk(self, name):
        return self.path / name

    def position(self):
        """How long the list is now. What is acknowledged by now was acknowledged no later than there."""
        return os.stat(self.record).st_size


if __name__ == "__main__":
    main()
