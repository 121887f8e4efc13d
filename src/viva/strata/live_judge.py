"""A judge that is a model: the prompts of a whole file, many at once, through the client."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from viva.errors import InputError
from viva.models import Backend, CallFailed, Message, Request, Sampling
from viva.models.backend import check_backend
from viva.models.loops import run_to_end

__all__ = ["ModelJudge"]


class ModelJudge:
    """Puts prompts to a model; for ``label`` of :mod:`viva.strata`.

    Parameters
    ----------
    backend : Backend
        Closed after the first use.
    sampling : Sampling, optional
        How tokens are drawn; greedy where not given.
    connections : int, optional
        Calls at once; by default what the back-end recommends.
    timeout : float, optional
        Seconds of one try.

    Attributes
    ----------
    failures : collections.Counter
        Why prompts have no reply, counted by kind.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        sampling: Sampling | None = None,
        connections: int | None = None,
        timeout: float | None = 600.0,
    ) -> None:
        self._backend = backend
        self._sampling = sampling or Sampling(temperature=0)
        self._connections = connections
        self._timeout = timeout
        self.failures: Counter[str] = Counter()

    def replies(
        self, prompts: Sequence[str], advance: Callable[[int], None] = lambda _: None
    ) -> list[str | None]:
        """The model's reply to each prompt; None where there is none.

        Parameters
        ----------
        prompts : sequence of str
            Each is a conversation of its own.
        advance : callable
            Called with 1 after each.

        Raises
        ------
        InputError
            Where no call can work: no server, no key, no such model.
        """
        return run_to_end(self._ask_all(prompts, advance))

    async def _ask_all(
        self, prompts: Sequence[str], advance: Callable[[int], None]
    ) -> list[str | None]:
        from viva.models.client import Client, limiter_for

        found: list[str | None] = [None] * len(prompts)
        try:
            await check_backend(self._backend)
            limiter = limiter_for(self._backend, self._connections)
            client = Client(self._backend, limiter=limiter, timeout=self._timeout)
            waiting = iter(enumerate(prompts))

            async def worker(places: Iterator[tuple[int, str]]) -> None:
                for place, text in places:  # shared: each prompt is taken once
                    request = Request((Message("user", text),), sampling=self._sampling)
                    try:
                        found[place] = (await client.generate(request)).text
                    except CallFailed as failed:
                        self.failures[str(failed.failure)] += 1
                    advance(1)

            async with asyncio.TaskGroup() as group:
                for _ in range(min(limiter.most, len(prompts))):
                    group.create_task(worker(waiting))
        finally:
            await self._backend.close()
        if client.fatal is not None:
            raise InputError(str(client.fatal), where="--judge", mend="Mend it, then try again")
        return found
