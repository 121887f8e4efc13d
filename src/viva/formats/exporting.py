"""Other tools' files out: the one table that says what a run can be written as."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from viva import _plugins
from viva.errors import InputError, did_you_mean
from viva.formats.inspect_log import write_inspect
from viva.formats.lm_eval_samples import write_lm_eval

__all__ = ["EXPORTS", "Export", "exports", "find_export"]


class Export(NamedTuple):
    """How a run is written for another tool."""

    description: str
    """One line for the docs."""
    write: Callable[..., list[Path]]
    """``(items, responses, scores, manifest, path, *, prompts)`` -> the files written, as
    :func:`viva.formats.inspect_log.write_inspect`."""


EXPORTS: dict[str, Export] = {
    "inspect": Export(
        "Inspect: .eval logs that inspect view opens (extra inspect)", write_inspect
    ),
    "lm-eval": Export(
        "lm-evaluation-harness: samples_<task>_<time>.jsonl and results_<time>.json",
        write_lm_eval,
    ),
}  # fmt: skip
"""Name -> export; those of other packages (entry points ``export.NAME``) come after."""


def exports() -> dict[str, Export]:
    """Every export: ours, then those that other packages add under the kind ``export``."""
    return EXPORTS | _plugins.added("export", EXPORTS, Export)


def find_export(name: str) -> Export:
    """The export of a name.

    Raises
    ------
    InputError
        An unknown name; the known ones are named.
    """
    known = exports()
    if name not in known:
        raise InputError(f"cannot export to {name!r}", mend=did_you_mean(name, known))
    return known[name]
