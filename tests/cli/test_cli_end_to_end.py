"""Two tiny models on a real server, one run killed and continued, one report: the whole way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "audit"))
from made_answers import write_jsonl

import viva
from tiny import tiny_model
from viva.formats.run import read_run

ITEMS = 48
CONNECTIONS = 4
ENVIRONMENT = os.environ | {"COLUMNS": "100", "NO_COLOR": "1"}


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "viva", *map(str, arguments)]


def run(*arguments: object, cwd: Path) -> str:
    done = subprocess.run(
        command(*arguments), cwd=cwd, capture_output=True, text=True, timeout=300,
        env=ENVIRONMENT, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def lines(journal: Path) -> int:
    return journal.read_bytes().count(b"\n") if journal.is_file() else 0


@pytest.mark.slow
def test_two_models_one_killed_and_continued_end_in_one_report(tmp_path, transformers_server):
    folder = tmp_path / "work"
    folder.mkdir()
    models = {
        name: tiny_model(tmp_path / name, seed=seed, answers=True)
        for name, seed in (("first", 1), ("second", 2))
    }
    some = viva.benchmarks.bundled().items.filter(pl.col("benchmark") == "medmcqa").head(ITEMS)
    rows = [
        {"benchmark": "made", "item_id": r["item_id"], "question": r["question"],
         "options": r["options"], "answer": r["key"][0], "stratum": s}
        for r, s in zip(some.iter_rows(named=True), ["reasoning", "knowledge"] * ITEMS, strict=False)
    ]  # fmt: skip
    write_jsonl(folder / "made.jsonl", rows)

    def evaluation(name: str) -> tuple[object, ...]:
        return (
            "eval", "--model", f"openai/{models[name]}", "--name", name, "--base-url",
            transformers_server, "--benchmark", "made.jsonl", "--method", "direct",
            "--max-completion-tokens", 24, "--temperature", 1, "--max-connections", CONNECTIONS,
            "--out", f"runs/{name}",
        )  # fmt: skip

    killed = subprocess.Popen(
        command(*evaluation("first")), cwd=folder, env=ENVIRONMENT,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    journal = folder / "runs" / "first" / "responses.jsonl"
    deadline = time.monotonic() + 120
    while lines(journal) < ITEMS // 4:
        assert killed.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.wait(30)
    before = read_run(folder / "runs" / "first")
    told = before.responses.filter(pl.col("error").is_null())
    assert ITEMS // 4 <= told.height < ITEMS, "the run was killed before its end"
    # A run that was cut short is read as it is, and says so.
    cut = viva.audit(answers=folder / "runs" / "first", resamples=100).summary
    assert (
        f"{ITEMS - told.height} of {ITEMS} responses are missing" in cut["verdict"]["warnings"][0]
    )

    assert "Next: viva audit runs/first" in run(*evaluation("first"), cwd=folder)
    after = read_run(folder / "runs" / "first")
    assert after.responses["error"].null_count() == ITEMS
    assert after.responses.select("item_id").n_unique() == after.responses.height == ITEMS
    key = ["item_id", "text", "seconds"]
    kept = told.select(key).join(after.responses.select(key), on=key, how="semi")
    assert kept.height == told.height, "what was answered before the kill was asked again"

    run(*evaluation("second"), cwd=folder)
    shown = run("audit", "runs/first", "runs/second", "--out", "report", cwd=folder)
    assert "Report: report/report.html" in shown and "Not every question" not in shown
    summary = json.loads((folder / "report" / "summary.json").read_text())
    assert set(summary["models"]) == {"first", "second"}
    by_scope = {c["scope"]: c for c in summary["comparisons"]}
    assert set(by_scope) == {"all", "knowledge", "reasoning", "gap"}
    assert by_scope["all"]["n"] == ITEMS and by_scope["all"]["p_mid"] is not None
    assert summary["efficiency"]["first"]["output_tokens"] > 0
    assert summary["efficiency"]["first"]["seconds"] > 0

    compared = json.loads(
        run("compare", "runs/first", "runs/second", "--format", "json", cwd=folder)
    )
    assert compared["common"] == ITEMS
    for name in ("difference", "low", "high", "p_mcnemar", "verdict"):
        assert compared["scopes"][0][name] == by_scope["all"][name]
    differs = json.loads(
        run("diff-config", "runs/first", "runs/second", "--format", "json", cwd=folder)
    )
    assert {row["setting"] for row in differs if row["kind"] == "settings"} >= {"model", "name"}
