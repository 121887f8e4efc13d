"""What reward functions pay, called as TRL calls them, before there is a trainer."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from viva.errors import InputError

if TYPE_CHECKING:
    from viva.training._plan import Plan

__all__ = ["groups_paid", "name_of", "paid"]


def name_of(function: Callable[..., Any]) -> str:
    """The name under which TRL logs a reward function."""
    return str(getattr(function, "__name__", type(function).__name__))


def paid(
    plan: Plan, function: Callable[..., Any], rows: Sequence[int], texts: Sequence[str],
    ids: Sequence[Sequence[int]] | None = None,
) -> list[float | None]:  # fmt: skip
    """What a reward function pays, called as TRL calls it.

    Raises
    ------
    InputError
        It pays another number of values than there are completions.
    """
    prompts = [plan.rows[row].get("prompt") for row in rows]
    said: list[Any] = [
        text if isinstance(prompt, str) else [{"role": "assistant", "content": text}]
        for prompt, text in zip(prompts, texts, strict=True)
    ]
    skipped = {"prompt", "completion", "completion_ids"}
    columns = {
        name: [plan.rows[row].get(name) for row in rows]
        for name in (plan.rows[0] if plan.rows else {})
        if name not in skipped
    }
    values = function(
        prompts=prompts, completions=said, completion_ids=list(ids or [[] for _ in texts]),
        trainer_state=None, **columns,
    )  # fmt: skip
    if inspect.isawaitable(values):
        values = asyncio.run(_awaited(values))
    values = list(values)
    if len(values) != len(texts):
        raise InputError(
            f"reward {name_of(function)} gives {len(values)} values for {len(texts)} completions"
        )
    return [None if value is None else float(value) for value in values]


async def _awaited(values: Any) -> Any:
    return await values


def groups_paid(plan: Plan) -> list[list[list[float]]]:
    """Group, function, completion: what is paid, weighted; None is 0, as TRL sums it."""
    flat = [(row, each) for row, own in plan.sampled for each in own]
    if not flat or not plan.reward_functions:
        return []
    rows, texts = [row for row, _ in flat], [each.text for _, each in flat]
    ids = [each.ids for _, each in flat]
    given = plan.settings.get("reward_weights") or [1.0] * len(plan.reward_functions)
    weighed = [
        [weight * (value or 0.0) for value in paid(plan, function, rows, texts, ids)]
        for function, weight in zip(plan.reward_functions, given, strict=True)
    ]
    groups, first = [], 0
    for _, own in plan.sampled:
        groups.append([values[first : first + len(own)] for values in weighed])
        first += len(own)
    return groups
