"""Answering only where sure: accuracy at a coverage, and the area under the risk-coverage curve.

Answers are sorted by the signal, the surest first; equal signals count as sorted at random among
themselves, so that every number here is the mean over such sortings.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from viva.analysis._calibration import NO_SIGNAL
from viva.analysis._estimates import Estimate
from viva.analysis.intervals import normal_quantile, wilson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["RiskCoverage", "risk_coverage"]

SMALLEST_PART = 10
"""Answers that a selected part must hold for its accuracy to be told."""
_CURVE = 50
"""Points of the curve, for a figure."""


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """What is gained by leaving the least sure answers unanswered.

    Parameters
    ----------
    aurc : Estimate
        Mean over coverages of the share not right among the surest, 0..1; lower is better; the
        share not right of all answers is what a signal without information gives.
    selective : dict of str to Estimate
        Accuracy of the surest part at each coverage (``"0.5"``), 0..1; ``n`` is its size, rounded.
    curve : tuple of (float, float)
        Coverage and share not right, for a figure.
    """

    aurc: Estimate
    selective: dict[str, Estimate]
    curve: tuple[tuple[float, float], ...]


def _sums(influence: NDArray[np.float64], cluster: NDArray[np.int64]) -> float:
    """Variance of the mean of influence values, clusters summed first."""
    _, owner = np.unique(cluster, return_inverse=True)
    sums = np.bincount(owner, influence)
    groups = len(sums)
    correction = groups / (groups - 1) if groups > 1 else 1.0
    return correction * float(sums @ sums) / len(influence) ** 2


def risk_coverage(
    signal: NDArray[np.float64],
    right: NDArray[np.float64],
    cluster: NDArray[np.int64],
    *,
    coverages: Sequence[float],
    level: float,
) -> RiskCoverage:
    """Risk-coverage curve, its area and selective accuracies (El-Yaniv and Wiener 2010).

    Intervals come from influence functions summed over clusters; they hold the doubt about where
    the threshold lies. Wilson's interval at the effective number of answers for accuracies, the
    logit scale for the area.
    """
    n = len(signal)
    if not n:
        none = Estimate(None, None, None, 0, NO_SIGNAL)
        return RiskCoverage(none, {f"{c:g}": none for c in coverages}, ())
    order = np.argsort(-signal, kind="stable")
    _, tie, size = np.unique(-signal[order], return_inverse=True, return_counts=True)
    # Equal signals: everyone has the mean of the tie.
    won = (np.bincount(tie, right[order]) / size)[tie]
    wrong = np.concatenate([[0.0], np.cumsum(1 - won)])
    covered = np.arange(1, n + 1)
    risk = wrong[1:] / covered
    points = np.unique(np.linspace(1, n, min(_CURVE, n)).round().astype(int)) - 1
    curve = tuple((float(covered[i] / n), float(risk[i])) for i in points)
    place = np.empty(n, np.int64)
    place[order] = np.arange(n)
    selective = {
        f"{c:g}": _accuracy_at(c, won, wrong, tie, place, right, cluster, level) for c in coverages
    }
    return RiskCoverage(_area(risk, won, tie, place, right, cluster, level), selective, curve)


def _accuracy_at(
    coverage: float,
    won: NDArray[np.float64],
    wrong: NDArray[np.float64],
    tie: NDArray[np.int64],
    place: NDArray[np.int64],
    right: NDArray[np.float64],
    cluster: NDArray[np.int64],
    level: float,
) -> Estimate:
    n = len(won)
    part = coverage * n
    if part < SMALLEST_PART:
        return Estimate(None, None, None, round(part), f"fewer than {SMALLEST_PART} answers")
    accuracy = 1 - float(np.interp(part, np.arange(n + 1), wrong)) / part
    last = min(max(math.ceil(part) - 1, 0), n - 1)
    # Accuracy at the threshold: the tie that lies across it, and its neighbours.
    reach = max(10, round(n ** (2 / 3) / 2))
    first_of, last_of = np.searchsorted(tie, [tie[last], tie[last] + 1])
    near = slice(min(int(first_of), max(last - reach, 0)), max(int(last_of), last + reach + 1))
    here = float(won[near].mean())
    # Members of the tie are in the part with the share of it that lies there.
    inside = np.clip(part - first_of, 0, last_of - first_of) / (last_of - first_of)
    held = np.where(tie < tie[last], 1.0, np.where(tie == tie[last], inside, 0.0))[place]
    influence = (held * (right - here) - coverage * (accuracy - here)) / coverage
    variance = _sums(influence, cluster)
    spread = accuracy * (1 - accuracy)
    effective = part
    if variance > 0 and spread > 0:
        effective = min(spread / variance, 4 * part)
    low, high = wilson(accuracy * effective, effective, level=level)
    return Estimate(accuracy, float(low), float(high), round(part))


def _wilson(share: float, n: float, level: float) -> Estimate:
    low, high = wilson(share * n, n, level=level)
    return Estimate(share, float(low), float(high), round(n))


def _area(
    risk: NDArray[np.float64],
    won: NDArray[np.float64],
    tie: NDArray[np.int64],
    place: NDArray[np.int64],
    right: NDArray[np.float64],
    cluster: NDArray[np.int64],
    level: float,
) -> Estimate:
    """AURC (Geifman, Uziel and El-Yaniv 2019) = E[wrong x -ln G], G the share at least as sure."""
    n = len(risk)
    area = float(risk.mean())
    if area in (0.0, 1.0):
        return _wilson(area, n, level)
    share = np.arange(1, n + 1) / n
    weight = np.cumsum((1 / np.arange(1, n + 1))[::-1])[::-1]  # sum over k >= rank of 1 / k
    size = np.bincount(tie)
    weight = (np.bincount(tie, weight) / size)[tie]
    wrong = 1 - won
    below = (wrong / share)[::-1].cumsum()[::-1] / n  # E[wrong 1(rank >= own) / G]
    below = (np.bincount(tie, below) / size)[tie]
    influence = (1 - right) * weight[place] - area - below[place] + wrong.mean()
    error = math.sqrt(_sums(influence - influence.mean(), cluster))
    if error == 0:
        return _wilson(area, n, level)
    logit = math.log(area / (1 - area))
    reach = normal_quantile(0.5 + level / 2) * error / (area * (1 - area))
    low, high = (
        1 / (1 + math.exp(-min(max(x, -700.0), 700.0))) for x in (logit - reach, logit + reach)
    )
    return Estimate(area, low, high, n)
