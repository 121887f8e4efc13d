"""Uncertainty-aware depth: bounded, monotone, order kept, and refused where it is undone."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viva.errors import InputError
from viva.records import Choice, Item
from viva.targets import Text
from viva.training.recipes import Uncertainty
from viva.training.uncertainty import check_scaling, depths, most_answers, shape, uncertainty

answers = st.lists(st.sampled_from([None, "A", "B", "C", "D"]), max_size=16)
rewards = st.sampled_from([0.0, 0.5, 1.0, None])
unit = st.floats(0, 1)


@given(answers, st.sampled_from([None, 4, 5]))
def test_uncertainty_is_bounded_and_blind_to_order_and_unread(given_answers, most):
    found = uncertainty(given_answers, most)
    read = [each for each in given_answers if each is not None]
    if len(read) < 2:
        assert found is None
        return
    assert 0 <= found <= 1
    assert (found == 0) == (len(set(read)) == 1)
    assert uncertainty(given_answers[::-1], most) == pytest.approx(found)
    assert uncertainty([*given_answers, None], most) == found


@given(st.integers(2, 16), st.integers(2, 5))
def test_uncertainty_is_one_where_answers_differ_as_much_as_they_can(k, most):
    assert uncertainty([i % most for i in range(k)], most) == pytest.approx(1)


def test_uncertainty_is_entropy():
    p = [5 / 8, 2 / 8, 1 / 8]
    expected = -sum(x * math.log(x) for x in p) / math.log(4)
    assert uncertainty(["A"] * 5 + ["B"] * 2 + ["C"], 4) == pytest.approx(expected)


def test_answers_there_can_be():
    assert most_answers(Item("b", "1", "q", ("x", "y", "z"), Choice(0))) == 3
    assert most_answers(Item("b", "1", "q", (), Text(("x",)))) is None


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=16))
def test_depth_ascends_with_length_and_has_no_unit(lengths):
    found = depths(lengths)
    assert all(0 <= d < 1 for d in found)
    for a, x in zip(lengths, found, strict=True):
        for b, y in zip(lengths, found, strict=True):
            assert (a < b) <= (x <= y)
    if any(lengths):
        assert depths([3 * n for n in lengths]) == pytest.approx(found)


group = st.lists(st.tuples(rewards, st.integers(0, 4000)), min_size=2, max_size=12)


@given(group, unit, st.floats(0.01, 1 / 3))
def test_right_stays_above_nearly_right_above_wrong(rows, unsure, weight):
    paid, lengths = [r for r, _ in rows], [n for _, n in rows]
    shaped = shape(paid, unsure, lengths, weight=weight)
    for before, after in zip(paid, shaped, strict=True):
        assert (before is None) == (after is None)
        if after is not None:
            assert 0 <= after <= 1
            assert (after == 0) == (before == 0)
    for a, x in zip(paid, shaped, strict=True):
        for b, y in zip(paid, shaped, strict=True):
            if a is not None and b is not None and a > b:
                assert x >= y - 1e-12


@given(st.lists(st.integers(0, 4000), min_size=2, max_size=12), unit, st.floats(0.01, 1 / 3))
def test_depth_is_paid_where_unsure_and_brevity_where_sure(lengths, unsure, weight):
    shaped = shape([1.0] * len(lengths), unsure, lengths, weight=weight)
    sign = 1 if unsure >= 0.5 else -1
    for a, x in zip(lengths, shaped, strict=True):
        for b, y in zip(lengths, shaped, strict=True):
            if a < b:
                assert sign * (y - x) >= -1e-12


@given(group, unit, unit, st.floats(0.1, 1), st.floats(1, 3))
def test_the_factor_keeps_the_mean_and_ascends_with_uncertainty(rows, u, v, low, high):
    paid, lengths = [r for r, _ in rows], [n for _, n in rows]
    plain = shape(paid, u, lengths, weight=0.1)
    scaled = shape(paid, u, lengths, weight=0.1, scale=[low, high])
    known = [(p, s) for p, s in zip(plain, scaled, strict=True) if p is not None]
    if not known:
        return
    mean = sum(p for p, _ in known) / len(known)
    assert sum(s for _, s in known) / len(known) == pytest.approx(mean)
    for p, s in known:
        assert s - mean == pytest.approx((low + (high - low) * u) * (p - mean), abs=1e-9)
        assert abs(s - mean) <= high * abs(p - mean) + 1e-9
    assert (low + (high - low) * min(u, v)) <= (low + (high - low) * max(u, v))


def test_without_two_answers_nothing_is_shaped():
    assert shape([1.0, None, 0.0], None, [3, 4, 5], weight=0.2, scale=[0.5, 2.0]) == [
        1.0,
        None,
        0.0,
    ]


@pytest.mark.parametrize("given_scaling", [{}, {"scale_rewards": "group"}, {"scale_rewards": True}])
def test_group_scaling_is_refused(given_scaling):
    with pytest.raises(InputError, match=r"deviation of the group.*scale_rewards = \"none\""):
        check_scaling(Uncertainty(), given_scaling)


def test_normalised_parts_are_refused_and_others_pass():
    with pytest.raises(InputError, match="normalise"):
        check_scaling(Uncertainty(), {"scale_rewards": "none"}, normalise=True)
    for value in ("none", "batch", False):
        check_scaling(Uncertainty(), {"scale_rewards": value})
