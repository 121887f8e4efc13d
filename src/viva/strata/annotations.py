"""Labelled questions: the bundled ones, files of one's own, and several annotators merged.

The bundled ``rubric`` labels were made by a large language model that followed a written rubric,
not by clinicians; the ``medxpertqa`` labels are those published with MedXpertQA. The two follow
different definitions of reasoning and are never mixed.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from viva.errors import InputError

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

__all__ = [
    "BENCHMARKS",
    "DEFINITIONS",
    "LABELS",
    "Merged",
    "bundled_labels",
    "cohen_kappa",
    "double_labelled",
    "label_schema",
    "merge_annotators",
    "read_labels",
    "rubric_text",
]

DEFINITIONS = ("rubric", "medxpertqa")
LABELS = ("knowledge", "reasoning")

BENCHMARKS = {
    "medqa_dev": "medqa",
    "medqa_test": "medqa",
    "medmcqa_dev": "medmcqa",
    "medxpertqa_dev": "medxpertqa",
    "mmlu_anatomy": "mmlu_med",
    "mmlu_clinical_knowledge": "mmlu_med",
    "mmlu_college_biology": "mmlu_med",
    "mmlu_college_medicine": "mmlu_med",
    "mmlu_medical_genetics": "mmlu_med",
    "mmlu_professional_medicine": "mmlu_med",
}
"""Name of a part in the rubric labels -> name of the benchmark in Viva; others keep theirs."""


def label_schema() -> dict[str, Any]:
    """Columns of a labels frame.

    ``share`` is the weight of the annotators who said reasoning, 0..1; ``label`` is null where
    they tie. ``steps`` is the mean number of inferences, null where the labels have none.
    ``trust`` weighs the row in training; ``part`` names the file it came from; only rows with
    ``scored`` enter evaluation (image questions of MedXpertQA train only).
    """
    import polars as pl

    return {
        "benchmark": pl.String,
        "item_id": pl.String,
        "part": pl.String,
        "question": pl.String,
        "options": pl.List(pl.String),
        "label": pl.String,
        "share": pl.Float64,
        "steps": pl.Float64,
        "trust": pl.Float64,
        "annotators": pl.Int64,
        "scored": pl.Boolean,
    }


def rubric_text() -> str:
    """The written rubric, in Markdown."""
    return files("viva.strata").joinpath("labels/rubric.md").read_text(encoding="utf-8")


def _bundled_rows(name: str) -> list[dict[str, Any]]:
    packed = files("viva.strata").joinpath(f"labels/{name}.jsonl.gz").read_bytes()
    return [json.loads(line) for line in gzip.decompress(packed).decode().splitlines()]


@cache
def bundled_labels(definition: str) -> pl.DataFrame:
    """The labels shipped for a definition, with the columns of :func:`label_schema`.

    Raises
    ------
    InputError
        For an unknown definition.
    """
    import polars as pl

    if definition not in DEFINITIONS:
        raise InputError(
            f"unknown definition {definition!r}", mend=f"Use one of {', '.join(DEFINITIONS)}"
        )
    rows = _bundled_rows(definition)
    given = definition == "rubric"
    found = [_rubric_row(row) for row in rows] if given else _medxpertqa_rows(rows)
    return pl.DataFrame(found, schema=label_schema())


def _rubric_row(row: Mapping[str, Any]) -> dict[str, Any]:
    verdicts = [label == "reasoning" for label in row["labels"]]
    share = sum(verdicts) / len(verdicts)
    return {
        "benchmark": BENCHMARKS.get(row["part"], row["part"]),
        "item_id": row["id"],
        "part": row["part"],
        "question": row["question"],
        "options": row["options"],
        "label": None if share == 0.5 else LABELS[share > 0.5],
        "share": share,
        "steps": sum(row["steps"]) / len(row["steps"]),
        "trust": 1.0,
        "annotators": len(verdicts),
        "scored": share != 0.5,
    }


def _medxpertqa_rows(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    from viva.benchmarks import bundled

    items = bundled().items
    at = {
        row["item_id"]: row
        for row in items.select("benchmark", "item_id", "question", "options").to_dicts()
        if row["benchmark"] == "medxpertqa"
    }
    found = []
    for row in rows:
        text = row if "question" in row else at[row["id"]]
        of_image = "question" in row
        found.append(
            {
                "benchmark": "medxpertqa_mm" if of_image else "medxpertqa",
                "item_id": row["id"],
                "part": "image questions" if of_image else "text questions",
                "question": text["question"],
                "options": text["options"],
                "label": row["label"],
                "share": float(row["label"] == "reasoning"),
                "steps": None,
                "trust": IMAGE_TRUST if of_image else 1.0,
                "annotators": 1,
                "scored": not of_image,
            }
        )
    return found


IMAGE_TRUST = 0.5
"""Weight of an image question in training the splitter of text questions."""


def double_labelled() -> pl.DataFrame:
    """The bundled rubric questions with two independent verdicts: ``item_id, question, options,
    answer, first, second``.
    """
    import polars as pl

    rows = [row for row in _bundled_rows("rubric") if len(row["labels"]) == 2]
    return pl.DataFrame(
        [
            {
                "benchmark": BENCHMARKS.get(row["part"], row["part"]),
                "item_id": row["id"],
                "question": row["question"],
                "options": row["options"],
                "answer": row["answer"],
                "first": row["labels"][0],
                "second": row["labels"][1],
            }
            for row in rows
        ]
    )


def read_labels(paths: Iterable[str | os.PathLike[str]]) -> pl.DataFrame:
    """Labels files of one's own, merged by :func:`merge_annotators`.

    Each row needs ``question`` and ``label`` (reasoning or knowledge); ``benchmark``, ``item_id``,
    ``options`` (list, or map letter -> text), ``annotator`` (by default the file's name) and
    ``steps`` (0..3) are read where present.

    Returns
    -------
    polars.DataFrame
        Columns of :func:`label_schema`.

    Raises
    ------
    InputError
        A file that cannot be read, a row without a question, or an unknown label.
    """
    import polars as pl

    from viva._files import read_rows
    from viva.strata.text import stem_hash

    verdicts: dict[str, dict[str, tuple[str, float | None]]] = {}
    first: dict[str, dict[str, Any]] = {}
    for path in paths:
        for number, row in read_rows(path):
            where = f"{os.fspath(path)}:{number}"
            stem, label = row.get("question"), str(row.get("label", "")).strip().lower()
            if not isinstance(stem, str) or not stem.strip():
                raise InputError("row has no question", where=where, mend="Add the stem's text")
            if label not in LABELS:
                raise InputError(
                    f"label is {row.get('label')!r}", where=where, mend="Use reasoning or knowledge"
                )
            key = f"{row.get('benchmark', '')}\x1f{row.get('item_id') or stem_hash(stem)}"
            first.setdefault(key, dict(row))
            name = str(row.get("annotator") or os.fspath(path))
            verdicts.setdefault(key, {})[name] = (label, _steps(row.get("steps"), where))
    merged = merge_annotators(
        {key: {a: label for a, (label, _) in given.items()} for key, given in verdicts.items()}
    )
    found = []
    for key, share in zip(merged.items, merged.share, strict=True):
        row, steps = first[key], [s for _, s in verdicts[key].values() if s is not None]
        found.append(
            {
                "benchmark": str(row.get("benchmark") or "labels"),
                "item_id": key.split("\x1f", 1)[1],
                "part": str(row.get("benchmark") or "labels"),
                "question": row["question"],
                "options": _options(row.get("options")),
                "label": None if share == 0.5 else LABELS[bool(share > 0.5)],
                "share": float(share),
                "steps": sum(steps) / len(steps) if steps else None,
                "trust": 1.0,
                "annotators": len(verdicts[key]),
                "scored": share != 0.5,
            }
        )
    if not found:
        raise InputError("no labelled rows", mend="Give at least one labels file with rows")
    return pl.DataFrame(found, schema=label_schema())


def _steps(value: Any, where: str) -> float | None:
    if value is None or value == "":
        return None
    try:
        steps = float(value)
    except (TypeError, ValueError):
        steps = float("nan")
    if not 0 <= steps <= 100:
        raise InputError(f"steps is {value!r}", where=where, mend="Use a number of inferences")
    return min(steps, 3.0)


def _options(value: Any) -> list[str]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return []
    if isinstance(value, Mapping):
        value = list(value.values())
    return [str(option) for option in value][:26] if isinstance(value, list) else []


class Merged(NamedTuple):
    """Annotators' verdicts merged."""

    items: tuple[str, ...]
    share: NDArray[np.float64]
    """Probability or share of reasoning per item, 0..1; 0.5 where a majority vote ties."""
    annotators: tuple[str, ...]
    kappa: dict[tuple[str, str], float]
    """Cohen's kappa of each pair with common items; NaN where both use one label only."""
    sensitivity: dict[str, float]
    """Of each annotator against the merged labels."""
    specificity: dict[str, float]


def merge_annotators(
    verdicts: Mapping[str, Mapping[str, str]], *, rule: str = "majority", rounds: int = 100
) -> Merged:
    """Merge several annotators' labels of the same items.

    Parameters
    ----------
    verdicts : mapping
        item -> annotator -> ``reasoning`` or ``knowledge``; annotators may skip items.
    rule : {"majority", "dawid-skene"}
        The share of votes, or the posterior under one sensitivity and specificity per annotator,
        estimated by expectation maximisation (Dawid & Skene 1979) from the majority's start, with
        one success and one failure added to each.
    rounds : int
        Most rounds of expectation maximisation.

    Raises
    ------
    InputError
        For an unknown rule or label, and where nothing was labelled.
    """
    if rule not in ("majority", "dawid-skene"):
        raise InputError(f"unknown rule {rule!r}", mend="Use majority or dawid-skene")
    items = tuple(key for key, given in verdicts.items() if given)
    if not items:
        raise InputError("nothing was labelled", mend="Give at least one verdict")
    annotators = tuple(sorted({a for key in items for a in verdicts[key]}))
    votes = np.full((len(items), len(annotators)), np.nan)
    column = {a: j for j, a in enumerate(annotators)}
    for i, key in enumerate(items):
        for a, label in verdicts[key].items():
            if label not in LABELS:
                raise InputError(
                    f"label is {label!r}", where=key, mend=f"Use {' or '.join(LABELS)}"
                )
            votes[i, column[a]] = LABELS.index(label)
    share = np.nanmean(votes, axis=1)
    se, sp = _rates(votes, share)
    if rule == "dawid-skene":
        for _ in range(rounds):
            before = share
            prior = np.clip(share.mean(), 1e-6, 1 - 1e-6)
            yes, given = votes == 1, ~np.isnan(votes)
            log_r = np.log(prior) + np.where(given, np.log(np.where(yes, se, 1 - se)), 0).sum(1)
            log_k = np.log1p(-prior) + np.where(given, np.log(np.where(yes, 1 - sp, sp)), 0).sum(1)
            share = 1 / (1 + np.exp(np.clip(log_k - log_r, -700, 700)))
            se, sp = _rates(votes, share)
            if np.abs(share - before).max() < 1e-8:
                break
    kappa = {}
    for i, a in enumerate(annotators):
        for j, b in enumerate(annotators[:i]):
            both = ~np.isnan(votes[:, i]) & ~np.isnan(votes[:, j])
            if both.any():
                kappa[(b, a)] = cohen_kappa(votes[both, j] == 1, votes[both, i] == 1)
    names = {a: k for k, a in enumerate(annotators)}
    return Merged(
        items,
        share,
        annotators,
        kappa,
        {a: float(se[k]) for a, k in names.items()},
        {a: float(sp[k]) for a, k in names.items()},
    )


def _rates(
    votes: NDArray[np.float64], share: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Smoothed sensitivity and specificity of each annotator. Shapes (annotators,)."""
    given = (~np.isnan(votes)).astype(float)
    yes = np.nan_to_num(votes)
    r, k = share[:, None], 1 - share[:, None]
    se = ((yes * r).sum(0) + 1) / ((given * r).sum(0) + 2)
    sp = (((given - yes) * k).sum(0) + 1) / ((given * k).sum(0) + 2)
    return se, sp


def cohen_kappa(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Cohen's kappa of two raters over the same N items; NaN where chance agreement is 1."""
    agree = float(np.mean(a == b))
    chance = float(a.mean() * b.mean() + (1 - a.mean()) * (1 - b.mean()))
    return (agree - chance) / (1 - chance) if chance < 1 else float("nan")
