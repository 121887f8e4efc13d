"""The answer of a generic items file, rule by rule, and as properties of all of them."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from viva.benchmarks.fields import (
    Defect,
    Options,
    absent,
    integer,
    literal,
    one_of,
    options,
    target,
)
from viva.records import LETTERS, Choice, Choices

DRUGS = options(["aspirin", "ibuprofen", "naproxen", "codeine"])


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (0, 0),
        (3, 3),
        (2.0, 2),
        (np.int64(1), 1),
        (np.float64(1), 1),
        ("A", 0),
        ("d", 3),
        (" B ", 1),
        ("naproxen", 2),
        (" naproxen\n", 2),
        ("2", 2),
        ("2.0", 2),
    ],
)
def test_answer_names_its_option(answer: object, expected: int) -> None:
    assert one_of(answer, DRUGS) == expected


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "no answer"),
        (math.nan, "no answer"),
        ("", "no answer"),
        (" nan ", "no answer"),
        (4, "key outside the options"),
        (-1, "key outside the options"),
        ("E", "key outside the options"),
        ("4", "key outside the options"),
        ("-1", "key outside the options"),
        (1.5, "answer is not among the options"),
        ("Aspirin", "answer is not among the options"),
        ("(B)", "answer is not among the options"),
        (True, "answer is not among the options"),
        ("paracetamol", "answer is not among the options"),
        ({"A": 1}, "answer is not among the options"),
        ("9" * 5000, "answer is not among the options"),
    ],
)
def test_answer_that_names_nothing_is_a_defect(answer: object, reason: str) -> None:
    with pytest.raises(Defect, match=f"^{reason}$"):
        one_of(answer, DRUGS)


@pytest.mark.parametrize(
    ("texts", "answer", "expected"),
    [
        # A text that is an option wins over what it could mean otherwise.
        (["B", "A", "C"], "A", 1),
        (["C", "D", "E"], "C", 0),
        (["2", "3", "1"], "1", 2),
        (["2", "3", "1"], 1, 1),
        ([1, 2, 3, 4], "2", 1),
        ([1, 2, 3, 4], 2, 2),
        ([0.5, 1.0, 2], "1.0", 1),
        (["a", "b"], "A", 0),
        (["b", "a"], "A", 0),
        (["b", "a"], "a", 1),
        (["True", "False"], True, 0),
        (["false", "true"], False, 0),
        ([True, False], "False", 1),
        (["10", "20", "30"], "2", 2),
    ],
)
def test_options_that_are_letters_or_numbers(
    texts: list[object], answer: object, expected: int
) -> None:
    assert one_of(answer, options(texts)) == expected


def test_text_of_two_options_is_a_defect_but_their_letters_are_not() -> None:
    twins = options(["aspirin", "codeine", "aspirin "])
    with pytest.raises(Defect, match="matches two options"):
        one_of("aspirin", twins)
    assert one_of("C", twins) == 2
    assert one_of(0, twins) == 0
    assert one_of("codeine", twins) == 1


def test_list_of_answers_is_a_key_of_several_options() -> None:
    assert target(["D", "a"], DRUGS) == Choices((0, 3))
    assert target('["B", "codeine"]', DRUGS) == Choices((1, 3))
    assert target(np.array([2, 0]), DRUGS) == Choices((0, 2))
    assert target(["B"], DRUGS) == Choices((1,))
    assert target("B", DRUGS) == Choice(1)
    bracketed = options(['["A"]', "x"])
    assert target('["A"]', bracketed) == Choice(0)
    with pytest.raises(Defect, match="no answer"):
        target([], DRUGS)
    with pytest.raises(Defect, match="names an option twice"):
        target(["A", "aspirin"], DRUGS)


@pytest.mark.parametrize(
    "value",
    [
        ["x", "y", "z"],
        ("x", "y", "z"),
        np.array(["x", "y", "z"]),
        {"A": "x", "B": "y", "C": "z"},
        {"C": "z", "B": "y", "A": "x"},
        {"a": " x", "b": "y ", "c": "z"},
        {"A)": "x", "B.": "y", "C": "z"},
        {"A": "x", "B": "y", "C": "z", "D": None},
        '["x", "y", "z"]',
        '{"A": "x", "B": "y", "C": "z"}',
        "['x', 'y', 'z']",
        "{'A': 'x', 'B': 'y', 'C': 'z'}",
        [
            {"letter": "A", "content": "x"},
            {"letter": "B", "content": "y"},
            {"letter": "C", "content": "z"},
        ],
        [{"key": "A", "value": "x"}, {"key": "B", "value": "y"}, {"key": "C", "value": "z"}],
    ],
)
def test_options_in_every_spelling(value: object) -> None:
    assert options(value) == Options(("x", "y", "z"), ("A", "B", "C"))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "no options"),
        (math.nan, "no options"),
        ("", "no options"),
        ([], "no options"),
        ({}, "no options"),
        (["x"], "fewer than two options"),
        (["x", ""], "an option is empty"),
        (["x", None], "an option is empty"),
        (["x", math.nan], "an option is empty"),
        ({"A": "x", "B": " "}, "an option is empty"),
        ({"A": "x", "C": "y"}, "letters of the options have a gap"),
        ({"B": "x", "C": "y"}, "letters of the options have a gap"),
        ({"A": "x", "a": "y"}, "two options have the same letter"),
        ([{"letter": "A", "text": "x"}] * 2, "two options have the same letter"),
        ({"1": "x", "2": "y"}, "options are not a list or a map of letters"),
        ({"yes": "x", "no": "y"}, "options are not a list or a map of letters"),
        ("x, y, z", "options are not a list or a map of letters"),
        (7, "options are not a list or a map of letters"),
        ([["x"], ["y"]], "an option is not text"),
        ([{"x": 1}, {"y": 2}], "an option is not text"),
        ([str(i) for i in range(27)], "more than 26 options"),
        ("[" * 60, "options are not a list or a map of letters"),
        ("['x' 'y']", "fewer than two options"),
        ("[__import__('os').getcwd(), 'y']", "options are not a list or a map of letters"),
    ],
)
def test_broken_options_are_a_defect(value: object, reason: str) -> None:
    with pytest.raises(Defect, match=f"^{reason}$"):
        options(value)


def test_numbered_options_only_where_a_format_has_them() -> None:
    assert options({"0": "x", "1": "y"}, digits=True).names == ("0", "1")
    eleven = {str(i): f"t{i}" for i in range(1, 12)}
    assert options(eleven, digits=True).texts[-1] == "t11"  # 11 comes after 9, not after 1
    for gap in ({"0": "x", "2": "y"}, {"2": "x", "3": "y"}):
        with pytest.raises(Defect, match="gap"):
            options(gap, digits=True)


def test_26_options_are_fine() -> None:
    texts = [f"option {i}" for i in range(26)]
    assert one_of("Z", options(texts)) == 25
    assert options(dict(zip(LETTERS, texts, strict=True))).texts == tuple(texts)


plain = st.text(min_size=1, max_size=8).map(str.strip).filter(lambda t: not absent(t))
distinct = st.lists(plain, min_size=2, max_size=26, unique=True)


@given(distinct, st.data())
def test_position_always_names_its_option(texts: list[str], data: st.DataObject) -> None:
    i = data.draw(st.integers(0, len(texts) - 1))
    assert one_of(i, options(texts)) == i
    assert one_of(float(i), options(texts)) == i


@given(distinct, st.data())
@example(["B", "A"], None)
def test_exact_text_wins_over_letter_and_position(
    texts: list[str], data: st.DataObject | None
) -> None:
    i = data.draw(st.integers(0, len(texts) - 1)) if data else 0
    assert one_of(texts[i], options(texts)) == i


@given(distinct, st.data())
def test_letter_names_its_option_unless_it_is_one(texts: list[str], data: st.DataObject) -> None:
    i = data.draw(st.integers(0, len(texts) - 1))
    for letter in (LETTERS[i], LETTERS[i].lower()):
        found = one_of(letter, options(texts))
        assert found == (texts.index(letter) if letter in texts else i)


@given(distinct, st.data())
def test_list_map_and_json_hold_the_same_options(texts: list[str], data: st.DataObject) -> None:
    named = dict(zip(LETTERS, texts, strict=False))
    order = data.draw(st.permutations(sorted(named)))
    shuffled = {letter: named[letter] for letter in order}
    assert options(texts) == options(named) == options(shuffled)
    assert options(json.dumps(texts)) == options(json.dumps(shuffled)) == options(texts)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@given(anything, anything)
def test_hostile_fields_are_defects_never_crashes(value: object, answer: object) -> None:
    try:
        found = options(value)
        key = target(answer, found)
    except Defect:
        return
    indices = key.indices if isinstance(key, Choices) else (key.index,)
    assert 2 <= len(found.texts) <= 26
    assert all(0 <= i < len(found.texts) for i in indices)
    assert list(indices) == sorted(set(indices))


@given(st.text(alphabet="[]{}()'\"\\,:0aN ", max_size=200))
def test_literal_of_any_text_returns(value: str) -> None:
    literal(value)


def test_literal_is_bounded() -> None:
    deep = "[" * 5000 + "]" * 5000
    assert literal(deep) == deep
    unary = "[" + "-" * 100_000 + "1]"
    assert literal(unary) == unary
    long = "['" + "x" * 2_000_000 + "']"
    assert literal(long) == long


@given(st.integers(-(10**8), 10**8))
def test_integer_of_number_and_digits(number: int) -> None:
    assert integer(number) == integer(str(number)) == integer(f"{number}.0") == number
    assert integer(np.int64(number)) == number
    assume(number not in (0, 1))
    assert integer(number + 0.5) is None


def test_integer_of_what_is_none() -> None:
    for value in (True, "x", "1e3", "²", "", None, math.inf, math.nan, [1]):
        assert integer(value) is None
