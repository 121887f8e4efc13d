"""Rows as each trainer reads them: TRL, LLaMA-Factory, OpenRLHF, verl, Axolotl.

Formats are those of TRL 1.16, LLaMA-Factory 0.9 (``data/README.md``), OpenRLHF 0.11
(``openrlhf/datasets``), verl 0.8 (``RLHFDataset``, ``MultiTurnSFTDataset``) and Axolotl 0.13
(``docs/dataset-formats``). None of them is imported.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from viva.errors import InputError
from viva.formats.item_json import item_to_json
from viva.synthesis.export_rows import Row

__all__ = ["TRAINERS", "Trainer", "Use", "find_trainer"]

Use = str
"""How a trainer is pointed at the files, in Markdown."""


class Trainer(NamedTuple):
    """How rows are written for one trainer."""

    description: str
    """One line for the docs."""
    contents: tuple[str, ...]
    """What it can be given: of :data:`viva.synthesis.export_rows.CONTENTS`."""
    write: Callable[[Sequence[Row], str, Path], Use]
    """``(rows, content, folder)``: writes the files; how they are used."""
    starts: tuple[str, ...] = ()
    """Contents whose starts stay out of the loss without a chat template."""
    templated: tuple[str, ...] = ()
    """Contents that can be given as text under a chat template."""


# Parts of rows ------------------------------------------------------------------------------------


def _messages(row: Row, role: str = "role", content: str = "content") -> list[dict[str, str]]:
    return [{role: each.role, content: each.content} for each in row.messages]


def _said(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


def _ended(row: Row, text: str | None) -> str:
    """A completion with the end of the turn, for text under a template."""
    return row.space + (text or "") + row.end


def _origin(row: Row) -> dict[str, Any]:
    """What is worth knowing of a row while it is trained on."""
    example = row.example
    return {
        "id": row.id,
        "source": example.source,
        "start_kind": example.start_kind,
        "stratum": example.item.stratum,
    }


def _lines(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        for row in rows:
            stream.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")


def _json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _console(*commands: str) -> str:
    return "\n".join(["```text", *commands, "```"])


# TRL ----------------------------------------------------------------------------------------------


def _trl(rows: Sequence[Row], content: str, folder: Path) -> Use:
    _lines(folder / "train.jsonl", (_trl_row(row, content) for row in rows))
    trainer = {"sft": "SFTTrainer", "dpo": "DPOTrainer", "rl": "GRPOTrainer"}[content]
    said = [f'`load_dataset("json", data_files="train.jsonl")` is the data set of `{trainer}`.']
    if content == "rl":
        said.append("Rewards read the column `item`: `viva.training.rewards.to_trl`.")
    return " ".join(said)


def _trl_row(row: Row, content: str) -> dict[str, Any]:
    example = row.example
    if row.prompt is not None:  # the tokenizer puts the token of beginning before texts itself
        prompt: Any = row.prompt.removeprefix(row.bos)
        said: Callable[[str | None], Any] = lambda text: _ended(row, text)  # noqa: E731
    else:
        prompt = _messages(row) + (_said(example.start) if example.start else [])
        said = lambda text: _said(text or "")  # noqa: E731
    if content == "rl":
        return {"prompt": prompt, "item": item_to_json(example.item), **_origin(row)}
    if content == "dpo":
        return {
            "prompt": prompt,
            "chosen": said(example.completion),
            "rejected": said(example.rejected),
        }
    return {"prompt": prompt, "completion": said(example.completion)}


# LLaMA-Factory ------------------------------------------------------------------------------------

_SHAREGPT = {"user": "human", "assistant": "gpt", "system": "system"}


def _llama_factory(rows: Sequence[Row], content: str, folder: Path) -> Use:
    paired = content == "dpo"
    _json(folder / "alpaca.json", [_alpaca(row, paired) for row in rows])
    columns = {"prompt": "instruction", "query": "input", "system": "system"}
    learned = {"chosen": "chosen", "rejected": "rejected"} if paired else {"response": "output"}
    info: dict[str, Any] = {
        "viva_alpaca": {"file_name": "alpaca.json", "columns": columns | learned}
    }
    if rows[0].prompt is None:  # a rendered text is no conversation
        _json(folder / "sharegpt.json", [_sharegpt(row, paired) for row in rows])
        columns = {"messages": "conversations", "system": "system"}
        info["viva_sharegpt"] = {
            "file_name": "sharegpt.json",
            "formatting": "sharegpt",
            "columns": columns | ({"chosen": "chosen", "rejected": "rejected"} if paired else {}),
        }
    if paired:
        for each in info.values():
            each["ranking"] = True
    _json(folder / "dataset_info.json", info)
    template = "the template of the model" if rows[0].prompt is None else "`template: empty`"
    return (
        f"`dataset_dir` is this folder, `dataset: {' or '.join(info)}`, with {template} and "
        f"`stage: {'dpo' if paired else 'sft'}`."
    )


def _alpaca(row: Row, paired: bool) -> dict[str, str]:
    if row.prompt is not None:
        asked = {"instruction": row.prompt, "input": "", "system": ""}
    else:
        asked = {"instruction": _user(row), "input": "", "system": _system(row)}
    example = row.example
    end = "" if row.end == row.eos else row.end  # its templates put the end of a text themselves
    if paired:
        return asked | {
            "chosen": row.space + (example.completion or "") + end,
            "rejected": row.space + (example.rejected or "") + end,
        }
    return asked | {"output": row.space + (example.completion or "") + end}


def _sharegpt(row: Row, paired: bool) -> dict[str, Any]:
    turns = [
        {"from": _SHAREGPT[each.role], "value": each.content}
        for each in row.messages
        if each.role != "system"
    ]
    example = row.example
    if paired:
        return {
            "conversations": turns,
            "system": _system(row),
            "chosen": {"from": "gpt", "value": example.completion},
            "rejected": {"from": "gpt", "value": example.rejected},
        }
    turns.append({"from": "gpt", "value": example.completion or ""})
    return {"conversations": turns, "system": _system(row)}


def _system(row: Row) -> str:
    return "\n\n".join(each.content for each in row.messages if each.role == "system")


def _user(row: Row) -> str:
    """The one turn of the user; Alpaca rows of several turns have their own field for the rest."""
    turns = [each for each in row.messages if each.role != "system"]
    if len(turns) > 1:
        raise InputError(
            "a prompt of several turns has no place in Alpaca rows", where=row.id,
            mend="Export with a method that asks in one turn, such as cot or direct",
        )  # fmt: skip
    return turns[0].content


# OpenRLHF -----------------------------------------------------------------------------------------


def _openrlhf(rows: Sequence[Row], content: str, folder: Path) -> Use:
    _lines(folder / "train.jsonl", (_openrlhf_row(row, content) for row in rows))
    chat = "" if rows[0].prompt is not None else " --apply_chat_template"
    keys = {
        "sft": "--input_key prompt --output_key completion",
        "dpo": "--prompt_key prompt --chosen_key chosen --rejected_key rejected",
        "rl": "--input_key prompt --label_key label",
    }[content]
    data = "--prompt_data" if content == "rl" else "--dataset"
    return _console(f"{data} json@. {keys}{chat}")


def _openrlhf_row(row: Row, content: str) -> dict[str, Any]:
    example = row.example
    prompt: Any = _messages(row) if row.prompt is None else row.prompt

    def said(text: str | None) -> Any:
        return _said(text or "") if row.prompt is None else _ended(row, text)

    if content == "rl":
        item = example.item
        return {"prompt": prompt, "label": item_to_json(item), "datasource": item.benchmark}
    if content == "dpo":
        return {
            "prompt": prompt,
            "chosen": said(example.completion),
            "rejected": said(example.rejected),
        }
    return {"prompt": prompt, "completion": said(example.completion)}


# verl ---------------------------------------------------------------------------------------------


def _verl(rows: Sequence[Row], content: str, folder: Path) -> Use:
    import polars as pl

    turn = pl.List(pl.Struct({"role": pl.String, "content": pl.String}))
    if content == "sft":
        made = [{"messages": _messages(row) + _said(row.example.completion or "")} for row in rows]
        frame = pl.DataFrame(made, schema={"messages": turn})
        use = "`data.train_files=train.parquet data.messages_key=messages` of the SFT trainer."
    else:
        frame = pl.DataFrame(
            [_verl_row(row, at) for at, row in enumerate(rows)],
            schema={
                "data_source": pl.String,
                "prompt": turn,
                "ability": pl.String,
                "reward_model": pl.Struct({"style": pl.String, "ground_truth": pl.String}),
                "extra_info": pl.Struct(
                    {"split": pl.String, "index": pl.Int64, "id": pl.String, "source": pl.String,
                     "stratum": pl.String}
                ),
            },
        )  # fmt: skip
        use = (
            "`data.train_files=train.parquet`, with a `custom_reward_function` that "
            "`viva.training.rewards.to_verl` makes: it reads the item from `ground_truth`."
        )
    frame.write_parquet(folder / "train.parquet")
    return use


def _verl_row(row: Row, index: int) -> dict[str, Any]:
    item = row.example.item
    return {
        "data_source": item.benchmark,
        "prompt": _messages(row),
        "ability": "medical",
        "reward_model": {"style": "rule", "ground_truth": item_to_json(item)},
        "extra_info": {
            "split": "train",
            "index": index,
            "id": row.id,
            "source": row.example.source,
            "stratum": item.stratum,
        },
    }


# Axolotl ------------------------------------------------------------------------------------------

_DATASETS = """\
{before}datasets:
  - path: {path}
    ds_type: json
    type: {type}
{rest}"""


def _axolotl(rows: Sequence[Row], content: str, folder: Path) -> Use:
    _lines(folder / "train.jsonl", (_axolotl_row(row, content) for row in rows))
    if content == "dpo":
        rest = (
            "    field_messages: messages\n    field_chosen: chosen\n    field_rejected: rejected\n"
        )
        made = {"before": "rl: dpo\n", "type": "chat_template.default", "rest": rest}
    elif rows[0].prompt is not None:
        made = {"before": "", "type": "input_output", "rest": "train_on_inputs: false\n"}
    else:
        rest = (
            '    field_messages: messages\n    roles_to_train: ["assistant"]\n'
            "    train_on_eos: turn\n    message_field_training_detail: train_detail\n"
        )
        made = {"before": "", "type": "chat_template", "rest": rest}
    text = _DATASETS.format(path="train.jsonl", **made)
    (folder / "datasets.yml").write_text(text, encoding="utf-8")
    return "The lines of `datasets.yml` are part of the configuration; paths are from its folder."


def _axolotl_row(row: Row, content: str) -> dict[str, Any]:
    example = row.example
    if row.prompt is not None:
        return {
            "segments": [
                {"label": False, "text": row.prompt},
                {"label": True, "text": _ended(row, example.completion)},
            ]
        }
    if content == "dpo":
        return {
            "messages": _messages(row),
            "chosen": _said(example.completion or "")[0],
            "rejected": _said(example.rejected or "")[0],
        }
    turn: dict[str, Any] = _said(example.start + (example.completion or ""))[0]
    if example.start:  # offsets of characters, both ends included
        last = len(example.start) - 1
        turn["train_detail"] = [
            {"begin_offset": 0, "end_offset": last, "train": False},
            {"begin_offset": last + 1, "end_offset": len(turn["content"]) - 1, "train": True},
        ]
    return {"messages": [*_messages(row), turn]}


TRAINERS: dict[str, Trainer] = {
    "trl": Trainer(
        "TRL: prompt and completion, chosen and rejected, or prompt and item; JSON Lines",
        ("sft", "dpo", "rl"), _trl, starts=("rl",), templated=("sft", "dpo", "rl"),
    ),
    "llama-factory": Trainer(
        "LLaMA-Factory: Alpaca and ShareGPT rows with dataset_info.json",
        ("sft", "dpo"), _llama_factory, templated=("sft", "dpo"),
    ),
    "openrlhf": Trainer(
        "OpenRLHF: prompt with completion, pair or label; JSON Lines",
        ("sft", "dpo", "rl"), _openrlhf, templated=("sft", "dpo", "rl"),
    ),
    "verl": Trainer(
        "verl: data_source, prompt, ability, reward_model and extra_info, or messages; Parquet",
        ("sft", "rl"), _verl,
    ),
    "axolotl": Trainer(
        "Axolotl: chat_template rows, or segments under a given template; JSON Lines",
        ("sft", "dpo"), _axolotl, starts=("sft",), templated=("sft",),
    ),
}  # fmt: skip
"""Name -> trainer that examples can be written for."""


def find_trainer(name: str) -> Trainer:
    """The trainer of a name.

    Raises
    ------
    InputError
        Where there is none; the mend names the nearest.
    """
    from viva.errors import did_you_mean

    if name not in TRAINERS:
        raise InputError(f"cannot export to {name!r}", mend=did_you_mean(name, TRAINERS))
    return TRAINERS[name]
