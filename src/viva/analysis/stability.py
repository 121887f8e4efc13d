"""Does a model say the same when asked again?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from viva.analysis.intervals import wilson

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

__all__ = ["summarise_stability"]


def _share(values: NDArray[np.float64], level: float) -> tuple[float, float, float]:
    """Mean of values in 0..1 with an interval: Wilson's at the effective number of items.

    The effective number is that of 0/1 values whose mean would be as uncertain (as in survey
    sampling: Korn and Graubard 1998), which keeps the interval inside 0..1.
    """
    n = len(values)
    mean = float(values.mean())
    spread = float(values.var(ddof=1)) if n > 1 else 0.0
    effective = n if spread == 0 else max(n * mean * (1 - mean) / spread, 1.0)
    low, high = wilson(mean * effective, effective, level=level)
    return mean, float(low), float(high)


def summarise_stability(scores: pl.DataFrame, *, level: float = 0.95) -> dict[str, Any]:
    """Agreement among the samples that a subject gave on one item.

    Parameters
    ----------
    scores : polars.DataFrame
        Columns of :func:`viva.records.score_schema`, of one subject of comparison and one
        metric. Ungraded responses are passed over.
    level : float
        Confidence level, in (0, 1).

    Returns
    -------
    dict
        ``n`` items with at least two graded samples; ``samples``, the largest number of one
        item; ``unanimous``, the share of items with the same letter in all samples;
        ``pairwise``, the probability that two samples of one item have the same letter, mean
        over items; ``sometimes_right``, the share of items right in one sample and not right in
        another; each with ``_low`` and ``_high``. An unread sample agrees with nothing, not
        even with another unread one. None, with ``reason``, where no item has two samples.
    """
    import polars as pl

    graded = scores.filter(pl.col("value").is_not_null())
    item = ["benchmark", "item_id"]
    letter = pl.col("read").filter(pl.col("status") == "parsed")
    # Pairs with equal letters: sum over letters of c (c - 1) / 2.
    equal = (
        graded.filter((pl.col("status") == "parsed") & pl.col("read").is_not_null())
        .group_by(*item, "read")
        .len("c")
        .group_by(item)
        .agg((pl.col("c").cast(pl.Int64) * (pl.col("c").cast(pl.Int64) - 1)).sum().alias("equal"))
    )
    by_item = (
        graded.group_by(item)
        .agg(
            pl.len().cast(pl.Int64).alias("samples"),
            letter.drop_nulls().len().alias("read"),
            letter.drop_nulls().n_unique().alias("letters"),
            pl.col("value").max().alias("best"),
            pl.col("value").min().alias("worst"),
        )
        .filter(pl.col("samples") > 1)
        .join(equal, on=item, how="left", maintain_order="left")
        .with_columns(pl.col("equal").fill_null(0))
    )
    out: dict[str, Any] = {"n": by_item.height, "samples": None, "reason": None}
    names = ("unanimous", "pairwise", "sometimes_right")
    if by_item.height == 0:
        for name in names:
            out |= {name: None, f"{name}_low": None, f"{name}_high": None}
        return out | {"reason": "no item has more than one graded sample"}
    samples = by_item["samples"].to_numpy().astype(np.float64)
    out["samples"] = int(samples.max())
    unanimous = (by_item["read"].to_numpy() == samples) & (by_item["letters"].to_numpy() == 1)
    pairwise = by_item["equal"].to_numpy() / (samples * (samples - 1))
    mixed = by_item["best"].to_numpy() > by_item["worst"].to_numpy()
    for name, values in zip(names, (unanimous, pairwise, mixed), strict=True):
        estimate, low, high = _share(values.astype(np.float64), level)
        out |= {name: estimate, f"{name}_low": low, f"{name}_high": high}
    return out
