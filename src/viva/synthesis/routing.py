"""Routes by how hard an item is for a teacher: easy, medium, difficult.

As ReasonMed (2506.09513): of several traces of an item, where enough are right the best are kept;
where only some are, a right one is refined with the mistakes of the wrong ones in view; where
hardly any is, it is made anew by a model that is told the answer and must come to it by itself in
its reasoning. Whatever comes out is read by the shared reader and must be right.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from viva.answers import form_of
from viva.errors import InputError
from viva.judging.quoting import quoted
from viva.methods.prompts import Prompt, render
from viva.records import Item
from viva.synthesis._generated import (
    FAILED,
    answer_named,
    asked_in_full,
    made,
    need_caller,
    own_prompt,
    parted,
    stepped,
)
from viva.synthesis.calling import Caller, Reply
from viva.synthesis.examples import Example
from viva.synthesis.steps import Dropped, Made
from viva.synthesis.teacher_traces import WRONG, Trace, judged_trace, sampled_traces

__all__ = ["ROUTES", "route"]

ROUTES = ("easy", "medium", "difficult")
"""In the order of the score ``route``: 0, 1, 2."""

NOT_REFINED = "no refined trace is right"
NOT_REGENERATED = "no trace is right though the answer was told"
LEFT_OUT = "difficult items are left out"
TELLS = "it tells that the answer was given"

_TELLS = re.compile(
    r"\b(?:given answer|answer (?:is |was |has been )?(?:given|provided|told|stated)|"
    r"provided answer|"
    r"(?:we|i) (?:know|are told|am told|were told) (?:that )?the (?:right |correct )?answer|"
    r"answer key|expected answer|reference answer|as (?:instructed|requested|told)|the hint)\b",
    re.IGNORECASE,
)


def route(
    examples: Sequence[Example],
    *,
    samples: int = 9,
    easy: int = 5,
    medium: int = 2,
    keep: int = 2,
    tries: int = 3,
    regenerate: bool = True,
    temperature: float | None = 0.7,
    method: str = "cot",
    prompt: str | None = None,
    system: str | None = None,
    refine_prompt: str | None = None,
    regenerate_prompt: str | None = None,
    thinking: str = "tags",
    seed: int = 0,
    caller: Caller | None = None,
) -> Made:
    """Make completions by routes, by how many of a teacher's traces are right.

    Parameters
    ----------
    examples : sequence of Example
        With targets.
    samples : int
        Traces of each item.
    easy, medium : int
        Least right traces of an easy and of a medium item, ``1 <= medium <= easy <= samples``.
    keep : int
        Most traces kept of an easy item, the shortest first; one of any other.
    tries : int
        Draws of a refined or regenerated trace, of which the first right one is kept.
    regenerate : bool
        Whether difficult items are made anew with the answer told; else they are dropped.
    temperature, method, prompt, system, thinking
        As of :func:`viva.synthesis.teacher_traces.traces`.
    refine_prompt, regenerate_prompt : str, optional
        Other prompts.
    seed : int
    caller : Caller
        The teacher.

    Returns
    -------
    Made
        ``scores`` gain ``route`` (0 easy, 1 medium, 2 difficult), ``pass_count``, ``pass_n`` and
        ``pass_rate`` of the teacher.

    Raises
    ------
    InputError
        No model; numbers out of order.
    """
    caller = need_caller(caller, "route")
    if not 1 <= medium <= easy <= samples or keep < 1 or tries < 1:
        raise InputError(
            f"medium {medium}, easy {easy}, samples {samples}, keep {keep}, tries {tries}",
            mend="Give 1 <= medium <= easy <= samples, and 1 or more to keep and try",
        )
    settings = {
        "samples": samples, "easy": easy, "medium": medium, "keep": keep, "tries": tries,
        "regenerate": regenerate, "temperature": temperature, "method": method, "prompt": prompt,
        "system": system, "thinking": thinking,
    }  # fmt: skip
    drawn, hashes = sampled_traces(
        examples, caller, samples=samples, temperature=temperature, method=method, prompt=prompt,
        system=system, thinking=thinking, seed=seed,
    )  # fmt: skip
    completions: dict[int, list[str]] = {}
    scores: dict[int, dict[str, float]] = {}
    reasons: dict[int, str] = {}
    ways: dict[str, list[int]] = {name: [] for name in ROUTES}
    for at, found in enumerate(drawn):
        if isinstance(found, str):
            reasons[at] = found
            continue
        answered = [one for one in found if one.rejected != FAILED]
        if not answered:
            reasons[at] = FAILED
            continue
        right = _right(found)
        count = sum(one.status == "right" for one in found)
        # Fewer answers than were asked for do not make an item harder.
        of_all = count * samples / len(answered)
        way = 0 if of_all >= easy and right else 1 if of_all >= medium and right else 2
        ways[ROUTES[way]].append(at)
        scores[at] = {
            "route": way, "pass_count": count, "pass_n": len(answered),
            "pass_rate": count / len(answered),
        }  # fmt: skip
        if way == 0:
            completions[at] = [one.completion for one in right[:keep]]
    refining, making = (own_prompt("refine", refine_prompt), own_prompt("told", regenerate_prompt))
    told: Counter[str] = Counter()
    asked: dict[int, str] = {}
    for at in ways["medium"]:
        found = drawn[at]
        assert not isinstance(found, str)
        asked[at] = _refine(examples[at], found, refining)
    for at in ways["difficult"] if regenerate else ():
        if (named := answer_named(examples[at].item)) is not None:
            asked[at] = render(
                making, examples[at].item, question_quoted=asked_in_full(examples[at].item),
                named=named,
            )  # fmt: skip
    prompts = list(asked.items())
    replies = caller.replies(
        [text for _, text in prompts], samples=tries, temperature=temperature, seed=seed
    )
    for (at, _), draws in zip(prompts, replies, strict=True):
        one, why = _first_right(examples[at].item, draws, thinking)
        told.update(why)
        if one is not None:
            completions[at] = [one]
    kept: list[Example] = []
    dropped: list[Dropped] = []
    for at, example in enumerate(examples):
        changes: dict[str, Any] = {}
        if at in scores:
            changes["scores"] = dict(example.scores) | scores[at]
        if at not in completions:
            dropped.append(Dropped(example, reasons.get(at) or _missing(at, ways, regenerate)))
            continue
        by = {1: refining.hash, 2: making.hash}.get(int(scores[at]["route"]), hashes[at])
        kept += [
            stepped(
                example, "route", settings, seed=seed, model=caller.spec, prompt_hash=by,
                completion=text, number=example.number * keep + number, **changes,
            )
            for number, text in enumerate(completions[at])
        ]  # fmt: skip
    return made(
        examples, kept, dropped, model=caller.spec,
        routes={name: len(places) for name, places in ways.items()},
        rejected=dict(sorted(told.items())),
    )  # fmt: skip


def _right(found: Sequence[Trace]) -> list[Trace]:
    """Whole right traces, each text once, the shortest first."""
    right = {one.completion: one for one in found if one.rejected is None}
    return sorted(right.values(), key=lambda one: len(one.completion))


def _missing(at: int, ways: dict[str, list[int]], regenerate: bool) -> str:
    if at in ways["medium"]:
        return NOT_REFINED
    return NOT_REGENERATED if regenerate else LEFT_OUT


def _refine(example: Example, found: Sequence[Trace], template: Prompt) -> str:
    """The request to refine the shortest right trace, with a wrong one to learn from."""
    right = _right(found)[0]
    wrong = next((one for one in found if one.rejected == WRONG), None)
    item = example.item
    return render(
        template, item, question_quoted=asked_in_full(item),
        draft_quoted=quoted(_said(item, right), "draft"),
        mistake_quoted="" if wrong is None else quoted(_said(item, wrong), "attempt"),
    )  # fmt: skip


def _said(item: Item, trace: Trace) -> str:
    parts = parted(Reply(trace.completion), form_of(item))
    return trace.completion if parts is None else "\n\n".join(part for part in parts if part)


def _first_right(
    item: Item, draws: Sequence[Reply], thinking: str
) -> tuple[str | None, Counter[str]]:
    why: Counter[str] = Counter()
    for reply in draws:
        one = judged_trace(item, reply, thinking)
        if one.rejected is None and _TELLS.search(one.completion):
            why[TELLS] += 1
        elif one.rejected is None:
            return one.completion, why
        else:
            why[one.rejected] += 1
    return None, why
