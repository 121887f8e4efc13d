"""Runs written for other tools: read by those tools themselves, and by us, to the same."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import viva
from viva import InputError
from viva.formats import EXPORTS, find_export, read_responses
from viva.formats.inspect_log import SCORER, write_inspect
from viva.formats.lm_eval_samples import write_lm_eval
from viva.formats.run import read_run
from viva.models import Capabilities, Completion, Request
from viva.records import (
    Choice,
    Choices,
    Group,
    Item,
    Response,
    items_frame,
    responses_frame,
)
from viva.runs.exporting import export
from viva.scoring import score_responses

MANIFEST = {
    "created": "2026-11-21T13:55:07.040955+00:00",
    "identity": {
        "seed": 7,
        "sampling": {"temperature": 0.6, "max_completion_tokens": 512, "stop": ["\n\n"]},
    },
}

ITEMS = [
    Item("medqa", "0", "Which hormone lowers blood glucose?", ("Glucagon", "Insulin"), Choice(1),
         stratum="knowledge", stratum_definition="rubric", p_reasoning=0.125,
         meta={"exam": "step1", "years": [1999, 2001]}),
    Item("medqa", "1", "A 40-year-old … what now? \u2028 <b>", ("B", "A", "C"), Choice(0),
         group=Group("g1", "variant", "altering")),
    Item("pubmedqa", "99/../x", "Does it help?", ("yes", "no", "maybe"), Choice(2),
         context="BACKGROUND: it may.\nRESULTS: it did."),
    Item("frenchmedmcqa", "f", "Lesquelles ?", ("un", "deux", "trois"), Choices((0, 2))),
    Item("essay", "e", "Explain sepsis."),
    Item("mmlu_med", "anatomy-000", "Which bone?", ("Femur", "Ulna"), Choice(1)),
]  # fmt: skip


def said(item: Item, text: str | None, sample: int = 0, **more) -> Response:
    return Response(item.benchmark, item.item_id, more.pop("model", "org/m:7b"), text,
                    sample=sample, **({"method": "cot"} | more))  # fmt: skip


FULL = {
    "finish_reason": "stop", "prompt_hash": "abc", "seed": 2**31 - 1, "calls": 1,
    "input_tokens": 10, "output_tokens": 3, "seconds": 0.25, "cost": 0.0001,
}  # fmt: skip
RESPONSES = [
    said(ITEMS[0], "The answer is B.", **FULL),
    said(ITEMS[0], "<think>A? No.</think>\n  Answer: A  ", 1, reasoning="hm", **FULL),
    said(ITEMS[1], "", finish_reason="length"),
    said(ITEMS[1], "Answer: A or B", 1, finish_reason="weird"),
    said(ITEMS[2], None, error="time out after 600 s"),
    said(ITEMS[3], "un et trois"),
    said(ITEMS[4], "It is \u0000 hard 🜚", reasoning="r"),
    said(ITEMS[0], None, prediction="B", already_read=True, method="self_consistency(k=3)",
         confidence=2 / 3, probabilities=(0.25, 0.75), calls=3),
    said(ITEMS[1], None, already_read=True, method="self_consistency(k=3)", calls=3,
         reasoning="three texts"),
    said(ITEMS[0], "The answer is A.", probe="misled@prefill", cue="A"),
    said(ITEMS[0], "Answer: B", model="other"),
    said(ITEMS[5], "Answer: B", model="other"),
]  # fmt: skip


def made(items=ITEMS, responses=RESPONSES):
    table, answers = items_frame(items), responses_frame(responses)
    return table, answers, score_responses(table, answers)


def same(path: Path, items: pl.DataFrame, responses: pl.DataFrame) -> None:
    read = read_responses(path)
    assert read.left_out == []
    key = ["benchmark", "item_id", "model", "method", "probe", "sample"]
    assert_frame_equal(read.responses.sort(key), responses.sort(key))
    asked = items.join(responses, on=["benchmark", "item_id"], how="semi")
    assert read.items is not None
    assert_frame_equal(read.items.sort("benchmark", "item_id"), asked.sort("benchmark", "item_id"))


@pytest.mark.parametrize("name", EXPORTS)
def test_what_is_written_is_read_back_to_the_same(name, tmp_path):
    if name == "inspect":
        pytest.importorskip("inspect_ai")
    items, responses, scores = made()
    paths = find_export(name).write(items, responses, scores, MANIFEST, tmp_path / "out")
    assert paths
    assert sorted(paths) == sorted(p for p in (tmp_path / "out").rglob("*") if p.is_file())
    same(tmp_path / "out", items, responses)
    # A pure pass over what was read back gives the same scores.
    read = read_responses(tmp_path / "out")
    again = score_responses(read.items, read.responses)
    assert_frame_equal(again, scores, check_row_order=False)


@pytest.mark.parametrize("name", EXPORTS)
def test_the_same_run_gives_the_same_bytes(name, tmp_path):
    if name == "inspect":
        pytest.importorskip("inspect_ai")
    for folder in ("a", "b"):
        find_export(name).write(*made(), MANIFEST, tmp_path / folder)
    one, two = (sorted((tmp_path / f).rglob("*")) for f in ("a", "b"))
    assert [p.relative_to(tmp_path / "a") for p in one] == [
        p.relative_to(tmp_path / "b") for p in two
    ]
    for left, right in zip(one, two, strict=True):
        assert left.is_dir() or left.read_bytes() == right.read_bytes()


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@settings(max_examples=25)
@given(st.lists(st.tuples(texts, st.none() | texts.filter(bool)), min_size=1, max_size=5))
@pytest.mark.parametrize("name", EXPORTS)
def test_any_text_survives(name, tmp_path_factory, answers):
    if name == "inspect":
        pytest.importorskip("inspect_ai")
    folder = tmp_path_factory.mktemp("out")
    responses = [said(ITEMS[0], t, i, reasoning=r) for i, (t, r) in enumerate(answers)]
    items, frame, scores = made(responses=responses)
    find_export(name).write(items, frame, scores, MANIFEST, folder)
    same(folder, items, frame)


@pytest.mark.parametrize("name", EXPORTS)
def test_what_cannot_be_written_is_said(name, tmp_path):
    if name == "inspect":
        pytest.importorskip("inspect_ai")
    write = find_export(name).write
    items, responses, scores = made()
    with pytest.raises(InputError, match="no responses"):
        write(items, responses.clear(), scores.clear(), {}, tmp_path)
    with pytest.raises(InputError, match="have no item"):
        write(items.head(1), responses, scores, {}, tmp_path)
    with pytest.raises(InputError, match="two responses under one"):
        write(items, pl.concat([responses, responses.head(1)]), scores, {}, tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        write(items, responses, scores, {}, tmp_path / "file" / "x")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_an_unknown_export_names_the_known_ones():
    with pytest.raises(InputError, match="inspect, lm-eval"):
        find_export("helm")


# Inspect -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    pytest.importorskip("inspect_ai")
    folder = tmp_path_factory.mktemp("logs")
    write_inspect(*made(), MANIFEST, folder)
    return folder


def test_inspect_reads_the_samples(logs):
    from inspect_ai.log import list_eval_logs, read_eval_log, read_eval_log_sample

    found = {}
    for info in list_eval_logs(str(logs)):
        log = read_eval_log(info)
        found[log.eval.task, log.eval.model, *log.eval.task_args.values()] = log
        assert info.task == log.eval.task.replace("/", "-").replace("_", "-")
        assert info.task_id == log.eval.task_id
    assert len(found) == 8
    log = found["viva/medqa", "org/m:7b", "cot"]
    assert ("viva/medqa", "viva/other", "cot") in found
    assert log.status == "success"
    assert log.eval.config.epochs == 2
    assert log.eval.model_generate_config.temperature == 0.6
    assert log.eval.packages["vivavoce"]
    assert [(s.id, s.epoch) for s in log.samples] == [("0", 1), ("1", 1), ("0", 2), ("1", 2)]
    first, empty, second, unread = log.samples
    assert first.choices == ["Glucagon", "Insulin"]
    assert first.target == "B"
    assert first.output.completion == "The answer is B."
    assert first.output.stop_reason == "stop"
    assert (first.output.usage.input_tokens, first.output.usage.output_tokens) == (10, 3)
    assert first.messages[-1].text == "The answer is B."
    assert first.scores[SCORER].value == "C"
    assert first.metadata["p_reasoning"] == 0.125
    assert [part.type for part in second.output.message.content] == ["reasoning", "text"]
    assert second.output.completion == "<think>A? No.</think>\n  Answer: A  "
    assert (second.scores[SCORER].value, second.scores[SCORER].answer) == ("I", "A")
    assert (empty.scores[SCORER].value, empty.scores[SCORER].reason) == ("N", "no_response")
    assert (unread.scores[SCORER].value, unread.output.stop_reason) == ("N", "unknown")
    assert unread.metadata["status"] == "ambiguous"
    failed = found["viva/pubmedqa", "org/m:7b", "cot"].samples[0]
    assert failed.scores is None
    assert failed.error.message == "time out after 600 s"
    assert found["viva/frenchmedmcqa", "org/m:7b", "cot"].samples[0].target == ["A", "C"]
    path = next(p for p in logs.iterdir() if "medqa" in p.name and "french" not in p.name)
    assert read_eval_log_sample(str(path), "0", 1).id == "0"


def test_inspect_computes_the_same_metrics(logs):
    """Inspect's own functions over the samples, against what stands in the header."""
    from inspect_ai.log import read_eval_log, recompute_metrics

    for path in logs.iterdir():
        log = read_eval_log(str(path))
        written = log.results.model_copy(deep=True)
        if not written.scores:
            assert not any(sample.scores for sample in log.samples)
            continue
        recompute_metrics(log)
        assert log.results.total_samples == written.total_samples
        assert log.results.completed_samples == written.completed_samples
        assert log.results.headline == written.headline
        for ours, theirs in zip(written.scores, log.results.scores, strict=True):
            assert (ours.name, ours.scorer, ours.reducer, ours.scored_samples) == (
                theirs.name, theirs.scorer, theirs.reducer, theirs.scored_samples,
            )  # fmt: skip
            assert {k: (m.name, m.group) for k, m in ours.metrics.items()} == {
                k: (m.name, m.group) for k, m in theirs.metrics.items()
            }
            for name, metric in ours.metrics.items():
                theirs_value = theirs.metrics[name].value
                assert metric.value == pytest.approx(theirs_value, abs=1e-12), name


def test_a_run_cut_short_is_a_cancelled_log(tmp_path):
    pytest.importorskip("inspect_ai")
    from inspect_ai.log import read_eval_log

    responses = [said(ITEMS[0], "B"), said(ITEMS[1], None, error="not asked: budget spent")]
    manifest = MANIFEST | {"state": "stopped", "stopped": "budget spent"}
    (path,) = write_inspect(*made(responses=responses), manifest, tmp_path)
    log = read_eval_log(str(path))
    assert log.status == "cancelled"
    assert (log.results.total_samples, log.results.completed_samples) == (2, 1)
    assert log.samples[1].error.message == "not asked: budget spent"
    assert log.eval.metadata["vivavoce"]["settings"]["stopped"] == "budget spent"


def test_inspects_commands_open_the_logs(logs):
    path = sorted(logs.iterdir())[0]
    run = [sys.executable, "-m", "inspect_ai", "log"]
    dumped = subprocess.run([*run, "dump", str(path)], capture_output=True, check=True)
    log = json.loads(dumped.stdout)
    assert log["version"] == 2
    assert log["samples"]
    listed = subprocess.run(
        [*run, "list", "--json", "--log-dir", str(logs)], capture_output=True, check=True
    )
    assert len(json.loads(listed.stdout)) == 8


class Model:
    """Answers B and keeps what it was asked."""

    model, capabilities, connections = "mock", Capabilities(), 2

    def __init__(self) -> None:
        self.asked: list[Request] = []

    def settings(self) -> dict:
        return {}

    async def generate(self, request: Request) -> Completion:
        self.asked.append(request)
        return Completion("Answer: B", finish_reason="stop", input_tokens=5, output_tokens=3)

    async def close(self) -> None:
        pass


@pytest.mark.parametrize("name", EXPORTS)
@pytest.mark.parametrize("method", ["cot", "ensemble"])
def test_a_run_shows_its_prompts_where_they_are_what_was_sent(name, method, tmp_path):
    """Of an ensemble, which shuffles the options, only those in the order of the item."""
    if name == "inspect":
        pytest.importorskip("inspect_ai")
    model = Model()
    rows = [
        {"benchmark": "b", "item_id": i.item_id, "question": i.question,
         "options": list(i.options), "answer": i.target.index}
        for i in (ITEMS[0], ITEMS[1], ITEMS[2])
    ]  # fmt: skip
    viva.evaluate(model=model, benchmark=rows, method=method, out=tmp_path / "run")
    paths = export(tmp_path / "run", name, tmp_path / "out")
    sent = {request.messages[-1].content for request in model.asked}
    if name == "inspect":
        from inspect_ai.log import read_eval_log

        log = read_eval_log(str(paths[0]))
        assert log.eval.model == "Model/mock"
        shown = [s.messages[0].text for s in log.samples]
    else:
        lines = paths[0].read_text("utf-8").split("\n")
        shown = [json.loads(x)["arguments"]["gen_args_0"]["arg_0"] for x in lines if x]
    assert len(shown) == 3
    assert set(shown) <= sent | {row["question"] for row in rows}
    if method == "cot":
        assert set(shown) == sent
    read, run = read_responses(tmp_path / "out"), read_run(tmp_path / "run")
    assert_frame_equal(read.responses, run.responses)
    assert_frame_equal(read.items, run.items)


def test_one_task_goes_into_a_file_of_ones_choice(tmp_path):
    pytest.importorskip("inspect_ai")
    items, responses, scores = made()
    with pytest.raises(InputError, match="a log holds one task and these are 8"):
        write_inspect(items, responses, scores, MANIFEST, tmp_path / "all.eval")
    one = responses.filter(model="other", benchmark="medqa")
    assert write_inspect(items, one, scores, {}, tmp_path / "one.eval") == [tmp_path / "one.eval"]
    same(tmp_path / "one.eval", items, one)


def test_without_inspect_the_error_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "inspect_ai", None)
    monkeypatch.setitem(sys.modules, "inspect_ai.log", None)
    with pytest.raises(InputError, match=r"pip install 'vivavoce\[inspect\]'"):
        write_inspect(*made(), MANIFEST, tmp_path)


def test_a_log_that_was_tampered_with_is_left_out(tmp_path):
    """What others changed in a log is data, not a promise."""
    pytest.importorskip("inspect_ai")
    items, responses, scores = made(responses=[said(ITEMS[0], "B"), said(ITEMS[1], "A")])
    (path,) = write_inspect(items, responses, scores, MANIFEST, tmp_path)
    other = tmp_path / "other.eval"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            if name == "samples/0_epoch_1.json":
                sample = json.loads(text)
                sample["metadata"]["vivavoce"]["item"]["key"] = [99]
                text = json.dumps(sample).encode()
            new.writestr(name, text)
    read = read_responses(other)
    assert [left.reason for left in read.left_out] == ["row is incomplete"]
    assert read.responses["item_id"].to_list() == ["1"]


# lm-evaluation-harness -----------------------------------------------------------------------


def test_the_harness_layout(tmp_path):
    items, responses, scores = made()
    write_lm_eval(items, responses, scores, MANIFEST, tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {"org__m__7b", "other"}
    folder = tmp_path / "org__m__7b"
    time = "2026-11-21T13-55-07.040955"
    results = json.loads((folder / f"results_{time}.json").read_text("utf-8"))
    assert results["model_name"] == "org/m:7b"
    names = set(results["results"])
    assert {p.name for p in folder.iterdir()} == {f"results_{time}.json"} | {
        f"samples_{name}_{time}.jsonl" for name in names
    }
    assert names == {
        "medqa_cot", "pubmedqa_cot", "frenchmedmcqa_cot", "essay_cot",
        "medqa_self_consistency_k_3", "medqa_cot_misled_prefill",
    }  # fmt: skip
    scored = results["results"]["medqa_cot"]
    assert scored["sample_len"] == 2
    assert scored["exact_match,viva"] == 0.25  # one right of four, two for each item
    assert results["n-samples"]["pubmedqa_cot"] == {"original": 1, "effective": 0}
    lines = (folder / f"samples_medqa_cot_{time}.jsonl").read_text("utf-8").split("\n")
    first, second = (json.loads(line) for line in lines if line)
    assert first["resps"] == [["The answer is B.", "<think>A? No.</think>\n  Answer: A  "]]
    assert first["filtered_resps"] == ["B", "A"]
    assert first["exact_match"] == 0.5
    assert second["filtered_resps"] == ["[invalid]", "[invalid]"]
    assert {len(first[h]) for h in ("doc_hash", "target_hash")} == {64}
    (failed,) = (folder / f"samples_pubmedqa_cot_{time}.jsonl").read_text("utf-8").splitlines()
    assert json.loads(failed)["metrics"] == []
    assert "exact_match" not in json.loads(failed)


def test_a_model_name_never_leads_out_of_the_folder(tmp_path):
    responses = [said(ITEMS[0], "B", model=name) for name in ("..", "../../x", "/etc/y", "a\nb")]
    paths = write_lm_eval(*made(responses=responses), MANIFEST, tmp_path / "out")
    assert all(path.resolve().is_relative_to(tmp_path / "out") for path in paths)
    assert len(paths) == 8


def test_the_harness_reads_its_own_layout(tmp_path):
    """Its functions that read results: names, times and the table it prints."""
    utils = pytest.importorskip("lm_eval.utils", reason="pip install lm_eval==0.4.13")
    paths = [str(p) for p in write_lm_eval(*made(), MANIFEST, tmp_path)]
    assert len(utils.get_results_filenames(paths)) == 2
    samples = utils.get_sample_results_filenames(paths)
    assert len(samples) == 8
    for path in samples:
        assert utils.get_file_datetime(path) == "2026-11-21T13-55-07.040955"
    for path in utils.get_results_filenames(paths):
        results = json.loads(Path(path).read_text("utf-8"))
        table = utils.make_table(results)
        assert all(name in table for name in results["results"])
