"""Items per second of every probe, over the bundled items, on one core.

``python bench/probe_generators.py [--at-least 10000] [PROBE ...]`` prints, for each probe, items
per second of CPU time (the best of a few passes), and how many items it applies to. It exits with
1 if a probe is slower than ``--at-least``. Items the probe refuses count: saying no takes time too.
For imported traces, every item is given one of about 190 characters: published ones have 104 to 260
on average, by benchmark.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from collections import Counter

from viva.benchmarks import bundled
from viva.formats.run import items_of
from viva.probes import PROBES, Refused, find_probes, iter_variants
from viva.records import LETTERS, Item

PASSES = 2

TRACE = (
    "The question turns on one detail of the history, and once that is seen the rest follows. "
    "Most of the others fail at the first step. "
)


def with_traces(item: Item) -> Item:
    """The item with traces as long as published ones, which name its last wrong option."""
    wrong = len(item.options) - 1 - (getattr(item.target, "index", 0) == len(item.options) - 1)
    text = f"{TRACE}So the answer is {LETTERS[wrong]}. {item.options[wrong]}"
    meta = {f"adversarial_trace_{i}": text for i in range(3)}
    return dataclasses.replace(item, meta={**item.meta, **meta})


def main() -> int:
    """Time the probes, print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--at-least", type=float, default=0, help="items per second")
    parser.add_argument("probes", nargs="*", metavar="PROBE")
    arguments = parser.parse_args()
    names = [n for given in arguments.probes for n in find_probes(given)] or list(PROBES)
    plain = list(items_of(bundled().items))
    traced = [with_traces(item) for item in plain]
    slow = []
    print(f"{len(plain):,} items, items per second of CPU time, best of {PASSES}")
    for name in names:
        items = traced if name.startswith("adversarial_trace") else plain
        best = 0.0
        for _ in range(PASSES):
            start = time.process_time()
            made = list(iter_variants(items, name, seed=1))
            best = max(best, len(items) / (time.process_time() - start))
        refused = Counter(str(m.reason) for m in made if isinstance(m, Refused))
        said = "; ".join(f"{count:,} {reason}" for reason, count in refused.most_common(3))
        print(f"{name:40} {best:10,.0f}  {len(made) - refused.total():7,} variants  {said}")
        if best < arguments.at_least:
            slow.append(name)
    print(f"{len(slow)} of {len(names)} below {arguments.at_least:,.0f} items/s: {', '.join(slow)}")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
