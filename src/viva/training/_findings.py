"""What a check before training finds, its file, and its table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from viva._files import written
from viva.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["LEVELS", "Finding", "Level", "accepted", "refuse", "shown", "write_findings"]

Level = Literal["ok", "warn", "refuse"]

LEVELS: tuple[Level, ...] = get_args(Level)
"""``ok``; ``warn``: it trains, and may disappoint; ``refuse``: it would learn nothing, or something
else than what is asked for."""

_COLOURS = {"ok": "green", "warn": "yellow", "refuse": "bold red"}
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    check: str
    """Its name, of :data:`viva.training.preflight.CHECKS`."""
    level: Level
    value: float | int | str | None
    """The number that decided, in the unit that ``what`` says; shares are fractions 0..1."""
    what: str
    """One sentence without a final stop."""
    mend: str | None = None
    """What to do about it."""

    @property
    def ok(self) -> bool:
        """Whether training may begin."""
        return self.level != "refuse"


def accepted(findings: Iterable[Finding], names: Iterable[str]) -> list[Finding]:
    """The findings, with refusals of the checks that were named made warnings that say so."""
    named = frozenset(names)
    return [
        replace(found, level="warn", what=f"{found.what} (accepted)")
        if found.level == "refuse" and found.check in named
        else found
        for found in findings
    ]


def refuse(findings: Sequence[Finding], *, where: str | None = None) -> None:
    """Stop before the first step where a finding says so.

    Raises
    ------
    InputError
        The first refusal with its mend, and how many more there are.
    """
    found = [each for each in findings if not each.ok]
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise InputError(f"{found[0].check}: {found[0].what}{more}", where=where,
                         mend=found[0].mend)  # fmt: skip


def write_findings(path: Path, findings: Sequence[Finding]) -> None:
    """Write ``preflight.json``: ``{"format": 1, "findings": [{check, level, value, what, mend}]}``.

    Raises
    ------
    InputError
        Where it cannot be written.
    """
    said: dict[str, Any] = {"format": _FORMAT, "findings": [asdict(each) for each in findings]}
    with written(path) as stream:
        stream.write(json.dumps(said, indent=1, ensure_ascii=False).encode("utf-8", "replace"))


def shown(findings: Sequence[Finding]) -> Table:
    """The findings as a table of rich, what needs attention first; it wraps to any width."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False, expand=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold", ratio=1)
    ordered = sorted(findings, key=lambda each: -LEVELS.index(each.level))
    for each in ordered:
        said = Text(each.what)
        if each.mend and each.level != "ok":
            said.append(f". {each.mend}", style="dim")
        table.add_row(Text(each.level, _COLOURS[each.level]), Text(each.check), said)
    return table
