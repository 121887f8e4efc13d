"""Any OpenAI-compatible server over HTTP: chat, and raw completions under the own template.

One try per call; retries, budgets and the number of calls at once are the client's. A request
with a prefix is refused until a probe has shown that the server continues it. A connection that
the server closed while it was idle is not used again (idle connections are given up before the
servers' own five seconds); where it closes in the very moment of sending, the try fails as
``CONNECTION`` and is repeated by the client, so that every request sent is counted once.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import itertools
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viva.errors import InputError
from viva.models import _wire
from viva.models._replicas import Replica, replicas_of
from viva.models.backend import Capabilities, Prefill
from viva.models.failures import CallFailed, Failure
from viva.models.requests import Completion, Request
from viva.models.specs import ModelOptions
from viva.models.templates import ChatTemplate, find_template, load_template

if TYPE_CHECKING:
    import aiohttp

__all__ = ["OpenAIBackend", "open_openai"]

DEFAULT_URL = "http://localhost:8000/v1"
"""Where vLLM, ``transformers serve`` and SGLang's OpenAI examples listen; never a service outside:
answers and cases leave the machine only where the user says so."""

_CONNECT_SECONDS = 10.0
_IDLE_SECONDS = 4.0
_LIST_SECONDS = 20.0
_CONNECTIONS = 64
_SHORTEST_KEY = 8
"""Shorter keys are placeholders such as ``EMPTY``, a word that a model may write."""


def open_openai(name: str, options: ModelOptions) -> OpenAIBackend:
    """The back-end of the spec ``openai/NAME``; see :class:`OpenAIBackend`."""
    return OpenAIBackend(name, options)


class OpenAIBackend:
    """A model on one or several servers.

    Parameters
    ----------
    served_name : str
        The model's name on the server.
    options : ModelOptions, optional
        Servers, key, time-out, API and chat template.

    Raises
    ------
    InputError
        A URL that is none, a key that is missing where a server is not local, a chat template
        that cannot be read, or ``api="completions"`` without a template.
    """

    def __init__(self, served_name: str, options: ModelOptions | None = None) -> None:
        options = options or ModelOptions()
        urls = options.base_urls or (os.environ.get("OPENAI_BASE_URL") or DEFAULT_URL,)
        self._served = served_name
        self._model = options.name or Path(served_name).name or served_name
        self._options = options
        self._replicas = replicas_of(urls)
        self._turn = itertools.count()
        self._key = self._read_key()
        self._length_field = "max_tokens"
        if any(r.host == "api.openai.com" for r in self._replicas):
            self._length_field = "max_completion_tokens"
        self._template: ChatTemplate | None = (
            load_template(options.chat_template)
            if options.chat_template
            else find_template(served_name)
        )
        if options.api == "completions" and self._template is None:
            raise InputError(
                "raw completions need the model's chat template",
                mend="Name its folder, tokenizer_config.json or jinja file by --chat-template",
            )
        self._mode: _wire.PrefillMode | None = None
        self._echoes = False
        self._keeps_bos = False
        self._capabilities = Capabilities()
        if options.api == "completions":
            self._mode = "completions"
            self._capabilities = Capabilities(
                prefill=Prefill.CONTINUED,
                evidence={"prefill": "the prompt is made here and ends with the prefix"},
            )
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def _read_key(self) -> str | None:
        name = self._options.api_key_env
        key = os.environ.get(name, "").strip()
        if key and not (key.isascii() and key.isprintable()):
            raise InputError(f"the key in {name} holds characters that no HTTP header can carry")
        away = [r.shown for r in self._replicas if not r.local]
        if not key and away:
            raise InputError(
                f"no key for {away[0]}: the environment variable {name} is not set",
                mend=f"Set {name}, or name the variable that holds the key by --api-key-env",
            )
        return key or None

    def __repr__(self) -> str:
        return f"OpenAIBackend({self._served!r}, {', '.join(self.base_urls)})"

    @property
    def model(self) -> str:
        """The model's name in records."""
        return self._model

    @property
    def base_urls(self) -> tuple[str, ...]:
        """The servers, without query and credentials."""
        return tuple(replica.shown for replica in self._replicas)

    @property
    def capabilities(self) -> Capabilities:
        """Unknown until :meth:`probe` has been called."""
        return self._capabilities

    @property
    def connections(self) -> int:
        """Calls at once: as the user says, else 64 for each server."""
        return self._options.connections or _CONNECTIONS * len(self._replicas)

    def settings(self) -> dict[str, Any]:
        """What determines the completions; where the servers are is in :attr:`base_urls`."""
        return {
            "backend": "openai",
            "served_name": self._served,
            "api": self._options.api,
            "chat_template": self._template.hash if self._template else None,
            "extra": dict(self._options.extra),
        }

    # Calls -----------------------------------------------------------------------------------

    async def generate(self, request: Request) -> Completion:
        """One try at one request.

        Parameters
        ----------
        request : Request
            With a prefix only after a probe has found how the server continues one.

        Raises
        ------
        CallFailed
            See :class:`viva.models.Failure`; the detail never holds the key.
        """
        if request.prefix is not None and self._mode is None:
            raise CallFailed(
                Failure.REFUSED,
                "a prefix was asked, and this server is not shown to continue one "
                f"(prefill: {self._capabilities.prefill})",
            )
        raw = self._options.api == "completions"
        mode: _wire.PrefillMode | None = "completions" if raw else None
        return await self._ask(request, self._mode if request.prefix is not None else mode)

    async def _ask(
        self, request: Request, mode: _wire.PrefillMode | None, *, empty: bool = False
    ) -> Completion:
        """A request in one of the ways of sending; ``empty``: no text is an answer too."""
        extra = self._options.extra
        if extra:
            sampling = dataclasses.replace(
                request.sampling, extra={**extra, **request.sampling.extra}
            )
            request = dataclasses.replace(request, sampling=sampling)
        if mode == "completions":
            path, payload = "/completions", self._raw_payload(request)
        else:
            path = "/chat/completions"
            payload = _wire.chat_payload(
                self._served, request, mode=mode, length_field=self._length_field
            )
        started = time.perf_counter()
        kind, body = await self._post(path, json.dumps(payload).encode())
        completion = _wire.read_completion(
            kind, body, began=request.prefix is not None, empty=empty
        )
        text = completion.text
        if self._echoes and request.prefix and text.startswith(request.prefix):
            text = text[len(request.prefix) :]
        return dataclasses.replace(completion, text=text, seconds=time.perf_counter() - started)

    def _raw_payload(self, request: Request) -> dict[str, Any]:
        if self._template is None:
            raise CallFailed(Failure.REFUSED, "raw completions need the model's chat template")
        kwargs = request.sampling.extra.get("chat_template_kwargs")
        prompt = self._template.prompt(
            request.messages, request.prefix, kwargs if isinstance(kwargs, dict) else {}
        )
        if not self._keeps_bos:
            prompt = self._template.without_bos(prompt)
        return _wire.completions_payload(self._served, request, prompt)

    def _least_busy(self) -> Replica:
        """The server with the fewest calls in flight, of those that do not rest after failures."""
        now = time.monotonic()
        awake = [r for r in self._replicas if r.rests_until <= now]
        if not awake:
            return min(self._replicas, key=lambda r: r.rests_until)
        start = next(self._turn) % len(awake)  # equals take turns
        return min(awake[start:] + awake[:start], key=lambda r: r.in_flight)

    async def _post(self, path: str, data: bytes) -> tuple[str, bytes]:
        """Content type and body of a reply with status 200."""
        replica = self._least_busy()
        replica.in_flight += 1
        try:
            status, headers, body = await self._exchange(
                "POST", replica, path, data=data, seconds=self._options.timeout
            )
        except CallFailed as failure:
            replica.failed(failure.failure is Failure.CONNECTION)
            raise
        finally:
            replica.in_flight -= 1
        replica.failed(status in (502, 503, 504))
        if not 200 <= status < 300:
            failure = _wire.failed(status, headers, body)
            if status == 404 and failure.failure is Failure.NO_MODEL:
                failure.detail += f" ({replica.shown}{path}, model {self._served})"
            elif "max_completion_tokens" in failure.detail and status == 400:
                # Told once; from now on all calls say it as this server wants it.
                if self._length_field == "max_tokens":
                    self._length_field = "max_completion_tokens"
                    failure.failure = Failure.SERVER_ERROR
            raise failure
        return headers.get("Content-Type", ""), body

    async def _exchange(
        self, method: str, replica: Replica, path: str, *, data: bytes | None, seconds: float
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of one HTTP exchange; the key is struck out of both."""
        import aiohttp

        session = self._open_session()
        headers = {"Content-Type": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        broken: CallFailed
        try:
            async with session.request(
                method,
                replica.address(path),
                data=data,
                headers=headers,
                proxy=replica.proxy,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=seconds, sock_connect=_CONNECT_SECONDS),
            ) as reply:
                parts, size = [], 0
                async for part in reply.content.iter_any():
                    size += len(part)
                    if size > _wire.LARGEST_REPLY:
                        reply.close()
                        raise CallFailed(
                            Failure.MALFORMED, f"a reply larger than {_wire.LARGEST_REPLY} bytes"
                        )
                    parts.append(part)
                body = b"".join(parts)
                said = {
                    name: self._redacted(reply.headers[name])
                    for name in ("Content-Type", "Date", "Location", "Retry-After")
                    if name in reply.headers
                }
                if "retry-after-ms" in reply.headers:
                    said["retry-after-ms"] = reply.headers["retry-after-ms"]
                if (self._key and len(self._key) >= _SHORTEST_KEY) or (
                    self._key and reply.status >= 300
                ):
                    body = body.replace(self._key.encode(), b"***")
                return reply.status, said, body
        except (aiohttp.ClientPayloadError, aiohttp.ClientResponseError) as error:
            broken = self._broken(Failure.MALFORMED, "the reply broke off", error)
        except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError) as error:
            broken = self._broken(Failure.CONNECTION, f"{replica.shown} not reached", error)
        except TimeoutError:
            broken = CallFailed(Failure.TIME_OUT, f"no reply within {seconds:g} s")
        except (aiohttp.ClientError, OSError) as error:
            broken = self._broken(Failure.CONNECTION, f"{replica.shown} broke off", error)
        # Outside the handlers: aiohttp's errors hold the request's headers, and so the key.
        raise broken

    def _broken(self, failure: Failure, what: str, error: BaseException) -> CallFailed:
        said = self._redacted(f"{what}: {type(error).__name__}: {error}")
        return CallFailed(failure, _wire.one_line(said))

    def _redacted(self, text: str) -> str:
        return _wire.redacted(text, self._key)

    def _open_session(self) -> aiohttp.ClientSession:
        """The session of the running loop, made when first needed."""
        import aiohttp

        loop = asyncio.get_running_loop()
        if self._session is None or self._session.closed or self._loop is not loop:
            self._let_go()
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_IDLE_SECONDS)
            # Proxies are looked up once, here, and never for a local server; ~/.netrc is not read.
            self._session = aiohttp.ClientSession(connector=connector, trust_env=False)
            self._loop = loop
        return self._session

    def _let_go(self) -> None:
        """Drop a session whose loop is gone: its sockets cannot be closed politely."""
        session, self._session = self._session, None
        if session is not None and not session.closed:
            with contextlib.suppress(RuntimeError):
                session._connector._close()  # type: ignore[union-attr]
            session.detach()

    async def close(self) -> None:
        """Close the connections; a later call opens new ones."""
        session, self._session = self._session, None
        if session is not None and self._loop is asyncio.get_running_loop():
            await session.close()
