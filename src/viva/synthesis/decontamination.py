"""Training data without the evaluation items: found whole, in part, nearly, or by their group.

The evaluation items are looked for in everything an example trains on: its question with its
options, its context, its completion with its start, and the side of a pair that is not preferred.
Every call plants copies of evaluation items among the data and stops where one is missed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from viva.records import LETTERS, Item, items_frame, normalise
from viva.synthesis._evaluation import evaluation_items
from viva.synthesis._generated import stepped
from viva.synthesis._planting import FIELDS, check_plants, plants
from viva.synthesis._sorting import given, sort_out
from viva.synthesis.example import Example
from viva.synthesis.steps import Made

if TYPE_CHECKING:
    import polars as pl

__all__ = ["REASONS", "decontaminate"]

REASONS = {
    "exact": "the whole of an evaluation item",
    "ngram": "long runs of an evaluation item's words",
    "fuzzy": "nearly the text of an evaluation item",
    "group": "a copy or variant of what is contaminated",
}
"""Kind of overlap -> why an example goes, strongest first."""

_ORDER = {kind: at for at, kind in enumerate(REASONS)}
SHARED = 50
"""A context of more evaluation items than this is a book, not a part of one question."""
_SHOWN = 20


class _Hit(NamedTuple):
    """The strongest overlap of one example with one evaluation item."""

    kind: str
    item: int
    """Row of the evaluation items."""
    field: str
    """Part of the example: one of ``FIELDS``, or ``content``, or ``group``."""
    view: str
    """Part of the evaluation item: ``question`` (with its options) or ``context``."""
    share: float = 1.0
    similarity: float = 1.0


def _rank(hit: _Hit) -> tuple[int, float, int, str, str]:
    return _ORDER[hit.kind], -max(hit.share, hit.similarity), hit.item, hit.view, hit.field


def _stronger(a: _Hit | None, b: _Hit) -> _Hit:
    return b if a is None or _rank(b) < _rank(a) else a


def _texts(example: Example) -> Iterable[tuple[str, str]]:
    """What an example trains on, by part."""
    item = example.item
    lines = [f"{letter}. {text}" for letter, text in zip(LETTERS, item.options, strict=False)]
    values = (
        "\n".join([item.question, *lines]),
        item.context,
        "\n".join(filter(None, (example.start, example.completion))),
        example.rejected,
    )
    for field, text in zip(FIELDS, values, strict=True):
        if text and not text.isspace():
            yield field, text


def _asked_of_many(items: Sequence[Item]) -> list[bool]:
    """Whether the same question is asked of several texts or images: it names none of them."""
    about: dict[tuple[str, ...], set[Any]] = {}
    keys = []
    for item in items:
        keys.append((normalise(item.question), *sorted(map(normalise, item.options))))
        about.setdefault(keys[-1], set()).add((normalise(item.context or ""), item.media))
    return [len(about[key]) > 1 for key in keys]


def _contexts(items: Sequence[Item]) -> tuple[list[int], int]:
    """The first item of every context to look for, and how many contexts are books."""
    rows: dict[str, int] = {}
    counts: Counter[str] = Counter()
    for row, item in enumerate(items):
        if item.context:
            key = normalise(item.context)
            rows.setdefault(key, row)
            counts[key] += 1
    kept = [row for key, row in rows.items() if counts[key] <= SHARED]
    return kept, len(rows) - len(kept)


def _look(
    frame: pl.DataFrame, rows: Sequence[int], view: str, texts: Sequence[tuple[str, str]]
) -> tuple[list[tuple[int, _Hit]], list[str]]:
    """Overlaps of some evaluation items with texts, and the items that cannot be looked for."""
    import polars as pl

    from viva.analysis.contamination import contamination
    from viva.benchmarks import bundled

    if not rows or not texts:
        return [], []
    named = frame.with_columns(
        pl.lit("").alias("benchmark"), pl.Series("item_id", [str(i) for i in range(frame.height)])
    )[list(rows)]
    reference: pl.DataFrame | None = bundled().items
    if view == "context":
        empty: list[str] = []
        named = named.with_columns(
            pl.col("context").alias("question"),
            pl.lit(empty, dtype=pl.List(pl.String)).alias("options"),
            pl.lit(None, dtype=pl.List(pl.Int64)).alias("key"),
        )
        reference = None
    stream = ((field, at, text) for at, (field, text) in enumerate(texts))
    found = contamination(named, stream, reference=reference, most=len(texts) + 1)
    columns = ("item_id", "file", "row", "kind", "share", "similarity")
    hits = [
        (at, _Hit(kind, int(item), field, view, share, similarity))
        for item, field, at, kind, share, similarity in found.flags.select(columns).iter_rows()
    ]
    return hits, [name.removeprefix("/") for name in found.uncheckable]


class _Search(NamedTuple):
    hits: list[_Hit | None]
    """Of each example."""
    uncheckable: list[int]
    """Evaluation items whose question is compared as a whole only."""


def _search(
    frame: pl.DataFrame,
    examples: Sequence[Example],
    asked: Sequence[int],
    contexts: Sequence[int],
) -> _Search:
    """The strongest overlap of each example with the evaluation items."""
    places: dict[tuple[str, str], list[int]] = {}
    for at, example in enumerate(examples):
        for part in _texts(example):
            places.setdefault(part, []).append(at)
    texts = list(places)
    owners = list(places.values())
    hits: list[_Hit | None] = [None] * len(examples)
    blind: list[int] = []
    for rows, view in ((asked, "question"), (contexts, "context")):
        found, unseen = _look(frame, rows, view, texts)
        for at, hit in found:
            for owner in owners[at]:
                hits[owner] = _stronger(hits[owner], hit)
        if view == "question":
            blind = [int(name) for name in unseen]
    return _Search(hits, blind)


def _by_content(frame: pl.DataFrame, examples: Sequence[Example], hits: list[_Hit | None]) -> None:
    """Add what equals an evaluation item as a whole, however little it says."""
    from viva.analysis.duplicates import exact_duplicates

    both = frame.vstack(items_frame(example.item for example in examples))
    codes = exact_duplicates(both).tolist()
    first: dict[int, int] = {}
    for row, code in enumerate(codes[: frame.height]):
        first.setdefault(code, row)
    for at, code in enumerate(codes[frame.height :]):
        if code in first:
            hits[at] = _stronger(hits[at], _Hit("exact", first[code], "content", "question"))


def _by_group(frame: pl.DataFrame, examples: Sequence[Example], hits: list[_Hit | None]) -> None:
    """Add the copies and variants of what is contaminated, and those of evaluation items."""
    from viva.analysis.duplicates import clusters

    both = frame.vstack(items_frame(example.item for example in examples))
    codes = clusters(both).tolist()
    first: dict[int, int] = {}
    for row, code in enumerate(codes[: frame.height]):
        first.setdefault(code, row)
    for code, hit in zip(codes[frame.height :], hits, strict=True):
        if hit is not None:
            first[code] = min(first.get(code, hit.item), hit.item)
    for at, code in enumerate(codes[frame.height :]):
        if hits[at] is None and code in first:
            hits[at] = _Hit("group", first[code], "group", "question", 0.0, 0.0)


def decontaminate(
    examples: Sequence[Example],
    *,
    against: Any = (),
    contexts: bool = True,
    planted: int = 12,
    seed: int = 0,
) -> Made:
    """Leave out the examples that hold an evaluation item.

    Looked for are the questions of the evaluation items (with their options, where the question
    alone says little) and their contexts, as :func:`viva.analysis.contamination` does: whole, by
    long runs of words, or nearly. Looked through are an example's question with its options, its
    context, its start with its completion, and its rejected side. Beyond that, what equals an
    evaluation item as a whole goes, and everything of its group: all examples of the item, its
    exact copies, and its declared variants (twins), as :func:`viva.analysis.clusters` joins them.

    Parameters
    ----------
    examples : sequence of Example
    against : path, str, sequence
        All evaluation items: files, names of benchmarks (``bundled`` for all that travel with the
        package), lists of examples or items, or a sequence of these.
    contexts : bool
        Whether the contexts of evaluation items are looked for too. One that more than 50 of them
        share, such as a textbook, is not.
    planted : int
        Items of each evaluation set that are copied into the data for the test on itself, at
        least 1: exact, embedded in other text, edited and with options shuffled, the parts of an
        example taking turns.
    seed : int
        Of the planted copies. What is kept does not depend on it.

    Returns
    -------
    Made
        ``report`` holds for each of ``sources`` ``n``, ``kept``, the counts by kind (``exact``,
        ``ngram``, ``fuzzy``, ``group``) and ``sets`` (evaluation set -> examples that hit it);
        for each evaluation set of ``evaluation`` its ``items``, those ``found`` and those
        compared as a ``whole_only`` because they say too little; ``planted``; ``found_in`` by part
        of the example; and the first ``overlaps`` to read. The provenance of a dropped example
        names the evaluation item.

    Raises
    ------
    InputError
        No evaluation items; a planted copy that was not found; nothing left.

    Notes
    -----
    A question that is asked of several contexts or images ("What is the creatinine clearance?")
    is no mark of any of them: there the context, and the whole item, are compared.
    """
    from viva.errors import InputError
    from viva.formats._items import items_of

    examples = given("decontaminate", examples)
    if planted < 1:
        raise InputError(
            "decontaminate with no planted copy", mend="Give planted = 12: it tests itself"
        )
    frame = evaluation_items(against)
    items = list(items_of(frame))
    many = _asked_of_many(items)
    asked = [row for row, shared in enumerate(many) if not shared]
    passages, books = _contexts(items) if contexts else ([], 0)

    among = set(passages)
    own = plants(
        items, searched=[not shared for shared in many],
        by_context=[row in among for row in range(len(items))], n=planted, seed=seed,
    )  # fmt: skip
    everything = [*examples, *(plant.example for plant in own)]
    found = _search(frame, everything, asked, passages)
    _by_content(frame, everything, found.hits)
    unseen = set(found.uncheckable)
    searched = [not shared and row not in unseen for row, shared in enumerate(many)]
    hits, tested = found.hits[: len(examples)], found.hits[len(examples) :]
    caught = check_plants(own, [hit is not None for hit in tested], items, searched)
    direct = sum(hit is not None for hit in hits)
    _by_group(frame, examples, hits)
    settings: dict[str, Any] = {
        "evaluation": dict(sorted(Counter(frame["benchmark"]).items())),
        "contexts": contexts,
        "planted": planted,
    }
    marked = [
        stepped(example, "decontaminate", settings | _told(hit, items), seed=seed)
        for example, hit in zip(examples, hits, strict=True)
    ]
    reasons = [None if hit is None else REASONS[hit.kind] for hit in hits]
    report = {
        "evaluation": _evaluation(items, hits, searched, passages),
        "shared_contexts": books,
        "found_in": dict(sorted(Counter(hit.field for hit in hits if hit).items())),
        "by_group": sum(hit is not None for hit in hits) - direct,
        "planted": caught,
        "overlaps": _overlaps(examples, items, hits),
    }
    sorted_out = sort_out(
        "decontaminate", marked, reasons, report=report,
        mend="Train on other data than the evaluation's, or set contexts = false where a passage "
        "is shared on purpose",
    )  # fmt: skip
    for source, counts in sorted_out.report["sources"].items():
        of_source = [h for e, h in zip(examples, hits, strict=True) if h and e.source == source]
        kinds = Counter(hit.kind for hit in of_source)
        counts.update({kind: kinds[kind] for kind in REASONS})
        sets = Counter(items[hit.item].benchmark for hit in of_source)
        counts["sets"] = dict(sorted(sets.items()))
    return sorted_out


def _name(item: Item) -> str:
    return f"{item.benchmark}/{item.item_id}"


def _told(hit: _Hit | None, items: Sequence[Item]) -> dict[str, Any]:
    if hit is None:
        return {}
    return {"found": _name(items[hit.item]), "kind": hit.kind, "in": hit.field, "view": hit.view}


def _evaluation(
    items: Sequence[Item],
    hits: Sequence[_Hit | None],
    searched: Sequence[bool],
    passages: Sequence[int],
) -> dict[str, dict[str, int]]:
    """Of each evaluation set: its items, those found, and how they were looked for."""
    looked = {normalise(items[row].context or "") for row in passages}
    seen = {hit.item for hit in hits if hit and hit.kind != "group"}
    found: dict[str, Counter[str]] = {}
    for row, item in enumerate(items):
        own = found.setdefault(item.benchmark, Counter(items=0, found=0, whole_only=0))
        by_context = normalise(item.context) in looked if item.context else False
        own["items"] += 1
        own["found"] += row in seen
        own["whole_only"] += not (searched[row] or by_context)
    return {name: dict(own) for name, own in sorted(found.items())}


def _overlaps(
    examples: Sequence[Example], items: Sequence[Item], hits: Sequence[_Hit | None]
) -> list[dict[str, Any]]:
    """Some overlaps of every kind, weakest kinds first: they are the ones to doubt."""
    pairs = [(hit, e) for hit, e in zip(hits, examples, strict=True) if hit is not None]
    pairs = [pair for pair in pairs if pair[0].kind != "group"]
    pairs.sort(key=lambda p: (-_ORDER[p[0].kind], p[0].share, _name(p[1].item), p[1].number))
    return [
        {
            "example": f"{_name(example.item)} {example.number}",
            "evaluation": _name(items[hit.item]),
            "kind": hit.kind,
            "in": hit.field,
            "view": hit.view,
            "share": round(hit.share, 3),
            "similarity": round(hit.similarity, 3),
            "text": example.item.question[:200],
            "evaluation_text": (
                (items[hit.item].context or "") if hit.view == "context"
                else items[hit.item].question
            )[:200],
        }
        for hit, example in pairs[:_SHOWN]
    ]  # fmt: skip
