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
    from viva.synthesis.pipeline import Synthesised, synthesise
    from viva.synthesis.plans import Plan, Planned, read_plan

__all__ = [
    "STEPS",
    "Dropped",
    "Example",
    "Made",
    "Plan",
    "Planned",
    "Provenance",
    "Step",
    "Synthesised",
    "check_keys",
    "data_card",
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
    "Plan": "plans",
    "Planned": "plans",
    "Synthesised": "pipeline",
    "data_card": "card",
    "read_plan": "plans",
    "synthesise": "pipeline",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"viva.synthesis.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'viva.synthesis' has no attribute {name!r}")
