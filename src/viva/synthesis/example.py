"""One row of training data, and every step that it went through."""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from viva.errors import InputError
from viva.records import Item

__all__ = ["Example", "Provenance", "check_keys", "key_of", "seeded"]


@dataclass(frozen=True, slots=True)
class Provenance:
    """One step that an example went through."""

    step: str
    """Name of the synthesis step, or ``read``."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What it was called with: plain values, as JSON has them."""
    model: str | None = None
    """Spec of the model that wrote or measured; None where none did."""
    prompt_hash: str | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """One row of training data. Benchmark, item and ``number`` together are its key."""

    item: Item
    """Question, options, typed target, context, group, stratum, p_reasoning, meta."""
    completion: str | None = None
    """What is to be learned, after ``start``; the preferred side of a pair."""
    rejected: str | None = None
    """The side of a pair that is not preferred."""
    start: str = ""
    """Beginning of the answer that is put before the model: never in the loss."""
    start_kind: str | None = None
    """None, or one of :data:`viva.worlds.starts.KINDS`."""
    number: int = 0
    """Several examples of one item are numbered, from 0."""
    source: str = ""
    """File or benchmark it came from: reports are per source."""
    licence: str | None = None
    """As in the cards of benchmarks, SPDX where there is one; None where it is not known."""
    scores: Mapping[str, float] = field(default_factory=dict)
    """``p_reasoning``, ``pass_rate``, ``pass_count``, ``hops``, ``difficulty``, ``words`` ..."""
    provenance: tuple[Provenance, ...] = ()
    """Every step, in order; the first is ``read``."""


def key_of(example: Example) -> tuple[str, str, int]:
    """What names an example: benchmark, item and number."""
    return example.item.benchmark, example.item.item_id, example.number


def seeded(example: Example, *names: str | int) -> random.Random:
    """A generator that depends on the example's key and the names alone, not on the order of rows.

    Parameters
    ----------
    example : Example
    *names : str or int
        The step and its seed, so that two steps draw apart.
    """
    told = json.dumps([*key_of(example), *names], ensure_ascii=False)
    digest = hashlib.sha256(told.encode("utf-8", "surrogatepass")).digest()
    return random.Random(digest)  # noqa: S311


def check_keys(examples: Iterable[Example], *, where: str | None = None) -> None:
    """Refuse two examples with one key.

    Raises
    ------
    InputError
        Naming the first key that occurs twice, and how many do.
    """
    counts = Counter(key_of(example) for example in examples)
    twice = [key for key, count in counts.items() if count > 1]
    if twice:
        benchmark, item_id, number = twice[0]
        raise InputError(
            f"two examples are {benchmark}/{item_id} number {number} ({len(twice)} such keys)",
            where=where,
            mend="Number the examples of one item apart",
        )
