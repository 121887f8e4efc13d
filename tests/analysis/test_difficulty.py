"""The hard subset: its rule, and the selection effect that leaving a model out removes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from viva.analysis._graded import Graded, graded
from viva.analysis.difficulty import accuracy_judged_by_others, hard_items, hard_subset


def made(values: object) -> Graded:
    matrix = np.array(values, dtype=float)
    names = [f"m{i}" for i in range(len(matrix))]
    return graded(names, matrix, benchmark=["b"] * matrix.shape[1])


def test_fewer_than_half_and_at_least_three_models() -> None:
    nan = np.nan
    values = [
        # half right is not hard; nor is what two models answered
        [1, 0, 0, nan, 0.5],
        [1, 1, 0, nan, 0.5],
        [0, 0, 0, 0, 0.4],
        [0, 1, 1, 0, nan],
    ]
    hard, judged = hard_items(np.array(values))
    assert hard.tolist() == [False, False, True, False, True]
    assert judged.tolist() == [True, True, True, False, True]
    found = hard_subset(made(values))
    assert (found["n"], found["share"], found["reason"]) == (2, 0.5, None)
    assert found["models"]["m0"]["n"] == 2
    assert found["models"]["m0"]["accuracy"] == pytest.approx(0.25)
    assert (found["models"]["m3"]["n"], found["models"]["m3"]["accuracy"]) == (1, 1.0)


def test_two_models_judge_nothing() -> None:
    found = hard_subset(made([[0, 1], [0, 0]]))
    assert found["n"] == 0 and found["share"] is None and found["models"] == {}
    assert "3 models" in found["reason"]


def test_a_model_that_answered_no_hard_item_has_no_accuracy() -> None:
    found = hard_subset(made([[0], [0], [0], [np.nan]]))
    assert found["models"]["m3"] == {"n": 0, "accuracy": None, "low": None, "high": None}


answers = arrays(
    np.float64,
    st.tuples(st.integers(1, 6), st.integers(0, 12)),
    elements=st.sampled_from([0.0, 0.5, 1.0, np.nan]),
)


@given(answers)
def test_equals_the_rule_spelled_out(values: np.ndarray) -> None:
    hard, judged = hard_items(values)
    for column, is_hard, is_judged in zip(values.T, hard, judged, strict=True):
        given_ = [v for v in column if v == v]
        assert is_judged == (len(given_) >= 3)
        assert is_hard == (len(given_) >= 3 and sum(given_) / len(given_) < 0.5)


@given(answers)
def test_all_models_together_are_below_half_on_hard_items(values: np.ndarray) -> None:
    found = hard_subset(made(values))
    for cell in found["models"].values():
        if cell["n"]:
            assert 0 <= cell["low"] <= cell["accuracy"] <= cell["high"] <= 1
    if found["n"]:
        total = sum((c["accuracy"] or 0) * c["n"] for c in found["models"].values())
        assert total < sum(c["n"] for c in found["models"].values()) / 2


def test_leaving_the_model_out_covers_the_truth_and_leaving_it_in_does_not() -> None:
    # Known truth: item i is right with probability ease[i] by every model, independently. On
    # items chosen by the others, a model's expected accuracy is the mean of their ease.
    rng = np.random.default_rng(3)
    n, covered, covered_in, sizes = 600, 0, 0, []
    for _ in range(2000):
        ease = rng.beta(2, 1.5, n)
        values = (rng.random((5, n)) < ease).astype(float)
        hard, _ = hard_items(values[1:])
        left_out = accuracy_judged_by_others(made(values))["m0"]
        truth = ease[hard].mean()
        covered += left_out["low"] <= truth <= left_out["high"]
        sizes.append(left_out["n"])
        everyone, _ = hard_items(values)
        cell = hard_subset(made(values))["models"]["m0"]
        covered_in += cell["low"] <= ease[everyone].mean() <= cell["high"]
    assert min(sizes) >= 100
    assert 0.93 <= covered / 2000 <= 0.975
    assert covered_in / 2000 < 0.5
