"""One row of training data, with where it came from; and its files."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import random
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viva._files import open_binary, parse_json, read_lines, read_rows, written
from viva.errors import InputError
from viva.records import Item, LeftOut, items_frame

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "EXAMPLES",
    "SCHEMA",
    "Example",
    "Provenance",
    "check_keys",
    "key_of",
    "read_examples",
    "seeded",
    "write_examples",
]

SCHEMA = 1
"""Version of the rows that :func:`write_examples` writes."""

EXAMPLES = "examples.jsonl.gz"
"""The file of a finished synthesis, by which a folder can be given for it."""

_FOLDER = (EXAMPLES, "examples.jsonl", "items.parquet")
"""Files by which a folder is read, first found first."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """One step that an example went through."""

    step: str
    """Name of the synthesis step, or ``read``."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What it was called with: plain values, as JSON has them."""
    model: str | None = None
    """Spec of the model that wrote or measured; None where none did."""
    prompt_hash: str | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """One row of training data. Benchmark, item and ``number`` together are its key."""

    item: Item
    """Question, options, typed target, context, group, stratum, p_reasoning, meta."""
    completion: str | None = None
    """What is to be learned, after ``start``; the preferred side of a pair."""
    rejected: str | None = None
    """The side of a pair that is not preferred."""
    start: str = ""
    """Beginning of the answer that is put before the model: never in the loss."""
    start_kind: str | None = None
    """None, or one of :data:`viva.worlds.starts.KINDS`."""
    number: int = 0
    """Several examples of one item are numbered, from 0."""
    source: str = ""
    """File or benchmark it came from: reports are per source."""
    licence: str | None = None
    """As in the cards of benchmarks, SPDX where there is one; None where it is not known."""
    scores: Mapping[str, float] = field(default_factory=dict)
    """``p_reasoning``, ``pass_rate``, ``pass_count``, ``hops``, ``difficulty``, ``words`` ..."""
    provenance: tuple[Provenance, ...] = ()
    """Every step, in order; the first is ``read``."""


def key_of(example: Example) -> tuple[str, str, int]:
    """What names an example: benchmark, item and number."""
    return example.item.benchmark, example.item.item_id, example.number


def seeded(example: Example, *names: str | int) -> random.Random:
    """A generator that depends on the example's key and the names alone, not on the order of rows.

    Parameters
    ----------
    example : Example
    *names : str or int
        The step and its seed, so that two steps draw apart.
    """
    told = json.dumps([*key_of(example), *names], ensure_ascii=False)
    digest = hashlib.sha256(told.encode("utf-8", "surrogatepass")).digest()
    return random.Random(digest)  # noqa: S311


def check_keys(examples: Iterable[Example], *, where: str | None = None) -> None:
    """Refuse two examples with one key.

    Raises
    ------
    InputError
        Naming the first key that occurs twice, and how many do.
    """
    counts = Counter(key_of(example) for example in examples)
    twice = [key for key, count in counts.items() if count > 1]
    if twice:
        benchmark, item_id, number = twice[0]
        raise InputError(
            f"two examples are {benchmark}/{item_id} number {number} ({len(twice)} such keys)",
            where=where,
            mend="Number the examples of one item apart",
        )


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
    with written(target) as stream:
        if name.endswith(".gz"):  # no time and no name in it: equal examples, equal bytes
            with gzip.GzipFile("", "wb", compresslevel=6, fileobj=stream, mtime=0) as packed:
                _write_lines(packed, examples)
        else:
            _write_lines(stream, examples)


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
        path = _in_folder(Path(source)) if Path(source).is_dir() else source
        if isinstance(path, os.PathLike) or os.path.exists(path):  # noqa: PTH110
            rows = _example_rows(Path(path))
            if rows is not None:
                found = [_example(row, f"{path}:{number}") for number, row in rows]
                check_keys(found, where=str(path))
                return found
        name = Path(path).name if os.path.exists(path) else str(path)  # noqa: PTH110
        return _of_items(path, name, left_out)
    given = list(source)
    if all(isinstance(each, Example) for each in given):
        check_keys(given)
        return given
    if all(isinstance(each, Item) for each in given):
        found = [_read(item, item.benchmark) for item in given]
        check_keys(found)
        return found
    if given and all(isinstance(each, Mapping) and "item" in each for each in given):
        found = [_example(row, f"rows:{number}") for number, row in enumerate(given, 1)]
        check_keys(found)
        return found
    return _of_items(given, "", left_out)


def _in_folder(folder: Path) -> Path:
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


def _json(value: Any, example: Example) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(
            "an example that JSON cannot hold",
            where=f"{example.item.benchmark}/{example.item.item_id}",
            mend=f"Keep to plain values in settings and scores ({error})",
        ) from None


def _provenance_row(one: Provenance) -> dict[str, Any]:
    row = asdict(one) | {"settings": dict(one.settings)}
    return {name: value for name, value in row.items() if value is not None}


def _write_lines(stream: Any, examples: Sequence[Example]) -> None:
    defaults = {each.name: each.default for each in fields(Example)}
    rows = _item_rows(examples).iter_rows(named=True)
    for example, item in zip(examples, rows, strict=True):
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
        stream.write((_json(row, example) + "\n").encode("utf-8"))


def _frame(examples: Sequence[Example]) -> pl.DataFrame:
    import polars as pl

    items = _item_rows(examples)
    columns: dict[str, Any] = {
        name: [getattr(example, name) for example in examples] for name in _PLAIN
    }
    columns["scores"] = [_json(dict(each.scores), each) for each in examples]
    columns["provenance"] = [
        _json([_provenance_row(one) for one in each.provenance], each) for each in examples
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
    ("options", "target", "key", "gold", "context", "stratum", "stratum_definition",
     "p_reasoning", "group", "role", "relation", "media", "weight", "meta")
)  # fmt: skip
