"""What the signals of one subject say of when it is right: frames in, plain values out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from viva.analysis._columns import cluster_codes
from viva.analysis._estimates import Resampling, within_difference
from viva.analysis._graded import KNOWLEDGE, NO_STRATUM, REASONING
from viva.analysis._signals import SIGNALS, answer_signals
from viva.analysis._variants import VARIANTS
from viva.analysis.confidence import (
    BINS,
    COVERAGES,
    confidence_change,
    measure_confidence,
    rank_by_signal,
)
from viva.analysis.resampling import stream
from viva.errors import InputError
from viva.records import RESPONSE_KEY

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

__all__ = ["summarise_confidence", "summarise_confidence_change"]

_STRATA = {"knowledge": KNOWLEDGE, "reasoning": REASONING}


class _Placed(NamedTuple):
    """Answers with their benchmark, stratum and cluster."""

    benchmark_names: tuple[str, ...]
    benchmark: NDArray[np.int64]
    stratum: NDArray[np.int64]
    cluster: NDArray[np.int64]


def _measured(
    columns: Mapping[str, NDArray[Any]],
    rows: NDArray[np.bool_],
    signal: str,
    *,
    name: str,
    coverages: Sequence[float],
    bins: int,
    resamples: int,
    seed: int,
    level: float,
) -> dict[str, Any]:
    """All measures of some answers; of length, which is no probability, its ranking alone."""
    values, right, benchmark, cluster = (columns[k][rows] for k in _COLUMNS)
    if signal == "length":
        found = rank_by_signal(
            values, right, benchmark=benchmark, cluster=cluster, coverages=coverages, level=level
        )
        return asdict(found)
    measures = measure_confidence(
        values,
        right,
        benchmark=benchmark,
        cluster=cluster,
        bins=bins,
        coverages=coverages,
        name=name,
        resamples=resamples,
        seed=seed,
        level=level,
    )
    return asdict(measures)


_COLUMNS = ("signal", "right", "benchmark", "cluster")


def _strata(
    table: pl.DataFrame, items: pl.DataFrame | None, strata: pl.DataFrame | None
) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Stratum (1, 0, -1) and cluster of each answer."""
    import polars as pl

    item = ["benchmark", "item_id"]
    own = pl.col("benchmark") + "/" + pl.col("item_id")
    named = table.select(*item).with_columns(own=own)
    source = strata if strata is not None else items
    stratum = np.full(table.height, NO_STRATUM)
    if source is not None:
        words = named.join(
            source.select(*item, "stratum").unique(item), on=item, how="left", maintain_order="left"
        )["stratum"].cast(pl.String)
        codes = _STRATA | {"1": REASONING, "0": KNOWLEDGE}
        stratum = np.array([codes.get(word, NO_STRATUM) for word in words.to_list()], np.int64)
    cluster = named["own"]
    if items is not None:
        named_groups = items["group"].drop_nulls().unique().to_list()
        original = pl.when(own.is_in(named_groups)).then(own)
        kin = items.select(*item, kin=pl.coalesce("group", original, "content_hash")).unique(item)
        joined = named.join(kin, on=item, how="left", maintain_order="left")
        cluster = joined.select(pl.coalesce("kin", "own")).to_series()
    return stratum, cluster.to_numpy().astype(np.str_)


def summarise_confidence(
    responses: pl.DataFrame,
    scores: pl.DataFrame,
    items: pl.DataFrame | None = None,
    *,
    strata: pl.DataFrame | None = None,
    scale: float | None = None,
    words: Mapping[str, float] | None = None,
    bins: int = BINS,
    coverages: Sequence[float] = COVERAGES,
    name: str = "",
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, Any]:
    """All that the signals of one subject say, as plain values.

    Parameters
    ----------
    responses : polars.DataFrame
        Columns of :func:`viva.records.response_schema`, of one subject; rows with a probe are
        passed over.
    scores : polars.DataFrame
        Columns of :func:`viva.records.score_schema`, of the same subject and one metric.
    items : polars.DataFrame, optional
        Columns of :func:`viva.records.item_schema`: given strata, groups and duplicates. Answers
        to variants are passed over.
    strata : polars.DataFrame, optional
        ``benchmark, item_id, stratum`` (``reasoning``, ``knowledge`` or null; 1, 0), in place of
        the items' own.
    scale, words
        What the prompt asked for, as :func:`viva.answers.confidence.read_confidence` takes it.
    bins, coverages, name, resamples, seed, level
        As :func:`measure_confidence`.

    Returns
    -------
    dict
        ``n``: graded answers. ``signals``: for each of :data:`SIGNALS` that an answer carries:
        ``n`` and ``without`` (graded answers without it), ``accuracy_without``, ``invalid``
        (values that are no confidence, counted as none); ``all``:
        :class:`ConfidenceMeasures` as a dict (for ``length``, which is no probability,
        :class:`Ranking`); ``strata``: the same for ``knowledge`` and ``reasoning``;
        ``benchmarks``: the same by benchmark; ``overconfidence_gap``: overconfidence on reasoning
        minus on knowledge, within benchmarks, in points, a :class:`Gap` as a dict (not for
        ``length``). ``unit`` of length. An estimate is ``{estimate, low, high, n, reason}``; the
        reliability figure is drawn from ``equal_width.bins``, the risk-coverage figure from
        ``ranking.risk_coverage.curve``.

    Raises
    ------
    InputError
        For frames of several subjects, and settings out of range.
    """
    import polars as pl

    graded = scores.filter(pl.col("probe").is_null() & pl.col("value").is_not_null())
    if graded.select("model", "method", "metric").n_unique() > 1:
        raise InputError("the scores are of several subjects", mend="Filter by model and method")
    table, unit = answer_signals(responses, graded, scale=scale, words=words)
    if items is not None:  # an answer to a variant is no answer of its own
        variants = items.filter(pl.col("relation").is_in(list(VARIANTS)))
        table = table.join(variants, on=["benchmark", "item_id"], how="anti", maintain_order="left")
    stratum, cluster = _strata(table, items, strata)
    settings: dict[str, Any] = {"resamples": resamples, "seed": seed, "level": level}
    out: dict[str, Any] = {"n": table.height, "unit": unit, "signals": {}}
    for signal in SIGNALS:
        kept = table[signal].is_not_null().to_numpy()
        if not kept.any():
            continue
        columns = {
            "signal": table[signal].fill_null(0).to_numpy(),
            "right": table["value"].to_numpy(),
            "benchmark": table["benchmark"].to_numpy().astype(np.str_),
            "cluster": cluster,
        }

        def measured(
            rows: NDArray[np.bool_],
            *what: str,
            columns: Mapping[str, NDArray[Any]] = columns,
            signal: str = signal,
        ) -> dict[str, Any]:
            label = "\x1f".join((name, signal, *what))
            return _measured(
                columns, rows, signal, name=label, coverages=coverages, bins=bins, **settings
            )

        right = columns["right"]
        found: dict[str, Any] = {
            "n": int(kept.sum()),
            "without": int((~kept).sum()),
            "accuracy_without": None if kept.all() else float(right[~kept].mean()),
            "invalid": int(table[f"{signal}_invalid"].sum()),
            "all": measured(kept),
            "strata": {
                word: measured(kept & (stratum == code), word)
                for word, code in _STRATA.items()
                if np.any(kept & (stratum == code))
            },
            "benchmarks": {
                benchmark: measured(kept & (columns["benchmark"] == benchmark), "in", benchmark)
                for benchmark in np.unique(columns["benchmark"][kept]).tolist()
            },
        }
        if signal != "length":
            names, code = np.unique(columns["benchmark"], return_inverse=True)
            placed = _Placed(
                tuple(names.tolist()), code, stratum, cluster_codes(cluster, table.height)
            )
            draws = Resampling(stream(seed, "confidence gap", name, signal), resamples, level)
            over = columns["signal"] - right
            gap = within_difference(over, kept, placed, draws, unit="answers")
            found["overconfidence_gap"] = asdict(gap)
        out["signals"][signal] = found
    return out


def summarise_confidence_change(
    responses: pl.DataFrame,
    scores: pl.DataFrame,
    items: pl.DataFrame | None = None,
    *,
    scale: float | None = None,
    words: Mapping[str, float] | None = None,
    name: str = "",
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, Any]:
    """What each probe does to each signal of one subject, as plain values.

    Parameters
    ----------
    responses, scores : polars.DataFrame
        As for :func:`summarise_confidence`, of one subject; here rows with a probe are the misled
        ones, those without the clean ones. Pairs share benchmark, item_id and sample.
    items, scale, words, name, resamples, seed, level
        As for :func:`summarise_confidence`.

    Returns
    -------
    dict
        Probe -> signal -> :class:`ConfidenceChange` as a dict; signals (length is none: it has no
        scale) that no pair carries on both sides are left out.

    Raises
    ------
    InputError
        For frames of several subjects, and settings out of range.
    """
    import polars as pl

    graded = scores.filter(pl.col("value").is_not_null())
    if graded.select("model", "method", "metric").n_unique() > 1:
        raise InputError("the scores are of several subjects", mend="Filter by model and method")
    table, _ = answer_signals(responses, graded, scale=scale, words=words)
    _, cluster = _strata(table, items, None)
    table = table.with_columns(cluster=pl.Series(cluster, dtype=pl.String))
    key = [column for column in RESPONSE_KEY if column != "probe"]
    clean, misled = (
        table.filter(pl.col("probe").is_null()),
        table.filter(pl.col("probe").is_not_null()),
    )
    pairs = misled.join(
        clean, on=key, how="inner", nulls_equal=True, suffix="_clean", maintain_order="left"
    )
    out: dict[str, Any] = {}
    for probe in sorted(set(pairs["probe"].to_list())):
        rows = pairs.filter(pl.col("probe") == probe)
        out[probe] = {}
        for signal in SIGNALS[:-1]:
            sides = [rows[column].cast(pl.Float64) for column in (f"{signal}_clean", signal)]
            if not (sides[0].is_not_null() & sides[1].is_not_null()).any():
                continue
            out[probe][signal] = asdict(
                confidence_change(
                    sides[0].to_numpy(),
                    sides[1].to_numpy(),
                    rows["value_clean"].to_numpy() >= 0.5,
                    rows["value"].to_numpy() >= 0.5,
                    cluster=rows["cluster"].to_numpy().astype(np.str_),
                    name=f"{name}\x1f{probe}\x1f{signal}",
                    resamples=resamples,
                    seed=seed,
                    level=level,
                )
            )
    return out
