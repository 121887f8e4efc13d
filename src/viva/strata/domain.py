"""Which items the splitter can speak about.

It learnt from English multiple-choice exam questions. Outside are: questions on an abstract that
is given (PubMedQA), whose kind no labels cover; yes/no/maybe options; stems longer than any exam
question in the labels; stems in another language; and benchmarks whose words it has never read,
such as worlds: what it goes by is words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from viva.strata.vectors import word_vectors

__all__ = ["FEWEST_WORDS", "LONGEST_STEM", "MOST_UNKNOWN", "OUTSIDE", "in_domain", "why_outside"]

OUTSIDE = frozenset({"pubmedqa"})
"""Benchmarks whose questions carry abstracts (see their cards)."""

LONGEST_STEM = 600
"""Words; the longest labelled stem has fewer."""

MOST_UNKNOWN = 0.15
"""Share of a benchmark's words that may be unknown. Of 25 public medical files all have less than
0.10 (PubMedQA 0.12), worlds 0.22 and more."""
FEWEST_WORDS = 200
"""Words from which on that share is judged."""

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


def _words(stem: str) -> list[str]:
    """The words of the beginning of a stem, in lower case."""
    start = stem.lower()[:4000]
    if start.isascii():  # the same words, at a fraction of the time
        return start.encode().translate(_LETTERS).decode().split()
    return _WORD.findall(start)


def _english(words: Sequence[str]) -> bool:
    """Whether words read as English: Latin letters, and no more foreign than English function
    words. Fewer than three function words get the benefit of the doubt.
    """
    if not words:
        return False
    if not all(map(str.isascii, words)) and sum(map(str.isascii, words)) < 0.6 * len(words):
        return False
    other = sum(map(_OTHER.__contains__, words))
    return other < 3 or sum(map(_ENGLISH.__contains__, words)) >= other


def _of_item(benchmark: str, stem: str, options: Sequence[str], words: Sequence[str]) -> str | None:
    """Why one item by itself is outside."""
    if benchmark.lower() in OUTSIDE:
        return "questions on an abstract that is given"
    if len(stem.split()) > LONGEST_STEM:
        return f"longer than {LONGEST_STEM} words"
    plain = {option.strip().rstrip(".").lower() for option in options}
    if plain and plain <= _VERDICTS:
        return "options are yes, no or maybe"
    return None if _english(words) else "not English"


def in_domain(benchmark: str, stem: str, options: Sequence[str]) -> bool:
    """Whether an item, by itself, is of the kind that the splitter learnt from."""
    return _of_item(benchmark, stem, options, _words(stem)) is None


def why_outside(
    benchmarks: Sequence[str], stems: Sequence[str], options: Sequence[Sequence[str]]
) -> list[str | None]:
    """Why each item is not of the kind that the splitter learnt from; None where it is.

    Parameters
    ----------
    benchmarks, stems : sequence of str, shape (N,)
        What share of its words is unknown is judged for a benchmark as a whole, from
        :data:`FEWEST_WORDS` words on: a rare name is no sign in a single short question.
    options : sequence of sequence of str, shape (N,)
    """
    known = word_vectors().at
    found: list[str | None] = []
    counts: dict[str, list[int]] = {}
    for benchmark, stem, shown in zip(benchmarks, stems, options, strict=True):
        words = _words(stem)
        why = _of_item(benchmark, stem, shown, words)
        found.append(why)
        if why is None:
            of = counts.setdefault(benchmark, [0, 0])
            of[0] += len(words)
            of[1] += sum(word not in known for word in words)
    for i, benchmark in enumerate(benchmarks):
        total, unknown = counts.get(benchmark, (0, 0))
        if found[i] is None and total >= FEWEST_WORDS and unknown > MOST_UNKNOWN * total:
            share = f"{100 * unknown / total:.0f} %"
            found[i] = f"{share} of its words are unknown to the splitter, which goes by words"
    return found
