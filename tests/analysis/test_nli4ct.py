"""Control F1, consistency and faithfulness of NLI4CT-P, against their definitions."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score, precision_score, recall_score

from viva.analysis.nli4ct import Statement, nli4ct_metrics, nli4ct_statements
from viva.benchmarks import load
from viva.errors import InputError

E, C = "Entailment", "Contradiction"

SMALL = [
    Statement("c1", E),
    Statement("c2", C),
    Statement("p1", E, "c1", "preserving", "paraphrase"),
    Statement("p2", C, "c2", "preserving", "paraphrase"),
    Statement("a1", C, "c1", "altering", "contradiction"),
    Statement("a2", C, "c1", "altering", "contradiction"),
]


def by_hand(gold, said):
    """The definitions, from the rows of the published file and with the scorer's own F1."""
    labels = {name: row["Label"] for name, row in gold.items()}
    control = [name for name, row in gold.items() if "Causal_type" not in row]
    kinds: dict[str, list[tuple[str, str]]] = {"Preserving": [], "Altering": []}
    for name, row in gold.items():
        if "Causal_type" in row:
            kind, original = row["Causal_type"]
            kinds[kind].append((name, original))
    true = [labels[n] == E for n in control]
    seen = [said.get(n) == E for n in control]
    same = [said.get(v) is not None and said.get(v) == said.get(o) for v, o in kinds["Preserving"]]
    moved = [said.get(v) is not None and said[v] != labels[o] for v, o in kinds["Altering"]]
    return {
        "f1": f1_score(true, seen, zero_division=0),
        "precision": precision_score(true, seen, zero_division=0),
        "recall": recall_score(true, seen, zero_division=0),
        "consistency": sum(same) / len(same),
        "faithfulness": sum(moved) / len(moved),
    }


def shown(metrics):
    control = metrics.control
    return {
        "f1": control.f1,
        "precision": control.precision,
        "recall": control.recall,
        "consistency": metrics.consistency.value,
        "faithfulness": metrics.faithfulness.value,
    }


def test_by_hand_on_six_statements():
    said = {"c1": E, "c2": E, "p1": C, "p2": E, "a1": C, "a2": E}
    metrics = nli4ct_metrics(SMALL, said)
    assert (metrics.control.precision, metrics.control.recall) == (0.5, 1.0)
    assert metrics.control.f1 == pytest.approx(2 / 3)
    assert metrics.consistency.value == 0.5  # p2 says what its wrong control says; p1 does not
    assert metrics.consistency_with_label.value == 0.0
    assert metrics.faithfulness.value == 0.5
    assert metrics.faithfulness_of_right.value == 0.5
    assert metrics.interventions["paraphrase"]["consistency"].n == 2
    assert "faithfulness" not in metrics.interventions["paraphrase"]
    assert metrics.unread == 0


def test_an_unread_prediction_stays_in_the_denominator_and_counts_for_nothing():
    metrics = nli4ct_metrics(SMALL, {"c1": E, "c2": None, "p2": None, "a1": "no idea"})
    assert metrics.unread == 5
    assert metrics.consistency == type(metrics.consistency)(0.0, 2)
    assert metrics.faithfulness.value == 0.0
    assert metrics.control.recall == 1.0


def test_a_lost_control_and_equal_ids_are_errors():
    with pytest.raises(InputError, match="the control c1 of the statement p1 is not there"):
        nli4ct_metrics(SMALL[2:3], {})
    with pytest.raises(InputError, match="one id"):
        nli4ct_metrics([SMALL[0], SMALL[0]], {})


def test_nothing_to_count_is_no_share():
    metrics = nli4ct_metrics(SMALL[:2], {"c1": C, "c2": C})
    assert metrics.consistency.value is None
    assert metrics.faithfulness.n == 0
    assert metrics.control.f1 == 0.0


@given(st.lists(st.sampled_from([E, C, None]), min_size=6, max_size=6))
def test_as_by_hand_whatever_is_predicted(predicted):
    said = dict(zip([s.id for s in SMALL], predicted, strict=True))
    gold = {
        s.id: {"Label": s.label}
        | ({"Causal_type": [str(s.relation).capitalize(), s.control]} if s.control else {})
        for s in SMALL
    }
    assert shown(nli4ct_metrics(SMALL, said)) == pytest.approx(by_hand(gold, said))


@pytest.mark.shared
@pytest.mark.parametrize("seed", range(4))
def test_on_the_published_gold(shared, seed):
    gold = json.loads((shared / "semeval2024_nli4ct_p/gold_practice_test.json").read_text("utf-8"))
    statements = nli4ct_statements(load("nli4ct_p", folder=shared).items)
    assert len(statements) == len(gold) == 2142
    rng = random.Random(seed)
    right = rng.uniform(0.4, 0.95)
    said = {}
    for name, row in gold.items():
        other = C if row["Label"] == E else E
        said[name] = row["Label"] if rng.random() < right else other
        if rng.random() < 0.02:
            said[name] = None
    found = shown(nli4ct_metrics(statements, said))
    for name, value in by_hand(gold, said).items():
        assert f"{found[name]:.4f}" == f"{value:.4f}", name
