"""In which order a stage learns: phases from easy to hard, and how a trainer is made to keep them.

TRL's trainers shuffle by default, each in its own way; :func:`keeps_order` are the settings under
which each takes its data as it lies. The whole order of a stage, epochs included, is laid out
before it begins (:func:`lay_out`), so that a stage that was killed goes on in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from viva.errors import InputError
from viva.synthesis import Example, seeded
from viva.targets import kind_of
from viva.training.selection import score_of

if TYPE_CHECKING:
    from viva.training.recipes import Curriculum

__all__ = ["CLOSED", "ORDERS", "keeps_order", "lay_out", "order"]

CLOSED = frozenset(("choice", "choices", "label"))
"""Kinds of target whose answer is one of those shown; all others are open."""


def _of_score(name: str, sign: int = 1) -> Callable[[Example], float | None]:
    def rank(example: Example) -> float | None:
        value = score_of(example, name)
        return None if value is None else sign * value

    return rank


def _open(example: Example) -> float | None:
    target = example.item.target
    return None if target is None else float(kind_of(target) not in CLOSED)


ORDERS: Mapping[str, Callable[[Example], float | None]] = {
    "none": lambda _: 0.0,
    "pass_rate": _of_score("pass_rate", -1),
    "hops": _of_score("hops"),
    "difficulty": _of_score("difficulty"),
    "closed_to_open": _open,
}
"""Name of an order -> what it ranks by, least first; None where that is not known. Sources: by pass
rate MedVLThinker; by hops QwQ-Med-3; closed before open MedCCO and CX-Mind; by difficulty AlphaMed
(2505.17952)."""


def order(
    examples: Sequence[Example], curriculum: Curriculum | None = None, *, seed: int = 0
) -> list[list[Example]]:
    """The phases of a stage, each in the order in which it is learned.

    Parameters
    ----------
    examples : sequence of Example
    curriculum : Curriculum, optional
        Without it, or with the order ``none``, one phase, shuffled.
    seed : int
        The same examples and seed give the same phases, in whatever order the examples come.

    Returns
    -------
    list of list of Example
        With one phase its examples ascend, and those that rank alike are shuffled. With more,
        every example of a phase ranks below those of the next (closed and open are two phases
        whatever their sizes), the sizes are as near to equal as that allows, and each phase is
        shuffled inside. ``descending`` turns the rank around; with ``cumulative``
        each phase holds those before it as well.

    Raises
    ------
    InputError
        Where what is ranked by is not known of all examples, or there are more phases than
        ranks to part.
    """
    name = "none" if curriculum is None else curriculum.order
    phases = 1 if curriculum is None else curriculum.phases
    ranks = [ORDERS[name](each) for each in examples]
    unknown = sum(rank is None for rank in ranks)
    if unknown:
        raise InputError(
            f"curriculum.order = {name!r}: it is not known of {unknown} of {len(ranks)} examples",
            mend=_mend(name),
        )
    turned = -1 if curriculum is not None and curriculum.descending else 1
    keyed = [
        ((turned * (rank or 0.0), _drawn(each, seed)), each)
        for rank, each in zip(ranks, examples, strict=True)
    ]
    keyed.sort(key=lambda one: one[0])
    if phases == 1:
        return [[example for _, example in keyed]]
    cuts = _cuts([key if name == "none" else key[:1] for key, _ in keyed], phases, name)
    cumulative = curriculum is not None and curriculum.cumulative
    parts = [keyed[0 if cumulative else low : high] for low, high in pairwise(cuts)]
    return [
        sorted((example for _, example in part), key=lambda each: _drawn(each, seed, i))
        for i, part in enumerate(parts)
    ]


def _cuts(ranks: Sequence[object], phases: int, name: str) -> list[int]:
    """Where the phases begin and end: between two ranks, as near as can be to equal parts."""
    between = [i for i in range(1, len(ranks)) if ranks[i] != ranks[i - 1]]
    if len(between) + 1 < phases:
        raise InputError(
            f"curriculum.phases = {phases}, but {name} parts the examples into {len(between) + 1}",
            mend="Ask for fewer phases",
        )
    cuts, at = [0], 0
    for i in range(1, phases):
        left = range(at, len(between) - (phases - 1 - i))
        at = min(left, key=lambda j: abs(between[j] - i * len(ranks) / phases))
        cuts.append(between[at])
        at += 1
    return [*cuts, len(ranks)]


def _drawn(example: Example, *names: int) -> tuple[float, str, str, int]:
    """A place that the example's key and the names alone decide."""
    item = example.item
    return (seeded(example, "order", *names).random(), item.benchmark, item.item_id, example.number)


def _mend(name: str) -> str:
    if name == "closed_to_open":
        return "Give every item a target"
    step = "pass_rate" if name == "pass_rate" else "difficulty"
    return f"Run the synthesis step {step} first, or drop what it cannot tell"


def lay_out(
    phases: Sequence[Sequence[Example]],
    *,
    epochs: int = 1,
    seed: int = 0,
    by_phase: bool = True,
    shuffled: bool = False,
) -> list[Example]:
    """The whole order of a stage: what is to be trained on once, in sequence.

    Parameters
    ----------
    phases : sequence of sequence of Example
        Of :func:`order`.
    epochs : int
        How often each example is seen.
    seed : int
    by_phase : bool
        Each phase is learned for all its epochs before the next begins; else every epoch goes
        through all phases.
    shuffled : bool
        Each pass through a phase but the first is shuffled anew: for phases that are shuffled
        inside. Those that ascend stay as they are.

    Returns
    -------
    list of Example
        ``epochs`` times as long as the phases together.
    """

    def once(i: int, epoch: int) -> Sequence[Example]:
        if epoch == 0 or not shuffled:
            return phases[i]
        return sorted(phases[i], key=lambda example: _drawn(example, seed, i, epoch))

    turns = [(i, epoch) for i in range(len(phases)) for epoch in range(epochs)]
    if not by_phase:
        turns.sort(key=lambda turn: turn[1])
    return [example for turn in turns for example in once(*turn)]


_SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "sft": {"train_sampling_strategy": "sequential", "shuffle_dataset": False},
    "dpo": {"train_sampling_strategy": "sequential"},
    "grpo": {"shuffle_dataset": False},
}
"""GRPO has a sampler of its own, which repeats each prompt for its group; SFT and DPO take that of
transformers, and SFT may shuffle once more while it prepares its data."""


def keeps_order(
    trainer: str, settings: Mapping[str, Any] | None = None, curriculum: Curriculum | None = None
) -> dict[str, Any]:
    """The settings of TRL under which a trainer takes its data as it lies.

    Parameters
    ----------
    trainer : {"sft", "dpo", "grpo"}
    settings : mapping, optional
        Those of the stage.
    curriculum : Curriculum, optional
        Of the stage. Where it orders nothing, settings that shuffle otherwise or group by length
        may stand.

    Returns
    -------
    dict
        To be laid over the stage's.

    Raises
    ------
    InputError
        Where the stage's own settings undo the order of a curriculum: they shuffle, group by
        length, or pack examples by how they fit.
    """
    needed, given = _SETTINGS[trainer], settings or {}
    if curriculum is None or curriculum.order == "none":
        return {name: value for name, value in needed.items() if name not in given}
    against = [name for name, value in needed.items() if given.get(name, value) != value]
    if given.get("packing") and given.get("packing_strategy", "bfd") != "wrapped":
        against.append("packing")
    if against:
        raise InputError(
            f"settings.{', settings.'.join(against)} would undo the order {curriculum.order!r}",
            mend="Take it out, or the curriculum",
        )
    return dict(needed)
