"""Slope of right answers on a covariate inside cells, with cluster-robust interval.

The Mantel-Haenszel weighted gap ``sum w gap / sum w`` with ``w = n_R n_K / (n_R + n_K)`` is the
least-squares slope of y on the 0/1 stratum with a constant per cell; the soft gap is the same
slope on ``p_reasoning``. Written so, both are linear in y with fixed coefficients, and cells of
one or two items, inside which nothing can be resampled, still tell about the error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from viva.analysis.intervals import normal_quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Slope", "score_interval", "within_slope"]


@dataclass(frozen=True, slots=True, eq=False)
class Slope:
    """A slope, the score of each cluster (its pull on the estimate) and ``sum of x_within**2``."""

    estimate: float
    scores: NDArray[np.float64]
    spread: float


def within_slope(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    cell: NDArray[np.int64],
    cluster: NDArray[np.int64],
) -> Slope | None:
    """Least-squares slope of y on x with a constant per cell.

    Parameters
    ----------
    x, y : ndarray of float, shape (N,)
    cell, cluster : ndarray of int, shape (N,)

    Returns
    -------
    Slope or None
        None where x does not vary inside any cell. Scores carry the CR2 adjustment (Bell and
        McCaffrey 2002) for the cell constants, exactly, and for the slope by its leverage, so
        that the sum of their squares estimates the variance without bias where a cell has only
        two items; with separate items this is HC2.
    """
    _, cell = np.unique(cell, return_inverse=True)
    _, cluster = np.unique(cluster, return_inverse=True)
    n = np.bincount(cell)
    x_within = x - (np.bincount(cell, weights=x) / n)[cell]
    y_within = y - (np.bincount(cell, weights=y) / n)[cell]
    spread = float(x_within @ x_within)
    if spread <= 1e-12 * max(len(x), 1):
        return None
    slope = float(x_within @ y_within) / spread
    residual = y_within - slope * x_within

    entry, inverse = np.unique(cluster * len(n) + cell, return_inverse=True)
    owner, place = entry // len(n), entry % len(n)
    size = np.bincount(inverse).astype(np.float64)
    pull = np.bincount(inverse, weights=x_within * residual)
    mean_residual = np.bincount(inverse, weights=residual) / size
    lever = np.bincount(inverse, weights=x_within)
    share = size / n[place]
    # A cluster that fills its cell has lever 0, whatever the factor.
    factor = np.where(share < 1, 1 / np.sqrt(np.maximum(1 - share, 1e-12)), 1.0)
    scores = np.bincount(owner, weights=pull + (factor - 1) * lever * mean_residual) / spread
    leverage = np.bincount(owner, weights=np.bincount(inverse, weights=x_within**2)) / spread
    return Slope(slope, scores / np.sqrt(np.clip(1 - leverage, 0.05, 1.0)), spread)


def score_interval(slope: Slope, *, level: float = 0.95) -> tuple[float, float]:
    """Second-order interval of a linear estimate from the scores of its clusters.

    The limit of the weighted cluster bootstrap for infinitely many resamples, with the third
    cumulant of the scores correcting both ends for skewness (Hall 1992, The Bootstrap and
    Edgeworth Expansion, section 3.10: the shift of the studentised and BCa intervals,
    ``skewness (2 z**2 + 1) / 6``).
    """
    z = normal_quantile(0.5 + level / 2)
    variance = float(np.sum(slope.scores**2))
    if variance <= 0:
        return slope.estimate, slope.estimate
    deviation = variance**0.5
    shift = float(np.sum(slope.scores**3)) / variance * (2 * z * z + 1) / 6
    return slope.estimate + shift - z * deviation, slope.estimate + shift + z * deviation
