"""How far a run is, on standard error: live at a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console

    from viva.runs.counts import Counts

__all__ = ["Pace", "line", "live"]

_PER_SECOND = 4
_PLAIN_EVERY = 30.0
"""Seconds between lines where there is no terminal."""
_RECENT = 60.0
"""Seconds over which the rate is taken: what is left depends on how fast it goes now."""


class Pace:
    """The recent rate of a run.

    Parameters
    ----------
    counts : Counts
        What is looked at each time; monotonic seconds, so that a clock that jumps changes nothing.
    """

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._seen: deque[tuple[float, int, int]] = deque()

    def look(self, at: float) -> tuple[float, float | None]:
        """Take a sample.

        Parameters
        ----------
        at : float
            Monotonic seconds.

        Returns
        -------
        tokens : float
            Output tokens a second, recently.
        left : float or None
            Seconds until all is done at the recent rate; None while nothing is known.
        """
        counts = self._counts
        settled = counts.done + counts.failed
        self._seen.append((at, settled, counts.output_tokens))
        while len(self._seen) > 2 and self._seen[0][0] < at - _RECENT:
            self._seen.popleft()
        then, settled_then, tokens_then = self._seen[0]
        passed = at - then
        if passed <= 0:
            return 0.0, None
        rate = (settled - settled_then) / passed
        left = (counts.planned - settled) / rate if rate > 0 else None
        return (counts.output_tokens - tokens_then) / passed, left


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def line(counts: Counts, title: str, tokens: float, left: float | None) -> str:
    """The state of a run in one line of text."""
    parts = [
        f"{title}: {counts.done + counts.failed:,} of {counts.planned:,}",
        f"{counts.failed:,} failed",
        f"{counts.in_flight:,} in flight",
        f"{tokens:,.0f} tokens/s",
    ]
    if counts.retries:
        parts.append(f"{counts.retries:,} retries")
    if counts.priced:
        parts.append(f"cost {counts.cost:,.2f}")
    parts.append(f"{_clock(left)} left" if left is not None else "time left not known yet")
    return ", ".join(parts)


@contextmanager
def live(counts: Counts, title: str) -> Iterator[None]:
    """Show a run while the block runs.

    At a terminal a bar and a line, renewed four times a second by a thread of its own: a call
    costs nothing. Elsewhere one plain line every 30 seconds.

    Parameters
    ----------
    counts : Counts
        What the engine keeps up to date.
    title : str
        The model's name.
    """
    from rich.console import Console

    console = Console(stderr=True)
    if console.is_terminal:
        with _bar(console, counts, title):
            yield
    else:
        with _lines(sys.stderr, counts, title):
            yield


@contextmanager
def _lines(stream: TextIO, counts: Counts, title: str) -> Iterator[None]:
    pace, over = Pace(counts), threading.Event()
    pace.look(time.monotonic())

    def show() -> None:
        while not over.wait(_PLAIN_EVERY):
            stream.write(line(counts, title, *pace.look(time.monotonic())) + "\n")
            stream.flush()

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def _bar(console: Console, counts: Counts, title: str) -> Iterator[None]:
    from rich.console import Group
    from rich.live import Live
    from rich.progress_bar import ProgressBar
    from rich.text import Text

    pace = Pace(counts)

    def shown() -> Group:
        text = line(counts, title, *pace.look(time.monotonic()))
        bar = ProgressBar(total=max(counts.planned, 1), completed=counts.done + counts.failed)
        return Group(Text(text, no_wrap=True, overflow="ellipsis"), bar)

    with Live(
        get_renderable=shown, console=console, refresh_per_second=_PER_SECOND, transient=True
    ):
        yield
