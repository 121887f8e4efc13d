"""The hard subset: items that fewer than half of the models get right.

The rule is that of MedAgentsBench (Tang et al. 2025, arXiv 2503.07459), which takes questions
that fewer than half of a pool of models answer correctly. A model that sits in the pool has a
hand in the choice: its wrong answers make items hard, so its accuracy on them lies below what
it would reach on items chosen without it. :func:`accuracy_judged_by_others` leaves each model
out of the choice of its own hard items, and is the fair number for comparing a model with
chance or with an outsider; :func:`hard_subset` has the same items for all, and is what others
report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from viva.analysis.intervals import wilson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from viva.analysis._graded import Graded

__all__ = ["accuracy_judged_by_others", "hard_items", "hard_subset"]

FEWEST_MODELS = 3
"""Models that must have answered an item before it can be called hard."""


def hard_items(
    values: NDArray[np.float64],
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which items are hard, and which could be judged.

    Parameters
    ----------
    values : array of float, shape (models, items)
        Share right in 0..1; NaN where a model has no graded response.

    Returns
    -------
    hard : array of bool, shape (items,)
        Judged, and right in less than half of the answers, each model counting once.
    judged : array of bool, shape (items,)
        Answered by at least :data:`FEWEST_MODELS` models.
    """
    answered = (~np.isnan(values)).sum(axis=0)
    judged = answered >= FEWEST_MODELS
    return judged & (2 * np.nansum(values, axis=0) < answered), judged


def _cell(values: NDArray[np.float64]) -> dict[str, Any]:
    """Accuracy over the items that are not NaN, as a report shows it."""
    values = values[~np.isnan(values)]
    if not len(values):
        return {"n": 0, "accuracy": None, "low": None, "high": None}
    low, high = wilson(values.sum(), len(values))
    return {
        "n": len(values),
        "accuracy": float(values.mean()),
        "low": float(low),
        "high": float(high),
    }


def hard_subset(table: Graded) -> dict[str, Any]:
    """Items that fewer than half of the models get right, and every model's accuracy on them.

    Parameters
    ----------
    table : Graded
        At least three models.

    Returns
    -------
    dict
        ``n`` hard items; ``share`` of the items that three models or more answered (None, with
        ``reason``, where there are none such); ``models``: name -> ``n``, ``accuracy``, ``low``,
        ``high`` (Wilson, 95 %) on the hard items it answered.

    Notes
    -----
    Each model's accuracy is biased downwards by its own part in the choice; see
    :func:`accuracy_judged_by_others`.
    """
    hard, judged = hard_items(table.values)
    if not judged.any():
        reason = f"no item was answered by at least {FEWEST_MODELS} models"
        return {"n": 0, "share": None, "reason": reason, "models": {}}
    return {
        "n": int(hard.sum()),
        "share": float(hard.sum() / judged.sum()),
        "reason": None,
        "models": {
            model: _cell(row[hard]) for model, row in zip(table.models, table.values, strict=True)
        },
    }


def accuracy_judged_by_others(table: Graded) -> dict[str, dict[str, Any]]:
    """Every model's accuracy on the items that are hard for the *other* models.

    Parameters
    ----------
    table : Graded
        At least four models, so that three others judge.

    Returns
    -------
    dict
        Name -> ``n``, ``accuracy``, ``low``, ``high`` (Wilson, 95 %); accuracy None where no
        item is hard for at least three others. The items differ from model to model.
    """
    out: dict[str, dict[str, Any]] = {}
    for position, model in enumerate(table.models):
        hard, _ = hard_items(np.delete(table.values, position, axis=0))
        out[model] = _cell(table.values[position][hard])
    return out
