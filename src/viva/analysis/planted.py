"""A test of the search for contamination on itself: copies that were planted, and strangers.

What a tool flags means nothing without the share of copies it finds and of strangers it flags;
both depend on the benchmark, so they are measured on its own items, on every use.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from viva.analysis._words import fold_words
from viva.analysis.contamination import contamination
from viva.analysis.intervals import wilson
from viva.records import LETTERS

if TYPE_CHECKING:
    import polars as pl

__all__ = ["PLANTS", "PlantedTest", "Rate", "plant", "planted_test", "rate"]

EDIT_EVERY = 16
"""Words to one edit."""
KEPT = 0.6
"""Share of the stem that a truncated copy keeps, and the fewest words of a stem to cut."""
FEWEST = 20
_AROUND = 20
"""Texts of other questions before, and as many behind, an item inside a longer document."""


class Rate(NamedTuple):
    """A share with its Wilson interval."""

    k: float
    """Fractional where it is a sum of means."""
    n: int
    estimate: float | None
    """0..1; None where n is 0."""
    low: float | None
    high: float | None


class PlantedTest(NamedTuple):
    """How well the search finds what is there, and leaves alone what is not."""

    recall: dict[str, Rate]
    """By kind of plant: planted copies whose own item was flagged."""
    false_positives: Rate
    """Unrelated questions of other benchmarks that were flagged. An upper bound: which of them
    are copies after all only a reader can tell, so they are listed."""
    precision: Rate
    """Right ones among the rows flagged, planted and unrelated rows in the numbers tested."""
    flagged: list[dict[str, str]]
    """Unrelated questions that were flagged: ``item``, ``other``, both texts."""


def rate(k: float, n: int) -> Rate:
    """A share with its Wilson interval; all None where ``n`` is 0."""
    if n == 0:
        return Rate(0, 0, None, None, None)
    low, high = wilson(k, n)
    return Rate(k, n, k / n, float(low), float(high))


def _listed(stem: str, options: Sequence[str]) -> str:
    lines = [f"{letter}. {text}" for letter, text in zip(LETTERS, options, strict=False)]
    return "\n".join([stem, *lines])


def _exact(stem: str, options: list[str], _rng: random.Random, _others: Sequence[str]) -> str:
    return _listed(stem, options)


def _edited(stem: str, options: list[str], rng: random.Random, _others: Sequence[str]) -> str:
    """One word in sixteen dropped, doubled, mistyped or replaced by another of the stem."""
    words = stem.split()
    for at in rng.sample(range(len(words)), max(1, len(words) // EDIT_EVERY)) if words else ():
        word = words[at]
        cut = rng.randrange(len(word))
        words[at] = rng.choice(
            ("", f"{word} {word}", word[:cut] + word[cut + 1 :], rng.choice(words))
        )
    return _listed(" ".join(words), options)


def _truncated(stem: str, _options: list[str], _rng: random.Random, _others: Sequence[str]) -> str:
    words = stem.split()
    return " ".join(words[: int(len(words) * KEPT)]) if len(words) >= FEWEST else ""


def _shuffled(stem: str, options: list[str], rng: random.Random, _others: Sequence[str]) -> str:
    if len(options) < 2:
        return ""
    return _listed(stem, rng.sample(options, len(options)))


def _embedded(stem: str, options: list[str], rng: random.Random, others: Sequence[str]) -> str:
    if not others:
        return ""
    around = [rng.choice(others) for _ in range(2 * _AROUND)]
    return "\n\n".join([*around[:_AROUND], _listed(stem, options), *around[_AROUND:]])


Planting = Callable[[str, list[str], random.Random, Sequence[str]], str]

PLANTS: dict[str, Planting] = {
    "exact": _exact,
    "edited": _edited,
    "truncated": _truncated,
    "options shuffled": _shuffled,
    "embedded": _embedded,
}
"""Kinds of plants: ``(stem, options, rng, stems of others) -> text``, empty where it does not
apply (a stem too short to cut)."""


def plant(
    items: pl.DataFrame, others: Sequence[str], *, seed: int, n: int
) -> list[tuple[str, int, str]]:
    """Copies of some items, of every kind.

    Parameters
    ----------
    items : polars.DataFrame
        Columns of :func:`viva.records.item_schema`.
    others : sequence of str
        Texts of other questions, for documents around an item.
    seed : int
        Of the choice of items and of every edit.
    n : int
        Items to copy, each in every kind that applies.

    Returns
    -------
    list of (str, int, str)
        Kind, row of ``items``, text.
    """
    rng = random.Random(f"{seed}")  # noqa: S311
    rows = sorted(rng.sample(range(items.height), min(n, items.height)))
    stems, options = items["question"].to_list(), items["options"].to_list()
    made = []
    for kind, planting in PLANTS.items():
        for row in rows:
            text = planting(stems[row] or "", list(options[row] or []), rng, others)
            if text:
                made.append((kind, row, text))
    return made


def planted_test(
    items: pl.DataFrame,
    others: pl.DataFrame,
    *,
    seed: int = 0,
    n: int = 200,
    most_others: int = 2000,
) -> PlantedTest:
    """Plant copies of items among unrelated questions and search for them.

    Parameters
    ----------
    items : polars.DataFrame
        Columns of :func:`viva.records.item_schema`.
    others : polars.DataFrame
        Questions of the same field: those of other benchmarks, whose stem is not that of an item
        word for word, are the unrelated ones. All of them say what is boilerplate.
    seed : int
        Of the choice and the edits.
    n : int
        Items to copy, each once for every kind of :data:`PLANTS` that applies.
    most_others : int
        Largest number of unrelated questions.

    Returns
    -------
    PlantedTest
    """
    import polars as pl

    known = {b" ".join(fold_words(stem or "").split()) for stem in items["question"]}
    names = set(items["benchmark"].unique().to_list())
    strangers = [
        row
        for row in others.filter(~pl.col("benchmark").is_in(sorted(names)))
        .select("benchmark", "item_id", "question", "options")
        .iter_rows()
        if b" ".join(fold_words(row[2] or "").split()) not in known
    ]
    rng = random.Random(f"{seed} others")  # noqa: S311
    chosen = rng.sample(strangers, min(most_others, len(strangers)))
    stems = [stem for _, _, stem, _ in chosen]
    made = plant(items, stems, seed=seed, n=n)
    texts = [(kind, at, text) for at, (kind, _, text) in enumerate(made)]
    texts += [
        ("unrelated", at, _listed(stem, options or []))
        for at, (_, _, stem, options) in enumerate(chosen)
    ]
    # A planted row may be one of some thousand flags of an item that many others copy.
    found = contamination(items, texts, reference=others, most=len(texts))
    ids = items.select("benchmark", "item_id").rows()
    hit = {
        (kind, at)
        for benchmark, item_id, kind, at in found.flags.select(
            "benchmark", "item_id", "file", "row"
        ).iter_rows()
        if kind != "unrelated" and ids[made[at][1]] == (benchmark, item_id)
    }
    recall = {}
    for kind in PLANTS:
        planted = sum(k == kind for k, _, _ in made)
        recall[kind] = rate(sum(k == kind for k, _ in hit), planted)
    false = found.flags.filter(pl.col("file") == "unrelated").unique("row", maintain_order=True)
    flagged = [
        {
            "item": f"{row['benchmark']}/{row['item_id']}",
            "other": "/".join(chosen[row["row"]][:2]),
            "item_text": row["item_text"],
            "other_text": row["row_text"],
        }
        for row in false.iter_rows(named=True)
    ]
    precision = rate(len(hit), len(hit) + len(flagged))
    return PlantedTest(recall, rate(len(flagged), len(chosen)), precision, flagged)
