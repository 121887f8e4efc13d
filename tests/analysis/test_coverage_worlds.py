"""Gap estimators on readers of worlds: ``bench/coverage_worlds.py``, with fewer runs."""

import importlib.util
import sys

import numpy as np
import pytest

RUNS = 160
SIZE = 600
GIVEN = ((60, 30), (24, 45), (30, 30))
CALLED = ((160, 120), (90, 150), (80, 80))


@pytest.fixture(scope="module")
def bench(root):
    path = root / "bench/coverage_worlds.py"
    spec = importlib.util.spec_from_file_location("bench_coverage_worlds", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture(scope="module")
def population(bench):
    return bench.population(SIZE)


def check(tallies, margin):
    held = {key: t for key, t in tallies.items() if key[1][0] != "("}
    assert len(held) >= 12
    for key, t in held.items():
        assert t.runs >= 0.95 * RUNS, key
        assert t.coverage >= 0.93 - margin, (key, t.coverage)
        # As close on average as its own scatter allows: a wrong truth would show here.
        assert abs(t.estimate / t.runs - t.truth) < 4 * t.width / t.runs / 3.9 / np.sqrt(RUNS) + 2
    mean = np.mean([t.coverage for t in held.values()])
    assert 0.93 - margin / 2 < mean < 0.985


def test_strata_that_are_given(bench, population):
    # Readers and estimators share their draws: three standard errors of one row of them.
    check(bench.run_given(population, GIVEN, RUNS, 300), 3 * np.sqrt(0.95 * 0.05 / RUNS))


def test_strata_through_a_known_confusion(bench, population):
    found = bench.run_called(population, CALLED, bench.TWO, 150, RUNS, 300)
    check(found, 3 * np.sqrt(0.95 * 0.05 / RUNS))
    for reader in bench.READERS:
        # The gap between called strata is not the gap between true ones, and its interval says
        # nothing about the latter.
        assert found[reader.name, "(within, for the true gap)"].coverage < 0.75
        assert found[reader.name, "noise_corrected"].coverage > 0.85


def test_estimands_by_hand(bench):
    """Two benchmarks of four kinds of item, every sum written out."""
    benchmark = np.array([0, 0, 1, 1])
    stratum = np.array([1, 0, 1, 0])
    words = np.array([10, 10, 30, 30])
    options = np.array([5, 5, 2, 2])
    chance = np.array([0.2, 1.0, 0.5, 0.75])
    weight = np.array([30.0, 10.0, 20.0, 20.0])
    p = np.array([0.9, 0.1, 0.6, 0.4])
    found = bench.estimands(benchmark, stratum, words, options, chance, weight, p=p)
    w = 30 * 10 / 40, 20 * 20 / 40
    within = (w[0] * -0.8 + w[1] * -0.25) / sum(w)
    corrected = (w[0] * -1.0 + w[1] * -0.5) / sum(w)
    # Slopes -0.8 / 0.8 and -0.25 / 0.2; n Var(p) = n_R n_K / n x (difference of p) squared.
    spread = w[0] * 0.8**2, w[1] * 0.2**2
    assert found == pytest.approx(
        {
            "pooled": 100 * ((30 * 0.2 + 20 * 0.5) / 50 - (10 * 1.0 + 20 * 0.75) / 30),
            "within": 100 * within,
            "within_size_weighted": 100 * (-0.8 - 0.25) / 2,
            "length_matched": 100 * within,
            "chance_corrected": 100 * corrected,
            "chance_corrected_pooled": 100 * ((0 + 0) / 50 - (10 * 1.0 + 20 * 0.5) / 30),
            "noise_corrected": 100 * within,
            "soft": 100 * (spread[0] * -1.0 + spread[1] * -1.25) / sum(spread),
        }
    )


def test_confusion_shrinks_the_gap_of_called_strata_by_what_the_formula_says(bench):
    """One benchmark, se 0.8, sp 0.9, half reasoning: PPV + NPV - 1 by enumeration."""
    se, sp = 0.8, 0.9
    stratum, called = np.array([1, 1, 0, 0]), np.array([1, 0, 1, 0])
    weight = 100 * np.array([se, 1 - se, 1 - sp, sp])
    chance = np.where(stratum == 1, 0.2, 1.0)
    ppv, npv = se / (se + 1 - sp), sp / (sp + 1 - se)
    p = np.where(called == 1, ppv, 1 - npv)
    ones = np.ones(4, int)
    found = bench.estimands(
        0 * ones, stratum, 9 * ones, 5 * ones, chance, weight, called=called, p=p
    )
    assert found["within"] == pytest.approx(-80 * (ppv + npv - 1))
    assert found["noise_corrected"] == pytest.approx(-80)
    assert found["soft"] == pytest.approx(-80)


def test_estimands_of_a_tiny_world_by_enumeration(bench, population):
    """What a run draws on average is what the truth is computed from."""
    draw, weight = bench.sampler(population, GIVEN)
    assert weight.sum() == pytest.approx(sum(map(sum, GIVEN)))
    rng = np.random.default_rng(1)
    seen = sum(np.bincount(draw(rng)[0], minlength=len(weight)) for _ in range(400)) / 400
    for b in range(3):
        for s, n in zip((1, 0), GIVEN[b], strict=True):
            here = (population.benchmark == b) & (population.stratum == s)
            assert seen[here].sum() == pytest.approx(n)
            assert weight[here].sum() == pytest.approx(n)
            scatter = np.sqrt(weight[here] @ population.words[here] ** 2 / 400)
            assert abs((seen - weight)[here] @ population.words[here]) < 4 * scatter
    items, owner = draw(rng)
    for cluster in np.unique(owner):
        assert len(np.unique(population.cluster[items[owner == cluster]])) == 1


def test_a_reader_who_knows_every_fact_has_the_chances_of_one(bench, population):
    perfect = population.chance[0]
    recall = population.stratum == 0
    assert (perfect[recall] == 1).all()
    assert np.allclose(perfect[~recall], 1 / population.options[~recall])


def test_every_estimator_sees_the_sign(bench, population):
    """Reciters and forgetful reasoners are worse at reasoning, by every estimator and run."""
    found = bench.run_given(population, CALLED, 10, 300)
    assert all(t.truth < 0 and t.estimate / t.runs < -10 for t in found.values())
    found = bench.run_called(population, CALLED, bench.TWO, 300, 10, 300)
    assert all(t.estimate / t.runs < -5 for key, t in found.items())
