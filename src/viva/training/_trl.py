"""TRL's trainers, given data that is written and laid out here. Imported where training begins."""

from __future__ import annotations

import dataclasses
import math
import typing
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, TypeAdapter, ValidationError
from transformers import TrainerCallback
from transformers.utils import logging
from trl import DPOConfig, DPOTrainer, GRPOConfig, GRPOTrainer, SFTConfig, SFTTrainer

from viva.errors import InputError, did_you_mean
from viva.training.curricula import keeps_order

if TYPE_CHECKING:
    from datasets import Dataset

    from viva.training.recipes import Adapter, Stage

__all__ = ["check_settings", "config_fields", "configured", "make_trainer", "without_noise"]


@contextmanager
def without_noise() -> Iterator[None]:
    """Libraries' bars of files and warnings to their own developers are not shown."""
    before, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
            yield
    finally:
        logging.set_verbosity(before)
        if bars:
            logging.enable_progress_bar()


_CONFIGS: dict[str, Any] = {"sft": SFTConfig, "dpo": DPOConfig, "grpo": GRPOConfig}

_OURS = {
    "output_dir": "it is the folder of the stage",
    "resume_from_checkpoint": "the same call goes on from the last checkpoint",
    "report_to": "it is given with --report-to",
    "use_cpu": "the device is chosen here; --allow-cpu trains without a GPU",
    "shuffle_dataset": "the order is that of the curriculum",
    "train_sampling_strategy": "the order is that of the curriculum",
    "auto_find_batch_size": "a batch of another size is another training",
    "ignore_data_skip": "a training that was killed goes on to the same loss curve",
    "save_only_model": "a training that was killed goes on to the same loss curve",
    "save_strategy": "checkpoints are written every save_steps",
    "logging_strategy": "losses are logged every logging_steps",
    "load_best_model_at_end": "the trained model is the last one",
    "trust_remote_code": "code of a model's authors is not run",
    "chat_template_kwargs": "they are the recipe's, for every stage",
    "chat_template_path": "the template is the model's own",
    "dataset_kwargs": "prompts and completions are written by the method",
    "dataset_text_field": "prompts and completions are written by the method",
    "completion_only_loss": "the loss is always that of the completion alone",
    "assistant_only_loss": "the loss is always that of the completion alone",
    "eval_strategy": "a trained model is examined by viva eval",
    "do_eval": "a trained model is examined by viva eval",
    "local_rank": "it is the launcher's",
}
"""Fields that a recipe does not set, and why. ``true`` of completion_only_loss may stand."""

_ON_CPU: dict[str, Any] = {
    "bf16": False,
    "fp16": False,
    "tf32": None,
    "use_vllm": False,
    "use_liger_kernel": False,
    "torch_compile": False,
    "dataloader_pin_memory": False,
}
"""What a recipe made for GPUs asks for, and what takes its place on a CPU."""


def config_fields(trainer: str) -> dict[str, Any]:
    """Fields of TRL's configuration of a trainer that a recipe can set, with their types.

    Parameters
    ----------
    trainer : {"sft", "dpo", "grpo"}
    """
    config = _CONFIGS[trainer]
    types = typing.get_type_hints(config)
    names = [each.name for each in dataclasses.fields(config) if each.init]
    return {name: types[name] for name in names if name not in _OURS}


def check_settings(trainer: str, settings: Mapping[str, Any]) -> None:
    """Refuse settings that the trainer has not, or whose values are of another type.

    Raises
    ------
    InputError
        With the nearest names, or with what the value should be.
    """
    known = config_fields(trainer)
    for name, value in settings.items():
        if name == "completion_only_loss" and value is True:
            continue
        if name in _OURS:
            raise InputError(f"settings.{name} is not set by a recipe", mend=_OURS[name])
        if name not in known:
            mend = did_you_mean(name, known) if len(name) > 1 else None
            raise InputError(f"{_CONFIGS[trainer].__name__} has no {name!r}", mend=mend)
        _check_type(trainer, name, value, known[name])


def _check_type(trainer: str, name: str, value: Any, wanted: Any) -> None:
    allowed = ConfigDict(arbitrary_types_allowed=True)
    is_class = isinstance(wanted, type) and issubclass(wanted, str)
    if is_class and isinstance(value, str):  # an enumeration of words
        try:
            wanted(value)
        except ValueError as error:
            raise InputError(f"settings.{name} of {trainer}: {error}") from None
        return
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(wanted, config=allowed)
        adapter.validate_python(value, strict=True)
    except ValidationError as error:
        said = error.errors(include_url=False)[0]["msg"]
        raise InputError(
            f"settings.{name} = {value!r} of {trainer}: {said}", mend="Mend the value"
        ) from None


def configured(
    stage: Stage,
    out: Path,
    *,
    seed: int,
    gpu: bool,
    report_to: Sequence[str] = (),
    steps: Callable[[Any], int] | None = None,
) -> tuple[Any, dict[str, Any]]:
    """TRL's configuration of a stage, and what of its settings the device changed.

    Parameters
    ----------
    stage : Stage
    out : pathlib.Path
        Where checkpoints go.
    seed : int
        Where the settings have none.
    gpu : bool
        Whether there is one: numbers are bfloat16 there (float16 on cards without it) around
        weights of their own type, and float32 on a CPU.
    report_to : sequence of str
        Trackers.
    steps : callable, optional
        configuration -> optimiser steps in all; by these the interval of checkpoints is chosen
        where the recipe has none.

    Returns
    -------
    configuration, changed : object, dict
        A checkpoint is written where a loss is logged and nothing generated is left over, so that
        what goes on from it is what would have come.

    Raises
    ------
    InputError
        Values that do not go together.
    """
    settings: dict[str, Any] = {
        name: value for name, value in stage.settings.items() if name != "completion_only_loss"
    }
    check_settings(stage.trainer, settings)
    changed = {}
    if not gpu:
        for name, value in _ON_CPU.items():
            if settings.get(name) not in (None, value):
                changed[name] = settings[name]
            if name in config_fields(stage.trainer):
                settings[name] = value
        settings.setdefault("gradient_checkpointing", False)
        settings["use_cpu"] = True
    elif "bf16" not in settings and "fp16" not in settings:
        import torch

        short = torch.cuda.is_bf16_supported()
        settings |= {"bf16": short, "fp16": not short}
    if "activation_checkpointing" in config_fields(stage.trainer):  # its name since 5.23
        recomputed = settings.pop("gradient_checkpointing", True)
        settings.setdefault("activation_checkpointing", recomputed)
    settings.setdefault("seed", seed)
    settings.setdefault("logging_steps", 1)
    settings.setdefault("save_total_limit", 2)
    settings |= {
        "output_dir": str(out), "report_to": list(report_to) or "none", "save_strategy": "steps",
        "disable_tqdm": True,
    }  # fmt: skip
    settings |= keeps_order(stage.trainer, stage.settings, stage.curriculum)
    if stage.trainer == "sft" and not settings.get("packing"):
        settings["dataset_kwargs"] = {"skip_prepare_dataset": True}
    try:
        config = _CONFIGS[stage.trainer](**settings)
    except (ValueError, TypeError, ImportError) as error:
        said = " ".join(str(error).split())
        raise InputError(said, where=f"stage {stage.name}", mend="Mend the settings") from None
    _align(config, stage, steps(config) if steps else 0)
    return config, changed


def _align(config: Any, stage: Stage, total: int) -> None:
    """Checkpoints where nothing is pending: a logged loss, and a new generation after it."""
    if config.logging_steps < 1:
        config.logging_steps = max(1, math.ceil(total * config.logging_steps))
    config.logging_steps = int(config.logging_steps)
    unit = config.logging_steps
    if stage.trainer == "grpo":
        window = config.steps_per_generation * config.num_iterations
        own = window // math.gcd(window, config.gradient_accumulation_steps)
        unit = math.lcm(unit, own)
    if "save_steps" in stage.settings:
        wanted = config.save_steps if config.save_steps >= 1 else total * config.save_steps
    else:
        wanted = min(500, total / 10)
    config.save_steps = unit * max(1, math.ceil(wanted / unit))


class _Plain:
    """The trained model has a card of its own: none is written beside each checkpoint."""

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """Write nothing."""


class _SFT(_Plain, SFTTrainer):  # type: ignore[misc]
    """Token ids and labels are there."""


class _DPO(_Plain, DPOTrainer):  # type: ignore[misc]
    """Token ids are there: those that evaluation gives the model."""

    def _prepare_dataset(self, dataset: Any, processing_class: Any, args: Any, name: str) -> Any:
        if "prompt_ids" not in dataset.column_names:
            return super()._prepare_dataset(dataset, processing_class, args, name)
        return dataset


class _GRPO(_Plain, GRPOTrainer):  # type: ignore[misc]
    """A prompt is written whole: no token is put before it."""

    def _tokenize_prompts(self, prompts: list[Any]) -> tuple[list[list[int]], None, dict[str, Any]]:
        ids = self.processing_class(text=prompts, add_special_tokens=False)["input_ids"]
        return ids, None, {}


class _Continues(TrainerCallback):  # type: ignore[misc]
    """Trainers count steps and tokens themselves: these counts go on, too."""

    def __init__(self) -> None:
        self.trainer: Any = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        # By its steps GRPO knows when to generate.
        self.trainer._step = state.global_step * args.gradient_accumulation_steps
        tokens = [row["num_tokens"] for row in state.log_history if row.get("num_tokens")]
        self.trainer._total_train_tokens = int(tokens[-1]) if tokens else 0


def lora(adapter: Adapter) -> Any:
    """PEFT's configuration of an adapter."""
    from peft import LoraConfig

    return LoraConfig(
        r=adapter.rank,
        lora_alpha=adapter.alpha,
        lora_dropout=adapter.dropout,
        use_dora=adapter.dora,
        use_rslora=adapter.rslora,
        target_modules=adapter.targets,
        task_type="CAUSAL_LM",
    )


def make_trainer(
    stage: Stage,
    config: Any,
    model: Any,
    tokenizer: Any,
    dataset: Dataset,
    *,
    reward_functions: Sequence[Callable[..., Any]] = (),
    callbacks: Sequence[Any] = (),
) -> Any:
    """The trainer of a stage.

    Parameters
    ----------
    stage : Stage
    config : object
        Of :func:`configured`.
    model : transformers.PreTrainedModel
    tokenizer : transformers.PreTrainedTokenizerBase
    dataset : datasets.Dataset
        Rows of :func:`viva.training.datasets.rows_of`, in the order in which they are learned.
    reward_functions : sequence of callable
        As TRL calls them; of GRPO.
    callbacks : sequence of transformers.TrainerCallback

    Raises
    ------
    InputError
        Settings that do not go together.
    """
    continues = _Continues()
    given: dict[str, Any] = {
        "model": model,
        "args": config,
        "train_dataset": dataset,
        "processing_class": tokenizer,
        "callbacks": [*callbacks, continues],
        "peft_config": lora(stage.adapter) if stage.adapter else None,
    }
    try:
        if stage.trainer == "grpo":
            trainer = _GRPO(reward_funcs=list(reward_functions), **given)
        else:
            trainer = (_SFT if stage.trainer == "sft" else _DPO)(**given)
    except (ValueError, TypeError, ImportError) as error:
        said = " ".join(str(error).split())
        raise InputError(said, where=f"stage {stage.name}", mend="Mend the settings") from None
    continues.trainer = trainer
    return trainer
