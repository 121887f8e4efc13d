"""The report: one self-contained page, and the tables for the terminal."""

from __future__ import annotations

from viva.report._outcomes import outcomes
from viva.report._paired import paired
from viva.report._probes import probes
from viva.report._render import render, write
from viva.report._terminal import terminal
from viva.report._text import clean

__all__ = ["clean", "outcomes", "paired", "probes", "render", "terminal", "write"]
