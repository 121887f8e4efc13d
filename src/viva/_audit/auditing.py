"""The audit from end to end; each step is a function of its own room."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viva import analysis
from viva._audit import numbers
from viva._audit.asking_again import asked_again
from viva._audit.inputs import Inputs, read_inputs
from viva._audit.metric_numbers import numbers_of_metrics
from viva._audit.metrics import CHOICE, score
from viva._audit.provenance import settings_of, splitter_card
from viva._audit.reasoning_quality import reasoning_quality
from viva._audit.settings import TEXT_VIEWS, check_settings, check_writable
from viva._audit.strata import (
    DEFINITIONS,
    GIVEN,
    Strata,
    choose_definition,
    outside,
    split,
    splitter_errors,
    told_apart,
)
from viva._audit.subjects import graded_arrays, guessed, with_subject
from viva._audit.verdict import verdict
from viva._progress import Progress, silent
from viva._summary import (
    Cell,
    DataQuality,
    Difficulty,
    Duplicates,
    Efficiency,
    ReaderAccuracy,
    Stability,
    Summary,
)
from viva.benchmarks import label_contradictions
from viva.records import Status

if TYPE_CHECKING:
    import polars as pl

    from viva.analysis import Graded

__all__ = ["Audit", "audit"]

VARIANT_RESAMPLES = 2_000
"""Resamples of the intervals of variants (thresholds, views, definitions): shown in figures."""
THRESHOLD = 0.5
READER_TEXTS = 20_000
"""Texts that other readers read, over all subjects: their difference needs no more."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found."""

    summary: dict[str, Any]
    """Equal to ``summary.json``; its schema is ``docs/summary.schema.json``."""
    scores: pl.DataFrame = field(repr=False)
    """One row per response: what was read, and whether it is right."""
    items: pl.DataFrame = field(repr=False)
    """The answered items, with ``p_reasoning`` and ``stratum`` under the definition in force."""
    responses: pl.DataFrame = field(repr=False)
    flips: list[dict[str, Any]] = field(default_factory=list, repr=False)
    """Answers lost under a probe that teach most, with both texts."""
    traces: list[dict[str, Any]] = field(default_factory=list, repr=False)
    """Judged reasoning that is worst, unit by unit with the verdicts."""

    def write(self, out: str | os.PathLike[str]) -> Path:
        """Write the report and the data behind it; files appear whole or not at all.

        Returns
        -------
        pathlib.Path
            The folder, with ``report.html``, ``summary.json``, ``scores.parquet``,
            ``items.parquet`` and ``manifest.json``.
        """
        from viva._audit.writing import write

        return write(self, Path(out))


def audit(
    items: object = None,
    answers: object = None,
    labels: str | None = None,
    *,
    names: Sequence[str] | None = None,
    threshold: float = THRESHOLD,
    text_view: str = TEXT_VIEWS[0],
    resamples: int = 10_000,
    seed: int = 0,
    strict: bool = False,
    metric: str | None = None,
    out: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Audit:
    """Audit answers: accuracy per stratum, the reasoning gap and its confounds, all pairs.

    Parameters
    ----------
    items : path, frame, list of dict, or a list of these, optional
        Questions with options and key. None: the bundled benchmarks, joined by id, and the
        questions that answers files carry.
    answers : path, frame, list of dict, or a list of these
        Run folders, or answers in any other known format; ``"sample"`` for the bundled ones.
    labels : {"rubric", "medxpertqa", "given"}, optional
        What counts as reasoning. None: ``given`` where every answered item has a label, else
        ``rubric``.
    names : sequence of str, optional
        What the model of each source of answers is called, in their order.
    threshold : float
        ``p_reasoning`` from which an item is reasoning, in (0, 1).
    text_view : {"stem", "stem+options", "stem+context"}
        What the splitter reads of an item.
    resamples : int
        Draws of the bootstrap, at least 100.
    seed : int
        Non-negative; the same seed gives the same numbers.
    strict : bool
        Row-level defects become errors.
    metric : str, optional
        By which all items are scored: a metric of :func:`viva.scoring.find_metric` whose unit is a
        share, or ``PROFILE.NAME`` of scores that run folders hold. Items to which it does not
        apply are left out and counted. None: each item by the first of its own metrics that is a
        share of one item, single choices by right and wrong.
    out : path, optional
        Folder to write the report to. Nothing is written without it.
    progress : callable, optional
        ``with progress(description, total) as advance``; default: none shown.

    Returns
    -------
    Audit

    Raises
    ------
    InputError
        For any input that cannot be used; nothing is written then.
    """
    check_settings(threshold, text_view, resamples, seed)
    progress = progress or silent
    if out is not None:
        check_writable(Path(out))
    with progress("Reading answers and items", None):
        inputs = read_inputs(items, answers, strict=strict, names=names, metric=metric)
    assert inputs.scoring is not None
    with progress("Reading responses", inputs.responses.height) as advance:
        own, every = score(inputs.items, inputs.responses, inputs.scoring, advance)
    if own["value"].is_null().all() and metric is not None:
        inputs.notes.append(f"No answer has a value of {metric}.")
    scores, every = with_subject(own), with_subject(every)
    definition = choose_definition(inputs.items, labels)
    if definition == GIVEN and (threshold, text_view) != (THRESHOLD, TEXT_VIEWS[0]):
        inputs.notes.append("The strata are given: threshold and text view are not used.")
    with progress("Splitting items", None):
        strata = split(inputs.items, definition, text_view=text_view, threshold=threshold)
    table = _table(inputs, scores, strata)
    settings = {"resamples": resamples, "seed": seed}
    summary = _summarise(inputs, scores, strata, table, settings, progress, strict=strict)
    with progress("Metrics", None):
        numbers_of_metrics(summary, inputs, scores, every, table, settings)
        summary.reasoning, read = reasoning_quality(inputs, scores, settings)
    summary.transitions, taught = asked_again(
        inputs, scores, strata, settings["seed"], progress,
        sources=(items, answers), names=names, strict=strict,
    )  # fmt: skip
    result = Audit(
        # By way of text: only there are infinities and NaN null, as JSON has it.
        summary=json.loads(summary.model_dump_json()),
        scores=scores,
        items=_with_strata(inputs.items, strata),
        responses=inputs.responses,
        flips=taught,
        traces=read,
    )
    if out is not None:
        with progress("Writing the report", None):
            result.write(out)
    return result


def _table(inputs: Inputs, scores: pl.DataFrame, strata: Strata) -> Graded:
    assert inputs.scoring is not None
    return graded_arrays(
        inputs.items,
        scores,
        guessed=guessed(inputs.items, inputs.scoring),
        reasoning=strata.stratum,
        p=strata.p,
        in_domain=strata.in_domain,
        cluster=analysis.clusters(inputs.items),
    )


def _with_strata(items: pl.DataFrame, strata: Strata) -> pl.DataFrame:
    import polars as pl

    words = {analysis.REASONING: "reasoning", analysis.KNOWLEDGE: "knowledge"}
    return items.with_columns(
        pl.Series("p_reasoning", strata.p).fill_nan(None),
        pl.Series("stratum", [words.get(code) for code in strata.stratum.tolist()], pl.String),
        pl.lit(strata.name).alias("stratum_definition"),
        pl.Series("in_domain", strata.in_domain),
        pl.Series("cross_fitted", strata.cross_fitted),
    )


def _variants(
    inputs: Inputs, strata: Strata, table: Graded, seed: int, progress: Progress
) -> tuple[dict[str, dict[str, analysis.Gap]], dict[str, dict[str, analysis.Gap]]]:
    """The within gap of every model under other text views and other definitions."""
    if strata.definition == GIVEN:
        return {}, {}

    def within(other: Strata) -> dict[str, analysis.Gap]:
        return {
            name: analysis.headline_gaps(
                table, name, stratum=other.headline, resamples=VARIANT_RESAMPLES, seed=seed
            )["within"]
            for name in table.models
        }

    views = [view for view in TEXT_VIEWS if view != strata.text_view]
    with_context = inputs.items["context"].is_not_null().to_numpy() & strata.in_domain
    if not with_context.any():
        views = [view for view in views if view != "stem+context"]
    others = [name for name in DEFINITIONS if name not in (GIVEN, strata.definition)]
    by_view: dict[str, dict[str, analysis.Gap]] = {}
    by_definition: dict[str, dict[str, analysis.Gap]] = {}
    with progress("Splitting in other ways", len(views) + len(others)) as advance:
        for view in views:
            by_view[view] = within(
                split(inputs.items, strata.definition, text_view=view, threshold=strata.threshold)
            )
            advance(1)
        for name in others:
            by_definition[name] = within(
                split(inputs.items, name, text_view=strata.text_view, threshold=strata.threshold)
            )
            advance(1)
    return by_view, by_definition


def _summarise(
    inputs: Inputs,
    scores: pl.DataFrame,
    strata: Strata,
    table: Graded,
    settings: Mapping[str, Any],
    progress: Progress,
    *,
    strict: bool,
) -> Summary:
    responses = with_subject(inputs.responses)
    assert inputs.scoring is not None
    with progress("Gaps of each model", None):
        models = numbers.model_summaries(
            table, responses, scores, strata, splitter_errors(strata), settings
        )
    count = len(table.models)
    with progress("Comparing all pairs", count * (count - 1) // 2) as advance:
        values = scores["value"].drop_nulls()
        pairs = numbers.comparisons(
            table, settings, advance, fractions=not values.is_in([0.0, 1.0]).all()
        )
    points: list[analysis.SweepPoint] = []
    if strata.definition != GIVEN:
        with progress("Threshold sweep", len(analysis.THRESHOLDS)) as advance:
            points = analysis.sweep(
                table, resamples=VARIANT_RESAMPLES, seed=settings["seed"], advance=advance
            )
    views, definitions = _variants(inputs, strata, table, settings["seed"], progress)
    robustness = numbers.robustness_cards(models, points, views, definitions)
    benchmarks = numbers.benchmark_summaries(inputs.items, strata, inputs.scoring)
    return Summary(
        verdict=verdict(
            models,
            robustness,
            definition=strata.definition,
            outside=outside(inputs.items, strata),
            given=told_apart(inputs.items, strata, table.cluster),
            measure=inputs.scoring.measure(),
        ),
        models=models,
        comparisons=pairs,
        sweep=numbers.sweep_points(points),
        robustness=robustness,
        benchmarks=benchmarks,
        hard_subset=_difficulty(table),
        efficiency=_efficiency(responses, scores, table),
        splitter=splitter_card(strata),
        data_quality=_quality(inputs, responses, scores, table, progress),
        settings=settings_of(inputs, strata, settings, strict=strict),
    )


def _difficulty(table: Graded) -> Difficulty:
    found = analysis.hard_subset(table)
    by_others = analysis.accuracy_judged_by_others(table) if len(table.models) > 3 else {}
    return Difficulty(**found, by_others={name: Cell(**cell) for name, cell in by_others.items()})


def _of(table: pl.DataFrame, subject: str) -> pl.DataFrame:
    import polars as pl

    return table.filter(pl.col("subject") == subject).drop("subject")


def _efficiency(
    responses: pl.DataFrame, scores: pl.DataFrame, table: Graded
) -> dict[str, Efficiency]:
    return {
        name: Efficiency(**analysis.summarise_efficiency(_of(responses, name), _of(scores, name)))
        for name in table.models
    }


def _quality(
    inputs: Inputs,
    responses: pl.DataFrame,
    scores: pl.DataFrame,
    table: Graded,
    progress: Progress,
) -> DataQuality:
    import polars as pl

    with progress("Looking for duplicates", None):
        with_options = inputs.items.filter(pl.col("options").list.len() > 0)
        near = analysis.near_duplicates(with_options)
        duplicates = Duplicates(**analysis.summarise_duplicates(with_options, near))
        if without := inputs.items.height - with_options.height:
            duplicates.reason = (
                f"{without:,} items without options are not looked at: one question may be asked "
                "of many texts"
            )
    notes = list(inputs.notes)
    if near.crowded:
        notes.append(
            f"{near.crowded} groups of look-alikes were too large to compare all with all; there "
            "may be more near duplicates than are counted."
        )
    contradicting = label_contradictions(inputs.items)
    if contradicting:
        notes.append(
            f"{contradicting} given labels contradict the probability and threshold beside them."
        )
    scores_of_all, scores = scores, scores.filter(pl.col("metric") == CHOICE)
    raw = responses.filter(pl.col("text").is_not_null()).join(
        inputs.items.filter(pl.col("target") == "choice"), on=["benchmark", "item_id"], how="semi"
    )
    readers: dict[str, list[ReaderAccuracy]] = {}
    with progress("Reading as others read", raw.height) as advance:
        names = raw["subject"].unique(maintain_order=True).sort().to_list()
        for name in names:
            found = analysis.compare_readers(
                inputs.items,
                _of(responses, name),
                _of(scores, name),
                most=max(READER_TEXTS // len(names), 500),
                advance=advance,
            )
            readers[name] = [ReaderAccuracy(**row) for row in found.readers]
            if found.note:
                notes.append(f"{name}: {found.note}")
    scores = scores_of_all
    repeated = {
        name: Stability(**analysis.summarise_stability(_of(scores, name)))
        for name in table.models
        if _of(scores, name).select(pl.struct("benchmark", "item_id").is_duplicated().any()).item()
    }
    return DataQuality(
        items=inputs.items.height,
        responses=inputs.responses.height,
        unmatched_responses=inputs.unmatched,
        ungraded=int((scores["status"] == Status.UNGRADED).sum()),
        left_out=numbers.left_out_rows(inputs.left_out),
        duplicates=duplicates,
        readers=readers,
        stability=repeated,
        notes=notes,
    )
