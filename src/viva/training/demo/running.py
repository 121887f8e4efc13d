"""One run of the demo: a world and a seed, from random weights to the examined arms."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from viva.runs.folder import write_whole
from viva.synthesis import Example
from viva.training.demo.examination import choice_of, examine, papers_of
from viva.training.demo.lessons import exercises, lessons, numbered, recoveries
from viva.training.demo.network import make_network, warm_up
from viva.training.demo.parts import Parts, parts_of
from viva.training.demo.tokenizer import word_tokenizer
from viva.training.recipes import read_recipe
from viva.training.running import train
from viva.worlds import FORMS, starts_of

__all__ = ["ARMS", "FULL", "QUICK", "Size", "run_one"]

_HERE = Path(__file__).parent
ARMS = ("before", "grpo", "control")
"""After the lessons; after recoveries and GRPO; after recoveries and as much more SFT."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large a run is."""

    organs: int = 5
    items: int = 6000
    """Of the world."""
    width: int = 96
    warm_up: int = 600
    """Steps at most."""
    lessons: int = 6400
    """Examples."""
    lesson_steps: int = 400
    chains: int = 250
    """Reasoning items whose steps are shown."""
    recovery_steps: int = 100
    grpo_steps: int = 150
    recall: float = 0.2
    """Share of recall items in practice."""
    started: float = 0.2
    """Share of reasoning items with a start in practice."""
    reasoning_test: int = 300
    recall_test: int = 150
    started_test: int = 100


FULL = Size()
QUICK = Size(
    organs=5, items=600, width=32, warm_up=4, lessons=64, lesson_steps=3, chains=20,
    recovery_steps=2, grpo_steps=2, reasoning_test=12, recall_test=8, started_test=4,
)  # fmt: skip
"""Everything runs, nothing is learned."""


def run_one(
    world: int, seed: int, folder: Path, size: Size = FULL, *,
    overrides: Mapping[str, Any] | None = None, say: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:  # fmt: skip
    """Train and examine all arms of one world and seed; goes on where it was cut short.

    Parameters
    ----------
    world, seed : int
        Of the medicine and its parts; of weights and draws.
    folder : path
        Of this run.
    size : Size
    overrides : mapping, optional
        Values of ``demo.toml`` to be replaced.
    say : callable
        Is told what has been done.

    Returns
    -------
    dict
        ``papers``, ``choices`` by arm, ``responses``; ``seconds`` of processor and ``steps`` by
        stage.
    """
    import torch

    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / "answers.json"
    if done.is_file():
        return json.loads(done.read_text("utf-8"))  # type: ignore[no-any-return]
    parts = parts_of(world, organs=size.organs, size=size.items)
    recipe = read_recipe(_HERE / "demo.toml", overrides)
    recipe = recipe.model_copy(update={"prompt": str(_HERE / "prompt.jinja"), "seed": seed})
    told: dict[str, Any] = {"world": world, "seed": seed, "seconds": {}, "steps": {}}
    base = _base(folder / "0-warm-up", parts, size, seed, told)
    say(f"world {world}, seed {seed}: warm-up {told['steps'].get('warm-up', '')} steps")
    taught = lessons(parts, number=size.lessons, chains=size.chains, seed=seed)
    trials = recoveries(parts, number=32 * size.recovery_steps, chains=size.chains, seed=seed)
    practice = exercises(
        parts, number=9 * size.grpo_steps, recall=size.recall, started=size.started, seed=seed
    )
    mixed = numbered([*trials, *taught[: len(trials)]])

    def stage(name: str, data: Sequence[Example], model: Path, steps: int) -> Path:
        chosen = next(each for each in recipe.stages if each.name == name)
        chosen = chosen.model_copy(
            update={"settings": chosen.settings | {"max_steps": steps}, "after": None}
        )
        begun = time.process_time()
        made = train(
            recipe.model_copy(update={"stages": [chosen], "id": f"demo-{name}"}),
            data=data, model=model, out=folder / name, quiet=True,
        )  # fmt: skip
        if name not in told["seconds"]:
            # Where the stage went on from a checkpoint, only the rest of it was timed.
            resumed = made.manifest["stages"][f"01-{name}"]["resumed_from"] or 0
            spent = (time.process_time() - begun) * steps / max(1, steps - resumed)
            told["seconds"][name], told["steps"][name] = spent, steps
        _keep(folder, told)
        say(f"world {world}, seed {seed}: {name} {steps} steps, {told['seconds'][name]:.0f} s")
        return made.model

    told |= _kept(folder)
    before = stage("lessons", taught, base, size.lesson_steps)
    recovered = stage("recoveries", mixed, before, size.recovery_steps)
    grpo = stage("grpo", practice, recovered, size.grpo_steps)
    # As much processor time as GRPO had, at the pace of the lessons.
    pace = told["seconds"]["lessons"] / told["steps"]["lessons"]
    more = max(1, round(told["seconds"]["grpo"] / pace))
    control = stage("control", numbered([*trials, *taught]), recovered, more)
    papers = papers_of(
        parts, reasoning=size.reasoning_test, recall=size.recall_test, started=size.started_test
    )
    answers = {
        arm: examine(model, papers, recipe, name=arm)
        for arm, model in zip(ARMS, (before, grpo, control), strict=True)
    }
    told["papers"] = [paper.told() for paper in papers]
    told["choices"] = {
        arm: [choice_of(paper, said) for paper, said in zip(papers, given, strict=True)]
        for arm, given in answers.items()
    }
    told["responses"] = [asdict(said) for given in answers.values() for said in given]
    write_whole(done, json.dumps(told).encode())
    say(f"world {world}, seed {seed}: examined")
    return told


def _base(folder: Path, parts: Parts, size: Size, seed: int, told: dict[str, Any]) -> Path:
    """A model with a tokenizer of the world's words, after its warm-up."""
    if (folder / "model.safetensors").is_file():
        return folder
    texts = [parts.world.textbook, "book Index. Restate. Check: Steps:"]
    texts.append("<think> </think> Answer: a b c d e")
    graph = parts.world.graph
    for drawn in parts.world.drawn:
        item = drawn.item
        texts += [item.question, *item.options, *item.meta["steps"]]
    for drawn in parts.test[:100]:
        texts += [start.text for start in starts_of(drawn, graph, 0, forms=FORMS)]
        texts += [start.text for start in starts_of(drawn, graph, 1, forms=FORMS)]
    tokenizer = word_tokenizer(texts)
    model = make_network(tokenizer, width=size.width, seed=seed)
    begun = time.process_time()
    steps, loss = warm_up(model, most=size.warm_up, seed=seed)
    told["seconds"]["warm-up"] = time.process_time() - begun
    told["steps"]["warm-up"] = steps
    told["warm_up_loss"] = loss
    _keep(folder.parent, told)
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)
    return folder


def _keep(folder: Path, told: Mapping[str, Any]) -> None:
    write_whole(folder / "told.json", json.dumps(told).encode())


def _kept(folder: Path) -> dict[str, Any]:
    path = folder / "told.json"
    return json.loads(path.read_text("utf-8")) if path.is_file() else {}
