"""A stage in the words of verl: a configuration that is laid over its own, and how it is started.

Keys are those of verl 0.9.1 (``verl/trainer/config``). SFT and GRPO: it has no DPO.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from viva.errors import InputError
from viva.training._translated import Batches, Settings, batches, lora_alpha
from viva.training.recipes import Recipe, Stage

__all__ = ["VERSION", "command", "configuration"]

VERSION = "0.9.1"
_UNCLIPPED = 1e6
"""verl always bounds the ratio where the advantage is negative; TRL only where ``delta`` is set."""
_LOSSES = {
    "dapo": "token-mean",
    "grpo": "seq-mean-token-mean",
    "dr_grpo": "seq-mean-token-sum-norm",
}
"""Loss of TRL -> how verl takes the mean over tokens."""


def configuration(
    recipe: Recipe, stage: Stage, settings: Settings, *, longest: int, parts: Mapping[str, float]
) -> dict[str, Any]:
    """The configuration of one stage.

    Parameters
    ----------
    recipe : Recipe
    stage : Stage
    settings : Settings
        Of the stage; what verl cannot be told is noted there.
    longest : int
        Tokens of the longest prompt, or a bound of it.
    parts : mapping of str to float
        Names and weights of the parts of the reward, where each is normalised apart.

    Returns
    -------
    dict
        Nested, with ``defaults`` and ``hydra`` for hydra.

    Raises
    ------
    InputError
        A DPO stage.
    """
    if stage.trainer == "dpo":
        raise InputError(
            "verl has no DPO", where=f"{recipe.id}, stage {stage.name}",
            mend="Export to openrlhf, or train with TRL (without --to)",
        )  # fmt: skip
    if stage.curriculum.order != "none" and stage.trainer == "sft":
        settings.refuse(f"curriculum.order = {stage.curriculum.order!r} (its SFT shuffles)")
    made = _grpo(recipe, stage, settings, longest, parts) if stage.trainer == "grpo" else _sft(
        recipe, stage, settings
    )  # fmt: skip
    base = "ppo_trainer" if stage.trainer == "grpo" else "sft_trainer_engine"
    return {
        "hydra": {"searchpath": ["pkg://verl.trainer.config"]},
        "defaults": [base, "_self_"],
    } | made


def command(stage: Stage) -> str:
    """What starts the stage, in its folder; further arguments are overrides of hydra."""
    if stage.trainer == "grpo":
        start = "python3 -m verl.trainer.main_ppo"
        more = (
            ' actor_rollout_ref.model.path="$MODEL" data.val_files="$PWD/data/train.parquet"'
            ' reward.custom_reward_function.path="$PWD/reward.py"'
        )
    else:
        start = 'torchrun --standalone --nproc_per_node="$GPUS" -m verl.trainer.sft_trainer'
        more = ' model.path="$MODEL"'
    saved = "/actor" if stage.trainer == "grpo" else ""
    return (
        f'{start} --config-path="$PWD" --config-name=config{more} \\\n'
        '  data.train_files="$PWD/data/train.parquet" trainer.n_gpus_per_node="$GPUS" \\\n'
        '  trainer.default_local_dir="$PWD/checkpoints" "$@"\n'
        "LAST=$(ls -d checkpoints/global_step_* | sort -V | tail -n 1)\n"
        "python3 -m verl.model_merger merge --backend fsdp \\\n"
        f'  --local_dir "$LAST{saved}" --target_dir model\n'
    )


def _adapter(stage: Stage, settings: Settings) -> dict[str, Any]:
    adapter = stage.adapter
    if adapter is None:
        return {}
    if adapter.dropout:
        settings.refuse(f"adapter.dropout = {adapter.dropout:g}")
    return {
        "lora_rank": adapter.rank,
        "lora_alpha": lora_alpha(settings, adapter),
        "target_modules": adapter.targets,
    }


def _optimiser(settings: Settings) -> dict[str, Any]:
    settings.only("adam_epsilon", 1e-8)
    schedule = settings.only(
        "lr_scheduler_type", "constant", "constant_with_warmup", "cosine",
        why="it has constant and cosine",
    )  # fmt: skip
    warmup = settings.take("warmup_steps") if schedule != "constant" else 0
    return {
        "lr": settings.take("learning_rate"),
        "lr_scheduler_type": "cosine" if schedule == "cosine" else "constant",
        "lr_warmup_steps": int(warmup) if warmup >= 1 else -1,
        "lr_warmup_steps_ratio": warmup if warmup < 1 else 0.0,
        "weight_decay": settings.take("weight_decay"),
        "betas": [settings.take("adam_beta1"), settings.take("adam_beta2")],
        "clip_grad": settings.take("max_grad_norm"),
    }


def _epochs(settings: Settings) -> int:
    epochs = float(settings.take("num_train_epochs"))
    if epochs != int(epochs):
        settings.refuse(f"num_train_epochs = {epochs:g} (a whole number)")
    return max(1, round(epochs))


def _trainer(recipe: Recipe, stage: Stage, epochs: int, steps: int | None) -> dict[str, Any]:
    return {
        "project_name": recipe.id,
        "experiment_name": stage.name,
        "default_local_dir": "checkpoints",
        "logger": ["console"],
        "total_epochs": epochs,
        "total_training_steps": steps,
        "save_freq": -1,
        "test_freq": -1,
        "nnodes": 1,
        "n_gpus_per_node": 1,
    }


def _sft(recipe: Recipe, stage: Stage, settings: Settings) -> dict[str, Any]:
    settings.only("completion_only_loss", None, True, why="it learns the assistant's turns alone")
    settings.only("assistant_only_loss", False, True)
    settings.only("packing", False)
    settings.only("loss_type", "nll")
    settings.only("truncation_mode", "keep_start")
    micro = settings.take("per_device_train_batch_size")
    steps = settings.take("max_steps")
    return {
        "model": {"path": None, **_adapter(stage, settings)},
        "optim": _optimiser(settings),
        "data": {
            "train_files": "data/train.parquet",
            "val_files": None,
            "train_batch_size": micro * settings.take("gradient_accumulation_steps"),
            "micro_batch_size_per_gpu": micro,
            "use_dynamic_bsz": False,
            "max_length": settings.take("max_length"),
            "truncation": "right",
            "messages_key": "messages",
            "apply_chat_template_kwargs": dict(recipe.chat_template_kwargs),
        },
        "trainer": _trainer(recipe, stage, _epochs(settings), steps if steps > 0 else None)
        | {"seed": recipe.seed},
    }


def _grpo(
    recipe: Recipe, stage: Stage, settings: Settings, longest: int, parts: Mapping[str, float]
) -> dict[str, Any]:
    sizes = batches(settings)
    rounds = settings.take("num_iterations")
    ordered = stage.curriculum.order != "none"
    epochs = _epochs(settings)
    adapter = _adapter(stage, settings)
    model = {"path": None, **adapter, "use_remove_padding": True}
    actor: dict[str, Any] = {
        "optim": _optimiser(settings),
        "ppo_mini_batch_size": sizes.prompts_of_update,
        "ppo_micro_batch_size_per_gpu": sizes.micro,
        "ppo_epochs": rounds,
        "grad_clip": settings.take("max_grad_norm"),
        **_clips(settings),
        **_loss(settings),
        "entropy_coeff": settings.take("entropy_coef"),
        **_kl(settings),
    }
    if settings.take("importance_sampling_level") != "token":
        settings.refuse("importance_sampling_level other than 'token'")
    sampling = {
        "name": "vllm",
        "n": sizes.generations,
        "temperature": settings.take("temperature"),
        "top_p": settings.take("top_p"),
        "top_k": settings.take("top_k") or -1,
        "tensor_model_parallel_size": 1,
        "log_prob_micro_batch_size_per_gpu": sizes.micro,
        "load_format": "safetensors" if adapter else "dummy",
    }
    return {
        "algorithm": _advantage(stage, settings, parts),
        "data": {
            "train_files": "data/train.parquet",
            "val_files": "data/train.parquet",
            "train_batch_size": sizes.prompts,
            "max_prompt_length": longest,
            "max_response_length": settings.take("max_completion_length"),
            "truncation": "error",
            "shuffle": not ordered,
            "seed": recipe.seed,
            "apply_chat_template_kwargs": dict(recipe.chat_template_kwargs),
        },
        "actor_rollout_ref": {
            "model": model,
            "actor": actor,
            "ref": {"log_prob_micro_batch_size_per_gpu": sizes.micro},
            "rollout": sampling,
        },
        "reward": {
            "custom_reward_function": {"path": "reward.py", "name": "compute_score"},
            "reward_manager": {"name": "gdpo" if stage.normalise else "naive"},
        },
        "trainer": _trainer(
            recipe, stage, 1 if ordered else epochs, _steps(settings, sizes, rounds)
        )
        | {"val_before_train": False, "critic_warmup": 0},
    }


def _steps(settings: Settings, sizes: Batches, rounds: int) -> int | None:
    """Rounds of sampling, which verl counts; TRL counts updates."""
    steps: int = settings.take("max_steps")
    if steps <= 0:
        return None
    updates = sizes.round // sizes.update * rounds
    if steps % updates:
        settings.refuse(f"max_steps = {steps} (a multiple of {updates}, the updates of a round)")
    return max(1, int(steps // updates))


def _clips(settings: Settings) -> dict[str, float]:
    low = settings.take("epsilon")
    high, bound = settings.take("epsilon_high"), settings.take("delta")
    return {
        "clip_ratio": low,
        "clip_ratio_low": low,
        "clip_ratio_high": low if high is None else high,
        "clip_ratio_c": _UNCLIPPED if bound is None else bound,
    }


def _loss(settings: Settings) -> dict[str, Any]:
    loss = settings.only("loss_type", *_LOSSES, why=f"of GRPO: {', '.join(_LOSSES)}")
    scale = settings.take("max_completion_length") if loss == "dr_grpo" else None
    return {"loss_agg_mode": _LOSSES.get(loss, "token-mean"), "loss_scale_factor": scale}


def _kl(settings: Settings) -> dict[str, Any]:
    beta = settings.take("beta")
    if beta:
        settings.notes.append(
            "The KL term is the same estimator (k3); TRL corrects its gradient where the samples "
            "are not of the newest weights (use_bias_correction_kl), verl does not."
        )
    return {"use_kl_loss": bool(beta), "kl_loss_coef": beta, "kl_loss_type": "low_var_kl"}


def _advantage(stage: Stage, settings: Settings, parts: Mapping[str, float]) -> dict[str, Any]:
    scale = settings.only("scale_rewards", "group", "none", True, False)
    made: dict[str, Any] = {
        "adv_estimator": "grpo",
        "norm_adv_by_std_in_grpo": scale in ("group", True),
        "use_kl_in_reward": False,
    }
    if stage.normalise:
        settings.notes.append(
            "Each part of the reward is normalised in its group before the sum (GDPO). verl then "
            "normalises over the tokens of the batch, TRL over its completions."
        )
        made |= {
            "adv_estimator": "gdpo",
            "gdpo_reward_keys": list(parts),
            "gdpo_reward_weights": list(parts.values()),
        }
    return made
