"""What goes over the wire of an OpenAI-compatible server: payloads out, replies in; pure."""

from __future__ import annotations

import email.utils
import json
import math
import re
import time
from collections.abc import Mapping
from typing import Any, Literal

from viva.models.failures import CallFailed, Failure
from viva.models.requests import Completion, Request

__all__ = [
    "LARGEST_REPLY",
    "PREFILL_MODES",
    "PrefillMode",
    "chat_payload",
    "completions_payload",
    "failed",
    "one_line",
    "read_completion",
    "read_json",
    "redacted",
    "retry_after",
]

LARGEST_REPLY = 64 * 2**20
"""Bytes of a reply that are read at most."""

_LONGEST_DETAIL = 300
_LONGEST_WAIT = 3600.0

PrefillMode = Literal["flags", "last message", "prefix field", "completions"]

PREFILL_MODES: dict[PrefillMode, str] = {
    "flags": "chat; the last message is the assistant's, continue_final_message is true",
    "last message": "chat; the last message is the assistant's",
    "prefix field": "chat; the last message is the assistant's and says prefix: true",
    "completions": "raw completion of the prompt that the model's own chat template makes",
}
"""Ways in which servers take the beginning of the assistant's turn, in the order of trying:
vLLM and SGLang; llama.cpp, Ollama and some closed APIs; DeepSeek and Mistral; every other."""

_OWN = frozenset({"messages", "model", "prompt", "stream"})
"""Fields that ``Sampling.extra`` cannot set."""


def _sampling(request: Request, length_field: str) -> dict[str, Any]:
    sampling = request.sampling
    fields = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        length_field: sampling.max_completion_tokens,
        "stop": list(sampling.stop) or None,
        "seed": request.seed,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _extra(request: Request) -> dict[str, Any]:
    return {name: value for name, value in request.sampling.extra.items() if name not in _OWN}


def chat_payload(
    model: str,
    request: Request,
    *,
    mode: PrefillMode | None = None,
    length_field: str = "max_tokens",
) -> dict[str, Any]:
    """The body of a call of ``/chat/completions``.

    Parameters
    ----------
    model : str
        The model's name on the server.
    request : Request
        Fields left to the server (None) are left out: some servers refuse what they do not know.
    mode : str, optional
        How the prefix is sent, one of :data:`PREFILL_MODES` but ``completions``.
    length_field : str, default "max_tokens"
        The name under which the server takes the most tokens of a completion.

    Returns
    -------
    dict
        ``Sampling.extra`` at the top level; it cannot replace model, messages or stream.
    """
    messages: list[dict[str, Any]] = [
        {"role": m.role, "content": m.content} for m in request.messages
    ]
    payload: dict[str, Any] = {"model": model, "messages": messages}
    payload |= _sampling(request, length_field)
    if request.top_logprobs is not None:
        payload |= {"logprobs": True, "top_logprobs": request.top_logprobs}
    if request.prefix is not None:
        begun: dict[str, Any] = {"role": "assistant", "content": request.prefix}
        if mode == "prefix field":
            begun["prefix"] = True
        messages.append(begun)
        if mode == "flags":
            payload |= {"continue_final_message": True, "add_generation_prompt": False}
    return payload | _extra(request)


def completions_payload(model: str, request: Request, prompt: str) -> dict[str, Any]:
    """The body of a call of ``/completions`` with a prompt that is already rendered.

    Parameters
    ----------
    model : str
        The model's name on the server.
    request : Request
        Its messages and prefix are not read: they are in the prompt.
    prompt : str
        Everything up to where the model goes on.
    """
    payload: dict[str, Any] = {"model": model, "prompt": prompt}
    payload |= _sampling(request, "max_tokens")
    if request.top_logprobs is not None:
        payload["logprobs"] = request.top_logprobs
    # What is for the chat template has been used in rendering it.
    extra = {k: v for k, v in _extra(request).items() if k != "chat_template_kwargs"}
    return payload | extra


# Replies -------------------------------------------------------------------------------------


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
        Of the reply; ``Retry-After`` in seconds or as an HTTP date (RFC 9110, 10.2.3), or
        ``retry-after-ms``. A date is taken against the reply's own ``Date``, so that a wrong
        clock on either side does no harm.
    now : float, optional
        Unix time, where the reply has no ``Date``.

    Returns
    -------
    float or None
        0 .. 3600; None where nothing readable is asked.
    """
    for name, unit in (("retry-after-ms", 1e-3), ("Retry-After", 1.0)):
        said = headers.get(name, "").strip()
        try:
            seconds = float(said) * unit
        except ValueError:
            continue
        if math.isfinite(seconds):
            return min(max(seconds, 0.0), _LONGEST_WAIT)
    until = _http_date(headers.get("Retry-After"))
    if until is None:
        return None
    since = _http_date(headers.get("Date"))
    if since is None:
        since = time.time() if now is None else now
    return min(max(until - since, 0.0), _LONGEST_WAIT)


def _http_date(said: str | None) -> float | None:
    if not said:
        return None
    try:
        return email.utils.parsedate_to_datetime(said).timestamp()
    except (ValueError, OverflowError, TypeError):
        return None


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


def _says(body: bytes) -> tuple[str, str]:
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
    r"model_not_found|model\b.{0,300}\b(?:not (?:exist|found|available|a valid)|is not a valid)"
    r"|does not exist|not a valid model|no such model|pinned to",
    re.IGNORECASE | re.DOTALL,
)

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
    text, code = _says(body)
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


def _text(value: Any) -> str | None:
    """Text of a message's content: a string, or a list of parts."""
    if isinstance(value, list):
        parts = [p["text"] for p in value if isinstance(p, dict) and isinstance(p.get("text"), str)]
        value = "".join(parts) if parts else None
    if not isinstance(value, str):
        return None
    if value.isascii():
        return value
    # Half a surrogate pair, which JSON can spell, fits into no file.
    return value.encode("utf-8", "replace").decode() if _LONE.search(value) else value


_LONE = re.compile("[\ud800-\udfff]")


def _count(value: Any) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53
    return value if whole else None


def read_completion(
    content_type: str, body: bytes, *, began: bool = False, empty: bool = False
) -> Completion:
    """The completion in a reply with status 200, of either endpoint.

    Parameters
    ----------
    content_type : str
        The reply's; empty where it has none.
    body : bytes
        The whole reply.
    began : bool, default False
        The turn had a prefix: then an empty text with which the model stops is an answer.
    empty : bool, default False
        An empty text is taken as it is in every case.

    Returns
    -------
    Completion
        Of the choice with index 0; of several the first.

    Raises
    ------
    CallFailed
        MALFORMED, EMPTY, FILTERED, or what an error inside the reply means.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind and kind != "application/json" and not kind.endswith("+json"):
        text, _ = _says(body)
        raise CallFailed(Failure.MALFORMED, one_line(f"{kind} instead of JSON: {text}"))
    try:
        reply = read_json(body)
    except ValueError as error:
        raise CallFailed(Failure.MALFORMED, one_line(f"not JSON ({error})")) from None
    if not isinstance(reply, dict):
        raise CallFailed(Failure.MALFORMED, "the reply is not a JSON object")
    choices = reply.get("choices")
    if not isinstance(choices, list) or not choices:
        if reply.get("error"):
            error = reply["error"]
            code = error.get("code") if isinstance(error, dict) else None
            status = code if isinstance(code, int) and 400 <= code < 600 else 500
            raise failed(status, {}, body)
        raise CallFailed(Failure.MALFORMED, "the reply has no choices")
    choice = next(
        (c for c in choices if isinstance(c, dict) and c.get("index", 0) == 0), choices[0]
    )
    if not isinstance(choice, dict):
        raise CallFailed(Failure.MALFORMED, "a choice is not a JSON object")
    message = choice.get("message")
    if isinstance(message, dict):
        text = _text(message.get("content"))
        reasoning = _text(message.get("reasoning_content")) or _text(message.get("reasoning"))
        text = text or _text(message.get("refusal")) or ""
    elif "text" in choice:
        text, reasoning = _text(choice["text"]) or "", _text(choice.get("reasoning"))
    else:
        raise CallFailed(Failure.MALFORMED, "a choice has neither message nor text")
    finish = choice.get("finish_reason")
    finish = one_line(finish)[:40] if isinstance(finish, str) else None
    if not text and finish == "content_filter":
        raise CallFailed(Failure.FILTERED, "the reply is empty: content filter")
    if not (text or reasoning or began or empty) and finish != "length":
        raise CallFailed(Failure.EMPTY, f"no text (finish_reason {finish})")
    usage = reply.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    served = _text(reply.get("model"))
    return Completion(
        text,
        reasoning=reasoning or None,
        finish_reason=finish,
        input_tokens=_count(usage.get("prompt_tokens")),
        output_tokens=_count(usage.get("completion_tokens")),
        logprobs=_logprobs(choice.get("logprobs")),
        served_model=served[:300] if served else None,
    )


def _candidates(pairs: Any) -> dict[str, float]:
    """Candidates of one token; of two that are written the same the likelier is kept."""
    found: dict[str, float] = {}
    for token, value in pairs:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not isinstance(token, str) or not number or not math.isfinite(value):
            continue
        found[token] = max(float(value), found.get(token, -math.inf))
    return found


def _logprobs(said: Any) -> tuple[dict[str, float], ...] | None:
    """Log-probabilities of either endpoint; None where there are none."""
    if not isinstance(said, dict):
        return None
    if isinstance(said.get("content"), list):  # chat
        rows = []
        for token in said["content"]:
            token = token if isinstance(token, dict) else {}
            top = token.get("top_logprobs")
            entries = [token, *(top if isinstance(top, list) else [])]
            named = [e for e in entries if isinstance(e, dict)]
            rows.append(_candidates((e.get("token"), e.get("logprob")) for e in named))
        return tuple(rows)
    tokens, values, top = (said.get(k) for k in ("tokens", "token_logprobs", "top_logprobs"))
    if not isinstance(tokens, list) or not isinstance(values, list):
        return None
    tops = top if isinstance(top, list) and len(top) == len(tokens) else [None] * len(tokens)
    return tuple(
        _candidates([(t, v), *(others.items() if isinstance(others, dict) else ())])
        for t, v, others in zip(tokens, values, tops, strict=False)
    )
