import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, kstest

from viva.analysis import cell_mean_draws, patterns, percentile_interval, stream
from viva.errors import InputError


def draws_of(cell, value, cluster, *, cells, resamples=4000, seed=0, **more):
    found = patterns(cell, value, cluster, cells=cells, **more)
    return cell_mean_draws(found, resamples=resamples, generator=stream(seed, "test"))


def some(n=400, seed=1):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 3, n), (rng.random(n) < 0.7).astype(float), rng.integers(0, n // 2, n)


def test_separate_binary_items_are_two_patterns_per_cell():
    cell, value, _ = some()
    found = patterns(cell, value, np.arange(400), cells=3)
    assert len(found.weight) == 6
    # The prior adds one item per cell, half right and half wrong.
    np.testing.assert_allclose(
        found.size.T @ (found.weight * found.shape), np.bincount(cell) + 1, rtol=1e-12
    )


def test_one_cell_is_jeffreys_interval():
    value = np.repeat([1.0, 0.0], [27, 3])
    drawn = draws_of(np.zeros(30, int), value, np.arange(30), cells=1, resamples=20_000)[0]
    assert kstest(drawn, beta(27.5, 3.5).cdf).pvalue > 0.001


def test_all_right_keeps_a_width():
    drawn = draws_of(np.zeros(20, int), np.ones(20), np.arange(20), cells=1)[0]
    low, high = percentile_interval(drawn, 1.0)
    assert 0.85 < low < 0.92
    assert high == 1.0


def test_equal_to_index_gather_of_clusters():
    """The classic cluster bootstrap, one index per cluster, gives the same interval."""
    cell, value, cluster = some(2000)
    _, cluster = np.unique(cluster, return_inverse=True)
    rng = np.random.default_rng(0)
    groups = cluster.max() + 1
    size = np.zeros((groups, 3))
    total = np.zeros((groups, 3))
    np.add.at(size, (cluster, cell), 1)
    np.add.at(total, (cluster, cell), value)
    gathered = np.empty((4000, 3))
    for r in range(4000):
        index = rng.integers(0, groups, groups)
        gathered[r] = total[index].sum(0) / size[index].sum(0)
    drawn = draws_of(cell, value, cluster, cells=3)
    for weights in ([1, 0, 0], [0.2, 0.3, 0.5], [1, -1, 0]):
        theirs, ours = gathered @ weights, np.array(weights) @ drawn
        error = np.sqrt(0.025 * 0.975 / 4000) / 0.0584 * theirs.std() * np.sqrt(2)
        for q in (0.025, 0.975):
            assert abs(np.quantile(theirs, q) - np.quantile(ours, q)) < 4 * error
        assert ours.std() == pytest.approx(theirs.std(), rel=0.06)


@given(st.integers(0, 10_000))
def test_order_of_items_and_names_of_clusters_do_not_matter(seed):
    cell, value, cluster = some(60, seed)
    rng = np.random.default_rng(seed)
    order = rng.permutation(60)
    names = rng.permutation(60)
    one = draws_of(cell, value, cluster, cells=3, resamples=50)
    two = draws_of(cell[order], value[order], names[cluster][order], cells=3, resamples=50)
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("copies", [2, 5])
def test_copies_of_every_item_change_nothing(copies):
    cell, value, cluster = some()
    for owner in (np.arange(400), cluster):
        once = draws_of(cell, value, owner, cells=3)
        often = draws_of(*(np.tile(x, copies) for x in (cell, value, owner)), cells=3)
        np.testing.assert_allclose(once, often, rtol=1e-5)


def test_variance_is_unbiased_in_small_cells():
    """Twenty items per cell: the plain bootstrap would lack a twentieth of the variance."""
    rng = np.random.default_rng(2)
    cells, n = 40, 20
    cell = np.repeat(np.arange(cells), n)
    weights = np.full(cells, 1 / cells)
    spread, means = [], []
    for run in range(150):
        value = (rng.random(cells * n) < 0.7).astype(float)
        found = draws_of(
            cell, value, np.arange(cells * n), cells=cells, prior=1 / cells, resamples=400, seed=run
        )
        spread.append((weights @ found).var())
        means.append((weights @ found).mean() - value.mean())
    assert np.mean(spread) == pytest.approx(0.21 / (cells * n), rel=0.04)
    assert abs(np.mean(means)) < 0.001


def test_streams_depend_on_seed_and_names_only():
    one = stream(3, "gap", "model-a").random(4)
    stream(3, "gap", "model-b").random(4)
    np.testing.assert_array_equal(one, stream(3, "gap", "model-a").random(4))
    assert not np.array_equal(one, stream(4, "gap", "model-a").random(4))
    assert not np.array_equal(one, stream(3, "gapm", "odel-a").random(4))


def test_memory_stays_bounded_for_many_different_clusters():
    import tracemalloc

    rng = np.random.default_rng(4)
    n = 6000
    cell, value = rng.integers(0, 8, n), rng.random(n)
    tracemalloc.start()
    draws_of(cell, value, np.arange(n) // 3, cells=8, resamples=2000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6  # an index or weight matrix would take 2000 x 2000 x 4 = 16 MB alone


def test_empty_cells_and_bad_settings():
    drawn = draws_of([0, 0, -1], [1, 0, 1], [0, 1, 2], cells=2, resamples=10)
    assert np.isfinite(drawn[0]).all()
    assert np.isnan(drawn[1]).all()
    with pytest.raises(InputError):
        draws_of([0], [1], [0], cells=1, resamples=0)
    with pytest.raises(InputError):
        stream(-1, "x")
    with pytest.raises(InputError):
        percentile_interval(np.zeros(3), level=0)


@pytest.mark.shared
def test_real_answers_have_the_interval_of_index_gather(shared):
    """Two models on six benchmarks: paired differences inside each, resampled item by item."""
    import gzip
    import json

    names = ("Llama-3.3-70B-Instruct-Turbo", "gpt-4o-mini")
    right: dict[tuple[str, str], dict[str, float]] = {}
    with gzip.open(shared / "model_outputs/medagents_zero_shot.jsonl.gz", "rt") as lines:
        for line in lines:
            row = json.loads(line)
            if row["model"] in names:
                key = (row["dataset"], str(row["id"]))
                right.setdefault(key, {})[row["model"]] = float(row["pred"] == row["gold"])
    both = {key: got for key, got in right.items() if len(got) == 2}
    assert len(both) > 5000
    sets, cell = np.unique([key[0] for key in both], return_inverse=True)
    difference = np.array([got[names[0]] - got[names[1]] for got in both.values()])
    size = np.bincount(cell)
    rng = np.random.default_rng(0)
    gathered = np.zeros(4000)
    for c in range(len(sets)):
        values = difference[cell == c]
        index = rng.integers(0, len(values), (4000, len(values)), dtype=np.int32)
        gathered += size[c] / len(cell) * values[index].mean(1)
    drawn = draws_of(
        cell, difference, np.arange(len(cell)), cells=len(sets), low=-1, prior=1 / len(sets)
    )
    ours = size / len(cell) @ drawn
    error = np.sqrt(0.025 * 0.975 / 4000) / 0.0584 * gathered.std() * np.sqrt(2)
    for q in (0.025, 0.975):
        assert abs(np.quantile(gathered, q) - np.quantile(ours, q)) < 4 * error
