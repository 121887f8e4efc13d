"""Transitions to the shape of the summary: each function fills one part of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from viva import analysis
from viva._probe_summary import (
    Against,
    Level,
    Pairing,
    ProbeResult,
    Recovery,
    StratumDifference,
    StratumDifferences,
    StrengthResponse,
    Transitions,
)

if TYPE_CHECKING:
    import polars as pl

__all__ = ["pairing", "probe_result", "strength", "transitions"]

_STRATA = (("knowledge", analysis.KNOWLEDGE), ("reasoning", analysis.REASONING))


def transitions(found: analysis.Transitions) -> Transitions:
    """One set of pairs."""
    return Transitions(**asdict(found))


def _stratum_difference(gap: analysis.Gap) -> StratumDifference:
    return StratumDifference(
        estimate=gap.estimate,
        low=gap.low,
        high=gap.high,
        n=gap.n,
        reason=gap.reason,
        benchmarks=list(gap.benchmarks),
        left_out=dict(gap.left_out),
        smallest_cell=gap.smallest_cell,
    )


def pairing(table: pl.DataFrame, clean: pl.DataFrame) -> Pairing:
    """What became of the rows of one model under one probe, and of its clean answers."""
    import polars as pl

    states = dict(table["state"].value_counts().iter_rows())
    pairs = table.filter(pl.col("state") == "pair")
    cues = dict(pairs["cue_state"].value_counts().iter_rows())
    used = set(table["unit"].drop_nulls())
    return Pairing(
        rows=table.height,
        pairs=pairs.height,
        without_clean=states.get("without_clean", 0),
        without_original=states.get("without_original", 0),
        ungraded_misled=states.get("ungraded_misled", 0),
        ungraded_clean=states.get("ungraded_clean", 0),
        clean_without_misled=clean.height - len(used),
        without_cue=cues.get("none", 0),
        cue_is_key=cues.get("key", 0),
        cue_not_an_option=cues.get("unknown", 0),
    )


def _notes(found: analysis.Transitions, counts: Pairing, *, is_control: bool) -> list[str]:
    """What a reader must know before the numbers."""
    notes = []
    if counts.ungraded_misled == counts.rows:
        notes.append("No response at all under this probe.")
    elif not counts.pairs:
        notes.append("No answer under this probe has a clean one.")
    elif found.unread_misled.estimate == 1:
        notes.append("No answer under this probe could be read.")
    told = (
        (counts.without_clean, "answers have no clean one of the same item and sample"),
        (counts.without_original, "answers are to variants whose original is not answered"),
        (counts.ungraded_misled, "answers are missing under this probe"),
        (counts.ungraded_clean, "answers have a clean one that is missing"),
        (counts.clean_without_misled, "clean answers have none under this probe"),
        (counts.cue_not_an_option, "pairs have a cue that is none of the options"),
        (0 if is_control else counts.cue_is_key, "pairs have the key as their cue"),
    )
    notes += [f"{n} {what}." for n, what in told if n]
    if counts.without_cue and counts.without_cue < counts.pairs:
        notes.append(f"{counts.without_cue} pairs have no cue.")
    return notes


def probe_result(
    subject: str,
    probe: str,
    pairs: analysis.Pairs,
    rows: pl.DataFrame,
    counts: Pairing,
    *,
    is_control: bool,
    controls: Mapping[str, analysis.Pairs],
    settings: Mapping[str, Any],
) -> ProbeResult:
    """One model under one probe.

    Parameters
    ----------
    pairs : Pairs
    rows : polars.DataFrame
        The rows behind the pairs, in their order, with both texts.
    counts : Pairing
    controls : mapping of str to Pairs
        The control arms of this probe.
    settings : mapping
        ``resamples`` and ``seed``.
    """
    name = f"{subject}/{probe}"

    def of(mask: np.ndarray[Any, np.dtype[np.bool_]], *more: str) -> Transitions:
        return transitions(
            analysis.transitions(pairs.where(mask), name="/".join((name, *more)), **settings)
        )

    found = analysis.transitions(pairs, name=name, **settings)
    split = bool(np.any(pairs.stratum != analysis.NO_STRATUM))
    several = len(pairs.benchmark_names) > 1
    differences = analysis.by_stratum(pairs, name=name, **settings)
    turned = analysis.recovery(
        pairs, _texts(rows, "clean"), _texts(rows, "misled"), name=name, **settings
    )
    return ProbeResult(
        **asdict(found),
        is_control=is_control,
        strata={word: of(pairs.stratum == code, word) for word, code in _STRATA} if split else {},
        benchmarks={
            benchmark: of(pairs.benchmark == code, "benchmark", benchmark)
            for code, benchmark in enumerate(pairs.benchmark_names)
            if several
        },
        reasoning_minus_knowledge=StratumDifferences(
            **{key: _stratum_difference(gap) for key, gap in differences.items()}
        ),
        control={
            arm: _against(analysis.against_control(pairs, other, name=f"{name}/{arm}", **settings))
            for arm, other in controls.items()
        },
        recovery=Recovery(**asdict(turned)),
        pairing=counts,
        notes=_notes(found, counts, is_control=is_control),
    )


def _texts(rows: pl.DataFrame, side: str) -> list[str | None]:
    """Each answer with the thinking before it; None where neither is there as text."""
    parts = rows.select(f"{side}_reasoning", f"{side}_text").iter_rows()
    return ["\n".join(filter(None, both)) if any(both) else both[1] for both in parts]


def _against(found: analysis.Against) -> Against:
    plain = asdict(found)
    plain.pop("within")
    return Against(**plain, reasoning_minus_knowledge=_stratum_difference(found.within))


def strength(
    subject: str,
    kind: str,
    levels: Sequence[str],
    pairs: Mapping[str, analysis.Pairs],
    settings: Mapping[str, Any],
) -> StrengthResponse:
    """Probes of one kind, weakest first."""
    found = analysis.strength_response(
        [pairs[name] for name in levels], name=f"{subject}/{kind}", **settings
    )
    plain = asdict(found)
    plain["levels"] = [
        Level(probe=name, **level) for name, level in zip(levels, plain["levels"], strict=True)
    ]
    return StrengthResponse(**plain)
