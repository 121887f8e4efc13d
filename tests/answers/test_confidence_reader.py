"""Stated confidence: what is read, what is not guessed at, and that hostile text costs little."""

from __future__ import annotations

import gc
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viva.answers.confidence import CONFIDENCE_REASONS, WORDS, read_confidence
from viva.errors import InputError

READ = {
    "Confidence: 85%": 0.85,
    "**Confidence:** 0.85": 0.85,
    '{"answer": "B", "confidence": 0.85}': 0.85,
    "confidence_score: 0.77": 0.77,
    "Confidence: .85": 0.85,
    "Confidence: 87,5 %": 0.875,
    "Confidence (0-100): 85": 0.85,
    "Confidence (in %): 8": 0.08,
    "Confidence (on a scale from 1 to 10): 7": 0.7,
    "Confidence: 8/10": 0.8,
    "Confidence in my answer: 75 out of 100": 0.75,
    "Confidence: 1.0": 1.0,
    "Confidence: 0": 0.0,
    "Confidence: 1%": 0.01,
    "Confidence: approximately 70 percent": 0.7,
    "I am 85 % sure": 0.85,
    "I'm about 90% confident that it is B.": 0.9,
    "The answer is B (85% confident).": 0.85,
    "85% sure": 0.85,
    "My answer is B with 85% confidence.": 0.85,
    "I choose B with a confidence of 85%": 0.85,
    "The probability that my answer is correct is 0.7": 0.7,
    "Overall, my confidence is 65%": 0.65,
    "Step confidence: 70%\nOverall confidence: 80%": 0.8,
    "Confidence: 85%. I am 85% sure.": 0.85,
    "<think>Confidence: 20%</think>B. Confidence: 90%": 0.9,
}
NOT_READ = {
    "": "no answer text",
    "The answer is B.": "no confidence stated",
    "a 95% confidence interval of 0.8 to 0.9": "no confidence stated",
    "95% confidence interval: 80%": "no confidence stated",
    "At a confidence level of 95%, the trial shows": "no confidence stated",
    "The sensitivity is 85% and the test is certain.": "no confidence stated",
    "The doctor is 80% sure": "no confidence stated",
    "Your confidence: 80%": "no confidence stated",
    "if I am 90% sure": "no confidence stated",
    "Confidence: high": "no confidence stated",
    "Confidence: -5%": "no confidence stated",
    "<think>Confidence: 20%": "cut inside the thinking",
}
UNCLEAR = {
    "Confidence: 8": "scale not clear",
    "Confidence: 1": "scale not clear",
    "Confidence level: 80-90%": "a range",
    "Confidence: 0-100": "a range",
    "Confidence: 0.8 to 0.9": "a range",
    "Confidence: at least 80%": "a bound",
    "I am not 100% sure": "a bound",
    "Confidence: >90%": "a bound",
    "Confidence: 120%": "off the scale",
    "Confidence: 11/10": "off the scale",
    "Confidence: 70%\nConfidence: 80%": "two confidences",
}


@pytest.mark.parametrize("text", READ)
def test_stated(text):
    found = read_confidence(text)
    assert (found.status, found.value, found.reason) == ("parsed", pytest.approx(READ[text]), None)
    assert text[slice(*found.span)][0] in "0123456789."


@pytest.mark.parametrize(("text", "reason"), NOT_READ.items())
def test_not_stated(text, reason):
    found = read_confidence(text)
    assert (found.status, found.value, found.span) == ("unparsed", None, None)
    assert found.reason == reason


@pytest.mark.parametrize(("text", "reason"), UNCLEAR.items())
def test_stated_but_no_number(text, reason):
    found = read_confidence(text)
    assert (found.status, found.value, found.reason) == ("ambiguous", None, reason)


def test_reasons_are_listed():
    assert {*NOT_READ.values(), *UNCLEAR.values()} <= set(CONFIDENCE_REASONS)
    assert read_confidence("B", thinking_open=True).reason in CONFIDENCE_REASONS


def test_a_scale_that_was_asked_for():
    assert read_confidence("Confidence: 8", scale=10).value == pytest.approx(0.8)
    assert read_confidence("Confidence: 1", scale=1).value == 1
    assert read_confidence("Confidence: 1", scale=100).value == pytest.approx(0.01)
    # What the answer says itself stands above what was asked for.
    assert read_confidence("Confidence: 80%", scale=10).value == pytest.approx(0.8)
    assert read_confidence("Confidence: 80", scale=10).reason == "off the scale"
    with pytest.raises(InputError, match="scale"):
        read_confidence("Confidence: 8", scale=7)


def test_words_only_where_asked_for():
    assert read_confidence("Confidence: very high").value is None
    assert read_confidence("Confidence: very high", words=WORDS).value == 0.9
    assert read_confidence("Confidence: High.", words=WORDS).value == 0.7
    assert read_confidence("Confidence: somewhat", words=WORDS).value is None
    with pytest.raises(InputError):
        read_confidence("x", words={"sure": 1.2})


@given(st.integers(0, 100), st.sampled_from(["Confidence: {}%", "I am {}% sure", "({} % certain)"]))
def test_every_percentage(percent, form):
    assert read_confidence(form.format(percent)).value == pytest.approx(percent / 100)


@given(st.decimals(0, 1, places=3).filter(lambda d: d not in (0, 1)))
def test_every_fraction(fraction):
    found = read_confidence(f"Answer: B\nConfidence: {fraction}")
    assert found.value == pytest.approx(float(fraction))


ALPHABET = st.sampled_from(
    ["confidence", "Confidence:", " ", "85", "%", "0.", "9", "I am ", "sure", "not ", "-", "to ",
     "/10", "(", ")", "interval", "\n", "overall ", "final ", "my ", "<think>", "</think>", "é"]
)  # fmt: skip


@given(st.lists(ALPHABET, max_size=40).map("".join) | st.text(max_size=200))
def test_nothing_breaks_it_and_values_are_shares(text):
    found = read_confidence(text, words=WORDS)
    assert (found.value is not None) == (found.status == "parsed") == (found.reason is None)
    if found.value is not None:
        assert 0 <= found.value <= 1
    if found.span is not None:
        assert text[slice(*found.span)].strip()
    if found.reason is not None:
        assert found.reason in CONFIDENCE_REASONS


@given(st.text(alphabet="abcdefg .,\n", max_size=80))
def test_text_without_a_word_of_confidence_states_none(text):
    assert read_confidence(f"The value is 85%. {text}").value is None


@pytest.mark.parametrize(
    "piece",
    [
        "confidence ",
        "i am ",
        "confidence: 85 ",
        "my answer with ",
        "( ",
        "overall ",
        "with 8 ",
        "9",
    ],
)
def test_linear_in_the_length(piece):
    def seconds(n: int) -> float:
        text = piece * (n // len(piece)) + " sure"
        gc.disable()  # what other tests left on the heap is no cost of the reader
        try:
            started = time.process_time()
            read_confidence(text)
            return time.process_time() - started
        finally:
            gc.enable()

    seconds(1000)
    short, long = (min(seconds(n) for _ in range(3)) for n in (100_000, 800_000))
    assert long < 30 * max(short, 0.005)
