"""The lines of a run's journal, as rows of tables.

A line is one finished call. Where the call finished its item, the line is a row of a generic
answers file, with the call's own record in ``call``; else it holds the record alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viva._files import LONGEST_LINE, parse_json
from viva.errors import InputError
from viva.formats._values import number, whole
from viva.records import response_schema

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "SHARED",
    "call_of",
    "call_schema",
    "calls_frame",
    "journal_lines",
    "journal_rows_frame",
    "parse_line",
    "prompt_hash",
    "response_values",
    "stored_schema",
]

SHARED = {"text": "response", "reasoning": "reasoning"}
"""Fields of a call, and the columns of its line that hold the same where ``same`` lists them."""

_TEXTS = (
    "benchmark", "item_id", "model", "method", "probe", "cue", "reasoning", "finish_reason",
    "prompt_hash", "error", "task",
)  # fmt: skip
_WHOLES = ("seed", "calls", "input_tokens", "output_tokens")
_NUMBERS = ("seconds", "cost", "confidence")


def stored_schema() -> dict[str, Any]:
    """Columns of ``responses.parquet``: those of a response, and the key of its task."""
    import polars as pl

    return response_schema() | {"task": pl.String}


def call_schema() -> dict[str, Any]:
    """Columns of ``calls.parquet``: one row for each finished call.

    ``logprobs`` is a JSON list with an object for each token; ``error`` is set where the call
    failed for good, ``attempts`` counts its tries either way.
    """
    import polars as pl

    return {
        "key": pl.String,
        "task": pl.String,
        "draw": pl.Int64,
        "request_hash": pl.String,
        "prompt_hash": pl.String,
        "text": pl.String,
        "reasoning": pl.String,
        "finish_reason": pl.String,
        "input_tokens": pl.Int64,
        "output_tokens": pl.Int64,
        "seconds": pl.Float64,
        "cost": pl.Float64,
        "attempts": pl.Int64,
        "seed": pl.Int64,
        "logprobs": pl.String,
        "served_model": pl.String,
        "error": pl.String,
    }


def prompt_hash(turns: Iterable[tuple[str, str]], prefix: str | None = None) -> str:
    """What was put before the model, as records name it.

    Parameters
    ----------
    turns : iterable of (str, str)
        Role and text of each turn.
    prefix : str, optional
        With which the assistant's turn began.

    Returns
    -------
    str
        First 16 hex digits of a SHA-256.
    """
    parts = [part for turn in turns for part in turn]
    said = "\x1f".join(parts if prefix is None else [*parts, "prefix", prefix])
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def parse_line(line: bytes) -> dict[str, Any] | None:
    """One line of a journal as an object; None where it is not one (torn by a crash)."""
    try:
        row = parse_json(line.decode("utf-8"), where="journal")
    except (InputError, UnicodeDecodeError):
        return None
    return row if isinstance(row, dict) else None


def journal_lines(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """The lines of a journal: offset in bytes, 1-based number, bytes without the line end.

    Nothing where there is no journal. A last line without its line end is given too: whether it is
    whole shows when it is parsed.

    Raises
    ------
    InputError
        Where the file cannot be read, or a line is longer than any reply can be.
    """
    try:
        with path.open("rb") as stream:
            offset, row = 0, 0
            while line := stream.readline(LONGEST_LINE + 1):
                row += 1
                if len(line) > LONGEST_LINE:
                    raise InputError("line is too long", where=f"{path}:{row}")
                if not line.isspace():
                    yield offset, row, line.rstrip(b"\n")
                offset += len(line)
    except FileNotFoundError:
        return
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(path)) from None


def call_of(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """The call that a line records, made whole: what equals the response is not written twice."""
    call = row.get("call")
    if not isinstance(call, dict):
        return None
    same = call.get("same")
    if not isinstance(same, list):
        return call
    filled = {name: row.get(told) for name, told in SHARED.items() if name in same}
    return {name: value for name, value in call.items() if name != "same"} | filled


def _typed(value: Any, kind: str) -> Any:
    """A value as a column holds it; None where it is of another type."""
    if kind == "whole":
        return whole(value)
    if kind == "number":
        return number(value)
    return value if isinstance(value, str) else None


def calls_frame(calls: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Calls of journal lines as a frame with the columns of :func:`call_schema`."""
    import polars as pl

    schema = call_schema()
    kinds = {
        name: "whole" if kind == pl.Int64 else "number" if kind == pl.Float64 else "text"
        for name, kind in schema.items()
    }
    rows = []
    for call in calls:
        row = {name: _typed(call.get(name), kind) for name, kind in kinds.items()}
        if isinstance(call.get("logprobs"), list):
            row["logprobs"] = json.dumps(call["logprobs"], ensure_ascii=False)
        rows.append(row)
    return pl.DataFrame(rows, schema=schema)


def response_values(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """The columns of a response in a journal line; None where the line is not a response."""
    values: dict[str, Any] = {name: _typed(row.get(name), "text") for name in _TEXTS}
    if None in (values["benchmark"], values["item_id"], values["model"]):
        return None
    values |= {name: whole(row.get(name)) for name in _WHOLES}
    values |= {name: number(row.get(name)) for name in _NUMBERS}
    values["text"] = _typed(row.get("response"), "text")
    values["prediction"] = _typed(row.get("prediction"), "text")
    values["already_read"] = row.get("already_read") is True
    values["sample"] = whole(row.get("sample")) or 0
    given = row.get("probabilities")
    if isinstance(given, list):
        values["probabilities"] = [number(p) for p in given]
    return values


def journal_rows_frame(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Responses of journal lines as a frame with the columns of :func:`stored_schema`."""
    import polars as pl

    values = [v for row in rows if (v := response_values(row)) is not None]
    return pl.DataFrame(values, schema=stored_schema())
