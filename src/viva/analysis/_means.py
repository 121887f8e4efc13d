"""Means of values that are all different, drawn together.

:mod:`viva.analysis.resampling` draws one weight for all clusters that are alike; where no two are,
because values are continuous, one matrix product for several means at once is faster.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from viva.analysis._estimates import Estimate
from viva.analysis.resampling import percentile_interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from viva.analysis._estimates import Resampling

__all__ = ["joint_means", "weighted_sum_draws"]

_BLOCK = 4_000_000
"""Random weights held at once."""


def joint_means(
    wanted: Mapping[str, tuple[NDArray[np.float64], float, float, float]],
    cluster: NDArray[np.int64],
    draws: Resampling,
    reason: str,
) -> dict[str, Estimate]:
    """Means with weighted cluster bootstrap intervals, as by ``cell_mean_draws`` with one cell.

    Parameters
    ----------
    wanted : mapping of str to (values, low, high, factor)
        Values of shape (N,), the least and the greatest a mean can be (Jeffreys' prior is half a
        cluster at either), and what the mean is multiplied by.
    cluster : ndarray of int, shape (N,)
    """
    n = len(cluster)
    if not n:
        return {name: Estimate(None, None, None, 0, reason) for name in wanted}
    _, owner = np.unique(cluster, return_inverse=True)
    size = np.bincount(owner).astype(float)
    typical = float((size**2).sum()) / n
    columns = [np.bincount(owner, values) for values, _, _, _ in wanted.values()]
    lows = [typical * low for _, low, _, _ in wanted.values()]
    highs = [typical * high for _, _, high, _ in wanted.values()]
    sums = np.vstack([np.column_stack([*columns, size]), [*lows, typical], [*highs, typical]])
    shape = np.array([*np.ones(len(size)), 0.5, 0.5])
    drawn = weighted_sum_draws(sums, shape, resamples=draws.resamples, generator=draws.generator)
    out = {}
    for k, (name, (values, _, _, factor)) in enumerate(wanted.items()):
        estimate = factor * float(values.mean())
        ends = percentile_interval(factor * drawn[:, k] / drawn[:, -1], estimate, level=draws.level)
        out[name] = Estimate(estimate, *ends, n)
    return out


def weighted_sum_draws(
    sums: NDArray[np.float64],
    shape: NDArray[np.float64],
    *,
    resamples: int,
    generator: np.random.Generator,
) -> NDArray[np.float64]:
    """Bootstrap of several sums over clusters at once, one random weight per cluster.

    Parameters
    ----------
    sums : ndarray of float, shape (G, K)
        What each cluster brings.
    shape : ndarray of float, shape (G,)
        Gamma shape of its weight: 1 for a cluster, less for one that a prior adds.
    resamples : int
        Draws, R.
    generator : numpy.random.Generator

    Returns
    -------
    ndarray of float, shape (R, K)
        Sum of weight x sums.
    """
    out = np.empty((resamples, sums.shape[1]))
    step = max(1, _BLOCK // max(len(sums), 1))
    odd = np.flatnonzero(shape != 1)
    small = sums.astype(np.float32)
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        # Exponential weights are Gamma of shape 1, and drawn faster.
        weights = generator.standard_exponential((rows, len(sums)), dtype=np.float32)
        if len(odd):
            weights = generator.standard_gamma(
                shape.astype(np.float32), (rows, len(sums)), np.float32
            )
        out[start : start + rows] = weights @ small
    return out
