"""What an error reply of an OpenAI-compatible server means: servers agree on few codes; pure."""

from __future__ import annotations

import email.utils
import json
import re
import time
from collections.abc import Mapping
from typing import Any

from viva.models.failures import CallFailed, Failure
from viva.models.retrying import LONGEST_WAIT, retry_after_seconds

__all__ = ["failed", "one_line", "read_json", "redacted", "refuses_field", "retry_after", "says"]

_LONGEST_DETAIL = 300


def one_line(text: str) -> str:
    """A server's words in one printable, bounded line."""
    text = " ".join(text[: 20 * _LONGEST_DETAIL].split())
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return text if len(text) <= _LONGEST_DETAIL else text[: _LONGEST_DETAIL - 1] + "…"


def redacted(text: str, key: str | None) -> str:
    """The text without the key, wherever it stands."""
    return text.replace(key, "***") if key else text


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Seconds that a server asks to wait.

    Parameters
    ----------
    headers : mapping
        Of the reply: ``Retry-After``, or ``retry-after-ms``. A date is taken against the reply's
        own ``Date``, so that a wrong clock on either side does no harm.
    now : float, optional
        Unix time, where the reply has no ``Date``.

    Returns
    -------
    float or None
        None where nothing readable is asked.
    """
    milliseconds = headers.get("retry-after-ms", "").strip()
    if re.fullmatch(r"\d{1,12}(\.\d{1,9})?", milliseconds):
        return min(float(milliseconds) / 1000, LONGEST_WAIT)
    said = headers.get("Retry-After")
    if said is None:
        return None
    try:
        since = email.utils.parsedate_to_datetime(headers["Date"]).timestamp()
    except (KeyError, ValueError, OverflowError, TypeError):
        since = time.time() if now is None else now
    return retry_after_seconds(said, since)


def read_json(body: bytes, charset: str = "") -> Any:
    """A reply's JSON.

    Parameters
    ----------
    body : bytes
        UTF-8, -16 or -32, with or without a byte order mark.
    charset : str, optional
        Of the content type, where one is named that JSON should not be in.

    Raises
    ------
    ValueError
        Not JSON, or nested deeper than can be read.
    """
    try:
        if charset and not charset.lower().startswith("utf"):
            return json.loads(body.decode(charset))
        return json.loads(body)
    except LookupError:
        raise ValueError(f"unknown charset {charset[:40]}") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None


def says(body: bytes) -> tuple[str, str]:
    """What an error reply says, and its code or type."""
    try:
        said = read_json(body)
    except ValueError:
        text = body[:20_000].decode("utf-8", "replace")
        title = re.search(r"(?is)<title[^>]*>(.{0,200}?)</title", text)
        return (title[1] if title else re.sub(r"<[^<>]{0,500}>", " ", text[:2000])), ""
    for _ in range(4):  # {"error": {"message": ...}}, [{"error": ...}], {"detail": [{"msg": ...}]}
        if isinstance(said, list) and said:
            said = said[0]
        elif isinstance(said, dict):
            code = f"{said.get('code') or ''} {said.get('type') or ''}".strip()
            for name in ("error", "message", "detail", "msg"):
                if said.get(name):
                    if isinstance(said[name], str):
                        return _place(said.get("loc")) + said[name], code
                    said = said[name]
                    break
            else:
                break
        else:
            break
    return json.dumps(said, ensure_ascii=False)[:2000], ""


def _place(loc: Any) -> str:
    """Which field a validation error is about: ``["body", "seed"]``."""
    if not isinstance(loc, list | tuple):
        return ""
    return ".".join(str(part)[:40] for part in loc[:6] if isinstance(part, str | int)) + ": "


_CONTEXT = re.compile(
    r"context_length_exceeded|exceed_context_size"
    r"|maximum (?:context|model) length|context (?:length|window|size)"
    r"|decoder prompt \(length \d+\) is longer|prompt is too long|prompt too long"
    r"|`?inputs`? (?:tokens|must have less than)"
    r"|input token count .{0,40}exceeds|exceeds? .{0,40}maximum (?:input|sequence|number of tokens)"
    r"|prompt length .{0,60}exceeds|max_seq_len|reduce the length of the (?:messages|prompt|input)"
    r"|max_tokens must be at least 1, got -",
    re.IGNORECASE,
)
"""How OpenAI, vLLM, SGLang, llama.cpp, TGI, TensorRT-LLM, Ollama, LM Studio, Mistral, Anthropic
and Google say that a prompt is too long."""

_NO_MODEL = re.compile(
    r"model_not_found|\bmodel\b[^.;]{0,200}? (?:not exist|not found|not be found)"
    r"|\bmodel\b.{0,300}?` does not exist|is not a valid model|no such model|is pinned to",
    re.IGNORECASE | re.DOTALL,
)
"""How they say, under another status than 404, that they do not have the model."""

_UNKNOWN_FIELD = re.compile(
    r"extra|unknown|unrecogni[sz]ed|unsupported|unexpected|not (?:supported|permitted|allowed)",
    re.IGNORECASE,
)
"""How they say that they do not take a field, whose name stands beside it."""


def refuses_field(failure: CallFailed, name: str) -> bool:
    """Whether a call was refused for a field of this name, which the server does not know."""
    said = failure.detail
    named = re.search(rf"\b{re.escape(name)}\b", said) is not None
    refused = failure.failure is Failure.REFUSED
    return refused and named and _UNKNOWN_FIELD.search(said) is not None


_STATUS = {
    401: Failure.KEY,
    402: Failure.KEY,
    403: Failure.KEY,
    404: Failure.NO_MODEL,
    408: Failure.TIME_OUT,
    409: Failure.SERVER_ERROR,
    424: Failure.SERVER_ERROR,
    425: Failure.SERVER_ERROR,
    429: Failure.RATE_LIMIT,
}


def failed(status: int, headers: Mapping[str, str], body: bytes) -> CallFailed:
    """The failure that an error reply means.

    Parameters
    ----------
    status : int
        HTTP status, not 2xx.
    headers : mapping
        Read for the time to wait.
    body : bytes
        Read for the wording: servers agree on few codes.

    Returns
    -------
    CallFailed
        ``CONTEXT`` by wording at 400, 413, 422 and 5xx; ``FILTERED`` by code; a spent quota
        (429) or credit (402) is ``KEY``: no waiting mends it; else by status.
    """
    text, code = says(body)
    said = f"{code} {text}"[:4000]
    failure = _STATUS.get(status)
    if failure is None:
        failure = Failure.SERVER_ERROR if status >= 500 else Failure.REFUSED
        if status < 400:
            failure = Failure.MALFORMED
        elif _CONTEXT.search(said):
            failure = Failure.CONTEXT
        elif "content_filter" in said:
            failure = Failure.FILTERED
        elif status < 500 and _NO_MODEL.search(said):
            failure = Failure.NO_MODEL
    elif status == 429 and "insufficient_quota" in said:
        failure = Failure.KEY
    where = f"HTTP {status}"
    if status < 400 and headers.get("Location"):
        text = f"the server sends on to {headers['Location']}"
    return CallFailed(failure, one_line(f"{where}: {text}"), retry_after=retry_after(headers))
