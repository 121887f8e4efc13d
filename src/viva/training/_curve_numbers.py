"""A training's curves as numbers: where they began, where they ended, and their best."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

__all__ = ["CURVES", "curve_numbers"]

CURVES = {
    "loss": "min",
    "reward": "max",
    "share_unread": "min",
    "share_none": "min",
    "share_equal": "min",
    "share_truncated": "min",
    "completion_length": None,
    "kl": None,
    "token_accuracy": "max",
    "reward_accuracy": "max",
    "reward_margin": "max",
}
"""Columns of a log that are told, and which end of each is the best; None: neither."""

_WINDOW = 10
"""Logged steps over which a number is averaged, fewer where the log is short."""


def curve_numbers(log: pl.DataFrame) -> list[dict[str, Any]]:
    """Numbers of the curves of a log.

    Parameters
    ----------
    log : polars.DataFrame
        Of :func:`viva.training.journal.read_log`.

    Returns
    -------
    list of dict
        ``name``, ``n`` (logged steps that have it), ``window`` (steps averaged), ``first`` and
        ``last`` (means of the first and last window), ``best`` (of all running means) and
        ``best_step`` (last step of its window); both None where neither end is better.
    """
    told = []
    for name, better in CURVES.items():
        if name not in log.columns:
            continue
        known = log.select("step", name).drop_nulls()
        n = known.height
        if n == 0:
            continue
        window = max(1, min(_WINDOW, n // 5))
        values = known[name].to_numpy()
        means = [float(values[at : at + window].mean()) for at in range(n - window + 1)]
        row: dict[str, Any] = {"name": name, "n": n, "window": window, "first": means[0],
                               "last": means[-1], "best": None, "best_step": None}  # fmt: skip
        if better is not None:
            row["best"] = max(means) if better == "max" else min(means)
            row["best_step"] = int(known["step"][means.index(row["best"]) + window - 1])
        told.append(row)
    return told
