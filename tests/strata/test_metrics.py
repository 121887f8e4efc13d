from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, f1_score, roc_auc_score, roc_curve

from viva.strata._bootstrap import Pairs, draws, interval
from viva.strata.metrics import (
    auroc,
    balanced_accuracy,
    debiased_ece,
    ece,
    length_matched_auroc,
    macro_f1,
    youden,
)


def labelled(n, seed=0, ties=False):
    rng = np.random.default_rng(seed)
    truth = rng.random(n) < 0.4
    p = np.clip(0.4 + 0.2 * truth + rng.normal(0, 0.25, n), 0, 1)
    return truth, np.round(p, 1) if ties else p, rng.integers(5, 200, n)


@pytest.mark.parametrize("ties", [False, True])
def test_measures_equal_scikit_learn(ties):
    truth, p, _ = labelled(300, ties=ties)
    assert auroc(truth, p) == pytest.approx(roc_auc_score(truth, p))
    assert macro_f1(truth, p >= 0.5) == pytest.approx(f1_score(truth, p >= 0.5, average="macro"))
    expected = balanced_accuracy_score(truth, p >= 0.5)
    assert balanced_accuracy(truth, p >= 0.5) == pytest.approx(expected)
    fpr, tpr, _ = roc_curve(truth, p)
    cut = youden(truth, p)
    reached = np.mean(p[truth] >= cut) - np.mean(p[~truth] >= cut)
    assert reached == pytest.approx((tpr - fpr).max())


def by_pairs(truth, p, words):
    won = pairs = 0.0
    for i in np.flatnonzero(truth):
        for j in np.flatnonzero(~truth):
            if max(words[i], words[j]) <= 1.15 * min(words[i], words[j]):
                pairs += 1
                won += 1.0 if p[i] > p[j] else 0.5 if p[i] == p[j] else 0.0
    return won / pairs if pairs else float("nan")


@given(st.integers(0, 10_000), st.booleans())
def test_length_matched_auroc_equals_counting_pairs(seed, ties):
    truth, p, words = labelled(40, seed, ties)
    expected = by_pairs(truth, p, words)
    assert length_matched_auroc(truth, p, words) == pytest.approx(expected, nan_ok=True)
    assert Pairs(truth, words, 1.15).value(p) == pytest.approx(expected, nan_ok=True, abs=1e-6)


def test_length_alone_is_worthless_at_equal_length():
    truth, _, words = labelled(800)
    words = words + 80 * truth
    score = words.astype(float)
    assert auroc(truth, score) > 0.7
    assert abs(length_matched_auroc(truth, score, words) - 0.5) < 0.08


def test_weighted_pairs_equal_repeated_items():
    truth, p, words = labelled(60)
    counts = draws(60, 3, seed=1)
    every, matched = Pairs(truth, words), Pairs(truth, words, 1.15)
    for b in range(3):
        at = np.repeat(np.arange(60), counts[b].astype(int))
        assert every.resampled(p, counts)[b] == pytest.approx(
            roc_auc_score(truth[at], p[at]), abs=1e-5
        )
        assert matched.resampled(p, counts)[b] == pytest.approx(
            by_pairs(truth[at], p[at], words[at]), abs=1e-5
        )


def test_ece_of_known_bins():
    p = np.array([0.9] * 10 + [0.3] * 10)
    truth = np.array([True] * 8 + [False] * 2 + [True] * 3 + [False] * 7)
    # 0.9 said, 0.8 right; 0.7 said (knowledge), 0.7 right.
    assert ece(truth, p) == pytest.approx(0.05)


def test_debiasing_takes_away_what_sampling_adds():
    rng = np.random.default_rng(0)
    raw, debiased = [], []
    for _ in range(200):
        p = rng.random(400)
        truth = rng.random(400) < p
        raw.append(ece(truth, p))
        debiased.append(debiased_ece(truth, p))
    assert np.mean(raw) > 0.04
    assert np.mean(debiased) < 0.65 * np.mean(raw)


def test_debiased_ece_finds_a_true_error():
    rng = np.random.default_rng(0)
    p = rng.random(20_000)
    truth = rng.random(20_000) < np.clip(0.5 + (p - 0.5) * 0.6, 0, 1)
    # The top label is 0.4 (confidence - 0.5) too sure: 0.1 on average.
    assert debiased_ece(truth, p) == pytest.approx(0.1, abs=0.01)


def test_one_class_has_no_ranking():
    truth = np.ones(5, bool)
    p = np.linspace(0, 1, 5)
    assert np.isnan(auroc(truth, p))
    assert np.isnan(length_matched_auroc(truth, p, np.arange(5) + 1))
    assert np.isnan(balanced_accuracy(truth, p > 0.5))


def test_interval_ignores_resamples_without_a_number():
    low, high = interval(np.array([np.nan, *np.linspace(0, 1, 101)]))
    assert (low, high) == pytest.approx((0.025, 0.975))
    assert all(np.isnan(interval(np.array([np.nan]))))
