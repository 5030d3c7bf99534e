"""A second client of the machine protocol, written from docs/formats/ alone: it shares no code with the product.

It remembers what the archive acknowledged, which is what the crash tests hold the archive to.
"""
import base64
import datetime
import hashlib
import http.client
import json
import os
import secrets
import ssl
import tempfile
import time

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.x509.oid import NameOID

RAW = serialization.Encoding.Raw, serialization.PublicFormat.Raw


def canonical(value):
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def utc_text(milliseconds):
    moment = datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03}Z"


def new_hearing_id():
    """A UUIDv7."""
    value = (int(time.time() * 1000) << 80) | (7 << 76) | (secrets.randbits(12) << 64) | (2 << 62) | secrets.randbits(62)
    text = f"{value:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def tree_root(entries):
    """RFC 6962, as its text says."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\0" + entries[0]).digest()
    k = 1
    while k * 2 < len(entries):
        k *= 2
    return hashlib.sha256(b"\1" + tree_root(entries[:k]) + tree_root(entries[k:])).digest()


def signed_checkpoint(key, origin, entries, *, size=None, root=None):
    """A signed note over the tree of these entries; size and root can be told otherwise, for tests of liars."""
    size = len(entries) if size is None else size
    root = tree_root(entries) if root is None else root
    text = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
    public = key.public_key().public_bytes(*RAW)
    key_id = hashlib.sha256(origin.encode() + b"\n\x01" + public).digest()[:4]
    line = base64.b64encode(key_id + key.sign(text.encode())).decode()
    return f"{text}\n\u2014 {origin} {line}\n"


def document(kind, **members):
    return canonical({"kind": kind, "salt": secrets.token_hex(32), "v": 1, **members}).encode()


def details_document(case="RG 26/00001", title="Test"):
    return document("details", cases=[case], clerk="", judges=[], language="fr", parties=[], parts=[], public=True, title=title)


class Refused(Exception):
    def __init__(self, status, problem):
        super().__init__(f"{status}: {problem.get('detail', problem)}")
        self.status = status
        self.problem = problem


class MachineClient:
    """One enrolled key at one archive. Not thread-safe."""

    def __init__(self, code_text, key=None, timeout=30):
        padded = code_text.strip() + "=" * (-len(code_text.strip()) % 4)
        self.code = json.loads(base64.urlsafe_b64decode(padded))
        self.key = key or ed25519.Ed25519PrivateKey.generate()
        self.address = self.code["address"].removeprefix("https://")
        self.archive = self.code["log"].split("+")[0]
        self.epoch = 1
        self.timeout = timeout
        self.context = self._tls()
        self.connection = None

    def public_hex(self):
        return self.key.public_key().public_bytes(*RAW).hex()

    def _tls(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # the server is known by its key, below
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
        now = datetime.datetime(2020, 1, 1)
        certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self.key.public_key())
                       .serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
                       .sign(self.key, None))
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:
            file.write(certificate.public_bytes(serialization.Encoding.PEM))
            file.write(self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                              serialization.NoEncryption()))
            file.flush()
            context.load_cert_chain(file.name)
        return context

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def _connect(self):
        self.close()
        self.connection = http.client.HTTPSConnection(self.address, context=self.context, timeout=self.timeout)
        self.connection.connect()
        der = self.connection.sock.getpeercert(True)
        spki = x509.load_der_x509_certificate(der).public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        if sha256(spki) != self.code["server_key"]:
            raise AssertionError("another server answers than the code names")

    def request(self, method, path, body=None, headers=None):
        """(status, answer); connection errors are raised."""
        if self.connection is None:
            self._connect()
        sent = {"Greffe-Epoch": str(self.epoch), **(headers or {})}
        try:
            self.connection.request(method, path, body, sent)
            answer = self.connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        if answer.will_close:
            self.close()
        try:
            return answer.status, json.loads(text) if text else {}
        except ValueError:
            return answer.status, {"detail": text.decode(errors="replace")}

    def call(self, method, path, value=None):
        body = None if value is None else canonical(value).encode()
        status, answer = self.request(method, path, body, {"Content-Type": "application/json"} if body else None)
        if status >= 300:
            raise Refused(status, answer)
        return answer

    def enrol(self):
        return self.call("POST", "/v1/enrol", {"name": self.code["name"], "role": self.code["role"], "secret": self.code["secret"]})


class Hearing:
    """A hearing that is being filed, with what was acknowledged of it."""

    def __init__(self, client, start_ms=1_790_000_000_000):
        self.client = client
        self.id = new_hearing_id()
        self.origin = f"{client.archive}/hearing/{self.id}"
        self.path = f"/v1/hearings/{self.id}"
        self.entries = []
        self.start_ms = start_ms
        self.streams = {}
        self.acknowledged_objects = set()  # digests whose PUT was answered 201 or 200
        self.acknowledged_size = 0         # of the largest checkpoint that came back cosigned
        self.receipts = []                 # the cosigned notes

    # -- what the hearing says --

    def add(self, **entry):
        self.entries.append(canonical({"v": 1, **entry}).encode())

    def open(self, details_sha256, streams, **changes):
        code = self.client.code
        entry = {"kind": "open", "archive": self.client.archive, "boot": "test", "court": code["court"],
                 "details_sha256": details_sha256, "hearing": self.id, "main_root": sha256(b""), "main_size": 0, "mono_ms": 0,
                 "room": code["room"], "station": code["name"], "station_key": self.client.public_hex(),
                 "streams": [{"medium": medium, "name": name, "source": "room"} for name, medium in streams.items()],
                 "utc": utc_text(self.start_ms)}
        entry.update(changes)
        self.streams = {name: {"segments": 0, "bytes": 0, "at": 90_000, "duration": 0} for name in streams}
        self.add(**entry)

    def segment(self, stream, data, init_bytes, duration_90k, codecs="flac", **changes):
        s = self.streams[stream]
        at_ms = (s["at"] - 90_000) // 90
        entry = {"kind": "segment", "boot": "test", "bytes": len(data), "clock": {"error_ms": 5, "state": "locked"},
                 "codecs": codecs, "duration_90k": duration_90k, "flags": [], "init_bytes": init_bytes, "mono_ms": at_ms,
                 "run": 0, "seq": s["segments"], "sha256": sha256(data), "start_90k": s["at"], "stream": stream,
                 "utc": utc_text(self.start_ms + at_ms)}
        entry.update(changes)
        s["segments"] += 1
        s["bytes"] += len(data)
        s["at"] += duration_90k
        s["duration"] += duration_90k
        self.add(**entry)

    def finish(self):
        end_ms = max((s["at"] - 90_000) // 90 for s in self.streams.values())
        self.add(kind="close", boot="test", mono_ms=end_ms, utc=utc_text(self.start_ms + end_ms),
                 totals=[{"bytes": s["bytes"], "duration_90k": s["duration"], "segments": s["segments"], "stream": name}
                         for name, s in self.streams.items()])

    def checkpoint(self, **lies):
        return signed_checkpoint(self.client.key, self.origin, self.entries, **lies)

    # -- what is said to the archive --

    def have(self, digests):
        return self.client.call("POST", self.path + "/have", {"digests": digests})["missing"]

    def put(self, data, digest=None):
        digest = digest or sha256(data)
        status, answer = self.client.request("PUT", f"{self.path}/objects/{digest}", data)
        if status not in (200, 201):
            raise Refused(status, answer)
        self.acknowledged_objects.add(digest)

    def post(self, first=None, entries=None, checkpoint=None):
        first = self.acknowledged_size if first is None else first
        entries = self.entries[first:] if entries is None else entries
        answer = self.client.call("POST", self.path + "/entries", {
            "checkpoint": checkpoint or self.checkpoint(), "entries": [e.decode() for e in entries], "first": first})
        self.receipts.append(answer["checkpoint"])
        self.acknowledged_size = max(self.acknowledged_size, int(answer["checkpoint"].split("\n")[1]))
        return answer["checkpoint"]


def random_object(size):
    return os.urandom(size)
