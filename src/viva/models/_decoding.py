"""Rows of one batch through the model: what each has produced, when it is finished."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch

from viva.models._caches import empty_cache, join_caches
from viva.models._drawing import Drawing, Rule

__all__ = ["Held", "Row", "decode", "join"]


@dataclass(eq=False)
class Row:
    """One request on its way through the model."""

    prompt: list[int]
    """Token ids, the prefix included."""
    limit: int
    """Most tokens to generate, at least 1."""
    rule: Rule = field(default_factory=Rule)
    ends: frozenset[int] = frozenset()
    """Tokens that end the turn."""
    full: bool = False
    """The limit is the end of the model's context."""
    stopped: Callable[[list[int]], bool] | None = None
    """Whether the tokens so far hold a text that ends the completion."""
    produced: list[int] = field(default_factory=list)
    """Token ids generated, the one that ended the turn included."""
    logprobs: list[tuple[list[float], list[int]]] = field(default_factory=list)
    """For each token, log-probabilities and ids of candidates, likeliest first."""
    finish: str | None = None
    future: Future[Row] = field(default_factory=Future)
    generator: Any = None

    @property
    def cost(self) -> int:
        """Tokens it may come to hold."""
        return len(self.prompt) + self.limit

    @property
    def length(self) -> int:
        """Tokens it holds now."""
        return len(self.prompt) + len(self.produced)

    def restart(self) -> None:
        """Forget what was generated: the same seed will bring it again."""
        self.produced, self.logprobs, self.generator = [], [], None

    def take(self, token: int, noted: tuple[list[float], list[int]] | None) -> bool:
        """Add a token; whether it is the last."""
        self.produced.append(token)
        if self.rule.top_logprobs and noted:
            self.logprobs.append(
                (noted[0][: self.rule.top_logprobs], noted[1][: self.rule.top_logprobs])
            )
        if token in self.ends or (self.stopped is not None and self.stopped(self.produced)):
            self.finish = "stop"
        elif len(self.produced) >= self.limit:
            self.finish = "length"
        elif self.future.cancelled():
            self.finish = "cancelled"
        return self.finish is not None


def decode(
    model: Any,
    rows: Sequence[Row],
    *,
    padding: int,
    done: Callable[[Row], None] = lambda _: None,
    leave: Callable[[int, int], bool] = lambda _finished, _rows: False,
    cache: Any = None,
) -> Any:
    """Generate until every row is finished, or until ``leave`` says that the batch is broken up.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        Its ``generate`` does the decoding.
    rows : sequence of Row
        At least one; rows begun in another batch go on. Filled in place.
    padding : int
        Id written to the left of shorter rows; masked.
    done : callable
        Called with each row when it is finished.
    leave : callable
        Called after each step with the number of rows finished so far and the number of rows.
    cache : transformers.Cache, optional
        Of these rows, with all their tokens but the last; by default they are read anew.

    Returns
    -------
    transformers.Cache or None
        With all tokens of the rows but the last; None where rows cannot be taken out of it.
    """
    from transformers import GenerationConfig

    device = model.device
    known = [row.prompt + row.produced for row in rows]
    width = max(map(len, known))
    ids = torch.tensor([[padding] * (width - len(k)) + k for k in known], device=device)
    mask = torch.tensor([[0] * (width - len(k)) + [1] * len(k) for k in known], device=device)
    for row in rows:
        if row.generator is None and row.rule.temperature > 0:
            row.generator = torch.Generator(device).manual_seed(row.rule.seed)
    drawing = Drawing([row.rule for row in rows], [row.generator for row in rows], ids, mask)
    finished = 0

    def watch(input_ids: Any, _scores: Any, **_: Any) -> Any:
        nonlocal finished
        over = torch.ones(len(rows), dtype=torch.bool, device=input_ids.device)
        if drawing.stopped:
            return over
        tokens = input_ids[:, -1].tolist()
        noted: list[tuple[list[float], list[int]] | None] = [None] * len(rows)
        if drawing.noted is not None:
            noted = list(zip(*(part.tolist() for part in drawing.noted), strict=True))
        overrun = False
        for row, token, candidates in zip(rows, tokens, noted, strict=True):
            if row.finish is None and row.take(token, candidates):
                finished += 1
                # Its place in the batch would go on past the last position there is.
                overrun |= row.full and row.finish == "length"
                done(row)
        if finished == len(rows) or overrun or leave(finished, len(rows)):
            drawing.stopped = True
            return over
        return ~over

    settings = GenerationConfig(
        do_sample=False,
        max_new_tokens=max(row.limit - len(row.produced) for row in rows),
        pad_token_id=padding,
        use_cache=True,
    )
    cache = empty_cache(model) if cache is None else cache
    kept = {} if cache is None else {"past_key_values": cache}
    with torch.inference_mode():
        model.generate(
            input_ids=ids,
            attention_mask=mask,
            generation_config=settings,
            logits_processor=[drawing],
            stopping_criteria=[watch],
            **kept,
        )
    return cache


class Held(NamedTuple):
    """Rows under way and what the cache has of them."""

    rows: list[Row]
    cache: Any = None

    @property
    def live(self) -> list[Row]:
        """Rows that are not finished."""
        return [row for row in self.rows if row.finish is None]


def join(model: Any, parts: Sequence[Held]) -> Held:
    """The rows of several batches that are not finished, as one batch."""
    parts = [part for part in parts if part.live]
    rows = [row for part in parts for row in part.live]
    if not rows or any(part.cache is None for part in parts):
        return Held(rows)
    taken = [
        (
            part.cache,
            [i for i, row in enumerate(part.rows) if row.finish is None],
            max(row.length for row in part.live) - 1,
        )
        for part in parts
    ]
    width = max(columns for _, _, columns in taken)
    return Held(rows, join_caches(model, taken, width))
