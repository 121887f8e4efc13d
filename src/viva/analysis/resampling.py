"""Cluster bootstrap of cell means, on counts of distinct clusters instead of on items.

A *cell* is a benchmark x stratum; a *cluster* is a set of items that are resampled together. A
cluster enters only through its pattern: how many items it has in each cell and the sum of their
values. Clusters with the same pattern are exchangeable, so one resample needs one random weight
per pattern, not one index per item: ten thousand separate binary items in 24 cells are 48
patterns. Every mean, gap and difference of the design is a fixed linear combination of cell
means, so one set of draws serves them all.

The weight of a cluster is exponential instead of a multinomial count (Rubin 1981), hence that of
``m`` like clusters Gamma(m). The percentile interval is the classic one to order 1/n, but

* each cell mean is a ratio of weighted sums, so resampling stays inside the cell although a
  cluster may reach over several cells, without giving it a home;
* one Jeffreys prior per stratum, spread evenly over its cells, keeps width where all answers in a
  cell are right; with one cell the interval of a share is Jeffreys' interval itself;
* the shape of the weights removes the (n - 1)/n of the plain bootstrap variance.

``docs/statistics.md`` compares its coverage with that of the plain percentile bootstrap.

References
----------
Rubin (1981), Annals of Statistics 9, 130-134; Brown, Cai and DasGupta (2001), Statistical Science
16, 101-133 (Jeffreys interval); Agresti and Min (2005), Biometrics 61, 515-523 (difference of
proportions under Jeffreys priors).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from viva.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Patterns", "cell_mean_draws", "patterns", "percentile_interval", "stream"]

_LARGE_CELL = 100
"""Clusters in a cell beyond which the shape correction, at most one percent of the width, is
left out: weights of whole shape are sums of exponentials, which are drawn faster."""
_SMALLEST_SHAPE = 0.2
"""Floor of the shape correction, reached in cells of about two clusters."""


def stream(seed: int, *names: str) -> np.random.Generator:
    """A generator that depends on the seed and the names alone, not on the order of calls.

    Parameters
    ----------
    seed : int
        Non-negative.
    *names : str
        What the draws are for, such as the statistic and the model.
    """
    if seed < 0:
        raise InputError(f"seed {seed} is negative")
    digest = hashlib.sha256("\x1f".join(names).encode()).digest()
    key = [int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4)]
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=key)))


@dataclass(frozen=True, slots=True, eq=False)
class Patterns:
    """Distinct clusters. Canonical: independent of the order of items and names of clusters.

    Parameters
    ----------
    weight : ndarray of float, shape (P,)
        How many clusters have the pattern (fractional for the prior).
    shape : ndarray of float, shape (P,)
        Gamma shape for each unit of weight, in (0, 1].
    size, total : ndarray of float, shape (P, C)
        Items and sum of values in each cell.
    """

    weight: NDArray[np.float64]
    shape: NDArray[np.float64]
    size: NDArray[np.float64]
    total: NDArray[np.float64]


def _merge(
    keys: tuple[NDArray[np.float64], ...], weight: NDArray[np.float64]
) -> tuple[tuple[NDArray[np.float64], ...], NDArray[np.float64]]:
    """Sum the weights of rows with equal keys; rows come out sorted by key."""
    order = np.lexsort(keys[::-1])
    ordered = tuple(key[order] for key in keys)
    new = np.ones(len(order), bool)
    if len(order):
        new[1:] = np.any([key[1:] != key[:-1] for key in ordered], axis=0)
    starts = np.flatnonzero(new)
    summed = np.add.reduceat(weight[order], starts) if len(starts) else weight[:0]
    return tuple(key[starts] for key in ordered), summed


def patterns(
    cell: ArrayLike,
    value: ArrayLike,
    cluster: ArrayLike,
    *,
    cells: int,
    low: ArrayLike = 0.0,
    high: ArrayLike = 1.0,
    prior: ArrayLike = 1.0,
) -> Patterns:
    """Reduce items to the distinct patterns of their clusters.

    Parameters
    ----------
    cell : array_like of int, shape (N,)
        Cell of each item, 0..cells-1; negative = in no cell.
    value : array_like of float, shape (N,)
    cluster : array_like of int, shape (N,)
        Equal codes are resampled together.
    cells : int
        Number of cells, C.
    low, high : array_like of float, scalar or shape (C,)
        The least and the greatest mean a cell can have: the values of the two prior clusters.
    prior : array_like of float, scalar or shape (C,)
        Prior mass in clusters, half at ``low`` and half at ``high``; 1 is Jeffreys' prior.

    Returns
    -------
    Patterns
    """
    cell_ = np.asarray(cell, np.int64)
    kept = cell_ >= 0
    cell_ = cell_[kept]
    value_ = np.asarray(value, np.float64)[kept]
    cluster_ = np.asarray(cluster, np.int64)[kept]
    mass = np.broadcast_to(np.asarray(prior, np.float64), (cells,))

    # One entry per cluster and cell, sorted by cluster.
    _, cluster_ = np.unique(cluster_, return_inverse=True)
    entry, inverse = np.unique(cluster_ * cells + cell_, return_inverse=True)
    size = np.bincount(inverse, minlength=len(entry)).astype(np.float64)
    # Rounding lets sums that differ only by the order of addition share a pattern.
    total = np.round(np.bincount(inverse, weights=value_, minlength=len(entry)), 9)
    owner, place = entry // cells, entry % cells
    reach = np.bincount(owner)[owner] if len(owner) else owner

    items = np.bincount(place, weights=size, minlength=cells)
    squares = np.bincount(place, weights=size * size, minlength=cells)
    filled = np.flatnonzero(items > 0)
    effective = np.ones(cells)
    effective[filled] = items[filled] ** 2 / squares[filled]
    # Beta(f k + prior/2, f (n - k) + prior/2) has the unbiased variance at small prior and is
    # Jeffreys' posterior at prior 1.
    shape_of = np.clip((effective - 2 + 2 * mass) / effective, _SMALLEST_SHAPE, 1.0)
    shape_of[effective >= _LARGE_CELL] = 1.0

    # Clusters inside one cell, and the two prior clusters of each cell (of its typical size).
    single = reach == 1
    typical = items[filled] / effective[filled]
    ends = [np.broadcast_to(np.asarray(end, np.float64), (cells,))[filled] for end in (low, high)]
    half = mass[filled] / (2 * shape_of[filled])
    (place1, size1, total1), weight1 = _merge(
        (
            np.concatenate([place[single], filled, filled]).astype(np.float64),
            np.concatenate([size[single], typical, typical]),
            np.concatenate(
                [total[single], np.round(typical * ends[0], 9), np.round(typical * ends[1], 9)]
            ),
        ),
        np.concatenate([np.ones(int(single.sum())), half, half]),
    )
    at = place1.astype(np.int64)
    rows = np.arange(len(at))
    size_matrix = np.zeros((len(at), cells))
    total_matrix = np.zeros((len(at), cells))
    size_matrix[rows, at] = size1
    total_matrix[rows, at] = total1
    shape = shape_of[at]

    # Clusters that reach over several cells: dense rows, as they are few or all different.
    span = ~single
    if span.any():
        _, row = np.unique(owner[span], return_inverse=True)
        width = int(row.max()) + 1
        size2 = np.zeros((width, cells))
        total2 = np.zeros((width, cells))
        size2[row, place[span]] = size[span]
        total2[row, place[span]] = total[span]
        both, weight2 = np.unique(
            np.concatenate([size2, total2], axis=1), axis=0, return_counts=True
        )
        size2, total2 = both[:, :cells], both[:, cells:]
        # A cluster has one weight in all its cells: the widest one it needs.
        shape2 = np.where(size2 > 0, shape_of, 1.0).min(axis=1)
        size_matrix = np.concatenate([size_matrix, size2])
        total_matrix = np.concatenate([total_matrix, total2])
        weight1 = np.concatenate([weight1, weight2])
        shape = np.concatenate([shape, shape2])

    # Prior mass 0 leaves patterns of weight 0 behind.
    live = weight1 > 0
    return Patterns(weight1[live], shape[live], size_matrix[live], total_matrix[live])


def _fill_gamma(
    row: NDArray[np.float32], shape: np.float32, generator: np.random.Generator
) -> None:
    """Fill a row with Gamma(shape) weights."""
    if shape in (1, 2, 3):
        generator.standard_exponential(dtype=np.float32, out=row)
        for _ in range(int(shape) - 1):
            row += generator.standard_exponential(len(row), dtype=np.float32)
    else:
        generator.standard_gamma(shape, dtype=np.float32, out=row)


def cell_mean_draws(
    found: Patterns, *, resamples: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Draw cell means.

    Parameters
    ----------
    found : Patterns
        P patterns over C cells.
    resamples : int
        Number of draws, R.
    generator : numpy.random.Generator
        See :func:`stream`.

    Returns
    -------
    ndarray of float, shape (C, R)
        NaN for cells without items. Working memory is two arrays of that shape in single
        precision: weights are used as they are drawn, one pattern after the other.
    """
    if resamples < 1:
        raise InputError(f"resamples is {resamples}", mend="Use at least 1, better 2000 or more")
    cells = found.size.shape[1]
    size = np.zeros((cells, resamples), np.float32)
    total = np.zeros((cells, resamples), np.float32)
    weights = np.empty(resamples, np.float32)
    part = np.empty(resamples, np.float32)
    shapes = (found.weight * found.shape).astype(np.float32)
    places = [np.flatnonzero(row).tolist() for row in found.size]
    for j, (shape, cells_of_pattern) in enumerate(zip(shapes, places, strict=True)):
        _fill_gamma(weights, shape, generator)
        for c in cells_of_pattern:
            # Dividing by the shape gives every cluster a weight of mean 1, whatever its variance.
            # In-place sums in a fixed order, not a matrix product: the same on every machine.
            for sums, value in ((size, found.size[j, c]), (total, found.total[j, c])):
                factor = np.float32(value / found.shape[j])
                if factor == 1:
                    sums[c] += weights
                elif factor != 0:
                    np.multiply(weights, factor, out=part)
                    sums[c] += part
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.divide(total, size, dtype=np.float64)


def percentile_interval(
    draws: NDArray[np.float64], estimate: float | None = None, *, level: float = 0.95
) -> tuple[float, float]:
    """Percentile interval of draws, widened to hold the estimate where it lies outside.

    Parameters
    ----------
    draws : ndarray of float, shape (R,)
        Finite.
    estimate : float, optional
        An estimate at the edge of its range (all right) can lie just outside the draws.
    level : float
        Confidence level, in (0, 1).
    """
    if not 0 < level < 1:
        raise InputError(f"level {level} is not between 0 and 1", mend="Use 0.95 for 95 %")
    low, high = (float(q) for q in np.quantile(draws, [(1 - level) / 2, (1 + level) / 2]))
    if estimate is None:
        return low, high
    return min(low, estimate), max(high, estimate)
