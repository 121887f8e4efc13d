"""`viva probe analyse` as a user meets it: the files, the table, one line for bad input."""

from __future__ import annotations

import csv
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import numpy as np
import polars as pl
import pytest

from viva import _probe_summary
from viva.cli.main import main

SHARE_NAMES = ("kept_right", "lost", "gained", "kept_wrong", "followed_cue", "cue_effect", "unread",
               "net")  # fmt: skip
LETTERS = "ABCD"


def write(path: Path, rows: list[dict]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """An answerer that follows the cue in four of ten cases, with some answers unread."""
    folder = tmp_path_factory.mktemp("probe")
    rng = np.random.default_rng(1)
    items, clean, misled = [], [], []
    for i in range(120):
        key = int(rng.integers(4))
        cue = (key + 1 + int(rng.integers(3))) % 4
        items.append(
            {"benchmark": "b", "item_id": f"{i}", "question": f"Question {i}: which drug?",
             "options": ["aspirin", "heparin", "insulin", "morphine"], "answer": key,
             "stratum": "reasoning" if i < 60 else "knowledge"}
        )  # fmt: skip
        own = key if rng.random() < 0.7 else int(rng.integers(4))
        after = cue if rng.random() < 0.4 else own
        for rows, choice, more in ((clean, own, {}), (misled, after, {"probe": "push", "cue": LETTERS[cue]}),
                                   (clean, own, {"probe": "control"})):  # fmt: skip
            text = f"The answer is {LETTERS[choice]}." if rng.random() > 0.05 else "I cannot say."
            rows.append(
                {"benchmark": "b", "item_id": f"{i}", "model": "m", "response": text} | more
            )
    write(folder / "items.jsonl", items)
    write(folder / "clean.jsonl", clean)
    write(folder / "misled.jsonl", misled)
    return folder


def run(capsys, monkeypatch, *arguments: object) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["viva", "probe", "analyse", *map(str, arguments)])
    try:
        main()
        code = 0
    except SystemExit as stop:
        code = int(stop.code or 0)
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture
def viva(made, capsys, monkeypatch, tmp_path):
    """Run in the folder; returns exit code, output, errors."""
    monkeypatch.chdir(made)

    def call(*arguments: object, out: str = "out") -> tuple[int, str, str]:
        return run(capsys, monkeypatch, *arguments, "--out", tmp_path / out, "--resamples", 500)

    return call


def letter(row: dict) -> str | None:
    """The letter of a made answer, read without the package."""
    return row["response"][-2] if row["response"].startswith("The") else None


def test_summary_has_every_promised_number(viva, made, tmp_path):
    code, _, err = viva("clean.jsonl", "misled.jsonl", "--items", "items.jsonl")
    assert (code, err) == (0, "")
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    jsonschema.validate(summary, _probe_summary.json_schema())
    found = summary["models"]["m"]["probes"]["push"]

    read = {name: [json.loads(line) for line in (made / f"{name}.jsonl").read_text().splitlines()]
            for name in ("items", "clean", "misled")}  # fmt: skip
    key = {row["item_id"]: LETTERS[row["answer"]] for row in read["items"]}
    clean = {row["item_id"]: letter(row) for row in read["clean"] if "probe" not in row}
    misled = {row["item_id"]: letter(row) for row in read["misled"]}
    cue = {row["item_id"]: row["cue"] for row in read["misled"]}
    right = {i for i in key if clean[i] == key[i]}
    after = {i for i in key if misled[i] == key[i]}
    f = sum(misled[i] == cue[i] for i in key) / 120
    b = sum(clean[i] == cue[i] for i in key) / 120
    expected = {
        "kept_right": (len(right & after) / 120, 120),
        "lost": (len(right - after) / len(right), len(right)),
        "gained": (len(after - right) / (120 - len(right)), 120 - len(right)),
        "kept_wrong": ((120 - len(right | after)) / 120, 120),
        "followed_cue": (f, 120),
        "cue_effect": ((f - b) / (1 - b), 120),
        "unread": (sum(None in (clean[i], misled[i]) for i in key) / 120, 120),
        "net": (100 * (len(after) - len(right)) / 120, 120),
    }
    assert set(expected) == set(SHARE_NAMES)
    assert found["n"] == 120
    for name, (estimate, n) in expected.items():
        share = found[name]
        assert {"estimate", "low", "high", "n"} <= set(share)
        assert share["estimate"] == pytest.approx(estimate, abs=1e-12), name
        assert share["n"] == n, name
        assert share["low"] <= share["estimate"] <= share["high"], name
    assert 0.2 < found["cue_effect"]["low"] < 0.4 < found["cue_effect"]["high"] < 0.6
    assert found["control"]["control"]["net"]["high"] < 0
    assert summary["models"]["m"]["probes"]["control"]["is_control"]
    assert set(found["strata"]) == {"reasoning", "knowledge"}
    assert summary["settings"]["labels"] == "given"
    assert summary["settings"]["hashes"].keys() == {"clean.jsonl", "misled.jsonl", "items.jsonl"}


def test_pairs_and_manifest_stand_beside_the_summary(viva, tmp_path):
    viva("clean.jsonl", "misled.jsonl", "--items", "items.jsonl")
    folder = tmp_path / "out"
    assert sorted(p.name for p in folder.iterdir()) == [
        "manifest.json", "pairs.parquet", "report.html", "summary.json",
    ]  # fmt: skip
    pairs = pl.read_parquet(folder / "pairs.parquet")
    assert pairs.height == 240 and set(pairs["probe"]) == {"push", "control"}
    assert set(pairs["stratum"]) == {"reasoning", "knowledge"}
    assert pairs["misled_text"].null_count() == 0
    manifest = json.loads((folder / "manifest.json").read_text())
    assert set(manifest["files"]) == {"pairs.parquet", "report.html", "summary.json"}


def test_equal_seeds_give_equal_numbers(viva, tmp_path):
    def models(name: str, *more: object) -> dict:
        viva("clean.jsonl", "misled.jsonl", "--items", "items.jsonl", *more, out=name)
        return json.loads((tmp_path / name / "summary.json").read_text())["models"]

    assert models("one") == models("two")
    assert models("one") != models("three", "--seed", 1)


@pytest.mark.parametrize("columns", [80, 100, 140])
def test_the_table_fits(viva, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    code, out, _ = viva("clean.jsonl", "misled.jsonl", "--items", "items.jsonl")
    assert code == 0
    lines = out.splitlines()
    assert max(len(line) for line in lines[:-2]) <= columns  # the last two are paths
    table = "\n".join(lines)
    for word in ("push", "control", "unread,", "cue", "minus", "summary.json"):
        assert word in table
    (row,) = [line for line in lines if line.startswith("push") and "120" in line]
    assert len(row.split()) == 8  # no column is cut away


def test_formats_csv_and_gz_and_one_file_for_both(viva, made, tmp_path):
    rows = [json.loads(line) for name in ("clean", "misled")
            for line in (made / f"{name}.jsonl").read_text().splitlines()]  # fmt: skip
    columns = ["benchmark", "item_id", "model", "response", "probe", "cue"]
    with gzip.open(made / "all.csv.gz", "wt", newline="") as stream:
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        writer.writerows(rows)
    viva("all.csv.gz", "all.csv.gz", "--items", "items.jsonl", out="csv")
    viva("clean.jsonl", "misled.jsonl", "--items", "items.jsonl", out="jsonl")
    found = [json.loads((tmp_path / n / "summary.json").read_text()) for n in ("csv", "jsonl")]
    assert found[0]["models"] == found[1]["models"]


def bad(made: Path, name: str) -> tuple[list[str], str]:
    """Arguments that cannot be used, and words of the line that says so."""
    clean = [json.loads(line) for line in (made / "clean.jsonl").read_text().splitlines()]
    misled = [json.loads(line) for line in (made / "misled.jsonl").read_text().splitlines()]
    plain = [row for row in clean if "probe" not in row]
    one = ["clean.jsonl", "misled.jsonl", "--items", "items.jsonl"]
    cases = {
        "no such file": ("nothing.jsonl", None, "nothing.jsonl"),
        "no probe": ("clean.jsonl", write(made / "p1.jsonl", plain), "no row carries a probe"),
        "no clean": (write(made / "p2.jsonl", [r for r in clean if "probe" in r]), None,
                     "there is no clean answer"),
        "other model": ("clean.jsonl", write(made / "p3.jsonl", [r | {"model": "x"} for r in misled]),
                        "no model has clean and misled answers"),
        "other benchmark": ("clean.jsonl",
                            write(made / "p4.jsonl", [r | {"benchmark": "zz"} for r in misled]), "zz"),
        "other sample": (write(made / "p9.jsonl", plain),
                        write(made / "p5.jsonl", [r | {"sample": 7} for r in misled]),
                        "no misled answer has a clean one"),
        "contradiction": ("clean.jsonl",
                          write(made / "p6.jsonl", [*misled, plain[0] | {"response": "?"}]),
                          "contradict each other"),
        "empty": ("clean.jsonl", write(made / "p7.jsonl", []), "p7.jsonl"),
        "not answers": ("clean.jsonl", write(made / "p8.jsonl", [{"a": 1}]), "unknown format"),
    }  # fmt: skip
    options = {
        "resamples": ([*one, "--resamples", "5"], "--resamples"),
        "threshold": ([*one, "--threshold", "2"], "--threshold"),
        "seed": ([*one, "--seed", "-1"], "--seed"),
        "labels": ([*one, "--labels", "odd"], "unknown definition"),
        "control": ([*one, "--control", "odd"], "no answers under the probe 'odd'"),
        "all control": ([*one, "--control", "push", "--control", "control"], "every probe"),
        "text view": ([*one, "--text-view", "odd"], "unknown text view"),
    }
    if name in options:
        return options[name]
    first, second, words = cases[name]
    return [str(first), str(second or "misled.jsonl"), "--items", "items.jsonl"], words


@pytest.mark.parametrize(
    "name",
    ["no such file", "no probe", "no clean", "other model", "other benchmark", "other sample",
     "contradiction", "empty", "not answers", "resamples", "threshold", "seed", "labels", "control",
     "all control", "text view"],
)  # fmt: skip
def test_bad_input_is_one_line_and_exit_code_2(made, capsys, monkeypatch, tmp_path, name):
    monkeypatch.chdir(made)
    arguments, words = bad(made, name)
    code, out, err = run(capsys, monkeypatch, *arguments, "--out", tmp_path / "out")
    assert code == 2 and out == ""
    assert err.startswith("viva: ") and err.count("\n") == 1 and words in err
    assert not (tmp_path / "out").exists()


def test_out_that_is_a_file(viva, tmp_path):
    (tmp_path / "taken").write_text("")
    code, _, err = viva("clean.jsonl", "misled.jsonl", "--items", "items.jsonl", out="taken")
    assert code == 2 and "is a file" in err


def test_the_program_as_a_process(made, tmp_path):
    """From an interpreter of its own, as a user starts it."""
    done = subprocess.run(
        [sys.executable, "-m", "viva", "probe", "analyse", "clean.jsonl", "misled.jsonl", "--items",
         "items.jsonl", "--out", str(tmp_path / "out"), "--resamples", "200"],
        cwd=made, capture_output=True, text=True, timeout=300, check=False,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "src")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "summary.json").is_file()


def test_hostile_names_stay_on_their_line(viva, made, tmp_path):
    """Names of models and probes come from files: they steer no terminal."""
    rows = {}
    for name in ("clean", "misled"):
        read = [json.loads(line) for line in (made / f"{name}.jsonl").read_text().splitlines()]
        rows[name] = [r | {"model": "m\x1b[2J\nx"} for r in read]
    for row in rows["misled"]:
        row["probe"] = "p\x1b]0;t\x07\n" + "long" * 60
    for name, table in rows.items():
        write(made / f"hostile_{name}.jsonl", table)
    code, out, _ = viva("hostile_clean.jsonl", "hostile_misled.jsonl", "--items", "items.jsonl")
    assert code == 0 and "\x1b" not in out and "\x07" not in out
