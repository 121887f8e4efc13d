"""`viva contamination`: does training text hold the items of a benchmark?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from viva.errors import InputError

if TYPE_CHECKING:
    import polars as pl

    from viva.analysis import Contamination, PlantedTest, Rate

__all__ = ["command"]


def command(
    benchmark: Annotated[
        list[str],
        typer.Argument(
            metavar="BENCHMARK...",
            help="A benchmark's name, `bundled` for all that are, an items file, or hub:NAME.",
            show_default=False,
        ),
    ],
    training: Annotated[
        list[str],
        typer.Option(
            "--training",
            help="A file of training text: JSON Lines, JSON, CSV, Parquet or plain text, also "
            "gzipped; or another benchmark's name. Repeatable.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Folder to write to. Default: viva-runs/contamination-<date and time>.",
            show_default=False,
        ),
    ] = None,
    planted: Annotated[
        int,
        typer.Option(
            "--planted", min=20, help="Items copied, in every kind, for the test on itself."
        ),
    ] = 200,
    most: Annotated[
        int, typer.Option("--most", min=1, help="Flags listed for each item; all are counted.")
    ] = 20,
    show: Annotated[int, typer.Option("--show", min=0, help="Flags printed.")] = 10,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the test on itself.")] = 0,
    strict: Annotated[
        bool, typer.Option("--strict", help="A defect in one row is an error.")
    ] = False,
) -> None:
    """Look for the items of a benchmark in training text: whole, in part, or nearly the same.

    Every use tests itself first: copies of the items are planted among questions of other
    benchmarks, and the share found is printed beside the share of strangers flagged. Writes
    `contamination.json`, `flags.csv` and `flags.jsonl`.

    Examples
    --------
        viva contamination medqa --training sft.jsonl --out overlap/

        viva contamination medqa mmlu_med --training corpus.txt.gz --training notes.parquet

        viva contamination mmlu_med --training mmlu_pro_health
    """
    from rich.console import Console

    from viva import analysis, benchmarks
    from viva._progress import bars

    out = out or Path("viva-runs") / f"contamination-{datetime.now():%Y%m%d-%H%M%S}"
    reads = [_read_items(name, strict=strict) for name in benchmark]
    items = reads[0].items if len(reads) == 1 else benchmarks.merge(reads).items
    left_out = sum(len(read.left_out) for read in reads)
    sources = [_source(name, strict=strict) for name in training]
    reference = benchmarks.bundled().items
    _writable(out)
    with bars("Testing itself"):
        test = analysis.planted_test(items, reference, seed=seed, n=planted)
    with bars("Characters read") as advance:
        found = analysis.contamination(
            items, _texts(sources), reference=reference, most=most, advance=advance
        )
    summary = _summary(found, test, items, benchmark, sources, left_out, seed)
    _write(out, found.flags, summary)
    _print(Console(), found, summary, show)
    typer.echo(f"\nFlags: {out / 'flags.csv'}; numbers: {out / 'contamination.json'}")


@dataclass(frozen=True)
class _Source:
    name: str
    items: pl.DataFrame | None
    """Where the text is another benchmark."""


def _read_items(name: str, *, strict: bool) -> Any:
    from viva import benchmarks
    from viva.runs.planning import BUNDLED, names_a_file

    if Path(name).exists() or name.startswith("hub:") or names_a_file(name):
        return benchmarks.read_items(name, strict=strict, need_key=False)
    return benchmarks.bundled() if name == BUNDLED else benchmarks.load(name, strict=strict)


def _source(name: str, *, strict: bool) -> _Source:
    """A training file, checked to be there before the first is read, or a benchmark's items."""
    from viva._files import check_file
    from viva.benchmarks import find_name
    from viva.runs.planning import BUNDLED

    if Path(name).exists() or (name != BUNDLED and find_name(name) is None):
        check_file(name)
        return _Source(name, None)
    return _Source(name, _read_items(name, strict=strict).items)


def _texts(sources: list[_Source]) -> Iterator[tuple[str, int, str]]:
    from viva._files.texts import read_texts

    for source in sources:
        if source.items is None:
            for row, text in read_texts(source.name):
                yield source.name, row, text
            continue
        columns = source.items.select("question", "options").iter_rows()
        for row, (question, options) in enumerate(columns, 1):
            yield source.name, row, "\n".join([question or "", *(options or [])])


def _rate(rate: Rate) -> dict[str, Any]:
    return {"estimate": rate.estimate, "low": rate.low, "high": rate.high, "n": rate.n}


def _share(flagged: int, n: int) -> dict[str, Any]:
    from viva.analysis import wilson

    low, high = wilson(flagged, n)
    return {
        "estimate": flagged / n if n else None, "low": float(low) if n else None,
        "high": float(high) if n else None, "n": n,
    }  # fmt: skip


def _summary(
    found: Contamination,
    test: PlantedTest,
    items: pl.DataFrame,
    names: list[str],
    sources: list[_Source],
    left_out: int,
    seed: int,
) -> dict[str, Any]:
    import polars as pl

    from viva import __version__
    from viva._files import sha256
    from viva.analysis import OVERLAPS

    flagged = found.flags.unique(["benchmark", "item_id"])
    counts = dict(flagged.group_by("benchmark").len().iter_rows())
    of = dict(items.group_by("benchmark", maintain_order=True).len().iter_rows())
    strongest = found.flags.unique(["benchmark", "item_id"], keep="first", maintain_order=True)
    kinds = dict(strongest.group_by("kind").len().iter_rows())
    return {
        "version": __version__,
        "benchmarks": names,
        "training": [
            {"file": s.name, "sha256": sha256(s.name)} if s.items is None else {"benchmark": s.name}
            for s in sources
        ],
        "seed": seed,
        "rows": found.rows,
        "characters": found.characters,
        "items_left_out": left_out,
        "uncheckable": found.uncheckable,
        "flagged_items": {b: _share(counts.get(b, 0), n) for b, n in of.items()},
        "kinds": {kind: kinds.get(kind, 0) for kind in OVERLAPS},
        "flags": found.flags.height,
        "flags_not_listed": found.left_out,
        "answer_given": strongest.filter(pl.col("answer_given")).height,
        "self_test": {
            "recall": {kind: _rate(rate) for kind, rate in test.recall.items()},
            "false_positive": _rate(test.false_positives),
            "precision": _rate(test.precision),
            "flagged_strangers": test.flagged,
        },
    }


def _writable(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"cannot be written ({error.strerror})", where=str(out), mend="Name another --out"
        ) from error


def _write(out: Path, flags: pl.DataFrame, summary: dict[str, Any]) -> None:
    try:
        flags.write_csv(out / "flags.csv")
        flags.write_ndjson(out / "flags.jsonl")
        text = json.dumps(summary, ensure_ascii=False, indent=1)
        (out / "contamination.json").write_text(text + "\n", "utf-8")
    except OSError as error:
        raise InputError(
            f"cannot be written ({error.strerror})", where=str(out), mend="Name another --out"
        ) from error


def _percent(rate: dict[str, Any]) -> str:
    if not rate["n"]:
        return "-"
    low, high = 100 * rate["low"], 100 * rate["high"]
    return f"{100 * rate['estimate']:.1f} % ({low:.1f} to {high:.1f}), n = {rate['n']:,}"


def _print(console: Any, found: Contamination, summary: dict[str, Any], show: int) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table("benchmark", "items found", box=None, pad_edge=False)
    for name, share in summary["flagged_items"].items():
        flagged = round((share["estimate"] or 0) * share["n"])
        table.add_row(escape(name), f"{flagged:,}: {_percent(share)}")
    console.print(table)
    kinds = ", ".join(f"{kind} {n:,}" for kind, n in summary["kinds"].items())
    console.print(
        f"{found.rows:,} rows, {found.characters:,} characters; by strongest kind: {kinds}; "
        f"{summary['answer_given']:,} with the answer",
        highlight=False,
    )
    if found.uncheckable:
        console.print(f"{len(found.uncheckable):,} items hold too little to be found by")
    own = summary["self_test"]
    console.print("\nThe search on planted copies of these items:", highlight=False)
    table = Table("planted", "found", box=None, pad_edge=False)
    for kind, rate in own["recall"].items():
        table.add_row(kind, _percent(rate))
    table.add_row("unrelated questions", f"{_percent(own['false_positive'])} flagged")
    table.add_row("precision", _percent(own["precision"]))
    console.print(table)
    for row in found.flags.head(show).iter_rows(named=True):
        console.print(
            f"\n{row['benchmark']}/{row['item_id']} in {row['file']}:{row['row']}: {row['kind']}, "
            f"run of {row['longest_run']} words, {100 * row['share']:.0f} % covered, "
            f"similarity {row['similarity']:.2f}, "
            f"options {row['options']} of {row['options_total']}",
            highlight=False, markup=False, soft_wrap=True,
        )  # fmt: skip
        console.print(f"  item: {row['item_text']}", markup=False, highlight=False, soft_wrap=True)
        console.print(f"  row:  {row['row_text']}", markup=False, highlight=False, soft_wrap=True)
