"""One letter against one key: exact match, unread answers not right."""

from __future__ import annotations

from collections.abc import Sequence

from viva.answers import Reading, read
from viva.records import LETTERS, Choice, Status, normalise

__all__ = ["read_prediction", "score_choice"]


def read_prediction(prediction: str | None, options: Sequence[str]) -> Reading:
    """Read an answer that somebody else's reader already extracted.

    A letter of the options or the text of exactly one of them is taken as it stands; None or an
    empty string means that their reader found nothing; anything else goes through the reader
    of this package, so that "B." and "(b)" count as B and "None of these" does not.

    Parameters
    ----------
    prediction : str or None
        What the file holds as the answer.
    options : sequence of str
        The item's option texts, in order.
    """
    if prediction is None or not prediction.strip():
        return Reading(Status.UNPARSED, None, None, "no answer text")
    text = prediction.strip()
    if len(text) == 1:
        position = LETTERS.find(text.upper())
        if 0 <= position < len(options):
            return Reading(Status.PARSED, LETTERS[position], (0, len(text)), None)
    wanted = normalise(text)
    matches = [i for i, option in enumerate(options) if normalise(option) == wanted]
    if len(matches) == 1:
        return Reading(Status.PARSED, LETTERS[matches[0]], (0, len(text)), None)
    return read(prediction, options=options)


def score_choice(reading: Reading, target: Choice) -> float:
    """1.0 where the letter read is the key, else 0.0: unparsed and ambiguous are not right."""
    return float(reading.status is Status.PARSED and reading.value == LETTERS[target.index])
