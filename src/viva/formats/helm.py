"""HELM: ``scenario_state.json``, with ``run_spec.json`` beside it.

Layout: https://github.com/stanford-crfm/helm, ``helm.benchmark.adaptation``. The joint
multiple-choice adapter maps letters to options (``output_mapping``); the generation adapter has
none. The separate adapters make one request per option and are left out, counted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from viva._files import read_json
from viva.benchmarks.rows import MMLU_SUBJECTS
from viva.errors import InputError
from viva.formats._items import canonical, item_of
from viva.formats._reading import Opened, Reading
from viva.formats._values import filled_text, identifier_or_none, mapping, number, whole
from viva.records import LETTERS, Item

__all__ = ["COLUMNS", "matches", "read"]

COLUMNS = (("adapter_spec",), ("request_states",))
"""Members of the document."""


def matches(opened: Opened) -> bool:
    """Whether the document is a scenario state."""
    return not opened.lacks(COLUMNS)


def read(opened: Opened, reading: Reading) -> None:
    """Every request of the run."""
    spec = mapping(opened.first.get("adapter_spec"))
    model = filled_text(reading.model or spec.get("model") or spec.get("model_deployment"))
    if model is None:
        raise InputError(
            "the run names no model", where=opened.name, mend="Run the evaluation again"
        )
    benchmark, subject = _benchmark(opened)
    states = opened.first.get("request_states")
    if not isinstance(states, list) or not states:
        raise InputError("the run has no requests", where=opened.name, mend="Run it again")
    for row, state in enumerate(states, 1):
        if not isinstance(state, Mapping) or not isinstance(state.get("instance"), Mapping):
            reading.leave_out(row, None, "row is incomplete")
            continue
        _read_state(row, state, benchmark, subject, model, reading)


def _benchmark(opened: Opened) -> tuple[str, str | None]:
    """From the run's name, such as ``med_qa:model=...`` or ``mmlu:subject=anatomy,...``."""
    name = _run_name(opened.path) if opened.path else None
    if name is None:
        raise InputError(
            "the run names no scenario",
            where=opened.name,
            mend="Keep run_spec.json beside it, or the folder's name",
        )
    scenario, _, arguments = name.partition(":")
    subject = re.search(r"subject=([a-z_]+)", arguments)
    if scenario in ("mmlu", "mmlu_clinical_afr") and subject and subject[1] in MMLU_SUBJECTS:
        return "mmlu_med", subject[1]
    return canonical(scenario), subject[1] if subject else None


def _run_name(path: Path) -> str | None:
    beside = path.with_name("run_spec.json")
    name = mapping(read_json(beside)).get("name") if beside.is_file() else None
    return filled_text(name) or path.absolute().parent.name or None


def _read_state(
    row: int,
    state: Mapping[str, Any],
    benchmark: str,
    subject: str | None,
    model: str,
    reading: Reading,
) -> None:
    instance = state["instance"]
    given = identifier_or_none(instance.get("id"))
    if given is None:
        return reading.leave_out(row, None, "no item_id")
    item_id = f"{subject}-{given}" if subject else given
    if state.get("reference_index") is not None:
        return reading.leave_out(row, item_id, "one request per option")
    perturbation = instance.get("perturbation")
    probe = None
    if perturbation is not None:
        named = perturbation.get("name") if isinstance(perturbation, Mapping) else perturbation
        probe = str(named or "perturbation")
    item = _item(instance, state.get("output_mapping"), benchmark, item_id)
    if isinstance(item, str):
        return reading.leave_out(row, item_id, item)
    if isinstance(item, Item) and probe is None:
        item_id = reading.item(item)
    trial = whole(state.get("train_trial_index")) or 0
    common = {"benchmark": benchmark, "item_id": item_id, "model": model, "probe": probe}
    result = mapping(state.get("result"))
    completions = result.get("completions")
    if result.get("success") is not True or not isinstance(completions, list) or not completions:
        error = result.get("error") or "no completion"
        return reading.add(row, **common, sample=trial, error=str(error))
    for at, completion in enumerate(completions):
        said = mapping(completion)
        text, tokens = said.get("text"), said.get("tokens")
        if not isinstance(text, str):
            reading.leave_out(row, item_id, "response is not text")
            continue
        thought = mapping(said.get("thinking")).get("text")
        reason = mapping(said.get("finish_reason")).get("reason")
        reading.add(
            row,
            **common,
            text=text,
            sample=trial * len(completions) + at,
            reasoning=thought if isinstance(thought, str) else None,
            finish_reason=reason if isinstance(reason, str) else None,
            output_tokens=len(tokens) if isinstance(tokens, list) and tokens else None,
            seconds=number(result.get("request_time")),
        )
    return None


def _item(
    instance: Mapping[str, Any], mapping: Any, benchmark: str, item_id: str
) -> Item | str | None:
    """The options in the order in which the model saw them."""
    given = instance.get("input")
    question = given.get("text") if isinstance(given, Mapping) else given
    references = instance.get("references")
    texts: list[str] = []
    right: list[int] = []
    for reference in references if isinstance(references, list) else []:
        output = reference.get("output") if isinstance(reference, Mapping) else None
        text = output.get("text") if isinstance(output, Mapping) else output
        if not isinstance(text, str):
            return "an option is not text"
        tags = reference.get("tags")
        if isinstance(tags, list) and "correct" in tags:
            right.append(len(texts))
        texts.append(text)
    if isinstance(mapping, Mapping) and mapping:
        shown = [mapping.get(letter) for letter in LETTERS[: len(mapping)]]
        if not all(isinstance(text, str) for text in shown):
            return "an option is not text"
        keys = [shown.index(texts[i]) for i in right if texts[i] in shown]
        texts = [str(text) for text in shown]
        right = sorted(set(keys))
    if len(texts) < 2:
        return None
    key: Any = right[0] if len(right) == 1 else right or None
    return item_of(benchmark, item_id, question, texts, key)
