"""NLI4CT and NLI4CT-P as items: groups, relations, and the trial reports as context."""

import json

import pytest

from viva.benchmarks import load, read_items, with_trials
from viva.errors import InputError
from viva.formats.run import items_of
from viva.records import Group

CONTROL = {"Type": "Single", "Section_id": "Results", "Primary_id": "N1", "Statement": "a is b",
           "Label": "Entailment"}  # fmt: skip
ALTERED = CONTROL | {"Statement": "a is c", "Label": "Contradiction", "Secondary_id": "N2",
                     "Intervention": "Numerical_contradiction", "Causal_type": ["Altering", "u1"]}  # fmt: skip


def read(tmp_path, rows, name="gold_practice_test.json"):
    path = tmp_path / name
    path.write_text(json.dumps(rows))
    return read_items(path)


def test_a_control_and_its_variant_are_one_group(tmp_path):
    found = read(tmp_path, {"u1": CONTROL, "u2": ALTERED})
    control, altered = items_of(found.items)
    assert control.group == Group("nli4ct_p/u1", "control", "original")
    assert altered.group == Group("nli4ct_p/u1", "numerical_contradiction", "altering")
    assert control.options == ("Entailment", "Contradiction")
    assert (control.target.index, altered.target.index) == (0, 1)
    assert control.question.endswith("a is b")
    assert altered.meta["statement"] == "a is c"


def test_defects_are_left_out_with_their_reason(tmp_path):
    rows = {"u1": CONTROL, "u2": CONTROL | {"Label": "Neutral"},
            "u3": ALTERED | {"Causal_type": ["Sideways", "u1"]}, "u4": {"Type": "Single"}}  # fmt: skip
    found = read(tmp_path, rows)
    assert found.items.height == 1
    assert [(left.row, left.reason) for left in found.left_out] == [
        (2, "key outside the options"), (3, "broken Causal_type"), (4, "no label"),
    ]  # fmt: skip


def test_trials_are_the_context(tmp_path):
    items = list(items_of(read(tmp_path, {"u1": CONTROL, "u2": ALTERED}).items))
    trials = [{"id": "N1", "Results": ["x  ", "  y"]}, {"id": "N2", "Results": ["z"]}]
    one, two = with_trials(items, trials)
    assert one.context == "Primary trial, Results:\nx\n  y"
    assert two.context == f"{one.context}\n\nSecondary trial, Results:\nz"
    with pytest.raises(InputError, match="no section Results of the report N2"):
        list(with_trials(items, trials[:1]))


@pytest.mark.shared
def test_every_statement_has_its_reports(shared):
    for name, count in (("nli4ct_p", 2142), ("nli4ct_train", 1700), ("nli4ct_dev", 200)):
        items = list(items_of(load(name, folder=shared).items))
        assert len(items) == count
        whole = list(with_trials(items, shared / "nli4ct/clinical_trials.jsonl.gz"))
        assert all(item.context for item in whole)
