"""What a client tells a progress view while it works."""

from __future__ import annotations

from typing import Literal, NamedTuple

from viva.models.failures import CallFailed
from viva.models.requests import Completion

__all__ = ["Event"]


class Event(NamedTuple):
    """One thing that happened to a call."""

    kind: Literal["done", "failed", "retry", "limit"]
    """A completion; a call given up; a try that will be repeated; the limit has moved."""
    in_flight: int
    """Calls with the server now."""
    limit: int
    """Calls that may be with the server at once, now."""
    completion: Completion | None = None
    """Of ``done``."""
    failure: CallFailed | None = None
    """Of ``failed`` and ``retry``."""
