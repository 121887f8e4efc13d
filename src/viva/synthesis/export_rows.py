"""Examples as conversations, before a trainer's format is put on them.

The prompt is the conversation that a method of evaluation would send for the item: what is trained
is asked as it will be examined.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from viva import methods
from viva.errors import InputError
from viva.models import CallFailed, Completion, Failure, Message, Request
from viva.models.loops import run_to_end
from viva.records import Item
from viva.synthesis.example import Example

if TYPE_CHECKING:
    from viva.models.templates import ChatTemplate

__all__ = ["CONTENTS", "Row", "RowsMade", "requests_of", "rows_to_export"]

CONTENTS = ("sft", "dpo", "rl")
"""What is trained on rows: completions, pairs, prompts whose answers are rewarded."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of an export."""

    example: Example
    messages: tuple[Message, ...]
    """The conversation, up to the user's turn."""
    prompt: str | None = None
    """The same under a chat template with the start behind it, where there is a template."""
    end: str = ""
    """With which the template ends the turn of the assistant."""
    bos: str = ""
    """The token of beginning that the prompt begins with."""
    eos: str = ""
    """The token that ends a text."""
    space: str = ""
    """White space at the end of the start, which belongs to the next word: most tokenizers write
    it so, and a prompt that ends in it is not the beginning of the whole."""

    @property
    def id(self) -> str:
        """Benchmark, item and number."""
        item = self.example.item
        return f"{item.benchmark}/{item.item_id}/{self.example.number}"


class RowsMade(NamedTuple):
    """Rows, and what made none."""

    rows: list[Row]
    content: str
    """One of :data:`CONTENTS`."""
    left_out: Mapping[str, int]
    """Examples that make no row, by reason."""


def rows_to_export(
    examples: Sequence[Example],
    *,
    content: str | None = None,
    method: str = "cot",
    parameters: Mapping[str, Any] | None = None,
    prompt: str | None = None,
    template: ChatTemplate | None = None,
) -> RowsMade:
    """Examples as conversations.

    Parameters
    ----------
    examples : sequence of Example
    content : {"sft", "dpo", "rl"}, optional
        By default pairs where all are pairs, completions where all have one, prompts where none
        has one. Of prompts each is taken once, with its start.
    method : str
        A name of :data:`viva.methods.METHODS` that asks with one call.
    parameters : mapping, optional
        Of the method.
    prompt : str, optional
        A prompt's name, or the path of a file.
    template : ChatTemplate, optional
        Renders the conversation as text.

    Raises
    ------
    InputError
        Examples of several kinds and no ``content``; none that makes a row; a method that asks
        with several calls.
    """
    content = _content(examples, content)
    left_out: Counter[str] = Counter()
    rows: list[Row] = []
    seen: set[tuple[str, str, str]] = set()
    requests = requests_of([each.item for each in examples], method, parameters or {}, prompt)
    for example, request in zip(examples, requests, strict=True):
        reason = _lacks(example, content)
        if reason is None and isinstance(request, InputError):
            reason = request.what
        if reason is None and content == "rl":
            key = (example.item.benchmark, example.item.item_id, example.start)
            reason = "the same prompt again" if key in seen else None
            seen.add(key)
        if reason is not None:
            left_out[reason] += 1
            continue
        assert isinstance(request, Request)
        rows.append(_row(example, request.messages, template))
    if not rows:
        why = ", ".join(f"{n} {reason}" for reason, n in left_out.most_common())
        raise InputError(
            f"no example makes a row of {content} ({why or 'there are none'})",
            mend="Run the steps that write completions or pairs first, or give another content",
        )
    return RowsMade(rows, content, dict(sorted(left_out.items())))


def _content(examples: Sequence[Example], given: str | None) -> str:
    if given is not None:
        if given not in CONTENTS:
            raise InputError(f"no content {given!r}", mend=f"Give one of {', '.join(CONTENTS)}")
        return given
    counts = Counter(
        "dpo" if e.rejected is not None else "rl" if e.completion is None else "sft"
        for e in examples
    )
    if len(counts) > 1:
        told = ", ".join(f"{n:,} {_WORDS[kind]}" for kind, n in counts.most_common())
        raise InputError(
            f"examples of several kinds ({told})", mend="Say which: --content sft, dpo or rl"
        )
    return next(iter(counts), "rl")


_WORDS = {"sft": "with a completion", "dpo": "with a pair", "rl": "without a completion"}


def _lacks(example: Example, content: str) -> str | None:
    """Why an example makes no row, before its prompt is looked at."""
    if content != "rl" and not example.completion:
        return "no completion"
    if content == "dpo" and not example.rejected:
        return "no rejected completion"
    if content == "rl" and example.item.target is None:
        return "no target to reward"
    return "images, audio or video" if example.item.media else None


class _Asked:
    """A client that keeps the request and answers nothing."""

    def __init__(self) -> None:
        self.request: Request | None = None

    async def generate(self, request: Request) -> Completion:
        self.request = request
        raise CallFailed(Failure.REFUSED, "asked for the sake of the prompt")


def requests_of(
    items: Sequence[Item], method: str, parameters: Mapping[str, Any], prompt: str | None
) -> list[Request | InputError]:
    """What a method would send for each item, or why it would not; nothing is sent.

    Raises
    ------
    InputError
        No such method, parameter or prompt.
    """
    methods.check_starts(method)
    ask = methods.find_method(method).ask
    given = methods.set_parameters(method, parameters)
    methods.prepare(method, given)
    chosen = methods.load_prompt(prompt) if prompt else methods.default_prompt(method, given)

    async def one(item: Item) -> Request | InputError:
        client = _Asked()
        try:
            await ask(item, client, prompt=chosen, **given)
        except InputError as error:
            return error
        except CallFailed as error:
            return client.request or InputError(str(error))
        return InputError("the method asks nothing")

    async def everything() -> list[Request | InputError]:
        return [await one(item) for item in items]

    return run_to_end(everything())


_MARK = "Viva"


def _row(example: Example, messages: tuple[Message, ...], template: ChatTemplate | None) -> Row:
    if template is None:
        return Row(example, messages)
    try:
        start = example.start.rstrip(" ")
        text = template.prompt(messages, start or None)
        turns = [Message("user", "?"), Message("assistant", _MARK)]
        closed = template._rendered(turns, None, add_generation_prompt=False)
    except CallFailed as error:
        raise InputError(
            f"a prompt cannot be written ({error})", where=template.where, mend="Mend the template"
        ) from None
    tokens = template.tokens
    return Row(
        example, messages, text, closed.rpartition(_MARK)[2].rstrip(),
        tokens.get("bos_token", ""), tokens.get("eos_token", ""), example.start[len(start) :],
    )  # fmt: skip
