#!/usr/bin/python3
"""Memory of `greffe-archive serve` while 500 uploads over TLS are open at once.

  tests/bench/memory.py [UPLOADS]

Ten stations; each upload is a connection of its own and an object of 2.5 MB. All send more than half of their object and stop
in the middle of a piece; only when the archive has taken that of every one of them does the rest follow. The figure is the largest
proportional set size (of the process, with its share of what it shares) that was seen ten times a second from the first
connection to the last answer.
"""
import hashlib
import os
import socket
import sys
import threading
import time

from common import proportional_mib, row
from machine_client import Hearing, MachineClient, details_document, sha256
from world import World

STATIONS = 10
OBJECT_BYTES = 2_500_000
FIRST_BYTES = 1_400_000  # five pieces of 256 KiB, and a part of the next
TURN_BYTES = 200_000
TARGET_MIB = 512


class Peak:
    """Looks at the process ten times a second."""

    def __init__(self, pid):
        self.pid = pid
        self.mib = 0
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def look(self):
        self.mib = max(self.mib, proportional_mib([self.pid]))

    def run(self):
        while not self.done.wait(0.1):
            self.look()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()


class Upload:
    """A PUT on a connection of its own, sent by hand so that it can stop anywhere."""

    def __init__(self, hearing, number, common_part):
        """The object is the number and what all of them have in common."""
        client = hearing.client
        host, port = client.address.rsplit(":", 1)
        self.rest = memoryview(common_part)
        self.sent = 0
        first = number.to_bytes(8, "big")
        digest = hashlib.sha256(first)
        digest.update(common_part)
        self.socket = client.context.wrap_socket(socket.create_connection((host, int(port)), timeout=120))
        self.socket.sendall(f"PUT {hearing.path}/objects/{digest.hexdigest()} HTTP/1.1\r\nHost: {client.address}\r\n"
                            f"Greffe-Epoch: {client.epoch}\r\nContent-Length: {8 + len(common_part)}\r\n\r\n".encode() + first)

    def send_up_to(self, size):
        """One turn's bytes. True: there is more to send before `size`."""
        end = min(size, self.sent + TURN_BYTES)
        self.socket.sendall(self.rest[self.sent:end])
        self.sent = end
        return end < size

    def status(self):
        answer = b""
        while b"\r\n" not in answer:
            piece = self.socket.recv(4096)
            if not piece:
                raise RuntimeError("the archive hung up before it answered")
            answer += piece
        return int(answer.split(b" ", 2)[1])

    def close(self):
        self.socket.close()


def station(world, number):
    client = MachineClient(world.station_code(f"s{number}", room=f"room-{number}").read_text(), timeout=120)
    client.enrol()
    hearing = Hearing(client)
    details = details_document()
    hearing.put(details)
    hearing.open(sha256(details), {"cam-bench": "video"})
    hearing.post()
    return hearing


def in_turns(uploads, size):
    while any([upload.send_up_to(size) for upload in uploads]):
        pass


def unnamed_files(pid):
    """Replicas that are being written: files without a name that the process holds open."""
    count = 0
    for entry in os.scandir(f"/proc/{pid}/fd"):
        try:
            count += "/sha256/" in os.readlink(entry.path) and os.stat(entry.path).st_nlink == 0
        except FileNotFoundError:
            continue
    return count


def main():
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    with World() as world:
        world.start()
        hearings = [station(world, number) for number in range(STATIONS)]
        start_mib = proportional_mib([world.server.pid])
        common_part = os.urandom(OBJECT_BYTES - 8)
        with Peak(world.server.pid) as peak:
            uploads = []
            for number in range(wanted):
                uploads.append(Upload(hearings[number % STATIONS], number, common_part))
            in_turns(uploads, FIRST_BYTES)
            deadline = time.monotonic() + 60
            while unnamed_files(world.server.pid) < 3 * wanted:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"only {unnamed_files(world.server.pid) // 3} of {wanted} uploads are open at once")
                time.sleep(0.1)
            time.sleep(1)
            peak.look()
            open_mib = peak.mib
            in_turns(uploads, len(common_part))
            statuses = [upload.status() for upload in uploads]
            for upload in uploads:
                upload.close()
        if statuses != [201] * wanted:
            raise RuntimeError(f"not every object was stored: {sorted(set(statuses))}")
        row(f"memory of the archive, {wanted} uploads over TLS at once", "", f"<= {TARGET_MIB} MiB at its peak",
            f"{peak.mib:.0f} MiB ({open_mib:.0f} with all of them open, {start_mib:.0f} before)", peak.mib <= TARGET_MIB)


if __name__ == "__main__":
    main()
