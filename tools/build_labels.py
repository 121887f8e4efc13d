"""Pack the published labels for the package.

    python tools/build_labels.py ../shared/data

Rubric labels: CC0, made by a language model following labels/rubric.md, not by clinicians; the
texts are MIT or Apache-2.0. MedXpertQA labels and texts: MIT; the text questions are joined by id
with the bundled sample, the image questions carry their stems without the option list.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[1] / "src/viva/strata/labels"


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def verdicts(row: dict[str, Any]) -> list[str]:
    if row["label"] != "disputed":
        return [row["label"]] * len(as_list(row["steps"]))
    # Two verdicts that differ; the one with fewer steps, or else the less sure one, is knowledge.
    order = sorted(range(2), key=lambda i: (row["steps"][i], -row["confidence"][i]))
    return ["knowledge" if i == order[0] else "reasoning" for i in range(2)]


def write(name: str, found: list[dict[str, Any]]) -> None:
    text = "".join(
        json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in found
    )
    path = TARGET / name
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f"{name}: {len(found):,} rows, {path.stat().st_size:,} bytes")


def main(shared: Path) -> None:
    rubric = [
        {
            "id": row["id"],
            "part": row["benchmark"],
            "question": row["question"],
            "options": row["options"],
            "answer": row["answer"],
            "labels": verdicts(row),
            "steps": as_list(row["steps"]),
            "decorative": as_list(row["decorative"]),
            "confidence": as_list(row["confidence"]),
            "flag": row.get("flag"),
        }
        for name in ("rk_single", "rk_double")
        for row in rows(shared / f"rk_labels/{name}.jsonl")
    ]
    write("rubric.jsonl.gz", rubric)
    kinds = {"Reasoning": "reasoning", "Understanding": "knowledge"}
    medxpertqa: list[dict[str, Any]] = [
        {"id": row["id"], "label": kinds[row["question_type"]]}
        for row in rows(shared / "medxpertqa/medxpertqa_text_dev1470.jsonl")
    ]
    for row in rows(shared / "medxpertqa/medxpertqa_mm_input.jsonl"):
        stem = re.sub(r"\s*\nAnswer Choices:.*\Z", "", row["question"], flags=re.DOTALL)
        medxpertqa.append(
            {
                "id": row["id"],
                "label": kinds[row["question_type"]],
                "question": stem,
                "options": [option["content"] for option in row["options"]],
            }
        )
    write("medxpertqa.jsonl.gz", medxpertqa)
    (TARGET / "rubric.md").write_text((shared / "rk_labels/rubric.md").read_text())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
