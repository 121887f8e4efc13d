"""Questions that answers files carry, and the names and ids by which this package knows them.

How options and keys are read, whatever their shape, is the business of
:mod:`viva.benchmarks.fields`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from viva.benchmarks import fields, find_name
from viva.benchmarks.rows import without_option_list
from viva.records import Choice, Choices, Group, Item, Media, Target
from viva.targets import from_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import polars as pl

__all__ = ["canonical", "item_from_row", "item_of", "items_of"]

_SLICE = 2_000
"""Rows made into objects at a time."""


def canonical(name: str) -> str:
    """The name under which this package knows a benchmark; the given name where it knows none."""
    bare = name.strip()
    return find_name(bare) or bare


def item_of(
    benchmark: str,
    item_id: str,
    question: Any,
    options: Any,
    key: Any,
    *,
    context: Any = None,
    meta: Mapping[str, Any] | None = None,
) -> Item | str | None:
    """An item; the reason where it cannot be one; None where the row carries no question."""
    if not isinstance(question, str) or not question.strip() or options is None:
        return None
    try:
        found = fields.options(options)
        target = fields.target(key, found)
    except fields.Defect as defect:
        return str(defect)
    return Item(
        benchmark=benchmark,
        item_id=item_id,
        question=without_option_list(question, found),
        options=found.texts,
        target=target,
        context=context if isinstance(context, str) and context else None,
        meta=dict(meta or {}),
    )


def items_of(frame: pl.DataFrame) -> Iterator[Item]:
    """The rows of an items frame as items, made a slice at a time.

    Parameters
    ----------
    frame : polars.DataFrame
        Columns of :func:`viva.records.item_schema`.
    """
    for part in frame.iter_slices(_SLICE):
        for row in part.iter_rows(named=True):
            yield item_from_row(row)


def item_from_row(row: Mapping[str, Any]) -> Item:
    """The item of one row of an items frame; ``content_hash`` is not looked at."""
    target: Target | None = None
    if row["target"] == "choice":
        target = Choice(row["key"][0])
    elif row["target"] == "choices":
        target = Choices(tuple(row["key"]))
    elif row["gold"] is not None:
        target = from_json(json.loads(row["gold"]))
    group = None
    if row["group"] is not None:
        group = Group(row["group"], row["role"] or "member", row["relation"] or "original")
    return Item(
        benchmark=row["benchmark"],
        item_id=row["item_id"],
        question=row["question"],
        options=tuple(row["options"] or ()),
        target=target,
        context=row["context"],
        stratum=row["stratum"],
        stratum_definition=row["stratum_definition"],
        p_reasoning=row["p_reasoning"],
        group=group,
        media=tuple(Media(**part) for part in json.loads(row["media"] or "[]")),
        weight=1.0 if row["weight"] is None else row["weight"],
        meta=json.loads(row["meta"]) if row["meta"] else {},
    )
