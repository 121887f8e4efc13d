"""Checks of the data: that there is any, that it fits, and that it says what it should."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from viva.records import Item, Status
from viva.training._findings import Finding, Level
from viva.training._plan import Plan
from viva.training._rendering import Trained, text_of
from viva.training.rewards import Completion
from viva.training.rewards.completions import read_answer
from viva.training.rewards.table import ANY_OUTCOME

__all__ = ["answers", "completion_length", "data", "pairs", "prompt_length", "starts"]

_LARGEST_CUT = 0.5
"""Share of completions that may be cut."""
_READ, _RIGHT = 0.9, 0.95
_UNEVEN = 1.5
"""Ratio of the mean lengths of the two sides of pairs."""
_MOST_READ = 2_000
"""Completions that are read, evenly spread."""


def data(plan: Plan) -> Iterator[Finding]:
    """There is something to learn from."""
    n = len(plan.rows)
    if not n:
        yield Finding(
            "data", "refuse", 0, "no example is left to train on",
            "Loosen the stage's select, or give more data",
        )  # fmt: skip
        return
    needed = {"sft": ("completion",), "dpo": ("chosen", "rejected"), "grpo": ("item",)}
    lacking = [
        at for at, row in enumerate(plan.rows)
        if not all(_said(row.get(name)) for name in needed[plan.trainer])
    ]  # fmt: skip
    if lacking:
        what = " or ".join(needed[plan.trainer])
        yield Finding(
            "data", "refuse" if len(lacking) == n else "warn", len(lacking) / n,
            f"{len(lacking)} of {n} examples have no {what} (first: row {lacking[0] + 1})",
            "Add the step of synthesis that makes it, or leave them out by select",
        )  # fmt: skip
        return
    yield Finding("data", "ok", n, f"{n:,} examples")


def _said(value: Any) -> bool:
    return bool((value if isinstance(value, str) else text_of(value)).strip()) if value else False


def _percentile(values: list[int], share: float) -> int:
    return int(np.quantile(np.asarray(values), share, method="higher"))


def prompt_length(plan: Plan) -> Iterator[Finding]:
    """The model's context holds the prompts, and what is to be written after them."""
    lengths = [len(each.ids) for each in plan.rendered if each.prompt is not None]
    if not lengths or plan.context is None:
        return
    longest, context = max(lengths), plan.context
    beyond = sum(length >= context for length in lengths)
    if beyond:
        yield Finding(
            "prompt_length", "refuse", longest,
            f"{beyond} of {len(lengths)} prompts fill the model's context of {context:,} tokens "
            f"(longest: {longest:,})",
            "Leave long questions out (select words), or train a model of a longer context",
        )  # fmt: skip
        return
    written = int(plan.settings.get("max_completion_length") or 0) if plan.trainer == "grpo" else 0
    tight = sum(length + written > context for length in lengths)
    if tight:
        yield Finding(
            "prompt_length", "refuse" if tight == len(lengths) else "warn", longest + written,
            f"{tight} of {len(lengths)} prompts leave less than max_completion_length "
            f"({written:,} tokens) of the context of {context:,}",
            f"Set max_completion_length to {max(1, context - longest):,} or less",
        )  # fmt: skip
        return
    yield Finding("prompt_length", "ok", longest, f"longest prompt {longest:,} tokens, context "
                  f"{context:,}")  # fmt: skip


def completion_length(plan: Plan) -> Iterator[Finding]:
    """What is to be learned is not cut by the trainer's limit."""
    if plan.trainer == "grpo":
        yield from _written_length(plan)
        return
    limit = plan.settings.get("max_length")
    whole = [max(t.length for t in each.trained) for each in plan.rendered if each.trained]
    if not whole:
        return
    if limit is None:
        yield Finding("completion_length", "ok", max(whole), "no limit: nothing is cut")
        return
    n, cut = len(whole), sum(length > limit for length in whole)
    empty = sum(len(each.before) >= limit for one in plan.rendered for each in one.trained[:1])
    if cut and not plan.settings.get("packing"):
        p99 = _percentile(whole, 0.99)
        level: Level = "refuse" if cut / n > _LARGEST_CUT or empty == n else "warn"
        nothing = f", of {empty} nothing is left" if empty else ""
        yield Finding(
            "completion_length", level, cut / n,
            f"max_length {limit:,} cuts the end, and with it the answer, of {cut} of {n} "
            f"completions{nothing}",
            f"Set max_length to {p99:,} (99 % fit) or {max(whole):,} (all)",
        )  # fmt: skip
        return
    yield Finding("completion_length", "ok", max(whole), f"longest example {max(whole):,} tokens, "
                  f"max_length {limit:,}")  # fmt: skip


def _written_length(plan: Plan) -> Iterator[Finding]:
    """The data's own completions, where it has some, against what the policy may write."""
    limit = int(plan.settings.get("max_completion_length") or 0)
    known = [e.completion for e in plan.examples if e.completion]
    if not known or not limit:
        return
    lengths = [len(plan.tokenizer(text=text)["input_ids"]) for text in known]
    cut = sum(length > limit for length in lengths)
    if cut:
        yield Finding(
            "completion_length", "refuse" if cut / len(lengths) > _LARGEST_CUT else "warn",
            cut / len(lengths),
            f"{cut} of {len(lengths)} completions of the data are longer than "
            f"max_completion_length ({limit:,} tokens): the policy could not write them",
            f"Set max_completion_length to {_percentile(lengths, 0.99):,} or more",
        )  # fmt: skip
        return
    yield Finding("completion_length", "ok", max(lengths), f"the data's longest completion has "
                  f"{max(lengths):,} tokens, max_completion_length {limit:,}")  # fmt: skip


def starts(plan: Plan) -> Iterator[Finding]:
    """What is put before the model is no part of what it learns to write."""
    begun = [(row, rendered, start) for row, rendered, start
             in zip(plan.rows, plan.rendered, plan.starts, strict=True) if start]  # fmt: skip
    if not begun:
        return
    n = len(begun)
    if any(not isinstance(row.get("prompt"), str) for row, _, _ in begun):
        finished = sum(
            not isinstance(row.get("prompt"), str) and row["prompt"][-1].get("role") == "assistant"
            for row, _, _ in begun
        )
        if finished:
            yield Finding(
                "starts", "refuse", finished / n,
                f"{finished} of {n} starts are finished turns: the model would begin another one",
                "Give the prompt as a text that ends in the start",
            )  # fmt: skip
            return
    if plan.trainer == "sft" and plan.settings.get("completion_only_loss") is False:
        yield Finding(
            "starts", "refuse", 1.0,
            f"completion_only_loss = false: the loss covers {n} starts, wrong ones too",
            "Leave completion_only_loss out",
        )  # fmt: skip
        return
    absent = sum(
        not (rendered.prompt or "").rstrip().endswith(start.rstrip())
        for _, rendered, start in begun
    )
    covered = sum(
        any(not _ends(plan, each, start) for each in rendered.trained)
        for _, rendered, start in begun
    )
    if covered or absent:
        yield Finding(
            "starts", "refuse", max(covered, absent) / n,
            f"the loss would cover {covered} of {n} starts" if covered
            else f"{absent} of {n} prompts do not end in their start",
            "Give the prompt as a text that ends in the start",
        )  # fmt: skip
        return
    yield Finding("starts", "ok", n, f"{n} starts, none of them in the loss")


def _ends(plan: Plan, trained: Trained, start: str) -> bool:
    """Whether the start stands at the end of what is before the loss, whole."""
    tail = plan.tokenizer.decode(trained.before[-len(start) - 8 :])
    # A tokenizer that reads upper case as lower gives another text back than it was given.
    ids = plan.tokenizer(start, add_special_tokens=False)["input_ids"]
    ways = ("".join(way.split()) for way in (start, plan.tokenizer.decode(ids)))
    return not trained.lost.strip() and "".join(tail.split()).endswith(tuple(ways))


def answers(plan: Plan) -> Iterator[Finding]:
    """The shared reader reads the data's answers, and they are right."""
    name = {"sft": "completion", "dpo": "chosen"}.get(plan.trainer)
    if name is None:
        return
    known = [(item, start + text_of(row.get(name))) for item, row, start
             in zip(plan.items, plan.rows, plan.starts, strict=True)
             if item is not None and item.target is not None and row.get(name)]  # fmt: skip
    known = known[:: max(1, len(known) // _MOST_READ)]
    if not known:
        return
    scores = [_scored(item, text, plan.thinking) for item, text in known]
    n = len(scores)
    read = sum(status is Status.PARSED for status, _ in scores)
    wrong = sum(status is Status.PARSED and value == 0 for status, value in scores)
    if read < _READ * n:
        yield Finding(
            "answers", "refuse" if read == 0 else "warn", read / n,
            f"the reader finds an answer in {read} of {n} completions of the data: what is learned "
            "would count as unread",
            "End completions with the answer in the form that the prompt asks for",
        )  # fmt: skip
    elif wrong > (1 - _RIGHT) * n:
        yield Finding(
            "answers", "warn", wrong / n,
            f"{wrong} of {n} completions of the data answer wrongly by the item's own key",
            "Add the step that rejects wrong traces, or look at the keys",
        )  # fmt: skip
    else:
        yield Finding("answers", "ok", read / n, f"{read} of {n} completions of the data are read, "
                      f"{wrong} are wrong")  # fmt: skip


def _scored(item: Item, text: str, thinking: str) -> tuple[Status, float | None]:
    said = Completion(text, thinking_open=thinking == "open")
    return read_answer(item, said).status, ANY_OUTCOME(item, said)


def pairs(plan: Plan) -> Iterator[Finding]:
    """The two sides of pairs differ, the preferred one is the better, and not only the longer."""
    if plan.trainer != "dpo" or not plan.rows:
        return
    sides = [(text_of(row.get("chosen")), text_of(row.get("rejected"))) for row in plan.rows]
    n = len(sides)
    same = sum(a.strip() == b.strip() for a, b in sides)
    if same:
        yield Finding(
            "pairs", "refuse" if same == n else "warn", same / n,
            f"{same} of {n} pairs have the same text on both sides: they teach nothing",
            "Leave them out",
        )  # fmt: skip
    worse = judged = 0
    for item, (chosen, rejected), start in zip(plan.items, sides, plan.starts, strict=True):
        if item is None or item.target is None or judged >= _MOST_READ:
            continue
        better = _scored(item, start + chosen, plan.thinking)[1]
        other = _scored(item, start + rejected, plan.thinking)[1]
        if better is None or other is None:
            continue
        judged += 1
        worse += better < other
    if worse:
        yield Finding(
            "pairs", "refuse" if worse > judged / 2 else "warn", worse / judged,
            f"in {worse} of {judged} pairs the side to be liked is answered worse by the item's "
            "own key than the other", "Exchange the sides, or look at the keys",
        )  # fmt: skip
    means = [float(np.mean([len(pair[side]) for pair in sides])) for side in (0, 1)]
    ratio = means[0] / means[1] if means[1] else float("inf")
    if not 1 / _UNEVEN <= ratio <= _UNEVEN:
        yield Finding(
            "pairs", "warn", round(ratio, 3) if np.isfinite(ratio) else None,
            f"the preferred sides have {means[0]:,.0f} characters in the mean, the others "
            f"{means[1]:,.0f}: length alone would be learned",
            "Balance the pairs by length",
        )  # fmt: skip
    if not same and not worse:
        yield Finding("pairs", "ok", n, f"{n} pairs, {judged} of them checked by the key")
