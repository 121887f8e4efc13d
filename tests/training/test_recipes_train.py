"""Shipped recipes and those of other papers train a tiny model, each as its paper's sentence says."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("trl", reason="the extra train is not installed")
pytest.importorskip("peft", reason="the extra train is not installed")

from trainings import ACCEPTED, examples, recipe

from tiny import tiny_model
from viva.records import Choice
from viva.training.running import train

TINY = {
    "per_device_train_batch_size": 4, "gradient_accumulation_steps": 1, "max_steps": 2,
    "learning_rate": 1e-3,
}  # fmt: skip
ROLLS = {"num_generations": 4, "max_completion_length": 12, "steps_per_generation": 1}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("base"), answers=True)


def small(*stages, rolls=(), **more):
    """Overrides under which a recipe trains a tiny model for two steps a stage."""
    told = {"synthesis": []}
    for stage in (*stages, *rolls):
        for name, value in (TINY | (ROLLS if stage in rolls else {})).items():
            told[f"stages.{stage}.settings.{name}"] = value
    return told | more


def run(name, base, out, data, overrides=None):
    return train(
        name, data=data, model=base, out=out, overrides=overrides, allow_cpu=True,
        accept=(*ACCEPTED, "starts", "thinking_kept", "memory", "evaluation_overlap"), quiet=True,
    )  # fmt: skip


def weights(folder):
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


def apart(one, two):
    """The greatest difference of two models' weights."""
    a, b = weights(one), weights(two)
    return max(float((a[name].float() - b[name].float()).abs().max()) for name in a)


@pytest.mark.slow
def test_biomed_r1_picks_items_that_ask_for_reasoning(base, tmp_path):
    kinds = ("wrong", "correct", "irrelevant", None)
    data = [
        replace(
            each,
            item=replace(each.item, p_reasoning=0.9 if i < 16 else 0.1),
            start="" if kinds[i % 4] is None else f"<think>It may be {each.item.options[i % 4]}.",
            start_kind=kinds[i % 4],
        )
        for i, each in enumerate(examples(24))
    ]
    told = small("sft", rolls=("grpo",))
    trained = run("biomed-r1", base, tmp_path / "out", data, told)
    stages = trained.manifest["stages"]
    assert list(stages) == ["01-sft", "02-grpo"]
    assert {told["examples"] for told in stages.values()} == {16}
    assert apart(base, tmp_path / "out/01-sft/model") > 0
    assert trained.model == tmp_path / "out/02-grpo/model"


@pytest.mark.slow
def test_each_stage_starts_from_the_last_output(base, tmp_path):
    """x-reasoner: general SFT, GRPO with 0 and 1, a medical stage, in one file."""
    still = "settings = { learning_rate = 1e-9, max_steps = 1, per_device_train_batch_size = 4"
    path = recipe(
        tmp_path / "x.toml",
        'name = "general"\ntrainer = "sft"\nselect = { sources = ["general"] }\n'
        "settings = { learning_rate = 1e-3, max_steps = 2, per_device_train_batch_size = 4 }",
        f'name = "rl"\ntrainer = "grpo"\nreward = "choice"\n{still}, num_generations = 4, '
        "max_completion_length = 8 }",
        f'name = "medical"\ntrainer = "sft"\nselect = {{ sources = ["made"] }}\n{still} }}',
        head='thinking = "tags"',
    )
    data = examples(24)
    data = [replace(each, source="general" if i < 12 else "made") for i, each in enumerate(data)]
    run(path, base, tmp_path / "out", data)
    first, second, third = (
        tmp_path / "out" / name / "model" for name in ("01-general", "02-rl", "03-medical")
    )
    assert apart(base, first) > 1e-4
    assert apart(first, second) < 1e-6
    assert apart(second, third) < 1e-6


@pytest.mark.slow
def test_gazal_r1_trains_with_dora_and_rslora(base, tmp_path):
    trained = run("gazal-r1", base, tmp_path / "out", examples(16), small("sft", rolls=("grpo",)))
    assert list(trained.manifest["stages"]) == ["01-sft", "02-grpo"]
    assert apart(base, tmp_path / "out/01-sft/model") > 0  # merged into the weights


@pytest.mark.slow
@pytest.mark.parametrize("name", ["med-refl", "preferred-medllm"])
def test_preferences_train(name, base, tmp_path):
    stage = {"med-refl": "dpo", "preferred-medllm": "rpo"}[name]
    trained = run(name, base, tmp_path / "out", examples(16), small(stage))
    (told,) = trained.manifest["stages"].values()
    assert told["steps"] == 2
    assert apart(base, trained.model) > 0


@pytest.mark.slow
def test_a_letter_reward_alone_lifts_a_model_above_chance(base, tmp_path):
    """alphamed: 0 and 1 for the letter teach a toy task; a second training is the same."""
    from viva.training.journal import read_log

    data = [replace(each, item=replace(each.item, target=Choice(1))) for each in examples(32)]
    told = small(rolls=("grpo",)) | {
        "stages.grpo.select.limit": 32,
        "stages.grpo.settings.per_device_train_batch_size": 32,
        "stages.grpo.settings.num_generations": 8,
        "stages.grpo.settings.max_steps": 30,
        "stages.grpo.settings.max_completion_length": 16,
        "stages.grpo.settings.learning_rate": 2e-3,
        "stages.grpo.settings.beta": 0.0,
        "stages.grpo.settings.logging_steps": 1,
    }
    run("alphamed", base, tmp_path / "out", data, told)
    paid = read_log(tmp_path / "out/01-grpo")["reward"].to_list()
    assert sum(paid[:5]) / 5 < 0.4  # four options
    assert sum(paid[-5:]) / 5 > 0.6
