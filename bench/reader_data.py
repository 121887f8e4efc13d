"""Loads the public model outputs that the reader's benchmarks run on, with options and keys."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

LETTERS = "ABCDEFGHIJ"


class Case(NamedTuple):
    set: str
    mode: str
    id: str
    text: str
    options: tuple[str, ...]
    key: str


def lines(path: Path) -> Iterator[dict[str, Any]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def mirage_items(data: Path) -> dict[tuple[str, str], tuple[tuple[str, ...], str]]:
    """Options and key of each MIRAGE item by set and id."""
    items: dict[tuple[str, str], tuple[tuple[str, ...], str]] = {}
    for row, item in enumerate(lines(data / "medqa/medqa_us_4opt_test.jsonl")):
        options = tuple(item["options"][letter] for letter in sorted(item["options"]))
        items["medqa", f"{row:04d}"] = options, item["answer_idx"]
    for item in lines(data / "medmcqa/medmcqa_dev.jsonl"):
        options = tuple(item[name] for name in ("opa", "opb", "opc", "opd"))
        items["medmcqa", item["id"]] = options, LETTERS[int(item["cop"]) - 1]
    for path in sorted((data / "mmlu_med").glob("*_test.csv")):
        subject = path.name.removesuffix("_test.csv")
        with path.open(encoding="utf-8", newline="") as file:
            for row, (_, *options, key) in enumerate(csv.reader(file)):
                items["mmlu", f"{subject}-{row:03d}"] = tuple(options), key
    truth = json.loads((data / "pubmedqa/test_ground_truth.json").read_text())
    for pmid, answer in truth.items():
        options = ("yes", "no", "maybe")
        items["pubmedqa", pmid] = options, LETTERS[options.index(answer)]
    return items


def mirage_cases(data: Path) -> Iterator[Case]:
    """The raw GPT-3.5 completions of MIRAGE; a completion that is an empty list is empty text."""
    items = mirage_items(data)
    for mode in ("cot", "rag_32"):
        path = data / f"model_outputs/mirage_gpt-35-turbo-16k_{mode}.jsonl.gz"
        for row in lines(path):
            options, key = items[row["dataset"], row["id"]]
            text = row["completion"]
            text = text if isinstance(text, str) else "".join(text)
            yield Case(row["dataset"], mode, row["id"], text, options, key)
