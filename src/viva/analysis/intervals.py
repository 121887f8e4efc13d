"""Closed-form intervals for shares and differences of shares."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from viva.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["check_level", "newcombe", "normal_quantile", "wilson"]


def normal_quantile(probability: float) -> float:
    """Quantile of the standard normal distribution."""
    return NormalDist().inv_cdf(probability)


def check_level(level: float) -> None:
    """Raise InputError unless the confidence level lies in (0, 1)."""
    if not 0 < level < 1:
        raise InputError(f"level {level} is not between 0 and 1", mend="Use 0.95 for 95 %")


def _check_share(k: NDArray[np.float64], n: NDArray[np.float64]) -> None:
    if np.any(n < 0) or np.any(k < 0) or np.any(k > n):
        raise InputError("a share needs 0 <= k <= n")


def wilson(
    k: ArrayLike, n: ArrayLike, *, level: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Wilson score interval of a share ``k / n``.

    Parameters
    ----------
    k, n : array_like, broadcast together
        Successes and trials, ``0 <= k <= n``; ``k`` may be fractional (averaged samples).
    level : float
        Confidence level, in (0, 1).

    Returns
    -------
    low, high : ndarray of float
        In 0..1; NaN where ``n`` is 0.

    Raises
    ------
    InputError
        Where ``k`` is outside 0..n or the level outside (0, 1).

    References
    ----------
    Wilson (1927), JASA 22, 209-212.
    """
    check_level(level)
    z = normal_quantile(0.5 + level / 2)
    k_, n_ = np.broadcast_arrays(np.asarray(k, float), np.asarray(n, float))
    _check_share(k_, n_)
    with np.errstate(invalid="ignore", divide="ignore"):
        p = k_ / n_
        centre = (p + z * z / (2 * n_)) / (1 + z * z / n_)
        half = z / (1 + z * z / n_) * np.sqrt(p * (1 - p) / n_ + z * z / (4 * n_ * n_))
    low = np.where(k_ == 0, np.where(n_ > 0, 0.0, np.nan), np.maximum(centre - half, 0.0))
    high = np.where((k_ == n_) & (n_ > 0), 1.0, np.minimum(centre + half, 1.0))
    return low, high


def newcombe(
    k1: ArrayLike, n1: ArrayLike, k2: ArrayLike, n2: ArrayLike, *, level: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Hybrid score interval of a difference of independent shares, ``k1 / n1 - k2 / n2``.

    Parameters
    ----------
    k1, n1, k2, n2 : array_like, broadcast together
        Successes and trials of both sides.
    level : float
        Confidence level, in (0, 1).

    Returns
    -------
    low, high : ndarray of float
        In -1..1; NaN where a side has no trials.

    Raises
    ------
    InputError
        As :func:`wilson`.

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17, 873-890, method 10.
    """
    low1, high1 = wilson(k1, n1, level=level)
    low2, high2 = wilson(k2, n2, level=level)
    with np.errstate(invalid="ignore", divide="ignore"):
        p1 = np.asarray(k1, float) / np.asarray(n1, float)
        p2 = np.asarray(k2, float) / np.asarray(n2, float)
    low = p1 - p2 - np.sqrt((p1 - low1) ** 2 + (high2 - p2) ** 2)
    high = p1 - p2 + np.sqrt((high1 - p1) ** 2 + (p2 - low2) ** 2)
    return low, high
