"""NLI4CT-P: control F1, consistency and faithfulness, as its official scorer means them.

The scorer (Jullien, Valentino and Freitas 2024, SemEval-2024 task 2, ``evaluate.py``) cannot be run
as published: its first version calls consistency with two of three arguments, both versions give
precision and recall each other's name, and both drop variants without a prediction from the
denominator. Here a variant without a prediction stays in it, and counts as neither consistent nor
faithful.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from viva.errors import InputError

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "F1",
    "NLI4CTMetrics",
    "Share",
    "Statement",
    "nli4ct_metrics",
    "nli4ct_statements",
]

POSITIVE = "Entailment"
"""The positive class of F1."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement and its gold."""

    id: str
    label: str
    """``Entailment`` or ``Contradiction``."""
    control: str | None = None
    """The id of the statement that was changed; None = a control statement."""
    relation: str | None = None
    """``preserving`` or ``altering``; None for a control statement."""
    intervention: str | None = None


@dataclass(frozen=True, slots=True)
class F1:
    """F1 of Entailment with precision and recall, 0..1; 0 where a denominator is 0."""

    f1: float
    precision: float
    recall: float
    n: int


@dataclass(frozen=True, slots=True)
class Share:
    """A share 0..1 and its denominator; None where there is nothing to count."""

    value: float | None
    n: int


@dataclass(frozen=True, slots=True)
class NLI4CTMetrics:
    """What NLI4CT-P reports."""

    control: F1
    contrast: F1
    consistency: Share
    """Of preserving variants: the prediction is that of their control."""
    faithfulness: Share
    """Of altering variants: the prediction is not the gold label of their control."""
    consistency_with_label: Share
    """Of preserving variants: the prediction is their gold label (the scorer's later version)."""
    faithfulness_of_right: Share
    """Faithfulness over the variants whose control was predicted right (the task's paper)."""
    interventions: Mapping[str, Mapping[str, F1 | Share]]
    """Per intervention: ``f1``, and ``consistency`` and ``faithfulness`` where it has such."""
    unread: int
    """Statements without a prediction."""


def nli4ct_statements(items: pl.DataFrame) -> list[Statement]:
    """The statements of an items frame (:func:`viva.records.item_schema`) of NLI4CT-P."""
    found = []
    columns = ("benchmark", "item_id", "options", "key", "group", "role", "relation")
    for benchmark, name, options, key, group, role, relation in items.select(columns).iter_rows():
        altered = relation in ("preserving", "altering")
        found.append(
            Statement(
                id=name,
                label=options[key[0]],
                control=group.removeprefix(f"{benchmark}/") if altered else None,
                relation=relation if altered else None,
                intervention=role if altered else None,
            )
        )
    return found


def _f1(statements: Sequence[Statement], predictions: Mapping[str, str | None]) -> F1:
    said = [predictions.get(s.id) == POSITIVE for s in statements]
    true = [s.label == POSITIVE for s in statements]
    hits = sum(a and b for a, b in zip(said, true, strict=True))
    precision = hits / sum(said) if any(said) else 0.0
    recall = hits / sum(true) if any(true) else 0.0
    both = sum(said) + sum(true)
    return F1(2 * hits / both if both else 0.0, precision, recall, len(statements))


def _share(values: Iterable[bool]) -> Share:
    listed = list(values)
    return Share(sum(listed) / len(listed) if listed else None, len(listed))


def nli4ct_metrics(
    statements: Iterable[Statement], predictions: Mapping[str, str | None]
) -> NLI4CTMetrics:
    """Control F1, consistency, faithfulness, and the same per intervention.

    Parameters
    ----------
    statements : iterable of Statement
        Controls and their variants.
    predictions : mapping
        From the id of a statement to ``Entailment`` or ``Contradiction``; None, another text or no
        entry = unread.

    Returns
    -------
    NLI4CTMetrics
        An unread prediction is not Entailment in F1 (as in the scorer), not consistent, not
        faithful.

    Raises
    ------
    InputError
        Two statements of one id, or a variant whose control is not among the statements.
    """
    listed = list(statements)
    by_id = {s.id: s for s in listed}
    if len(by_id) < len(listed):
        raise InputError("two statements have one id")
    said = {
        s.id: p if (p := predictions.get(s.id)) in ("Entailment", "Contradiction") else None
        for s in listed
    }
    variants = [s for s in listed if s.control is not None]
    for s in variants:
        if s.control not in by_id:
            raise InputError(f"the control {s.control} of the statement {s.id} is not there")

    def control(s: Statement) -> Statement:
        return by_id[str(s.control)]

    def consistency(group: Iterable[Statement]) -> Share:
        return _share(
            said[s.id] is not None and said[s.id] == said[control(s).id]
            for s in group
            if s.relation == "preserving"
        )

    def faithfulness(group: Iterable[Statement]) -> Share:
        return _share(
            said[s.id] is not None and said[s.id] != control(s).label
            for s in group
            if s.relation == "altering"
        )

    interventions: dict[str, dict[str, F1 | Share]] = {}
    for name in sorted({str(s.intervention) for s in variants}):
        group = [s for s in variants if s.intervention == name]
        shares = {"consistency": consistency(group), "faithfulness": faithfulness(group)}
        interventions[name] = {"f1": _f1(group, said)}
        interventions[name] |= {k: share for k, share in shares.items() if share.n}
    return NLI4CTMetrics(
        control=_f1([s for s in listed if s.control is None], said),
        contrast=_f1(variants, said),
        consistency=consistency(variants),
        faithfulness=faithfulness(variants),
        consistency_with_label=_share(
            said[s.id] == s.label for s in variants if s.relation == "preserving"
        ),
        faithfulness_of_right=faithfulness(
            s for s in variants if said[control(s).id] == control(s).label
        ),
        interventions=interventions,
        unread=sum(p is None for p in said.values()),
    )
