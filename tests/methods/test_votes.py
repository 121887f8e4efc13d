"""Votes: who is elected, what is said of it, and what a call that fails does to it."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_caller import Scripted

from viva.answers import read
from viva.methods._votes import account, draw, elected
from viva.models import CallFailed, Failure, Message, Request
from viva.models.failures import LASTING

LETTERS = st.lists(st.sampled_from(["A", "B", "C", "D", None]), min_size=1, max_size=30)
OPTIONS = ("Aspirin", "Heparin", "Warfarin", "Both A and B")


@pytest.mark.parametrize(
    ("letters", "ties", "share", "winner"),
    [
        (["A", "B", "B"], "abstain", 0, "B"),
        (["A", "B"], "abstain", 0, None),
        (["B", "A"], "first", 0, "B"),
        ([None, "C", "A", "A", "C"], "first", 0, "C"),
        ([None, None], "first", 0, None),
        (["A", None, None, None], "abstain", 0, "A"),
        (["A", None, None, None], "abstain", 0.25, "A"),
        (["A", None, None, None], "abstain", 0.26, None),
        (["A", "A", "B", "B"], "first", 0.6, None),
    ],
)
def test_who_is_elected(letters, ties, share, winner):
    assert elected(letters, ties=ties, minimum_share=share) == winner


@given(letters=LETTERS)
def test_the_winner_has_more_votes_than_anybody(letters):
    votes = Counter(x for x in letters if x)
    winner = elected(letters)
    if winner:
        assert all(votes[winner] > n for letter, n in votes.items() if letter != winner)
    else:
        top = [n for _, n in votes.most_common(2)]
        assert not top or (len(top) == 2 and top[0] == top[1])


@given(letters=LETTERS, share=st.floats(0, 1), ties=st.sampled_from(["abstain", "first"]))
def test_shares_are_of_all_samples(letters, share, ties):
    winner = elected(letters, ties=ties, minimum_share=share)
    answer = account(letters, 4, winner, "samples")
    assert answer.decided
    assert answer.prediction == winner
    assert sum(answer.probabilities) == pytest.approx(1 - letters.count(None) / len(letters))
    if winner is None:
        assert answer.confidence is None
    else:
        assert answer.confidence == letters.count(winner) / len(letters) >= share
        assert answer.confidence == max(answer.probabilities)


@given(letters=LETTERS, share=st.sampled_from([0.0, 0.6, 1.0]))
def test_the_account_is_never_read_as_another_answer(letters, share):
    winner = elected(letters, minimum_share=share)
    answer = account(letters, 4, winner, f"{len(letters)} samples")
    assert read(answer.text, options=OPTIONS).value in (None, winner)


def test_the_account_in_words():
    answer = account(["B", None, "C", "B", "A"], 4, "B", "5 samples")
    assert answer.text == "5 samples: 2 of B, 1 of A, 1 of C, 1 of none"
    assert account(["A", "B"], 2, None, "2 samples").text.endswith("1 of A, 1 of B; abstained")


def requests(count):
    return [Request((Message("user", "?"),), draw=n) for n in range(count)]


def drawn(script):
    caller = Scripted(script)
    return caller, asyncio.run(draw(caller, requests(len(script))))


def test_all_calls_are_made_at_once():
    caller, replies = drawn(["a", "b", "c"])
    assert caller.most_in_flight == 3
    assert [r.text for r in replies] == ["a", "b", "c"]


@pytest.mark.parametrize("failure", sorted(LASTING))
def test_a_sample_that_can_never_come_is_none(failure):
    _, replies = drawn(["a", CallFailed(failure), "c"])
    assert [r and r.text for r in replies] == ["a", None, "c"]


@pytest.mark.parametrize("failure", [f for f in Failure if f not in LASTING])
def test_a_sample_that_may_come_later_fails_the_whole_after_the_others_ended(failure):
    script = [CallFailed(Failure.FILTERED), CallFailed(failure), "c"]
    caller = Scripted(script)
    with pytest.raises(CallFailed) as raised:
        asyncio.run(draw(caller, requests(3)))
    assert raised.value.failure is failure
    assert len(caller.requests) == 3


def test_what_concerns_the_whole_run_is_told_first():
    with pytest.raises(CallFailed) as raised:
        drawn([CallFailed(Failure.TIME_OUT), CallFailed(Failure.KEY), "c"])
    assert raised.value.failure is Failure.KEY


def test_nothing_drawn_is_no_vote():
    with pytest.raises(CallFailed) as raised:
        drawn([CallFailed(Failure.FILTERED), CallFailed(Failure.CONTEXT)])
    assert raised.value.failure is Failure.FILTERED


def test_a_defect_of_the_program_is_not_taken_for_a_failed_call():
    def broken(request):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(draw(Scripted(broken), requests(2)))


def test_every_small_vote_agrees_with_counting_by_hand():
    for letters in itertools.product(["A", "B", None], repeat=4):
        a, b = letters.count("A"), letters.count("B")
        assert elected(letters) == ("A" if a > b else "B" if b > a else None)
