"""Sets of character shingles, and the pairs of sets that are alike, in near-linear time.

Every text becomes the set of its overlapping five-character pieces ("shingles"), hashed to 32
bits. Pairs are proposed by MinHash signatures and banding (Broder 1997; Indyk and Motwani 1998;
Leskovec, Rajaraman and Ullman, *Mining of Massive Datasets*, chapter 3) and then measured
exactly on the sets, so that chance decides only what is looked at, never what is reported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from viva.records import normalise

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Shingles", "candidate_pairs", "shingle", "similarities", "weigh"]

WIDTH = 5
"""Characters of a shingle."""
BANDS, ROWS = 32, 4
"""Jaccard J is proposed with probability 1 - (1 - J^4)^32: 0.873 at 0.5, 0.988 at 0.6."""
CROWD = 100
"""Buckets with more members than this are compared along a chain, not all with all."""
NEIGHBOURS = 20
"""In a crowded bucket each member is compared with this many that follow it."""

_BLOCK = 2_000_000  # shingles in flight: bounds the temporary arrays to some 50 MB
_PAIR_BLOCK = 10_000
_WEIGHT_BITS = 22
_UNSEEN = 1001
_NOT_WORD = re.compile(r"[\W_]+")


class Shingles(NamedTuple):
    """Sets of hashed shingles, one after the other (compressed sparse rows)."""

    values: NDArray[np.uint32]
    """Hashes, ascending and unique inside each set."""
    starts: NDArray[np.int64]
    """Set ``i`` is ``values[starts[i]:starts[i + 1]]``; length: number of texts + 1."""


class Candidates(NamedTuple):
    """Pairs worth measuring."""

    pairs: NDArray[np.int64]
    """Shape (m, 2), ``i < j``, unique, in ascending order."""
    crowded: int
    """Buckets of more than ``CROWD`` members, in which not every pair was proposed."""


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64: spreads every input bit over every output bit."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _sorted_unique(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """As ``np.unique``, which goes through a hash table since numpy 2.3: here 20 times slower."""
    keys.sort()
    first = np.ones(len(keys), dtype=bool)
    np.not_equal(keys[1:], keys[:-1], out=first[1:])
    return keys[first]


def _folded(field: str) -> str:
    """Words only, a space on both sides, at least one shingle where there is any word."""
    words = _NOT_WORD.sub(" ", normalise(field)).strip()
    return f" {words} ".ljust(WIDTH) if words else ""


def _blocks(texts: Sequence[Sequence[str]]) -> Iterator[tuple[str, list[int]]]:
    """Joined texts of bounded size and, per text, its number of characters."""
    joined: list[str] = []
    lengths: list[int] = []
    size = 0
    for fields in texts:
        # A shingle that would run over a NUL, from one field into the next, is dropped.
        text = "\0".join(filter(None, map(_folded, fields))) + "\0"
        if joined and size + len(text) > _BLOCK:
            yield "".join(joined), lengths
            joined, lengths, size = [], [], 0
        joined.append(text)
        lengths.append(len(text))
        size += len(text)
    if joined:
        yield "".join(joined), lengths


def shingle(texts: Sequence[Sequence[str]]) -> Shingles:
    """The set of shingles of every text.

    Parameters
    ----------
    texts : sequence of sequence of str
        Each text is one or more fields (stem, options); their order does not matter, for no
        shingle spans two fields. Case, Unicode form and punctuation do not matter either.

    Returns
    -------
    Shingles
        One set per text; empty for a text without letters or digits.
    """
    values: list[NDArray[np.uint32]] = []
    counts: list[NDArray[np.int64]] = []
    powers = _mixed(np.arange(1, WIDTH + 1, dtype=np.uint64)) | np.uint64(1)
    for text, lengths in _blocks(texts):
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
        owners = np.repeat(np.arange(len(lengths), dtype=np.uint64), lengths)
        n = max(len(codes) - WIDTH + 1, 0)
        hashes = np.zeros(n, dtype=np.uint64)
        inside = np.ones(n, dtype=bool)
        for offset, power in enumerate(powers):
            column = codes[offset : offset + n]
            hashes += column.astype(np.uint64) * power
            inside &= column != 0
        keys = (owners[:n] << np.uint64(32)) | (_mixed(hashes) >> np.uint64(32))
        keys = _sorted_unique(keys[inside])
        values.append((keys & np.uint64(0xFFFFFFFF)).astype(np.uint32))
        counts.append(np.bincount((keys >> np.uint64(32)).astype(np.int64), minlength=len(lengths)))
    if not values:
        return Shingles(np.empty(0, np.uint32), np.zeros(1, np.int64))
    starts = np.concatenate([[0], np.cumsum(np.concatenate(counts))]).astype(np.int64)
    return Shingles(np.concatenate(values), starts)


def _signatures(sets: Shingles, seed: int) -> NDArray[np.uint32]:
    """MinHash signatures, shape (BANDS * ROWS, sets); sets must not be empty."""
    rng = np.random.default_rng(seed)
    n = len(sets.starts) - 1
    factors = rng.integers(0, 2**31, BANDS * ROWS, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    offsets = rng.integers(0, 2**32, BANDS * ROWS, dtype=np.uint32)
    out = np.empty((BANDS * ROWS, n), dtype=np.uint32)
    first = 0
    while first < n:
        limit = sets.starts[first] + _BLOCK
        last = max(int(np.searchsorted(sets.starts, limit, side="right")) - 1, first + 1)
        begin, end = sets.starts[first], sets.starts[last]
        values = sets.values[begin:end]
        heads = sets.starts[first:last] - begin
        for row, (factor, offset) in enumerate(zip(factors, offsets, strict=True)):
            # An odd factor makes this a permutation of the 32-bit numbers (they wrap around).
            out[row, first:last] = np.minimum.reduceat(values * factor + offset, heads)
        first = last
    return out


def _bucket_pairs(
    order: NDArray[np.int64], sizes: NDArray[np.int64]
) -> Iterator[NDArray[np.int64]]:
    """Pairs inside consecutive runs of ``order``; a crowded run is walked as a chain."""
    ends = np.repeat(np.cumsum(sizes), sizes)
    reach = np.repeat(np.where(sizes > CROWD, NEIGHBOURS, sizes), sizes)
    position = np.arange(len(order))
    step = 1
    while True:
        keep = (position + step < ends) & (step <= reach)
        if not keep.any():
            return
        left = order[position[keep]]
        right = order[position[keep] + step]
        yield np.stack([np.minimum(left, right), np.maximum(left, right)], axis=1)
        step += 1


def candidate_pairs(
    sets: Shingles, threshold: float, *, eligible: NDArray[np.bool_] | None = None, seed: int = 0
) -> Candidates:
    """Pairs of sets whose Jaccard similarity probably reaches ``threshold``.

    Parameters
    ----------
    sets : Shingles
        Empty sets are in no pair.
    threshold : float
        Jaccard similarity, 0..1; below 0.5 the bands miss a good part of the pairs.
    eligible : array of bool, optional
        Sets that may be in a pair; all where it is left out.
    seed : int
        Of the hash functions.

    Returns
    -------
    Candidates
        Pairs whose signatures agree in a share of at least ``threshold`` less three standard
        errors of that share.
    """
    sizes = np.diff(sets.starts)
    keep = sizes > 0 if eligible is None else (sizes > 0) & eligible
    filled = np.flatnonzero(keep)
    if len(filled) < 2:
        return Candidates(np.empty((0, 2), np.int64), 0)
    starts = np.concatenate([[0], np.cumsum(sizes[filled])]).astype(np.int64)
    signatures = _signatures(Shingles(sets.values[np.repeat(keep, sizes)], starts), seed)
    floor = threshold - 3 * np.sqrt(threshold * (1 - threshold) / len(signatures))
    kept = np.empty(0, np.uint64)
    crowded = 0
    for band in signatures.reshape(BANDS, ROWS, -1):
        keys = np.zeros(len(filled), dtype=np.uint64)
        for row in band:
            keys = _mixed(keys + row)
        order = np.argsort(keys, kind="stable").astype(np.int64)
        edges = np.flatnonzero(np.diff(keys[order])) + 1
        sizes = np.diff(np.concatenate([[0], edges, [len(order)]]))
        several = np.repeat(sizes > 1, sizes)
        crowded += int((sizes > CROWD).sum())
        fresh = [kept]
        for pairs in _bucket_pairs(order[several], sizes[sizes > 1]):
            agree = np.concatenate(
                [
                    (signatures[:, block[:, 0]] == signatures[:, block[:, 1]]).mean(axis=0)
                    for block in np.array_split(pairs, len(pairs) // _PAIR_BLOCK + 1)
                ]
            )
            left, right = pairs[agree >= floor].astype(np.uint64).T
            fresh.append((left << np.uint64(32)) | right)
        kept = _sorted_unique(np.concatenate(fresh))
    left, right = kept >> np.uint64(32), kept & np.uint64(0xFFFFFFFF)
    return Candidates(np.stack([filled[left], filled[right]], axis=1).astype(np.int64), crowded)


def weigh(sets: Shingles, among: Shingles | None = None) -> NDArray[np.float32]:
    """How telling every shingle is, 0..1, in the order of ``sets.values``.

    Counted are the sets themselves, or those of ``among``.

    A shingle weighs ``ln(N / df) / ln(N)``, df sets out of n holding it and ``N = n + 1001``:
    1 for one that occurs once, next to nothing for pieces that most texts have ("which of the
    following"), which say little about whether two texts ask the same. The 1,001 stand for
    texts not seen: among few texts, nothing is known to be boilerplate.
    """
    among = sets if among is None else among
    n = len(among.starts) - 1 + _UNSEEN
    shift = np.uint32(32 - _WEIGHT_BITS)
    frequency = np.bincount(among.values >> shift, minlength=1 << _WEIGHT_BITS)
    # Two shingles may fall into one bucket: their df is then too large.
    by_bucket = np.log(n / np.clip(frequency, 1, n - _UNSEEN + 1)) / np.log(n)
    weights: NDArray[np.float32] = by_bucket.astype(np.float32)[sets.values >> shift]
    return weights


def similarities(
    sets: Shingles, weights: NDArray[np.float32], pairs: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weighted Jaccard similarity of pairs, and the weight that each pair shares.

    Parameters
    ----------
    sets : Shingles
        n sets.
    weights : array of float
        Of every element of ``sets.values``, as by :func:`weigh`.
    pairs : array of int, shape (m, 2)
        Positions of sets.

    Returns
    -------
    similarity : array of float, shape (m,)
        Weight of the intersection over weight of the union, 0..1.
    shared : array of float, shape (m,)
        Weight of the intersection: 12 is worth 12 shingles that no other text has.
    """
    from scipy.sparse import csr_array

    # Only the sets that are in a pair: most are in none.
    sizes = np.diff(sets.starts)
    used = np.zeros(len(sizes), dtype=bool)
    used[pairs] = True
    kept = np.repeat(used, sizes)
    starts = np.concatenate([[0], np.cumsum(sizes[used])])
    # scipy wants signed columns: one bit of the hash is given up.
    columns = (sets.values[kept] >> np.uint32(1)).astype(np.int32)
    matrix = csr_array((weights[kept], columns, starts), shape=(len(starts) - 1, 2**31 - 1))
    totals = np.asarray(matrix.sum(axis=1), dtype=np.float64)
    rows = (np.cumsum(used) - 1)[pairs]
    shared = np.empty(len(rows), dtype=np.float64)
    for first in range(0, len(rows), _PAIR_BLOCK):
        block = rows[first : first + _PAIR_BLOCK]
        common = matrix[block[:, 0]].minimum(matrix[block[:, 1]])
        shared[first : first + _PAIR_BLOCK] = common.sum(axis=1)
    union = totals[rows[:, 0]] + totals[rows[:, 1]] - shared
    similarity = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return np.clip(similarity, 0, 1), shared
