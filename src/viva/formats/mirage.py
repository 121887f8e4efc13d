"""MIRAGE predictions: one JSON list of completions per question, and compact rows.

Layout: https://github.com/Teddy-XiongGZ/MIRAGE, ``prediction/<dataset>/cot/<model>/
<split>_<id>.json`` and ``prediction/<dataset>/rag_<k>/<model>/<corpus>/<retriever>/...``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from viva.benchmarks import canonical_id
from viva.errors import InputError
from viva.formats._items import canonical
from viva.formats._reading import Opened, Reading
from viva.formats._values import identifier_or_none

__all__ = ["COLUMNS", "matches", "read"]

COLUMNS = (("dataset",), ("mode",), ("model",), ("id",), ("completion",))
"""Columns of compact rows."""

_MODE = re.compile(r"cot|rag_\d+|i?-?medrag.*|[a-z]+_rag.*")
_ID = re.compile(r"(?:test|dev|train|val)_(?P<id>.+)")


def matches(opened: Opened) -> bool:
    """Whether the file is a list of texts, or its first row a compact one."""
    if isinstance(opened.first, list):
        return all(isinstance(text, str) for text in opened.first)
    return not opened.lacks(COLUMNS)


def read(opened: Opened, reading: Reading) -> None:
    """Every completion of the file."""
    if isinstance(opened.first, list):
        _read_file(opened, reading)
        return
    for row, values in opened.rows:
        found: dict[str, str] = {}
        for name, reason in (
            ("id", "no item_id"),
            ("dataset", "no benchmark"),
            ("model", "no model"),
        ):
            value = identifier_or_none(values.get(name))
            if value is None:
                reading.leave_out(row, found.get("id"), reason)
                break
            found[name] = value
        else:
            mode, said = values.get("mode"), values.get("completion")
            _add(
                reading,
                row,
                found["dataset"],
                found["id"],
                found["model"],
                mode if isinstance(mode, str) else None,
                (said or [None]) if isinstance(said, list) else [said],
            )


def _add(
    reading: Reading,
    row: int,
    dataset: str,
    item_id: str,
    model: str,
    mode: str | None,
    completions: Iterable[Any],
) -> None:
    benchmark = canonical(dataset)
    item_id = canonical_id(benchmark, item_id)
    for sample, text in enumerate(completions):
        if text is not None and not isinstance(text, str):
            reading.leave_out(row, item_id, "response is not text")
            continue
        reading.add(
            row,
            benchmark=benchmark,
            item_id=item_id,
            model=model,
            method=mode,
            text=text,
            sample=sample,
            error="no completion" if text is None else None,
        )


def _read_file(opened: Opened, reading: Reading) -> None:
    """One question's completions; all else is said by the path."""
    parts = opened.path.absolute().parts if opened.path else ()
    at = next((i for i in range(len(parts) - 2, 0, -1) if _MODE.fullmatch(parts[i])), None)
    named = _ID.fullmatch(opened.stem)
    if at is None or named is None or at + 1 >= len(parts) - 1:
        if not opened.first:
            raise InputError("has no rows", where=opened.name, mend="Write it again")
        raise InputError(
            "the path does not say data set, mode, model and question",
            where=opened.name,
            mend="Keep MIRAGE's folders: prediction/<dataset>/<mode>/<model>/<split>_<id>.json",
        )
    mode, rest = parts[at], list(parts[at + 1 : -1])
    if mode != "cot" and len(rest) > 2:
        rest = rest[:-2]  # corpus and retriever
    completions = opened.first or [None]
    _add(reading, 1, parts[at - 1], named["id"], rest[-1], mode, completions)
