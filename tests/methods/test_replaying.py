"""A run goes on by replaying what was answered: equal completions bring equal requests."""

from __future__ import annotations

import hashlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_caller import Scripted, ask, item

from viva.methods import METHODS, set_parameters
from viva.models import Completion, Request, Sampling
from viva.records import Choice, Item

REPLIES = [
    "Answer: A",
    "Answer: C > A > B > D",
    "hm",
    "Answer: Thiamine",
    "<think>no",
    "C",
    "B or C",
]


def replying(salt: int):
    """A completion for every request, the same whenever it is asked."""

    def script(request: Request) -> Completion:
        digest = hashlib.sha256(f"{salt}{request.hash()}".encode()).digest()
        words = REPLIES[digest[0] % len(REPLIES)]
        candidates = {letter: math.log((1 + digest[i]) / 2000) for i, letter in enumerate("ABCD")}
        finish = "length" if digest[1] % 3 == 0 else "stop"
        return Completion(
            words, finish_reason=finish, output_tokens=digest[2], logprobs=(candidates,)
        )

    return script


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    path = tmp_path_factory.mktemp("pool") / "pool.jsonl"
    rows = [
        {"benchmark": "p", "item_id": str(n), "question": f"Vitamin number {n} does what?",
         "options": ["this", "that"], "answer": n % 2}
        for n in range(20)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    return str(path)


@pytest.mark.parametrize("name", METHODS)
@given(salt=st.integers(0, 10**6), count=st.integers(2, 8), id_=st.text(max_size=8))
def test_the_same_completions_bring_the_same_requests_and_answer(pool, name, salt, count, id_):
    question = item(item_id=id_, options=tuple(f"drug {n}" for n in range(count)), target=Choice(0))
    given_ = {"examples": pool, "choose": "similar"} if name == "few_shot" else {}
    given_ = set_parameters(name, given_)
    runs = []
    for _ in range(2):
        caller = Scripted(replying(salt))
        answer = ask(METHODS[name].ask, caller, question, **given_)
        runs.append((answer, [request.hash() for request in caller.requests]))
    assert runs[0] == runs[1]
    assert len(set(runs[0][1])) == len(runs[0][1]), "equal requests would share one completion"


@pytest.mark.parametrize("name", METHODS)
@given(salt=st.integers(0, 10**6))
def test_the_key_does_not_reach_the_model(pool, name, salt):
    given_ = set_parameters(name, {"examples": pool} if name == "few_shot" else {})
    requests = []
    for target in (None, Choice(0), Choice(3)):
        question = item(target=target, meta={"explanation": "the key"}, stratum="reasoning")
        caller = Scripted(replying(salt))
        ask(METHODS[name].ask, caller, question, **given_)
        requests.append([request.hash() for request in caller.requests])
    assert requests[0] == requests[1] == requests[2]


@pytest.mark.parametrize("name", METHODS)
def test_what_the_user_gave_goes_before_every_method(pool, name):
    given_ = set_parameters(name, {"examples": pool} if name == "few_shot" else {})
    caller = Scripted(replying(0))
    ask(METHODS[name].ask, caller, sampling=Sampling(0.123, 0.5, 7, extra={"x": 1}), **given_)
    for request in caller.requests:
        assert request.sampling.temperature == 0.123
        assert request.sampling.top_p == 0.5
        assert request.sampling.max_completion_tokens <= 7
        assert request.sampling.extra == {"x": 1}


@pytest.mark.parametrize("name", METHODS)
@given(
    question=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80),
    options=st.lists(st.text(max_size=20), min_size=2, max_size=26),
    text=st.text(max_size=200),
)
def test_any_item_and_any_reply_bring_an_answer(pool, name, question, options, text):
    given_ = set_parameters(name, {"examples": pool} if name == "few_shot" else {})
    candidates = dict.fromkeys(text[:20], -1.0)
    caller = Scripted(lambda r: Completion(text, finish_reason="stop", logprobs=(candidates,)))
    answer = ask(METHODS[name].ask, caller, Item("b", "1", question, tuple(options)), **given_)
    if answer.decided and answer.prediction is not None:
        assert answer.prediction in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[: len(options)]
    assert answer.confidence is None or 0 <= answer.confidence <= 1
    assert answer.probabilities is None or len(answer.probabilities) == len(options)
