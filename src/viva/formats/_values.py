"""Fields of other tools' rows, which may hold anything, as the values that a response has."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

__all__ = [
    "filled_text",
    "identifier",
    "identifier_or_none",
    "mapping",
    "number",
    "text_of",
    "whole",
]

_LARGEST = 2**63 - 1
"""The largest number that a column of 64-bit integers holds."""


def identifier(value: Any) -> str | None:
    """An id as text: numbers in their shortest form; None where there is none.

    Raises
    ------
    ValueError
        When the value is neither text nor a number.
    """
    if value is None:
        return None
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        if value.is_integer():
            value = int(value)
    return str(value)


def identifier_or_none(value: Any) -> str | None:
    """As :func:`identifier`; None also where the value is neither text nor a number."""
    try:
        return identifier(value)
    except ValueError:
        return None


def mapping(value: Any) -> Mapping[str, Any]:
    """The value where it is a JSON object; an empty one where it is not."""
    return value if isinstance(value, Mapping) else {}


def filled_text(value: Any) -> str | None:
    """The value where it is a text with something in it, else None."""
    return value if isinstance(value, str) and value else None


def text_of(value: Any) -> str | None:
    """A raw answer as one text: text, a number, or the one text in a list.

    Raises
    ------
    ValueError
        When it is something else: several texts are not one answer.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (bool, int, float)):
        return str(value)
    if isinstance(value, (list, tuple)) and len(value) == 1:
        return text_of(value[0])
    raise ValueError


def whole(value: Any) -> int | None:
    """A whole number that a column of 64-bit integers holds, else None."""
    try:
        exact = float(value) if isinstance(value, str) else value
        if isinstance(exact, bool) or exact is None or exact != int(exact):
            return None
        return int(exact) if abs(exact) <= _LARGEST else None
    except (TypeError, ValueError, OverflowError):
        return None


def number(value: Any) -> float | None:
    """A finite number, else None."""
    if value is None or isinstance(value, bool):
        return None
    try:
        exact = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return exact if math.isfinite(exact) else None
