"""Bootstrap of rank statistics: a resample is a count per item: pairs are weighed, not redone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Pairs", "draws", "interval"]

_ALL = float("inf")


def draws(n: int, resamples: int, seed: int) -> NDArray[np.float32]:
    """How often each of n items is drawn in each resample. Shape (resamples, n)."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(n, np.full(n, 1 / n), size=resamples).astype(np.float32)


def interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """The 2.5 and 97.5 percentiles of the resamples that give a number; NaN without one."""
    kept = values[~np.isnan(values)]
    if not len(kept):
        return float("nan"), float("nan")
    low, high = np.percentile(kept, [2.5, 97.5])
    return float(low), float(high)


class Pairs:
    """AUROC over the pairs of a reasoning and a knowledge item whose lengths are near enough.

    With an infinite ratio every pair counts, which is the plain AUROC.
    """

    def __init__(
        self, reasoning: NDArray[np.bool_], words: NDArray[np.int64], ratio: float = _ALL
    ) -> None:
        self._r, self._k = np.flatnonzero(reasoning), np.flatnonzero(~reasoning)
        a, b = words[self._r][:, None], words[self._k][None, :]
        near = np.maximum(a, b) <= ratio * np.minimum(a, b) if ratio < _ALL else a == a + 0 * b
        self._near = near.astype(np.float32)

    def _wins(self, score: NDArray[np.float64]) -> NDArray[np.float32]:
        difference = score[self._r][:, None] - score[self._k][None, :]
        return np.asarray(self._near * (0.5 + 0.5 * np.sign(difference)), np.float32)

    def value(self, score: NDArray[np.float64]) -> float:
        """The statistic; NaN without a pair."""
        pairs = float(self._near.sum(dtype=np.float64))
        return float(self._wins(score).sum(dtype=np.float64)) / pairs if pairs else float("nan")

    def resampled(
        self, score: NDArray[np.float64], counts: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        """The statistic in each resample. ``counts`` as from :func:`draws`."""
        r, k = counts[:, self._r], counts[:, self._k]
        won = ((r @ self._wins(score)) * k).sum(1, dtype=np.float64)
        pairs = ((r @ self._near) * k).sum(1, dtype=np.float64)
        return np.asarray(np.where(pairs > 0, won / np.where(pairs > 0, pairs, 1), np.nan))
