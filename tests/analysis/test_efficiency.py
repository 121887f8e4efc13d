"""Length, tokens and cost against scikit-learn, brute force and known truth."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from viva._summary import Efficiency
from viva.analysis.efficiency import length_auroc, length_bins, pareto, summarise_efficiency
from viva.records import Response, Score, Status, responses_frame, scores_frame


def plain(length: np.ndarray, right: np.ndarray, benchmark: np.ndarray) -> float:
    wins = pairs = 0.0
    for i in np.flatnonzero(~right):
        for j in np.flatnonzero(right):
            if benchmark[i] == benchmark[j]:
                wins += (length[i] > length[j]) + 0.5 * (length[i] == length[j])
                pairs += 1
    return wins / pairs


@given(st.integers(0, 10_000))
def test_auroc_equals_counting_pairs_inside_benchmarks(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 80
    length = rng.integers(1, 30, n).astype(float)
    right = rng.random(n) < 0.5
    benchmark = rng.integers(0, 3, n)
    found = length_auroc(length, right, benchmark, np.arange(n))
    assert found is not None
    assert found.estimate == pytest.approx(plain(length, right, benchmark))
    assert 0 <= found.low <= found.estimate <= found.high <= 1


def test_auroc_of_one_benchmark_equals_scikit_learn_and_delong() -> None:
    rng = np.random.default_rng(0)
    length, right = rng.normal(size=300), rng.random(300) < 0.6
    length[~right] += 0.7
    found = length_auroc(length, right, np.zeros(300, int), np.arange(300))
    assert found is not None
    assert found.estimate == pytest.approx(roc_auc_score(~right, length))
    # DeLong's variance from its definition, and the logit interval.
    kernel = length[~right][:, None] > length[right][None, :]
    variance = (
        kernel.mean(axis=1).var(ddof=1) / (~right).sum()
        + kernel.mean(axis=0).var(ddof=1) / right.sum()
    )
    a = found.estimate
    reach = 1.959964 * np.sqrt(variance) / (a * (1 - a))
    low, high = 1 / (1 + np.exp(-(np.log(a / (1 - a)) + np.array([-reach, reach]))))
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-6)


@pytest.mark.parametrize(("shift", "samples"), [(0.0, 1), (0.8, 1), (0.8, 3), (1.6, 1)])
def test_auroc_interval_covers_the_truth(shift: float, samples: int) -> None:
    # Log-normal lengths; two benchmarks of different length and accuracy; where there are
    # several samples, those of one item share half of their variance and often the outcome.
    from scipy.stats import norm

    rng = np.random.default_rng(4)
    items = 120 if samples > 1 else 250
    truth, covered = norm.cdf(shift / np.sqrt(2)), 0
    benchmark = np.repeat(np.arange(items) % 2, samples)
    cluster = np.repeat(np.arange(items), samples)
    for _ in range(2000):
        ease = np.where(np.arange(items) % 2, 0.8, 0.4)
        if samples > 1:
            ease = rng.beta(4 * ease, 4 * (1 - ease))
        right = rng.random(items * samples) < np.repeat(ease, samples)
        noise = np.sqrt(0.5) * (
            np.repeat(rng.normal(size=items), samples) + rng.normal(size=items * samples)
        )
        if samples == 1:
            noise = rng.normal(size=items)
        length = np.exp(noise + shift * ~right + 2 * benchmark)
        found = length_auroc(length, right, benchmark, cluster)
        assert found is not None
        covered += found.low <= truth <= found.high
    # (One pair in 60 is of one item, where the shared noise cancels: too few to move the truth.)
    assert 0.93 <= covered / 2000 <= 0.97


def test_auroc_at_its_ends_and_where_there_is_too_little() -> None:
    right = np.arange(40) < 20
    zeros = np.zeros(40, int)
    found = length_auroc(np.where(right, 1.0, 2.0), right, zeros, np.arange(40))
    assert found is not None and found.estimate == 1 and 0.8 < found.low < 0.9
    ties = length_auroc(np.ones(40), right, zeros, np.arange(40))
    assert ties is not None and ties.estimate == 0.5 and ties.low < 0.5 < ties.high
    assert length_auroc(np.arange(40.0), np.arange(40) < 5, zeros, np.arange(40)) is None
    apart = (np.arange(40) < 20).astype(int)  # every benchmark all right or all wrong
    assert length_auroc(np.arange(40.0), right, apart, np.arange(40)) is None


def test_composition_alone_makes_no_trend() -> None:
    # A short easy benchmark and a long hard one; inside each, length says nothing.
    rng = np.random.default_rng(5)
    benchmark = np.repeat([0, 1], 5000)
    length = rng.lognormal(5 + 2 * benchmark, 0.5)
    right = rng.random(10_000) < np.where(benchmark, 0.3, 0.9)
    found = length_auroc(length, right, benchmark, np.arange(10_000))
    assert found is not None and found.low < 0.5 < found.high
    bins = length_bins(length, right, benchmark, np.arange(10_000))
    assert len(bins) == 10
    accuracies = [one["accuracy"] for one in bins]
    assert max(accuracies) - min(accuracies) < 0.08
    assert roc_auc_score(~right, length) > 0.75  # what a pooled curve would have claimed


@given(
    st.lists(
        st.tuples(st.integers(1, 9), st.booleans(), st.integers(0, 2)), min_size=1, max_size=300
    )
)
def test_bins_hold_every_response_once_in_order(rows: list[tuple[int, bool, int]]) -> None:
    length, right, benchmark = (np.array(column) for column in zip(*rows, strict=True))
    bins = length_bins(length.astype(float), right, benchmark, np.arange(len(rows)))
    assert sum(one["n"] for one in bins) == len(rows)
    # Bins hold equal shares; their n is rounded to whole responses.
    total = sum(one["n"] * one["accuracy"] for one in bins)
    assert total == pytest.approx(right.sum(), abs=0.5 * len(bins) + 1e-9)
    for one, following in pairwise(bins):
        assert one["low"] <= one["high"] <= following["low"] + 1e-9
    for one in bins:
        assert 0 <= one["interval_low"] <= one["accuracy"] <= one["interval_high"] <= 1


def test_equal_lengths_do_not_bring_composition_back() -> None:
    # One benchmark answers always in 2 tokens, one mostly in 4: nothing to see.
    rng = np.random.default_rng(7)
    benchmark = np.repeat([0, 1], 3000)
    length = np.where(benchmark, np.where(np.arange(6000) % 20 < 17, 4.0, 9.0), 2.0)
    right = rng.random(6000) < np.where(benchmark, 0.2, 0.9)
    bins = length_bins(length, right, benchmark, np.arange(6000))
    assert [one["high"] for one in bins] == [3, 5.5, 5.5]
    assert [one["n"] for one in bins] == [4800, 600, 600]
    for one in bins:
        assert one["accuracy"] == pytest.approx(0.55, abs=0.05)


@pytest.mark.parametrize("tied", [False, True])
def test_bin_intervals_cover_the_truth(tied: bool) -> None:
    # P(right) falls with the rank of the length inside the benchmark; truth: its mean in a bin.
    rng = np.random.default_rng(8)
    n, covered, total = 400, 0, 0
    benchmark = np.arange(n) % 2
    for _ in range(2000):
        rank = rng.random(n)
        length = np.floor(4 * rank) if tied else rank + 5 * benchmark
        right = rng.random(n) < 0.85 - 0.5 * (np.floor(4 * rank) / 4 if tied else rank)
        bins = length_bins(length, right, benchmark, np.arange(n))
        if tied:
            # The first tenth holds only the shortest of four lengths, the last only the longest.
            truths = {0: 0.85, len(bins) - 1: 0.85 - 0.5 * 0.75}
        else:
            truths = {k: 0.85 - 0.5 * (k + 0.5) / 10 for k in range(10)}
        for k, truth in truths.items():
            covered += bins[k]["interval_low"] <= truth <= bins[k]["interval_high"]
            total += 1
    assert 0.93 <= covered / total <= 0.97


def rows_of(n: int, **columns: object) -> tuple[list[Response], list[Score]]:
    responses = [Response("b", str(i), "m", text="x" * (i + 1), **columns) for i in range(n)]  # type: ignore[arg-type]
    scores = [
        Score("b", str(i), "m", None, None, 0, "choice", Status.PARSED, "A", float(i < n // 2))
        for i in range(n)
    ]
    return responses, scores


def test_means_units_and_shape() -> None:
    responses, scores = rows_of(60, output_tokens=7, cost=0.5)
    found = summarise_efficiency(responses_frame(responses), scores_frame(scores))
    shape = Efficiency(**found)
    assert shape.unit == "output_tokens" and shape.output_tokens == 7 and shape.cost == 0.5
    assert shape.characters == pytest.approx(30.5) and shape.seconds is None
    assert shape.length_auroc == 0.5 and len(shape.bins) == 1 and shape.bins[0].accuracy == 0.5

    responses, scores = rows_of(60, reasoning="abc")
    shape = Efficiency(
        **summarise_efficiency(responses_frame(responses), scores_frame(scores[::-1]))
    )
    assert shape.unit == "characters" and shape.characters == pytest.approx(33.5)
    assert shape.length_auroc == 1
    assert [one.n for one in shape.bins] == [20, 20, 20]
    assert [one.accuracy for one in shape.bins] == [1, 0.5, 0]


def test_nothing_to_measure() -> None:
    scores = [Score("b", "1", "m", None, None, 0, "choice", Status.PARSED, "A", 1.0)]
    for responses in ([], [Response("b", "1", "m", prediction="A", already_read=True)]):
        shape = Efficiency(**summarise_efficiency(responses_frame(responses), scores_frame(scores)))
        assert shape.unit is None and shape.bins == [] and shape.length_auroc is None
        assert shape.characters is None


def test_samples_and_probes_are_joined_to_their_own_score() -> None:
    responses = [
        Response("b", "1", "m", text="x" * length, sample=sample, method=method)
        for sample, method, length in ((0, None, 1), (1, None, 2), (0, "cot", 3))
    ]
    scores = [
        Score("b", "1", "m", method, None, sample, "choice", Status.PARSED, "A", value)
        for sample, method, value in ((0, None, 1.0), (1, None, 0.0), (0, "cot", None))
    ]
    found = summarise_efficiency(responses_frame(responses), scores_frame(scores))
    assert found["bins"][0]["n"] == 2 and found["bins"][0]["accuracy"] == 0.5
    # Two samples of one item: the interval is that of one item.
    assert found["bins"][0]["interval_high"] - found["bins"][0]["interval_low"] > 0.75


@given(
    st.dictionaries(
        st.text(max_size=3),
        st.tuples(
            st.one_of(st.none(), st.integers(0, 5).map(float), st.just(float("nan"))),
            st.one_of(st.none(), st.integers(0, 5).map(float)),
        ),
        max_size=12,
    )
)
def test_pareto_equals_its_definition(points: dict[str, tuple[float | None, float | None]]) -> None:
    known = {
        name: (c, a)
        for name, (c, a) in points.items()
        if c is not None and a is not None and c == c
    }
    front = {
        name
        for name, (c, a) in known.items()
        if not any(d <= c and b >= a and (d < c or b > a) for d, b in known.values())
    }
    found = pareto(points)
    assert set(found) == front and len(found) == len(front)
    assert [known[name] for name in found] == sorted(known[name] for name in found)
