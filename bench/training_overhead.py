"""Processor time spent in our code in a step of training, beside bare TRL with the same reward.

    PYTHONPATH=src python bench/training_overhead.py [--trainer grpo sft] [--repeats 4] [--steps 4]

A model of random weights on the spot (about 16 million parameters) is trained twice in turn from
the same seed: by TRL's own trainer with a plain reward function, and as a stage of a recipe is,
with reward functions that count, and a log. GRPO draws 8 completions of 256 tokens to a prompt.
Both arms pay the same component for the same text: clinical prose of as many words, as random
weights write noise. Both must log the same losses to the last digit.

Printed are, for each step but the first of a run, the processor time of all our functions (reward,
callbacks, overridden methods) as a share of the step's, with a 95 % interval over steps; and the
ratio of the arms' step times, paired by repeat and step, by processor and by the clock.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / part) for part in ("tests", "src")]

from viva.records import Choice, Item  # noqa: E402
from viva.synthesis import Example  # noqa: E402
from viva.training.recipes import Recipe  # noqa: E402
from viva.training.rewards import Completion, find_reward  # noqa: E402

REWARD = "medvlthinker"
STEP = (
    "The sodium of {i} mmol/L is low, and inappropriate antidiuretic hormone explains the sodium "
    "better than diuretics do. Small cells secrete it more often than an adenocarcinoma would. "
)
ITEMS = [
    Item(
        "bench", str(i),
        f"A smoker of {40 + i} years has a hilar mass, sodium {110 + i} mmol/L. Which is it?",
        ("Adenocarcinoma", "Small cell carcinoma", "Carcinoid", "Mesothelioma"), Choice(i % 4),
    )
    for i in range(64)
]  # fmt: skip


class Spent:
    """Processor time of our code, by calls that are wrapped at its border."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._inside = False

    def wrapped(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, timed unless another timed one calls it."""

        def timed(*args: Any, **given: Any) -> Any:
            if self._inside:
                return function(*args, **given)
            self._inside, begin = True, time.thread_time()
            try:
                return function(*args, **given)
            finally:
                self.seconds += time.thread_time() - begin
                self._inside = False

        timed.__name__ = getattr(function, "__name__", "timed")
        return timed

    def wrap_methods(self, one: Any, names: Sequence[str]) -> None:
        """The methods of an object that are ours."""
        for name in names:
            setattr(one, name, self.wrapped(getattr(one, name)))


def written(step: int, place: int, words: int) -> str:
    """A completion of so many words that no other place or step has."""
    steps = "".join(STEP.format(i=100 + step * 64 + place + k) for k in range(max(1, words // 28)))
    return f"<think>{steps}</think>\nThe answer is {'ABCD'[(step + place) % 4]}."


def instead(function: Callable[..., Any], words: int) -> Callable[..., Any]:
    """The reward function, given clinical prose in place of noise."""

    def paid(completions: Sequence[Any], trainer_state: Any = None, **given: Any) -> Any:
        texts = [written(trainer_state.global_step, i, words) for i in range(len(completions))]
        return function(completions=texts, trainer_state=trainer_state, **given)

    paid.__name__ = REWARD
    return paid


def bare_reward() -> Callable[..., Any]:
    """The same component with nothing around it."""
    component = find_reward(REWARD).function
    items = {item.item_id: item for item in ITEMS}

    def paid(completions: Sequence[str], number: Sequence[str], **_: Any) -> list[float | None]:
        return [
            component(items[n], Completion(t)) for n, t in zip(number, completions, strict=True)
        ]

    return paid


def clock(spent: Spent) -> tuple[Any, list[tuple[float, float, float]]]:
    """A callback that notes processor, clock and our seconds of each step."""
    from transformers import TrainerCallback

    times: list[tuple[float, float, float]] = []
    begun: list[float] = []

    class Clock(TrainerCallback):
        def on_step_begin(self, *_: Any, **__: Any) -> None:
            begun[:] = [time.process_time(), time.perf_counter(), spent.seconds]

        def on_step_end(self, *_: Any, **__: Any) -> None:
            now = (time.process_time(), time.perf_counter(), spent.seconds)
            times.append(tuple(b - a for a, b in zip(begun, now, strict=True)))

    return Clock(), times


def weights(folder: Path, width: int, layers: int) -> Path:
    """A model of random weights, with the tests' tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, Qwen3Config

    from tiny import tiny_model

    tiny_model(folder, template="none")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    config = Qwen3Config(
        vocab_size=len(tokenizer), hidden_size=width, intermediate_size=3 * width,
        num_hidden_layers=layers, num_attention_heads=width // 64,
        num_key_value_heads=width // 64, head_dim=64, max_position_embeddings=2048,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    return folder


def stage_of(trainer: str, options: argparse.Namespace) -> tuple[Recipe, Any]:
    """The recipe of the measurement, and its stage."""
    batch = options.generations if trainer == "grpo" else 8
    settings: dict[str, Any] = {
        "max_steps": options.steps, "per_device_train_batch_size": batch, "learning_rate": 1e-5,
        "seed": 1, "save_steps": 10_000, "warmup_steps": 0,
    }  # fmt: skip
    stage: dict[str, Any] = {"name": "bench", "trainer": trainer, "settings": settings}
    if trainer == "grpo":
        settings |= {
            "num_generations": options.generations, "max_completion_length": options.tokens,
            "generation_kwargs": {"min_new_tokens": options.tokens},
        }  # fmt: skip
        stage["reward"] = REWARD
    else:
        settings |= {"max_length": 2048}
    recipe = {"id": "bench", "title": "t", "summary": "s", "stages": [stage]}
    made = Recipe.model_validate(recipe)
    return made, made.stages[0]


@contextmanager
def trainer_of(
    ours: bool, trainer: str, options: argparse.Namespace, model: Path, folder: Path
) -> Iterator[tuple[Any, list[tuple[float, float, float]]]]:
    """One arm, ready to train, and where its times are noted."""
    import datasets
    import trl
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from viva.training import _trl, journal
    from viva.training.datasets import rows_of
    from viva.training.reward_functions import reward_functions

    recipe, stage = stage_of(trainer, options)
    tokenizer = AutoTokenizer.from_pretrained(model)
    policy = AutoModelForCausalLM.from_pretrained(model)
    examples = [
        Example(item, completion=written(0, i, options.words)) for i, item in enumerate(ITEMS)
    ]
    rows = rows_of(examples, trainer, recipe, tokenizer)
    data = datasets.Dataset.from_list(rows.rows).add_column("number", [i.item_id for i in ITEMS])
    config, _ = _trl.configured(stage, folder, seed=1, gpu=False)
    config.save_strategy = "no"
    spent = Spent()
    timed, times = clock(spent)
    if not ours:
        given = {
            "model": policy,
            "args": config,
            "processing_class": tokenizer,
            "callbacks": [timed],
        }
        if trainer == "grpo":
            paid = instead(spent.wrapped(bare_reward()), options.words)
            yield trl.GRPOTrainer(train_dataset=data, reward_funcs=[paid], **given), times
        else:
            config.dataset_kwargs = None
            plain = data.select_columns(["prompt", "completion"])
            yield trl.SFTTrainer(train_dataset=plain, **given), times
        return
    counts, functions = None, []
    if trainer == "grpo":
        made = reward_functions(
            stage, group_size=options.generations, end_ids=[tokenizer.eos_token_id]
        )
        counts = made.counts
        functions = [instead(spent.wrapped(f), options.words) for f in made.functions]
    with journal.recording(folder, "bench", counted=counts, show=options.view) as callback:
        spent.wrap_methods(callback, ("on_train_begin", "on_step_end", "on_log", "on_train_end"))
        built = _trl.make_trainer(
            stage, config, policy, tokenizer, data, reward_functions=functions,
            callbacks=[callback, timed],
        )  # fmt: skip
        if trainer == "grpo":
            spent.wrap_methods(built, ("_tokenize_prompts",))
        yield built, times


def losses(trainer: Any) -> list[tuple[Any, Any]]:
    """What was logged of each step."""
    return [(e["loss"], e.get("reward")) for e in trainer.state.log_history if "loss" in e]


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean and its 95 % interval, by Student's t."""
    from scipy.stats import t

    mean = statistics.fmean(values)
    if len(values) < 2:
        return mean, math.nan, math.nan
    half = t.ppf(0.975, len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
    return mean, mean - half, mean + half


def measure(trainer: str, options: argparse.Namespace, model: Path) -> bool:
    """Both arms in turn; whether our share is at most 2 %."""
    from transformers import PrinterCallback, ProgressCallback

    times: dict[bool, list[list[tuple[float, float, float]]]] = {False: [], True: []}
    logs: dict[bool, Any] = {}
    for repeat in range(options.repeats):
        for ours in (False, True) if repeat % 2 == 0 else (True, False):
            with (
                tempfile.TemporaryDirectory() as folder,
                trainer_of(ours, trainer, options, model, Path(folder)) as (made, noted),
            ):
                for kind in (PrinterCallback, ProgressCallback):
                    made.remove_callback(kind)
                made.train()
                times[ours].append(noted[1:])
                if repeat == 0:
                    logs[ours] = losses(made)
    parameters = sum(p.numel() for p in made.model.parameters())
    pairs = [
        (bare, our)
        for one, other in zip(times[False], times[True], strict=True)
        for bare, our in zip(one, other, strict=True)
    ]
    if logs[False] != logs[True]:
        print(f"{trainer}: the arms log other losses:\n  {logs[False]}\n  {logs[True]}")
    same = "the same losses" if logs[False] == logs[True] else "OTHER LOSSES"
    cpu = statistics.fmean(bare[0] for bare, _ in pairs)
    print(
        f"{trainer}: {parameters / 1e6:.1f} million parameters, {len(pairs)} pairs of steps, "
        f"{cpu:.2f} s of processor a step, {same}"
    )
    share, low, high = interval([100 * our[2] / our[0] for _, our in pairs])
    each = 1000 * statistics.fmean(our[2] for _, our in pairs)
    print(f"  our code: {each:.2f} ms a step, {share:.3f} % of the step [{low:.3f}, {high:.3f}]")
    if trainer == "grpo":
        body = 1000 * statistics.fmean(bare[2] for bare, _ in pairs)
        print(f"  of it the reward's body, as in bare TRL: {body:.2f} ms")
    for place, name in ((0, "processor"), (1, "clock")):
        mean, least, most = interval([math.log(our[place] / bare[place]) for bare, our in pairs])
        told = ", ".join(f"{math.exp(x):.4f}" for x in (least, most))
        print(f"  step time by {name}, ours / bare: {math.exp(mean):.4f} [{told}]")
    return share <= 2.0 and logs[False] == logs[True]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trainer", nargs="+", choices=("grpo", "sft"), default=["grpo", "sft"])
    parser.add_argument("--repeats", type=int, default=4)
    parser.add_argument("--steps", type=int, default=4, help="the first of a run is left out")
    parser.add_argument("--tokens", type=int, default=256, help="of a completion")
    parser.add_argument("--words", type=int, default=200, help="that a reward reads")
    parser.add_argument("--generations", type=int, default=8)
    parser.add_argument("--width", type=int, default=384)
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--view", action="store_true", help="with the live view")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    import torch

    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        model = weights(Path(folder), options.width, options.layers)
        held = [measure(trainer, options, model) for trainer in options.trainer]
    sys.exit(0 if all(held) else 1)


if __name__ == "__main__":
    main()
