"""What a training did to the answers: two runs of the same items, by viva's own analysis."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from viva.errors import InputError
from viva.records import Status

if TYPE_CHECKING:
    from viva._audit import Audit

__all__ = ["SCOPES", "examined"]

SCOPES = ("all", "knowledge", "reasoning", "gap")
"""Sets of items, and the gap between two of them, that a comparison is about."""

_SIDES = ("before", "after")
_CELL = ("n", "accuracy", "low", "high")
_COMPARED = ("n", "clusters", "difference", "low", "high", "p_holm", "mdd_80", "verdict")


def examined(
    before: str | os.PathLike[str],
    after: str | os.PathLike[str],
    *,
    items: Any = None,
    resamples: int = 10_000,
    seed: int = 0,
) -> dict[str, Any]:
    """Accuracy before and after on both strata, and the paired differences.

    Parameters
    ----------
    before, after : path
        Run folders, or answers in any format that :func:`viva.audit` takes, of the same items.
    items : path, frame, optional
        The questions, where the answers do not carry them.
    resamples : int
        Draws of the bootstrap.
    seed : int

    Returns
    -------
    dict
        ``before`` and ``after``: ``scope -> {n, accuracy, low, high}`` for all, knowledge and
        reasoning, ``gap`` (within benchmarks, points), ``unread`` (share), ``benchmarks``;
        ``differences``: ``scope -> {n, clusters, difference, low, high, p_holm, mdd_80,
        verdict}``, after minus before in points;
        ``both_read``: the same over all items read on both sides; ``definition`` of reasoning,
        ``measure``, ``resamples`` and ``seed``.

    Raises
    ------
    InputError
        The answers cannot be read, or one side holds several models or none.
    """
    from viva._audit import audit

    made = audit(items, [before, after], names=_SIDES, resamples=resamples, seed=seed)
    summary = made.summary
    names = _sides(list(summary["models"]), (str(before), str(after)))
    told: dict[str, Any] = {"resamples": resamples, "seed": seed}
    told["definition"] = summary["splitter"]["definition"]
    told["measure"] = summary["settings"]["measure"]
    for side, name in zip(_SIDES, names, strict=True):
        model = summary["models"][name]
        unread = model["unparsed"] + model["ambiguous"]
        told[side] = {
            "all": _part(model, ("accuracy", "low", "high"))
            | {"n": model["n"] - model["ungraded"]},
            "knowledge": _part(model["knowledge"], _CELL),
            "reasoning": _part(model["reasoning"], _CELL),
            "gap": _part(model["gap"]["within"], ("n", "estimate", "low", "high")),
            "unread": unread / max(1, model["n"] - model["ungraded"]),
            "ungraded": model["ungraded"],
            "benchmarks": {
                benchmark: _part(cells["all"], _CELL)
                for benchmark, cells in model["benchmarks"].items()
            },
        }
    told["differences"] = _differences(summary["comparisons"], names)
    told["both_read"] = _both_read(made, names, resamples, seed)
    return told


def _both_read(
    made: Audit, names: tuple[str, str], resamples: int, seed: int
) -> dict[str, Any] | None:
    """The difference on items of which every answer was read on both sides."""
    import numpy as np
    import polars as pl

    from viva import analysis
    from viva._audit.subjects import graded_arrays

    scores = made.scores.filter(pl.col("subject").is_in(names))
    key = ("benchmark", "item_id")
    read = (
        scores.group_by(*key)
        .agg((pl.col("status") == Status.PARSED).all(), pl.col("subject").n_unique())
        .filter(pl.col("status") & (pl.col("subject") == len(names)))
    )
    if not read.height:
        return None
    items = made.items.join(read.select(key), on=key, how="semi", maintain_order="left")
    n = items.height
    table = graded_arrays(
        items, scores.join(read.select(key), on=key, how="semi"),
        reasoning=np.full(n, -1), p=np.full(n, np.nan), in_domain=np.ones(n, dtype=bool),
        cluster=analysis.clusters(items), guessed=np.zeros(n, dtype=np.int64),
    )  # fmt: skip
    rows = analysis.compare_all(table, pairs=[(names[1], names[0])], resamples=resamples, seed=seed)
    found = next(row for row in rows if row.scope == "all")
    return {name: getattr(found, name) for name in _COMPARED}


def _part(cell: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: cell[name] for name in names}


def _sides(models: list[str], where: tuple[str, str]) -> tuple[str, str]:
    """The name of each side; a method stands behind the model where there are several."""
    found = []
    for side, path in zip(_SIDES, where, strict=True):
        own = [name for name in models if name == side or name.startswith(f"{side}/")]
        if len(own) != 1:
            raise InputError(
                f"{len(own)} models or methods {side} the training, not one", where=path,
                mend="Give the run of one model with one method",
            )  # fmt: skip
        found += own
    return found[0], found[1]


def _differences(rows: Sequence[Mapping[str, Any]], names: tuple[str, str]) -> dict[str, Any]:
    """After minus before, whichever way round the pair was compared."""
    before, after = names
    found = {}
    for row in rows:
        if {row["a"], row["b"]} != {before, after} or row["scope"] not in SCOPES:
            continue
        told = _part(row, _COMPARED)
        if row["a"] == before and told["difference"] is not None:
            low, high = told["low"], told["high"]
            told |= {
                "difference": -told["difference"],
                "low": None if high is None else -high,
                "high": None if low is None else -low,
                "verdict": {"win": "loss", "loss": "win"}.get(told["verdict"], told["verdict"]),
            }
        found[row["scope"]] = told
    return {scope: found[scope] for scope in SCOPES if scope in found}
