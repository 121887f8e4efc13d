"""Training by a recipe: its data, its stages one after another, each continued where it stopped."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viva._progress import Progress, silent
from viva.errors import InputError, did_you_mean
from viva.models._weights import described, find, fingerprint
from viva.runs.folder import holder
from viva.runs.manifest import git_commit, now
from viva.synthesis import Example, check_keys, read_examples
from viva.training._folders import (
    DATA,
    MODEL,
    check_same,
    data_identity,
    holding,
    trainer_versions,
    write_manifest,
)
from viva.training.recipes import Recipe, Stage, read_recipe

if TYPE_CHECKING:
    import polars as pl

    from viva.training._stages import Ground

__all__ = ["Trained", "train"]

_MEND = "pip install 'vivavoce[train]'"


@dataclass(frozen=True, slots=True)
class Trained:
    """What came of a training."""

    folder: Path
    model: Path
    """Folder of the model after the last stage."""
    manifest: Mapping[str, Any]
    """The file ``manifest.json``."""


def train(
    recipe: str | os.PathLike[str] | Recipe,
    *,
    data: Any,
    model: str | os.PathLike[str],
    out: str | os.PathLike[str],
    evaluation: Sequence[Any] = (),
    overrides: Mapping[str, Any] | Sequence[str] | None = None,
    teacher: Any = None,
    allow_cpu: bool = False,
    accept: Collection[str] = (),
    report_to: Sequence[str] = (),
    check: bool = False,
    quiet: bool = False,
    progress: Progress | None = None,
) -> Trained:
    """Train a model by a recipe.

    The same call goes on where an earlier one stopped: finished stages are kept, a stage that was
    cut short goes on from its last checkpoint to the losses that it would have had.

    Parameters
    ----------
    recipe : str, path or Recipe
        The id of a shipped recipe, a file, or a recipe that was read.
    data : path, sequence of paths, of Example or of Item
        As :func:`viva.synthesis.read_examples`.
    model : path
        A folder of weights (safetensors) with a tokenizer, or a name that is in the hub's cache.
        It is not changed.
    out : path
        A folder of the training: for each stage a folder ``NN-name`` with checkpoints,
        ``log.jsonl`` and ``model``; ``manifest.json``, and the model card ``README.md``.
    evaluation : sequence of paths or of Item
        What the model will be examined with: none of it may stand in the data.
    overrides : mapping or sequence of str, optional
        Of the recipe: see :func:`viva.training.read_recipe`.
    teacher : str or viva.synthesis.Caller, optional
        Whom steps of synthesis ask that name no model.
    allow_cpu : bool
        Try a recipe that needs a GPU without one.
    accept : collection of str
        Checks of :data:`viva.training.CHECKS` whose refusals become warnings.
    report_to : sequence of str
        Trackers of TRL: ``tensorboard``, ``wandb``, ``mlflow``, ``trackio``.
    check : bool
        Make the checks of the first stage that is not finished, and train nothing.
    quiet : bool
        Print nothing.
    progress : callable, optional
        As :func:`viva._progress.bars`, for the synthesis.

    Returns
    -------
    Trained

    Raises
    ------
    InputError
        The extra is not installed; a recipe, data or a model that cannot be used; a GPU that is
        not there; a folder of another training (what differs is named); a refusal of the checks.
    """
    if not isinstance(recipe, Recipe):
        recipe = read_recipe(os.fspath(recipe), overrides)
    elif overrides:
        raise InputError("overrides are of a recipe that is read here", mend="Name its file")
    gpu = _device(recipe, allow_cpu)
    _check_names(recipe, Path(out), gpu=gpu)
    _check_trackers(report_to)
    base = find(os.fspath(model))
    folder = Path(out)
    from viva.training._stages import Ground

    with holding(folder) as earlier:
        examples = _examples(recipe, data, folder, teacher, evaluation, progress or silent)
        identity = {
            "recipe": recipe.model_dump(mode="json"),
            "data": data_identity(examples),
            "model": {
                "files": described(base),
                "weights": fingerprint(sorted(base.glob("*.safetensors"))),
            },
            "device": "cuda" if gpu else "cpu",
        }
        if earlier:
            check_same(folder, earlier, identity)
        manifest = earlier or {
            "identity": identity, "base": str(model), "stages": {}, "sessions": [],
        }  # fmt: skip
        ground = Ground(
            recipe, examples, _items(evaluation), gpu, allow_cpu=allow_cpu, accept=accept,
            report_to=report_to, quiet=quiet,
        )  # fmt: skip
        return _run(ground, manifest, folder, base, check=check)


def _run(
    ground: Ground, manifest: dict[str, Any], folder: Path, base: Path, *, check: bool
) -> Trained:
    """The stages that are not finished, one after another."""
    from viva.training._stages import run_stage
    from viva.training._trl import without_noise
    from viva.training.card import write_card

    manifest["versions"] = trainer_versions()
    manifest["git"] = git_commit()
    manifest["sessions"].append({"begun": now(), **holder()})
    write_manifest(folder, manifest)
    last = base
    for number, stage in enumerate(ground.recipe.stages, 1):
        name = f"{number:02d}-{stage.name}"
        begins = _begins(folder, ground.recipe, number, base)
        if name not in manifest["stages"]:
            with without_noise():
                told = run_stage(ground, stage, folder / name, begins, check=check)
            if check:
                return Trained(folder, begins, manifest | {"checked": {name: told}})
            manifest["stages"][name] = told
            write_manifest(folder, manifest)
        last = folder / name / MODEL
    manifest["sessions"][-1]["ended"] = now()
    write_manifest(folder, manifest)
    write_card(folder, examples=ground.examples)
    return Trained(folder, last, manifest)


def _device(recipe: Recipe, allow_cpu: bool) -> bool:
    """Whether there is a GPU; nothing else has been looked at before."""
    try:
        import torch
    except ImportError:
        raise InputError("training needs the extra train", mend=_MEND) from None
    gpu = torch.cuda.is_available()
    if recipe.needs_gpu and not gpu and not allow_cpu:
        raise InputError(
            f"the recipe {recipe.id} needs a GPU, and there is none here",
            mend="Train where there is one, or pass --allow-cpu with a small model and --set "
            "smaller settings",
        )
    return bool(gpu)


def _check_names(recipe: Recipe, out: Path, *, gpu: bool) -> None:
    """Refuse what a stage could not use, the last one too, before any data is read."""
    try:
        import peft  # noqa: F401
        import trl  # noqa: F401
    except ImportError as error:
        raise InputError(f"training needs the extra train ({error})", mend=_MEND) from None
    from viva import methods
    from viva.synthesis import find_step
    from viva.training import _trl
    from viva.training._composing import JUDGED
    from viva.training.rewards import find_reward

    methods.check_starts(recipe.method)
    methods.set_parameters(recipe.method, recipe.parameters)
    if recipe.prompt:
        methods.load_prompt(recipe.prompt)
    for step in recipe.synthesis:
        find_step(step.step)
    for stage in recipe.stages:
        try:
            _trl.configured(stage, out, seed=recipe.seed, gpu=gpu)
            named = [stage.reward] if isinstance(stage.reward, str) else stage.reward or []
            for part in named:
                name = part if isinstance(part, str) else part.name
                if name != JUDGED:
                    find_reward(name)
        except InputError as error:
            where = f"{recipe.id}, stage {stage.name}"
            raise InputError(error.what, where=where, mend=error.mend) from None


_TRACKERS = ("tensorboard", "wandb", "mlflow", "trackio")


def _check_trackers(names: Sequence[str]) -> None:
    for name in names:
        if name not in _TRACKERS:
            raise InputError(f"unknown tracker {name!r}", mend=did_you_mean(name, _TRACKERS))
        if find_spec(name) is None:
            raise InputError(f"the tracker {name} is not installed", mend=f"pip install {name}")


def _examples(
    recipe: Recipe, data: Any, folder: Path, teacher: Any, evaluation: Sequence[Any],
    progress: Progress,
) -> list[Example]:  # fmt: skip
    if recipe.synthesis:
        from viva.synthesis import synthesise

        steps = [{"step": step.step, **step.settings} for step in recipe.synthesis]
        made = synthesise(
            steps, data, folder / DATA, model=teacher, seed=recipe.seed, progress=progress,
            against=[each for each in evaluation if isinstance(each, (str, os.PathLike))],
        )  # fmt: skip
        return made.examples
    if isinstance(data, (str, os.PathLike)):
        return read_examples(data)
    given = list(data)
    if given and all(isinstance(each, (str, os.PathLike)) for each in given):
        found = [example for path in given for example in read_examples(path)]
        check_keys(found)
        return found
    return read_examples(given)


def _items(evaluation: Sequence[Any]) -> pl.DataFrame | None:
    """The items of all evaluation sources, in one frame."""
    if not evaluation:
        return None
    from viva.records import items_frame

    paths = [each for each in evaluation if isinstance(each, (str, os.PathLike))]
    rows = [each for each in evaluation if not isinstance(each, (str, os.PathLike))]
    sources: list[Any] = [*paths, rows] if rows else paths
    return items_frame(each.item for source in sources for each in read_examples(source))


def _begins(folder: Path, recipe: Recipe, number: int, base: Path) -> Path:
    """The model in which a stage begins."""
    stage: Stage = recipe.stages[number - 1]
    if stage.after == "base" or (stage.after is None and number == 1):
        return base
    names = [each.name for each in recipe.stages]
    at = number - 1 if stage.after is None else names.index(stage.after) + 1
    return folder / f"{at:02d}-{names[at - 1]}" / MODEL
