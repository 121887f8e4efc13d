"""The options of one question, and where their texts occur in an answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from viva.answers._fold import fold, lower
from viva.records import LETTERS

__all__ = ["Mention", "Options", "index_options"]

# Words that prose uses for other things than to name an option.
_COMMON = frozenset(
    "yes no maybe true false none both all other others increase increased decrease decreased "
    "high low normal unchanged same positive negative male female left right more less never "
    "always equal present absent unknown null zero one two three four five six i ii iii iv v vi "
    "vii viii ix x correct incorrect neither either".split()
)
_KEPT = 16_384
"""Questions whose options stay prepared: some 3 kB each, 50 MB in all. Preparing takes about a
fifth of the time of reading one answer, which is what a larger set costs."""
_ARTICLES = ("the ", "a ", "an ")


@dataclass(frozen=True, slots=True)
class Mention:
    """An option's text in the answer: its options (several when texts are equal) and where."""

    options: frozenset[int]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Options:
    """What the reader knows about the options.

    ``texts`` are distinct folded texts, the longest first, each with the positions that carry it;
    ``in_prose`` says whether a text is distinctive enough to be looked for in running prose.
    """

    count: int
    texts: tuple[tuple[str, frozenset[int]], ...]
    by_option: tuple[str, ...]
    in_prose: frozenset[str]
    by_first: Mapping[str, tuple[tuple[str, frozenset[int]], ...]]
    """``texts`` by their first character."""

    @property
    def letters(self) -> str:
        return LETTERS[: self.count]


def _plain(texts: tuple[str, ...]) -> tuple[str, ...]:
    """The texts folded, in lower case, single-spaced; all at once, as folding has a fixed cost."""
    lines = lower(fold("\n".join(texts))).split("\n")
    if len(lines) != len(texts):  # a text has line breaks of its own
        lines = [lower(fold(text)) for text in texts]
    return tuple(" ".join(line.split()).strip(" .,;:'") for line in lines)


def _distinctive(text: str) -> bool:
    least = 4 if text.isascii() else 2
    if text in _COMMON:
        return False
    return (text[:4].isalpha() and len(text) >= 4) or sum(map(str.isalpha, text)) >= least


@lru_cache(maxsize=_KEPT)
def index_options(options: tuple[str, ...] | int) -> Options:
    """Prepare the options once for all answers to the same question."""
    if isinstance(options, int):
        return Options(options, (), ("",) * options, frozenset(), {})
    plain = _plain(options)
    holders: dict[str, set[int]] = {}
    for position, text in enumerate(plain):
        if text:
            holders.setdefault(text, set()).add(position)
            for article in _ARTICLES:
                if text.startswith(article) and len(text) > len(article) + 3:
                    holders.setdefault(text[len(article) :], set()).add(position)
    texts = tuple(
        (text, frozenset(holders[text])) for text in sorted(holders, key=lambda t: (-len(t), t))
    )
    by_first = {
        first: tuple(row for row in texts if row[0][0] == first)
        for first in {text[0] for text, _ in texts}
    }
    prose = frozenset(text for text in holders if _distinctive(text))
    return Options(len(plain), texts, plain, prose, by_first)


def _apart(low: str, start: int, end: int) -> bool:
    """Whether ``low[start:end]`` is not a part of a longer word or number."""
    if start > 0:
        before, first = low[start - 1], low[start]
        if before.isalnum() and first.isalnum() and before.isascii():
            return False
        if first.isdigit() and before in ".,-/" and start > 1 and low[start - 2].isdigit():
            return False
        if first.isdigit() and before == "-" and (start < 2 or not low[start - 2].isalnum()):
            return False
    if end < len(low):
        last, after = low[end - 1], low[end]
        if last.isalnum() and after.isalnum() and after.isascii():
            return False
        if last.isdigit() and after in ".,-/" and end + 1 < len(low) and low[end + 1].isalnum():
            return False
        if last.isdigit() and after == "%":
            return False
    return True


def match_at(low: str, start: int, text: str, limit: int) -> int:
    """End of ``text`` in ``low`` at ``start``, blanks in any number between words; -1 if absent."""
    end = start + len(text)
    if end <= limit and low.startswith(text, start):
        return end if _apart(low, start, end) else -1
    end = start
    for count, word in enumerate(text.split()):
        if count:
            blanks = end
            while end < limit and end - blanks < 40 and low[end].isspace():
                end += 1
            if end == blanks:
                return -1
        if not low.startswith(word, end):
            return -1
        end += len(word)
    return end if end <= limit and _apart(low, start, end) else -1


def longest_at(options: Options, low: str, start: int, limit: int) -> Mention | None:
    """The longest option text that stands at ``start``."""
    if start >= limit:
        return None
    for text, holders in options.by_first.get(low[start], ()):
        end = match_at(low, start, text, limit)
        if end > 0:
            return Mention(holders, start, end)
    return None


def mentions(options: Options, low: str, start: int, limit: int) -> list[Mention]:
    """Every distinctive option text within ``low[start:limit]``, the longest where they overlap.

    Each text is looked for at most 64 times, so that the work stays linear.
    """
    window = low[start:limit]
    flat = " ".join(window.split()) if "  " in window or "\n" in window else window
    offsets: list[tuple[int, int]] | None = None
    found: list[Mention] = []
    taken: list[tuple[int, int]] = []
    for text, holders in options.texts:
        if text not in options.in_prose:
            continue
        at = -1
        for _ in range(64):
            at = flat.find(text, at + 1)
            if at < 0:
                break
            end = at + len(text)
            if _apart(flat, at, end) and not any(a < end and at < b for a, b in taken):
                if flat is not window and offsets is None:
                    offsets = [match.span() for match in re.finditer(r"\S+", window)]
                taken.append((at, end))
                found.append(_locate(flat, offsets, start, at, end, holders))
    found.sort(key=lambda mention: mention.start)
    return found


def _locate(
    flat: str,
    offsets: list[tuple[int, int]] | None,
    start: int,
    at: int,
    end: int,
    holders: frozenset[int],
) -> Mention:
    """Translate offsets of the flattened window into offsets of the text."""
    if offsets is None:
        return Mention(holders, start + at, start + end)
    word = flat.count(" ", 0, at)
    last = flat.count(" ", 0, end)
    first_at = flat.rfind(" ", 0, at) + 1
    last_at = flat.rfind(" ", 0, end) + 1
    return Mention(
        holders, start + offsets[word][0] + at - first_at, start + offsets[last][0] + end - last_at
    )
