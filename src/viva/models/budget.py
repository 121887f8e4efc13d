"""What a run may spend: calls, tokens, money."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from viva.errors import InputError
from viva.models.failures import CallFailed, Failure
from viva.models.requests import Completion, Request

__all__ = ["Budget", "Prices"]

FIRST = 8
"""Calls in flight while nothing is known of what one spends."""


@dataclass(frozen=True, slots=True)
class Prices:
    """What tokens cost, per million, in any one currency."""

    input: float
    output: float

    def __post_init__(self) -> None:
        for name, value in (("input", self.input), ("output", self.output)):
            if not (math.isfinite(value) and value >= 0):
                raise InputError(f"the price of {name} tokens is {value}", mend="Give 0 or more")

    def cost(self, input_tokens: float, output_tokens: float) -> float:
        """Cost of so many tokens."""
        return (self.input * input_tokens + self.output * output_tokens) / 1e6


class Hold(NamedTuple):
    """What one try in flight may spend, at most as far as its request says."""

    input_tokens: int
    output_tokens: int
    cost: float


class Budget:
    """Lets a try start while the budget covers it, and says when it is spent.

    Calls are tries: each request that reaches the server counts, so that the server never sees
    more than ``max_calls``. What a call spends in tokens and money is known when it is finished;
    a try starts only while what is spent and what the calls in flight are expected to spend are
    below the limit. The expectation is the mean of the finished calls; before there is one, what
    ``max_completion_tokens`` allows, or, where that is open, :data:`FIRST` calls in flight. A
    call for which that leaves no room *now* waits for those in flight.

    Parameters
    ----------
    max_calls, max_tokens, max_cost : optional
        Limits; tokens are input and output together. None = none.
    spent_calls, spent_tokens, spent_cost
        What an earlier part of the run has spent.
    """

    def __init__(
        self,
        max_calls: int | None = None,
        max_tokens: int | None = None,
        max_cost: float | None = None,
        *,
        spent_calls: int = 0,
        spent_tokens: int = 0,
        spent_cost: float = 0.0,
    ) -> None:
        for name, most in (("calls", max_calls), ("tokens", max_tokens), ("cost", max_cost)):
            if most is not None and not (math.isfinite(most) and most >= 0):
                raise InputError(f"a budget of {most} for {name}", mend="Give 0 or more")
        self.max_calls = max_calls
        self.max_tokens = max_tokens
        self.max_cost = max_cost
        self.calls = spent_calls
        self.tokens = spent_tokens
        self.cost = spent_cost
        self.in_flight = 0
        self.prices: Prices | None = None
        self._finished = 0
        self._finished_tokens = 0
        self._finished_cost = 0.0
        self._guessed = [0.0, 0.0]  # tokens and cost of the calls in flight, by their limits
        self._waiters: deque[tuple[asyncio.Future[Hold], Request]] = deque()

    @property
    def spent(self) -> str | None:
        """Which limit is reached, in words; None while none is."""
        if self.max_calls is not None and self.calls >= self.max_calls:
            return f"the budget of {self.max_calls} calls is spent"
        if self.max_tokens is not None and self.tokens >= self.max_tokens:
            return f"the budget of {self.max_tokens} tokens is spent ({self.tokens} used)"
        if self.max_cost is not None and self.cost >= self.max_cost:
            return f"the budget of {self.max_cost:g} in cost is spent ({self.cost:.4g} used)"
        return None

    def _has_room(self, request: Request) -> bool:
        if not self.in_flight or (self.max_tokens is None and self.max_cost is None):
            return True
        if self._finished:
            tokens = self._finished_tokens / self._finished * self.in_flight
            cost = self._finished_cost / self._finished * self.in_flight
        else:
            open_ended = request.sampling.max_completion_tokens is None
            unpriced = self.max_cost is not None and self.prices is None
            if (open_ended or unpriced) and self.in_flight >= FIRST:
                return False
            tokens, cost = self._guessed
        return (self.max_tokens is None or self.tokens + tokens < self.max_tokens) and (
            self.max_cost is None or self.cost + cost < self.max_cost
        )

    def _take(self, request: Request) -> Hold:
        read = request.estimated_tokens
        written = request.sampling.max_completion_tokens or 0
        hold = Hold(read, written, self.prices.cost(read, written) if self.prices else 0.0)
        self.calls += 1
        self.in_flight += 1
        self._guessed[0] += hold.input_tokens + hold.output_tokens
        self._guessed[1] += hold.cost
        return hold

    async def start(self, request: Request) -> Hold:
        """Count a try of this request, once there is room for it.

        Raises
        ------
        viva.models.CallFailed
            ``BUDGET`` where a limit is reached.
        """
        if spent := self.spent:
            raise CallFailed(Failure.BUDGET, spent, attempts=0)
        if not self._waiters and self._has_room(request):
            return self._take(request)
        future: asyncio.Future[Hold] = asyncio.get_running_loop().create_future()
        self._waiters.append((future, request))
        self._admit()
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                self.give_back(future.result())
            raise

    def give_back(self, hold: Hold) -> None:
        """A try that was counted did not start: the server has not seen it."""
        self.calls -= 1
        self.finish(hold)

    def finish(self, hold: Hold, completion: Completion | None = None) -> float | None:
        """Settle a try; without a completion it has spent a call and nothing else.

        Returns
        -------
        float or None
            Its cost: the server's own figure, else by the prices; None where neither is known.
        """
        self.in_flight -= 1
        self._guessed[0] -= hold.input_tokens + hold.output_tokens
        self._guessed[1] -= hold.cost
        cost = None
        if completion is not None:
            read, written = completion.input_tokens, completion.estimated_tokens
            read = hold.input_tokens if read is None else read
            cost = completion.cost
            if cost is None and self.prices is not None:
                cost = self.prices.cost(read, written)
            self._finished += 1
            self._finished_tokens += read + written
            self._finished_cost += cost or 0.0
            self.tokens += read + written
            self.cost += cost or 0.0
        if self._waiters:
            self._admit()
        return cost

    def _admit(self) -> None:
        """Let waiters start in the order of their coming."""
        while self._waiters:
            future, request = self._waiters[0]
            if not future.done():
                if spent := self.spent:
                    self.close(CallFailed(Failure.BUDGET, spent, attempts=0))
                    return
                if not self._has_room(request):
                    return
                future.set_result(self._take(request))
            self._waiters.popleft()

    def close(self, failed: CallFailed) -> None:
        """Fail every call that waits for room."""
        while self._waiters:
            future, _ = self._waiters.popleft()
            if not future.done():
                future.set_exception(CallFailed(failed.failure, failed.detail, attempts=0))
