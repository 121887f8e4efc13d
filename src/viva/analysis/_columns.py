"""Columns as arrays of codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["cluster_codes"]


def cluster_codes(labels: ArrayLike | None, n: int) -> NDArray[np.int64]:
    """Equal codes for equal labels; without labels every row is on its own. Shape (N,)."""
    if labels is None:
        return np.arange(n, dtype=np.int64)
    codes: NDArray[np.int64] = np.unique(np.asarray(labels), return_inverse=True)[1]
    return codes.astype(np.int64)
