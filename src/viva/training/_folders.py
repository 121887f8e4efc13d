"""The folder of a training: what identifies it, what is finished, and its checkpoints."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from viva._files import read_json
from viva.errors import InputError
from viva.formats.item_json import item_to_json
from viva.runs.folder import write_whole
from viva.runs.manifest import check_same, versions
from viva.synthesis import Example

__all__ = [
    "KIND",
    "LOG",
    "MANIFEST",
    "MODEL",
    "cut_log",
    "data_identity",
    "last_checkpoint",
    "open_training",
    "trainer_versions",
    "write_manifest",
]

KIND = "viva training"
MANIFEST = "manifest.json"
MODEL = "model"
LOG = "log.jsonl"
_LOCK = "lock"
_CHOOSE = "Choose another --out"
_PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets")


def open_training(folder: Path, identity: Mapping[str, Any]) -> dict[str, Any] | None:
    """The manifest of a training that the folder holds; None where it holds none.

    Raises
    ------
    InputError
        The folder is a file, holds something else, or a training of another recipe, other data or
        another model: what differs is named.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        inside = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise InputError(
            f"is no folder that can be written to ({error.strerror or error})",
            where=str(folder), mend=_CHOOSE,
        ) from None  # fmt: skip
    if MANIFEST not in inside:
        # The data may have been made before the first manifest.
        strange = [name for name in inside if name not in ("data", "lock", "writer.lock")]
        if strange:
            raise InputError(
                f"is not empty and holds no training (first: {strange[0]})",
                where=str(folder), mend=_CHOOSE,
            )  # fmt: skip
        return None
    manifest = read_json(folder / MANIFEST)
    if not isinstance(manifest, dict) or manifest.get("kind") != KIND:
        raise InputError("holds something that is no training", where=str(folder), mend=_CHOOSE)
    check_same(folder, manifest, identity)
    return manifest


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest, whole or not at all.

    Raises
    ------
    InputError
        Where it cannot be written.
    """
    text = json.dumps({"kind": KIND} | dict(manifest), ensure_ascii=False, indent=1)
    write_whole(folder / MANIFEST, (text + "\n").encode("utf-8", "replace"))


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


def cut_log(folder: Path, step: int) -> None:
    """Take off the log what came after a step: it comes again, from the checkpoint."""
    path = folder / LOG
    if not path.is_file():
        return
    kept = []
    for line in path.read_bytes().splitlines(keepends=True):
        try:
            row = json.loads(line)
            if line.endswith(b"\n") and int(row.get("step", 0)) <= step:
                kept.append(line)
        except (ValueError, AttributeError, TypeError):
            continue  # the line at which the process was killed
    write_whole(path, b"".join(kept))
