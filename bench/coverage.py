"""Coverage of every interval in data whose truth is known.

Run ``python bench/coverage.py [--runs 2000] [--resamples 2000] [SETTING ...]``. Each run draws new
answers (and, where they are random, new strata and labels), computes the intervals through the
public functions, and counts how often they hold the value the estimator aims at. Estimators that
are linear in the answers aim at their value on the expected answers, which is how the truth is
computed here. The column ``percentile`` is the plain percentile bootstrap on the same answers.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from viva.analysis import (
    GAP_NAMES,
    Confusion,
    Graded,
    SplitterErrors,
    compare,
    graded,
    reasoning_gaps,
    share,
)

LINEAR = tuple(name for name in GAP_NAMES if name != "noise_corrected")


@dataclass
class Tally:
    """Runs, hits, misses on either side, and widths of one estimator."""

    runs: int = 0
    hits: int = 0
    below: int = 0
    width: float = 0.0
    smallest: int = 10**9

    def add(self, truth: float, low: float, high: float, smallest: int | None) -> None:
        self.runs += 1
        self.hits += low - 1e-9 <= truth <= high + 1e-9
        self.below += truth < low - 1e-9
        self.width += high - low
        self.smallest = min(self.smallest, smallest if smallest is not None else 10**9)

    @property
    def coverage(self) -> float:
        return self.hits / self.runs


@dataclass
class Design:
    """Items with fixed strata and the probability that the model is right on each."""

    benchmark: np.ndarray
    stratum: np.ndarray
    mean: np.ndarray
    p: np.ndarray | None = None
    options: np.ndarray | None = None
    words: np.ndarray | None = None
    cluster: np.ndarray | None = None
    wanted: tuple[str, ...] = ("pooled", "within", "within_size_weighted")
    answers: Callable[[np.random.Generator, Design], np.ndarray] = field(
        default=lambda rng, d: (rng.random(len(d.mean)) < d.mean).astype(float)
    )

    def table(self, values: np.ndarray, models: tuple[str, ...] = ("m",)) -> Graded:
        return graded(
            models,
            values,
            benchmark=self.benchmark,
            stratum=self.stratum,
            p=self.p,
            options=self.options,
            words=self.words,
            cluster=self.cluster,
        )


def cells(rows: list[tuple[int, int, float, float]], **more: object) -> Design:
    """A design of benchmarks, each ``(n reasoning, n knowledge, p reasoning, p knowledge)``."""
    benchmark, stratum, mean = [], [], []
    for b, (n_r, n_k, p_r, p_k) in enumerate(rows):
        benchmark += [b] * (n_r + n_k)
        stratum += [1] * n_r + [0] * n_k
        mean += [p_r] * n_r + [p_k] * n_k
    return Design(np.array(benchmark), np.array(stratum), np.array(mean), **more)  # type: ignore[arg-type]


def duplicated(rng: np.random.Generator) -> Design:
    """A fifth of the items asked twice, within and across benchmarks."""
    design = cells([(200, 120, 0.6, 0.7), (90, 160, 0.5, 0.65), (60, 40, 0.7, 0.75)])
    n = len(design.mean)
    cluster = np.arange(n)
    chosen = rng.permutation(n)
    k = n // 5
    for copy, original in zip(chosen[:k], chosen[k : 2 * k], strict=True):
        cluster[copy] = cluster[original]
        design.mean[copy] = design.mean[original]
    design.cluster = cluster

    def answers(rng: np.random.Generator, d: Design) -> np.ndarray:
        return (rng.random(n)[cluster] < d.mean).astype(float)

    design.answers = answers
    return design


def grouped(rng: np.random.Generator) -> Design:
    """Groups of five variants spread over strata and benchmarks, answers correlated inside."""
    groups = 160
    n = groups * 5
    benchmark = np.repeat(rng.integers(0, 3, groups), 5)
    benchmark = np.where(rng.random(n) < 0.3, rng.integers(0, 3, n), benchmark)
    stratum = (rng.random(n) < np.array([0.6, 0.4, 0.2])[benchmark]).astype(int)
    mean = 0.75 - 0.1 * stratum - 0.05 * benchmark
    cluster = np.repeat(np.arange(groups), 5)

    def answers(rng: np.random.Generator, d: Design) -> np.ndarray:
        own = rng.random(n)
        common = rng.random(groups)[cluster]
        return (np.where(rng.random(n) < 0.6, common, own) < d.mean).astype(float)

    return Design(benchmark, stratum, mean, cluster=cluster, answers=answers)


def optioned() -> Design:
    design = cells([(150, 60, 0.45, 0.5), (80, 120, 0.7, 0.72), (40, 30, 0.3, 0.35)])
    design.options = np.array([10, 4, 5])[design.benchmark]
    design.options[::7] = 4
    design.wanted = ("chance_corrected", "chance_corrected_pooled")
    return design


def lengthy(rng: np.random.Generator, n: int) -> Design:
    """Accuracy falls with length; strata differ in length, so most bins are small."""
    benchmark = np.repeat([0, 1, 2], [n, n // 2, n // 4])
    total = len(benchmark)
    stratum = (rng.random(total) < 0.4).astype(int)
    words = np.exp(rng.normal(3.0 + 0.8 * stratum, 0.6)).astype(int) + 1
    mean = np.clip(0.95 - 0.08 * np.log(words) - 0.03 * stratum, 0.05, 0.95)
    return Design(benchmark, stratum, mean, words=words, wanted=("length_matched",))


def softly(rng: np.random.Generator, n: int) -> Design:
    benchmark = np.repeat([0, 1, 2], [n, n // 2, n // 4])
    p = rng.beta(0.6, 0.8, len(benchmark))
    mean = 0.8 - 0.15 * p - 0.1 * benchmark
    return Design(benchmark, (p >= 0.5).astype(int), mean, p=p, wanted=("soft",))


COMPOSITION = [(400, 40, 0.55, 0.55), (60, 500, 0.85, 0.85), (120, 100, 0.62, 0.62)]


def gap_settings() -> dict[str, Design]:
    rng = np.random.default_rng(7)
    mixed = [(500, 300), (300, 20), (200, 200), (100, 50), (60, 100), (20, 20)]
    return {
        "balanced": cells([(200, 200, 0.6 + 0.04 * b, 0.66 + 0.04 * b) for b in range(5)]),
        "composition only": cells(COMPOSITION),
        "unequal": cells([(r, k, 0.65, 0.75) for r, k in mixed]),
        "high accuracy": cells([(r, k, 0.95, 0.95) for r, k in mixed]),
        "low accuracy": cells([(r, k, 0.1, 0.12) for r, k in mixed]),
        "one benchmark 20": cells([(180, 20, 0.7, 0.8)]),
        # One expected error on the small side: the limit of what 20 items can say.
        "one benchmark 20, high": cells([(180, 20, 0.95, 0.95)]),
        "one benchmark 50, high": cells([(150, 50, 0.93, 0.95)]),
        "twenty of 20": cells([(20, 20, 0.8, 0.85)] * 20),
        "twenty of 60/20, high": cells([(60, 20, 0.93, 0.95)] * 20),
        "duplicates": duplicated(rng),
        "groups of five": grouped(rng),
        "options 4, 5, 10": optioned(),
        "length, 1050 items": lengthy(rng, 600),
        "length, 260 items": lengthy(rng, 150),
        "soft, 1050 items": softly(rng, 600),
        "soft, 175 items": softly(rng, 100),
    }


def plain_percentile(
    design: Design, y: np.ndarray, rng: np.random.Generator, resamples: int
) -> tuple[float, float]:
    """The within gap by the plain bootstrap inside cells of separate binary items."""
    width = int(design.benchmark.max()) + 1
    code = design.stratum * width + design.benchmark
    n = np.bincount(code, minlength=2 * width)
    right = np.bincount(code, weights=y, minlength=2 * width)
    n_k, n_r = n[:width], n[width:]
    weight = n_r * n_k / (n_r + n_k)
    drawn = rng.binomial(n, right / n, size=(resamples, 2 * width)) / n
    gap = (drawn[:, width:] - drawn[:, :width]) @ (weight / weight.sum())
    low, high = np.quantile(100 * gap, [0.025, 0.975])
    return float(low), float(high)


def run_gaps(design: Design, runs: int, resamples: int) -> dict[str, Tally]:
    rng = np.random.default_rng(11)
    truth = reasoning_gaps(design.table(design.mean[None]), "m", resamples=1)
    out = {name: Tally() for name in design.wanted}
    separate = design.cluster is None and "within" in design.wanted
    if separate:
        out["(percentile)"] = Tally()
    for run in range(runs):
        y = design.answers(rng, design)
        found = reasoning_gaps(design.table(y[None]), "m", resamples=resamples, seed=run)
        for name in design.wanted:
            gap = found[name]
            assert gap.low is not None and gap.high is not None, gap.reason
            out[name].add(truth[name].estimate or 0.0, gap.low, gap.high, gap.smallest_cell)
        if separate:
            ends = plain_percentile(design, y, rng, resamples)
            out["(percentile)"].add(
                truth["within"].estimate or 0.0, *ends, found["within"].smallest_cell
            )
    return out


def run_noise(labels: int, runs: int, resamples: int) -> dict[str, Tally]:
    """Strata predicted with errors; the aim is the gap between the true strata."""
    rng = np.random.default_rng(13)
    se, sp, gap = 0.88, 0.9, -0.12
    sizes, shares = np.array([700, 400, 250]), np.array([0.55, 0.35, 0.45])
    tally, missing = Tally(), 0
    for run in range(runs):
        benchmark = np.repeat(np.arange(3), sizes)
        true = rng.random(len(benchmark)) < shares[benchmark]
        called = np.where(true, rng.random(len(true)) < se, rng.random(len(true)) >= sp)
        y = (rng.random(len(true)) < 0.75 - 0.05 * benchmark + gap * true).astype(float)
        n_r = int(rng.binomial(labels, 0.45))
        right = rng.binomial(n_r, se), rng.binomial(labels - n_r, sp)
        errors = SplitterErrors(
            Confusion(
                int(right[0]), n_r - int(right[0]), int(right[1]), labels - n_r - int(right[1])
            )
        )
        table = graded(["m"], y[None], benchmark=benchmark, stratum=called.astype(int))
        found = reasoning_gaps(table, "m", errors=errors, resamples=resamples, seed=run)
        result = found["noise_corrected"]
        if result.low is None or result.high is None:
            missing += 1
            continue
        tally.add(100 * gap, result.low, result.high, result.smallest_cell)
    if missing:
        print(f"    ({missing} of {runs} runs not identified, left out)")
    return {"noise_corrected": tally}


def run_pairs(
    rows: list[tuple[int, int]],
    runs: int,
    resamples: int,
    *,
    low: float,
    high: float,
    better: float,
    correlation: float = 0.6,
    doubled: bool = False,
) -> dict[str, Tally]:
    """Two models with correlated answers; in half of the settings every item occurs twice."""
    rng = np.random.default_rng(17)
    base = cells([(r, k, low, high) for r, k in rows])
    first, second = np.clip(base.mean + better, 0, 1), base.mean
    if doubled:
        base.benchmark = np.tile(base.benchmark, 2)
        base.stratum = np.tile(base.stratum, 2)
        base.cluster = np.tile(np.arange(len(first)), 2)
    means = np.array([first, second])
    expected = np.tile(means, 2) if doubled else means
    truth = {
        c.scope: c.difference
        for c in compare(base.table(expected, ("a", "b")), "a", "b", resamples=1)
    }
    out = {scope: Tally() for scope in truth}
    for run in range(runs):
        common = rng.random(len(first))
        own = rng.random((2, len(first)))
        shared = rng.random(len(first)) < correlation
        y = (np.where(shared, common, own) < means).astype(float)
        y = np.tile(y, 2) if doubled else y
        for c in compare(base.table(y, ("a", "b")), "a", "b", resamples=resamples, seed=run):
            if c.low is not None and c.high is not None:
                out[c.scope].add(truth[c.scope] or 0.0, c.low, c.high, c.smallest_cell)
    return out


def run_shares(n: int, p: float, copies: int, runs: int, resamples: int) -> dict[str, Tally]:
    rng = np.random.default_rng(19)
    tally = Tally()
    for _ in range(runs):
        y = np.repeat((rng.random(n) < p).astype(float), copies)
        cluster = np.repeat(np.arange(n), copies)
        found = share(y, cluster, generator=rng, resamples=resamples)
        assert found.low is not None and found.high is not None
        tally.add(p, found.low, found.high, n * copies)
    return {"share": tally}


def settings(runs: int, resamples: int) -> Iterator[tuple[str, Callable[[], dict[str, Tally]]]]:
    for name, design in gap_settings().items():
        yield name, lambda design=design: run_gaps(design, runs, resamples)
    for labels in (50, 150, 500):
        yield f"noise, {labels} labels", lambda labels=labels: run_noise(labels, runs, resamples)
    big = [(200, 150), (100, 60), (20, 40)]
    yield "pair", lambda: run_pairs(big, runs, resamples, low=0.6, high=0.7, better=0.05)
    yield "pair, equal", lambda: run_pairs(big, runs, resamples, low=0.6, high=0.7, better=0)
    yield "pair, high", lambda: run_pairs(big, runs, resamples, low=0.93, high=0.95, better=0.02)
    yield (
        "pair, one benchmark",
        lambda: run_pairs([(60, 40)], runs, resamples, low=0.6, high=0.7, better=0.05),
    )
    yield (
        "pair, every item twice",
        lambda: run_pairs(big, runs, resamples, low=0.6, high=0.7, better=0.05, doubled=True),
    )
    for n, p, copies in ((100, 0.7, 1), (60, 0.9, 1), (100, 0.7, 3), (60, 0.9, 2)):
        kind = "Wilson" if copies == 1 else f"each {copies} times"
        yield (
            f"share {p}, {n} items, {kind}",
            lambda n=n, p=p, copies=copies: run_shares(n, p, copies, runs, resamples),
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--resamples", type=int, default=2000)
    parser.add_argument("only", nargs="*", help="settings whose name starts so")
    args = parser.parse_args()
    start = time.perf_counter()
    print(
        f"{'setting':36}{'estimator':26}{'coverage':>9}{'misses <':>9}{'width':>8}"
        f"{'smallest cell':>15}{'runs':>7}"
    )
    for name, run in settings(args.runs, args.resamples):
        if args.only and not any(name.startswith(word) for word in args.only):
            continue
        for estimator, tally in run().items():
            if not tally.runs:
                continue
            scale = 100 if estimator == "share" else 1
            flag = "" if 0.93 <= tally.coverage <= 0.97 or estimator[0] == "(" else "  <<<"
            print(
                f"{name:36}{estimator:26}{100 * tally.coverage:8.1f}%"
                f"{100 * tally.below / tally.runs:8.1f}%{scale * tally.width / tally.runs:8.2f}"
                f"{tally.smallest:15,}{tally.runs:7,}{flag}",
                flush=True,
            )
    print(
        f"\n{args.runs:,} runs, {args.resamples:,} resamples, {time.perf_counter() - start:.0f} s"
    )


if __name__ == "__main__":
    main()
