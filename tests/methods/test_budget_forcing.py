"""Budget forcing: thinking is cut at B tokens, waits are few, and then the answer is forced."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_caller import Scripted, ask

from viva.answers import read
from viva.methods.budget_forcing import budget_forcing
from viva.models import CallFailed, Completion, Failure, Request, Sampling

OPEN, CLOSE = "<think>\n", "\n</think>\n\n"
MARKER = "Final Answer:"


class Thinker:
    """Thinks in one-word tokens, as many in each stretch as it is told, then closes thinking.

    Obeys caps and stops as a server does, and counts the tokens it generates.
    """

    def __init__(self, stretches, reply=" C", *, counts=True, keeps_stop=False):
        self.stretches, self.reply = list(stretches), reply
        self.counts, self.keeps_stop = counts, keeps_stop
        self.generated, self.thought = [], 0

    def __call__(self, request: Request) -> Completion:
        cap = request.sampling.max_completion_tokens
        if request.prefix.endswith(MARKER):
            words, finish = self.reply.split(" ")[:cap], "stop"
            text = " ".join(words)
        else:
            wanted = self.stretches.pop(0) if self.stretches else 10**6
            count, finish = (wanted, "stop") if wanted < cap else (cap, "length")
            words = [f"w{self.thought + n}" for n in range(count)]
            self.thought += count
            text = " ".join(words)
            if finish == "stop" and self.keeps_stop:
                text += "\n</think>\n\nThe answer is surely A."
        self.generated.append((request, len(words)))
        return Completion(
            text, finish_reason=finish, output_tokens=len(words) if self.counts else None
        )


def forced(thinker, **given_):
    caller = Scripted(thinker)
    return ask(budget_forcing, caller, **given_), caller


def test_thinking_that_does_not_end_is_cut_at_b_tokens_and_the_answer_is_forced():
    thinker = Thinker([10**6])
    answer, caller = forced(thinker, max_thinking=50, waits=3)
    first, last = caller.requests
    assert first.prefix == OPEN
    assert first.sampling.max_completion_tokens == 50
    assert first.sampling.stop == ("</think>",)
    assert last.prefix == f"{OPEN}{answer.reasoning}{CLOSE}{MARKER}"
    assert last.sampling == Sampling(max_completion_tokens=1024)
    assert len(answer.reasoning.split()) == 50
    assert (answer.text, answer.finish_reason, answer.decided) == ("Final Answer: C", "stop", False)


def test_thinking_that_ends_early_is_drawn_out_n_times_and_then_the_answer_is_forced():
    answer, caller = forced(Thinker([5, 6, 7, 8]), max_thinking=100, waits=2)
    assert len(caller.requests) == 4
    assert answer.reasoning.count("Wait") == 2
    assert [r.prefix.count("Wait") for r in caller.requests] == [0, 1, 2, 2]
    assert [r.sampling.max_completion_tokens for r in caller.requests] == [100, 95, 89, 1024]
    assert caller.requests[1].prefix == f"{OPEN}w0 w1 w2 w3 w4\nWait"
    assert re.findall(r"w\d+", answer.reasoning) == [f"w{n}" for n in range(5 + 6 + 7)]


def test_thinking_that_is_long_enough_is_not_drawn_out():
    answer, caller = forced(Thinker([30]), max_thinking=100, min_thinking=20, waits=5)
    assert (len(caller.requests), answer.reasoning.count("Wait")) == (2, 0)


def test_a_minimum_is_reached_by_as_many_waits_as_it_takes():
    answer, caller = forced(Thinker([8, 8, 8, 8]), max_thinking=100, min_thinking=20, waits=5)
    assert (len(caller.requests), answer.reasoning.count("Wait")) == (4, 2)


@pytest.mark.parametrize("given_", [{"waits": 0}, {"min_thinking": 0}])
def test_waits_can_be_left_out(given_):
    answer, caller = forced(Thinker([5]), **given_)
    assert (len(caller.requests), answer.reasoning.count("Wait")) == (2, 0)


def test_no_thinking_at_all():
    answer, caller = forced(Thinker([]), max_thinking=0)
    (request,) = caller.requests
    assert request.prefix == f"{OPEN}{CLOSE}{MARKER}"
    assert (answer.text, answer.reasoning) == ("Final Answer: C", "")


@given(
    stretches=st.lists(st.integers(0, 60), max_size=8),
    most=st.integers(0, 80),
    least=st.none() | st.integers(0, 100),
    waits=st.integers(0, 5),
    reply=st.integers(1, 40),
    most_answer=st.integers(1, 20),
    keeps_stop=st.booleans(),
)
def test_the_promise(stretches, most, least, waits, reply, most_answer, keeps_stop):
    """Cut at B tokens, waits at most n times, then the answer, within waits + 2 calls."""
    thinker = Thinker(stretches, " ".join(["C"] * reply), keeps_stop=keeps_stop)
    answer, caller = forced(
        thinker,
        max_thinking=most,
        min_thinking=least,
        waits=waits,
        max_answer=most_answer,
    )
    *thinking, final = thinker.generated
    assert sum(tokens for _, tokens in thinking) <= most
    assert sum(tokens for _, tokens in thinker.generated) <= most + most_answer
    used = 0
    for request, tokens in thinking:  # no call is given more than what is left
        assert request.sampling.max_completion_tokens == most - used
        used += tokens
    assert len(caller.requests) <= waits + 2
    assert answer.reasoning.count("Wait") <= waits
    assert final[0].prefix.endswith(CLOSE + MARKER)
    assert sum(r.prefix.endswith(MARKER) for r in caller.requests) == 1
    for earlier, later in zip(caller.requests, caller.requests[1:], strict=False):
        assert later.prefix.startswith(earlier.prefix.rstrip())
    if least is not None and used < min(least, most):
        assert answer.reasoning.count("Wait") == waits or len(thinking) == 0
    assert answer.text.startswith(MARKER)


@pytest.mark.parametrize("finish", ["stop", "length", None])
def test_thinking_of_a_server_that_ignores_the_cap_is_cut_all_the_same(finish):
    replies = [Completion(" ".join("abcdefghij"), finish_reason=finish), Completion(" C")]
    answer, _ = forced(lambda request: replies.pop(0), max_thinking=4, waits=5)
    assert answer.reasoning == "a b c d"


def test_what_a_server_writes_behind_the_end_of_thinking_is_not_thinking():
    answer, caller = forced(Thinker([5], keeps_stop=True), waits=0)
    assert answer.reasoning == "w0 w1 w2 w3 w4"
    assert "surely" not in caller.requests[-1].prefix


def test_without_a_count_of_tokens_words_are_counted():
    _, caller = forced(Thinker([5, 10**6], counts=False), max_thinking=50)
    assert [r.sampling.max_completion_tokens for r in caller.requests] == [50, 45, 1024]


def test_thinking_in_a_field_of_its_own():
    replies = [
        Completion("The answer is A.", "first thoughts", "stop", output_tokens=9),
        Completion("", "then more", "stop", output_tokens=2),
        Completion("", " C", "stop", output_tokens=1),
    ]
    answer, caller = forced(lambda request: replies.pop(0), max_thinking=50)
    assert answer.reasoning == "first thoughts\nWaitthen more"
    assert [r.sampling.max_completion_tokens for r in caller.requests] == [50, 41, 1024]
    assert answer.text == "Final Answer: C"


def test_a_field_of_thinking_cut_at_the_cap_is_not_drawn_out():
    replies = [Completion("", "long", "length", output_tokens=50), Completion(" C")]
    answer, _ = forced(lambda request: replies.pop(0), max_thinking=50)
    assert answer.reasoning == "long"


def test_thinking_that_is_closed_at_once_has_ended():
    replies = [
        Completion("some", finish_reason="stop", output_tokens=1),
        CallFailed(Failure.EMPTY),
        Completion(" C"),
    ]
    answer, _ = forced(lambda request: replies.pop(0))
    assert (answer.reasoning, answer.text) == ("some\nWait", "Final Answer: C")


@pytest.mark.parametrize("failure", [f for f in Failure if f is not Failure.EMPTY])
def test_any_other_failure_is_the_engine_s(failure):
    with pytest.raises(CallFailed) as raised:
        forced([CallFailed(failure)])
    assert raised.value.failure is failure


def test_an_empty_answer_is_no_answer():
    with pytest.raises(CallFailed):
        forced([Completion("hm", finish_reason="length"), CallFailed(Failure.EMPTY)])


def test_the_user_s_sampling_holds_within_the_caps():
    given_ = Sampling(0.6, 0.95, 30, ("###",))
    _, caller = forced(Thinker([10, 10**6]), sampling=given_, max_thinking=35, max_answer=40)
    assert [r.sampling.max_completion_tokens for r in caller.requests] == [30, 25, 30]
    assert {r.sampling.temperature for r in caller.requests} == {0.6}
    assert [r.sampling.stop for r in caller.requests] == [("###", "</think>")] * 2 + [("###",)]


def test_a_template_that_opens_thinking_needs_no_opening():
    answer, caller = forced(
        lambda r: Completion(" C") if (r.prefix or "").endswith(MARKER) else Completion("hm"),
        think_open="",
    )
    assert [r.prefix for r in caller.requests] == [None, "hm\nWait", f"hm\nWaithm{CLOSE}{MARKER}"]
    assert answer.text == "Final Answer: C"


def test_each_call_is_a_draw_of_its_own():
    _, caller = forced(Thinker([5, 5]), waits=3)
    assert [r.draw for r in caller.requests] == [0, 1, 2, 3]


def test_other_marks_of_thinking():
    answer, caller = forced(
        lambda r: Completion(" C") if r.prefix.endswith("So:") else Completion("hm"),
        think_open="[THINK]",
        think_close="[/THINK]",
        answer_marker="So:",
        wait="Hmm",
        waits=1,
    )
    assert [r.prefix for r in caller.requests] == [
        "[THINK]",
        "[THINK]hm\nHmm",
        "[THINK]hm\nHmmhm[/THINK]So:",
    ]
    assert caller.requests[0].sampling.stop == ("[/THINK]",)
    assert answer.text == "So: C"


def test_the_answer_is_read_whatever_was_thought():
    chance = random.Random(0)
    for _ in range(20):
        letter = chance.choice("ABCD")
        answer, _ = forced(Thinker([3], f" {letter}. Nothing else fits."))
        assert read(answer.text, options=4).value == letter
