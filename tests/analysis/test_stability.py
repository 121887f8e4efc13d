"""Agreement among samples, against brute force and known truth."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from viva.analysis.stability import _share, summarise_stability
from viva.records import Score, Status, scores_frame


def frame(rows: list[list[str | None]], key: str = "A") -> object:
    """Items x samples of letters: "?" unread, None ungraded."""
    scores = []
    for item, letters in enumerate(rows):
        for sample, letter in enumerate(letters):
            status = {None: Status.UNGRADED, "?": Status.UNPARSED}.get(letter, Status.PARSED)
            value = None if letter is None else float(letter == key)
            read = letter if status is Status.PARSED else None
            scores.append(
                Score("b", str(item), "m", None, None, sample, "choice", status, read, value)
            )
    return scores_frame(scores)


def test_by_hand() -> None:
    found = summarise_stability(
        frame(
            [
                ["A", "A", "A"],
                ["A", "A", "B"],
                ["?", "?"],
                ["C", None, "C"],
                ["A", None],  # one graded sample: passed over
            ]
        )
    )
    assert (found["n"], found["samples"], found["reason"]) == (4, 3, None)
    assert found["unanimous"] == pytest.approx(2 / 4)
    assert found["pairwise"] == pytest.approx((1 + 1 / 3 + 0 + 1) / 4)
    assert found["sometimes_right"] == pytest.approx(1 / 4)


def test_one_sample_each() -> None:
    found = summarise_stability(frame([["A"], ["B"]]))
    assert found["n"] == 0 and found["unanimous"] is None and found["reason"]


@given(
    st.lists(
        st.lists(st.sampled_from(["A", "B", "C", "?", None]), min_size=1, max_size=5),
        min_size=1,
        max_size=15,
    )
)
def test_equals_counting_pairs(rows: list[list[str | None]]) -> None:
    kept = [[x for x in row if x is not None] for row in rows]
    kept = [row for row in kept if len(row) > 1]
    found = summarise_stability(frame(rows))
    assert found["n"] == len(kept)
    if not kept:
        return
    agree = [np.mean([a == b != "?" for a, b in combinations(row, 2)]) for row in kept]
    assert found["pairwise"] == pytest.approx(np.mean(agree))
    assert found["unanimous"] == pytest.approx(np.mean([a == 1 for a in agree]))
    mixed = [len({x == "A" for x in row}) == 2 for row in kept]
    assert found["sometimes_right"] == pytest.approx(np.mean(mixed))
    for name in ("unanimous", "pairwise", "sometimes_right"):
        low, estimate, high = found[f"{name}_low"], found[name], found[f"{name}_high"]
        assert 0 <= low <= estimate + 1e-12 and estimate <= high + 1e-12 <= 1 + 2e-12


@pytest.mark.parametrize("concentration", [0.4, 2.0, 10.0])
def test_interval_of_pairwise_agreement_covers_the_truth(concentration: float) -> None:
    # Each item has its own letter probabilities; three samples are drawn. Truth: sum p^2.
    rng = np.random.default_rng(6)
    alpha = np.full(4, concentration / 4)
    truth = 4 * (alpha[0] * (alpha[0] + 1)) / (concentration * (concentration + 1))
    n, covered = 100, 0
    for _ in range(2000):
        p = rng.dirichlet(alpha, n)
        drawn = (rng.random((n, 3, 1)) > np.cumsum(p, axis=1)[:, None, :]).sum(axis=2)
        agree = np.mean([drawn[:, a] == drawn[:, b] for a, b in ((0, 1), (0, 2), (1, 2))], axis=0)
        _, low, high = _share(agree, 0.95)
        covered += low <= truth <= high
    assert 0.93 <= covered / 2000 <= 0.97
