"""Option shuffling: the same question with its options in several orders, and a vote."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Sequence
from dataclasses import replace

from viva.methods._asking import UNSET, conversation
from viva.methods._types import Count, Share
from viva.methods._votes import Ties, account, draw, elected, letter_of
from viva.methods.answer import Answer
from viva.methods.prompts import Prompt
from viva.models import Caller, Request, Sampling
from viva.records import LETTERS, Item

__all__ = ["ensemble", "orders"]


async def ensemble(
    item: Item,
    client: Caller,
    *,
    sampling: Sampling = UNSET,
    prompt: Prompt | None = None,
    k: Count = 5,
    seed: int = 0,
    ties: Ties = "abstain",
    minimum_share: Share = 0.0,
    system: str | None = None,
) -> Answer:
    """Ask under several orders of the options at once and let the answers vote.

    Choice shuffling [1]_: what a model picks for its place and not for its content loses votes.
    Each reply is read against the options in the order that was shown and mapped back to the
    item's own. Failures count as in :func:`viva.methods.self_consistency.self_consistency`.

    Parameters
    ----------
    item : Item
        At least two options.
    client : Caller
        Who is asked; ``k`` calls at once.
    sampling : Sampling
        What the user gave; the rest is the back-end's.
    prompt : Prompt, optional
        ``cot`` where not given.
    k : int
        Orders shown; those of :func:`orders`.
    seed : int
        Other orders for another seed.
    ties : {"abstain", "first"}
        Where several options share the lead: no answer, or the one that was read first.
    minimum_share : float
        Share of all orders, 0..1, below which the winner is no answer.
    system : str, optional
        The text of a system turn; there is none otherwise.

    Returns
    -------
    Answer
        Decided: the winner, or None as an abstention. ``confidence`` is the winner's votes over
        ``k``, ``probabilities`` every option's, in the item's order; ``text`` also says at which
        places the chosen options stood.

    Raises
    ------
    InputError
        An item without options; a prompt that fails.
    viva.models.CallFailed
        A reply is missing that another try may bring, or all are.

    References
    ----------
    .. [1] Nori et al., Can Generalist Foundation Models Outcompete Special-Purpose Tuning? Case
       Study in Medicine, arXiv:2311.16452, 2023.
    """
    shown = orders(item, k, seed)
    texts = [tuple(item.options[i] for i in order) for order in shown]
    asked = [
        Request(
            conversation(replace(item, options=options), prompt or "cot", system),
            sampling=sampling,
            draw=number,
        )
        for number, options in enumerate(texts)
    ]
    replies = await draw(client, asked)
    places = [letter_of(reply, options) for reply, options in zip(replies, texts, strict=True)]
    letters = [
        None if place is None else LETTERS[order[LETTERS.index(place)]]
        for place, order in zip(places, shown, strict=True)
    ]
    winner = elected(letters, ties=ties, minimum_share=minimum_share)
    said = [str(LETTERS.index(place) + 1) if place else "none" for place in places]
    return account(
        letters, len(item.options), winner, f"{k} orders (places chosen: {' '.join(said)})"
    )


def orders(item: Item, k: int, seed: int = 0) -> list[tuple[int, ...]]:
    """The orders in which an item's options are shown.

    Rotations of a random order, in random succession; after as many as there are options, those
    of another one. Every option stands at every place equally often but for one. The item's own
    order is one like any other. An option that speaks of those above or below it keeps its
    place; where options name each other by letter ("both A and B"), all keep theirs.

    Parameters
    ----------
    item : Item
        Its key determines the orders.
    k : int
        How many.
    seed : int
        Other orders for another seed.

    Returns
    -------
    list of tuple of int
        ``order[place]`` is the 0-based position of an option in the item.
    """
    count = len(item.options)
    named = hashlib.sha256(f"{seed}\x1f{item.benchmark}\x1f{item.item_id}".encode()).digest()
    chance = random.Random(int.from_bytes(named[:8], "big"))  # noqa: S311  no secret
    movable = _movable(item.options)
    found: list[tuple[int, ...]] = []
    while len(found) < k:
        base = list(movable)
        chance.shuffle(base)
        turns = list(range(max(1, len(base))))
        chance.shuffle(turns)
        for turn in turns:
            order = list(range(count))
            for place, option in zip(movable, base[turn:] + base[:turn], strict=True):
                order[place] = option
            found.append(tuple(order))
    return found[:k]


_BOUND = re.compile(
    r"\b(?:the|all|none|any|both|of) (?:above|below|preceding|previous|foregoing|aforementioned)\b",
    re.I,
)
_CONNECTING = frozenset(
    "and or nor but not both either neither only all none of the is are correct true right wrong "
    "false incorrect option options choice choices answer answers statement statements".split()
)


def _movable(options: Sequence[str]) -> list[int]:
    """Positions of the options that can stand elsewhere without a change of meaning."""
    letters = LETTERS[: len(options)]
    if any(_names_others(option, letters) for option in options):
        return []
    return [i for i, option in enumerate(options) if not _BOUND.search(option)]


def _names_others(option: str, letters: str) -> bool:
    """Whether an option is made of letters of options and words between them, such as "A & C"."""
    words = re.findall(r"\w+", option)
    named = [word for word in words if len(word) == 1 and word.upper() in letters]
    between = [word for word in words if word not in named]
    if not named or any(word.lower() not in _CONNECTING for word in between):
        return False
    return len(named) > 1 or bool(between)
