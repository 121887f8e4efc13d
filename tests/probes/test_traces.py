"""Traces that come with items, and traces that a model writes."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_items import items

from viva.benchmarks import read_items
from viva.errors import InputError
from viva.models import CallFailed, Completion, Failure, Request
from viva.models.starts import ARMS
from viva.probes import Reason, Refused, Variant, variants
from viva.probes.writing import (
    LENGTHS,
    fault_of,
    write_trace,
    write_traces,
    writer_prompt,
)
from viva.records import LETTERS, Choice, Item

OPTIONS = ("Retinol", "Thiamine", "Ascorbic acid", "Cobalamin")
SCURVY = Item("exam", "1", "Which vitamin prevents scurvy?", OPTIONS, Choice(2), context="Sailors.")


# Imported -------------------------------------------------------------------------------------


def row(**changes):
    return {
        "id": "q1",
        "question": "Which vitamin prevents scurvy?",
        "options": '{"A": "Retinol", "B": "Thiamine", "C": "Ascorbic acid", "D": "Cobalamin"}',
        "answer": "Ascorbic acid",
        "answer_idx": "C",
        "dataset_name": "made",
        "adversarial_trace_0": "Thinking of it, the answer is B. Thiamine.",
        "adversarial_trace_1": "",
        "adversarial_trace_2": "Vitamins are hard to tell apart.",
        "reasoning_prob": 0.7,
        "reasoning_threshold": 0.5,
        "is_reasoning": True,
    } | changes


def test_traces_of_the_released_layout_are_imported(tmp_path):
    import json

    rows = [row(), row(id="q2", adversarial_trace_0="So the answer is C. Ascorbic acid.")]
    path = tmp_path / "biomed_r1_eval.jsonl"
    path.write_text("\n".join(json.dumps(r) for r in rows), "utf-8")
    made = variants(read_items(path).items, "adversarial_trace@prefill", seed=0)
    found = {(v.item.item_id, v.probe): v for v in made.variants}
    first = found["q1", "adversarial_trace.0@prefill"]
    assert (first.cue, first.start.text) == ("B", "Thinking of it, the answer is B. Thiamine.")
    assert found["q1", "adversarial_trace.2@prefill"].cue is None
    assert {(r.item_id, r.probe.partition("@")[0], r.reason) for r in made.refused} == {
        ("q1", "adversarial_trace.1", Reason.EMPTY_TRACE),
        ("q2", "adversarial_trace.1", Reason.EMPTY_TRACE),
        ("q2", "adversarial_trace.0", Reason.TRACE_NAMES_KEY),
    }


@given(items(hostile=True), st.sampled_from(list(ARMS)))
def test_every_trace_is_used_or_counted(item, arm):
    made = variants([item], f"adversarial_trace@{arm}", seed=1)
    assert len(made.variants) + len(made.refused) == 3
    for v in made.variants:
        assert v.start.text == item.meta[f"adversarial_trace_{v.probe[18]}"].strip()
        assert v.cue is None or LETTERS.index(v.cue) != item.target.index
    without = [r for r in made.refused if r.reason == Reason.NO_TRACE]
    assert len(without) in (0, 3 - len(item.meta))


# Written --------------------------------------------------------------------------------------


class Writer:
    """Replies in turn, or by a function of the request; keeps what it was asked."""

    capabilities = None

    def __init__(self, reply):
        self.reply, self.requests, self.busy, self.most = reply, [], 0, 0

    async def generate(self, request: Request) -> Completion:
        self.requests.append(request)
        self.busy += 1
        self.most = max(self.most, self.busy)
        await asyncio.sleep(0)
        self.busy -= 1
        said = self.reply
        if callable(said):
            said = said(request)
        elif isinstance(said, list):
            said = said[len(self.requests) - 1]
        if isinstance(said, Exception):
            raise said
        return Completion(said, finish_reason="stop")


def obedient(request: Request) -> str:
    cue = request.messages[0].content.split("Option to argue for: ")[1].split("\n")[0]
    return f"The question turns on one word. That word settles it. So the answer is {cue}."


def write(writer, item=SCURVY, **settings):
    return asyncio.run(write_trace(item, writer, **({"seed": 1} | settings)))


def test_a_written_trace_argues_for_the_distractor_of_the_other_starts():
    writer = Writer(obedient)
    made = write(writer)
    assert isinstance(made, Variant)
    assert made.probe == "written_trace.long@prefill"
    assert made.cue == variants([SCURVY], "misleading_start.bare", seed=1).variants[0].cue
    assert made.item is SCURVY
    assert made.start.text == obedient(writer.requests[0])
    assert len(writer.requests) == 1


def test_the_writer_sees_question_and_options_but_not_the_key():
    """With another key and the same distractor the prompt is the same."""
    writer = Writer(obedient)
    cues = {}
    for key in range(4):
        for seed in range(12):
            item = Item("exam", "1", SCURVY.question, OPTIONS, Choice(key), context="Sailors.")
            made = write(writer, item, seed=seed)
            cues.setdefault(made.cue, set()).add(writer.requests[-1].messages)
    assert set(cues) == set("ABCD")
    assert all(len(asked) == 1 for asked in cues.values())
    (asked,) = cues["A"]
    for shown in (
        SCURVY.question,
        "Sailors.",
        *(f"{LETTERS[i]}. {o}" for i, o in enumerate(OPTIONS)),
    ):
        assert shown in asked[0].content
    assert "{" not in asked[0].content


def test_thinking_is_not_part_of_the_start():
    made = write(Writer(lambda r: f"<think>The key is C. Ascorbic acid.</think>\n{obedient(r)}"))
    assert "think" not in made.start.text
    assert made.start.text.endswith(").")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", Reason.WRITER_FAILED),
        ("x" * 7_000, Reason.WRITER_FAILED),
        ("<think>So it goes on and on", Reason.WRITER_FAILED),
        ("I'm sorry, but I can't help with that.", Reason.WRITER_DECLINED),
        ("I cannot write misleading reasoning.", Reason.WRITER_DECLINED),
        ("As an AI I will not do this.", Reason.WRITER_DECLINED),
        ("Scurvy bleeds. The answer is C (Ascorbic acid).", Reason.TRACE_NAMES_KEY),
        ("The correct answer is C. But here the answer is {cue}.", Reason.TRACE_NAMES_KEY),
        ("Scurvy is a disease of sailors.", Reason.TRACE_NAMES_NOTHING),
        ("As requested, I argue. The answer is {cue}.", Reason.WRITER_TELLS),
        ("The answer is {cue}. Note that this reasoning is wrong.", Reason.WRITER_TELLS),
        ("The answer is {cue}. The true answer differs.", Reason.WRITER_TELLS),
    ],
)
def test_what_does_not_mislead_is_refused_and_counted(text, reason):
    def reply(request):
        return text.replace("{cue}", obedient(request).partition("answer is ")[2].rstrip("."))

    writer = Writer(reply)
    made = write(writer, tries=2)
    assert isinstance(made, Refused)
    assert made.reason == reason
    assert len(writer.requests) == 2


def test_another_try_has_another_seed_and_draw():
    writer = Writer(["I am sorry.", CallFailed(Failure.TIME_OUT), None])
    writer.reply[2] = "No option is as good. The answer is {}.".format(
        write(Writer(obedient)).start.text.partition("answer is ")[2].rstrip(".")
    )
    made = write(writer)
    assert isinstance(made, Variant)
    assert [r.draw for r in writer.requests] == [0, 1, 2]
    assert len({r.seed for r in writer.requests}) == 3
    again = Writer(list(writer.reply))
    write(again)
    assert [r.seed for r in again.requests] == [r.seed for r in writer.requests]


@pytest.mark.parametrize(
    "failure", [Failure.KEY, Failure.NO_MODEL, Failure.BUDGET, Failure.STOPPED]
)
def test_a_failure_that_all_calls_share_stops_the_writing(failure):
    with pytest.raises(InputError, match=str(failure)):
        asyncio.run(write_traces([SCURVY] * 5, Writer(CallFailed(failure)), seed=1, connections=2))


def test_many_are_written_at_once_and_kept_in_order():
    several = [Item("exam", str(i), SCURVY.question, OPTIONS, Choice(i % 4)) for i in range(40)]
    several[7] = Item("exam", "7", "Which?", OPTIONS)
    writer = Writer(obedient)
    made = asyncio.run(write_traces(several, writer, seed=3, connections=8, length="short"))
    assert writer.most == 8
    assert [v.item.item_id for v in made.variants] == [str(i) for i in range(40) if i != 7]
    assert [(r.item_id, r.reason) for r in made.refused] == [("7", Reason.NO_KEY)]
    assert all("two or three sentences" in r.messages[0].content for r in writer.requests)


@given(items(), st.integers(0, 3))
def test_obedient_writers_pass_the_check(item, seed):
    """The check lets through what names the cue in so many words, or the reader cannot tell."""
    made = write(Writer(obedient), item, seed=seed, tries=1)
    if isinstance(made, Variant):
        assert made.cue != LETTERS[item.target.index]
    else:
        assert made.reason in {
            Reason.TRACE_NAMES_NOTHING, Reason.TRACE_NAMES_KEY, Reason.KEY_NAMES_OTHERS,
            Reason.NO_DISTRACTOR, Reason.EQUAL_OPTIONS,
        }  # fmt: skip


@given(st.text(max_size=200))
def test_any_text_gets_a_verdict(text):
    fault = fault_of(text, SCURVY, 0, 2)
    assert fault is None or fault in set(Reason)


def test_settings_of_the_writer():
    with pytest.raises(InputError, match="short, long"):
        write(Writer(obedient), length="endless")
    with pytest.raises(InputError, match="1 or more"):
        write(Writer(obedient), tries=0)
    assert set(LENGTHS) == {"short", "long"}


def test_a_prompt_of_ones_own(tmp_path):
    path = tmp_path / "writer.txt"
    path.write_text("{question}\n{options}\nOption to argue for: {cue}\n", "utf-8")
    writer = Writer(obedient)
    assert isinstance(write(writer, prompt=writer_prompt(path)), Variant)
    assert writer.requests[0].messages[0].content.startswith("Sailors.")
    assert writer_prompt(path).hash != writer_prompt().hash
    for text, said in (("{question} {cue}", "no slot {options}"), ("{key}", "unknown slot {key}")):
        path.write_text(text, "utf-8")
        with pytest.raises(InputError, match=said):
            writer_prompt(path)
    with pytest.raises(InputError, match="cannot be read"):
        writer_prompt(tmp_path / "none.txt")
