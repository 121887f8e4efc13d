"""What is missing is said first: how many, of which subject, why."""

from __future__ import annotations

import io
import re

import pytest
from made_answers import answers, items
from rich.console import Console

import viva
from viva import report
from viva._audit.ungraded import reasons


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("rate limit: 429 slow down", "rate limit"),
        ("time-out: 600 s", "time-out"),
        ("not asked: budget spent: 10 calls of 10", "not asked, budget spent"),
        ("not asked: the run has not finished", "not asked, the run has not finished"),
        ("something: else", "something: else"),
        ("first\nsecond", "first"),
        ("x" * 200, "x" * 79 + "…"),
        (None, "no reason given"),
        ("", "no reason given"),
    ],
)
def test_errors_are_counted_by_their_kind(error, kind):
    assert reasons([error]) == {kind: 1}


def test_many_reasons_are_the_first_four_and_the_rest():
    errors = [f"reason {i}" for i in range(10) for _ in range(10 - i)]
    counted = reasons(errors)
    assert list(counted.values()) == [10, 9, 8, 7, 21]
    assert sum(counted.values()) == len(errors)


@pytest.fixture(scope="module")
def audited():
    questions = items(100)
    one, two = (answers(questions, name, seed=i) for i, name in enumerate(("one", "two")))
    for row in one[:30]:
        del row["response"]
        row["error"] = "not asked: budget spent: 70 of 70 calls"
    for place, row in enumerate(one[40:45]):
        del row["response"]
        row["error"] = f"rate limit: try {place}"
    return viva.audit(questions, [one, two], resamples=100)


def test_the_summary_says_how_many_of_how_many_and_why(audited):
    summary = audited.summary
    assert summary["models"]["one"]["ungraded_reasons"] == {
        "not asked, budget spent": 30,
        "rate limit": 5,
    }
    assert summary["models"]["two"]["ungraded_reasons"] == {}
    first, last = summary["verdict"]["warnings"]
    assert first == (
        "one: 35 of 100 responses are missing (not asked, budget spent: 30; rate limit: 5)."
    )
    assert "outside every denominator" in last and "viva eval" in last


def test_the_page_and_the_terminal_say_it_before_any_number(audited):
    page = re.sub(r"<style.*?</style>", "", report.render(audited.summary), flags=re.S)
    body = page[page.index("<main") :]
    assert body.index("35 of 100 responses are missing") < body.index("<h1")
    file = io.StringIO()
    report.terminal(audited.summary, Console(file=file, width=80))
    shown = " ".join(file.getvalue().split())
    assert shown.startswith("! Not every question has an answer ! one: 35 of 100 responses")
    assert shown.index("35 of 100") < shown.index(audited.summary["verdict"]["headline"][:20])


def test_nothing_is_said_where_nothing_is_missing():
    questions = items(60)
    summary = viva.audit(questions, answers(questions), resamples=100).summary
    assert summary["verdict"]["warnings"] == []
    assert 'class="missing"' not in report.render(summary)


def test_a_subject_without_any_response_is_named():
    questions = items(60)
    none = [
        {k: row[k] for k in ("benchmark", "item_id", "model")}
        | {"response": None, "error": "connection failed: x"}
        for row in answers(questions, "silent")
    ]
    summary = viva.audit(questions, [answers(questions, "one"), none], resamples=100).summary
    assert summary["verdict"]["warnings"][0] == "silent: no response is there (connection failed)."
