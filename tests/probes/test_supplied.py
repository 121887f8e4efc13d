"""Variants that somebody wrote: paired by group, checked against their claim."""

import random

import pytest

from viva.benchmarks import load
from viva.errors import InputError
from viva.formats.run import items_of
from viva.probes import PROBES, Reason, Refused, Relation, variants
from viva.probes.supplied import INTERVENTIONS, by_original, translations
from viva.records import Choice, Group, Item

RNG = random.Random(0)
EN = Item("set", "7", "What is it?", ("Asthma", "Gout"), Choice(1))
ES = Item("set_es", "7", "¿Qué es?", ("Asma", "Gota"), Choice(1))


def test_a_translation_is_a_variant_of_its_original():
    given = translations([EN], [ES], language="es")
    made = variants([EN], "language.es", seed=0, given=given)
    (variant,) = made.variants
    assert made.refused == []
    assert variant.relation is Relation.PRESERVING
    assert variant.item.question == "¿Qué es?"
    assert variant.item.item_id == "7~language.es"
    assert variant.item.benchmark == "set"
    assert variant.item.group == Group("set/7", "language.es", "preserving")
    assert variant.item.meta["given"] == "set_es/7"


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (Item("set_es", "8", "?", ("Asma", "Gota"), Choice(1)), Reason.NO_GIVEN_VARIANT),
        (Item("set_es", "7", "?", ("Asma", "Gota"), Choice(0)), Reason.GIVEN_DIFFERS),
        (Item("set_es", "7", "?", ("Asma", "Gota", "no"), Choice(1)), Reason.GIVEN_DIFFERS),
        (Item("set_es", "7", "?", ("Asma", "Gota")), Reason.GIVEN_DIFFERS),
    ],
)
def test_what_is_no_translation_is_refused(other, reason):
    given = translations([EN], [other], language="es")
    found = PROBES["language.es"].make(EN, RNG, given=given)
    assert isinstance(found, Refused)
    assert found.reason == reason


def test_without_what_is_given_every_item_is_refused():
    for name in ("language.fr", "nli4ct.paraphrase"):
        assert PROBES[name].make(EN, RNG).reason == Reason.NO_GIVEN_VARIANT
    with pytest.raises(InputError):
        variants([EN], "options.order", seed=0, given={})


def test_an_altering_variant_has_another_key_and_several_are_numbered():
    altered = [
        Item("p", f"v{i}", "?", EN.options, Choice(key), group=Group("set/7", "paraphrase", relation))
        for i, (key, relation) in enumerate([(1, "preserving"), (0, "altering")])
    ]  # fmt: skip
    found = PROBES["nli4ct.paraphrase"].make(EN, RNG, given=by_original(altered))
    assert [(v.item.item_id, v.relation) for v in found] == [
        ("7~nli4ct.paraphrase.0", Relation.PRESERVING),
        ("7~nli4ct.paraphrase.1", Relation.ALTERING),
    ]
    broken = [
        Item("p", "v", "?", EN.options, Choice(1), group=Group("set/7", "paraphrase", "altering"))
    ]
    found = PROBES["nli4ct.paraphrase"].make(EN, RNG, given=by_original(broken))
    assert found.reason == Reason.GIVEN_DIFFERS


@pytest.mark.shared
def test_casimedicos_in_two_languages(shared):
    english = load("casimedicos_train", folder=shared).items
    spanish = load("casimedicos_es_train", folder=shared).items
    given = translations(english, spanish, language="es")
    made = variants(english, "language.es", seed=0, given=given)
    assert len(made.variants) == 381
    assert made.refused == []
    originals = {item.item_id: item for item in items_of(english)}
    for variant in made.variants:
        original = originals[variant.item.item_id.partition("~")[0]]
        assert variant.item.target == original.target
        assert variant.item.question != original.question


@pytest.mark.shared
def test_every_intervention_of_nli4ct_p_is_a_variant_of_its_control(shared):
    frame = load("nli4ct_p", folder=shared).items
    given = by_original(frame)
    controls = [item for item in items_of(frame) if item.group.relation == "original"]
    assert len(controls) == 200
    names = [f"nli4ct.{role}" for role in INTERVENTIONS]
    made = variants(controls, names, seed=0, given=given)
    assert len(made.variants) == 2142 - 200
    assert {r.reason for r in made.refused} == {Reason.NO_GIVEN_VARIANT}
    assert len({v.item.item_id for v in made.variants}) == len(made.variants)
    by_id = {item.item_id: item for item in controls}
    for variant in made.variants:
        control = by_id[variant.item.item_id.partition("~")[0]]
        same = variant.item.target == control.target
        assert same is (variant.relation is Relation.PRESERVING)
        assert variant.item.group.id == f"nli4ct_p/{control.item_id}"
