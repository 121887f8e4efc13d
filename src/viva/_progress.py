"""Progress on standard error: a bar at a terminal, nothing elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

__all__ = ["Advance", "Progress", "bars", "silent"]

Advance = Callable[[int], None]
"""Say that so many more steps are done."""

Progress = Callable[[str, int | None], AbstractContextManager[Advance]]
"""``with progress(description, total) as advance: ... advance(1)``."""


@contextmanager
def silent(_description: str, _total: int | None = None) -> Iterator[Advance]:
    """Show nothing."""
    yield lambda _: None


@contextmanager
def bars(description: str, total: int | None = None) -> Iterator[Advance]:
    """Show a bar while the block runs; it is gone afterwards. Quiet when not at a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    console = Console(stderr=True)
    columns = [
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    ]
    with RichProgress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task(description, total=total)
        yield lambda steps: progress.advance(task, steps)
