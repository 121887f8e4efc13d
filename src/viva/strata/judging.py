"""Let a language model apply the rubric, and see how far it agrees with the labels that ship."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from viva._progress import silent
from viva.errors import InputError
from viva.records import LETTERS
from viva.strata.annotations import (
    LABELS,
    cohen_kappa,
    double_labelled,
    rubric_text,
)
from viva.strata.text import stem_hash

if TYPE_CHECKING:
    import polars as pl

    from viva._progress import Progress

__all__ = ["Judged", "Verdict", "agreement", "label", "prompt", "read_verdict", "replay"]

Judge = Callable[[str], str]
"""Prompt in, text out."""


class ManyAtOnce(Protocol):
    """A judge that takes all prompts together, such as :class:`viva.strata.ModelJudge`."""

    def replies(
        self, prompts: Sequence[str], advance: Callable[[int], None] = ...
    ) -> list[str | None]:
        """A reply to each prompt; None where there is none."""
        ...


_LONGEST_REPLY = 100_000
_CLOSERS = 50

_FORM = """\

Reply with one JSON object and nothing else:
{"label": "reasoning" or "knowledge", "steps": 0 to 3, "decorative": true or false, \
"confidence": 1 to 3, "why": "at most 12 words"}
"""


class Verdict(NamedTuple):
    """What one judge said about one question."""

    label: str
    steps: int
    decorative: bool
    confidence: int
    why: str


class Judged(NamedTuple):
    """What became of the questions that were put to a judge."""

    labels: pl.DataFrame
    """``benchmark, item_id, question, options, label, steps, decorative, confidence, why,
    status``: ``parsed``, ``unparsed`` (a reply that is no verdict) or ``ungraded`` (no reply).
    A row that is not parsed has a null label. The frame can be written and trained on."""
    parsed: int
    unparsed: int
    ungraded: int
    agreement: dict[str, float | int] | None
    """Against the double-labelled questions; None where not asked for."""


def prompt(question: str, options: Sequence[str], answer: str | None = None) -> str:
    """The rubric with one question, its options and, where known, the key."""
    lines = [rubric_text().rstrip(), _FORM, "Question:", question.strip()]
    if options:
        lines += ["", "Options:"]
        lines += [f"{LETTERS[i]}. {option}" for i, option in enumerate(options[:26])]
    if answer:
        lines += ["", f"Keyed answer: {answer}"]
    return "\n".join(lines) + "\n"


def read_verdict(reply: str) -> Verdict | None:
    """The verdict of a reply: the last JSON object in it that follows the form, or None.

    The form is strict: the label must be one of the two words, and ``steps`` 0..3 must be there.
    ``confidence`` 1..3 is 1 where absent. Only the first 100,000 characters are read.
    """
    text = reply[:_LONGEST_REPLY]
    for start, end in _objects(text):
        try:
            found = json.loads(text[start:end])
        except (ValueError, RecursionError):
            continue
        verdict = _verdict(found)
        if verdict is not None:
            return verdict
    return None


def _objects(text: str) -> Iterator[tuple[int, int]]:
    """Spans of flat ``{...}``, from the last; at most a fixed number is looked at."""
    end = len(text)
    for _ in range(_CLOSERS):
        close = text.rfind("}", 0, end)
        if close < 0:
            return
        start = text.rfind("{", 0, close)
        if start < 0:
            return
        yield start, close + 1
        end = start


def _whole(value: Any, low: int, high: int) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if low <= value <= high and value == int(value) else None


def _verdict(found: Any) -> Verdict | None:
    if not isinstance(found, dict) or found.get("label") not in LABELS:
        return None
    steps = _whole(found.get("steps"), 0, 3)
    confidence = _whole(found.get("confidence", 1), 1, 3)
    decorative = found.get("decorative", False)
    if steps is None or confidence is None or not isinstance(decorative, bool):
        return None
    return Verdict(found["label"], steps, decorative, confidence, str(found.get("why", ""))[:200])


def label(
    items: pl.DataFrame,
    judge: Judge | ManyAtOnce,
    *,
    with_key: bool = True,
    check: bool = True,
    progress: Progress = silent,
) -> Judged:
    """Put each item to a judge with the rubric.

    Parameters
    ----------
    items : polars.DataFrame
        Columns ``benchmark, item_id, question``; ``options`` and ``key`` where there are any.
    judge : callable, or an object with ``replies``
        Prompt in, text out; what it raises is counted as ungraded, nothing is guessed. Or one
        that takes all prompts at once, such as :class:`viva.strata.ModelJudge`.
    with_key : bool
        Whether the judge sees the keyed answer, as the rubric says.
    check : bool
        Whether the bundled double-labelled questions are put to it too, to report agreement. Their
        labels were made by a language model following the same rubric, not by clinicians.
    progress : callable
        Progress reporter, silent by default.

    Returns
    -------
    Judged

    Raises
    ------
    InputError
        For missing columns.
    """
    import polars as pl

    missing = {"benchmark", "item_id", "question"} - set(items.columns)
    if missing:
        raise InputError(f"items have no column {', '.join(sorted(missing))}", mend="Add it")
    controls = double_labelled() if check else None
    counts = dict.fromkeys(("parsed", "unparsed", "ungraded"), 0)
    rows = []
    asked = items.to_dicts()
    prompts = [_item_prompt(item, with_key=with_key) for item in asked]
    known = [] if controls is None else controls.to_dicts()
    prompts += [
        prompt(row["question"], row["options"], row["answer"] if with_key else None)
        for row in known
    ]
    with progress("labelling", len(prompts)) as advance:
        replies = _replies(judge, prompts, advance)
    for item, reply in zip(asked, replies, strict=False):
        status, verdict = _read(reply)
        counts[status] += 1
        rows.append(
            {
                "benchmark": item["benchmark"],
                "item_id": item["item_id"],
                "question": item["question"],
                "options": item.get("options") or [],
                **(verdict._asdict() if verdict else dict.fromkeys(Verdict._fields)),
                "status": status,
            }
        )
    agreed = agreement(known, replies[len(asked) :]) if controls is not None else None
    schema: dict[str, Any] = {
        "benchmark": pl.String,
        "item_id": pl.String,
        "question": pl.String,
        "options": pl.List(pl.String),
        "label": pl.String,
        "steps": pl.Int64,
        "decorative": pl.Boolean,
        "confidence": pl.Int64,
        "why": pl.String,
        "status": pl.String,
    }
    return Judged(pl.DataFrame(rows, schema=schema), **counts, agreement=agreed)


def _item_prompt(item: Mapping[str, Any], *, with_key: bool) -> str:
    options, key = item.get("options") or [], item.get("key") or []
    answer = "; ".join(options[i] for i in key if i < len(options)) if with_key else None
    return prompt(item["question"], options, answer)


def _replies(
    judge: Judge | ManyAtOnce, prompts: Sequence[str], advance: Callable[[int], None]
) -> list[str | None]:
    if not callable(judge):
        return judge.replies(prompts, advance)
    found: list[str | None] = []
    for text in prompts:
        try:
            reply = judge(text)
        except Exception:  # a judge is outside code: whatever fails, the item has no reply
            found.append(None)
        else:
            found.append(reply if isinstance(reply, str) else "")
        advance(1)
    return found


def _read(reply: str | None) -> tuple[str, Verdict | None]:
    if reply is None:
        return "ungraded", None
    verdict = read_verdict(reply)
    return ("parsed", verdict) if verdict else ("unparsed", None)


def agreement(
    controls: Sequence[Mapping[str, Any]], replies: Sequence[str | None]
) -> dict[str, float | int]:
    """How far a judge agrees with each of the two earlier passes, and they with each other.

    Parameters
    ----------
    controls : sequence of mappings
        Double-labelled questions: ``first`` and ``second`` label.
    replies : sequence of str or None
        What the judge said to each.

    Returns
    -------
    dict
        ``n`` questions, ``answered`` of them, ``kappa_first``, ``kappa_second``, and
        ``kappa_passes`` between the two passes on the answered questions; NaN where undefined.
    """
    said, first, second = [], [], []
    for row, reply in zip(controls, replies, strict=True):
        _, verdict = _read(reply)
        if verdict is not None:
            said.append(verdict.label == "reasoning")
            first.append(row["first"] == "reasoning")
            second.append(row["second"] == "reasoning")
    a, b, c = (np.array(values, bool) for values in (said, first, second))
    known = len(said) > 0
    return {
        "n": len(controls),
        "answered": len(said),
        "kappa_first": cohen_kappa(a, b) if known else float("nan"),
        "kappa_second": cohen_kappa(a, c) if known else float("nan"),
        "kappa_passes": cohen_kappa(b, c) if known else float("nan"),
    }


def replay(path: str | os.PathLike[str]) -> Judge:
    """A judge that gives recorded replies.

    Each row of the file has ``question`` (the stem) or ``stem_hash``, and ``reply`` (the model's
    text) or the verdict's own fields (``label``, ``steps`` ...). A question that is not recorded
    raises, and so counts as ungraded.

    Raises
    ------
    InputError
        A file that cannot be read, or a row with neither a question nor a hash.
    """
    from viva._files import read_rows

    replies: dict[str, str] = {}
    for number, row in read_rows(path):
        stem = row.get("stem_hash") or (stem_hash(row["question"]) if row.get("question") else None)
        if not stem:
            raise InputError(
                "row has neither question nor stem_hash",
                where=f"{os.fspath(path)}:{number}",
                mend="Add the stem that the verdict is about",
            )
        reply = row.get("reply")
        replies[str(stem)] = reply if isinstance(reply, str) else json.dumps(_fields(row))

    def judge(text: str) -> str:
        asked = text.rpartition("\nQuestion:\n")[2]
        asked = asked.partition("\n\nOptions:\n")[0].partition("\n\nKeyed answer: ")[0]
        return replies[stem_hash(asked)]

    return judge


def _fields(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in Verdict._fields if row.get(name) is not None}
