"""Every block of code in the documentation runs, and shows what it says it shows.

A block that cannot run here is preceded by ``<!-- skip: next "why" -->``. In a ``console`` block
the lines after ``$`` are run in an empty folder and must succeed; lines below a command, where
there are any, must be what it prints, ``...`` standing for anything.
"""

from __future__ import annotations

import contextlib
import doctest
import os
import re
import signal
import subprocess
import sys
import textwrap
import unittest
from pathlib import Path

import pytest
from sybil import Example, Sybil
from sybil.example import SybilFailure
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser, SkipParser

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
GENERATED = {
    "benchmarks.md",
    "cli.md",
    "extending.md",
    "papers.md",
    "probe_samples.md",
    "recipes.md",
    "reference.md",
}
"""Made from the code by tools/build_docs.py, whose own check covers them."""

NEEDED = {"asking.md": "fastapi"}
"""Pages whose blocks need an extra: skipped, visibly, where this module of it is not installed."""
LINKED = ("tests", "tools")
"""Folders of the checkout that blocks may use by their relative path."""

CHECKER = doctest.OutputChecker()
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def commands(block: str) -> list[tuple[str, str]]:
    """The commands of a console block, each with the output shown below it."""
    parts = re.split(r"(?m)^\$ ", textwrap.dedent(block))
    assert not parts[0].strip(), "a console block starts with a command: $ ..."
    found = []
    for part in parts[1:]:
        lines = part.splitlines()
        last = next(i for i, line in enumerate(lines) if not line.endswith("\\"))
        found.append(("\n".join(lines[: last + 1]), "\n".join(lines[last + 1 :]).strip()))
    return found


def run_console(example: Example) -> None:
    """Run the commands of one block with this interpreter's scripts first on the path."""
    scripts = str(Path(sys.executable).parent)
    environment = os.environ | {
        "PATH": scripts + os.pathsep + os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "src"),
        "COLUMNS": "100",
    }
    for command, expected in commands(str(example.parsed)):
        done = subprocess.run(
            command, shell=True, capture_output=True, text=True, env=environment, timeout=300
        )
        assert done.returncode == 0, f"$ {command}\n{done.stdout}{done.stderr}"
        if expected:
            printed = done.stdout + done.stderr
            assert CHECKER.check_output(expected + "\n", printed, FLAGS), (
                f"$ {command}\nshown:\n{expected}\nprinted:\n{printed}"
            )


SYBIL = Sybil(
    parsers=[SkipParser(), PythonCodeBlockParser(), CodeBlockParser("console", run_console)],
    path=str(ROOT),
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_runs(page, tmp_path, monkeypatch):
    if page.name in GENERATED:
        return
    if page.name in NEEDED:
        pytest.importorskip(NEEDED[page.name], reason=f"the extra that {page.name} uses")
    monkeypatch.chdir(tmp_path)
    for name in LINKED:
        (tmp_path / name).symlink_to(ROOT / name)
    document = SYBIL.parse(page)
    try:
        for example in document.examples():
            try:
                example.evaluate()
            except unittest.SkipTest as reason:
                assert str(reason).strip(), f"{page.name}:{example.line}: skipped without a reason"
    finally:
        for left in tmp_path.glob("*.pid"):  # a server that a page starts and that outlived it
            with contextlib.suppress(ProcessLookupError, ValueError):
                os.kill(int(left.read_text()), signal.SIGTERM)


def test_console_blocks_are_taken_apart():
    block = "$ viva --version\nviva 1\n$ viva audit \\\n    a.jsonl\n"
    assert commands(block) == [("viva --version", "viva 1"), ("viva audit \\\n    a.jsonl", "")]


def test_a_wrong_block_is_found(tmp_path):
    """The harness itself: a page whose block fails must fail."""
    page = tmp_path / "page.md"
    for block in (
        "```python\nassert 1 == 2\n```\n",
        "```python\n>>> 1 + 1\n3\n```\n",
        "```console\n$ exit 3\n```\n",
        "```console\n$ echo one\ntwo\n```\n",
    ):
        page.write_text(block)
        with pytest.raises((AssertionError, SybilFailure)):
            for example in SYBIL.parse(page).examples():
                example.evaluate()
    page.write_text("```console\n$ echo one two three\none ... three\n```\n")
    for example in SYBIL.parse(page).examples():
        example.evaluate()
