"""Every pair of models on the items both answered, per scope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from viva._progress import Advance
from viva.analysis import _cells
from viva.analysis._cells import SMALLEST_SIDE, Cells
from viva.analysis._graded import KNOWLEDGE, REASONING, Graded
from viva.analysis.intervals import normal_quantile
from viva.analysis.paired_tests import holm, mcnemar_test, minimum_detectable_difference, sign_flip
from viva.analysis.resampling import cell_mean_draws, patterns, percentile_interval, stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SCOPES", "TIE_MARGIN", "Comparison", "compare", "compare_all", "verdict_of"]

SCOPES = ("all", "knowledge", "reasoning", "gap")
TIE_MARGIN = 2.0
"""Points: an interval inside plus and minus this is a tie, even where it excludes 0."""


_NO_ITEMS = {
    "all": "no common items in all",
    "knowledge": "no common items in knowledge",
    "reasoning": "no common items in reasoning",
    "gap": f"no benchmark has {SMALLEST_SIDE} common items of each stratum",
}
"""Why a scope has no difference."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Model ``a`` against model ``b`` in one scope.

    Parameters
    ----------
    a, b : str
    scope : str
        ``all``, ``knowledge``, ``reasoning``: accuracy of a minus that of b; ``gap``: the within
        gap of a minus that of b.
    n : int
        Common items that contribute.
    clusters : int
        Clusters they form; equal to n where no items are resampled together.
    difference, low, high : float or None
        Points.
    p_mcnemar : float or None
        Exact McNemar test; takes items as separate. None for averaged samples and in ``gap``.
    p_mid : float or None
        Mid-p version, on cluster sums where clusters exist (then a sign-flip test). None in
        ``gap``.
    p_sign_flip : float or None
        Exact cluster sign-flip test; equals ``p_mcnemar`` without clusters. None in ``gap``.
    p_bootstrap : float or None
        ``gap`` only: twice the smaller share of draws on one side of 0.
    p_holm : float or None
        ``p_mid`` (``gap``: ``p_bootstrap``) adjusted over all pairs of the scope.
    mdd_80 : float or None
        Points: smallest difference found with 80 % power at the 5 % level.
    verdict : str or None
        ``tie`` where the interval lies inside +-2 points, else ``win`` or ``loss`` (of a) where
        it excludes 0, else ``undecided``.
    smallest_cell : int or None
        Items in the smallest contributing benchmark x stratum.
    reason : str or None
        Why there is no difference, or no McNemar test.
    """

    a: str
    b: str
    scope: str
    n: int
    clusters: int = 0
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p_mcnemar: float | None = None
    p_mid: float | None = None
    p_sign_flip: float | None = None
    p_bootstrap: float | None = None
    p_holm: float | None = None
    mdd_80: float | None = None
    verdict: str | None = None
    smallest_cell: int | None = None
    reason: str | None = None


def verdict_of(low: float, high: float) -> str:
    """``tie``, ``win``, ``loss`` or ``undecided`` from an interval in points, tie first."""
    if low >= -TIE_MARGIN and high <= TIE_MARGIN:
        return "tie"
    if low > 0:
        return "win"
    if high < 0:
        return "loss"
    return "undecided"


def _with_interval(
    row: Comparison, estimate: float, drawn: NDArray[np.float64], *, sign: int, level: float
) -> Comparison:
    """Add the difference with its interval; ``sign`` is -1 where the pair was swapped."""
    low, high = percentile_interval(drawn, estimate, level=level)
    if sign < 0:
        estimate, low, high = 0.0 - estimate, -high, -low
    return replace(row, difference=estimate, low=low, high=high, verdict=verdict_of(low, high))


def _with_tests(
    row: Comparison,
    difference: NDArray[np.float64],
    cluster: NDArray[np.int64],
    *,
    binary: bool,
    generator: np.random.Generator,
    level: float,
) -> Comparison:
    """Add the tests on the differences of the scope's items."""
    _, cluster = np.unique(cluster, return_inverse=True)
    sums = np.bincount(cluster, weights=difference)
    flip = sign_flip(sums, generator=generator)
    detectable = minimum_detectable_difference(sums, len(difference), level=level)
    row = replace(
        row,
        p_mid=flip.p_mid,
        p_sign_flip=flip.p,
        mdd_80=None if detectable is None else 100 * detectable,
    )
    if not binary:
        return replace(row, reason="no McNemar test: answers are averaged over samples")
    test = mcnemar_test(int(np.sum(difference > 0)), int(np.sum(difference < 0)))
    return replace(row, p_mcnemar=test.p)


def _with_gap_test(row: Comparison, drawn: NDArray[np.float64], *, level: float) -> Comparison:
    """Add the test of a difference of gaps, from its draws."""
    tail = int(min(np.sum(drawn <= 0), np.sum(drawn >= 0)))
    reach = normal_quantile(0.5 + level / 2) + normal_quantile(0.8)
    return replace(
        row,
        p_bootstrap=min(1.0, 2 * (tail + 1) / (len(drawn) + 1)),
        mdd_80=reach * float(drawn.std()),
        reason="no McNemar test: a difference of differences",
    )


def compare(
    table: Graded,
    a: str,
    b: str,
    *,
    resamples: int = 10_000,
    seed: int = 0,
    level: float = 0.95,
) -> list[Comparison]:
    """Compare two models in all scopes, on one set of draws.

    Parameters
    ----------
    table : Graded
    a, b : str
        Two of ``table.models``. Swapping them negates differences exactly.
    resamples, seed, level
        As :func:`viva.analysis.reasoning_gaps`.

    Returns
    -------
    list of Comparison
        One per scope of :data:`SCOPES`, with ``p_holm`` still None.

    Raises
    ------
    InputError
        For an unknown model or settings out of range.
    """
    # Draws belong to the unordered pair, so that swapping it is exact.
    first, second = sorted((a, b))
    y1, y2 = table.values[table.index(first)], table.values[table.index(second)]
    common = ~np.isnan(y1) & ~np.isnan(y2)
    if not common.any():
        return [Comparison(a, b, scope, 0, reason="no common items") for scope in SCOPES]
    difference = np.where(common, y1 - y2, 0.0)
    stratum = table.headline_stratum()
    cells = _cells.find_cells(table.benchmark, stratum, keep=common, unlabelled=True)
    found = patterns(
        cells.code,
        difference,
        table.cluster,
        cells=cells.count,
        low=-1.0,
        high=1.0,
        prior=cells.prior,
    )
    draws = cell_mean_draws(
        found, resamples=resamples, generator=stream(seed, "pair", first, second)
    )
    binary = bool(np.all(np.isin(y1[common], (0, 1)) & np.isin(y2[common], (0, 1))))
    means = cells.means(difference)
    sign = 1 if first == a else -1
    out: list[Comparison] = []
    for scope in SCOPES:
        weights, members = _scope(cells, scope)
        row = Comparison(a, b, scope, int(members.sum()))
        if not weights.any():
            out.append(replace(row, reason=_NO_ITEMS[scope]))
            continue
        used = weights != 0
        drawn = 100 * (weights[used] @ draws[used])
        row = _with_interval(
            replace(
                row,
                clusters=len(np.unique(table.cluster[members])),
                smallest_cell=int(cells.size[used].min()),
            ),
            100 * float(weights[used] @ means[used]),
            drawn,
            sign=sign,
            level=level,
        )
        if scope == "gap":
            out.append(_with_gap_test(row, drawn, level=level))
            continue
        out.append(
            _with_tests(
                row,
                difference[members],
                table.cluster[members],
                binary=binary,
                generator=stream(seed, "flip", first, second, scope),
                level=level,
            )
        )
    return out


def _scope(cells: Cells, scope: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Coefficients of cell means, and which items contribute."""
    if scope == "gap":
        weights = _cells.within(cells)
    else:
        which = {"all": None, "knowledge": KNOWLEDGE, "reasoning": REASONING}[scope]
        weights = _cells.stratum_mean(cells, which)
    members = np.zeros(len(cells.code), bool)
    kept = cells.code >= 0
    members[kept] = (weights != 0)[cells.code[kept]]
    return weights, members


def compare_all(
    table: Graded,
    *,
    pairs: Sequence[tuple[str, str]] | None = None,
    resamples: int = 10_000,
    seed: int = 0,
    level: float = 0.95,
    advance: Advance | None = None,
) -> list[Comparison]:
    """Compare all pairs of models in all scopes, with Holm's adjustment per scope.

    Parameters
    ----------
    table : Graded
    pairs : sequence of (str, str), optional
        Default: every pair, in the order of ``table.models``.
    resamples, seed, level
        As :func:`viva.analysis.reasoning_gaps`.
    advance : callable, optional
        Called with 1 after each pair, for a progress bar.

    Returns
    -------
    list of Comparison
        Pair by pair, scopes in the order of :data:`SCOPES`.
    """
    chosen = list(combinations(table.models, 2)) if pairs is None else list(pairs)
    rows: list[Comparison] = []
    for a, b in chosen:
        rows += compare(table, a, b, resamples=resamples, seed=seed, level=level)
        if advance is not None:
            advance(1)
    for scope in SCOPES:
        places = [i for i, row in enumerate(rows) if row.scope == scope]
        adjusted = holm([rows[i].p_bootstrap if scope == "gap" else rows[i].p_mid for i in places])
        for i, p in zip(places, adjusted, strict=True):
            rows[i] = replace(rows[i], p_holm=p)
    return rows
