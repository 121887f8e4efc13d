"""The comparison matrix: every model against every other, per scope."""

from __future__ import annotations

from dataclasses import dataclass

from viva._summary import Comparison, Summary
from viva.report._heat import by_accuracy, level
from viva.report._tables import Column, Table, table
from viva.report._text import interval, p_value, points

__all__ = ["SCOPES", "SYMBOLS", "Matrix", "MatrixCell", "comparison_table", "matrices"]

SCOPES = {
    "all": "all items",
    "knowledge": "knowledge items",
    "reasoning": "reasoning items",
    "gap": "the gap",
}
SYMBOLS = {"win": "▲", "loss": "▼", "tie": "=", "undecided": "?"}
_OPPOSITE = {"win": "loss", "loss": "win"}
_STEPS = 4
"""Colour steps to each side of none."""
_WORDS_SHOWN = 24
"""With more models than this, the squares leave the details to the table."""
_MODELS_SHOWN = 45
"""The most accurate of more models than this are shown, so that the page stays small."""
_ROWS_MOST, _ROWS_SHOWN = 3_200, 2_000
"""A table of more rows than the first is cut to the second; `summary.json` has all comparisons."""


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """Row minus column: what it shows, the colour step -4..4, and the sentence."""

    shown: str
    symbol: str
    level: int
    verdict: str
    title: str


@dataclass(frozen=True, slots=True)
class Matrix:
    """One scope."""

    scope: str
    title: str
    models: tuple[str, ...]
    rows: tuple[tuple[MatrixCell | None, ...], ...]
    counts: dict[str, int]
    limit: float
    """The difference, in points, from which the colour is strongest."""


def _step(difference: float, limit: float) -> int:
    if limit <= 0:
        return 0
    return level(difference, -limit, limit, 2 * _STEPS + 1) - _STEPS


def _sentence(comparison: Comparison, sign: int, verdict: str, summary: Summary) -> str:
    first, second = (comparison.a, comparison.b) if sign > 0 else (comparison.b, comparison.a)
    if comparison.difference is None:
        return f"{first} minus {second}: {comparison.reason or 'no estimate'}"
    ends = [e for e in (comparison.low, comparison.high) if e is not None]
    low, high = sorted(sign * e for e in ends) if len(ends) == 2 else (None, None)
    parts = [
        f"{first} minus {second}, {SCOPES[comparison.scope]}: "
        f"{points(sign * comparison.difference)} points {interval(low, high)}",
        f"n = {comparison.n:,}",
    ]
    if comparison.p_holm is not None:
        parts.append(f"Holm p {p_value(comparison.p_holm)}")
    if comparison.mdd_80 is not None:
        parts.append(f"detectable with 80 % power: {comparison.mdd_80:.1f}")
    settings = summary.settings
    made_by = f"Viva {settings.viva}, seed {settings.seed}"
    if comparison.scope != "all" and summary.splitter.definition != "given":
        made_by = f"{summary.splitter.definition} splitter, {made_by}"
    return "; ".join([*parts, verdict, made_by])


def matrices(summary: Summary) -> list[Matrix]:
    """One matrix per scope that was compared; empty with fewer than two models."""
    order = by_accuracy(summary)[:_MODELS_SHOWN]
    shown = set(order)
    made = []
    for scope, title in SCOPES.items():
        found = {
            (c.a, c.b): c
            for c in summary.comparisons
            if c.scope == scope and c.a in shown and c.b in shown
        }
        if not found:
            continue
        sizes = sorted(abs(c.difference) for c in found.values() if c.difference is not None)
        # The 90th percentile: one very weak model must not wash out all other colours.
        limit = sizes[int(0.9 * (len(sizes) - 1))] if sizes else 0.0
        rows = []
        for row in order:
            cells: list[MatrixCell | None] = []
            for column in order:
                sign = 1 if (row, column) in found else -1
                comparison = found.get((row, column)) or found.get((column, row))
                if comparison is None:
                    cells.append(None)
                    continue
                verdict = comparison.verdict
                shown_verdict = _OPPOSITE.get(verdict, verdict) if sign < 0 else verdict
                difference = comparison.difference
                cells.append(
                    MatrixCell(
                        points(sign * difference if difference is not None else None),
                        SYMBOLS[shown_verdict],
                        0 if difference is None else _step(sign * difference, limit),
                        shown_verdict,
                        _sentence(comparison, sign, shown_verdict, summary)
                        if len(order) <= _WORDS_SHOWN
                        else "",
                    )
                )
            rows.append(tuple(cells))
        counts = {
            verdict: sum(
                (c.verdict in ("win", "loss")) if verdict == "decided" else c.verdict == verdict
                for c in found.values()
            )
            for verdict in ("decided", "tie", "undecided")
        }
        made.append(Matrix(scope, title, tuple(order), tuple(rows), counts, limit))
    return made


def comparison_table(summary: Summary) -> Table:
    """The comparisons, as in ``summary.json``."""
    caption = "Paired differences, a minus b, in points, with 95 % intervals."
    rows = summary.comparisons
    if len(rows) > _ROWS_MOST:
        rows = rows[:_ROWS_SHOWN]
        caption += (
            f" The first {_ROWS_SHOWN:,} of {len(summary.comparisons):,}: all are in summary.json."
        )
    return table(
        "comparisons",
        caption,
        (
            Column("a"),
            Column("b"),
            Column("scope"),
            Column("n", "count"),
            Column("clusters", "count"),
            Column("smallest cell", "count"),
            Column("difference (points)", "points"),
            Column("low", "points"),
            Column("high", "points"),
            Column("p McNemar", "p"),
            Column("mid-p", "p"),
            Column("p sign flip", "p"),
            Column("p bootstrap", "p"),
            Column("p Holm", "p"),
            Column("detectable, 80 % power", "number"),
            Column("verdict"),
            Column("why none"),
        ),
        [
            (c.a, c.b, c.scope, c.n, c.clusters, c.smallest_cell, c.difference,
             c.low, c.high, c.p_mcnemar, c.p_mid,
             c.p_sign_flip, c.p_bootstrap, c.p_holm, c.mdd_80, c.verdict, c.reason)
            for c in rows
        ],
    )  # fmt: skip
