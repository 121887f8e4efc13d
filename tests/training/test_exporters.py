"""What is written for verl and OpenRLHF is what they read, and means what TRL was to do."""

from __future__ import annotations

import argparse
import importlib.util
import json
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from trainings import examples

from tiny import tiny_model
from viva.errors import InputError
from viva.formats.item_json import item_to_json
from viva.records import Choice, Item
from viva.synthesis import Example
from viva.targets import Text
from viva.training._translated import DEFAULTS, LEFT, Settings, batches
from viva.training.exporters import EXPORTERS, export_recipe
from viva.training.recipes import read_recipe, recipes
from viva.training.reward_functions import reward_functions

HERE = Path(__file__).parent
VERL = json.loads((HERE / f"verl-{EXPORTERS['verl']}.json").read_text())
"""Keys of its configurations, from its wheel."""
OPENRLHF = json.loads((HERE / f"openrlhf-{EXPORTERS['openrlhf']}.json").read_text())
"""Arguments of its commands, from its wheel."""


def data():
    """Closed and open items with everything that a recipe selects by."""
    made = []
    for i, each in enumerate(examples(160)):
        scores = {"p_reasoning": 0.9, "pass_rate": i % 16 / 16, "hops": 1 + i % 3,
                  "difficulty": i / 160}  # fmt: skip
        item = each.item
        if i % 3 == 0:
            item = replace(item, options=(), target=Text(("aspirin",)))
        made.append(replace(each, item=item, scores=scores))
    return made


SMALL = {
    "gradient_accumulation_steps": 2,
    "steps_per_generation": None,
    "max_completion_length": 256,
}
"""In place of batches for real data; None takes a setting out."""


def smaller(name, **more):
    """A shipped recipe with small rounds, and with stages changed."""
    recipe = read_recipe(name)
    stages = []
    for stage in recipe.stages:
        settings = dict(stage.settings)
        if stage.trainer == "grpo":
            settings = {k: v for k, v in (settings | SMALL).items() if v is not None}
        stages.append(stage.model_copy(update={"settings": settings, **more.get(stage.name, {})}))
    return recipe.model_copy(update={"stages": stages})


def keys(made, before=""):
    for name, value in made.items():
        if isinstance(value, dict) and value:
            yield from keys(value, f"{before}{name}.")
        else:
            yield before + name


def configuration(folder):
    """What is laid over verl's configuration, every key of it known to verl."""
    made = json.loads((folder / "config.yaml").read_text())
    base, own = made.pop("defaults")
    assert own == "_self_"
    assert made.pop("hydra") == {"searchpath": ["pkg://verl.trainer.config"]}
    known = {*VERL["configurations"][base], *VERL["more"].get(base, ())}
    unknown = [key for key in keys(made) if key not in known]
    assert unknown == []
    return made


def arguments(folder, command):
    """What run.sh gives to OpenRLHF, read by a parser of its arguments."""
    text = (folder / "run.sh").read_text().replace("\\\n", " ")
    line = next(line for line in text.splitlines() if f"openrlhf.cli.{command}" in line)
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for flag, told in OPENRLHF["commands"][command].items():
        if told.get("action"):
            parser.add_argument(flag, action=told["action"])
        else:
            kind = {"int": int, "float": float, "str": str}[told["type"]]
            more = {name: told[name] for name in ("nargs", "choices") if name in told}
            parser.add_argument(flag, type=kind, **more)
    words = shlex.split(line)
    begin = words.index(f"openrlhf.cli.{command}") + 1
    given = ["1" if word == "$GPUS" else word for word in words[begin:] if word != "$@"]
    return vars(parser.parse_args(given))


def test_every_recipe_that_can_be_told_is_told_in_known_words(tmp_path):
    told, refused = set(), {}
    for name in recipes():
        if name == "laptop":
            continue
        for to in EXPORTERS:
            try:
                export_recipe(smaller(name), to, data=data(), out=tmp_path / f"{name}-{to}")
            except InputError as error:
                refused[name, to] = error.what
                continue
            told.add((name, to))
            for folder in sorted((tmp_path / f"{name}-{to}").glob("0*")):
                if to == "verl":
                    configuration(folder)
                    continue
                command = "train_sft"
                if (folder / "reward.py").exists():
                    command = "train_ppo_ray"
                elif "train_dpo" in (folder / "run.sh").read_text():
                    command = "train_dpo"
                arguments(folder, command)
    assert {name for name, _ in told} >= {
        "alphamed", "clinical-r1", "huatuo-o1", "kg-reward", "m1", "med-refl", "medcco",
        "medvlthinker-text", "preferred-medllm",
    }  # fmt: skip
    assert "mining" in refused["fleming-r1", "verl"]
    assert "dora" in refused["gazal-r1", "verl"]
    assert "no DPO" in refused["med-refl", "verl"]
    assert "normalise" in refused["clinical-r1", "openrlhf"]
    assert "curriculum.order = 'hops'" in refused["kg-reward", "openrlhf"]
    assert "starts" in refused["biomed-r1", "verl"]  # there are none in the data


def test_grpo_of_verl_has_the_numbers_of_the_recipe(tmp_path):
    import polars as pl

    recipe = read_recipe("huatuo-o1", ["stages.rl.settings.gradient_accumulation_steps=4"])
    files = export_recipe(recipe, "verl", data=data(), out=tmp_path / "out", model="some/model")
    assert {path.name for path in files} >= {"config.yaml", "reward.py", "run.sh", "README.md"}
    made = configuration(tmp_path / "out/02-rl")
    actor, rollout = (made["actor_rollout_ref"][name] for name in ("actor", "rollout"))
    assert made["data"]["train_batch_size"] * rollout["n"] == 32
    assert actor["ppo_mini_batch_size"] == 4
    assert actor["ppo_epochs"] == 3
    assert (actor["use_kl_loss"], actor["kl_loss_coef"]) == (True, 0.03)
    assert (rollout["temperature"], made["data"]["max_response_length"]) == (0.5, 1300)
    assert actor["optim"]["lr"] == 5e-7
    assert actor["optim"]["weight_decay"] == 0.0  # of TRL, not of verl
    assert made["algorithm"]["adv_estimator"] == "grpo"
    assert made["reward"]["reward_manager"]["name"] == "naive"
    run = (tmp_path / "out/02-rl/run.sh").read_text()
    assert "MODEL=${MODEL:-../01-sft/model}" in run
    assert "some/model" in (tmp_path / "out/01-sft/run.sh").read_text()
    frame = pl.read_parquet(tmp_path / "out/02-rl/data/train.parquet")
    assert {"data_source", "prompt", "reward_model"} <= set(frame.columns)
    longest = max(len(t["content"]) for turns in frame["prompt"] for t in turns)
    assert made["data"]["max_prompt_length"] * 2 >= longest
    sft = configuration(tmp_path / "out/01-sft")
    assert (sft["data"]["train_batch_size"], sft["data"]["max_length"]) == (128, 8192)


def test_a_curriculum_of_verl_is_in_the_file(tmp_path):
    import polars as pl

    changed = {"grpo": {"curriculum": read_recipe("kg-reward").stages[1].curriculum}}
    recipe = smaller("kg-reward", **changed)
    export_recipe(recipe, "verl", data=data(), out=tmp_path / "out")
    made = configuration(tmp_path / "out/02-grpo")
    assert made["data"]["shuffle"] is False
    assert made["trainer"]["total_epochs"] == 1
    hops = {f"made/q{i}/0": 1 + i % 3 for i in range(160)}
    frame = pl.read_parquet(tmp_path / "out/02-grpo/data/train.parquet")
    seen = [hops[name] for name in frame["extra_info"].struct.field("id")]
    assert seen == sorted(seen)
    assert len(seen) == 160 * 3  # epochs of TRL's default


def test_rslora_is_lora_with_another_alpha(tmp_path):
    adapter = read_recipe("gazal-r1").stages[0].adapter.model_copy(update={"dora": False})
    recipe = smaller("gazal-r1", sft={"adapter": adapter}, grpo={"adapter": adapter})
    export_recipe(recipe, "verl", data=data(), out=tmp_path / "out")
    model = configuration(tmp_path / "out/01-sft")["model"]
    assert (model["lora_rank"], model["lora_alpha"]) == (64, 64 * 8)
    assert (
        "rsLoRA with alpha 64 is written as LoRA with alpha 512"
        in (tmp_path / "out/README.md").read_text()
    )
    odd = adapter.model_copy(update={"rank": 6})
    with pytest.raises(InputError, match="a whole number"):
        export_recipe(
            smaller("gazal-r1", sft={"adapter": odd}), "verl", data=data(), out=tmp_path / "odd"
        )


def test_rpo_of_openrlhf(tmp_path):
    export_recipe("preferred-medllm", "openrlhf", data=data(), out=tmp_path / "out")
    folder = tmp_path / "out/01-rpo"
    given = arguments(folder, "train_dpo")
    assert (given["model.beta"], given["model.nll_loss_coef"]) == (0.1, 1.0)
    assert given["ref.model_name_or_path"] == given["model.model_name_or_path"] == "$MODEL"
    assert (given["ds.lora.rank"], given["ds.lora.target_modules"]) == (64, None)
    assert given["data.apply_chat_template"] is True
    assert "lora_combiner" in (folder / "run.sh").read_text()
    row = json.loads((folder / "data/train.jsonl").read_text().splitlines()[0])
    assert row.keys() == {"prompt", "chosen", "rejected"}


def test_grpo_of_openrlhf(tmp_path):
    export_recipe(smaller("alphamed"), "openrlhf", data=data(), out=tmp_path / "out")
    given = arguments(tmp_path / "out/01-grpo", "train_ppo_ray")
    assert given["algo.advantage.estimator"] == "group_norm"
    assert (given["algo.kl.init_coef"], given["algo.kl.estimator"]) == (0.01, "k3")
    assert given["rollout.batch_size"] * given["rollout.n_samples_per_prompt"] == 16
    assert given["train.batch_size"] == 16
    assert given["actor.adam.lr"] == 1e-6
    assert given["data.label_key"] == "label"


def loaded(file, name):
    spec = importlib.util.spec_from_file_location("exported_reward", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)


def test_the_exported_reward_pays_what_training_pays(tmp_path):
    import polars as pl

    export_recipe(smaller("clinical-r1"), "verl", data=data(), out=tmp_path / "out")
    folder = tmp_path / "out/01-crpo"
    score = loaded(folder / "reward.py", "compute_score")
    row = pl.read_parquet(folder / "data/train.parquet").row(1, named=True)
    gold = row["reward_model"]["ground_truth"]
    key = json.loads(gold)["target"]
    right = "ABCD"[key["index"]] if key["kind"] == "choice" else "aspirin"
    wrong = "ABCD"[key["index"] - 1] if key["kind"] == "choice" else "iron"
    given = {"data_source": "made", "ground_truth": gold, "extra_info": {}}
    paid = score(solution_str=f"<think>It lowers fever.</think>Answer: {right}", **given)
    lost = score(solution_str=f"<think>It lowers fever.</think>Answer: {wrong}", **given)
    assert paid["score"] > lost["score"] == 0
    made = configuration(folder)
    assert set(made["algorithm"]["gdpo_reward_keys"]) <= paid.keys()
    assert made["reward"]["reward_manager"]["name"] == "gdpo"
    total = sum(
        weight * paid[name]
        for name, weight in zip(
            made["algorithm"]["gdpo_reward_keys"],
            made["algorithm"]["gdpo_reward_weights"],
            strict=True,
        )
    )
    assert paid["score"] == pytest.approx(total)


def test_starts_are_the_end_of_openrlhfs_prompts(tmp_path):
    torch = pytest.importorskip("torch", reason="OpenRLHF's rewards are tensors")
    base = tiny_model(tmp_path / "base", answers=True)
    item = Item("made", "s", "Which drug lowers fever?", ("aspirin", "iron"), Choice(0))
    begun = "<think>It is iron, as"
    rows = [
        Example(replace(item, item_id=f"s{i}"), completion="no, aspirin.</think>Answer: A",
                start=begun, start_kind="wrong", scores={"p_reasoning": 1.0})
        for i in range(4)
    ]  # fmt: skip
    path = tmp_path / "r.toml"
    path.write_text(
        'id = "s"\ntitle = "S"\nsummary = "S."\nthinking = "tags"\n'
        '[[stages]]\nname = "sft"\ntrainer = "sft"\n'
        '[[stages]]\nname = "rl"\ntrainer = "grpo"\nreward = "medvlthinker"\n'
        "settings = { per_device_train_batch_size = 8 }\n"
    )
    with pytest.raises(InputError, match=r"starts .*lr_scheduler_type = 'linear'"):
        export_recipe(path, "verl", data=rows, out=tmp_path / "verl", model=str(base))
    assert not (tmp_path / "verl").exists()
    export_recipe(path, "openrlhf", data=rows, out=tmp_path / "out", model=str(base))
    lines = (tmp_path / "out/01-sft/data/train.jsonl").read_text().splitlines()
    row = json.loads(lines[0])
    assert row["prompt"].endswith(begun)
    assert row["completion"].startswith("no, aspirin.")
    given = arguments(tmp_path / "out/01-sft", "train_sft")
    assert given["data.input_template"] == "{}"
    assert given["data.apply_chat_template"] is False
    row = json.loads((tmp_path / "out/02-rl/data/train.jsonl").read_text().splitlines()[0])
    pay = loaded(tmp_path / "out/02-rl/reward.py", "reward_func")
    said = ["no: it lowers the set point of fever.</think>Answer: A", "so it is.</think>B", ""]
    told = pay([row["prompt"] + text for text in said], [row["prompt"]] * 3, [row["label"]] * 3)
    assert isinstance(told["rewards"], torch.Tensor)
    trained = reward_functions(read_recipe(path).stages[1]).functions[0]
    own = trained(
        prompts=["p"] * 3, completions=said, item=[item_to_json(item)] * 3, start=[begun] * 3
    )
    assert told["rewards"].tolist() == pytest.approx(own)
    assert own[0] > 0.9 > own[1] == own[2] == 0


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"min_p": 0.1}, "min_p = 0.1"),
        ({"mask_truncated_completions": True}, "mask_truncated_completions"),
        ({"scale_rewards": "batch"}, "scale_rewards = 'batch'"),
        ({"loss_type": "sapo"}, "loss_type = 'sapo'"),
        ({"lr_scheduler_type": "linear"}, "lr_scheduler_type = 'linear'"),
        ({"num_train_epochs": 1.5}, "num_train_epochs = 1.5"),
        ({"num_iterations": 2, "max_steps": 3}, "max_steps = 3"),
        ({"num_generations": 3}, "groups of 3"),
        ({"gradient_accumulation_steps": 512}, "do not fill one round"),
    ],
)
def test_what_verl_cannot_be_told_is_refused_and_nothing_written(settings, said, tmp_path):
    recipe = smaller("alphamed")
    stage = recipe.stages[0]
    changed = stage.model_copy(update={"settings": stage.settings | settings})
    with pytest.raises(InputError, match=said):
        export_recipe(
            recipe.model_copy(update={"stages": [changed]}),
            "verl", data=data(), out=tmp_path / "out",
        )  # fmt: skip
    assert list(tmp_path.iterdir()) == []


def test_settings_of_speed_and_saving_are_left_and_named(tmp_path):
    recipe = smaller("alphamed")
    stage = recipe.stages[0]
    changed = stage.model_copy(update={"settings": stage.settings | {"bf16": True}})
    export_recipe(
        recipe.model_copy(update={"stages": [changed]}), "verl", data=data(), out=tmp_path / "out"
    )
    assert "`bf16`" in (tmp_path / "out/README.md").read_text()


def test_a_folder_that_holds_something_and_an_unknown_trainer(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there/x").write_text("x")
    with pytest.raises(InputError, match="is there already"):
        export_recipe("m1", "verl", data=data(), out=tmp_path / "there")
    with pytest.raises(InputError, match="verll") as refused:
        export_recipe("m1", "verll", data=data(), out=tmp_path / "new")
    assert "verl" in refused.value.mend


def test_the_defaults_are_those_of_trl():
    pytest.importorskip("trl", reason="the extra train is not installed")
    import dataclasses

    from trl import DPOConfig, GRPOConfig, SFTConfig

    for trainer, config in (("sft", SFTConfig), ("dpo", DPOConfig), ("grpo", GRPOConfig)):
        known = {
            f.name: f.default_factory() if f.default is dataclasses.MISSING else f.default
            for f in dataclasses.fields(config)
            if f.default is not dataclasses.MISSING or f.default_factory is not dataclasses.MISSING
        }
        for name, value in DEFAULTS[trainer].items():
            assert known[name] == value, (trainer, name)
    fields = {f.name for c in (SFTConfig, DPOConfig, GRPOConfig) for f in dataclasses.fields(c)}
    assert fields >= LEFT


def test_batches_are_counted_as_trl_counts_them():
    made = batches(
        Settings(
            "grpo",
            {"per_device_train_batch_size": 8, "gradient_accumulation_steps": 128,
             "steps_per_generation": 256, "num_generations": 8},
        )
    )  # fmt: skip
    assert (made.prompts, made.prompts_of_update) == (256, 128)
    assert batches(Settings("grpo", {})).prompts == 1
