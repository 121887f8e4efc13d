"""`viva memorisation`: does a model continue half-questions word for word?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from viva.errors import InputError

if TYPE_CHECKING:
    from viva.analysis import Memorisation

__all__ = ["command"]


def command(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN",
            help="A run folder of `viva eval --method half_question`.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Folder to write to. Default: the run's own, RUN/memorisation.",
            show_default=False,
        ),
    ] = None,
    threshold: Annotated[
        float, typer.Option("--threshold", help="Similarity from which an item is memorised.")
    ] = 0.95,
    others: Annotated[
        int,
        typer.Option(
            "--others", min=1, help="Other items with which each continuation is compared."
        ),
    ] = 20,
    show: Annotated[int, typer.Option("--show", min=0, help="Nearest continuations shown.")] = 3,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the draw of other items.")] = 0,
) -> None:
    """Compare continued half-questions with the halves that were held back.

    Writes `memorisation.json` and, item by item, `continuations.jsonl`.

    Examples
    --------
        viva eval --model openai/NAME --benchmark medqa --method half_question --out runs/half

        viva memorisation runs/half
    """
    from rich.console import Console

    from viva import analysis
    from viva._progress import bars

    name, items, continuations = _read(run)
    with bars("Comparing"):
        found = analysis.memorisation(
            items, continuations, threshold=threshold, others=others, seed=seed
        )
    summary = _summary(found, name, run, threshold, others, seed)
    out = out or run / "memorisation"
    try:
        out.mkdir(parents=True, exist_ok=True)
        found.items.write_ndjson(out / "continuations.jsonl")
        text = json.dumps(summary, ensure_ascii=False, indent=1)
        (out / "memorisation.json").write_text(text + "\n", "utf-8")
    except OSError as error:
        raise InputError(
            f"cannot be written ({error.strerror})", where=str(out), mend="Name another --out"
        ) from error
    _print(Console(), found, show)
    typer.echo(f"\nNumbers: {out / 'memorisation.json'}")


def _read(run: Path) -> tuple[str, Any, Any]:
    """The model's name, the items and the continuations of a run."""
    import polars as pl

    from viva.formats.run import read_run

    read = read_run(run)
    identity = read.manifest.get("identity") or {}
    if identity.get("method") != "half_question":
        raise InputError(
            f"was asked by the method {identity.get('method')}",
            where=str(run),
            mend="Ask with viva eval --method half_question",
        )
    # The engine keeps what is no answer apart from the answers.
    continuations = read.responses.filter(pl.col("error").is_null()).select(
        "benchmark", "item_id", continuation="reasoning"
    )
    return str(identity.get("name")), read.items, continuations


def _summary(
    found: Memorisation, model: str, run: Path, threshold: float, others: int, seed: int
) -> dict[str, Any]:
    difference = found.difference or (None, None, None)
    return {
        "model": model,
        "run": str(run),
        "threshold": threshold,
        "others": others,
        "seed": seed,
        "memorised": found.memorised._asdict(),
        "baseline": found.baseline._asdict(),
        "difference": dict(zip(("estimate", "low", "high"), difference, strict=True)),
        "mean_similarity": found.mean_similarity,
        "baseline_similarity": found.baseline_similarity,
        "too_short": found.too_short,
        "unanswered": found.unanswered,
    }


def _print(console: Any, found: Memorisation, show: int) -> None:
    import polars as pl

    if not found.memorised.n:
        console.print("No continuation to compare.")
    else:
        for title, each, mean in (
            ("word for word (memorised)", found.memorised, found.mean_similarity),
            ("with halves of other items", found.baseline, found.baseline_similarity),
        ):
            low, high = 100 * (each.low or 0), 100 * (each.high or 0)
            alike = "-" if mean is None else f"{mean:.2f}"
            console.print(
                f"{title}: {100 * (each.estimate or 0):.1f} % ({low:.1f} to {high:.1f}) of "
                f"{each.n:,} items; mean similarity {alike}",
                highlight=False, soft_wrap=True,
            )  # fmt: skip
    if found.too_short or found.unanswered:
        console.print(
            f"{found.too_short:,} stems too short to cut, {found.unanswered:,} without "
            "a continuation",
            highlight=False,
        )
    nearest = found.items.sort("similarity", descending=True, maintain_order=True)
    for row in nearest.filter(pl.col("similarity") > 0).head(show).iter_rows(named=True):
        console.print(
            f"\n{row['benchmark']}/{row['item_id']}: similarity {row['similarity']:.2f}\n"
            f"  true:    {_short(row['second_half'])}\n  written: {_short(row['continuation'])}",
            markup=False, highlight=False, soft_wrap=True,
        )  # fmt: skip


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 200 else line[:199] + "…"
