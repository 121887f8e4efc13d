"""The command `viva`: one sub-command per file; bad input is one line and exit code 2."""

from __future__ import annotations

import errno
import os
import sys
from typing import Annotated

import typer

from viva._version import __version__
from viva.cli import (
    audit,
    capabilities,
    compare,
    contamination,
    diff_config,
    doctor,
    export,
    faithfulness,
    memorisation,
    probe,
    score,
    strata,
    synthesise,
    train,
    train_demo,
    world,
)
from viva.cli import eval as evaluation
from viva.errors import InputError

__all__ = ["app", "main"]

app = typer.Typer(
    name="viva",
    help="Examine medical language models: do they reason or recite?",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("eval", cls=evaluation.EvalCommand)(evaluation.command)
app.command("audit")(audit.command)
app.command("score", cls=score.ScoreCommand)(score.command)
app.command("compare")(compare.command)
app.command("diff-config")(diff_config.command)
app.add_typer(probe.app, name="probe")
app.command("faithfulness")(faithfulness.command)
app.command("contamination")(contamination.command)
app.command("memorisation")(memorisation.command)
app.command("export")(export.command)
app.command("capabilities")(capabilities.command)
app.add_typer(strata.app, name="strata")
app.add_typer(world.app, name="world")
app.command("synthesise")(synthesise.command)
app.command("train")(train.command)
app.command("train-demo")(train_demo.command)
app.command("doctor")(doctor.command)


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""A disk without room, a quota reached, a file larger than may be."""


def _version(value: bool) -> None:
    if value:
        typer.echo(f"viva {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    """Examine medical language models: do they reason or recite?"""


def main() -> None:
    """Run the command line; entry point of the console script."""
    try:
        app()
    except InputError as error:
        print(f"viva: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    except KeyboardInterrupt:
        print("viva: stopped", file=sys.stderr)  # noqa: T201
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output went away; that is no error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        if error.errno not in _FULL:
            raise
        # What could not be written stays in a buffer, and would be tried again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print(f"viva: the output cannot be written ({error.strerror})", file=sys.stderr)  # noqa: T201
        sys.exit(2)
