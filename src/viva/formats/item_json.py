"""An item as one JSON text, which travels beside its prompt to where its answers are rewarded."""

from __future__ import annotations

import json
from functools import lru_cache

from viva.errors import InputError
from viva.records import Item
from viva.targets import from_json, to_json

__all__ = ["item_from_json", "item_to_json"]

_FIELDS = ("benchmark", "item_id", "question", "options", "context", "meta")


def item_to_json(item: Item) -> str:
    """What a reward needs of an item, as one JSON text: question, options, target, context, meta.

    Raises
    ------
    InputError
        Where ``meta`` holds what JSON cannot.
    """
    row = {name: value for name in _FIELDS if (value := getattr(item, name))}
    if item.target is not None:
        row["target"] = to_json(item.target)
    try:
        return json.dumps(row, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(
            "an item that JSON cannot hold", where=f"{item.benchmark}/{item.item_id}",
            mend=f"Keep to plain values in meta ({error})",
        ) from error  # fmt: skip


@lru_cache(maxsize=4096)
def item_from_json(text: str) -> Item:
    """The item that :func:`item_to_json` wrote. The last 4096 are kept: they must not be changed.

    Raises
    ------
    InputError
        Where the text is no such item, as when a column of plain answers is passed instead.
    """
    try:
        row = json.loads(text)
        target = from_json(row["target"]) if "target" in row else None
        return Item(
            row["benchmark"], row["item_id"], row["question"], tuple(row.get("options", ())),
            target, context=row.get("context"), meta=row.get("meta", {}),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{str(text)[:60]!r} is no item", mend="Write the column with item_to_json"
        ) from error
