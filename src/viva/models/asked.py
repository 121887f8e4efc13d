"""Which item a call is made for: known to a back-end that looks answers up by item."""

from __future__ import annotations

from contextvars import ContextVar
from typing import NamedTuple

__all__ = ["ASKED", "Asked"]


class Asked(NamedTuple):
    """The item, sample and probe in hand."""

    benchmark: str
    item_id: str
    sample: int
    probe: str | None = None


ASKED: ContextVar[Asked | None] = ContextVar("ASKED", default=None)
"""Set by the engine around each task; a request itself carries no item."""
