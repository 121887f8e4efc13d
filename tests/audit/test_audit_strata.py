"""The split inside an audit: definitions apart, and nothing from outside the domain in a gap."""

from __future__ import annotations

import numpy as np
import pytest

from viva import InputError, benchmarks
from viva._audit.strata import GIVEN, choose_definition, split, splitter_errors
from viva.analysis import KNOWLEDGE, NO_STRATUM, REASONING
from viva.records import Choice, Item, items_frame


def given(*labels: str | None, definition: str | None = "mine"):
    return items_frame(
        Item(
            "b", str(i), f"Question {i}?", ("x", "y"), Choice(0),
            stratum=label, stratum_definition=definition if label else None,
        )
        for i, label in enumerate(labels)
    )  # fmt: skip


def test_outside_the_domain_nothing_enters_a_gap():
    items = benchmarks.bundled().items.filter(
        benchmarks.bundled().items["benchmark"].is_in(["pubmedqa", "mmlu_med"])
    )
    strata = split(items, "rubric", text_view="stem", threshold=0.02)
    pubmedqa = (items["benchmark"] == "pubmedqa").to_numpy()
    assert set(strata.stratum[pubmedqa]) == {REASONING, KNOWLEDGE}  # a threshold that splits it
    assert set(strata.headline[pubmedqa]) == {NO_STRATUM}
    assert np.array_equal(strata.headline[strata.in_domain], strata.stratum[strata.in_domain])


def test_given_labels_keep_their_name_and_gaps():
    strata = split(given("reasoning", None, "knowledge"), GIVEN, text_view="stem", threshold=0.5)
    assert strata.name == "mine"
    assert strata.stratum.tolist() == [REASONING, NO_STRATUM, KNOWLEDGE]
    assert splitter_errors(strata) is None


def test_definitions_are_never_mixed():
    both = items_frame(
        [
            Item("b", "1", "A?", ("x", "y"), Choice(0), None, "reasoning", "one"),
            Item("b", "2", "B?", ("x", "y"), Choice(0), None, "knowledge", "two"),
        ]
    )
    assert choose_definition(both, None) == "rubric"
    with pytest.raises(InputError, match="2 definitions"):
        split(both, GIVEN, text_view="stem", threshold=0.5)


def test_errors_of_the_splitter_come_from_cross_fitted_labels():
    items = benchmarks.load("mmlu_med").items.head(30)
    low, high = (
        splitter_errors(split(items, "rubric", text_view="stem", threshold=t)) for t in (0.1, 0.9)
    )
    assert low is not None and high is not None
    assert low.overall.labels == high.overall.labels > 2000
    assert low.overall.reasoning_right > high.overall.reasoning_right
    assert low.overall.knowledge_right < high.overall.knowledge_right
    assert low.benchmarks["medqa"].labels > 500
