from __future__ import annotations

import asyncio
import math

import pytest
import virtual_time
from hypothesis import given, settings
from hypothesis import strategies as st

from viva.errors import InputError
from viva.models import Budget, CallFailed, Completion, Failure, Message, Prices, Request, Sampling
from viva.models.budget import FIRST


def request(most=None, characters=400):
    return Request(
        (Message("user", "x" * characters),), sampling=Sampling(max_completion_tokens=most)
    )


def answer(tokens, read=0, cost=None):
    return Completion("", input_tokens=read, output_tokens=tokens, cost=cost)


async def started_at_once(budget, asked, n):
    """How many of n calls may start while none is finished."""
    tasks = [asyncio.create_task(budget.start(asked)) for _ in range(n)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    started = [t for t in tasks if t.done() and t.exception() is None]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return len(started)


def test_without_limits_everything_starts():
    assert virtual_time.run(started_at_once(Budget(), request(), 5000)) == 5000


def test_calls_are_counted_when_they_start():
    budget = Budget(max_calls=7, spent_calls=2)
    assert virtual_time.run(started_at_once(budget, request(), 50)) == 5
    assert budget.calls == 7
    assert "7 calls" in budget.spent


def test_before_anything_is_known_a_few_start():
    assert virtual_time.run(started_at_once(Budget(max_tokens=10**6), request(), 500)) == FIRST


def test_before_anything_is_known_the_limit_of_a_completion_counts():
    # 100 tokens read (400 characters) and at most 900 written: 1,000 a call, so that the budget
    # is not yet reached by nine calls and reached by ten.
    budget = Budget(max_tokens=10_000)
    assert virtual_time.run(started_at_once(budget, request(900), 500)) == 10


def test_cost_is_expected_by_the_prices():
    budget = Budget(max_cost=0.01)
    budget.prices = Prices(input=1.0, output=1.0)  # 1,000 tokens cost 0.001
    assert virtual_time.run(started_at_once(budget, request(900), 500)) == 10


def test_once_something_is_known_its_mean_counts():
    async def main():
        budget = Budget(max_tokens=10_000)
        for tokens in (50, 150):
            budget.finish(await budget.start(request(900)), answer(tokens))
        return await started_at_once(budget, request(900), 500)

    assert virtual_time.run(main()) == math.ceil((10_000 - 200) / 100)


def test_a_call_without_room_waits_for_those_in_flight_and_then_starts():
    async def main():
        budget = Budget(max_tokens=2_000)
        holds = [await budget.start(request(900)) for _ in range(2)]
        waiting = [asyncio.create_task(budget.start(request(900))) for _ in range(3)]
        await asyncio.sleep(0)
        assert not any(task.done() for task in waiting)
        budget.finish(holds[0], answer(100))  # far less than allowed: there is room after all
        await asyncio.sleep(0)
        assert all(task.done() for task in waiting)
        budget.finish(holds[1], answer(1_900))
        assert "2000 tokens" in budget.spent
        with pytest.raises(CallFailed) as caught:
            await budget.start(request(900))
        assert caught.value.failure is Failure.BUDGET

    virtual_time.run(main())


def test_calls_that_wait_are_told_when_the_budget_is_spent():
    async def main():
        budget = Budget(max_tokens=1_000)
        hold = await budget.start(request(900))
        waiting = asyncio.create_task(budget.start(request(900)))
        await asyncio.sleep(0)
        budget.finish(hold, answer(1_000))
        with pytest.raises(CallFailed) as caught:
            await waiting
        assert caught.value.failure is Failure.BUDGET

    virtual_time.run(main())


def test_a_call_cancelled_at_the_moment_it_is_let_in_is_not_counted():
    async def main():
        budget = Budget(max_tokens=1_000)
        hold = await budget.start(request(900))
        waiting = [asyncio.create_task(budget.start(request(900))) for _ in range(2)]
        await asyncio.sleep(0)
        budget.finish(hold, answer(10))  # both are let in, and have not run again yet
        assert budget.in_flight == 2
        waiting[0].cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting[0]
        await waiting[1]
        assert (budget.calls, budget.in_flight) == (2, 1)

    virtual_time.run(main())


def test_a_failed_try_spends_a_call_and_nothing_else():
    async def main():
        budget = Budget(max_calls=3, max_tokens=1_000)
        assert budget.finish(await budget.start(request(900))) is None
        assert (budget.calls, budget.tokens, budget.in_flight) == (1, 0, 0)

    virtual_time.run(main())


def test_the_servers_own_cost_comes_before_the_prices_and_no_tokens_are_guessed_from_the_text():
    async def main():
        budget = Budget(max_cost=1.0)
        budget.prices = Prices(input=1e6, output=1e6)
        assert budget.finish(await budget.start(request()), answer(3, 2, cost=0.25)) == 0.25
        assert budget.finish(await budget.start(request()), answer(0.5, 0)) == 0.5
        silent = Completion("y" * 40, reasoning="z" * 39)
        assert budget.finish(await budget.start(request()), silent) == 100 + 20
        assert budget.tokens == 5 + 0.5 + 120

    virtual_time.run(main())


@pytest.mark.parametrize("bad", [{"max_calls": -1}, {"max_cost": math.nan}, {"max_tokens": -5}])
def test_senseless_budgets_are_refused(bad):
    with pytest.raises(InputError):
        Budget(**bad)


@pytest.mark.parametrize("price", [-1.0, math.nan, math.inf])
def test_senseless_prices_are_refused(price):
    with pytest.raises(InputError):
        Prices(price, 1.0)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["start", "finish", "fail", "cancel", "turn"]),
        st.integers(0, 30),
        st.integers(0, 400),
    ),
    max_size=120,
)


@settings(max_examples=300)
@given(
    STEPS,
    st.none() | st.integers(0, 20),
    st.none() | st.integers(0, 3000),
    st.none() | st.integers(1, 200),
)
def test_whatever_happens_the_books_are_right(steps, max_calls, max_tokens, most):
    async def main():
        budget = Budget(max_calls=max_calls, max_tokens=max_tokens)
        tasks, tries, spent = [], 0, 0
        done = set()

        def holding():
            return [
                t
                for t in tasks
                if t not in done and t.done() and not t.cancelled() and t.exception() is None
            ]

        for what, which, tokens in steps:
            if what == "start":
                tasks.append(asyncio.create_task(budget.start(request(most, 40))))
            elif what == "cancel" and tasks:
                tasks[which % len(tasks)].cancel()
            elif what == "turn":
                await asyncio.sleep(0)
            elif holds := holding():
                task = holds[which % len(holds)]
                done.add(task)
                budget.finish(task.result(), answer(tokens) if what == "finish" else None)
                spent += tokens if what == "finish" else 0
            assert budget.tokens == spent
            assert max_calls is None or budget.calls <= max_calls
        for _ in range(5):
            await asyncio.sleep(0)
        tries = len(holding()) + len(done)
        assert budget.calls == tries
        assert budget.in_flight == len(holding())
        # Nobody waits for nothing.
        while holds := holding():
            for task in holds:
                done.add(task)
                budget.finish(task.result(), answer(1))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert all(task.done() for task in tasks)
        assert budget.in_flight == 0
        assert budget._guessed == [0, 0]
        for task in tasks:
            if not task.cancelled() and task.exception() is not None:
                assert task.exception().failure is Failure.BUDGET
                assert budget.spent or max_calls == 0 or max_tokens == 0

    virtual_time.run(main())
