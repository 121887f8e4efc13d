"""The folder of a training: what identifies it, what is finished, and its checkpoints."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from viva._files import read_json
from viva.errors import InputError
from viva.formats.item_json import item_to_json
from viva.formats.run import LOCK
from viva.runs.folder import locked
from viva.runs.manifest import check_same, versions, write
from viva.synthesis import Example

__all__ = [
    "DATA",
    "KIND",
    "MANIFEST",
    "MODEL",
    "check_same",
    "data_identity",
    "holding",
    "last_checkpoint",
    "trainer_versions",
    "write_manifest",
]

KIND = "viva training"
MANIFEST = "manifest.json"
MODEL = "model"
DATA = "data"
_CHOOSE = "Choose another --out"
_PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets")


@contextmanager
def holding(folder: Path) -> Iterator[dict[str, Any] | None]:
    """Make or find the folder of a training and hold it; its manifest, None while it has none.

    A folder in which nothing came to be written is not left behind.

    Raises
    ------
    InputError
        It is a file, cannot be written to, holds something else, or another process trains in it.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        inside = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise InputError(
            f"is no folder that can be written to ({error.strerror or error})",
            where=str(folder), mend=_CHOOSE,
        ) from None  # fmt: skip
    # The data may have been made before the first manifest.
    strange = [name for name in inside if name != DATA]
    if strange and MANIFEST not in inside:
        raise InputError(
            f"is not empty and holds no training (first: {strange[0]})",
            where=str(folder), mend=_CHOOSE,
        )  # fmt: skip
    with locked(folder):
        try:
            yield _manifest(folder) if MANIFEST in inside else None
        finally:
            if [path.name for path in folder.iterdir()] == [LOCK]:
                with suppress(OSError):  # not every system removes a file that is open
                    (folder / LOCK).unlink()
                    for path in made:
                        path.rmdir()


def _manifest(folder: Path) -> dict[str, Any]:
    manifest = read_json(folder / MANIFEST)
    if not isinstance(manifest, dict) or manifest.get("kind") != KIND:
        raise InputError("holds something that is no training", where=str(folder), mend=_CHOOSE)
    return manifest


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest of a training, as that of a run is written."""
    write(folder, manifest, kind=KIND)


def data_identity(examples: Sequence[Example]) -> dict[str, Any]:
    """Number and SHA-256 of all that training reads of examples, in their order."""
    digest = hashlib.sha256()
    for each in examples:
        told = [
            item_to_json(each.item), each.item.stratum, each.item.p_reasoning,
            asdict(each.item.group) if each.item.group else None, each.completion, each.rejected,
            each.start, each.start_kind, each.number, each.source, dict(each.scores),
        ]  # fmt: skip
        line = json.dumps(told, ensure_ascii=False, sort_keys=True)
        digest.update(line.encode("utf-8", "surrogatepass") + b"\n")
    return {"examples": len(examples), "sha256": digest.hexdigest()}


def trainer_versions() -> dict[str, str]:
    """Versions of all that has a part in the training."""
    found = versions()
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def last_checkpoint(folder: Path) -> tuple[Path, int] | None:
    """The last checkpoint that is whole, and its step; what a killed process left is removed.

    The trainer writes its state last: where that can be read, everything else is there.
    """
    whole: list[tuple[int, Path]] = []
    for path in folder.glob("checkpoint-*"):
        step = path.name.rpartition("-")[2]
        try:
            state = json.loads((path / "trainer_state.json").read_text("utf-8"))
            is_whole = step.isdecimal() and state["global_step"] == int(step)
        except (OSError, ValueError, KeyError, TypeError):
            is_whole = False
        if is_whole:
            whole.append((int(step), path))
        else:
            shutil.rmtree(path, ignore_errors=True)
    if not whole:
        return None
    step_reached, path = max(whole)
    return path, step_reached
