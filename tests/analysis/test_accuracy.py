import numpy as np
import pytest

from viva.analysis import accuracies, graded, share, stream, wilson


def table_of(**more):
    rng = np.random.default_rng(0)
    values = (rng.random((2, 300)) < 0.7) * 1.0
    values[0, :30] = np.nan
    return graded(
        ["x", "y"],
        values,
        benchmark=np.repeat(["p", "q", "r"], 100),
        stratum=np.concatenate([np.tile([0, 1], 100), np.full(100, -1)]),
        **more,
    )


def test_shares_are_wilsons():
    table = table_of()
    found = accuracies(table, "x")
    y = table.values[0]
    for got, kept in (
        (found.all, ~np.isnan(y)),
        (found.knowledge, ~np.isnan(y) & (table.stratum == 0)),
        (found.benchmarks["q"]["reasoning"], (np.arange(300) // 100 == 1) & (table.stratum == 1)),
    ):
        low, high = wilson(y[kept].sum(), kept.sum())
        assert (got.n, got.accuracy) == (kept.sum(), pytest.approx(y[kept].mean()))
        assert (got.low, got.high, got.method) == (low, high, "wilson")
    assert found.benchmarks["p"]["all"].n == 70
    assert found.benchmarks["r"]["knowledge"].n == 0
    assert found.benchmarks["r"]["knowledge"].accuracy is None


def test_out_of_domain_benchmarks_have_a_table_but_no_part_in_the_strata():
    found = accuracies(table_of(in_domain=np.arange(300) >= 100), "y")
    assert found.benchmarks["p"]["reasoning"].n == 50
    assert found.reasoning.n == 50
    assert found.all.n == 300


def test_copies_do_not_narrow_a_share():
    y = np.repeat([1.0, 0.0], [60, 20])
    once = share(y, np.arange(80), generator=stream(0))
    twice = share(np.tile(y, 2), np.tile(np.arange(80), 2), generator=stream(0))
    assert twice.method == "bootstrap"
    assert twice.n == 160
    assert (twice.low, twice.high) == pytest.approx((once.low, once.high), abs=0.02)


def test_averages_over_samples_use_the_bootstrap():
    rng = np.random.default_rng(1)
    y = rng.binomial(5, 0.6, 200) / 5
    found = share(y, np.arange(200), generator=stream(0))
    assert found.method == "bootstrap"
    assert found.high - found.low == pytest.approx(2 * 1.96 * y.std() / 200**0.5, rel=0.08)
