"""A row of training data as the model reads it: the prompt, and what of it is in the loss.

Rows of :func:`viva.training.datasets.rows_of` carry their tokens. Of messages it is done as TRL's
trainers do it: the completion begins where the tokens of the prompt and those of prompt and
completion diverge, which is not always where the prompt ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

__all__ = ["Rendered", "Trained", "render", "text_of"]

_IGNORED = -100
"""The label of a token that is not in the loss."""


class Trained(NamedTuple):
    """A completion behind its prompt."""

    wanted: str
    """As the row has it."""
    text: str
    """What is in the loss, special tokens shown."""
    ids: list[int]
    before: list[int]
    """Tokens before it, which are not in the loss."""
    lost: str = ""
    """The end of the prompt that the finished conversation does not have; usually empty."""

    @property
    def length(self) -> int:
        """Tokens of prompt and completion together."""
        return len(self.before) + len(self.ids)


class Rendered(NamedTuple):
    """A row as the model reads it."""

    prompt: str | None
    """None where the tokenizer's template is missing or refuses the messages."""
    ids: list[int]
    trained: tuple[Trained, ...]
    """Of SFT one, of DPO the preferred and the other, of GRPO none."""
    error: str | None = None
    """Why there is no prompt."""


def text_of(said: Any) -> str:
    """The text of a completion: a text, or messages of which the assistant's count."""
    if isinstance(said, str):
        return said
    turns = [m for m in said or () if m.get("role", "assistant") == "assistant"]
    return "".join(str(m.get("content") or "") for m in turns)


def render(
    row: Mapping[str, Any], tokenizer: Any, kwargs: Mapping[str, Any] | None = None
) -> Rendered:
    """Render one row.

    Parameters
    ----------
    row : mapping
        ``prompt`` with ``completion``, or with ``chosen`` and ``rejected``, or alone; where there
        are token ids and labels, these stand. A prompt that is a text is whole: no token of
        beginning is put before it.
    tokenizer : transformers.PreTrainedTokenizerBase
    kwargs : mapping, optional
        Variables of the chat template; the row's own ``chat_template_kwargs`` go before them.
    """
    prompt = row.get("prompt") or ""
    said = [row[name] for name in ("completion", "chosen", "rejected") if row.get(name)]
    if row.get("input_ids") is not None or row.get("prompt_ids") is not None:
        return _tokens(row, tokenizer)
    if isinstance(prompt, str):
        return _texts(prompt, [text_of(each) for each in said], tokenizer)
    variables = {**(kwargs or {}), **(row.get("chat_template_kwargs") or {})}
    try:
        return _turns(list(prompt), said, tokenizer, variables)
    except Exception as error:  # a template raises what it likes
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        return Rendered(None, [], (), reason)


def _tokens(row: Mapping[str, Any], tokenizer: Any) -> Rendered:
    """A row whose tokens are given."""
    prompt = row["prompt"] if isinstance(row.get("prompt"), str) else None
    if row.get("prompt_ids") is not None:
        before = list(row["prompt_ids"])
        sides = [(name, list(row[f"{name}_ids"])) for name in ("chosen", "rejected")]
    else:
        ids = list(row["input_ids"])
        labels = row.get("labels")
        labels = ids if labels is None else labels
        first = next((at for at, label in enumerate(labels) if label != _IGNORED), len(ids))
        before, sides = ids[:first], [("completion", ids[first:])]
    trained = tuple(
        Trained(text_of(row.get(name)), tokenizer.decode(own), own, before) for name, own in sides
    )
    return Rendered(tokenizer.decode(before) if prompt is None else prompt, before, trained)


def _texts(prompt: str, said: Sequence[str], tokenizer: Any) -> Rendered:
    ids = _plain(prompt, tokenizer)
    end = tokenizer.eos_token or ""
    trained = []
    for text in said:
        ended = text if not end or text.endswith(end) else text + end
        trained.append(_trained(text, ids, _plain(prompt + ended, tokenizer), tokenizer))
    return Rendered(prompt, ids, tuple(trained))


def _plain(text: str, tokenizer: Any) -> list[int]:
    return list(tokenizer(text=text, add_special_tokens=False, verbose=False)["input_ids"])


def _turns(
    prompt: list[Any], said: Sequence[Any], tokenizer: Any, variables: Mapping[str, Any]
) -> Rendered:
    begun = {"add_generation_prompt": True, **variables}  # TRL asks so whatever the last turn is
    text = tokenizer.apply_chat_template(prompt, tokenize=False, **begun)
    ids = _ids(tokenizer, prompt, **begun)
    trained = []
    for each in said:
        turns = [{"role": "assistant", "content": each}] if isinstance(each, str) else list(each)
        whole = _ids(tokenizer, [*prompt, *turns], **variables)
        trained.append(_trained(text_of(each), ids, whole, tokenizer))
    return Rendered(text, ids, tuple(trained))


def _ids(tokenizer: Any, messages: list[Any], **variables: Any) -> list[int]:
    made = tokenizer.apply_chat_template(messages, tokenize=True, return_dict=True, **variables)
    return list(made["input_ids"])


def _trained(wanted: str, prompt: list[int], whole: list[int], tokenizer: Any) -> Trained:
    common = next(
        (at for at, (a, b) in enumerate(zip(prompt, whole, strict=False)) if a != b),
        min(len(prompt), len(whole)),
    )
    ids = whole[common:]
    lost = tokenizer.decode(prompt[common:]) if common < len(prompt) else ""
    return Trained(wanted, tokenizer.decode(ids), ids, whole[:common], lost)
