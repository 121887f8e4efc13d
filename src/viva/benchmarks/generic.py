"""The generic items file, and the items table that this package writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from viva.benchmarks.fields import Defect, Options, absent, literal, target, text
from viva.benchmarks.fields import options as read_options
from viva.benchmarks.rows import Place, Row, passages, probability
from viva.records import Choice, Choices, Group, Item

__all__ = ["generic", "unkeyed"]


def _group(row: Row) -> Group | None:
    value = literal(row.get("group"))
    if absent(value):
        return None
    if isinstance(value, Mapping):
        return Group(
            text(value.get("id"), "group has no id"),
            str(value.get("role") or "member"),
            str(value.get("relation") or "original"),
        )
    return Group(
        text(value, "group has no id"),
        str(row.get("role") or "member"),
        str(row.get("relation") or "original"),
    )


def _stratum(value: Any) -> str | None:
    if absent(value):
        return None
    name = str(value).strip().casefold()
    if name not in ("reasoning", "knowledge"):
        raise Defect("stratum is neither reasoning nor knowledge")
    return name


_GENERIC = {"answer", *Item.__dataclass_fields__, "key", "role", "relation", "content_hash"}
"""Columns with a meaning of their own."""


def _key(row: Row, found: Options) -> Choice | Choices:
    if "answer" in row:
        return target(row["answer"], found)
    # Our own table holds positions.
    chosen = target([int(k) for k in row.get("key") or []], found)
    single = row.get("target") == "choice" and isinstance(chosen, Choices)
    return Choice(chosen.indices[0]) if single and isinstance(chosen, Choices) else chosen


def generic(row: Row, _place: Place) -> Item:
    """The generic items file; unknown columns are kept in ``meta``."""
    found = read_options(row.get("options"))
    meta = literal(row.get("meta"))
    if not isinstance(meta, Mapping):
        meta = {} if absent(meta) else {"meta": meta}
    extra = {k: v for k, v in row.items() if k not in _GENERIC and not absent(v)}
    stratum, p = _stratum(row.get("stratum")), probability(row.get("p_reasoning"), "p_reasoning")
    definition = row.get("stratum_definition")
    if absent(definition):
        definition = "given" if stratum or p is not None else None
    return Item(
        benchmark=text(row.get("benchmark"), "no benchmark"),
        item_id=text(row.get("item_id"), "no item_id"),
        question=text(row.get("question"), "no question"),
        options=found.texts,
        target=_key(row, found),
        context=None if absent(row.get("context")) else passages(row["context"]),
        stratum=stratum,
        stratum_definition=None if definition is None else str(definition),
        p_reasoning=p,
        group=_group(row),
        meta={**extra, **meta},
    )


def unkeyed(row: Row, _place: Place) -> Item:
    """A row of the generic items file that needs neither options nor a key.

    A key that cannot be read is none. Options that are there but cannot be read stay a defect:
    without them the item would pass for a question that has none.
    """
    value: Any = row.get("options")
    value = literal(value.tolist() if hasattr(value, "tolist") else value)
    held = value.values() if isinstance(value, Mapping) else value
    # Parquet gives a row without options the letters of the other rows, with nothing under them.
    listed = isinstance(value, (Mapping, list, tuple))
    bare = all(absent(v) for v in held) if listed else absent(value)
    found = Options((), ()) if bare else read_options(value)
    try:
        key = _key(row, found)
    except (Defect, TypeError, ValueError):
        key = None
    return Item(
        benchmark=text(row.get("benchmark"), "no benchmark"),
        item_id=text(row.get("item_id"), "no item_id"),
        question=text(row.get("question"), "no question"),
        options=found.texts,
        target=key,
        context=None if absent(row.get("context")) else passages(row["context"]),
    )
