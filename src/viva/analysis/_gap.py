"""What a gap is made from and what it comes out as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from viva.analysis._cells import SMALLEST_SIDE, Cells, find_cells
from viva.analysis._graded import NO_STRATUM, Graded

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NONE_TWO_SIDED", "Answers", "Gap", "answers_of", "names_of", "no_gap", "one_sided"]

NONE_TWO_SIDED = f"no benchmark has {SMALLEST_SIDE} items of each stratum"


@dataclass(frozen=True, slots=True)
class Gap:
    """One gap in points, or the reason why there is none.

    Parameters
    ----------
    estimate, low, high : float or None
        Points; None with a reason.
    n : int
        Items that contribute.
    reason : str or None
        Why there is no estimate.
    benchmarks : tuple of str
        Benchmarks that contribute.
    left_out : dict of str to str
        Benchmarks that could not contribute, each with its reason.
    smallest_cell : int or None
        Items in the smallest contributing benchmark x stratum (``pooled``: in the smaller
        stratum; ``soft``: in the smallest benchmark).
    effective_n : float or None
        Size of the sample, half in each stratum, whose plain gap would be as precise.
    """

    estimate: float | None
    low: float | None
    high: float | None
    n: int
    reason: str | None = None
    benchmarks: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    smallest_cell: int | None = None
    effective_n: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """The items of one model that enter its gaps.

    Parameters
    ----------
    table : Graded
    y : ndarray of float, shape (N,)
        Share right in 0..1, or a score made from it; 0 where not kept.
    stratum : ndarray of int, shape (N,)
    kept : ndarray of bool, shape (N,)
        Graded and with a stratum.
    cells : Cells
        Of the kept items.
    """

    table: Graded
    y: NDArray[np.float64]
    stratum: NDArray[np.int64]
    kept: NDArray[np.bool_]
    cells: Cells


def answers_of(
    table: Graded,
    y: NDArray[np.float64],
    stratum: NDArray[np.int64],
    kept: NDArray[np.bool_] | None = None,
) -> Answers:
    """Keep the items with a value and a stratum (and, where given, ``kept``)."""
    here = ~np.isnan(y) & (stratum != NO_STRATUM)
    if kept is not None:
        here &= kept
    cells = find_cells(table.benchmark, stratum, keep=here)
    return Answers(table, np.where(here, y, 0.0), stratum, here, cells)


def no_gap(reason: str, n: int = 0, left_out: Mapping[str, str] | None = None) -> Gap:
    """A gap that could not be estimated."""
    return Gap(None, None, None, n, reason, left_out=left_out or {})


def names_of(table: Graded, codes: NDArray[np.int64]) -> tuple[str, ...]:
    """Names of the benchmarks among the codes."""
    return tuple(table.benchmark_names[b] for b in np.unique(codes).tolist())


def one_sided(answers: Answers) -> dict[str, str]:
    """Why each benchmark that is not in the within-benchmark gap is left out of it."""
    used = {b for b, _, _ in answers.cells.two_sided()}
    present = np.unique(answers.table.benchmark[answers.kept]).tolist()
    return {
        answers.table.benchmark_names[b]: f"fewer than {SMALLEST_SIDE} items of a stratum"
        for b in present
        if b not in used
    }
