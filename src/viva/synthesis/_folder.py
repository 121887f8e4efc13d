"""The folder of a synthesis: its files, its manifest, and whether it is ours to go on in."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from viva._files import read_json, sha256
from viva.errors import InputError
from viva.runs.folder import move, write_whole
from viva.synthesis.examples import Example, write_dropped, write_examples
from viva.synthesis.steps import Dropped

__all__ = [
    "CALLS",
    "KIND",
    "MANIFEST",
    "READ",
    "SCHEMA",
    "check_folder",
    "checked_last",
    "file_of",
    "last",
    "making",
    "put",
    "read_manifest",
    "write_json",
]

KIND = "viva-synthesis"
MANIFEST = "manifest.json"
SCHEMA = 1
CALLS = "calls"
"""Folder of the journals of calls, one for each model."""
READ = "00-read"
"""What was read, before the first step."""
_CHOOSE = "Choose another --out"


def file_of(stem: str) -> str:
    """The name of a step's file."""
    return f"{stem}.jsonl.gz"


def check_folder(folder: Path) -> None:
    """Make the folder, or refuse one that holds something else."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        inside = sorted(path.name for path in folder.iterdir())
    except FileExistsError:
        raise InputError("is a file, not a folder", where=str(folder), mend=_CHOOSE) from None
    except OSError as error:
        raise InputError(
            f"cannot be written to ({error.strerror or error})", where=str(folder), mend=_CHOOSE
        ) from None
    strange = [name for name in inside if not name.startswith((".", READ)) and name != CALLS]
    if strange and MANIFEST not in inside:
        raise InputError(
            f"is not empty and holds no synthesis (first: {strange[0]})", where=str(folder),
            mend=_CHOOSE,
        )  # fmt: skip


def read_manifest(folder: Path, begun: Mapping[str, Any]) -> dict[str, Any] | None:
    """The manifest of the folder, where it is of the same pipeline; None where there is none."""
    if not (folder / MANIFEST).exists():
        return None
    found = read_json(folder / MANIFEST)
    if not isinstance(found, dict) or found.get("kind") != KIND:
        raise InputError("holds something that is no synthesis", where=str(folder), mend=_CHOOSE)
    if found.get("schema", 0) > SCHEMA:
        raise InputError(
            f"was written by a later version (schema {found['schema']})", where=str(folder),
            mend="Update viva",
        )  # fmt: skip
    for name, what in (("data", "other data"), ("against", "other evaluation items"),
                       ("plan", "another pipeline")):  # fmt: skip
        if found.get(name) != begun[name]:
            raise InputError(
                f"holds {what}{_difference(found.get(name), begun[name])}", where=str(folder),
                mend=f"{_CHOOSE}, or delete this one",
            )  # fmt: skip
    return found


def _difference(before: Any, now: Sequence[Mapping[str, Any]]) -> str:
    """Which entry differs first, in words."""
    if not isinstance(before, list):
        return ""
    for at, (old, new) in enumerate(zip(before, now, strict=False), 1):
        if old == new:
            continue
        if "step" not in new or old.get("step") != new["step"]:
            name = "step" if "step" in new else "source"
            return f" ({name} {at} is {new[name]!r}, was {old.get(name)!r})" if (
                old.get(name) != new[name]) else f" ({new[name]} has changed)"  # fmt: skip
        changed = next(key for key in new if old.get(key) != new[key])
        return f" (step {at} {new['step']}: {changed} differ)"
    return f" ({len(before)} entries, not {len(now)})" if len(before) != len(now) else ""


def last(manifest: Mapping[str, Any]) -> str:
    done = manifest["steps"]
    return f"{len(done):02d}-{done[-1]['step']}" if done else READ


def checked_last(folder: Path, manifest: Mapping[str, Any]) -> str:
    """The last finished step's name, once its file is known to be as it was written."""
    stem = last(manifest)
    done = manifest["steps"]
    wanted = done[-1]["files"][file_of(stem)] if done else manifest["sha256"]
    path = folder / file_of(stem)
    if not path.exists() or sha256(path) != wanted:
        raise InputError(
            "was changed after it was written", where=str(path),
            mend=f"{_CHOOSE}, or delete {folder} and start again",
        )  # fmt: skip
    return stem


@contextmanager
def making(folder: Path) -> Iterator[Path]:
    """A folder for files that are not finished; one that a killed process left is removed."""
    made = Path(tempfile.mkdtemp(prefix=".parts-", dir=folder))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def put(
    folder: Path, stem: str, kept: Sequence[Example], dropped: Sequence[Dropped] | None
) -> dict[str, str]:
    """Write what a step kept and dropped, whole; their hashes."""
    hashes: dict[str, str] = {}
    with making(folder) as made:
        write_examples(made / file_of(stem), kept)
        if dropped is not None:
            write_dropped(made / file_of(f"dropped-{stem}"), dropped)
        for path in sorted(made.iterdir()):
            hashes[path.name] = sha256(path) if path.stat().st_size else ""
            move(path, folder / path.name)
    return hashes


def write_json(path: Path, value: Any) -> None:
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)
    write_whole(path, (text + "\n").encode())
