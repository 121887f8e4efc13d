"""Uncertainty-aware depth: an item that a model is unsure of may be thought about for longer.

From the paper (OphthaReason, 2508.16129, of which only the abstract is open on this): the
uncertainty of a sample is an entropy, and it modulates how deep the model explores by a shaped
advantage. Ours, as the paper's formula and code are not published: the entropy is that of the
answers read from a group; a right answer is paid a little more for a depth on the side of the
uncertainty, so that the order of right, nearly right and wrong stands; and the factor on the
advantage keeps the group's mean reward.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from viva.errors import InputError
from viva.records import Item
from viva.targets import Choice, Label

if TYPE_CHECKING:
    from viva.training.recipes import Uncertainty

__all__ = ["check_scaling", "depths", "most_answers", "shape", "uncertainty"]

WIDEST = 1 / 3
"""Greatest weight of depth: above it nearly right at the right depth could outdo right."""


def uncertainty(answers: Sequence[Hashable | None], most: int | None = None) -> float | None:
    """How far the answers of a group disagree.

    Parameters
    ----------
    answers : sequence
        What was read from each completion; None where nothing was, which says nothing of the
        answer and is left out.
    most : int, optional
        How many different answers there can be.

    Returns
    -------
    float or None
        Shannon entropy of the answers over the greatest that so many could have: 0 where all
        agree, 1 where they are as different as they can be. None below two answers.
    """
    read = [answer for answer in answers if answer is not None]
    if len(read) < 2:
        return None
    different = min(len(read), most if most is not None and most > 1 else len(read))
    counts = Counter(read).values()
    entropy = -math.fsum(n / len(read) * math.log(n / len(read)) for n in counts)
    # k answers spread over m classes cannot always be spread evenly.
    each, rest = divmod(len(read), different)
    shares = [(each + 1) / len(read)] * rest + [each / len(read)] * (different - rest)
    greatest = -math.fsum(share * math.log(share) for share in shares)
    return min(1.0, max(0.0, entropy / greatest))


def most_answers(item: Item) -> int | None:
    """How many different answers an item can have: its options, its labels; None where open."""
    if isinstance(item.target, Choice):
        return len(item.options) or None
    return len(item.target.labels) or None if isinstance(item.target, Label) else None


def depths(lengths: Sequence[int]) -> list[float]:
    """Depth of each completion of a group: ``l / (l + mean)``, in 0..1 (1 excluded).

    0.5 at the mean length, ascending, the same in tokens as in words.

    Parameters
    ----------
    lengths : sequence of int
        At least 0.
    """
    mean = sum(lengths) / max(1, len(lengths))
    return [length / (length + mean) if mean else 0.5 for length in lengths]


def shape(
    rewards: Sequence[float | None],
    unsure: float | None,
    lengths: Sequence[int],
    *,
    weight: float,
    scale: Sequence[float] | None = None,
) -> list[float | None]:
    r"""Rewards of one group, shaped by its uncertainty.

    Parameters
    ----------
    rewards : sequence of (float or None)
        In 0..1.
    unsure : float or None
        The group's :func:`uncertainty` u; None leaves the rewards as they are.
    lengths : sequence of int
        Of the completions, in tokens.
    weight : float
        w, 0..1/3, of depth in the reward of a right answer.
    scale : (float, float), optional
        Factors on the advantages at u = 0 and u = 1, ascending and above 0, linear between.

    Returns
    -------
    list of (float or None)
        With d of :func:`depths`,

        .. math:: s = (1 - w) r + w [r > 0] (u d + (1 - u)(1 - d)),

        in 0..1: it ascends with r, and for a right answer with d where u > 1/2, against d where
        u < 1/2. Then ``mean + f(u) (s - mean)``: the group's mean stays, its advantages are
        multiplied by ``f(u)``.
    """
    if unsure is None:
        return list(rewards)
    shaped = [
        None if r is None else (1 - weight) * r + (weight * _paid(unsure, d) if r > 0 else 0.0)
        for r, d in zip(rewards, depths(lengths), strict=True)
    ]
    if scale is None:
        return shaped
    known = [value for value in shaped if value is not None]
    mean = math.fsum(known) / max(1, len(known))
    factor = scale[0] + (scale[1] - scale[0]) * unsure
    return [None if value is None else mean + factor * (value - mean) for value in shaped]


def _paid(unsure: float, depth: float) -> float:
    return unsure * depth + (1 - unsure) * (1 - depth)


def check_scaling(
    wanted: Uncertainty, settings: Mapping[str, Any], *, normalise: bool = False
) -> None:
    """Refuse settings under which the shaping is undone, or decides what it must not.

    Raises
    ------
    InputError
        Where advantages are divided by the deviation of their group: a factor on the group
        cancels, and among answers that are all right depth alone would be worth as much as being
        right. TRL's default does so.
    """
    given = settings.get("scale_rewards", "group")
    if normalise or given in (True, "group"):
        said = "normalise = true" if normalise else f"settings.scale_rewards = {given!r}"
        raise InputError(
            f"{said} divides by the deviation of the group, which undoes uncertainty",
            mend='Set scale_rewards = "none" or "batch"' + (" without normalise" * normalise),
        )
    if wanted.weight > WIDEST + 1e-12:
        raise InputError(
            f"uncertainty.weight = {wanted.weight:g}", mend="Keep it at a third at most"
        )
