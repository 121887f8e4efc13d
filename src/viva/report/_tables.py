"""The table behind a figure: what is shown, and the unrounded values that are downloaded."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from viva.report import _text

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["Cell", "Column", "Figure", "Kind", "Table", "table"]

Kind = Literal["text", "count", "percent", "points", "p", "number", "ratio"]
Value = str | float | bool | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its title, which names the unit, and how its values are shown."""

    title: str
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell shows, and its unrounded value where that differs."""

    shown: str
    raw: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table with the name under which it is saved."""

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure: drawings for wide and for narrow screens, or panels that flow; and its table."""

    ident: str
    title: str
    caption: str | Markup
    table: Table
    wide: Markup | None = None
    narrow: Markup | None = None
    panels: tuple[Markup, ...] = ()


def _number(value: float) -> str:
    magnitude = abs(value)
    if magnitude >= 1000:
        return f"{value:,.0f}"
    if magnitude >= 100:
        return f"{value:.0f}"
    if magnitude >= 1 or magnitude == 0:
        return f"{value:.1f}" if magnitude >= 10 else f"{value:.2f}"
    return f"{value:.3g}"


_SHOW: dict[str, Callable[[float], str]] = {
    "count": _text.count,
    "percent": _text.percent,
    "points": _text.points,
    "p": _text.p_value,
    "number": _number,
    "ratio": "{:.3f}".format,
}


def _cell(value: Value, kind: Kind) -> Cell:
    if value is None:
        return Cell("–", "")
    if isinstance(value, bool):
        return Cell("yes" if value else "no")
    if isinstance(value, str):
        return Cell(value)
    if kind == "text":
        return Cell(str(value))
    if not math.isfinite(value):
        return Cell("–", "")
    unit = 100 * value if kind == "percent" else value
    raw = f"{unit:.8g}" if kind == "p" else f"{round(unit, 6):.12g}"
    shown = _SHOW[kind](float(value))
    return Cell(shown, None if raw == shown else raw)


def table(
    name: str, caption: str, columns: Sequence[Column], rows: Sequence[Sequence[Value]]
) -> Table:
    """Format rows for a table.

    Parameters
    ----------
    name
        File name without its ending.
    caption
        What the table holds.
    columns
        One per value of a row. ``percent`` takes fractions 0..1 and is shown and saved in %.
    rows
        Values; None shows a dash and is saved as an empty field.

    Raises
    ------
    ValueError
        If a row has another number of values than there are columns.
    """
    made = tuple(
        tuple(_cell(value, column.kind) for value, column in zip(row, columns, strict=True))
        for row in rows
    )
    return Table(name, caption, tuple(columns), made)
