"""Responses to scores: one pure pass that never calls a model."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from viva._progress import Advance
from viva.answers import read
from viva.records import Choice, Status, score_schema
from viva.scoring.choice import read_prediction, score_choice

if TYPE_CHECKING:
    import polars as pl

__all__ = ["score_responses"]

NO_RESPONSE = "no response"


def score_responses(
    items: pl.DataFrame,
    responses: pl.DataFrame,
    *,
    advance: Advance | None = None,
) -> pl.DataFrame:
    """Read and score every response whose item has a single-choice target.

    Parameters
    ----------
    items : polars.DataFrame
        Columns of :func:`viva.records.item_schema`; (benchmark, item_id) unique.
    responses : polars.DataFrame
        Columns of :func:`viva.records.response_schema`. Rows without an item, or whose item
        has no ``choice`` target, are not scored and do not come back.
    advance : callable, optional
        Called with the number of responses done since the last call.

    Returns
    -------
    polars.DataFrame
        Columns of :func:`viva.records.score_schema`, in the order of ``responses``. ``value``
        is 1 for the key, 0 for another letter or an unread answer, null where there was no
        response to grade.
    """
    import polars as pl

    questions = items.filter(pl.col("target") == "choice").select(
        "benchmark", "item_id", "options", pl.col("key").list.first().alias("key")
    )
    joined = responses.join(
        questions, on=["benchmark", "item_id"], how="inner", maintain_order="left"
    )
    # Most predictions are one of a few letters: reading each distinct one once is enough.
    read_again = lru_cache(maxsize=65_536)(read_prediction)
    statuses: list[str] = []
    letters: list[str | None] = []
    values: list[float | None] = []
    reasons: list[str | None] = []
    columns = ["text", "prediction", "already_read", "error", "finish_reason", "options", "key"]
    done = 0
    for text, prediction, already_read, error, finish, options, key in joined.select(
        columns
    ).iter_rows():
        done += 1
        if advance is not None and done % 1000 == 0:
            advance(1000)
        if text is None and (error is not None or not already_read):
            statuses.append(Status.UNGRADED)
            letters.append(None)
            values.append(None)
            reasons.append(error or NO_RESPONSE)
            continue
        if text is not None:
            reading = read(text, options=options, finish_reason=finish)
        else:
            reading = read_again(prediction, tuple(options))
        statuses.append(reading.status)
        letters.append(reading.value)
        values.append(score_choice(reading, Choice(key)))
        reasons.append(reading.reason)
    if advance is not None:
        advance(done % 1000)
    return (
        joined.select("benchmark", "item_id", "model", "method", "probe", "sample")
        .with_columns(
            pl.lit("choice").alias("metric"),
            pl.Series("status", statuses, dtype=pl.String),
            pl.Series("read", letters, dtype=pl.String),
            pl.Series("value", values, dtype=pl.Float64),
            pl.Series("reason", reasons, dtype=pl.String),
        )
        .select(list(score_schema()))
    )
