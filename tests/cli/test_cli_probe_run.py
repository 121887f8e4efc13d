"""`viva probe --run` as a user meets it: the run beside the run, one line for what cannot be."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import polars as pl
import pytest

from servers import mock_server
from viva.cli.main import main
from viva.formats.run import read_run

PROBE = "misleading_start.bare"


def viva(capsys, monkeypatch, *arguments: object) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["viva", *map(str, arguments)])
    monkeypatch.setenv("COLUMNS", "100")
    try:
        main()
        code = 0
    except SystemExit as stop:
        code = int(stop.code or 0)
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture
def call(capsys, monkeypatch):
    return lambda *arguments: viva(capsys, monkeypatch, *arguments)


@pytest.fixture
def items(tmp_path) -> Path:
    path = tmp_path / "items.jsonl"
    rows = [
        {"benchmark": "b", "item_id": f"{i}", "question": f"Which drug for case {i}?",
         "options": ["aspirin", "heparin", "insulin", "morphine"], "answer": "ABCD"[i % 4]}
        for i in range(8)
    ]  # fmt: skip
    rows.append(rows[0] | {"item_id": "twice", "question": "Which of two?",
                           "options": ["aspirin", "aspirin", "insulin"], "answer": "C"})  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def evaluated(call, server, items, out: Path) -> Path:
    code, _, said = call("eval", "--model", "openai/mock", "--base-url", server.url, "--benchmark",
                         items, "--out", out, "--quiet")  # fmt: skip
    assert code == 0, said
    return out


def test_from_a_run_to_a_report(call, items, tmp_path):
    with mock_server() as server:
        clean = evaluated(call, server, items, tmp_path / "clean")
        asked = ("probe", "--run", clean, "--probe", "misleading_start", "--strength", "bare",
                 "--strength", "long", "--seed", 3, "--out", tmp_path / "misled", "--quiet")  # fmt: skip
        code, out, err = call(*asked)
        assert (code, err) == (0, "")
        assert "7 times a probe does not apply to an item" in out
        assert "two equal options" in out
        assert f"Next: viva probe analyse {clean} {tmp_path / 'misled'}" in out.replace("\n", " ")
        before = server.calls
        assert call(*asked)[0] == 0 and server.calls == before  # nothing is asked twice
    names = read_run(tmp_path / "misled").responses["probe"].unique().to_list()
    assert len(names) == 7 and all(name.endswith("@prefill") for name in names)
    code, out, err = call("probe", "analyse", clean, tmp_path / "misled", "--resamples", 200,
                          "--out", tmp_path / "report")  # fmt: skip
    assert code == 0, err
    told = json.loads((tmp_path / "report" / "summary.json").read_text())
    assert told["refused"][f"{PROBE}@prefill"] == {"two equal options": 1}
    assert told["models"]["mock"]["probes"][f"{PROBE}@prefill"]["n"] == 8
    page = (tmp_path / "report" / "report.html").read_text()
    assert "Items to which a probe does not apply" in page
    code, out, err = call("audit", clean, tmp_path / "misled", "--resamples", 200, "--out",
                          tmp_path / "audit")  # fmt: skip
    assert code == 0, err
    assert "Does it hold its ground" in (tmp_path / "audit" / "report.html").read_text()


def test_another_arm_without_controls(call, items, tmp_path):
    with mock_server(prefill="refused", completions=False) as server:
        clean = evaluated(call, server, items, tmp_path / "clean")
        asked = ("probe", "--run", clean, "--probe", PROBE, "--no-controls", "--quiet",
                 "--limit", 3, "--out")  # fmt: skip
        code, _, err = call(*asked, tmp_path / "a")
        assert code == 2 and err.count("\n") == 1
        assert "does not continue a prefill" in err and "user_suggestion" in err
        code, _, err = call(*asked, tmp_path / "b", "--arm", "user_suggestion")
        assert code == 0, err
    rows = read_run(tmp_path / "b").responses
    assert rows["probe"].to_list() == [f"{PROBE}@user_suggestion"] * 3


def test_a_budget_is_a_clean_end(call, items, tmp_path):
    with mock_server() as server:
        clean = evaluated(call, server, items, tmp_path / "clean")
        asked = ("probe", "--run", clean, "--probe", "bias_cue.authority", "--no-controls",
                 "--set", "position=end", "--quiet", "--out", tmp_path / "out")  # fmt: skip
        code, out, _ = call(*asked, "--max-calls", 3)
        assert code == 0 and "3 of 8 answered" in out
        code, out, _ = call(*asked)
        assert code == 0
    assert read_run(tmp_path / "out").responses["error"].null_count() == 8
    notes = pl.read_parquet(tmp_path / "out" / "variants.parquet")["note"].to_list()
    assert all(note.startswith("added: ") for note in notes)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "no --run given"),
        (("--run", "RUN"), "no --probe given"),
        (("--run", "RUN", "--probe", PROBE), "no --out given"),
        (("--run", "nowhere", "--probe", PROBE, "--out", "o"), "no such run folder"),
        (("--run", "RUN", "--probe", "misleading_strat", "--out", "o"), "Did you mean"),
        (("--run", "RUN", "--probe", PROBE, "--out", "o", "--set", "x"), "is not NAME=VALUE"),
        (("--run", "RUN", "--probe", PROBE, "--out", "o", "--set", "x=1"), "parameter 'x'"),
        (("--run", "RUN", "--probe", PROBE, "--out", "o", "--api", "grpc"), "no api 'grpc'"),
        (("--run", "RUN", "--probe", PROBE, "--out", "RUN"), "is the run itself"),
        (("--run", "RUN", "analyse", "a", "b"), "--run is given before analyse"),
    ],
)
def test_what_cannot_be_done_is_one_line(call, items, tmp_path, monkeypatch, arguments, says):
    monkeypatch.chdir(tmp_path)
    with mock_server() as server:
        evaluated(call, server, items, tmp_path / "RUN")
        if not arguments:
            arguments = ("--quiet",)
        code, _, err = call("probe", *arguments)
    assert code == 2
    assert says in err and err.count("\n") == 1


def test_help_names_the_options_and_the_sub_command(call):
    code, out, _ = call("probe", "--help")
    assert code == 0
    for word in ("--run", "--probe", "--arm", "--writer", "analyse"):
        assert word in out
