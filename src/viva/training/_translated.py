"""The settings of a stage, taken one by one while they are put into another trainer's words.

What is not taken is refused at the end, all of it in one message: a setting that is dropped in
silence changes what is learned.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from viva.errors import InputError

__all__ = ["DEFAULTS", "LEFT", "Batches", "Settings", "batches", "lora_alpha"]

_SHARED: dict[str, Any] = {
    "num_train_epochs": 3.0, "max_steps": -1, "per_device_train_batch_size": 8,
    "gradient_accumulation_steps": 1, "lr_scheduler_type": "linear", "warmup_steps": 0,
    "weight_decay": 0.0, "adam_beta1": 0.9, "adam_beta2": 0.999, "adam_epsilon": 1e-8,
    "max_grad_norm": 1.0,
}  # fmt: skip

DEFAULTS: dict[str, dict[str, Any]] = {
    "sft": _SHARED | {
        "learning_rate": 2e-5, "max_length": 1024, "completion_only_loss": None,
        "assistant_only_loss": False, "packing": False, "loss_type": "nll",
        "truncation_mode": "keep_start",
    },
    "dpo": _SHARED | {
        "learning_rate": 1e-6, "max_length": 1024, "beta": 0.1, "loss_type": ["sigmoid"],
        "loss_weights": None, "label_smoothing": 0.0, "truncation_mode": "keep_start",
    },
    "grpo": _SHARED | {
        "learning_rate": 1e-6, "beta": 0.0, "num_generations": 8, "max_completion_length": 512,
        "steps_per_generation": None, "generation_batch_size": None, "num_iterations": 1,
        "temperature": 1.0, "top_p": 1.0, "top_k": 0, "epsilon": 0.2, "epsilon_high": None,
        "delta": None, "loss_type": "dapo", "scale_rewards": "group",
        "importance_sampling_level": "token", "entropy_coef": 0.0,
    },
}  # fmt: skip
"""Trainer -> what TRL 1.16 takes where a stage says nothing: the other trainers take otherwise, so
that all of it is written out."""

LEFT = frozenset((
    "bf16", "fp16", "tf32", "gradient_checkpointing", "gradient_checkpointing_kwargs", "optim",
    "logging_steps", "logging_strategy", "logging_first_step", "report_to", "run_name",
    "save_steps", "save_strategy", "save_total_limit", "save_only_model", "disable_tqdm",
    "dataloader_num_workers", "dataloader_pin_memory", "dataset_num_proc", "use_vllm", "vllm_mode",
    "vllm_gpu_memory_utilization", "vllm_tensor_parallel_size", "vllm_enable_sleep_mode",
    "vllm_max_model_length", "log_completions", "num_completions_to_print", "log_unique_prompts",
    "use_liger_kernel", "torch_compile", "fsdp", "fsdp_config", "deepspeed", "ddp_timeout",
    "pad_to_multiple_of", "padding_free", "activation_offloading", "use_cpu", "shuffle_dataset",
    "train_sampling_strategy", "precompute_ref_log_probs", "ds3_gather_for_generation",
))  # fmt: skip
"""Settings of speed, memory, logging and saving: they change nothing that is learned, and are left
to the other trainer. The order of the data is settled apart."""

_MISSING = object()


@dataclass
class Settings:
    """What a stage sets, with the defaults of TRL behind it.

    Parameters
    ----------
    trainer : {"sft", "dpo", "grpo"}
    given : mapping
        Of the stage.
    """

    trainer: str
    given: Mapping[str, Any]
    refused: list[str] = field(default_factory=list)
    """What cannot be said, and why."""
    notes: list[str] = field(default_factory=list)
    """What is said otherwise, for the README."""
    _taken: set[str] = field(default_factory=set)

    def take(self, name: str) -> Any:
        """The value of a setting; of one without a default in the table, None."""
        self._taken.add(name)
        default = DEFAULTS[self.trainer].get(name)
        return self.given.get(name, default)

    def refuse(self, what: str) -> None:
        """Note what the other trainer cannot do."""
        self.refused.append(what)

    def only(self, name: str, *values: Any, why: str = "") -> Any:
        """The value, refused where it is none of those that the other trainer has."""
        value = self.take(name)
        if value not in values:
            self.refuse(f"{name} = {value!r}" + (f" ({why})" if why else ""))
        return value

    def left(self) -> list[str]:
        """The names that are left to the other trainer."""
        return sorted(set(self.given) & LEFT - self._taken)

    def done(self, where: str, to: str) -> None:
        """Refuse what was not taken.

        Raises
        ------
        InputError
            Naming everything that cannot be said to the trainer.
        """
        rest = sorted(set(self.given) - self._taken - LEFT)
        refused = [*self.refused, *(f"{name} = {self.given[name]!r}" for name in rest)]
        if refused:
            raise InputError(
                f"{to} cannot be told {'; '.join(refused)}",
                where=where,
                mend="Change these with --set, or train with TRL (without --to)",
            )


@dataclass(frozen=True)
class Batches:
    """How many completions of GRPO make an update and a round of sampling, on one process."""

    update: int
    round: int
    generations: int
    micro: int

    @property
    def prompts(self) -> int:
        """Prompts of a round."""
        return self.round // self.generations

    @property
    def prompts_of_update(self) -> int:
        """Prompts of an update."""
        return self.update // self.generations


def batches(settings: Settings) -> Batches:
    """The batches of a GRPO stage, as TRL counts them.

    Raises
    ------
    InputError
        Groups that are split over updates or rounds.
    """
    micro = settings.take("per_device_train_batch_size")
    update = micro * settings.take("gradient_accumulation_steps")
    per_round = settings.take("steps_per_generation")
    whole = settings.take("generation_batch_size")
    size = whole or (micro * per_round if per_round else update)
    n = settings.take("num_generations")
    if size % n or update % n or size % update:
        raise InputError(
            f"groups of {n} do not fill updates of {update} and rounds of {size} completions",
            mend="Make update and round multiples of num_generations, and the round of the update",
        )
    return Batches(update, size, n, micro)


def lora_alpha(settings: Settings, adapter: Any) -> int:
    """The alpha of a plain adapter that scales as this one does.

    rsLoRA scales by alpha / sqrt(rank), LoRA by alpha / rank: equal where LoRA's alpha is that of
    rsLoRA times sqrt(rank). What is no whole number, and DoRA, are refused.
    """
    alpha: float = adapter.alpha
    if adapter.dora:
        settings.refuse("adapter.dora = true")
    if adapter.rslora:
        alpha = adapter.alpha * math.sqrt(adapter.rank)
        settings.notes.append(
            f"rsLoRA with alpha {adapter.alpha:g} is written as LoRA with alpha {alpha:g}: "
            f"{adapter.alpha:g} / sqrt({adapter.rank}) = {alpha:g} / {adapter.rank}."
        )
    if abs(alpha - round(alpha)) > 1e-9:
        settings.refuse(f"adapter.alpha = {alpha:g} (a whole number)")
    return round(alpha)
