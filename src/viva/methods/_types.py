"""Types of the methods' parameters, with the ranges that are checked before the first call."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

__all__ = ["Count", "Natural", "Share"]

Count = Annotated[int, Field(ge=1)]
"""1 or more."""

Natural = Annotated[int, Field(ge=0)]
"""0 or more."""

Share = Annotated[float, Field(ge=0, le=1)]
"""0..1."""
