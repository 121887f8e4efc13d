"""Memorised questions: how near a model's continuation of half a stem is to the other half.

That a continuation resembles the true one is expected of anyone who knows how examinations are
written. So the same continuations are compared with the second halves of other questions too:
only what exceeds that baseline speaks of memory, and only word-for-word continuations prove it.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

from viva.analysis._edits import edit_similarity
from viva.analysis.intervals import newcombe
from viva.analysis.planted import Rate, rate
from viva.errors import InputError
from viva.probes.half_question import halves
from viva.records import normalise

if TYPE_CHECKING:
    import polars as pl

__all__ = ["MEMORISED", "Memorisation", "continuation_similarity", "memorisation"]

MEMORISED = 0.95
"""Similarity from which a continuation counts as memorised (Nori et al. 2023)."""
LONGEST = 4_000
"""Characters of a half that are compared."""


class Memorisation(NamedTuple):
    """What the continuations of one model show."""

    memorised: Rate
    """Items whose continuation reaches the threshold, of those compared."""
    baseline: Rate
    """The same against second halves of other items: each item counts by the mean over them."""
    difference: tuple[float, float, float] | None
    """``memorised - baseline`` with its interval, in shares; None where nothing was compared."""
    mean_similarity: float | None
    """0..1."""
    baseline_similarity: float | None
    """Mean over other items; 0..1."""
    items: pl.DataFrame
    """One row for each item compared: ``benchmark, item_id, similarity, baseline, nearest``
    (largest similarity to the half of another item), ``memorised, continuation, second_half``."""
    too_short: int
    """Items whose stem is not cut."""
    unanswered: int
    """Items of sufficient length without a continuation."""


def continuation_similarity(continuation: str, second: str, first: str = "") -> float:
    """Similarity of a continuation to the true second half, 0..1.

    Parameters
    ----------
    continuation : str
        What the model wrote. Where it begins by repeating ``first``, that is cut off; what goes
        on beyond the length of ``second`` is not compared, since a model seldom knows when to
        stop.
    second : str
        The true half.
    first : str
        The half that was given.

    Returns
    -------
    float
        One less edit distance over length, of the characters in folded case and spacing.
    """
    truth, written = normalise(second)[:LONGEST], normalise(continuation[: 20 * LONGEST])
    given = normalise(first)
    if given and written.startswith(given):
        written = written[len(given) :].lstrip()
    return edit_similarity(written[: len(truth)], truth)


def memorisation(
    items: pl.DataFrame,
    continuations: pl.DataFrame,
    *,
    threshold: float = MEMORISED,
    others: int = 20,
    seed: int = 0,
) -> Memorisation:
    """Compare continuations of half-questions with the true halves, and with those of others.

    Parameters
    ----------
    items : polars.DataFrame
        Columns of :func:`viva.records.item_schema`.
    continuations : polars.DataFrame
        ``benchmark``, ``item_id`` and ``continuation``, one model's; of several for an item the
        first counts.
    threshold : float
        Similarity from which an item counts as memorised, in (0, 1].
    others : int
        Other items, drawn at random, with which each continuation is compared.
    seed : int
        Of that draw.

    Returns
    -------
    Memorisation

    Raises
    ------
    InputError
        A threshold outside (0, 1].
    """
    import polars as pl

    if not 0 < threshold <= 1:
        raise InputError(f"threshold {threshold} is not in (0, 1]", mend="0.95 is usual")
    written: dict[tuple[str, str], str] = {}
    for benchmark, item_id, text in continuations.select(
        "benchmark", "item_id", "continuation"
    ).iter_rows():
        if text is not None and text.strip():
            written.setdefault((benchmark, item_id), text)
    cut = [
        ((benchmark, item_id), halves(question or ""))
        for benchmark, item_id, question in items.select(
            "benchmark", "item_id", "question"
        ).iter_rows()
    ]
    known = {name: parts for name, parts in cut if parts is not None}
    seconds = sorted({normalise(parts.second) for parts in known.values()})
    rows = []
    for name, parts in known.items():
        if name not in written:
            continue
        text, own = written[name], normalise(parts.second)
        rng = random.Random(f"{seed} {name[0]} {name[1]}")  # noqa: S311
        drawn = [t for t in rng.sample(seconds, min(others + 1, len(seconds))) if t != own]
        apart = [continuation_similarity(text, t, parts.first) for t in drawn[:others]]
        similarity = continuation_similarity(text, parts.second, parts.first)
        rows.append(
            {
                "benchmark": name[0],
                "item_id": name[1],
                "similarity": similarity,
                "baseline": sum(apart) / len(apart) if apart else None,
                "nearest": max(apart, default=None),
                "memorised": similarity >= threshold,
                "by_chance": sum(a >= threshold for a in apart) / len(apart) if apart else 0.0,
                "continuation": text,
                "second_half": parts.second,
            }
        )
    schema = {
        "benchmark": pl.String, "item_id": pl.String, "similarity": pl.Float64,
        "baseline": pl.Float64, "nearest": pl.Float64, "memorised": pl.Boolean,
        "by_chance": pl.Float64, "continuation": pl.String, "second_half": pl.String,
    }  # fmt: skip
    table = pl.DataFrame(rows, schema=schema)
    n = table.height
    hits = int(table["memorised"].sum())
    chance = float(table["by_chance"].sum())
    difference = None
    if n:
        low, high = newcombe(hits, n, chance, n)
        difference = ((hits - chance) / n, float(low), float(high))
    return Memorisation(
        rate(hits, n),
        rate(chance, n),
        difference,
        _mean(table["similarity"]),
        _mean(table["baseline"]),
        table.drop("by_chance"),
        len(cut) - len(known),
        len(known) - n,
    )


def _mean(column: pl.Series) -> float | None:
    value = column.mean()
    return float(value) if isinstance(value, (int, float)) else None
