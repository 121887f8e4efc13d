"""Fields for curricula: how hard and how informative each example is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from viva.errors import InputError, did_you_mean
from viva.records import Choice, Choices
from viva.synthesis._generated import stepped
from viva.synthesis._sorting import given, sort_out
from viva.synthesis.example import Example
from viva.synthesis.steps import Made

__all__ = ["INPUTS", "difficulty", "informativeness"]

INPUTS = {
    "pass_rate": (-1, 2.0),
    "hops": (1, 1.0),
    "options": (1, 1.0),
    "words": (1, 0.5),
    "informativeness": (1, 0.5),
    "p_reasoning": (1, 0.0),
}
"""Score -> 1 where more of it is harder, -1 where less of it is, and its weight by default: a
measured pass rate tells most; words and informativeness both grow with length and share one
weight; whether reasoning is harder than recall is what a study asks, so it weighs nothing."""


@cache
def _function_words() -> frozenset[bytes]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return frozenset(word.encode() for word in ENGLISH_STOP_WORDS)


def informativeness(text: str) -> tuple[int, float]:
    """How many different content words a text has, and their share of all words.

    Words as :mod:`viva.analysis` folds them (numbers count, a Han character is a word), without
    English function words. AlphaMed (2505.17952) finds that long, dense questions teach reasoning
    where short trivia does not; this count grows with both.

    Returns
    -------
    count : int
    density : float
        0..1; 0 for a text without words.
    """
    from viva.analysis._words import fold_words

    words = fold_words(text).split()
    content = len(set(words) - _function_words())
    return content, content / len(words) if words else 0.0


def _hops(example: Example) -> float | None:
    """As scored before, else what the item's ``meta`` says."""
    known = example.scores.get("hops", example.item.meta.get("hops"))
    if isinstance(known, bool) or not isinstance(known, (int, float)) or not math.isfinite(known):
        return None
    return float(known)


def _fields(example: Example) -> dict[str, float]:
    """What can be told of one example by itself."""
    item = example.item
    text = "\n".join(filter(None, (item.context, item.question)))
    content, density = informativeness(text)
    fields = {
        "words": float(len(text.split())),
        "informativeness": float(content),
        "density": round(density, 6),
    }
    if isinstance(item.target, (Choice, Choices)) and item.options:
        fields["options"] = float(len(item.options))
    hops = _hops(example)
    if hops is not None:
        fields["hops"] = hops
    return fields


def _ranks(values: Sequence[float]) -> dict[float, float]:
    """Value -> share of the values below it, ties in the middle: 0..1, never its ends."""
    different, counts = np.unique(np.asarray(values, dtype=np.float64), return_counts=True)
    middle = (np.cumsum(counts) - counts / 2) / len(values)
    return dict(zip(different.tolist(), middle.tolist(), strict=True))


def _weights(weights: Mapping[str, float] | None) -> dict[str, float]:
    chosen = {name: own for name, (_, own) in INPUTS.items()} if weights is None else dict(weights)
    for name, weight in chosen.items():
        if name not in INPUTS:
            raise InputError(
                f"no input {name!r} of difficulty", where="difficulty",
                mend=did_you_mean(name, INPUTS),
            )  # fmt: skip
        if not (math.isfinite(weight) and weight >= 0):
            raise InputError(
                f"the weight of {name} is {weight}", where="difficulty", mend="Use 0 or more"
            )
    if not any(chosen.values()):
        raise InputError(
            "no input of difficulty has a weight", where="difficulty",
            mend=f"Give a weight to one of {', '.join(INPUTS)}",
        )  # fmt: skip
    return {name: weight for name, weight in chosen.items() if weight > 0}


def difficulty(
    examples: Sequence[Example],
    *,
    weights: Mapping[str, float] | None = None,
) -> Made:
    """Add the fields by which a curriculum sorts.

    ``difficulty`` is the weighted mean of the ranks of an example among all that were given: of
    its pass rate (the lower, the harder), its hops, its options, its words and its
    informativeness. A rank is the share of the examples below, ties in the middle, so that no input
    rules by its scale. An input that an example lacks is left out of its mean.

    Parameters
    ----------
    examples : sequence of Example
        ``pass_rate`` and ``p_reasoning`` are taken from their scores, where steps before this one
        set them; ``hops`` from their scores or the item's ``meta``.
    weights : mapping, optional
        Of :data:`INPUTS`, at least 0, in place of those there; one that is not named weighs
        nothing.

    Returns
    -------
    Made
        All are kept, with the scores ``words``, ``informativeness`` (:func:`informativeness`),
        ``density``, ``options`` and ``hops`` where there are any, and ``difficulty``, 0..1.
        ``report`` counts by source and tells how many have each of ``inputs``.

    Raises
    ------
    InputError
        An unknown input, a weight below 0; no input for any example.

    Notes
    -----
    Raising one input of one example never lowers its difficulty, and an example that is at least
    as hard in every input as another that has the same inputs is at least as difficult. Where
    inputs are missing for some, difficulties compare less well: the report says for how many.
    """
    examples = given("difficulty", examples)
    chosen = _weights(weights)
    scores = [
        {n: v for n, v in example.scores.items() if n != "difficulty"} | _fields(example)
        for example in examples
    ]
    ranks: dict[str, dict[float, float]] = {}
    for name in chosen:
        values = [INPUTS[name][0] * own[name] for own in scores if _known(own, name)]
        if values:
            ranks[name] = _ranks(values)
    settings: dict[str, Any] = {"weights": chosen}
    marked = []
    for example, own in zip(examples, scores, strict=True):
        used = [name for name in ranks if _known(own, name)]
        total = sum(chosen[name] for name in used)
        if used:
            held = sum(chosen[name] * ranks[name][INPUTS[name][0] * own[name]] for name in used)
            own["difficulty"] = held / total
        marked.append(stepped(replace(example, scores=own), "difficulty", settings))
    known = {name: sum(_known(own, name) for own in scores) for name in chosen}
    if not any(known.values()):
        raise InputError(
            f"no example has any of {', '.join(chosen)}", where="difficulty",
            mend="Run pass_rate or p_reasoning first, or give weights to words",
        )  # fmt: skip
    report = {"inputs": known, "without_difficulty": sum("difficulty" not in s for s in scores)}
    return sort_out("difficulty", marked, [None] * len(marked), report=report, mend="")


def _known(scores: Mapping[str, float], name: str) -> bool:
    return name in scores and math.isfinite(scores[name])
