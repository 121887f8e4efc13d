"""`viva train`: SFT, DPO and GRPO by a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from viva.cli._options import panel

if TYPE_CHECKING:
    from viva.training import Trained

__all__ = ["command"]

_how = panel("How it is trained")
_elsewhere = panel("By another trainer")


def command(
    recipe: Annotated[
        str | None,
        typer.Argument(help="Id of a shipped recipe, or a TOML file.", show_default=False),
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(
            "--data",
            help="Examples, items, a folder of `viva synthesise` or a world's; repeatable.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            help="Folder of the weights that are trained, or a name in the hub's cache.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder; one cut short goes on.", show_default=False),
    ] = None,
    evaluation: Annotated[
        list[str] | None,
        typer.Option(
            "--evaluation",
            help="Items to be examined with, of which none may be in the data; repeatable.",
            show_default=False,
        ),
    ] = None,
    list_recipes: Annotated[
        bool, typer.Option("--list", help="List the shipped recipes, and stop.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Make the checks before the first step, and stop.")
    ] = False,
    overrides: Annotated[
        list[str] | None,
        _how("--set", "KEY=VALUE of the recipe: stages.0.settings.learning_rate=1e-4; repeatable."),
    ] = None,
    teacher: Annotated[
        str | None,
        _how("--teacher", "openai/NAME, hf/PATH: whom steps of synthesis ask that name no model."),
    ] = None,
    allow_cpu: Annotated[
        bool, _how("--allow-cpu", "Try a recipe that needs a GPU without one.")
    ] = False,
    accept: Annotated[
        list[str] | None,
        _how("--accept", "A check whose refusal becomes a warning; repeatable."),
    ] = None,
    report_to: Annotated[
        list[str] | None,
        _how("--report-to", "tensorboard, wandb, mlflow or trackio; repeatable."),
    ] = None,
    to: Annotated[
        str | None,
        _elsewhere(
            "--to", "verl or openrlhf: write the recipe for it into OUT, and train nothing."
        ),
    ] = None,
) -> None:
    """Train a model by a recipe: its data, then its stages by TRL, each with checks before it.

    The same command again goes on where it was, to the same losses.

    Examples
    --------
        viva train --list

        viva train laptop --data examples.jsonl --model base/ --out trained/ --check

        viva train laptop --data examples.jsonl --model base/ --out trained/

        viva train laptop --data examples.jsonl --model base/ --out trained-longer/
        --set stages.sft.settings.num_train_epochs=4

        viva train alphamed --data train.jsonl --model base/ --out for-verl/ --to verl
    """
    if list_recipes:
        _list()
        return
    from viva._progress import bars
    from viva.errors import InputError

    if recipe is None:
        raise InputError("no recipe", mend="viva train --list shows the shipped ones")
    if not data:
        raise InputError("no data", where="--data", mend="Name a file of examples or items")
    if out is None:
        raise InputError("nowhere to write", where="--out", mend="Name a folder")
    if to is not None:
        from viva.training.exporters import export_recipe

        for path in export_recipe(
            recipe, to, data=data[0] if len(data) == 1 else data, out=out, model=model,
            overrides=overrides,
        ):  # fmt: skip
            typer.echo(str(path))
        return
    if model is None:
        raise InputError("no model", where="--model", mend="Name the folder of its weights")
    from viva.training import train

    trained = train(
        recipe, data=data[0] if len(data) == 1 else data, model=model, out=out,
        evaluation=evaluation or (), overrides=overrides, teacher=teacher, allow_cpu=allow_cpu,
        accept=accept or (), report_to=report_to or (), check=check, progress=bars,
    )  # fmt: skip
    _tell(trained, check=check)


def _tell(trained: Trained, *, check: bool) -> None:
    if check:
        ((name, told),) = trained.manifest.get("checked", {}).items() or (("", None),)
        if told is not None:
            typer.echo(
                f"{name}: {told['examples']} examples, {told['steps']} steps; nothing trained"
            )
        else:
            typer.echo("every stage is finished")
        return
    for name, told in trained.manifest["stages"].items():
        gone_on = f", from step {told['resumed_from']}" if told.get("resumed_from") else ""
        typer.echo(
            f"{name}: {told['examples']} examples, {told['steps']} steps{gone_on}, "
            f"{told['seconds']:.0f} s"
        )
        for reason, count in told["left_out"].items():
            typer.echo(f"  left out: {count} {reason}")
        if told["changed_for_device"]:
            names = ", ".join(told["changed_for_device"])
            typer.echo(f"  not on this device: {names}")
    typer.echo(f"the model: {trained.model}")
    typer.echo(f"viva eval --model hf/{trained.model} --benchmark NAME --out RUN examines it")


def _list() -> None:
    from rich.console import Console
    from rich.table import Table

    from viva.training.recipes import read_recipe, recipes

    table = Table("Recipe", "Stages", "What it does", "Paper", box=None, pad_edge=False)
    for name in recipes():
        read = read_recipe(name)
        stages = " + ".join(stage.trainer for stage in read.stages)
        table.add_row(name, stages, read.summary, read.paper or "")
    Console(highlight=False).print(table)
