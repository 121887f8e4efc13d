"""The reliability figure: how often answers are right that are this sure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from viva._probe_summary import Reliability
from viva.report import _axes
from viva.report._scale import linear
from viva.report._svg import circle, drawing, group, line, path, text
from viva.report._tables import Column, Figure, table
from viva.report._text import interval, percent, points, shorten

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["reliability_figure"]

_MOST = 12
_KIND = {"all": "all", "knowledge": "knowledge", "reasoning": "reasoning"}
_SIZE, _LEFT, _TOP, _END = 236.0, 40.0, 30.0, 196.0

Confidence = Mapping[str, Mapping[str, Mapping[str, Reliability]]]


def _panel(number: int, model: str, signal: str, scopes: Mapping[str, Reliability]) -> Markup:
    across = linear(0.0, 1.0, _LEFT, 226.0, 5)
    up = linear(0.0, 1.0, _END, _TOP, 5)
    shown = {s: r for s, r in scopes.items() if s != "all"} or dict(scopes)
    marks, legend, x = [], [], _LEFT
    for scope, found in shown.items():
        kind = _KIND.get(scope, "all")
        there = [b for b in found.bins if b.confidence is not None and b.accuracy is not None]
        placed = [(across(b.confidence or 0.0), up(b.accuracy or 0.0)) for b in there]
        for b, (bx, by) in zip(there, placed, strict=True):
            words = (
                f"{scope}: confidence {percent(b.confidence)} %, right {percent(b.accuracy)} % "
                f"{interval(b.accuracy_low, b.accuracy_high, share=True)}, n = {b.n:,}"
            )
            if b.accuracy_low is not None and b.accuracy_high is not None:
                low, high = up(b.accuracy_low), up(b.accuracy_high)
                marks.append(line(bx, low, bx, high, f"whisker {kind}"))
            marks.append(circle(bx, by, 3.4, f"mark {kind}", words))
        marks.append(path(placed, f"line {kind}"))
        legend += [circle(x + 4, _SIZE + 8, 3.4, f"mark {kind}"),
                   text(x + 12, _SIZE + 12, scope, "label")]  # fmt: skip
        x += 28 + 6.6 * len(scope)
    whole = scopes.get("all")
    said = "" if whole is None else (
        f"Overconfidence {points(whole.overconfidence.estimate)} points, n = {whole.n:,}."
    )  # fmt: skip
    return drawing(
        f"reliability-{number}", _SIZE, _SIZE + 18, f"{model}: reliability of {signal}", said,
        text(4, 14, shorten(f"{model} · {signal}", _SIZE - 8, 13), "name", title=model),
        _axes.left(up, _LEFT, 226.0, lambda v: f"{100 * v:.0f}"),
        line(across(0), up(0), across(1), up(1), "link"),
        _axes.bottom(across, _END, "confidence, %", lambda v: f"{100 * v:.0f}"),
        group(*marks), *legend,
    ).svg  # fmt: skip


def reliability_figure(confidence: Confidence) -> Figure | None:
    """Panels of every model and signal; None where no response carries one."""
    each = [(model, signal, scopes) for model, of in confidence.items()
            for signal, scopes in of.items()]  # fmt: skip
    if not each:
        return None
    rows = [
        (
            model, signal, scope, r.n, r.accuracy.estimate, r.confidence.estimate,
            r.overconfidence.estimate, r.overconfidence.low, r.overconfidence.high,
            r.ece.estimate, r.ece_debiased.estimate, r.brier.estimate, r.auroc.estimate,
            r.auroc.low, r.auroc.high,
        )
        for model, signal, scopes in each
        for scope, r in scopes.items()
    ]  # fmt: skip
    columns = (
        Column("model"), Column("signal"), Column("items"), Column("n", "count"),
        Column("right, %", "percent"), Column("confidence, %", "percent"),
        Column("overconfidence (points)", "points"), Column("low", "points"),
        Column("high", "points"), Column("ECE", "ratio"), Column("ECE debiased", "ratio"),
        Column("Brier", "ratio"), Column("AUROC", "ratio"), Column("low", "ratio"),
        Column("high", "ratio"),
    )  # fmt: skip
    more = f" {len(each) - _MOST} more are in the table." if len(each) > _MOST else ""
    return Figure(
        ident="figure-reliability",
        title="Is it right as often as it is sure",
        caption="Share of right answers by confidence, in bins of equal width, with 95 % "
        f"intervals. On the dotted line both are equal; below it the model is too sure.{more}",
        table=table("calibration", "Calibration by model, signal and stratum.", columns, rows),
        panels=tuple(_panel(k, *one) for k, one in enumerate(each[:_MOST])),
    )
