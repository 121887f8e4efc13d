"""TOML files that people write: read within a bound, and where in one a key stands.

Errors of values are said with the line of their key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from viva.errors import InputError

__all__ = ["at_key", "place_of", "read_toml"]

_LARGEST = 2**20
"""Bytes of a file."""
_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]#]+?)\s*\]")
_ASSIGNED = re.compile(r"\s*((?:[\w-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[\w-]+|\"[^\"]*\"))*)\s*=")
_PART = re.compile(r"\"([^\"]*)\"|'([^']*)'|([\w-]+)")


def read_toml(path: Path, kind: str) -> tuple[str, dict[str, Any]]:
    """The text of a TOML file, and what it says.

    Parameters
    ----------
    path : pathlib.Path
    kind : str
        What the file should be, as in ``suite``; said in errors.

    Raises
    ------
    InputError
        It cannot be read, is larger than 1 MB, is not UTF-8 or not TOML (with the line).
    """
    mend = f"Name a {kind} file"
    try:
        with path.open("rb") as stream:
            raw = stream.read(_LARGEST + 1)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(path), mend=mend) from None
    if len(raw) > _LARGEST:
        raise InputError("is larger than 1 MB", where=str(path), mend=mend)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("is not UTF-8 text", where=str(path), mend=mend) from None
    try:
        return text, tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        line = re.search(r"line (\d+)", str(error))
        place = f"{path}:{line[1]}" if line else str(path)
        raise InputError(f"is not TOML: {error}", where=place, mend="Mend the line") from None


@contextmanager
def at_key(path: Path, text: str, loc: tuple[Any, ...]) -> Iterator[None]:
    """Errors of the block are errors of a place in the file."""
    try:
        yield
    except InputError as error:
        raise InputError(error.what, where=place_of(path, text, loc), mend=error.mend) from None


def place_of(path: Path | str, text: str, loc: Sequence[Any]) -> str:
    """``file:line`` of a key, or of the table it would stand in.

    Parameters
    ----------
    path : pathlib.Path or str
    text : str
        Of the file.
    loc : sequence of str or int
        Keys and places in lists that lead to the value, as pydantic gives them.
    """
    line = _line(text, tuple(loc))
    return f"{path}:{line}" if line else str(path)


def _parts(dotted: str) -> list[str]:
    return [a or b or c for a, b, c in _PART.findall(dotted)]


def _line(text: str, loc: tuple[Any, ...]) -> int | None:
    """The line of the longest written path that leads to the value, or to the table around it."""
    table: tuple[Any, ...] = ()
    counts: dict[tuple[Any, ...], int] = {}
    best, found = 0, None
    rest: str | None = None  # the next key, looked for inside of a value of several lines
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            rest = None
            table = _table(_parts(header[2]), counts, listed=header[1] == "[[")
            here = table
        elif assigned := _ASSIGNED.match(line):
            rest = None
            here = (*table, *_parts(assigned[1]))
        elif rest and _names(line, rest):
            found, rest = number, None
            continue
        else:
            continue
        if loc[: len(here)] == here and len(here) > best:
            best, found = len(here), number
            left = [part for part in loc[len(here) :] if isinstance(part, str)]
            is_value = here != table
            rest = left[-1] if is_value and left and not _names(line, left[-1]) else None
    return found


def _table(keys: list[str], counts: dict[tuple[Any, ...], int], *, listed: bool) -> tuple[Any, ...]:
    """The path of a header: with the place of each list of tables that it goes through."""
    path: tuple[Any, ...] = ()
    for at, key in enumerate(keys):
        path = (*path, key)
        if listed and at == len(keys) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _names(line: str, key: str) -> bool:
    return re.search(rf"(?<![\w-])[\"']?{re.escape(key)}[\"']?\s*=", line) is not None
