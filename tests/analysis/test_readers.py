"""What other readers make of the same texts."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from viva._summary import ReaderAccuracy
from viva.analysis.readers import compare_readers
from viva.answers.peers import PEERS
from viva.records import (
    Choice,
    Item,
    Response,
    Score,
    Status,
    items_frame,
    responses_frame,
    scores_frame,
)


def always_a(text: str, options: Sequence[str]) -> str | None:
    """Takes A.

    Source: a joke in ``no`` :func:`journal`. Not to be used.
    """
    return "A"


def first_letter(text: str, options: Sequence[str]) -> str | None:
    """The first character, if it is a letter of the options"""
    return text[0] if text and text[0] in "ABCD"[: len(options)] else None


READERS = {"always": always_a, "first": first_letter}


def made(texts: list[str | None], keys: list[int], values: list[float | None]):
    items = [Item("b", str(i), "q", ("w", "x", "y", "z"), Choice(k)) for i, k in enumerate(keys)]
    responses = [
        Response("b", str(i), "m", text=text, method="cot" if i % 2 else None)
        for i, text in enumerate(texts)
    ]
    scores = [
        Score("b", str(i), "m", r.method, None, 0, "choice", Status.PARSED, "A", value)
        for i, (r, value) in enumerate(zip(responses, values, strict=True))
    ]
    return items_frame(items), responses_frame(responses), scores_frame(scores)


def test_by_hand() -> None:
    frames = made(["A", "so B", "", "C", None, "D"], [0, 0, 1, 2, 0, 3], [1, 1, 0, 0, 1, None])
    found = compare_readers(*frames, readers=READERS)
    # Four texts: one response has none, one was not graded.
    assert (found.n, found.accuracy, found.note) == (4, 0.5, None)
    always, first = (ReaderAccuracy(**row) for row in found.readers)
    assert (always.read, always.accuracy, always.difference) == (1.0, 0.5, 0.0)
    assert (first.read, first.accuracy, first.difference) == (0.5, 0.5, 0.0)
    assert always.source == "A joke in no journal"
    assert first.source == "The first character, if it is a letter of the options"


def test_the_difference_is_in_points() -> None:
    frames = made(["A"] * 4, [0, 0, 0, 1], [0, 0, 0, 1])
    found = compare_readers(*frames, readers=READERS)
    assert found.readers[0]["difference"] == pytest.approx(100 * (0.75 - 0.25))


def test_a_bound_is_told_and_even() -> None:
    keys = [0] * 50 + [1] * 50
    frames = made(["A"] * 100, keys, [1.0] * 50 + [0.0] * 50)
    found = compare_readers(*frames, readers=READERS, most=10)
    assert found.n == 10 and found.accuracy == 0.5
    assert found.note == "other readers: 10 of 100 texts, taken at even distances"


def test_nothing_to_read() -> None:
    found = compare_readers(*made([None], [0], [1]), readers=READERS)
    assert found == ([], 0, None, None)


def test_progress_adds_up() -> None:
    steps: list[int] = []
    frames = made(["A"] * 250, [0] * 250, [1.0] * 250)
    compare_readers(*frames, readers=READERS, advance=steps.append)
    assert sum(steps) == 250


def test_the_peers_have_a_source_and_guess_more_than_they_read() -> None:
    texts = [
        json.dumps({"step_by_step_thinking": "Rest helps.", "answer_choice": "A"}),
        json.dumps({"step_by_step_thinking": "Unclear.", "answer_choice": "None of the above"}),
        "I cannot tell.",
    ]
    found = compare_readers(*made(texts, [0, 0, 0], [1, 0, 0]))
    rows = {row["reader"]: ReaderAccuracy(**row) for row in found.readers}
    assert list(rows) == list(PEERS)
    assert all(row.source and "`" not in row.source for row in rows.values())
    assert rows["mirage"].accuracy == pytest.approx(1 / 3)
    assert rows["mirage_guess_a"].accuracy == 1
    assert rows["guess_on_fail"].read == 1
