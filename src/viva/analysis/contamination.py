"""Overlap of benchmark items with training text: whole, in part, or nearly the same.

The items are indexed and the text passes by once, so that memory does not grow with it. An
overlap says that a text could have been seen in training, not that it was learned; runs of words
that many questions have ("Which of the following is the most likely diagnosis") are no overlap.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from viva._progress import Advance
from viva.analysis._overlap import (
    GRAM,
    Candidate,
    Index,
    build_index,
    candidates,
    common_runs,
    union,
)
from viva.analysis._shingles import Shingles, shingle, similarities, weigh
from viva.analysis._words import Words, fold_words, words_of
from viva.analysis.duplicates import NEAR, TELLING, clusters

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

__all__ = ["OVERLAPS", "Contamination", "contamination", "flag_schema"]

OVERLAPS = ("exact", "ngram", "fuzzy")
"""Kinds of overlap, strongest first: the whole stem word for word; long runs of its words; nearly
the same text."""

SHARE = 0.5
"""Share of a stem's telling words that shared runs must cover."""
RUN, ALIKE = 13, 0.5
"""The longest of them must have so many words, or the similarity of shingles be so high: short
stems of one pattern share runs of eight."""
LONG_SHARE, LONG_RUN = 0.25, 50
"""Less is enough where one shared run alone has so many words: an item that was cut."""
_OPTIONS = 0.75
"""Share of the options that must stand beside a stem which says little by itself."""
_MARGIN = 40
"""Words around the stretch, beside the options' own, in which options are looked for."""
_BLOCK = 1_000_000  # characters that are hashed at a time: some 60 MB of temporary arrays
_LONGEST = 20_000
"""Characters of a stem that are looked for."""
_PIECE, _LAP = 200_000, 24_000
_PENDING = 4_000
_SHOWN = 300


class Contamination(NamedTuple):
    """Overlaps of items with texts."""

    flags: pl.DataFrame
    """One row for each pair of item and row of a file; columns of :func:`flag_schema`, strongest
    first inside an item, items in their order."""
    items: int
    """Items that were looked for."""
    uncheckable: list[str]
    """``benchmark/item_id`` of those whose stem and options hold nothing to find them by."""
    rows: int
    """Rows of text that were read."""
    characters: int
    left_out: int
    """Flags beyond the ``most`` of their item: counted, not listed."""


def flag_schema() -> dict[str, Any]:
    """Columns of ``Contamination.flags``.

    ``longest_run`` in words; ``share`` of the item's telling words that shared runs of at least
    eight words cover, 0..1; ``similarity`` of shingles, 0..1; ``options`` found beside the stem,
    of ``options_total``; ``answer_given``: the right option stands there more often than each
    other one (null: it has no single one, or cannot be told).
    """
    import polars as pl

    return {
        "benchmark": pl.String,
        "item_id": pl.String,
        "file": pl.String,
        "row": pl.Int64,
        "kind": pl.String,
        "longest_run": pl.Int64,
        "share": pl.Float64,
        "similarity": pl.Float64,
        "options": pl.Int64,
        "options_total": pl.Int64,
        "answer_given": pl.Boolean,
        "item_text": pl.String,
        "row_text": pl.String,
    }


class _Item(NamedTuple):
    name: tuple[str, str]
    question: str
    options: list[bytes]
    key: int | None
    weak: bool
    """The stem alone does not tell the item from others: its options have to be there too."""
    stem_words: int


class _Seen(NamedTuple):
    """A candidate, apart from its block."""

    item: int
    file: str
    row: int
    longest: int
    share: float
    whole: bool
    text: str
    options: int
    answer: bool | None


class _Indexed(NamedTuple):
    seeds: Index
    items: list[_Item]
    sets: Shingles
    among: Shingles
    uncheckable: list[str]


def _padded(text: str) -> bytes:
    return b" " + b" ".join(fold_words(text).split()) + b" "


def _telling(index: Index, item: int) -> NDArray[np.bool_]:
    """Words of an item that are part of a run that is no boilerplate."""
    span = slice(int(index.first[item]), int(index.first[item + 1]))
    return union(index.telling[span], int(index.run[item]))


def _indexed(items: pl.DataFrame, reference: pl.DataFrame | None) -> _Indexed:
    stems = [(text or "")[:_LONGEST] for text in items["question"]]
    options = [texts or [] for texts in items["options"].to_list()]
    question = clusters(items) if items.height else np.empty(0, np.int64)
    own = set(stems)
    others = [] if reference is None else [t for t in reference["question"] if t and t not in own]
    index = build_index(stems, question, others)
    lengths = np.diff(index.first)
    telling = np.array([int(_telling(index, i).sum()) for i in range(len(stems))], dtype=np.int64)
    weak = (lengths < GRAM) | (telling < GRAM)
    texts = [
        " ".join([stem, *texts])[:_LONGEST] if poor else stem
        for stem, texts, poor in zip(stems, options, weak.tolist(), strict=True)
    ]
    if weak.any():
        index = build_index(texts, question, others)
    keys = items["key"].to_list()
    made = [
        _Item((benchmark, item_id), stem, [_padded(t) for t in own],
              key[0] if key and len(key) == 1 else None, poor, int(length))
        for benchmark, item_id, stem, own, key, poor, length in zip(
            items["benchmark"], items["item_id"], stems, options, keys, weak.tolist(),
            lengths.tolist(), strict=True,
        )
    ]  # fmt: skip
    blind = [
        need == 0 or (item.weak and sum(len(o) > 2 for o in item.options) < 2)
        for need, item in zip(index.need.tolist(), made, strict=True)
    ]
    index.need[np.array(blind, dtype=bool)] = np.iinfo(np.int64).max
    uncheckable = ["/".join(item.name) for item, out in zip(made, blind, strict=True) if out]
    among = shingle([[text] for text in [*texts, *others]])
    starts = among.starts[: len(texts) + 1]
    sets = Shingles(among.values[: starts[-1]], starts)
    return _Indexed(index, made, sets, among, uncheckable)


def _pieces(
    texts: Iterable[tuple[str, int, str]], tally: list[int], advance: Advance | None
) -> Iterator[tuple[str, int, str]]:
    """Texts of bounded length; a long one is cut at spaces into pieces that overlap."""
    for file, row, text in texts:
        tally[0] += 1
        tally[1] += len(text)
        if advance is not None:
            advance(len(text))
        begin = 0
        while len(text) - begin > _PIECE:
            end = text.rfind(" ", begin + _PIECE // 2, begin + _PIECE)
            end = end if end > 0 else begin + _PIECE
            yield file, row, text[begin:end]
            begin = end - _LAP
        yield file, row, text[begin:] if begin else text


def _blocks(pieces: Iterable[tuple[str, int, str]]) -> Iterator[list[tuple[str, int, str]]]:
    held: list[tuple[str, int, str]] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece[2]) + 1
        if size >= _BLOCK:
            yield held
            held, size = [], 0
    if held:
        yield held


def _options_beside(item: _Item, around: bytes) -> tuple[int, bool | None]:
    """How many options stand in a text, and whether the right one stands out."""
    counts = [around.count(option) if len(option) > 2 else 0 for option in item.options]
    found = sum(n > 0 for n in counts)
    if item.key is None or item.key >= len(counts) or found == 0:
        return found, None
    others = max((n for i, n in enumerate(counts) if i != item.key), default=0)
    return found, counts[item.key] > others


def _look(known: _Indexed, block: Words, pair: Candidate, file: str, row: int) -> _Seen | None:
    """Measure one candidate by its words."""
    index, item = known.seeds, known.items[pair.item]
    span = slice(int(index.first[pair.item]), int(index.first[pair.item + 1]))
    longest = common_runs(index.words.hashes[span], block.hashes[pair.first : pair.last])
    run = int(index.run[pair.item])
    shared = np.zeros(len(longest), dtype=bool)  # whether a run that is shared begins here
    shared[: max(len(longest) - run + 1, 0)] = longest[run - 1 :] >= run
    covered = union(shared & index.telling[span], run)
    share = float(covered.sum() / max(_telling(index, pair.item).sum(), 1))
    stem = item.stem_words
    whole = bool(stem and longest[stem - 1] >= stem)
    beside = _MARGIN + 2 * sum(option.count(b" ") for option in item.options)
    limits = np.searchsorted(block.owner, [pair.text, pair.text + 1])
    low, high = max(pair.first - beside, int(limits[0])), min(pair.last + beside, int(limits[1]))
    around = b" " + block.text(low, high).encode() + b" "
    found, answer = _options_beside(item, around)
    if item.weak and found < max(2, _OPTIONS * len(item.options)):
        return None
    text = block.text(pair.first, pair.last)
    most = int(longest.max(initial=0))
    return _Seen(pair.item, file, row, most, share, whole, text, found, answer)


def _kind(seen: _Seen, item: _Item, similarity: float, shared: float) -> str | None:
    if seen.whole:
        return "exact"
    half = seen.share >= SHARE and (
        seen.longest >= RUN or (similarity >= ALIKE and shared >= TELLING)
    )
    cut = seen.share >= LONG_SHARE and seen.longest >= LONG_RUN
    if not item.weak and (half or cut):
        return "ngram"
    if similarity >= NEAR and shared >= TELLING:
        return "fuzzy"
    return None


def _judged(known: _Indexed, pending: list[_Seen]) -> Iterator[tuple[_Seen, str, float]]:
    """The candidates that are overlaps, with their kind and similarity."""
    if not pending:
        return
    used = sorted({seen.item for seen in pending})
    place = {item: at for at, item in enumerate(used)}
    windows = shingle([[seen.text] for seen in pending])
    starts, values = known.sets.starts, known.sets.values
    sizes = np.diff(starts)[used]
    sets = Shingles(
        np.concatenate([*(values[starts[i] : starts[i + 1]] for i in used), windows.values]),
        np.concatenate([[0], np.cumsum(np.concatenate([sizes, np.diff(windows.starts)]))]),
    )
    pairs = np.array([(place[s.item], len(used) + at) for at, s in enumerate(pending)])
    similarity, shared = similarities(sets, weigh(sets, known.among), pairs)
    for seen, alike, weight in zip(pending, similarity.tolist(), shared.tolist(), strict=True):
        kind = _kind(seen, known.items[seen.item], alike, weight)
        if kind is not None:
            yield seen, kind, alike


class _Kept:
    """The strongest flags of every item, each row of a file once."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._order = count()
        self._best: dict[int, list[tuple[tuple[int, float, int], int, dict[str, Any]]]] = {}
        self.left_out = 0

    def add(self, item: int, strength: tuple[int, float, int], row: dict[str, Any]) -> None:
        heap = self._best.setdefault(item, [])
        for at, (old, number, other) in enumerate(heap):
            # Pieces of one text overlap, and a long text may hold an item twice.
            if (other["file"], other["row"]) == (row["file"], row["row"]):
                if strength > old:
                    heap[at] = (strength, number, row)
                    heapq.heapify(heap)
                return
        entry = (strength, -next(self._order), row)
        if len(heap) < self._most:
            heapq.heappush(heap, entry)
        else:
            heapq.heappushpop(heap, entry)
            self.left_out += 1

    def rows(self) -> Iterator[dict[str, Any]]:
        for item in sorted(self._best):
            yield from (row for _, _, row in sorted(self._best[item], reverse=True))


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


def contamination(
    items: pl.DataFrame,
    texts: Iterable[tuple[str, int, str]],
    *,
    reference: pl.DataFrame | None = None,
    most: int = 20,
    advance: Advance | None = None,
) -> Contamination:
    """Overlap of items with texts, such as the rows of training files.

    A stem is found in a text as *exact* (all its words in a row), *ngram* (shared runs of at
    least eight words cover half of it, or a quarter where one run has 50), or *fuzzy*
    (weighted similarity of five-character shingles of at least 0.7, as for near duplicates).
    Words count only where they are *telling*: part of a run of eight that fewer than five
    different questions hold. A stem with fewer than eight telling words ("Which of the following
    is true?") is an overlap only where three quarters of its options stand beside it.

    Parameters
    ----------
    items : polars.DataFrame
        Columns of :func:`viva.records.item_schema`. Contexts (the abstract of a question) are
        not looked for: they are published texts themselves.
    texts : iterable of (str, int, str)
        File, row and text, as :func:`viva._files.texts.read_texts` gives the last two; consumed
        as a stream.
    reference : polars.DataFrame, optional
        Other questions of the field: what many of them hold is boilerplate. Without it a small
        benchmark cannot know that its phrases are common ones.
    most : int
        Flags kept for each item.
    advance : callable, optional
        Called with the number of characters read.

    Returns
    -------
    Contamination

    Notes
    -----
    Whole runs of words up to 13 as in Brown et al. (2020), *Language Models are Few-Shot
    Learners*, appendix C, flag what clinical prose has in common; the share that is covered is
    what separates (the self-test of :func:`viva.analysis.planted_test` measures it on every use).
    """
    import polars as pl

    known = _indexed(items, reference)
    tally = [0, 0]
    kept = _Kept(most)
    pending: list[_Seen] = []

    def settle() -> None:
        for seen, kind, alike in _judged(known, pending):
            item = known.items[seen.item]
            strength = (-OVERLAPS.index(kind), round(max(seen.share, alike), 6), seen.longest)
            values = (*item.name, seen.file, seen.row, kind, seen.longest, seen.share, alike,
                      seen.options, len(item.options), seen.answer, _shortened(item.question),
                      _shortened(seen.text))  # fmt: skip
            kept.add(seen.item, strength, dict(zip(flag_schema(), values, strict=True)))
        pending.clear()

    for block in _blocks(_pieces(texts, tally, advance)):
        words = words_of([text for _, _, text in block])
        for pair in candidates(known.seeds, words):
            file, row, _ = block[pair.text]
            seen = _look(known, words, pair, file, row)
            if seen is not None:
                pending.append(seen)
        if len(pending) >= _PENDING:
            settle()
    settle()
    flags = pl.DataFrame(list(kept.rows()), schema=flag_schema())
    rows, characters = tally
    return Contamination(flags, items.height, known.uncheckable, rows, characters, kept.left_out)
