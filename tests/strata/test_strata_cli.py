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


def test_a_judge_that_is_no_model_is_refused(items, tmp_path):
    done = RUN.invoke(
        app, ["label", str(items), "--out", str(tmp_path / "x"), "--judge", "openai:some-model"]
    )
    assert isinstance(done.exception, InputError)
    assert "openai/..." in str(done.exception)


def test_training_needs_enough_labels(tmp_path):
    path = tmp_path / "labels.jsonl"
    path.write_text(json.dumps({"question": "Why?", "label": "reasoning"}) + "\n")
    done = RUN.invoke(app, ["train", str(path), "--out", str(tmp_path / "w.npz")])
    assert isinstance(done.exception, InputError)
    assert not (tmp_path / "w.npz").exists()


def written(rows, tmp_path, name="items.jsonl", **options):
    path, out = tmp_path / name, tmp_path / "new" / "folder" / "strata.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = RUN.invoke(
        app, ["predict", str(path), "--out", str(out), *(x for o in options.items() for x in o)]
    )
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in out.read_text().splitlines()], " ".join(
        done.output.split()
    )


def item(item_id, question="Which vitamin is deficient in scurvy?", **more):
    return {"benchmark": "mine", "item_id": item_id, "question": question, **more}


def test_questions_need_no_answer_and_no_options(tmp_path):
    rows = [
        item(9, options=["B", "C"]),
        item("x-1"),
        item(8.0, options=["B", "C"], answer="no such option"),
        item("0007", options=None, answer=None),
        item("empty", options=[]),
        item("map", options={"A": "B", "B": "C"}, answer="A", p_reasoning="high", stratum="odd"),
        item("null map", options={"A": None, "B": None}),
    ]
    found, _ = written(rows, tmp_path)
    assert [row["item_id"] for row in found] == [
        "9", "x-1", "8", "0007", "empty", "map", "null map",
    ]  # fmt: skip
    p = {row["item_id"]: row["p_reasoning"] for row in found}
    assert p["9"] == pytest.approx(p["8"], abs=1e-9)
    assert p["x-1"] == pytest.approx(p["0007"], abs=1e-9)
    assert p["x-1"] == pytest.approx(p["null map"], abs=1e-9)


def test_rows_that_cannot_be_used_are_counted_by_reason(tmp_path):
    rows = [
        item("1"),
        item("2", question=""),
        item("3", question=None),
        item(None),
        item("1"),
        item("1", question="Another question altogether?"),
        item("4", options=["only one"]),
        item("5", question=float("nan")),
        item("6", benchmark="theirs"),
    ]
    found, said = written(rows, tmp_path)
    assert [(row["benchmark"], row["item_id"]) for row in found] == [("mine", "1"), ("theirs", "6")]
    assert "7 row(s) cannot be used" in said
    for reason in (
        "no question: 3",
        "no item_id: 1",
        "duplicate row: 1",
        "duplicate id with other content: 1",
        "fewer than two options: 1",
    ):
        assert reason in said


@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl.gz", "json"])
def test_every_kind_of_file_gives_the_same_lines(tmp_path, kind):
    import gzip

    import polars as pl

    rows = [item(str(i), f"What causes disease number {i}?", options='["a", "b"]') for i in "312"]
    expected, _ = written(rows, tmp_path)
    path, out = tmp_path / f"other.{kind}", tmp_path / "other-strata.jsonl"
    if kind == "csv":
        pl.DataFrame(rows).write_csv(path)
    elif kind == "parquet":
        pl.DataFrame(rows).write_parquet(path)
    elif kind == "json":
        path.write_text(json.dumps(rows))
    else:
        path.write_bytes(gzip.compress((tmp_path / "items.jsonl").read_bytes()))
    done = RUN.invoke(app, ["predict", str(path), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert [json.loads(line) for line in out.read_text().splitlines()] == expected


@pytest.mark.parametrize(
    ("rows", "arguments", "what"),
    [
        ([item("1")], ["--labels", "given"], "nothing to predict"),
        ([item("1")], ["--labels", "rubrik"], "Did you mean rubric"),
        ([item("1")], ["--text-view", "stems"], "Did you mean stem"),
        ([item("1")], ["--threshold", "nan"], "threshold is nan"),
        ([item("1")], ["--threshold", "1.5"], "threshold is 1.5"),
        ([item("1", question="")], [], "no usable item"),
        ([{"item_id": "1", "question": "Why?"}], [], "missing `benchmark`"),
        ([], [], "is empty"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(tmp_path, rows, arguments, what, capsys):
    from viva.cli import main

    path, out = tmp_path / "items.jsonl", tmp_path / "strata.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "sys.argv", ["viva", "strata", "predict", str(path), "--out", str(out), *arguments]
        )
        with pytest.raises(SystemExit) as end:
            main()
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert what in said
    assert said.count("\n") == 1
    assert not out.exists()


def test_the_file_that_is_read_is_never_written_over(items):
    before = items.read_bytes()
    done = RUN.invoke(app, ["predict", str(items), "--out", str(items)])
    assert isinstance(done.exception, InputError)
    assert "is the file that is read" in str(done.exception)
    assert items.read_bytes() == before
    done = RUN.invoke(app, ["predict", str(items), "--out", str(items.parent)])
    assert "is a folder" in str(done.exception)
