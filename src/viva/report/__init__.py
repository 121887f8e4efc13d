"""The report: one self-contained page, and the tables for the terminal."""

from __future__ import annotations

from viva.report._paired import paired
from viva.report._render import render, write
from viva.report._terminal import terminal

__all__ = ["paired", "render", "terminal", "write"]
