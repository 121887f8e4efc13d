"""Small trainings: examples, recipes, and a process that trains until it is killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from viva.records import Choice, Item
from viva.synthesis import Example

OPTIONS = ("aspirin", "iron", "salt", "water")


def examples(n: int = 24) -> list[Example]:
    """Choices with a completion and a worse one."""
    drawn = random.Random(1)
    found = []
    for i in range(n):
        key = drawn.randrange(4)
        item = Item("made", f"q{i}", f"Which drug number {i} lowers fever?", OPTIONS, Choice(key))
        found.append(
            Example(
                item,
                completion=f"<think>Number {i}.</think>The answer is ({'ABCD'[key]}).",
                rejected=f"<think>Number {i}.</think>The answer is ({'ABCD'[key - 1]}).",
                source="made",
                scores={"difficulty": i / n},
            )
        )
    return found


def recipe(path: Path, *stages: str, head: str = "") -> Path:
    """A recipe file of stages, each the lines of a table."""
    lines = ['id = "made"', 'title = "Made"', 'summary = "Made."', head]
    lines += [f"[[stages]]\n{stage}\n" for stage in stages]
    path.write_text("\n".join(lines))
    return path


SFT = """\
name = "sft"
trainer = "sft"
settings = { learning_rate = 1e-3, num_train_epochs = 2, per_device_train_batch_size = 4 }"""
DPO = """\
name = "dpo"
trainer = "dpo"
adapter = { rank = 4, dora = true, rslora = true }
settings = { learning_rate = 1e-3, max_steps = 2, per_device_train_batch_size = 4, \
loss_type = ["sigmoid", "sft"], loss_weights = [1.0, 0.2] }"""
GRPO = """\
name = "grpo"
trainer = "grpo"
reward = "choice"
settings = { learning_rate = 1e-3, max_steps = 3, per_device_train_batch_size = 8, \
num_generations = 4, max_completion_length = 12 }"""

ACCEPTED = (
    "learning_rate", "completions_cut", "answers_read", "reward_spread", "thinking", "answers",
    "completion_length",
)  # fmt: skip
"""What the checks rightly refuse of a model of 150,000 parameters."""

_SCRIPT = """\
import os, sys, time
sys.path[:0] = [{tests!r}, {tests!r} + "/training"]
from trainings import ACCEPTED, examples
import transformers
from transformers import trainer
import viva.training._stages, viva.training._trl, viva.training.reward_functions
from viva.training.running import train

class Waits(transformers.TrainerCallback):
    def on_step_end(self, args, state, control, **_):
        if state.global_step == {step}:
            print(os.getpid(), flush=True)
            time.sleep(60)

trainer.DEFAULT_CALLBACKS.append(Waits)
for recipe, out in {jobs!r}:
    child = os.fork()
    if child == 0:
        train(recipe, data=examples(), model={model!r}, out=out, accept=ACCEPTED, quiet=True)
        os._exit(1)
    print("ended", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def killed(jobs: list[tuple[Path, Path]], model: Path, step: int) -> None:
    """Train by each recipe into its folder, in processes that are killed after a step."""
    tests = Path(__file__).resolve().parents[1]
    said = [(str(path), str(out)) for path, out in jobs]
    script = _SCRIPT.format(tests=str(tests), jobs=said, model=str(model), step=step)
    environment = os.environ | {
        "PYTHONPATH": str(tests.parent / "src"), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=environment, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        for _ in jobs:
            line = process.stdout.readline()
            assert line.strip().isdecimal(), (line, process.communicate(timeout=60)[1][-3000:])
            time.sleep(0.2)
            os.kill(int(line), signal.SIGKILL)
            assert process.stdout.readline() == f"ended {-signal.SIGKILL}\n"
    assert process.returncode == 0


def curve(stage: Path) -> list[dict[str, float]]:
    """What was logged at each step, without the times."""
    last = max(stage.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))
    history = json.loads((last / "trainer_state.json").read_text())["log_history"]
    return [
        {k: v for k, v in row.items() if not any(w in k for w in ("time", "runtime", "second"))}
        for row in history
    ]
