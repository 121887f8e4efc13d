"""Questions as numbers: weighted n-grams of three fields, and a block of dense features."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from viva.strata.cues import cue_names, cues
from viva.strata.lexicon import mention_names, mentions
from viva.strata.text import Question
from viva.strata.vectors import pool, present

if TYPE_CHECKING:
    import scipy.sparse as sp
    from numpy.typing import NDArray

__all__ = [
    "FIELDS",
    "Prepared",
    "Vocabulary",
    "dense",
    "dense_names",
    "fields",
    "ngrams",
    "prepare",
    "vectors",
]

FIELDS = {"stem": 2, "ask": 3, "options": 2}
"""Longest n-gram of each field."""

_SEPARATOR = ";"
"""Between options, so that no n-gram spans two of them."""


def fields(view: str) -> tuple[str, ...]:
    """The n-gram fields that weights of a view have."""
    return ("stem", "ask", "options") if view == "stem+options" else ("stem", "ask")


def _field_words(q: Question, field: str) -> list[str]:
    if field == "options":
        words = [word for option in q.option_words for word in (*option, _SEPARATOR)]
    else:
        words = q.stem_words if field == "stem" else q.ask_words
    # Numbers all read as one word, and only they begin below "9" + 1; the separator lies above.
    return ["0" if word < ":" else word for word in words]


def ngrams(q: Question, field: str) -> list[str]:
    """The n-grams of a field, one to :data:`FIELDS` words long; numbers read as ``0``."""
    words = _field_words(q, field)
    found = [word for word in words if word != _SEPARATOR]
    found += [f"{a} {b}" for a, b in pairwise(words)]
    if FIELDS[field] > 2:
        found += [f"{a} {b} {c}" for a, b, c in zip(words, words[1:], words[2:], strict=False)]
    return found


class Vocabulary(NamedTuple):
    """The n-grams of one field and their inverse document frequencies."""

    field: str
    at: dict[str, int]
    """N-gram -> column."""
    idf: NDArray[np.float32]
    """ln((1 + texts) / (1 + texts with the n-gram)) + 1. Shape (V,)."""

    @classmethod
    def learn(cls, texts: Sequence[Sequence[str]], field: str, *, least: int) -> Vocabulary:
        """N-grams that occur in at least ``least`` of the texts, in alphabetical order."""
        count: dict[str, int] = {}
        for grams in texts:
            for gram in set(grams):
                count[gram] = count.get(gram, 0) + 1
        kept = sorted(gram for gram, n in count.items() if n >= least and _SEPARATOR not in gram)
        n = np.array([count[gram] for gram in kept], np.float64)
        idf = np.log((1 + len(texts)) / (1 + n)) + 1
        # Half precision is what the weights file holds: training must see the same values.
        idf = idf.astype(np.float16).astype(np.float32)
        return cls(field, {gram: i for i, gram in enumerate(kept)}, idf)

    def matrix(self, texts: Sequence[Sequence[str]]) -> sp.csr_matrix:
        """(1 + ln n) x idf of each n-gram, rows at unit length. Shape (len(texts), V)."""
        import scipy.sparse as sp

        get = self.at.get
        found = [get(gram, -1) for grams in texts for gram in grams]
        columns, starts = present(found, [len(grams) for grams in texts])
        shape = (len(texts), len(self.at))
        matrix = sp.csr_matrix((np.ones(len(columns), np.float32), columns, starts), shape=shape)
        matrix.sum_duplicates()
        matrix.data = (1 + np.log(matrix.data)) * self.idf[matrix.indices]
        squares = np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel()
        scale = 1 / np.sqrt(np.maximum(squares, 1e-12))
        matrix.data *= np.repeat(scale, np.diff(matrix.indptr)).astype(np.float32)
        return matrix


class Prepared(NamedTuple):
    """What the texts of N questions give before anything is learnt from other texts."""

    view: str
    grams: dict[str, list[list[str]]]
    """Field -> n-grams of each question."""
    dense: NDArray[np.float32]
    """Cues and mentions, then word-vector coordinates. Shape (N, F)."""
    cues: int
    """How many of the F are cues and mentions."""

    def take(self, which: NDArray[np.int64]) -> Prepared:
        """Some of the questions."""
        some = {field: [texts[i] for i in which] for field, texts in self.grams.items()}
        return Prepared(self.view, some, self.dense[which], self.cues)


def prepare(questions: Sequence[Question], view: str) -> Prepared:
    """Read the questions once; folds then take rows of the result."""
    grams = {field: [ngrams(q, field) for q in questions] for field in fields(view)}
    cue = dense(questions, view)
    return Prepared(view, grams, np.hstack([cue, vectors(questions, view)]), cue.shape[1])


def dense_names(view: str) -> tuple[str, ...]:
    """Names of the features of :func:`dense`."""
    options = view == "stem+options"
    return cue_names(options=options) + mention_names(options=options)


def dense(questions: Sequence[Question], view: str) -> NDArray[np.float32]:
    """Cues and mentions. Shape (len(questions), number of :func:`dense_names`)."""
    options = view == "stem+options"
    rows = [cues(q, options=options) + mentions(q, options=options) for q in questions]
    return np.array(rows, np.float32).reshape(len(questions), len(dense_names(view)))


def vectors(questions: Sequence[Question], view: str) -> NDArray[np.float32]:
    """Pooled word vectors of the body, the asking sentence and (with options) the options."""
    parts = [pool([q.body_words for q in questions]), pool([q.ask_words for q in questions])]
    if view == "stem+options":
        parts.append(pool([[w for option in q.option_words for w in option] for q in questions]))
    return np.hstack(parts)
