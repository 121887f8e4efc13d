"""Two tables that fit each other: names and ids of responses made those of the items."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from viva.errors import InputError
from viva.records import RESPONSE_KEY

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

__all__ = ["ITEM_KEY", "join_carried", "known_benchmarks", "merge", "prefer", "same_numbers"]

ITEM_KEY = ("benchmark", "item_id")


def merge(
    tables: Sequence[tuple[str, pl.DataFrame]],
    key: tuple[str, ...],
    kind: str,
    mend: str = "Keep one of the files",
) -> pl.DataFrame:
    """One table of all files; equal rows once, rows that contradict each other an error.

    Parameters
    ----------
    tables : sequence of (str, polars.DataFrame)
        What each file is called and what it holds; all with the same columns.
    key : tuple of str
        Columns that name a row.
    kind : str
        What the rows are, for the message.
    mend : str
        What to do about two rows that contradict each other.

    Raises
    ------
    InputError
        Where no file has a row, or two rows of one key differ.
    """
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
        raise InputError(f"two rows for {what} contradict each other", where=where, mend=mend)
    return both.drop("__file")


def prefer(first: pl.DataFrame, second: pl.DataFrame) -> pl.DataFrame:
    """Items of both tables; where both have one of an id, that of the first."""
    import polars as pl

    rest = second.join(first, on=list(ITEM_KEY), how="anti", maintain_order="left")
    return pl.concat([first.select(second.columns), rest])


def _order() -> pl.Expr:
    """The options of an item as one text, in their order, whatever their case and spacing."""
    import polars as pl

    tidy = pl.element().str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()
    return pl.col("options").list.eval(tidy).list.join("\x1f").alias("__order")


def join_carried(
    responses: pl.DataFrame,
    known: pl.DataFrame,
    carried: list[tuple[str, pl.DataFrame]],
    *,
    extend: bool,
) -> tuple[pl.DataFrame, pl.DataFrame, list[str]]:
    """Give responses the ids of known items that ask the same; else use the carried questions.

    Matching by id comes first and counts only if the question is the same too; then by
    content. The same options in another order are another question here: a letter in the answer
    means another text. Questions that are new are added to the known ones where ``extend``.
    """
    import polars as pl

    same = ["content_hash", "__order"]
    known_hash = known.select("benchmark", "item_id", "content_hash", _order())
    own = (
        pl.concat([table for _, table in carried])
        .unique(subset=list(ITEM_KEY), keep="first", maintain_order=True)
        .with_columns(_order())
    )
    by_id = own.join(known_hash, on=["benchmark", "item_id", *same], how="semi")
    rest = own.join(by_id, on=list(ITEM_KEY), how="anti", maintain_order="left")
    by_content = rest.join(
        known_hash.unique(subset=same, keep="first", maintain_order=True).rename(
            {"benchmark": "benchmark_known", "item_id": "item_id_known"}
        ),
        on=same,
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
    return responses, prefer(rest, known), [f"carried by {name}" for name, _ in carried]


def known_benchmarks(
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


def same_numbers(responses: pl.DataFrame, known: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
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
