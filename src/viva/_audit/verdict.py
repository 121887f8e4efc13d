"""The findings in plain words. No sign is expected; every sentence carries its numbers."""

from __future__ import annotations

from collections.abc import Sequence

from viva._summary import Gap, ModelSummary, RobustnessCard, Verdict

__all__ = ["verdict"]

MINUS = "\N{MINUS SIGN}"


def points(value: float) -> str:
    """A signed number of points with a true minus sign, one decimal; never "-0.0"."""
    rounded = round(value, 1) + 0.0
    if rounded == 0:
        return "0.0"
    return f"{'+' if rounded > 0 else MINUS}{abs(rounded):.1f}"


def _interval(gap: Gap) -> str:
    assert gap.low is not None and gap.high is not None
    return f"95 % CI {points(gap.low)} to {points(gap.high)}"


def _sign(gap: Gap) -> int:
    """-1 or 1 where the interval excludes 0, else 0."""
    if gap.low is None or gap.high is None:
        return 0
    return (gap.low > 0) - (gap.high < 0)


def _span(gaps: Sequence[Gap]) -> str:
    values = sorted(gap.estimate for gap in gaps if gap.estimate is not None)
    if not values:
        return "not estimable"
    if points(values[0]) == points(values[-1]):
        return f"{points(values[0])} points"
    return f"{points(values[0])} to {points(values[-1])} points"


def _model(model: ModelSummary, card: RobustnessCard | None) -> str:
    pooled, within = model.gap.pooled, model.gap.within
    if within.estimate is None:
        known = (
            f" Pooled gap {points(pooled.estimate)} points." if pooled.estimate is not None else ""
        )
        return f"No gap inside benchmarks can be given: {within.reason}.{known}"
    finding = {
        -1: "Weaker on reasoning than on knowledge inside benchmarks",
        0: "No difference between reasoning and knowledge is shown inside benchmarks",
        1: "Stronger on reasoning than on knowledge inside benchmarks",
    }[_sign(within)]
    words = f"{finding}: {points(within.estimate)} points ({_interval(within)})."
    if pooled.estimate is not None:
        words += (
            f" Pooled over benchmarks the gap reads {points(pooled.estimate)}; "
            f"{points(pooled.estimate - within.estimate)} of it is how the benchmarks are mixed."
        )
    return f"{words} {card.words}" if card else words


def _count(number: int, of: int, noun: str = "model") -> str:
    if of == 1:
        return f"the {noun}" if number else f"not the {noun}"
    if number == of:
        return f"all {of} {noun}s"
    if number == 0:
        return f"none of the {of} {noun}s"
    return f"{number} of {of} {noun}s"


def _headline(models: dict[str, ModelSummary]) -> str:
    pooled = [m.gap.pooled for m in models.values() if m.gap.pooled.estimate is not None]
    within = [m.gap.within for m in models.values() if m.gap.within.estimate is not None]
    if not within:
        reason = next(iter(models.values())).gap.within.reason
        return f"No gap inside benchmarks can be given: {reason}."
    worse = sum(_sign(gap) < 0 for gap in within)
    better = sum(_sign(gap) > 0 for gap in within)
    total = len(within)
    if total == 1:
        sign = _sign(within[0])
        shown = {
            -1: "the model is weaker on reasoning",
            0: "no difference is shown",
            1: "the model is stronger on reasoning",
        }[sign]
    elif worse == better == 0:
        shown = f"no difference is shown for any of the {total} models"
    else:
        parts = []
        if worse:
            parts.append(f"{worse} of {total} models are weaker on reasoning")
        if better:
            parts.append(f"{better} of {total} are stronger on it")
        if total - worse - better:
            parts.append(f"no difference is shown for {total - worse - better}")
        shown = ", ".join(parts)
    return (
        f"Pooled over benchmarks, reasoning items look {_span(pooled)} apart from knowledge items; "
        f"inside benchmarks it is {_span(within)}, and {shown}."
    )


def verdict(
    models: dict[str, ModelSummary],
    robustness: dict[str, RobustnessCard],
    *,
    definition: str,
    outside: Sequence[str],
) -> Verdict:
    """Sentences on what was found, and how far it can be trusted.

    Parameters
    ----------
    models, robustness
        As in the summary.
    definition : str
        Name of the definition of reasoning in force.
    outside : sequence of str
        Benchmarks left out of the gaps because the splitter does not know their kind.
    """
    sentences: list[str] = []
    ungraded = {name: m.ungraded for name, m in models.items() if m.ungraded}
    if ungraded:
        worst = max(ungraded, key=lambda name: ungraded[name])
        sentences.append(
            f"{sum(ungraded.values()):,} responses could not be graded because there is none "
            f"({worst}: {ungraded[worst]:,}); they are outside every denominator."
        )
    tested = [card.survives for card in robustness.values() if card.survives is not None]
    if tested:
        sentences.append(
            f"Where the gap inside benchmarks excludes 0 ({_count(len(tested), len(models))}), its "
            "direction survives other thresholds, text views, definitions and controls for "
            f"{_count(sum(tested), len(tested))}."
        )
    unread = {
        name: (m.unparsed + m.ambiguous) / (m.n - m.ungraded)
        for name, m in models.items()
        if m.n > m.ungraded
    }
    if unread:
        worst = max(unread, key=lambda name: unread[name])
        if unread[worst] >= 0.005:
            sentences.append(
                f"Up to {100 * unread[worst]:.1f} % of responses hold no readable answer "
                f"({worst}); they count as not right and are shown."
            )
    if definition == "rubric":
        sentences.append(
            "What counts as reasoning follows a written rubric whose labels come from a language "
            "model, not from clinicians."
        )
    if outside:
        sentences.append(
            f"Outside the splitter's domain and left out of the gaps: {', '.join(outside)}."
        )
    return Verdict(
        headline=_headline(models),
        sentences=sentences,
        models={name: _model(model, robustness.get(name)) for name, model in models.items()},
    )
