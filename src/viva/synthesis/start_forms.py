"""The forms of starts: which may train, which are kept for examination, and those of one item.

A start in training is worded as one of :data:`TRAINING_FORMS`. :data:`UNSEEN_FORMS` are what the
examination uses: no setting lets one of them into training data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from viva.errors import InputError, did_you_mean
from viva.probes import starts as probe_starts
from viva.probes import traces as probe_traces
from viva.probes.controls import correct_start, irrelevant_start
from viva.probes.variant import Refused, stream
from viva.records import LETTERS, Choice, Item
from viva.worlds import FORMS as WORLD_FORMS
from viva.worlds import UNSEEN as WORLD_UNSEEN
from viva.worlds import Drawn, Graph, draw_items, make_graph, starts_of
from viva.worlds.starts import KINDS
from viva.worlds.vignettes import steps_text

__all__ = [
    "KINDS",
    "TRAINING_FORMS",
    "UNSEEN_FORMS",
    "Opening",
    "WorldItems",
    "check_forms",
    "form_names",
    "gold_steps",
    "openings",
]

_PROBE_TRAINING = ("bare", "short")
_PROBE_FORMS = (*_PROBE_TRAINING, *(s for s in probe_starts.STRENGTHS if s not in _PROBE_TRAINING))

TRAINING_FORMS: tuple[str, ...] = (
    *(form for form in WORLD_FORMS if form not in WORLD_UNSEEN), *_PROBE_TRAINING,
)  # fmt: skip
"""Forms that training may use: of worlds, then of the probes for real items."""

UNSEEN_FORMS = (
    WORLD_UNSEEN
    | frozenset(_PROBE_FORMS) - frozenset(_PROBE_TRAINING)
    | frozenset(probe_traces.PROBES)
    | {probe_traces.KIND}
)
"""Forms that are for examination only: starts of worlds and probes, and traces of test sets."""

NO_KEY = "not a choice with one key"
OTHER_WORLD = "not the item that its world draws"
NOTHING_WRONG = "nothing in the start is wrong"


class Opening(NamedTuple):
    """One start of one item, and what is to be known to go on from it."""

    kind: str
    """One of :data:`viva.worlds.starts.KINDS`."""
    form: str | None
    """One of :data:`TRAINING_FORMS`; None where nothing is put before the model."""
    text: str
    cue: str | None = None
    """Letter of the option that the text argues for."""
    said: tuple[str, ...] = ()
    """Sentences of a line of thought that it holds, in order."""
    wrong: str | None = None
    """The first of them that is no gold step; None where all are."""
    names: bool = False
    """Whether it names an option, beside the sentences."""


def form_names(*, unseen: bool) -> tuple[str, ...]:
    """Names of forms: those that may train, or those for examination."""
    return tuple(sorted(UNSEEN_FORMS)) if unseen else TRAINING_FORMS


def check_forms(forms: Sequence[str] | None) -> tuple[str, ...]:
    """The forms to be used.

    Raises
    ------
    InputError
        An unknown form, or one that is kept for examination.
    """
    chosen = TRAINING_FORMS if forms is None else tuple(forms)
    for form in chosen:
        if form in UNSEEN_FORMS:
            raise InputError(
                f"the form {form!r} is kept for examination",
                mend=f"Train with {', '.join(TRAINING_FORMS)}",
            )
        if form not in TRAINING_FORMS:
            raise InputError(f"no form {form!r}", mend=did_you_mean(form, TRAINING_FORMS))
    if not chosen:
        raise InputError("no form of starts", mend=f"Give some of {', '.join(TRAINING_FORMS)}")
    return chosen


def gold_steps(item: Item) -> tuple[str, ...]:
    """The gold steps that an item carries in ``meta["steps"]``; empty where it has none."""
    given = item.meta.get("steps")
    if not isinstance(given, (list, tuple)):
        return ()
    return tuple(" ".join(step.split()) for step in given if isinstance(step, str) and step.strip())


class WorldItems:
    """What items of worlds were made from: their worlds are drawn again from their names.

    Parameters
    ----------
    items : iterable of Item
        Any; those of a benchmark ``world-SEED`` are looked for.
    organs : int
        Of the worlds.
    plain : bool
        Of the worlds.
    """

    def __init__(self, items: Iterable[Item], *, organs: int = 12, plain: bool = False) -> None:
        wanted: dict[int, dict[str, Item]] = {}
        for item in items:
            if (seed := world_seed(item)) is not None:
                wanted.setdefault(seed, {})[item.item_id] = item
        self._found: dict[tuple[int, str], Drawn] = {}
        self._graphs: dict[int, Graph] = {}
        for seed, of_world in wanted.items():
            graph = self._graphs[seed] = _graph(seed, organs)
            last = max(int(item.meta["layout"]) for item in of_world.values())
            for drawn in draw_items(graph, seed, plain=plain):
                if drawn.item.meta["layout"] > last:
                    break
                item = of_world.get(drawn.item.item_id)  # type: ignore[assignment]
                if item is not None and _same(item, drawn.item):
                    self._found[seed, item.item_id] = drawn

    def get(self, item: Item) -> tuple[Drawn, Graph] | None:
        """What an item was made from, and the truth; None where no world draws this very item."""
        seed = world_seed(item)
        drawn = None if seed is None else self._found.get((seed, item.item_id))
        return None if drawn is None or seed is None else (drawn, self._graphs[seed])


@lru_cache(maxsize=8)
def _graph(seed: int, organs: int) -> Graph:
    """The truth of a world; nobody changes it, and its names take a second to coin."""
    return make_graph(seed, organs=organs)


_WORLD = re.compile(r"world-(\d{1,9})")
_MOST_LAYOUTS = 200_000


def world_seed(item: Item) -> int | None:
    """The seed of the world that an item says it is of; None where it says none."""
    named = _WORLD.fullmatch(item.benchmark)
    layout = item.meta.get("layout")
    if named is None or not isinstance(layout, int) or not 0 <= layout <= _MOST_LAYOUTS:
        return None
    return int(named[1])


def _same(given: Item, drawn: Item) -> bool:
    return (given.question, given.options, given.target) == (
        drawn.question, drawn.options, drawn.target,
    ) and list(gold_steps(given)) == drawn.meta["steps"]  # fmt: skip


def openings(
    item: Item, forms: Sequence[str], seed: int, worlds: WorldItems
) -> dict[str, list[Opening]] | str:
    """Every start of an item in some forms, by kind; the reason where there can be none.

    A start is called wrong only where something in it is: a line of thought whose error lies
    beyond what the form shows is right as far as it goes, and is left out.

    Parameters
    ----------
    item : Item
    forms : sequence of str
        Of :data:`TRAINING_FORMS`.
    seed : int
        For starts of real items.
    worlds : WorldItems
        That was made with the item.
    """
    if not isinstance(item.target, Choice):
        return NO_KEY
    found: dict[str, list[Opening]] = {kind: [] for kind in KINDS}
    found["absent"].append(Opening("absent", None, ""))
    if world_seed(item) is not None:
        made_from = worlds.get(item)
        if made_from is None:
            return OTHER_WORLD
        own = [form for form in forms if form in WORLD_FORMS]
        for each in _of_world(*made_from, own):
            found[each.kind].append(each)
    else:
        for form in (form for form in forms if form in _PROBE_FORMS):
            for each in _of_probes(item, form, seed):
                found[each.kind].append(each)
    return found


def _of_world(drawn: Drawn, graph: Graph, forms: Sequence[str]) -> Iterator[Opening]:
    gold, wrong = steps_text(drawn.steps), steps_text(drawn.wrong_steps)
    seed = world_seed(drawn.item) or 0
    # Two forms can come to the same words, where a line of thought has one step.
    examined = {s.text for s in starts_of(drawn, graph, seed, forms=sorted(WORLD_UNSEEN))}
    for start in starts_of(drawn, graph, seed, forms=forms):
        if start.kind == "absent" or start.text in examined:
            continue
        chain = {"wrong": wrong, "correct": gold}.get(start.kind, [])
        said = tuple(sentence for sentence in chain if sentence in start.text)
        rest = start.text
        for sentence in said:
            rest = rest.replace(sentence, " ")
        named = start.cue is not None and _names(rest, drawn.item.options[_at(start.cue)])
        error = next((sentence for sentence in said if sentence not in gold), None)
        if start.kind == "wrong" and error is None and not named:
            continue
        yield Opening(start.kind, start.form, start.text, start.cue, said, error, named)


def _of_probes(item: Item, form: str, seed: int) -> Iterator[Opening]:
    makers: Mapping[str, object] = {
        "wrong": probe_starts.misleading_start,
        "correct": correct_start,
        "irrelevant": irrelevant_start,
    }
    for kind, maker in makers.items():
        # The same numbers for all kinds: one distractor and one wording.
        rng = stream(seed, item, probe_starts.STREAM)
        made = maker(item, rng, strength=form)  # type: ignore[operator]
        if isinstance(made, Refused):
            continue
        for variant in made:
            if variant.start is not None:
                text, cue = variant.start.text, variant.cue
                yield Opening(kind, form, text, cue, names=cue is not None)


def _at(letter: str) -> int:
    return LETTERS.index(letter)


def _names(text: str, option: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(option)}(?!\w)", text, re.IGNORECASE) is not None
