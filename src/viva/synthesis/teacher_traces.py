"""Traces of a teacher: reasoning and answer by any model, kept where the answer is right.

Rejection sampling as of m1 (R1's traces, right ones kept), MedReason, ReasonMed and Meerkat. The
answer is read by the shared reader; what is wrong, unread, cut or without reasoning is counted by
its reason and not kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from viva.answers import form_of
from viva.errors import InputError
from viva.methods.prompts import load_prompt
from viva.records import Item
from viva.synthesis._generated import (
    FAILED,
    NO_TARGET,
    judge,
    made,
    need_caller,
    parted,
    stepped,
    thought_then_answer,
)
from viva.synthesis.calling import Caller, Reply
from viva.synthesis.examples import Example
from viva.synthesis.pass_rates import NOT_ASKED, asked_prompt, request_for
from viva.synthesis.steps import Dropped, Made

__all__ = ["ORDERS", "REJECTED", "Trace", "sampled_traces", "traces"]

WRONG, UNREAD, CUT = "wrong answer", "unread answer", "cut at the limit of its length"
NO_REASONING, BEHIND = "no reasoning", "reasoning behind the answer"
REFORMED = "not read the same once reasoning and answer are parted"
AGAIN, SURPLUS = "the same as another", "more than wanted"
REJECTED = (FAILED, WRONG, UNREAD, CUT, NO_REASONING, BEHIND, REFORMED, AGAIN, SURPLUS)
"""Why a trace is not kept."""

NONE_RIGHT = "no right trace"
STARTED = "it has a start: continue it by the step starts"

ORDERS = ("first", "shortest", "longest")
"""Which right traces are preferred."""


class Trace(NamedTuple):
    """One draw of a teacher for one item, judged."""

    completion: str
    """Reasoning and answer in the form asked for; the raw text where it is rejected."""
    rejected: str | None
    """One of :data:`REJECTED`; None where it is right and whole."""
    value: Any = None
    """The answer read."""

    @property
    def status(self) -> str:
        """``right``, ``wrong``, ``unread``, or ``failed`` where there is no text."""
        if self.rejected == FAILED:
            return "failed"
        if self.rejected == WRONG:
            return "wrong"
        return "right" if self.value is not None else "unread"


def judged_trace(item: Item, reply: Reply, thinking: str) -> Trace:
    """Judge one reply, and put it in form.

    Parameters
    ----------
    item : Item
        With a target.
    reply : Reply
    thinking : {"tags", "none"}
        ``tags`` puts the reasoning into ``<think>`` and the answer behind it.
    """
    if reply.text is None:
        return Trace("", FAILED)
    said = judge(item, reply.text, reply.finish_reason)
    if said.status == "wrong":
        return Trace(reply.text, WRONG, said.value)
    if reply.finish_reason == "length":
        return Trace(reply.text, CUT)
    if said.status == "unread":
        return Trace(reply.text, UNREAD)
    parts = parted(reply, form_of(item))
    if parts is None or not any(c.isalnum() for c in parts[0]):
        return Trace(reply.text, NO_REASONING, said.value)
    if reply.text.find(parts[0]) > reply.text.rfind(parts[1]):
        return Trace(reply.text, BEHIND, said.value)
    completion = thought_then_answer(*parts, thinking)
    if judge(item, completion).status != "right":
        return Trace(reply.text, REFORMED, said.value)
    return Trace(completion, None, said.value)


def sampled_traces(
    examples: Sequence[Example],
    caller: Caller,
    *,
    samples: int,
    temperature: float | None,
    method: str,
    prompt: str | None,
    system: str | None,
    thinking: str,
    seed: int,
) -> tuple[list[list[Trace] | str], list[str | None]]:
    """Ask for traces of every example; the reason in place of those that cannot be asked.

    Returns
    -------
    list of (list of Trace, or str), list of (str or None)
        In the order of the examples; and the hash of the prompt of each.
    """
    thought_then_answer("", "", thinking)  # refuses another value before the first call
    chosen = load_prompt(prompt) if prompt is not None else None
    found: list[list[Trace] | str] = []
    hashes: list[str | None] = []
    places, requests, items = [], [], []
    for at, example in enumerate(examples):
        hashes.append(None)
        if example.item.target is None:
            found.append(NO_TARGET)
            continue
        if example.start:
            found.append(STARTED)
            continue
        try:
            requests.append(request_for(example.item, method, chosen, system))
        except InputError as error:
            if error.where is None:
                raise
            found.append(NOT_ASKED)
            continue
        hashes[at] = asked_prompt(example.item, method, chosen)
        places.append(at)
        items.append(example.item)
        found.append([])
    replies = caller.replies(
        requests, samples=samples, temperature=temperature, seed=seed, items=items
    )
    for at, item, draws in zip(places, items, replies, strict=True):
        found[at] = [judged_trace(item, reply, thinking) for reply in draws]
    return found, hashes


def traces(
    examples: Sequence[Example],
    *,
    samples: int = 4,
    keep: int = 1,
    prefer: str = "first",
    temperature: float | None = 0.7,
    method: str = "cot",
    prompt: str | None = None,
    system: str | None = None,
    thinking: str = "tags",
    seed: int = 0,
    caller: Caller | None = None,
) -> Made:
    """Let a teacher answer, and keep right traces as completions.

    Parameters
    ----------
    examples : sequence of Example
        With targets; a completion that is there is replaced.
    samples : int
        Traces asked for, at least 1.
    keep : int
        Most right traces kept of an item, each an example with a number of its own.
    prefer : str
        One of :data:`ORDERS`: which right ones, by draw or by length.
    temperature : float, optional
        Above 0 where there are several samples; None leaves it to the model.
    method : {"cot", "direct"}
        How items are asked: as in an evaluation, so that the completion follows the very prompt.
    prompt, system : str, optional
        Another prompt for the method; the text of a system turn.
    thinking : {"tags", "none"}
        Whether the reasoning stands in ``<think>`` tags.
    seed : int
    caller : Caller
        The teacher; ``replay/FILE`` takes traces of an answers file.

    Returns
    -------
    Made
        The report counts traces by what became of them.

    Raises
    ------
    InputError
        No model; numbers out of range; an unknown way to prefer.
    """
    caller = need_caller(caller, "traces")
    if keep < 1:
        raise InputError(f"{keep} traces kept of an item", mend="Give 1 or more")
    if prefer not in ORDERS:
        raise InputError(f"prefer is {prefer!r}", mend=f"One of {', '.join(ORDERS)}")
    found, hashes = sampled_traces(
        examples, caller, samples=samples, temperature=temperature, method=method, prompt=prompt,
        system=system, thinking=thinking, seed=seed,
    )  # fmt: skip
    settings = {
        "samples": samples, "keep": keep, "prefer": prefer, "temperature": temperature,
        "method": method, "prompt": prompt, "system": system, "thinking": thinking,
    }  # fmt: skip
    kept: list[Example] = []
    dropped: list[Dropped] = []
    told: Counter[str] = Counter()
    for example, drawn, prompt_hash in zip(examples, found, hashes, strict=True):
        if isinstance(drawn, str):
            dropped.append(Dropped(example, drawn))
            continue
        right = _distinct(drawn, told)
        if prefer != "first":
            right.sort(key=lambda one: len(one.completion), reverse=prefer == "longest")
        told[SURPLUS] += len(right[keep:])
        told["kept"] += len(right[:keep])
        if not right:
            failed = all(one.rejected == FAILED for one in drawn)
            dropped.append(Dropped(example, FAILED if failed else NONE_RIGHT))
        for number, trace in enumerate(right[:keep]):
            kept.append(
                stepped(
                    example,
                    "traces",
                    settings,
                    seed=seed,
                    model=caller.spec,
                    prompt_hash=prompt_hash,
                    completion=trace.completion,
                    number=example.number * keep + number,
                )
            )
    return made(examples, kept, dropped, model=caller.spec,
                traces={name: n for name, n in sorted(told.items()) if n})  # fmt: skip


def _distinct(drawn: Sequence[Trace], told: Counter[str]) -> list[Trace]:
    """The right traces, each text once; the others are counted."""
    right: dict[str, Trace] = {}
    for one in drawn:
        if one.rejected:
            told[one.rejected] += 1
        elif (text := " ".join(one.completion.split())) in right:
            told[AGAIN] += 1
        else:
            right[text] = one
    return list(right.values())
