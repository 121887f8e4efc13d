"""Small coloured grids: models down, one kind of thing across, the long table behind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from viva._summary import Summary
from viva.report._heat import LEVELS, by_accuracy, level
from viva.report._tables import Column, Table, table
from viva.report._text import count, percent, points

__all__ = ["Grid", "Square", "reader_grid", "unread_grid"]

_MOST_REASONS = 9
"""Columns of reasons; the rarer ones are in the table."""


@dataclass(frozen=True, slots=True)
class Square:
    """One square: what it shows, its colour class and what it says on hover."""

    shown: str
    colour: str
    title: str


@dataclass(frozen=True, slots=True)
class Grid:
    """Columns, rows of squares (None where there is nothing), and the table behind."""

    label: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Square | None, ...]], ...]
    table: Table


def _reader_table(summary: Summary) -> Table:
    """What other readers would have made of the same texts."""
    readers = summary.data_quality.readers
    return table(
        "readers",
        "Accuracy by readers as other tools use them; difference to this tool's reader in points.",
        (
            Column("model"),
            Column("reader"),
            Column("as in"),
            Column("responses read (%)", "percent"),
            Column("accuracy (%)", "percent"),
            Column("difference (points)", "points"),
        ),
        [
            (m, r.reader, r.source, r.read, r.accuracy, r.difference)
            for m in by_accuracy(summary)
            for r in readers.get(m, [])
        ],
    )


def _unread_table(summary: Summary) -> Table:
    """Why responses were not read, counted per model."""
    rows: Iterable[tuple[str, str, int, float | None]] = (
        (m, reason, number, number / entry.n if entry.n else None)
        for m in by_accuracy(summary)
        for entry in (summary.models[m],)
        for reason, number in sorted(entry.unread_reasons.items(), key=lambda kv: -kv[1])
        if number
    )
    return table(
        "unread",
        "Responses in which no commitment was read, by reason.",
        (
            Column("model"),
            Column("reason"),
            Column("responses", "count"),
            Column("share (%)", "percent"),
        ),
        list(rows),
    )


def reader_grid(summary: Summary) -> Grid | None:
    """Difference that another reader would have made, per model and reader."""
    found = summary.data_quality.readers
    models = [m for m in by_accuracy(summary) if found.get(m)]
    if not models:
        return None
    heads = tuple(dict.fromkeys(r.reader for m in models for r in found[m]))
    sizes = sorted(abs(r.difference) for m in models for r in found[m])
    # The 80th percentile: one wild reader must not wash out what separates the others.
    limit = sizes[int(0.8 * (len(sizes) - 1))] or 1.0
    rows = []
    for m in models:
        own = {r.reader: r for r in found[m]}
        squares: list[Square | None] = []
        for head in heads:
            r = own.get(head)
            if r is None:
                squares.append(None)
                continue
            words = (
                f"{m}, {r.reader} ({r.source}): accuracy {percent(r.accuracy)} %, "
                f"{points(r.difference)} points; read {percent(r.read)} % of responses"
            )
            step = level(r.difference, -limit, limit)
            squares.append(Square(points(r.difference), f"d{step}", words))
        rows.append((m, tuple(squares)))
    shown = tuple(head.replace("_", " ") for head in heads)
    return Grid("Difference by reader, points", shown, tuple(rows), _reader_table(summary))


def unread_grid(summary: Summary) -> Grid | None:
    """Responses that were not read, per model and reason."""
    totals: dict[str, int] = {}
    for entry in summary.models.values():
        for reason, number in entry.unread_reasons.items():
            totals[reason] = totals.get(reason, 0) + number
    heads = tuple(sorted((r for r in totals if totals[r]), key=lambda r: (-totals[r], r)))
    if not heads:
        return None
    heads = heads[:_MOST_REASONS]
    shares = {
        (m, r): e.unread_reasons.get(r, 0) / e.n
        for m, e in summary.models.items()
        for r in heads
        if e.n
    }
    high = max(shares.values(), default=0.0) or 1.0
    rows = []
    for m in by_accuracy(summary):
        entry = summary.models[m]
        squares: list[Square | None] = []
        for r in heads:
            number = entry.unread_reasons.get(r, 0)
            if not number:
                squares.append(Square("0", "none", f"{m}, {r}: none"))
                continue
            share = shares[m, r]
            words = f"{m}, {r}: {count(number)} responses, {percent(share)} %"
            squares.append(Square(count(number), f"q{level(share, 0, high, LEVELS)}", words))
        rows.append((m, tuple(squares)))
    return Grid("Responses not read, by reason", heads, tuple(rows), _unread_table(summary))
