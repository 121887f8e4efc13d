"""Which wrong options of an item can be argued for."""

from __future__ import annotations

import re
from typing import NamedTuple

from viva.probes.variant import Reason, single_key
from viva.records import LETTERS, Item, normalise

__all__ = ["Options", "option_named", "parted", "speaks_of_others"]

_LONGEST = 100
"""Characters of an option beyond which it says something of its own."""

_THINGS = (
    "(?:the |these |those |other |given |listed |above |following )*"
    "(?:above|options?|answers?|choices?|statements?|responses?|alternatives?|these|those|them)"
)
_GOES_ON = "(?: (?:-|are|is|can|could|may|apply|listed|given|mentioned|provided|stated)(?: .*)?)?"
_LETTERS = r"\(?[a-j]\)?(?:(?: ?[,&+/] ?| (?:and|or|nor|&) )\(?[a-j]\)?)"
_NUMBERS = r"\(?[1-9]\)?(?: ?(?:,|&|and|or) ?\(?[1-9]\)?)+"
_OTHERS = re.compile(
    "(?:(?:can|could|may) be )?(?:"
    "(?:all|any|none|both|either|neither)"
    "|(?:all|any|none|both|either|neither|some|two|each|most|one|more than one|one or more)(?:"
    f"(?: one)?(?: of| in)? {_THINGS}{_GOES_ON}"
    "|(?: are| is)? (?:true|false|correct|incorrect|wrong|right|equal|the same|same)"
    f"| (?:options? |answers? )?(?:{_LETTERS}*|[a-e]{{2,4}}|{_NUMBERS}){_GOES_ON}"
    ")"
    f"|(?:options? |only )?{_LETTERS}+(?: (?:only|both|together|above|are .*))?"
    f"|(?:options?|answers?) {_NUMBERS}"
    "|(?:the )?(?:above|same)"
    "|(?:no|not) (?:option|answer|choice|any of) .*"
    "|(?:cannot|can not|can't) be (?:determined|told|said|decided)(?: .*)?"
    "|(?:insufficient|not enough) (?:information|data)(?: .*)?"
    ")"
)


class Options(NamedTuple):
    """The options of an item, parted."""

    key: int
    """0-based position of the key."""
    distractors: tuple[int, ...]
    """0-based positions of the wrong options that stand for themselves, ascending."""


def speaks_of_others(option: str) -> bool:
    """Whether an option is about other options ("all of the above", "both A and B", "none").

    Nobody can argue for such an option by itself, and where it is the key the other options are
    not plainly wrong.
    """
    return len(option) <= _LONGEST and _speaks_of_others(normalise(option))


def _speaks_of_others(normal: str) -> bool:
    return len(normal) <= _LONGEST and bool(
        _OTHERS.fullmatch(normal.rstrip(" .;:!").strip("()[]\"'“” "))
    )


def parted(item: Item) -> Options | Reason:
    """The key of an item and the wrong options that can be argued for.

    Returns
    -------
    Options or Reason
        Why there is nothing to suggest: no options, not exactly one key, two equal options, a key
        that speaks of others, no wrong option that stands for itself. An option whose text is a
        letter of the list, such as "C" under B, counts as one that speaks of others.
    """
    key = single_key(item)
    if isinstance(key, Reason):
        return key
    normal = [normalise(option) for option in item.options]
    if len(set(normal)) < len(normal):
        return Reason.EQUAL_OPTIONS
    letters = LETTERS[: len(normal)].lower()
    speaks = [
        _speaks_of_others(option) or ((bare := option.strip(" .()")) != "" and bare in letters)
        for option in normal
    ]
    if speaks[key]:
        return Reason.KEY_NAMES_OTHERS
    wrong = tuple(i for i, option in enumerate(normal) if i != key and option and not speaks[i])
    return Options(key, wrong) if wrong else Reason.NO_DISTRACTOR


def option_named(item: Item, index: int) -> str:
    """An option as a sentence names it: ``B (Ketamine)``."""
    text = " ".join(item.options[index].split()).rstrip(" .;,")
    return f"{LETTERS[index]} ({text})"
