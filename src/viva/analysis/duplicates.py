"""Items that occur more than once: exactly, by declaration, or nearly.

Exact duplicates and declared groups become the clusters that every interval resamples. Near
duplicates are reported and change no number: whether "a 45-year-old man" and "a 54-year-old
man" are the same question is for a reader to say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from viva.analysis._shingles import candidate_pairs, shingle, similarities, weigh
from viva.records import normalise

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

__all__ = [
    "NearDuplicates",
    "clusters",
    "exact_duplicates",
    "near_duplicates",
    "summarise_duplicates",
]

NEAR = 0.7
"""Weighted similarity of shingles from which two items are near duplicates."""
TELLING = 12.0
"""Weight that two stems must share: "Which of the following statements is true?" shares 9."""
_CANDIDATE = 0.5
"""Unweighted similarity of candidates: a difference in common words weighs less than it counts."""


class NearDuplicates(NamedTuple):
    """Pairs of items that nearly ask the same, most similar first."""

    pairs: NDArray[np.int64]
    """Rows of the items frame, shape (m, 2), the first item standing for its exact duplicates."""
    similarity: NDArray[np.float64]
    """Shape (m,), 0..1."""
    crowded: int
    """Buckets of look-alikes too large to compare all with all; 0 = none was cut short."""


def _by_appearance(keys: Sequence[Hashable]) -> NDArray[np.int64]:
    """Consecutive codes in order of first appearance."""
    seen: dict[Hashable, int] = {}
    return np.array([seen.setdefault(key, len(seen)) for key in keys], dtype=np.int64)


def exact_duplicates(items: pl.DataFrame) -> NDArray[np.int64]:
    """Codes of exact duplicates: same question, same options in any order.

    Items that differ in a context that both of them have (two passages, one question) are
    different items; one that lacks the context is taken for a copy where only one context
    occurs.

    Parameters
    ----------
    items : polars.DataFrame
        Columns of :func:`viva.records.item_schema`.

    Returns
    -------
    array of int, shape (items,)
        Equal codes = exact duplicates, across benchmarks; numbered by first appearance.
    """
    hashes = items["content_hash"].to_list()
    contexts = [normalise(text) if text else "" for text in items["context"]]
    known: defaultdict[str, set[str]] = defaultdict(set)
    for key, context in zip(hashes, contexts, strict=True):
        if key is not None and context:
            known[key].add(context)
    keys: list[Hashable] = []
    for row, (key, context) in enumerate(zip(hashes, contexts, strict=True)):
        if key is None:
            keys.append(row)
        else:
            keys.append((key, context if len(known[key]) > 1 else ""))
    return _by_appearance(keys)


def clusters(items: pl.DataFrame) -> NDArray[np.int64]:
    """Codes of the units that may be resampled independently.

    Exact duplicates (:func:`exact_duplicates`) and items that declare the same ``group`` are
    one unit, across benchmarks and transitively: if A copies B, and B and C share a group, the
    three are one.

    Parameters
    ----------
    items : polars.DataFrame
        Columns of :func:`viva.records.item_schema`.

    Returns
    -------
    array of int, shape (items,)
        Numbered by first appearance.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    exact = exact_duplicates(items)
    if not len(exact):
        return exact
    groups = items["group"].to_list()
    declared = np.array([row for row, group in enumerate(groups) if group is not None], dtype=int)
    if not len(declared):
        return exact
    # A graph of exact codes and groups: an item is an edge between its two.
    first_group = int(exact.max()) + 1
    codes = first_group + _by_appearance([groups[row] for row in declared])
    size = int(codes.max()) + 1
    edges = coo_array((np.ones(len(declared)), (exact[declared], codes)), shape=(size, size))
    _, labels = connected_components(edges, directed=False)
    return _by_appearance(labels[exact].tolist())


def _near_view(
    texts: list[list[str]], threshold: float, telling: float, seed: int
) -> tuple[dict[tuple[int, int], float], int]:
    """Similarity of each pair of near texts, and the number of crowded buckets."""
    sets = shingle(texts)
    weights = weigh(sets)
    ends = np.concatenate([[0.0], np.cumsum(weights, dtype=np.float64)])[sets.starts]
    candidates = candidate_pairs(sets, _CANDIDATE, eligible=np.diff(ends) >= telling, seed=seed)
    similarity, shared = similarities(sets, weights, candidates.pairs)
    near = (similarity >= threshold) & (shared >= telling)
    pairs = candidates.pairs[near].tolist()
    found = {(i, j): s for (i, j), s in zip(pairs, similarity[near].tolist(), strict=True)}
    return found, candidates.crowded


def near_duplicates(
    items: pl.DataFrame, *, threshold: float = NEAR, seed: int = 0
) -> NearDuplicates:
    """Pairs of items that nearly ask the same: small edits, or one stem with other options.

    Two items are near when their stems, or their stems with options, have a weighted Jaccard
    similarity of five-character shingles of at least ``threshold``; two stems must also share
    enough that is not boilerplate. Pairs that :func:`clusters` joins are left out.

    Parameters
    ----------
    items : polars.DataFrame
        Columns of :func:`viva.records.item_schema`.
    threshold : float
        0.5..1. Pairs whose unweighted similarity is below 0.5 may be missed.
    seed : int
        Of the hash functions that propose pairs; the similarities do not depend on it.

    Returns
    -------
    NearDuplicates

    Notes
    -----
    Shingles weigh less the more items hold them, so that a template which a good part of the
    items fill in differently makes no pairs.

    Time and memory grow linearly with the text as long as look-alikes are few. Where more than
    a hundred items fall into one bucket, each is compared with its twenty next in it, and
    ``crowded`` counts the bucket.
    """
    joined = clusters(items)
    exact = exact_duplicates(items)
    _, first = np.unique(exact, return_index=True)
    questions = items["question"].to_list()
    options = items["options"].to_list()
    stems = [[questions[row] or ""] for row in first]
    whole = [[questions[row] or "", *(options[row] or [])] for row in first]
    found, crowded = _near_view(stems, threshold, TELLING, seed)
    by_whole, crowded_whole = _near_view(whole, threshold, 0.0, seed)
    for pair, similarity in by_whole.items():
        found[pair] = max(similarity, found.get(pair, 0.0))
    rows = first[np.array(list(found), dtype=np.int64).reshape(-1, 2)]
    values = np.array(list(found.values()), dtype=np.float64)
    apart = joined[rows[:, 0]] != joined[rows[:, 1]]
    rows, values = rows[apart], values[apart]
    order = np.lexsort((rows[:, 1], rows[:, 0], -values))
    return NearDuplicates(rows[order], values[order], crowded + crowded_whole)


def _right_texts(items: pl.DataFrame) -> list[frozenset[str] | None]:
    """The texts of the right options of every item; None where it has no (valid) key."""
    out: list[frozenset[str] | None] = []
    for options, key in items.select("options", "key").iter_rows():
        valid = key and options and all(0 <= k < len(options) for k in key)
        out.append(frozenset(normalise(options[k]) for k in key) if valid else None)
    return out


def _contradiction(
    rows: Sequence[int], right: Sequence[frozenset[str] | None]
) -> tuple[int, int] | None:
    """The first keyed copy and the first whose key differs from it; None where all agree."""
    keyed = [row for row in rows if right[row] is not None]
    other = next((row for row in keyed[1:] if right[row] != right[keyed[0]]), None)
    return None if other is None else (keyed[0], other)


def summarise_duplicates(
    items: pl.DataFrame, near: NearDuplicates | None = None, *, examples: int = 20
) -> dict[str, Any]:
    """Counts and examples of duplicates, as a report shows them.

    Parameters
    ----------
    items : polars.DataFrame
        Columns of :func:`viva.records.item_schema`.
    near : NearDuplicates, optional
        Found already; :func:`near_duplicates` is called where it is left out.
    examples : int
        Largest number of examples: copies with contradicting keys come first, then near
        duplicates across benchmarks, then inside one.

    Returns
    -------
    dict
        ``exact_clusters``; ``exact_items``, those beyond the first of their cluster;
        ``exact_across_benchmarks`` and ``contradicting_keys``, in clusters; ``near_pairs`` and
        ``near_across_benchmarks``, in pairs of distinct contents; ``examples``, dicts of ``a``,
        ``b`` (``benchmark/item_id``), ``similarity`` and ``same_key`` (None: a key is missing).
    """
    near = near_duplicates(items) if near is None else near
    exact = exact_duplicates(items)
    benchmarks = items["benchmark"].to_list()
    members: defaultdict[int, list[int]] = defaultdict(list)
    for row, code in enumerate(exact.tolist()):
        members[code].append(row)
    copied = [rows for rows in members.values() if len(rows) > 1]
    right = _right_texts(items)
    contradicting = list(filter(None, (_contradiction(rows, right) for rows in copied)))
    across = [
        len({benchmarks[row] for code in exact[pair].tolist() for row in members[code]}) > 1
        for pair in near.pairs
    ]
    by_place = sorted(range(len(across)), key=lambda place: not across[place])
    shown = [(a, b, 1.0) for a, b in contradicting]
    shown += [
        (*near.pairs[i].tolist(), round(float(near.similarity[i]), 3)) for i in by_place[:examples]
    ]
    names = [f"{b}/{i}" for b, i in zip(benchmarks, items["item_id"], strict=True)]
    return {
        "exact_clusters": len(copied),
        "exact_items": sum(len(rows) - 1 for rows in copied),
        "exact_across_benchmarks": sum(len({benchmarks[r] for r in rows}) > 1 for rows in copied),
        "contradicting_keys": len(contradicting),
        "near_pairs": len(near.pairs),
        "near_across_benchmarks": sum(across),
        "examples": [
            {
                "a": names[a],
                "b": names[b],
                "similarity": similarity,
                "same_key": None if None in (right[a], right[b]) else right[a] == right[b],
            }
            for a, b, similarity in shown[:examples]
        ],
    }
