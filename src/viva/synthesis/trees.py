"""Trees of reasoning, and the pairs of a better and a worse way on that they hold.

As Med-REFL (2506.13793): a node is worth the share of right leaves below it. Of the ways on from
one node, one that is worth more is preferred to one that is worth less (*reasoning* pairs); of the
reflections on one text, one that ends right to one that ends wrong (*reflection* pairs).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

__all__ = ["DEEPEST", "MOST_NODES", "Node", "Pair", "tree_from_json", "tree_to_pairs", "value"]

DEEPEST, MOST_NODES = 32, 10_000
"""Levels and nodes of the largest tree that is read."""


@dataclass(frozen=True, slots=True)
class Node:
    """A piece of text and the ways on from it."""

    text: str
    children: tuple[Node, ...] = ()
    right: bool | None = None
    """Of a leaf: whether its answer is right; None where it was not read."""
    reflects: bool = False
    """Whether it looks back on what stands before it."""


class Pair(NamedTuple):
    """Two ways on from the same beginning."""

    kind: str
    """``reasoning`` or ``reflection``."""
    start: str
    """What stands before both; empty at the root."""
    chosen: str
    rejected: str
    margin: float
    """Difference of the values, above 0 to 1."""
    start_value: float
    """Value of the ways on that do not reflect, or of the node where all do."""


def value(node: Node) -> float:
    """The share of right leaves below a node, itself if it is one; an unread leaf is not right."""
    right, leaves = _leaves(node)
    return right / leaves


def _leaves(node: Node) -> tuple[int, int]:
    right = leaves = 0
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if one.children:
            waiting.extend(one.children)
        else:
            leaves += 1
            right += one.right is True
    return right, leaves


def tree_to_pairs(root: Node, *, margin: float = 0.5, joined: str = "\n") -> list[Pair]:
    """The pairs that a tree holds: of every node the best way on against the worst.

    Parameters
    ----------
    root : Node
        Its text stands before everything.
    margin : float
        Least difference of the values, above 0 to 1.
    joined : str
        What stands between the texts of a path.

    Returns
    -------
    list of Pair
        The chosen side goes on to a right leaf, the rejected one to a leaf that is not right; a
        node whose ways on offer no such two has no pair.
    """
    found: list[Pair] = []
    waiting: list[tuple[Node, tuple[str, ...]]] = [(root, (root.text,) if root.text else ())]
    while waiting:
        node, before = waiting.pop()
        for reflects in (False, True):
            ways = [child for child in node.children if child.reflects == reflects]
            if len(ways) < 2:
                continue
            ranked = sorted(ways, key=lambda child: -value(child))
            best, worst = ranked[0], ranked[-1]
            apart = value(best) - value(worst)
            chosen, rejected = _path(best, right=True), _path(worst, right=False)
            if apart < margin or not apart or chosen is None or rejected is None:
                continue
            plain = [child for child in node.children if not child.reflects]
            found.append(
                Pair(
                    "reflection" if reflects else "reasoning",
                    joined.join(before),
                    joined.join(chosen),
                    joined.join(rejected),
                    apart,
                    value(Node("", tuple(plain)) if plain else node),
                )
            )
        waiting.extend((child, (*before, child.text)) for child in reversed(node.children))
    return found


def _path(node: Node, *, right: bool) -> tuple[str, ...] | None:
    """Texts from a node to the first leaf that is right, or is not; None where there is none."""
    waiting: list[tuple[Node, tuple[str, ...]]] = [(node, ())]
    while waiting:
        one, before = waiting.pop()
        texts = (*before, one.text)
        if one.children:
            waiting.extend((child, texts) for child in reversed(one.children))
        elif (one.right is True) == right:
            return texts
    return None


def tree_from_json(given: Any) -> Node | None:
    """The tree of a JSON object with ``text``, ``children``, ``right`` and ``reflects``.

    Returns
    -------
    Node or None
        None where it is no tree, or deeper or larger than :data:`DEEPEST` and :data:`MOST_NODES`.
    """
    left = [MOST_NODES]

    def node(one: Any, depth: int) -> Node | None:
        left[0] -= 1
        if depth > DEEPEST or left[0] < 0 or not isinstance(one, Mapping):
            return None
        text, children, right = (one.get(name) for name in ("text", "children", "right"))
        listed = [] if children is None else children
        if not isinstance(text, str) or not isinstance(listed, (list, tuple)):
            return None
        below = []
        for child in listed:
            made = node(child, depth + 1)
            if made is None:
                return None
            below.append(made)
        return Node(text, tuple(below), right if isinstance(right, bool) else None,
                    one.get("reflects") is True)  # fmt: skip

    return node(given, 0)
