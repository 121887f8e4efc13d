"""`viva train-demo`: from random weights to reasoning, in a medicine that does not exist."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["command"]


def command(
    out: Annotated[Path, typer.Option("--out", help="Folder; one cut short goes on.")] = Path(
        "viva-train-demo"
    ),
    worlds: Annotated[
        list[int] | None,
        typer.Option("--world", help="Seed of a world; repeatable. 1, 2 and 3 by default."),
    ] = None,
    seeds: Annotated[
        list[int] | None,
        typer.Option("--seed", help="Of weights and draws; repeatable. 0 and 1 by default."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A few steps of everything: nothing is learned.")
    ] = False,
    processes: Annotated[
        int | None,
        typer.Option("--processes", help="Runs at once, each on one core; default: all cores."),
    ] = None,
) -> None:
    """Train a small transformer on a fictional medicine, and show what GRPO did.

    It learns the world's textbook, recall items and some reasoning items by SFT; then recoveries
    from starts, and GRPO on other reasoning items. It is examined on combinations that it has not
    seen, on recall, and behind wrong, correct and irrelevant starts, beside a control with as much
    processor time of more SFT. About 20 minutes for each world and seed, on one core.

    Examples
    --------
        viva train-demo --quick --world 1 --seed 0 --out demo/

        viva train-demo --out demo/
    """
    from viva.training.demo import FULL, QUICK, train_demo
    from viva.training.demo.table import lines_of

    found = train_demo(
        out, worlds=worlds or (1, 2, 3), seeds=seeds or (0, 1), size=QUICK if quick else FULL,
        processes=processes, say=lambda line: typer.echo(line, err=True),
    )  # fmt: skip
    typer.echo("")
    for line in lines_of(found):
        typer.echo(line)
    typer.echo("")
    typer.echo(f"Report: {out / 'report' / 'report.html'}")
