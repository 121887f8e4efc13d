"""Whether items of the evaluation stand in the training data; the search is tested on each use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from viva.analysis.contamination import contamination
from viva.records import content_hash, normalise
from viva.training._findings import Finding
from viva.training._plan import Plan
from viva.training._rendering import text_of

if TYPE_CHECKING:
    import polars as pl

__all__ = ["evaluation_overlap"]

_PLANTED = 20
"""Items that are planted, to see that they are found."""
_PLANT = "\x00planted"
_MEND = "Add the step decontaminate with against = the evaluation files"


def _texts(plan: Plan) -> list[tuple[str, int, str]]:
    """What each row shows: the question with its options and context, and what is learned."""
    made = []
    for at, (row, item) in enumerate(zip(plan.rows, plan.items, strict=True)):
        asked = [] if item is None else [item.context or "", item.question, *item.options]
        if item is None:
            asked = [text_of(row.get("prompt"))]
        said = [text_of(row.get(n)) for n in ("completion", "chosen", "rejected") if row.get(n)]
        made.append(("data", at, "\n".join([*asked, *said])))
    return made


def _planted(items: pl.DataFrame) -> list[tuple[str, int, str]]:
    step = max(1, items.height // _PLANTED)
    rows = range(0, items.height, step)
    stems, options = items["question"], items["options"].to_list()
    return [(_PLANT, at, "\n".join([stems[at] or "", *(options[at] or [])])) for at in rows]


def _reference(plan: Plan) -> pl.DataFrame | None:
    """The training questions say which phrases are common ones."""
    from viva.records import items_frame

    own = [item for item in plan.items if item is not None]
    return items_frame(own) if own else None


def evaluation_overlap(plan: Plan) -> Iterator[Finding]:
    """No item of the evaluation stands in the training data, whole or nearly."""
    evaluation = plan.evaluation
    if evaluation is None or not evaluation.height or not plan.rows:
        return
    same = _identical(plan, evaluation)
    planted = _planted(evaluation)
    found = contamination(
        evaluation, [*_texts(plan), *planted], reference=_reference(plan),
        most=len(planted) + 20,
    )  # fmt: skip
    names = list(zip(evaluation["benchmark"], evaluation["item_id"], strict=True))
    blind = set(found.uncheckable)
    hits = {
        (benchmark, item_id, row)
        for benchmark, item_id, file, row in found.flags.select(
            "benchmark", "item_id", "file", "row"
        ).iter_rows()
        if file == _PLANT
    }
    missed = [at for _, at, _ in planted
              if (*names[at], at) not in hits and "/".join(names[at]) not in blind]  # fmt: skip
    n = evaluation.height
    if missed:
        yield Finding(
            "evaluation_overlap", "refuse", len(missed) / len(planted),
            f"the search misses {len(missed)} of {len(planted)} planted copies of evaluation items "
            f"(first: {'/'.join(names[missed[0]])}): it cannot vouch for the rest",
            "Report this with the items file",
        )  # fmt: skip
        return
    data = found.flags.filter(found.flags["file"] == "data")
    flagged = dict.fromkeys(
        f"{b}/{i}" for b, i in data.select("benchmark", "item_id").iter_rows()
    ) | dict.fromkeys(same)
    rows = set(data["row"].to_list())
    if flagged:
        kinds = dict(data.group_by("kind").len().sort("kind").iter_rows())
        said = ", ".join(f"{kind} {count}" for kind, count in kinds.items()) or "identical items"
        yield Finding(
            "evaluation_overlap", "refuse", len(flagged) / n,
            f"{len(flagged)} of {n} evaluation items stand in the training data ({said}; "
            f"{max(len(rows), 1)} rows; first: {next(iter(flagged))})", _MEND,
        )  # fmt: skip
        return
    unseen = f"; {len(blind)} are too short to look for" if blind else ""
    yield Finding(
        "evaluation_overlap", "warn" if len(blind) > n / 2 else "ok", len(blind) / n,
        f"none of {n} evaluation items was found in the training data, all {len(planted)} planted "
        f"copies were{unseen}",
        "Compare what is too short by hand" if blind else None,
    )  # fmt: skip


def _identical(plan: Plan, evaluation: pl.DataFrame) -> list[str]:
    """Evaluation items that are training items: the same key, or the same content."""
    keys, hashes, stems = set(), set(), set()
    for item in plan.items:
        if item is None:
            continue
        keys.add((item.benchmark, item.item_id, normalise(item.question)))
        hashes.add(content_hash(item.question, item.options, context=item.context,
                                media=item.media))  # fmt: skip
        if not item.options:
            stems.add((normalise(item.question), normalise(item.context or "")))
    found = []
    wanted = ("benchmark", "item_id", "question", "context", "content_hash")
    for benchmark, item_id, question, context, hashed in evaluation.select(wanted).iter_rows():
        stem = normalise(question or "")
        if (benchmark, item_id, stem) in keys or hashed in hashes or (
            (stem, normalise(context or "")) in stems
        ):  # fmt: skip
            found.append(f"{benchmark}/{item_id}")
    return found
