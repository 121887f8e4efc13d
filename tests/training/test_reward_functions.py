"""Reward functions of a stage: composed as the recipe says, read once, counted exactly."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import pytest

from viva.errors import InputError
from viva.formats.item_json import item_to_json
from viva.judging.questions import QUESTION_KEY, Verdict
from viva.records import Choice, Item, Status
from viva.synthesis import Example
from viva.targets import Text
from viva.training.recipes import Mining, Select, Stage
from viva.training.reward_functions import reward_functions
from viva.training.rewards import choice, nonempty_thinking, tags, with_bonus

ITEM = Item("b", "1", "Which?", ("aspirin", "heparin", "insulin", "warfarin"), Choice(1))
OPEN = Item("b", "2", "Which drug?", (), Text(("heparin", "unfractionated heparin")))
SHAPED = "<think>It is a clot.</think> The answer is B"
TRAINING = SimpleNamespace(global_step=3)


def stage(**given: object) -> Stage:
    return Stage.model_validate({"name": "rl", "trainer": "grpo", **given})


def parts(*pairs: tuple[str, float]) -> list[dict[str, object]]:
    return [{"name": name, "weight": weight} for name, weight in pairs]


def pay(made, texts, items=ITEM, *, prompts=None, ids=None, **columns):
    """What TRL would be paid for a batch: a list for each function."""
    items = [items] * len(texts) if isinstance(items, Item) else items
    return [
        function(
            prompts=prompts or [item.item_id for item in items], completions=texts,
            completion_ids=ids, item=[item_to_json(item) for item in items],
            trainer_state=TRAINING, **columns,
        )
        for function in made.functions
    ]  # fmt: skip


def test_a_named_reward_is_one_function_of_its_name():
    made = reward_functions(stage(reward="alphamed"))
    assert [f.__name__ for f in made.functions] == ["alphamed"]
    assert made.settings == {"reward_weights": [1.0]}
    assert pay(made, ["B", "C", "no idea"]) == [[1.0, 0.0, 0.0]]


def test_parts_beside_the_outcome_hang_on_it():
    made = reward_functions(stage(reward=parts(("choice", 4), ("tags", 1))))
    (paid,) = pay(made, [SHAPED, "B", SHAPED.replace("B", "C"), "C"])
    whole = with_bonus(choice, (0.2, tags))
    assert paid == [whole(ITEM, text) for text in (SHAPED, "B", SHAPED.replace("B", "C"), "C")]
    assert paid == [1.0, pytest.approx(0.8), 0.0, 0.0]
    assert made.counts.shares()["part/tags"] == 0.5  # of all, right or wrong
    assert made.counts.shares()["part/choice"] == 0.5


def test_form_may_not_weigh_more_than_a_third():
    with pytest.raises(InputError, match="third"):
        reward_functions(stage(reward=parts(("choice", 1), ("tags", 1))))


def test_form_alone_is_what_is_asked_for():
    made = reward_functions(stage(reward=parts(("tags", 1), ("nonempty_thinking", 1))))
    wanted = [(tags(ITEM, text) + nonempty_thinking(ITEM, text)) / 2 for text in (SHAPED, "B")]
    assert pay(made, [SHAPED, "B"]) == [pytest.approx(wanted)]


def test_normalised_parts_are_functions_of_their_own_and_still_hang_on_the_outcome():
    made = reward_functions(stage(reward=parts(("choice", 4), ("tags", 1)), normalise=True))
    assert made.settings == {
        "reward_weights": [4, 1], "multi_objective_aggregation": "normalize_then_sum",
    }  # fmt: skip
    paid = pay(made, [SHAPED, "B", SHAPED.replace("B", "C")])
    assert paid == [[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
    assert made.counts.completions == 3


def test_kinds_are_routed_by_none_and_counted():
    made = reward_functions(stage(reward="alphamed"))
    assert pay(made, ["B", "heparin"], [ITEM, OPEN]) == [[1.0, None]]
    assert made.counts.none == 1
    both = reward_functions(stage(reward=parts(("choice", 1), ("open_match", 1))))
    assert pay(both, ["B", "heparin"], [ITEM, OPEN]) == [[1.0, 1.0]]
    assert both.counts.none == 0


def test_each_different_completion_is_read_once_for_all_functions(monkeypatch):
    from viva.training.rewards import completions

    reads = []
    real = completions.read
    monkeypatch.setattr(completions, "read", lambda *a, **k: reads.append(a) or real(*a, **k))
    made = reward_functions(
        stage(reward=parts(("choice", 8), ("tags", 1), ("single_answer", 1)), normalise=True)
    )
    pay(made, [SHAPED, SHAPED, "C", "C"])
    assert len(reads) == 2
    pay(made, [SHAPED, "C"])
    assert len(reads) == 4  # another batch is read anew


def test_equal_groups_are_counted_where_the_deviation_misses_them(monkeypatch):
    """Eight times 1.2: float32 has a deviation of 1.3e-7, so TRL calls no group equal."""
    torch = pytest.importorskip("torch")
    group = torch.full((1, 8), 1.2)
    assert not torch.isclose(group.std(dim=1), torch.zeros(1)).item()
    from viva.training.rewards import table

    constant = table.Reward("1.2", (0, 2), lambda item, said: 1.2, "here")
    monkeypatch.setitem(table.REWARDS, "constant", constant)
    made = reward_functions(stage(reward="constant"), group_size=8)
    pay(made, [f"{i}" for i in range(16)], prompts=["p"] * 8 + ["q"] * 8)
    assert (made.counts.groups, made.counts.equal) == (2, 2)


def test_groups_by_size_by_runs_and_those_without_two_rewards():
    made = reward_functions(stage(reward="alphamed"), group_size=2)
    pay(made, ["B", "C", "B", "B", "C", "C"], prompts=["p", "p", "p", "p", "q", "q"])
    assert (made.counts.groups, made.counts.equal) == (3, 2)
    made = reward_functions(stage(reward="alphamed"))  # the size is not known: runs of one prompt
    pay(made, ["B", "C", "B", "B", "C", "C"], prompts=["p", "p", "p", "p", "q", "q"])
    assert (made.counts.groups, made.counts.equal) == (2, 1)
    made = reward_functions(stage(reward="alphamed"), group_size=2)
    pay(made, ["B", "C"], [ITEM, OPEN], prompts=["p", "p"])
    assert (made.counts.groups, made.counts.equal) == (1, 1)  # one reward alone has no advantage


def test_equal_sums_of_unequal_parts_are_equal_only_where_they_are_summed():
    made = reward_functions(
        stage(reward=parts(("choice", 4), ("tags", 1)), normalise=True), group_size=2
    )
    pay(made, [SHAPED, "B"], prompts=["p", "p"])
    assert made.counts.equal == 0
    pay(made, ["B", "B"], prompts=["p", "p"])
    assert made.counts.equal == 1


def test_cut_completions_are_told_from_ended_ones():
    made = reward_functions(stage(reward="alphamed"), end_ids=(0, 9))
    pay(made, ["<think>so far", "B", "B"], ids=[[5, 6], [5, 9], [5, 0]])
    shares = made.counts.shares()
    assert shares["share_truncated"] == pytest.approx(1 / 3)
    assert shares["share_unread"] == pytest.approx(1 / 3)


def test_a_start_is_part_of_how_the_completion_is_read():
    made = reward_functions(stage(reward="alphamed"), end_ids=(0,))
    starts = ["<think>Heparin is likely.", "<think>Heparin is likely.", "The answer is B", ""]
    texts = ["The answer is B", "So.</think> B", "", ""]
    ids = [[5, 0], [5, 0], [0], [0]]
    (paid,) = pay(made, texts, ids=ids, start=starts)
    # Inside thinking that the start opened there is no answer; what ends at once keeps its start.
    assert paid == [0.0, 1.0, 1.0, 0.0]
    assert pay(made, texts, ids=[[5]] * 4, start=starts)[0][2] == 0.0  # cut, not ended


def test_checks_before_training_leave_no_trace():
    made = reward_functions(stage(reward="alphamed"))
    made.functions[0](
        prompts=["p"], completions=["B"], item=[item_to_json(ITEM)], trainer_state=None
    )
    assert made.counts.completions == 0
    assert made.counts.seconds == 0


def test_counts_are_logged_and_parted_by_time():
    told: dict[str, float] = {}
    made = reward_functions(stage(reward="alphamed"), group_size=2)
    pay(made, ["B", "??"], prompts=["p", "p"], log_metric=told.__setitem__)
    assert told == {
        "viva/share_none": 0.0, "viva/share_unread": 0.5, "viva/share_truncated": 0.0,
        "viva/share_equal": 0.0,
    }  # fmt: skip
    before = made.counts.copy()
    pay(made, ["B", "B"], prompts=["p", "p"])
    since = made.counts.since(before)
    assert (since.completions, since.unread, since.equal) == (2, 0, 1)
    assert 0 < since.seconds < made.counts.seconds


class Scripted:
    """A judge that knows one other name of the drug, and counts how it is asked."""

    name, family = "scripted", None

    def __init__(self) -> None:
        self.calls: list[int] = []

    def verdicts(self, questions, advance=lambda _: None):
        self.calls.append(len(questions))
        return [self.verdict(each) for each in questions]

    def verdict(self, question):
        said = "same" if "antithrombin activator" in question.data["unit"] else "different"
        failed = "server down" in question.data["unit"]
        key = {name: getattr(question, name) for name in QUESTION_KEY}
        return Verdict(
            **key, expects=question.expects, judge="scripted",
            status=Status.UNGRADED if failed else Status.PARSED,
            value=None if failed else said, reason="connection failed" if failed else None,
        )  # fmt: skip


def test_a_judge_is_asked_once_a_batch_and_only_where_no_rule_decides():
    judge = Scripted()
    made = reward_functions(
        stage(reward=parts(("choice", 1), ("open_match", 1), ("judged", 1)), judge="s"), judge=judge
    )
    texts = [
        "B",
        "C",
        "heparin",
        "an antithrombin activator",
        "an antithrombin activator",
        "insulin",
        "",
    ]
    items = [ITEM, ITEM, OPEN, OPEN, OPEN, OPEN, OPEN]
    assert pay(made, texts, items) == [[1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0]]
    assert judge.calls == [2]
    pay(made, texts, items)
    assert judge.calls == [2, 2]


def test_a_judge_alone_and_one_that_is_not_reached():
    judge = Scripted()
    made = reward_functions(stage(reward="judged", judge="s"), judge=judge)
    assert pay(made, ["an antithrombin activator", "server down"], OPEN) == [[1.0, None]]
    assert made.counts.none == 1


def test_a_judge_that_nobody_asks_and_a_part_without_one_are_refused():
    with pytest.raises(InputError, match="no part of the reward asks it"):
        reward_functions(stage(reward="alphamed", judge="s"), judge=Scripted())
    with pytest.raises(InputError, match="there is no judge"):
        reward_functions(stage(reward="judged"))
    with pytest.raises(InputError, match="alphamed"):
        reward_functions(stage(reward="alphamde"))
    with pytest.raises(InputError, match="each part once"):
        reward_functions(stage(reward=parts(("choice", 1), ("choice", 1))))


def test_uncertainty_shapes_by_group():
    asked = stage(
        reward="alphamed", uncertainty={"weight": 0.2}, settings={"scale_rewards": "none"}
    )
    made = reward_functions(asked, group_size=4)
    texts = ["B " + "x" * 3, "B", "B", "B", "B", "A", "C", "D"]
    ids = [[1] * 9, [1], [1], [1], [1], [1], [1], [1]]
    (paid,) = pay(made, texts, prompts=["p"] * 4 + ["q"] * 4, ids=ids)
    assert paid[0] < paid[1] == paid[2] <= 1  # all agree: the long one is paid less
    assert paid[4] == pytest.approx(0.8 + 0.2 * 0.5)
    assert paid[5:] == [0.0, 0.0, 0.0]
    with pytest.raises(InputError, match="scale_rewards"):
        reward_functions(stage(reward="alphamed", uncertainty={}))


def test_a_group_spread_over_batches_has_no_uncertainty():
    asked = stage(reward="alphamed", uncertainty={}, settings={"scale_rewards": "none"})
    made = reward_functions(asked, group_size=4)
    with pytest.raises(InputError, match="multiple of num_generations"):
        pay(made, ["B", "C"], prompts=["p", "p"])


def trainer(folder, tiny, made, rows, **settings):
    import datasets
    import trl
    from transformers import AutoModelForCausalLM, AutoTokenizer

    config = trl.GRPOConfig(
        output_dir=str(folder), use_cpu=True, bf16=False, report_to="none", num_generations=4,
        per_device_train_batch_size=8, max_completion_length=24, shuffle_dataset=False,
        logging_steps=1, seed=0, learning_rate=1e-3, disable_tqdm=True,
        **{"save_strategy": "no", **made.settings, **settings},
    )  # fmt: skip
    return trl.GRPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(tiny), args=config,
        train_dataset=datasets.Dataset.from_list(rows),
        processing_class=AutoTokenizer.from_pretrained(tiny), reward_funcs=made.functions,
    )  # fmt: skip


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    pytest.importorskip("trl")
    from tiny import tiny_model

    return tiny_model(tmp_path_factory.mktemp("model"), template="none", answers=True)


@pytest.mark.parametrize("normalise", [False, True])
def test_grpo_trains_two_steps_with_them(tiny, tmp_path, normalise):
    items = [replace(ITEM, item_id=str(i)) for i in range(4)]
    rows = [{"prompt": f"case {i} ", "item": item_to_json(one)} for i, one in enumerate(items)]
    made = reward_functions(
        stage(reward=parts(("choice", 8), ("length", 1)), normalise=normalise), group_size=4,
    )  # fmt: skip
    trained = trainer(tmp_path, tiny, made, rows, max_steps=2)
    trained.train()
    log = [entry for entry in trained.state.log_history if "reward" in entry]
    assert len(log) == 2
    assert made.counts.completions == 16
    assert made.counts.groups == 4
    for entry in log:
        assert {"viva/share_none", "viva/share_unread", "viva/share_equal"} <= entry.keys()
        assert math.isfinite(entry["loss"])
    read = 1 - made.counts.unread / made.counts.completions
    assert read > 0.2  # the tiny model was taught to answer
    # TRL's own mean of the outcome is ours.
    name = "rewards/choice/mean" if normalise else "viva/part/choice"
    assert sum(entry[name] for entry in log) > 0


def test_what_a_killed_stage_sees_after_its_checkpoint_is_what_was_to_come(tiny, tmp_path):
    from viva.training.curricula import keeps_order

    items = [replace(ITEM, item_id=str(i)) for i in range(8)]
    rows = [{"prompt": f"case {i} ", "item": item_to_json(one)} for i, one in enumerate(items)]
    seen: list[str] = []

    def made():
        found = reward_functions(stage(reward="alphamed"), group_size=4)
        real = found.functions[0]

        def recording(prompts, **given):
            seen.extend(prompts[::4])
            return real(prompts=prompts, **given)

        return found._replace(functions=[recording])

    assert keeps_order("grpo") == {"shuffle_dataset": False}
    trainer(tmp_path / "whole", tiny, made(), rows, max_steps=4).train()
    whole, seen[:] = list(seen), []
    assert whole == [row["prompt"] for row in rows]
    saved = {"save_strategy": "steps", "save_steps": 2}
    folder = tmp_path / "cut"
    trainer(folder, tiny, made(), rows, max_steps=2, **saved).train()
    trainer(folder, tiny, made(), rows, max_steps=4, **saved).train(resume_from_checkpoint=True)
    assert seen == whole


class Half:
    """A caller that answers the first half of the items rightly."""

    spec = "scripted/half"

    def replies(self, prompts, *, samples=1, temperature=None, seed=0, items=None):
        from viva.synthesis.calling import Reply

        right = {f"{i}" for i in range(20)}
        return [
            [Reply("The answer is B" if item.item_id in right else "The answer is C")] * samples
            for item in items
        ]


def test_hard_mining_takes_by_what_the_model_gets_wrong_now():
    from viva.training.hard_mining import mine

    rows = [
        Example(replace(ITEM, item_id=str(i)), scores={"pass_rate": float(i >= 20)})
        for i in range(40)
    ]
    chosen, report = mine(rows, Mining(right=1.0, wrong=2.0), Half(), Select(limit=30))
    wrong = [each for each in chosen if int(each.item.item_id) >= 20]
    assert (len(chosen), len(wrong)) == (30, 20)
    assert all(each.scores["pass_rate"] == 0 for each in wrong)
    assert report["mined"]["asked"] == report["mined"]["measured"] == 40
    assert report["shares"]["hard_ratio"]["hard"]["available"] == 20
    with pytest.raises(InputError, match="both 0"):
        mine(rows, Mining(right=0.0, wrong=0.0), Half())
