"""What earlier sessions of a run have settled and spent."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from viva.errors import InputError
from viva.formats.journal import call_of
from viva.formats.run import CALLS, JOURNAL, RESPONSES
from viva.runs.journal import Journal, lasting, load

__all__ = ["Earlier", "read_earlier"]


@dataclass(slots=True)
class Earlier:
    """The state in which a session finds a run; no texts but of calls still needed."""

    tasks: dict[str, str | None] = field(default_factory=dict)
    """Task -> its error; None where it is answered."""
    calls: int = 0
    tokens: int = 0
    cost: float = 0.0
    unreadable: list[int] = field(default_factory=list)
    """1-based numbers of lines of the journal that are not JSON objects."""
    _lines: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    _stored: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def answered(self) -> int:
        """Tasks with an answer."""
        return sum(error is None for error in self.tasks.values())

    @property
    def failed(self) -> int:
        """Tasks with an error that would come again."""
        return sum(error is not None and lasting(error) for error in self.tasks.values())

    @property
    def stale(self) -> set[str]:
        """Tasks with an error that may not come again."""
        return {task for task, error in self.tasks.items() if not lasting(error)}

    def recorded(self, journal: Journal, task: str) -> list[dict[str, Any]]:
        """The finished calls of a task that is not settled."""
        calls = list(self._stored.get(task, ()))
        for offset, length in self._lines.get(task, ()):
            row = journal.read(offset, length)
            call = call_of(row) if row else None
            if call is not None:
                calls.append(call)
        return calls


def read_earlier(folder: Path) -> Earlier:
    """Read what is settled, from the tables and the journal on top of them.

    Raises
    ------
    InputError
        Where they cannot be read.
    """
    import polars as pl

    try:
        return _read_earlier(folder)
    except pl.exceptions.PolarsError:
        raise _broken_table(folder) from None


def _broken_table(folder: Path) -> InputError:
    """Which table cannot be read."""
    import polars as pl

    broken = CALLS
    try:
        pl.scan_parquet(folder / CALLS, glob=False).collect_schema()
        broken = RESPONSES
    except (OSError, pl.exceptions.PolarsError):
        if not (folder / CALLS).is_file():
            broken = RESPONSES
    return InputError(
        "is no table of a run",
        where=str(folder / broken),
        mend="Delete it, then run the same command again: what is missing is made or asked again",
    )


def _read_earlier(folder: Path) -> Earlier:
    found = Earlier()
    known: set[str] = set()
    if (folder / RESPONSES).is_file():
        import polars as pl

        frame = pl.read_parquet(folder / RESPONSES, columns=["task", "error"], glob=False)
        found.tasks = dict(frame.iter_rows())
    has_journal = (folder / JOURNAL).is_file()
    if (folder / CALLS).is_file():
        known = _read_calls(folder, found, keys=has_journal)
    if has_journal:
        lines = load(folder / JOURNAL, known)
        found.tasks |= lines.tasks
        found.calls += lines.spent_calls
        found.tokens += lines.spent_tokens
        found.cost += lines.spent_cost
        found.unreadable = lines.unreadable
        found._lines = lines.calls
    return found


def _read_calls(folder: Path, found: Earlier, *, keys: bool) -> set[str]:
    """What the table of calls says was spent, and the calls of tasks that are not settled."""
    import polars as pl

    calls = pl.scan_parquet(folder / CALLS, glob=False)
    tokens = pl.col("input_tokens").fill_null(0) + pl.col("output_tokens").fill_null(0)
    found.calls, found.tokens, found.cost = (
        calls.select(
            pl.col("attempts").fill_null(1).sum(),
            tokens.sum().alias("tokens"),
            pl.col("cost").sum(),
        )
        .collect()
        .row(0)
    )
    settled = [task for task, error in found.tasks.items() if lasting(error)]
    open_calls = (
        calls.filter(pl.col("error").is_null())
        .join(pl.LazyFrame({"task": settled}, schema={"task": pl.String}), on="task", how="anti")
        .collect()
    )
    for call in open_calls.iter_rows(named=True):
        found._stored.setdefault(call["task"], []).append(call)
    return set(calls.select("key").collect()["key"].to_list()) if keys else set()
