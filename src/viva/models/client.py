"""The client: every call of a run, within its limits, tried again where that may help."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from typing import Literal

from viva.errors import InputError
from viva.models.backend import Backend, Capabilities
from viva.models.budget import Budget, Hold, Prices
from viva.models.events import Event
from viva.models.failures import FATAL, CallFailed, Failure
from viva.models.limiter import Limiter
from viva.models.requests import Completion, Request
from viva.models.retrying import LONGEST_WAIT, Retry

__all__ = ["Client", "limiter_for"]

GRACE = 5.0
"""Seconds that a back-end has beyond its own time-out before the client gives the call up."""


def limiter_for(backend: Backend, most: int | None = None) -> Limiter:
    """Slots for the calls of a back-end: adaptive, but for one in this process.

    Parameters
    ----------
    backend : Backend
        Says how many calls at once serve it best.
    most : int, optional
        As many, where the user says so.
    """
    return Limiter(most or backend.connections, adaptive=not _in_process(backend))


def _in_process(backend: Backend) -> bool:
    return bool(getattr(backend, "in_process", False))


class Client:
    """Asks a back-end: bounded in concurrency, in spending and in patience.

    Parameters
    ----------
    backend : Backend
        Makes one try per call.
    limiter : Limiter, optional
        How many calls at once; default: that of :func:`limiter_for`.
    budget : Budget, optional
        What may be spent; default: no limit.
    retry : Retry, optional
        When a failed try is repeated.
    prices : Prices, optional
        For the cost of calls whose server does not say it.
    timeout : float, optional
        Seconds of one try, which the back-end enforces; the client ends a try that is
        :data:`GRACE` seconds over it. None, and for a back-end in this process always: it may
        take as long as it likes.
    patience : float
        Seconds without a connection after which the client stops, see :meth:`generate`.
    on_event : callable, optional
        Told of each completion, failure, retry and change of the limit; must be fast.

    Attributes
    ----------
    stopped : str or None
        Why no new call starts, in words.
    fatal : CallFailed or None
        The failure that no other call would escape (key, name of the model).

    Raises
    ------
    viva.errors.InputError
        A limit on cost where the cost of a call cannot be known.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        limiter: Limiter | None = None,
        budget: Budget | None = None,
        retry: Retry | None = None,
        prices: Prices | None = None,
        timeout: float | None = 600.0,
        patience: float = 10.0,
        on_event: Callable[[Event], None] | None = None,
    ) -> None:
        self.backend = backend
        self.limiter = limiter or limiter_for(backend)
        self.budget = budget or Budget()
        self.budget.prices = prices
        self.retry = retry or Retry()
        self.stopped: str | None = None
        self.fatal: CallFailed | None = None
        self._ended: CallFailed | None = None
        timeout = None if _in_process(backend) else timeout
        self._timeout = None if timeout is None else timeout + GRACE
        self._patience = patience
        self._on_event = on_event
        self._sleeping: set[asyncio.Future[None]] = set()
        self._rejected_at_floor = 0
        self._unconnected = 0
        self._unconnected_since = 0.0
        unpriced = prices is None and not getattr(backend, "reports_cost", False)
        if self.budget.max_cost is not None and unpriced:
            raise InputError(
                f"a budget of {self.budget.max_cost:g} in cost, and nothing says what a call costs",
                mend="Give the prices of a million input and output tokens",
            )

    @property
    def capabilities(self) -> Capabilities:
        """What the model can do."""
        return self.backend.capabilities

    @property
    def in_flight(self) -> int:
        """Calls with the server now."""
        return self.limiter.in_flight

    def stop(self, reason: str) -> None:
        """Let no new call start; those in flight finish.

        Calls that wait for a slot, for room in the budget or for their next try fail at once.
        """
        self._end(CallFailed(Failure.STOPPED, reason))

    def _end(self, failed: CallFailed) -> None:
        if self._ended is None:
            self._ended, self.stopped = failed, failed.detail
        self.limiter.close(self._ended)
        self.budget.close(self._ended)
        for future in self._sleeping:
            _wake(future)

    async def generate(self, request: Request) -> Completion:
        """Complete one request, with as many tries as :class:`Retry` allows.

        A call that waits for its next try holds no slot. The client stops by itself when the
        budget is spent, at a failure that every call would meet, and when as many tries in a row
        as fill the connections twice (at least 20) found no server over ``patience`` seconds.

        Raises
        ------
        viva.models.CallFailed
        """
        tries = 0
        last: CallFailed | None = None
        loop = asyncio.get_running_loop()
        while True:
            try:
                ticket, hold = await self._admission(request)
            except CallFailed as refused:
                raise self._refused(refused, tries, last) from last
            completion, last = None, None
            tries += 1
            started = loop.time()
            try:
                async with asyncio.timeout(self._timeout):
                    completion = await self.backend.generate(request)
            except CallFailed as failed:
                last = failed
            except TimeoutError:
                last = CallFailed(Failure.TIME_OUT, f"no reply in {loop.time() - started:.0f} s")
            finally:
                seconds = loop.time() - started
                cost = self.budget.finish(hold, completion)
                self._learn(ticket, started, seconds, completion, last)
                self.limiter.release()
            if completion is not None:
                if cost is None and self.budget.max_cost is not None:
                    self.stop("the server does not say what a call costs: give the prices")
                completion = dataclasses.replace(
                    completion,
                    attempts=tries,
                    cost=cost,
                    seconds=completion.seconds or seconds,
                )
                self._tell("done", completion=completion)
                return completion
            assert last is not None
            last.attempts = tries
            if not self.retry.repeats(last, tries):
                self._tell("failed", failure=last)
                raise last
            self._tell("retry", failure=last)
            await self._sleep(self.retry.wait(tries, last.retry_after))

    async def _admission(self, request: Request) -> tuple[int, Hold]:
        """Wait for a slot and for room in the budget."""
        if (ended := self._ended) is not None:
            raise CallFailed(ended.failure, ended.detail)
        ticket = await self.limiter.acquire()
        try:
            hold = await self.budget.start(request)
        except BaseException:
            self.limiter.release()
            raise
        # Stopped between being admitted and running again. (A budget that ended meanwhile has
        # still counted this call in.)
        ended = self._ended
        if ended is not None and ended.failure is Failure.STOPPED:
            self.budget.give_back(hold)
            self.limiter.release()
            raise CallFailed(ended.failure, ended.detail)
        return ticket, hold

    def _learn(
        self,
        ticket: int,
        started: float,
        seconds: float,
        completion: Completion | None,
        last: CallFailed | None,
    ) -> None:
        """What the end of a try says about the server; neither is given for a cancelled one."""
        limit = self.limiter.limit
        if completion is not None:
            self._unconnected = 0
            self._rejected_at_floor = 0
            self.limiter.completed(completion, started, seconds)
        elif last is not None:
            if last.failure is Failure.RATE_LIMIT:
                self._hold_back(ticket, started, last)
            if last.failure in FATAL:
                self.fatal = self.fatal or last
                self.stop(str(last))
            self._break(last)
        if self.limiter.limit != limit:
            self._tell("limit")

    def _hold_back(self, ticket: int, started: float, failed: CallFailed) -> None:
        """A server that has enough is left alone, by the other calls too."""
        self.limiter.rejected(ticket)
        if failed.retry_after:
            self.limiter.hold(min(failed.retry_after, LONGEST_WAIT), started)
        elif self.limiter.limit == 1:  # fewer calls at once there cannot be, only fewer in a time
            self._rejected_at_floor += 1
            self.limiter.hold(self.retry.wait(self._rejected_at_floor))

    def _break(self, failed: CallFailed) -> None:
        """Stop where the server no longer answers."""
        if failed.failure is not Failure.CONNECTION:
            self._unconnected = 0
            return
        now = asyncio.get_running_loop().time()
        if not self._unconnected:
            self._unconnected_since = now
        self._unconnected += 1
        enough = max(20, 2 * self.limiter.most)
        if self._unconnected >= enough and now - self._unconnected_since >= self._patience:
            self.stop(f"the server no longer answers: {failed.detail or failed.failure}")

    def _refused(self, refused: CallFailed, tries: int, last: CallFailed | None) -> CallFailed:
        """A call that may not start, or not again."""
        if self._ended is None:
            self._end(refused)
        detail = f"{refused.detail}; after {tries} tries: {last}" if last else refused.detail
        failed = CallFailed(refused.failure, detail, attempts=tries)
        self._tell("failed", failure=failed)
        return failed

    async def _sleep(self, seconds: float) -> None:
        """Wait, or until the client is stopped."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        timer = loop.call_later(seconds, _wake, future)
        self._sleeping.add(future)
        try:
            await future
        finally:
            self._sleeping.discard(future)
            timer.cancel()

    def _tell(
        self,
        kind: Literal["done", "failed", "retry", "limit"],
        completion: Completion | None = None,
        failure: CallFailed | None = None,
    ) -> None:
        if self._on_event is not None:
            limiter = self.limiter
            self._on_event(Event(kind, limiter.in_flight, limiter.limit, completion, failure))


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
