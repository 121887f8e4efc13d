"""What was answered: one reader per kind of target, which says unparsed rather than guess."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from viva.answers.choice import Outcome, read_choice
from viva.answers.region import answer_region
from viva.errors import InputError
from viva.records import LETTERS, Status

__all__ = ["REASONS", "TARGETS", "Reading", "read"]

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "no answer text": "nothing is left outside thinking, chat tokens and invented turns",
        "cut inside the thinking": "the text ends before the thinking does",
        "thinking never closed": "the template opened the thinking and no mark closes it",
        "no commitment": "the answer names no option as its own",
        "refused": "the model says that it cannot or will not choose",
        "answer is not on the list": "a commitment to something that was not offered",
        "commitment withdrawn": "the model takes its last answer back and gives no other",
        "two live candidates": "two or more options stand and none is preferred",
        "letter and text in conflict": "the letter is one option's, the text another's",
    }
)
"""Why a response is not parsed: the closed list of reasons, each with what it means."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read from one completion."""

    status: Status
    value: str | None
    """The letter of the option; None unless parsed."""
    span: tuple[int, int] | None
    """The characters of the original text it was read from, ``text[start:end]``."""
    reason: str | None = None
    """One of :data:`REASONS`; None where parsed."""


TARGETS: Mapping[str, Callable[[str, Sequence[str] | int], Outcome]] = MappingProxyType(
    {"choice": read_choice}
)
"""The readers by kind of target."""


def read(
    text: str | None,
    target: str = "choice",
    options: Sequence[str] | int | None = None,
    *,
    thinking_open: bool = False,
    finish_reason: str | None = None,
) -> Reading:
    """Read what a completion answers.

    Only the answer region is read (see :func:`viva.answers.region.answer_region`), the last
    commitment in it stands, and nothing is guessed.

    Parameters
    ----------
    text : str or None
        The completion as the model wrote it. None is an empty completion.
    target : str
        The kind of answer expected, one of :data:`TARGETS`.
    options : sequence of str or int
        The 2 to 26 option texts in the order of their letters; where the texts are unknown, how
        many there are (then only letters are read).
    thinking_open : bool
        The prompt's template opened the thinking, so that the text starts inside it.
    finish_reason : str, optional
        As reported by the server, such as ``stop`` or ``length``.

    Returns
    -------
    Reading
        ``parsed`` with the letter and its span, ``ambiguous``, or ``unparsed``, with the reason.
        Runs in time linear in the length of ``text``.

    Raises
    ------
    InputError
        If the target is unknown, or there are fewer than 2 or more than 26 options.
    """
    reader = TARGETS.get(target)
    if reader is None:
        raise InputError(
            f"unknown target {target!r}", mend=f"Known targets: {', '.join(sorted(TARGETS))}"
        )
    checked = _checked(options)
    if not text:
        return Reading(Status.UNPARSED, None, None, "no answer text")
    region = answer_region(text, thinking_open=thinking_open, finish_reason=finish_reason)
    if region.reason:
        return Reading(Status.UNPARSED, None, None, region.reason)
    outcome = reader(text[region.start : region.end], checked)
    span = outcome.span and (outcome.span[0] + region.start, outcome.span[1] + region.start)
    return Reading(outcome.status, outcome.value, span, outcome.reason)


def _checked(options: Sequence[str] | int | None) -> Sequence[str] | int:
    if options is None or isinstance(options, str | bool):
        raise InputError(
            "a choice is read among its options", mend="Pass their texts, or how many there are"
        )
    count = options if isinstance(options, int) else len(options)
    if not 2 <= count <= len(LETTERS):
        raise InputError(f"{count} options", mend="A choice has 2 to 26 options")
    return options
