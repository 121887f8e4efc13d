"""The reward of an exported stage, as the other trainer calls it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from viva.errors import InputError, did_you_mean
from viva.records import Item
from viva.training._composing import Part, composed
from viva.training.recipes import Recipe
from viva.training.reward_functions import within_thinking
from viva.training.rewards import to_openrlhf, to_verl
from viva.training.rewards.completions import Completion, Component, as_completion

__all__ = ["START", "reward_of"]

START = "viva_start"
"""Where in an exported item's meta the beginning of the answer stands."""


def reward_of(recipe: str | os.PathLike[str], stage: str, to: str) -> Callable[..., Any]:
    """The reward of a stage: what an exported ``reward.py`` stands on.

    Parameters
    ----------
    recipe : path
        The ``recipe.json`` of an export.
    stage : str
        Its name.
    to : {"verl", "openrlhf"}

    Returns
    -------
    callable
        As :func:`viva.training.rewards.to_verl` and :func:`viva.training.rewards.to_openrlhf` make
        them. For verl, where parts are normalised apart (GDPO), the value of each stands beside
        the score, under its name.

    Raises
    ------
    InputError
        There is no such stage.
    """
    read = Recipe.model_validate_json(Path(recipe).read_text("utf-8"))
    named = {each.name: each for each in read.stages}
    if stage not in named:
        raise InputError(f"no stage {stage!r}", where=str(recipe), mend=did_you_mean(stage, named))
    parts = composed(named[stage])
    opened = read.thinking == "open"
    if to == "openrlhf":
        import torch

        return to_openrlhf(_after_start(_whole(parts), opened), as_tensor=torch.tensor)
    total = to_verl(_whole(parts), thinking_open=opened)
    if not named[stage].normalise:
        return total
    apart = {part.name: to_verl(_whole([part]), thinking_open=opened) for part in parts}

    def compute_score(
        data_source: str, solution_str: str, ground_truth: str, extra_info: Any = None, **_: Any
    ) -> dict[str, float]:
        given = (data_source, solution_str, ground_truth, extra_info)
        return total(*given) | {name: function(*given)["score"] for name, function in apart.items()}

    return compute_score


def _whole(parts: list[Part]) -> Component:
    """The weighted sum of the parts that apply, as the trainer of TRL has it."""

    def whole(item: Item, completion: Completion | str) -> float | None:
        said = as_completion(completion)
        values = [(part.weight, part.component(item, said)) for part in parts]
        for part in parts:
            for single in part.singles.values():
                single.forget()
        known = [weight * value for weight, value in values if value is not None]
        return sum(known) if known else None

    return whole


def _after_start(component: Component, opened: bool) -> Component:
    """The component for an answer whose beginning stands in the item's meta."""

    def behind(item: Item, completion: Completion | str) -> float | None:
        said = as_completion(completion)
        start = str(item.meta.get(START, ""))
        said.thinking_open = within_thinking(start, opened)
        if start and not said.text.strip():  # it ended at once the turn begun for it
            said.text, said.thinking_open = start, opened
        return component(item, said)

    return behind
