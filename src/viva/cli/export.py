"""`viva export`: a run as another tool's files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["command"]


def command(
    run: Annotated[Path, typer.Argument(help="A run folder of `viva eval`.", show_default=False)],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            help="inspect: .eval logs that `inspect view` opens (needs vivavoce[inspect]). "
            "lm-eval: samples and results as lm-evaluation-harness writes them.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            help="Folder for the files; for inspect a file NAME.eval too, where the run is of one "
            "benchmark.",
            show_default=False,
        ),
    ],
) -> None:
    """Write a run as another tool writes its own. No model is called.

    Examples
    --------
        viva export runs/qwen --to inspect --out logs/

        viva export runs/qwen --to lm-eval --out lm_eval_output/
    """
    from viva._progress import bars
    from viva.runs import export

    with bars(f"Writing for {to}"):
        paths = export(run, to, out)
    for path in paths:
        typer.echo(str(path))
