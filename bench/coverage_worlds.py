"""Coverage of every gap estimator for simulated readers of worlds, each against its own estimand.

Run ``python bench/coverage_worlds.py [--runs 2000] [--resamples 1000] [--fast] [SETTING ...]``.

Three worlds are three benchmarks. All items of a world are the population; a run draws items anew
(twins together, as one cluster), the reader answers them anew, and the public functions make the
intervals. What a reader knows stays the same in all runs: the intervals speak for this reader on
items like these. The truth is computed from the chances of the readers on the whole population, by
the definition of each estimator, in ``estimands``: no code of ``viva.analysis`` is in it.

Rows in brackets are not held to the aim of 93 to 97 %: they show what an interval is *not* for.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from viva.analysis import (
    Confusion,
    Gap,
    Graded,
    SplitterErrors,
    graded,
    headline_gaps,
    reasoning_gaps,
    wilson,
)
from viva.analysis._slopes import soft as soft_gap
from viva.records import Choice, Item
from viva.worlds import chances, make_graph, make_world, reasoned, recited, remembered

LINEAR = (
    "pooled",
    "within",
    "within_size_weighted",
    "length_matched",
    "chance_corrected",
    "chance_corrected_pooled",
)


@dataclass(frozen=True)
class Benchmark:
    """A world as a benchmark: how it is made, and how many items a run draws."""

    seed: int
    organs: int
    reasoning: int
    recall: int
    options: Mapping[str, tuple[int, ...]]
    """Numbers of options of each kind of item, dealt evenly."""
    tilt: float = 0.0
    """By how much longer reasoning items, and shorter recall items, are drawn more often: the
    logarithm of the odds for ten words."""


@dataclass(frozen=True)
class Reader:
    """What is known of each of the three worlds, and whether it can be joined."""

    name: str
    joins: bool
    memories: tuple[float, float, float]


READERS = (
    Reader("reciter, all facts", False, (1.0, 1.0, 1.0)),
    Reader("reciter, 90/70/50 %", False, (0.9, 0.7, 0.5)),
    Reader("reasoner, 95/90/85 %", True, (0.95, 0.9, 0.85)),
    Reader("reasoner, 80/65/50 %", True, (0.8, 0.65, 0.5)),
)

FIVE = {"reasoning": (5,), "recall": (5,)}
BENCHMARKS = (
    Benchmark(11, 12, 240, 120, FIVE),
    Benchmark(12, 6, 80, 200, {"reasoning": (5, 4), "recall": (5, 3)}, tilt=0.6),
    Benchmark(13, 20, 60, 60, {"reasoning": (3, 4), "recall": (4, 5)}, tilt=-0.3),
)


@dataclass(frozen=True, eq=False)
class Population:
    """All items of the benchmarks. Arrays of shape (N,), or (readers, N) for ``chance``."""

    benchmark: np.ndarray
    stratum: np.ndarray
    words: np.ndarray
    options: np.ndarray
    cluster: np.ndarray
    chance: np.ndarray
    items: tuple[Item, ...]

    def clusters(self, benchmark: int, stratum: int, size: int) -> np.ndarray:
        """Clusters of one size in one cell, as rows of item numbers. Shape (C, size)."""
        here = np.flatnonzero((self.benchmark == benchmark) & (self.stratum == stratum))
        owner, place = np.unique(self.cluster[here], return_inverse=True)
        order = here[np.argsort(place, kind="stable")]
        count = np.bincount(place, minlength=len(owner))
        return order[np.repeat(count, count) == size].reshape(-1, size)


def trimmed(item: Item, k: int, rng: np.random.Generator) -> Item:
    """The item with k of its options, the key among them."""
    assert isinstance(item.target, Choice)
    others = [i for i in range(len(item.options)) if i != item.target.index]
    kept = sorted([item.target.index, *rng.permutation(others)[: k - 1].tolist()])
    return replace(
        item,
        options=tuple(item.options[i] for i in kept),
        target=Choice(kept.index(item.target.index)),
    )


def known_chances(reader: Reader, number: int, made: Benchmark, items: Sequence[Item],
                  facts: Sequence[object], seed: int = 0) -> list[float]:  # fmt: skip
    """The chance that each item is answered right by a reader of world ``number``."""
    known = remembered(facts, reader.memories[number], seed=1000 * made.seed + seed)  # type: ignore[arg-type]
    return chances(items, (reasoned if reader.joins else recited)(items, known))


@cache
def population(size: int, benchmarks: tuple[int, ...] = (0, 1, 2)) -> Population:
    """Make the worlds, ``size`` items each, and ask what every reader knows."""
    every: list[Item] = []
    columns: list[list[float]] = []
    for number in benchmarks:
        made = BENCHMARKS[number]
        world = make_world(made.seed, size, organs=made.organs)
        rng = np.random.default_rng(made.seed)
        items = []
        for i, item in enumerate(world.items):
            choice = made.options[item.meta["kind"]]
            items.append(trimmed(item, choice[(i // 2) % len(choice)], rng))
        columns.append(
            [known_chances(r, number, made, items, list(world.graph.facts)) for r in READERS]  # type: ignore[misc]
        )
        every += items
    own = np.arange(len(every))
    first: dict[str, int] = {}
    for i, item in enumerate(every):
        if item.group is not None:
            own[i] = first.setdefault(item.group.id, i)
    return Population(
        benchmark=np.repeat(benchmarks, size),
        stratum=np.array([item.stratum == "reasoning" for item in every]).astype(int),
        words=np.array([len(item.question.split()) for item in every]),
        options=np.array([len(item.options) for item in every]),
        cluster=own,
        chance=np.concatenate([np.array(column) for column in columns], axis=1),
        items=tuple(every),
    )


def mean(x: np.ndarray, weight: np.ndarray) -> float:
    return float(x @ weight / weight.sum())


def weighted(parts: list[tuple[float, float]]) -> float:
    """Weighted mean of ``(weight, value)``."""
    return sum(w * v for w, v in parts) / sum(w for w, _ in parts)


def estimands(
    benchmark: np.ndarray,
    stratum: np.ndarray,
    words: np.ndarray,
    options: np.ndarray,
    chance: np.ndarray,
    weight: np.ndarray,
    *,
    called: np.ndarray | None = None,
    p: np.ndarray | None = None,
) -> dict[str, float]:
    """What each estimator aims at, in points: its definition, on expected answers and counts.

    Parameters
    ----------
    benchmark, stratum, words, options : ndarray of int, shape (N,)
        ``stratum``: the true one, 1 reasoning.
    chance : ndarray of float, shape (N,)
        Probability of a right answer.
    weight : ndarray of float, shape (N,)
        How often the item is expected in a run.
    called : ndarray of int, shape (N,), optional
        The stratum the splitter gives; the true one without.
    p : ndarray of float, shape (N,), optional
        ``p_reasoning``.
    """
    drawn = weight > 0
    benchmark, stratum, words, options = (x[drawn] for x in (benchmark, stratum, words, options))
    chance, weight = chance[drawn], weight[drawn]
    split = stratum if called is None else called[drawn]
    score = (chance - 1 / options) / (1 - 1 / options)
    bins = np.floor(np.log(words) / np.log(1.15) + 1e-9).astype(int)

    def gap(y: np.ndarray, here: np.ndarray, by: np.ndarray) -> float:
        r, k = here & (by == 1), here & (by == 0)
        return mean(y[r], weight[r]) - mean(y[k], weight[k])

    def sides(here: np.ndarray) -> tuple[float, float]:
        return float(weight[here & (split == 1)].sum()), float(weight[here & (split == 0)].sum())

    everywhere = np.ones(len(weight), bool)
    inside = [benchmark == b for b in np.unique(benchmark)]
    cells = [here & (bins == c) for here in inside for c in np.unique(bins[here])]
    cells = [here for here in cells if min(sides(here)) > 0]

    def within(y: np.ndarray, groups: list[np.ndarray], by: np.ndarray = split) -> float:
        parts = [(sides(here), gap(y, here, by)) for here in groups]
        return weighted([(r * k / (r + k), value) for (r, k), value in parts])

    found = {
        "pooled": gap(chance, everywhere, split),
        "within": within(chance, inside),
        "within_size_weighted": weighted(
            [(weight[here].sum(), gap(chance, here, split)) for here in inside]
        ),
        "length_matched": within(chance, cells),
        "chance_corrected": within(score, inside),
        "chance_corrected_pooled": gap(score, everywhere, split),
        "noise_corrected": within(chance, inside, stratum),
    }
    if p is not None:
        parts = []
        for here in inside:
            w, x = weight[here], p[drawn][here] - mean(p[drawn][here], weight[here])
            spread = float(x**2 @ w)
            parts.append((spread, float((x * chance[here]) @ w) / spread))
        found["soft"] = weighted(parts)
    return {name: 100 * value for name, value in found.items()}


@dataclass
class Tally:
    """Runs, hits, misses on either side, and widths of one estimator."""

    truth: float
    runs: int = 0
    hits: int = 0
    above: int = 0
    width: float = 0.0
    estimate: float = 0.0
    missing: int = 0

    def add(self, gap: Gap) -> None:
        if gap.estimate is None or gap.low is None or gap.high is None:
            self.missing += 1
            return
        self.runs += 1
        self.hits += gap.low - 1e-9 <= self.truth <= gap.high + 1e-9
        self.above += self.truth > gap.high + 1e-9
        self.width += gap.high - gap.low
        self.estimate += gap.estimate

    @property
    def coverage(self) -> float:
        return self.hits / self.runs


Tallies = dict[tuple[str, str], Tally]
"""By reader and estimator."""
Truths = dict[str, dict[str, float]]
"""By reader, then estimator."""


def counts(n: int) -> tuple[int, int]:
    """How many single items and pairs of twins make ``n`` items: one for one, as in a world."""
    pairs = n // 3
    return n - 2 * pairs, pairs


class Source:
    """The clusters of a benchmark x stratum: single items and pairs of twins, with their odds."""

    def __init__(self, pop: Population, number: int, stratum: int, *, tilted: bool = True) -> None:
        tilt = BENCHMARKS[number].tilt * (1 if stratum else -1) if tilted else 0.0
        self.parts: list[tuple[np.ndarray, np.ndarray]] = []
        for size in (1, 2):
            rows = pop.clusters(number, stratum, size)
            odds = np.exp(tilt * (pop.words[rows].mean(axis=1) - 50) / 10)
            self.parts.append((rows, odds / odds.sum()))

    def draw(self, rng: np.random.Generator, numbers: Sequence[int]) -> list[np.ndarray]:
        """So many single items and pairs, with replacement. Shapes (singles, 1), (pairs, 2)."""
        return [
            rows[np.searchsorted(np.cumsum(odds), rng.random(m) * (1 - 1e-12))]
            for (rows, odds), m in zip(self.parts, numbers, strict=True)
        ]

    def expect(self, numbers: Sequence[float], weight: np.ndarray) -> None:
        """Add how often each item is expected among so many single items and pairs."""
        for (rows, odds), m in zip(self.parts, numbers, strict=True):
            np.add.at(weight, rows.ravel(), np.repeat(m * odds, rows.shape[1]))


Sizes = Sequence[tuple[int, int]]
"""Items of each benchmark in a run: reasoning, recall."""
Drawn = tuple[np.ndarray, np.ndarray]
"""Numbers of items, and their clusters."""


def joined(clusters: list[np.ndarray]) -> Drawn:
    """Rows of clusters as items and the number of each item's cluster."""
    number = np.cumsum([0, *(len(rows) for rows in clusters)])
    owners = [
        np.repeat(first + np.arange(len(rows)), rows.shape[1])
        for first, rows in zip(number, clusters, strict=False)
    ]
    return np.concatenate([rows.ravel() for rows in clusters]), np.concatenate(owners)


def sampler(
    pop: Population, sizes: Sizes, *, random_strata: bool = False
) -> tuple[Callable[[np.random.Generator], Drawn], np.ndarray]:
    """How a run draws items, and how often each is expected. Shape of the latter (N,).

    ``random_strata``: each cluster is reasoning with the probability that ``sizes`` give, instead
    of so many of each kind in every run.
    """
    weight = np.zeros(len(pop.stratum))
    cells: list[tuple[Source, Source, int, int]] = []
    for number, (n_r, n_k) in enumerate(sizes):
        sources = Source(pop, number, 1), Source(pop, number, 0)
        total = counts(n_r + n_k)
        for source, n in zip(sources, (n_r, n_k), strict=True):
            expected = [m * n / (n_r + n_k) for m in total] if random_strata else counts(n)
            source.expect(expected, weight)
        cells.append((*sources, n_r, n_k))

    def draw(rng: np.random.Generator) -> Drawn:
        clusters: list[np.ndarray] = []
        for reasoning, recall, n_r, n_k in cells:
            of_r, of_k = counts(n_r), counts(n_k)
            if random_strata:
                total = counts(n_r + n_k)
                share = n_r / (n_r + n_k)
                of_r = int(rng.binomial(total[0], share)), int(rng.binomial(total[1], share))
                of_k = total[0] - of_r[0], total[1] - of_r[1]
            clusters += reasoning.draw(rng, of_r) + recall.draw(rng, of_k)
        return joined(clusters)

    return draw, weight


def answered(pop: Population, items: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return (rng.random((len(READERS), len(items))) < pop.chance[:, items]).astype(float)


def table(pop: Population, items: np.ndarray, owner: np.ndarray, y: np.ndarray, **more: object) -> Graded:  # fmt: skip  # noqa: E501
    columns: dict[str, object] = {"stratum": pop.stratum[items], **more}
    return graded(
        [reader.name for reader in READERS],
        y,
        benchmark=pop.benchmark[items],
        words=pop.words[items],
        options=pop.options[items],
        cluster=owner,
        **columns,  # type: ignore[arg-type]
    )


def count(tallies: Tallies, found: Mapping[str, Gap], reader: str) -> None:
    """Add the gaps found in a run to the tallies of one reader."""
    for (name, estimator), each in tallies.items():
        if name == reader and not estimator.startswith("(soft"):
            each.add(found[estimator.strip("()").split(",")[0]])


def blank(truths: Mapping[str, Mapping[str, float]], names: Sequence[str]) -> Tallies:
    """A tally for every reader and each of the estimators, whose truth is ``truths[reader]``."""
    return {(reader, name): Tally(of[name]) for reader, of in truths.items() for name in names}


def truths_of(pop: Population, weight: np.ndarray, chance: np.ndarray | None = None) -> Truths:
    chance = pop.chance if chance is None else chance
    return {
        reader.name: estimands(pop.benchmark, pop.stratum, pop.words, pop.options, row, weight)
        for reader, row in zip(READERS, chance, strict=True)
    }


def run_given(pop: Population, sizes: Sizes, runs: int, resamples: int) -> Tallies:
    """Strata are given: the six estimators that need no splitter."""
    draw, weight = sampler(pop, sizes)
    tallies = blank(truths_of(pop, weight), LINEAR)
    rng = np.random.default_rng(101)
    for run in range(runs):
        items, owner = draw(rng)
        made = table(pop, items, owner, answered(pop, items, rng))
        for reader in READERS:
            found = reasoning_gaps(made, reader.name, resamples=resamples, seed=run)
            count(tallies, found, reader.name)
    return tallies


@dataclass(frozen=True)
class Splitter:
    """A splitter whose errors are known: chances of its levels given the truth."""

    name: str
    levels: np.ndarray
    """P(level | recall), P(level | reasoning). Shape (2, L)."""
    cut: int
    """Level from which an item is called reasoning."""

    @property
    def rates(self) -> tuple[float, float]:
        """Sensitivity and specificity."""
        return float(self.levels[1, self.cut :].sum()), float(self.levels[0, : self.cut].sum())

    def p(self, share: float) -> np.ndarray:
        """P(reasoning | level), where a share of the items is reasoning. Shape (L,)."""
        joint = share * self.levels[1]
        return np.asarray(joint / (joint + (1 - share) * self.levels[0]))


TWO = Splitter("se 0.88, sp 0.90", np.array([[0.90, 0.10], [0.12, 0.88]]), 1)
FIVE_LEVELS = Splitter(
    "five levels, se 0.70, sp 0.90",
    np.array([[0.42, 0.30, 0.18, 0.07, 0.03], [0.03, 0.09, 0.18, 0.30, 0.40]]),
    3,
)


def validated(splitter: Splitter, labels: int, share: float, rng: np.random.Generator) -> Confusion:
    """A fresh sample of labelled items, and what the splitter calls them."""
    se, sp = splitter.rates
    n_r = int(rng.binomial(labels, share))
    right = int(rng.binomial(n_r, se)), int(rng.binomial(labels - n_r, sp))
    return Confusion(right[0], n_r - right[0], right[1], labels - n_r - right[1])


def estimated_p(confusion: Confusion, called: np.ndarray, benchmark: np.ndarray) -> np.ndarray:
    """p_reasoning of two-valued calls, from the labels of a run alone. Shape (N,)."""
    c = confusion
    se = (c.reasoning_right + 0.5) / (c.reasoning_right + c.reasoning_wrong + 1)
    sp = (c.knowledge_right + 0.5) / (c.knowledge_right + c.knowledge_wrong + 1)
    out = np.zeros(len(called))
    for b in np.unique(benchmark):
        q = called[benchmark == b].mean()
        share = np.clip((q + sp - 1) / (se + sp - 1), 0.01, 0.99)
        p = Splitter("", np.array([[sp, 1 - sp], [1 - se, se]]), 1).p(float(share))
        out[benchmark == b] = p[called[benchmark == b]]
    return out


def run_called(
    pop: Population,
    sizes: Sizes,
    splitter: Splitter,
    labels: int,
    runs: int,
    resamples: int,
    *,
    alike: bool = False,
) -> Tallies:
    """Strata pass through a known confusion; ``alike``: twins always get the same call."""
    draw, weight = sampler(pop, sizes, random_strata=True)
    share = np.array([n_r / (n_r + n_k) for n_r, n_k in sizes])
    p_of = np.array([splitter.p(each) for each in share])
    n_levels = splitter.levels.shape[1]
    level = np.repeat(np.arange(n_levels), len(weight))
    benchmark, stratum, words, options = (
        np.tile(x, n_levels) for x in (pop.benchmark, pop.stratum, pop.words, pop.options)
    )
    spread = np.tile(weight, n_levels) * splitter.levels[stratum, level]
    true = truths_of(pop, weight)
    tallies: Tallies = {}
    for reader, chance in zip(READERS, pop.chance, strict=True):
        aims = estimands(
            benchmark, stratum, words, options, np.tile(chance, n_levels), spread,
            called=(level >= splitter.cut).astype(int), p=p_of[benchmark, level],
        )  # fmt: skip
        name = reader.name
        tallies |= {(name, e): Tally(aims[e]) for e in ("soft", "noise_corrected", "within")}
        tallies[name, "(within, for the true gap)"] = Tally(true[name]["within"])
        if n_levels == 2:
            tallies[name, "(soft, p from the labels)"] = Tally(aims["soft"])
    rng = np.random.default_rng(103)
    steps = np.cumsum(splitter.levels, axis=1)
    for run in range(runs):
        items, owner = draw(rng)
        luck = rng.random(len(items))[owner if alike else slice(None)]
        got = (luck[:, None] > steps[pop.stratum[items], :-1]).sum(axis=1)
        called = (got >= splitter.cut).astype(int)
        errors = SplitterErrors(validated(splitter, labels, float(np.mean(share)), rng))
        here = pop.benchmark[items]
        y = answered(pop, items, rng)
        made = table(pop, items, owner, y, stratum=called, p=p_of[here, got])
        rough = table(
            pop, items, owner, y, stratum=called, p=estimated_p(errors.overall, called, here)
        )
        for reader in READERS:
            found = reasoning_gaps(made, reader.name, errors=errors, resamples=resamples, seed=run)
            count(tallies, found, reader.name)
            if n_levels == 2:
                soft = soft_gap(rough, rough.values[rough.index(reader.name)], level=0.95)
                tallies[reader.name, "(soft, p from the labels)"].add(soft)
    return tallies


def run_as_made(pop: Population, layouts: Sequence[int], runs: int, resamples: int) -> Tallies:
    """Consecutive items, as ``viva world make`` writes them: dealt evenly, so a little less luck
    than the bootstrap takes them to have.
    """
    truths = truths_of(pop, np.repeat([float(n) for n in layouts], len(pop.stratum) // 3))
    tallies = {(r, f"({e})"): Tally(of[e]) for r, of in truths.items() for e in LINEAR[:2]}
    size = len(pop.stratum) // 3
    rng = np.random.default_rng(107)
    for run in range(runs):
        # Two layouts make six items: one without twins, one with them.
        blocks = [
            b * size + (6 * int(rng.integers(size // 6)) + np.arange(6 * n)) % size
            for b, n in enumerate(layouts)
        ]
        items = np.concatenate(blocks)
        made = table(pop, items, pop.cluster[items], answered(pop, items, rng))
        for reader in READERS:
            found = headline_gaps(made, reader.name, resamples=resamples, seed=run)
            count(tallies, found, reader.name)
    return tallies


def run_fixed(pop: Population, sizes: Sizes, runs: int, resamples: int) -> Tallies:
    """The same items in every run: only guesses vary, and the truth is of these items."""
    draw, _ = sampler(pop, sizes)
    items, owner = draw(np.random.default_rng(109))
    weight = np.bincount(items, minlength=len(pop.stratum)).astype(float)
    tallies = {
        (r, f"({e})"): Tally(of[e]) for r, of in truths_of(pop, weight).items() for e in LINEAR[:2]
    }
    rng = np.random.default_rng(113)
    for run in range(runs):
        made = table(pop, items, owner, answered(pop, items, rng))
        for reader in READERS:
            found = headline_gaps(made, reader.name, resamples=resamples, seed=run)
            count(tallies, found, reader.name)
    return tallies


def run_memories(
    pop: Population, sizes: Sizes, runs: int, resamples: int, memories: int
) -> Tallies:
    """Another memory of the same size in every run: the truth is the mean over memories."""
    per_world = len(pop.items) // len(BENCHMARKS)
    parts = []
    for number, made in enumerate(BENCHMARKS):
        items = pop.items[number * per_world : (number + 1) * per_world]
        facts = list(make_graph(made.seed, organs=made.organs).facts)
        parts.append(
            [
                [known_chances(reader, number, made, items, facts, m + 1) for reader in READERS]
                for m in range(memories)
            ]
        )
    chance = np.concatenate([np.array(part) for part in parts], axis=2)
    draw, weight = sampler(pop, sizes)
    truths = truths_of(pop, weight, chance.mean(axis=0))
    tallies = {(r, f"({e})"): Tally(of[e]) for r, of in truths.items() for e in LINEAR[:2]}
    rng = np.random.default_rng(127)
    for run in range(runs):
        items, owner = draw(rng)
        of_run = chance[rng.integers(memories)]
        y = (rng.random((len(READERS), len(items))) < of_run[:, items]).astype(float)
        made_table = table(pop, items, owner, y)
        for reader in READERS:
            found = headline_gaps(made_table, reader.name, resamples=resamples, seed=run)
            count(tallies, found, reader.name)
    return tallies


SMALL = ((40, 30), (24, 45), (30, 30))
ONE = ((60, 60),)


def settings(size: int, runs: int, resamples: int) -> Iterator[tuple[str, Callable[[], Tallies]]]:
    """Settings by name, each to be run."""
    sizes = [(made.reasoning, made.recall) for made in BENCHMARKS]

    def given(chosen: Sizes) -> Callable[[], Tallies]:
        return lambda: run_given(population(size), chosen, runs, resamples)

    def called(
        chosen: Sizes, splitter: Splitter, labels: int, *, alike: bool = False
    ) -> Callable[[], Tallies]:
        return lambda: run_called(
            population(size), chosen, splitter, labels, runs, resamples, alike=alike
        )

    yield "given, 760 items", given(sizes)
    yield "given, 199 items", given(SMALL)
    yield "given, one world of 120", given(ONE)
    yield f"{TWO.name}, 150 labels", called(sizes, TWO, 150)
    yield f"{TWO.name}, 150 labels, twins alike", called(sizes, TWO, 150, alike=True)
    yield f"{TWO.name}, 50 labels", called(sizes, TWO, 50)
    yield f"{FIVE_LEVELS.name}, 300 labels", called(sizes, FIVE_LEVELS, 300)
    yield (
        "(as made, 570 items)",
        lambda: run_as_made(population(size), (50, 30, 15), runs, resamples),
    )
    yield "(items fixed)", lambda: run_fixed(population(size), sizes, runs, resamples)
    yield (
        "(another memory every run)",
        lambda: run_memories(population(min(size, 1200)), sizes, runs, resamples, 20),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--size", type=int, default=6000, help="items of each world: multiple of 6")
    parser.add_argument("--fast", action="store_true", help="200 runs, 500 resamples, 1,200 items")
    parser.add_argument("only", nargs="*", help="settings whose name holds one of these")
    args = parser.parse_args()
    if args.fast:
        args.runs, args.resamples, args.size = 200, 500, 1200
    start = time.perf_counter()
    print(
        f"{'setting':42}{'reader':23}{'estimator':28}{'truth':>8}{'mean':>8}{'coverage':>10}"
        f"{'95 % (Wilson)':>16}{'truth above':>13}{'width':>7}{'runs':>7}"
    )
    outside = held = 0
    for name, run in settings(args.size, args.runs, args.resamples):
        if args.only and not any(word in name for word in args.only):
            continue
        for (reader, estimator), t in run().items():
            low, high = (float(end) for end in wilson(t.hits, t.runs))
            aimed = "(" not in (name[0], estimator[0])
            off = not 0.93 <= t.coverage <= 0.97
            held, outside = held + aimed, outside + (aimed and off)
            print(
                f"{name:42}{reader:23}{estimator:28}{t.truth:8.2f}{t.estimate / t.runs:8.2f}"
                f"{100 * t.coverage:9.1f}%{f'{100 * low:.1f} to {100 * high:.1f}':>16}"
                f"{100 * t.above / t.runs:12.1f}%{t.width / t.runs:7.1f}{t.runs:7,}"
                + (f"  ({t.missing} without an interval)" if t.missing else "")
                + ("  <<<" if aimed and off else ""),
                flush=True,
            )
    print(
        f"\n{args.runs:,} runs, {args.resamples:,} resamples, {args.size:,} items in each world, "
        f"{time.perf_counter() - start:.0f} s; outside 93 to 97 %: {outside} of {held}"
    )


if __name__ == "__main__":
    main()
