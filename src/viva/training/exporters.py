"""A recipe for other trainers: configuration, reward and data of each stage, for verl or OpenRLHF.

What is learned must not change on the way. Every setting of a stage is written out in the other
trainer's words, with TRL's defaults where the stage says nothing; what it cannot be told is
refused before anything is written, and what is said otherwise stands in the README.
"""

from __future__ import annotations

import json
import math
import os
import shlex
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from viva.errors import InputError, did_you_mean
from viva.records import Item
from viva.synthesis import Example, export_examples, read_examples
from viva.training import _openrlhf, _verl
from viva.training._composing import JUDGED, composed
from viva.training._translated import Settings, batches
from viva.training.curricula import lay_out, order
from viva.training.exported_rewards import START
from viva.training.recipes import Recipe, Stage, read_recipe
from viva.training.selection import select

__all__ = ["EXPORTERS", "export_recipe"]

EXPORTERS: Mapping[str, str] = {"verl": _verl.VERSION, "openrlhf": _openrlhf.VERSION}
"""Name of a trainer -> the version whose words are written."""

_NAMES = {"verl": "verl", "openrlhf": "OpenRLHF"}
_CONTENTS = {"sft": "sft", "dpo": "dpo", "grpo": "rl"}
_REWARDS = {"verl": "compute_score", "openrlhf": "reward_func"}
_BYTES_OF_A_TOKEN = 2
"""In the bound of a prompt's length: texts have 3 to 5."""


@dataclass
class _Planned:
    """A stage, looked through before anything is written."""

    stage: Stage
    folder: str
    model: str
    """Where it begins: a model, or the folder of an earlier stage's."""
    template: str
    """Whose chat template writes starts."""
    phases: list[list[Example]]
    settings: Settings
    rows: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def examples(self) -> list[Example]:
        """Of all phases."""
        return [each for phase in self.phases for each in phase]

    @property
    def ordered(self) -> bool:
        """Whether there is a curriculum."""
        return self.stage.curriculum.order != "none"


def export_recipe(
    recipe: Recipe | str | Path,
    to: str,
    *,
    data: str | os.PathLike[str] | Sequence[Any],
    out: str | os.PathLike[str],
    model: str | None = None,
    overrides: Mapping[str, Any] | Sequence[str] | None = None,
) -> list[Path]:
    """Write a recipe for another trainer.

    Parameters
    ----------
    recipe : Recipe, str or pathlib.Path
        Or the id of a shipped one, or a file.
    to : {"verl", "openrlhf"}
    data : path, sequence of paths, of Example or of Item
        Examples or items, as :func:`viva.synthesis.read_examples` takes them; the steps of the
        recipe's synthesis are not run.
    out : path
        A folder that is new or empty: ``README.md``, ``recipe.json``, ``run.sh`` and a folder for
        each stage, written whole or not at all.
    model : str, optional
        What is trained; by default the recipe's base.
    overrides : mapping or sequence of str, optional
        As :func:`viva.training.read_recipe` takes them.

    Returns
    -------
    list of pathlib.Path
        The files.

    Raises
    ------
    InputError
        An unknown trainer; a setting, curriculum, reward or start that the trainer cannot be told;
        too few rows for one step; a folder that is not empty; no model.
    """
    if to not in EXPORTERS:
        raise InputError(f"no exporter to {to!r}", mend=did_you_mean(to, EXPORTERS))
    if not isinstance(recipe, Recipe):
        recipe = read_recipe(recipe, overrides)
    elif overrides:
        raise InputError("overrides of a recipe that is read already", mend="Give its id or file")
    start = model or recipe.base
    if start is None:
        raise InputError("there is no model", where=recipe.id, mend="Give --model PATH")
    target = Path(out)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InputError("is there already", where=str(target), mend="Name a new folder")
    examples = _read(data)
    planned = [
        _plan(recipe, number, stage, to, examples, start)
        for number, stage in enumerate(recipe.stages)
    ]
    target.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(dir=target.parent, prefix=".parts-"))
    try:
        for each in planned:
            _write_stage(recipe, each, to, new / each.folder)
        told = recipe.model_dump_json(indent=1, exclude_defaults=True) + "\n"
        (new / "recipe.json").write_text(told, "utf-8")
        (new / "README.md").write_text(_readme(recipe, to, start, planned), "utf-8")
        _script(new / "run.sh", "".join(f"./{each.folder}/run.sh\n" for each in planned))
        new.chmod(0o755)
        if target.exists():
            target.rmdir()
        new.replace(target)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return sorted(path for path in target.rglob("*") if path.is_file())


def _read(data: Any) -> list[Example]:
    """Examples of one source, or of several files."""
    if not isinstance(data, (str, os.PathLike)):
        data = list(data)
        if data and all(isinstance(each, (str, os.PathLike)) for each in data):
            data = [example for path in data for example in read_examples(path)]
    return read_examples(data)


def _folder(number: int, stage: Stage) -> str:
    return f"{number + 1:02}-{stage.name}"


def _origin(recipe: Recipe, number: int, model: str) -> str:
    """Where a stage's model lies: the base, or what an earlier stage wrote."""
    names = ["base", *(stage.name for stage in recipe.stages)]
    at = names.index(recipe.stages[number].after or names[number])
    return model if at == 0 else f"../{_folder(at - 1, recipe.stages[at - 1])}/model"


def _plan(
    recipe: Recipe, number: int, stage: Stage, to: str, examples: Sequence[Example], model: str
) -> _Planned:
    """Look a stage through; refuse it, with everything that is against it, or say how it goes."""
    settings = Settings(stage.trainer, stage.settings)
    for hook, why in (
        ("judge", "it is asked while the model is trained"),
        ("mining", "it asks the model before the stage"),
        ("uncertainty", "it looks at whole groups"),
    ):
        if getattr(stage, hook) is not None:
            settings.refuse(f"{hook} ({why})")
    if to == "openrlhf" and recipe.chat_template_kwargs:
        settings.refuse("chat_template_kwargs")
    chosen = select(examples, stage.select, seed=recipe.seed).examples
    phases = order(chosen, stage.curriculum, seed=recipe.seed)
    if to == "verl" and any(each.start for each in chosen):
        settings.refuse("starts (it has no place for the beginning of an answer)")
    origin = _origin(recipe, number, model)
    planned = _Planned(stage, _folder(number, stage), origin, model, phases, settings)
    _words(recipe, planned, to, longest=0)
    settings.done(f"{recipe.id}, stage {stage.name}", to)
    if stage.trainer == "grpo":
        sizes, items = batches(settings), {_item_key(each) for each in chosen}
        if len(items) < sizes.prompts:
            raise InputError(
                f"{len(items)} prompts do not fill one round of {sizes.prompts}: there is no step",
                where=f"{recipe.id}, stage {stage.name}",
                mend="Make the round smaller with --set (gradient_accumulation_steps, "
                "steps_per_generation), or give more data",
            )
    return planned


def _item_key(example: Example) -> tuple[str, str, str]:
    return example.item.benchmark, example.item.item_id, example.start


def _words(recipe: Recipe, planned: _Planned, to: str, *, longest: int) -> dict[str, Any]:
    """The stage in the other trainer's words."""
    stage, settings = planned.stage, planned.settings
    del settings.notes[:]
    if to == "openrlhf":
        return _openrlhf.arguments(recipe, stage, settings, longest=longest)
    rules = stage.model_copy(update={"judge": None, "reward": _rules(stage)})
    parts = {part.name: part.weight for part in composed(rules)} if stage.reward else {}
    return _verl.configuration(recipe, stage, settings, longest=longest, parts=parts)


def _rules(stage: Stage) -> Any:
    """The reward without the part of a judge, which is refused elsewhere."""
    if stage.reward is None or isinstance(stage.reward, str):
        return stage.reward
    return [part for part in stage.reward if part.name != JUDGED] or "any_outcome"


# Files -----------------------------------------------------------------------------------------


def _write_stage(recipe: Recipe, planned: _Planned, to: str, folder: Path) -> None:
    folder.mkdir()
    stage = planned.stage
    examples = planned.examples
    begun = any(each.start for each in examples)
    if begun and stage.trainer == "grpo":  # the reward has to know how the answer began
        examples = [replace(each, item=_with_start(each)) for each in examples]
    made = export_examples(
        examples,
        to,
        folder / "data",
        content=_CONTENTS[stage.trainer],
        method=recipe.method,
        parameters=recipe.parameters,
        prompt=recipe.prompt,
        template=planned.template if begun else None,
    )
    planned.rows, planned.left_out = made.n, made.left_out
    if to == "verl":
        file = folder / "data" / "train.parquet"
        if planned.ordered:
            _lay_out(file, planned, recipe.seed)
        words = _words(recipe, planned, to, longest=_longest_of_turns(file, stage.trainer))
        config = json.dumps(words, indent=2, ensure_ascii=False) + "\n"  # JSON is YAML
        (folder / "config.yaml").write_text(config, "utf-8")
        start = _verl.command(stage)
    else:
        words = _words(recipe, planned, to, longest=_longest(folder / "data" / "train.jsonl"))
        start = _openrlhf.command(stage, words, templated=begun)
    if stage.trainer == "grpo":
        (folder / "reward.py").write_text(_reward_file(stage, to), "utf-8")
    model = shlex.quote(planned.model)
    head = f"# Further arguments go to the trainer.\nMODEL=${{MODEL:-{model}}}\nGPUS=${{GPUS:-1}}\n"
    _script(folder / "run.sh", head + start)


def _with_start(example: Example) -> Item:
    return replace(example.item, meta={**example.item.meta, START: example.start})


def _lay_out(file: Path, planned: _Planned, seed: int) -> None:
    """Put the rows in the order of the curriculum, epochs included: verl reads them once."""
    import polars as pl

    frame = pl.read_parquet(file)
    ids = frame["extra_info"].struct.field("id").to_list()
    at = {name: row for row, name in enumerate(ids)}
    named = {_id(each): each for each in planned.examples}
    phases = [[e for e in phase if _id(e) in at] for phase in planned.phases]
    epochs = max(1, round(float(planned.settings.take("num_train_epochs"))))
    shuffled = planned.stage.curriculum.phases > 1
    laid = lay_out([p for p in phases if p], epochs=epochs, seed=seed, shuffled=shuffled)
    assert len(named) >= len(at)
    frame[[at[_id(each)] for each in laid]].write_parquet(file)


def _id(example: Example) -> str:
    return f"{example.item.benchmark}/{example.item.item_id}/{example.number}"


def _longest_of_turns(file: Path, trainer: str) -> int:
    import polars as pl

    column = pl.read_parquet(file)["prompt" if trainer == "grpo" else "messages"]
    return _bound(sum(len(turn["content"].encode()) for turn in turns) for turns in column)


def _longest(file: Path) -> int:
    with file.open(encoding="utf-8") as lines:
        prompts = [json.loads(line)["prompt"] for line in lines]
    return _bound(
        len((p if isinstance(p, str) else "".join(turn["content"] for turn in p)).encode())
        for p in prompts
    )


def _bound(sizes: Iterable[int]) -> int:
    """Tokens that no prompt has more of, in whole hundreds."""
    tokens = int(max(sizes)) // _BYTES_OF_A_TOKEN + 64
    return math.ceil(tokens / 100) * 100


def _reward_file(stage: Stage, to: str) -> str:
    return (
        f'"""The reward of the stage {stage.name}."""\n\n'
        "from pathlib import Path\n\n"
        "from viva.training.exported_rewards import reward_of\n\n"
        'RECIPE = Path(__file__).resolve().parents[1] / "recipe.json"\n'
        f'{_REWARDS[to]} = reward_of(RECIPE, "{stage.name}", "{to}")\n'
    )


def _script(path: Path, body: str) -> None:
    head = '#!/usr/bin/env bash\nset -euo pipefail\ncd "$(dirname "$0")"\n'
    path.write_text(head + body, "utf-8")
    path.chmod(0o755)


_HEAD = "| stage | kind | begins with | rows | left out |\n|---|---|---|---|---|"


def _readme(recipe: Recipe, to: str, model: str, planned: Sequence[_Planned]) -> str:
    name = _NAMES[to]
    rows = [
        f"| `{each.folder}` | {each.stage.trainer} | `{each.model}` | {each.rows} | "
        + (", ".join(f"{n} {reason}" for reason, n in each.left_out.items()) or "none")
        + " |"
        for each in planned
    ]
    parts = [
        f"# {recipe.title}",
        f"The recipe `{recipe.id}` for {name} {EXPORTERS[to]}, trained from `{model}`. "
        + recipe.summary
        + (f" Paper: {recipe.paper}." if recipe.paper else ""),
        "`./run.sh` runs the stages one after the other; `MODEL` and `GPUS` (of this machine, 1 "
        "unless set) can be set for each, and further arguments go to the trainer. Batches are "
        f"those of the whole machine. The reward imports viva: install it where {name} is.",
        "\n".join(
            ["| stage | kind | begins with | rows | left out |", "|---|---|---|---|---|", *rows]
        ),
    ]
    notes = [f"- `{each.folder}`: {note}" for each in planned for note in each.settings.notes]
    left = sorted({setting for each in planned for setting in each.settings.left()})
    if left:
        told = ", ".join(f"`{setting}`" for setting in left)
        notes.append(f"- Left to {name}, as they change nothing that is learned: {told}.")
    if notes:
        parts += ["## Said otherwise", "\n".join(notes)]
    if recipe.departs:
        departs = "\n".join(f"- {each}" for each in recipe.departs)
        parts += ["## Where the recipe departs from its paper", departs]
    return "\n\n".join(parts) + "\n"
