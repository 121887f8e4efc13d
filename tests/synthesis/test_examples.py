"""Examples and their files: nothing is lost, equal examples are equal bytes, slips are refused."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viva import targets
from viva.errors import InputError
from viva.records import Group, Item, Media
from viva.synthesis import (
    Dropped,
    Example,
    Provenance,
    key_of,
    read_dropped,
    read_examples,
    seeded,
    write_dropped,
    write_examples,
)
from viva.targets import (
    Choice,
    Choices,
    Date,
    Duration,
    Edit,
    Fields,
    Label,
    List,
    Number,
    Qrels,
    Ranked,
    Span,
    Spans,
    Steps,
    Target,
    Text,
    Triples,
)

words = st.text(max_size=8)
numbers = st.floats(allow_nan=False, allow_infinity=False)
texts = st.lists(words, max_size=3).map(tuple)
aliases = st.lists(st.lists(words, min_size=1, max_size=3).map(tuple), max_size=3).map(tuple)
KINDS: dict[str, st.SearchStrategy[Target]] = {
    "choice": st.builds(Choice, st.integers(0, 25)),
    "choices": st.sets(st.integers(0, 25), min_size=1).map(lambda s: Choices(tuple(sorted(s)))),
    "label": st.tuples(texts, words, st.booleans()).map(lambda t: Label(t[1], (*t[0], t[1]), t[2])),
    "text": st.builds(Text, texts),
    "number": st.builds(Number, numbers, st.none() | words),
    "date": st.builds(Date, st.dates()),
    "duration": st.builds(Duration, st.integers(0, 60), st.integers(0, 6)),
    "ranked": st.builds(Ranked, aliases),
    "list": st.builds(List, aliases),
    "spans": st.lists(st.tuples(st.integers(0, 50), st.integers(1, 9), words), max_size=4).map(
        lambda s: Spans(tuple(Span(a, a + n, w) for a, n, w in s))
    ),
    "triples": st.builds(Triples, st.lists(st.tuples(words, words, words), max_size=3).map(tuple)),
    "edit": st.builds(Edit, st.just(True), st.none() | st.integers(0, 99), st.none() | words),
    "steps": st.builds(Steps, texts),
    "qrels": st.builds(Qrels, st.dictionaries(words, st.integers(0, 3))),
}
simple = st.one_of(list(KINDS.values()))
KINDS["fields"] = st.dictionaries(words, simple, min_size=1, max_size=3).map(Fields)

names = st.text(min_size=1, max_size=6)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | numbers | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(words, plain, max_size=3)


def items(target: st.SearchStrategy[Target | None]) -> st.SearchStrategy[Item]:
    return st.builds(
        Item,
        benchmark=names,
        item_id=names,
        question=words,
        options=texts,
        target=target,
        context=st.none() | words,
        stratum=st.none() | st.sampled_from(["reasoning", "knowledge"]),
        stratum_definition=st.none() | names,
        p_reasoning=st.none() | st.floats(0, 1),
        group=st.none() | st.builds(Group, names, names, names),
        media=st.lists(
            st.builds(Media, st.just("image"), names, st.none() | words), max_size=2
        ).map(tuple),
        weight=st.floats(0, 10),
        meta=objects,
    )


def examples(target: st.SearchStrategy[Target | None]) -> st.SearchStrategy[Example]:
    return st.builds(
        Example,
        item=items(target),
        completion=st.none() | words,
        rejected=st.none() | words,
        start=words,
        start_kind=st.none() | st.sampled_from(["wrong", "correct", "irrelevant", "absent"]),
        number=st.integers(0, 99),
        source=words,
        licence=st.none() | words,
        scores=st.dictionaries(names, numbers, max_size=3),
        provenance=st.lists(
            st.builds(
                Provenance, names, objects, st.none() | names, st.none() | names,
                st.none() | st.integers(0, 9),
            ),
            max_size=3,
        ).map(tuple),
    )  # fmt: skip


def test_every_kind_of_target_is_generated():
    assert set(KINDS) == set(targets.KINDS)


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz", ".parquet"])
def test_examples_come_back_from_their_file(kind, suffix):
    @settings(max_examples=8)
    @given(st.lists(examples(KINDS[kind]), min_size=1, max_size=3, unique_by=key_of))
    def check(made: list[Example]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, f"examples{suffix}")
            write_examples(path, made)
            assert read_examples(path) == made

    check()


@settings(max_examples=15)
@given(st.lists(examples(st.none() | simple), max_size=3), words)
def test_dropped_examples_come_back_with_their_reasons(made, reason):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "dropped.jsonl.gz")
        dropped = [Dropped(example, reason) for example in made]
        if made:
            write_dropped(path, dropped)
            assert read_dropped(path) == dropped


ONE = Example(Item("b", "1", "What?", ("x", "y"), Choice(1)), "Because. Answer: B", source="f")


def test_equal_examples_are_equal_bytes(tmp_path):
    write_examples(tmp_path / "a.jsonl.gz", [ONE])
    write_examples(tmp_path / "b.jsonl.gz", [replace(ONE)])
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()


def test_rows_are_lists_of_a_data_set(tmp_path):
    polars = pytest.importorskip("polars")
    write_examples(tmp_path / "a.parquet", [ONE, replace(ONE, number=1, completion=None)])
    frame = polars.read_parquet(tmp_path / "a.parquet")
    assert frame["completion"].to_list() == ["Because. Answer: B", None]
    assert frame["item"].struct.field("item_id").to_list() == ["1", "1"]


def test_items_of_any_source_are_examples_without_completion(tmp_path):
    rows = [
        {"benchmark": "mine", "item_id": str(i), "question": f"Q{i}?", "options": ["a", "b"],
         "answer": "A", "stratum": "reasoning", "hops": i}
        for i in range(3)
    ]  # fmt: skip
    (tmp_path / "items.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    found = read_examples(tmp_path / "items.jsonl")
    assert [example.item.meta["hops"] for example in found] == [0, 1, 2]
    assert {example.source for example in found} == {"items.jsonl"}
    assert found[0].provenance == (Provenance("read", {"source": "items.jsonl"}),)
    assert found[0].completion is None and found[0].item.stratum == "reasoning"
    assert [e.item for e in read_examples([e.item for e in found])] == [e.item for e in found]
    assert read_examples(found) == found


def test_a_known_benchmark_brings_its_licence():
    item = Item("medqa", "1", "What?", ("x", "y"), Choice(1))
    from viva.benchmarks import CARDS

    assert read_examples([item])[0].licence == CARDS["medqa"].licence


def test_rows_that_cannot_be_read_are_told(tmp_path):
    good = {"benchmark": "m", "item_id": "1", "question": "Q?", "options": ["a", "b"], "answer": 0}
    (tmp_path / "i.jsonl").write_text(json.dumps(good) + "\n" + json.dumps(good | {"answer": 9}))
    left_out: list = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(read_examples(tmp_path / "i.jsonl", left_out=left_out)) == 1
    assert len(left_out) == 1
    with pytest.warns(UserWarning, match=r"i\.jsonl: left out 1 "):
        read_examples(tmp_path / "i.jsonl")


def test_a_world_is_read_from_its_folder(tmp_path):
    from viva.records import items_frame
    from viva.worlds import make_world

    (tmp_path / "world").mkdir()
    items_frame(make_world(1, 10).items).write_parquet(tmp_path / "world" / "items.parquet")
    found = read_examples(tmp_path / "world")
    assert [example.item for example in found] == list(make_world(1, 10).items)
    assert found[0].source == "world"


def write(path: Path, row: dict) -> Path:
    path.write_text(json.dumps(row) + "\n")
    return path


def row(**changed: object) -> dict:
    item = {"benchmark": "b", "item_id": "1", "question": "What?", "target": "choice", "key": [0],
            "options": ["x", "y"]}  # fmt: skip
    return {"schema": 1, "item": item, "completion": "x", **changed}


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"schema": 2}, r"1: an example of schema 2; this version reads up to 1. Update viva"),
        ({"schema": "new"}, "schema 'new'"),
        ({"completio": "x"}, "unknown fields completio"),
        ({"number": "1"}, "number is a str"),
        ({"completion": 3}, "completion is a int"),
        ({"scores": {"a": "much"}}, "could not convert"),
        ({"scores": [1]}, "no example"),
        ({"provenance": [{"stepp": "x"}]}, "no example"),
        ({"item": {"benchmark": "b", "item_id": "1"}}, "no question"),
        ({"item": {"benchmark": 1, "item_id": "1", "question": "q"}}, "no benchmark"),
        (
            {"item": {"benchmark": "b", "item_id": "1", "question": "q", "target": "choice"}},
            "no example",
        ),
        (
            {"item": {"benchmark": "b", "item_id": "1", "question": "q", "target": "number",
                      "gold": '{"kind": "essay"}'}},
            "unknown kind",
        ),
    ],
)  # fmt: skip
def test_broken_rows_are_refused_with_their_line(tmp_path, changed, why):
    path = write(tmp_path / "e.jsonl", row(**changed))
    with pytest.raises(InputError, match=why) as raised:
        read_examples(path)
    assert str(raised.value).startswith(f"{path}:1: ")


def test_two_examples_with_one_key_are_refused(tmp_path):
    with pytest.raises(InputError, match="two examples are b/1 number 0"):
        write_examples(tmp_path / "e.jsonl", [ONE, ONE])
    assert not (tmp_path / "e.jsonl").exists()
    path = tmp_path / "e.jsonl"
    path.write_text(2 * (json.dumps(row()) + "\n"))
    with pytest.raises(InputError, match="two examples are b/1 number 0"):
        read_examples(path)
    with pytest.raises(InputError, match="two examples"):
        read_examples([ONE.item, ONE.item])


def test_what_json_cannot_hold_is_refused(tmp_path):
    with pytest.raises(InputError, match="JSON cannot hold"):
        write_examples(tmp_path / "e.jsonl", [replace(ONE, scores={"x": math.nan})])
    with pytest.raises(InputError, match="JSON cannot hold"):
        bad = Provenance("s", {"x": object()})
        write_examples(tmp_path / "e.parquet", [replace(ONE, provenance=(bad,))])
    with pytest.raises(InputError, match=r"written as \.jsonl"):
        write_examples(tmp_path / "e.csv", [ONE])
    assert not list(tmp_path.iterdir())


def test_a_file_of_dropped_rows_is_no_file_of_examples(tmp_path):
    write_dropped(tmp_path / "d.jsonl", [Dropped(ONE, "too short")])
    with pytest.raises(InputError, match="reason"):
        read_examples(tmp_path / "d.jsonl")
    write_examples(tmp_path / "e.jsonl", [ONE])
    with pytest.raises(InputError, match="without a reason"):
        read_dropped(tmp_path / "e.jsonl")


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="no examples in this folder"):
        read_examples(tmp_path)


def test_the_generator_depends_on_the_key_and_the_names_alone():
    other = replace(ONE, completion="else", source="g")
    assert seeded(ONE, "starts", 1).random() == seeded(other, "starts", 1).random()
    assert seeded(ONE, "starts", 1).random() != seeded(ONE, "starts", 2).random()
    assert seeded(ONE, "a", "b").random() != seeded(ONE, "ab").random()
    assert seeded(ONE, "a").random() != seeded(replace(ONE, number=1), "a").random()
    draws = [seeded(replace(ONE, number=n), "a").random() for n in range(2000)]
    assert abs(sum(draws) / len(draws) - 0.5) < 0.03


def test_the_records_are_light():
    code = (
        "import sys, viva.synthesis; heavy = {'polars', 'numpy', 'torch', 'sklearn', 'pydantic'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
