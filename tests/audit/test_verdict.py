"""The words follow from the numbers, whatever these are."""

from __future__ import annotations

import pytest

from viva._audit.verdict import points, verdict
from viva._summary import Cell, Gap, Gaps, ModelSummary, RobustnessCard


def gap(estimate: float | None, half: float = 2.0, benchmarks: int = 2) -> Gap:
    if estimate is None:
        return Gap(n=0, reason="no benchmark has 20 items of each stratum")
    return Gap(
        estimate=estimate,
        low=estimate - half,
        high=estimate + half,
        n=100,
        benchmarks=[f"b{i}" for i in range(benchmarks)],
    )


def model(within: float | None, pooled: float | None, **counts: int) -> ModelSummary:
    none = gap(None)
    cell = Cell(n=50, accuracy=0.5, low=0.4, high=0.6)
    return ModelSummary(
        n=100 + sum(counts.values()),
        graded=100,
        unparsed=counts.get("unparsed", 0),
        ambiguous=0,
        ungraded=counts.get("ungraded", 0),
        accuracy=0.5,
        low=0.4,
        high=0.6,
        accuracy_of_read=0.5,
        items=100,
        samples=1,
        knowledge=cell,
        reasoning=cell,
        gap=Gaps(
            pooled=gap(pooled),
            within=gap(within),
            within_size_weighted=none,
            length_matched=none,
            chance_corrected=none,
            chance_corrected_pooled=none,
            soft=none,
            noise_corrected=none,
        ),
        benchmarks={},
        unread_reasons={},
        scoring="raw text",
    )


def card(sign: str, survives: bool | None) -> RobustnessCard:
    return RobustnessCard(sign=sign, survives=survives, words="", checks=[])


def say(models, cards=None, definition="rubric", outside=()):
    return verdict(models, cards or {}, definition=definition, outside=outside)


@pytest.mark.parametrize(
    ("value", "text"), [(-0.04, "0.0"), (0.0, "0.0"), (1.25, "+1.2"), (-3.0, "−3.0")]
)
def test_points_have_a_true_minus_and_no_negative_zero(value, text):
    assert points(value) == text


def test_the_headline_counts_models_by_their_intervals():
    models = {"a": model(-5, -20), "b": model(0, -20), "c": model(5, -1)}
    assert say(models).headline == (
        "Pooled over benchmarks, 2 of 3 models look weaker on reasoning and 1 shows no "
        "difference. Inside benchmarks, 1 of 3 models is weaker on reasoning, 1 is stronger and "
        "1 shows no difference."
    )


def test_all_models_alike_are_said_in_one_go():
    models = {"a": model(0, -20), "b": model(1, -20)}
    assert say(models).headline == (
        "Pooled over benchmarks, all 2 models look weaker on reasoning. Inside benchmarks, all 2 "
        "models show no difference."
    )


def test_one_model():
    assert say({"a": model(-5, -20)}).headline == (
        "Pooled over benchmarks, the model looks weaker on reasoning. Inside benchmarks, the "
        "model is weaker on reasoning."
    )


def test_no_gap_says_why():
    words = say({"a": model(None, None)})
    assert words.headline.startswith("No gap inside benchmarks can be given: no benchmark has 20")
    assert "can be given" in words.models["a"]


def test_unread_responses_are_named_with_the_model():
    words = say({"a": model(0, 0), "b": model(0, 0, unparsed=30, ungraded=7)})
    assert any("23.1 % of responses" in s and "(b)" in s for s in words.sentences)
    assert any(s.startswith("b: 7 of 137 responses are missing") for s in words.warnings)
    assert not any("missing" in s for s in words.sentences)


@pytest.mark.parametrize(
    ("survives", "text"),
    [((True,), "it survives other"), ((False,), "does not survive"), ((True, False), "for 1 of")],
)
def test_survival_is_counted_where_there_is_a_direction(survives, text):
    cards = {str(i): card("negative", s) for i, s in enumerate(survives)}
    cards["none"] = card("none", None)
    models = {name: model(-5, -9) for name in cards}
    assert any(text in sentence for sentence in say(models, cards).sentences)


def test_who_labelled_is_said_only_for_the_rubric():
    models = {"a": model(0, 0)}
    assert any("not from clinicians" in s for s in say(models).sentences)
    assert not any("clinicians" in s for s in say(models, definition="given").sentences)
    assert any(
        "pubmedqa" in s
        for s in say(models, outside={"pubmedqa": "questions with abstracts"}).sentences
    )
