"""Confidence measures: reference implementations, tables by hand, known truth, frames."""

from __future__ import annotations

import importlib.util
import itertools
import json
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, roc_auc_score

from viva.analysis import (
    answer_signals,
    confidence_change,
    measure_confidence,
    rank_by_signal,
    summarise_confidence,
    summarise_confidence_change,
)
from viva.errors import InputError
from viva.records import Choice, Item, Response, items_frame, responses_frame
from viva.scoring import score_responses
from viva.strata.metrics import debiased_ece

RUNS = 60


@pytest.fixture(scope="module")
def bench(root):
    path = root / "bench/coverage_confidence.py"
    spec = importlib.util.spec_from_file_location("bench_coverage_confidence", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def drawn(n: int, seed: int = 0, decimals: int = 6):
    rng = np.random.default_rng(seed)
    sure = rng.beta(4, 2, n).round(decimals)
    return sure, (rng.random(n) < 0.2 + 0.6 * sure).astype(float)


# References --------------------------------------------------------------------------------


@pytest.mark.parametrize("decimals", [6, 1])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_equal_to_scikit_learn(seed, decimals):
    sure, right = drawn(400, seed, decimals)
    found = measure_confidence(sure, right, resamples=50)
    assert found.brier.score.estimate == pytest.approx(brier_score_loss(right, sure))
    assert found.ranking.auroc_pooled.estimate == pytest.approx(roc_auc_score(right, sure))
    accuracy, confidence = calibration_curve(right, sure, n_bins=10)
    table = found.equal_width.bins
    assert [b.accuracy for b in table] == pytest.approx(list(accuracy))
    assert [b.confidence for b in table] == pytest.approx(list(confidence))
    size = np.array([b.n for b in table])
    assert size.sum() == 400
    ece = size @ np.abs(accuracy - confidence) / 400
    assert found.equal_width.ece.estimate == pytest.approx(ece)
    assert found.equal_width.max_error == pytest.approx(np.abs(accuracy - confidence).max())
    quantiles = calibration_curve(right, sure, n_bins=10, strategy="quantile")
    if decimals == 6:  # without ties both cut ranks into equal parts
        assert [b.accuracy for b in found.equal_mass.bins] == pytest.approx(list(quantiles[0]))


def test_equal_mass_bins_hold_equal_numbers_and_do_not_split_ties():
    sure, right = drawn(1000)
    table = measure_confidence(sure, right, resamples=20).equal_mass.bins
    assert [b.n for b in table] == [100] * 10
    sure, right = drawn(1000, decimals=1)
    table = measure_confidence(sure, right, resamples=20).equal_mass.bins
    assert all(a.high < b.low for a, b in itertools.pairwise(table))


def test_debiased_as_in_the_splitter_metrics():
    """The room of strata measures top labels of two classes over 0.5..1: the same bins, halved."""
    rng = np.random.default_rng(3)
    p = rng.random(500)
    label = rng.random(500) < p
    sure, right = np.maximum(p, 1 - p), (label == (p >= 0.5)).astype(float)
    found = measure_confidence(sure, right, bins=20, resamples=20)
    theirs = debiased_ece(label, p, bins=10)
    assert found.equal_width.ece_debiased.estimate == pytest.approx(theirs)


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_murphys_parts_add_up(seed):
    sure, right = drawn(60, seed, 1)
    found = measure_confidence(sure, right, resamples=5).brier
    whole = found.reliability - found.resolution + found.uncertainty + found.within
    assert found.score.estimate == pytest.approx(whole)
    assert found.within == pytest.approx(0, abs=1e-12)  # ten values at most: bins are values
    assert min(found.reliability, found.resolution, found.uncertainty) >= 0


def aurc_by_enumeration(signal, right):
    """Mean over coverages of the risk, ties by the mean over many random orders."""
    rng = np.random.default_rng(0)
    out = []
    for _ in range(3000):
        order = np.lexsort((rng.random(len(signal)), -signal))
        out.append(np.mean(np.cumsum(1 - right[order]) / np.arange(1, len(signal) + 1)))
    return np.mean(out)


def test_risk_coverage():
    sure, right = drawn(60, 4, 1)
    found = rank_by_signal(sure, right).risk_coverage
    assert found.aurc.estimate == pytest.approx(aurc_by_enumeration(sure, right), abs=2e-3)
    sure, right = drawn(300, 5)
    found = rank_by_signal(sure, right, coverages=(0.5, 1.0)).risk_coverage
    order = np.argsort(-sure)
    assert found.aurc.estimate == pytest.approx(
        np.mean(np.cumsum(1 - right[order]) / np.arange(1, 301))
    )
    assert found.selective["0.5"].estimate == pytest.approx(right[order][:150].mean())
    assert found.selective["1"].estimate == pytest.approx(right.mean())
    assert found.curve[-1] == (1.0, pytest.approx(1 - right.mean()))
    low, high = stats.binomtest(int(right.sum()), 300).proportion_ci(method="wilson")
    assert found.selective["1"].low == pytest.approx(low, abs=1e-3)
    assert found.selective["1"].high == pytest.approx(high, abs=1e-3)


def test_the_interval_of_the_area_is_that_of_a_bootstrap():
    sure, right = drawn(400, 6)
    found = rank_by_signal(sure, right).risk_coverage.aurc
    rng = np.random.default_rng(0)
    areas = []
    for _ in range(1500):
        at = rng.integers(400, size=400)
        order = np.argsort(-sure[at], kind="stable")
        areas.append(np.mean(np.cumsum(1 - right[at][order]) / np.arange(1, 401)))
    low, high = np.quantile(areas, [0.025, 0.975])
    assert found.high - found.low == pytest.approx(high - low, rel=0.1)


def test_copies_of_answers_tell_nothing_new():
    sure, right = drawn(200, 7)
    one = rank_by_signal(sure, right)
    four = rank_by_signal(
        np.repeat(sure, 4), np.repeat(right, 4), cluster=np.repeat(np.arange(200), 4)
    )
    for a, b in ((one.auroc, four.auroc), (one.risk_coverage.aurc, four.risk_coverage.aurc)):
        assert b.estimate == pytest.approx(a.estimate, abs=0.01)
        assert b.high - b.low == pytest.approx(a.high - a.low, rel=0.1)


# Edges -------------------------------------------------------------------------------------


def test_edges():
    sure = np.full(50, 0.9)
    found = measure_confidence(sure, np.ones(50), resamples=200)
    assert found.ranking.auroc.estimate is None
    assert "fewer than 10" in found.ranking.auroc.reason
    assert found.equal_width.ece.estimate == pytest.approx(0.1)
    assert found.ranking.risk_coverage.aurc.estimate == 0
    assert found.ranking.risk_coverage.aurc.high > 0
    empty = measure_confidence([], [])
    assert empty.equal_mass.ece.reason == empty.brier.score.reason == "no answer carries the signal"
    few = rank_by_signal(sure[:8], np.ones(8)).risk_coverage.selective["0.5"]
    assert few.reason == "fewer than 10 answers"
    for bad in ({"confidence": [1.2], "right": [1]}, {"confidence": [0.5], "right": [np.nan]},
                {"confidence": [np.nan], "right": [1]}, {"confidence": [0.5], "right": [1, 0]},
                {"confidence": [0.5], "right": [1], "bins": 0},
                {"confidence": [0.5], "right": [1], "coverages": (0,)}):  # fmt: skip
        with pytest.raises(InputError):
            measure_confidence(bad.pop("confidence"), bad.pop("right"), **bad)


def test_change_by_hand():
    found = confidence_change(
        [0.9, 0.8, 0.5, np.nan], [0.7, 0.8, 0.4, 0.3], [1, 1, 0, 0], [0, 1, 1, 0], resamples=200
    )
    assert (found.n, found.without_signal) == (3, 1)
    assert found.change.estimate == pytest.approx(-10)
    assert found.lost.estimate == pytest.approx(-20)
    assert found.kept_right.estimate == 0
    assert found.gained.estimate == pytest.approx(-10)
    assert found.kept_wrong.reason == "no such pair carries the signal"
    with pytest.raises(InputError):
        confidence_change([2], [0.1], [1], [1])


# Known truth -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["overconfident, 300", "votes of five, 400", "4 samples, 150 items", "confidence drops"],
)
def test_intervals_hold_the_truth(bench, name):
    intervals, _ = bench.measure(bench.settings(200)[name], RUNS)
    for what, tally in intervals.items():
        assert tally.runs == RUNS
        assert 0.93 - 3 * np.sqrt(0.95 * 0.05 / RUNS) <= tally.coverage, what


def test_a_calibrated_model_shows_no_error(bench):
    intervals, _ = bench.measure(bench.settings(200)["calibrated, 500"], 40)
    assert intervals["ece"].coverage >= 0.85


# Frames ------------------------------------------------------------------------------------


def frames(n: int = 60):
    rng = np.random.default_rng(0)
    items = items_frame(
        Item("b", f"{i}", f"q {i}", ("ketamine", "aspirin"), Choice(0),
             stratum="reasoning" if i % 2 else "knowledge")
        for i in range(n)
    )  # fmt: skip
    made = []
    for i in range(n):
        right, sure = rng.random() < 0.7, round(0.5 + 0.5 * rng.random(), 3)
        letter = "A" if right else "B"
        made.append(
            Response("b", f"{i}", "m", text=f"Answer: {letter}\nConfidence: {sure}",
                     confidence=None if i == 0 else 1.7 if i == 1 else sure,
                     probabilities=(sure, 1 - sure), output_tokens=100 + i)
        )  # fmt: skip
        made.append(
            Response("b", f"{i}", "m", text="Answer: B", probe="cue", confidence=sure - 0.2)
        )
    made[-2] = Response(
        "b", f"{n - 1}", "m", text="I cannot choose.", confidence=0.4, output_tokens=9
    )
    return items, responses_frame(made)


def test_summary_from_frames():
    items, responses = frames()
    scores = score_responses(items, responses)
    found = summarise_confidence(responses, scores, items, resamples=50)
    assert found["n"] == 60
    assert found["unit"] == "output_tokens"
    signals = found["signals"]
    assert set(signals) == {"confidence", "probability", "verbal", "length"}
    assert (signals["confidence"]["n"], signals["confidence"]["without"]) == (58, 2)
    assert signals["confidence"]["invalid"] == 1
    assert signals["verbal"]["n"] == 59
    assert signals["probability"]["n"] == 59  # nothing was read of one answer
    assert set(signals["length"]["all"]) == {"auroc", "auroc_pooled", "risk_coverage"}
    assert signals["confidence"]["strata"]["reasoning"]["n"] == 29
    assert signals["confidence"]["overconfidence_gap"]["estimate"] is not None
    assert set(signals["verbal"]["benchmarks"]) == {"b"}
    json.dumps(found, allow_nan=False)
    table, unit = answer_signals(responses, scores.filter(scores["probe"].is_null()))
    assert unit == "output_tokens"
    read = scores.filter(scores["probe"].is_null())["read"]
    chance = [p[0] if r == "A" else p[1] for r, p in zip(
        read[:-1], responses.filter(responses["probe"].is_null())["probabilities"][:-1], strict=True
    )]  # fmt: skip
    assert table["probability"][:-1].to_list() == chance


def test_change_from_frames():
    items, responses = frames()
    scores = score_responses(items, responses)
    found = summarise_confidence_change(responses, scores, items, resamples=50)
    change = found["cue"]["confidence"]
    assert change["n"] == 57 + 1
    assert change["change"]["estimate"] < -15
    assert change["p"] < 1e-3
    assert set(found["cue"]) == {"confidence"}
    json.dumps(found, allow_nan=False)


def test_several_subjects_are_refused():
    items, responses = frames(4)
    both = responses.vstack(responses.with_columns(model=responses["model"] + "2"))
    with pytest.raises(InputError, match="several subjects"):
        summarise_confidence(both, score_responses(items, both))
