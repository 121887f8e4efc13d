"""Folds that keep questions with the same or nearly the same stem together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["folds", "near_duplicates"]

ALIKE = 0.75
"""Cosine of word 1-2-gram TF-IDF rows from which two stems are near-duplicates."""


def _word_pairs(stem: str) -> list[str]:
    words = re.findall(r"[a-z0-9]+", stem.lower()) or ["-"]
    return words + [f"{a} {b}" for a, b in pairwise(words)]


def near_duplicates(stems: Sequence[str]) -> NDArray[np.int64]:
    """Group number of each stem: connected by chains of near-duplicates. Shape (N,)."""
    import scipy.sparse as sp
    from scipy.sparse.csgraph import connected_components
    from sklearn.feature_extraction.text import TfidfVectorizer

    rows = TfidfVectorizer(sublinear_tf=True, analyzer=_word_pairs).fit_transform(stems)
    edges = []
    for start in range(0, rows.shape[0], 500):
        like = (rows[start : start + 500] @ rows.T).tocoo()
        near = like.data >= ALIKE
        edges.append(np.stack([like.row[near] + start, like.col[near]]))
    a, b = np.concatenate(edges, axis=1)
    graph = sp.csr_matrix((np.ones(len(a), np.int8), (a, b)), shape=(len(stems),) * 2)
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def folds(
    group: NDArray[np.int64], label: NDArray[np.bool_], *, k: int, seed: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """(training, held-out) positions of k folds: groups whole, shares of labels alike."""
    from sklearn.model_selection import StratifiedGroupKFold

    parts = StratifiedGroupKFold(k, shuffle=True, random_state=seed)
    yield from parts.split(np.zeros(len(group)), label, group)
