"""What an export writes of: responses with their items and scores, one task after another.

Other tools keep one benchmark under one model in a file; what differs by method or by probe is a
task of its own here, so that a probe's answers are never pooled with the clean ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from viva.errors import InputError
from viva.formats.journal import prompt_hash
from viva.formats.run import items_of
from viva.records import RESPONSE_KEY, Item

if TYPE_CHECKING:
    import polars as pl

__all__ = ["ELSEWHERE", "Task", "identifier", "missing", "prompted", "settings_of", "tasks"]

ELSEWHERE = "Give a folder that can be written to, on a disk with room"
"""What to do where an export cannot be written."""

_TASK = ("benchmark", "model", "method", "probe")
_SCORED = ("metric", "status", "read", "value", "reason")


class Task(NamedTuple):
    """The responses of one model to one benchmark, asked in one way."""

    benchmark: str
    model: str
    method: str | None
    probe: str | None
    rows: pl.DataFrame
    """One row for each response: its columns, those of its item and of its score, in the order
    of the items."""

    @property
    def label(self) -> str:
        """Benchmark, method and probe in one word, for names of files."""
        return "_".join(part for part in (self.benchmark, self.method, self.probe) if part)


def tasks(items: pl.DataFrame, responses: pl.DataFrame, scores: pl.DataFrame) -> list[Task]:
    """The tasks of a run, in the order in which they first come.

    Parameters
    ----------
    items, responses, scores : polars.DataFrame
        Columns of :func:`viva.records.item_schema`, ``response_schema`` and ``score_schema``.
        Responses without a score keep nulls in its columns.

    Raises
    ------
    InputError
        No responses, a response without its item, two responses (or scores) under one key.
    """
    import polars as pl

    if not responses.height:
        raise InputError("there are no responses to write", mend="Run the evaluation first")
    for name, frame in (("response", responses), ("score", scores)):
        again = frame.filter(frame.select(RESPONSE_KEY).is_duplicated())
        if again.height:
            first = again.row(0, named=True)
            raise InputError(
                f"{first['item_id']} of {first['benchmark']} has two {name}s under one model, "
                "method, probe and sample",
                mend="Number the samples 0, 1, 2, ...",
            )
    absent = responses.join(items, on=["benchmark", "item_id"], how="anti")
    if absent.height:
        raise InputError(
            f"{absent.height:,} responses have no item, the first to {absent['item_id'][0]} of "
            f"{absent['benchmark'][0]}",
            mend="Give the items that were asked",
        )
    joined = (
        responses.join(items.with_row_index("at"), on=["benchmark", "item_id"], how="left")
        .join(
            scores.select(*RESPONSE_KEY, *_SCORED),
            on=list(RESPONSE_KEY),
            how="left",
            nulls_equal=True,
        )
        .with_columns(first=pl.col("at").min().over(_TASK))
        .sort("first", *_TASK, "at", "sample", nulls_last=False, maintain_order=True)
    )
    parts = joined.partition_by(_TASK, maintain_order=True)
    return [
        Task(benchmark, model, method, probe, part)
        for part in parts
        for benchmark, model, method, probe in part.select(_TASK).head(1).iter_rows()
    ]


def prompted(
    task: Task, prompts: Callable[[Item], str | None] | None
) -> Iterator[tuple[dict[str, Any], str]]:
    """The rows of a task, each with the user's turn: as it was put, or else the question.

    What ``prompts`` gives is taken only where it is what the response says it was asked by: a
    method that shuffles options or gives examples first put another.
    """
    rows = task.rows.iter_rows(named=True)
    if prompts is None:
        yield from ((row, row["question"]) for row in rows)
        return
    for row, item in zip(rows, items_of(task.rows), strict=True):
        prompt = prompts(item)
        sent = prompt is not None and prompt_hash([("user", prompt)]) == row["prompt_hash"]
        yield row, prompt if prompt is not None and sent else row["question"]


def settings_of(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What a manifest holds, with what identifies the run beside it; ``sampling`` is a mapping."""
    identity = manifest.get("identity")
    settings = {**manifest, **(identity if isinstance(identity, Mapping) else {})}
    sampling = settings.get("sampling")
    return settings | {"sampling": dict(sampling) if isinstance(sampling, Mapping) else {}}


def identifier(*parts: object) -> str:
    """22 letters and digits, the same for the same parts."""
    alphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number = int.from_bytes(hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()[:17])
    digits = []
    for _ in range(22):
        number, digit = divmod(number, len(alphabet))
        digits.append(alphabet[digit])
    return "".join(digits)


def missing(what: str, extra: str) -> InputError:
    """The error of an extra that is not installed."""
    return InputError(f"{what} is not installed", mend=f"pip install 'vivavoce[{extra}]'")
