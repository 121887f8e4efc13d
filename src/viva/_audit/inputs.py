"""Answers and items, from wherever they come, to two tables that fit each other."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viva.errors import InputError
from viva.records import LeftOut

if TYPE_CHECKING:
    import polars as pl

__all__ = ["BUNDLED", "SAMPLE", "Inputs", "read_inputs"]

SAMPLE = "sample"
"""Stands for the bundled answers wherever a path to an answers file may stand."""
BUNDLED = "bundled"
"""The name of the bundled items among the sources of items."""
ITEM_KEY = ("benchmark", "item_id")

RESPONSE_KEY = ("benchmark", "item_id", "model", "method", "probe", "sample")


@dataclass(frozen=True, slots=True)
class Inputs:
    """Items and responses that match, and all that was left out on the way."""

    items: pl.DataFrame
    """One row for each answered item with a single right option."""
    responses: pl.DataFrame
    """Responses to those items, without the rows of a probe."""
    unmatched: int
    """Responses whose item is not known."""
    left_out: list[LeftOut] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    answer_sources: list[str] = field(default_factory=list)
    item_sources: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    """Every file that was read, for its hash."""


def _is_frame(source: object) -> bool:
    # Asked of the type: a lazy frame would resolve its columns, and warn.
    return hasattr(type(source), "columns")


def as_sources(given: object) -> list[Any]:
    """One source or several: a path, a frame, or a list of rows is one source."""
    if given is None:
        return []
    if isinstance(given, str | Path) or _is_frame(given):
        return [given]
    if isinstance(given, Mapping):
        return [[given]]
    sources = list(given) if isinstance(given, Iterable) else [given]
    if sources and all(isinstance(row, Mapping) for row in sources):
        return [sources]
    return sources


def _name(source: object) -> str:
    if isinstance(source, str | Path):
        return str(source)
    return "frame" if _is_frame(source) else "rows"


def read_inputs(items: object, answers: object, *, strict: bool = False) -> Inputs:
    """Read all sources and join responses to items.

    Parameters
    ----------
    items : source, list of sources or None
        Items files, frames or rows. None: the bundled benchmarks, and the questions that
        answers files carry with them.
    answers : source or list of sources
        Answers in any known format; ``"sample"`` is the bundled answers.
    strict : bool
        Row-level defects become errors.

    Raises
    ------
    InputError
        For any file-level defect, an unknown benchmark, nothing that matches, or two files
        that contradict each other.
    """
    import polars as pl

    from viva import benchmarks, formats

    answer_sources = as_sources(answers)
    if not answer_sources:
        raise InputError("no answers given", mend="Name an answers file, or 'sample'")
    left_out: list[LeftOut] = []
    notes: list[str] = []
    files: list[Path] = []

    frames: list[tuple[str, pl.DataFrame]] = []
    carried: list[tuple[str, pl.DataFrame]] = []
    for source in answer_sources:
        if isinstance(source, str) and source == SAMPLE and not Path(source).exists():
            got = benchmarks.bundled_answers()
        else:
            got = formats.read_responses(source, strict=strict)
            files += _files_of(source)
        frames.append((_name(source), got.responses))
        left_out += got.left_out
        if got.items is not None and not got.items.is_empty():
            carried.append((_name(source), got.items))
    responses = _merge(frames, RESPONSE_KEY, "answers")
    where = ", ".join(name for name, _ in frames)

    item_sources = as_sources(items)
    if items is not None and not item_sources:
        raise InputError("no items given", mend="Name an items file, or None for the bundled ones")
    if item_sources:
        tables: list[tuple[str, pl.DataFrame]] = []
        for source in item_sources:
            read = benchmarks.read_items(source, strict=strict)
            tables.append((_name(source), read.items))
            left_out += read.left_out
            files += _files_of(source)
        known = _merge(tables, ITEM_KEY, "items")
        names = [name for name, _ in tables]
    else:
        known = benchmarks.bundled().items
        names = [BUNDLED]
    if carried:
        responses, known, used = _join_carried(responses, known, carried, extend=not item_sources)
        names += used

    responses = _known_benchmarks(responses, known, bool(item_sources), frames)
    if not strict:
        responses, renumbered = _same_numbers(responses, known)
        notes += renumbered
    matched = responses.join(known, on=list(ITEM_KEY), how="semi", maintain_order="left")
    if matched.is_empty():
        raise InputError(
            "no response matches an item by benchmark and item_id",
            where=where,
            mend=f"The answers hold {_ids(responses)}, the items {_ids(known)}; give the right "
            "--items, or mend the ids",
        )
    missing = responses.join(known, on=list(ITEM_KEY), how="anti")
    if strict and not missing.is_empty():
        row = missing.row(0, named=True)
        raise InputError(
            f"{missing.height} responses match no item, first {row['benchmark']}/{row['item_id']}",
            where=where,
            mend="Give --items that hold them, or leave out --strict",
        )
    left_out += _without_item(missing, {row.id for row in left_out})
    lost = missing.join(matched, on="model", how="anti")
    notes += [
        f"{model}: none of its {part.height} responses matches an item; it is not in the audit."
        for (model,), part in lost.group_by("model", maintain_order=True)
    ]
    probed = matched.filter(pl.col("probe").is_not_null())
    if not probed.is_empty():
        notes.append(
            f"{probed.height} responses carry a probe; they stay out of accuracy and gaps."
        )
        matched = matched.filter(pl.col("probe").is_null())
    answered = known.join(matched, on=list(ITEM_KEY), how="semi", maintain_order="left")
    is_single = pl.col("target").eq_missing("choice")
    single = answered.filter(is_single)
    left_out += [
        LeftOut(f"items of {benchmark}", None, item, "not one right option")
        for benchmark, item in answered.filter(~is_single).select(*ITEM_KEY).iter_rows()
    ]
    matched = matched.join(single, on=list(ITEM_KEY), how="semi", maintain_order="left")
    if matched.is_empty():
        raise InputError(
            "no usable row: no answered item has exactly one right option",
            where=where,
            mend="Probe rows and questions with several right options are not audited",
        )
    # One order, whatever the order of files and rows: equal inputs give equal numbers.
    return Inputs(
        items=single.sort(*ITEM_KEY),
        responses=matched.sort(*RESPONSE_KEY, nulls_last=False),
        unmatched=missing.height,
        left_out=left_out,
        notes=notes,
        answer_sources=[name for name, _ in frames],
        item_sources=names,
        files=files,
    )


def _without_item(missing: pl.DataFrame, gone: set[str | None]) -> list[LeftOut]:
    """Responses whose item is not there; ``gone`` are the ids of items that were left out."""
    return [
        LeftOut(
            f"answers to {benchmark}",
            None,
            item,
            "its question was left out" if item in gone else "no such item",
        )
        for benchmark, item in missing.select(*ITEM_KEY).iter_rows()
    ]


def _ids(table: pl.DataFrame) -> str:
    """The first id of each of three benchmarks, as an example in a message."""
    first = table.unique("benchmark", keep="first", maintain_order=True).head(3)
    return ", ".join("/".join(row) for row in first.select(*ITEM_KEY).iter_rows())


def _files_of(source: object) -> list[Path]:
    if not isinstance(source, str | Path) or not Path(source).exists():
        return []
    path = Path(source)
    if path.is_dir():
        return sorted(inner for inner in path.rglob("*") if inner.is_file())
    return [path]


def _merge(tables: list[tuple[str, pl.DataFrame]], key: tuple[str, ...], kind: str) -> pl.DataFrame:
    """One table of all files; equal rows once, rows that contradict each other an error."""
    import polars as pl

    tables = [(name, table) for name, table in tables if not table.is_empty()]
    if not tables:
        raise InputError(f"no usable row in the {kind} given", mend="See docs/formats.md")
    if len(tables) == 1:
        return tables[0][1]
    # Where a row comes from and its free-form extras are not what it says.
    said = [c for c in tables[0][1].columns if c != "meta"]
    both = pl.concat(
        [table.with_columns(pl.lit(name).alias("__file")) for name, table in tables]
    ).unique(subset=said, keep="first", maintain_order=True)
    clash = both.filter(pl.struct(*key).is_duplicated())
    if not clash.is_empty():
        row = clash.row(0, named=True)
        same = clash.filter(
            pl.all_horizontal(*(pl.col(name).eq_missing(pl.lit(row[name])) for name in key))
        )
        where = " and ".join(dict.fromkeys(same["__file"].to_list()))
        what = "/".join(str(row[name]) for name in key if row[name] is not None)
        raise InputError(
            f"two rows for {what} contradict each other", where=where, mend="Keep one of the files"
        )
    return both.drop("__file")


def _join_carried(
    responses: pl.DataFrame,
    known: pl.DataFrame,
    carried: list[tuple[str, pl.DataFrame]],
    *,
    extend: bool,
) -> tuple[pl.DataFrame, pl.DataFrame, list[str]]:
    """Give responses the ids of known items that ask the same; else use the carried questions.

    Matching by id comes first and counts only if the question is the same too; then by
    content. Questions that are new are added to the known ones where ``extend``.
    """
    import polars as pl

    known_hash = known.select("benchmark", "item_id", "content_hash")
    own = pl.concat([table for _, table in carried]).unique(
        subset=list(ITEM_KEY), keep="first", maintain_order=True
    )
    by_id = own.join(known_hash, on=["benchmark", "item_id", "content_hash"], how="semi")
    rest = own.join(by_id, on=list(ITEM_KEY), how="anti", maintain_order="left")
    by_content = rest.join(
        known_hash.unique(subset="content_hash", keep="first", maintain_order=True).rename(
            {"benchmark": "benchmark_known", "item_id": "item_id_known"}
        ),
        on="content_hash",
        how="inner",
        maintain_order="left",
    ).select("benchmark", "item_id", "benchmark_known", "item_id_known")
    if not by_content.is_empty():
        responses = (
            responses.join(by_content, on=list(ITEM_KEY), how="left", maintain_order="left")
            .with_columns(
                pl.coalesce("benchmark_known", "benchmark").alias("benchmark"),
                pl.coalesce("item_id_known", "item_id").alias("item_id"),
            )
            .drop("benchmark_known", "item_id_known")
        )
        rest = rest.join(by_content, on=list(ITEM_KEY), how="anti", maintain_order="left")
    if not extend or rest.is_empty():
        return responses, known, []
    # A question of the same id as a known one, but not the same question, wins: it was asked.
    kept = known.join(rest, on=list(ITEM_KEY), how="anti", maintain_order="left")
    known = pl.concat([kept, rest.select(kept.columns)])
    return responses, known, [f"carried by {name}" for name, _ in carried]


def _known_benchmarks(
    responses: pl.DataFrame,
    known: pl.DataFrame,
    own_items: bool,
    frames: list[tuple[str, pl.DataFrame]],
) -> pl.DataFrame:
    """Responses under the names that the items use; a benchmark nobody knows is an error."""
    import polars as pl

    from viva import benchmarks

    have = set(known["benchmark"].unique().to_list())
    renamed: dict[str, str] = {}
    for name in responses["benchmark"].unique(maintain_order=True).to_list():
        if name in have:
            continue
        canonical = benchmarks.find_name(name)
        if canonical is not None and canonical in have:
            renamed[name] = canonical
        elif not own_items or canonical is None:
            where = next(
                (f for f, table in frames if name in table["benchmark"].unique().to_list()), None
            )
            near = difflib.get_close_matches(name, sorted(have), n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise InputError(
                f"unknown benchmark {name!r}{hint}",
                where=where,
                mend="Give its questions with --items; known here: " + ", ".join(sorted(have)[:8]),
            )
    if not renamed:
        return responses
    return responses.with_columns(pl.col("benchmark").replace(renamed))


def _same_numbers(responses: pl.DataFrame, known: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Responses whose ids are the items' ids as numbers: ``7`` or ``7.0`` for ``0007``.

    Spreadsheets and data frames take leading zeros off and add ``.0`` to columns with gaps. Ids
    are compared as numbers only where none of a model's on a benchmark matches as it stands and
    where the numbers tell the items apart; a note says so.
    """
    import polars as pl

    met = (
        responses.join(known, on=list(ITEM_KEY), how="semi")
        .select("benchmark", "model", pl.lit(True).alias("__met"))
        .unique()
    )
    if met.height == responses.select("benchmark", "model").unique().height:
        return responses, []
    number = pl.col("item_id").str.extract(r"^0*([0-9]+?)(?:\.0+)?$").alias("__number")
    items = known.select("benchmark", pl.col("item_id").alias("__id"), number).filter(
        pl.col("__number").is_not_null() & ~pl.struct("benchmark", "__number").is_duplicated()
    )
    joined = (
        responses.with_columns(number)
        .join(met, on=["benchmark", "model"], how="left", maintain_order="left")
        .join(items, on=["benchmark", "__number"], how="left", maintain_order="left")
        .with_columns(pl.when(pl.col("__met").is_null()).then("__id").alias("__id"))
    )
    found = joined.filter(pl.col("__id").is_not_null())
    if found.select(*RESPONSE_KEY[2:], "benchmark", "__id", "cue").is_duplicated().any():
        return responses, []
    notes = [
        f"{model} on {name}: no item_id matches as it is written; {part.height} responses were "
        f"matched by number, such as {part['item_id'][0]!r} to {part['__id'][0]!r}."
        for (model, name), part in found.group_by("model", "benchmark", maintain_order=True)
    ]
    renumbered = joined.with_columns(pl.coalesce("__id", "item_id").alias("item_id"))
    return renumbered.select(responses.columns), notes
