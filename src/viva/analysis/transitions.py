"""From the clean to the misled answer: what was lost, gained, kept, and moved to the cue.

Net accuracy hides flips; here every pair of answers counts where it goes. A pair whose answer
could not be read on a side stays in every denominator: unread is not right and on no option. A
pair without a response on a side is no pair. ``docs/robustness.md`` has numerator and denominator
of each number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from viva.analysis import _estimates
from viva.analysis._estimates import ChangeTest, Estimate, Resampling
from viva.analysis._gap import Gap
from viva.analysis._pairs import NONE, STATES, Pairs
from viva.analysis.intervals import check_level
from viva.analysis.resampling import stream
from viva.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Against", "Transitions", "against_control", "by_stratum", "transitions"]

NO_PAIRS = "no pairs"
NO_CUE = "no pair has a cue that is not the key"


@dataclass(frozen=True, slots=True)
class Transitions:
    """What became of the answers of one model under one probe.

    Shares are fractions 0..1, ``net`` is in points. ``n`` of each is its denominator.

    Parameters
    ----------
    n : int
        Pairs.
    clusters : int
        Clusters they form; n where no pairs are resampled together.
    clean, misled : Estimate
        Accuracy of either side, of all pairs.
    net : Estimate
        Accuracy misled minus clean, in points; negative = a drop.
    kept_right : Estimate
        Right on both sides, of all pairs.
    lost : Estimate
        Not right when misled, of the pairs that are right when clean.
    gained : Estimate
        Right when misled, of the pairs that are not right when clean.
    kept_wrong : Estimate
        Right on neither side, of all pairs.
    followed_cue : Estimate
        The misled answer is the cue, of the pairs whose cue is not the key.
    unprompted : Estimate
        The clean answer is that option, of the same pairs.
    cue_effect : Estimate
        ``(followed_cue - unprompted) / (1 - unprompted)``; at most 1, below 0 where the cue is
        shunned.
    moved_to_cue : Estimate
        From another option to the cue, of the pairs whose cue is not the key.
    moved_elsewhere : Estimate
        From one option to another that is not the cue, of all pairs.
    held : Estimate
        The same option on both sides, of all pairs.
    unread, unread_clean, unread_misled : Estimate
        Not read on either side, on the clean, on the misled one, of all pairs.
    flow : dict of str to dict of str to int
        Pairs from each clean to each misled state of :data:`STATES`.
    test : ChangeTest or None
        McNemar and sign flips, misled against clean; None without pairs.
    """

    n: int
    clusters: int
    clean: Estimate
    misled: Estimate
    net: Estimate
    kept_right: Estimate
    lost: Estimate
    gained: Estimate
    kept_wrong: Estimate
    followed_cue: Estimate
    unprompted: Estimate
    cue_effect: Estimate
    moved_to_cue: Estimate
    moved_elsewhere: Estimate
    held: Estimate
    unread: Estimate
    unread_clean: Estimate
    unread_misled: Estimate
    flow: Mapping[str, Mapping[str, int]]
    test: ChangeTest | None


def _settings(name: str, what: str, resamples: int, seed: int, level: float) -> Resampling:
    check_level(level)
    if resamples < 1:
        raise InputError(f"resamples is {resamples}", mend="Use at least 1, better 2000 or more")
    return Resampling(stream(seed, what, name), resamples, level)


def _flow(pairs: Pairs) -> dict[str, dict[str, int]]:
    clean, misled = pairs.states()
    size = len(STATES)
    counts = np.bincount(clean * size + misled, minlength=size * size).reshape(size, size)
    return {
        state: dict(zip(STATES, row, strict=True))
        for state, row in zip(STATES, counts.tolist(), strict=True)
    }


def transitions(
    pairs: Pairs,
    *,
    name: str = "",
    resamples: int = 10_000,
    seed: int = 0,
    level: float = 0.95,
) -> Transitions:
    """Transitions of all pairs together.

    Parameters
    ----------
    pairs : Pairs
    name : str
        What the pairs are, such as model and probe: draws depend on it and on the seed alone.
    resamples : int
        Draws of the bootstrap, >= 1.
    seed : int
        Non-negative.
    level : float
        Confidence level, in (0, 1).

    Returns
    -------
    Transitions

    Raises
    ------
    InputError
        For settings out of range.

    Notes
    -----
    Intervals of shares are Wilson's for separate pairs and the weighted cluster bootstrap where
    pairs cluster; ``net`` and ``cue_effect`` are always bootstrapped, both sides with one weight.
    """
    draws = _settings(name, "transitions", resamples, seed, level)
    clean, misled = pairs.clean_right, pairs.misled_right
    every, cued = np.ones(len(pairs), bool), pairs.cued
    unread_clean, unread_misled = pairs.clean_choice == NONE, pairs.misled_choice == NONE
    read = ~unread_clean & ~unread_misled
    same = read & (pairs.clean_choice == pairs.misled_choice)
    on_cue = pairs.on_cue_misled

    change = misled.astype(np.float64) - clean
    none_wrong = "every clean answer is right" if len(pairs) else NO_PAIRS
    wanted = {
        "clean": (clean, every, NO_PAIRS),
        "misled": (misled, every, NO_PAIRS),
        "kept_right": (clean & misled, every, NO_PAIRS),
        "lost": (~misled, clean, "no clean answer is right"),
        "gained": (misled, ~clean, none_wrong),
        "kept_wrong": (~clean & ~misled, every, NO_PAIRS),
        "followed_cue": (on_cue, cued, NO_CUE),
        "unprompted": (pairs.on_cue_clean, cued, NO_CUE),
        "moved_to_cue": (read & on_cue & ~same, cued, NO_CUE),
        "moved_elsewhere": (read & ~same & ~on_cue, every, NO_PAIRS),
        "held": (same, every, NO_PAIRS),
        "unread": (~read, every, NO_PAIRS),
        "unread_clean": (unread_clean, every, NO_PAIRS),
        "unread_misled": (unread_misled, every, NO_PAIRS),
    }
    return Transitions(
        n=len(pairs),
        clusters=len(np.unique(pairs.cluster)),
        net=_estimates.difference(change, pairs.cluster, draws, NO_PAIRS),
        cue_effect=_estimates.excess(
            on_cue[cued].astype(np.float64),
            pairs.on_cue_clean[cued].astype(np.float64),
            pairs.cluster[cued],
            draws,
            NO_CUE,
        ),
        flow=_flow(pairs),
        test=_estimates.change_test(change, pairs.cluster, draws.generator),
        **_estimates.shares(wanted, pairs.cluster, draws),
    )


def by_stratum(
    pairs: Pairs,
    *,
    name: str = "",
    resamples: int = 10_000,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, Gap]:
    """Does it fall more on reasoning than on knowledge items, within benchmarks?

    Parameters
    ----------
    pairs, name, resamples, seed, level
        As :func:`transitions`.

    Returns
    -------
    dict of str to Gap
        Reasoning minus knowledge, in points, weights ``n_R n_K / (n_R + n_K)``: ``net``
        (negative = reasoning falls more), ``lost`` (of the right), ``gained`` (of the rest),
        ``cue_shift`` (share on the cue, misled minus clean, of pairs whose cue is not the key).

    Raises
    ------
    InputError
        For settings out of range.
    """
    draws = _settings(name, "transitions by stratum", resamples, seed, level)
    clean, misled = pairs.clean_right, pairs.misled_right
    every = np.ones(len(pairs), bool)
    shift = pairs.on_cue_misled.astype(np.float64) - pairs.on_cue_clean

    def of(values: NDArray[np.float64], kept: NDArray[np.bool_], low: float = -1.0) -> Gap:
        return _estimates.within_difference(values, kept, pairs, draws, low=low)

    return {
        "net": of(misled.astype(np.float64) - clean, every),
        "lost": of((~misled).astype(np.float64), clean, 0.0),
        "gained": of(misled.astype(np.float64), ~clean, 0.0),
        "cue_shift": of(shift, pairs.cued),
    }


@dataclass(frozen=True, slots=True)
class Against:
    """A misleading probe against a control arm, on pairs that share their clean answer.

    Differences are misled minus control, in points; ``cue_effect`` is a fraction.

    Parameters
    ----------
    n : int
        Pairs of the probe whose clean answer has a control answer too.
    net : Estimate
        Accuracy misled minus control.
    lost : Estimate
        Difference in the share lost, of the pairs that are right when clean.
    gained : Estimate
        Difference in the share gained, of the others.
    followed_cue : Estimate
        Difference in the share on the option that the *probe's* cue names, of the pairs whose
        cue is not the key.
    cue_effect : Estimate
        ``(f - b) / (1 - b)`` with b = that share in the control arm.
    unread : Estimate
        Difference in the share of unread answers.
    within : Gap
        ``net`` on reasoning minus ``net`` on knowledge items, within benchmarks.
    test : ChangeTest or None
        McNemar and sign flips, misled against control; None without pairs.
    """

    n: int
    net: Estimate
    lost: Estimate
    gained: Estimate
    followed_cue: Estimate
    cue_effect: Estimate
    unread: Estimate
    within: Gap
    test: ChangeTest | None


def _control_values(probe: Pairs, control: Pairs) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Which probe pairs have a control answer, and its (right, on the probe's cue, unread).

    Several control answers to one clean answer are averaged. Shapes (P,) and (3, P).
    """
    order = np.argsort(control.unit, kind="stable")
    first = np.searchsorted(control.unit[order], probe.unit, "left")
    count = np.searchsorted(control.unit[order], probe.unit, "right") - first
    row = np.repeat(np.arange(len(probe)), count)
    step = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    at = order[np.repeat(first, count) + step]
    if np.any(probe.clean_right[row] != control.clean_right[at]):
        raise InputError(
            "probe and control arm have different clean answers", mend="Pair both with the same"
        )
    choice = control.misled_choice[at]
    values = (control.misled_right[at], choice == probe.cue[row], choice == NONE)
    sums = np.array([np.bincount(row, weights=v, minlength=len(probe)) for v in values])
    return count > 0, sums / np.maximum(count, 1)


def against_control(
    probe: Pairs,
    control: Pairs,
    *,
    name: str = "",
    resamples: int = 10_000,
    seed: int = 0,
    level: float = 0.95,
) -> Against:
    """A misleading probe against a control arm: what the misleading adds to being asked again.

    Both arms share the clean answer, so the difference in the share lost is a paired difference
    over the same pairs. Where the probe changes nothing that the control does not, all are 0 in
    expectation, also for a model that guesses, which loses 1 - 1/k of its right answers in both.

    Parameters
    ----------
    probe, control : Pairs
        With ``unit`` naming the clean answer in the same way.
    name, resamples, seed, level
        As :func:`transitions`.

    Returns
    -------
    Against

    Raises
    ------
    InputError
        For settings out of range, and where clean answers of one unit differ.
    """
    draws = _settings(name, "against control", resamples, seed, level)
    there, values = _control_values(probe, control)
    both = probe.where(there)
    right, on_cue, unread = values[:, there]
    clean, cued = both.clean_right, both.cued
    followed = both.on_cue_misled.astype(np.float64)
    change = both.misled_right - right
    reason = "no pair has an answer in both arms"

    def of(values: NDArray[np.float64], among: NDArray[np.bool_], why: str) -> Estimate:
        return _estimates.difference(
            values[among], both.cluster[among], draws, why if len(both) else reason
        )

    every = np.ones(len(both), bool)
    return Against(
        n=len(both),
        net=of(change, every, reason),
        lost=of(-change, clean, "no clean answer is right"),
        gained=of(change, ~clean, "every clean answer is right"),
        followed_cue=of(followed - on_cue, cued, NO_CUE),
        cue_effect=_estimates.excess(
            followed[cued], on_cue[cued], both.cluster[cued], draws, NO_CUE if len(both) else reason
        ),
        unread=of((both.misled_choice == NONE) - unread, every, reason),
        within=_estimates.within_difference(change, every, both, draws),
        test=_estimates.change_test(change, both.cluster, draws.generator),
    )
