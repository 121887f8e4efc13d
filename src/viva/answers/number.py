"""Reading the number an answer commits to, with its unit as written.

In the order of what counts most: the slot of the last announced answer; a whole answer of one short
line; an opening that is nothing but a number; the last sentence, where it concludes (*therefore*,
*the score is*, a chain of equals signs). A range, a bound, two numbers side by side are ambiguous.
Nothing is computed.
"""

from __future__ import annotations

import re

from viva.answers._commitments import (
    CONCLUDING,
    committed,
    last_sentences,
    refusal_at,
    unparsed,
    unread,
)
from viva.answers._fields import json_object
from viva.answers._numerals import numeral_at
from viva.answers._places import Page, Place, open_page, within
from viva.answers._quantities import CHAIN, LEAD, NO_NUMBER, NON_FINITE, Quantities
from viva.answers._sentences import sentence_end
from viva.answers.forms import Form
from viva.answers.outcome import Outcome
from viva.records import Status

__all__ = ["read_number"]


def read_number(region: str, form: Form) -> Outcome:
    """Read the number that ``region`` commits to; its value is a :class:`Quantity`."""
    reader = _Reader(open_page(region), form)
    return (
        committed(reader.page, reader.slot)
        or reader.whole()
        or reader.last_line()
        or reader.opening()
        or reader.conclusion()
        or unread(reader.page, "no commitment" if _DIGIT.search(reader.page.text) else NO_NUMBER)
    )


_DIGIT = re.compile(r"\d")


class _Reader(Quantities):
    def slot(self, page: Page, place: Place) -> Outcome | None:
        start, end = within(page, place)
        if place.closed:
            found = self._object(start, end)
            return found or self.line(start, end) or self._nothing(start, end)
        if place.kind == "correction":
            return self.direct(start, end)
        return self.line(start, end)

    def _nothing(self, start: int, end: int) -> Outcome | None:
        """A field or box that holds no number at all, where a number was asked for."""
        if _DIGIT.search(self.page.text, start, end):
            return None
        return unparsed(refusal_at(self.page.low, start, end) or NO_NUMBER)

    def _object(self, start: int, end: int) -> Outcome | None:
        """``{"value": 25.6, "unit": "kg/m2"}`` within a field, or its unit in the field beside."""
        raw = self.page.raw
        if raw[start : start + 1] == "{":
            value = _VALUE_KEY.search(raw, start, min(end, start + 2000))
            unit = _UNIT_KEY.search(raw, start, min(end, start + 2000))
            if value is None:
                return None
            return self.direct(value.end(), end, beside=unit[1] if unit else None)
        fields = json_object(raw) or []
        if not any(field.start == start for field in fields):
            return None
        names = ("unit", "units", "answer_unit", "answer_units")
        units = [raw[f.start : f.end] for f in fields if f.name.lower() in names]
        return self.direct(start, end, beside=units[0]) if len(units) == 1 else None

    def line(self, start: int, end: int) -> Outcome | None:
        """A slot or a sentence: a number at its start, or the one that its words lead to."""
        found = self.direct(start, end)
        return found if found else self.stated(start, min(end, sentence_end(self.page.low, start)))

    def whole(self) -> Outcome | None:
        """An answer of one short line with one number in it, below a heading or none."""
        heading = _HEADING.match(self.page.low)
        start, end = heading.end() if heading else 0, len(self.page.text)
        text = self.page.text[start:].strip()
        if len(text) > 160 or "\n" in text or _DIGIT.search(text) is None:
            return self._worded() if len(text) <= 40 else None
        reason = refusal_at(self.page.low, start, end)
        if reason:
            return unparsed(reason)
        outcome = self.direct(start, end)
        if outcome:
            return outcome if self._alone(outcome, end) else None
        if _ABOUT_SOMEONE.search(self.page.low) or self.page.low.rstrip(" .").endswith("?"):
            return None
        if sentence_end(self.page.low, start) < end - 2:
            return None
        label = _LABELLED.match(self.page.low, start)
        return self.stated(label.start("link"), end) if label else None

    def _worded(self) -> Outcome | None:
        if NON_FINITE.fullmatch(self.page.low.strip(" \n.")):
            return unparsed("not a finite number")
        return None

    def _alone(self, outcome: Outcome, end: int) -> bool:
        """Whether nothing but a remark in brackets follows the number."""
        if outcome.span is None:
            return True
        rest = self.page.low[outcome.span[1] : end]
        return _REST.fullmatch(rest) is not None

    def last_line(self) -> Outcome | None:
        """A last line that is nothing but a number: ``#### 25.6``."""
        low = self.page.low
        begin = low.rfind("\n") + 1
        lead = _MARKUP.match(low, begin)
        begin = lead.end() if lead else begin
        if begin == 0 or len(low) - begin > 80:
            return None
        outcome = self.direct(begin, len(low))
        if outcome is None or outcome.span is None or outcome.span[0] != begin:
            return None
        return outcome if self._alone(outcome, len(low)) else None

    def opening(self) -> Outcome | None:
        """A first line that is nothing but a number, before an explanation."""
        low = self.page.low
        newline = low.find("\n")
        if newline > 120:
            return None
        stop = newline if newline >= 0 else min(len(low), 120)
        outcome = self.direct(0, stop)
        if outcome is None or outcome.status is not Status.PARSED or outcome.span is None:
            return None
        rest = low[outcome.span[1] : stop]
        if newline >= 0 and _REST.fullmatch(rest):
            return outcome
        unit = outcome.value.unit
        return outcome if unit and rest[:2] in (". ", ".") else None

    def conclusion(self) -> Outcome | None:
        """The last sentence with a number, where it concludes."""
        low = self.page.low
        for start, end in last_sentences(self.page):
            if refusal_at(low, start, end):
                return unparsed("refused")
            if _DIGIT.search(low, start, end) is None:
                continue
            if _REFERENCE.search(low, start, end):
                continue
            if self._concludes(start, end):
                found = self.stated(start, end)
                if found:
                    return found
            return None
        return None

    def _concludes(self, start: int, end: int) -> bool:
        low = self.page.low
        if _NOT_CONCLUDING.search(low, start, end):
            return False
        if CONCLUDING.search(low, start, end) or _RESULT.search(low, start, end):
            return True
        if self._calculates(start, end):
            return True
        stated = self.stated(start, end)
        return (
            stated is not None
            and stated.span is not None
            and self._was_calculated(stated.value.value, stated.span[0])
        )

    def _calculates(self, start: int, end: int) -> bool:
        """Whether an equals sign stands behind a calculation."""
        signs = list(CHAIN.finditer(self.page.low, start, end))
        return (
            bool(signs) and _ARITHMETIC.search(self.page.raw, start, signs[-1].start()) is not None
        )

    def _was_calculated(self, value: float, before: int) -> bool:
        """Whether a calculation shortly before came to the same number."""
        low = self.page.low
        begin = max(0, before - 3000)
        for sign in CHAIN.finditer(low, begin, before):
            lead = LEAD.match(low, sign.end(), before)
            at = lead.end() if lead else sign.end()
            number = numeral_at(self.page.text, self.page.raw, at, before, self.comma)
            if number and number.value == value:
                line = low.rfind("\n", begin, sign.start()) + 1
                if _ARITHMETIC.search(self.page.raw, max(line, begin), sign.start()):
                    return True
        return False


_VALUE_KEY = re.compile(
    r"[\"'](?:value|number|amount|answer|result|score|final_answer|numeric_value)[\"']\s{0,4}:"
    r"\s{0,4}[\"']?"
)
_UNIT_KEY = re.compile(r"[\"']units?[\"']\s{0,4}:\s{0,4}[\"']([^\"'\n]{1,60})[\"']")
_MARKUP = re.compile(r"[ #>=]{0,12}")
_REST = re.compile(
    r"[\s.)\]}'!;|]*(?:\([^()\n]{0,120}\)[\s.]*)?(?:\s(?:score|total|overall|approximately))?[\s.]*"
)
_ABOUT_SOMEONE = re.compile(r"\b(?:he|she|patient|man|woman|boy|girl)\s(?:is|was|weighs|has)\b")
_HEADING = re.compile(r"\s{0,3}#{1,6}[ \t]{1,3}[^\n\d?]{1,60}\n\s{0,4}")
_LABELLED = re.compile(
    r"[^:=\u2248\n]{0,100}?(?P<link>[:=\u2248]|\b(?:is|equals|es|est|ist|be|scores|gives|yields|"
    r"betr\u00e4gt|ergibt|est d[e']|es de|\u00e8(?: di)?|"
    r"(?:equal|equates?|comes|amounts|sums|adds up|works out|rounds) to)\b|\u662f|\u4e3a|\u306f)"
)
_RESULT = re.compile(
    r"\b(?:rounded|total score|final score|scores?|result|total|calculated|estimated|corrected|"
    r"adjusted)\b(?:[^.\n]{0,120}?\b(?:is|equals|comes to)\b|"
    r"[^.\n:=]{0,60}[:=](?=[\s\u2248~]{0,4}-?\d))|"
    r"\bnumber of [^.\n]{0,100}\bis\b|"
    r"\bi(?: would| will|'d)? (?:give|assign|estimate|say|calculate|get|obtain)\b|"
    r"\b(?:comes (?:out )?to|works out (?:to|at)|amounts to|turns out to be|scores)\b"
)
_REFERENCE = re.compile(
    r"\b(?:this|it|which|value|result) (?:is|falls|lies)\b[^.\n]{0,60}?\b(?:normal|reference|"
    r"physiologic(?:al)?) (?:range|values?|limits?|interval)\b"
)
_NOT_CONCLUDING = re.compile(
    r"\b(?:normal (?:range|value|values|limit)|reference range|cut-?off|threshold|for example|"
    r"should be repeated|if the)\b"
)
_ARITHMETIC = re.compile(
    r"\d[^=\n]{0,80}?(?:[+*\u00d7\u00f7\u00b7\u22c5^]|\s[-/x\u2212\u2013]\s|"
    r"(?<=\d)[-/x\u2212](?=\d)|"
    r"\)\s?/|/\s?\(|times|sqrt|frac|cdot|\u221a)\s{0,3}-?[\d(\[{\\a-z\u221a]|"
    r"frac\{|sqrt|\u221a",
    re.IGNORECASE,
)
