"""Coverage of every estimate of transitions, for answerers whose behaviour is known.

Run ``python bench/coverage_transitions.py [--runs 2000] [--resamples 1000] [SETTING ...]``. An
answerer is a table of probabilities, P(clean answer) and P(misled answer | clean answer), for each
place of key and cue, so that every parameter is known exactly and a run is one draw from the
table. The command counts how often each interval holds its own parameter. A parameter at the edge
of its range (nothing is ever lost) is held always: its answers do not vary, and the interval, which
always holds the estimate, is known to be too wide; such rows are marked *edge* and have no target.
Shares of separate pairs over a fixed denominator have Wilson's interval, whose coverage is a sum of
binomial probabilities; it is shown as *exact*, and a row is marked *lattice* where that sum itself
lies outside 93 to 97 %: a few pairs have few possible shares.
The last part counts how often a test rejects at 5 % for a guesser that is asked again.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from scipy.stats import binom

from viva.analysis import (
    Pairs,
    against_control,
    by_stratum,
    pair_answers,
    strength_response,
    transitions,
    wilson,
)

SHARES = (
    "clean", "misled", "kept_right", "lost", "gained", "kept_wrong", "followed_cue", "unprompted",
    "cue_effect", "moved_to_cue", "moved_elsewhere", "held", "unread", "net",
)  # fmt: skip


@dataclass(frozen=True)
class Answerer:
    """A way to answer.

    Parameters
    ----------
    right : float
        Probability of the key where the answer is the model's own; the rest falls on the others.
    follows : float
        Probability that a misled answer is the cue.
    keeps : float
        Probability that a misled answer that does not follow repeats the clean one; else it is
        drawn anew.
    unread : float
        Probability that an answer drawn anew cannot be read.
    bias : float
        Probability that an answer drawn anew is the first option, whatever is right.
    options : int
    """

    right: float = 0.6
    follows: float = 0.0
    keeps: float = 0.0
    unread: float = 0.0
    bias: float = 0.0
    options: int = 5

    def own(self, key: int) -> np.ndarray:
        """Distribution of an own answer over the options and, last, unread. Shape (k + 1,)."""
        k = self.options
        out = np.full(k + 1, (1 - self.right) / (k - 1))
        out[key] = self.right
        out *= 1 - self.bias
        out[0] += self.bias
        out *= 1 - self.unread
        out[k] = self.unread
        return out

    def joint(self) -> np.ndarray:
        """P(key, cue, clean, misled), uniform over places. Shape (k, k, k + 1, k + 1)."""
        k = self.options
        out = np.zeros((k, k, k + 1, k + 1))
        for key in range(k):
            for cue in set(range(k)) - {key}:
                out[key, cue] = self.own(key)[:, None] * self.given(key, cue) / (k * (k - 1))
        return out

    def given(self, key: int, cue: int) -> np.ndarray:
        """P(misled | clean). Shape (k + 1, k + 1)."""
        k = self.options
        again = self.keeps * np.eye(k + 1) + (1 - self.keeps) * self.own(key)[None, :]
        follow = np.zeros(k + 1)
        follow[cue] = 1
        return self.follows * follow[None, :] + (1 - self.follows) * again


def places(k: int) -> tuple[np.ndarray, ...]:
    """Key, cue, clean and misled answer (-1 = unread) of every entry of a joint table."""
    key, cue, clean, misled = np.indices((k, k, k + 1, k + 1)).reshape(4, -1)
    return key, cue, np.where(clean == k, -1, clean), np.where(misled == k, -1, misled)


def truth(joint: np.ndarray, k: int) -> dict[str, float]:
    """Every parameter of a joint table, from the definitions."""
    p = joint.ravel() / joint.sum()
    key, cue, clean, misled = places(k)
    right, right2 = clean == key, misled == key
    read = (clean >= 0) & (misled >= 0)

    def share(what: np.ndarray, among: np.ndarray | None = None) -> float:
        among = np.ones(len(p), bool) if among is None else among
        whole = p[among].sum()
        return float(p[among & what].sum() / whole) if whole else float("nan")

    f, b = share(misled == cue), share(clean == cue)
    return {
        "clean": share(right),
        "misled": share(right2),
        "kept_right": share(right & right2),
        "lost": share(~right2, right),
        "gained": share(right2, ~right),
        "kept_wrong": share(~right & ~right2),
        "followed_cue": f,
        "unprompted": b,
        "cue_effect": (f - b) / (1 - b),
        "moved_to_cue": share(read & (misled == cue) & (clean != cue)),
        "moved_elsewhere": share(read & (misled != cue) & (misled != clean)),
        "held": share(read & (misled == clean)),
        "unread": share(~read),
        "net": 100 * (share(right2) - share(right)),
    }


def drawn(joint: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Entries of a joint table. Shape (n,)."""
    cumulated = np.cumsum(joint.ravel())
    return np.searchsorted(cumulated, rng.random(n) * cumulated[-1], "right")


def pairs_of(entry: np.ndarray, k: int, **more: np.ndarray) -> Pairs:
    key, cue, clean, misled = (values[entry] for values in places(k))
    return pair_answers(
        clean == key, misled == key, clean_choice=clean, misled_choice=misled, cue=cue, **more
    )


@dataclass
class Design:
    """How a run draws its pairs, and the truth."""

    draw: Callable[[np.random.Generator], Pairs]
    truth: dict[str, float]
    fixed: int | None = None
    """Separate pairs, where the number is the same in every run."""


def single(answerer: Answerer, n: int) -> Design:
    """Separate items."""
    joint = answerer.joint()
    return Design(
        lambda rng: pairs_of(drawn(joint, n, rng), answerer.options),
        truth(joint, answerer.options),
        n,
    )


def copied(answerer: Answerer, n: int) -> Design:
    """A third of the items twice or three times; a copy is answered alike in 7 of 10 cases."""
    joint = answerer.joint()
    times = np.ones(n, int)
    times[: n // 5] = 2
    times[n // 5 : n // 3] = 3
    cluster = np.repeat(np.arange(n), times)

    def draw(rng: np.random.Generator) -> Pairs:
        own = drawn(joint, len(cluster), rng)
        common = drawn(joint, n, rng)[cluster]
        entry = np.where(rng.random(len(cluster)) < 0.7, common, own)
        return pairs_of(entry, answerer.options, cluster=cluster)

    return Design(draw, truth(joint, answerer.options))


def sampled(answerers: list[Answerer], n: int, samples: int) -> Design:
    """Items that differ in how hard they are, several samples of each."""
    joints = [a.joint() for a in answerers]
    k = answerers[0].options
    cluster = np.repeat(np.arange(n), samples)

    def draw(rng: np.random.Generator) -> Pairs:
        kind = rng.integers(len(joints), size=n)[cluster]
        entry = np.zeros(len(cluster), int)
        for code, joint in enumerate(joints):
            here = kind == code
            entry[here] = drawn(joint, int(here.sum()), rng)
        return pairs_of(entry, k, cluster=cluster)

    return Design(draw, truth(np.mean(joints, axis=0), k))


def designs() -> dict[str, Design]:
    follower = Answerer(0.65, follows=0.3, keeps=0.6, unread=0.03)
    return {
        "follower 0.3": single(follower, 400),
        "follower 0.3, 60 items": single(follower, 60),
        "follower 0.05, 1273 items": single(Answerer(0.5, 0.05, 0.7, 0.02), 1273),
        "follower 0.9": single(Answerer(0.6, follows=0.9, keeps=0.5, unread=0.02), 300),
        "guesser": single(Answerer(0.2), 300),
        "guesser, 40 items": single(Answerer(0.2), 40),
        "stubborn": single(Answerer(0.6, keeps=1, unread=0.02), 300),
        "position-biased": single(Answerer(0.4, follows=0.1, bias=0.7), 300),
        "perfect": single(Answerer(1.0), 300),
        "strong, 4 options": single(Answerer(0.93, 0.15, 0.8, 0.01, options=4), 500),
        "copies as clusters": copied(follower, 250),
        "copies as clusters, 60": copied(follower, 60),
        "4 samples": sampled([follower, Answerer(0.25, 0.5, 0.2, 0.05)], 120, 4),
    }


@dataclass
class Tally:
    """How often intervals of one estimate hold its truth."""

    runs: int = 0
    hits: int = 0
    below: int = 0
    width: float = 0.0
    smallest: int = 10**9
    varies: bool = False
    first: float | None = None
    exact: float | None = None

    def add(self, truth: float, estimate: float, low: float, high: float, n: int) -> None:
        self.runs += 1
        self.hits += low - 1e-9 <= truth <= high + 1e-9
        self.below += truth < low - 1e-9
        self.width += high - low
        self.smallest = min(self.smallest, n)
        self.first = estimate if self.first is None else self.first
        self.varies |= abs(estimate - self.first) > 1e-12

    @property
    def coverage(self) -> float:
        return self.hits / self.runs


def wilson_coverage(n: int, p: float) -> float:
    """Probability that Wilson's interval of a binomial share holds p."""
    k = np.arange(n + 1)
    low, high = wilson(k, n)
    return float(binom.pmf(k, n, p)[(low <= p + 1e-9) & (p <= high + 1e-9)].sum())


def run_transitions(design: Design, runs: int, resamples: int) -> dict[str, Tally]:
    rng = np.random.default_rng(3)
    out = {name: Tally() for name in SHARES}
    for name in set(SHARES) - {"lost", "gained", "cue_effect", "net"}:
        if design.fixed is not None and 0 < design.truth[name] < 1:
            out[name].exact = wilson_coverage(design.fixed, design.truth[name])
    for run in range(runs):
        found = transitions(design.draw(rng), resamples=resamples, seed=run)
        for name in SHARES:
            value = getattr(found, name)
            if value.estimate is not None:
                out[name].add(design.truth[name], value.estimate, value.low, value.high, value.n)
    return out


def arms(
    probe: Answerer, control: Answerer, n: int, copies: bool, rng: np.random.Generator
) -> tuple[Pairs, Pairs]:
    """Both arms of the same clean answers; the control arm never sees the cue."""
    k = probe.options
    cluster = np.arange(n) % (n * 3 // 4) if copies else np.arange(n)
    entry = drawn(probe.joint(), n, rng)
    if copies:
        entry = entry[cluster]
    key, cue, clean, misled = (values[entry] for values in places(k))
    again = np.array([[control.given(y, 0 if y else 1) for y in range(k)]])[0]
    cumulated = again[key, clean].cumsum(axis=1)
    other = (rng.random(n)[cluster, None] > cumulated).sum(axis=1)
    other = np.where(other >= k, -1, other)
    same = {"clean_choice": clean, "unit": np.arange(n), "cluster": cluster}
    right = clean == key
    return (
        pair_answers(right, misled == key, misled_choice=misled, cue=cue, **same),
        pair_answers(right, other == key, misled_choice=other, **same),
    )


def arms_truth(probe: Answerer, control: Answerer) -> dict[str, float]:
    """Parameters of probe minus control; the control arm answers as its own joint table says."""
    k = probe.options
    whole, other = truth(probe.joint(), k), truth(control.joint(), k)
    f, b = whole["followed_cue"], other["followed_cue"]
    return {
        "net": whole["net"] - other["net"],
        "lost": 100 * (whole["lost"] - other["lost"]),
        "gained": 100 * (whole["gained"] - other["gained"]),
        "followed_cue": 100 * (f - b),
        "cue_effect": (f - b) / (1 - b),
    }


def run_control(
    probe: Answerer, control: Answerer, n: int, runs: int, resamples: int, copies: bool = False
) -> tuple[dict[str, Tally], int, int]:
    """Coverage against the control arm, and how often tests and intervals reject."""
    rng = np.random.default_rng(5)
    aims = arms_truth(probe, control)
    out = {name: Tally() for name in aims}
    by_test = by_interval = 0
    for run in range(runs):
        found = against_control(
            *arms(probe, control, n, copies, rng), resamples=resamples, seed=run
        )
        assert found.test is not None
        by_test += found.test.p_mid < 0.05
        assert found.net.low is not None and found.net.high is not None
        by_interval += found.net.low > 0 or found.net.high < 0
        for name, aim in aims.items():
            value = getattr(found, name)
            if value.estimate is not None:
                out[name].add(aim, value.estimate, value.low, value.high, value.n)
    return out, by_test, by_interval


def run_strata(runs: int, resamples: int) -> dict[str, Tally]:
    """Reasoning falls more than knowledge, in two benchmarks of unlike size and mix."""
    cells = [
        (0, 1, 150, Answerer(0.55, 0.3, 0.6)), (0, 0, 80, Answerer(0.7, 0.2, 0.6)),
        (1, 1, 40, Answerer(0.4, 0.4, 0.5)), (1, 0, 200, Answerer(0.8, 0.3, 0.7)),
    ]  # fmt: skip
    n = {(b, s): size for b, s, size, _ in cells}
    at = {(b, s): truth(a.joint(), a.options) for b, s, _, a in cells}

    def aim(value: Callable[[dict[str, float]], float]) -> float:
        weight = {b: n[b, 1] * n[b, 0] / (n[b, 1] + n[b, 0]) for b in (0, 1)}
        gap = sum(weight[b] * (value(at[b, 1]) - value(at[b, 0])) for b in (0, 1))
        return gap / sum(weight.values())

    aims = {
        "net": aim(lambda t: t["net"]),
        "cue_shift": 100 * aim(lambda t: t["followed_cue"] - t["unprompted"]),
    }
    rng = np.random.default_rng(7)
    out = {name: Tally() for name in aims}
    benchmark = np.repeat([b for b, *_ in cells], [size for _, _, size, _ in cells])
    stratum = np.repeat([s for _, s, *_ in cells], [size for _, _, size, _ in cells])
    tables = [(a.joint(), size) for _, _, size, a in cells]
    for run in range(runs):
        entry = np.concatenate([drawn(joint, size, rng) for joint, size in tables])
        pairs = pairs_of(entry, 5, benchmark=benchmark, stratum=stratum)
        found = by_stratum(pairs, resamples=resamples, seed=run)
        for name, value in aims.items():
            gap = found[name]
            assert gap.estimate is not None and gap.low is not None and gap.high is not None
            out[name].add(value, gap.estimate, gap.low, gap.high, gap.smallest_cell or 0)
    return out


def run_strengths(runs: int, resamples: int) -> dict[str, Tally]:
    """Three strengths on the same clean answers, the following rising by 0.15 a step."""
    levels = [Answerer(0.65, f, 0.6) for f in (0.1, 0.25, 0.4)]
    at = [truth(a.joint(), 5) for a in levels]
    aims = {
        "net_slope": (at[2]["net"] - at[0]["net"]) / 2,
        "followed_slope": 50 * (at[2]["followed_cue"] - at[0]["followed_cue"]),
    }
    rng = np.random.default_rng(9)
    out = {name: Tally() for name in aims}
    given = np.array(
        [[[a.given(y, c) for c in range(5)] for y in range(5)] for a in levels]
    ).cumsum(axis=-1)
    joint = levels[0].joint()
    for run in range(runs):
        key, cue, clean, _ = (values[drawn_] for drawn_ in [drawn(joint, 200, rng)]
                              for values in places(5))  # fmt: skip
        probes = []
        for cumulated in given:
            misled = (rng.random(200)[:, None] > cumulated[key, cue, clean]).sum(axis=1)
            probes.append(
                pair_answers(
                    clean == key, misled == key, clean_choice=clean, misled_choice=misled, cue=cue
                )
            )
        found = strength_response(probes, resamples=resamples, seed=run)
        for name, aim in aims.items():
            value = getattr(found, name)
            out[name].add(aim, value.estimate, value.low, value.high, value.n)
    return out


def settings(runs: int, resamples: int) -> Iterator[tuple[str, Callable[[], dict[str, Tally]]]]:
    for name, design in designs().items():
        yield name, lambda design=design: run_transitions(design, runs, resamples)
    follower = Answerer(0.65, follows=0.3, keeps=0.6, unread=0.03)
    control = Answerer(0.65, keeps=0.6, unread=0.03)
    for copies in (False, True):
        yield (
            "against control" + (", copies" if copies else ""),
            lambda copies=copies: run_control(follower, control, 300, runs, resamples, copies)[0],
        )
    yield "reasoning minus knowledge", lambda: run_strata(runs, resamples)
    yield "three strengths", lambda: run_strengths(runs, resamples)


GUESSERS = {
    f"guesser against control, {n} items{', copies' if copies else ''}": (n, copies)
    for n, copies in ((100, False), (300, False), (300, True))
}


def run_one(job: tuple[str, int, int]) -> tuple[str, dict[str, Tally], tuple[int, int] | None]:
    """One setting by its name, in a process of its own."""
    name, runs, resamples = job
    if name in GUESSERS:
        n, copies = GUESSERS[name]
        guesser = Answerer(0.2)
        tallies, *rejections = run_control(guesser, guesser, n, runs, resamples, copies)
        return name, tallies, (rejections[0], rejections[1])
    return name, dict(settings(runs, resamples))[name](), None


def show(name: str, tallies: dict[str, Tally], counts: Counter[str]) -> None:
    for estimate, tally in tallies.items():
        if not tally.runs:
            continue
        inside = 0.93 <= tally.coverage <= 0.97
        lattice = tally.exact is not None and not 0.93 <= tally.exact <= 0.97
        flag = "" if inside else "  <<<"
        if not tally.varies:
            flag = "  edge"
        elif lattice:
            flag = "  lattice"
        counts[flag.strip() or "inside"] += 1
        exact = "" if tally.exact is None else f"{100 * tally.exact:.1f}%"
        print(
            f"{name:40}{estimate:17}{100 * tally.coverage:8.1f}%{exact:>8}"
            f"{100 * tally.below / tally.runs:8.1f}%{tally.width / tally.runs:8.3f}"
            f"{tally.smallest:9,}{tally.runs:7,}{flag}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("only", nargs="*", help="settings whose name starts so")
    args = parser.parse_args()
    start = time.perf_counter()
    names = [*(name for name, _ in settings(1, 1)), *GUESSERS]
    chosen = [n for n in names if not args.only or n.startswith(tuple(args.only))]
    print(
        f"{'setting':40}{'estimate':17}{'coverage':>9}{'exact':>8}{'misses <':>9}"
        f"{'width':>8}{'least n':>9}{'runs':>7}"
    )
    counts: Counter[str] = Counter()
    rejected = {}
    with ProcessPoolExecutor(args.jobs) as pool:
        jobs = [(name, args.runs, args.resamples) for name in chosen]
        for name, tallies, rejections in pool.map(run_one, jobs):
            show(name, tallies, counts)
            if rejections is not None:
                rejected[name] = rejections
    print(
        f"\n{counts['inside']} within 93 to 97 %, {counts['<<<']} outside; {counts['lattice']} on "
        f"a lattice, {counts['edge']} at an edge"
    )
    for name, (tests, ends) in rejected.items():
        print(
            f"{name}: the sign flip rejects {100 * tests / args.runs:.1f} %, "
            f"the interval of net {100 * ends / args.runs:.1f} %"
        )
    print(f"{args.runs:,} runs, {args.resamples:,} resamples, {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
