"""Markers of turning back: what is one, what is none, and the shares made from them."""

from __future__ import annotations

import time

import numpy as np
import pytest

from viva.analysis import BACKTRACKING, PAUSES, backtracking, pair_answers, recovery
from viva.errors import InputError

TURNS = {
    "wait": [
        "So it is B. Wait, the patient is pregnant. The answer is C.",
        "Wait — that contradicts the low ferritin.",
        "The answer is B.\n\nWait, actually, no.",
        "Hmm. But wait, let us see.",
        "It must be A. Oh wait, the sodium is low.",
    ],
    "hold on": ["It is B. Hold on, the murmur is systolic."],
    "second thought": [
        "On second thought, C fits better.",
        "Upon reconsideration, the answer is D.",
        "After re-examining the findings, I choose D.",
    ],
    "reconsider": [
        "Let me reconsider the options.",
        "Let's rethink this.",
        "I need to reconsider.",
        "I must correct myself: it is D.",
        "Let me correct the previous reasoning.",
    ],
    "own mistake": ["I made a mistake above.", "I've made an error.", "I see my mistake now."],
    "I was wrong": ["I was wrong about the potassium."],
    "apology": ["I apologize for the confusion. The answer is C.", "Sorry for the earlier error."],
    "scratch that": ["Scratch that.", "Please disregard my previous answer."],
    "course named wrong": [
        "The previous reasoning is incorrect because the ECG is normal.",
        "However, the initial assessment was flawed.",
        "This reasoning is wrong: warfarin is not reversed by protamine.",
        "The suggested answer is not correct.",
        "My answer was wrong.",
        "The above analysis appears to be mistaken.",
    ],
    "wait, wrong": ["So B; wait, that's wrong.", "and wait, no, that is not right."],
}

NO_TURNS = [
    "The answer is B.",
    "Option A is incorrect because the rash is painless.",
    "This is incorrect. B is correct.",
    "B is wrong; C is wrong; so D.",
    "However, the sodium is low, so SIADH is likely.",
    "Let me check each option.",
    "Actually, the most common cause is viral.",
    "Watchful waiting is right; wait until the swelling is gone.",
    "Wait-and-see is the first step.",
    "Patients who wait, on average, do worse.",
    "We should re-evaluate the patient in three months.",
    "The initial diagnosis was wrong, so the surgeon reoperated.",
    "The first statement is incorrect.",
    "The patient apologizes for the confusion at home.",
    "A mistake in dosing led to toxicity.",
    "The error of measurement is 5 %.",
    "The patient was wrong about the dose.",
    "Hold on to the rail.",
    "The reasoning is sound.",
    "Option B says plants make them. No, that's not right.",
    "Herpes zoster? Scratch that off the list.",
    "My answer is A.",
    "",
]


@pytest.mark.parametrize(("kind", "text"), [(k, t) for k, ts in TURNS.items() for t in ts])
def test_a_turn_is_found(kind, text):
    for form in (text, text.upper(), text.replace("'", "\u2019"), text.replace("Wait", "**Wait**")):
        found = backtracking(form)
        assert found is not None and found.kind == kind, (form, found)
        assert found.words


def test_pauses_name_no_error():
    for kind, texts in TURNS.items():
        for text in texts:
            found = backtracking(text, error=True)
            assert (found is None) == (kind in PAUSES or text.startswith("Hmm")), text
    both = "Wait, the ferritin is low. My previous answer was wrong."
    assert backtracking(both).kind == "wait"
    assert backtracking(both, error=True).kind == "course named wrong"


@pytest.mark.parametrize("text", NO_TURNS)
def test_weighing_options_is_no_turn(text):
    assert backtracking(text) is None


def test_every_kind_is_tested():
    assert set(TURNS) == set(BACKTRACKING)


@pytest.mark.parametrize(
    "unit",
    ["wait ", "i have ", "no, that ", "\n", "on ", "the previous ", "but hold on ", "my my "],
)
def test_time_is_linear(unit):
    def seconds(length: int) -> float:
        text = unit * (length // len(unit))
        start = time.process_time()
        backtracking(text)
        return time.process_time() - start

    seconds(1000)
    assert seconds(200_000) < 1.5


def test_texts_beyond_the_bound_are_not_looked_at():
    assert backtracking(" " * 200_000 + "\nWait, no.") is None


def made(misled, key=0, cue=1):
    misled = np.array(misled)
    n = len(misled)
    return pair_answers(
        np.ones(n, bool), misled == key, clean_choice=np.full(n, key), misled_choice=misled,
        cue=np.full(n, cue),
    )  # fmt: skip


def test_shares_by_hand():
    pairs = made([0, 1, 2, -1, 0, 0])
    misled = ["Wait, no. A", "Wait, B", "Let me reconsider: C", "Wait, what?", "A", None]
    clean = ["A", "Wait, A", None, "A", "A", "A"]
    found = recovery(pairs, clean, misled, resamples=100)
    assert found.texts == 5
    assert (found.backtracking.estimate, found.backtracking.n) == (0.8, 5)
    assert (found.backtracking_clean.estimate, found.backtracking_clean.n) == (0.2, 5)
    # Off the cue and read: rows 0 and 2; right: row 0.
    assert (found.recovered.estimate, found.recovered.n) == (0.4, 5)
    assert found.recovered_right.estimate == 0.2
    assert found.kinds == {"wait": 3, "reconsider": 1}
    # Both texts: rows 0, 1, 3, 4; a marker misled in 0, 1, 3 and clean in 1.
    assert (found.more_backtracking.estimate, found.more_backtracking.n) == (50, 4)
    assert (found.named_error.estimate, found.named_error.n) == (0, 5)
    none = recovery(pairs, [None] * 6, [None] * 6, resamples=100)
    assert none.texts == 0 and none.backtracking.estimate is None and none.backtracking.reason


def test_texts_must_fit_the_pairs():
    with pytest.raises(InputError, match="texts"):
        recovery(made([0, 1]), ["a"], ["a", "b"])
