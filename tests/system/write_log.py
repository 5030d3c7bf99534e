"""The list that tests/system/write_recorder.py makes, and the disks that a power cut at some place of it would leave.

Up to the last flush of a disk before the cut all is there. Of each later write nobody knows: it is there, it is not, or some of its
sectors are.
"""
import bisect
import os
import random

from power_cut import run
from write_recorder import ITEM

# What happens to the writes that no flush covers, and how often of twelve. What the kernel gives the disk in one piece may be many blocks.
WAYS = {"none": 2, "all": 1, "blocks": 3, "sectors": 3, "mostly": 1, "one is lost": 1, "one is kept": 1}
BLOCK_BYTES, SECTOR_BYTES = 4096, 512
# ext4 counts on its superblock being written as one. A disk that tears it is mounted only after e2fsck took a spare one, which a disk as
# small as those of the tests has not.
SUPERBLOCK_SECTORS = (2, 3)


class WriteLog:
    """The list of a recording that is over, up to `end` bytes of it."""

    def __init__(self, path, end):
        with open(path, "rb") as file:
            self.bytes = file.read(end)
        self.items = []  # (disk, offset, where its bytes are in the list, length; 0: a flush)
        self.ends = []   # where each ends
        at = 0
        while at < len(self.bytes):
            disk, length, offset = ITEM.unpack_from(self.bytes, at)
            at += ITEM.size
            self.items.append((disk, offset, at, length))
            at += length
            self.ends.append(at)

    def count_at(self, position):
        """How many items are before this place."""
        return bisect.bisect_right(self.ends, position)

    def flushes(self):
        return [number for number, item in enumerate(self.items) if item[3] == 0]

    def data(self, item):
        _, _, at, length = item
        return memoryview(self.bytes)[at:at + length]


def copy_with_holes(source, target):
    """A copy of an image that is mostly zeros."""
    with open(source, "rb", buffering=0) as old, open(target, "wb", buffering=0) as new:
        size = os.fstat(old.fileno()).st_size
        new.truncate(size)
        at = 0
        while at < size:
            try:
                begin = os.lseek(old.fileno(), at, os.SEEK_DATA)
            except OSError:  # zeros to the end
                return
            at = os.lseek(old.fileno(), begin, os.SEEK_HOLE)
            done = begin
            while done < at:
                done += os.pwrite(new.fileno(), os.pread(old.fileno(), min(1 << 22, at - done), done), done)


class DisksAfterCut:
    """Makes images of the disks as cuts leave them, in `folder`. The cuts must come in the order of the list."""

    def __init__(self, log, images, folder):
        self.log, self.folder = log, folder
        self.names = list(images)
        self.flushed = [folder / f"{name}.flushed" for name in images]  # what is on the disk for good at `done`
        self.open = [[] for _ in images]  # what came after
        self.done = 0
        for image, path in zip(images.values(), self.flushed):
            run("cp", "--sparse=always", image, path)

    def images(self, cut, seed):
        """{name: path} after the first `cut` items; (how many bytes no flush covered, how many of these are not there)"""
        self._go_to(cut)
        choose = random.Random(seed)
        way = choose.choices(list(WAYS), WAYS.values())[0]
        made, unsure, there = {}, 0, 0
        for disk, name in enumerate(self.names):
            path = self.folder / f"{name}.img"
            copy_with_holes(self.flushed[disk], path)
            kept = surviving(self.open[disk], choose, way if choose.random() < 0.7 else choose.choice(list(WAYS)))
            self._write(path, kept)
            made[name] = path
            unsure += sum(item[3] for item in self.open[disk])
            there += sum(item[3] if sectors is None else min(item[3], sectors[0] * len(sectors[1])) for item, sectors in kept)
        return made, (unsure, unsure - there)

    def _go_to(self, cut):
        if cut < self.done:
            raise AssertionError("cuts must be made in order")
        for item in self.log.items[self.done:cut]:
            disk, length = item[0], item[3]
            if length:
                self.open[disk].append(item)
                continue
            self._write(self.flushed[disk], [(one, None) for one in self.open[disk]])
            self.open[disk] = []
        self.done = cut

    def _write(self, path, kept):
        with open(path, "r+b", buffering=0) as file:
            for item, sectors in kept:
                data, offset = self.log.data(item), item[1]
                if sectors is None:
                    os.pwrite(file.fileno(), data, offset)
                    continue
                size, numbers = sectors
                for number in numbers:
                    os.pwrite(file.fileno(), data[number * size:(number + 1) * size], offset + number * size)


def surviving(items, choose, way):
    """[(item, None: all of it; or (bytes of a sector, numbers of those that are there))], in the order of the list."""
    if way == "none" or not items:
        return []
    if way == "all":
        return [(item, None) for item in items]
    if way in ("one is lost", "one is kept"):
        chosen = choose.randrange(len(items))
        return [(item, None) for number, item in enumerate(items) if (number == chosen) == (way == "one is kept")]
    size = SECTOR_BYTES if way == "sectors" else BLOCK_BYTES
    share = 0.9 if way == "mostly" else 0.5
    return [(item, (size, superblock_as_one(item, size, {n for n in range(-(-item[3] // size)) if choose.random() < share}))) for item in items]


def superblock_as_one(item, size, numbers):
    """These sectors of an item; of the two of the superblock both or neither, as the first one was drawn."""
    if size == SECTOR_BYTES:
        first, second = (sector - item[1] // SECTOR_BYTES for sector in SUPERBLOCK_SECTORS)
        if first in numbers:
            numbers.add(second)
        else:
            numbers.discard(second)
    return sorted(numbers)
