"""The robustness strips: where the headline gap falls under each variation of the analysis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from viva._summary import RobustnessCard, Summary
from viva.report import _axes
from viva.report._gap import by_gap
from viva.report._scale import extent, linear
from viva.report._svg import circle, drawing, group, line, text
from viva.report._text import interval, points, shorten

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["Card", "cards", "sign_in_words"]

_FAMILIES = ("threshold", "view", "definition", "control", "weights")


@dataclass(frozen=True, slots=True)
class Card:
    """One model: the strip, the words, and the sign as a chip."""

    model: str
    sign: str
    sign_words: str
    words: str
    strip: Markup


def sign_in_words(card: RobustnessCard | None) -> str:
    """The sign of the headline gap and whether it survives, in three words or fewer."""
    if card is None:
        return "not checked"
    if card.sign == "none":
        return "unclear"
    side = "worse" if card.sign == "negative" else "better"
    return f"{side}, robust" if card.survives else f"{side}, not robust"


def _strip(number: int, summary: Summary, model: str, span: tuple[float, float]) -> Markup:
    card = summary.robustness[model]
    within = summary.models[model].gap.within
    scale = linear(*span, 76, 232, 4, tight=True)
    top, row = 26.0, 19.0
    families = [f for f in _FAMILIES if any(c.family == f for c in card.checks)]
    end = top + row * max(1, len(families))
    marks = []
    for k, family in enumerate(families):
        y = top + (k + 0.5) * row
        marks.append(text(68, y + 4, family, "label", "end"))
        for check in card.checks:
            if check.family != family:
                continue
            if check.estimate is None:
                continue
            words = (
                f"{model}, {family} {check.name}: {points(check.estimate)} points "
                f"{interval(check.low, check.high)}"
            )
            marks.append(circle(scale(check.estimate), y, 3.6, "mark check", words))
    headline = (
        group(line(scale(within.estimate), top - 4, scale(within.estimate), end, "headline"))
        if within.estimate is not None
        else ""
    )
    return drawing(
        f"robust-{number}", 240, end + 20, f"{model}: the gap under each variation",
        "One dot per variation of the analysis; the upright solid line is the headline gap.",
        text(4, 15, shorten(model, 232, 13), "name", title=model),
        _axes.grid(scale, top - 4, end, zero=True),
        headline,
        *marks,
        text(152, top + 14, "no variation applies", "tick", "middle") if not families else "",
        _axes.bottom(scale, end),
    ).svg  # fmt: skip


def cards(summary: Summary) -> list[Card]:
    """One card per model, from the largest to the smallest headline gap."""
    models = [m for m in by_gap(summary) if m in summary.robustness]
    span = extent(
        (c.estimate for m in models for c in summary.robustness[m].checks), include=(0.0,)
    )
    return [
        Card(
            m,
            summary.robustness[m].sign,
            sign_in_words(summary.robustness[m]),
            summary.robustness[m].words,
            _strip(k, summary, m, span),
        )
        for k, m in enumerate(models)
    ]
