"""The text of a file, row by row, whatever its format: for looking into, not for reading fields."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from viva._files.opening import check_file, open_binary, read_lines, suffix_of
from viva._files.tables import _SUFFIXES, _delimiter, _frame_rows, _head, read_cells, read_rows

__all__ = ["read_texts"]

_LINES = 64 * 2**10
"""Characters of plain text that are given at a time."""
_SLICE = 10_000


def read_texts(path: str | os.PathLike[str]) -> Iterator[tuple[int, str]]:
    """All text of every row of a file: training data as it is, without knowing its fields.

    Parameters
    ----------
    path : path
        JSON Lines, JSON, CSV, TSV, Parquet or plain text, each also gzipped. All but one JSON
        document are streamed.

    Yields
    ------
    row : int
        1-based line (text formats) or record (JSON documents, Parquet). Plain text comes in
        pieces of whole lines, named by their first one; the second half of a piece is the first
        half of the next, so that what spans two pieces is whole in one of them.
    text : str
        The strings of the row at any depth, one to a line; numbers and names of fields are left
        out. The header of a CSV file is a row too, since many files have none.

    Raises
    ------
    InputError
        As :func:`viva._files.read_rows`, at the latest when the row is reached.
    """
    file = check_file(path)
    head = _head(file)
    if head.startswith(b"PAR1"):
        yield from _parquet(file)
        return
    kind = _SUFFIXES.get(suffix_of(file))
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if kind == "csv" and start != b"{":
        yield from _csv(file)
    elif kind is None and start != b"{":
        yield from _plain(file)
    else:
        for row, values in read_rows(file):
            yield row, "\n".join(_strings(values))


def _strings(value: Any) -> Iterator[str]:
    """Strings at any depth, in order, without recursion."""
    stack = [value]
    while stack:
        top = stack.pop()
        if isinstance(top, str):
            yield top
        elif isinstance(top, dict):
            stack.extend(reversed(top.values()))
        elif isinstance(top, (list, tuple)):
            stack.extend(reversed(top))


def _parquet(file: Path) -> Iterator[tuple[int, str]]:
    """A slice at a time, so that memory does not grow with the file."""
    import polars as pl

    with open_binary(file) as stream:
        plain = stream.read(4) == b"PAR1" and suffix_of(file) == file.suffix.lower()
    if not plain:
        for row, values in read_rows(file):
            yield row, "\n".join(_strings(values))
        return
    try:
        table = pl.scan_parquet(file, glob=False)
        rows = table.select(pl.len()).collect().item()
    except (OSError, pl.exceptions.PolarsError):
        yield from ((row, "") for row, _ in read_rows(file))  # raises, naming what is wrong
        return
    for start in range(0, rows, _SLICE):
        for row, values in _frame_rows(table.slice(start, _SLICE).collect()):
            yield start + row, "\n".join(_strings(values))


def _csv(file: Path) -> Iterator[tuple[int, str]]:
    first = next((text for _, text in read_lines(file) if not text.isspace()), "")
    delimiter = _delimiter(first, suffix_of(file)) or ","
    lines = (text for _, text in read_lines(file))
    for row, cells in read_cells(lines, where=str(file), delimiter=delimiter):
        yield row, "\n".join(cells)


def _plain(file: Path) -> Iterator[tuple[int, str]]:
    held: list[tuple[int, str]] = []
    size = fresh = 0
    for row, text in read_lines(file):
        held.append((row, text))
        size += len(text)
        fresh += len(text)
        if size >= _LINES:
            yield held[0][0], "".join(text for _, text in held)
            fresh = 0
            while size > _LINES // 2:
                size -= len(held.pop(0)[1])
    if held and fresh:
        yield held[0][0], "".join(text for _, text in held)
