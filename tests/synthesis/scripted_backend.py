"""A model that answers by a function of the request: for tests of steps that ask one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from viva.models import Capabilities, Completion, Prefill, Request
from viva.synthesis.calling import JournaledCaller, open_caller


class Scripted:
    """A back-end whose completions a function gives: a text, a Completion, or an exception."""

    def __init__(self, say: Callable[[Request], Any], name: str = "scripted") -> None:
        self.model, self.connections = name, 4
        self.capabilities = Capabilities(prefill=Prefill.CONTINUED)
        self.in_process = True
        self.say = say
        self.requests: list[Request] = []
        self.closed = False
        self._lock = threading.Lock()

    def settings(self) -> dict[str, Any]:
        return {"kind": "scripted", "base_url": "http://somewhere"}

    async def generate(self, request: Request) -> Completion:
        with self._lock:
            self.requests.append(request)
        said = self.say(request)
        if isinstance(said, Exception):
            raise said
        return said if isinstance(said, Completion) else Completion(text=said, finish_reason="stop")

    async def probe(self) -> Capabilities:
        return self.capabilities

    async def close(self) -> None:
        self.closed = True

    @property
    def prompts(self) -> list[str]:
        return [request.messages[-1].content for request in self.requests]


def scripted(say: Callable[[Request], Any], folder: Path, **options: Any) -> JournaledCaller:
    """A caller of :class:`Scripted`, journaled in a folder; ``asker.backend`` is the back-end."""
    return open_caller(Scripted(say), folder / "calls.jsonl", **options)
