"""The two gaps that are slopes: inside word-count bins, and on the probability itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from viva.analysis._cells import SMALLEST_SIDE
from viva.analysis._gap import NONE_TWO_SIDED, Answers, Gap, names_of, no_gap, one_sided
from viva.analysis._regression import Slope, score_interval, within_slope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from viva.analysis._graded import Graded

__all__ = ["LENGTH_RATIO", "length_matched", "soft"]

LENGTH_RATIO = 1.15
"""Each word-count bin reaches from its lower edge to this many times that edge."""
_SMALLEST_GROUP = 2 * SMALLEST_SIDE
"""Items of a benchmark that enters the soft gap."""


def _gap_of(
    table: Graded,
    slope: Slope,
    items: NDArray[np.int64],
    group: NDArray[np.int64],
    level: float,
    left_out: Mapping[str, str],
) -> Gap:
    """A slope on ``items`` in points; ``group`` holds what the smallest cell is taken over."""
    low, high = score_interval(slope, level=level)
    return Gap(
        100 * slope.estimate,
        100 * low,
        100 * high,
        len(items),
        benchmarks=names_of(table, table.benchmark[items]),
        left_out=left_out,
        smallest_cell=int(np.unique(group, return_counts=True)[1].min()),
        effective_n=4 * slope.spread,
    )


def length_matched(answers: Answers, *, level: float) -> Gap:
    """Gap inside benchmark x word-count bin, weights n_R n_K / (n_R + n_K): a slope on 0/1.

    Uses the benchmarks of the within gap and the items whose word count is known; bin edges grow
    by :data:`LENGTH_RATIO` from one word.
    """
    table, left_out = answers.table, one_sided(answers)
    eligible = [b for b, _, _ in answers.cells.two_sided()]
    kept = answers.kept & np.isin(table.benchmark, eligible) & (table.words > 0)
    if not kept.any():
        return no_gap("no word counts" if eligible else NONE_TWO_SIDED, left_out=left_out)
    items = np.flatnonzero(kept)
    # The margin keeps one word, an edge, above the rounding of the quotient.
    bins = np.floor(np.log(table.words[items]) / np.log(LENGTH_RATIO) + 1e-9).astype(np.int64)
    _, cell = np.unique(table.benchmark[items] * (int(bins.max()) + 1) + bins, return_inverse=True)
    stratum = answers.stratum[items]
    reasoning = np.bincount(cell, weights=stratum)
    mixed = ((reasoning > 0) & (reasoning < np.bincount(cell)))[cell]
    items, cell, stratum = items[mixed], cell[mixed], stratum[mixed]
    if np.bincount(stratum, minlength=2).min() < SMALLEST_SIDE:
        reason = (
            f"fewer than {SMALLEST_SIDE} items of a stratum share benchmark and length with the "
            "other"
        )
        return no_gap(reason, len(items), left_out)
    slope = within_slope(stratum.astype(np.float64), answers.y[items], cell, table.cluster[items])
    if slope is None:
        return no_gap("no benchmark x length bin holds both strata", len(items), left_out)
    return _gap_of(table, slope, items, table.benchmark[items] * 2 + stratum, level, left_out)


def soft(table: Graded, y: NDArray[np.float64], *, level: float) -> Gap:
    """Slope of y on p_reasoning inside benchmarks, weights n_b Var_b(p).

    Parameters
    ----------
    table : Graded
    y : ndarray of float, shape (N,)
        NaN where ungraded.
    level : float
    """
    kept = table.in_domain & ~np.isnan(y) & ~np.isnan(table.p)
    if not kept.any():
        return no_gap("no item has a p_reasoning")
    count = np.bincount(table.benchmark[kept], minlength=len(table.benchmark_names))
    few = (count > 0) & (count < _SMALLEST_GROUP)
    left_out = {
        table.benchmark_names[b]: f"fewer than {_SMALLEST_GROUP} items"
        for b in np.flatnonzero(few).tolist()
    }
    items = np.flatnonzero(kept & ~few[table.benchmark])
    if len(items) == 0:
        return no_gap(f"no benchmark has {_SMALLEST_GROUP} items", left_out=left_out)
    benchmark = table.benchmark[items]
    slope = within_slope(table.p[items], y[items], benchmark, table.cluster[items])
    if slope is None:
        reason = "p_reasoning does not vary inside any benchmark"
        return no_gap(reason, len(items), left_out)
    return _gap_of(table, slope, items, benchmark, level, left_out)
