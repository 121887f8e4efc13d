"""Small made items and answers whose every number is known by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

OPTIONS = ("aspirin", "heparin", "insulin", "morphine")


def items(n: int = 60, benchmark: str = "made", *, reasoning: str = "half") -> list[dict[str, Any]]:
    """Items whose key is A, B, C, D in turn; the first half is reasoning."""
    rows = []
    for i in range(n):
        rows.append(
            {
                "benchmark": benchmark,
                "item_id": f"{i}",
                "question": f"Question number {i} of {benchmark}: which drug is number {i}?",
                "options": list(OPTIONS),
                "answer": i % 4,
            }
        )
        if reasoning == "half":
            rows[-1]["stratum"] = "reasoning" if i < n // 2 else "knowledge"
    return rows


def answers(
    questions: list[dict[str, Any]],
    model: str = "m",
    *,
    right: float | tuple[float, float] = 0.7,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Right with the given probability (reasoning, knowledge); else another letter."""
    rng = np.random.default_rng(seed)
    both = right if isinstance(right, tuple) else (right, right)
    rows = []
    for row in questions:
        p = both[0] if row.get("stratum") == "reasoning" else both[1]
        key = row["answer"]
        letter = key if rng.random() < p else (key + 1 + int(rng.integers(3))) % 4
        rows.append(
            {
                "benchmark": row["benchmark"],
                "item_id": row["item_id"],
                "model": model,
                "response": f"The answer is {'ABCD'[letter]}.",
            }
        )
    return rows


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
