"""Hostile completions: the reader's time grows with the length of the text, not with its square."""

from __future__ import annotations

import time

import pytest

from viva.answers import peers, read

OPTIONS = ("Aspirin", "Ketamine", "Ibuprofen tablets 5 mg", "None of the above")

UNITS = {
    "letters": "A",
    "lone letters": "A ",
    "letters and commas": "A, ",
    "letters and slashes": "A/",
    "letters and": "A and ",
    "brackets": "(",
    "closing brackets": ")",
    "braces": "{",
    "boxes": "\\boxed{",
    "latex": "\\text{",
    "backslashes": "\\",
    "newlines": "\n",
    "blanks": " ",
    "tabs": "\t",
    "thinking": "<think>",
    "thinking closed": "<think>a</think>",
    "lone closing": "</think>",
    "angle": "<",
    "chat tokens": "<|im_start|>",
    "chat token starts": "<|",
    "inst": "[INST]",
    "headings": "## Thinking\n",
    "hashes": "#",
    "json": '{"a":',
    "json answers": '{"answer": "',
    "json answers closed": '{"answer": "x"} ',
    "quotes": '"',
    "apostrophes": "'",
    "announced": "answer is ",
    "labels": "answer: ",
    "tags": "<answer>",
    "closing tags": "</answer>",
    "negations": "not but ",
    "answer not but": "the answer is not but ",
    "choose": "I choose ",
    "therefore": "therefore, ",
    "is correct": "is correct ",
    "subjects": "option a, ",
    "is the most likely": "is the most likely ",
    "is": "is ",
    "option text": "aspirin ",
    "long option text": "ibuprofen tablets 5 ",
    "sentences": "Aspirin is the best. ",
    "if": "if ",
    "the user says": "the user says ",
    "wait": "wait, actually ",
    "list": "A. Aspirin\nB. Ketamine\n",
    "turn": "\nQuestion",
    "turn marks": "\n> > > > ",
    "full stops": ". ",
    "question marks": "?",
    "digits": "5",
    "decimals": "5.",
    "hyphens": "-",
    "chinese": "答案",
    "chinese choose": "应选",
    "combining": "a\u0301",
    "emoji": "\U0001f600",
    "full width": "Ａ",
    "surrogate": "\ud800",
    "null": "\x00",
    "zero width": "\u200b",
    "right to left": "\u202e",
    "dotted I": "\u0130",
    "the": "the ",
    "option": "option ",
    "a the": "a the ",
    "analysis": "assistantfinal",
    "none of": "none of ",
    "as follows": "the answer is as follows ",
}


def _seconds(text: str) -> float:
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        read(text, options=OPTIONS)
        best = min(best, time.process_time() - start)
    return best


@pytest.mark.parametrize("name", UNITS)
def test_time_grows_linearly(name: str) -> None:
    unit = UNITS[name]
    small, large = (unit * (size // len(unit)) for size in (40_000, 160_000))
    _seconds(small[:2000])
    # Four times the text may take eight times as long, for noise; sixteen would be the square.
    # The constant keeps times of less than a few milliseconds out of the ratio.
    assert _seconds(large) <= 8 * _seconds(small) + 0.02


@pytest.mark.parametrize("name", UNITS)
@pytest.mark.parametrize("around", ["The answer is {}", "{} The answer is B.", "<think>{}", "B {}"])
def test_never_raises(name: str, around: str) -> None:
    text = around.format("") if "{" in UNITS[name] else around.replace("{}", UNITS[name] * 300)
    reading = read(text, options=OPTIONS)
    assert reading.value in (None, "A", "B", "C", "D")


def test_the_end_is_read_after_hostile_text() -> None:
    for unit in UNITS.values():
        if "think" in unit.lower() or unit.startswith(("<|", "[INST")):
            continue
        text = unit * (20_000 // len(unit)) + "\n\nThe answer is B."
        assert read(text, options=OPTIONS).value in ("B", None)


def test_peers_never_raise() -> None:
    for unit in UNITS.values():
        for rule in peers.PEERS.values():
            assert rule(unit * 200, OPTIONS) in (None, *"ABCD")
