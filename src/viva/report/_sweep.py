"""The threshold sweep: the gap at every threshold on the probability of reasoning."""

from __future__ import annotations

from collections.abc import Callable

from viva._summary import Summary, SweepModel, SweepPoint
from viva.report import _axes
from viva.report._gap import by_gap
from viva.report._scale import Scale, extent, linear
from viva.report._svg import circle, drawing, group, line, path, text
from viva.report._tables import Column, Figure, table
from viva.report._text import percent, points, shorten

__all__ = ["sweep_figure"]

_OTHERS_SHOWN = 20
"""With more models than this, the lines of the others behind each panel would be a carpet."""


def _runs(
    sweep: list[SweepPoint], model: str, value: Callable[[SweepModel], float | None]
) -> list[list[tuple[float, float]]]:
    """Unbroken stretches of a line: a null breaks it."""
    runs: list[list[tuple[float, float]]] = [[]]
    for point in sweep:
        entry = point.models.get(model)
        found = value(entry) if entry else None
        if found is None:
            runs.append([])
        else:
            runs[-1].append((point.threshold, found))
    return [run for run in runs if run]


def sweep_figure(summary: Summary) -> Figure | None:
    """One panel per model; None where labels were given and nothing can be swept."""
    sweep = sorted(summary.sweep, key=lambda point: point.threshold)
    if len(sweep) < 2:
        return None
    models = by_gap(summary)
    low, high = extent(
        (
            value
            for point in sweep
            for entry in point.models.values()
            for value in (entry.pooled, entry.within, entry.within_low, entry.within_high)
        ),
        include=(0.0,),
    )
    first, last = sweep[0].threshold, sweep[-1].threshold
    ticks = tuple(t for t in (0.1, 0.3, 0.5, 0.7, 0.9) if first <= t <= last) or (first, last)
    x = Scale(first, last, 34, 227, ticks)
    y = linear(low, high, 150, 30, 5)
    share = linear(0, 1, 186, 160, 1)

    def draw(runs: list[list[tuple[float, float]]], cls: str) -> list[object]:
        return [path([(x(t), y(v)) for t, v in run], cls) for run in runs]

    within = {m: _runs(sweep, m, lambda e: e.within) for m in models}
    strip = path(
        [
            (x(first), share(0)),
            *((x(p.threshold), share(p.share_reasoning)) for p in sweep),
            (x(last), share(0)),
        ],
        "area",
        close=True,
    )
    panels = []
    for number, model in enumerate(models):
        band = [
            path(
                [(x(t), y(v)) for t, v in lower] + [(x(t), y(v)) for t, v in reversed(upper)],
                "band",
                close=True,
            )
            for lower, upper in zip(
                _runs(sweep, model, lambda e: e.within_low),
                _runs(sweep, model, lambda e: e.within_high),
                strict=False,
            )
        ]
        others = (
            [d for other in models if other != model for d in draw(within[other], "other")]
            if len(models) <= _OTHERS_SHOWN
            else []
        )
        hits = [
            circle(
                x(t),
                y(v),
                2.6,
                "mark within",
                f"{model}, threshold {t:g}: within {points(v)} points",
            )
            for run in within[model]
            for t, v in run
        ]
        empty = not within[model]
        svg = drawing(
            f"sweep-{number}",
            240,
            222,
            f"{model}: gap over thresholds",
            "Dashed line: pooled gap. Solid line with band: gap within benchmarks and its "
            "interval. Grey area: share of items called reasoning.",
            text(4, 15, shorten(model, 232, 13), "name", title=model),
            _axes.left(y, 34, 227, zero=True),
            *others,
            *band,
            line(x(summary.settings.threshold), 26, x(summary.settings.threshold), 186, "cursor"),
            *draw(_runs(sweep, model, lambda e: e.pooled), "line pooled"),
            *draw(within[model], "line within"),
            *hits,
            text(133, 90, "no estimate", "tick", "middle") if empty else "",
            group(
                strip,
                text(29, 186, "0", "tick small", "end"),
                text(29, 166, "1", "tick small", "end"),
            ),
            _axes.bottom(x, 186, "threshold on p(reasoning)"),
        )
        panels.append(svg.svg)
    rows = []
    for point in sweep:
        for model in models:
            entry = point.models.get(model)
            if entry:
                rows.append(
                    (
                        f"{point.threshold:g}",
                        point.share_reasoning,
                        model,
                        entry.pooled,
                        entry.within,
                        entry.within_low,
                        entry.within_high,
                    )
                )
    made = table(
        "sweep",
        "Gap at each threshold on the probability of reasoning, in points.",
        (
            Column("threshold"),
            Column("share reasoning (%)", "percent"),
            Column("model"),
            Column("pooled (points)", "points"),
            Column("within (points)", "points"),
            Column("low", "points"),
            Column("high", "points"),
        ),
        rows,
    )
    shares = [p.share_reasoning for p in sweep]
    caption = (
        "Dashed: pooled. Solid: within benchmarks, with its 95 % interval. Thin grey lines: the "
        "other models. Upright line: the threshold in force "
        f"({summary.settings.threshold:g}). Area below: share of items called reasoning, from "
        f"{percent(max(shares), 0)} % to {percent(min(shares), 0)} %."
    )
    return Figure(
        "figure-sweep",
        "The gap at every threshold of the splitter",
        caption,
        made,
        panels=tuple(panels),
    )
