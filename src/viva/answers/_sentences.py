"""Sentence bounds around a position, found by looking at a bounded stretch."""

from __future__ import annotations

import re

__all__ = ["sentence_end", "sentence_start"]

_LABELS = re.compile(r"(?:^|[\n.:;(\[>|*-]|\b(?:is|option|choice|answer|letter|be)) {0,3}[(\[]?$")
_LONGEST = 400
_STOPS = (". ", "\n", "? ", "! ", "; ")


def sentence_start(low: str, at: int, start: int) -> int:
    first = max(start, at - _LONGEST)
    begin = first
    for stop in _STOPS:
        found = low.rfind(stop, first, at)
        # "B. Ketamine is correct": the stop behind a lone letter ends a label, not a sentence.
        if stop == ". " and found > 0 and low[found - 1].isalpha():
            lone = found < 2 or not low[found - 2].isalnum()
            if lone and _LABELS.search(low, max(first, found - 14), found - 1):
                found = low.rfind(stop, first, found - 1) if found - 1 > first else -1
        begin = max(begin, found + len(stop) if found >= 0 else first)
    return begin


def sentence_end(low: str, at: int) -> int:
    limit = min(len(low), at + _LONGEST)
    ends = [low.find(stop, at, limit) for stop in _STOPS]
    return min((end for end in ends if end >= 0), default=limit)
