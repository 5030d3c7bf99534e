"""The main logs of an archive, one for each epoch (docs/formats/main-log.md), and whose keys count in them; for the independent verifier."""
import base64
import re

from twin_formats import ARCHIVE, HEX, NAME, Bad, VerifierKey, canonical, leaf_hash, ms_of, signature_holds

EPOCH_MAX = 1_000_000
ADDRESS = re.compile(r"(?=.{1,200}\Z)https://(?!:)[A-Za-z0-9.:\[\]-]*[A-Za-z0-9.\[\]-]\Z")


def epoch_of(origin):
    """(archive, epoch) of the main log with this origin."""
    archive, _, number = origin.partition("/epoch/")
    if ARCHIVE.match(archive) and re.fullmatch(r"[1-9][0-9]{0,6}", number) and 2 <= int(number) <= EPOCH_MAX:
        return archive, int(number)
    return origin, 1


def origin_of(archive, epoch):
    return archive if epoch == 1 else f"{archive}/epoch/{epoch}"


class Officers:
    """Who is an officer, after the `key` entries taken so far, in the order of the log."""

    def __init__(self):
        self.keys = {}  # name -> key

    def take(self, e):
        if e["role"] != "officer":
            return
        if e["action"] != "revoked":
            self.keys[e["name"]] = e["key"]
        elif self.keys.get(e["name"]) == e["key"]:
            del self.keys[e["name"]]

    def signed(self, text, names, signatures):
        """Whether each of these is an officer and signed it, with two keys at least."""
        keys = [self.keys.get(name) for name in names]
        good = len(signatures) == len(keys) and all(k and signature_holds(bytes.fromhex(k), text, s) for k, s in zip(keys, signatures))
        return good and len(set(keys)) >= 2


class Promotion:
    """The first entry of a later epoch; Bad for anything else."""

    def __init__(self, data):
        try:
            e = canonical(data)
            if e["kind"] != "promotion" or e["v"] != 1:
                raise Bad("not a promotion")
            self.archive, self.epoch, previous = e["archive"], e["epoch"], e["previous"]
            self.size, self.root = previous["size"], previous["root"]
            for n, least in ((self.epoch, 2), (self.size, 1)):
                if not isinstance(n, int) or isinstance(n, bool) or n < least:
                    raise Bad("epoch or size")
            if not ARCHIVE.match(self.archive) or self.epoch > EPOCH_MAX or previous["origin"] != origin_of(self.archive, self.epoch - 1):
                raise Bad("archive, epoch or what it goes on from")
            if not all(HEX.match(h) for h in (self.root, e["log_key"], e["machine_key"])) or not ADDRESS.match(e["machine_url"]):
                raise Bad("root, keys or address")
            self.origin, self.log_key, self.holder = origin_of(self.archive, self.epoch), bytes.fromhex(e["log_key"]), VerifierKey(e["holder"])
            if self.holder.kind != 4:
                raise Bad("holder")
            self.officers, self.signatures = e["officers"], [base64.b64decode(s, validate=True) for s in e["signatures"]]
            if len(set(self.officers)) != len(self.officers) or not all(NAME.match(o) for o in self.officers) or ms_of(e["utc"]) < 0:
                raise Bad("officers or time")
            vkey = VerifierKey.of(self.origin, 1, self.log_key).text
        except (KeyError, TypeError, ValueError) as problem:
            raise Bad(str(problem)) from None
        lines = ["greffe promotes v1", self.archive, self.epoch, previous["origin"], self.size, self.root, vkey, e["holder"], e["machine_url"],
                 e["machine_key"]]
        self.statement = "".join(f"{line}\n" for line in lines).encode()


class Epoch:
    """One main log, whole or by the entries that were proved. `entries`: index -> bytes; `root_at`: of its first so many entries, None
    where that is not known."""

    def __init__(self, note, entries, root_at, notes=()):
        self.note, self.entries, self.root_at, self.notes = note, entries, root_at, notes
        self.archive, self.number = epoch_of(note.origin)
        self.first = 0              # number of its entry 0, through all epochs
        self.counted = note.size    # entries that are the archive's: all, or up to where the next epoch goes on
        self.promotion = None       # of the first one

    def key(self, policy):
        """Name and public key that sign this log; None: nobody's that counts."""
        if self.promotion:
            return self.promotion.origin, self.promotion.log_key
        key = policy.logs.get(self.note.origin)
        return (key.name, key.public) if key else None


def officers_up_to(chain, size):
    """Of the archive, at this size of its newest log."""
    out = Officers()
    for epoch in chain:
        end = size if epoch is chain[-1] else epoch.counted
        for index in sorted(i for i in epoch.entries if i < end):
            try:
                e = canonical(epoch.entries[index])
                if e["kind"] == "key" and e["v"] == 1:
                    out.take(e)
            except (Bad, KeyError, TypeError):
                pass  # said where the entries are judged
    return out


def follow(chain, epoch):
    """Adds it to the chain when two officers that the chain names signed that it goes on from there; else Bad, with the reason."""
    before, promotion = chain[-1], Promotion(epoch.entries.get(0, b""))
    if (promotion.archive, promotion.epoch) != (epoch.archive, epoch.number) or promotion.epoch != before.number + 1:
        raise Bad("its promotion is to another epoch")
    if before.root_at(promotion.size) != bytes.fromhex(promotion.root):
        raise Bad("it goes on from a state that the log before never had")
    if not officers_up_to(chain, promotion.size).signed(promotion.statement, promotion.officers, promotion.signatures):
        raise Bad("two officers did not sign this promotion")
    if not epoch.note.signed_by(promotion.origin, promotion.log_key):
        raise Bad("it is not signed by the key that was promoted")
    before.counted, epoch.promotion = promotion.size, promotion
    epoch.first = before.first + before.counted
    chain.append(epoch)


def check_known_epoch(known, chain, policy, report):
    """The checkpoint that the auditor holds, where it is of this archive: of an epoch that came since, or by another key than that epoch has."""
    archive, number = epoch_of(known.origin) if known else (None, 0)
    if archive != chain[0].archive:
        return
    if number > chain[-1].number:
        report.add("stale", "INCOMPLETE", log="main")
        return
    key = next((epoch.key(policy) for epoch in chain if epoch.number == number), None)
    if key is None or not known.signed_by(*key):
        report.add("main-signature", log="main")


def choose_main(notes, policy, report):
    chosen = None
    for note in notes:
        key = policy.logs.get(note.origin)
        if key is None or not note.signed_by(key.name, key.public):
            report.add("main-signature", log="main", file=note.file)
        elif chosen is None:
            chosen = note
    return chosen


def witness_sizes(notes, policy, report):
    sizes = {}
    for note in notes:
        for name, key in policy.witnesses.items():
            answer = note.cosigned_by(key)
            if answer is False:
                report.add("cosignature-bad", log="main", file=note.file)
            if answer:
                sizes[name] = max(sizes.get(name, 0), note.size)
    return sizes


def asked_of(epoch, policy):
    """The policy, with what it asks of this epoch's log: of a later one only those whom it names as cosigners itself and has not revoked since."""
    if epoch.promotion is None:
        return policy
    named = {}
    for index in sorted(i for i in epoch.entries if i < epoch.counted):
        try:
            e = canonical(epoch.entries[index])
            if (e["kind"], e["v"], e["role"]) != ("key", 1, "cosigner"):
                continue
            if e["action"] != "revoked":
                named[e["name"]] = VerifierKey(e["cosigner"])
            else:
                named = {name: key for name, key in named.items() if key.public.hex() != e["key"]}
        except (Bad, KeyError, TypeError):
            pass  # said where the entries are judged
    return policy.only({key.text for key in named.values()})


def covered_of(chain, sizes, policy):
    """How many entries of each epoch's log the policy's sites have signed, from what each of them signed of it (`sizes`). Whoever signed any of a later
    epoch's log, which begins with what it goes on from, has signed the ones before up to there."""
    out, later = [], set()
    for epoch, signed in reversed(list(zip(chain, sizes))):
        reach = {**signed, **{name: max(signed.get(name, 0), epoch.counted) for name in later}}
        later |= set(signed)
        out.insert(0, asked_of(epoch, policy).covered(reach, epoch.note.size))
    return out


def through(chain, covered):
    """Entries through all epochs, up to the first one that is not covered."""
    total = 0
    for epoch, here in zip(chain, covered):
        total += min(here, epoch.counted) if total == epoch.first else 0
    return total


def entries_of(log):
    """index -> bytes of those entries of a loaded log that are what its tree says."""
    return {i: data for i, data in enumerate(log.entries) if data is not None and leaf_hash(data) == log.tree.leaves[i]}
