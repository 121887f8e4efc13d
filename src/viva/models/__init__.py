"""Models: servers, weights in process, and answers recorded earlier, asked in one way."""

from __future__ import annotations

from viva.models.backend import Backend, Caller, Capabilities, Prefill
from viva.models.failures import CallFailed, Failure
from viva.models.requests import Completion, Message, Request, Sampling

__all__ = [
    "Backend",
    "CallFailed",
    "Caller",
    "Capabilities",
    "Completion",
    "Failure",
    "Message",
    "Prefill",
    "Request",
    "Sampling",
]
