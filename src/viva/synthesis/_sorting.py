"""What every filter begins and ends with: examples that are there, and some that are left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from viva.errors import InputError
from viva.synthesis._generated import made
from viva.synthesis.example import Example
from viva.synthesis.steps import Dropped, Made

__all__ = ["given", "sort_out"]


def given(step: str, examples: Sequence[Example]) -> list[Example]:
    """The examples as a list.

    Raises
    ------
    InputError
        Where there are none.
    """
    found = list(examples)
    if not found:
        raise InputError(
            f"{step} was given no examples", mend="Look at what the step before it dropped"
        )
    return found


def sort_out(
    step: str,
    examples: Sequence[Example],
    reasons: Sequence[str | None],
    *,
    mend: str,
    report: Mapping[str, Any] | None = None,
) -> Made:
    """Part the examples, in their order, and count them by source and reason.

    Parameters
    ----------
    step : str
        Its name, for errors.
    examples : sequence of Example
        All that were given, with the step in their provenance already.
    reasons : sequence of str or None
        Why an example goes; None where it stays.
    mend : str
        What the user can do where nothing is left.
    report : mapping, optional
        What the step tells beyond the counts.

    Raises
    ------
    InputError
        Where nothing is left: training on nothing is refused where it begins.
    """
    pairs = list(zip(examples, reasons, strict=True))
    kept = [example for example, reason in pairs if reason is None]
    dropped = [Dropped(example, reason) for example, reason in pairs if reason is not None]
    if not kept:
        common = Counter(each.reason for each in dropped).most_common(3)
        told = ", ".join(f"{count} {reason}" for reason, count in common)
        raise InputError(f"{step} leaves none of {len(pairs)} examples ({told})", mend=mend)
    return made(examples, kept, dropped, **dict(report or {}))
