"""Worked examples: which are shown, in which turns, and none that tells the answer."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted_caller import Scripted, ask, item
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics.pairwise import cosine_similarity

from viva.errors import InputError
from viva.methods import load_prompt, prepare, render, set_parameters
from viva.methods.examples import load_pool
from viva.methods.few_shot import few_shot
from viva.models import CallFailed, Failure
from viva.records import Choice, Group, Item

SUBJECTS = ("heart", "lung", "liver", "kidney", "brain", "skin", "bone", "eye")


def row(number, **changes):
    subject = SUBJECTS[number % len(SUBJECTS)]
    return {
        "benchmark": "pool",
        "item_id": str(number),
        "question": f"Which drug number {number} acts on the {subject}?",
        "options": [f"drug {number}", "none", "both", f"{subject} rest"],
        "answer": number % 4,
    } | changes


@pytest.fixture
def write(tmp_path):
    def file(rows, name="pool.jsonl"):
        path = tmp_path / name
        path.write_text("".join(json.dumps(r) + "\n" for r in rows))
        return str(path)

    return file


def asked(source, question=None, **given_):
    caller = Scripted(["C"])
    ask(few_shot, caller, question, examples=source, **given_)
    return caller.requests[0].messages


def questions(messages):
    return [m.content.split("\n")[0] for m in messages[:-1] if m.role == "user"]


def test_examples_are_earlier_turns_in_the_form_of_the_question(write):
    source = write([row(n) for n in range(5)])
    messages = asked(source, shots=5)
    assert [m.role for m in messages] == ["user", "assistant"] * 5 + ["user"]
    assert messages[-1].content == render(load_prompt("direct"), item())
    shown = Item("pool", "3", row(3)["question"], tuple(row(3)["options"]))
    at = next(i for i, m in enumerate(messages) if "number 3" in m.content)
    assert messages[at].content == render(load_prompt("direct"), shown)
    assert messages[at + 1].content == "D"


def test_fixed_examples_are_the_same_for_every_item_whatever_the_order_of_the_file(write):
    rows = [row(n) for n in range(40)]
    one, two = write(rows, "one.jsonl"), write(rows[::-1], "two.jsonl")
    first = asked(one)
    assert asked(one, item(item_id="9", question="Another?"))[:-1] == first[:-1]
    assert asked(two)[:-1] == first[:-1]
    assert load_pool(one).hash == load_pool(two).hash
    assert asked(one, seed=1)[:-1] != first[:-1]


def test_an_item_of_the_pool_is_replaced_by_the_next_example(write):
    source = write([row(n) for n in range(40)])
    common = questions(asked(source, shots=6))
    member = next(r for r in map(row, range(40)) if r["question"] == common[2])
    shown = questions(
        asked(
            source,
            Item("pool", member["item_id"], member["question"], tuple(member["options"])),
            shots=5,
        )
    )
    assert shown == [q for q in common if q != member["question"]]


def test_similar_examples_are_the_nearest_by_tf_idf_the_nearest_last(write):
    rows = [row(n) for n in range(30)]
    question = "A patient with liver disease takes drug number 7; which acts on the liver?"
    shown = questions(asked(write(rows), item(question=question), shots=4, choose="similar"))
    texts = [r["question"] for r in rows]
    model = TfidfVectorizer(sublinear_tf=True).fit(texts)
    likeness = cosine_similarity(model.transform([question]), model.transform(texts))[0]
    assert shown == [texts[i] for i in np.argsort(-likeness, kind="stable")[:4]][::-1]
    assert all("liver" in q for q in shown)


LEAKS = {
    "the item itself": ({"benchmark": "exam", "item_id": "1"}, {}),
    "equal question": ({"question": "Which vitamin  prevents SCURVY"}, {}),
    "equal content": (
        {"question": "Which vitamin prevents scurvy?",
         "options": ["Cobalamin", "Ascorbic acid", "Thiamine", "Retinol"]}, {},
    ),
    "same group": ({"group": "g1"}, {"group": Group("g1")}),
}  # fmt: skip


@pytest.mark.parametrize("choose", ["fixed", "similar"])
@pytest.mark.parametrize("leak", LEAKS)
def test_no_example_tells_the_answer(write, leak, choose):
    changes, of_item = LEAKS[leak]
    leaking = row(
        99, question="Which vitamin prevents scurvy at sea?", options=["x", "y"], answer=0
    )
    leaking |= {k: v for k, v in changes.items() if k != "group"}
    if "group" in changes:
        leaking["group"] = {"id": "g1"}
    source = write([row(n) for n in range(5)] + [leaking])
    shown = questions(asked(source, item(**of_item), choose=choose))
    assert leaking["question"] not in shown
    assert len(shown) == 5
    if leak != "equal question":  # without what makes it leak it is shown: the guard does it
        free = leaking | {"benchmark": "pool", "item_id": "99", "group": None}
        free |= {"question": "Which vitamin prevents scurvy at sea?", "options": ["x", "y"]}
        source = write([row(n) for n in range(4)] + [free], "free.jsonl")
        assert free["question"] in questions(asked(source, item(**of_item), choose=choose))


def test_of_equal_questions_one_is_shown(write):
    twins = [row(n, question="The same?" if n < 3 else f"Other {n}?") for n in range(6)]
    shown = questions(asked(write(twins), shots=4))
    assert len(set(shown)) == 4


def test_too_few_examples_left_is_a_failed_call(write):
    source = write([row(n) for n in range(5)])
    member = Item("pool", "2", row(2)["question"], tuple(row(2)["options"]))
    with pytest.raises(CallFailed, match="4 of 5 examples are left") as raised:
        asked(source, member)
    assert raised.value.failure is Failure.REFUSED


def test_with_cot_examples_give_their_rationale(write):
    rows = [row(n, meta={"explanation": f"Because {n}. "}) for n in range(3)]
    rows += [row(3, rationale="So it is."), row(4), row(5)]
    messages = asked(write(rows), shots=4, cot=True)
    replies = {m.content for m in messages if m.role == "assistant"}
    assert replies == {
        "Because 0.\n\nAnswer: A", "Because 1.\n\nAnswer: B", "Because 2.\n\nAnswer: C",
        "So it is.\n\nAnswer: D",
    }  # fmt: skip
    assert "Think step by step" in messages[0].content


def prepared(**given_):
    return prepare("few_shot", set_parameters("few_shot", given_))


def test_what_the_examples_hold_is_known_before_the_first_call(write):
    rows = [row(n, meta={"explanation": "So."} if n % 2 else {}) for n in range(12)]
    source = write(rows)
    said = prepared(examples=source)["examples"]
    assert (said["items"], said["left_out"]) == (12, 0)
    assert prepared(examples=source, cot=True)["examples"]["items"] == 6
    other = write([r | {"answer": 0} for r in rows], "other.jsonl")
    assert prepared(examples=other)["examples"]["hash"] != said["hash"]


@pytest.mark.parametrize(
    ("rows", "given_", "message"),
    [
        (3, {}, "has 3 items with one right option, fewer than shots=5"),
        (9, {"cot": "true"}, "has 0 items with a rationale, fewer than shots=5.*set cot=false"),
    ],
)
def test_too_few_examples_are_told_before_the_first_call(write, rows, given_, message):
    with pytest.raises(InputError, match=message):
        prepared(examples=write([row(n) for n in range(rows)]), **given_)


def test_a_source_that_is_not_there():
    with pytest.raises(InputError, match=r"unknown benchmark 'medkqa'\. Did you mean"):
        prepared(examples="medkqa")
    with pytest.raises(InputError, match=r"none/there\.jsonl"):
        prepared(examples="none/there.jsonl")


def test_a_benchmark_by_its_name():
    said = prepared(examples="MedQA-4options", shots=3)["examples"]
    assert said["items"] > 100


def test_questions_without_words_cannot_be_compared(write):
    rows = [row(n, question="?" * (n + 1) + str(n)) for n in range(6)]
    with pytest.raises(InputError, match="without words"):
        asked(write(rows), choose="similar")


@settings(max_examples=30)
@given(number=st.integers(0, 39), shots=st.integers(1, 8), seed=st.integers(0, 3),
       choose=st.sampled_from(["fixed", "similar"]))  # fmt: skip
def test_the_guard_holds_for_every_member_of_the_pool(
    tmp_path_factory, number, shots, seed, choose
):
    path = tmp_path_factory.getbasetemp() / "members.jsonl"
    if not path.exists():
        path.write_text("".join(json.dumps(row(n)) + "\n" for n in range(40)))
    member = row(number)
    question = Item(
        "pool", str(number), member["question"], tuple(member["options"]), Choice(number % 4)
    )
    shown = questions(asked(str(path), question, shots=shots, seed=seed, choose=choose))
    assert len(shown) == len(set(shown)) == shots
    assert member["question"] not in shown


@pytest.mark.shared
def test_a_real_pool(shared):
    """MedMCQA's development part: fast enough to be chosen from at every item."""
    import time

    source = next(iter(sorted(shared.rglob("*medmcqa*dev*.json*"))), None)
    if source is None:
        pytest.skip("no development part of MedMCQA in the shared data")
    pool = load_pool(str(source))
    question = item(question="Which of the following drugs is used in acute pulmonary embolism?")
    pool.similar(question, 5, explained=True)
    spent = []
    for explained in (False, True):  # what a rationale is, is found out once
        begun = time.process_time()
        for _ in range(10):
            found = pool.similar(question, 5, explained=explained)
        spent.append(time.process_time() - begun)
    assert spent[1] < 3 * spent[0] + 0.1
    assert all(example.rationale for example in found)
    assert any("embol" in example.item.question.lower() for example in found)


def test_pairs_of_turns_belong_together(write):
    source = write([row(n) for n in range(20)])
    messages = asked(source, shots=8)
    for question, reply in pairwise(messages[:-1]):
        if question.role == "user":
            number = int(question.content.split("number ")[1].split(" ")[0])
            assert reply.content == "ABCD"[number % 4]
