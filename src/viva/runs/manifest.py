"""The manifest of a run: what identifies it, how it was operated, what came of it."""

from __future__ import annotations

import json
import platform
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from viva._version import __version__
from viva.errors import InputError
from viva.formats.run import KIND, MANIFEST
from viva.models import Capabilities
from viva.runs._differences import differences
from viva.runs.folder import write_whole

__all__ = ["capabilities_of", "check_same", "clean", "git_commit", "now", "versions", "write"]

_PACKAGES = ("aiohttp", "jinja2", "polars", "pydantic")
_WHERE_LOADED = ("torch", "transformers")
"""Packages that decide on answers where they are in use."""

_USER = re.compile(r"(\b[a-zA-Z][a-zA-Z0-9+.-]*://)[^/?#@\s]*@")
_SECRET = re.compile(
    r"(^|[_-])(api[_-]?key|authorization|password|passwd|secret|credentials?|bearer"
    r"|(access|auth|api|refresh|hf)[_-]?token)$",
    re.IGNORECASE,
)
_SECRET_IN_QUERY = re.compile(
    r"([?&][^=&#\s]{0,40}(?:key|token|secret|password|signature|sig|auth|credential)=)[^&#\s]+",
    re.IGNORECASE,
)
REMOVED = "(removed)"
"""Stands for a value that is a secret by its name."""


def clean(value: Any) -> Any:
    """A setting as the manifest holds it: JSON values, without users and secrets.

    User, password and keys in the query are taken off URLs; values whose names say that they are
    secrets are left out, and so is what is not of JSON.
    """
    if isinstance(value, str):
        if "://" not in value:
            return value
        return _SECRET_IN_QUERY.sub(rf"\1{REMOVED}", _USER.sub(r"\1", value))
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {
            str(name): REMOVED if _SECRET.search(str(name)) and inner is not None else clean(inner)
            for name, inner in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [clean(inner) for inner in value]
    if isinstance(value, (set, frozenset)):
        return sorted(map(str, value))
    return str(value)


def now() -> str:
    """The wall-clock time, for people: no interval is taken from it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def versions() -> dict[str, str]:
    """Versions of all that has a part in the answers."""
    loaded = [name for name in _WHERE_LOADED if name in sys.modules]
    found = {}
    for name in (*_PACKAGES, *loaded):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {
        "viva": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        **found,
    }


def git_commit() -> str | None:
    """The commit of the work tree that the run is started in; None where it is in none."""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"],  # noqa: S607  whichever git the user has
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    commit = done.stdout.strip()
    return commit if done.returncode == 0 and re.fullmatch("[0-9a-f]{40,64}", commit) else None


def capabilities_of(capabilities: Capabilities) -> dict[str, Any]:
    """What the back-end can do, and what was seen of it."""
    found: dict[str, Any] = clean(asdict(capabilities))
    return found


def check_same(folder: Path, earlier: Mapping[str, Any], identity: Mapping[str, Any]) -> None:
    """Refuse to continue a run under other settings.

    Raises
    ------
    InputError
        Names the settings that differ, with both values.
    """
    # As it will be read again: tuples are lists, and no key is a number.
    mine = json.loads(json.dumps(identity))
    found = differences({"identity": earlier.get("identity")}, {"identity": mine})
    if not found:
        return
    shown = [
        f"{path.removeprefix('identity.')} was {_short(a)}, now {_short(b)}" for path, a, b in found
    ]
    more = f"; and {len(shown) - 4} more" if len(shown) > 4 else ""
    raise InputError(
        f"holds a run with other settings: {'; '.join(shown[:4])}{more}",
        where=str(folder),
        mend="Choose another --out, or the settings of the run",
    )


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:39]}…"


def write(folder: Path, manifest: Mapping[str, Any], *, kind: str = KIND) -> None:
    """Write ``manifest.json``, whole or not at all.

    Parameters
    ----------
    folder : pathlib.Path
    manifest : mapping
    kind : str
        What the folder is.

    Raises
    ------
    InputError
        Where it cannot be written.
    """
    text = json.dumps({"kind": kind} | dict(manifest), ensure_ascii=False, indent=1)
    write_whole(folder / MANIFEST, (text + "\n").encode("utf-8", "replace"))
