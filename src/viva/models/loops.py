"""Asynchronous work from ordinary code, also inside a notebook."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

__all__ = ["run_to_end"]

_Found = TypeVar("_Found")


def run_to_end(
    work: Coroutine[Any, Any, _Found], *, interrupted: Callable[[], bool] | None = None
) -> _Found:
    """Run in an event loop of its own; where one runs already (a notebook), in a thread.

    Parameters
    ----------
    work : coroutine
        What is run, to its end.
    interrupted : callable, optional
        Told of Ctrl-C while the work is in a thread: whether it stops the work by itself. Where
        it does not, the interrupt is raised here.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        future = pool.submit(asyncio.run, work)
        while True:
            try:
                return future.result()
            except KeyboardInterrupt:
                if interrupted is None or not interrupted():
                    raise
