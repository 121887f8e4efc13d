"""Paired tests of two models on the same items: McNemar, cluster sign flips, Holm, power."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from viva.analysis.intervals import normal_quantile
from viva.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["PairedTest", "holm", "mcnemar_test", "minimum_detectable_difference", "sign_flip"]

_WORK = 50_000_000
"""Additions allowed to the exact distribution; beyond it is sampled."""
_FINEST = 5040
"""Values that are not whole are tried as multiples of 1/2 .. 1/_FINEST."""


@dataclass(frozen=True, slots=True)
class PairedTest:
    """Two-sided p-values of "neither model is better".

    Parameters
    ----------
    p : float
        Share of equally likely outcomes at least as extreme as the observed one.
    p_mid : float
        The same with outcomes as extreme as the observed one counted half.
    exact : bool
        False where the distribution was sampled.
    """

    p: float
    p_mid: float
    exact: bool


def mcnemar_test(b: int, c: int) -> PairedTest:
    """Exact McNemar test and its mid-p version.

    Parameters
    ----------
    b, c : int
        Items that only the first, and only the second model got right.

    Returns
    -------
    PairedTest
        ``p`` is the two-sided binomial p-value of ``b`` in ``b + c`` at 1/2.

    Raises
    ------
    InputError
        Where a count is negative.

    References
    ----------
    McNemar (1947), Psychometrika 12, 153-157; Fagerland, Lydersen and Laake (2013), BMC Medical
    Research Methodology 13:91 (mid-p: size near 5 %, as against well below for the exact test).
    """
    from scipy.stats import binom

    if b < 0 or c < 0:
        raise InputError("a number of discordant items is negative")
    n, k = b + c, min(b, c)
    if n == 0:
        return PairedTest(1.0, 1.0, True)
    tail = float(binom.cdf(k, n, 0.5))
    point = float(binom.pmf(k, n, 0.5))
    # At b == c all outcomes are at least as extreme.
    p = min(1.0, 2 * tail)
    mid = 1 - point / 2 if b == c else 2 * tail - point
    return PairedTest(p, float(min(1.0, mid)), True)


def _whole(values: NDArray[np.float64]) -> NDArray[np.int64] | None:
    """The values as whole multiples of a common fraction, or None."""
    for scale in (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 60, 64, 100, 120, 840, _FINEST):
        scaled = values * scale
        rounded = np.round(scaled)
        if np.all(np.abs(scaled - rounded) < 1e-6):
            whole: NDArray[np.int64] = rounded.astype(np.int64)
            common = np.gcd.reduce(whole)
            return whole // max(int(common), 1)
    return None


def _exact_distribution(sizes: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Distribution of how much of ``sum(sizes * counts)`` falls on the plus side."""
    from scipy.stats import binom

    # The group with most clusters first: the others are added to it one outcome at a time.
    order = np.argsort(-counts, kind="stable")
    mass = np.ones(1)
    for size, count in zip(sizes[order].tolist(), counts[order].tolist(), strict=True):
        plus = binom.pmf(np.arange(count + 1), count, 0.5)
        if len(mass) == 1:
            grown = np.zeros(size * count + 1)
            grown[::size] = plus
        else:
            grown = np.zeros(len(mass) + size * count)
            for outcome, probability in enumerate(plus.tolist()):
                start = size * outcome
                grown[start : start + len(mass)] += probability * mass
        mass = grown
    return mass


def sign_flip(
    sums: ArrayLike, *, generator: np.random.Generator | None = None, resamples: int = 100_000
) -> PairedTest:
    """Randomisation test: every cluster's sum of differences could have had either sign.

    With clusters of one item this is the exact McNemar test, and its ``p_mid`` the mid-p.

    Parameters
    ----------
    sums : array_like of float, shape (G,)
        Sum over each cluster of ``y_a - y_b``.
    generator : numpy.random.Generator, optional
        Used where the exact distribution would be too large (sums without a common fraction,
        or very large clusters); default a fixed one.
    resamples : int
        Draws in that case.

    Returns
    -------
    PairedTest

    References
    ----------
    Fisher (1935), The Design of Experiments, section 21; the sampled p-value is
    ``(r + 1) / (resamples + 1)`` (Phipson and Smyth 2010).
    """
    array = np.asarray(sums, np.float64)
    array = array[np.abs(array) > 1e-9]
    if len(array) == 0:
        return PairedTest(1.0, 1.0, True)
    whole = _whole(np.abs(array))
    exact = None if whole is None else _exact_flip(whole, array > 0)
    if exact is not None:
        return exact
    rng = generator if generator is not None else np.random.default_rng(0)
    return _sampled_flip(array, rng, resamples)


def _exact_flip(sizes: NDArray[np.int64], plus: NDArray[np.bool_]) -> PairedTest | None:
    """The test on whole sums, ``plus`` where they are positive; None where it is too much work."""
    distinct, counts = np.unique(sizes, return_counts=True)
    total = int(sizes.sum())
    if (total + 1) * (len(sizes) - counts.max() + 1) > _WORK:
        return None
    mass = _exact_distribution(distinct, counts)
    on_plus = int(sizes[plus].sum())
    extreme = min(on_plus, total - on_plus)
    point = float(mass[extreme])
    if 2 * extreme == total:
        return PairedTest(1.0, 1 - point / 2, True)
    tail = float(mass[: extreme + 1].sum())
    return PairedTest(min(1.0, 2 * tail), min(1.0, 2 * tail - point), True)


def _sampled_flip(
    sums: NDArray[np.float64], generator: np.random.Generator, resamples: int
) -> PairedTest:
    """The test from drawn signs; sums of one size are drawn together."""
    sizes, counts = np.unique(np.round(np.abs(sums), 9), return_counts=True)
    observed = abs(float(sums.sum()))
    drawn = np.empty(resamples)
    step = max(1, 2_000_000 // len(sizes))
    for start in range(0, resamples, step):
        here = min(step, resamples - start)
        plus = generator.binomial(counts, 0.5, size=(here, len(counts)))
        drawn[start : start + here] = np.abs((2 * plus - counts) @ sizes)
    margin = 1e-9 * max(1.0, observed)
    above = int(np.sum(drawn > observed + margin))
    level = int(np.sum(np.abs(drawn - observed) <= margin))
    return PairedTest(
        (above + level + 1) / (resamples + 1), (above + level / 2 + 0.5) / (resamples + 1), False
    )


def holm(p: Sequence[float | None]) -> list[float | None]:
    """Holm's step-down adjustment; None stays None and does not count.

    Parameters
    ----------
    p : sequence of float or None
        In 0..1.

    Returns
    -------
    list of float or None
        Adjusted p-values, in the order given.

    Raises
    ------
    InputError
        Where a p-value is outside 0..1.

    References
    ----------
    Holm (1979), Scandinavian Journal of Statistics 6, 65-70.
    """
    known = [i for i, value in enumerate(p) if value is not None]
    values = np.array([p[i] for i in known], np.float64)
    if np.any(~((values >= 0) & (values <= 1))):
        raise InputError("a p-value is outside 0..1")
    order = np.argsort(values, kind="stable")
    stepped = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    out: list[float | None] = [None] * len(p)
    for rank, position in enumerate(order.tolist()):
        out[known[position]] = float(min(1.0, stepped[rank]))
    return out


def minimum_detectable_difference(
    sums: ArrayLike, items: int, *, power: float = 0.8, level: float = 0.95
) -> float | None:
    """Smallest true difference in accuracy that a paired test would find with this power.

    Parameters
    ----------
    sums : array_like of float, shape (G,)
        Sum over each cluster (including those without a difference) of ``y_a - y_b``.
    items : int
        Number of items, N.
    power, level : float
        In (0, 1).

    Returns
    -------
    float or None
        Fraction of items, 0..1; None without items.

    Notes
    -----
    Connor (1987), Biometrics 43, 207-211: with discordance ``psi`` per item,
    ``n d**2 = (z_a sqrt(psi) + z_b sqrt(psi - d**2))**2``, solved for d. Clusters enter by
    ``psi / n -> V = sum of sums**2 / N**2`` and ``d**2 / n -> d**2 / G``. Half a discordant
    cluster is added on each side, so that no discordance does not promise perfect power.
    """
    array = np.asarray(sums, np.float64)
    if items < 1 or len(array) == 0:
        return None
    z_a, z_b = normal_quantile(0.5 + level / 2), normal_quantile(power)
    variance = (float(array @ array) + (items / len(array)) ** 2) / items**2
    bend = 1 + z_b * z_b / len(array)
    root = z_a * z_a * variance - bend * variance * (z_a * z_a - z_b * z_b)
    return float(min(1.0, (z_a * variance**0.5 + max(root, 0.0) ** 0.5) / bend))
