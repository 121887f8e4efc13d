"""The chapter of an audit on answers that were asked again: under probes, or by another method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from viva import analysis
from viva._audit import transition_numbers
from viva._audit.flips import flips, refused_items, starts_of
from viva._audit.inputs import Inputs
from viva._audit.pairing import pair_inputs
from viva._audit.probing import STRENGTHS, Codes, control_arms, probe_models, with_stratum
from viva._audit.strata import Strata, split
from viva._probe_summary import ProbeChapter, ProbeModel, Reliability
from viva._progress import Progress
from viva.analysis.confidence_summary import summarise_confidence
from viva.errors import InputError
from viva.records import LETTERS

if TYPE_CHECKING:
    import polars as pl

__all__ = ["asked_again"]

RESAMPLES = 2_000
"""Of the chapter's intervals: they are many, and `viva probe analyse` has all of them."""
_SUBJECT = ("model", "method")
_PLAINEST = ("cot", "direct")
"""Methods against which the others of a model are held, first come first."""


def asked_again(
    inputs: Inputs,
    scores: pl.DataFrame,
    strata: Strata,
    seed: int,
    progress: Progress,
    *,
    sources: tuple[object, object],
    names: Sequence[str] | None,
    strict: bool,
) -> tuple[ProbeChapter | None, list[dict[str, Any]]]:
    """The chapter, where the answers hold one; and the flips that teach most.

    Parameters
    ----------
    inputs : Inputs
        What the audit read.
    scores : polars.DataFrame
        Score rows with ``subject``.
    strata : Strata
        Of the audited items.
    seed : int
    progress : callable
    sources : (items, answers)
        As they were given: answers under probes are read again, with the items that probes
        changed.
    names : sequence of str, optional
        What models are called in place of their names in the sources.
    strict : bool
    """
    settings = {"resamples": RESAMPLES, "seed": seed}
    notes: list[str] = []
    models: dict[str, ProbeModel] = {}
    taught: list[dict[str, Any]] = []
    refused: dict[str, dict[str, int]] = {}
    items, answers = sources
    if inputs.probed and names is not None:
        notes.append("Models were renamed: answers under probes are in viva probe analyse alone.")
    elif inputs.probed:
        try:
            paired = pair_inputs(answers, answers, items=items, strict=strict)
        except InputError as error:
            notes.append(f"Answers under probes are not paired: {error.what}.")
        else:
            again = split(
                paired.items,
                strata.definition,
                text_view=strata.text_view,
                threshold=strata.threshold,
            )
            arms = control_arms(sorted(paired.rows["probe"].unique().to_list()), None)
            codes = Codes.of(paired.items, again.headline)
            models = probe_models(paired, arms, STRENGTHS, codes, settings, progress)
            pairs = with_stratum(paired, again.stratum)
            taught = flips(pairs, paired.items, arms, starts_of(answers))
            refused = refused_items(answers)
            notes += paired.notes
    changes = _method_changes(inputs, scores, strata, settings, progress)
    sure = _confidence(inputs, scores, strata, settings)
    if not (models or changes or sure or notes):
        return None, []
    found = ProbeChapter(
        models=models, method_changes=changes, refused=refused, confidence=sure, notes=notes
    )
    return found, taught


def _confidence(
    inputs: Inputs, scores: pl.DataFrame, strata: Strata, settings: Mapping[str, Any]
) -> dict[str, dict[str, dict[str, Reliability]]]:
    """Calibration of the subjects whose responses carry a confidence or probabilities."""
    import polars as pl

    carried = inputs.responses.filter(
        pl.col("confidence").is_not_null() | pl.col("probabilities").is_not_null()
    )
    if carried.is_empty():
        return {}
    words = {analysis.REASONING: "reasoning", analysis.KNOWLEDGE: "knowledge"}
    headline = [words.get(code) for code in strata.headline.tolist()]
    labels = inputs.items.select("benchmark", "item_id", pl.Series("stratum", headline, pl.String))
    of = dict(scores.select("subject", pl.struct("model", "method")).unique("subject").iter_rows())
    found: dict[str, dict[str, dict[str, Reliability]]] = {}
    for subject in sorted(of):
        mine = {name: pl.col(name).eq_missing(pl.lit(of[subject][name])) for name in _SUBJECT}
        if carried.filter(*mine.values()).is_empty():
            continue
        summary = summarise_confidence(
            inputs.responses.filter(*mine.values()),
            scores.filter(pl.col("subject") == subject).drop("subject"),
            inputs.items,
            strata=labels,
            name=subject,
            **settings,
        )
        signals = {
            signal: {
                scope: _reliability(measured)
                for scope, measured in ({"all": told["all"]} | dict(told["strata"])).items()
                if measured["n"]
            }
            for signal, told in summary["signals"].items()
            if signal != "length"  # which is no probability
        }
        if signals:
            found[subject] = signals
    return found


def _reliability(measured: Mapping[str, Any]) -> Reliability:
    bins = measured["equal_width"]
    return Reliability(
        n=measured["n"],
        **{name: measured[name] for name in ("accuracy", "confidence", "overconfidence")},
        ece=bins["ece"],
        ece_debiased=bins["ece_debiased"],
        brier=measured["brier"]["score"],
        auroc=measured["ranking"]["auroc"],
        bins=[each for each in bins["bins"] if each["n"]],
    )


def _method_changes(
    inputs: Inputs,
    scores: pl.DataFrame,
    strata: Strata,
    settings: Mapping[str, Any],
    progress: Progress,
) -> dict[str, ProbeModel]:
    """Of every model with several methods each other one against the plainest."""
    import polars as pl

    graded = scores.filter(pl.col("value").is_not_null() & pl.col("method").is_not_null())
    several = sorted(
        model
        for model, count in graded.group_by("model").agg(pl.col("method").n_unique()).iter_rows()
        if count > 1
    )
    if not several:
        return {}
    codes = Codes.of(inputs.items, strata.headline)
    inside = dict(
        inputs.items.select("benchmark", pl.Series("inside", strata.in_domain))
        .group_by("benchmark")
        .agg(pl.col("inside").any())
        .iter_rows()
    )
    found: dict[str, ProbeModel] = {}
    with progress("Comparing methods", len(several)) as advance:
        for model in several:
            mine = graded.filter(pl.col("model") == model)
            named = sorted(mine["method"].unique().to_list())
            base = next((name for name in _PLAINEST if name in named), named[0])
            before = _side(mine.filter(pl.col("method") == base), "clean")
            probes = {}
            for other in (name for name in named if name != base):
                after = _side(mine.filter(pl.col("method") == other), "misled")
                for name, rows in _apart(
                    before, after, f"method change: {base} → {other}", inside
                ).items():
                    probes[name] = transition_numbers.probe_result(
                        model,
                        name,
                        codes.pairs(rows),
                        rows,
                        transition_numbers.pairing(rows, rows),
                        is_control=False,
                        controls={},
                        settings=settings,
                    )
            if probes:
                found[model] = ProbeModel(
                    clean_answers=before.height, clean_repeat=None, probes=probes, strength={}
                )
            advance(1)
    return found


def _side(rows: pl.DataFrame, side: str) -> pl.DataFrame:
    import polars as pl

    place = {letter: at for at, letter in enumerate(LETTERS)}
    choice = pl.col("read").replace_strict(place, default=-1, return_dtype=pl.Int64).fill_null(-1)
    none = pl.lit(None, pl.String)
    return rows.select(
        "benchmark",
        "item_id",
        "sample",
        pl.col("value").alias(f"{side}_value"),
        choice.alias(f"{side}_choice"),
        none.alias(f"{side}_text"),  # whether a text turns back says nothing here
        none.alias(f"{side}_reasoning"),
    )


def _apart(
    before: pl.DataFrame, after: pl.DataFrame, name: str, inside: Mapping[str, bool]
) -> dict[str, pl.DataFrame]:
    """Pairs of the benchmarks in the splitter's domain together, of the others each apart."""
    import polars as pl

    rows = (
        before.join(after, on=["benchmark", "item_id", "sample"], maintain_order="left")
        .with_row_index("unit")
        .with_columns(
            pl.lit(-1, pl.Int64).alias("cue_choice"),
            pl.lit("none").alias("cue_state"),
            pl.lit("pair").alias("state"),
        )
    )
    outside = sorted(b for b in rows["benchmark"].unique().to_list() if not inside[b])
    parts = {name: rows.filter(~pl.col("benchmark").is_in(outside))}
    parts |= {f"{name}, {b}": rows.filter(pl.col("benchmark") == b) for b in outside}
    return {each: part for each, part in parts.items() if part.height}
