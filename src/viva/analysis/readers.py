"""How far an accuracy moves with the rule that reads the answers."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from viva._progress import Advance
from viva.records import LETTERS, RESPONSE_KEY

if TYPE_CHECKING:
    import polars as pl

__all__ = ["ReaderComparison", "compare_readers"]

Reader = Callable[[str, Sequence[str]], str | None]


class ReaderComparison(NamedTuple):
    """What other readers make of a subject's raw texts."""

    readers: list[dict[str, Any]]
    """Per reader: ``reader``, ``source``, ``read``, ``accuracy``, ``difference``."""
    n: int
    """Texts that every reader was given."""
    accuracy: float | None
    """By this tool's reader, on the same texts."""
    note: str | None
    """Says so where not all texts were used."""


def _source(name: str, reader: Reader) -> str:
    """What the docstring says after "Source:", else its first line, else the name."""
    documented = inspect.getdoc(reader) or name
    _, marked, source = documented.partition("Source:")
    paragraph = source.strip().split("\n\n")[0] if marked else documented.splitlines()[0]
    plain = re.sub(r":\w+:`([^`]*)`|``([^`]*)``", r"\1\2", " ".join(paragraph.split()))
    sentence = plain.split(". ")[0].rstrip(".")
    return sentence[:1].upper() + sentence[1:]


def _graded_texts(
    items: pl.DataFrame, responses: pl.DataFrame, scores: pl.DataFrame
) -> pl.DataFrame:
    """Raw texts that were graded, with the options and key of their items."""
    import polars as pl

    return (
        responses.filter(pl.col("text").is_not_null())
        .join(
            scores.filter(pl.col("value").is_not_null()).select(*RESPONSE_KEY, "value"),
            on=RESPONSE_KEY,
            how="inner",
            nulls_equal=True,
            maintain_order="left",
        )
        .join(
            items.filter(pl.col("target") == "choice").select(
                "benchmark", "item_id", "options", pl.col("key").list.first().alias("key")
            ),
            on=["benchmark", "item_id"],
            how="inner",
            maintain_order="left",
        )
        .select("text", "options", "key", "value")
    )


def compare_readers(
    items: pl.DataFrame,
    responses: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    readers: Mapping[str, Reader] | None = None,
    most: int | None = None,
    advance: Advance | None = None,
) -> ReaderComparison:
    """Accuracy by each other reader, against this tool's, on the same raw texts.

    Parameters
    ----------
    items : polars.DataFrame
        Columns of :func:`viva.records.item_schema`.
    responses : polars.DataFrame
        Columns of :func:`viva.records.response_schema`, of one subject of comparison, with a
        unique key. Only rows with raw text count: a prediction read elsewhere leaves nothing
        to read.
    scores : polars.DataFrame
        Columns of :func:`viva.records.score_schema`, of the same subject, metric ``choice``.
    readers : mapping, optional
        Name -> function of (text, options) to a letter or None, whose docstring names its
        source ("Source: ..."); default :data:`viva.answers.peers.PEERS`.
    most : int, optional
        Largest number of texts, taken at even distances; default all.
    advance : callable, optional
        Called with the number of texts done since the last call.

    Returns
    -------
    ReaderComparison
        ``read`` is the share of texts in which the reader found a letter, ``accuracy`` the
        share in which it found the key (the unread are not right), ``difference`` its accuracy
        minus this tool's, in points. Empty where there is no raw text.
    """
    if readers is None:
        from viva.answers.peers import PEERS

        readers = PEERS
    joined = _graded_texts(items, responses, scores)
    note = None
    if most is not None and joined.height > most:
        note = f"other readers: {most} of {joined.height} texts, taken at even distances"
        joined = joined[[row * joined.height // most for row in range(most)]]
    n = joined.height
    if n == 0:
        return ReaderComparison([], 0, None, None)
    ours = float(joined["value"].to_numpy().mean())
    found = dict.fromkeys(readers, 0)
    right = dict.fromkeys(readers, 0)
    for done, (text, options, key, _) in enumerate(joined.iter_rows(), start=1):
        for name, reader in readers.items():
            letter = reader(text, options)
            found[name] += letter is not None
            right[name] += letter == LETTERS[key]
        if advance is not None and (done % 100 == 0 or done == n):
            advance(done % 100 or 100)
    rows = [
        {
            "reader": name,
            "source": _source(name, reader),
            "read": found[name] / n,
            "accuracy": right[name] / n,
            "difference": 100 * (right[name] / n - ours),
        }
        for name, reader in readers.items()
    ]
    return ReaderComparison(rows, n, ours, note)
