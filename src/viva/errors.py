"""The one error that bad input raises: what is wrong, where, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["InputError", "did_you_mean"]

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


def did_you_mean(word: str, known: Iterable[str], *, listed: str = "Known") -> str:
    """What to do about a word that is not known, for ``mend``.

    Parameters
    ----------
    word : str
        As it was given.
    known : iterable of str
        What it might have been.
    listed : str
        How the list of all begins, where nothing comes near.

    Returns
    -------
    str
        ``Did you mean X or Y?``, else ``Known: X, Y, Z``.
    """
    import difflib

    names = list(known)
    near = difflib.get_close_matches(word, names, n=2, cutoff=0.5)
    return f"Did you mean {' or '.join(near)}?" if near else f"{listed}: {', '.join(names)}"
