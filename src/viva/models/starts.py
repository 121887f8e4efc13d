"""How a given start is put before a model: as its own turn, or as what comes close to it.

Only a prefill makes the model go on from words that it takes for its own. Where a server cannot
do that, the other arms tell the model the same words in another role: they answer another
question, have names of their own in records, and are never pooled with the prefill.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

from viva.errors import InputError, did_you_mean
from viva.models.backend import Backend, Prefill
from viva.models.requests import Message, Request

__all__ = ["ARMS", "Arm", "arm_label", "check_arm", "prefill_arm", "require_prefill", "with_start"]

RECONSIDER = "Please reconsider the question, and give your final answer."
"""What the user says after an earlier turn of the assistant."""


class Arm(NamedTuple):
    """A way of putting a start before a model."""

    description: str
    put: Callable[[Request, str], Request]
    """The request with the start."""
    continues: bool
    """The model goes on within the same turn."""


def _as_prefix(request: Request, text: str) -> Request:
    # A method that begins the turn itself (budget forcing) goes on from the start.
    return dataclasses.replace(request, prefix=text + (request.prefix or ""))


def _as_turn(request: Request, text: str) -> Request:
    turns = (Message("assistant", text), Message("user", RECONSIDER))
    return dataclasses.replace(request, messages=request.messages + turns)


def _as_suggestion(request: Request, text: str) -> Request:
    last = request.messages[-1]
    said = dataclasses.replace(last, content=f"{last.content}\n\n{text}")
    return dataclasses.replace(request, messages=(*request.messages[:-1], said))


ARMS: dict[str, Arm] = {
    "prefill": Arm("the assistant's turn begins with it, by chat or in process", _as_prefix, True),
    "raw_completion": Arm(
        "the prompt of a raw completion, made by the model's own template, ends with it",
        _as_prefix,
        True,
    ),
    "earlier_turn": Arm(
        "an earlier, finished turn of the assistant; the user asks it to reconsider",
        _as_turn,
        False,
    ),
    "user_suggestion": Arm("the user says it, after the question", _as_suggestion, False),
}
"""Arms by the name that records carry."""


def _arm(name: str) -> Arm:
    if name not in ARMS:
        raise InputError(f"no arm {name!r}", mend=did_you_mean(name, ARMS))
    return ARMS[name]


def arm_label(probe: str, arm: str) -> str:
    """The name in the column ``probe`` of records: ``PROBE@ARM``."""
    _arm(arm)
    return f"{probe}@{arm}"


def with_start(request: Request, text: str, arm: str = "prefill") -> Request:
    """The request with a start put before the model.

    Parameters
    ----------
    request : Request
        Ends with a user's turn.
    text : str
        The start, not empty.
    arm : str, default "prefill"
        A key of :data:`ARMS`.

    Returns
    -------
    Request
        For the arms that continue, ``prefix`` is the start, before a prefix that is there.

    Raises
    ------
    InputError
        No such arm, an empty start, or a request that does not end with a user's turn.
    """
    chosen = _arm(arm)
    if not text:
        raise InputError("the start of an answer is empty")
    if not request.messages or request.messages[-1].role != "user":
        raise InputError("a start is put before a request that ends with a user's turn")
    return chosen.put(request, text)


def require_prefill(backend: Backend) -> None:
    """Refuse a back-end that has not been shown to continue the assistant's turn.

    Raises
    ------
    InputError
        With what the probe saw, and the arms that remain.
    """
    found = backend.capabilities
    if found.prefill is Prefill.CONTINUED:
        return
    seen = (found.evidence or {}).get("prefill", "not probed")
    others = ", ".join(name for name, arm in ARMS.items() if not arm.continues)
    raise InputError(
        f"{backend.model} does not continue a prefill ({found.prefill}: {seen})",
        mend="Serve it with vLLM or give its chat template (--chat-template) for raw completions; "
        f"{others} are arms of their own",
    )


def prefill_arm(backend: Backend) -> str:
    """The arm under which this back-end's prefills are recorded.

    Returns
    -------
    str
        ``raw_completion`` where the prompt is rendered here and sent whole, else ``prefill``.

    Raises
    ------
    InputError
        As :func:`require_prefill`.
    """
    require_prefill(backend)
    sent = getattr(backend, "prefill_mode", None)
    return "raw_completion" if sent == "completions" else "prefill"


def check_arm(backend: Backend, arm: str) -> None:
    """Refuse an arm that a back-end cannot serve, before the first call.

    Raises
    ------
    InputError
        No such arm; no continued prefill; or the other of ``prefill`` and ``raw_completion``.
    """
    if not _arm(arm).continues:
        return
    there = prefill_arm(backend)
    if arm != there:
        raise InputError(
            f"{backend.model} serves the arm {there}, not {arm}",
            mend=f"Ask for that arm; {', '.join(n for n, a in ARMS.items() if not a.continues)} "
            "are arms of their own",
        )
