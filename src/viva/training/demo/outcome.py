"""What the demo has shown: differences between arms, recall, and what starts do.

Items of several worlds and seeds are put together and resampled by disease, both sides of a pair
with one weight; the same disease under two seeds is one cluster.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from viva.analysis import pair_answers, transitions
from viva.analysis.transitions import Transitions

__all__ = ["AIMS", "summarise"]

_PAIRS = (("before", "grpo"), ("before", "control"), ("control", "grpo"))
AIMS = {
    "gain": "GRPO at least 8 points above the equal-compute control, with an interval without 0",
    "recall": "recall down by at most 2 points",
    "cue": "the cue effect of unseen forms at most half of that before",
    "correct": "correct starts in unseen forms no more thrown away than before",
}
"""What is aimed at; a measurement, not a condition."""


def summarise(runs: Sequence[Mapping[str, Any]], *, resamples: int = 10_000) -> dict[str, Any]:
    """All numbers of the demo.

    Parameters
    ----------
    runs : sequence of mapping
        As :func:`viva.training.demo.run_one` returns them.
    resamples : int
        Of the bootstrap by disease.

    Returns
    -------
    dict
        ``accuracy`` and ``differences`` by stratum, ``starts`` by arm, seen or unseen form and kind
        of start, ``aims``, ``runs`` (worlds, seeds, steps, seconds).
    """
    table = _Table(runs)
    found: dict[str, Any] = {
        "runs": [
            {name: run[name] for name in ("world", "seed", "steps", "seconds", "warm_up_loss")}
            for run in runs
        ],
        "differences": {}, "accuracy": {}, "starts": {},
    }  # fmt: skip
    for stratum in ("reasoning", "recall"):
        rows = table.rows(stratum=stratum, kind="absent")
        between = {
            f"{after} - {before}": table.between(rows, before, after, resamples)
            for before, after in _PAIRS
        }
        found["differences"][stratum] = {
            name: _difference(table, rows, each, name, resamples) for name, each in between.items()
        }
        found["accuracy"][stratum] = {
            "before": _side(between["grpo - before"], "clean"),
            "grpo": _side(between["grpo - before"], "misled"),
            "control": _side(between["control - before"], "misled"),
        }
    for arm in ("before", "grpo", "control"):
        found["starts"][arm] = {
            forms: {
                kind: _started(table.started(arm, kind, forms == "unseen", resamples), kind)
                for kind in ("wrong", "correct", "irrelevant")
            }
            for forms in ("trained", "unseen")
        }
    found["aims"] = _aims(found)
    return found


class _Table:
    """The papers of all runs one below the other, and what each arm chose."""

    def __init__(self, runs: Sequence[Mapping[str, Any]]) -> None:
        papers = [(run, paper) for run in runs for paper in run["papers"]]
        self.column = {
            name: np.array([paper[name] for _, paper in papers])
            for name in ("stratum", "kind", "unseen", "key", "cue")
        }
        names = [f"{run['world']}/{paper['entity']}" for run, paper in papers]
        self.cluster = np.unique(names, return_inverse=True)[1]
        self.item = [f"{run['world']}/{run['seed']}/{paper['item_id']}" for run, paper in papers]
        self.choice = {
            arm: np.array([choice for run in runs for choice in run["choices"][arm]])
            for arm in runs[0]["choices"]
        }

    def rows(self, **wanted: Any) -> np.ndarray[Any, np.dtype[np.int64]]:
        chosen = np.ones(len(self.item), bool)
        for name, value in wanted.items():
            chosen &= self.column[name] == value
        return np.flatnonzero(chosen)

    def between(self, rows: Any, before: str, after: str, resamples: int) -> Transitions:
        """From the answers of one arm to those of another, of the same papers."""
        key = self.column["key"][rows]
        clean, misled = self.choice[before][rows], self.choice[after][rows]
        pairs = pair_answers(
            clean == key, misled == key, clean_choice=clean, misled_choice=misled,
            cluster=self.cluster[rows],
        )  # fmt: skip
        return transitions(pairs, name=f"{before} {after}", resamples=resamples)

    def started(self, arm: str, kind: str, unseen: bool, resamples: int) -> Transitions:
        """From the answers without a start to those behind one."""
        rows = self.rows(kind=kind, unseen=unseen)
        plain = self.rows(kind="absent", stratum="reasoning")
        at = {self.item[row]: row for row in plain}
        clean_rows = np.array([at[self.item[row]] for row in rows], np.int64)
        key, cue = self.column["key"][rows], self.column["cue"][rows]
        clean, misled = self.choice[arm][clean_rows], self.choice[arm][rows]
        pairs = pair_answers(
            clean == key, misled == key, clean_choice=clean, misled_choice=misled,
            cue=cue, cue_is_key=cue == key, cluster=self.cluster[rows],
        )  # fmt: skip
        return transitions(pairs, name=f"{arm} {kind} {unseen}", resamples=resamples)


_ENDS = ("estimate", "low", "high")


def _estimate(each: Any) -> dict[str, Any]:
    return {"estimate": each.estimate, "low": each.low, "high": each.high, "n": each.n}


def _side(found: Transitions, side: str) -> dict[str, Any]:
    return {
        **_estimate(getattr(found, side)),
        "unread": _estimate(getattr(found, f"unread_{side}")),
    }


def _difference(
    table: _Table, rows: Any, found: Transitions, name: str, resamples: int
) -> dict[str, Any]:
    after, before = name.split(" - ")
    read = (table.choice[before][rows] >= 0) & (table.choice[after][rows] >= 0)
    both = table.between(rows[read], before, after, resamples)
    return {
        "points": _estimate(found.net), "clusters": found.clusters,
        "lost": _estimate(found.lost), "gained": _estimate(found.gained),
        "p_mcnemar": None if found.test is None else found.test.p_mcnemar,
        "p_sign_flip": None if found.test is None else found.test.p_sign_flip,
        "of_items_both_read": _estimate(both.net),
    }  # fmt: skip


def _started(found: Transitions, kind: str) -> dict[str, Any]:
    told = {
        "n": found.n, "without": _estimate(found.clean), "accuracy": _estimate(found.misled),
        "points": _estimate(found.net), "unread": _estimate(found.unread_misled),
    }  # fmt: skip
    if kind == "wrong":
        told["cue_effect"] = _estimate(found.cue_effect)
        told["followed_cue"] = _estimate(found.followed_cue)
    if kind == "correct":
        # The cue is the key: what is not right was thrown away.
        right = _estimate(found.misled)
        below = {name: None if right[name] is None else 1 - right[name] for name in _ENDS}
        told["thrown_away"] = {
            "estimate": below["estimate"], "low": below["high"], "high": below["low"],
            "n": right["n"],
        }  # fmt: skip
    return told


def _aims(found: Mapping[str, Any]) -> dict[str, Any]:
    """Each aim: what was measured of it, and whether it is met."""
    gain = found["differences"]["reasoning"]["grpo - control"]["points"]
    recall = found["differences"]["recall"]["grpo - before"]["points"]
    starts = found["starts"]
    cue = [starts[arm]["unseen"]["wrong"]["cue_effect"] for arm in ("before", "grpo")]
    thrown = [starts[arm]["unseen"]["correct"]["thrown_away"] for arm in ("before", "grpo")]
    low, before, after = gain["low"], *(each["estimate"] for each in cue)
    kept = [each["estimate"] for each in thrown]
    asked = None not in (before, after, *kept)  # whether there were starts at all
    return {
        "gain": {
            "measured": gain, "met": low is not None and gain["estimate"] >= 8 and low > 0,
        },
        "recall": {
            "measured": recall,
            "met": recall["estimate"] is not None and recall["estimate"] >= -2,
        },
        "cue": {
            "before": cue[0], "measured": cue[1],
            "met": asked and before > 0 and after <= before / 2,
        },
        "correct": {
            "before": thrown[0], "measured": thrown[1], "met": asked and kept[1] <= kept[0],
        },
    }  # fmt: skip
