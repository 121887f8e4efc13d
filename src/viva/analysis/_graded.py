"""The table every statistic reads: what each model got on each item, as aligned arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from viva.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["KNOWLEDGE", "NO_STRATUM", "REASONING", "Graded", "graded"]

REASONING = 1
KNOWLEDGE = 0
NO_STRATUM = -1


@dataclass(frozen=True, slots=True, eq=False)
class Graded:
    """Graded items of several models, aligned on one list of items. Build with :func:`graded`.

    Parameters
    ----------
    models : tuple of str, length M
        Subjects of comparison.
    values : ndarray of float, shape (M, N)
        Share right in 0..1 (mean over samples); unparsed and ambiguous responses count as 0;
        NaN where the model has no graded response to the item.
    benchmark_names : tuple of str, length B
        Names behind the codes in ``benchmark``.
    benchmark : ndarray of int, shape (N,)
        Code of the item's benchmark, 0..B-1.
    stratum : ndarray of int, shape (N,)
        1 reasoning, 0 knowledge, -1 no stratum.
    p : ndarray of float, shape (N,)
        ``p_reasoning`` in 0..1; NaN where unknown.
    options : ndarray of int, shape (N,)
        Number of options; 0 where the item is not multiple choice.
    words : ndarray of int, shape (N,)
        Words of the stem; 0 where unknown.
    cluster : ndarray of int, shape (N,)
        Items with the same code are resampled together (duplicates, declared groups).
    in_domain : ndarray of bool, shape (N,)
        False where the splitter does not apply: kept in accuracy, left out of gaps and of the
        scopes ``knowledge`` and ``reasoning``.
    """

    models: tuple[str, ...]
    values: NDArray[np.float64]
    benchmark_names: tuple[str, ...]
    benchmark: NDArray[np.int64]
    stratum: NDArray[np.int64]
    p: NDArray[np.float64]
    options: NDArray[np.int64]
    words: NDArray[np.int64]
    cluster: NDArray[np.int64]
    in_domain: NDArray[np.bool_]

    def index(self, model: str) -> int:
        """Row of a model in ``values``; raises InputError for an unknown name."""
        try:
            return self.models.index(model)
        except ValueError:
            raise InputError(f"no model {model!r} among the graded answers") from None

    def headline_stratum(self) -> NDArray[np.int64]:
        """The stratum of items that enter gaps; -1 for all others. Shape (N,)."""
        return np.where(self.in_domain, self.stratum, NO_STRATUM)


def _codes(labels: ArrayLike, n: int, name: str) -> tuple[NDArray[np.int64], NDArray[Any]]:
    array = np.asarray(labels)
    if array.shape != (n,):
        raise InputError(f"{name} has shape {array.shape}, the answers have {n} items")
    names, codes = np.unique(array, return_inverse=True)
    return codes.astype(np.int64), names


def _column(
    values: ArrayLike | None, n: int, name: str, default: float, kind: type[np.generic]
) -> NDArray[Any]:
    if values is None:
        return np.full(n, default, kind)
    array: NDArray[Any] = np.asarray(values).astype(kind)
    if array.shape != (n,):
        raise InputError(f"{name} has shape {array.shape}, the answers have {n} items")
    return array


def graded(
    models: Sequence[str],
    values: ArrayLike,
    *,
    benchmark: ArrayLike,
    stratum: ArrayLike | None = None,
    p: ArrayLike | None = None,
    options: ArrayLike | None = None,
    words: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    in_domain: ArrayLike | None = None,
) -> Graded:
    """Check and align the columns of :class:`Graded`.

    Parameters
    ----------
    models : sequence of str, length M
        Distinct names.
    values : array_like, shape (M, N)
        Share right in 0..1, NaN for ungraded.
    benchmark : array_like, shape (N,)
        Names (or codes) of benchmarks.
    stratum : array_like of int, shape (N,), optional
        1 reasoning, 0 knowledge, -1 none; default -1.
    p, options, words : array_like, shape (N,), optional
        As in :class:`Graded`; default unknown.
    cluster : array_like, shape (N,), optional
        Any labels; default every item on its own.
    in_domain : array_like of bool, shape (N,), optional
        Default True.

    Returns
    -------
    Graded

    Raises
    ------
    InputError
        Where shapes disagree, a value is outside its range or a model is named twice.
    """
    matrix = np.array(values, dtype=np.float64, ndmin=2)
    if matrix.ndim != 2 or matrix.shape[0] != len(models):
        raise InputError(f"values have shape {matrix.shape}, expected ({len(models)}, items)")
    if len(set(models)) != len(models):
        raise InputError("a model is named twice", mend="Average its samples per item first")
    n = matrix.shape[1]
    # The comparison is False for NaN, which stands for ungraded.
    if np.any((matrix < 0) | (matrix > 1)):
        raise InputError("a value is outside 0..1")
    strata = _column(stratum, n, "stratum", NO_STRATUM, np.int64)
    if not np.isin(strata, (REASONING, KNOWLEDGE, NO_STRATUM)).all():
        raise InputError("a stratum is not 1 (reasoning), 0 (knowledge) or -1 (none)")
    probabilities = _column(p, n, "p", np.nan, np.float64)
    if np.any((probabilities < 0) | (probabilities > 1)):
        raise InputError("a p_reasoning is outside 0..1")
    counts = _column(options, n, "options", 0, np.int64)
    lengths = _column(words, n, "words", 0, np.int64)
    if np.any(counts < 0) or np.any(lengths < 0):
        raise InputError("a number of options or words is negative")
    codes, names = _codes(benchmark, n, "benchmark")
    clusters = np.arange(n, dtype=np.int64) if cluster is None else _codes(cluster, n, "cluster")[0]
    return Graded(
        models=tuple(str(model) for model in models),
        values=matrix,
        benchmark_names=tuple(str(name) for name in names),
        benchmark=codes,
        stratum=strata,
        p=probabilities,
        options=counts,
        words=lengths,
        cluster=clusters,
        in_domain=_column(in_domain, n, "in_domain", True, np.bool_),
    )
