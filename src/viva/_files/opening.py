"""Bytes and lines of files, plain or gzipped, and what is wrong with a file as a whole."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from viva.errors import InputError

__all__ = [
    "LONGEST_LINE",
    "READING_ERRORS",
    "RESAVE",
    "check_file",
    "encoding_of",
    "encoding_of_head",
    "is_zipped",
    "open_binary",
    "read_lines",
    "sha256",
    "suffix_of",
    "unreadable",
    "wrong_encoding",
]

LONGEST_LINE = 64 * 2**20
"""Bytes of one line (or one CSV field); no more than this is read to find the end of a line."""

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
RESAVE = "Save it as JSON Lines: one row on each line"


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


def suffix_of(file: Path) -> str:
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


def is_zipped(stream: object) -> bool:
    return isinstance(stream, gzip.GzipFile)


def unreadable(file: Path, row: int | None, error: Exception) -> InputError:
    where = f"{file}:{row}" if row else str(file)
    if isinstance(error, EOFError):
        return InputError("gzip is truncated", where=where, mend="Copy or download it again")
    if isinstance(error, (gzip.BadGzipFile, zlib.error)):
        return InputError("gzip is broken", where=where, mend="Copy or download it again")
    return InputError(f"cannot be read ({error})", where=where)


READING_ERRORS = (EOFError, zlib.error, OSError)


def encoding_of(stream: BinaryIO) -> str:
    head = stream.read(4)
    stream.seek(0)
    return encoding_of_head(head)


def encoding_of_head(head: bytes) -> str:
    """The codec that the first bytes of a file name; UTF-8 where there is no mark."""
    return next((name for mark, name in _BOMS if head.startswith(mark)), "utf-8")


def wrong_encoding(where: str, offset: int | None, encoding: str) -> InputError:
    at = f" (byte {offset})" if offset is not None else ""
    return InputError(
        f"is not {encoding.upper().removesuffix('-SIG')}{at}", where=where, mend=_CONVERT
    )


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
            encoding = encoding_of(stream)
            if encoding.startswith("utf-8"):
                yield from _lines_utf8(file, stream, longest_line)
                return
            text: TextIO = io.TextIOWrapper(stream, encoding=encoding, newline="\n")
            while line := text.readline(longest_line + 1):
                row += 1
                _bounded(line, longest_line, file, row)
                if "\0" in line:
                    raise _nul(line.encode(), file, row)
                yield row, line
    except UnicodeDecodeError as error:
        raise wrong_encoding(f"{file}:{row + 1}", None, error.encoding) from None
    except READING_ERRORS as error:
        raise unreadable(file, row + 1 if row else None, error) from None


def _lines_utf8(file: Path, stream: BinaryIO, longest: int) -> Iterator[tuple[int, str]]:
    row, offset = 0, 0
    try:
        while raw := stream.readline(longest + 1):
            row += 1
            if len(raw) > longest:
                _bounded(raw, longest, file, row)
            if b"\0" in raw:
                raise _nul(raw, file, row)
            try:
                line = raw.decode()
            except UnicodeDecodeError as error:
                where = f"{file}:{row}"
                raise wrong_encoding(where, offset + error.start, "utf-8") from None
            offset += len(raw)
            yield row, line.removeprefix("\ufeff") if row == 1 else line
    except READING_ERRORS as error:
        raise unreadable(file, row + 1, error) from None


def _nul(raw: bytes, file: Path, row: int) -> InputError:
    """Every other byte zero is text of two bytes a character, without the mark that says so."""
    share = raw.count(0) / len(raw)
    if 0.3 < share < 0.6 and len(raw) > 3:
        codec = "UTF-16LE" if raw[1] == 0 else "UTF-16BE"
        return InputError(
            "is not UTF-8 but UTF-16 without a byte-order mark",
            where=f"{file}:{row}",
            mend=f"Convert it: iconv -f {codec} -t UTF-8",
        )
    return InputError(
        "holds a NUL byte",
        where=f"{file}:{row}",
        mend="It is not a text file, or a crash cut it: write it again",
    )


def _bounded(line: bytes | str, longest: int, file: Path, row: int) -> None:
    if len(line) > longest:
        size = f"{longest // 2**20} MiB" if longest >= 2**20 else f"{longest} bytes"
        raise InputError(f"line is longer than {size}", where=f"{file}:{row}", mend=RESAVE)


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
