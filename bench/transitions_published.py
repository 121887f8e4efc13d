"""Transitions on published clean and misled answers, beside the published table.

Run ``python bench/transitions_published.py --data FOLDER`` (the folder with
``model_outputs/misled_answers.jsonl.gz`` and ``medqa/medqa_us_5opt_test.jsonl``). The published
verdict of each answer (``is_correct``) is taken as given first: lost and gained must then be the
published ones, to the item. Then the texts are read by this package's reader, which is what
``viva probe analyse`` does, and the share on the cue is compared too.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

import viva
from viva.analysis import pair_answers, transitions

PUBLISHED = (
    ("gpt-3.5-turbo-0613", "confirmation", 49.7, 40.7, 31.4, 13.1, 28.8),
    ("gpt-3.5-turbo-0613", "false_consensus", 49.7, 23.9, 57.0, 5.0, None),
    ("gpt-3.5-turbo-0613", "self_diagnosis", 49.7, 28.8, 48.8, 6.7, 52.9),
    ("mixtral-8x7b-instruct-v0.1", "confirmation", 51.8, 49.7, 19.1, 16.2, 7.1),
    ("mixtral-8x7b-instruct-v0.1", "frequency", 51.8, 37.3, 33.3, 5.7, None),
)
"""Model, cue; accuracy clean and misled, lost, gained, followed the cue: percent."""


def rows_of(data: Path) -> list[dict[str, Any]]:
    with gzip.open(data / "model_outputs/misled_answers.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def by_run(rows: list[dict[str, Any]]) -> dict[tuple[str, str], dict[int, dict[str, Any]]]:
    """Model and probe (cue, with version and mitigation where they are not the first) to rows."""
    out: dict[tuple[str, str], dict[int, dict[str, Any]]] = defaultdict(dict)
    for row in rows:
        parts = [row["cue"]]
        if row["cue_version"] != "v1":
            parts.append(row["cue_version"])
        if row["mitigation"] != "none":
            parts.append(row["mitigation"])
        run = out[row["model"], ".".join(parts)]
        assert row["row"] not in run, "an item twice in one run"
        run[row["row"]] = row
    return out


def counted(clean: dict[int, Any], misled: dict[int, Any]) -> dict[str, int]:
    """Flips by the published verdicts, counted with no code of the package."""
    right = {i for i, row in clean.items() if row["is_correct"]}
    right2 = {i for i, row in misled.items() if row["is_correct"]}
    both = clean.keys() & misled.keys()
    return {
        "n": len(both),
        "kept_right": len(both & right & right2),
        "lost": len((both & right) - right2),
        "gained": len((both & right2) - right),
        "kept_wrong": len(both - right - right2),
    }


def by_package(clean: dict[int, Any], misled: dict[int, Any]) -> dict[str, int]:
    """The same from the analysis, with the verdicts as they were published."""
    items = sorted(clean.keys() & misled.keys())
    right = np.array([clean[i]["is_correct"] for i in items])
    right2 = np.array([misled[i]["is_correct"] for i in items])
    found = transitions(
        pair_answers(right, right2, clean_choice=right * 1, misled_choice=right2 * 1), resamples=100
    )
    out = {"n": found.n}
    for name in ("kept_right", "lost", "gained", "kept_wrong"):
        share = getattr(found, name)
        out[name] = round(share.estimate * share.n)
    return out


def write_answers(rows: list[dict[str, Any]], folder: Path) -> None:
    """The texts as generic answers files, ``clean.jsonl`` and ``misled.jsonl``."""
    folder.mkdir(parents=True, exist_ok=True)
    sides: dict[str, list[str]] = {"clean": [], "misled": []}
    for (model, probe), run in by_run(rows).items():
        for item, row in run.items():
            answer = {"benchmark": "medqa_5options", "item_id": str(item), "model": model}
            answer["response"] = row["response"]
            if probe != "clean":
                answer |= {"probe": probe, "cue": row["cue_option"]}
            sides["clean" if probe == "clean" else "misled"].append(json.dumps(answer) + "\n")
    for name, lines in sides.items():
        (folder / f"{name}.jsonl").write_text("".join(lines), "utf-8")


def read_by_package(data: Path, folder: Path, resamples: int) -> dict[str, Any]:
    """The summary of ``viva probe analyse`` on the texts."""
    return viva.analyse_probes(
        folder / "clean.jsonl",
        folder / "misled.jsonl",
        items=data / "medqa/medqa_us_5opt_test.jsonl",
        resamples=resamples,
    ).summary


def shown(value: float | None, digits: int = 1) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--resamples", type=int, default=2000)
    parser.add_argument(
        "--write", type=Path, help="keep clean.jsonl and misled.jsonl for `viva probe analyse` here"
    )
    args = parser.parse_args()
    rows = rows_of(args.data)
    runs = by_run(rows)
    differing = checked = 0
    for (model, probe), misled in sorted(runs.items()):
        if probe == "clean":
            continue
        checked += 1
        clean = runs[model, "clean"]
        differing += counted(clean, misled) != by_package(clean, misled)
    print(f"published verdicts: {checked - differing} of {checked} runs equal in every count\n")

    print(f"{'model, cue':46}{'clean':>7}{'misled':>8}{'lost':>7}{'gained':>8}{'followed':>10}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.write or Path(temporary)
        write_answers(rows, folder)
        summary = read_by_package(args.data, folder, args.resamples)
    wrong = 0
    for model, probe, *published in PUBLISHED:
        clean, misled = runs[model, "clean"], runs[model, probe]
        flips = counted(clean, misled)
        n, right = flips["n"], flips["kept_right"] + flips["lost"]
        found = summary["models"][model]["probes"][probe]
        given = [
            100 * right / n,
            100 * (flips["kept_right"] + flips["gained"]) / n,
            100 * flips["lost"] / right,
            100 * flips["gained"] / (n - right),
        ]
        ours = [
            100 * found[name]["estimate"]
            for name in ("clean", "misled", "lost", "gained", "followed_cue")
        ]
        wrong += any(abs(a - b) > 0.0501 for a, b in zip(given, published, strict=False))
        print(f"{model + ', ' + probe}")
        for name, values in (
            ("published", published),
            ("from published verdicts", [*given, None]),
            ("read by this package", ours),
        ):
            cells = "".join(
                f"{shown(v):>{w}}" for v, w in zip(values, (7, 8, 7, 8, 10), strict=True)
            )
            print(f"    {name:42}{cells}")

    print(f"\n{'model, probe':52}{'net':>7}{'lost':>7}{'gained':>8}{'on cue':>8}{'effect':>8}"
          f"{'unread':>8}{'R - K':>8}")  # fmt: skip
    for model, entry in summary["models"].items():
        for probe, found in entry["probes"].items():
            gap = found["reasoning_minus_knowledge"]["net"]["estimate"]
            cells = [
                shown(found["net"]["estimate"]),
                *(
                    shown(100 * found[name]["estimate"])
                    for name in ("lost", "gained", "followed_cue", "cue_effect", "unread")
                ),
                shown(gap),
            ]
            print(f"{model + ', ' + probe:52}" + "".join(
                f"{cell:>{w}}" for cell, w in zip(cells, (7, 7, 8, 8, 8, 8, 8), strict=True)
            ))  # fmt: skip
    return 1 if differing or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
