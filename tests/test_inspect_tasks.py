"""Our benchmarks as Inspect tasks: run by Inspect itself, with the scores of viva."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from servers import mock_server
from viva import InputError
from viva.benchmarks import CARDS, bundled, bundled_answers
from viva.formats import read_responses
from viva.formats.inspect_log import write_inspect
from viva.formats.run import items_of
from viva.methods import load_prompt, render
from viva.scoring import score_responses

inspect_ai = pytest.importorskip("inspect_ai", reason="pip install 'vivavoce[inspect]'")

from inspect_ai.log import read_eval_log, recompute_metrics  # noqa: E402
from inspect_ai.model import ContentReasoning, ContentText, ModelOutput, ModelUsage, get_model  # noqa: E402

from viva import inspect_tasks  # noqa: E402

SAID = (
    "The answer is B.",
    "Answer: A",
    "Answer: C or D",
    "I cannot say.",
    "<think>Is it A? No.</think>\n\nAnswer: D",
    "",
)


def model(*texts: str, seen: list | None = None, reasoning: str | None = None, stop="stop"):
    """A model in process that says the texts in turn."""
    said = iter(texts * 1000)

    def output(messages, tools, choice, config):
        if seen is not None:
            seen.append((messages, config))
        text = next(said)
        content = text
        if reasoning:
            content = [ContentReasoning(reasoning=reasoning), ContentText(text=text)]
        made = ModelOutput.from_content("mock", content, stop_reason=stop)
        # Without usage, Inspect's mock counts tokens with a file that it downloads.
        made.usage = ModelUsage(input_tokens=9, output_tokens=2, total_tokens=11)
        return made

    return get_model("mockllm/model", custom_outputs=output, memoize=False)


def evaluated(task, tmp_path, *, texts=SAID, **more):
    arguments = {"limit": len(SAID), "max_samples": 1, "max_connections": 1} | more
    (log,) = inspect_ai.eval(
        task, model=arguments.pop("model", None) or model(*texts), display="none",
        log_dir=str(tmp_path), **arguments,
    )  # fmt: skip
    assert log.status == "success", log.error and log.error.traceback
    return log


def test_there_is_a_task_for_each_benchmark_with_data():
    assert {"medqa", "medmcqa", "mmlu_med", "pubmedqa"} <= set(inspect_tasks.TASKS)
    for name, make in inspect_tasks.TASKS.items():
        if CARDS[name].access != "bundled":
            continue
        task = make()
        items = bundled().items.filter(benchmark=name, target="choice")
        assert [s.id for s in task.dataset] == items["item_id"].to_list()
        assert [s.choices for s in task.dataset] == items["options"].to_list()
        assert ["ABCDEFGHIJ".index(s.target) for s in task.dataset] == (
            items["key"].list.first().to_list()
        )


def test_inspect_finds_the_tasks_by_name_and_scores_as_viva_does(tmp_path):
    seen: list = []
    log = evaluated("viva/medqa", tmp_path, model=model(*SAID, seen=seen))
    assert log.eval.task == "viva/medqa"
    # The prompt is that of viva's method.
    items = bundled().items.filter(benchmark="medqa").head(len(SAID))
    prompt = load_prompt("cot")
    assert [m[-1].text for m, _ in seen] == [render(prompt, i) for i in items_of(items)]
    # Inspect's log, read as any other: the same items, the same scores.
    read = read_responses(Path(log.location.removeprefix("file://")))
    assert read.left_out == []
    assert read.responses["item_id"].to_list() == items["item_id"].to_list()
    assert set(read.responses["method"]) == {"cot"}
    ours = score_responses(items, read.responses)
    theirs = [sample.scores["choice"] for sample in log.samples]
    values = {"C": 1.0, "I": 0.0, "N": 0.0}
    assert [values[s.value] for s in theirs] == ours["value"].to_list()
    assert [s.answer for s in theirs] == ours["read"].to_list()
    assert [s.metadata["status"] for s in theirs] == ours["status"].to_list()
    assert {s.value for s in theirs} == {"C", "I", "N"}
    metrics = {n: m.value for score in log.results.scores for n, m in score.metrics.items()}
    assert metrics["accuracy"] == pytest.approx(ours["value"].mean())
    assert metrics["unparsed"] == pytest.approx((ours["status"] == "unparsed").mean())
    assert metrics["ambiguous"] == pytest.approx((ours["status"] == "ambiguous").mean())
    before = log.results.model_copy(deep=True)
    recompute_metrics(log)
    assert log.results == before


def test_a_method_and_its_parameters(tmp_path):
    log = evaluated(
        "viva/medqa", tmp_path, texts=("Answer: B", "Answer: B", "Answer: A"),
        task_args={"method": "self_consistency", "k": 3}, limit=2,
    )  # fmt: skip
    assert [s.scores["choice"].answer for s in log.samples] == ["B", "B"]
    assert [s.model_usage["mockllm/model"].total_tokens for s in log.samples] == [33, 33]
    read = read_responses(tmp_path)
    assert read.responses["prediction"].to_list() == ["B", "B"]
    assert read.responses["already_read"].to_list() == [True, True]
    for arguments, message in (
        ({"method": "cott"}, "cot"),
        ({"method": "cot", "kk": 3}, "kk"),
        ({"method": "budget_forcing"}, "continues the assistant's turn"),
        ({"prompt": "dirct"}, "direct"),
    ):
        with pytest.raises(InputError, match=message):
            inspect_tasks.TASKS["medqa"](**arguments)


def test_context_reasoning_and_cut_answers(tmp_path):
    seen: list = []
    say = model("Answer: yes", seen=seen, reasoning="Let me see", stop="max_tokens")
    log = evaluated("viva/pubmedqa", tmp_path, model=say, limit=1, task_args={"method": "direct"})
    (sample,) = log.samples
    (item,) = items_of(bundled().items.filter(benchmark="pubmedqa").head(1))
    assert item.context
    assert seen[0][0][-1].text == render(load_prompt("direct"), item)
    assert sample.store["viva_answer"]["finish_reason"] == "length"
    assert sample.scores["choice"].answer == "A"
    assert read_responses(tmp_path).responses["reasoning"].to_list() == ["Let me see"]


def test_another_solver_is_scored_by_the_same_reader(tmp_path):
    from inspect_ai.solver import multiple_choice

    log = evaluated("viva/medqa", tmp_path, solver=multiple_choice(), texts=("ANSWER: B",), limit=3)
    assert [s.scores["choice"].answer for s in log.samples] == ["B", "B", "B"]


def test_inspect_scores_an_exported_run_again(tmp_path):
    """``inspect score`` with our scorer over our logs: what was read before is read again."""
    items = bundled().items.filter(benchmark="pubmedqa").head(60)
    answers = bundled_answers().responses.filter(method="cot")
    answers = answers.join(items, on=["benchmark", "item_id"], how="semi")
    scores = score_responses(items, answers)
    (path,) = write_inspect(items, answers, scores, {}, tmp_path / "out")
    again = tmp_path / "again.eval"
    done = subprocess.run(
        [sys.executable, "-m", "inspect_ai", "score", str(path), "--scorer", "viva/choice",
         "--model", "none/none", "--action", "overwrite", "--output-file", str(again)],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    before, after = (
        {s.id: s.scores and s.scores["choice"].value for s in read_eval_log(str(p)).samples}
        for p in (path, again)
    )
    assert before == after
    assert {"C", "I"} <= set(after.values())


def test_data_that_is_not_there_is_said(monkeypatch):
    monkeypatch.delenv("VIVA_DATA", raising=False)
    with pytest.raises(InputError, match="VIVA_DATA"):
        inspect_tasks.TASKS["careqa"]()


def test_the_command_line_of_inspect(tmp_path):
    """``inspect eval viva/medqa`` against a server, as a user types it."""
    with mock_server(reply=lambda payload: "Answer: B") as server:
        done = subprocess.run(
            [sys.executable, "-m", "inspect_ai", "eval", "viva/medqa", "--limit", "3",
             "--model", "openai-api/mock/mock", "--model-base-url", f"{server.url}/v1",
             "--display", "none", "--log-dir", str(tmp_path), "-T", "method=direct"],
            env=os.environ | {"MOCK_API_KEY": "none"}, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert server.calls == 3
    (path,) = tmp_path.glob("*.eval")
    log = read_eval_log(str(path))
    assert log.status == "success"
    assert [s.scores["choice"].answer for s in log.samples] == ["B", "B", "B"]
    read = read_responses(path)
    expected = score_responses(bundled().items, read.responses)["value"]
    assert log.results.scores[0].metrics["accuracy"].value == pytest.approx(expected.mean())
    assert isinstance(read.responses, pl.DataFrame)
