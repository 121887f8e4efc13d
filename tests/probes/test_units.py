"""Values in other units: factors, rounding, ranges, and no value whose meaning is not certain."""

import random
import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viva.benchmarks import bundled
from viva.formats.run import items_of
from viva.probes import PROBES, Reason, Refused
from viva.probes._templates import load
from viva.probes.units import rounded
from viva.records import Choice, Item

RNG = random.Random(0)

MASSES = {  # g/mol, IUPAC 2021 abridged atomic masses
    "glucose": 6 * 12.011 + 12 * 1.008 + 6 * 15.999,
    "creatinine": 4 * 12.011 + 7 * 1.008 + 3 * 14.007 + 15.999,
    "bun": 2 * 14.007,
    "urea": 12.011 + 4 * 1.008 + 2 * 14.007 + 15.999,
    "cholesterol": 27 * 12.011 + 46 * 1.008 + 15.999,
    "triglycerides": 57 * 12.011 + 104 * 1.008 + 6 * 15.999,  # triolein
    "calcium": 40.078,
    "bilirubin": 33 * 12.011 + 36 * 1.008 + 4 * 14.007 + 6 * 15.999,
    "uric acid": 5 * 12.011 + 4 * 1.008 + 4 * 14.007 + 3 * 15.999,
    "phosphorus": 30.974,
    "magnesium": 24.305,
    "iron": 55.845,
}


def make(question, to="si", options=("Wait", "Operate")):
    original = Item("exam", "1", question, tuple(options), Choice(0))
    return PROBES[f"units.{to}"].make(original, RNG)


def si(question):
    found = make(question)
    assert not isinstance(found, Refused), found.reason
    return found[0].item.question


def test_factors_follow_from_molar_masses():
    rows = {name: row for row in load("units")["analyte"] for name in row["names"]}
    for name, mass in MASSES.items():
        row = rows[name]
        # mg/dL -> mmol/L is 10 / M, to µmol/L 10,000 / M; µg/dL -> µmol/L is 10 / M.
        per = 10_000 if (row["conventional"], row["si"]) == ("mg/dL", "µmol/L") else 10
        assert row["factor"] == pytest.approx(per / mass, rel=1.5e-3), name
    for name in ("hemoglobin", "albumin", "total protein"):
        assert rows[name]["factor"] == 10
    assert {row["conventional"] for row in rows.values()} == {"mg/dL", "g/dL", "µg/dL"}


@pytest.mark.parametrize(
    ("value", "places", "written"),
    [("5.55", 1, "5.6"), ("0.25", 1, "0.25"), ("70.72", 0, "71"), ("5.13", 0, "5.1"),
     ("2.5", 0, "2.5"), ("12.5", 0, "12"), ("13.5", 0, "14"), ("0.0341", 1, "0.034"), ("0", 1, "0.0"),
     ("1326", 0, "1326")],
)  # fmt: skip
def test_rounding_is_half_to_even_and_keeps_two_digits(value, places, written):
    assert rounded(Decimal(value), places) == written


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Serum glucose is 118 mg/dL.", "Serum glucose is 6.6 mmol/L."),
        ("Glucose: 100mg/dl", "Glucose: 5.6 mmol/L"),
        ("creatinine of 1.2 mg/dL and BUN 20 mg/dL", "creatinine of 106 µmol/L and BUN 7.1 mmol/L"),
        ("| Hemoglobin | 9.3 g/dL |", "| Hemoglobin | 93 g/L |"),
        ("Hb 10 gm/dL", "Hb 100 g/L"),
        ("calcium 11.5 mg/dL (normal 8.5-10.5)", "calcium 2.87 mmol/L (normal 2.12-2.62)"),
        ("bilirubin 2.0 mg/dL (N = 0.1–1.0 mg/dL)", "bilirubin 34 µmol/L (N = 1.7–17 µmol/L)"),
        ("creatinine 1.7 mg/dL (0.8–1.3), fever", "creatinine 150 µmol/L (71–115), fever"),
        ("glucose rose from 90 to 180 mg/dL", "glucose rose from 5.0 to 10.0 mmol/L"),
        ("Total bilirubin 7 mg/dL\nDirect 6.4 mg/dL", "Total bilirubin 120 µmol/L\nDirect 109 µmol/L"),
        ("Serum calcium\n9.2 mg/dL", "Serum calcium\n2.30 mmol/L"),
        ("LDL >190 mg/dL", "LDL >4.91 mmol/L"),
        ("Glucose 90 mg/dL and albumin 4 g/L", "Glucose 5.0 mmol/L and albumin 4 g/L"),
        ("Glucose 90 mg/dL\nCRP 44 mg/dL", "Glucose 5.0 mmol/L\nCRP 44 mg/dL"),
    ],
)  # fmt: skip
def test_converted(before, after):
    assert si(f"{before} Which?") == f"{after} Which?"


@pytest.mark.parametrize(
    "unsure",
    [
        "Creatinine was 1.2 last year and is 2.5 mg/dL.",
        "Glucose was 120 mg/dL on Monday and 90 mg/dL on Tuesday.",
        "Mean corpuscular hemoglobin 33 g/dL.",
        "Urine creatinine 90 mg/dL.",
        "Creatinine 2.2 mg/dL; reference range 0.8–1.3.",
        "| Creatinine | 2.2 mg/dL | 0.8–1.3 |",
        "Bilirubin\nTotal 3.8 mg/dL\nDirect 3.1 mg/dL",
        "Glucose (after a meal that he had forgotten) 90 mg/dL.",
    ],
)
def test_a_value_whose_meaning_is_not_certain_is_refused(unsure):
    assert make(unsure + " Which?").reason == Reason.MEASURE_UNCERTAIN


def test_other_refusals():
    assert make("No value.").reason == Reason.NOTHING_TO_CHANGE
    assert make("Protein 60 mg/dL.").reason == Reason.NOTHING_TO_CHANGE
    assert make("Glucose 60 mg/dL.", options=("5 mg/dL", "x")).reason == Reason.VALUES_IN_OPTIONS
    assert make("Glucose 60 mg/dL.", options=("5", "6")).reason == Reason.CALCULATION
    assert make("Calculate the anion gap; glucose 60 mg/dL.").reason == Reason.CALCULATION


@given(
    st.sampled_from(["glucose", "creatinine", "calcium", "bilirubin", "hemoglobin", "cholesterol"]),
    st.decimals("0.3", "400", places=1),
)
def test_there_and_back_is_the_value_within_its_rounding(name, value):
    row = next(r for r in load("units")["analyte"] if name in r["names"])
    question = f"The {name} is {value} {row['conventional']}. Which?"
    new = si(question)
    back = make(new, "conventional")[0].item.question
    said = Decimal(re.search(r"is ([\d.]+) ", back)[1])
    shown = re.search(r"is ([\d.]+) ", new)[1]
    places = len(shown.partition(".")[2])
    wrong = Decimal(10) ** -places / 2 / Decimal(str(row["factor"]))
    own = Decimal(10) ** -max(row["decimals"][0], 1 - value.adjusted()) / 2
    assert abs(said - value) <= wrong + own + Decimal("1e-6")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("temperature is 37.5°C (99.5°F), pulse", "temperature is 99.5°F (37.5°C), pulse"),
        ("temperature is 38.5°C.", "temperature is 101.3°F."),
        ("98.4°F", "36.9°C"),
        ("37 ℃", "98.6 °F"),
        ("weighs 70 kg", "weighs 154 lb"),
        ("7.5 kg", "16.5 lb"),
        ("lost 7 pounds", "lost 3.2 kg"),
        ("168 cm (5 ft 6 in) tall and weighs 89 kg (196 lb)",
         "5 ft 6 in (168 cm) tall and weighs 196 lb (89 kg)"),
        ("a 6.8-kg (15-lb) weight loss", "a 15-lb (6.8-kg) weight loss"),
        ("15 mg/kg and 37.5°C", "15 mg/kg and 99.5°F"),
    ],
)  # fmt: skip
def test_measures(before, after):
    original = Item("exam", "1", f"{before} Which?", ("Wait", "Operate"), Choice(0))
    (variant,) = PROBES["units.measures"].make(original, RNG)
    assert variant.item.question == f"{after} Which?"


@pytest.mark.parametrize("said", ["98.5°F/36.9°C", "37 to 38°C", "rose by 2°C", "No value."])
def test_measures_that_are_no_single_value_are_left_alone(said):
    original = Item("exam", "1", f"{said} Which?", ("Wait", "Operate"), Choice(0))
    found = PROBES["units.measures"].make(original, RNG)
    assert found.reason == Reason.NOTHING_TO_CHANGE


def test_measures_are_refused_where_they_are_counted_or_told_in_ounces():
    for said, reason in (
        ("He weighed 6 lb and 10 oz.", Reason.MEASURE_UNCERTAIN),
        ("He weighs 70 kg; what is the dose?", Reason.CALCULATION),
    ):
        original = Item("exam", "1", said, ("Wait", "Operate"), Choice(0))
        assert PROBES["units.measures"].make(original, RNG).reason == reason


def _value(written):
    """The first number and the unit of a note."""
    number, unit = re.fullmatch(r"\D*([\d.,]+).*?([A-Za-zµμ]+/[dlL]+)", written, re.DOTALL).groups()
    unit = unit.replace("dl", "dL").replace("μ", "µ").replace("gm", "g").replace("mcg", "µg")
    return float(number.replace(",", "")), unit.removesuffix("l").removesuffix("L") + "L"


def test_over_the_bundled_items_every_number_is_kept_or_converted():
    rows = {name: row for row in load("units")["analyte"] for name in row["names"]}
    factors = {(r["conventional"], r["si"], r["factor"]) for r in rows.values()}
    count = 0
    for original in items_of(bundled().items):
        found = make(original.question, options=original.options)
        if isinstance(found, Refused):
            continue
        count += 1
        for change in found[0].note.split("; "):
            before, after = change.split(" -> ")
            (a, unit), (b, new) = map(_value, (before, after))
            # Two significant digits are off by 5 % at most.
            assert any(
                u == unit and s == new and b == pytest.approx(a * f, rel=0.05, abs=0.051)
                for u, s, f in factors
            ), change
    assert count > 250
