"""Completions that tell what their writer was shown: the key, a graph, instructions, feedback.

A teacher that knows the answer writes "as the given answer says"; a student that learns this says
it where no answer was given. The phrases are data: ``leaks.toml`` beside this module.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from viva.errors import InputError
from viva.synthesis._generated import stepped
from viva.synthesis._sorting import given, sort_out
from viva.synthesis.example import Example
from viva.synthesis.steps import Made

__all__ = ["KINDS", "Leak", "Phrase", "leak_phrases", "leaks_in", "read_phrases", "revealed_early"]

KINDS = {
    "answer": "talks of an answer that was given",
    "instruction": "talks of its instructions",
    "graph": "talks of a knowledge graph or its paths",
    "feedback": "talks of feedback that the reader does not see",
    "assistant": "talks of itself as a model",
    "own": "holds a phrase that was asked for",
}
"""Kind of phrase -> why an example goes."""

_EARLY = "announces the answer before it reasons"
_LONGEST = 200_000
"""Characters of a completion that are read."""
_AROUND = 60
_SHOWN = 20


class Phrase(NamedTuple):
    """What is looked for."""

    id: str
    kind: str
    """One of :data:`KINDS`."""
    pattern: re.Pattern[str]
    leaks: tuple[str, ...] = ()
    """Sentences that hold it."""
    innocent: tuple[str, ...] = ()
    """Sentences that sound alike and hold none."""


class Leak(NamedTuple):
    """One phrase found."""

    phrase: str
    kind: str
    text: str
    """The phrase with some words around it."""


def read_phrases(path: str | os.PathLike[str] | None = None) -> tuple[Phrase, ...]:
    """The phrases of a TOML file of ``[[phrase]]`` tables, by default those that ship.

    Raises
    ------
    InputError
        A file that cannot be read, an unknown kind, a pattern that is no regular expression.
    """
    return _shipped() if path is None else _read(Path(path))


@cache
def _shipped() -> tuple[Phrase, ...]:
    return _read(Path(__file__).with_name("leaks.toml"))


def _read(path: Path) -> tuple[Phrase, ...]:
    try:
        rows = tomllib.loads(path.read_text("utf-8"))["phrase"]
        return tuple(
            Phrase(
                row["id"], row["kind"], re.compile(row["pattern"]), tuple(row.get("leaks", ())),
                tuple(row.get("innocent", ())),
            )
            for row in rows
            if KINDS[row["kind"]]
        )  # fmt: skip
    except OSError as error:
        raise InputError(
            f"cannot be read ({error.strerror})", where=str(path), mend="Name a file of phrases"
        ) from error
    except (ValueError, KeyError, TypeError, re.error) as error:
        raise InputError(
            f"is no file of phrases ({error})",
            where=str(path),
            mend=f"Tables [[phrase]] with id, pattern and kind, one of {', '.join(KINDS)}",
        ) from error


_STRAIGHT = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "‐": "-", "‑": "-"})


def _folded(text: str) -> str:
    return " ".join(text[:_LONGEST].translate(_STRAIGHT).casefold().split())


def leaks_in(text: str, phrases: Sequence[Phrase] | None = None) -> list[Leak]:
    """The phrases that a text holds, each once, in the order of the list.

    Parameters
    ----------
    text : str
        Its first 200,000 characters are read.
    phrases : sequence of Phrase, optional
        Those that ship by default.
    """
    folded = _folded(text)
    found = []
    for phrase in _shipped() if phrases is None else phrases:
        match = phrase.pattern.search(folded)
        if match:
            first, last = max(match.start() - _AROUND, 0), match.end() + _AROUND
            found.append(Leak(phrase.id, phrase.kind, folded[first:last]))
    return found


def revealed_early(example: Example, words: int) -> bool:
    """Whether the thinking commits to an answer within its first words, and goes on after them.

    Such a trace was observed where a reward looks at the answer alone (Med-RLVR, 2502.19655): the
    answer first, reasons for it afterwards.

    Parameters
    ----------
    example : Example
        With a completion.
    words : int
        How many, at least 1.
    """
    from viva.answers import form_of
    from viva.answers.conclusions import committed
    from viva.judging.units import reasoning_passage

    form = form_of(example.item)
    text = (example.completion or "")[:_LONGEST]
    found = None if form is None else reasoning_passage(text, form=form)
    if found is None or form is None:
        return False
    parts = text[found.start : found.end].split(None, words)
    return len(parts) > words and committed(" ".join(parts[:words]), form) is not None


def leak_phrases(
    examples: Sequence[Example],
    *,
    kinds: Sequence[str] = ("answer", "instruction", "graph", "feedback", "assistant"),
    phrases: Sequence[str] = (),
    file: str | None = None,
    early_words: int = 0,
) -> Made:
    """Leave out completions that talk of what only their writer was shown.

    The phrases are English. Looked at is the completion: not the start that is put before a model,
    nor the rejected side of a pair, which nobody is to learn.

    Parameters
    ----------
    examples : sequence of Example
        One without a completion stays.
    kinds : sequence of str
        Of :data:`KINDS`. Traces that are meant to name a graph's paths are filtered without
        ``graph``.
    phrases : sequence of str
        More phrases, taken word for word, case and spacing aside.
    file : str, optional
        Another list in place of the one that ships, in the form of its ``leaks.toml``.
    early_words : int
        Thinking that commits to an answer within so many words and then goes on goes too
        (:func:`revealed_early`); 0 looks for none.

    Returns
    -------
    Made
        ``report`` counts by source, by ``phrases``, and those ``without_completion``; it shows
        the first 20 leaks.

    Raises
    ------
    InputError
        An unknown kind, a list that cannot be read; nothing left.
    """
    examples = given("leak_phrases", examples)
    if isinstance(kinds, str) or isinstance(phrases, str):
        raise InputError(
            "kinds and phrases are lists", where="leak_phrases", mend="phrases = ['the key says']"
        )
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise InputError(
            f"no kind {unknown[0]!r}", where="leak_phrases", mend=f"Kinds: {', '.join(KINDS)}"
        )
    if early_words < 0 or any(not _folded(each) for each in phrases):
        raise InputError(
            "an empty phrase, or early_words below 0", where="leak_phrases", mend="Leave it out"
        )
    wanted = [phrase for phrase in read_phrases(file) if phrase.kind in kinds]
    wanted += [
        Phrase(each, "own", re.compile(rf"(?<!\w){re.escape(_folded(each))}(?!\w)"))
        for each in phrases
    ]
    reasons: list[str | None] = []
    marked = []
    counts: Counter[str] = Counter()
    shown: list[dict[str, str]] = []
    settings = {
        "kinds": list(kinds), "phrases": list(phrases), "file": file, "early_words": early_words
    }  # fmt: skip
    for example in examples:
        found = leaks_in(example.completion, wanted) if example.completion else []
        counts.update(leak.phrase for leak in found)
        reason = KINDS[found[0].kind] if found else None
        if reason is None and early_words and revealed_early(example, early_words):
            reason = _EARLY
            counts[_EARLY] += 1
        told = {"found": [leak.phrase for leak in found]} if found else {}
        if found and len(shown) < _SHOWN:
            name = f"{example.item.benchmark}/{example.item.item_id} {example.number}"
            shown.append({"example": name, "phrase": found[0].phrase, "text": found[0].text})
        reasons.append(reason)
        marked.append(stepped(example, "leak_phrases", settings | told))
    report = {
        "phrases": dict(sorted(counts.items())),
        "without_completion": sum(not example.completion for example in examples),
        "leaks": shown,
    }
    return sort_out(
        "leak_phrases", marked, reasons, report=report,
        mend="Write the traces without the key in the prompt, or leave out the kind that all hold",
    )  # fmt: skip
