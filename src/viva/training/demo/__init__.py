"""The demo: a small model taught, practised and examined in a medicine that does not exist."""

from __future__ import annotations

from viva.training.demo.demonstration import train_demo
from viva.training.demo.running import FULL, QUICK, Size, run_one

__all__ = ["FULL", "QUICK", "Size", "run_one", "train_demo"]
