"""Of which script the letters of a text are."""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import lru_cache

__all__ = ["SCRIPTS", "script_shares"]

SCRIPTS = {
    "latin": ("LATIN",),
    "han": ("CJK", "IDEOGRAPHIC"),
    "kana": ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"),
    "hangul": ("HANGUL",),
    "cyrillic": ("CYRILLIC",),
    "greek": ("GREEK",),
    "arabic": ("ARABIC",),
    "hebrew": ("HEBREW",),
    "devanagari": ("DEVANAGARI",),
    "bengali": ("BENGALI",),
    "tamil": ("TAMIL",),
    "telugu": ("TELUGU",),
    "thai": ("THAI",),
    "ethiopic": ("ETHIOPIC",),
    "armenian": ("ARMENIAN",),
    "georgian": ("GEORGIAN",),
}
"""Script -> how the Unicode names of its letters begin."""

_BY_NAME = {name: script for script, names in SCRIPTS.items() for name in names}


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    if letter.isascii():
        return "latin"
    return _BY_NAME.get(unicodedata.name(letter, "?").split()[0], "other")


def script_shares(text: str) -> dict[str, float]:
    """Share of the letters of each script, largest first; empty where there is no letter.

    Full-width and mathematical letters count as what they stand for.
    """
    letters = Counter(unicodedata.normalize("NFKC", text))
    counts: Counter[str] = Counter()
    for letter, count in letters.items():
        if letter.isalpha():
            counts[_script(letter)] += count
    total = counts.total()
    return {script: count / total for script, count in counts.most_common()}
