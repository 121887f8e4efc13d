"""The audit from end to end, on made data whose truth is known and on the bundled sample."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import stats

import viva
from viva import InputError
from viva._summary import GAPS, Summary

sys.path.insert(0, str(Path(__file__).parent))
from made_answers import answers, items, write_jsonl


@pytest.fixture(scope="module")
def two_benchmarks():
    """Composition only: one easy benchmark of knowledge, one hard one of reasoning."""
    easy, hard = items(400, "easy"), items(400, "hard")
    for i, row in enumerate(easy):
        row["stratum"] = "reasoning" if i < 60 else "knowledge"
    for i, row in enumerate(hard):
        row["stratum"] = "knowledge" if i < 60 else "reasoning"
    said = answers(easy, right=0.9, seed=1) + answers(hard, right=0.5, seed=2)
    said += answers(easy, "n", right=0.85, seed=3) + answers(hard, "n", right=0.55, seed=4)
    return easy + hard, said


def test_summary_has_the_published_shape(two_benchmarks):
    questions, said = two_benchmarks
    result = viva.audit(items=questions, answers=said, resamples=500)
    assert Summary.model_validate(result.summary).model_dump(mode="json") == result.summary
    for model in result.summary["models"].values():
        assert model["n"] == sum(model[k] for k in ("graded", "unparsed", "ambiguous", "ungraded"))
        assert set(GAPS) <= set(model["gap"])
        for gap in model["gap"].values():
            assert (gap["estimate"] is None) == (gap["reason"] is not None)


def test_composition_shows_in_the_pooled_gap_and_not_within(two_benchmarks):
    questions, said = two_benchmarks
    gap = viva.audit(items=questions, answers=said, resamples=2000).summary["models"]["m"]["gap"]
    assert gap["pooled"]["estimate"] < -15 and gap["pooled"]["high"] < 0
    assert gap["within"]["low"] < 0 < gap["within"]["high"]
    assert gap["within"]["n"] == 800


def test_accuracy_and_pairs_by_hand(two_benchmarks):
    questions, said = two_benchmarks
    result = viva.audit(items=questions, answers=said, resamples=500)
    keys = {(q["benchmark"], q["item_id"]): "ABCD"[q["answer"]] for q in questions}
    right = {
        m: np.array([a["response"][-2] == keys[a["benchmark"], a["item_id"]]
                     for a in said if a["model"] == m])
        for m in ("m", "n")
    }  # fmt: skip
    for name, values in right.items():
        assert result.summary["models"][name]["accuracy"] == pytest.approx(values.mean())
    row = next(c for c in result.summary["comparisons"] if c["scope"] == "all")
    assert row["difference"] == pytest.approx(100 * (right["m"].mean() - right["n"].mean()))
    first = int(np.sum(right["m"] & ~right["n"]))
    second = int(np.sum(~right["m"] & right["n"]))
    expected = stats.binomtest(first, first + second).pvalue
    assert row["p_mcnemar"] == pytest.approx(expected)


def test_given_labels_are_the_default_only_if_every_item_has_one(two_benchmarks):
    questions, said = two_benchmarks
    every = viva.audit(items=questions, answers=said, resamples=200).summary
    assert every["splitter"]["definition"] == "given"
    assert every["sweep"] == []
    assert every["models"]["m"]["gap"]["noise_corrected"]["estimate"] is None
    some = [dict(q) for q in questions]
    del some[0]["stratum"]
    assert viva.audit(items=some, answers=said, resamples=200).summary["splitter"][
        "definition"
    ] == "rubric"  # fmt: skip


def test_writes_nothing_unless_asked(two_benchmarks, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    questions, said = two_benchmarks
    viva.audit(items=questions, answers=said, resamples=200)
    assert list(tmp_path.iterdir()) == []


def test_files_equal_the_object(two_benchmarks, tmp_path):
    questions, said = two_benchmarks
    out = tmp_path / "out"
    result = viva.audit(items=questions, answers=said, resamples=200, out=out)
    assert json.loads((out / "summary.json").read_text()) == result.summary
    assert {p.name for p in out.iterdir()} == {
        "report.html", "summary.json", "scores.parquet", "items.parquet", "manifest.json",
    }  # fmt: skip
    scores = pl.read_parquet(out / "scores.parquet")
    assert scores.height == len(said)
    assert scores["value"].mean() == pytest.approx(result.scores["value"].mean())


def test_same_seed_same_numbers_and_order_does_not_matter(two_benchmarks):
    questions, said = two_benchmarks
    one = viva.audit(items=questions, answers=said, resamples=300, seed=3).summary
    two = viva.audit(items=questions[::-1], answers=said[::-1], resamples=300, seed=3).summary
    assert one["models"] == two["models"]
    assert one["comparisons"] == two["comparisons"]


def test_frames_rows_and_paths_give_the_same(two_benchmarks, tmp_path):
    questions, said = two_benchmarks
    rows = viva.audit(items=questions, answers=said, resamples=200).summary
    frames = viva.audit(
        items=pl.DataFrame(questions), answers=pl.DataFrame(said), resamples=200
    ).summary
    paths = viva.audit(
        items=write_jsonl(tmp_path / "items.jsonl", questions),
        answers=[write_jsonl(tmp_path / "answers.jsonl", said)],
        resamples=200,
    ).summary
    assert rows["models"] == frames["models"] == paths["models"]


def test_unread_counts_as_not_right_and_ungraded_is_outside():
    questions = items(40)
    said = answers(questions, right=1.0)
    said[0]["response"] = "I cannot tell which of these it is."
    said[1]["response"] = "It is A or B."
    said[2]["response"] = None
    model = viva.audit(items=questions, answers=said, resamples=200).summary["models"]["m"]
    assert (model["graded"], model["unparsed"], model["ambiguous"], model["ungraded"]) == (
        37, 1, 1, 1,
    )  # fmt: skip
    assert model["accuracy"] == pytest.approx(37 / 39)
    assert model["accuracy_of_read"] == 1.0


def test_methods_make_subjects_and_samples_are_averaged():
    questions = items(40)
    said = [a | {"method": "cot"} for a in answers(questions, seed=1)]
    said += [a | {"method": "direct"} for a in answers(questions, seed=2)]
    said += [a | {"sample": s} for s in range(3) for a in answers(questions, "other", seed=3 + s)]
    models = viva.audit(items=questions, answers=said, resamples=200).summary["models"]
    assert set(models) == {"m/cot", "m/direct", "other"}
    assert models["other"]["n"] == 120 and models["other"]["items"] == 40


def test_probe_rows_stay_out():
    questions = items(40)
    said = answers(questions) + [a | {"probe": "misled"} for a in answers(questions, right=0.0)]
    result = viva.audit(items=questions, answers=said, resamples=200)
    assert result.summary["models"]["m"]["n"] == 40
    assert any("probe" in note for note in result.summary["data_quality"]["notes"])


def test_two_files_that_agree_count_once_and_that_contradict_are_refused(tmp_path):
    questions = items(40)
    said = answers(questions)
    first = write_jsonl(tmp_path / "one.jsonl", said)
    second = write_jsonl(tmp_path / "two.jsonl", said)
    assert viva.audit(items=questions, answers=[first, second], resamples=200).summary["models"][
        "m"
    ]["n"] == 40  # fmt: skip
    said[3]["response"] = "Answer: C" if "C" not in said[3]["response"] else "Answer: A"
    write_jsonl(second, said)
    with pytest.raises(InputError, match=r"one\.jsonl and .*two\.jsonl.*contradict"):
        viva.audit(items=questions, answers=[first, second], resamples=200)


def test_unmatched_rows_are_counted_and_strict_refuses_them():
    questions = items(40)
    said = answers(questions)
    said.append(said[0] | {"item_id": "nowhere"})
    quality = viva.audit(items=questions, answers=said, resamples=200).summary["data_quality"]
    assert quality["unmatched_responses"] == 1
    assert any("nowhere" in e for row in quality["left_out"] for e in row["examples"])
    with pytest.raises(InputError, match="nowhere"):
        viva.audit(items=questions, answers=said, resamples=200, strict=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"benchmark": "nosuch"}, "unknown benchmark 'nosuch'"),
        ({"item_id": "x"}, "no response matches an item"),
    ],
)
def test_answers_that_fit_nothing_are_refused(change, message):
    questions = items(40)
    with pytest.raises(InputError, match=message):
        viva.audit(items=questions, answers=[a | change for a in answers(questions)])


@pytest.mark.parametrize(
    "settings",
    [
        {"threshold": 0.0},
        {"threshold": 1.5},
        {"text_view": "all"},
        {"resamples": 5},
        {"seed": -1},
        {"labels": "mine"},
    ],
)
def test_settings_out_of_range_are_refused(settings):
    questions = items(40)
    with pytest.raises(InputError):
        viva.audit(items=questions, answers=answers(questions), **settings)


def test_given_labels_asked_for_and_absent():
    questions = items(40, reasoning="none")
    with pytest.raises(InputError, match="no item has a stratum"):
        viva.audit(items=questions, answers=answers(questions), labels="given")


def test_nothing_half_written_when_it_fails(tmp_path):
    questions = items(40)
    out = tmp_path / "out"
    with pytest.raises(InputError):
        viva.audit(items=questions, answers=[{"benchmark": "made"}], out=out)
    assert not out.exists()


def test_duplicates_widen_the_interval():
    """Every item four times: the same accuracy, an interval about twice as wide."""
    questions = items(100)
    copies = [q | {"item_id": f"{q['item_id']}-{c}"} for c in range(4) for q in questions]
    said = answers(questions, seed=5)
    copied = [a | {"item_id": f"{a['item_id']}-{c}"} for c in range(4) for a in said]
    one = viva.audit(items=questions, answers=said).summary["models"]["m"]
    four = viva.audit(items=copies, answers=copied).summary["models"]["m"]
    assert four["accuracy"] == pytest.approx(one["accuracy"])
    assert four["high"] - four["low"] == pytest.approx(one["high"] - one["low"], rel=0.1)


@pytest.mark.slow
def test_sample_is_the_real_result(sample):
    result, out = sample
    summary = result.summary
    assert len(summary["models"]) == 8
    assert summary["models"]["gpt-4o"]["n"] == 7966
    assert summary["models"]["claude-3-5-sonnet"]["n"] == 7964
    assert summary["models"]["gpt-35-turbo-16k/cot"]["n"] == 7045
    assert summary["benchmarks"]["pubmedqa"]["in_domain"] is False
    assert not any(
        "pubmedqa" in gap["benchmarks"]
        for model in summary["models"].values()
        for gap in model["gap"].values()
    )
    assert len(summary["comparisons"]) == 4 * 28
    assert (out / "report.html").stat().st_size <= 6_000_000


@pytest.mark.slow
def test_sample_shows_that_pooling_overstates(sample):
    """The finding the tool exists for: pooled gaps of the six models are far below 0."""
    models = sample[0].summary["models"]
    six = [m for name, m in models.items() if not name.startswith("gpt-35")]
    assert all(m["gap"]["pooled"]["high"] < -5 for m in six)
    assert all(m["gap"]["within"]["estimate"] > m["gap"]["pooled"]["estimate"] + 5 for m in six)
