"""What the fate of calls says about how many of them a server can take at once."""

from __future__ import annotations

import math
from typing import NamedTuple

__all__ = ["Congestion"]

FEWEST = 16
"""Calls in a window of measurement, at least."""
ENOUGH = 64
"""Calls (or one for each slot, if that is more) after which a window is judged however noisy."""
PRECISE = 0.05
"""Relative standard error of the mean latency at which the first window ends earlier."""
TOLERANCE = 1.5
"""Times the best latency that are still no sign of a queue."""
LEAST_RISE = 0.1
"""Seconds of rise that are worth a reaction."""
CUT = 7 / 8
"""Share of the limit that is left after a window that shows a queue."""
MOST_CAUTIOUS = 32
"""Rounds between two attempts at one slot more, near a limit that was met again and again."""


class _Window(NamedTuple):
    """Means over some completed calls."""

    in_flight: float
    seconds: float
    per_size: float
    """Seconds per unit of text written."""
    error: float
    """Standard error of ``seconds``."""
    fastest: float
    """Seconds of the fastest call."""

    @property
    def power(self) -> float:
        """Throughput over latency (Kleinrock 1979), throughput by Little's law."""
        return self.in_flight / max(self.seconds, 1e-9) ** 2


class Congestion:
    """A limit on the calls in flight, learned from rejections and latencies. Pure: no clock.

    It starts at ``most`` and stays there unless the server gives a reason.

    **Rejected** calls (429): the calls in flight are halved, once per round: of calls that were
    in flight together only the first to be rejected counts. Completed calls let the limit grow
    again, by one for each limit's worth of them; by up to one *each* while it is well below the
    place of the last rejection; and more slowly where rejections came at the same place again.

    **Latency**: completed calls are averaged in windows. The window with the highest power
    (throughput / latency) is the reference. A later window shows a queue in the server if its
    calls took :data:`TOLERANCE` times as long, the fastest of them too, per call *and* per unit
    of text written (else the answers have merely become longer, or shorter), by more than chance,
    without more throughput. Once that is steady the limit falls by an eighth per window. If the
    throughput falls with it, by a tenth, there is no queue: the server has become slower. The
    limit is then put back, what was measured before the fall is the new reference, and the
    tolerance is widened by half.

    Parameters
    ----------
    most : int
        Most calls in flight, at least 1.
    adaptive : bool
        False = the limit never moves (weights in this process).
    """

    _count: int
    _seconds: float
    _squares: float
    _size: float
    _in_flight: float
    _fastest: float

    def __init__(self, most: int, *, adaptive: bool = True) -> None:
        self.most = most
        self.round = 0
        """Falls so far; a call belongs to the round in which it starts."""
        self._adaptive = adaptive
        self._limit = float(most)
        self._ceiling: float | None = None  # calls in flight at the last rejection
        self._caution = 1
        self._reference: _Window | None = None
        self._fall: tuple[float, _Window] | None = None  # limit and window before a fall
        self._suspect: _Window | None = None  # showed a queue, not yet known to be steady
        self._tolerance = TOLERANCE
        self._warm = False  # the first window is over
        self._skip = 0  # completions of calls that started under an earlier limit
        self._clear()

    @property
    def limit(self) -> int:
        """Calls that may be in flight, 1 to ``most``."""
        return int(self._limit)

    def rejected(self, started_in: int, in_flight: int) -> None:
        """The server would not take a call now.

        Parameters
        ----------
        started_in : int
            The :attr:`round` in which the call was started.
        in_flight : int
            Calls in flight, with this one.
        """
        if not self._adaptive or started_in != self.round:
            return
        met = min(self._limit, float(in_flight))
        again = self._ceiling is not None and abs(met - self._ceiling) <= max(1, met / 10)
        self._caution = min(2 * self._caution, MOST_CAUTIOUS) if again else 1
        self._ceiling = met
        self._fall = self._suspect = None
        self._change(math.floor(met / 2), in_flight)

    def completed(self, seconds: float, size: float, in_flight: int) -> None:
        """A call was completed.

        Parameters
        ----------
        seconds : float
            Its latency.
        size : float
            Of what was written, in any unit that is the same for all calls.
        in_flight : int
            Calls in flight, with this one.
        """
        if not self._adaptive:
            return
        steady = self._fall is None and self._suspect is None
        if steady and self._limit < self.most and in_flight >= 0.75 * self._limit:
            self._grow()
        if self._skip:
            self._skip -= 1
            return
        self._count += 1
        self._seconds += seconds
        self._squares += seconds * seconds
        self._size += size
        self._in_flight += in_flight
        self._fastest = min(self._fastest, seconds)
        if self._count < FEWEST:
            return
        mean = self._seconds / self._count
        variance = max(self._squares / self._count - mean * mean, 0.0)
        # The first calls are the only ones that a server's queue has not delayed yet: a reference
        # is taken from as few of them as agree. Where they do not agree, those that finish first
        # are merely the short ones, and no reference.
        first = self._reference is None and not self._warm
        precise = first and variance <= (PRECISE * mean) ** 2 * self._count
        if precise or self._count >= max(ENOUGH, self._limit):
            self._warm = True
            if first and not precise:
                self._skip = in_flight
                self._clear()
                return
            error = math.sqrt(variance / self._count)
            window = _Window(
                self._in_flight / self._count,
                mean,
                self._seconds / max(self._size, 1.0),
                error,
                self._fastest,
            )
            self._clear()
            self._judge(window, in_flight)

    def _grow(self) -> None:
        step = 1.0
        if self._ceiling is not None:
            target = self._ceiling - max(1.0, self._ceiling / 20)
            if self._limit < target:
                step = min(max(target - self._limit, 1.0), self._limit)
            elif self._limit < self._ceiling + 1:
                step = 1 / self._caution
            else:  # the server takes more than it did
                step, self._caution = max(1.0, (self._limit - self._ceiling) / 4), 1
        self._limit = min(float(self.most), self._limit + step / self._limit)

    def _change(self, limit: float, in_flight: int) -> None:
        self.round += 1
        self._limit = min(max(limit, 1.0), float(self.most))
        self._skip = in_flight
        self._clear()

    def _clear(self) -> None:
        self._count = 0
        self._fastest = math.inf
        self._seconds = self._squares = self._size = self._in_flight = 0.0

    def _judge(self, window: _Window, in_flight: int) -> None:
        best = self._reference
        if best is None or window.power > best.power:
            self._reference, self._fall, self._suspect = window, None, None
            return
        if self._fall is not None:
            limit, before = self._fall
            expected = before.seconds * window.in_flight / before.in_flight
            if 0.9 * window.seconds > expected + 2 * math.hypot(window.error, before.error):
                self._reference, self._fall = before, None
                self._tolerance *= 1.5
                self._change(limit, in_flight)
                return
        if not self._shows_queue(window, best):
            self._fall = self._suspect = None
        elif self._fall is not None:
            self._change(self._limit * CUT, in_flight)
        elif self._suspect is None or window.seconds > 1.1 * self._suspect.seconds:
            self._suspect = window  # the queue may still be growing: look again in a round
            self._skip = in_flight
        else:
            self._fall = (self._limit, window)
            self._change(self._limit * CUT, in_flight)

    def _shows_queue(self, window: _Window, best: _Window) -> bool:
        tolerance = self._tolerance
        chance = 3 * math.hypot(window.error, best.error)
        return (
            window.seconds > max(tolerance * best.seconds + chance, best.seconds + LEAST_RISE)
            and window.per_size > tolerance * best.per_size
            and window.fastest > tolerance * best.fastest
            and window.in_flight / window.seconds < 1.1 * best.in_flight / best.seconds
        )
