"""`viva doctor`: what is installed, and does it work."""

from __future__ import annotations

import importlib
import platform
import sys
from collections.abc import Callable
from importlib import metadata

import typer

__all__ = ["command"]

PACKAGES: dict[str, tuple[str, ...]] = {
    "core": (
        "numpy", "scipy", "scikit-learn", "polars", "pydantic", "jinja2", "typer", "rich",
        "aiohttp", "filelock",
    ),
    "hf": ("torch", "transformers", "sentence-transformers"),
    "inspect": ("inspect-ai",),
}  # fmt: skip


def _sample() -> str:
    from viva import benchmarks

    items = benchmarks.bundled().items.height
    answers = benchmarks.bundled_answers().responses.height
    return f"{items:,} items and {answers:,} answers"


def _reader() -> str:
    from viva.answers import read

    reading = read("A is tempting, but the answer is (B).", options=["aspirin", "heparin"])
    if reading.value != "B":
        raise RuntimeError(f"read {reading.value!r} where B was meant")
    return "reads"


def _splitter() -> str:
    from viva import strata
    from viva.records import Choice, Item, items_frame

    item = Item("doctor", "1", "Which vitamin is fat-soluble?", ("A", "B12"), Choice(0))
    p = strata.predict(items_frame([item]))["p_reasoning"][0]
    if not 0 <= p <= 1:
        raise RuntimeError(f"p_reasoning is {p}")
    return f"splits (p_reasoning {p:.2f} for a question of recall)"


def _torch_device() -> str:
    torch = importlib.import_module("torch")
    return "CUDA " + torch.version.cuda if torch.cuda.is_available() else "CPU only"


CHECKS: dict[str, Callable[[], str]] = {
    "bundled sample": _sample,
    "reader": _reader,
    "splitter": _splitter,
}


def command() -> None:
    """Say what is installed and whether it works. Exit code 1 if something needed does not.

    Example:

        viva doctor
    """
    from rich.console import Console
    from rich.table import Table

    from viva._version import __version__

    console = Console()
    console.print(
        f"viva {__version__}, Python {sys.version.split()[0]}, {platform.platform()}",
        highlight=False,
    )
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("what", "state", "note"):
        table.add_column(heading)
    failed = False
    for extra, packages in PACKAGES.items():
        for package in packages:
            try:
                table.add_row(package, "[green]ok[/]", metadata.version(package))
            except metadata.PackageNotFoundError:
                failed |= extra == "core"
                mend = "pip install vivavoce" + ("" if extra == "core" else f"[{extra}]")
                state = "[red]missing[/]" if extra == "core" else "absent"
                table.add_row(package, state, mend.replace("[", r"\["))
    checks = dict(CHECKS)
    if _installed("torch"):
        checks["torch device"] = _torch_device
    for name, check in checks.items():
        try:
            table.add_row(name, "[green]ok[/]", check())
        except Exception as error:  # whatever is broken is what the doctor is asked about
            failed = True
            table.add_row(name, "[red]fails[/]", f"{type(error).__name__}: {error}"[:200])
    console.print(table)
    if failed:
        raise typer.Exit(1)


def _installed(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True
