"""A file out: under its name when it is whole, and not before."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from viva.errors import InputError

__all__ = ["written"]


@contextmanager
def written(path: Path, *, mend: str = "Name another --out") -> Iterator[IO[Any]]:
    """A binary file that appears under its name when it is whole, and not before.

    Parameters
    ----------
    path : pathlib.Path
        Its folder is made where there is none.
    mend : str
        What the user can do where it cannot be written.

    Raises
    ------
    InputError
        The folder cannot be made or written to, or the disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=path.suffix)
        try:
            with os.fdopen(descriptor, "w+b") as stream:
                yield stream
            mask = os.umask(0)
            os.umask(mask)
            Path(name).chmod(0o666 & ~mask)  # mkstemp makes files that only the owner reads
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError(
            f"cannot be written ({error.strerror or error})", where=str(path), mend=mend
        ) from None
