"""Settings of audits that are checked before anything is read."""

from __future__ import annotations

import os
from numbers import Integral, Real
from pathlib import Path

from viva.errors import InputError

__all__ = ["TEXT_VIEWS", "check_settings", "check_writable"]

TEXT_VIEWS = ("stem", "stem+options", "stem+context")
"""What the splitter can read of an item."""


def check_settings(threshold: float, text_view: str, resamples: int, seed: int) -> None:
    """Raise InputError for a setting out of range, by the name of its option."""
    given: dict[str, object] = {
        "--resamples": resamples, "--seed": seed, "--threshold": threshold
    }  # fmt: skip
    for name, value in given.items():
        if not isinstance(value, Real if name == "--threshold" else Integral):
            kind = "number" if name == "--threshold" else "whole number"
            raise InputError(f"{value!r} is not a {kind}", where=name)
    if not 0 < threshold < 1:
        raise InputError(f"threshold {threshold} is not between 0 and 1", where="--threshold")
    if text_view not in TEXT_VIEWS:
        raise InputError(
            f"unknown text view {text_view!r}",
            where="--text-view",
            mend=f"Use {', '.join(TEXT_VIEWS)}",
        )
    if resamples < 100:
        raise InputError(
            f"{resamples} resamples give no 95 % interval",
            where="--resamples",
            mend="Use at least 100; 10000 is the default",
        )
    if seed < 0:
        raise InputError(f"seed {seed} is negative", where="--seed", mend="Use 0 or more")


def check_writable(out: Path) -> None:
    """Fail before the work, not after it."""
    if out.exists() and not out.is_dir():
        raise InputError("is a file, not a folder", where=str(out), mend="Give a folder as --out")
    parent = next(p for p in (out, *out.absolute().parents) if p.exists())
    if not os.access(parent, os.W_OK):
        raise InputError("cannot be written to", where=str(parent), mend="Choose another --out")
