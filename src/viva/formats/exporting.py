"""Other tools' files out: the one table that says what a run can be written as."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from viva.errors import InputError
from viva.formats.inspect_log import write_inspect
from viva.formats.lm_eval_samples import write_lm_eval

__all__ = ["EXPORTS", "Export", "find_export"]


class Export(NamedTuple):
    """How a run is written for another tool."""

    description: str
    """One line for the docs."""
    write: Callable[..., list[Path]]
    """Takes items, responses, scores, manifest and path; gives the files written."""


EXPORTS: dict[str, Export] = {
    "inspect": Export(
        "Inspect: .eval logs that inspect view opens (extra inspect)", write_inspect
    ),
    "lm-eval": Export(
        "lm-evaluation-harness: samples_<task>_<time>.jsonl and results_<time>.json",
        write_lm_eval,
    ),
}  # fmt: skip
"""Name -> export."""


def find_export(name: str) -> Export:
    """The export of a name.

    Raises
    ------
    InputError
        An unknown name; the known ones are named.
    """
    found = EXPORTS.get(name)
    if found is None:
        raise InputError(f"cannot export to {name!r}", mend=f"Known: {', '.join(EXPORTS)}")
    return found
