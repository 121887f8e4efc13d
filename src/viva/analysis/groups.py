"""Groups of variants: what must stay stays, what must change changes, and the worst of a group.

A variant has a known relation to its original: *preserving* (the answer must stay), *altering* (it
must change), *unanswerable* (nothing is right any more). An answer that was not read agrees with
nothing and is not right: it stays in every denominator. ``docs/confidence.md`` has the definitions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from viva.analysis._columns import cluster_codes
from viva.analysis._estimates import Estimate, Resampling, mean_of, shares
from viva.analysis._pairs import NONE
from viva.analysis._variants import ALTERING, PRESERVING, UNANSWERABLE
from viva.analysis.intervals import check_level
from viva.analysis.resampling import stream
from viva.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["Relations", "WorstOfK", "relations", "worst_of_k"]

NO_PRESERVING = "no pair is preserving"
NO_ALTERING = "no pair is altering"
NO_GROUPS = "no group has two graded answers"


@dataclass(frozen=True, slots=True)
class Relations:
    """Whether the relations between variants and originals hold. Shares, 0..1.

    Parameters
    ----------
    n : int
        Pairs of a variant's answer with its original's.
    groups : int
        Originals they come from.
    consistency : Estimate
        The same option for variant and original, of preserving pairs.
    flip_rate : Estimate
        Another option, both read, of preserving pairs.
    unread : Estimate
        Not read on a side, of preserving pairs. The three add up to 1.
    faithfulness : Estimate
        An option that is not the original's key, of altering pairs.
    faithfulness_when_right : Estimate
        The same, of altering pairs whose original was answered right.
    altered_right : Estimate
        The variant's own key, of altering pairs whose variant has one.
    committed : Estimate
        Any option at all, of unanswerable pairs.
    """

    n: int
    groups: int
    consistency: Estimate
    flip_rate: Estimate
    unread: Estimate
    faithfulness: Estimate
    faithfulness_when_right: Estimate
    altered_right: Estimate
    committed: Estimate


def relations(
    relation: ArrayLike,
    *,
    original_choice: ArrayLike,
    variant_choice: ArrayLike,
    original_key: ArrayLike,
    variant_key: ArrayLike | None = None,
    group: ArrayLike | None = None,
    name: str = "",
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Relations:
    """Consistency, faithfulness and flips of pairs of variant and original.

    Parameters
    ----------
    relation : array_like of str, shape (P,)
        ``preserving``, ``altering`` or ``unanswerable``.
    original_choice, variant_choice : array_like of int, shape (P,)
        Options in one numbering for both; -1 = unread.
    original_key, variant_key : array_like of int, shape (P,)
        In the same numbering; -1 = none.
    group : array_like, shape (P,), optional
        The original; pairs of one group are resampled together. Default: each on its own.
    name : str
        Draws depend on it and on the seed alone.
    resamples, seed, level
        As :func:`viva.analysis.transitions`.

    Returns
    -------
    Relations

    Raises
    ------
    InputError
        For an unknown relation, columns of different length, settings out of range.

    Notes
    -----
    Consistency and faithfulness are those of NLI4CT-P (Jullien, Valentino and Freitas 2024,
    SemEval-2024 task 2): faithfulness there compares with the *gold* label of the original, not
    with what was predicted for it; ``faithfulness_when_right`` is the formula of the paper, which
    takes only originals that were answered right. Separate groups have Wilson's interval.
    """
    check_level(level)
    kind = np.asarray(relation).astype(np.str_)
    n = len(kind)
    if unknown := sorted(set(kind.tolist()) - {PRESERVING, ALTERING, UNANSWERABLE}):
        raise InputError(f"unknown relation {unknown[0]!r}")
    none = np.full(n, NONE)
    original, variant, key, target = (
        none if column is None else np.asarray(column, np.int64)
        for column in (original_choice, variant_choice, original_key, variant_key)
    )
    cluster = cluster_codes(group, n)
    if any(len(column) != n for column in (original, variant, key, target, cluster)):
        raise InputError("the columns of the pairs differ in length")
    preserving, altering = kind == PRESERVING, kind == ALTERING
    read = (original != NONE) & (variant != NONE)
    same = read & (original == variant)
    left = (variant != NONE) & (variant != key)
    wanted = {
        "consistency": (same, preserving, NO_PRESERVING),
        "flip_rate": (read & ~same, preserving, NO_PRESERVING),
        "unread": (~read, preserving, NO_PRESERVING),
        "faithfulness": (left, altering & (key != NONE), NO_ALTERING),
        "faithfulness_when_right": (
            left,
            altering & (key != NONE) & (original == key),
            "no altering pair has its original answered right",
        ),
        "altered_right": (
            (variant != NONE) & (variant == target),
            altering & (target != NONE),
            "no altering variant has a key",
        ),
        "committed": (variant != NONE, kind == UNANSWERABLE, "no pair is unanswerable"),
    }
    draws = Resampling(stream(seed, "relations", name), resamples, level)
    return Relations(n, len(np.unique(cluster)), **shares(wanted, cluster, draws))


@dataclass(frozen=True, slots=True)
class WorstOfK:
    """Accuracy of the members of groups that ask one thing in several ways. Shares, 0..1.

    Parameters
    ----------
    groups : int
        Groups with at least two members.
    smallest_k, largest_k : int
        Members of the smallest and of the largest of them: the worst of more is lower.
    mean : Estimate
        Mean over groups of the share of members that are right.
    worst : Estimate
        Groups whose members are all right.
    best : Estimate
        Groups with a member that is right.
    held : Estimate
        Groups whose members are all right, of those with a member that is right.
    """

    groups: int
    smallest_k: int
    largest_k: int
    mean: Estimate
    worst: Estimate
    best: Estimate
    held: Estimate


def worst_of_k(
    values: ArrayLike,
    group: ArrayLike,
    *,
    cluster: ArrayLike | None = None,
    name: str = "",
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> WorstOfK:
    """Worst, best and mean accuracy of groups of answers that must all be right.

    Parameters
    ----------
    values : array_like of bool, shape (N,)
        Right or not; unread is not.
    group : array_like, shape (N,)
        Groups of one answer are left out.
    cluster : array_like, shape (N,), optional
        Equal for the members of a group: groups that are resampled together (samples of one
        item). Default: the groups.
    name, resamples, seed, level
        As :func:`relations`.

    Returns
    -------
    WorstOfK

    Raises
    ------
    InputError
        For values other than 0 and 1, columns of different length, settings out of range.
    """
    check_level(level)
    right = np.asarray(values, np.float64)
    if not np.isin(right, (0, 1)).all():
        raise InputError("a value is neither right nor wrong", mend="Pass samples one by one")
    _, first, code = np.unique(np.asarray(group), return_index=True, return_inverse=True)
    together = np.arange(len(first)) if cluster is None else np.asarray(cluster)[first]
    if len(code) != len(right):
        raise InputError("values and groups differ in number")
    size = np.bincount(code, minlength=len(first))
    won = np.bincount(code, right, minlength=len(first))
    several = size > 1
    size, won = size[several], won[several]
    _, owner = np.unique(together[several], return_inverse=True)
    draws = Resampling(stream(seed, "worst of k", name), resamples, level)
    every = np.ones(len(size), bool)
    found = shares(
        {
            "worst": (won == size, every, NO_GROUPS),
            "best": (won > 0, every, NO_GROUPS),
            "held": (won == size, won > 0, "no group has a right answer"),
        },
        owner.astype(np.int64),
        draws,
    )
    mean = mean_of(won / np.maximum(size, 1), owner.astype(np.int64), draws, NO_GROUPS)
    return WorstOfK(
        len(size), int(size.min()) if len(size) else 0, int(size.max(initial=0)), mean, **found
    )
