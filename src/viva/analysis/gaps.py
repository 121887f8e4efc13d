"""The reasoning gap, accuracy(reasoning) - accuracy(knowledge), under seven estimators.

All are in points, negative = worse at reasoning. Six are linear in the answers with coefficients
fixed by the items, so composition never varies between resamples; what they hold fixed differs:
see ``docs/statistics.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from viva.analysis import _cells
from viva.analysis._arrays import KNOWLEDGE, NO_STRATUM, REASONING, Graded
from viva.analysis._cells import SMALLEST_SIDE, Cells
from viva.analysis._regression import score_interval, within_slope
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
LENGTH_RATIO = 1.15
"""Each word-count bin reaches from its lower edge to this many times that edge."""
_SMALLEST_SLOPE_GROUP = 2 * SMALLEST_SIDE
_FEWEST_LABELS = 50
_UNIDENTIFIED_DRAWS = 0.025
_LEAST_SEPARATION = 0.02
_NONE_TWO_SIDED = f"no benchmark has {SMALLEST_SIDE} items of each stratum"


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


@dataclass(frozen=True, slots=True)
class Gap:
    """One gap in points, or the reason why there is none.

    Parameters
    ----------
    estimate, low, high : float or None
        Points; None with a reason.
    n : int
        Items that contribute.
    reason : str or None
        Why there is no estimate.
    benchmarks : tuple of str
        Benchmarks that contribute.
    left_out : dict of str to str
        Benchmarks that could not contribute, each with its reason.
    smallest_cell : int or None
        Items in the smallest contributing benchmark x stratum (``pooled``: in the smaller
        stratum; ``soft``: in the smallest benchmark).
    effective_n : float or None
        Size of the sample, half in each stratum, whose plain gap would be as precise.
    """

    estimate: float | None
    low: float | None
    high: float | None
    n: int
    reason: str | None = None
    benchmarks: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    smallest_cell: int | None = None
    effective_n: float | None = None


def _no_gap(reason: str, n: int = 0, left_out: Mapping[str, str] | None = None) -> Gap:
    return Gap(None, None, None, n, reason, left_out=left_out or {})


def _effective_n(cells: Cells, coefficients: NDArray[np.float64]) -> float:
    return 4 / float(np.sum(coefficients**2 / cells.size))


def _one_sided(
    names: tuple[str, ...], cells: Cells, table: Graded, kept: NDArray[np.bool_]
) -> dict[str, str]:
    """Why each benchmark with headline items is not in the within-benchmark gap."""
    used = {b for b, _, _ in cells.two_sided()}
    present = np.unique(table.benchmark[kept])
    return {
        names[b]: f"fewer than {SMALLEST_SIDE} items of a stratum"
        for b in present.tolist()
        if b not in used
    }


def _linear(
    table: Graded,
    cells: Cells,
    coefficients: NDArray[np.float64],
    means: NDArray[np.float64],
    draws: NDArray[np.float64],
    level: float,
    left_out: Mapping[str, str],
) -> Gap:
    """A gap that is a linear combination of cell means."""
    used = coefficients != 0
    estimate = float(coefficients[used] @ means[used])
    low, high = percentile_interval(coefficients[used] @ draws[used], estimate, level=level)
    ids = np.unique(cells.benchmark[used & (cells.benchmark >= 0)])
    return Gap(
        100 * estimate,
        100 * low,
        100 * high,
        int(cells.size[used].sum()),
        benchmarks=tuple(table.benchmark_names[b] for b in ids.tolist()),
        left_out=left_out,
        smallest_cell=int(cells.size[used].min()),
        effective_n=_effective_n(cells, coefficients),
    )


def _pooled_gap(
    table: Graded,
    cells: Cells,
    kept: NDArray[np.bool_],
    means: NDArray[np.float64],
    draws: NDArray[np.float64],
    level: float,
) -> Gap:
    sides = [int(cells.size[cells.stratum == s].sum()) for s in (REASONING, KNOWLEDGE)]
    if min(sides) < SMALLEST_SIDE:
        return _no_gap(f"fewer than {SMALLEST_SIDE} items of a stratum", sum(sides))
    found = _linear(table, cells, _cells.pooled(cells), means, draws, level, {})
    ids = np.unique(table.benchmark[kept])
    names = tuple(table.benchmark_names[b] for b in ids.tolist())
    return Gap(
        found.estimate,
        found.low,
        found.high,
        found.n,
        benchmarks=names,
        smallest_cell=min(sides),
        effective_n=found.effective_n,
    )


def _length_matched(
    table: Graded,
    y: NDArray[np.float64],
    stratum: NDArray[np.int64],
    kept: NDArray[np.bool_],
    cells: Cells,
    level: float,
    left_out: Mapping[str, str],
) -> Gap:
    """Gap inside benchmark x word-count bin, weights n_R n_K / (n_R + n_K): a slope on 0/1."""
    eligible = [b for b, _, _ in cells.two_sided()]
    kept = kept & np.isin(table.benchmark, eligible) & (table.words > 0)
    if not kept.any():
        reason = "no word counts" if eligible else _NONE_TWO_SIDED
        return _no_gap(reason, left_out=left_out)
    bins = np.floor(np.log(table.words[kept]) / np.log(LENGTH_RATIO) + 1e-9).astype(np.int64)
    cell = table.benchmark[kept] * (int(bins.max()) + 1) + bins
    _, cell = np.unique(cell, return_inverse=True)
    x = stratum[kept].astype(np.float64)
    reasoning = np.bincount(cell, weights=x)
    mixed = ((reasoning > 0) & (reasoning < np.bincount(cell)))[cell]
    matched = np.flatnonzero(kept)[mixed]
    sides = np.bincount(stratum[matched], minlength=2)
    if sides.min() < SMALLEST_SIDE:
        return _no_gap(
            f"fewer than {SMALLEST_SIDE} items of a stratum share benchmark and length with "
            "the other",
            len(matched),
            left_out,
        )
    slope = within_slope(x[mixed], y[matched], cell[mixed], table.cluster[matched])
    if slope is None:
        return _no_gap("no benchmark x length bin holds both strata", len(matched), left_out)
    low, high = score_interval(slope, level=level)
    ids, counts = np.unique(table.benchmark[matched] * 2 + stratum[matched], return_counts=True)
    return Gap(
        100 * slope.estimate,
        100 * low,
        100 * high,
        len(matched),
        benchmarks=tuple(table.benchmark_names[b] for b in np.unique(ids // 2).tolist()),
        left_out=left_out,
        smallest_cell=int(counts.min()),
        effective_n=4 * slope.spread,
    )


def _soft(table: Graded, y: NDArray[np.float64], kept: NDArray[np.bool_], level: float) -> Gap:
    """Slope of y on p_reasoning inside benchmarks, weights n_b Var_b(p)."""
    kept = kept & ~np.isnan(table.p)
    if not kept.any():
        return _no_gap("no item has a p_reasoning")
    count = np.bincount(table.benchmark[kept], minlength=len(table.benchmark_names))
    few = (count > 0) & (count < _SMALLEST_SLOPE_GROUP)
    left_out = {
        table.benchmark_names[b]: f"fewer than {_SMALLEST_SLOPE_GROUP} items"
        for b in np.flatnonzero(few).tolist()
    }
    kept = kept & ~few[table.benchmark]
    if not kept.any():
        return _no_gap(f"no benchmark has {_SMALLEST_SLOPE_GROUP} items", left_out=left_out)
    slope = within_slope(table.p[kept], y[kept], table.benchmark[kept], table.cluster[kept])
    n = int(kept.sum())
    if slope is None:
        return _no_gap("p_reasoning does not vary inside any benchmark", n, left_out)
    low, high = score_interval(slope, level=level)
    ids, counts = np.unique(table.benchmark[kept], return_counts=True)
    return Gap(
        100 * slope.estimate,
        100 * low,
        100 * high,
        n,
        benchmarks=tuple(table.benchmark_names[b] for b in ids.tolist()),
        left_out=left_out,
        smallest_cell=int(counts.min()),
        effective_n=4 * slope.spread,
    )


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


def _noise_corrected(
    table: Graded,
    cells: Cells,
    means: NDArray[np.float64],
    draws: NDArray[np.float64],
    errors: SplitterErrors | None,
    generator: np.random.Generator,
    level: float,
    left_out: Mapping[str, str],
) -> Gap:
    """Each benchmark's gap divided by PPV + NPV - 1 of the splitter there; weights as within."""
    if errors is None:
        return _no_gap("the strata are given, not predicted", left_out=left_out)
    if not cells.two_sided():
        return _no_gap(_NONE_TWO_SIDED, left_out=left_out)
    resamples = draws.shape[1]
    shared = _rates(errors.overall, resamples, generator)
    reasons = dict(left_out)
    weights: list[float] = []
    values: list[NDArray[np.float64]] = []
    used: list[tuple[int, int, int]] = []
    for b, r, k in cells.two_sided():
        name = table.benchmark_names[b]
        own = errors.benchmarks.get(name)
        # A benchmark's own rates need labels of both kinds.
        enough = (
            own is not None
            and own.labels >= _FEWEST_LABELS
            and own.reasoning_right + own.reasoning_wrong > 0
            and own.knowledge_right + own.knowledge_wrong > 0
        )
        se, sp = _rates(own, resamples, generator) if enough and own is not None else shared
        n_r, n_k = int(cells.size[r]), int(cells.size[k])
        drawn = generator.beta(n_r + 0.5, n_k + 0.5, size=resamples)
        value, ok = _separation(np.concatenate([[n_r / (n_r + n_k)], drawn]), se, sp)
        if not ok[0] or 1 - ok[1:].mean() > _UNIDENTIFIED_DRAWS:
            reasons[name] = "the splitter's error rates do not identify its share of reasoning"
            continue
        gap = np.concatenate([[means[r] - means[k]], draws[r] - draws[k]])
        weights.append(n_r * n_k / (n_r + n_k))
        values.append(gap / value)
        used.append((b, r, k))
    if not used:
        return _no_gap("not identified in any benchmark", left_out=reasons)
    weight = np.array(weights) / sum(weights)
    combined = weight @ np.array(values)
    estimate = float(combined[0])
    low, high = percentile_interval(combined[1:], estimate, level=level)
    sizes = [int(cells.size[i]) for _, r, k in used for i in (r, k)]
    return Gap(
        100 * estimate,
        100 * low,
        100 * high,
        sum(sizes),
        benchmarks=tuple(table.benchmark_names[b] for b, _, _ in used),
        left_out=reasons,
        smallest_cell=min(sizes),
    )


def _draws(
    cells: Cells,
    values: NDArray[np.float64],
    cluster: NDArray[np.int64],
    resamples: int,
    generator: np.random.Generator,
    low: NDArray[np.float64] | float = 0.0,
) -> NDArray[np.float64]:
    found = patterns(
        cells.code, values, cluster, cells=cells.count, low=low, high=1.0, prior=cells.prior
    )
    return cell_mean_draws(found, resamples=resamples, generator=generator)


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
    y_all = table.values[table.index(model)]
    stratum = table.headline_stratum()
    kept = ~np.isnan(y_all) & (stratum != NO_STRATUM)
    y = np.where(kept, y_all, 0.0)
    if not kept.any():
        return dict.fromkeys(GAP_NAMES, _no_gap("no graded item has a stratum"))
    cells = _cells.find_cells(table.benchmark, stratum, keep=kept)
    left_out = _one_sided(table.benchmark_names, cells, table, kept)
    means = cells.means(y)
    draws = _draws(cells, y, table.cluster, resamples, stream(seed, "gap", model))
    none = _no_gap(_NONE_TWO_SIDED, left_out=left_out)
    out = {"pooled": _pooled_gap(table, cells, kept, means, draws, level)}
    two_sided = bool(cells.two_sided())
    for name, size_weighted in (("within", False), ("within_size_weighted", True)):
        weights = _cells.within(cells, size_weighted=size_weighted)
        out[name] = (
            _linear(table, cells, weights, means, draws, level, left_out) if two_sided else none
        )
    out["length_matched"] = _length_matched(table, y, stratum, kept, cells, level, left_out)
    out |= _chance_corrected(
        table, y, stratum, kept, resamples, stream(seed, "chance", model), level
    )
    out["soft"] = _soft(table, y, table.in_domain & ~np.isnan(y_all), level)
    out["noise_corrected"] = _noise_corrected(
        table, cells, means, draws, errors, stream(seed, "noise", model), level, left_out
    )
    return out


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
    """
    y_all = table.values[table.index(model)]
    stratum = table.headline_stratum() if stratum is None else stratum
    kept = ~np.isnan(y_all) & (stratum != NO_STRATUM)
    y = np.where(kept, y_all, 0.0)
    if not kept.any():
        return dict.fromkeys(("pooled", "within"), _no_gap("no graded item has a stratum"))
    cells = _cells.find_cells(table.benchmark, stratum, keep=kept)
    left_out = _one_sided(table.benchmark_names, cells, table, kept)
    means = cells.means(y)
    draws = _draws(cells, y, table.cluster, resamples, stream(seed, "gap", model))
    weights = _cells.within(cells)
    return {
        "pooled": _pooled_gap(table, cells, kept, means, draws, level),
        "within": _linear(table, cells, weights, means, draws, level, left_out)
        if cells.two_sided()
        else _no_gap(_NONE_TWO_SIDED, left_out=left_out),
    }


def _chance_corrected(
    table: Graded,
    y: NDArray[np.float64],
    stratum: NDArray[np.int64],
    kept: NDArray[np.bool_],
    resamples: int,
    generator: np.random.Generator,
    level: float,
) -> dict[str, Gap]:
    """Within and pooled gap of ``(y - 1/k) / (1 - 1/k)``: 0 = guessing, 1 = all right."""
    kept = kept & (table.options >= 2)
    if not kept.any():
        none = _no_gap("no item has a number of options")
        return {"chance_corrected": none, "chance_corrected_pooled": none}
    chance = 1 / np.maximum(table.options, 2)
    score = np.where(kept, (y - chance) / (1 - chance), 0.0)
    cells = _cells.find_cells(table.benchmark, stratum, keep=kept)
    left_out = _one_sided(table.benchmark_names, cells, table, kept)
    lowest = cells.means(-chance / (1 - chance))
    draws = _draws(cells, score, table.cluster, resamples, generator, lowest)
    means = cells.means(score)
    weights = _cells.within(cells)
    return {
        "chance_corrected": _linear(table, cells, weights, means, draws, level, left_out)
        if cells.two_sided()
        else _no_gap(_NONE_TWO_SIDED, left_out=left_out),
        "chance_corrected_pooled": _pooled_gap(table, cells, kept, means, draws, level),
    }


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
    y_all = table.values[table.index(model)]
    kept = ~np.isnan(y_all) & (table.stratum != NO_STRATUM)
    out: dict[str, Gap] = {}
    for b in np.unique(table.benchmark[kept]).tolist():
        name = table.benchmark_names[b]
        here = kept & (table.benchmark == b)
        y, side, cluster = y_all[here], table.stratum[here], table.cluster[here]
        n = np.bincount(side, minlength=2)
        if n.min() == 0:
            out[name] = _no_gap("items of one stratum only", int(n.sum()))
            continue
        right = np.bincount(side, weights=y, minlength=2)
        share = right / n
        estimate = float(share[REASONING] - share[KNOWLEDGE])
        separate = len(np.unique(cluster)) == len(cluster)
        if separate and np.isin(y, (0.0, 1.0)).all():
            ends = newcombe(
                right[REASONING], n[REASONING], right[KNOWLEDGE], n[KNOWLEDGE], level=level
            )
            low, high = float(ends[0]), float(ends[1])
        else:
            draws = cell_mean_draws(
                patterns(side, y, cluster, cells=2),
                resamples=resamples,
                generator=stream(seed, "benchmark gap", model, name),
            )
            low, high = percentile_interval(
                draws[REASONING] - draws[KNOWLEDGE], estimate, level=level
            )
        out[name] = Gap(
            100 * estimate,
            100 * low,
            100 * high,
            int(n.sum()),
            benchmarks=(name,),
            smallest_cell=int(n.min()),
            effective_n=float(4 * n.prod() / n.sum()),
        )
    return out
