"""The folder of a run: its lock, its files, and whether it is ours to write in."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viva._files import read_json
from viva.errors import InputError
from viva.formats.run import ITEMS, KIND, LOCK, MANIFEST, REFUSED, VARIANTS, read_manifest

if TYPE_CHECKING:
    import polars as pl

__all__ = ["held", "holder", "locked", "move", "open_folder", "write_frame", "write_whole"]

_BEFORE_MANIFEST = (LOCK, ITEMS, VARIANTS, REFUSED, "writer.jsonl")
_CHOOSE = "Choose another --out"
_ROW_GROUP = 10_000
"""Rows of a table that are read together: a part of a table can be had without the rest."""
_MADE = (".new-", ".parts-")
"""Beginnings of the names of files and folders that are there only while they are written."""


def open_folder(folder: Path) -> bool:
    """Make a run folder, or find that there is one; True where it holds a run already.

    Raises
    ------
    InputError
        Where it is a file, cannot be written to, or holds something that is not a run.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        inside = {path.name for path in folder.iterdir()}
    except FileExistsError:
        raise InputError("is a file, not a folder", where=str(folder), mend=_CHOOSE) from None
    except NotADirectoryError:
        raise InputError("lies below a file", where=str(folder), mend=_CHOOSE) from None
    except OSError as error:
        raise _unwritable(folder, error) from None
    if MANIFEST in inside:
        manifest = read_json(folder / MANIFEST)
        if not isinstance(manifest, dict) or manifest.get("kind") != KIND:
            raise InputError("holds something that is no run", where=str(folder), mend=_CHOOSE)
        return True
    # A process that was killed before its first manifest leaves these.
    if strange := sorted(
        n for n in inside if n not in _BEFORE_MANIFEST and not n.startswith(_MADE)
    ):
        raise InputError(
            f"is not empty and holds no run (first: {strange[0]})",
            where=str(folder),
            mend=_CHOOSE,
        )
    return False


def _unwritable(folder: Path, error: OSError) -> InputError:
    return InputError(
        f"cannot be written to ({error.strerror or error})", where=str(folder), mend=_CHOOSE
    )


@contextmanager
def held(folder: Path) -> Iterator[dict[str, Any] | None]:
    """Make or find a run folder and hold it; its manifest, None while it has none.

    A folder in which nothing came to be written, such as that of a run whose server is down, is
    not left behind.

    Raises
    ------
    InputError
        As :func:`open_folder` and :func:`locked`.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    open_folder(folder)
    with locked(folder):
        try:
            yield read_manifest(folder) if (folder / MANIFEST).exists() else None
        finally:
            if [path.name for path in folder.iterdir()] == [LOCK]:
                with suppress(OSError):  # not every system removes a file that is open
                    (folder / LOCK).unlink()
                    for path in made:
                        path.rmdir()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a run folder; the lock ends with the process, however that ends.

    Raises
    ------
    InputError
        Where another process holds it, named where it is known, or the folder is read-only.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK, blocking=False)
    try:
        lock.acquire()
    except Timeout:
        raise InputError(
            f"another process is running this run{_holder(folder)}",
            where=str(folder),
            mend="Wait until it is done, or stop it",
        ) from None
    except (OSError, NotImplementedError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(
            f"cannot be locked ({reason or error})", where=str(folder), mend=_CHOOSE
        ) from None
    try:
        _remove_unfinished(folder)
        yield
    finally:
        lock.release()


def holder() -> dict[str, Any]:
    """Who holds the lock, for the manifest."""
    return {"pid": os.getpid(), "host": socket.gethostname()}


def _holder(folder: Path) -> str:
    """Who holds the lock, from the session that the manifest names last."""
    try:
        session = read_json(folder / MANIFEST)["sessions"][-1]
        return f" (process {int(session['pid'])} on {session['host']})"
    except (InputError, LookupError, TypeError, ValueError):
        return ""


def _remove_unfinished(folder: Path) -> None:
    """Files that a killed process was writing."""
    for path in folder.iterdir():
        if path.name.startswith(_MADE):
            try:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            except OSError as error:
                raise _unwritable(folder, error) from None


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, also after a crash of the machine.

    Raises
    ------
    InputError
        Where it cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=".new-", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            os.chmod(name, 0o644)  # noqa: PTH101  mkstemp makes files that only the owner reads
            move(Path(name), path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError(
            f"cannot be written ({error.strerror or error})",
            where=str(path),
            mend="Free space or mend the folder, then run the same command again: it continues",
        ) from None


def write_frame(path: Path, frame: pl.DataFrame | pl.LazyFrame) -> None:
    """Write a table so that it is there whole or not at all; a lazy one in pieces.

    Raises
    ------
    InputError
        Where it cannot be written.
    """
    import polars as pl

    new = path.with_name(f".new-{path.name}")
    packed: dict[str, Any] = {"compression": "zstd", "compression_level": 1}
    try:
        if isinstance(frame, pl.LazyFrame):
            frame.sink_parquet(new, row_group_size=_ROW_GROUP, **packed)
        else:
            frame.write_parquet(new, row_group_size=_ROW_GROUP, **packed)
        with new.open("rb+") as stream:
            os.fsync(stream.fileno())
        move(new, path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(
            f"cannot be written ({error})",
            where=str(path),
            mend="Free space or mend the folder, then run the same command again: it continues",
        ) from None


def move(new: Path, path: Path) -> None:
    """Put a file that is on disk in the place of another, and the folder's entry on disk too."""
    new.replace(path)
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
