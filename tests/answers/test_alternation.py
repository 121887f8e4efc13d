"""Alternations grouped by letter match what the plain ones match."""

from __future__ import annotations

import re

import pytest

from viva.answers import _phrases as phrases
from viva.answers._alternation import by_letter

TABLES = [phrases._VERBS, phrases._NOUNS, phrases._CONCLUSIONS, phrases._CORRECTIONS, phrases._IT]
TEXT = (
    "wait, actually the answer is b; so i'd say no, it's c. by elimination: here, sorry, "
    "changing my answer from a to b makes b the best choice, correct : d, let's say ok, "
    "option b, key, final answer, leaning towards a, its b"
)


@pytest.mark.parametrize("alternation", TABLES, ids=["verb", "noun", "concl", "corr", "it"])
def test_same_matches(alternation: str) -> None:
    plain = [m.span() for m in re.finditer(rf"(?<![a-z])(?:{alternation})(?![a-z])", TEXT)]
    grouped = [
        m.span() for m in re.finditer(rf"(?<![a-z])(?:{by_letter(alternation)})(?![a-z])", TEXT)
    ]
    assert plain == grouped
    assert plain


def test_groups_classes_and_escapes_stay_whole() -> None:
    assert by_letter(r"a(?:b|c)|d[|)]|a\||e?f") == r"a(?:(?:b|c)|\|)|d[|)]|e?f"
