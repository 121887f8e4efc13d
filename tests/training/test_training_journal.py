"""The log of a training: numbers only, no step twice, and a view that fits its line."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from viva.errors import InputError
from viva.training._view import Progress, line, sparkline
from viva.training.journal import COLUMNS, Recorder, log_line, read_log, recording, truncate_log


class Clock:
    """Seconds that a test moves on."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@dataclass
class Counts:
    """As the reward functions count."""

    groups: int = 0
    equal: int = 0
    seconds: float = 0.0
    parts: dict = field(default_factory=dict)

    def copy(self):
        return Counts(self.groups, self.equal, self.seconds)

    def since(self, before):
        return Counts(
            self.groups - before.groups, self.equal - before.equal, self.seconds - before.seconds
        )

    def shares(self):
        return {"share_equal": self.equal / max(1, self.groups), "seconds": self.seconds}


def recorded(path, steps, *, begin=0, clock=None, counts=None, **more):
    clock = clock or Clock()
    progress = Progress("p", clock)
    recorder = Recorder(path, progress, counted=counts, clock=clock, **more)
    recorder.begin(begin, 100)
    for step in range(begin + 1, begin + steps + 1):
        clock.now += 2.0
        if counts is not None:
            counts.groups += 4
            counts.equal += step % 2
            counts.seconds += 0.5
        recorder.step(step)
        recorder.log(step, {"loss": 1 / step, "reward": step / 10, "num_tokens": 50.0 * step})
    recorder.end()
    return progress


def test_a_log_is_read_as_it_was_written(tmp_path):
    recorded(tmp_path / "log.jsonl", 5, counts=Counts())
    log = read_log(tmp_path)
    assert log["step"].to_list() == [1, 2, 3, 4, 5]
    assert log["loss"].to_list() == [1 / s for s in range(1, 6)]
    assert log["share_equal"].to_list() == [0.25, 0, 0.25, 0, 0.25]
    assert log["tokens_per_second"].to_list() == [25.0] * 5
    assert log["own_seconds"].to_list() == pytest.approx([0.5] * 5)
    assert log.schema["step"] == pl.Int64
    assert set(log.columns) <= set(COLUMNS)
    assert read_log(tmp_path / "log.jsonl").equals(log)


@pytest.mark.parametrize("cut", [0, 1, 4, 9])
def test_no_step_stands_twice_after_a_restart(tmp_path, cut):
    whole = tmp_path / "whole" / "log.jsonl"
    recorded(whole, 9)
    path = tmp_path / "log.jsonl"
    recorded(path, 7)
    with path.open("ab") as stream:
        stream.write(b'{"step": 8, "loss": 0.1')  # killed while it wrote
    recorded(path, 9 - cut, begin=cut)
    log = read_log(path)
    assert log["step"].to_list() == (list(range(1, 10)) if cut < 9 else list(range(1, 8)))
    if cut < 9:
        assert log["loss"].to_list() == read_log(whole)["loss"].to_list()


def test_a_line_still_being_written_is_not_read(tmp_path):
    path = tmp_path / "log.jsonl"
    recorded(path, 2)
    with path.open("ab") as stream:
        stream.write(b'{"step": 3, "lo')
    assert read_log(path).height == 2
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(InputError, match=r"log\.jsonl:3"):
        read_log(path)
    assert truncate_log(path, 2) == 1
    assert read_log(path).height == 2
    with pytest.raises(InputError, match="no log"):
        read_log(tmp_path / "nowhere")


def test_phases_count_on(tmp_path):
    path = tmp_path / "log.jsonl"
    recorded(path, 3, phase=1)
    recorded(path, 2, first_step=3, phase=2)
    log = read_log(path)
    assert log["step"].to_list() == [1, 2, 3, 4, 5]
    assert log["phase"].to_list() == [1, 1, 1, 2, 2]


def test_nothing_but_numbers_gets_into_the_log():
    told = log_line(
        3,
        {
            "loss": float("nan"), "note": "hf_secretsecretsecret", "reward": "0.5",
            "rewards/choice/mean": 0.25, "rewards/choice/std": 0.1, "kl": float("inf"),
            "frac_reward_zero_std": 0.0, "object": object(), "entropy": 1,
        },
        {"share_none": 0.5, "seconds": 1.5},
    )  # fmt: skip
    assert told == {
        "step": 3, "loss": None, "reward/choice": 0.25, "kl": None, "entropy": 1,
        "share_none": 0.5, "own_seconds": 1.5,
        "trainer": {"rewards/choice/std": 0.1, "object": None},
    }  # fmt: skip
    json.dumps(told, allow_nan=False)


def test_the_summary_of_a_trainer_is_no_step(tmp_path):
    recorder = Recorder(tmp_path / "log.jsonl")
    recorder.begin(0, 2)
    recorder.log(2, {"train_runtime": 1.0, "train_loss": 0.3})
    recorder.end()
    assert read_log(tmp_path).height == 0


@given(st.lists(st.floats(-1e6, 1e6), max_size=300), st.integers(1, 60))
def test_a_sparkline_has_its_width_and_its_ends(values, width):
    drawn = sparkline(values, width)
    assert len(drawn) == min(len(values), width)
    assert set(drawn) <= set("▁▂▃▄▅▆▇█")
    if len(values) <= width and values and min(values) < max(values):
        assert drawn[values.index(max(values))] == "█"
        assert drawn[values.index(min(values))] == "▁"


def test_the_time_left_is_that_of_the_recent_pace(tmp_path):
    progress = recorded(tmp_path / "log.jsonl", 40)
    assert progress.left() == pytest.approx(60 * 2.0)
    said = line(progress)
    assert "step 40 of 100" in said
    assert "2:00 left" in said
    assert "25 tokens/s" in said
    assert line(Progress("p")).endswith("time left not known yet")


def test_the_view_at_a_terminal_fits_its_width(tmp_path):
    from rich.console import Console

    from viva.training._view import _shown

    progress = recorded(tmp_path / "log.jsonl", 90)
    for width in (40, 80, 200):
        console = Console(width=width, record=True, file=(tmp_path / "out").open("w"))
        console.print(_shown(progress, width))
        lines = console.export_text().splitlines()
        assert max(map(len, lines)) <= width
        assert any(each.startswith("reward") and "█" in each for each in lines)


def test_a_training_of_trl_is_recorded_and_goes_on(tmp_path, capsys):
    """Killed after step 4 and continued: the log is that of a training that was never killed."""
    trl = pytest.importorskip("trl")
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from tiny import tiny_model
    from viva.training.journal import quiet

    model = tiny_model(tmp_path / "model")
    tokenizer = AutoTokenizer.from_pretrained(model)
    rows = [{"prompt": f"Case {i}?", "completion": f" Drug {i % 4}."} for i in range(12)]

    def train(folder, steps, resume=None):
        config = trl.SFTConfig(
            str(folder), max_steps=6, per_device_train_batch_size=2, logging_steps=1, save_steps=2,
            use_cpu=True, bf16=False, gradient_checkpointing=False, report_to="none",
            disable_tqdm=True, learning_rate=1e-3, seed=1,
        )  # fmt: skip
        with recording(folder, "demo") as callback:
            trainer = trl.SFTTrainer(
                AutoModelForCausalLM.from_pretrained(model), config,
                train_dataset=Dataset.from_list(rows), processing_class=tokenizer,
                callbacks=[callback],
            )  # fmt: skip
            quiet(trainer)
            if steps < 6:

                def stop(*_, **__):
                    if trainer.state.global_step == steps:
                        raise KeyboardInterrupt

                callback.on_substep_end = stop
                callback.on_step_begin = stop
                with pytest.raises(KeyboardInterrupt):
                    trainer.train()
            else:
                trainer.train(resume_from_checkpoint=resume)

    train(tmp_path / "whole", 6)
    train(tmp_path / "cut", 5)
    assert read_log(tmp_path / "cut")["step"].to_list() == [1, 2, 3, 4, 5]
    train(tmp_path / "cut", 6, str(tmp_path / "cut" / "checkpoint-4"))
    whole, cut = read_log(tmp_path / "whole"), read_log(tmp_path / "cut")
    assert cut["step"].to_list() == whole["step"].to_list() == [1, 2, 3, 4, 5, 6]
    assert cut["loss"].to_list() == pytest.approx(whole["loss"].to_list(), abs=1e-6)
    assert "demo: step 6 of 6, loss" in capsys.readouterr().err
