"""JSON within bounds: size, depth, numbers, text that can be encoded."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from viva._files.opening import (
    READING_ERRORS,
    RESAVE,
    encoding_of,
    is_zipped,
    open_binary,
    unreadable,
    wrong_encoding,
)
from viva.errors import InputError

__all__ = ["DEEPEST", "LARGEST_DOCUMENT", "parse_json", "read_json", "without_surrogates"]

LARGEST_DOCUMENT = 512 * 2**20
"""Bytes of a JSON document, which has to be held in memory whole."""

DEEPEST = 64
"""Levels of nesting in one row or document."""

_SURROGATE = re.compile("[\ud800-\udfff]")


def _finite(number: str) -> float | None:
    value = float(number)
    return value if abs(value) != float("inf") else None


def _null(_: str) -> None:
    return None


_DECODER = json.JSONDecoder(
    parse_constant=_null, parse_float=cast("Callable[[str], float]", _finite)
)


def parse_json(text: str, *, where: str, deepest: int = DEEPEST, first_line: int = 1) -> Any:
    """One JSON value. NaN and infinities become None; halves of surrogate pairs become U+FFFD.

    Parameters
    ----------
    text : str
        The document.
    where : str
        The file, for the error.
    deepest : int
        Levels of nesting allowed.
    first_line : int
        Line of the file at which ``text`` starts.

    Raises
    ------
    InputError
        Not JSON, nested deeper than ``deepest``, or a number too long to be one.
    """
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        row = first_line + error.lineno - 1
        cut = " (the file ends too early)" if error.pos >= len(text.rstrip()) else ""
        raise InputError(
            f"is not JSON: {error.msg}, column {error.colno}{cut}",
            where=f"{where}:{row}",
            mend="Mend or delete the row",
        ) from None
    except RecursionError:
        raise _nested(where, first_line, deepest) from None
    except ValueError:  # Python refuses to convert integers of thousands of digits
        raise InputError(
            "holds a number of thousands of digits",
            where=f"{where}:{first_line}",
            mend="Mend or delete the row",
        ) from None
    # Counting brackets costs little and is exact enough to skip the walk on ordinary rows.
    if text.count("[") + text.count("{") > deepest and _deeper(value, deepest):
        raise _nested(where, first_line, deepest)
    if "\\ud" in text or "\\uD" in text:
        value = without_surrogates(value)
    return value


def _nested(where: str, row: int, deepest: int) -> InputError:
    return InputError(
        f"JSON is nested deeper than {deepest} levels",
        where=f"{where}:{row}",
        mend="Mend or delete the row",
    )


def _deeper(value: Any, deepest: int) -> bool:
    level = [value]
    for _ in range(deepest):
        below: list[Any] = []
        for v in level:
            if isinstance(v, dict):
                below.extend(x for x in v.values() if isinstance(x, (dict, list)))
            elif isinstance(v, list):
                below.extend(x for x in v if isinstance(x, (dict, list)))
        if not below:
            return False
        level = below
    return True


def without_surrogates(value: Any) -> Any:
    """Halves of surrogate pairs as U+FFFD: text that cannot be encoded breaks every later step."""
    if isinstance(value, str):
        return value if value.isascii() else _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [without_surrogates(v) for v in value]
    if isinstance(value, dict):
        return {without_surrogates(k): without_surrogates(v) for k, v in value.items()}
    return value


def read_json(
    path: str | os.PathLike[str], *, largest: int = LARGEST_DOCUMENT, deepest: int = DEEPEST
) -> Any:
    """A whole JSON document.

    Parameters
    ----------
    path : path
        Plain or gzipped.
    largest : int
        Bytes, unzipped; a larger document is an error, found without reading on.
    deepest : int
        Levels of nesting allowed.

    Raises
    ------
    InputError
        As :func:`open_binary` and :func:`parse_json`; too large, wrong encoding.
    """
    file = Path(path)
    too_large = InputError(
        f"JSON document is larger than {max(largest // 2**20, 1)} MiB",
        where=str(file),
        mend=RESAVE,
    )
    stream = open_binary(file)
    with stream:
        try:
            if not is_zipped(stream) and file.stat().st_size > largest:
                raise too_large
            encoding = encoding_of(stream)
            raw = stream.read(largest + 1)
        except READING_ERRORS as error:
            raise unreadable(file, None, error) from None
    if len(raw) > largest:
        raise too_large
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        row = raw.count(b"\n", 0, error.start) + 1
        raise wrong_encoding(f"{file}:{row}", error.start, encoding) from None
    del raw
    if not text.strip():
        raise InputError("is empty", where=str(file), mend="Write it again")
    return parse_json(text, where=str(file), deepest=deepest)
