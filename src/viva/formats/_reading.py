"""What a format writes into while it reads: responses, the items they carry, rows left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from viva.errors import InputError
from viva.records import LeftOut, ResponsesRead, content_hash, items_frame, response_schema

if TYPE_CHECKING:
    import polars as pl

    from viva.records import Item

__all__ = ["REASONS", "Opened", "Reading"]

REASONS = {
    "no benchmark": "Name the benchmark in every row",
    "no item_id": "Give every row the id of its item",
    "no model": "Name the model in every row",
    "id is not text or a number": "Give every row the id of its item",
    "response is not text": "Write the raw answer as one text",
    "prediction is not an option": "Write the letter, the option text or a 0-based position",
    "sample is not a whole number": "Number the samples 0, 1, 2, ...",
    "row is incomplete": "Write the whole row",
    "duplicate id, same content": "Delete the copies",
    "duplicate id, other content": "Delete all but one, or number them in a column 'sample'",
    "another filter of the same response": "Keep one filter per response",
    "one request per option": "Run the scenario with the joint multiple-choice adapter",
    "a file of no known format": "Move it out of the folder, or name its format",
}
"""Why rows are left out, and the mend that a strict reading names. Beside these: the defects of
items in :mod:`viva.benchmarks.fields`, where a file carries its questions."""

_NO_DEFECT = {"another filter of the same response"}
_TEXTS = frozenset({"method", "probe", "cue", "finish_reason", "error", "reasoning"})


class Opened(NamedTuple):
    """A source that is open: its first row or document, and all of them."""

    name: str
    """The path, for messages; ``frame`` or ``rows`` where there is none."""
    path: Path | None
    first: Any
    """The first row; for a JSON document that is no table, the document; None for an archive."""
    rows: Iterator[tuple[int, Any]]
    columns: frozenset[str] = frozenset()
    """Names in the first rows (a failed request may lack what the others have)."""
    archive: bool = False
    """A zip file: the format opens it itself."""

    @property
    def stem(self) -> str:
        """The file's name without its suffixes; empty where there is no file."""
        return re.sub(r"(\.jsonl?|\.gz)+$", "", self.path.name) if self.path else ""

    def lacks(self, groups: Iterable[tuple[str, ...]]) -> list[str]:
        """The groups of columns of which none is there, each in words."""
        return [" or ".join(group) for group in groups if not self.columns.intersection(group)]

    def no_model(self, mend: str = "Name it with model=") -> InputError:
        """The error of a source that does not name the model."""
        return InputError("no model is named", where=self.name, mend=mend)


@dataclass
class Reading:
    """Responses as columns, so that a hundred thousand rows cost no object each.

    A column is as long as its last value; nulls are filled in when the next one comes.
    """

    strict: bool = False
    model: str | None = None
    """The name for models that a file does not name."""
    file: str = ""
    columns: dict[str, list[Any]] = field(
        default_factory=lambda: {n: [] for n in response_schema()}
    )
    rows: list[int | None] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    items: dict[tuple[str, str], tuple[Item, str]] = field(default_factory=dict)

    def add(self, row: int | None, **values: Any) -> None:
        """One response, by the columns of :func:`viva.records.response_schema`."""
        at = len(self.rows)
        for name, value in values.items():
            if value is None:
                continue
            column = self.columns[name]
            if len(column) < at:
                column.extend([None] * (at - len(column)))
            column.append(str(value) if name in _TEXTS and type(value) is not str else value)
        self.rows.append(row)
        self.files.append(self.file)

    def leave_out(self, row: int | None, id: str | None, reason: str) -> None:  # noqa: A002
        """Count one row that cannot be used; an error where the reading is strict."""
        if self.strict and reason not in _NO_DEFECT:
            where = f"{self.file}:{row}" if row else self.file
            named = f" (id {id})" if id else ""
            raise InputError(
                f"{reason}{named}", where=where, mend=REASONS.get(reason, "Mend the item")
            )
        self.left_out.append(LeftOut(self.file, row, id, reason))

    def item(self, item: Item) -> str:
        """Keep an item that the file carries; the id under which its responses go.

        The same id with another question gets a suffix from its content: it is another item.
        """
        digest = content_hash(item.question, item.options)
        key = (item.benchmark, item.item_id)
        known = self.items.setdefault(key, (item, digest))
        if known[1] == digest:
            return item.item_id
        other = replace(item, item_id=f"{item.item_id}#{digest[:8]}")
        self.items.setdefault((other.benchmark, other.item_id), (other, digest))
        return other.item_id

    def finish(self) -> ResponsesRead:
        """The frames, without rows that repeat a key."""
        import polars as pl

        schema = response_schema()
        count = len(self.rows)
        for column in self.columns.values():
            column.extend([None] * (count - len(column)))
        frame = pl.DataFrame(
            {name: pl.Series(name, self.columns[name], schema[name]) for name in schema}
        ).with_columns(pl.col("already_read").fill_null(False), pl.col("sample").fill_null(0))
        frame = self._without_duplicates(frame)
        items = items_frame(item for item, _ in self.items.values()) if self.items else None
        return ResponsesRead(frame, self.left_out, items)

    def _without_duplicates(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The first row of each key stays; the others are counted, by whether they agree."""
        import polars as pl

        key = ["benchmark", "item_id", "model", "method", "probe", "cue", "sample"]
        if not frame.height or not (repeated := frame.select(key).is_duplicated()).any():
            return frame
        said = ["text", "prediction", "already_read", "reasoning", "error"]
        numbered = frame.select(*key, *said).with_row_index("at").filter(repeated)
        first: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        out: list[int] = []
        for at, *values in numbered.iter_rows():
            mine, says = tuple(values[: len(key)]), tuple(values[len(key) :])
            if mine not in first:
                first[mine] = says
                continue
            same = "same" if first[mine] == says else "other"
            self.file = self.files[at]
            self.leave_out(self.rows[at], str(mine[1]), f"duplicate id, {same} content")
            out.append(at)
        return frame.with_row_index("at").filter(~pl.col("at").is_in(out)).drop("at")
