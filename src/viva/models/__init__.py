"""Models: servers, weights in process, and answers recorded earlier, asked in one way."""

from __future__ import annotations

from viva.models.backend import Backend, Caller, Capabilities, Prefill
from viva.models.budget import Budget, Prices
from viva.models.client import Client
from viva.models.events import Event
from viva.models.failures import CallFailed, Failure
from viva.models.limiter import Limiter
from viva.models.requests import Completion, Message, Request, Sampling
from viva.models.retrying import Retry, retry_after_seconds
from viva.models.specs import BACKENDS, BackendKind, ModelOptions, open_model

__all__ = [
    "BACKENDS",
    "Backend",
    "BackendKind",
    "Budget",
    "CallFailed",
    "Caller",
    "Capabilities",
    "Client",
    "Completion",
    "Event",
    "Failure",
    "Limiter",
    "Message",
    "ModelOptions",
    "Prefill",
    "Prices",
    "Request",
    "Retry",
    "Sampling",
    "open_model",
    "retry_after_seconds",
]
