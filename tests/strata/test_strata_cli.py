from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from viva.cli.strata import app
from viva.errors import InputError

RUN = CliRunner()


@pytest.fixture
def items(tmp_path):
    rows = [
        {
            "benchmark": "mine",
            "item_id": str(i),
            "question": stem,
            "options": {"A": "scurvy", "B": "rickets"},
            "answer": "A",
        }
        for i, stem in enumerate(["Vitamin C deficiency causes which disease?", "Which is worse?"])
    ]
    path = tmp_path / "items.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("labels", ["rubric", "medxpertqa"])
def test_predict_writes_the_four_columns(items, tmp_path, labels):
    out = tmp_path / "strata.jsonl"
    done = RUN.invoke(app, ["predict", str(items), "--out", str(out), "--labels", labels])
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [list(row) for row in rows] == [["benchmark", "item_id", "p_reasoning", "stratum"]] * 2
    assert all(0 <= row["p_reasoning"] <= 1 for row in rows)
    assert rows[0]["stratum"] == "knowledge"
    assert not list(tmp_path.glob("*.part"))


def test_evaluate_prints_every_measure(tmp_path):
    out = tmp_path / "report.json"
    done = RUN.invoke(app, ["evaluate", "--resamples", "50", "--out", str(out)])
    assert done.exit_code == 0, done.output
    for word in ("AUROC", "language model", "kappa", "ECE"):
        assert word in done.output
    report = json.loads(out.read_text())
    assert set(report["methods"]) == {"splitter", "TF-IDF", "word count", "age pattern"}


def test_label_replays_recorded_replies(items, tmp_path):
    replies = tmp_path / "replies.jsonl"
    replies.write_text(
        json.dumps({"question": "Which is worse?", "label": "knowledge", "steps": 0})
    )
    out = tmp_path / "labels.jsonl"
    done = RUN.invoke(app, ["label", str(items), "--out", str(out), "--judge", f"replay:{replies}"])
    assert done.exit_code == 0, done.output
    assert "1 labelled, 0 unparsed, 1 without a reply" in " ".join(done.output.split())
    labels = [json.loads(line)["label"] for line in out.read_text().splitlines()]
    assert labels == [None, "knowledge"]


def test_a_live_judge_is_refused_with_the_reason(items, tmp_path):
    done = RUN.invoke(
        app, ["label", str(items), "--out", str(tmp_path / "x"), "--judge", "openai:some-model"]
    )
    assert isinstance(done.exception, InputError)
    assert "viva eval" in str(done.exception)


def test_training_needs_enough_labels(tmp_path):
    path = tmp_path / "labels.jsonl"
    path.write_text(json.dumps({"question": "Why?", "label": "reasoning"}) + "\n")
    done = RUN.invoke(app, ["train", str(path), "--out", str(tmp_path / "w.npz")])
    assert isinstance(done.exception, InputError)
    assert not (tmp_path / "w.npz").exists()
