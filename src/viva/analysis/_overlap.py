"""Which items share runs of words with a stream of texts: the items are indexed, texts pass by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from viva.analysis._words import Words, gram_hashes, words_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "BOILERPLATE",
    "GRAM",
    "Candidate",
    "Index",
    "build_index",
    "candidates",
    "common_runs",
    "union",
]

SEED = 4
"""Words of a run by which a pair of item and text is noticed."""
GRAM = 8
"""Words of the shortest run that counts as shared."""
BOILERPLATE = 5
"""A run of ``GRAM`` words that so many different questions hold says nothing about one of them."""
_COMMON = 20
"""A seed that more questions hold is no seed: it would propose them all."""
_SHARE = 0.2
"""Share of an item's seeds that must be near each other in a text for a closer look."""
_SLACK = 1.3
"""The closer look is at so many times the words of the item."""
_TABLE_BITS = 24


class Index(NamedTuple):
    """Seeds of the items, for looking up."""

    words: Words
    """Of the stems, one text per item."""
    first: NDArray[np.int64]
    """Shape (items + 1,): the words of item ``i`` are ``first[i]`` to ``first[i + 1]``."""
    telling: NDArray[np.bool_]
    """Of every word: whether a run of ``run`` words that is no boilerplate begins with it."""
    run: NDArray[np.int64]
    """Of every item: ``GRAM``, or ``SEED`` where its stem is shorter."""
    seeds: NDArray[np.uint64]
    """Ascending and unique."""
    starts: NDArray[np.int64]
    """Places of seed ``s`` are ``starts[s]`` to ``starts[s + 1]``."""
    item: NDArray[np.int64]
    position: NDArray[np.int64]
    """Of a place: the item, and the word of its stem at which the seed begins."""
    need: NDArray[np.int64]
    """Of every item: different seeds that a text must hold; 0 = the item has no seed."""
    table: NDArray[np.bool_]
    """Whether any seed has these first bits: most runs of a text are done with here."""


class Candidate(NamedTuple):
    """An item, and the stretch of a text that shares most seeds with it."""

    item: int
    text: int
    first: int
    last: int
    """Words of the block, ``last`` exclusive."""


def _telling(
    words: Words, run: NDArray[np.int64], grams: Words, question: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Words of items with which a run begins that fewer than ``BOILERPLATE`` questions hold.

    ``grams`` are the words of the items and then of the others; ``question`` is of each text.
    """
    out = np.zeros(len(words.hashes), dtype=bool)
    for n in (GRAM, SEED):
        keys, places = gram_hashes(grams, n)
        if not len(keys):
            continue
        asked = question[grams.owner[places]]
        order = np.lexsort((asked, keys))
        keys, places, asked = keys[order], places[order], asked[order]
        new_key = np.concatenate([[True], keys[1:] != keys[:-1]])
        fresh = new_key | np.concatenate([[True], asked[1:] != asked[:-1]])
        code = np.cumsum(new_key) - 1
        rare = np.bincount(code[fresh])[code] < BOILERPLATE
        begin = places[rare & (places < len(out))]
        out[begin[run[words.owner[begin]] == n]] = True
    return out


def union(begin: NDArray[np.bool_], n: int) -> NDArray[np.bool_]:
    """Words inside a run of ``n`` that begins at one of these words."""
    steps = np.zeros(len(begin) + n, dtype=np.int64)
    at = np.flatnonzero(begin)
    steps[at] += 1
    steps[at + n] -= 1
    return np.cumsum(steps)[: len(begin)] > 0


def build_index(
    stems: Sequence[str], question: NDArray[np.int64], others: Sequence[str] = ()
) -> Index:
    """Index the stems of items.

    Parameters
    ----------
    stems : sequence of str
        Of the items.
    question : array of int, shape (items,)
        Equal for items that ask the same thing: variants and copies count once where it is
        counted how many questions hold a run of words.
    others : sequence of str
        Stems of other questions, which count too.
    """
    words = words_of(stems)
    first = np.searchsorted(words.owner, np.arange(len(stems) + 1))
    both = words_of([*stems, *others])
    codes: dict[bytes, int] = {}
    for item, code in enumerate(question.tolist()):
        span = words.hashes[first[item] : first[item + 1]].tobytes()
        codes.setdefault(span, int(code))
    ends = np.searchsorted(both.owner, np.arange(len(stems) + len(others) + 1))
    new = int(question.max(initial=0)) + 1
    of_others = []
    for other in range(len(stems), len(stems) + len(others)):
        span = both.hashes[ends[other] : ends[other + 1]].tobytes()
        of_others.append(codes.setdefault(span, new + other))
    all_questions = np.concatenate([question, np.array(of_others, dtype=np.int64)])
    run = np.where(np.diff(first) < GRAM, SEED, GRAM)
    telling = _telling(words, run, both, all_questions)

    keys, places = gram_hashes(words, SEED)
    order = np.argsort(keys, kind="stable")
    keys, places = keys[order], places[order]
    seeds, starts, counts = np.unique(keys, return_index=True, return_counts=True)
    code = np.repeat(np.arange(len(seeds)), counts)
    asked = question[words.owner[places]]
    # How many questions hold a seed; copies of one question lie apart only by other items.
    pairs = np.unique(np.stack([code, asked]), axis=1)[0] if len(code) else code
    kept = np.bincount(pairs, minlength=len(seeds)) <= _COMMON
    places = places[kept[code]]
    seeds, counts = seeds[kept], counts[kept]
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    item = words.owner[places]
    held = np.bincount(item, minlength=len(stems))
    need = np.where(held > 0, np.maximum(np.ceil(_SHARE * held), 1), 0).astype(np.int64)
    table = np.zeros(1 << _TABLE_BITS, dtype=bool)
    table[seeds >> np.uint64(64 - _TABLE_BITS)] = True
    position = places - first[item]
    return Index(words, first, telling, run, seeds, starts, item, position, need, table)


def candidates(index: Index, block: Words) -> Iterator[Candidate]:
    """Pairs of item and text worth a closer look, by text.

    A pair comes once, at the stretch of the text with the most seeds of the item.
    """
    keys, begin = gram_hashes(block, SEED)
    maybe = index.table[keys >> np.uint64(64 - _TABLE_BITS)]
    keys, begin = keys[maybe], begin[maybe]
    if not len(keys) or not len(index.seeds):
        return
    seed = np.minimum(np.searchsorted(index.seeds, keys), len(index.seeds) - 1)
    known = index.seeds[seed] == keys
    seed, begin = seed[known], begin[known]
    counts = index.starts[seed + 1] - index.starts[seed]
    offset = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    place = np.repeat(index.starts[seed], counts) + offset
    item, position = index.item[place], index.position[place]
    at = np.repeat(begin, counts)
    text = block.owner[at]
    order = np.lexsort((position, item, text))
    text, item, position, at = text[order], item[order], position[order], at[order]
    if not len(text):
        return
    pair = np.concatenate([[True], (text[1:] != text[:-1]) | (item[1:] != item[:-1])])
    fresh = pair | np.concatenate([[True], position[1:] != position[:-1]])
    code = np.cumsum(pair) - 1
    enough = np.bincount(code[fresh]) >= index.need[item[pair]]
    heads = np.append(np.flatnonzero(pair), len(pair))
    ends = np.searchsorted(block.owner, np.arange(int(block.owner[-1]) + 2))
    for which in np.flatnonzero(enough).tolist():
        rows = slice(int(heads[which]), int(heads[which + 1]))
        of, inside = int(item[rows.start]), int(text[rows.start])
        length = int(index.first[of + 1] - index.first[of])
        # Where the item would begin, had nothing been put in or taken out.
        shift = np.sort(at[rows] - position[rows])
        slack = max(int(length * (_SLACK - 1)), 4)
        reach = np.searchsorted(shift, shift + slack, side="right") - np.arange(len(shift))
        best = int(reach.argmax())
        if reach[best] < index.need[of]:
            continue
        first = max(int(shift[best]), int(ends[inside]))
        last = min(int(shift[best + reach[best] - 1]) + length, int(ends[inside + 1]))
        yield Candidate(of, inside, first, last)


def common_runs(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Runs of words common to two texts.

    Parameters
    ----------
    left, right : array of int
        Hashes of the words, shapes (n,) and (m,).

    Returns
    -------
    array of int, shape (n,)
        Words of the longest common run that ends with this word of ``left``.
    """
    longest = np.zeros(len(left), dtype=np.int64)
    running = np.zeros(len(left) + 1, dtype=np.int64)
    for word in right:
        running[1:] = np.where(left == word, running[:-1] + 1, 0)
        np.maximum(longest, running[1:], out=longest)
    return longest
