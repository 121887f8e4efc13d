"""From numbers to pixels: linear and logarithmic scales with round ticks."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Scale", "extent", "linear", "logarithmic", "round_ticks"]


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps ``low..high`` to the pixels ``start..end``; values outside are held at the ends."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]
    log: bool = False

    def __call__(self, value: float) -> float:
        """The pixel of a value."""
        low, high = self.low, self.high
        if self.log:
            value, low, high = math.log(max(value, self.low)), math.log(low), math.log(high)
        share = (value - low) / (high - low)
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)

    def holds(self, value: float) -> bool:
        """Whether a value lies inside."""
        return self.low <= value <= self.high


def extent(values: Iterable[float | None], *, include: Iterable[float] = ()) -> tuple[float, float]:
    """Smallest and largest of the finite values; (0, 1) where there is none."""
    known = [v for v in (*values, *include) if v is not None and math.isfinite(v)]
    return (min(known), max(known)) if known else (0.0, 1.0)


def round_ticks(low: float, high: float, about: int) -> tuple[float, ...]:
    """Multiples of 1, 2 or 5 times a power of ten that cover ``low..high``.

    Raises
    ------
    ValueError
        If ``high`` is not above ``low``.
    """
    if not high > low:
        raise ValueError("a scale needs high > low")
    rough = (high - low) / max(1, about)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.9999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return tuple(round(k * step, 12) for k in range(first, last + 1))


def linear(
    low: float, high: float, start: float, end: float, about: int = 6, tight: bool = False
) -> Scale:
    """A linear scale whose ends are round; or, if ``tight``, just beyond the values."""
    if not high > low:
        low, high = low - 1.0, low + 1.0
    ticks = round_ticks(low, high, about)
    if tight:
        room = 0.04 * (high - low)
        low, high = low - room, high + room
        return Scale(low, high, start, end, tuple(t for t in ticks if low <= t <= high))
    return Scale(min(low, ticks[0]), max(high, ticks[-1]), start, end, ticks)


def logarithmic(low: float, high: float, start: float, end: float) -> Scale:
    """A logarithmic scale with ticks at round multiples of powers of ten, the fewer the wider.

    Raises
    ------
    ValueError
        If ``low`` is not above 0.
    """
    if low <= 0:
        raise ValueError("a logarithmic scale needs positive values")
    low, high = low / 1.12, max(high, low * 1.05) * 1.12
    ratio = high / low
    multiples = (1,) if ratio > 300 else (1, 2, 5) if ratio > 6 else (1, 2, 3, 4, 5, 6, 8)
    ticks = [
        multiple * 10.0**power
        for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        for multiple in multiples
    ]
    return Scale(low, high, start, end, tuple(t for t in ticks if low <= t <= high), log=True)
