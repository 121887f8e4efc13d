"""What differs between the settings of two runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["differences"]

_COMPARED = ("identity", "prefill", "samples", "limit", "items", "operation", "versions", "git")
"""Parts of a manifest that are settings; the others say what happened."""

_ABSENT = None


def differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Settings in which two manifests differ.

    Parameters
    ----------
    a, b : mapping
        Manifests of runs, as :func:`viva.formats.run.read_manifest` gives them.

    Returns
    -------
    list of (str, object, object)
        The setting by its path, such as ``identity.sampling.temperature``, and its value in each;
        None where it is not set. In the order of the manifest: what identifies a run first.
    """
    found: list[tuple[str, Any, Any]] = []
    for part in _COMPARED:
        _compare(part, a.get(part), b.get(part), found)
    return found


def _compare(path: str, a: Any, b: Any, found: list[tuple[str, Any, Any]]) -> None:
    if isinstance(a, Mapping) or isinstance(b, Mapping):
        of_a = a if isinstance(a, Mapping) else {}
        of_b = b if isinstance(b, Mapping) else {}
        for name in dict.fromkeys([*of_a, *of_b]):
            _compare(f"{path}.{name}", of_a.get(name, _ABSENT), of_b.get(name, _ABSENT), found)
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for at, (one, other) in enumerate(zip(a, b, strict=True)):
            _compare(f"{path}[{at}]", one, other, found)
    elif a != b:
        found.append((path, a, b))
