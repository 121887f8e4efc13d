"""Options that several commands have, said once."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

__all__ = [
    "Api",
    "Form",
    "Printed",
    "Resamples",
    "Seed",
    "Strict",
    "TextView",
    "Threshold",
    "panel",
]


class Api(StrEnum):
    """How a server is spoken to."""

    AUTO = "auto"
    CHAT = "chat"
    COMPLETIONS = "completions"


class Form(StrEnum):
    """What is printed."""

    TABLE = "table"
    JSON = "json"


Printed = Annotated[Form, typer.Option("--format", help="table, or json for other programs.")]
Threshold = Annotated[
    float, typer.Option("--threshold", help="p_reasoning from which an item is reasoning.")
]
TextView = Annotated[
    str,
    typer.Option("--text-view", help="What the splitter reads: stem, stem+options, stem+context."),
]
Resamples = Annotated[int, typer.Option("--resamples", help="Bootstrap resamples.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of the resampling.")]
Strict = Annotated[bool, typer.Option("--strict", help="A defect in one row is an error.")]


def panel(title: str) -> Any:
    """Makes the options of one panel of the help: flag, what it means, and typer's own words."""

    def option(flag: str, help: str, **more: Any) -> Any:  # noqa: A002
        return typer.Option(flag, help=help, rich_help_panel=title, show_default=False, **more)

    return option
