"""Generic answers file: one response a row, in the columns of the design."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from viva.formats._reading import Opened, Reading
from viva.formats._values import identifier, number, text_of, whole
from viva.records import LETTERS

__all__ = ["COLUMNS", "matches", "read"]

COLUMNS = (("benchmark",), ("item_id",), ("model",), ("response", "prediction", "text"))
"""Columns that a file must have; any one of each group."""


def _probabilities(value: Any) -> list[float | None] | None:
    return [number(p) for p in value] if isinstance(value, (list, tuple)) else None


_OPTIONAL: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(
        ("method", "probe", "cue", "reasoning", "finish_reason", "prompt_hash", "error"), str
    ),
    **dict.fromkeys(("seed", "calls", "input_tokens", "output_tokens"), whole),
    **dict.fromkeys(("seconds", "cost", "confidence"), number),
    "probabilities": _probabilities,
}
_WHOLE = re.compile(r"[0-9]{1,9}(\.0*)?")
_KEY = (("benchmark", "no benchmark"), ("item_id", "no item_id"), ("model", "no model"))


def matches(opened: Opened) -> bool:
    """Whether the first row has a column of each group."""
    return not opened.lacks(COLUMNS)


def read(opened: Opened, reading: Reading) -> None:
    """Every row of the file."""
    untyped = opened.path is not None and all(
        v is None or isinstance(v, str) for v in opened.first.values()
    )
    rows: Iterable[tuple[int, dict[str, Any]]] = opened.rows
    if untyped and "prediction" in opened.columns:
        rows = _typed(list(rows))
    for row, values in rows:
        _read_row(row, values, reading)


def _typed(rows: list[tuple[int, dict[str, Any]]]) -> list[tuple[int, dict[str, Any]]]:
    """CSV has no numbers: a prediction column of nothing but whole numbers is one of positions.

    Data frames write them as ``2.0`` where some are missing.
    """
    given = [v["prediction"] for _, v in rows if v.get("prediction") is not None]
    if given and all(isinstance(p, str) and _WHOLE.fullmatch(p.strip()) for p in given):
        for _, v in rows:
            if v.get("prediction") is not None:
                v["prediction"] = whole(v["prediction"])
    return rows


def _read_row(row: int, values: Mapping[str, Any], reading: Reading) -> None:
    found: dict[str, Any] = {}
    for name, reason in _KEY:
        try:
            key = identifier(values.get(name))
        except ValueError:
            return reading.leave_out(row, None, "id is not text or a number")
        if key is None:
            return reading.leave_out(row, found.get("item_id"), reason)
        found[name] = key
    item_id = found["item_id"]
    try:
        text = text_of(values["text"] if "text" in values else values.get("response"))
    except ValueError:
        return reading.leave_out(row, item_id, "response is not text")
    sample = values.get("sample")
    if sample is not None:
        sample = whole(sample)
        if sample is None or sample < 0:
            return reading.leave_out(row, item_id, "sample is not a whole number")
    for name, value in values.items():
        if value is not None and name in _OPTIONAL:
            found[name] = _OPTIONAL[name](value)
    try:
        prediction = _prediction(values.get("prediction"))
    except ValueError:
        return reading.leave_out(row, item_id, "prediction is not an option")
    failed = found.get("error") is not None
    # Only a prediction column says that something was read; beside a response column that is
    # empty too, there was nothing to read.
    only_read = "prediction" in values and not ("response" in values or "text" in values)
    already = text is None and (prediction is not None or (only_read and not failed))
    if values.get("already_read") is True and text is None and not failed:
        already = True
    return reading.add(
        row, text=text, prediction=prediction, already_read=already, sample=sample or 0, **found
    )


def _prediction(value: Any) -> str | None:
    """A letter or option text; whole numbers are 0-based positions; empty is nothing read."""
    if value is None:
        return None
    if isinstance(value, str):
        return value.strip() or None
    at = whole(value)
    if at is None or not 0 <= at < len(LETTERS):
        raise ValueError
    return LETTERS[at]
