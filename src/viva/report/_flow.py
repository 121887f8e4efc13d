"""The flow diagram: where clean answers went when the model was asked under a probe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from viva._probe_summary import ProbeModel, ProbeResult
from viva.report._svg import Drawing, drawing, element, rect, text
from viva.report._tables import Column, Table, table
from viva.report._text import count, percent, shorten

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["BANDS", "flow_drawing", "flow_table"]

STATES = ("right", "wrong", "cue", "unread")
"""From top to bottom; ``cue`` is on the option that the probe suggests, and not right."""

BANDS = {
    "held": "right and still right",
    "gained": "became right",
    "cue": "moved to the suggested option",
    "lost": "right, then wrong or not read",
    "rest": "wrong before and after",
}
"""Kinds of bands, by the class that colours them."""

_WIDTH, _TOP, _BODY, _GAP, _NODE = 312.0, 40.0, 150.0, 7.0, 9.0
_LEFT, _RIGHT = 78.0, 225.0
_SMALLEST = 0.012
"""Share of the pairs below which a node has no label."""
_WORDS = {"right": "right", "wrong": "wrong", "cue": "on cue", "unread": "not read"}


def _kind(before: str, after: str) -> str:
    if after == "right":
        return "held" if before == "right" else "gained"
    if after == "cue" and before != "cue":
        return "cue"
    return "lost" if before == "right" else "rest"


def _places(sums: Mapping[str, int], total: int) -> dict[str, tuple[float, float]]:
    """Top and height of each node that holds something."""
    there = [state for state in STATES if sums[state]]
    room = _BODY - _GAP * (len(there) - 1)
    places, y = {}, _TOP
    for state in there:
        height = room * sums[state] / total
        places[state] = (y, height)
        y += height + _GAP
    return places


def _band(x: tuple[float, float], left: float, right: float, height: float, kind: str,
          words: str) -> Markup:  # fmt: skip
    """A band of one height from one side to the other."""
    a, b = x
    middle = (a + b) / 2
    height = max(height, 0.35)
    steps = (
        f"M{a:.1f} {left:.2f}C{middle:.1f} {left:.2f} {middle:.1f} {right:.2f} {b:.1f} {right:.2f}"
        f"V{right + height:.2f}C{middle:.1f} {right + height:.2f} {middle:.1f} {left + height:.2f} "
        f"{a:.1f} {left + height:.2f}Z"
    )
    return element("path", element("title", words), d=steps, cls=f"flow {kind}")


def flow_drawing(ident: str, model: str, name: str, found: ProbeResult, sides: tuple[str, str],
                 *, cued: bool) -> Drawing:  # fmt: skip
    """One model under one probe: answers on the left as clean, on the right as misled.

    Parameters
    ----------
    ident
        Unique in the document.
    model, name
        Of the model and of the probe, cleaned.
    found
        Its transitions; at least one pair.
    sides
        What the two columns are called.
    cued
        Whether the probe suggests an option.
    """
    flow, total = found.flow, found.n
    before = {state: sum(flow[state].values()) for state in STATES}
    after = {state: sum(flow[other][state] for other in STATES) for state in STATES}
    left, right = _places(before, total), _places(after, total)
    room = {
        "left": _BODY - _GAP * (len(left) - 1),
        "right": _BODY - _GAP * (len(right) - 1),
    }
    bands: list[Markup] = []
    used = {("left", s): left[s][0] for s in left} | {("right", s): right[s][0] for s in right}
    for a in left:
        for b in right:
            number = flow[a][b]
            if not number:
                continue
            # Gaps take a little from the side with more nodes: a band keeps the smaller height.
            height = min(room.values()) * number / total
            words = f"{count(number)} of {count(total)}: {_WORDS[a]}, then {_WORDS[b]}"
            bands.append(
                _band((_LEFT + _NODE, _RIGHT), used["left", a], used["right", b], height,
                      _kind(a, b), words)
            )  # fmt: skip
            used["left", a] += room["left"] * number / total
            used["right", b] += room["right"] * number / total
    nodes: list[Markup] = []
    for x, places, sums, anchor, at in (
        (_LEFT, left, before, "end", _LEFT - 6),
        (_RIGHT, right, after, "start", _RIGHT + _NODE + 6),
    ):
        last = 0.0
        for state, (y, height) in places.items():
            nodes.append(rect(x, y, _NODE, max(height, 0.8), f"node {state}"))
            if sums[state] / total < _SMALLEST:
                continue
            middle = max(y + height / 2 + 4, last + 13)
            last = middle
            label = f"{_WORDS[state]} {percent(sums[state] / total, 0)}"
            nodes.append(text(at, middle, label, "label", anchor))
    said = (
        f"Of {count(total)} answers {count(flow['right']['right'])} stay right, "
        f"{count(before['right'] - flow['right']['right'])} are lost and "
        f"{count(after['right'] - flow['right']['right'])} are gained"
        + (f"; {count(sum(flow[s]['cue'] for s in STATES if s != 'cue'))} move to the suggested "
           "option." if cued else ".")
    )  # fmt: skip
    return drawing(
        ident, _WIDTH, _TOP + _BODY + 8, f"{model}, {name}", said,
        text(4, 13, shorten(name, _WIDTH - 40, 13), "name", title=name),
        text(_LEFT + _NODE, 31, sides[0], "tick", "end"),
        text(_RIGHT, 31, f"{sides[1]}, %", "tick"),
        *bands, *nodes,
    )  # fmt: skip


def flow_table(name: str, models: Mapping[str, ProbeModel], shown: Sequence[str]) -> Table:
    """Every transition of every model and probe, with intervals."""
    rows = []
    for model, found in models.items():
        for probe, result in found.probes.items():
            for key, words in (
                ("kept_right", "kept right, of all"), ("lost", "lost, of the right"),
                ("gained", "gained, of the others"), ("kept_wrong", "kept wrong, of all"),
                ("followed_cue", "on the cue, of pairs with one"),
                ("moved_to_cue", "moved to the cue, of pairs with one"),
                ("moved_elsewhere", "moved elsewhere, of all"), ("unread", "not read, of all"),
            ):  # fmt: skip
                share = getattr(result, key)
                if share.n == 0:
                    continue
                role = "control" if result.is_control else "probe"
                rows.append((model, probe, role, words, share.estimate, share.low, share.high,
                             share.n))  # fmt: skip
    columns = (
        Column("model"), Column(shown[0]), Column("role"), Column("share"), Column("%", "percent"),
        Column("low", "percent"), Column("high", "percent"), Column("n", "count"),
    )  # fmt: skip
    return table(name, "Where answers went, in %, with 95 % intervals.", columns, rows)
