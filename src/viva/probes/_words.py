"""Words of a text, their articles and their capitals."""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["article", "cased", "vocabulary"]

_WORD = re.compile(r"[^\W_]+")
_ARTICLE = re.compile(r"\b(an?)(\s+)$", re.IGNORECASE)
_AN = re.compile(r"(?:8|11\b|18\b|[aeio]|u(?!ni|s[ae]|ro|til|kr)|hour|honest|heir)", re.IGNORECASE)


@lru_cache(maxsize=1 << 10)
def vocabulary(text: str) -> frozenset[str]:
    """The different words of a text, in lower case; hyphens and apostrophes part them."""
    return frozenset(_WORD.findall(text.lower()))


def cased(put: str, like: str) -> str:
    """A word in capitals where the word beside it is."""
    return put.upper() if len(like) > 1 and like.isupper() else put


def article(before: str, following: str) -> str:
    """The text before a word, its indefinite article as the word wants it."""
    tail = before[-4:]
    found = _ARTICLE.search(tail)
    if found is None:
        return before
    wanted = "an" if _AN.match(following) else "a"
    if found[1].isupper() and len(found[1]) > 1:
        wanted = wanted.upper()
    elif found[1][0].isupper():
        wanted = wanted.capitalize()
    return f"{before[: len(before) - len(tail) + found.start(1)]}{wanted}{found[2]}"
