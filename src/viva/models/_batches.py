"""Rows that are generated together: who shares a batch, when a row leaves it, who takes its place.

Requests wait in a line; one thread decodes. What waits is ordered by length, longest first: rows
of a batch need little padding, a batch too large for the memory fails at the start rather than
hours later, and a run ends with short rows. Each such window is finished before requests that
came later are looked at, so that none waits for ever. When half of a batch is done, the other
half goes on in a new batch with rows that wait (their own tokens are read again, which costs one
pass); without that a batch would take as long as its longest answer.
"""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import torch

from viva.models._drawing import Drawing, Rule
from viva.models.failures import CallFailed, Failure

__all__ = ["Batches", "Row", "decode"]

LINGER, LONGEST_LINGER = 0.004, 0.05
"""Seconds without a new request after which a batch starts, and the most it waits for others."""

WINDOWS = 4
"""Batches' worth of requests that are ordered by length together."""


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
) -> None:
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
    with torch.inference_mode():
        model.generate(
            input_ids=ids,
            attention_mask=mask,
            generation_config=settings,
            logits_processor=[drawing],
            stopping_criteria=[watch],
        )


def _out_of_memory(error: BaseException) -> bool:
    if isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)):
        return True
    said = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "out of memory" in said or "can't allocate memory" in said or "not enough memory" in said
    )


class Batches:
    """A line of rows and the thread that decodes them.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        In evaluation mode, on its device.
    padding : int
        Id of the padding token.
    size : int
        Most rows of a batch.
    tokens : int
        Most tokens that the rows of a batch may come to hold, padding included.
    """

    def __init__(self, model: Any, *, padding: int, size: int, tokens: int) -> None:
        self.size = size
        self.tokens = tokens
        self._model = model
        self._padding = padding
        # A row that is done costs a CPU as much as one that is not; a GPU waits for the others.
        self._shrinks = model.device.type == "cpu"
        self._arrived: list[Row] = []
        self._window: list[Row] = []
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def submit(self, row: Row) -> Future[Row]:
        """Put a row in the line; its future gives it back when it is finished.

        Raises
        ------
        CallFailed
            The back-end has been closed.
        """
        with self._changed:
            if self._closed:
                raise CallFailed(Failure.STOPPED, "the model is closed")
            self._arrived.append(row)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="viva-hf", daemon=True)
                self._thread.start()
            self._changed.notify()
        return row.future

    def close(self) -> None:
        """Stop after the step in hand; rows that are not finished fail with ``STOPPED``."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
        self._model = None

    def _wait(self) -> None:
        """Until rows are there, and then until there are plenty or they stop coming."""
        with self._changed:
            while not self._arrived and not self._closed:
                self._changed.wait()
            latest = time.monotonic() + LONGEST_LINGER
            count = 0
            while count < len(self._arrived) < WINDOWS * self.size and not self._closed:
                count = len(self._arrived)
                until = min(latest, time.monotonic() + LINGER)
                while len(self._arrived) == count and (left := until - time.monotonic()) > 0:
                    self._changed.wait(left)

    def _next(self, live: list[Row]) -> list[Row]:
        """The rows of the next batch: those already begun, and as many others as have room."""
        if not live and not self._window:
            self._wait()
        batch: list[Row] = []
        most = 0

        def fits(row: Row) -> bool:
            widest = max(most, row.cost)
            return not batch or (
                len(batch) < self.size and widest * (len(batch) + 1) <= self.tokens
            )

        for i, row in enumerate(live):
            if not fits(row):
                # Only after memory ran out: they come first in the next batch.
                self._window = live[i:] + self._window
                return batch
            batch.append(row)
            most = max(most, row.cost)
        while len(batch) < self.size:
            if not self._window:
                with self._changed:
                    self._window, self._arrived = self._arrived, []
                self._window.sort(key=lambda row: row.cost, reverse=True)
            if not self._window or not fits(self._window[0]):
                break
            row = self._window.pop(0)
            if row.future.cancelled():
                continue
            batch.append(row)
            most = max(most, row.cost)
        return batch

    def _leave(self, finished: int, rows: int) -> bool:
        if self._closed:
            return True
        waiting = bool(self._window or self._arrived)
        return 2 * finished >= rows and (waiting or (self._shrinks and rows >= 4))

    def _work(self) -> None:
        live: list[Row] = []
        while not self._closed:
            batch = self._next(live)
            live = []
            if not batch:
                continue
            try:
                decode(self._model, batch, padding=self._padding, done=_deliver, leave=self._leave)
                live = [row for row in batch if row.finish is None]
            except Exception as error:
                unfinished = [row for row in batch if row.finish is None]
                if _out_of_memory(error):
                    live = self._smaller(unfinished, len(batch))
                else:
                    said = f"{type(error).__name__}: {error}"[:300]
                    for row in unfinished:
                        _fail(row, CallFailed(Failure.SERVER_ERROR, said))
        with self._changed:
            left = [*live, *self._window, *self._arrived]
            self._window, self._arrived = [], []
        for row in left:
            _fail(row, CallFailed(Failure.STOPPED, "the model was closed"))

    def _smaller(self, rows: list[Row], size: int) -> list[Row]:
        """Memory ran out: half of the rows at once from here on, each from its start."""
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        if size == 1:
            for row in rows:
                _fail(row, CallFailed(Failure.CONTEXT, f"no memory for {row.cost:,} tokens"))
            return []
        self.tokens = max(row.cost for row in rows) * (size // 2)
        for row in rows:
            row.restart()
        return rows


def _deliver(row: Row) -> None:
    if row.future.set_running_or_notify_cancel():
        row.future.set_result(row)


def _fail(row: Row, error: CallFailed) -> None:
    if row.future.set_running_or_notify_cancel():
        row.future.set_exception(error)
