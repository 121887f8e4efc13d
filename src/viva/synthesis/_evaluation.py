"""The evaluation items that training data is compared with, from whatever names them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from viva.errors import InputError
from viva.records import Item, items_frame
from viva.synthesis.example import Example
from viva.synthesis.examples import read_examples

if TYPE_CHECKING:
    import polars as pl

__all__ = ["evaluation_items"]


def _sources(against: Any) -> list[Any]:
    """One path or name is one source, not a sequence of letters; so is one list of items."""
    if isinstance(against, (str, os.PathLike)) or hasattr(against, "iter_rows"):
        return [against]
    if not isinstance(against, Sequence):
        raise InputError(
            f"against is a {type(against).__name__}",
            mend="Name files or benchmarks, or give lists of examples or items",
        )
    given = list(against)
    if given and all(isinstance(each, (Example, Item, Mapping)) for each in given):
        return [given]
    return given


def _read(source: Any) -> list[Item]:
    from viva.benchmarks import bundled, find_name, load
    from viva.formats._items import items_of

    if hasattr(source, "iter_rows"):
        return list(items_of(source))
    if isinstance(source, str) and not os.path.exists(source):  # noqa: PTH110
        if source == "bundled":
            return list(items_of(bundled().items))
        if find_name(source) is not None:
            return list(items_of(load(source).items))
    return [example.item for example in read_examples(source)]


def evaluation_items(against: Any) -> pl.DataFrame:
    """All evaluation items, one row each: those of several sources, one after the other.

    Parameters
    ----------
    against : path, str, sequence or polars.DataFrame
        A file, a benchmark's name (``bundled`` for all that travel with the package), a list of
        examples or of items, an items frame, or a sequence of these.

    Returns
    -------
    polars.DataFrame
        Columns of :func:`viva.records.item_schema`.

    Raises
    ------
    InputError
        Where there is no source, a source holds no item, or one cannot be read.
    """
    found: list[Item] = []
    for source in _sources(against):
        items = _read(source)
        if not items:
            where = os.fspath(source) if isinstance(source, (str, os.PathLike)) else "against"
            raise InputError(
                "holds no evaluation item", where=where, mend="Give the items of the evaluation"
            )
        found += items
    if not found:
        raise InputError(
            "no evaluation items to compare the training data with",
            mend="Name every evaluation set: against = ['medqa', 'items.jsonl'], or --against FILE",
        )
    return items_frame(found)
