"""Benchmark x stratum cells and the coefficients that make estimators of their means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from viva.analysis._graded import KNOWLEDGE, NO_STRATUM, REASONING

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SMALLEST_SIDE", "Cells", "find_cells", "pooled", "stratum_mean", "within"]

SMALLEST_SIDE = 20
"""A benchmark enters a within-benchmark gap with at least this many items of each stratum."""
_REST = -1


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Cells with items, sorted by stratum and benchmark.

    Parameters
    ----------
    code : ndarray of int, shape (N,)
        Cell of each item; -1 = none.
    benchmark : ndarray of int, shape (C,)
        Benchmark code; -1 where cells of fewer than 20 items of several benchmarks are merged.
    stratum : ndarray of int, shape (C,)
        1 reasoning, 0 knowledge, -1 none.
    size : ndarray of int, shape (C,)
        Items.
    """

    code: NDArray[np.int64]
    benchmark: NDArray[np.int64]
    stratum: NDArray[np.int64]
    size: NDArray[np.int64]

    @property
    def count(self) -> int:
        """Number of cells, C."""
        return len(self.size)

    @property
    def prior(self) -> NDArray[np.float64]:
        """One prior per stratum, spread evenly over its cells. Shape (C,)."""
        out = np.ones(self.count)
        for stratum in (NO_STRATUM, KNOWLEDGE, REASONING):
            of = self.stratum == stratum
            out[of] = 1 / max(int(of.sum()), 1)
        return out

    def means(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean of the values of each cell's items. Shape (C,)."""
        kept = self.code >= 0
        total = np.bincount(self.code[kept], weights=values[kept], minlength=self.count)
        return total / self.size

    def two_sided(self) -> list[tuple[int, int, int]]:
        """``(benchmark, reasoning cell, knowledge cell)`` of benchmarks with 20 on each side."""
        place = {
            (int(b), int(s)): i
            for i, (b, s, n) in enumerate(zip(self.benchmark, self.stratum, self.size, strict=True))
            if n >= SMALLEST_SIDE and b != _REST
        }
        return [
            (b, i, place[b, KNOWLEDGE])
            for (b, s), i in place.items()
            if s == REASONING and (b, KNOWLEDGE) in place
        ]


def find_cells(
    benchmark: NDArray[np.int64],
    stratum: NDArray[np.int64],
    *,
    keep: NDArray[np.bool_],
    unlabelled: bool = False,
) -> Cells:
    """Sort items into benchmark x stratum cells.

    Parameters
    ----------
    benchmark, stratum : ndarray of int, shape (N,)
    keep : ndarray of bool, shape (N,)
        Items to sort.
    unlabelled : bool
        Keep items without stratum too, as cells of their own.

    Returns
    -------
    Cells
        Cells of fewer than 20 items are merged inside their stratum, across benchmarks: too few
        to resample on their own, and no within-benchmark gap uses them.
    """
    keep = keep if unlabelled else keep & (stratum != NO_STRATUM)
    span = int(benchmark.max(initial=0)) + 2
    key = (stratum + 1) * span + benchmark + 1
    found, inverse, count = np.unique(key[keep], return_inverse=True, return_counts=True)
    merged = np.where(count < SMALLEST_SIDE, found - found % span, found)[inverse]
    found, inverse, count = np.unique(merged, return_inverse=True, return_counts=True)
    code = np.full(len(benchmark), -1, np.int64)
    code[keep] = inverse
    return Cells(code, found % span - 1, found // span - 1, count.astype(np.int64))


def stratum_mean(cells: Cells, stratum: int | None) -> NDArray[np.float64]:
    """Coefficients of the mean over all items of a stratum (None: of any). Shape (C,)."""
    of = np.ones(cells.count, bool) if stratum is None else cells.stratum == stratum
    size = np.where(of, cells.size, 0)
    return size / max(int(size.sum()), 1)


def pooled(cells: Cells) -> NDArray[np.float64]:
    """Coefficients of the pooled gap, reasoning minus knowledge. Shape (C,)."""
    return stratum_mean(cells, REASONING) - stratum_mean(cells, KNOWLEDGE)


def within(cells: Cells, *, size_weighted: bool = False) -> NDArray[np.float64]:
    """Coefficients of the weighted mean of gaps inside benchmarks. Shape (C,).

    Weights ``n_R n_K / (n_R + n_K)``, or ``n_R + n_K`` where ``size_weighted``; all 0 where no
    benchmark has both sides.
    """
    out = np.zeros(cells.count)
    for _, r, k in cells.two_sided():
        n_r, n_k = float(cells.size[r]), float(cells.size[k])
        weight = n_r + n_k if size_weighted else n_r * n_k / (n_r + n_k)
        out[r], out[k] = weight, -weight
    whole = out[out > 0].sum()
    return out / whole if whole > 0 else out
