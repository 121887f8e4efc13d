"""Self-consistency: k draws of one question, read one by one."""

from __future__ import annotations

import pytest
from scripted_caller import Scripted, ask

from viva.methods.self_consistency import self_consistency
from viva.models import CallFailed, Completion, Failure, Sampling


def test_k_equal_questions_as_different_draws_at_once():
    caller = Scripted(["Answer: C"] * 7)
    ask(self_consistency, caller, k=7)
    assert [r.draw for r in caller.requests] == list(range(7))
    assert len({r.messages for r in caller.requests}) == 1
    assert len({r.hash() for r in caller.requests}) == 7
    assert caller.most_in_flight == 7


@pytest.mark.parametrize(("given", "used"), [(None, 0.7), (0.0, 0.0), (1.3, 1.3)])
def test_the_user_s_temperature_goes_before_the_method_s(given, used):
    caller = Scripted(["C"] * 5)
    ask(self_consistency, caller, sampling=Sampling(given, max_completion_tokens=9))
    assert [r.sampling.temperature for r in caller.requests] == [used] * 5
    assert [r.sampling.max_completion_tokens for r in caller.requests] == [9] * 5


def test_replies_vote_by_letter_by_text_and_not_at_all():
    caller = Scripted(
        ["So Answer: C", "The answer is ascorbic acid.", "Answer: A", "I cannot say.", "B or C"]
    )
    answer = ask(self_consistency, caller)
    assert answer.prediction == "C"
    assert answer.confidence == 0.4
    assert answer.probabilities == (0.2, 0.0, 0.4, 0.0)
    assert answer.text == "5 samples: 2 of C, 1 of A, 2 of none"


def test_a_reply_cut_inside_its_thinking_has_no_vote():
    cut = Completion("<think>Answer: A or maybe", finish_reason="length")
    answer = ask(self_consistency, Scripted([cut, cut, "Answer: C"]), k=3)
    assert (answer.prediction, answer.confidence) == ("C", pytest.approx(1 / 3))


def test_a_tie_abstains_or_takes_the_first():
    script = ["Answer: B", "Answer: A", "Answer: A", "Answer: B"]
    assert ask(self_consistency, Scripted(script), k=4).prediction is None
    assert ask(self_consistency, Scripted(script), k=4, ties="first").prediction == "B"


def test_nothing_read_is_a_decided_abstention():
    answer = ask(self_consistency, Scripted(["hm"] * 3), k=3)
    assert (answer.decided, answer.prediction, answer.confidence) == (True, None, None)
    assert answer.text == "3 samples: 3 of none; abstained"


def test_a_filtered_sample_stays_in_the_denominator():
    script = ["Answer: C", CallFailed(Failure.FILTERED), "Answer: C", "Answer: A"]
    answer = ask(self_consistency, Scripted(script), k=4)
    assert (answer.prediction, answer.confidence) == ("C", 0.5)


def test_a_busy_server_makes_no_vote_of_fewer_samples():
    script = ["Answer: C", CallFailed(Failure.RATE_LIMIT), "Answer: C"]
    with pytest.raises(CallFailed, match="rate limit"):
        ask(self_consistency, Scripted(script), k=3)
