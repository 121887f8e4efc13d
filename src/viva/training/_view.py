"""How far a training is, on standard error: live at a terminal, a plain line now and then else."""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console, Group

__all__ = ["Progress", "line", "live", "sparkline"]

_PER_SECOND = 4
_PLAIN_EVERY = 30.0
"""Seconds between lines where there is no terminal."""
_RECENT = 50
"""Steps over which the time that is left is taken."""
_KEPT = 4_096
"""Values of a curve that are kept."""
_BARS = "▁▂▃▄▅▆▇█"
_CURVES = ("loss", "reward")
_SHARES = (("share_unread", "unread"), ("share_none", "no reward"), ("share_equal", "equal groups"),
           ("share_truncated", "cut"))  # fmt: skip


class Progress:
    """The state of a training, for whoever shows it.

    Parameters
    ----------
    title : str
    clock : callable
        Monotonic seconds.
    """

    def __init__(self, title: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.title = title
        self.step = self.total = 0
        self.last: Mapping[str, Any] = {}
        self.curves: dict[str, deque[float]] = {name: deque(maxlen=_KEPT) for name in _CURVES}
        self._clock = clock
        self._seen: deque[tuple[int, float]] = deque(maxlen=_RECENT)

    def begin(self, step: int, total: int) -> None:
        """A training begins, or goes on behind a step."""
        self.step, self.total = step, total
        self._seen.clear()
        self._seen.append((step, self._clock()))

    def stepped(self, step: int) -> None:
        """A step is done."""
        self.step = step
        self._seen.append((step, self._clock()))

    def logged(self, line: Mapping[str, Any]) -> None:
        """A line was written."""
        self.last = line
        for name, values in self.curves.items():
            if line.get(name) is not None:
                values.append(float(line[name]))

    def left(self) -> float | None:
        """Seconds to the last step at the recent pace; None while nothing is known."""
        if len(self._seen) < 2 or not self.total:
            return None
        (first, began), (last, ended) = self._seen[0], self._seen[-1]
        if last <= first or ended <= began:
            return None
        return max(0, self.total - last) * (ended - began) / (last - first)


def sparkline(values: Sequence[float], width: int = 40) -> str:
    """A curve in one line of text, eight heights between its least and greatest value.

    Parameters
    ----------
    values : sequence of float
        More than ``width`` are averaged in equal parts.
    width : int
        Most characters, at least 1.
    """
    n = len(values)
    if n == 0:
        return ""
    if n > width:
        cuts = [round(at * n / width) for at in range(width + 1)]
        values = [sum(values[a:b]) / (b - a) for a, b in pairwise(cuts)]
    low, high = min(values), max(values)
    if high <= low:
        return _BARS[3] * len(values)
    top = len(_BARS) - 1
    return "".join(_BARS[round(top * (v - low) / (high - low))] for v in values)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _numbers(progress: Progress) -> list[str]:
    last = progress.last
    parts = [f"{name} {last[name]:.4g}" for name in _CURVES if last.get(name) is not None]
    parts += [f"{last[key]:.0%} {word}" for key, word in _SHARES if last.get(key) is not None]
    if last.get("tokens_per_second") is not None:
        parts.append(f"{last['tokens_per_second']:,.0f} tokens/s")
    return parts


def line(progress: Progress) -> str:
    """The state of a training in one line of text."""
    left = progress.left()
    parts = [
        f"{progress.title}: step {progress.step:,} of {progress.total:,}",
        *_numbers(progress),
        f"{_clock(left)} left" if left is not None else "time left not known yet",
    ]
    return ", ".join(parts)


@contextmanager
def live(progress: Progress) -> Iterator[None]:
    """Show a training while the block runs.

    At a terminal a bar, the curves of loss and reward and a line of numbers, renewed four times a
    second by a thread of its own; elsewhere one plain line every 30 seconds and one at the end.
    """
    from rich.console import Console

    console = Console(stderr=True)
    if console.is_terminal:
        with _panel(console, progress):
            yield
    else:
        with _lines(sys.stderr, progress):
            yield


@contextmanager
def _lines(stream: TextIO, progress: Progress) -> Iterator[None]:
    over = threading.Event()

    def say() -> None:
        if progress.total:
            stream.write(line(progress) + "\n")
            stream.flush()

    def show() -> None:
        while not over.wait(_PLAIN_EVERY):
            say()

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        say()


def _shown(progress: Progress, width: int) -> Group:
    """What the panel holds at a width."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.text import Text

    rows: list[Any] = [Text(line(progress), no_wrap=True, overflow="ellipsis")]
    for name, values in progress.curves.items():
        if values:
            known = list(values)
            ends = f" {known[0]:.4g} → {known[-1]:.4g}"
            room = max(8, width - len(ends) - 9)
            rows.append(Text(f"{name:<8}{sparkline(known, room)}{ends}", no_wrap=True,
                             overflow="crop"))  # fmt: skip
    rows.append(ProgressBar(total=max(progress.total, 1), completed=progress.step))
    return Group(*rows)


@contextmanager
def _panel(console: Console, progress: Progress) -> Iterator[None]:
    from rich.live import Live

    with Live(
        get_renderable=lambda: _shown(progress, console.width),
        console=console,
        refresh_per_second=_PER_SECOND,
        transient=True,
    ):
        yield
