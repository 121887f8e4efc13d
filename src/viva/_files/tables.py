"""Rows of table files: JSON Lines, JSON, CSV, TSV and Parquet, plain or gzipped.

What a file *is* follows from its bytes; its name only decides where the bytes leave a choice.
"""

from __future__ import annotations

import csv
import io
import itertools
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from viva._files.documents import (
    DEEPEST,
    LARGEST_DOCUMENT,
    parse_json,
    read_json,
    without_surrogates,
)
from viva._files.opening import (
    LONGEST_LINE,
    READING_ERRORS,
    check_file,
    encoding_of_head,
    is_zipped,
    open_binary,
    read_lines,
    suffix_of,
    unreadable,
)
from viva.errors import InputError

if TYPE_CHECKING:
    import polars as pl

    Source = str | os.PathLike[str] | pl.DataFrame | pl.LazyFrame | Iterable[Mapping[str, Any]]

__all__ = ["read_cells", "read_rows", "read_source"]

_HEAD = 4096
_SUFFIXES = {
    ".jsonl": "json",
    ".ndjson": "json",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
}


def read_rows(
    path: str | os.PathLike[str], *, longest_line: int = LONGEST_LINE, deepest: int = DEEPEST
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of a table file, one dictionary each.

    JSON Lines; a JSON list of objects; a JSON object of columns as pandas writes it
    (``{"question": {"0": ...}}`` or ``{"question": [...]}``) or of rows by id (the id is added as
    ``id`` where a row has none); CSV and TSV with a header; Parquet. Each also gzipped.

    Parameters
    ----------
    path : path
        The file. Line-based formats and Parquet are streamed; JSON documents are held whole.
    longest_line : int
        Bytes of a line or a CSV field.
    deepest : int
        Levels of nesting in a JSON row.

    Yields
    ------
    row : int
        1-based line (text) or record (JSON documents, Parquet).
    values : dict
        The row. An empty CSV cell, NaN and infinities are None; other CSV cells are text.

    Raises
    ------
    InputError
        Any defect of the file as a whole, at the latest when its row is reached; a missing or
        empty file at once.
    """
    file = check_file(path)
    head = _head(file)
    if head.startswith(b"PAR1"):
        return _some(_parquet_rows(file), file)
    kind = _SUFFIXES.get(suffix_of(file))
    if kind == "parquet":
        raise InputError(
            "is not a Parquet file", where=str(file), mend="Write it again, or mend its name"
        )
    encoding = encoding_of_head(head)
    start = head.decode(encoding, errors="replace").lstrip("\ufeff \t\r\n")
    if start[:1] in ("{", "["):
        kind = "json"
    elif kind != "csv" and _delimiter(start.split("\n", 1)[0], suffix_of(file)):
        kind = "csv"
    if kind == "csv":
        return _some(_csv_rows(file, longest_line), file)
    if kind is None:
        raise InputError(
            "is neither JSON, CSV nor Parquet", where=str(file), mend="Convert it to JSON Lines"
        )
    if start[:1] == "[":
        return _some(_document_rows(file, deepest), file)
    return _some(_json_rows(file, longest_line, deepest), file)


def _head(file: Path) -> bytes:
    """The first bytes: of a broken file those before the break, which its rows will name."""
    head = b""
    with open_binary(file) as stream:
        try:
            while len(head) < _HEAD and (more := stream.read(512)):
                head += more
        except READING_ERRORS as error:
            if not head.strip():
                raise unreadable(file, None, error) from None
    return head


def _some(
    rows: Iterator[tuple[int, dict[str, Any]]], file: Path
) -> Iterator[tuple[int, dict[str, Any]]]:
    first = next(rows, None)
    if first is None:
        raise InputError("has no rows", where=str(file), mend="Write it again")
    yield first
    yield from rows


def _json_rows(file: Path, longest: int, deepest: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """JSON Lines, unless the first line is not a whole object or is the only one."""
    lines = read_lines(file, longest_line=longest)
    try:
        number, first = next(((n, t) for n, t in lines if not t.isspace()), (0, ""))
    except InputError:
        if suffix_of(file) == ".json":  # a document on one long line has a bound of its own
            yield from _document_rows(file, deepest)
            return
        raise
    if not number:
        return
    whole = first.rstrip().endswith("}")
    second = next(((n, t) for n, t in lines if not t.isspace()), None) if whole else None
    if not whole or (second is None and suffix_of(file) not in (".jsonl", ".ndjson")):
        lines.close()  # type: ignore[attr-defined]
        yield from _document_rows(file, deepest)
        return
    row = parse_json(first.rstrip(), where=str(file), deepest=deepest, first_line=number)
    if second is None and isinstance(row, dict) and _is_table(row):
        yield from _document(row, file)
        return
    yield number, _object(row, file, number)
    for number, text in itertools.chain([second] if second else [], lines):
        if not text.isspace():
            row = parse_json(text.rstrip(), where=str(file), deepest=deepest, first_line=number)
            yield number, _object(row, file, number)


def _object(row: Any, file: Path, number: int) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise InputError(
            f"row is {_kind(row)}, not an object",
            where=f"{file}:{number}",
            mend='Each row must be an object such as {"item_id": "1", ...}',
        )
    return row


def _kind(value: Any) -> str:
    names = {list: "a list", str: "text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")


def _document_rows(file: Path, deepest: int) -> Iterator[tuple[int, dict[str, Any]]]:
    yield from _document(read_json(file, deepest=deepest), file)


def _is_table(value: Mapping[str, Any]) -> bool:
    return len(value) > 0 and (
        all(isinstance(v, dict) for v in value.values())
        or (len(value) > 1 and all(isinstance(v, list) for v in value.values()))
    )


def _document(value: Any, file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    if isinstance(value, list):
        for number, row in enumerate(value, 1):
            yield number, _object(row, file, number)
        return
    table = _object(value, file, 1)
    if not _is_table(table):
        yield 1, table
        return
    columns = list(table.values())
    if isinstance(columns[0], list):
        if len({len(c) for c in columns}) > 1 or all(_objects(c) for c in columns):
            yield 1, table  # one row whose fields are lists, or lists of rows by name
            return
        for number, values in enumerate(zip(*columns, strict=True), 1):
            yield number, dict(zip(table, values, strict=True))
        return
    keys = columns[0].keys()
    if all(k.isdigit() for k in keys) and all(c.keys() == keys for c in columns):
        for number, key in enumerate(keys, 1):
            yield number, {name: column[key] for name, column in table.items()}
        return
    for number, (key, row) in enumerate(table.items(), 1):
        yield number, row if "id" in row else {"id": key, **row}


def _objects(values: list[Any]) -> bool:
    return all(isinstance(v, dict) for v in values)


def _delimiter(header: str, tail: str) -> str | None:
    """The delimiter of a header line: the one that parts it into most names, comma first."""
    if tail in (".tsv", ".tab"):
        return "\t"
    bare = re.sub(r'"[^"]*"', "", header)
    best = max(",\t;", key=bare.count)
    return best if bare.count(best) else None


def read_cells(
    lines: Iterable[str], *, where: str, delimiter: str = ",", longest: int = LONGEST_LINE
) -> Iterator[tuple[int, list[str]]]:
    """The cells of each CSV row, with the line on which the row starts; blank lines are no rows.

    Parameters
    ----------
    lines : iterable of str
        All lines of the file.
    where : str
        The file, for the error.
    delimiter : str
        One character.
    longest : int
        Characters of a field.

    Raises
    ------
    InputError
        Where the quoting is broken or a field too long.
    """
    if csv.field_size_limit() < longest:
        csv.field_size_limit(longest)  # process-wide; the default of 128 KiB cuts real answers
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    start = 1
    try:
        for cells in reader:
            if cells:
                yield start, cells
            start = reader.line_num + 1
    except csv.Error as error:
        raise InputError(
            f"is not valid CSV: {error}",
            where=f"{where}:{start}",
            mend="Quote fields that hold the delimiter, a quote or a line break",
        ) from None


def _csv_rows(file: Path, longest: int) -> Iterator[tuple[int, dict[str, Any]]]:
    lines = (text for _, text in read_lines(file, longest_line=longest))
    first = next((text for text in lines if not text.isspace()), "")
    if not first:
        return
    delimiter = _delimiter(first, suffix_of(file)) or ","
    rows = read_cells(
        itertools.chain([first], lines), where=str(file), delimiter=delimiter, longest=longest
    )
    _, names = next(rows)
    header = [name.strip() for name in names]
    twice = next((name for name in header if header.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"column {twice!r} occurs twice", where=f"{file}:1", mend="Rename one")
    for start, cells in rows:
        if len(cells) != len(header):
            raise InputError(
                f"row has {len(cells)} fields, the header has {len(header)}",
                where=f"{file}:{start}",
                mend="Quote fields that hold the delimiter or a line break",
            )
        yield start, {n: c if c else None for n, c in zip(header, cells, strict=True)}


def _parquet_rows(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    import polars as pl

    panic = getattr(pl.exceptions, "PanicException", RuntimeError)
    try:
        with open_binary(file) as stream:
            zipped = is_zipped(stream)
            raw = stream.read(4 * LARGEST_DOCUMENT) if zipped else b""
        frame = pl.read_parquet(io.BytesIO(raw) if zipped else file)
    except READING_ERRORS as error:
        raise unreadable(file, None, error) from None
    except (Exception, panic) as error:
        if isinstance(error, (InputError, KeyboardInterrupt)):
            raise
        raise InputError(
            "is a broken Parquet file", where=str(file), mend="Write it again"
        ) from None
    yield from _frame_rows(frame)


def _frame_rows(frame: pl.DataFrame) -> Iterator[tuple[int, dict[str, Any]]]:
    import polars as pl
    import polars.selectors as cs

    frame = frame.with_columns(
        pl.when(cs.float().is_finite()).then(cs.float()), cs.categorical().cast(pl.String)
    )
    number = 0
    for part in frame.iter_slices(10_000):
        for row in part.iter_rows(named=True):
            number += 1
            yield number, row


def read_source(source: Source) -> tuple[str, Iterator[tuple[int, dict[str, Any]]]]:
    """Rows of a path, a polars (or pandas) frame or an iterable of mappings, and a name for it.

    Returns
    -------
    name : str
        The path, ``frame`` or ``rows``, for messages.
    rows : iterator of (int, dict)
        As :func:`read_rows`.

    Raises
    ------
    InputError
        As :func:`read_rows`; an unknown kind of source, or a row that is not a mapping.
    """
    if isinstance(source, (str, os.PathLike)):
        return os.fspath(source), read_rows(source)
    if hasattr(source, "collect"):
        source = source.collect()
    if hasattr(source, "iter_slices"):
        return "frame", _frame_rows(cast("pl.DataFrame", source))
    if hasattr(source, "to_dict") and hasattr(source, "notna"):  # pandas, without importing it
        pandas = cast("Any", source)
        whole = pandas.astype(object).where(pandas.notna(), None)
        return "frame", _mapping_rows(whole.to_dict("records"))
    if not isinstance(source, Iterable) or isinstance(source, (bytes, Mapping)):
        raise InputError(
            f"cannot read rows from {type(source).__name__}",
            mend="Give a path, a frame or a list of dictionaries",
        )
    return "rows", _mapping_rows(source)


def _mapping_rows(source: Iterable[Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, row in enumerate(source, 1):
        if not isinstance(row, Mapping):
            raise InputError(
                f"row is {type(row).__name__}, not a dictionary", where=f"rows:{number}"
            )
        yield number, {str(k): _plain(v) for k, v in row.items()}


def _plain(value: Any) -> Any:
    """A value of a caller's row as a file would have given it: no NaN, no broken text."""
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    return without_surrogates(value) if isinstance(value, (str, list, dict)) else value
