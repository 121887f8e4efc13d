"""Few-shot: worked examples as earlier turns, then the question; one call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from viva.errors import InputError
from viva.methods._asking import UNSET, answer_of, conversation
from viva.methods._types import Count
from viva.methods.answer import Answer
from viva.methods.examples import Example, load_pool
from viva.methods.prompts import Prompt, load_prompt, render
from viva.models import Caller, CallFailed, Failure, Message, Request, Sampling
from viva.records import Item

__all__ = ["few_shot"]


async def few_shot(
    item: Item,
    client: Caller,
    *,
    sampling: Sampling = UNSET,
    prompt: Prompt | None = None,
    examples: str = "",
    shots: Count = 5,
    choose: Literal["fixed", "similar"] = "fixed",
    cot: bool = False,
    seed: int = 0,
    system: str | None = None,
) -> Answer:
    """Show worked examples as earlier turns of the conversation, then ask [1]_.

    An example never tells the answer: neither the item itself nor one with the same question or
    of the same group is shown. Similar examples are chosen by the questions'
    words, a nearest-neighbour choice [2]_ that needs no other model.

    Parameters
    ----------
    item : Item
        At least two options.
    client : Caller
        Who is asked; one call.
    sampling : Sampling
        What the user gave; the rest is the back-end's.
    prompt : Prompt, optional
        The form of every question, the examples' too: ``direct``, or ``cot`` with ``cot``.
    examples : str
        Where examples come from: a file of items with their key, ``hub:NAME``, or the name of a
        benchmark.
    shots : int
        How many.
    choose : {"fixed", "similar"}
        The same for every item, or those most like the item (the most similar last).
    cot : bool
        The examples' turns give their rationale (``rationale`` or ``explanation`` in the item's
        metadata) before the letter; only examples that have one are shown.
    seed : int
        Other fixed examples for another seed.
    system : str, optional
        The text of a system turn; there is none otherwise.

    Returns
    -------
    Answer
        The completion, to be read.

    Raises
    ------
    InputError
        No examples given, or too few; an item without options; a prompt that fails.
    viva.models.CallFailed
        There is no completion; or too few examples are left without those that would tell the
        answer.

    References
    ----------
    .. [1] Brown et al., Language Models are Few-Shot Learners, NeurIPS 2020.
    .. [2] Liu et al., What Makes Good In-Context Examples for GPT-3?, DeeLIO 2022.
    """
    form = prompt or load_prompt(prompt_of({"cot": cot}))
    pool = load_pool(_source(examples))
    if choose == "similar":
        chosen = pool.similar(item, shots, explained=cot)
    else:
        chosen = pool.fixed(item, shots, seed, explained=cot)
    if len(chosen) < shots:
        raise CallFailed(
            Failure.REFUSED, f"{len(chosen)} of {shots} examples are left that do not tell the key"
        )
    earlier = [turn for example in chosen for turn in _turns(example, form, cot=cot)]
    messages = conversation(item, form, system, earlier=earlier)
    return answer_of(await client.generate(Request(messages, sampling=sampling)))


def prompt_of(parameters: Mapping[str, Any]) -> str:
    """The prompt that the parameters ask for."""
    return "cot" if parameters["cot"] else "direct"


def prepare(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Read the examples before the first call; what they are, for the manifest.

    Raises
    ------
    InputError
        No examples given, a source that cannot be read, fewer examples than shots.
    """
    pool = load_pool(_source(parameters["examples"]))
    usable = sum(pool.explained) if parameters["cot"] else pool.rows.height
    if usable < parameters["shots"]:
        what = "with a rationale" if parameters["cot"] else "with one right option"
        raise InputError(
            f"has {usable} items {what}, fewer than shots={parameters['shots']}",
            where=pool.source,
            mend="Ask for fewer shots, or set cot=false"
            if parameters["cot"]
            else "Ask for fewer shots",
        )
    return {"examples": {"hash": pool.hash, "items": usable, "left_out": pool.left_out}}


def _source(examples: str) -> str:
    if not examples:
        raise InputError(
            "few_shot has no examples",
            mend="Set examples= to a file of items with their key, or the name of a benchmark",
        )
    return examples


def _turns(example: Example, form: Prompt, *, cot: bool) -> tuple[Message, Message]:
    said = f"{example.rationale}\n\nAnswer: {example.letter}" if cot else example.letter
    return Message("user", render(form, example.item)), Message("assistant", said)
