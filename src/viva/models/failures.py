"""Why a call brought no completion."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["FATAL", "LASTING", "RETRIED", "CallFailed", "Failure"]


class Failure(StrEnum):
    """The closed list of reasons; the first group is worth another try."""

    TIME_OUT = "time-out"
    CONNECTION = "connection failed"
    RATE_LIMIT = "rate limit"
    SERVER_ERROR = "server error"
    MALFORMED = "malformed reply"
    EMPTY = "empty reply"

    CONTEXT = "context too long"
    REFUSED = "bad request"
    FILTERED = "content filter"
    KEY = "not authorised"
    NO_MODEL = "no such model"
    NOT_RECORDED = "not recorded"
    BUDGET = "budget spent"
    STOPPED = "stopped"


RETRIED = frozenset(
    {
        Failure.TIME_OUT,
        Failure.CONNECTION,
        Failure.RATE_LIMIT,
        Failure.SERVER_ERROR,
        Failure.MALFORMED,
        Failure.EMPTY,
    }
)
"""Another try may work."""

FATAL = frozenset({Failure.KEY, Failure.NO_MODEL})
"""No other item will fare better: the run stops with one clear line."""

LASTING = frozenset({Failure.CONTEXT, Failure.REFUSED, Failure.FILTERED})
"""The same request will fail again: resuming a run does not repeat it."""


class CallFailed(Exception):  # noqa: N818  a call that failed is no defect of the program
    """A call without a completion.

    Parameters
    ----------
    failure : Failure
        The kind.
    detail : str
        What was seen, in one bounded line, without secrets.
    retry_after : float, optional
        Seconds the server asked to wait.
    attempts : int
        Tries made.
    """

    def __init__(
        self,
        failure: Failure,
        detail: str = "",
        *,
        retry_after: float | None = None,
        attempts: int = 1,
    ) -> None:
        self.failure = failure
        self.detail = detail
        self.retry_after = retry_after
        self.attempts = attempts
        super().__init__(f"{failure}: {detail}" if detail else str(failure))
