"""Generic items files: every container, every defect, strict and not."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from viva.benchmarks import merge, read_items
from viva.errors import InputError
from viva.records import item_schema

Row = dict[str, Any]


def row(item_id: object = "1", **changes: Any) -> Row:
    base = {
        "benchmark": "clinic",
        "item_id": item_id,
        "question": f"Which drug thins the blood most, case {item_id}?",
        "options": ["warfarin", "paracetamol", "codeine"],
        "answer": "A",
    }
    return base | changes


def write(path: Path, rows: list[Row]) -> Path:
    text = "".join(json.dumps(r) + "\n" for r in rows)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


ROWS = [row("1"), row("2", answer=1), row("3", answer="codeine", context="He is 80.")]


def as_source(kind: str, folder: Path) -> Any:
    frame = pl.DataFrame([{"context": None} | r for r in map(_strings, ROWS)])
    match kind:
        case "rows":
            return ROWS
        case "frame":
            return frame
        case "jsonl":
            return write(folder / "items.jsonl", ROWS)
        case "jsonl.gz":
            return write(folder / "items.jsonl.gz", ROWS)
        case "json":
            (folder / "items.json").write_text(json.dumps(ROWS))
            return folder / "items.json"
        case "columns":
            names = ("benchmark", "item_id", "question", "options", "answer", "context")
            table = {n: {str(i): r.get(n) for i, r in enumerate(ROWS)} for n in names}
            (folder / "items.json").write_text(json.dumps(table))
            return folder / "items.json"
        case "csv":
            frame.with_columns(pl.Series("options", [json.dumps(r["options"]) for r in ROWS]))\
                .write_csv(folder / "items.csv")  # fmt: skip
            return folder / "items.csv"
        case "parquet":
            frame.write_parquet(folder / "items.parquet")
            return str(folder / "items.parquet")
    raise AssertionError(kind)


def _strings(r: Row) -> Row:
    return r | {"answer": str(r["answer"])}


@pytest.mark.parametrize(
    "kind", ["rows", "frame", "jsonl", "jsonl.gz", "json", "columns", "csv", "parquet"]
)
def test_every_container_holds_the_same_items(kind: str, tmp_path: Path) -> None:
    read = read_items(as_source(kind, tmp_path))
    assert read.items.schema == item_schema()
    assert read.left_out == []
    assert read.items.rows() == read_items(ROWS).items.rows()
    assert read.items["item_id"].to_list() == ["1", "2", "3"]
    assert read.items["key"].to_list() == [[0], [1], [2]]
    assert read.items["context"].to_list() == [None, None, "He is 80."]


def test_struct_options_of_parquet_have_nulls_for_letters_they_lack(tmp_path: Path) -> None:
    rows = [
        row("1", options={"A": "x", "B": "y", "C": None, "D": None}, answer="B"),
        row("2", options={"A": "x", "B": "y", "C": "z", "D": "w"}, answer="D"),
    ]
    pl.DataFrame(rows).write_parquet(tmp_path / "items.parquet")
    read = read_items(tmp_path / "items.parquet")
    assert read.items["options"].to_list() == [["x", "y"], ["x", "y", "z", "w"]]
    assert read.items["key"].to_list() == [[1], [3]]


def test_written_tables_read_back_as_they_are(tmp_path: Path) -> None:
    rows = [
        row("1", stratum="Reasoning", group={"id": "g", "role": "clean", "relation": "preserving"}),
        row("2", stratum="knowledge", p_reasoning=0.25, stratum_definition="mine", group="g"),
        row("3", answer=["A", "C"], meta={"exam": "x", "year": 2020}, subject="pharmacy"),
        row("4", options=["1", "2", "3"], answer=0),
    ]
    first = read_items(rows)
    assert first.left_out == []
    first.items.write_parquet(tmp_path / "items.parquet")
    again = read_items(tmp_path / "items.parquet")
    assert again.items.rows() == first.items.rows()
    assert read_items(first.items).items.rows() == first.items.rows()


def test_optional_fields() -> None:
    read = read_items(
        [
            row("1", stratum=" Reasoning ", group="twins", role="original", relation="altering"),
            row("2", p_reasoning="0.25", meta='{"a": 1}', subject="x", empty=None),
            row("3", context=["first", "second"], meta="plain note"),
        ]
    ).items
    assert read["stratum"].to_list() == ["reasoning", None, None]
    assert read["stratum_definition"].to_list() == ["given", "given", None]
    assert read["p_reasoning"].to_list() == [None, 0.25, None]
    assert read.select("group", "role", "relation").row(0) == ("twins", "original", "altering")
    assert [json.loads(m) if m else None for m in read["meta"]] == [
        None,
        {"subject": "x", "a": 1},
        {"meta": "plain note"},
    ]
    assert read["context"][2] == "first\nsecond"


DEFECTS = [
    (row("9", question=None), "no question"),
    (row("9", question="  "), "no question"),
    (row("9", question=float("nan")), "no question"),
    (row(None), "no item_id"),
    (row("9", benchmark=""), "no benchmark"),
    (row("9", options=None), "no options"),
    (row("9", options=["x"]), "fewer than two options"),
    (row("9", options=["x", ""]), "an option is empty"),
    (row("9", options=[f"o{i}" for i in range(27)]), "more than 26 options"),
    (row("9", options=["warfarin", "x", "warfarin"], answer="warfarin"),
     "answer matches two options"),
    (row("9", answer=None), "no answer"),
    (row("9", answer=3), "key outside the options"),
    (row("9", answer="D"), "key outside the options"),
    (row("9", answer="heparin"), "answer is not among the options"),
    (row("9", stratum="hard"), "stratum is neither reasoning nor knowledge"),
    (row("9", p_reasoning=1.5), "p_reasoning is outside 0..1"),
    (row("9", p_reasoning="high"), "p_reasoning is outside 0..1"),
    (row("9", group={"role": "x"}), "group has no id"),
    (row("1"), "duplicate row"),
    (row("1", question=" WHICH drug thins the blood most,  case 1?"), "duplicate row"),
    (row("1", answer="B"), "duplicate id with other content"),
    (row("1", question="Another question?"), "duplicate id with other content"),
    (row(["x"]), "no item_id"),
]  # fmt: skip


@pytest.mark.parametrize(("bad", "reason"), DEFECTS)
def test_defective_row_is_left_out_counted_and_listed(bad: Row, reason: str) -> None:
    read = read_items([row("1"), bad, row("2")])
    assert read.items["item_id"].to_list() == ["1", "2"]
    assert read.items["question"][0] == "Which drug thins the blood most, case 1?"
    assert [(x.file, x.row, x.reason) for x in read.left_out] == [("rows", 2, reason)]


@pytest.mark.parametrize(("bad", "reason"), DEFECTS)
def test_strict_names_file_row_and_mend(bad: Row, reason: str, tmp_path: Path) -> None:
    path = write(tmp_path / "items.jsonl", [row("1"), bad, row("2")])
    with pytest.raises(InputError) as caught:
        read_items(path, strict=True)
    assert caught.value.where == f"{path}:2"
    assert caught.value.what == reason
    assert caught.value.mend


def test_row_numbers_are_lines_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text(
        "benchmark,item_id,question,options,answer\n"
        'b,1,"two\nlines","[""x"", ""y""]",A\n'
        'b,2,q,"[""x"", ""y""]",C\n'
    )
    read = read_items(path)
    assert [(x.row, x.id, x.reason) for x in read.left_out] == [(4, "2", "key outside the options")]


def test_id_is_text_whatever_the_file_makes_of_it() -> None:
    read = read_items([row(7), row(8.0), row("09"), row(" 10 ")])
    assert read.items["item_id"].to_list() == ["7", "8", "09", "10"]


def test_same_id_in_two_benchmarks_is_no_duplicate() -> None:
    read = read_items([row("1"), row("1", benchmark="ward")])
    assert read.items.height == 2
    assert read.left_out == []


def test_benchmark_can_be_named() -> None:
    assert read_items(ROWS, benchmark="mine").items["benchmark"].unique().to_list() == ["mine"]


def test_missing_columns_are_named() -> None:
    with pytest.raises(InputError) as caught:
        read_items([{"question": "q", "options": ["x", "y"], "answer": "A"}])
    assert "missing `benchmark`, `item_id`" in caught.value.what
    assert "medmcqa" in str(caught.value.mend)


def test_wrong_and_unknown_adapters_are_refused() -> None:
    with pytest.raises(InputError, match="unknown adapter 'medmca'"):
        read_items(ROWS, adapter="medmca")
    with pytest.raises(InputError, match=r"misses `cop`.* for the format medmcqa"):
        read_items(ROWS, adapter="medmcqa")


def test_file_without_a_usable_row_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "items.jsonl", [row("1", answer=None), row("2", question="")])
    with pytest.raises(InputError, match=r"no usable item in 2 rows \(no answer; no question\)"):
        read_items(path)
    with pytest.raises(InputError, match="no rows"):
        read_items([])


@pytest.mark.parametrize("text", ["", "\n", "[]", "{}", "benchmark,item_id\n"])
def test_empty_files_are_errors(text: str, tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_items(path)
    assert str(path) in str(caught.value)


def test_merge_keeps_one_of_equal_items_and_refuses_contradictions() -> None:
    one = read_items([row("1"), row("2"), row("bad", answer="Z")])
    two = read_items([row("2"), row("3")])
    both = merge([one, two])
    assert both.items["item_id"].to_list() == ["1", "2", "3"]
    assert [x.id for x in both.left_out] == ["bad"]
    assert both.items.schema == item_schema()
    for changed in (
        {"answer": "B"},
        {"question": "other?"},
        {"options": ["codeine", "warfarin", "paracetamol"]},
        {"answer": ["A", "B"]},
    ):
        with pytest.raises(InputError, match="contradict each other on 1 items, first clinic 2"):
            merge([one, read_items([row("2", **changed)])])
    with pytest.raises(InputError):
        merge([])


values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.lists(
    st.text(max_size=3), max_size=5
) | st.dictionaries(st.sampled_from("ABCD"), st.text(max_size=3), max_size=4)  # fmt: skip


@given(
    st.lists(
        st.fixed_dictionaries(
            dict.fromkeys(("benchmark", "item_id", "question", "options", "answer"), values),
            optional=dict.fromkeys(("context", "stratum", "group", "meta", "p_reasoning"), values),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_any_rows_are_items_or_left_out_never_lost(rows: list[Row]) -> None:
    try:
        read = read_items(rows)
    except InputError:
        return
    assert read.items.height + len(read.left_out) == len(rows)
    for options, key in read.items.select("options", "key").iter_rows():
        assert 2 <= len(options) <= 26
        assert all(0 <= k < len(options) for k in key)
