"""Coverage of the intervals of confidence measures and of groups of variants, known truth.

Run ``python bench/coverage_confidence.py [--runs 2000] [--resamples 400] [SETTING ...]``. Every
setting draws answers from a law whose parameters are sums over a grid, and counts how often each
interval holds its own parameter; the last column is the median width. A parameter that lies at the
edge of its range (no gap, a calibrated model) is held more often than 95 %: only the lower end can
miss; such rows are marked *edge*. Shares of separate answers have Wilson's interval, whose coverage
moves with n and p. Tests of a true null are counted by how often they reject at 5 %.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from viva.analysis import (
    confidence_change,
    disparity,
    measure_confidence,
    order_bias,
    pick_bias,
    relations,
    skew_size,
    worst_of_k,
)

GRID = 4000


@dataclass
class Setting:
    """One law: a draw with its estimates, its true parameters, and what to count of tests."""

    run: Callable[[np.random.Generator, int], dict[str, object]]
    truth: dict[str, float]
    edges: frozenset[str] = frozenset()


# Confidence --------------------------------------------------------------------------------


def confidence_truth(sure: np.ndarray, rate: np.ndarray, weight: np.ndarray) -> dict[str, float]:
    """Parameters of answers that are ``sure`` with ``weight`` and right at ``rate``."""
    order = np.argsort(-sure, kind="stable")
    sure, rate, weight = sure[order], rate[order], weight[order]
    bins = np.clip(np.ceil(sure * 10 - 1e-9).astype(int) - 1, 0, 9)
    gap = np.bincount(bins, weight * (rate - sure), minlength=10)
    above = np.cumsum(weight)
    wrong = np.cumsum(weight * (1 - rate))
    # Equal values as sorted at random: between atoms the curve is a straight line.
    coverage = np.concatenate([[0], above])
    missed = np.concatenate([[0], wrong])
    fine = (np.arange(400_000) + 0.5) / 400_000
    risk = np.interp(fine, coverage, missed) / fine
    won, lost = weight * rate, weight * (1 - rate)
    _, tie = np.unique(-sure, return_inverse=True)
    tied_won, tied_lost = np.bincount(tie, won), np.bincount(tie, lost)
    less_sure = lost.sum() - np.cumsum(tied_lost)
    auroc = (tied_won * (less_sure + tied_lost / 2)).sum() / (won.sum() * lost.sum())
    return {
        "accuracy": float(won.sum()),
        "confidence": float(weight @ sure),
        "overconfidence": 100 * float(weight @ (sure - rate)),
        "ece": float(np.abs(gap).sum()),
        "brier": float(weight @ (rate * (1 - sure) ** 2 + (1 - rate) * sure**2)),
        "auroc": float(auroc),
        "aurc": float(risk.mean()),
        "selective 0.5": 1 - float(np.interp(0.5, coverage, missed)) / 0.5,
        "selective 0.8": 1 - float(np.interp(0.8, coverage, missed)) / 0.8,
    }


def confidence_setting(
    sure: np.ndarray,
    rate: np.ndarray,
    n: int,
    *,
    samples: int = 1,
    calibrated: bool = False,
    resamples: int,
) -> Setting:
    """Answers of n items; the samples of an item share their place on the grid in 7 of 10 cases."""
    weight = np.full(len(sure), 1 / len(sure))

    def run(rng: np.random.Generator, seed: int) -> dict[str, object]:
        cluster = np.repeat(np.arange(n), samples)
        own = rng.integers(len(sure), size=n * samples)
        shared = rng.integers(len(sure), size=n)[cluster]
        at = np.where(rng.random(n * samples) < 0.7, shared, own) if samples > 1 else own
        luck = rng.random(n * samples)
        if samples > 1:
            luck = np.where(rng.random(n * samples) < 0.5, rng.random(n)[cluster], luck)
        found = measure_confidence(
            sure[at], luck < rate[at], cluster=cluster, coverages=(0.5, 0.8),
            resamples=resamples, seed=seed,
        )  # fmt: skip
        selective = found.ranking.risk_coverage.selective
        return {
            "accuracy": found.accuracy,
            "confidence": found.confidence,
            "overconfidence": found.overconfidence,
            "ece": found.equal_width.ece_debiased,
            "brier": found.brier.score,
            "auroc": found.ranking.auroc,
            "aurc": found.ranking.risk_coverage.aurc,
            "selective 0.5": selective["0.5"],
            "selective 0.8": selective["0.8"],
        }

    truth = confidence_truth(sure, rate, weight)
    return Setting(run, truth, frozenset({"ece"} if calibrated else ()))


def change_setting(n: int, drop: float, *, resamples: int) -> Setting:
    """Misled answers are less sure by ``drop`` on average, each by another amount."""

    def run(rng: np.random.Generator, seed: int) -> dict[str, object]:
        before = rng.beta(6, 2, n)
        after = np.clip(before - drop + 0.2 * (rng.random(n) - 0.5), 0, 1)
        right = rng.random(n) < before
        now = right & (rng.random(n) < 0.8)
        found = confidence_change(
            before, after, right, now, cluster=np.arange(n) // 2, resamples=resamples, seed=seed
        )
        return {"change": found.change, "p(change)": found.p}

    rng = np.random.default_rng(0)
    before = rng.beta(6, 2, 4_000_000)
    after = np.clip(before - drop + 0.2 * (rng.random(len(before)) - 0.5), 0, 1)
    return Setting(run, {"change": 100 * float((after - before).mean())})


# Groups ------------------------------------------------------------------------------------


def disparity_setting(rates: list[float], n: int, *, alike: float = 0.7, resamples: int) -> Setting:
    """Every item once for each group value; answers go together by a common stroke of luck."""
    rate = np.array(rates)
    k = len(rate)
    label, block = np.tile(np.arange(k), n), np.repeat(np.arange(n), k)

    def run(rng: np.random.Generator, seed: int) -> dict[str, object]:
        common = rng.random(n)[block]
        luck = np.where(rng.random(n * k) < alike, common, rng.random(n * k))
        found = disparity(luck < rate[label], label, block, resamples=resamples, seed=seed)
        return {"max gap": found.max_gap, "sd": found.sd, "p(disparity)": found.p}

    truth = {"max gap": 100 * float(np.ptp(rate)), "sd": 100 * float(rate.std())}
    null = np.ptp(rate) == 0
    return Setting(run, truth, frozenset(truth) if null else frozenset())


def relations_setting(n: int, variants: int, *, resamples: int) -> Setting:
    """Each original with some preserving and as many altering variants, of varying difficulty."""
    stay, leave = np.array([0.95, 0.7]), np.array([0.8, 0.3])

    def run(rng: np.random.Generator, seed: int) -> dict[str, object]:
        kind = rng.integers(2, size=n)
        group = np.repeat(np.arange(n), 2 * variants)
        altering = np.tile(np.arange(2 * variants) >= variants, n)
        original = (rng.random(n) > 0.7).astype(int)[group]
        luck = rng.random(len(group))
        preserved = np.where(luck < stay[kind[group]], original, 1 - original)
        changed = np.where(luck < leave[kind[group]], 1, 0)
        variant = np.where(
            rng.random(len(group)) < 0.05, -1, np.where(altering, changed, preserved)
        )
        found = relations(
            np.where(altering, "altering", "preserving"),
            original_choice=original,
            variant_choice=variant,
            original_key=np.zeros(len(group), int),
            variant_key=altering.astype(int),
            group=group if variants > 1 else None,
            resamples=resamples,
            seed=seed,
        )
        names = ("consistency", "flip_rate", "unread", "faithfulness", "faithfulness_when_right")
        return {name: getattr(found, name) for name in names}

    return Setting(run, {
        "consistency": 0.95 * float(stay.mean()),
        "flip_rate": 0.95 * float(1 - stay.mean()),
        "unread": 0.05,
        "faithfulness": 0.95 * float(leave.mean()),
        "faithfulness_when_right": 0.95 * float(leave.mean()),
    })  # fmt: skip


def worst_setting(n: int, k: int, *, samples: int = 1, resamples: int) -> Setting:
    """Groups of k, easy or hard; with samples, each group is drawn several times."""
    rate = np.array([0.9, 0.5])

    def run(rng: np.random.Generator, seed: int) -> dict[str, object]:
        item = np.repeat(np.arange(n), samples * k)
        group = np.repeat(np.arange(n * samples), k)
        right = rng.random(n * samples * k) < rate[rng.integers(2, size=n)[item]]
        found = worst_of_k(right, group, cluster=item, resamples=resamples, seed=seed)
        return {"mean": found.mean, "worst": found.worst, "best": found.best, "held": found.held}

    worst, best = float((rate**k).mean()), float((1 - (1 - rate) ** k).mean())
    return Setting(
        run, {"mean": float(rate.mean()), "worst": worst, "best": best, "held": worst / best}
    )


def order_setting(n: int, bias: float, *, k: int = 4, asks: int = 2, resamples: int) -> Setting:
    """Picks by content, the key in six of ten cases, or with probability ``bias`` the first."""

    def run(rng: np.random.Generator, seed: int) -> dict[str, object]:
        orders = rng.permuted(np.tile(np.arange(k), (n * asks, 1)), axis=1)
        content = np.where(rng.random(n * asks) < 0.6, 0, rng.integers(k, size=n * asks))
        place = np.argmax(orders == content[:, None], axis=1)
        place = np.where(rng.random(n * asks) < bias, 0, place)
        found = order_bias(
            orders.tolist(), place.tolist(), np.repeat(np.arange(n), asks).tolist(),
            resamples=resamples, seed=seed,
        )  # fmt: skip
        return {"excess A": found.excess["A"], "excess B": found.excess["B"], "p(order)": found.p}

    return Setting(run, {"excess A": 100 * bias * (1 - 1 / k), "excess B": -100 * bias / k})


def pick_setting(n: int, bias: float, *, k: int = 4, resamples: int) -> Setting:
    """One order; keys anywhere; right in six of ten cases, else any other, or the first."""

    def run(rng: np.random.Generator, seed: int) -> dict[str, object]:
        key = rng.integers(k, size=n)
        other = (key + rng.integers(1, k, size=n)) % k
        picked = np.where(rng.random(n) < 0.6, key, other)
        picked = np.where(rng.random(n) < bias, 0, picked)
        found = pick_bias(picked, key, np.full(n, k), resamples=resamples, seed=seed)
        out = {"pick excess A": found.excess["A"], "accuracy at A": found.accuracy["A"]}
        if not bias:
            out |= {"p(wrong picks)": found.p_wrong_picks, "p(accuracy)": found.p_accuracy}
        return out

    return Setting(run, {
        "pick excess A": 100 * bias * (1 - 1 / k), "accuracy at A": bias + (1 - bias) * 0.6,
    })  # fmt: skip


def skew_setting(n: int, *, resamples: int) -> Setting:
    """Eight labels, two group values that do not matter, n items of each label."""
    label = np.repeat(np.arange(8), 2 * n)
    group, block = np.tile([0, 1], 8 * n), np.repeat(np.arange(8 * n), 2)

    def run(rng: np.random.Generator, seed: int) -> dict[str, object]:
        right = rng.random(len(label)) < 0.7
        found = skew_size(right, group, label, block, resamples=resamples, seed=seed)
        outside = not found.chance_low <= found.skew <= found.chance_high
        return {"p(SkewSize)": found.p, "p(skew outside)": 0.0 if outside else 1.0}

    return Setting(run, {})


def settings(resamples: int) -> dict[str, Setting]:
    """Every setting by name."""
    u = (np.arange(GRID) + 0.5) / GRID
    spread = 0.2 + 0.8 * u
    votes = np.repeat([0.2, 0.4, 0.6, 0.8, 1.0], [1, 2, 3, 4, 10])
    over = 0.15 + 0.65 * spread
    r = {"resamples": resamples}
    return {
        "calibrated, 500": confidence_setting(spread, spread, 500, calibrated=True, **r),
        "overconfident, 300": confidence_setting(spread, over, 300, **r),
        "overconfident, 1000": confidence_setting(spread, over, 1000, **r),
        "very sure, 400": confidence_setting(0.9 + 0.1 * u, 0.6 + 0.3 * u, 400, **r),
        "votes of five, 400": confidence_setting(votes, 0.1 + 0.75 * votes, 400, **r),
        "no information, 300": confidence_setting(spread, np.full(GRID, 0.6), 300, **r),
        "4 samples, 150 items": confidence_setting(spread, over, 150, samples=4, **r),
        "confidence drops": change_setting(300, 0.1, **r),
        "two values, no gap": disparity_setting([0.6, 0.6], 300, **r),
        "eight values, no gap": disparity_setting([0.6] * 8, 200, **r),
        "two values, gap 8": disparity_setting([0.64, 0.56], 300, **r),
        "eight values, gap 3": disparity_setting(list(np.linspace(0.585, 0.615, 8)), 200, **r),
        "eight values, gap 10": disparity_setting(list(np.linspace(0.55, 0.65, 8)), 200, **r),
        "one of six low": disparity_setting([0.6] * 5 + [0.45], 200, **r),
        "relations, groups of 4": relations_setting(150, 2, **r),
        "relations, 60 groups of 10": relations_setting(60, 5, **r),
        "worst of 3": worst_setting(200, 3, **r),
        "worst of 5, 3 samples": worst_setting(120, 5, samples=3, **r),
        "order, no bias": order_setting(200, 0.0, **r),
        "order, bias 0.2": order_setting(200, 0.2, **r),
        "order, bias 0.1, 4 orders, 2 options": order_setting(100, 0.1, k=2, asks=4, **r),
        "picks, no bias": pick_setting(400, 0.0, **r),
        "picks, bias 0.2": pick_setting(400, 0.2, **r),
        "SkewSize, none": skew_setting(60, resamples=200),
    }


@dataclass
class Tally:
    """How often an interval holds its truth, or a test rejects."""

    runs: int = 0
    hits: int = 0
    above: int = 0
    width: float = 0.0

    @property
    def coverage(self) -> float:
        return self.hits / max(self.runs, 1)


def measure(setting: Setting, runs: int) -> tuple[dict[str, Tally], dict[str, Tally]]:
    """Tallies of intervals and of tests."""
    rng = np.random.default_rng(11)
    intervals = {name: Tally() for name in setting.truth}
    tests: dict[str, Tally] = {}
    for run in range(runs):
        for name, found in setting.run(rng, run).items():
            if name.startswith("p("):
                tally = tests.setdefault(name, Tally())
                tally.runs += 1
                tally.hits += found is not None and found < 0.05
            elif found.low is not None:
                tally, truth = intervals[name], setting.truth[name]
                tally.runs += 1
                tally.hits += found.low - 1e-9 <= truth <= found.high + 1e-9
                tally.above += truth < found.low - 1e-9
                tally.width += found.high - found.low
    return intervals, tests


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("settings", nargs="*", metavar="SETTING")
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--resamples", type=int, default=400)
    asked = parser.parse_args()
    known = settings(asked.resamples)
    started = time.perf_counter()
    print(f"{'setting':38}{'':17}{'truth':>9}{'cover %':>9}{'low>':>7}{'<high':>7}{'width':>9}")
    for title in asked.settings or known:
        intervals, tests = measure(known[title], asked.runs)
        for name, tally in intervals.items():
            edge = "  edge" if name in known[title].edges else ""
            below = tally.runs - tally.hits - tally.above
            print(
                f"{title:38}{name:17}{known[title].truth[name]:9.3f}{100 * tally.coverage:9.1f}"
                f"{tally.above:7d}{below:7d}{tally.width / max(tally.runs, 1):9.3f}{edge}"
            )
        for name, tally in tests.items():
            print(f"{title:38}{name:17}{'rejects':>9}{100 * tally.coverage:9.1f}")
    print(f"{asked.runs} runs, {asked.resamples} resamples, {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
