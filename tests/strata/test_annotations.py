from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from viva.errors import InputError
from viva.strata import bundled_labels, merge_annotators, read_labels, rubric_text
from viva.strata.annotations import cohen_kappa, double_labelled
from viva.strata.folds import folds, near_duplicates

R, K = "reasoning", "knowledge"


def test_bundled_labels_are_all_there():
    rubric = bundled_labels("rubric")
    assert rubric.height == 2189
    assert int((~rubric["scored"]).sum()) == 2  # two verdicts that differ
    assert set(rubric["label"].drop_nulls()) == {R, K}
    other = bundled_labels("medxpertqa")
    assert int(other["scored"].sum()) == 1470
    assert other.filter(other["scored"])["label"].value_counts().sort("count")[
        "count"
    ].to_list() == [
        353,
        1117,
    ]
    assert "steps >= 2" in rubric_text()


def test_an_unknown_definition_is_refused():
    with pytest.raises(InputError, match="unknown definition"):
        bundled_labels("mine")


def test_majority_and_ties():
    merged = merge_annotators({"a": {"x": R, "y": R, "z": K}, "b": {"x": R, "y": K}, "c": {"z": K}})
    assert merged.share.tolist() == pytest.approx([2 / 3, 0.5, 0.0])


def test_dawid_skene_finds_the_annotator_who_guesses():
    rng = np.random.default_rng(0)
    truth = rng.random(400) < 0.5
    verdicts = {}
    for i, t in enumerate(truth):
        given = {f"good{j}": t if rng.random() < 0.95 else not t for j in range(2)}
        given |= {f"coin{j}": rng.random() < 0.5 for j in range(3)}
        verdicts[str(i)] = {a: R if v else K for a, v in given.items()}
    plain = merge_annotators(verdicts)
    modelled = merge_annotators(verdicts, rule="dawid-skene")
    right = lambda merged: np.mean((merged.share > 0.5) == truth)  # noqa: E731
    assert right(modelled) > right(plain) + 0.05
    assert modelled.sensitivity["good0"] > 0.9
    assert abs(modelled.sensitivity["coin0"] - 0.5) < 0.15
    assert modelled.kappa["good0", "good1"] > 0.7


def test_kappa_equals_scikit_learn():
    rng = np.random.default_rng(1)
    a, b = rng.random(100) < 0.5, rng.random(100) < 0.3
    b[:60] = a[:60]
    assert cohen_kappa(a, b) == pytest.approx(cohen_kappa_score(a, b))


def test_the_double_labels_agree_as_published():
    double = double_labelled()
    first, second = (double["first"] == R).to_numpy(), (double["second"] == R).to_numpy()
    assert double.height == 189
    assert 0.9 < cohen_kappa(first, second) < 1


def test_labels_files_are_merged(tmp_path):
    rows = [
        {"question": "Why?", "label": R, "annotator": "x", "steps": 2, "options": ["a", "b"]},
        {"question": "Why?", "label": K, "annotator": "y", "steps": 1},
        {"question": "Who?", "label": "Knowledge", "annotator": "x"},
    ]
    path = tmp_path / "mine.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = read_labels([path])
    assert found["label"].to_list() == [None, K]
    assert found["steps"].to_list() == [1.5, None]
    assert found["options"].to_list() == [["a", "b"], []]


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ({"label": R}, "no question"),
        ({"question": "Why?", "label": "maybe"}, "label is"),
        ({"question": "Why?", "label": R, "steps": "many"}, "steps is"),
    ],
)
def test_a_bad_row_is_named(tmp_path, row, what):
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps({"question": "Who?", "label": K}) + "\n" + json.dumps(row) + "\n")
    with pytest.raises(InputError, match=what) as caught:
        read_labels([path])
    assert caught.value.where is not None and caught.value.where.endswith(":2")


def test_near_duplicates_share_a_fold():
    distinct = [f"word{i} thing{i} organ{i} sign{i}?" for i in range(30)]
    stems = distinct + [stem.replace("?", " ?").upper() for stem in distinct]
    group = near_duplicates(stems)
    assert np.array_equal(group[:30], group[30:])
    assert len(set(group)) == 30
    label = np.arange(60) % 2 == 0
    for train, test in folds(group, label, k=5, seed=0):
        assert not set(group[train]) & set(group[test])
