"""The rule against simulated servers, driven by the real client in virtual time."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable

import pytest
import virtual_time
from hypothesis import given
from hypothesis import strategies as st

from viva.models import (
    CallFailed,
    Capabilities,
    Client,
    Completion,
    Failure,
    Limiter,
    Message,
    Request,
)
from viva.models.congestion import Congestion

REQUEST = Request((Message("user", "Which?"),))


@pytest.fixture(autouse=True)
def the_same_jitter_each_time():
    random.seed(0)


class Server:
    """Completes a call after ``serve(server, time)``, which returns the tokens written."""

    model, capabilities, connections = "simulated", Capabilities(), 64

    def __init__(
        self,
        serve: Callable[[Server, float], Awaitable[int]],
        rejects_above: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.serve, self.rejects_above, self.retry_after = serve, rejects_above, retry_after
        self.busy = 0
        self.done: list[float] = []
        self.rejected: list[float] = []

    async def generate(self, request: Request) -> Completion:
        now = asyncio.get_running_loop().time
        if self.rejects_above is not None and self.busy >= self.rejects_above:
            await asyncio.sleep(0.005)
            self.rejected.append(now())
            raise CallFailed(Failure.RATE_LIMIT, "slow down", retry_after=self.retry_after)
        self.busy += 1
        try:
            tokens = await self.serve(self, now())
        finally:
            self.busy -= 1
        self.done.append(now())
        return Completion("", output_tokens=tokens)


class Watched:
    """What became of a run of so many seconds."""

    def __init__(self, server: Server, most: int, seconds: float) -> None:
        self.limits: list[tuple[float, int]] = [(0.0, most)]
        self.failed = 0
        self.rate = 0.0
        self.server, self.most, self.seconds = server, most, seconds
        virtual_time.run(self._drive())
        second_half = [t for t in server.done if t > seconds / 2]
        self.rate = (len(second_half) - 1) / (second_half[-1] - second_half[0])
        self.settled = [limit for t, limit in self.limits if t > seconds / 2] or [
            self.limits[-1][1]
        ]

    async def _drive(self) -> None:
        loop = asyncio.get_running_loop()

        def watch(event) -> None:
            if event.kind == "limit":
                self.limits.append((loop.time(), event.limit))
            self.failed += event.kind == "failed"

        client = Client(self.server, limiter=Limiter(self.most), on_event=watch)

        async def work() -> None:
            while True:
                with contextlib.suppress(CallFailed):
                    await client.generate(REQUEST)

        workers = [asyncio.create_task(work()) for _ in range(self.most)]
        await asyncio.sleep(self.seconds)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        assert client.limiter.in_flight == 0
        assert client.limiter.waiting == 0


def constant(latency: float):
    async def serve(server, now):
        await asyncio.sleep(latency)
        return 100

    return serve


def shared_processor(capacity, latency=1.0):
    """Above its capacity everybody is served more slowly."""

    async def serve(server, now):
        n = capacity(now) if callable(capacity) else capacity
        await asyncio.sleep(latency * max(1, server.busy / n))
        return 100

    return serve


def queue(capacity: int, sigma: float = 0.0):
    """Above its capacity calls wait for their turn."""
    slots = asyncio.Semaphore(capacity)
    rng = random.Random(2)

    async def serve(server, now):
        length = rng.lognormvariate(0, sigma)
        async with slots:
            await asyncio.sleep(length)
        return int(100 * length)

    return serve


@pytest.mark.parametrize("retry_after", [None, 2.0])
@pytest.mark.parametrize(("capacity", "most"), [(1, 32), (4, 64), (16, 64), (50, 64), (100, 1000)])
def test_a_server_that_rejects_is_used_to_nine_tenths_with_few_rejections(
    capacity, most, retry_after
):
    server = Server(constant(1.0), rejects_above=capacity, retry_after=retry_after)
    run = Watched(server, most, 300)
    assert run.rate >= 0.9 * capacity
    assert run.failed == 0
    burst = most - capacity  # all start at once, and it takes so many
    assert len(server.rejected) <= 1.2 * burst + 60
    assert sum(t > 150 for t in server.rejected) <= 0.01 * len(server.done) + 1
    assert min(run.settled) >= capacity // 2
    assert max(run.settled) <= capacity + 1


def test_capacity_that_grows_is_found():
    server = Server(constant(1.0), rejects_above=16)

    async def serve(server, now):
        server.rejects_above = 16 if now < 60 else 100
        await asyncio.sleep(1.0)
        return 100

    server.serve = serve
    assert Watched(server, 128, 400).rate >= 0.9 * 100


@pytest.mark.parametrize(("capacity", "most"), [(16, 64), (100, 400)])
def test_a_server_that_slows_down_under_load_gets_about_what_it_can_serve(capacity, most):
    run = Watched(Server(shared_processor(capacity)), most, 300)
    assert run.rate >= 0.98 * capacity
    assert capacity / 2 <= min(run.settled) <= max(run.settled) <= 2 * capacity


@pytest.mark.parametrize(("capacity", "most"), [(16, 64), (100, 400)])
def test_a_server_with_a_queue_gets_about_what_it_can_serve(capacity, most):
    # Where all calls take exactly as long, they come in batches: latencies are 1 or 2 below twice
    # the capacity, and the fastest call shows no queue there.
    run = Watched(Server(queue(capacity)), most, 300)
    assert run.rate >= 0.98 * capacity
    assert capacity / 2 <= min(run.settled) <= max(run.settled) <= 2.3 * capacity


def test_a_queue_is_seen_through_answers_of_different_lengths():
    run = Watched(Server(queue(32, sigma=0.5)), 256, 400)
    assert 16 <= min(run.settled) <= max(run.settled) <= 2 * 32


def test_capacity_lost_on_the_way_is_noticed():
    run = Watched(Server(shared_processor(lambda now: 64 if now < 100 else 16)), 64, 600)
    assert {limit for t, limit in run.limits if t <= 100} == {64}
    assert 8 <= min(run.settled) <= max(run.settled) <= 32
    assert run.rate >= 0.98 * 16


def test_constant_latency_is_no_reason_however_long():
    run = Watched(Server(constant(10.0)), 1000, 200)
    assert run.limits == [(0.0, 1000)]


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("sigma", [0.5, 1.0])
def test_answers_of_different_lengths_are_no_reason(sigma, counted):
    rng = random.Random(1)

    async def serve(server, now):
        length = rng.lognormvariate(0, sigma)
        await asyncio.sleep(0.1 + 2 * length)
        return int(100 * length) if counted else 100

    assert Watched(Server(serve), 64, 1000).limits == [(0.0, 64)]


def test_answers_that_become_longer_are_no_reason():
    rng = random.Random(3)

    async def serve(server, now):
        length = (100 if now < 200 else 1500) * rng.lognormvariate(0, 0.7)
        await asyncio.sleep(0.2 + 0.01 * length)
        return int(length)

    assert Watched(Server(serve), 64, 1000).limits == [(0.0, 64)]


@pytest.mark.parametrize(
    "warming",
    [lambda now: 1 + max(30 - now, 0), lambda now: max(1, 20 * (1 - now / 60))],
    ids=["nothing for 30 s", "faster and faster for 60 s"],
)
def test_a_slow_start_is_no_reason(warming):
    async def serve(server, now):
        await asyncio.sleep(warming(now))
        return 100

    assert Watched(Server(serve), 64, 300).limits == [(0.0, 64)]


def test_a_server_that_becomes_slower_without_a_queue_is_not_left_alone():
    async def serve(server, now):
        await asyncio.sleep(1 if now < 100 else 3)
        return 100

    run = Watched(Server(serve), 64, 600)
    assert run.limits[-1][1] == 64
    assert min(limit for _, limit in run.limits) >= 48  # it tried, and took it back
    assert run.rate >= 0.98 * 64 / 3


def test_a_processor_that_serves_more_calls_more_slowly_but_more_of_them_is_filled():
    async def serve(server, now):
        await asyncio.sleep(0.2 + server.busy / 100)
        return 100

    run = Watched(Server(serve), 256, 400)
    assert run.rate >= 0.95 * 256 / (0.2 + 2.56)


def test_only_one_rejection_of_a_round_counts():
    congestion = Congestion(64)
    for in_flight in range(64, 0, -1):
        congestion.rejected(0, in_flight)
    assert (congestion.limit, congestion.round) == (32, 1)
    congestion.rejected(0, 32)
    assert congestion.limit == 32
    congestion.rejected(1, 32)
    assert congestion.limit == 16


def test_a_limit_that_is_fixed_stays():
    congestion = Congestion(8, adaptive=False)
    congestion.rejected(0, 8)
    for _ in range(1000):
        congestion.completed(99.0, 1, 8)
    assert congestion.limit == 8


@given(
    st.integers(1, 200),
    st.lists(
        st.tuples(
            st.booleans(),
            st.integers(0, 3),
            st.floats(0, 1e6) | st.just(0.0),
            st.integers(0, 10**6),
            st.integers(1, 200),
        ),
        max_size=400,
    ),
)
def test_whatever_happens_the_limit_is_within_bounds(most, fates):
    congestion = Congestion(most)
    for rejected, behind, seconds, size, in_flight in fates:
        before, round_before = congestion.limit, congestion.round
        in_flight = min(in_flight, most)
        if rejected:
            congestion.rejected(congestion.round - behind, in_flight)
            if behind:
                assert (congestion.limit, congestion.round) == (before, round_before)
            else:
                assert congestion.limit == max(1, min(before, in_flight) // 2)
                assert congestion.round == round_before + 1
        else:
            congestion.completed(seconds, size, in_flight)
        assert 1 <= congestion.limit <= most
