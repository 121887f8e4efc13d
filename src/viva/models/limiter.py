"""How many calls are with the server at once: slots, first come first served."""

from __future__ import annotations

import asyncio
from collections import deque

from viva.errors import InputError
from viva.models.congestion import Congestion
from viva.models.failures import CallFailed
from viva.models.requests import Completion

__all__ = ["Limiter"]


class Limiter:
    """Slots for calls, as many as the server takes well.

    Starts at full speed and falls only where the server rejects calls (429) or its latency rises
    without its throughput; the rule is :class:`viva.models.congestion.Congestion`.

    Parameters
    ----------
    most : int
        Most calls in flight.
    adaptive : bool
        False = always ``most``.

    Raises
    ------
    viva.errors.InputError
        ``most`` below 1.
    """

    def __init__(self, most: int, *, adaptive: bool = True) -> None:
        if most < 1:
            raise InputError(f"{most} connections", mend="At least 1 is needed")
        self.most = most
        self.in_flight = 0
        """Slots taken."""
        self._congestion = Congestion(most, adaptive=adaptive)
        self._waiters: deque[asyncio.Future[int]] = deque()
        self._gate = 0.0  # no call starts before, by the clock of the event loop
        self._opening: asyncio.TimerHandle | None = None
        self._rejected = 0.0  # start of the latest call for which the gate is closed

    @property
    def limit(self) -> int:
        """Calls that may be in flight now, 1 to ``most``."""
        return self._congestion.limit

    @property
    def waiting(self) -> int:
        """Calls that wait for a slot."""
        return sum(not future.done() for future in self._waiters)

    async def acquire(self) -> int:
        """Wait for a slot; whoever has it gives it back by :meth:`release`.

        Returns
        -------
        int
            The round in which the call starts, for :meth:`rejected`.

        Raises
        ------
        viva.models.CallFailed
            The limiter was closed meanwhile.
        """
        loop = asyncio.get_running_loop()
        congestion = self._congestion
        if (
            not self._waiters
            and self.in_flight < congestion.limit
            and (not self._gate or loop.time() >= self._gate)
        ):
            self.in_flight += 1
            return congestion.round
        future: asyncio.Future[int] = loop.create_future()
        self._waiters.append(future)
        self._grant()
        try:
            return await future
        except asyncio.CancelledError:
            # Cancelled in the moment between being given the slot and taking it.
            if future.done() and not future.cancelled() and future.exception() is None:
                self.release()
            raise

    def release(self) -> None:
        """Give a slot back."""
        self.in_flight -= 1
        if self._waiters:
            self._grant()

    def hold(self, seconds: float, started: float | None = None) -> None:
        """Let no call start for so long; the longest of several holds counts.

        A call that started after the rejected one and is completed ends the hold: the server did
        not mean all calls.

        Parameters
        ----------
        seconds : float
            From now.
        started : float, optional
            When the rejected call was started, by the clock of the event loop; default: now.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        self._rejected = max(self._rejected, loop.time() if started is None else started)
        if until > self._gate:
            self._gate = until
            if self._opening is not None:
                self._opening.cancel()
            self._opening = loop.call_at(until, self._open)

    def rejected(self, started_in: int) -> None:
        """The server would not take a call that holds a slot and started in this round."""
        self._congestion.rejected(started_in, self.in_flight)

    def completed(self, completion: Completion, started: float, seconds: float) -> None:
        """A call that holds a slot and started then brought a completion after so many seconds."""
        if self._gate and started > self._rejected:
            self._open()
        self._congestion.completed(seconds, completion.estimated_tokens + 1, self.in_flight)

    def close(self, failed: CallFailed) -> None:
        """Fail every call that waits."""
        while self._waiters:
            future = self._waiters.popleft()
            if not future.done():
                future.set_exception(CallFailed(failed.failure, failed.detail, attempts=0))

    def _open(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
        self._gate, self._opening = 0.0, None
        self._grant()

    def _grant(self) -> None:
        waiters, congestion = self._waiters, self._congestion
        if self._gate and asyncio.get_running_loop().time() < self._gate:
            return
        while waiters and self.in_flight < congestion.limit:
            future = waiters.popleft()
            if not future.done():
                self.in_flight += 1
                future.set_result(congestion.round)
