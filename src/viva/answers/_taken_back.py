"""Answers that are denied, or put beside another one, in the words right around them."""

from __future__ import annotations

import re

__all__ = ["taken_back"]

_DENIED = re.compile(
    r"[^\w\n\\.]{0,4}(?:\\(?:text|mathrm)\s?\{\s{0,3})?(?:this|that|it|which)?\s{0,3}"
    r"(?:is|was)\s{1,3}(?:\w{1,12}ly\s)?"
    r"(?:wrong|incorrect|false|not (?:right|correct|true|the answer))\b"
    r"|[)\]:]?[ \t]{1,2}\(?(?:wrong|incorrect|false)\b(?!\s?(?:answers?|options?|choices?|:))"
    r"|[\s,;]{1,3}or\s{1,3}not\b",
    re.I,
)
_BESIDE = re.compile(
    r"[\s,;]{0,3}\(\s{0,2}or\b|[\s,;]{1,3}or\s{1,3}(?:maybe|perhaps|possibly)\b"
    r"|\s{0,3}\$?\s{0,3}(?:\\lor|\\vee|\\text\{ ?or ?\}|\u2228)"
    r"|\s{0,3}=\s{0,3}[A-Za-z]|\s{0,2}(?:\.{2,}|\u2026)\s{0,2}[A-Z]\b",
    re.I,
)
"""Behind an answer: another one is put beside it."""
_OR = re.compile(r"\bor\s{1,3}(?:[a-z]\w{0,9}\s{0,2}=\s{0,2})?$", re.I)
"""Before an answer: it is the second of two."""
_EQUATED = re.compile(r"(?:[:{(>\n]|^)\s{0,3}([-+]?\d[\d,]{0,15}(?:\.\d{1,15})?)\s{0,3}=\s{0,3}$")
_ROUNDED = 0.02
_NUMBER = re.compile(r"[-+]?\d[\d,]{0,15}(?:\.\d{1,15})?(?=\W|$)")


def taken_back(text: str, start: int, end: int, own: str | None = None) -> str | None:
    r"""Why an answer does not stand where it is; None where it does.

    ``B \text{ is wrong}`` is no answer B, and ``990 = 125`` no calculation; ``41.27 = 41.3`` is a
    rounding, and the option's own text behind its letter is that option.

    Parameters
    ----------
    text : str
    start, end : int
        Where the answer stands in it.
    own : str, optional
        The text of the option whose letter it is.

    Returns
    -------
    str or None
        "commitment withdrawn" or "two live candidates".
    """
    denied = _DENIED.match(text, end, end + 80)
    if denied or _BESIDE.match(text, end, end + 80):
        behind = text[end : end + 400].lstrip(" ).]:*=").casefold()
        if own and behind.startswith(own.casefold()):
            return None
        return "commitment withdrawn" if denied else "two live candidates"
    before = text[max(0, start - 40) : start]
    number = _NUMBER.match(text, start, end)
    if number is None:
        return None
    equated = _EQUATED.search(before)
    several = _OR.search(before) is not None
    if equated and not several:
        first, second = float(equated[1].replace(",", "")), float(number[0].replace(",", ""))
        several = abs(first - second) > _ROUNDED * max(abs(first), abs(second))
    return "two live candidates" if several else None
