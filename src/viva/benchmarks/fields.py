"""Fields of a row -> options, key, text: how each is read, and what makes it a defect.

The answer of a generic items file is resolved in this order; the first rule that applies decides.

======================================  ====================================================
the answer is                           it names
======================================  ====================================================
missing, NaN, empty text                nothing: defect ``no answer``
a list (or its JSON)                    several options, each resolved by the rules below
true or false                           the option with that text, in any case; else defect
an integer (2, 2.0)                     the option at this 0-based position
text equal to exactly one option        that option
text equal to two or more options       nothing: defect ``answer matches two options``
a single letter (b, B)                  the option with this letter
digits ("2", "2.0": CSV has no types)   the option at this 0-based position
any other text                          nothing: defect ``answer is not among the options``
======================================  ====================================================

Texts are equal when they are the same after white space at both ends is taken off. So ``A`` is a
letter unless an option *is* "A", and ``"1"`` is a position unless an option *is* "1"; the integer
1 is a position always.
"""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from viva.records import LETTERS, Choice, Choices, normalise

__all__ = ["Defect", "Options", "absent", "integer", "one_of", "options", "target", "text"]

_LONGEST_LITERAL = 1_000_000
_DEEPEST_LITERAL = 4
_NAMES = ("letter", "key", "label", "option", "name")
_TEXTS = ("content", "value", "text")


class Defect(Exception):  # noqa: N818  (a defect of the row, not of the program)
    """Why one row cannot be an item: one of a short list of phrases."""


class Options(NamedTuple):
    """Option texts in the order of their letters, and the names they had in the file."""

    texts: tuple[str, ...]
    names: tuple[str, ...]


def _plain(value: Any) -> Any:
    """Numbers and arrays of numpy as Python's own, without importing it."""
    return value.tolist() if hasattr(value, "tolist") else value


def absent(value: Any) -> bool:
    """Whether a field holds nothing: null, NaN, or text that is empty or says so."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return True
    return isinstance(value, str) and value.strip().casefold() in ("", "nan", "<na>")


def text(value: Any, defect: str) -> str:
    """The field as text, white space at its ends taken off; whole floats lose their ``.0``.

    Raises
    ------
    Defect
        ``defect``, where the field is absent or no text or number.
    """
    value = _plain(value)
    if absent(value) or not isinstance(value, (str, int, float)):
        raise Defect(defect)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def integer(value: Any) -> int | None:
    """The whole number that the field holds, as a number or as digits; None where it does not."""
    value = _plain(value)
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]{1,9}(\.0{1,6})?", value.strip(), re.A):
        return int(float(value))
    return None


def literal(value: Any) -> Any:
    """A list or map that a file holds as text: JSON, or Python's spelling of it.

    Never evaluated: a parse of constants, bounded in length and depth. Other text comes back as
    it is.
    """
    if not isinstance(value, str) or value.lstrip()[:1] not in ("[", "{"):
        return value
    if len(value) > _LONGEST_LITERAL:
        return value
    depth = deepest = 0
    for character in value:
        depth += (character in "[{(") - (character in "]})")
        deepest = max(deepest, depth)
    try:
        if deepest <= 50:
            return json.loads(value)
    except ValueError:
        if deepest <= _DEEPEST_LITERAL:
            try:
                return ast.literal_eval(value.strip())
            except (ValueError, SyntaxError, MemoryError, RecursionError):
                pass
    return value


def _option_text(value: Any) -> str:
    if isinstance(value, (list, dict, tuple)):
        raise Defect("an option is not text")
    # "nan" may be an option's text; a missing value may not.
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        raise Defect("an option is empty")
    out = str(value).strip()
    if not out:
        raise Defect("an option is empty")
    return out


def _pair(value: Mapping[str, Any]) -> tuple[str, Any]:
    name = next((value[n] for n in _NAMES if n in value), None)
    content = next((n for n in _TEXTS if n in value), None)
    if name is None or content is None:
        raise Defect("an option is not text")
    return str(name), value[content]


def _from_map(value: Mapping[Any, Any], digits: bool) -> Options:
    present = {str(k).strip().rstrip(".)").upper(): v for k, v in value.items()}
    if len(present) < len(value):
        raise Defect("two options have the same letter")
    # Parquet gives every row the letters of all rows, null where it has none.
    names = sorted((n for n, v in present.items() if v is not None), key=lambda n: (len(n), n))
    if names and digits and all(re.fullmatch("[0-9]{1,2}", n) for n in names):
        first = int(names[0])
        expected = [str(first + i) for i in range(len(names))] if first in (0, 1) else []
    else:
        expected = list(LETTERS[: len(names)])
        if not all(len(n) == 1 and n in LETTERS for n in names):
            raise Defect("options are not a list or a map of letters")
    if len(names) <= len(LETTERS) and names != expected:
        raise Defect("letters of the options have a gap")
    return Options(tuple(_option_text(present[n]) for n in names), tuple(names))


def options(value: Any, *, digits: bool = False) -> Options:
    """Options from a list, a map letter -> text, a list of {letter, text}, or text that holds one.

    Parameters
    ----------
    value : list, mapping or str
        ``None`` under a letter means that the item has no such option.
    digits : bool
        Whether a map may name its options 0, 1, ... or 1, 2, ... instead of A, B, ...

    Raises
    ------
    Defect
        No options, fewer than 2 or more than 26, one that is empty, letters with a gap.
    """
    value = _plain(value)
    if absent(value):
        raise Defect("no options")
    value = literal(value)
    if isinstance(value, (list, tuple)) and value and all(isinstance(v, Mapping) for v in value):
        pairs = [_pair(v) for v in value]
        value = dict(pairs)
        if len(value) < len(pairs):
            raise Defect("two options have the same letter")
    if isinstance(value, Mapping):
        found = _from_map(value, digits)
    elif isinstance(value, (list, tuple)):
        texts = tuple(_option_text(v) for v in value)
        found = Options(texts, tuple(LETTERS[: len(texts)]))
    else:
        raise Defect("options are not a list or a map of letters")
    if not found.texts:
        raise Defect("no options")
    if len(found.texts) < 2:
        raise Defect("fewer than two options")
    if len(found.texts) > len(LETTERS):
        raise Defect("more than 26 options")
    return found


def _at(position: int, count: int) -> int:
    if not 0 <= position < count:
        raise Defect("key outside the options")
    return position


def one_of(answer: Any, found: Options) -> int:
    """The 0-based position of the option that an answer names, by the rules of this module.

    Raises
    ------
    Defect
        No answer, or one that names no option or two.
    """
    answer = _plain(answer)
    if absent(answer):
        raise Defect("no answer")
    count = len(found.texts)
    if isinstance(answer, bool):
        same = [i for i, t in enumerate(found.texts) if normalise(t) == str(answer).casefold()]
    elif not isinstance(answer, str):
        position = integer(answer)
        if position is None:
            raise Defect("answer is not among the options")
        return _at(position, count)
    else:
        answer = answer.strip()
        same = [i for i, t in enumerate(found.texts) if t == answer]
    if len(same) == 1:
        return same[0]
    if same:
        raise Defect("answer matches two options")
    if isinstance(answer, str):
        if len(answer) == 1 and answer.upper() in LETTERS:
            return _at(LETTERS.index(answer.upper()), count)
        position = integer(answer)
        if position is not None:
            return _at(position, count)
    raise Defect("answer is not among the options")


def target(answer: Any, found: Options) -> Choice | Choices:
    """The key of an item; a list of answers is a key of several options, in ascending order.

    Raises
    ------
    Defect
        As :func:`one_of`; an empty list, or one that names an option twice.
    """
    answer = _plain(answer)
    if isinstance(answer, str) and answer.strip() not in found.texts:
        answer = literal(answer)
    if isinstance(answer, Sequence) and not isinstance(answer, str):
        indices = sorted(one_of(a, found) for a in answer)
        if not indices:
            raise Defect("no answer")
        if len(set(indices)) < len(indices):
            raise Defect("answer names an option twice")
        return Choices(tuple(indices))
    return Choice(one_of(answer, found))
