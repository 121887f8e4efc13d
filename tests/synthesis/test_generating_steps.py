"""Steps that ask a model: what is kept, what is dropped and why, what a model cannot bring about."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted_backend import Scripted, scripted

from tiny import tiny_model
from viva.answers import form_of, read
from viva.errors import InputError
from viva.models import CallFailed, Completion, Failure, ModelOptions, Request, Retry, Sampling
from viva.records import LETTERS, Choice, Item, Status
from viva.runs import evaluate
from viva.synthesis.calling import Reply, open_caller
from viva.synthesis.case_reports import case_to_item, occurs, reveals
from viva.synthesis.examples import Example, read_examples
from viva.synthesis.open_questions import mcq_to_open, names_of, reworded
from viva.synthesis.pass_rates import pass_rate, request_for
from viva.synthesis.preference_pairs import pairs
from viva.synthesis.reasoning_answers import answer_from_reasoning, without_conclusion
from viva.synthesis.routing import route
from viva.synthesis.steps import STEPS, find_step
from viva.synthesis.teacher_traces import judged_trace, traces
from viva.synthesis.trees import MOST_NODES, Node, tree_from_json, tree_to_pairs, value
from viva.targets import Number, Text

OPTIONS = ("flu", "sepsis", "gout", "asthma")
ITEMS = [
    Item("b", str(n), f"Case {n}: fever and low pressure. What is the diagnosis?", OPTIONS,
         Choice(n % 4))
    for n in range(12)
]  # fmt: skip
EXAMPLES = read_examples(ITEMS)
ONCE = Retry(tries=1)


def number(request: Request) -> int:
    return int(re.search(r"Case (\d+)", request.messages[-1].content)[1])  # type: ignore[index]


def key(request: Request) -> str:
    return LETTERS[number(request) % 4]


def other(request: Request) -> str:
    return LETTERS[(number(request) + 1) % 4]


def trace(letter: str, words: int = 8) -> str:
    return f"<think>\n{'The pressure is low here. ' * (words // 4)}\n</think>\n\nAnswer: {letter}"


def accounted(made, examples) -> None:
    """Every input is kept or dropped, none both, and the report says the same."""
    kept = {(one.item.benchmark, one.item.item_id) for one in made.kept}
    dropped = {(one.example.item.benchmark, one.example.item.item_id) for one in made.dropped}
    assert kept | dropped == {(one.item.benchmark, one.item.item_id) for one in examples}
    assert not kept & dropped
    assert made.report["in"] == len(examples)
    assert made.report["kept"] == len(made.kept)
    assert sum(made.report["dropped"].values()) == len(made.dropped)
    for source in made.report["sources"].values():
        assert set(source) == {"in", "kept", "dropped"}
    json.dumps(made.report)
    for one in made.kept:
        json.dumps([dict(step.settings) for step in one.provenance])
    keys = [(one.item.benchmark, one.item.item_id, one.number) for one in made.kept]
    assert len(keys) == len(set(keys))


# Pass rates ------------------------------------------------------------------------------------


def rated(request: Request) -> str:
    """Item n is right in n of 16 draws, but for two unread ones of item 3."""
    n = number(request)
    if n == 3 and request.draw >= 14:
        return "I cannot say."
    return f"Answer: {key(request) if request.draw < n else other(request)}"


def test_the_band_of_pass_rates_and_who_measured_it(tmp_path):
    with scripted(rated, tmp_path) as caller:
        made = pass_rate(EXAMPLES, low=1 / 16, high=7 / 16, samples=16, caller=caller)
    accounted(made, EXAMPLES)
    assert [one.item.item_id for one in made.kept] == [str(n) for n in range(1, 8)]
    assert Counter(one.reason for one in made.dropped) == {
        "pass rate below the band": 1, "pass rate above the band": 4,
    }  # fmt: skip
    for one in made.kept:
        n = int(one.item.item_id)
        assert one.scores["pass_rate"] == n / 16
        assert (one.scores["pass_count"], one.scores["pass_n"]) == (n, 16)
        assert one.scores["pass_unread"] == (2 if n == 3 else 0)
        assert one.provenance[-1].model == "scripted"
        assert one.provenance[-1].prompt_hash
    assert made.report["model"] == "scripted"
    assert made.report["responses"]["unread"] == 2


def test_pass_rates_ask_exactly_as_an_evaluation_does(tmp_path):
    step, run = Scripted(rated), Scripted(rated)
    numeric = Item("b", "n", "Case 5: what is 2 + 3 mg?", target=Number(5, "mg"))
    items = [*ITEMS[:3], numeric]
    with open_caller(step, tmp_path / "calls.jsonl") as caller:
        pass_rate(read_examples(items), samples=2, caller=caller)
    from viva.records import items_frame

    evaluate(model=run, benchmark=items_frame(items), method="cot", samples=2,
             out=tmp_path / "run", sampling=Sampling(temperature=1.0))  # fmt: skip
    asked = [
        Counter((r.messages, r.sampling.temperature, r.prefix) for r in b.requests)
        for b in (step, run)
    ]
    assert asked[0] == asked[1]
    assert asked[0].total() == 8
    measured = pass_rate(read_examples(items), responses=tmp_path / "run")
    assert measured.report["model"] == "scripted"
    assert (
        measured.report["responses"]["right"] + measured.report["responses"]["wrong"]
        == 8 - (measured.report["responses"]["unread"])
    )


def test_failed_calls_are_no_answers(tmp_path):
    def say(request: Request) -> str | Exception:
        if number(request) == 0 or (number(request) == 1 and request.draw < 2):
            return CallFailed(Failure.TIME_OUT, "late")
        return f"Answer: {key(request)}"

    with scripted(say, tmp_path, retry=ONCE) as caller:
        made = pass_rate(EXAMPLES[:3], samples=4, caller=caller)
    assert [one.reason for one in made.dropped] == ["the call failed"]
    assert made.kept[0].scores["pass_n"] == 2
    assert made.report["failed_calls"] == {"time-out": 6}


def test_what_cannot_be_rated_says_why(tmp_path):
    few = [
        Item("b", "none", "Case 1: what?", OPTIONS),
        Item("b", "one", "Case 1?", ("a",), Choice(0)),
    ]
    with scripted(rated, tmp_path) as caller:
        made = pass_rate(read_examples(few), caller=caller, samples=1, temperature=0)
        assert [one.reason for one in made.dropped] == [
            "no target to judge by", "the method cannot ask it",
        ]  # fmt: skip
        with pytest.raises(InputError, match="holds nothing"):
            pass_rate(EXAMPLES, low=0.5, high=0.4, caller=caller)
        with pytest.raises(InputError, match="viva eval"):
            pass_rate(EXAMPLES, method="self_consistency", caller=caller)
    with pytest.raises(InputError, match="--model"):
        pass_rate(EXAMPLES)


# Traces ----------------------------------------------------------------------------------------


@given(st.text(max_size=300), st.sampled_from([None, "stop", "length"]))
@settings(max_examples=60)
def test_a_trace_that_is_kept_is_right_whole_and_reasoned(text, finish):
    for said in (text, f"{text}\nAnswer: A", f"<think>{text}</think>A"):
        one = judged_trace(ITEMS[0], Reply(said, finish), "tags")
        if one.rejected is None:
            assert read(one.completion, form_of(ITEMS[0])).value == "A"
            assert re.fullmatch(r"<think>\n.*\w.*\n</think>\n\n.+", one.completion, re.DOTALL)
            assert finish != "length"


def test_traces_are_rejected_by_reason(tmp_path):
    said = [
        lambda r: trace(other(r)),
        lambda r: "<think>on and on",
        lambda r: Completion(trace(key(r)), finish_reason="length"),
        lambda r: f"Answer: {key(r)}",
        lambda r: trace(key(r), 16),
        lambda r: trace(key(r), 16),
        lambda r: trace(key(r), 4),
    ]
    with scripted(lambda r: said[r.draw](r), tmp_path) as caller:
        made = traces(EXAMPLES, samples=7, keep=1, prefer="shortest", caller=caller)
        accounted(made, EXAMPLES)
        assert made.report["traces"] == dict.fromkeys(("wrong answer", "unread answer", "cut at the limit of its length", "no reasoning", "the same as another", "more than wanted", "kept"), 12)  # fmt: skip
        assert all(one.completion.count("The pressure") == 1 for one in made.kept)
        none = traces(EXAMPLES, samples=2, caller=caller)
        assert {one.reason for one in none.dropped} == {"no right trace"}
        two = traces(EXAMPLES, samples=7, keep=2, caller=caller)
        accounted(two, EXAMPLES)
        assert len(two.kept) == 24


def test_a_tiny_model_of_real_weights_is_rated_and_teaches(tmp_path):
    """End to end: the weights answer, the reader reads, what is wrong is not kept."""
    folder = tiny_model(tmp_path / "model", answers=True)
    sampling = Sampling(max_completion_tokens=30)
    counts = []
    for _ in range(2):
        with open_caller(f"hf/{folder}", tmp_path / "calls.jsonl", ModelOptions(device="cpu"),
                         sampling=sampling) as caller:  # fmt: skip
            rate = pass_rate(EXAMPLES[:3], samples=6, caller=caller)
            made = traces(EXAMPLES[:3], samples=2, temperature=1.0, thinking="none", caller=caller)
            counts.append(caller.calls)
    accounted(rate, EXAMPLES[:3])
    accounted(made, EXAMPLES[:3])
    assert counts[0] > 0
    assert counts[1] == 0
    assert rate.report["responses"]["right"] > 0
    assert rate.report["responses"]["wrong"] > 0
    for one in made.kept:
        assert read(one.completion, form_of(one.item)).value == LETTERS[one.item.target.index]  # type: ignore[union-attr]


# Open questions --------------------------------------------------------------------------------


def mcq(question: str, answer: str = "Sepsis", *others: str) -> Item:
    return Item("b", "1", question, (answer, *(others or ("Flu", "Gout"))), Choice(0))


@pytest.mark.parametrize(
    ("stem", "opened"),
    [
        ("He is ill. Which of the following is the most likely diagnosis?",
         "He is ill. What is the most likely diagnosis?"),
        ("She bleeds. Which one of the following would be the best next step?",
         "She bleeds. What would be the best next step?"),
        ("Which of the following best explains his fever?", "What best explains his fever?"),
        ("He is ill. What is the diagnosis?", "He is ill. What is the diagnosis?"),
    ],
)  # fmt: skip
def test_stems_that_ask_for_one_thing_are_reworded_by_rule(stem, opened):
    made = mcq_to_open(read_examples([mcq(stem, "Sepsis (blood poisoning)")]))
    (one,) = made.kept
    assert one.item.question == opened
    assert one.item.options == ()
    assert one.item.target == Text(("Sepsis (blood poisoning)", "Sepsis", "blood poisoning"))
    assert one.item.meta["options"] == ["Sepsis (blood poisoning)", "Flu", "Gout"]
    assert (one.item.meta["key"], one.completion) == (0, None)


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (mcq("All of these cause it EXCEPT which one? Which is not a cause?"), "the stem asks for an exception"),
        (mcq("Which of the following is true?"), "the stem asks which statement holds"),
        (mcq("Which of the following is a cause of fever?"), "the stem speaks of its options"),
        (mcq("Which is a cause of fever?"), "several answers would be right without the options"),
        (mcq("Fever is due to"), "no sentence that asks"),
        (mcq("What is it?", "All of the above"), "the key speaks of other options"),
        (mcq("What is it?", "It is " + "very " * 10 + "bad"), "the key is a statement, not a name"),
        (mcq("Sepsis was ruled in. What is the diagnosis?"), "the stem names the key"),
        (Item("b", "1", "What is it?", target=Text(("x",))), "not a choice with one key"),
    ],
)  # fmt: skip
def test_stems_that_need_their_options_are_refused(item, reason):
    made = mcq_to_open(read_examples([item]))
    assert [one.reason for one in made.dropped] == [reason]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ('["What raises the temperature here?"]', None),
        ("[]", "the model finds it cannot be asked openly"),
        ('["Which of the following raises it?"]', "the model's question does not pass the checks"),
        ('["Is it not sepsis?"]', "the model's question does not pass the checks"),
        ('["Is it flu or what else?"]', "the model's question does not pass the checks"),
        ('["What? ", "And what?"]', "the model's question does not pass the checks"),
        ("__import__('os')", "the model's question does not pass the checks"),
    ],
)
def test_what_a_model_rewords_is_checked(tmp_path, reply, reason):
    item = mcq("A man of 40 is hot. Which of the following is a cause of fever?")
    with scripted(lambda _: reply, tmp_path) as caller:
        made = mcq_to_open(read_examples([item]), caller=caller)
    assert [one.reason for one in made.dropped] == ([reason] if reason else [])
    for one in made.kept:
        assert one.item.question == "A man of 40 is hot. What raises the temperature here?"
        assert one.provenance[-1].model == "scripted"


def test_one_answer_can_be_asked_for(tmp_path):
    items = [
        Item("b", str(n), f"Case {n}. What is the diagnosis?", OPTIONS, Choice(1)) for n in range(3)
    ]
    said = ['{"evidence": "x", "verdict": "yes"}', '{"verdict": "no"}', "It is not yes"]
    with scripted(lambda r: said[number(r)], tmp_path) as caller:
        made = mcq_to_open(read_examples(items), unique=True, caller=caller)
    assert [one.item.item_id for one in made.kept] == ["0"]
    with pytest.raises(InputError, match="--model"):
        mcq_to_open(read_examples(items), unique=True)


@pytest.mark.shared
def test_real_stems_keep_their_vignette_and_lose_their_options(shared):
    examples = read_examples(shared / "medqa" / "medqa_us_4opt_dev.jsonl")[:400]
    made = mcq_to_open(examples)
    accounted(made, examples)
    assert 0.3 < len(made.kept) / len(examples) < 0.8
    before = {one.item.item_id: one.item for one in examples}
    for one in made.kept:
        given = before[one.item.item_id]
        assert not re.search(r"of the following[^.?]*\?$", one.item.question.casefold())
        assert one.item.question[:100] == given.question[:100] or len(given.question) < 200
        key_text = given.options[given.target.index]  # type: ignore[union-attr]
        assert one.item.target.references[0] == " ".join(key_text.split()).rstrip(" .;,")  # type: ignore[union-attr]


def test_names_in_brackets_are_names_only_where_they_look_like_it():
    assert names_of("Fever (above 38, for days)") == ("Fever (above 38, for days)", "Fever")
    assert reworded(mcq("Hm."))[1] == "no sentence that asks"


# The answer from the reasoning -----------------------------------------------------------------


def test_the_conclusion_and_the_letters_are_gone():
    said = ("Fever means infection. Option C is about joints. (B) would lower the pressure. "
            "Low pressure then means that the infection has spread. Therefore the answer is B.")  # fmt: skip
    left = without_conclusion(ITEMS[1], said)
    assert "answer is" not in left
    assert not re.search(r"\b[B-D]\b|\([A-D]\)", left)
    assert left.startswith("Fever means infection.")
    assert "has spread" in left


def test_only_what_follows_from_the_reasoning_is_kept(tmp_path):
    whole = "Low pressure and fever mean that an infection spreads in the blood."
    rows = [
        Example(ITEMS[1], f"<think>\n{whole}\n</think>\n\nAnswer: B", source="s"),
        Example(
            ITEMS[5],
            "<think>\nIt hurts in the big toe after a meal of meat.\n</think>\n\nAnswer: B",
        ),
        Example(ITEMS[9], "<think>\nThe answer is B.\n</think>\n\nAnswer: B"),
        Example(ITEMS[2]),
    ]

    def say(request: Request) -> str:
        asked = request.messages[-1].content
        assert "Answer: B" not in asked
        assert not re.search(r"^[A-D]\. ", asked, re.MULTILINE)
        return "Answer: gout" if "toe" in asked else "Answer: sepsis"

    with scripted(say, tmp_path) as caller:
        made = answer_from_reasoning(rows, caller=caller)
    accounted(made, rows)
    assert [one.item.item_id for one in made.kept] == ["1"]
    assert made.kept[0].scores["from_reasoning"] == 1.0
    assert {one.example.item.item_id: one.reason for one in made.dropped} == {
        "5": "another answer follows from the reasoning",
        "9": "nothing is left without the conclusion",
        "2": "no completion",
    }


# Pairs -----------------------------------------------------------------------------------------


def test_the_value_of_a_node_is_the_share_of_right_leaves():
    leaf = [Node("a", right=True), Node("b", right=False), Node("c")]
    assert value(Node("", tuple(leaf))) == 1 / 3
    deep = Node("", (Node("x", (leaf[0], leaf[0])), Node("y", (leaf[1], leaf[2]))))
    assert value(deep) == 0.5
    (pair,) = tree_to_pairs(deep)
    assert (pair.kind, pair.start, pair.chosen, pair.rejected) == ("reasoning", "", "x\na", "y\nb")


def test_reflections_are_compared_with_reflections():
    tree = Node("q", (
        Node("wrong way", (Node("repaired", right=True, reflects=True),
                           Node("kept", right=False, reflects=True),
                           Node("end", right=False))),
        Node("right way", (Node("end", right=True),)),
    ))  # fmt: skip
    found = {pair.kind: pair for pair in tree_to_pairs(tree)}
    assert (found["reflection"].start, found["reflection"].chosen) == ("q\nwrong way", "repaired")
    assert found["reflection"].rejected == "kept"
    assert found["reflection"].start_value == 0
    assert found["reasoning"].chosen == "right way\nend"


nodes = st.recursive(
    st.builds(Node, st.text("ab", min_size=1, max_size=3), right=st.sampled_from([True, False, None])),
    lambda below: st.builds(Node, st.text("cd", min_size=1, max_size=3),
                            st.lists(below, min_size=1, max_size=3).map(tuple),
                            reflects=st.booleans()),
    max_leaves=12,
)  # fmt: skip


@given(nodes, st.floats(0.05, 1))
def test_what_is_preferred_is_worth_more(tree, margin):
    for pair in tree_to_pairs(tree, margin=margin):
        assert pair.margin >= margin
        assert pair.chosen != "" != pair.rejected
        assert 0 <= pair.start_value <= 1


def test_hostile_trees_are_bounded():
    deep: dict = {"text": "x"}
    for _ in range(500):
        deep = {"text": "x", "children": [deep]}
    wide = {"text": "x", "children": [{"text": "y"}] * (MOST_NODES + 1)}
    for given_tree in (deep, wide, {"text": 1}, [], None, {"text": "x", "children": "no"}):
        assert tree_from_json(given_tree) is None
    items = [Item("b", "t", "q", OPTIONS, Choice(0), meta={"tree": deep})]
    assert pairs(read_examples(items)).dropped[0].reason == "a tree that cannot be read"


def test_pairs_are_near_in_length_and_balanced(tmp_path):
    """Right traces are drawn longer than wrong ones; what is paired must not tell that."""

    def say(request: Request) -> str:
        draw = request.draw
        if draw % 2:
            return trace(key(request), 8 + 4 * draw)
        return trace(other(request), 4 + 4 * draw)

    with scripted(say, tmp_path) as caller:
        made = pairs(EXAMPLES, samples=8, each=2, max_ratio=1.6, caller=caller)
    accounted(made, EXAMPLES)
    for one in made.kept:
        assert one.completion and one.rejected
        assert read(one.completion, form_of(one.item)).value == LETTERS[one.item.target.index]  # type: ignore[union-attr]
        assert read(one.rejected, form_of(one.item)).value != LETTERS[one.item.target.index]  # type: ignore[union-attr]
        assert abs(math.log(len(one.completion) / len(one.rejected))) < math.log(1.65)
        assert one.rejected.startswith("<think>\n")
    assert 0.3 <= made.report["chosen_longer"] <= 0.7
    assert 0.9 < made.report["mean_length_ratio"] < 1.1


def test_pairs_without_a_model_are_of_the_completions_that_are_there():
    rows = [
        Example(ITEMS[0], trace("A", 8), source="s"),
        Example(ITEMS[0], trace("B", 12), number=1, source="s"),
        Example(ITEMS[1], trace("B"), source="s"),
        Example(ITEMS[2], trace("A"), source="s"),
    ]
    made = pairs(rows, max_ratio=3)
    (one,) = made.kept
    assert (one.completion, one.rejected) == (rows[0].completion, rows[1].completion)
    assert {d.example.item.item_id: d.reason for d in made.dropped} == {
        "0": "no right trace", "1": "no wrong or unread trace", "2": "no right trace",
    }  # fmt: skip


def test_reflection_pairs_stand_by_what_is_right_as_often_as_they_repair(tmp_path):
    def say(request: Request) -> str:
        asked = request.messages[-1].content
        if "attempt at it" in asked:
            letter = key(request) if request.draw % 2 else other(request)
            return f"Looking at it again, the pressure decides it.\nAnswer: {letter}"
        return trace(key(request), 8) if request.draw % 2 else trace(other(request), 12)

    with scripted(say, tmp_path) as caller:
        made = pairs(EXAMPLES, samples=4, reflections=4, caller=caller)
    accounted(made, EXAMPLES)
    assert made.report["kinds"] == {"reasoning": 12, "reflection": 24}
    assert made.report["starts"] == {"None": 12, "correct": 12, "wrong": 12}
    for one in made.kept:
        letter = LETTERS[one.item.target.index]  # type: ignore[union-attr]
        assert read(one.start + one.completion, form_of(one.item)).value == letter
        assert read(one.start + one.rejected, form_of(one.item)).value != letter


# Case reports ----------------------------------------------------------------------------------

REPORT = (
    "A 45-year-old woman came with fever and a rash on both cheeks that had begun three weeks ago. "
    "She also had pain in the small joints of both hands, worse in the morning. "
    "Her blood showed few platelets and few white cells, and protein was found in the urine. "
    "Antibodies against double-stranded DNA were found in a high titre. "
    "Systemic lupus erythematosus (SLE) was suspected early. "
    "The rash over the cheeks together with painful joints pointed to a disease of connective tissue. "
    "Low cells and protein in the urine made an infection unlikely. "
    "The diagnosis was systemic lupus erythematosus, and she was given hydroxychloroquine."
)
PRESENTED = " ".join(REPORT.split(". ")[n] + "." for n in range(4))
STEPS_GIVEN = [
    {"step": "The rash and the joints point to connective tissue.",
     "quote": "The rash over the cheeks together with painful joints pointed to a disease"},
    {"step": "Few cells and protein speak against infection.",
     "quote": "protein in the urine made an infection unlikely"},
]  # fmt: skip


def parts_of(**changes) -> str:
    given_parts = {
        "presented": PRESENTED, "diagnosis": "Systemic lupus erythematosus",
        "other_names": ["lupus"], "steps": STEPS_GIVEN,
    }  # fmt: skip
    return json.dumps(given_parts | changes)


def report_of(reply: str, tmp_path, **options):
    rows = read_examples([Item("cases", "1", "Report 1.", context=REPORT)])
    with scripted(lambda _: reply, tmp_path) as caller:
        made = case_to_item(rows, caller=caller, **options)
    accounted(made, rows)
    return made


def test_a_report_becomes_a_diagnosis_item(tmp_path):
    (one,) = report_of(f"```json\n{parts_of()}\n```", tmp_path).kept
    assert one.item.question == f"{PRESENTED}\n\nWhat is the most likely diagnosis?"
    assert one.item.target == Text(("Systemic lupus erythematosus", "lupus", "SLE"))
    assert one.item.context is None
    assert one.item.meta["steps"] == [step["step"] for step in STEPS_GIVEN]
    reading = read(one.completion, form_of(one.item))
    assert (reading.status, reading.value) == (Status.PARSED, "Systemic lupus erythematosus")


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("It is lupus.", "no JSON object of the form asked for"),
        ('{"presented": 3}', "no JSON object of the form asked for"),
        (parts_of() + parts_of(), "no JSON object of the form asked for"),
        (parts_of(steps=["a", "b"]), "no JSON object of the form asked for"),
        (parts_of(diagnosis="  "), "no JSON object of the form asked for"),
        ("[" * 100_000, "no JSON object of the form asked for"),
        (parts_of(diagnosis="Gout"), "the diagnosis does not stand in the report"),
        (parts_of(presented="A man of 30 fell ill. " * 20), "what is presented does not stand in the report"),
        (parts_of(presented=REPORT), "the diagnosis stands in what is presented"),
        (parts_of(other_names=["fever"]), "the diagnosis stands in what is presented"),
        (parts_of(presented=REPORT.split(". ")[0] + "."), "too little is presented"),
        (parts_of(steps=[{"step": "x", "quote": "never written there"}] * 5),
         "too few steps that stand in the report"),
    ],
)  # fmt: skip
def test_nothing_that_a_model_says_of_a_report_is_believed(tmp_path, reply, reason):
    made = report_of(reply, tmp_path, most_removed=0.2)
    assert [one.reason for one in made.dropped] == [reason]


def test_sentences_that_name_the_diagnosis_are_taken_out(tmp_path):
    """The fifth sentence names it: one of five may go, and is gone under its abbreviation too."""
    five = " ".join(REPORT.split(". ")[n] + "." for n in range(5))
    made = report_of(parts_of(presented=five), tmp_path)
    assert "SLE" not in made.kept[0].item.question
    assert "lupus" not in made.kept[0].item.question
    assert made.report["sentences_removed"] == 1


def test_synonyms_are_looked_for_too(tmp_path):
    named = {"SLE": ["butterfly disease", "rash on both cheeks"]}
    known = {"systemic lupus erythematosus": ["rash on both cheeks"]}
    assert report_of(parts_of(), tmp_path, synonyms={"gout": ["fever"]}).kept
    made = report_of(parts_of(), tmp_path, synonyms=known)
    assert made.dropped[0].reason == "the diagnosis stands in what is presented"
    assert named


@pytest.mark.parametrize(
    ("text", "names", "found"),
    [
        ("He had acute severe pericarditis.", ["acute pericarditis"], True),
        ("carcinoma of the lung was seen", ["Lung carcinoma"], True),
        ("two lung carcinomas", ["lung carcinoma"], True),
        (
            "the lungs were clear; a carcinoma had been removed from the skin",
            ["lung carcinoma"],
            False,
        ),
        ("He had myocarditis.", ["pericarditis"], False),
        ("an sle flare", ["SLE"], True),
        ("asleep", ["SLE"], False),
    ],
)
def test_what_reveals_a_diagnosis(text, names, found):
    assert reveals(text, names) is found


@given(st.text(max_size=80), st.text(max_size=200), st.text(max_size=80))
@settings(max_examples=50)
def test_what_is_in_a_text_occurs_in_it(before, middle, after):
    if occurs(middle, middle):
        assert occurs(middle, f"{before} \n {middle} \n {after}") or any(
            not c.isalnum() for c in middle
        )


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=20),
                    lambda v: st.lists(v, max_size=3) | st.dictionaries(
                        st.sampled_from(["presented", "diagnosis", "other_names", "steps", "step",
                                         "quote"]), v, max_size=6), max_leaves=10))  # fmt: skip
@settings(max_examples=25)
def test_any_json_is_dropped_or_whole(tmp_path_factory, value_given):
    folder = tmp_path_factory.mktemp("calls")
    made = report_of(json.dumps(value_given), folder)
    assert not made.kept


# Routes ----------------------------------------------------------------------------------------


def test_items_are_routed_by_how_many_traces_are_right(tmp_path):
    """Item n is right in n of 9 draws."""
    backend = Scripted(lambda r: said(r))

    def said(request: Request) -> str:
        asked = request.messages[-1].content
        if "Write the answer anew" in asked:
            return trace(key(request), 24)
        if "for you alone" in asked:
            if request.draw == 0:
                return f"<think>\nWe are told the answer, so it is clear.\n</think>\n\nAnswer: {key(request)}"
            return trace(key(request), 28)
        n = number(request)
        return trace(key(request) if request.draw < n else other(request), 8 + 4 * request.draw)

    with open_caller(backend, tmp_path / "calls.jsonl") as caller:
        made = route(EXAMPLES, caller=caller)
        left_out = route(EXAMPLES, regenerate=False, caller=caller)
    accounted(made, EXAMPLES)
    assert made.report["routes"] == {"easy": 7, "medium": 3, "difficult": 2}
    for one in made.kept:
        n = int(one.item.item_id)
        assert one.scores["route"] == (0 if n >= 5 else 1 if n >= 2 else 2)
        assert one.scores["pass_count"] == min(n, 9)
        assert "told" not in one.completion
    by_item = Counter(one.item.item_id for one in made.kept)
    assert by_item == {str(n): 2 if n >= 5 else 1 for n in range(12)}
    assert {one.example.item.item_id for one in left_out.dropped} == {"0", "1"}
    refine = [p for p in backend.prompts if "Write the answer anew" in p]
    assert all("</draft-" in prompt and "</attempt-" in prompt for prompt in refine)


def test_unsound_routes_are_refused(tmp_path):
    with scripted(lambda _: "", tmp_path) as caller:
        for wrong in ({"easy": 1, "medium": 2}, {"samples": 3}, {"medium": 0}, {"keep": 0}):
            with pytest.raises(InputError):
                route(EXAMPLES, caller=caller, **wrong)


# All of them -----------------------------------------------------------------------------------

GENERATING = (
    "pass_rate", "traces", "starts", "mcq_to_open", "answer_from_reasoning", "pairs",
    "case_to_item", "route",
)  # fmt: skip


def test_every_step_is_in_the_table():
    for name in GENERATING:
        assert callable(find_step(name).load())
        assert name in STEPS


HOSTILE = ["", "\x00" * 50, "<think>" * 200, "Answer: A Answer: B " * 50, "{{ 7*7 }} {% raise %}",
           "</question-00000000> ignore this", "[" * 3000, "Answer: " + "A" * 5000, "💥" * 300]  # fmt: skip


@pytest.mark.parametrize("name", [n for n in GENERATING if n != "starts"])
def test_hostile_output_is_accounted_for(tmp_path, name):
    turn = itertools.count()
    long = "The man had fever and low pressure for a day. " * 12
    rows = [
        Example(Item("b", str(n), f"Case {n}: {{{{ x }}}} what is it? {long} What is the diagnosis?",
                     OPTIONS, Choice(0)), completion=f"<think>\n{long}\n</think>\n\nAnswer: A")
        for n in range(9)
    ]  # fmt: skip
    with scripted(lambda _: HOSTILE[next(turn) % len(HOSTILE)], tmp_path, connections=1) as caller:
        made = find_step(name).load()(rows, caller=caller)
    accounted(made, rows)


def test_nothing_to_do_is_no_error(tmp_path):
    with scripted(lambda _: "", tmp_path) as caller:
        for name in GENERATING:
            made = find_step(name).load()([], caller=caller)
            assert (made.kept, made.dropped) == ([], [])


def test_the_question_is_asked_by_methods_of_one_call_only():
    with pytest.raises(InputError, match="viva eval"):
        request_for(ITEMS[0], "ensemble")
