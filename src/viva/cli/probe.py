"""`viva probe`: does the model hold its ground?"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["app"]

app = typer.Typer(
    help="Push back: does the model hold its ground when it is misled?",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)


@app.callback()
def _group() -> None:
    """Push back: does the model hold its ground when it is misled?"""


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

    Writes `summary.json`, with every number and its interval, and `pairs.parquet`.

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
    console.print(f"\nNumbers: {out / 'summary.json'}", soft_wrap=True, highlight=False)
