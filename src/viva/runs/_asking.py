"""The model as the method of one task sees it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from viva.errors import InputError
from viva.models import CallFailed, Capabilities, Completion, Request
from viva.models.client import Client
from viva.models.requests import recorded as recorded_call
from viva.models.starts import with_start
from viva.runs.counts import Counts
from viva.runs.tasks import Keys, Task, prompt_hash

__all__ = ["Asking"]


class Asking:
    """The model as the method of one task sees it: every call is seeded, recorded, counted."""

    __slots__ = (
        "_client", "_counts", "_flying", "_held", "_keys", "_known", "_several", "_task", "_turn",
        "_write", "first", "key", "made",
    )  # fmt: skip

    def __init__(
        self,
        task: Task,
        key: str,
        *,
        client: Client,
        keys: Keys,
        counts: Counts,
        write: Callable[[Mapping[str, Any]], None],
        recorded: Iterable[Mapping[str, Any]],
    ) -> None:
        self._client, self._write, self._keys = client, write, keys
        self._counts = counts
        self._task, self.key = task, key
        self._held: dict[str, Any] | None = None
        self._turn: asyncio.Handle | None = None
        self._flying = 0
        self._several = False
        self.made: list[Completion] = []
        self.first: tuple[str, int | None] | None = None  # hash of the prompt, and the seed
        self._known = {
            call["request_hash"]: recorded_call(call)
            for call in recorded
            if isinstance(call.get("request_hash"), str)
        }

    @property
    def capabilities(self) -> Capabilities:
        return self._client.capabilities

    async def generate(self, request: Request) -> Completion:
        """Complete a request; one that this task has made before is not made again.

        Where the task has a start, it is put before the model in every call.
        """
        if self._task.start is not None:
            request = with_start(request, self._task.start, self._task.arm)
        if request.seed is None:
            request = request.with_seed(self._keys.seed(self._task, request.draw))
        request_hash, prompt = request.hash(), prompt_hash(request)
        if self.first is None:
            self.first = prompt, request.seed
        known = self._known.get(request_hash)
        if known is not None:
            self.made.append(known)
            return known
        self.flush()  # there is another call: the one before was not the last
        call: dict[str, Any] = {
            "key": hashlib.sha256(f"{self.key}{request_hash}".encode()).hexdigest()[:32],
            "task": self.key,
            "draw": request.draw,
            "request_hash": request_hash,
            "prompt_hash": prompt,
            "seed": request.seed,
        }
        self._flying += 1
        self._several = self._several or self._flying > 1
        try:
            completion = await self._client.generate(request)
        except CallFailed as failed:
            self._flying -= 1
            if failed.attempts:
                self._counts.calls += failed.attempts
                # A key of its own: when the call is made again, these tries stay counted.
                call["key"] = f"{call['key']}-{secrets.token_hex(8)}"
                self._hold(call | {"attempts": failed.attempts, "error": str(failed)[:1000]})
            raise
        except BaseException:
            self._flying -= 1
            raise
        self._flying -= 1
        self._count(completion)
        self._known[request_hash] = completion
        self.made.append(completion)
        for name in (
            "text", "reasoning", "finish_reason", "input_tokens", "output_tokens", "seconds",
            "cost", "attempts", "logprobs", "served_model",
        ):  # fmt: skip
            value = getattr(completion, name)
            if value is not None:
                call[name] = value
        self._hold(call)
        return completion

    def _count(self, completion: Completion) -> None:
        counts = self._counts
        counts.calls += completion.attempts
        output = completion.output_tokens or 0
        counts.tokens += (completion.input_tokens or 0) + output
        counts.output_tokens += output
        if completion.cost is not None:
            counts.cost += completion.cost
            counts.priced = True

    def _hold(self, call: dict[str, Any]) -> None:
        """Keep the last finished call for the line of the answer, if that comes at once.

        A method of one call answers before anything else happens, and its call and answer are one
        line; a method that goes on makes its next call. What is still held when the loop turns is
        written by itself: nothing finished waits unwritten while others are asked. Calls made
        side by side are never held.
        """
        self.flush()
        self._held = call
        if self._several:
            self.flush()
        else:
            self._turn = asyncio.get_running_loop().call_soon(self._flush_late)

    def take(self) -> dict[str, Any] | None:
        """The call that is not written yet."""
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        held, self._held = self._held, None
        return held

    def flush(self) -> None:
        """Write the held call on a line of its own."""
        held = self.take()
        if held is not None:
            self._write({"call": held})

    def _flush_late(self) -> None:
        with contextlib.suppress(InputError):  # the engine knows, and raises it at the end
            self.flush()
