"""Seconds that ``import viva`` takes in a fresh interpreter, and beside it what it avoids.

``python bench/import_time.py`` prints the median of several runs of each statement, taken in turn,
less the start of the interpreter itself.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

STATEMENTS = ("pass", "import viva", "import viva.answers", "import polars", "import sklearn")
RUNS = 15


def seconds(statement: str) -> float:
    """Wall time of one fresh interpreter."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - started


def main() -> None:
    """Measure the statements in turn, so that a busy machine slows all of them."""
    times: dict[str, list[float]] = {statement: [] for statement in STATEMENTS}
    for run in range(RUNS + 1):
        for statement in STATEMENTS:
            taken = seconds(statement)
            if run:  # the first run warms the disk cache
                times[statement].append(taken)
    start = statistics.median(times["pass"])
    print(f"{'statement':22} {'seconds':>8}   (interpreter alone {start:.3f})")
    for statement in STATEMENTS[1:]:
        print(f"{statement:22} {statistics.median(times[statement]) - start:8.3f}")


if __name__ == "__main__":
    main()
