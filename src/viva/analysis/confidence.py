"""Does a model know when it is right? Calibration, ranking and selective answering.

A signal says how sure an answer is: the confidence a method gives (a vote's share), the probability
of the option, the confidence stated in words, the length of the response (the shorter the surer is
a hypothesis: AUROC says). An answer that was not read is not right, whatever its signal; an answer
without a signal is left out of the measures of that signal and counted. ``docs/confidence.md`` has
the formulas.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from viva.analysis._calibration import NO_SIGNAL, Brier, Calibration, brier, calibration
from viva.analysis._columns import cluster_codes
from viva.analysis._estimates import Estimate, Resampling, mean_of
from viva.analysis._means import joint_means
from viva.analysis._selective import RiskCoverage, risk_coverage
from viva.analysis.efficiency import SMALLEST_CLASS, length_auroc
from viva.analysis.intervals import check_level
from viva.analysis.paired_tests import sign_flip
from viva.analysis.resampling import stream
from viva.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "BINS",
    "COVERAGES",
    "ConfidenceChange",
    "ConfidenceMeasures",
    "Ranking",
    "confidence_change",
    "measure_confidence",
    "rank_by_signal",
]

BINS = 10
"""Bins of a reliability table."""
COVERAGES = (0.5, 0.7, 0.8, 0.9, 1.0)
"""Parts of the answers, the surest first, whose accuracy is told."""
_FLIPS = 10_000


@dataclass(frozen=True, slots=True)
class Ranking:
    """How well a signal tells right from not right answers.

    Parameters
    ----------
    auroc : Estimate
        Probability that a right answer is surer than one that is not, of the same benchmark, ties
        half; 0.5 = no information. ``n`` answers.
    auroc_pooled : Estimate
        The same over all pairs, also of two benchmarks: it holds which benchmark is easy.
    risk_coverage : RiskCoverage
    """

    auroc: Estimate
    auroc_pooled: Estimate
    risk_coverage: RiskCoverage


@dataclass(frozen=True, slots=True)
class ConfidenceMeasures:
    """All measures of a confidence in 0..1.

    Parameters
    ----------
    n : int
        Graded answers with the signal.
    accuracy, confidence : Estimate
        Means of those, 0..1.
    overconfidence : Estimate
        ``confidence - accuracy``, in points; above 0 = surer than right.
    equal_width, equal_mass : Calibration
        Calibration over bins of equal width and of equal numbers.
    brier : Brier
    ranking : Ranking
    """

    n: int
    accuracy: Estimate
    confidence: Estimate
    overconfidence: Estimate
    equal_width: Calibration
    equal_mass: Calibration
    brier: Brier
    ranking: Ranking


class _Rows(NamedTuple):
    """Answers with where they belong. Arrays of shape (N,)."""

    signal: NDArray[np.float64]
    right: NDArray[np.float64]
    benchmark: NDArray[np.int64]
    cluster: NDArray[np.int64]


def _rows(
    signal: ArrayLike, right: ArrayLike, benchmark: ArrayLike | None, cluster: ArrayLike | None
) -> _Rows:
    values, won = np.asarray(signal, np.float64), np.asarray(right, np.float64)
    n = len(values)
    if np.any(~((won >= 0) & (won <= 1))):
        raise InputError("a value is outside 0..1", mend="Unread answers are 0; leave out ungraded")
    if not np.isfinite(values).all():
        raise InputError("a signal is not a number", mend="Leave out answers without one")
    code = cluster_codes(np.zeros(n) if benchmark is None else benchmark, n)
    own = cluster_codes(cluster, n)
    if not n == len(won) == len(code) == len(own):
        raise InputError("signals, values and the other columns differ in number")
    return _Rows(values, won, code, own)


def _auroc(rows: _Rows, benchmark: NDArray[np.int64], level: float) -> Estimate:
    n = len(rows.signal)
    # A wrong answer that is "longer" in minus the signal is a right answer that is surer.
    found = length_auroc(-rows.signal, rows.right >= 0.5, benchmark, rows.cluster, level=level)
    if found is None:
        reason = f"fewer than {SMALLEST_CLASS} right or {SMALLEST_CLASS} other answers to compare"
        return Estimate(None, None, None, n, reason)
    return Estimate(*found, n)


def _ranking(rows: _Rows, coverages: Sequence[float], level: float) -> Ranking:
    return Ranking(
        _auroc(rows, rows.benchmark, level),
        _auroc(rows, np.zeros_like(rows.benchmark), level),
        risk_coverage(rows.signal, rows.right, rows.cluster, coverages=coverages, level=level),
    )


def _check(bins: int, coverages: Sequence[float], resamples: int, level: float) -> None:
    check_level(level)
    if bins < 1:
        raise InputError(f"{bins} bins", mend="Use at least 1, usually 10")
    if not all(0 < c <= 1 for c in coverages):
        raise InputError("a coverage is outside (0, 1]")
    if resamples < 1:
        raise InputError(f"resamples is {resamples}", mend="Use at least 1, better 2000")


def rank_by_signal(
    signal: ArrayLike,
    right: ArrayLike,
    *,
    benchmark: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    coverages: Sequence[float] = COVERAGES,
    level: float = 0.95,
) -> Ranking:
    """AUROC, risk-coverage curve and selective accuracy of any signal, larger = surer.

    Parameters
    ----------
    signal : array_like of float, shape (N,)
        Any unit, finite.
    right : array_like of float, shape (N,)
        0..1; for AUROC an answer counts as right from 0.5.
    benchmark, cluster : array_like, shape (N,), optional
        Default: one benchmark, every answer on its own.
    coverages : sequence of float
        In (0, 1].
    level : float
        Confidence level, in (0, 1).

    Returns
    -------
    Ranking

    Raises
    ------
    InputError
        For values out of range, columns of different length, settings out of range.

    Notes
    -----
    AUROC with the variance of DeLong et al. (1988) summed over clusters, as
    :func:`viva.analysis.length_auroc`. AURC: Geifman, Uziel and El-Yaniv (2019), "Bias-reduced
    uncertainty estimation for deep neural classifiers".
    """
    _check(1, coverages, 1, level)
    return _ranking(_rows(signal, right, benchmark, cluster), coverages, level)


def measure_confidence(
    confidence: ArrayLike,
    right: ArrayLike,
    *,
    benchmark: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    bins: int = BINS,
    coverages: Sequence[float] = COVERAGES,
    name: str = "",
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> ConfidenceMeasures:
    """Calibration, Brier score, AUROC and selective accuracy of confidences.

    Parameters
    ----------
    confidence : array_like of float, shape (N,)
        Of the answer given, 0..1.
    right : array_like of float, shape (N,)
        0..1.
    benchmark, cluster, coverages, level
        As :func:`rank_by_signal`.
    bins : int
        Bins of both schemes, >= 1.
    name : str
        Draws depend on it and on the seed alone.
    resamples, seed : int
        Of the bootstrap, for calibration, Brier score and overconfidence.

    Returns
    -------
    ConfidenceMeasures

    Raises
    ------
    InputError
        For values outside 0..1, columns of different length, settings out of range.

    Notes
    -----
    ECE: Guo et al. (2017), Naeini et al. (2015). Debiased: twice the observed error less the mean
    that noise around it would give, the bootstrap correction of Kumar, Liang and Ma (2019) in
    closed form. Its interval inverts a test along the observed gaps (the percentile bootstrap of an
    ECE never reaches 0). Brier (1950), parts by Murphy (1973).
    """
    _check(bins, coverages, resamples, level)
    rows = _rows(confidence, right, benchmark, cluster)
    draws = Resampling(stream(seed, "confidence", name), resamples, level)
    if np.any((rows.signal < 0) | (rows.signal > 1)):
        raise InputError("a confidence is outside 0..1")
    columns = (rows.signal, rows.right, rows.cluster)
    means = {
        "confidence": (rows.signal, 0.0, 1.0, 1.0),
        "overconfidence": (rows.signal - rows.right, -1.0, 1.0, 100.0),
    }
    return ConfidenceMeasures(
        n=len(rows.signal),
        accuracy=mean_of(rows.right, rows.cluster, draws, NO_SIGNAL),
        **joint_means(means, rows.cluster, draws, NO_SIGNAL),
        equal_width=calibration(*columns, draws, scheme="equal_width", bins=bins),
        equal_mass=calibration(*columns, draws, scheme="equal_mass", bins=bins),
        brier=brier(*columns, draws, bins=bins),
        ranking=_ranking(rows, coverages, draws.level),
    )


@dataclass(frozen=True, slots=True)
class ConfidenceChange:
    """What misleading does to confidence, on pairs of which both answers carry the signal.

    Parameters
    ----------
    n : int
        Such pairs; ``without_signal`` others have a graded answer on both sides.
    clean, misled : Estimate
        Mean confidence of either side, 0..1.
    change : Estimate
        Misled minus clean, in points; negative = less sure.
    p : float or None
        Of "as sure as before": signs of the changes of a cluster flipped (mid-p).
    kept_right, lost, gained, kept_wrong : Estimate
        ``change`` among the pairs whose answer went that way, in points.
    """

    n: int
    without_signal: int
    clean: Estimate
    misled: Estimate
    change: Estimate
    p: float | None
    kept_right: Estimate
    lost: Estimate
    gained: Estimate
    kept_wrong: Estimate


def confidence_change(
    clean: ArrayLike,
    misled: ArrayLike,
    clean_right: ArrayLike,
    misled_right: ArrayLike,
    *,
    cluster: ArrayLike | None = None,
    name: str = "",
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> ConfidenceChange:
    """Does confidence drop under misleading? A paired difference.

    Parameters
    ----------
    clean, misled : array_like of float, shape (P,)
        Confidence of both answers of each pair, 0..1; NaN = none.
    clean_right, misled_right : array_like of bool, shape (P,)
    cluster : array_like, shape (P,), optional
        Default: every pair on its own.
    name, resamples, seed, level
        As :func:`measure_confidence`.

    Returns
    -------
    ConfidenceChange

    Raises
    ------
    InputError
        For confidences outside 0..1, columns of different length, settings out of range.
    """
    _check(1, (), resamples, level)
    before, after = np.asarray(clean, np.float64), np.asarray(misled, np.float64)
    was, now = np.asarray(clean_right, bool), np.asarray(misled_right, bool)
    n = len(before)
    own = cluster_codes(cluster, n)
    if not n == len(after) == len(was) == len(now) == len(own):
        raise InputError("the columns of the pairs differ in length")
    if any(np.any((side < 0) | (side > 1)) for side in (before, after)):
        raise InputError("a confidence is outside 0..1")
    both = ~np.isnan(before) & ~np.isnan(after)
    before, after = before[both], after[both]
    was, now, own = was[both], now[both], own[both]
    draws = Resampling(stream(seed, "confidence change", name), resamples, level)
    shift = after - before
    sides = {
        "clean": (before, 0.0, 1.0, 1.0),
        "misled": (after, 0.0, 1.0, 1.0),
        "change": (shift, -1.0, 1.0, 100.0),
    }
    none = "no pair carries the signal on both sides"

    def of(rows: NDArray[np.bool_]) -> Estimate:
        why = "no such pair carries the signal"
        return joint_means({"": (shift[rows], -1.0, 1.0, 100.0)}, own[rows], draws, why)[""]

    _, code = np.unique(own, return_inverse=True)
    sums = np.bincount(code, shift) if len(shift) else np.zeros(0)
    flip = sign_flip(sums, generator=draws.generator, resamples=_FLIPS) if len(shift) else None
    return ConfidenceChange(
        n=len(shift),
        without_signal=n - len(shift),
        **joint_means(sides, own, draws, none),
        p=None if flip is None else flip.p_mid,
        kept_right=of(was & now),
        lost=of(was & ~now),
        gained=of(~was & now),
        kept_wrong=of(~was & ~now),
    )
