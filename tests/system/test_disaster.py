#!/usr/bin/python3
"""The scripted disaster, in its short form: packaging/quickstart --disaster --hurry into an empty folder, and what its summary must say."""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

from test_quickstart import ROOT, left_running


def disaster(folder):
    done = subprocess.run([ROOT / "packaging" / "quickstart", "--disaster", "--hurry", "--check", "--dir", folder], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=900, check=False)
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0:
        print("\n".join(lines[-60:]))
        for log in (folder / "run").glob("*.log"):
            print(f"-- {log.name}", *log.read_text().splitlines()[-15:], sep="\n")
        raise SystemExit(f"quickstart --disaster ended with {done.returncode}")
    return json.loads(lines[-1])


def check(summary, folder):
    assert summary["ok"] and summary["hearings"] == 3, summary
    assert not (folder / "primary").exists() and not (folder / "replicate").exists()
    # What the lost site had confirmed is there, and some of it nobody but the stations had.
    assert summary["segments_found"] == summary["segments_confirmed"] > 8, summary
    assert summary["seconds_from_spools"] >= summary["seconds_confirmed_by_the_lost_site_alone"] > 5, summary
    assert summary["rpo_s"] == 0 < summary["rpo_without_spools_s"], summary
    assert summary["verified"] in ("VERIFIED", "VERIFIED_WITH_DECLARED_GAPS"), summary  # on a machine that is too busy to record
    assert 0 < summary["promotion_s"] < 30 and summary["promotion_s"] < summary["rto_s"] < 120, summary
    assert summary["gaps_s"] < 5 and summary["played"] > 3, summary  # none is of the disaster's making
    assert not left_running(folder), left_running(folder)


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="greffe."))
    try:
        summary = disaster(folder)
        check(summary, folder)
        print(f"  ok   quickstart --disaster --hurry: {summary['seconds']} s\n  {json.dumps(summary)}")
    finally:
        subprocess.run([ROOT / "packaging" / "quickstart", "--dir", folder, "--stop"], check=False)
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
