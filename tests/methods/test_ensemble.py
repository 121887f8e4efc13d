"""Option shuffling: balanced orders, replies mapped back, and a model that likes one place."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_caller import Scripted, ask, item

from viva.methods.ensemble import ensemble, orders
from viva.models import Request
from viva.records import LETTERS


def shown(request: Request) -> list[str]:
    """The options as a request shows them."""
    return re.findall(r"^[A-Z]\. (.*)$", request.messages[-1].content, re.M)


@given(count=st.integers(2, 26), k=st.integers(1, 60), seed=st.integers(0, 9), id_=st.text())
def test_every_option_stands_at_every_place_equally_often(count, k, seed, id_):
    question = item(item_id=id_, options=tuple(f"drug {n}" for n in range(count)))
    found = orders(question, k, seed)
    assert len(found) == k
    assert all(sorted(order) == list(range(count)) for order in found)
    at = Counter((place, option) for order in found for place, option in enumerate(order))
    times = [at[place, option] for place in range(count) for option in range(count)]
    assert max(times) - min(times) <= 1
    assert len(set(found[:count])) == min(k, count)


def test_orders_follow_from_the_item_s_key_and_the_seed():
    assert orders(item(), 8) == orders(item(question="other"), 8)
    many = [item(item_id=str(n)) for n in range(50)]
    assert len({tuple(orders(each, 4)) for each in many}) > 30
    assert orders(item(), 8, seed=1) != orders(item(), 8)


def test_the_item_s_own_order_is_not_preferred():
    firsts = Counter(orders(item(item_id=str(n)), 1)[0] for n in range(2400))
    assert len(firsts) == 24
    # 2,400 draws of 24 orders: chi-squared with 23 degrees of freedom, 49.7 at p = 0.001
    assert sum((n - 100) ** 2 / 100 for n in firsts.values()) < 49.7


def test_a_model_that_knows_is_right_under_every_order():
    def knows(request):
        return f"Answer: {LETTERS[shown(request).index('Ascorbic acid')]}"

    caller = Scripted(knows)
    answer = ask(ensemble, caller, k=8)
    assert (answer.prediction, answer.confidence) == ("C", 1.0)
    assert answer.probabilities == (0.0, 0.0, 1.0, 0.0)
    assert len({tuple(shown(r)) for r in caller.requests}) > 3
    assert caller.most_in_flight == 8
    assert [r.draw for r in caller.requests] == list(range(8))


def test_a_model_that_always_takes_the_first_place_is_found_out():
    answer = ask(ensemble, Scripted(lambda request: "Answer: A"), k=8)
    assert answer.prediction is None
    assert answer.probabilities == (0.25, 0.25, 0.25, 0.25)
    assert "(places chosen: 1 1 1 1 1 1 1 1)" in answer.text


def test_an_answer_by_text_counts_for_the_option_wherever_it_stood():
    answer = ask(ensemble, Scripted(lambda request: "Answer: Thiamine"), k=4)
    assert (answer.prediction, answer.confidence) == ("B", 1.0)


def test_unread_replies_stay_in_the_denominator():
    replies = iter(["hm", "Answer: Retinol", "Answer: Retinol", "Answer: Thiamine"])
    answer = ask(ensemble, Scripted(lambda request: next(replies)), k=4)
    assert (answer.prediction, answer.confidence) == ("A", 0.5)
    assert "none" in answer.text


@pytest.mark.parametrize(
    "options",
    [
        ("Aspirin", "Heparin", "Both A and B", "Warfarin"),
        ("Aspirin", "Heparin", "Warfarin", "A & C"),
        ("Aspirin", "Heparin", "Warfarin", "(a) and (b) are correct"),
        ("Aspirin", "Heparin", "Only A", "Warfarin"),
    ],
)
def test_options_that_name_each_other_keep_their_places(options):
    assert set(orders(item(options=options), 5)) == {(0, 1, 2, 3)}


@pytest.mark.parametrize("last", ["All of the above", "None of the above.", "any of the preceding"])
def test_an_option_that_speaks_of_the_others_stays_last(last):
    found = orders(item(options=("Aspirin", "Heparin", "Warfarin", last)), 6)
    assert {order[3] for order in found} == {3}
    at = Counter((place, option) for order in found for place, option in enumerate(order[:3]))
    assert set(at.values()) == {2}


@pytest.mark.parametrize(
    "options",
    [
        ("Vitamin A", "Vitamin B", "Vitamin C", "Vitamin D"),
        ("A", "B", "AB", "O"),
        ("Above-knee amputation", "Below-knee amputation", "Rest", "None"),
        ("Hepatitis A and B", "Hepatitis C", "T and B cells", "a fracture"),
    ],
)
def test_letters_that_are_content_do_not_hold_options_in_place(options):
    found = orders(item(options=options), 4)
    assert all({order[place] for order in found} == {0, 1, 2, 3} for place in range(4))
