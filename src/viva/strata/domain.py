"""Which items the splitter can speak about.

It learnt from English multiple-choice exam questions. Outside are: questions on an abstract that
is given (PubMedQA), whose kind no labels cover; yes/no/maybe options; stems longer than any exam
question in the labels; and stems in another language.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["LONGEST_STEM", "OUTSIDE", "in_domain"]

OUTSIDE = frozenset({"pubmedqa"})
"""Benchmarks whose questions carry abstracts (see their cards)."""

LONGEST_STEM = 600
"""Words; the longest labelled stem has fewer."""

_VERDICTS = frozenset({"yes", "no", "maybe", "unknown", "unclear", "not sure"})
_WORD = re.compile(r"[^\W\d_]+")
_LETTERS = bytes(i if chr(i).isalpha() else 32 for i in range(128)) + bytes(128)
_ENGLISH = frozenset(
    "a an and are as at be been but by can do does for from had has have he her his how in into is"
    " it its may most not of on or she should than that the their there these they this to was were"
    " what when where which who why will with would following patient".split()
)
_OTHER = frozenset(
    "el la los las un una de del que en es por con para se su al como más cuál siguientes le les"
    " des du et est une dans qui sur aux pas quelle parmi der die das und ist ein eine nicht von"
    " mit il lo gli che di della sono não uma os dos da às het een van welke".split()
)


def _english(stem: str) -> bool:
    """Whether a stem reads as English: Latin letters, and no more foreign than English function
    words. A stem of fewer than three function words gets the benefit of the doubt.
    """
    start = stem.lower()[:4000]
    if start.isascii():  # the same words, at a fraction of the time
        words = start.encode().translate(_LETTERS).decode().split()
    else:
        words = _WORD.findall(start)
    if not words:
        return False
    if not start.isascii() and sum(map(str.isascii, words)) < 0.6 * len(words):
        return False
    other = sum(map(_OTHER.__contains__, words))
    return other < 3 or sum(map(_ENGLISH.__contains__, words)) >= other


def in_domain(benchmark: str, stem: str, options: Sequence[str]) -> bool:
    """Whether an item is of the kind that the splitter learnt from."""
    if benchmark.lower() in OUTSIDE or len(stem.split()) > LONGEST_STEM:
        return False
    plain = {option.strip().rstrip(".").lower() for option in options}
    if plain and plain <= _VERDICTS:
        return False
    return _english(stem)
