"""Defects seen in public readers, scorers and rewards: each a test named after its defect.

The defects are those of answer extraction; where a defect sits in scoring or prompting (a missing
denominator, an option hidden from the prompt), the part of it that a reader can commit is tested.
"""

from __future__ import annotations

import ast
import inspect
import pkgutil
import runpy
from pathlib import Path

import pytest

import viva.answers
from viva.answers import peers, read
from viva.records import Status

DRUGS = ("Aspirin", "Ketamine", "Ibuprofen", "Morphine")
FIVE = ("Cystic fibrosis", "Asthma", "Pneumonia", "Lung abscess", "Pulmonary embolism")
EIGHTEEN = tuple(f"Finding {i}" for i in range(1, 19))


# --- the scorer of huatuogpt-o1 and medreason -----------------------------------------------------


def test_larger_of_first_and_last_match_is_reported():
    text = "The answer is A. Wait, actually the answer is C."
    assert (peers.first_match(text, DRUGS), peers.last_match(text, DRUGS)) == ("A", "C")
    assert read(text, options=DRUGS).value == "C"  # one rule, whatever the key


def test_empty_output_leaves_the_denominator():
    for text in (None, "", "  \n", "<think></think>", "<|im_end|>"):
        assert read(text, options=DRUGS).status is Status.UNPARSED  # a status, not a missing row


def test_falls_back_to_the_most_similar_option():
    text = "Further imaging is advised."
    assert peers.most_similar(text, DRUGS) is not None
    assert read(text, options=DRUGS).status is Status.UNPARSED


def test_letters_stop_at_n():
    assert peers.last_match("The best match is R.", EIGHTEEN) is None
    assert read("The answer is R.", options=EIGHTEEN).value == "R"
    assert read("The answer is Z.", options=26).value == "Z"


def test_letters_beyond_the_item_are_accepted():
    assert peers.last_match("The answer is N.", DRUGS) == "N"
    assert read("The answer is N.", options=DRUGS).reason == "answer is not on the list"


def test_first_option_text_is_sorted_the_wrong_way():
    text = "Aspirin is weak here, ketamine is strong."
    assert peers.first_match(text, DRUGS) == "A"
    assert read(text, options=DRUGS).status is not Status.PARSED  # two texts, no commitment


def test_not_true_counts_as_true():
    assert read("That statement is not true.", options=("True", "False")).value != "A"
    assert read("The answer is not true.", options=("True", "False")).value != "A"


# --- readers that do not know thinking --------------------------------------------------------------


def test_reader_does_not_know_the_reasoning_format():
    for opened, closed in (
        ("<think>", "</think>"),
        ("## Thinking\n\n", "\n\n## Final Response\n\n"),
        ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    ):
        text = f"{opened}Option A looks right. The answer is A.{closed}The answer is B."
        assert read(text, options=DRUGS).value == "B"


def test_a_cut_trace_is_scored_by_its_thinking():
    text = "<think>\nSo the best choice is probably A. Wait, but the"
    reading = read(text, options=DRUGS, finish_reason="length")
    assert (reading.status, reading.reason) == (Status.UNPARSED, "cut inside the thinking")


def test_no_unparsed_state():
    assert {status.value for status in Status} >= {"parsed", "unparsed", "ambiguous"}
    assert read("The patient should rest.", options=DRUGS).status is Status.UNPARSED


# --- the prefix and first-letter readers ------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["Based on the findings, rest is advised.", "Answer: Based on the findings"]
)
def test_based_on_is_read_as_b(text):
    assert read(text, options=DRUGS).value is None


def test_first_letter_of_prose_benign_finding():
    assert read("Benign finding", options=FIVE).value is None


def test_first_letter_of_prose_the_answer_is_c():
    assert read("The answer is C", options=FIVE).value == "C"  # not e, the first a..e in "the"


def test_an_answer_that_merely_contains_the_gold_letter_counts():
    assert read("A careful history comes first.", options=DRUGS).value is None
    assert read("The answer is CABG.", options=DRUGS).value is None


def test_first_of_a_to_e_after_the_last_colon():
    assert (
        read("Opinion: Based on imaging, Asthma", options=("Angina", "Boerhaave syndrome")).value
        is None
    )


def test_accuracy_by_prefix_case_sensitive_by_accident():
    for text in ("B", "b", "b.", "ketamine", "KETAMINE", "Ketamine is best."):
        assert read(text, options=DRUGS).value == "B"


# --- normalisers of rewards -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "B)",
        "(B)",
        "Option B",
        "B.",
        "<answer>B)</answer>",
        "<answer>(B)</answer>",
        "<answer>Option B</answer>",
        "<answer>B.</answer>",
        "<answer>\nB\n</answer>",
        "<answer>\n\nb\n</answer>",
    ],
)
def test_right_answer_in_another_dress_gets_nothing(text):
    assert read(text, options=DRUGS).value == "B"


def test_wrong_beats_right_in_the_wrong_dress():
    for text in (
        "\\boxed{b}",
        "\\boxed{B. Ketamine}",
        "<think>maybe \\boxed{A}</think>\\boxed{B}",
        "\\boxed{A} Let me correct that: \\boxed{B}",
    ):
        assert read(text, options=DRUGS).value == "B"


def test_a_box_in_the_thinking_counts():
    assert read("<think>\\boxed{B}</think>", options=DRUGS).value is None


def test_maths_verifier_on_the_whole_completion():
    options = ("45 years", "54 years", "60 years")
    text = "A 45-year-old patient is described, aged 45 years. The answer is 60 years."
    assert read(text, options=options).value == "C"
    assert read("The patient is 45. The answer is B.", options=options).value == "B"


def test_boxed_drug_name_gives_silently_no_reward():
    assert read("\\boxed{Ketamine}", options=DRUGS).value == "B"


def test_empty_equals_empty():
    assert read("\\boxed{}", options=DRUGS).value is None
    assert read("<answer></answer>", options=DRUGS).value is None


def test_ten_is_read_as_one():
    assert read("10", options=("1", "10", "100")).value == "B"
    assert read("The answer is 10.", options=("1", "2", "3")).value is None


def test_echo_of_the_options_is_rewarded():
    echo = "A. Aspirin\nB. Ketamine\nC. Ibuprofen\nD. Morphine"
    assert read(echo, options=DRUGS).value is None


# --- matching ---------------------------------------------------------------------------------------


def test_entailment_inside_non_entailment():
    options = ("entailment", "non-entailment")
    assert read("non-entailment", options=options).value == "B"
    assert read("The answer is non-entailment.", options=options).value == "B"


def test_yes_and_no_matched_inside_words():
    options = ("yes", "no", "maybe")
    for text in ("yesterday's data", "There is a known cause.", "notable findings", "nothing else"):
        assert read(text, options=options).value is None


def test_no_match_counts_as_yes():
    assert read("The study is small.", options=("yes", "no")).value is None


def test_yes_if_the_text_contains_yes():
    assert read("No. Some would say yes.", options=("yes", "no")).value != "A"


def test_the_last_character_is_stripped():
    reading = read("The answer is ketamine", options=DRUGS)
    assert reading.span == (14, 22)


def test_one_unparsed_answer_stops_the_run():
    for text in ("\x00", "\ud800", "{" * 5000, "[" * 5000, '{"answer": ' * 2000):
        read(text, options=DRUGS)


def test_a_percent_sign_divides_by_a_hundred():
    options = ("5%", "0.05%", "5", "0.05")
    assert read("5%", options=options).value == "A"
    assert read("The answer is 5.", options=options).value == "C"


# --- the guess of mirage ----------------------------------------------------------------------------


def test_a_guess_of_a_where_nothing_is_read():
    text = '{"step_by_step_thinking": "unclear", "answer_choice": "None of the above"}'
    assert peers.mirage(text, DRUGS) is None
    assert peers.mirage_guess_a(text, DRUGS) == "A"
    assert read(text, options=DRUGS).value is None


def test_the_first_letter_of_several_is_taken():
    text = '{"answer_choice": "C/D"}'
    assert peers.mirage(text, DRUGS) == "C"
    assert read(text, options=DRUGS).status is Status.AMBIGUOUS


def test_a_letter_inside_a_word_after_a_colon():
    assert peers.mirage("Conclusion: Depends", DRUGS) == "D"
    assert read("Conclusion: Depends", options=DRUGS).value is None


# --- code execution ---------------------------------------------------------------------------------


def test_model_text_is_never_evaluated():
    folder = Path(inspect.getfile(viva.answers)).parent
    banned = {"eval", "exec", "compile", "__import__", "open"}
    for module in pkgutil.iter_modules([str(folder)]):
        tree = ast.parse((folder / f"{module.name}.py").read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in banned, module.name
            if isinstance(node, ast.Import):
                assert not {alias.name for alias in node.names} & {"pickle", "subprocess", "os"}


# --- real outputs -----------------------------------------------------------------------------------


@pytest.mark.shared
def test_mirage_accuracy_lies_between_the_rule_and_its_guess(shared):
    cells = _mirage(shared)
    for name, rows in cells.items():
        n = len(rows)
        ours = sum(read(text, options=options).value == key for text, options, key in rows) / n
        rule = sum(peers.mirage(text, options) == key for text, options, key in rows) / n
        guess = sum(peers.mirage_guess_a(text, options) == key for text, options, key in rows) / n
        assert rule - 0.01 <= ours <= guess + 0.008, name


def _mirage(shared):
    bench = runpy.run_path(str(Path(__file__).resolve().parents[2] / "bench" / "reader_data.py"))
    cells = {}
    for case in bench["mirage_cases"](shared):
        cells.setdefault((case.set, case.mode), []).append((case.text, case.options, case.key))
    return cells
