"""The tokens of a request: the conversation under the model's chat template, and the prefix."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from viva.models.failures import CallFailed, Failure
from viva.models.requests import Message
from viva.models.templates import begun

__all__ = ["Turn", "Turns", "first_stop"]

_CONTEXT = 16
"""Tokens before the completion that are decoded with it, so that its first space is kept."""


class Turn(NamedTuple):
    """What the model reads before it writes."""

    ids: list[int]
    """Token ids: the conversation, the header of the assistant's turn, the prefix."""
    text: str
    """The same as text."""
    way: str
    """``generation prompt``, ``continue_final_message`` or ``generation prompt + prefix``."""


class Turns:
    """Renders, tokenises and decodes for one model.

    Parameters
    ----------
    tokenizer : transformers.PreTrainedTokenizerBase
        With a chat template of its own, or
    chat_template : str, optional
        the source of the one to use in its place.
    ends : set of int
        Tokens that end the assistant's turn.
    """

    def __init__(
        self,
        tokenizer: Any,
        chat_template: str | None = None,
        ends: frozenset[int] = frozenset(),
    ) -> None:
        self.tokenizer = tokenizer
        self.ends = ends
        self._template = {"chat_template": chat_template} if chat_template else {}
        # Rendered by the event loop, decoded by the thread that generates.
        self._lock = threading.Lock()

    def _render(self, messages: list[dict[str, str]], **options: Any) -> str:
        rendered = self.tokenizer.apply_chat_template(
            messages, tokenize=False, **self._template, **options
        )
        return str(rendered)

    def open(
        self,
        messages: Sequence[Message],
        prefix: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Turn:
        """The assistant's turn, opened and begun with the prefix as :func:`begun` says.

        Parameters
        ----------
        messages : sequence of Message
            Ends with a user's turn.
        prefix : str, optional
            With which the assistant's turn begins.
        options : mapping, optional
            Variables of the template, such as ``enable_thinking``.

        Raises
        ------
        CallFailed
            ``REFUSED``: the template does not take these messages, or the prefix ends the turn.
        """
        said = [{"role": message.role, "content": message.content} for message in messages]
        given = dict(options or {})
        with self._lock:
            try:
                text = self._render(said, add_generation_prompt=True, **given)
            except Exception as error:  # whatever a template raises
                detail = f"chat template: {error}"[:300]
                raise CallFailed(Failure.REFUSED, detail) from error
            way = "generation prompt"
            if prefix:
                final = [*said, {"role": "assistant", "content": prefix}]
                try:
                    closed = self._render(final, add_generation_prompt=False, **given)
                except Exception:  # a template that cannot take it says so in its own way
                    closed = ""
                text, way = begun(text, closed, prefix)
            ids = list(self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])
            if prefix and ids and ids[-1] in self.ends:
                raise CallFailed(Failure.REFUSED, "the prefix ends the assistant's turn")
        return Turn(ids, text, way)

    def decode(self, ids: Sequence[int], before: Sequence[int] = ()) -> str:
        """The text of generated tokens; special tokens are left out, ordinary markers kept.

        Parameters
        ----------
        ids : sequence of int
            Generated tokens.
        before : sequence of int
            The prompt, where the text goes on in the middle of a sentence: some tokenizers drop
            the space of the first word they decode.
        """
        with self._lock:
            if before:
                tail = list(before[-_CONTEXT:])
                start, whole = self._text(tail), self._text([*tail, *ids])
                if whole.startswith(start):
                    return whole[len(start) :]
            return self._text(ids)

    def _text(self, ids: Sequence[int]) -> str:
        decoded = self.tokenizer.decode(
            list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return str(decoded)

    def token(self, token: int) -> str:
        """One token as text, with the space it begins with."""
        with self._lock:
            piece = self.tokenizer.convert_ids_to_tokens(token)
            text = str(
                self.tokenizer.decode(
                    [token], skip_special_tokens=False, clean_up_tokenization_spaces=False
                )
            )
        # SentencePiece marks a leading space so; decoding a single token drops it.
        marked = isinstance(piece, str) and piece.startswith("\u2581")
        return f" {text}" if marked and not text.startswith(" ") else text

    def stopping(self, stops: Sequence[str]) -> Any:
        """A function of the tokens so far: does their text hold one of the stops?"""
        if not any(stops):
            return None
        # No token is longer in bytes than its text: so many tokens hold the longest stop.
        reach = max(len(stop.encode("utf-8", "replace")) for stop in stops) + 8

        def stopped(ids: list[int]) -> bool:
            return first_stop(self.decode(ids[-reach:]), stops) is not None and (
                len(ids) <= reach or first_stop(self.decode(ids), stops) is not None
            )

        return stopped


def first_stop(text: str, stops: Sequence[str]) -> int | None:
    """Where the earliest of the stop texts begins."""
    places = [place for stop in stops if stop and (place := text.find(stop)) >= 0]
    return min(places, default=None)
