"""A line to a second site that all connections share: so many bytes a second each way, a small piece of each connection in turn."""
import contextlib
import json
import select
import socket
import threading
import time

PIECE = 1024
QUEUED = 16 * 1024  # of each connection, on its way through; the kernel doubles it


class ThinLine:
    """`rate`, in bytes a second each way, may be changed at any time."""

    def __init__(self, to_port, rate):
        self.to_port, self.rate = to_port, rate
        self.server = socket.socket()
        self.server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, QUEUED)
        self.server.bind(("127.0.0.1", 0))
        self.server.listen(64)
        self.port = self.server.getsockname()[1]
        self.lock = threading.Lock()
        self.ways = ([], [])  # pairs (from, to): there, and back
        self.over = False
        threading.Thread(target=self.accept, daemon=True).start()
        for way in self.ways:
            threading.Thread(target=self.pump, args=(way,), daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.server.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self.to_port))
                except OSError:
                    near.close()
                    continue
                for end in (near, far):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self.lock:
                    self.ways[0].append((near, far))
                    self.ways[1].append((far, near))

    def pump(self, way):
        while not self.over:
            with self.lock:
                pairs = list(way)
            ready = set()
            with contextlib.suppress(OSError, ValueError):
                ready = set(select.select([source for source, _ in pairs], [], [], 0.02)[0]) if pairs else set()
            if not pairs:
                time.sleep(0.02)
            for pair in pairs:
                if pair[0] in ready:
                    self.carry(way, pair)

    def carry(self, way, pair):
        source, sink = pair
        try:
            data = source.recv(PIECE)
            sink.sendall(data)
        except OSError:
            data = b""
        if data:
            time.sleep(len(data) / self.rate)
            return
        with self.lock:
            way.remove(pair)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def close(self):
        self.over = True
        self.server.close()
        with self.lock:
            for way in self.ways:
                for end, _ in way:
                    with contextlib.suppress(OSError):
                        end.shutdown(socket.SHUT_RDWR)


def lead_through(line, state):
    """From now on the replicator with this state folder reaches its one target through the line."""
    for path in [*state.glob("target.json"), *state.glob("targets/*.json")]:
        target = json.loads(path.read_text())
        target["address"] = f"https://127.0.0.1:{line.port}"
        path.write_text(json.dumps(target, sort_keys=True, separators=(",", ":")))


def ahead_files(volumes):
    """Every file of entries that are known ahead of their objects."""
    return [path for volume in volumes for path in (volume / "log/ahead").glob("*/*/stage/*")]


def held_size(volumes, hearing):
    """Entries of the hearing that the pool's newest checkpoint covers."""
    heads = [path for volume in volumes for path in (volume / "log/hearing").glob(f"*/*/*/{hearing}/checkpoint")]
    return max([int(path.read_text().split("\n")[1]) for path in heads], default=0)


def known_size(volumes, hearing):
    """Entries of the hearing that the pool holds or knows ahead; read from the names of its files."""
    ahead = [int(path.name.split("-")[1]) for path in ahead_files(volumes) if path.parent.parent.name == hearing]
    return max([held_size(volumes, hearing), *ahead])


class Lag:
    """How long it takes until the second site knows what was filed at the first, looked at ten times a second."""

    def __init__(self, volumes, hearing):
        self.volumes, self.hearing = volumes, hearing
        self.waiting = []  # (size, when it was filed)
        self.worst = 0.0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def filed(self, size):
        self.waiting.append((size, time.monotonic()))

    def look(self):
        known = known_size(self.volumes, self.hearing)
        now = time.monotonic()
        for size, since in list(self.waiting):
            self.worst = max(self.worst, now - since)
            if size <= known:
                self.waiting.remove((size, since))

    def run(self):
        while not self.over.wait(0.1):
            with contextlib.suppress(OSError):  # a piece was replaced this moment
                self.look()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
