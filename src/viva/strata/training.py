"""Train a splitter from labels, with a probability for each label that its own fit never saw."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from viva._progress import silent
from viva.errors import InputError
from viva.strata.annotations import bundled_labels, read_labels
from viva.strata.baselines import age_pattern, tfidf_baseline, words
from viva.strata.features import Prepared, prepare
from viva.strata.folds import folds, near_duplicates
from viva.strata.model import SETTINGS, Design, Settings, fit, logistic, score
from viva.strata.storage import Labelled, Weights, save
from viva.strata.text import Question, question, stem_hash

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from viva._progress import Progress

__all__ = ["FOLDS", "WEIGHT_VIEWS", "Training", "cross_fit", "train", "training_set"]

FOLDS = 10
WEIGHT_VIEWS = ("stem", "stem+options")
_FEWEST = 40


class Training:
    """Labelled questions under one text view, read once for all folds."""

    def __init__(self, frame: pl.DataFrame, view: str) -> None:
        stems, options = frame["question"].to_list(), frame["options"].to_list()
        self.view = view
        self.questions: list[Question] = [
            question(stem, given or (), text_view=view)
            for stem, given in zip(stems, options, strict=True)
        ]
        self.prepared: Prepared = prepare(self.questions, view)
        self.share = frame["share"].to_numpy().astype(np.float64)
        steps = frame["steps"].to_numpy().astype(np.float64)
        self.steps = None if np.isnan(steps).any() else steps
        self.trust = frame["trust"].to_numpy().astype(np.float64)
        self.scored = frame["scored"].to_numpy()

    def fold(
        self, training: NDArray[np.int64], held_out: NDArray[np.int64], settings: Settings
    ) -> NDArray[np.float64]:
        """Probabilities of held-out questions: vocabulary, scales, classifier and calibration
        are learnt from the training questions alone.
        """
        part = self.prepared.take(training)
        design = Design.learn(part, settings)
        model, _ = fit(
            design.rows(part),
            design,
            self.share[training],
            steps=None if self.steps is None else self.steps[training],
            weight=self.trust[training],
            calibrate_on=self.scored[training],
        )
        return logistic(model, score(model, design.rows(self.prepared.take(held_out))))

    def baseline_fold(
        self, training: NDArray[np.int64], held_out: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Probabilities of the TF-IDF baseline for held-out questions. It learns from the scored
        questions alone: image questions are no part of the usual recipe.
        """
        used = training[self.scored[training]]
        return tfidf_baseline(
            [self.questions[i] for i in used],
            self.share[used] > 0.5,
            [self.questions[i] for i in held_out],
        )


def training_set(labels: Iterable[str | os.PathLike[str]] | None, definition: str) -> pl.DataFrame:
    """The bundled labels of a definition, or labels files.

    Raises
    ------
    InputError
        With fewer than 40 questions, or fewer than 10 of a class.
    """
    frame = bundled_labels(definition) if labels is None else read_labels(labels)
    reasoning = int((frame["share"] > 0.5).sum())
    knowledge = int((frame["share"] < 0.5).sum())
    if frame.height < _FEWEST or min(reasoning, knowledge) < 10:
        raise InputError(
            f"too few labels ({reasoning} reasoning, {knowledge} knowledge)",
            mend="Give at least 40 labelled questions, 10 of each kind",
        )
    return frame


def cross_fit(
    training: Training,
    group: NDArray[np.int64],
    settings: Settings,
    *,
    k: int = FOLDS,
    seed: int = 0,
    progress: Progress = silent,
    with_baseline: bool = True,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Held-out probabilities of the splitter and of the TF-IDF baseline. Shapes (N,), (N,)."""
    p, baseline = np.full(len(group), np.nan), np.full(len(group), np.nan)
    with progress(f"cross-fitting {training.view}", k) as advance:
        for fit_on, held_out in folds(group, training.share > 0.5, k=k, seed=seed):
            p[held_out] = training.fold(fit_on, held_out, settings)
            if with_baseline:
                baseline[held_out] = training.baseline_fold(fit_on, held_out)
            advance(1)
    return p, baseline


def train(
    labels: Sequence[str | os.PathLike[str]] | None = None,
    *,
    definition: str = "rubric",
    views: Sequence[str] = WEIGHT_VIEWS,
    out: str | os.PathLike[str] | None = None,
    k: int = FOLDS,
    seed: int = 0,
    progress: Progress = silent,
) -> Weights:
    """Train the splitter: cross-fit, then fit to all labels.

    Parameters
    ----------
    labels : list of paths, optional
        Labels files (see :func:`viva.strata.read_labels`); by default the bundled ones.
    definition : str
        Name of the definition that the labels follow; kernels' weights of a shipped definition
        of that name are used, otherwise those of ``rubric``.
    views : sequence of str
        Text views to train: ``stem``, ``stem+options``.
    out : path, optional
        Where to write the weights (``.npz``).
    k : int
        Folds of the cross-fitting.
    seed : int
        Of the folds. The same labels and seed give the same weights.
    progress : callable
        Progress reporter, silent by default.

    Returns
    -------
    Weights
    """
    import sklearn

    odd = [view for view in views if view not in WEIGHT_VIEWS]
    if odd or not views:
        raise InputError(
            f"cannot train view {odd[0]!r}" if odd else "no text view to train",
            mend=f"Use {' or '.join(WEIGHT_VIEWS)}",
        )
    frame = training_set(labels, definition)
    settings = SETTINGS.get(definition, SETTINGS["rubric"])
    stems = frame["question"].to_list()
    group = near_duplicates(stems)
    models, p, baseline = {}, {}, {}
    for view in views:
        training = Training(frame, view)
        p[view], baseline[view] = cross_fit(
            training, group, settings, k=k, seed=seed, progress=progress
        )
        design = Design.learn(training.prepared, settings)
        models[view], _ = fit(
            design.rows(training.prepared),
            design,
            training.share,
            steps=training.steps,
            weight=training.trust,
            calibrate_on=training.scored,
        )
    labelled = Labelled(
        stem=np.array([stem_hash(stem) for stem in stems], np.str_),
        benchmark=frame["benchmark"].to_numpy().astype(np.str_),
        part=frame["part"].to_numpy().astype(np.str_),
        item_id=frame["item_id"].to_numpy().astype(np.str_),
        reasoning=training.share,
        scored=training.scored,
        words=words(stems),
        aged=age_pattern(stems),
        p=p,
        baseline=baseline,
    )
    about = {"folds": k, "seed": seed, "scikit-learn": sklearn.__version__, "labels": frame.height}
    weights = Weights(definition, models, labelled, about)
    if out is not None:
        save(weights, out)
    return weights
