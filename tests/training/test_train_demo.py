"""The demo: parts that share nothing, lessons with their own endings, and honest sums."""

from __future__ import annotations

import json
import re
from collections import Counter

import numpy as np
import pytest

from viva.errors import InputError
from viva.records import Choice
from viva.synthesis import key_of
from viva.training.demo.lessons import TRAINED, answer_to, exercises, lessons, recoveries
from viva.training.demo.outcome import summarise
from viva.training.demo.parts import ASKED, asked_about, parts_of
from viva.training.demo.table import lines_of
from viva.training.demo.tokenizer import words_of
from viva.training.rewards import Completion, find_reward
from viva.worlds import UNSEEN, starts_of

WORLD = 7


@pytest.fixture(scope="module")
def parts():
    return parts_of(WORLD, size=1200)


def combinations(drawn):
    return {each.item.meta["combination"] for each in drawn}


def test_no_combination_is_in_two_parts_and_every_disease_in_each(parts):
    chains, practice, test = map(combinations, (parts.chains, parts.practice, parts.test))
    assert not chains & practice and not chains & test and not practice & test
    diseases = {each.split(";")[0] for each in chains | practice | test}
    assert {each.split(";")[0] for each in practice} == diseases
    layouts = {each.item.meta["layout"] for each in parts.test}
    assert all(each.item.meta["layout"] not in layouts for each in parts.recall)
    assert {each.item.meta["ask"] for each in parts.test} <= set(ASKED)
    with pytest.raises(InputError, match="leaves nothing"):
        parts_of(WORLD, size=4)


def test_the_person_asked_about_is_told_apart_from_the_other(parts):
    for drawn in (*parts.test, *parts.recall_test):
        item = drawn.item
        person, told = asked_about(item)
        assert item.question.rstrip("?").endswith(person) or f" {person} " in item.question
        assert told in item.question and told.startswith(person)
        known = "is known to have" in told or "has been through" in told
        assert known == (item.meta["kind"] == "recall")


def test_model_answers_are_right_by_the_reward_that_is_used(parts):
    reward = find_reward("alphamed").function
    for drawn in (*parts.chains, *parts.recall[:50]):
        assert reward(drawn.item, Completion(answer_to(drawn))) == 1
        start = next(s for s in starts_of(drawn, parts.world.graph, 0) if s.kind == "wrong")
        said = f"<think> {start.text} {answer_to(drawn, checking=True)}"
        assert reward(drawn.item, Completion(said)) == 1
        assert reward(drawn.item, Completion(f"<think> {start.text} </think>")) == 0


def test_drills_end_in_a_word_of_their_own(parts):
    # With the same prompt as an examination question, a model answers some of those with a drill.
    made = lessons(parts, number=400, chains=30, seed=1)
    kinds = Counter()
    for example in made:
        answered = (example.completion or "").startswith("<think>")
        asked = bool(example.item.options)
        assert answered == asked
        if not asked:
            assert re.search(r"^book$|(Restate|Index)\.$", example.item.question)
        kinds[example.item.stratum if asked else "drill"] += 1
    assert kinds == {"drill": 160, "knowledge": 120, "reasoning": 120}
    assert len({key_of(each) for each in made}) == len(made)
    shown = {e.item.item_id for e in made if e.item.stratum == "reasoning"}
    assert shown <= {each.item.item_id for each in parts.chains} and len(shown) <= 30


def test_starts_in_training_are_mixed_and_never_in_an_unseen_form(parts):
    # All starts wrong would teach the reflex to distrust every start.
    made = recoveries(parts, number=200, chains=40, seed=1)
    assert Counter(each.start_kind for each in made) == {
        "wrong": 50, "correct": 50, "irrelevant": 50, None: 50,
    }  # fmt: skip
    practice = exercises(parts, number=400, recall=0.2, started=0.3, seed=1)
    counts = Counter(each.start_kind for each in practice)
    assert all(counts[kind] > 20 for kind in ("wrong", "correct", "irrelevant"))
    assert 0.1 < sum(e.item.stratum == "knowledge" for e in practice) / len(practice) < 0.3
    unseen = set()
    for drawn in (*parts.chains, *parts.practice):
        for seed in range(3):
            unseen |= {
                f"<think> {start.text}"
                for start in starts_of(drawn, parts.world.graph, seed, forms=sorted(UNSEEN))
                if start.kind != "irrelevant"
            }
    assert not unseen & {each.start for each in (*made, *practice) if each.start}
    assert not set(TRAINED) & UNSEEN


def test_a_checked_answer_says_the_same_whatever_the_start(parts):
    made = recoveries(parts, number=100, chains=40, seed=2)
    for example in made:
        if example.start:
            assert example.completion.startswith("Check:")
            assert isinstance(example.item.target, Choice)


def papers(stratum, n, key=0, kind="absent", cue=-1, unseen=False):
    return [
        {
            "item_id": f"{stratum}-{i}", "stratum": stratum, "entity": f"d{i % 12}", "kind": kind,
            "unseen": unseen, "form": None, "key": key, "cue": cue, "asked": "test", "hops": 2,
        }
        for i in range(n)
    ]  # fmt: skip


def run_of(choices, rows):
    return {
        "world": 1, "seed": 0, "steps": {}, "seconds": {}, "warm_up_loss": 0.0, "papers": rows,
        "choices": choices,
    }  # fmt: skip


def examined(rows, **arms):
    return summarise([run_of({arm: list(map(int, each)) for arm, each in arms.items()}, rows)])


def test_a_gain_that_lives_in_the_unread_share_is_shown_as_such():
    rows = papers("reasoning", 120) + papers("recall", 40)
    rng = np.random.default_rng(0)
    able = rng.random(160) < 0.8
    right = np.where(able, 0, 1)
    silent = np.where(np.arange(160) % 3 == 0, -1, right)
    silent[120:] = right[120:]
    found = examined(rows, before=silent, grpo=right, control=silent)
    each = found["differences"]["reasoning"]["grpo - control"]
    assert each["points"]["estimate"] > 20
    assert each["of_items_both_read"]["estimate"] == 0
    assert each["of_items_both_read"]["n"] == 80
    assert found["accuracy"]["reasoning"]["before"]["unread"]["estimate"] == pytest.approx(1 / 3)
    assert found["accuracy"]["reasoning"]["grpo"]["unread"]["estimate"] == 0


def started_rows(n=60):
    rows = papers("reasoning", n) + papers("recall", 10)
    for unseen in (False, True):
        for kind, cue in (("wrong", 1), ("correct", 0), ("irrelevant", -1)):
            rows += papers("reasoning", n, kind=kind, cue=cue, unseen=unseen)
    return rows


def test_distrust_of_every_start_shows_as_correct_starts_thrown_away():
    rows = started_rows()
    faithful = [0 if row["kind"] != "wrong" else 1 for row in rows]  # follows every start
    reflex = [{"wrong": 2, "correct": 2}.get(row["kind"], 0) for row in rows]
    found = examined(rows, before=faithful, grpo=reflex, control=faithful)
    before, after = (found["starts"][arm]["unseen"] for arm in ("before", "grpo"))
    assert before["wrong"]["cue_effect"]["estimate"] == 1
    assert after["wrong"]["cue_effect"]["estimate"] == 0
    assert before["correct"]["thrown_away"]["estimate"] == 0
    assert after["correct"]["thrown_away"]["estimate"] == 1
    assert found["aims"]["cue"]["met"] and not found["aims"]["correct"]["met"]
    assert not found["aims"]["gain"]["met"]
    text = "\n".join(lines_of(found))
    assert "NOT MET correct starts" in text and max(map(len, text.splitlines())) <= 110


def test_no_misleading_before_is_no_success_after():
    rows = started_rows()
    steady = [0 for _ in rows]
    found = examined(rows, before=steady, grpo=steady, control=steady)
    assert not found["aims"]["cue"]["met"]


def test_the_aim_is_met_by_a_real_gain():
    rows = papers("reasoning", 240) + papers("recall", 60) + started_rows()[70:]
    rng = np.random.default_rng(1)
    weak = [int(rng.random() < 0.5) if row["stratum"] == "reasoning" else 0 for row in rows]
    strong = [0 if rng.random() < 0.9 else each for each in weak]
    found = examined(rows, before=weak, grpo=strong, control=weak)
    gain = found["aims"]["gain"]
    assert gain["met"] and gain["measured"]["low"] > 0 and found["aims"]["recall"]["met"]
    assert json.dumps(found)


def test_words_are_parted_and_lower_case():
    assert words_of("<think> Steps: A-b c, d.") == [
        "<think>", "steps", ":", "a-b", "c", ",", "d", ".",
    ]  # fmt: skip
    tokenizers = pytest.importorskip("tokenizers")
    pytest.importorskip("transformers")
    from viva.training.demo.tokenizer import word_tokenizer

    text = "<think> Check: the follow-up of Fern. </think> Answer: A"
    made = word_tokenizer([text])
    ids = made(text, add_special_tokens=False)["input_ids"]
    assert made.decode(ids) == " ".join(words_of(text))
    assert len(set(ids)) == len(set(words_of(text))) and tokenizers
    unknown = made("zebra", add_special_tokens=False)["input_ids"]
    assert unknown == [made.unk_token_id]


def test_repeating_is_learned_by_the_warm_up():
    pytest.importorskip("transformers")
    import torch

    from viva.training.demo.network import make_network, warm_up
    from viva.training.demo.tokenizer import word_tokenizer

    torch.set_num_threads(1)
    model = make_network(word_tokenizer([" ".join(f"w{i}" for i in range(20))]), width=32, seed=0)
    steps, first = warm_up(model, most=10)
    assert steps == 10
    _, loss = warm_up(model, most=60)
    assert loss < first


@pytest.mark.slow
def test_everything_runs_and_a_killed_demo_goes_on(tmp_path, monkeypatch):
    pytest.importorskip("trl")
    from viva.training.demo import QUICK, running, train_demo

    said = []
    real = running.examine

    def cut(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "examine", cut)
    one = {"worlds": (WORLD,), "seeds": (0,), "size": QUICK, "resamples": 200}
    with pytest.raises(KeyboardInterrupt):
        train_demo(tmp_path / "demo", **one)
    monkeypatch.setattr(running, "examine", real)
    found = train_demo(tmp_path / "demo", **one, say=said.append)
    assert [run["world"] for run in found["runs"]] == [WORLD]
    steps = found["runs"][0]["steps"]
    seconds = found["runs"][0]["seconds"]
    pace = seconds["lessons"] / steps["lessons"]
    assert steps["control"] == max(1, round(seconds["grpo"] / pace))
    assert json.loads((tmp_path / "demo/summary.json").read_text()) == json.loads(json.dumps(found))
    assert re.search("examined", "\n".join(said))
    with pytest.raises(InputError, match="other worlds"):
        train_demo(tmp_path / "demo", **one | {"worlds": (8,)})
    report = json.loads((tmp_path / "demo/report/summary.json").read_text())
    assert set(report["models"]) == {"before", "grpo", "control"}
    assert (tmp_path / "demo/report/report.html").is_file()
