"""A model as judge, over real HTTP: replies land at their questions, failures are counted."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from viva.cli.main import app
from viva.errors import InputError
from viva.models import open_model
from viva.models.specs import ModelOptions
from viva.strata import ModelJudge, label

sys.path.insert(0, str(Path(__file__).parents[1]))
from servers import fault_server, mock_server


def verdict(payload) -> str:
    """A judge that finds reasoning in questions with an even number."""
    asked = payload["messages"][-1]["content"].rpartition("\nQuestion:\n")[2]
    digits = "".join(c for c in asked.split("?")[0] if c in "0123456789") or "1"
    even = int(digits[-1]) % 2 == 0
    return json.dumps({"label": "reasoning" if even else "knowledge", "steps": 2 if even else 1})


def items(n: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "benchmark": ["mine"] * n,
            "item_id": [str(i) for i in range(n)],
            "question": [f"Question number {i}?" for i in range(n)],
            "options": [["yes it is", "no it is not"]] * n,
            "key": [[1]] * n,
        }
    )


def judge(url: str, **more) -> ModelJudge:
    return ModelJudge(open_model("openai/mock", ModelOptions(base_urls=(url,))), **more)


def test_every_reply_lands_at_its_question_whatever_the_order():
    with mock_server(latency=0.01, reply=verdict) as server:
        found = label(items(60), judge(server.url, connections=16), check=False)
        assert server.most_at_once > 4
    assert (found.parsed, found.unparsed, found.ungraded) == (60, 0, 0)
    assert found.labels["label"].to_list() == ["reasoning", "knowledge"] * 30


def test_calls_that_fail_leave_items_without_a_label():
    with fault_server(lambda e: "400" if e.number % 4 == 3 else None, reply=verdict) as server:
        asked = judge(server.url, connections=1)
        found = label(items(20), asked, check=False)
    assert (found.parsed, found.ungraded) == (15, 5)
    assert dict(asked.failures) == {"bad request": 5}


def test_a_server_that_is_not_there_is_one_clear_error():
    with pytest.raises(InputError, match="no server answers"):
        label(items(2), judge("http://127.0.0.1:9/v1"), check=False)


def test_inside_a_loop_of_somebody_else():
    import asyncio

    async def cell():
        with mock_server(reply=verdict) as server:
            return label(items(3), judge(server.url), check=False)

    assert asyncio.run(cell()).parsed == 3


def test_the_command_writes_labels_and_the_agreement(tmp_path):
    path = tmp_path / "items.jsonl"
    rows = [
        {"benchmark": "mine", "item_id": str(i), "question": f"Number {i}?",
         "options": ["a1", "b2"], "answer": 0}
        for i in range(8)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with mock_server(reply=verdict) as server:
        done = CliRunner().invoke(
            app,
            ["strata", "label", str(path), "--out", str(tmp_path / "out.jsonl"),
             "--judge", "openai/mock", "--base-url", server.url],
            catch_exceptions=False,
        )  # fmt: skip
    assert done.exit_code == 0 and "8 labelled" in done.output
    assert "agreement on 189 of 189" in done.output
    written = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row["label"] for row in written] == ["reasoning", "knowledge"] * 4
