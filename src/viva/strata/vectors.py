"""Word vectors learnt from unlabelled exam questions, and a text as the mean of its words."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from viva.strata.text import tokens

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["WordVectors", "learn", "pool", "word_vectors"]

DIMENSIONS = 60
_WINDOW = 8
_CONTEXT_POWER = 0.75


class WordVectors(NamedTuple):
    """V words, their vectors (unit length, times 127) and how telling each word is."""

    at: dict[str, int]
    """Word -> row."""
    vectors: NDArray[np.int8]
    """Shape (V, DIMENSIONS)."""
    idf: NDArray[np.float32]
    """log(texts / texts with the word). Shape (V,)."""


def _word(token: str) -> str:
    return "0" if token[0].isdigit() else token


@cache
def word_vectors() -> WordVectors:
    """The vectors shipped with the package; made by ``tools/train_splitter.py --vectors``."""
    with as_file(files("viva.strata").joinpath("weights/vectors.npz")) as path:
        return read_vectors(path)


def read_vectors(path: Path) -> WordVectors:
    """Vectors from a file of plain arrays."""
    with np.load(path, allow_pickle=False) as arrays:
        words = bytes(arrays["words"]).decode().split("\n")
        vectors = arrays["vectors"].astype(np.int8)
        idf = arrays["idf"].astype(np.float32)
    return WordVectors({word: i for i, word in enumerate(words)}, vectors, idf)


def present(
    found: Sequence[int], lengths: Sequence[int]
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Column numbers of all texts, one after another and -1 where there is none, as the column
    numbers and row starts of a sparse matrix.
    """
    at = np.array(found, np.int32)
    there = at >= 0
    # How many are there before each position.
    before = np.concatenate([[0], np.cumsum(there)])
    return at[there], before[np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])]


def pool(texts: Sequence[Sequence[str]], vectors: WordVectors | None = None) -> NDArray[np.float32]:
    """Sum of the vectors of each text's known words, weighted by idf, at unit length.

    ``texts`` are lists of tokens. Returns shape (len(texts), DIMENSIONS); a text without a known
    word is all zero.
    """
    import scipy.sparse as sp

    known = vectors if vectors is not None else word_vectors()
    get = known.at.get
    found = [get(w if w >= ":" else "0", -1) for words in texts for w in words]
    columns, starts = present(found, [len(words) for words in texts])
    shape = (len(texts), len(known.at))
    weighted = sp.csr_matrix((known.idf[columns], columns, starts), shape=shape)
    pooled = np.asarray(weighted @ known.vectors.astype(np.float32), np.float32)
    norms = np.linalg.norm(pooled, axis=1, keepdims=True)
    return np.asarray(pooled / np.maximum(norms, 1e-6), np.float32)


def learn(texts: Sequence[Sequence[str]], *, size: int = 8000, seed: int = 0) -> WordVectors:
    """Vectors from the positive pointwise mutual information of words near each other.

    Pairs up to 8 words apart count 1/sqrt(distance); contexts are smoothed with the power 0.75
    (Levy, Goldberg & Dagan 2015); the matrix is cut to its leading singular directions, each
    scaled by the square root of its singular value.

    Parameters
    ----------
    texts : sequence of sequences of str
        Each text as passages (stem, options); words of two passages are never neighbours.
    size : int
        Number of words kept, the commonest first.
    seed : int
        Of the randomised decomposition.
    """
    import scipy.sparse as sp
    from sklearn.utils.extmath import randomized_svd

    passages = [[[_word(t) for t in tokens(p)] for p in text] for text in texts]
    count: dict[str, int] = {}
    for text in passages:
        for passage in text:
            for word in passage:
                count[word] = count.get(word, 0) + 1
    words = sorted(count, key=lambda word: (-count[word], word))[:size]
    index = {word: i for i, word in enumerate(words)}
    gap = [-1] * _WINDOW
    flat = [i for text in passages for p in text for i in [*(index.get(w, -1) for w in p), *gap]]
    ids = np.array(flat, np.int64)
    size = len(words)
    near = sp.csr_matrix((size, size), dtype=np.float64)
    for offset in range(1, _WINDOW + 1):
        a, b = ids[:-offset], ids[offset:]
        both = (a >= 0) & (b >= 0)
        weight = np.full(int(both.sum()), offset**-0.5)
        near = near + sp.csr_matrix((weight, (a[both], b[both])), shape=(size, size))
    near = (near + near.T).tocoo()
    total = np.bincount(near.row, near.data, minlength=size)
    context = total**_CONTEXT_POWER
    context /= context.sum()
    information = np.log(near.data / (total[near.row] * context[near.col]))
    kept = information > 0
    matrix = sp.csr_matrix(
        (information[kept], (near.row[kept], near.col[kept])), shape=(size, size)
    )
    left, scale, _ = randomized_svd(matrix, DIMENSIONS, random_state=seed)
    vectors = left * np.sqrt(scale)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    texts_with = np.zeros(size)
    for text in passages:
        seen = {index[w] for passage in text for w in passage if w in index}
        texts_with[list(seen)] += 1
    idf = np.log(max(len(texts), 1) / (1 + texts_with)).clip(min=0)
    return WordVectors(index, np.round(vectors * 127).astype(np.int8), idf.astype(np.float32))
