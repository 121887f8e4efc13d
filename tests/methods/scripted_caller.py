"""A model that answers by a script and keeps what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from viva.models import CallFailed, Capabilities, Completion, Prefill, Request
from viva.records import Choice, Item

ABLE = Capabilities(prefill=Prefill.CONTINUED, logprobs=True)

Reply = str | Completion | CallFailed


@dataclass
class Scripted:
    """``script`` is asked for each reply: a function of the request, or replies in order."""

    script: Callable[[Request], Reply] | list[Reply]
    capabilities: Capabilities = ABLE
    requests: list[Request] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0

    async def generate(self, request: Request) -> Completion:
        number = len(self.requests)
        self.requests.append(request)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        await asyncio.sleep(0)
        self.in_flight -= 1
        reply = self.script[number] if isinstance(self.script, list) else self.script(request)
        if isinstance(reply, CallFailed):
            raise reply
        return reply if isinstance(reply, Completion) else Completion(reply, finish_reason="stop")


def item(**changes: Any) -> Item:
    """A question with four options; the key is C."""
    fields: dict[str, Any] = {
        "benchmark": "exam",
        "item_id": "1",
        "question": "Which vitamin prevents scurvy?",
        "options": ("Retinol", "Thiamine", "Ascorbic acid", "Cobalamin"),
        "target": Choice(2),
    }
    return Item(**(fields | changes))


def ask(method: Any, caller: Scripted, question: Item | None = None, **given: Any) -> Any:
    """The answer of a method."""
    return asyncio.run(method(question or item(), caller, **given))
