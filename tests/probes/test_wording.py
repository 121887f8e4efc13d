"""Other words, slips of the keyboard, findings that mean nothing, and questions about nothing."""

import itertools
import random
import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_items import items

from viva.benchmarks import bundled
from viva.formats.run import items_of
from viva.probes import PROBES, Reason, Refused, Relation
from viva.probes._templates import load
from viva.probes.findings import asks_nothing_else, parted_question
from viva.probes.nonsense import invented
from viva.probes.variant import stream
from viva.probes.wording import _common, slips
from viva.records import Choice, Item
from viva.strata.lexicon import names

CASE = (
    "A 54-year-old man presents to the clinic with a cough for the past 3 weeks. He denies any "
    "fever, chills, or sweats. Physical examination shows crackles. {}"
)
ASKED = "Which of the following is the most likely diagnosis?"


def make(name, question, options=("Asthma", "Pneumonia", "Bronchitis"), number=0, key=1):
    original = Item("exam", str(number), question, tuple(options), Choice(key))
    return PROBES[name].make(original, stream(0, original, name))


@pytest.fixture(scope="module")
def vocabulary():
    """Words of the bundled questions, options and contexts, with their counts."""
    counts: Counter[str] = Counter()
    for item in items_of(bundled().items):
        for text in (item.question, *item.options, item.context or ""):
            counts.update(re.findall(r"[a-z]+", text.lower()))
    return counts


# Paraphrase -------------------------------------------------------------------------------------


def test_paraphrase():
    seen = {make("wording.paraphrase", CASE.format(ASKED), number=i)[0].item.question
            for i in range(60)}  # fmt: skip
    assert len(seen) > 3
    for question in seen:
        assert "man comes to the clinic" in question
        assert "for the last 3 weeks" in question
        assert "reports no fever, chills, or sweats" in question
        assert question.endswith("?")
    assert make("wording.paraphrase", "Name it.").reason == Reason.NOTHING_TO_CHANGE


@pytest.mark.parametrize(
    "kept",
    [
        "A tumour that presents with fever in its first year",  # a disease, no patient
        "He denies taking drugs",
        "He denies that he drinks",
        "Over the past century",
    ],
)
def test_what_the_rules_leave_alone(kept):
    assert make("wording.paraphrase", kept).reason == Reason.NOTHING_TO_CHANGE


def test_every_rule_is_used_and_none_touches_a_number_or_a_negation():
    rules = load("paraphrases")["rule"]
    texts = [item.question for item in items_of(bundled().items)]
    used = {
        rule["find"]
        for rule in rules
        for text in texts
        if rule["word"] in text and re.search(rule["find"], text)
    }
    assert used == {rule["find"] for rule in rules}
    negations = re.compile(r"\b(?:not|NOT|never|without|except|least|EXCEPT)\b")
    for item in items_of(bundled().items.gather_every(4)):
        found = PROBES["wording.paraphrase"].make(item, stream(0, item, "wording.paraphrase"))
        if isinstance(found, Refused):
            continue
        new = found[0].item.question
        assert re.findall(r"\d[\d.,/%]*", new) == re.findall(r"\d[\d.,/%]*", item.question)
        # "is unremarkable" and "takes no medications" are said with "not".
        old = item.question.replace("history is unremarkable", "history is not remarkable")
        old = old.replace("takes no medications", "is not on any medications")
        assert Counter(negations.findall(new)) <= Counter(negations.findall(old))
        assert Counter(negations.findall(new)) >= Counter(negations.findall(item.question))


# Typos ------------------------------------------------------------------------------------------


@given(items())
def test_typos_change_common_words_only(original):
    found = PROBES["wording.typos"].make(original, stream(0, original, "wording.typos"))
    if isinstance(found, Refused):
        return
    old, new = (re.split(r"([A-Za-z]+)", q) for q in (original.question, found[0].item.question))
    assert len(old) == len(new)
    different = [(a, b) for a, b in zip(old, new, strict=True) if a != b]
    assert 1 <= len(different) <= 6
    for a, b in different:
        assert a in _common()
        assert b in slips(a)
        assert (a[0], a[-1]) == (b[0], b[-1])
    assert found[0].item.options == original.options


def test_no_slip_is_another_word(vocabulary):
    common = _common()
    assert len(common) > 150
    known = names()
    for word in common:
        made = slips(word)
        assert made
        assert not set(made) & common
        for slip in made:
            # A slip that authors made too is no word: it is rare beside the word itself.
            assert vocabulary[slip] <= 1 or vocabulary[word] > 50 * vocabulary[slip], (word, slip)
            assert slip not in known, (word, slip)


def test_no_common_word_is_a_negation_a_number_a_unit_or_a_name():
    common = _common()
    for word in ("without", "never", "except", "least", "hours", "weeks", "first", "three"):
        assert word not in common
    assert not {w for w in common if w in names() and (w,) in names()[w]}


# Findings ---------------------------------------------------------------------------------------


def test_the_description_and_the_question_are_parted():
    assert parted_question("One sentence.") is None
    parted = parted_question(CASE.format(ASKED))
    assert parted.question == ASKED
    assert parted.description + parted.question == CASE.format(ASKED)
    table = "A man coughs.\nNa+: 139\nWhat is it?"
    assert parted_question(table).question == "What is it?"


def test_an_irrelevant_sentence_stands_before_the_question():
    (variant,) = make("findings.irrelevant", CASE.format(ASKED))
    assert variant.note in {s["text"] for s in load("irrelevant_findings")["sentence"]}
    assert variant.item.question == CASE.format(f"{variant.note} {ASKED}")
    assert variant.relation is Relation.PRESERVING


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        (CASE.format("He refuses consent. What now?"), Reason.BEARS_ON_ANSWER),
        (CASE.format("This is most likely due to what?"), Reason.NO_WORDING),
        ("Which drug is a beta blocker?", Reason.NO_VIGNETTE),
        ("The cell divides in " + "many steps " * 10 + ". " + ASKED, Reason.NO_PATIENT),
    ],
)
def test_irrelevant_findings_are_refused(question, reason):
    assert make("findings.irrelevant", question).reason == reason


def test_a_sentence_avoids_the_words_of_the_item():
    said = "The waiting area, the door, the building and the corridor clock were described."
    for number in range(60):
        (variant,) = make("findings.irrelevant", CASE.format(f"{said} {ASKED}"), number=number)
        assert not re.search("waiting|door|building|clock", variant.note)


def test_nothing_irrelevant_is_a_finding():
    """No sentence names a disease, a drug or a symptom."""
    for row in load("irrelevant_findings")["sentence"]:
        words = re.findall("[a-z]+", row["text"].lower())
        for kind in (0, 1, 2):
            for word in words:
                held = [h for k, h, _ in names().get(word, ()) if k == kind]
                assert not any(word in h for h in held), (row["text"], word)


def test_the_question_alone():
    (variant,) = make("findings.removed", CASE.format(ASKED))
    assert variant.item.question == ASKED
    assert variant.item.target is None
    assert variant.relation is Relation.UNANSWERABLE


@pytest.mark.parametrize(
    ("asked", "alone"),
    [
        ("What is the most appropriate next step in management?", True),
        ("Which of the following is the most likely cause of this patient's symptoms?", True),
        ("Which of the following causes his hyperkalemia?", False),
        ("What is the mechanism of lisinopril?", False),
        ("Which of the following is true?", False),
    ],
)
def test_which_questions_hold_nothing_of_their_case(asked, alone):
    assert asks_nothing_else(asked) is alone
    found = make("findings.removed", CASE.format(asked))
    assert isinstance(found, Refused) is not alone


# Nonsense ---------------------------------------------------------------------------------------


def test_no_invented_word_is_known(vocabulary):
    pieces = load("nonsense")["pieces"]
    known = names()
    ends = [*pieces["disease"], *pieces["substance"], *pieces["place"]]
    for parts in itertools.product(pieces["first"], pieces["middle"], ends):
        word = "".join(parts).lower().split()[0]
        assert word not in known
        assert not vocabulary[word]


def test_invented_words_are_many():
    rng = random.Random(1)
    assert len({invented(rng, "disease") for _ in range(500)}) > 250


@given(items(), st.integers(0, 3))
def test_nonsense_has_no_key_and_nothing_of_the_original(original, number):
    found = PROBES["wording.nonsense"].make(original, stream(number, original, "wording.nonsense"))
    if isinstance(found, Refused):
        assert found.reason in (Reason.OPTIONS_NAME_OTHERS, Reason.OPTIONS_EXHAUST,
                                Reason.NO_OPTIONS)  # fmt: skip
        return
    (variant,) = found
    assert variant.item.target is None
    assert variant.item.options == original.options
    assert variant.note.split(",")[0].split()[0] in variant.item.question
    assert "cough" not in variant.item.question


def test_nonsense_keeps_a_question_that_could_be_asked_of_any_case():
    assert make("wording.nonsense", CASE.format(ASKED))[0].item.question.endswith(f" {ASKED}")
    other = make("wording.nonsense", CASE.format("What lowers his potassium?"))[0].item.question
    assert "potassium" not in other
    refused = make("wording.nonsense", "Is it?", ("yes", "no", "maybe"))
    assert refused.reason == Reason.OPTIONS_EXHAUST
