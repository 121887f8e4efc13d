"""A stage in the words of OpenRLHF: the arguments of its commands, and how they are started.

Arguments are those of OpenRLHF 0.11.2 (``openrlhf.cli.train_sft``, ``train_dpo``,
``train_ppo_ray``).
"""

from __future__ import annotations

import shlex
from typing import Any

from viva.training._translated import Settings, batches, lora_alpha
from viva.training.recipes import Recipe, Stage

__all__ = ["VERSION", "arguments", "command"]

VERSION = "0.11.2"
_MODULES = {"sft": "train_sft", "dpo": "train_dpo", "grpo": "train_ppo_ray"}
_LOSSES = {"dapo": "token-mean", "grpo": "seq-mean-token-mean"}
"""Loss of TRL -> how OpenRLHF takes the mean over tokens."""
_PREFERENCES = {"sigmoid", "ipo", "sft"}


def arguments(recipe: Recipe, stage: Stage, settings: Settings, *, longest: int) -> dict[str, Any]:
    """The arguments of one stage: name without dashes -> value; True is a switch.

    Parameters
    ----------
    recipe : Recipe
    stage : Stage
    settings : Settings
        Of the stage; what OpenRLHF cannot be told is noted there.
    longest : int
        Tokens of the longest prompt, or a bound of it.
    """
    if stage.curriculum.order != "none":
        settings.refuse(f"curriculum.order = {stage.curriculum.order!r} (it shuffles)")
    if settings.take("max_steps") > 0:
        settings.refuse(f"max_steps = {settings.given['max_steps']} (it counts epochs)")
    if stage.normalise:
        settings.refuse("normalise = true")
    write = {"sft": _sft, "dpo": _dpo, "grpo": _grpo}[stage.trainer]
    return {
        "ckpt.output_dir": "model", "ckpt.path": "checkpoints", "ckpt.save_steps": -1,
        "train.seed": recipe.seed, **_adapter(stage, settings), **write(stage, settings, longest),
    }  # fmt: skip


def command(stage: Stage, given: dict[str, Any], *, templated: bool) -> str:
    """What starts the stage, in its folder; further arguments are OpenRLHF's.

    Parameters
    ----------
    stage : Stage
    given : dict
        Of :func:`arguments`.
    templated : bool
        The data are texts under the model's chat template; else conversations.
    """
    module = f"openrlhf.cli.{_MODULES[stage.trainer]}"
    name = "actor.model_name_or_path" if stage.trainer == "grpo" else "model.model_name_or_path"
    lines = [f"python3 -m {module}" if stage.trainer == "grpo" else f"deepspeed --module {module}"]
    lines.append(f'--{name} "$MODEL"')
    if stage.trainer == "dpo":
        lines.append('--ref.model_name_or_path "$MODEL"')
    if stage.trainer == "grpo":
        lines += [
            '--actor.num_gpus_per_node "$GPUS"', '--ref.num_gpus_per_node "$GPUS"',
            '--vllm.num_engines "$GPUS"',
        ]  # fmt: skip
    for key, value in given.items():
        if value is True:
            lines.append(f"--{key}")
        elif isinstance(value, list | tuple):
            lines.append(" ".join([f"--{key}", *(shlex.quote(f"{each}") for each in value)]))
        elif value is not None and value is not False:
            lines.append(f"--{key} {shlex.quote(f'{value}')}")
    if templated:
        if stage.trainer == "sft":
            lines.append("--data.input_template '{}'")  # else one of its own is put around
    else:
        lines.append("--data.apply_chat_template")
    lines.append('"$@"')
    written = " \\\n  ".join(lines) + "\n"
    if stage.adapter is not None:  # what is saved is the adapter alone
        written += (
            "mv model adapter\npython3 -m openrlhf.cli.lora_combiner \\\n"
            '  --model_path "$MODEL" --lora_path adapter --output_path model\n'
        )
    return written


def _adapter(stage: Stage, settings: Settings) -> dict[str, Any]:
    adapter = stage.adapter
    if adapter is None:
        return {}
    written: dict[str, Any] = {
        "ds.lora.rank": adapter.rank,
        "ds.lora.alpha": lora_alpha(settings, adapter),
        "ds.lora.dropout": adapter.dropout,
    }
    if adapter.targets != "all-linear":  # its default; given, it would be taken for a module
        named = adapter.targets
        written["ds.lora.target_modules"] = [named] if isinstance(named, str) else list(named)
    return written


def _optimiser(settings: Settings, prefix: str = "") -> dict[str, Any]:
    warmup = settings.take("warmup_steps")
    schedule = settings.take("lr_scheduler_type")
    if schedule == "constant":
        warmup = 0
    if warmup >= 1:
        settings.refuse(f"warmup_steps = {warmup:g} (a share of the steps, below 1)")
    return {
        f"{prefix}adam.lr": settings.take("learning_rate"),
        f"{prefix}adam.betas": [settings.take("adam_beta1"), settings.take("adam_beta2")],
        f"{prefix}adam.eps": settings.take("adam_epsilon"),
        f"{prefix}adam.weight_decay": settings.take("weight_decay"),
        f"{prefix}lr_scheduler": schedule,
        f"{prefix}lr_warmup_ratio": warmup,
        f"{prefix}max_norm": settings.take("max_grad_norm"),
    }


def _epochs(settings: Settings) -> int:
    epochs = float(settings.take("num_train_epochs"))
    if epochs != int(epochs):
        settings.refuse(f"num_train_epochs = {epochs:g} (a whole number)")
    return max(1, round(epochs))


def _learning(settings: Settings) -> dict[str, Any]:
    """What SFT and DPO share."""
    settings.only("truncation_mode", "keep_start")
    micro = settings.take("per_device_train_batch_size")
    return {
        "data.dataset": "data/train.jsonl",
        "data.max_len": settings.take("max_length"),
        "train.micro_batch_size": micro,
        "train.batch_size": micro * settings.take("gradient_accumulation_steps"),
        "train.max_epochs": _epochs(settings),
        **_optimiser(settings),
    }


def _sft(stage: Stage, settings: Settings, longest: int) -> dict[str, Any]:  # noqa: ARG001
    whole = settings.only("completion_only_loss", None, True, False) is False
    settings.only("assistant_only_loss", False, True)
    settings.only("packing", False)
    settings.only("loss_type", "nll")
    return {
        "data.input_key": "prompt",
        "data.output_key": "completion",
        "model.pretrain_mode_enable": whole,
        **_learning(settings),
    }


def _dpo(stage: Stage, settings: Settings, longest: int) -> dict[str, Any]:  # noqa: ARG001
    given = settings.take("loss_type")
    losses = [given] if isinstance(given, str) else list(given)
    weights = settings.take("loss_weights") or [1.0] * len(losses)
    weight = dict(zip(losses, weights, strict=False))
    main = [name for name in losses if name in ("sigmoid", "ipo")]
    if set(losses) - _PREFERENCES or len(main) != 1 or len(weight) != len(weights):
        settings.refuse(f"loss_type = {losses!r} (sigmoid or ipo, with or without sft)")
    elif weight[main[0]] != 1:
        settings.refuse(f"loss_weights = {weights!r} (1 for {main[0]})")
    return {
        "data.prompt_key": "prompt",
        "data.chosen_key": "chosen",
        "data.rejected_key": "rejected",
        "model.beta": settings.take("beta"),
        "model.ipo_enable": "ipo" in losses,
        "model.label_smoothing": settings.take("label_smoothing"),
        "model.nll_loss_coef": weight.get("sft", 0.0),
        **_learning(settings),
    }


def _grpo(stage: Stage, settings: Settings, longest: int) -> dict[str, Any]:  # noqa: ARG001
    sizes = batches(settings)
    scale = settings.only("scale_rewards", "group", "none", True, False)
    loss = settings.only("loss_type", *_LOSSES, why=f"of GRPO: {', '.join(_LOSSES)}")
    if settings.take("top_k"):
        settings.refuse(f"top_k = {settings.given['top_k']}")
    if settings.take("importance_sampling_level") != "token":
        settings.refuse("importance_sampling_level other than 'token'")
    low, high = settings.take("epsilon"), settings.take("epsilon_high")
    beta, length = settings.take("beta"), settings.take("max_completion_length")
    return {
        "data.prompt_dataset": "data/train.jsonl",
        "data.input_key": "prompt",
        "data.label_key": "label",
        "data.max_len": longest + length,
        "rollout.max_new_tokens": length,
        "rollout.n_samples_per_prompt": sizes.generations,
        "rollout.batch_size": sizes.prompts,
        "rollout.micro_batch_size": sizes.micro,
        "rollout.temperature": settings.take("temperature"),
        "rollout.top_p": settings.take("top_p"),
        "reward.remote_url": "reward.py",
        "algo.advantage.estimator": "group_norm" if scale in ("group", True) else "dr_grpo",
        "algo.kl.use_loss": True,
        "algo.kl.estimator": "k3",
        "algo.kl.init_coef": beta,
        "actor.eps_clip_low_high": [low, low if high is None else high],
        "actor.dual_clip": settings.take("delta"),
        "actor.entropy_coef": settings.take("entropy_coef") or None,
        "actor.loss_agg_mode": _LOSSES.get(loss, "token-mean"),
        "train.batch_size": sizes.update,
        "train.micro_batch_size": sizes.micro,
        "train.max_epochs": settings.take("num_iterations"),
        "train.num_episodes": _epochs(settings),
        "train.colocate_all": True,
        "vllm.enable_sleep": True,
        "ds.enable_sleep": True,
        "vllm.gpu_memory_utilization": 0.5,
        **_optimiser(settings, "actor."),
    }
