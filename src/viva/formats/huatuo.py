"""Evaluation JSON of HuatuoGPT-o1 and its descendants (MedReason, m1): items with their output.

Layouts: a list of rows, or a map data set -> list of rows, each with ``question``, ``options``,
``answer_idx`` and the raw answer; and the sampled runs of Med-REFL (``reason``,
``ideal_answer``), which are MedQA with five options in file order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from viva.formats._items import canonical, item_of
from viva.formats._reading import Opened, Reading
from viva.formats._values import filled_text, identifier, number, text_of, whole
from viva.records import Item, content_hash

__all__ = ["COLUMNS", "matches", "read"]

_OUTPUTS = ("output", "model_output", "response", "generated_text", "llm_output")
_KEYS = ("answer_idx", "ideal_answer", "answer", "label")
_SOURCES = ("source", "dataset", "dataset_name", "benchmark", "data_source")

COLUMNS = (("question",), ("options",), _OUTPUTS, _KEYS)
"""Columns that rows must have; any one of each group."""


def _has_output(row: Collection[str]) -> bool:
    if _sampled(row):
        return True
    # Tests of memorisation log the generated half of a question beside the item: no answer.
    items = "question" in row and "options" in row and "levenshtein_distance" not in row
    return items and any(k in row for k in _KEYS) and any(name in row for name in _OUTPUTS)


def _sampled(row: Collection[str]) -> bool:
    """Only where there is no question is ``reason`` the model's; beside one it is a rationale."""
    return "reason" in row and "ideal_answer" in row and "question" not in row


def _is_map(first: Any) -> bool:
    """Whether a document is a map data set -> rows with outputs."""
    if not isinstance(first, Mapping) or not all(isinstance(v, list) for v in first.values()):
        return False
    row = next((row for rows in first.values() for row in rows), None)
    return isinstance(row, Mapping) and _has_output(row)


def matches(opened: Opened) -> bool:
    """Whether the first row, or the first of the first data set, is an item with its output."""
    return _has_output(opened.columns) or _is_map(opened.first)


def _rows(opened: Opened) -> Iterator[tuple[int, str | None, Any]]:
    if _is_map(opened.first):
        parted = ((source, row) for source, rows in opened.first.items() for row in rows)
        for number_, (source, row) in enumerate(parted, 1):
            yield number_, source, row
        return
    for number_, row in opened.rows:
        yield number_, None, row


def read(opened: Opened, reading: Reading) -> None:
    """Every row, with the item it carries."""
    model = reading.model or opened.stem
    if not model:
        raise opened.no_model()
    seen: dict[tuple[str, str], int] = {}
    for row, source, values in _rows(opened):
        if not isinstance(values, Mapping):
            reading.leave_out(row, None, "row is incomplete")
            continue
        _read_row(row, source, values, model, reading, seen)


def _read_row(
    row: int,
    source: str | None,
    values: Mapping[str, Any],
    model: str,
    reading: Reading,
    seen: dict[tuple[str, str], int],
) -> None:
    sampled = _sampled(values)
    named = source or next(filter(None, (filled_text(values.get(k)) for k in _SOURCES)), None)
    if named is None and not sampled:
        return reading.leave_out(row, None, "no benchmark")
    benchmark = canonical(named) if named else "medqa_5options"
    try:
        given = identifier(values.get("id", values.get("question_id")))
    except ValueError:
        return reading.leave_out(row, None, "id is not text or a number")
    if sampled:
        item_id = given or str(row - 1)
    else:
        key = next((values[k] for k in _KEYS if values.get(k) is not None), None)
        item = item_of(benchmark, given or "", values.get("question"), values.get("options"), key)
        if item is None:
            return reading.leave_out(row, given, "row is incomplete")
        if isinstance(item, str):
            return reading.leave_out(row, given, item)
        item_id = _identified(item, given, reading)
    said_in = ("reason",) if sampled else _OUTPUTS
    outputs = next((values[k] for k in said_in if k in values), None)
    for text in outputs if isinstance(outputs, list) and outputs else [outputs]:
        sample = seen[benchmark, item_id] = seen.get((benchmark, item_id), -1) + 1
        try:
            said = text_of(text)
        except ValueError:
            reading.leave_out(row, item_id, "response is not text")
            continue
        reading.add(
            row,
            benchmark=benchmark,
            item_id=item_id,
            model=filled_text(values.get("model")) or model,
            text=said,
            sample=sample,
            error=None if said is not None else "no output",
            output_tokens=whole(values.get("output_tokens")),
            seconds=number(values.get("seconds")),
        )
    return None


def _identified(item: Item, given: str | None, reading: Reading) -> str:
    """Files without ids are joined by content, so the id says the content.

    The same question twice is then the same item: its rows are samples.
    """
    digest = content_hash(item.question, item.options)
    return reading.item(replace(item, item_id=given or f"content-{digest}"))
