"""Shares of the kinds of starts: checked, dealt to examples, and kept to rounding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from viva.errors import InputError, did_you_mean
from viva.synthesis.examples import Example, seeded
from viva.worlds.starts import KINDS

__all__ = ["SHARES", "check_shares", "deal", "largest_within", "within_shares"]

SHARES: Mapping[str, float] = dict.fromkeys(KINDS, 0.25)
"""Shares of the kinds of starts, where none are given."""


def check_shares(shares: Mapping[str, float] | None, *, force: bool = False) -> dict[str, float]:
    """Shares of all kinds, summing to 1.

    Raises
    ------
    InputError
        An unknown kind, a negative share, none above 0; wrong starts without correct or without
        absent ones, unless forced.
    """
    given = dict(SHARES if shares is None else shares)
    for kind, share in given.items():
        if kind not in KINDS:
            raise InputError(f"no kind of start {kind!r}", mend=did_you_mean(str(kind), KINDS))
        if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share < 1e9:
            raise InputError(f"the share of {kind} starts is {share!r}", mend="Give 0 or more")
    total = sum(given.values())
    if not total > 0:
        raise InputError("shares of starts that are all 0", mend="Give one above 0")
    missing = [kind for kind in ("correct", "absent") if not given.get(kind)]
    if missing and not force:
        raise InputError(
            f"shares of starts without {' and '.join(missing)} ones teach distrust of every start",
            mend="Give them a share, or set force",
        )
    return {kind: given.get(kind, 0.0) / total for kind in KINDS}


def deal(
    possible: Mapping[int, Sequence[str]],
    shares: Mapping[str, float],
    each: int,
    *,
    order: Sequence[int],
) -> dict[int, list[str]]:
    """Deal kinds to examples so that their numbers come as near to the shares as can be.

    Parameters
    ----------
    possible : mapping of int to sequence of str
        The kinds that each example can have.
    shares : mapping of str to float
        Summing to 1.
    each : int
        Kinds for each example, all different.
    order : sequence of int
        In which examples are dealt to, those with the fewest choices first.

    Returns
    -------
    dict of int to list of str
    """
    slots = sum(min(each, len(kinds)) for kinds in possible.values())
    left = {kind: share * slots for kind, share in shares.items()}
    dealt: dict[int, list[str]] = {}
    for at in sorted(order, key=lambda at: len(possible[at])):
        # The kind that is furthest behind, the rarest first where two are equal.
        ranked = sorted(possible[at], key=lambda kind: (-left[kind], KINDS.index(kind)))
        dealt[at] = ranked[:each]
        for kind in dealt[at]:
            left[kind] -= 1
    return dealt


def largest_within(counts: Mapping[str, int], shares: Mapping[str, float]) -> dict[str, int]:
    """The largest numbers of each kind that keep to the shares within rounding.

    Parameters
    ----------
    counts : mapping of str to int
        How many there are.
    shares : mapping of str to float
        Summing to 1.

    Returns
    -------
    dict of str to int
        Each less than 1 from its share of their sum, and none above its count.
    """
    wanted = {kind: share for kind, share in shares.items() if share > 0}
    have = {kind: counts.get(kind, 0) for kind in wanted}
    # Beyond this one kind at least would be a whole example short.
    n = min([sum(have.values()), *(int((have[k] + 1) / share) for k, share in wanted.items())])
    for total in range(n, 0, -1):
        exact = {kind: share * total for kind, share in wanted.items()}
        found = {kind: int(value + 1e-9) for kind, value in exact.items()}
        if any(found[kind] > have[kind] for kind in wanted):
            continue
        room = [k for k in wanted if have[k] > found[k] and exact[k] - found[k] > 1e-9]
        left = total - sum(found.values())
        if len(room) < left:
            continue
        for kind in sorted(room, key=lambda kind: found[kind] - exact[kind])[:left]:
            found[kind] += 1
        return dict.fromkeys(shares, 0) | found
    return dict.fromkeys(shares, 0)


def within_shares(
    finished: Sequence[tuple[int, Example]],
    shares: Mapping[str, float],
    seed: int,
) -> tuple[list[tuple[int, Example]], set[int]]:
    """The examples that keep to the shares, and the places of those that are beyond them.

    Parameters
    ----------
    finished : sequence of (int, Example)
        Each with the place of its input.
    shares : mapping of str to float
        Summing to 1.
    seed : int
        Draws which ones are left out.
    """
    counts = Counter(str(one.start_kind) for _, one in finished)
    room = largest_within(counts, shares)
    order = sorted(
        range(len(finished)), key=lambda n: (seeded(finished[n][1], "shares", seed).random(), n)
    )
    taken: set[int] = set()
    for n in order:
        kind = str(finished[n][1].start_kind)
        if room[kind]:
            room[kind] -= 1
            taken.add(n)
    kept = [each for n, each in enumerate(finished) if n in taken]
    return kept, {at for n, (at, _) in enumerate(finished) if n not in taken}
