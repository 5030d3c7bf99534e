"""What may stand between a station and its archive: a slow line that breaks, and servers with the archive's own key that answer nonsense."""
import contextlib
import datetime
import socket
import ssl
import tempfile
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID


class Line:
    """A slow line between the station and the archive: so many bytes a second each way, on a port of its own. `rate` and `to_port` may
    be changed at any time; the port counts for new connections."""

    def __init__(self, to_port, bytes_a_second):
        self.to_port, self.rate = to_port, bytes_a_second
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.open = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.server.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self.to_port))
                except OSError:
                    near.close()
                    continue
                self.open += [near, far]
                for source, sink, way in ((near, far, "there"), (far, near, "back")):
                    threading.Thread(target=self.carry, args=(source, sink, way), daemon=True).start()

    def carry(self, source, sink, way):
        with contextlib.suppress(OSError):
            while data := self.changed(source.recv(max(1, min(4096, int(self.rate / 10)))), way, source):
                sink.sendall(data)
                if self.ends(source):
                    break
                time.sleep(len(data) / self.rate)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def changed(self, data, way, source):
        return data

    def ends(self, source):
        return False

    def cut(self):
        """Every connection breaks; new ones can be made."""
        ends, self.open = self.open, []
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.server.close()
        self.cut()


class FaultyLine(Line):
    """One on which something happens at a chosen byte of every connection, until `calm`: "cut" (both ends see it end), "silent" (nothing
    more is carried that way, and nobody is told), "flipped" (one bit of that byte is another one)."""

    def __init__(self, to_port, bytes_a_second=100_000_000):
        self.fault = None        # (what, which way, behind so many bytes)
        self.happened = 0
        self.ending = set()      # ends of which nothing more is carried
        self.carried = {}        # bytes that came from an end since the fault was chosen
        super().__init__(to_port, bytes_a_second)

    def next(self, what, way, behind):
        """`way`: "there" (what the client sends) or "back"."""
        self.cut()
        self.fault, self.happened, self.carried, self.ending = (what, way, behind), 0, {}, set()

    def calm(self):
        self.fault = None
        self.cut()

    def changed(self, data, way, source):
        fault = self.fault
        if not fault or fault[1] != way or not data:
            return data
        before = self.carried.get(source, 0)
        self.carried[source] = before + len(data)
        at = fault[2] - before
        if not 0 <= at < len(data):
            return data
        self.happened += 1
        if fault[0] == "flipped":
            return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]
        if fault[0] == "silent":
            while source.recv(4096):
                pass
            return b""
        self.ending.add(source)
        return data[:at]

    def ends(self, source):
        return source in self.ending


class Nonsense:
    """A TLS server with the archive's own key that answers whatever it likes."""

    def __init__(self, world, answer):
        key = serialization.load_pem_private_key((world.home / "state" / "keys" / "server.key").read_bytes(), None)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
        now = datetime.datetime(2020, 1, 1)
        certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
                       .not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1)).sign(key, None))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_3
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:
            file.write(certificate.public_bytes(serialization.Encoding.PEM))
            file.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
            file.flush()
            self.context.load_cert_chain(file.name)
        self.answer = answer
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                plain, _ = self.server.accept()
                threading.Thread(target=self.serve, args=(plain,), daemon=True).start()

    def serve(self, plain):
        with contextlib.suppress(OSError, ssl.SSLError):
            with self.context.wrap_socket(plain, server_side=True) as tls:
                asked = tls.recv(65536)
                if asked:
                    self.answer(tls, asked)

    def close(self):
        self.server.close()


HEAD = b"HTTP/1.1 200 OK\r\nGreffe-Epoch: 1\r\nContent-Type: application/json\r\n"


def say(tls, body, head=HEAD):
    tls.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)


def garbage_json(tls, _):
    say(tls, b'{"size":]')


def wrong_shape(tls, _):
    say(tls, b'{"checkpoint":[],"read_back_size":"a","size":{}}')


def too_short(tls, _):
    tls.sendall(HEAD + b"Content-Length: 1000\r\n\r\n{\"checkpoint\":\"\"}")


def endless(tls, _):
    tls.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        tls.sendall(b"10000\r\n" + b"[" * 65536 + b"\r\n")


def failing(tls, _):
    say(tls, b"<html>", b"HTTP/1.1 500 Oh\r\nGreffe-Epoch: 1\r\n")


def not_http(tls, _):
    tls.sendall(b"220 mail.example ESMTP ready\r\n")


def another_epoch(tls, _):
    say(tls, b"{}", b"HTTP/1.1 200 OK\r\nGreffe-Epoch: -1\r\n")


def everything_is_here(tls, asked):
    """Says of itself that it misses nothing, and gives no receipt worth the name."""
    if asked.startswith(b"GET"):
        say(tls, b"", b"HTTP/1.1 404 No\r\nGreffe-Epoch: 1\r\n")
    else:
        say(tls, b'{"missing":[]}' if b"/have" in asked else b'{"checkpoint":"ok"}')
