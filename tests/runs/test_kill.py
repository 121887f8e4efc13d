"""kill -9 at random moments: every item ends exactly once, no finished call is lost."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import random
import signal
import time
from collections import Counter
from pathlib import Path

import made_runs
import polars as pl
import pytest

from servers import mock_server
from viva.formats.run import JOURNAL, MANIFEST, RESPONSES, SCORES, read_run

CONNECTIONS = 8
METHODS = {"direct": 1, "in_turn": 3, "at_once": 4}
"""Calls for each item."""


@pytest.fixture(scope="module")
def processes():
    """Processes that start with everything imported: a kill hits the run, not the imports."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["made_runs", "polars", "aiohttp", "viva.models.openai"])
    return context


def wanted(tmp_path: Path, url: str, count: int, method: str) -> pl.DataFrame:
    """The responses of a run that nothing disturbs."""
    made_runs.ask(str(tmp_path / "undisturbed"), url, count, method)
    return read_run(tmp_path / "undisturbed").responses.drop("seconds")


def finished(folder: Path) -> dict[str, str]:
    """Task -> response, of the whole lines in the journal."""
    found = {}
    with contextlib.suppress(FileNotFoundError):
        for line in (folder / JOURNAL).read_bytes().splitlines():
            with contextlib.suppress(ValueError):
                row = json.loads(line)
                if "task" in row:
                    found[row["task"]] = json.dumps(row.get("response"))
    return found


def calls_in(folder: Path) -> int:
    """Finished calls that a run folder holds."""
    if not (folder / MANIFEST).exists():
        return 0
    return read_run(folder).calls.select(pl.len()).collect().item()


@pytest.mark.slow
def test_killed_at_random_and_continued(tmp_path, processes):
    dice = random.Random(20)
    kills = 0
    turn = 0
    with mock_server(latency=0.02, tokens=40) as server:
        expected = {m: wanted(tmp_path / m, server.url, 80 // n, m) for m, n in METHODS.items()}
        while kills < 54 or turn % 3:
            method = list(METHODS)[turn % 3]
            count = 80 // METHODS[method]
            folder = tmp_path / f"run{turn}"
            before, killed = server.calls, 0
            known: dict[str, str] = {}
            recorded = 0
            while True:
                process = processes.Process(
                    target=made_runs.ask, args=(str(folder), server.url, count, method)
                )
                seen = server.calls
                process.start()
                if killed < 12:
                    if dice.random() < 0.7:  # while it asks; else at any moment from its start
                        while server.calls == seen and process.exitcode is None:
                            time.sleep(0.002)
                    process.join(dice.uniform(0.0, 0.25))
                else:
                    process.join()
                if process.exitcode is not None:
                    assert process.exitcode == 0
                    break
                process.kill()
                process.join()
                killed += 1
                time.sleep(0.03)  # the server takes in what was under way
                now = finished(folder)
                assert known.items() <= now.items() or not (folder / JOURNAL).exists()
                # What this session asked is written down, but for the calls in flight.
                written = calls_in(folder)
                assert server.calls - seen - (written - recorded) <= CONNECTIONS
                known, recorded = now, written
            run = read_run(folder)
            assert run.responses.drop("seconds").equals(expected[method])
            assert run.responses["error"].null_count() == count
            stored = pl.read_parquet(folder / RESPONSES)
            assert stored["item_id"].n_unique() == stored.height == count
            assert not (folder / JOURNAL).exists()
            calls = run.calls.collect()
            assert calls.height == calls["key"].n_unique() == count * METHODS[method]
            assert pl.read_parquet(folder / SCORES).height == count
            # At most what was in flight is asked again, whatever the moment of the kill.
            time.sleep(0.05)
            again = server.calls - before - count * METHODS[method]
            assert 0 <= again <= killed * CONNECTIONS
            assert {p.name[0] for p in folder.iterdir() if p.name != ".lock"}.isdisjoint(".")
            kills += killed
            turn += 1
    assert kills >= 50


@pytest.mark.parametrize("step", range(6))
def test_killed_while_compacting(tmp_path, processes, step):
    with mock_server() as server:
        folder = tmp_path / "run"
        process = processes.Process(
            target=made_runs.ask_and_die, args=(str(folder), server.url, 20, "in_turn", step)
        )
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        left = read_run(folder)
        assert left.responses["error"].null_count() == left.responses.height == 20
        assert left.calls.collect().height == 60
        run = made_runs.ask(str(folder), server.url, 20, "in_turn")
        assert server.calls == 60
        assert (run.done, run.calls, run.stopped) == (20, 60, None)
    after = read_run(folder)
    assert after.responses.equals(left.responses)
    assert after.calls.collect().sort("key").equals(left.calls.collect().sort("key"))
    assert not (folder / JOURNAL).exists()


def test_a_signal_finishes_what_is_in_flight(tmp_path, processes):
    with mock_server(latency=0.3) as server:
        folder = tmp_path / "run"
        process = processes.Process(
            target=made_runs.ask, args=(str(folder), server.url, 60, "direct")
        )
        process.start()
        while server.at_once < CONNECTIONS:
            time.sleep(0.01)
        assert process.pid is not None
        process.terminate()
        process.join(10)
        assert process.exitcode == 0
        assert server.calls < 30
        run = read_run(folder)
        answered = run.responses["error"].null_count()
        assert answered == server.served == server.calls
        assert run.manifest["state"] == "stopped"
        assert set(run.responses["error"].drop_nulls()) == {"not asked: interrupted"}
        assert made_runs.ask(str(folder), server.url, 60, "direct").done == 60
        assert server.calls == 60


def test_a_second_signal_cancels(tmp_path, processes):
    with mock_server(latency=30) as server:
        folder = tmp_path / "run"
        process = processes.Process(
            target=made_runs.ask, args=(str(folder), server.url, 60, "direct")
        )
        process.start()
        while server.at_once < CONNECTIONS:
            time.sleep(0.01)
        process.terminate()
        process.join(0.5)
        assert process.exitcode is None
        process.terminate()
        process.join(10)
        assert process.exitcode == 0
        assert read_run(folder).manifest["stopped"] == "interrupted"


def test_two_processes_on_one_run(tmp_path, processes):
    from viva.errors import InputError

    with mock_server(latency=0.3) as server:
        folder = tmp_path / "run"
        process = processes.Process(
            target=made_runs.ask, args=(str(folder), server.url, 60, "direct")
        )
        process.start()
        while not server.at_once:
            time.sleep(0.01)
        calls = Counter(e.payload["messages"][-1]["content"] for e in server.exchanges)
        with pytest.raises(InputError, match=rf"another process .*process {process.pid} on"):
            made_runs.ask(str(folder), server.url, 60, "direct")
        process.kill()
        process.join()
        # The lock ended with its holder; nothing has to be cleaned up by hand.
        assert made_runs.ask(str(folder), server.url, 60, "direct").done == 60
        assert max(calls.values()) == 1
