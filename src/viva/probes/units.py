"""Values in other units: conventional and SI units of the laboratory.

A value is converted only where the words before it say what it measures. A question in which a
value may be of a known substance, and may not, is refused as a whole: no text mixes units by
accident.
Converted values are rounded half to even to the places that are usual for the substance
(``templates/units.toml``), never to fewer than two significant digits.
"""

from __future__ import annotations

import random
import re
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache, partial
from typing import NamedTuple

from viva.probes._templates import load
from viva.probes._words import vocabulary
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

__all__ = ["PROBES", "converted_labs", "rounded"]

_MINUS = "-–"
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_UNIT = r"mg/d[lL]|gm?/d[lL]|[µμu]g/d[lL]|mcg/d[lL]|mmol/[lL]|[µμu]mol/[lL]|g/[lL]"
_VALUE = re.compile(
    rf"(?P<low>(?P<sign>[<>≤≥] ?)?(?:{_NUMBER}))(?P<gap> ?(?:[{_MINUS}]|to) ?)?"
    rf"(?:(?<=[{_MINUS}o ])(?P<high>{_NUMBER}))?(?P<space>[ \t]?)(?P<unit>{_UNIT})(?![\w/²2])"
    r"(?P<range>[ \t]*[(\[](?:N\b|[Nn]ormal|[Rr]ef|(?=[<>≤≥]?[ \t]?\d))[^)\]\n]{0,60}[)\]])?"
)
_HAS_UNIT = re.compile(r"(?:gm?/d|mol/|g/)[lL]\b")
_RANGE = re.compile(
    r"(?P<head>[ \t]*[(\[](?:(?:N|[Nn]ormal|[Rr]eference|[Rr]ef)"
    r"(?:\.|[ \t]+[Rr]ange|[ \t]+[Vv]alues?)?)?"
    rf"[ \t]*(?:[:=,]|is|of)?[ \t]*(?:[<>≤≥][ \t]?)?)(?P<low>{_NUMBER})"
    rf"(?:(?P<gap>[ \t]?(?:[{_MINUS}]|to)[ \t]?)(?P<high>{_NUMBER}))?"
    rf"(?P<unit>[ \t]?(?:{_UNIT}))?(?P<tail>[)\]])"
)
_RANGE_BESIDE = re.compile(
    r"[ \t]*(?:\|[ \t]*[<>≤≥(]?[ \t]?\d|[,;(\[][ \t]*(?:N\b|[Nn]ormal|[Rr]ef)[^\d\n]{0,20}\d)"
)
"""A reference range that is not read, beside a value."""
_TOTAL = re.compile(r"\btotal[ \t:|]*\Z", re.IGNORECASE)
"""A value whose substance a heading names."""
_WORD = re.compile(r"[A-Za-z0-9'’+-]+")
_LEFT = 90
"""Characters before a value in which its name is looked for."""


class _Analyte(NamedTuple):
    conventional: str
    si: str
    factor: Decimal
    decimals: tuple[int, int]


class _Labs(NamedTuple):
    names: dict[str, _Analyte]
    find: re.Pattern[str]
    between: frozenset[str]
    other: frozenset[str]
    calculate: frozenset[str]
    calculate_stems: tuple[str, ...]


@cache
def _labs() -> _Labs:
    data = load("units")
    names: dict[str, _Analyte] = {}
    for row in data["analyte"]:
        places = (row["decimals"][0], row["decimals"][1])
        analyte = _Analyte(row["conventional"], row["si"], Decimal(str(row["factor"])), places)
        names |= dict.fromkeys(row["names"], analyte)
    longest = sorted(names, key=len, reverse=True)
    find = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest))})(?![\w])", re.IGNORECASE)
    words = data["words"]
    return _Labs(
        names,
        find,
        frozenset(words["between"].split()),
        frozenset(words["other"].split()),
        frozenset(words["calculate"]),
        tuple(words["calculate_stems"]),
    )


def _unit(written: str) -> str:
    """A unit in one spelling."""
    unit = written.strip().replace("μ", "µ").replace("mc", "µ").replace("gm/", "g/")
    unit = "µ" + unit[1:] if unit[0] == "u" else unit
    return unit[:-1] + "L"


def rounded(value: Decimal, places: int) -> str:
    """A value with its places, or with those that two significant digits take; half to even."""
    if value and value.adjusted() + places < 1:
        places = max(places, 1 - value.adjusted())
    return str(value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN))


class _UnsureError(Exception):
    """A value whose meaning is not certain."""


def _converted(number: str, analyte: _Analyte, to: str) -> str:
    value = Decimal(number.replace(",", ""))
    if to == "si":
        return rounded(value * analyte.factor, analyte.decimals[1])
    return rounded(value / analyte.factor, analyte.decimals[0])


def _named(text: str, start: int, floor: int, labs: _Labs) -> _Analyte | None:
    """What the value that starts at a position measures; None where it is of no known substance.

    Raises
    ------
    _UnsureError
        A known name stands before the value, and words between them that may change its meaning.
    """
    left = text[max(floor, start - _LEFT) : start]
    cut = max(left.rstrip().rfind("\n"), left.rfind(";"), left.rfind(". "))
    left = left[cut + 1 :] if cut >= 0 else left
    found = list(labs.find.finditer(left))
    if not found:
        return None
    last = found[-1]
    before = _WORD.findall(left[: last.start()].lower())[-3:]
    after = _WORD.findall(left[last.end() :].lower())
    if labs.other.intersection(before) or labs.other.intersection(after):
        raise _UnsureError
    if any(word not in labs.between for word in after) or "(" in left[last.end() :].rstrip(" ("):
        raise _UnsureError
    if left[last.end() : last.end() + 1] in ("-", "/") or "/" in left[last.end() :]:
        raise _UnsureError
    return labs.names[last[0].lower()]


def _ranged(written: str, analyte: _Analyte, to: str, unit: str) -> str:
    """A reference range in brackets, converted; it is of the value's unit where it names none."""
    match = _RANGE.fullmatch(written)
    if match is None or (match["unit"] and _unit(match["unit"]) != unit):
        raise _UnsureError
    target = analyte.si if to == "si" else analyte.conventional
    out = match["head"] + _converted(match["low"], analyte, to)
    if match["high"]:
        out += match["gap"] + _converted(match["high"], analyte, to)
    if match["unit"]:
        out += " " + target
    return out + match["tail"]


def _relabelled(text: str, to: str, labs: _Labs) -> tuple[str, list[str]]:
    """The text with its laboratory values in the other units, and what was converted."""
    pieces: list[str] = []
    notes: list[str] = []
    last = 0
    spans: list[tuple[int, int]] = []
    seen: set[str] = set()
    before = ""
    for match in _VALUE.finditer(text):
        unit = _unit(match["unit"])
        if unit not in ("mg/dL", "g/dL", "µg/dL", "mmol/L", "µmol/L", "g/L"):
            continue
        floor = spans[-1][1] if spans else 0
        spans.append(match.span())
        analyte = _named(text, match.start(), floor, labs)
        if analyte is None:
            between = text[floor : match.start()]
            if _TOTAL.search(between):
                raise _UnsureError
            if unit == before and "\n" not in between and ". " not in between:
                raise _UnsureError  # perhaps a second value of the substance before
            if match["range"] is None and "(" in text[floor : match.start()][-30:]:
                raise _UnsureError  # a range in brackets that the rules do not read
            continue
        source = analyte.conventional if to == "si" else analyte.si
        target = analyte.si if to == "si" else analyte.conventional
        if unit != source:
            if unit != target:
                raise _UnsureError
            continue
        if (match["gap"] is None) != (match["high"] is None):
            raise _UnsureError
        low = match["low"][len(match["sign"] or "") :]
        new = (match["sign"] or "") + _converted(low, analyte, to)
        if match["high"]:
            new += match["gap"] + _converted(match["high"], analyte, to)
        new += f"{match['space'] or ' '}{target}"
        old = text[match.start() : match.end("unit")]
        notes.append(f"{old} -> {new}")
        if match["range"]:
            new += _ranged(match["range"], analyte, to, unit)
        if _RANGE_BESIDE.match(text, match.end()):
            raise _UnsureError
        before = unit
        pieces += [text[last : match.start()], new]
        last = match.end()
        seen.add(_substance(analyte))
    pieces.append(text[last:])
    if seen:
        _no_bare_values(text, spans, seen, labs)
    return "".join(pieces), notes


def _substance(analyte: _Analyte) -> str:
    return f"{analyte.conventional}{analyte.factor}"


_BARE = re.compile(
    r"[^.;\n\d]{0,40}?(\d[\d.,]*)"
    r"(?![\d.,]*[ \t-]?(?:%|years?|days?|hours?|weeks?|months?|mg\b|times|fold|(?:th|st|nd|rd)\b))"
)


def _no_bare_values(text: str, spans: list[tuple[int, int]], seen: set[str], labs: _Labs) -> None:
    """Check that no value of a converted substance is left in its old unit without naming it."""
    for name in labs.find.finditer(text):
        if _substance(labs.names[name[0].lower()]) not in seen:
            continue
        bare = _BARE.match(text, name.end())
        if bare and not any(a <= bare.start(1) < b for a, b in spans):
            between = _WORD.findall(text[name.end() : bare.start(1)].lower())
            if all(word in labs.between for word in between):
                raise _UnsureError


def converted_labs(item: Item, rng: random.Random, *, to: str) -> list[Variant] | Refused:
    """Laboratory values in SI units, or in conventional ones.

    Parameters
    ----------
    item : Item
        The original.
    rng : random.Random
        Not used: nothing is drawn.
    to : str
        ``si`` or ``conventional``.
    """
    del rng
    name = f"units.{to}"
    key = single_key(item)
    if isinstance(key, Reason):
        return refused(item, name, key)
    if _HAS_UNIT.search(item.question) is None:
        return refused(item, name, Reason.NOTHING_TO_CHANGE)
    if any(_HAS_UNIT.search(option) for option in item.options):
        return refused(item, name, Reason.VALUES_IN_OPTIONS)
    labs = _labs()
    words = vocabulary(item.question)
    numbers = all(any(c.isdigit() for c in option) for option in item.options)
    if (
        numbers
        or words & labs.calculate
        or any(word.startswith(labs.calculate_stems) for word in words)
    ):
        return refused(item, name, Reason.CALCULATION)
    try:
        question, notes = _relabelled(item.question, to, labs)
    except _UnsureError:
        return refused(item, name, Reason.MEASURE_UNCERTAIN)
    if not notes:
        return refused(item, name, Reason.NOTHING_TO_CHANGE)
    variant = changed(item, name, Relation.PRESERVING, question=question)
    return [Variant(variant, name, Relation.PRESERVING, note="; ".join(notes))]


PROBES: dict[str, Probe] = {
    "units.si": Probe(
        "gives laboratory values in SI units",
        Relation.PRESERVING,
        partial(converted_labs, to="si"),
    ),
    "units.conventional": Probe(
        "gives laboratory values in conventional units",
        Relation.PRESERVING,
        partial(converted_labs, to="conventional"),
    ),
}
