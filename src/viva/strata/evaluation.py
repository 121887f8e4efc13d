"""How good the splitter is on questions it never saw, beside what simple rules reach."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from viva._progress import silent
from viva.errors import InputError
from viva.strata._bootstrap import Pairs, draws, interval
from viva.strata.annotations import bundled_labels, cohen_kappa
from viva.strata.metrics import (
    LENGTH_RATIO,
    accuracy,
    balanced_accuracy,
    debiased_ece,
    ece,
    macro_f1,
    youden,
)
from viva.strata.prediction import DEFAULT_VIEW, _weights
from viva.strata.text import TEXT_VIEWS, weights_view

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from viva._progress import Progress
    from viva.strata.storage import Weights

__all__ = ["Curve", "Rated", "evaluate", "learning_curve", "rate", "reasoning_shares"]

_FEWEST = 10
"""Items of each class from which a benchmark has an AUROC of its own."""

_PROBABILITIES = ("splitter", "TF-IDF")
"""Methods whose scores are probabilities."""

THRESHOLDS = tuple(float(t) for t in np.round(np.arange(0.05, 0.96, 0.05), 2))
"""Where the curve of the share of reasoning items is read."""

Scores = dict[str, "NDArray[np.float64]"]


class Rated(NamedTuple):
    """Held-out scores of N labelled questions, by method."""

    reasoning: NDArray[np.bool_]
    words: NDArray[np.int64]
    benchmark: NDArray[np.str_]
    scores: Scores


def _stored(weights: Weights, view: str) -> Rated:
    found = weights.labelled
    keep = found.scored
    return Rated(
        found.reasoning[keep] > 0.5,
        found.words[keep],
        found.benchmark[keep],
        {
            "splitter": found.p[view][keep],
            "TF-IDF": found.baseline[view][keep],
            "word count": found.words[keep].astype(np.float64),
            "age pattern": found.aged[keep].astype(np.float64),
        },
    )


def evaluate(
    labels: str = "rubric",
    *,
    text_view: str = DEFAULT_VIEW,
    weights: str | os.PathLike[str] | Weights | None = None,
    threshold: float | None = None,
    cv: bool = False,
    curve: bool = False,
    k: int = 10,
    resamples: int = 2000,
    seed: int = 0,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Rate the splitter on its labelled questions, each by a fit that left it out.

    Parameters
    ----------
    labels : {"rubric", "medxpertqa"}
        The definition.
    text_view : {"stem", "stem+options", "stem+context"}
        ``stem+context`` has no labels of its own and is rated as ``stem``.
    weights : path or Weights, optional
        Weights of one's own, rated by the cross-fitted probabilities stored in them.
    threshold : float, optional
        Cut for the measures that need one; by default the definition's own. The TF-IDF baseline
        is cut where its own macro-F1 is largest, the others at their best Youden index.
    cv : bool
        Whether to cross-fit again from the labels, with ``seed``; otherwise the probabilities
        stored with the weights are used. Folds keep near-duplicate stems together.
    curve : bool
        Whether to add a learning curve (trains again with parts of the labels).
    k : int
        Folds.
    resamples : int
        Bootstrap resamples of the questions.
    seed : int
        Of folds and bootstrap.

    Returns
    -------
    dict
        ``definition, text_view, n, reasoning, annotators, threshold``; ``methods``: method ->
        measure -> ``{estimate, low, high}``; ``gains``: measure -> difference of the splitter to
        the TF-IDF baseline, paired; ``inside``: benchmark -> AUROC by method, with n;
        ``thresholds``: best Youden and macro-F1 cut with intervals; ``curve``: see
        :func:`learning_curve`, or null.
    """
    if text_view not in TEXT_VIEWS:
        raise InputError(
            f"unknown text view {text_view!r}", mend=f"Use one of {', '.join(TEXT_VIEWS)}"
        )
    view = weights_view(text_view)
    used = _weights(labels, weights)
    if view not in used.models:
        raise InputError(f"the weights have no view {view}", mend="Train that view too")
    if cv or curve:
        if weights is not None:
            raise InputError(
                "weights do not carry their texts", mend="Rate them without --cv and --curve"
            )
        rated = _cross_fitted_now(labels, view, k, seed, progress) if cv else _stored(used, view)
    else:
        rated = _stored(used, view)
    if threshold is None:
        threshold = used.models[view].design.settings.threshold
    report = rate(rated, threshold=threshold, resamples=resamples, seed=seed)
    makers = {
        "rubric": "a language model following a written rubric, not clinicians",
        "medxpertqa": "the authors of MedXpertQA",
    }
    return {
        "definition": used.definition,
        "text_view": text_view,
        "cross_fitted": f"{k} folds, seed {seed}" if cv else "stored with the weights",
        "annotators": makers.get(used.definition, "given"),
        **report,
        "curve": learning_curve(labels, view, seed=seed, progress=progress) if curve else None,
    }


def _cross_fitted_now(labels: str, view: str, k: int, seed: int, progress: Progress) -> Rated:
    from viva.strata.baselines import age_pattern, words
    from viva.strata.folds import near_duplicates
    from viva.strata.model import SETTINGS
    from viva.strata.training import Training, cross_fit

    frame = bundled_labels(labels)
    stems = frame["question"].to_list()
    training = Training(frame, view)
    p, baseline = cross_fit(
        training, near_duplicates(stems), SETTINGS[labels], k=k, seed=seed, progress=progress
    )
    keep = training.scored
    counted = words(stems)[keep]
    return Rated(
        training.share[keep] > 0.5,
        counted,
        frame["benchmark"].to_numpy().astype(np.str_)[keep],
        {
            "splitter": p[keep],
            "TF-IDF": baseline[keep],
            "word count": counted.astype(np.float64),
            "age pattern": age_pattern(stems)[keep].astype(np.float64),
        },
    )


def _estimate(value: float, values: NDArray[np.float64]) -> dict[str, float]:
    low, high = interval(values)
    return {"estimate": value, "low": low, "high": high}


def rate(
    rated: Rated, *, threshold: float = 0.5, resamples: int = 2000, seed: int = 0
) -> dict[str, Any]:
    """The measures of held-out scores, with percentile bootstrap intervals over questions.

    Raises
    ------
    InputError
        Where one class is absent.
    """
    truth = rated.reasoning
    if truth.all() or not truth.any():
        raise InputError("one class has no labels", mend="Label questions of both kinds")
    n = len(truth)
    counts = draws(n, resamples, seed)
    ranking = {
        "auroc": (Pairs(truth, rated.words), np.arange(n)),
        "length_matched_auroc": (Pairs(truth, rated.words, LENGTH_RATIO), np.arange(n)),
    }
    names, sizes = np.unique(rated.benchmark, return_counts=True)
    for name in names[np.argsort(-sizes, kind="stable")]:
        of = np.flatnonzero(rated.benchmark == name)
        if min(truth[of].sum(), (~truth[of]).sum()) >= _FEWEST:
            ranking[f"inside {name}"] = (Pairs(truth[of], rated.words[of]), of)
    methods: dict[str, dict[str, Any]] = {method: {} for method in rated.scores}
    kept: dict[tuple[str, str], tuple[float, NDArray[np.float64]]] = {}
    for measure, (pairs, of) in ranking.items():
        for method, scores in rated.scores.items():
            value = pairs.value(scores[of])
            resampled = pairs.resampled(scores[of], counts[:, of])
            kept[method, measure] = value, resampled
            methods[method][measure] = _estimate(value, resampled)
    some = counts[: min(resamples, 500)]
    for method, scores in rated.scores.items():
        cut = _cut(method, truth, scores, threshold)
        for measure, function in _cut_measures(cut, method in _PROBABILITIES).items():
            value = function(truth, scores)
            resampled = np.array([function(*_drawn(truth, scores, draw)) for draw in some])
            if measure.endswith("ece"):
                # A resample is noisier than the sample, and noise adds to an ECE: take it off.
                resampled = np.maximum(resampled - (resampled.mean() - value), 0.0)
            methods[method][measure] = _estimate(value, resampled)
    gains = {}
    for measure in ranking:
        (a, x), (b, y) = kept["splitter", measure], kept["TF-IDF", measure]
        gains[measure] = _estimate(a - b, x - y)
    return {
        "n": n,
        "reasoning": int(truth.sum()),
        "threshold": threshold,
        "methods": methods,
        "gains": gains,
        "inside": {
            measure.removeprefix("inside "): {
                "n": len(of),
                "reasoning": int(truth[of].sum()),
                **{method: methods[method][measure] for method in methods},
            }
            for measure, (_, of) in ranking.items()
            if measure.startswith("inside ")
        },
        "thresholds": _thresholds(truth, rated.scores["splitter"], some),
    }


def _cut(
    method: str, truth: NDArray[np.bool_], scores: NDArray[np.float64], threshold: float
) -> float:
    """Where a method's scores are cut: the baselines at their best, in their favour."""
    if method == "splitter":
        return threshold
    return _best_f1(truth, scores) if method in _PROBABILITIES else youden(truth, scores)


def _drawn(
    truth: NDArray[np.bool_], scores: NDArray[np.float64], draw: NDArray[np.float32]
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    at = np.repeat(np.arange(len(truth)), draw.astype(np.int64))
    return truth[at], scores[at]


_Measure = Callable[["NDArray[np.bool_]", "NDArray[np.float64]"], float]


def _cut_measures(cut: float, probability: bool) -> dict[str, _Measure]:
    found: dict[str, _Measure] = {
        "accuracy": lambda t, s: accuracy(t, s >= cut),
        "balanced_accuracy": lambda t, s: balanced_accuracy(t, s >= cut),
        "macro_f1": lambda t, s: macro_f1(t, s >= cut),
        "kappa": lambda t, s: cohen_kappa(t, s >= cut),
    }
    if probability:
        found |= {"ece": ece, "debiased_ece": debiased_ece}
    return found


def _best_f1(truth: NDArray[np.bool_], p: NDArray[np.float64]) -> float:
    """The threshold of the largest macro-F1, from cumulative counts."""
    order = np.argsort(p, kind="stable")
    t = truth[order].astype(float)
    n, r = len(t), float(t.sum())
    below = np.arange(n + 1)
    missed = np.concatenate([[0.0], np.cumsum(t)])
    hit = r - missed
    f_r = 2 * hit / np.maximum(r + n - below, 1)
    f_k = 2 * (below - missed) / np.maximum(n - r + below, 1)
    best = int(np.argmax(f_r + f_k))
    s = p[order]
    if best in (0, n):
        return float(s[0] if best == 0 else s[-1])
    return float((s[best - 1] + s[best]) / 2)


def _thresholds(
    truth: NDArray[np.bool_], p: NDArray[np.float64], counts: NDArray[np.float32]
) -> dict[str, dict[str, float]]:
    found = {}
    for name, function in (("youden", youden), ("macro_f1", _best_f1)):
        values = [function(*_drawn(truth, p, draw)) for draw in counts]
        found[name] = _estimate(function(truth, p), np.array(values))
    return found


class Curve(NamedTuple):
    """One point of a learning curve."""

    labels: int
    auroc: float
    length_matched_auroc: float


def learning_curve(
    labels: str,
    view: str,
    *,
    shares: Sequence[float] = (0.1, 0.25, 0.5, 0.75, 1.0),
    k: int = 5,
    seed: int = 0,
    progress: Progress = silent,
) -> list[Curve]:
    """Ranking of held-out questions by fits to a growing part of the other folds."""
    from viva.strata.baselines import words
    from viva.strata.folds import folds, near_duplicates
    from viva.strata.model import SETTINGS
    from viva.strata.training import Training

    frame = bundled_labels(labels)
    stems = frame["question"].to_list()
    training = Training(frame, view)
    group = near_duplicates(stems)
    rng = np.random.default_rng(seed)
    keep = training.scored
    truth = training.share[keep] > 0.5
    p = np.full((len(shares), len(stems)), np.nan)
    sizes = np.zeros(len(shares))
    with progress("learning curve", k * len(shares)) as advance:
        for fit_on, held_out in folds(group, training.share > 0.5, k=k, seed=seed):
            shuffled = rng.permutation(fit_on)
            for i, share in enumerate(shares):
                some = np.sort(shuffled[: max(round(share * len(shuffled)), 20)])
                p[i, held_out] = training.fold(some, held_out, SETTINGS[labels])
                sizes[i] += len(some) / k
                advance(1)
    counted = words(stems)[keep]
    every, matched = Pairs(truth, counted), Pairs(truth, counted, LENGTH_RATIO)
    return [
        Curve(round(size), every.value(row[keep]), matched.value(row[keep]))
        for size, row in zip(sizes, p, strict=True)
    ]


def reasoning_shares(
    predicted: pl.DataFrame, thresholds: Sequence[float] = THRESHOLDS
) -> Mapping[str, list[tuple[float, float]]]:
    """Benchmark -> (threshold, share of its items at or above it), for :func:`predict`'s frame."""
    found: dict[str, list[tuple[float, float]]] = {}
    for (name,), rows in predicted.group_by(["benchmark"], maintain_order=True):
        p = rows["p_reasoning"].to_numpy()
        found[str(name)] = [(t, float(np.mean(p >= t))) for t in thresholds]
    return found
