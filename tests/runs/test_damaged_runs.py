"""Run folders that somebody or something has changed: what stands stays, the rest is one line."""

from __future__ import annotations

import json
import shutil

import polars as pl
import pytest
from made_runs import Fake, rows

import viva
from viva.errors import InputError
from viva.runs.journal import load

STRANGE = [
    {"benchmark": 5, "item_id": [1], "task": {"a": 1}, "call": "x", "sample": "q"},
    {"task": ["t"], "call": {"key": {"k": 1}, "task": 7}},
    {"task": "t", "error": {"said": 1}, "call": {"key": "k", "task": "t", "text": 3}},
    {"call": {"key": 3, "task": "t", "attempts": "many", "input_tokens": "x", "cost": "nan"}},
    {"call": {"key": "k", "attempts": 10**30, "input_tokens": -5, "cost": 1e300}},
    {"call": {"key": "k", "attempts": True, "output_tokens": None, "cost": [1]}},
]
"""Lines that are objects and yet nothing that a run writes."""


def run_of(out, **more):
    given = {"model": Fake(), "benchmark": rows(4), "method": "direct", "out": out}
    return viva.evaluate(**(given | more))


@pytest.mark.parametrize("line", STRANGE)
def test_lines_of_other_types_count_nothing_and_stop_nothing(tmp_path, line):
    run_of(tmp_path)
    (tmp_path / "responses.jsonl").write_text(json.dumps(line) + "\n")
    found = load(tmp_path / "responses.jsonl")
    assert (found.spent_calls <= 1, found.spent_tokens, found.spent_cost) == (True, 0, 0)
    again = run_of(tmp_path, samples=2)
    assert (again.done, again.planned) == (8, 8)
    stored = pl.read_parquet(tmp_path / "responses.parquet").filter(pl.col("item_id") != "")
    assert stored.select("item_id", "sample").unique().height == 8


@pytest.mark.parametrize(
    "change",
    [{"sessions": "x"}, {"sessions": ["x"]}, {"samples": "1"}, {"limit": 2.5}, {"identity": []}],
)
def test_a_manifest_of_other_types_is_one_line(tmp_path, change):
    run_of(tmp_path)
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InputError, match=f"is broken: {next(iter(change))}"):
        run_of(tmp_path)


@pytest.mark.parametrize("table", ["responses.parquet", "calls.parquet"])
def test_a_broken_table_is_named_and_without_it_the_run_goes_on(tmp_path, table):
    run_of(tmp_path / "run")
    (tmp_path / "run" / table).write_bytes(b"PAR1xxxx")
    with pytest.raises(InputError, match=f"{table}: is no table of a run. Delete it"):
        run_of(tmp_path / "run")
    shutil.copytree(tmp_path / "run", tmp_path / "copy")
    (tmp_path / "copy" / table).unlink()
    asked = Fake()
    assert run_of(tmp_path / "copy", model=asked).done == 4
    assert not asked.seen, "the other table still holds the answers"
