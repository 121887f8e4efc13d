"""Words of texts as hashes, and runs of words (n-grams), many texts at once.

Case, punctuation, Unicode form and spacing do not count. A Han, kana or Hangul character is a
word of its own: those scripts do not part words by spaces. Labels before options ("A." at the start
of a line, "(A)" anywhere) are left out, since a copy may lack them.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from viva.analysis._shingles import _mixed

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Words", "fold_words", "gram_hashes", "words_of"]

_NOT_WORD = re.compile(r"[\W_]+")
_UNPARTED = re.compile(r"([\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff])")
# Two patterns that begin with a literal: as one they take seven times as long.
_LABEL = re.compile(r"\n[ \t]*\(?[A-Ja-j][.:)](?=\s)")
_LABEL_INSIDE = re.compile(r"\([A-Ja-j]\)")
_LOWER = bytes(
    ord(chr(code).lower()) if code < 128 and chr(code).isalnum() else 32 for code in range(256)
)
_BASE = 0x9E3779B97F4A7C15  # odd, so that it has an inverse modulo 2^64
_INVERSE = pow(_BASE, -1, 2**64)


class Words(NamedTuple):
    """The words of many texts, one after the other."""

    data: bytes
    """The folded texts."""
    starts: NDArray[np.int64]
    """First byte of each word."""
    ends: NDArray[np.int64]
    """One past its last byte."""
    hashes: NDArray[np.uint64]
    """Equal for equal words."""
    owner: NDArray[np.int64]
    """Which text a word is of, ascending."""

    def text(self, first: int, last: int) -> str:
        """The words ``first`` to ``last`` (exclusive), folded, a space between two."""
        if first >= last:
            return ""
        raw = self.data[int(self.starts[first]) : int(self.ends[last - 1])]
        return " ".join(raw.decode("utf-8", "replace").split())


def fold_words(text: str) -> bytes:
    """The words of a text in UTF-8, spaces between them; labels of options are no words."""
    text = _LABEL_INSIDE.sub(" ", _LABEL.sub("\n", text))
    if text.isascii():
        return text.encode().translate(_LOWER)  # the same, some twenty times as fast
    words = _NOT_WORD.sub(" ", unicodedata.normalize("NFKC", text).casefold())
    return _UNPARTED.sub(r" \1 ", words).encode("utf-8", "replace")


@functools.lru_cache(maxsize=4)
def _powers(base: int, length: int) -> NDArray[np.uint64]:
    steps = np.full(length, base, dtype=np.uint64)
    steps[0] = 1
    return np.cumprod(steps, dtype=np.uint64)


def words_of(texts: Sequence[str]) -> Words:
    """The words of texts, hashed."""
    folded = [fold_words(text) for text in texts]
    data = b" ".join(folded) + b" "
    codes = np.frombuffer(data, dtype=np.uint8)
    inside = np.concatenate([[0], (codes != 32).view(np.int8)])
    edges = np.diff(inside)
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    # A word is a polynomial in its bytes: a difference of prefix sums, moved to exponent zero.
    length = 1 << max(len(codes) - 1, 1).bit_length()
    sums = np.empty(len(codes) + 1, dtype=np.uint64)
    sums[0] = 0
    np.cumsum(codes * _powers(_BASE, length)[: len(codes)], out=sums[1:])
    hashes = _mixed((sums[ends] - sums[starts]) * _powers(_INVERSE, length)[starts])
    lengths = np.array([len(text) + 1 for text in folded], dtype=np.int64)
    owner = np.searchsorted(np.cumsum(lengths), starts, side="right")
    return Words(data, starts, ends, hashes, owner)


def gram_hashes(words: Words, n: int) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Hashes of the runs of ``n`` words inside one text, and the word at which each begins."""
    count = len(words.hashes) - n + 1
    if count <= 0:
        return np.empty(0, np.uint64), np.empty(0, np.int64)
    factors = _powers(_BASE, 16)[1 : n + 1]
    total = np.zeros(count, dtype=np.uint64)
    for offset in range(n):
        total += words.hashes[offset : offset + count] * factors[offset]
    whole = words.owner[:count] == words.owner[n - 1 :]
    return _mixed(total[whole]), np.flatnonzero(whole)
