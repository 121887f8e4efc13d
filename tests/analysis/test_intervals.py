import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from viva.analysis import newcombe, wilson
from viva.errors import InputError


@st.composite
def shares(draw):
    n = draw(st.integers(1, 5000))
    return draw(st.integers(0, n)), n


@given(shares(), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_wilson_equals_statsmodels(share, level):
    k, n = share
    theirs = proportion_confint(k, n, alpha=1 - level, method="wilson")
    np.testing.assert_allclose([*wilson(k, n, level=level)], theirs, atol=1e-12)


@given(shares(), shares())
def test_newcombe_equals_statsmodels(one, two):
    theirs = confint_proportions_2indep(*one, *two, method="newcomb", compare="diff", alpha=0.05)
    np.testing.assert_allclose([*newcombe(*one, *two)], theirs, atol=1e-12)


@given(shares(), shares())
def test_newcombe_is_antisymmetric_and_holds_the_difference(one, two):
    low, high = newcombe(*one, *two)
    other_low, other_high = newcombe(*two, *one)
    assert (low, high) == (-other_high, -other_low)
    assert low <= one[0] / one[1] - two[0] / two[1] <= high
    assert -1 <= low <= high <= 1


def test_newcombe_published_example():
    # Newcombe (1998), table II, example (a), method 10: 56/70 - 48/80.
    low, high = newcombe(56, 70, 48, 80)
    assert (round(float(low), 4), round(float(high), 4)) == (0.0524, 0.3339)


def test_intervals_are_vectorised_and_say_nothing_of_nothing():
    low, high = wilson([0, 5, 0], [10, 10, 0])
    assert low.shape == (3,)
    assert low[0] == 0
    assert np.isnan(low[2])
    assert np.isnan(high[2])
    assert np.isnan(newcombe(1, 2, 0, 0)[0])


@pytest.mark.parametrize(("k", "n", "level"), [(3, 2, 0.95), (-1, 2, 0.95), (1, 2, 1.0)])
def test_impossible_shares_are_refused(k, n, level):
    with pytest.raises(InputError):
        wilson(k, n, level=level)
