"""Statements about one option: *option B is correct*, *the most likely cause is Ketamine*.

They count where nothing was announced: one option stated is the answer, several are not.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator

from viva.answers import _phrases as phrases
from viva.answers._refs import View, first_ref, letter_at
from viva.answers._sentences import sentence_start
from viva.answers._slots import (
    EXPLICIT,
    NOT_ON_LIST,
    SEVERAL,
    STATED,
    Claim,
    denied,
    live_mentions,
    read_slot,
    unreal,
    withdrawn,
)

__all__ = ["statements"]

_MOST = 256
"""Predicates looked at, the last ones: real answers have a few, hostile text any number."""

_PREDICATE_ASCII = (
    r"[^a-z](?:(?:is|are|was|would be|will be|seems?(?: to be)?|appears?(?: to be)?|remains?|"
    r"being|stands out as|must be|represents|es|est|ist)\s{1,3}"
    r"(?:(?:therefore|thus|hence|likely|probably|clearly|indeed|now|still|also|definitely|"
    r"certainly|considered|both|by far|la|le|die|a|the|only|single|option|choice|one|that|is|"
    r"most likely to be)\s{1,3}){0,4}"
    r"(?:correct(?:a|e|o|ly)?|right|best|true|most \w+|answers?|accurate|likely|better|"
    r"more (?:likely|appropriate|suitable|fitting)|closest|nearest|"
    r"preferred(?=\s{0,3}(?:[.!\n]|$))|"
    r"my (?:final )?(?:answer|choice|pick|guess)|richtig|korrekt|corretta|correta|"
    r"bonne)\b"
    r"|(?<=[-:(|])(?P<mark>\s{0,3}(?:this is )?(?:the )?(?:correct|right|best)"
    r"(?: answer| option| choice)?\s{0,3}(?:[).!|,;\n]|$)))"
)
_PREDICATE = {
    True: re.compile(_PREDICATE_ASCII),
    False: re.compile(
        rf"{_PREDICATE_ASCII}|(?<![a-z])[éè] (?:a |la )?(?:corret|corrett)a\b"
        r"|(?:选项|項|项)?\s{0,2}是?(?:正确|正確|对)的?"
        r"|[\u2713\u2714\u2705\u2611]\ufe0f?\s{0,3}(?:[|\n]|$)"
    ),
}
"""Predicates that make their subject the answer; the key says whether the text is ASCII."""

_SEGMENT = re.compile(
    r"(?:;|\b(?:think|believe|say|feel|conclude|suspect|know|sure|agree|confident)\b|"
    r"\bso\b|\bbecause\b|\bsince\b|\bwhile\b|\bwhereas\b|\bthat\b|\bmaking\b|\btherefore,?|"
    r",\s(?=(?:the|this|it|he|she|they|his|her|its|their)\b)|"
    r"\bthus,?|\bhence,?|\bhowever,?|\balthough\b|, and\b(?! \(?[a-z]\b)|, but\b|\bbut\b|\bas\b)"
)
_SUBJECT = re.compile(
    r"(?:(?P<word>\b(?:options?|choices?|answers?|letter|alternative|statements?|opci[oó]n|"
    r"option|antwort|"
    r"alternativa|letra|选项|選項)\s{0,3}[(\['\s]{0,3})|(?P<bracket>[(\[])|(?P<clause>[,:;(\n]\s{0,4}))"
    r"(?P<letter>[a-z])(?![a-z0-9])"
)
_OPENING_LETTER = re.compile(r"[\s,:(\['|-]{0,6}(?:both\s|either\s|only\s)?([a-z])(?![a-z0-9])")


def statements(view: View, start: int, end: int | None = None) -> list[Claim]:
    """*Option B is correct*, *the most likely cause is C: Ketamine*: claims by predicate.

    Only predicates within ``low[start:end]`` are looked at, the last 256 of each kind.
    """
    low = view.low
    end = len(low) if end is None else end
    claims: list[Claim] = []
    for match in deque(_PREDICATE[low.isascii()].finditer(low, start, end), maxlen=_MOST):
        begin = sentence_start(low, match.start(), start)
        claim = _subject(view, begin, match)
        if claim and not (unreal(view, begin, claim.start) or _TAKEN_BACK.match(low, claim.after)):
            claims.append(claim)
    for match in deque(_VERDICT.finditer(low, start, end), maxlen=_MOST):
        claim = _verdict(view, match, start)
        if claim:
            claims.append(claim)
    return claims


def _verdict(view: View, match: re.Match[str], start: int) -> Claim | None:
    """*The most likely cause is Ketamine*; with a labelled letter, any verb of being will do."""
    low = view.low
    labelled = _LABELLED.match(low, match.end()) is not None
    if not (labelled or match.group()[1:] in ("is", "are", "was", "be")):
        return None
    begin = sentence_start(low, match.start(), start)
    decides = labelled or _SUPERLATIVE.search(low, begin, match.start()) is not None
    only = not decides and _ONLY.search(low, begin, match.start()) is not None
    if not (decides or only or _DIGIT.search(low, match.end(), match.end() + 80)):
        return None
    ref, at = first_ref(view, match.end(), len(low))
    if ref is None or at > match.end() + 40:
        return None
    claim = read_slot(view, at, len(low), STATED)
    if claim is None or claim.reason == NOT_ON_LIST or withdrawn(view, claim):
        return None
    lone = claim.end - claim.start == 1
    if not (decides or (only and lone) or _ends_number(view, claim)):
        return None
    if unreal(view, begin, match.start()):
        return None
    if phrases.OTHER_SUBJECT.search(low, begin, match.start()):
        return None
    if phrases.DENIAL_AFTER.match(low, claim.after, min(len(low), claim.after + 90)):
        return None
    concluding = phrases.CONCLUDES.search(low, begin, match.start())
    return claim._replace(strength=EXPLICIT if concluding else STATED)


def _ends_number(view: View, claim: Claim) -> bool:
    """*The risk is 25%.*: a number of the list that ends its sentence."""
    span = view.low[claim.start : claim.end]
    rest = view.low[claim.after : claim.after + 2].strip(" )")
    return any(map(str.isdigit, span)) and rest[:1] in ("", ".", "\n")


_LABELLED = re.compile(
    r"[\s:]{1,4}(?:(?:the|most likely|likely|called|probably)\s{1,3}){0,2}"
    r"(?:(?:option|choice|answer)\s{1,3}[(\['\s]{0,3}[a-z](?![a-z0-9])|"
    r"[(\['\s]{0,3}[a-z]\s{0,2}['\])]{0,2}\s{0,2}[:)\]])"
)
_TAKEN_BACK = re.compile(
    r"[^.\n]{0,20}?\b(?:is|was|are) (?:\w+ly )?(?:incorrect|wrong|not|false|mistaken)\b"
)
_VERDICT = re.compile(
    r"[^a-z](?:is|are|was|be|due to|caused by|called|diagnosed with|include|show|shows|"
    r"represents|with|as|experience|recommend|suggests?|about|derived from the|indicates?)(?=[\s:])"
)
_SUPERLATIVE = re.compile(
    r"\b(?:most|best|correct|likely|appropriate|greatest|highest|lowest|closest|strongest|primary|"
    r"next step|preferred|ideal|optimal|first-line|diagnosis|answer|recommended|indicated|"
    r"treatment of choice|right one|correct one|key|main|expected|therefore|thus|hence)\b"
)


_DIGIT = re.compile(r"[0-9]")
_ONLY = re.compile(r"\bonly\b|\bthat (?:fits|matches|explains)\b")


def _subject(view: View, begin: int, predicate: re.Match[str]) -> Claim | None:
    """The option that the predicate is about: the references in its clause that stand."""
    low, at = view.low, predicate.start()
    if phrases.CONDITION.match(low, predicate.end(), min(len(low), predicate.end() + 60)):
        return None
    segment = begin
    for cut in _SEGMENT.finditer(low, begin, at):
        segment = cut.end()
    if predicate["mark"]:  # "A: incorrect, B: correct"
        segment = max(segment, low.rfind(",", segment, at) + 1)
    options: dict[int, tuple[int, int]] = {}
    for spot, marked in _subject_letters(low, segment, at):
        plain = spot == begin and low.startswith(" is ", spot + 1)  # "b is the answer"
        if not letter_at(view, spot, at, marked=marked or plain):
            continue
        if not marked and not plain and not view.text[spot].isupper():
            continue
        if denied(low, spot, spot + 1, max(segment, spot - 40), at):
            continue
        claim = read_slot(view, spot, at, STATED)
        if claim and claim.reason == SEVERAL:
            return claim
        options.setdefault(ord(low[spot]) - 97, (spot, spot + 1))
    for mention in live_mentions(view, segment, at):
        if len(mention.options) == 1:
            options.setdefault(next(iter(mention.options)), (mention.start, mention.end))
    if any(index >= view.options.count for index in options):
        return None
    comma = low.rfind(", ", segment, at) if len(options) > 1 else -1
    near = {i: span for i, span in options.items() if span[0] > comma >= 0}
    if len(near) == 1 and " and " not in low[comma:at]:  # "although A is fast, B is best"
        options = near
    if len(options) == 1:
        ((index, span),) = options.items()
        strength = EXPLICIT if phrases.CONCLUDES.search(low, begin, at) else STATED
        return Claim(*span, index, None, strength, predicate.end())
    if len(options) > 1 and predicate.group().startswith("are", 1):
        return Claim(segment, at, None, SEVERAL, STATED, predicate.end())
    return None


def _subject_letters(low: str, segment: int, at: int) -> Iterator[tuple[int, bool]]:
    """Where letters may stand in a subject, and whether a word or bracket marks them as such."""
    opening = _OPENING_LETTER.match(low, segment, at)
    if opening:
        yield opening.start(1), False
    for subject in _SUBJECT.finditer(low, segment, at):
        marked = subject["word"] is not None or subject["bracket"] is not None
        yield subject.start("letter"), marked
