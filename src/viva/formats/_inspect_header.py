"""The header of an Inspect log: what was asked how, and the results over all samples."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

from viva._version import __version__
from viva.formats._own import MARK
from viva.formats._values import number, whole
from viva.formats._writing import Task, identifier, settings_of
from viva.records import Status

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalResults
    from inspect_ai.model import GenerateConfig

__all__ = ["METRICS", "SCORER", "log_of"]

SCORER = "choice"
"""The scorer under whose name scores stand: that of :mod:`viva.inspect_tasks`."""

_SETTINGS = (
    "model", "backend", "method", "parameters", "sampling", "prompt", "seed", "samples",
    "versions", "git", "state", "stopped",
)  # fmt: skip
"""Settings of the manifest that the log repeats."""

METRICS = (
    "inspect_ai/accuracy", "inspect_ai/stderr", "inspect_ai/ci_wilson", "viva/unparsed",
    "viva/ambiguous",
)  # fmt: skip
"""Metrics of the scorer, by the names under which Inspect finds them."""

_EPOCH = "1970-01-01T00:00:00+00:00"
"""The time of a run that does not say when it was made."""

_Z = 1.959963984540054  # normal quantile of 0.975


def log_of(task: Task, manifest: Mapping[str, Any]) -> EvalLog:
    """The log without its samples."""
    from inspect_ai.log import (
        EvalConfig,
        EvalDataset,
        EvalLog,
        EvalPlan,
        EvalPlanStep,
        EvalSpec,
        EvalStats,
    )

    settings = settings_of(manifest)
    created = str(settings.get("created") or _EPOCH)
    known = {name: settings[name] for name in _SETTINGS if settings.get(name) is not None}
    asked = (task.benchmark, task.model, task.method, task.probe)
    eval_id = identifier(json.dumps(settings, sort_keys=True, default=str), *asked)
    ids = task.rows["item_id"].unique(maintain_order=True).to_list()
    passed = {"method": task.method, "probe": task.probe}
    config = _config(settings)
    steps = [EvalPlanStep(solver=f"viva/{task.method or 'answers'}", params=known)]
    whole_run = manifest.get("state") in (None, "finished")
    return EvalLog(
        status="success" if whole_run else "cancelled",
        eval=EvalSpec(
            eval_id=eval_id,
            run_id=identifier(created, json.dumps(settings, sort_keys=True, default=str)),
            created=created,
            task=f"viva/{task.benchmark}",
            task_id=identifier(*asked),
            task_args={name: value for name, value in passed.items() if value is not None},
            solver=steps[0].solver,
            dataset=EvalDataset(name=task.benchmark, samples=len(ids), sample_ids=ids),
            model=_model(task, settings),
            model_generate_config=config,
            config=EvalConfig(epochs=task.rows["sample"].n_unique(), continue_on_fail=True),
            packages={MARK: __version__},
            metadata={MARK: {"version": __version__, "settings": known}},
            scorers=[{"name": SCORER, "metrics": [{"name": name} for name in METRICS]}],
        ),
        plan=EvalPlan(steps=steps, config=config),
        results=_results(task),
        stats=EvalStats(started_at=created, completed_at=str(settings.get("ended") or created)),
    )


def _model(task: Task, settings: Mapping[str, Any]) -> str:
    """The model's name with the kind of back-end before it, as Inspect names models.

    Its commands that work on logs, such as ``inspect score``, refuse a name without.
    """
    kind, _, _ = str(settings.get("model") or "").partition("/")
    if settings.get("name") == task.model and kind:
        return f"{kind}/{task.model}"
    return task.model if "/" in task.model else f"viva/{task.model}"


def _config(settings: Mapping[str, Any]) -> GenerateConfig:
    """How tokens were drawn, as far as the manifest says."""
    from inspect_ai.model import GenerateConfig

    sampling = settings["sampling"]
    stop = sampling.get("stop")
    seed = settings.get("seed")
    return GenerateConfig(
        temperature=number(sampling.get("temperature")),
        top_p=number(sampling.get("top_p")),
        max_tokens=whole(sampling.get("max_completion_tokens")),
        stop_seqs=[str(each) for each in stop] if isinstance(stop, list | tuple) and stop else None,
        seed=whole(seed),
    )


def _results(task: Task) -> EvalResults:
    """Accuracy over items, its samples averaged, as Inspect's own metrics compute it."""
    import polars as pl
    from inspect_ai.log import EvalMetric, EvalResults, EvalScore, HeadlineMetric

    rows = task.rows
    status = rows["status"]
    graded = rows.filter(pl.col("value").is_not_null())
    by_item = graded.group_by("item_id", maintain_order=True).agg(pl.col("value").mean())
    means = by_item["value"].to_list()
    low, high = _wilson(means)
    error = stdev(means) / math.sqrt(len(means)) if len(means) > 1 else 0.0
    reduced = [
        ("accuracy", "accuracy", None, fmean(means) if means else 0.0),
        ("stderr", "stderr", None, error),
        ("lower", "lower", "ci_wilson", low),
        ("upper", "upper", "ci_wilson", high),
    ]
    unreduced = [
        (name, f"viva/{name}", None, graded.filter(status=name).height / max(graded.height, 1))
        for name in (str(Status.UNPARSED), str(Status.AMBIGUOUS))
    ]
    ungraded = int((status == Status.UNGRADED).sum())
    # As Inspect parts them: over items with their epochs reduced, and over all epochs.
    scores = [
        EvalScore(
            name=SCORER,
            scorer=SCORER,
            reducer=reducer,
            scored_samples=count,
            unscored_samples=0,
            metrics={
                name: EvalMetric(name=full, group=group, value=value)
                for name, full, group, value in values
            },
        )
        for reducer, count, values in (
            ("mean", len(means), reduced), (None, graded.height, unreduced),
        )
    ]  # fmt: skip
    return EvalResults(
        total_samples=rows.height,
        completed_samples=rows.height - ungraded,
        scores=scores if means else [],
        headline=HeadlineMetric(scorer=SCORER, score=SCORER, metric="accuracy", reducer="mean"),
    )


def _wilson(means: list[float]) -> tuple[float, float]:
    """Wilson (1927), JASA 22, 209-212, at 95 %."""
    n = len(means)
    if not n:
        return 0.0, 0.0
    p = fmean(means)
    centre = (p + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z * math.sqrt(p * (1 - p) / n + _Z**2 / (4 * n * n)) / (1 + _Z**2 / n)
    return max(centre - half, 0.0), min(centre + half, 1.0)
