"""Where a free answer is named without a word for *answer*: *Diagnosis: X*, *the diagnosis is X*,
*this patient most likely has X*.

What stands there has to be a name (:func:`viva.answers._terms.is_name`), for much that is said of a
diagnosis names none: *is confirmed by biopsy*, *was missed at first*.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from viva.answers._sentences import sentence_end

__all__ = ["NAMES_NONE", "named_places", "sides", "speaks_of_one"]

_NOUN = (
    r"diagnosis|diagnostic|diagnostico|diagnóstico|diagnose|diagnosi|rozpoznanie|diagnoza|"
    r"diagnostiziert|диагноз|التشخيص"
)
_CJK = "诊断|診断|診斷|진단"
_KIND = (
    r"(?:the|my|our|a|le|la|el|il|die|de|o|final|overall|single|one|most|very|likely|probable|"
    r"plausible|unifying|underlying|primary|principal|main|leading|top|best|correct|suspected|"
    r"presumptive|clinical|working|definitive|wahrscheinlichste|endgültige|richtige|"
    r"wahrscheinliche)"
)
_OTHER = re.compile(
    r"\b(?:differential|secondary|alternative|initial|previous|prior|admission|admitting|earlier|"
    r"preliminary|provisional|original|other|another|second|third|next|no|any|each|every|which|what|"
    r"possible|less likely|least likely|wrong|incorrect|referral|her|his|their)\s+(?:\w+\s+){0,2}$"
)
_HEADING = re.compile(
    rf"(?:^|\n)[ #>*-]{{0,8}}(?:\(?\d{{1,2}}[.)] {{1,2}})?(?:{_KIND} ){{0,5}}(?:(?:{_NOUN})"
    rf"(?: (?:final|principal|probable|retenu|más probable|le plus probable))?|"
    r"(?:最可能的?|最终|最終)?"
    rf"(?:{_CJK})|impression)\s{{0,3}}(?:\([^()\n]{{0,40}}\)\s{{0,2}})?"
    r"(?:(?P<colon>[:=|]|->| - )|(?P<line>[ #*]{0,6}\n))"
)
_PROSE = re.compile(
    rf"\b(?:{_NOUN})(?P<between>(?: [\w',()-]{{1,24}}){{0,8}}?) (?P<verb>is|was|would be|"
    rf"should be|remains|est|es|è|é|ist|lautet|serait|sería|seria|wäre|is likely to be)(?![\w])"
    rf"|(?:{_CJK})(?P<verb2>应?为|應?為|是|は|은|는)"
)
_FRAME = re.compile(
    r"\b(?:(?:most |highly |very |strongly |best )?(?:consistent with|suggestive of|indicative of|"
    r"diagnostic of|explained by)|(?:strongly |highly )?(?:suggests?|points? to(?:ward)?s?"
    r"|"
    r"indicates?) (?:a diagnosis of|the diagnosis of)|diagnosis of|"
    r"(?:this is|represents|describes) an? (?:\w{1,16} ){0,3}(?:case|presentation|picture|example)"
    r" of|"
    r"(?:patient|he|she|they|man|woman|boy|girl|child|infant|case)(?:'s)? (?:most |very )?"
    r"(?:likely|probably|almost certainly) (?:has|have|had|is having|is suffering from|suffers "
    r"from|represents|is)|(?:i|we)(?:'d| would)? (?:think|believe|suspect|diagnose|say|conclude)"
    r"(?: that)? (?:this|it|the patient|he|she) (?:is|has|represents)|"
    r"this is (?:most )?(?:likely|probably)(?: a case of)?)(?![\w])"
)
NAMES_NONE = re.compile(
    r"(?:(?:most )?(?:likely|probably|clearly|very|also|best|further|then|now|initially|usually|"
    r"often|still|strongly|highly)\s+){0,3}(?:confirmed|supported|suggested|made|based|established|"
    r"considered|suspected|reached|missed|unclear|uncertain|unknown|challenging|difficult|clear|"
    r"straightforward|clinical|important|consistent|given|delayed|in|on|by|from|to|for|less|"
    r"pending|available|possible|correct|wrong|at|if|whether|obvious|evident|appropriate|"
    r"excluded|ruled|unlikely|that of exclusion)\b"
)
_LINK = re.compile(
    r"[\s:*_]{0,6}(?:(?:therefore|thus|hence|most likely|likely|probably|clearly|almost certainly|"
    r"that of|given by|a case of|consistent with|donc|also|now|likely to be|be)\b"
    r"[\s:,*_]{0,4}){0,3}"
    r"(?:(?:an?|une?|el|la|le|eine?|un[oa]|das|die|der)\s(?=\S)|l')?"
)
_ELSE = re.compile(r"\b(?:not|that|which|who|if|whether|of)\b")
_NOT_BUT = re.compile(r"\s{0,3}not\b[^.\n]{1,120}?\bbut(?: rather)?\s{1,3}")
_NOT = re.compile(r"[\s*]{0,4}(?:not|never|unlikely|less|no longer|neither)\b")
_DENIED = re.compile(
    r"\b(?:not|never|less|neither|nor|unlikely|could|may|might|can|if|whether|rather than|isn't|"
    r"although|initially|argues? against|against|without)\b[^.,;\n]{0,40}$"
)
_ASKS = re.compile(r"[^.\n]{0,200}\?")


def named_places(low: str) -> Iterator[tuple[int, int, bool]]:
    """Where names are given, the last first: ``(start, end, whether the line is its own)``.

    Headings and labels come before prose, and prose before frames such as *consistent with*.
    """
    for pattern in (_HEADING, _PROSE, _FRAME):
        matches = list(pattern.finditer(low))[-64:]
        for match in reversed(matches):
            place = _place(low, match, pattern)
            if place:
                yield place


def _place(
    low: str, match: re.Match[str], pattern: re.Pattern[str]
) -> tuple[int, int, bool] | None:
    at = match.start() + (low[match.start()] == "\n" if match.start() < len(low) else 0)
    head = low[max(0, at - 60) : at]
    start = match.end()
    if pattern is _HEADING:
        while start < len(low) and low[start] in " \n*_|" and start - match.end() < 40:
            start += 1
        newline = low.find("\n", start)
        end = newline if newline >= 0 else len(low)
        bar = low.find("|", start, end)  # a row of a table
        return (start, bar if bar > 0 else end, True) if start < end else None
    if _OTHER.search(head):
        return None
    contrast = _NOT_BUT.match(low, start)
    if contrast:
        start = contrast.end()
    elif _NOT.match(low, start) or _ASKS.match(low, start):
        return None
    if pattern is _FRAME and _DENIED.search(head):
        return None
    if pattern is _PROSE and _ELSE.search(match["between"] or ""):
        return None
    link = _LINK.match(low, start)
    start = link.end() if link else start
    if NAMES_NONE.match(low, start):
        return None
    newline = low.find("\n", start)
    end = min(newline if newline >= 0 else len(low), start + 300)
    return (start, end, False) if start < end else None


_SPEAKS = re.compile(
    rf"(?:{_NOUN})(?: [\w',-]{{1,24}}){{0,4}}? (?:is|was|were|are|remains|would|could|cannot|can"
    r"|may)\b"
    rf"|(?:{_NOUN}|{_CJK})\s{{0,2}}[:\uff1a]"
)


def speaks_of_one(low: str) -> bool:
    """Whether a short text says something of a diagnosis, be it no more than that it is hard."""
    return len(low) <= 400 and _SPEAKS.search(low) is not None


_EITHER = re.compile(r"\beither\s[^.;\n]{1,120}?\sor\s")


def sides(low: str, start: int, end: int) -> bool:
    """Whether a stretch names two answers and prefers none: *either gout or pseudogout*."""
    return _EITHER.search(low, max(0, start), min(end, sentence_end(low, start))) is not None
