"""Right answers in dresses that were not read once, and what is taken back where it stands."""

from __future__ import annotations

import gzip
import itertools
import json

import pytest

from viva.answers import form_of, read, reading
from viva.records import Choice, Item, Status
from viva.targets import Number, Text
from viva.training.rewards import REWARDS
from viva.training.rewards.completions import read_answer

OPTIONS = ("Furosemide", "Spironolactone", "Vomiting", "Conn syndrome")
DRESSES = {
    "letter: the exception is": (
        Item("t", "1", "All cause hypokalaemia EXCEPT:", OPTIONS, Choice(1)), "The exception is B."
    ),
    "number: a sentence below a heading": (
        Item("t", "1", "6 times 7?", (), Number(42.0)), "## Solution\n\nThe product is **42**."
    ),
    "text: the noun of the question": (
        Item("t", "1", "Which antidote?", (), Text(("naloxone",))), "The antidote is naloxone."
    ),
    "text: a sentence between tags": (
        Item("t", "1", "Which diagnosis?", (), Text(("gout",))),
        "<answer>The diagnosis is gout.</answer>",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(DRESSES))
def test_unusual_dress(name):
    item, text = DRESSES[name]
    assert REWARDS["any_outcome"].function(item, text) == 1


@pytest.mark.parametrize(
    "text",
    [
        r"\boxed{B} \text{ is wrong}",
        "The answer is B, or maybe C.",
        "The answer is B (or C).",
        "Answer: B = C",
    ],
)
def test_what_is_taken_back_is_read_by_neither(text):
    """Evaluation and reward read alike."""
    item = Item("t", "1", "Which drug?", OPTIONS, Choice(1))
    assert read(text, form_of(item)).status is not Status.PARSED
    assert REWARDS["any_outcome"].function(item, text) == 0


def test_what_is_asked_is_not_paid():
    item = Item("t", "1", "Which drug?", OPTIONS, Choice(1))
    for text in ("The answer is B?", "Most likely B, but it could be C."):
        assert REWARDS["any_outcome"].function(item, text) == 0


def test_the_text_of_an_option_behind_its_letter_takes_nothing_back():
    item = Item("t", "1", "Which drug?", OPTIONS, Choice(1))
    assert read("Answer: B = Spironolactone", form_of(item)).value == "B"
    assert read("The answer is C. The exception is B.", form_of(item)).value == "C"


@pytest.mark.shared
def test_what_counts_as_taken_back_costs_no_real_answer(shared, monkeypatch):
    strict, lenient = [], []
    for name in ("mirage_gpt-35-turbo-16k_cot", "misled_answers", "qwq32b_completions"):
        path = shared / "model_outputs" / f"{name}.jsonl.gz"
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for line in itertools.islice(file, 1000):
                row = json.loads(line)
                text = row.get("completion") or row.get("response") or ""
                item = Item("t", "1", "?", ("\x00", "\x01", "\x02", "\x03", "\x04"), Choice(0))
                strict.append(read_answer(item, text).status is Status.PARSED)
                with monkeypatch.context() as patched:
                    patched.setattr(reading, "taken_back", lambda *_: None)
                    lenient.append(read(text, form_of(item)).status is Status.PARSED)
    assert sum(lenient) > 2000
    assert sum(strict) >= 0.999 * sum(lenient)
