"""One stage: which examples, in which order, by which trainer, from which model to which."""

from __future__ import annotations

import math
import os
import shutil
import time
from collections.abc import Collection, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viva.errors import InputError
from viva.models._weights import read
from viva.models.templates import find_template
from viva.runs.folder import write_whole
from viva.synthesis import Example, key_of
from viva.training._folders import MODEL, last_checkpoint
from viva.training.curricula import lay_out, order
from viva.training.datasets import PLAIN_TEMPLATE, Rows, fitted, rows_of, usable
from viva.training.journal import quiet as silence
from viva.training.journal import recording
from viva.training.preflight import preflight, settle
from viva.training.selection import Selected, select

if TYPE_CHECKING:
    import polars as pl

    from viva.training.recipes import Recipe, Stage
    from viva.training.reward_functions import RewardFunctions

__all__ = ["Ground", "laid_out", "run_stage", "wanted"]


@dataclass(frozen=True)
class Ground:
    """What all stages of a training stand on."""

    recipe: Recipe
    examples: Sequence[Example]
    evaluation: pl.DataFrame | None
    gpu: bool
    allow_cpu: bool = False
    accept: Collection[str] = ()
    report_to: Sequence[str] = ()
    quiet: bool = False


def wanted(config: Any, trainer: str, examples: int) -> tuple[int, int]:
    """Rows that a training takes in all, and its optimiser steps.

    Parameters
    ----------
    config : object
        TRL's configuration.
    trainer : {"sft", "dpo", "grpo"}
    examples : int
        Rows of one pass.
    """
    passes = max(1, math.ceil(examples * config.num_train_epochs))
    accumulated = config.gradient_accumulation_steps
    if trainer == "grpo":
        # A window: what is generated at once, and all the steps taken on it.
        prompts = config.generation_batch_size // config.num_generations
        steps = config.steps_per_generation * config.num_iterations / accumulated
        windows = math.ceil(
            (config.max_steps / steps) if config.max_steps > 0 else passes / prompts
        )
        return windows * prompts, config.max_steps if config.max_steps > 0 else int(windows * steps)
    batch = config.per_device_train_batch_size * accumulated * config.world_size
    if config.max_steps > 0:
        return config.max_steps * batch, config.max_steps
    return passes, math.ceil(passes / batch)


def laid_out(
    phases: Sequence[Sequence[Example]], rows: int, *, seed: int, shuffled: bool
) -> list[Example]:
    """So many rows in the order in which they are learned: each phase in proportion to its size."""
    total = sum(map(len, phases))
    laid: list[Example] = []
    done = 0
    for number, phase in enumerate(phases):
        done += len(phase)
        share = round(rows * done / total) - len(laid)
        epochs = math.ceil(share / len(phase))
        laid += lay_out([phase], epochs=epochs, seed=seed + number, shuffled=shuffled)[:share]
    return laid


def run_stage(
    ground: Ground, stage: Stage, folder: Path, base: Path, *, check: bool
) -> dict[str, Any]:
    """Train one stage from a model's folder to ``folder/model``; what came of it.

    Parameters
    ----------
    ground : Ground
    stage : Stage
    folder : pathlib.Path
        Of the stage.
    base : pathlib.Path
        Folder of the model in which it begins.
    check : bool
        End before the first step.

    Raises
    ------
    InputError
        Nothing to learn from, settings that cannot be used, a refusal of the checks.
    """
    begun = time.monotonic()
    import torch

    from viva.training import _trl

    recipe = ground.recipe
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = last_checkpoint(folder)
    seed = int(stage.settings.get("seed", recipe.seed))
    # First what this trainer can learn from: shares and limits hold of that.
    fit, unfit = usable(ground.examples, stage.trainer)
    chosen = _chosen(ground.recipe, fit, stage, folder, base, seed)
    device = torch.device("cuda" if ground.gpu else "cpu")
    model, tokenizer, _ = read(base, device, _dtype(torch, stage, ground.gpu), where=str(base))
    ends = _settle_tokens(model, tokenizer)
    whole = rows_of(chosen.examples, stage.trainer, recipe, tokenizer, ends=ends)
    config, changed = _trl.configured(
        stage, folder, seed=seed, gpu=ground.gpu, report_to=ground.report_to,
        steps=lambda config: wanted(config, stage.trainer, len(whole.rows))[1],
    )  # fmt: skip
    rows = whole
    if not getattr(config, "packing", False):
        longest, mode = getattr(config, "max_length", None), getattr(config, "truncation_mode", "")
        rows = fitted(whole, stage.trainer, longest, mode)
    paid = _paid(stage, config, rows, ends | {tokenizer.pad_token_id}, folder)
    if checkpoint is None:
        findings = preflight(
            stage.trainer, whole.rows, tokenizer, model, examples=whole.examples,
            settings=_settings(config), lora=stage.adapter is not None, thinking=recipe.thinking,
            reward_functions=paid.functions if paid else (), evaluation=ground.evaluation,
            needs_gpu=recipe.needs_gpu, allow_cpu=ground.allow_cpu, accept=ground.accept, seed=seed,
        )  # fmt: skip
        settle(findings, folder, title=f"Before the stage {stage.name}", quiet=ground.quiet)
    count, steps = wanted(config, stage.trainer, len(rows.rows))
    told: dict[str, Any] = {
        "selection": dict(chosen.report), "left_out": unfit | dict(rows.left_out),
        "examples": len(rows.rows), "rows": count, "steps": steps,
        "changed_for_device": changed, "thinking_open": rows.thinking_open,
    }  # fmt: skip
    if check:
        return told
    dataset = _dataset(stage, rows, count, seed)
    config.num_train_epochs = 1
    title = f"{folder.name} ({stage.trainer}) of {recipe.id}"
    counted = paid.counts if paid else None
    with recording(folder, title, counted=counted, show=not ground.quiet) as recorder:
        trainer = _trl.make_trainer(
            stage, config, model, tokenizer, dataset,
            reward_functions=paid.functions if paid else (), callbacks=[recorder],
        )  # fmt: skip
        silence(trainer)
        trainer.train(resume_from_checkpoint=str(checkpoint[0]) if checkpoint else None)
    told["resumed_from"] = checkpoint[1] if checkpoint else None
    _save(trainer, tokenizer, stage, folder)
    told["seconds"] = round(time.monotonic() - begun, 3)
    return told


def _chosen(
    recipe: Recipe, fit: Sequence[Example], stage: Stage, folder: Path, base: Path, seed: int
) -> Selected:
    """What the stage learns from; with hard mining, by what its model answers before it."""
    if stage.mining is None:
        return select(fit, stage.select, seed=seed)
    from viva.models import ModelOptions, Sampling
    from viva.synthesis.calling import open_caller
    from viva.training.hard_mining import mine

    template = None
    if find_template(str(base)) is None:
        template = folder / "chat_template.jinja"
        write_whole(template, PLAIN_TEMPLATE.encode())
    longest = Sampling(max_completion_tokens=stage.mining.max_completion_tokens)
    options = ModelOptions(chat_template=str(template) if template else None)
    journal = folder / "mining.jsonl"
    with closing(open_caller(f"hf/{base}", journal, options, sampling=longest)) as caller:
        return mine(
            fit, stage.mining, caller, stage.select, method=recipe.method,
            prompt=recipe.prompt, system=recipe.parameters.get("system"), seed=seed,
        )  # fmt: skip


def _dtype(torch: Any, stage: Stage, gpu: bool) -> Any:
    """Of the weights: frozen ones below an adapter are short on a GPU, trained ones are not."""
    named = (stage.settings.get("model_init_kwargs") or {}).get("dtype")
    if gpu and isinstance(named, str) and hasattr(torch, named):
        return getattr(torch, named)
    if gpu and stage.adapter is not None and torch.cuda.is_bf16_supported():
        return torch.bfloat16
    return torch.float32


def _settle_tokens(model: Any, tokenizer: Any) -> frozenset[int]:
    """The tokens that end a turn; padding becomes another one where the vocabulary has it."""
    given = model.generation_config.eos_token_id
    declared = given if isinstance(given, (list, tuple)) else [given]
    ends = {token for token in (tokenizer.eos_token_id, *declared) if token is not None}
    if not ends:
        raise InputError(
            "the model has no token that ends a turn", mend="Set eos_token in its tokenizer"
        )
    if tokenizer.eos_token_id is None:
        tokenizer.eos_token = tokenizer.convert_ids_to_tokens(min(ends))
    if tokenizer.pad_token_id is None or tokenizer.pad_token_id in ends:
        known = tokenizer.get_vocab()
        spare = next((n for n in _PADDING if n in known and known[n] not in ends), None)
        tokenizer.pad_token = spare or tokenizer.pad_token or tokenizer.eos_token
    tokenizer.padding_side = "left"
    model.config.get_text_config().pad_token_id = tokenizer.pad_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.generation_config.eos_token_id = sorted(ends)
    return frozenset(ends)


_PADDING = (
    "<pad>", "<|pad|>", "[PAD]", "<|finetune_right_pad_id|>", "<|endoftext|>", "<|vision_pad|>",
    "<unk>", "[UNK]",
)  # fmt: skip
"""What vocabularies have for padding, or never write."""


def _paid(
    stage: Stage, config: Any, rows: Rows, ends: Collection[int | None], folder: Path
) -> RewardFunctions | None:
    """The reward functions of a stage; what TRL has to know of them goes into its configuration."""
    if stage.trainer != "grpo":
        return None
    from viva.training.reward_functions import reward_functions

    judge = None
    if stage.judge is not None:
        from viva.judging import open_judge

        judge = open_judge(stage.judge, journal=folder / "verdicts.jsonl")
    made = reward_functions(
        stage, judge=judge, group_size=config.num_generations, thinking_open=rows.thinking_open,
        end_ids=sorted(end for end in ends if end is not None),
    )  # fmt: skip
    for name, value in made.settings.items():
        setattr(config, name, value)
    return made


def _settings(config: Any) -> dict[str, Any]:
    """The configuration as plain values."""
    return {name: getattr(config, name) for name in config.__dataclass_fields__}


def _dataset(stage: Stage, rows: Rows, count: int, seed: int) -> Any:
    """The rows as a data set, in the order in which they are learned."""
    from datasets import Dataset

    phases = order(rows.examples, stage.curriculum, seed=seed)
    ascends = stage.curriculum.order != "none" and stage.curriculum.phases == 1
    laid = laid_out(phases, count, seed=seed, shuffled=not ascends)
    places = {key_of(example): at for at, example in enumerate(rows.examples)}
    made = Dataset.from_list(rows.rows)
    return made.select([places[key_of(example)] for example in laid])


def _save(trainer: Any, tokenizer: Any, stage: Stage, folder: Path) -> None:
    """Write the trained model, an adapter merged into it, whole or not at all."""
    new = folder / f".new-{MODEL}"
    shutil.rmtree(new, ignore_errors=True)
    model = trainer.accelerator.unwrap_model(trainer.model)
    model.config.use_cache = True
    if stage.adapter is not None:
        model.merge_and_unload(safe_merge=True).save_pretrained(new)
    else:
        trainer.save_model(str(new))
        (new / "training_args.bin").unlink(missing_ok=True)  # a pickle, of no use to a model
    tokenizer.padding_side = "right"
    tokenizer.save_pretrained(new)
    os.replace(new, folder / MODEL)  # noqa: PTH105  in one step
