"""Control arms of misleading starts: what a start does to answers when it misleads nobody.

``correct`` says of the key, in the same words, what the misleading start says of the distractor;
its cue is the key's letter, which no cue effect counts. ``irrelevant`` is as long and as sure, and
speaks of the look of the page. ``empty`` is a neutral opening of the answer: the turn has begun,
in words that lean nowhere. Literally nothing would be the clean answer over again, and its length
cannot be matched.
"""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cache, partial

from viva.models.starts import arm_label
from viva.probes._templates import load
from viva.probes.sentences import nameable, words
from viva.probes.starts import STREAM, STRENGTHS, closing, draw, said, voice
from viva.probes.variant import Probe, Reason, Refused, Relation, Start, Variant, refused
from viva.records import LETTERS, Item

__all__ = ["PROBES", "correct_start", "empty_start", "irrelevant_start"]

KIND = "control_start"

_SHORTEST = 15
"""Characters below which no sentence is worth adding."""
_ROOM_FOR_TWO = 120
_NEAR = 0.06
"""Sentences that fit the room left to within this share are drawn from."""


def correct_start(
    item: Item,
    rng: random.Random,
    *,
    strength: str,
    arm: str = "prefill",
    distractor: str = "random",
) -> list[Variant] | Refused:
    """The misleading start with the key in the place of the distractor.

    Parameters
    ----------
    item, rng, strength, arm, distractor
        As :func:`viva.probes.starts.misleading_start`.
    """
    name = arm_label(f"{KIND}.correct.{strength}", arm)
    drawn = draw(item, rng, distractor)
    if isinstance(drawn, Reason):
        return refused(item, name, drawn)
    key = drawn.options.key
    text = said(item, rng, strength, arm, key, drawn.finding)
    return [Variant(item, name, Relation.PRESERVING, LETTERS[key], Start(text, arm))]


def irrelevant_start(
    item: Item,
    rng: random.Random,
    *,
    strength: str,
    arm: str = "prefill",
    distractor: str = "random",
) -> list[Variant] | Refused:
    """A start as long as the misleading one, and as sure of itself, about the look of the page.

    Parameters
    ----------
    item, rng, strength, arm, distractor
        As :func:`viva.probes.starts.misleading_start`.
    """
    name = arm_label(f"{KIND}.irrelevant.{strength}", arm)
    drawn = draw(item, rng, distractor)
    if isinstance(drawn, Reason):
        return refused(item, name, drawn)
    length = len(said(item, rng, strength, arm, drawn.at, drawn.finding))
    wording = load("irrelevant_starts")
    tone = "unsure" if strength == "uncertain" else "firm"
    text = as_long(rng, length, wording["openings"][strength], tone, item.options)
    if text is None:
        return refused(item, name, Reason.NO_WORDING)
    return [Variant(item, name, Relation.PRESERVING, None, Start(text, arm))]


@cache
def _pool(tone: str) -> tuple[tuple[str, str], ...]:
    """Sentences of a tone, each with its words, shortest first."""
    sentences = sorted(load("irrelevant_starts")["sentences"][tone], key=lambda s: (len(s), s))
    return tuple((sentence, words(sentence)) for sentence in sentences)


@cache
def _vocabulary() -> frozenset[str]:
    """Every word that an irrelevant start can hold."""
    wording = load("irrelevant_starts")
    texts = [t for part in ("openings", "sentences") for ts in wording[part].values() for t in ts]
    return frozenset(words(" ".join(texts)).split())


def as_long(
    rng: random.Random,
    length: int,
    openings: Sequence[str],
    tone: str,
    options: Sequence[str],
) -> str | None:
    """Text of about a length that names none of the options.

    Parameters
    ----------
    rng : random.Random
        Draws the sentences.
    length : int
        Characters wanted.
    openings : sequence of str
        How the text may begin.
    tone : str
        ``firm`` or ``unsure``.
    options : sequence of str
        None of them may be named.

    Returns
    -------
    str or None
        None where every sentence names an option.
    """
    named = nameable(options, _vocabulary())

    def clear(its_words: str) -> bool:
        return not any(option in its_words for option in named)

    pool = [sentence for sentence, its in _pool(tone) if not named or clear(its)]
    lengths = [len(sentence) for sentence in pool]
    fitting = [
        opening
        for opening in openings
        if len(opening) + _SHORTEST < length and (not named or clear(words(opening)))
    ]
    opening = fitting[int(rng.random() * len(fitting))] if fitting else ""
    text = [opening] if opening else []
    room = length - len(opening) - 1 if opening else length
    # Whole sentences while there is room for two, then one that fits what is left.
    while pool and room > _ROOM_FOR_TWO:
        at = int(rng.random() * len(pool))
        text.append(pool.pop(at))
        room -= lengths.pop(at) + 1
    if pool and (room >= _SHORTEST or not text):
        first = bisect_left(lengths, room - _NEAR * length)
        last = bisect_right(lengths, room + _NEAR * length)
        if first == last:  # none: the nearest is on either side
            last = min(first + 1, len(pool))
            first = max(0, first - 1)
            if last - first == 2:
                first += room - lengths[first] > lengths[last - 1] - room
                last = first + 1
        text.append(pool[first + int(rng.random() * (last - first))])
    return " ".join(text) or None


def empty_start(
    item: Item, rng: random.Random, *, arm: str = "prefill", distractor: str = "random"
) -> list[Variant] | Refused:
    """A neutral opening, for the items that can be misled.

    Parameters
    ----------
    item, rng, arm, distractor
        As :func:`viva.probes.starts.misleading_start`.
    """
    name = arm_label(f"{KIND}.empty", arm)
    drawn = draw(item, rng, distractor)
    if isinstance(drawn, Reason):
        return refused(item, name, drawn)
    wording = load("irrelevant_starts")["empty"]
    endings = closing(rng, wording["turn"], arm)
    openings = wording[voice(arm)]
    text = endings[0] if endings else openings[int(rng.random() * len(openings))]
    return [Variant(item, name, Relation.PRESERVING, None, Start(text, arm))]


PROBES: dict[str, Probe] = {
    **{
        f"{KIND}.correct.{strength}": Probe(
            f"control of misleading_start.{strength}: the same words for the key",
            Relation.PRESERVING,
            partial(correct_start, strength=strength),
            stream=STREAM,
        )
        for strength in STRENGTHS
    },
    **{
        f"{KIND}.irrelevant.{strength}": Probe(
            f"control of misleading_start.{strength}: as long, about the look of the page",
            Relation.PRESERVING,
            partial(irrelevant_start, strength=strength),
            stream=STREAM,
        )
        for strength in STRENGTHS
    },
    f"{KIND}.empty": Probe(
        "control of every misleading start: a neutral opening",
        Relation.PRESERVING,
        empty_start,
        stream=STREAM,
    ),
}
