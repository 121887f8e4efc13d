"""Drugs under their other name: generic for brand, brand for generic, in stem and options alike."""

from __future__ import annotations

import random
import re
from functools import cache, partial
from typing import NamedTuple

from viva.probes._templates import load
from viva.probes._words import article
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
from viva.records import Item, normalise

__all__ = ["PROBES", "brands", "renamed_drugs"]

_WORD = re.compile(r"[A-Za-z]{4,}")
_BEFORE = re.compile(r"([A-Za-z]+)?([ \t]+|[-/])\Z")
_AFTER = re.compile(r"([ \t]+|[-/])([A-Za-z]+)?")
_BEGINS = re.compile(r"(?:\A|[.!?:;]\s+|\n\s*|[-•*]\s+|\d[.)]\s+)[\"“(]?\Z")


def brands() -> dict[str, str]:
    """Generic names, in lower case, each with a brand name of the same substance alone."""
    return dict(load("drugs")["brands"])


class _Table(NamedTuple):
    names: dict[str, str]
    """From the name in lower case to the other name, as it is written inside a sentence."""
    others: dict[str, str]
    """The other way round."""
    after: frozenset[str]
    before: frozenset[str]
    asked: tuple[str, ...]


@cache
def _table(to: str) -> _Table:
    data = load("drugs")
    pairs = data["brands"]
    back = {brand.lower(): generic for generic, brand in pairs.items()}
    names, others = (pairs, back) if to == "brand" else (back, pairs)
    beside = data["beside"]
    return _Table(
        names,
        others,
        frozenset(beside["after"]),
        frozenset(beside["before"]),
        tuple(beside["asked"]),
    )


def _named(text: str, names: dict[str, str]) -> bool:
    """Whether one of the names stands in a text: most texts have none, and are told fast."""
    return not names.keys().isdisjoint(_WORD.findall(text.lower()))


def _compound(text: str, start: int, end: int, table: _Table) -> bool:
    """Whether a name is part of another one, by its neighbours."""
    left = _BEFORE.search(text[max(0, start - 24) : start])
    if left and (left[2] in "-/" or (left[1] or "").lower() in table.before):
        return True
    right = _AFTER.match(text, end)
    return bool(right and (right[1] in "-/" or (right[2] or "").lower() in table.after))


def _put(new: str, old: str, text: str, start: int) -> str:
    """The new name with the capitals that the place wants."""
    if old.isupper():
        return new.upper()
    if new[0].islower() and old[0].isupper() and _BEGINS.search(text[:start][-8:]):
        return new.capitalize()
    return new


def _rewritten(text: str, table: _Table, found: dict[str, str]) -> str | None:
    """The text under the other names; None where a name is part of another."""
    pieces, last = "", 0
    for word in _WORD.finditer(text):
        new = table.names.get(word[0].lower())
        if new is None:
            continue
        start, end = word.span()
        if (start and (text[start - 1].isdigit() or text[start - 1] in "_'’")) or (
            end < len(text) and (text[end].isdigit() or text[end] == "_")
        ):
            return None
        if _compound(text, start, end, table):
            return None
        put = _put(new, word[0], text, start)
        found[word[0].lower()] = new
        pieces = article(pieces + text[last:start], put) + put
        last = end
    return pieces + text[last:]


def renamed_drugs(item: Item, rng: random.Random, *, to: str) -> list[Variant] | Refused:
    """Every drug of the table (``templates/drugs.toml``) under its other name.

    Parameters
    ----------
    item : Item
        The original. Options and context are renamed too.
    rng : random.Random
        Not used: nothing is drawn.
    to : str
        ``brand`` or ``generic``.
    """
    del rng
    name = f"drugs.{to}"
    table = _table(to)
    key = single_key(item)
    if isinstance(key, Reason):
        return refused(item, name, key)
    texts = (item.question, item.context or "", *item.options)
    whole = "\n".join(texts)
    if not _named(whole, table.names):
        return refused(item, name, Reason.NOTHING_TO_CHANGE)
    lower = whole.lower()
    if _named(whole, table.others) and _both(lower, table):
        return refused(item, name, Reason.NAMED_ALREADY)
    if any(asked in lower for asked in table.asked):
        return refused(item, name, Reason.NAME_ASKED)
    found: dict[str, str] = {}
    new = [_rewritten(text, table, found) for text in texts]
    if any(text is None for text in new):
        return refused(item, name, Reason.NAME_IN_COMPOUND)
    question, context, *options = (str(text) for text in new)
    if len({normalise(o) for o in options}) < len({normalise(o) for o in item.options}):
        return refused(item, name, Reason.EQUAL_OPTIONS)
    variant = changed(
        item,
        name,
        Relation.PRESERVING,
        question=question,
        context=None if item.context is None else context,
        options=tuple(options),
    )
    note = ", ".join(f"{old} -> {other}" for old, other in found.items())
    return [Variant(variant, name, Relation.PRESERVING, note=note)]


def _both(lower: str, table: _Table) -> bool:
    """Whether a drug has both its names in the text: renamed, it would be said twice."""
    words = set(_WORD.findall(lower))
    return any(table.names[word].lower() in words for word in words & table.names.keys())


PROBES: dict[str, Probe] = {
    f"drugs.{to}": Probe(
        f"gives drugs their {to} name, in stem and options alike",
        Relation.PRESERVING,
        partial(renamed_drugs, to=to),
    )
    for to in ("brand", "generic")
}
