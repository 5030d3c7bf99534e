"""A witness of C2SP tlog-witness, written from its text alone: it shares no code with the product. It is honest unless it is told what to
answer."""
import base64
import contextlib
import datetime
import hashlib
import http.server
import ipaddress
import ssl
import struct
import tempfile
import threading
import time

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

RAW = serialization.Encoding.Raw, serialization.PublicFormat.Raw
DASH = "\u2014 "


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def is_consistent(old, new, old_root, new_root, proof):
    """RFC 9162, section 2.1.4.2."""
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof
    if old & (old - 1) == 0:
        proof = [old_root] + proof
    if not proof:
        return False
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    first = second = proof[0]
    for c in proof[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            first, second = node(c, first), node(c, second)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            second = node(second, c)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and first == old_root and second == new_root


class Held:
    def __init__(self, size=0, root=hashlib.sha256(b"").digest(), note=""):
        self.size, self.root, self.note = size, root, note


class PythonWitness:
    """Serves until the end of the block. `vkey`, `url` and `authority` (a file) are what a log's operator is told."""

    def __init__(self, name="witness.audit.example"):
        self.name = name
        self.key = ed25519.Ed25519PrivateKey.generate()
        public = self.key.public_key().public_bytes(*RAW)
        self.key_id = hashlib.sha256(name.encode() + b"\n\x04" + public).digest()[:4]
        self.vkey = f"{name}+{self.key_id.hex()}+{base64.b64encode(bytes([4]) + public).decode()}"
        self.logs = {}    # origin -> (key id, public key)
        self.held = {}    # origin -> Held
        self.lock = threading.Lock()
        self.requests = []
        self.lie = None   # (status, body) to every add-checkpoint
        self.shows = True

    def add_log(self, vkey):
        origin, key_id, public = vkey.split("+", 2)
        raw = base64.b64decode(public)
        if raw[0] != 1:
            raise AssertionError("not a log's key: " + vkey)
        self.logs[origin] = (bytes.fromhex(key_id), ed25519.Ed25519PublicKey.from_public_bytes(raw[1:]))

    # -- the protocol --

    def read_note(self, note):
        """(origin, size, root, log's signature line), or a status to refuse with."""
        text, _, signatures = note.rpartition("\n\n")
        origin, size, root = text.split("\n")
        if origin not in self.logs:
            return 404
        key_id, public = self.logs[origin]
        for line in signatures.splitlines():
            _, name, signature = line.split(" ")
            raw = base64.b64decode(signature)
            if name != origin or raw[:4] != key_id:
                continue
            try:
                public.verify(raw[4:], (text + "\n").encode())
            except InvalidSignature:
                return 403
            return origin, int(size), base64.b64decode(root), text + "\n", line + "\n"
        return 403

    def add_checkpoint(self, body):
        """(status, type, answer)"""
        head, _, note = body.partition("\n\n")
        lines = head.split("\n")
        if not lines[0].startswith("old ") or len(lines) > 64:
            return 400, "text/plain", ""
        old = int(lines[0][4:])
        proof = [base64.b64decode(line) for line in lines[1:]]
        read = self.read_note(note)
        if isinstance(read, int):
            return read, "text/plain", ""
        origin, size, root, text, log_line = read
        if old > size:
            return 400, "text/plain", ""
        with self.lock:
            held = self.held.get(origin, Held())
            if old != held.size:
                return 409, "text/x.tlog.size", f"{held.size}\n"
            if not is_consistent(old, size, held.root, root, proof):
                return 422, "text/plain", ""
            now = int(time.time())
            message = f"cosignature/v1\ntime {now}\n{text}".encode()
            line = DASH + self.name + " " + base64.b64encode(self.key_id + struct.pack(">Q", now) + self.key.sign(message)).decode() + "\n"
            self.held[origin] = Held(size, root, text + "\n" + log_line + line)
            return 200, "text/plain", line

    def size_of(self, origin):
        with self.lock:
            return self.held.get(origin, Held()).size

    # -- the server --

    def _handler(self):
        witness = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, status, kind, body):
                data = body.encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                if self.path != "/prefix/add-checkpoint":
                    self.answer(404, "text/plain", "")
                    return
                witness.requests.append(body)
                if witness.lie:
                    self.answer(witness.lie[0], "text/x.tlog.size", witness.lie[1])
                    return
                self.answer(*witness.add_checkpoint(body))

            def do_GET(self):
                with witness.lock:
                    found = [h.note for o, h in witness.held.items() if self.path == f"/prefix/{hashlib.sha256(o.encode()).hexdigest()}/checkpoint"]
                self.answer(200 if found and witness.shows else 404, "text/plain", found[0] if found and witness.shows else "")

            def log_message(self, *_):
                pass

        return Handler

    def _certificate(self):
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "witness")])
        now = datetime.datetime.utcnow()
        made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
                .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
                .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
                .sign(key, hashes.SHA256()))
        certificate = made.public_bytes(serialization.Encoding.PEM)
        return certificate, key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())

    def __enter__(self):
        certificate, key = self._certificate()
        self.file = tempfile.NamedTemporaryFile(suffix=".pem")
        self.file.write(certificate)
        self.file.flush()
        self.authority = self.file.name
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        with tempfile.NamedTemporaryFile(suffix=".pem") as both:
            both.write(certificate + key)
            both.flush()
            context.load_cert_chain(both.name)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_address[1]}/prefix"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        with contextlib.suppress(OSError):
            self.file.close()
