"""Asynchronous work from ordinary code, alone and inside a running loop."""

from __future__ import annotations

import asyncio

import pytest

from viva.models.loops import run_to_end


async def _work(value):
    await asyncio.sleep(0)
    if isinstance(value, Exception):
        raise value
    return value


async def _in_a_notebook(value):
    return run_to_end(_work(value))


def test_work_is_run_to_its_end_with_and_without_a_loop():
    assert run_to_end(_work(1)) == 1
    assert asyncio.run(_in_a_notebook(2)) == 2
    with pytest.raises(ZeroDivisionError):
        run_to_end(_work(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        asyncio.run(_in_a_notebook(ZeroDivisionError()))
