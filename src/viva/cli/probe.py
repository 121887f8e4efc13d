"""`viva probe`: does the model hold its ground?"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

__all__ = ["app"]

app = typer.Typer(
    help="Push back: does the model hold its ground when it is misled?",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)


def _panel(title: str) -> Any:
    """Makes the options of one panel of the help."""

    def option(*flags: str, help: str, **more: Any) -> Any:  # noqa: A002
        return typer.Option(*flags, help=help, rich_help_panel=title, show_default=False, **more)

    return option


_asked = _panel("What is asked")
_written = _panel("Traces written by a model")
_reached = _panel("The model, where it is not reached as it was")
_run = _panel("The run")
_budget = _panel("Budget")


@app.callback(invoke_without_command=True)
def ask(
    ctx: typer.Context,
    run: Annotated[
        Path | None,
        _asked("--run", help="The clean run: model, method, prompt and sampling are its own."),
    ] = None,
    probe: Annotated[
        list[str] | None,
        _asked(
            "--probe",
            help="Name of a probe, or the first words of several (misleading_start); with @ARM "
            "where it has arms; repeatable.",
        ),
    ] = None,
    out: Annotated[Path | None, _asked("--out", help="Folder of the new run.")] = None,
    seed: Annotated[
        int, _asked("--seed", help="Of the variants; calls keep the run's. Default: 0.", min=0)
    ] = 0,
    arm: Annotated[
        str | None,
        _asked(
            "--arm",
            help="How a start is put before the model: prefill, raw_completion, earlier_turn, "
            "user_suggestion. Default: prefill.",
        ),
    ] = None,
    strength: Annotated[
        list[str] | None,
        _asked("--strength", help="Of probes in several strengths only these; repeatable."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        _asked("--set", help="A parameter of the probes; repeatable.", metavar="NAME=VALUE"),
    ] = None,
    limit: Annotated[
        int | None, _asked("--limit", help="Only the first so many items of each benchmark.", min=1)
    ] = None,
    with_controls: Annotated[
        bool,
        _asked(
            "--with-controls/--no-controls", help="Ask the control arms too. Default: with them."
        ),
    ] = True,
    writer: Annotated[
        str | None,
        _written("--writer", help="Who writes the traces of written_trace: openai/NAME, hf/PATH."),
    ] = None,
    writer_base_url: Annotated[
        list[str] | None, _written("--writer-base-url", help="URL of the writer's server.")
    ] = None,
    writer_api_key_env: Annotated[
        str, _written("--writer-api-key-env", help="Environment variable of the writer's key.")
    ] = "OPENAI_API_KEY",
    base_url: Annotated[
        list[str] | None,
        _reached("--base-url", help="URL of the server; repeatable. Default: the run's."),
    ] = None,
    api_key_env: Annotated[
        str,
        _reached("--api-key-env", help="Environment variable of the key. Default: OPENAI_API_KEY."),
    ] = "OPENAI_API_KEY",
    api: Annotated[
        str | None, _reached("--api", help="auto, chat or completions. Default: the run's.")
    ] = None,
    chat_template: Annotated[
        str | None, _reached("--chat-template", help="Template for raw completions.")
    ] = None,
    device: Annotated[str | None, _reached("--device", help="cpu, cuda, cuda:1.")] = None,
    dtype: Annotated[str | None, _reached("--dtype", help="bfloat16, float16, float32.")] = None,
    batch_size: Annotated[
        int | None, _reached("--batch-size", help="Sequences generated at once.", min=1)
    ] = None,
    max_connections: Annotated[
        int | None, _run("--max-connections", help="Calls at once.", min=1)
    ] = None,
    timeout: Annotated[
        float | None, _run("--timeout", help="Seconds for one try of a call.", min=0.001)
    ] = None,
    retries: Annotated[
        int | None,
        _run("--retries", help="How often a call that failed is tried again. Default: 5.", min=0),
    ] = None,
    quiet: Annotated[bool, _run("--quiet", help="No progress view.")] = False,
    max_calls: Annotated[
        int | None, _budget("--max-calls", help="Most calls, tries included.", min=1)
    ] = None,
    max_tokens: Annotated[
        int | None, _budget("--max-tokens", help="Most tokens of the whole run.", min=1)
    ] = None,
    max_cost: Annotated[
        float | None, _budget("--max-cost", help="Most cost of the whole run.", min=0)
    ] = None,
    price_input: Annotated[
        float | None, _budget("--price-input", help="Price of a million input tokens.", min=0)
    ] = None,
    price_output: Annotated[
        float | None, _budget("--price-output", help="Price of a million output tokens.", min=0)
    ] = None,
) -> None:
    """Push back: does the model hold its ground when it is misled?

    Asks the model of a run what probes make of its items, and writes a run folder beside it. The
    same command continues a run that was cut short.

    Examples
    --------
        viva probe --run runs/base --probe misleading_start --out runs/base-misled

        viva probe --run runs/base --probe misleading_start --arm user_suggestion --out runs/said

        viva probe --run runs/base --probe bias_cue.authority --no-controls --out runs/authority

        viva probe analyse runs/base runs/base-misled --out robustness/
    """
    given = dict(locals())  # every option by its name, for the one place that reads them
    from viva.cli import _probing

    if ctx.invoked_subcommand is not None:
        _probing.only_subcommand(ctx)
        return
    raise typer.Exit(_probing.run(given))


@app.command()
def analyse(
    clean: Annotated[
        str,
        typer.Argument(
            metavar="CLEAN",
            help="Answers without a probe: a run folder, or any format that `viva audit` reads.",
            show_default=False,
        ),
    ],
    misled: Annotated[
        str,
        typer.Argument(
            metavar="MISLED",
            help="Answers under probes: rows with `probe` and, where there is one, `cue` (the "
            "letter suggested). May be the same file.",
            show_default=False,
        ),
    ],
    items: Annotated[
        list[str] | None,
        typer.Option(
            "--items",
            help="Items file, or hub:NAME; repeatable. As in `viva audit`.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Folder to write to. Default: viva-runs/probe-<date and time>.",
            show_default=False,
        ),
    ] = None,
    control: Annotated[
        list[str] | None,
        typer.Option(
            "--control",
            help="A probe that is a control arm; repeatable. Default: those whose name starts "
            "with control.",
            show_default=False,
        ),
    ] = None,
    strengths: Annotated[
        str,
        typer.Option(
            "--strengths", help="Order of strengths in names KIND.STRENGTH@ARM, weakest first."
        ),
    ] = "uncertain,bare,short,long",
    labels: Annotated[
        str | None,
        typer.Option("--labels", help="What counts as reasoning. As in `viva audit`."),
    ] = None,
    threshold: Annotated[
        float, typer.Option("--threshold", help="p_reasoning from which an item is reasoning.")
    ] = 0.5,
    text_view: Annotated[
        str,
        typer.Option(
            "--text-view", help="What the splitter reads: stem, stem+options, stem+context."
        ),
    ] = "stem",
    resamples: Annotated[int, typer.Option("--resamples", help="Bootstrap resamples.")] = 10_000,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the resampling.")] = 0,
    strict: Annotated[
        bool, typer.Option("--strict", help="A defect in one row is an error.")
    ] = False,
) -> None:
    """Pair clean with misled answers: what is lost, gained, kept, and moved to the cue.

    Writes `report.html`, `summary.json`, with every number and its interval, and `pairs.parquet`.

    Examples
    --------
        viva probe analyse clean.jsonl misled.jsonl --items items.jsonl --out robustness/

        viva probe analyse answers.jsonl answers.jsonl --control empty_start

        viva probe analyse runs/base runs/base-misled
    """
    from rich.console import Console

    import viva
    from viva import report
    from viva._progress import bars

    if out is None:
        out = Path("viva-runs") / f"probe-{datetime.now():%Y%m%d-%H%M%S}"
    result = viva.analyse_probes(
        clean,
        misled,
        items=list(items) if items else None,
        controls=control or None,
        strengths=[word.strip() for word in strengths.split(",") if word.strip()],
        labels=labels,
        threshold=threshold,
        text_view=text_view,
        resamples=resamples,
        seed=seed,
        strict=strict,
        out=out,
        progress=bars,
    )
    console = Console()
    report.probes(result.summary, console)
    console.print(f"\nReport: {out / 'report.html'}", soft_wrap=True, highlight=False)
    console.print(f"Numbers: {out / 'summary.json'}", soft_wrap=True, highlight=False)
