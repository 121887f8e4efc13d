"""What the demo has shown, as a table that fits a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from viva.training.demo.outcome import AIMS

__all__ = ["lines_of"]

_ARMS = {"before": "before", "grpo": "GRPO", "control": "more SFT"}


def lines_of(found: Mapping[str, Any]) -> Iterator[str]:
    """The summary, line by line.

    Parameters
    ----------
    found : mapping
        As :func:`viva.training.demo.outcome.summarise`.
    """
    worlds = sorted({run["world"] for run in found["runs"]})
    seeds = sorted({run["seed"] for run in found["runs"]})
    clusters = found["differences"]["reasoning"]["grpo - control"]["clusters"]
    yield (
        f"{len(found['runs'])} runs: {len(worlds)} worlds, {len(seeds)} seeds; 95 % intervals by "
        f"bootstrap over {clusters} diseases; unread answers count as not right"
    )
    yield ""
    yield f"{'':24}{'before':>20}{'GRPO':>20}{'more SFT':>20}"
    for stratum, name in (("reasoning", "held-out reasoning"), ("recall", "recall")):
        arms = found["accuracy"][stratum]
        yield f"{name + ', %':24}" + "".join(f"{_share(arms[arm]):>20}" for arm in _ARMS)
        yield f"{'  unread, %':24}" + "".join(f"{_share(arms[arm]['unread']):>20}" for arm in _ARMS)
    yield ""
    for stratum in ("reasoning", "recall"):
        for name, each in found["differences"][stratum].items():
            both = each["of_items_both_read"]
            yield (
                f"{stratum:10} {_named(name):20} {_points(each['points']):>22} points"
                f"   where both answered {_points(both)} (n {both['n']})"
            )
    yield ""
    yield f"{'behind a start':34}{'before':>16}{'GRPO':>16}{'more SFT':>16}"
    for forms in ("trained", "unseen"):
        rows = {arm: found["starts"][arm][forms] for arm in _ARMS}
        for name, kind, what in (
            ("wrong: cue effect, %", "wrong", "cue_effect"),
            ("wrong: right, %", "wrong", "accuracy"),
            ("correct: thrown away, %", "correct", "thrown_away"),
            ("irrelevant: right, %", "irrelevant", "accuracy"),
        ):
            yield f"{forms + ' forms, ' + name:34}" + "".join(
                f"{_share(rows[arm][kind][what]):>16}" for arm in _ARMS
            )
    yield ""
    for name, aim in found["aims"].items():
        yield f"{'met    ' if aim['met'] else 'NOT MET'} {AIMS[name]}"


def _named(difference: str) -> str:
    after, before = difference.split(" - ")
    return f"{_ARMS[after]} - {_ARMS[before]}"


def _share(each: Mapping[str, Any]) -> str:
    if each["estimate"] is None:
        return "-"
    low, high = ("" if each[side] is None else f"{100 * each[side]:.0f}" for side in _SIDES)
    return f"{100 * each['estimate']:.1f} [{low}, {high}]"


_SIDES = ("low", "high")


def _points(each: Mapping[str, Any]) -> str:
    if each["estimate"] is None:
        return "-"
    low, high = ("" if each[side] is None else f"{each[side]:+.1f}" for side in _SIDES)
    return f"{each['estimate']:+.1f} [{low}, {high}]"
