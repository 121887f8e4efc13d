"""Calibration of confidences: bins, expected calibration error, Brier score and its parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from viva.analysis import _norms
from viva.analysis._estimates import Estimate, Resampling
from viva.analysis._means import joint_means, weighted_sum_draws
from viva.analysis.intervals import wilson

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NO_SIGNAL", "Bin", "Brier", "Calibration", "Scheme", "bins_of", "brier", "calibration"]

Scheme = Literal["equal_width", "equal_mass"]
NO_SIGNAL = "no answer carries the signal"


@dataclass(frozen=True, slots=True)
class Bin:
    """One row of a reliability table.

    Parameters
    ----------
    low, high : float
        Smallest and largest confidence of the bin (its edges, where widths are equal).
    n : int
        Answers.
    confidence, accuracy : float
        Means, 0..1.
    accuracy_low, accuracy_high : float
        Wilson's interval of the accuracy, at Kish's effective number of clusters.
    """

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float
    accuracy_low: float
    accuracy_high: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """Expected calibration error over one set of bins.

    Parameters
    ----------
    ece : Estimate
        Mean over answers of |accuracy - confidence| of their bin, 0..1. Noise makes it too large.
    ece_debiased : Estimate
        Less what sampling alone adds; the same interval, which reaches 0 for a calibrated model.
    max_error : float or None
        Largest |accuracy - confidence| of a bin.
    bins : tuple of Bin
        Without empty ones.
    """

    ece: Estimate
    ece_debiased: Estimate
    max_error: float | None
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class Brier:
    """Brier score of "this answer is right", and Murphy's parts over bins.

    Parameters
    ----------
    score : Estimate
        Mean squared difference of confidence and right, 0..1; lower is better.
    reliability, resolution, uncertainty, within : float or None
        score = reliability - resolution + uncertainty + within; ``within`` is what bins hide,
        0 where confidences inside bins are equal.
    """

    score: Estimate
    reliability: float | None
    resolution: float | None
    uncertainty: float | None
    within: float | None


def bins_of(
    confidence: NDArray[np.float64], scheme: Scheme, bins: int
) -> tuple[NDArray[np.int64], NDArray[np.float64] | None]:
    """Bin of each confidence, and the edges where widths are equal.

    Equal widths: (edge, next edge], the first with its lower edge (Guo et al. 2017). Equal mass:
    ranks cut into equal parts; equal confidences share a bin, that of the middle of their ranks.
    """
    if scheme == "equal_width":
        edges = np.linspace(0, 1, bins + 1)
        return np.clip(np.searchsorted(edges, confidence, "left") - 1, 0, bins - 1), edges
    n = len(confidence)
    ordered = np.sort(confidence)
    first = np.searchsorted(ordered, confidence, "left")
    last = np.searchsorted(ordered, confidence, "right")
    middle = (first + last) / 2
    return np.clip((middle * bins / max(n, 1)).astype(np.int64), 0, bins - 1), None


def _effective(
    code: NDArray[np.int64], cluster: NDArray[np.int64], bins: int
) -> NDArray[np.float64]:
    """Kish's effective number of clusters of each bin."""
    pair, count = np.unique(np.stack([code, cluster]), axis=1, return_counts=True)
    size = np.bincount(pair[0], count, minlength=bins)
    squares = np.bincount(pair[0], count.astype(float) ** 2, minlength=bins)
    return np.divide(size**2, squares, out=np.zeros(bins), where=squares > 0)


def calibration(
    confidence: NDArray[np.float64],
    right: NDArray[np.float64],
    cluster: NDArray[np.int64],
    draws: Resampling,
    *,
    scheme: Scheme,
    bins: int,
) -> Calibration:
    """Expected calibration error, plain and debiased, with the table it is made from."""
    from viva.strata.metrics import debiased_sum

    n = len(confidence)
    if not n:
        none = Estimate(None, None, None, 0, NO_SIGNAL)
        return Calibration(none, none, None, ())
    code, edges = bins_of(confidence, scheme, bins)
    full, code = np.unique(code, return_inverse=True)
    count = np.bincount(code).astype(float)
    sure, won = np.bincount(code, confidence) / count, np.bincount(code, right) / count
    effective = _effective(code, cluster, len(full))
    noise = _noise(code, right - confidence, sure, cluster, draws)
    observed, _ = _norms.norm_estimate(
        (won - sure) * count / n, noise, _norms.absolute_sum, n=n, level=draws.level
    )
    assert observed.low is not None
    assert observed.high is not None
    fair = debiased_sum(count / n, np.abs(won - sure), won, effective)
    ends = min(observed.low, fair), max(observed.high, fair)
    lows, highs = wilson(won * effective, effective, level=draws.level)
    smallest = [float(confidence[code == b].min()) for b in range(len(full))]
    largest = [float(confidence[code == b].max()) for b in range(len(full))]
    if edges is not None:
        smallest, largest = edges[full].tolist(), edges[full + 1].tolist()
    table = zip(smallest, largest, count.astype(int).tolist(), sure.tolist(), won.tolist(),
                lows.tolist(), highs.tolist(), strict=True)  # fmt: skip
    return Calibration(
        observed,
        Estimate(fair, *ends, n),
        float(np.abs(won - sure).max()),
        tuple(Bin(*row) for row in table),
    )


def _noise(
    code: NDArray[np.int64],
    miss: NDArray[np.float64],
    sure: NDArray[np.float64],
    cluster: NDArray[np.int64],
    draws: Resampling,
) -> NDArray[np.float64]:
    """Draws of what sampling adds to (accuracy - confidence) x share of each bin. Shape (R, B)."""
    bins = len(sure)
    _, owner = np.unique(cluster, return_inverse=True)
    clusters = int(owner.max()) + 1
    sums = np.zeros((clusters, bins + 1))
    np.add.at(sums, (owner, code), miss)
    sums[:, bins] = np.bincount(owner)
    # One answer of Jeffreys' prior spread over the bins: a bin that is all right can still be off.
    typical = len(miss) / clusters
    prior = np.zeros((2 * bins, bins + 1))
    prior[np.arange(bins), np.arange(bins)] = -sure * typical
    prior[bins + np.arange(bins), np.arange(bins)] = (1 - sure) * typical
    prior[:, bins] = typical
    shape = np.concatenate([np.ones(clusters), np.full(2 * bins, 0.5 / bins)])
    drawn = weighted_sum_draws(
        np.vstack([sums, prior]), shape, resamples=draws.resamples, generator=draws.generator
    )
    gaps = drawn[:, :bins] / drawn[:, bins:]
    out: NDArray[np.float64] = gaps - gaps.mean(axis=0)
    return out


def brier(
    confidence: NDArray[np.float64],
    right: NDArray[np.float64],
    cluster: NDArray[np.int64],
    draws: Resampling,
    *,
    bins: int,
) -> Brier:
    """Brier score with Murphy's decomposition over bins of equal mass."""
    if not len(confidence):
        return Brier(Estimate(None, None, None, 0, NO_SIGNAL), None, None, None, None)
    loss = (confidence - right) ** 2
    score = joint_means({"score": (loss, 0, 1, 1)}, cluster, draws, NO_SIGNAL)["score"]
    few = len(np.unique(confidence)) <= bins
    code = np.unique(confidence if few else bins_of(confidence, "equal_mass", bins)[0],
                     return_inverse=True)[1]  # fmt: skip
    count = np.bincount(code).astype(float)
    weight = count / len(code)
    sure, won = np.bincount(code, confidence) / count, np.bincount(code, right) / count
    rate = float(right.mean())
    reliability = float(weight @ (sure - won) ** 2)
    resolution = float(weight @ (won - rate) ** 2)
    # Right may be a mean over samples, whose spread is less than that of single answers.
    uncertainty = float(right.var())
    within = float(loss.mean()) - (reliability - resolution + uncertainty)
    return Brier(score, reliability, resolution, uncertainty, within)
