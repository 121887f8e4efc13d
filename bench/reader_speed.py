"""Completions per second of the reader and of the peers' rules, side by side in one run.

``PYTHONPATH=src python bench/reader_speed.py --data ../shared/data``
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable
from pathlib import Path

from reader_data import Case, mirage_cases
from viva.answers import peers, read


def seconds(function: Callable[[Case], object], cases: list[Case], repeats: int) -> float:
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        for case in cases:
            function(case)
        best = min(best, time.process_time() - start)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--n", type=int, default=6000)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    cases = list(itertools.islice(mirage_cases(arguments.data), 0, None, 2))[: arguments.n]
    thoughts = [case.text.split('", "answer_choice')[0].split('": "', 1)[-1] for case in cases]
    said = [
        c._replace(text=f"{t}\n\nThe answer is {c.key}.")
        for c, t in zip(cases, thoughts, strict=True)
    ]
    early = [c._replace(text=f"**{c.key}**\n\n{t}") for c, t in zip(cases, thoughts, strict=True)]
    prose = [c._replace(text=t) for c, t in zip(cases, thoughts, strict=True)]
    for name, rows in (
        ("as written (JSON)", cases),
        ("reasoning, then 'The answer is X.'", said),
        ("a verdict, then reasoning", early),
        ("reasoning without a final answer", prose),
    ):
        kilobytes = sum(len(case.text) for case in rows) / len(rows) / 1000
        print(
            f"{name}: {len(rows)} completions, mean {kilobytes:.2f} kB, one core, best of"
            f" {arguments.repeats}"
        )
        own = seconds(lambda case: read(case.text, options=case.options), rows, arguments.repeats)
        print(f"  {'viva':14} {len(rows) / own:10,.0f} per second")
        for peer, rule in peers.PEERS.items():
            part = rows[:200] if peer == "most_similar" else rows
            took = seconds(lambda case, rule=rule: rule(case.text, case.options), part, 1)
            took *= len(rows) / len(part)
            print(
                f"  {peer:14} {len(rows) / took:10,.0f} per second, {took / own:6.2f} of the time"
            )


if __name__ == "__main__":
    main()
