"""Pairs of clean and misled answers: what is a pair, and what becomes of rows that are none."""

from __future__ import annotations

import gzip
import json

import pytest

import viva
from viva._audit import probing
from viva._audit.pairing import pair_inputs
from viva._audit.probing import ordered_kinds
from viva.errors import InputError
from viva.probes.starts import STRENGTHS

OPTIONS = ["aspirin", "heparin", "insulin", "morphine"]


def questions(n=8, **more):
    """The key of item i is letter i modulo 4."""
    return [
        {"benchmark": "made", "item_id": f"q{i}", "question": f"Which drug is number {i}?",
         "options": OPTIONS, "answer": i % 4, "stratum": "reasoning" if i % 2 else "knowledge"}
        | more
        for i in range(n)
    ]  # fmt: skip


def answers(letters, model="m", **more):
    """One answer per item, ``letters[i]`` to item i; None is no response, "" one without text."""
    return [
        {"benchmark": "made", "item_id": f"q{i}", "model": model,
         "response": f"The answer is {letter}." if letter else letter}
        | more
        for i, letter in enumerate(letters)
    ]  # fmt: skip


CLEAN = answers("ABCDABCD")  # all right
CUES = "BCDABCDA"


def misled(letters, probe="push", cues=CUES, **more):
    rows = answers(letters, probe=probe, **more)
    return [row | {"cue": cue} for row, cue in zip(rows, cues, strict=True)]


def states(clean, probed, items=None):
    found = pair_inputs(clean, probed, items=items or questions())
    return dict(found.rows["state"].value_counts().iter_rows()), found


def analysed(clean, probed, items=None, **more):
    more = {"resamples": 100} | more
    return viva.analyse_probes(clean, probed, items=items or questions(), **more).summary


def only(summary, probe="push", model="m"):
    return summary["models"][model]["probes"][probe]


def test_pairs_and_their_numbers():
    # Right on 0-3, on the cue on 4-6, elsewhere on 7.
    found = only(analysed(CLEAN, misled("ABCDBCDB")))
    assert found["n"] == 8
    assert found["lost"]["estimate"] == 0.5
    assert found["followed_cue"]["estimate"] == 3 / 8
    assert found["moved_elsewhere"]["estimate"] == 1 / 8
    assert found["net"]["estimate"] == -50
    assert set(found["strata"]) == {"knowledge", "reasoning"}
    assert found["strata"]["knowledge"]["n"] == 4


@pytest.mark.parametrize("form", ["two", "one file", "same rows", "all in misled"])
def test_rows_may_stand_in_either_source(form, tmp_path):
    probed = misled("ABCDBCDB")
    both = CLEAN + probed
    path = tmp_path / "all.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in both))
    clean, other = {
        "two": (CLEAN, probed), "one file": (path, str(path)), "same rows": (both, list(both)),
        "all in misled": (CLEAN, both),
    }[form]  # fmt: skip
    found = only(analysed(clean, other))
    assert (found["n"], found["lost"]["n"], found["lost"]["estimate"]) == (8, 8, 0.5)
    assert found["pairing"]["rows"] == found["pairing"]["pairs"] == 8


def test_control_rows_may_stand_with_the_clean_ones():
    summary = analysed(CLEAN + answers("ABCDABCB", probe="control_start.empty"), misled("ABCDBCDB"))
    assert only(summary, "control_start.empty")["is_control"]
    assert only(summary, "control_start.empty")["control"] == {}
    found = only(summary)
    assert not found["is_control"]
    against = found["control"]["control_start.empty"]
    assert against["net"]["estimate"] == pytest.approx(-50 + 12.5)
    assert against["lost"]["estimate"] == pytest.approx(50 - 12.5)
    assert not any("No control arm" in note for note in summary["notes"])


def test_control_arms_by_name_and_by_arm_of_the_conversation():
    clean = [*CLEAN, *answers("ABCDABCB", probe="again"), *answers("ABCDABCD", probe="control@turn"),
             *answers("ABCDABCD", probe="control")]  # fmt: skip
    probed = [*misled("ABCDBCDB", "push@turn"), *misled("ABCDBCDB", "push@prefill")]
    given = analysed(clean, probed, controls=["again"])
    assert set(only(given, "push@turn")["control"]) == {"again"}
    assert only(given, "again")["is_control"] and not only(given, "control")["is_control"]
    found = analysed(clean, probed)
    assert set(only(found, "push@turn")["control"]) == {"control", "control@turn"}
    assert set(only(found, "push@prefill")["control"]) == {"control"}
    with pytest.raises(InputError, match="no answers under the probe 'other'"):
        analysed(clean, probed, controls=["other"])
    with pytest.raises(InputError, match="every probe is a control arm"):
        analysed(CLEAN, probed, controls=["push@turn", "push@prefill"])


def test_probes_of_the_package_have_the_arms_made_for_them():
    arms = [
        "control_start.correct.long@prefill",
        "control_start.correct.bare@prefill",
        "control_start.empty@prefill",
        "control_cue.correct.recency",
        "control_start.empty@turn",
    ]
    clean = CLEAN + [row for arm in arms for row in answers("ABCDABCB", probe=arm)]
    names = ["misleading_start.long@prefill", "bias_cue.recency", "my_own@prefill"]
    summary = analysed(clean, [row for name in names for row in misled("ABCDBCDB", name)])
    assert [set(only(summary, name)["control"]) for name in names] == [
        {arms[0], arms[2]}, {arms[3]}, set(arms) - {arms[4]},
    ]  # fmt: skip


def test_control_arms_without_a_strength_stand_for_all():
    clean = CLEAN + answers("ABCDABCB", probe="control_start.correct@prefill")
    clean += answers("ABCDABCB", probe="control_cue.correct.recency")
    found = only(analysed(clean, misled("ABCDBCDB", "misleading_start.long@prefill")),
                 "misleading_start.long@prefill")  # fmt: skip
    assert set(found["control"]) == {"control_start.correct@prefill"}


def test_strengths_are_those_of_the_package():
    assert tuple(STRENGTHS) == probing.STRENGTHS


def test_samples_pair_with_their_own_and_cluster_by_item():
    clean = [r | {"sample": s} for s, letters in enumerate(("ABCDABCD", "BBCDABCD"))
             for r in answers(letters)]  # fmt: skip
    probed = [r | {"sample": s} for s, letters in enumerate(("BBCDABCD", "ABCDABCD", "ABCDABCD"))
              for r in misled(letters)]  # fmt: skip
    summary = analysed(clean, probed)
    found = only(summary)
    assert (found["n"], found["clusters"]) == (16, 8)
    assert found["pairing"]["without_clean"] == 8  # of the third sample
    assert found["lost"]["estimate"] == pytest.approx(1 / 15)
    assert found["gained"]["estimate"] == 1
    # Sampled answers are a control arm of their own: each sample against the next.
    repeat = summary["models"]["m"]["clean_repeat"]
    assert repeat["n"] == 16 and repeat["clusters"] == 8
    assert repeat["flow"]["right"]["wrong"] == repeat["flow"]["wrong"]["right"] == 1
    assert found["control"]["clean_repeat"]["n"] == 16
    assert any("without" not in n and "no clean one" in n for n in found["notes"])


def test_one_sample_has_no_clean_repeat():
    summary = analysed(CLEAN, misled("ABCDBCDB"))
    assert summary["models"]["m"]["clean_repeat"] is None
    assert only(summary)["control"] == {}


def test_several_cues_to_one_clean_answer():
    probed = misled("ABCDBCDB") + misled("ABCDABCD", cues="CDABCDAB")
    found = only(analysed(CLEAN, probed))
    assert (found["n"], found["clusters"], found["followed_cue"]["n"]) == (16, 8, 16)
    assert found["pairing"]["clean_without_misled"] == 0


def test_cues_that_are_the_key_unreadable_or_missing():
    cues = ["A", "z", None, "a", "heparin", "(C)", " d ", ""]
    found = only(analysed(CLEAN, misled("ABCDBCDB", cues=cues)))
    # Keys are A B C D A B C D: only the first cue names its item's key.
    assert found["pairing"]["cue_is_key"] == 1
    assert found["pairing"]["cue_not_an_option"] == 1
    assert found["pairing"]["without_cue"] == 2
    assert found["n"] == found["kept_right"]["n"] == 8
    assert found["followed_cue"]["n"] == found["cue_effect"]["n"] == 4
    assert found["followed_cue"]["estimate"] == 3 / 4  # heparin, C, D
    said = " ".join(found["notes"])
    assert "1 pairs have the key as their cue." in said and "none of the options" in said


def test_a_model_that_says_nothing_under_the_probe():
    unread = only(analysed(CLEAN, misled([""] * 8)))
    assert (unread["n"], unread["unread"]["estimate"], unread["lost"]["estimate"]) == (8, 1, 1)
    assert "No answer under this probe could be read." in unread["notes"]
    missing = only(analysed(CLEAN, misled([None] * 8)))
    assert missing["n"] == 0 and missing["lost"]["reason"] and missing["test"] is None
    assert missing["pairing"]["ungraded_misled"] == 8
    assert "No response at all under this probe." in missing["notes"]


def test_missing_answers_are_counted_on_their_side():
    counted, _ = states(answers(["A", None, *"CDABCD"]), misled([None, *"BCDABCD"]))
    assert counted == {"pair": 6, "ungraded_misled": 1, "ungraded_clean": 1}


def test_clean_answers_without_a_misled_one_are_counted():
    found = only(analysed(CLEAN, misled("ABCDBCDB")[:5]))
    assert (found["n"], found["pairing"]["clean_without_misled"]) == (5, 3)
    assert "3 clean answers have none under this probe." in found["notes"]


def test_models_on_one_side_are_named():
    summary = analysed(CLEAN + answers("ABCDABCD", "alone"), misled("ABCDBCDB") + misled("ABCDABCD", model="other"))  # fmt: skip
    assert list(summary["models"]) == ["m"]
    assert summary["models_left_out"] == {
        "alone": "clean answers only", "other": "misled answers only",
    }  # fmt: skip
    assert sum("not in the analysis" in note for note in summary["notes"]) == 2


def test_control_rows_alone_make_no_misled_model():
    clean = [row for name in ("m", "alone") for row in
             answers("ABCDABCD", name) + answers("ABCDABCD", name, probe="control")]  # fmt: skip
    summary = analysed(clean, misled("ABCDBCDB"))
    assert list(summary["models"]) == ["m"]
    assert summary["models_left_out"] == {"alone": "clean answers only"}


def test_methods_are_subjects_of_their_own():
    clean = answers("ABCDABCD", method="cot") + answers("BBCDABCD", method="direct")
    probed = misled("ABCDBCDB", method="cot") + misled("ABCDABCD", method="direct")
    summary = analysed(clean, probed)
    assert list(summary["models"]) == ["m/cot", "m/direct"]
    assert only(summary, model="m/direct")["gained"]["estimate"] == 1


def test_a_method_named_on_one_side_only():
    summary = analysed(answers("ABCDABCD", method="cot"), misled("ABCDBCDB"))
    assert only(summary)["n"] == 8
    assert any("names the method cot" in note for note in summary["notes"])


def variant(i, order, relation="preserving", group=None):
    """Item i with its options in another order."""
    options = [OPTIONS[k] for k in order]
    return {
        "benchmark": "made", "item_id": f"q{i}~option_order", "question": f"Which drug is number {i}?",
        "options": options, "answer": options.index(OPTIONS[i % 4]), "stratum": "knowledge",
        "group": {"id": group or f"made/q{i}", "role": "option_order", "relation": relation},
    }  # fmt: skip


def test_variants_pair_with_their_original_by_the_text_of_the_option():
    items = [*questions(), *(variant(i, (3, 2, 1, 0)) for i in range(4))]
    rows = [
        {"benchmark": "made", "item_id": f"q{i}~option_order", "model": "m",
         "probe": "option_order", "response": f"The answer is {letter}.", "cue": cue}
        # Shown in reverse order: D is the key of q0; A of q3.
        for i, (letter, cue) in enumerate((("D", "A"), ("B", "B"), ("B", "C"), ("B", "B")))
    ]  # fmt: skip
    summary = viva.analyse_probes(CLEAN, rows, items=items, resamples=100)
    found = only(summary.summary, "option_order")
    assert (found["n"], found["held"]["estimate"]) == (4, 0.5)  # q0 and q2 keep their text
    assert found["kept_right"]["estimate"] == 0.5
    assert found["followed_cue"]["estimate"] == 0.5  # q1 and q3
    table = summary.pairs.sort("item_id")
    assert table["item_id"].to_list() == ["q0", "q1", "q2", "q3"]
    assert table["asked"].to_list() == [f"q{i}~option_order" for i in range(4)]
    assert table["misled_choice"].to_list() == [0, 2, 2, 2]


def test_variants_that_lost_their_original_are_counted():
    items = [*questions(4), variant(6, (3, 2, 1, 0)), variant(5, (0, 1, 2, 3), group="made/q77")]
    probed = misled("ABCD", cues="BCDA") + [
        {"benchmark": "made", "item_id": f"q{i}~option_order", "model": "m", "response": "A",
         "probe": "option_order"}
        for i in (6, 5)
    ]  # fmt: skip
    found = only(analysed(answers("ABCD"), probed, items), "option_order")
    assert found["n"] == 0 and found["pairing"]["without_original"] == 2
    assert "2 answers are to variants whose original is not answered." in found["notes"]


def test_an_original_found_by_its_group():
    items = [q | {"group": {"id": f"g{i}", "role": "o", "relation": "original"}}
             for i, q in enumerate(questions(4))]  # fmt: skip
    items.append(variant(0, (1, 0, 2, 3), group="g0"))
    rows = [{"benchmark": "made", "item_id": "q0~option_order", "model": "m", "response": "B",
             "probe": "option_order"}]  # fmt: skip
    found = only(analysed(answers("ABCD"), rows, items), "option_order")
    assert (found["n"], found["kept_right"]["estimate"], found["held"]["estimate"]) == (1, 1, 1)


def test_ids_may_lack_their_zeros_in_one_source(tmp_path):
    items = [q | {"item_id": f"{i:04d}"} for i, q in enumerate(questions())]
    clean = [r | {"item_id": f"{i:04d}"} for i, r in enumerate(CLEAN)]
    probed = [r | {"item_id": str(i)} for i, r in enumerate(misled("ABCDBCDB"))]
    paths = []
    for name, rows in (("clean", clean), ("misled", probed)):
        paths.append(tmp_path / f"{name}.jsonl")
        paths[-1].write_text("".join(json.dumps(row) + "\n" for row in rows))
    summary = analysed(*paths, items=items)
    assert only(summary)["n"] == 8
    (note,) = [note for note in summary["notes"] if "by number" in note]
    assert "misled.jsonl" in note


def test_duplicated_items_are_clusters():
    items = [*questions(4), *(q | {"item_id": f"copy{q['item_id']}"} for q in questions(4))]
    clean = answers("ABCD") + [r | {"item_id": f"copy{r['item_id']}"} for r in answers("ABCD")]
    first = misled("BCDD", cues="BCDA")
    probed = first + [r | {"item_id": f"copy{r['item_id']}"} for r in first]
    found = only(analysed(clean, probed, items))
    assert (found["n"], found["clusters"]) == (8, 4)
    assert found["test"]["p_mcnemar"] < found["test"]["p_sign_flip"]


def test_rows_that_cannot_be_paired_are_left_out_and_counted():
    clean = [*CLEAN, CLEAN[0] | {"response": "B"}, CLEAN[0] | {"item_id": "q99"}]
    summary = analysed(clean, misled("ABCDBCDB"))
    reasons = {row["reason"]: row["rows"] for row in summary["left_out"]}
    assert reasons == {"duplicate id, other content": 1, "no such item": 1}
    with pytest.raises(InputError):
        analysed(clean, misled("ABCDBCDB"), strict=True)


@pytest.mark.parametrize(
    ("clean", "probed", "words"),
    [
        (CLEAN, answers("ABCDABCD"), "no row carries a probe"),
        (misled("ABCDABCD"), misled("ABCDBCDB", "other"), "there is no clean answer"),
        (CLEAN, misled("ABCDBCDB", model="n"), "no model has clean and misled answers"),
        (answers("ABCD"), [r | {"sample": 3} for r in misled("ABCDBCDB")], "no misled answer has"),
        (CLEAN, misled("ABCDBCDB") + answers("BBCDABCD"), "contradict each other"),
        ([], misled("ABCDBCDB"), "no answers given"),
        (CLEAN, [], "no answers given"),
    ],
)
def test_what_cannot_be_analysed(clean, probed, words):
    with pytest.raises(InputError, match=words):
        analysed(clean, probed)


def test_the_order_of_rows_changes_nothing():
    one = analysed(CLEAN, misled("ABCDBCDB"))
    other = analysed(CLEAN[::-1], misled("ABCDBCDB")[::-1])
    assert one["models"] == other["models"]


def test_kinds_in_the_order_of_their_strength():
    names = ["s.long@turn", "s.bare@turn", "s.bare@prefill", "s.odd@turn", "plain", "s.short@turn"]
    assert ordered_kinds(names, ("bare", "short", "long")) == {
        "s@turn": ["s.bare@turn", "s.short@turn", "s.long@turn"]
    }


def test_response_to_strength():
    probed = misled("ABCDABCB", "start.bare") + misled("BCDDABCB", "start.long")
    found = analysed(CLEAN, probed)["models"]["m"]["strength"]["start"]
    assert [level["probe"] for level in found["levels"]] == ["start.bare", "start.long"]
    assert found["net_slope"]["estimate"] == pytest.approx(-37.5)
    turned = analysed(CLEAN, probed, strengths=["long", "bare"])
    assert turned["models"]["m"]["strength"]["start"]["net_slope"]["estimate"] == 37.5


def test_texts_that_turn_back():
    probed = misled("ABCDBCDB")
    probed[0]["response"] = "It is B. Wait, the ferritin is low. The answer is A."
    probed[1]["reasoning"] = "So C. Wait, no."
    found = only(analysed(CLEAN, probed))["recovery"]
    assert found["texts"] == 8 and found["kinds"] == {"wait": 2}
    assert found["backtracking"]["estimate"] == found["recovered"]["estimate"] == 0.25
    assert found["backtracking_clean"]["estimate"] == 0
    read = [r | {"prediction": "A"} for r in answers("AAAAAAAA", probe="push")]
    for row in read:
        del row["response"]
    none = only(analysed(CLEAN, read))["recovery"]
    assert none["texts"] == 0 and none["backtracking"]["reason"]


@pytest.mark.shared
def test_published_verdicts_are_reached_to_the_item(shared):
    """Clean and misled answers as predictions that stand for the published verdicts."""
    with gzip.open(shared / "model_outputs/misled_answers.jsonl.gz", "rt") as lines:
        rows = [json.loads(line) for line in lines]
    rows = [r for r in rows if r["mitigation"] == "none" and r["cue_version"] == "v1"]
    sides: dict[bool, list[dict]] = {True: [], False: []}
    counts: dict[tuple[str, str], dict[str, int]] = {}
    clean = {(r["model"], r["row"]): r["is_correct"] for r in rows if r["cue"] == "clean"}
    for r in rows:
        is_clean = r["cue"] == "clean"
        sides[is_clean].append(
            {"benchmark": "medqa_5options", "item_id": str(r["row"]), "model": r["model"],
             "prediction": r["gold"] if r["is_correct"] else None}
            | ({} if is_clean else {"probe": r["cue"], "cue": r["cue_option"]})
        )  # fmt: skip
        if not is_clean:
            before, after = clean[r["model"], r["row"]], r["is_correct"]
            name = ("kept_right" if after else "lost") if before else (
                "gained" if after else "kept_wrong")  # fmt: skip
            cell = counts.setdefault((r["model"], r["cue"]), {})
            cell[name] = cell.get(name, 0) + 1
    summary = analysed(sides[True], sides[False], shared / "medqa/medqa_us_5opt_test.jsonl")
    assert len(counts) == 14
    for (model, probe), expected in counts.items():
        found = only(summary, probe, model)
        assert found["n"] == 1273
        for name, k in expected.items():
            assert round(found[name]["estimate"] * found[name]["n"]) == k
    lost = only(summary, "confirmation", "gpt-3.5-turbo-0613")["lost"]["estimate"]
    assert round(100 * lost, 1) == 31.4
