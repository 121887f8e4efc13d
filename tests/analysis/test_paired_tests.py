from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, permutation_test
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests

from viva.analysis import holm, mcnemar_test, minimum_detectable_difference, sign_flip
from viva.errors import InputError

counts = st.integers(0, 400)


@given(counts, counts)
def test_exact_equals_scipy_and_statsmodels(b, c):
    p = mcnemar_test(b, c).p
    assert p == pytest.approx(statsmodels_mcnemar([[9, b], [c, 9]], exact=True).pvalue, rel=1e-9)
    if b + c:
        assert p == pytest.approx(binomtest(b, b + c).pvalue, rel=1e-9)


@given(counts, counts)
def test_mid_p_counts_the_observed_outcome_half(b, c):
    assume(b + c)
    test, n = mcnemar_test(b, c), b + c
    assert mcnemar_test(c, b) == test
    # Outcomes as extreme as the observed one: both tails, or the middle alone.
    level = (1 if b == c else 2) * binom.pmf(b, n, 0.5)
    assert test.p - test.p_mid == pytest.approx(level / 2, abs=1e-12)


def test_mid_p_by_hand():
    # 2 of 8: P(X <= 1) = 9/256, P(X = 2) = 28/256; mid-p = 2 (9 + 14) / 256.
    assert mcnemar_test(2, 6).p_mid == pytest.approx(46 / 256)
    # Fagerland et al. (2013), airway hyper-responsiveness: b = 1, c = 7.
    assert mcnemar_test(1, 7).p == pytest.approx(0.0703, abs=5e-5)
    assert mcnemar_test(1, 7).p_mid == pytest.approx(0.0391, abs=5e-5)


@given(st.integers(0, 150), st.integers(0, 150), st.integers(0, 30))
def test_sign_flip_of_separate_items_is_mcnemar(b, c, equal):
    sums = np.repeat([1.0, -1.0, 0.0], [b, c, equal])
    flip, test = sign_flip(sums), mcnemar_test(b, c)
    assert flip.p == pytest.approx(test.p, rel=1e-9)
    assert flip.p_mid == pytest.approx(test.p_mid, rel=1e-9)


@given(st.lists(st.integers(-6, 6), min_size=1, max_size=9), st.sampled_from([1, 0.5, 1 / 3, 0.2]))
def test_sign_flip_equals_full_enumeration(whole, unit):
    sums = np.array(whole) * unit
    found = sign_flip(sums)
    flips = np.array(list(product([-1, 1], repeat=len(whole)))).reshape(-1, len(whole))
    reached = np.abs(flips @ np.array(whole, float).reshape(len(whole)))
    observed = abs(sum(whole))
    more, level = np.mean(reached > observed + 1e-9), np.mean(np.abs(reached - observed) < 1e-9)
    assert found.exact
    assert found.p == pytest.approx(more + level)
    if any(whole):
        assert found.p_mid == pytest.approx(more + level / 2)


def test_sign_flip_equals_scipy_permutation_test():
    sums = np.array([2.0, -1, 3, 1, 1, -2, 4, 1])
    theirs = permutation_test(
        (sums, np.zeros(8)),
        lambda x, y: np.sum(x - y),
        permutation_type="samples",
        n_resamples=np.inf,
    )
    assert sign_flip(sums).p == pytest.approx(theirs.pvalue)


def test_sampled_sign_flip_agrees_with_the_exact_one():
    rng = np.random.default_rng(3)
    whole = rng.integers(-3, 5, 120).astype(float)
    # Without a common fraction the distribution is sampled; the outcome hardly changes.
    uneven = whole * np.sqrt(2) + 1e-4 * rng.random(120)
    exact, sampled = sign_flip(whole), sign_flip(uneven, resamples=40_000)
    assert exact.exact
    assert not sampled.exact
    assert sampled.p == pytest.approx(exact.p, abs=5 * np.sqrt(exact.p / 40_000) + 0.01)
    assert sampled == sign_flip(uneven, resamples=40_000)


def test_clusters_lower_the_evidence():
    separate = np.repeat([1.0, -1.0], [60, 36])
    clustered = np.repeat([3.0, -3.0], [20, 12])
    assert sign_flip(separate).p < 0.05 < sign_flip(clustered).p


def test_large_clusters_stay_quick_and_finite():
    sums = np.concatenate([np.ones(40_000), -np.ones(39_000), 100 * np.ones(30)])
    found = sign_flip(sums)
    assert 0 < found.p_mid <= found.p < 1


@settings(max_examples=12)  # theirs takes 0.2 s
@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_holm_equals_statsmodels(p):
    np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1], atol=1e-12)


def test_holm_passes_over_none():
    assert holm([None, 0.01, None, 0.04]) == [None, 0.02, None, 0.04]
    assert holm([]) == []
    with pytest.raises(InputError):
        holm([1.5])
    with pytest.raises(InputError):
        holm([float("nan")])


def test_detectable_difference_solves_connors_equation():
    n, discordant = 1200, 180
    sums = np.repeat([1.0, -1.0, 0.0], [100, 80, n - discordant])
    found = minimum_detectable_difference(sums, n)
    psi = (discordant + 1) / n  # with the half added on each side
    need = (1.959964 * np.sqrt(psi) + 0.841621 * np.sqrt(psi - found**2)) ** 2 / found**2
    assert need == pytest.approx(n, rel=1e-5)


@pytest.mark.parametrize("copies", [1, 2])
def test_detectable_difference_is_found_with_80_percent_power(copies):
    rng = np.random.default_rng(5)
    groups, psi = 600, 0.2
    n = groups * copies
    sums = copies * rng.permutation(np.repeat([1.0, -1.0, 0.0], [60, 60, 480]))
    d = minimum_detectable_difference(sums, n)
    draws = rng.multinomial(groups, [(psi + d) / 2, (psi - d) / 2, 1 - psi], size=1500)
    found = {
        (b, c): sign_flip(copies * np.repeat([1.0, -1.0], [b, c])).p_mid < 0.05
        for b, c in {(int(b), int(c)) for b, c, _ in draws}
    }
    power = np.mean([found[int(b), int(c)] for b, c, _ in draws])
    assert 0.76 < power < 0.84


def test_no_discordance_promises_nothing():
    assert minimum_detectable_difference(np.zeros(100), 100) > 0.02
    assert minimum_detectable_difference([], 0) is None
    assert mcnemar_test(0, 0).p == 1 == mcnemar_test(0, 0).p_mid == sign_flip([0.0]).p_mid
    with pytest.raises(InputError):
        mcnemar_test(-1, 2)


@pytest.mark.parametrize("discordant", [100, 150, 317, 1000])
def test_sizes_at_five_percent(discordant):
    weight = binom.pmf(np.arange(discordant + 1), discordant, 0.5)
    tests = [mcnemar_test(b, discordant - b) for b in range(discordant + 1)]
    assert weight @ [t.p <= 0.05 for t in tests] <= 0.05
    assert 0.04 <= weight @ [t.p_mid <= 0.05 for t in tests] <= 0.065
