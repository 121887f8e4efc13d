"""The generic items file, and the items table that this package writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from viva.benchmarks.fields import Defect, absent, literal, target, text
from viva.benchmarks.fields import options as read_options
from viva.benchmarks.rows import Row, Where, passages, probability
from viva.records import Choice, Choices, Group, Item

__all__ = ["generic"]


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


def generic(row: Row, _where: Where) -> Item:
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
    if "answer" in row:
        key: Choice | Choices = target(row["answer"], found)
    else:  # our own table, which holds positions
        positions = row.get("key") or []
        chosen = target([int(k) for k in positions], found)
        single = row.get("target") == "choice" and isinstance(chosen, Choices)
        key = Choice(chosen.indices[0]) if single and isinstance(chosen, Choices) else chosen
    return Item(
        benchmark=text(row.get("benchmark"), "no benchmark"),
        item_id=text(row.get("item_id"), "no item_id"),
        question=text(row.get("question"), "no question"),
        options=found.texts,
        target=key,
        context=None if absent(row.get("context")) else passages(row["context"]),
        stratum=stratum,
        stratum_definition=None if definition is None else str(definition),
        p_reasoning=p,
        group=_group(row),
        meta={**extra, **meta},
    )
