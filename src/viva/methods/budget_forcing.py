"""Budget forcing: thinking is cut at a cap, drawn out where it ends early, then answered."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

from viva.methods._asking import UNSET, conversation
from viva.methods._types import Count, Natural
from viva.methods.answer import Answer
from viva.methods.prompts import Prompt
from viva.models import Caller, CallFailed, Failure, Request, Sampling
from viva.records import Item

__all__ = ["budget_forcing"]


async def budget_forcing(
    item: Item,
    client: Caller,
    *,
    sampling: Sampling = UNSET,
    prompt: Prompt | None = None,
    max_thinking: Natural = 4096,
    min_thinking: Natural | None = None,
    waits: Natural = 1,
    wait: str = "Wait",
    think_open: str = "<think>\n",
    think_close: str = "\n</think>\n\n",
    answer_marker: str = "Final Answer:",
    max_answer: Count = 1024,
    system: str | None = None,
) -> Answer:
    """Hold thinking between a minimum and a maximum, then have the answer.

    The model's turn begins with ``think_open``. Thinking that reaches ``max_thinking`` tokens is
    cut there; thinking that the model ends before is continued behind ``wait``, up to ``waits``
    times. Then ``think_close`` and ``answer_marker`` are put behind it and the model completes
    the answer [1]_ [2]_. There are at most ``waits`` + 2 calls, and as no call is given more than
    what is left, at most ``max_thinking`` + ``max_answer`` tokens are generated.

    Thinking is counted by the server's ``output_tokens``; in words where it gives none. The
    tokens of ``wait`` are not generated and not counted.

    Parameters
    ----------
    item : Item
        At least two options.
    client : Caller
        Who is asked. It must continue the assistant's turn.
    sampling : Sampling
        What the user gave. Its ``max_completion_tokens`` bounds each call beside the caps here;
        its ``stop`` texts hold beside the end of thinking.
    prompt : Prompt, optional
        ``cot`` where not given.
    max_thinking : int
        Most tokens of thinking, over all its parts; 0 = the answer at once.
    min_thinking : int, optional
        Thinking that ends with fewer tokens than this is continued. None = whenever it ends
        before ``max_thinking``, as m1 does; 0 = never.
    waits : int
        How many times at most thinking is continued.
    wait : str
        What is put behind thinking that ended early.
    think_open, think_close : str
        How the model opens and closes thinking. ``think_open`` is empty where the chat template
        itself opens it.
    answer_marker : str
        What the answer begins with.
    max_answer : int
        Most tokens of the answer.
    system : str, optional
        The text of a system turn; there is none otherwise.

    Returns
    -------
    Answer
        ``text`` is the marker and what follows it, ``reasoning`` the thinking with its waits.

    Raises
    ------
    InputError
        An item without options; a prompt that fails.
    viva.models.CallFailed
        There is no completion.

    References
    ----------
    .. [1] Muennighoff et al., s1: Simple test-time scaling, arXiv:2501.19393, 2025.
    .. [2] Huang et al., m1: Unleash the Potential of Test-Time Scaling for Medical Reasoning with
       Large Language Models, arXiv:2504.00869, 2025.
    """
    messages = conversation(item, prompt or "cot", system)
    least = max_thinking if min_thinking is None else min(min_thinking, max_thinking)
    close = think_close.strip()
    thinking, spent, waited, calls = "", 0, 0, 0
    while spent < max_thinking:
        how = _within(sampling, max_thinking - spent, close)
        request = Request(messages, (think_open + thinking) or None, how, draw=calls)
        part = await _think(client, request, close)
        calls += 1
        thinking += part.text
        spent += part.tokens
        if part.cut or spent >= least or waited == waits:
            break
        thinking = f"{thinking.rstrip()}\n{wait}"
        waited += 1
    thinking = thinking.rstrip()
    prefix = f"{think_open}{thinking}{think_close}{answer_marker}"
    request = Request(messages, prefix, _within(sampling, max_answer), draw=calls)
    said = await client.generate(request)
    # A server that takes the whole turn for thinking gives the answer in that field.
    words = said.text or said.reasoning or ""
    return Answer(answer_marker + words, reasoning=thinking, finish_reason=said.finish_reason)


class _Part(NamedTuple):
    """One stretch of thinking."""

    text: str
    tokens: int
    cut: bool
    """It reached its cap; the model did not end it."""


async def _think(client: Caller, request: Request, close: str) -> _Part:
    """One call that thinks until the model ends it or the cap is reached."""
    try:
        said = await client.generate(request)
    except CallFailed as failed:
        if failed.failure is Failure.EMPTY:  # thinking that is closed at once has no text
            return _Part("", 0, cut=False)
        raise
    # In whichever field the server puts it; with both filled it saw the end of thinking itself.
    text, mark, _ = _split(said.reasoning or said.text, close)
    closed = bool(mark or (said.reasoning and said.text))
    cap = request.sampling.max_completion_tokens or 1
    words = [word.end() for word in islice(re.finditer(r"\S+", text), cap + 1)]
    if len(words) > cap:  # a word takes a token at least: the server went past the cap
        return _Part(text[: words[cap - 1]], cap, cut=True)
    tokens = len(words) if said.output_tokens is None else said.output_tokens
    full = said.finish_reason == "length" or tokens >= cap
    return _Part(text, min(tokens, cap), cut=full and not closed)


def _split(text: str, close: str) -> tuple[str, str, str]:
    return text.partition(close) if close else (text, "", "")


def _within(sampling: Sampling, left: int, stop: str = "") -> Sampling:
    """What the user gave, for a call that may bring so many tokens."""
    most = sampling.max_completion_tokens
    stops = (*sampling.stop, stop) if stop and stop not in sampling.stop else sampling.stop
    return replace(
        sampling, max_completion_tokens=left if most is None else min(left, most), stop=stops
    )
