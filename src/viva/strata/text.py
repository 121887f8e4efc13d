"""A question as the splitter sees it: what is asked, what comes before it, and the options."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

__all__ = [
    "TEXT_VIEWS",
    "Question",
    "question",
    "stem_hash",
    "tokens",
    "weights_view",
    "word_count",
]

TEXT_VIEWS = ("stem", "stem+options", "stem+context")
"""What of an item may be read. ``stem+context`` puts the passages before the stem."""

_LONGEST = 20_000
"""Characters of an item that are read: a question is shorter, and hostile text must not stall."""

_TOKEN = re.compile(r"[a-z]+|\d+(?:[.,]\d+)*")
_BREAK = re.compile(r"(?<=[.?!])[\"')\]”]*\s+(?=[\"'(“]?[A-Z0-9])|\n+")
_ASKING = re.compile(r"\b(?:which|what|how|why|where|who|when)\b", re.IGNORECASE)
_CUE = re.compile(
    r"\b(?:which|what|how|why|where|who|when|most likely|most appropriate|best|calculate|except"
    r"|following|is|are|true)\b",
    re.IGNORECASE,
)
_OPTION_TAIL = re.compile(r"\s*\n\s*answer choices\s*:.*\Z", re.IGNORECASE | re.DOTALL)
_NOT_WORD = re.compile(r"[^\w]+")
_PLAIN = bytes(i if chr(i).isalnum() or chr(i) == "_" else 32 for i in range(128)) + bytes(128)


class Question(NamedTuple):
    """The parts of an item that features are made from."""

    stem: str
    ask: str
    """The sentence that asks; the whole stem where there is only one."""
    body: str
    """The stem without ``ask``."""
    options: tuple[str, ...]
    stem_words: list[str]
    """Lower-case words and numbers of the stem; likewise below."""
    ask_words: list[str]
    body_words: list[str]
    option_words: list[list[str]]


def weights_view(text_view: str) -> str:
    """The view under which weights were trained: context is read by the weights of the stem."""
    return "stem+options" if text_view == "stem+options" else "stem"


def without_options(stem: str) -> str:
    """Cut off an option list that some files repeat at the end of the stem."""
    return _OPTION_TAIL.sub("", stem) if "\n" in stem else stem


def _sentences(stem: str) -> tuple[list[str], str, list[str]]:
    """What comes before the asking sentence, that sentence, and what comes after it."""
    parts = [part for part in _BREAK.split(stem.strip()) if part and not part.isspace()]
    if not parts:
        return [], "", []
    last = len(parts) - 1
    chosen = next((i for i in range(last, -1, -1) if "?" in parts[i]), None)
    if chosen is None:
        chosen = last
        if not _CUE.search(parts[last]):
            chosen = next((i for i in range(last - 1, -1, -1) if _ASKING.search(parts[i])), last)
    return parts[:chosen], parts[chosen], parts[chosen + 1 :]


def split_ask(stem: str) -> tuple[str, str]:
    """The asking sentence and the rest.

    The last sentence with a question mark asks; without one the last sentence does, unless it has
    no word of asking and an earlier one has (a table of results may follow the question).
    """
    before, ask, after = _sentences(stem)
    return ask, " ".join(before + after)


def question(
    stem: str, options: Sequence[str] = (), context: str | None = None, *, text_view: str
) -> Question:
    """The parts of one item under a text view of :data:`TEXT_VIEWS`."""
    stem = without_options(stem)[-_LONGEST:]
    before, ask, after = _sentences(stem)
    if text_view == "stem+context" and context:
        passage = context[:_LONGEST]
        before = [passage, *before]
        stem = f"{passage}\n{stem}"
    # No token spans a break between sentences, so the stem's are those of its parts.
    ask_words = tokens(ask)
    body_words = words_before = tokens(" ".join(before))
    stem_words = words_before + ask_words
    if after:
        words_after = tokens(" ".join(after))
        body_words, stem_words = words_before + words_after, stem_words + words_after
    shown = tuple(option[:_LONGEST] for option in options[:26])
    if text_view != "stem+options":
        shown = ()
    return Question(
        stem,
        ask,
        " ".join(before + after),
        shown,
        stem_words,
        ask_words,
        body_words,
        [tokens(option) for option in shown],
    )


def tokens(text: str) -> list[str]:
    """Lower-case words and numbers."""
    return _TOKEN.findall(text.lower())


def word_count(stem: str) -> int:
    """Words between white space: the count that length matching uses."""
    return len(stem.split())


def stem_hash(stem: str) -> str:
    """16 hex digits that stay the same under case, spacing, punctuation and a repeated option
    list: the key by which an item is recognised as one of the training stems.
    """
    plain = without_options(stem)
    if plain.isascii():  # the same as below, at a fraction of the time
        words = b" ".join(plain.lower().encode().translate(_PLAIN).split())
    else:
        plain = unicodedata.normalize("NFKC", plain).casefold()
        words = _NOT_WORD.sub(" ", plain).strip().encode()
    return hashlib.sha256(words).hexdigest()[:16]
