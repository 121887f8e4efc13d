"""`viva contamination` from the command line."""

from __future__ import annotations

import csv
import gzip
import json
import sys
from pathlib import Path

import polars as pl
import pytest

from viva.benchmarks import bundled
from viva.cli.main import main


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty items, and training files that hold six of them."""
    folder = tmp_path_factory.mktemp("contamination")
    sample = bundled().items.filter(pl.col("benchmark") == "medqa").head(60)
    rows = []
    for row in sample.iter_rows(named=True):
        answer = "ABCDE"[row["key"][0]]
        rows.append({"benchmark": "own", "item_id": row["item_id"], "question": row["question"],
                     "options": row["options"], "answer": answer})  # fmt: skip
    (folder / "items.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    texts = [
        {"messages": [{"role": "user", "content": rows[3]["question"]},
                      {"role": "assistant", "content": "The diagnosis is clear."}]},
        {"messages": [{"role": "user", "content": "What is the capital of France?"}]},
        {"messages": [{"role": "user", "content": " ".join(rows[7]["question"].split()[:70])}]},
    ]  # fmt: skip
    (folder / "sft.jsonl").write_text("".join(json.dumps(t) + "\n" for t in texts))
    with gzip.open(folder / "pile.txt.gz", "wt") as file:
        file.write("A line of prose.\n" * 10_000 + rows[11]["question"] + "\nMore prose.\n")
    pl.DataFrame({"n": [1, 2], "text": ["none", rows[20]["question"]]}).write_parquet(
        folder / "p.parquet"
    )
    with (folder / "t.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["id", "text"], ["1", "none"], ["2", rows[30]["question"]]])
    return folder


@pytest.fixture
def viva(made, capsys, monkeypatch, tmp_path):
    """Run in the folder; returns exit code, output, errors."""
    monkeypatch.chdir(made)

    def call(*arguments: object) -> tuple[int, str, str]:
        words = ["viva", "contamination", *map(str, arguments), "--out", str(tmp_path / "out")]
        monkeypatch.setattr(sys, "argv", [*words, "--planted", "30"])
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_every_kind_of_file_is_searched_and_the_search_examined(viva, made, tmp_path):
    code, said, err = viva(
        "items.jsonl", "--training", "sft.jsonl", "--training", "pile.txt.gz",
        "--training", "p.parquet", "--training", "t.csv",
    )  # fmt: skip
    assert (code, err) == (0, "")
    rows = [json.loads(line) for line in (made / "items.jsonl").read_text().splitlines()]
    flags = [json.loads(line) for line in (tmp_path / "out/flags.jsonl").read_text().splitlines()]
    found = {(flag["item_id"], flag["file"], flag["row"], flag["kind"]) for flag in flags}
    expected = [(3, "sft.jsonl", 1, "exact"), (7, "sft.jsonl", 3, "ngram"),
                (20, "p.parquet", 2, "exact"), (30, "t.csv", 3, "exact")]  # fmt: skip
    assert {(rows[n]["item_id"], *rest) for n, *rest in expected} <= found
    in_prose = {f for f in found if f[1] == "pile.txt.gz"}
    assert {(f[0], f[3]) for f in in_prose} == {(rows[11]["item_id"], "exact")}
    assert len(found) == 4 + len(in_prose)

    summary = json.loads((tmp_path / "out/contamination.json").read_text())
    share = summary["flagged_items"]["own"]
    assert (share["n"], share["estimate"]) == (60, 5 / 60)
    assert share["low"] < 5 / 60 < share["high"]
    own = summary["self_test"]
    assert own["recall"]["exact"] == pytest.approx(
        {"estimate": 1, "low": 0.8865, "high": 1, "n": 30}, abs=1e-4
    )
    assert set(own["recall"]) == {"exact", "edited", "truncated", "options shuffled", "embedded"}
    assert own["false_positive"]["n"] == 2000
    assert own["false_positive"]["estimate"] <= 0.002
    assert own["precision"]["n"] >= 140
    assert [t["file"] for t in summary["training"]] == [
        "sft.jsonl",
        "pile.txt.gz",
        "p.parquet",
        "t.csv",
    ]
    assert all(len(t["sha256"]) == 64 for t in summary["training"])
    assert "precision" in said
    assert "unrelated questions" in said
    with (tmp_path / "out/flags.csv").open() as file:
        assert len(list(csv.DictReader(file))) == len(flags)


def test_a_benchmark_may_stand_for_training_text(viva, tmp_path):
    code, _, err = viva("items.jsonl", "--training", "medqa")
    assert (code, err) == (0, "")
    summary = json.loads((tmp_path / "out/contamination.json").read_text())
    assert summary["flagged_items"]["own"]["estimate"] == 1
    assert summary["training"] == [{"benchmark": "medqa"}]
    assert summary["kinds"]["exact"] == 60


def test_nothing_found_is_said(viva, tmp_path):
    code, said, _ = viva("items.jsonl", "--training", "pubmedqa")
    assert code == 0
    assert "0: 0.0 %" in said
    assert (tmp_path / "out/flags.csv").read_text().startswith("benchmark,item_id,file,row,kind")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("items.jsonl", "--training", "absent.jsonl"), "absent.jsonl: no such file"),
        (("absent.jsonl", "--training", "sft.jsonl"), "absent.jsonl: no such file"),
        (("medqq", "--training", "sft.jsonl"), "medqa"),
        (("items.jsonl", "--training", "."), "is a folder"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(viva, arguments, said):
    code, out, err = viva(*arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_a_broken_row_is_named_before_anything_is_written(viva, made, tmp_path):
    (made / "broken.jsonl").write_text('{"text": "fine"}\n{"text": \n')
    code, _, err = viva("items.jsonl", "--training", "broken.jsonl")
    assert code == 2
    assert "broken.jsonl:2" in err
    assert not (tmp_path / "out/flags.csv").exists()
