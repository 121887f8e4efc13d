"""medagents-benchmark outputs: one JSON list per data set, model and method, and compact rows.

Layout: https://github.com/gersteinlab/medagents-benchmark, ``output/<dataset>/
<model>-<dataset>-<split>-<method>.json``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from viva.benchmarks import canonical_id
from viva.errors import InputError
from viva.formats._items import canonical, item_of
from viva.formats._reading import Opened, Reading
from viva.formats._values import filled_text, identifier, identifier_or_none, mapping, number, whole
from viva.records import Item

__all__ = ["COLUMNS", "matches", "read"]

COLUMNS = (("question", "dataset"), ("options", "model"), ("predicted_answer", "pred"))
"""Columns of the two layouts, original and compact."""

_COMPACT = {"dataset", "model", "id", "pred"}
_FILE = re.compile(
    r"(?P<model>.+?)-(?P<dataset>mmlu-pro|medxpertqa-[a-z]+|[A-Za-z0-9_+]+)"
    r"-(?P<split>test|train|dev|val|sample)(?P<hard>_hard)?-(?P<method>.+)"
)
_FAILED = re.compile(r"Error code: \d{3}\b|Error: ")


def matches(opened: Opened) -> bool:
    """Whether the first row is of the original or the compact layout."""
    columns = opened.columns
    original = {"question", "options", "predicted_answer"} <= columns
    return original or columns >= _COMPACT


def read(opened: Opened, reading: Reading) -> None:
    """Every row of the file."""
    if opened.columns >= _COMPACT:
        _read_compact(opened, reading)
    else:
        _read_original(opened, reading)


def _said(prediction: Any) -> dict[str, Any]:
    """What the tool took for the answer; often more than a letter, sometimes an API's error."""
    if isinstance(prediction, (int, float)) and not isinstance(prediction, bool):
        prediction = str(prediction)
    if not isinstance(prediction, str) or not prediction.strip():
        return {"already_read": True}
    if _FAILED.match(prediction):
        return {"error": prediction}
    return {"prediction": prediction.strip(), "already_read": True}


def _read_compact(opened: Opened, reading: Reading) -> None:
    rows = list(opened.rows)
    ids = _hard_ids(rows)
    for row, values in rows:
        dataset, model = filled_text(values.get("dataset")), filled_text(values.get("model"))
        try:
            given = identifier(values.get("id"))
        except ValueError:
            reading.leave_out(row, None, "id is not text or a number")
            continue
        if dataset is None:
            reading.leave_out(row, given, "no benchmark")
        elif model is None:
            reading.leave_out(row, given, "no model")
        elif given is None:
            reading.leave_out(row, None, "no item_id")
        else:
            benchmark = canonical(dataset)
            given = ids.get(row, given)
            completion = values.get("completion")
            said = (
                {"text": completion, "prediction": identifier(values.get("pred"))}
                if isinstance(completion, str)
                else _said(values.get("pred"))
            )
            reading.add(
                row,
                benchmark=benchmark,
                item_id=canonical_id(benchmark, given),
                model=model,
                method=values.get("method"),
                input_tokens=whole(values.get("prompt_tokens")),
                output_tokens=whole(values.get("completion_tokens")),
                cost=number(values.get("cost")),
                seconds=number(values.get("seconds")),
                **said,
            )


def _hard_ids(rows: list[tuple[int, Mapping[str, Any]]]) -> dict[int, str]:
    """Ids for runs on a hard subset that wrote the position in the subset as the id.

    Such a run's ids equal its ``row``; the true id is that of a run which wrote ids, at the same
    position or for the same question (``qkey``). Where no run knows it, the question's key.
    """
    runs: dict[tuple[Any, ...], list[tuple[int, Mapping[str, Any]]]] = defaultdict(list)
    for row, values in rows:
        if "qkey" in values and "row" in values:
            run = tuple(str(values.get(k)) for k in ("dataset", "model", "method"))
            runs[run].append((row, values))
    at: dict[tuple[str, str, str], str] = {}
    by_question: dict[tuple[str, str], str] = {}
    positional: list[tuple[str, int, Mapping[str, Any]]] = []
    for run, members in runs.items():
        if len(members) > 1 and all(str(v.get("id")) == str(v["row"]) for _, v in members):
            positional += [(run[0], row, values) for row, values in members]
            continue
        for _, v in members:
            question = (run[0], str(v["qkey"]))
            at[(*question, str(v["row"]))] = str(v.get("id"))
            by_question.setdefault(question, str(v.get("id")))
    ids: dict[int, str] = {}
    for dataset, row, v in positional:
        question = (dataset, str(v["qkey"]))
        known = at.get((*question, str(v["row"]))) or by_question.get(question)
        ids[row] = known or f"question-{v['qkey']}"
    return ids


def _from_name(opened: Opened, reading: Reading) -> tuple[str, str, str | None, bool]:
    """Model, data set, method and whether the subset is the hard one, from the file's name."""
    folder = opened.path.absolute().parent.name if opened.path else ""
    inside = re.fullmatch(
        rf"(?P<model>.+)-{re.escape(folder)}-(?P<split>[a-z]+)(?P<hard>_hard)?-(?P<method>.+)",
        opened.stem,
    )
    named = inside or _FILE.fullmatch(opened.stem)
    if named is None:
        first = opened.first
        dataset = first.get("dataset") or first.get("benchmark")
        model = first.get("model") or reading.model
        if isinstance(dataset, str) and isinstance(model, str):
            return model, dataset, None, False
        raise InputError(
            "the file name does not say which model answered which data set",
            where=opened.name,
            mend="Name it <model>-<dataset>-test-<method>.json, or write the generic format",
        )
    dataset = folder if inside else named["dataset"]
    return named["model"], dataset, named["method"], bool(named["hard"])


def _read_original(opened: Opened, reading: Reading) -> None:
    model, dataset, method, hard = _from_name(opened, reading)
    benchmark = canonical(dataset)
    rows = list(opened.rows)
    given = [v.get("realidx", v.get("id", v.get("idx"))) for _, v in rows]
    # A hard subset numbered from 0 carries positions, not the ids of the whole set.
    positions = hard and len(rows) > 1 and all(str(g) == str(i) for i, g in enumerate(given))
    for (row, values), raw in zip(rows, given, strict=True):
        item_id = identifier_or_none(raw)
        item_id = f"row-{row}" if item_id is None or positions else canonical_id(benchmark, item_id)
        question, context = values.get("question"), None
        if benchmark == "pubmedqa" and isinstance(question, str):
            context, _, question = question.rpartition("\n")
        item = item_of(
            benchmark,
            item_id,
            question,
            values.get("options"),
            values.get("answer_idx", values.get("answer")),
            context=context,
        )
        if isinstance(item, str):
            reading.leave_out(row, item_id, item)
            continue
        if isinstance(item, Item):
            item_id = reading.item(item)
        if "predicted_answer" not in values:
            reading.leave_out(row, item_id, "row is incomplete")
            continue
        usage = mapping(values.get("token_usage"))
        reading.add(
            row,
            benchmark=benchmark,
            item_id=item_id,
            model=model,
            method=method,
            input_tokens=whole(usage.get("prompt_tokens")),
            output_tokens=whole(usage.get("completion_tokens")),
            cost=number(values.get("cost")),
            seconds=number(values.get("time_elapsed")),
            **_said(values.get("predicted_answer")),
        )
