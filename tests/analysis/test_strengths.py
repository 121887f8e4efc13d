"""Response to strength: slopes by hand, and their test."""

from __future__ import annotations

import numpy as np
import pytest
from known_answerers import known

from viva.analysis import pair_answers, strength_response
from viva.errors import InputError


def level(misled, unit=None):
    """Four clean answers A, all right, misled to the given options; the cue is B."""
    misled = np.array(misled)
    n = len(misled)
    return pair_answers(
        np.ones(n, bool), misled == 0, clean_choice=np.zeros(n, int), misled_choice=misled,
        cue=np.ones(n, int), unit=np.arange(n) if unit is None else unit,
    )  # fmt: skip


def test_slopes_are_those_of_least_squares():
    probes = [level([0, 0, 0, 1]), level([0, 0, 1, 1]), level([0, 1, 1, 2])]
    found = strength_response(probes, resamples=500)
    assert found.n == 4
    assert [each.lost.estimate for each in found.levels] == [0.25, 0.5, 0.75]
    assert [each.followed_cue.estimate for each in found.levels] == [0.25, 0.5, 0.5]
    assert found.net_slope.estimate == pytest.approx(
        100 * np.polyfit([0, 1, 2], [3, 2, 1], 1)[0] / 4
    )
    assert found.followed_slope.estimate == pytest.approx(100 * 0.125)
    assert found.net_slope.low < found.net_slope.estimate < found.net_slope.high
    back = strength_response(probes[::-1], resamples=500)
    assert back.net_slope.estimate == pytest.approx(-found.net_slope.estimate)
    assert back.p_net == pytest.approx(found.p_net)


def test_only_clean_answers_misled_at_every_strength_count():
    probes = [level([0, 0, 1], unit=[5, 6, 7]), level([1, 0], unit=[7, 5])]
    found = strength_response(probes, resamples=100)
    assert found.n == 2
    assert [each.misled.estimate for each in found.levels] == [0.5, 0.5]
    nothing = strength_response([level([0], unit=[1]), level([0], unit=[2])], resamples=100)
    assert nothing.n == 0 and nothing.net_slope.reason and nothing.p_net is None
    assert len(nothing.levels) == 2


def test_one_strength_is_none():
    with pytest.raises(InputError, match="two strengths"):
        strength_response([level([0, 1])])


def test_slopes_cover_their_truth():
    for name, tally in known.run_strengths(250, 300).items():
        assert 0.90 <= tally.coverage <= 0.995, name
