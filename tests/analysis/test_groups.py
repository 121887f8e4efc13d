"""Groups of variants: tables by hand, statistics of others, known answerers, frames."""

from __future__ import annotations

import importlib.util
import json
import sys

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import cochrans_q
from statsmodels.stats.proportion import proportion_confint

from viva.analysis import (
    disparity,
    order_bias,
    pick_bias,
    relations,
    skew_size,
    summarise_formats,
    summarise_groups,
    worst_of_k,
)
from viva.analysis.disparity import block_test
from viva.errors import InputError
from viva.records import (
    Choice,
    Group,
    Item,
    Response,
    Score,
    items_frame,
    responses_frame,
    scores_frame,
)
from viva.scoring import score_responses

RUNS = 60


@pytest.fixture(scope="module")
def bench(root):
    path = root / "bench/coverage_confidence.py"
    spec = importlib.util.spec_from_file_location("bench_coverage_groups", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


# Relations ---------------------------------------------------------------------------------


def test_relations_by_hand():
    #            same flip unread-variant unread-original | left stays unread wrong-original
    found = relations(
        ["preserving"] * 4 + ["altering"] * 4 + ["unanswerable"] * 2,
        original_choice=[0, 0, 0, -1, 0, 0, 0, 1, 0, 0],
        variant_choice=[0, 1, -1, 0, 2, 0, -1, 1, -1, 3],
        original_key=[0] * 10,
        variant_key=[0, 0, 0, 0, 2, 1, 1, -1, -1, -1],
    )
    expected = {
        "consistency": (1, 4), "flip_rate": (1, 4), "unread": (2, 4), "faithfulness": (2, 4),
        "faithfulness_when_right": (1, 3), "altered_right": (1, 3), "committed": (1, 2),
    }  # fmt: skip
    for name, (k, n) in expected.items():
        value = getattr(found, name)
        assert (value.estimate, value.n) == (pytest.approx(k / n), n), name
        low, high = proportion_confint(k, n, method="wilson")
        assert (value.low, value.high) == (pytest.approx(low), pytest.approx(high)), name
    assert (found.n, found.groups) == (10, 10)


@given(st.lists(st.tuples(st.integers(-1, 3), st.integers(-1, 3)), min_size=1, max_size=30))
def test_what_must_stay_stays_flips_or_is_unread(choices):
    first, second = zip(*choices, strict=True)
    found = relations(
        ["preserving"] * len(choices), original_choice=first, variant_choice=second,
        original_key=[0] * len(choices), group=np.arange(len(choices)) // 2, resamples=50,
    )  # fmt: skip
    parts = (found.consistency, found.flip_rate, found.unread)
    assert sum(part.estimate for part in parts) == pytest.approx(1)
    assert found.faithfulness.estimate is None
    assert found.faithfulness.reason == "no pair is altering"


def test_bad_relations():
    columns = {"original_choice": [0], "variant_choice": [0], "original_key": [0]}
    with pytest.raises(InputError, match="unknown relation"):
        relations(["sideways"], **columns)
    with pytest.raises(InputError, match="length"):
        relations(["preserving"] * 2, **columns)


def test_worst_of_k_by_hand():
    group = [1, 1, 1, 2, 2, 3, 3, 4]
    found = worst_of_k([1, 1, 1, 1, 0, 0, 0, 1], group)
    assert (found.groups, found.smallest_k, found.largest_k) == (3, 2, 3)
    assert found.worst.estimate == pytest.approx(1 / 3)
    assert found.best.estimate == pytest.approx(2 / 3)
    assert (found.held.estimate, found.held.n) == (0.5, 2)
    assert found.mean.estimate == pytest.approx(0.5)
    with pytest.raises(InputError):
        worst_of_k([0.5], [1])
    assert worst_of_k([1, 0], [1, 2]).worst.reason == "no group has two graded answers"


# Disparity ---------------------------------------------------------------------------------


def test_the_block_test_is_cochrans():
    rng = np.random.default_rng(1)
    table = (rng.random((80, 5)) < rng.random(80)[:, None]).astype(float)
    label, block = np.tile(np.arange(5), 80), np.repeat(np.arange(80), 5)
    p, blocks = block_test(table.ravel(), label, block)
    assert p == pytest.approx(cochrans_q(table).pvalue)
    assert blocks == 80
    # One block: the test of independence, with n - 1 in place of n.
    p, _ = block_test(table.ravel(), label, np.zeros(400, int))
    counts = np.stack([table.sum(axis=0), 80 - table.sum(axis=0)])
    chi2 = stats.chi2_contingency(counts, correction=False).statistic
    assert p == pytest.approx(stats.chi2.sf(chi2 * 399 / 400, 4))


def test_disparity_by_hand():
    right = [1, 1, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0]
    label = ["a", "b", "c"] * 4
    found = disparity(right, label, np.repeat(np.arange(4), 3), resamples=500)
    rates = {k: np.mean([r for r, v in zip(right, label, strict=True) if v == k]) for k in "abc"}
    assert {k: v.estimate for k, v in found.accuracy.items()} == pytest.approx(rates)
    values = list(rates.values())
    assert found.max_gap.estimate == pytest.approx(100 * (max(values) - min(values)))
    assert found.sd.estimate == pytest.approx(100 * np.std(values))
    assert 0 <= found.max_gap_corrected <= found.max_gap.estimate
    assert found.max_gap.low <= found.max_gap.estimate <= found.max_gap.high


def test_disparity_of_one_value_and_of_nothing():
    assert disparity([1, 0], ["a", "a"]).max_gap.reason == "fewer than two group values"
    assert disparity([], []).max_gap.estimate is None
    with pytest.raises(InputError):
        disparity([2], ["a"])
    with pytest.raises(InputError):
        disparity([np.nan], ["a"])


def test_the_interval_of_no_gap_reaches_zero():
    right = np.tile([1, 0, 1, 1], 50)
    found = disparity(np.repeat(right, 4), np.tile(list("abcd"), 200), np.repeat(np.arange(200), 4))
    assert (found.max_gap.estimate, found.max_gap.low, found.max_gap.high) == (0, 0, 0)
    rng = np.random.default_rng(3)
    found = disparity(
        rng.random(800) < 0.6, np.tile(list("abcd"), 200), np.repeat(np.arange(200), 4)
    )
    assert found.max_gap.estimate > 0
    assert found.max_gap.low == 0


def test_skew_size_is_what_others_compute():
    rng = np.random.default_rng(5)
    label, group = rng.integers(6, size=3000), rng.integers(4, size=3000)
    right = rng.random(3000) < 0.5 + 0.05 * label * (group == 0)
    found = skew_size(right, group, label, np.arange(3000) // 4, resamples=50)
    effects = []
    for k in range(6):
        here = label == k
        counts = np.array(
            [[np.sum(right[here & (group == g)] == w) for g in range(4)] for w in (0, 1)]
        )
        effects.append(
            np.sqrt(stats.chi2_contingency(counts, correction=False).statistic / here.sum())
        )
        assert found.effects[str(k)] == pytest.approx(effects[-1])
    assert found.skew == pytest.approx(stats.skew(effects))
    assert found.mean == pytest.approx(np.mean(effects))


def test_skew_size_leaves_small_tables_out():
    label = np.repeat([0, 1, 2, 3, 4], [200, 200, 200, 12, 50])
    group = np.arange(662) % 2
    group[label == 4] = 0
    right = np.arange(662) // 2 % 2
    found = skew_size(right, group, label, resamples=20)
    assert set(found.left_out) == {"3", "4"}
    assert found.labels == 3
    assert found.p is None  # no block holds two values
    assert skew_size(right[label < 2], group[label < 2], label[label < 2]).reason.startswith(
        "fewer"
    )


# Positions ---------------------------------------------------------------------------------


def shown(n: int, asks: int, k: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    return rng.permuted(np.tile(np.arange(k), (n * asks, 1)), axis=1), np.repeat(np.arange(n), asks)


def test_who_picks_by_content_shows_no_order_bias():
    orders, block = shown(100, 3, 4)
    picked = np.argmax(orders == (block % 4)[:, None], axis=1)
    found = order_bias(orders.tolist(), picked.tolist(), block.tolist(), resamples=300)
    assert (found.follows_option.estimate, found.follows_position.estimate) == (1, 0)
    assert all(e.estimate == pytest.approx(0) for e in found.excess.values())
    assert found.p is None  # whatever the order, the picks are the same
    assert found.position_excess.estimate is None


def test_who_picks_by_position_shows_it():
    orders, block = shown(100, 2, 4)
    found = order_bias(orders.tolist(), [1] * 200, block.tolist(), resamples=300)
    assert (found.follows_option.estimate, found.follows_position.estimate) == (0, 1)
    assert found.excess["B"].low > 50
    assert found.excess["A"].high < 0
    assert found.p < 1e-6
    assert found.position_excess.estimate == pytest.approx(100 * (1 - 1 / 3))
    assert sum(e.estimate for e in found.excess.values()) == pytest.approx(0)


def test_two_options_swapped():
    """A swap leaves no third place: the position shows in the excess all the same."""
    orders = [[0, 1], [1, 0]] * 40
    block = np.repeat(np.arange(40), 2).tolist()
    found = order_bias(orders, [0] * 80, block, resamples=300)
    assert found.excess["A"].estimate == pytest.approx(100)
    assert found.p < 1e-6


def test_unread_picks_stay_in_the_denominator():
    found = order_bias([[0, 1, 2], [1, 2, 0]], [0, -1], [0, 0], resamples=50)
    assert (found.moved, found.unread.estimate, found.items) == (1, 1.0, 0)
    with pytest.raises(InputError, match="different options"):
        order_bias([[0, 1], [1, 2]], [0, 0], [0, 0])
    with pytest.raises(InputError):
        order_bias([[0, 1]], [2], [0])
    assert order_bias([], [], []).follows_option.estimate is None


def test_picks_by_hand():
    found = pick_bias([0, 0, 1, -1], [0, 1, 1, 2], [3, 3, 3, 3], resamples=200)
    assert (found.n, found.read) == (4, 3)
    assert found.picked == pytest.approx({"A": 2 / 3, "B": 1 / 3, "C": 0})
    assert found.key == pytest.approx({"A": 1 / 3, "B": 2 / 3, "C": 0})
    assert found.excess["A"].estimate == pytest.approx(100 / 3)
    assert found.accuracy["B"].estimate == pytest.approx(0.5)
    assert (found.accuracy["C"].estimate, found.accuracy["C"].n) == (0, 1)
    with pytest.raises(InputError):
        pick_bias([3], [0], [3])


# Frames ------------------------------------------------------------------------------------

OPTIONS = ("ketamine", "aspirin", "insulin", "heparin")


def item(name: str, options=OPTIONS, key: int | None = 0, **more) -> Item:
    target = None if key is None else Choice(key)
    return Item("b", name, f"question {name}?", options, target, **more)


def variant(name: str, probe: str, relation: str, options=OPTIONS, key=0, **more) -> Item:
    group = Group(f"b/{name}", probe, relation)
    return item(f"{name}~{probe}", options, key, group=group, **more)


def answered(items: list[Item], said: dict[str, str], *, probes: bool):
    frame = items_frame(items)
    responses = responses_frame(
        Response(
            "b", each.item_id, "m", text=said.get(each.item_id, "I cannot say."),
            probe=each.group.role if probes and each.group else None,
        )
        for each in items
    )  # fmt: skip
    return frame, score_responses(frame, responses), responses


@pytest.mark.parametrize("probes", [True, False])
def test_groups_from_frames(probes):
    """Variants in another order are compared by the option, whatever its letter."""
    turned = ("heparin", "ketamine", "aspirin", "insulin")
    items = []
    for i in range(4):
        items += [
            item(f"q{i}"),
            variant(f"q{i}", "order", "preserving", turned, 1),
            variant(f"q{i}", "gender", "preserving", meta={"gender": "female"}),
            variant(f"q{i}", "gender2", "preserving", meta={"gender": "male"}),
            variant(f"q{i}", "altered", "altering", OPTIONS, 2),
            variant(f"q{i}", "none", "unanswerable", OPTIONS[1:], None),
        ]
    items.append(variant("lost", "order", "preserving"))
    said = {"q0": "Answer: A", "q0~order": "Answer: B", "q0~gender": "Answer: A",
            "q0~gender2": "Answer: B", "q0~altered": "Answer: C", "q0~none": "Answer: A",
            "q1": "Answer: A", "q1~order": "Answer: A", "q1~altered": "Answer: A",
            "lost~order": "Answer: A"}  # fmt: skip
    frame, scores, responses = answered(items, said, probes=probes)
    found = summarise_groups(frame, scores, responses, resamples=100)
    order = found["probes"]["order"]
    assert order["consistency"]["estimate"] == pytest.approx(1 / 4)
    assert order["flip_rate"]["estimate"] == pytest.approx(1 / 4)  # q1: heparin, once ketamine
    assert order["unread"]["estimate"] == pytest.approx(2 / 4)
    altered = found["probes"]["altered"]
    assert altered["faithfulness"]["estimate"] == pytest.approx(1 / 4)
    assert altered["altered_right"]["estimate"] == pytest.approx(1 / 4)
    assert altered["faithfulness_when_right"] | {"low": 0, "high": 0} == {
        "estimate": 0.5, "low": 0, "high": 0, "n": 2, "reason": None,
    }  # fmt: skip
    assert found["probes"]["none"]["committed"]["estimate"] == pytest.approx(1 / 4)
    assert found["unpaired"] == {
        "without_original": 1, "original_not_answered": 0, "not_graded": 0,
    }  # fmt: skip
    gender = found["disparity"]["gender"]
    assert gender["accuracy"]["female"]["estimate"] == pytest.approx(1 / 4)
    assert gender["accuracy"]["male"]["estimate"] == 0
    assert found["worst_of_k"]["largest_k"] == 4
    assert found["order"]["items"] == 2
    assert found["order"]["follows_position"]["estimate"] == pytest.approx(0.5)
    assert found["picks"]["n"] == 4
    json.dumps(found, allow_nan=False)


def test_an_original_has_the_gender_that_its_variant_has_not():
    items = [
        item("q"), variant("q", "gender", "preserving", meta={"gender": "female"}),
        item("r"), variant("r", "gender", "preserving", meta={"gender": "male"}),
    ]  # fmt: skip
    frame, scores, _ = answered(items, {"q": "A", "r~gender": "A", "r": "A"}, probes=True)
    gender = summarise_groups(frame, scores, resamples=20)["disparity"]["gender"]
    assert gender["accuracy"]["male"]["estimate"] == 1
    assert gender["accuracy"]["female"]["estimate"] == pytest.approx(1 / 2)
    assert gender["blocks"] == 2


def test_variants_without_graded_answers_are_counted():
    items = [item("q"), variant("q", "x", "preserving"), item("r"), variant("r", "x", "preserving")]
    frame, scores, _ = answered(items, {}, probes=False)
    gone = pl.when(pl.col("item_id").is_in(["q", "r~x"]))
    scores = scores.with_columns(
        gone.then(pl.lit("ungraded")).otherwise("status").alias("status"),
        gone.then(None).otherwise("value").alias("value"),
    )
    found = summarise_groups(frame, scores, resamples=20)
    assert found["unpaired"] == {
        "without_original": 0, "original_not_answered": 1, "not_graded": 1,
    }  # fmt: skip
    assert found["relations"]["n"] == 0


def score(item_id: str, method: str, value: float | None) -> Score:
    status = "ungraded" if value is None else "parsed"
    return Score("b", item_id, "m", method, None, 0, "choice", status, "A", value)


def test_format_robustness():
    rows = [("1", 1, 1, 1), ("2", 1, 0, 1), ("3", 0, 0, 0), ("4", 1, 1, None)]
    scores = scores_frame(
        score(i, method, value)
        for i, *values in rows
        for method, value in zip(("choice", "ranked", "short_text"), values, strict=True)
    )
    found = summarise_formats(scores, resamples=100)
    assert (found["n"], found["incomplete"]) == (3, 1)
    assert found["robustness"]["estimate"] == pytest.approx(1 / 3)
    assert found["any"]["estimate"] == pytest.approx(2 / 3)
    assert found["held"]["estimate"] == pytest.approx(1 / 2)
    assert found["formats"]["max_gap"]["estimate"] == pytest.approx(100 / 3)
    assert summarise_formats(scores, formats=["choice", "ranked"], resamples=50)["n"] == 4
    with pytest.raises(InputError, match="two formats"):
        summarise_formats(scores, formats=["choice"])


@pytest.mark.shared
def test_consistency_and_faithfulness_of_nli4ct_p(shared):
    """As the official script means them, to four decimals, for answerers of several habits."""
    path = shared / "semeval2024_nli4ct_p/gold_practice_test.json"
    gold = json.loads(path.read_text("utf-8"))
    labels = ("Entailment", "Contradiction")
    items = []
    for name, row in gold.items():
        relation, of = row.get("Causal_type") or ("original", name)
        group = Group(of, row.get("Intervention") or "control", relation.lower())
        items.append(
            Item("nli4ct-p", name, row["Statement"], labels, Choice(labels.index(row["Label"])),
                 group=group)
        )  # fmt: skip
    frame = items_frame(items)
    rng = np.random.default_rng(0)
    for p_right in (0.5, 0.8, 1.0):
        right = dict(zip(gold, rng.random(len(gold)) < p_right, strict=True))
        said = {
            name: row["Label"] if right[name] else labels[1 - labels.index(row["Label"])]
            for name, row in gold.items()
        }
        responses = responses_frame(
            Response("nli4ct-p", name, "m", prediction="AB"[labels.index(label)], already_read=True)
            for name, label in said.items()
        )
        found = summarise_groups(frame, score_responses(frame, responses), resamples=50)
        kinds = {kind: [n for n, row in gold.items() if (row.get("Causal_type") or [0])[0] == kind]
                 for kind in ("Preserving", "Altering")}  # fmt: skip
        assert (len(kinds["Preserving"]), len(kinds["Altering"])) == (1606, 336)
        consistency = np.mean(
            [said[n] == said[gold[n]["Causal_type"][1]] for n in kinds["Preserving"]]
        )
        faithfulness = np.mean(
            [said[n] != gold[gold[n]["Causal_type"][1]]["Label"] for n in kinds["Altering"]]
        )
        got = found["relations"]
        assert round(got["consistency"]["estimate"], 4) == round(consistency, 4)
        assert round(got["faithfulness"]["estimate"], 4) == round(faithfulness, 4)
        assert (got["n"], got["groups"]) == (1942, len({gold[n]["Causal_type"][1] for n in
                                                        kinds["Preserving"] + kinds["Altering"]}))  # fmt: skip


# Known truth -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "eight values, gap 10", "relations, groups of 4", "worst of 3", "worst of 5, 3 samples",
        "order, bias 0.2", "picks, bias 0.2",
    ],
)  # fmt: skip
def test_intervals_hold_the_truth(bench, name):
    intervals, _ = bench.measure(bench.settings(200)[name], RUNS)
    for what, tally in intervals.items():
        assert tally.runs == RUNS
        assert 0.93 - 3 * np.sqrt(0.95 * 0.05 / RUNS) <= tally.coverage, what
        assert tally.width > 0


@pytest.mark.parametrize("name", ["two values, no gap", "picks, no bias"])
def test_nothing_is_found_where_nothing_is(bench, name):
    intervals, tests = bench.measure(bench.settings(200)[name], RUNS)
    for tally in tests.values():
        assert tally.coverage <= 0.05 + 3 * np.sqrt(0.95 * 0.05 / RUNS)
    for tally in intervals.values():
        assert tally.coverage >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / RUNS)
