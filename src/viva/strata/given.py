"""What the splitter makes of labels that come with the items."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from viva.strata.metrics import auroc_interval

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

__all__ = ["FEWEST_LABELS", "against_given"]

FEWEST_LABELS = 20
"""Labels of each kind from which on agreement with them is measured."""
_TELLING = 0.6
"""Least upper end of the interval of an AUROC that could be of some use."""


def against_given(
    items: pl.DataFrame,
    p: NDArray[np.float64],
    cluster: NDArray[np.int64],
    *,
    definition: str | None = None,
) -> list[str]:
    """How well p_reasoning tells apart labels that came with the items, one sentence a benchmark.

    Parameters
    ----------
    items : polars.DataFrame
        N rows with ``benchmark``, ``stratum`` and ``stratum_definition``.
    p : ndarray of float, shape (N,)
        NaN where unknown.
    cluster : ndarray of int, shape (N,)
        Duplicates and groups, for the interval.
    definition : str, optional
        Labels of this definition are left out: those the splitter learnt from.

    Returns
    -------
    list of str
        For benchmarks with at least :data:`FEWEST_LABELS` labels of each kind.
    """
    label = items["stratum"].to_numpy()
    named = items["stratum_definition"].fill_null("given").to_numpy()
    benchmark = items["benchmark"].to_numpy()
    known = np.isin(label, ("reasoning", "knowledge")) & ~np.isnan(p) & (named != definition)
    found = []
    for name in np.unique(benchmark[known]).tolist():
        here = known & (benchmark == name)
        reasoning = label[here] == "reasoning"
        n_r, n_k = int(reasoning.sum()), int((~reasoning).sum())
        if min(n_r, n_k) < FEWEST_LABELS:
            continue
        area, low, high = auroc_interval(reasoning, p[here], cluster[here])
        if high < 0.5:
            tells = "puts them the wrong way round"
        elif low > 0.5:
            tells = "ranks them better than chance"
        elif high < _TELLING:
            tells = "does not tell them apart"
        else:
            tells = "is not shown to tell them apart"
        found.append(
            f"{name} brings {n_r:,} reasoning and {n_k:,} knowledge labels of its own "
            f"({named[here][0]}): the splitter {tells}, AUROC {area:.2f} [{low:.2f}, {high:.2f}]."
        )
    return found
