"""The half-question probe: a stem cut in two, of which the model is given the first half.

A model that writes the second half word for word has seen the question. As in Nori et al. (2023),
*Capabilities of GPT-4 on Medical Challenge Problems* (memorization effects Levenshtein detector).
Of what comes back nothing is graded: it is compared by :mod:`viva.analysis.memorisation`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["FEWEST_WORDS", "Halves", "halves"]

FEWEST_WORDS = 16
"""Words of the shortest stem that is cut: fewer than eight words say little of what follows."""

_WORD = re.compile(r"\S+")


class Halves(NamedTuple):
    """A stem in two; joined they are the stem without blank space at its ends."""

    first: str
    second: str


def halves(question: str) -> Halves | None:
    """Cut a stem after half of its words.

    Parameters
    ----------
    question : str
        The stem; an odd word goes to the first half.

    Returns
    -------
    Halves or None
        None where the stem has fewer than ``FEWEST_WORDS`` words.
    """
    text = question.strip()
    words = list(_WORD.finditer(text))
    if len(words) < FEWEST_WORDS:
        return None
    cut = words[(len(words) + 1) // 2].start()
    return Halves(text[:cut], text[cut:])
