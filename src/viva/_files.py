"""Files in: rows of JSON Lines, JSON, CSV, TSV and Parquet, plain or gzipped, within bounds.

Every defect of a file as a whole is one :class:`viva.errors.InputError` that names the file, the
row where there is one, and the mend. What a file *is* follows from its bytes; its name only
decides where the bytes leave a choice.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import os
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO, cast

from viva.errors import InputError

if TYPE_CHECKING:
    import polars as pl

    Source = str | os.PathLike[str] | pl.DataFrame | pl.LazyFrame | Iterable[Mapping[str, Any]]

__all__ = [
    "DEEPEST",
    "LARGEST_DOCUMENT",
    "LONGEST_LINE",
    "check_file",
    "open_binary",
    "parse_json",
    "read_json",
    "read_lines",
    "read_rows",
    "read_source",
    "sha256",
]

LONGEST_LINE = 64 * 2**20
"""Bytes of one line (or one CSV field); no more than this is read to find the end of a line."""

LARGEST_DOCUMENT = 512 * 2**20
"""Bytes of a JSON document, which has to be held in memory whole."""

DEEPEST = 64
"""Levels of nesting in one row or document."""

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

_FOREIGN = {  # first bytes -> (what it is, how to mend)
    b"PK\x03\x04": ("is a zip archive", "Unpack it first"),
    b"BZh": ("is compressed with bzip2", "Unpack it, or compress it with gzip"),
    b"\xfd7zXZ\x00": ("is compressed with xz", "Unpack it, or compress it with gzip"),
    b"\x28\xb5\x2f\xfd": ("is compressed with zstd", "Unpack it, or compress it with gzip"),
    b"\x89PNG": ("is a picture", None),
    b"%PDF": ("is a PDF", None),
    b"SQLite format 3": ("is a database", "Export the table as CSV"),
}

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)

_CONVERT = "Convert it, for example: iconv -f WINDOWS-1252 -t UTF-8"
_RESAVE = "Save it as JSON Lines: one row on each line"
_SURROGATE = re.compile("[\ud800-\udfff]")


def check_file(path: str | os.PathLike[str]) -> Path:
    """The path, once it is known to be a file with something in it.

    Raises
    ------
    InputError
        When it is missing, a folder, not a regular file, or empty.
    """
    file = Path(path)
    try:
        if not file.exists():
            raise InputError("no such file", where=str(file), mend=_nearest(file))
        if file.is_dir():
            raise InputError("is a folder, not a file", where=str(file), mend="Name a file in it")
        if not file.is_file():
            raise InputError(
                "is not a regular file", where=str(file), mend="Save the stream to a file first"
            )
        if file.stat().st_size == 0:
            raise InputError("is empty", where=str(file), mend="Write it again")
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"cannot be opened ({error})", where=str(file)) from None
    return file


def _nearest(file: Path) -> str:
    import difflib

    try:
        near = difflib.get_close_matches(
            file.name, [other.name for other in file.parent.iterdir()], n=1
        )
    except (OSError, ValueError):
        near = []
    return f"Did you mean {file.with_name(near[0])}?" if near else "Check the path"


def _tail(file: Path) -> str:
    """The suffix that says what the file is, without .gz; lower case."""
    suffixes = [s.lower() for s in file.suffixes]
    if suffixes and suffixes[-1] in (".gz", ".gzip"):
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def open_binary(path: str | os.PathLike[str]) -> BinaryIO:
    """The bytes of a file, unzipped where it is gzip by its first bytes.

    Raises
    ------
    InputError
        As :func:`check_file`; and where a ``.gz`` is not gzip, or the file is packed otherwise.
    """
    file = check_file(path)
    try:
        stream = file.open("rb")
        head = stream.read(16)
        stream.seek(0)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(file)) from None
    if head[:2] == b"\x1f\x8b":
        stream.close()
        return cast("BinaryIO", gzip.open(file, "rb"))
    if file.suffix.lower() in (".gz", ".gzip"):
        stream.close()
        raise InputError(
            "is named .gz but is not gzip", where=str(file), mend="Take .gz off its name"
        )
    for magic, (what, mend) in _FOREIGN.items():
        if head.startswith(magic):
            stream.close()
            raise InputError(what, where=str(file), mend=mend)
    return stream


def _zipped(stream: object) -> bool:
    return isinstance(stream, gzip.GzipFile)


def _unzipping(file: Path, row: int | None, error: Exception) -> InputError:
    where = f"{file}:{row}" if row else str(file)
    if isinstance(error, EOFError):
        return InputError("gzip is truncated", where=where, mend="Copy or download it again")
    if isinstance(error, (gzip.BadGzipFile, zlib.error)):
        return InputError("gzip is broken", where=where, mend="Copy or download it again")
    return InputError(f"cannot be read ({error})", where=where)


_READING = (EOFError, zlib.error, OSError)


def _bom(stream: BinaryIO) -> str:
    head = stream.read(4)
    stream.seek(0)
    return next((name for mark, name in _BOMS if head.startswith(mark)), "utf-8")


def _wrong_encoding(where: str, offset: int | None, encoding: str) -> InputError:
    at = f" (byte {offset})" if offset is not None else ""
    return InputError(f"is not {encoding.upper().removesuffix('-SIG')}{at}", where=where,
                      mend=_CONVERT)  # fmt: skip


def read_lines(
    path: str | os.PathLike[str], *, longest_line: int = LONGEST_LINE
) -> Iterator[tuple[int, str]]:
    """The lines of a text file, each with its 1-based number and its line end.

    UTF-8, with or without a byte-order mark; UTF-16 and UTF-32 with one.

    Parameters
    ----------
    path : path
        Plain or gzipped.
    longest_line : int
        Bytes; a longer line is an error, found without reading on.

    Raises
    ------
    InputError
        As :func:`open_binary`; truncated gzip, wrong encoding, NUL bytes, a line too long.
    """
    file = Path(path)
    stream = open_binary(file)
    row = 0
    try:
        with stream:
            encoding = _bom(stream)
            if encoding.startswith("utf-8"):
                yield from _lines_utf8(file, stream, longest_line)
                return
            text: TextIO = io.TextIOWrapper(stream, encoding=encoding, newline="\n")
            while line := text.readline(longest_line + 1):
                row += 1
                _bounded(line, longest_line, file, row)
                yield row, line
    except UnicodeDecodeError as error:
        raise _wrong_encoding(f"{file}:{row + 1}", None, error.encoding) from None
    except _READING as error:
        raise _unzipping(file, row + 1 if row else None, error) from None


def _lines_utf8(file: Path, stream: BinaryIO, longest: int) -> Iterator[tuple[int, str]]:
    row, offset = 0, 0
    try:
        while raw := stream.readline(longest + 1):
            row += 1
            if len(raw) > longest:
                _bounded(raw, longest, file, row)
            if b"\0" in raw:
                raise InputError(
                    "holds a NUL byte",
                    where=f"{file}:{row}",
                    mend="It is not a text file, or a crash cut it: write it again",
                )
            try:
                line = raw.decode()
            except UnicodeDecodeError as error:
                where = f"{file}:{row}"
                raise _wrong_encoding(where, offset + error.start, "utf-8") from None
            offset += len(raw)
            yield row, line.removeprefix("\ufeff") if row == 1 else line
    except _READING as error:
        raise _unzipping(file, row + 1, error) from None


def _bounded(line: bytes | str, longest: int, file: Path, row: int) -> None:
    if len(line) > longest:
        size = f"{longest // 2**20} MiB" if longest >= 2**20 else f"{longest} bytes"
        raise InputError(f"line is longer than {size}", where=f"{file}:{row}", mend=_RESAVE)
    if "\0" in line if isinstance(line, str) else False:
        raise InputError("holds a NUL byte", where=f"{file}:{row}", mend="Write it again")


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
            "holds a number of thousands of digits", where=f"{where}:{first_line}",
            mend="Mend or delete the row",
        ) from None  # fmt: skip
    # Counting brackets costs little and is exact enough to skip the walk on ordinary rows.
    if text.count("[") + text.count("{") > deepest and _deeper(value, deepest):
        raise _nested(where, first_line, deepest)
    if "\\ud" in text or "\\uD" in text:
        value = _without_surrogates(value)
    return value


def _nested(where: str, row: int, deepest: int) -> InputError:
    return InputError(
        f"JSON is nested deeper than {deepest} levels", where=f"{where}:{row}",
        mend="Mend or delete the row",
    )  # fmt: skip


def _deeper(value: Any, deepest: int) -> bool:
    level = [value]
    for _ in range(deepest + 1):
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


def _without_surrogates(value: Any) -> Any:
    """Text that cannot be encoded would break every later step (the depth is bounded already)."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_without_surrogates(v) for v in value]
    if isinstance(value, dict):
        return {_without_surrogates(k): _without_surrogates(v) for k, v in value.items()}
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
        f"JSON document is larger than {max(largest // 2**20, 1)} MiB", where=str(file),
        mend=_RESAVE,
    )  # fmt: skip
    stream = open_binary(file)
    with stream:
        try:
            if not _zipped(stream) and file.stat().st_size > largest:
                raise too_large
            encoding = _bom(stream)
            raw = stream.read(largest + 1)
        except _READING as error:
            raise _unzipping(file, None, error) from None
    if len(raw) > largest:
        raise too_large
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        row = raw.count(b"\n", 0, error.start) + 1
        raise _wrong_encoding(f"{file}:{row}", error.start, encoding) from None
    del raw
    if not text.strip():
        raise InputError("is empty", where=str(file), mend="Write it again")
    return parse_json(text, where=str(file), deepest=deepest)


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
    with open_binary(file) as stream:
        try:
            head = stream.read(65536)
        except _READING as error:
            raise _unzipping(file, None, error) from None
    if head.startswith(b"PAR1"):
        return _some(_parquet_rows(file), file)
    kind = _SUFFIXES.get(_tail(file))
    if kind == "parquet":
        raise InputError(
            "is not a Parquet file", where=str(file), mend="Write it again, or mend its name"
        )
    encoding = next((name for mark, name in _BOMS if head.startswith(mark)), "utf-8")
    start = head.decode(encoding, errors="replace").lstrip("\ufeff \t\r\n")
    if start[:1] in ("{", "["):
        kind = "json"
    elif kind != "csv" and _delimiter(start.split("\n", 1)[0], _tail(file)):
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
        if _tail(file) == ".json":  # a document on one long line has a bound of its own
            yield from _document_rows(file, deepest)
            return
        raise
    if not number:
        return
    whole = first.rstrip().endswith("}")
    second = next(((n, t) for n, t in lines if not t.isspace()), None) if whole else None
    if not whole or (second is None and _tail(file) not in (".jsonl", ".ndjson")):
        lines.close()  # type: ignore[attr-defined]
        yield from _document_rows(file, deepest)
        return
    where = str(file)
    row = parse_json(first.rstrip(), where=where, deepest=deepest, first_line=number)
    if second is None and isinstance(row, dict) and _is_table(row):
        yield from _document(row, file)
        return
    yield number, _object(row, file, number)
    for number, text in [second] if second else []:
        row = parse_json(text.rstrip(), where=where, deepest=deepest, first_line=number)
        yield number, _object(row, file, number)
    for number, text in lines:
        if not text.isspace():
            row = parse_json(text.rstrip(), where=where, deepest=deepest, first_line=number)
            yield number, _object(row, file, number)


def _object(row: Any, file: Path, number: int) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise InputError(
            f"row is {_kind(row)}, not an object", where=f"{file}:{number}",
            mend='Each row must be an object such as {"item_id": "1", ...}',
        )  # fmt: skip
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


def _csv_rows(file: Path, longest: int) -> Iterator[tuple[int, dict[str, Any]]]:
    if csv.field_size_limit() < longest:
        csv.field_size_limit(longest)  # process-wide; the default of 128 KiB cuts real answers
    lines = (text for _, text in read_lines(file, longest_line=longest))
    first = next((text for text in lines if not text.isspace()), "")
    if not first:
        return
    delimiter = _delimiter(first, _tail(file)) or ","

    def again() -> Iterator[str]:
        yield first
        yield from lines

    reader = csv.reader(again(), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    start = 1
    try:
        for cells in reader:
            if header is None:
                header = [cell.strip() for cell in cells]
                twice = next((n for n in header if header.count(n) > 1), None)
                if twice is not None:
                    raise InputError(
                        f"column {twice!r} occurs twice", where=f"{file}:1", mend="Rename one"
                    )
            elif cells:
                if len(cells) != len(header):
                    raise InputError(
                        f"row has {len(cells)} fields, the header has {len(header)}",
                        where=f"{file}:{start}",
                        mend="Quote fields that hold the delimiter or a line break",
                    )
                yield start, {n: c if c else None for n, c in zip(header, cells, strict=True)}
            start = reader.line_num + 1
    except csv.Error as error:
        raise InputError(
            f"is not valid CSV: {error}", where=f"{file}:{start}",
            mend="Quote fields that hold the delimiter, a quote or a line break",
        ) from None  # fmt: skip


def _parquet_rows(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    import polars as pl

    panic = getattr(pl.exceptions, "PanicException", RuntimeError)
    try:
        with open_binary(file) as stream:
            zipped = _zipped(stream)
            raw = stream.read(4 * LARGEST_DOCUMENT) if zipped else b""
        frame = pl.read_parquet(io.BytesIO(raw) if zipped else file)
    except _READING as error:
        raise _unzipping(file, None, error) from None
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
    if hasattr(source, "to_dict") and hasattr(source, "columns"):  # pandas, without importing it
        import polars as pl

        return "frame", _frame_rows(pl.from_pandas(source))
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
        yield number, {str(k): v if v == v else None for k, v in row.items()}


def sha256(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file's bytes as they lie on disk, in hex.

    Raises
    ------
    InputError
        When the file is missing, a folder, or cannot be read.
    """
    file = check_file(path)
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(file)) from None
