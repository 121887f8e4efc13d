"""Key positions against scipy, against simulation, and on hand-made items."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from viva.analysis.positions import key_positions, uniform_positions_p
from viva.records import Choice, Choices, Item, items_frame


@given(st.lists(st.integers(0, 3), min_size=20, max_size=200))
def test_equals_pearson_where_all_items_have_as_many_options(keys: list[int]) -> None:
    p = uniform_positions_p(np.array(keys), np.full(len(keys), 4))
    assert p == pytest.approx(chisquare(np.bincount(keys, minlength=4)).pvalue, abs=1e-9)


@pytest.mark.parametrize("sizes", [(4,), (3, 10), (4, 5, 9), (2, 26)])
def test_rejects_at_the_nominal_rate_whatever_the_numbers_of_options(
    sizes: tuple[int, ...],
) -> None:
    rng = np.random.default_rng(1)
    options = rng.choice(sizes, 400)
    ps = [uniform_positions_p(rng.integers(0, options), options) for _ in range(2000)]
    rate = np.mean([p is not None and p < 0.05 for p in ps])
    assert 0.035 <= rate <= 0.065


def test_a_skew_of_ten_points_is_seen_in_a_thousand_items() -> None:
    rng = np.random.default_rng(2)
    options = rng.choice([4, 10], 1000)
    keys = np.where(rng.random(1000) < 0.1, 2, rng.integers(0, options))
    assert (uniform_positions_p(keys, options) or 1) < 1e-4


def test_rare_last_letters_are_pooled_and_too_few_items_give_nothing() -> None:
    options = np.array([4] * 200 + [12])
    keys = np.arange(201) % 4
    assert uniform_positions_p(keys, options) is not None
    assert uniform_positions_p(np.array([0, 1, 2]), np.array([4, 4, 4])) is None
    assert uniform_positions_p(np.array([], dtype=int), np.array([], dtype=int)) is None
    assert uniform_positions_p(np.zeros(50, dtype=int), np.ones(50, dtype=int)) is None


def test_counts_expected_and_longest_option() -> None:
    frame = items_frame(
        [
            Item("b", "1", "q", ("long option", "x", "y"), Choice(0)),
            Item("b", "2", "q", ("aa", "bb"), Choice(1)),  # a tie: no single longest
            Item("b", "3", "q", ("a", "bbb  ", "cc"), Choice(2)),
            Item("b", "4", "q", ("a", "b"), Choices((0, 1))),  # passed over, as the next two
            Item("b", "5", "q", ("a", "b"), None),
            Item("b", "6", "q", ("a", "b"), Choice(5)),
        ]
    )
    found = key_positions(frame)
    assert found["n"] == 3
    assert found["counts"] == {"A": 1, "B": 1, "C": 1}
    assert found["expected"] == pytest.approx({"A": 7 / 6, "B": 7 / 6, "C": 2 / 3})
    assert found["p"] is None
    assert found["longest_option_is_key"] == pytest.approx(1 / 3)
    assert found["longest_option_expected"] == pytest.approx((1 / 3 + 1 / 3) / 3)


@given(
    st.lists(
        st.lists(st.text(max_size=4), min_size=1, max_size=26).flatmap(
            lambda options: st.tuples(st.just(options), st.integers(0, len(options) - 1))
        ),
        max_size=40,
    )
)
def test_totals_agree(rows: list[tuple[list[str], int]]) -> None:
    items = [
        Item("b", str(i), "q", tuple(options), Choice(key)) for i, (options, key) in enumerate(rows)
    ]
    found = key_positions(items_frame(items))
    assert found["n"] == len(rows) == sum(found["counts"].values())
    assert sum(found["expected"].values()) == pytest.approx(len(rows))
    if rows:
        assert 0 <= found["longest_option_is_key"] <= 1
        assert 0 <= found["longest_option_expected"] <= 1
    else:
        assert found["longest_option_is_key"] is None
