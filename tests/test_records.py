"""The three tables: records and frames have the same columns, and equal content equal hashes."""

from __future__ import annotations

import dataclasses
import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from viva.records import (
    RESPONSE_KEY,
    Choice,
    Choices,
    Group,
    Item,
    Response,
    Score,
    Status,
    content_hash,
    item_schema,
    items_frame,
    normalise,
    response_schema,
    responses_frame,
    score_schema,
    scores_frame,
)

ITEM = Item("b", "1", "Which?", ("x", "y", "z"), Choice(2))
SCORE = Score("b", "1", "m", None, None, 0, "choice", Status.PARSED, "C", 1.0)


@pytest.mark.parametrize(
    ("make", "record", "schema"),
    [
        (items_frame, ITEM, item_schema),
        (responses_frame, Response("b", "1", "m"), response_schema),
        (scores_frame, SCORE, score_schema),
    ],
)
def test_frames_have_their_schema_filled_or_empty(make, record, schema):
    for rows in ([], [record], [record] * 3):
        frame = make(rows)
        assert frame.schema == pl.Schema(schema())
        assert frame.height == len(rows)


@pytest.mark.parametrize(("record", "schema"), [(Response, response_schema), (Score, score_schema)])
def test_a_record_is_one_row(record, schema):
    assert sorted(field.name for field in dataclasses.fields(record)) == sorted(schema())
    assert set(RESPONSE_KEY) <= set(schema())


def test_targets_and_groups_are_columns():
    group = Group("g", "copy", "preserving")
    rows = [
        ITEM,
        dataclasses.replace(ITEM, target=Choices((0, 2)), group=group, meta={"année": 2020}),
        dataclasses.replace(ITEM, target=None, options=()),
    ]
    frame = items_frame(rows)
    assert frame["target"].to_list() == ["choice", "choices", None]
    assert frame["key"].to_list() == [[2], [0, 2], None]
    assert frame.select("group", "role", "relation").rows()[1] == ("g", "copy", "preserving")
    assert frame["group"].to_list()[0] is None
    assert json.loads(frame["meta"][1]) == {"année": 2020}
    assert "année" in frame["meta"][1]


@given(st.lists(st.text(max_size=8), max_size=5), st.randoms())
def test_the_order_of_options_does_not_change_the_content(options, random):
    shuffled = random.sample(options, len(options))
    assert content_hash("q", options) == content_hash("q", shuffled)
    assert content_hash("q", options) != content_hash("q", [*options, "one more"])


def test_content_is_what_a_reader_sees():
    assert content_hash("  What\u00a0 IS it? ", ["A", "b"]) == content_hash(
        "what is it?", ["B", "a"]
    )
    assert content_hash("ab", ["c"]) != content_hash("a", ["bc"])


@given(st.text())
def test_normalising_trims_and_folds(text):
    found = normalise(text)
    assert found == found.strip()
    assert "  " not in found
    assert normalise(f" {text}\n") == found
