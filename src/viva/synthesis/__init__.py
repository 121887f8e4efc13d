"""Synthesis: steps that turn items and responses into training data, each with its provenance.

What runs a pipeline is imported when it is first asked for: the records stay light.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from viva.synthesis.example import Example, Provenance, check_keys, key_of, seeded
from viva.synthesis.examples import read_dropped, read_examples, write_dropped, write_examples
from viva.synthesis.steps import STEPS, Dropped, Made, Step, find_step, settings_of, steps

if TYPE_CHECKING:
    from viva.synthesis.card import data_card
    from viva.synthesis.exporting import Exported, export_examples
    from viva.synthesis.pipeline import Synthesised, synthesise
    from viva.synthesis.plans import Plan, Planned, read_plan
    from viva.synthesis.trainer_formats import TRAINERS, Trainer

__all__ = [
    "STEPS",
    "TRAINERS",
    "Dropped",
    "Example",
    "Exported",
    "Made",
    "Plan",
    "Planned",
    "Provenance",
    "Step",
    "Synthesised",
    "Trainer",
    "check_keys",
    "data_card",
    "export_examples",
    "find_step",
    "key_of",
    "read_dropped",
    "read_examples",
    "read_plan",
    "seeded",
    "settings_of",
    "steps",
    "synthesise",
    "write_dropped",
    "write_examples",
]

_HOMES = {
    "Exported": "exporting",
    "Plan": "plans",
    "Planned": "plans",
    "Synthesised": "pipeline",
    "TRAINERS": "trainer_formats",
    "Trainer": "trainer_formats",
    "data_card": "card",
    "export_examples": "exporting",
    "read_plan": "plans",
    "synthesise": "pipeline",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"viva.synthesis.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'viva.synthesis' has no attribute {name!r}")
