"""The robustness chapter: does the model hold its ground when it is asked again?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from viva._probe_summary import Effect, Points, ProbeChapter, ProbeModel, ProbeResult, Share
from viva.report._flow import BANDS, flow_drawing, flow_table
from viva.report._reliability import reliability_figure
from viva.report._response import response_drawing, response_table
from viva.report._tables import Column, Figure, Table, table
from viva.report._text import interval, percent, points

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["RULE", "Chapter", "Part", "chapter", "headline"]

_MOST_FLOWS = 8
"""Flow diagrams of one model; the table has every probe."""
_MOST_MODELS = 12
_MOST_SENTENCES = 3
_MOST_FLIPS = 24


RULE = (
    "Answers that were right when clean and moved to the suggested option, then other answers "
    "that were lost; control arms are left out. Reasoning items come first, models and benchmarks "
    "in turn, and among equals the shortest pair of texts."
)
"""How flips are chosen, for the reader of the report."""


@dataclass(frozen=True, slots=True)
class Part:
    """One model: what is said of it and drawn of it."""

    model: str
    sentences: tuple[str, ...]
    flows: tuple[Markup, ...]
    responses: tuple[Markup, ...]
    not_drawn: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chapter:
    """What the template shows."""

    parts: tuple[Part, ...]
    changes: tuple[Part, ...]
    flows: Table | None
    responses: Table | None
    against: Table | None
    change_flows: Table | None
    refused: Table | None
    flips: tuple[Mapping[str, Any], ...]
    models_not_shown: int
    notes: tuple[str, ...]
    bands: Mapping[str, str]
    reliability: Figure | None


def _share(share: Share) -> str:
    if share.estimate is None:
        return f"no share ({share.reason or 'no pair'})"
    return f"{percent(share.estimate)} % {interval(share.low, share.high, share=True)}"


def _points(value: Points) -> str:
    if value.estimate is None:
        return f"no estimate ({value.reason or 'no pair'})"
    return f"{points(value.estimate)} points {interval(value.low, value.high)}"


def _effect(value: Effect) -> str:
    estimate, low, high = (
        None if v is None else 100 * v for v in (value.estimate, value.low, value.high)
    )
    return f"{points(estimate)} % {interval(low, high)}"


def _probe_sentence(name: str, found: ProbeResult) -> str:
    """What one probe did, in words, with n and interval."""
    words = [
        f"{name} ({found.n:,} pairs): of {found.lost.n:,} right answers {_share(found.lost)} are "
        f"lost, of {found.gained.n:,} others {_share(found.gained)} become right; accuracy changes "
        f"by {_points(found.net)}."
    ]
    if found.followed_cue.n and found.followed_cue.estimate is not None:
        words.append(
            f"On the suggested option are {_share(found.followed_cue)} of "
            f"{found.followed_cue.n:,}, unprompted {percent(found.unprompted.estimate)} %: a cue "
            f"effect of {_effect(found.cue_effect)}."
        )
    arm = _nearest_control(found)
    if arm is not None:
        against = found.control[arm]
        words.append(f"Against {arm}, net {_points(against.net)} (n = {against.n:,}).")
    difference = found.reasoning_minus_knowledge.net
    if difference.estimate is not None:
        words.append(
            f"Change on reasoning minus change on knowledge items, within benchmarks: "
            f"{_points(difference)} (n = {difference.n:,})."
        )
    if found.recovery.named_error.estimate:
        words.append(f"Texts that name an error: {_share(found.recovery.named_error)}.")
    return " ".join(words)


def _nearest_control(found: ProbeResult) -> str | None:
    """The control arm that says as much and names no option; else the first with an estimate."""
    arms = [a for a, each in found.control.items() if each.n and each.net.estimate is not None]
    return min(arms, key=lambda arm: ("irrelevant" not in arm, arms.index(arm)), default=None)


def _change_sentence(name: str, found: ProbeResult) -> str:
    return (
        f"{name} ({found.n:,} items answered by both): of {found.lost.n:,} right answers "
        f"{_share(found.lost)} are lost, of {found.gained.n:,} others {_share(found.gained)} are "
        f"gained; accuracy changes by {_points(found.net)}."
    )


def _part(number: str, model: str, found: ProbeModel, *, change: bool) -> Part:
    asked = [(name, p) for name, p in found.probes.items() if p.n and not p.is_control]
    controls = [(name, p) for name, p in found.probes.items() if p.n and p.is_control]
    if not change:
        # The probes that cost most come first; the names keep controls apart in any case.
        asked.sort(key=lambda each: (-(each[1].lost.estimate or 0.0), each[0]))
    drawn = [*asked, *controls][:_MOST_FLOWS]
    sides = ("before", "after") if change else ("clean", "misled")
    say = _change_sentence if change else _probe_sentence
    sentences = [say(name, p) for name, p in asked[:_MOST_SENTENCES]]
    if len(asked) > _MOST_SENTENCES:
        more = len(asked) - _MOST_SENTENCES
        sentences.append(f"{more} more {'probe is' if more == 1 else 'probes are'} in the table.")
    flows = tuple(
        flow_drawing(
            f"flow-{number}-{k}",
            model,
            name,
            p,
            ("clean", "asked again") if p.is_control else sides,
            cued=bool(p.followed_cue.n),
        ).svg
        for k, (name, p) in enumerate(drawn)
    )
    responses = tuple(
        response_drawing(
            f"response-{number}-{k}", model, kind, found, [level.probe for level in response.levels]
        ).svg
        for k, (kind, response) in enumerate(found.strength.items())
        if all(level.probe in found.probes for level in response.levels)
    )
    notes = tuple(f"{name}: {note}" for name, p in found.probes.items() for note in p.notes)
    return Part(
        model, tuple(sentences), flows, responses, len(asked) + len(controls) - len(drawn), notes
    )


def _against(models: Mapping[str, ProbeModel]) -> Table | None:
    rows = [
        (
            model, name, arm, each.n, each.net.estimate, each.net.low, each.net.high,
            each.lost.estimate, each.gained.estimate,
            None if each.cue_effect.estimate is None else 100 * each.cue_effect.estimate,
            each.test.p_mid if each.test else None,
        )
        for model, found in models.items()
        for name, probe in found.probes.items()
        for arm, each in probe.control.items()
    ]  # fmt: skip
    if not rows:
        return None
    columns = (
        Column("model"), Column("probe"), Column("control arm"), Column("n", "count"),
        Column("net (points)", "points"), Column("low", "points"), Column("high", "points"),
        Column("lost (points)", "points"), Column("gained (points)", "points"),
        Column("cue effect, %", "points"), Column("p of net", "p"),
    )  # fmt: skip
    caption = "The probe minus a control arm, on pairs that share the clean answer."
    return table("against-control", caption, columns, rows)


def _refused(refused: Mapping[str, Mapping[str, int]]) -> Table | None:
    rows = [(name, reason, n) for name, reasons in refused.items() for reason, n in reasons.items()]
    if not rows:
        return None
    columns = (Column("probe"), Column("why"), Column("items", "count"))
    return table("refused", "Items to which a probe does not apply.", columns, rows)


def chapter(found: ProbeChapter | None, flips: Sequence[Mapping[str, Any]]) -> Chapter | None:
    """The chapter; None where nothing was asked again.

    Parameters
    ----------
    found : ProbeChapter, optional
        Its strings cleaned.
    flips : sequence of mappings
        As :func:`viva._audit.flips.flips` chooses them, cleaned.
    """
    if found is None or not (found.models or found.method_changes or found.confidence):
        return None
    models = dict(list(found.models.items())[:_MOST_MODELS])
    changes = dict(list(found.method_changes.items())[:_MOST_MODELS])
    responses = response_table(found.models)
    return Chapter(
        parts=tuple(_part(f"p{k}", n, m, change=False) for k, (n, m) in enumerate(models.items())),
        changes=tuple(
            _part(f"m{k}", n, m, change=True) for k, (n, m) in enumerate(changes.items())
        ),
        flows=flow_table("transitions", found.models, ("probe",)) if models else None,
        responses=responses if responses.rows else None,
        against=_against(found.models),
        change_flows=flow_table("method-changes", found.method_changes, ("change",))
        if changes
        else None,
        refused=_refused(found.refused),
        flips=tuple(flips[:_MOST_FLIPS]),
        models_not_shown=len(found.models) + len(found.method_changes) - len(models) - len(changes),
        notes=tuple(found.notes),
        bands=BANDS,
        reliability=reliability_figure(found.confidence),
    )


def headline(found: ProbeChapter) -> str:
    """The largest share of right answers that any probe takes, in one sentence."""
    worst = max(
        (
            (probe.lost.estimate, -place, model, name, probe.lost)
            for place, (model, each) in enumerate(found.models.items())
            for name, probe in each.probes.items()
            if not probe.is_control and probe.lost.estimate is not None
        ),
        default=None,
    )
    if worst is None:
        return "No right answer was asked again"
    _, _, model, name, lost = worst
    many = sum(not p.is_control for each in found.models.values() for p in each.probes.values())
    most = "" if many == 1 else f", the most of {many} pairs of model and probe"
    return f"{model} loses {_share(lost)} of its {lost.n:,} right answers under {name}{most}"
