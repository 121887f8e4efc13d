"""Rows for trainers: read by the real libraries where they are installed, else by their schemas."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import polars as pl
import pytest

from tiny import tiny_model
from viva.errors import InputError
from viva.formats.item_json import item_from_json
from viva.records import Choice, Item, Media
from viva.synthesis import TRAINERS, Example, export_examples
from viva.targets import Number

SCHEMAS = Path(__file__).parent / "schemas"

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def example(i: int, **changed: object) -> Example:
    item = Item("b", str(i), f"Question {i} — “wise”?", ("x", "y"), Choice(i % 2), meta={"hops": 2})
    return replace(Example(item, source="f.jsonl", licence="MIT"), **changed)


SFT = [example(i, completion=f"Because {i}.\u2028 Answer: A") for i in range(4)]
DPO = [replace(each, rejected="No idea.") for each in SFT]
RL = [example(i) for i in range(3)] + [
    Example(Item("b", "dose", "How much?", target=Number(5, "mg")), source="g")
]
STARTED = [
    replace(each, start=f"Well {i}, ", start_kind="wrong") if i else each
    for i, each in enumerate(SFT)
]
CONTENTS = {"sft": SFT, "dpo": DPO, "rl": RL}


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]


def schema(name: str) -> dict:
    found = json.loads((SCHEMAS / f"{name}.json").read_text())
    jsonschema.Draft202012Validator.check_schema(found)
    return found


def check(rows: object, name: str) -> None:
    jsonschema.Draft202012Validator(schema(name)).validate(rows)


@pytest.fixture
def template(tmp_path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"chat_template": CHATML, "eos_token": "<|im_end|>", "bos_token": None})
    )
    return folder


@pytest.mark.parametrize("to", TRAINERS)
@pytest.mark.parametrize("content", CONTENTS)
def test_every_trainer_is_written_or_refuses(to, content, tmp_path):
    if content not in TRAINERS[to].contents:
        with pytest.raises(InputError, match=f"{to} takes no rows of {content}"):
            export_examples(CONTENTS[content], to, tmp_path / "out")
        return
    made = export_examples(CONTENTS[content], to, tmp_path / "out")
    assert (made.content, made.n, dict(made.left_out)) == (content, 4, {})
    names = [path.name for path in made.files]
    assert {"README.md", "card.json"} < set(names)
    card = json.loads((tmp_path / "out" / "card.json").read_text())
    assert card["export"]["to"] == to and card["n"] == 4
    page = (tmp_path / "out" / "README.md").read_text()
    assert page.startswith("---\nlicense: ") and f"Rows for {to} ({content}): 4" in page
    again = export_examples(CONTENTS[content], to, tmp_path / "out")  # replaces its own
    assert again.files == made.files


def test_llama_factory_rows_follow_its_schema(tmp_path):
    for content in ("sft", "dpo"):
        folder = tmp_path / content
        export_examples(CONTENTS[content], "llama-factory", folder)
        alpaca = json.loads((folder / "alpaca.json").read_text())
        sharegpt = json.loads((folder / "sharegpt.json").read_text())
        info = json.loads((folder / "dataset_info.json").read_text())
        check(alpaca, "llama_factory_alpaca")
        check(sharegpt, "llama_factory_sharegpt")
        check(info, "llama_factory_dataset_info")
        for entry in info.values():
            rows = json.loads((folder / entry["file_name"]).read_text())
            assert set(entry["columns"].values()) <= set(rows[0])
            assert entry.get("ranking", False) == (content == "dpo")
        assert "Question 0" in alpaca[0]["instruction"]
        said = alpaca[0].get("output") or alpaca[0]["chosen"]
        assert said == SFT[0].completion
        turns = [turn["from"] for turn in sharegpt[0]["conversations"]]
        assert turns == (["human", "gpt"] if content == "sft" else ["human"])


@pytest.mark.parametrize("content", CONTENTS)
def test_openrlhf_rows_follow_its_schema(content, tmp_path, template):
    export_examples(CONTENTS[content], "openrlhf", tmp_path / "chat")
    export_examples(CONTENTS[content], "openrlhf", tmp_path / "text", template=template)
    for name in ("chat", "text"):
        for row in lines(tmp_path / name / "train.jsonl"):
            check(row, "openrlhf")
    chat = lines(tmp_path / "chat" / "train.jsonl")
    text = lines(tmp_path / "text" / "train.jsonl")
    assert text[0]["prompt"].endswith("<|im_end|>\n<|im_start|>assistant\n")
    if content == "rl":
        assert [item_from_json(row["label"]).target for row in chat] == [e.item.target for e in RL]
    if content == "sft":
        assert text[0]["completion"] == f"{SFT[0].completion}<|im_end|>"


@pytest.mark.parametrize("content", ["sft", "rl"])
def test_verl_rows_follow_its_schema(content, tmp_path):
    export_examples(CONTENTS[content], "verl", tmp_path / "out")
    rows = pl.read_parquet(tmp_path / "out" / "train.parquet").to_dicts()
    for row in rows:
        check(row, "verl")
    if content == "rl":
        assert [item_from_json(r["reward_model"]["ground_truth"]).target for r in rows] == [
            e.item.target for e in RL
        ]
        assert [r["extra_info"]["index"] for r in rows] == [0, 1, 2, 3]
    else:
        assert rows[0]["messages"][-1] == {"role": "assistant", "content": SFT[0].completion}


def test_axolotl_rows_follow_its_schema_and_starts_are_not_trained(tmp_path, template):
    yaml = pytest.importorskip("yaml")
    for name, rows, given in (
        ("sft", STARTED, None),
        ("dpo", DPO, None),
        ("text", STARTED, template),
    ):
        export_examples(rows, "axolotl", tmp_path / name, template=given)
        for row in lines(tmp_path / name / "train.jsonl"):
            check(row, "axolotl")
        config = yaml.safe_load((tmp_path / name / "datasets.yml").read_text())
        assert config["datasets"][0]["path"] == "train.jsonl"
    for before, row in zip(STARTED, lines(tmp_path / "sft" / "train.jsonl"), strict=True):
        turn = row["messages"][-1]
        assert turn["content"] == before.start + before.completion
        trained = "".join(
            turn["content"][part["begin_offset"] : part["end_offset"] + 1]
            for part in turn.get("train_detail", [{"begin_offset": 0, "end_offset": 999,
                                                   "train": True}])
            if part["train"]
        )  # fmt: skip
        assert trained == before.completion
    segments = lines(tmp_path / "text" / "train.jsonl")[1]["segments"]
    assert segments[0]["text"].endswith("assistant\nWell 1,")
    assert segments[1] == {"label": True, "text": f" {SFT[1].completion}<|im_end|>"}


@pytest.mark.parametrize("to", ["trl", "openrlhf", "llama-factory", "verl"])
def test_starts_that_would_be_learned_are_refused(to, tmp_path, template):
    with pytest.raises(InputError, match="no place for the starts of 3 of 4 sft rows"):
        export_examples(STARTED, to, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    if to != "verl":
        export_examples(STARTED, to, tmp_path / "out", template=template)
        texts = tmp_path / "out" / ("alpaca.json" if to == "llama-factory" else "train.jsonl")
        row = (json.loads(texts.read_text()) if texts.suffix == ".json" else lines(texts))[1]
        assert (row.get("prompt") or row["instruction"]).endswith("assistant\nWell 1,")
        learned = row.get("completion") or row["output"]
        assert learned.removesuffix("<|im_end|>") == " " + SFT[1].completion


def test_a_prompt_with_its_start_is_rewarded_once(tmp_path):
    rows = [*RL, replace(RL[0], number=1), replace(RL[0], number=2, start="Hm. ")]
    made = export_examples(rows, "trl", tmp_path / "out", content="rl")
    assert (made.n, made.left_out) == (5, {"the same prompt again": 1})
    assert lines(tmp_path / "out" / "train.jsonl")[-1]["prompt"][-1] == {
        "role": "assistant", "content": "Hm. ",
    }  # fmt: skip


def test_what_makes_no_row_is_counted_or_refused(tmp_path):
    with pytest.raises(InputError, match=r"several kinds \(4 with a completion, 4 without"):
        export_examples([*SFT, *RL], "trl", tmp_path / "out")
    made = export_examples([*SFT, *RL], "trl", tmp_path / "out", content="sft")
    assert made.left_out == {"no completion": 4}
    assert (
        "Examples that make no row: 4 no completion" in (tmp_path / "out" / "README.md").read_text()
    )
    with pytest.raises(InputError, match=r"no example makes a row of dpo \(4 no completion\)"):
        export_examples(RL, "trl", tmp_path / "pairs", content="dpo")
    shown = replace(SFT[0], item=replace(SFT[0].item, media=(Media("image", "a.png"),)))
    made = export_examples([*SFT[1:], shown], "trl", tmp_path / "media")
    assert made.left_out == {"images, audio or video": 1}
    with pytest.raises(InputError, match=r"cannot export to 'trll'\. Did you mean trl"):
        export_examples(SFT, "trll", tmp_path / "x")
    with pytest.raises(InputError, match="no content 'sfd'"):
        export_examples(SFT, "trl", tmp_path / "x", content="sfd")


def test_a_folder_of_something_else_is_kept(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="holds no export"):
        export_examples(SFT, "trl", tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    with pytest.raises(InputError, match="is a file"):
        export_examples(SFT, "trl", tmp_path / "notes.txt")


def test_the_prompt_is_what_evaluation_sends(tmp_path):
    from viva.methods import load_prompt, render

    for method in ("cot", "direct"):
        export_examples(SFT, "trl", tmp_path / method, method=method)
        asked = lines(tmp_path / method / "train.jsonl")[0]["prompt"]
        assert asked == [{"role": "user", "content": render(load_prompt(method), SFT[0].item)}]


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("tiny") / "model")


@pytest.mark.parametrize("content", CONTENTS)
def test_trl_reads_what_is_written_for_it(content, tmp_path, model):
    datasets = pytest.importorskip("datasets")
    data_utils = pytest.importorskip("trl.data_utils")
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    export_examples(CONTENTS[content], "trl", tmp_path / "out")
    data = datasets.load_dataset(
        "json", data_files=str(tmp_path / "out" / "train.jsonl"), cache_dir=str(tmp_path / "cache")
    )["train"]
    assert len(data) == 4
    keys = {"sft": ["prompt", "completion"], "dpo": ["prompt", "chosen", "rejected"],
            "rl": ["prompt"]}[content]  # fmt: skip
    for row, before in zip(data, CONTENTS[content], strict=True):
        assert data_utils.is_conversational(row)
        text = data_utils.apply_chat_template({key: row[key] for key in keys}, tokenizer)
        assert before.item.question in text["prompt"]
        if content == "sft":
            assert text["completion"].startswith(before.completion)
        if content == "dpo":
            assert text["rejected"].startswith("No idea.")
        if content == "rl":
            assert item_from_json(row["item"]).target == before.item.target


def test_trl_learns_what_stands_behind_the_start_and_nothing_else(tmp_path, model):
    trl = pytest.importorskip("trl")
    datasets = pytest.importorskip("datasets")
    from transformers import AutoModelForCausalLM, AutoTokenizer

    export_examples(STARTED, "trl", tmp_path / "out", template=model)
    data = datasets.load_dataset(
        "json", data_files=str(tmp_path / "out" / "train.jsonl"), cache_dir=str(tmp_path / "cache")
    )["train"]
    tokenizer = AutoTokenizer.from_pretrained(model)
    trainer = trl.SFTTrainer(
        AutoModelForCausalLM.from_pretrained(model),
        trl.SFTConfig(str(tmp_path / "run"), report_to=[], use_cpu=True, max_length=None,
                      completion_only_loss=True, per_device_train_batch_size=4),
        train_dataset=data,
        processing_class=tokenizer,
    )  # fmt: skip
    batch = trainer.data_collator([trainer.train_dataset[i] for i in range(4)])
    for before, ids, labels in zip(STARTED, batch["input_ids"], batch["labels"], strict=True):
        learned = tokenizer.decode(ids[labels != -100])
        space = " " if before.start else ""
        assert learned.removesuffix(tokenizer.eos_token) == space + before.completion
        whole = tokenizer.decode(ids)
        assert f"{before.start}{before.completion}" in whole
