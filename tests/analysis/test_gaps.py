import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import StratifiedTable

from viva.analysis import (
    GAP_NAMES,
    LENGTH_RATIO,
    Confusion,
    SplitterErrors,
    benchmark_gaps,
    graded,
    headline_gaps,
    newcombe,
    reasoning_gaps,
)
from viva.errors import InputError

ERRORS = SplitterErrors(Confusion(180, 20, 190, 10))


def columns(n=900, seed=0, benchmarks=3):
    rng = np.random.default_rng(seed)
    p = rng.beta(0.7, 0.7, n)
    stratum = (p >= 0.5).astype(int)
    return {
        "values": (rng.random((1, n)) < 0.75 - 0.1 * stratum).astype(float),
        "benchmark": rng.choice([f"b{i}" for i in range(benchmarks)], n),
        "stratum": stratum,
        "p": p,
        "options": rng.choice([4, 5, 10], n),
        "words": np.exp(rng.normal(3 + 0.5 * stratum, 0.6, n)).astype(int) + 1,
    }


def table_of(data, **changes):
    data = {**data, **changes}
    return graded(["m"], data.pop("values"), **data)


def found_of(data, resamples=500, **changes):
    return reasoning_gaps(table_of(data, **changes), "m", errors=ERRORS, resamples=resamples)


def by_hand(data, y=None, size_weighted=False, cells=None):
    y = data["values"][0] if y is None else y
    cells = data["benchmark"] if cells is None else cells
    top = bottom = 0.0
    for cell in np.unique(cells):
        here = cells == cell
        r, k = y[here & (data["stratum"] == 1)], y[here & (data["stratum"] == 0)]
        if len(r) and len(k):
            w = len(r) + len(k) if size_weighted else len(r) * len(k) / (len(r) + len(k))
            top, bottom = top + w * (r.mean() - k.mean()), bottom + w
    return 100 * top / bottom


def test_estimates_equal_the_definitions():
    data = columns()
    y, p, s = data["values"][0], data["p"], data["stratum"]
    found = found_of(data)
    assert found["pooled"].estimate == pytest.approx(100 * (y[s == 1].mean() - y[s == 0].mean()))
    assert found["within"].estimate == pytest.approx(by_hand(data))
    assert found["within_size_weighted"].estimate == pytest.approx(
        by_hand(data, size_weighted=True)
    )
    score = (y - 1 / data["options"]) / (1 - 1 / data["options"])
    assert found["chance_corrected"].estimate == pytest.approx(by_hand(data, score))
    assert found["chance_corrected_pooled"].estimate == pytest.approx(
        100 * (score[s == 1].mean() - score[s == 0].mean())
    )
    edges = [1.0]
    while edges[-1] <= data["words"].max():
        edges.append(edges[-1] * LENGTH_RATIO)
    bins = np.searchsorted(edges, data["words"] * (1 + 1e-12), side="right")
    cells = np.char.add(data["benchmark"], bins.astype(str))
    assert found["length_matched"].estimate == pytest.approx(by_hand(data, cells=cells))
    slopes, weights = [], []
    for b in np.unique(data["benchmark"]):
        here = data["benchmark"] == b
        slopes.append(np.cov(y[here], p[here], ddof=0)[0, 1] / p[here].var())
        weights.append(here.sum() * p[here].var())
    assert found["soft"].estimate == pytest.approx(100 * np.average(slopes, weights=weights))


def test_within_equals_mantel_haenszel_of_statsmodels():
    data = columns()
    y, s = data["values"][0], data["stratum"]
    tables = [
        np.array(
            [[np.sum(here & (s == side) & (y == right)) for right in (1, 0)] for side in (1, 0)]
        )
        for here in (data["benchmark"] == b for b in np.unique(data["benchmark"]))
    ]
    n = np.array([t.sum() for t in tables])
    weights = np.array([t[0].sum() * t[1].sum() for t in tables]) / n
    difference = [t[0, 0] / t[0].sum() - t[1, 0] / t[1].sum() for t in tables]
    assert StratifiedTable(tables).oddsratio_pooled > 0  # the tables are what it expects
    assert found_of(data)["within"].estimate == pytest.approx(
        100 * np.average(difference, weights=weights)
    )


def test_soft_interval_is_near_the_robust_interval_of_statsmodels():
    data = columns(1500)
    dummies = (data["benchmark"][:, None] == np.unique(data["benchmark"])).astype(float)
    fit = sm.OLS(data["values"][0], np.column_stack([data["p"], dummies])).fit(cov_type="HC2")
    gap = found_of(data)["soft"]
    assert gap.estimate == pytest.approx(100 * fit.params[0])
    assert gap.high - gap.low == pytest.approx(2 * 1.96 * 100 * fit.bse[0], rel=0.01)


def test_soft_interval_follows_clusters():
    data = columns(600)
    once = found_of(data)["soft"]
    twice = found_of(
        {k: np.concatenate([v, v], axis=-1) for k, v in data.items()},
        cluster=np.tile(np.arange(600), 2),
    )["soft"]
    apart = found_of({k: np.concatenate([v, v], axis=-1) for k, v in data.items()})["soft"]
    assert (twice.low, twice.high) == pytest.approx((once.low, once.high))
    assert (apart.high - apart.low) < 0.75 * (once.high - once.low)


@pytest.mark.parametrize("name", [n for n in GAP_NAMES if n != "noise_corrected"])
def test_copies_of_every_item_as_clusters_leave_the_interval(name):
    data = columns(600)
    once = found_of(data)[name]
    twice = found_of(
        {k: np.concatenate([v, v], axis=-1) for k, v in data.items()},
        cluster=np.tile(np.arange(600), 2),
    )[name]
    assert (twice.estimate, twice.low, twice.high) == pytest.approx(
        (once.estimate, once.low, once.high), rel=1e-4, abs=1e-4
    )


@settings(max_examples=30)
@given(st.integers(0, 1000))
def test_order_of_items_does_not_matter(seed):
    data = columns(300, seed)
    order = np.random.default_rng(seed).permutation(300)
    one, two = found_of(data, 50), found_of({k: v[..., order] for k, v in data.items()}, 50)
    for name in GAP_NAMES:
        for part in ("estimate", "low", "high"):
            assert getattr(one[name], part) == pytest.approx(getattr(two[name], part), abs=1e-4)


@settings(max_examples=30)
@given(st.integers(0, 1000))
def test_swapping_the_strata_negates_every_gap(seed):
    data = columns(300, seed)
    one = found_of(data, 50)
    two = found_of(data, 50, stratum=1 - data["stratum"], p=1 - data["p"])
    for name in GAP_NAMES[:-1]:
        assert one[name].estimate == pytest.approx(-two[name].estimate)
        assert one[name].n == two[name].n
    assert (one["soft"].low, one["soft"].high) == pytest.approx(
        (-two["soft"].high, -two["soft"].low)
    )


def test_composition_alone_moves_pooled_only():
    rows = [(400, 40, 0.55), (60, 500, 0.85), (120, 100, 0.6)]
    benchmark = np.repeat([0, 1, 2], [r + k for r, k, _ in rows])
    stratum = np.concatenate([np.repeat([1, 0], [r, k]) for r, k, _ in rows])
    # Exactly the stated share right in every cell: nothing is left to chance.
    values = np.concatenate(
        [
            np.repeat([1.0, 0.0], [round(p * n), n - round(p * n)])
            for r, k, p in rows
            for n in (r, k)
        ]
    )
    table = graded(["m"], values[None], benchmark=benchmark, stratum=stratum)
    found = reasoning_gaps(table, "m", resamples=2000)
    assert found["pooled"].estimate == pytest.approx(-20, abs=0.2)
    assert found["pooled"].high < -10
    assert found["within"].estimate == pytest.approx(0, abs=1e-9)
    assert found["within"].low < 0 < found["within"].high


def test_models_and_order_of_calls_do_not_matter():
    data = columns()
    rng = np.random.default_rng(1)
    y = data.pop("values")
    alone = graded(["m"], y, **data)
    beside = graded(["x", "m"], np.concatenate([(rng.random(y.shape) < 0.5) * 1.0, y]), **data)
    reasoning_gaps(beside, "x", resamples=100)
    assert reasoning_gaps(alone, "m", resamples=100) == reasoning_gaps(beside, "m", resamples=100)
    assert reasoning_gaps(alone, "m", resamples=100, seed=1) != reasoning_gaps(
        alone, "m", resamples=100, seed=2
    )
    short = headline_gaps(alone, "m", resamples=100)
    assert short == {k: reasoning_gaps(alone, "m", resamples=100)[k] for k in short}


def test_small_benchmarks_are_left_out_with_a_reason():
    data = columns(400, benchmarks=2)
    tiny = columns(30, 5, 1)
    joined = {k: np.concatenate([v, tiny[k]], axis=-1) for k, v in data.items()}
    joined["benchmark"] = np.concatenate([data["benchmark"], np.repeat("tiny", 30)])
    found = found_of(joined)
    assert found["within"].benchmarks == ("b0", "b1")
    assert "20" in found["within"].left_out["tiny"]
    assert found["within"].n == 400
    assert found["pooled"].n == 430
    assert found["within"].smallest_cell == min(
        np.sum((data["benchmark"] == b) & (data["stratum"] == s))
        for b in ("b0", "b1")
        for s in (0, 1)
    )


def test_every_missing_estimate_has_a_reason():
    data = columns(60, benchmarks=3)
    bare = graded(["m"], data["values"], benchmark=data["benchmark"], stratum=data["stratum"])
    found = reasoning_gaps(bare, "m", resamples=50)
    assert set(found) == set(GAP_NAMES)
    for name, gap in found.items():
        if name != "pooled":
            assert gap.estimate is gap.low is gap.high is None, name
            assert gap.reason
    none = graded(["m"], data["values"], benchmark=data["benchmark"])
    assert all(g.reason for g in reasoning_gaps(none, "m", resamples=5).values())
    one = found_of(data, stratum=np.ones(60, int))
    assert one["pooled"].reason
    assert one["within"].reason
    with pytest.raises(InputError, match="no model"):
        reasoning_gaps(bare, "other")


def test_ungraded_and_out_of_domain_items_stay_out():
    data = columns()
    rng = np.random.default_rng(2)
    lost = rng.random(900) < 0.2
    values = np.where(lost, np.nan, data["values"])
    outside = rng.random(900) < 0.2
    one = found_of(data, values=values, in_domain=~outside)
    two = found_of({k: v[..., ~lost & ~outside] for k, v in data.items()})
    assert one == two


def test_noise_corrected_by_hand():
    data = columns(benchmarks=1)
    q = data["stratum"].mean()
    se, sp = 0.9, 0.95
    pi = (q + sp - 1) / (se + sp - 1)
    ppv, npv = se * pi / q, sp * (1 - pi) / (1 - q)
    found = found_of(data)
    assert found["noise_corrected"].estimate == pytest.approx(
        found["within"].estimate / (ppv + npv - 1)
    )
    assert found["noise_corrected"].high - found["noise_corrected"].low > (
        found["within"].high - found["within"].low
    )


def test_noise_corrected_uses_a_benchmarks_own_labels_from_fifty():
    data = columns(benchmarks=1)
    own = Confusion(16, 9, 15, 9)  # 49 labels
    few = SplitterErrors(ERRORS.overall, {"b0": own})
    enough = SplitterErrors(ERRORS.overall, {"b0": Confusion(17, 9, 15, 9)})
    table = table_of(data)
    general, same, other = (
        reasoning_gaps(table, "m", errors=e, resamples=200)["noise_corrected"]
        for e in (ERRORS, few, enough)
    )
    assert general == same
    assert other.estimate != general.estimate


def test_noise_corrected_says_when_it_is_not_identified():
    data = columns()
    given_labels = reasoning_gaps(table_of(data), "m", resamples=50)["noise_corrected"]
    assert "given" in given_labels.reason
    useless = SplitterErrors(Confusion(30, 30, 30, 30))
    gap = reasoning_gaps(table_of(data), "m", errors=useless, resamples=200)["noise_corrected"]
    assert gap.estimate is None
    assert "identif" in gap.reason
    assert set(gap.left_out) == {"b0", "b1", "b2"}


def test_gap_of_each_benchmark_is_newcombes():
    data = columns()
    found = benchmark_gaps(table_of(data), "m")
    here = data["benchmark"] == "b1"
    y, s = data["values"][0][here], data["stratum"][here]
    low, high = newcombe(y[s == 1].sum(), (s == 1).sum(), y[s == 0].sum(), (s == 0).sum())
    assert (found["b1"].low, found["b1"].high) == pytest.approx((100 * low, 100 * high))
    clustered = benchmark_gaps(table_of(data, cluster=np.arange(900) // 3), "m")["b1"]
    assert clustered.low < clustered.estimate == found["b1"].estimate < clustered.high
    only = benchmark_gaps(table_of(data, stratum=np.ones(900, int)), "m")["b1"]
    assert only.estimate is None
    assert only.reason


def test_effective_n_of_a_balanced_benchmark_is_its_n():
    stratum = np.repeat([0, 1], 100)
    table = graded(
        ["m"],
        np.tile([1.0, 0.0], 100)[None],
        benchmark=np.zeros(200),
        stratum=stratum,
        words=np.full(200, 30),
    )
    found = reasoning_gaps(table, "m", resamples=100)
    assert found["within"].effective_n == pytest.approx(200)
    assert found["length_matched"].effective_n == pytest.approx(200)


@pytest.mark.parametrize(
    "bad",
    [
        {"values": [[2.0]]},
        {"stratum": [7]},
        {"p": [1.5]},
        {"words": [-1]},
        {"benchmark": ["a", "b"]},
    ],
)
def test_bad_columns_are_refused(bad):
    good = {"values": [[1.0]], "benchmark": ["a"], "stratum": [1]}
    with pytest.raises(InputError):
        table_of(good, **bad)
    with pytest.raises(InputError):
        graded(["m", "m"], [[1.0], [0.0]], benchmark=["a"])


@settings(max_examples=60)
@given(st.integers(0, 100_000))
def test_any_table_gives_finite_numbers_or_a_reason(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 400))
    noise = rng.random((1, n))
    values = [(noise < 0.7) * 1.0, np.ones((1, n)), np.zeros((1, n)), np.round(noise * 4) / 4]
    chosen = np.where(rng.random((1, n)) < 0.5 * rng.random(), np.nan, values[seed % 4])
    p = rng.random(n) if rng.random() < 0.8 else np.full(n, 0.7)
    p[rng.random(n) < 0.3 * rng.random()] = np.nan
    clusters = [None, rng.integers(0, n // 3 + 1, n), np.zeros(n, int), rng.integers(0, 3, n)]
    table = graded(
        ["m"],
        chosen,
        benchmark=rng.integers(0, rng.integers(1, 6), n).astype(str),
        stratum=[np.where(p >= 0.5, 1, 0), rng.integers(-1, 2, n), np.ones(n, int)][seed % 3],
        p=p,
        options=rng.integers(0, 11, n),
        words=rng.integers(0, 200, n),
        cluster=clusters[rng.integers(0, 4)],
        in_domain=rng.random(n) < 0.9,
    )
    errors = SplitterErrors(
        Confusion(*rng.integers(0, 60, 4).tolist()),
        {"0": Confusion(*rng.integers(0, 60, 4).tolist())},
    )
    for gap in reasoning_gaps(table, "m", errors=errors, resamples=30).values():
        if gap.estimate is None:
            assert gap.reason
            assert gap.low is gap.high is None
        else:
            assert gap.reason is None
            assert np.isfinite([gap.low, gap.high]).all()
            assert gap.low <= gap.estimate <= gap.high
            assert gap.n >= gap.smallest_cell > 0
            assert gap.benchmarks
