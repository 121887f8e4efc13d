"""The findings in plain words. No sign is expected; every sentence carries its numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from viva._audit.ungraded import warnings
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
    if points(values[0]) == points(values[-1]):
        return f"{points(values[0])} points"
    return f"{points(values[0])} to {points(values[-1])} points"


def _survival(card: RobustnessCard | None, sign: int) -> str:
    """Whether the direction of a gap survives the variants that were tried."""
    if card is None or not sign or not card.checks:
        return ""
    other = [check for check in card.checks if check.estimate is not None
             and check.estimate * sign <= 0]  # fmt: skip
    if not other:
        return f" All {len(card.checks)} other ways to look at it point the same way."
    names = ", ".join(f"{check.family} {check.name}" for check in other[:3])
    more = ", …" if len(other) > 3 else ""
    return (
        f" {len(other)} of {len(card.checks)} other ways to look at it do not point the same way "
        f"({names}{more})."
    )


def _model(model: ModelSummary, card: RobustnessCard | None) -> str:
    pooled, within = model.gap.pooled, model.gap.within
    if within.estimate is None:
        known = (
            f" Pooled over benchmarks it reads {points(pooled.estimate)}."
            if pooled.estimate is not None
            else ""
        )
        return f"No gap inside benchmarks can be given: {within.reason}.{known}"
    sign = _sign(within)
    finding = {
        -1: "weaker on reasoning",
        0: "no difference is shown",
        1: "stronger on reasoning",
    }[sign]
    words = f"Inside benchmarks {points(within.estimate)} points ({_interval(within)}): {finding}."
    if pooled.estimate is not None and within.benchmarks != pooled.benchmarks[:1]:
        words += (
            f" Pooled it reads {points(pooled.estimate)}; the mix of benchmarks accounts for "
            f"{points(pooled.estimate - within.estimate)}."
        )
    return words + _survival(card, sign)


def _tried(cards: Iterable[RobustnessCard]) -> str:
    """The kinds of variation that were tried: with given labels only controls are."""
    plural = {
        "threshold": "thresholds",
        "view": "text views",
        "definition": "definitions",
        "control": "controls",
    }
    families = {check.family for card in cards for check in card.checks}
    kinds = [words for family, words in plural.items() if family in families]
    if len(kinds) < 2:
        return "other " + "".join(kinds)
    return f"other {', '.join(kinds[:-1])} and {kinds[-1]}"


def _signs(gaps: Sequence[Gap], *, looks: bool = False) -> str:
    """How many models are (or look) weaker, stronger or neither, as one clause."""
    signs = [_sign(gap) for gap in gaps]
    total = len(signs)
    singular, plural = ("looks", "look") if looks else ("is", "are")
    if total == 1:
        return {
            -1: f"the model {singular} weaker on reasoning",
            0: "the model shows no difference between reasoning and knowledge",
            1: f"the model {singular} stronger on reasoning",
        }[signs[0]]
    counts = [(signs.count(-1), "weaker"), (signs.count(1), "stronger"), (signs.count(0), "")]
    counts = [(number, word) for number, word in counts if number]
    parts = []
    for place, (number, word) in enumerate(counts):
        who = f"{number}" if place else f"{number} of {total} models"
        if not place and number == total:
            who = f"all {total} models"
        many = number > 1
        if word:
            on = " on reasoning" if not place else ""
            parts.append(f"{who} {plural if many else singular} {word}{on}")
        else:
            parts.append(f"{who} {'show' if many else 'shows'} no difference")
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _headline(models: dict[str, ModelSummary]) -> tuple[str, list[str]]:
    """The headline, and the sentence with its numbers."""
    within = [m.gap.within for m in models.values() if m.gap.within.estimate is not None]
    if not within:
        reason = next(iter(models.values())).gap.within.reason
        return f"No gap inside benchmarks can be given: {reason}.", []
    pooled = [m.gap.pooled for m in models.values() if m.gap.pooled.estimate is not None]
    inside = _signs(within)
    headline = f"Inside benchmarks, {inside}."
    several = any(len(gap.benchmarks) > 1 for gap in pooled)
    if not several:
        return headline, [f"The gap is {_span(within)}, from one benchmark."]
    return (
        f"Pooled over benchmarks, {_signs(pooled, looks=True)}. {headline}",
        [
            f"Pooled, the gap between reasoning and knowledge items reads {_span(pooled)}; inside "
            f"benchmarks it is {_span(within)}. The rest is how the benchmarks are mixed."
        ],
    )


def verdict(
    models: dict[str, ModelSummary],
    robustness: dict[str, RobustnessCard],
    *,
    definition: str,
    outside: Mapping[str, str],
    given: Sequence[str] = (),
    measure: str = "accuracy",
) -> Verdict:
    """Sentences on what was found, and how far it can be trusted.

    Parameters
    ----------
    models, robustness
        As in the summary.
    definition : str
        Name of the definition of reasoning in force.
    outside : mapping of str to str
        Benchmarks left out of the gaps because the splitter does not know their kind, and why.
    given : sequence of str
        What the splitter makes of labels that came with the items and are not in force.
    measure : str
        What means of the values are called.
    """
    headline, sentences = _headline(models)
    if measure != "accuracy":
        sentences.insert(0, f"Gaps and comparisons are of the {measure}, from 0 to 100 %.")
    tested = [card.survives for card in robustness.values() if card.survives is not None]
    tried = _tried(robustness.values())
    if tested and len(tested) == len(robustness) == 1:
        holds = "survives" if tested[0] else "does not survive"
        sentences.append(f"Its direction {holds} {tried}.")
    elif tested:
        kept = sum(tested)
        holds = (
            ("survives" if kept else "does not survive")
            if len(tested) == 1
            else f"survives for {'all' if kept == len(tested) else kept} of them under"
        )
        sentences.append(
            f"A direction is shown for {len(tested)} of {len(robustness)} models; it {holds} "
            f"{tried}."
        )
    unread = {
        name: (m.unparsed + m.ambiguous) / (m.n - m.ungraded)
        for name, m in models.items()
        if m.n > m.ungraded
    }
    if unread:
        worst = max(unread, key=lambda name: unread[name])
        costs = "they count as not right and are shown"
        if measure != "accuracy":
            costs = "they get what the metric gives an unread answer"
        if unread[worst] >= 0.005:
            sentences.append(
                f"Up to {100 * unread[worst]:.1f} % of responses hold no readable answer "
                f"({worst}); {costs}."
            )
    missing = {n: m.undefined / (m.n - m.ungraded) for n, m in models.items() if m.n > m.ungraded}
    if any(missing.values()):
        most = max(missing, key=lambda name: missing[name])
        sentences.append(
            f"For up to {100 * missing[most]:.1f} % of responses ({most}) the metric is not "
            "defined; they are in no mean."
        )
    if definition == "rubric":
        sentences.append(
            "What counts as reasoning follows a written rubric whose labels come from a language "
            "model, not from clinicians."
        )
    if outside:
        why = [f"{name} ({reason})" if reason else name for name, reason in outside.items()]
        sentences.append(
            f"Outside the splitter's domain and left out of the gaps: {', '.join(why)}."
        )
    sentences += given
    return Verdict(
        headline=headline,
        warnings=warnings(models),
        sentences=sentences,
        models={name: _model(model, robustness.get(name)) for name, model in models.items()},
    )
