"""Edits that change no meaning change no reading: on real completions, and on answers put to them."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from viva.answers import read
from viva.records import LETTERS

EDITS: dict[str, Callable[[str], str]] = {
    "closed thinking": lambda t: f"<think>\nMaybe A. The answer is D.\n</think>\n\n{t}",
    "thinking opened by the template": lambda t: f"Hmm, the answer is A, or C.\n</think>\n\n{t}",
    "end token": lambda t: f"{t}<|im_end|>",
    "further turn": lambda t: f"{t}<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nA: C",
    "thanks": lambda t: f"{t}\n\nI hope this helps! Let me know if you have any questions.",
    "disclaimer": lambda t: f"{t}\n\nDisclaimer: not medical advice. Consult a professional.",
    "lead": lambda t: f"Sure, here is my answer.\n\n{t}",
    "fence": lambda t: f"```json\n{t}\n```",
    "line ends": lambda t: t.replace("\n", "\r\n"),
    "blanks": lambda t: f"\n\n  {t}  \n\n",
    "invented question": lambda t: f"{t}\n\nQuestion: What next?\nA. foo\nB. bar\nAnswer: A",
    "invented user": lambda t: f"{t}\n\nUser: thanks\nAssistant: The answer is D.",
    "hard spaces": lambda t: t.replace(" ", "\u00a0"),
}
ANSWERS: dict[str, Callable[[str, str], str]] = {
    "letter": lambda key, text: f"The answer is {key}.",
    "bold": lambda key, text: f"**Answer: {key}. {text}**",
    "box": lambda key, text: f"\\boxed{{{key}}}",
    "tag": lambda key, text: f"<answer>{key}</answer>",
    "conclusion": lambda key, text: f"Therefore, the correct answer is ({key}) {text}.",
}


@pytest.fixture(scope="module")
def completions(shared: Path) -> list[tuple[str, tuple[str, ...]]]:
    """300 completions of MedQA questions, with the options."""
    items = [
        tuple(item["options"][letter] for letter in sorted(item["options"]))
        for item in map(json.loads, (shared / "medqa/medqa_us_4opt_test.jsonl").open())
    ]
    path = shared / "model_outputs/mirage_gpt-35-turbo-16k_cot.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [row for row in map(json.loads, file) if row["dataset"] == "medqa"]
    rows = random.Random(0).sample(rows, 300)
    return [(row["completion"], items[int(row["id"])]) for row in rows]


@pytest.mark.shared
@pytest.mark.parametrize("name", EDITS)
def test_the_reading_of_a_completion_stays(name: str, completions) -> None:
    for text, options in completions:
        if text.strip():
            edited = EDITS[name](text)
            assert read(edited, options=options).value == read(text, options=options).value, edited


@pytest.mark.shared
@pytest.mark.parametrize("style", ANSWERS)
def test_an_answer_put_at_the_end_is_read(style: str, completions) -> None:
    for number, (text, options) in enumerate(completions):
        option = number % len(options)
        thoughts = text.split('", "answer_choice')[0].split('": "', 1)[-1]
        said = f"{thoughts}\n\n{ANSWERS[style](LETTERS[option], options[option])}"
        assert read(said, options=options).value == LETTERS[option], said


@pytest.mark.shared
def test_shuffled_options_move_the_letter_with_the_text(completions) -> None:
    rng = random.Random(1)
    for _, options in completions:
        if len(set(options)) < len(options) or min(map(len, options)) < 2:
            continue  # equal texts, or texts that are themselves letters
        chosen = rng.choice(options)
        shuffled = rng.sample(options, len(options))
        reading = read(f"Final answer: {chosen}", options=shuffled)
        assert reading.value == LETTERS[shuffled.index(chosen)]
