"""How likely each item needs reasoning, under one named definition, and a band of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from viva.errors import InputError
from viva.records import Item, items_frame
from viva.synthesis._generated import stepped
from viva.synthesis._sorting import given, sort_out
from viva.synthesis.example import Example
from viva.synthesis.steps import Made

__all__ = ["REASONS", "definition_of", "p_reasoning"]

REASONS = (
    "p_reasoning below the band",
    "p_reasoning above the band",
    "outside what the splitter learnt from",
    "no given stratum",
)
_BELOW, _ABOVE, _OUTSIDE, _NONE = REASONS


class _Scored(NamedTuple):
    """One item."""

    p: float | None
    """None where nothing is given."""
    cross_fitted: bool
    in_domain: bool


def definition_of(example: Example) -> str | None:
    """The definition under which ``scores["p_reasoning"]`` was made; None where no step says it."""
    for step in reversed(example.provenance):
        if step.step == "p_reasoning":
            return str(step.settings["definition"])
    return None


def _by_splitter(items: Sequence[Item], definition: str, text_view: str) -> list[_Scored]:
    from viva.strata import predict

    found = predict(items_frame(items), definition, text_view)
    columns = ("p_reasoning", "cross_fitted", "in_domain")
    return [_Scored(*row) for row in found.select(columns).iter_rows()]


def _as_given(items: Sequence[Item], definition: str | None) -> tuple[list[_Scored], str]:
    """What the items say themselves, all under one definition."""
    labelled = [i for i in items if i.stratum is not None or i.p_reasoning is not None]
    named = Counter(item.stratum_definition or "unnamed" for item in labelled)
    if not labelled:
        raise InputError(
            "no item has a given stratum", where="p_reasoning",
            mend="Let the splitter score them: definition = 'rubric'",
        )  # fmt: skip
    if definition is None and len(named) > 1:
        told = ", ".join(f"{name} ({n})" for name, n in sorted(named.items()))
        raise InputError(
            f"strata are given under several definitions: {told}", where="p_reasoning",
            mend="They are not to be mixed: name one, given = '...', or use definition = 'rubric'",
        )  # fmt: skip
    name = definition or next(iter(named))
    if name not in named:
        raise InputError(
            f"no stratum is given under {name!r}", where="p_reasoning",
            mend=f"Given are: {', '.join(sorted(named))}",
        )  # fmt: skip
    scored = []
    for item in items:
        own = item.p_reasoning
        if own is None and item.stratum is not None:
            own = float(item.stratum == "reasoning")
        if (item.stratum_definition or "unnamed") != name:
            own = None
        scored.append(_Scored(own, False, True))
    return scored, name


def p_reasoning(
    examples: Sequence[Example],
    *,
    definition: str = "rubric",
    given_definition: str | None = None,
    minimum: float = 0.0,
    maximum: float = 1.0,
    text_view: str = "stem+options",
    outside: str = "drop",
) -> Made:
    """Score the probability that an item needs reasoning, and keep a band of it.

    Scores follow one definition only. The splitter's are calibrated probabilities; those of a
    stem among its training labels come from a fit that left it out. A given stratum counts as 1
    (reasoning) or 0 where no probability is given beside it.

    Parameters
    ----------
    examples : sequence of Example
    definition : {"rubric", "medxpertqa", "given"}
        The splitter under one of its definitions, or what the items say themselves.
    given_definition : str, optional
        Where several definitions are given: which. Items given under another one go.
    minimum, maximum : float
        The band, 0..1, both included.
    text_view : {"stem", "stem+options", "stem+context"}
        What the splitter reads.
    outside : {"drop", "keep"}
        Items of a kind that the splitter did not learn from (:mod:`viva.strata.domain`), where a
        band is asked for: its score for them is no calibrated probability. Without a band all
        are scored and kept.

    Returns
    -------
    Made
        ``scores["p_reasoning"]`` is set; the provenance tells the definition, and where they
        apply ``cross_fitted`` and ``outside``. ``report`` counts by source and gives the
        ``definition``, the ``mean``, shares ``cross_fitted`` and ``outside`` of the items, and a
        histogram in ten ``bins``.

    Raises
    ------
    InputError
        An unknown definition or view, a band outside 0..1, given strata of several definitions;
        nothing left.
    """
    examples = given("p_reasoning", examples)
    if not 0 <= minimum <= maximum <= 1:
        raise InputError(
            f"the band is {minimum} to {maximum}", where="p_reasoning",
            mend="Use 0 <= minimum <= maximum <= 1",
        )  # fmt: skip
    if outside not in ("drop", "keep"):
        raise InputError(
            f"outside is {outside!r}", where="p_reasoning", mend="Use 'drop' or 'keep'"
        )
    if given_definition is not None and definition != "given":
        raise InputError(
            "given_definition names a definition of given strata", where="p_reasoning",
            mend="Set definition = 'given' too, or leave it out",
        )  # fmt: skip
    places: dict[tuple[str, str], int] = {}
    items: list[Item] = []
    for example in examples:
        item = example.item
        if places.setdefault((item.benchmark, item.item_id), len(items)) == len(items):
            items.append(item)
    name = definition
    if definition == "given":
        scored, name = _as_given(items, given_definition)
    else:
        scored = _by_splitter(items, definition, text_view)
    band = minimum > 0 or maximum < 1
    settings: dict[str, Any] = {"definition": name, "minimum": minimum, "maximum": maximum}
    if definition == "given":
        settings["given"] = True
    else:
        settings |= {"text_view": text_view, "outside": outside}
    reasons: list[str | None] = []
    marked = []
    for example in examples:
        found = scored[places[example.item.benchmark, example.item.item_id]]
        told = dict(settings)
        if found.cross_fitted:
            told["cross_fitted"] = True
        if not found.in_domain:
            told["is_outside"] = True
        marked.append(_scored(example, found.p, told))
        if found.p is None:
            reasons.append(_NONE)
        elif band and not found.in_domain and outside == "drop":
            reasons.append(_OUTSIDE)
        else:
            reasons.append(_BELOW if found.p < minimum else _ABOVE if found.p > maximum else None)
    report = {"definition": name, "given": definition == "given", "items": len(items)}
    return sort_out(
        "p_reasoning", marked, reasons, report=report | _told(scored),
        mend="Widen the band (minimum, maximum), or set outside = 'keep'",
    )  # fmt: skip


def _scored(example: Example, p: float | None, settings: dict[str, Any]) -> Example:
    scores = {name: value for name, value in example.scores.items() if name != "p_reasoning"}
    if p is not None:
        scores["p_reasoning"] = float(p)
    return stepped(replace(example, scores=scores), "p_reasoning", settings)


def _told(scored: Sequence[_Scored]) -> dict[str, Any]:
    values = [one.p for one in scored if one.p is not None]
    bins = [0] * 10
    for p in values:
        bins[min(int(p * 10), 9)] += 1
    return {
        "mean": round(sum(values) / len(values), 4) if values else None,
        "cross_fitted": round(sum(one.cross_fitted for one in scored) / len(scored), 4),
        "outside": round(sum(not one.in_domain for one in scored) / len(scored), 4),
        "bins": bins,
    }
