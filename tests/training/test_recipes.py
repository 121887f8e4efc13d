"""Recipes: what is shipped can be read, and a slip of the pen is found with its line."""

from __future__ import annotations

import pytest

from viva.errors import InputError
from viva.training.recipes import read_recipe, recipes

RECIPE = """\
id = "mine"
title = "Mine"
summary = "One stage of each kind."
departs = ["from everything"]

[[synthesis]]
step = "p_reasoning"
minimum = 0.5

[[stages]]
name = "first"
trainer = "sft"
select = { p_reasoning = [0.5, 1.0], starts = { wrong = 0.5, correct = 0.5 } }
adapter = { rank = 8, dora = true }
settings = { learning_rate = 1e-5 }

[[stages]]
name = "second"
trainer = "grpo"
after = "base"
reward = [
  { name = "choice", weight = 1.0 },
  { name = "length", weight = 0.1 },
]

[stages.curriculum]
order = "hops"
phases = 3
"""


@pytest.fixture
def write(tmp_path):
    def write(text=RECIPE):
        path = tmp_path / "mine.toml"
        path.write_text(text)
        return path

    return write


def test_what_a_recipe_says(write):
    recipe = read_recipe(write())
    assert [stage.name for stage in recipe.stages] == ["first", "second"]
    assert recipe.synthesis[0].settings == {"minimum": 0.5}
    first, second = recipe.stages
    assert first.select.starts == {"wrong": 0.5, "correct": 0.5}
    assert first.adapter is not None and first.adapter.dora and not first.adapter.rslora
    assert [part.name for part in second.reward] == ["choice", "length"]
    assert (second.curriculum.order, second.curriculum.phases) == ("hops", 3)


@pytest.mark.parametrize("name", recipes())
def test_the_shipped_recipes_are_read_and_called_by_their_id(name):
    recipe = read_recipe(name)
    assert recipe.id == name


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("title", "titel", 2, "Did you mean title"),
        ("adapter =", "adaptor =", 14, "Did you mean adapter"),
        ("dora = true", "dorra = true", 14, "Did you mean dora"),
        ("dora = true", "dora = 1", 14, "dora: Input should be a valid boolean"),
        ("p_reasoning = [", "p_reason = [", 13, "Did you mean p_reasoning"),
        ("wrong = 0.5", "wrongs = 0.5", 13, "wrong"),
        ("wrong = 0.5", "wrong = 0.9", 13, "sum to 1.4"),
        ("weight = 0.1", "weigth = 0.1", 23, "Did you mean weight"),
        ("phases = 3", "phases = 0", 28, "phases: Input should be greater than or equal to 1"),
        ("phases = 3", "phase = 3", 28, "Did you mean phases"),
        ('order = "hops"', 'order = "hop"', 27, "order"),
        ('trainer = "sft"', 'trainer = "ppo"', 12, "trainer"),
        ('trainer = "sft"', 'trainer = "grpo"', 10, "needs a reward"),
        ('after = "base"', 'after = "third"', None, "'third'"),
        ('name = "second"', 'name = "first"', None, "two stages"),
        ('step = "p_reasoning"\n', "", 6, "has no step"),
        ("rank = 8", "rank = ", 14, "is not TOML"),
    ],
)  # fmt: skip
def test_a_slip_is_one_line_with_its_place(write, old, new, line, said):
    assert old in RECIPE
    path = write(RECIPE.replace(old, new, 1))
    with pytest.raises(InputError) as caught:
        read_recipe(path)
    place = f"{path}:{line}: " if line else f"{path}: "
    assert str(caught.value).startswith(place), str(caught.value)
    assert said in str(caught.value)


def test_no_file_and_no_id():
    with pytest.raises(InputError, match="Did you mean laptop"):
        read_recipe("laptp")
    with pytest.raises(InputError, match="no such recipe file"):
        read_recipe("folder/mine.toml")


def test_values_in_place_of_those_of_the_file(write):
    recipe = read_recipe(
        write(),
        [
            "stages.0.settings.learning_rate=1e-4", "stages.second.settings.loss_type=[\"dapo\"]",
            "method=direct", "stages.first.select.limit=7", "synthesis.p_reasoning.minimum=0.7",
        ],
    )  # fmt: skip
    assert recipe.stages[0].settings == {"learning_rate": 1e-4}
    assert recipe.stages[0].select.limit == 7
    assert recipe.stages[1].settings == {"loss_type": ["dapo"]}
    assert recipe.method == "direct"
    assert recipe.synthesis[0].settings == {"minimum": 0.7}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("stages.0.nme=x", "Did you mean name"),
        ("stages.9.name=x", "there is no '9'"),
        ("stages.secnd.name=x", "Did you mean second"),
        ("method.name.deep=1", "method"),
        ("method", "has no value"),
    ],
)
def test_a_slip_on_the_command_line(write, given, said):
    with pytest.raises(InputError, match=said):
        read_recipe(write(), [given])
