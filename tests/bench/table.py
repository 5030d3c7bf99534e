#!/usr/bin/python3
"""Prints the rows that the benchmarks wrote (lines of standard input that begin with ROW) as one table."""
import json
import sys

COLUMNS = ("row", "peer", "to_reach", "measured", "reached")


def main():
    rows = [json.loads(line[4:]) for line in sys.stdin if line.startswith("ROW ")]
    if not rows:
        return
    lines = [("what", "beside", "to reach", "measured", "reached")]
    lines += [(*(row[c] for c in COLUMNS[:4]), "yes" if row["reached"] else "NO") for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    for line in lines:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip())


if __name__ == "__main__":
    main()
