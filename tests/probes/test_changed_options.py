"""Options in another order, fewer of them, and without the key."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_items import items

from viva.probes import PROBES, Reason, Refused, Relation
from viva.probes.options import NONE, exhaustive, stands_for_others
from viva.probes.variant import stream
from viva.records import Choice, Item

OPTIONS = ("Asthma", "Pneumonia", "Bronchitis", "Tuberculosis")


def make(name, options=OPTIONS, key=1, question="What is the diagnosis?", number=0):
    original = Item("exam", str(number), question, tuple(options), Choice(key))
    return PROBES[name].make(original, stream(0, original, name))


@given(items())
def test_order_is_a_permutation_in_which_the_key_moves(original):
    found = PROBES["options.order"].make(original, stream(0, original, "options.order"))
    if isinstance(found, Refused):
        return
    new = found[0].item
    order = new.meta["option_order"]
    assert sorted(order) == list(range(len(original.options)))
    assert new.options == tuple(original.options[i] for i in order)
    assert order[new.target.index] == original.target.index
    assert new.target.index != original.target.index


def test_the_key_goes_to_every_other_place_evenly():
    places = Counter(make("options.order", number=i)[0].item.target.index for i in range(3000))
    assert set(places) == {0, 2, 3}
    assert max(places.values()) - min(places.values()) < 200  # about six standard deviations


@given(items(), st.sampled_from(["options.removed.one", "options.removed.rest"]))
def test_removed_options_keep_the_key_and_the_order_of_the_rest(original, name):
    found = PROBES[name].make(original, stream(0, original, name))
    if isinstance(found, Refused):
        return
    new = found[0].item
    left = len(original.options) - 1 if name.endswith("one") else 2
    assert len(new.options) == left >= 2
    kept = new.meta["option_order"]
    assert kept == sorted(kept)
    assert new.options[new.target.index] == original.options[original.target.index]


def test_every_distractor_is_removed_about_as_often():
    gone = Counter(
        next(o for o in OPTIONS if o not in make("options.removed.one", number=i)[0].item.options)
        for i in range(3000)
    )
    assert set(gone) == {"Asthma", "Bronchitis", "Tuberculosis"}
    assert max(gone.values()) - min(gone.values()) < 200


def test_none_takes_the_place_of_the_key():
    (variant,) = make("options.none")
    assert variant.relation is Relation.ALTERING
    assert variant.item.options == ("Asthma", NONE, "Bronchitis", "Tuberculosis")
    assert variant.item.target == Choice(1)
    assert make("options.none", ("Yes", "No", "Maybe")).reason == Reason.OPTIONS_EXHAUST
    assert exhaustive(["increases", "Decreases.", "no change"])
    assert not exhaustive(["increases", "asthma"])


@pytest.mark.parametrize(
    "other",
    ["None of the above", "All of the above.", "Both A and B", "A and C", "B only", "neither",
     "Asthma and all of the above", "All are true", "The above option", "None of these"],
)  # fmt: skip
def test_options_that_speak_of_others_are_refused(other):
    assert stands_for_others(other)
    for name in ("options.order", "options.removed.one", "options.none", "options.letters"):
        assert make(name, (*OPTIONS, other)).reason == Reason.OPTIONS_NAME_OTHERS


@pytest.mark.parametrize("other", ["Vitamin A deficiency", "Both lungs", "All-trans retinoic acid"])
def test_options_that_only_look_so_are_not(other):
    assert not stands_for_others(other)


def test_other_refusals():
    assert make("options.order", question="Is option B right?").reason == Reason.ORDER_MATTERS
    assert make("options.order", question="Is the first option right?").reason == (
        Reason.ORDER_MATTERS
    )
    assert make("options.removed.one", OPTIONS[:2]).reason == Reason.TOO_FEW_OPTIONS
    assert make("options.order", ("Asthma", "asthma ", "x")).reason == Reason.EQUAL_OPTIONS
    assert make("options.letters", [f"disease {c}{c}" for c in "abcdefghijkl"]).reason == (
        Reason.TOO_FEW_LETTERS
    )


def test_the_first_letter_is_in_the_metadata_and_nowhere_else():
    (variant,) = make("options.letters")
    assert variant.item.meta == {"first_letter": "P"}
    assert variant.item.options == OPTIONS
    assert variant.item.target == Choice(1)
