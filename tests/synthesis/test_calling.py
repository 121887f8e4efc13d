"""How a step asks a model: what is kept, what is asked again, what is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from scripted_backend import Scripted, scripted

from tiny import tiny_model
from viva.errors import InputError
from viva.models import (
    CallFailed,
    Completion,
    Failure,
    Message,
    ModelOptions,
    Request,
    Retry,
    Sampling,
)
from viva.records import Choice, Item
from viva.runs.session import Limits
from viva.synthesis.calling import LONGEST_REPLY, open_caller

ONCE = Retry(tries=1)


def echo(request: Request) -> str:
    return f"{request.messages[-1].content} #{request.draw}"


def test_replies_come_in_the_order_of_prompts_and_draws(tmp_path):
    with scripted(echo, tmp_path) as caller:
        assert caller(["a", "b"], samples=2, temperature=1.0) == [
            ["a #0", "a #1"],
            ["b #0", "b #1"],
        ]
        assert caller.calls == 4
        assert caller.spec == "scripted"


def test_a_second_pass_calls_nobody(tmp_path):
    with scripted(echo, tmp_path) as caller:
        first = caller(["a", "b", "a"], samples=2, temperature=1.0, seed=3)
        assert caller.calls == 4  # equal prompts are one call
    with scripted(lambda _: "another", tmp_path) as caller:
        assert caller(["a", "b", "a"], samples=2, temperature=1.0, seed=3) == first
        assert (caller.calls, caller.kept) == (0, 6)


def test_another_seed_temperature_draw_or_model_is_another_call(tmp_path):
    with scripted(echo, tmp_path) as caller:
        caller(["a"], temperature=1.0)
        caller(["a"], temperature=1.0, seed=1)
        caller(["a"], temperature=0.5)
        caller(["a"], temperature=1.0, samples=2)  # the first draw is there
        assert (caller.calls, caller.kept) == (4, 1)
    with open_caller(Scripted(echo, "other"), tmp_path / "calls.jsonl") as caller:
        caller(["a"], temperature=1.0)
        assert caller.calls == 1


def test_the_same_model_at_another_address_is_the_same(tmp_path):
    with scripted(echo, tmp_path) as caller:
        caller(["a"])
    moved = Scripted(echo)
    moved.settings = lambda: {"kind": "scripted", "base_url": "http://elsewhere"}  # type: ignore[method-assign]
    with open_caller(moved, tmp_path / "calls.jsonl") as caller:
        caller(["a"])
        assert caller.calls == 0


def test_every_draw_has_a_seed_of_its_own_and_greedy_ones_have_none(tmp_path):
    backend = Scripted(echo)
    with open_caller(backend, tmp_path / "calls.jsonl") as caller:
        caller(["a", "b"], samples=3, temperature=0.7)
        assert len({request.seed for request in backend.requests}) == 6
        backend.requests.clear()
        caller(["c"], temperature=0)
        assert [request.seed for request in backend.requests] == [None]
        with pytest.raises(InputError, match="one and the same"):
            caller(["a"], samples=2, temperature=0)


def test_a_failed_call_is_none_and_counted_and_asked_again(tmp_path):
    def say(request: Request) -> str | Exception:
        said = request.messages[-1].content
        if said == "slow":
            return CallFailed(Failure.TIME_OUT, "no reply")
        if said == "long":
            return CallFailed(Failure.CONTEXT, "too long")
        return "fine"

    with scripted(say, tmp_path, retry=ONCE) as caller:
        assert caller(["slow", "ok", "long"]) == [[None], ["fine"], [None]]
        assert caller.failures == {"time-out": 1, "context too long": 1}
        assert caller.replies(["long"])[0][0].failure == "context too long"
        assert caller.calls == 3  # the same request would fail again
    with scripted(lambda _: "fine", tmp_path) as caller:
        assert caller(["slow", "ok", "long"]) == [["fine"], ["fine"], [None]]
        assert caller.calls == 1


@pytest.mark.parametrize("failure", [Failure.CONNECTION, Failure.BUDGET])
def test_what_nobody_answered_is_no_drop_but_an_error(tmp_path, failure):
    def say(request: Request) -> str | Exception:
        return "fine" if request.messages[-1].content == "a" else CallFailed(failure, "gone")

    with (
        scripted(say, tmp_path, retry=ONCE, connections=1) as caller,
        pytest.raises(InputError, match="kept"),
    ):
        caller(["a", "b", "c"])
    with scripted(lambda _: "later", tmp_path) as caller:
        assert caller(["a", "b", "c"]) == [["fine"], ["later"], ["later"]]
        assert caller.calls == 2


def test_no_key_ends_it_with_the_models_name(tmp_path):
    with (
        scripted(lambda _: CallFailed(Failure.KEY, "401"), tmp_path) as caller,
        pytest.raises(InputError, match=r"^scripted: not authorised"),
    ):
        caller(["a"])


def test_the_budget_counts_what_earlier_sessions_spent(tmp_path):
    prompts = [str(n) for n in range(6)]
    made = 3
    for kept in (1, 1):
        with scripted(echo, tmp_path, budget=Limits(max_calls=3), connections=1) as caller:
            with pytest.raises(InputError, match="budget of 3 calls"):
                caller(prompts)
            assert len(caller._journal) == made * kept
    with scripted(echo, tmp_path, budget=Limits(max_calls=6)) as caller:
        assert caller(prompts) == [[f"{n} #0"] for n in prompts]


def test_thinking_of_its_own_field_stands_first_in_tags(tmp_path):
    said = Completion("B", reasoning=" Because. ", finish_reason="stop")
    with scripted(lambda _: said, tmp_path) as caller:
        (reply,) = caller.replies(["a"])[0]
    assert reply.text == "<think>\nBecause.\n</think>\n\nB"
    assert reply.finish_reason == "stop"


def test_hostile_replies_are_bounded_and_writable(tmp_path):
    texts = {"long": "x" * (LONGEST_REPLY + 1), "half": "a\ud800b", "control": "a\x00\x1b[31m"}
    with scripted(lambda r: texts[r.messages[-1].content], tmp_path) as caller:
        ((too_long,), (half,), (control,)) = caller.replies(list(texts))
    assert (too_long.text, too_long.failure) == (None, "too long")
    assert half.text is not None
    half.text.encode()
    assert control.text == texts["control"]


def test_requests_keep_what_they_say_themselves(tmp_path):
    backend = Scripted(echo)
    asked = Request(
        (Message("system", "s"), Message("user", "u")), prefix="So", sampling=Sampling(0.2)
    )
    with open_caller(
        backend, tmp_path / "c.jsonl", sampling=Sampling(max_completion_tokens=9)
    ) as caller:
        caller([asked], temperature=1.0)
    (sent,) = backend.requests
    assert (sent.messages, sent.prefix) == (asked.messages, "So")
    assert (sent.sampling.temperature, sent.sampling.max_completion_tokens) == (0.2, 9)


def test_answers_of_a_file_are_looked_up_by_item(tmp_path):
    rows = [{"benchmark": "b", "item_id": str(n), "model": "m", "sample": s, "response": f"{n}/{s}"}
            for n in range(2) for s in range(2)]  # fmt: skip
    answers = tmp_path / "answers.jsonl"
    answers.write_text("".join(json.dumps(row) + "\n" for row in rows))
    items = [Item("b", str(n), "q", ("x", "y"), Choice(0)) for n in range(2)]
    for _ in range(2):  # the second time from the journal
        with open_caller(f"replay/{answers}", tmp_path / "calls.jsonl") as caller:
            found = caller.replies(["same", "same"], samples=2, temperature=1.0, items=items)
        assert [[one.text for one in draws] for draws in found] == [["0/0", "0/1"], ["1/0", "1/1"]]


KILLED = """
import os, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from scripted_backend import scripted

calls = 0

def say(request):
    global calls
    calls += 1
    if calls > 5:
        os._exit(9)
    return "first " + request.messages[-1].content

with scripted(say, Path({folder!r}), connections=1) as caller:
    caller([str(n) for n in range(12)])
"""


def test_killed_after_some_calls_the_second_run_makes_only_the_missing_ones(tmp_path):
    code = textwrap.dedent(KILLED).format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    source = str(Path(__file__).resolve().parents[2] / "src")
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": source}, check=False
    )
    assert done.returncode == 9
    with scripted(lambda r: f"second {r.messages[-1].content}", tmp_path) as caller:
        found = caller([str(n) for n in range(12)])
        assert caller.calls == 7
    assert found == [[f"{'first' if n < 5 else 'second'} {n}"] for n in range(12)]


def test_a_real_model_in_process_is_asked_once(tmp_path):
    folder = tiny_model(tmp_path / "model", answers=True)
    options = ModelOptions(device="cpu")
    sampling = Sampling(max_completion_tokens=30)
    prompts = ["Which is it? A. x B. y", "And this? A. y B. x"]
    found = []
    for calls in (4, 0):
        journal = tmp_path / "calls.jsonl"
        with open_caller(f"hf/{folder}", journal, options, sampling=sampling) as caller:
            found.append(caller(prompts, samples=2, temperature=1.0))
            assert caller.calls == calls
    assert found[0] == found[1]
    assert all("answer is (" in text for draws in found[0] for text in draws)
