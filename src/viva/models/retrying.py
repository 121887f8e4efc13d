"""When a failed try is repeated: how often, and after how long."""

from __future__ import annotations

import math
import random
import re
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from viva.errors import InputError
from viva.models.failures import RETRIED, CallFailed

__all__ = ["LONGEST_WAIT", "Retry", "retry_after_seconds"]

LONGEST_WAIT = 600.0
"""Seconds: no server can make a call wait longer."""

_SECONDS = re.compile(r"[0-9]{1,12}(?:\.[0-9]{0,9})?")
_LONGEST_HEADER = 64


def retry_after_seconds(header: str, now: float) -> float | None:
    """Seconds to wait by a Retry-After header (RFC 9110, section 10.2.3).

    Parameters
    ----------
    header : str
        A number of seconds (fractions are taken, which some servers send), or an HTTP date.
    now : float
        Wall-clock time in seconds since 1970; the server's own Date header, where there is one,
        keeps a wrong clock of ours out of it.

    Returns
    -------
    float or None
        0 to :data:`LONGEST_WAIT`; None where the header says nothing that can be read.
    """
    text = header.strip()
    if len(text) > _LONGEST_HEADER:
        return None
    if _SECONDS.fullmatch(text):
        return min(float(text), LONGEST_WAIT)
    try:
        date = parsedate_to_datetime(text)
        if date.tzinfo is None:  # HTTP dates are GMT, even where a server does not say so
            date = date.replace(tzinfo=UTC)
        seconds = date.timestamp() - now
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT) if math.isfinite(seconds) else None


@dataclass(frozen=True, slots=True)
class Retry:
    """Exponential back-off with full jitter.

    The wait before try k + 1 is drawn evenly from 0 to min(cap, base 2^(k-1)): of the known
    schedules the one that spreads a crowd of clients best (M. Brooker, "Exponential backoff and
    jitter", AWS Architecture Blog, 2015). What the server asks for by Retry-After is waited
    first, and the jitter on top of it.
    """

    tries: int = 6
    """Most tries of one call, with the first; 1 = never repeat."""
    base: float = 0.5
    """Seconds."""
    cap: float = 60.0
    """Most seconds drawn for one wait."""

    def __post_init__(self) -> None:
        if self.tries < 1:
            raise InputError(f"{self.tries} tries of a call", mend="At least 1 is needed")
        for name, value in (("base", self.base), ("cap", self.cap)):
            if not (math.isfinite(value) and value >= 0):
                raise InputError(
                    f"{name} of the retries is {value}", mend="Give seconds, 0 or more"
                )

    def repeats(self, failed: CallFailed, tries: int) -> bool:
        """Whether a call that failed so, after so many tries, is tried again."""
        return failed.failure in RETRIED and tries < self.tries

    def wait(self, tries: int, retry_after: float | None = None) -> float:
        """Seconds before the next try.

        Parameters
        ----------
        tries : int
            Tries made, at least 1.
        retry_after : float, optional
            Seconds the server asked for; bounded by :data:`LONGEST_WAIT`.
        """
        drawn = random.uniform(0, min(self.cap, self.base * 2.0 ** min(tries - 1, 60)))  # noqa: S311
        return drawn + min(max(retry_after or 0.0, 0.0), LONGEST_WAIT)
