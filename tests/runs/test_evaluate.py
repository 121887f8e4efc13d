"""viva.evaluate from end to end, in process: resume, errors, budget, what identifies a run."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import signal
import threading
import time
import warnings
from dataclasses import replace

import made_runs
import polars as pl
import pytest
from made_runs import NO_WAIT, Fake, rows

import viva
from viva.errors import InputError
from viva.formats.run import CALLS, ITEMS, JOURNAL, RESPONSES, SCORES, read_run
from viva.models import CallFailed, Capabilities, Completion, Failure, Prefill, Sampling
from viva.models.budget import Prices
from viva.runs import Limits


@pytest.fixture(autouse=True)
def _own_methods():
    made_runs.with_own_methods()


def run_of(tmp_path, backend=None, **more):
    given = {
        "model": backend or Fake(),
        "benchmark": rows(6),
        "method": "direct",
        "out": tmp_path / "run",
        "retry": NO_WAIT,
    }
    return viva.evaluate(**(given | more))


def failing(kinds: dict[str, Failure]):
    """A reply that fails for some cases: the number in the question -> failure."""

    def reply(request):
        number = request.messages[-1].content.split("case ")[1].split("?")[0]
        if number in kinds:
            return CallFailed(kinds[number], "made")
        return f"Case {number}. The answer is C."

    return reply


def test_a_run_and_its_folder(tmp_path):
    backend = Fake()
    run = run_of(tmp_path, backend, samples=2)
    assert (run.planned, run.done, run.failed, run.ungraded, run.stopped) == (12, 12, 0, 0, None)
    assert (run.calls, run.tokens, run.cost, run.left_out) == (12, 480, None, {})
    assert {p.name for p in run.folder.iterdir()} - {".lock"} == {
        "manifest.json", ITEMS, RESPONSES, CALLS, SCORES,
    }  # fmt: skip
    read = read_run(run.folder)
    assert read.responses.select("item_id", "sample").rows() == [
        (f"i{n}", s) for n in range(6) for s in range(2)
    ]
    assert read.responses["seed"].n_unique() == 12
    assert read.responses["prompt_hash"].n_unique() == 6
    assert set(read.responses["calls"]) == {1}
    assert {r.seed for r in backend.seen} == set(read.responses["seed"])
    scores = pl.read_parquet(run.folder / SCORES)
    assert scores.height == 12
    assert scores["value"].sum() == 4  # B is the key of cases 1 and 5
    assert not backend.closed  # it is the caller's


def test_seeds_depend_on_the_run_the_item_and_the_sample_alone(tmp_path):
    first = run_of(tmp_path, out=tmp_path / "a")
    again = run_of(tmp_path, Fake(latency=0.01), out=tmp_path / "b", max_connections=1)
    other = run_of(tmp_path, out=tmp_path / "c", seed=1)
    seeds = [read_run(r.folder).responses["seed"].to_list() for r in (first, again, other)]
    assert seeds[0] == seeds[1]
    assert not set(seeds[0]) & set(seeds[2])
    assert all(0 <= seed < 2**31 for seed in seeds[0])


def test_the_same_command_asks_nothing_twice(tmp_path):
    first = run_of(tmp_path)
    backend = Fake()
    second = run_of(tmp_path, backend)
    assert backend.seen == []
    assert replace(second, seconds=0) == replace(first, seconds=0)


@pytest.mark.parametrize("method", ["in_turn", "at_once"])
def test_methods_of_several_calls(tmp_path, method):
    run = run_of(tmp_path, method=method)
    read = read_run(run.folder)
    calls = read.calls.collect()
    each = {"in_turn": 3, "at_once": 4}[method]
    assert run.calls == calls.height == 6 * each
    assert set(read.responses["calls"]) == {each}
    assert set(read.responses["input_tokens"]) == {30 * each}
    assert calls["text"].null_count() == 0
    if method == "at_once":
        row = read.responses.row(0, named=True)
        assert (row["text"], row["prediction"], row["already_read"]) == (None, "B", True)
        assert row["probabilities"] == [0.25] * 4
        assert row["reasoning"].count("The answer is") == 4
        scores = pl.read_parquet(run.folder / SCORES)
        assert set(scores["read"]) == {"B"}


def test_errors_stand_ungraded_and_are_asked_again_where_that_may_help(tmp_path):
    kinds = {"1": Failure.SERVER_ERROR, "2": Failure.CONTEXT, "3": Failure.EMPTY}
    run = run_of(tmp_path, Fake(failing(kinds)))
    assert (run.done, run.failed, run.ungraded, run.stopped) == (3, 3, 3, None)
    assert run.calls == 3 + 2 + 1 + 2  # two tries where another may work
    errors = dict(read_run(run.folder).responses.select("item_id", "error").rows())
    assert errors["i1"] == "server error: made"
    assert errors["i2"] == "context too long: made"
    scores = pl.read_parquet(run.folder / SCORES)
    assert scores.filter(pl.col("status") == "ungraded")["item_id"].to_list() == ["i1", "i2", "i3"]

    mended = Fake(failing({}))
    again = run_of(tmp_path, mended)
    assert len(mended.seen) == 2
    assert (again.done, again.failed, again.calls) == (5, 1, 10)
    assert read_run(run.folder).responses["error"].drop_nulls().to_list() == [
        "context too long: made"
    ]
    assert pl.read_parquet(run.folder / SCORES)["status"].to_list().count("ungraded") == 1


def test_a_call_that_worked_is_not_made_again_when_a_later_one_failed(tmp_path):
    def third_fails(request):
        if request.messages[-1].content.count("said") == 2:
            return CallFailed(Failure.SERVER_ERROR, "made")
        return request.messages[-1].content + " said"

    backend = Fake(third_fails)
    run = run_of(tmp_path, backend, method="in_turn")
    assert (run.done, run.failed, len(backend.seen)) == (0, 6, 6 * 4)
    mended = Fake(lambda request: request.messages[-1].content + " said")
    again = run_of(tmp_path, mended, method="in_turn")
    assert (again.done, again.failed, len(mended.seen)) == (6, 0, 6)
    assert again.calls == 6 * 5
    assert set(read_run(run.folder).responses["calls"]) == {3}


def test_budget_over_all_sessions(tmp_path):
    backend = Fake()
    run = run_of(tmp_path, backend, budget=Limits(max_calls=4), max_connections=2)
    assert (run.done, run.ungraded, len(backend.seen)) == (4, 2, 4)
    assert "4 calls" in run.stopped
    responses = read_run(run.folder).responses
    assert responses["error"].drop_nulls().str.starts_with("not asked: the budget of 4").sum() == 2
    assert set(responses["model"]) == {"fake"}
    assert pl.read_parquet(run.folder / SCORES)["status"].to_list().count("ungraded") == 2
    assert viva.formats.read_responses(run.folder).responses.height == 6

    run = run_of(tmp_path, backend, budget=Limits(max_calls=4))
    assert (run.done, len(backend.seen)) == (4, 4)
    run = run_of(tmp_path, backend, budget=Limits(max_calls=5))
    assert (run.done, len(backend.seen)) == (5, 5)
    run = run_of(tmp_path, backend)
    assert (run.done, run.stopped, len(backend.seen)) == (6, None, 6)


def test_failed_tries_count_against_the_budget_of_the_next_session(tmp_path):
    backend = Fake(failing({str(n): Failure.SERVER_ERROR for n in range(6)}))
    run = run_of(tmp_path, backend, budget=Limits(max_calls=5), max_connections=1)
    assert len(backend.seen) == run.calls == 5
    run = run_of(tmp_path, backend, budget=Limits(max_calls=9), max_connections=1)
    assert len(backend.seen) == run.calls == 9


def test_cost_is_added_up(tmp_path):
    run = run_of(tmp_path, prices=Prices(1000.0, 2000.0))
    assert run.cost == pytest.approx(6 * (30 * 1000 + 10 * 2000) / 1e6)
    assert read_run(run.folder).responses["cost"][0] == pytest.approx(0.05)


def test_limit_and_samples_can_be_raised_not_lowered(tmp_path):
    backend = Fake()
    assert run_of(tmp_path, backend, limit=2).planned == 2
    assert run_of(tmp_path, backend, limit=4, samples=2).done == 8
    assert len(backend.seen) == 8
    assert run_of(tmp_path, backend, samples=2).done == 12
    with pytest.raises(InputError, match="asks all items, limit is now 3"):
        run_of(tmp_path, backend, limit=3, samples=2)
    with pytest.raises(InputError, match="holds 2 samples"):
        run_of(tmp_path, backend)
    assert len(backend.seen) == 12


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"method": "cot"}, 'method was "direct", now "cot"'),
        ({"seed": 5}, "seed was 0, now 5"),
        ({"sampling": Sampling(temperature=0.5)}, "sampling.temperature was null, now 0.5"),
        ({"model": Fake(model="other")}, 'name was "fake", now "other"'),
        ({"model": Fake(settings={"kind": "fake", "dtype": "x"})}, "backend.dtype was null"),
        ({"benchmark": rows(7)}, "benchmarks[0].hash was"),
        ({"parameters": {"system": "Be brief."}}, 'parameters.system was null, now "Be brief."'),
    ],
)
def test_other_settings_are_refused_by_name(tmp_path, change, said):
    run_of(tmp_path)
    before = (tmp_path / "run/manifest.json").read_bytes()
    with pytest.raises(InputError) as caught:
        run_of(tmp_path, **change)
    assert said in str(caught.value)
    assert (tmp_path / "run/manifest.json").read_bytes() == before


def test_operation_may_differ(tmp_path):
    items = tmp_path / "items.jsonl"
    items.write_text("".join(json.dumps(row) + "\n" for row in rows(6)))
    run_of(tmp_path, Fake(settings={"kind": "fake", "base_url": "http://a/v1"}), benchmark=items)
    moved = tmp_path / "moved.jsonl"
    items.rename(moved)
    backend = Fake(settings={"kind": "fake", "base_url": "http://b/v1"})
    run = run_of(tmp_path, backend, benchmark=moved, max_connections=1, budget=Limits(max_calls=99))
    assert (run.done, backend.seen) == (6, [])


def test_what_cannot_be_asked_is_left_out_and_counted(tmp_path):
    given = rows(5)
    given[1] |= {"options": None, "answer": None}
    given[2] |= {"answer": None}
    given[3] |= {"options": ["only one"], "answer": 0}
    given.append({"benchmark": "made", "item_id": "i0", "question": "Another?", "options": ["a", "b"],
                  "answer": 0})  # fmt: skip
    path = tmp_path / "items.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in given))
    run = run_of(tmp_path, benchmark=path)
    assert (run.planned, run.done) == (3, 3)
    assert sum(run.left_out.values()) == 3
    assert run.left_out["duplicate id with other content"] == 1
    manifest = read_run(run.folder).manifest
    assert manifest["items"]["without_one_right_option"] == 1
    assert read_run(run.folder).responses["item_id"].to_list() == ["i0", "i4", "i2"]
    assert pl.read_parquet(run.folder / SCORES)["item_id"].to_list() == ["i0", "i4"]


def test_several_benchmarks_each_with_its_first_items(tmp_path):
    run = run_of(tmp_path, benchmark=["medqa", rows(5, "other")], limit=3)
    assert read_run(run.folder).items["benchmark"].to_list() == ["medqa"] * 3 + ["other"] * 3


def test_a_failure_that_all_would_meet_is_one_clear_line(tmp_path):
    backend = Fake(lambda _: CallFailed(Failure.KEY, "set OPENAI_API_KEY"))
    with pytest.raises(InputError, match="not authorised: set OPENAI_API_KEY"):
        run_of(tmp_path, backend, max_connections=2)
    assert len(backend.seen) <= 2
    read = read_run(tmp_path / "run")
    assert read.manifest["state"] == "stopped"
    assert run_of(tmp_path).done == 6


def test_a_defect_of_the_method_is_an_error_of_the_item(tmp_path):
    async def broken(item, client, *, sampling=None, prompt=None):
        if item.item_id == "i3":
            raise ZeroDivisionError("made")
        return await made_runs.in_turn(item, client, sampling=sampling)

    made_runs.METHODS["broken"] = made_runs.Method("breaks", broken)
    run = run_of(tmp_path, method="broken")
    assert (run.done, run.failed) == (5, 1)
    errors = read_run(run.folder).responses["error"].drop_nulls().to_list()
    assert errors == ["the method failed: ZeroDivisionError: made"]


def test_a_method_that_always_breaks_is_not_hidden(tmp_path):
    async def broken(item, client, *, sampling=None, prompt=None):
        raise ZeroDivisionError("made")

    made_runs.METHODS["broken"] = made_runs.Method("breaks", broken)
    with pytest.raises(ZeroDivisionError):
        run_of(tmp_path, method="broken", benchmark=rows(60))


def test_needs_are_checked_before_the_first_call(tmp_path):
    made_runs.METHODS["needy"] = made_runs.Method("n", made_runs.in_turn, frozenset({"prefill"}))
    backend = Fake()
    with pytest.raises(InputError, match="needy needs a back-end that continues"):
        run_of(tmp_path, backend, method="needy")
    assert backend.seen == []


def test_a_run_goes_on_with_the_prefills_it_began_with(tmp_path):
    made_runs.METHODS["needy"] = made_runs.Method("n", made_runs.in_turn, frozenset({"prefill"}))
    sent = {}
    for mode in ("flags", "completions", "flags"):
        backend = Fake(capabilities=Capabilities(prefill=Prefill.CONTINUED))
        backend.prefill_mode = mode
        budget = Limits(max_calls=6 + 3 * len(sent))
        try:
            run_of(tmp_path, backend, method="needy", budget=budget)
        except InputError as error:
            assert "prefills were put by 'flags', now 'completions'" in str(error)
            assert backend.seen == []
        sent[mode] = len(backend.seen)
    assert sent == {"flags": 6, "completions": 0}
    assert read_run(tmp_path / "run").manifest["prefill"] == "flags"
    run_of(tmp_path / "other", Fake())
    assert read_run(tmp_path / "other/run").manifest["prefill"] is None


def test_a_run_that_nobody_can_be_asked_for_leaves_nothing_behind(tmp_path):
    backend = Fake()

    async def check():
        raise InputError("no server answers")

    backend.check = check
    for out in ("runs/new", "there"):
        (tmp_path / "there").mkdir(exist_ok=True)
        with pytest.raises(InputError, match="no server answers"):
            run_of(tmp_path, backend, out=tmp_path / out)
    assert not (tmp_path / "runs/new").exists()
    assert list((tmp_path / "there").iterdir()) == []
    run_of(tmp_path)
    before = sorted((tmp_path / "run").iterdir())
    with pytest.raises(InputError, match="no server answers"):
        run_of(tmp_path, backend, samples=2)
    assert sorted((tmp_path / "run").iterdir()) == before


def test_disk_full_while_running(tmp_path, monkeypatch):
    write, truncate = os.write, os.ftruncate
    lines = [0]

    def full(file, data):
        lines[0] += data.startswith(b"{")
        if lines[0] > 3:
            write(file, data[:10])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(file, data)

    def stuck(file, length):  # the lock is cut to length too, before the disk is full
        if lines[0] > 3:
            raise OSError(5, "x")
        truncate(file, length)

    monkeypatch.setattr(os, "write", full)
    monkeypatch.setattr(os, "ftruncate", stuck)
    with pytest.raises(InputError, match=r"responses\.jsonl.*No space left.*continues"):
        run_of(tmp_path, max_connections=1)
    monkeypatch.undo()
    assert not (tmp_path / "run/responses.jsonl").read_bytes().endswith(b"\n")
    read = read_run(tmp_path / "run")
    assert read.responses["error"].null_count() == 3
    backend = Fake()
    assert run_of(tmp_path, backend).done == 6
    assert len(backend.seen) == 3


@pytest.mark.parametrize("method", ["direct", "in_turn"])
def test_the_clock_may_jump(tmp_path, monkeypatch, method):
    ticks = [2e9, 1e9, 3e9, 0.0, -5e8, 4e9]
    real = time.time
    monkeypatch.setattr(time, "time", lambda: ticks[int(real() * 1e6) % 6])
    run = run_of(tmp_path, method=method)
    assert run.done == 6
    assert 0 <= run.seconds < 60
    seconds = read_run(run.folder).responses["seconds"]
    assert 0 <= seconds.min() <= seconds.max() < 60


def test_a_torn_line_in_the_middle_of_a_journal(tmp_path, monkeypatch):
    import viva.runs.session

    monkeypatch.setattr(viva.runs.session, "compact", lambda _: None)
    run = run_of(tmp_path, max_connections=1)
    lines = (run.folder / JOURNAL).read_bytes().splitlines(keepends=True)
    lines[2] = lines[2][:50] + b"\n"
    (run.folder / JOURNAL).write_bytes(b"".join(lines))
    read = read_run(run.folder)
    assert [left.row for left in read.left_out] == [3]
    assert read.responses["error"].null_count() == 5
    monkeypatch.undo()
    backend = Fake()
    with pytest.warns(UserWarning, match=r"responses\.jsonl:3: 1 lines of the journal are broken"):
        assert run_of(tmp_path, backend).done == 6
    assert len(backend.seen) == 1


def test_inside_a_running_loop(tmp_path):
    async def notebook():
        return run_of(tmp_path)

    assert asyncio.run(notebook()).done == 6


def test_connections_are_kept(tmp_path):
    backend = Fake(latency=0.01)
    run_of(tmp_path, backend, benchmark=rows(40), max_connections=7)
    assert backend.most_in_flight == 7


def test_no_secret_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-verysecret")
    settings = {"base_url": "http://user:hunter2@host/v1", "headers": {"Authorization": "Bearer abc"},
                "api_key": "k3y", "dtype": "x"}  # fmt: skip
    run_of(tmp_path, Fake(settings=settings), sampling=Sampling(extra={"api_key": "k3y"}))
    text = (tmp_path / "run/manifest.json").read_text()
    for secret in ("sk-verysecret", "hunter2", "user:", "abc", "k3y"):
        assert secret not in text.replace("abcd", "")
    manifest = json.loads(text)
    assert manifest["operation"]["base_url"] == "http://host/v1"
    assert manifest["identity"]["backend"]["dtype"] == "x"


def test_bad_arguments(tmp_path):
    for bad in ({"samples": 0}, {"limit": 0}, {"max_connections": 0}):
        with pytest.raises(InputError, match="At least 1"):
            run_of(tmp_path, **bad)
    with pytest.raises(InputError, match=r"Did you mean"):
        run_of(tmp_path, method="dirct")
    with pytest.raises(InputError, match=r"no back-end"):
        run_of(tmp_path, model="opnai/x")
    with pytest.raises(InputError):
        run_of(tmp_path, benchmark="medqaa")
    with pytest.raises(InputError):
        run_of(tmp_path, benchmark=tmp_path / "none.jsonl")


def test_logprobs_and_details_of_calls_are_recorded(tmp_path):
    told = Completion("B", "hm", "length", 5, 6, 0.5, None, 1, ({"B": -0.1, "A": -2.5},), "served")
    run = run_of(tmp_path, Fake(lambda _: told), benchmark=rows(1))
    call = read_run(run.folder).calls.collect().row(0, named=True)
    assert json.loads(call["logprobs"]) == [{"B": -0.1, "A": -2.5}]
    assert (call["text"], call["reasoning"], call["finish_reason"]) == ("B", "hm", "length")
    assert (call["served_model"], call["seconds"], call["attempts"]) == ("served", 0.5, 1)


def test_no_warning_is_raised(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run_of(tmp_path)


def test_a_run_that_is_complete_calls_nobody(tmp_path):
    run_of(tmp_path)
    before = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "run").glob("*.parquet")}

    async def check():
        raise InputError("the server is gone")

    gone = Fake()
    gone.check = check
    assert run_of(tmp_path, gone).done == 6
    assert {p.name: p.stat().st_mtime_ns for p in (tmp_path / "run").glob("*.parquet")} == before
    with pytest.raises(InputError, match="the server is gone"):
        run_of(tmp_path, gone, samples=2)


def test_interrupted_inside_a_running_loop(tmp_path):
    """A notebook's loop runs in the main thread, which waits for the run in another."""

    backend = Fake(latency=0.2)

    async def notebook():
        return run_of(tmp_path, backend, benchmark=rows(200), max_connections=4)

    def interrupt():
        while len(backend.seen) < 8:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        run = loop.run_until_complete(notebook())
    finally:
        loop.close()
        thread.join()
    assert run.stopped == "interrupted"
    assert 8 <= run.done < 60
    assert read_run(run.folder).responses["error"].null_count() == run.done
