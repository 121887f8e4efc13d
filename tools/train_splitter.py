"""Train the shipped splitter; the same sources and seed give the same files.

    python tools/train_splitter.py                                       # both definitions
    python tools/train_splitter.py --vectors ../shared/data              # word vectors first
    python tools/train_splitter.py --vectors ../shared/data --compare    # the same as shipped?
    python tools/train_splitter.py --vectors ../shared/data --unlabelled # without their texts

The word vectors are learnt, without any label, from the published exam questions of permissive
licence in the folder given. ``--compare`` trains into a temporary folder and says whether the bytes
are those that ship. ``--unlabelled`` learns vectors without the texts of labelled questions and
prints what cross-validation then gives; it changes no file.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from viva._progress import bars
from viva.strata import evaluate, vectors
from viva.strata.annotations import DEFINITIONS, bundled_labels
from viva.strata.text import stem_hash
from viva.strata.training import train

WEIGHTS = Path(__file__).parents[1] / "src/viva/strata/weights"


def jsonl(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _instruction(row: dict) -> tuple[str, list[str]]:
    """A question that was packed into one text with its options: nothing parts them safely."""
    return re.sub(r"^question:\s*", "", row["instances"]["input"], flags=re.IGNORECASE), []


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


def write_vectors(learnt: vectors.WordVectors, path: Path) -> None:
    np.savez_compressed(
        path,
        words=np.frombuffer("\n".join(learnt.at).encode(), np.uint8),
        vectors=learnt.vectors,
        idf=learnt.idf.astype(np.float16),
    )


def without_labelled(found: list[list[str]], seed: int) -> None:
    """Cross-validate with vectors that never saw the text of a labelled question."""
    stems = {stem_hash(s) for name in DEFINITIONS for s in bundled_labels(name)["question"]}
    kept = [text for text in found if stem_hash(text[0]) not in stems]
    learnt = vectors.learn(kept, seed=seed)
    vectors.word_vectors = lambda: learnt
    print(f"vectors of {len(kept):,} questions, none of them labelled")
    for definition in DEFINITIONS:
        report = evaluate(definition, cv=True, seed=seed, resamples=200, progress=bars)
        measured = report["methods"]["splitter"]
        names = [n for n in ("auroc", "length_matched_auroc", "inside medqa") if n in measured]
        print(definition, *(f"{name} {measured[name]['estimate']:.3f}" for name in names))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--vectors", type=Path, metavar="FOLDER")
    parser.add_argument("--definition", choices=DEFINITIONS, action="append")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--compare", action="store_true")
    parser.add_argument("--unlabelled", action="store_true")
    arguments = parser.parse_args()
    if arguments.unlabelled:
        if not arguments.vectors:
            parser.error("--unlabelled needs --vectors FOLDER")
        without_labelled(texts(arguments.vectors), arguments.seed)
        return
    made = []
    with TemporaryDirectory() as temporary:
        folder = Path(temporary) if arguments.compare else WEIGHTS
        if arguments.vectors:
            path = folder / "vectors.npz"
            write_vectors(vectors.learn(texts(arguments.vectors), seed=arguments.seed), path)
            made.append(path)
            read = vectors.read_vectors(path)
            vectors.word_vectors = lambda: read
        for definition in arguments.definition or DEFINITIONS:
            path = folder / f"{definition}.npz"
            train(definition=definition, out=path, seed=arguments.seed, progress=bars)
            made.append(path)
        for path in made:
            line = f"{path.name}: {path.stat().st_size:,} bytes"
            if arguments.compare:
                same = path.read_bytes() == (WEIGHTS / path.name).read_bytes()
                line += ", as shipped" if same else ", NOT as shipped"
            print(line)


if __name__ == "__main__":
    main()
