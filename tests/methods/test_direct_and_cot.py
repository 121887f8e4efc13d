"""One call: what is asked, whose sampling counts, and what comes back."""

from __future__ import annotations

import pytest
from scripted_caller import Scripted, ask, item

from viva.answers import read
from viva.errors import InputError
from viva.methods import load_prompt, render
from viva.methods.cot import cot
from viva.methods.direct import direct
from viva.models import CallFailed, Completion, Failure, Message, Request, Sampling


@pytest.mark.parametrize(("method", "name"), [(direct, "direct"), (cot, "cot")])
def test_one_call_with_the_method_s_prompt(method, name):
    caller = Scripted([Completion("Answer: C", "hm", "stop")])
    answer = ask(method, caller)
    assert caller.requests == [Request((Message("user", render(load_prompt(name), item())),))]
    assert (answer.text, answer.reasoning, answer.finish_reason) == ("Answer: C", "hm", "stop")
    assert not answer.decided
    assert answer.prediction is None


@pytest.mark.parametrize("method", [direct, cot])
def test_what_the_user_gives_reaches_the_model_as_it_is(method):
    given = Sampling(0.3, 0.9, 77, ("END",), {"top_k": 5})
    caller = Scripted(["C"])
    ask(method, caller, sampling=given, prompt=load_prompt("ranked"), system="Be brief.")
    (request,) = caller.requests
    assert request.sampling == given
    assert request.messages[0] == Message("system", "Be brief.")
    assert request.messages[1].content == render(load_prompt("ranked"), item())


def test_a_call_that_fails_is_the_engine_s_to_record():
    with pytest.raises(CallFailed, match="context too long"):
        ask(cot, Scripted([CallFailed(Failure.CONTEXT)]))


@pytest.mark.parametrize("options", [(), ("one",)])
def test_an_item_without_options_is_told(options):
    caller = Scripted(["C"])
    with pytest.raises(InputError, match=f"exam 1: an item with {len(options)} options"):
        ask(direct, caller, item(options=options))
    assert caller.requests == []


@pytest.mark.parametrize(
    "reply", ["C", "C.", "(C)", "Sailors lack fruit.\n\nAnswer: C", "Answer: C."]
)
def test_the_reader_reads_what_the_prompts_ask_for(reply):
    assert read(reply, options=item().options).value == "C"
