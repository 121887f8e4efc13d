"""References to options: a letter, a text, a letter with its text, and what only looks like one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from viva.answers import _phrases as phrases
from viva.answers._options import Mention, Options, longest_at, match_at
from viva.records import LETTERS

__all__ = ["BEYOND", "Ref", "View", "closers", "first_ref", "letter_at", "next_word", "ref_at"]

_OPENERS = " \n:>=(-[{'#|,.<\u2022\u2705\u2713\u2714\U0001f449"

_MARK = re.compile(r"[(\[{:>=]")

_LABEL_WORDS = (
    "option",
    "choice",
    "answer",
    "letter",
    "alternative",
    "statement",
    "opción",
    "letra",
)


@dataclass(frozen=True, slots=True)
class View:
    """The answer region in its three forms, equal in length, with the options it is read for."""

    raw: str
    text: str
    low: str
    options: Options


class Ref(NamedTuple):
    """A reference to an option by letter or text; several options where texts are equal."""

    options: frozenset[int]
    start: int
    end: int
    after: int
    """Where reading goes on: behind a text that repeats the letter's option."""
    conflict: bool = False
    letter: bool = False


BEYOND = frozenset({-1})


def next_word(low: str, start: int, limit: int) -> tuple[int, str]:
    """The first word of ``low`` after blanks (at most 40 letters), and where it starts."""
    while start < limit and low[start] == " ":
        start += 1
    end = start
    while end < limit and end - start < 40 and (low[end].isalnum() or low[end] == "'"):
        end += 1
    return start, low[start:end]


def _terminal(char: str) -> bool:
    return char in ".,;:)]}!?'<|\n>\\#\u2026" or char >= "\u2e80"


def letter_at(view: View, at: int, limit: int, *, marked: bool = False) -> bool:
    """Whether the character at ``at`` is an option's letter and not a word or part of a name."""
    text, low = view.text, view.low
    char = text[at]
    if not ("A" <= char <= "Z" or "a" <= char <= "z"):
        return False
    if at and text[at - 1].isalnum() and text[at - 1].isascii():
        return False
    small = char >= "a"
    own = _own_text(view, ord(low[at]) - 97)
    if at + 1 >= limit:
        # "the answer is a" may be cut off, unless the whole text is written so.
        return marked or char not in "ai" or at == 0 or text[max(0, at - 200) : at].islower()
    after = text[at + 1]
    if after == " " or after == "\n":
        if small and not marked:
            # "a patient", "i think": a small letter needs a mark or the end of its line.
            rest = low[at + 1 : min(limit, at + 40)].lstrip(" ")
            return not rest or rest[0] in ".,;:)]}\n"
        return after == "\n" or _bare_word_follows(view, at, limit, own, marked)
    if after == "." and at + 2 < limit:
        return _stop_follows(view, at, limit, own)
    if after == "'" and at + 2 < limit and text[at + 2].isalpha():
        return False
    if after == "-":
        return (
            view.raw[at + 1] == "\u2014"  # a dash between clauses, no hyphen
            or at + 2 >= limit
            or not text[at + 2].isalnum()
            or (own != "" and match_at(low, at + 2, own, limit) > 0)
        )
    if after == "/":
        return True
    if after == "&":
        return True
    return _terminal(after)


def _own_text(view: View, option: int) -> str:
    return view.options.by_option[option] if 0 <= option < view.options.count else ""


def _bare_word_follows(view: View, at: int, limit: int, own: str, marked: bool) -> bool:
    start, word = next_word(view.low, at + 1, limit)
    if start >= limit:
        return True
    if not word:
        return view.text[start] in ".,;:)]}(['/-&+=|<>!?\n\u2013" or view.text[start] >= "\u2e80"
    if own and match_at(view.low, start, own, limit) > 0:
        return True
    if word[0].isdigit():
        return False
    if word[0] >= "\u0900":
        return True
    if view.low[at] == "i" and not marked:
        return word in ("is", "because", "and", "or")
    if (
        view.low[at] == "a"
        and not marked
        and word in ("first", "most", "best", "likely", "right", "correct")
    ):
        return False
    return word in phrases.FOLLOWERS


def _stop_follows(view: View, at: int, limit: int, own: str) -> bool:
    after = view.text[at + 2]
    if own and match_at(view.low, at + 2, own, limit) > 0:
        return True
    if after.isascii() and after.isalnum():  # E.coli, i.v., A.Aspirin
        return after.isupper() and at + 3 < limit and view.text[at + 3] != "."
    _, word = next_word(view.low, at + 2, limit)
    if word in phrases.SPECIES:
        return bool(own) and match_at(view.low, at + 3, own, limit) > 0
    return True


def _marked_before(low: str, at: int) -> bool:
    """Whether a bracket or a word such as *option* stands directly before the letter."""
    start = at
    while start and at - start < 4 and low[start - 1] in " ('[{:>=\n":
        start -= 1
    return _MARK.search(low, start, at) is not None or low[max(0, start - 12) : start].endswith(
        _LABEL_WORDS
    )


def ref_at(view: View, at: int, limit: int) -> Ref | None:
    """The option referred to at ``at``: its text, or a letter with or without the text."""
    if at >= limit:
        return None
    text = longest_at(view.options, view.low, at, limit)
    if text and text.end - text.start > 1:
        return _text_ref(view, text, limit)
    if at + 1 < len(view.text) and view.text[at + 1].isalnum() and view.text[at + 1].isascii():
        return _text_ref(view, text, limit) if text else None
    marked = _marked_before(view.low, at)
    if letter_at(view, at, limit, marked=marked):
        ref = _letter_ref(view, at, limit)
        if text and ref.options == BEYOND:
            return _text_ref(view, text, limit)
        # Blood group A as an option that is not option A: the bare letter could mean either.
        bare = not marked and not _labels(view, at, limit)
        if text and bare and ref.options and not ref.options & text.options:
            return ref._replace(conflict=True)
        return ref
    return _text_ref(view, text, limit) if text else None


def _labels(view: View, at: int, limit: int) -> bool:
    """Whether the letter is followed as a label is: *B)*, *B:*, *B. Ketamine*."""
    after = view.text[at + 1 : min(limit, at + 4)]
    return after[:1] in (")", ":") or (after[:1] == "." and after[1:].strip() != "")


def _letter_ref(view: View, at: int, limit: int) -> Ref:
    low = view.low
    index = LETTERS.index(low[at].upper())
    options = frozenset({index}) if index < view.options.count else BEYOND
    own = _own_text(view, index)
    after = at + 1
    while after < limit and after - at < 12 and low[after] in " .:)]}(['-,|":
        end = match_at(low, after, own, limit) if own and low[after] == own[0] else -1
        if end > 0:
            return Ref(options, at, at + 1, end, letter=True)
        after += 1
    if after < limit and view.options.texts:
        label = low[at + 1 : after]
        text = longest_at(view.options, low, after, limit)
        if text is None and low.startswith(("the ", "a ", "an "), after):
            text = longest_at(view.options, low, low.index(" ", after) + 1, limit)
        if text and index in text.options:
            return Ref(options, at, at + 1, text.end, letter=True)
        if text and label.strip(" ,") and _is_label(view, text, limit):
            return Ref(options, at, at + 1, text.end, conflict=True, letter=True)
    return Ref(options, at, at + 1, at + 1, letter=True)


_ASIDE = re.compile(r"\s?\(([^()\n]{1,60})\)")


def _is_label(view: View, text: Mention, limit: int) -> bool:
    """Whether a text after another option's letter is that letter's label, not a new sentence."""
    own = view.low[text.start : text.end]
    if len(own) < 2 or (own in ("yes", "no") and view.options.count > 3):
        return False
    aside = _ASIDE.match(view.low, text.end, limit)
    if aside and len(aside[1]) == 1:
        return False  # "Aspirin (A) is too weak": the text has a letter of its own
    _, word = next_word(view.low, aside.end() if aside else text.end, limit)
    return not word


def _text_ref(view: View, text: Mention, limit: int) -> Ref:
    """A text, with the letter that may follow it: *Ketamine (B)*, *Ketamine, option B*."""
    low, at = view.low, text.end
    while at < limit and at - text.end < 6 and low[at] in " ,:;-'":
        at += 1
    for word in ("which is ", "i.e. ", "that is "):
        if low.startswith(word, at):
            at += len(word)
    bracket = at < limit and low[at] in "(["
    if bracket:
        at += 1
    named = False
    for word in ("option ", "choice ", "answer ", "letter ", "option: ", "answer: "):
        if low.startswith(word, at):
            at, named = at + len(word), True
            break
    while named and at < limit and low[at] in " ('[:":
        at += 1
    if (bracket or named) and at < limit and "a" <= low[at] <= "z":
        closed = at + 1 >= limit or not low[at + 1].isalnum()
        if closed and (named or (at + 1 < limit and low[at + 1] in ")]")):
            index = ord(low[at]) - 97
            if index in text.options:
                return Ref(frozenset({index}), text.start, text.end, at + 1)
            if index < view.options.count:
                return Ref(text.options, text.start, text.end, at + 1, conflict=True)
    return Ref(text.options, text.start, text.end, text.end)


def first_ref(view: View, at: int, limit: int) -> tuple[Ref | None, int]:
    """Skip openers and filler words (a bounded number) up to the first reference."""
    low = view.low
    for _ in range(48):
        while at < limit and low[at] in " \n":
            at += 1
        if at + 1 < limit and low[at] in "an" and low.startswith(("a ", "an ", "n/a", "n / a"), at):
            text = longest_at(view.options, low, at, limit) or longest_at(
                view.options, low, low.find(" ", at) + 1, limit
            )
            if text and text.end - text.start > 1:
                return _text_ref(view, text, limit), at
            if low[at] == "n":
                return None, at
            if view.text[at] in "aA" and phrases.FILLER.match(low, low.find(" ", at) + 1, limit):
                at = low.find(" ", at) + 1  # Portuguese: "a letra C"
            elif view.text[at] == "a" and not view.text[at + 2 : at + 3].isupper():
                return None, at
            elif view.text[at] == "a":
                at += 2  # "a C"
        ref = ref_at(view, at, limit)
        if ref or at >= limit:
            return ref, at
        filler = phrases.FILLER.match(low, at, limit)
        if filler:
            at = filler.end()
        elif low[at] in _OPENERS:
            at += 1
        else:
            return None, at
    return None, at


def closers(low: str, at: int, limit: int) -> int:
    count = 0
    while count < 3 and at + count < limit and low[at + count] in ")]'":
        count += 1
    return count
