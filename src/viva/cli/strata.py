"""`viva strata`: train, rate and apply the splitter of reasoning and knowledge."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from viva.cli._strata_table import show_evaluation
from viva.errors import InputError

if TYPE_CHECKING:
    import polars as pl

    from viva.records import ItemsRead, LeftOut

__all__ = ["app"]

app = typer.Typer(
    name="strata",
    help="Split questions into reasoning and knowledge. The labels of the default definition, "
    "`rubric`, come from a language model following a written rubric, not from clinicians.",
    no_args_is_help=True,
)

_Labels = Annotated[str, typer.Option("--labels", help="Definition: rubric or medxpertqa.")]
_View = Annotated[
    str, typer.Option("--text-view", help="What is read: stem, stem+options, stem+context.")
]
_Weights = Annotated[
    Path | None,
    typer.Option("--weights", help="Weights of your own in place of the shipped ones."),
]
_Threshold = Annotated[
    float | None,
    typer.Option(
        "--threshold",
        help="p_reasoning from which an item is reasoning. Default: 0.5 (rubric), 0.65 "
        "(medxpertqa: where its macro-F1 is largest).",
        show_default=False,
    ),
]
_Seed = Annotated[int, typer.Option("--seed", help="Seed of folds and bootstrap.")]


def _check_out(out: Path, source: Path) -> None:
    """Refuse before the work what cannot be written after it."""
    if out.is_dir():
        raise InputError("is a folder", where=str(out), mend="Name a file in it")
    if out.exists() and source.exists() and out.samefile(source):
        raise InputError("is the file that is read", where=str(out), mend="Name another --out")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(out, error) from error


def _unwritable(path: Path, error: OSError) -> InputError:
    why = error.strerror or type(error).__name__
    return InputError(f"cannot be written ({why})", where=str(path), mend="Name another --out")


def _write(rows: list[dict[str, Any]], path: Path) -> None:
    """JSON Lines, whole or not at all."""
    import json

    from viva._files import written

    with written(path) as file:
        for row in rows:
            file.write((json.dumps(row, ensure_ascii=False) + "\n").encode("utf-8"))


def _read(file: Path) -> ItemsRead:
    """Items, whether or not they have options and keys."""
    from viva._progress import bars
    from viva.benchmarks import read_items

    with bars(f"reading {file.name}"):
        return read_items(file, need_key=False)


def _left_out(left_out: list[LeftOut], console: Any) -> None:
    if left_out:
        reasons = Counter(left.reason for left in left_out).most_common()
        listed = "; ".join(f"{reason}: {count:,}" for reason, count in reasons)
        console.print(f"{len(left_out):,} row(s) cannot be used and were left out ({listed})")


def _sight(items: pl.DataFrame, found: pl.DataFrame) -> list[str]:
    """Where the splitter does not apply and why, and what it makes of labels in the file."""
    import numpy as np
    import polars as pl

    from viva.analysis import clusters
    from viva.strata.given import against_given

    lines = []
    outside = found.filter(pl.col("outside").is_not_null())
    counts = outside.group_by(["benchmark", "outside"], maintain_order=True).len()
    for benchmark, why, number in counts.iter_rows():
        p = outside.filter(benchmark=benchmark, outside=why)["p_reasoning"].to_numpy()
        low, high = np.quantile(p, [0.05, 0.95])
        lines.append(
            f"{benchmark}: {number:,} outside the splitter's domain ({why}); nine in ten have p "
            f"from {low:.2f} to {high:.2f}. No audit makes a gap of these strata."
        )
    told = against_given(items, found["p_reasoning"].to_numpy(), clusters(items))
    lines += told
    if told:
        lines.append("viva audit --labels given goes by the labels of the file.")
    return lines


@app.command()
def predict(
    file: Annotated[Path, typer.Argument(help="Items file (generic or a benchmark's own).")],
    out: Annotated[Path, typer.Option("--out", help="Where to write, JSON Lines.")],
    labels: _Labels = "rubric",
    text_view: _View = "stem+options",
    threshold: _Threshold = None,
    weights: _Weights = None,
    encoder: Annotated[
        Path | None,
        typer.Option("--encoder", help="Folder of a fine-tuned encoder (needs viva[hf])."),
    ] = None,
) -> None:
    """Write benchmark, item_id, p_reasoning and stratum of each item.

    Items need no answer, and without options are read by their stem. One line for each item, in
    the order of the file; rows that cannot be used are counted.

    Examples
    --------
        viva strata predict items.jsonl --out strata.jsonl
    """
    from rich.console import Console
    from rich.table import Table

    from viva import strata
    from viva._progress import bars
    from viva.strata.prediction import check_choices

    console = Console()
    own = weights is not None or encoder is not None
    check_choices(strata.DEFINITIONS[0] if own else labels, text_view, threshold)
    _check_out(out, file)
    read = _read(file)
    if encoder is not None:
        from viva.strata.encoder import predict_encoder

        found = predict_encoder(
            read.items, encoder, threshold=0.5 if threshold is None else threshold, progress=bars
        )
    else:
        found = strata.predict(
            read.items, labels, text_view, threshold=threshold, weights=weights, progress=bars
        )
    columns = ["benchmark", "item_id", "p_reasoning", "stratum"]
    _write(found.select(columns).to_dicts(), out)
    table = Table(title=f"{out}: {found.height:,} items")
    for name in ("benchmark", "items", "reasoning", "cross-fitted", "in domain"):
        table.add_column(name, justify="left" if name == "benchmark" else "right")
    for (name,), rows in found.group_by(["benchmark"], maintain_order=True):
        share = float((rows["stratum"] == "reasoning").to_numpy().mean())
        table.add_row(
            str(name),
            f"{rows.height:,}",
            f"{share:.1%}",
            f"{int(rows['cross_fitted'].sum()):,}",
            f"{int(rows['in_domain'].sum()):,}",
        )
    console.print(table)
    for line in _sight(read.items, found):
        console.print(line, markup=False, highlight=False)
    _left_out(read.left_out, console)


@app.command()
def evaluate(
    labels: _Labels = "rubric",
    text_view: _View = "stem+options",
    weights: _Weights = None,
    threshold: _Threshold = None,
    cv: Annotated[
        bool, typer.Option("--cv", help="Cross-validate from scratch instead of as stored.")
    ] = False,
    curve: Annotated[bool, typer.Option("--curve", help="Add a learning curve.")] = False,
    resamples: Annotated[int, typer.Option("--resamples", help="Bootstrap resamples.")] = 2000,
    seed: _Seed = 0,
    out: Annotated[
        Path | None, typer.Option("--out", help="Also write the report as JSON.")
    ] = None,
) -> None:
    """Print how good the splitter is on questions it never saw, beside simple rules."""
    import json

    from rich.console import Console

    from viva import strata
    from viva._progress import bars

    report = strata.evaluate(
        labels,
        text_view=text_view,
        weights=weights,
        threshold=threshold,
        cv=cv,
        curve=curve,
        resamples=resamples,
        seed=seed,
        progress=bars,
    )
    show_evaluation(report, Console())
    if out is not None:
        _write([json.loads(json.dumps(report))], out)


@app.command()
def train(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Labels files; without them the bundled labels.", show_default=False),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Weights file to write.")] = Path(
        "splitter.npz"
    ),
    labels: _Labels = "rubric",
    seed: _Seed = 0,
    encoder: Annotated[
        str | None,
        typer.Option(
            "--encoder",
            help="Fine-tune this Hugging Face encoder instead (needs viva[hf]); --out is a folder.",
        ),
    ] = None,
    embedder: Annotated[
        Path | None,
        typer.Option(
            "--embedder",
            help="Folder of a local sentence-transformers model: classify its embeddings beside "
            "the features (needs viva[hf]); --out is a folder.",
        ),
    ] = None,
) -> None:
    """Train a splitter and print how good it is on held-out questions.

    Each row of a labels file has question and label (reasoning or knowledge), and where there are
    any benchmark, item_id, options, annotator and steps. Several annotators are merged by majority.
    """
    from rich.console import Console

    from viva import strata
    from viva._progress import bars

    console = Console()
    if encoder is not None or embedder is not None:
        from viva.strata.encoder import train_embedder, train_encoder

        if encoder is not None:
            train_encoder(files, encoder, out, definition=labels, seed=seed, progress=bars)
        else:
            train_embedder(files, str(embedder), out, definition=labels, seed=seed, progress=bars)
        console.print(f"written to {out}")
        return
    weights = strata.train(files or None, definition=labels, out=out, seed=seed, progress=bars)
    for view in weights.models:
        show_evaluation(
            strata.evaluate(labels, text_view=view, weights=weights, resamples=500), console
        )
    console.print(f"written to {out}")


@app.command()
def label(
    file: Annotated[Path, typer.Argument(help="Items file.")],
    out: Annotated[Path, typer.Option("--out", help="Where to write the labels, JSON Lines.")],
    judge: Annotated[
        str, typer.Option("--judge", help="A model as in `viva eval`, or replay:FILE.jsonl.")
    ],
    base_url: Annotated[
        list[str] | None,
        typer.Option("--base-url", help="URL of the model's server; repeatable."),
    ] = None,
    api_key_env: Annotated[
        str, typer.Option("--api-key-env", help="Environment variable that holds the key.")
    ] = "OPENAI_API_KEY",
    temperature: Annotated[float, typer.Option("--temperature", min=0, help="0 = greedy.")] = 0,
    max_completion_tokens: Annotated[
        int | None,
        typer.Option("--max-completion-tokens", min=1, help="Most tokens of one reply."),
    ] = None,
    max_connections: Annotated[
        int | None, typer.Option("--max-connections", min=1, help="Calls at once.")
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check/--no-check",
            help="Also put the bundled double-labelled questions to the judge, for agreement.",
        ),
    ] = True,
) -> None:
    """Let a judge apply the rubric to each item; print its agreement with the bundled labels.

    Examples
    --------
        viva strata label items.jsonl --out labels.jsonl --judge openai/qwen3-32b

        viva strata label items.jsonl --out labels.jsonl --judge replay:replies.jsonl
    """
    from rich.console import Console

    from viva import strata
    from viva._progress import bars

    kind, _, source = judge.partition(":")
    if kind == "replay" and source:
        asked: Any = strata.replay(source)
    else:
        from viva.models import Sampling, open_model
        from viva.models.specs import ModelOptions

        options = ModelOptions(base_urls=tuple(base_url or ()), api_key_env=api_key_env)
        asked = strata.ModelJudge(
            open_model(judge, options),
            sampling=Sampling(temperature, max_completion_tokens=max_completion_tokens),
            connections=max_connections,
        )
    console = Console()
    _check_out(out, file)
    read = _read(file)
    found = strata.label(read.items, asked, check=check, progress=bars)
    _write(found.labels.to_dicts(), out)
    console.print(
        f"{out}: {found.parsed:,} labelled, {found.unparsed:,} unparsed, "
        f"{found.ungraded:,} without a reply"
    )
    if failures := getattr(asked, "failures", None):
        why = "; ".join(f"{kind}: {count:,}" for kind, count in failures.most_common())
        console.print(f"calls that failed ({why})")
    if found.agreement is not None:
        a = found.agreement
        if a["answered"]:
            console.print(
                f"agreement on {a['answered']} of {a['n']} double-labelled questions: kappa "
                f"{a['kappa_first']:.2f} and {a['kappa_second']:.2f} with the two passes of a "
                f"language model following the rubric ({a['kappa_passes']:.2f} between them)"
            )
        else:
            console.print(f"no reply to any of the {a['n']} double-labelled questions")
    _left_out(read.left_out, console)
