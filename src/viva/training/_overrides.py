"""Values put in place of those of a recipe, by dotted keys."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from viva.errors import InputError, did_you_mean

__all__ = ["override"]


def override(given: dict[str, Any], overrides: Mapping[str, Any] | Sequence[str]) -> None:
    """Put values in place of those of a table that was read; it is changed.

    Parameters
    ----------
    given : dict
        What a file says.
    overrides : mapping or sequence of str
        Dotted key to value, or texts ``KEY=VALUE``. Entries of a list are named by their place, or
        by their ``name`` or ``step``.

    Raises
    ------
    InputError
        A text without a value, a key inside of one value, an entry that there is not.
    """
    for key, value in _pairs(overrides):
        _put(given, key, value)


def _pairs(overrides: Mapping[str, Any] | Sequence[str]) -> list[tuple[str, Any]]:
    if isinstance(overrides, Mapping):
        return list(overrides.items())
    pairs = []
    for given in overrides:
        key, equals, value = given.partition("=")
        if not equals or not key.strip():
            raise InputError(f"--set {given!r} has no value", mend="Write --set KEY=VALUE")
        pairs.append((key.strip(), _value(value.strip())))
    return pairs


def _value(text: str) -> Any:
    """As in TOML; what is no TOML is the text itself."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _put(given: dict[str, Any], dotted: str, value: Any) -> None:
    parts = dotted.split(".")
    inside: Any = given
    for at, part in enumerate(parts):
        last = at == len(parts) - 1
        if isinstance(inside, list):
            place = _place(inside, part, dotted)
            if last:
                inside[place] = value
            inside = inside[place]
        elif isinstance(inside, dict):
            if last:
                inside[part] = value
            elif not isinstance(inside.get(part), dict | list):
                inside[part] = {}
            inside = inside[part]
        else:
            raise InputError(
                f"--set {dotted}: {'.'.join(parts[:at])} is one value", mend="Name a key of a table"
            )


def _place(entries: list[Any], part: str, dotted: str) -> int:
    names = [e.get("name", e.get("step")) if isinstance(e, dict) else None for e in entries]
    if part in names:
        return names.index(part)
    if part.isdecimal() and int(part) < len(entries):
        return int(part)
    known = [str(name) for name in names if name] + [str(i) for i in range(len(entries))]
    raise InputError(f"--set {dotted}: there is no {part!r}", mend=did_you_mean(part, known))
