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
16, 101-133 (Jeffreys interval); Agresti and Min (2005), Biometrics 61, 515-523 (differences of
shares under Jeffreys priors) and Statistics in Medicine 24, 729-740 (paired differences with half
a count in each cell).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from viva.analysis.intervals import check_level
from viva.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Patterns", "cell_mean_draws", "patterns", "percentile_interval", "stream"]

_LARGE_CELL = 200
"""Clusters in a cell from which the shape correction, at most half a percent of the width, is
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

    Raises
    ------
    InputError
        For a negative seed.
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


@dataclass(frozen=True, slots=True, eq=False)
class _Entries:
    """What clusters have in single cells: one row per cluster and cell. All of shape (E,)."""

    owner: NDArray[np.int64]
    cell: NDArray[np.int64]
    size: NDArray[np.float64]
    total: NDArray[np.float64]

    def where(self, rows: NDArray[np.bool_]) -> _Entries:
        return _Entries(self.owner[rows], self.cell[rows], self.size[rows], self.total[rows])


def _entries(
    cell: NDArray[np.int64], value: NDArray[np.float64], cluster: NDArray[np.int64], cells: int
) -> _Entries:
    _, cluster = np.unique(cluster, return_inverse=True)
    entry, inverse = np.unique(cluster * cells + cell, return_inverse=True)
    size = np.bincount(inverse, minlength=len(entry)).astype(np.float64)
    # Rounding lets sums that differ only by the order of addition share a pattern.
    total: NDArray[np.float64] = np.zeros(len(entry))
    np.add.at(total, inverse, value)
    return _Entries(entry // cells, entry % cells, size, total.round(9))


def _inside(
    parts: list[_Entries], weight: NDArray[np.float64], shape_of: NDArray[np.float64]
) -> Patterns:
    """Merge like clusters that lie in one cell."""
    cell = np.concatenate([part.cell for part in parts])
    size = np.concatenate([part.size for part in parts])
    total = np.concatenate([part.total for part in parts])
    order = np.lexsort((total, size, cell))
    cell, size, total = cell[order], size[order], total[order]
    new = np.ones(len(order), bool)
    new[1:] = (np.diff(cell) != 0) | (np.diff(size) != 0) | (np.diff(total) != 0)
    starts = np.flatnonzero(new)
    summed = np.add.reduceat(weight[order], starts) if len(starts) else np.zeros(0)
    # Prior mass 0 leaves patterns of weight 0 behind.
    starts, summed = starts[summed > 0], summed[summed > 0]
    sizes = np.zeros((len(starts), len(shape_of)))
    totals = np.zeros_like(sizes)
    rows = np.arange(len(starts))
    sizes[rows, cell[starts]] = size[starts]
    totals[rows, cell[starts]] = total[starts]
    return Patterns(summed, shape_of[cell[starts]], sizes, totals)


def _spanning(entries: _Entries, shape_of: NDArray[np.float64]) -> Patterns:
    """Merge like clusters that reach over several cells."""
    cells = len(shape_of)
    owners, row = np.unique(entries.owner, return_inverse=True)
    both = np.zeros((len(owners), 2 * cells))
    both[row, entries.cell] = entries.size
    both[row, cells + entries.cell] = entries.total
    both, weight = np.unique(both, axis=0, return_counts=True)
    size, total = both[:, :cells], both[:, cells:]
    # A cluster has one weight in all its cells: the widest one it needs.
    shape = np.where(size > 0, shape_of, 1.0).min(axis=1)
    return Patterns(weight.astype(np.float64), shape, size, total)


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
    entries = _entries(
        cell_[kept], np.asarray(value, np.float64)[kept], np.asarray(cluster)[kept], cells
    )
    mass, lowest, highest = (
        np.broadcast_to(np.asarray(x, np.float64), (cells,)) for x in (prior, low, high)
    )
    items = np.bincount(entries.cell, weights=entries.size, minlength=cells)
    squares = np.bincount(entries.cell, weights=entries.size**2, minlength=cells)
    # Clusters of equal size that would tell as much; 1 where there is nothing.
    effective = np.divide(items**2, squares, out=np.ones(cells), where=squares > 0)
    # Beta(f k + prior/2, f (n - k) + prior/2) has the unbiased variance at small prior and is
    # Jeffreys' posterior at prior 1.
    shape_of = np.clip((effective - 2 + 2 * mass) / effective, _SMALLEST_SHAPE, 1.0)
    shape_of[effective >= _LARGE_CELL] = 1.0

    reach = np.bincount(entries.owner, minlength=1)[entries.owner]
    filled = np.flatnonzero(items > 0)
    typical = items[filled] / effective[filled]
    half = mass[filled] / (2 * shape_of[filled])
    prior_low = _Entries(filled, filled, typical, np.round(typical * lowest[filled], 9))
    prior_high = _Entries(filled, filled, typical, np.round(typical * highest[filled], 9))
    inside = _inside(
        [entries.where(reach == 1), prior_low, prior_high],
        np.concatenate([np.ones(int(np.sum(reach == 1))), half, half]),
        shape_of,
    )
    spanning = _spanning(entries.where(reach > 1), shape_of)
    return Patterns(
        np.concatenate([inside.weight, spanning.weight]),
        np.concatenate([inside.shape, spanning.shape]),
        np.concatenate([inside.size, spanning.size]),
        np.concatenate([inside.total, spanning.total]),
    )


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

    Raises
    ------
    InputError
        For fewer than one resample.
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

    Returns
    -------
    low, high : float
        In the unit of the draws.

    Raises
    ------
    InputError
        For a level outside (0, 1).
    """
    check_level(level)
    low, high = (float(q) for q in np.quantile(draws, [(1 - level) / 2, (1 + level) / 2]))
    if estimate is None:
        return low, high
    return min(low, estimate), max(high, estimate)
