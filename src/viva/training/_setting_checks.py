"""Checks of the settings and the machine: learning rate, batches, a GPU and its memory."""

from __future__ import annotations

import os
from collections.abc import Iterator

from viva.training._findings import Finding
from viva.training._plan import Plan

__all__ = ["batch", "gpu", "learning_rate", "memory"]

_RATES: dict[tuple[str, bool], tuple[float, float]] = {
    ("sft", False): (1e-6, 1e-4),
    ("sft", True): (1e-5, 2e-3),
    ("dpo", False): (1e-7, 1e-5),
    ("dpo", True): (1e-6, 1e-4),
    ("grpo", False): (1e-7, 1e-5),
    ("grpo", True): (1e-6, 2e-4),
}
"""Least and greatest learning rates in use, by trainer and adapter, for models of ``_LARGE``
parameters and more: the recipes of the papers, TRL's defaults, and ten times as much for adapters
(Schulman et al., LoRA Without Regret, 2025). A smaller model takes more."""
_LARGE = 100_000_000
_GREATEST = 0.1

_GIB = 2**30
_STATE, _GRADIENT, _MASTER = 8, 4, 4
"""Bytes for each trained parameter: Adam's two moments, the gradient, and a copy in float32 where
the weights are of 16 bits."""


def learning_rate(plan: Plan) -> Iterator[Finding]:
    """The learning rate is one that such trainings use."""
    rate = plan.settings.get("learning_rate")
    if not isinstance(rate, (int, float)):
        return
    if rate <= 0:
        yield Finding("learning_rate", "refuse", rate, f"learning rate {rate:g}: nothing is "
                      "learned", "Set one above 0")  # fmt: skip
        return
    low, high = _RATES[plan.trainer, plan.lora]
    if plan.parameters is not None and plan.parameters < _LARGE:
        low, high = 0.0, _GREATEST
    kind = "with an adapter" if plan.lora else "of all weights"
    if not low <= rate <= high:
        side = "below" if rate < low else "above"
        yield Finding(
            "learning_rate", "warn", rate,
            f"learning rate {rate:g} is {side} what {plan.trainer} {kind} uses "
            f"({low:g} to {high:g})", f"Set learning_rate to {low if rate < low else high:g}",
        )  # fmt: skip
        return
    yield Finding("learning_rate", "ok", rate, f"learning rate {rate:g}, {plan.trainer} {kind}")


def batch(plan: Plan) -> Iterator[Finding]:
    """There is at least one whole batch; groups of GRPO are whole."""
    per_device = int(plan.settings.get("per_device_train_batch_size") or 1)
    accumulated = int(plan.settings.get("gradient_accumulation_steps") or 1)
    processes = int(os.environ.get("WORLD_SIZE") or 1)
    n = len(plan.rows)
    if plan.trainer != "grpo":
        whole = per_device * processes
        if plan.settings.get("dataloader_drop_last") and n < whole:
            yield Finding("batch", "refuse", n, f"{n} examples make no whole batch of {whole}, and "
                          "incomplete ones are dropped", "Set a smaller batch size")  # fmt: skip
            return
        yield Finding("batch", "ok", whole * accumulated,
                      f"{whole * accumulated} examples a step")  # fmt: skip
        return
    group = int(plan.settings.get("num_generations") or 8)
    steps = int(plan.settings.get("steps_per_generation") or accumulated)
    size = int(plan.settings.get("generation_batch_size") or per_device * processes * steps)
    if group < 2:
        yield Finding("batch", "refuse", group, f"num_generations {group}: a group of one has no "
                      "spread, every advantage is 0", "Set num_generations to 8")  # fmt: skip
        return
    if size % group:
        fits = [k for k in range(2, size + 1) if size % k == 0]
        near = min(fits, key=lambda k: abs(k - group)) if fits else None
        mend = f"num_generations to {near}, or " if near else ""
        yield Finding(
            "batch", "refuse", size,
            f"{size} completions are drawn at a time (per_device_train_batch_size {per_device} x "
            f"{processes} x {steps}), which groups of num_generations {group} do not divide",
            f"Set {mend}per_device_train_batch_size to a multiple of {group}",
        )  # fmt: skip
        return
    if n < size // group:
        yield Finding(
            "batch", "refuse", n,
            f"{n} prompts make no whole batch of {size // group}: there would be no step",
            "Set a smaller batch, or give more data",
        )  # fmt: skip
        return
    yield Finding("batch", "ok", size, f"{size // group} prompts x {group} completions at a time")


def _accelerator() -> str | None:
    """The kind of accelerator of this machine that trains; None where there is none."""
    import torch

    if torch.cuda.is_available():
        return "cuda"
    for name in ("xpu", "npu"):
        found = getattr(torch, name, None)
        if found is not None and found.is_available():
            return name
    return None


def _bytes(plan: Plan) -> tuple[int, int] | None:
    """Bytes of weights and of all that training keeps beside them, without activations."""
    if plan.model is None or plan.parameters is None:
        return None
    width = max(p.element_size() for p in plan.model.parameters())
    weights = plan.parameters * width
    trained = sum(p.numel() for p in plan.model.parameters() if p.requires_grad)
    if plan.lora and trained == plan.parameters:
        trained = _adapter(plan)
    master = _MASTER if width < 4 else 0
    states = trained * (_STATE + _GRADIENT + master)
    reference = plan.trainer == "dpo" or float(plan.settings.get("beta") or 0) > 0
    copies = weights if reference and not plan.lora else 0
    return weights, weights + states + copies


def _adapter(plan: Plan) -> int:
    """Parameters of an adapter of the stage's rank on every linear layer but the last."""
    rank = int(plan.settings.get("rank") or 16)
    return sum(
        rank * (p.shape[0] + p.shape[1])
        for name, p in plan.model.named_parameters()
        if p.dim() == 2 and "embed" not in name and "lm_head" not in name
    )


def _size(count: int) -> str:
    return f"{count / _GIB:,.1f} GiB" if count >= _GIB / 10 else f"{count / 2**20:,.1f} MiB"


def gpu(plan: Plan) -> Iterator[Finding]:
    """A recipe that needs a GPU has one."""
    found = _accelerator()
    need = _bytes(plan)
    about = f"; weights and optimiser take about {_size(need[1])}" if need else ""
    if found is None and plan.needs_gpu:
        yield Finding(
            "gpu", "warn" if plan.allow_cpu else "refuse", None,
            f"the recipe needs a GPU and there is none{about}",
            "Run it where there is one, or pass --allow-cpu to try on the CPU",
        )  # fmt: skip
        return
    where = found or "cpu"
    yield Finding("gpu", "ok", where, f"trains on {where}")


def memory(plan: Plan) -> Iterator[Finding]:
    """Weights, gradients and optimiser fit in memory; activations come on top."""
    need = _bytes(plan)
    if need is None:
        return
    total = _memory()
    gib = round(need[1] / _GIB, 3)
    said = (
        f"weights {_size(need[0])}, with gradients and optimiser {_size(need[1])}, activations not "
        "counted"
    )
    processes = int(os.environ.get("WORLD_SIZE") or 1)
    if total is not None and need[1] > total * processes:
        yield Finding(
            "memory", "warn", gib,
            f"{said}: more than the {total * processes / _GIB:,.1f} GiB there are",
            "Train an adapter, shard over more GPUs, or take a smaller model",
        )  # fmt: skip
        return
    yield Finding("memory", "ok", gib, said)


def _memory() -> int | None:
    """Bytes of the accelerator, else of the machine."""
    import torch

    if torch.cuda.is_available():
        return int(torch.cuda.get_device_properties(0).total_memory)
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None
