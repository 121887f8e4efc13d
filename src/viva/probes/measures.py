"""Temperature, weight and height in other units; values given in both change places."""

from __future__ import annotations

import random
import re
from decimal import ROUND_HALF_EVEN, Decimal

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
from viva.records import Item

__all__ = ["PROBES", "other_measures"]

_N = r"\d{1,4}(?:\.\d+)?"
_DEGREE = r"(?:°|º|˚|o)?[ ]?(?:[CF]\b)|℃|℉|degrees (?:[CF]\b|Celsius|Fahrenheit)"
_TEMPERATURE = rf"{_N}[ ]?(?:{_DEGREE})"
_MASS = rf"{_N}[- ]?(?:kg|kilograms?|g|lbs?|pounds?)\b(?!/)(?:[ ]{_N}[ ]?(?:oz|ounces?)\b)?"
_LENGTH = (
    rf"(?:{_N}[- ]?(?:cm|m)\b(?!/|[²2³3^])"
    rf"|\d[ ]?(?:ft|feet|')[ ]?(?:{_N}[ ]?(?:in\b|inches|\"|''))?)"
)
_PAIR = re.compile(
    rf"(?P<a>{_TEMPERATURE}|{_MASS}|{_LENGTH})[ ]?[(](?P<b>{_TEMPERATURE}|{_MASS}|{_LENGTH})[)]"
)
_ONE = re.compile(
    rf"(?P<number>{_N})(?P<space>[ ]?)(?:(?P<degree>(?:°|º|˚)[ ]?)(?P<letter>[CF])\b|(?P<sign>[℃℉])"
    r"|(?P<mass>kg|lbs?|pounds)\b(?![ ]?[/)²^]|[ ]\d))"
)
_BEFORE_RATE = re.compile(r"(?:/|\bper )[ ]?\Z")
_PART = re.compile(r"(?:\b(?:by|every|between|from)|\d[ ]?(?:to|and|or))[ ]\Z")
_GOES_ON = re.compile(r"[ ]?(?:/|-|–|to\b|[(,][ ]?\d)")
"""A value that is one end of a range, a difference, or given in both units."""
_OUNCES = re.compile(r"\b(?:oz|ounces?)\b")
_HINT = re.compile(r"[°º˚℃℉]|\b(?:kg|lbs?|pounds|cm|ft|in)\b")
_OPTION = re.compile(rf"{_N}[- ]?(?:{_DEGREE}|kg|lbs?|pounds|cm|ft)", re.IGNORECASE)
_PERCENTILE = re.compile(
    r"percentile|\bBMI\b|body mass index|per kg|/kg|dose|dosage", re.IGNORECASE
)


def _quantised(value: Decimal, places: str) -> str:
    return str(value.quantize(Decimal(places), ROUND_HALF_EVEN))


def _kind(text: str) -> str:
    if re.search(r"[°º˚℃℉]|[CF]$|Celsius|Fahrenheit", text):
        return "temperature"
    return "length" if re.search(r"cm|ft|feet|'|\dm|\d m", text) else "mass"


def _single(match: re.Match[str]) -> str:
    value = Decimal(match["number"])
    space = match["space"]
    if match["mass"]:
        if match["mass"] == "kg":
            pounds = value / Decimal("0.45359237")
            return f"{_quantised(pounds, '0.1' if pounds < 50 else '1')} lb"
        return f"{_quantised(value * Decimal('0.45359237'), '0.1')} kg"
    degree = match["degree"] or "°"
    celsius = match["letter"] == "C" or match["sign"] == "℃"
    if celsius:
        return f"{_quantised(value * 9 / 5 + 32, '0.1')}{space}{degree}F"
    return f"{_quantised((value - 32) * 5 / 9, '0.1')}{space}{degree}C"


def other_measures(item: Item, rng: random.Random) -> list[Variant] | Refused:
    """Body measures in the other units.

    "37.5°C (99.5°F)" becomes "99.5°F (37.5°C)"; a single temperature is converted to one place, a
    single weight to tenths of a kilogram, whole pounds or, below 50, their tenths; half to even.
    Refused where weights are to be calculated with, and where a difference of temperatures may be
    meant.
    """
    del rng
    name = "units.measures"
    key = single_key(item)
    if isinstance(key, Reason):
        return refused(item, name, key)
    text = item.question
    if _HINT.search(text) is None:
        return refused(item, name, Reason.NOTHING_TO_CHANGE)
    if any(_OPTION.search(option) for option in item.options):
        return refused(item, name, Reason.VALUES_IN_OPTIONS)
    notes: list[str] = []
    pieces: list[str] = []
    last = 0
    for match in _PAIR.finditer(text):
        if _kind(match["a"]) != _kind(match["b"]):
            continue
        new = f"{match['b']} ({match['a']})"
        notes.append(f"{match[0]} -> {new}")
        pieces += [_converted(text[last : match.start()], notes), new]
        last = match.end()
    pieces.append(_converted(text[last:], notes))
    if not notes:
        return refused(item, name, Reason.NOTHING_TO_CHANGE)
    if any("kg" in note or "lb" in note for note in notes) and _PERCENTILE.search(text):
        return refused(item, name, Reason.CALCULATION)
    if any("lb" in note for note in notes) and _OUNCES.search(text):
        return refused(item, name, Reason.MEASURE_UNCERTAIN)
    if "degrees" in text and _PER_DEGREE.search(text):
        return refused(item, name, Reason.MEASURE_UNCERTAIN)
    variant = changed(item, name, Relation.PRESERVING, question="".join(pieces))
    return [Variant(variant, name, Relation.PRESERVING, note="; ".join(notes))]


_PER_DEGREE = re.compile(r"\b(?:by|rise of|fall of|difference of|increase of|drop of) \d", re.I)


def _converted(text: str, notes: list[str]) -> str:
    """A stretch without pairs, its single values converted."""
    pieces: list[str] = []
    last = 0
    for match in _ONE.finditer(text):
        before = text[max(0, match.start() - 12) : match.start()]
        if _BEFORE_RATE.search(before) or before[-1:] in ("-", "–", ".", ","):
            continue
        if _PART.search(before) or _GOES_ON.match(text, match.end()):
            continue
        new = _single(match)
        notes.append(f"{match[0]} -> {new}")
        pieces += [text[last : match.start()], new]
        last = match.end()
    return "".join([*pieces, text[last:]])


PROBES: dict[str, Probe] = {
    "units.measures": Probe(
        "gives temperature and weight in the other units", Relation.PRESERVING, other_measures
    ),
}
