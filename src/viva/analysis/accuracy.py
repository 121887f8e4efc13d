"""Accuracy of each model: overall, per stratum, per benchmark x stratum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from viva.analysis._graded import KNOWLEDGE, NO_STRATUM, REASONING, Graded
from viva.analysis.intervals import wilson
from viva.analysis.resampling import cell_mean_draws, patterns, percentile_interval, stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Accuracy", "Share", "accuracies", "share"]


@dataclass(frozen=True, slots=True)
class Share:
    """A share of items, 0..1. ``accuracy``, ``low`` and ``high`` are None where n is 0."""

    n: int
    accuracy: float | None
    low: float | None
    high: float | None
    method: str | None
    """``wilson``, or ``bootstrap`` where items cluster or are averages over samples."""


_EMPTY = Share(0, None, None, None, None)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Accuracy over graded items.

    Parameters
    ----------
    all : Share
        All graded items.
    knowledge, reasoning : Share
        Items of one stratum inside the splitter's domain.
    benchmarks : dict of str to dict of str to Share
        Benchmark, then ``all``, ``knowledge``, ``reasoning`` (also outside the domain).
    """

    all: Share
    knowledge: Share
    reasoning: Share
    benchmarks: dict[str, dict[str, Share]]


def share(
    values: NDArray[np.float64],
    cluster: NDArray[np.int64],
    *,
    generator: np.random.Generator,
    resamples: int = 10_000,
    level: float = 0.95,
) -> Share:
    """Mean of values with Wilson's interval, or by the cluster bootstrap where it does not apply.

    Parameters
    ----------
    values : ndarray of float, shape (N,)
        In 0..1, no NaN.
    cluster : ndarray of int, shape (N,)
    generator : numpy.random.Generator
    resamples, level
        As :func:`viva.analysis.reasoning_gaps`; resamples are used by the bootstrap only.

    Returns
    -------
    Share
    """
    n = len(values)
    if n == 0:
        return _EMPTY
    mean = float(values.mean())
    if len(np.unique(cluster)) == n and np.all((values == 0) | (values == 1)):
        low, high = wilson(values.sum(), n, level=level)
        return Share(n, mean, float(low), float(high), "wilson")
    found = patterns(np.zeros(n, np.int64), values, cluster, cells=1)
    draws = cell_mean_draws(found, resamples=resamples, generator=generator)[0]
    ends = percentile_interval(draws, mean, level=level)
    return Share(n, mean, *ends, "bootstrap")


def accuracies(
    table: Graded,
    model: str,
    *,
    resamples: int = 10_000,
    seed: int = 0,
    level: float = 0.95,
) -> Accuracy:
    """All accuracies of one model.

    Parameters
    ----------
    table : Graded
    model : str
        One of ``table.models``.
    resamples, seed, level
        As :func:`viva.analysis.reasoning_gaps`.

    Returns
    -------
    Accuracy

    Raises
    ------
    InputError
        For an unknown model or settings out of range.
    """
    values = table.values[table.index(model)]
    graded = ~np.isnan(values)
    headline = table.headline_stratum()

    def of(kept: NDArray[np.bool_], *names: str) -> Share:
        return share(
            values[kept],
            table.cluster[kept],
            generator=stream(seed, "accuracy", model, *names),
            resamples=resamples,
            level=level,
        )

    strata = (("knowledge", KNOWLEDGE), ("reasoning", REASONING))
    benchmarks: dict[str, dict[str, Share]] = {}
    for b in np.unique(table.benchmark[graded]).tolist():
        name = table.benchmark_names[b]
        here = graded & (table.benchmark == b)
        row = {"all": of(here, name, "all")}
        if np.any(table.stratum[here] != NO_STRATUM):
            row |= {word: of(here & (table.stratum == s), name, word) for word, s in strata}
        else:
            row |= {word: _EMPTY for word, _ in strata}
        benchmarks[name] = row
    return Accuracy(
        all=of(graded, "all"),
        knowledge=of(graded & (headline == KNOWLEDGE), "knowledge"),
        reasoning=of(graded & (headline == REASONING), "reasoning"),
        benchmarks=benchmarks,
    )
