"""The judgement of a pool: all main logs in it, archive by archive and epoch by epoch, their hearings and objects; for the independent verifier."""
import datetime
import hashlib
import json

from twin_formats import HEX, UUID, Bad, CannotRun, Report
from twin_grafts import judge_grafts
from twin_hearing import Facts, HearingJudge
from twin_logs import LogCopies, check_object
from twin_main_log import Epoch, check_known_epoch, choose_main, covered_of, entries_of, epoch_of, follow, through, witness_sizes


def day_of(uuid):
    """The UTC date inside an id; None when it has none."""
    try:
        stamp = int(uuid.replace("-", "")[:12], 16) // 1000 if UUID.match(uuid) else -1
        return datetime.datetime.fromtimestamp(stamp, datetime.timezone.utc).strftime("%Y/%m/%d") if stamp >= 0 else None
    except (OverflowError, ValueError):
        return None


class PoolJudge:
    def __init__(self, volumes, policy, known, report):
        self.volumes, self.policy, self.known, self.report = volumes, policy, known, report
        self.named, self.judged, self.strangers = set(), set(), set()
        self.origins = {}  # uuid -> origin, of each hearing that has a folder here

    def run(self):
        if len({json.loads((v / "greffe-volume.json").read_bytes())["pool"] for v in self.volumes}) != 1:
            raise CannotRun("the volumes are of several pools")
        self.find_hearings()
        archives = self.main_logs()
        if not any([self.archive(archives[name]) for name in sorted(archives)]):
            self.report.add("main-origin", log="main")
        for uuid, origin in self.origins.items():
            if uuid not in self.judged and not (origin.partition("/hearing/")[0] in self.strangers and origin.endswith(uuid)):
                self.report.add("hearing-origin", hearing=uuid)
        for volume in self.volumes:
            for path in sorted((volume / "sha256").glob("*/*/*")):
                if HEX.match(path.name) and path.name not in self.named:
                    check_object(self.report, path.name, [path], {})

    def find_hearings(self):
        for volume in self.volumes:
            for path in sorted((volume / "log/hearing").glob("*/*/*/*")):
                if day_of(path.name) != path.parent.relative_to(volume / "log/hearing").as_posix():
                    self.report.add("hearing-origin", file=str(path))
                    continue
                for note in LogCopies("hearing", self.hearing_folders(path.name), Report(), path.name).notes("")[:1]:
                    self.origins[path.name] = note.origin

    def hearing_folders(self, uuid):
        return [v / "log/hearing" / day_of(uuid) / uuid for v in self.volumes]

    def paths_of(self, digest, _segment):
        return [v / "sha256" / digest[:2] / digest[2:4] / digest for v in self.volumes]

    def main_logs(self):
        """archive -> [(epoch, path, notes)], in the order of the epochs."""
        out = {}
        for path in ["log/main"] + sorted({f"log/from/{p.name}" for v in self.volumes for p in (v / "log/from").glob("*")}):
            notes = LogCopies("main", [v / path for v in self.volumes], self.report).notes("main-checkpoint")
            if notes:
                archive, epoch = epoch_of(notes[0].origin)
                out.setdefault(archive, []).append((epoch, path, notes))
        return {archive: sorted(logs, key=lambda one: one[0]) for archive, logs in out.items()}

    def archive(self, logs):
        """False: no log of the policy begins it."""
        _, first_path, notes = logs[0]
        if notes[0].origin not in self.policy.logs:
            self.strangers.add(epoch_of(notes[0].origin)[0])
            return False
        for _, path, (newest, *_) in logs:
            if path not in ("log/main", "log/from/" + hashlib.sha256(newest.origin.encode()).hexdigest()):
                self.report.add("main-origin", log="main", file=path)
        head = choose_main(notes, self.policy, self.report)
        if head is None:
            return True
        chain = [self.load(first_path, head, notes)]
        for _, path, notes in logs[1:]:
            try:
                follow(chain, self.load(path, notes[0], notes))
            except Bad:
                self.report.add("promotion", log="main", file=path)
                break
        self.judge(chain, first_path != "log/main")
        return True

    def load(self, path, head, notes):
        log = LogCopies("main", [v / path for v in self.volumes], self.report)
        holds = log.load(head)

        def root_at(size):
            return log.tree.root(size) if holds and size <= head.size else None
        epoch = Epoch(head, entries_of(log), root_at, notes)
        epoch.holds, epoch.log = holds, log
        return epoch

    def judge(self, chain, is_copy):
        facts, sizes = Facts(chain[0].archive, self.policy, self.report), []
        for epoch in chain:
            if epoch.promotion:
                facts.begin_epoch(epoch.first, epoch.promotion)
            for index, data in epoch.entries.items():
                if index < epoch.counted and not (index == 0 and epoch.promotion):
                    facts.add(epoch.first + index, data)
            sizes.append(self.heads(epoch, epoch is chain[-1]))
        covered = covered_of(chain, sizes, self.policy)
        if 0 in covered:
            self.report.add("quorum", "INCOMPLETE", log="main")
        judge_grafts(chain, facts.grafts, self.report)
        check_known_epoch(self.known, chain, self.policy, self.report)
        trees = [epoch.log.tree for epoch in chain if epoch.holds]
        size = chain[-1].first + chain[-1].counted
        for uuid in sorted(set(facts.commits) | set(facts.came_back) | {u for u, o in self.origins.items() if o == f"{facts.origin}/hearing/{u}"}):
            judge = HearingJudge(uuid, self.hearing_folders(uuid), facts, self.paths_of, self.report, trees=trees, epochs=len(chain), size=size,
                                 covered=through(chain, covered), is_copy=is_copy)
            judge.run()
            self.named.update(judge.named)
            self.judged.add(uuid)
        for index, digest, hearing in facts.documents:
            self.named.add(digest)
            if not hearing:
                lost = digest in facts.lost.get("", ())
                self.report.gaps |= bool(check_object(self.report, digest, self.paths_of(digest, None), {"log": "main", "entry": index},
                                                      absent_ok=lost)) and lost

    def heads(self, epoch, is_newest):
        """How many of its entries each of the policy's cosigners has signed."""
        good, size = [], epoch.note.size
        if epoch.holds:
            for note in [n for n in epoch.log.cosigned("cosignature-bad") + epoch.notes if n.signed_by(*epoch.key(self.policy))] + [self.known] * bool(self.known):
                if note.origin != epoch.note.origin:
                    continue
                if note.size > size:
                    if note is not self.known or is_newest:  # else it lies behind what the next epoch goes on from
                        self.report.add("main-rolled-back", log="main")
                elif epoch.root_at(note.size) != note.root:
                    self.report.add("main-inconsistent", log="main")
                elif note is not self.known:
                    good.append(note)
        else:
            self.report.add("main-root", log="main", entry=0, entry_end=size)
        for note in epoch.notes if epoch.promotion else []:
            if not note.signed_by(*epoch.key(self.policy)):
                self.report.add("main-signature", log="main", file=note.file)
        return witness_sizes(good, self.policy, self.report)


def check_pool(volumes, policy, known, report):
    PoolJudge(volumes, policy, known, report).run()
