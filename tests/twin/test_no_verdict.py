#!/usr/bin/python3
"""What keeps a verifier from a verdict: a request that makes no sense, a disk that cannot be read."""
import json
import sys

from threat_case import TWIN, VERIFY, run_cases, run_verifier, segment_of


def cannot_run(case):
    case.usual()
    folder = case.export()
    policy = case.folder / "policy.txt"
    policy.write_text(case.archive.policy())
    (case.folder / "empty").mkdir()
    bad = case.folder / "bad"
    bad.write_text("quorum none\n")
    case.pool()
    for policy_file, paths in ((policy, [case.folder / "nowhere"]), (policy, [case.folder / "empty"]), (bad, [folder]),
                               (case.folder / "none", [folder]), (policy, [folder, case.volumes[0]])):
        for program in ([VERIFY], [sys.executable, TWIN]):
            status, _, err = run_verifier(program, policy_file, paths, None)
            assert status == 2 and err.strip(), f"{program[-1].name} {paths}: {status} {err}"


def failing_disk(case):
    """A disk that answers EIO for one object: no verdict about the recording, and no word of tampering."""
    case.usual()
    folder = case.export()
    policy = case.folder / "policy.txt"
    policy.write_text(case.archive.policy())
    index, e = segment_of(case.first, "cam-bench", 1)
    sick = folder / f"objects/{e['sha256']}.mp4"
    injected = ["strace", "-f", "-qq", "-o", "/dev/null", "-P", str(sick), "-e", "inject=read,pread64:error=EIO", str(VERIFY)]
    for program in (injected, [*injected, "--threads", "1"]):
        status, answer, err = run_verifier(program, policy, [folder], None)
        assert status == 1 and answer["verdict"] == "UNREADABLE", f"exit status {status}, {answer['verdict']}: {err}"
        found = [f for f in answer["findings"] if f.get("object") == e["sha256"]]
        assert len(found) == 1 and found[0]["entry"] == index and found[0]["stream"] == "cam-bench", answer["findings"]
        assert "nput/output" in json.dumps(found), found


if __name__ == "__main__":
    sys.exit(run_cases([cannot_run, failing_disk]))
