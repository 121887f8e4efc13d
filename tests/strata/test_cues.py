from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from viva.strata import bundled_labels
from viva.strata.cues import _ASK, _ASK_PHRASES, _BODY_PATTERN, _asked_for
from viva.strata.text import question

PARTS = [
    "patient's", "patients", "age 5", "45-year-old", "treat", "retreated", "how", "show", "many",
    "p-value", "mode of action", "acts", "fact", "due to", "undue", "of the drug", "this", "rate",
    "separate", "not", "knot", "genes", "in this condition", "next best step", "of", "most likely",
    "rule out", "\u017fource", "caf\u00e9", "_", "3", "?", ":", "-", "wouldshow", "would show",
    "type of", "term", "tests", "is", "what", "which of the following",
]  # fmt: skip


def flags(ask):
    return [1.0 if pattern.search(ask.lower()) else 0.0 for pattern in _ASK]


def test_looking_at_the_words_first_misses_no_kind_of_asking():
    met = [0.0] * len(_ASK)
    for stem in bundled_labels("rubric")["question"].to_list():
        q = question(stem, text_view="stem")
        found = _asked_for(q)
        assert found == flags(q.ask)
        met = [a + b for a, b in zip(met, found, strict=True)]
    assert min(met) > 0, dict(zip(_ASK_PHRASES, met, strict=True))


@settings(max_examples=200)
@given(st.lists(st.sampled_from(PARTS) | st.text(max_size=5), max_size=8), st.sampled_from(" -"))
def test_no_text_is_misread_by_looking_at_the_words_first(parts, between):
    q = question(between.join(parts), text_view="stem")
    assert _asked_for(q) == flags(q.ask)
    body = q.stem.lower()
    for pattern, needed in _BODY_PATTERN.values():
        assert any(part in body for part in needed) or not pattern.search(body)
