"""Transitions: counts that add up, intervals of others, and what must not matter."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_answerers import known
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

from viva.analysis import (
    STATES,
    Pairs,
    against_control,
    by_stratum,
    mcnemar_test,
    pair_answers,
    sign_flip,
    transitions,
)
from viva.errors import InputError

OF_ALL = ("clean", "misled", "kept_right", "kept_wrong", "moved_elsewhere", "held", "unread")
OF_CUED = ("followed_cue", "unprompted", "moved_to_cue")
SHARES = (*OF_ALL, *OF_CUED, "lost", "gained", "unread_clean", "unread_misled")


def by_letters(rows: list[tuple[str, str, str, str | None]], **more) -> Pairs:
    """Pairs from rows of (key, clean, misled, cue); "-" = unread."""
    code = {"-": -1, None: -1} | {letter: i for i, letter in enumerate("ABCDE")}
    key, clean, misled, cue = (
        np.array([code[v] for v in column]) for column in zip(*rows, strict=True)
    )
    return pair_answers(
        clean == key, misled == key, clean_choice=clean, misled_choice=misled, cue=cue,
        cue_is_key=(cue == key) & (cue >= 0), **more,
    )  # fmt: skip


def count(estimate) -> int:
    return round((estimate.estimate or 0) * estimate.n)


HAND = [
    ("A", "A", "A", "B"),  # kept right, held
    ("A", "A", "B", "B"),  # lost, to the cue
    ("A", "A", "C", "B"),  # lost, elsewhere
    ("A", "A", "-", "B"),  # lost, unread
    ("A", "B", "A", "B"),  # gained, away from the cue
    ("A", "C", "B", "B"),  # kept wrong, to the cue
    ("A", "B", "B", "B"),  # kept wrong, on the cue before and after
    ("A", "-", "A", "B"),  # gained from unread
    ("A", "-", "B", "B"),  # kept wrong, on the cue from unread
    ("A", "D", "A", "A"),  # gained; the cue is the key
    ("A", "A", "D", None),  # lost; no cue
]


def test_a_table_by_hand():
    found = transitions(by_letters(HAND), resamples=200)
    assert (found.n, found.clusters) == (11, 11)
    expected = {
        "clean": (5, 11), "misled": (4, 11), "kept_right": (1, 11), "lost": (4, 5),
        "gained": (3, 6), "kept_wrong": (3, 11), "followed_cue": (4, 9), "unprompted": (2, 9),
        "moved_to_cue": (2, 9), "moved_elsewhere": (4, 11), "held": (2, 11), "unread": (3, 11),
        "unread_clean": (2, 11), "unread_misled": (1, 11),
    }  # fmt: skip
    for name, (k, n) in expected.items():
        share = getattr(found, name)
        assert (count(share), share.n) == (k, n), name
        assert share.estimate == pytest.approx(k / n)
    assert found.net.estimate == pytest.approx(100 * (4 - 5) / 11)
    assert found.cue_effect.estimate == pytest.approx((4 / 9 - 2 / 9) / (1 - 2 / 9))
    assert found.cue_effect.n == 9
    assert (found.test.lost, found.test.gained) == (4, 3)
    assert found.flow["right"] == {"right": 1, "cue": 1, "wrong": 2, "unread": 1}
    assert found.flow["unread"] == {"right": 1, "cue": 1, "wrong": 0, "unread": 0}


@st.composite
def some_pairs(draw, clustered: bool = False):
    n = draw(st.integers(1, 40))
    rows = draw(
        st.lists(
            st.tuples(
                st.sampled_from("ABCD"), st.sampled_from("ABCD-"), st.sampled_from("ABCD-"),
                st.sampled_from(["A", "B", "C", "D", None]),
            ),
            min_size=n, max_size=n,
        )
    )  # fmt: skip
    cluster = draw(st.lists(st.integers(0, n // 2), min_size=n, max_size=n))
    return rows, np.array(cluster) if clustered else np.arange(n)


@given(some_pairs(clustered=True))
def test_counts_add_up(made):
    rows, cluster = made
    pairs = by_letters(rows, cluster=cluster)
    found = transitions(pairs, resamples=100)
    right = count(found.clean)
    assert count(found.kept_right) + count(found.lost) == right == found.lost.n
    assert count(found.gained) + count(found.kept_wrong) == found.n - right == found.gained.n
    assert count(found.kept_right) + count(found.gained) == count(found.misled)
    both = sum(c != "-" and m != "-" for _, c, m, _ in rows)
    moves = count(found.held) + count(found.moved_to_cue) + count(found.moved_elsewhere)
    assert moves == both == found.n - count(found.unread)
    assert sum(sum(row.values()) for row in found.flow.values()) == found.n
    for state, name in (("right", "clean"), ("unread", "unread_clean")):
        assert sum(found.flow[state].values()) == count(getattr(found, name))
    assert sum(row["cue"] for row in found.flow.values()) == count(found.followed_cue)
    assert found.followed_cue.n == sum(cue not in (None, key) for key, _, _, cue in rows)
    assert all(getattr(found, name).n == found.n for name in OF_ALL)
    for name in SHARES:
        share = getattr(found, name)
        if share.n == 0:
            assert share.estimate is share.low is share.high is None
            assert share.reason
        else:
            assert 0 <= share.low <= share.estimate <= share.high <= 1
            assert share.reason is None
    assert found.net.low <= found.net.estimate <= found.net.high
    assert found.net.estimate == pytest.approx(
        100 * ((found.misled.estimate or 0) - (found.clean.estimate or 0))
    )


@settings(max_examples=40)
@given(some_pairs(clustered=True), st.integers(0, 2**32 - 1))
def test_neither_order_nor_letters_matter(made, seed):
    rows, cluster = made
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(rows))
    relabelled = []
    for row in order:
        letters = dict(zip("ABCD", rng.permutation(list("ABCD")), strict=True))
        relabelled.append(tuple(letters.get(v, v) for v in rows[row]))
    names = rng.permutation(10**6)[: cluster.max() + 1]
    one = transitions(by_letters(rows, cluster=cluster), resamples=100, name="m")
    other = transitions(by_letters(relabelled, cluster=names[cluster][order]), resamples=100,
                        name="m")  # fmt: skip
    # Exact, the intervals too: draws go by patterns, not by rows.
    assert dataclasses.asdict(one) == dataclasses.asdict(other)


def test_wilson_and_mcnemar_are_those_of_statsmodels():
    design = known.designs()["follower 0.3"]
    found = transitions(design.draw(np.random.default_rng(1)), resamples=200)
    for name in SHARES:
        share = getattr(found, name)
        ends = proportion_confint(count(share), share.n, method="wilson")
        assert (share.low, share.high) == pytest.approx(ends, abs=1e-9)
    table = [[count(found.kept_right), found.test.lost], [found.test.gained, 0]]
    assert found.test.p_mcnemar == pytest.approx(mcnemar(table, exact=True).pvalue)
    assert found.test.p_sign_flip == pytest.approx(found.test.p_mcnemar)
    assert found.test.p_mid == pytest.approx(mcnemar_test(found.test.lost, found.test.gained).p_mid)


def test_net_and_cue_effect_come_close_to_large_sample_formulas():
    answerer = known.Answerer(0.6, 0.25, 0.5)
    pairs = known.single(answerer, 4000).draw(np.random.default_rng(2))
    found = transitions(pairs, resamples=4000)
    d = pairs.misled_right.astype(float) - pairs.clean_right
    half = 196 * d.std() / math.sqrt(4000)
    assert found.net.high - found.net.low == pytest.approx(2 * half, rel=0.05)
    # 1 - ratio of the shares off the cue; variance by the delta method on pairs.
    off_m, off_c = 1.0 - pairs.on_cue_misled, 1.0 - pairs.on_cue_clean
    ratio = off_m.mean() / off_c.mean()
    residual = (off_m - ratio * off_c) / off_c.mean()
    half = 1.96 * residual.std() / math.sqrt(4000)
    assert found.cue_effect.estimate == pytest.approx(1 - ratio)
    assert found.cue_effect.high - found.cue_effect.low == pytest.approx(2 * half, rel=0.05)


def test_copies_as_clusters_do_not_narrow_intervals():
    pairs = known.single(known.Answerer(0.6, 0.3, 0.5), 150).draw(np.random.default_rng(3))
    both = np.tile(np.arange(150), 3)
    one = transitions(pairs, resamples=4000)
    three = transitions(pairs.where(both), resamples=4000)
    assert three.n == 450 and three.clusters == 150
    for name in ("lost", "followed_cue", "net", "cue_effect"):
        a, b = getattr(one, name), getattr(three, name)
        assert a.estimate == pytest.approx(b.estimate)
        assert b.high - b.low == pytest.approx(a.high - a.low, rel=0.12), name
    assert three.test.p_sign_flip == pytest.approx(one.test.p_sign_flip)
    assert three.test.p_mcnemar < one.test.p_mcnemar


def test_what_cannot_be_given_says_why():
    empty = transitions(by_letters(HAND).where(np.zeros(11, bool)), resamples=100)
    assert empty.n == 0 and empty.test is None
    assert all(getattr(empty, name).reason for name in (*SHARES, "net", "cue_effect"))
    no_cue = transitions(by_letters([("A", "A", "B", None), ("B", "A", "B", "B")]), resamples=100)
    assert no_cue.followed_cue.n == no_cue.cue_effect.n == 0
    assert "cue" in no_cue.cue_effect.reason
    always = transitions(by_letters([("A", "B", "B", "B"), ("C", "D", "A", "D")]), resamples=100)
    assert always.cue_effect.estimate is None and always.cue_effect.n == 2
    assert "without it" in always.cue_effect.reason
    assert always.lost.n == 0 and always.lost.reason == "no clean answer is right"


def test_nothing_answered_loses_everything():
    found = transitions(by_letters([("A", "A", "-", "B"), ("B", "C", "-", "A")]), resamples=100)
    assert found.unread.estimate == found.unread_misled.estimate == found.lost.estimate == 1
    assert found.followed_cue.estimate == found.gained.estimate == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"misled_right": [True]}, "right has shape"),
        ({"clean_choice": [0, -2]}, "below -1"),
        ({"cue": [0, -3]}, "below -1"),
        ({"misled_choice": [-1, 0]}, "unread answer counts as right"),
        ({"stratum": [0, 2]}, "stratum"),
        ({"clean_right": [0.5, 1]}, "neither true nor false"),
        ({"benchmark": ["a"]}, "benchmark has shape"),
    ],
)
def test_bad_columns(change, words):
    good = {"clean_right": [True, True], "misled_right": [True, False], "clean_choice": [0, 0],
            "misled_choice": [0, 1]}  # fmt: skip
    pair_answers(**good)
    with pytest.raises(InputError, match=words):
        pair_answers(**(good | change))


@pytest.mark.parametrize("settings", [{"level": 1.5}, {"resamples": 0}, {"seed": -1}])
def test_bad_settings(settings):
    pairs = by_letters(HAND)
    for function in (transitions, by_stratum):
        with pytest.raises(InputError):
            function(pairs, **settings)


def test_against_the_control_arm_by_hand():
    probe = by_letters(HAND)
    # Right in the control arm: rows 0, 2, 4, 10; on the probe's cue: rows 1, 6; row 3 has none.
    answers = ["A", "B", "A", None, "A", "C", "B", "-", "C", "D", "A"]
    rows = [
        (key, clean, said, None)
        for (key, clean, _, _), said in zip(HAND, answers, strict=True)
        if said is not None
    ]
    unit = np.array([i for i, said in enumerate(answers) if said is not None])
    found = against_control(probe, by_letters(rows, unit=unit), resamples=200)
    assert found.n == 10
    assert found.net.estimate == pytest.approx(100 * (4 - 4) / 10)
    # Of the four right ones with both arms: lost 3 when misled (rows 1, 2, 10), 1 in control.
    assert (found.lost.n, found.lost.estimate) == (4, pytest.approx(100 * (3 - 1) / 4))
    assert (found.gained.n, found.gained.estimate) == (6, pytest.approx(100 * (3 - 1) / 6))
    assert (found.followed_cue.n, found.followed_cue.estimate) == (8, pytest.approx(25.0))
    assert found.cue_effect.estimate == pytest.approx((4 / 8 - 2 / 8) / (1 - 2 / 8))
    assert found.unread.estimate == pytest.approx(100 * (0 - 1) / 10)
    assert (found.test.lost, found.test.gained) == (2, 2)


def test_several_control_answers_are_averaged():
    probe = by_letters([("A", "A", "B", "B"), ("A", "A", "A", "B")], unit=[7, 9])
    rows = [("A", "A", "A", None), ("A", "A", "B", None), ("A", "A", "A", None)]
    found = against_control(probe, by_letters(rows, unit=[7, 7, 9]), resamples=100)
    assert found.n == 2
    assert found.net.estimate == pytest.approx(100 * ((0 - 0.5) + (1 - 1)) / 2)
    assert found.test.p_mcnemar is None and found.test.p_sign_flip == 1


def test_arms_without_common_pairs_and_with_other_clean_answers():
    one = by_letters([("A", "A", "B", "B")], unit=[1])
    found = against_control(one, by_letters([("A", "A", "A", None)], unit=[2]), resamples=100)
    assert found.n == 0 and found.test is None
    assert found.lost.reason == found.cue_effect.reason == "no pair has an answer in both arms"
    with pytest.raises(InputError, match="different clean answers"):
        against_control(one, by_letters([("A", "B", "A", None)], unit=[1]))


def test_a_guesser_shows_no_effect_against_control():
    guesser = known.Answerer(0.2)
    runs = 250
    for copies in (False, True):
        tallies, tests, ends = known.run_control(guesser, guesser, 120, runs, 300, copies)
        # 5 % of 250 runs: 12.5, standard deviation 3.4.
        assert 2 <= tests <= 25 and 2 <= ends <= 25
        assert all(0.90 <= tally.coverage <= 0.995 for tally in tallies.values())
    alone = [transitions(known.single(guesser, 120).draw(np.random.default_rng(i)), resamples=100)
             for i in range(20)]  # fmt: skip
    # Without the control arm it "loses" four of five right answers.
    assert np.mean([found.lost.estimate for found in alone]) == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize("name", ["follower 0.3", "copies as clusters", "4 samples"])
def test_intervals_cover(name):
    """A short version of bench/coverage_transitions.py."""
    for estimate, tally in known.run_transitions(known.designs()[name], 250, 300).items():
        # 95 % of 250 runs: standard deviation 1.4 points.
        assert 0.90 <= tally.coverage <= 0.995, (estimate, tally.coverage)


def test_strata_within_benchmarks():
    rng = np.random.default_rng(4)
    n = 400
    benchmark = np.repeat(["a", "b"], n // 2)
    stratum = (rng.random(n) < np.repeat([0.7, 0.3], n // 2)).astype(int)
    rows = known.single(known.Answerer(0.6, 0.3, 0.5), n).draw(rng)
    pairs = dataclasses.replace(
        rows, benchmark_names=("a", "b"), benchmark=(benchmark == "b").astype(int), stratum=stratum
    )
    found = by_stratum(pairs, resamples=500)
    change = pairs.misled_right.astype(float) - pairs.clean_right
    total = weight = 0.0
    for name in "ab":
        r, k = ((benchmark == name) & (stratum == s) for s in (1, 0))
        w = r.sum() * k.sum() / (r.sum() + k.sum())
        total += w * (change[r].mean() - change[k].mean())
        weight += w
    assert found["net"].estimate == pytest.approx(100 * total / weight)
    assert found["net"].benchmarks == ("a", "b")
    assert found["net"].low < found["net"].estimate < found["net"].high
    assert found["lost"].n <= pairs.clean_right.sum()
    small = by_stratum(pairs.where(np.arange(30)), resamples=100)["net"]
    assert small.estimate is None and "20 pairs" in small.reason


def test_sign_flips_see_clusters():
    rows = [("A", "A", "B", "B")] * 6 + [("A", "A", "A", "B")] * 6
    cluster = np.array([0] * 6 + [1] * 6)
    found = transitions(by_letters(rows, cluster=cluster), resamples=100)
    assert found.test.p_sign_flip == sign_flip([-6.0]).p == 1
    assert found.test.p_mcnemar == pytest.approx(2 / 2**6)


def test_states_name_every_answer():
    clean, misled = by_letters(HAND).states()
    assert [STATES[i] for i in clean] == ["right"] * 4 + ["cue", "wrong", "cue", "unread",
                                                         "unread", "wrong", "right"]  # fmt: skip
    assert STATES[misled[3]] == "unread" and STATES[misled[1]] == "cue"
