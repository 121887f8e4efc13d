"""Training by a recipe: each trainer trains, and a training that was killed goes on as if not."""

from __future__ import annotations

import json

import pytest

from viva.errors import InputError

pytest.importorskip("trl", reason="the extra train is not installed")
pytest.importorskip("peft", reason="the extra train is not installed")

from tiny import tiny_model
from trainings import ACCEPTED, DPO, GRPO, SFT, curve, examples, killed, recipe
from viva.training.journal import read_log
from viva.training.running import train


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("base"), answers=True)


def run(path, base, out, **options):
    given = {"data": examples(), "model": base, "out": out, "accept": ACCEPTED, "quiet": True}
    return train(path, **(given | options))


TAGS = 'thinking = "tags"'
CURRICULUM = 'curriculum = { order = "difficulty", phases = 2 }\n'
KILLED = {
    "sft": CURRICULUM + SFT.replace("= 4 }", "= 4, save_steps = 4, weight_decay = 0.1 }"),
    "lora": SFT.replace("= 4 }", "= 4, save_steps = 4 }") + "\nadapter = { rank = 4, dropout = 0.2 }",
    "grpo": CURRICULUM + GRPO.replace(
        "max_steps = 3",
        "max_steps = 11, save_steps = 3, gradient_accumulation_steps = 2, "
        "steps_per_generation = 4, num_iterations = 2, beta = 0.02, temperature = 0.9",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def cut(base, tmp_path_factory):
    """A folder for each recipe, with its file and what a killed process left."""
    folder = tmp_path_factory.mktemp("cut")
    paths = {name: recipe(folder / f"{name}.toml", KILLED[name], head=TAGS) for name in KILLED}
    killed([(path, folder / name) for name, path in paths.items()], base, 7)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", KILLED)
def test_a_killed_training_goes_on_to_the_same_losses(name, base, cut, tmp_path):
    path, stage = cut / f"{name}.toml", next((cut / name).glob("01-*"))
    assert [p.name for p in stage.glob("checkpoint-*")] == ["checkpoint-4"]
    assert read_log(stage)["step"].to_list() == list(range(1, 8))
    whole = run(path, base, tmp_path / "whole")
    again = run(path, base, cut / name)
    (told,) = again.manifest["stages"].values()
    assert told["resumed_from"] == 4
    one, two = curve(whole.model.parent), curve(stage)
    assert [row["step"] for row in one] == [row["step"] for row in two]
    assert len(one) >= 11
    for a, b in zip(one, two, strict=True):
        assert a == pytest.approx(b, rel=1e-6, abs=1e-9, nan_ok=True), a["step"]
    assert len({row.get("loss") for row in one}) > 5
    logs = [read_log(folder) for folder in (whole.model.parent, stage)]
    for column in ("step", "loss", "reward", "share_equal", "share_unread"):
        if column in logs[0].columns:
            assert logs[0][column].to_list() == logs[1][column].to_list(), column
    weights = [(t.model / "model.safetensors").read_bytes() for t in (whole, again)]
    assert weights[0] == weights[1]
