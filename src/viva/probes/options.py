"""The options: another order, other letters, fewer of them, and the key taken away.

An item whose options speak of one another ("all of the above", "both A and B") is refused: moved or
removed, they would say something else.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from functools import partial

from viva.probes.distractors import speaks_of_others
from viva.probes.variant import (
    Probe,
    Reason,
    Refused,
    Relation,
    Variant,
    changed,
    refused,
    single_key,
)
from viva.records import LETTERS, Choice, Item, normalise

__all__ = [
    "FIRST_LETTER",
    "PROBES",
    "exhaustive",
    "key_replaced",
    "relettered_options",
    "removed_options",
    "reordered_options",
    "stands_for_others",
]

FIRST_LETTER = "P"
"""Of options under letters from far down the alphabet: P, Q, R ..."""

NONE = "None of the other options"
"""What stands in the place of the key; "above" would be false where it is not the last."""

_EXHAUSTIVE = re.compile(
    r"(?:yes|no|maybe|true|false|correct|incorrect|present|absent|always|never|increased?s?|decreased?s?"
    r"|increases|decreases|unchanged|no change|normal|same|higher|lower|equal|positive|negative"
    r"|increase|decrease)\W*",
    re.IGNORECASE,
)
_SPEAKS = re.compile(
    r"\b(?:(?:all|none|both|neither|any) (?:of )?(?:the )?(?:above|below|these|following|others?)"
    r"|(?:the )?(?:above|preceding|previous|foregoing)"
    r"(?: (?:options?|answers?|choices?|statements?)|\W*$)"
    r"|(?:options?|answers?|choices?) (?:\(?[A-J]\)?|[1-9])\b"
    r"|(?:both|either|neither|only|and|or|not|&) \(?[A-J]\)?\W*$)"
    r"|^\W*[A-J]\W* (?:only|alone)\W*$",
    re.IGNORECASE | re.MULTILINE,
)
_BY_PLACE = re.compile(
    r"\b(?:first|second|third|fourth|fifth|last|former|latter|next|preceding|previous) "
    r"(?:option|answer|choice|alternative)s?\b"
    r"|\b(?:option|answer|choice|alternative)s?[ :]+\(?[A-J]\b(?!\w)",
    re.IGNORECASE,
)
_LISTED = re.compile(r"(?:\A|\n)\s*\(?[A-Da-d][).:] |\([ABab]\)")


def _by_place(question: str) -> bool:
    """Whether a question names options by their place or letter, or lists them itself."""
    if any(word in question for word in ("ption", "nswer", "hoice", "lternative")) and (
        _BY_PLACE.search(question)
    ):
        return True
    return _LISTED.search(question) is not None


def stands_for_others(option: str) -> bool:
    """Whether an option speaks of other options, as its whole text or in it."""
    return speaks_of_others(option) or _SPEAKS.search(option) is not None


def exhaustive(options: Iterable[str]) -> bool:
    """Whether options leave no other answer: yes and no, higher and lower."""
    return all(_EXHAUSTIVE.fullmatch(option.strip()) for option in options)


def _parted(item: Item, *, fewest: int = 2) -> int | Reason:
    """Position of the key, where the options stand for themselves."""
    key = single_key(item)
    if isinstance(key, Reason):
        return key
    if len(item.options) < fewest:
        return Reason.TOO_FEW_OPTIONS
    if _SPEAKS.search("\n".join(item.options)) or any(map(speaks_of_others, item.options)):
        return Reason.OPTIONS_NAME_OTHERS
    if len({normalise(o) for o in item.options}) < len(item.options):
        return Reason.EQUAL_OPTIONS
    if _by_place(item.question):
        return Reason.ORDER_MATTERS
    return key


def reordered_options(item: Item, rng: random.Random) -> list[Variant] | Refused:
    """The options in another order, in which the key is at another place.

    The key's new place is drawn evenly from the others, then the distractors are shuffled.
    """
    name = "options.order"
    key = _parted(item)
    if isinstance(key, Reason):
        return refused(item, name, key)
    n = len(item.options)
    place = (key + 1 + int(rng.random() * (n - 1))) % n
    others = [i for i in range(n) if i != key]
    rng.shuffle(others)
    order = [*others[:place], key, *others[place:]]
    variant = changed(
        item,
        name,
        Relation.PRESERVING,
        options=tuple(item.options[i] for i in order),
        target=Choice(place),
        meta={**item.meta, "option_order": order},
    )
    note = f"order {''.join(LETTERS[i] for i in order)}, key {LETTERS[key]} -> {LETTERS[place]}"
    return [Variant(variant, name, Relation.PRESERVING, note=note)]


def relettered_options(item: Item, rng: random.Random) -> list[Variant] | Refused:
    """The options under P, Q, R ... in the place of A, B, C ...

    An item's options have no letters of their own: letters go by position. The variant therefore
    says in ``meta["first_letter"]`` where they begin; methods show them so and read the same
    letters back, and records keep the letter by position.

    Parameters
    ----------
    item : Item
        The original.
    rng : random.Random
        Not used: nothing is drawn.
    """
    del rng
    name = "options.letters"
    key = _parted(item)
    if isinstance(key, Reason):
        return refused(item, name, key)
    first, count = LETTERS.index(FIRST_LETTER), len(item.options)
    if first + count > len(LETTERS):
        return refused(item, name, Reason.TOO_FEW_LETTERS)
    meta = {**item.meta, "first_letter": FIRST_LETTER}
    variant = changed(item, name, Relation.PRESERVING, meta=meta)
    note = f"A-{LETTERS[count - 1]} -> {FIRST_LETTER}-{LETTERS[first + count - 1]}"
    return [Variant(variant, name, Relation.PRESERVING, note=note)]


def removed_options(item: Item, rng: random.Random, *, left: int | None) -> list[Variant] | Refused:
    """Fewer distractors; the rest in their order.

    Parameters
    ----------
    item : Item
        The original.
    rng : random.Random
        Draws the distractors that are removed.
    left : int or None
        Options left, the key among them; None = one distractor fewer.
    """
    name = "options.removed.one" if left is None else "options.removed.rest"
    key = _parted(item, fewest=3)
    if isinstance(key, Reason):
        return refused(item, name, key)
    keep = len(item.options) - 1 if left is None else left
    wrong = [i for i in range(len(item.options)) if i != key]
    kept = sorted([key, *rng.sample(wrong, keep - 1)])
    variant = changed(
        item,
        name,
        Relation.PRESERVING,
        options=tuple(item.options[i] for i in kept),
        target=Choice(kept.index(key)),
        meta={**item.meta, "option_order": kept},
    )
    gone = [LETTERS[i] for i in wrong if i not in kept]
    note = f"without {', '.join(gone)}"
    return [Variant(variant, name, Relation.PRESERVING, note=note)]


def key_replaced(item: Item, rng: random.Random) -> list[Variant] | Refused:
    """The key's text replaced by "None of the other options", which is then right.

    Where the question asks for the best of the options, a distractor may be called the best that
    is left; what the variant claims is that the original's key was right and the others wrong.
    """
    del rng
    name = "options.none"
    key = _parted(item)
    if isinstance(key, Reason):
        return refused(item, name, key)
    if exhaustive(item.options):
        return refused(item, name, Reason.OPTIONS_EXHAUST)
    options = tuple(NONE if i == key else o for i, o in enumerate(item.options))
    variant = changed(item, name, Relation.ALTERING, options=options)
    return [Variant(variant, name, Relation.ALTERING, note=f"{LETTERS[key]} -> {NONE}")]


PROBES: dict[str, Probe] = {
    "options.order": Probe(
        "puts the options in another order, the key at another place",
        Relation.PRESERVING,
        reordered_options,
    ),
    "options.letters": Probe(
        "shows the options as P, Q, R ... in the place of A, B, C ...",
        Relation.PRESERVING,
        relettered_options,
    ),
    "options.removed.one": Probe(
        "takes one distractor away", Relation.PRESERVING, partial(removed_options, left=None)
    ),
    "options.removed.rest": Probe(
        "leaves the key and one distractor", Relation.PRESERVING, partial(removed_options, left=2)
    ),
    "options.none": Probe(
        'puts "none of the other options" in the place of the key',
        Relation.ALTERING,
        key_replaced,
    ),
}
