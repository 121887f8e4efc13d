"""Axes of drawings: ticks, grid lines and their labels."""

from __future__ import annotations

from collections.abc import Callable

from markupsafe import Markup

from viva.report._scale import Scale
from viva.report._svg import group, line, text
from viva.report._text import MINUS, text_width

__all__ = ["bottom", "grid", "left", "plain", "whisker"]


def plain(value: float) -> str:
    """A tick label: no trailing zeros, true minus, thousands as k."""
    magnitude = abs(value)
    shown = f"{magnitude / 1000:.3g}k" if magnitude >= 1000 else f"{magnitude:.4g}"
    return (MINUS if value < 0 else "") + shown


def bottom(
    scale: Scale,
    y: float,
    label: str | None = None,
    show: Callable[[float], str] = plain,
) -> Markup:
    """Tick labels under a drawing, as many as there is room for, and the name of the axis."""
    taken: list[tuple[float, float]] = []
    marks = []
    for tick in sorted(scale.ticks, key=lambda t: (t != 0, scale.ticks.index(t))):
        half = text_width(show(tick), 11) / 2 + 3
        place = scale(tick)
        if all(place + half <= low or place - half >= high for low, high in taken):
            taken.append((place - half, place + half))
            marks.append(text(place, y + 14, show(tick), "tick", "middle"))
    name = [text((scale.start + scale.end) / 2, y + 30, label, "axis", "middle")] if label else []
    return group(*marks, *name)


def grid(scale: Scale, top: float, end: float, zero: bool = False) -> Markup:
    """Vertical grid lines; the line at zero stands out where ``zero`` is set."""
    return group(
        *(
            line(scale(tick), top, scale(tick), end, "zero" if zero and tick == 0 else "grid")
            for tick in scale.ticks
        )
    )


def left(
    scale: Scale,
    x: float,
    end: float,
    show: Callable[[float], str] = plain,
    zero: bool = False,
) -> Markup:
    """Horizontal grid lines with their labels to the left of ``x``."""
    return group(
        *(
            group(
                line(x, scale(tick), end, scale(tick), "zero" if zero and tick == 0 else "grid"),
                text(x - 5, scale(tick) + 3.5, show(tick), "tick", "end"),
            )
            for tick in scale.ticks
        )
    )


def whisker(scale: Scale, y: float, low: float | None, high: float | None, cls: str) -> Markup:
    """A horizontal interval; an end outside the scale is open (no cap)."""
    if low is None or high is None:
        return Markup("")
    caps = [
        line(scale(end), y - 3, scale(end), y + 3, cls) for end in (low, high) if scale.holds(end)
    ]
    return group(line(scale(low), y, scale(high), y, cls), *caps)
