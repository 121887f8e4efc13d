"""Reading a short free answer: what was announced, or an answer that is nothing else."""

from __future__ import annotations

import contextlib
import json
import re

from viva.answers._commitments import (
    ambiguous,
    committed,
    parsed,
    refusal_at,
    unparsed,
    unread,
)
from viva.answers._naming import NAMES_NONE, named_places, sides, speaks_of_one
from viva.answers._places import Page, Place, answer_places, open_page, within
from viva.answers._sentences import sentence_end
from viva.answers._terms import is_name
from viva.answers.forms import Form
from viva.answers.outcome import Outcome
from viva.records import Status

__all__ = ["LONGEST_TEXT", "read_text"]

LONGEST_TEXT = 4000
"""Characters of the longest text that is read as an answer."""

_NOUNS = "diagnosis|impression|conclusion|final diagnosis|summary"
"""Fields and tags that hold an answer."""
LONGEST_PROSE = 60_000
"""Characters of the longest text where a text of several paragraphs is expected."""


def read_text(region: str, form: Form) -> Outcome:
    """Read the text that ``region`` commits to, without markup and quotation marks.

    An announced answer ends with its line; one that is announced within a sentence ends with the
    sentence. Then what is named as a diagnosis, and a whole answer of one paragraph.

    Where ``form.long``, the answer is all that stands in the last tag or JSON field for the answer
    or behind the last *Answer:* that begins a line, and without these the whole region.
    """
    page = open_page(region)
    if form.long:
        return _long(page)
    return (
        committed(page, _slot, _NOUNS)
        or _named(page)
        or _whole(page)
        or _opening(page)
        or unread(page, "no commitment")
    )


def _named(page: Page) -> Outcome | None:
    """What is named as the diagnosis."""
    for start, end, own_line in named_places(page.low):
        end = _before_label(page, start, end) if own_line else _behind(page, start, end)
        if sides(page.low, start, end):
            return ambiguous()
        found = _taken(page, start, end)
        if found is None or (found.status is Status.PARSED and not is_name(found.value, 25)):
            continue
        return found
    return None


_NEXT_LABEL = re.compile(r"[.;]\s{1,3}[A-Z][\w-]{2,24}(?: [\w-]{2,20}){0,2}:(?=\s)")


def _before_label(page: Page, start: int, end: int) -> int:
    """The end of what a label holds where another label follows on its line."""
    following = _NEXT_LABEL.search(page.text, start, end)
    return following.start() if following else end


def _behind(page: Page, start: int, end: int) -> int:
    """The end of a name within a sentence: its reason and what else is said are left out."""
    end = min(end, _stop(page, start, end))
    reason = _REASON.search(page.low, start + 1, end)
    return reason.start() if reason else end


_OWN_LINE = re.compile(
    r"(?:^|\n)[ #>*]{0,8}(?:final |my |the )?answer(?:[ *]{0,4}:[ *]{0,4}|[ :*]{0,6}\n)"
)


def _long(page: Page) -> Outcome:
    """A text of several paragraphs, with its line breaks."""
    raw, start, end = page.raw, 0, len(page.raw)
    closed = [place for place in answer_places(page) if place.kind in ("tag", "field")]
    headed = list(_OWN_LINE.finditer(page.low))[-1:]
    if closed:
        start, end = closed[0].start, closed[0].end
    elif headed and page.low[headed[0].end() :].strip():
        start = headed[0].end()
    while start < end and raw[start].isspace():
        start += 1
    while end > start and raw[end - 1].isspace():
        end -= 1
    if not any(char.isalnum() for char in raw[start:end]):
        return unparsed("no answer text")
    if end - start > LONGEST_PROSE:
        return unparsed("too long")
    if end - start < 400 and _DECLINES.match(page.low, start, end):
        return unparsed("refused")
    text = raw[start:end]
    if closed and closed[0].kind == "field" and "\\" in text:
        with contextlib.suppress(ValueError):
            text = json.loads(f'"{text}"', strict=False)
    return parsed(text, start, end)


_DECLINES = re.compile(
    r"[\s>*]*(?:i'm sorry|i am sorry|sorry,|i apologi[sz]e|unfortunately,? i (?:cannot|can't|am)|"
    r"as an ai\b|i (?:cannot|can't|am unable|am not able|do not know|don't know)|i'm (?:unable|not "
    r"able))"
)


def _slot(page: Page, place: Place) -> Outcome | None:
    start, end = within(page, place)
    if place.kind == "correction":
        return None
    if place.kind == "prose":
        end = _behind(page, start, end)
        if sides(page.low, start, end):
            return ambiguous()
    elif place.kind == "label":
        end = _before_label(page, start, end)
    if place.closed and not page.raw[start:end].strip():
        return unparsed("no answer text")
    if place.kind == "tag":
        start = _behind_subject(page, start, end)
    return _taken(page, start, end, quoted=place.kind == "field")


_SUBJECT = re.compile(
    r"[\s*_]{0,6}the (?:(?:most |very )?(?:likely|probable|appropriate|common|effective|specific|"
    r"correct|best|final|causative|responsible|underlying|recommended|preferred|first-line) ){0,3}"
    r"(?:diagnosis|antidote|drug|medication|medicine|agent|treatment|therapy|cause|organism|"
    r"pathogen|bacterium|virus|parasite|fungus|vector|test|investigation|procedure|gene|mutation|"
    r"enzyme|hormone|vitamin|receptor|neurotransmitter|deficiency|artery|vein|nerve|muscle|bone|"
    r"organ|structure|disease|condition|disorder|syndrome|tumou?r|complication|mechanism|"
    r"next step|drug of choice|treatment of choice|investigation of choice)"
    r"(?: (?:here|in this (?:case|patient)))? (?:is|was|would be)\s{1,3}(?:likely |probably )?"
)


def _behind_subject(page: Page, start: int, end: int) -> int:
    """Where the name stands in *The antidote is naloxone*, where that is all that is said."""
    subject = _SUBJECT.match(page.low, start, end)
    if subject is None or sentence_end(page.low, subject.end()) < end - 2:
        return start
    if NAMES_NONE.match(page.low, subject.end(), end):
        return start
    named = page.text[subject.end() : end].strip(_CLOSE)
    fits = is_name(named, 25) and not sides(page.low, subject.end(), end)
    return subject.end() if fits else start


def _stop(page: Page, start: int, end: int) -> int:
    """The end of the sentence; a stop behind an initial or an abbreviation does not end it."""
    at = start
    for _ in range(8):
        stop = sentence_end(page.low, at)
        if stop >= end or not _SHORT.search(page.text, max(start, stop - 8), stop):
            return stop
        at = stop + 2
    return stop


_SHORT = re.compile(
    r"(?:\b[A-Z]|\b(?:[Ee]|[Dd]r|[Ss]t|[Ss]p|spp|subsp|vs|cf|i\.e|e\.g|approx|no|var|[Nn]r))$"
)
_REASON = re.compile(
    r",?\s(?:because|since|given (?:the|that|his|her)|based on|considering|as (?:the|it|this|he|"
    r"she)|"
    r"supported by|which|porque|parce que|weil)\b"
)
_OPEN = " \n\t\r*_`#>|:=-\"'\u201c\u201d\u2018\u2019\u00ab\u00bb$~\u2022"
_CLOSE = _OPEN + ".,;\u3002\uff0e\u3001\uff0c\uff1b"
_PAIRS = (("(", ")"), ("[", "]"), ("{", "}"), ("\\(", "\\)"), ("\\[", "\\]"))
_WRAPPED = re.compile(
    r"\\(?:text(?:bf|it|rm|sf|tt|normal)?|math(?:bf|rm|it|sf)?|mbox|emph|underline)\s?\{([^{}]*)\}"
)
_THAT = re.compile(
    r"(?:that|as follows:?|most likely|likely|probably|therefore|thus)(?:\s+|$)", re.IGNORECASE
)


_COPULA_BEHIND = re.compile(
    r"(?:\s|(?<=[\u3040-\u9fff]))(?:\u3067\u3059|\u3067\u3042\u308b|\uc785\ub2c8\ub2e4)$"
)


def _taken(page: Page, start: int, end: int, *, quoted: bool = False) -> Outcome | None:
    """The stretch as an answer, stripped; None where nothing is left."""
    raw = page.raw
    if raw[start : start + 1] in ("[", "{") and quoted:
        return None
    start, end = _stripped(raw, start, end)
    copula = _COPULA_BEHIND.search(raw, max(start, end - 8), end)
    if copula:
        start, end = _stripped(raw, start, copula.start())
    word = _THAT.match(raw, start, end)
    if word:
        start, end = _stripped(raw, word.end(), end)
    if not any(char.isalnum() for char in raw[start:end]):
        return None
    if end - start > LONGEST_TEXT:
        return unparsed("too long")
    reason = refusal_at(page.low, start, end)
    if reason:
        return unparsed(reason)
    return parsed(_plain(raw[start:end], escaped=quoted), start, end)


def _stripped(raw: str, start: int, end: int) -> tuple[int, int]:
    for _ in range(8):
        before = start, end
        while start < end and raw[start] in _OPEN:
            start += 1
        while end > start and raw[end - 1] in _CLOSE:
            end -= 1
        for opener, closer in _PAIRS:
            inner = raw[start + len(opener) : end - len(closer)]
            wraps = raw.startswith(opener, start) and raw.endswith(closer, start, end)
            if wraps and opener not in inner and closer not in inner:
                start, end = start + len(opener), end - len(closer)
        command = _WRAPPED.fullmatch(raw, start, end)
        start, end = command.span(1) if command else (start, end)
        if (start, end) == before:
            break
    return start, end


def _plain(text: str, *, escaped: bool) -> str:
    """Without the emphasis, commands and escapes within."""
    if escaped and "\\" in text:
        with contextlib.suppress(ValueError):
            text = json.loads(f'"{text}"', strict=False)
    for _ in range(4):
        text, count = _WRAPPED.subn(r"\1", text)
        if not count:
            break
    text = re.sub(r"\*\*|__|`|(?<!\w)[*_](?=\w)|(?<=\w)[*_](?!\w)", "", text)
    return " ".join(text.split())


_EXPLAINED = re.compile(
    r"\n\s{0,9}(?:explanation|rationale|reason(?:ing)?|justification|note|because|why)\b"
)


def _opening(page: Page) -> Outcome | None:
    """A first line before an explanation, or a few words that are no sentence, before a gap."""
    newline = page.low.find("\n")
    if not 0 < newline <= 200 or page.low[:newline].rstrip().endswith((":", "?")):
        return None
    brief = page.low.startswith("\n\n", newline) and _brief(page.low[:newline])
    if not brief and _EXPLAINED.match(page.low, newline) is None:
        return None
    return _taken(page, 0, newline)


_SENTENCE = re.compile(
    r"\b(?:is|are|was|were|has|have|had|be|can|could|would|should|may|might|will|do|does|did|let|"
    r"we|"
    r"i|you|to|first|step|based|here|this|these|that|given|sure|okay|ok|there)\b"
)


def _brief(line: str) -> bool:
    return len(line.split()) <= 8 and _SENTENCE.search(line) is None


def _whole(page: Page) -> Outcome | None:
    """An answer of one paragraph without an announcement in it."""
    raw = page.raw.strip()
    if "\n" in raw or len(raw) > 1000 or raw.endswith("?") or "{" in raw[:1]:
        return None
    if _DECLINES.match(page.low):
        return unparsed("refused")
    if speaks_of_one(page.low):
        return None
    return _taken(page, _behind_subject(page, 0, len(page.raw)), len(page.raw))
