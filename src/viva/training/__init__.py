"""Training: rewards of the readers and scorers that evaluation uses, recipes, SFT, DPO and GRPO.

What trains is imported when it is first asked for: recipes are read without it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from viva.training.card import write_card
    from viva.training.exporters import export_recipe
    from viva.training.journal import read_log
    from viva.training.preflight import CHECKS, Finding
    from viva.training.recipes import Recipe, Stage, find_recipe, read_recipe
    from viva.training.running import Trained, train

__all__ = [
    "CHECKS",
    "Finding",
    "Recipe",
    "Stage",
    "Trained",
    "export_recipe",
    "find_recipe",
    "read_log",
    "read_recipe",
    "train",
    "write_card",
]

_HOMES = {
    "CHECKS": "preflight",
    "Finding": "preflight",
    "Recipe": "recipes",
    "Stage": "recipes",
    "Trained": "running",
    "export_recipe": "exporters",
    "find_recipe": "recipes",
    "read_log": "journal",
    "read_recipe": "recipes",
    "train": "running",
    "write_card": "card",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"viva.training.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'viva.training' has no attribute {name!r}")
