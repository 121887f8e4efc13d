"""Curricula: phases that ascend, the same each time, and trainers that keep them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viva.errors import InputError
from viva.records import Choice, Item
from viva.synthesis import Example, key_of
from viva.targets import Label, Number, Text
from viva.training.curricula import ORDERS, keeps_order, lay_out, order
from viva.training.recipes import Curriculum

TARGETS = (Choice(0), Label("x", ("x", "y")), Text(("x",)), Number(3.0))
BY_SCORE = ("pass_rate", "hops", "difficulty")


def example(i: int, rate: float = 0.5, hops: int = 2, target: object = TARGETS[0]) -> Example:
    scores = {"pass_rate": rate, "hops": float(hops), "difficulty": 1 - rate}
    return Example(Item("b", str(i), "q", ("x", "y"), target), scores=scores)


@st.composite
def examples(draw: st.DrawFn) -> list[Example]:
    rows = st.tuples(
        st.integers(0, 8).map(lambda n: n / 8), st.integers(2, 5), st.sampled_from(TARGETS)
    )
    found = draw(st.lists(rows, min_size=1, max_size=40))
    return [example(i, *row) for i, row in enumerate(found)]


def ranks(rows: list[Example], name: str) -> list[float]:
    return [ORDERS[name](each) for each in rows]


names = st.sampled_from([*BY_SCORE, "closed_to_open"])


@given(examples(), names, st.booleans(), st.randoms())
def test_one_phase_ascends_whatever_the_order_of_the_data(rows, name, descending, random):
    asked = Curriculum(order=name, descending=descending)
    (phase,) = order(rows, asked, seed=3)
    found = ranks(phase, name)
    assert found == sorted(found, reverse=descending)
    assert sorted(map(key_of, phase)) == sorted(map(key_of, rows))
    random.shuffle(rows)
    assert order(rows, asked, seed=3) == [phase]


@given(examples(), names, st.integers(2, 4), st.booleans())
def test_phases_ascend_and_part_no_rank(rows, name, phases, cumulative):
    asked = Curriculum(order=name, phases=phases, cumulative=cumulative)
    if len(set(ranks(rows, name))) < phases:
        with pytest.raises(InputError, match="fewer phases"):
            order(rows, asked)
        return
    found = order(rows, asked)
    assert len(found) == phases
    assert all(found)
    if cumulative:
        for before, after in pairwise(found):
            assert {key_of(e) for e in before} < {key_of(e) for e in after}
        assert len(found[-1]) == len(rows)
        return
    assert sum(map(len, found)) == len(rows)
    for before, after in pairwise(found):
        assert max(ranks(before, name)) < min(ranks(after, name))


def test_easy_comes_first():
    rows = [example(0, 0.1), example(1, 0.9), example(2, 0.5)]
    assert [e.item.item_id for e in order(rows, Curriculum(order="pass_rate"))[0]] == [
        "1",
        "2",
        "0",
    ]
    rows = [example(0, hops=5), example(1, hops=2)]
    assert [e.item.item_id for e in order(rows, Curriculum(order="hops"))[0]] == ["1", "0"]


def test_closed_and_open_are_two_phases_whatever_their_sizes():
    rows = [example(i, target=TARGETS[2 if i < 5 else 0]) for i in range(100)]
    closed, opened = order(rows, Curriculum(order="closed_to_open", phases=2))
    assert (len(closed), len(opened)) == (95, 5)


def test_continuous_ranks_make_equal_phases():
    rows = [example(i, rate=i / 100) for i in range(100)]
    assert [len(p) for p in order(rows, Curriculum(order="pass_rate", phases=3))] == [33, 34, 33]


def test_inside_a_phase_the_order_is_drawn():
    rows = [example(i, rate=i / 100) for i in range(100)]
    first = order(rows, Curriculum(order="pass_rate", phases=2))[0]
    assert ranks(first, "pass_rate") != sorted(ranks(first, "pass_rate"))


def test_without_a_curriculum_it_is_shuffled_by_the_seed():
    rows = [example(i) for i in range(50)]
    (first,), (same,), (other,) = order(rows), order(rows, seed=0), order(rows, seed=1)
    assert first == same != other
    assert first != rows
    assert [len(p) for p in order(rows, Curriculum(phases=2))] == [25, 25]


@pytest.mark.parametrize("name", BY_SCORE)
def test_what_is_not_known_is_refused_with_the_step_that_measures_it(name):
    rows = [example(0), Example(Item("b", "1", "q", ("x", "y"), Choice(0)))]
    with pytest.raises(
        InputError,
        match=f"not known of 1 of 2.*step {'pass_rate' if name == 'pass_rate' else 'difficulty'}",
    ):
        order(rows, Curriculum(order=name))


@given(examples(), st.integers(1, 3), st.booleans(), st.booleans())
def test_laid_out_each_is_seen_once_an_epoch(rows, epochs, by_phase, shuffled):
    parts = order(rows, Curriculum(phases=2)) if len(rows) > 1 else order(rows)
    whole = lay_out(parts, epochs=epochs, by_phase=by_phase, shuffled=shuffled, seed=5)
    assert sorted(map(key_of, whole)) == sorted(epochs * [key_of(e) for e in rows])
    assert whole == lay_out(parts, epochs=epochs, by_phase=by_phase, shuffled=shuffled, seed=5)
    first = {key_of(e) for e in parts[0]}
    turns = [key_of(e) in first for e in whole]
    if by_phase:
        assert turns == sorted(turns, reverse=True)
    else:
        assert turns[: len(rows)] == sorted(turns[: len(rows)], reverse=True)
        assert whole[: len(rows)] == [e for part in parts for e in part]


@pytest.mark.parametrize(
    ("trainer", "settings"),
    [
        ("sft", {"packing": True}),
        ("sft", {"train_sampling_strategy": "group_by_length"}),
        ("dpo", {"train_sampling_strategy": "random"}),
        ("grpo", {"shuffle_dataset": True}),
    ],
)
def test_settings_that_undo_the_order_are_refused(trainer, settings):
    with pytest.raises(InputError, match="undo the order 'hops'"):
        keeps_order(trainer, settings, Curriculum(order="hops"))
    assert not settings.keys() & keeps_order(trainer, settings).keys()


def test_packing_in_sequence_keeps_the_order():
    given_settings = {"packing": True, "packing_strategy": "wrapped"}
    assert keeps_order("sft", given_settings, Curriculum(order="hops"))


def seen_by(trainer: str, folder, tiny, settings: dict[str, object]) -> list[str]:
    """Prompts of one epoch, in the order in which TRL's own trainer hands them to the model."""
    import datasets
    import trl
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny)
    model = AutoModelForCausalLM.from_pretrained(tiny)
    rows = [{"prompt": f"{i} "} for i in range(24)]
    common = {
        "output_dir": str(folder), "use_cpu": True, "bf16": False, "report_to": "none",
        "per_device_train_batch_size": 4, "gradient_checkpointing": False, "seed": 1,
    }  # fmt: skip
    if trainer == "grpo":
        config = trl.GRPOConfig(**common, num_generations=2, **settings)
        made = trl.GRPOTrainer(
            model=model, args=config, train_dataset=datasets.Dataset.from_list(rows),
            processing_class=tokenizer, reward_funcs=[lambda completions, **_: [0.0] * len(completions)],
        )  # fmt: skip
        order = [row["prompt"] for batch in made.get_train_dataloader() for row in batch]
        return list(dict.fromkeys(order))
    if trainer == "sft":
        rows = [row | {"completion": "yes"} for row in rows]
        config = trl.SFTConfig(**common, **settings)
        made = trl.SFTTrainer(
            model=model, args=config, train_dataset=datasets.Dataset.from_list(rows),
            processing_class=tokenizer,
        )  # fmt: skip
    else:
        rows = [row | {"chosen": "yes", "rejected": "no"} for row in rows]
        config = trl.DPOConfig(**common, **settings)
        made = trl.DPOTrainer(
            model=model, args=config, train_dataset=datasets.Dataset.from_list(rows),
            processing_class=tokenizer,
        )  # fmt: skip
    texts: list[str] = []
    for batch in made.get_train_dataloader():
        ids = batch["input_ids"][: 4 if trainer == "dpo" else None]
        texts += [tokenizer.decode(row, skip_special_tokens=True).split()[0] + " " for row in ids]
    return texts


@pytest.mark.parametrize("trainer", ["sft", "dpo", "grpo"])
def test_trl_keeps_the_order_and_shuffles_without(trainer, tmp_path, tmp_path_factory):
    pytest.importorskip("trl")
    from tiny import tiny_model

    tiny = tiny_model(tmp_path_factory.mktemp("model"), template="none")
    wanted = [f"{i} " for i in range(24)]
    assert seen_by(trainer, tmp_path, tiny, keeps_order(trainer)) == wanted
    assert sorted(seen_by(trainer, tmp_path, tiny, {})) == sorted(wanted)
    assert seen_by(trainer, tmp_path, tiny, {}) != wanted
