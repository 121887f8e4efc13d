"""The light classifier: regression with a sum of kernels (a Gaussian process mean), calibrated.

k(x, x') = sum over n-gram fields of a linear kernel on TF-IDF rows, plus Gaussian kernels on the
cues with the pooled word vectors, and on the vectors alone. The target is the label plus a third
of the number of inference steps where the labels have it, so that the classifier learns *how much*
reasoning a question needs; leave-one-out scores, which have a closed form, then fit the logistic
curve from score to probability. Linear kernels are folded into one weight per n-gram; the
Gaussian ones keep the training questions as 8-bit rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from viva.strata.features import Prepared, Vocabulary

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SETTINGS", "Design", "Model", "Settings", "calibrate", "fit", "logistic", "score"]

_CLIP = 4.0
_STEP = 127 / _CLIP
_BATCH = 256
"""Questions whose kernel rows are held at once: few enough to stay in the cache."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Weights of the kernels and the noise; chosen once by repeated grouped cross-validation."""

    linear: float = 1.0
    """Of each n-gram field."""
    both: float = 5.0
    """Of the kernel on cues and word vectors."""
    vectors: float = 0.0
    """Of the kernel on word vectors alone."""
    vector_scale: float = 0.7
    """Of a standardised vector coordinate against a standardised cue, in the kernel on both."""
    width: float = 0.6
    """Of the Gaussians, in units of the median squared distance between training questions."""
    noise: float = 3.0
    least: int = 2
    """Training questions that an n-gram must occur in."""
    threshold: float = 0.5
    """Probability from which a question is called reasoning where nobody asks for another."""


SETTINGS: Mapping[str, Settings] = {
    "rubric": Settings(),
    "medxpertqa": Settings(
        linear=0.5,
        both=1.0,
        vectors=3.0,
        vector_scale=0.4,
        width=1.0,
        noise=10.0,
        least=3,
        threshold=0.65,
    ),
}


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """What features are made of: learnt from texts alone, without labels."""

    view: str
    settings: Settings
    vocabularies: tuple[Vocabulary, ...]
    centre: NDArray[np.float32]
    """Mean of dense and vector features. Shape (F,)."""
    spread: NDArray[np.float32]
    """Their standard deviation. Shape (F,)."""
    cues: int
    """How many of the F are cues; the rest are vector coordinates."""

    @classmethod
    def learn(cls, prepared: Prepared, settings: Settings) -> Design:
        """Vocabularies and scales of the training questions."""
        found = tuple(
            Vocabulary.learn(texts, name, least=settings.least)
            for name, texts in prepared.grams.items()
        )
        spread = prepared.dense.std(0)
        spread[spread < 1e-6] = np.inf
        return cls(prepared.view, settings, found, prepared.dense.mean(0), spread, prepared.cues)

    def rows(self, prepared: Prepared) -> Rows:
        """The features of questions."""
        z = np.clip((prepared.dense - self.centre) / self.spread, -_CLIP, _CLIP)
        return Rows(
            [v.matrix(prepared.grams[v.field]) for v in self.vocabularies],
            np.round(z * _STEP).astype(np.int8),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Features of N questions: sparse n-gram rows per field, standardised dense rows (8 bit)."""

    grams: list[Any]
    dense: NDArray[np.int8]

    def take(self, which: NDArray[np.int64]) -> Rows:
        """Some of the rows."""
        return Rows([m[which] for m in self.grams], self.dense[which])


class _Side(NamedTuple):
    """Dense rows as whole numbers in single precision, cues and vector coordinates apart.

    Products of 8-bit numbers add up to less than 2^24, so every sum below is exact: a distance
    does not depend on the order in which a machine adds.
    """

    cue: NDArray[np.float32]
    cue_squares: NDArray[np.float32]
    vector: NDArray[np.float32]
    vector_squares: NDArray[np.float32]

    @classmethod
    def of(cls, rows: NDArray[np.int8], design: Design) -> _Side:
        whole = rows.astype(np.float32)
        cue, vector = whole[:, : design.cues], whole[:, design.cues :]
        return cls(cue, (cue * cue).sum(1), vector, (vector * vector).sum(1))

    def take(self, part: slice) -> _Side:
        return _Side(*(array[part] for array in self))


def _distances(a: _Side, b: _Side) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Squared distances of cues, and of vector coordinates. Shapes (len(a), len(b))."""
    cue, vector = a.cue @ b.cue.T, a.vector @ b.vector.T
    for product, of_a, of_b in (
        (cue, a.cue_squares, b.cue_squares),
        (vector, a.vector_squares, b.vector_squares),
    ):
        product *= -2
        product += of_a[:, None]
        product += of_b
    return cue, vector


def _medians(rows: NDArray[np.int8], design: Design) -> list[float]:
    """Median squared distance of at most 1,000 evenly spread rows, per Gaussian kernel."""
    some = _Side.of(rows[:: max(1, len(rows) // 1000)], design)
    cue, vector = _distances(some, some)
    both = cue + vector * np.float32(design.settings.vector_scale**2)
    used = (both, vector) if design.settings.vectors > 0 else (both,)
    return [max(float(np.median(d)) / _STEP**2, 1e-6) for d in used]


def _gaussian(a: _Side, b: _Side, design: Design, medians: Sequence[float]) -> NDArray[np.float32]:
    """Sum of the Gaussian kernels. Shape (len(a), len(b))."""
    s = design.settings
    cue, vector = _distances(a, b)
    narrow = [np.float32(-1 / (_STEP**2 * s.width * median)) for median in medians]
    both = cue
    both += vector * np.float32(s.vector_scale**2)
    both *= narrow[0]
    np.exp(both, out=both)
    both *= np.float32(s.both)
    if s.vectors > 0:
        vector *= narrow[1]
        np.exp(vector, out=vector)
        vector *= np.float32(s.vectors)
        both += vector
    return both


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A fitted splitter. :func:`score` applies it."""

    design: Design
    weights: tuple[NDArray[np.float32], ...]
    """One weight per n-gram, by field."""
    support: NDArray[np.int8]
    """Dense rows of the training questions. Shape (N, F)."""
    dual: NDArray[np.float32]
    """Weight of each training question in the Gaussian kernels. Shape (N,)."""
    medians: tuple[float, ...]
    """Median squared distance under the kernel on both, and under one on vectors alone."""
    mean: float
    slope: float
    """p = 1 / (1 + exp(-(slope score + intercept)))."""
    intercept: float


def kernel(rows: Rows, design: Design, medians: Sequence[float]) -> NDArray[np.float32]:
    """The kernel matrix of questions with themselves. Shape (N, N)."""
    side = _Side.of(rows.dense, design)
    total = _gaussian(side, side, design, medians)
    for matrix in rows.grams:
        total += np.float32(design.settings.linear) * (matrix @ matrix.T).toarray()
    return total


def _solve(
    k: NDArray[np.float32], target: NDArray[np.float64], weight: NDArray[np.float64], noise: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Dual weights, leave-one-out predictions and mean of the regression.

    The leave-one-out prediction is t_i - a_i / C_ii with C the inverse of the regularised kernel
    (Rasmussen & Williams 2006, eq. 5.12).
    """
    from scipy.linalg import cho_factor, cho_solve

    mean = float(np.average(target, weights=weight))
    factor = cho_factor(k.astype(np.float64) + np.diag(noise / weight), overwrite_a=True)
    inverse = cho_solve(factor, np.eye(len(target)), overwrite_b=True)
    dual = inverse @ (target - mean)
    return dual, target - dual / np.diag(inverse), mean


def calibrate(
    scores: NDArray[np.float64], label: NDArray[np.float64], weight: NDArray[np.float64]
) -> tuple[float, float]:
    """Slope and intercept of the logistic curve from score to probability (Platt 1999)."""
    from sklearn.linear_model import LogisticRegression

    curve = LogisticRegression(C=1e6, max_iter=1000)
    x = np.concatenate([scores, scores])[:, None]
    y = np.repeat([1, 0], len(scores))
    w = np.concatenate([weight * label, weight * (1 - label)])
    curve.fit(x[w > 0], y[w > 0], sample_weight=w[w > 0])
    return float(curve.coef_[0, 0]), float(curve.intercept_[0])


def fit(
    rows: Rows,
    design: Design,
    label: NDArray[np.float64],
    *,
    steps: NDArray[np.float64] | None = None,
    weight: NDArray[np.float64] | None = None,
    calibrate_on: NDArray[np.bool_] | None = None,
) -> tuple[Model, NDArray[np.float64]]:
    """Fit to N labelled questions; also their leave-one-out scores.

    Parameters
    ----------
    rows, design
        Features of the questions and what made them.
    label : (N,)
        1 reasoning, 0 knowledge, or a share in between where annotators differ.
    steps : (N,), optional
        Number of inferences, 0..3.
    weight : (N,), optional
        Trust in each label, > 0; 1 is usual.
    calibrate_on : (N,), optional
        The questions on which scores are turned into probabilities; all by default.
    """
    weight = np.ones(len(label)) if weight is None else weight
    target = label if steps is None else label + steps / 3
    medians = _medians(rows.dense, design)
    dual, left_out, mean = _solve(
        kernel(rows, design, medians), target, weight, design.settings.noise
    )
    on = np.ones(len(label), bool) if calibrate_on is None else calibrate_on
    slope, intercept = calibrate(left_out[on], label[on], weight[on])
    linear = design.settings.linear
    model = Model(
        design,
        tuple(np.asarray(linear * (m.T @ dual), np.float32) for m in rows.grams),
        rows.dense,
        dual.astype(np.float32),
        tuple(medians),
        mean,
        slope,
        intercept,
    )
    return model, left_out


def score(model: Model, rows: Rows) -> NDArray[np.float64]:
    """The regression's value for each question: higher means more reasoning. Shape (N,)."""
    total = np.full(len(rows.dense), model.mean)
    for matrix, weights in zip(rows.grams, model.weights, strict=True):
        total += matrix @ weights
    asked, known = _Side.of(rows.dense, model.design), _known(model)
    for start in range(0, len(total), _BATCH):
        part = slice(start, start + _BATCH)
        total[part] += _gaussian(asked.take(part), known, model.design, model.medians) @ model.dual
    return total


@lru_cache(maxsize=4)
def _known(model: Model) -> _Side:
    return _Side.of(model.support, model.design)


def logistic(model: Model, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Calibrated probabilities of scores."""
    z = np.clip(model.slope * scores + model.intercept, -30, 30)
    return np.asarray(1 / (1 + np.exp(-z)))
