"""The same case on another form: everything said is still said, in its order."""

import random
import re

import pytest
from hypothesis import given
from made_items import items

from viva.benchmarks import bundled
from viva.formats.run import items_of
from viva.probes import PROBES, Reason, Refused
from viva.probes.variant import stream
from viva.records import Choice, Item

RNG = random.Random(0)
NOTES = sorted(n for n in PROBES if n.startswith("notes."))


def make(name, question):
    original = Item("exam", "1", question, ("Wait", "Operate"), Choice(0))
    return PROBES[name].make(original, RNG)


def said(name, question):
    found = make(name, question)
    assert not isinstance(found, Refused), found.reason
    return found[0].item.question


TABLE = "He coughs. Tests show:\nSerum\nNa+: 139 mEq/L\nCl-: 100 mEq/L\nHCO3-: 22 mEq/L\n\nWhich?"


def test_a_table_becomes_a_sentence():
    assert said("notes.prose", TABLE) == (
        "He coughs. Tests show:\nSerum: Na+ 139 mEq/L; Cl- 100 mEq/L; HCO3- 22 mEq/L.\n\nWhich?"
    )
    marked = "Tests:\n\n| Hemoglobin | 9 g/dL |\n| --- | --- |\n| MCV | 70 fL |\n| AST | 20 U/L |\nWhich?"
    assert said("notes.prose", marked) == (
        "Tests:\n\nHemoglobin 9 g/dL; MCV 70 fL; AST 20 U/L.\nWhich?"
    )


@pytest.mark.parametrize(
    "table",
    [
        "Na+: 139 mEq/L\nCl-: 100 mEq/L\nWhich?",  # two rows
        "Day 1 Day 3\nHemoglobin 14.1 g/dL 13.4 g/dL\nAlbumin 4 g/dL 3 g/dL\nAST 2 U/L 3 U/L\nWhich?",
        "- Pulse: 110/min\n- BP: 150/70 mm Hg\n- Temp: 37 C\n- Fine tremor of the hands\nWhich?",
    ],
)  # fmt: skip
def test_tables_that_are_not_wholly_read_are_refused(table):
    assert isinstance(make("notes.prose", table), Refused)


def test_vital_signs_become_lines():
    assert said(
        "notes.lines",
        "A man coughs. His temperature is 37.5°C (99.5°F), blood pressure is 107/58 mmHg, pulse is "
        "90/min, and oxygen saturation is 98% on room air. He is pale. Which?",
    ) == (
        "A man coughs.\nTemperature: 37.5°C (99.5°F)\nBlood pressure: 107/58 mmHg\nPulse: 90/min\n"
        "Oxygen saturation: 98% on room air\nHe is pale. Which?"
    )
    mixed = "His pulse is 90/min, his gait is unsteady, and blood pressure is 1/2 mm Hg. Which?"
    assert make("notes.lines", mixed).reason == Reason.NOTHING_TO_CHANGE


CASE = "A man coughs. He smokes. Vital signs are normal. Examination shows crackles. Which is it?"


def test_headings():
    assert said("notes.headings", CASE) == (
        "Subjective:\nA man coughs. He smokes.\n\nObjective:\nVital signs are normal. Examination "
        "shows crackles.\n\nQuestion:\nWhich is it?"
    )
    turns = CASE.replace("Which", "He denies fever. Which")
    assert make("notes.headings", turns).reason == Reason.ORDER_OF_NOTE


def test_bullets():
    assert said("notes.bullets", CASE).split("\n") == [
        "- A man coughs.", "- He smokes.", "- Vital signs are normal.",
        "- Examination shows crackles.", "", "Which is it?",
    ]  # fmt: skip
    assert make("notes.bullets", TABLE).reason == Reason.LINES_ALREADY


def test_case():
    assert said("notes.lower_case", "A Man Has HIV.") == "a man has hiv."
    assert said("notes.upper_case", "A man has HIV.") == "A MAN HAS HIV."
    assert make("notes.lower_case", "Give 5 mg of Mg and MG.").reason == Reason.CASE_MATTERS
    assert make("notes.upper_case", "die Straße").reason == Reason.CASE_MATTERS


def _words(text):
    return re.findall(r"\w+", text)


@pytest.mark.parametrize("name", NOTES)
def test_everything_said_is_still_said_in_its_order(name):
    count = 0
    for original in items_of(bundled().items.gather_every(2)):
        found = PROBES[name].make(original, stream(0, original, name))
        if isinstance(found, Refused):
            continue
        count += 1
        old, new = _words(original.question), _words(found[0].item.question)
        if name.endswith("case"):
            assert [w.casefold() for w in new] == [w.casefold() for w in old]
        elif name in ("notes.bullets", "notes.prose"):
            assert new == old
        elif name == "notes.headings":
            assert [w for w in new if w not in ("Subjective", "Objective", "Question")] == [
                w for w in old if w not in ("Subjective", "Objective", "Question")
            ]
        else:  # "His ... is" goes; every number stays
            assert [w for w in new if w[0].isdigit()] == [w for w in old if w[0].isdigit()]
            assert len(new) <= len(old)
            assert {w.lower() for w in new} <= {w.lower() for w in old}
    assert count > 80


@given(items(hostile=True))
def test_made_up_items_keep_their_words_too(original):
    for name in ("notes.bullets", "notes.prose"):
        found = PROBES[name].make(original, RNG)
        if not isinstance(found, Refused):
            assert _words(found[0].item.question) == _words(original.question)
