"""Estimates with intervals on pairs: shares, paired differences, ratios of both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from viva.analysis import _cells
from viva.analysis._cells import SMALLEST_SIDE
from viva.analysis._gap import NONE_TWO_SIDED, Gap, no_gap
from viva.analysis.accuracy import share
from viva.analysis.intervals import wilson
from viva.analysis.paired_tests import mcnemar_test, sign_flip
from viva.analysis.resampling import cell_mean_draws, patterns, percentile_interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = [
    "ChangeTest",
    "Estimate",
    "Placed",
    "Resampling",
    "change_test",
    "difference",
    "excess",
    "mean_of",
    "shares",
    "within_difference",
]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval and its denominator.

    Parameters
    ----------
    estimate, low, high : float or None
        None with a reason.
    n : int
        The denominator: pairs over which the share or mean is taken.
    reason : str or None
        Why there is no estimate.
    """

    estimate: float | None
    low: float | None
    high: float | None
    n: int
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeTest:
    """Tests of "as often right on one side as on the other", two-sided.

    Parameters
    ----------
    lost, gained : int or None
        Pairs right on the first side alone, and on the second alone; None for averages.
    clusters : int
        Clusters that the pairs form.
    p_mcnemar : float or None
        Exact McNemar test, which takes pairs as separate; None for averages.
    p_mid, p_sign_flip : float
        Mid-p and exact cluster sign-flip test; without clusters these are McNemar's.
    """

    lost: int | None
    gained: int | None
    clusters: int
    p_mcnemar: float | None
    p_mid: float
    p_sign_flip: float


@dataclass(frozen=True, slots=True)
class Resampling:
    """How intervals are drawn."""

    generator: np.random.Generator
    resamples: int
    level: float


def shares(
    wanted: Mapping[str, tuple[NDArray[np.bool_], NDArray[np.bool_], str]],
    cluster: NDArray[np.int64],
    draws: Resampling,
) -> dict[str, Estimate]:
    """Shares of pairs, 0..1: Wilson's interval for separate pairs, else the cluster bootstrap.

    Parameters
    ----------
    wanted : mapping of str to (what, among, reason)
        The share of the pairs ``among`` that are ``what``, masks of shape (P,); ``reason`` says
        why there is none where no pair is ``among``.
    cluster : ndarray of int, shape (P,)
    """
    if len(np.unique(cluster)) < len(cluster):
        return {
            name: mean_of(what[among].astype(np.float64), cluster[among], draws, reason)
            for name, (what, among, reason) in wanted.items()
        }
    n = np.array([among.sum() for _, among, _ in wanted.values()])
    k = np.array([(what & among).sum() for what, among, _ in wanted.values()])
    low, high = wilson(k, n, level=draws.level)
    return {
        name: Estimate(int(k[i]) / int(n[i]), float(low[i]), float(high[i]), int(n[i]))
        if n[i]
        else Estimate(None, None, None, 0, reason)
        for i, (name, (_, _, reason)) in enumerate(wanted.items())
    }


def mean_of(
    values: NDArray[np.float64], cluster: NDArray[np.int64], draws: Resampling, reason: str
) -> Estimate:
    """Mean of values in 0..1 with its interval, as by :func:`viva.analysis.share`."""
    found = share(
        values,
        cluster,
        generator=draws.generator,
        resamples=draws.resamples,
        level=draws.level,
    )
    return Estimate(found.accuracy, found.low, found.high, found.n, None if found.n else reason)


def difference(
    values: NDArray[np.float64],
    cluster: NDArray[np.int64],
    draws: Resampling,
    reason: str,
    *,
    widest: float = 1.0,
) -> Estimate:
    """Mean of paired differences in points, with its weighted cluster bootstrap interval.

    Parameters
    ----------
    values : ndarray of float, shape (P,)
        Each within plus and minus ``widest``.
    """
    n = len(values)
    if n == 0:
        return Estimate(None, None, None, 0, reason)
    found = patterns(np.zeros(n, np.int64), values, cluster, cells=1, low=-widest, high=widest)
    drawn = cell_mean_draws(found, resamples=draws.resamples, generator=draws.generator)[0]
    estimate = 100 * float(values.mean())
    low, high = percentile_interval(100 * drawn, estimate, level=draws.level)
    return Estimate(estimate, low, high, n)


def excess(
    f: NDArray[np.float64],
    b: NDArray[np.float64],
    cluster: NDArray[np.int64],
    draws: Resampling,
    reason: str,
) -> Estimate:
    """``(mean f - mean b) / (1 - mean b)``, the share added to those that b leaves.

    Both means are drawn together: a cluster has one weight on both sides. Abbott's formula,
    Journal of Economic Entomology 18, 265-267 (1925).

    Parameters
    ----------
    f, b : ndarray of float, shape (P,)
        In 0..1, of the same pairs.
    """
    n = len(f)
    if n == 0:
        return Estimate(None, None, None, 0, reason)
    mean_f, mean_b = float(f.mean()), float(b.mean())
    if mean_b == 1:
        return Estimate(None, None, None, n, "every answer is on the cue without it")
    cell = np.repeat(np.arange(2), n)
    found = patterns(cell, np.concatenate([f, b]), np.tile(cluster, 2), cells=2)
    drawn = cell_mean_draws(found, resamples=draws.resamples, generator=draws.generator)
    with np.errstate(divide="ignore"):
        ratio = 1 - (1 - drawn[0]) / (1 - drawn[1])
    estimate = (mean_f - mean_b) / (1 - mean_b)
    low, high = percentile_interval(ratio, estimate, level=draws.level)
    return Estimate(estimate, low, high, n)


def change_test(
    difference: NDArray[np.float64], cluster: NDArray[np.int64], generator: np.random.Generator
) -> ChangeTest | None:
    """Tests on second minus first side, values in -1..1; None without pairs."""
    if not len(difference):
        return None
    _, code = np.unique(cluster, return_inverse=True)
    flip = sign_flip(np.bincount(code, weights=difference), generator=generator)
    clusters = int(code.max()) + 1
    if not np.isin(difference, (-1, 0, 1)).all():
        return ChangeTest(None, None, clusters, None, flip.p_mid, flip.p)
    lost, gained = int(np.sum(difference < 0)), int(np.sum(difference > 0))
    p = mcnemar_test(lost, gained).p
    return ChangeTest(lost, gained, clusters, p, flip.p_mid, flip.p)


class Placed(Protocol):
    """Rows with their benchmark, stratum and cluster, such as pairs. Arrays of shape (P,)."""

    @property
    def benchmark_names(self) -> tuple[str, ...]:
        """Names behind the codes in ``benchmark``."""
        ...

    @property
    def benchmark(self) -> NDArray[np.int64]:
        """Code of the benchmark."""
        ...

    @property
    def stratum(self) -> NDArray[np.int64]:
        """1 reasoning, 0 knowledge, -1 none."""
        ...

    @property
    def cluster(self) -> NDArray[np.int64]:
        """Equal codes are resampled together."""
        ...


def within_difference(
    values: NDArray[np.float64],
    kept: NDArray[np.bool_],
    pairs: Placed,
    draws: Resampling,
    *,
    low: float = -1.0,
    unit: str = "pairs",
) -> Gap:
    """Mean on reasoning minus mean on knowledge pairs within benchmarks, in points.

    The estimator ``within`` of :func:`viva.analysis.reasoning_gaps`, weights
    ``n_R n_K / (n_R + n_K)``, on any value of the kept pairs.

    Parameters
    ----------
    values : ndarray of float, shape (P,)
        Between ``low`` and 1.
    kept : ndarray of bool, shape (P,)
    unit : str
        What the rows are, in reasons.
    """
    cells = _cells.find_cells(pairs.benchmark, pairs.stratum, keep=kept)
    weights = _cells.within(cells)
    used = weights != 0
    present = np.unique(pairs.benchmark[kept]).tolist()
    inside = {b for b, _, _ in cells.two_sided()}
    left_out = {
        pairs.benchmark_names[b]: f"fewer than {SMALLEST_SIDE} {unit} of a stratum"
        for b in present
        if b not in inside
    }
    if not used.any():
        return no_gap(NONE_TWO_SIDED.replace("items", unit), left_out=left_out)
    found = patterns(
        cells.code, values, pairs.cluster, cells=cells.count, low=low, prior=cells.prior
    )
    drawn = cell_mean_draws(found, resamples=draws.resamples, generator=draws.generator)
    estimate = 100 * float(weights[used] @ cells.means(values)[used])
    ends = percentile_interval(100 * (weights[used] @ drawn[used]), estimate, level=draws.level)
    return Gap(
        estimate,
        *ends,
        int(cells.size[used].sum()),
        benchmarks=tuple(pairs.benchmark_names[b] for b in sorted(inside)),
        left_out=left_out,
        smallest_cell=int(cells.size[used].min()),
    )
