"""The letters under which an item's options are shown, where they are not A, B, C ..."""

from __future__ import annotations

from viva.answers import Reading, read
from viva.methods.answer import Answer
from viva.models import Completion
from viva.records import LETTERS, Item

__all__ = ["FIRST_LETTER", "first_letter", "relabelled"]

FIRST_LETTER = "first_letter"
"""The field of an item's metadata that holds the letter of its first option."""


def first_letter(item: Item) -> int:
    """The position in the alphabet of the letter of the first option; 0 = A."""
    given = item.meta.get(FIRST_LETTER)
    return LETTERS.index(given) if isinstance(given, str) and given and given in LETTERS else 0


def relabelled(completion: Completion, item: Item) -> Answer:
    """The answer to an item whose options were shown under later letters, under its own letters.

    The reader goes by position: for an item that begins at P the options are the sixteenth, the
    seventeenth ... of a list whose earlier entries are characters that no text holds. What is
    read is therefore decided here, and kept as the letter by position.
    """
    first = first_letter(item)
    nobody = tuple(chr(0xE000 + place) * 3 for place in range(first))  # for private use
    reading: Reading = read(
        completion.text, options=(*nobody, *item.options), finish_reason=completion.finish_reason
    )
    place = LETTERS.index(reading.value) - first if reading.value else -1
    return Answer(
        text=completion.text,
        prediction=LETTERS[place] if place >= 0 else None,
        decided=True,
        reasoning=completion.reasoning,
        finish_reason=completion.finish_reason,
    )
