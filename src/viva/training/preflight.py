"""Checks before the first step: what would train without learning is refused, with the mend.

Most trainings that fail do so silently: completions that are all cut, a thinking tag that the
template already wrote, a reward that never applies, groups that are all paid the same. Each is
visible before the first step, on the data and on a few completions of the model as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from viva.errors import InputError, did_you_mean
from viva.synthesis.examples import Example
from viva.training import _data_checks as data
from viva.training import _leaks as leaks
from viva.training import _probe_checks as probe
from viva.training import _setting_checks as machine
from viva.training import _template_checks as template
from viva.training._findings import (
    LEVELS,
    Finding,
    Level,
    accepted,
    refuse,
    shown,
    write_findings,
)
from viva.training._plan import Plan

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "CHECKS",
    "LEVELS",
    "PREFLIGHT",
    "Check",
    "Finding",
    "Level",
    "defaults",
    "preflight",
    "print_findings",
    "refuse",
    "settle",
    "write_findings",
]

PREFLIGHT = "preflight.json"
"""Name of the file of findings in a stage's folder."""


class Check(NamedTuple):
    """A check with what has to be known of it."""

    description: str
    """What holds where it finds nothing."""
    function: Callable[[Plan], Iterable[Finding]]


CHECKS: dict[str, Check] = {
    "data": Check("there are examples, and they have what the trainer needs", data.data),
    "gpu": Check("a recipe that needs a GPU has one", machine.gpu),
    "memory": Check("weights, gradients and optimiser fit in memory", machine.memory),
    "learning_rate": Check("the learning rate is one in use", machine.learning_rate),
    "batch": Check("batches and groups are whole", machine.batch),
    "prompt": Check("the chat template takes the messages", template.prompt),
    "generation_prompt": Check("a prompt ends where the answer begins", template.generation_prompt),
    "thinking": Check("thinking begins where the recipe says", template.thinking),
    "thinking_kept": Check("the data's thinking is in the loss", template.thinking_kept),
    "stop_token": Check("completions end where the model stops", template.stop_token),
    "padding": Check("padding is a token of its own", template.padding),
    "prompt_length": Check("the context holds prompts and answers", data.prompt_length),
    "completion_length": Check("no completion of the data is cut", data.completion_length),
    "starts": Check("starts are not in the loss", data.starts),
    "answers": Check("the data's answers are read, and right", data.answers),
    "pairs": Check("pairs differ, the better side is preferred", data.pairs),
    "evaluation_overlap": Check("no evaluation item stands in the data", leaks.evaluation_overlap),
    "reward_applies": Check("rewards apply to the data", probe.reward_applies),
    "completions_cut": Check("the model's completions end", probe.completions_cut),
    "answers_read": Check("the model's answers are read", probe.answers_read),
    "reward_spread": Check("rewards differ within groups", probe.reward_spread),
}
"""The checks, in the order in which they are made: cheap ones first, those that ask the model
last."""

_NEEDED = ("data", "prompt", "batch")
"""Where one of these refuses, those that follow have nothing to look at."""
_ASKING = ("completions_cut", "answers_read", "reward_spread")
"""These ask the model: not where the training is refused already."""


def defaults(trainer: str) -> dict[str, Any]:
    """The plain values of TRL's configuration of a trainer, where a stage does not set them.

    Parameters
    ----------
    trainer : {"sft", "dpo", "grpo"}
    """
    import dataclasses

    import trl

    config = {"sft": "SFTConfig", "dpo": "DPOConfig", "grpo": "GRPOConfig"}[trainer]
    return {
        field.name: field.default
        for field in dataclasses.fields(getattr(trl, config))
        if field.default is not dataclasses.MISSING
    }


def preflight(
    trainer: str,
    rows: Sequence[Mapping[str, Any]],
    tokenizer: Any,
    model: Any = None,
    *,
    examples: Sequence[Example] = (),
    settings: Mapping[str, Any] | None = None,
    lora: bool = False,
    thinking: str = "none",
    reward_functions: Sequence[Callable[..., Any]] = (),
    evaluation: pl.DataFrame | None = None,
    needs_gpu: bool = False,
    allow_cpu: bool = False,
    accept: Collection[str] = (),
    seed: int = 0,
    probe_prompts: int = 32,
    probe_seconds: float = 900.0,
) -> list[Finding]:
    """Check a stage before its first step.

    Parameters
    ----------
    trainer : {"sft", "dpo", "grpo"}
    rows : sequence of mapping
        What the trainer gets, as :func:`viva.training.datasets.rows_of` writes it or as TRL takes
        it: ``prompt`` (a text, or messages) with ``completion``, with ``chosen`` and ``rejected``,
        or with ``item``.
    tokenizer : transformers.PreTrainedTokenizerBase
    model : transformers.PreTrainedModel, optional
        In which the stage begins; what rewards pay is then tried on what it writes.
    examples : sequence of Example, optional
        What the rows were made of, in their order.
    settings : mapping, optional
        Those of the stage; :func:`defaults` stand behind them. ``chat_template_kwargs`` are the
        variables of the chat template.
    lora : bool
        An adapter is trained.
    thinking : {"tags", "open", "none"}
        Who opens the thinking: the model, the template, nobody.
    reward_functions : sequence of callable
        Of TRL's shape; they are called as TRL calls them, before the first step.
    evaluation : polars.DataFrame, optional
        Items with which the model will be examined; columns of :func:`viva.records.item_schema`.
    needs_gpu, allow_cpu : bool
        The recipe needs a GPU; the user tries without one.
    accept : collection of str
        Checks whose refusals become warnings.
    seed : int
        Of the probe.
    probe_prompts : int
        Prompts of the probe, each with ``num_generations`` completions, at most 8.
    probe_seconds : float
        After so long no further batch of the probe is begun.

    Returns
    -------
    list of Finding
        In the order of :data:`CHECKS`. Nothing is raised for what they say: see :func:`settle`.

    Raises
    ------
    InputError
        An unknown trainer, or a name in ``accept`` that is no check.
    """
    if trainer not in ("sft", "dpo", "grpo"):
        raise InputError(f"unknown trainer {trainer!r}", mend="Use sft, dpo or grpo")
    unknown = [name for name in accept if name not in CHECKS]
    if unknown:
        raise InputError(f"no check {unknown[0]!r}", mend=did_you_mean(unknown[0], CHECKS))
    plan = Plan(
        trainer, rows, tokenizer, model, examples, {**defaults(trainer), **(settings or {})}, lora,
        thinking, reward_functions, evaluation, needs_gpu, allow_cpu, seed, probe_prompts,
        probe_seconds,
    )  # fmt: skip
    found: list[Finding] = []
    for name, check in CHECKS.items():
        refused = [each for each in accepted(found, accept) if not each.ok]
        if name in _ASKING and any(each.check not in _ASKING for each in refused):
            break
        found += check.function(plan)
        if name in _NEEDED and not all(each.ok for each in found if each.check == name):
            break
    return accepted(found, accept)


def print_findings(findings: Sequence[Finding], *, title: str = "Before training") -> None:
    """Print the findings as a table on standard error; it fits the terminal."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    counts = ", ".join(
        f"{n} {level}" for level in LEVELS if (n := sum(f.level == level for f in findings))
    )
    console.print(f"{title}: {counts}", markup=False)
    console.print(shown(findings))


def settle(
    findings: Sequence[Finding],
    folder: Path,
    *,
    title: str = "Before training",
    quiet: bool = False,
) -> None:
    """Write the findings to ``preflight.json``, print them, and stop where one refuses.

    Parameters
    ----------
    findings : sequence of Finding
    folder : pathlib.Path
        Of the stage.
    title : str
        Above the table.
    quiet : bool
        Nothing is printed.

    Raises
    ------
    InputError
        The first refusal, in one line, with its mend.
    """
    write_findings(folder / PREFLIGHT, findings)
    if not quiet:
        print_findings(findings, title=title)
    refuse(findings, where=None)
