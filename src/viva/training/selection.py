"""Which examples a stage trains on: filters, then shares that hold at the same time, then a limit.

Where several shares are asked for at once (starts, a mix, reasoning, hard items) they are the
margins of one table: its largest total is found first, then the whole numbers in it that come
nearest to the odds of the data given, so that two shares do not come to stand for each other.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from viva.errors import InputError
from viva.synthesis import Example, key_of
from viva.targets import KINDS, kind_of
from viva.training._margins import Cell, allot

if TYPE_CHECKING:
    from viva.training.recipes import Select

__all__ = ["Selected", "place_of", "score_of", "select"]


class Selected(NamedTuple):
    """What a stage trains on, and what became of the rest."""

    examples: list[Example]
    """In the order in which they were given."""
    report: Mapping[str, Any]
    """Plain values: ``given``, ``kept``, ``dropped`` by reason, ``shares`` (of each class asked,
    kept, available), ``sources``, and ``short_of_limit`` where there were fewer than the limit."""


def score_of(example: Example, name: str) -> float | None:
    """What is known of an example by name, such as ``pass_rate``; None where it is not known.

    A score that a step of synthesis gave comes first, then the number of that name in the item's
    ``meta``, then what the item itself says: ``p_reasoning`` (given, else 1 or 0 of its stratum)
    and ``words`` (of the question, parted at white space).
    """
    for held in (example.scores.get(name), example.item.meta.get(name)):
        if isinstance(held, int | float) and not isinstance(held, bool) and held == held:
            return float(held)
    if name == "p_reasoning":
        if example.item.p_reasoning is not None:
            return example.item.p_reasoning
        return {"reasoning": 1.0, "knowledge": 0.0}.get(example.item.stratum or "")
    return float(len(example.item.question.split())) if name == "words" else None


def place_of(example: Example) -> float:
    """The place of an item in 0..1, which its name alone decides; that of its group, if it has one.

    Twins have one place: a stage that learns from ``part = [0, 0.5]`` sees no twin of an item of
    ``[0.5, 1]``.
    """
    item = example.item
    return _drawn(item.benchmark, item.group.id if item.group else item.item_id)


def select(examples: Sequence[Example], chosen: Select | None = None, *, seed: int = 0) -> Selected:
    """Choose what a stage trains on.

    Parameters
    ----------
    examples : sequence of Example
    chosen : Select, optional
        The stage's ``select``; without it all are kept.
    seed : int
        Which are taken where fewer are wanted than there are. The choice depends on the keys of
        the examples and the seed, not on their order.

    Returns
    -------
    Selected
        Of ``n`` examples kept, a class of share ``s`` has ``s n``, rounded down or up; ``n`` is the
        largest that the shares and the limit allow.

    Raises
    ------
    InputError
        Where a filter leaves nothing, what it filters by is known of no example, a share is asked
        of what is not there, or shares cannot hold at once.
    """
    kept = list(examples)
    if not kept:
        raise InputError("there are no examples to select from", mend="Look at the data file")
    dropped: Counter[str] = Counter()
    shares: dict[str, Any] = {}
    limit = None
    if chosen is not None:
        limit = chosen.limit
        for name, asked, holds in _filters(chosen):
            kept = _filtered(kept, name, asked, holds, dropped)
        axes = list(_axes(chosen))
        kept = _labelled(kept, axes, dropped)
        before = kept
        kept = _shared(before, axes, limit, seed)
        shares = {axis.name: _told(axis, before, kept) for axis in axes}
        if len(kept) < len(before):
            within = limit is not None and len(kept) == limit
            dropped["above the limit" if within else "beyond its share"] += len(before) - len(kept)
    report: dict[str, Any] = {
        "given": len(examples),
        "kept": len(kept),
        "dropped": dict(dropped),
        "shares": shares,
        "sources": dict(Counter(each.source or each.item.benchmark for each in kept)),
    }
    if limit is not None and len(kept) < limit:
        report["short_of_limit"] = limit - len(kept)
    return Selected(kept, report)


_RANGES = ("p_reasoning", "pass_rate", "hops", "difficulty", "informativeness", "words")
_STEPS = {"p_reasoning": "p_reasoning", "pass_rate": "pass_rate"}
"""The step of synthesis that measures a score; ``difficulty`` has the others."""


def _filters(chosen: Select) -> Iterator[tuple[str, Any, Callable[[Example], bool | None]]]:
    """Name, what is asked, and whether an example holds it; None where that is not known."""
    for name in _RANGES:
        limits = getattr(chosen, name)
        if limits is not None:
            yield name, limits, _between(name, *limits)
    if chosen.part is not None:
        low, high = chosen.part
        yield "part", chosen.part, lambda each: low <= place_of(each) < high
    if chosen.kinds is not None:
        unknown = sorted(set(chosen.kinds) - KINDS.keys())
        if unknown:
            raise InputError(
                f"select.kinds: {', '.join(unknown)}", mend=f"Known: {', '.join(KINDS)}"
            )
        yield "kinds", chosen.kinds, lambda each: _kind(each) in (chosen.kinds or ())
    if chosen.strata is not None:
        yield "strata", chosen.strata, lambda each: each.item.stratum in (chosen.strata or ())
    if chosen.sources is not None:
        names = set(chosen.sources)
        yield "sources", chosen.sources, lambda each: bool(names & {*_origins(each)})


def _between(name: str, low: float, high: float) -> Callable[[Example], bool | None]:
    def holds(example: Example) -> bool | None:
        value = score_of(example, name)
        return None if value is None else low <= value <= high

    return holds


def _kind(example: Example) -> str | None:
    return None if example.item.target is None else kind_of(example.item.target)


def _origins(example: Example) -> tuple[str, str]:
    return example.source, example.item.benchmark


def _filtered(
    examples: list[Example],
    name: str,
    asked: Any,
    holds: Callable[[Example], bool | None],
    dropped: Counter[str],
) -> list[Example]:
    held = [(each, holds(each)) for each in examples]
    kept = [each for each, it in held if it]
    unknown = sum(it is None for _, it in held)
    if unknown:
        dropped[f"{name} not known"] += unknown
    dropped[f"outside {name}"] += len(held) - len(kept) - unknown
    if not dropped[f"outside {name}"]:
        del dropped[f"outside {name}"]
    if kept:
        return kept
    if unknown == len(held):
        raise _unknown(f"select.{name}", name, unknown)
    raise InputError(
        f"select.{name} = {_plain(asked)} leaves none of {len(held)} examples",
        mend=f"There is {_there(name, examples)}",
    )


def _unknown(key: str, name: str, count: int) -> InputError:
    step = _STEPS.get(name, "difficulty")
    return InputError(
        f"{key}: {name} is known of none of {count} examples",
        mend=f"Run the synthesis step {step} first, or take {key} out",
    )


def _plain(asked: Any) -> str:
    return json.dumps(asked, ensure_ascii=False)


def _there(name: str, examples: Sequence[Example]) -> str:
    if name in _RANGES:
        values = [v for each in examples if (v := score_of(each, name)) is not None]
        return f"{name} {min(values):g} to {max(values):g}"
    if name == "part":
        return "too little of it: widen the part"
    seen: dict[str, Callable[[Example], str]] = {
        "kinds": lambda each: str(_kind(each)),
        "strata": lambda each: str(each.item.stratum),
        "sources": lambda each: each.source or each.item.benchmark,
    }
    return _listed(Counter(seen[name](each) for each in examples))


def _listed(counts: Counter[str]) -> str:
    told = [f"{name!r} ({count})" for name, count in counts.most_common(8)]
    return ", ".join(told) + (" ..." if len(counts) > 8 else "")


class _Axis(NamedTuple):
    name: str
    """The key of ``select``."""
    shares: Mapping[str, float]
    label: Callable[[Example], str | None]
    """The class of an example; None where it is not known or none of the shares."""
    seen: Callable[[Example], str | None]
    """What there is instead, for the message; None where nothing is known."""
    score: str | None = None
    """The score that the class comes from."""


def _axes(chosen: Select) -> Iterator[_Axis]:
    if chosen.starts is not None:
        starts = {str(kind): share for kind, share in chosen.starts.items()}
        yield _Axis("starts", starts, lambda e: _start(e) if _start(e) in starts else None, _start)
    if chosen.mix is not None:
        yield _Axis("mix", chosen.mix, lambda e: _domain(e, chosen.mix or {}), _named)
    if chosen.reasoning_share is not None:
        yield _halved(
            "reasoning_share", chosen.reasoning_share, "p_reasoning",
            "reasoning", "other", lambda p: p >= chosen.reasoning_from,
        )  # fmt: skip
    if chosen.hard_ratio is not None:
        yield _halved(
            "hard_ratio", chosen.hard_ratio, "pass_rate",
            "hard", "easy", lambda rate: rate < chosen.hard_below,
        )  # fmt: skip


def _halved(
    name: str, share: float, score: str, yes: str, no: str, holds: Callable[[float], bool]
) -> _Axis:
    def label(example: Example) -> str | None:
        value = score_of(example, score)
        return None if value is None else yes if holds(value) else no

    return _Axis(name, {yes: share, no: round(1 - share, 12)}, label, label, score)


def _start(example: Example) -> str:
    """The kind of start; nothing before the model is an absent one."""
    return example.start_kind or ("of no kind" if example.start else "absent")


def _named(example: Example) -> str:
    return str(example.item.meta.get("domain") or example.source or example.item.benchmark)


def _domain(example: Example, mix: Mapping[str, float]) -> str | None:
    for name in (example.item.meta.get("domain"), *_origins(example)):
        if name in mix:
            return str(name)
    return None


def _labelled(
    examples: list[Example], axes: Sequence[_Axis], dropped: Counter[str]
) -> list[Example]:
    """Those that have a class on every axis; each class with a share must have some."""
    kept = examples
    for axis in axes:
        labels = [axis.label(each) for each in kept]
        unknown = sum(label is None for label in labels)
        if unknown:
            reason = f"{axis.score} not known" if axis.score else f"in none of {axis.name}"
            dropped[reason] += unknown
        if unknown == len(kept) and axis.score:
            raise _unknown(f"select.{axis.name}", axis.score, unknown)
        there = set(labels)
        absent = [name for name, share in axis.shares.items() if share > 0 and name not in there]
        if absent:
            seen = Counter(str(axis.seen(each)) for each in kept)
            raise InputError(
                f"select.{axis.name} asks for {', '.join(absent)}, of which there is none among "
                f"{len(kept)} examples",
                mend=f"There is {_listed(seen)}; change the shares, or make such examples first",
            )
        kept = [each for each, label in zip(kept, labels, strict=True) if label is not None]
    return kept


def _shared(
    examples: list[Example], axes: Sequence[_Axis], limit: int | None, seed: int
) -> list[Example]:
    if not axes and (limit is None or limit >= len(examples)):
        return examples
    inside: dict[Cell, list[int]] = defaultdict(list)
    for i, example in enumerate(examples):
        inside[tuple(str(axis.label(example)) for axis in axes)].append(i)
    available = {cell: len(found) for cell, found in inside.items()}
    taken = allot(available, [axis.shares for axis in axes], limit)
    if not taken:
        raise InputError(
            f"the shares of {' and '.join(axis.name for axis in axes)} cannot hold at once",
            mend="There is " + _listed(Counter({" ".join(c): n for c, n in available.items()})),
        )
    chosen: list[int] = []
    for cell, count in taken.items():
        order = sorted(inside[cell], key=lambda i: _drawn(seed, *key_of(examples[i])))
        chosen += order[:count]
    return [examples[i] for i in sorted(chosen)]


def _drawn(*names: object) -> float:
    """A number in 0..1 (1 excluded) that the names alone decide."""
    told = json.dumps(names, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(told).digest()[:6], "big") / 2**48


def _told(axis: _Axis, before: Sequence[Example], kept: Sequence[Example]) -> dict[str, Any]:
    there, taken = (Counter(axis.label(each) for each in some) for some in (before, kept))
    return {
        name: {"asked": share, "kept": taken[name], "available": there[name]}
        for name, share in axis.shares.items()
    }
