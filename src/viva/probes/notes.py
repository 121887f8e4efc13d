"""The same case on another form: tables and prose, headings, a list, capitals or none."""

from __future__ import annotations

import random
import re
from functools import partial

from viva.probes.findings import parted_question
from viva.probes.sentences import sentences
from viva.probes.variant import (
    Probe,
    Reason,
    Refused,
    Relation,
    Variant,
    changed,
    refused,
    single_key,
)
from viva.records import Item

__all__ = ["PROBES", "bulleted", "cased_note", "headed", "lines_to_prose", "prose_to_lines"]

_FEWEST_ROWS = 3
_FEWEST_SENTENCES = 3
_SHORT = 70
"""Characters of a line below which it may be a row."""

# "Na+: 139 mEq/L", "- Hemoglobin: 9 g/dL", "| Glucose | 90 mg/dL |", "Platelet count 220,000/mm3".
_ROW = re.compile(
    r"[ \t]*(?:[-•*][ \t]+|\|[ \t]*)?(?P<name>[^\W\d_][^:|\n\d]{0,40}?(?:\d[+-]|[-+−]|3−|3-|2\+)?)"
    r"(?P<colon>[ \t]*[:|][ \t]*|[ \t]+)"
    r"(?P<value>[<>≤≥]?[ \t]?\d[^\n|]{0,60}?|[Nn]egative|[Pp]ositive|[Nn]ormal|[1-4]\+)"
    r"[ \t]*\|?[ \t]*"
)
_RULE = re.compile(r"[ \t]*\|?[ \t:|-]*-[ \t:|-]*\|?[ \t]*")
_HEAD = re.compile(r"[ \t]*(?:[-•*][ \t]+)?(?P<name>[A-Z][A-Za-z ,/()-]{1,40}):?[ \t]*")
_COLUMNS = re.compile(
    r"\d[\d.,]*[ \t]?(?:[%A-Za-zµμ/][^\s(]*)?"
    r"(?:[ \t]{2,}|[ \t|]+(?=\d[\d.,]*[ /%]))(?!\()\d"
)
_TOKEN = re.compile(r"[\w.,/%+−-]*\w")
_SENTENCE_LIKE = re.compile(r"[a-z]{3,} (?:is|are|was|shows?|has|and|with|of|the) ")

_VITAL = re.compile(
    r"(?:(?:his|her|the patient['’]s|the|current|vital signs (?:are|show|include|reveal):?|with|a"
    r"|an|has|at)[ ]+)*"
    r"(?P<name>(?:body )?temperature|blood pressure|pulse(?: rate)?|heart rate|respirations"
    r"|respiratory rate|oxygen saturation|O2 saturation|SpO2|BMI|body mass index)"
    r"(?:[ ](?:is|are|was|were|of|at)|:)?[ ](?P<value>\d.*)",
    re.IGNORECASE | re.DOTALL,
)
_CLAUSES = re.compile(
    r",[ ]and[ ]|,[ ]|;[ ]|[ ]and[ ](?=(?:his |her |the |a )?(?:blood|pulse|heart|resp|oxy|temp))"
)
_OBJECTIVE = re.compile(
    r"\A(?:On (?:physical )?exam(?:ination)?\b|On arrival\b"
    r"|(?:Physical |Neurologic(?:al)? |Cardiac |Abdominal |Pulmonary |Pelvic |Cardiopulmonary "
    r"|Mental status )?[Ee]xam(?:ination)?\b"
    r"|(?:His|Her|The patient['’]s) (?:vital signs|temperature|blood pressure|pulse|heart rate)\b"
    r"|Vital signs\b|Temperature\b|Laboratory\b|Blood pressure\b"
    r"|Lab (?:tests|results|values|studies))"
)
_SUBJECTIVE = re.compile(
    r"\b(?:(?:medical|family|surgical|social) history|denies|medications include|takes no"
    r"|drinks|smokes|smoked|allerg\w+|reports|states that|says|later|subsequently|underwent|dies"
    r"|died"
    r"|(?:is|are|was) (?:started|treated|admitted|taken|given|transferred|discharged|performed"
    r"|begun))\b",
    re.IGNORECASE,
)
"""Words of history, and of what happened after the findings."""


def _vignette(item: Item) -> tuple[str, str] | Reason:
    """Description and question of an item with a single key."""
    key = single_key(item)
    if isinstance(key, Reason):
        return key
    parted = parted_question(item.question)
    return (parted.description, parted.question) if parted else Reason.NO_VIGNETTE


def _made(item: Item, name: str, question: str, note: str) -> list[Variant]:
    variant = changed(item, name, Relation.PRESERVING, question=question)
    return [Variant(variant, name, Relation.PRESERVING, note=note)]


def _row(line: str) -> tuple[str, str] | None:
    if _SENTENCE_LIKE.search(line) or len(line) > 110:
        return None
    match = _ROW.fullmatch(line)
    return (match["name"].strip(), match["value"].strip()) if match else None


def lines_to_prose(item: Item, rng: random.Random) -> list[Variant] | Refused:
    """A table of values, a line each, as one sentence; every name and value is kept, in order."""
    del rng
    name = "notes.prose"
    key = single_key(item)
    if isinstance(key, Reason):
        return refused(item, name, key)
    if item.question.count("\n") < _FEWEST_ROWS:
        return refused(item, name, Reason.NOTHING_TO_CHANGE)
    lines = item.question.split("\n")
    kinds = [_line_kind(line) for line in lines]
    if any(
        kind == "row" and _COLUMNS.search(line) for line, kind in zip(lines, kinds, strict=True)
    ):
        return refused(item, name, Reason.MEASURE_UNCERTAIN)  # two values in a row
    out: list[str] = []
    at = total = 0
    while at < len(lines):
        end = _block_end(kinds, at)
        count = kinds[at:end].count("row")
        if count < _FEWEST_ROWS:
            out.append(lines[at])
            at += 1
            continue
        if any(map(_of_a_table, [*lines[max(0, at - 1) : at], *lines[end : end + 1]])):
            return refused(item, name, Reason.NOTHING_TO_CHANGE)  # the table goes on
        out.append(_prose(lines[at:end], kinds[at:end]))
        total += count
        at = end
    question = "\n".join(out)
    if not total or _TOKEN.findall(question) != _TOKEN.findall(item.question):
        return refused(item, name, Reason.NOTHING_TO_CHANGE)
    return _made(item, name, question, f"{total} lines to prose")


def _of_a_table(line: str) -> bool:
    """Whether a line is of a table that the rules read in part only."""
    said = line.strip()
    if said.startswith(("|", "- ", "* ", "•")):
        return True
    return bool(said) and len(said) < _SHORT and not said.endswith((".", ":", "?", '"', ",", "**"))


def _line_kind(line: str) -> str:
    """``row``, ``rule`` under the head of a table, ``blank``, ``head`` of a part, ``other``."""
    if not line.strip():
        return "blank"
    if _row(line):
        return "row"
    if _RULE.fullmatch(line):
        return "rule"
    return "head" if _HEAD.fullmatch(line) and not line.rstrip().endswith(".") else "other"


def _block_end(kinds: list[str], at: int) -> int:
    """The end of the table that begins at a line, behind its last row; the line itself where none.

    A table is rows; a heading in it has a row after it.
    """
    end = at
    i = at
    while i < len(kinds):
        kind = kinds[i]
        following = kinds[i + 1] if i + 1 < len(kinds) else "other"
        if kind == "row":
            end = i + 1
        elif (
            kind == "other"
            or (kind == "head" and following != "row")
            or (kind in ("blank", "rule") and i == at)
        ):
            break
        i += 1
    return end


def _prose(lines: list[str], kinds: list[str]) -> str:
    """The rows of a table as one sentence."""
    said: list[str] = []
    head = ""
    for line, kind in zip(lines, kinds, strict=True):
        if kind == "head":
            head = f"{line.strip(' -•*:')}: "
        elif (row := _row(line)) is not None and kind == "row":
            said.append(f"{head}{row[0]} {row[1]}")
            head = ""
    return f"{'; '.join(said)}."


def prose_to_lines(item: Item, rng: random.Random) -> list[Variant] | Refused:
    """Vital signs in a sentence as lines, one for each; every name and value is kept, in order."""
    del rng
    name = "notes.lines"
    key = single_key(item)
    if isinstance(key, Reason):
        return refused(item, name, key)
    text = item.question
    if "ressure" not in text and "pulse" not in text and "emperature" not in text:
        return refused(item, name, Reason.NOTHING_TO_CHANGE)
    pieces: list[str] = []
    last = total = 0
    for start, end in sentences(text):
        sentence = text[start:end]
        if not sentence.endswith(".") or "," not in sentence or "\n" in sentence:
            continue
        clauses = [_VITAL.fullmatch(c) for c in _CLAUSES.split(sentence[:-1])]
        if len(clauses) < _FEWEST_ROWS or not all(clauses):
            continue
        lines = [f"{c['name'][0].upper()}{c['name'][1:]}: {c['value']}" for c in clauses if c]
        before = text[last:start].rstrip(" ")
        gap = "" if not before or before.endswith("\n") else "\n"
        pieces += [before, gap, "\n".join(lines), "\n"]
        last = end
        while last < len(text) and text[last] in " \n":
            last += 1
        total += len(lines)
    if not total:
        return refused(item, name, Reason.NOTHING_TO_CHANGE)
    return _made(item, name, "".join([*pieces, text[last:]]), f"{total} values to lines")


def headed(item: Item, rng: random.Random) -> list[Variant] | Refused:
    """Headings of a note before the history, the findings and the question; nothing is moved.

    Refused where history and findings are not told one after the other.
    """
    del rng
    name = "notes.headings"
    found = _vignette(item)
    if isinstance(found, Reason):
        return refused(item, name, found)
    description, question = found
    spans = sentences(description)
    first = next(
        (i for i, (a, b) in enumerate(spans) if i and _OBJECTIVE.match(description[a:b])), None
    )
    if first is None:
        return refused(item, name, Reason.NOTHING_TO_CHANGE)
    if any(_SUBJECTIVE.search(description[a:b]) for a, b in spans[first:]):
        return refused(item, name, Reason.ORDER_OF_NOTE)
    at = spans[first][0]
    text = (
        f"Subjective:\n{description[:at].strip()}\n\n"
        f"Objective:\n{description[at:].strip()}\n\nQuestion:\n{question.strip()}"
    )
    return _made(item, name, text, "Subjective, Objective, Question")


def bulleted(item: Item, rng: random.Random) -> list[Variant] | Refused:
    """The sentences of the description as a list; the question after it."""
    del rng
    name = "notes.bullets"
    found = _vignette(item)
    if isinstance(found, Reason):
        return refused(item, name, found)
    description, question = found
    if "\n" in description.strip():
        return refused(item, name, Reason.LINES_ALREADY)
    spans = sentences(description)
    if len(spans) < _FEWEST_SENTENCES:
        return refused(item, name, Reason.NOTHING_TO_CHANGE)
    lines = "\n".join(f"- {description[a:b]}" for a, b in spans)
    return _made(item, name, f"{lines}\n\n{question.strip()}", f"{len(spans)} bullets")


_SYMBOL = re.compile(r"(?<![A-Za-z])[A-Za-z]{1,3}(?![A-Za-z])")


def cased_note(item: Item, rng: random.Random, *, to: str) -> list[Variant] | Refused:
    """The question in small letters, or in capitals; options keep theirs.

    Refused where two short words differ in their capitals only ("Mg", "mg").

    Parameters
    ----------
    item : Item
        The original.
    rng : random.Random
        Not used: nothing is drawn.
    to : str
        ``lower`` or ``upper``.
    """
    del rng
    name = f"notes.{to}_case"
    key = single_key(item)
    if isinstance(key, Reason):
        return refused(item, name, key)
    text = item.question.lower() if to == "lower" else item.question.upper()
    back = text.upper() if to == "lower" else text.lower()
    plain = item.question.upper() if to == "lower" else item.question.lower()
    if text == item.question:
        return refused(item, name, Reason.NOTHING_TO_CHANGE)
    if back != plain:  # letters whose capitals are others: "ß", "µ"
        return refused(item, name, Reason.CASE_MATTERS)
    forms: dict[str, str] = {}
    for symbol in _SYMBOL.findall(item.question):
        # A word that begins a sentence differs from itself by its capital: that is no difference.
        form = symbol if symbol.isupper() or symbol[1:] != symbol[1:].lower() else symbol.lower()
        if len(symbol) > 1 and forms.setdefault(symbol.lower(), form) != form:
            return refused(item, name, Reason.CASE_MATTERS)
    return _made(item, name, text, f"{to} case")


PROBES: dict[str, Probe] = {
    "notes.prose": Probe("turns a table of values into prose", Relation.PRESERVING, lines_to_prose),
    "notes.lines": Probe("turns vital signs into lines", Relation.PRESERVING, prose_to_lines),
    "notes.headings": Probe("puts the headings of a note", Relation.PRESERVING, headed),
    "notes.bullets": Probe("makes a list of the sentences", Relation.PRESERVING, bulleted),
    **{
        f"notes.{to}_case": Probe(
            f"writes the question in {to} case", Relation.PRESERVING, partial(cased_note, to=to)
        )
        for to in ("lower", "upper")
    },
}
