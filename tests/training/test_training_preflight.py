"""Checks before training: each silent failure is made for real, and refused for what it is."""

from __future__ import annotations

import io
import json

import pytest

pytest.importorskip("trl")

from tiny import tiny_model
from viva.errors import InputError
from viva.formats.item_json import item_to_json
from viva.records import Choice, Item, items_frame
from viva.synthesis import Example
from viva.targets import Text
from viva.training import preflight as checks
from viva.training.datasets import rows_of
from viva.training.preflight import CHECKS, preflight, settle
from viva.training.recipes import Recipe
from viva.training.rewards import find_reward, to_trl

OPTIONS = ("Aspirin", "Metformin", "Heparin", "Insulin")
SIGNS = ("chest pain", "a dry cough", "night sweats", "a swollen knee", "blurred vision")
THOUGHT = "<think>\nIt fits the signs.\n</think>\n\nThe answer is "


def items(n=40, **more):
    return [
        Item(
            "made",
            str(i),
            f"Patient number {i} of {i * 7 % 90 + 5} years has had {SIGNS[i % 5]} for {i} days and "
            f"takes {OPTIONS[i * 3 % 4]} {i * 13 % 50} mg. Which drug is given next to case {i}?",
            OPTIONS,
            Choice(i % 4),
            **more,
        )
        for i in range(n)
    ]


def examples(n=40, completion=THOUGHT, start=""):
    return [
        Example(
            item,
            completion + "ABCD"[item.target.index] if completion is not None else None,
            start=start,
        )
        for item in items(n)
    ]


def recipe(**more):
    return Recipe.model_validate(
        {"id": "r", "title": "t", "summary": "s", "thinking": "tags",
         "stages": [{"name": "sft", "trainer": "sft"}]} | more
    )  # fmt: skip


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Tokenizers and models of several families, each loaded once."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = tmp_path_factory.mktemp("models")
    loaded = {}

    def of(style, answers=True):
        if (style, answers) not in loaded:
            path = tiny_model(folder / f"{style}-{answers}", template=style, answers=answers)
            loaded[style, answers] = (
                AutoTokenizer.from_pretrained(path), AutoModelForCausalLM.from_pretrained(path)
            )  # fmt: skip
        return loaded[style, answers]

    return of


def fresh(tokenizer, template=None):
    """A copy of a tokenizer, with another template."""
    import copy

    made = copy.deepcopy(tokenizer)
    if template is not None:
        made.chat_template = template
    return made


def levels(findings):
    """The worst level of each check."""
    found = {}
    for each in findings:
        at = checks.LEVELS.index
        if each.check not in found or at(each.level) > at(found[each.check]):
            found[each.check] = each.level
    return found


def said(findings, check):
    return next(each for each in findings if each.check == check and each.level != "ok")


def turns(n=8, completion=THOUGHT):
    """Rows of messages, as TRL's own trainers take them."""
    return [
        {
            "prompt": [{"role": "user", "content": e.item.question}],
            "completion": [{"role": "assistant", "content": e.completion}],
        }
        for e in examples(n, completion)
    ]


def grpo(tokenizer, made, rec=None):
    rec = rec or recipe(
        thinking="none", stages=[{"name": "g", "trainer": "grpo", "reward": "choice"}]
    )
    return rows_of(made, "grpo", rec, tokenizer)


REWARD = to_trl(find_reward("choice").function, name="choice")
SMALL = {"max_completion_length": 48, "per_device_train_batch_size": 8, "num_generations": 4}


# What is right is let through.


@pytest.mark.parametrize("style", ["chatml", "llama3", "mistral", "gemma", "qwen3", "none"])
def test_a_sound_sft_passes_in_every_family(models, style):
    tokenizer = fresh(models(style)[0])
    made = rows_of(examples(), "sft", recipe(), tokenizer)
    found = preflight("sft", made.rows, tokenizer, models(style)[1], examples=made.examples,
                      thinking="tags", evaluation=items_frame([Item("other", "1", "Why is the sky "
                      "blue in the morning but red when the sun goes down behind hills?",
                      ("Dust", "Light"), Choice(1))]))  # fmt: skip
    assert set(levels(found).values()) == {"ok"}, [f for f in found if f.level != "ok"]
    assert {"answers", "stop_token", "thinking_kept", "evaluation_overlap"} <= set(levels(found))


def test_a_sound_grpo_passes_and_leaves_the_model_as_it_was(models):
    import torch

    tokenizer, model = models("chatml")
    made = grpo(fresh(tokenizer), examples(completion=None))
    model.train()
    before = torch.random.get_rng_state()
    found = preflight("grpo", made.rows, tokenizer, model, examples=made.examples, settings=SMALL,
                      reward_functions=[REWARD], probe_prompts=12)  # fmt: skip
    assert model.training
    assert torch.equal(before, torch.random.get_rng_state())
    assert set(levels(found).values()) == {"ok"}, [f for f in found if f.level != "ok"]
    assert {"completions_cut", "answers_read", "reward_spread"} <= set(levels(found))
    again = preflight("grpo", made.rows, tokenizer, model, examples=made.examples, settings=SMALL,
                      reward_functions=[REWARD], probe_prompts=12)  # fmt: skip
    assert found == again


# Templates.


def test_the_template_that_opens_thinking_needs_the_recipe_to_say_so(models):
    tokenizer = fresh(models("deepseek_r1")[0])
    made = rows_of(examples(), "sft", recipe(), tokenizer)
    for thinking, level in (("tags", "refuse"), ("none", "refuse"), ("open", "ok")):
        found = preflight("sft", made.rows, tokenizer, examples=made.examples, thinking=thinking)
        assert levels(found)["thinking"] == level
    assert (
        'thinking = "open"'
        in said(
            preflight("sft", made.rows, tokenizer, examples=made.examples, thinking="tags"),
            "thinking",
        ).mend
    )


def test_a_template_that_opens_no_thinking_is_not_called_open(models):
    tokenizer = fresh(models("chatml")[0])
    made = rows_of(examples(), "sft", recipe(), tokenizer)
    found = preflight("sft", made.rows, tokenizer, examples=made.examples, thinking="open")
    assert levels(found)["thinking"] == "refuse"


def test_an_empty_thinking_block_in_the_prompt_is_refused(models):
    tokenizer = fresh(models("qwen3")[0])
    rec = recipe(chat_template_kwargs={"enable_thinking": False})
    made = rows_of(examples(), "sft", rec, tokenizer)
    found = preflight("sft", made.rows, tokenizer, examples=made.examples, thinking="tags")
    assert levels(found)["thinking"] == "refuse"
    assert "enable_thinking" in said(found, "thinking").mend
    found = preflight("sft", made.rows, tokenizer, examples=made.examples, thinking="none")
    assert levels(found)["thinking"] == "ok"


def test_a_template_that_swallows_thinking_is_refused(models):
    swallowing = (
        "{% for m in messages %}<|im_start|>{{ m['role'] }}\n"
        "{{ m['content'].split('</think>')[-1].strip() }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    tokenizer = fresh(models("chatml")[0], swallowing)
    found = preflight("sft", turns(), tokenizer, thinking="tags")
    assert levels(found)["thinking_kept"] == "refuse"
    swallowed = [f for f in found if f.check == "thinking_kept" and "completions" in f.what]
    assert "'<think>'" in swallowed[0].what
    assert swallowed[0].value == 1.0
    # What a stage of ours writes keeps it; what serves the model later would not.
    made = rows_of(examples(), "sft", recipe(), tokenizer)
    found = preflight("sft", made.rows, tokenizer, examples=made.examples, thinking="tags")
    assert levels(found)["thinking_kept"] == "refuse"
    assert "finished turn" in said(found, "thinking_kept").what


def test_messages_under_a_template_that_drops_thinking_lose_it_as_trl_tokenises(models, tmp_path):
    """What the check says of a row is what TRL's own trainer makes of it."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    from viva.training._rendering import render

    for style in ("chatml", "qwen3", "deepseek_r1", "llama3"):
        tokenizer, model = models(style)
        tokenizer = fresh(tokenizer)
        rows = turns(4)
        config = SFTConfig(str(tmp_path), use_cpu=True, bf16=False, report_to="none",
                           gradient_checkpointing=False)  # fmt: skip
        trainer = SFTTrainer(model, config, train_dataset=Dataset.from_list(rows),
                             processing_class=tokenizer)  # fmt: skip
        for row, made in zip(rows, trainer.train_dataset, strict=True):
            own = render(row, tokenizer).trained[0]
            learned = [t for t, label in zip(made["input_ids"], made["labels"], strict=True)
                       if label != -100]  # fmt: skip
            assert own.ids == learned, style
            assert own.length == len(made["input_ids"])


def test_a_template_that_puts_an_empty_block_before_answers_is_refused(models):
    tokenizer = fresh(models("qwen3")[0])
    rows = turns(completion="The answer is ")
    found = preflight("sft", rows, tokenizer, thinking="tags")
    assert any("empty thinking block" in f.what for f in found if f.level == "refuse")


def test_a_template_without_a_generation_prompt_is_refused(models):
    bare = (
        "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n"
        "{% endfor %}"
    )
    tokenizer = fresh(models("chatml")[0], bare)
    made = rows_of(examples(), "sft", recipe(), tokenizer)
    found = preflight("sft", made.rows, tokenizer, examples=made.examples, thinking="tags")
    assert levels(found)["generation_prompt"] == "refuse"
    assert "assistant" in said(found, "generation_prompt").what


def test_a_template_that_takes_no_such_turn_is_refused(models):
    rows = [{"prompt": [{"role": "system", "content": "s"}, *row["prompt"]],
             "completion": row["completion"]} for row in turns()]  # fmt: skip
    found = preflight("sft", rows, fresh(models("gemma")[0]), thinking="tags")
    assert levels(found)["prompt"] == "refuse"
    assert "System role not supported" in said(found, "prompt").what


# Tokens and lengths.


def test_completions_without_a_stop_are_refused(models):
    tokenizer, model = models("chatml")
    tokenizer = fresh(tokenizer)
    tokenizer.eos_token = "<|pad|>"  # the template ends turns with another token
    model_ends = model.generation_config.eos_token_id
    model.generation_config.eos_token_id = None
    try:
        found = preflight("sft", turns(), tokenizer, model, thinking="tags")
    finally:
        model.generation_config.eos_token_id = model_ends
    assert levels(found)["stop_token"] == "refuse"
    assert levels(found)["padding"] == "warn"


def test_a_stop_inside_completions_is_said(models):
    tokenizer = fresh(models("chatml")[0])
    said_twice = examples(completion="One.<|im_end|>\n" + THOUGHT * 4)
    made = rows_of(said_twice, "sft", recipe(), tokenizer)
    found = preflight("sft", made.rows, tokenizer, examples=made.examples, thinking="tags")
    assert levels(found)["stop_token"] == "warn"


@pytest.mark.parametrize(("limit", "level"), [(40, "refuse"), (10_000, "ok"), (None, "ok")])
def test_completions_that_are_cut_are_refused_with_the_length_that_fits(models, limit, level):
    tokenizer = fresh(models("chatml")[0])
    made = rows_of(examples(), "sft", recipe(), tokenizer)
    found = preflight("sft", made.rows, tokenizer, examples=made.examples, thinking="tags",
                      settings={"max_length": limit})  # fmt: skip
    assert levels(found)["completion_length"] == level
    if level == "refuse":
        mend = said(found, "completion_length").mend
        longest = max(len(row["input_ids"]) for row in made.rows)
        assert f"{longest:,} (all)" in mend


def test_a_few_that_are_cut_are_a_warning(models):
    tokenizer = fresh(models("chatml")[0])
    given = [*examples(19), Example(items(20)[19], THOUGHT * 30 + "A")]
    made = rows_of(given, "sft", recipe(), tokenizer)
    found = preflight("sft", made.rows, tokenizer, examples=made.examples, thinking="tags",
                      settings={"max_length": 400})  # fmt: skip
    assert levels(found)["completion_length"] == "warn"
    assert said(found, "completion_length").value == 1 / 20


def test_prompts_longer_than_the_context_are_refused(models):
    tokenizer, model = models("chatml")
    long = [Example(Item("made", "1", "pain " * 3000, OPTIONS, Choice(0)), THOUGHT + "A")]
    made = rows_of(long, "sft", recipe(), fresh(tokenizer))
    found = preflight("sft", made.rows, tokenizer, model, examples=made.examples, thinking="tags")
    assert levels(found)["prompt_length"] == "refuse"


def test_no_room_for_an_answer_is_refused_before_the_model_is_asked(models):
    tokenizer, model = models("chatml")
    made = grpo(fresh(tokenizer), examples(completion=None))
    found = preflight("grpo", made.rows, tokenizer, model, examples=made.examples,
                      settings=SMALL | {"max_completion_length": 2048}, reward_functions=[REWARD])  # fmt: skip
    assert levels(found)["prompt_length"] == "refuse"
    assert "reward_spread" not in levels(found)


# Data.


def test_no_data_is_refused_and_nothing_else_is_looked_at(models):
    found = preflight("sft", [], models("chatml")[0])
    assert [(f.check, f.level) for f in found] == [("data", "refuse")]


def test_rows_without_what_the_trainer_needs(models):
    tokenizer = fresh(models("chatml")[0])
    rows = [{"prompt": "Which?", "completion": ""}]
    assert levels(preflight("sft", rows, tokenizer))["data"] == "refuse"
    rows = [{"prompt": "Which?", "chosen": "A", "rejected": ""}]
    assert levels(preflight("dpo", rows, tokenizer))["data"] == "refuse"


def test_answers_that_cannot_be_read_are_refused(models):
    tokenizer = fresh(models("chatml")[0])
    given = [Example(i, "<think>\nHm.\n</think>\n\nI would rather not say") for i in items()]
    made = rows_of(given, "sft", recipe(), tokenizer)
    found = preflight("sft", made.rows, tokenizer, examples=made.examples, thinking="tags")
    assert levels(found)["answers"] == "refuse"


def test_wrong_answers_are_said(models):
    tokenizer = fresh(models("chatml")[0])
    given = [Example(i, THOUGHT + "ABCD"[(i.target.index + (k % 5 == 0)) % 4])
             for k, i in enumerate(items())]  # fmt: skip
    made = rows_of(given, "sft", recipe(), tokenizer)
    found = preflight("sft", made.rows, tokenizer, examples=made.examples, thinking="tags")
    assert levels(found)["answers"] == "warn"
    assert said(found, "answers").value == 8 / 40


def test_data_without_tags_for_a_recipe_with_tags(models):
    tokenizer = fresh(models("chatml")[0])
    for completion, thinking in (("The answer is ", "tags"), (THOUGHT, "none")):
        made = rows_of(examples(completion=completion), "sft", recipe(), tokenizer)
        found = preflight("sft", made.rows, tokenizer, examples=made.examples, thinking=thinking)
        assert levels(found)["thinking_kept"] == "refuse"


def test_starts_are_not_in_the_loss(models):
    tokenizer = fresh(models("chatml")[0])
    start = "<think>\nThe patient was given amoxicillin, so it is"
    given = [Example(i, " not that.\n</think>\n\nThe answer is " + "ABCD"[i.target.index],
                     start=start, start_kind="wrong") for i in items()]  # fmt: skip
    made = rows_of(given, "sft", recipe(), tokenizer)
    found = preflight("sft", made.rows, tokenizer, examples=made.examples, thinking="tags")
    assert levels(found)["starts"] == "ok"
    assert levels(found)["thinking_kept"] == "ok"
    # The same with the start as part of what is learned.
    covered = []
    for row in made.rows:
        at = len(row["input_ids"]) - sum(label != -100 for label in row["labels"])
        own = len(tokenizer(start, add_special_tokens=False)["input_ids"])
        labels = [-100] * (at - own) + row["input_ids"][at - own :]
        covered.append(row | {"labels": labels})
    found = preflight("sft", covered, tokenizer, examples=made.examples, thinking="tags")
    assert levels(found)["starts"] == "refuse"
    assert "40 of 40" in said(found, "starts").what
    found = preflight("sft", made.rows, tokenizer, examples=made.examples, thinking="tags",
                      settings={"completion_only_loss": False})  # fmt: skip
    assert levels(found)["starts"] == "refuse"


def test_a_start_as_a_finished_turn_is_refused(models):
    tokenizer = fresh(models("chatml")[0])
    rows = [{"prompt": [*row["prompt"], {"role": "assistant", "content": "So"}],
             "completion": row["completion"]} for row in turns()]  # fmt: skip
    found = preflight("sft", rows, tokenizer, examples=examples(8, start="So"), thinking="tags")
    assert levels(found)["starts"] == "refuse"


def test_pairs_the_wrong_way_round_are_refused(models):
    tokenizer = fresh(models("chatml")[0])

    def rows(better, worse):
        made = [Example(i, THOUGHT + "ABCD"[(i.target.index + better) % 4],
                        THOUGHT + "ABCD"[(i.target.index + worse) % 4]) for i in items()]  # fmt: skip
        return rows_of(made, "dpo", recipe(), tokenizer)

    for better, worse, level in ((0, 1, "ok"), (1, 0, "refuse"), (0, 0, "refuse")):
        made = rows(better, worse)
        found = preflight("dpo", made.rows, tokenizer, examples=made.examples, thinking="tags")
        assert levels(found)["pairs"] == level


def test_pairs_that_differ_in_length_are_said(models):
    tokenizer = fresh(models("chatml")[0])
    made = rows_of([Example(i, THOUGHT * 3 + "ABCD"[i.target.index], THOUGHT + "No")
                    for i in items()], "dpo", recipe(), tokenizer)  # fmt: skip
    found = preflight("dpo", made.rows, tokenizer, examples=made.examples, thinking="tags")
    assert levels(found)["pairs"] == "warn"


# Evaluation items.


def test_evaluation_items_in_the_data_are_refused(models):
    tokenizer = fresh(models("chatml")[0])
    made = rows_of(examples(), "sft", recipe(), tokenizer)
    whole = items()[7]
    edited = Item("bench", "x", whole.question.replace("drug", "medicine"), OPTIONS, Choice(1))
    shuffled = Item("bench", "y", whole.question, OPTIONS[::-1], Choice(0))
    for item in (whole, edited, shuffled):
        found = preflight("sft", made.rows, tokenizer, examples=made.examples, thinking="tags",
                          evaluation=items_frame([item]))  # fmt: skip
        assert levels(found)["evaluation_overlap"] == "refuse", item.item_id
        assert f"{item.benchmark}/{item.item_id}" in said(found, "evaluation_overlap").what


def test_an_evaluation_item_inside_a_completion_is_refused(models):
    tokenizer = fresh(models("chatml")[0])
    other = Item("bench", "1", "A 54-year-old farmer with a fever of three days, jaundice and red "
                 "eyes after wading in flood water asks what has happened to him. What is it?",
                 ("Leptospirosis", "Malaria"), Choice(0))  # fmt: skip
    given = examples()
    given[3] = Example(given[3].item, f"<think>\n{other.question} Leptospirosis\n</think>\n\nD")
    made = rows_of(given, "sft", recipe(), tokenizer)
    found = preflight("sft", made.rows, tokenizer, examples=made.examples, thinking="tags",
                      evaluation=items_frame([other]))  # fmt: skip
    assert levels(found)["evaluation_overlap"] == "refuse"


def test_a_search_that_misses_what_was_planted_vouches_for_nothing(models, monkeypatch):
    from viva.analysis import contamination
    from viva.training import _leaks

    def blind(items, texts, **more):
        return contamination(items, [t for t in texts if t[0] == "data"], **more)

    monkeypatch.setattr(_leaks, "contamination", blind)
    tokenizer = fresh(models("chatml")[0])
    made = rows_of(examples(20), "sft", recipe(), tokenizer)
    found = preflight("sft", made.rows, tokenizer, examples=made.examples, thinking="tags",
                      evaluation=items_frame(items(40)[20:]))  # fmt: skip
    assert levels(found)["evaluation_overlap"] == "refuse"
    assert "planted" in said(found, "evaluation_overlap").what


# Rewards and the probe.


def test_a_reward_that_is_none_everywhere_is_refused(models):
    tokenizer, model = models("chatml")
    made = grpo(fresh(tokenizer), examples(completion=None))
    none = to_trl(find_reward("numeric").function, name="numeric")
    found = preflight("grpo", made.rows, tokenizer, model, examples=made.examples, settings=SMALL,
                      reward_functions=[REWARD, none])  # fmt: skip
    assert levels(found)["reward_applies"] == "refuse"
    assert "numeric" in said(found, "reward_applies").what
    assert "reward_spread" not in levels(found)


def test_items_to_which_no_reward_applies_are_said(models):
    tokenizer, model = models("chatml")
    given = examples(30, completion=None)
    given += [Example(Item("open", str(i), f"Name drug {i}.", (), Text(("Aspirin",))))
              for i in range(10)]  # fmt: skip
    made = grpo(fresh(tokenizer), given)
    found = preflight("grpo", made.rows, tokenizer, model, examples=made.examples, settings=SMALL,
                      reward_functions=[REWARD], probe_prompts=8)  # fmt: skip
    assert levels(found)["reward_applies"] == "warn"
    assert said(found, "reward_applies").value == 10 / 40


def test_equal_rewards_in_all_groups_are_refused(models):
    tokenizer, model = models("chatml")
    made = grpo(fresh(tokenizer), examples(completion=None))

    def always(completions, **columns):
        return [1.2] * len(completions)  # whose deviation in float32 is not 0

    found = preflight("grpo", made.rows, tokenizer, model, examples=made.examples, settings=SMALL,
                      reward_functions=[always], probe_prompts=8)  # fmt: skip
    assert levels(found)["reward_spread"] == "refuse"
    assert "pass_rate below 1" in said(found, "reward_spread").mend


@pytest.mark.parametrize("masked", [True, False])
def test_a_model_that_never_comes_to_an_answer_is_refused(models, masked):
    tokenizer, model = models("chatml")
    made = grpo(fresh(tokenizer), examples(completion=None))
    short = SMALL | {"max_completion_length": 1, "mask_truncated_completions": masked}
    found = preflight("grpo", made.rows, tokenizer, model, examples=made.examples, settings=short,
                      reward_functions=[REWARD], probe_prompts=8)  # fmt: skip
    for check in ("completions_cut", "answers_read", "reward_spread"):
        assert levels(found)[check] == "refuse"
    assert said(found, "completions_cut").value == 1.0
    assert said(found, "answers_read").value == 0.0
    assert "easier items" in said(found, "reward_spread").mend


def test_rewards_are_called_as_trl_calls_them(models):
    seen = {}

    def watched(prompts, completions, completion_ids, item, trainer_state=None, **columns):
        seen.update(columns, prompts=prompts, completions=completions, ids=completion_ids)
        return [float(len(text) % 2) for text in completions]

    async def later(completions, **columns):
        return [0.5 for _ in completions]

    tokenizer, model = models("chatml")
    made = grpo(fresh(tokenizer), examples(completion=None))
    found = preflight("grpo", made.rows, tokenizer, model, examples=made.examples, settings=SMALL,
                      reward_functions=[watched, later], probe_prompts=8)  # fmt: skip
    assert levels(found)["reward_spread"] in ("ok", "warn")
    assert len(seen["completions"]) == len(seen["ids"]) == 32
    assert "<|im_end|>" not in "".join(seen["completions"])
    assert set(seen["start"]) == {""}


# Settings and the machine.


def test_groups_that_do_not_divide_the_batch_are_refused(models):
    tokenizer = fresh(models("chatml")[0])
    made = grpo(tokenizer, examples(completion=None))
    for settings, level in (
        ({"per_device_train_batch_size": 6, "num_generations": 4}, "refuse"),
        ({"per_device_train_batch_size": 6, "num_generations": 4,
          "gradient_accumulation_steps": 2}, "ok"),
        ({"per_device_train_batch_size": 8, "num_generations": 1}, "refuse"),
        ({"per_device_train_batch_size": 400, "num_generations": 4}, "refuse"),
    ):  # fmt: skip
        found = preflight("grpo", made.rows, tokenizer, examples=made.examples, settings=settings,
                          reward_functions=[REWARD])  # fmt: skip
        assert levels(found)["batch"] == level, settings


def test_a_recipe_that_needs_a_gpu_has_none(models, monkeypatch):
    from viva.training import _setting_checks

    tokenizer, model = models("chatml")
    made = rows_of(examples(), "sft", recipe(), fresh(tokenizer))
    given = {"examples": made.examples, "thinking": "tags", "needs_gpu": True}
    monkeypatch.setattr(_setting_checks, "_accelerator", lambda: None)
    found = preflight("sft", made.rows, tokenizer, model, **given)
    assert levels(found)["gpu"] == "refuse"
    assert "MiB" in said(found, "gpu").what
    found = preflight("sft", made.rows, tokenizer, model, allow_cpu=True, **given)
    assert levels(found)["gpu"] == "warn"
    monkeypatch.setattr(_setting_checks, "_accelerator", lambda: "cuda")
    assert levels(preflight("sft", made.rows, tokenizer, model, **given))["gpu"] == "ok"


def test_memory_is_weights_gradients_and_optimiser(models):
    tokenizer, model = models("chatml")
    made = rows_of(examples(), "sft", recipe(), fresh(tokenizer))
    n = sum(p.numel() for p in model.parameters())

    def gib(trainer, rows, **more):
        found = preflight(trainer, rows, tokenizer, model, thinking="tags", **more)
        return next(f for f in found if f.check == "memory").value

    assert gib("sft", made.rows) == round(n * (4 + 8 + 4) / 2**30, 3)
    assert gib("sft", made.rows, lora=True) < gib("sft", made.rows)


@pytest.mark.parametrize(("rate", "level"), [(0.0, "refuse"), (1e-3, "ok"), (3.0, "warn")])
def test_learning_rates_of_a_small_model(models, rate, level):
    tokenizer, model = models("chatml")
    made = rows_of(examples(), "sft", recipe(), fresh(tokenizer))
    found = preflight("sft", made.rows, tokenizer, model, examples=made.examples, thinking="tags",
                      settings={"learning_rate": rate})  # fmt: skip
    assert levels(found)["learning_rate"] == level


def test_learning_rates_of_a_large_model(models):
    tokenizer = fresh(models("chatml")[0])
    made = rows_of(examples(), "sft", recipe(), tokenizer)
    for lora, rate, level in ((False, 1e-3, "warn"), (True, 1e-3, "ok"), (False, 1e-5, "ok"),
                              (True, 1e-7, "warn")):  # fmt: skip
        found = preflight("sft", made.rows, tokenizer, examples=made.examples, thinking="tags",
                          lora=lora, settings={"learning_rate": rate})  # fmt: skip
        assert levels(found)["learning_rate"] == level, (lora, rate)


# What is done with findings.


def test_findings_are_written_shown_and_refused_in_one_line(models, tmp_path, capsys):
    found = preflight("sft", [], models("chatml")[0])
    with pytest.raises(InputError) as error:
        settle(found, tmp_path, title="Before the stage sft")
    assert "no example is left" in str(error.value)
    assert "\n" not in str(error.value)
    assert error.value.mend
    written = json.loads((tmp_path / "preflight.json").read_text())
    assert written["findings"][0]["level"] == "refuse"
    assert "refuse" in capsys.readouterr().err


def test_what_is_accepted_is_a_warning_that_says_so(models, tmp_path):
    tokenizer = fresh(models("chatml")[0])
    given = [Example(i, "<think>\nHm.\n</think>\n\nI would rather not say") for i in items()]
    made = rows_of(given, "sft", recipe(), tokenizer)
    found = preflight("sft", made.rows, tokenizer, examples=made.examples, thinking="tags",
                      accept=["answers"])  # fmt: skip
    assert said(found, "answers").level == "warn"
    assert said(found, "answers").what.endswith("(accepted)")
    settle(found, tmp_path, quiet=True)
    with pytest.raises(InputError, match="no check 'anwsers'"):
        preflight("sft", made.rows, tokenizer, accept=["anwsers"])


def test_the_table_fits_any_terminal(models):
    from rich.console import Console

    found = preflight("sft", turns(), fresh(models("deepseek_r1")[0]), thinking="tags")
    for width in (50, 80, 120):
        console = Console(width=width, record=True, file=io.StringIO())
        console.print(checks.shown(found))
        lines = console.export_text().splitlines()
        assert max(map(len, lines)) <= width
        assert lines[0].startswith("refuse")


def test_every_check_is_described_and_named_by_its_findings(models):
    assert all(check.description for check in CHECKS.values())
    tokenizer = fresh(models("deepseek_r1")[0])
    assert {f.check for f in preflight("sft", turns(), tokenizer, thinking="tags")} <= set(CHECKS)


def test_an_item_column_alone_is_enough(models):
    """Rows without their examples: the item is read from its column."""
    tokenizer, model = models("chatml")
    rows = [{"prompt": i.question, "item": item_to_json(i)} for i in items()]
    found = preflight("grpo", rows, tokenizer, model, settings=SMALL, reward_functions=[REWARD],
                      evaluation=items_frame(items()[:1]), probe_prompts=8)  # fmt: skip
    assert levels(found)["evaluation_overlap"] == "refuse"
