"""Option log-probability: how likely each letter is as the next token; one token is asked for."""

from __future__ import annotations

import math
from collections.abc import Mapping

from viva.methods._asking import UNSET, conversation, sampled
from viva.methods._types import Count, Share
from viva.methods.answer import Answer
from viva.methods.prompts import Prompt
from viva.models import Caller, CallFailed, Failure, Prefill, Request, Sampling
from viva.records import LETTERS, Item

__all__ = ["option_logprob"]

_AROUND = " \t\r\n\u2581\u0120\u010a()[]{}<>*_`'\".:,;"
"""What tokens carry around a letter: brackets, stops, marks of bold type, and how vocabularies
write a blank (``▁``, ``Ġ``) and a line break (``Ċ``)."""


async def option_logprob(
    item: Item,
    client: Caller,
    *,
    sampling: Sampling = UNSET,
    prompt: Prompt | None = None,
    top: Count = 20,
    answer_prefix: str = "Answer:",
    minimum_mass: Share = 0.0,
    system: str | None = None,
) -> Answer:
    """Take the letter that is the likeliest next token.

    The probabilities of all candidate tokens that are a letter of the options but for blanks,
    brackets and case are summed by letter, and normalised over the options. An option without a
    candidate has probability 0.

    Parameters
    ----------
    item : Item
        At least two options.
    client : Caller
        Who is asked, once, for one token. It must give log-probabilities.
    sampling : Sampling
        What the user gave; greedy, and one token, where the user gave nothing.
    prompt : Prompt, optional
        ``direct`` where not given: the reply is to be the letter alone.
    top : int
        Candidates asked for. Many servers give 20 at most, some 5.
    answer_prefix : str
        What the model's turn begins with where the back-end continues it; elsewhere, or where
        this is empty, the letter must be the first token of the turn.
    minimum_mass : float
        Probability, 0..1, that the letters must hold together: below it the model was about to
        write something else, and there is no answer.
    system : str, optional
        The text of a system turn; there is none otherwise.

    Returns
    -------
    Answer
        Decided: the likeliest letter; None where no candidate is a letter, the letters hold less
        than ``minimum_mass``, or two share the lead. ``probabilities`` are the options',
        ``confidence`` is the winner's; ``text`` says how much of the probability the letters hold
        together.

    Raises
    ------
    InputError
        An item without options; a prompt that fails.
    viva.models.CallFailed
        There is no completion, or none with log-probabilities.
    """
    continued = client.capabilities.prefill is Prefill.CONTINUED
    request = Request(
        conversation(item, prompt or "direct", system),
        prefix=answer_prefix if continued and answer_prefix else None,
        sampling=sampled(sampling, temperature=0.0, max_completion_tokens=1),
        top_logprobs=top,
    )
    said = await client.generate(request)
    if not said.logprobs:
        raise CallFailed(Failure.MALFORMED, "a reply without log-probabilities")
    mass = _by_letter(said.logprobs[0], LETTERS[: len(item.options)])
    held = math.fsum(mass.values())
    if not held:
        return Answer("no letter of an option among the candidates", decided=True)
    shares = [p / held for p in mass.values()]
    likeliest = [letter for letter, p in mass.items() if p == max(mass.values())]
    chosen = likeliest[0] if len(likeliest) == 1 and held >= minimum_mass else None
    listed = ", ".join(f"{share:.4f} for {x}" for x, share in zip(mass, shares, strict=True))
    return Answer(
        f"first token: {listed}; all letters together hold {min(held, 1):.4f}",
        chosen,
        decided=True,
        confidence=max(shares) if chosen else None,
        probabilities=tuple(shares),
        finish_reason=said.finish_reason,
    )


def _by_letter(candidates: Mapping[str, float], letters: str) -> dict[str, float]:
    """Probability by letter, summed over the candidate tokens that are that letter."""
    mass = dict.fromkeys(letters, 0.0)
    for token, logprob in candidates.items():
        letter = token.strip(_AROUND).upper()
        if letter in mass and not math.isnan(logprob):
            mass[letter] += math.exp(min(logprob, 0.0))
    return mass
