"""Time and memory of a whole audit: do the statistics take longer than reading the answers?

Run ``python bench/audit_speed.py [--items 10000] [--models 10] [--resamples 10000]``. It writes
the bundled questions and made answers of about 1 kB each as files, audits them in this process and
prints the seconds of each step, the ratio of statistics to reading and parsing, and the peak
memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import polars as pl

import viva
from viva._progress import Advance
from viva.benchmarks import bundled
from viva.records import LETTERS

READING = ("Reading answers and items", "Reading responses")
STATISTICS = ("Gaps of each model", "Comparing all pairs", "Threshold sweep")
STRATA = ("knowledge", "reasoning")
WORDS = (
    "patient history fever chest pain blood pressure elevated enzyme deficiency therapy renal "
    "hepatic acute chronic lesion biopsy shows consistent with most likely mechanism inhibits "
    "receptor pathway reduces clearance dose response infection culture antibiotic resistant "
    "fracture imaging reveals mass therefore because suggests the of in and this that is"
).split()
FORMS = (
    "The answer is {letter}.",
    "**Answer: {letter}**",
    "Therefore, the correct answer is ({letter}) {option}.",
    "So the best choice is {letter}. {option}",
    "\\boxed{{{letter}}}",
)


def prose(rng: np.random.Generator, characters: int) -> str:
    """Sentences of made prose."""
    words = [WORDS[i] for i in rng.integers(0, len(WORDS), characters // 7)]
    return " ".join(
        " ".join(words[i : i + 12]).capitalize() + "." for i in range(0, len(words), 12)
    )


def write_files(folder: Path, items: int, models: int, labels: str) -> tuple[Path, list[Path]]:
    """Bundled questions, those missing asked a second time, and one answers file for each model."""
    rng = np.random.default_rng(0)
    known = bundled().items
    real = known.select("benchmark", "question", "options", pl.col("key").list.first()).rows()
    real = [real[i % len(real)] for i in rng.permutation(max(items, len(real)))[:items]]
    reasoning = rng.random(items) < [0.2 + 0.2 * len(row[1]) / 800 for row in real]
    options = [row[2] for row in real]
    key = np.array([row[3] for row in real])
    count = np.array([len(row) for row in options])
    rows = [
        {
            "benchmark": real[i][0],
            "item_id": str(i),
            "question": real[i][1],
            "options": options[i],
            "answer": int(key[i]),
            **(
                {"stratum": "reasoning" if reasoning[i] else "knowledge"}
                if labels == "given"
                else {}
            ),
        }
        for i in range(items)
    ]
    (folder / "items.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    files = []
    for m in range(models):
        right = rng.random(items) < np.linspace(0.5, 0.85, models)[m] - 0.04 * reasoning
        said = np.where(right, key, (key + 1) % count)
        files.append(folder / f"model-{m}.jsonl")
        with files[-1].open("w") as out:
            for i, row in enumerate(rows):
                form = FORMS[int(rng.integers(len(FORMS)))]
                end = form.format(letter=LETTERS[said[i]], option=options[i][said[i]])
                answer = {"benchmark": row["benchmark"], "item_id": row["item_id"]}
                answer |= {"model": f"model-{m}", "response": f"{prose(rng, 1000)}\n\n{end}"}
                out.write(json.dumps(answer) + "\n")
    return folder / "items.jsonl", files


def main() -> None:
    """Print the seconds of each step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--models", type=int, default=10)
    parser.add_argument("--resamples", type=int, default=10_000)
    parser.add_argument("--labels", choices=("given", "rubric", "medxpertqa"), default="given")
    given = parser.parse_args()
    seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def clock(description: str, _total: int | None = None) -> Iterator[Advance]:
        start = time.process_time()
        yield lambda _: None
        seconds[description] += time.process_time() - start

    with tempfile.TemporaryDirectory() as folder:
        items, answers = write_files(Path(folder), given.items, given.models, given.labels)
        size = sum(path.stat().st_size for path in answers) / 1e6
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        start = time.process_time()
        found = viva.audit(
            items=items, answers=answers, labels=given.labels, resamples=given.resamples,
            progress=clock,
        )  # fmt: skip
        audited = time.process_time() - start
        start = time.process_time()
        found.write(Path(folder) / "out")
        seconds["Writing the report"] = time.process_time() - start
    read = sum(model["graded"] for model in found.summary["models"].values())
    print(
        f"{given.items:,} items x {given.models} models, {size:.0f} MB of answers, "
        f"{read / given.items / given.models:.1%} read, {given.resamples:,} resamples, "
        f"labels {given.labels}; CPU seconds"
    )
    for name, value in seconds.items():
        print(f"  {name:32} {value:8.2f}")
    print(f"  {'all but the report':32} {audited:8.2f}")
    reading = sum(seconds[name] for name in READING)
    statistics = sum(seconds[name] for name in STATISTICS)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"reading and parsing {reading:.2f} s, statistics {statistics:.2f} s")
    print(f"ratio statistics / (reading + parsing): {statistics / reading:.2f}  (to reach: < 1)")
    print(f"peak memory {peak:.0f} MB ({before:.0f} before the audit)  (to reach: < 1500)")


if __name__ == "__main__":
    main()
