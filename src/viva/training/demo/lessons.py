"""Lessons and exercises of the demo, as examples of training data.

Five kinds of lesson: passages of the book, its index (in which diseases a finding occurs: what is
learned in one direction is not known in the other), restating what is told of the person asked
about, recall items, and chains. The first three end their questions in a word of their own: where
they look like examination questions, a model answers some of those with a passage, and training
that merely ends this habit looks like reasoning.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from viva.records import LETTERS, Choice, Item
from viva.synthesis import Example
from viva.targets import Text
from viva.training.demo.parts import Parts, asked_about
from viva.worlds import FORMS, UNSEEN, Drawn, Start, starts_of

__all__ = ["KINDS", "TRAINED", "answer_to", "exercises", "lessons", "numbered", "recoveries"]

KINDS = ("wrong", "correct", "irrelevant")
"""Of starts that say something; in training as many have none."""
TRAINED = tuple(form for form in FORMS if form not in UNSEEN)
_MIX = {"book": 0.1, "index": 0.15, "restated": 0.15, "recall": 0.3, "chains": 0.3}
_BOOK = "book"
"""What stands for a question before a passage of the book."""
_PASSAGE = 6
"""Sentences."""


def answer_to(drawn: Drawn, *, checking: bool = False) -> str:
    """The model answer: what is told of the person, the gold steps, the option, its letter.

    Parameters
    ----------
    drawn : Drawn
    checking : bool
        Whether it comes after a start: then it says so, whatever the start, and works the case
        out. Whether the start was right is seen in the end.
    """
    item = drawn.item
    person, told = asked_about(item)
    index = item.target.index if isinstance(item.target, Choice) else 0
    letter = LETTERS[index]
    opened = "Check:" if checking else "<think>"
    steps = " ".join(item.meta["steps"])
    return (
        f"{opened} {person}: {told} Steps: {steps} {item.options[index]} {letter} "
        f"</think> Answer: {letter}"
    )


def lessons(parts: Parts, *, number: int, chains: int, seed: int) -> list[Example]:
    """What is learned first.

    Parameters
    ----------
    parts : Parts
    number : int
        Examples in all.
    chains : int
        Reasoning items whose steps are shown; each comes several times.
    seed : int

    Returns
    -------
    list of Example
        10 % book, 15 % index, 15 % restating, 30 % recall, 30 % chains, shuffled.
    """
    rng = random.Random(seed)  # noqa: S311
    sentences = _sentences(parts.world.textbook)
    shown = rng.sample(parts.chains, min(chains, len(parts.chains)))
    found_in = _index(parts)
    makers = {
        "book": lambda: _passage(rng, parts, sentences),
        "index": lambda: _indexed(rng, parts, found_in),
        "restated": lambda: _restated(rng.choice((*parts.practice, *parts.recall)).item),
        "recall": lambda: _taught(rng.choice(parts.recall)),
        "chains": lambda: _taught(rng.choice(shown)),
    }
    made = [makers[kind]() for kind, share in _MIX.items() for _ in range(round(share * number))]
    rng.shuffle(made)
    return numbered(made)


def recoveries(parts: Parts, *, number: int, chains: int, seed: int) -> list[Example]:
    """How to go on after a start: wrong, correct, irrelevant and absent ones in equal shares.

    Parameters
    ----------
    parts : Parts
    number : int
    chains, seed : int
        As in :func:`lessons`, of the same items.
    """
    rng = random.Random(seed)  # noqa: S311
    shown = rng.sample(parts.chains, min(chains, len(parts.chains)))
    made = []
    for at in range(number):
        drawn = rng.choice(shown)
        if at % 4 == 3:
            made.append(_taught(drawn))
            continue
        start = _start(rng, parts, drawn, KINDS[at % 4])
        completion = answer_to(drawn, checking=True)
        made.append(_example(drawn.item, completion, _opened(start), start.kind))
    rng.shuffle(made)
    return numbered(made)


def exercises(
    parts: Parts, *, number: int, recall: float, started: float, seed: int
) -> list[Example]:
    """What is practised: prompts with their key, and for some a start.

    Parameters
    ----------
    parts : Parts
    number : int
    recall : float
        Share of recall items.
    started : float
        Share of reasoning items with a start; a third of them each wrong, correct, irrelevant.
    seed : int
    """
    rng = random.Random(seed)  # noqa: S311
    made = []
    for at in range(number):
        place = rng.random()
        if place < recall:
            made.append(_example(rng.choice(parts.recall).item))
        elif place < recall + started:
            drawn = rng.choice(parts.practice)
            start = _start(rng, parts, drawn, KINDS[at % 3])
            made.append(_example(drawn.item, None, _opened(start), start.kind))
        else:
            made.append(_example(rng.choice(parts.practice).item))
    return numbered(_distinct(made))


def _distinct(examples: Sequence[Example]) -> Iterator[Example]:
    """Each prompt once: it comes again when all have been."""
    seen = set()
    for example in examples:
        if (key := (example.item.item_id, example.start)) not in seen:
            seen.add(key)
            yield example


def numbered(examples: Iterable[Example]) -> list[Example]:
    """The examples, those of one item told apart by a number."""
    seen: Counter[str] = Counter()
    found = []
    for example in examples:
        found.append(replace(example, number=seen[example.item.item_id]))
        seen[example.item.item_id] += 1
    return found


def _example(
    item: Item, completion: str | None = None, start: str = "", kind: str | None = None
) -> Example:
    return Example(
        item, completion, start=start, start_kind=kind, source=item.benchmark, licence="Apache-2.0"
    )


def _taught(drawn: Drawn) -> Example:
    return _example(drawn.item, answer_to(drawn))


def _start(rng: random.Random, parts: Parts, drawn: Drawn, kind: str) -> Start:
    """A start of a kind, in a form in which the wrong one differs from the correct one."""
    for form in rng.sample(TRAINED, len(TRAINED)):
        given = starts_of(drawn, parts.world.graph, rng.randrange(2**16), forms=[form])
        found = {start.kind: start for start in given}
        if found["wrong"].text != found["correct"].text:
            break
    return found[kind]


def _opened(start: Start) -> str:
    """A start, inside the thinking."""
    return f"<think> {start.text}"


def _passage(rng: random.Random, parts: Parts, sentences: Sequence[str]) -> Example:
    text = " ".join(rng.choice(sentences) for _ in range(_PASSAGE))
    item = Item(f"world-{parts.world.seed}", "book", _BOOK, target=Text((text,)))
    return _example(item, text)


def _index(parts: Parts) -> dict[str, list[str]]:
    """In which diseases each finding occurs, as the book says of each disease."""
    index: dict[str, list[str]] = {}
    for fact in parts.world.graph.facts:
        if fact.relation == "causes":
            index.setdefault(fact.tail, []).append(fact.head)
    return index


def _indexed(rng: random.Random, parts: Parts, index: dict[str, list[str]]) -> Example:
    finding = rng.choice(sorted(index))
    text = " ".join(sorted(index[finding]))
    item = Item(
        f"world-{parts.world.seed}", f"index {finding}", f"{finding} Index.", target=Text((text,))
    )
    return _example(item, text)


def _restated(item: Item) -> Example:
    person, told = asked_about(item)
    text = f"{person}: {told}"
    question = f"{item.question} Restate."
    restated = Item(item.benchmark, f"{item.item_id}-restated", question, target=Text((text,)))
    return _example(restated, text)


def _sentences(textbook: str) -> list[str]:
    """What the book says, without its headings."""
    lines = [line for line in textbook.splitlines() if line and not line.startswith("#")]
    text = re.sub(r"(?m)^\d+\.\s*", "", "\n".join(lines))
    return [" ".join(sentence.split()) for sentence in re.split(r"(?<=\.)\s+", text) if sentence]
