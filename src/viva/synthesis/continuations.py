"""How an answer goes on after a start: from gold steps by rule, or by a model with rejection.

After a wrong start the continuation says what is wrong and comes to the right answer, after a
correct one it accepts what was said and goes on, after an irrelevant one it returns to the case.
"""

from __future__ import annotations

import random
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viva.answers import form_of
from viva.errors import InputError
from viva.judging.quoting import quoted
from viva.methods.prompts import Prompt, render
from viva.models import Message, Request
from viva.records import LETTERS, Item
from viva.synthesis._generated import (
    FAILED,
    answer_named,
    answer_part,
    judge,
    parted,
    right_names,
    thought_then_answer,
)
from viva.synthesis.pass_rates import request_for

if TYPE_CHECKING:
    from viva.synthesis.calling import Reply
    from viva.synthesis.start_forms import Opening

__all__ = ["RECOVERIES", "from_gold", "from_reply", "put_together", "request_to_continue"]

RECOVERIES = ("point", "rederive")
"""Ways to go on from gold steps: at the point of error, or after the case is worked out again."""

WRONG, UNREAD, CUT = "wrong answer", "unread answer", "cut at the limit of its length"
NOTHING_NOTICED = "the error is not noticed"
DISTRUSTED = "a correct start is distrusted"
OF_THE_TASK = "it speaks of the task"
NO_REASONING = "no reasoning"
NO_ANSWER = "no one right answer to end with"

_WORDING = Path(__file__).parent / "wording" / "recoveries.toml"
_SLOT = re.compile(r"\{(\w+)\}")
_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")
_EARLY = 400
"""Characters within which distrust would be said."""


@cache
def _wording() -> dict[str, Any]:
    return tomllib.loads(_WORDING.read_text("utf-8"))


def from_gold(
    item: Item, gold: tuple[str, ...], opening: Opening, way: str, rng: random.Random
) -> tuple[str, str] | None:
    """Reasoning and answer after a start, by rule.

    Parameters
    ----------
    item : Item
    gold : tuple of str
        Its gold steps, at least one.
    opening : Opening
    way : str
        One of :data:`RECOVERIES`.
    rng : random.Random
        Draws the wording.

    Returns
    -------
    (str, str) or None
        None where the item has no one right answer to name.
    """
    if way not in RECOVERIES:
        raise InputError(f"recovery is {way!r}", mend=f"One of {', '.join(RECOVERIES)}")
    answer = answer_named(item)
    if answer is None:
        return None
    held = _held(gold, opening)
    rest = gold if way == "rederive" else gold[held:]
    template = rng.choice(_wording()[way][_situation(opening, gold, held)])
    cue = "" if opening.cue is None else item.options[LETTERS.index(opening.cue)]
    values = {
        "rest": " ".join(_sentence(step) for step in rest),
        "wrong": (opening.wrong or "").rstrip(" ."),
        "answer": _bare(right_names(item)[0]),
        "cue": _bare(cue),
    }
    named = bool(cue) and values["cue"].casefold() in opening.text.casefold()
    template = _OPTIONAL.sub(r"\1" if named else "", template)
    text = " ".join(_SLOT.sub(lambda slot: values[slot[1]], template).split())
    return text[:1].upper() + text[1:], answer


def _held(gold: tuple[str, ...], opening: Opening) -> int:
    """How many gold steps from the first on a start has taken already, up to its first error."""
    held = 0
    for said in opening.said:
        if held == len(gold) or said != gold[held]:
            break
        held += 1
    return held


def _situation(opening: Opening, gold: tuple[str, ...], held: int) -> str:
    if opening.kind == "wrong":
        if opening.wrong is not None:
            return "wrong_step"
        return "stops_early" if opening.said else "named"
    if opening.kind == "correct" and held == len(gold):
        return "correct_whole"
    return opening.kind


def _sentence(step: str) -> str:
    return step if step.endswith((".", "!", "?")) else f"{step}."


def _bare(text: str) -> str:
    return " ".join(text.split()).rstrip(" .;,")


def put_together(opening: Opening, reasoning: str, answer: str, thinking: str) -> tuple[str, str]:
    """The start as it is put before the model, and the completion behind it.

    Parameters
    ----------
    opening : Opening
    reasoning, answer : str
    thinking : {"tags", "none"}
        With ``tags`` the start stands inside the thinking.

    Returns
    -------
    (str, str)
        Joined, they are the whole turn.
    """
    completion = thought_then_answer(reasoning, answer, thinking)
    if not opening.text:
        return "", completion
    opened = "<think>\n"
    if thinking == "tags":
        return f"{opened}{opening.text}", f" {completion.removeprefix(opened)}"
    return opening.text, f" {completion}"


def request_to_continue(
    item: Item, opening: Opening, prompt: Prompt, *, prefilled: bool
) -> Request:
    """What a model is asked to go on from a start.

    Parameters
    ----------
    item : Item
    opening : Opening
        An absent one is asked as in an evaluation.
    prompt : Prompt
        ``recovery``, with ``kind``, ``question_quoted``, ``start_quoted`` and ``ending``.
    prefilled : bool
        Whether the start is put before the model as the beginning of its own turn, untold.
    """
    plain = request_for(item)
    if not opening.text:
        return plain
    if prefilled:
        return Request(plain.messages, prefix=opening.text)
    asked, _, ending = plain.messages[-1].content.rpartition("\n")
    text = render(
        prompt, item, kind=opening.kind, question_quoted=quoted(asked.strip(), "question"),
        start_quoted=quoted(opening.text, "beginning"), ending=ending,
    )  # fmt: skip
    return Request((Message("user", text),))


def from_reply(
    item: Item, opening: Opening, reply: Reply, *, prefilled: bool
) -> tuple[str, str] | str:
    """Reasoning and answer of a model's continuation, or why it is rejected.

    The answer must be right by the shared reader. After a wrong start something must turn against
    it, after a correct one nothing may in its first lines, and none may speak of the task.
    """
    if reply.text is None:
        return FAILED
    if reply.finish_reason == "length":
        return CUT
    text = reply.text if prefilled else answer_part(reply.text, reply.finish_reason)
    # A continuation that repeats the start word for word goes on behind it.
    text = text.strip().removeprefix(opening.text).strip() if opening.text else text.strip()
    said = judge(item, text)
    if said.status != "right":
        return WRONG if said.status == "wrong" else UNREAD
    parts = parted(reply._replace(text=text), form_of(item))
    if parts is None or not any(c.isalnum() for c in parts[0]):
        return NO_REASONING
    low = parts[0].casefold()
    if opening.text and _any(low, "speaks_of_task"):
        return OF_THE_TASK
    if opening.kind == "wrong" and not _any(low, "turns"):
        return NOTHING_NOTICED
    if opening.kind == "correct" and _any(low[:_EARLY], "distrusts"):
        return DISTRUSTED
    return parts


@cache
def _signs(name: str) -> re.Pattern[str]:
    told = "|".join(re.escape(sign) for sign in _wording()["signs"][name])
    return re.compile(rf"(?<!\w)(?:{told})(?!\w)")


def _any(text: str, name: str) -> bool:
    return _signs(name).search(text) is not None
