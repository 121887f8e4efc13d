"""Training by a recipe: each trainer trains, and a training that was killed goes on as if not."""

from __future__ import annotations

import pytest

from viva.errors import InputError

pytest.importorskip("trl", reason="the extra train is not installed")
pytest.importorskip("peft", reason="the extra train is not installed")

from trainings import ACCEPTED, DPO, GRPO, SFT, curve, examples, killed, recipe

from tiny import tiny_model
from viva.training._trl import configured
from viva.training.journal import read_log
from viva.training.recipes import Stage, read_recipe, recipes
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
    assert read_log(stage)["step"].to_list() == list(range(1, 7))  # beyond the checkpoint
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


@pytest.fixture(scope="module")
def chain(base, tmp_path_factory):
    """SFT, then DPO with an adapter from it, then GRPO from the base."""
    folder = tmp_path_factory.mktemp("chain")
    path = recipe(folder / "r.toml", SFT, DPO, GRPO + '\nafter = "base"', head=TAGS)
    before = {p.name: p.read_bytes() for p in base.iterdir()}
    trained = run(path, base, folder / "out")
    assert {p.name: p.read_bytes() for p in base.iterdir()} == before
    return path, trained


def weights_of(folder):
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


def test_each_stage_begins_in_the_model_it_comes_after(base, chain):
    _, trained = chain
    folders = sorted(p.name for p in trained.folder.iterdir() if p.is_dir())
    assert folders == ["01-sft", "02-dpo", "03-grpo"]
    assert trained.model == trained.folder / "03-grpo" / "model"
    found = [weights_of(p) for p in (base, *(trained.folder / f / "model" for f in folders))]
    names = set(found[0])
    assert all(set(each) == names for each in found)  # an adapter is merged, nothing of it is left

    def distance(a, b):
        return sum(float((found[a][n] - found[b][n]).abs().sum()) for n in names)

    assert distance(0, 1) > 0 and distance(1, 2) > 0 and distance(0, 3) > 0
    assert distance(1, 2) < distance(0, 2)  # DPO went on from SFT
    assert distance(0, 3) < distance(1, 3)  # GRPO did not
    told = trained.manifest["stages"]
    assert (told["01-sft"]["rows"], told["01-sft"]["steps"]) == (48, 12)
    assert (told["02-dpo"]["rows"], told["02-dpo"]["steps"]) == (8, 2)
    assert (told["03-grpo"]["rows"], told["03-grpo"]["steps"]) == (6, 3)
    losses = read_log(trained.folder / "01-sft")["loss"].to_list()
    assert losses[-1] < losses[0] / 2
    for name in (*(f"{folder}/preflight.json" for folder in folders), "README.md"):
        assert (trained.folder / name).is_file()


@pytest.mark.parametrize("stage", ["01-sft", "02-dpo", "03-grpo"])
def test_the_trained_model_is_opened_by_the_back_end(stage, chain):
    import asyncio

    from viva.models import Message, ModelOptions, Request, Sampling, open_model

    folder = chain[1].folder / stage / "model"
    backend = open_model(f"hf/{folder}", ModelOptions(device="cpu"))
    request = Request((Message("user", "?"),), sampling=Sampling(max_completion_tokens=4))

    async def ask():
        try:
            return await backend.generate(request)
        finally:
            await backend.close()

    assert asyncio.run(ask()).output_tokens > 0


def test_the_same_call_again_changes_nothing(base, chain):
    path, trained = chain
    files = list(trained.folder.rglob("*.safetensors"))
    before = {p: p.stat().st_mtime_ns for p in files}
    again = run(path, base, trained.folder)
    assert again.manifest["stages"] == trained.manifest["stages"]
    assert {p: p.stat().st_mtime_ns for p in files} == before


def test_a_folder_of_another_training_is_refused_and_what_differs_is_named(base, chain, tmp_path):
    path, trained = chain
    out = trained.folder
    with pytest.raises(
        InputError, match=r"recipe.stages\[0\].settings.learning_rate was 0.001, now"
    ):
        run(path, base, out, overrides=["stages.sft.settings.learning_rate=2e-3"])
    with pytest.raises(InputError, match=r"data.examples was 24, now 23"):
        run(path, base, out, data=examples()[1:])
    other = tiny_model(tmp_path / "other", seed=5)
    with pytest.raises(InputError, match=r"model.weights was"):
        run(path, other, out)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").touch()
    with pytest.raises(InputError, match="holds no training"):
        run(path, base, tmp_path / "full")


def test_a_gpu_that_is_not_there_is_said_before_anything_is_read(tmp_path, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    path = recipe(tmp_path / "r.toml", SFT, head="needs_gpu = true")
    with pytest.raises(InputError, match=r"needs a GPU.*--allow-cpu"):
        train(path, data=tmp_path / "none", model=tmp_path / "none", out=tmp_path / "out")
    with pytest.raises(InputError, match="no such model folder"):
        train(
            path, data=tmp_path / "none", model=tmp_path / "none", out=tmp_path / "out",
            allow_cpu=True,
        )  # fmt: skip
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("trainer", "settings", "said"),
    [
        ("sft", {"learning_rat": 1e-5}, "SFTConfig has no 'learning_rat'.*learning_rate"),
        ("grpo", {"num_generation": 4}, "Did you mean num_generations"),
        ("sft", {"learning_rate": "1e-5"}, "learning_rate = '1e-5'"),
        ("sft", {"max_length": 2.5}, "max_length"),
        ("dpo", {"loss_type": 3}, "loss_type"),
        ("sft", {"output_dir": "x"}, "not set by a recipe"),
        ("sft", {"completion_only_loss": False}, "loss is always that of the completion"),
        ("grpo", {"num_generations": True}, "num_generations"),
    ],
)
def test_settings_are_checked_by_name_and_type(trainer, settings, said):
    from viva.training._trl import check_settings

    with pytest.raises(InputError, match=said):
        check_settings(trainer, settings)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("max_steps = 3", 'max_steps = 3, lr_scheduler_type = "cosin"', "stage grpo: cosin"),
        ("num_generations = 4", "num_generations = 3", "stage grpo"),
        ('reward = "choice"', 'reward = "choise"', "Did you mean choice"),
    ],
)
def test_a_later_stage_is_checked_before_the_first_is_trained(old, new, said, tmp_path):
    assert old in GRPO
    path = recipe(tmp_path / "r.toml", SFT, GRPO.replace(old, new))
    with pytest.raises(InputError, match=said):
        train(path, data=tmp_path / "none", model=tmp_path / "none", out=tmp_path / "out")


def test_settings_that_may_stand():
    from viva.training._trl import check_settings

    check_settings(
        "sft",
        {"learning_rate": 1, "max_length": 5, "completion_only_loss": True, "optim": "adamw_torch",
         "lr_scheduler_type": "cosine", "lr_scheduler_kwargs": {"num_cycles": 1}},
    )  # fmt: skip
    check_settings("dpo", {"loss_type": ["sigmoid", "sft"], "loss_weights": [1.0, 0.2]})


@pytest.mark.parametrize("name", recipes())
def test_the_stages_of_shipped_recipes_are_configured(name, tmp_path):
    """On a CPU what asks for a GPU is put aside, and said."""
    for stage in read_recipe(name).stages:
        config, changed = configured(stage, tmp_path, seed=1, gpu=False, steps=lambda _: 100)
        assert not config.bf16 and config.use_cpu
        for field, value in stage.settings.items():
            if field not in {*changed, "save_steps", "gradient_checkpointing"}:
                assert getattr(config, field, value) == value, field
        assert config.save_steps % config.logging_steps == 0


@pytest.mark.parametrize("given", [{}, {"save_steps": 7, "logging_steps": 3}, {"save_steps": 0.1}])
def test_checkpoints_fall_where_nothing_is_pending(given, tmp_path):
    settings = {"num_generations": 4, "per_device_train_batch_size": 4} | given
    more = {"gradient_accumulation_steps": 2, "steps_per_generation": 6, "num_iterations": 2}
    stage = Stage.model_validate(
        {"name": "g", "trainer": "grpo", "reward": "choice", "settings": settings | more}
    )
    config, _ = configured(stage, tmp_path, seed=1, gpu=False, steps=lambda _: 200)
    window = config.steps_per_generation * config.num_iterations
    assert config.save_steps * config.gradient_accumulation_steps % window == 0
    assert config.save_steps % config.logging_steps == 0
    assert config.save_steps >= given.get("save_steps", 1)


def test_phases_keep_their_share_of_a_training_of_any_length():
    from viva.training._stages import laid_out

    parts = [examples(24)[:6], examples(24)[6:24]]
    for rows in (1, 7, 24, 53, 240):
        laid = laid_out(parts, rows, seed=3, shuffled=True)
        assert len(laid) == rows
        first = [each in parts[0] for each in laid]
        assert first == sorted(first, reverse=True)
        assert abs(sum(first) - rows / 4) <= 1
    counted = [laid.count(each) for each in parts[1]]
    assert max(counted) - min(counted) <= 1


def test_a_checkpoint_that_was_being_written_is_passed_over(tmp_path):
    from viva.training._folders import last_checkpoint

    assert last_checkpoint(tmp_path) is None
    for step, state in ((4, '{"global_step": 4}'), (12, '{"global_step": 1'), (8, None)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        if state:
            (folder / "trainer_state.json").write_text(state)
    assert last_checkpoint(tmp_path) == (tmp_path / "checkpoint-4", 4)
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint-4"]
