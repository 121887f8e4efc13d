"""Reasoning or knowledge: a calibrated probability for each item, and what moved it."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from viva._progress import silent
from viva.errors import InputError
from viva.strata.annotations import DEFINITIONS
from viva.strata.domain import why_outside
from viva.strata.features import dense_names, prepare
from viva.strata.model import Model, Rows, logistic, score
from viva.strata.storage import Weights, load, shipped
from viva.strata.text import TEXT_VIEWS, question, stem_hash, weights_view

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from viva._progress import Progress

__all__ = ["DEFAULT_VIEW", "explain", "labelled", "predict", "probabilities"]

DEFAULT_VIEW = "stem+options"
"""The view that sorts unseen questions best; items without options fall back to the stem."""

_BATCH = 1000


def _weights(labels: str, weights: str | os.PathLike[str] | Weights | None) -> Weights:
    if weights is not None:
        return weights if isinstance(weights, Weights) else load(weights)
    check_choices(labels)
    return shipped(labels)


def _nearest(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {near[0]}? " if near else ""


def check_choices(
    labels: str = "rubric", text_view: str = DEFAULT_VIEW, threshold: float | None = None
) -> None:
    """Raise InputError for an unknown definition or text view, or a threshold outside 0..1."""
    if labels == "given":
        raise InputError(
            "given labels are in the items file: there is nothing to predict",
            where="--labels",
            mend=f"Use {' or '.join(DEFINITIONS)}",
        )
    if labels not in DEFINITIONS:
        near = _nearest(labels, DEFINITIONS)
        raise InputError(
            f"unknown definition {labels!r}",
            where="--labels",
            mend=f"{near}Use {' or '.join(DEFINITIONS)}, or give weights",
        )
    if text_view not in TEXT_VIEWS:
        near = _nearest(text_view, TEXT_VIEWS)
        raise InputError(
            f"unknown text view {text_view!r}",
            where="--text-view",
            mend=f"{near}Use one of {', '.join(TEXT_VIEWS)}",
        )
    if threshold is not None and not 0 <= threshold <= 1:
        raise InputError(f"threshold is {threshold}", where="--threshold", mend="Use 0 to 1")


def _model(weights: Weights, text_view: str) -> Model:
    check_choices(text_view=text_view)
    view = weights_view(text_view)
    if view not in weights.models:
        raise InputError(f"the weights have no view {view}", mend="Train that view too")
    return weights.models[view]


def probabilities(
    weights: Weights,
    stems: Sequence[str],
    options: Sequence[Sequence[str]],
    contexts: Sequence[str | None] | None = None,
    *,
    text_view: str = DEFAULT_VIEW,
) -> NDArray[np.float64]:
    """Probability of reasoning of each question, by the model alone. Shape (N,)."""
    model = _model(weights, text_view)
    view = weights_view(text_view)
    given = contexts if contexts is not None else [None] * len(stems)
    out = np.empty(len(stems))
    for start in range(0, len(stems), _BATCH):
        part = slice(start, start + _BATCH)
        asked = [
            question(stem, shown or (), context, text_view=text_view)
            for stem, shown, context in zip(stems[part], options[part], given[part], strict=True)
        ]
        rows = model.design.rows(prepare(asked, view))
        out[part] = logistic(model, score(model, rows))
    return out


def predict(
    items: pl.DataFrame,
    labels: str = "rubric",
    text_view: str = DEFAULT_VIEW,
    *,
    threshold: float | None = None,
    weights: str | os.PathLike[str] | Weights | None = None,
    progress: Progress = silent,
) -> pl.DataFrame:
    """Sort items into reasoning and knowledge.

    Parameters
    ----------
    items : polars.DataFrame
        Columns ``benchmark, item_id, question``; ``options`` and ``context`` where there are any.
    labels : {"rubric", "medxpertqa"}
        The definition. The rubric's labels were made by a language model following a written
        rubric, not by clinicians.
    text_view : {"stem", "stem+options", "stem+context"}
        What may be read. In ``stem+options`` an item without options is read by its stem.
    threshold : float, optional
        ``p_reasoning`` from which an item is ``reasoning``, 0..1. By default the definition's
        own: 0.5 for ``rubric``; 0.65 for ``medxpertqa``, three quarters of whose labels are
        reasoning, where macro-F1 of held-out questions is largest.
    weights : path or Weights, optional
        Weights of :func:`viva.strata.train` in place of the shipped ones.
    progress : callable
        Progress reporter, silent by default.

    Returns
    -------
    polars.DataFrame
        ``benchmark, item_id, p_reasoning, stratum, cross_fitted, in_domain, outside``, in the
        order of ``items``. ``cross_fitted``: the stem is among the training labels, and p comes
        from a fit that left it out. ``in_domain``: see :mod:`viva.strata.domain`; ``outside``: why
        not, null where it is.

    Raises
    ------
    InputError
        For an unknown definition or view, a threshold outside 0..1, and missing columns.
    """
    missing = {"benchmark", "item_id", "question"} - set(items.columns)
    if missing:
        raise InputError(f"items have no column {', '.join(sorted(missing))}", mend="Add it")
    check_choices(text_view=text_view, threshold=threshold)
    used = _weights(labels, weights)
    model = _model(used, text_view)
    cut = model.design.settings.threshold if threshold is None else threshold
    n = items.height
    stems = [stem or "" for stem in items["question"].to_list()]
    options: list[list[str]] = [[] for _ in range(n)]
    if "options" in items.columns:
        options = [[o or "" for o in given or ()] for given in items["options"].to_list()]
    contexts = items["context"].to_list() if "context" in items.columns else [None] * n
    p = np.empty(n)
    views = [text_view] * n
    if text_view == "stem+options" and "stem" in used.models:
        views = [text_view if given else "stem" for given in options]
    order = {view: [i for i in range(n) if views[i] == view] for view in sorted(set(views))}
    with progress("splitting", n) as advance:
        for view, of_view in order.items():
            for start in range(0, len(of_view), _BATCH):
                some = of_view[start : start + _BATCH]
                p[some] = probabilities(
                    used,
                    [stems[i] for i in some],
                    [options[i] for i in some],
                    [contexts[i] for i in some],
                    text_view=view,
                )
                advance(len(some))
    tables = {view: _cross_fitted(used, weights_view(view)) for view in order}
    crossed = np.zeros(n, bool)
    for i, (stem, view) in enumerate(zip(stems, views, strict=True)):
        held_out = tables[view].get(stem_hash(stem))
        if held_out is not None:
            p[i], crossed[i] = held_out, True
    return predicted_frame(items, p, crossed, stems, options, cut=cut)


def predicted_frame(
    items: pl.DataFrame,
    p: NDArray[np.float64],
    crossed: NDArray[np.bool_],
    stems: Sequence[str],
    options: Sequence[Sequence[str]],
    *,
    cut: float,
) -> pl.DataFrame:
    """What every route of prediction returns; columns as of :func:`predict`."""
    import polars as pl

    benchmarks = [str(name) for name in items["benchmark"].to_list()]
    outside = why_outside(benchmarks, stems, options)
    return pl.DataFrame(
        {
            "benchmark": items["benchmark"],
            "item_id": items["item_id"],
            "p_reasoning": p,
            "stratum": np.where(p >= cut, "reasoning", "knowledge"),
            "cross_fitted": crossed,
            "in_domain": [why is None for why in outside],
            "outside": outside,
        },
        schema_overrides={"outside": pl.String},
    )


def _cross_fitted(weights: Weights, view: str) -> dict[str, float]:
    """Stem hash -> cross-fitted probability; the mean where a stem occurs more than once."""
    found: dict[str, list[float]] = {}
    for stem, p in zip(weights.labelled.stem, weights.labelled.p[view], strict=True):
        found.setdefault(str(stem), []).append(float(p))
    return {stem: sum(values) / len(values) for stem, values in found.items()}


def labelled(
    labels: str = "rubric",
    *,
    text_view: str = DEFAULT_VIEW,
    weights: str | os.PathLike[str] | Weights | None = None,
) -> pl.DataFrame:
    """The labelled questions with cross-fitted probabilities.

    Returns
    -------
    polars.DataFrame
        ``stem_hash, benchmark, part, item_id, label, p_reasoning, words``: questions of the kind
        that the splitter is for, without ties between annotators. From these follow sensitivity
        and specificity at any threshold, per benchmark.
    """
    import polars as pl

    used = _weights(labels, weights)
    _model(used, text_view)
    found = used.labelled
    keep = found.scored
    return pl.DataFrame(
        {
            "stem_hash": found.stem[keep].tolist(),
            "benchmark": found.benchmark[keep].tolist(),
            "part": found.part[keep].tolist(),
            "item_id": found.item_id[keep].tolist(),
            "label": np.where(found.reasoning[keep] > 0.5, "reasoning", "knowledge").tolist(),
            "p_reasoning": found.p[weights_view(text_view)][keep],
            "words": found.words[keep],
        }
    )


def explain(
    item: Mapping[str, Any],
    labels: str = "rubric",
    text_view: str = DEFAULT_VIEW,
    *,
    top: int = 12,
    weights: str | os.PathLike[str] | Weights | None = None,
) -> list[tuple[str, float]]:
    """The words and features that moved one item, largest first.

    N-grams enter the score additively, so theirs are exact. A cue, or the meaning of a field's
    words, enters through kernels: its contribution is how far the score falls when it is set to
    its mean over the training questions. All are in logits; positive is towards reasoning.

    Parameters
    ----------
    item : mapping
        ``question``, and where present ``options`` and ``context``.
    top : int
        How many are returned.

    Returns
    -------
    list of (str, float)
    """
    used = _weights(labels, weights)
    options = list(item.get("options") or ())
    if text_view == "stem+options" and not options and "stem" in used.models:
        text_view = "stem"
    model = _model(used, text_view)
    view = weights_view(text_view)
    asked = question(str(item["question"]), options, item.get("context"), text_view=text_view)
    rows = model.design.rows(prepare([asked], view))
    found: list[tuple[str, float]] = []
    for vocabulary, matrix, weight in zip(
        model.design.vocabularies, rows.grams, model.weights, strict=True
    ):
        grams = list(vocabulary.at)
        for i, value in zip(matrix.indices, matrix.data, strict=True):
            found.append((f"{vocabulary.field}: {grams[i]}", float(value * weight[i])))
    names = dense_names(view)
    groups = [[j] for j in range(len(names))]
    coordinates = np.arange(len(names), rows.dense.shape[1])
    places = ("body", "ask", "options")[: 3 if view == "stem+options" else 2]
    groups += [list(part) for part in np.array_split(coordinates, len(places))]
    labels_of = [*names, *(f"meaning of the {place}" for place in places)]
    removed = np.repeat(rows.dense, len(groups) + 1, axis=0)
    for k, group in enumerate(groups, 1):
        removed[k, group] = 0
    blank = [matrix[np.zeros(len(removed), int)] for matrix in rows.grams]
    scores = score(model, Rows(blank, removed))
    found += [(name, float(scores[0] - s)) for name, s in zip(labels_of, scores[1:], strict=True)]
    ranked = sorted(found, key=lambda pair: (-abs(pair[1]), pair[0]))
    return [(name, value * model.slope) for name, value in ranked[:top]]
