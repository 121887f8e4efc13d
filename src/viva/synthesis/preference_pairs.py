"""Preference pairs: a right trace against a wrong or unread one of the same item.

Right against wrong as Preferred-MedLLM (RPO) and HuatuoGPT-o1's DPO have them; reflection pairs as
Med-REFL's, drawn on wrong *and* on right attempts, so that what is preferred is to repair the one
and to stand by the other. The two sides of a pair are of one form and near in length, and over all
pairs the preferred side is as often the longer as the shorter: otherwise length is what is learned.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from viva.answers import form_of
from viva.errors import InputError
from viva.judging.quoting import quoted
from viva.methods.prompts import Prompt, render
from viva.synthesis._generated import (
    FAILED,
    NO_TARGET,
    answer_part,
    asked_in_full,
    judge,
    made,
    own_prompt,
    parted,
    stepped,
    thought_then_answer,
)
from viva.synthesis.calling import Caller, Reply
from viva.synthesis.examples import Example, seeded
from viva.synthesis.steps import Dropped, Made
from viva.synthesis.teacher_traces import CUT, UNREAD, WRONG, Trace, sampled_traces
from viva.synthesis.trees import Node, Pair, tree_from_json, tree_to_pairs

__all__ = ["pairs"]

NO_RIGHT, NO_WRONG = "no right trace", "no wrong or unread trace"
NOT_NEAR = "no two traces near in length"
BROKEN_TREE = "a tree that cannot be read"
NO_PAIR = "no two ways on that differ enough"

_KINDS = 3
"""Pairs of reasoning, of reflections on wrong attempts and on right ones."""
_UNLIKED = frozenset({WRONG, UNREAD, CUT})


class _Candidate(NamedTuple):
    """A possible pair of one example."""

    start: str
    start_kind: str | None
    chosen: str
    rejected: str
    kind: str
    margin: float

    @property
    def ratio(self) -> float:
        """Natural logarithm of the chosen side's length over the rejected one's."""
        return math.log((len(self.chosen) + 1) / (len(self.rejected) + 1))


def pairs(
    examples: Sequence[Example],
    *,
    samples: int = 8,
    each: int = 1,
    reflections: int = 0,
    unread: bool = True,
    max_ratio: float = 2.0,
    margin: float = 0.5,
    temperature: float | None = 1.0,
    method: str = "cot",
    prompt: str | None = None,
    system: str | None = None,
    reflection_prompt: str | None = None,
    thinking: str = "tags",
    seed: int = 0,
    caller: Caller | None = None,
) -> Made:
    """Make pairs of a preferred and a rejected completion.

    Items with a tree in ``meta["tree"]`` give the pairs of it (:func:`tree_to_pairs`). For others
    a model is sampled; without one, the completions of examples of the same item are paired.

    Parameters
    ----------
    examples : sequence of Example
    samples : int
        Traces asked for.
    each : int
        Most pairs of an example, of each kind; no trace is in two.
    reflections : int
        Where above 0: reflections asked for on one wrong and on one right attempt of each item.
    unread : bool
        Whether an unread or a cut trace may be the rejected side.
    max_ratio : float
        Most that one side may be longer than the other, above 1.
    margin : float
        Least difference in value of two ways on in a tree.
    temperature, method, prompt, system, thinking
        As of :func:`viva.synthesis.teacher_traces.traces`.
    reflection_prompt : str, optional
        Another prompt for reflections.
    seed : int
    caller : Caller, optional

    Returns
    -------
    Made
        ``completion`` is the preferred side, ``rejected`` the other, ``start`` what stands before
        both; ``scores["margin"]``.

    Raises
    ------
    InputError
        Numbers out of range.
    """
    if each < 1 or reflections < 0:
        raise InputError(f"{each} pairs, {reflections} reflections", mend="Give 1 and 0 or more")
    if not max_ratio > 1 or not 0 < margin <= 1:
        raise InputError(f"max_ratio {max_ratio}, margin {margin}", mend="Above 1; above 0 to 1")
    settings = {
        "samples": samples, "each": each, "reflections": reflections, "unread": unread,
        "max_ratio": max_ratio, "margin": margin, "temperature": temperature, "method": method,
        "prompt": prompt, "system": system, "thinking": thinking,
    }  # fmt: skip
    possible: dict[int, list[_Candidate]] = {}
    reasons: dict[int, str] = {}
    hashes: dict[int, str | None] = {}
    told: Counter[str] = Counter()
    left: list[int] = []
    for at, example in enumerate(examples):
        if "tree" in example.item.meta:
            tree = tree_from_json(example.item.meta["tree"])
            found = [] if tree is None else tree_to_pairs(tree, margin=margin)
            possible[at] = [_of_tree(pair) for pair in found]
            if not found:
                reasons[at] = BROKEN_TREE if tree is None else NO_PAIR
        else:
            left.append(at)
    if caller is not None and left:
        some = [examples[at] for at in left]
        drawn, asked = sampled_traces(
            some, caller, samples=samples, temperature=temperature, method=method, prompt=prompt,
            system=system, thinking=thinking, seed=seed,
        )  # fmt: skip
        traces: dict[int, list[Trace]] = {}
        for at, found_or, prompt_hash in zip(left, drawn, asked, strict=True):
            hashes[at] = prompt_hash
            if isinstance(found_or, str):
                reasons[at] = found_or
                continue
            told.update(one.rejected or "right" for one in found_or)
            traces[at] = [_in_form(examples[at], one, thinking) for one in found_or]
        for at, found_traces in traces.items():
            possible[at], reason = _of_traces(found_traces, unread)
            if reason:
                reasons[at] = reason
        if reflections:
            template = own_prompt("reflection", reflection_prompt)
            for at, more in _reflected(
                examples, traces, caller, template, reflections, temperature, thinking, seed
            ).items():
                possible[at] = [*possible.get(at, []), *more]
    elif left:
        _of_completions(examples, left, unread, possible, reasons)
    taken = _balanced(examples, possible, each, math.log(max_ratio), seed)
    kept: list[Example] = []
    dropped: list[Dropped] = []
    for at, example in enumerate(examples):
        for number, one in enumerate(taken.get(at, ())):
            scores = dict(example.scores) | {"margin": one.margin}
            kept.append(
                stepped(
                    example, "pairs", settings | {"kind": one.kind}, seed=seed,
                    model=None if caller is None else caller.spec, prompt_hash=hashes.get(at),
                    completion=one.chosen, rejected=one.rejected, start=one.start,
                    start_kind=one.start_kind, number=example.number * _KINDS * each + number,
                    scores=scores,
                )
            )  # fmt: skip
        if not taken.get(at):
            dropped.append(Dropped(example, reasons.get(at, NOT_NEAR)))
    return made(
        examples, kept, dropped, model=None if caller is None else caller.spec,
        traces=dict(sorted(told.items())),
        kinds=dict(sorted(Counter(str(k.provenance[-1].settings["kind"]) for k in kept).items())),
        starts=dict(sorted(Counter(str(one.start_kind) for one in kept).items())),
        **_lengths(kept),
    )  # fmt: skip


def _of_tree(pair: Pair) -> _Candidate:
    start_kind = None
    if pair.kind == "reflection":
        start_kind = "correct" if pair.start_value > 0.5 else "wrong"
    return _Candidate(pair.start, start_kind, pair.chosen, pair.rejected, pair.kind, pair.margin)


def _in_form(example: Example, trace: Trace, thinking: str) -> Trace:
    """A rejected trace in the form of the right ones: the form must not tell the sides apart."""
    if trace.rejected is None or trace.rejected == FAILED:
        return trace
    parts = parted(Reply(trace.completion), form_of(example.item))
    if parts is None or not parts[0]:
        return trace
    return trace._replace(completion=thought_then_answer(*parts, thinking))


def _of_traces(found: Sequence[Trace], unread: bool) -> tuple[list[_Candidate], str | None]:
    """Right against wrong traces, through the tree of them; and why there are none."""
    right = list(dict.fromkeys(one.completion for one in found if one.rejected is None))
    unliked = _UNLIKED if unread else {WRONG}
    wrong = list(
        dict.fromkeys(one.completion for one in found if one.rejected in unliked and one.completion)
    )
    if not right or not wrong:
        failed = bool(found) and all(one.rejected == FAILED for one in found)
        return [], FAILED if failed else NO_WRONG if right else NO_RIGHT
    candidates = [
        _Candidate("", None, pair.chosen, pair.rejected, pair.kind, pair.margin)
        for good in right
        for bad in wrong
        for pair in tree_to_pairs(Node("", (Node(good, right=True), Node(bad, right=False))))
    ]
    return candidates, None


def _of_completions(
    examples: Sequence[Example],
    left: Sequence[int],
    unread: bool,
    possible: dict[int, list[_Candidate]],
    reasons: dict[int, str],
) -> None:
    """Pair the completions that examples of one item bring."""
    of_item: dict[tuple[str, str], list[int]] = defaultdict(list)
    for at in left:
        of_item[examples[at].item.benchmark, examples[at].item.item_id].append(at)
    for places in of_item.values():
        statuses = {}
        for at in places:
            one = examples[at]
            if one.item.target is None:
                reasons[at] = NO_TARGET
            elif one.completion:
                statuses[at] = judge(one.item, one.start + one.completion).status
        wrong = [
            at for at, said in statuses.items() if said == "wrong" or (unread and said == "unread")
        ]
        for at in places:
            said = statuses.get(at)
            if said != "right":
                reasons.setdefault(at, NO_RIGHT)
                continue
            same = [w for w in wrong if examples[w].start == examples[at].start]
            possible[at] = [
                _Candidate(examples[at].start, examples[at].start_kind,
                           str(examples[at].completion), str(examples[w].completion),
                           "reasoning", 1.0)
                for w in same
            ]  # fmt: skip
            if not same:
                reasons[at] = NO_WRONG


def _reflected(
    examples: Sequence[Example],
    traces: Mapping[int, Sequence[Trace]],
    caller: Caller,
    template: Prompt,
    reflections: int,
    temperature: float | None,
    thinking: str,
    seed: int,
) -> dict[int, list[_Candidate]]:
    """Reflections on one wrong and one right attempt of each item, as pairs."""
    attempts: list[tuple[int, str, str]] = []
    for at, found in traces.items():
        for kind, wanted in (("wrong", WRONG), ("correct", None)):
            for one in found:
                parts = parted(Reply(one.completion), form_of(examples[at].item))
                if one.rejected == wanted and parts is not None and parts[0]:
                    attempts.append((at, kind, parts[0]))
                    break
    asked = [
        render(template, examples[at].item,
               question_quoted=asked_in_full(examples[at].item),
               attempt_quoted=quoted(attempt, "attempt"), ending=_ending(examples[at]))
        for at, _, attempt in attempts
    ]  # fmt: skip
    found_all = caller.replies(asked, samples=reflections, temperature=temperature, seed=seed)
    made_pairs: dict[int, list[_Candidate]] = defaultdict(list)
    for (at, kind, attempt), draws in zip(attempts, found_all, strict=True):
        item = examples[at].item
        leaves = []
        for reply in draws:
            parts = parted(Reply(answer_part(reply.text or "", reply.finish_reason)), form_of(item))
            if reply.text is None or parts is None or not parts[0]:
                continue
            whole = thought_then_answer(*parts, thinking).removeprefix("<think>\n")
            status = judge(item, reply.text, reply.finish_reason).status
            leaves.append(Node(f" {whole}", right=status == "right", reflects=True))
        opened = f"<think>\n{attempt}" if thinking == "tags" else attempt
        for pair in tree_to_pairs(Node(opened, tuple(leaves)), joined=""):
            made_pairs[at].append(
                _Candidate(pair.start, kind, pair.chosen, pair.rejected, pair.kind, pair.margin)
            )
    return made_pairs


def _ending(example: Example) -> str:
    what = "the letter of the best option" if example.item.options else "the answer"
    return f'Then give your answer on the last line, in the form "Answer: " followed by {what}.'


def _balanced(
    examples: Sequence[Example],
    possible: Mapping[int, Sequence[_Candidate]],
    each: int,
    most: float,
    seed: int,
) -> dict[int, list[_Candidate]]:
    """Of every example the pairs nearest in length, so that over all neither side is the longer.

    Examples are gone through in a drawn order; where an example offers pairs of both signs near
    enough, the sign is taken that brings the sum of the logarithms of the ratios back to 0.
    """
    total = 0.0
    taken: dict[int, list[_Candidate]] = {}
    order = sorted(possible, key=lambda at: (seeded(examples[at], "pairs", seed).random(), at))
    for at in order:
        used: set[tuple[str, str]] = set()
        per_kind: Counter[tuple[str, str | None]] = Counter()
        chosen: list[_Candidate] = []
        near = [one for one in possible[at] if abs(one.ratio) <= most]
        while near:
            best = min(near, key=lambda one: (abs(total + one.ratio), abs(one.ratio)))
            near.remove(best)
            if per_kind[best.kind, best.start_kind] >= each or _sides(best) & used:
                continue
            used |= _sides(best)
            per_kind[best.kind, best.start_kind] += 1
            total += best.ratio
            chosen.append(best)
        if chosen:
            taken[at] = chosen
    return taken


def _sides(one: _Candidate) -> set[tuple[str, str]]:
    return {(one.start, one.chosen), (one.start, one.rejected)}


def _lengths(kept: Sequence[Example]) -> dict[str, Any]:
    """How far length tells the sides apart: it should not."""
    if not kept:
        return {"chosen_longer": None, "mean_length_ratio": None}
    ratios = [
        math.log((len(one.completion or "") + 1) / (len(one.rejected or "") + 1)) for one in kept
    ]
    return {
        # Of two equally long sides each is half the longer one.
        "chosen_longer": sum((r > 0) + (r == 0) / 2 for r in ratios) / len(ratios),
        "mean_length_ratio": math.exp(sum(ratios) / len(ratios)),
    }
