"""Run folders as answers: finished, running, killed; alone, several, among other files."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "runs"))

import made_runs
from made_runs import Fake, rows

import viva
import viva.runs.session
from viva.benchmarks import read_items
from viva.errors import InputError
from viva.formats import read_responses
from viva.formats.run import is_run, items_of, read_run
from viva.records import items_frame, response_schema
from viva.runs import Limits


def run_of(out, **more):
    made_runs.with_own_methods()
    given = {"model": Fake(), "benchmark": rows(60), "method": "direct", "out": out}
    return viva.evaluate(**(given | more)).folder


@pytest.fixture
def uncompacted(monkeypatch):
    """Runs end as a kill would leave them."""
    monkeypatch.setattr(viva.runs.session, "compact", lambda _: None)
    monkeypatch.setattr(viva.runs.session, "write_scores", lambda *_: None)


def test_a_finished_run_and_one_that_was_cut_short_read_alike(tmp_path, monkeypatch):
    whole = run_of(tmp_path / "whole", method="at_once")
    monkeypatch.setattr(viva.runs.session, "compact", lambda _: None)
    monkeypatch.setattr(viva.runs.session, "write_scores", lambda *_: None)
    cut = run_of(tmp_path / "cut", method="at_once")
    assert (cut / "responses.jsonl").exists()
    assert not (cut / "responses.parquet").exists()
    a, b = read_run(whole), read_run(cut)
    assert a.responses.drop("seconds").equals(b.responses.drop("seconds"))
    mine, other = (run.calls.drop("seconds").sort("key").collect() for run in (a, b))
    assert mine.equals(other)
    assert mine.height == 240


def test_responses_and_items_as_of_any_format(tmp_path):
    folder = run_of(tmp_path / "run", samples=2)
    read = read_responses(folder)
    assert read.responses.columns == list(response_schema())
    assert read.responses.height == 120
    assert read.left_out == []
    assert read.items.equals(read_items(rows(60)).items)
    assert read.responses.equals(read_run(folder).responses)
    assert read_responses(str(folder), format="viva").responses.height == 120


def test_the_audit_takes_a_run(tmp_path):
    folder = run_of(tmp_path / "run", budget=Limits(max_calls=50))
    audit = viva.audit(answers=folder, resamples=100)
    assert audit.responses.height == 60
    assert audit.summary["models"]["fake"]["ungraded"] == 10
    assert audit.scores["status"].to_list().count("ungraded") == 10


def test_a_folder_of_runs_and_other_files(tmp_path):
    run_of(tmp_path / "all/a")
    run_of(tmp_path / "all/b", model=Fake(model="other"))
    (tmp_path / "all/extra.jsonl").write_text(
        '{"benchmark": "made", "item_id": "i1", "model": "third", "response": "B"}\n'
    )
    read = read_responses(tmp_path / "all")
    counts = dict(read.responses["model"].value_counts().iter_rows())
    assert counts == {"fake": 60, "other": 60, "third": 1}
    assert read.left_out == []


def test_the_journal_is_a_generic_answers_file(tmp_path, uncompacted):
    folder = run_of(tmp_path / "run", method="direct")
    journal = folder / "responses.jsonl"
    expected = read_run(folder).responses.sort("item_id")
    for format_ in (None, "viva", "generic"):
        read = read_responses(journal, format=format_)
        assert read.left_out == []
        assert read.responses.sort("item_id").equals(expected)
    assert len(journal.read_text().splitlines()) == 60  # one line for each call


def test_the_journal_of_several_calls_holds_one_line_for_each(tmp_path, uncompacted):
    folder = run_of(tmp_path / "run", method="in_turn", benchmark=rows(5))
    lines = [json.loads(line) for line in (folder / "responses.jsonl").open()]
    assert len(lines) == 15
    assert sum("task" in line for line in lines) == 5
    assert all("call" in line for line in lines)
    read = read_responses(folder / "responses.jsonl")
    assert read.responses.height == 5
    assert read.left_out == []


def test_calls_side_by_side_are_written_as_they_finish(tmp_path, uncompacted):
    folder = run_of(tmp_path / "run", method="at_once", benchmark=rows(5))
    lines = [json.loads(line) for line in (folder / "responses.jsonl").open()]
    assert sum("call" in line for line in lines) == 20
    assert sum("task" in line for line in lines) == 5
    assert read_responses(folder / "responses.jsonl").responses.height == 5


def test_a_text_is_written_once(tmp_path, uncompacted):
    folder = run_of(tmp_path / "run", model=Fake(lambda _: "unlikely wording"), benchmark=rows(1))
    assert (folder / "responses.jsonl").read_text().count("unlikely wording") == 1
    assert read_run(folder).calls.collect()["text"].to_list() == ["unlikely wording"]


@settings(max_examples=40)
@given(cut=st.integers(min_value=0, max_value=6000))
def test_cut_anywhere_it_can_be_read(tmp_path_factory, cut):
    folder = _journal(tmp_path_factory)
    copy = tmp_path_factory.mktemp("cut") / "run"
    shutil.copytree(folder, copy)
    raw = (folder / "responses.jsonl").read_bytes()
    (copy / "responses.jsonl").write_bytes(raw[:cut])
    read = read_run(copy)
    whole = raw[:cut].count(b"\n") + (raw[cut : cut + 1] == b"\n")
    assert read.responses.height == 8
    assert read.responses["error"].null_count() == min(whole, 8)
    assert read.left_out == []


_MADE: list[Path] = []


def _journal(factory) -> Path:
    if not _MADE:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(viva.runs.session, "compact", lambda _: None)
            patch.setattr(viva.runs.session, "write_scores", lambda *_: None)
            _MADE.append(run_of(factory.mktemp("made") / "run", benchmark=rows(8)))
    return _MADE[0]


def test_items_come_back_as_they_were(tmp_path):
    given = [
        rows(1)[0] | {"context": "Case.", "stratum": "reasoning", "meta": {"x": [1, {"y": None}]}},
        rows(2)[1]
        | {"answer": ["A", "C"], "group": {"id": "g", "role": "r", "relation": "altering"}},
        rows(3)[2] | {"p_reasoning": 0.25},
    ]
    frame = read_items(given).items
    assert items_frame(items_of(frame)).equals(frame)


def test_what_is_no_run(tmp_path):
    assert not is_run(tmp_path)
    (tmp_path / "manifest.json").write_text('{"kind": "viva audit"}')
    assert not is_run(tmp_path)
    with pytest.raises(InputError, match="not the manifest of a run"):
        read_run(tmp_path)
    with pytest.raises(InputError, match="no such run folder"):
        read_run(tmp_path / "none")
    (tmp_path / "manifest.json").unlink()
    with pytest.raises(InputError, match=r"has no manifest\.json"):
        read_run(tmp_path)


def test_broken_tables_are_named(tmp_path):
    folder = run_of(tmp_path / "run")
    (folder / "responses.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(InputError, match=r"responses\.parquet: is not a table of a run"):
        read_responses(folder)
    pl.DataFrame({"x": [1]}).write_parquet(folder / "items.parquet")
    with pytest.raises(InputError, match=r"items\.parquet"):
        read_run(folder)
    (folder / "items.parquet").unlink()
    with pytest.raises(InputError, match=r"has no items\.parquet"):
        read_run(folder)


def test_hostile_lines(tmp_path, uncompacted):
    folder = run_of(tmp_path / "run", benchmark=rows(3))
    journal = folder / "responses.jsonl"
    first = json.loads(journal.read_text().splitlines()[0])
    hostile = [
        first | {"task": "x", "item_id": 5},
        first | {"task": "y", "item_id": "stranger", "calls": 2**70, "cost": 1e400},
        first | {"sample": -1, "task": ["z"], "call": "none"},
        {"task": first["task"], "call": {"key": 7, "logprobs": {"deep": []}, "same": "text"}},
        {"call": {"same": [["text"]], "text": None}},
    ]
    with journal.open("a") as file:
        file.writelines(json.dumps(line) + "\n" for line in hostile)
        file.write("[" * 100_000 + "\n" + '{"a": ' + "9" * 5000 + "}\n{}\n")
    read = read_run(folder)
    assert read.responses.height == 3
    assert read.responses["error"].null_count() == 3
    assert len(read.left_out) == 2
    assert read.calls.collect().height >= 3
