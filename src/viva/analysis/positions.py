"""Where the key stands among the options, and whether its length gives it away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from viva.records import LETTERS

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

__all__ = ["key_positions", "uniform_positions_p"]

SMALLEST_EXPECTED = 5.0
"""Letters expected less often than this are pooled (Cochran 1954)."""


def uniform_positions_p(positions: NDArray[np.int64], options: NDArray[np.int64]) -> float | None:
    """Chi-square test that keys are uniform over each item's own number of options.

    Parameters
    ----------
    positions : array of int, shape (n,)
        0-based position of the key, below ``options``.
    options : array of int, shape (n,)
        Number of options of each item, >= 1.

    Returns
    -------
    float or None
        Upper tail of the chi-square distribution; None where fewer than two letters, the rare
        last ones pooled, are expected at least five times.

    Notes
    -----
    Where the number of options varies, the counts are a sum of multinomials with different
    probabilities, and Pearson's statistic is not chi-square distributed. The statistic here is
    ``d' S^- d``: d = observed - expected, S = sum over items of diag(p) - p p', the covariance
    of the counts under the null. It equals Pearson's where all items have as many options.
    """
    from scipy.stats import chi2

    if not len(positions):
        return None
    letters = int(options.max())
    sizes, items = np.unique(options, return_counts=True)
    shares = np.array([(np.arange(letters) < size) / size for size in sizes])
    expected = items @ shares
    # Expected counts fall from letter to letter: the rare ones are the last ones.
    cells = int((expected >= SMALLEST_EXPECTED).sum())
    if 0 < cells < letters and expected[cells:].sum() >= SMALLEST_EXPECTED:
        cells += 1
    if cells < 2:
        return None
    pool = np.zeros((letters, cells))
    pool[np.arange(letters), np.minimum(np.arange(letters), cells - 1)] = 1
    shares = shares @ pool
    excess = (np.bincount(positions, minlength=letters) - expected) @ pool
    covariance = np.diag(items @ shares) - (shares * items[:, None]).T @ shares
    statistic = float(excess @ np.linalg.pinv(covariance, hermitian=True) @ excess)
    return float(chi2.sf(statistic, cells - 1))


def key_positions(items: pl.DataFrame) -> dict[str, Any]:
    """How often each letter is the key, and how often the key is the longest option.

    Parameters
    ----------
    items : polars.DataFrame
        Columns of :func:`viva.records.item_schema`, of one benchmark. Items without a single
        right option are passed over.

    Returns
    -------
    dict
        ``n`` items; ``counts`` and ``expected`` by letter, expected under a uniform draw from
        each item's own options; ``p`` as by :func:`uniform_positions_p`;
        ``longest_option_is_key``, the share of items whose key is longer (in characters) than
        every other option, and ``longest_option_expected``, that share for a uniform draw
        (below 1/k, because items whose longest options tie have no single longest one). The
        last three are None where they cannot be given.
    """
    import polars as pl

    options_of = items.filter(
        (pl.col("target") == "choice")
        & (pl.col("key").list.len() == 1)
        & (pl.col("key").list.first() >= 0)
        & (pl.col("key").list.first() < pl.col("options").list.len())
    ).select("options", pl.col("key").list.first().alias("key"))
    n = options_of.height
    empty: dict[str, Any] = {"n": 0, "counts": {}, "expected": {}, "p": None}
    if n == 0:
        return empty | {"longest_option_is_key": None, "longest_option_expected": None}
    positions = options_of["key"].to_numpy().astype(np.int64)
    numbers = options_of["options"].list.len().to_numpy().astype(np.int64)
    letters = int(numbers.max())
    counts = np.bincount(positions, minlength=letters)
    expected = [float((1 / numbers[numbers > letter]).sum()) for letter in range(letters)]
    is_key = 0
    by_chance = 0.0
    for options, key in options_of.iter_rows():
        lengths = [len(option.strip()) for option in options]
        longest = max(lengths)
        if lengths.count(longest) == 1:
            is_key += lengths[key] == longest
            by_chance += 1 / len(options)
    names = LETTERS[:letters]
    return {
        "n": n,
        "counts": dict(zip(names, counts.tolist(), strict=True)),
        "expected": dict(zip(names, expected, strict=True)),
        "p": uniform_positions_p(positions, numbers),
        "longest_option_is_key": is_key / n,
        "longest_option_expected": by_chance / n,
    }
