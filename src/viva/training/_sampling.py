"""A probe before the first step: what the model writes now, drawn as the trainer will draw."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from viva.training._plan import Plan

__all__ = ["Sampled", "sample"]

_MOST_SAMPLES = 8
"""Completions of one prompt."""
_BATCH = {"cpu": 32}
_BATCH_ELSEWHERE = 64
_DRAWN = ("temperature", "top_p", "top_k", "min_p", "repetition_penalty")
"""Settings of a trainer that say how it draws."""


class Sampled(NamedTuple):
    """One completion."""

    text: str
    """Without special tokens, as rewards see it."""
    ids: list[int]
    """With the end token, where it came to one."""
    cut: bool
    """It did not end by itself."""


def sample(plan: Plan) -> list[tuple[int, list[Sampled]]]:
    """Completions of some rows, in the rows' order.

    Nothing that training draws from is touched: the model's mode and the generators of random
    numbers are as they were.

    Returns
    -------
    list of (int, list of Sampled)
        Row and its completions; fewer rows than asked for where the time ran out, none where the
        model cannot be asked.
    """
    import torch

    limit = int(plan.settings.get("max_completion_length") or 256)
    room = (plan.context or 10**9) - limit
    asked = [at for at, each in enumerate(plan.rendered) if each.ids and len(each.ids) <= room]
    chosen = sorted(
        random.Random(f"{plan.seed} probe").sample(asked, min(plan.probe_prompts, len(asked)))  # noqa: S311
    )
    if plan.model is None or not chosen:
        return []
    k = max(2, min(_MOST_SAMPLES, int(plan.settings.get("num_generations") or 2)))
    model, tokenizer = plan.model, plan.tokenizer
    together = max(1, _BATCH.get(model.device.type, _BATCH_ELSEWHERE) // k)
    ends = sorted(plan.ends)
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else ends[0] if ends else 0
    drawn = _drawing(plan, limit) | {"eos_token_id": ends or None, "pad_token_id": pad}
    was_training, deadline = model.training, time.monotonic() + plan.probe_seconds
    found: list[tuple[int, list[Sampled]]] = []
    devices = [model.device] if model.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), torch.no_grad():
        torch.manual_seed(plan.seed)
        model.eval()
        try:
            for first in range(0, len(chosen), together):
                if found and time.monotonic() > deadline:
                    break
                rows = chosen[first : first + together]
                written = _generate(plan, rows, k, pad, drawn)
                for at, row in enumerate(rows):
                    own = [_sampled(plan, ids) for ids in written[at * k : (at + 1) * k]]
                    found.append((row, own))
        finally:
            model.train(was_training)
    return found


def _drawing(plan: Plan, limit: int) -> dict[str, Any]:
    """How the trainer draws."""
    known = {name: plan.settings[name] for name in _DRAWN if plan.settings.get(name) is not None}
    drawn = {"do_sample": True, "temperature": 1.0, "top_k": 0, **known}
    return drawn | {"max_new_tokens": limit, "use_cache": True}


def _generate(
    plan: Plan, rows: list[int], k: int, pad: int, drawn: dict[str, Any]
) -> list[list[int]]:
    import torch

    prompts = [plan.rendered[row].ids for row in rows for _ in range(k)]
    width = max(len(ids) for ids in prompts)
    ids = torch.full((len(prompts), width), pad)
    mask = torch.zeros_like(ids)
    for at, prompt in enumerate(prompts):
        ids[at, width - len(prompt) :] = torch.tensor(prompt)
        mask[at, width - len(prompt) :] = 1
    device = plan.model.device
    out = plan.model.generate(input_ids=ids.to(device), attention_mask=mask.to(device), **drawn)
    written: list[list[int]] = out[:, width:].tolist()
    return written


def _sampled(plan: Plan, ids: list[int]) -> Sampled:
    end = next((at for at, token in enumerate(ids) if token in plan.ends), None)
    own = ids if end is None else ids[: end + 1]
    text = plan.tokenizer.decode(own, skip_special_tokens=True)
    return Sampled(text, own, end is None)
