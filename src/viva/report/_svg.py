"""SVG elements as escaped markup, and the one place where a drawing gets its frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

__all__ = ["Drawing", "circle", "drawing", "element", "group", "line", "path", "rect", "text"]


@dataclass(frozen=True, slots=True)
class Drawing:
    """One SVG, and its size in user units (pixels at scale 1)."""

    svg: Markup
    width: float
    height: float


def _value(value: object) -> str:
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"not a finite number in a drawing: {value}")
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return str(value)


def element(name: str, *children: object, **attributes: object) -> Markup:
    """An element whose attributes and text children are escaped.

    ``cls`` becomes ``class``; underscores become hyphens; None leaves an attribute out. Children
    that are Markup go in as they are.
    """
    shown = "".join(
        f' {"class" if key == "cls" else key.replace("_", "-")}="{escape(_value(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inside = "".join(str(escape(child)) for child in children)
    if not inside:
        return Markup(f"<{name}{shown}/>")  # noqa: S704 (all parts are escaped above)
    return Markup(f"<{name}{shown}>{inside}</{name}>")  # noqa: S704


def _with_title(title: str | None) -> tuple[Markup, ...]:
    return (element("title", title),) if title else ()


def line(
    x1: float, y1: float, x2: float, y2: float, cls: str | None = None, **more: object
) -> Markup:
    """A straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, cls=cls, **more)


def rect(
    x: float,
    y: float,
    width: float,
    height: float,
    cls: str | None = None,
    title: str | None = None,
    **more: object,
) -> Markup:
    """A rectangle; never of negative size."""
    return element(
        "rect",
        *_with_title(title),
        x=x,
        y=y,
        width=max(0.0, width),
        height=max(0.0, height),
        cls=cls,
        **more,
    )


def circle(
    x: float, y: float, radius: float, cls: str | None = None, title: str | None = None
) -> Markup:
    """A mark, with what it stands for as its title."""
    return element("circle", *_with_title(title), cx=x, cy=y, r=radius, cls=cls)


def text(
    x: float,
    y: float,
    content: str,
    cls: str | None = None,
    anchor: str | None = None,
    title: str | None = None,
    **more: object,
) -> Markup:
    """Text on its baseline; ``anchor`` is start, middle or end."""
    return element(
        "text", content, *_with_title(title), x=x, y=y, cls=cls, text_anchor=anchor, **more
    )


def path(
    points: Sequence[tuple[float, float]], cls: str | None = None, close: bool = False
) -> Markup:
    """A line through points."""
    if not points:
        return Markup("")
    steps = "L".join(f"{_value(float(x))} {_value(float(y))}" for x, y in points)
    return element("path", d=f"M{steps}{'Z' if close else ''}", cls=cls)


def group(*children: object, cls: str | None = None, **more: object) -> Markup:
    """Elements that belong together."""
    return element("g", *children, cls=cls, **more)


def drawing(
    ident: str, width: float, height: float, title: str, description: str, *children: object
) -> Drawing:
    """A complete SVG with its accessible name and description.

    Parameters
    ----------
    ident
        Prefix of the ids of title and description: unique in the document.
    width, height
        Of the view box, in pixels at scale 1.
    title, description
        What a screen reader says.
    children
        What is drawn.
    """
    svg = element(
        "svg",
        element("title", title, id=f"{ident}-t"),
        element("desc", description, id=f"{ident}-d"),
        *children,
        viewBox=f"0 0 {_value(float(width))} {_value(float(height))}",
        width=float(width),
        height=float(height),
        role="img",
        aria_labelledby=f"{ident}-t {ident}-d",
        cls="drawing",
    )
    return Drawing(svg, width, height)
