"""The wording of probes, from the files in ``templates/``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["filled", "load"]

_FOLDER = Path(__file__).parent / "templates"
_SLOT = re.compile(r"\{(\w+)\}")


@cache
def load(name: str) -> Mapping[str, Any]:
    """The wording of one file, by its name without ``.toml``."""
    return tomllib.loads((_FOLDER / f"{name}.toml").read_text("utf-8"))


def filled(template: str, **values: str) -> str:
    """A template with its slots filled, in one pass: what a value holds is never a slot.

    Raises
    ------
    KeyError
        A slot without a value.
    """
    return _SLOT.sub(lambda slot: values[slot[1]], template)
