"""The journal of a run as tables: fewer bytes, columns, and one row for each task.

It can be killed at any point. The tables are written beside the old ones and put in their place
one after the other, the journal goes last; lines that are in both are the same rows, so reading
them together, or compacting again, changes nothing.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viva.errors import InputError
from viva.formats.journal import (
    call_of,
    calls_frame,
    journal_lines,
    journal_rows_frame,
    parse_line,
)
from viva.formats.run import CALLS, JOURNAL, RESPONSES
from viva.runs.folder import write_frame

if TYPE_CHECKING:
    import polars as pl

__all__ = ["compact"]

_CHUNK = 2_000
"""Lines held at a time."""


def compact(folder: Path) -> None:
    """Move what the journal holds to ``responses.parquet`` and ``calls.parquet``, and remove it.

    Memory stays bounded: lines become tables some thousand at a time.

    Parameters
    ----------
    folder : pathlib.Path
        A run folder whose lock is held.

    Raises
    ------
    InputError
        Where the tables cannot be written; the journal stays then.
    """
    journal = folder / JOURNAL
    if not journal.is_file():
        return
    latest, latest_call = _latest(journal)
    if not latest and not latest_call and (folder / RESPONSES).is_file():
        journal.unlink()
        return
    parts = Path(tempfile.mkdtemp(prefix=".parts-", dir=folder))
    try:
        _write_parts(journal, parts, latest, latest_call)
        # Calls first: a response without its calls would look as if it had none.
        _merge(folder / CALLS, parts, "calls", "key", latest_call)
        _merge(folder / RESPONSES, parts, "responses", "task", latest)
        journal.unlink()
    except OSError as error:
        raise InputError(
            f"cannot be compacted ({error.strerror or error})",
            where=str(folder),
            mend="Free space, then run the same command again",
        ) from None
    finally:
        shutil.rmtree(parts, ignore_errors=True)


def _latest(journal: Path) -> tuple[dict[str, int], dict[str, int]]:
    """The last line of each task, and of each call."""
    tasks: dict[str, int] = {}
    calls: dict[str, int] = {}
    for _, number, line in journal_lines(journal):
        row = parse_line(line)
        if row is None:
            continue
        if task := _name(row, "task"):
            tasks[task] = number
        call = row.get("call")
        if isinstance(call, dict) and (key := _name(call, "key")):
            calls[key] = number
    return tasks, calls


def _name(row: Mapping[str, Any], field: str) -> str:
    """A key in a line; empty where a line that was edited holds something else."""
    value = row.get(field)
    return value if isinstance(value, str) else ""


def _write_parts(
    journal: Path, parts: Path, latest: Mapping[str, int], latest_call: Mapping[str, int]
) -> None:
    responses: list[dict[str, Any]] = []
    calls: list[dict[str, Any]] = []
    count = 0

    def flush() -> None:
        nonlocal count
        for name, rows, frame in (
            ("responses", responses, journal_rows_frame),
            ("calls", calls, calls_frame),
        ):
            _write_part(parts / f"{name}-{count:06}.parquet", rows, frame)
            rows.clear()
        count += 1

    for _, number, line in journal_lines(journal):
        row = parse_line(line)
        if row is None:
            continue
        if _name(row, "task") in latest and latest[row["task"]] == number:
            responses.append(row)
        call = call_of(row)
        if call and _name(call, "key") in latest_call and latest_call[call["key"]] == number:
            calls.append(call)
        if len(responses) >= _CHUNK or len(calls) >= _CHUNK:
            flush()
    flush()


def _write_part(
    path: Path,
    rows: list[dict[str, Any]],
    frame: Callable[[Iterable[Mapping[str, Any]]], pl.DataFrame],
) -> None:
    frame(rows).write_parquet(path, compression="lz4")


def _merge(table: Path, parts: Path, name: str, key: str, newer: Mapping[str, int]) -> None:
    """The old table without the rows that the journal has newer, and the new parts."""
    import polars as pl

    lazy = pl.scan_parquet(sorted(parts.glob(f"{name}-*.parquet")), glob=False)
    if table.is_file():
        kept = pl.scan_parquet(table, glob=False).filter(
            ~pl.col(key).is_in(pl.Series(list(newer), dtype=pl.String).implode())
        )
        lazy = pl.concat([kept, lazy])
    write_frame(table, lazy)
