"""Answer formats: what is shown in each, and strict reading of words and rankings."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_caller import Scripted, ask, item

from viva.methods import load_prompt, render
from viva.methods.answer_format import FORMATS, answer_format, read_ranking, read_words
from viva.models import Completion
from viva.records import LETTERS

VITAMINS = ("Vitamin A", "Vitamin B", "The liver", "Aspirin", "Type D", "Warfarin, low dose")
DRUGS = ("Aspirin", "Heparin", "Warfarin, low dose", "Alteplase")


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_has_its_prompt(name):
    caller = Scripted(["Answer: C"])
    ask(answer_format, caller, format=name)
    (request,) = caller.requests
    assert request.messages[-1].content == render(load_prompt(FORMATS[name]), item())


def test_the_formats_differ_in_the_form_of_the_answer_alone():
    first, *others = (render(load_prompt(p), item()) for p in FORMATS.values())
    stem, reasoning = "Which vitamin prevents scurvy?\n", "\n\nThink step by step. Then "
    for shown in (first, *others):
        assert shown.startswith(stem)
        assert shown.count(reasoning) == 1


def test_a_choice_is_read_as_ever():
    answer = ask(answer_format, Scripted([Completion("Answer: C", "hm", "stop")]))
    assert (answer.text, answer.decided, answer.reasoning) == ("Answer: C", False, "hm")


@pytest.mark.parametrize(
    ("format_", "reply", "prediction"),
    [
        ("short_text", "Fruit.\nAnswer: Ascorbic acid (vitamin C)", "C"),
        ("short_text", "Answer: fruit", None),
        ("short_text", "Answer: C", None),
        ("ranked", "Hm.\nAnswer: C > A > B > D", "C"),
        ("ranked", "Answer: C or A > B > D", None),
    ],
)
def test_words_and_rankings_are_decided(format_, reply, prediction):
    answer = ask(answer_format, Scripted([Completion(reply, None, "stop")]), format=format_)
    assert (answer.text, answer.decided, answer.prediction) == (reply, True, prediction)
    assert answer.probabilities is None


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("Answer: Vitamin B", "B"),
        ("It is a coenzyme.\n\n**Answer:** vitamin b.", "B"),
        ("Answer: liver", "C"),
        ("Answer: the Liver", "C"),
        ("Answer:\nAspirin", "D"),
        ("Answer: aspirin 300 mg", "D"),
        ("The answer is aspirin.", "D"),
        ("Answer: type D", "E"),
        ("Answer: Warfarin, low dose", "F"),
        ("Answer: vitamin a\nNo, wait.\nAnswer: vitamin b", "B"),
        ("<think>Answer: aspirin</think>Answer: liver", "C"),
        ("Answer: not aspirin", None),
        ("Answer: aspirin or liver", None),
        ("Answer: acetylsalicylic acid", None),
        ("Answer: clopidogrel", None),
        ("<think>Answer: aspirin", None),
        ("I do not know.", None),
        ("", None),
        (None, None),
    ],
)
def test_words_are_read_as_what_they_name(text, letter):
    assert read_words(text, VITAMINS) == letter


@pytest.mark.parametrize(
    "form",
    ["{}", "Answer: {}", "Answer: ({})", "Answer: {}.", "Answer: option {}", "The answer is {}.",
     "Answer: **{}**", "I choose {}", "\\boxed{{{}}}", "Final answer: {})", "<answer>{}</answer>"],
)  # fmt: skip
@pytest.mark.parametrize("letter", "ABCDEF")
def test_a_letter_names_no_option_that_was_not_shown(form, letter):
    assert read_words(form.format(letter), VITAMINS) is None


def test_options_that_are_letters_are_words():
    assert read_words("Answer: AB", ("A", "B", "AB", "O")) == "C"
    assert read_words("Answer: B", ("B", "A", "AB", "O")) == "A"


def test_two_options_with_one_text_are_not_told_apart():
    assert read_words("Answer: aspirin", ("Aspirin", "aspirin.", "Heparin")) is None


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("Answer: B > A > C > D", "BACD"),
        ("**Answer:** (B) > (A) > (C) > (D)", "BACD"),
        ("Answer: $B > A > C > D$", "BACD"),
        ("Answer: \\boxed{B > A > C > D}", "BACD"),
        ("Final answer: **B>A>C>D**.", "BACD"),
        ("Hm.\n\nB > A > C > D", "BACD"),
        ("Answer: B, A, C, D", "BACD"),
        ("Answer: B; A; C; D", "BACD"),
        ("Answer:\n1. B\n2. A\n3. D\n4. C", "BADC"),
        ("Answer:\n1) B. Heparin\n2) A) Aspirin\n3) D\n4) C\n\nHeparin acts at once.", "BADC"),
        ("Ranking:\n- Heparin\n- Alteplase\n- Aspirin\n- Warfarin, low dose", "BDAC"),
        ("Answer: Heparin > Aspirin > Alteplase > Warfarin, low dose", "BADC"),
        ("Answer: B (Heparin) > A (Aspirin) > C > D", "BACD"),
        ("Answer: A > B > C > D\nNo.\nAnswer: B > A > C > D", "BACD"),
        ("Answer: B>A>C>D\n\nHeparin comes first because A > C.", "BACD"),
        ("Answer: B > A", "BA"),
        ("Answer: B", "B"),
        ("Answer: B > B > C > D", ""),
        ("Answer: B > A > A > C", ""),
        ("Answer: A or B > C > D", ""),
        ("Answer: B = A > C > D", ""),
        ("Answer: B > none", ""),
        ("Answer: E > A > B > C", ""),
        ("Answer: B (Aspirin) > A > C > D", ""),
        ("Answer: most likely first", ""),
        ("B is likelier than A.", ""),
        ("<think>Answer: B > A > C > D", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_rankings(text, letters):
    assert "".join(read_ranking(text, DRUGS)) == letters


def test_numbers_in_options_are_not_numbers_of_a_list():
    doses = ("1.5 mg", "5 mg", "15 mg")
    assert read_ranking("Answer:\n1.5 mg\n15 mg\n5 mg", doses) == ("A", "C", "B")
    assert read_ranking("Answer: 1. 5 mg > 2. 1.5 mg > 3. 15 mg", doses) == ("B", "A", "C")


def test_a_letter_is_the_option_s_even_where_another_option_is_that_letter():
    assert read_ranking("Answer: B > A > C", ("B", "A", "O")) == ("B", "A", "C")


@given(order=st.permutations(range(6)), form=st.sampled_from(["letter", "text", "both"]),
       between=st.sampled_from([" > ", ">", "\n", "; "]))  # fmt: skip
def test_every_order_is_read_in_every_form(order, form, between):
    entries = {
        "letter": [LETTERS[i] for i in order],
        "text": [VITAMINS[i] for i in order],
        "both": [f"{LETTERS[i]}. {VITAMINS[i]}" for i in order],
    }[form]
    text = f"Because.\n\nAnswer: {between.join(entries)}"
    assert read_ranking(text, VITAMINS) == tuple(LETTERS[i] for i in order)


@pytest.mark.parametrize(
    "hostile",
    ["Answer: " * 100_000, "A > " * 200_000, "Answer:\n" + "1. A\n" * 100_000, "\\boxed{" * 100_000,
     "> " * 300_000, " " * 800_000 + "Answer", "Answer: (" + "A" * 500_000, "#" * 500_000],
)  # fmt: skip
def test_hostile_text_takes_time_in_proportion(hostile):
    begun = time.process_time()
    read_ranking(hostile, DRUGS)
    read_words(hostile, DRUGS)
    assert time.process_time() - begun < 5
