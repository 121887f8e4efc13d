from __future__ import annotations

import asyncio

import pytest
import virtual_time
from hypothesis import given, settings
from hypothesis import strategies as st

from viva.errors import InputError
from viva.models import CallFailed, Completion, Failure, Limiter


async def turns(n=3):
    for _ in range(n):
        await asyncio.sleep(0)


def test_the_first_to_come_is_the_first_to_be_served():
    async def main():
        limiter, order = Limiter(2), []

        async def call(name):
            await limiter.acquire()
            order.append(name)
            await asyncio.sleep(1)
            limiter.release()

        await asyncio.gather(*(call(name) for name in range(20)))
        return order

    assert virtual_time.run(main()) == list(range(20))


def test_at_least_one_connection():
    with pytest.raises(InputError):
        Limiter(0)


def test_a_hold_keeps_every_call_back_and_the_longest_counts():
    async def main():
        limiter, loop = Limiter(4), asyncio.get_running_loop()
        limiter.hold(5)
        limiter.hold(3)

        async def call():
            await limiter.acquire()
            return loop.time()

        return await asyncio.gather(*(call() for _ in range(4)))

    assert virtual_time.run(main()) == [5.0] * 4


def test_a_call_that_started_later_and_is_completed_ends_the_hold():
    async def main():
        limiter, loop = Limiter(4), asyncio.get_running_loop()
        await limiter.acquire()
        await limiter.acquire()
        await asyncio.sleep(2)
        limiter.hold(60, started=1.0)
        waiting = asyncio.create_task(limiter.acquire())
        await turns()
        limiter.completed(Completion("B"), 0.5, 1.5)  # started earlier: says nothing
        limiter.release()
        await turns()
        assert not waiting.done()
        limiter.completed(Completion("B"), 1.5, 0.5)
        limiter.release()
        await waiting
        return loop.time()

    assert virtual_time.run(main()) == 2.0


def test_a_limit_that_fell_is_waited_for():
    async def main():
        limiter = Limiter(8)
        rounds = [await limiter.acquire() for _ in range(8)]
        for started_in in rounds:
            limiter.rejected(started_in)
        assert limiter.limit == 4
        waiting = asyncio.create_task(limiter.acquire())
        for left in (7, 6, 5, 4):
            await turns()
            assert not waiting.done()
            limiter.release()
            assert limiter.in_flight == left
        limiter.release()
        assert await waiting == 1
        assert limiter.in_flight == 4

    virtual_time.run(main())


def test_closing_fails_those_who_wait_and_nobody_else():
    async def main():
        limiter = Limiter(1)
        await limiter.acquire()
        waiting = [asyncio.create_task(limiter.acquire()) for _ in range(3)]
        await turns()
        limiter.close(CallFailed(Failure.STOPPED, "enough"))
        for result in await asyncio.gather(*waiting, return_exceptions=True):
            assert result.failure is Failure.STOPPED
        assert limiter.in_flight == 1
        limiter.release()
        await limiter.acquire()

    virtual_time.run(main())


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["acquire", "acquire", "release", "complete", "reject", "cancel", "hold", "turn"]
        ),
        st.integers(0, 50),
    ),
    max_size=150,
)


@settings(max_examples=400)
@given(st.integers(1, 12), STEPS)
def test_no_slot_is_lost_and_none_is_given_twice(most, steps):
    async def main():
        limiter, loop = Limiter(most), asyncio.get_running_loop()
        tasks: list[asyncio.Task[int]] = []
        returned: set[asyncio.Task[int]] = set()

        def holding():
            return [t for t in tasks if t not in returned and t.done() and not t.cancelled()]

        for what, which in steps:
            holds = holding()
            if what == "acquire":
                tasks.append(asyncio.create_task(limiter.acquire()))
            elif what == "cancel" and tasks:
                tasks[which % len(tasks)].cancel()
            elif what == "hold":
                limiter.hold(which / 10)
            elif what == "turn":
                await asyncio.sleep(which / 100 if which % 2 else 0)
            elif holds and what in ("release", "complete", "reject"):
                task = holds[which % len(holds)]
                returned.add(task)
                if what == "complete":
                    limiter.completed(Completion("B"), loop.time(), which / 10)
                elif what == "reject":
                    limiter.rejected(task.result())
                limiter.release()
            assert 1 <= limiter.limit <= most
            # A slot may be on its way to a task that has not run again yet.
            assert len(holding()) <= limiter.in_flight <= most
        await asyncio.sleep(10)  # every hold is over
        assert limiter.in_flight == len(holding())
        # Nobody waits while there is room, and everybody has a turn in the end.
        assert limiter.waiting == 0 or limiter.in_flight >= limiter.limit
        while holds := holding():
            for task in holds:
                returned.add(task)
                limiter.release()
            await turns()
        assert all(task.done() for task in tasks)
        assert limiter.in_flight == limiter.waiting == 0

    virtual_time.run(main())
