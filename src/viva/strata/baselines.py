"""What simple rules reach: word count, an age in the stem, and TF-IDF with a linear classifier."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from viva.strata.text import Question, word_count

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["age_pattern", "tfidf_baseline", "words"]

_AGE = re.compile(r"\d+-year-old", re.IGNORECASE)


def words(stems: Sequence[str]) -> NDArray[np.int64]:
    """The word count of each stem: longer is taken as more reasoning."""
    return np.array([word_count(stem) for stem in stems], np.int64)


def age_pattern(stems: Sequence[str]) -> NDArray[np.bool_]:
    """Whether the stem has an age such as ``45-year-old``."""
    return np.array([bool(_AGE.search(stem)) for stem in stems], bool)


def tfidf_baseline(
    training: Sequence[Question],
    reasoning: NDArray[np.bool_],
    held_out: Sequence[Question],
    *,
    weight: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Probabilities of logistic regression on TF-IDF of stem, options and asking sentence.

    Words and pairs of words that occur in at least two training questions, sublinear counts,
    C = 1: the usual first text classifier.
    """
    import scipy.sparse as sp
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    train, test = [], []
    for part in (lambda q: q.stem, lambda q: q.ask, lambda q: " | ".join(q.options)):
        texts = [part(q) for q in training]
        if not any(text.strip() for text in texts):
            continue
        vectoriser = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
        train.append(vectoriser.fit_transform(texts))
        test.append(vectoriser.transform([part(q) for q in held_out]))
    classifier = LogisticRegression(C=1.0, max_iter=1000)
    classifier.fit(sp.hstack(train), reasoning, sample_weight=weight)
    return np.asarray(classifier.predict_proba(sp.hstack(test))[:, 1], np.float64)
