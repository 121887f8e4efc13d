"""Questions that answers files carry, and the names and ids by which this package knows them.

How options and keys are read, whatever their shape, is the business of
:mod:`viva.benchmarks.fields`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from viva.benchmarks import fields, find_name
from viva.benchmarks.rows import without_option_list
from viva.records import Item

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["canonical", "item_of"]


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
