"""The reader on published outputs, beside what their publishers read from them.

Three files: answers misled by cues (was it correct?), QwQ-32B traces (which letter?) and a sampled
run of HuatuoGPT-o1 (which has no reading of its own; the first and the last match stand in).

``PYTHONPATH=src python bench/reader_outputs.py --data ../shared/data [--show 20]``
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from reader_data import lines
from viva.answers import peers, read


class Row(NamedTuple):
    """One output: its text, the options, and what its publisher made of it."""

    text: str
    options: tuple[str, ...]
    key: str
    correct: bool | None
    """Whether the publisher counted it as correct."""


def texts(options: dict[str, str]) -> tuple[str, ...]:
    return tuple(options[letter] for letter in sorted(options))


def misled(data: Path) -> Iterator[Row]:
    items = [texts(i["options"]) for i in lines(data / "medqa/medqa_us_5opt_test.jsonl")]
    for row in lines(data / "model_outputs/misled_answers.jsonl.gz"):
        yield Row(row["response"] or "", items[row["row"]], row["gold"], row["is_correct"])


def qwq(data: Path) -> Iterator[Row]:
    items = {
        (name, item["realidx"]): texts(item["options"])
        for name in ("mmlu", "mmlu-pro", "pubmedqa")
        for item in lines(data / f"medagents_items/{name}_test.jsonl")
    }
    for item in lines(data / "medxpertqa/medxpertqa_text_dev1470.jsonl"):
        items["medxpertqa", item["id"]] = texts(item["options"])
    for row in lines(data / "model_outputs/qwq32b_completions.jsonl.gz"):
        options = items[row["dataset"], row["id"]]
        yield Row(row["completion"], options, row["gold"], row["pred"] == row["gold"])


def huatuo(data: Path) -> Iterator[Row]:
    items = [texts(i["options"]) for i in lines(data / "medqa/medqa_us_5opt_test.jsonl")]
    rows = lines(data / "model_outputs/huatuo_o1_original_0.jsonl.gz")
    for row, options in zip(rows, items, strict=True):
        key = row["ideal_answer"]
        first, last = (rule(row["reason"], options) for rule in MATCHES)
        yield Row(row["reason"], options, key, first == key if first == last else None)


MATCHES = (peers.first_match, peers.last_match)
FILES = {"misled_answers": misled, "qwq32b_completions": qwq, "huatuo_o1_original_0": huatuo}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--show", type=int, default=0, help="disagreements to print per file")
    arguments = parser.parse_args()
    for name, load in FILES.items():
        counts: Counter[str] = Counter()
        reasons: Counter[str] = Counter()
        shown = 0
        for row in load(arguments.data):
            reading = read(row.text, options=row.options)
            counts["rows"] += 1
            if reading.reason:
                reasons[f"{reading.status}: {reading.reason}"] += 1
                counts["unread"] += 1
                counts["unread, published as correct"] += row.correct is True
            elif row.correct is None:
                counts["nothing published to compare with"] += 1
            elif (reading.value == row.key) == row.correct:
                counts["agree"] += 1
            else:
                counts["disagree"] += 1
                if shown < arguments.show:
                    shown += 1
                    print("   ", reading.value, row.key, row.correct, repr(row.text[-300:]))
                    print("       ", row.options)
        compared = counts["agree"] + counts["disagree"]
        share = f"{100 * counts['agree'] / compared:.2f} %" if compared else "-"
        print(f"{name}: agreement with the published correctness {share} of {compared} read")
        for what in sorted(counts):
            print(f"  {counts[what]:6d}  {what}")
        for reason, count in reasons.most_common():
            print(f"    {count:6d}  {reason}")


if __name__ == "__main__":
    main()
