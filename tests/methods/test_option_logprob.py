"""Option log-probability: probabilities of letters from the candidates of one token."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_caller import Scripted, ask, item

from viva.methods.option_logprob import option_logprob
from viva.models import CallFailed, Capabilities, Completion, Failure, Prefill, Sampling


def reply(**probabilities: float) -> Completion:
    said = {token: math.log(p) for token, p in probabilities.items()}
    return Completion("C", finish_reason="length", logprobs=(said,))


def test_one_token_with_twenty_candidates_behind_a_prefix():
    caller = Scripted([reply(C=0.9)])
    ask(option_logprob, caller)
    (request,) = caller.requests
    assert request.prefix == "Answer:"
    assert request.top_logprobs == 20
    assert request.sampling == Sampling(temperature=0.0, max_completion_tokens=1)
    assert request.messages[-1].content.endswith("(A, B, C or D) and nothing else.")


@pytest.mark.parametrize("prefill", [p for p in Prefill if p is not Prefill.CONTINUED])
def test_no_prefix_where_it_would_not_be_continued(prefill):
    caller = Scripted([reply(C=0.9)], Capabilities(prefill, logprobs=True))
    ask(option_logprob, caller)
    assert caller.requests[0].prefix is None


def test_an_empty_prefix_is_none():
    caller = Scripted([reply(C=0.9)])
    ask(option_logprob, caller, answer_prefix="", top=5)
    assert (caller.requests[0].prefix, caller.requests[0].top_logprobs) == (None, 5)


def test_what_is_the_same_letter_is_summed_and_normalised():
    said = reply(
        **{"C": 0.3, " C": 0.2, "(C": 0.05, "c": 0.05, "A": 0.1, "\u2581A": 0.1, "The": 0.2}
    )
    answer = ask(option_logprob, Scripted([said]))
    assert answer.decided
    assert answer.prediction == "C"
    assert answer.probabilities == pytest.approx((0.25, 0, 0.75, 0))
    assert answer.confidence == pytest.approx(0.75)
    assert answer.text == (
        "first token: 0.2500 for A, 0.0000 for B, 0.7500 for C, 0.0000 for D; "
        "all letters together hold 0.8000"
    )


def test_letters_beyond_the_options_and_longer_tokens_do_not_count():
    answer = ask(option_logprob, Scripted([reply(E=0.5, AB=0.2, Ascorbic=0.2, D=0.1)]))
    assert (answer.prediction, answer.confidence) == ("D", pytest.approx(1))


def test_no_letter_among_the_candidates_is_unread():
    answer = ask(option_logprob, Scripted([reply(The=0.5, I=0.2)]))
    assert (answer.decided, answer.prediction, answer.probabilities) == (True, None, None)


@pytest.mark.parametrize(("least", "prediction"), [(0.29, "C"), (0.31, None)])
def test_letters_that_hold_too_little_together_are_no_answer(least, prediction):
    answer = ask(option_logprob, Scripted([reply(C=0.2, A=0.1, The=0.6)]), minimum_mass=least)
    assert (answer.prediction, answer.confidence is None) == (prediction, prediction is None)
    assert answer.probabilities == pytest.approx((1 / 3, 0, 2 / 3, 0))


def test_two_letters_in_the_lead_are_no_answer():
    answer = ask(option_logprob, Scripted([reply(A=0.4, B=0.4, C=0.1)]))
    assert (answer.prediction, answer.confidence) == (None, None)
    assert answer.probabilities[0] == answer.probabilities[1]


@pytest.mark.parametrize("logprobs", [None, ()])
def test_a_reply_without_log_probabilities_is_a_failed_call(logprobs):
    with pytest.raises(CallFailed) as raised:
        ask(option_logprob, Scripted([Completion("C", logprobs=logprobs)]))
    assert raised.value.failure is Failure.MALFORMED


@given(
    st.dictionaries(
        st.sampled_from(["A", " B", "C", "d", "(D)", "the", "", "E"]),
        st.floats(allow_nan=True, allow_infinity=True),
    )
)
def test_probabilities_are_probabilities_whatever_the_server_says(candidates):
    said = Completion("C", logprobs=(candidates,))
    answer = ask(option_logprob, Scripted([said]))
    if answer.probabilities is not None:
        assert len(answer.probabilities) == 4
        assert sum(answer.probabilities) == pytest.approx(1)
        assert all(0 <= p <= 1 for p in answer.probabilities)
    if answer.prediction is not None:
        assert answer.confidence == max(answer.probabilities)


def test_what_is_no_number_counts_for_nothing():
    said = Completion("C", logprobs=({"A": math.nan, "C": -1.0, "D": -math.inf},))
    answer = ask(option_logprob, Scripted([said]))
    assert (answer.prediction, answer.probabilities) == ("C", (0, 0, 1, 0))


def test_more_options_than_candidates():
    many = item(options=tuple(f"drug {n}" for n in range(26)))
    answer = ask(option_logprob, Scripted([reply(Z=0.6, Y=0.2)]), many)
    assert answer.prediction == "Z"
    assert answer.probabilities[:24] == (0.0,) * 24
