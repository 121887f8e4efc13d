"""SkewSize: is what a group does to accuracy spread evenly over labels, or on a few of them?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from viva.analysis.disparity import ONE_VALUE, group_columns
from viva.analysis.intervals import check_level
from viva.analysis.resampling import stream
from viva.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["SkewSize", "skew_size"]

SMALLEST_EXPECTED = 5.0
"""Expected count that every cell of a table must reach to enter SkewSize (Cochran 1954)."""
FEWEST_LABELS = 3
"""Labels whose effect sizes a skewness needs."""


@dataclass(frozen=True, slots=True)
class SkewSize:
    """Skewness over labels of how strongly the group value goes with being right.

    Parameters
    ----------
    skew : float or None
        Skewness of the effect sizes, without unit: near 0 where they spread evenly to both sides,
        above 0 where a few labels have much larger ones than the rest.
    chance_low, chance_high : float or None
        Where it lies in 95 % (or ``level``) of all ways to exchange the group values inside
        blocks: what noise alone gives. It has no confidence interval, see the notes.
    labels : int
        Labels it is made from.
    reason : str or None
        Why there is no skewness.
    effects : dict of str to float
        Cramér's V of each label whose table is large enough, 0..1.
    left_out : dict of str to str
        The other labels, each with the reason.
    mean : float or None
        Mean of the effect sizes.
    mean_by_chance : float or None
        Mean of the effect sizes when group values are exchanged: V is never negative, so it is
        above 0 where the group does not matter.
    p : float or None
        Share of such exchanges with a mean at least as large as observed.
    """

    skew: float | None
    chance_low: float | None
    chance_high: float | None
    labels: int
    reason: str | None
    effects: Mapping[str, float]
    left_out: Mapping[str, str]
    mean: float | None
    mean_by_chance: float | None
    p: float | None


def _effects(right: NDArray[np.float64], size: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cramér's V of 2 x K tables, right and wrong by group value. Shape (..., L, K) to (..., L)."""
    n = size.sum(axis=-1, keepdims=True)
    share = right.sum(axis=-1, keepdims=True) / n
    expected = size * share
    with np.errstate(divide="ignore", invalid="ignore"):
        # Both rows of the table are off by the same amount: their two terms are added up here.
        chi2 = ((right - expected) ** 2 / (size * share * (1 - share))).sum(axis=-1)
        v: NDArray[np.float64] = np.sqrt(np.nan_to_num(chi2) / n[..., 0])
    return v


def _skewness(v: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fisher-Pearson coefficient m3 / m2^(3/2) over the last axis; 0 where nothing varies."""
    away = v - v.mean(axis=-1, keepdims=True)
    m2, m3 = (away**2).mean(axis=-1), (away**3).mean(axis=-1)
    flat = m2 <= 1e-18
    out: NDArray[np.float64] = np.where(flat, 0.0, m3 / np.where(flat, 1.0, m2) ** 1.5)
    return out


def skew_size(
    values: ArrayLike,
    group: ArrayLike,
    label: ArrayLike,
    block: ArrayLike | None = None,
    *,
    name: str = "",
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> SkewSize:
    """SkewSize: is what the group does to accuracy spread evenly over labels?

    Parameters
    ----------
    values : array_like, shape (N,)
        1 right, 0 not right or unread; averages over samples count by their share.
    group : array_like, shape (N,)
        Value of the group, such as gender x ethnicity.
    label : array_like, shape (N,)
        The label within which the effect of the group is measured, such as the right answer's
        class, a speciality or a task.
    block, name, seed, level
        As :func:`disparity`.
    resamples : int
        Exchanges.

    Returns
    -------
    SkewSize

    Raises
    ------
    InputError
        As :func:`disparity`.

    Notes
    -----
    For each label, chi-square of the 2 x K table right/wrong by group value, without continuity
    correction, gives Cramér's V = sqrt(chi2 / (n min(1, K - 1))) = sqrt(chi2 / n). A label enters
    where it has at least two group values and every *expected* count is at least 5. SkewSize is
    the Fisher-Pearson skewness m3 / m2^(3/2) of the V (Albuquerque et al. 2024, "Evaluating model
    bias requires characterizing its mistakes", with correctness in place of the predicted class).
    It says nothing about how large the effects are, hence ``mean`` beside it. Noise in each V is
    one-sided, so that the observed skewness is drawn to that of noise unless every label has
    thousands of answers: intervals by bootstrap held the truth in 0 to 67 % of simulated cases
    (``docs/confidence.md``), and none is given.
    """
    check_level(level)
    right, groups, blocks, _ = group_columns(values, group, block, None)
    kinds, kind = np.unique(groups, return_inverse=True)
    labels, code = np.unique(np.asarray(label).astype(np.str_), return_inverse=True)
    if len(code) != len(right):
        raise InputError("values and labels differ in number")
    table = (len(labels), len(kinds))
    cell = code * len(kinds) + kind
    size = np.bincount(cell, minlength=table[0] * table[1]).reshape(table).astype(float)
    won = np.bincount(cell, right, minlength=table[0] * table[1]).reshape(table).astype(float)
    left_out = _too_small(labels, won, size)
    kept = np.array([k for k, name_ in enumerate(labels.tolist()) if name_ not in left_out], int)
    effects = _effects(won, size)
    shown = {str(labels[k]): float(effects[k]) for k in kept}
    n = len(kept)
    few = "no label has a large enough table" if not n else None
    if 0 < n < FEWEST_LABELS:
        few = f"fewer than {FEWEST_LABELS} labels have a large enough table"
    if not n:
        return SkewSize(None, None, None, 0, few, shown, left_out, None, None, None)
    drawn = _exchanged(right, cell, table, blocks, kept, resamples, stream(seed, "skew size", name))
    mean = float(effects[kept].mean())
    by_chance = p = low = high = None
    if drawn is not None:
        means = drawn.mean(axis=1)
        by_chance = float(means.mean())
        p = float((np.sum(means >= mean - 1e-12) + 1) / (len(means) + 1))
    if few is None and drawn is not None:
        ends = np.quantile(_skewness(drawn), [0.5 - level / 2, 0.5 + level / 2])
        low, high = float(ends[0]), float(ends[1])
    skew = None if few else float(_skewness(effects[kept]))
    return SkewSize(skew, low, high, n, few, shown, left_out, mean, by_chance, p)


def _too_small(
    labels: NDArray[np.str_], won: NDArray[np.float64], size: NDArray[np.float64]
) -> dict[str, str]:
    out = {}
    for k, label in enumerate(labels.tolist()):
        there = size[k] > 0
        share = won[k].sum() / size[k].sum()
        if there.sum() < 2:
            out[label] = ONE_VALUE
        elif min(share, 1 - share) * size[k][there].min() < SMALLEST_EXPECTED:
            out[label] = f"an expected count below {SMALLEST_EXPECTED:g}"
    return out


def _exchanged(
    right: NDArray[np.float64],
    cell: NDArray[np.int64],
    table: tuple[int, int],
    blocks: NDArray[np.int64],
    kept: NDArray[np.int64],
    resamples: int,
    rng: np.random.Generator,
) -> NDArray[np.float64] | None:
    """Effects of the kept labels, answers exchanged inside blocks and labels. Shape (R, L)."""
    inside = np.isin(cell // table[1], kept)
    _, place = np.unique(blocks[inside] * table[0] + cell[inside] // table[1], return_inverse=True)
    if np.bincount(place).max() < 2:
        return None
    order = np.argsort(place, kind="stable")
    place, at, value = place[order], cell[inside][order], right[inside][order]
    cells = table[0] * table[1]
    size = np.bincount(at, minlength=cells).reshape(table)[kept].astype(np.float64)
    out = np.empty((resamples, len(kept)))
    for r in range(resamples):
        # Places of one block stay together: a random number below 1 sorts within them.
        mixed = np.argsort(place + rng.random(len(place)))
        won = np.bincount(at, value[mixed], minlength=cells).reshape(table)[kept]
        out[r] = _effects(won.astype(np.float64), size)
    return out
