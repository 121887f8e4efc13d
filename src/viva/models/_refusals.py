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

__all__ = ["failed", "one_line", "read_json", "redacted", "retry_after", "says"]

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


def read_json(body: bytes) -> Any:
    """A reply's JSON.

    Raises
    ------
    ValueError
        Not JSON, or nested deeper than can be read.
    """
    try:
        return json.loads(body)
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
                        return said[name], code
                    said = said[name]
                    break
            else:
                break
        else:
            break
    return json.dumps(said, ensure_ascii=False)[:2000], ""


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
