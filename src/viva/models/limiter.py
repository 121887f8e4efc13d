"""How many calls are with the server at once."""

from __future__ import annotations

import asyncio
from collections import deque

from viva.errors import InputError
from viva.models.failures import CallFailed

__all__ = ["Limiter"]


class Limiter:
    """Slots for calls, first come first served.

    Parameters
    ----------
    most : int
        Most calls at once; where it starts.
    """

    def __init__(self, most: int) -> None:
        if most < 1:
            raise InputError(f"{most} connections", mend="At least 1 is needed")
        self.most = most
        self.in_flight = 0
        self._limit = float(most)
        self._round = 0
        self._waiters: deque[asyncio.Future[int]] = deque()
        self._gate = 0.0
        self._opening: asyncio.TimerHandle | None = None

    @property
    def limit(self) -> int:
        """Calls that may be in flight now, 1 to ``most``."""
        return int(self._limit)

    @property
    def waiting(self) -> int:
        """Calls that wait for a slot."""
        return sum(not future.done() for future in self._waiters)

    async def acquire(self) -> int:
        """Wait for a slot.

        Returns
        -------
        int
            The round in which the call starts, to be handed back with the slot.
        """
        loop = asyncio.get_running_loop()
        if not self._waiters and self.in_flight < self.limit and loop.time() >= self._gate:
            self.in_flight += 1
            return self._round
        future: asyncio.Future[int] = loop.create_future()
        self._waiters.append(future)
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                self.release()
            raise

    def release(self) -> None:
        """Give a slot back."""
        self.in_flight -= 1
        self._grant()

    def hold(self, seconds: float) -> None:
        """Let no call start for so long."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        if until > self._gate:
            self._gate = until
            if self._opening is not None:
                self._opening.cancel()
            self._opening = loop.call_at(until, self._grant)

    def rejected(self, started_in: int) -> None:
        """The server would not take a call: halve, once for all calls of a round."""
        if started_in == self._round:
            self._round += 1
            self._limit = max(1.0, float(self.limit // 2))

    def accepted(self) -> None:
        """A call was completed: grow back."""
        self._limit = min(float(self.most), self._limit + 1 / self._limit)

    def close(self, failed: CallFailed) -> None:
        """Fail every call that waits."""
        while self._waiters:
            future = self._waiters.popleft()
            if not future.done():
                future.set_exception(CallFailed(failed.failure, failed.detail, attempts=0))

    def _grant(self) -> None:
        waiters = self._waiters
        while waiters and self.in_flight < self.limit:
            if asyncio.get_running_loop().time() < self._gate:
                return
            future = waiters.popleft()
            if not future.done():
                self.in_flight += 1
                future.set_result(self._round)
