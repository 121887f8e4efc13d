"""The share of reasoning items in each benchmark, at every threshold of the splitter."""

from __future__ import annotations

from viva._summary import Summary
from viva.report import _axes
from viva.report._scale import Scale, linear
from viva.report._svg import circle, drawing, line, path, text
from viva.report._tables import Column, Figure, table
from viva.report._text import percent, shorten

__all__ = ["shares_figure"]


def shares_figure(summary: Summary) -> Figure | None:
    """One panel per benchmark; None where labels were given and nothing can be swept."""
    curves = {
        name: sorted((float(t), share) for t, share in benchmark.share_by_threshold.items())
        for name, benchmark in summary.benchmarks.items()
        if len(benchmark.share_by_threshold) > 1
    }
    if not curves:
        return None
    first = min(curve[0][0] for curve in curves.values())
    last = max(curve[-1][0] for curve in curves.values())
    ticks = tuple(t for t in (0.1, 0.3, 0.5, 0.7, 0.9) if first <= t <= last) or (first, last)
    x = Scale(first, last, 34, 227, ticks)
    y = linear(0, 100, 130, 30, 4)
    panels = []
    for number, (name, curve) in enumerate(curves.items()):
        svg = drawing(
            f"shares-{number}",
            240,
            166,
            f"{name}: share of reasoning items over thresholds",
            "Line: share of the benchmark's items called reasoning, in per cent.",
            text(4, 15, shorten(name, 232, 13), "name", title=name),
            _axes.left(y, 34, 227, zero=True),
            line(x(summary.settings.threshold), 26, x(summary.settings.threshold), 130, "cursor"),
            path([(x(t), y(100 * share)) for t, share in curve], "line within"),
            *(
                circle(
                    x(t),
                    y(100 * share),
                    2.6,
                    "mark within",
                    f"{name}, threshold {t:g}: {percent(share)} % reasoning",
                )
                for t, share in curve
            ),
            _axes.bottom(x, 130, "threshold on p(reasoning)"),
        )
        panels.append(svg.svg)
    made = table(
        "shares",
        "Share of items called reasoning, by benchmark and threshold.",
        (Column("benchmark"), Column("threshold"), Column("share reasoning (%)", "percent")),
        [(name, f"{t:g}", share) for name, curve in curves.items() for t, share in curve],
    )
    return Figure(
        "figure-shares",
        "How much of each benchmark is reasoning",
        "Share of a benchmark's items whose probability of reasoning reaches the threshold, in per "
        f"cent. Upright line: the threshold in force ({summary.settings.threshold:g}). A steep "
        "line at the threshold means that the split hangs on it.",
        made,
        panels=tuple(panels),
    )
