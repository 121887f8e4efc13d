from __future__ import annotations

import asyncio
import contextlib
import random
import time

import pytest
import virtual_time
from hypothesis import given, settings
from hypothesis import strategies as st

from viva.errors import InputError
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
from viva.models.client import limiter_for

REQUEST = Request((Message("user", "x" * 400),), sampling=Sampling(max_completion_tokens=100))


@pytest.fixture(autouse=True)
def the_same_jitter_each_time():
    random.seed(0)


class Scripted:
    """Does what the script says of each try: a failure to raise, or seconds until the answer."""

    model, connections, capabilities = "scripted", 8, Capabilities(logprobs=True)

    def __init__(self, script=(), otherwise=1.0, tokens=10, cost=None):
        self.script, self.otherwise = iter(script), otherwise
        self.tokens, self.cost = tokens, cost
        self.starts: list[float] = []
        self.busy = self.busiest = 0

    async def generate(self, request):
        self.starts.append(asyncio.get_running_loop().time())
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        try:
            what = next(self.script, self.otherwise)
            if callable(what):
                what = what()
            if isinstance(what, BaseException):
                await asyncio.sleep(0.01)
                raise what
            await asyncio.sleep(what)
        finally:
            self.busy -= 1
        return Completion("B", input_tokens=0, output_tokens=self.tokens, cost=self.cost)


def failure(kind, **more):
    return CallFailed(Failure(kind), "seen", **more)


async def outcomes(client, n):
    """Completions and failures of n calls at once."""
    return await asyncio.gather(
        *(client.generate(REQUEST) for _ in range(n)), return_exceptions=True
    )


def kinds(results):
    return [r.failure if isinstance(r, CallFailed) else r.text for r in results]


def test_a_failed_try_is_repeated_and_counted():
    backend = Scripted([failure(Failure.SERVER_ERROR), failure(Failure.MALFORMED)])
    client = Client(backend)
    completion = virtual_time.run(client.generate(REQUEST))
    assert (completion.text, completion.attempts) == ("B", 3)
    assert completion.seconds == pytest.approx(1.0)  # of the try that worked
    assert client.capabilities.logprobs
    assert client.in_flight == 0


@pytest.mark.parametrize("kind", sorted(Failure))
def test_every_failure_ends_the_call_after_its_tries(kind):
    from viva.models.failures import RETRIED

    backend = Scripted(otherwise=lambda: failure(kind))
    with pytest.raises(CallFailed) as caught:
        virtual_time.run(Client(backend, retry=Retry(tries=4)).generate(REQUEST))
    assert caught.value.failure is kind
    assert caught.value.attempts == len(backend.starts) == (4 if kind in RETRIED else 1)


def test_a_call_that_waits_for_its_next_try_holds_no_slot():
    backend = Scripted([failure(Failure.SERVER_ERROR, retry_after=100)], otherwise=1.0)
    client = Client(backend, limiter=Limiter(1), retry=Retry(base=0))

    async def main():
        first = asyncio.create_task(client.generate(REQUEST))
        await asyncio.sleep(0.5)
        await client.generate(REQUEST)
        assert not first.done()
        assert (await first).attempts == 2

    virtual_time.run(main())
    assert backend.starts == pytest.approx([0, 0.5, 100.01])


def test_retry_after_of_a_rate_limit_holds_the_other_calls_back_too():
    backend = Scripted([failure(Failure.RATE_LIMIT, retry_after=30)])
    client = Client(backend, limiter=Limiter(1), retry=Retry(base=0))
    assert kinds(virtual_time.run(outcomes(client, 3))) == ["B"] * 3
    assert backend.starts[0] == 0
    assert min(backend.starts[1:]) == pytest.approx(30.01)


def test_a_server_that_rejects_one_call_at_a_time_is_asked_more_and_more_slowly():
    backend = Scripted(otherwise=lambda: failure(Failure.RATE_LIMIT))
    client = Client(backend, limiter=Limiter(1), retry=Retry(tries=5, base=4, cap=1000))
    random.seed(0)
    virtual_time.run(outcomes(client, 20))
    assert len(backend.starts) == 100
    assert backend.starts[-1] > 1000  # 100 tries that each took 10 ms


@pytest.mark.parametrize("limit", [1, 7, 64])
def test_the_server_never_sees_more_calls_than_the_budget_allows(limit):
    rng = random.Random(limit)
    backend = Scripted(
        otherwise=lambda: failure(Failure.EMPTY) if rng.random() < 0.4 else rng.random()
    )
    client = Client(backend, budget=Budget(max_calls=limit))
    results = kinds(virtual_time.run(outcomes(client, 100)))
    assert len(backend.starts) == limit
    assert set(results) <= {"B", Failure.BUDGET, Failure.EMPTY}
    assert results.count(Failure.BUDGET) >= 100 - limit
    assert f"{limit} calls" in client.stopped


@pytest.mark.parametrize("known", [True, False])
def test_a_budget_of_tokens_is_overrun_by_one_call_at_most(known):
    backend = Scripted(tokens=100, otherwise=lambda: random.random())
    client = Client(backend, limiter=Limiter(64), budget=Budget(max_tokens=2_050))
    asked = REQUEST if known else Request((Message("user", ""),))

    async def main():
        return await asyncio.gather(
            *(client.generate(asked) for _ in range(300)), return_exceptions=True
        )

    results = kinds(virtual_time.run(main()))
    assert results.count("B") == 21
    assert results.count(Failure.BUDGET) == 279
    assert client.budget.tokens == 2_100


def test_calls_in_flight_finish_when_the_budget_is_spent():
    client = Client(Scripted([5.0, 1.0], tokens=100), budget=Budget(max_tokens=250))

    async def main():
        slow = asyncio.create_task(client.generate(REQUEST))
        await asyncio.sleep(0)
        await client.generate(REQUEST)
        await client.generate(REQUEST)
        assert (await slow).text == "B"

    virtual_time.run(main())
    assert client.budget.tokens == 300


def test_cost_by_the_prices_and_by_the_server():
    priced = Client(Scripted(tokens=10**6), prices=Prices(1, 2))
    assert virtual_time.run(priced.generate(REQUEST)).cost == 2.0
    assert virtual_time.run(Client(Scripted(cost=0.5)).generate(REQUEST)).cost == 0.5
    assert virtual_time.run(Client(Scripted()).generate(REQUEST)).cost is None


def test_a_budget_of_money_needs_to_know_what_a_call_costs():
    with pytest.raises(InputError, match="price"):
        Client(Scripted(), budget=Budget(max_cost=1.0))
    Client(Scripted(), budget=Budget(max_cost=1.0), prices=Prices(1, 1))


def test_a_server_that_promised_to_say_the_cost_and_does_not_is_asked_no_more():
    backend = Scripted()
    backend.reports_cost = True
    client = Client(backend, budget=Budget(max_cost=1.0))
    assert virtual_time.run(client.generate(REQUEST)).text == "B"
    assert "cost" in client.stopped
    backend = Scripted(cost=0.4)
    backend.reports_cost = True
    client = Client(backend, budget=Budget(max_cost=1.0), limiter=Limiter(1))
    assert kinds(virtual_time.run(outcomes(client, 5))) == ["B"] * 3 + [Failure.BUDGET] * 2


def test_a_back_end_that_hangs_does_not_hold_the_client():
    client = Client(Scripted([1e9]), timeout=10, retry=Retry(base=0))
    completion = virtual_time.run(client.generate(REQUEST))
    assert completion.attempts == 2
    with pytest.raises(CallFailed) as caught:
        virtual_time.run(Client(Scripted([1e9]), timeout=10, retry=Retry(1)).generate(REQUEST))
    assert caught.value.failure is Failure.TIME_OUT
    assert "15 s" in caught.value.detail
    patient = Client(Scripted([1e5]), timeout=None)
    assert virtual_time.run(patient.generate(REQUEST)).attempts == 1


def test_a_batch_in_this_process_neither_hangs_nor_is_a_queue():
    """Batches of 40 calls, each of minutes that grow twentyfold: no time-out, all slots kept."""
    backend = Scripted([60.0] * 40 + [1200.0] * 400)
    backend.in_process, backend.connections = True, 40
    client = Client(backend, timeout=10)
    assert kinds(virtual_time.run(outcomes(client, 440))) == ["B"] * 440
    assert (client.limiter.limit, backend.busiest) == (40, 40)
    limits = []
    for each in (backend, Scripted()):
        limiter = limiter_for(each, 40)
        limiter.in_flight = 40
        limiter.rejected(0)
        limits.append(limiter.limit)
    assert limits == [40, 20], "a server's calls are held back where it rejects some"


def test_stopping_ends_what_waits_and_lets_finish_what_is_in_flight():
    async def main():
        script = [failure(Failure.SERVER_ERROR, retry_after=500), 10.0, 10.0]
        client = Client(Scripted(script), limiter=Limiter(2))
        tasks = [asyncio.create_task(client.generate(REQUEST)) for _ in range(5)]
        await asyncio.sleep(1)
        client.stop("enough")
        client.stop("too late")
        started = asyncio.get_running_loop().time()
        done, _ = await asyncio.wait(tasks, timeout=0.001)
        assert len(done) == 3
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert asyncio.get_running_loop().time() - started < 20
        assert kinds(results).count("B") == 2
        assert kinds(results).count(Failure.STOPPED) == 3
        retried = results[0]
        assert (retried.attempts, retried.failure) == (1, Failure.STOPPED)
        assert "server error" in retried.detail
        assert client.stopped == "enough"
        with pytest.raises(CallFailed, match="enough"):
            await client.generate(REQUEST)
        assert len(client.backend.starts) == 3
        assert client.in_flight == 0

    virtual_time.run(main())


def test_a_call_that_was_let_in_at_the_moment_of_the_stop_does_not_start():
    async def main():
        client = Client(Scripted(), limiter=Limiter(1))
        await client.limiter.acquire()
        waiting = asyncio.create_task(client.generate(REQUEST))
        await asyncio.sleep(0)
        client.limiter.release()  # the slot is on its way
        client.stop("enough")
        with pytest.raises(CallFailed, match="enough"):
            await waiting
        assert client.backend.starts == []
        assert client.in_flight == client.budget.calls == client.budget.in_flight == 0

    virtual_time.run(main())


@pytest.mark.parametrize("kind", [Failure.KEY, Failure.NO_MODEL])
def test_what_every_call_would_meet_stops_the_client(kind):
    backend = Scripted([failure(kind)], otherwise=3.0)
    client = Client(backend, limiter=Limiter(2))
    results = virtual_time.run(outcomes(client, 20))
    assert kinds(results) == [kind, "B"] + [Failure.STOPPED] * 18
    assert client.fatal.failure is kind
    assert str(kind) in client.stopped


def test_a_server_that_is_gone_stops_the_client():
    backend = Scripted([0.5] * 10, otherwise=lambda: failure(Failure.CONNECTION))
    client = Client(backend)

    async def main():
        async def work():
            while client.stopped is None:
                with contextlib.suppress(CallFailed):
                    await client.generate(REQUEST)
            return asyncio.get_running_loop().time()

        return await asyncio.gather(*(work() for _ in range(8)))

    times = virtual_time.run(main())
    assert "no longer answers" in client.stopped
    assert 10 <= max(times) < 60


def test_a_few_failures_to_connect_are_no_outage_however_long():
    backend = Scripted(otherwise=lambda: failure(Failure.CONNECTION))
    client = Client(backend, retry=Retry(tries=5, base=10))

    async def main():
        for _ in range(3):
            with contextlib.suppress(CallFailed):
                await client.generate(REQUEST)

    virtual_time.run(main())
    assert backend.starts[-1] > 20
    assert client.stopped is None


def test_an_outage_shorter_than_its_patience_does_not():
    class Away(Scripted):
        async def generate(self, request):
            now = asyncio.get_running_loop().time()
            if 5 < now < 12:
                raise failure(Failure.CONNECTION)
            return await super().generate(request)

    client = Client(Away(), limiter=Limiter(64), retry=Retry(tries=30))
    results = virtual_time.run(outcomes(client, 2000))
    assert kinds(results) == ["B"] * 2000
    assert client.stopped is None


def test_events_tell_what_happened():
    seen = []
    script = [failure(Failure.RATE_LIMIT), failure(Failure.CONTEXT), 1.0]
    client = Client(Scripted(script), limiter=Limiter(4), on_event=seen.append)
    virtual_time.run(outcomes(client, 3))
    told = [event.kind for event in seen]
    assert {kind: told.count(kind) for kind in ("done", "failed", "retry")} == {
        "done": 2,
        "failed": 1,
        "retry": 1,
    }
    assert "limit" in told
    (failed,) = (event for event in seen if event.kind == "failed")
    assert failed.failure.failure is Failure.CONTEXT
    (retry,) = (event for event in seen if event.kind == "retry")
    assert retry.failure.failure is Failure.RATE_LIMIT
    assert all(event.completion.text == "B" for event in seen if event.kind == "done")
    assert all(0 <= event.in_flight <= 4 and 1 <= event.limit <= 4 for event in seen)


def test_a_jump_of_the_wall_clock_changes_nothing(monkeypatch):
    jumps = iter(range(10**9, 0, -(10**6)))
    monkeypatch.setattr(time, "time", lambda: float(next(jumps)))
    backend = Scripted([failure(Failure.RATE_LIMIT, retry_after=3)] * 2)
    client = Client(backend, timeout=10)
    results = virtual_time.run(outcomes(client, 20))
    assert all(r.seconds == pytest.approx(1.0) for r in results)
    assert all(0 <= t < 100 for t in backend.starts)


def test_a_defect_of_the_back_end_is_not_hidden_and_leaks_no_slot():
    client = Client(Scripted([KeyError("defect")]), budget=Budget(max_tokens=10**6))

    async def main():
        with pytest.raises(KeyError):
            await client.generate(REQUEST)

    virtual_time.run(main())
    assert client.in_flight == client.budget.in_flight == 0


@settings(max_examples=150)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["ask", "ask", "ask", "cancel", "wait", "stop"]), st.integers(0, 40)
        ),
        max_size=60,
    ),
    st.lists(st.sampled_from(["", *sorted(Failure)]), max_size=40),
    st.integers(1, 6),
    st.none() | st.integers(0, 30),
)
def test_whatever_happens_every_call_ends_once_and_nothing_leaks(steps, fates, most, max_calls):
    async def main():
        backend = Scripted(
            [failure(f, retry_after=i % 3 or None) if f else 0.5 for i, f in enumerate(fates)],
            otherwise=0.25,
        )
        seen = []
        client = Client(
            backend,
            limiter=Limiter(most),
            budget=Budget(max_calls=max_calls, max_tokens=5_000),
            retry=Retry(tries=3),
            on_event=seen.append,
        )
        tasks = []
        for what, which in steps:
            if what == "ask":
                tasks.append(asyncio.create_task(client.generate(REQUEST)))
            elif what == "cancel" and tasks:
                tasks[which % len(tasks)].cancel()
            elif what == "wait":
                await asyncio.sleep(which / 10 if which % 3 else 0)
            elif what == "stop" and which < 5:
                client.stop("enough")
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(r, Completion | CallFailed | asyncio.CancelledError) for r in results)
        assert backend.busiest <= most
        assert len(backend.starts) == client.budget.calls
        assert max_calls is None or len(backend.starts) <= max_calls
        assert client.in_flight == client.limiter.waiting == client.budget.in_flight == 0
        assert not client._sleeping
        ended = sum(event.kind in ("done", "failed") for event in seen)
        cancelled = sum(isinstance(r, asyncio.CancelledError) for r in results)
        assert ended <= len(tasks) <= ended + cancelled

    virtual_time.run(main())


def test_the_cost_per_call_does_not_grow_with_the_number_of_calls_or_workers():
    class Instant(Scripted):
        async def generate(self, request):
            await asyncio.sleep(0)
            return Completion("B", output_tokens=10)

    async def drive(client, calls, workers):
        left = iter(range(calls))

        async def work():
            for _ in left:
                await client.generate(REQUEST)

        started = time.process_time()
        await asyncio.gather(*(work() for _ in range(workers)))
        return (time.process_time() - started) / calls

    def best(calls, workers, slots):
        return min(
            asyncio.run(drive(Client(Instant(), limiter=Limiter(slots)), calls, workers))
            for _ in range(3)
        )

    few = best(2_000, 16, 16)
    assert best(16_000, 16, 16) < 3 * few
    assert best(4_000, 1_000, 1_000) < 4 * few
    assert best(4_000, 1_000, 4) < 4 * few
