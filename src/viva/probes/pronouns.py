"""One patient's gender swapped in a text: nouns, pronouns, and the gender of a partner."""

from __future__ import annotations

import re

from viva.probes._words import vocabulary
from viva.probes.sentences import sentences

__all__ = ["SWAPPED", "gendered", "swapped"]

_MALE = (
    "man boy gentleman male he him his himself husband boyfriend widower father son brother"
).split()
_FEMALE = (
    "woman girl lady female she her hers herself wife girlfriend widow mother daughter sister"
).split()

SWAPPED: dict[str, str] = {
    "man": "woman", "boy": "girl", "gentleman": "lady", "male": "female",
    "woman": "man", "girl": "boy", "lady": "gentleman", "female": "male",
    "husband": "wife", "wife": "husband", "boyfriend": "girlfriend", "girlfriend": "boyfriend",
    "widow": "widower", "widower": "widow",
    "he": "she", "she": "he", "him": "her", "himself": "herself", "herself": "himself",
}  # fmt: skip
"""Words that are swapped one for one; ``his`` and ``her`` need their neighbours."""

_MALE_WORDS = frozenset(
    "men dad daddy grandfather uncle nephew grandson stepfather stepson".split()
).union(_MALE)
_FEMALE_WORDS = frozenset(
    """women mom mum mommy grandmother aunt niece granddaughter stepmother stepdaughter""".split()
).union(_FEMALE)
_PRONOUNS = {True: frozenset("he him his himself".split()),
             False: frozenset("she her hers herself".split())}  # fmt: skip
_NOUNS = {True: frozenset("man boy gentleman male".split()),
          False: frozenset("woman girl lady female".split())}  # fmt: skip
_RELATIVES = {
    True: "father|dad|daddy|grandfather|uncle|nephew|son|grandson|brother|stepfather|stepson",
    False: "mother|mom|mum|mommy|grandmother|aunt|niece|daughter|granddaughter|sister|stepmother"
    "|stepdaughter",
}
"""People of the patient's own gender, to whom a pronoun may point."""
_RELATIVE = {k: re.compile(rf"\b(?:{v})(?:['’]s)?\b", re.IGNORECASE) for k, v in _RELATIVES.items()}
_SUBJECT = {
    True: re.compile(r"\b(?:he|him|himself|his)\b", re.IGNORECASE),
    False: re.compile(r"\b(?:she|her|hers|herself)\b", re.IGNORECASE),
}
_WORDS = re.compile(r"[A-Za-z]+(?:['’](?!s\b|d\b|ll\b|re\b|ve\b)[A-Za-z]+)*")
_NEXT = re.compile(r"[ \t\n]+([A-Za-z]+(?:-[A-Za-z]+)*)(?:[ \t\n]+([A-Za-z-]+))?")
_BEGUN = re.compile(r"[ \t\n]+[\d“\"‘'(]")

# What follows "her" where it is an object: after these no noun phrase has begun.
_AFTER_OBJECT = frozenset(
    """to and or but nor with without for from in into on onto at by of as that than then about over
    under up down out off away back again home here there not is are was were be been has had have
    will would can could may might should must when while because since after before during if
    until unless although though through via per the a an this these those some any every each all
    no so too very more unable able how what who whom whose which whether why where daily today
    tomorrow yesterday now once twice well better he she it they him them her its due except despite
    toward towards against between following regarding alone""".split()
)
_GIVING = frozenset(
    """gave give gives giving given offer offered offers told tell tells telling ask asks asked
    advise advises advised inform informs informed remind reminded reminds show showed
    shows""".split()
)
_OWN = frozenset(
    """consent name permission history symptoms pain condition age weight medication medications
    medicine arm arms hand hands leg legs foot feet head neck chest abdomen back finger fingers face
    mouth tongue eyes eye teeth gait blood urine doctor physician family parents husband boyfriend
    mother father sister brother daughter son children child roommate friend friends neighbor
    results concerns story past current last first previous recent""".split()
)
_MAKING = frozenset(
    """make makes made making let lets help helps helped helping keep keeps kept keeping find finds
    found leave leaves left see saw seen watch hear heard notice noticed wake wakes woke
    causing""".split()
)
_STATE = frozenset(
    """feel short tired nauseous nauseated dizzy sleepy uncomfortable anxious sick weak drowsy happy
    irritable itch cough sweat cry gag vomit relax quit concentrate stay fall gain lose lethargic
    unconscious unresponsive unwell lying sitting sleeping awake alive asleep go get become look
    seem run walk eat drink take do have cope manage breathe choke faint speak talk""".split()
)


def gendered(text: str) -> bool:
    """Whether a text has a word of one gender."""
    return not vocabulary(text).isdisjoint(_MALE_WORDS | _FEMALE_WORDS)


def _ambiguous(text: str, male: bool) -> bool:
    """Whether a pronoun may point to somebody of the patient's gender who is not the patient."""
    if not _RELATIVE[male].search(text):
        return False
    spans = sentences(text)
    for i, (start, end) in enumerate(spans):
        sentence = text[start:end]
        relatives = list(_RELATIVE[male].finditer(sentence))
        if not relatives:
            continue
        if _SUBJECT[male].search(sentence, relatives[0].end()):
            return True
        if i + 1 < len(spans):
            following = text[spans[i + 1][0] : spans[i + 1][1]]
            if _SUBJECT[male].match(following):
                return True
    return False


def _her(text: str, end: int, before: str) -> str:
    """``his`` or ``him`` for a "her" that ends at a position, by the words around it."""
    after = _NEXT.match(text, end)
    if after is None:
        # A digit or a quotation begins a noun phrase ("her 3 children"), a stop ends one.
        return "his" if _BEGUN.match(text, end) else "him"
    word = after[1].lower()
    if word in _AFTER_OBJECT:
        return "him"
    if before in _GIVING and word not in _OWN:
        return "him"
    if before in _MAKING and word in _STATE:
        return "him"
    if word.endswith("ly") and after[2] is None:
        return "him"
    return "his"


def _his(text: str, end: int) -> str:
    """``her``, or ``hers`` where no noun follows."""
    return "her" if _NEXT.match(text, end) or _BEGUN.match(text, end) else "hers"


def _like(word: str, new: str) -> str:
    if word.isupper() and len(word) > 1:
        return new.upper()
    return new.capitalize() if word[0].isupper() else new


def swapped(text: str, *, male: bool) -> str | None:
    """The text about a patient of the other gender.

    Parameters
    ----------
    text : str
        About one patient.
    male : bool
        Whether the patient is male now.

    Returns
    -------
    str or None
        None where a word of one gender may be about somebody else: pronouns of both genders, a
        noun of the other gender, a pronoun after a relative of the patient's gender.
    """
    words = vocabulary(text)
    if words & (_PRONOUNS[not male] | _NOUNS[not male]) or _ambiguous(text, male):
        return None
    spouse = ("husband", "boyfriend", "widower") if male else ("wife", "girlfriend", "widow")
    if not words.isdisjoint(spouse) and "widower" not in words and "widow" not in words:
        return None  # of the patient's own gender: whose pronouns are whose is not told
    pieces: list[str] = []
    last, before = 0, ""
    for found in _WORDS.finditer(text):
        word = found[0].lower()
        new = SWAPPED.get(word)
        if word == "her":
            new = _her(text, found.end(), before)
        elif word == "his":
            new = _his(text, found.end())
        elif word == "hers":
            new = "his"
        if new is not None:
            pieces += [text[last : found.start()], _like(found[0], new)]
            last = found.end()
        before = word
    pieces.append(text[last:])
    return "".join(pieces)
