"""A run of 100,000 items: peak memory, time until a resumed run makes its first call, samples/s.

Run ``python bench/large_run.py [--items 100000]``. Each measurement is a process of its own: a
made benchmark with questions of about 700 characters and four options, a back-end in process that
answers at once with about 1,500 characters, the method ``direct``. A second run is stopped half
way by ``kill -9`` and continued.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

BORN = time.perf_counter()
ENGINE_RATE = 5 * 480
"""Items a second: five times what lm-eval 0.4.13 did in process with an instant model."""
LARGEST = 600
"""MB of peak memory."""
SLOWEST = 5.0
"""Seconds from the start of the process to the first new call of a resumed run."""
WORDS = (
    "patient history fever chest pain blood pressure elevated enzyme deficiency therapy renal "
    "hepatic acute chronic lesion biopsy shows consistent with most likely mechanism inhibits"
).split()


def prose(rng: random.Random, characters: int) -> str:
    """Made prose of about so many characters."""
    return " ".join(rng.choices(WORDS, k=characters // 8))


def write_items(path: Path, count: int) -> None:
    """A generic items file."""
    rng = random.Random(0)
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            row = {
                "benchmark": "made",
                "item_id": str(number),
                "question": f"Case {number}. {prose(rng, 700)}?",
                "options": [f"{prose(rng, 30)} {letter}" for letter in "wxyz"],
                "answer": rng.choice("ABCD"),
            }
            file.write(json.dumps(row) + "\n")


class Instant:
    """A back-end that answers at once; it can note when it is first called, and end the process."""

    model, connections = "instant", 64

    def __init__(self, kill_at: int | None = None) -> None:
        from viva.models import Capabilities

        self.capabilities = Capabilities(seed=True)
        self.calls, self.kill_at, self.first = 0, kill_at, 0.0
        rng = random.Random(1)
        self.texts = [f"{prose(rng, 1480)}. The answer is {letter}." for letter in "ABCD"]

    def settings(self) -> dict[str, Any]:
        return {"kind": "instant"}

    async def generate(self, _request: Any) -> Any:
        from viva.models import Completion

        if not self.calls:
            self.first = time.perf_counter()
        self.calls += 1
        if self.calls == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        await asyncio.sleep(0)
        return Completion(self.texts[self.calls % 4], None, "stop", 230, 300)

    async def probe(self) -> Any:
        return self.capabilities

    async def close(self) -> None: ...


def measured(items: Path, out: Path, kill_at: int | None) -> None:
    """One run in this process; prints what was measured as JSON."""
    import viva

    evaluate = viva.evaluate
    imported = time.perf_counter()
    backend = Instant(kill_at)
    run = evaluate(model=backend, benchmark=items, method="direct", out=out)
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    asking = manifest["sessions"][-1]["asking_seconds"]
    print(
        json.dumps(
            {
                "done": run.done,
                "import": imported - BORN,
                "first_call": backend.first - BORN,
                "asking": asking,
                "calls": backend.calls,
                "whole": time.perf_counter() - BORN,
                "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


def in_process(items: Path, out: Path, kill_at: int | None = None) -> dict[str, float] | None:
    """The same in a fresh process; None where it was killed, as wanted."""
    command = [sys.executable, __file__, "--measure", str(items), str(out)]
    done = subprocess.run(
        [*command, str(kill_at or 0)], stdout=subprocess.PIPE, text=True, check=False
    )
    if kill_at:
        assert done.returncode == -signal.SIGKILL, done.returncode
        return None
    assert done.returncode == 0
    return dict(json.loads(done.stdout))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        items, out, kill_at = given.measure
        measured(Path(items), Path(out), int(kill_at) or None)
        return
    with tempfile.TemporaryDirectory() as folder:
        items = Path(folder, "items.jsonl")
        write_items(items, given.items)
        whole = in_process(items, Path(folder, "whole"))
        assert whole is not None
        assert whole["done"] == given.items
        print(
            f"{given.items:,} items, {items.stat().st_size / 2**20:.0f} MB of questions, "
            f"import {whole['import']:.2f} s"
        )
        rate = given.items / whole["asking"]
        print(
            f"asking and journal: {rate:,.0f} items/s ({rate / 480:.1f} times lm-eval's 480/s; "
            f"target {ENGINE_RATE:,}); whole process with reading, tables and scores: "
            f"{whole['whole']:.1f} s = {given.items / whole['whole']:,.0f} items/s"
        )
        print(f"peak memory of the whole run: {whole['peak']:.0f} MB (target < {LARGEST})")
        in_process(items, Path(folder, "half"), kill_at=given.items // 2)
        half = in_process(items, Path(folder, "half"))
        assert half is not None
        assert half["done"] == given.items
        print(
            f"continued after kill -9 half way: first new call {half['first_call']:.2f} s after "
            f"the start of the process (target < {SLOWEST:g}), {half['calls']:.0f} calls made, "
            f"peak memory {half['peak']:.0f} MB"
        )


if __name__ == "__main__":
    main()
