"""What trainers read: the prompts of evaluation, and a loss on the completion alone."""

from __future__ import annotations

import dataclasses
import json

import pytest

from viva.errors import InputError
from viva.records import Choice, Item
from viva.synthesis import Example

pytest.importorskip("transformers", reason="the extra hf is not installed")

from trainings import OPTIONS, examples

from tiny import STYLES, _tokenizer, tiny_model
from viva.training.datasets import fitted, rows_of
from viva.training.recipes import Recipe

ONE = Example(
    Item("made", "q", "Which drug lowers fever?", OPTIONS, Choice(0)),
    completion="It does not. The answer is (A).",
    rejected="It does. The answer is (B).",
    start="Iron lowers fever.",
    start_kind="wrong",
)
STAGE = {"name": "a", "trainer": "sft"}


def made(**more):
    given = {"id": "made", "title": "Made", "summary": "Made.", "stages": [STAGE]}
    return Recipe.model_validate(given | more)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("start", ["", "Iron lowers fever."])
def test_only_the_completion_is_in_the_loss(style, start):
    tokenizer = _tokenizer(STYLES[style], 2048)
    example = dataclasses.replace(ONE, start=start)
    ((row,), *_) = rows_of([example], "sft", made(), tokenizer)
    learned = [i for i, label in zip(row["input_ids"], row["labels"], strict=True) if label != -100]
    assert row["labels"][-len(learned) :] == learned  # one run, at the end
    assert tokenizer.decode(learned, skip_special_tokens=True).strip() == ONE.completion
    assert learned[-1] == tokenizer.eos_token_id
    before = tokenizer.decode(row["input_ids"][: -len(learned)])
    assert "Which drug lowers fever?" in before
    assert before.count("Iron lowers fever.") == bool(start)
    assert before.rstrip().endswith(start)
    assert row["prompt"].count(tokenizer.bos_token or "\0") <= 1
    assert row["input_ids"].count(tokenizer.bos_token_id) <= 1


def test_pairs_share_the_prompt_and_differ_behind_it():
    tokenizer = _tokenizer(STYLES["chatml"], 2048)
    ((row,), *_) = rows_of([ONE], "dpo", made(), tokenizer)
    for side, text in (("chosen", ONE.completion), ("rejected", ONE.rejected)):
        assert tokenizer.decode(row[f"{side}_ids"][:-1]).strip() == text
        assert row[f"{side}_ids"][-1] == tokenizer.eos_token_id
    assert tokenizer.decode(row["prompt_ids"]).endswith(ONE.start)


def test_the_thinking_that_the_template_opens_is_not_opened_twice():
    tokenizer = _tokenizer(STYLES["deepseek_r1"], 2048)
    example = dataclasses.replace(
        ONE, start="", completion="<think>\nFever.</think>\nThe answer is (A)."
    )
    rows = rows_of([example], "sft", made(thinking="open"), tokenizer)
    assert rows.thinking_open
    assert tokenizer.decode(rows.rows[0]["input_ids"]).count("<think>") == 1


def test_reinforcement_is_given_each_prompt_once_with_its_item():
    tokenizer = _tokenizer(STYLES["chatml"], 2048)
    unkeyed = dataclasses.replace(ONE, item=dataclasses.replace(ONE.item, target=None), number=2)
    rows = rows_of([ONE, dataclasses.replace(ONE, number=1), unkeyed], "grpo", made(), tokenizer)
    (row,) = rows.rows
    assert rows.left_out == {"the same prompt again": 1, "no key": 1}
    assert json.loads(row["item"])["question"] == ONE.item.question
    assert (row["start"], row["start_kind"]) == (ONE.start, "wrong")
    assert row["prompt"].endswith(ONE.start)


@pytest.mark.parametrize(
    ("trainer", "said"), [("sft", "no completion"), ("dpo", "no completion"), ("grpo", "no key")]
)
def test_nothing_to_learn_from_is_refused_with_the_reason(trainer, said):
    tokenizer = _tokenizer(STYLES["chatml"], 2048)
    bare = Example(Item("made", "q", "Which?", OPTIONS, None))
    with pytest.raises(InputError, match=f"none can be used by {trainer}.*{said}"):
        rows_of([bare], trainer, made(), tokenizer)


def test_what_is_longer_than_a_row_may_be_is_cut_or_left_out():
    tokenizer = _tokenizer(STYLES["chatml"], 2048)
    rows = rows_of(examples(3), "sft", made(), tokenizer)
    lengths = [len(row["input_ids"]) for row in rows.rows]
    prompts = [row["labels"].count(-100) for row in rows.rows]
    cut = fitted(rows, "sft", max(prompts) + 2)
    assert [len(row["labels"]) for row in cut.rows] == [max(prompts) + 2] * 3
    assert fitted(rows, "sft", max(lengths)).rows == rows.rows
    with pytest.raises(InputError, match="longer than max_length"):
        fitted(rows, "sft", min(prompts))
    end = fitted(rows, "sft", 5, "keep_end")
    assert [row["labels"] for row in end.rows] == [row["labels"][-5:] for row in rows.rows]


@pytest.mark.parametrize("style", ["llama3", "none"])
def test_training_and_evaluation_give_the_model_the_same_tokens(style, tmp_path, monkeypatch):
    from transformers import AutoTokenizer

    import viva
    from viva.models import ModelOptions, Sampling
    from viva.models._turns import Turns

    base = tiny_model(tmp_path / "base", template=style)
    seen = []
    opened = Turns.open

    def open_and_keep(self, *given, **named):
        turn = opened(self, *given, **named)
        seen.append(turn.ids)
        return turn

    tokenizer = AutoTokenizer.from_pretrained(base)
    said = {"system": "You are a doctor."}
    example = dataclasses.replace(ONE, start="")
    ((row,), *_) = rows_of([example], "dpo", made(method="direct", parameters=said), tokenizer)
    template = tmp_path / "template.jinja"
    template.write_text(tokenizer.chat_template)
    monkeypatch.setattr(Turns, "open", open_and_keep)
    row_of_item = {
        "benchmark": "made", "item_id": "q", "question": ONE.item.question,
        "options": list(OPTIONS), "answer": 0,
    }  # fmt: skip
    viva.evaluate(
        model=f"hf/{base}", benchmark=[row_of_item], method="direct", parameters=said,
        out=tmp_path / "run", sampling=Sampling(max_completion_tokens=2),
        options=ModelOptions(chat_template=str(template)),
    )  # fmt: skip
    assert row["prompt_ids"] in seen
