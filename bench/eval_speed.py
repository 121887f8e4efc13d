"""`viva eval` against a mock server and beside its peers, in one run.

``python bench/eval_speed.py`` (about two minutes); peers that are not installed are named. Where
lm-eval lives in another environment: ``--lm-eval-python PATH``.

1. Viva alone against a server with latency: the share of the ideal rate, connections / latency,
   over whole rounds after the first and before the last; CPU time of this process per call.
2. Viva and inspect-ai against the same server without latency: samples per second of a whole
   evaluation, with its log on disk. Inspect runs without display and realtime log, which is its
   faster way.
3. Viva and lm-eval in process with the same mock: samples per second of a whole evaluation, with
   its samples on disk.

Every measurement has a process of its own; importing and starting are not in the times.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LOADS = ((64, 1.0, 12, 0.95), (256, 1.0, 10, 0.90), (1000, 10.0, 4, 0.90))
"""Connections, seconds of latency, rounds of calls, and the share of the ideal rate to reach."""
CPU_TARGET, INSPECT_TARGET, LM_EVAL_TARGET = 3.0, 8.0, 5.0
TOKENS = 400
"""Words of each answer."""
ANSWER = " ".join(["word"] * (TOKENS - 3)) + ".\nAnswer: B"


def items(count: int) -> list[dict[str, Any]]:
    """Questions of 60 words with four options."""
    stem = "A patient of some years comes with a complaint that has lasted for several weeks. "
    return [
        {
            "benchmark": "mock",
            "item_id": f"q{number}",
            "question": f"Case {number}. {stem * 4}What is the next step?",
            "options": [f"Give drug {letter}{number}" for letter in "ABCD"],
            "answer": number % 4,
        }
        for number in range(count)
    ]


@contextlib.contextmanager
def server(latency: float) -> Iterator[str]:
    """The mock server in a process of its own; its address."""
    command = [sys.executable, str(ROOT / "tests" / "servers.py")]
    command += ["--latency", str(latency), "--tokens", str(TOKENS)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


# One measurement, in a process of its own ----------------------------------------------------


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class Watch:
    """How many calls were done when, looked at every 5 ms from a thread of its own."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, int]] = []

    @contextlib.contextmanager
    def __call__(self, counts: Any, title: str) -> Iterator[None]:  # noqa: ARG002
        over = threading.Event()

        def look() -> None:
            while not over.wait(0.005):
                self.seen.append((time.perf_counter(), counts.done))

        thread = threading.Thread(target=look)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            self.seen.append((time.perf_counter(), counts.done))

    def reached(self, done: int) -> float:
        """The first moment at which so many were done."""
        return next(at for at, count in self.seen if count >= done)


def viva_over_http(url: str, count: int, connections: int) -> dict[str, float]:
    """``viva.evaluate`` with the back-end ``openai``, and the rate between its rounds."""
    import viva
    from viva.models.specs import ModelOptions

    options = ModelOptions(base_urls=(url,), connections=connections, api="chat")
    run: dict[str, Any] = {"model": "openai/mock", "method": "direct", "options": options}
    watch = Watch()
    with tempfile.TemporaryDirectory() as folder:
        viva.evaluate(benchmark=items(8), out=Path(folder, "warm"), **run)
        asked = items(count)
        before, start = cpu(), time.perf_counter()
        done = viva.evaluate(benchmark=asked, out=Path(folder, "run"), progress=watch, **run)
        seconds, used = time.perf_counter() - start, cpu() - before
    assert done.done == count, done
    # Whole rounds: from the end of the first to the end of the last but one.
    window = watch.reached(count - connections) - watch.reached(connections)
    return {
        "seconds": seconds,
        "rate": (count - 2 * connections) / window,
        "cpu_ms": 1000 * used / count,
        "first": watch.reached(1) - start,
    }


def viva_in_process(count: int) -> dict[str, float]:
    """``viva.evaluate`` with a back-end that answers at once."""
    import viva
    from viva.models import Capabilities, Completion

    class Mock:
        model = "mock"
        capabilities = Capabilities()
        connections = 16

        def settings(self) -> dict[str, Any]:
            return {}

        async def generate(self, request: Any) -> Completion:  # noqa: ARG002
            return Completion(ANSWER, finish_reason="stop", input_tokens=90, output_tokens=TOKENS)

        async def probe(self) -> Capabilities:
            return self.capabilities

        async def close(self) -> None:
            pass

    with tempfile.TemporaryDirectory() as folder:
        run: dict[str, Any] = {"model": Mock(), "method": "direct"}
        viva.evaluate(benchmark=items(8), out=Path(folder, "warm"), **run)
        asked = items(count)
        before, start = cpu(), time.perf_counter()
        done = viva.evaluate(benchmark=asked, out=Path(folder, "run"), **run)
        seconds, used = time.perf_counter() - start, cpu() - before
    assert done.done == count, done
    return {"seconds": seconds, "rate": count / seconds, "cpu_ms": 1000 * used / count}


def inspect_over_http(url: str, count: int, connections: int) -> dict[str, float]:
    """``inspect_ai.eval`` with its own solver and scorer for multiple choice."""
    from inspect_ai import Task
    from inspect_ai import eval as inspect_eval
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.model import get_model
    from inspect_ai.scorer import choice
    from inspect_ai.solver import multiple_choice

    os.environ["MOCK_API_KEY"] = "none"

    def task(number: int) -> Task:
        samples = [
            Sample(
                id=row["item_id"],
                input=row["question"],
                choices=row["options"],
                target="ABCD"[row["answer"]],
            )
            for row in items(number)
        ]
        return Task(MemoryDataset(samples), solver=multiple_choice(), scorer=choice())

    model = get_model("openai-api/mock/mock", base_url=f"{url}/v1")
    with tempfile.TemporaryDirectory() as folder:
        run: dict[str, Any] = {
            "model": model,
            "display": "none",
            "log_realtime": False,
            "log_dir": folder,
            "max_connections": connections,
            "max_samples": connections,
        }
        inspect_eval(task(8), **run)
        asked = task(count)
        before, start = cpu(), time.perf_counter()
        (log,) = inspect_eval(asked, **run)
        seconds, used = time.perf_counter() - start, cpu() - before
    assert log.status == "success", log.error
    assert log.results.completed_samples == count
    return {"seconds": seconds, "rate": count / seconds, "cpu_ms": 1000 * used / count}


def lm_eval_in_process(count: int) -> dict[str, float]:
    """``lm_eval.evaluate`` of a task that generates, with a model that answers at once."""
    import logging

    from lm_eval import evaluator
    from lm_eval.api.model import LM
    from lm_eval.loggers import EvaluationTracker
    from lm_eval.tasks import TaskManager

    class Mock(LM):
        def loglikelihood(self, requests: Any) -> Any:  # noqa: ARG002
            raise RuntimeError("this task generates")

        def loglikelihood_rolling(self, requests: Any) -> Any:  # noqa: ARG002
            raise RuntimeError("this task generates")

        def generate_until(self, requests: Any, disable_tqdm: bool = False) -> list[str]:  # noqa: ARG002
            return [ANSWER for _ in requests]

    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "items.jsonl")
        data.write_text("".join(json.dumps(row) + "\n" for row in items(count)))
        lettered = "".join(
            f"{letter}. {{{{options[{place}]}}}}\n" for place, letter in enumerate("ABCD")
        )
        config = {
            "task": "mock",
            "dataset_path": "json",
            "dataset_kwargs": {"data_files": {"test": str(data)}, "cache_dir": folder},
            "test_split": "test",
            "output_type": "generate_until",
            "doc_to_text": f"{{{{question}}}}\n{lettered}Answer with the letter.",
            "doc_to_target": "{{['A', 'B', 'C', 'D'][answer]}}",
            "generation_kwargs": {"until": [], "max_gen_toks": TOKENS},
            "filter_list": [
                {
                    "name": "letter",
                    "filter": [
                        {"function": "regex", "regex_pattern": "Answer: ([A-D])"},
                        {"function": "take_first"},
                    ],
                }
            ],
            "metric_list": [{"metric": "exact_match"}],
        }
        # The tasks that it ships are not looked for: that alone takes it seconds.
        manager = TaskManager(include_defaults=False)
        loaded = manager.load([config])
        tracker = EvaluationTracker(output_path=str(Path(folder, "out")))
        tracker.general_config_tracker.log_experiment_args("mock", {"model": "mock"}, "", "", False)
        before, start = cpu(), time.perf_counter()
        results = evaluator.evaluate(
            lm=Mock(), task_dict=loaded, log_samples=True, bootstrap_iters=0
        )
        samples = results.pop("samples")
        tracker.save_results_aggregated(results=results, samples=samples)
        tracker.save_results_samples(task_name="mock", samples=samples["mock"])
        seconds, used = time.perf_counter() - start, cpu() - before
        written = list(Path(folder, "out").rglob("samples_*.jsonl"))
        assert written
        assert len(written[0].read_text().splitlines()) == count
    return {"seconds": seconds, "rate": count / seconds, "cpu_ms": 1000 * used / count}


MEASURES = {
    "viva-http": viva_over_http,
    "viva": viva_in_process,
    "inspect": inspect_over_http,
    "lm-eval": lm_eval_in_process,
}


# All of them, side by side -------------------------------------------------------------------


def measure(name: str, *arguments: object, python: str = sys.executable) -> dict[str, float]:
    """One measurement in a fresh process."""
    command = [python, __file__, "--measure", name, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def has(package: str, python: str = sys.executable) -> bool:
    code = f"import importlib.util as u; raise SystemExit(u.find_spec({package!r}) is None)"
    return subprocess.run([python, "-c", code], capture_output=True).returncode == 0


def mark(reached: bool) -> str:
    return "reached" if reached else "MISSED"


def alone(quick: bool) -> list[bool]:
    print("Viva against a mock server with latency (ideal rate = connections / latency)")
    reached = []
    for connections, latency, rounds, target in LOADS[: 1 if quick else None]:
        with server(latency) as url:
            found = measure("viva-http", url, connections * rounds, connections)
        share = found["rate"] * latency / connections
        reached += [share >= target, found["cpu_ms"] <= CPU_TARGET]
        print(
            f"  {connections:5,} connections, {latency:g} s: {found['rate']:6.1f} calls/s, "
            f"{share:6.1%} of the ideal rate (target {target:.0%}: {mark(reached[-2])}); "
            f"CPU {found['cpu_ms']:.2f} ms/call (target {CPU_TARGET:g}: {mark(reached[-1])}); "
            f"first reply after {found['first']:.2f} s, all in {found['seconds']:.1f} s"
        )
    return reached


def beside(
    name: str, ours: dict[str, float], theirs: dict[str, float], target: float
) -> list[bool]:
    ratio = ours["rate"] / theirs["rate"]
    for who, found in (("viva", ours), (name, theirs)):
        print(f"  {who:10} {found['rate']:8,.0f} samples/s, CPU {found['cpu_ms']:.2f} ms/sample")
    print(f"  ratio      {ratio:8.1f} (target {target:g}: {mark(ratio >= target)})")
    return [ratio >= target]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--lm-eval-python", default=sys.executable, metavar="PATH")
    parser.add_argument("--quick", action="store_true", help="one load and the peers")
    parser.add_argument("--measure", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        name, *arguments = given.measure
        typed = [value if value.startswith("http") else int(value) for value in arguments]
        print(json.dumps(MEASURES[name](*typed)))
        return
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load:.1f} before the start: on a busy machine all miss\n")
    reached = alone(given.quick)
    print("\nOver HTTP, the same server without latency, 64 connections")
    if has("inspect_ai"):
        with server(0) as url:
            ours = measure("viva-http", url, 3000, 64)
            ours["rate"] = 3000 / ours["seconds"]
            theirs = measure("inspect", url, 600, 64)
        reached += beside("inspect-ai", ours, theirs, INSPECT_TARGET)
    else:
        print("  inspect-ai is not installed: pip install 'vivavoce[peers]'")
    print("\nIn process, the same mock, 2,000 samples")
    if has("lm_eval", given.lm_eval_python):
        theirs = measure("lm-eval", 2000, python=given.lm_eval_python)
        reached += beside("lm-eval", measure("viva", 2000), theirs, LM_EVAL_TARGET)
    else:
        print(
            "  lm-eval is not installed: pip install 'vivavoce[peers]', or "
            "--lm-eval-python with an environment that has it"
        )
    print(f"\n{sum(reached)} of {len(reached)} targets reached")


if __name__ == "__main__":
    main()
