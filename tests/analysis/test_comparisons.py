from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viva.analysis import (
    SCOPES,
    compare,
    compare_all,
    graded,
    holm,
    mcnemar_test,
    reasoning_gaps,
    sign_flip,
)
from viva.analysis.comparisons import verdict_of


def table_of(n=600, seed=0, models=2, cluster=None, better=0.08, **more):
    rng = np.random.default_rng(seed)
    stratum = rng.integers(0, 2, n)
    common = rng.random(n)
    mean = np.linspace(0.6, 0.6 + better, models)[:, None]
    values = (np.where(rng.random((models, n)) < 0.5, common, rng.random((models, n))) < mean) * 1.0
    return graded(
        [f"m{i}" for i in range(models)],
        values,
        benchmark=rng.integers(0, 3, n),
        stratum=stratum,
        cluster=cluster,
        **more,
    )


def test_numbers_equal_their_definitions():
    table = table_of()
    a, b = table.values
    rows = {c.scope: c for c in compare(table, "m0", "m1", resamples=2000)}
    assert tuple(rows) == SCOPES
    for scope, kept in (
        ("all", table.stratum >= 0),
        ("knowledge", table.stratum == 0),
        ("reasoning", table.stratum == 1),
    ):
        row = rows[scope]
        test = mcnemar_test(int(np.sum(a[kept] > b[kept])), int(np.sum(a[kept] < b[kept])))
        assert row.n == row.clusters == kept.sum()
        assert row.difference == pytest.approx(100 * (a[kept] - b[kept]).mean())
        assert row.p_mcnemar == pytest.approx(test.p)
        assert row.p_sign_flip == pytest.approx(test.p)
        assert row.p_mid == pytest.approx(test.p_mid)
        assert row.low < row.difference < row.high
    gaps = [reasoning_gaps(table, m, resamples=2)["within"].estimate for m in ("m0", "m1")]
    assert rows["gap"].difference == pytest.approx(gaps[0] - gaps[1])
    assert rows["gap"].p_mcnemar is None
    assert rows["gap"].reason
    assert 0 < rows["gap"].p_bootstrap <= 1


def test_interval_is_that_of_the_normal_approximation():
    table = table_of(3000)
    d = table.values[0] - table.values[1]
    row = compare(table, "m0", "m1", resamples=10_000)[0]
    half = 196 * d.std() / np.sqrt(len(d))
    assert row.high - row.low == pytest.approx(2 * half, rel=0.04)
    assert (row.high + row.low) / 2 == pytest.approx(row.difference, abs=0.05 * half)


@settings(max_examples=40)
@given(st.integers(0, 500), st.sampled_from([None, 3]))
def test_swapping_the_models_negates(seed, group):
    cluster = None if group is None else np.arange(240) // group
    table = table_of(240, seed, cluster=cluster)
    for one, two in zip(
        compare(table, "m0", "m1", resamples=60),
        compare(table, "m1", "m0", resamples=60),
        strict=True,
    ):
        flip = {"win": "loss", "loss": "win"}
        assert two == replace(
            one,
            a="m1",
            b="m0",
            difference=-one.difference,
            low=-one.high,
            high=-one.low,
            verdict=flip.get(one.verdict, one.verdict),
        )


@settings(max_examples=25)
@given(st.integers(0, 500))
def test_order_of_items_does_not_matter(seed):
    table = table_of(200, seed, cluster=np.arange(200) // 2)
    order = np.random.default_rng(seed).permutation(200)
    moved = graded(
        table.models,
        table.values[:, order],
        benchmark=table.benchmark[order],
        stratum=table.stratum[order],
        cluster=table.cluster[order],
    )
    for one, two in zip(
        compare(table, "m0", "m1", resamples=40),
        compare(moved, "m0", "m1", resamples=40),
        strict=True,
    ):
        assert (one.low, one.high, one.p_mid) == pytest.approx((two.low, two.high, two.p_mid))


def test_copies_as_clusters_leave_interval_and_test():
    table = table_of(300)
    twice = graded(
        table.models,
        np.tile(table.values, 2),
        benchmark=np.tile(table.benchmark, 2),
        stratum=np.tile(table.stratum, 2),
        cluster=np.tile(np.arange(300), 2),
    )
    for one, two in zip(
        compare(table, "m0", "m1", resamples=500),
        compare(twice, "m0", "m1", resamples=500),
        strict=True,
    ):
        assert (two.low, two.high) == pytest.approx((one.low, one.high), rel=1e-4)
        assert two.n == 2 * one.n
        assert two.clusters == one.clusters
        if one.scope != "gap":
            assert two.p_mid == pytest.approx(one.p_mid)
            assert two.mdd_80 == pytest.approx(one.mdd_80)
            assert two.p_mcnemar < one.p_mcnemar  # it takes the copies for evidence


def test_pairs_use_common_items_only():
    table = table_of(600)
    values = table.values.copy()
    values[0, :100], values[1, 50:200] = np.nan, np.nan
    part = graded(table.models, values, benchmark=table.benchmark, stratum=table.stratum)
    rest = graded(
        table.models, values[:, 200:], benchmark=table.benchmark[200:], stratum=table.stratum[200:]
    )
    assert compare(part, "m0", "m1", resamples=80) == compare(rest, "m0", "m1", resamples=80)
    values[1, 200:] = np.nan
    values[1, :50] = np.nan
    nothing = graded(table.models, values, benchmark=table.benchmark)
    assert all(
        c.n == 0 and c.difference is None and c.reason
        for c in compare(nothing, "m0", "m1", resamples=5)
    )


def test_items_outside_the_domain_count_in_all_only():
    table = table_of(600, in_domain=np.arange(600) >= 150)
    rows = {c.scope: c for c in compare(table, "m0", "m1", resamples=50)}
    assert rows["all"].n == 600
    assert rows["knowledge"].n + rows["reasoning"].n == 450
    bare = graded(table.models, table.values, benchmark=table.benchmark)
    rows = {c.scope: c for c in compare(bare, "m0", "m1", resamples=50)}
    assert rows["all"].difference is not None
    assert rows["knowledge"].difference is None
    assert "knowledge" in rows["knowledge"].reason
    assert "20" in rows["gap"].reason


def test_samples_averaged_per_item_have_no_mcnemar_but_a_sign_flip():
    rng = np.random.default_rng(0)
    values = rng.binomial(4, 0.6, (2, 300)) / 4
    table = graded(["x", "y"], values, benchmark=np.zeros(300), stratum=np.arange(300) % 2)
    row = compare(table, "x", "y", resamples=500)[0]
    assert row.p_mcnemar is None
    assert "samples" in row.reason
    assert row.p_sign_flip == pytest.approx(sign_flip(values[0] - values[1]).p)
    assert row.low < row.difference < row.high


def test_equal_answers_are_a_tie_only_with_enough_items():
    same = np.ones((2, 400))
    many = graded(["x", "y"], same, benchmark=np.zeros(400), stratum=np.zeros(400, int))
    few = graded(["x", "y"], same[:, :30], benchmark=np.zeros(30), stratum=np.zeros(30, int))
    assert compare(many, "x", "y", resamples=2000)[0].verdict == "tie"
    row = compare(few, "x", "y", resamples=2000)[0]
    assert row.verdict == "undecided"
    assert row.low < -2 < 2 < row.high
    assert row.p_mid == 1


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-1, 1, "tie"),
        (0.5, 1.9, "tie"),
        (0.5, 2.5, "win"),
        (-9, -1, "loss"),
        (-1, 2.5, "undecided"),
        (-2, 2, "tie"),
        (0, 3, "undecided"),
    ],
)
def test_verdicts(low, high, verdict):
    assert verdict_of(low, high) == verdict


def test_all_pairs_are_adjusted_per_scope():
    table = table_of(500, models=4, better=0.2)
    steps = []
    rows = compare_all(table, resamples=100, advance=steps.append)
    assert len(rows) == 6 * 4
    assert steps == [1] * 6
    for scope in SCOPES:
        of = [c for c in rows if c.scope == scope]
        raw = [c.p_bootstrap if scope == "gap" else c.p_mid for c in of]
        assert [c.p_holm for c in of] == holm(raw)
    alone = compare_all(table, pairs=[("m3", "m1")], resamples=100)
    same = next(c for c in rows if (c.a, c.b, c.scope) == ("m1", "m3", "all"))
    assert alone[0].low == -same.high
    assert alone[0].p_holm == alone[0].p_mid
