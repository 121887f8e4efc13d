"""The journal of a run: one line for each finished call, appended in one write.

A line that was written survives the end of the process (``kill -9``), because the operating
system holds it; now and then it is also forced to disk, against the end of the machine. A last
line that a crash cut off is taken away when the journal is opened again, so that what comes next
starts on a line of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from viva.errors import InputError
from viva.formats.journal import call_of, journal_lines, parse_line
from viva.models.failures import LASTING

__all__ = ["Finished", "Journal", "lasting", "load", "repair"]

_BLOCK = 1 << 16
_MOST = 2**53
_LASTING = tuple(str(failure) for failure in LASTING)
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def lasting(error: str | None) -> bool:
    """Whether a task with this error need not be asked again: it is answered, or never will be."""
    return error is None or error.startswith(_LASTING)


class Finished(NamedTuple):
    """What a journal holds, without the texts."""

    tasks: dict[str, str | None]
    """Task -> error of its latest line; None where it was answered."""
    calls: dict[str, list[tuple[int, int]]]
    """Unfinished task -> (offset, length) of the lines of its calls."""
    spent_calls: int
    """Tries, those of failed calls too."""
    spent_tokens: int
    spent_cost: float
    unreadable: list[int]
    """1-based numbers of lines that are not JSON objects."""


def load(path: Path, counted: Container[str] = frozenset()) -> Finished:
    """Read a journal for what is finished; texts are not kept.

    Parameters
    ----------
    path : pathlib.Path
        The journal; nothing is finished where there is none.
    counted : container of str
        Keys of calls whose spending is counted elsewhere: a compaction that was cut short leaves
        them in the tables and in the journal.

    Raises
    ------
    InputError
        Where the file cannot be read.
    """
    tasks: dict[str, str | None] = {}
    calls: dict[str, list[tuple[int, int]]] = {}
    unreadable: list[int] = []
    tries, tokens, cost = 0, 0, 0.0
    for offset, number, line in journal_lines(path):
        row = parse_line(line)
        if row is None:
            unreadable.append(number)
            continue
        call = call_of(row)
        if call is not None:
            key = call.get("key")
            if not isinstance(key, str) or key not in counted:
                tries += int(_spent(call, "attempts")) or 1
                tokens += int(_spent(call, "input_tokens") + _spent(call, "output_tokens"))
                cost += _spent(call, "cost")
            if isinstance(task := call.get("task"), str) and call.get("error") is None:
                calls.setdefault(task, []).append((offset, len(line)))
        if isinstance(task := row.get("task"), str):
            error = row.get("error")
            error = error if error is None or isinstance(error, str) else repr(error)
            tasks[task] = error
            if lasting(error):
                calls.pop(task, None)
    return Finished(tasks, calls, tries, tokens, cost, unreadable)


def _spent(call: Mapping[str, Any], name: str) -> float:
    """A number of a call; 0 where it holds none that a call can have."""
    value = call.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return 0
    return value if 0 <= value < _MOST else 0


def repair(path: Path) -> int:
    """Make a journal end with a whole line; bytes taken off.

    A last line that is a whole object and lacks only its line end is kept.

    Raises
    ------
    InputError
        Where the file cannot be changed.
    """
    try:
        with path.open("r+b") as stream:
            end = stream.seek(0, os.SEEK_END)
            start, tail = end, b""
            while start and b"\n" not in tail:
                step = min(_BLOCK, start)
                start -= step
                stream.seek(start)
                tail = stream.read(step) + tail
            torn = tail.rpartition(b"\n")[2]
            if not torn:
                return 0
            if parse_line(torn) is not None:
                stream.seek(end)
                stream.write(b"\n")
                return 0
            stream.truncate(end - len(torn))
            return len(torn)
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"the journal cannot be written ({error.strerror or error})",
        where=str(path),
        mend="Free space or mend the folder, then run the same command again: it continues",
    )


class Journal:
    """Appends to a journal; one process at a time, which the folder's lock sees to.

    Parameters
    ----------
    path : pathlib.Path
        The file; made where there is none, repaired where its last line is torn.

    Raises
    ------
    InputError
        Where it cannot be opened for writing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.repaired = repair(path)
        try:
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
            self._file = os.open(path, flags | getattr(os, "O_BINARY", 0), 0o644)
            self._end = os.fstat(self._file).st_size
        except OSError as error:
            raise _unwritable(path, error) from None
        self._synced = self._end

    def append(self, row: Mapping[str, Any]) -> None:
        """Write one line.

        Raises
        ------
        InputError
            Where it cannot be written whole (disk full, file system read-only); what was written
            of it is taken back, and the journal stays as it was before.
        """
        text = _encode(row)
        try:
            line = text.encode() + b"\n"
        except UnicodeEncodeError:  # half a surrogate pair: escaped, it is still JSON
            line = json.dumps(row).encode() + b"\n"
        try:
            written = os.write(self._file, line)
            while written < len(line):  # a full disk takes a part, and refuses the next
                written += os.write(self._file, line[written:])
        except OSError as error:
            self._take_back()
            raise _unwritable(self.path, error) from None
        self._end += len(line)

    def _take_back(self) -> None:
        # Where even that fails it is a torn last line, repaired when the journal is next opened.
        with contextlib.suppress(OSError):
            os.ftruncate(self._file, self._end)

    def read(self, offset: int, length: int) -> dict[str, Any] | None:
        """The line at a place that :func:`load` found."""
        with self.path.open("rb") as stream:
            stream.seek(offset)
            return parse_line(stream.read(length))

    def sync(self) -> None:
        """Force to disk what was written since the last time."""
        if self._end == self._synced:
            return
        end = self._end
        try:
            os.fsync(self._file)
        except OSError as error:
            raise _unwritable(self.path, error) from None
        self._synced = end

    def close(self) -> None:
        """Force to disk and let go of the file."""
        if self._file < 0:
            return
        file, self._file = self._file, -1
        try:
            os.fsync(file)
        except OSError as error:
            raise _unwritable(self.path, error) from None
        finally:
            os.close(file)
