"""`viva diff-config`: what differs between the settings of two runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from viva.cli._options import Form, Printed

__all__ = ["command"]

_PARTS = {
    "identity": "settings",
    "prefill": "settings",
    "samples": "settings",
    "limit": "settings",
    "items": "items",
    "operation": "operation",
    "versions": "versions",
    "git": "versions",
}
"""Part of a manifest -> what it is shown under, in the order of showing."""
_LONGEST = 160
_LARGEST = 50_000
"""Characters of a text of which lines are compared."""


def command(
    a: Annotated[Path, typer.Argument(metavar="A", help="A run folder.", show_default=False)],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another.", show_default=False)],
    format: Printed = Form.TABLE,  # noqa: A002
) -> None:
    """Say what differs between the settings of two runs: first what identifies them.

    Exit code 0, whether or not something differs.

    Examples
    --------
        viva diff-config runs/base runs/tuned

        viva diff-config runs/base runs/tuned --format json
    """
    from rich.console import Console

    from viva.formats.run import read_manifest
    from viva.runs import differences

    found = [
        (_PARTS.get(path.partition(".")[0], "other"), path.removeprefix("identity."), one, other)
        for path, one, other in differences(read_manifest(a), read_manifest(b))
    ]
    if format is Form.JSON:
        rows = [dict(zip(("kind", "setting", "a", "b"), row, strict=True)) for row in found]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    _show(found, str(a), str(b), Console())


def _value(value: Any) -> str:
    """A value on one line, bounded."""
    from viva.report import clean

    if value is None:
        return "–"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return " ".join(clean(text, _LONGEST).split())


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and "\n" in value


def _show(found: list[tuple[str, str, Any, Any]], a: str, b: str, console: Any) -> None:
    """A table for each kind; of long texts only the lines that differ."""
    from rich.text import Text

    from viva.report import plain_table

    if not found:
        console.print("Same settings.")
        return
    texts = [row for row in found if _is_text(row[2]) and _is_text(row[3])]
    for kind in dict.fromkeys([*_PARTS.values(), "other"]):
        rows = [row for row in found if row[0] == kind and row not in texts]
        if not rows:
            continue
        table = plain_table()
        table.add_column(kind, overflow="fold", max_width=34)
        table.add_column(_value(a), overflow="fold")
        table.add_column(_value(b), overflow="fold")
        for _, name, one, other in rows:
            table.add_row(Text(_value(name)), Text(_value(one)), Text(_value(other)))
        console.print(table)
        console.print()
    for _, name, one, other in texts:
        console.print(Text(f"{name}: lines of A (-) and of B (+)", style="bold"))
        for line in _lines(one, other):
            console.print(Text(line), soft_wrap=True)
        console.print()
    if not any(row[0] in ("settings", "items") for row in found):
        console.print("The runs asked the same of the same model in the same way.")


def _lines(one: str, other: str) -> list[str]:
    """The lines that differ, with one line around each place."""
    import difflib

    from viva.report import clean

    before, after = (text[:_LARGEST].splitlines() for text in (one, other))
    differing = list(difflib.unified_diff(before, after, n=1, lineterm=""))[2:]
    return [clean(line, 500) for line in differing]
