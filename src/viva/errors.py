"""The one error that bad input raises: what is wrong, where, and how to mend it."""

from __future__ import annotations

__all__ = ["InputError"]

_LONGEST = 300


def _one_line(text: str) -> str:
    """Escape line breaks and control characters and bound the length: input may be hostile."""
    line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


class InputError(ValueError):
    """Input that cannot be used. The command line prints it as one line and exits with 2.

    Parameters
    ----------
    what : str
        What is wrong, without a final stop.
    where : str, optional
        The file and, where there is one, the row (1-based line number): ``answers.jsonl:17``.
    mend : str, optional
        What the user can do about it.
    """

    def __init__(self, what: str, *, where: str | None = None, mend: str | None = None) -> None:
        self.what = _one_line(what)
        self.where = _one_line(where) if where else None
        self.mend = _one_line(mend) if mend else None
        parts = [f"{self.where}: " if self.where else "", self.what]
        if self.mend:
            parts.append(f". {self.mend}")
        super().__init__("".join(parts))
