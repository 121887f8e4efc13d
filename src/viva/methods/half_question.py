"""The half-question probe as a method: the first half of the stem, to be continued."""

from __future__ import annotations

from viva.methods._asking import UNSET, sampled
from viva.methods.answer import Answer
from viva.methods.prompts import Prompt, load_prompt, render
from viva.models import Caller, Message, Request, Sampling
from viva.probes.half_question import halves
from viva.records import Item

__all__ = ["half_question"]

_TOKENS_A_WORD = 4
_TOKENS_MORE = 64


async def half_question(
    item: Item,
    client: Caller,
    *,
    sampling: Sampling = UNSET,
    prompt: Prompt | None = None,
    system: str | None = None,
) -> Answer:
    """Give the first half of the stem and ask for the rest of it, word for word.

    The answer is a text to be compared with the second half (``viva memorisation RUN``), not a
    choice: it is never graded, and its score says so.

    Parameters
    ----------
    item : Item
        A stem of fewer than 16 words is not asked about; its answer is empty.
    client : Caller
        Who is asked; one call.
    sampling : Sampling
        What the user gave; otherwise temperature 0, and four tokens for each word of the second
        half and 64 more.
    prompt : Prompt, optional
        ``half_question`` where not given; its variable ``half`` is the first half.
    system : str, optional
        The text of a system turn; there is none otherwise.

    Returns
    -------
    Answer
        The continuation, not graded.

    Raises
    ------
    InputError
        A prompt that fails.
    viva.models.CallFailed
        There is no completion.
    """
    parts = halves(item.question)
    if parts is None:
        return Answer(graded=False)
    shown = render(prompt or load_prompt("half_question"), item, half=parts.first.rstrip())
    first = (Message("system", system),) if system else ()
    most = _TOKENS_A_WORD * len(parts.second.split()) + _TOKENS_MORE
    request = Request(
        (*first, Message("user", shown)),
        sampling=sampled(sampling, temperature=0.0, max_completion_tokens=most),
    )
    completion = await client.generate(request)
    return Answer(completion.text, finish_reason=completion.finish_reason, graded=False)
