"""The report: one self-contained page, and the tables for the terminal."""

from __future__ import annotations

from viva.report._outcomes import outcomes
from viva.report._paired import paired
from viva.report._plain import plain_table
from viva.report._probe_page import render_probes, write_probes
from viva.report._probes import probes
from viva.report._pushback import RULE as FLIP_RULE
from viva.report._render import render, write
from viva.report._terminal import terminal
from viva.report._text import clean

__all__ = [
    "FLIP_RULE",
    "clean",
    "outcomes",
    "paired",
    "plain_table",
    "probes",
    "render",
    "render_probes",
    "terminal",
    "write",
    "write_probes",
]
