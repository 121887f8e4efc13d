"""Checks of rewards, on the data and on what the model writes now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from viva.records import Status
from viva.training._findings import Finding, Level
from viva.training._paying import name_of, paid
from viva.training._plan import Plan
from viva.training.rewards import Completion
from viva.training.rewards.completions import read_answer

__all__ = ["answers_read", "completions_cut", "reward_applies", "reward_spread"]

_MOST_ROWS = 1_000
"""Rows on which it is looked whether a reward applies, evenly spread."""
_FEWEST_GROUPS = 8
"""Groups below which equal rewards are a warning: too few to say more."""
_CUT, _READ, _EQUAL = 0.25, 0.5, 0.75
_SAME = 1e-6
"""Rewards nearer than this are equal: float32 holds no less."""


def reward_applies(plan: Plan) -> Iterator[Finding]:
    """Every reward applies to some of the data, and some reward to all of it."""
    if plan.trainer != "grpo" or not plan.rows:
        return
    rows = list(range(len(plan.rows)))[:: max(1, len(plan.rows) // _MOST_ROWS)]
    n, none_at_all = len(rows), [True] * len(rows)
    shares = {}
    for function in plan.reward_functions:
        values = paid(plan, function, rows, [""] * n)
        absent = [value is None for value in values]
        shares[name_of(function)] = sum(absent) / n
        none_at_all = [a and b for a, b in zip(none_at_all, absent, strict=True)]
        if all(absent):
            yield Finding(
                "reward_applies", "refuse", 1.0,
                f"reward {name_of(function)} is None for all of {n} examples: it applies to none "
                "of them",
                "Choose a reward for this kind of answer, or give items what it compares with",
            )  # fmt: skip
    lacking = sum(none_at_all)
    if lacking == n:
        if not shares:
            yield Finding("reward_applies", "refuse", None, "there is no reward",
                          "Name one in the stage")  # fmt: skip
        return
    if lacking:
        yield Finding(
            "reward_applies", "warn", lacking / n,
            f"no reward applies to {lacking} of {n} examples: they teach nothing",
            "Leave them out by select (kinds)",
        )  # fmt: skip
        return
    if all(share < 1 for share in shares.values()):
        said = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
        yield Finding("reward_applies", "ok", max(shares.values()), f"share of None: {said}")


def completions_cut(plan: Plan) -> Iterator[Finding]:
    """What the model writes now comes to its end within the limit."""
    if plan.trainer != "grpo":
        return
    limit = int(plan.settings.get("max_completion_length") or 256)
    drawn = [each for _, own in plan.sampled for each in own]
    if not drawn:
        why = "no model to ask" if plan.model is None else "no prompt leaves room for an answer"
        yield Finding("completions_cut", "warn", None, f"no completions were drawn: {why}")
        return
    n, cut = len(drawn), sum(each.cut for each in drawn)
    ended = sorted(len(each.ids) for each in drawn if not each.cut)
    longest = f"; those that end have up to {ended[-1]:,}" if ended else ""
    if cut == n:
        masked = bool(plan.settings.get("mask_truncated_completions"))
        what = "and is masked" if masked else "before it ends"
        level: Level = "refuse" if masked or not _spread(plan) else "warn"
        yield Finding(
            "completions_cut", level, 1.0,
            f"every one of {n} completions of the model is cut at max_completion_length "
            f"({limit:,} tokens) {what}", "Set a greater max_completion_length, or teach the model "
            "to stop by SFT first",
        )  # fmt: skip
        return
    if cut > _CUT * n:
        yield Finding(
            "completions_cut", "warn", cut / n,
            f"{cut} of {n} completions of the model are cut at max_completion_length ({limit:,} "
            f"tokens){longest}", "Set a greater max_completion_length",
        )  # fmt: skip
        return
    yield Finding(
        "completions_cut", "ok", cut / n,
        f"{cut} of {n} completions of the model are cut at {limit:,} tokens{longest}",
    )  # fmt: skip


def answers_read(plan: Plan) -> Iterator[Finding]:
    """The shared reader reads what the model answers now."""
    if plan.trainer != "grpo":
        return
    reasons: Counter[str] = Counter()
    n = read = 0
    for row, own in plan.sampled:
        item = plan.items[row]
        if item is None or item.target is None:
            continue
        for each in own:
            said = Completion(
                plan.starts[row] + each.text, thinking_open=plan.thinking == "open",
                finish_reason="length" if each.cut else "stop",
            )  # fmt: skip
            reading = read_answer(item, said)
            n += 1
            read += reading.status is Status.PARSED
            if reading.reason:
                reasons[reading.reason] += 1
    if not n:
        return
    why = f" (most often: {reasons.most_common(1)[0][0]})" if reasons else ""
    if read < _READ * n:
        lost: Level = "refuse" if not read and not _spread(plan) else "warn"
        yield Finding(
            "answers_read", lost, read / n,
            f"an answer is read in {read} of {n} completions of the model{why}",
            "Teach the form by SFT first, or ask for it in the prompt",
        )  # fmt: skip
        return
    yield Finding(
        "answers_read", "ok", read / n, f"an answer is read in {read} of {n} completions",
    )  # fmt: skip


def _varies(values: Sequence[float]) -> bool:
    return max(values) - min(values) > _SAME


def _spread(plan: Plan) -> int:
    """Groups of the probe whose rewards differ."""
    apart = plan.settings.get("multi_objective_aggregation") == "normalize_then_sum"
    return sum(
        any(map(_varies, group)) if apart else _varies([sum(v) for v in zip(*group, strict=True)])
        for group in plan.groups
    )


def reward_spread(plan: Plan) -> Iterator[Finding]:
    """Completions of one prompt are not all paid the same."""
    if plan.trainer != "grpo":
        return
    groups = plan.groups
    if not groups:
        return
    n, spread = len(groups), _spread(plan)
    totals = [sum(v) for group in groups for v in zip(*group, strict=True)]
    mean = sum(totals) / len(totals)
    equal = n - spread
    if not spread:
        easy = min(totals) > 0
        yield Finding(
            "reward_spread", "refuse" if n >= _FEWEST_GROUPS else "warn", 1.0,
            f"all {n} groups of completions have equal rewards (mean {mean:.3g}): every advantage "
            "would be 0",
            "Take harder items (pass_rate below 1)" if easy
            else "Take easier items (pass_rate above 0), or teach the task by SFT first",
        )  # fmt: skip
        return
    said = f"{equal} of {n} groups have equal rewards, mean reward {mean:.3g}"
    if equal > _EQUAL * n:
        yield Finding("reward_spread", "warn", equal / n, f"{said}: these prompts teach nothing",
                      "Select items by pass_rate, such as [0.1, 0.9]")  # fmt: skip
        return
    yield Finding("reward_spread", "ok", equal / n, said)
