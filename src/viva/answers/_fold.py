"""Same-length normalisation: every character keeps its offset, so a span read from the folded
text is a span of the original.

Decoration (emphasis, quotation marks, LaTeX commands, HTML tags) becomes blanks; full-width,
circled and mathematical letters become ASCII; dashes and CJK stops become their ASCII kin.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["fold", "lower"]

_BLANK = (
    '"*`_$~\\\u201c\u201d\u201e\u00ab\u00bb\u300c\u300d\u300e\u300f\u00a0\u3000\u200b\u200c\u200d'
    "\u2060\ufeff\t\r\v\f"
)
# Control characters and marks of direction.
_INVISIBLE = ((0x00, 0x1F), (0x7F, 0x84), (0x200E, 0x200F), (0x202A, 0x202E), (0x2066, 0x2069))
_KIN = {
    "\u2018": "'",
    "\u2019": "'",
    "\u201a": "'",
    "\u02bc": "'",
    "\u3002": ".",
    "\uff61": ".",
    "\u0964": ".",
    "\u3001": ",",
    "\u060c": ",",
    "\u061f": "?",
    "\u2010": "-",
    "\u2011": "-",
    "\u2012": "-",
    "\u2013": "-",
    "\u2014": "-",
    "\u2015": "-",
    "\u2212": "-",
    "\u2192": ":",
    "\u21d2": ":",
    "\u27a1": ":",
    "\u3010": "[",
    "\u3011": "]",
    "\u3014": "[",
    "\u3015": "]",
    "\u2028": "\n",
    "\u2029": "\n",
    "\x85": "\n",
}
# Blocks that hold compatibility letters: letter-like, circled, full-width, mathematical, squared.
_LETTER_BLOCKS = ((0x2460, 0x24FF), (0xFF01, 0xFF5E), (0x1D400, 0x1D7FF), (0x1F110, 0x1F18F))


def _table() -> dict[int, str]:
    table = dict.fromkeys(map(ord, _BLANK), " ")
    for first, last in _INVISIBLE:
        table.update(dict.fromkeys(range(first, last + 1), " "))
    table[ord("\n")] = "\n"
    table.update(dict.fromkeys(range(8192, 8203), " "))
    for first, last in _LETTER_BLOCKS:
        for code in range(first, last + 1):
            plain = unicodedata.normalize("NFKC", chr(code))
            plain = plain[1] if len(plain) == 3 and plain[0] == "(" else plain
            if len(plain) == 1 and plain.isascii():
                table[code] = " " if plain in '"*`_$~\\' else plain
    for code in range(0x1F150, 0x1F16A):  # negative circled letters have no decomposition
        table[code] = chr(ord("A") + code - 0x1F150)
    for code in range(0x1F170, 0x1F18A):  # nor have negative squared ones
        table[code] = chr(ord("A") + code - 0x1F170)
    table.update({ord(char): plain for char, plain in _KIN.items()})
    return table


_TABLE = _table()
_LATEX = re.compile(
    r"\\(?:text(?:bf|it|rm|sf|tt|normal)?|math(?:bf|rm|it|sf|bb|cal)?|mbox|bf|rm|bold(?:symbol)?|"
    r"left|right|quad|qquad|displaystyle|underline|emph|,|;|!|\(|\)|\[|\])(?![a-zA-Z])\s?\{?"
)
_HTML = re.compile(
    r"(?-i:<(?=[BIU]>[^<\n]{0,200}</)|<(?![BIU]>))/?(?:b|i|u|em|strong|br|p|span|div|code|li|ul|ol|h[1-6]|sup|sub|mark|font|center)"
    r"(?:\s[^<>\n]{0,60})?/?>",
    re.IGNORECASE,
)


_STRUCK = re.compile(r"~~[^~\n]{1,200}~~")


def _blank(match: re.Match[str]) -> str:
    return " " * (match.end() - match.start())


def fold(text: str) -> str:
    r"""``text`` with decoration blanked and letters made plain, of the same length.

    An escaped line break (the two characters ``\n`` of JSON) becomes two line breaks.
    """
    if "\\" in text:
        text = _LATEX.sub(_blank, text)
        text = re.sub(r"\\n(?![a-z])", "\n\n", text)
    if "<" in text:
        text = _HTML.sub(_blank, text)
    if "~~" in text:
        text = _STRUCK.sub(_blank, text)
    return text.translate(_TABLE)


def lower(text: str) -> str:
    """``text`` in lower case, of the same length (a few letters grow under ``str.lower``)."""
    low = text.lower()
    if len(low) == len(text):
        return low
    return "".join(c if len(c.lower()) != 1 else c.lower() for c in text)
