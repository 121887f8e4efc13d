"""The same reward in the signatures of TRL, verl, OpenRLHF and verifiers.

None of these libraries is imported. The item travels with each prompt as one JSON text
(:func:`item_to_json`): a column ``item`` for TRL, ``ground_truth`` for verl, the label for
OpenRLHF, ``answer`` (or ``info["item"]``) for verifiers.

Signatures are those of TRL 1.16 (``GRPOTrainer``), verl 0.8 (``custom_reward_function``),
OpenRLHF 0.11 (``--reward.remote_url FILE.py``) and verifiers 0.1 (``Rubric``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from viva.errors import InputError
from viva.formats.item_json import item_from_json, item_to_json
from viva.training.rewards.completions import Completion, Component

__all__ = [
    "completion_of",
    "item_from_json",
    "item_to_json",
    "to_openrlhf",
    "to_trl",
    "to_verifiers",
    "to_verl",
]


def _text(message: Any) -> str:
    """The text of a message's content, which may come in parts."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text") or "" for part in content if part.get("type") == "text")


def completion_of(completion: Any, **known: Any) -> Completion:
    """What a trainer hands over, a text or messages, as a reward looks at it.

    Parameters
    ----------
    completion : str or sequence of mappings
        Of messages the last of the assistant counts.
    **known
        Further fields of :class:`Completion`. Reasoning that came apart closes the thinking.
    """
    if not isinstance(completion, Sequence) or isinstance(completion, str):
        return Completion(completion or "", **known)
    own = [m for m in completion if m.get("role", "assistant") == "assistant"]
    last: Mapping[str, Any] = own[-1] if own else {}
    reasoning = last.get("reasoning_content") or last.get("reasoning") or last.get("thinking")
    if reasoning:
        known["thinking_open"] = False
    return Completion(_text(last), reasoning if isinstance(reasoning, str) else None, **known)


def to_trl(
    reward: Component, *, name: str = "reward", thinking_open: bool = False
) -> Callable[..., list[float | None]]:
    """A reward function of TRL's ``GRPOTrainer``.

    Parameters
    ----------
    reward : component
    name : str
        Under which TRL logs it.
    thinking_open : bool
        The chat template opens the thinking.

    Returns
    -------
    callable
        ``f(completions, *, item, trainer_state=None, **columns) -> list of (float or None)``;
        completions are texts or lists of messages; ``item`` is the data set's column. None means
        for TRL that the function does not apply to the sample.
    """

    def score(
        completions: Sequence[Any], *, item: Sequence[str], trainer_state: Any = None, **_: Any
    ) -> list[float | None]:
        step = getattr(trainer_state, "global_step", None)
        return [
            reward(
                item_from_json(each), completion_of(said, thinking_open=thinking_open, step=step)
            )
            for each, said in zip(item, completions, strict=True)
        ]

    score.__name__ = name
    return score


def to_verl(reward: Component, *, thinking_open: bool = False) -> Callable[..., dict[str, float]]:
    """A ``compute_score`` of verl.

    Returns
    -------
    callable
        ``compute_score(data_source, solution_str, ground_truth, extra_info=None, **kwargs)`` ->
        ``{"score": ..., "applies": 1 or 0}``: verl knows no None, so that a reward that does not
        apply is 0 and says so.
    """

    def compute_score(
        data_source: str,  # noqa: ARG001
        solution_str: str,
        ground_truth: str,
        extra_info: Mapping[str, Any] | None = None,
        **_: Any,
    ) -> dict[str, float]:
        step = (extra_info or {}).get("global_step")
        said = Completion(solution_str or "", thinking_open=thinking_open, step=step)
        value = reward(item_from_json(ground_truth), said)
        return {"score": value or 0.0, "applies": float(value is not None)}

    return compute_score


def to_openrlhf(
    reward: Component,
    *,
    thinking_open: bool = False,
    as_tensor: Callable[[list[float]], Any] = list,
) -> Callable[..., dict[str, Any]]:
    """A ``reward_func`` of OpenRLHF.

    Parameters
    ----------
    reward : component
    thinking_open : bool
    as_tensor : callable
        ``torch.tensor`` in training; OpenRLHF expects tensors.

    Returns
    -------
    callable
        ``reward_func(queries, prompts, labels, **kwargs)`` -> rewards, scores (0..1, for dynamic
        filtering) and extra_logs; a query is its prompt and the response behind it.
    """

    def reward_func(
        queries: Sequence[str], prompts: Sequence[str], labels: Sequence[str], **_: Any
    ) -> dict[str, Any]:
        values: list[float | None] = []
        for query, prompt, label in zip(queries, prompts, labels, strict=True):
            if not query.startswith(prompt):
                raise InputError(
                    "a query that does not begin with its prompt", where=prompt[:60],
                    mend="Keep special tokens in both, or the prompt would be read as the answer",
                )  # fmt: skip
            said = Completion(query[len(prompt) :], thinking_open=thinking_open)
            values.append(reward(item_from_json(label), said))
        paid = as_tensor([value or 0.0 for value in values])
        applies = as_tensor([float(value is not None) for value in values])
        return {"rewards": paid, "scores": paid, "extra_logs": {"applies": applies}}

    return reward_func


def to_verifiers(
    reward: Component, *, name: str = "reward", thinking_open: bool = False
) -> Callable[..., float]:
    """A function of a ``Rubric`` of verifiers.

    Returns
    -------
    callable
        ``f(completion, answer="", info=None, **kwargs) -> float``; 0 where the reward does not
        apply.
    """

    def score(
        completion: Any, answer: str = "", info: Mapping[str, Any] | None = None, **_: Any
    ) -> float:
        item = item_from_json((info or {}).get("item") or answer)
        return reward(item, completion_of(completion, thinking_open=thinking_open)) or 0.0

    score.__name__ = name
    return score
