"""Accuracy of the reader on MIRAGE's GPT-3.5 completions, beside MIRAGE's own rule.

``PYTHONPATH=src python bench/reader_mirage.py --data ../shared/data [--show parsed|unparsed|...]``
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from pathlib import Path

from reader_data import Case, mirage_cases
from viva.answers import Reading, peers, read


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument(
        "--show",
        choices=("unread", "differ"),
        help="print the cases that were not read, or read otherwise",
    )
    arguments = parser.parse_args()
    cells: dict[tuple[str, str], list[tuple[Case, Reading]]] = defaultdict(list)
    for case in mirage_cases(arguments.data):
        cells[case.set, case.mode].append((case, read(case.text, options=case.options)))
    print(
        f"{'set':9} {'mode':7} {'n':>5} {'parsed':>6} {'unp.':>5} {'amb.':>5}"
        f" {'viva':>7} {'rule':>7} {'guess A':>7}  within"
    )
    reasons: Counter[str] = Counter()
    differ = 0
    for (name, mode), rows in sorted(cells.items()):
        n = len(rows)
        status = Counter(str(reading.status) for _, reading in rows)
        right = sum(reading.value == case.key for case, reading in rows) / n
        rule = sum(peers.mirage(case.text, case.options) == case.key for case, _ in rows) / n
        guess = (
            sum(peers.mirage_guess_a(case.text, case.options) == case.key for case, _ in rows) / n
        )
        inside = rule - 0.01 <= right <= guess + 0.008
        print(
            f"{name:9} {mode:7} {n:5d} {status['parsed']:6d} {status['unparsed']:5d}"
            f" {status['ambiguous']:5d} {100 * right:7.2f} {100 * rule:7.2f} {100 * guess:7.2f}"
            f"  {'yes' if inside else 'NO'}"
        )
        for case, reading in rows:
            theirs = peers.mirage(case.text, case.options)
            if reading.reason:
                reasons[f"{reading.status}: {reading.reason}"] += 1
                if arguments.show == "unread":
                    print("   ", reading.reason, "|", repr(case.text[-300:]), case.options)
            elif theirs is not None and theirs != reading.value:
                differ += 1
                if arguments.show == "differ":
                    print("   ", reading.value, theirs, "|", repr(case.text[-300:]), case.options)
    print("\nnot parsed, by reason")
    for reason, count in reasons.most_common():
        print(f"  {count:5d}  {reason}")
    print(f"\nparsed otherwise than MIRAGE's rule without guess: {differ}")


if __name__ == "__main__":
    main()
