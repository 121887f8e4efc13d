"""Does more pressure move more answers: probes of one kind, weakest first, on the same pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from viva.analysis import _estimates
from viva.analysis._estimates import Estimate, Resampling
from viva.analysis._pairs import Pairs
from viva.analysis.intervals import check_level
from viva.analysis.paired_tests import sign_flip
from viva.analysis.resampling import stream
from viva.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Level", "StrengthResponse", "strength_response"]


@dataclass(frozen=True, slots=True)
class Level:
    """One strength, on the clean answers that were misled at every strength.

    Parameters
    ----------
    misled : Estimate
        Accuracy, 0..1.
    lost : Estimate
        Of the right ones, 0..1.
    followed_cue : Estimate
        Of those whose cue is not the key at any strength, 0..1.
    """

    misled: Estimate
    lost: Estimate
    followed_cue: Estimate


@dataclass(frozen=True, slots=True)
class StrengthResponse:
    """How answers respond to strength.

    Parameters
    ----------
    n : int
        Clean answers that were misled at every strength.
    levels : tuple of Level
        Weakest first.
    net_slope, followed_slope : Estimate
        Least-squares slope of accuracy, and of the share on the cue, per step of strength, in
        points.
    p_net, p_followed : float or None
        Mid-p of the cluster sign-flip test that the slope is 0; None without pairs.
    """

    n: int
    levels: tuple[Level, ...]
    net_slope: Estimate
    followed_slope: Estimate
    p_net: float | None
    p_followed: float | None


def _per_unit(
    pairs: Pairs, unit: NDArray[np.int64], values: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Mean of the values of each unit's pairs. Shape (units,)."""
    at = np.searchsorted(unit, pairs.unit)
    inside = (at < len(unit)) & (unit[np.minimum(at, len(unit) - 1)] == pairs.unit)
    count = np.bincount(at[inside], minlength=len(unit))
    return np.bincount(at[inside], weights=values[inside], minlength=len(unit)) / count


def strength_response(
    probes: Sequence[Pairs],
    *,
    name: str = "",
    resamples: int = 10_000,
    seed: int = 0,
    level: float = 0.95,
) -> StrengthResponse:
    """Accuracy and following of the cue over strengths, with the slope over them.

    Parameters
    ----------
    probes : sequence of Pairs
        Two or more, of one kind, weakest first, with ``unit`` naming the clean answer alike.
    name, resamples, seed, level
        As :func:`viva.analysis.transitions`.

    Returns
    -------
    StrengthResponse

    Raises
    ------
    InputError
        For fewer than two probes and settings out of range.

    Notes
    -----
    A unit's slope is ``sum_s (s - mean s) y_s / sum_s (s - mean s)**2``, linear in its answers,
    so the slope of all is a mean over units and its test a sign flip of cluster sums: turning the
    order of strengths round negates them.
    """
    if len(probes) < 2:
        raise InputError("a response to strength needs two strengths", mend="Give another probe")
    check_level(level)
    draws = Resampling(stream(seed, "strength", name), resamples, level)
    unit = reduce(np.intersect1d, (p.unit for p in probes))
    empty = "no clean answer was misled at every strength"
    if not len(unit):
        none = Estimate(None, None, None, 0, empty)
        return StrengthResponse(0, (Level(none, none, none),) * len(probes), none, none, None, None)
    first = probes[0]
    row = np.argsort(first.unit, kind="stable")
    row = row[np.searchsorted(first.unit[row], unit)]
    clean, cluster = first.clean_right[row], first.cluster[row]
    right = np.array([_per_unit(p, unit, p.misled_right) for p in probes])
    on_cue = np.array([_per_unit(p, unit, p.on_cue_misled) for p in probes])
    cued = np.all([_per_unit(p, unit, p.cued) == 1 for p in probes], axis=0)

    def share(values: NDArray[np.float64], among: NDArray[np.bool_], reason: str) -> Estimate:
        return _estimates.mean_of(values[among], cluster[among], draws, reason)

    every = np.ones(len(unit), bool)
    no_cue = "no clean answer has a cue that is not the key at every strength"
    levels = tuple(
        Level(
            share(r, every, empty), share(1 - r, clean, "no clean answer is right"),
            share(f, cued, no_cue),
        )
        for r, f in zip(right, on_cue, strict=True)
    )  # fmt: skip
    contrast = np.arange(len(probes)) - (len(probes) - 1) / 2
    contrast /= float(contrast @ contrast)
    widest = float(np.abs(contrast).sum() / 2)

    def slope(
        values: NDArray[np.float64], among: NDArray[np.bool_], reason: str
    ) -> tuple[Estimate, float | None]:
        each = contrast @ values[:, among]
        if not len(each):
            return Estimate(None, None, None, 0, reason), None
        found = _estimates.difference(each, cluster[among], draws, reason, widest=widest)
        _, code = np.unique(cluster[among], return_inverse=True)
        test = sign_flip(np.bincount(code, weights=each), generator=draws.generator)
        return found, test.p_mid

    net, p_net = slope(right, every, empty)
    followed, p_followed = slope(on_cue, cued, no_cue)
    return StrengthResponse(len(unit), levels, net, followed, p_net, p_followed)
