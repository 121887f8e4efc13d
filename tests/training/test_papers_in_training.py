"""What the index of papers says of training, where it needs no trainer."""

from __future__ import annotations

from dataclasses import replace

import pytest
from trainings import examples

from viva.records import Choice, Item
from viva.synthesis import key_of
from viva.targets import Label, Number, Text
from viva.training.curricula import CLOSED, order
from viva.training.recipes import Curriculum, Select, read_recipe
from viva.training.rewards import choice as choice_reward
from viva.training.rewards import find_reward, hierarchy, open_match, survival
from viva.training.selection import select


def counted(n=160):
    """Examples of which 0 to 16 of 16 answers were right."""
    return [
        replace(each, scores={"pass_rate": i % 17 / 16, "pass_count": i % 17})
        for i, each in enumerate(examples(n))
    ]


def test_medvlthinker_keeps_pass_counts_from_1_to_7():
    recipe = read_recipe("medvlthinker-text")
    step = next(each for each in recipe.synthesis if each.step == "pass_rate")
    assert step.settings == {"samples": 16, "temperature": 1.0, "low": 1 / 16, "high": 7 / 16}
    kept = select(counted(170), recipe.stages[1].select).examples
    assert sorted({each.scores["pass_count"] for each in kept}) == list(range(1, 8))
    phases = order(kept, recipe.stages[1].curriculum)
    rates = [{each.scores["pass_count"] for each in phase} for phase in phases]
    assert min(rates[0]) > max(rates[1]) and min(rates[1]) > max(rates[2])  # easy to hard


@pytest.mark.parametrize("answer", ["B)", "(B)", "Option B", "B.", "B\n", "<answer>B</answer>"])
def test_medvlthinkers_reward_takes_a_letter_in_any_dress(answer):
    item = Item("demo", "1", "Which?", ("Atropine", "Pralidoxime"), Choice(1))
    assert find_reward("medvlthinker").function(item, f"<think>As it is.</think>{answer}") > 0.8


def test_alphameds_samplers_are_deterministic():
    recipe = read_recipe("alphamed")
    data = examples(200)
    chosen = recipe.stages[0].select.model_copy(update={"limit": 40})
    one, two = (select(given, chosen, seed=3).examples for given in (data, data[::-1]))
    assert sorted(map(key_of, one)) == sorted(map(key_of, two))
    assert len(one) == 40
    first, again, other = (order(one, seed=s)[0] for s in (1, 1, 2))
    assert list(map(key_of, first)) == list(map(key_of, again)) != list(map(key_of, other))


@pytest.mark.parametrize(("hard", "simple"), [(1, 1), (2, 1)])
def test_fleming_r1_draws_hard_and_simple_in_their_ratio(hard, simple):
    if (hard, simple) == (1, 1):
        chosen = read_recipe("fleming-r1").stages[1].select
        assert chosen.hard_ratio == 0.5
    else:
        mining = read_recipe("fleming-r1").stages[2].mining
        assert mining.wrong / mining.right == 2
        chosen = Select(hard_ratio=2 / 3)
    kept = select(counted(), chosen).examples
    rates = [each.scores["pass_rate"] < 0.5 for each in kept]
    assert sum(rates) / (len(rates) - sum(rates)) == pytest.approx(hard / simple, rel=0.05)
    assert read_recipe("fleming-r1").stages[1].settings["scale_rewards"] == "none"  # r - mean


def test_medcco_goes_from_closed_to_open_and_each_reward_is_none_for_the_other():
    closed = Item("demo", "1", "Which?", ("a", "b"), Choice(0))
    opened = Item("demo", "2", "What?", (), Text(("aspirin",)))
    assert choice_reward(opened, "A") is None
    assert open_match(closed, "aspirin") is None
    data = [
        replace(each, item=replace(each.item, options=(), target=Text(("aspirin",))))
        if i % 3
        else each
        for i, each in enumerate(examples(30))
    ]
    stage = read_recipe("medcco").stages[0]
    first, second = order(select(data, stage.select).examples, stage.curriculum)
    assert {"choice"} <= CLOSED
    assert {type(each.item.target) for each in first} == {Choice}
    assert {type(each.item.target) for each in second} == {Text}
    assert (len(first), len(second)) == (10, 20)


def test_kg_rewards_stages_see_short_paths_alone():
    data = [replace(each, scores={"hops": 1 + i % 5}) for i, each in enumerate(examples(50))]
    for stage in read_recipe("kg-reward").stages:
        assert {e.scores["hops"] for e in select(data, stage.select).examples} == {1, 2, 3}
    phases = order(data, Curriculum(order="hops", phases=5))
    assert [{e.scores["hops"] for e in phase} for phase in phases] == [{1}, {2}, {3}, {4}, {5}]


def test_oncoreason_pays_status_and_months_and_no_censored_time_beyond_the_last_sight():
    pay = find_reward("oncoreason").function
    status = Item("demo", "1", "Alive at five years?", (), Label("dead", ("alive", "dead")))
    months = Item("demo", "2", "Months?", (), Number(24, "month"), meta={"censored": True})
    assert pay(status, "<think>It has spread.</think>dead") > pay(status, "alive") == 0
    assert survival(months, "30 months") == 1 > survival(months, "18 months") > 0


def test_skin_r1_pays_less_with_the_distance_in_the_taxonomy():
    tree = {"plaque psoriasis": "psoriasis", "psoriasis": "skin", "eczema": "skin"}
    item = Item("demo", "1", "Which?", (), Text(("plaque psoriasis",)), meta={"parents": tree})
    leaf, parent, other = (hierarchy(item, x) for x in ("plaque psoriasis", "psoriasis", "flu"))
    assert leaf == 1 > parent > other == 0


def test_thinking_is_a_field_of_recipes():
    assert read_recipe("alphamed").thinking == "none"
    assert read_recipe("alphamed", ["thinking=tags"]).thinking == "tags"
