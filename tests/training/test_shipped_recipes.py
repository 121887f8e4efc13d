"""The recipes that are shipped: what they cite, name and pay; and where their numbers come from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from viva import methods
from viva.formats.item_json import item_to_json
from viva.records import LETTERS, Choice, Item
from viva.synthesis import STEPS, find_step
from viva.synthesis.steps import settings_of
from viva.targets import kind_of
from viva.training.recipes import read_recipe, recipes
from viva.training.reward_functions import reward_functions
from viva.training.rewards import REWARDS
from viva.training.rewards.cases import find_inversions, medical_cases

ROOT = Path(__file__).resolve().parents[2]
PAPERS = {
    "biomed-r1": "biomed-r1", "alphamed": "alphamed", "medvlthinker-text": "medvlthinker",
    "m1": "m1", "huatuo-o1": None, "med-refl": "med-refl", "gazal-r1": "gazal-r1",
    "fleming-r1": "fleming-r1", "clinical-r1": "clinical-r1", "ranked-list": "ranked-lists",
    "medcco": "medcco", "preferred-medllm": "preferred-medllm", "oncoreason": "oncoreason",
    "kg-reward": None,
}  # fmt: skip
"""Recipe -> id in docs/papers.toml, where there is one."""
STAGES = [
    (name, stage.name)
    for name in PAPERS
    for stage in read_recipe(name).stages
    if stage.trainer == "grpo"
]


def stage_of(name, stage):
    return next(each for each in read_recipe(name).stages if each.name == stage)


def test_every_paper_has_its_recipe():
    assert recipes().keys() >= PAPERS.keys()
    assert {name for name in recipes() if read_recipe(name).paper} == PAPERS.keys()


@pytest.mark.parametrize("name", PAPERS)
def test_a_recipe_cites_its_paper_and_says_where_it_departs(name):
    recipe = read_recipe(name)
    assert re.fullmatch(r"arXiv:\d{4}\.\d{5}", recipe.paper)
    assert recipe.base and recipe.needs_gpu and recipe.summary.endswith(".")
    assert recipe.departs and all(each.endswith(".") for each in recipe.departs)
    listed = tomllib.loads((ROOT / "docs/papers.toml").read_text("utf-8"))["paper"]
    title = next((p["title"] for p in listed if p["id"] == PAPERS[name]), None)
    if title is not None and name != "medcco":  # the index has the title of another version
        assert recipe.title.split(" (")[0] in title


# Where the numbers come from -------------------------------------------------------------------

MARKS = re.compile(r"#\s*(paper|nearest|chosen|from memory|inferred)\b(.*)")
COVERS = re.compile(r"and (all|the (\w+)) below")
COUNTED = {word: n for n, word in enumerate("one two three four five six seven".split(), 1)}
FREE = {"name", "trainer", "after", "step", "reward", "normalise", "kinds", ""}
"""Keys whose value is no number of a paper."""


def unsourced(text):
    """Lines of tables that no comment says the source of."""
    found, covered, inside = [], 0, False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("["):
            covered, inside = 0, True
            continue
        key = re.match(r"\w*", line)[0]
        if not inside or key in FREE:
            continue
        if mark := MARKS.search(line):
            below = COVERS.search(mark[2])
            covered = 0 if not below else 99 if below[1] == "all" else COUNTED[below[2]]
        elif covered:
            covered -= 1
        else:
            found.append((number, line))
    return found


@pytest.mark.parametrize("name", PAPERS)
def test_every_number_says_where_it_comes_from(name):
    text = recipes()[name].read_text("utf-8")
    assert unsourced(text) == []
    assert '"paper" is stated' in text.splitlines()[0] + text.splitlines()[1]


def test_a_number_without_a_source_is_found():
    text = "[[stages]]\nname = 'x'\n[stages.settings]\nbeta = 1 # paper, and the one below\na = 2\n"
    assert unsourced(text) == []
    assert unsourced(text + "b = 3\n") == [(6, "b = 3")]
    assert unsourced(text + "b = 3 # a comment\n") == [(6, "b = 3 # a comment")]


# What is named ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAPERS)
def test_everything_that_a_recipe_names_is_there(name):
    recipe = read_recipe(name)
    methods.find_method(recipe.method)
    methods.check_starts(recipe.method)
    for step in recipe.synthesis:
        known = settings_of(find_step(step.step))
        assert step.settings.keys() <= known.keys() - {"seed"}, step.step
    for stage in recipe.stages:
        named = stage.reward or []
        for part in [named] if isinstance(named, str) else [each.name for each in named]:
            assert part in REWARDS


@pytest.mark.parametrize("name", PAPERS)
def test_settings_are_those_of_the_trainer(name):
    pytest.importorskip("trl", reason="the extra train is not installed")
    from viva.training._trl import check_settings

    for stage in read_recipe(name).stages:
        check_settings(stage.trainer, stage.settings)
    with pytest.raises(Exception, match="has no"):
        check_settings("grpo", {"num_generation": 4})


@pytest.mark.parametrize(("name", "stage"), STAGES)
def test_groups_fill_updates_and_rounds(name, stage):
    from viva.training._translated import Settings, batches

    made = batches(Settings("grpo", stage_of(name, stage).settings))
    assert made.prompts * made.generations == made.round


# What is paid ----------------------------------------------------------------------------------


def paid_by(stage):
    """The whole reward of a stage as its trainer adds it up."""
    made = reward_functions(stage)
    weights = made.settings["reward_weights"]

    def whole(item, completion):
        given = {"prompts": ["p"], "completions": [completion], "item": [item_to_json(item)]}
        values = [function(**given)[0] for function in made.functions]
        known = [w * v for w, v in zip(weights, values, strict=True) if v is not None]
        return sum(known) if known else None

    return whole


@pytest.mark.parametrize(("name", "stage"), STAGES)
def test_no_recipe_pays_a_worse_answer_more(name, stage):
    whole = paid_by(stage_of(name, stage))
    assert any(whole(case.item, "") is not None for case in medical_cases())
    assert find_inversions(whole) == []


@pytest.mark.parametrize(("name", "stage"), STAGES)
def test_the_kinds_that_a_stage_selects_are_those_that_are_paid(name, stage):
    wanted = stage_of(name, stage)
    whole = paid_by(wanted)
    seen = {kind_of(c.item.target) for c in medical_cases() if whole(c.item, "") is not None}
    assert set(wanted.select.kinds or ()) <= seen


@pytest.mark.parametrize(("name", "stage"), STAGES)
def test_a_right_letter_earns_more_than_form_and_length(name, stage):
    wanted = stage_of(name, stage)
    if wanted.select.kinds and "choice" not in wanted.select.kinds:
        pytest.skip("no letters are asked for in this stage")
    whole = paid_by(wanted)
    item = Item("demo", "1", "Which drug?", ("Atropine", "Pralidoxime", "Neostigmine"), Choice(1))
    worst_right = min(whole(item, text) for text in ("B", "(B)", "pralidoxime", "Answer: B"))
    thought = "<think>It frees the enzyme, which the others do not do.</think>"
    best_wrong = max(
        whole(item, text)
        for text in (f"{thought}Answer: A", thought, *LETTERS[:1], "A, B or C", "", "<think>B")
    )
    assert worst_right > 0.5 > best_wrong == 0


def test_a_stage_that_pays_form_by_itself_would_be_found():
    stage = stage_of("gazal-r1", "grpo").model_copy(update={"reward": "tags"})
    assert find_inversions(paid_by(stage))


def test_every_step_that_the_recipes_use_is_one_of_ours():
    used = {step.step for name in PAPERS for step in read_recipe(name).synthesis}
    assert used <= STEPS.keys()
