"""What runs came to, as a table: accuracy, what could not be read or graded, and what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from viva.report._plain import plain_table
from viva.report._text import clean, interval, percent

if TYPE_CHECKING:
    from rich.console import Console

    from viva.runs import Run

__all__ = ["Outcome", "outcomes", "outcomes_of"]


_WIDE, _WIDE_ALONE = 110, 80
"""Columns from which the table of a suite, and that of one run, shows calls and seconds too."""


class Outcome(NamedTuple):
    """The scores of a run on one benchmark."""

    benchmark: str
    n: int
    accuracy: float | None
    low: float | None
    high: float | None
    unread: int
    """Unparsed and ambiguous: they count as not right."""
    ungraded: int


def outcomes_of(folder: Path) -> list[Outcome]:
    """Accuracy of a run on each of its benchmarks, and after several on all of them.

    Wilson's interval; the bootstrap over items where an item has several samples. Empty where
    the run has no scores (it was interrupted, or no item has exactly one right option).
    """
    import polars as pl

    from viva.formats.run import SCORES

    if not (folder / SCORES).is_file():
        return []
    scores = pl.read_parquet(folder / SCORES).filter(pl.col("probe").is_null())
    parts = [
        (str(name), part) for (name,), part in scores.group_by(["benchmark"], maintain_order=True)
    ]
    if len(parts) > 1:
        parts.append(("all", scores))
    return [_outcome(name, part) for name, part in parts]


def _outcome(name: str, scores: Any) -> Outcome:
    import numpy as np
    import polars as pl

    from viva import analysis
    from viva.records import Status

    status = scores["status"].to_list()
    means = (
        scores.filter(pl.col("value").is_not_null())
        .group_by("benchmark", "item_id", maintain_order=True)
        .agg(pl.col("value").mean())["value"]
        .to_numpy()
    )
    share = analysis.share(
        means, np.arange(len(means)), generator=np.random.default_rng(0), resamples=2_000
    )
    return Outcome(
        name,
        scores.height,
        share.accuracy,
        share.low,
        share.high,
        status.count(Status.UNPARSED) + status.count(Status.AMBIGUOUS),
        status.count(Status.UNGRADED),
    )


def _cost(cost: float | None) -> str:
    return "–" if cost is None else f"{cost:,.2f}" if cost >= 1 else f"{cost:.3g}"


def outcomes(runs: Sequence[tuple[str, Run]], console: Console) -> None:
    """Print one row for each run and benchmark.

    Parameters
    ----------
    runs : sequence of (str, Run)
        What a run is called, and what came of it.
    console : rich.console.Console
        Where to print.
    """
    from rich.text import Text

    named = len(runs) > 1
    wide = console.width >= (_WIDE if named else _WIDE_ALONE)
    rows = [(name, run, outcomes_of(run.folder) or [_unscored(run)]) for name, run in runs]
    priced = any(run.cost is not None for _, run, _ in rows)
    inside = not named or any(len(found) > 1 for _, _, found in rows)
    table = plain_table()
    if named:
        table.add_column("run", overflow="fold", min_width=24)
    if inside:
        table.add_column("benchmark", overflow="fold", min_width=6)
    spent = [*(["calls"] if wide else []), "tokens", *(["cost"] if priced else [])]
    spent += ["seconds"] if wide else []
    for head in ("n", "accuracy, %", "unread", "ungraded", *spent):
        table.add_column(head, justify="right", no_wrap=True)
    for name, run, found in rows:
        of_run = {
            "calls": f"{run.calls:,}",
            "tokens": f"{run.tokens:,}",
            "cost": _cost(run.cost),
            "seconds": f"{run.seconds:,.1f}" if run.seconds < 100 else f"{run.seconds:,.0f}",
        }
        for place, row in enumerate(found):
            accuracy = percent(row.accuracy)
            if row.low is not None and row.high is not None:
                accuracy += f" {interval(row.low, row.high, share=True)}"
            cells = [
                *([clean(name, 200) if not place else ""] if named else []),
                *([clean(row.benchmark, 40)] if inside else []),
                f"{row.n:,}",
                accuracy,
                f"{row.unread:,}",
                f"{row.ungraded:,}",
                *(of_run[head] if not place else "" for head in spent),
            ]
            table.add_row(*map(Text, cells))
    console.print(table)


def _unscored(run: Run) -> Outcome:
    """The row of a run without scores."""
    return Outcome("–", run.planned, None, None, None, 0, run.ungraded)
