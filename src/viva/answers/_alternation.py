"""Alternations of many words, arranged so that a regular expression skips most of them at once."""

from __future__ import annotations

__all__ = ["by_letter"]


def by_letter(alternation: str) -> str:
    """``alternation`` with its alternatives grouped by their first letter.

    The result matches the same text: alternatives with different first letters exclude each
    other, and those with the same keep their order. What starts with anything but a plain letter
    comes last.
    """
    groups: dict[str, list[str]] = {}
    others: list[str] = []
    for alternative in _split(alternation):
        first, second = alternative[:1], alternative[1:2]
        if first.isalpha() and second not in ("?", "*", "+", "{"):
            groups.setdefault(first, []).append(alternative[1:])
        else:
            others.append(alternative)
    grouped = [
        f"{first}(?:{'|'.join(rest)})" if len(rest) > 1 else first + rest[0]
        for first, rest in groups.items()
    ]
    return "|".join([*grouped, *others])


def _split(alternation: str) -> list[str]:
    """The alternatives of the outermost level."""
    parts, depth, begin, at, in_class = [], 0, 0, 0, False
    while at < len(alternation):
        char = alternation[at]
        if char == "\\":
            at += 1
        elif in_class:
            in_class = char != "]"
        elif char == "[":
            in_class = True
        elif char in "()":
            depth += 1 if char == "(" else -1
        elif char == "|" and depth == 0:
            parts.append(alternation[begin:at])
            begin = at + 1
        at += 1
    return [*parts, alternation[begin:]]
