"""Replay: the same answers again, offline; what was not recorded is said."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "runs"))

import made_runs
from made_runs import NO_WAIT, Fake, rows

import viva
from viva.errors import InputError
from viva.formats.run import read_run
from viva.models import CallFailed, Completion, Failure, Message, Request, Sampling
from viva.models.asked import ASKED, Asked
from viva.models.specs import ModelOptions, open_model


def run_of(out, model, **more):
    made_runs.with_own_methods()
    given = {"benchmark": rows(5), "method": "direct", "samples": 2, "retry": NO_WAIT}
    return viva.evaluate(model=model, out=out, **(given | more))


@pytest.mark.parametrize("method", ["direct", "in_turn", "at_once"])
def test_a_run_again_is_equal(tmp_path, method):
    def reply(request):
        return Completion(f"{request.seed}. The answer is B.", "hm", "stop", 7, 8, 0.25)

    run_of(tmp_path / "a", Fake(reply), method=method)
    again = run_of(tmp_path / "b", f"replay/{tmp_path / 'a'}", method=method)
    assert (again.done, again.failed) == (10, 0)
    a, b = read_run(tmp_path / "a"), read_run(tmp_path / "b")
    assert a.responses.equals(b.responses)
    assert a.calls.sort("key").collect().equals(b.calls.sort("key").collect())


def test_the_name_in_records_may_be_another(tmp_path):
    run_of(tmp_path / "a", Fake())
    options = ModelOptions(name="renamed")
    run = run_of(tmp_path / "b", f"replay/{tmp_path / 'a'}", options=options)
    assert run.done == 10
    assert set(read_run(tmp_path / "b").responses["model"]) == {"renamed"}


@pytest.mark.parametrize(
    "change", [{"seed": 1}, {"sampling": Sampling(temperature=1.0)}, {"method": "cot"}]
)
def test_what_was_not_recorded_is_an_error_of_the_item(tmp_path, change):
    run_of(tmp_path / "a", Fake())
    run = run_of(tmp_path / "b", f"replay/{tmp_path / 'a'}", **change)
    assert (run.done, run.failed, run.calls) == (0, 10, 10)  # one try each: no other would help
    assert "no such request" in read_run(tmp_path / "b").responses["error"][0]


def test_a_recorded_failure_is_not_tried_again(tmp_path):
    run_of(tmp_path / "a", Fake(lambda _: CallFailed(Failure.TIME_OUT, "9 s")))
    run = run_of(tmp_path / "b", f"replay/{tmp_path / 'a'}")
    assert (run.failed, run.calls) == (10, 10)
    error = read_run(tmp_path / "b").responses["error"][0]
    assert error == "not recorded: the recorded call failed: time-out: 9 s"


def test_logprobs_come_back(tmp_path):
    told = Completion("B", None, "stop", 1, 1, logprobs=({"B": -0.5},))
    run_of(tmp_path / "a", Fake(lambda _: told))
    backend = open_model(f"replay/{tmp_path / 'a'}")
    recorded = read_run(tmp_path / "a").calls.collect()
    assert recorded["logprobs"].null_count() == 0
    run_of(tmp_path / "b", backend)
    again = read_run(tmp_path / "b").calls.collect()
    assert json.loads(again["logprobs"][0]) == [{"B": -0.5}]


def answers(path: Path, models=("m",), **more) -> Path:
    lines = [
        {"benchmark": "made", "item_id": f"i{n}", "model": model, "response": f"{model} says C"}
        | more
        for n in range(4)
        for model in models
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_answers_of_a_file_by_item(tmp_path):
    path = answers(tmp_path / "answers.jsonl")
    run = run_of(tmp_path / "run", f"replay/{path}", samples=1)
    assert (run.done, run.failed) == (4, 1)
    responses = read_run(tmp_path / "run").responses
    assert responses["text"].to_list() == ["m says C"] * 4 + [None]
    assert "holds no answer to made/i4 sample 0" in responses["error"][4]
    assert set(responses["model"]) == {"m"}


def test_which_of_several_models(tmp_path):
    path = answers(tmp_path / "answers.jsonl", ("m", "n"))
    with pytest.raises(InputError, match=r"2 models.*Name one of them: m, n"):
        open_model(f"replay/{path}")
    with pytest.raises(InputError, match="none named 'x'"):
        open_model(f"replay/{path}", ModelOptions(name="x"))
    backend = open_model(f"replay/{path}", ModelOptions(name="n"))
    ASKED.set(Asked("made", "i0", 0))
    request = Request((Message("user", "?"),))
    assert asyncio.run(backend.generate(request)).text == "n says C"
    assert backend.model == "n"


def test_predictions_and_failures_of_a_file(tmp_path):
    path = tmp_path / "answers.jsonl"
    given = [("i0", {"prediction": "B"}), ("i1", {"prediction": None}), ("i2", {"error": "died"})]
    path.write_text(
        "".join(
            json.dumps({"benchmark": "made", "item_id": i, "model": "m"} | more) + "\n"
            for i, more in given
        )
    )
    run = run_of(tmp_path / "run", f"replay/{path}", samples=1, limit=3)
    assert (run.done, run.failed) == (2, 1)
    responses = read_run(tmp_path / "run").responses
    assert responses["text"].to_list() == ["B", "", None]
    assert "died" in responses["error"][2]


def test_outside_a_task_nothing_is_found(tmp_path):
    backend = open_model(f"replay/{answers(tmp_path / 'a.jsonl')}")
    token = ASKED.set(None)
    try:
        with pytest.raises(CallFailed, match="not recorded"):
            asyncio.run(backend.generate(Request((Message("user", "?"),))))
    finally:
        ASKED.reset(token)


def test_nothing_to_replay(tmp_path):
    with pytest.raises(InputError, match="no such run or answers file"):
        open_model(f"replay/{tmp_path / 'none'}")
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(InputError, match="is empty"):
        open_model(f"replay/{tmp_path / 'empty.jsonl'}")


def test_no_network_is_used(tmp_path, monkeypatch):
    import socket

    run_of(tmp_path / "a", Fake())

    def refused(*_, **__):
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refused)
    assert run_of(tmp_path / "b", f"replay/{tmp_path / 'a'}").done == 10
