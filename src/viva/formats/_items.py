"""Questions that answers files carry: options, keys and canonical names, whatever their shape."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from viva.records import LETTERS, Choice, Choices, Item, normalise

__all__ = ["MMLU_FIRST", "canonical", "item_of", "key_of", "mmlu_id", "options_of"]

MMLU_FIRST = {
    "anatomy": (100, 135),
    "clinical_knowledge": (487, 265),
    "college_biology": (752, 144),
    "college_medicine": (1196, 173),
    "medical_genetics": (7284, 100),
    "professional_medicine": (12165, 272),
}
"""Subject -> (number of its first row in the whole MMLU test set, rows)."""

_ALIASES = {  # names that other tools use, lower case, punctuation as one underscore
    "medqa_4options": "medqa",
    "medqa_us": "medqa",
    "medqa_uslme_test": "medqa",
    "medqa_usmle_test": "medqa",
    "medqa_usmle": "medqa",
    "med_qa": "medqa",
    "medqa_usmle_4_options": "medqa",
    "medqa_5_options": "medqa_5options",
    "med_mcqa": "medmcqa",
    "medmcqa_validation": "medmcqa",
    "medmcqa_dev": "medmcqa",
    "pubmed_qa": "pubmedqa",
    "pubmedqa_test": "pubmedqa",
    "mmlu_medical": "mmlu_med",
    "mmlu_pro_medical_test": "mmlu_pro_health",
    "medxpertqa_text": "medxpertqa",
    "medxpertqa_r": "medxpertqa",
    "medxpertqa_u": "medxpertqa",
    "careqa_en": "careqa",
}


def canonical(name: str) -> str:
    """The name under which this package knows a benchmark; the given name where it knows none."""
    key = re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")
    if key in _ALIASES:
        return _ALIASES[key]
    from viva import benchmarks

    known = getattr(benchmarks, "canonical_name", None)
    found = known(name) if known is not None else None
    return found if isinstance(found, str) and found else name.strip()


def mmlu_id(index: int) -> str | None:
    """``anatomy-003`` for a row of the whole MMLU test set; None outside the medical subjects."""
    for subject, (first, rows) in MMLU_FIRST.items():
        if first <= index < first + rows:
            return f"{subject}-{index - first:03d}"
    return None


def options_of(value: Any) -> tuple[str, ...] | None:
    """Options from a list, a map letter -> text, or either as a JSON string; None if neither.

    Letters of a map must run from A without a hole; a list may hold ``{"key": .., "value": ..}``.
    """
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    if isinstance(value, Mapping):
        given = {str(k).strip().upper(): v for k, v in value.items() if v is not None}
        if sorted(given) != list(LETTERS[: len(given)]):
            return None
        value = [given[letter] for letter in LETTERS[: len(given)]]
    if not isinstance(value, Sequence) or isinstance(value, (str, bytes)):
        return None
    texts = [next((v.get(k) for k in ("value", "text", "atext", "label") if k in v), None)
             if isinstance(v, Mapping) else v for v in value]  # fmt: skip
    if not 2 <= len(texts) <= len(LETTERS):
        return None
    if any(isinstance(t, bool) or not isinstance(t, (str, int, float)) for t in texts):
        return None
    return tuple(t if isinstance(t, str) else str(t) for t in texts)


def key_of(value: Any, options: Sequence[str]) -> Choice | Choices | None:
    """The key by position, letter, option text or a list of these; None where it is no option.

    A single letter is a letter unless it equals an option's text; whole numbers are 0-based.
    """
    if isinstance(value, (list, tuple)):
        if len(value) == 1:
            return key_of(value[0], options)
        found = [key_of(v, options) for v in value]
        at = sorted({f.index for f in found if isinstance(f, Choice)})
        ok = len(value) > 1 and all(isinstance(f, Choice) for f in found)
        return Choices(tuple(at)) if ok and len(at) > 1 else Choice(at[0]) if ok and at else None
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int):
        return Choice(value) if 0 <= value < len(options) else None
    if not isinstance(value, str):
        return None
    if value in options:
        return Choice(options.index(value))
    bare = value.strip()
    if len(bare) == 1 and bare.upper() in LETTERS[: len(options)]:
        return Choice(LETTERS.index(bare.upper()))
    same = [i for i, option in enumerate(options) if normalise(option) == normalise(value)]
    if len(same) == 1:
        return Choice(same[0])
    if re.fullmatch(r"\d{1,2}", bare) and int(bare) < len(options):
        return Choice(int(bare))
    return None


def item_of(
    benchmark: str,
    item_id: str,
    question: Any,
    options: Any,
    key: Any,
    *,
    context: Any = None,
    meta: Mapping[str, Any] | None = None,
) -> Item | str | None:
    """An item; the reason where it cannot be one; None where the row carries no question."""
    if not isinstance(question, str) or not question.strip() or options is None:
        return None
    texts = options_of(options)
    if texts is None:
        return "options are not readable"
    target = key_of(key, texts)
    if target is None:
        return "key is not an option"
    return Item(
        benchmark=benchmark,
        item_id=item_id,
        question=question,
        options=texts,
        target=target,
        context=context if isinstance(context, str) and context else None,
        meta=dict(meta or {}),
    )
