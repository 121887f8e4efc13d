"""What other packages add: entry points of the group ``viva``, loaded when first asked for.

An entry point is named ``KIND.NAME``, such as ``format.mytool``, and leads to an object of the
same shape as the entries of Viva's own table of that kind. Another package declares it so::

    [project.entry-points.viva]
    "format.mytool" = "mypackage.viva:FORMAT"

Nothing of another package is imported before it is looked up. One that cannot be loaded is
reported with its name and left out: it never stops what does not need it.
"""

from __future__ import annotations

import warnings
from collections.abc import Container
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

__all__ = ["GROUP", "KINDS", "added", "load", "names", "table"]

_Shape = TypeVar("_Shape")

GROUP = "viva"
"""The entry-point group."""

KINDS = (
    "adapter", "backend", "export", "format", "method", "metric", "probe", "profile", "reward",
    "synthesis",
)  # fmt: skip
"""The tables that other packages can add to: ``viva.benchmarks.ADAPTERS``,
``viva.models.BACKENDS``, ``viva.formats.EXPORTS``, ``viva.formats.FORMATS``,
``viva.methods.METHODS``, ``viva.scoring.METRICS``, ``viva.probes.PROBES``,
``viva.judging.PROFILES``, ``viva.training.rewards.REWARDS`` and ``viva.synthesis.STEPS``."""


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else "an unnamed package"


@cache
def _found(kind: str) -> dict[str, EntryPoint]:
    """Entry points of one kind by name; of two with one name the first package's is kept."""
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}, not one of {', '.join(KINDS)}")
    found: dict[str, EntryPoint] = {}
    prefix = f"{kind}."
    for entry in sorted(entry_points(group=GROUP), key=lambda e: (e.name, _package(e))):
        if not entry.name.startswith(prefix):
            continue
        name = entry.name.removeprefix(prefix)
        if name in found:
            if found[name].value != entry.value:
                warnings.warn(
                    f"{entry.name} of {_package(entry)} is not used: {_package(found[name])} "
                    "has the same name",
                    stacklevel=2,
                )
            continue
        found[name] = entry
    return found


@cache
def _object(entry: EntryPoint) -> Any:
    try:
        return entry.load()
    except Exception as error:  # whatever a stranger's module raises when it is imported
        warnings.warn(
            f"{entry.name} of {_package(entry)} cannot be loaded: {type(error).__name__}: {error}",
            stacklevel=3,
        )
        return None


def names(kind: str) -> list[str]:
    """The names other packages add to a table, ascending; none of them is imported.

    Parameters
    ----------
    kind : str
        One of :data:`KINDS`.
    """
    return sorted(_found(kind))


def load(kind: str, name: str) -> Any | None:
    """The object another package gives under a name.

    Parameters
    ----------
    kind : str
        One of :data:`KINDS`.
    name : str
        The name without its kind.

    Returns
    -------
    object or None
        None where no package gives one, or where it cannot be loaded; the latter is a warning
        that names the entry point, its package and the error.
    """
    entry = _found(kind).get(name)
    return None if entry is None else _object(entry)


def table(kind: str) -> dict[str, Any]:
    """Every object of a kind that other packages give and that can be loaded, by name."""
    loaded = ((name, load(kind, name)) for name in names(kind))
    return {name: value for name, value in loaded if value is not None}


def added(kind: str, own: Container[str], shape: type[_Shape]) -> dict[str, _Shape]:
    """What other packages add to one of Viva's tables.

    Parameters
    ----------
    kind : str
        One of :data:`KINDS`.
    own : container of str
        Names of Viva's own table, which nobody can take.
    shape : type
        That of the table's entries; an object of another one is left out with a warning.
    """
    found = {}
    for name, value in table(kind).items():
        if name in own:
            _unused(f"{kind}.{name}", "Viva has one of that name")
        elif not isinstance(value, shape):
            _unused(f"{kind}.{name}", f"it is a {type(value).__name__}, not a {shape.__name__}")
        else:
            found[name] = value
    return found


@cache
def _unused(entry: str, reason: str) -> None:
    """Say so, once."""
    warnings.warn(f"{entry} of another package is not used: {reason}", stacklevel=4)
