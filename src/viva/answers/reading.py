"""Reading a completion: its answer region goes to the reader of the kind that is expected."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from viva.answers._taken_back import taken_back
from viva.answers.choice import read_choice
from viva.answers.choices import read_choices
from viva.answers.date import read_date
from viva.answers.duration import read_duration
from viva.answers.edit import read_edit
from viva.answers.fields import read_fields
from viva.answers.forms import Form
from viva.answers.label import read_label
from viva.answers.lists import read_list
from viva.answers.number import read_number
from viva.answers.outcome import Outcome
from viva.answers.ranked import read_ranked
from viva.answers.region import answer_region
from viva.answers.spans import read_spans
from viva.answers.steps import read_steps
from viva.answers.text import read_text
from viva.answers.triples import read_triples
from viva.errors import InputError
from viva.records import LETTERS, Status

__all__ = ["TARGETS", "Reader", "Reading", "read"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read from one completion."""

    status: Status
    value: Any
    """None unless parsed; what it is depends on the kind of answer:

    ========== ============================================================
    choice     the letter of the option
    choices    letters, ascending: ``("A", "C")``
    label      the label as the closed set writes it
    text       the text
    number     :class:`viva.answers.Quantity`: value and unit as written
    date       ``datetime.date``
    duration   ``(weeks, days)``
    ranked     texts, best first
    list       texts, in the order given
    spans      :class:`viva.targets.Span`, ascending
    triples    :data:`viva.targets.Triple`, in the order given
    edit       :class:`viva.targets.Edit`
    steps      texts, in order
    fields     a mapping from the name of each field to its :class:`Reading`
    ========== ============================================================
    """
    span: tuple[int, int] | None
    """The characters of the original text it was read from, ``text[start:end]``."""
    reason: str | None = None
    """One of :data:`REASONS`; None where parsed."""


Reader = Callable[[str, Form], Outcome]
"""Reads an answer region; runs in time linear in its length."""


def _choice(region: str, form: Form) -> Outcome:
    return read_choice(region, _checked(form.options))


def _fields(region: str, form: Form) -> Outcome:
    outcome = read_fields(region, form, lambda part: TARGETS[part.kind])
    if outcome.value is None:
        return outcome
    return outcome._replace(value={name: Reading(*part) for name, part in outcome.value.items()})


TARGETS: Mapping[str, Reader] = MappingProxyType(
    {
        "choice": _choice,
        "choices": read_choices,
        "label": read_label,
        "text": read_text,
        "number": read_number,
        "date": read_date,
        "duration": read_duration,
        "ranked": read_ranked,
        "list": read_list,
        "edit": read_edit,
        "spans": read_spans,
        "triples": read_triples,
        "steps": read_steps,
        "fields": _fields,
    }
)
"""The readers by kind of target."""


def read(
    text: str | None,
    target: str | Form = "choice",
    options: Sequence[str] | int | None = None,
    *,
    unit: str | None = None,
    source: str | None = None,
    date_order: str = "MDY",
    fields: Mapping[str, Form] | None = None,
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
    target : str or Form
        The kind of answer expected, one of :data:`TARGETS`, or its whole form, such as
        :func:`viva.answers.form_of` gives for an item.
    options : sequence of str or int
        Choices: the 2 to 26 option texts in the order of their letters; where the texts are
        unknown, how many there are (then only letters are read). Labels, spans and triples: the
        closed set of labels.
    unit : str, optional
        Numbers: the unit asked for.
    source : str, optional
        Spans: the text they are parts of. Edits: the numbered sentences.
    date_order : {"MDY", "DMY", "YMD"}
        How dates in figures are written.
    fields : mapping, optional
        Fields: the form of each.
    thinking_open : bool
        The prompt's template opened the thinking, so that the text starts inside it.
    finish_reason : str, optional
        As reported by the server, such as ``stop`` or ``length``.

    Returns
    -------
    Reading
        ``parsed`` with the value and its span, ``ambiguous``, or ``unparsed``, with the reason.
        Runs in time linear in the length of ``text``.

    Raises
    ------
    InputError
        If the target is unknown, or there are fewer than 2 or more than 26 options to choose from.
    """
    if not isinstance(target, Form):
        if isinstance(options, str | bool):
            options = None
        listed = options if isinstance(options, int) or options is None else tuple(options)
        target = Form(
            target, listed, unit, source=source, date_order=date_order, fields=fields or {}
        )
    reader = TARGETS.get(target.kind)
    if reader is None:
        raise InputError(
            f"unknown target {target.kind!r}", mend=f"Known targets: {', '.join(sorted(TARGETS))}"
        )
    if target.kind in ("choice", "choices"):
        _checked(target.options)
    if not text:
        return Reading(Status.UNPARSED, None, None, "no answer text")
    region = answer_region(text, thinking_open=thinking_open, finish_reason=finish_reason)
    if region.reason:
        return Reading(Status.UNPARSED, None, None, region.reason)
    reading = _placed(reader(text[region.start : region.end], target), region.start)
    if reading.status is not Status.PARSED or reading.span is None:
        return reading
    reason = taken_back(text, *reading.span, _own_text(reading.value, target))
    if reason:
        several = reason == "two live candidates"
        return Reading(Status.AMBIGUOUS if several else Status.UNPARSED, None, None, reason)
    return reading


def _own_text(value: object, form: Form) -> str | None:
    """The text of the option whose letter was read."""
    if form.kind != "choice" or not isinstance(form.options, tuple) or not isinstance(value, str):
        return None
    return form.options[LETTERS.index(value)]


def _placed(outcome: Outcome, start: int) -> Reading:
    """The reading with its offsets counted in the whole text, those of its fields too."""
    value = outcome.value
    if isinstance(value, Mapping):
        value = {
            name: replace(part, span=part.span and (part.span[0] + start, part.span[1] + start))
            for name, part in value.items()
        }
    span = outcome.span and (outcome.span[0] + start, outcome.span[1] + start)
    return Reading(outcome.status, value, span, outcome.reason)


def _checked(options: Sequence[str] | int | None) -> Sequence[str] | int:
    if options is None:
        raise InputError(
            "a choice is read among its options", mend="Pass their texts, or how many there are"
        )
    count = options if isinstance(options, int) else len(options)
    if not 2 <= count <= len(LETTERS):
        raise InputError(f"{count} options", mend="A choice has 2 to 26 options")
    return options
