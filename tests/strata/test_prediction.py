from __future__ import annotations

import io
import json
import pickle
import zipfile

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viva.errors import InputError
from viva.strata import (
    bundled_labels,
    explain,
    labelled,
    load,
    predict,
    reasoning_shares,
    save,
)
from viva.strata.prediction import probabilities
from viva.strata.storage import shipped

LONG = (
    "A 45-year-old woman comes to the emergency department because of a 2-day history of fever and "
    "right flank pain. Her temperature is 39.1°C and blood pressure is 98/60 mm Hg. Urinalysis shows "
    "leukocytes and nitrites. She is allergic to sulfonamides. Despite 48 hours of ceftriaxone she "
    "remains febrile. Which of the following is the most appropriate next step in management?"
)
SHORT = "Which vitamin is deficient in scurvy?"


def frame(stems, options=None, benchmark="mine", context=None):
    n = len(stems)
    return pl.DataFrame(
        {
            "benchmark": [benchmark] * n,
            "item_id": [str(i) for i in range(n)],
            "question": stems,
            "options": options if options is not None else [["a", "b", "c"]] * n,
            "context": [context] * n,
        },
        schema_overrides={"options": pl.List(pl.String), "context": pl.String},
    )


@pytest.mark.parametrize("labels", ["rubric", "medxpertqa"])
@pytest.mark.parametrize("view", ["stem", "stem+options", "stem+context"])
def test_a_workup_is_reasoning_and_a_fact_is_knowledge(labels, view):
    found = predict(frame([LONG, SHORT]), labels, view)
    assert found["stratum"].to_list() == ["reasoning", "knowledge"]
    assert found.columns == [
        "benchmark", "item_id", "p_reasoning", "stratum", "cross_fitted", "in_domain", "outside",
    ]  # fmt: skip


def test_prediction_does_not_depend_on_the_other_items():
    one = predict(frame([LONG]))["p_reasoning"][0]
    many = predict(frame([SHORT, LONG, "Why?"] * 3))["p_reasoning"].to_numpy()
    assert many[1::3] == pytest.approx([one] * 3, abs=1e-5)


def test_training_stems_get_the_probability_that_left_them_out():
    known = bundled_labels("rubric").head(60)
    items = frame(known["question"].to_list(), known["options"].to_list())
    found = predict(items)
    assert found["cross_fitted"].all()
    of_label = labelled("rubric")
    by_id = dict(zip(of_label["item_id"], of_label["p_reasoning"], strict=True))
    expected = [by_id[i] for i in known["item_id"].to_list()]
    assert found["p_reasoning"].to_numpy() == pytest.approx(expected, abs=1e-6)
    stems, options = items["question"].to_list(), items["options"].to_list()
    seen = probabilities(shipped("rubric"), stems, options)
    truth = (known["label"] == "reasoning").to_numpy()
    fit = np.abs(seen - truth).mean()
    assert fit < np.abs(found["p_reasoning"].to_numpy() - truth).mean() - 0.05


def test_an_item_without_options_is_read_by_its_stem():
    bare = predict(frame([LONG], options=[[]]), text_view="stem+options")
    stem = predict(frame([LONG]), text_view="stem")
    assert bare["p_reasoning"][0] == pytest.approx(stem["p_reasoning"][0], abs=1e-9)


def test_context_moves_only_its_own_view():
    items = frame([SHORT], context=LONG)
    moved = predict(items, text_view="stem+context")["p_reasoning"][0]
    still = predict(items, text_view="stem")["p_reasoning"][0]
    assert still == predict(frame([SHORT]), text_view="stem")["p_reasoning"][0]
    assert moved != still


def test_threshold_cuts():
    p = predict(frame([LONG]))["p_reasoning"][0]
    assert predict(frame([LONG]), threshold=p)["stratum"][0] == "reasoning"
    assert predict(frame([LONG]), threshold=min(p + 0.01, 1.0))["stratum"][0] == "knowledge"


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ({"labels": "other"}, "unknown definition"),
        ({"text_view": "all"}, "unknown text view"),
        ({"threshold": 2.0}, "threshold is"),
    ],
)
def test_bad_arguments_are_refused(arguments, what):
    with pytest.raises(InputError, match=what):
        predict(frame([SHORT]), **arguments)


def test_missing_columns_are_named():
    with pytest.raises(InputError, match="item_id, question"):
        predict(pl.DataFrame({"benchmark": ["a"]}))


@pytest.mark.parametrize(
    ("benchmark", "stem", "options", "inside"),
    [
        ("mine", SHORT, ["A", "B"], True),
        ("pubmedqa", SHORT, ["A", "B"], False),
        ("mine", "Is aspirin effective in stroke?", ["yes", "no", "maybe"], False),
        (
            "mine",
            "¿Cuál de las siguientes es la causa de la enfermedad del paciente?",
            ["a"],
            False,
        ),
        ("mine", "患者最可能的诊断是什么", ["a", "b"], False),
        ("mine", "word " * 700, ["a", "b"], False),
        ("mine", "Vitamin C deficiency causes", ["scurvy", "rickets"], True),
    ],
)
def test_domain(benchmark, stem, options, inside):
    found = predict(frame([stem], options=[options], benchmark=benchmark))
    assert found["in_domain"][0] is inside
    assert (found["outside"][0] is None) is inside


def test_a_benchmark_of_invented_words_is_outside_and_a_rare_word_is_not():
    stem = "Which of the following does the patient with {} need for the {} and {}?"
    invented = [stem.format(f"quorv{a}arvy", f"dros{a}tuzish", f"vozar{a}vy") for a in "abcdefgh"]
    rows = pl.concat(
        [
            frame(
                [text.replace("following", "next") for text in invented * 3], benchmark="strange"
            ),
            frame(invented[:2], benchmark="short"),
            frame([LONG] * 10, benchmark="exam"),
        ]
    )
    found = predict(rows)
    outside = dict(found.group_by("benchmark").agg(pl.col("in_domain").all()).iter_rows())
    assert outside == {"strange": False, "short": True, "exam": True}
    why = found.filter(pl.col("benchmark") == "strange")["outside"].unique().to_list()
    assert why == ["20 % of its words are unknown to the splitter, which goes by words"]


@settings(max_examples=30)
@given(st.text(max_size=400), st.lists(st.text(max_size=30), max_size=30))
def test_any_text_gets_a_probability(stem, options):
    p = predict(frame([stem], options=[options]))["p_reasoning"][0]
    assert 0 <= p <= 1


def test_hostile_length_is_bounded():
    p = predict(frame(["a b? " * 400_000], options=[["x" * 1_000_000]]))["p_reasoning"][0]
    assert 0 <= p <= 1


def test_an_empty_frame_gives_an_empty_frame():
    assert predict(frame([], options=[])).height == 0


def test_explanation_names_what_moved_the_item():
    found = explain({"question": LONG, "options": ["Renal ultrasound", "Nitrofurantoin"]}, top=1000)
    assert len(found) > 50
    sizes = [abs(value) for _, value in found]
    assert sizes == sorted(sizes, reverse=True)
    names = [name for name, _ in found]
    assert "ask: next step in" in names
    assert "meaning of the options" in names
    # The n-grams are additive: they and the rest of the score make up the logit.
    assert sum(value for name, value in found if name == "asks: management") != 0


def test_labelled_has_what_noise_correction_needs():
    found = labelled("medxpertqa", text_view="stem")
    assert found.height == 1470
    assert set(found["label"]) == {"reasoning", "knowledge"}
    assert found["p_reasoning"].is_between(0, 1).all()
    assert set(found["benchmark"]) == {"medxpertqa"}


def test_weights_survive_a_round_trip_byte_for_byte(tmp_path):
    first, second = tmp_path / "a.npz", tmp_path / "b.npz"
    weights = shipped("rubric")
    save(weights, first)
    save(load(first), second)
    assert first.read_bytes() == second.read_bytes()
    options = [["a", "b"], ["c"]]
    before = probabilities(weights, [LONG, SHORT], options)
    assert probabilities(load(first), [LONG, SHORT], options) == pytest.approx(before, abs=1e-9)


class Bomb:
    def __reduce__(self):
        return print, ("unpickled",)


def test_a_pickle_in_a_weights_file_is_not_opened(tmp_path, capsys):
    path = tmp_path / "bad.npz"
    with zipfile.ZipFile(path, "w") as archive:
        array = io.BytesIO()
        np.lib.format.write_array(array, np.array([Bomb()], object), allow_pickle=True)
        archive.writestr("meta.npy", array.getvalue())
    with pytest.raises(InputError, match="not a weights file"):
        load(path)
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(InputError, match="not a weights file"):
        load(path)
    with pytest.raises(InputError, match="no such file"):
        load(tmp_path / "none.npz")
    assert "unpickled" not in capsys.readouterr().out


def test_shipped_weights_hold_no_objects():
    from importlib.resources import files

    folder = files("viva.strata").joinpath("weights")
    total = 0
    for name in ("rubric.npz", "medxpertqa.npz", "vectors.npz"):
        with folder.joinpath(name).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            assert all(arrays[key].dtype != object for key in arrays.files)
        total += len(folder.joinpath(name).read_bytes())
    assert total < 4_000_000
    assert json.loads(bytes(np.load(str(folder.joinpath("rubric.npz")))["meta"]))["format"] == 1


def test_shares_fall_as_the_threshold_rises():
    found = reasoning_shares(predict(frame([LONG, SHORT])), (0.0, 0.5, 1.0))
    assert found == {"mine": [(0.0, 1.0), (0.5, 0.5), (1.0, 0.0)]}
