"""Half-questions: how stems are cut, what is asked, and what a continuation shows."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from viva.analysis import continuation_similarity, memorisation, wilson
from viva.analysis._edits import edit_distance, edit_similarity
from viva.benchmarks import bundled
from viva.cli.main import main
from viva.errors import InputError
from viva.formats.run import read_run
from viva.methods.half_question import half_question
from viva.models import Completion, Request, Sampling
from viva.models.specs import ModelOptions
from viva.probes.half_question import FEWEST_WORDS, halves
from viva.records import Choice, Item, items_frame
from viva.runs import evaluate

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "methods"), str(TESTS / "runs")]

from made_runs import Fake  # noqa: E402
from scripted_caller import Scripted  # noqa: E402


@pytest.fixture(scope="module")
def exam() -> pl.DataFrame:
    """Eighty questions of an examination, long enough to be cut."""
    items = bundled().items.filter(pl.col("benchmark") == "medqa")
    return items.head(80)


def given_half(request: Request) -> str:
    return request.messages[-1].content.split("\n\n", 1)[1]


# --- cutting


@given(st.text(max_size=400))
def test_halves_are_the_stem(text: str) -> None:
    parts = halves(text)
    words = text.split()
    if parts is None:
        assert len(words) < FEWEST_WORDS
    else:
        assert parts.first + parts.second == text.strip()
        assert parts.first.split() + parts.second.split() == words
        assert 0 <= len(parts.first.split()) - len(parts.second.split()) <= 1


# --- distance


def by_table(a: str, b: str) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


@given(st.text("abc ", max_size=90), st.text("abc ", max_size=90))
def test_edit_distance_is_that_of_the_full_table(a: str, b: str) -> None:
    assert edit_distance(a, b) == by_table(a, b) == edit_distance(b, a)
    assert 0 <= edit_similarity(a, b) <= 1
    assert (edit_similarity(a, b) == 1) == (a == b)


def test_long_texts_are_compared_in_time() -> None:
    rng = random.Random(0)
    a = "".join(rng.choices("abcdef ", k=1_000_000))
    assert continuation_similarity(a, a[:300_000]) == 1
    assert continuation_similarity(a[5:], a[:300_000]) > 0.99
    assert continuation_similarity("x" * 1_000_000, a) < 0.01


def test_repeated_beginnings_and_what_goes_on_beyond_the_end_do_not_count() -> None:
    first, second = "A 30-year-old man has ", "a fever of 39 C. What is the diagnosis?"
    assert continuation_similarity(second, second, first) == 1
    assert continuation_similarity(f"{first}{second}", second, first) == 1
    assert continuation_similarity(f"{second}\nA. Malaria\nB. Flu", second, first) == 1
    assert continuation_similarity(second.upper().replace(" ", "  "), second, first) == 1
    assert continuation_similarity("", second, first) == 0
    assert continuation_similarity(second[:20], second, first) == pytest.approx(20 / len(second))


# --- what is asked


def test_the_model_is_given_the_first_half_and_nothing_of_the_rest(exam: pl.DataFrame) -> None:
    stem = exam["question"][0]
    parts = halves(stem)
    assert parts
    item = Item("medqa", "0", stem, tuple(exam["options"][0].to_list()), Choice(0))
    caller = Scripted(["the rest"])
    answer = asyncio.run(half_question(item, caller))
    (request,) = caller.requests
    assert given_half(request) == parts.first.strip()
    said = request.messages[-1].content
    assert not any(option in said for option in item.options)
    assert " ".join(parts.second.split()[:5]) not in said
    assert request.prefix is None
    assert request.sampling.temperature == 0
    assert request.sampling.max_completion_tokens > 4 * len(parts.second.split())
    assert (answer.text, answer.graded, answer.prediction) == ("the rest", False, None)
    caller = Scripted(["x"])
    asyncio.run(half_question(item, caller, sampling=Sampling(temperature=1.0), system="Be exact."))
    assert caller.requests[0].sampling.temperature == 1.0
    assert [m.role for m in caller.requests[0].messages] == ["system", "user"]


def test_a_short_stem_is_not_asked_about() -> None:
    caller = Scripted([])
    answer = asyncio.run(
        half_question(Item("b", "1", "What is it?", ("a", "b"), Choice(0)), caller)
    )
    assert (answer.text, answer.graded, caller.requests) == (None, False, [])


# --- what models show: one that remembers, one that paraphrases, one that writes of other things

SYNONYMS = {
    "the": "this", "is": "was", "of": "in", "and": "with", "patient": "person", "a": "one",
    "most": "very", "likely": "probable", "following": "next", "which": "what", "his": "their",
    "her": "their", "with": "having", "has": "shows", "blood": "arterial", "to": "for",
}  # fmt: skip


def paraphrase(text: str) -> str:
    words = [SYNONYMS.get(w.lower(), w) for w in text.split()]
    swapped = [w for a, b in zip(words[1::2], words[::2], strict=False) for w in (a, b)]
    return " ".join(swapped)


def continuations(exam: pl.DataFrame, write) -> pl.DataFrame:
    rows = []
    for n, (benchmark, item_id, stem) in enumerate(
        exam.select("benchmark", "item_id", "question").iter_rows()
    ):
        parts = halves(stem)
        assert parts
        rows.append({"benchmark": benchmark, "item_id": item_id, "continuation": write(n, parts)})
    return pl.DataFrame(rows)


def test_a_model_that_remembers_is_told_from_the_others(exam: pl.DataFrame) -> None:
    recalled = memorisation(exam, continuations(exam, lambda _, p: p.second))
    half = memorisation(
        exam, continuations(exam, lambda n, p: p.second if n % 2 else paraphrase(p.second))
    )
    retold = memorisation(exam, continuations(exam, lambda _, p: paraphrase(p.second)))
    rng = random.Random(0)
    other = memorisation(
        exam, continuations(exam, lambda *_: " ".join(rng.choices(list(SYNONYMS), k=60)))
    )
    assert (recalled.memorised.estimate, recalled.mean_similarity) == (1, 1)
    assert half.memorised.estimate == 0.5
    assert (half.memorised.low, half.memorised.high) == tuple(map(float, wilson(40, 80)))
    for found in (retold, other):
        assert found.memorised.k == 0
        assert found.difference[1] < 0 < found.difference[2]
    assert recalled.difference[1] > 0.9
    # A paraphrase is nearer than chance without being memorised; unrelated text is at chance.
    assert retold.mean_similarity > retold.baseline_similarity + 0.1
    assert abs(other.mean_similarity - other.baseline_similarity) < 0.02
    for found in (recalled, retold, other):
        assert found.baseline.estimate == 0
        assert 0.15 < found.baseline_similarity < 0.4
    assert recalled.items["memorised"].all()
    assert (recalled.items["nearest"] < 0.7).all()


def test_halves_that_many_questions_share_show_in_the_baseline() -> None:
    """Where every question ends alike, reaching the threshold proves nothing, and it shows."""
    shared = "which of the following is the most likely diagnosis in this patient today"
    stems = [
        f"Alder birch cedar dogwood elm fir ginkgo hazel ivy juniper kapok larch case{n} {shared}{n % 10}"
        for n in range(40)
    ]
    frame = items_frame(
        [Item("b", str(n), stem, ("x", "y"), Choice(0)) for n, stem in enumerate(stems)]
    )
    found = memorisation(frame, continuations(frame, lambda _, p: p.second))
    assert found.memorised.estimate == 1
    assert found.baseline.estimate > 0.9
    assert found.difference[1] < 0.1


def test_what_is_not_compared_is_counted(exam: pl.DataFrame) -> None:
    short = items_frame([Item("b", "short", "What is it?", ("x", "y"), Choice(0))])
    frame = pl.concat([exam, short])
    some = continuations(exam, lambda n, p: None if n < 3 else ("  " if n < 5 else p.second))
    found = memorisation(frame, some)
    assert (found.memorised.n, found.unanswered, found.too_short) == (75, 5, 1)
    nothing = memorisation(frame, some.head(3))
    assert (nothing.memorised.n, nothing.memorised.estimate, nothing.difference) == (0, None, None)
    assert memorisation(frame, some, seed=1).items.height == 75
    with pytest.raises(InputError, match="threshold"):
        memorisation(frame, some, threshold=0)


# --- from end to end


def command(monkeypatch, capsys, *arguments: object) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["viva", *map(str, arguments)])
    try:
        main()
        code = 0
    except SystemExit as stop:
        code = int(stop.code or 0)
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_run_of_half_questions_is_never_graded_and_can_be_examined(
    exam, tmp_path, monkeypatch, capsys
) -> None:
    known = {halves(stem).first.strip(): halves(stem).second for stem in exam["question"]}

    def remembers(request: Request) -> Completion:
        second = known[given_half(request)]
        # Even a continuation that looks like an answer is none.
        return Completion(f"{second} The answer is (A).", finish_reason="stop")

    out = tmp_path / "run"
    short = Item("b", "short", "What is it?", ("x", "y"), Choice(0))
    frame = pl.concat([exam.head(20), items_frame([short])])
    run = evaluate(model=Fake(remembers), benchmark=frame, method="half_question", out=out)
    assert (run.planned, run.failed) == (21, 0)
    scores = pl.read_parquet(out / "scores.parquet")
    assert scores["status"].unique().to_list() == ["ungraded"]
    assert set(scores["reason"]) == {"no answer, only other text", "no response"}
    assert scores["value"].is_null().all()
    assert read_run(out).responses["text"].is_null().all()

    code, said, err = command(monkeypatch, capsys, "memorisation", out)
    assert (code, err) == (0, "")
    summary = json.loads((out / "memorisation/memorisation.json").read_text())
    assert summary["memorised"]["k"] == summary["memorised"]["n"] == 20
    assert summary["too_short"] == 1
    assert "100.0 %" in said
    assert len((out / "memorisation/continuations.jsonl").read_text().splitlines()) == 20


def test_a_run_of_another_method_is_refused(exam, tmp_path, monkeypatch, capsys) -> None:
    evaluate(model=Fake(), benchmark=exam.head(2), method="direct", out=tmp_path / "run")
    code, _, err = command(monkeypatch, capsys, "memorisation", tmp_path / "run")
    assert code == 2
    assert "half_question" in err


def test_through_a_real_server(tmp_path, exam, monkeypatch, capsys) -> None:
    from servers import mock_server

    with mock_server() as server:
        evaluate(
            model="openai/mock", benchmark=exam.head(8), method="half_question",
            out=tmp_path / "run", options=ModelOptions(base_urls=(server.url,)),
        )  # fmt: skip
        assert server.calls >= 8
    code, _, err = command(monkeypatch, capsys, "memorisation", tmp_path / "run")
    assert (code, err) == (0, "")
    summary = json.loads((tmp_path / "run/memorisation/memorisation.json").read_text())
    assert (summary["memorised"]["n"], summary["memorised"]["k"]) == (8, 0)
