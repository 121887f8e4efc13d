"""The reasoning gap, accuracy(reasoning) - accuracy(knowledge), under seven estimators.

All are in points, negative = worse at reasoning. Six are linear in the answers with coefficients
fixed by the items, so composition never varies between resamples; what they hold fixed differs:
see ``docs/statistics.md``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from viva.analysis import _cells
from viva.analysis._cells import SMALLEST_SIDE
from viva.analysis._gap import (
    NONE_TWO_SIDED,
    Answers,
    Gap,
    answers_of,
    names_of,
    no_gap,
    one_sided,
)
from viva.analysis._graded import KNOWLEDGE, NO_STRATUM, REASONING, Graded
from viva.analysis._noise import Confusion, SplitterErrors, noise_corrected
from viva.analysis._slopes import LENGTH_RATIO, length_matched, soft
from viva.analysis.intervals import newcombe
from viva.analysis.resampling import cell_mean_draws, patterns, percentile_interval, stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "GAP_NAMES",
    "LENGTH_RATIO",
    "Confusion",
    "Gap",
    "SplitterErrors",
    "benchmark_gaps",
    "headline_gaps",
    "reasoning_gaps",
]

GAP_NAMES = (
    "pooled",
    "within",
    "within_size_weighted",
    "length_matched",
    "chance_corrected",
    "chance_corrected_pooled",
    "soft",
    "noise_corrected",
)


def _linear(
    answers: Answers,
    coefficients: NDArray[np.float64],
    means: NDArray[np.float64],
    draws: NDArray[np.float64],
    level: float,
) -> Gap:
    """A gap that is a linear combination of cell means."""
    cells, used = answers.cells, coefficients != 0
    if not used.any():
        return no_gap(NONE_TWO_SIDED, left_out=one_sided(answers))
    estimate = float(coefficients[used] @ means[used])
    low, high = percentile_interval(coefficients[used] @ draws[used], estimate, level=level)
    return Gap(
        100 * estimate,
        100 * low,
        100 * high,
        int(cells.size[used].sum()),
        benchmarks=names_of(answers.table, cells.benchmark[used & (cells.benchmark >= 0)]),
        left_out=one_sided(answers),
        smallest_cell=int(cells.size[used].min()),
        effective_n=4 / float(np.sum(coefficients**2 / cells.size)),
    )


def _pooled(
    answers: Answers, means: NDArray[np.float64], draws: NDArray[np.float64], level: float
) -> Gap:
    """The gap over all items together, with at least 20 in each stratum."""
    sides = np.bincount(answers.stratum[answers.kept], minlength=2)
    if sides.min() < SMALLEST_SIDE:
        return no_gap(f"fewer than {SMALLEST_SIDE} items of a stratum", int(sides.sum()))
    found = _linear(answers, _cells.pooled(answers.cells), means, draws, level)
    return replace(
        found,
        benchmarks=names_of(answers.table, answers.table.benchmark[answers.kept]),
        left_out={},
        smallest_cell=int(sides.min()),
    )


def _draws(
    answers: Answers,
    resamples: int,
    generator: np.random.Generator,
    low: NDArray[np.float64] | float = 0.0,
) -> NDArray[np.float64]:
    """Draws of the cell means, whose least value is ``low``. Shape (C, R)."""
    cells = answers.cells
    found = patterns(
        cells.code,
        answers.y,
        answers.table.cluster,
        cells=cells.count,
        low=low,
        high=1.0,
        prior=cells.prior,
    )
    return cell_mean_draws(found, resamples=resamples, generator=generator)


def _pooled_and_within(
    answers: Answers, means: NDArray[np.float64], draws: NDArray[np.float64], level: float
) -> dict[str, Gap]:
    return {
        "pooled": _pooled(answers, means, draws, level),
        "within": _linear(answers, _cells.within(answers.cells), means, draws, level),
    }


def _chance_corrected(
    answers: Answers, resamples: int, generator: np.random.Generator, level: float
) -> dict[str, Gap]:
    """Within and pooled gap of ``(y - 1/k) / (1 - 1/k)``: 0 = guessing, 1 = all right."""
    options = answers.table.options
    kept = answers.kept & (options >= 2)
    if not kept.any():
        none = no_gap("no item has a number of options")
        return {"chance_corrected": none, "chance_corrected_pooled": none}
    chance = 1 / np.maximum(options, 2)
    score = (answers.y - chance) / (1 - chance)
    scored = answers_of(answers.table, score, answers.stratum, kept)
    lowest = scored.cells.means(-chance / (1 - chance))
    draws = _draws(scored, resamples, generator, lowest)
    found = _pooled_and_within(scored, scored.cells.means(scored.y), draws, level)
    return {"chance_corrected": found["within"], "chance_corrected_pooled": found["pooled"]}


def _why_none(table: Graded, y: NDArray[np.float64]) -> str:
    """Why no item enters a gap."""
    split = ~np.isnan(y) & (table.stratum != NO_STRATUM)
    if split.any() and not (split & table.in_domain).any():
        return "no graded item is inside the splitter's domain"
    return "no graded item has a stratum"


def reasoning_gaps(
    table: Graded,
    model: str,
    *,
    errors: SplitterErrors | None = None,
    resamples: int = 10_000,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, Gap]:
    """All gaps of one model.

    Parameters
    ----------
    table : Graded
    model : str
        One of ``table.models``.
    errors : SplitterErrors, optional
        Cross-fitted agreement of the splitter with labels; None where strata are given.
    resamples : int
        Draws of the bootstrap.
    seed : int
        Non-negative; results depend on it and on the model's name, not on other models.
    level : float
        Confidence level, in (0, 1).

    Returns
    -------
    dict of str to Gap
        Keys as in :data:`GAP_NAMES`.

    Raises
    ------
    InputError
        For an unknown model or settings out of range.

    References
    ----------
    ``within`` and ``length_matched`` are Mantel-Haenszel risk differences (Greenland and Robins
    1985, Biometrics 41, 55-68); ``noise_corrected`` inverts misclassification as Rogan and Gladen
    (1978), American Journal of Epidemiology 107, 71-76.
    """
    y = table.values[table.index(model)]
    answers = answers_of(table, y, table.headline_stratum())
    if not answers.kept.any():
        return dict.fromkeys(GAP_NAMES, no_gap(_why_none(table, y)))
    means = answers.cells.means(answers.y)
    draws = _draws(answers, resamples, stream(seed, "gap", model))
    size_weighted = _cells.within(answers.cells, size_weighted=True)
    return {
        **_pooled_and_within(answers, means, draws, level),
        "within_size_weighted": _linear(answers, size_weighted, means, draws, level),
        "length_matched": length_matched(answers, level=level),
        **_chance_corrected(answers, resamples, stream(seed, "chance", model), level),
        "soft": soft(table, y, level=level),
        "noise_corrected": noise_corrected(
            answers, means, draws, errors, generator=stream(seed, "noise", model), level=level
        ),
    }


def headline_gaps(
    table: Graded,
    model: str,
    *,
    stratum: NDArray[np.int64] | None = None,
    resamples: int = 2_000,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, Gap]:
    """The ``pooled`` and ``within`` gap only, with other strata if wanted.

    Parameters
    ----------
    table, model, resamples, seed, level
        As :func:`reasoning_gaps`.
    stratum : ndarray of int, shape (N,), optional
        In place of the table's; -1 leaves an item out.

    Returns
    -------
    dict of str to Gap
        ``pooled`` and ``within``.
    """
    y = table.values[table.index(model)]
    answers = answers_of(table, y, table.headline_stratum() if stratum is None else stratum)
    if not answers.kept.any():
        return dict.fromkeys(("pooled", "within"), no_gap(_why_none(table, y)))
    means = answers.cells.means(answers.y)
    draws = _draws(answers, resamples, stream(seed, "gap", model))
    return _pooled_and_within(answers, means, draws, level)


def benchmark_gaps(
    table: Graded,
    model: str,
    *,
    resamples: int = 10_000,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, Gap]:
    """The gap inside each benchmark that has items of both strata, however few.

    Parameters
    ----------
    table, model, resamples, seed, level
        As :func:`reasoning_gaps`. Benchmarks outside the splitter's domain are included.

    Returns
    -------
    dict of str to Gap
        Newcombe's interval for separate binary items, the cluster bootstrap otherwise.
    """
    y = table.values[table.index(model)]
    kept = ~np.isnan(y) & (table.stratum != NO_STRATUM)
    out: dict[str, Gap] = {}
    for b in np.unique(table.benchmark[kept]).tolist():
        name = table.benchmark_names[b]
        here = kept & (table.benchmark == b)
        out[name] = _inside(
            name,
            y[here],
            table.stratum[here],
            table.cluster[here],
            resamples=resamples,
            generator=stream(seed, "benchmark gap", model, name),
            level=level,
        )
    return out


def _inside(
    name: str,
    y: NDArray[np.float64],
    stratum: NDArray[np.int64],
    cluster: NDArray[np.int64],
    *,
    resamples: int,
    generator: np.random.Generator,
    level: float,
) -> Gap:
    """The gap inside one benchmark."""
    n = np.bincount(stratum, minlength=2)
    if n.min() == 0:
        return no_gap("items of one stratum only", int(n.sum()))
    right = np.bincount(stratum, weights=y, minlength=2)
    shares = right / n
    estimate = float(shares[REASONING] - shares[KNOWLEDGE])
    if len(np.unique(cluster)) == len(cluster) and np.isin(y, (0.0, 1.0)).all():
        ends = newcombe(right[REASONING], n[REASONING], right[KNOWLEDGE], n[KNOWLEDGE], level=level)
        low, high = float(ends[0]), float(ends[1])
    else:
        found = patterns(stratum, y, cluster, cells=2)
        draws = cell_mean_draws(found, resamples=resamples, generator=generator)
        low, high = percentile_interval(draws[REASONING] - draws[KNOWLEDGE], estimate, level=level)
    return Gap(
        100 * estimate,
        100 * low,
        100 * high,
        int(n.sum()),
        benchmarks=(name,),
        smallest_cell=int(n.min()),
        effective_n=float(4 * n.prod() / n.sum()),
    )
