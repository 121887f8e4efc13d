"""Whole numbers for the cells of a table whose margins are given as shares."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Cell", "allot"]

Cell = tuple[str, ...]
"""The class of a cell on each axis."""

_STRICT = 1e-4
"""A margin lies less than 1 from its share of the total, so it is rounded down or up."""


def allot(
    available: Mapping[Cell, int], shares: Sequence[Mapping[str, float]], limit: int | None = None
) -> dict[Cell, int]:
    """How many of each cell to take: as many as there can be, each margin its share to rounding.

    Parameters
    ----------
    available : mapping of cell to int
        How many there are; a cell names a class on each axis.
    shares : sequence of mapping of str to float
        Of each axis, the shares of its classes, which sum to 1.
    limit : int, optional
        Greatest total.

    Returns
    -------
    dict of cell to int
        Empty where the shares cannot hold at once for a single one.

    Notes
    -----
    The largest total with exact shares is a linear programme; below it, the largest total whose
    margins are all rounded down or up is an integer one. Its inner cells are those nearest (in
    sum of absolute differences) to the data's cells raked to the margins, which keep the odds
    ratios of the data (Deming and Stephan 1940, doi:10.1214/aoms/1177731829).
    """
    import numpy as np

    cells = sorted(
        cell
        for cell, count in available.items()
        if count > 0 and all(share.get(c, 0) > 0 for share, c in zip(shares, cell, strict=True))
    )
    if not cells:
        return {}
    counts = np.array([available[cell] for cell in cells], float)
    rows, wanted = _rows(cells, shares)
    from_total = rows - wanted[:, None]  # a margin less its share of the total
    most = _largest(counts, from_total, 0.0, limit, whole=False)
    if most is None:
        return {}
    top = math.floor(most.sum() + 1e-6)
    found = _largest(counts, from_total, 1 - _STRICT, top, whole=True) if top >= 1 else None
    if found is None or found.sum() < 1:
        return {}
    total = round(found.sum())
    near = _nearest(counts, rows, wanted * total, total * _raked(counts, rows, wanted), total)
    chosen = found if near is None else near
    return {cell: round(n) for cell, n in zip(cells, chosen.tolist(), strict=True)}


def _rows(
    cells: Sequence[Cell], shares: Sequence[Mapping[str, float]]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """A row of 0 and 1 for each class of each axis, and the share of each."""
    import numpy as np

    classes = [(axis, name) for axis, share in enumerate(shares) for name in sorted(share)]
    rows = np.array([[float(cell[axis] == name) for cell in cells] for axis, name in classes])
    return rows.reshape(len(classes), len(cells)), np.array([shares[a][n] for a, n in classes])


def _largest(
    counts: np.ndarray[Any, Any],
    from_total: np.ndarray[Any, Any],
    slack: float,
    limit: int | None,
    *,
    whole: bool,
) -> np.ndarray[Any, Any] | None:
    import numpy as np
    from scipy.optimize import Bounds, LinearConstraint, milp

    size = len(counts)
    limits = [LinearConstraint(np.ones((1, size)), 0, np.inf if limit is None else limit)]
    if len(from_total):
        limits.append(LinearConstraint(from_total, -slack, slack))
    solved = milp(
        -np.ones(size), constraints=limits, bounds=Bounds(0, counts),
        integrality=np.full(size, int(whole)),
    )  # fmt: skip
    return None if solved.x is None else np.round(solved.x) if whole else solved.x


def _raked(
    counts: np.ndarray[Any, Any], rows: np.ndarray[Any, Any], wanted: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    """Shares of the cells, by iterative proportional fitting of the counts to the margins."""
    shares: np.ndarray[Any, Any] = counts / counts.sum()
    for _ in range(200):
        before = shares
        for row, share in zip(rows, wanted, strict=True):
            held = float((shares * row).sum())
            if held > 0:
                shares = shares * (row * (share / held) + (1 - row))
        if abs(shares - before).max() < 1e-9:
            break
    return shares


def _nearest(
    counts: np.ndarray[Any, Any],
    rows: np.ndarray[Any, Any],
    margins: np.ndarray[Any, Any],
    ideal: np.ndarray[Any, Any],
    total: int,
) -> np.ndarray[Any, Any] | None:
    """Whole numbers of a total nearest to the ideal ones, each margin rounded down or up."""
    import numpy as np
    from scipy.optimize import Bounds, LinearConstraint, milp

    size = len(counts)
    one, none = np.eye(size), np.zeros((len(rows), size))
    limits = [
        LinearConstraint(np.r_[np.ones(size), np.zeros(size)][None], total, total),
        LinearConstraint(np.c_[one, -one], -np.inf, ideal),
        LinearConstraint(np.c_[one, one], ideal, np.inf),
    ]
    if len(rows):
        slack = 1 - _STRICT
        limits.append(LinearConstraint(np.c_[rows, none], margins - slack, margins + slack))
    solved = milp(
        np.r_[np.zeros(size), np.ones(size)],
        constraints=limits,
        bounds=Bounds(0, np.r_[counts, np.full(size, np.inf)]),
        integrality=np.r_[np.ones(size), np.zeros(size)],
    )
    return None if solved.x is None else np.round(solved.x[:size])
