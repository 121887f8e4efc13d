"""Starts and recoveries: what goes on from what, in which shares, in which forms."""

from __future__ import annotations

import random
import re
from collections import Counter

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scripted_backend import Scripted, scripted

from viva.answers import form_of, read
from viva.errors import InputError
from viva.models import Capabilities, Request
from viva.probes import starts as probe_starts
from viva.records import LETTERS, Choice, Item
from viva.synthesis.calling import open_caller
from viva.synthesis.examples import read_examples
from viva.synthesis.recoveries import starts
from viva.synthesis.start_forms import (
    TRAINING_FORMS,
    UNSEEN_FORMS,
    Opening,
    WorldItems,
    check_forms,
    openings,
)
from viva.synthesis.start_shares import check_shares, deal, largest_within
from viva.targets import Text
from viva.worlds import FORMS, UNSEEN, make_world, starts_of
from viva.worlds.starts import KINDS
from viva.worlds.vignettes import steps_text

WORLD = make_world(5, 240)
EXAMPLES = read_examples(list(WORLD.items))
GOLD = {item.item_id: item for item in WORLD.items}

REAL = [
    Item("real", str(n), f"A man of {40 + n} has had chest pain for an hour. His pressure is low. "
         "What is the diagnosis?", ("infarction", "pleurisy", "gout", "asthma"), Choice(n % 4))
    for n in range(40)
]  # fmt: skip


def letter(item: Item) -> str:
    return LETTERS[item.target.index]  # type: ignore[union-attr]


def form_and_cue(example):
    told = example.provenance[-1].settings
    return told.get("form"), told.get("cue")


@pytest.mark.parametrize("recovery", ["point", "rederive"])
@pytest.mark.parametrize("thinking", ["none", "tags"])
def test_from_gold_steps_every_example_of_a_world_is_made_without_a_model(recovery, thinking):
    made = starts(EXAMPLES, recovery=recovery, thinking=thinking)
    assert len(made.kept) == 240
    assert made.report["kinds"] == dict.fromkeys(KINDS, 60)
    for one in made.kept:
        item = one.item
        for text in (one.start + one.completion, one.completion):
            assert read(text, form_of(item)).value == letter(item)
        body = one.completion.replace("<think>\n", "").split("</think>")[0]
        assert (one.start == "") == (one.start_kind == "absent")
        assert one.start.startswith("<think>\n") == (thinking == "tags" and one.start != "")
        assert "{" not in one.completion
        assert "[" not in one.completion
        assert "  " not in body.strip()


def test_a_wrong_start_is_met_at_its_point_of_error():
    """What holds is not said again; the first sentence that does not is named, and gold follows."""
    met = Counter()
    for one in starts(EXAMPLES, each=4).kept:
        if one.start_kind != "wrong":
            continue
        gold = GOLD[one.item.item_id].meta["steps"]
        drawn = next(d for d in WORLD.drawn if d.item.item_id == one.item.item_id)
        said = [step for step in steps_text(drawn.wrong_steps) if step in one.start]
        false = [step for step in said if step not in gold]
        form, cue = form_and_cue(one)
        right, wrong = one.item.options[one.item.target.index], one.item.options[LETTERS.index(cue)]
        assert cue == LETTERS[drawn.wrong] != letter(one.item)
        if false:
            met["false"] += 1
            assert false[0].rstrip(".") in one.completion
            held = 0
            while held < min(len(said), len(gold)) and said[held] == gold[held]:
                held += 1
            rest = " ".join(gold[held:])
            assert rest in one.completion
            assert rest == "" or one.completion.index(false[0].rstrip(".")) < one.completion.index(
                rest
            )
            assert not any(step in one.completion for step in gold[:held])
        else:  # every sentence holds: what is wrong is where it stops
            met["stops"] += 1
            assert form in ("chosen", "doubt")
            assert wrong in one.start
        assert right in one.completion.split("Answer:")[0]
        if wrong.casefold() not in one.start.casefold():
            assert wrong.casefold() not in one.completion.casefold()
    assert met["false"] > 100
    assert met["stops"] > 3


def test_nothing_is_called_wrong_in_which_nothing_is_wrong():
    """Twins that differ late begin alike: that beginning must not be taught as an error."""
    worlds = WorldItems(WORLD.items)
    alike = 0
    for drawn in WORLD.drawn:
        found = openings(drawn.item, FORMS[:4], 0, worlds)
        assert not isinstance(found, str)
        gold = steps_text(drawn.steps)
        for one in found["wrong"]:
            error = one.wrong is not None and one.wrong not in gold and one.wrong in one.text
            named = drawn.item.options[drawn.wrong] in one.text
            assert error or named
        begun = [s for s in starts_of(drawn, WORLD.graph, 5, forms=["begun"]) if s.kind == "wrong"]
        if begun[0].text.removeprefix("To begin with: ") in gold:
            alike += 1
            assert "begun" not in {one.form for one in found["wrong"]}
    assert alike > 20


def test_a_correct_start_is_accepted_and_not_said_again():
    """Accepted: no word against it, no step twice, and nothing of another answer."""
    for one in starts(EXAMPLES, each=4).kept:
        if one.start_kind != "correct":
            continue
        gold = one.item.meta["steps"]
        body = one.completion.split("Answer:")[0].casefold()
        assert not re.search(r"\b(?:wait|but|wrong|mistake|not so)\b", body)
        form, _ = form_and_cue(one)
        if form != "doubt":
            assert not any(step.casefold() in body for step in gold if step in one.start)
        assert all(step in one.start + one.completion for step in gold)


def test_after_an_irrelevant_start_the_case_is_worked_out():
    for one in starts(EXAMPLES, each=4).kept:
        if one.start_kind in ("irrelevant", "absent"):
            assert " ".join(one.item.meta["steps"]) in one.completion
            assert not any(step in one.start for step in one.item.meta["steps"])


def test_kinds_share_their_forms():
    """Were wrong starts of other forms than correct ones, the form alone would tell."""
    made = starts(read_examples(list(make_world(5, 500).items)))
    forms = {
        kind: Counter(form_and_cue(one)[0] for one in made.kept if one.start_kind == kind)
        for kind in ("wrong", "correct", "irrelevant")
    }
    for form in forms["wrong"]:
        shares = [counts[form] / counts.total() for counts in forms.values()]
        assert max(shares) - min(shares) < 0.12, (form, shares)


def test_an_unseen_form_never_enters_training_data():
    assert UNSEEN <= UNSEEN_FORMS
    assert not UNSEEN_FORMS & set(TRAINING_FORMS)
    assert {"long", "uncertain", "adversarial_trace"} <= UNSEEN_FORMS
    for form in sorted(UNSEEN_FORMS):
        with pytest.raises(InputError, match="kept for examination"):
            starts(EXAMPLES[:4], forms=[form])
        with pytest.raises(InputError, match="kept for examination"):
            check_forms(["steps", form])
    # Not by name alone: no start that is made has the words of an unseen form.
    of_world = starts(EXAMPLES, each=4).kept
    examined = {
        start.text
        for drawn in WORLD.drawn
        for start in starts_of(drawn, WORLD.graph, 5, forms=sorted(UNSEEN))
        if start.text
    }
    assert len(examined) > 240
    assert not examined & {one.start for one in of_world}
    worlds = WorldItems([])
    for item in REAL:
        seen = {
            one.text for kind in openings(item, TRAINING_FORMS, 3, worlds).values() for one in kind
        }  # type: ignore[union-attr]
        for strength in ("uncertain", "long"):
            rng = probe_starts.STREAM and random.Random(0)
            made = probe_starts.misleading_start(item, rng, strength=strength)
            assert isinstance(made, list)
            assert made[0].start is not None
            assert made[0].start.text not in seen
    assert {form_and_cue(one)[0] for one in of_world} - {None} <= set(TRAINING_FORMS)


def test_shares_without_correct_or_absent_starts_are_refused_unless_forced():
    for shares in ({"wrong": 1.0}, {"wrong": 1, "correct": 1}, {"wrong": 1, "absent": 1}):
        with pytest.raises(InputError, match="distrust of every start"):
            starts(EXAMPLES[:8], shares=shares)
    made = starts(EXAMPLES[:8], shares={"wrong": 1.0}, force=True)
    assert {one.start_kind for one in made.kept} == {"wrong"}
    for shares in ({"bad": 1}, {"wrong": -1, "correct": 1, "absent": 1}, {"wrong": 0}):
        with pytest.raises(InputError):
            check_shares(shares)


@given(
    st.dictionaries(st.sampled_from(KINDS), st.integers(1, 9), min_size=1),
    st.integers(8, 40),
    st.integers(1, 4),
    st.integers(0, 3),
)
@settings(max_examples=15)
def test_shares_are_within_rounding_and_every_input_is_accounted_for(shares, count, each, seed):
    shares = {"correct": 1, "absent": 1} | shares
    examples = EXAMPLES[:count]
    made = starts(examples, shares=shares, each=each, seed=seed)
    counts = Counter(one.start_kind for one in made.kept)
    total = sum(shares.values())
    for kind, share in shares.items():
        assert abs(counts[kind] - share / total * len(made.kept)) < 1 + 1e-9
    kept = {one.item.item_id for one in made.kept}
    dropped = {one.example.item.item_id for one in made.dropped}
    assert kept | dropped == {one.item.item_id for one in examples}
    assert not kept & dropped
    keys = [(one.item.item_id, one.number) for one in made.kept]
    assert len(set(keys)) == len(keys)
    assert made == starts(examples, shares=shares, each=each, seed=seed)


def test_another_order_of_the_rows_makes_the_same_examples():
    some = EXAMPLES[:60]
    shuffled = list(some)
    random.Random(1).shuffle(shuffled)
    both = [
        {(one.item.item_id, one.start_kind, one.start, one.completion) for one in
         starts(rows, each=4).kept}
        for rows in (some, shuffled)
    ]  # fmt: skip
    assert both[0] == both[1]


@given(
    st.lists(st.sets(st.sampled_from(KINDS), min_size=1), min_size=1, max_size=30),
    st.lists(st.floats(0.05, 1), min_size=4, max_size=4),
    st.integers(1, 4),
)
def test_dealing_gives_every_example_different_kinds_that_it_can_have(possible, weights, each):
    shares = {kind: weight / sum(weights) for kind, weight in zip(KINDS, weights, strict=True)}
    able = {at: sorted(kinds) for at, kinds in enumerate(possible)}
    dealt = deal(able, shares, each, order=list(able))
    assert dealt.keys() == able.keys()
    for at, kinds in dealt.items():
        assert len(kinds) == len(set(kinds)) == min(each, len(able[at]))
        assert set(kinds) <= set(able[at])


@given(
    st.lists(st.integers(0, 60), min_size=4, max_size=4),
    st.lists(st.integers(0, 5), min_size=4, max_size=4).filter(any),
)
@settings(max_examples=40)
@example([0, 3, 0, 6], [0, 4, 1, 5])
def test_the_largest_numbers_within_shares_are_the_largest(counts, weights):
    have = dict(zip(KINDS, counts, strict=True))
    shares = {kind: weight / sum(weights) for kind, weight in zip(KINDS, weights, strict=True)}

    def fits(n: int) -> bool:
        """By whole numbers: each kind at its share of n, rounded down or up as far as it lasts."""
        ways = [
            (have[kind], weight * n, sum(weights))
            for kind, weight in zip(KINDS, weights, strict=True)
        ]
        if any(count < share // whole for count, share, whole in ways):
            return False
        return sum(min(count, -(-share // whole)) for count, share, whole in ways) >= n

    found = largest_within(have, shares)
    for kind in KINDS:
        assert found[kind] <= have[kind]
        assert abs(found[kind] - shares[kind] * sum(found.values())) < 1
    assert sum(found.values()) == max(n for n in range(sum(counts) + 1) if fits(n))


def test_an_item_that_its_world_does_not_draw_is_no_item_of_it():
    changed = [
        Item(**{**_fields(item), "question": item.question + " "}) for item in WORLD.items[:8]
    ]
    made = starts(read_examples([*changed, *WORLD.items[8:40]]))
    assert Counter(one.reason for one in made.dropped)["not the item that its world draws"] == 8


def _fields(item: Item) -> dict:
    return {name: getattr(item, name) for name in item.__dataclass_fields__}


def test_what_is_no_choice_and_has_no_steps_is_dropped_with_its_reason():
    others = [
        Item("x", "text", "What?", target=Text(("gout",))),
        Item("x", "none", "What?", ("a", "b")),
        REAL[0],
    ]
    made = starts(read_examples([*others, *WORLD.items[:40]]))
    reasons = {one.example.item.item_id: one.reason for one in made.dropped}
    assert reasons["text"] == reasons["none"] == "not a choice with one key"
    assert reasons["0"] == "no gold steps, and no model to go on"
    with pytest.raises(InputError, match="no starts in these shares"):
        starts(read_examples(others))


def test_real_items_with_gold_steps_have_starts_of_the_probes():
    items = [
        Item(**{**_fields(item), "meta": {"steps": ["The pressure is low", "The pain is sudden."]}})
        for item in REAL
    ]
    made = starts(read_examples(items))
    assert made.report["kinds"] == dict.fromkeys(KINDS, 10)
    for one in made.kept:
        form, cue = form_and_cue(one)
        assert form in ((None,) if one.start_kind == "absent" else ("bare", "short"))
        assert "The pressure is low. The pain is sudden." in one.completion
        assert read(one.completion, form_of(one.item)).value == letter(one.item)
        if one.start_kind == "wrong":
            assert read(one.start, options=one.item.options).value == cue != letter(one.item)
        if one.start_kind == "correct":
            assert cue == letter(one.item)


# By a model ------------------------------------------------------------------------------------


def key_of(request: Request) -> str:
    age = int(re.search(r"man of (\d+)", request.messages[-1].content)[1])  # type: ignore[index]
    return LETTERS[(age - 40) % 4]


def good(request: Request) -> str:
    """A teacher that knows: it turns where it was told that the start is wrong, and only there."""
    asked = request.messages[-1].content
    key = key_of(request)
    if "holds an error" in asked:
        return f"But this overlooks the low pressure. It points elsewhere.\nAnswer: {key}"
    if "beginning is sound" in asked:
        return f"The low pressure bears it out, and so does the pain.\nAnswer: {key}"
    return f"The pressure is low and the pain is sudden.\nAnswer: {key}"


def test_a_model_goes_on_where_there_are_no_gold_steps(tmp_path):
    with scripted(good, tmp_path) as caller:
        made = starts(read_examples(REAL), caller=caller, samples=2)
        assert made.report["kinds"] == dict.fromkeys(KINDS, 10)
    for one in made.kept:
        assert one.provenance[-1].model == "scripted"
        assert one.provenance[-1].prompt_hash
        assert one.completion.rstrip().endswith(f"Answer: {letter(one.item)}")
        assert ("overlooks" in one.completion) == (one.start_kind == "wrong")


def test_nobody_tells_the_model_the_key(tmp_path):
    backend = Scripted(good)
    with open_caller(backend, tmp_path / "calls.jsonl") as caller:
        made = starts(read_examples(REAL), caller=caller, samples=1, force=True,
                      shares={"irrelevant": 1, "absent": 1})  # fmt: skip
    assert made.report["kept"] == 40
    plain = {
        prompt.replace(REAL[0].question, "") for prompt in backend.prompts if "man of 40" in prompt
    }
    other = {
        prompt.replace(REAL[1].question, "") for prompt in backend.prompts if "man of 41" in prompt
    }
    # Two items differ in their key and in their question: with the latter gone, in marks at most.
    assert len(plain) == len(other) == 1
    assert all("infarction" in prompt for prompt in plain | other)


def test_what_a_model_writes_is_checked(tmp_path):
    replies = {
        "wrong": [
            "So I stay with it.\nAnswer: {wrong}",
            "It is plain to see at once.\nAnswer: {key}",
        ],
        "correct": ["Wait, that is wrong, let me see it again. It is right.\nAnswer: {key}"],
        "irrelevant": ["The beginning has nothing to do with it. Low pressure.\nAnswer: {key}"],
    }

    def say(request: Request) -> str:
        asked, key = request.messages[-1].content, key_of(request)
        kind = next((k for k, sign in (("wrong", "holds an error"), ("correct", "is sound"),
                                       ("irrelevant", "nothing to do")) if sign in asked), None)  # fmt: skip
        if kind is None or request.draw == 3:
            return good(request)
        said = replies[kind][request.draw % len(replies[kind])]
        return said.format(key=key, wrong="ABCD"[("ABCD".index(key) + 1) % 4])

    with scripted(say, tmp_path) as caller:
        made = starts(read_examples(REAL), caller=caller, samples=4)
    # Every draw but the last fails, each for its own reason.
    assert made.report["rejected_continuations"] == {
        "a correct start is distrusted": 30,
        "it speaks of the task": 30,
        "the error is not noticed": 10,
        "wrong answer": 20,
    }
    assert made.report["kinds"] == dict.fromkeys(KINDS, 10)

    with scripted(say, tmp_path) as caller:
        with pytest.raises(InputError, match="no continuation passes the checks"):
            starts(read_examples(REAL), caller=caller, samples=3)
        lenient = starts(read_examples(REAL), caller=caller, samples=3,
                         shares={"absent": 1}, force=True)  # fmt: skip
    assert lenient.report["kept"] == 40


def test_a_prefill_is_asked_for_only_where_it_is_continued(tmp_path):
    backend = Scripted(
        lambda r: good(r) if not r.prefix else f"But no. Low pressure.\nAnswer: {key_of(r)}"
    )
    with open_caller(backend, tmp_path / "calls.jsonl") as caller:
        made = starts(read_examples(REAL), caller=caller, by="prefill",
                      shares={"wrong": 1, "correct": 0.5, "absent": 1})  # fmt: skip
        sent = {request.prefix for request in backend.requests}
        assert {one.start for one in made.kept} - {""} <= sent
        assert all("beginning" not in prompt for prompt in backend.prompts)
        backend.capabilities = Capabilities()
        with pytest.raises(InputError, match="continue a prefill"):
            starts(read_examples(REAL), caller=caller, by="prefill")


def test_a_start_in_tags_is_inside_the_thinking():
    made = starts(EXAMPLES[:40], thinking="tags")
    for one in made.kept:
        whole = one.start + one.completion
        assert whole.count("<think>") == whole.count("</think>") == 1
        assert whole.startswith("<think>\n")
        assert "Answer" not in whole.split("</think>")[0]


def test_openings_are_bounded_by_their_table():
    assert isinstance(openings(REAL[0], TRAINING_FORMS, 0, WorldItems([]))["wrong"][0], Opening)  # type: ignore[index]
    strange = Item("world-99999999999", "1", "q", ("a", "b"), Choice(0), meta={"layout": 10**12})
    assert WorldItems([strange]).get(strange) is None
