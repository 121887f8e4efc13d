"""What the tests of runs share: made items, back-ends in process, runs in processes of their own."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import viva.runs.compaction
import viva.runs.folder
from viva.methods import METHODS, Answer, Method
from viva.models import Capabilities, Completion, Message, Request
from viva.models.retrying import Retry
from viva.models.specs import ModelOptions
from viva.runs import Run, evaluate

NO_WAIT = Retry(tries=2, base=0.0, cap=0.0)


def rows(count: int, benchmark: str = "made") -> list[dict[str, Any]]:
    """Rows of a generic items file."""
    return [
        {
            "benchmark": benchmark,
            "item_id": f"i{number}",
            "question": f"Which finding fits case {number}?",
            "options": [f"finding {number}{letter}" for letter in "abcd"],
            "answer": "ABCD"[number % 4],
        }
        for number in range(count)
    ]


class Fake:
    """A back-end in process that answers by a function of the request."""

    connections = 4

    def __init__(
        self,
        reply: Callable[[Request], str | Completion | Exception] | None = None,
        *,
        model: str = "fake",
        latency: float = 0.0,
        settings: dict[str, Any] | None = None,
        capabilities: Capabilities | None = None,
    ) -> None:
        self.model = model
        self.capabilities = capabilities or Capabilities(seed=True, logprobs=True)
        self.reply = reply or (lambda request: f"I chose {request.seed}. The answer is B.")
        self.latency = latency
        self.seen: list[Request] = []
        self.in_flight = self.most_in_flight = 0
        self.closed = False
        self._settings = settings or {"kind": "fake"}

    def settings(self) -> dict[str, Any]:
        return self._settings

    async def generate(self, request: Request) -> Completion:
        self.seen.append(request)
        self.in_flight += 1
        self.most_in_flight = max(self.in_flight, self.most_in_flight)
        try:
            await asyncio.sleep(self.latency)
        finally:
            self.in_flight -= 1
        said = self.reply(request)
        if isinstance(said, Exception):
            raise said
        return said if isinstance(said, Completion) else Completion(said, None, "stop", 30, 10)

    async def probe(self) -> Capabilities:
        return self.capabilities

    async def close(self) -> None:
        self.closed = True


async def in_turn(item: Any, client: Any, *, sampling: Any = None, prompt: Any = None) -> Answer:
    """Three calls, each of which quotes the one before; the last one is the answer."""
    said = ""
    for turn in range(3):
        text = f"{item.question} ({turn}) {said}"
        request = Request((Message("user", text),), sampling=sampling)
        said = (await client.generate(request)).text
    return Answer(text=said, finish_reason="stop")


async def at_once(item: Any, client: Any, *, sampling: Any = None, prompt: Any = None) -> Answer:
    """Four draws at once, and a decision."""
    made = await asyncio.gather(
        *(
            client.generate(Request((Message("user", item.question),), None, sampling, draw=draw))
            for draw in range(4)
        )
    )
    texts = [completion.text for completion in made]
    letter = max("ABCD", key=lambda x: sum(f"is {x}." in text for text in texts))
    return Answer("\n".join(texts), letter, True, 0.5, (0.25, 0.25, 0.25, 0.25))


def with_own_methods() -> None:
    """Make the two methods above known by name."""
    METHODS["in_turn"] = Method("three calls in turn", in_turn)
    METHODS["at_once"] = Method("four calls at once", at_once)


def ask(out: str, url: str, count: int, method: str, **more: Any) -> Run:
    """One run against a server."""
    from viva.models import Sampling

    with_own_methods()
    return evaluate(
        model="openai/mock",
        benchmark=rows(count),
        method=method,
        out=out,
        options=ModelOptions(base_urls=(url,), timeout=20),
        sampling=Sampling(temperature=1.0),
        max_connections=8,
        **more,
    )


def ask_and_die(out: str, url: str, count: int, method: str, at: int) -> None:
    """One run that is killed at a step of its compaction.

    Steps in order: tables put in their place (0: calls, 1: responses), each before and after; the
    journal removed.
    """
    steps = 0

    def step() -> None:
        nonlocal steps
        if steps == at:
            os.kill(os.getpid(), signal.SIGKILL)
        steps += 1

    moved = viva.runs.folder.move

    def move(new: Path, path: Path) -> None:
        if path.name in ("calls.parquet", "responses.parquet", "scores.parquet"):
            step()
        moved(new, path)
        if path.name in ("calls.parquet", "responses.parquet", "scores.parquet"):
            step()

    viva.runs.folder.move = move
    ask(out, url, count, method)
