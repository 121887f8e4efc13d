"""Pairs of answers, clean and misled, as aligned arrays: what every transition is made from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from viva.analysis._graded import KNOWLEDGE, NO_STRATUM, REASONING
from viva.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["NONE", "STATES", "Pairs", "pair_answers"]

NONE = -1
"""Stands for no option: an unread answer, no cue."""
STATES = ("right", "cue", "wrong", "unread")
"""What an answer is: the key, the option of the cue, another option, not read."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Clean and misled answers of one model under one probe. Build with :func:`pair_answers`.

    Parameters
    ----------
    clean_right, misled_right : ndarray of bool, shape (P,)
        False for unread answers.
    clean_choice, misled_choice : ndarray of int, shape (P,)
        The option chosen, in one numbering for both sides of a pair; -1 = unread.
    cue : ndarray of int, shape (P,)
        The option suggested, in the same numbering; -1 = none.
    cue_is_key : ndarray of bool, shape (P,)
        The suggestion is the right answer of the misled side.
    unit : ndarray of int, shape (P,)
        The clean answer of the pair (item x sample): equal in pairs of several probes, and of
        several cues, that share it.
    cluster : ndarray of int, shape (P,)
        Pairs with the same code are resampled together (samples, duplicates, declared groups).
    benchmark_names : tuple of str
    benchmark : ndarray of int, shape (P,)
    stratum : ndarray of int, shape (P,)
        1 reasoning, 0 knowledge, -1 none or outside the splitter's domain.
    """

    clean_right: NDArray[np.bool_]
    misled_right: NDArray[np.bool_]
    clean_choice: NDArray[np.int64]
    misled_choice: NDArray[np.int64]
    cue: NDArray[np.int64]
    cue_is_key: NDArray[np.bool_]
    unit: NDArray[np.int64]
    cluster: NDArray[np.int64]
    benchmark_names: tuple[str, ...]
    benchmark: NDArray[np.int64]
    stratum: NDArray[np.int64]

    def __len__(self) -> int:
        """Number of pairs, P."""
        return len(self.unit)

    @property
    def cued(self) -> NDArray[np.bool_]:
        """Pairs with a cue that is not the key: those that can be misled by it. Shape (P,)."""
        cued: NDArray[np.bool_] = (self.cue != NONE) & ~self.cue_is_key
        return cued

    @property
    def on_cue_clean(self) -> NDArray[np.bool_]:
        """The clean answer is the option that the cue names. Shape (P,)."""
        there: NDArray[np.bool_] = self.cued & (self.clean_choice == self.cue)
        return there

    @property
    def on_cue_misled(self) -> NDArray[np.bool_]:
        """The misled answer is the option that the cue names. Shape (P,)."""
        there: NDArray[np.bool_] = self.cued & (self.misled_choice == self.cue)
        return there

    def where(self, rows: NDArray[Any]) -> Pairs:
        """The pairs of a mask or of row numbers."""
        changed = {
            f.name: getattr(self, f.name)[rows] for f in fields(self) if f.name != "benchmark_names"
        }
        return replace(self, **changed)

    def states(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Positions in :data:`STATES` of both sides. Shape (P,) each."""
        sides = (
            (self.clean_right, self.on_cue_clean, self.clean_choice),
            (self.misled_right, self.on_cue_misled, self.misled_choice),
        )
        clean, misled = (
            np.select([right, on_cue, choice != NONE], [0, 1, 2], 3).astype(np.int64)
            for right, on_cue, choice in sides
        )
        return clean, misled


def _array(values: ArrayLike, kind: type[np.generic], n: int, name: str) -> NDArray[Any]:
    array: NDArray[Any] = np.asarray(values)
    if array.shape != (n,):
        raise InputError(f"{name} has shape {array.shape}, expected ({n},)")
    if kind is np.bool_ and array.dtype != np.bool_ and not np.isin(array, (0, 1)).all():
        raise InputError(f"{name} holds a value that is neither true nor false")
    return array.astype(kind)


def pair_answers(
    clean_right: ArrayLike,
    misled_right: ArrayLike,
    *,
    clean_choice: ArrayLike,
    misled_choice: ArrayLike,
    cue: ArrayLike | None = None,
    cue_is_key: ArrayLike | None = None,
    unit: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    benchmark: Iterable[Any] | None = None,
    stratum: ArrayLike | None = None,
) -> Pairs:
    """Check and align the columns of :class:`Pairs`.

    Parameters
    ----------
    clean_right, misled_right : array_like of bool, shape (P,)
    clean_choice, misled_choice : array_like of int, shape (P,)
        0-based option; -1 = unread.
    cue : array_like of int, shape (P,), optional
        0-based option suggested; -1 = none. Default: none.
    cue_is_key : array_like of bool, shape (P,), optional
        Default False.
    unit, cluster : array_like of int, shape (P,), optional
        Default: every pair on its own; clusters follow units where only those are given.
    benchmark : sequence, shape (P,), optional
        Names; default one benchmark.
    stratum : array_like of int, shape (P,), optional
        1 reasoning, 0 knowledge, -1 none; default -1.

    Returns
    -------
    Pairs

    Raises
    ------
    InputError
        Where shapes disagree, a value is outside its range, or an unread answer is right.
    """
    n = len(np.asarray(clean_right))
    right = [_array(v, np.bool_, n, "right") for v in (clean_right, misled_right)]
    choice = [_array(v, np.int64, n, "choice") for v in (clean_choice, misled_choice)]
    cues = np.full(n, NONE) if cue is None else _array(cue, np.int64, n, "cue")
    if any(np.any(values < NONE) for values in (*choice, cues)):
        raise InputError("an option is below -1", mend="Number options from 0; -1 = unread, none")
    if any(np.any(r & (c == NONE)) for r, c in zip(right, choice, strict=True)):
        raise InputError("an unread answer counts as right", mend="Unread answers are not right")
    strata = np.full(n, NO_STRATUM) if stratum is None else _array(stratum, np.int64, n, "stratum")
    if not np.isin(strata, (REASONING, KNOWLEDGE, NO_STRATUM)).all():
        raise InputError("a stratum is not 1 (reasoning), 0 (knowledge) or -1 (none)")
    units = np.arange(n) if unit is None else _array(unit, np.int64, n, "unit")
    labels = np.zeros(n, np.int64) if benchmark is None else np.asarray(benchmark)
    if labels.shape != (n,):
        raise InputError(f"benchmark has shape {labels.shape}, expected ({n},)")
    names, codes = np.unique(labels, return_inverse=True)
    return Pairs(
        clean_right=right[0],
        misled_right=right[1],
        clean_choice=choice[0],
        misled_choice=choice[1],
        cue=cues,
        cue_is_key=(
            np.zeros(n, bool) if cue_is_key is None else _array(cue_is_key, np.bool_, n, "cue")
        ),
        unit=units,
        cluster=units if cluster is None else _array(cluster, np.int64, n, "cluster"),
        benchmark_names=tuple(str(name) for name in names),
        benchmark=codes.astype(np.int64),
        stratum=strata,
    )
