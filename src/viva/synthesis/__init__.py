"""Synthesis: steps that turn items and responses into training data, each with its provenance."""

from viva.synthesis.examples import (
    Example,
    Provenance,
    key_of,
    read_examples,
    seeded,
    write_examples,
)
from viva.synthesis.steps import STEPS, Dropped, Made, Step, find_step, settings_of, steps

__all__ = [
    "STEPS",
    "Dropped",
    "Example",
    "Made",
    "Provenance",
    "Step",
    "find_step",
    "key_of",
    "read_examples",
    "seeded",
    "settings_of",
    "steps",
    "write_examples",
]
