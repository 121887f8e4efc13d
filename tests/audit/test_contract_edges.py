"""What people really hand in: odd ids, types, encodings, samples, and the limits of the options."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
import warnings
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import polars as pl
import pytest

import viva
from viva import InputError

sys.path.insert(0, str(Path(__file__).parent))
from made_answers import answers, items, write_jsonl

QUESTIONS = items(60)
SAID = answers(QUESTIONS)
ACCURACY = viva.audit(items=QUESTIONS, answers=SAID, resamples=100).summary["models"]["m"][
    "accuracy"
]


def audit(questions=QUESTIONS, said=SAID, **settings):
    return viva.audit(items=questions, answers=said, **({"resamples": 200} | settings)).summary


def with_ids(rows, form):
    return [row | {"item_id": form(int(row["item_id"]))} for row in rows]


def write_csv(path, rows, *, head=b"", end="\n"):
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(head + out.getvalue().encode())
    return path


def predicted(form, rows=QUESTIONS):
    return [
        {"benchmark": "made", "item_id": row["item_id"], "model": "m", "prediction": form(row)}
        for row in rows
    ]


def test_every_summary_fits_the_published_schema(root):
    schema = json.loads((root / "docs/summary.schema.json").read_text())
    shapes = [
        audit(),
        audit([row | {"stratum": "reasoning"} for row in QUESTIONS]),
        audit(QUESTIONS, answers(QUESTIONS, right=1.0) + answers(QUESTIONS, "z", right=0.0)),
        audit(QUESTIONS, predicted(lambda row: None)),
        audit(QUESTIONS, [row | {"response": None} for row in SAID]),
        audit(QUESTIONS[:1], SAID[:1]),
        audit(QUESTIONS, [row | {"sample": i} for i in range(2) for row in SAID]),
        audit(labels="rubric"),
    ]
    for summary in shapes:
        jsonschema.validate(json.loads(json.dumps(summary, allow_nan=False)), schema)


@pytest.mark.parametrize(
    ("ids_of_items", "ids_of_answers"),
    [
        (str, int),
        (int, str),
        (int, float),
        ("{:04d}".format, "{:04d}".format),
        ("{:04d}".format, str),
        (str, "{:04d}".format),
        (str, "{}.0".format),
        ("q{}".format, "q{}".format),
    ],
)
def test_ids_meet_whatever_their_type(ids_of_items, ids_of_answers):
    summary = audit(with_ids(QUESTIONS, ids_of_items), with_ids(SAID, ids_of_answers))
    assert summary["models"]["m"]["n"] == 60
    assert summary["models"]["m"]["accuracy"] == ACCURACY
    notes = " ".join(summary["data_quality"]["notes"])
    as_numbers = {ids_of_items, ids_of_answers} & {"{:04d}".format, "{}.0".format}
    assert ("matched by number" in notes) == (ids_of_items != ids_of_answers and bool(as_numbers))


def test_leading_zeros_that_tell_items_apart_stay(tmp_path):
    both = with_ids(QUESTIONS, str) + with_ids(QUESTIONS[:10], "{:02d}".format)
    said = with_ids(SAID, str) + with_ids(SAID[:10], "{:02d}".format)
    files = [write_jsonl(tmp_path / "i.jsonl", both), write_csv(tmp_path / "a.csv", said)]
    assert audit(*files)["models"]["m"]["n"] == 70
    # As numbers two items would be one: nothing is guessed.
    with pytest.raises(InputError, match=r"made/1\.0"):
        audit(both[:10] + both[60:], with_ids(SAID[1:5], "{}.0".format))
    with pytest.raises(InputError, match="no response matches"):
        audit(with_ids(QUESTIONS, "{:04d}".format), strict=True)


def test_each_model_is_matched_by_itself_and_one_that_matches_nothing_is_named(tmp_path):
    excel = with_ids(answers(QUESTIONS, "z", seed=1), float)
    gone = [row | {"model": "gone", "item_id": f"x{row['item_id']}"} for row in SAID]
    summary = audit(QUESTIONS, [write_csv(tmp_path / "z.csv", excel), SAID, gone])
    assert {name: model["n"] for name, model in summary["models"].items()} == {"m": 60, "z": 60}
    matched, lost = summary["data_quality"]["notes"]
    assert matched.startswith("z on made") and lost.startswith("gone: none of its 60")
    assert summary["data_quality"]["unmatched_responses"] == 60
    twice = [row | {"item_id": form} for row in SAID[1:2] for form in ("01", "1.0")]
    with pytest.raises(InputError, match="no response matches"):
        audit(QUESTIONS, twice)


def test_files_as_other_programs_write_them(tmp_path):
    bom = b"\xef\xbb\xbf"
    lines = "\r\n".join(json.dumps(row) for row in SAID).encode()
    (tmp_path / "bom.jsonl").write_bytes(bom + lines + b"\r\n\r\n")
    (tmp_path / "packed.jsonl.gz").write_bytes(gzip.compress(lines))
    frame = pl.DataFrame(SAID).with_columns(
        pl.col("item_id").cast(pl.Int32), pl.col("model").cast(pl.Categorical)
    )
    frame.write_parquet(tmp_path / "frame.parquet")
    write_csv(tmp_path / "excel.csv", SAID, head=bom, end="\r\n")
    lettered = [
        row | {"options": dict(zip("ABCD", row["options"], strict=True))} for row in QUESTIONS
    ]
    pl.DataFrame(lettered).write_parquet(tmp_path / "items.parquet")
    sources = [*sorted(set(tmp_path.iterdir()) - {tmp_path / "items.parquet"})]
    sources += [frame, pd.DataFrame(SAID), iter(SAID)]
    for source in sources:
        assert audit(tmp_path / "items.parquet", source)["models"]["m"]["accuracy"] == ACCURACY


def test_a_lazy_frame_is_read_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        summary = audit(QUESTIONS, pl.DataFrame(SAID).lazy())
    assert summary["models"]["m"]["accuracy"] == ACCURACY


@pytest.mark.parametrize(
    "form",
    [
        lambda row: "abcd"[row["answer"]],
        lambda row: f"({'abcd'[row['answer']]})",
        lambda row: row["options"][row["answer"]].upper(),
        lambda row: f"{'ABCD'[row['answer']]}. {row['options'][row['answer']]}",
        lambda row: row["answer"],
        lambda row: np.int64(row["answer"]),
        lambda row: float(row["answer"]),
    ],
)
def test_predictions_in_every_spelling(form):
    model = audit(QUESTIONS, predicted(form))["models"]["m"]
    assert (model["graded"], model["accuracy"]) == (60, 1.0)


def test_positions_in_csv_are_positions_also_where_some_are_missing(tmp_path):
    rows = predicted(lambda row: float(row["answer"]) if int(row["item_id"]) % 3 else None)
    model = audit(QUESTIONS, write_csv(tmp_path / "a.csv", rows))["models"]["m"]
    assert (model["graded"], model["unparsed"], model["accuracy_of_read"]) == (40, 20, 1.0)


def test_twenty_items_of_each_side_and_not_nineteen():
    def split(reasoning):
        rows = [
            row | {"stratum": "reasoning" if i < reasoning else "knowledge"}
            for i, row in enumerate(QUESTIONS)
        ]
        return audit(rows)["models"]["m"]["gap"]

    nineteen, twenty = split(19), split(20)
    assert nineteen["within"]["estimate"] is nineteen["pooled"]["estimate"] is None
    assert nineteen["within"]["left_out"] == {"made": "fewer than 20 items of a stratum"}
    assert "20" in nineteen["within"]["reason"]
    assert twenty["within"]["smallest_cell"] == 20
    assert twenty["within"]["estimate"] == pytest.approx(twenty["pooled"]["estimate"])


def test_one_stratum_has_no_gap_and_says_why():
    model = audit([row | {"stratum": "knowledge"} for row in QUESTIONS])["models"]["m"]
    for gap in model["gap"].values():
        assert gap["estimate"] is gap["low"] is gap["high"] is None
        assert gap["reason"]
    assert model["reasoning"] == {"n": 0, "accuracy": None, "low": None, "high": None}


@pytest.mark.parametrize(("right", "edge"), [(1.0, 1.0), (0.0, 0.0)])
def test_all_right_and_all_wrong_keep_a_width(right, edge):
    summary = audit(
        QUESTIONS, answers(QUESTIONS, right=right) + answers(QUESTIONS, "z", right=right)
    )
    model = summary["models"]["m"]
    assert model["accuracy"] == edge
    assert model["high"] - model["low"] > 0.05
    assert model["gap"]["within"]["low"] < 0 < model["gap"]["within"]["high"]
    pair = next(row for row in summary["comparisons"] if row["scope"] == "all")
    assert (pair["difference"], pair["p_mcnemar"], pair["verdict"]) == (0.0, 1.0, "undecided")


def test_26_options_and_not_27():
    def many(count):
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        rows = [
            {
                "benchmark": "made",
                "item_id": i,
                "question": f"Which is number {i}?",
                "options": [f"option {i} {j}" for j in range(count)],
                "answer": letters[i % 26],
            }
            for i in range(52)
        ]
        said = [
            {
                "benchmark": "made",
                "item_id": i,
                "model": "m",
                "response": f"Answer: {letters[i % 26]}",
            }
            for i in range(52)
        ]
        return audit(rows, said)["models"]["m"]["accuracy"]

    assert many(26) == 1.0
    with pytest.raises(InputError, match="more than 26 options"):
        many(27)


def test_names_of_models_are_names_and_nothing_else(tmp_path):
    names = [
        "Ünïcode-模型 🦙",
        "/data/ckpt-100",
        "../../escape",
        'a"b<script>',
        "two\nlines",
        "x" * 300,
    ]
    said = [row for i, name in enumerate(names) for row in answers(QUESTIONS, name, seed=i)]
    result = viva.audit(items=QUESTIONS, answers=said, resamples=200, out=tmp_path / "out")
    assert sorted(result.summary["models"]) == sorted(names)
    assert {path.name for path in tmp_path.iterdir()} == {"out"}
    assert "b<script>" not in (tmp_path / "out/report.html").read_text(encoding="utf-8")


def test_a_model_that_is_called_as_a_method_of_another_is_refused():
    said = answers(QUESTIONS, "a/b")
    said += [row | {"method": method} for method in "bc" for row in answers(QUESTIONS, "a", seed=1)]
    with pytest.raises(InputError, match="'a/b'"):
        audit(QUESTIONS, said)


def test_samples_are_averaged_and_repeats_without_a_number_left_out():
    drawn = [answers(QUESTIONS, seed=seed) for seed in range(3)]
    numbered = [row | {"sample": i} for i, rows in enumerate(drawn) for row in rows]
    model = audit(QUESTIONS, numbered)["models"]["m"]
    alone = [audit(QUESTIONS, rows)["models"]["m"]["accuracy"] for rows in drawn]
    assert (model["n"], model["items"], model["samples"]) == (180, 60, 3)
    assert model["accuracy"] == pytest.approx(np.mean(alone))
    repeated = audit(QUESTIONS, [row for rows in drawn for row in rows])
    assert repeated["models"]["m"]["accuracy"] == alone[0]
    assert sum(row["rows"] for row in repeated["data_quality"]["left_out"]) == 120


def test_empty_and_missing_responses_differ():
    model = audit(QUESTIONS, [row | {"response": ""} for row in SAID[:30]] + SAID[30:])["models"][
        "m"
    ]
    assert (model["unparsed"], model["ungraded"]) == (30, 0)
    model = audit(QUESTIONS, [row | {"response": None} for row in SAID[:30]] + SAID[30:])["models"][
        "m"
    ]
    assert (model["unparsed"], model["ungraded"], model["benchmarks"]["made"]["all"]["n"]) == (
        0,
        30,
        30,
    )
    cut = [
        row | {"response": f"<think>{row['response']}", "finish_reason": "length"} for row in SAID
    ]
    assert audit(QUESTIONS, cut)["models"]["m"]["unparsed"] == 60


def test_items_without_a_given_label_count_in_accuracy_only():
    rows = [row | {"stratum": None} if i % 5 == 0 else row for i, row in enumerate(QUESTIONS)]
    model = audit(rows, labels="given")["models"]["m"]
    assert model["n"] == 60
    assert model["knowledge"]["n"] == model["reasoning"]["n"] == 24
    assert model["gap"]["within"]["n"] == 48


def test_the_seed_moves_the_interval_and_not_the_estimate():
    first, second = (audit(seed=seed)["models"]["m"]["gap"]["within"] for seed in (0, 1))
    assert first["estimate"] == second["estimate"]
    assert first["low"] != second["low"]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"threshold": 0.0}, "not between 0 and 1"),
        ({"threshold": 1.0}, "not between 0 and 1"),
        ({"threshold": float("nan")}, "not between 0 and 1"),
        ({"threshold": "0.5"}, "not a number"),
        ({"resamples": 250.5}, "whole number"),
        ({"seed": None}, "whole number"),
        ({"questions": []}, "no items given"),
        ({"said": []}, "no answers given"),
    ],
)
def test_settings_and_sources_of_no_use_are_named(setting, message):
    with pytest.raises(InputError, match=message):
        audit(**setting)


def test_biomed_r1_keeps_its_definition_and_its_probability(tmp_path):
    rng = np.random.default_rng(0)
    rows = [
        {
            "id": f"b{i}",
            "question": f"What is number {i} of them?",
            "options": json.dumps({letter: f"{letter}-{i}" for letter in "ABCD"}),
            "answer": f"A-{i}",
            "answer_idx": "A",
            "dataset_name": "medbullets_op4" if i % 2 else "pubmedqa_r1",
            "adversarial_trace_0": "It is B.",
            "adversarial_trace_1": "",
            "adversarial_trace_2": None,
            "reasoning_prob": p,
            "is_reasoning": p >= 0.6,
            "reasoning_threshold": 0.6,
        }
        for i, p in enumerate(rng.random(160).tolist())
    ]
    said = [
        {
            "benchmark": row["dataset_name"],
            "item_id": row["id"],
            "model": "m",
            "response": "Answer: "
            + ("A" if rng.random() < 0.9 - 0.6 * row["reasoning_prob"] else "B"),
        }
        for row in rows
    ]
    summary = audit(write_jsonl(tmp_path / "biomed.jsonl", rows), said)
    assert summary["splitter"]["definition"] == "given"
    assert summary["settings"]["labels"] == "biomed-r1"
    gap = summary["models"]["m"]["gap"]
    strata = [row["is_reasoning"] for row in rows]
    assert summary["models"]["m"]["reasoning"]["n"] == sum(strata)
    top = bottom = 0.0
    for name in ("medbullets_op4", "pubmedqa_r1"):
        here = [i for i, row in enumerate(rows) if row["dataset_name"] == name]
        p = np.array([rows[i]["reasoning_prob"] for i in here])
        y = np.array([said[i]["response"].endswith("A") for i in here], float)
        top += np.sum((p - p.mean()) * (y - y.mean()))
        bottom += np.sum((p - p.mean()) ** 2)
    assert gap["soft"]["estimate"] == pytest.approx(100 * top / bottom)
    assert gap["noise_corrected"]["estimate"] is None


def test_answers_that_carry_their_questions_need_no_items(tmp_path):
    carried = [
        {
            "question": row["question"],
            "options": dict(zip("ABCD", row["options"], strict=True)),
            "answer_idx": "ABCD"[row["answer"]],
            "answer": row["options"][row["answer"]],
            "source": "made",
            "output": f"## Thinking\n\nNot B.\n\n## Final Response\n\nThe answer is {'ABCD'[row['answer']]}.",
        }
        for row in QUESTIONS
    ]
    path = tmp_path / "model.json"
    path.write_text(json.dumps(carried))
    alone = viva.audit(answers=path, labels="rubric", resamples=200).summary
    assert [model["accuracy"] for model in alone["models"].values()] == [1.0]
    # With items at hand they join by what they ask, and take ids and strata from there.
    joined = audit(QUESTIONS, path)
    assert joined["models"]["model"]["gap"]["within"]["n"] == 60


def test_what_is_no_number_is_null_in_the_summary(monkeypatch):
    from viva._audit import auditing

    found = {"n": 0, "share": float("nan"), "reason": None, "models": {}}
    monkeypatch.setattr(auditing.analysis, "hard_subset", lambda table: found)
    assert audit()["hard_subset"]["share"] is None


def test_settings_that_given_strata_do_not_use_are_said():
    assert audit()["data_quality"]["notes"] == []
    for setting in ({"threshold": 0.7}, {"text_view": "stem+options"}):
        assert "not used" in " ".join(audit(**setting)["data_quality"]["notes"])
