"""The whole demo: several worlds and seeds side by side, and what they show together."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from viva._audit import audit
from viva.errors import InputError
from viva.runs.folder import write_whole
from viva.training.demo.outcome import summarise
from viva.training.demo.running import FULL, Size, run_one

__all__ = ["train_demo"]


def train_demo(
    out: str | os.PathLike[str],
    *,
    worlds: Sequence[int] = (1, 2, 3),
    seeds: Sequence[int] = (0, 1),
    size: Size = FULL,
    processes: int | None = None,
    resamples: int = 10_000,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Teach, practise and examine a small model in worlds of its own.

    Parameters
    ----------
    out : path
        New, empty, or that of the same demo, which then goes on. ``wWORLD-sSEED`` is the folder of
        each run; ``items.parquet`` and ``answers.jsonl`` hold the examination without starts, and
        ``report`` is what ``viva audit`` says of it: the arms on both strata, with paired tests.
        ``summary.json`` has all numbers.
    worlds, seeds : sequence of int
        Each world is run under each seed: the seed draws weights, lessons and practice.
    size : Size
    processes : int, optional
        Runs at once, each on one core; by default as many as there are cores.
    resamples : int
        Of the bootstrap by disease.
    say : callable
        Is told what has been done.

    Returns
    -------
    dict
        As :func:`viva.training.demo.outcome.summarise`.

    Raises
    ------
    InputError
        The extra is not installed; a folder of another demo.
    """
    try:
        import trl  # noqa: F401
    except ImportError:
        raise InputError(
            "the demo needs the extra train", mend="pip install 'vivavoce[train]'"
        ) from None
    if not worlds or not seeds:
        raise InputError("no world or no seed", mend="Give at least one of each")
    folder = Path(out)
    _settle(folder, {"worlds": [*worlds], "seeds": [*seeds], "size": asdict(size)})
    jobs = [(world, seed) for seed in seeds for world in worlds]
    count = min(len(jobs), processes or os.cpu_count() or 1)
    runs = dict(_each(jobs, folder, size, count, say))
    ordered = [runs[job] for job in jobs]
    _write_answers(folder, ordered, size)
    audited = audit(folder / "items.parquet", [folder / "answers.jsonl"], resamples=resamples)
    audited.write(folder / "report")
    found = summarise(ordered, resamples=resamples) | {"size": asdict(size)}
    write_whole(folder / "summary.json", json.dumps(found, indent=1).encode())
    return found


def _settle(folder: Path, identity: Mapping[str, Any]) -> None:
    """The folder of this demo, and of no other."""
    told = folder / "demo.json"
    if told.is_file():
        if json.loads(told.read_text("utf-8")) != identity:
            raise InputError(
                "holds a demo of other worlds, seeds or size", where=str(folder),
                mend="Name another --out",
            )  # fmt: skip
        return
    if folder.exists() and any(folder.iterdir()):
        raise InputError("is not empty", where=str(folder), mend="Name another --out")
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(told, json.dumps(identity).encode())


def _each(
    jobs: Sequence[tuple[int, int]], folder: Path, size: Size, count: int,
    say: Callable[[str], None],
) -> Any:  # fmt: skip
    places = {(w, s): folder / f"w{w}-s{s}" for w, s in jobs}
    if count == 1:
        for world, seed in jobs:
            yield (world, seed), run_one(world, seed, places[world, seed], size, say=say)
        return
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        said: Any = manager.Queue()
        with ProcessPoolExecutor(count, mp_context=context) as pool:
            running = {
                pool.submit(partial(_run, said), w, s, places[w, s], size): (w, s) for w, s in jobs
            }
            listener = _listen(said, say)
            try:
                for done in as_completed(running):
                    yield running[done], done.result()
            finally:
                said.put(None)
                listener.join()


def _run(said: Any, world: int, seed: int, folder: Path, size: Size) -> dict[str, Any]:
    return run_one(world, seed, folder, size, say=said.put)


def _listen(said: Any, say: Callable[[str], None]) -> Any:
    from threading import Thread

    def pass_on() -> None:
        while (line := said.get()) is not None:
            say(line)

    thread = Thread(target=pass_on, daemon=True)
    thread.start()
    return thread


def _write_answers(folder: Path, runs: Sequence[Mapping[str, Any]], size: Size) -> None:
    """The examination without starts, as files that ``viva audit`` reads."""
    from viva.records import items_frame
    from viva.training.demo.parts import parts_of

    lines, items = [], {}
    for run in runs:
        parts = parts_of(run["world"], organs=size.organs, size=size.items)
        asked = {paper["item_id"] for paper in run["papers"]}
        for drawn in (*parts.test, *parts.recall_test):
            if drawn.item.item_id in asked:
                items[drawn.item.benchmark, drawn.item.item_id] = drawn.item
        for said in run["responses"]:
            row = {
                "benchmark": said["benchmark"], "item_id": said["item_id"],
                "model": said["model"], "sample": run["seed"], "response": said["text"],
            }  # fmt: skip
            if said["probe"] is None:
                lines.append(json.dumps(row))
    write_whole(folder / "answers.jsonl", ("\n".join(lines) + "\n").encode())
    items_frame(items.values()).write_parquet(folder / "items.parquet")
