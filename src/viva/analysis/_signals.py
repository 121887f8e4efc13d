"""How sure each answer is, by every signal that its response carries."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from viva.records import LETTERS, RESPONSE_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

__all__ = ["SIGNALS", "answer_signals"]

SIGNALS = ("confidence", "probability", "verbal", "length")
"""What an answer can be sure by: ``confidence`` as the method gives it (a vote's share, an option's
probability), ``probability`` of the option that was read, ``verbal`` confidence stated in the text,
minus the ``length`` of the response."""


def _unit(value: float | None) -> tuple[float | None, bool]:
    """The value where it is a confidence; whether it is one that cannot be."""
    if value is None:
        return None, False
    if not math.isfinite(value) or not -1e-9 <= value <= 1 + 1e-9:
        return None, True
    return min(max(value, 0.0), 1.0), False


def answer_signals(
    responses: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    scale: float | None = None,
    words: Mapping[str, float] | None = None,
) -> tuple[pl.DataFrame, str | None]:
    """Signals of graded answers, one row per answer, in the order of the scores.

    Parameters
    ----------
    responses, scores : polars.DataFrame
        Columns of :func:`viva.records.response_schema` and of
        :func:`viva.records.score_schema`.
    scale, words
        As :func:`viva.answers.confidence.read_confidence` takes them.

    Returns
    -------
    polars.DataFrame
        The response's key, ``value``, each of :data:`SIGNALS` (null where there is none) and
        ``SIGNAL_invalid``: a value that is no confidence, such as 1.7 or NaN. The probability is
        that of the option read, so an unread answer has none.
    str or None
        Unit of length: ``output_tokens`` or ``characters``, whichever more answers carry (tokens
        at a tie).
    """
    import polars as pl

    from viva.answers.confidence import read_confidence

    columns = ("confidence", "probabilities", "text", "finish_reason", "output_tokens", "reasoning")
    table = (
        scores.filter(pl.col("value").is_not_null())
        .select(*RESPONSE_KEY, "read", "value")
        .join(
            responses.select(*RESPONSE_KEY, *columns),
            on=RESPONSE_KEY,
            how="inner",
            nulls_equal=True,
            maintain_order="left",
        )
    )
    rows = []
    for given, chances, text, finish, read in table.select(
        "confidence", "probabilities", "text", "finish_reason", "read"
    ).iter_rows():
        place = LETTERS.find(read) if read and len(read) == 1 else -1
        chance = chances[place] if chances and 0 <= place < len(chances) else None
        said = read_confidence(text, scale=scale, words=words, finish_reason=finish).value
        rows.append((*_unit(given), *_unit(chance), said, False))
    schema = {
        "confidence": pl.Float64, "confidence_invalid": pl.Boolean,
        "probability": pl.Float64, "probability_invalid": pl.Boolean,
        "verbal": pl.Float64, "verbal_invalid": pl.Boolean,
    }  # fmt: skip
    characters = pl.col("text").str.len_chars() + pl.col("reasoning").str.len_chars().fill_null(0)
    lengths = table.select(pl.col("output_tokens"), characters.alias("characters"))
    unit = max(lengths.columns, key=lambda column: lengths[column].drop_nulls().len())
    found = pl.DataFrame(rows, schema, orient="row").with_columns(
        length=-lengths[unit].cast(pl.Float64), length_invalid=pl.lit(False)
    )
    carried = lengths[unit].drop_nulls().len()
    return table.select(*RESPONSE_KEY, "value").hstack(found), unit if carried else None
