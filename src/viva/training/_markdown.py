"""Markdown whose text comes from outside: one line, bounded, nothing in it is markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from viva.report._text import clean

__all__ = ["bullets", "code", "escaped", "redacted", "table"]

_LONGEST = 600
_MARKUP = re.compile(r"([\\`*_\[\]|~#!<>&])")
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
_SECRET_NAMES = re.compile(
    r"(?:hub|auth|access|api|bearer|refresh|session)_?(?:token|key)|secret|passw|credential"
    r"|(?:^|_)key$|(?:^|_)token$",
    re.IGNORECASE,
)
_TOKEN_NAMES = re.compile(r"^(?:eos|bos|pad|unk|sep|cls|mask|image|stop|think)_token$")
"""Tokens of a vocabulary, which are no secrets."""
_SECRET_VALUES = re.compile(
    r"\b(?:hf_[A-Za-z0-9]{16,}|sk-[A-Za-z0-9_-]{16,}|gh[pousr]_[A-Za-z0-9]{16,}"
    r"|xox[abp]-[A-Za-z0-9-]{10,}|AKIA[A-Z0-9]{12,}|eyJ[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_.-]{16,})"
)
"""Keys of services by their beginnings: Hugging Face, OpenAI and those like it, GitHub, Slack,
AWS, JSON web tokens."""
_HIDDEN = "(not shown)"


def escaped(text: object, limit: int = _LONGEST) -> str:
    """Text as Markdown shows it and nothing else: one line, control characters as their codes."""
    line = " ".join(clean(text, limit).split())
    return _MARKUP.sub(lambda m: _ENTITIES.get(m[1], "\\" + m[1]), line)


def code(text: object, limit: int = _LONGEST) -> str:
    """Text as inline code; a fence longer than any run of backticks in it."""
    line = " ".join(clean(text, limit).split()) or " "
    longest = max((len(run) for run in re.findall(r"`+", line)), default=0)
    fence = "`" * (longest + 1)
    room = " " if longest or line != line.strip() else ""
    return f"{fence}{room}{line}{room}{fence}".replace("|", "\\|")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table of cells that are Markdown already; empty where there are no rows."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if not lines:
        return []
    return [f"| {' | '.join(head)} |", "|" + "---|" * len(head), *lines, ""]


def bullets(lines: Iterable[str]) -> list[str]:
    """A list, with the empty line behind it."""
    made = [f"- {line}" for line in lines]
    return [*made, ""] if made else []


def redacted(value: Any, name: str = "") -> Any:
    """Plain values with what looks like a secret taken out, by the name of its key or by itself."""
    if name and _SECRET_NAMES.search(name) and not _TOKEN_NAMES.match(name):
        return None if value is None else _HIDDEN
    if isinstance(value, str):
        return _SECRET_VALUES.sub(_HIDDEN, value)
    if isinstance(value, dict):
        return {key: redacted(each, str(key)) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(each) for each in value]
    return value
