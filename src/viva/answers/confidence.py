"""Reading how sure an answer says it is: *Confidence: 85%*, *I am 85 % sure*.

Only numbers that the answer gives as its own confidence are read: after the word *confidence* (or
*certainty*, *probability that my answer is correct*) as a label, or before *sure*, *certain*,
*confident* where the speaker is meant. A confidence interval, a sensitivity of 85 %, a colleague's
certainty are no confidence; a range, a bound, and a bare number whose scale is not said are not
guessed at. English only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from viva.answers._fold import fold, lower
from viva.answers.region import answer_region
from viva.errors import InputError
from viva.records import Status

__all__ = ["CONFIDENCE_REASONS", "WORDS", "ConfidenceReading", "read_confidence"]

WORDS: Mapping[str, float] = MappingProxyType(
    {"very low": 0.1, "low": 0.3, "medium": 0.5, "moderate": 0.5, "high": 0.7, "very high": 0.9}
)
"""Five words at the middles of five equal parts of 0..1: a scale for prompts that state it. Words
are read only where they are asked for."""

CONFIDENCE_REASONS: Mapping[str, str] = MappingProxyType(
    {
        "no answer text": "nothing is left outside thinking, chat tokens and invented turns",
        "cut inside the thinking": "the text ends before the thinking does",
        "thinking never closed": "the template opened the thinking and no mark closes it",
        "no confidence stated": "no number is given as the answer's own confidence",
        "a range": "two ends are given instead of one number",
        "a bound": "at least, at most, not so much: no number is meant",
        "scale not clear": "a bare number that could be of one, of ten or of a hundred",
        "off the scale": "above the end of its scale",
        "two confidences": "different numbers stand and none is said to be the final one",
    }
)
"""Why no confidence was read: the closed list, each with what it means."""


@dataclass(frozen=True, slots=True)
class ConfidenceReading:
    """What confidence was read from one completion."""

    status: Status
    """``parsed``; ``unparsed`` where none is stated; ``ambiguous`` where something is stated that
    is not one number."""
    value: float | None
    """0..1; None unless parsed."""
    span: tuple[int, int] | None
    """The characters of the original text it was read from, ``text[start:end]``."""
    reason: str | None = None
    """One of :data:`CONFIDENCE_REASONS`; None where parsed."""


_NUMBER = r"(?P<number>\d{1,4}(?:[.,]\d{1,6})?|\.\d{1,6})(?![\d.,]*\d)"
_UNIT = (
    r"(?:\s?(?P<percent>%|percent\b|per cent\b|pct\b)"
    r"|\s?(?:/|out of|of)\s?(?P<of>100|10|5|1)(?:\.0)?\b(?!\s?%))?"
)
_ABOUT = r"(?:(?:about|around|approximately|approx\.?|roughly|nearly|almost|~|circa)\s{0,2})?"
_BOUND = (
    r"(?P<bound>(?:at least|at most|more than|less than|greater than|over|under|above|below|"
    r"up to|only up to|not|>=|<=|>|<|\u2265|\u2264)\s{0,2})?"
)
_SCALE = (  # "(0-100)", "(on a scale from 1 to 10)", "(in %)": what stands behind the label
    r"(?:\s{0,2}[(\[]\s{0,2}"
    r"(?:on a scale (?:of|from) |from |scale:? |scale (?:of|from) |out of |in |as a )?"
    r"(?:(?:[01](?:\.0)?\s?%?\s?(?:-|to)\s?)?(?P<scale>100|10|5|1)(?:\.0)?\s?%?"
    r"|(?P<scale_percent>%|percent|percentage))\s{0,2}[)\]])?"
)
_RANGE = r"(?P<range>\s?(?:-|to)\s?\d{1,3}(?:\.\d+)?\s?%?)?"
_VALUE = _BOUND + _ABOUT + _NUMBER + _UNIT + _RANGE
_NOUN = (
    r"(?:confidence|certainty)(?:[ _-](?:level|score|rating|estimate|percentage|"
    r"in (?:my|this|the) (?:final )?answer))?"
    r"|(?:probability|likelihood|chance)(?: that)?(?: of)? (?:my|this|the) (?:final )?answer"
    r"(?: is| being)? (?:correct|right)(?:ness)?"
)
_NAMED = rf"(?P<final>\b(?:final|overall|total)[ _-])?(?<![\w%])(?:{_NOUN})(?! interval)"
_LABEL = re.compile(
    rf"{_NAMED}{_SCALE}\s{{0,2}}(?:[:=]|\b(?:is|would be|(?P<of_it>of|at))\b)"
    rf"\s{{0,3}}[(\[]?{_VALUE}"
)
_SPEAKER = (
    r"(?:\b(?:i am|i'm|im|i feel|i would say(?: that)?(?: i am| i'm)?|"
    r"i'd say(?: that)?(?: i am| i'm)?|we are|we're)(?: now)?(?: still)? "
    r"|(?:^|\n|[(\[])\s{0,8})"
)
_SURE = re.compile(
    rf"{_SPEAKER}{_VALUE}\s{{0,2}}(?:sure|certain|confident)\b(?!\s(?:interval|limit|bound))"
)
_WITH = re.compile(
    rf"\bmy (?:answer|choice|confidence|certainty)\b[^.\n]{{0,60}}?"
    rf"\bwith {_VALUE}\s{{0,2}}(?:confidence|certainty)\b(?! interval)"
)
_WORD = re.compile(rf"{_NAMED}\s{{0,2}}(?:[:=]|\bis\b)\s{{0,3}}[(\[]?(?P<word>[a-z]+(?: [a-z]+)?)")
_HEDGED = re.compile(r"(?:\bif\b|\bcan ?not\b|\bcan't\b|\bnot\b|n't\b)[^.\n,;]{0,24}$")
_ANOTHERS = re.compile(
    r"(?:\b(?:his|her|their|your|physician's|doctor's|patient's|reader's)|'s)\s$"
)
_SPEAKS = re.compile(r"\b(?:i|my|we)\b[^.\n]{0,40}$")
_SCALES = (1.0, 5.0, 10.0, 100.0)
_MOST = 64
"""Statements looked at, from the end."""


def read_confidence(
    text: str | None,
    *,
    scale: float | None = None,
    words: Mapping[str, float] | None = None,
    thinking_open: bool = False,
    finish_reason: str | None = None,
) -> ConfidenceReading:
    """Read the confidence that an answer states of itself.

    Parameters
    ----------
    text : str or None
        The completion. Only its answer region is read (:func:`viva.answers.region.answer_region`).
    scale : {1, 5, 10, 100}, optional
        The scale the prompt asked for, for numbers that do not say theirs. Without it, a bare
        number counts as of 1 where it has a decimal point and is at most 1, as of 100 where it is
        above 10, and is not read otherwise (but for 0).
    words : mapping of str to float, optional
        Words that the prompt offered, lower case, each with its value, such as :data:`WORDS`.
        None: words are not read.
    thinking_open : bool
        The prompt's template opened the thinking.
    finish_reason : str, optional
        As reported by the server.

    Returns
    -------
    ConfidenceReading
        Where several are stated they must be equal, or the last must be called final or overall.
        Runs in time linear in the length of ``text``.

    Raises
    ------
    InputError
        For another scale, or words with values outside 0..1.
    """
    if scale is not None and scale not in _SCALES:
        raise InputError(f"scale {scale!r}", mend="Use 1, 5, 10 or 100, the end of the scale")
    if words is not None and not all(0 <= value <= 1 for value in words.values()):
        raise InputError("a word's confidence is outside 0..1")
    if not text:
        return ConfidenceReading(Status.UNPARSED, None, None, "no answer text")
    region = answer_region(text, thinking_open=thinking_open, finish_reason=finish_reason)
    if region.reason:
        return ConfidenceReading(Status.UNPARSED, None, None, region.reason)
    low = lower(fold(text[region.start : region.end]))
    stated = _statements(low, scale, words)
    if not stated:
        return ConfidenceReading(Status.UNPARSED, None, None, "no confidence stated")
    chosen = [each for each in stated if each.final][-1:] or stated
    start, end = chosen[-1].span
    span = region.start + start, region.start + end
    if reason := next((each.reason for each in chosen if each.reason), None):
        return ConfidenceReading(Status.AMBIGUOUS, None, span, reason)
    if len({each.value for each in chosen}) > 1:
        return ConfidenceReading(Status.AMBIGUOUS, None, span, "two confidences")
    return ConfidenceReading(Status.PARSED, chosen[-1].value, span, None)


@dataclass(frozen=True, slots=True)
class _Stated:
    span: tuple[int, int]
    value: float | None
    reason: str | None
    final: bool


def _statements(low: str, scale: float | None, words: Mapping[str, float] | None) -> list[_Stated]:
    """What is stated, in the order of the text."""
    found: list[_Stated] = []
    if not re.search(r"confiden|certain|sure|probability|likelihood|chance", low):
        return found
    for pattern in (_LABEL, _SURE, _WITH):
        for match in list(pattern.finditer(low))[-_MOST:]:
            before = low[max(0, match.start() - 40) : match.start()]
            groups = match.groupdict()
            if _HEDGED.search(before) or _ANOTHERS.search(before):
                continue
            # "at a confidence level of 95 %" is statistics unless somebody speaks for himself.
            if groups.get("of_it") and not _SPEAKS.search(before):
                continue
            value, reason = _value(match, scale)
            found.append(_Stated(match.span("number"), value, reason, bool(groups.get("final"))))
    if words is not None:
        found += _worded(low, words)
    return sorted(found, key=lambda each: each.span)


def _worded(low: str, words: Mapping[str, float]) -> list[_Stated]:
    found = []
    for match in list(_WORD.finditer(low))[-_MOST:]:
        said = match["word"]
        word = next((w for w in (said, said.split(" ")[0]) if w in words), None)
        if word is not None:
            start = match.start("word")
            found.append(
                _Stated((start, start + len(word)), words[word], None, bool(match["final"]))
            )
    return found


def _value(match: re.Match[str], scale: float | None) -> tuple[float | None, str | None]:
    groups = match.groupdict()
    if groups["range"]:
        return None, "a range"
    if groups["bound"]:
        return None, "a bound"
    digits = groups["number"].replace(",", ".")
    number = float(digits)
    percent = groups["percent"] or (groups.get("scale_percent") and not groups["of"])
    end = 100.0 if percent else float(groups["of"] or groups.get("scale") or scale or 0)
    if not end:
        end = _likely_end(number, "." in digits)
    if not end:
        return None, "scale not clear"
    if number > end:
        return None, "off the scale"
    return round(number / end, 9), None


def _likely_end(number: float, pointed: bool) -> float:
    """The end of the scale of a bare number; 0 where it is not clear."""
    if number == 0 or (pointed and number <= 1):
        return 1.0
    return 100.0 if number > 10 else 0.0
