"""`viva synthesise`: steps that turn items into training data, and the formats of trainers."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from viva.cli._options import panel

if TYPE_CHECKING:
    from viva.synthesis import Step, Synthesised

__all__ = ["command"]

_model = panel("The model of steps that ask one")
_out = panel("For a trainer")


def command(
    pipeline: Annotated[
        Path | None,
        typer.Argument(
            help="TOML file with [[steps]]; without one the data are only read.",
            show_default=False,
        ),
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(
            "--data",
            help="Items, examples, a world's or synthesis's folder, made:NAME; repeatable.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder; one cut short goes on.", show_default=False),
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option(
            "--against",
            help="Evaluation items that must not be in the data; repeatable.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option("--seed", help="In place of the pipeline's (0).", show_default=False),
    ] = None,
    list_steps: Annotated[
        bool, typer.Option("--list", help="List the steps and their settings, and stop.")
    ] = False,
    model: Annotated[
        str | None, _model("--model", "openai/NAME, hf/PATH, replay/PATH: of steps that name none.")
    ] = None,
    base_url: Annotated[
        list[str] | None, _model("--base-url", "Server of openai/NAME; repeatable.")
    ] = None,
    api_key_env: Annotated[
        str, _model("--api-key-env", "Environment variable that holds the key.")
    ] = "OPENAI_API_KEY",
    max_connections: Annotated[
        int | None, _model("--max-connections", "Calls at once.", min=1)
    ] = None,
    timeout: Annotated[float, _model("--timeout", "Seconds for one try.")] = 600,
    max_calls: Annotated[int | None, _model("--max-calls", "Most calls.", min=1)] = None,
    max_tokens: Annotated[int | None, _model("--max-tokens", "Most tokens.", min=1)] = None,
    to: Annotated[
        list[str] | None,
        _out("--to", "trl, llama-factory, openrlhf, verl or axolotl, into OUT/NAME; repeatable."),
    ] = None,
    content: Annotated[
        str | None,
        _out("--content", "sft, dpo or rl; by default what the examples are."),
    ] = None,
    method: Annotated[
        str, _out("--method", "How the model will be asked, as `viva eval --method`.")
    ] = "cot",
    prompt: Annotated[str | None, _out("--prompt", "A prompt's name, or a file.")] = None,
    template: Annotated[
        str | None,
        _out("--template", "Model folder or chat template: rows as text under it, with starts."),
    ] = None,
) -> None:
    """Make training data: steps over items, each example with where it came from.

    Every finished step is a file of the folder, with the rows that it dropped and why in another.
    The same command again goes on where it was; calls that were answered are not made again.

    Examples
    --------
        viva synthesise --list

        viva synthesise steps.toml --data world/ --out data/ --to trl

        viva synthesise steps.toml --data train.jsonl --against medqa.jsonl
        --model openai/NAME --out data/
    """
    if list_steps:
        _list()
        return
    from viva._progress import bars
    from viva.errors import InputError
    from viva.models.specs import ModelOptions
    from viva.runs.session import Limits
    from viva.synthesis import export_examples, synthesise
    from viva.synthesis.trainer_formats import find_trainer

    if not data:
        raise InputError("no data", where="--data", mend="Name a file of items or examples")
    if out is None:
        raise InputError("nowhere to write", where="--out", mend="Name a folder")
    for name in to or ():
        find_trainer(name)
    options = ModelOptions(
        base_urls=tuple(base_url or ()), api_key_env=api_key_env, timeout=timeout,
        connections=max_connections,
    )  # fmt: skip
    budget = None
    if max_calls is not None or max_tokens is not None:
        budget = Limits(max_calls=max_calls, max_tokens=max_tokens)
    made = synthesise(
        pipeline or [], data, out, model=model, against=against or (), seed=seed,
        options=options, budget=budget, progress=bars,
    )  # fmt: skip
    _tell(made)
    for name in to or ():
        exported = export_examples(
            made.examples, name, out / name, content=content, method=method, prompt=prompt,
            template=template, manifest=made.manifest,
        )  # fmt: skip
        lost = "".join(f", {n:,} {reason}" for reason, n in exported.left_out.items())
        typer.echo(f"{name}: {exported.n:,} rows ({exported.content}){lost} in {exported.folder}")


def _tell(made: Synthesised) -> None:
    """What each step did, a line for each."""
    manifest = made.manifest
    read = sum(each["n"] for each in manifest["read"])
    lost = sum(n for each in manifest["read"] for n in each["left_out"].values())
    typer.echo(f"read {read:,}" + (f", {lost:,} rows left out" if lost else ""))
    for at, step in enumerate(manifest["steps"]):
        why = ", ".join(f"{n:,} {reason}" for reason, n in step["dropped"].items())
        before = " (before)" if at < made.resumed else ""
        said = f"{step['step']}{before}: {step['in']:,} -> {step['kept']:,}"
        typer.echo(said + (f"; dropped {why}" if why else ""))
    typer.echo(f"{len(made.examples):,} examples in {made.folder}")


def _list() -> None:
    from viva.synthesis import settings_of, steps

    for name, step in steps().items():
        typer.echo(f"{name}{_marks(step)}\n    {step.description}")
        for setting, parameter in settings_of(step).items():
            typer.echo(f"    {setting}{_default(parameter)}")


def _marks(step: Step) -> str:
    takes = "caller" in inspect.signature(step.load()).parameters
    model = " (needs a model)" if step.needs_model else " (can ask a model)" if takes else ""
    return model + (f" [{step.source}]" if step.source else "")


def _default(parameter: inspect.Parameter) -> str:
    value: Any = parameter.default
    if value is inspect.Parameter.empty:
        return " (must be given)"
    return f" = {value!r}"
