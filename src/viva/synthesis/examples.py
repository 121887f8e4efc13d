"""Examples in files, and items of any source as examples."""

from __future__ import annotations

import gzip
import json
import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viva._files import open_binary, parse_json, read_lines, read_rows, written
from viva.errors import InputError
from viva.records import Item, LeftOut, items_frame
from viva.synthesis.example import Example, Provenance, check_keys, key_of, seeded
from viva.synthesis.steps import Dropped

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "EXAMPLES",
    "SCHEMA",
    "Example",
    "Provenance",
    "check_keys",
    "in_folder",
    "key_of",
    "read_dropped",
    "read_examples",
    "seeded",
    "write_dropped",
    "write_examples",
]

SCHEMA = 1
"""Version of the rows that :func:`write_examples` writes."""

EXAMPLES = "examples.jsonl.gz"
"""The file of a finished synthesis, by which a folder can be given for it."""

_FOLDER = (EXAMPLES, "examples.jsonl", "items.parquet")
"""Files by which a folder is read, first found first."""


def write_examples(path: str | os.PathLike[str], examples: Sequence[Example]) -> None:
    """Write examples as JSON Lines (``.jsonl``, ``.jsonl.gz``) or Parquet, whole or not at all.

    A row of JSON Lines is an object of ``schema``, ``item`` (the item's row of
    :func:`viva.records.items_frame` without its hash) and the other fields of :class:`Example`
    where they are not empty. Equal examples give equal bytes.

    Raises
    ------
    InputError
        Two examples with one key; settings or scores that JSON cannot hold; another suffix; a
        file that cannot be written.
    """
    target = Path(path)
    check_keys(examples, where=str(target))
    name = target.name.lower()
    if name.endswith(".parquet"):
        frame = _frame(examples)
        with written(target) as stream:
            frame.write_parquet(stream, compression="zstd")
        return
    if not name.endswith((".jsonl", ".jsonl.gz")):
        raise InputError(
            "examples are written as .jsonl, .jsonl.gz or .parquet", where=str(target),
            mend="Name the file so",
        )  # fmt: skip
    _write_rows(target, _rows(examples))


def write_dropped(path: str | os.PathLike[str], dropped: Sequence[Dropped]) -> None:
    """Write what a step left out as JSON Lines: the rows of examples, each with its ``reason``.

    Raises
    ------
    InputError
        As :func:`write_examples`; keys may occur twice here.
    """
    rows = _rows([each.example for each in dropped])
    reasons = (each.reason for each in dropped)
    told = ({"reason": why, **row} for why, row in zip(reasons, rows, strict=True))
    _write_rows(Path(path), told)


def read_dropped(path: str | os.PathLike[str]) -> list[Dropped]:
    """What :func:`write_dropped` wrote: examples, each with the reason why it was left out.

    Raises
    ------
    InputError
        Where the file is none of them; it may have no row.
    """
    found = []
    for number, row in _json_rows(Path(path)):
        where = f"{path}:{number}"
        if not isinstance(row.get("reason"), str):
            raise InputError("a row without a reason", where=where, mend="Name a dropped- file")
        rest = {name: value for name, value in row.items() if name != "reason"}
        found.append(Dropped(_example(rest, where), row["reason"]))
    return found


def read_examples(
    source: str | os.PathLike[str] | Sequence[Any], *, left_out: list[LeftOut] | None = None
) -> list[Example]:
    """Examples of a file that :func:`write_examples` wrote, or one for each item of any source.

    Parameters
    ----------
    source : path or sequence
        A file of examples; a generic items file, a benchmark's own file, ``made:NAME`` or
        ``hub:NAME`` (:func:`viva.benchmarks.read_items`), each item an example without a
        completion; a folder of a synthesis or of a world; or a list of examples, of items, or of
        rows as dictionaries.
    left_out : list of LeftOut, optional
        Rows of items that cannot be read are appended here. Without it they are a warning that
        counts them by reason.

    Returns
    -------
    list of Example
        In the order of the source.

    Raises
    ------
    InputError
        A file that cannot be read, rows of a later schema, two examples with one key.
    """
    if isinstance(source, (str, os.PathLike)):
        given = Path(source)
        path = in_folder(given) if given.is_dir() else source
        if isinstance(path, os.PathLike) or os.path.exists(path):  # noqa: PTH110
            stored = _example_rows(Path(path))
            if stored is not None:
                found = [_example(row, f"{path}:{number}") for number, row in stored]
                check_keys(found, where=str(path))
                return found
        name = given.name if os.path.exists(path) else str(path)  # noqa: PTH110
        return _of_items(path, name, left_out)
    rows = list(source)
    if all(isinstance(each, Example) for each in rows):
        found = rows
    elif all(isinstance(each, Item) for each in rows):
        found = [_read(item, item.benchmark) for item in rows]
    elif all(isinstance(each, Mapping) and "item" in each for each in rows):
        found = [_example(row, f"rows:{number}") for number, row in enumerate(rows, 1)]
    else:
        return _of_items(rows, "", left_out)
    check_keys(found)
    return found


def in_folder(folder: Path) -> Path:
    """The file of examples or items by which a folder is read.

    Raises
    ------
    InputError
        Where there is none.
    """
    for name in _FOLDER:
        if (folder / name).is_file():
            return folder / name
    raise InputError(
        "no examples in this folder", where=str(folder),
        mend=f"Name a file, or a folder with {' or '.join(_FOLDER)}",
    )  # fmt: skip


def _of_items(source: Any, name: str, left_out: list[LeftOut] | None) -> list[Example]:
    """One example for each item; what cannot be read is told."""
    from viva.benchmarks import read_items
    from viva.formats._items import items_of

    read = read_items(source)
    if left_out is not None:
        left_out += read.left_out
    elif read.left_out:
        reasons = Counter(each.reason for each in read.left_out)
        told = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
        warnings.warn(f"{name or 'rows'}: left out {told}", stacklevel=3)
    return [_read(item, name or item.benchmark) for item in items_of(read.items)]


def _read(item: Item, source: str) -> Example:
    from viva.benchmarks import CARDS

    card = CARDS.get(item.benchmark)
    return Example(
        item,
        source=source,
        licence=card.licence if card else None,
        provenance=(Provenance("read", {"source": source}),),
    )


def _item_rows(examples: Sequence[Example]) -> pl.DataFrame:
    return items_frame(example.item for example in examples).drop("content_hash")


_PLAIN = ("completion", "rejected", "start", "start_kind", "number", "source", "licence")


def _json(value: Any, item: Mapping[str, Any]) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(
            "an example that JSON cannot hold",
            where=f"{item['benchmark']}/{item['item_id']}",
            mend=f"Keep to plain values in settings and scores ({error})",
        ) from None


def _provenance_row(one: Provenance) -> dict[str, Any]:
    row = asdict(one) | {"settings": dict(one.settings)}
    return {name: value for name, value in row.items() if value is not None}


def _write_rows(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    with written(path) as stream:
        if path.name.lower().endswith(".gz"):  # no time and no name in it: equal rows, equal bytes
            with gzip.GzipFile("", "wb", compresslevel=6, fileobj=stream, mtime=0) as packed:
                _write_lines(packed.write, rows)
        else:
            _write_lines(stream.write, rows)


def _write_lines(write: Callable[[bytes], Any], rows: Iterator[dict[str, Any]]) -> None:
    for row in rows:
        write((_json(row, row["item"]) + "\n").encode("utf-8"))


def _rows(examples: Sequence[Example]) -> Iterator[dict[str, Any]]:
    defaults = {each.name: each.default for each in fields(Example)}
    items = _item_rows(examples).iter_rows(named=True)
    for example, item in zip(examples, items, strict=True):
        row: dict[str, Any] = {"schema": SCHEMA}
        row["item"] = {name: value for name, value in item.items() if value is not None}
        for name in _PLAIN:
            value = getattr(example, name)
            if value != defaults[name]:
                row[name] = value
        if example.scores:
            row["scores"] = dict(example.scores)
        if example.provenance:
            row["provenance"] = [_provenance_row(one) for one in example.provenance]
        yield row


def _frame(examples: Sequence[Example]) -> pl.DataFrame:
    import polars as pl

    items = _item_rows(examples)
    columns: dict[str, Any] = {
        name: [getattr(example, name) for example in examples] for name in _PLAIN
    }
    rows = list(zip(examples, items.iter_rows(named=True), strict=True))
    columns["scores"] = [_json(dict(each.scores), item) for each, item in rows]
    columns["provenance"] = [
        _json([_provenance_row(one) for one in each.provenance], item) for each, item in rows
    ]
    types: dict[str, Any] = {name: pl.Int64 if name == "number" else pl.String for name in columns}
    return pl.DataFrame(columns, schema=types).select(
        pl.lit(SCHEMA).alias("schema"), items.to_struct("item"), pl.all()
    )


def _example_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]] | None:
    """The rows of a file of examples; None where it is of another kind."""
    with open_binary(path) as stream:
        head = stream.read(4)
    if head == b"PAR1":
        import polars as pl

        if {"schema", "item"} - set(pl.read_parquet_schema(path)):
            return None
        return read_rows(path)
    if head[:1] != b"{":
        return None
    lines = read_lines(path)
    first = next(lines)[1]
    if '"item"' not in first or '"schema"' not in first:
        return None
    row = parse_json(first, where=str(path))
    if not isinstance(row.get("item"), dict) or "schema" not in row:
        return None
    return _json_rows(path)


def _json_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in read_lines(path):
        if line.isspace():
            continue
        row = parse_json(line, where=str(path), first_line=number)
        if not isinstance(row, dict):
            raise InputError("is no example", where=f"{path}:{number}", mend="Delete the row")
        yield number, row


def _decoded(value: Any, empty: Any) -> Any:
    """A part of a row: JSON Lines hold it as it is, Parquet as JSON text."""
    return empty if value is None else json.loads(value) if isinstance(value, str) else value


def _example(row: Mapping[str, Any], where: str) -> Example:
    from viva.formats._items import item_from_row

    schema = row.get("schema", SCHEMA)
    if not isinstance(schema, int) or schema > SCHEMA:
        raise InputError(
            f"an example of schema {schema!r}; this version reads up to {SCHEMA}", where=where,
            mend="Update viva, or write the file again",
        )  # fmt: skip
    unknown = sorted(str(name) for name in row if name != "schema" and name not in _FIELDS)
    if unknown:
        raise InputError(
            f"an example with unknown fields {', '.join(unknown)}", where=where,
            mend="Keep what is of no field in the item's meta",
        )  # fmt: skip
    try:
        given = row["item"]
        if isinstance(given, Item):
            item = given
        else:
            item = item_from_row({**_EMPTY_ITEM, **given})
            if not isinstance(item.benchmark, str) or not isinstance(item.item_id, str):
                raise TypeError("no benchmark or item_id")
            if not isinstance(item.question, str):
                raise TypeError("no question")
        plain = {name: row[name] for name in _PLAIN if row.get(name) is not None}
        wrong = [n for n, v in plain.items() if not isinstance(v, int if n == "number" else str)]
        if wrong:
            raise TypeError(f"{wrong[0]} is a {type(plain[wrong[0]]).__name__}")
        scores = _decoded(row.get("scores"), {})
        return Example(
            item,
            scores={str(name): float(value) for name, value in scores.items()},
            provenance=tuple(Provenance(**one) for one in _decoded(row.get("provenance"), [])),
            **plain,
        )
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"is no example ({error})", where=where, mend="Mend or delete the row"
        ) from None


_FIELDS = frozenset(each.name for each in fields(Example))
_EMPTY_ITEM = dict.fromkeys(
    ("benchmark", "item_id", "question", "options", "target", "key", "gold", "context", "stratum",
     "stratum_definition", "p_reasoning", "group", "role", "relation", "media", "weight", "meta")
)  # fmt: skip
