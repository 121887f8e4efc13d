"""Reasoning or knowledge: a splitter whose definition, errors and doubts are on the table.

Two definitions ship, and are never mixed. ``rubric`` (default) follows a written rubric that
counts inferences; its labels come from a language model that applied the rubric, not from
clinicians. ``medxpertqa`` follows the Reasoning/Understanding labels of MedXpertQA.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from viva.strata.annotations import (
        DEFINITIONS,
        bundled_labels,
        merge_annotators,
        read_labels,
        rubric_text,
    )
    from viva.strata.evaluation import evaluate, reasoning_shares
    from viva.strata.judging import label, replay
    from viva.strata.live_judge import ModelJudge
    from viva.strata.metrics import debiased_ece, ece, length_matched_auroc
    from viva.strata.prediction import DEFAULT_VIEW, explain, labelled, predict
    from viva.strata.storage import Weights, load, save
    from viva.strata.text import TEXT_VIEWS
    from viva.strata.training import train

__all__ = [
    "DEFAULT_VIEW",
    "DEFINITIONS",
    "TEXT_VIEWS",
    "ModelJudge",
    "Weights",
    "bundled_labels",
    "debiased_ece",
    "ece",
    "evaluate",
    "explain",
    "label",
    "labelled",
    "length_matched_auroc",
    "load",
    "merge_annotators",
    "predict",
    "read_labels",
    "reasoning_shares",
    "replay",
    "rubric_text",
    "save",
    "train",
]

_HOMES = {
    "DEFAULT_VIEW": "prediction",
    "DEFINITIONS": "annotations",
    "ModelJudge": "live_judge",
    "TEXT_VIEWS": "text",
    "Weights": "storage",
    "bundled_labels": "annotations",
    "debiased_ece": "metrics",
    "ece": "metrics",
    "evaluate": "evaluation",
    "explain": "prediction",
    "label": "judging",
    "labelled": "prediction",
    "length_matched_auroc": "metrics",
    "load": "storage",
    "merge_annotators": "annotations",
    "predict": "prediction",
    "read_labels": "annotations",
    "reasoning_shares": "evaluation",
    "replay": "judging",
    "rubric_text": "annotations",
    "save": "storage",
    "train": "training",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"viva.strata.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'viva.strata' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
