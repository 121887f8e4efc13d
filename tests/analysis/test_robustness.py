import numpy as np
import pytest

from viva.analysis import (
    THRESHOLDS,
    Gap,
    graded,
    headline_gaps,
    robustness_card,
    stratum_at,
    sweep,
)
from viva.errors import InputError


def table_of(n=800, **more):
    rng = np.random.default_rng(0)
    p = rng.random(n)
    values = (rng.random((2, n)) < 0.8 - 0.3 * p) * 1.0
    return graded(
        ["x", "y"], values, benchmark=np.arange(n) % 2, p=p, stratum=stratum_at(p, 0.5), **more
    )


def gap(estimate, half=1.0):
    return Gap(estimate, estimate - half, estimate + half, 100)


def test_sweep_recuts_the_strata():
    table = table_of()
    points = sweep(table, resamples=100)
    assert [point.threshold for point in points] == list(THRESHOLDS)
    for point in points:
        assert point.share_reasoning == pytest.approx(np.mean(table.p >= point.threshold))
    middle = points[4].models["x"]
    assert middle == headline_gaps(table, "x", resamples=100)
    assert all(point.models["y"]["within"].estimate < 0 for point in points)


def test_sweep_counts_only_items_inside_the_domain():
    inside = np.arange(800) % 4 < 2
    table = table_of(in_domain=inside)
    points = sweep(table, thresholds=[0.3], resamples=20)
    assert points[0].share_reasoning == pytest.approx(np.mean(table.p[inside] >= 0.3))
    assert points[0].models["x"]["pooled"].n == inside.sum()


def test_sweep_is_empty_without_probabilities():
    bare = graded(["x"], np.ones((1, 50)), benchmark=np.zeros(50), stratum=np.arange(50) % 2)
    assert sweep(bare) == []
    with pytest.raises(InputError):
        sweep(table_of(), thresholds=[1.2])


def test_stratum_at_keeps_the_unknown_apart():
    assert stratum_at(np.array([0.2, 0.5, np.nan, 0.9]), 0.5).tolist() == [0, 1, -1, 1]


def test_card_of_a_sign_that_survives():
    card = robustness_card(
        "x",
        gap(-5),
        thresholds={"0.3": gap(-4), "0.7": gap(-6)},
        controls={"length_matched": gap(-0.5)},
    )
    verdicts = {axis.name: axis.verdict for axis in card.axes}
    assert verdicts == {
        "thresholds": "holds",
        "controls": "leans",
        "views": "untested",
        "definitions": "untested",
    }
    assert (card.sign, card.survives) == ("worse", True)
    assert card.words.endswith("The sign survives other thresholds and controls.")
    assert "−5.0 points [−6.0, −4.0]" in card.words


def test_card_of_a_sign_that_flips():
    card = robustness_card("x", gap(5), definitions={"rubric": gap(4), "medxpertqa": gap(-2)})
    axis = card.axes[-1]
    assert axis.verdict == "flips"
    assert "medxpertqa" in axis.words
    assert (axis.lowest, axis.highest) == (-2, 4)
    assert card.survives is False
    assert "does not survive" in card.words


def test_card_of_an_unclear_sign_and_of_nothing():
    card = robustness_card("x", gap(0.2), controls={"soft": gap(-3)})
    assert (card.sign, card.survives) == ("unclear", None)
    assert card.axes[1].verdict == "open"
    none = Gap(None, None, None, 0, "no graded item has a stratum")
    assert "no graded item" in robustness_card("x", none).words
    partly = robustness_card("x", gap(5), controls={"soft": none, "pooled": gap(9)})
    assert partly.axes[1].missing == {"soft": "no graded item has a stratum"}
    alone = robustness_card("x", gap(5))
    assert alone.survives is None
