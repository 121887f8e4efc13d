"""Train the shipped splitter; the same sources and seed give the same files.

    python tools/train_splitter.py                          # both definitions
    python tools/train_splitter.py --vectors ../shared/data # word vectors first, from the texts

The word vectors are learnt, without any label, from the published exam questions of permissive
licence in the folder given.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from pathlib import Path

import numpy as np

from viva._progress import bars
from viva.strata.annotations import DEFINITIONS
from viva.strata.training import train
from viva.strata.vectors import learn

WEIGHTS = Path(__file__).parents[1] / "src/viva/strata/weights"


def jsonl(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _instruction(row: dict) -> tuple[str, list[str]]:
    """Stem and options of a question that was packed into one text."""
    text = re.sub(r"^question:\s*", "", row["instances"]["input"], flags=re.IGNORECASE)
    parts = re.split(r"\s*(?:Option\s+)?\(?\b[A-E][).:]\s*", text)
    return parts[0], parts[1:]


def texts(shared: Path) -> list[list[str]]:
    """Stem and options of every question; the same question once."""
    found: list[tuple[str, list[str]]] = []
    for name in ("4opt_dev", "4opt_test"):
        rows = jsonl(shared / f"medqa/medqa_us_{name}.jsonl")
        found += [(row["question"], list(row["options"].values())) for row in rows]
    for name in ("medqa/medqa_us_train_subset802", "medmcqa/medmcqa_train_subset1000"):
        found += [_instruction(row) for row in jsonl(shared / f"{name}.jsonl")]
    for row in jsonl(shared / "medmcqa/medmcqa_dev.jsonl"):
        found.append((row["question"], [row[f"op{letter}"] for letter in "abcd"]))
    for row in jsonl(shared / "medagents_items/medmcqa_test.jsonl"):
        found.append((row["question"], list(row["options"].values())))
    for row in jsonl(shared / "careqa/care_qa.jsonl"):
        if isinstance(row["question"], str):
            found.append((row["question"], [str(row[f"op{i}"]) for i in range(1, 5)]))
    for name in ("biology", "health"):
        rows = jsonl(shared / f"mmlu_pro/mmlu-pro_{name}.jsonl")
        found += [(row["question"], row["options"]) for row in rows]
    for path in sorted((shared / "mmlu_med").glob("*.csv")):
        with path.open(newline="") as lines:
            found += [(row[0], row[1:5]) for row in csv.reader(lines)]
    for row in jsonl(shared / "medxpertqa/medxpertqa_text_dev1470.jsonl"):
        found.append((row["question"], list(row["options"].values())))
    for row in jsonl(shared / "medxpertqa/medxpertqa_mm_input.jsonl"):
        stem = row["question"].split("\nAnswer Choices:")[0]
        found.append((stem, [option["content"] for option in row["options"]]))
    once = {(q.strip().lower(), *sorted(o)): [q, *o] for q, o in found if len(q) > 5}
    return list(once.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vectors", type=Path, metavar="FOLDER")
    parser.add_argument("--definition", choices=DEFINITIONS, action="append")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.vectors:
        learnt = learn(texts(arguments.vectors), seed=arguments.seed)
        path = WEIGHTS / "vectors.npz"
        np.savez_compressed(
            path,
            words=np.frombuffer("\n".join(learnt.at).encode(), np.uint8),
            vectors=learnt.vectors,
            idf=learnt.idf.astype(np.float16),
        )
        print(f"{path.name}: {len(learnt.at):,} words, {path.stat().st_size:,} bytes")
    for definition in arguments.definition or DEFINITIONS:
        path = WEIGHTS / f"{definition}.npz"
        train(definition=definition, out=path, seed=arguments.seed, progress=bars)
        print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
