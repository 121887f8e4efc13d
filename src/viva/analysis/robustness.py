"""How far the conclusion about the gap moves: thresholds, views, definitions, controls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from viva._progress import Advance
from viva.analysis._graded import KNOWLEDGE, NO_STRATUM, REASONING, Graded
from viva.analysis.gaps import Gap, headline_gaps
from viva.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "AXES",
    "THRESHOLDS",
    "Axis",
    "Robustness",
    "SweepPoint",
    "robustness_card",
    "stratum_at",
    "sweep",
]

THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
AXES = ("thresholds", "controls", "views", "definitions")


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """Gaps with the strata cut at one threshold.

    Parameters
    ----------
    threshold : float
        Items with ``p_reasoning >= threshold`` are reasoning.
    share_reasoning : float or None
        Share of them among items inside the domain that have a probability, 0..1.
    models : dict of str to dict of str to Gap
        Model, then ``pooled`` and ``within``.
    """

    threshold: float
    share_reasoning: float | None
    models: dict[str, dict[str, Gap]]


def stratum_at(p: NDArray[np.float64], threshold: float) -> NDArray[np.int64]:
    """1 where ``p >= threshold``, 0 where below, -1 where p is NaN. Shape (N,)."""
    return np.where(np.isnan(p), NO_STRATUM, np.where(p >= threshold, REASONING, KNOWLEDGE)).astype(
        np.int64
    )


def sweep(
    table: Graded,
    *,
    thresholds: Sequence[float] = THRESHOLDS,
    resamples: int = 2_000,
    seed: int = 0,
    level: float = 0.95,
    advance: Advance | None = None,
) -> list[SweepPoint]:
    """Pooled and within gap of every model at each threshold.

    Parameters
    ----------
    table : Graded
        Needs ``p``.
    thresholds : sequence of float
        In 0..1.
    resamples, seed, level
        As :func:`viva.analysis.reasoning_gaps`.
    advance : callable, optional
        Called with 1 after each threshold, for a progress bar.

    Returns
    -------
    list of SweepPoint
        Empty where no item has a probability (labels are given).
    """
    if any(not 0 <= t <= 1 for t in thresholds):
        raise InputError("a threshold is outside 0..1")
    known = table.in_domain & ~np.isnan(table.p)
    if not known.any():
        return []
    out = []
    for threshold in thresholds:
        stratum = np.where(known, stratum_at(table.p, threshold), NO_STRATUM)
        models = {
            model: headline_gaps(
                table, model, stratum=stratum, resamples=resamples, seed=seed, level=level
            )
            for model in table.models
        }
        share = float(np.mean(stratum[known] == REASONING))
        out.append(SweepPoint(float(threshold), share, models))
        if advance is not None:
            advance(1)
    return out


@dataclass(frozen=True, slots=True)
class Axis:
    """What one kind of variation does to the sign of the gap.

    Parameters
    ----------
    name : str
        ``thresholds``, ``controls``, ``views`` or ``definitions``.
    verdict : str
        ``holds`` (every interval lies on the headline's side of 0), ``leans`` (every estimate
        does, not every interval), ``flips`` (an estimate lies on the other side), ``open`` (the
        headline interval itself includes 0), ``untested`` (no variant).
    lowest, highest : float or None
        Range of the estimates over the variants, points.
    variants : dict of str to Gap
        The variants with an estimate.
    missing : dict of str to str
        Variants without one, each with its reason.
    words : str
        One sentence.
    """

    name: str
    verdict: str
    lowest: float | None
    highest: float | None
    variants: Mapping[str, Gap]
    missing: Mapping[str, str]
    words: str


@dataclass(frozen=True, slots=True)
class Robustness:
    """The card of one model.

    Parameters
    ----------
    model : str
    sign : str or None
        ``worse`` or ``better`` at reasoning where the headline interval excludes 0, else
        ``unclear``; None without a headline gap.
    survives : bool or None
        Whether no tested variant has an estimate on the other side; None where the sign is
        unclear or nothing was tested.
    axes : tuple of Axis
    words : str
        The conclusion in plain words.
    """

    model: str
    sign: str | None
    survives: bool | None
    axes: tuple[Axis, ...]
    words: str


def _points(value: float) -> str:
    text = f"{value:+.1f}".replace("-", "\N{MINUS SIGN}")
    return "0.0" if text[1:] == "0.0" else text


def _listed(names: Sequence[str]) -> str:
    """Names in a sentence: ``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([*([", ".join(names[:-1])] if len(names) > 1 else []), names[-1]])


def _axis(name: str, variants: Mapping[str, Gap], sign: int) -> Axis:
    known = {key: gap for key, gap in variants.items() if gap.estimate is not None}
    missing = {key: gap.reason or "" for key, gap in variants.items() if gap.estimate is None}
    if not known:
        return Axis(name, "untested", None, None, {}, missing, f"No other {name} were tested.")
    estimates = {key: float(gap.estimate or 0.0) for key, gap in known.items()}
    lowest, highest = min(estimates.values()), max(estimates.values())
    span = f"{_points(lowest)} to {_points(highest)} points over {len(known)} {name}"
    other = [key for key, value in estimates.items() if value * sign <= 0]
    if sign == 0:
        verdict, words = "open", f"The gap runs from {span}."
    elif other:
        verdict = "flips"
        words = f"The sign flips ({', '.join(other)}): the gap runs from {span}."
    elif all(
        (gap.low is not None and gap.low > 0) or (gap.high is not None and gap.high < 0)
        for gap in known.values()
    ):
        verdict, words = "holds", f"The sign holds, every interval excluding 0: {span}."
    else:
        verdict = "leans"
        words = f"The sign of the estimate holds, but some intervals include 0: {span}."
    return Axis(name, verdict, lowest, highest, known, missing, words)


def robustness_card(
    model: str,
    headline: Gap,
    *,
    thresholds: Mapping[str, Gap] | None = None,
    controls: Mapping[str, Gap] | None = None,
    views: Mapping[str, Gap] | None = None,
    definitions: Mapping[str, Gap] | None = None,
) -> Robustness:
    """Say whether the sign of the headline gap survives.

    Parameters
    ----------
    model : str
    headline : Gap
        The ``within`` gap.
    thresholds, controls, views, definitions : mapping of str to Gap, optional
        Variants by name: the within gap at other thresholds, the other estimators, the within
        gap under other text views, and under other definitions.

    Returns
    -------
    Robustness
    """
    if headline.estimate is None or headline.low is None or headline.high is None:
        words = f"{model} has no gap inside benchmarks: {headline.reason}."
        return Robustness(model, None, None, (), words)
    sign = 1 if headline.low > 0 else -1 if headline.high < 0 else 0
    word = {1: "better", -1: "worse", 0: "unclear"}[sign]
    given = (thresholds, controls, views, definitions)
    axes = tuple(
        _axis(name, variants or {}, sign) for name, variants in zip(AXES, given, strict=True)
    )
    interval = (
        f"{_points(headline.estimate)} points [{_points(headline.low)}, {_points(headline.high)}]"
    )
    tested = [axis for axis in axes if axis.verdict != "untested"]
    flips = [axis.name for axis in axes if axis.verdict == "flips"]
    if sign == 0:
        survives = None
        words = (
            f"Inside benchmarks {model} is neither clearly better nor clearly worse at reasoning: "
            f"{interval}."
        )
    else:
        survives = not flips if tested else None
        words = f"Inside benchmarks {model} is {word} at reasoning: {interval}."
        if flips:
            words += f" The sign does not survive other {_listed(flips)}."
        elif tested:
            words += f" The sign survives other {_listed([axis.name for axis in tested])}."
    return Robustness(model, word, survives, axes, words)
