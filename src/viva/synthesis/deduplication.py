"""Training data with every question once: exact copies, and questions that are nearly the same."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from viva.errors import InputError
from viva.records import Choice, Choices, Item, items_frame, normalise
from viva.synthesis._generated import stepped
from viva.synthesis._sorting import given, sort_out
from viva.synthesis.example import Example, key_of
from viva.synthesis.steps import Made
from viva.targets import to_json

__all__ = ["REASONS", "dedup"]

REASONS = (
    "a copy of another example",
    "a copy of another item",
    "nearly another item",
    "its copies have another key",
)
_COPY, _EXACT, _NEAR, _CONTRADICTED = REASONS
_SHOWN = 20


class _Unit(NamedTuple):
    """One item with all its examples."""

    item: Item
    rows: list[int]
    right: str | None
    """What is right, in one form for all items that say the same; None where nothing is known."""


def _right(item: Item) -> str | None:
    """The right answer as a text that does not depend on the order of options."""
    target = item.target
    if target is None:
        return None
    if isinstance(target, (Choice, Choices)):
        at = [target.index] if isinstance(target, Choice) else sorted(target.indices)
        if any(not 0 <= i < len(item.options) for i in at):
            return None
        return json.dumps(sorted(normalise(item.options[i]) for i in at))
    return json.dumps(to_json(target), sort_keys=True, default=str)


def _own(example: Example) -> tuple[str, str, str]:
    """What an example adds to its item."""
    texts = (example.start, example.completion or "", example.rejected or "")
    return texts[0].strip(), texts[1].strip(), texts[2].strip()


def _preference(
    examples: Sequence[Example], sources: Sequence[str], score: str | None
) -> list[tuple[Any, ...]]:
    """Sorts the examples, the ones to keep first, whatever the order in which they come."""
    rank = {source: at for at, source in enumerate(sources)}
    return [
        (
            rank.get(example.source, len(rank)),
            -example.scores.get(score, -np.inf) if score else 0.0,
            example.completion is None,
            *key_of(example),
            example.source,
            _own(example),
        )
        for example in examples
    ]


def _units(examples: Sequence[Example], order: Sequence[tuple[Any, ...]]) -> list[_Unit]:
    """The items with their examples, the ones to keep first."""
    rows: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for row in sorted(range(len(examples)), key=lambda row: order[row]):
        item = examples[row].item
        rows[item.benchmark, item.item_id].append(row)
    return [
        _Unit(examples[own[0]].item, own, _right(examples[own[0]].item)) for own in rows.values()
    ]


class _Fate(NamedTuple):
    """What becomes of an item."""

    reason: str
    instead: int | None
    """The unit that stays in its place."""
    similarity: float


def _declared(a: Item, b: Item) -> bool:
    """Whether two items are variants of each other by declaration: twins are meant to be alike."""
    return a.group is not None and b.group is not None and a.group.id == b.group.id


def _exact(units: Sequence[_Unit], alive: Sequence[int], *, keep: bool) -> dict[int, _Fate]:
    from viva.analysis.duplicates import exact_duplicates

    members: defaultdict[int, list[int]] = defaultdict(list)
    codes = exact_duplicates(items_frame(units[at].item for at in alive)).tolist()
    for at, code in zip(alive, codes, strict=True):
        members[code].append(at)
    fates: dict[int, _Fate] = {}
    for same in members.values():
        keys = {units[at].right for at in same} - {None}
        if len(keys) > 1 and not keep:
            fates |= {at: _Fate(_CONTRADICTED, None, 1.0) for at in same}
            continue
        stay: list[int] = []
        for at in same:
            instead = next((s for s in stay if not _declared(units[s].item, units[at].item)), None)
            if instead is None:
                stay.append(at)
            else:
                fates[at] = _Fate(_EXACT, instead, 1.0)
    return fates


def _near(
    units: Sequence[_Unit], alive: Sequence[int], threshold: float, seed: int
) -> tuple[dict[int, _Fate], int]:
    """Items near to one that stays, and pairs that are near but have another right answer."""
    from viva.analysis.duplicates import near_duplicates

    frame = items_frame(units[at].item for at in alive)
    found = near_duplicates(frame, threshold=threshold, seed=seed)
    near: defaultdict[int, list[tuple[int, float]]] = defaultdict(list)
    other = 0
    for (a, b), alike in zip(found.pairs.tolist(), found.similarity.tolist(), strict=True):
        first, second = sorted((alive[a], alive[b]))
        if units[first].right != units[second].right:
            other += 1
            continue
        near[second].append((first, alike))
    fates: dict[int, _Fate] = {}
    for at in sorted(near):
        staying = [(alike, -first) for first, alike in near[at] if first not in fates]
        if staying:
            alike, first = max(staying)
            fates[at] = _Fate(_NEAR, -first, alike)
    return fates, other


def dedup(
    examples: Sequence[Example],
    *,
    near: bool = True,
    threshold: float = 0.7,
    score: str | None = None,
    sources: Sequence[str] = (),
    contradicting: str = "drop",
    seed: int = 0,
) -> Made:
    """Keep one of the items that ask the same, with all its examples.

    Exact copies have the same question, options (in any order) and context, as
    :func:`viva.analysis.exact_duplicates` finds them; near ones a weighted similarity of shingles
    of at least ``threshold`` (:func:`viva.analysis.near_duplicates`) *and the same right answer*:
    "most likely" and "least likely" are near, and two questions. Variants of one group, such as
    counterfactual twins, are alike by intent and stay. Several examples of one item stay, but for
    those that say the same word for word.

    Parameters
    ----------
    examples : sequence of Example
    near : bool
        Whether near duplicates go too.
    threshold : float
        Similarity, 0.5..1.
    score : str, optional
        The name of a score: of copies, the item with the highest is kept.
    sources : sequence of str
        Of copies, that of the first of these sources is kept. Behind both, what has a completion
        comes before what has none, and the smaller name before the larger: what is kept does not
        depend on the order of the examples.
    contradicting : {"drop", "keep"}
        Exact copies whose keys differ: all go, or the preferred one stays.
    seed : int
        Of the hash functions that propose pairs; which of them are near does not depend on it.

    Returns
    -------
    Made
        ``report`` holds counts by source; ``contradicting_keys``, the items that went for them;
        ``near_with_another_answer``, pairs that stay; ``clusters``, the largest 20: what is kept,
        what went and how similar it is. The provenance of a dropped example names what is kept
        in its place.

    Raises
    ------
    InputError
        A threshold or another argument outside its range; nothing left.

    Notes
    -----
    How much a shingle tells depends on the other items, so that dropping some can bring others
    near: the search is repeated until nothing goes. A second pass over the result drops nothing.
    """
    examples = given("dedup", examples)
    if not 0.5 <= threshold <= 1:
        raise InputError(f"threshold is {threshold}", where="dedup", mend="Use 0.5 to 1")
    if contradicting not in ("drop", "keep"):
        raise InputError(
            f"contradicting is {contradicting!r}", where="dedup", mend="Use 'drop' or 'keep'"
        )
    if isinstance(sources, str):
        raise InputError("sources is one text", where="dedup", mend="Give a list of sources")
    order = _preference(examples, sources, score)
    units = _units(examples, order)
    alive = list(range(len(units)))
    fates = _exact(units, alive, keep=contradicting == "keep")
    other = 0
    while near:
        alive = [at for at in alive if at not in fates]
        fresh, other = _near(units, alive, threshold, seed)
        if not fresh:
            break
        fates |= fresh
    reasons: list[str | None] = [None] * len(examples)
    told: list[dict[str, Any]] = [{} for _ in examples]
    for at, unit in enumerate(units):
        fate = fates.get(at)
        seen: set[tuple[str, str, str]] = set()
        for row in unit.rows:
            own = _own(examples[row])
            if fate is not None:
                reasons[row] = fate.reason
                told[row] = {"similarity": round(fate.similarity, 4)}
                if fate.instead is not None:
                    told[row]["kept"] = _name(units[fate.instead].item)
            elif own in seen:
                reasons[row], told[row] = _COPY, {"kept": _name(unit.item)}
            seen.add(own)
    settings = {
        "near": near, "threshold": threshold, "score": score, "sources": list(sources),
        "contradicting": contradicting,
    }  # fmt: skip
    marked = [
        stepped(example, "dedup", settings | more, seed=seed)
        for example, more in zip(examples, told, strict=True)
    ]
    kinds = Counter(fate.reason for fate in fates.values())
    report = {
        "items": len(units),
        "items_kept": len(units) - len(fates),
        "contradicting_keys": kinds[_CONTRADICTED],
        "near_with_another_answer": other,
        "clusters": _clusters(units, fates),
    }
    return sort_out(
        "dedup", marked, reasons, report=report,
        mend="All copies contradict each other: mend their keys, or set contradicting = 'keep'",
    )  # fmt: skip


def _name(item: Item) -> str:
    return f"{item.benchmark}/{item.item_id}"


def _clusters(units: Sequence[_Unit], fates: dict[int, _Fate]) -> list[dict[str, Any]]:
    """The largest clusters: what is kept, and what went for it."""
    members: defaultdict[int, list[int]] = defaultdict(list)
    for at, fate in sorted(fates.items()):
        root = fate.instead
        while root is not None and root in fates:  # near to one that a later pass dropped
            root = fates[root].instead
        if root is not None:
            members[root].append(at)
    largest = sorted(members.items(), key=lambda each: (-len(each[1]), each[0]))[:_SHOWN]
    return [
        {
            "kept": _name(units[root].item),
            "n": len(gone) + 1,
            "dropped": [
                {"item": _name(units[at].item), "similarity": round(fates[at].similarity, 3)}
                for at in gone[:_SHOWN]
            ],
        }
        for root, gone in largest
    ]
