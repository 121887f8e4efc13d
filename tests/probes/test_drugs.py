"""Drugs under their other name."""

import ast
import csv
import random

import pytest

from viva.benchmarks import bundled
from viva.formats.run import items_of
from viva.probes import PROBES, Reason, Refused
from viva.probes.drugs import brands
from viva.records import Choice, Item

USAN = {"paracetamol": "acetaminophen", "pethidine": "meperidine", "rifampicin": "rifampin",
        "thyroxine": "levothyroxine"}  # fmt: skip
"""Names outside the United States, where they differ."""

RNG = random.Random(0)


def made(to, question, options=("Wait", "Aspirin"), context=None):
    original = Item("exam", "1", question, tuple(options), Choice(0), context=context)
    return PROBES[f"drugs.{to}"].make(original, RNG)


def test_the_table_is_one_to_one_and_clean():
    table = brands()
    assert len(table) >= 150
    assert len({b.lower() for b in table.values()}) == len(table)
    assert not {b.lower() for b in table.values()} & set(table)
    assert all(g == g.lower() and g.isalpha() and len(g) >= 4 for g in table)
    assert all(b[0].isupper() and b.isalpha() and len(b) >= 4 for b in table.values())


@pytest.mark.shared
def test_the_table_agrees_with_an_independent_list(shared):
    rows = csv.DictReader((shared / "rabbits/generic_to_brand.csv").open(encoding="utf-8"))
    listed = {
        r["generic"]: {b for part in ast.literal_eval(r["brand"]) for b in part} for r in rows
    }
    owners: dict[str, set[str]] = {}
    for generic, names in listed.items():
        for name in names:
            owners.setdefault(name, set()).add(USAN.get(generic, generic))
    table = brands()
    known = [g for g in table if g in listed]
    assert len(known) > 150
    missing = {g for g in known if table[g].lower() not in listed[g]}
    assert missing <= {"vincristine"}  # Oncovin is not among RABBITS' brands
    for generic, brand in table.items():
        assert owners.get(brand.lower(), {generic}) <= {generic}, brand


@pytest.mark.parametrize(
    ("to", "before", "after"),
    [
        ("brand", "He takes atorvastatin, and an amiodarone drip.",
         "He takes Lipitor, and a Cordarone drip."),
        ("brand", "Warfarin is given. WARFARIN!", "Coumadin is given. COUMADIN!"),
        ("generic", "Lipitor is given; he took lipitor and Xanax.",
         "Atorvastatin is given; he took atorvastatin and alprazolam."),
        ("generic", "- Eliquis 5 mg\n- a Norvasc tablet", "- Apixaban 5 mg\n- an amlodipine tablet"),
    ],
)  # fmt: skip
def test_renamed(to, before, after):
    (variant,) = made(to, before)
    assert variant.item.question == after


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("He takes losartan potassium.", Reason.NAME_IN_COMPOUND),
        ("He has warfarin-induced necrosis.", Reason.NAME_IN_COMPOUND),
        ("He gets liposomal doxorubicin.", Reason.NAME_IN_COMPOUND),
        ("He uses topical clindamycin.", Reason.NAME_IN_COMPOUND),
        ("Warfarin (Coumadin) is given.", Reason.NAMED_ALREADY),
        ("What is the brand name of warfarin?", Reason.NAME_ASKED),
        ("He takes nothing; desmethyldiazepam is a metabolite.", Reason.NOTHING_TO_CHANGE),
    ],
)
def test_refused(question, reason):
    assert made("brand", question).reason == reason


def test_options_and_context_are_renamed_too():
    (variant,) = made("brand", "Which drug?", ("Warfarin and rest", "rest"), "On diazepam.")
    assert variant.item.options == ("Coumadin and rest", "rest")
    assert variant.item.context == "On Valium."
    assert variant.item.target == Choice(0)
    assert variant.note == "diazepam -> Valium, warfarin -> Coumadin"
    assert made("brand", "Which?", ("Warfarin", "Coumadin")).reason == Reason.NAMED_ALREADY


def test_renamed_back_the_key_and_every_other_word_are_those_of_the_original():
    """What the table's test of an unchanged key cannot ask of drugs."""
    count = 0
    for original in items_of(bundled().items.gather_every(2)):
        found = PROBES["drugs.brand"].make(original, RNG)
        if isinstance(found, Refused):
            continue
        if not isinstance(PROBES["drugs.generic"].make(original, RNG), Refused):
            continue  # it has brand names of its own
        count += 1
        new = found[0].item
        assert new.target == original.target
        assert len(set(new.options)) == len(set(original.options))
        back = PROBES["drugs.generic"].make(new, RNG)
        assert not isinstance(back, Refused)
        restored = back[0].item

        def same(a: str, b: str) -> bool:
            words = zip(a.lower().split(), b.lower().split(), strict=True)
            return all(x == y or {x, y} == {"a", "an"} for x, y in words)

        assert same(restored.question, original.question)
        assert all(map(same, restored.options, original.options))
    assert count > 400
