"""Valid summaries with seeded random numbers, for looking at the report and for its tests."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any

from viva._summary import GAPS, Summary

MODELS = (
    "gpt-4o-2024-11-20",
    "deepseek-r1",
    "o3-mini",
    "llama-3.3-70b-instruct",
    "qwq-32b-preview",
    "claude-3.5-sonnet",
    "mixtral-8x7b-instruct",
    "gpt-3.5-turbo/cot",
)
BENCHMARKS = {
    "medqa": ("MedQA (US, 5 options)", 1273, 0.74, 5),
    "medmcqa": ("MedMCQA", 2816, 0.18, 4),
    "mmlu_med": ("MMLU, medical subjects", 1089, 0.16, 4),
    "mmlu_pro_health": ("MMLU-Pro, health", 818, 0.41, 10),
    "pubmedqa": ("PubMedQA", 500, 0.30, 3),
    "medxpertqa": ("MedXpertQA, development part", 490, 0.69, 10),
}
REASONS = ("no option is named", "cut inside the thinking", "two options, no commitment", "empty")


def _wilson(right: float, n: int) -> tuple[float, float]:
    z = 1.959964
    share = right / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def _cell(right: float, n: int) -> dict[str, Any]:
    if n == 0:
        return {"n": 0, "accuracy": None, "low": None, "high": None}
    low, high = _wilson(right, n)
    return {"n": n, "accuracy": right / n, "low": low, "high": high}


def _gap(estimate: float, half: float, n: float, benchmarks: Sequence[str]) -> dict[str, Any]:
    return {
        "estimate": estimate,
        "low": estimate - half,
        "high": estimate + half,
        "n": n,
        "benchmarks": list(benchmarks),
        "smallest_cell": 147,
        "reason": None,
    }


def make_summary(
    models: Sequence[str] = MODELS,
    benchmarks: dict[str, tuple[str, int, float, int]] = BENCHMARKS,
    *,
    seed: int = 0,
    given: bool = False,
    cost: bool = True,
    missing_gaps: Sequence[str] = (),
) -> dict[str, Any]:
    """A summary that validates, and whose numbers agree with one another as far as they show.

    Parameters
    ----------
    models, benchmarks
        Names; a benchmark comes with its title, items, share of reasoning, options.
    seed
        Of the random numbers.
    given
        Labels come with the items: no sweep, no probabilities.
    cost
        Whether the answers carry what they cost.
    missing_gaps
        Models without any gap.
    """
    rng = random.Random(seed)
    in_domain = [name for name in benchmarks if name != "pubmedqa"]
    spread = 0.5 / max(1, len(models) - 1)
    summary_models: dict[str, Any] = {}
    robustness: dict[str, Any] = {}
    efficiency: dict[str, Any] = {}
    readers: dict[str, Any] = {}
    thresholds = [round(0.1 * k, 1) for k in range(1, 10)]
    sweep_models: list[dict[str, Any]] = [{} for _ in thresholds]
    for place, model in enumerate(models):
        skill = 0.86 - spread * place + rng.uniform(-0.02, 0.02)
        true_gap = rng.uniform(-6, 3)
        cells: dict[str, Any] = {}
        totals = {"knowledge": [0.0, 0], "reasoning": [0.0, 0]}
        for name, (_, n, share, options) in benchmarks.items():
            level = skill - {"medxpertqa": 0.4, "mmlu_pro_health": 0.12}.get(name, 0.0)
            level = max(1 / options, level)
            n_reasoning = round(n * share)
            n_knowledge = n - n_reasoning
            right_k = round(n_knowledge * min(0.98, level + rng.uniform(-0.03, 0.03)))
            right_r = round(n_reasoning * min(0.98, max(0.02, level + true_gap / 100)))
            half = 100 * 1.96 * math.sqrt(0.2 / max(1, n_reasoning) + 0.2 / max(1, n_knowledge))
            difference = 100 * (right_r / max(1, n_reasoning) - right_k / max(1, n_knowledge))
            cells[name] = {
                "all": _cell(right_k + right_r, n),
                "knowledge": _cell(right_k, n_knowledge),
                "reasoning": _cell(right_r, n_reasoning),
                "gap": _gap(difference, half, n, [name]),
                "in_domain": name in in_domain,
            }
            for stratum, right, size in (
                ("knowledge", right_k, n_knowledge),
                ("reasoning", right_r, n_reasoning),
            ):
                totals[stratum][0] += right
                totals[stratum][1] += size
        n = sum(size for _, size, *_ in benchmarks.values())
        unparsed, ambiguous, ungraded = rng.randint(0, 200), rng.randint(0, 60), rng.randint(0, 9)
        right = totals["knowledge"][0] + totals["reasoning"][0]
        accuracy = _cell(right, n)
        pooled = true_gap - rng.uniform(9, 16)
        gaps = {
            name: _gap(true_gap + rng.uniform(-2, 2), rng.uniform(2, 4), n, in_domain)
            for name in GAPS
        }
        gaps["pooled"] = _gap(pooled, 1.6, n, in_domain)
        gaps["within"] = _gap(true_gap, 2.1, n, in_domain)
        gaps["chance_corrected_pooled"] = _gap(pooled * 1.2, 2.0, n, in_domain)
        gaps["noise_corrected"] = _gap(true_gap * 1.4, 4.4, n, in_domain)
        if given:
            gaps["noise_corrected"] = {"n": 0, "reason": "labels are given"}
            gaps["soft"] = {"n": 0, "reason": "labels are given: there are no probabilities"}
        if model in missing_gaps:
            gaps = {
                name: {"n": 0, "reason": "no benchmark has 20 items of each stratum"}
                for name in gaps
            }
        summary_models[model] = {
            "n": n + ungraded,
            "graded": n - unparsed - ambiguous,
            "unparsed": unparsed,
            "ambiguous": ambiguous,
            "ungraded": ungraded,
            "accuracy": accuracy["accuracy"],
            "low": accuracy["low"],
            "high": accuracy["high"],
            "accuracy_of_read": right / (n - unparsed - ambiguous),
            "items": n,
            "samples": 1,
            "knowledge": _cell(*totals["knowledge"]),
            "reasoning": _cell(*totals["reasoning"]),
            "gap": gaps,
            "benchmarks": cells,
            "unread_reasons": {REASONS[0]: unparsed, REASONS[2]: ambiguous},
            "scoring": "raw text" if place % 2 else "predictions read elsewhere",
        }
        sign = "negative" if true_gap < -2.1 else "positive" if true_gap > 2.1 else "none"
        checks = [
            {
                "family": "threshold",
                "name": f"{t}",
                "estimate": true_gap + rng.gauss(0, 1.2),
                "low": true_gap - 3,
                "high": true_gap + 3,
            }
            for t in thresholds
        ] + [
            {
                "family": "view",
                "name": "stem+options",
                "estimate": true_gap + 1.0,
                "low": None,
                "high": None,
            },
            {
                "family": "definition",
                "name": "medxpertqa",
                "estimate": true_gap + 2.5,
                "low": true_gap,
                "high": true_gap + 5,
            },
            {
                "family": "control",
                "name": "length_matched",
                "estimate": true_gap + 0.4,
                "low": true_gap - 3,
                "high": true_gap + 3.8,
            },
        ]
        robustness[model] = {
            "sign": "none" if model in missing_gaps else sign,
            "survives": sign == "negative" and place % 2 == 0,
            "words": "The sign stays negative over all thresholds, both definitions and length."
            if sign == "negative"
            else "The interval of the headline gap covers 0; definitions disagree on the sign.",
            "checks": [] if model in missing_gaps else checks,
        }
        base = rng.uniform(120, 1900)
        bins = []
        for k in range(5):
            size = n // 5
            cell = _cell(round(size * max(0.05, skill - 0.03 * k - 0.05)), size)
            bins.append(
                {
                    "low": base * 2 ** (k - 2.5),
                    "high": base * 2 ** (k - 1.5),
                    "n": size,
                    "accuracy": cell["accuracy"],
                    "interval_low": cell["low"],
                    "interval_high": cell["high"],
                }
            )
        efficiency[model] = {
            "characters": base * 4,
            "input_tokens": 240.0,
            "output_tokens": base,
            "seconds": base / 60,
            "cost": base * rng.uniform(0.5, 12) * 1e-6 if cost else None,
            "unit": "output_tokens",
            "length_auroc": 0.55 + 0.01 * place,
            "length_auroc_low": 0.53 + 0.01 * place,
            "length_auroc_high": 0.57 + 0.01 * place,
            "bins": bins,
        }
        readers[model] = [
            {
                "reader": reader,
                "source": source,
                "read": 0.97,
                "accuracy": skill + delta / 100,
                "difference": delta,
            }
            for reader, source, delta in (
                ("first-match", "lm-evaluation-harness", -rng.uniform(0, 9)),
                ("last-match", "simple-evals", -rng.uniform(0, 2)),
                ("guess-on-fail", "MIRAGE", rng.uniform(0, 1.2)),
            )
        ]
        for k, threshold in enumerate(thresholds):
            wave = 2.2 * math.sin(threshold * 5 + place)
            within = true_gap + wave * abs(threshold - 0.5)
            values = {
                "pooled": pooled - 5 * (threshold - 0.5) + wave / 2,
                "within": within,
                "within_low": within - 2.6,
                "within_high": within + 2.6,
            }
            sweep_models[k][model] = (
                dict.fromkeys(values, None) if model in missing_gaps else values
            )
    comparisons = []
    for i, a in enumerate(models):
        for b in models[i + 1 :]:
            for scope in ("all", "knowledge", "reasoning", "gap"):
                first, second = summary_models[a], summary_models[b]
                if scope == "gap":
                    difference = rng.uniform(-5, 5)
                else:
                    key = None if scope == "all" else scope
                    x = first[key]["accuracy"] if key else first["accuracy"]
                    y = second[key]["accuracy"] if key else second["accuracy"]
                    difference = 100 * (x - y)
                half = 3.0 if scope == "gap" else 1.5
                low, high = difference - half, difference + half
                verdict = (
                    "win"
                    if low > 0
                    else "loss"
                    if high < 0
                    else "tie"
                    if low > -2 and high < 2
                    else "undecided"
                )
                p = math.erfc(abs(difference) / half * 1.96 / math.sqrt(2))
                comparisons.append(
                    {
                        "a": a,
                        "b": b,
                        "scope": scope,
                        "n": 6986,
                        "smallest_cell": None if scope == "all" else 152,
                        "p_bootstrap": p if scope == "gap" else None,
                        "clusters": 6900,
                        "difference": difference,
                        "low": low,
                        "high": high,
                        "p_mcnemar": None if scope == "gap" else p,
                        "p_mid": None if scope == "gap" else p * 0.9,
                        "p_sign_flip": p,
                        "p_holm": min(1.0, 28 * p),
                        "mdd_80": 1.4 * half,
                        "verdict": verdict,
                        "reason": None,
                    }
                )
    out_benchmarks = {
        name: {
            "title": title,
            "items": n,
            "answered": n,
            "reasoning": round(n * share),
            "knowledge": n - round(n * share),
            "share_reasoning": round(n * share) / n,
            "share_by_threshold": {}
            if given
            else {f"{k / 10}": max(0.0, min(1.0, share + 0.5 - k / 10)) for k in range(1, 10)},
            "cross_fitted": None if given else 0.24,
            "in_domain": name in in_domain,
            "options": {str(options): n},
            "chance": 1 / options,
            "key_positions": {
                "n": n,
                "counts": {
                    "ABCDEFGHIJ"[k]: round(n / options * rng.uniform(0.85, 1.15))
                    for k in range(options)
                },
                "expected": {"ABCDEFGHIJ"[k]: n / options for k in range(options)},
                "p": rng.random() ** 3,
                "longest_option_is_key": rng.uniform(1 / options, 0.1 + 1 / options),
                "longest_option_expected": 1 / options,
            },
            "licence": "MIT",
            "source": f"https://example.org/{name}",
            "known_defects": ["the option list is repeated in the stem"] if name == "medqa" else [],
        }
        for name, (title, n, share, options) in benchmarks.items()
    }
    items = sum(size for _, size, *_ in benchmarks.values())
    summary = {
        "schema_version": "1",
        "verdict": {
            "headline": f"Pooled, all {len(models)} models look worse at reasoning; inside "
            "benchmarks most of that difference is gone.",
            "sentences": [
                "The pooled gap lies between −18.2 and −7.9 points, the gap within benchmarks "
                "between −6.0 and +2.8: most of what is pooled is composition, not reasoning.",
                "The sign of the headline gap survives every variation tried for two models.",
                "The strata come from a classifier trained on labels that a language model gave "
                "under a written rubric; no clinician has labelled them.",
            ],
            "models": {
                model: "Worse at reasoning inside benchmarks, whatever the threshold."
                if robustness[model]["survives"]
                else "Whether it is worse at reasoning depends on the definition."
                for model in models
            },
        },
        "models": summary_models,
        "comparisons": comparisons,
        "sweep": []
        if given
        else [
            {"threshold": t, "share_reasoning": 0.72 - 0.62 * t, "models": sweep_models[k]}
            for k, t in enumerate(thresholds)
        ],
        "robustness": robustness,
        "benchmarks": out_benchmarks,
        "hard_subset": {
            "n": 1840 if len(models) > 1 else 0,
            "share": 0.26 if len(models) > 1 else None,
            "reason": None if len(models) > 1 else "one model: no majority to fail",
            "models": {
                model: _cell(round(1840 * (0.1 + 0.03 * rng.random() * 8)), 1840)
                for model in models
            }
            if len(models) > 1
            else {},
            "by_others": {
                model: _cell(round(1840 * (0.16 + 0.03 * rng.random() * 8)), 1840)
                for model in models
            }
            if len(models) > 1
            else {},
        },
        "efficiency": efficiency,
        "splitter": {
            "definition": "given" if given else "rubric",
            "definition_in_words": "A question is reasoning if answering it takes two or more "
            "inferences that its text does not spell out; length does not count.",
            "caution": "The rubric labels come from a language model, not from clinicians.",
            "text_view": "stem",
            "threshold": 0.5,
            "labelled_items": None if given else 8_204,
            "measures": {}
            if given
            else {
                name: {
                    "splitter": {"estimate": value, "low": value - 0.02, "high": value + 0.02},
                    "word count": {"estimate": value - 0.1, "low": None, "high": None},
                }
                for name, value in (
                    ("accuracy", 0.885),
                    ("balanced_accuracy", 0.868),
                    ("auroc", 0.946),
                    ("length_matched_auroc", 0.771),
                    ("inside medqa", 0.792),
                    ("debiased_ece", 0.018),
                )
            },
            "cross_fitted": None if given else 0.24,
        },
        "data_quality": {
            "items": items,
            "responses": items * len(models),
            "unmatched_responses": 12,
            "ungraded": sum(m["ungraded"] for m in summary_models.values()),
            "left_out": [
                {
                    "file": "medmcqa.jsonl",
                    "reason": "key outside the options",
                    "rows": 3,
                    "examples": ["118", "902", "2210"],
                },
                {
                    "file": "answers.jsonl",
                    "reason": "duplicate id",
                    "rows": 7,
                    "examples": ["medqa/12", "medqa/77"],
                },
            ],
            "duplicates": {
                "exact_clusters": 14,
                "exact_items": 15,
                "exact_across_benchmarks": 9,
                "contradicting_keys": 1,
                "near_pairs": 61,
                "near_across_benchmarks": 22,
                "examples": [
                    {
                        "a": "medqa/104",
                        "b": "mmlu_med/professional_medicine-12",
                        "similarity": 0.97,
                        "same_key": True,
                    },
                    {"a": "medmcqa/ab2", "b": "medmcqa/9fc", "similarity": 0.93, "same_key": False},
                ],
            },
            "readers": readers,
            "stability": {
                models[0]: {
                    "n": 500,
                    "samples": 3,
                    "unanimous": 0.81,
                    "unanimous_low": 0.77,
                    "unanimous_high": 0.84,
                    "pairwise": 0.88,
                    "pairwise_low": 0.86,
                    "pairwise_high": 0.9,
                    "sometimes_right": 0.12,
                    "sometimes_right_low": 0.09,
                    "sometimes_right_high": 0.15,
                },
            },
            "notes": ["PubMedQA is outside the domain of the splitter and left out of the gaps."],
        },
        "settings": {
            "viva": "0.1.0",
            "created": "2026-01-05T10:00:00Z",
            "command": "viva audit sample --out run",
            "answers": ["answers.jsonl.gz"],
            "items": ["items.jsonl.gz"],
            "labels": "given" if given else "rubric",
            "threshold": 0.5,
            "text_view": "stem",
            "resamples": 10_000,
            "seed": 0,
            "strict": False,
            "level": 0.95,
            "smallest_side": 20,
            "tie_margin": 2.0,
            "versions": {"python": "3.11.9", "numpy": "2.1.0", "polars": "1.20.0"},
            "hashes": {"answers.jsonl.gz": "9f2c" * 16, "items.jsonl.gz": "03ab" * 16},
        },
    }
    return Summary.model_validate(summary).model_dump(mode="json")


def make_disagreements(models: Sequence[str] = MODELS, count: int = 6) -> list[dict[str, Any]]:
    """Items on which the models are split, as the audit hands them to the report."""
    return [
        {
            "benchmark": "medqa",
            "item_id": f"test-{100 + k}",
            "question": "A 67-year-old man presents with sudden painless loss of vision in one "
            "eye. Examination shows a pale retina and a cherry-red macula. Which of the following "
            "is the most likely cause?",
            "options": ["Carotid embolus", "Retinal detachment", "Optic neuritis", "Glaucoma"],
            "key": "A",
            "answers": {
                m: "ABCD"[(i * 7 + k) % 4] if i % 5 else None for i, m in enumerate(models)
            },
        }
        for k in range(count)
    ]


def make_unread(models: Sequence[str] = MODELS) -> list[dict[str, Any]]:
    """Responses that could not be read, as the audit hands them to the report."""
    return [
        {
            "model": models[0],
            "benchmark": "medqa",
            "item_id": "test-7",
            "status": "unparsed",
            "reason": "cut inside the thinking",
            "text": "<think>The patient has a fever, so",
        },
        {
            "model": models[-1],
            "benchmark": "medmcqa",
            "item_id": "q9",
            "status": "ambiguous",
            "reason": "two options, no commitment",
            "text": "It could be A or C.\nBoth are possible.",
        },
    ]
