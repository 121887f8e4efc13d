"""Counterfactual patients: every word that depends on the attribute, and no patient it matters to."""

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viva.benchmarks import bundled
from viva.formats.run import items_of
from viva.probes import PROBES, Reason, Refused
from viva.probes._words import article, vocabulary
from viva.probes.demographics import AGE_BANDS, ETHNICITIES
from viva.probes.pronouns import gendered, swapped
from viva.probes.variant import stream
from viva.records import Choice, Item

RNG = random.Random(0)


def item(question, options=("Asthma", "Pneumonia", "Bronchitis"), context=None):
    return Item("exam", "1", question, tuple(options), Choice(1), context=context)


def made(name, question, **more):
    return PROBES[name].make(item(question, **more), stream(0, item(question), name))


def changed_question(name, question, **more):
    found = made(name, question, **more)
    assert not isinstance(found, Refused), found
    return found[0].item.question


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("A 54-year-old woman sees her doctor. It helps her. He", None),
        (
            "A woman takes her pills. Her friend drove her to the clinic and gave her water.",
            "A man takes his pills. His friend drove him to the clinic and gave him water.",
        ),
        (
            "A girl says the cough keeps her awake; she gave her consent. It is hers.",
            "A boy says the cough keeps him awake; he gave his consent. It is his.",
        ),
        (
            "A lady hurt herself; nurses gave her fluids, told her to rest and treated her fever.",
            "A gentleman hurt himself; nurses gave him fluids, told him to rest and treated his fever.",
        ),
        (
            "SHE IS A WOMAN. She'd asked about her 3 falls and her “drop attacks”.",
            "HE IS A MAN. He'd asked about his 3 falls and his “drop attacks”.",
        ),
        ("A woman fell. The dog bit her. Pain makes her tired; it makes her pain worse.",
         "A man fell. The dog bit him. Pain makes him tired; it makes his pain worse."),
    ],
)  # fmt: skip
def test_female_to_male(before, after):
    assert swapped(before, male=False) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "A man and his wife: he hurt himself, she", None,
        ),
        (
            "A boy takes his pills. We examined him. The fault is his. His skin is dry.",
            "A girl takes her pills. We examined her. The fault is hers. Her skin is dry.",
        ),
        (
            "A man is brought in by his wife. He's pale. His father had gout.",
            "A woman is brought in by her husband. She's pale. Her father had gout.",
        ),
        ("A man says his father died when he was 50.", None),
        ("A man lost his brother. He is sad.", None),
        ("A man comes with his boyfriend. He is ill.", None),
    ],
)  # fmt: skip
def test_male_to_female(before, after):
    assert swapped(before, male=True) == after


@given(st.lists(st.sampled_from(
    "he him his himself man boy cough fever . and was 38 Lungs".split()), max_size=25))  # fmt: skip
def test_swapped_twice_leaves_no_word_of_the_first_gender(words):
    text = " ".join(words)
    once = swapped(text, male=True)
    assert once is not None
    assert not vocabulary(once) & {"he", "him", "his", "himself", "man", "boy"}
    assert len(once.split()) == len(words)
    back = swapped(once, male=False)
    assert back is not None
    # "his" and "him" are told apart by what follows; everything else comes back.
    assert re.sub(r"\b(his|him)\b", "x", back) == re.sub(r"\b(his|him)\b", "x", text)


CASE = "A 54-year-old man comes because of a cough. He has no fever. {} What is the diagnosis?"


@pytest.mark.parametrize(
    "said",
    [
        "His prostate is large.", "He has hemophilia A.", "His wife is pregnant.",
        "He has an X-linked disease.", "His hemoglobin is 12.5 g/dL.", "He has breast cancer.",
        "He has sex with men.", "He has dysuria.", "His abdominal aortic aneurysm is 4 cm.",
        "What is his risk of lupus?", "His scrotum is swollen.", "He shaves daily.",
    ],
)  # fmt: skip
def test_gender_is_refused_where_it_may_matter(said):
    assert made("demographics.gender", CASE.format(said)).reason == Reason.BEARS_ON_ANSWER


def test_gender_is_refused_where_the_options_name_it_or_a_context_does():
    options = ("Ask his mother", "Wait", "Aspirin")
    assert made("demographics.gender", CASE.format(""), options=options).reason == Reason.IN_OPTIONS
    options = ("Ovarian cyst", "Wait", "Aspirin")
    found = made("demographics.gender", CASE.format(""), options=options)
    assert found.reason == Reason.BEARS_ON_ANSWER
    found = made("demographics.gender", CASE.format(""), context="His wife agrees.")
    assert found.reason == Reason.OTHER_PERSON
    assert made("demographics.gender", "What is the dose?").reason == Reason.NO_PATIENT


def test_gender_says_who_the_patient_is_now():
    variant = made("demographics.gender", CASE.format(""))[0]
    assert variant.item.meta["gender"] == "female"
    assert variant.note == "man -> woman"
    assert variant.item.question.startswith("A 54-year-old woman comes because of a cough. She has")


@given(st.integers(1, 99), st.integers(0, 40))
def test_age_stays_in_its_band(years, smoked):
    question = f"A {years}-year-old woman has smoked for {smoked} years and coughs. Diagnosis?"
    found = made("demographics.age", question)
    band = next((b for b in AGE_BANDS if b[0] <= years <= b[1]), None)
    if band is None:
        assert found.reason == Reason.BEARS_ON_ANSWER
        return
    if isinstance(found, Refused):
        assert smoked > 15
        return
    new = int(re.search(r"(\d+)-year-old", found[0].item.question)[1])
    assert band[0] <= new <= band[1]
    assert abs(new - years) >= 3
    assert new > years or new - smoked >= 15
    assert found[0].item.meta["age"] == new


@pytest.mark.parametrize(
    "said",
    [
        "She has a 30-year-old son.", "She asks about screening.", "She retired last year.",
        "She has had it since she was 10.", "Her mother had it at the age of 50.",
        "What is her CHA2DS2-VASc score?", "She is a college student.",
    ],
)  # fmt: skip
def test_age_is_refused_where_it_may_matter(said):
    question = f"A 45-year-old woman coughs. {said} Diagnosis?"
    found = made("demographics.age", question)
    assert found.reason in (Reason.BEARS_ON_ANSWER, Reason.OTHER_PERSON)


def test_articles_follow_the_word():
    assert article("A ", "Asian") == "An "
    assert article("seen by an ", "Black") == "seen by a "
    assert article("AN ", "WHITE") == "A "
    assert article("A ", "80") == "An "
    assert article("an ", "45") == "a "
    assert article("An ", "18") == "An "
    assert article("the ", "Asian") == "the "
    assert article("at a ", "unit") == "at a "
    assert changed_question("demographics.ethnicity.asian", "A man coughs. Diagnosis?") == (
        "An Asian man coughs. Diagnosis?"
    )


def test_ethnicity_is_put_once_before_the_noun():
    for group in ETHNICITIES:
        name = f"demographics.ethnicity.{group.lower()}"
        question = changed_question(name, CASE.format(""))
        assert question == CASE.format("").replace("54-year-old man", f"54-year-old {group} man")


@pytest.mark.parametrize(
    "said",
    [
        "He has sickle cell trait.", "His parents came from Greece.", "He is African American.",
        "He has a rash.", "He looks pale.", "He takes isoniazid.", "He travelled to Peru.",
        "He cannot drink milk because of lactose.", "He is of Ashkenazi Jewish descent.",
        "His G6PD is low.", "He has thalassemia.",
    ],
)  # fmt: skip
def test_ethnicity_is_refused_where_it_may_matter(said):
    found = made("demographics.ethnicity.black", CASE.format(said))
    assert found.reason == Reason.BEARS_ON_ANSWER
    white = made("demographics.ethnicity.black", "A 30-year-old white man coughs. Diagnosis?")
    assert isinstance(white, Refused)


def test_over_the_bundled_items_only_the_attribute_changes():
    counts = dict.fromkeys(("gender", "age", "ethnicity"), 0)
    kinds = {"gender": "demographics.gender", "age": "demographics.age",
             "ethnicity": "demographics.ethnicity.hispanic"}  # fmt: skip
    for original in items_of(bundled().items.gather_every(3)):
        for kind, name in kinds.items():
            found = PROBES[name].make(original, stream(0, original, name))
            if isinstance(found, Refused):
                continue
            counts[kind] += 1
            (variant,) = found
            new, old = variant.item.question.split(), original.question.split()
            assert variant.item.options == original.options
            assert variant.item.target == original.target
            if kind == "ethnicity":
                new.remove("Hispanic")
            assert len(new) == len(old)
            different = [(a, b) for a, b in zip(old, new, strict=True) if a != b]
            if kind == "age":
                assert len([d for d in different if d[0].lower() not in ("a", "an")]) == 1
            elif kind == "ethnicity":
                assert all(a.lower() in ("a", "an") for a, _ in different)
            else:
                assert different
                assert all(gendered(a) and gendered(b) for a, b in different), different
    assert counts["gender"] > 200
    assert counts["age"] > 300
    assert counts["ethnicity"] > 300
