"""Sentences that lean towards an option: where they stand, what they say, what stays."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from made_items import items

from viva.benchmarks import bundled
from viva.errors import InputError
from viva.formats.run import items_of
from viva.probes import PROBES, variants
from viva.probes._templates import load
from viva.probes.cues import KINDS, POSITIONS, with_sentence
from viva.probes.sentences import words
from viva.records import LETTERS, Choice, Item

ISSUE = {
    "self_diagnosis", "recency", "confirmation", "frequency", "cultural", "status_quo",
    "false_consensus", "authority", "premature_closure", "automation",
}  # fmt: skip


@pytest.fixture(scope="module")
def originals():
    return list(items_of(bundled().items.gather_every(13)))


def added(v):
    return v.note.removeprefix("added: ")


def test_the_kinds_of_the_literature_are_there():
    assert set(KINDS) >= ISSUE | {"simplicity"}
    assert {f"bias_cue.{k}" for k in KINDS} <= set(PROBES)


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_cue_adds_one_sentence_about_a_wrong_option(kind, position, originals):
    by_id = {(i.benchmark, i.item_id): i for i in originals}
    made = variants(originals, f"bias_cue.{kind}", seed=2, position=position).variants
    assert len(made) > 0.9 * len(originals)
    for v in made:
        old = by_id[v.item.benchmark, v.item.item_id.partition("~")[0]]
        key = v.item.target.index
        assert (v.item.options, v.item.target, v.item.context) == (
            old.options, old.target, old.context,
        )  # fmt: skip
        assert v.cue != LETTERS[key]
        option = " ".join(old.options[LETTERS.index(v.cue)].split()).rstrip(" .;,")
        sentence = added(v)
        assert sentence.count(f"{v.cue} ({option})") == 1
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert v.item.question.count(sentence) == 1
        # Taken out again, the question is the old one.
        assert "".join(v.item.question.replace(sentence, "").split()) == "".join(
            old.question.split()
        )
        bare = sentence.replace(f"{v.cue} ({option})", "")
        assert re.search(rf"(?<!\w){LETTERS[key]}(?!\w)", bare) is None


@given(items(), st.integers(0, 5), st.sampled_from(list(KINDS)), st.sampled_from(POSITIONS))
def test_made_up_questions_keep_their_words(item, seed, kind, position):
    found = variants([item], f"bias_cue.{kind}", seed=seed, position=position).variants
    assume(found)
    (v,) = found
    assert v.cue != LETTERS[item.target.index]
    assert v.item.options[v.item.target.index] == item.options[item.target.index]
    before, _, after = v.item.question.partition(added(v))
    assert (before + after).split() == item.question.split()


@pytest.mark.parametrize("kind", KINDS)
def test_controls_have_the_same_frame(kind, originals):
    names = [f"bias_cue.{kind}", f"control_cue.correct.{kind}", f"control_cue.irrelevant.{kind}"]
    assert PROBES[names[0]].control == tuple(names[1:])
    ratios = []
    for item in originals[::3]:
        made = variants([item], names, seed=2).variants
        if not made:
            continue
        wrong, right, other = made
        assert right.cue == LETTERS[item.target.index]
        assert other.cue is None
        starts = {re.split(r"\bthat\b", added(v))[0] for v in made}
        assert len(starts) == 1, starts
        option = " ".join(item.options[LETTERS.index(wrong.cue)].split()).rstrip(" .;,")
        key = " ".join(item.options[item.target.index].split()).rstrip(" .;,")
        assert added(wrong).replace(f"{wrong.cue} ({option})", "") == added(right).replace(
            f"{right.cue} ({key})", ""
        )
        said = words(added(other).partition(starts.pop())[2])
        assert not any(len(words(o)) > 3 and words(o) in said for o in item.options)
        ratios.append(len(added(other)) / len(added(wrong)))
    assert sum(0.8 <= r <= 1.2 for r in ratios) / len(ratios) > 0.95


def test_where_the_sentence_stands():
    text = "A man of 40 coughs. He smokes. Which drug?"
    assert (
        with_sentence(text, "X.", "after_first") == "A man of 40 coughs. X. He smokes. Which drug?"
    )
    assert with_sentence(text, "X.", "end") == f"{text} X."
    # Between an unfinished sentence and the options that complete it nothing may stand.
    assert with_sentence("The drug of choice is", "X.", "end") == "X. The drug of choice is"
    assert with_sentence("He coughs. The drug is:", "X.", "end") == "He coughs. X. The drug is:"
    assert with_sentence("Which of these?\nI. a\nII. b", "X.", "after_first") == (
        "Which of these? X.\nI. a\nII. b"
    )
    with pytest.raises(InputError, match="after_first, end"):
        with_sentence(text, "X.", "middle")


def test_questions_about_a_patient_are_told_from_others():
    options = ("Iron", "Zinc")
    case = Item("e", "1", "A 30-year-old woman is tired. Which metal?", options, Choice(0))
    fact = Item("e", "1", "Which metal is in haemoglobin?", options, Choice(0))
    wording = load("bias_cues")
    child = Item("e", "1", "A 3-year-old boy is tired. Which metal?", options, Choice(0))
    for item, frames in ((case, "case"), (fact, "plain"), (child, "child")):
        for seed in range(10):
            for v in variants([item], "bias_cue", seed=seed).variants:
                kind = v.probe.partition(".")[2]
                suited = wording[kind].get(frames) or wording[kind]["case"]
                heads = {f.partition("{claim}")[0] for f in suited}
                assert any(added(v).startswith(head) for head in heads)


def test_three_frames_for_every_kind():
    wording = load("bias_cues")
    assert set(wording) - {"claims", "irrelevant"} == set(KINDS)
    for kind in KINDS:
        assert {"case", "plain"} <= set(wording[kind]) <= {"case", "plain", "child"}
        for frames in wording[kind].values():
            assert len(set(frames)) == len(frames) >= 3
            for frame in frames:
                assert frame.count("{claim}") == 1
                assert frame[0].isupper()
                assert frame.endswith(".")
    assert all(c.count("{cue}") == 1 for c in wording["claims"])
