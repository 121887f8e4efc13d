"""The engine: workers that put tasks to a method, and write down every call as it is finished."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from viva.errors import InputError
from viva.formats.journal import SHARED
from viva.methods.answer import Answer
from viva.models import Caller, CallFailed, Capabilities, Completion, Failure, Request
from viva.models.asked import ASKED, Asked
from viva.models.client import Client
from viva.models.events import Event
from viva.models.failures import FATAL
from viva.records import Item
from viva.runs.journal import Journal, lasting
from viva.runs.tasks import Keys, Task

__all__ = ["Ask", "Counts", "Engine", "unfinished"]

Ask = Callable[[Item, Caller], Awaitable[Answer]]
"""A method with its parameters set."""

Recorded = Callable[[str], list[dict[str, Any]]]
"""Task -> the calls that an earlier session made for it."""

_HELD = 0.02
"""Seconds a finished call waits for the answer it may be the last call of, to share its line."""
_TURN = 0.02
"""Seconds after which a worker lets others run, where no call makes it wait."""
_SYNC = 5.0
"""Seconds between forcing the journal to disk."""
_BROKEN = 20
"""Failures of the method itself after which, with nothing answered, it is given up."""
_UNASKED = frozenset({Failure.BUDGET, Failure.STOPPED}) | FATAL


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


def prompt_hash(request: Request) -> str:
    """First 16 hex digits of SHA-256 over what a call puts before the model."""
    parts = [part for message in request.messages for part in (message.role, message.content)]
    said = "\x1f".join(parts if request.prefix is None else [*parts, "prefix", request.prefix])
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _completion(call: Mapping[str, Any]) -> Completion:
    """A recorded call as the completion it was."""
    logprobs = call.get("logprobs")
    return Completion(
        text=call.get("text") or "",
        reasoning=call.get("reasoning"),
        finish_reason=call.get("finish_reason"),
        input_tokens=call.get("input_tokens"),
        output_tokens=call.get("output_tokens"),
        seconds=call.get("seconds") or 0.0,
        cost=call.get("cost"),
        attempts=call.get("attempts") or 1,
        logprobs=tuple(logprobs) if isinstance(logprobs, list) else None,
        served_model=call.get("served_model"),
    )


class _Asking:
    """The model as the method of one task sees it: every call is seeded, recorded, counted."""

    __slots__ = (
        "_client", "_counts", "_flying", "_held", "_keys", "_known", "_task", "_timer",
        "_write", "first", "key", "made",
    )  # fmt: skip

    def __init__(self, engine: Engine, task: Task, key: str) -> None:
        self._client, self._write, self._keys = engine.client, engine.write, engine.keys
        self._counts = engine.counts
        self._task, self.key = task, key
        self._held: dict[str, Any] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._flying = 0
        self.made: list[Completion] = []
        self.first: tuple[str, int | None] | None = None  # hash of the prompt, and the seed
        self._known = {
            call["request_hash"]: _completion(call)
            for call in engine.recorded(key)
            if isinstance(call.get("request_hash"), str)
        }

    @property
    def capabilities(self) -> Capabilities:
        return self._client.capabilities

    async def generate(self, request: Request) -> Completion:
        """Complete a request; one that this task has made before is not made again."""
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
        """Keep the last finished call for the line of the answer, but only for a moment.

        A method of one call answers at once, and its call and answer are one line. Others make
        their next call at once. What takes longer than a moment is written down by itself.
        """
        self.flush()
        self._held = call
        if self._flying:
            self.flush()
        else:
            self._timer = asyncio.get_running_loop().call_later(_HELD, self._flush_late)

    def take(self) -> dict[str, Any] | None:
        """The call that is not written yet."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
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


class Engine:
    """Asks tasks of a model by a method, many at a time.

    Parameters
    ----------
    ask : callable
        The method, its parameters set.
    client : Client
        Reaches the model.
    journal : Journal
        Takes a line for each finished call.
    keys : Keys
        Names tasks and seeds calls.
    model, label : str
        The model's and the method's name in records.
    counts : Counts
        Kept up to date.
    recorded : callable
        Task key -> calls that are recorded for it already.
    """

    def __init__(
        self,
        ask: Ask,
        client: Client,
        journal: Journal,
        keys: Keys,
        *,
        model: str,
        label: str,
        counts: Counts,
        recorded: Recorded,
    ) -> None:
        self.ask, self.client, self.journal, self.keys = ask, client, journal, keys
        self.model, self.label = model, label
        self.counts, self.recorded = counts, recorded
        self._broken = 0
        self._trouble: InputError | None = None
        self._turn = time.monotonic()

    def write(self, row: Mapping[str, Any]) -> None:
        """Append to the journal; where that fails, nothing new is asked."""
        try:
            self.journal.append(row)
        except InputError as error:
            self._stop(error)
            raise

    def _stop(self, trouble: InputError) -> None:
        self._trouble = self._trouble or trouble
        self.client.stop(trouble.what)

    async def run(self, tasks: Iterator[tuple[str, Task]], workers: int) -> None:
        """Ask all tasks, or until the client is stopped; calls in flight are always finished.

        Parameters
        ----------
        tasks : iterator of (str, Task)
            Keys and tasks that are not finished.
        workers : int
            Tasks in hand at once.

        Raises
        ------
        InputError
            Where the journal cannot be written, or the method refuses its input.
        """
        syncing = asyncio.create_task(self._sync())
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(workers):
                    group.create_task(self._work(tasks))
        except BaseExceptionGroup as several:
            raise _first(several) from None
        finally:
            syncing.cancel()
        if self._trouble is not None:
            raise self._trouble

    async def _sync(self) -> None:
        while True:
            await asyncio.sleep(_SYNC)
            try:
                await asyncio.to_thread(self.journal.sync)
            except InputError as error:
                self._stop(error)

    async def _work(self, tasks: Iterator[tuple[str, Task]]) -> None:
        while self.client.stopped is None:
            following = next(tasks, None)
            if following is None:
                return
            await self._answer(*following)
            if time.monotonic() - self._turn > _TURN:
                await asyncio.sleep(0)
                self._turn = time.monotonic()

    async def _answer(self, key: str, task: Task) -> None:
        """One task from its first call to its line in the journal."""
        item = task.item
        ASKED.set(Asked(item.benchmark, item.item_id, task.sample))
        asking = _Asking(self, task, key)
        answer, error = Answer(), None
        try:
            answer = await self.ask(item, asking)
        except CallFailed as failed:
            if failed.failure in _UNASKED:
                asking.flush()
                return
            error = str(failed)[:1000]
        except InputError:
            asking.flush()
            raise
        except Exception as broken:
            error = f"the method failed: {type(broken).__name__}: {broken}"[:1000]
            self._broken += 1
            if self._broken >= _BROKEN and self._broken > self.counts.done - self.counts.earlier:
                asking.flush()
                raise
        except BaseException:
            asking.flush()
            raise
        self.write(self._row(task, key, asking, answer, error))
        self.counts.stale.discard(key)
        if error is None:
            self.counts.done += 1
        else:
            self.counts.failed += 1

    def _row(
        self, task: Task, key: str, asking: _Asking, answer: Answer, error: str | None
    ) -> dict[str, Any]:
        """The journal's line: a row of a generic answers file, and the call that finished it."""
        call, made = asking.take(), asking.made
        prompt, seed = asking.first or (None, None)
        text, reasoning = answer.text, answer.reasoning
        if answer.decided:
            # The decision is what counts; the text it comes from stays to be looked at.
            text, reasoning = None, reasoning if reasoning is not None else text
        row: dict[str, Any] = {
            "benchmark": task.item.benchmark,
            "item_id": task.item.item_id,
            "model": self.model,
            "method": self.label,
            "sample": task.sample,
            "response": text,
            "task": key,
        }
        row |= _without_none(
            {
                "probe": task.probe,
                "cue": task.cue,
                "prediction": answer.prediction,
                "already_read": True if answer.decided and error is None else None,
                "reasoning": reasoning,
                "finish_reason": answer.finish_reason,
                "prompt_hash": prompt,
                "seed": seed,
                "calls": len(made),
                "input_tokens": _total(c.input_tokens for c in made),
                "output_tokens": _total(c.output_tokens for c in made),
                "seconds": _total(c.seconds for c in made),
                "cost": _total(c.cost for c in made),
                "confidence": answer.confidence,
                "probabilities": answer.probabilities,
                "error": error,
            }
        )
        if call is not None:
            same = [n for n, told in SHARED.items() if n in call and call[n] == row.get(told)]
            for name in same:
                del call[name]
            row["call"] = call | {"same": same} if same else call
        return row


def _total(values: Iterator[int | None] | Iterator[float | None] | Any) -> Any:
    known = [v for v in values if v is not None]
    return sum(known) if known else None


def _first(group: BaseExceptionGroup[Any]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def unfinished(
    tasks: Iterator[Task], keys: Keys, finished: Mapping[str, str | None]
) -> Iterator[tuple[str, Task]]:
    """Tasks that have no answer and no error that would come again, each with its key."""
    for task in tasks:
        key = keys.task(task)
        if key in finished and lasting(finished[key]):
            continue
        yield key, task
