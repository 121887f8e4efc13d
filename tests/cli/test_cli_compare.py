"""`viva compare`: the numbers are those of the audit, and the items are those that differ."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import viva
from viva.cli.main import app
from viva.errors import InputError

sys.path.insert(0, str(Path(__file__).parents[1] / "audit"))
from made_answers import answers, items, write_jsonl


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("compare")
    questions = items(120)
    write_jsonl(folder / "items.jsonl", questions)
    write_jsonl(folder / "a.jsonl", answers(questions, "one", right=(0.9, 0.6), seed=1))
    write_jsonl(folder / "b.jsonl", answers(questions, "two", right=(0.5, 0.7), seed=2))
    return folder


@pytest.fixture(scope="module")
def found(made) -> viva.Compared:
    return viva.compare(made / "a.jsonl", made / "b.jsonl", items=made / "items.jsonl")


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def right(folder: Path, file: str) -> dict[str, bool]:
    """Which items a file has right, read without the package."""
    keys = {r["item_id"]: "ABCD"[r["answer"]] for r in rows(folder / "items.jsonl")}
    return {r["item_id"]: r["response"][-2] == keys[r["item_id"]] for r in rows(folder / file)}


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_scopes_are_those_of_the_audit(made, found):
    audit = viva.audit(
        items=made / "items.jsonl", answers=[made / "a.jsonl", made / "b.jsonl"], resamples=10_000
    ).summary
    by_scope = {c["scope"]: c for c in audit["comparisons"]}
    assert [scope.scope for scope in found.scopes] == ["all", "knowledge", "reasoning", "gap"]
    for scope in found.scopes:
        other = by_scope[scope.scope]
        assert (other["a"], other["b"]) == (found.a, found.b) == ("one", "two")
        for name in ("n", "difference", "low", "high", "p_mcnemar", "p_mid", "mdd_80", "verdict"):
            assert getattr(scope, name) == other[name], (scope.scope, name)
    for name, side in (("one", "a"), ("two", "b")):
        model = audit["models"][name]
        values = [getattr(scope, side) for scope in found.scopes]
        assert values[0] == pytest.approx(model["accuracy"])
        assert values[1] == pytest.approx(model["knowledge"]["accuracy"])
        assert values[2] == pytest.approx(model["reasoning"]["accuracy"])
        assert values[3] == pytest.approx(model["gap"]["within"]["estimate"])


def test_disagreements_are_the_items_that_one_side_has_right(made, found):
    one, two = right(made, "a.jsonl"), right(made, "b.jsonl")
    for name, ours, theirs in (("one", one, two), ("two", two, one)):
        expected = {i for i in one if ours[i] and not theirs[i]}
        shown = found.shown(None, name)
        assert set(shown["item_id"]) == expected and shown.height == len(expected) > 10
    assert (found.common, found.a_better, found.b_better) == (
        120,
        sum(one[i] and not two[i] for i in one),
        sum(two[i] and not one[i] for i in one),
    )
    for row in found.disagreements.to_dicts():
        ours = "answer_a" if row["right"] == "one" else "answer_b"
        other = "answer_b" if row["right"] == "one" else "answer_a"
        assert row[ours] == row["key"] != row[other]
        assert row["stratum"] == ("reasoning" if int(row["item_id"]) < 60 else "knowledge")


def test_swapping_the_sides_negates_the_difference(made, found):
    swapped = viva.compare(made / "b.jsonl", made / "a.jsonl", items=made / "items.jsonl")
    for scope, other in zip(found.scopes, swapped.scopes, strict=True):
        assert scope.difference == -other.difference
        assert (scope.low, scope.high) == (-other.high, -other.low)
    assert (found.a_better, found.b_better) == (swapped.b_better, swapped.a_better)


def test_missing_responses_and_items_are_counted_not_compared(made, tmp_path):
    cut = rows(made / "b.jsonl")[:100]
    for row in cut[:7]:
        del row["response"]
        row["error"] = "time-out"
    write_jsonl(tmp_path / "b.jsonl", cut)
    found = viva.compare(made / "a.jsonl", tmp_path / "b.jsonl", items=made / "items.jsonl")
    assert found.common == 93
    assert found.ungraded == {"one": 0, "two": 7}
    assert found.only == {"one": 27, "two": 0}
    output = run("compare", made / "a.jsonl", tmp_path / "b.jsonl", "--items", made / "items.jsonl")
    assert "B: 7 responses are missing" in output and "A: 27 items have no graded" in output


def test_an_unread_answer_counts_as_not_right_and_is_shown_as_unread(made, tmp_path):
    said = rows(made / "b.jsonl")
    one = right(made, "a.jsonl")
    item = next(i for i, ok in one.items() if ok)
    for row in said:
        if row["item_id"] == item:
            row["response"] = "I cannot say."
    write_jsonl(tmp_path / "b.jsonl", said)
    found = viva.compare(made / "a.jsonl", tmp_path / "b.jsonl", items=made / "items.jsonl")
    (row,) = [r for r in found.disagreements.to_dicts() if r["item_id"] == item]
    assert row["answer_b"] is None and row["value_b"] == 0 and row["right"] == "one"


def test_samples_are_averaged_and_the_widest_apart_come_first(made, tmp_path):
    questions = rows(made / "items.jsonl")
    sampled = [
        row | {"sample": k}
        for k in range(3)
        for row in answers(questions, "two", right=0.6, seed=10 + k)
    ]
    write_jsonl(tmp_path / "b.jsonl", sampled)
    found = viva.compare(made / "a.jsonl", tmp_path / "b.jsonl", items=made / "items.jsonl")
    apart = (found.disagreements["value_a"] - found.disagreements["value_b"]).abs().to_list()
    assert apart == sorted(apart, reverse=True) and apart[0] == 1 > apart[-1] > 0
    assert found.scopes[0].p_mcnemar is None and found.scopes[0].p_mid is not None
    output = run("compare", made / "a.jsonl", tmp_path / "b.jsonl", "--items", made / "items.jsonl")
    assert "A better on" in output


def test_one_model_in_two_files_is_told_apart_by_the_file(made, tmp_path):
    write_jsonl(tmp_path / "later.jsonl", answers(items(120), "one", right=0.9, seed=5))
    found = viva.compare(made / "a.jsonl", tmp_path / "later.jsonl", items=made / "items.jsonl")
    assert (found.a, found.b) == ("one (a.jsonl)", "one (later.jsonl)")
    named = viva.compare(
        made / "a.jsonl",
        tmp_path / "later.jsonl",
        items=made / "items.jsonl",
        names=("before", "after"),
    )
    assert (named.a, named.b) == ("before", "after")


def test_two_models_of_one_file(made, tmp_path):
    write_jsonl(tmp_path / "both.jsonl", rows(made / "a.jsonl") + rows(made / "b.jsonl"))
    both = tmp_path / "both.jsonl"
    with pytest.raises(InputError, match=r"holds 2 models: one, two.*--model-a"):
        viva.compare(both, both, items=made / "items.jsonl")
    with pytest.raises(InputError, match="did you mean 'two'"):
        viva.compare(both, both, items=made / "items.jsonl", model_a="one", model_b="twoo")
    with pytest.raises(InputError, match="compared with itself"):
        viva.compare(both, both, items=made / "items.jsonl", model_a="one", model_b="one")
    found = viva.compare(both, both, items=made / "items.jsonl", model_a="one", model_b="two")
    assert found.common == 120


def test_nothing_in_common_is_an_error(made, tmp_path):
    said = rows(made / "b.jsonl")
    write_jsonl(tmp_path / "first.jsonl", said[:50])
    write_jsonl(tmp_path / "last.jsonl", [r | {"model": "three"} for r in said[50:]])
    with pytest.raises(InputError, match="no item is answered by both"):
        viva.compare(tmp_path / "first.jsonl", tmp_path / "last.jsonl", items=made / "items.jsonl")


def test_json_and_files_hold_what_the_table_shows(made, tmp_path, found):
    base = ("compare", made / "a.jsonl", made / "b.jsonl", "--items", made / "items.jsonl")
    shown = json.loads(run(*base, "--format", "json", "--disagreements", 2, "--scope", "gap"))
    assert [scope["scope"] for scope in shown["scopes"]] == ["gap"]
    assert len(shown["disagreements"]) == 4
    for name in ("apart.jsonl", "apart.csv"):
        assert f"{found.disagreements.height:,} items in" in run(*base, "--out", tmp_path / name)
    written = rows(tmp_path / "apart.jsonl")
    assert written == found.disagreements.to_dicts()
    with (tmp_path / "apart.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["item_id"] for row in table] == [row["item_id"] for row in written]
    assert table[0]["options"] == "aspirin | heparin | insulin | morphine"


def test_the_table_of_one_stratum_shows_items_of_it(made):
    output = run(
        "compare", made / "a.jsonl", made / "b.jsonl", "--items", made / "items.jsonl",
        "--scope", "reasoning", "--disagreements", 4,
    )  # fmt: skip
    listed = [line.split()[1] for line in output.splitlines() if line.startswith("made/")]
    assert listed == ["reasoning"] * len(listed) and 4 < len(listed) <= 8
    assert "knowledge  " not in output


def test_out_is_refused_before_the_work(made, tmp_path):
    result = CliRunner().invoke(app, ["compare", "absent", "absent", "--out", "apart.xlsx"])
    assert isinstance(result.exception, InputError) and ".jsonl" in str(result.exception)


def test_bundled_answers_compare_in_seconds():
    output = run("compare", "sample", "sample", "--model-a", "gpt-4o", "--model-b", "o1-mini")
    assert "7,966 items answered by both: A better on" in output
