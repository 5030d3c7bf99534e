"""The formats, as docs/formats/ has them, for the independent verifier: trees, JSON, notes, policies; and the report."""
import base64
import datetime
import hashlib
import json
import re
import struct

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ORDER = ["VERIFIED", "VERIFIED_WITH_DECLARED_GAPS", "INCOMPLETE", "UNKNOWN_FORMAT", "UNREADABLE", "TAMPERED"]
HEX = re.compile(r"[0-9a-f]{64}\Z")
NAME = re.compile(r"[a-z0-9-]{1,32}\Z")
ARCHIVE = re.compile(r"(?=.{1,120}\Z)[a-z0-9-]+(\.[a-z0-9-]+)*\Z")
ACCOUNT = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z")
TILE = re.compile(r"tile/(entries|0|[1-9]|[1-5][0-9]|6[0-3])/((?:x[0-9]{3}/)*[0-9]{3})(\.p/([1-9][0-9]{0,2}))?\Z")
HEARING_KINDS = {"open", "segment", "gap", "explanation", "mark", "details", "stream", "peaks", "lost", "close"}
MAIN_KINDS = {"genesis", "key", "place", "hearing-checkpoint", "details", "mark", "access", "scrub", "export", "account", "lost",
              "drill", "promotion", "graft", "share"}
GAP_REASONS = {"recess", "closed-evidence", "mediation", "fault", "power", "network", "no-signal", "operator", "unknown"}


class Bad(Exception):
    pass


class CannotRun(Exception):
    pass


# ---- primitives ----

def leaf_hash(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


class Tree:
    """Leaves of a log; roots of all its prefixes by the definition of RFC 6962, with full subtrees kept."""

    def __init__(self, leaves):
        self.leaves, self.kept = leaves, {}

    def part(self, begin, end):
        if end - begin == 1:
            return self.leaves[begin]
        key = (begin, end)
        if key not in self.kept:
            k = 1
            while k * 2 < end - begin:
                k *= 2
            value = node_hash(self.part(begin, begin + k), self.part(begin + k, end))
            if (end - begin) & (end - begin - 1):
                return value
            self.kept[key] = value
        return self.kept[key]

    def root(self, size=None):
        size = len(self.leaves) if size is None else size
        return self.part(0, size) if size else hashlib.sha256(b"").digest()


def verify_inclusion(index, size, leaf, proof, root):
    if index >= size or len(proof) > 63:
        return False
    fn, sn, r = index, size - 1, leaf
    for p in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r == root


def no_duplicates(pairs):
    out = dict(pairs)
    if len(out) != len(pairs):
        raise Bad("a key stands twice")
    return out


def refuse(what):
    raise Bad(f"{what} is not allowed")


def canonical(data):
    """The value of canonical JSON; Bad for anything else."""
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=no_duplicates, parse_float=refuse, parse_constant=refuse)
        again = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    except (ValueError, UnicodeError, RecursionError) as problem:
        raise Bad(str(problem)) from None
    if again != data or not isinstance(value, dict) or b"null" in data and None in flat(value):
        raise Bad("not canonical JSON")
    if not isinstance(value.get("kind"), str) or not isinstance(value.get("v"), int):
        raise Bad("no kind or version")
    return value


def flat(value):
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return [value]
    return [x for part in value for x in flat(part)]


def named_objects(value, key=""):
    if isinstance(value, dict):
        return [d for k, v in value.items() for d in named_objects(v, k)]
    if isinstance(value, list):
        return [d for v in value for d in named_objects(v, key)]
    return [value] if (key == "sha256" or key.endswith("_sha256")) and isinstance(value, str) and HEX.match(value) else []


def ms_of(text):
    try:
        moment = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.timezone.utc)
    except (ValueError, TypeError):
        raise Bad(f"{text!r} is not a time") from None
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000


def text_of(ms):
    return datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03}Z"


# ---- keys and notes ----

class VerifierKey:
    def __init__(self, text):
        try:
            self.name, hexid, data = text.split("+", 2)
            raw = base64.b64decode(data, validate=True)
        except ValueError:
            raise Bad("not a verifier key") from None
        self.text, self.kind, self.public = text, raw[0], raw[1:]
        if len(raw) != 33 or hexid != key_id(self.name, self.kind, self.public).hex():
            raise Bad("not a verifier key")

    @classmethod
    def of(cls, name, kind, public):
        return cls(f"{name}+{key_id(name, kind, public).hex()}+{base64.b64encode(bytes([kind]) + public).decode()}")


def key_id(name, kind, public):
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def signature_holds(public, message, signature):
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
        return True
    except (InvalidSignature, ValueError):
        return False


class Note:
    def __init__(self, data, file=""):
        self.file = file
        if len(data) > 65536 or b"\r" in data:
            raise Bad("not a signed note")
        try:
            text = data.decode("utf-8")
        except UnicodeError:
            raise Bad("not UTF-8") from None
        at = text.rfind("\n\n")
        if at < 0 or not text.endswith("\n"):
            raise Bad("not a signed note")
        self.text, self.lines = text[:at + 1], []
        for line in text[at + 2:-1].split("\n"):
            found = re.fullmatch("\u2014 ([^ +]+) ([A-Za-z0-9+/=]+)", line)
            raw = base64.b64decode(found[2], validate=True) if found and len(found[2]) % 4 == 0 else b""
            if len(raw) < 5 or base64.b64encode(raw).decode() != found[2]:
                raise Bad("a signature line that cannot be")
            self.lines.append((found[1], raw[:4], raw[4:]))
        if len({line[:2] for line in self.lines}) != len(self.lines):
            raise Bad("two lines of one key")
        parts = self.text.split("\n")
        if len(parts) != 4 or not re.fullmatch(r"0|[1-9][0-9]{0,18}", parts[1]):
            raise Bad("not a checkpoint")
        self.origin, self.size = parts[0], int(parts[1])
        self.root = base64.b64decode(parts[2], validate=True)
        if len(self.root) != 32:
            raise Bad("not a checkpoint")

    def signed_by(self, name, public):
        """True, False (a line that does not hold) or None (no line)."""
        for line_name, line_id, signature in self.lines:
            if line_name == name and line_id == key_id(name, 1, public):
                return signature_holds(public, self.text.encode(), signature)
        return None

    def cosigned_by(self, key):
        for name, line_id, signature in self.lines:
            if name == key.name and line_id == key_id(key.name, 4, key.public):
                if len(signature) != 72:
                    return False
                at = struct.unpack(">Q", signature[:8])[0]
                message = f"cosignature/v1\ntime {at}\n{self.text}".encode()
                return signature_holds(key.public, message, signature[8:])
        return None


class Policy:
    def __init__(self, text):
        self.logs, self.witnesses, self.groups, self.quorum = {}, {}, {}, None
        for line in text.split("\n"):
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            if words[0] == "log":
                key = VerifierKey(words[1])
                self.logs[key.name] = key
            elif words[0] == "witness":
                self.witnesses[words[1]] = VerifierKey(words[2])
            elif words[0] == "group":
                members = words[3:]
                self.groups[words[1]] = ({"all": len(members), "any": 1}.get(words[2]) or int(words[2]), members)
            elif words[0] == "quorum":
                self.quorum = words[1]
            else:
                raise Bad(f"unknown word {words[0]}")
        if not self.logs or self.quorum is None:
            raise Bad("no log or no quorum line")

    def only(self, keys):
        """What it asks where it can ask nobody but these, by their verifier keys: of each group as many as it wants, or all who are left."""
        out = Policy.__new__(Policy)
        out.logs, out.groups = self.logs, {}
        out.witnesses = {name: key for name, key in self.witnesses.items() if key.text in keys}
        for name, (needed, members) in self.groups.items():
            left = [m for m in members if m in out.witnesses or m in out.groups]
            if left:
                out.groups[name] = (min(needed, len(left)), left)
        out.quorum = self.quorum if self.quorum in out.witnesses or self.quorum in out.groups else "none"
        return out

    def met(self, name, sizes, size):
        if name == "none" or sizes.get(name, 0) >= size:
            return True
        needed, members = self.groups.get(name, (1, []))
        return sum(self.met(m, sizes, size) for m in members) >= needed

    def covered(self, sizes, size):
        if self.quorum == "none":
            return size
        return min(size, max([s for s in sizes.values() if self.met(self.quorum, sizes, s)], default=0))


# ---- report ----

class Report:
    def __init__(self):
        self.findings, self.hearings, self.gaps, self.accounts = [], [], False, {}

    def add(self, code, verdict="TAMPERED", **place):
        self.findings.append({"code": code, "verdict": verdict, **{k: v for k, v in place.items() if v not in (None, "")}})

    def verdict(self):
        floor = "VERIFIED_WITH_DECLARED_GAPS" if self.gaps else "VERIFIED"
        return max([f["verdict"] for f in self.findings] + [floor], key=ORDER.index)


def read(path, report, **place):
    """Bytes, or None with a finding (nothing for a file that is not there)."""
    try:
        if path.is_symlink() or not path.is_file():
            return None
        return path.read_bytes()
    except OSError:
        report.add("unreadable", "UNREADABLE", file=str(path), **place)
        return None
