"""Answer formats: the same question as a choice, in words, or as a ranking of the options."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from viva.answers import read
from viva.answers.region import answer_region
from viva.methods._asking import UNSET, answer_of, conversation
from viva.methods.answer import Answer
from viva.methods.prompts import Prompt
from viva.models import Caller, Completion, Request, Sampling
from viva.records import LETTERS, Item, normalise

__all__ = ["FORMATS", "answer_format", "read_ranking", "read_words"]

FORMATS = {"choice": "cot", "short_text": "short_text", "ranked": "ranked"}
"""Format -> the prompt that asks for it."""


async def answer_format(
    item: Item,
    client: Caller,
    *,
    sampling: Sampling = UNSET,
    prompt: Prompt | None = None,
    format: Literal["choice", "short_text", "ranked"] = "choice",  # noqa: A002
    system: str | None = None,
) -> Answer:
    """Ask for the answer in one of several formats, each after the same reasoning.

    Parameters
    ----------
    item : Item
        At least two options.
    client : Caller
        Who is asked; one call.
    sampling : Sampling
        What the user gave; the rest is the back-end's.
    prompt : Prompt, optional
        The one of the format where not given.
    format : {"choice", "short_text", "ranked"}
        ``choice``: the letter, among the options. ``short_text``: a few words, the options not
        shown; read by :func:`read_words`. ``ranked``: all options, the likeliest first; read by
        :func:`read_ranking`, its first is the answer.
    system : str, optional
        The text of a system turn; there is none otherwise.

    Returns
    -------
    Answer
        The completion, to be read where the format is ``choice`` and decided elsewhere, None
        where it is not read.

    Raises
    ------
    InputError
        An item without options; a prompt that fails.
    viva.models.CallFailed
        There is no completion.
    """
    messages = conversation(item, prompt or FORMATS[format], system)
    said = await client.generate(Request(messages, sampling=sampling))
    if format == "choice":
        return answer_of(said)
    if format == "short_text":
        return _decided(said, read_words(said.text, item.options, said.finish_reason))
    ranking = read_ranking(said.text, item.options, said.finish_reason)
    return _decided(said, ranking[0] if ranking else None)


def prompt_of(parameters: Mapping[str, Any]) -> str:
    """The prompt that the parameters ask for."""
    return FORMATS[parameters["format"]]


def _decided(said: Completion, prediction: str | None) -> Answer:
    return Answer(
        said.text,
        prediction,
        decided=True,
        reasoning=said.reasoning,
        finish_reason=said.finish_reason,
    )


def read_words(
    text: str | None, options: Sequence[str], finish_reason: str | None = None
) -> str | None:
    """The option that an answer in words names.

    Read as any answer is, but for letters: the options were not shown, so a letter is part of
    what was said ("vitamin B") and never the name of an option.

    Parameters
    ----------
    text : str or None
        The completion.
    options : sequence of str
        The option texts, in the item's order.
    finish_reason : str, optional
        As reported by the server.

    Returns
    -------
    str or None
        The letter of the one option; None where the words are no option's.
    """
    last = _last_words(text or "", finish_reason)
    if last is not None:
        same = [i for i, option in enumerate(options) if _bare(option) == _bare(last)]
        if same:
            return LETTERS[same[0]] if len(same) == 1 else None
        if re.fullmatch(r"\W*\w\W*", last):
            return None
        text = f"Answer: {last}"
    reading = read(text, options=options, finish_reason=finish_reason)
    if reading.value is None or reading.span is None or text is None:
        return None
    named = text[slice(*reading.span)]
    return reading.value if len(re.findall(r"\w", named)) > 1 else None


def read_ranking(
    text: str | None, options: Sequence[str], finish_reason: str | None = None
) -> tuple[str, ...]:
    """The letters of a ranked list of options, the likeliest first.

    The list stands behind the last "Answer:" (or "Ranking:", "Final Answer:"), its entries with
    ``>`` between them, one on each line, or with ``;`` or ``,`` between them; without such a
    word, it is a last line with ``>``. An entry is a letter, an option's text, or a letter with
    its option's text. What comes after all options were listed is not part of it.

    Parameters
    ----------
    text : str or None
        The completion.
    options : sequence of str
        The option texts, in the item's order.
    finish_reason : str, optional
        As reported by the server.

    Returns
    -------
    tuple of str
        A list without some of the options is read as far as it goes. Empty where it is not
        clear what stands first: no list, an entry that is no option or two, an option twice.
    """
    last = _last_words(text or "", finish_reason, lines=True)
    if last is None:
        return ()
    letters: list[str] = []
    for entry in _entries(last)[: len(options)]:
        letter = _entry(entry, options)
        if letter is None or letter in letters:
            return ()
        letters.append(letter)
    return tuple(letters)


_MARKER = re.compile(
    r"(?:^|(?<=[\n.!?:]))[ \t>#*_-]{0,8}(?:(?:my|the)[ \t]{1,3})?(?:final[ \t]{1,3})?"
    r"(?:answer|ranking)[ \t]{0,3}[*_]{0,3}[ \t]{0,3}[:\uff1a][*_]{0,3}",
    re.IGNORECASE,
)


def _last_words(text: str, finish_reason: str | None, *, lines: bool = False) -> str | None:
    """What follows the last marker of the answer, on its line or to the end; None without one.

    With ``lines``, a last line that is a list needs no marker.
    """
    region = answer_region(text, finish_reason=finish_reason)
    said = text[region.start : region.end]
    found = None
    for found in _MARKER.finditer(said):  # noqa: B007  the last one is wanted
        pass
    if found is None:
        line = said.rpartition("\n")[2].strip()
        return line if lines and _BETWEEN.search(line) else None
    rest = said[found.end() :].strip()
    return rest if lines else rest.partition("\n")[0].strip()


_BETWEEN = re.compile("[>\uff1e\u227b]")
_WRAPPED = re.compile(r"\\(?:boxed|fbox|text|textbf|mathbf)\b|[{}$]")
_NUMBER = re.compile(
    r"^[ \t]*(?:\(?\d{1,2}[.):](?!\d)[ \t]*|#\d{1,2}[ \t]+|[-*\u2022\u2013][ \t]+)"
)


def _entries(listed: str) -> list[str]:
    """The entries of a list, numbers and bullets taken off."""
    lines = [line.strip() for line in _WRAPPED.sub(" ", listed).splitlines() if line.strip()]
    if lines and _BETWEEN.search(lines[0]):
        parts = _BETWEEN.split(lines[0])
    elif len(lines) > 1:
        parts = lines
    else:
        line = lines[0] if lines else ""
        parts = line.split(";" if ";" in line else ",")
    return [_NUMBER.sub("", part).strip(" \t*_.,;`'\"") for part in parts]


_LETTERED = re.compile(r"[(\[]?([A-Za-z])[)\]]?(?:[ \t]*[.:)\u2013-]+[ \t]*(.*)|[ \t]+\((.*)\))?")


def _entry(entry: str, options: Sequence[str]) -> str | None:
    """The letter of the one option that an entry of a list is; the prompt asks for letters."""
    found = _LETTERED.fullmatch(entry)
    position = LETTERS.find(found[1].upper()) if found else -1
    if found and 0 <= position < len(options):
        words = found[2] or found[3]
        if not words or _bare(words) == _bare(options[position]):
            return LETTERS[position]
    same = [i for i, option in enumerate(options) if _bare(option) == _bare(entry)]
    return LETTERS[same[0]] if len(same) == 1 else None


def _bare(text: str) -> str:
    """Words without article, decoration and stops around them."""
    return re.sub(r"^(?:an?|the) ", "", normalise(text).strip(" .,;:*_`\"'()[]"))
