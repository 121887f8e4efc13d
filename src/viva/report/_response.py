"""Strength and response: what stronger misleading does, by stratum, beside the control arm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

from viva._probe_summary import ProbeModel, ProbeResult, Transitions
from viva.report import _axes
from viva.report._scale import Scale, extent, linear
from viva.report._svg import Drawing, circle, drawing, group, line, path, text
from viva.report._tables import Column, Table, table
from viva.report._text import interval, points, shorten

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["Curve", "curves", "response_drawing", "response_table"]

_STRATA: tuple[Literal["knowledge", "reasoning"], ...] = ("knowledge", "reasoning")
_MEASURES = (("net", "accuracy, change in points"), ("cue", "on the suggested option, %"))
_WIDTH, _HEIGHT = 560.0, 232.0
_PANELS = ((46.0, 268.0), (330.0, 552.0))
_TOP, _BOTTOM = 44.0, 176.0


class Value(NamedTuple):
    """A point of a curve, in points or in %."""

    estimate: float | None
    low: float | None
    high: float | None
    n: int


class Curve(NamedTuple):
    """One line: a stratum, or a control arm."""

    name: str
    kind: str
    """Class of its marks: knowledge, reasoning, all, control."""
    net: tuple[Value, ...]
    cue: tuple[Value, ...]


def _net(found: Transitions | None) -> Value:
    if found is None:
        return Value(None, None, None, 0)
    return Value(found.net.estimate, found.net.low, found.net.high, found.net.n)


def _cue(found: Transitions | None) -> Value:
    if found is None or found.followed_cue.estimate is None:
        return Value(None, None, None, 0)
    share = found.followed_cue
    estimate, low, high = (
        None if v is None else 100 * v for v in (share.estimate, share.low, share.high)
    )
    return Value(estimate, low, high, share.n)


def _curve(name: str, kind: str, found: list[Transitions | None]) -> Curve:
    return Curve(name, kind, tuple(map(_net, found)), tuple(map(_cue, found)))


def curves(model: ProbeModel, levels: list[str]) -> list[Curve]:
    """The lines of one kind of probe, whose strengths are the ``levels``, weakest first."""
    probes = [model.probes[name] for name in levels]
    made = [
        _curve(stratum, stratum, [probe.strata.get(stratum) for probe in probes])
        for stratum in _STRATA
        if any(stratum in probe.strata for probe in probes)
    ]
    made = [curve for curve in made if any(v.estimate is not None for v in curve.net)]
    if not made:
        made = [_curve("all items", "all", list(probes))]
    control = [_control(model, probe, name) for probe, name in zip(probes, levels, strict=True)]
    if any(control):
        made.append(_curve("control arm", "control", list(control)))
    return made


def _control(model: ProbeModel, probe: ProbeResult, name: str) -> ProbeResult | None:
    """The control arm that has the same length and names no option; else the neutral one."""
    strength = name.partition("@")[0].rpartition(".")[2]
    arms = [model.probes[arm] for arm in probe.control if arm in model.probes]
    named = {arm: model.probes[arm] for arm in probe.control if arm in model.probes}
    for word in (f"irrelevant.{strength}", "irrelevant", "empty"):
        for arm, found in named.items():
            if word in arm:
                return found
    return arms[0] if len(arms) == 1 else None


def _lines(scale: Scale, across: list[float], curve: Curve, values: tuple[Value, ...],
           shift: float, unit: str) -> Markup:  # fmt: skip
    marks: list[Markup] = []
    placed = []
    for x, value in zip(across, values, strict=True):
        if value.estimate is None:
            continue
        x += shift
        placed.append((x, scale(value.estimate)))
        words = f"{curve.name}: {points(value.estimate)} {unit} {interval(value.low, value.high)}"
        if value.low is not None and value.high is not None:
            marks.append(line(x, scale(value.low), x, scale(value.high), f"whisker {curve.kind}"))
        marks.append(circle(x, scale(value.estimate), 3.8, f"mark {curve.kind}", words))
    return group(path(placed, f"line {curve.kind}"), *marks)


def response_drawing(ident: str, model: str, kind: str, model_: ProbeModel,
                     levels: list[str]) -> Drawing:  # fmt: skip
    """Both measures of one model and kind of probe over strengths."""
    found = curves(model_, levels)
    words = [name.partition("@")[0].rpartition(".")[2] for name in levels]
    panels: list[Markup] = []
    for (measure, label), (start, end) in zip(_MEASURES, _PANELS, strict=True):
        values = [v for curve in found for v in getattr(curve, measure)]
        span = extent((x for v in values for x in (v.estimate, v.low, v.high)), include=(0.0,))
        scale = linear(*span, _BOTTOM, _TOP, 5)
        step = (end - start) / len(levels)
        across = [start + (k + 0.5) * step for k in range(len(levels))]
        panels += [
            text(start - 34, 30, label, "head"),
            _axes.left(scale, start, end, zero=True),
            *(
                text(x, _BOTTOM + 15, word, "tick", "middle")
                for x, word in zip(across, words, strict=True)
            ),
            *(
                _lines(scale, across, curve, getattr(curve, measure),
                       6.0 * (k - (len(found) - 1) / 2), "points" if measure == "net" else "%")
                for k, curve in enumerate(found)
            ),
        ]  # fmt: skip
    legend, x = [], _PANELS[0][0]
    for curve in found:
        legend += [
            line(x - 4, _HEIGHT - 12, x + 12, _HEIGHT - 12, f"line {curve.kind}"),
            circle(x + 4, _HEIGHT - 12, 3.8, f"mark {curve.kind}"),
            text(x + 18, _HEIGHT - 8, curve.name, "label"),
        ]
        x += 40 + 6.6 * len(curve.name)
    return drawing(
        ident, _WIDTH, _HEIGHT, f"{model}, {kind}: response to strength",
        f"Change of accuracy and share on the suggested option under {', '.join(words)} starts.",
        text(12, 13, shorten(f"{model} · {kind}", _WIDTH - 60, 13), "name", title=model),
        *panels, *legend,
    )  # fmt: skip


def response_table(models: Mapping[str, ProbeModel]) -> Table:
    """The numbers behind the curves."""
    rows = []
    for name, model in models.items():
        for kind, response in model.strength.items():
            levels = [level.probe for level in response.levels]
            for curve in curves(model, levels):
                for measure, values in (("net", curve.net), ("on the cue, %", curve.cue)):
                    for level, value in zip(levels, values, strict=True):
                        if value.estimate is not None:
                            rows.append(
                                (name, kind, curve.name, measure, level, value.estimate, value.low,
                                 value.high, value.n)
                            )  # fmt: skip
    columns = (
        Column("model"), Column("kind"), Column("line"), Column("measure"), Column("probe"),
        Column("value", "number"), Column("low", "number"), Column("high", "number"),
        Column("n", "count"),
    )  # fmt: skip
    caption = "Change of accuracy in points and share on the suggested option, with 95 % intervals."
    return table("strength-response", caption, columns, rows)
