from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from viva.errors import InputError
from viva.strata import label, replay
from viva.strata.annotations import double_labelled
from viva.strata.judging import prompt, read_verdict

GOOD = '{"label": "reasoning", "steps": 2, "decorative": false, "confidence": 3, "why": "two"}'


def items(n=3):
    return pl.DataFrame(
        {
            "benchmark": ["mine"] * n,
            "item_id": [str(i) for i in range(n)],
            "question": [f"Question number {i}?" for i in range(n)],
            "options": [["yes it is", "no it is not"]] * n,
            "key": [[1]] * n,
        }
    )


def test_the_prompt_has_rubric_question_options_and_key():
    text = prompt("Why?", ["x", "y"], "y")
    for part in ("steps >= 2", "Question:\nWhy?", "A. x\nB. y", "Keyed answer: y"):
        assert part in text


@pytest.mark.parametrize(
    ("reply", "read"),
    [
        (GOOD, "reasoning"),
        (f"Let me think {{about}} it.\n```json\n{GOOD}\n```", "reasoning"),
        (GOOD.replace("reasoning", "knowledge") + "\nNo, wait:\n" + GOOD, "reasoning"),
        (GOOD.replace("reasoning", "Reasoning"), None),
        (GOOD.replace('"steps": 2', '"steps": 9'), None),
        (GOOD.replace('"steps": 2', '"steps": true'), None),
        ('{"label": "reasoning"}', None),
        ("reasoning", None),
        ("", None),
        ("{" * 100_000, None),
        ("}" * 100_000, None),
    ],
)
def test_verdicts_are_read_strictly(reply, read):
    verdict = read_verdict(reply)
    assert (verdict.label if verdict else None) == read


@given(st.text(max_size=300))
def test_no_reply_breaks_the_reader(reply):
    read_verdict(reply)


def test_a_rule_as_judge():
    def judge(text):
        stem = text.rpartition("Question:\n")[2].partition("\n\nOptions")[0]
        return json.dumps({"label": "reasoning" if len(stem.split()) > 60 else "knowledge",
                           "steps": 2 if len(stem.split()) > 60 else 0})  # fmt: skip

    found = label(items(), judge)
    assert (found.parsed, found.unparsed, found.ungraded) == (3, 0, 0)
    assert found.labels["label"].to_list() == ["knowledge"] * 3
    assert found.agreement is not None
    assert found.agreement["n"] == found.agreement["answered"] == 189
    assert 0.4 < found.agreement["kappa_first"] < 0.9
    assert found.agreement["kappa_passes"] > 0.9


def test_failures_are_counted_and_never_guessed():
    replies = iter(["no idea", GOOD])

    def judge(text):
        return next(replies)  # the third call raises

    found = label(items(), judge, check=False)
    assert (found.parsed, found.unparsed, found.ungraded) == (1, 1, 1)
    assert found.labels["label"].to_list() == [None, "reasoning", None]
    assert found.labels["status"].to_list() == ["unparsed", "parsed", "ungraded"]
    assert found.agreement is None


def test_recorded_replies(tmp_path):
    control = double_labelled().row(0, named=True)
    rows = [
        {"question": "Question number 0?", "reply": GOOD},
        {"question": "QUESTION number 1", "label": "knowledge", "steps": 0},
        {"question": control["question"], "label": control["first"], "steps": 1},
    ]
    path = tmp_path / "replies.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = label(items(), replay(path))
    assert found.labels["label"].to_list() == ["reasoning", "knowledge", None]
    assert found.ungraded == 1
    assert found.agreement is not None and found.agreement["answered"] == 1


def test_a_recorded_reply_needs_its_question(tmp_path):
    path = tmp_path / "replies.jsonl"
    path.write_text('{"reply": "x"}\n{"reply": "y"}\n')
    with pytest.raises(InputError, match="neither question nor stem_hash"):
        replay(path)
