"""How a given start is put before a model, and which back-end may be asked so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viva.errors import InputError
from viva.models import Capabilities, Message, Prefill, Request
from viva.models.starts import (
    ARMS,
    arm_label,
    check_arm,
    prefill_arm,
    require_prefill,
    with_start,
)

REQUEST = Request((Message("system", "s"), Message("user", "Which one?")), seed=3)


class Made:
    """A back-end of which only what is declared matters."""

    model = "m"

    def __init__(self, prefill, mode=None, seen=None):
        self.capabilities = Capabilities(prefill=prefill, evidence=seen)
        self.prefill_mode = mode


@given(st.text(min_size=1), st.sampled_from(sorted(ARMS)))
def test_each_arm_puts_the_whole_start_somewhere_else(text, arm):
    put = with_start(REQUEST, text, arm)
    assert put.hash() != REQUEST.hash()
    assert (put.seed, put.sampling) == (REQUEST.seed, REQUEST.sampling)
    assert put.messages[0] == REQUEST.messages[0]
    if ARMS[arm].continues:
        assert (put.prefix, put.messages) == (text, REQUEST.messages)
        return
    assert put.prefix is None
    assert put.messages[-1].role == "user"
    if arm == "earlier_turn":
        assert put.messages[:2] == REQUEST.messages
        assert put.messages[2] == Message("assistant", text)
        assert len(put.messages) == 4
    else:
        assert len(put.messages) == 2
        assert put.messages[-1].content.startswith("Which one?")
        assert text in put.messages[-1].content


def test_a_method_that_begins_the_turn_goes_on_from_the_start():
    begun = Request(REQUEST.messages, prefix=" So")
    assert with_start(begun, "I think B.").prefix == "I think B. So"


@pytest.mark.parametrize(
    ("request_", "text", "arm", "says"),
    [
        (REQUEST, "x", "prefil", "Did you mean prefill"),
        (REQUEST, "x", "zzz", "Known: prefill"),
        (REQUEST, "", "prefill", "empty"),
        (Request((Message("assistant", "a"),)), "x", "prefill", "user's turn"),
        (Request(()), "x", "prefill", "user's turn"),
    ],
)
def test_what_cannot_be_put_is_refused(request_, text, arm, says):
    with pytest.raises(InputError, match=says):
        with_start(request_, text, arm)


@pytest.mark.parametrize("found", [p for p in Prefill if p is not Prefill.CONTINUED])
def test_only_a_continued_turn_is_a_prefill(found):
    backend = Made(found, seen={"prefill": "5 left over"})
    for refuse in (require_prefill, prefill_arm, lambda b: check_arm(b, "prefill")):
        with pytest.raises(
            InputError, match=f"m does not continue a prefill .{found}: 5 left over"
        ):
            refuse(backend)
    check_arm(backend, "earlier_turn")
    check_arm(backend, "user_suggestion")


def test_raw_completions_have_a_name_of_their_own():
    chat, raw = Made(Prefill.CONTINUED, "flags"), Made(Prefill.CONTINUED, "completions")
    assert (prefill_arm(chat), prefill_arm(raw)) == ("prefill", "raw_completion")
    check_arm(chat, "prefill")
    check_arm(raw, "raw_completion")
    with pytest.raises(InputError, match="serves the arm raw_completion"):
        check_arm(raw, "prefill")
    with pytest.raises(InputError, match="serves the arm prefill"):
        check_arm(chat, "raw_completion")


def test_a_back_end_that_says_nothing_of_ways_prefills():
    class InProcess:
        model = "m"
        capabilities = Capabilities(prefill=Prefill.CONTINUED)

    assert prefill_arm(InProcess()) == "prefill"


def test_arms_are_never_pooled():
    assert len({arm_label("wrong_start", arm) for arm in ARMS}) == len(ARMS)
    with pytest.raises(InputError):
        arm_label("wrong_start", "unknown")
