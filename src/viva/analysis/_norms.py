"""Intervals of sizes: how far from zero a vector is, when noise alone makes it longer.

A largest gap, a spread or a calibration error is the norm of a vector that was measured with
noise. Noise lengthens a vector: where nothing differs the norm is above 0, and a percentile
interval never reaches down to 0. Here the interval is made of all sizes that could have given the
norm observed: the observed deviations are scaled by ``t``, noise is added, and the ``t`` are sought
at which the observed norm is an upper or a lower quantile of what comes out: a test inverted. It
holds 0 exactly where that test does not reject "nothing differs".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from viva.analysis._estimates import Estimate

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Norm = Callable[[NDArray[np.float64]], NDArray[np.float64]]

__all__ = ["absolute_sum", "norm_estimate", "spread", "widest"]

_STEPS = 22
"""Halvings of the search: the scale is found to about a millionth of its bracket."""
_LARGEST_SCALE = 64.0


def widest(deviations: NDArray[np.float64]) -> NDArray[np.float64]:
    """Largest minus smallest. Shape (..., K) to (...)."""
    out: NDArray[np.float64] = deviations.max(axis=-1) - deviations.min(axis=-1)
    return out


def spread(deviations: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard deviation over the K values, divisor K. Shape (..., K) to (...)."""
    out: NDArray[np.float64] = deviations.std(axis=-1)
    return out


def absolute_sum(deviations: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of absolute values. Shape (..., K) to (...)."""
    out: NDArray[np.float64] = np.abs(deviations).sum(axis=-1)
    return out


def _scale(
    deviations: NDArray[np.float64],
    noise: NDArray[np.float64],
    norm: Norm,
    observed: float,
    quantile: float,
) -> float:
    """The ``t >= 0`` at which ``observed`` is this quantile of ``norm(t deviations + noise)``."""

    def reached(t: float) -> bool:
        return float(np.quantile(norm(t * deviations + noise), quantile)) >= observed

    if reached(0.0):
        return 0.0
    low, high = 0.0, 1.0
    while not reached(high):
        low, high = high, 2 * high
        if high > _LARGEST_SCALE:
            return low
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high


def norm_estimate(
    deviations: NDArray[np.float64],
    noise: NDArray[np.float64],
    norm: Norm,
    *,
    n: int,
    level: float,
    factor: float = 1.0,
) -> tuple[Estimate, float]:
    """A norm with its interval, and the size that would give it at the median.

    Parameters
    ----------
    deviations : ndarray of float, shape (K,)
        As observed.
    noise : ndarray of float, shape (R, K)
        Draws of what sampling adds to them, of mean 0.
    norm : callable
        Of homogeneous degree 1, over the last axis.
    n : int
        The denominator to state.
    level : float
        Confidence level, in (0, 1).
    factor : float
        Multiplies all results (100 for points).

    Returns
    -------
    Estimate
        The norm as observed, which noise makes too large; the interval is widened to hold it.
    float
        The median-unbiased size: 0 where noise alone gives such a norm every second time.
    """
    observed = float(norm(deviations))
    scales = [
        _scale(deviations, noise, norm, observed, quantile)
        for quantile in (0.5 + level / 2, 0.5, 0.5 - level / 2)
    ]
    low, middle, high = (factor * t * observed for t in scales)
    estimate = factor * observed
    return Estimate(estimate, min(low, estimate), max(high, estimate), n), min(middle, estimate)
