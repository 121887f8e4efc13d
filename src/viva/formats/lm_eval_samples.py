"""lm-evaluation-harness, written: ``samples_<task>_<time>.jsonl`` and ``results_<time>.json``.

Layout: https://github.com/EleutherAI/lm-evaluation-harness, v0.4, ``--log_samples``: a folder for
each model, a samples file for each task with a row for each item, whose ``resps`` hold a text for
each repeat. What this package read stands in ``filtered_resps`` under the filter ``viva``.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

from viva._files import written
from viva._version import __version__
from viva.formats._own import MARK, packed
from viva.formats._writing import ELSEWHERE, Task, prompted, settings_of, tasks
from viva.records import LETTERS, Item

if TYPE_CHECKING:
    import polars as pl

__all__ = ["FILTER", "INVALID", "METRIC", "write_lm_eval"]

FILTER = "viva"
"""The filter under whose name our readings stand."""

METRIC = "exact_match"
"""The harness' name for: the letter read is the key."""

INVALID = "[invalid]"
"""What the harness' filters give where no answer is read."""

_EPOCH = "1970-01-01T00:00:00"


def write_lm_eval(
    items: pl.DataFrame,
    responses: pl.DataFrame,
    scores: pl.DataFrame,
    manifest: Mapping[str, Any],
    path: str | os.PathLike[str],
    *,
    prompts: Callable[[Item], str | None] | None = None,
) -> list[Path]:
    """Write a run as lm-evaluation-harness logs it with ``--log_samples``.

    A task is a benchmark, with its method and probe in its name. An answer that was not read is
    ``[invalid]`` and scores 0; an item none of whose responses was graded has no metric and is
    not among the effective samples. ``viva audit`` reads the files back to the same responses.

    Parameters
    ----------
    items, responses, scores : polars.DataFrame
        Columns of :func:`viva.records.item_schema`, ``response_schema`` and ``score_schema``.
    manifest : mapping
        The run's manifest: its settings and times, without secrets.
    path : path
        A folder, which gets a folder for each model.
    prompts : callable, optional
        The user's turn by which an item was asked, where it is known; the question stands for it
        where it is not.

    Returns
    -------
    list of Path
        The files written; those of samples before the results of their model. The same input
        gives the same bytes.

    Raises
    ------
    InputError
        No responses, one without its item, two under one key; a folder that cannot be written to.
    """
    settings = settings_of(manifest)
    time = _time(settings.get("created"))
    stamp = time.isoformat(timespec="microseconds").replace(":", "-")
    paths: list[Path] = []
    found = sorted(tasks(items, responses, scores), key=lambda task: task.model)
    for model, of_model in itertools.groupby(found, key=lambda task: task.model):
        folder = Path(path) / _model_name(model)
        results: dict[str, Any] = _empty(model, settings, time)
        for task in of_model:
            name = _task_name(task, results["results"])
            file = folder / f"samples_{name}_{stamp}.jsonl"
            with written(file, mend=ELSEWHERE) as stream:
                _add_result(
                    results, name, task, _write_samples(task, settings, prompts, stream.write)
                )
            paths.append(file)
        file = folder / f"results_{stamp}.json"
        with written(file, mend=ELSEWHERE) as stream:
            stream.write(json.dumps(results, indent=2, ensure_ascii=False).encode())
        paths.append(file)
    return paths


def _time(given: Any) -> datetime:
    """The run's time in UTC; without a zone, as the harness writes it."""
    time = datetime.fromisoformat(str(given or _EPOCH))
    return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time


def _model_name(model: str) -> str:
    """A folder's name, as the harness makes it of a model's; never one that leads elsewhere."""
    name = re.sub(r'["<>:/|\\?*\[\]\x00-\x1f]+', "__", model)[:200]
    return "__" if name in ("", ".", "..") else name


def _task_name(task: Task, taken: Iterable[str]) -> str:
    plain = re.sub(r"\W+", "_", task.label).strip("_")[:120] or "task"
    others = (f"{plain}_{number}" for number in itertools.count(2))
    return next(name for name in itertools.chain([plain], others) if name not in taken)


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


# Samples -------------------------------------------------------------------------------------


@dataclass
class _Tally:
    """What the results say of the samples written."""

    items: int = 0
    graded: int = 0
    unread: int = 0
    means: list[float] = field(default_factory=list)
    hashes: Any = field(default_factory=hashlib.sha256)


def _write_samples(
    task: Task,
    settings: Mapping[str, Any],
    prompts: Callable[[Item], str | None] | None,
    write: Callable[[bytes], Any],
) -> _Tally:
    tally = _Tally()
    rows = prompted(task, prompts)
    grouped = itertools.groupby(rows, key=lambda pair: pair[0]["item_id"])
    for position, (_, group) in enumerate(grouped):
        pairs = list(group)
        said = [row for row, _ in pairs]
        sample = _sample(position, said, pairs[0][1], settings)
        values = [row["value"] for row in said if row["value"] is not None]
        if values:
            tally.means.append(fmean(values))
        tally.items += 1
        tally.graded += len(values)
        tally.unread += sum(row["value"] is not None and row["read"] is None for row in said)
        for part in ("doc_hash", "prompt_hash", "target_hash"):
            tally.hashes.update(sample[part].encode())
        write(json.dumps(sample, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
    return tally


def _sample(
    position: int, said: list[dict[str, Any]], prompt: str, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """The row of one item with all its responses."""
    first = said[0]
    letters = [LETTERS[index] for index in first["key"] or ()]
    doc = {
        "id": first["item_id"],
        "question": first["question"],
        "options": first["options"] or [],
        "answer": letters[0] if len(letters) == 1 else letters,
    }
    if first["context"] is not None:
        doc["context"] = first["context"]
    target = ",".join(letters)
    own = [packed(row) for row in said]
    responses = [
        each["response"] | ({"reasoning": row["reasoning"]} if row["reasoning"] else {})
        for each, row in zip(own, said, strict=True)
    ]
    values = [row["value"] for row in said if row["value"] is not None]
    return {
        "doc_id": position,
        "doc": doc | {MARK: {"item": own[0]["item"], "responses": responses}},
        "target": target,
        "arguments": {
            "gen_args_0": {
                "arg_0": prompt,
                "arg_1": settings["sampling"],
            }
        },
        "resps": [[_text(row) for row in said]],
        "filtered_resps": [row["read"] or INVALID for row in said],
        "filter": FILTER,
        "metrics": [METRIC] if values else [],
        "doc_hash": _sha(json.dumps(doc, indent=2, ensure_ascii=False)),
        "prompt_hash": first["prompt_hash"] or _sha(prompt),
        "target_hash": _sha(target),
    } | ({METRIC: fmean(values)} if values else {})


def _text(row: Mapping[str, Any]) -> str:
    text = row["text"] if row["text"] is not None else row["prediction"]
    return text or ""


# Results -------------------------------------------------------------------------------------


def _empty(model: str, settings: Mapping[str, Any], time: datetime) -> dict[str, Any]:
    """The results of a model before its first task."""
    config = {
        "model": "viva",
        "model_args": {"model": model},
        "gen_kwargs": settings["sampling"],
        "random_seed": settings.get("seed"),
        "bootstrap_iters": 0,
    }
    return {
        "results": {},
        "group_subtasks": {},
        "configs": {},
        "versions": {},
        "n-shot": {},
        "higher_is_better": {},
        "n-samples": {},
        "config": config,
        "date": time.replace(tzinfo=UTC).timestamp(),
        "viva_version": __version__,
        "task_hashes": {},
        "model_source": "viva",
        "model_name": model,
        "model_name_sanitized": _model_name(model),
    }


def _add_result(results: dict[str, Any], name: str, task: Task, tally: _Tally) -> None:
    means = tally.means
    error: float | str = stdev(means) / math.sqrt(len(means)) if len(means) > 1 else "N/A"
    values: dict[str, Any] = {"name": name, "alias": name, "sample_len": tally.items}
    if means:
        values[f"{METRIC},{FILTER}"] = fmean(means)
        values[f"{METRIC}_stderr,{FILTER}"] = error
        values[f"unread,{FILTER}"] = tally.unread / tally.graded
    results["results"][name] = values
    results["group_subtasks"][name] = []
    results["configs"][name] = {
        "task": name,
        "dataset_name": task.benchmark,
        "output_type": "generate_until",
        "repeats": task.rows["sample"].n_unique(),
        "metadata": {"version": __version__, "method": task.method, "probe": task.probe},
    }
    results["versions"][name] = __version__
    results["n-shot"][name] = 0
    results["higher_is_better"][name] = {METRIC: True, "unread": False}
    results["n-samples"][name] = {"original": tally.items, "effective": len(means)}
    results["task_hashes"][name] = tally.hashes.hexdigest()
