"""The gap between true strata, from the errors of the splitter that predicted them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from viva.analysis._gap import NONE_TWO_SIDED, Answers, Gap, names_of, no_gap, one_sided
from viva.analysis.resampling import percentile_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Confusion", "SplitterErrors", "noise_corrected"]

_FEWEST_LABELS = 50
"""Labels from which a benchmark's own error rates are used."""
_UNIDENTIFIED_DRAWS = 0.025
"""Largest share of draws that may fall outside what the error rates allow."""
_LEAST_SEPARATION = 0.02
"""Smallest PPV + NPV - 1 a gap is divided by."""


@dataclass(frozen=True, slots=True)
class Confusion:
    """How the splitter's cross-fitted strata agree with labels.

    Parameters
    ----------
    reasoning_right, reasoning_wrong : int
        Items labelled reasoning that the splitter calls reasoning, and knowledge.
    knowledge_right, knowledge_wrong : int
        Items labelled knowledge that the splitter calls knowledge, and reasoning.
    """

    reasoning_right: int
    reasoning_wrong: int
    knowledge_right: int
    knowledge_wrong: int

    @property
    def labels(self) -> int:
        """Number of labelled items."""
        return (
            self.reasoning_right
            + self.reasoning_wrong
            + self.knowledge_right
            + self.knowledge_wrong
        )


@dataclass(frozen=True, slots=True)
class SplitterErrors:
    """Confusion over all labelled items, and inside the benchmarks that have labels."""

    overall: Confusion
    benchmarks: Mapping[str, Confusion] = field(default_factory=dict)


def _rates(
    confusion: Confusion, resamples: int, generator: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sensitivity and specificity: the estimate first, then draws. Shapes (1 + R,)."""
    out = []
    for right, wrong in (
        (confusion.reasoning_right, confusion.reasoning_wrong),
        (confusion.knowledge_right, confusion.knowledge_wrong),
    ):
        estimate = right / (right + wrong) if right + wrong else np.nan
        drawn = generator.beta(right + 0.5, wrong + 0.5, size=resamples)
        out.append(np.concatenate([[estimate], drawn]))
    return out[0], out[1]


def _separation(
    q: NDArray[np.float64], se: NDArray[np.float64], sp: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """PPV + NPV - 1, and where it is identified (the true share lies inside 0..1)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (q + sp - 1) / (se + sp - 1)
        ppv = se * share / q
        npv = sp * (1 - share) / (1 - q)
        value = ppv + npv - 1
    ok = (se + sp > 1) & (share > 0) & (share < 1) & (value > _LEAST_SEPARATION)
    return np.where(ok, value, _LEAST_SEPARATION), ok


def _own_rates_known(own: Confusion | None) -> bool:
    """Whether a benchmark has enough labels, and of both kinds."""
    return (
        own is not None
        and own.labels >= _FEWEST_LABELS
        and own.reasoning_right + own.reasoning_wrong > 0
        and own.knowledge_right + own.knowledge_wrong > 0
    )


def noise_corrected(
    answers: Answers,
    means: NDArray[np.float64],
    draws: NDArray[np.float64],
    errors: SplitterErrors | None,
    *,
    generator: np.random.Generator,
    level: float,
) -> Gap:
    """Each benchmark's gap divided by PPV + NPV - 1 of the splitter there; weights as within.

    Parameters
    ----------
    answers : Answers
    means, draws : ndarray of float, shapes (C,) and (C, R)
        Cell means and their draws.
    errors : SplitterErrors or None
    generator : numpy.random.Generator
        For the error rates (Beta with Jeffreys' prior) and the share predicted reasoning.
    level : float

    Returns
    -------
    Gap
        Between -100 and 100. Benchmarks whose true share of reasoning the rates put outside 0..1,
        or nearly so, are left out with a reason.
    """
    table, cells, left_out = answers.table, answers.cells, one_sided(answers)
    if errors is None:
        return no_gap("the strata are given, not predicted", left_out=left_out)
    if not cells.two_sided():
        return no_gap(NONE_TWO_SIDED, left_out=left_out)
    resamples = draws.shape[1]
    shared = _rates(errors.overall, resamples, generator)
    weights: list[float] = []
    values: list[NDArray[np.float64]] = []
    used: list[tuple[int, int, int]] = []
    for b, r, k in cells.two_sided():
        name = table.benchmark_names[b]
        own = errors.benchmarks.get(name)
        se, sp = (
            _rates(own, resamples, generator)
            if own is not None and _own_rates_known(own)
            else shared
        )
        n_r, n_k = int(cells.size[r]), int(cells.size[k])
        share = generator.beta(n_r + 0.5, n_k + 0.5, size=resamples)
        value, ok = _separation(np.concatenate([[n_r / (n_r + n_k)], share]), se, sp)
        if not ok[0] or 1 - ok[1:].mean() > _UNIDENTIFIED_DRAWS:
            left_out[name] = "the splitter's error rates do not identify its share of reasoning"
            continue
        gap = np.concatenate([[means[r] - means[k]], draws[r] - draws[k]])
        weights.append(n_r * n_k / (n_r + n_k))
        values.append(gap / value)
        used.append((b, r, k))
    if not used:
        return no_gap("not identified in any benchmark", left_out=left_out)
    # A difference of two shares: where the errors are barely told from chance, dividing by little
    # would put most of the interval where no gap can be.
    combined = np.clip((np.array(weights) / sum(weights)) @ np.array(values), -1.0, 1.0)
    estimate = float(combined[0])
    low, high = percentile_interval(combined[1:], estimate, level=level)
    sizes = [int(cells.size[i]) for _, r, k in used for i in (r, k)]
    return Gap(
        100 * estimate,
        100 * low,
        100 * high,
        sum(sizes),
        benchmarks=names_of(table, np.array([b for b, _, _ in used])),
        left_out=left_out,
        smallest_cell=min(sizes),
    )
