"""Selection: shares to rounding, all at once; nothing invented; refusals that say what to do."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viva.errors import InputError
from viva.records import Choice, Group, Item
from viva.synthesis import Example, key_of
from viva.targets import Text
from viva.training._margins import allot
from viva.training.recipes import Select
from viva.training.selection import place_of, score_of, select

KINDS = ("wrong", "correct", "irrelevant", "absent")
QUARTERS = dict.fromkeys(KINDS, 0.25)


def example(i: int, **given: object) -> Example:
    meta = {"domain": given.pop("domain")} if "domain" in given else {}
    scores = {name: given.pop(name) for name in ("pass_rate", "hops") if name in given}
    item = Item(
        "bench", str(i), "Which drug is it?", ("a", "b"), given.pop("target", Choice(0)),
        p_reasoning=given.pop("p", None), group=given.pop("group", None), meta=meta,
    )  # fmt: skip
    return Example(item, scores=scores, source="file.jsonl", **given)


made = st.builds(
    dict,
    p=st.floats(0, 1),
    pass_rate=st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]),
    domain=st.sampled_from(["medical", "medical", "general"]),
    start_kind=st.sampled_from(KINDS),
)


@st.composite
def examples(draw: st.DrawFn) -> list[Example]:
    rows = draw(st.lists(made, min_size=1, max_size=60))
    return [example(i, **row) for i, row in enumerate(rows)]


@st.composite
def wanted(draw: st.DrawFn) -> Select:
    share = st.sampled_from([0.1, 0.25, 1 / 3, 0.5, 0.7, 0.9])
    asked: dict[str, object] = {}
    if draw(st.booleans()):
        medical = draw(share)
        asked["mix"] = {"medical": medical, "general": 1 - medical}
    if draw(st.booleans()):
        asked["starts"] = QUARTERS
    if draw(st.booleans()):
        asked["reasoning_share"] = draw(share)
    if draw(st.booleans()):
        asked["hard_ratio"] = draw(share)
    if draw(st.booleans()):
        asked["limit"] = draw(st.integers(1, 40))
    return Select(**asked)


def labels(one: Example) -> dict[str, str]:
    return {
        "mix": one.item.meta["domain"],
        "starts": one.start_kind,
        "reasoning_share": "reasoning" if one.item.p_reasoning >= 0.5 else "other",
        "hard_ratio": "hard" if one.scores["pass_rate"] < 0.5 else "easy",
    }


@given(examples(), wanted(), st.integers(0, 3))
def test_every_share_holds_to_rounding_at_once(rows, asked, seed):
    try:
        chosen, report = select(rows, asked, seed=seed)
    except InputError as error:
        assert error.mend
        return
    n = len(chosen)
    assert 1 <= n <= (asked.limit or len(rows))
    assert report["kept"] == n
    assert report["given"] == len(rows) == n + sum(report["dropped"].values())
    for axis, classes in report["shares"].items():
        assert sum(each["kept"] for each in classes.values()) == n
        for name, told in classes.items():
            kept = sum(labels(each)[axis] == name for each in chosen)
            assert kept == told["kept"]
            assert math.floor(told["asked"] * n - 1e-6) <= kept
            assert kept <= math.ceil(told["asked"] * n + 1e-6)


@given(examples(), wanted(), st.randoms())
def test_the_choice_is_of_the_data_and_the_seed_alone(rows, asked, random):
    other = list(rows)
    random.shuffle(other)
    try:
        first = select(rows, asked, seed=1).examples
    except InputError as error:
        with pytest.raises(InputError, match=r"none|cannot|asks"):
            select(other, asked, seed=1)
        assert str(error)
        return
    second = select(other, asked, seed=1).examples
    assert {key_of(each) for each in first} == {key_of(each) for each in second}
    assert len({key_of(each) for each in first}) == len(first)
    assert all(any(each is row for row in rows) for each in first)
    assert first == sorted(first, key=rows.index)


def test_as_many_as_the_shares_allow():
    rows = [example(i, p=1.0, pass_rate=0.0 if i < 30 else 1.0) for i in range(100)]
    chosen, report = select(rows, Select(hard_ratio=0.5))
    assert len(chosen) == 60
    assert report["shares"]["hard_ratio"]["hard"] == {"asked": 0.5, "kept": 30, "available": 30}
    assert report["dropped"] == {"beyond its share": 40}
    assert len(select(rows, Select(hard_ratio=2 / 3)).examples) == 45  # right to wrong 1:2


def test_another_seed_takes_others_and_one_more_example_few_others():
    rows = [example(i, p=1.0) for i in range(400)]
    first, other = (select(rows, Select(limit=100), seed=s).examples for s in (0, 1))
    assert 10 < len({key_of(e) for e in first} & {key_of(e) for e in other}) < 50
    more = select([*rows, example(400, p=1.0)], Select(limit=100), seed=0).examples
    assert len({key_of(e) for e in first} & {key_of(e) for e in more}) >= 99


def test_two_shares_do_not_come_to_stand_for_each_other():
    """Half wrong starts and half reasoning: not all the wrong ones on reasoning items."""
    rows = [
        example(4 * i + 2 * a + b, p=float(a), start_kind=KINDS[b])
        for i in range(50) for a in (0, 1) for b in (0, 1)
    ]  # fmt: skip
    asked = Select(reasoning_share=0.5, starts={"wrong": 0.5, "correct": 0.5}, limit=60)
    chosen = select(rows, asked).examples
    both = [(each.item.p_reasoning, each.start_kind) for each in chosen]
    assert {pair: both.count(pair) for pair in set(both)} == dict.fromkeys(set(both), 15)


def test_cells_keep_the_odds_of_the_data():
    """Raking: margins as asked, the odds ratio that of the data (here 4)."""
    there = {("a", "x"): 400, ("a", "y"): 200, ("b", "x"): 200, ("b", "y"): 400}
    taken = allot(there, [{"a": 0.3, "b": 0.7}, {"x": 0.4, "y": 0.6}], 300)
    assert sum(taken.values()) == 300
    odds = taken["a", "x"] * taken["b", "y"] / (taken["a", "y"] * taken["b", "x"])
    assert odds == pytest.approx(4, rel=0.05)


def test_a_table_of_many_cells_is_quick():
    there = {
        (s, d, r, h): 1000 + 7 * len(s) * len(d)
        for s in KINDS for d in ("m", "gg", "ccc") for r in "ab" for h in "cd"
    }  # fmt: skip
    shares = [
        QUARTERS,
        {"m": 0.6, "gg": 0.3, "ccc": 0.1},
        {"a": 0.7, "b": 0.3},
        {"c": 0.5, "d": 0.5},
    ]
    taken = allot(there, shares, 12_345)
    assert sum(taken.values()) == 12_345


def test_ranges_are_closed_and_what_is_not_known_is_told():
    rows = [example(i, pass_rate=i / 10) for i in range(11)] + [example(99)]
    chosen, report = select(rows, Select(pass_rate=[0.1, 0.9]))
    assert [each.scores["pass_rate"] for each in chosen] == [i / 10 for i in range(1, 10)]
    assert report["dropped"] == {"pass_rate not known": 1, "outside pass_rate": 2}


def test_kinds_strata_sources_and_mix_by_source():
    rows = [example(0, target=Text(("x",))), example(1)]
    assert select(rows, Select(kinds=["text"])).examples == rows[:1]
    assert len(select(rows, Select(sources=["file.jsonl"])).examples) == 2
    assert len(select(rows, Select(sources=["bench"])).examples) == 2
    assert len(select(rows, Select(mix={"bench": 1.0})).examples) == 2


def test_no_start_is_an_absent_one():
    rows = [example(0), example(1, start_kind="wrong", start="It is A.")]
    asked = Select(starts={"wrong": 0.5, "absent": 0.5})
    assert len(select(rows, asked).examples) == 2


def test_parts_share_no_item_and_no_twins():
    rows = [example(i, group=Group(str(i // 2))) for i in range(400)]
    halves = [select(rows, Select(part=part)).examples for part in ([0.0, 0.5], [0.5, 1.0])]
    groups = [{each.item.group.id for each in half} for half in halves]
    assert not groups[0] & groups[1]
    assert sum(map(len, halves)) == 400
    assert 150 < len(halves[0]) < 250
    assert all(0 <= place_of(each) < 0.5 for each in halves[0])


def test_scores_come_before_what_the_item_says():
    one = Example(
        Item("b", "1", "two words", p_reasoning=0.2, stratum="reasoning", meta={"hops": 3, "x": True}),
        scores={"p_reasoning": 0.9},
    )  # fmt: skip
    assert score_of(one, "p_reasoning") == 0.9
    assert score_of(one, "hops") == 3
    assert score_of(one, "words") == 2
    assert score_of(one, "x") is None
    assert score_of(Example(Item("b", "1", "q", stratum="knowledge")), "p_reasoning") == 0


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"p_reasoning": [0.9, 1.0]}, r"select.p_reasoning = \[0.9, 1.0\] leaves none of 4 .*0.2"),
        ({"hops": [2.0, 5.0]}, r"hops is known of none of 4 examples.*step difficulty"),
        ({"hard_ratio": 0.5}, r"pass_rate is known of none.*step pass_rate"),
        ({"kinds": ["txt"]}, r"select.kinds: txt.*Known: choice"),
        ({"kinds": ["text"]}, r"'choice' \(4\)"),
        ({"sources": ["other"]}, r"'file.jsonl' \(4\)"),
        ({"mix": {"medical": 0.5, "general": 0.5}}, r"mix asks for general.*'medical' \(4\)"),
        ({"starts": QUARTERS}, r"starts asks for correct, irrelevant, absent"),
        ({"reasoning_share": 0.7}, r"reasoning_share asks for reasoning"),
    ],
)
def test_an_empty_result_is_refused_with_the_mend(asked, said):
    rows = [example(i, p=0.2, domain="medical", start_kind="wrong") for i in range(4)]
    with pytest.raises(InputError, match=said):
        select(rows, Select(**asked))


def test_shares_that_cannot_hold_at_once_are_refused():
    rows = [example(i, p=1.0, start_kind="wrong") for i in range(5)]
    rows += [example(10 + i, p=0.0, start_kind="correct") for i in range(5)]
    asked = Select(reasoning_share=0.9, starts={"wrong": 0.5, "correct": 0.5})
    with pytest.raises(InputError, match="reasoning_share cannot hold at once"):
        select(rows, asked)


def test_nothing_is_refused_and_a_limit_not_reached_is_told():
    with pytest.raises(InputError, match="no examples"):
        select([], None)
    rows = [example(0)]
    assert select(rows).examples == rows
    assert select(rows, Select(limit=5)).report["short_of_limit"] == 4
