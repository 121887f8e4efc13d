"""Duplicates, leaks, licences, language, length, strata and difficulty of training data."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from viva.benchmarks import CARDS
from viva.errors import InputError
from viva.records import Choice, Group, Item
from viva.synthesis.deduplication import REASONS, dedup
from viva.synthesis.difficulty import INPUTS, difficulty
from viva.synthesis.example import Example, Provenance, key_of
from viva.synthesis.filters import language, length
from viva.synthesis.leaks import leak_phrases, leaks_in, read_phrases
from viva.synthesis.licences import licence, named_licences
from viva.synthesis.reasoning_probability import definition_of, p_reasoning
from viva.synthesis.steps import STEPS

STEM = "A man of {} has had fever, a stiff neck and a rash on both legs since {}; which drug is given first?"
OPTIONS = ("ceftriaxone", "aspirin", "warfarin", "digoxin")


def example(name: str, question: str = STEM.format(30, "Monday"), key: int = 0, **more) -> Example:
    item = Item(more.pop("benchmark", "own"), name, question, OPTIONS, Choice(key))
    given_ = {k: more.pop(k) for k in ("group", "stratum", "stratum_definition", "p_reasoning", "meta",
                                       "context", "options", "target") if k in more}  # fmt: skip
    return Example(replace(item, **given_), source=more.pop("source", "file"), **more)


def kept(made) -> set:
    return {key_of(one) for one in made.kept}


def names(made) -> list[str]:
    return [one.item.item_id for one in made.kept]


# Duplicates ---------------------------------------------------------------------------------------


def test_of_copies_the_best_scored_stays_whatever_the_order():
    a, b = example("a", scores={"q": 0.1}), example("b", scores={"q": 0.9})
    for order in ([a, b], [b, a]):
        assert names(dedup(order)) == ["a"]
        assert names(dedup(order, score="q")) == ["b"]
    c = replace(b, source="better")
    assert names(dedup([a, c], sources=["better"])) == ["b"]
    made = dedup([a, b])
    assert made.dropped[0].example.provenance[-1].settings["kept"] == "own/a"
    assert made.report["clusters"] == [
        {"kept": "own/a", "n": 2, "dropped": [{"item": "own/b", "similarity": 1.0}]}
    ]


def test_near_copies_with_the_same_answer_go_and_others_stay():
    other = (
        "Which nerve is at risk in a fracture of the shaft of the humerus, and how is it tested?"
    )
    near = example("b", STEM.format(31, "Monday"))
    opposite = example("c", STEM.format(30, "Tuesday"), key=1)
    made = dedup([example("a"), near, opposite, example("d", other)])
    assert names(made) == ["a", "c", "d"]
    assert made.dropped[0].reason == REASONS[2]
    assert made.report["near_with_another_answer"] == 1
    assert names(dedup([example("a"), near], near=False)) == ["a", "b"]


def test_twins_of_a_group_and_several_completions_stay():
    twins = [
        example("a", group=Group("g")),
        example("b", STEM.format(31, "Monday"), group=Group("g", "twin", "altering")),
    ]
    assert names(dedup(twins)) == ["a", "b"]
    several = [example("a", completion=text, number=n) for n, text in enumerate(("x", "y", "x "))]
    made = dedup(several)
    assert [one.number for one in made.kept] == [0, 1]
    assert made.dropped[0].reason == REASONS[0]


def test_copies_with_contradicting_keys_go_and_are_counted():
    pair = [example("a"), example("b", key=2)]
    with pytest.raises(InputError, match="leaves none of 2"):
        dedup(pair)
    third = example("c", "Which vitamin is lacking in scurvy?")
    made = dedup([*pair, third])
    assert names(made) == ["c"]
    assert made.report["contradicting_keys"] == 2
    assert names(dedup([*pair, third], contradicting="keep")) == ["a", "c"]


@given(
    st.lists(
        st.tuples(st.integers(20, 23), st.sampled_from(("Monday", "noon", "a long walk in the rain")),
                  st.integers(0, 1)),
        min_size=1, max_size=7,
    ),
    st.randoms(use_true_random=False),
)  # fmt: skip
@settings(max_examples=8)
def test_dedup_loses_nothing_is_idempotent_and_ignores_order(rows, rng):
    examples = [example("z", "Which vitamin is lacking in scurvy?")]
    examples += [
        example(str(n), STEM.format(age, day), key) for n, (age, day, key) in enumerate(rows)
    ]
    made = dedup(examples)
    assert len(made.kept) + len(made.dropped) == len(examples)
    assert kept(made) | {key_of(d.example) for d in made.dropped} == set(map(key_of, examples))
    assert kept(dedup(rng.sample(examples, len(examples)))) == kept(made)
    assert kept(dedup(made.kept)) == kept(made)
    assert dedup(examples) == made


# Leaks --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phrase", read_phrases(), ids=lambda phrase: phrase.id)
def test_each_phrase_finds_its_leaks_and_no_phrase_the_innocent(phrase):
    assert phrase.leaks and phrase.innocent
    for text in phrase.leaks:
        assert phrase.id in [leak.phrase for leak in leaks_in(f"First this. {text} Then that.")]
    for text in phrase.innocent:
        assert leaks_in(text) == []


def test_leaking_completions_go_with_the_phrase_in_the_report():
    rows = [
        example("a", completion="The answer given in the prompt is A."),
        example("b", completion="Fever and a stiff neck: meningitis. The answer is A."),
        example("c"),
        example("d", completion="Fine.", rejected="As the key says, B.", start="As the key says,"),
    ]
    made = leak_phrases(rows)
    assert names(made) == ["b", "c", "d"]
    assert made.report["phrases"] == {"answer-as-given": 1}
    assert made.report["without_completion"] == 1
    assert names(leak_phrases(rows, kinds=["graph"])) == ["a", "b", "c", "d"]
    assert names(leak_phrases(rows, phrases=["STIFF   neck"])) == ["c", "d"]


def test_thinking_that_begins_with_its_answer_goes_where_asked():
    reasons = "Fever, a stiff neck and a rash point to meningococci, which ceftriaxone kills. " * 4
    early = example("a", completion=f"<think>The answer is A. {reasons}</think>\nAnswer: A")
    late = example("b", completion=f"<think>{reasons} So the answer is A.</think>\nAnswer: A")
    assert names(leak_phrases([early, late], early_words=15)) == ["b"]
    assert names(leak_phrases([early, late])) == ["a", "b"]


def test_leaks_are_found_in_linear_time():
    import time

    begin = time.process_time()
    leaks_in("the given " * 40_000 + "correct answer")
    leaks_in("a" * 200_000)
    assert time.process_time() - begin < 5


# Licences -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "stays"),
    [
        ("MIT", True), ("apache-2.0", True), ("CC BY 4.0", True), ("CC0 1.0 Universal", True),
        ("MIT (jind11/MedQA); the carrying repository states none", True),
        ("CC BY 4.0 (data), MIT (code)", True), ("CC BY-NC 4.0", False), ("CC-BY-SA-4.0", False),
        ("MIT (code); cases adapted from journals", False), ("Apache-2.0 (code)", False),
        ("MIT, with a canary: do not republish", False), ("GPL-3.0", False), ("transmit", False),
        ("CC0 (original content; integrated sources have own terms)", False),
        ("none stated in the carrying repository (published upstream under Apache-2.0)", False),
        ("PhysioNet Credentialed Health Data License", False), ("other", False), ("", False),
        (None, False), ("MIT, CC BY-NC 4.0", False), ("llama2", False),
    ],
)  # fmt: skip
def test_what_may_be_used_stays(text, stays):
    rows = [example("a", licence=text), example("b", licence="MIT")]
    assert names(licence(rows)) == (["a", "b"] if stays else ["b"])


def test_an_unknown_licence_is_never_kept_silently():
    rows = [example("a"), example("b", licence="MIT")]
    made = licence(rows)
    assert [d.reason for d in made.dropped] == ["licence unknown"]
    assert made.report["licences"] == {"MIT": 1, "unknown": 1}
    loose = licence(rows, unknown="keep")
    assert loose.report["kept_unknown"] == 1
    assert loose.kept[0].provenance[-1].settings["licence"] == "unknown, kept"
    with pytest.raises(InputError, match="licence unknown") as refused:
        licence(rows[:1])
    assert "unknown = 'keep'" in refused.value.mend


def test_versions_and_texts_are_allowed_by_name():
    rows = [example("a", licence="CC BY-SA 4.0"), example("b", licence="CC BY-SA 3.0"),
            example("c", licence="Our own terms of 2020")]  # fmt: skip
    assert names(licence(rows, allowed=["CC-BY-SA"])) == ["a", "b"]
    assert names(licence(rows, allowed=["CC-BY-SA-4.0"])) == ["a"]
    assert names(licence(rows, allowed=["our own terms of 2020"])) == ["c"]
    with pytest.raises(InputError, match="'WTFPL9'"):
        licence(rows, allowed=["WTFPL9"])


@pytest.mark.parametrize("text", sorted({card.licence for card in CARDS.values()}))
def test_no_card_that_restricts_passes_as_permissive(text):
    found, terms = named_licences(text)
    restricts = any(word in text.lower() for word in ("agreement", "request", "own terms", "canary",
                                                      "adapted", "credentialed"))  # fmt: skip
    assert not (restricts and found and not terms)


# Language and length ------------------------------------------------------------------------------


def test_scripts_and_english_are_told():
    rows = [
        example("en", "Which of the following drugs is given to the patient with fever?"),
        example(
            "es",
            "¿Cuál de los siguientes fármacos se administra al paciente con fiebre en la sala?",
        ),
        example("zh", "患者发热伴颈强直，应首先使用下列哪种药物？", options=()),
        example(
            "mixed", "Which drug is given for the fever?", completion="首先应该使用头孢曲松治疗。"
        ),
    ]
    rows = [replace(one, item=replace(one.item, target=None)) for one in rows]
    assert names(language(rows)) == ["en", "es"]
    assert names(language(rows, english=True)) == ["en"]
    assert names(language(rows, scripts=["han"], parts=["question"])) == ["zh"]
    assert language(rows).report["scripts"] == {"han": 2, "latin": 3}
    with pytest.raises(InputError, match="latn"):
        language(rows, scripts=["latn"])


def test_lengths_are_measured_and_banded():
    rows = [example(str(n), completion="word " * n) for n in (0, 1, 5, 9)]
    made = length(rows, minimum=2, maximum=8)
    assert names(made) == ["5"]
    assert [d.reason for d in made.dropped] == ["nothing to measure", "too short", "too long"]
    assert made.kept[0].scores["completion_words"] == 5
    thinking = example("t", completion="<think>one two three</think>\nAnswer: A")
    assert length([thinking], part="thinking", maximum=3).kept[0].scores["thinking_words"] == 3
    with pytest.raises(InputError, match="tokenizer"):
        length(rows, unit="tokens")
    with pytest.raises(InputError, match="leaves none") as refused:
        length(rows, minimum=100)
    assert "between 1 and 9 words" in refused.value.mend


# Strata -------------------------------------------------------------------------------------------


def test_the_splitter_scores_and_a_band_is_kept():
    case = (
        "A 45-year-old man has had crushing chest pain for two hours. His blood pressure is 90/60 mmHg, "
        "the neck veins are distended and the lungs are clear; leads II, III and aVF show ST elevation. "
        "Which of the following is the most appropriate next step in management?"
    )
    rows = [example("case", case), example("fact", "Which vitamin is lacking in scurvy?")]
    made = p_reasoning(rows)
    high, low = (one.scores["p_reasoning"] for one in made.kept)
    assert 0 <= low < 0.5 < high <= 1
    assert definition_of(made.kept[0]) == "rubric"
    assert names(p_reasoning(rows, minimum=0.5)) == ["case"]
    assert names(p_reasoning(rows, maximum=0.5)) == ["fact"]
    assert definition_of(p_reasoning(rows, definition="medxpertqa").kept[0]) == "medxpertqa"
    foreign = example(
        "es", "¿Cuál de los siguientes es el fármaco que se le da al paciente en la sala?"
    )
    outside = p_reasoning([*rows, foreign], minimum=0.0, maximum=0.99)
    assert {d.example.item.item_id: d.reason for d in outside.dropped}["es"].startswith("outside")
    assert len(p_reasoning([*rows, foreign]).kept) == 3
    assert outside.report["outside"] == pytest.approx(1 / 3, abs=1e-3)


def test_given_strata_follow_one_definition():
    rows = [
        example("a", stratum="reasoning", stratum_definition="x"),
        example("b", stratum="knowledge", stratum_definition="x"),
        example("c", stratum="reasoning", stratum_definition="y", p_reasoning=0.8),
        example("d"),
    ]
    with pytest.raises(InputError, match="several definitions"):
        p_reasoning(rows, definition="given")
    made = p_reasoning(rows, definition="given", given_definition="x")
    assert [one.scores["p_reasoning"] for one in made.kept] == [1.0, 0.0]
    assert [d.reason for d in made.dropped] == ["no given stratum"] * 2
    assert names(p_reasoning(rows, definition="given", given_definition="y")) == ["c"]
    with pytest.raises(InputError, match="no item has"):
        p_reasoning(rows[3:], definition="given")
    stale = replace(rows[2], scores={"p_reasoning": 0.3})
    again = p_reasoning([rows[0], stale], definition="given", given_definition="x")
    assert "p_reasoning" not in again.dropped[0].example.scores


@pytest.mark.shared
def test_labelled_stems_are_cross_fitted(shared):
    import json

    lines = (shared / "rk_labels/rk_single.jsonl").read_text("utf-8").splitlines()[:20]
    rows = [json.loads(line) for line in lines]
    stem = next(key for key in ("question", "stem", "text") if key in rows[0])
    examples = [example(str(n), row[stem]) for n, row in enumerate(rows)]
    assert p_reasoning(examples).report["cross_fitted"] >= 0.9


# Difficulty ---------------------------------------------------------------------------------------

VALUES = st.fixed_dictionaries(
    {},
    optional={
        "pass_rate": st.floats(0, 1),
        "hops": st.integers(1, 5),
        "p_reasoning": st.floats(0, 1),
    },
)


def made_of(n: int, scores: dict) -> Example:
    return example(str(n), "word " * (n % 4 + 1), scores={k: float(v) for k, v in scores.items()})


@given(
    st.lists(VALUES, min_size=1, max_size=8),
    st.sampled_from(("pass_rate", "hops", "p_reasoning")),
    st.floats(0, 5),
)
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
def test_difficulty_grows_with_each_input(rows, name, more):
    weights = dict.fromkeys(INPUTS, 1.0)
    examples = [made_of(n, scores) for n, scores in enumerate(rows)]
    before = [one.scores["difficulty"] for one in difficulty(examples, weights=weights).kept]
    assert all(0 <= value <= 1 for value in before)
    if name in rows[0]:
        harder = {**rows[0], name: rows[0][name] + INPUTS[name][0] * more}
        raised = difficulty([made_of(0, harder), *examples[1:]], weights=weights).kept[0]
        assert raised.scores["difficulty"] >= before[0] - 1e-12
    backwards = difficulty(examples[::-1], weights=weights).kept[::-1]
    assert [one.scores["difficulty"] for one in backwards] == pytest.approx(before)
    assert (
        difficulty(difficulty(examples).kept).kept[0].scores == difficulty(examples).kept[0].scores
    )


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 5)), min_size=2, max_size=9))
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
def test_what_is_harder_in_everything_is_at_least_as_difficult(rows):
    examples = [
        example(str(n), scores={"pass_rate": p, "hops": float(h)}) for n, (p, h) in enumerate(rows)
    ]
    values = [one.scores["difficulty"] for one in difficulty(examples).kept]
    for (p, h), d in zip(rows, values, strict=True):
        for (q, i), e in zip(rows, values, strict=True):
            if p <= q and h >= i:
                assert d >= e - 1e-12


def test_the_fields_of_a_curriculum():
    vignette = example(
        "v", "Sodium 118, potassium 3.1 and urea 2 after a marathon in the heat", meta={"hops": 3}
    )
    trivia = example("t", "What is it that is the one of the", meta={"hops": "three"})
    open_ended = example("o", "Why?", target=None, options=())
    first, second, third = difficulty([vignette, trivia, open_ended]).kept
    assert first.scores["hops"] == 3 and "hops" not in second.scores
    assert first.scores["informativeness"] > second.scores["informativeness"]
    assert first.scores["options"] == 4 and "options" not in third.scores
    assert first.scores["difficulty"] > second.scores["difficulty"]
    assert all(math.isfinite(v) for one in (first, second, third) for v in one.scores.values())
    assert difficulty([vignette, trivia]).report["inputs"]["hops"] == 1
    with pytest.raises(InputError, match="hop"):
        difficulty([vignette], weights={"hop": 1.0})


# All of them --------------------------------------------------------------------------------------

OWN = ("dedup", "leak_phrases", "licence", "language", "length", "p_reasoning", "difficulty")


@pytest.mark.parametrize("name", OWN)
def test_every_filter_accounts_for_every_example_and_says_what_it_did(name):
    rows = [example(str(n), STEM.format(20 + n, "Monday"), completion=f"It is {n}. So A.",
                    licence="MIT" if n % 2 else None, source=f"s{n % 2}") for n in range(6)]  # fmt: skip
    rows = [replace(one, provenance=(Provenance("read"),)) for one in rows]
    made = STEPS[name].load()(rows)
    after = [*made.kept, *(dropped.example for dropped in made.dropped)]
    assert sorted(map(key_of, after)) == sorted(map(key_of, rows))
    assert all([p.step for p in one.provenance] == ["read", name] for one in after)
    assert sum(told["in"] for told in made.report["sources"].values()) == len(rows)
    assert made.report["kept"] == len(made.kept)
    assert [key_of(one) for one in made.kept] == [
        key_of(one) for one in rows if key_of(one) in kept(made)
    ]
    with pytest.raises(InputError, match="no examples"):
        STEPS[name].load()([])
