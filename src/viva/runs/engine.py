"""The engine: workers that put tasks to a method, and write down every call as it is finished."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any

from viva.errors import InputError
from viva.formats.journal import SHARED
from viva.methods.answer import Answer
from viva.models import Caller, CallFailed, Failure
from viva.models.asked import ASKED, Asked
from viva.models.client import Client
from viva.models.failures import FATAL
from viva.models.starts import ARMS
from viva.records import Item
from viva.runs._asking import Asking
from viva.runs.counts import Counts
from viva.runs.journal import Journal, lasting
from viva.runs.tasks import Keys, Task

__all__ = ["Ask", "Engine", "unfinished"]

Ask = Callable[[Item, Caller], Awaitable[Answer]]
"""A method with its parameters set."""

Recorded = Callable[[str], list[dict[str, Any]]]
"""Task -> the calls that an earlier session made for it."""

_TURN = 0.02
"""Seconds after which a worker lets others run, where no call makes it wait."""
_SYNC = 5.0
"""Seconds between forcing the journal to disk."""
_BROKEN = 20
"""Failures of the method itself after which, with nothing answered, it is given up."""
_UNASKED = frozenset({Failure.BUDGET, Failure.STOPPED}) | FATAL


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
        ASKED.set(Asked(item.benchmark, item.item_id, task.sample, task.probe))
        asking = Asking(
            task,
            key,
            client=self.client,
            keys=self.keys,
            counts=self.counts,
            write=self.write,
            recorded=self.recorded(key),
        )
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
        self, task: Task, key: str, asking: Asking, answer: Answer, error: str | None
    ) -> dict[str, Any]:
        """The journal's line: a row of a generic answers file, and the call that finished it."""
        call, made = asking.take(), asking.made
        prompt, seed = asking.first or (None, None)
        text, reasoning = answer.text, answer.reasoning
        if answer.decided:
            # The decision is what counts; the text it comes from stays to be looked at.
            text, reasoning = None, reasoning if reasoning is not None else text
        elif not answer.graded:
            text, reasoning = None, text
        elif text is not None and not text.strip() and _start_stands(task, answer):
            text = task.start
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


def _total(values: Iterable[float | None]) -> Any:
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


def _without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _start_stands(task: Task, answer: Answer) -> bool:
    """Whether a model ended at once the turn begun for it: then the start is its answer."""
    begun = task.start is not None and ARMS[task.arm].continues
    return begun and answer.finish_reason == "stop"
