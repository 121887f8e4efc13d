"""Responses that are none: how many, of which subject and why, in words for the top of a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from viva._summary import ModelSummary
from viva.formats.run import NOT_ASKED
from viva.models import Failure

__all__ = ["reasons", "warnings"]

_KINDS = tuple(str(failure) for failure in Failure)
_LONGEST = 80
_MOST = 4
"""Reasons shown of one subject; the rest are counted together."""
_MOST_SUBJECTS = 8
OTHER = "other reasons"


def _kind(error: str) -> str:
    """What an error is counted as: its kind where it is one of a call, else its first line."""
    kind, _, detail = error.partition(": ")
    if kind in _KINDS:
        return kind
    if kind == NOT_ASKED and detail:
        return f"{NOT_ASKED}, {_kind(detail)}"
    line = (error.strip().splitlines() or ["no reason given"])[0].strip()
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def reasons(errors: Iterable[str | None]) -> dict[str, int]:
    """Why responses are missing, counted, the most frequent first.

    Parameters
    ----------
    errors : iterable of str or None
        The error of each missing response.

    Returns
    -------
    dict of str to int
        At most five entries: the last counts all ``other reasons`` where there are more.
    """
    counted = Counter(_kind(error or "") for error in errors).most_common()
    kept = dict(counted[:_MOST])
    if rest := sum(number for _, number in counted[_MOST:]):
        kept[OTHER] = kept.get(OTHER, 0) + rest
    return kept


def _said(name: str, model: ModelSummary) -> str:
    counted = model.ungraded_reasons
    parts = [f"{why}: {n:,}" for why, n in counted.items()] if len(counted) > 1 else list(counted)
    why = f" ({'; '.join(parts)})" if parts else ""
    some = "no response is there" if model.ungraded == model.n else (
        f"{model.ungraded:,} of {model.n:,} responses are missing"
    )  # fmt: skip
    return f"{name}: {some}{why}."


def warnings(models: Mapping[str, ModelSummary]) -> list[str]:
    """One sentence for each subject with missing responses, and what follows from them.

    Parameters
    ----------
    models : mapping of str to ModelSummary
        As in the summary.

    Returns
    -------
    list of str
        Empty where every response could be graded.
    """
    missing = {name: model for name, model in models.items() if model.ungraded}
    if not missing:
        return []
    worst = sorted(missing, key=lambda name: -missing[name].ungraded / missing[name].n)
    said = [_said(name, missing[name]) for name in worst[:_MOST_SUBJECTS]]
    if len(worst) > _MOST_SUBJECTS:
        said.append(f"{len(worst) - _MOST_SUBJECTS} more have missing responses.")
    last = (
        "They are ungraded, outside every denominator: what would have been answered is not known."
    )
    if any(why.startswith(NOT_ASKED) for m in missing.values() for why in m.ungraded_reasons):
        last += " The same viva eval command asks what was not asked."
    return [*said, last]
