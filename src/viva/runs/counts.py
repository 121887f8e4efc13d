"""How far a run is: what the engine counts and the progress view shows."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from viva.models.events import Event

__all__ = ["Counts"]


@dataclass(slots=True)
class Counts:
    """How far a run is; read by the progress view, from another thread."""

    planned: int = 0
    done: int = 0
    """Tasks answered, in this session and before."""
    failed: int = 0
    """Tasks that ended in an error which stands."""
    earlier: int = 0
    """Tasks that an earlier session had settled."""
    calls: int = 0
    """Tries, those of earlier sessions and failed ones too."""
    tokens: int = 0
    output_tokens: int = 0
    """Of this session."""
    cost: float = 0.0
    priced: bool = False
    """Whether anything said what a call costs."""
    retries: int = 0
    in_flight: int = 0
    limit: int = 0
    started: float = field(default_factory=time.monotonic)
    stale: set[str] = field(default_factory=set)
    """Tasks whose error of an earlier session stands until they are asked again."""

    def on_event(self, event: Event) -> None:
        """Take in what the client tells."""
        self.in_flight, self.limit = event.in_flight, event.limit
        if event.kind == "retry":
            self.retries += 1
