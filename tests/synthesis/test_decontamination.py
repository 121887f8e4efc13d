"""Evaluation items are found in training data, whatever part of it and whatever was done to them."""

from __future__ import annotations

import importlib
import random
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from viva.errors import InputError
from viva.records import Choice, Group, Item, Media
from viva.synthesis.decontamination import REASONS, decontaminate
from viva.synthesis.example import Example, key_of
from viva.synthesis.examples import read_examples, write_examples

SYLLABLES = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "ar", "en", "il")]


@pytest.fixture(autouse=True)
def small_reference(request, monkeypatch):
    """Fewer questions of the field beside the made ones: indexing all takes most of the time."""
    if request.node.get_closest_marker("shared"):
        return
    from viva import benchmarks

    whole = benchmarks.bundled()
    monkeypatch.setattr(benchmarks, "bundled", lambda: whole._replace(items=whole.items.head(20)))


def words(n: int, many: int) -> str:
    """Words that only this number has."""
    rng = random.Random(n)
    return " ".join("".join(rng.choices(SYLLABLES, k=3)) for _ in range(many))


def question(n: int) -> str:
    return f"A patient from {words(n, 24)} asks which enzyme is lacking. What is the answer?"


def item(n: int, benchmark: str = "exam", **more) -> Item:
    options = tuple(f"enzyme {word} {n}" for word in ("alpha", "beta", "gamma", "delta"))
    return replace(Item(benchmark, str(n), question(n), options, Choice(n % 4)), **more)


EVALUATION = [item(n) for n in range(40)]
OWN = [Example(item(n, "own"), source=f"file-{n % 2}") for n in range(100, 130)]


def kept(made) -> set:
    return {key_of(example) for example in made.kept}


def counts(made, source: str) -> dict:
    return made.report["sources"][source]


def test_what_holds_no_evaluation_item_stays_and_is_counted_by_source():
    made = decontaminate(OWN, against=EVALUATION)
    assert kept(made) == {key_of(example) for example in OWN}
    assert made.dropped == []
    assert counts(made, "file-0") == {
        "in": 15, "kept": 15, "dropped": {}, "exact": 0, "ngram": 0, "fuzzy": 0, "group": 0, "sets": {},
    }  # fmt: skip
    assert all(n["found"] == n["n"] > 0 for n in made.report["planted"].values())


def shuffled(one: Item) -> Item:
    return replace(one, options=one.options[::-1], target=Choice(3 - one.target.index))


def edited(one: Item) -> Item:
    words = one.question.split()
    words[4], words[20] = "noticed", ""
    return replace(one, question=" ".join(words))


COPIES = {
    "exact": lambda one: Example(one),
    "upper case and spacing": lambda one: Example(
        replace(one, question="  " + one.question.upper().replace(" ", "  "))
    ),
    "options shuffled": lambda one: Example(shuffled(one)),
    "edited": lambda one: Example(edited(one)),
    "in the context": lambda one: Example(item(500, context=f"Case notes.\n{one.question}\nEnd.")),
    "in the completion": lambda one: Example(
        item(501), completion=f"Consider a similar case first. {one.question} It lacks beta."
    ),
    "in the rejected side": lambda one: Example(item(502), rejected=f"Well. {one.question} Beta."),
    "in the start": lambda one: Example(item(503), start=f"{one.question} It is", completion="A"),
    "cut short": lambda one: Example(
        replace(one, question=" ".join(one.question.split()[:24]), options=())
    ),
}


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_goes_with_the_evaluation_item_in_its_provenance(copy):
    made_of = COPIES[copy](item(7))
    leaked = replace(
        made_of, item=replace(made_of.item, benchmark="own", item_id="leak"), source="leaky"
    )
    made = decontaminate([*OWN, leaked], against=EVALUATION)
    assert kept(made) == {key_of(example) for example in OWN}
    (dropped,) = made.dropped
    assert dropped.reason in REASONS.values()
    last = dropped.example.provenance[-1]
    assert last.step == "decontaminate"
    assert last.settings["found"] == "exam/7"
    assert counts(made, "leaky")["sets"] == {"exam": 1}
    kinds = ("exact", "ngram", "fuzzy", "group")
    assert sum(counts(made, "leaky")[kind] for kind in kinds) == 1
    assert made.report["overlaps"][0]["evaluation"] == "exam/7"
    assert made.report["evaluation"]["exam"]["found"] == 1


def test_the_set_that_was_hit_is_named_for_each_source():
    other = [item(n, "second") for n in range(60, 70)]
    leaks = [
        Example(item(3, "own", item_id="x"), source="a"),
        Example(item(61, "own", item_id="y"), source="a"),
        Example(item(62, "own", item_id="z"), source="b"),
    ]
    made = decontaminate([*OWN, *leaks], against=[EVALUATION, other])
    assert counts(made, "a")["sets"] == {"exam": 1, "second": 1}
    assert counts(made, "b")["sets"] == {"second": 1}
    assert counts(made, "a")["exact"] == 2
    assert made.report["evaluation"]["second"] == {"items": 10, "found": 2, "whole_only": 0}


def test_a_whole_group_goes_with_one_of_it():
    twins = [
        Example(item(5, "own", item_id="t", group=Group("g"))),
        Example(item(205, "own", item_id="t-twin", group=Group("g", "twin", "altering"))),
        Example(item(206, "own", item_id="u", group=Group("h"))),
    ]
    made = decontaminate([*OWN, *twins], against=EVALUATION)
    gone = {d.example.item.item_id: d.reason for d in made.dropped}
    assert gone == {"t": REASONS["exact"], "t-twin": REASONS["group"]}
    assert made.report["by_group"] == 1
    assert ("own", "u", 0) in kept(made)


def test_the_twin_of_an_evaluation_item_goes():
    evaluation = [*EVALUATION, item(41, group=Group("pair"))]
    twin = Example(item(241, "own", group=Group("pair", "twin", "altering")))
    made = decontaminate([*OWN, twin], against=evaluation)
    assert [d.reason for d in made.dropped] == [REASONS["group"]]


def test_all_examples_of_an_item_go_with_one():
    leak = f"It reminds me of this: {question(9)}"
    several = [
        Example(item(300, "own"), completion=text, number=number)
        for number, text in enumerate(["It is beta.", leak, "Alpha, surely."])
    ]
    made = decontaminate([*OWN, *several], against=EVALUATION)
    assert len(made.dropped) == 3


def test_a_short_item_is_found_as_a_whole():
    short = [Item("short", "1", "Cause?", ("mould", "dust"), Choice(0)), Item("short", "2", "Why?")]
    train = [
        Example(Item("own", "a", "Cause?", ("dust", "mould"), Choice(1))),
        Example(Item("own", "b", "why? ")),
        Example(Item("own", "c", "Cause?", ("dust", "pollen"), Choice(1))),
    ]
    made = decontaminate(train, against=short)
    assert kept(made) == {("own", "c", 0)}
    assert made.report["evaluation"]["short"]["whole_only"] == 2


def note(n: int) -> str:
    return (
        f"The patient came on foot from {words(1000 + n, 40)} and was given saline over the night."
    )


def test_one_question_asked_of_many_contexts_names_none_of_them():
    asked = "What is the patient's creatinine clearance by the formula of Cockcroft and Gault in ml/min?"
    evaluation = [Item("calc", str(n), asked, context=note(n)) for n in range(10)]
    fresh = Example(Item("own", "fresh", asked, context=note(77)))
    same = Example(Item("own", "same", asked, context=note(4)))
    other = Example(
        Item("own", "other", "How old is he, in years, at the time of the note?", context=note(5))
    )
    made = decontaminate([fresh, same, other], against=evaluation)
    assert kept(made) == {("own", "fresh", 0)}
    found = [d.example.provenance[-1].settings for d in made.dropped]
    assert [(f["found"], f["view"]) for f in found] == [
        ("calc/4", "context"),
        ("calc/5", "context"),
    ]
    loose = decontaminate([fresh, same, other], against=evaluation, contexts=False)
    assert kept(loose) == {("own", "fresh", 0), ("own", "other", 0)}


def test_a_context_of_very_many_items_is_a_book():
    book = note(1)
    evaluation = [item(n, context=book) for n in range(60)]
    train = [Example(item(n, "own", context=book)) for n in range(100, 105)]
    made = decontaminate(train, against=evaluation)
    assert len(made.kept) == 5
    assert made.report["shared_contexts"] == 1


def test_the_same_words_about_another_image_are_another_item():
    asked = "What does the film show?"
    pictures = [Media("image", f"{n}.png") for n in range(4)]
    evaluation = [Item("film", str(n), asked, media=(pictures[n],)) for n in range(3)]
    train = [
        Example(Item("own", "new", asked, media=(pictures[3],))),
        Example(Item("own", "old", asked, media=(pictures[1],))),
    ]
    assert kept(decontaminate(train, against=evaluation)) == {("own", "new", 0)}


# What it takes ------------------------------------------------------------------------------------


def test_evaluation_sets_are_files_names_and_lists(tmp_path):
    file = tmp_path / "exam.jsonl"
    write_examples(file, [Example(one) for one in EVALUATION])
    leak = Example(item(7, "own", item_id="leak"))
    for against in (file, str(file), [file], [str(file), [item(90)]], EVALUATION,
                    [Example(one) for one in EVALUATION]):  # fmt: skip
        assert len(decontaminate([*OWN, leak], against=against).dropped) == 1


@pytest.mark.parametrize("against", [(), [], None, 3, [[]]])
def test_no_evaluation_items_are_refused(against):
    with pytest.raises(InputError) as refused:
        decontaminate(OWN, against=against)
    assert refused.value.mend


def test_an_unknown_file_is_refused_not_read_by_letter():
    with pytest.raises(InputError, match="nosuchfile"):
        decontaminate(OWN, against="nosuchfile.jsonl")


def test_nothing_left_is_refused_with_the_mend():
    with pytest.raises(InputError, match="leaves none of 40") as refused:
        decontaminate([Example(one) for one in EVALUATION], against=EVALUATION)
    assert "contexts = false" in refused.value.mend
    with pytest.raises(InputError, match="no examples"):
        decontaminate([], against=EVALUATION)
    with pytest.raises(InputError, match="planted"):
        decontaminate(OWN, against=EVALUATION, planted=0)


# It tests itself ----------------------------------------------------------------------------------


def test_a_search_that_finds_nothing_is_refused(monkeypatch):
    room = importlib.import_module("viva.analysis.contamination")
    search = room.contamination

    def blind(items, texts, **settings):
        return search(items, [("none", 0, "no text")], **settings)

    monkeypatch.setattr(room, "contamination", blind)
    with pytest.raises(
        InputError, match=r"missed \d+ of \d+ copies that it planted itself"
    ) as refused:
        decontaminate(OWN, against=EVALUATION)
    assert "exam/" in str(refused.value)


@pytest.mark.parametrize("field", ["context", "completion", "rejected"])
def test_a_part_that_is_not_looked_through_is_noticed(monkeypatch, field):
    from viva.synthesis import decontamination

    whole = decontamination._texts
    monkeypatch.setattr(
        decontamination, "_texts", lambda e: (part for part in whole(e) if part[0] != field)
    )
    with pytest.raises(InputError, match=f"in the {field}"):
        decontaminate(OWN, against=EVALUATION)


def test_copies_are_planted_of_every_set():
    second = [item(n, "second") for n in range(60, 70)]
    made = decontaminate(OWN, against=[EVALUATION, second], planted=3)
    assert made.report["planted"]["exact, question"] == {"found": 6, "n": 6}
    for kind in ("edited", "embedded", "options shuffled"):
        assert (
            sum(n["n"] for name, n in made.report["planted"].items() if name.startswith(kind)) >= 6
        )


# What holds for all data --------------------------------------------------------------------------

NUMBERS = st.lists(st.integers(0, 60), min_size=1, max_size=12, unique=True)


@given(numbers=NUMBERS, shuffle=st.randoms(use_true_random=False), seed=st.integers(0, 9))
@settings(max_examples=5, suppress_health_check=list(HealthCheck))
def test_nothing_is_lost_order_does_not_matter_and_twice_is_once(numbers, shuffle, seed):
    examples = [Example(item(n, "own"), source=str(n % 3)) for n in (*numbers, 99)]
    made = decontaminate(examples, against=EVALUATION, planted=2)
    assert kept(made) | {key_of(d.example) for d in made.dropped} == set(map(key_of, examples))
    assert len(made.kept) + len(made.dropped) == len(examples)
    assert kept(made) == {key_of(e) for e in examples if int(e.item.item_id) >= 40}
    mixed = shuffle.sample(examples, len(examples))
    assert kept(decontaminate(mixed, against=EVALUATION, planted=2, seed=seed)) == kept(made)
    again = decontaminate(made.kept, against=EVALUATION, planted=2)
    assert kept(again) == kept(made)
    assert decontaminate(examples, against=EVALUATION, planted=2) == made


# Real data ----------------------------------------------------------------------------------------


@pytest.mark.shared
def test_a_published_training_file_holds_close_copies_of_its_test(shared):
    train = read_examples(shared / "medqa/medqa_us_train_subset802.jsonl")
    made = decontaminate(train, against="medqa")
    gone = {
        (d.example.item.item_id, d.example.provenance[-1].settings["found"]) for d in made.dropped
    }
    # Read: one vignette with a few words changed, each.
    assert {("589", "medqa/552"), ("51", "medqa/1229"), ("467", "medqa/891")} <= gone
    assert len(gone) <= 12
    assert made.report["sources"]["medqa_us_train_subset802.jsonl"]["sets"] == {"medqa": len(gone)}


@pytest.mark.shared
def test_the_test_set_itself_is_found_in_other_clothes(shared):
    five = read_examples(shared / "medqa/medqa_us_5opt_test.jsonl")[:200]
    dev = read_examples(shared / "medqa/medqa_us_4opt_dev.jsonl")[:50]
    made = decontaminate([*five, *dev], against="medqa")
    assert (
        len([d for d in made.dropped if d.example.item.benchmark == five[0].item.benchmark]) == 200
    )
    assert len(made.kept) >= 48
