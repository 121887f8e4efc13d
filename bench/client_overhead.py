"""What the client costs per call: a back-end in this process that answers at once.

Run ``python bench/client_overhead.py [--calls 50000]``. Each row: so many workers ask as fast as
they can. ``bare`` awaits the back-end without a client; ``CPU`` is the process's, all of it,
divided by the calls. The last rows make the client work harder than a run does: a budget of
tokens, progress events, more workers than slots, one try in ten failing.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import time
from collections.abc import Callable, Coroutine
from typing import Any

from viva.models import (
    Budget,
    CallFailed,
    Capabilities,
    Client,
    Completion,
    Failure,
    Limiter,
    Message,
    Prices,
    Request,
    Retry,
    Sampling,
)

REQUEST = Request(
    (Message("user", "Which drug? " * 40),), sampling=Sampling(max_completion_tokens=400)
)
ANSWER = Completion("B" * 1600, input_tokens=120, output_tokens=400, finish_reason="stop")


class Instant:
    """A back-end without latency; so large a share of the tries fails."""

    model = "instant"
    connections = 64
    capabilities = Capabilities()

    def __init__(self, fails: float = 0.0) -> None:
        self._fails, self._random = fails, random.Random(0)

    async def generate(self, request: Request) -> Completion:  # noqa: ARG002
        await asyncio.sleep(0)  # the other workers have their turn, as they do in real waiting
        if self._fails and self._random.random() < self._fails:
            raise CallFailed(Failure.SERVER_ERROR, "HTTP 500")
        return ANSWER


def measure(
    make: Callable[[], Callable[[Request], Coroutine[Any, Any, Completion]]],
    workers: int,
    calls: int,
) -> tuple[float, float]:
    """Calls per second and CPU milliseconds per call."""

    async def main() -> tuple[float, float]:
        ask, left = make(), iter(range(calls))

        async def work() -> None:
            for _ in left:
                await ask(REQUEST)

        gc.collect()
        wall, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(work() for _ in range(workers)))
        return time.perf_counter() - wall, time.process_time() - cpu

    wall, cpu = asyncio.run(main())
    return calls / wall, cpu / calls * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=50_000)
    calls = parser.parse_args().calls
    retry = Retry(tries=20, base=0.0)

    def client(slots: int, fails: float = 0.0, **options: Any) -> Client:
        return Client(Instant(fails), limiter=Limiter(slots), retry=retry, **options)

    def events(slots: int) -> Client:
        seen = [0]

        def count(_: object) -> None:
            seen[0] += 1

        budget = Budget(max_tokens=10**12, max_cost=1e9)
        return client(slots, budget=budget, prices=Prices(1, 2), on_event=count)

    rows = [
        ("bare", 64, lambda: Instant().generate),
        ("client", 64, lambda: client(64).generate),
        ("client", 1_000, lambda: client(1_000).generate),
        ("client, budget and events", 64, lambda: events(64).generate),
        ("client, budget and events", 1_000, lambda: events(1_000).generate),
        ("client, 8 slots", 1_000, lambda: client(8).generate),
        ("client, 1 try in 10 fails", 64, lambda: client(64, 0.1).generate),
    ]
    print(f"{'':28}{'workers':>8}{'calls/s':>10}{'CPU ms per call':>18}")
    worst = 0.0
    for name, workers, make in rows:
        rate, cpu = measure(make, workers, calls)
        worst = max(worst, cpu)
        print(f"{name:28}{workers:>8,}{rate:>10,.0f}{cpu:>18.4f}")
    print(f"worst {worst:.4f} ms of CPU per call; target 0.15")


if __name__ == "__main__":
    main()
