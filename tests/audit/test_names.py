"""Two sources of one model: refused in one line that says what to do, told apart by names."""

from __future__ import annotations

import pytest
from made_answers import answers, items

import viva
from viva.errors import InputError


@pytest.fixture(scope="module")
def two():
    questions = items(80)
    return questions, [answers(questions, "m", seed=1), answers(questions, "m", seed=2)]


def test_a_clash_says_what_to_do(two):
    questions, sources = two
    with pytest.raises(InputError, match=r"contradict.*--name A --name B.*diff-config"):
        viva.audit(questions, sources, resamples=100)


def test_names_tell_them_apart(two):
    questions, sources = two
    summary = viva.audit(questions, sources, names=["first", "second"], resamples=100).summary
    assert set(summary["models"]) == {"first", "second"}
    assert {(c["a"], c["b"]) for c in summary["comparisons"]} == {("first", "second")}


def test_names_fit_the_sources(two):
    questions, sources = two
    with pytest.raises(InputError, match="1 names for 2 sources"):
        viva.audit(questions, sources, names=["first"], resamples=100)
    both = sources[0] + answers(questions, "other")
    with pytest.raises(InputError, match="holds 2 models"):
        viva.audit(questions, [both, sources[1]], names=["first", "second"], resamples=100)
