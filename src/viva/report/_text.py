"""Numbers and names as people read them; text from outside made harmless and bounded.

Escaping for HTML is not done here: the templates and :mod:`viva.report._svg` do it once, for all.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable

__all__ = [
    "MINUS",
    "ascii_number",
    "clean",
    "count",
    "interval",
    "p_value",
    "percent",
    "points",
    "shorten",
    "slugs",
    "text_width",
]

MINUS = "\u2212"
LONGEST_NAME = 200
_NONE = "–"
_KEPT = frozenset("\n\t\u200c\u200d")  # the joiners belong to the spelling of some scripts
_ADVANCES = {
    **dict.fromkeys(" !',.:;I`ijlt|", 0.29),
    **dict.fromkeys("()/1[]fr{}", 0.41),
    **dict.fromkeys("ACDGHNOQUVX", 0.74),
    **dict.fromkeys("Mmw", 0.92),
    **dict.fromkeys("%@W", 1.07),
}
"""Advance widths of the embedded sans, in em, in classes; all others are near 0.6."""


def clean(text: object, limit: int = LONGEST_NAME) -> str:
    """Show what could steer a terminal or reorder text as its code, and bound the length.

    Parameters
    ----------
    text
        Anything from a file or a model.
    limit
        Characters kept; an ellipsis says that more followed.

    Returns
    -------
    str
        Without control characters other than line feed and tab, without characters that change
        the direction of text, without lone surrogates; each is written as ``<U+202E>``.
    """
    kept = str(text)
    cut = len(kept) > limit
    kept = kept[: limit - 1] if cut else kept
    kept = kept.replace("\r\n", "\n")
    shown = "".join(
        character
        if character in _KEPT or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co")
        else f"<U+{ord(character):04X}>"
        for character in kept
    )
    return shown + "…" if cut else shown


def count(number: float | None) -> str:
    """Thousands separated; an effective number that is not whole has one decimal."""
    if number is None or not math.isfinite(number):
        return _NONE
    return f"{number:,.0f}" if float(number).is_integer() else f"{number:,.1f}"


def percent(share: float | None, digits: int = 1) -> str:
    """A fraction 0..1 as a percentage without its sign."""
    return _NONE if share is None or not math.isfinite(share) else f"{100 * share:.{digits}f}"


def points(value: float | None, digits: int = 1) -> str:
    """A signed difference in points with a true minus; what rounds to 0 has no sign."""
    if value is None or not math.isfinite(value):
        return _NONE
    shown = f"{abs(value):.{digits}f}"
    if float(shown) == 0:
        return shown
    return (MINUS if value < 0 else "+") + shown


def interval(low: float | None, high: float | None, share: bool = False) -> str:
    """Both ends in brackets; a dash where either is missing."""
    if low is None or high is None:
        return _NONE
    show = percent if share else points
    return f"[{show(low)}, {show(high)}]"


def p_value(p: float | None) -> str:
    """Two significant figures, bounded below by 0.001."""
    if p is None or not math.isfinite(p):
        return _NONE
    if p < 0.001:
        return "< 0.001"
    return f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def ascii_number(value: float, digits: int = 1) -> str:
    """A number for pasting into other programs: plain hyphen for minus, no sign on zero."""
    shown = f"{value:.{digits}f}"
    return shown.lstrip("-") if float(shown) == 0 else shown


def text_width(text: str, size: float) -> float:
    """Estimated width in pixels of text in the embedded sans, at its heavier weights."""
    units = 0.0
    for character in text:
        if unicodedata.east_asian_width(character) in "WF":
            units += 1.0
        elif unicodedata.combining(character):
            continue
        else:
            units += _ADVANCES.get(character, 0.6)
    return units * size


def shorten(text: str, width: float, size: float) -> str:
    """The start and the end of the text, with an ellipsis between, within a width in pixels.

    Names of models differ at both ends, so neither is cut away alone.
    """
    if text_width(text, size) <= width:
        return text
    keep = len(text) - 1
    while keep > 2:
        head = (keep + 1) * 2 // 3
        candidate = text[:head].rstrip() + "…" + text[len(text) - (keep - head) :].lstrip()
        if text_width(candidate, size) <= width:
            return candidate
        keep -= 1 if keep < 60 else keep // 8
    return text[:1] + "…"


def slugs(names: Iterable[str]) -> dict[str, str]:
    """An anchor for each name: ASCII letters, digits and hyphens, all different."""
    made: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
        base = re.sub(r"[^a-z0-9]+", "-", ascii_name.lower()[:80]).strip("-") or "model"
        slug, number = base, 2
        while slug in taken:
            slug, number = f"{base}-{number}", number + 1
        taken.add(slug)
        made[name] = slug
    return made
