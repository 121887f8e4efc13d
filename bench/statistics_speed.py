"""Speed and memory of the statistics, side by side with resampling by index gather.

Run ``python bench/statistics_speed.py [--items 10000] [--models 10] [--resamples 10000]``. Both
sides compute the interval of the same quantity from the same answers in one process; ends are
compared in units of the Monte Carlo error of a percentile at that number of resamples.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np

from viva.analysis import (
    Confusion,
    Graded,
    SplitterErrors,
    accuracies,
    benchmark_gaps,
    cell_mean_draws,
    compare,
    compare_all,
    graded,
    patterns,
    reasoning_gaps,
    stream,
    sweep,
)
from viva.analysis._cells import Cells, find_cells, stratum_mean, within


def made_up(items: int, models: int, clusters: int, seed: int = 0) -> Graded:
    """Six benchmarks, strata from a continuous p, correlated models, some duplicated items."""
    rng = np.random.default_rng(seed)
    benchmark = rng.choice(6, items, p=[0.3, 0.25, 0.2, 0.15, 0.07, 0.03])
    p = np.clip(rng.beta(0.6, 0.6, items) + 0.05 * (benchmark - 3), 0, 1)
    stratum = (p >= 0.5).astype(int)
    words = np.exp(rng.normal(3.2 + 0.9 * stratum, 0.6)).astype(int) + 1
    options = np.array([4, 4, 4, 5, 10, 10])[benchmark]
    level = np.linspace(0.5, 0.85, models)[:, None]
    mean = np.clip(
        level - 0.08 * (benchmark > 3) - 0.03 * stratum + rng.normal(0, 0.12, items), 0.02, 0.98
    )
    cluster = np.arange(items)
    chosen = rng.permutation(items)[: 2 * clusters]
    cluster[chosen[clusters:]] = cluster[chosen[:clusters]]
    # A copy is answered as its original: the same luck, not the same expectation.
    values = (rng.random((models, items))[:, cluster] < mean).astype(float)
    return graded(
        [f"model-{i}" for i in range(models)],
        values,
        benchmark=benchmark,
        stratum=stratum,
        p=p,
        options=options,
        words=words,
        cluster=cluster,
    )


def timed(work: Callable[[], Any], repeat: int = 3) -> tuple[float, Any]:
    """Least CPU seconds of several calls (the machine may be shared), and the last result."""
    best, result = np.inf, None
    for _ in range(repeat):
        start = time.process_time()
        result = work()
        best = min(best, time.process_time() - start)
    return best, result


def gather_cells(difference: np.ndarray, cells: Cells, resamples: int, seed: int) -> np.ndarray:
    """Means of separate items by index gather inside cells. Shape (C, R)."""
    rng = np.random.default_rng(seed)
    out = np.empty((cells.count, resamples))
    for c in range(cells.count):
        values = difference[cells.code == c]
        step = max(1, 4_000_000 // len(values))
        for start in range(0, resamples, step):
            here = min(step, resamples - start)
            index = rng.integers(0, len(values), size=(here, len(values)), dtype=np.int32)
            out[c, start : start + here] = values[index].mean(axis=1)
    return out


def gather_clusters(
    difference: np.ndarray, table: Graded, cells: Cells, resamples: int, seed: int
) -> np.ndarray:
    """Cell means by index gather of whole clusters inside the cell of their first item."""
    rng = np.random.default_rng(seed)
    _, first, cluster = np.unique(table.cluster, return_index=True, return_inverse=True)
    key = cluster * cells.count + cells.code
    shape = (len(first), cells.count)
    size = np.bincount(key, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float32)
    total = np.bincount(key, weights=difference, minlength=shape[0] * shape[1])
    total = total.reshape(shape).astype(np.float32)
    home = cells.code[first]
    groups = [np.flatnonzero(home == c) for c in range(cells.count)]
    out = np.empty((cells.count, resamples))
    for r in range(resamples):
        picked = np.concatenate([g[rng.integers(0, len(g), len(g))] for g in groups])
        out[:, r] = total[picked].sum(axis=0) / size[picked].sum(axis=0)
    return out


def ends(draws: np.ndarray) -> tuple[np.ndarray, float]:
    """Percentile interval in points and the Monte Carlo error of one end."""
    low, high = np.quantile(100 * draws, [0.025, 0.975])
    # Error of a quantile: sqrt(q (1 - q) / R) / density, the density that of a normal.
    error = np.sqrt(0.025 * 0.975 / len(draws)) / 0.0584 * 100 * draws.std()
    return np.array([low, high]), float(error)


def side_by_side(table: Graded, resamples: int, clustered: bool) -> None:
    a, b = table.values[0], table.values[1]
    difference = a - b
    cluster = table.cluster if clustered else np.arange(len(a))
    keep = np.ones(len(a), bool)
    cells = find_cells(table.benchmark, table.stratum, keep=keep, unlabelled=True)

    def counts() -> np.ndarray:
        found = patterns(
            cells.code,
            difference,
            cluster,
            cells=cells.count,
            low=-1.0,
            high=1.0,
            prior=cells.prior,
        )
        return cell_mean_draws(found, resamples=resamples, generator=stream(0, "bench"))

    def gather() -> np.ndarray:
        if clustered:
            return gather_clusters(difference, table, cells, resamples, 1)
        return gather_cells(difference, cells, resamples, 1)

    fast, by_counts = timed(counts, 5)
    slow, by_gather = timed(gather, 1)
    kind = "clusters" if clustered else "separate items"
    print(f"\nOne pair, {len(a):,} items, {resamples:,} resamples, {kind}: cell means, all scopes")
    print(f"  index gather {slow:8.3f} s   counts {fast:8.4f} s   ratio {slow / fast:6.0f}x")
    for scope in ("all", "knowledge", "reasoning", "gap"):
        weights = (
            within(cells)
            if scope == "gap"
            else stratum_mean(cells, {"all": None, "knowledge": 0, "reasoning": 1}[scope])
        )
        one, error = ends(weights @ by_gather)
        two, _ = ends(weights @ by_counts)
        # Both sides are Monte Carlo: their difference has sqrt(2) times the error of one.
        far = np.abs(one - two).max() / (error * np.sqrt(2))
        print(
            f"  {scope:10} gather [{one[0]:+.3f}, {one[1]:+.3f}]   counts [{two[0]:+.3f}, "
            f"{two[1]:+.3f}]   largest difference {np.abs(one - two).max():.3f} points "
            f"= {far:.1f} Monte Carlo errors"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--models", type=int, default=10)
    parser.add_argument("--clusters", type=int, default=200)
    parser.add_argument("--resamples", type=int, default=10_000)
    args = parser.parse_args()
    table = made_up(args.items, args.models, args.clusters)
    errors = SplitterErrors(Confusion(180, 15, 190, 15))
    compare(table, *table.models[:2], resamples=100)  # loads scipy, outside the clock

    print(
        f"{args.items:,} items x {args.models} models, {args.clusters} duplicated items, "
        f"{args.resamples:,} resamples; CPU seconds, one core"
    )
    whole = 0.0
    work: dict[str, Callable[[], Any]] = {
        "accuracies": lambda: [
            accuracies(table, m, resamples=args.resamples) for m in table.models
        ],
        "all gaps of all models": lambda: [
            reasoning_gaps(table, m, errors=errors, resamples=args.resamples) for m in table.models
        ],
        "gaps inside each benchmark": lambda: [
            benchmark_gaps(table, m, resamples=args.resamples) for m in table.models
        ],
        "all pairs, all scopes": lambda: compare_all(table, resamples=args.resamples),
        "threshold sweep (2,000 resamples)": lambda: sweep(table),
    }
    for name, call in work.items():
        seconds, _ = timed(call, 2)
        whole += seconds
        print(f"  {name:36}{seconds:8.2f} s")
    print(f"  {'together':36}{whole:8.2f} s")
    side_by_side(table, args.resamples, clustered=False)
    side_by_side(table, args.resamples, clustered=True)
    pairs = len(list(combinations(table.models, 2)))
    print(
        f"\n{pairs} pairs; peak memory "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB"
    )


if __name__ == "__main__":
    main()
